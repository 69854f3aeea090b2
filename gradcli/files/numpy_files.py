"""Arrays in NumPy's own formats, `.npy` and `.npz`, read without pickles.

Bytes come in, arrays of float64 come out. What a header announces is compared with `MOST` and
with what is there before anything is unpacked or allocated.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from typing import IO, Any
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np
import numpy.typing as npt

from gradcli.diagnostics.failures import problem
from gradcli.files.files import MOST
from gradcli.files.unpacked import too_large

NPY, ZIP = b"\x93NUMPY", b"PK\x03\x04"
MOST_AXES = 32


def npy_array(content: bytes, path: str, name: str | None = None) -> Any:
    """The array of a `.npy` file; `name` is its place in an `.npz`."""
    what = f"holds in '{name}'" if name is not None else "holds"
    if not content.startswith(NPY):
        if NPY.startswith(content):
            raise problem(path, "is cut off" if content else "is empty")
        hint = "a text of numbers is read from .csv, .tsv, .txt and .json"
        raise problem(path, "isn't an .npy file: its first bytes are others", hint)
    file = BytesIO(content)
    shape, fortran, dtype = _announced(file, path)
    if dtype.hasobject:
        raise problem(
            path,
            f"{what} Python objects, which could run code when they are read",
            "save an array of numbers: np.save(path, x.astype(float))",
        )
    _expect_numbers(dtype, path, what)
    needed, there = math.prod(shape) * dtype.itemsize, len(content) - file.tell()
    if needed > there:
        raise problem(path, f"is damaged: it is cut off, {there} of {needed} bytes are there")
    if math.prod(shape) * 8 > MOST:
        raise too_large(f"'{path}'", f"{what} an array")
    array = np.frombuffer(content, dtype, math.prod(shape), file.tell())
    return _numeric(array.reshape(shape, order="F" if fortran else "C"), path, what)


def expect_whole(file: IO[bytes], size: int, path: str) -> None:
    """Raise if a `.npy` of this many bytes announces more numbers than it has."""
    shape, _, dtype = _announced(file, path)
    needed = math.prod(shape) * dtype.itemsize
    if needed > size and not dtype.hasobject:
        raise problem(path, f"is damaged: it is cut off, {size} of {needed} bytes are there")


def _announced(file: IO[bytes], path: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, order and type of the elements, as a `.npy` file's header has them."""
    try:
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0
        if version != (1, 0):  # 3.0 is for names of fields, which no array of numbers has
            read_header = np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read_header(file)
    except (Exception, MemoryError) as error:  # noqa: BLE001 - many kinds for a damaged header
        cut = re.match(r"EOF: reading array .*expected (\d+) bytes got (\d+)", str(error))
        there = f"it is cut off, {cut[2]} of {cut[1]} bytes are there" if cut else None
        raise problem(path, f"is damaged: {there or 'its header is not one of NumPy'}") from None
    if not all(type(length) is int and 0 <= length <= MOST for length in shape if any(shape)):
        raise problem(path, f"is damaged: its header has the shape {shape}"[:200])
    if len(shape) > MOST_AXES:
        raise problem(path, f"has {len(shape)} axes: an array has at most {MOST_AXES}")
    return shape, fortran, dtype


def _expect_numbers(dtype: np.dtype[Any], path: str, what: str) -> None:
    if dtype.kind not in "fiub":
        kinds = {"U": "text", "S": "bytes", "c": "complex numbers", "M": "dates", "m": "durations"}
        found = kinds.get(dtype.kind, f"elements of type {dtype}")
        raise problem(path, f"{what} {found}, not real numbers")


def _numeric(array: npt.NDArray[Any], path: str, what: str) -> Any:
    """An array of numbers as float64, a 0-dimensional one as a number."""
    with np.errstate(over="ignore"):
        found = array.astype(np.float64)
    if array.dtype.itemsize > 8 and (np.isinf(found) & np.isfinite(array)).any():
        raise problem(path, f"{what} a number that exceeds the largest double")
    return np.float64(found) if found.ndim == 0 else found


def npz_arrays(content: bytes, path: str) -> Iterator[tuple[str, Callable[[str], Any]]]:
    """The arrays of an `.npz` file: their keys, and what reads one; the others stay packed."""
    room = MOST
    try:
        archive = ZipFile(BytesIO(content))
    except (BadZipFile, OSError, ValueError) as error:
        raise problem(path, f"isn't a sound .npz file: {_first_line(error)}") from None

    def read(member: ZipInfo, name: str) -> Any:
        nonlocal room
        room -= member.file_size
        if room < 0:
            raise too_large(f"'{path}'", "unpacks to something")
        return npy_array(_unpacked(archive, member, path), path, name)

    with archive:
        for member in archive.infolist():
            yield member.filename.removesuffix(".npy"), partial(read, member)


def _unpacked(archive: ZipFile, member: ZipInfo, path: str) -> bytes:
    """The content of a member, no longer than the archive announces."""
    try:
        return archive.read(member)
    except MemoryError:
        raise problem(path, f"holds in '{member.filename}' more than fits into memory") from None
    except Exception as error:  # noqa: BLE001 - zipfile and zlib raise many kinds
        raise problem(path, f"is damaged in '{member.filename}': {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    text = str(error).split("\n", 1)[0] or type(error).__name__
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
