"""Value and gradient for many points: columns come in, columns go out.

A column is an array with a leading axis of rows. The backward pass is the graph that `adjoint`
makes, run by `batch_kernel`. Rows where the mathematics fails are found here, and what
is wrong with one of them is asked of `Program.evaluate`, so that its error is the one of `eval`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from gradcli.adjoint import adjoint
from gradcli.batch_kernel import Line
from gradcli.errors import GradcliError, Kind
from gradcli.forward import refuse_nonfinite_inputs
from gradcli.graph import Graph
from gradcli.names import chosen_inputs

if TYPE_CHECKING:
    from gradcli.batch_jit import Compiled
    from gradcli.program import Program

Only = Literal["value", "grad"]
OnError = Literal["stop", "nan", "skip", "keep"]
"""`keep` leaves what came out as it is."""


class Batch(NamedTuple):
    """What a batch comes to."""

    columns: dict[str, Any]
    """`value` and `d_<input>`, each with a leading axis of rows."""
    failed: Any
    """For every row that came in, whether the mathematics failed in it."""


class Runner:
    """A program made ready for rows of certain shapes; `fixed` inputs hold for all of them.

    With `jit` the rows' loop is compiled, if all of it can be. Raises ImportError without Numba.
    """

    def __init__(
        self,
        program: Program,
        fixed: Mapping[str, Any],
        shapes: Mapping[str, tuple[int, ...]],
        *,
        wrt: Iterable[str] | None = None,
        only: Only | None = None,
        jit: bool = False,
    ) -> None:
        self.program, self.fixed, self.only = program, dict(fixed), only
        sample = {**fixed, **{name: np.zeros(shape) for name, shape in shapes.items()}}
        self.graph = program.graph(sample)
        ids = {self.graph.nodes[i].name: i for i in self.graph.inputs}
        self.ids = {name: i for name, i in ids.items() if name in sample}
        self.columns = [name for name in shapes if name in ids]
        program.expect_columns(shapes)
        self.wrt = chosen_inputs(wrt, ids)
        longer, wanted = self._wanted(ids, only)
        self.names = list(wanted)
        self.zero = [name for name, i in wanted.items() if i is None]
        numbers = [i for i in wanted.values() if i is not None]
        line = Line(longer, numbers, [ids[name] for name in self.columns])
        self.line: Line | Compiled = (_compiled(line) if jit else None) or line

    def _wanted(
        self, ids: Mapping[str, int], only: Only | None
    ) -> tuple[Graph, dict[str, int | None]]:
        """The graph to run, and the node behind every column; None for a gradient of zero."""
        # The value is always looked at: log(x) has a gradient of numbers also where it is none.
        wanted: dict[str, int | None] = {"value": self.graph.output}
        if only == "value":
            return self.graph, wanted
        output = self.graph.nodes[self.graph.output]
        if output.type.size != 1:
            raise GradcliError(
                Kind.SHAPE,
                f"the output {output.name} is {output.type}: a backward pass starts from a number",
                source=self.program.source,
                span=output.span,
                hint="sum(…) or ||…||^2 makes one; values alone need none",
            )
        found = adjoint(self.graph, {ids[name] for name in self.wrt})
        for name in self.wrt:
            wanted[f"d_{name}"] = found.deltas.get(ids[name])
        return found.graph, wanted

    def run(self, columns: Mapping[str, Any], errors: OnError = "stop", first: int = 1) -> Batch:
        """The columns of a batch; `first` is the number of its first row in messages.

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
        found, raised = self.line.run(inputs, count)
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
            self._explain(columns, int(np.argmax(failed)), first)
        if errors == "skip":
            made = {name: column[~failed] for name, column in made.items()}
        elif errors == "nan":
            for column in made.values():
                column[failed] = np.nan
        return Batch(made, failed)

    # --- where the mathematics fails ---

    def _failed(
        self,
        columns: Mapping[str, Any],
        made: Mapping[str, Any],
        raised: Sequence[tuple[int, int]],
        count: int,
    ) -> Any:
        bad = np.zeros(count, dtype=bool)
        for start, stop in raised:
            for column in [*made.values(), *(columns[name] for name in self.columns)]:
                part = column[start:stop].reshape(stop - start, -1)
                bad[start:stop] |= ~np.isfinite(part).all(axis=1)
            # An operation may fail and the result be finite all the same: 1/(1 + exp(1000)).
            suspects = np.flatnonzero(self._suspects(columns, start, stop) & ~bad[start:stop])
            for row in suspects + start:
                bad[row] = self._error(columns, int(row)) is not None
        return bad

    @cached_property
    def _every(self) -> tuple[list[int], Line]:
        """The forward pass with every node wanted."""
        numbers = [n.id for n in self.graph.nodes]
        return numbers, Line(self.graph, numbers, [self.ids[name] for name in self.columns])

    def _suspects(self, columns: Mapping[str, Any], start: int, stop: int) -> Any:
        """The rows of a chunk in which a node of the forward pass that counts is not finite."""
        part = {self.ids[name]: columns[name][start:stop] for name in self.columns}
        part |= {self.ids[n]: v for n, v in self.fixed.items() if n in self.ids}
        values, _ = self._every[1].run(part, stop - start, threads=1)
        bad = np.zeros(stop - start, dtype=bool)
        for node, value in zip(self.graph.nodes, values, strict=True):
            here = ~np.isfinite(value.reshape(stop - start, -1)).all(axis=1)
            if here.any():
                for selection in node.selections:
                    condition = selection.condition
                    if isinstance(condition, int) and values[condition].ndim == 1:
                        here &= (values[condition] != 0) == selection.chosen
                bad |= here
        return bad

    def _error(self, columns: Mapping[str, Any], row: int) -> GradcliError | None:
        point = {**self.fixed, **{name: columns[name][row] for name in self.columns}}
        gradient = self.names != ["value"]
        try:
            self.program.evaluate(
                point, wrt=self.wrt if gradient else None, gradient=gradient, check=False
            )
        except GradcliError as error:
            return error
        return None

    def _explain(self, columns: Mapping[str, Any], row: int, first: int) -> None:
        """Raise the error that `eval` has for a row."""
        error = self._error(columns, row)
        if error is None:
            error = GradcliError(Kind.OVERFLOW, "the value or the gradient is not finite")
        raise GradcliError(
            # a number in the data that is not finite is a failure of a row, not wrong usage
            Kind.DOMAIN if error.kind is Kind.BINDING else error.kind,
            f"row {first + row:,}: {error.message}",
            source=error.source,
            span=error.span,
            labels=error.labels,
            hint="--errors nan or skip goes on past such rows",
        )


def _compiled(line: Line) -> Compiled | None:
    from gradcli.batch_jit import compiled  # noqa: PLC0415 - an extra

    return compiled(line)


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
