"""Numbers from files: `--x @FILE` (one array) and `--data FILE` (many inputs).

A path comes in, arrays come out; what is no array of numbers is an error that names the place:
the line and column of a text, the key and index of a JSON value. Nothing in a file is executed:
NumPy's own formats are read without pickles.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container
from io import BytesIO
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NoReturn
from zipfile import BadZipFile, ZipFile

import numpy as np

from gradcli.cli.argv import is_name, normal
from gradcli.cli.files import decoded, read
from gradcli.errors import GradcliError, Kind
from gradcli.language.source import Source, Span

if TYPE_CHECKING:
    import numpy.typing as npt

NPY, ZIP = b"\x93NUMPY", b"PK\x03\x04"
NONFINITE = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}
"""Strings that stand for numbers, as in the JSON that gradcli writes."""


def array_from_file(path: str) -> Any:
    """The number or array in a file. Raises `GradcliError` of kind file."""
    if not path:
        raise GradcliError(
            Kind.FILE, "behind the '@' a file's name is missing", hint="as in --x @x.npy"
        )
    content = read(path)
    suffix = PurePath(path).suffix.lower()
    if suffix == ".npz" or content.startswith(ZIP):
        raise _problem(path, "is for arrays with names", f"--data {path} reads them by their names")
    if suffix == ".npy" or content.startswith(NPY):
        return _npy(content, path)
    text = decoded(content, f"'{path}'")
    if suffix == ".json":
        value = _json(text, path)
        if isinstance(value, dict):
            raise _problem(
                path, "holds an object, not an array", f"--data {path} reads it by its keys"
            )
        return _numbers(value, path, "the value")
    return _table(text, path, suffix)


def inputs_from_file(
    path: str, wanted: Container[str], *, structures: bool = False
) -> dict[str, Any]:
    """The inputs in a `.json` or `.npz` file that are `wanted`, by name.

    With `structures`, an object or a list of arrays of several shapes is a value too.
    """
    content = read(path)
    suffix = PurePath(path).suffix.lower()
    if suffix == ".npz" or content.startswith(ZIP):
        return _npz(content, path, wanted)
    if suffix in (".npy", ".csv", ".tsv", ".txt") or content.startswith(NPY):
        raise _problem(
            path, "holds one array, and --data reads many by name", f"--NAME @{path} binds it"
        )
    value = _json(decoded(content, f"'{path}'"), path)
    if not isinstance(value, dict):
        raise _problem(
            path,
            "holds no object of names and values",
            'it looks like {"x": 3.0, "W": [[1, 2], [3, 4]]}',
        )
    inputs: dict[str, Any] = {}
    for key, item in value.items():
        name = normal(key) if is_name(key) else key
        if name not in wanted:
            continue
        if name in inputs:
            raise _problem(path, f"gives '{name}' twice")
        convert = _structure if structures else _numbers
        inputs[name] = convert(item, path, name)
    return inputs


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


def _problem(path: str, what: str, hint: str | None = None) -> GradcliError:
    return GradcliError(Kind.FILE, f"'{path}' {what}", hint=hint)


# --- NumPy's formats ---------------------------------------------------------------------


def _npy(content: bytes, path: str, name: str | None = None) -> Any:
    """The array of a `.npy` file; `name` is its place in an `.npz`."""
    what = f"holds in '{name}'" if name is not None else "holds"
    if not content.startswith(NPY):
        if NPY.startswith(content):
            raise _problem(path, "is cut off" if content else "is empty")
        hint = "a text of numbers is read from .csv, .tsv, .txt and .json"
        raise _problem(path, "is no .npy file: its first bytes are others", hint)
    try:
        array = np.load(BytesIO(content), allow_pickle=False)
    except (MemoryError, OverflowError):
        raise _problem(path, "is damaged: it announces more numbers than it has") from None
    except Exception as error:  # noqa: BLE001 - NumPy raises many kinds for a damaged header
        if "allow_pickle" in str(error):
            raise _problem(
                path,
                f"{what} Python objects, which could run code when they are read",
                "save an array of numbers: np.save(path, x.astype(float))",
            ) from None
        cut = re.match(r"EOF: reading array .*expected (\d+) bytes got (\d+)", str(error))
        what = f"it is cut off, {cut[2]} of {cut[1]} bytes are there" if cut else _first_line(error)
        raise _problem(path, f"is damaged: {what}") from None
    return _numeric(array, path, what)


def _numeric(array: npt.NDArray[Any], path: str, what: str) -> Any:
    """An array of numbers as float64, a 0-dimensional one as a number."""
    if array.dtype.kind not in "fiub":
        kinds = {"U": "text", "S": "bytes", "c": "complex numbers", "M": "dates", "m": "durations"}
        found = kinds.get(array.dtype.kind, f"elements of type {array.dtype}")
        raise _problem(path, f"{what} {found}, not real numbers")
    return np.float64(array) if array.ndim == 0 else array.astype(np.float64)


def _npz(content: bytes, path: str, wanted: Container[str]) -> dict[str, Any]:
    """The arrays of an `.npz` file that are wanted; the others are not even unpacked."""
    inputs: dict[str, Any] = {}
    try:
        archive = ZipFile(BytesIO(content))
    except (BadZipFile, OSError, ValueError) as error:
        raise _problem(path, f"is no sound .npz file: {_first_line(error)}") from None
    with archive:
        for member in archive.namelist():
            key = member.removesuffix(".npy")
            name = normal(key) if is_name(key) else key
            if name not in wanted:
                continue
            if name in inputs:
                raise _problem(path, f"gives '{name}' twice")
            inputs[name] = _npy(_unpacked(archive, member, path), path, name)
    return inputs


def _unpacked(archive: ZipFile, member: str, path: str) -> bytes:
    try:
        return archive.read(member)
    except MemoryError:
        raise _problem(path, f"holds in '{member}' more than fits into memory") from None
    except Exception as error:  # noqa: BLE001 - zipfile and zlib raise many kinds
        raise _problem(path, f"is damaged in '{member}': {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    text = str(error).split("\n", 1)[0] or type(error).__name__
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


# --- JSON --------------------------------------------------------------------------------


def _json(text: str, path: str) -> Any:
    """The value of a JSON text. Whole numbers are floats, so that none is too large."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise _problem(path, f"gives '{twice}' twice")
        return found

    try:
        return json.loads(text, parse_int=float, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        place = min(error.pos, len(text))
        raise GradcliError(
            Kind.FILE,
            f"'{path}' is no JSON: {error.msg[:1].lower()}{error.msg[1:]}"
            if text.strip()
            else f"'{path}' is empty",
            source=Source(text, path),
            span=Span(place, place + 1),
        ) from None
    except RecursionError:
        raise _problem(path, "is nested too deep") from None


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
            raise _problem(
                path,
                f"has rows of unequal length: {first} {_size(expected)}, {place} {_size(length)}",
            )
        if length is None:
            return item
        return [visit(part, (*index, i)) for i, part in enumerate(item)]

    try:
        checked = visit(value, ())
    except RecursionError:
        raise _problem(path, f"is nested too deep in '{name}'") from None
    if len(shapes) > 33:
        raise _problem(path, f"is nested too deep in '{name}': an array has at most 32 dimensions")
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
    raise _problem(path, f"has in {place} {what}")


# --- text --------------------------------------------------------------------------------


def _table(text: str, path: str, suffix: str) -> Any:
    """A text of numbers: one column is a vector, several are a matrix.

    Columns are separated by commas, semicolons, tabs or blanks, as the first line shows. A
    first line that is not numeric is a header; empty lines and lines that begin with `#` are
    passed over. The minus of mathematics (U+2212) is a minus.
    """
    lines = [
        (number, line)
        for number, line in enumerate(text.replace("\N{MINUS SIGN}", "-").split("\n"))
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not lines:
        raise _problem(path, "is empty")
    separator = _separator(lines[0][1], suffix)
    if not any(_number(cell) is not None for cell in _cells(lines[0][1], separator)):
        del lines[0]
        if not lines:
            raise _problem(path, "has a header and no numbers")
        separator = _separator(lines[0][1], suffix)
    try:
        array = np.loadtxt(
            [line for _, line in lines],
            delimiter=separator,
            comments=None,
            quotechar='"',
            ndmin=2,
        )
    except ValueError:
        raise _bad_cell(text, path, lines, separator) from None
    return array[:, 0] if array.shape[1] == 1 else array


def _separator(line: str, suffix: str) -> str | None:
    """What stands between the columns; None is any number of blanks."""
    if suffix == ".tsv":
        return "\t"
    found = (separator for separator in ";,\t" if separator in line)
    return next(found, None)


def _cells(line: str, separator: str | None) -> list[str]:
    return line.split(separator)


def _number(cell: str) -> float | None:
    """The number in a cell. `1_000` is none, though Python reads it."""
    cell = cell.strip().strip('"')
    try:
        return float(cell) if "_" not in cell else None
    except ValueError:
        return None


def _bad_cell(
    text: str, path: str, lines: list[tuple[int, str]], separator: str | None
) -> GradcliError:
    """The error for the first cell that is no number, or the first row of another length."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    width = len(_cells(lines[0][1], separator))
    for row, (number, line) in enumerate(lines, 1):
        cells = _cells(line, separator)
        offset = starts[number]
        whole = Span(offset, offset + len(line))
        position = 0
        for column, cell in enumerate(cells, 1):
            position = line.index(cell, position) if cell else position
            if _number(cell) is None:
                shown = cell.strip()
                what = f"'{shown[:40]}' is no number" if shown else "the cell is empty"
                span = Span(offset + position, offset + position + max(len(cell), 1))
                return _cell_error(path, text, row, column, what, span, separator)
            position += len(cell) + (1 if separator else 0)
        if len(cells) != width:
            what = f"{len(cells)} columns, the rows before have {width}"
            return _cell_error(path, text, row, None, what, whole, separator)
    return _problem(path, "is no table of numbers")


def _cell_error(
    path: str, text: str, row: int, column: int | None, what: str, span: Span, separator: str | None
) -> GradcliError:
    place = f"row {row}" + (f", column {column}" if column else "")
    hint = None
    if separator == ";" and "," in text[span.start : span.end]:
        hint = "decimal commas are not read: write 1.5"
    return GradcliError(
        Kind.FILE, f"'{path}' {place}: {what}", source=Source(text, path), span=span, hint=hint
    )
