"""The interpreter's state, and what all parts need: places, truth, whole numbers, conversions.

Values of the text come in (`values`), plain Python and NumPy data or nodes of the tape come out.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from bisect import bisect_right
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.source import Source, Span
from gradcli.ops.operation import Operation
from gradcli.python import sizes
from gradcli.python.limits import MOST_ELEMENTS, Budget
from gradcli.python.steps import Reading
from gradcli.python.tape import Tape, described
from gradcli.python.values import (
    NOWHERE,
    Array,
    Instance,
    Scalar,
    Scope,
    Stream,
    Unknown,
    Unread,
    Value,
    Where,
    has_traced,
    is_traced,
    unread,
)

MOST_OF_IT = 0.5
"""The share of a budget from which on a loop is to blame."""
PLAIN_ERRORS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What NumPy and Python raise where plain data do not fit an operation."""


UNEQUAL = "the rows of an array have equal length"


class Text:
    """A source with its lines, for the places of the nodes of `ast`."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.starts = [0]
        for line in source.text.split("\n"):
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.plain = source.text.isascii()
        self.spans: dict[Any, Span] = {}

    def offset(self, line: int, column: int) -> int:
        """The character at a line (from 1) and a column in bytes of UTF-8."""
        start = self.starts[min(line, len(self.starts)) - 1]
        if self.plain:
            return start + column
        text = self.source.text[start : self.starts[line]] if line < len(self.starts) else ""
        return start + len(text.encode()[:column].decode(errors="ignore"))

    def span(self, node: Any) -> Span:
        """The characters of a node."""
        found = self.spans.get(node)
        if found is None:
            start = self.offset(node.lineno, node.col_offset)
            found = Span(start, self.offset(node.end_lineno, node.end_col_offset))
            self.spans[node] = found
        return found

    def line(self, span: Span) -> int:
        """The number of the line where a span begins."""
        return bisect_right(self.starts, span.start)

    def written(self, span: Span) -> str:
        """The characters of a span, in one line."""
        return " ".join(self.source.text[span.start : span.end].split())


class Core(ABC):
    """The state of reading: tape, budget, scope, and where in the text it is.

    What a part of the class chain calls and a later one defines is abstract.
    """

    as_program = False
    """Whether the text is a program to differentiate: there `detach()` stops gradients. What is
    marked goes by numbers."""
    rounds = True
    """Whether numbers are rounded to digits. What is marked is rounded to be shown."""

    def __init__(self, source: Source, budget: Budget) -> None:
        self.text = Text(source)
        self.budget = budget
        self.tape = Tape(source, budget)
        self.reading = Reading(source)
        self.scope = Scope()
        self.given: Where | None = None
        """Inside a function that comes with gradcli: where it was called."""
        self.libraries: frozenset[str] = frozenset()
        """The libraries that the text imports or uses (`dialect`)."""
        self.attributes: dict[str, Value] = {}
        """What was stored into attributes of numbers and arrays (`x.grad`), as it is written."""
        self.random: Any = None
        """NumPy's generator, once the text has seeded it."""
        self.python_random: Any = None
        """Python's own, once the text has seeded it."""
        self.calls: list[str] = []
        """The functions around, outermost first."""
        self.turns: list[tuple[str, Any]] = []
        """The loops around, outermost first: the variable and its value."""
        self.blamed: GradcliError | None = None
        """The error of a program that takes too much, once its loop is found."""

    # --- places ---

    def span(self, node: Any) -> Span:
        """The place of a node; of None the beginning of the text."""
        if self.given is not None:
            return self.given.span
        return NOWHERE.span if node is None else self.text.span(node)

    def where(self, node: Any, *operands: Any) -> Where:
        """The place of an operation, its sign between its two operands."""
        if self.given is not None:
            return self.given
        if node is None:
            return NOWHERE
        span = self.text.span(node)
        spans = tuple(map(self.text.span, operands))
        if len(spans) == 2 and spans[0].end <= spans[1].start:
            between = self.text.source.text[spans[0].end : spans[1].start]
            start = spans[0].end + len(between) - len(between.lstrip(" )\n\\"))
            end = start + len(between.strip(" ()\n\\"))
            return Where(span, Span(start, max(end, start + 1)), spans)
        return Where(span, span, spans)

    def line(self, node: Any) -> int:
        """The line of a node."""
        return self.text.line(self.span(node))

    def note(self, tag: str, node: Any, text: str) -> None:
        """Take a note, once for a place."""
        found = (tag, self.line(node), text)
        if found not in self.reading.notes:
            self.reading.notes.append(found)

    def locate(self, error: GradcliError, node: Any) -> None:
        """Say where an error is, if it does not say so itself."""
        if error.span is None:
            error.source, error.span = self.text.source, self.span(node)

    def blame(self, error: GradcliError, start: Any, end: Any, before: float) -> None:
        """Place an error at a loop that has used up most; `before` is the share until then.

        The place is the loop's head, from the node `start` to the end of `end`.
        """
        if error is not self.budget.gradual or error is self.blamed:
            return
        if self.budget.share() - before >= MOST_OF_IT:
            self.blamed = error
            error.source = self.text.source
            error.span = Span(self.span(start).start, self.span(end).end)

    # --- what a value is worth ---

    def known(self, value: Value) -> Value:
        """The value; raises `Unread` for one that is not known."""
        if isinstance(value, Unknown):
            raise Unread(value)
        return value

    def fix(self, value: Value, what: str) -> None:
        """Take note that the value has decided how the text is read."""
        node = value.node if isinstance(value, Scalar) else None
        if isinstance(value, Array):
            node = self.tape.node(value)
        if node is not None and self.tape.steps[node].kind != "constant":
            self.tape.fixed[node] = what

    def by_value(self, value: Value, what: str) -> Any:
        """The value as plain NumPy or Python data; what it is used for is fixed by that."""
        if isinstance(value, tuple | list):
            self.weigh(value)
        return self.plain_of(value, what)

    def plain_of(self, value: Value, what: str) -> Any:
        """The value as plain data, without a look at how much there is."""
        if isinstance(value, tuple | list):
            found = [self.plain_of(v, what) for v in value]
            return found if isinstance(value, list) else tuple(found)
        if isinstance(value, Scalar | Array):
            self.fix(value, what)
            return self.tape.value(value)
        return self.known(value)

    def weigh(self, value: Value) -> None:
        """Take note of going through a nested list, each element as often as it is in there."""
        if isinstance(value, tuple | list | dict | set):
            self.budget.spend(sizes.expanded(value) // 10)

    @abstractmethod
    def listed(self, value: Value, where: Where) -> list[Value]:
        """All items of what a loop can go through, at once."""

    def truth(self, value: Value, what: str = "a condition") -> bool:
        """Whether Python takes the value for true."""
        self.known(value)
        if isinstance(value, Scalar | Array):
            self.fix(value, what)
            found = self.tape.value(value)
            if np.size(found) != 1:
                raise unread("the truth of an array of several elements is ambiguous")
            return bool(np.ravel(found)[0])
        return bool(value)

    def whole(self, value: Value, what: str = "an index") -> int:
        """A whole number. Raises `Unread`."""
        value = self.by_value(value, what)
        if isinstance(value, np.ndarray) and value.size == 1:
            value = value.ravel()[0]
        if isinstance(value, bool | int | np.integer | np.bool_):
            return int(value)
        if isinstance(value, float | np.floating) and float(value).is_integer():
            return int(value)
        raise unread(f"{what} is a whole number, not {described(value)}", raised="TypeError")

    def shape_of(self, value: Value) -> tuple[int, ...]:
        """A shape as an argument. Raises `Unread` for one that is too large."""
        items = value if isinstance(value, tuple | list) else (value,)
        if isinstance(value, Array):
            items = tuple(self.by_value(value, "a shape").ravel())
        shape = tuple(self.whole(item, "a length in a shape") for item in items)
        if math.prod(abs(n) for n in shape) > MOST_ELEMENTS:
            self.budget.elements(math.prod(abs(n) for n in shape))
        return shape

    def axes(self, value: Value) -> Any:
        """An axis, several, or None."""
        if value is None:
            return None
        if isinstance(value, tuple | list):
            return tuple(self.whole(v, "an axis") for v in value)
        return self.whole(value, "an axis")

    # --- numbers and arrays ---

    def is_number(self, value: Value) -> bool:
        """Whether it is a number or an array of numbers."""
        return isinstance(value, Scalar | Array | bool | int | float | np.generic)

    def numeric(self, value: Value, where: Where) -> Value:
        """A list or tuple of numbers as an array; anything else as it is."""
        if isinstance(value, range):
            self.budget.elements(len(value))
            return self.tape.plain(np.array(value))
        if isinstance(value, Stream):
            value = self.listed(value, where)
        if isinstance(value, tuple | list):
            self.weigh(value)
            return self.array(value, where)
        if isinstance(value, Instance | dict | str) or value is None:
            raise unread(f"{described(value)} isn't a number or array", raised="TypeError")
        return self.known(value)

    def array(self, value: Value, where: Where) -> Value:
        """`np.array` of nested lists: one operation where there is something traced in it."""
        if not has_traced(value):
            self.weigh(value)
            plain = self._plain_nested(value)
            try:
                return self.tape.plain(np.array(plain))
            except ValueError:
                raise unread(UNEQUAL, kind="shape", raised="ValueError") from None
        elements = [self.numeric(v, where) for v in value]
        shapes = {self.tape.shape(e) for e in elements}
        if len(shapes) != 1:
            raise unread(UNEQUAL, kind="shape", raised="ValueError")
        operands = [self.tape.operand(e) for e in elements]
        node = self.tape.apply("array", operands, where, {"shape": (len(operands),)})
        return self.tape.wrap(node)

    def _plain_nested(self, value: Value) -> Any:
        if isinstance(value, tuple | list | range):
            return [self._plain_nested(v) for v in value]
        self.known(value)
        if not self.is_number(value):
            raise unread(f"{described(value)} isn't a number")
        return self.tape.value(value)

    def kind(self, value: Value) -> str:
        """`f`, `i` or `b`, as NumPy has it."""
        if isinstance(value, Scalar):
            return value.kind
        if isinstance(value, Array):
            return value.root.kind
        if isinstance(value, bool | np.bool_):
            return "b"
        return "i" if isinstance(value, int | np.integer) else "f"

    def apply(
        self,
        row: Operation | str,
        operands: list[Value],
        where: Where,
        options: dict[str, Any] | None = None,
        kind: str = "f",
    ) -> Value:
        """An operation of the table on values; of plain data its value is plain too."""
        traced = any(is_traced(o) for o in operands)
        nodes = [self.tape.operand(o) for o in operands]
        node = self.tape.apply(row, nodes, where, options or {})
        if traced:
            return self.tape.wrap(node, kind)
        value = self.tape.values[node]
        return self.tape.plain(np.array(value) if np.ndim(value) else value)
