"""One way up the graph for the stencils of many variables.

A `Stencil` has a column per variable and a row per point. The pass goes up the graph once: at a
node, the columns are those of the variables that move it, sorted by where these start, and
what no variable moves is computed not at all. Kernels work on the trailing axes of their arrays;
points and columns stand in front as their batch. Points with rounding jitter are the last rows, so
that a disturbance is one product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from gradcli.check.choices import Signature, branch_codes, chosen, mixed, spread
from gradcli.check.function import Coordinate, Function
from gradcli.check.jitter import EPS, SHORT, error_of_sum
from gradcli.engine.forward import line_up
from gradcli.graph.graph import Graph, Node, OperationNode
from gradcli.ops.operation import Array, keywords

_GOLDEN = 0.6180339887498949
"""Multiples of it, modulo 1, spread evenly; they are the weights of an array's elements."""


@lru_cache(maxsize=4)
def _weights(bits: int) -> Array:
    """2^bits weights between 0.5 and 1, of which every node takes some from its number on."""
    weights: Array = 0.5 + np.arange(1, 1 + (1 << bits)) * _GOLDEN % 1.0 / 2
    return weights


FEW = 4
"""From so many points on it pays to take a product of the direction for all of them."""


class Stencil(NamedTuple):
    """Points of several variables, sorted by the nodes where these are.

    `t` has a row per point, the first of them x itself, and a column per variable. The last
    `jittered` rows are computed with rounding jitter; of these the last `held` stay at x.
    """

    coordinates: Sequence[Coordinate]
    t: Array
    jittered: int = 0
    held: int = 0


Seen: TypeAlias = tuple[int, int, Array]
"""A node between: its number, its columns (as bits of a number), and its values there, which have
a row per point."""


def columns_of(sets: Sequence[int], count: int) -> tuple[Array, Array]:
    """For sets of columns (as bits of numbers), all their members in order: whose, and which."""
    width = count // 8 + 1
    raw = np.frombuffer(b"".join([bits.to_bytes(width, "little") for bits in sets]), dtype=np.uint8)
    found = np.unpackbits(raw.reshape(len(sets), width), axis=1, bitorder="little")
    owners, members = found.nonzero()
    return owners, members


class Outputs(NamedTuple):
    """The function's values and signatures, each with a row per point and a column per variable.

    `held` gives the values at the held points of every node that some columns (all if none are
    given) move, the points and these columns as one batch axis.
    """

    f: Array
    signature: Signature
    held: Callable[..., dict[int, Array]]


class Pass:
    """One way up the graph with all points of a stencil."""

    def __init__(
        self, function: Function, stencil: Stencil, visit: Callable[[Seen], object] | None = None
    ) -> None:
        self.function, self.stencil, self.visit = function, stencil, visit
        self.points, self.count = stencil.t.shape
        self.rows = self.points * self.count
        self.everyone = (1 << self.count) - 1
        """All columns, as bits of a number."""
        self.calm = self.points - stencil.jittered
        """How many points have no jitter."""
        self.here: dict[int, list[int]] = {}
        """Every variable's node with its columns."""
        for k, coordinate in enumerate(stencil.coordinates):
            self.here.setdefault(function.place[coordinate.node], []).append(k)
        self.now: dict[int, Array] = {}
        self.own: set[int] = set()
        """The nodes whose arrays share no memory with others."""
        self.moved: dict[int, int] = {}
        """The columns of every node, as bits of a number."""
        self.kept: dict[int, Array] = {}
        """The values of every node at the held points, in its own columns."""
        self.codes: dict[int, Array] = {}
        """The branches of every operation, with a batch axis for all of its points."""
        self.choices: dict[int, tuple[Any, Any]] = {}
        """What every `where` takes, likewise."""
        self.straight: dict[int, Array] = {}
        """Products that the only variable goes into, at the points without jitter."""
        self._places: dict[int, Array] = {}
        self._inside: dict[tuple[int, int], Array] = {}
        """Where the columns of one set are among those of another."""

    def run(self) -> Outputs:
        """Compute all points of all columns."""
        function, now, moved = self.function, self.now, self.moved
        graph, speaking = function.graph, function.speaking
        held = self.stencil.held
        for node in graph.nodes[min(self.here) :]:
            i = node.id
            bits = 0
            for o in node.operands:
                if type(o) is int and o in moved:
                    bits |= moved[o]
            mine = self.here.get(i)
            if not bits and mine is None:
                continue
            value = self._computed(graph.operation(i), bits) if bits else None
            if value is not None and self.visit and i != graph.output and speaking[i]:
                self.visit((i, bits, value if value.ndim == 2 else self._projected(value, i)))
            if mine is not None:
                value, bits = self._with_own(value, bits, mine)
                if not self.stencil.coordinates[mine[0]].plain:
                    self.own.add(i)
            assert value is not None
            now[i], moved[i] = value, bits
            if held:
                self.kept[i] = value[-held:].copy()
            for done in function.done_after[i]:
                now.pop(done, None)
        return Outputs(self._function(), self._signature(), self._held)

    def _held(self, columns: Iterable[int] | None = None) -> dict[int, Array]:
        bits = self.everyone if columns is None else sum(1 << k for k in columns)
        kept = {i: part for i, part in self.kept.items() if self.moved[i] & bits}
        found = self._held_numbers({i: part for i, part in kept.items() if part.ndim == 2}, bits)
        for i, part in kept.items():
            if part.ndim > 2:
                both = self.moved[i] & bits
                some = part if both == self.moved[i] else part[:, self._among(both, self.moved[i])]
                wide = self._spread(some, i, bits, both)
                found[i] = wide.reshape(-1, *wide.shape[2:])
        return found

    def _held_numbers(self, kept: Mapping[int, Array], bits: int) -> dict[int, Array]:
        """The same for nodes that are numbers, all of them in one array."""
        if not kept:
            return {}
        place = np.full(self.count, -1)
        place[self.columns(bits)] = np.arange(bits.bit_count())
        rows, columns = columns_of([self.moved[i] for i in kept], self.count)
        to = place[columns]
        values, wanted = np.concatenate([*kept.values()], axis=1), to >= 0
        found = np.empty((self.stencil.held, len(kept), bits.bit_count()))
        found[:] = np.array([self.function.values[i] for i in kept])[:, None]
        places = (rows * bits.bit_count() + to)[wanted]
        for point, row in zip(found.reshape(self.stencil.held, -1), values, strict=True):
            point[places] = row[wanted]
        return dict(zip(kept, found.swapaxes(0, 1).reshape(len(kept), -1), strict=True))

    def columns(self, bits: int) -> Array:
        """The numbers of a set of columns."""
        found = self._places.get(bits)
        if found is None:
            _, found = columns_of([bits], self.count)
            self._places[bits] = found
        return found

    def _spread(self, value: Array, i: int, bits: int, own: int) -> Array:
        """A node's value in more columns than its own: there it is what it is."""
        if own == bits:
            return value
        wide = np.empty((len(value), bits.bit_count(), *value.shape[2:]))
        wide[:] = self.function.values[i]
        wide[:, self._among(own, bits)] = value
        return wide

    def _among(self, some: int, bits: int) -> Array | slice:
        """Where some of a set of columns are among all of them."""
        if not bits & ((1 << some.bit_length()) - 1) & ~some:
            return slice(some.bit_count())
        place = self._inside.get((some, bits))
        if place is None:
            place = np.searchsorted(self.columns(bits), self.columns(some))
            self._inside[some, bits] = place
        return place

    def _with_own(self, value: Array | None, bits: int, mine: Sequence[int]) -> tuple[Array, int]:
        """The columns of the variables at this node, behind those that move it."""
        coordinates, t = self.stencil.coordinates, self.stencil.t
        if self.count == 1 and self.calm >= FEW:
            self.straight = self.function.straight(coordinates[0], t[: self.calm])
            t = t[self.calm :] if self.straight else t
        for k in mine:
            bits |= 1 << k
        if coordinates[mine[0]].plain:
            own = t[:, mine[0] : mine[-1] + 1]
        elif len(mine) == 1:
            own = coordinates[mine[0]].rows(t[:, mine[0]])[:, None]
        else:
            own = np.stack([coordinates[k].rows(t[:, k]) for k in mine], axis=1)
        return (own if value is None else np.concatenate([value, own], axis=1)), bits

    def _computed(self, node: OperationNode, bits: int) -> Array:
        """The operation at all points of some columns."""
        known = self.straight.get(node.id)
        if known is None:
            return self._applied(node, bits, self.points, self.calm)
        return np.concatenate([known, self._applied(node, bits, self.stencil.jittered, 0)])

    def _applied(self, node: OperationNode, bits: int, points: int, calm: int) -> Array:
        """The kernel at so many points of some columns, with jitter behind the `calm` ones."""
        function, operation = self.function, node.operation
        columns = bits.bit_count()
        rows = points * columns
        # Elementwise operations have any number of batch axes, others one.
        direct = operation.elementwise and node.aligned and not operation.chooses
        batch: tuple[int, ...] = (points, columns)
        if not direct:
            batch, calm = (rows,), calm * columns
        arguments: list[Any] = []
        for o in node.operands:
            if type(o) is not int:
                arguments.append(o.value)  # type: ignore[union-attr]
            elif o in self.now:
                value, own = self.now[o], self.moved[o]
                if own != bits:
                    value = self._spread(value, o, bits, own)
                if not direct:
                    value = value.reshape(rows, *value.shape[2:])
                if operation.composite and self.stencil.jittered:
                    last = o in self.own and _is_last_use(function.graph, o, node)
                    value = value if last else value.copy()
                    function.jitter.shake(value, calm)
                arguments.append(value)
            else:
                arguments.append(function.values[o])
        if not node.aligned:
            arguments = line_up(function.graph, node, arguments)
        if operation.branch is not None:
            code = np.asarray(operation.branch(*arguments, **keywords(node.kernel)))
            if not operation.elementwise or code.ndim > len(node.type.shape):
                self.codes[node.id] = branch_codes(code, rows)
        if operation.chooses:
            self.choices[node.id] = chosen(arguments[0], rows)
        value = node.kernel(*arguments)
        if value.ndim == len(node.type.shape):
            value = np.broadcast_to(value, (*batch, *value.shape))
        if self.stencil.jittered and not operation.exact:
            if value.base is not None or value is arguments[0] or value is arguments[-1]:
                value = value.copy()
            error = EPS if operation.elementwise else error_of_sum(_terms(function.graph, node))
            function.jitter.shake(value, calm, error)
        return value if direct else value.reshape(points, columns, *value.shape[1:])

    def _projected(self, value: Array, i: int) -> Array:
        """An array as one number per point: along a fixed direction without zeros.

        The sum is rounded like any other, so where there is jitter it is disturbed.
        """
        jitter, shape = self.function.jitter, value.shape[:2]
        flat = value.reshape(shape[0] * shape[1], -1)
        terms = flat.shape[1]
        if terms == 1:
            return flat.reshape(shape)
        shaky = slice(self.calm * shape[1], len(flat))
        weights = _weights((i + terms).bit_length())[i : i + terms]
        projected: Array = flat @ weights
        if self.stencil.jittered:
            # The terms are disturbed, too; only those of the last rows need it.
            projected[shaky] = jitter.shake(flat[shaky].copy(), 0) @ weights
            if terms > SHORT:
                jitter.shake(projected, shaky.start, error_of_sum(terms))
        return projected.reshape(shape)

    def _function(self) -> Array:
        """The function at all points of all columns."""
        place = self.function.graph.output
        if place in self.now:
            output = self._spread(self.now[place], place, self.everyone, self.moved[place])
        else:
            value = np.asarray(self.function.values[place])
            output = np.broadcast_to(value, (self.points, self.count, *value.shape))
        output = output.reshape(self.rows, *output.shape[2:])
        if self.stencil.jittered and output.ndim > 1:
            output = self.function.jitter.shake(output.copy(), self.calm * self.count)
        return self.function.total(output).reshape(self.points, self.count)

    def _signature(self) -> Signature:
        """On which piece of the function every point is."""
        everywhere = {i: self._everywhere(i, code, 0) for i, code in self.codes.items()}
        say: Mapping[int, Any] | None = None
        if self.choices:
            values, nodes = self.function.values, self.function.graph.nodes
            taken: dict[int, Any] = {}
            for i, pair in self.choices.items():
                operand = nodes[i].operands[0]
                at = values[operand] if type(operand) is int else operand.value  # type: ignore[union-attr]
                base = chosen(at)
                taken[i] = tuple(
                    self._everywhere(i, part, b) for part, b in zip(pair, base, strict=True)
                )
            say = spread(self.function.graph, self.moved, taken)
        return mixed(everywhere, say, self.rows).reshape(self.points, self.count)

    def _everywhere(self, i: int, part: Any, base: Any) -> Array:
        """What is known of a node's columns, for all columns."""
        bits = self.moved[i]
        for k in self.here.get(i, ()):  # a variable's own column is not computed
            bits &= ~(1 << k)
        if bits == self.everyone:
            return np.broadcast_to(part, self.rows)
        columns = self.columns(bits)
        whole = np.full((self.points, self.count), base)
        shape = (self.points, len(columns))
        whole[:, columns] = np.reshape(part, shape) if np.ndim(part) else part
        return whole.reshape(self.rows)


def _is_last_use(graph: Graph, operand: int, node: Node) -> bool:
    """Whether a value is needed here for the last time."""
    once = graph.consumers[operand] == (node.id,) and node.operands.count(operand) == 1
    return once and operand != graph.output


def _terms(graph: Graph, node: Node) -> int:
    """About how many terms an element of the result is the sum of."""
    largest = max(graph.operand_type(o).size for o in node.operands)
    return largest // max(node.type.size, 1)
