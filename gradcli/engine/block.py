"""A user's `block` as one more row of the operation table.

Its value is a small graph over its parameters, bound anew for every combination of operand
shapes; its derivatives are the texts that the user wrote.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from gradcli.diagnostics.source import Source
from gradcli.engine.constant import constant_value
from gradcli.engine.formula import bound_graph
from gradcli.engine.forward import fill_in
from gradcli.graph.graph import Graph
from gradcli.graph.lower import lower_block_body
from gradcli.graph.names import Names
from gradcli.graph.resolve import resolve
from gradcli.graph.work import Engine
from gradcli.ops.operation import Array, Misfit, Operation, Parameter, Type, Written
from gradcli.syntax.parser import parse
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import Block


def block_operation(block: Block, names: Names) -> Operation:
    """The row for a block. Raises `GradcliError` where its body can't be lowered."""
    steps, result = lower_block_body(block, names, engine=ENGINE)
    rules = {rule.parameter.name: rule for rule in block.rules}
    parameters = tuple(p.name for p in block.parameters)

    @lru_cache(maxsize=256)
    def body(types: tuple[Type, ...]) -> tuple[Graph, int]:
        return bound_graph(names.source, steps, result, types)

    def infer(types: tuple[Type, ...], _options: dict[str, Any]) -> tuple[Type, dict[str, Any]]:
        graph, output = body(types)
        out = graph.nodes[output].type
        if not block.rules[0].whole:
            _expect_elementwise(block.name.name, parameters, types, out)
        return out, {"types": types}

    def evaluate(*operands: Array, types: tuple[Type, ...]) -> Array:
        graph, output = body(types)
        values = fill_in(graph, [*operands, *[None] * (len(graph.nodes) - len(operands))])
        value: Array = np.asarray(values[output])
        return value

    trees = tuple(rules[p].value for p in parameters)
    return Operation(
        name=block.name.name,
        parameters=tuple(Parameter(p) for p in parameters),
        forward=evaluate,
        rules=tuple(map(print_tree, trees)),
        elementwise=not block.rules[0].whole,
        infer=infer,
        composite=True,
        body=body,
        written=Written(names.source, trees, block_again),
        domain="arguments at which its value exists",
        doc="a block of the program",
        group="block",
    )


ENGINE = Engine(constant_value, block_operation)


def block_again(source: Source, name: str) -> Operation:
    """The row for a block of a program: what a copy in another process is."""
    names = resolve(parse(source))
    block = names.definitions[name]
    assert isinstance(block, Block)
    return block_operation(block, names)


def _expect_elementwise(
    name: str, parameters: tuple[str, ...], types: tuple[Type, ...], out: Type
) -> None:
    """Raise `Misfit` where a block with local derivatives does not work element by element."""
    try:
        fits = np.broadcast_shapes(*(t.shape for t in types)) == out.shape
    except ValueError:
        fits = False
    if not fits:
        given = " and ".join(dict.fromkeys(map(str, types)))
        raise Misfit(
            f"{name} has local derivatives (d/d{parameters[0]}) and so works element by element, "
            f"but of {given} it makes {out}",
            f"a block on whole arrays gives its backward rule: delta_{parameters[0]} = …",
            plain=True,
        )
