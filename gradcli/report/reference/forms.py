"""Operations as they are written, with their derivative rules: what `ops` and its page show.

A row of the operation table comes in. Where its rules depend on shapes and options, the row is
applied to its own samples, with names in place of the operands; every application that has
rules of its own is a `Form`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

import numpy as np

from gradcli import ops
from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.source import Source
from gradcli.engine.bound_values import constant_value_of
from gradcli.engine.notation import NOWHERE, OPERATORS, operation_arity
from gradcli.ops.operation import Notation, Operation, Shape
from gradcli.program import Program
from gradcli.report.json import written as value_text
from gradcli.syntax.parser import parse_expression
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import Array, Call, Compare, Index, Name, Operator, Tree, Tuple

Of = TypeVar("Of", Operation, ops.Composition)


class Form(NamedTuple):
    """An operation as it is written, and the rule for each of its operands."""

    text: str
    shapes: dict[str, Shape]
    """The operands' shapes that the rules hold for; empty where they hold for all."""
    rules: dict[str, str]
    """The local derivative, or what is sent to the operand in terms of `delta`."""
    running: dict[str, str]
    """Those rules that run in another form, which keeps more digits."""


class Example(NamedTuple):
    """An operation on named operands with values."""

    text: str
    operands: dict[str, Any]


_NUMBER = re.compile(r"\d+")
_WHOLE = re.compile(r"\.0\b")

LAST_GROUP = "used in derivatives"


def groups() -> dict[str, list[Operation]]:
    """All operations by group, what only derivatives need at the end."""
    found = by_group(ops.TABLE)
    last = found.pop(LAST_GROUP)
    return {**found, LAST_GROUP: last}


def by_group(forms: Iterable[Of]) -> dict[str, list[Of]]:
    """Operations, or functions of several, by group."""
    found: dict[str, list[Of]] = {}
    for each in forms:
        found.setdefault(each.group, []).append(each)
    return found


def written(row: Operation) -> str:
    """How an operation is written: `x + y`, `|x|`, `clip(x, lo, hi)`."""
    if row.symbol is not None:
        return print_tree(_operator(row, tuple(Name(p.name, NOWHERE) for p in row.operands)))
    if row.aliases:
        return ops.signature(row, row.aliases[0])
    return ops.signature(row) if row.notation is Notation.CALL else row.notation


def _operator(row: Operation, operands: tuple[Tree, ...]) -> Tree:
    symbol = row.symbol
    assert symbol is not None
    if symbol in OPERATORS:
        return Operator(symbol, operands[: operation_arity(symbol)], NOWHERE, NOWHERE)
    return Compare((symbol,), operands, NOWHERE, (NOWHERE,))


def forms(row: Operation) -> list[Form]:
    """Every set of rules that the row's samples lead to, the first sample's first.

    Rules that differ only in numbers (the 3 of a mean of three) are one set.
    """

    def form(
        text: str, shapes: dict[str, Shape], rules: tuple[str, ...], running: tuple[str, ...]
    ) -> Form:
        names = row.operand_names(len(rules))
        other = {n: c for n, r, c in zip(names, rules, running, strict=True) if c not in ("", r)}
        return Form(text, shapes, dict(zip(names, rules, strict=True)), other)

    if isinstance(row.rules, tuple) and isinstance(row.careful, tuple):
        return [form(written(row), {}, row.rules, row.careful or ("",) * len(row.rules))]
    found: dict[str, Form] = {}
    for example in examples(row):
        program = Program(example.text)
        graph = program.graph(example.operands)
        node = next(node for node in reversed(graph.nodes) if node.operation is row)
        rules, running = row.formulas(graph.site(node)), row.running(graph.site(node))
        shapes = {} if row.elementwise else {n: np.shape(v) for n, v in example.operands.items()}
        found.setdefault(
            _NUMBER.sub("0", " ".join(rules)), form(example.text, shapes, rules, running)
        )
    return list(found.values())


def commands(row: Operation) -> Iterator[str]:
    """Commands that evaluate the row on its samples, as far as it has a derivative there."""
    return filter(None, map(_command, examples(row)))


def _command(example: Example) -> str | None:
    graph = Program(example.text).graph(example.operands)
    single = graph.nodes[graph.output].type.size == 1
    text = example.text if single or not example.operands else f"sum({example.text})"
    try:
        Program(text).evaluate(example.operands, gradient=bool(example.operands), check=False)
    except GradcliError:
        return None
    values = [_binding(name, value) for name, value in example.operands.items()]
    return " ".join([f'gradcli eval "{text}"', *(values or ["--value"])])


def _binding(name: str, value: Any) -> str:
    """`--x 3`, or `--set value=3` for the name that is an option too."""
    option, text = f"--{name}", _WHOLE.sub("", value_text(value))
    if name == "value":
        option, text = "--set", f"{name}={text}"
    return f'{option} "{text}"' if np.ndim(value) else f"{option} {text}"


def examples(row: Operation) -> Iterator[Example]:
    """The row on its samples, with names for the operands.

    Samples with the transpose of a vector are left out: no input can be one.
    """
    for sample in row.samples:
        if row.notation is Notation.SAME:
            source, tree = _parsed(sample)
            yield Example("y = x", {"x": constant_value_of(source, tree)})
        elif row.notation in {Notation.ARRAY, Notation.INDEX}:
            yield _bracketed(row, sample)
        elif ".T" not in sample:
            yield _called(row, sample)


def _parsed(text: str) -> tuple[Source, Tree]:
    source = Source(text)
    return source, parse_expression(source)


def _bracketed(row: Operation, sample: str) -> Example:
    """Rows that are written with brackets: arrays of numbers, and their elements."""
    source, tree = _parsed(sample)
    if isinstance(tree, Index):
        text = print_tree(Index(Name("x", NOWHERE), tree.items, NOWHERE))
        return Example(text, {"x": constant_value_of(source, tree.base)})
    assert isinstance(tree, Array)
    rows = [part.elements if isinstance(part, Array) else (part,) for part in tree.elements]
    leaves = [leaf for part in rows for leaf in part]
    names = row.operand_names(len(leaves))
    operands = {n: constant_value_of(source, t) for n, t in zip(names, leaves, strict=True)}
    waiting = iter(names)
    renamed = tuple(
        Array(tuple(Name(next(waiting), NOWHERE) for _ in part.elements), NOWHERE)
        if isinstance(part, Array)
        else Name(next(waiting), NOWHERE)
        for part in tree.elements
    )
    return Example(print_tree(Array(renamed, NOWHERE)), operands)


def _called(row: Operation, sample: str) -> Example:
    """A call, or an operator with its operands."""
    source, call = _parsed(f"f({sample})")
    assert isinstance(call, Call)
    count = len(call.arguments) - len(call.keywords)
    names = iter(row.operand_names(len(row.operands) + count))
    operands: dict[str, Any] = {}

    def named(tree: Tree) -> Tree:
        name = next(names)
        operands[name] = constant_value_of(source, tree)
        return Name(name, NOWHERE)

    arguments: list[Tree] = []
    waiting = list(call.arguments[:count])
    for p in row.parameters:
        if p.variadic and row.sequence:
            parts = waiting.pop(0).children()
            arguments.append(Tuple(tuple(map(named, parts)), NOWHERE))
        elif p.variadic:
            arguments += map(named, waiting)
            waiting = []
        elif waiting:
            first = waiting.pop(0)
            # A quotient of two inputs is two operations; `div` has a constant below.
            constant = p.option or (row.is_quotient and p == row.operands[1])
            arguments.append(first if constant else named(first))
    if row.symbol is not None and not call.keywords and len(row.parameters) == len(arguments):
        return Example(print_tree(_operator(row, tuple(arguments))), operands)
    arguments += call.arguments[count:]
    text = Call(row.aliases[0], tuple(arguments), call.keywords, NOWHERE, NOWHERE)
    return Example(print_tree(text), operands)
