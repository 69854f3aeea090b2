"""The trace as JSON: steps in; eval's object out, with the lines as they are written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gradcli.report import json
from gradcli.syntax.printer import print_tree
from gradcli.trace.explain import Explainer

if TYPE_CHECKING:
    from gradcli.report.style import Style
    from gradcli.results.result import Result
    from gradcli.trace.paths import Focus
    from gradcli.trace.steps import Move, Step, Steps


def pieces(
    steps: Steps,
    style: Style,
    checked: Result,
    node: Focus | None = None,
    *,
    explain: bool = False,
) -> Iterator[str]:
    """The object of schema gradcli.trace/1, piece by piece.

    `node` adds what concerns one node, `explain` a step's sentences.
    """
    return json.laid_out(document(steps, checked, node, explain=explain), checked.program, style)


def document(
    steps: Steps, checked: Result, node: Focus | None, *, explain: bool = False
) -> Iterator[tuple[str, Any]]:
    """The object's keys and values in order; long lists as iterators."""
    said = Explainer(steps) if explain else None
    for key, value in json.document(checked, "trace"):
        if key == "backward":
            yield "by", steps.by
            yield "steps", (_step(step, said) for step in steps.steps())
            yield "backward", (_move(move, said) for move in steps.moves())
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


def _step(step: Step, said: Explainer | None) -> json.Object:
    entry: json.Object = {
        "step": step.number,
        "name": step.node.name,
        "expression": step.expression,
        "value": json.late(step.value),
    }
    return entry if said is None else entry | {"words": said.forward(step).text}


def _move(move: Move, said: Explainer | None = None) -> json.Object:
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
    if said is not None:
        entry["words"] = said.backward(move).text
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
