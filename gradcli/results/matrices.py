"""Jacobians and Hessians: what they are made of, and what comes out.

Both are read off graphs that `adjoint` makes, with a batch of directions in front: every kernel
is called once for all rows of a matrix. This module has the batched pass up such a graph, and
the frozen results that reports read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, TypeAlias, cast

import numpy as np

from gradcli.diagnostics.equality import by_value
from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.engine.forward import fill_in
from gradcli.graph.graph import Graph
from gradcli.ops.operation import Array, Shape, Type
from gradcli.results.result import Check, Result, Verdict, overall

Layout: TypeAlias = Literal["denominator", "numerator"]
Mode: TypeAlias = Literal["forward", "reverse"]

MOST_AT_ONCE = 2**24
"""Elements that the values of one batch may have together: 128 MB."""


MOST_ELEMENTS = 2**27
"""A matrix may have no more elements than this (1 GiB)."""


# --- what comes out ----------------------------------------------------------------------


class Colours(NamedTuple):
    """A colour for every direction; those of one colour go into a pass together."""

    of: Array
    number: int


class Found(NamedTuple):
    """What was found out about a block, in short and in words."""

    check: Check
    words: str
    column: int | None
    """The element of the target that it is about; None for a sum of several."""
    complete: bool = True
    """Whether there was time for every column."""


@by_value
class Block(NamedTuple):
    """One matrix: how the elements of `of` (the columns) change with those of `by` (the rows).

    The elements of a matrix or of an array of more dimensions are taken row by row.
    """

    by: str
    of: str
    by_type: Type
    of_type: Type
    value: Array
    """Rows are the elements of `by`, columns those of `of`: denominator layout."""
    check: Check | None = None
    words: str = ""
    """The verdict in words."""
    complete: bool = True
    """Whether there was time to check all of it."""

    def told(self, found: Found | None) -> Block:
        """The block with what the check found."""
        if found is None:
            return self
        words = found.words
        fine = found.check.verdict in (Verdict.PASS, Verdict.ZERO)
        if not fine and found.column is not None and self.of_type.shape:
            words += f", for {labels(self.of, self.of_type.shape)[found.column]}"
        return self._replace(check=found.check, words=words, complete=found.complete)


def labels(name: str, shape: Shape) -> list[str]:
    """A label for every element: `x`, `x[1]`, `W[0, 1]`, row by row."""
    if not shape:
        return [name]
    return [f"{name}[{', '.join(map(str, place))}]" for place in np.ndindex(*shape)]


class _Matrices:
    """What the results have in common: the verdict of all blocks, and fields made when read."""

    blocks: tuple[Block, ...]

    @classmethod
    def later(cls, known: Mapping[str, Any], **fields: Callable[[], Any]) -> Self:
        """A result with `fields` that are made when they are first read."""
        made = object.__new__(cls)
        made.__dict__.update(known, _later=fields)
        return made

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            make = self.__dict__.get("_later", {}).get(name)
            if make is None:
                raise AttributeError(f"{type(self).__name__!r} has no {name!r}")
            value = self.__dict__[name] = make()
            return value

    def __getstate__(self) -> dict[str, Any]:
        """What a copy has: all fields."""
        return {field.name: getattr(self, field.name) for field in fields(cast("Any", self))}

    @property
    def verdict(self) -> str | None:
        """`fail` if a block fails, `pass` if all are pass or zero, else `partial`; None unchecked.

        A block that there was not time enough for makes it `partial`.
        """
        checks = [b.check for b in self.blocks]
        unchecked = all(check is None for check in checks)
        return None if unchecked else overall(checks, all(b.complete for b in self.blocks))

    @property
    def counts(self) -> dict[str, int]:
        """How many blocks got each verdict."""
        return dict(Counter(str(b.check.verdict) for b in self.blocks if b.check is not None))


@by_value
@dataclass(frozen=True)
class Jacobian(_Matrices):
    """∂output/∂input for every input that was asked for; ∂J/∂input where there is an upstream.

    `result` has the values; `mode` says how the matrices were made: `reverse` is a backward pass
    per element of the output, `forward` a pass per element of the inputs, all at once.
    """

    result: Result
    blocks: tuple[Block, ...]
    mode: Mode
    name: str
    """What the columns belong to: the output's name, or J."""
    of: Type
    layout: Layout = "denominator"

    @cached_property
    def matrices(self) -> dict[str, Array]:
        """The matrices by input, in the layout that was asked for."""
        return {b.by: laid(b.value, self.layout) for b in self.blocks}

    def __getitem__(self, name: str) -> Array:
        """The matrix of an input. Raises `KeyError`."""
        return self.matrices[name]

    def part(self, name: str) -> Array | None:
        """The matrix of an input; None for what is no input."""
        return self.matrices.get(name)

    @cached_property
    def matrix(self) -> Array:
        """All of them as one matrix, the inputs in their order."""
        rows = [b.value for b in self.blocks]
        return laid(joined(rows) if rows else np.zeros((0, self.of.size)), self.layout)


@by_value
@dataclass(frozen=True)
class Hessian(_Matrices):
    """The second derivatives of an output of one element, or their product with a vector.

    `result` has the values. Without a `vector` there is a block for every pair of inputs, and
    the whole matrix is symmetric to the last digit. With one, by input and in its shape, a
    block's one column is that of the product.
    """

    result: Result
    blocks: tuple[Block, ...]
    name: str
    """What is differentiated: the output's name, or J."""
    vector: Mapping[str, Array] | None = None

    @cached_property
    def matrices(self) -> dict[str, dict[str, Array]]:
        """The blocks by rows and columns; empty where there is a vector."""
        found: dict[str, dict[str, Array]] = {}
        for b in self.blocks if self.vector is None else ():
            found.setdefault(b.by, {})[b.of] = b.value
        return found

    @cached_property
    def product(self) -> dict[str, Array] | None:
        """Hessian times vector by input, each in its input's shape."""
        if self.vector is None:
            return None
        return {b.by: b.value.reshape(b.by_type.shape)[()] for b in self.blocks}

    def __getitem__(self, names: tuple[str, str]) -> Array:
        """The block of two inputs. Raises `KeyError`."""
        rows, columns = names
        return self.matrices[rows][columns]

    def part(self, name: str) -> Array | None:
        """All rows of an input, or its part of the product; None for what is no input."""
        if self.product is not None:
            return self.product.get(name)
        return joined(list(row.values()), 1) if (row := self.matrices.get(name)) else None

    @cached_property
    def matrix(self) -> Array:
        """All blocks as one matrix, the inputs in their order; the product as one vector."""
        if self.vector is not None:
            return np.concatenate([b.value[:, 0] for b in self.blocks] or [np.zeros(0)])
        if len(self.blocks) == 1:
            return self.blocks[0].value
        rows = [joined(list(row.values()), 1) for row in self.matrices.values()]
        return joined(rows) if rows else np.zeros((0, 0))


def joined(parts: Sequence[Array], axis: int = 0) -> Array:
    """Matrices one after the other; one alone is not copied."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=axis)


def laid(matrix: Array, layout: Layout) -> Array:
    """A matrix in denominator layout in the layout that is asked for."""
    return matrix.T if layout == "numerator" else matrix


def refuse_too_large(what: str, rows: int, columns: int, hint: str) -> None:
    """Raise `GradcliError` of kind shape for a matrix that memory would not hold."""
    if rows * columns > MOST_ELEMENTS:
        limit = f"at most {MOST_ELEMENTS:,} elements"
        message = f"the {what} is too large: {rows:,}×{columns:,}, {limit}"
        raise GradcliError(Kind.SHAPE, message, hint=hint)


# --- passes with a batch in front --------------------------------------------------------


def continued(
    graph: Graph,
    values: Sequence[Any],
    inputs: Mapping[str, Any],
    wanted: Iterable[int],
    needed: Sequence[bool] | None = None,
) -> list[Any]:
    """The values of a graph whose first nodes have `values`, as far as `wanted` needs them.

    The further `inputs` may have a batch axis in front; what depends on them then has it too.
    Infinite values and nan are let through. `needed` are the nodes that the wanted are made of.
    """
    needed = needed or graph.reaching(wanted)
    found = [*values, *[None] * (len(graph.nodes) - len(values))]
    for i in graph.inputs:
        if i >= len(values) and needed[i]:
            found[i] = inputs[graph.nodes[i].name]
    with np.errstate(all="ignore"):
        return fill_in(graph, found, needed)


def directions(types: Mapping[str, Type], colours: Colours, width: int) -> Iterator[dict[str, Any]]:
    """A 1 in the places of one colour after the other, everything else 0, as batches.

    `types` are the inputs that the places belong to, in order; a batch has as many rows as fit
    into memory, where each is `width` numbers.
    """
    rows = max(1, min(colours.number, MOST_AT_ONCE // max(width, 1)))
    for first in range(0, colours.number, rows):
        count = min(rows, colours.number - first)
        own = colours.of - first
        places = np.flatnonzero((own >= 0) & (own < count))
        ones = np.zeros((count, len(own)))
        ones[own[places], places] = 1.0
        batch, column = {}, 0
        for name, t in types.items():
            batch[name] = ones[:, column : column + t.size].reshape(count, *t.shape)
            column += t.size
        yield batch


def flat_rows(value: Any, count: int, shape: Shape) -> Array:
    """A batch of values as a matrix with a row for each."""
    rows: Array = (
        value if np.shape(value) == (count, *shape) else np.broadcast_to(value, (count, *shape))
    )
    return rows.reshape(count, prod(shape))
