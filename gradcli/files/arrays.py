"""Numbers from files: `--x @FILE` (one array) and `--data FILE` (many inputs).

A path comes in, arrays come out; what is no array of numbers is an error that names the place:
the line and column of a text, the key and index of a JSON value. Nothing in a file is executed:
NumPy's own formats are read without pickles.
"""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Callable, Container, Iterator
from functools import partial
from pathlib import PurePath
from typing import Any, NoReturn

import numpy as np

from gradcli.diagnostics.failures import file_error, problem
from gradcli.diagnostics.names import is_name, normal
from gradcli.diagnostics.source import Source, Span
from gradcli.files.files import decoded, read
from gradcli.files.numpy_files import MOST_AXES, NPY, ZIP, npy_array, npz_arrays
from gradcli.files.text_tables import STANDARD_INPUT, array_in_text, bound_by, named_row
from gradcli.files.unpacked import unpacked

NONFINITE = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}
"""Strings that stand for numbers, as in the JSON that gradcli writes."""


def array_from_file(path: str) -> Any:
    """The number or array in a file. Raises `GradcliError` of kind file."""
    if not path:
        raise file_error("behind the '@' a file's name is missing", "as in --x @x.npy")
    content, suffix = _content(path)
    if suffix == ".npz" or content.startswith(ZIP):
        raise problem(path, "is for arrays with names", f"--data {path} reads them by their names")
    if suffix == ".npy" or content.startswith(NPY):
        return npy_array(content, path)
    text = decoded(content, f"'{path}'")
    if suffix == ".json":
        value = _json(text, path)
        if isinstance(value, dict):
            raise problem(
                path, "holds an object, not an array", f"--data {path} reads it by its keys"
            )
        return _numbers(value, path, "the value")
    return array_in_text(text, path, suffix)


def inputs_from_file(
    path: str, wanted: Container[str], *, structures: bool = False
) -> dict[str, Any]:
    """The inputs in a `.json`, `.npz` or `.csv` file that are `wanted`, by name.

    With `structures`, an object or a list of arrays of several shapes is a value too.
    """
    return _inputs(*_content(path), path, wanted, structures=structures)


def inputs_from_stream(
    content: bytes, wanted: Container[str], *, structures: bool = False
) -> dict[str, Any]:
    """The inputs in what standard input gave. What it begins with tells its format."""
    found = unpacked(content, STANDARD_INPUT)
    json_begins = found.removeprefix(BOM_UTF8).lstrip()[:1] in (b"{", b"[", b"")
    suffix = ".json" if json_begins else ".csv"
    return _inputs(found, suffix, STANDARD_INPUT, wanted, structures=structures)


def _inputs(
    content: bytes, suffix: str, path: str, wanted: Container[str], *, structures: bool
) -> dict[str, Any]:
    inputs: dict[str, Any] = {}
    for key, read_value in _by_key(content, suffix, path, structures=structures):
        name = normal(key) if is_name(key) else key
        if name in wanted:
            if name in inputs:
                raise problem(path, f"gives '{name}' twice")
            inputs[name] = read_value(name)
    return inputs


def _by_key(
    content: bytes, suffix: str, path: str, *, structures: bool
) -> Iterator[tuple[str, Callable[[str], Any]]]:
    """The keys of a file, each with what reads its value under the name that messages have."""
    if suffix == ".npz" or content.startswith(ZIP):
        return npz_arrays(content, path)
    if suffix == ".npy" or content.startswith(NPY):
        raise problem(path, "holds one array, and --data reads many by name", bound_by(path))
    text = decoded(content, f"'{path}'")
    if suffix in (".csv", ".tsv", ".txt"):
        return named_row(text, path, suffix)
    value = _json(text, path)
    if not isinstance(value, dict):
        raise problem(
            path,
            "holds no object of names and values",
            'it looks like {"x": 3.0, "W": [[1, 2], [3, 4]]}',
        )
    convert = _structure if structures else _numbers
    return ((key, partial(convert, item, path)) for key, item in value.items())


def _structure(value: Any, path: str, name: str) -> Any:
    """A number, an array, or an object or a list of such."""
    if isinstance(value, dict):
        return {key: _structure(item, path, f'{name}["{key}"]') for key, item in value.items()}
    if isinstance(value, list) and _is_mixed(value):
        return [_structure(item, path, f"{name}[{i}]") for i, item in enumerate(value)]
    return _numbers(value, path, name)


def _is_mixed(value: list[Any]) -> bool:
    """Whether a list is no array: its items have several shapes, or there are objects in it."""
    try:
        return np.asarray(value).dtype.kind not in "fiubU"
    except ValueError:
        return any(isinstance(item, list | dict) for item in value)


def _content(path: str) -> tuple[bytes, str]:
    """What is in a file, without gzip or Zstandard, and its name's ending."""
    found, name = read(path), PurePath(path)
    if name.suffix.lower() in (".gz", ".zst"):
        name = name.with_suffix("")
    return unpacked(found, f"'{path}'"), name.suffix.lower()


def _json(text: str, path: str) -> Any:
    """The value of a JSON text. Whole numbers are floats, so that none is too large."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = next(key for key, n in Counter(key for key, _ in pairs).items() if n > 1)
            raise problem(path, f"gives '{twice}' twice")
        return found

    try:
        return json.loads(text, parse_int=float, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        place = min(error.pos, len(text))
        why = f"isn't JSON: {error.msg[:1].lower()}{error.msg[1:]}" if text.strip() else "is empty"
        span = Span(place, place + 1)
        raise problem(path, why, source=Source(text, path), span=span) from None
    except RecursionError:
        raise problem(path, "is nested too deep") from None


def _numbers(value: Any, path: str, name: str) -> Any:
    """Nested lists of numbers as an array. Raises `GradcliError` that names the odd element."""
    try:
        array = np.asarray(value)
    except ValueError:  # ragged, or more than 64 dimensions
        array = np.asarray(None)
    if array.dtype.kind in "fiub":
        return np.float64(array) if array.ndim == 0 else array.astype(np.float64)
    return np.array(_checked(value, path, name), dtype=np.float64)[()]


def _checked(value: Any, path: str, name: str) -> Any:
    """The value with "NaN" and the like as numbers. Raises at the first that is no number."""
    shapes: dict[int, tuple[int | None, str]] = {}
    """By depth: the length of the lists there (None for numbers), and where the first is."""

    def visit(item: Any, index: tuple[int, ...]) -> Any:
        place = name + (f"[{', '.join(map(str, index))}]" if index else "")
        if isinstance(item, str) and item in NONFINITE:
            item = NONFINITE[item]
        length = len(item) if isinstance(item, list) else None
        if length is None and not isinstance(item, float | bool):
            _refuse(item, path, place)
        expected, first = shapes.setdefault(len(index), (length, place))
        if length != expected:
            raise problem(
                path,
                f"has rows of unequal length: {first} {_size(expected)}, {place} {_size(length)}",
            )
        if length is None:
            return item
        return [visit(part, (*index, i)) for i, part in enumerate(item)]

    try:
        checked = visit(value, ())
    except RecursionError:
        raise problem(path, f"is nested too deep in '{name}'") from None
    if len(shapes) > MOST_AXES + 1:
        raise problem(
            path, f"is nested too deep in '{name}': an array has at most {MOST_AXES} dimensions"
        )
    return checked


def _size(length: int | None) -> str:
    return "is a number" if length is None else f"has {length}"


def _refuse(item: Any, path: str, place: str) -> NoReturn:
    if isinstance(item, dict):
        what = "an object: inputs are numbers and nested lists of numbers"
    elif item is None:
        what = "null, not a number"
    else:
        text = str(item)
        what = f"text, not a number: '{text if len(text) <= 40 else text[:40] + '…'}'"
    raise problem(path, f"has in {place} {what}")
