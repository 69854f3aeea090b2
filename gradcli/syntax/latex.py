r"""LaTeX text as text of the language: `\frac{x}{y}` becomes `((x)/(y))`.

A text is LaTeX where a backslash stands before a letter: the language has no backslash. One pass
goes over its tokens, with a stack of what is open, and writes pieces, each with its place in
LaTeX. So errors and trees get the places of what the user wrote (`Translation.place`). What is
not known stays as it is, and the parser refuses it with its hint.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import NamedTuple

from gradcli.diagnostics.characters import DERIVATIVES
from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Span
from gradcli.syntax.latex_words import (
    ACCENTS,
    BRACKETS,
    CLOSINGS,
    DISPLAYS,
    FONTS,
    FUNCTIONS,
    GREEK,
    MATRICES,
    OPERATORS,
    SIZES,
    SPACES,
    SYMBOLS,
)

_IS_LATEX = re.compile(r"^[^#\n]*?\\[A-Za-z(\[,;!|{]", re.MULTILINE)
_TOKEN = re.compile(
    r"""(?P<comment>[#%][^\n]*)
      |(?P<command>\\(?:operatorname\*|[A-Za-z]+))
      |(?P<control>\\.)
      |(?P<number>(?:[0-9]+(?:_[0-9]+)*\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)
      |(?P<name>[^\W\d_](?:\w*[^\W_])?)
      |(?P<space>[^\S\n]+)
      |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_TRANSPOSED = re.compile(
    r"""\^\s*(?:\{\s*(?:\\top|\\intercal|T|\\(?:mathsf|mathrm|text)\{T\})\s*\}
      |(?:\\top|\\intercal|T)(?![A-Za-z])|\\(?:mathsf|mathrm|text)\{T\})""",
    re.VERBOSE,
)
_SUBSCRIPT = re.compile(
    r"_\s*(?:\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}|(\\(?:mathrm|text)\{\w+\}|\\[A-Za-z]+|\w))"
)
_SIMPLE_POWER = re.compile(r"\^\s*(?:\{\s*(-?\w+)\s*\}|(\w))")
_ENVIRONMENT = re.compile(r"\s*\{(\w+)\*?\}")
_COLUMNS = re.compile(r"\s*\{[lcr| ]*\}")
_INVERSE = re.compile(r"\^\s*\{\s*-\s*1\s*\}\s*")
_BOLD = ("\\mathbf", "\\boldsymbol", "\\bm", "\\textbf")
_ROOT_INDEX = re.compile(r"\s*\[\s*(\w+)\s*\]")
_WORD = re.compile(r"\s*(?:\{\s*([^\W\d](?:\w|\\_)*)\s*\}|([^\W\d_]))")
_ACCENTED = re.compile(r"\s*(?:\{\s*(?:([^\W\d_])|\\([A-Za-z]+))\s*\}|([^\W\d_])|\\([A-Za-z]+))")
_BEFORE_ARGUMENT = re.compile(r"(?:\s|~|\\[,;:! ]|\\q?quad(?![A-Za-z]))*")
_OPENING = re.compile(r"(?:\\(?:left|[bB]igg?l?)\s*)?\(")
_LINE_HEIGHT = re.compile(r"\*?\s*\[-?[\d.]+\s*(?:pt|em|ex|mm|cm)\]")
_LAST_ROW = re.compile(r"\s*\\end(?![A-Za-z])")
_D = r"(?:d|\\(?:mathrm|text)\s*\{\s*d\s*\})"
_DERIVATIVE = re.compile(
    rf"\s*\{{\s*{_D}(?:\s*\w|\s*\^\s*\w)?\s*\}}\s*\{{\s*{_D}\s*(?:\w|\\[a-z]+)\s*(?:\^\s*\w\s*)?\}}"
)


def is_latex(text: str) -> bool:
    """Whether a command of LaTeX stands outside of comments; a text with strings is no LaTeX."""
    return "\\" in text and '"' not in text and _IS_LATEX.search(text) is not None


class Piece(NamedTuple):
    """Some of the new text, and where in LaTeX it comes from."""

    text: str
    start: int
    end: int
    is_name: bool = False


@dataclass(frozen=True, slots=True)
class Translation:
    """Text of the language; for each of its characters the place that it has in LaTeX."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def place(self, span: Span) -> Span:
        """The span of the new text in LaTeX."""
        last = len(self.text)
        if not last:
            return Span(0, 0)
        if span.start >= last:
            return Span(self.ends[-1], self.ends[-1])
        start = self.starts[span.start]
        if span.end <= span.start:
            return Span(start, start)
        return Span(start, max(self.ends[min(span.end, last) - 1], start + 1))


@dataclass(slots=True)
class _Frame:
    """Something open: a group, a bracket, bars, a matrix, a function's argument."""

    kind: str
    command: Span
    """What opened it, for errors."""
    close: str = ""
    """What is written where it ends; for an argument in braces behind the closing brace."""
    first: int = 0
    """The number of its first piece."""
    braced: bool = False
    last: str = ""
    """What its latest part is: an operand, a number, a fraction, or nothing yet."""
    thin: Span | None = None
    """A thin space behind an operand."""
    rows: list[int] = field(default_factory=list)
    columns: bool = False


def translate(text: str) -> Translation:
    """LaTeX as text of the language. Raises a syntax error where braces don't match."""
    return _Translator(text).translated()


class _Translator:
    """One pass over one text."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.out: list[Piece] = []
        self.frames = [_Frame("text", Span(0, 0))]
        self.inverse: Span | None = None  # the latest power -1
        self.left = False  # whether there was a command that is not known

    def translated(self) -> Translation:
        while self.at < len(self.text):
            token = _TOKEN.match(self.text, self.at)
            assert token is not None
            self.at = token.end()
            span = Span(*token.span())
            match token.lastgroup:
                case "comment":
                    pass
                case "space":
                    self._write(" ", span)
                case "command":
                    self._command(token[0][1:], span)
                case "control":
                    self._control(token[0], span)
                case "number":
                    self._number(span)
                case "name":
                    self._name(token[0], span)
                case _:
                    self._other(token[0], span)
        self._end_arguments()
        if not self.left:
            for frame in reversed(self.frames):
                self._refuse_open(frame)
        return self._joined()

    def _leave(self, start: int) -> None:
        """Keep the text from an unknown command on: the parser refuses it there."""
        self.out.append(Piece(self.text[start:], start, len(self.text)))
        self.at, self.left = len(self.text), True

    def _joined(self) -> Translation:
        starts: list[int] = []
        ends: list[int] = []
        for piece in self.out:
            size = len(piece.text)
            if self.text.startswith(piece.text, piece.start, piece.end) and (
                size == piece.end - piece.start
            ):
                starts.extend(range(piece.start, piece.end))
                ends.extend(range(piece.start + 1, piece.end + 1))
            else:
                starts.extend([piece.start] * size)
                ends.extend([piece.end] * size)
        return Translation("".join(p.text for p in self.out), tuple(starts), tuple(ends))

    def _refuse_open(self, frame: _Frame) -> None:
        if frame.kind == "matrix":
            raise _error(r"'\begin' has no '\end'", frame.command)
        if frame.braced:
            raise _error("'{' is not closed", frame.command)
        if frame.kind in _ONE:
            written = self.text[frame.command.start : frame.command.end]
            raise _error(f"after '{written}' something is missing", frame.command)

    # --- writing -------------------------------------------------------------------------

    def _write(self, text: str, span: Span, *, is_name: bool = False) -> None:
        """Add a piece, with a space where it would run together with the one before."""
        before = self.out[-1] if self.out else None
        if before is not None and before.text and text:
            a, b = before.text[-1], text[0]
            touching = before.end == span.start and not self._changed(before, span, text)
            if (a == b == "|") or (
                (a.isalnum() or a == "_") and (b.isalnum() or b == "_") and not touching
            ):
                self.out.append(Piece(" ", span.start, span.start + 1))
        self.out.append(Piece(text, span.start, span.end, is_name))

    def _changed(self, before: Piece, span: Span, text: str) -> bool:
        """Whether one of two neighbours is not as it is in LaTeX."""
        return (
            self.text[before.start : before.end] != before.text
            or self.text[span.start : span.end] != text
        )

    def _begin(self, span: Span) -> None:
        """An operand begins: end a function's argument that is complete; write what is meant."""
        while self.frames[-1].kind == "argument" and self.frames[-1].last in (
            "operand",
            "fraction",
        ):
            self._end_argument()
        frame = self.frames[-1]
        if frame.last == "fraction":
            self._write("*", Span(span.start, span.start + 1))
        elif frame.last == "operand" and frame.thin is not None:
            if self.inverse is not None and self.inverse.end == frame.thin.start:
                raise _inverse(self.inverse, "A")
            self._write(" @ ", frame.thin)
        frame.thin = None

    def _done(self, last: str = "operand") -> None:
        """An operand is complete, and so is what waited for a single one."""
        frame = self.frames[-1]
        frame.last = last
        if frame.kind in _ONE and not frame.braced:
            self._close_one(Span(self.at - 1, self.at))

    def _separate(self, *, sign: bool = False) -> None:
        """An operator or separator: it ends arguments without brackets."""
        while self.frames[-1].kind == "argument" and not (sign and not self.frames[-1].last):
            self._end_argument()
        self.frames[-1].last = ""
        self.frames[-1].thin = None

    def _end_arguments(self) -> None:
        while self.frames[-1].kind == "argument":
            self._end_argument()

    def _end_argument(self) -> None:
        frame = self.frames.pop()
        end = self.out[-1].end
        blanks: list[Piece] = []
        while self.out[-1].text.isspace():
            blanks.append(self.out.pop())
            end = self.out[-1].end
        self.out.append(Piece(frame.close, max(end - 1, 0), end))
        self.out += reversed(blanks)
        thin = frame.thin
        self._done()
        self.frames[-1].thin = thin

    def _push(self, kind: str, span: Span, close: str = "") -> _Frame:
        frame = _Frame(kind, span, close, len(self.out))
        self.frames.append(frame)
        return frame

    # --- tokens --------------------------------------------------------------------------

    def _number(self, span: Span) -> None:
        if self.frames[-1].kind in _ONE and not self.frames[-1].braced:
            self.at = span.start + 1  # \frac12 has two arguments
            span = Span(span.start, self.at)
        self._begin(span)
        self._write(self.text[span.start : span.end], span)
        self._done("number")

    def _name(self, name: str, span: Span) -> None:
        if self.frames[-1].kind in _ONE and not self.frames[-1].braced:
            self.at = span.start + 1
            name, span = name[0], Span(span.start, self.at)
        self._operand(name, span)

    def _operand(self, name: str, span: Span) -> None:
        """A name, with the subscript that follows it."""
        self._begin(span)
        subscript = None
        if self.frames[-1].kind not in _ONE or self.frames[-1].braced:
            subscript = _SUBSCRIPT.match(self.text, self.at)
        if subscript is not None:
            name = f"{name}_{_index(subscript)}"
            self.at = subscript.end()
            span = Span(span.start, self.at)
        self._write(name, span, is_name=True)
        self._done()

    def _other(self, sign: str, span: Span) -> None:
        if sign == "{":
            self._open_brace(span)
        elif sign == "}":
            self._close_brace(span)
        elif sign in "([":
            self._open("(" if sign == "(" else "[", span, ")" if sign == "(" else "]")
        elif sign in ")]":
            self._close(sign, span)
        elif sign == "^":
            self._power(span)
        elif sign == "_" and (subscript := _SUBSCRIPT.match(self.text, span.start)):
            self._subscript(subscript)
        elif sign == "|":
            self._bar("||" if self.text.startswith("||", span.start) else "|", span)
        elif sign == "&":
            self._cell(span)
        elif sign in "$~":
            self._write(" ", span)
        elif sign in "'.":
            self._write(sign, span)
        elif sign in "+-*/=<>,;:\n" or not sign.isalnum():
            self._separate(sign=sign in "+-")
            if sign == "," and self.frames[-1].kind == "sized ]":
                self.frames[-1].columns = True
            self._write(sign, span)
        else:
            self._write(sign, span)

    def _control(self, control: str, span: Span) -> None:
        if control == "\\\\":
            self._row(span)
        elif control == "\\,":
            self.frames[-1].thin = span if self.frames[-1].last else None
            self._write(" ", span)
        elif control[1] in ":;! ()[]>":
            self._write(" ", span)
        elif control == "\\|":
            self._bar("||", span)
        elif control == "\\{":
            self._open("(", span, ")")
        elif control == "\\}":
            self._close(")", span)
        else:
            self._leave(span.start)

    def _command(self, name: str, span: Span) -> None:
        if name in GREEK:
            self._greek(name, span)
        elif name in FUNCTIONS:
            self._function(FUNCTIONS[name], span)
        elif name in ("operatorname", "operatorname*"):
            self._operator_name(span)
        elif name in ("frac", "dfrac", "tfrac", "cfrac"):
            if derivative := _DERIVATIVE.match(self.text, self.at):
                place = Span(span.start, derivative.end())
                raise _error("this is a derivative, not a fraction", place, DERIVATIVES)
            self._begin(span)
            self._write("(", span)
            self._push("numerator", span)
        elif name == "sqrt":
            self._root(span)
        elif name in SYMBOLS:
            self._begin(span)
            self._write(SYMBOLS[name], span)
            self._done()
        elif name in OPERATORS:
            self._separate()
            self._write(OPERATORS[name], span)
        elif name in SPACES:
            self._write(" ", span)
        elif name in SIZES:
            self._sized(name, span)
        elif name in BRACKETS:
            self._open(BRACKETS[name], span, name)
        elif name in CLOSINGS:
            self._close(CLOSINGS[name][1], span, CLOSINGS[name][0])
        elif name in ("Vert", "vert"):
            self._bar("||" if name == "Vert" else "|", span)
        elif name in FONTS:
            self._font(span)
        elif name in ACCENTS:
            self._accent(name, span)
        elif name in ("begin", "end"):
            self._environment(name, span)
        else:
            self._leave(span.start)

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
            _SUBSCRIPT.match(self.text, self.at) if name in ("log", "max", "min") else None
        ):
            self.at = found.end()
            word = (found[1] or found[2]).strip()
            if found[0][0] == "^":
                if word != "-1":
                    outer = f"^({word})"
                elif name in _INVERSES:
                    name = _INVERSES[name]
                else:
                    raise _error(
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
        known = FUNCTIONS.get(name) or FUNCTIONS.get(name.lower())
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
        inverse = _INVERSE.match(self.text, span.start)
        if inverse is not None and self.out:
            place = Span(span.start, inverse.end())
            base = self.out[-1]
            bold = self.text.startswith(_BOLD, base.start)
            if bold and base.text[:1].isupper():
                raise _inverse(place, base.text)
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
        if frame.kind in _ONE and not frame.braced and not frame.last:
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
                raise _error("this is not closed before the '}'", frame.command)
            raise _error("'}' closes nothing", span)
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

    def _close_one(self, span: Span) -> None:
        """A command's argument is complete."""
        frame = self.frames.pop()
        if frame.kind == "numerator":
            self._write("/", frame.command)
            self._push("denominator", frame.command)
            return
        last = "operand"
        if frame.kind == "denominator":
            self._write(")", span)
            last = "fraction"
        elif frame.kind == "call":
            self.out[-1] = Piece(frame.close, *span)
        elif frame.kind == "root":
            self._write(frame.close, span)
        elif frame.kind == "power" and self.frames[-1].last:
            last = "operand" if self.frames[-1].last == "number" else self.frames[-1].last
        self._done(last)

    # --- brackets, bars, environments ----------------------------------------------------

    def _sized(self, name: str, span: Span) -> None:
        r"""`\left(`, `\bigl|`: the size goes, the bracket stays."""
        while self.text.startswith((" ", "\n"), self.at):
            self.at += 1
        rest = self.text[self.at : self.at + 1]
        if rest == "." and name in ("left", "right"):
            self.at += 1
        elif rest == "[" and not name.endswith(("right", "r")):
            self.at += 1
            self._open("[", Span(span.start, self.at), "sized ]")
        elif rest in ("|", "\\") and rest:
            token = _TOKEN.match(self.text, self.at)
            assert token is not None
            bars = {"|": "|", "\\|": "||", "\\vert": "|", "\\Vert": "||"}.get(token[0])
            if bars:
                self.at = token.end()
                closes = name.endswith(("right", "r"))
                self._bar(bars, Span(span.start, self.at), closes=closes)

    def _open(self, text: str, span: Span, closing: str) -> None:
        called = self.frames[-1].last == "operand" and self.out[-1].end == span.start
        if text == "[" and closing == "sized ]":
            called = False
        if not called:
            named = bool(self.out) and self.frames[-1].last == "operand"
            if not (named and text == "(" and self.frames[-1].thin is None):
                self._begin(span)
        self._push(closing, span).first = len(self.out)
        self._write(text, span)

    def _close(self, text: str, span: Span, opened: str | None = None) -> None:
        self._end_arguments()
        frame = self.frames[-1]
        if frame.kind == "sized ]" and text == "]":
            if not frame.columns:  # no comma: brackets around an expression
                opening = self.out[frame.first]
                self.out[frame.first] = Piece("(", opening.start, opening.end)
                text = ")"
        elif frame.kind != (opened or text):
            self._write(text, span)
            return
        self.frames.pop()
        self._write(frame.close or text, span)
        self._done()

    def _bar(self, bars: str, span: Span, *, closes: bool | None = None) -> None:
        if bars == "||" and self.text[span.start] == "|":
            self.at = span.start + 2
            span = Span(span.start, self.at)
        enclosing = next(f for f in reversed(self.frames) if f.kind != "argument")
        if closes is None:
            closes = enclosing.kind == bars and bool(self.frames[-1].last)
        if closes:
            self._close(bars, span)
        else:
            self._open(bars, span, bars)

    def _environment(self, command: str, span: Span) -> None:
        found = _ENVIRONMENT.match(self.text, self.at)
        if found is None or found[1] not in MATRICES | DISPLAYS:
            self._leave(span.start)
            return
        self.at = found.end()
        span = Span(span.start, self.at)
        if found[1] in DISPLAYS:
            self._write(" ", span)
        elif command == "begin":
            if found[1] == "array" and (columns := _COLUMNS.match(self.text, self.at)):
                self.at = columns.end()
            self._begin(span)
            frame = self._push("matrix", span)
            frame.rows.append(len(self.out))
            self._write("[[", span)
        else:
            self._end_arguments()
            frame = self.frames[-1]
            if frame.kind != "matrix":
                raise _error(r"'\end' has no '\begin'", span)
            self.frames.pop()
            frame.rows.append(len(self.out))
            self._write("]]", span)
            if not frame.columns:  # one column is a vector
                for row in frame.rows:
                    piece = self.out[row]
                    text = {"[[": "[", "]]": "]"}.get(piece.text, ", ")
                    self.out[row] = Piece(text, piece.start, piece.end)
            self._done()

    def _cell(self, span: Span) -> None:
        self._end_arguments()
        frame = self.frames[-1]
        if frame.kind == "matrix":
            self._separate()
            frame.columns = True
            self._write(", ", span)
        else:
            self._write(" ", span)

    def _row(self, span: Span) -> None:
        height = _LINE_HEIGHT.match(self.text, self.at)
        if height is not None:
            self.at = height.end()
        self._separate()
        frame = self.frames[-1]
        if frame.kind != "matrix":
            self._write("\n", span)
        elif not _LAST_ROW.match(self.text, self.at):
            frame.rows.append(len(self.out))
            self._write("], [", span)


_ONE = frozenset({"numerator", "denominator", "root", "power", "font", "call"})
"""What waits for one argument: a group in braces or a single token."""

_FEW = 7
"""A group with fewer pieces may be one word with spaces around it."""

_INVERSES = {
    **{name: f"a{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "erf": "erfinv",
}
_GREEK_NAME = "GREEK {} LETTER {}"


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
        raise _error(
            "an index is part of a name here: letters and digits",
            Span(*found.span()),
            "an element of an array is written x[i + 1]",
        )
    return word.lstrip("_")


def _inverse(span: Span, name: str) -> GradcliError:
    """The error for a matrix to the power -1: the language's power takes each element."""
    hint = f"write inv({name}), or solve({name}, b) for the inverse times b; 1/{name} by element"
    return _error("this is the inverse of a matrix or 1 over each element", span, hint)


def _error(message: str, span: Span, hint: str | None = None) -> GradcliError:
    return GradcliError(Kind.SYNTAX, message, span=span, hint=hint)
