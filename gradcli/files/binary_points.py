"""Points in binary formats: Parquet, and the arrays of an `.npz`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import numpy as np
import polars as pl

from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.failures import file_error, reason
from gradcli.files.files import MOST
from gradcli.files.numpy_files import expect_whole
from gradcli.files.parquet_sizes import largest_row_group
from gradcli.files.points import Points, ScannedPoints
from gradcli.files.text_cells import head
from gradcli.files.unpacked import first_line


class ParquetPoints(ScannedPoints):
    """A Parquet file."""

    def _scan(self, used: Sequence[str], *, whole: bool = False) -> pl.LazyFrame:
        del used, whole
        return self._renamed(pl.scan_parquet(self.path, glob=False))

    def chunks(self, used: Sequence[str], keep: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The wanted columns, some rows at a time, at least once. Raises `GradcliError`.

        Also raises if a row group unpacks to more than the bound.
        """
        keys = dict(zip(self.columns, self.keys, strict=True))
        self._expect_small_groups({keys[name] for name in (*keep, *used)})
        return super().chunks(used, keep)

    def _expect_small_groups(self, keys: set[str]) -> None:
        expect_small(self.path, keys, self.name)

    def unreadable(self, error: Exception) -> Exception:
        """The error of a file that can't be read: one line, with the place at fault."""
        return unreadable_parquet(self.path, self.name, error)

    def total(self) -> int | None:
        """How many rows there are."""
        return int(self._scan(()).select(pl.len()).collect().item())


def unreadable_parquet(path: Path, name: str, error: Exception) -> Exception:
    """The error of a Parquet file that can't be read."""
    if path.is_file() and head(path) != b"PAR1":
        return file_error(f"{name} isn't a Parquet file: its first bytes are others")
    return file_error(f"{name} can't be read as parquet: {first_line(error)}")


def expect_small(path: Path, keys: set[str], name: str) -> None:
    """Raise if a row group of a Parquet file takes more memory than the bound."""
    count = largest_row_group(path, keys)
    if count * 8 > MOST:
        raise file_error(
            f"{name} has a row group of {count:,} values, more than {MOST >> 20:,} MB",
            "write it in smaller row groups: write_parquet(…, row_group_size=1_000_000)",
        )


class ArchivePoints(Points):
    """The arrays of an `.npz`, which is open as long as they may be read."""

    archive: Any = None
    unpacked = 0
    """Bytes that were unpacked so far."""

    def close(self) -> None:
        """Close the archive."""
        if self.archive is not None:
            self.archive.close()

    def _found_keys(self) -> list[str]:
        if not is_zipfile(self.path):
            raise file_error(f"{self.name} isn't an .npz file, or not all of it is there")
        try:
            self.archive = np.load(self.path, allow_pickle=False)
        except Exception as error:  # noqa: BLE001 - zipfile raises many kinds
            raise file_error(f"{self.name} isn't a sound .npz file: {reason(error)}") from None
        return list(self.archive.files)

    def chunks(self, used: Sequence[str], keep: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The wanted arrays, some rows at a time, at least once. Raises `GradcliError`."""
        keys = dict(zip(self.columns, self.keys, strict=True))
        arrays = {name: self._array(name, keys[name]) for name in dict.fromkeys([*keep, *used])}
        counts = {name: len(array) for name, array in arrays.items()}
        if len(set(counts.values())) > 1:
            listed = ", ".join(f"'{name}' has {n:,}" for name, n in counts.items())
            raise file_error(f"the arrays in {self.name} differ in their number of rows: {listed}")
        step = self.chunk_rows
        for start in range(0, max(next(iter(counts.values())), 1), step):
            yield pl.DataFrame({n: array[start : start + step] for n, array in arrays.items()})

    def _array(self, name: str, key: str) -> Any:
        """An array of an `.npz`."""
        try:
            self._expect_room(key)
            found = self.archive[key]
        except GradcliError:
            raise
        except Exception as error:  # noqa: BLE001 - zipfile, zlib and NumPy raise many kinds
            what = reason(error).partition("\n")[0]
            if "allow_pickle" in what:
                what = "it has Python objects, which could run code when they are read"
            raise file_error(f"the array '{name}' in {self.name} can't be read: {what}") from None
        if not found.ndim:
            raise file_error(
                f"the array '{name}' in {self.name} is a single number",
                f"a value for all rows is given by --{name} VALUE",
            )
        return found.astype(np.float64) if found.dtype.kind == "f" else found

    def _expect_room(self, key: str) -> None:
        """Raise if an array is packed and larger than the bound, or than its own header says."""
        members = self.archive.zip.namelist()
        member = self.archive.zip.getinfo(key if key in members else f"{key}.npy")
        self.unpacked += member.file_size if member.compress_type else 0
        if self.unpacked > MOST:
            raise file_error(
                f"{self.name} unpacks to more than {MOST >> 20:,} MB",
                "what is larger is read from an .npz without compression (np.savez) and from "
                "Parquet",
            )
        with self.archive.zip.open(member) as file:
            expect_whole(file, member.file_size, str(self.path))
