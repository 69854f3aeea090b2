"""Many Parquet files, or one at a URL, as one file of points: a single scan, in order.

Polars reads them ahead, on threads of its own, with bounded memory. The folders `name=value` above
a file are columns. An error names the file and the row in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from gradcli.diagnostics.failures import file_error
from gradcli.files.binary_points import ParquetPoints, expect_small, unreadable_parquet
from gradcli.files.dialect import Asked
from gradcli.files.files import read
from gradcli.files.many import Partitions, is_url, unreachable
from gradcli.files.points import as_name
from gradcli.files.text_cells import UNREADABLE
from gradcli.files.unpacked import first_line


class Portion(NamedTuple):
    """Files in a row, and which of their rows: `rows` from `skip` on, or all of them."""

    files: tuple[str, ...]
    skip: int = 0
    rows: int | None = None

    @property
    def whole(self) -> bool:
        """Whether all rows are meant."""
        return not self.skip and self.rows is None


class Dataset(ParquetPoints):
    """Parquet files as one, open for reading. Raises `GradcliError` of kind file."""

    def __init__(self, name: str, portion: Portion, partitions: Partitions, given: Asked) -> None:
        self.portion, self.partitions = portion, partitions
        self.kept: frozenset[str] = frozenset()
        self.wanted: frozenset[str] = frozenset()
        self.mixes = True
        """Whether Polars reads a column that has integers in some files and floats in others."""
        name = f"'{portion.files[0]}'" if len(portion.files) == 1 else name
        super().__init__(Path(portion.files[0]), name, "parquet", given)
        for key in partitions.above:
            if key in self._schema:
                raise file_error(
                    f"the folder '{key}=…' above {name} has the name of a column in it",
                    "rename the folder, or move the files",
                )

    @property
    def remote(self) -> bool:
        """Whether the files are at a URL."""
        return is_url(self.portion.files[0])

    @cached_property
    def _schema(self) -> dict[str, Any]:
        return schema_of(self.portion.files[0])

    def _scan(self, used: Sequence[str], *, whole: bool = False) -> pl.LazyFrame:
        """The columns under their names. A number is cast where it is only used."""
        del whole
        only = {
            key for key in self._schema if as_name(key) in used and as_name(key) not in self.kept
        }
        schema = {k: t for k, t in self._schema.items() if k not in self.partitions.columns}
        hive: dict[str, Any] = {
            **dict.fromkeys(self.partitions.above, pl.String),
            **self.partitions.columns,
        }

        def scanned(integers: Any, type_of_integers: pl.DataType) -> pl.LazyFrame:
            widest: dict[str, Any] = {
                key: pl.Float64() if t.is_float() else type_of_integers
                for key, t in schema.items()
                if key in only and (t.is_float() or t.is_integer())
            }
            return pl.scan_parquet(
                list(self.portion.files),
                glob=False,
                hive_partitioning=bool(hive),
                hive_schema=hive or None,
                schema={**schema, **widest},
                extra_columns="ignore",
                cast_options=pl.ScanCastOptions(
                    integer_cast=integers, float_cast=("upcast", "downcast")
                ),
            )

        try:
            scan = scanned(("upcast", "allow-float"), pl.Float64())
        except TypeError:  # a Polars that takes no integers for floats
            self.mixes = False
            scan = scanned("upcast", pl.Int64())
        scan = scan.select(*schema, *self.partitions.columns)
        if not self.portion.whole:
            scan = scan.slice(self.portion.skip, self.portion.rows)
        return self._renamed(scan)

    def chunks(self, used: Sequence[str], keep: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The wanted columns, some rows at a time, at least once. Raises `GradcliError`."""
        self.kept, self.wanted = frozenset(keep), frozenset([*used, *keep])
        return super().chunks(used, keep)

    def _expect_small_groups(self, keys: set[str]) -> None:
        if self.remote:
            return  # their footers are far away
        for file in self.portion.files:
            expect_small(Path(file), keys, f"'{file}'")

    def at(self, row: int) -> str:
        """The file that a row stands in, and its number there."""
        row += self.portion.skip
        for file in self.portion.files:
            count = rows_of(file)
            if row <= count or file == self.portion.files[-1]:
                return f"'{file}', row {row:,}"
            row -= count
        raise AssertionError

    def unreadable(self, error: Exception) -> Exception:
        """The error of files that can't be read, with the first one at fault."""
        if self.remote:
            return unreachable(self.portion.files[0], error)
        schema: dict[str, Any] | None = None
        for file in self.portion.files:
            try:
                found = schema_of(file)
            except (*UNREADABLE, pl.exceptions.PolarsError) as fault:
                return _fault(file, fault)
            schema = schema or found
            for key in schema:
                if as_name(key) not in self.wanted or key in self.partitions.columns:
                    continue
                if key not in found:
                    listed = ", ".join(list(found)[:20])
                    return file_error(
                        f"'{file}' has no column '{as_name(key)}', "
                        f"and '{self.portion.files[0]}' has",
                        f"its columns are {listed}",
                    )
                types = found[key], schema[key]
                mixed = self.mixes and all(t.is_integer() or t.is_float() for t in types)
                if found[key] != schema[key] and not mixed:
                    return file_error(
                        f"'{file}': the column '{as_name(key)}' is {found[key]}, "
                        f"and in '{self.portion.files[0]}' {schema[key]}",
                        "all files have to have the same types",
                    )
        return file_error(f"{self.name} can't be read as parquet: {first_line(error)}")


def _fault(file: str, error: Exception) -> Exception:
    """The error of a file that can't be read."""
    if is_url(file):
        return unreachable(file, error)
    return unreadable_parquet(Path(file), f"'{file}'", error)


def schema_of(file: str) -> dict[str, Any]:
    """The columns of a Parquet file, with their types. Raises Polars' errors."""
    return dict(pl.scan_parquet(file, glob=False).collect_schema())


def rows_of(file: str) -> int:
    """How many rows a Parquet file has, by its footer. Raises `GradcliError` of kind file."""
    if not is_url(file) and not Path(file).is_file():
        if not Path(file).exists():
            read(file)  # raises what is wrong with it
        raise file_error(f"'{file}' is not a regular file, and has no parts")
    try:
        return int(pl.scan_parquet(file, glob=False).select(pl.len()).collect().item())
    except (*UNREADABLE, pl.exceptions.PolarsError) as error:
        raise _fault(file, error) from None
