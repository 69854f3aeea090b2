"""A plot as JSON or CSV: a `Curve` or `Field` comes in, its points and marks go out as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.plots.curve import Curve, Mark
from gradcli.plots.field import Field
from gradcli.report import json

if TYPE_CHECKING:
    from gradcli.report.style import Style


def pieces(found: Curve | Field, form: str, style: Style) -> Iterator[str]:
    """JSON of schema gradcli.plot/1, or a row per point."""
    if form == "csv":
        return _csv(found)
    return json.laid_out(_fields(found), found.program, style)


def _fields(found: Curve | Field) -> Iterator[tuple[str, Any]]:
    yield "schema", "gradcli.plot/1"
    yield "program", found.program
    yield "output", found.output
    if isinstance(found, Curve):
        yield "input", found.name
        points = {found.name: found.x, "value": found.value, f"d_{found.name}": found.slope}
    else:
        yield "inputs", list(found.names)
        slopes = {f"d_{n}": slope for n, slope in zip(found.names, found.gradient, strict=True)}
        points = dict(zip(found.names, (found.x, found.y), strict=True))
        points |= {"value": found.value, **slopes}
    yield "points", {name: json.late(values) for name, values in points.items()}
    if isinstance(found, Curve):
        yield "marks", [_mark(mark) for mark in found.marks]
        yield "gaps", [[low, high] for low, high in found.gaps]
        yield "tangent", None if found.tangent is None else found.tangent._asdict()


def _mark(mark: Mark) -> json.Object:
    numbers = mark._asdict()
    return {"kind": numbers.pop("kind")} | {key: json.late(x) for key, x in numbers.items()}


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
