"""A text of Python as a `Program`: its inputs, values and graph come of `gradcli.python`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from gradcli.binding import to_value
from gradcli.collector import collector_paused
from gradcli.draft import NO_OPTIONS, Draft, Step
from gradcli.errors import GradcliError, Kind, expect_mapping
from gradcli.graph import Graph
from gradcli.language.header import Header
from gradcli.language.source import Source
from gradcli.language.tree import Module, Name
from gradcli.names import Names, did_you_mean
from gradcli.program import KEPT_GRAPHS, Program
from gradcli.python.flat import leaves
from gradcli.python.front import Front, Traced
from gradcli.python.source import code_of_notebook


class PythonProgram(Program):
    """A function, a module or a notebook of Python; read at a point, never run.

    `function` names the function where there are several, `output` another variable than what it
    returns. Raises `GradcliError` of kind syntax or name.

    >>> program = Program("lambda x, y: (x + 1/(1 + np.exp(-y)))/(x**2 + y)")
    >>> float(program.evaluate(x=3, y=-4).gradient["x"])
    -0.524316690390902
    """

    steps_by = "statement"
    takes_structures = True

    def __init__(
        self,
        text: str,
        *,
        name: str | None = None,
        output: str | None = None,
        function: str | None = None,
    ) -> None:
        if name is not None and name.endswith(".ipynb"):
            text = code_of_notebook(text, name)
        self.source = Source(text, name)
        self.header = Header()
        self.output, self.function = output, function
        with collector_paused():
            self.front = Front(self.source, output, function)
        free = {name: Name(name, span) for name, span in self.front.places.items()}
        self.names = Names(Module((), self.source), free=free, words=set(free))
        self._defaults: dict[str, Any] | None = None
        self._forms: dict[str, Any] = {}
        self._read: dict[Any, tuple[Traced, dict[str, Any]]] = {}
        self._last = None
        self._traced: Traced | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """The parameters, or the names of a module that need a value."""
        return tuple(self.names.free)

    @property
    def statements(self) -> frozenset[str]:
        """The nodes that the statements of the text gave a name, as it was read last."""
        return self._traced.names if self._traced is not None else frozenset()

    @property
    def defaults(self) -> dict[str, Any]:
        """The values that the text gives to its inputs."""
        if self._defaults is None:
            self._defaults = self.front.defaults()
        return self._defaults

    def draft(self, bound: frozenset[str]) -> Draft:
        """The inputs, as steps without operations; the text itself is read at a point only."""
        del bound
        wanted = (
            n for n in self.names.free if n not in self.front.optional() or n in self.defaults
        )
        steps = [
            Step(
                "input", n, None, (), NO_OPTIONS, self.names.free[n], *[self.names.free[n].span] * 2
            )
            for n in wanted
        ]
        return Draft(self.source, steps, 0)

    def bind(
        self, inputs: Mapping[str, Any], data: Mapping[str, Any] | None = None, seed: int = 0
    ) -> dict[str, Any]:
        """The value of every input, tuples and dicts taken apart: `params["W1"]`.

        Raises `GradcliError` of kind binding.
        """
        del seed
        expect_mapping("data", data)
        for name in inputs:
            if name.partition("[")[0] not in self.names.free:
                raise self._no_input(name)
        given = dict(self.defaults)
        given |= {n: v for n, v in (data or {}).items() if n in self.names.free}
        given |= {n: v for n, v in inputs.items() if "[" not in n}
        self._forms = {n: given[n] for n in self.names.free if n in given}
        bound = {
            name: to_value(name, value)
            for root, form in self._forms.items()
            for name, value in leaves(root, form)
        }
        bound |= {n: to_value(n, v) for n, v in inputs.items() if "[" in n and n in bound}
        return bound

    def _no_input(self, name: str) -> GradcliError:
        known = list(self.names.free)
        listed = f"its inputs are {', '.join(known)}" if known else "it has no inputs"
        return GradcliError(
            Kind.BINDING,
            f"the program does not use '{name}'",
            hint=did_you_mean(name, known) or listed,
        )

    def graph(self, inputs: Mapping[str, Any]) -> Graph:
        """The graph at these values: of loops and branches as they go there."""
        key = tuple([(name, np.shape(value)) for name, value in inputs.items()])
        known = self._read.get(key)
        if known is not None:
            traced, fixed = known
            if all(np.array_equal(inputs[n], v) for n, v in fixed.items()):
                self._traced = traced
                return traced.graph
        if len(self._read) >= KEPT_GRAPHS:
            self._read.clear()
        forms = {n: f for n, f in self._forms.items()}
        for name, value in inputs.items():
            if "[" not in name and name not in forms:
                forms[name] = value
        with collector_paused():
            traced = self.front.read(inputs, forms)
        fixed = {n: np.array(inputs[n]) for n in traced.fixed if n in inputs}
        self._read[key] = traced, fixed
        self._traced = traced
        return traced.graph

    def expect_columns(self, names: Iterable[str]) -> None:
        """Raise `GradcliError` where the value of a column decides how the text is read."""
        assert self._traced is not None
        for name in names:
            if name in self._traced.fixed:
                what = self._traced.fixed[name]
                raise GradcliError(
                    Kind.SYNTAX,
                    f"{what} depends on '{name}', which is another in every row",
                    source=self.source,
                    span=self.names.free[name.partition("[")[0]].span,
                    hint="np.where chooses in every row by itself",
                )

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy in another process is parsed there again."""
        return _again, (self.source.text, self.source.name, self.output, self.function)


def _again(text: str, name: str | None, output: str | None, function: str | None) -> PythonProgram:
    if name is not None and name.endswith(".ipynb"):
        name = name.removesuffix(".ipynb") + ".py"
    return PythonProgram(text, name=name, output=output, function=function)
