"""The derivative's formulas of a program, checked: what `gradcli diff` prints.

A draft or a graph comes in with what is known of its inputs; a `Derivative` goes out. A program of
several statements keeps its names: the formulas are then the lines of a backward pass, in its
order. Formulas that would be too long are written in terms of all nodes of the graph.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.names import is_name
from gradcli.engine.notation import expression
from gradcli.engine.run import Executable, active_nodes
from gradcli.formulas import check, second
from gradcli.formulas.derive import Deriver, TooLongError, refuse_arrays
from gradcli.formulas.read import SizeError
from gradcli.formulas.sizes import Sizes, found_sizes, graph_of, with_letters
from gradcli.formulas.types import Derivative, Formula, Task
from gradcli.graph.draft import Draft
from gradcli.graph.graph import Graph
from gradcli.graph.resolve import chosen_inputs
from gradcli.ops.operation import Shape, Type

MOST_NODES = 3_000
"""Programs of more operations keep the names of all nodes."""


def task_of(
    draft: Draft,
    values: Mapping[str, Any],
    shapes: Mapping[str, Shape],
    ranks: Mapping[str, int],
    wrt: tuple[str, ...] | None,
    **more: Any,
) -> Task:
    """The task for a program's draft, sizes found.

    `values` are those that inputs have, `shapes` the sizes that are given without a value, `ranks`
    the number of axes of inputs of unknown size. Raises `GradcliError`: name for what is no input,
    shape where no sizes fit.
    """
    inputs = [step.name or "" for step in draft.steps if step.kind == "input"]
    for name in (*shapes, *ranks):
        if name not in inputs:
            raise unknown_size(name, inputs)
    known = {name: np.shape(value) for name, value in values.items() if name in inputs}
    for name, shape in shapes.items():
        if known.setdefault(name, shape) != shape:
            raise GradcliError(
                Kind.SHAPE,
                f"'{name}' is {Type(known[name])} by its value, and {Type(shape)} by --shape",
            )
    for name, rank in ranks.items():
        if name in known and len(known[name]) != rank:
            raise GradcliError(
                Kind.SHAPE,
                f"'{name}' is {Type(known[name])}, and not a {('vector', 'matrix')[rank - 1]}",
            )
    sizes = found_sizes(draft, known, ranks)
    which = (0, 1) if sizes.free else (0,)
    return task_for(
        graph_of(draft, sizes.shapes),
        tuple(graph_of(draft, sizes.example(k)) for k in which),
        sizes,
        {name: value for name, value in values.items() if name in inputs},
        wrt,
        (*(name for name, rank in ranks.items() if rank == 2), *shapes, *ranks),
        **more,
    )


def task_for(
    graph: Graph,
    examples: tuple[Graph, ...],
    sizes: Sizes,
    point: Mapping[str, Any],
    wrt: tuple[str, ...] | None,
    first: Iterable[str] = (),
    **more: Any,
) -> Task:
    """The task for a graph; inputs in `first` come first.

    Raises `GradcliError` of kind name where it has no inputs.
    """
    if not graph.inputs:
        raise GradcliError(
            Kind.NAME, "the program has no inputs to differentiate by", source=graph.source
        )
    chosen = chosen_inputs(wrt, graph.input_numbers)
    inputs = dict.fromkeys((*first, *(graph.nodes[i].name for i in graph.inputs)))
    names = [name for name in inputs if name in chosen]
    return Task(
        program=graph.source.text,
        graph=graph,
        examples=examples,
        sizes=sizes.letters(),
        free=sizes.free,
        wrt=tuple(names),
        point=point,
        **more,
    )


def formulas_of(task: Task) -> Derivative:
    """The formulas, each compared with backpropagation.

    Raises `GradcliError`: shape for an output of several elements, domain where no point is found
    to check the formulas at.
    """
    output = task.graph.nodes[task.graph.output].type
    refuse_arrays(task.graph, with_letters(str(output), task.free))
    try:
        found = second.derivatives(task) if task.order == 2 else _first(task)
    except SizeError as error:
        raise _size_needed(task.graph, error.length) from None
    rng = np.random.default_rng([task.seed, *task.program.encode()])
    points = check.samples(task.examples, task.point, rng)
    expected = second.expected if task.order == 2 else _expected
    worst = check.agreement(found.formulas, points, expected)
    if worst < -np.log10(check.TOLERANCE):
        raise RuntimeError(f"a formula of {task.program!r} differs from backpropagation")
    found = replace(found, points=sum(sample.count for sample in points), digits=worst)
    return _with_values(found, task, expected)


def _size_needed(graph: Graph, length: int) -> GradcliError:
    inputs = [graph.nodes[i] for i in graph.inputs if length in graph.nodes[i].type.shape]
    name, shape = (inputs[0].name, inputs[0].type.shape) if inputs else ("x", (length,))
    example = "x".join("3" for _ in shape)
    return GradcliError(
        Kind.SHAPE,
        f"the formula depends on the size of '{name}', which isn't known",
        source=graph.source,
        hint=f"give it: --shape {name}={example}",
    )


def _first(task: Task) -> Derivative:
    graph = task.graph
    names = frozenset() if task.expand else task.statements
    words = {node.name for node in graph.nodes}
    if any(f"delta_{name}" in words for name in names):
        names = frozenset()  # δ of a node would have another node's name
    named = {n.id for n in graph.nodes if n.name in names and n.id != graph.output}
    if len(graph.nodes) <= MOST_NODES:
        with suppress(TooLongError):
            return _by_names(task, named, ())
    own = {n.id for n in graph.nodes if n.kind != "input" and n.id != graph.output}
    own = {i for i in own if is_name(graph.nodes[i].name)}
    given = [i for i in sorted(own) if graph.nodes[i].name not in task.statements]
    return _by_names(task, own, given)


def _by_names(task: Task, named: Collection[int], given: Iterable[int]) -> Derivative:
    """Formulas in which these nodes keep their names; `given` are those that need a definition."""
    graph = task.graph
    deriver = Deriver(graph, named, task.free)
    wanted = {graph.input_numbers[name] for name in task.wrt}
    active = graph.dependent(wanted)
    order = _backward_order(graph, named)
    targets = [i for i in order if i in wanted or (i in named and active[i])]
    if not named:
        targets = [graph.input_numbers[name] for name in task.wrt]
    found = ((graph.nodes[i], tree) for i, tree in deriver.first(targets).items())
    shown = [Formula.of((node.name,), tree, node.type.shape) for node, tree in found]
    if named:
        shown = [replace(f, text=_upstream_apart(f.text)) for f in shown]
    return Derivative(
        program=task.program,
        output=task.output,
        order=1,
        formulas=tuple(shown),
        named=bool(named),
        shapes={s.label: s.type.shape for s in deriver.symbols.values()},
        sizes=task.sizes,
        graph=task.examples[0],
        definitions=tuple((graph.nodes[i].name, expression(graph, graph.nodes[i])) for i in given),
    )


def _backward_order(graph: Graph, named: Collection[int]) -> list[int]:
    """Names and inputs in the order in which a backward pass completes their accumulators."""
    ends = sorted({*named, graph.output})
    last: dict[int, int] = {}
    owner = graph.output
    for node in reversed(graph.nodes):
        if node.id in ends:
            owner = node.id
        for operand in node.operands:
            if isinstance(operand, int) and (
                operand in named or graph.nodes[operand].kind == "input"
            ):
                last[operand] = owner

    def place(i: int) -> int:
        """Where a name first stands in the statement that it belongs to."""
        span, text = graph.nodes[last[i]].span, graph.source.text
        word = rf"(?<!\w){re.escape(graph.nodes[i].name)}(?!\w)"
        found = re.search(word, text[span.start : span.end])
        return found.start() if found else len(text)

    return sorted(last, key=lambda i: (-last[i], place(i)))


def _upstream_apart(text: str) -> str:
    """`delta_z * a*(1 - a)`: spaces between upstream and local derivative, outside of brackets."""
    parts, depth, start = [], 0, 0
    for match in re.finditer(r"[()\[\]]|(delta_\w+)\*", text):
        if match[1] is None:
            depth += 1 if match[0] in "([" else -1
        elif depth == 0:
            parts += [text[start : match.end() - 1], " * "]
            start = match.end()
    return "".join([*parts, text[start:]])


# --- the check ---------------------------------------------------------------------------


def _expected(formula: Formula, sample: check.Sample) -> tuple[Any, Any]:
    """δ by the backward pass, and the largest contribution to it."""
    node = next(n for n in sample.graph.nodes if n.name == formula.wrt[0])
    found = sample.deltas[node.id]
    zero = np.zeros((sample.count, *node.type.shape))
    return zero if found is None else found, sample.sent[node.id]


def _with_values(found: Derivative, task: Task, expected: check.Expected) -> Derivative:
    """The formulas with their numbers, where all inputs have a value."""
    graph = task.graph
    names = [graph.nodes[i].name for i in graph.inputs]
    if not task.point.keys() >= {*names} or task.free:
        return found
    given = {name: task.point[name] for name in names}
    upstream = np.ones(graph.nodes[graph.output].type.shape)[()]
    active = active_nodes(graph, None)
    passes = Executable(graph).both(given, active, upstream, allow_nonfinite=task.allow_nonfinite)
    sample = check.sample_of(graph, [passes])
    shown = tuple(check.with_value(f, sample, expected) for f in found.formulas)
    return replace(found, formulas=shown, point=given)


def unknown_size(name: str, inputs: Iterable[str]) -> GradcliError:
    """The error of a size for something that is no input."""
    listed = ", ".join(inputs)
    return GradcliError(
        Kind.NAME,
        f"'{name}' isn't an input of the program",
        hint=f"its inputs are {listed}" if listed else "it has no inputs",
    )
