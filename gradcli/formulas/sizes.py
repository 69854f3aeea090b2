"""Sizes of inputs that have no value: which lengths must be equal, found from the operations.

The draft of a program comes in, with the shapes and ranks that are known. Every unknown length
starts as a prime of its own, larger than any number of the program. Where an operation refuses its
operands, two of their lengths are made equal, the first pair that it accepts, until the graph can
be built. So no operation needs a rule for this: its own check of shapes is asked. What is left of
primes stands for any length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.graph.build import build
from gradcli.graph.draft import Draft, Literal
from gradcli.graph.graph import Graph
from gradcli.ops import roles
from gradcli.ops.operation import Misfit, Operation, Shape, Type

PRIMES = (101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167, 173, 179, 181, 191)
LETTERS = "nmkpqrstuvwxyz"
MOST_MERGES = 64
SMALL = ((3, 4, 5, 2, 6, 7, 8, 9), (2, 5, 3, 4, 7, 6, 9, 8))
"""The lengths that formulas are checked with, for the first, second, … length that is free."""


@dataclass(frozen=True)
class Sizes:
    """A shape for every input; lengths in `free` stand for any length."""

    shapes: Mapping[str, Shape]
    free: tuple[int, ...] = ()

    def example(self, which: int) -> dict[str, Shape]:
        """The shapes with small lengths for those that are free; `which` is 0 or 1."""
        lengths = SMALL[which]
        small = {n: lengths[i % len(lengths)] + i // 8 for i, n in enumerate(self.free)}
        return {name: tuple(small.get(n, n) for n in shape) for name, shape in self.shapes.items()}

    def letters(self) -> dict[str, list[int | str]]:
        """The shapes with letters for the lengths that are free."""
        names = {n: LETTERS[i % len(LETTERS)] for i, n in enumerate(self.free)}
        return {name: [names.get(n, n) for n in shape] for name, shape in self.shapes.items()}


def found_sizes(draft: Draft, known: Mapping[str, Shape], ranks: Mapping[str, int]) -> Sizes:
    """Shapes for all inputs of a draft: those known, those of these ranks, else numbers.

    Raises `GradcliError` of kind shape where no lengths fit.
    """
    literals = [o for step in draft.steps for o in step.operands if isinstance(o, Literal)]
    used = {n for o in literals for n in (*map(float, o.value.flat), *o.type.shape)}
    primes = iter(p for p in PRIMES if p not in used)  # no length is taken for one of the numbers
    shapes: dict[str, Shape] = {}
    free: list[int] = []
    for step in draft.steps:
        name = step.name or ""
        if step.kind != "input":
            continue
        if name in known:
            shapes[name] = known[name]
            continue
        lengths = [next(primes, 0) for _ in range(ranks.get(name, 0))]
        if 0 in lengths:
            raise GradcliError(
                Kind.SHAPE,
                f"the size of '{name}' has to be given: there are too many unknown sizes",
                hint=f"--shape {name}=3x2 gives one",
            )
        free += lengths
        shapes[name] = tuple(lengths)
    while problem := _problem(draft, shapes, free):
        merged = _merged(problem, free)
        if merged is None:
            error = _with_hint(draft, shapes, ranks, known)
            error.message = with_letters(error.message, free)
            error.labels = tuple(
                one._replace(text=with_letters(one.text, free)) for one in error.labels
            )
            raise error
        shapes = {name: _replaced(shape, merged) for name, shape in shapes.items()}
        free = [n for n in free if n not in merged]
    there = {n for shape in shapes.values() for n in shape}
    return Sizes(shapes, tuple(n for n in free if n in there))


def graph_of(draft: Draft, shapes: Mapping[str, Shape]) -> Graph:
    """The graph for inputs of these shapes. Raises `GradcliError` of kind shape."""
    return build(draft, {name: Type(shape) for name, shape in shapes.items()})


class _Problem(NamedTuple):
    """The first operation that refuses its operands."""

    operation: Operation
    options: Mapping[str, Any]
    types: tuple[Type, ...]


def _problem(draft: Draft, shapes: Mapping[str, Shape], free: Sequence[int]) -> _Problem | None:
    types: list[Type] = []
    for step in draft.steps:
        if step.operation is None:
            literals = [o for o in step.operands if isinstance(o, Literal)]
            types.append(literals[0].type if literals else Type(shapes[step.name or ""]))
            continue
        of = tuple(types[o] if isinstance(o, int) else o.type for o in step.operands)
        lengths = {*of[0].shape} if step.operation in roles.DIAGONAL else set()
        if len(lengths) > 1 and lengths & {*free}:
            # A diagonal is a square matrix's, unless sizes are given.
            return _Problem(step.operation, step.options, of)
        try:
            types.append(step.operation.bind(of, step.options).type)
        except (Misfit, GradcliError):
            return _Problem(step.operation, step.options, of)
    return None


def _merged(problem: _Problem, free: Sequence[int]) -> dict[int, int] | None:
    """Which free lengths become which others, so that the operation accepts its operands."""
    for merge in _candidates(problem.types, free):
        types = tuple(Type(_replaced(t.shape, merge), t.row) for t in problem.types)
        try:
            problem.operation.bind(types, problem.options)
        except (Misfit, GradcliError):
            continue
        return merge
    return None


def _candidates(types: Sequence[Type], free: Sequence[int]) -> Iterator[dict[int, int]]:
    """One pair of lengths that may be equal, then two pairs at once; a free one gives way."""
    lengths = list(dict.fromkeys(n for t in types for n in reversed(t.shape)))
    pairs = [
        (a, b) if a in free else (b, a)
        for a, b in combinations(lengths, 2)
        if a in free or b in free
    ]
    options = [{max(a, b): min(a, b)} if a in free and b in free else {a: b} for a, b in pairs]
    yield from options
    for first, second in combinations(options[:MOST_MERGES], 2):
        if not first.keys() & second.keys() and not {*first.values()} & second.keys():
            yield {**first, **second}


def _replaced(shape: Shape, merge: Mapping[int, int]) -> Shape:
    return tuple(merge.get(n, n) for n in shape)


def _with_hint(
    draft: Draft, shapes: Mapping[str, Shape], ranks: Mapping[str, int], known: Mapping[str, Shape]
) -> GradcliError:
    """The graph's own error; where inputs are taken for numbers, with what to say of them."""
    error = GradcliError(Kind.SHAPE, "no sizes fit this program", source=draft.source)
    try:
        graph_of(draft, shapes)
    except GradcliError as found:
        error = found
    plain = [name for name in shapes if name not in ranks and name not in known]
    if plain:
        taken = "is taken for a number" if len(plain) == 1 else "are taken for numbers"
        which = "--vector x, --matrix W or --shape W=3x2 says what an input is"
        error.hint = f"{', '.join(plain)} {taken}: {which}"
    elif ranks:
        error.hint = "--shape W=3x2 gives an input's size where the operations don't tell it"
    return error


def with_letters(text: str, free: Sequence[int]) -> str:
    """A text with letters for the lengths that stand for any: n×m, not 101×103."""
    for n, letter in zip(free, LETTERS, strict=False):
        text = re.sub(rf"(?<!\d){n}(?!\d)", letter, text)
    return text
