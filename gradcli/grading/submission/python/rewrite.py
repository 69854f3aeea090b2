"""A listing's Python text made ready for the project's own grammar.

A text comes in and a text of the same length goes out, every character where it was: imports,
prints, docstrings and a notebook's commands become blanks; `def f(x): return x**2` becomes
`f(x) = x**2`; `x.grad`, `grads["W1"]` and `∂f/∂x` become names, by unused letters. So
the places in the grammar's errors and trees hold for the text as it was handed in. What is several
expressions for Python becomes several statements, and an `Outline` says what they are together:
`dx, dy = y, x` is read as `dx; dy ; y; x`. What a listing can't have is refused by name. Nothing
is executed here or anywhere.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from gradcli.diagnostics.characters import plain
from gradcli.diagnostics.source import Source, Span
from gradcli.grading.submission.python.tokens import (
    Line,
    Token,
    closing,
    in_brackets,
    logical_lines,
    refused,
    split,
)
from gradcli.grading.submission.python.unsupported import (
    check_assignment,
    check_bare_call,
    check_inside,
    check_statement,
)

_LETTERS = {".": "ᚷ", "∂": "ᚦ", "/": "ᛋ", " ": "ᛁ", "[": "ᛊ", "]": "ᛒ", '"': "ᛃ"}
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
_KEY = re.compile(r"""(["'])([^\W\d]\w*)\1""")
_KEYED = re.compile(r"(.+)ᛊᛃ(.+)ᛃᛒ", re.DOTALL)


PART = re.compile(f"[^{''.join(_LETTERS.values())}]+")
"""A name, or a part of one that is put together by runes."""


class Outline(NamedTuple):
    """What the statements between two places are together.

    `several`, `chain`, `tuple` and `dict` are assignments, whose `first` statements are the targets
    (of a `dict` names and values follow in turn); `return` and `return dict`, which has `first`
    values before the dictionary, end a function; `header` is its name and parameters, `def` the
    whole of it.
    """

    kind: Literal["several", "chain", "tuple", "dict", "return", "return dict", "header", "def"]
    start: int
    end: int
    first: int = 0


def readable(text: str, source: Source | None = None) -> str:
    """The text for the grammar, as long as `text`; `source` is what errors show.

    Raises `GradcliError` of kind submission.
    """
    return outlined(text, source or Source(text))[0]


def outlined(text: str, source: Source) -> tuple[str, list[Outline]]:
    """The text for the grammar, and what its statements are together."""
    rewriter = _Rewriter(plain(text) if text else "", source)
    return rewriter.rewritten(), rewriter.outlines


def original_name(name: str) -> str:
    """The name as it was written: `x.grad`, `∂f/∂x`. Also for a text with such names in it."""
    return name if name.isascii() else name.translate(_FROM_RUNES)


def keyed(base: str, key: str) -> str:
    """The name of an entry of a dictionary: `grads["W1"]`, in the letters of the grammar."""
    return f"{base}ᛊᛃ{key}ᛃᛒ"


def base_and_key(name: str) -> tuple[str, str] | None:
    """The dictionary and the key of a name that is an entry."""
    found = None if name.isascii() else _KEYED.fullmatch(name)
    return None if found is None else (found[1], found[2])


class _Rewriter:
    def __init__(self, text: str, source: Source) -> None:
        for rune in _LETTERS.values():
            if rune in text:
                at = text.index(rune)
                raise refused(source, Span(at, at + 1), f"the letter '{rune}' is not read")
        self.source = source
        self.text = text
        self.out = list(text)
        self.outlines: list[Outline] = []
        self.comments: list[Token] = []
        self.functions: frozenset[str] = frozenset()
        self.strings: set[int] = set()
        """Where strings begin that are read: keys, types."""

    def rewritten(self) -> str:
        """The whole text, rewritten."""
        lines, trivia = logical_lines(self.text, self.source)
        for token in trivia:
            if token.kind == "joined":
                self.flatten(*token.span)
            elif token.kind == "magic":
                self.blank(*token.span)
            else:
                self.comments.append(token)
        self.functions = frozenset(
            line.tokens[1].text for line in lines if line.word == "def" and len(line.tokens) > 1
        )
        self.block(lines)
        self.outlines.sort(key=lambda outline: outline.start)
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

    def one_line(self, start: int, end: int) -> None:
        """Spaces instead of line ends and comments."""
        for comment in self.comments:
            if start <= comment.start < end:
                self.flatten(*comment.span)
        self.out[start:end] = [" " if c == "\n" else c for c in self.out[start:end]]

    # --- statements ---

    def block(self, lines: list[Line]) -> None:
        """Lines that begin in one column."""
        lines = self.without_guards(lines)
        base = lines[0].indent if lines else 0
        i = 0
        while i < len(lines):
            if lines[i].word == "def":
                i = self.function(lines, i)
                continue
            if _is_main(lines[i]):
                body, following = lines[i].indented(lines, i, 5)
                self.blank(lines[i].start, lines[i].tokens[4].span.end)
                self.block(body)
                i = following
                continue
            self.statement(lines[i], base)
            i += 1

    def without_guards(self, lines: list[Line]) -> list[Line]:
        """The lines without `if …: raise …`, which is blanked as an `assert` is."""
        left, i = [], 0
        while i < len(lines):
            following = _behind_guard(lines, i)
            if following is None:
                left.append(lines[i])
                i += 1
            else:
                self.blank(lines[i].start, lines[following - 1].end)
                i = following
        return left

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
        if line.word == "assert" or (line.word == "pass" and len(tokens) == 1):
            self.blank(*_place(line))
            return
        check_statement(line, self.source)
        if all(t.kind == "string" for t in tokens) or _is_display(tokens):
            self.blank(*_place(line))
            return
        if len(tokens) > 2 and tokens[1].text == "=" and tokens[2].text == "lambda":
            self.lambda_(line)
            return
        check_assignment(line, self.source)
        self.keys(tokens)
        if line.outside("="):
            self.assignment(line)
            return
        if not line.outside("+="):
            self.annotation(line.tokens)
            if line.word not in self.functions:
                check_bare_call(line, self.source)
        self.expression(tokens)

    def expression(self, tokens: list[Token]) -> None:
        """What is read unchanged, but for types; refused where it is no expression."""
        self.types(tokens)
        check_inside(self.kept(tokens), self.source)

    def keys(self, tokens: list[Token]) -> None:
        """`grads["W1"]` becomes a name."""
        for i, token in enumerate(tokens[:-3]):
            opening, key, end = tokens[i + 1 : i + 4]
            written = _KEY.fullmatch(key.text)
            brackets = opening.text == "[" and end.text == "]"
            if token.kind != "name" or key.kind != "string" or not brackets or written is None:
                continue
            place = token.start, end.span.end
            touching = place[1] - place[0] == sum(map(len, (token.text, key.text))) + 2
            if touching and not (i and tokens[i - 1].text == "."):
                self.strings.add(key.start)
                name = keyed(token.text, written[2])
                self.out[place[0] : place[1]] = name

    def assignment(self, line: Line) -> None:
        """A line with '=': one name and its value, or several of them."""
        tokens = line.tokens
        at = [i for i, t in enumerate(tokens) if t.text == "=" and not t.depth and t.kind == "op"]
        left, right = tokens[: at[0]], tokens[at[-1] + 1 :]
        if not left or not right:
            self.expression(tokens)  # the grammar says what is missing
            return
        self.annotation(left)
        targets = split(in_brackets(left) or left)
        as_dict = right[0].text == "{" and closing(right, 0) == len(right) - 1
        values = split(in_brackets(right) or right)
        if len(at) == len(targets) == len(values) == 1 and not as_dict:
            self.expression(tokens)
            return
        hint = "write a line for each name"
        if any(t.text == "*" for t in left[:1]) or any(t.text == "*" for t, *_ in targets):
            raise refused(self.source, line.span, "starred targets are not read", hint)
        if len(at) > 1:
            if len(targets) > 1 or len(values) > 1 or as_dict:
                raise refused(self.source, line.span, "chained tuples are not read", hint)
            self.expression(tokens)
            self.outlines.append(Outline("chain", *_place(line), len(at)))
        elif as_dict:
            if len(targets) > 1:
                raise refused(self.source, line.span, "a dictionary has one name here")
            self.expression(left)
            self.dictionary(right)
            self.outlines.append(Outline("dict", *_place(line), 1))
        else:
            several = len(targets) > 1 or left[-1].text == ","
            self.listed(left)
            self.listed(right)
            kind: Literal["several", "tuple"] = "several" if several else "tuple"
            self.outlines.append(Outline(kind, *_place(line), len(targets)))
        for i in at:
            self.out[tokens[i].start] = ";"

    def annotation(self, tokens: list[Token]) -> None:
        """`x: float = 3` is `x = 3`; `x: float` alone is nothing."""
        colon = next((t for t in tokens if t.text == ":" and not t.depth), None)
        if colon is None or len(tokens) < 3 or tokens[1] is not colon:
            return
        for token in tokens[2:]:
            if token.kind == "string":
                self.strings.add(token.start)
        self.blank(colon.start, tokens[-1].span.end)

    def listed(self, tokens: list[Token]) -> int:
        """`a, b` and `(a, b)` become `a; b`. Returns how many there are."""
        inner = in_brackets(tokens)
        if inner is not None:
            self.one_line(tokens[0].start, tokens[-1].span.end)
            self.out[tokens[0].start] = self.out[tokens[-1].start] = " "
            tokens = inner
        depth = tokens[0].depth if tokens else 0
        for token in tokens:
            if token.text == "," and token.depth == depth and token.kind == "op":
                self.out[token.start] = ";"
        parts = split(tokens)
        for part in parts:
            self.nested(part)
            self.expression(part)
        return len(parts)

    def nested(self, tokens: list[Token]) -> None:
        """A tuple within a tuple is written as an array: its place tells that it is none."""
        inner = in_brackets(tokens)
        if inner is not None:
            self.out[tokens[0].start], self.out[tokens[-1].start] = "[", "]"
            for part in split(inner):
                self.nested(part)

    def dictionary(self, tokens: list[Token]) -> None:
        """`{"a": x, "b": y}` becomes `a; x; b; y`."""
        self.one_line(tokens[0].start, tokens[-1].span.end)
        self.out[tokens[0].start] = self.out[tokens[-1].start] = " "
        for part in split(tokens[1:-1]):
            written = _KEY.fullmatch(part[0].text)
            if len(part) < 3 or written is None or part[1].text != ":":
                span = Span(part[0].start, part[-1].span.end)
                hint = 'an entry is "name": value'
                raise refused(self.source, span, "this entry of a dictionary is not read", hint)
            key = part[0]
            self.strings.add(key.start)
            self.out[key.start] = self.out[key.span.end - 1] = " "
            self.out[part[1].start] = ";"
            self.expression(part[2:])
        for token in tokens[1:-1]:
            if token.text == "," and token.depth == tokens[0].depth + 1 and token.kind == "op":
                self.out[token.start] = ";"

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
        return [t for t in tokens if self.out[t.start] != " " and t.start not in self.strings]

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
        self.annotations(tokens[3:end])
        self.parameters(self.kept(tokens[3:end]))
        body, following = line.indented(lines, i, colon + 1)
        body = [one for one in body if not all(t.kind == "string" for t in one.tokens)]
        for one in lines[i + 1 : following]:
            if all(t.kind == "string" for t in one.tokens):
                self.blank(*_place(one))
        if not body:
            raise refused(self.source, line.span, "functions without a return are not read")
        result = body[0].tokens[1:]
        alone = len(body) == 1 and body[0].word == "return" and bool(result)
        if alone and end > 3 and len(split(in_brackets(result) or result)) == 1:
            self.keys(result)
            if result[0].text != "{":
                self.expression(result)
                self.flatten(tokens[0].start, tokens[0].span.end)
                self.flatten(tokens[end].span.end, tokens[colon].start)
                self.out[tokens[colon].start] = "="
                self.flatten(tokens[colon].span.end, result[0].start)
                return following
        self.header(tokens, end, colon)
        self.outlines.append(Outline("def", line.start, body[-1].end))
        self.outlines.append(Outline("header", line.start, tokens[colon].span.end))
        self.body(body)
        return following

    def header(self, tokens: list[Token], end: int, colon: int) -> None:
        """`def f(x, y):` becomes `f; x; y;`."""
        self.one_line(tokens[0].start, tokens[colon].span.end)
        self.flatten(tokens[0].start, tokens[0].span.end)
        self.flatten(tokens[end].span.end, tokens[colon].start)
        for token in tokens[2 : end + 1]:
            if token.text in ("(", ",", ")") and token.depth <= 1:
                self.out[token.start] = ";"
        self.out[tokens[colon].start] = ";"

    def body(self, lines: list[Line]) -> None:
        """The lines of a function."""
        lines = self.without_guards(lines)
        returned = False
        for line in lines:
            if returned:
                raise refused(self.source, line.span, "lines behind a return are not read")
            if line.word == "def":
                message = "functions within functions are not read"
                raise refused(self.source, line.span, message, "begin it in the first column")
            if line.word != "return":
                self.statement(line, lines[0].indent)
                continue
            if line.first and line.indent != lines[0].indent:
                raise refused(self.source, line.span, "indented lines are not read")
            returned = True
            tokens = line.tokens[1:]
            self.flatten(*line.tokens[0].span)
            if not tokens:
                self.outlines.append(Outline("return", *_place(line)))
                continue
            self.keys(tokens)
            last = split(tokens)[-1]
            if last[0].text == "{" and closing(last, 0) == len(last) - 1:
                before = tokens[: tokens.index(last[0])]
                count = self.listed(before) if before else 0
                self.dictionary(last)
                self.outlines.append(Outline("return dict", *_place(line), count))
            else:
                self.listed(tokens)
                self.outlines.append(Outline("return", *_place(line)))

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


def _behind_guard(lines: list[Line], i: int) -> int | None:
    """The number of the line behind `if …: raise …`; None if line `i` is no such thing."""
    tokens = lines[i].tokens
    ends = [k for k, t in enumerate(tokens) if t.text == ":" and t.depth == tokens[0].depth]
    if lines[i].word != "if" or not ends:
        return None
    body, following = lines[i].indented(lines, i, ends[0] + 1)
    goes_on = following < len(lines) and lines[following].word in ("else", "elif")
    return following if [line.word for line in body] == ["raise"] and not goes_on else None


def _is_main(line: Line) -> bool:
    """Whether a line is `if __name__ == "__main__":`."""
    words = [token.text.strip("'\"") for token in line.tokens[:5]]
    return words == ["if", "__name__", "==", "__main__", ":"]
