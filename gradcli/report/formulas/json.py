"""Formulas as JSON: a `Derivative` in, `gradcli.diff/1` out (docs/schema/diff.json)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gradcli.formulas.types import Derivative
from gradcli.report.formulas.labels import label
from gradcli.report.json import laid_out, plain
from gradcli.report.style import Style

PLAIN = Style(width=None, color=False, ascii=False)


def pieces(found: Derivative, style: Style) -> Iterator[str]:
    """One object."""
    return laid_out(document(found), found.program, style)


def document(found: Derivative) -> Iterator[tuple[str, Any]]:
    """The fields of the object, in order."""
    yield "schema", "gradcli.diff/1"
    yield "program", found.program
    yield "inputs", {name: plain(value) for name, value in found.point.items()}
    yield "output", {"name": found.output}
    yield "order", found.order
    yield "sizes", dict(found.sizes)
    yield "definitions", dict(found.definitions)
    yield (
        "formulas",
        [
            {
                "name": label(found, formula, PLAIN),
                "wrt": list(formula.wrt),
                "formula": formula.text,
                "direction": formula.direction,
                "value": plain(formula.value),
            }
            for formula in found.formulas
        ],
    )
    yield "check", {"verdict": "pass", "points": found.points, "digits": round(found.digits, 1)}
