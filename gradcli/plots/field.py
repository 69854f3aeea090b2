"""A program over two inputs: ranges come in, values and gradients on a grid go out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.program import Program

SIDE = 97
"""Points along each side of the grid."""


@dataclass(frozen=True)
class Field:
    """Values and gradients on a grid: arrays of shape (n, m), rows from small to large y."""

    program: str
    names: tuple[str, str]
    output: str
    x: Any
    y: Any
    value: Any
    gradient: tuple[Any, Any]
    at: tuple[float, float] | None = None


def field(
    program: Program,
    ranges: Mapping[str, tuple[float, float]],
    fixed: Mapping[str, Any],
    *,
    at: tuple[float, float] | None = None,
    points: int = SIDE,
) -> Field:
    """A program on a grid over two inputs. Raises `GradcliError` as `Program.batch` does."""
    first, second = ranges
    x, y = (np.linspace(*ends, points) for ends in ranges.values())
    columns = {first: np.tile(x, points), second: np.repeat(y, points)}
    found = program.batch(columns, wrt=(first, second), errors="nan", **fixed)
    value = found["value"].reshape(points, points)
    if not np.isfinite(value).any():
        program.evaluate({**fixed, first: float(x.mean()), second: float(y.mean())}, check=False)
        raise GradcliError(
            Kind.DOMAIN, f"no point of these ranges of {first} and {second} has a value"
        )
    middle = np.argwhere(np.isfinite(value))[0]
    output = program.evaluate(
        {**fixed, first: float(x[middle[1]]), second: float(y[middle[0]])}, check=False
    ).output.name
    slopes = tuple(found[f"d_{name}"].reshape(points, points) for name in (first, second))
    pair = slopes[0], slopes[1]
    return Field(program.source.text, (first, second), output, x, y, value, pair, at)
