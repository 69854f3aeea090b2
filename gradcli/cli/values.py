"""The VALUE of `--NAME VALUE`: a constant expression of the language, or `@FILE`.

A text comes in, a float64 or an array of them goes out. Besides the language's functions a
value may use `normal(m, n)` (standard normal numbers) and `uniform(m, n)` (from 0 to 1). Each
binding draws from a generator of its own, seeded by `--seed` and the input's name, so that the
numbers depend neither on the order of the bindings nor on what else is drawn.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from gradcli.errors import GradcliError, Kind
from gradcli.language.parser import parse_expression
from gradcli.language.source import Source, Span
from gradcli.language.tree import Array, Bare, Call, Module, Tree, Tuple, postorder

MAKERS = ("normal", "uniform")
_NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


def value_of(text: str, origin: str, *, stream: str = "", seed: int = 0) -> Any:
    """The value that was written after `origin` (`--x`, `--set x`, `--upstream`).

    `stream` and `seed` choose what `normal` and `uniform` draw: a binding's stream is its name.
    Raises `GradcliError`: of kind file for what is wrong with a file, else with the place in
    the value's own text.
    """
    if text.startswith("@"):
        from gradcli.cli.data import array_from_file

        return array_from_file(text[1:])
    if _NUMBER.fullmatch(text) and math.isfinite(number := float(text)):
        return np.float64(number)  # what most values are; no parser needed
    return _evaluated(Source(text, origin), [seed, *stream.encode()])


def _evaluated(source: Source, seed: list[int]) -> Any:
    """The value of an expression without inputs."""
    from gradcli.forward import forward
    from gradcli.graph import build
    from gradcli.lower import lower
    from gradcli.names import resolve
    from gradcli.ops.operation import Type

    tree = parse_expression(source)
    drawn: dict[str, Any] = {}
    if any(_is_maker(node) for node in postorder(tree)):
        tree, drawn = _with_draws(source, tree, seed)
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
    draft = lower(names, frozenset(drawn))
    graph = build(draft, {name: Type(np.shape(array)) for name, array in drawn.items()})
    return forward(graph, drawn)[graph.output]


def _is_maker(node: Tree) -> bool:
    return isinstance(node, Call) and node.name in MAKERS and not node.qualified


def _with_draws(source: Source, tree: Tree, seed: list[int]) -> tuple[Tree, dict[str, Any]]:
    """The expression with a name for each `normal(…)` and `uniform(…)`, and what they drew.

    The names are written over the calls in the text, so every place stays where it was. They
    begin with a letter that nobody uses, and that is no part of a number (`2normal(3)`).
    """
    generator = np.random.default_rng(seed)
    text = source.text
    drawn: dict[str, Any] = {}
    calls = [node for node in postorder(tree) if isinstance(node, Call) and _is_maker(node)]
    for call in sorted(calls, key=lambda call: call.span):
        shape = _shape(source, call)
        name = f"ᚱ{len(drawn)}"
        draw = generator.standard_normal if call.name == "normal" else generator.random
        drawn[name] = np.float64(draw()) if not shape else draw(shape)
        start, end = call.span
        text = text[:start] + name.ljust(end - start) + text[end:]
    return parse_expression(Source(text, source.name)), drawn


def _shape(source: Source, call: Call) -> tuple[int, ...]:
    """The sizes in `normal(2, 3)` or `normal((2, 3))`. Raises `GradcliError`."""
    from gradcli.program import constant_value_of

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
        if np.ndim(number) or not float(number).is_integer() or not 0 <= number < 2**48:
            raise error("a size is a whole number", size.span)
        shape.append(int(number))
    if len(shape) > 32 or math.prod(shape) >= 2**48:
        raise error("this is too large", call.span)
    return tuple(shape)
