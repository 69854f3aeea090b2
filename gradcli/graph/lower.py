"""From a tree to a draft of the graph: which operations there are, and in which order.

A module and the choice of an output come in; out comes a `Draft`: one `Step` per written
operation in evaluation order, with names, and without shapes. Functions are inlined here,
literals move into the operations that use them, and steps that do not reach the output are
dropped. What is left needs only the shapes of the inputs to become a graph.

Nothing recurses: `work` has the loop. What is done with operators, names and arrays is in
`operators`, with calls and statements here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gradcli import ops
from gradcli.diagnostics.error import Kind
from gradcli.diagnostics.source import Source
from gradcli.graph.arguments import Arranged, arrange, plain_row
from gradcli.graph.composed import statements
from gradcli.graph.draft import (
    NO_OPTIONS,
    Draft,
    Literal,
    Operand,
    Selection,
    Step,
    named,
    pruned,
)
from gradcli.graph.names import Names
from gradcli.graph.operators import Operators
from gradcli.graph.outputs import live_names, refuse_too_large, restricted
from gradcli.graph.statement_check import arrange_arguments
from gradcli.graph.work import OUTSIDE, Engine, Scope
from gradcli.ops import Composition
from gradcli.ops.operation import Operation
from gradcli.syntax.tree import (
    Assign,
    Bare,
    Block,
    Call,
    Define,
    Module,
    Name,
    Tree,
)


def lower(
    names: Names, bound: frozenset[str], output: str | None = None, *, engine: Engine
) -> Draft:
    """The draft for a program's last statement, or for the node called `output`.

    `bound` are the names that the user gave a value; they decide what `e` and `pi` are.
    Raises `GradcliError` (kinds name, syntax, shape).
    """
    lowering = _Lowering(names.source, engine, names)
    names.expect_one_spelling(bound)
    inputs = names.inputs(bound)
    live = live_names(names, output)
    refuse_too_large(names, live)
    for name in inputs:
        if name in live:
            lowering.nodes[name] = lowering.add_input(name, names.free[name])
    result = lowering.module(names.module, live, output)
    draft = pruned(names.source, lowering.steps, result)
    numbered = named(draft, names.words | bound)
    if output is None or output in live:
        return numbered
    return restricted(numbered, output, names)


def lower_formula(
    source: Source,
    tree: Tree,
    operands: tuple[str, ...],
    constants: Mapping[str, Any],
    *,
    engine: Engine,
    keep_divisions: bool = True,
) -> tuple[list[Step], Operand]:
    """A formula over named operands, a derivative's most often: all steps, unnamed, and the result.

    The steps begin with one input per operand, used or not.
    """
    lowering = _Lowering(source, engine, keep_divisions=keep_divisions)
    local = {name: lowering.add_input(name, tree) for name in operands}
    result = lowering.evaluate(tree, Scope(local, constants))
    return lowering.steps, result


def lower_block_body(block: Block, names: Names, *, engine: Engine) -> tuple[list[Step], Operand]:
    """The value of a block over its parameters: all steps, unnamed, and the result."""
    lowering = _Lowering(names.source, engine, names, keep_divisions=True)
    local = {p.name: lowering.add_input(p.name, p) for p in block.parameters}
    result = lowering.evaluate(block.body, Scope(local))
    return lowering.steps, result


class _Lowering(Operators):
    """Calls and statements: functions of the program, blocks, and those of the language."""

    def __init__(
        self, source: Source, engine: Engine, names: Names | None = None, **more: bool
    ) -> None:
        super().__init__(source, engine, names, **more)
        self.blocks: dict[str, Operation] = {}
        self.visitors[Call] = self.call

    # --- statements ---

    def module(self, module: Module, live: set[str], output: str | None) -> int:
        """Lower what is live, statement by statement, and return the output."""
        last = module.statements[-1]
        wanted = output if output is not None and output in live else None
        for statement in module.statements:
            if isinstance(statement, Assign) and statement.name.name in live:
                value = self.evaluate(statement.value, OUTSIDE)
                self.nodes[statement.name.name] = self.assign(statement.name, value)
        if wanted is not None and wanted in self.nodes:
            return self.nodes[wanted]
        target = self.definitions[wanted] if wanted is not None else last
        match target:
            case Define() | Block():
                value = self.evaluate(_own_call(target), OUTSIDE)
                return self.assign(target.name, value)
            case Bare():
                return self.as_step(self.evaluate(target.value, OUTSIDE), target.value)
            case Assign():
                return self.nodes[target.name.name]
        raise AssertionError(target)

    def assign(self, name: Name, value: Operand) -> int:
        """Give a value a name: an unnamed operation takes it, anything else gets a step."""
        if isinstance(value, int):
            step = self.steps[value]
            if step.name is None:
                self.steps[value] = step.called(name.name)
                return value
            identity = ops.operation("identity")
            return self.add(identity, (value,), name, name.span, OUTSIDE, name=name.name)
        return self.as_step(value, name, name.name)

    def as_step(self, value: Operand, tree: Tree, name: str | None = None) -> int:
        """A step for a value that may be a bare literal."""
        if isinstance(value, int):
            return value
        span = tree.span
        self.steps.append(Step("constant", name, None, (value,), NO_OPTIONS, tree, span, span))
        return len(self.steps) - 1

    # --- calls ---

    def call(self, tree: Call, scope: Scope) -> None:
        definition = None if tree.qualified else self.definitions.get(tree.name)
        match definition:
            case Define():
                arguments = arrange_arguments(tree, definition, self.source)
                self.then(self.inline, definition, scope)
                self.visit_all(arguments, scope)
            case Block():
                arguments = arrange_arguments(tree, definition, self.source)
                self.then(self.apply_block, (definition, tree), scope)
                self.visit_all(arguments, scope)
            case _:
                self.builtin(tree, scope)

    def inline(self, definition: Define, scope: Scope) -> None:
        """Lower a function's body with its parameters standing for the arguments."""
        values = self.pop(len(definition.parameters))
        local = {p.name: v for p, v in zip(definition.parameters, values, strict=True)}
        self.visit(definition.body, Scope(local, selections=scope.selections))

    def apply_block(self, called: tuple[Block, Call], scope: Scope) -> None:
        block, tree = called
        operands = self.pop(len(block.parameters))
        self.push(self.block_operation(block), operands, tree, tree.name_span, scope)

    def block_operation(self, block: Block) -> Operation:
        """The block's row, made once."""
        make = self.engine.block_operation
        assert self.names is not None
        assert make is not None
        if block.name.name not in self.blocks:
            self.blocks[block.name.name] = make(block, self.names)
        return self.blocks[block.name.name]

    def builtin(self, tree: Call, scope: Scope) -> None:
        """A function of the language: sort the arguments into operands and options."""
        row = None if tree.keywords else plain_row(tree.name, len(tree.arguments))
        if row is not None and not row.chooses:
            self.then(self.apply_row, (row, tree), scope)
            self.visit_all(tree.arguments, scope)
            return
        arranged = arrange(tree, self.source, lambda option: self.static(option, scope))
        if isinstance(arranged.operation, Composition):
            self.compose(arranged.operation, arranged, tree, scope)
            return
        self.then(self.apply_arranged, (arranged, tree), scope)
        if arranged.operation.chooses and len(arranged.operands) == 3:
            self.visit_where(arranged.operands, scope)
        else:
            self.visit_all([o for o in arranged.operands if isinstance(o, Tree)], scope)

    def compose(self, function: Composition, arranged: Arranged, tree: Call, scope: Scope) -> None:
        """Lower the text of a composition, its parameters standing for the operands."""
        options = arranged.options
        pairs = zip(function.operands, arranged.operands, strict=True)
        given = {p.name: o for p, o in pairs if o is not None}
        try:
            body = statements(function, options, frozenset(given), tree.span)
        except ValueError as error:
            self.fail(Kind.SYNTAX, str(error), tree.span)
        local: dict[str, Operand] = {n: o for n, o in given.items() if isinstance(o, Literal)}
        constants = {**options, **(function.derived(options) if function.derived else {})}
        inner = Scope(local, constants, scope.selections, composed=True)
        waiting = [(name, o) for name, o in given.items() if isinstance(o, Tree)]
        steps: list[tuple[str | None, Tree, Scope]] = [(name, o, scope) for name, o in waiting]
        steps += [(name, value, inner) for name, value in body]
        for name, value, where in reversed(steps):
            if name is not None:
                self.then(self.remember, (name, local), where)
            self.visit(value, where)

    def remember(self, named: tuple[str, dict[str, Operand]], _scope: Scope) -> None:
        """Give the latest value a name within a composition."""
        name, local = named
        local[name] = self.values.pop()

    def apply_row(self, called: tuple[Operation, Call], scope: Scope) -> None:
        """A call whose operands are its arguments."""
        operation, tree = called
        self.apply(operation, self.pop(len(tree.arguments)), NO_OPTIONS, tree, scope)

    def apply_arranged(self, called: tuple[Arranged, Call], scope: Scope) -> None:
        """A call with options, or with literals where an operand has a default."""
        (operation, operands, options), tree = called
        assert not isinstance(operation, Composition)
        written = iter(self.pop(sum(isinstance(o, Tree) for o in operands)))
        values = tuple(
            next(written) if isinstance(o, Tree) else o for o in operands if o is not None
        )
        self.apply(operation, values, options, tree, scope)

    def apply(
        self,
        operation: Operation,
        operands: tuple[Operand, ...],
        options: Mapping[str, Any],
        tree: Call,
        scope: Scope,
    ) -> None:
        if operation.symbol == "/":
            self.divide(tree, tree.name_span, operands, scope)
        else:
            self.push(operation, operands, tree, tree.name_span, scope, options)

    def visit_where(self, operands: list[Tree | Literal | None], scope: Scope) -> None:
        """The branches of a `where` are lowered as selected by its condition."""
        condition, *branches = (o for o in operands if isinstance(o, Tree))
        chosen = [Selection(chosen=True), Selection(chosen=False)]
        for branch, selection in reversed(list(zip(branches, chosen, strict=True))):
            inner = replace(scope, selections=(*scope.selections, selection))
            self.visit(branch, inner)
        self.then(self.remember_condition, chosen, scope)
        self.visit(condition, scope)

    def remember_condition(self, chosen: list[Selection], _scope: Scope) -> None:
        for selection in chosen:
            selection.condition = self.values[-1]


def _own_call(definition: Define | Block) -> Call:
    """A function applied to inputs that are named after its parameters."""
    name = definition.name
    return Call(name.name, definition.parameters, (), definition.span, name.span)
