"""The trace as JSON: eval's object, with the steps and lines as they are written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gradcli.report import json
from gradcli.syntax.printer import print_tree

if TYPE_CHECKING:
    from gradcli.report.style import Style
    from gradcli.results.result import Result
    from gradcli.trace.paths import Focus
    from gradcli.trace.steps import Move, Step, Steps


def pieces(steps: Steps, style: Style, checked: Result, node: Focus | None = None) -> Iterator[str]:
    """The object of schema gradcli.trace/1, piece by piece; `node` adds what concerns one node."""
    return json.laid_out(document(steps, checked, node), checked.program, style)


def document(steps: Steps, checked: Result, node: Focus | None) -> Iterator[tuple[str, Any]]:
    """The object's keys and values in order; long lists as iterators."""
    for key, value in json.document(checked, "trace"):
        if key == "backward":
            yield "by", steps.by
            yield "steps", map(_step, steps.steps())
            yield "backward", map(_move, steps.moves())
        else:
            yield key, value
    if node is not None:
        yield "node", _node(node)


def _node(found: Focus) -> json.Object:
    paths = [
        {
            "nodes": [found.node.name, *(move.node.name for move in path.moves)],
            "product": json.late(path.value),
        }
        for path in found.paths
    ]
    return {
        "name": found.node.name,
        "contributions": [_move(move) for move in found.moves],
        "path_count": found.number,
        "paths": paths,
    }


def _step(step: Step) -> json.Object:
    return {
        "step": step.number,
        "name": step.node.name,
        "expression": step.expression,
        "value": json.late(step.value),
    }


def _move(move: Move) -> json.Object:
    local = None if move.local is None else print_tree(move.local, spaced=False)
    entry: json.Object = {
        "step": move.step,
        "node": move.node.name,
        "to": move.to.name,
        "local": local,
        "local_value": json.late(move.local_value),
    }
    if move.rule is not None:
        entry["rule"] = print_tree(move.rule, spaced=False)
    return entry | {
        "upstream": json.late(move.upstream),
        "contribution": json.late(move.value),
        "accumulator": json.late(move.accumulator),
        "final": move.final,
        "assign": move.assign,
        "formula": move.formula,
        "before": json.late(move.before),
        "paths": move.paths,
    }
