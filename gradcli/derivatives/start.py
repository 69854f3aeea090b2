"""What a Jacobian or a Hessian is taken of: an output, or J, with the passes at one point."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from gradcli.diagnostics.error import GradcliError
from gradcli.engine.adjoint import weighted
from gradcli.engine.forward import all_finite
from gradcli.engine.inputs import to_value
from gradcli.engine.run import MOST_NODES, RUNS, Executable, Made
from gradcli.engine.upstream import upstream_of
from gradcli.graph.graph import Graph
from gradcli.results.matrices import continued
from gradcli.results.result import Result


class Subject(NamedTuple):
    """What is differentiated at a point: the output of a graph with its values."""

    result: Result
    wrt: Sequence[int]
    """The inputs to differentiate by."""
    name: str
    """The output's name, or J."""
    graph: Graph
    values: Sequence[Any]
    ready: Executable
    key: Any
    """What tells it from other subjects of the executable; None where a value is not finite."""

    def kept(self, what: Any, make: Callable[[], Made]) -> Made:
        """What was made at another point, if it holds at this one too, else what `make` returns."""
        return make() if self.key is None else self.ready.kept((what, self.key), make)


class Quick:
    """How often derivatives have been asked for, and the shorter way once that is often."""

    __slots__ = ("again", "runs", "written")

    def __init__(self) -> None:
        self.runs, self.written = 0, False
        self.again: Callable[..., Any] | None = None

    def made(self, *given: Any) -> Any:
        """The derivatives, or None where they are to be made the long way."""
        return None if self.again is None else self.again(*given)

    def ran(self, of: Subject, write: Callable[[], Callable[..., Any] | None]) -> None:
        """Note a run the long way; `write` makes the shorter one after many, if there is one."""
        self.runs += 1
        often = self.runs >= RUNS and of.key is not None and len(of.graph.nodes) <= MOST_NODES
        if often and not self.written:
            self.written = True
            self.again = write()


def quick(
    ready: Executable, inputs: Mapping[str, Any], upstream: Any, *key: Any, checked: bool
) -> Quick:
    """What is kept of earlier calls like this one."""
    if checked or len(inputs) != len(ready.graph.inputs):
        return Quick()
    if upstream is not None:
        try:
            given = to_value("upstream", upstream)
        except GradcliError:  # one of the values comes before it
            return Quick()
        key = (*key, np.shape(given), given.tobytes())
    return ready.kept(key, Quick)


def result_at(of: Subject, inputs: Mapping[str, Any], numbers: Sequence[float]) -> Result:
    """The result where the inputs' elements, in order, were these `numbers`."""
    graph, ready, known = of.result.graph, of.ready, of.result
    at, first = {}, 0
    for name, i in graph.input_numbers.items():
        t = graph.nodes[i].type
        at[name] = np.reshape(numbers[first : first + t.size], t.shape)[()]
        first += t.size
    if known.upstream is None:
        passes = ready.forward(at, allow_nonfinite=True)
    else:
        active = graph.dependent(set(of.wrt))
        passes = ready.both(at, active, known.upstream, allow_nonfinite=True)
    values = list(passes.values)
    for name, i in graph.input_numbers.items():
        values[i] = inputs[name]
    return replace(known, **passes._replace(values=tuple(values))._asdict())


def subject(
    program: str,
    ready: Executable,
    inputs: Mapping[str, Any],
    wrt: tuple[str, ...] | None,
    upstream: Any,
    *,
    allow_nonfinite: bool,
) -> Subject:
    """The output at a point or, with an `upstream`, J, the sum of upstream · output.

    Where the output is one number or has an upstream, the backward pass is run too. Raises
    `GradcliError` as `Program.evaluate` does.
    """
    graph, start = ready.graph, None
    output = graph.nodes[graph.output]
    try:
        active = ready.active(wrt)
        if upstream is not None or output.type.size == 1:
            start = upstream_of(graph, upstream, allow_nonfinite=allow_nonfinite)
            start = np.array(start)[()]  # what is kept stays so where the array is changed
    except GradcliError:  # one of the values comes before those
        ready.forward(inputs, allow_nonfinite=allow_nonfinite)
        raise
    if start is None:
        passes = ready.forward(inputs, allow_nonfinite=allow_nonfinite)
    else:
        passes = ready.both(inputs, active, start, allow_nonfinite=allow_nonfinite)
    result = Result(program, graph, *passes, start, rules=ready.rules)
    values, key, name, finite = result.values, b"", output.name, not allow_nonfinite
    if upstream is not None:
        key, name, finite = np.asarray(start).tobytes(), "J", False
        graph = ready.kept(("J", key), lambda: weighted(result.graph, {output.id: start}))
        values = tuple(continued(graph, values, {}, [graph.output]))
    finite = finite or all(all_finite(values[i]) for i in graph.watched)
    wanted = [i for i in result.graph.inputs if active[i]]
    return Subject(result, wanted, name, graph, values, ready, key if finite else None)
