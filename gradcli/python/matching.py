"""`match`: the statement comes in, the case that its value fits is gone through."""

from __future__ import annotations

import ast
from typing import Any

from gradcli.python.assignments import GOES_ON
from gradcli.python.builtins import is_a
from gradcli.python.statements import Handler, Statements
from gradcli.python.values import Array, Builtin, Class, Instance, Scalar, Value, unread


def _match(reader: Statements, node: ast.Match) -> int:
    subject = reader.value(node.subject)
    for case in node.cases:
        reader.budget.spend()
        if fits(reader, case.pattern, subject) and (
            case.guard is None or reader.branch(case.guard)
        ):
            return reader.run(case.body)
    return GOES_ON


def fits(reader: Statements, pattern: ast.pattern, value: Value) -> bool:
    """Whether a value fits a pattern, whose names get their values."""
    match pattern:
        case ast.MatchValue(value=wanted):
            return _equal(reader, value, reader.value(wanted), pattern)
        case ast.MatchSingleton(value=wanted):
            return value is wanted
        case ast.MatchOr(patterns=patterns):
            return any(fits(reader, p, value) for p in patterns)
        case ast.MatchAs(pattern=inner, name=name):
            if inner is not None and not fits(reader, inner, value):
                return False
            if name is not None:
                reader.set_name(name, value)
            return True
        case ast.MatchSequence(patterns=patterns):
            return _fits_sequence(reader, patterns, value)
        case ast.MatchMapping():
            return _fits_mapping(reader, pattern, value)
        case ast.MatchClass():
            return _fits_class(reader, pattern, value)
    raise unread(f"this pattern ({type(pattern).__name__}) is not read")


def _equal(reader: Statements, value: Value, wanted: Value, node: Any) -> bool:
    found = reader.compared(ast.Eq(), value, wanted, reader.where(node), node)
    return reader.truth(found, "a branch")


def _fits_sequence(reader: Statements, patterns: list[ast.pattern], value: Value) -> bool:
    if isinstance(value, Instance) and value.of.is_tuple:
        value = tuple(value.names[name] for name in value.of.fields)
    if not isinstance(value, list | tuple):
        return False
    stars = [(i, p) for i, p in enumerate(patterns) if isinstance(p, ast.MatchStar)]
    if not stars:
        return len(patterns) == len(value) and _fit_all(reader, patterns, value)
    star, starred = stars[0]
    after = len(patterns) - star - 1
    if len(value) < len(patterns) - 1:
        return False
    if starred.name is not None:
        reader.set_name(starred.name, list(value[star : len(value) - after]))
    last = value[len(value) - after :]
    return _fit_all(reader, patterns[:star], value) and _fit_all(reader, patterns[star + 1 :], last)


def _fit_all(reader: Statements, patterns: list[ast.pattern], values: Any) -> bool:
    return all(fits(reader, p, v) for p, v in zip(patterns, values, strict=False))


def _fits_mapping(reader: Statements, pattern: ast.MatchMapping, value: Value) -> bool:
    if not isinstance(value, dict):
        return False
    keys = [reader.key(reader.value(k)) for k in pattern.keys]
    if not all(k in value for k in keys):
        return False
    if pattern.rest is not None:
        reader.set_name(pattern.rest, {k: v for k, v in value.items() if k not in keys})
    return all(fits(reader, p, value[k]) for p, k in zip(pattern.patterns, keys, strict=True))


def _fits_class(reader: Statements, pattern: ast.MatchClass, value: Value) -> bool:
    kind = reader.value(pattern.cls)
    if not is_a(reader, value, kind):
        return False
    inside = list(pattern.patterns)
    names = list(pattern.kwd_attrs)
    parts = [*pattern.kwd_patterns]
    if inside and isinstance(kind, Builtin):
        return len(inside) == 1 and fits(reader, inside[0], value)
    if isinstance(kind, Class):
        names = [*kind.fields[: len(inside)], *names]
        parts = [*inside, *parts]
    if isinstance(value, Scalar | Array) or len(names) != len(parts):
        raise unread("this pattern of a class is not read")
    return all(
        fits(reader, p, reader.attribute(value, name, pattern))
        for name, p in zip(names, parts, strict=True)
    )


HANDLERS: dict[type[ast.stmt], Handler] = {ast.Match: _match}
