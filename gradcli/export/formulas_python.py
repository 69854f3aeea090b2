"""Formulas as a Python function: it takes the names that they use and returns a dict.

The code of each formula is that of its text read as a program, operation in operation. A program
that keeps its names becomes its statements first, then the lines of the backward pass.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from gradcli.export.numpy import code
from gradcli.export.numpy.calls import Calls
from gradcli.export.numpy.code import ATOM, Code
from gradcli.formulas.check import formula_graph
from gradcli.formulas.types import Derivative
from gradcli.graph.graph import Node
from gradcli.graph.identifiers import TAKEN, identifiers
from gradcli.ops.operation import Type
from gradcli.report.formulas.labels import checked, label
from gradcli.report.numbers import shown
from gradcli.report.style import Style

FUNCTION = {1: "gradient", 2: "second_derivatives"}


def pieces(found: Derivative, style: Style) -> Iterator[str]:
    """A module with the function."""
    writer = _Writer(found, style)
    body = list(writer.body())
    title = shown(" ".join(found.program.split()).replace("\\", r"\\").replace('"', r"\""), style)
    yield f'"""The derivative of {title if len(title) < 70 else found.output}, as formulas."""\n\n'
    yield "import numpy as np\n"
    if writer.imports:
        yield f"from scipy.special import {', '.join(sorted(writer.imports))}\n"
    for text in writer.helpers.values():
        yield f"\n\n{text}"
    parameters = ", ".join(writer.parameters())
    yield f"\n\ndef {FUNCTION[found.order]}({parameters}):\n"
    listed = ", ".join(label(found, f, style) for f in found.formulas)
    yield f'    """{listed}; {checked(found)}."""\n'
    for name in writer.parameters():
        yield f"    {name} = np.asarray({name}, dtype=np.float64)[()]\n"
    for line in body:
        yield f"    {line}\n"


class _Writer(Calls):
    """The lines of the function, and the helpers that they need."""

    def __init__(self, found: Derivative, style: Style) -> None:
        super().__init__(style)
        self.found, self.graph = found, found.graph
        self.types: dict[str, Type] = {node.name: node.type for node in self.graph.nodes}
        for formula in found.formulas:
            if formula.direction is not None:
                self.types[formula.direction] = self.types[formula.wrt[1]]
        self.names = identifiers(iter(self.types), ascii_only=style.ascii, taken=TAKEN)
        for node in self.graph.nodes if found.named else ():
            self.types[f"delta_{node.name}"] = node.type
            self.names[f"delta_{node.name}"] = f"delta_{self.names[node.name]}"

    def parameters(self) -> list[str]:
        """The inputs, and directions of second derivatives."""
        inputs = [self.graph.nodes[i].name for i in self.graph.inputs]
        more = dict.fromkeys(f.direction for f in self.found.formulas if f.direction is not None)
        return [self.names[name] for name in (*inputs, *more)]

    def body(self) -> Iterator[str]:
        """Assignments, and the dict that is returned."""
        keys: list[str] = []
        if self.found.named:
            yield from self._forward()
        for formula in self.found.formulas:
            key = ",".join(formula.wrt)
            text = self._formula(formula.text)
            if self.found.named:
                name = self.names[f"delta_{key}"]
                yield f"{name} = {text}"
                text = name
            keys.append(f"{json.dumps(key, ensure_ascii=True)}: {text}")
        yield f"return {{{', '.join(keys)}}}"

    def _forward(self) -> Iterator[str]:
        """The values of the program's nodes that formulas may use."""
        found: list[Code] = []
        for node in self.graph.nodes:
            found.append(self._code(node, found))
            if node.name in self.found.shapes and node.kind != "input":
                name = self.names[node.name]
                yield f"{name} = {code.numeric(found[-1]).text}"
                found[-1] = Code(name, ATOM, node.type)

    def _formula(self, text: str) -> str:
        found: list[Code] = []
        graph = formula_graph(text, self.types)
        for node in graph.nodes:
            found.append(self._code(node, found))
        return code.numeric(found[graph.output]).text

    def _code(self, node: Node, found: list[Code]) -> Code:
        if node.kind == "input":
            return Code(self.names[node.name], ATOM, node.type)
        return self.node_code(node, found)
