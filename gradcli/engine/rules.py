"""The derivative rules of one graph, each made ready to run once.

A graph comes in; a `Formula` goes out for a node and one of its operands. Whoever goes over a graph
holds a `Rules` of it: the plan of a backward pass, the adjoint, a trace, a check. The graph itself
remembers nothing.
"""

from __future__ import annotations

from typing import Any

from gradcli.engine.formula import Formula, formula
from gradcli.graph.draft import Literal
from gradcli.graph.graph import Graph, OperationNode
from gradcli.ops.operation import Site


class Rules:
    """The rules of a graph; with `textbook` in the form that reports show."""

    __slots__ = ("_found", "_site", "graph", "textbook")

    def __init__(self, graph: Graph, *, textbook: bool = False) -> None:
        self.graph, self.textbook = graph, textbook
        self._found: dict[Any, Formula] = {}
        self._site: tuple[int, Site] | None = None

    def __eq__(self, other: object) -> bool:
        """Rules of equal graphs in the same form are equal."""
        if type(other) is not Rules:
            return NotImplemented
        return self.textbook == other.textbook and self.graph == other.graph

    def __hash__(self) -> int:
        return hash((self.graph, self.textbook))

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy in another process makes its rules anew."""
        return _rules, (self.graph, self.textbook)

    def of(self, node: OperationNode, operand: int) -> Formula:
        """The rule of a node for one operand.

        Elementwise operations on numbers that look alike share one. Any other has its own: ||v||^2
        gives a number, and its rule depends on the shape of v. Raises `GradcliError` of kind shape
        where a block's own rule does not fit its operands.
        """
        operation = node.operation
        key: tuple[Any, ...] = (node.id, operand)
        if operation.elementwise and not node.type.shape and not node.options:
            key = (operation, operand)
            if not isinstance(operation.rules, tuple):  # they may ask for a number that is written
                key = (*key, *(o.value if isinstance(o, Literal) else None for o in node.operands))
        found = self._found.get(key)
        if found is None:
            if self._site is None or self._site[0] != node.id:
                self._site = node.id, self.graph.site(node)
            site = self._site[1]
            found = formula(operation, site, operand, textbook=self.textbook)
            self._found[key] = found
        return found


def _rules(graph: Graph, textbook: bool) -> Rules:  # noqa: FBT001 - as it is pickled
    return Rules(graph, textbook=textbook)
