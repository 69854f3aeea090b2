"""From a tree to a draft of the graph: which operations there are, and in which order.

A module and the choice of an output come in; out comes a `Draft`: one `Step` per written
operation in evaluation order, with names, and without shapes. Functions are inlined here,
literals move into the operations that use them, and steps that do not reach the output (the last
statement, or what `--output` names) are dropped. What is left needs only the shapes of the inputs
to become a graph.

Nothing recurses: `work` has the loop. What is done with operators, names and arrays is in
`operators`, with calls in `calls`, with statements here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradcli import ops
from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Source
from gradcli.diagnostics.suggestion import did_you_mean
from gradcli.graph.calls import call
from gradcli.graph.draft import NO_OPTIONS, Draft, Operand, Step, named, pruned
from gradcli.graph.names import Names
from gradcli.graph.operators import INNER, LEAVES
from gradcli.graph.work import OUTSIDE, Engine, Scope, Work
from gradcli.syntax.tree import Assign, Augment, Bare, Block, Call, Define, Name, Tree

MOST_OPERATIONS = 8_000_000
"""Functions that call functions can unfold to any size; larger programs are refused."""

RULES = LEAVES, {**INNER, Call: call}


def lower(
    names: Names, bound: frozenset[str], output: str | None = None, *, engine: Engine
) -> Draft:
    """The draft for a program's last statement, or for the node called `output`.

    `bound` are the names that the user gave a value; they decide what `e` and `pi` are.
    Raises `GradcliError` (kinds name, syntax, shape).
    """
    work = Work(*RULES, names.source, engine, names, keep_divisions=False)
    names.expect_one_spelling(bound)
    inputs = names.inputs(bound)
    live = _live_names(names, output)
    _refuse_too_large(names, live)
    for name in inputs:
        if name in live:
            work.nodes[name] = work.add_input(name, names.free[name])
    for statement in names.module.statements:
        if isinstance(statement, Assign) and statement.name.name in live:
            value = work.evaluate(statement.value, OUTSIDE)
            work.nodes[statement.name.name] = _assigned(work, statement.name, value)
    result = _output(work, names, output if output in live else None)
    numbered = named(pruned(names.source, work.steps, result), names.words | bound)
    if output is None or output in live:
        return numbered
    return _restricted(numbered, output, names)


def lower_formula(
    source: Source,
    tree: Tree,
    operands: tuple[str, ...],
    constants: Mapping[str, Any],
    *,
    engine: Engine,
) -> tuple[list[Step], Operand]:
    """A formula over named operands, a derivative's most often: all steps, unnamed, and the result.

    The steps begin with one input per operand, used or not.
    """
    work = Work(*RULES, source, engine)
    local = {name: work.add_input(name, tree) for name in operands}
    result = work.evaluate(tree, Scope(local, constants))
    return work.steps, result


def lower_block_body(block: Block, names: Names, *, engine: Engine) -> tuple[list[Step], Operand]:
    """The value of a block over its parameters: all steps, unnamed, and the result."""
    work = Work(*RULES, names.source, engine, names)
    local = {p.name: work.add_input(p.name, p) for p in block.parameters}
    result = work.evaluate(block.body, Scope(local))
    return work.steps, result


def _live_names(names: Names, output: str | None) -> set[str]:
    """The names that the output needs. Raises `GradcliError` if it is a function."""
    last = names.module.statements[-1]
    definition = names.definitions.get(output or "")
    if isinstance(definition, Define | Block) and definition is not last:
        hint = "an output is a node; end the program with a call of the function"
        raise names.error(f"the output '{output}' is a function", definition.name.span, hint)
    if output is not None and (output in names.definitions or output in names.free):
        return names.live(output)
    return names.live(names.last)


def _refuse_too_large(names: Names, live: set[str]) -> None:
    """Raise `GradcliError` if the program unfolds to more operations than that."""
    nodes = {name for name in live if isinstance(names.definitions.get(name), Assign)}
    size = sum(names.sizes[name] for name in nodes | {names.last})
    if size > MOST_OPERATIONS:
        what = f"the program unfolds to more than {MOST_OPERATIONS:,} operations"
        hint = "each call of a function becomes operations of its own"
        raise names.error(what, names.module.statements[-1].span, hint, kind=Kind.SYNTAX)


def _restricted(draft: Draft, output: str, names: Names) -> Draft:
    """The part of a named draft that leads to one of its nodes."""
    for i, step in enumerate(draft.steps):
        if step.name == output:
            return pruned(draft.source, draft.steps, i)
    nodes = [step.name for step in draft.steps if step.name]
    known = list(dict.fromkeys([*nodes, *names.definitions]))
    hint = did_you_mean(output, known) or f"its nodes are {', '.join(known[:12])}"
    raise GradcliError(Kind.NAME, f"the program has no node '{output}'", hint=hint)


def _output(work: Work, names: Names, wanted: str | None) -> int:
    """The number of a node by its name, or of the last statement, once the others are lowered."""
    if wanted is not None and wanted in work.nodes:
        return work.nodes[wanted]
    last = names.module.statements[-1] if wanted is None else names.definitions[wanted]
    assert not isinstance(last, Augment)
    if isinstance(last, Assign):
        return work.nodes[last.name.name]
    if isinstance(last, Bare):
        return _as_step(work, work.evaluate(last.value, OUTSIDE), last.value)
    # A function is applied to inputs that are named after its parameters.
    own_call = Call(last.name.name, last.parameters, (), last.span, last.name.span)
    return _assigned(work, last.name, work.evaluate(own_call, OUTSIDE))


def _assigned(work: Work, name: Name, value: Operand) -> int:
    """Give a value a name: an unnamed operation takes it, anything else gets a step."""
    if not isinstance(value, int):
        return _as_step(work, value, name, name.name)
    step = work.steps[value]
    if step.name is not None:
        identity = ops.operation("identity")
        return work.add(identity, (value,), name, name.span, OUTSIDE, name=name.name)
    work.steps[value] = step.called(name.name)
    return value


def _as_step(work: Work, value: Operand, tree: Tree, name: str | None = None) -> int:
    """A step for a value that may be a bare literal."""
    if isinstance(value, int):
        return value
    span = tree.span
    work.steps.append(Step("constant", name, None, (value,), NO_OPTIONS, tree, span, span))
    return len(work.steps) - 1
