"""Functions with `yield`: gone through as far as their items are taken.

Only the statements around a `yield` are gone through here, as Python generators; all others by the
handlers that they have anyway.
"""

from __future__ import annotations

import ast
from collections.abc import Generator, Iterator
from functools import lru_cache
from typing import TypeAlias

from gradcli.diagnostics.error import GradcliError
from gradcli.python.assignments import BREAK, GOES_ON, RETURN
from gradcli.python.statements import Statements
from gradcli.python.values import Unknown, Unread, Value, unread

InTurns: TypeAlias = Generator[Value, None, int]


def run_in_turns(reader: Statements, body: list[ast.stmt]) -> InTurns:
    """The items that statements yield; gives back how the last one ended."""
    for statement in body:
        if not yields(statement):
            end = reader.one(statement)
        else:
            reader.budget.spend()
            end = yield from _turn_of(reader, statement)
        if end != GOES_ON:
            return end
    return GOES_ON


def _turn_of(reader: Statements, node: ast.stmt) -> InTurns:
    """The items of a statement with a `yield` in it."""
    match node:
        case ast.Expr(value=ast.Yield(value=value)):
            yield None if value is None else reader.value(value)
            return GOES_ON
        case ast.Expr(value=ast.YieldFrom(value=value)):
            yield from reader.iterated(reader.value(value), reader.where(value))
            return GOES_ON
        case ast.Assign(value=ast.Yield(value=value)):  # nothing is sent into a generator here
            yield None if value is None else reader.value(value)
            for target in node.targets:
                reader.give(target, None, node)
            return GOES_ON
        case ast.Try(handlers=[]):
            end = yield from run_in_turns(reader, node.body)
            return reader.run(node.finalbody) or end
        case ast.For() | ast.While():
            return (yield from _loop_in_turns(reader, node))
        case ast.If():
            chosen = node.body if reader.branch(node.test) else node.orelse
            return (yield from run_in_turns(reader, chosen))
        case ast.With():
            return (yield from run_in_turns(reader, node.body))
    raise unread("'yield' is read as a statement, in loops, branches and 'with'")


def _loop_in_turns(reader: Statements, node: ast.For | ast.While) -> InTurns:
    depth = len(reader.turns)
    for _ in reader.turns_of(node):
        end = yield from run_in_turns(reader, node.body)
        if end in (RETURN, BREAK):
            del reader.turns[depth:]
            return RETURN if end == RETURN else GOES_ON
    return (yield from run_in_turns(reader, node.orelse))


def generated(reader: Statements, node: ast.FunctionDef) -> Iterator[Value]:
    """The items of a function's body. Raises `Unread` with its place."""
    before = reader.budget.share()
    try:
        end = yield from run_in_turns(reader, node.body)
    except GradcliError as error:
        reader.blame(error, node, node.args if node.args.args else node, before)
        raise
    except Unread as stop:
        raise reader.placed(stop, node) from None
    if end == RETURN and isinstance(reader.result, Unknown):
        raise Unread(reader.result)


@lru_cache(maxsize=1024)
def yields(node: ast.AST) -> bool:
    """Whether a statement has a `yield` in it, functions inside of it not counted."""
    waiting = list(ast.iter_child_nodes(node))
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(one, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(one)
    return False
