"""A text of the language as a program: the values of its inputs, and the graph for their shapes.

What `python/program.py` is for a text of Python. A text is parsed once and its names resolved; a
graph is built for every combination of shapes, and the last of them are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from gradcli.diagnostics.gc_pause import collector_paused
from gradcli.diagnostics.source import Source
from gradcli.engine.block import ENGINE
from gradcli.engine.inputs import values_of_inputs
from gradcli.graph.build import build
from gradcli.graph.draft import Draft
from gradcli.graph.graph import Graph, Origin
from gradcli.graph.lower import lower
from gradcli.graph.resolve import resolve
from gradcli.ops.operation import Type
from gradcli.syntax.header import read_header
from gradcli.syntax.parser import parse
from gradcli.syntax.tree import Assign

KEPT_GRAPHS = 32
LONG = 100_000
"""Steps from which on a draft is made again for other shapes, and not kept beside its graph."""


class LanguageText:
    """A program of the language, parsed and with its names resolved.

    `name` is what errors call the text (a file's path), `output` another node than the last
    statement. Raises `GradcliError` of kind syntax or name.
    """

    notes: tuple[tuple[str, int, str], ...] = ()

    def __init__(self, text: str, name: str | None, output: str | None) -> None:
        self.source, self.output = Source(text, name), output
        self.header = read_header(self.source)
        with collector_paused():
            self.names = resolve(parse(self.source))
        self._drafts: dict[frozenset[str], Draft] = {}
        self._graphs: dict[Any, Graph] = {}

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The names that need a value, in order of first appearance."""
        draft = self.draft(frozenset(b.name for b in self.header.bindings))
        return tuple(step.name or "" for step in draft.steps if step.kind == "input")

    @property
    def statements(self) -> frozenset[str]:
        """The names that statements `name = …` give to nodes."""
        definitions = self.names.definitions.items()
        return frozenset(name for name, found in definitions if isinstance(found, Assign))

    def draft(self, bound: frozenset[str]) -> Draft:
        """The operations in order, given which names have a value."""
        if bound not in self._drafts:
            with collector_paused():
                self._drafts[bound] = lower(self.names, bound, self.output, engine=ENGINE)
        return self._drafts[bound]

    def bind(
        self, inputs: Mapping[str, Any], data: Mapping[str, Any] | None, seed: int
    ) -> dict[str, Any]:
        """The value of every input, as `values_of_inputs` says."""
        return values_of_inputs(self.names, self.header, inputs, data, seed)

    def graph(self, inputs: Mapping[str, Any]) -> Graph:
        """The graph for inputs of these shapes. Raises `GradcliError` (name, binding, shape)."""
        key = tuple([(name, value.shape) for name, value in inputs.items()])
        found = self._graphs.get(key)
        if found is not None:
            return found
        draft = self.draft(frozenset(inputs))
        wanted = {step.name or "": step.span for step in draft.steps if step.kind == "input"}
        if missing := [name for name in wanted if name not in inputs]:
            from gradcli.graph.suggestions import no_value  # noqa: PLC0415 - only when it went wrong

            raise no_value(self.names, missing, wanted[missing[0]])
        types = {name: Type(np.shape(inputs[name])) for name in inputs if name in wanted}
        if len(self._graphs) >= KEPT_GRAPHS:
            self._graphs.clear()
        with collector_paused():
            origin = Origin(graph_again, self.source.text, self.source.name, self.output, key)
            self._graphs[key] = made = build(draft, types, origin=origin)
        if len(draft.steps) > LONG:
            self._drafts.clear()
        return made

    def expect_columns(self, names: Iterable[str]) -> None:
        """The graph is the same for all values of its inputs."""


@lru_cache(maxsize=8)
def _known_text(text: str, name: str | None, output: str | None) -> LanguageText:
    return LanguageText(text, name, output)


def graph_again(origin: Origin) -> Graph:
    """The graph of a program for inputs of these shapes: what a copy in another process is."""
    text = _known_text(origin.text, origin.name, origin.output)
    return text.graph({n: np.broadcast_to(0.0, shape) for n, shape in origin.shapes})
