"""The columns of a file of points as arrays of float64.

A frame's column comes in with the number of its first row, an array comes out: a number or an
array of one shape in every row. What is neither is an error that shows the row and the cell.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from gradcli.diagnostics.failures import file_error
from gradcli.files.numbers import hint_for, number_in, numbers_in
from gradcli.files.numpy_files import MOST_AXES
from gradcli.files.points import Points
from gradcli.files.text_points import TextPoints


def as_array(points: Points, series: pl.Series, first: int) -> Any:
    """A column as float64, `first` being the number of its first row. Raises `GradcliError`."""
    name = series.name
    nested = points.gaps and series.dtype.is_nested() and _has_null(series)
    if name in points.listed or nested:
        found = _stacked(points, name, series.to_list(), first)
    elif isinstance(points, TextPoints) and _has_null(series):
        found = _stacked(points, name, points.written(name, first, len(series)), first)
    else:
        found = _plain(points, name, series, first)
    if points.markers:
        found = _without_markers(points, name, found, first)
    if len(found) and points.shapes.setdefault(name, found.shape[1:]) != found.shape[1:]:
        raise _other_shape(points, name, first, found.shape[1:])
    return found


def _without_markers(points: Points, name: str, found: Any, first: int) -> Any:
    """The array with nan where a number stands for a missing value, as `--missing` says."""
    missing = np.isin(found, points.markers)
    if any(map(math.isnan, points.markers)):
        missing |= np.isnan(found)
    if not missing.any():
        return found
    if not points.gaps:
        row = int(np.argwhere(missing)[0, 0])
        raise _no_number(points, name, first + row, None)
    return np.where(missing, np.nan, found)


def _stacked(points: Points, name: str, cells: Sequence[Any], first: int) -> Any:
    """Cells of numbers or lists, as they are written, as one array."""
    if not cells:
        return np.empty((0, 0))
    if points.gaps:
        cells = _without_gaps(points, name, cells)
    numbers = numbers_in(cells, points.decimal)
    if numbers is not None and points.shapes.get(name) in (None, ()):
        return numbers
    found = []
    for row, cell in enumerate(cells, start=first):
        value = number_in(cell, gaps=points.gaps, decimal=points.decimal)
        if value is None:
            raise _no_number(points, name, row, cell)
        if value.shape != points.shapes.setdefault(name, value.shape):
            raise _other_shape(points, name, row, value.shape)
        found.append(value)
    return np.stack(found)


def _without_gaps(points: Points, name: str, cells: Sequence[Any]) -> list[Any]:
    """Cells with nan, in the column's shape, where nothing is written."""
    empty = [cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells]
    shape = points.shapes.get(name)
    if shape is None:
        read = (number_in(cell, gaps=True, decimal=points.decimal) for cell in cells)
        shape = next((value.shape for value in read if value is not None), ())
    gap = np.full(shape, np.nan).tolist()
    return [gap if nothing else c for c, nothing in zip(cells, empty, strict=True)]


def _plain(points: Points, name: str, series: pl.Series, first: int) -> Any:
    """A column that has its numbers, or lists of them."""
    shape: list[int] = [len(series)]
    inside = 1
    while True:
        if series.null_count() and not points.gaps:
            row = int(series.is_null().arg_max() or 0) // inside
            raise _no_number(points, name, first + row, None)
        if isinstance(series.dtype, pl.Array):
            series = series.arr.to_list()
        if not isinstance(series.dtype, pl.List):
            break
        lengths = series.list.len()
        if lengths.n_unique() > 1:
            odd = int((lengths != lengths[0]).arg_max() or 0)
            if inside == 1:
                points.shapes.setdefault(name, np.shape(series[0]))
            raise _other_shape(points, name, first + odd // inside, np.shape(series[odd]))
        shape.append(int(lengths[0]) if len(lengths) else 0)
        if len(shape) > MOST_AXES + 1:
            what = f"lists in lists, and an array has at most {MOST_AXES} dimensions"
            raise file_error(f"{points.at(first)}: the column '{name}' has {what}")
        if not shape[-1]:
            return np.empty(shape)
        inside *= shape[-1]
        series = series.explode()
    if not (series.dtype.is_numeric() or series.dtype == pl.Boolean):
        if series.dtype != pl.Object:
            raise _no_numbers(points, name, series.dtype, nested=len(shape) > 1)
        raise _no_number(points, name, first, series[0])
    return series.cast(pl.Float64).fill_null(np.nan).to_numpy().reshape(shape)


def _no_numbers(points: Points, name: str, dtype: pl.DataType, *, nested: bool) -> Exception:
    """The error of a column that holds no numbers, nor lists of them."""
    text = dtype in (pl.String, pl.Categorical, pl.Enum)
    kinds = (
        (text, "text"),
        (dtype.is_temporal(), "dates or times"),
        (dtype == pl.Struct, "objects"),
    )
    what = next((kind for fits, kind in kinds if fits), str(dtype))
    hint = None
    if text and not nested:
        cast = f"pl.col('{name}').cast(pl.Float64)"
        cast = f"{name}.astype(float)" if points.form == "npz" else f"in Polars {cast}"
        hint = f"save it as numbers: {cast}"
    in_lists = " lists of" if nested else ""
    return file_error(
        f"{points.name}: the column '{name}' holds{in_lists} {what}, not{in_lists} numbers", hint
    )


def _no_number(points: Points, name: str, row: int, cell: Any) -> Exception:
    nested = isinstance(cell, list | dict)
    text = "" if cell is None else json.dumps(cell) if nested else str(cell).strip()
    hint = None
    if not text:
        what = f"the column '{name}' has no value"
        hint = None if points.gaps else "--errors nan or skip goes on past such rows"
    else:
        kind = "list of numbers" if text.startswith("[") else "number"
        what = f"the column '{name}' has '{text[:40]}', which is not a {kind}"
        hint = hint_for(text, points.decimal, options=points.is_text)
    return file_error(f"{points.at(row)}: {what}", hint)


def _other_shape(points: Points, name: str, row: int, shape: tuple[int, ...]) -> Exception:
    above = points.shapes.get(name)
    if above is None or above == shape:
        what = "lists of different lengths"
    else:
        what = f"{_in_words(shape)}, and in the rows above {_in_words(above)}"
    return file_error(f"{points.at(row)}: the column '{name}' has {what}")


def _in_words(shape: tuple[int, ...]) -> str:
    if not shape:
        return "a number"
    if len(shape) == 1:
        return f"a list of {shape[0]}"
    return "lists of " + "×".join(map(str, shape))


def _has_null(series: pl.Series) -> bool:
    """Whether a value is missing, also inside of lists."""
    while True:
        if series.null_count():
            return True
        if isinstance(series.dtype, pl.Array):
            series = series.arr.to_list()
        if not isinstance(series.dtype, pl.List):
            return False
        series = series.filter(series.list.len() > 0).explode()
