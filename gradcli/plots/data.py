"""The points of a plot and what is marked on it, as JSON or CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.plots.curve import Curve
from gradcli.plots.field import Field
from gradcli.report import json

if TYPE_CHECKING:
    from gradcli.report.style import Style


def pieces(found: Curve | Field, form: str, style: Style) -> Iterator[str]:
    """JSON of schema gradcli.plot/1, or a row per point."""
    if form == "csv":
        return _csv(found)
    fields = _curve(found) if isinstance(found, Curve) else _field(found)
    return json.laid_out(fields, found.program, style)


def _curve(found: Curve) -> Iterator[tuple[str, Any]]:
    yield "schema", "gradcli.plot/1"
    yield "program", found.program
    yield "output", found.output
    yield "input", found.name
    yield (
        "points",
        {
            found.name: json.late(found.x),
            "value": json.late(found.value),
            f"d_{found.name}": json.late(found.slope),
        },
    )
    yield (
        "marks",
        [
            {"kind": m.kind, "at": m.at, "left": json.late(m.left), "right": json.late(m.right)}
            for m in found.marks
        ],
    )
    yield "gaps", [[low, high] for low, high in found.gaps]
    tangent = found.tangent
    yield "tangent", None if tangent is None else tangent._asdict()


def _field(found: Field) -> Iterator[tuple[str, Any]]:
    first, second = found.names
    yield "schema", "gradcli.plot/1"
    yield "program", found.program
    yield "output", found.output
    yield "inputs", [first, second]
    yield (
        "points",
        {
            first: json.late(found.x),
            second: json.late(found.y),
            "value": json.late(found.value),
            f"d_{first}": json.late(found.gradient[0]),
            f"d_{second}": json.late(found.gradient[1]),
        },
    )


def _csv(found: Curve | Field) -> Iterator[str]:
    if isinstance(found, Curve):
        names = [found.name]
        columns = [found.x, found.value, found.slope]
    else:
        names = [*found.names]
        grid = np.meshgrid(found.x, found.y)
        columns = [np.ravel(a) for a in (*grid, found.value, *found.gradient)]
    yield ",".join([*names, "value", *(f"d_{name}" for name in names)]) + "\n"
    for row in zip(*(column.tolist() for column in columns), strict=True):
        yield ",".join(map(repr, row)) + "\n"
