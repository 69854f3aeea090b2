"""What a Parquet file announces: how many numbers a row group has to be unpacked to.

A row group is unpacked as a whole, and a kilobyte can announce a thousand million equal numbers.
The footer (Thrift's compact protocol, parquet.thrift) says so before anything is unpacked.
"""

from __future__ import annotations

from collections.abc import Collection
from io import BytesIO
from pathlib import Path
from typing import Any

MOST_OF_FOOTER = 1 << 16
"""Bytes of a footer that is read here. A larger one has many row groups, which are small then."""

MOST_OF_ROWS = 1 << 26
"""The same where the rows of all groups are asked for."""

_ROW_GROUPS, _COLUMNS, _NUM_ROWS, _META_DATA, _PATH, _NUM_VALUES = 4, 1, 3, 3, 3, 5
"""Numbers of the fields in FileMetaData, RowGroup (two), ColumnChunk and ColumnMetaData (two)."""
_DEEPEST = 20


def largest_row_group(path: Path, columns: Collection[str]) -> int:
    """How many values of these columns the largest row group has; 0 where that can't be told."""
    try:
        groups = [group[_COLUMNS] for group in _row_groups(path, MOST_OF_FOOTER)]
        metas = [[column[_META_DATA] for column in group] for group in groups]
        sizes = (sum(m[_NUM_VALUES] for m in g if m[_PATH][0].decode() in columns) for g in metas)
        return max(sizes, default=0)
    except _UNTOLD:
        return 0  # Polars says what is wrong with it


def rows_of_groups(path: Path) -> list[int] | None:
    """How many rows each row group has; None where that can't be told."""
    try:
        return [int(group[_NUM_ROWS]) for group in _row_groups(path, MOST_OF_ROWS)]
    except _UNTOLD:
        return None


_UNTOLD = (LookupError, TypeError, ValueError, OverflowError, AttributeError, OSError)


def _row_groups(path: Path, most: int) -> list[dict[int, Any]]:
    """The row groups in a footer of at most `most` bytes; a larger one is not read."""
    with path.open("rb") as file:
        end = file.seek(0, 2)
        file.seek(max(0, end - 8))
        length = int.from_bytes(file.read(4), "little")
        if file.read(4) != b"PAR1" or not 0 < length <= min(most, end):
            return []
        file.seek(end - 8 - length)
        found: list[dict[int, Any]] = _struct(BytesIO(file.read(length)))[_ROW_GROUPS]
        return found


def _varint(data: BytesIO) -> int:
    value = shift = 0
    while shift < 64:
        byte = data.read(1)[0]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
        shift += 7
    raise ValueError(value)


def _zigzag(data: BytesIO) -> int:
    value = _varint(data)
    return value >> 1 ^ -(value & 1)


def _struct(data: BytesIO, depth: int = 0) -> dict[int, Any]:
    """The fields of a struct by their numbers."""
    fields: dict[int, Any] = {}
    number = 0
    while head := data.read(1)[0]:
        number = number + (head >> 4) if head >> 4 else _zigzag(data)
        kind = head & 15
        fields[number] = kind == 1 if kind in (1, 2) else _value(data, kind, depth)
    return fields


def _value(data: BytesIO, kind: int, depth: int) -> Any:
    """A value of one of the protocol's types."""
    if depth > _DEEPEST:
        raise ValueError(depth)
    if kind in (1, 2, 3):
        return data.read(1)[0]
    if kind in (4, 5, 6):
        return _zigzag(data)
    if kind in (7, 8):
        return data.read(8 if kind == 7 else _varint(data))
    if kind in (9, 10):
        head = data.read(1)[0]
        count = head >> 4 if head >> 4 < 15 else _varint(data)
        return [_value(data, head & 15, depth + 1) for _ in range(count)]
    if kind == 12:
        return _struct(data, depth + 1)
    raise ValueError(kind)
