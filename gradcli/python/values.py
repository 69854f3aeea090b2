"""What a name of a Python text stands for.

Everything that depends on an input is a node of the tape: a `Scalar`, which never changes, or an
`Array`, a box whose content can be replaced. All else is Python's own data: numbers, texts, tuples,
lists, dicts, NumPy scalars; an `Array` without a node holds a plain NumPy array. What could not be
read is `Unknown` and remembers why and where.

**Aliasing is NumPy's.** Two names of one array are one box. A basic slice is a box with a parent:
it looks at the parent's value through a function of NumPy, and a store into it is a store into the
root, at the places that the same functions make of the root's places.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from gradcli.diagnostics.error import Label
from gradcli.diagnostics.source import Span

Value: TypeAlias = Any
"""A scalar, array, unknown, function …, or Python's own data with such things in it."""


class Where(NamedTuple):
    """The place of an operation in the text: all of it, its sign or name, and its operands."""

    span: Span
    symbol: Span
    operands: tuple[Span, ...] = ()


NOWHERE = Where(Span(0, 0), Span(0, 0))


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that could not be found out: why, and where."""

    message: str
    span: Span | None = None
    hint: str | None = None
    kind: str = "syntax"
    raised: str = ""
    """The exception that Python raises here: `KeyError`. Empty for what is only not read."""
    labels: tuple[Label, ...] = ()
    """What is said below its operands: their shapes."""


class Unread(Exception):
    """Something that can't be read; what was to get its value becomes unknown."""

    def __init__(self, unknown: Unknown) -> None:
        super().__init__(unknown)
        self.unknown = unknown

    def __str__(self) -> str:
        return self.unknown.message


def unread(message: str, hint: str | None = None, kind: str = "syntax", raised: str = "") -> Unread:
    """The exception for something that can't be read; its place is filled in on the way up."""
    return Unread(Unknown(message, None, hint, kind, raised))


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number that depends on an input.

    `kind` is NumPy's: `f`, `b` for a truth value, `i` for a whole number.
    """

    node: int
    value: Any
    kind: str = "f"


class View(NamedTuple):
    """How an array is seen in another: a view by NumPy."""

    parent: Array
    look: Callable[[Any], Any]
    """From the parent's value to this one's."""
    make: Callable[[int], int]
    """From the parent's node to this one's."""


@dataclass(slots=True, eq=False)
class Array:
    """An array. Exactly one of `data` (plain), `node` and `view` says what is in it."""

    data: Any = None
    node: int | None = None
    kind: str = "f"
    view: View | None = None
    seen: tuple[int, int] | None = None
    """The parent's node when this one's was made last, and what was made."""
    label: str = ""
    """The first name that it got."""
    constant: int | None = None
    """The node that stands for its data, until these change."""

    @property
    def root(self) -> Array:
        """The array that owns the elements."""
        found = self
        while found.view is not None:
            found = found.view.parent
        return found

    @property
    def looks(self) -> list[Callable[[Any], Any]]:
        """The views from the root to this array."""
        found: list[Callable[[Any], Any]] = []
        here = self.view
        while here is not None:
            found.append(here.look)
            here = here.parent.view
        return found[::-1]


@dataclass(frozen=True, slots=True)
class Library:
    """A module that is known by name: `numpy.linalg`."""

    path: str


@dataclass(frozen=True, slots=True)
class Builtin:
    """A function of Python or of a library: `library` is its module, empty for Python's own."""

    library: str
    name: str


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a value: `x.sum`, `self.forward`."""

    of: Value
    name: str
    function: Value = None
    """The function of a class; None for the methods of arrays, lists, texts."""


@dataclass(frozen=True, slots=True)
class Partial:
    """`functools.partial`: a function with some of its arguments."""

    function: Value
    arguments: tuple[Value, ...]
    keywords: dict[str, Value]


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """What can be gone through once: a generator, `zip(…)`, `enumerate(…)`."""

    items: Iterator[Value]


class Filled(dict[Any, Value]):
    """A `defaultdict`: `fill` makes the value of a key that is missing."""

    fill: Value = None


class Scope:
    """The names of a function's call, or of the module."""

    __slots__ = ("function", "method", "module", "names", "outer", "shared")

    def __init__(
        self, outer: Scope | None = None, function: str = "", method: Function | None = None
    ) -> None:
        self.names: dict[str, Value] = {}
        self.outer = outer
        self.module: Scope = self if outer is None else outer.module
        self.function = function
        self.method = method
        """The function that is called, where it is a method of a class."""
        self.shared: dict[str, Scope] = {}
        """Names declared `global` or `nonlocal`, and where they are."""


@dataclass(slots=True, eq=False)
class Function:
    """A function of the text, or of the prelude."""

    name: str
    node: ast.FunctionDef | ast.Lambda
    scope: Scope
    defaults: list[Value]
    keyword_defaults: list[Value | None]
    given: bool = False
    """It comes with gradcli: its operations stand where it is called."""
    kind: str = ""
    """`staticmethod`, `classmethod`, `property`, or empty."""
    owner: Class | None = None
    """The class that it is a method of."""

    def optional(self) -> dict[str, Value]:
        """The parameters that have a default, each with it."""
        of = self.node.args
        names = [p.arg for p in (*of.posonlyargs, *of.args)]
        found = dict(zip(names[len(names) - len(self.defaults) :], self.defaults, strict=True))
        keyword = zip(of.kwonlyargs, of.kw_defaults, self.keyword_defaults, strict=True)
        return found | {p.arg: value for p, written, value in keyword if written is not None}


@dataclass(slots=True, eq=False)
class Class:
    """A class of the text."""

    name: str
    bases: list[Value]
    names: dict[str, Value]
    known: bool = True
    """All of its bases are of the text."""
    fields: tuple[str, ...] = ()
    """Of a dataclass or a named tuple: what it is made of, in order."""
    is_tuple: bool = False
    """A named tuple."""

    def has(self, name: str) -> bool:
        """Whether the class or one of its bases has an attribute of this name."""
        return name in self.names or any(isinstance(b, Class) and b.has(name) for b in self.bases)

    def find(self, name: str) -> Value:
        """An attribute of the class or of its bases, None if there is none."""
        if name in self.names:
            return self.names[name]
        for base in self.bases:
            if isinstance(base, Class) and (found := base.find(name)) is not None:
                return found
        return None


@dataclass(slots=True, eq=False)
class Instance:
    """An object of a class of the text."""

    of: Class
    names: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Super:
    """`super()`: the bases of a class, for an object."""

    of: Instance
    start: Class


def is_traced(value: Value) -> bool:
    """Whether a value depends on an input by itself."""
    if isinstance(value, Scalar):
        return True
    return isinstance(value, Array) and value.root.node is not None


def has_traced(value: Value, seen: set[int] | None = None) -> bool:
    """Whether a value, or something in it, depends on an input; each list is looked into once."""
    if not isinstance(value, tuple | list | dict):
        return is_traced(value)
    seen = set() if seen is None else seen
    if id(value) in seen:
        return False
    seen.add(id(value))
    return any(has_traced(v, seen) for v in (value.values() if isinstance(value, dict) else value))
