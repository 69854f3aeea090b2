"""Lowering of calls: a call comes in, the number of its step goes out.

It is of a function or block of the program, or of a function of the language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradcli.diagnostics.error import Kind
from gradcli.diagnostics.source import Source
from gradcli.graph.arguments import arrange, arrange_arguments, plain_row
from gradcli.graph.draft import NO_OPTIONS, Literal, Operand, Selection
from gradcli.graph.operators import divide
from gradcli.graph.static import static
from gradcli.graph.work import Lowered, Scope, Work
from gradcli.ops import Composition
from gradcli.ops.operation import Operation
from gradcli.syntax.parser import parse
from gradcli.syntax.tree import Assign, Bare, Block, Call, Define, Tree, postorder


def call(work: Work, tree: Call, scope: Scope) -> Lowered:
    """A call: of a function or block of the program, else of a function of the language."""
    definition = None if tree.qualified else work.definitions.get(tree.name)
    if isinstance(definition, Define | Block):
        values = yield arrange_arguments(tree, definition, work.source), scope
        if isinstance(definition, Block):
            return work.add(_row(work, definition), values, tree, tree.name_span, scope)
        local = {p.name: v for p, v in zip(definition.parameters, values, strict=True)}
        (value,) = yield (definition.body,), Scope(local, selections=scope.selections)
        return value
    row = None if tree.keywords else plain_row(tree.name, len(tree.arguments))
    if row is not None and not row.chooses:
        operands = yield tree.arguments, scope
        return _applied(work, row, operands, NO_OPTIONS, tree, scope)
    operation, given, options = arrange(
        tree, work.source, lambda option: static(work, option, scope)
    )
    if isinstance(operation, Composition):
        return (yield from _composed(work, operation, given, options, tree, scope))
    trees = [o for o in given if isinstance(o, Tree)]
    if operation.chooses and len(given) == 3:
        values = yield trees[:1], scope
        for branch, chosen in zip(trees[1:], (True, False), strict=True):
            selections = (*scope.selections, Selection(chosen, values[0]))
            values += yield (branch,), scope._replace(selections=selections)
    else:
        values = yield trees, scope
    written = iter(values)
    operands = [next(written) if isinstance(o, Tree) else o for o in given if o is not None]
    return _applied(work, operation, operands, options, tree, scope)


def _row(work: Work, block: Block) -> Operation:
    """The block's row, made once."""
    name, make = block.name.name, work.engine.block_operation
    if name not in work.blocks:
        assert work.names is not None
        assert make is not None
        work.blocks[name] = make(block, work.names)
    return work.blocks[name]


def _applied(
    work: Work,
    operation: Operation,
    operands: Sequence[Operand],
    options: Mapping[str, Any],
    tree: Call,
    scope: Scope,
) -> int:
    if operation.symbol == "/":
        return divide(work, tree, tree.name_span, operands, scope)
    return work.add(operation, operands, tree, tree.name_span, scope, options=options)


def _composed(
    work: Work,
    function: Composition,
    given: Sequence[Tree | Literal | None],
    options: dict[str, Any],
    tree: Call,
    scope: Scope,
) -> Lowered:
    """The text of a composition, its parameters standing for the operands."""
    pairs = zip(function.operands, given, strict=True)
    operands = {p.name: o for p, o in pairs if o is not None}
    try:
        text = function.written(options, operands.keys())
    except ValueError as error:
        work.fail(Kind.SYNTAX, str(error), tree.span)
    local: dict[str, Operand] = {n: o for n, o in operands.items() if isinstance(o, Literal)}
    constants = {**options, **(function.derived(options) if function.derived else {})}
    inner = Scope(local, constants, scope.selections, composed=True)
    for name, operand in operands.items():
        if isinstance(operand, Tree):
            (local[name],) = yield (operand,), scope
    value: Operand = 0
    for statement in parse(Source(text, function.name)).statements:
        for part in postorder(statement):
            part.move(lambda _own: tree.span)  # where its errors are shown
            if isinstance(part, Call):
                part.qualified = True  # whatever the program defines
        assert isinstance(statement, Assign | Bare)
        (value,) = yield (statement.value,), inner
        if isinstance(statement, Assign):
            local[statement.name.name] = value
    return value
