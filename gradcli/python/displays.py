"""Lists, sets, dictionaries, texts and generators that are written out, or by their loops.

An expression comes in, its value comes out.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from gradcli.diagnostics.error import GradcliError
from gradcli.python.expressions import Expressions
from gradcli.python.texts import in_format
from gradcli.python.values import Scope, Stream, Value, unread


def _dict_written(reader: Expressions, node: ast.Dict) -> Value:
    """A dictionary, with `**more` taken apart."""
    found: dict[Any, Value] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            more = reader.value(value)
            if not isinstance(more, dict):
                raise unread("'**' takes a dictionary")
            reader.budget.spend(len(more))
            found |= more
        else:
            found[reader.key(reader.value(key))] = reader.soft(value)
    return found


def _text_written(reader: Expressions, node: ast.JoinedStr) -> Value:
    parts: list[str] = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value))
        elif isinstance(part, ast.FormattedValue):
            parts.append(_formatted_value(reader, part))
    reader.budget.characters(sum(map(len, parts)))
    return "".join(parts)


def _formatted_value(reader: Expressions, node: ast.FormattedValue) -> str:
    """What stands in the braces of an f-string."""
    value = reader.value(node.value)
    if node.conversion == ord("r") and isinstance(value, str):
        value = repr(value)
    form = reader.value(node.format_spec) if node.format_spec is not None else ""
    return in_format(reader, value, form)


def _comprehended(reader: Expressions, node: Any) -> Iterator[None]:
    """Each turn of the loops of a comprehension, in a scope of its own."""
    outer, before = reader.scope, reader.budget.share()
    first = reader.value(node.generators[0].iter)
    reader.scope = Scope(outer, outer.function)
    try:
        yield from _turns(reader, node.generators, 0, first)
    except GradcliError as error:
        reader.blame(error, node, node, before)
        raise
    finally:
        reader.scope = outer


def _turns(
    reader: Expressions, generators: list[ast.comprehension], i: int, of: Value
) -> Iterator[None]:
    one = generators[i]
    for item in reader.iterated(of, reader.where(one.iter)):
        reader.bind(one.target, item)
        if not all(reader.branch(test) for test in one.ifs):
            continue
        if i + 1 == len(generators):
            yield
        else:
            yield from _turns(reader, generators, i + 1, reader.value(generators[i + 1].iter))


def _generator(reader: Expressions, node: ast.GeneratorExp) -> Value:
    """A generator: what its first loop goes through is computed at once, all else later."""
    first = reader.value(node.generators[0].iter)
    scope = Scope(reader.scope, reader.scope.function)
    return Stream(reader.in_scope(_generated_items(reader, node, first), scope))


def _generated_items(reader: Expressions, node: ast.GeneratorExp, first: Value) -> Iterator[Value]:
    before = reader.budget.share()
    try:
        for _ in _turns(reader, node.generators, 0, first):
            yield reader.soft(node.elt)
    except GradcliError as error:
        reader.blame(error, node, node, before)
        raise


def _dict_of(reader: Expressions, node: ast.DictComp) -> Value:
    """A dictionary; its values may be unknown."""
    return {
        reader.key(reader.value(node.key)): reader.soft(node.value)
        for _ in _comprehended(reader, node)
    }


VISITORS: dict[type[ast.AST], Callable[[Any, Any], Value]] = {
    ast.Tuple: lambda reader, node: tuple(reader.items_of(node.elts)),
    ast.List: lambda reader, node: reader.items_of(node.elts),
    ast.Set: lambda reader, node: set(map(reader.key, reader.items_of(node.elts))),
    ast.Dict: _dict_written,
    ast.ListComp: lambda reader, node: [reader.soft(node.elt) for _ in _comprehended(reader, node)],
    ast.GeneratorExp: _generator,
    ast.SetComp: lambda reader, node: {
        reader.key(reader.value(node.elt)) for _ in _comprehended(reader, node)
    },
    ast.DictComp: _dict_of,
    ast.JoinedStr: _text_written,
}
