"""Value and gradient for many points: columns come in, columns go out.

A column is an array with a leading axis of rows. The backward pass is the graph that `adjoint`
makes, run by `kernel`. Rows where the mathematics fails are found here, and what
is wrong with one of them is asked of `Program.evaluate`, so that its error is the one of `eval`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np

from gradcli.batch import choice
from gradcli.batch.kernel import Line
from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.engine.adjoint import adjoint
from gradcli.engine.forward import refuse_nonfinite_inputs
from gradcli.engine.upstream import expect_one_element
from gradcli.graph.draft import Operand
from gradcli.graph.graph import Graph
from gradcli.graph.resolve import chosen_inputs

if TYPE_CHECKING:
    from gradcli.batch.loop import Compiled
    from gradcli.results.result import Result

Only = Literal["value", "grad"]
OnError = Literal["stop", "nan", "skip", "keep"]
"""`keep` leaves what came out as it is."""


class Evaluable(Protocol):
    """What a batch needs of a `Program`: its graph, and the error of a single row."""

    def graph(self, inputs: Mapping[str, Any]) -> Graph:
        """The graph for inputs of these shapes."""

    def expect_columns(self, names: Iterable[str]) -> None:
        """Raise where the graph is not the same for all values of some inputs."""

    def evaluate(self, inputs: Mapping[str, Any] | None = None, /, **options: Any) -> Result:
        """Evaluate one point; raises the `GradcliError` of that point."""


ASKED = 16
"""How many rows of one pattern go to `evaluate`; if all give the same answer, it holds."""

MOST_PATTERNS = 10_000
"""How many patterns are remembered."""


class Batch(NamedTuple):
    """The results of a batch."""

    columns: dict[str, Any]
    """`value` and `d_<input>`, each with a leading axis of rows."""
    failed: Any
    """For every row that came in, whether the mathematics failed in it."""


class Runner:
    """A program made ready for rows of certain shapes; `fixed` inputs hold for all of them.

    With `jit` the rows' loop is compiled, if all of it can be; None leaves it to `choice`. Raises
    `GradcliError` where it is asked for and there is neither a C compiler nor Numba.
    """

    def __init__(
        self,
        program: Evaluable,
        fixed: Mapping[str, Any],
        shapes: Mapping[str, tuple[int, ...]],
        *,
        wrt: Iterable[str] | None = None,
        only: Only | None = None,
        jit: bool | None = None,
    ) -> None:
        self.program, self.fixed, self.only = program, dict(fixed), only
        sample = {**fixed, **{name: np.zeros(shape) for name, shape in shapes.items()}}
        self.graph = program.graph(sample)
        ids = {self.graph.nodes[i].name: i for i in self.graph.inputs}
        self.ids = {name: i for name, i in ids.items() if name in sample}
        self.columns = [name for name in shapes if name in ids]
        program.expect_columns(shapes)
        self.wrt = chosen_inputs(wrt, ids)
        self.longer, wanted, self.deltas = self._wanted(ids, only)
        self.names = list(wanted)
        self.zero = [name for name, i in wanted.items() if i is None]
        numbers = [i for i in wanted.values() if i is not None]
        # What `evaluate` computes counts, also where it reaches no result.
        given = self.longer, numbers, [ids[name] for name in self.columns], self.deltas
        self.made = partial(Line, *given)
        """The calls, made with what they share or, for a loop, without."""
        line = self.made(share=True)
        self.line: Line | Compiled = (choice.compiled(self.made()) if jit else None) or line
        self.operations = len(line.calls) if jit is None else 0
        """What counts for the choice how to run, where that is left to this module."""
        self.verdicts: dict[bytes, list[bool]] = {}
        """For a pattern of numbers that are not finite, whether the first rows were refused."""

    def _wanted(
        self, ids: Mapping[str, int], only: Only | None
    ) -> tuple[Graph, dict[str, int | None], list[int]]:
        """The graph to run, the node behind every column, and the nodes that hold an accumulator.

        A gradient of zero has no node.
        """
        # The value is always checked: log(x) has a finite gradient at x < 0, and no value.
        wanted: dict[str, int | None] = {"value": self.graph.output}
        if only == "value":
            return self.graph, wanted, []
        expect_one_element(
            self.graph,
            "a backward pass starts from a number",
            "sum(…) or ||…||^2 makes one; values alone need none",
        )
        found = adjoint(self.graph, {ids[name] for name in self.wrt})
        for name in self.wrt:
            wanted[f"d_{name}"] = found.deltas.get(ids[name])
        return found.graph, wanted, list(found.deltas.values())

    def run(
        self,
        columns: Mapping[str, Any],
        errors: OnError = "stop",
        first: int = 1,
        *,
        at: Callable[[int], str] = "row {:,}".format,
    ) -> Batch:
        """The columns of a batch; `first` is the number of its first row, `at` names one.

        Raises `GradcliError` at the first row where the mathematics fails, if `errors` is stop.
        """
        count = _count(columns, self.columns)
        if errors != "keep":
            refuse_nonfinite_inputs(self.fixed)
        inputs = {
            self.ids[name]: np.asarray(value)
            for name, value in {**self.fixed, **columns}.items()
            if name in self.ids
        }
        found, raised = self._fitting(first - 1 + count).run(inputs, count)
        results = iter(found)
        made: dict[str, Any] = {}
        for name in self.names:
            if name in self.zero:
                i = self.ids[name.removeprefix("d_")]
                made[name] = np.zeros((count, *self.graph.nodes[i].type.shape))
            else:
                made[name] = next(results)
        keep = errors == "keep"
        failed = np.zeros(count, bool) if keep else self._failed(columns, made, raised, count)
        if self.only == "grad":
            del made["value"]
        if errors == "stop" and failed.any():
            self._explain(columns, int(np.argmax(failed)), at, first)
        if errors == "skip":
            made = {name: column[~failed] for name, column in made.items()}
        elif errors == "nan":
            for column in made.values():
                column[failed] = np.nan
        return Batch(made, failed)

    def _fitting(self, rows: int) -> Line | Compiled:
        """What goes through the rows; `rows` counts all up to the last of these."""
        return self._loop if choice.pays(rows, self.operations) else self.line

    @cached_property
    def _loop(self) -> Line | Compiled:
        with suppress(GradcliError):
            return choice.compiled(self.made()) or self.line
        return self.line

    # --- where the mathematics fails ---

    def _failed(
        self,
        columns: Mapping[str, Any],
        made: Mapping[str, Any],
        raised: Sequence[tuple[int, int]],
        count: int,
    ) -> Any:
        """The rows that `evaluate` refuses; one that it has numbers for gets them in `made`."""
        failed = np.zeros(count, dtype=bool)
        for start, stop in raised:
            unsure = ~_finite_rows(made.values(), start, stop)
            failed[start:stop], suspects, patterns = self._suspects(columns, start, stop, unsure)
            for rows, pattern in _cases(suspects + start, patterns):
                failed[rows] = self._refused(columns, rows, pattern)
            for row in np.flatnonzero(unsure & ~failed[start:stop]) + start:
                failed[row] = not self._evaluated_into(made, columns, int(row))
        return failed

    def _refused(self, columns: Mapping[str, Any], rows: Any, pattern: bytes) -> Any:
        """Which rows of one pattern `evaluate` refuses: it is asked for the first of them.

        Where those differ it is asked for all.
        """
        if len(self.verdicts) > MOST_PATTERNS:
            self.verdicts.clear()
        known = self.verdicts.setdefault(pattern, [])
        ask = min(len(rows), ASKED - len(known))
        found = self._fails(columns, rows[:ask])
        known += found
        if len(set(known)) == 1:
            return found + [known[0]] * (len(rows) - ask)
        return found + self._fails(columns, rows[ask:])

    @cached_property
    def _every(self) -> Line:
        """Both passes with every value and accumulator wanted."""
        numbers = [*range(len(self.graph.nodes)), *self.deltas]
        return Line(self.longer, numbers, [self.ids[name] for name in self.columns])

    def _suspects(
        self, columns: Mapping[str, Any], start: int, stop: int, unsure: Any
    ) -> tuple[Any, Any, Any]:
        """Which rows of a chunk fail, and the rows of which that is not certain.

        Those are the `unsure`, and the ones in which anything that counts is not finite. With them
        come their patterns, as bits: which numbers are finite, and which branches are taken.
        """
        count, nodes = stop - start, self.graph.nodes
        given = {self.ids[name]: columns[name][start:stop] for name in self.columns}
        fixed = {self.ids[n]: v for n, v in self.fixed.items() if n in self.ids}
        values, _ = self._every.run(given | fixed, count, threads=1)
        finite = [np.isfinite(value) for value in values]
        sound = [_in_every(part) for part in finite]
        certain = ~_finite_rows(given.values(), 0, count)
        suspect, conditions = unsure.copy(), dict[int, Any]()
        for node in nodes:
            counts, known = ~sound[node.id], True
            for selection in node.selections:
                if isinstance(condition := selection.condition, int):
                    taken = conditions.setdefault(condition, values[condition] != 0)
                    known &= taken.ndim == 1
                    if taken.ndim == 1:
                        counts = counts & (taken == selection.chosen)
                else:
                    known = False
            suspect |= counts
            if known and node.operation is not None and counts.any():
                # The first operation that is not finite at finite operands is an error.
                certain |= counts & np.logical_and.reduce([_sound(o, sound) for o in node.operands])
        for accumulator in sound[len(nodes) :]:
            suspect |= ~accumulator
        rows = np.flatnonzero(suspect & ~certain)
        if not len(rows):
            return certain, rows, None
        pattern = [part[rows].reshape(len(rows), -1) for part in [*finite, *conditions.values()]]
        bits = np.packbits(np.concatenate(pattern, axis=1), axis=1)
        return certain, rows, bits

    def _evaluated(self, columns: Mapping[str, Any], row: int) -> Result | GradcliError:
        """What `evaluate` has for a row."""
        point = {**self.fixed, **{name: columns[name][row] for name in self.columns}}
        gradient = self.names != ["value"]
        wrt = self.wrt if gradient else None
        try:
            return self.program.evaluate(point, wrt=wrt, gradient=gradient, check=False)
        except GradcliError as error:
            return error

    def _fails(self, columns: Mapping[str, Any], rows: Any) -> list[bool]:
        return [isinstance(self._evaluated(columns, row), GradcliError) for row in rows.tolist()]

    def _evaluated_into(
        self, made: Mapping[str, Any], columns: Mapping[str, Any], row: int
    ) -> bool:
        """Whether `evaluate` has numbers for a row; they are put in the place of its own."""
        result = self._evaluated(columns, row)
        if isinstance(result, GradcliError):
            return False
        for name, column in made.items():
            gradient = name != "value"
            column[row] = result.gradient[name.removeprefix("d_")] if gradient else result.value
        return True

    def _explain(
        self, columns: Mapping[str, Any], row: int, at: Callable[[int], str], first: int
    ) -> None:
        """Raise the error that `eval` has for a row."""
        error = self._evaluated(columns, row)
        if not isinstance(error, GradcliError):
            error = GradcliError(Kind.OVERFLOW, "the value or the gradient is not finite")
        raise GradcliError(
            # a number in the data that is not finite is a failure of a row, not wrong usage
            Kind.DOMAIN if error.kind is Kind.BINDING else error.kind,
            f"{at(first + row)}: {error.message}",
            source=error.source,
            span=error.span,
            labels=error.labels,
            hint="--errors nan or skip goes on past such rows",
        )


def _finite_rows(columns: Iterable[Any], start: int, stop: int) -> Any:
    """For every row of a chunk whether all numbers in it are finite."""
    found = np.ones(stop - start, dtype=bool)
    for column in columns:
        found &= _in_every(np.isfinite(column[start:stop]))
    return found


def _in_every(truths: Any) -> Any:
    """For every row whether all of its truths hold."""
    return truths if truths.ndim == 1 else truths.reshape(len(truths), -1).all(axis=1)


def _cases(rows: Any, bits: Any) -> Iterator[tuple[Any, bytes]]:
    """The rows of every pattern, and the pattern."""
    if len(rows):
        words = np.ascontiguousarray(bits).view(np.dtype((np.void, bits.shape[1]))).ravel()
        patterns, inverse, counts = np.unique(words, return_inverse=True, return_counts=True)
        order = np.argsort(inverse, kind="stable")
        parts = np.split(rows[order], np.cumsum(counts)[:-1])
        yield from zip(parts, map(bytes, patterns), strict=True)


def _sound(operand: Operand, sound: Sequence[Any]) -> Any:
    """For every row whether an operand is finite."""
    if isinstance(operand, int):
        return sound[operand]
    return np.broadcast_to(bool(np.isfinite(operand.value).all()), sound[0].shape)


def _count(columns: Mapping[str, Any], names: Sequence[str]) -> int:
    counts = {name: len(columns[name]) for name in names}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name} has {n}" for name, n in counts.items())
        raise GradcliError(Kind.SHAPE, f"columns differ in their number of rows: {listed}")
    return next(iter(counts.values()), 0)


def as_columns(columns: Mapping[str, Any], convert: Callable[[str, Any], Any]) -> dict[str, Any]:
    """Columns as float64 arrays with a leading axis. Raises `GradcliError` of kind binding."""
    made = {name: convert(name, column) for name, column in columns.items()}
    for name, column in made.items():
        if np.ndim(column) == 0:
            raise GradcliError(
                Kind.BINDING,
                f"the column '{name}' is a single number",
                hint="a value for all rows is given by keyword",
            )
    return made
