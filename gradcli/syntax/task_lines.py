"""The `#:` lines that say how a homework is set and marked.

    #: wrt w, b
    #: ask inputs
    #: direction gradient
    #: fixed t
    #: range x 0 1
    #: values k 1, 2, 3
    #: call dx, dw = affine_backward(dout, (x, w))

The words behind `#:` come in, with their place; `TaskLines` go out. Whether the names are those
of the program is asked by `grading`, which knows its inputs.
"""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gradcli.diagnostics.error import Label
from gradcli.diagnostics.failures import syntax_error
from gradcli.diagnostics.source import Span
from gradcli.diagnostics.suggestion import did_you_mean

ASK = ("inputs", "named")
DIRECTIONS = ("gradient", "descent", "either")
WORDS = ("wrt", "ask", "direction", "fixed", "range", "values", "call")
LONGEST_CALL = 1000

_LINE = re.compile(rf"({'|'.join(WORDS)})\b(?!\s*=)(?![.(\[]):?")
_NAME = re.compile(r"[^\W\d]\w*")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_EXAMPLES = {
    "wrt": "#: wrt w, b asks for the gradients with respect to w and b",
    "ask": "#: ask inputs asks for the inputs' gradients, #: ask named also for the named nodes'",
    "direction": "#: direction gradient, descent or either",
    "fixed": "#: fixed t keeps the value of t in lint and on sheets",
    "range": "#: range t 0 1 takes the values of t from 0 to 1",
    "values": "#: values t 0, 1 takes 0 or 1 for t",
    "call": "#: call dx, dw = affine_backward(dout, (x, w))",
}


@dataclass(frozen=True, slots=True)
class CallLine:
    """How a function that was handed in without its call is called."""

    text: str
    """A statement of Python."""
    function: str
    reads: Mapping[str, Span]
    """The names that its arguments read."""
    span: Span
    targets: tuple[str, ...] = ()
    """The names that its results get."""


@dataclass(frozen=True, slots=True)
class TaskLines:
    """What the header of a task says of setting and marking it."""

    wrt: Mapping[str, Span] | None = None
    """The inputs whose gradients are asked for; None for all."""
    ask: str | None = None
    """`inputs` or `named`; None where it depends on what is handed in."""
    direction: str = "either"
    fixed: Mapping[str, Span] = field(default_factory=dict)
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    values: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    drawn: Mapping[str, Span] = field(default_factory=dict)
    """Where the names of `ranges` and `values` stand."""
    call: CallLine | None = None


def is_task_line(text: str) -> bool:
    """Whether what stands behind `#:` is for homework alone."""
    return _LINE.match(text) is not None


class TaskLineReader:
    """Collects the lines of one header."""

    def __init__(self) -> None:
        self.once: dict[str, Span] = {}
        self.given: dict[str, Any] = {"fixed": {}, "ranges": {}, "values": {}, "drawn": {}}
        """The fields of `TaskLines`."""
        self.readers: dict[str, Callable[[str, str, int], None]] = {
            "wrt": self._names,
            "ask": self._choice,
            "direction": self._choice,
            "fixed": self._names,
            "range": self._range,
            "values": self._values,
            "call": self._call,
        }

    def take(self, text: str, place: int) -> None:
        """Read a line that begins at `place`. Raises `GradcliError` of kind syntax."""
        found = _LINE.match(text)
        assert found is not None
        word, rest = found[1], text[found.end() :].partition("#")[0].rstrip()
        start = place + found.end() + len(rest) - len(rest.lstrip())
        here = Span(place, place + len(word))
        if word in ("wrt", "ask", "direction", "call"):
            first = self.once.setdefault(word, here)
            _expect_first(first, here, f"a second '{word}' line", "the first one")
        if not rest.strip():
            raise syntax_error(f"'{word}' has nothing behind it", here, _EXAMPLES[word])
        self.readers[word](word, rest.strip(), start)

    def lines(self) -> TaskLines:
        """All that was read. Raises `GradcliError` where two lines contradict each other."""
        fixed = self.given["fixed"]
        for name, place in self.given["drawn"].items():
            message = f"'{name}' is fixed, and has a range or values too"
            _expect_first(fixed.get(name, place), place, message, "fixed here")
        return TaskLines(**self.given)

    def _names(self, word: str, rest: str, start: int) -> None:
        names = self.given.setdefault(word, {})
        for text, span in _words(rest, start):
            if not _NAME.fullmatch(text):
                raise _is_no(word, text, "a name", span)
            _new(text, span, names)

    def _choice(self, word: str, rest: str, start: int) -> None:
        known = ASK if word == "ask" else DIRECTIONS
        if rest not in known:
            message = f"'{word}' is {', '.join(known[:-1])} or {known[-1]}"
            raise _refused(word, rest, start, message, did_you_mean(rest.casefold(), known))
        self.given[word] = rest

    def _range(self, word: str, rest: str, start: int) -> None:
        name, numbers = self._name_and_numbers(word, rest, start)
        if len(numbers) != 2 or not numbers[0] < numbers[1]:
            raise _refused(word, rest, start, "a range has two numbers, the lower one first")
        self.given["ranges"][name] = numbers[0], numbers[1]

    def _values(self, word: str, rest: str, start: int) -> None:
        name, numbers = self._name_and_numbers(word, rest, start)
        if not numbers:
            raise _refused(word, rest, start, "the values are missing")
        self.given["values"][name] = numbers

    def _name_and_numbers(self, word: str, rest: str, start: int) -> tuple[str, tuple[float, ...]]:
        (name, place), *others = _words(rest, start)
        if not _NAME.fullmatch(name):
            raise _is_no(word, name, "a name", place)
        numbers = []
        for text, span in others:
            if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
                raise _is_no(word, text, "a number", span)
            numbers.append(float(text))
        _new(name, place, self.given["drawn"])
        return name, tuple(numbers)

    def _call(self, word: str, rest: str, start: int) -> None:
        found = _parsed_call(rest)
        if found is None:
            raise _refused(word, rest, start, "this isn't a call of a function, in Python")
        call, targets = found
        called = {id(n.func) for n in ast.walk(call) if isinstance(n, ast.Call)}
        reads: dict[str, Span] = {}
        for node in ast.walk(call):
            if isinstance(node, ast.Name) and id(node) not in called:
                before = len(rest.encode()[: node.col_offset].decode())
                reads.setdefault(node.id, Span(start + before, start + before + len(node.id)))
        assert isinstance(call.func, ast.Name)
        place = Span(start, start + len(rest))
        self.given["call"] = CallLine(rest, call.func.id, reads, place, targets)


def _new(name: str, span: Span, into: dict[str, Span]) -> None:
    first = into.setdefault(name, span)
    _expect_first(first, span, f"'{name}' stands here a second time", "given here first")


def _expect_first(first: Span, here: Span, message: str, label: str) -> None:
    if first != here:
        raise syntax_error(message, here, labels=(Label(first, label),))


def _refused(word: str, text: str, start: int, message: str, hint: str | None = None) -> Exception:
    """The error about a text behind a word, with the word's example."""
    return syntax_error(message, Span(start, start + len(text)), hint or _EXAMPLES[word])


def _is_no(word: str, text: str, what: str, span: Span) -> Exception:
    shown = text if len(text) <= 30 else text[:30] + "…"
    return syntax_error(f"'{shown}' isn't {what}", span, _EXAMPLES[word])


def _words(text: str, start: int) -> Iterator[tuple[str, Span]]:
    """The words of a list, with commas or spaces between, and their places."""
    for found in re.finditer(r"[^\s,]+", text):
        yield found[0], Span(start + found.start(), start + found.end())


def _parsed_call(text: str) -> tuple[ast.Call, tuple[str, ...]] | None:
    """The call in `f(…)` or `a, b = f(…)`, and the names it is given; None for anything else."""
    if len(text) > LONGEST_CALL:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    match body:
        case [ast.Expr(value=ast.Call(func=ast.Name()) as call)]:
            return call, ()
        case [ast.Assign(targets=[target], value=ast.Call(func=ast.Name()) as call)]:
            names = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
            found = tuple(one.id for one in names if isinstance(one, ast.Name))
            return (call, found) if len(found) == len(names) else None
    return None
