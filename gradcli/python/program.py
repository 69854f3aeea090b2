"""A text of Python as a program: the values of its inputs, and the graph at a point.

It answers `Program` as `LanguageText` does for the language. A text is parsed once and read anew
for every point, unless nothing in it depends on the point but shapes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.gc_pause import collector_paused
from gradcli.diagnostics.source import Source
from gradcli.diagnostics.suggestion import did_you_mean
from gradcli.engine.inputs import to_value
from gradcli.graph.draft import NO_OPTIONS, Draft, Step
from gradcli.graph.graph import Graph
from gradcli.graph.names import Names
from gradcli.ops.operation import Shape
from gradcli.python.flat import leaves
from gradcli.python.front import Front
from gradcli.python.limits import MOST_SECONDS
from gradcli.python.source import code_of_notebook
from gradcli.python.traced import Traced
from gradcli.syntax.header import Header
from gradcli.syntax.tree import Module, Name

KEPT_GRAPHS = 32
EXAMPLES = {1: "3", 2: "3x2"}
"""Sizes in a hint, by the number of axes."""


class PythonText:
    """A function, a module or a notebook of Python; read at a point, never run.

    `function` names the function where there are several, `output` another variable than what it
    returns; reading takes at most `seconds` (2 unless given). Raises `GradcliError` of kind syntax
    or name.
    """

    header = Header()

    def __init__(
        self,
        text: str,
        name: str | None,
        output: str | None,
        function: str | None,
        seconds: float | None = None,
    ) -> None:
        if name is not None and name.endswith(".ipynb"):
            text = code_of_notebook(text, name)
        self.source = Source(text, name)
        with collector_paused():
            self.front = Front(self.source, output, function, seconds or MOST_SECONDS)
        free = {name: Name(name, span) for name, span in self.front.places.items()}
        self.names = Names(Module((), self.source), free=free, words=set(free))
        self._defaults: dict[str, Any] | None = None
        self._forms: dict[str, Any] = {}
        self._read: dict[Any, tuple[Traced, dict[str, Any]]] = {}
        self._traced: Traced | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """The parameters, or what a module reads before it gives it."""
        return tuple(self.names.free)

    @property
    def statements(self) -> frozenset[str]:
        """The nodes that the statements of the text gave a name, as it was read last."""
        return self._traced.names if self._traced is not None else frozenset()

    @property
    def notes(self) -> tuple[tuple[str, int, str], ...]:
        """What was passed over or fixed as the text was read last: tag, line and text."""
        return self._traced.notes if self._traced is not None else ()

    @property
    def defaults(self) -> dict[str, Any]:
        """The values that the text gives to its inputs."""
        if self._defaults is None:
            self._defaults = self.front.defaults()
        return self._defaults

    def draft(self, _bound: frozenset[str] = frozenset()) -> Draft:
        """The inputs, as steps without operations; the text itself is read at a point only."""
        wanted = (
            n for n in self.names.free if n not in self.front.entry.optional() or n in self.defaults
        )
        trees = [self.names.free[n] for n in wanted]
        steps = [
            Step("input", tree.name, None, (), NO_OPTIONS, tree, tree.span, tree.span)
            for tree in trees
        ]
        return Draft(self.source, steps, 0)

    def bind(
        self, inputs: Mapping[str, Any], data: Mapping[str, Any] | None = None, _seed: int = 0
    ) -> dict[str, Any]:
        """The value of every input, tuples and dicts taken apart: `params["W1"]`.

        Raises `GradcliError` of kind binding.
        """
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
        return self._trace(inputs).graph

    def _trace(self, inputs: Mapping[str, Any]) -> Traced:
        """The text as it is read at these values, remembered by their shapes."""
        key = tuple([(name, np.shape(value)) for name, value in inputs.items()])
        known = self._read.get(key)
        if known is not None:
            traced, fixed = known
            if all(np.array_equal(inputs[n], v) for n, v in fixed.items()):
                self._traced = traced
                return traced
        if len(self._read) >= KEPT_GRAPHS:
            self._read.clear()
        forms = dict(self._forms.items())
        for name, value in inputs.items():
            if "[" not in name and name not in forms:
                forms[name] = value
        with collector_paused():
            traced = self.front.read(inputs, forms)
        fixed = {n: np.array(inputs[n]) for n in traced.fixed if n in inputs}
        self._read[key] = traced, fixed
        self._traced = traced
        return traced

    def graph_of_shapes(
        self, values: Mapping[str, Any], shapes: Mapping[str, Shape], ranks: Mapping[str, int]
    ) -> Graph:
        """The graph where inputs have these values, or shapes alone; the others are numbers.

        Raises `GradcliError`: shape where an input of an axis or two (`ranks`) has no size, syntax
        where the value of an input without one decides how the text is read.
        """
        roots = {name.partition("[")[0] for name in values}
        for name in (*shapes, *ranks):
            if name not in self.names.free:
                raise self._no_input(name)
            if name not in roots and name not in shapes:
                raise GradcliError(
                    Kind.SHAPE,
                    f"the size of '{name}' isn't known",
                    source=self.source,
                    span=self.names.free[name].span,
                    hint=f"Python is read for one size: --shape {name}={EXAMPLES[ranks[name]]}",
                )
        missing = [n for n in self.names.free if n not in roots | self.front.entry.optional()]
        rng = np.random.default_rng(0)
        made = {n: rng.uniform(0.2, 1.8, shapes.get(n, ())) for n in missing}
        try:
            traced = self._trace({**values, **made})
        except GradcliError as error:
            guessed = ", ".join(n for n in missing if n not in shapes)
            if guessed and error.kind is not Kind.NAME:
                error.hint = f"taken for a number: {guessed}; --shape x=3 or a value says otherwise"
            raise
        for name in missing:
            if name in traced.fixed:
                raise GradcliError(
                    Kind.BINDING,
                    f"{traced.fixed[name]} depends on '{name}', which has no value",
                    source=self.source,
                    span=self.names.free[name].span,
                    hint=f"give '{name}' a value",
                )
        return traced.graph

    def expect_columns(self, names: Iterable[str]) -> None:
        """Raise `GradcliError` where the value of a column decides how the text is read."""
        fixed = {} if self._traced is None else self._traced.fixed
        for name in names:
            if name in fixed:
                what = fixed[name]
                raise GradcliError(
                    Kind.SYNTAX,
                    f"{what} depends on '{name}', and its value differs from point to point",
                    source=self.source,
                    span=self.names.free[name.partition("[")[0]].span,
                    hint="write np.where, which chooses at each point",
                )
