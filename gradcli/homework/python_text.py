"""A listing's Python text made ready for the project's own grammar.

A text comes in and a text of the same length goes out, every character where it was: imports,
prints, docstrings and a notebook's commands become blanks; `def f(x): return x**2` becomes
`f(x) = x**2`; `x.grad` and `∂f/∂x` become names, by letters that nobody uses. So the places in
the grammar's errors and trees hold for the text as it was handed in. What a listing can't have is
refused by name. Nothing is executed here or anywhere.
"""

from __future__ import annotations

import re

from gradcli.homework.python_tokens import (
    Line,
    Token,
    closing,
    logical_lines,
    refused,
)
from gradcli.homework.python_words import (
    check_assignment,
    check_bare_call,
    check_inside,
    check_statement,
)
from gradcli.language.characters import plain
from gradcli.language.source import Source, Span

_LETTERS = {".": "ᚷ", "∂": "ᚦ", "/": "ᛋ", " ": "ᛁ"}
"""What stands for a character that a name can't have: runes."""

_TO_RUNES = str.maketrans(_LETTERS)
_FROM_RUNES = str.maketrans({rune: char for char, rune in _LETTERS.items()})

_WORD = r"[^\W\d][\w\u0300-\u036f]*"
_GRAD = re.compile(rf"(?<![\w.)\]])({_WORD})\.(?:grad|shape|size)\b(?![\w\u0300-\u036f]|\s*\()")
_PARTIAL = re.compile(rf"∂ ?{_WORD} ?/ ?∂ ?{_WORD}")
_DTYPE = re.compile(
    r"\b(?:np|numpy|torch)\.(?=(?:float|double|int|bool|single|half)\d*_?\b(?!\s*\())"
)
_DTYPE_STRING = re.compile(r"""(["'])((?:float|double|int|bool|single|half|f|d|i|f4|f8)\d*)\1""")


def readable(text: str, source: Source | None = None) -> str:
    """The text for the grammar, as long as `text`; `source` is what errors show.

    Raises `GradcliError` of kind submission.
    """
    source = source or Source(text)
    return _Rewriter(plain(text) if text else "", source).rewritten()


def original_name(name: str) -> str:
    """The name as it was written: `x.grad`, `∂f/∂x`. Also for a text with such names in it."""
    return name if name.isascii() else name.translate(_FROM_RUNES)


class _Rewriter:
    def __init__(self, text: str, source: Source) -> None:
        for rune in _LETTERS.values():
            if rune in text:
                at = text.index(rune)
                raise refused(source, Span(at, at + 1), f"the letter '{rune}' is not read")
        self.source = source
        self.text = text
        self.out = list(text)

    def rewritten(self) -> str:
        """The whole text, rewritten."""
        lines, trivia = logical_lines(self.text, self.source)
        for token in trivia:
            if token.kind == "joined":
                self.flatten(*token.span)
            elif token.kind == "magic":
                self.blank(*token.span)
        base = lines[0].indent if lines else 0
        i = 0
        while i < len(lines):
            if lines[i].tokens[0].text == "def":
                i = self.function(lines, i)
                continue
            self.statement(lines[i], base)
            i += 1
        text = "".join(self.out)
        text = _GRAD.sub(lambda m: m.group().translate(_TO_RUNES), text)
        return _PARTIAL.sub(lambda m: m.group().translate(_TO_RUNES), text)

    # --- characters ---

    def blank(self, start: int, end: int) -> None:
        """Spaces instead of these characters; line ends stay."""
        self.out[start:end] = ["\n" if c == "\n" else " " for c in self.out[start:end]]

    def flatten(self, start: int, end: int) -> None:
        """Spaces instead of these characters and line ends."""
        self.out[start:end] = " " * (end - start)

    # --- statements ---

    def statement(self, line: Line, base: int) -> None:
        """One line: blanked, rewritten, left as it is, or refused."""
        tokens = line.tokens
        inner = line.word in ("else", "elif", "except", "finally", "case", "return")
        if line.first and line.indent != base and not inner:
            hint = "lines of a listing begin in one column"
            raise refused(self.source, line.span, "indented lines are not read", hint)
        is_name = len(tokens) > 1 and tokens[1].text in ("=", "+=", ".", "(", "[")
        if line.word == "import" or (line.word == "from" and not is_name):
            self.blank(*_place(line))
            return
        if line.word == "print" and len(tokens) > 1 and tokens[1].text == "(":
            self.print(line)
            return
        check_statement(line, self.source)
        if all(t.kind == "string" for t in tokens) or _is_display(tokens):
            self.blank(*_place(line))
            return
        if len(tokens) > 2 and tokens[1].text == "=" and tokens[2].text == "lambda":
            self.lambda_(line)
            return
        check_assignment(line, self.source)
        if not line.outside("=") and not line.outside("+="):
            check_bare_call(line, self.source)
        self.types(tokens)
        check_inside(self.kept(tokens), self.source)

    def print(self, line: Line) -> None:
        end = closing(line.tokens, 1)
        if end is None:
            raise refused(self.source, line.tokens[1].span, "'(' is not closed")
        if end != len(line.tokens) - 1:
            span = line.tokens[end + 1].span
            raise refused(self.source, span, "a print within an expression is not read")
        self.blank(*_place(line))

    def types(self, tokens: list[Token]) -> None:
        """`np.float64` becomes `float64`, and `'float64'` too, where a type stands."""
        if not tokens:
            return
        start, end = tokens[0].start, tokens[-1].span.end
        for found in _DTYPE.finditer(self.text, start, end):
            self.blank(*found.span())
        for i, token in enumerate(tokens):
            if token.kind == "string" and i > 1:
                named = [t.text for t in tokens[i - 2 : i]]
                typed = named in (["dtype", "="], ["astype", "("])
                if typed and _DTYPE_STRING.fullmatch(token.text):
                    self.blank(token.start, token.start + 1)
                    self.blank(token.span.end - 1, token.span.end)

    def kept(self, tokens: list[Token]) -> list[Token]:
        """The tokens whose first character was not blanked."""
        return [t for t in tokens if self.out[t.start] != " "]

    # --- functions ---

    def lambda_(self, line: Line) -> None:
        """`f = lambda x: x**2` becomes `f (        x)= x**2`."""
        tokens = line.tokens
        colon = next((i for i, t in enumerate(tokens) if t.text == ":" and not t.depth), None)
        if colon is None or colon == len(tokens) - 1:
            raise refused(self.source, tokens[2].span, "a lambda without ':' is not read")
        if colon == 3:
            hint = f"it is a value: {line.word} = …"
            raise refused(self.source, line.span, "functions without parameters are not read", hint)
        self.parameters(tokens[3:colon])
        self.types(tokens[colon + 1 :])
        check_inside(self.kept(tokens[colon + 1 :]), self.source)
        at = tokens[colon].start
        self.out[tokens[1].start] = "("
        self.flatten(tokens[2].start, tokens[2].span.end)
        if self.out[at + 1] == " ":
            self.out[at : at + 2] = ")="
        else:  # the parameters move one to the left, into the space behind 'lambda'
            start = tokens[2].span.end
            self.out[start:at] = [*self.out[start + 1 : at], ")"]
            self.out[at] = "="

    def parameters(self, tokens: list[Token]) -> None:
        """Names with commas between; annotations become blanks."""
        for token in tokens:
            if token.text in ("=", "*", "**", "/") and token.depth <= 1:
                what = "defaults of parameters" if token.text == "=" else f"'{token.text}' here"
                are = "are" if token.text == "=" else "is"
                raise refused(self.source, token.span, f"{what} {are} not read")

    def function(self, lines: list[Line], i: int) -> int:
        """`def f(x): return x**2` becomes `f(x) = x**2`. Returns the number of the next line."""
        line = lines[i]
        tokens = line.tokens
        end = closing(tokens, 2) if len(tokens) > 3 and tokens[2].text == "(" else None
        colon = next(
            (k for k, t in enumerate(tokens) if end and k > end and t.text == ":" and not t.depth),
            None,
        )
        if end is None or colon is None:
            raise refused(self.source, line.span, "this def has no 'name(parameters):'")
        if end == 3:
            hint = f"it is a value: {tokens[1].text} = …"
            raise refused(self.source, line.span, "functions without parameters are not read", hint)
        self.annotations(tokens[3:end])
        self.parameters(self.kept(tokens[3:end]))
        body, following = self.body(lines, i, tokens[colon + 1 :])
        self.flatten(tokens[0].start, tokens[0].span.end)
        self.flatten(tokens[end].span.end, tokens[colon].start)
        self.out[tokens[colon].start] = "="
        self.flatten(tokens[colon].span.end, body[0].span.end)
        if len(body) < 2:
            raise refused(self.source, body[0].span, "a return without a value is not read")
        self.types(body[1:])
        check_inside(self.kept(body[1:]), self.source)
        commas = [t for t in body if t.text == "," and not t.depth]
        if commas:
            hint = "a function has one value"
            raise refused(self.source, commas[0].span, "tuples are not read", hint)
        return following

    def annotations(self, tokens: list[Token]) -> None:
        """Blank `: float` behind a parameter."""
        colon: Token | None = None
        for token in tokens:
            if token.text == ":" and token.depth == 1 and colon is None:
                colon = token
            elif token.text in (",", "=") and token.depth == 1 and colon is not None:
                self.blank(colon.start, token.start)
                colon = None
        if colon is not None:
            self.blank(colon.start, tokens[-1].span.end)

    def body(self, lines: list[Line], i: int, same: list[Token]) -> tuple[list[Token], int]:
        """The tokens from `return` on, and the number of the line after the function."""
        line = lines[i]
        following = i + 1
        inside: list[list[Token]] = [same] if same else []
        while following < len(lines):
            other = lines[following]
            if other.first and (other.indent <= line.indent or same):
                break
            inside.append(other.tokens)
            following += 1
        inside = [t for t in inside if not all(token.kind == "string" for token in t)]
        if not inside:
            raise refused(self.source, line.span, "functions without a return are not read")
        for statement in inside:
            if statement[0].text != "return" or len(inside) > 1:
                odd = next((t for t in inside if t[0].text != "return"), inside[-1])
                span = Span(odd[0].start, odd[-1].span.end)
                message = "functions of more than a return are not read"
                raise refused(self.source, span, message, "def f(x): return …, in one expression")
        return inside[0], following


def _place(line: Line) -> tuple[int, int]:
    return line.tokens[0].start, line.end


def _is_display(tokens: list[Token]) -> bool:
    """Whether a line only shows something: `W`, `W.shape`, `W.shape, b[0]`."""
    previous = ""
    for token in tokens:
        operand = token.kind in ("name", "number")
        if not operand and token.text not in (".", ",", "[", "]"):
            return False
        if operand and previous == "operand":
            return False
        previous = "operand" if operand else token.text
    return tokens[0].kind == "name" and previous not in (".", ",", "[")
