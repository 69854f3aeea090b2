"""Names, functions and the commands with arguments: fractions, roots, powers."""

from __future__ import annotations

import re
import unicodedata

from gradcli.diagnostics.failures import syntax_error
from gradcli.diagnostics.source import Span
from gradcli.syntax.latex.words import ACCENTS, GREEK, NAMED
from gradcli.syntax.latex.writer import ONE, Piece, Writer, inverse

_TRANSPOSED = re.compile(
    r"""\^\s*(?:\{\s*(?:\\top|\\intercal|T|\\(?:mathsf|mathrm|text)\{T\})\s*\}
      |(?:\\top|\\intercal|T)(?![A-Za-z])|\\(?:mathsf|mathrm|text)\{T\})""",
    re.VERBOSE,
)
SUBSCRIPT = re.compile(
    r"_\s*(?:\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}|(\\(?:mathrm|text)\{\w+\}|\\[A-Za-z]+|\w))"
)
_SIMPLE_POWER = re.compile(r"\^\s*(?:\{\s*(-?\w+)\s*\}|(\w))")
_INVERSE = re.compile(r"\^\s*\{\s*-\s*1\s*\}\s*")
_ROOT_INDEX = re.compile(r"\s*\[\s*(\w+)\s*\]")
_WORD = re.compile(r"\s*(?:\{\s*([^\W\d](?:\w|\\_)*)\s*\}|([^\W\d_]))")
_ACCENTED = re.compile(r"\s*(?:\{\s*(?:([^\W\d_])|\\([A-Za-z]+))\s*\}|([^\W\d_])|\\([A-Za-z]+))")
_BEFORE_ARGUMENT = re.compile(r"(?:\s|~|\\[,;:! ]|\\q?quad(?![A-Za-z]))*")
_OPENING = re.compile(r"(?:\\(?:left|[bB]igg?l?)\s*)?\(")
_FEW = 7
"""A group with fewer pieces may be one word with spaces around it."""

_INVERSES = {
    **{name: f"a{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "erf": "erfinv",
}
_GREEK_NAME = "GREEK {} LETTER {}"


class Operands(Writer):
    """A method for each family of commands."""

    def _operand(self, name: str, span: Span) -> None:
        """A name, with the subscript that follows it."""
        self._begin(span)
        subscript = None
        if self.frames[-1].kind not in ONE or self.frames[-1].braced:
            subscript = SUBSCRIPT.match(self.text, self.at)
        if subscript is not None:
            name = f"{name}_{_index(subscript)}"
            self.at = subscript.end()
            span = Span(span.start, self.at)
        self._write(name, span, is_name=True)
        self._done()

    # --- names and functions -------------------------------------------------------------

    def _greek(self, name: str, span: Span) -> None:
        called = {"Gamma": "gamma", "psi": "digamma"}.get(name)
        ahead = _BEFORE_ARGUMENT.match(self.text, self.at)
        if called and ahead and _OPENING.match(self.text, ahead.end()):
            name = called
        self._operand(GREEK.get(name, name), span)

    def _function(self, name: str, span: Span) -> None:
        r"""`\sin x`, `\sin(x)`, `\sin^2 x`, `\log_{10} x`."""
        self._begin(span)
        inner = outer = ""
        while found := _SIMPLE_POWER.match(self.text, self.at) or (
            SUBSCRIPT.match(self.text, self.at) if name in ("log", "max", "min") else None
        ):
            self.at = found.end()
            word = (found[1] or found[2]).strip()
            if found[0][0] == "^":
                if word != "-1":
                    outer = f"^({word})"
                elif name in _INVERSES:
                    name = _INVERSES[name]
                else:
                    raise syntax_error(
                        "this may be the inverse function or 1 over the value",
                        Span(span.start, self.at),
                        f"write '1/{name}(x)' or the inverse function's name",
                    )
            elif name == "log" and word in ("2", "10"):
                name += word
            elif name == "log":
                inner = f", {word}"
            else:
                self.at = found.start()
                break
        span = Span(span.start, self.at)
        ahead = _BEFORE_ARGUMENT.match(self.text, self.at)
        assert ahead is not None
        if opening := _OPENING.match(self.text, ahead.end()):
            self._write(name, span)
            self.at = opening.end()
            self._write("(", Span(*opening.span()))
            self._push(")", span, f"{inner}){outer}")
            return
        if self.text.startswith(("{", "_", "^"), ahead.end()):
            self._write(name, span)
            if self.text.startswith("{", ahead.end()):
                self.at = ahead.end()
                self._push("call", span, f"{inner}){outer}")
            return
        self.at = ahead.end()
        self._write(f"{name}(", span)
        self._push("argument", span, f"{inner}){outer}")

    def _operator_name(self, span: Span) -> None:
        word = _WORD.match(self.text, self.at)
        if word is None:
            self._leave(span.start)
            return
        self.at = word.end()
        name = (word[1] or word[2]).replace("\\_", "_")
        known = NAMED.get(name) or NAMED.get(name.lower())
        self._function(known or name, Span(span.start, self.at))

    def _font(self, span: Span) -> None:
        word = _WORD.match(self.text, self.at)
        if word is not None:
            self.at = word.end()
            name = (word[1] or word[2]).replace("\\_", "_")
            self._operand(name, Span(span.start, self.at))
        elif re.compile(r"\s*\{?\s*\\").match(self.text, self.at):
            self._begin(span)
            self._push("font", span)
        else:
            self._leave(span.start)

    def _accent(self, accent: str, span: Span) -> None:
        found = _ACCENTED.match(self.text, self.at)
        command = found and (found[2] or found[4])
        if found is None or (command and command not in GREEK):
            self._leave(span.start)
            return
        self.at = found.end()
        letter = unicodedata.lookup(_GREEK_NAME.format(*_case(command))) if command else None
        base = letter or found[1] or found[3]
        name = unicodedata.normalize("NFC", base + ACCENTS[accent])
        self._operand(name, Span(span.start, self.at))

    # --- what has arguments --------------------------------------------------------------

    def _root(self, span: Span) -> None:
        self._begin(span)
        index = _ROOT_INDEX.match(self.text, self.at)
        opening, close = "sqrt(", ")"
        if index is not None:
            self.at = index.end()
            span = Span(span.start, self.at)
            opening, close = {"2": ("sqrt(", ")"), "3": ("cbrt(", ")")}.get(
                index[1], ("((", f")^(1/{index[1]}))")
            )
        self._write(opening, span)
        self._push("root", span, close)

    def _power(self, span: Span) -> None:
        transposed = _TRANSPOSED.match(self.text, span.start)
        if transposed is not None:
            self.at = transposed.end()
            self._write(".T", Span(*transposed.span()))
            return
        inverted = _INVERSE.match(self.text, span.start)
        if inverted is not None and self.out:
            place = Span(span.start, inverted.end())
            base = self.out[-1]
            if base.is_name and base.text[0].isupper():
                raise inverse(place, base.text)
            self.inverse = place
        self._write("^", span)
        self._push("power", span)

    def _subscript(self, found: re.Match[str]) -> None:
        self.at = found.end()
        index = _index(found)
        if self.out and self.out[-1].is_name:
            name = self.out.pop()
            joined = Piece(f"{name.text}_{index}", name.start, self.at, is_name=True)
            self.out.append(joined)
        else:
            self.out.append(Piece(f"_{index}", *found.span()))

    def _open_brace(self, span: Span) -> None:
        frame = self.frames[-1]
        if frame.kind in ONE and not frame.braced and not frame.last:
            frame.braced = True
        else:
            self._begin(span)
            frame = self._push("group", span)
            frame.braced = True
        frame.first = len(self.out)
        self._write("(", span)

    def _close_brace(self, span: Span) -> None:
        self._end_arguments()
        frame = self.frames[-1]
        if not frame.braced:
            if any(other.braced for other in self.frames):
                raise syntax_error("this is not closed before the '}'", frame.command)
            raise syntax_error("'}' closes nothing", span)
        inside = self.out[frame.first + 1 : frame.first + 1 + _FEW]
        content = [piece for piece in inside if not piece.text.isspace()]
        if len(inside) == _FEW:
            content = inside
        plain = len(content) == 1 and (content[0].is_name or content[0].text.isdigit())
        if frame.kind == "group" and not content:
            del self.out[frame.first :]
            self.frames.pop()
            return
        if frame.kind in ("group", "font", "power") and plain:
            self.out[frame.first :] = content
        elif frame.kind == "root":
            self.out[frame.first] = Piece("", *span)
        else:
            self._write(")", span)
        if frame.kind == "group":
            self.frames.pop()
            self._done()
        else:
            self._close_one(span)


def _case(command: str) -> tuple[str, str]:
    word = GREEK.get(command, command)
    word = "lamda" if word.lower() == "lambda" else word
    return "CAPITAL" if word[0].isupper() else "SMALL", word.upper()


def _index(found: re.Match[str]) -> str:
    """A subscript as the end of a name: `{i,j}` is `i_j`."""
    inside = found[1] if found[1] is not None else found[2]
    word = re.sub(r"\\(?:text|mathrm|mathit|mathbf|boldsymbol)(?![A-Za-z])|[\\{}\s]", "", inside)
    word = word.replace(",", "_")
    if not re.fullmatch(r"\w+", word):
        raise syntax_error(
            "an index is part of a name here: letters and digits",
            Span(*found.span()),
            "an element of an array is written x[i + 1]",
        )
    return word.lstrip("_")
