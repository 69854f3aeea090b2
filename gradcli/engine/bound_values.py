"""The value of a bound input: a constant expression of the language, with random numbers.

Besides the language's functions a value may use `normal(m, n)` (standard normal numbers) and
`uniform(m, n)` (from 0 to 1). Each binding draws from a generator of its own, seeded by the
seed and the input's name, so that the numbers depend neither on the order of the bindings nor on
what else is drawn.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Source, Span
from gradcli.engine.constant import ENGINE, constant_value
from gradcli.engine.forward import forward
from gradcli.graph.build import MOST_ELEMENTS, build
from gradcli.graph.lower import lower, lower_formula
from gradcli.graph.resolve import resolve
from gradcli.ops.operation import Type
from gradcli.syntax.parser import parse_expression
from gradcli.syntax.tree import (
    Array,
    Bare,
    Call,
    Module,
    Tree,
    Tuple,
    postorder,
)

MAKERS = ("normal", "uniform")


def stream_seed(seed: int, name: str) -> list[int]:
    """What the generator of one binding is seeded with."""
    return [seed, *name.encode()]


def constant_value_of(source: Source, tree: Tree) -> Any:
    """The value of a constant expression of the language (`-4`, `pi/2`, `eye(3)`)."""
    return constant_value(source, *lower_formula(source, tree, (), {}, engine=ENGINE))


def evaluated(source: Source, tree: Tree, seed: list[int]) -> Any:
    """The value of an expression without inputs, which `tree` is and `source` has the text of.

    Raises `GradcliError` (name, syntax, shape, and where the mathematics fails).
    """
    if not any(_is_maker(node) for node in postorder(tree)):
        return _computed(source, tree, {})
    drawing, drawn, calls = _with_draws(source, tree, seed)
    try:
        return _computed(drawing, parse_expression(drawing), drawn)
    except GradcliError as error:
        for name, call in calls.items():
            error.message = error.message.replace(name, call)
            error.hint = error.hint and error.hint.replace(name, call)
        error.source = source
        error.span = error.span and error.span.moved(tree.span.start)
        error.labels = tuple(
            label._replace(span=label.span.moved(tree.span.start)) for label in error.labels
        )
        raise


def _computed(source: Source, tree: Tree, drawn: dict[str, Any]) -> Any:
    names = resolve(Module((Bare(tree, tree.span),), source))
    for name in names.inputs(()):
        if name not in drawn:
            raise GradcliError(
                Kind.NAME,
                f"a value can't depend on '{name}'",
                source=source,
                span=names.free[name].span,
                hint="it is a number, an array, or an expression of constants; @FILE reads a file",
            )
    draft = lower(names, frozenset(drawn), engine=ENGINE)
    graph = build(draft, {name: Type(np.shape(array)) for name, array in drawn.items()})
    return forward(graph, drawn)[graph.output]


def _is_maker(node: Tree) -> bool:
    return isinstance(node, Call) and node.name in MAKERS and not node.qualified


def _with_draws(
    source: Source, tree: Tree, seed: list[int]
) -> tuple[Source, dict[str, Any], dict[str, str]]:
    """The expression's own text with a name for each `normal(…)` and `uniform(…)`.

    By the names: what they drew, and how they are written.

    The names are written over the calls in the text and are as long, so every place stays where
    it was. They begin with a letter of an ancient alphabet, which can't be part of a number
    (`2normal(3)`).
    """
    generator = np.random.default_rng(seed)
    drawn: dict[str, Any] = {}
    written: dict[str, str] = {}
    pieces: list[str] = []
    place = tree.span.start
    calls = [node for node in postorder(tree) if isinstance(node, Call) and _is_maker(node)]
    for call in sorted(calls, key=lambda call: call.span):
        shape = _shape(source, call)
        start, end = call.span
        name = f"ᚱ{len(drawn)}".ljust(end - start, "_")
        written[name] = " ".join(source.text[start:end].split())
        draw = generator.standard_normal if call.name == "normal" else generator.random
        drawn[name] = np.float64(draw()) if not shape else draw(shape)
        pieces += [source.text[place:start], name]
        place = end
    pieces.append(source.text[place : tree.span.end])
    return Source("".join(pieces), source.name), drawn, written


def _shape(source: Source, call: Call) -> tuple[int, ...]:
    """The sizes in `normal(2, 3)` or `normal((2, 3))`. Raises `GradcliError`."""
    sizes = call.arguments
    if len(sizes) == 1 and isinstance(sizes[0], Tuple | Array):
        sizes = sizes[0].elements

    def error(message: str, span: Span) -> GradcliError:
        form = f"{call.name}(), {call.name}(3), {call.name}(2, 3)"
        return GradcliError(Kind.SYNTAX, message, source=source, span=span, hint=f"as in {form}")

    if call.keywords:
        raise error(f"{call.name} has no argument '{call.keywords[-1]}'", call.arguments[-1].span)
    shape = []
    for size in sizes:
        if any(_is_maker(node) for node in postorder(size)):
            raise error("a size can't be drawn", size.span)
        number = constant_value_of(source, size)
        if np.ndim(number) or not float(number).is_integer() or not 0 < number < 2**48:
            raise error("a size is a whole number above 0", size.span)
        shape.append(int(number))
    if len(shape) > 32 or math.prod(shape) > MOST_ELEMENTS:
        raise error(f"an array has at most {MOST_ELEMENTS:,} elements", call.span)
    return tuple(shape)
