"""How a table is written: its separator, its decimal mark, what stands above its header.

The first lines of a text come in, a `Table` comes out. Semicolons and tabs are recognised where
the header has them and nothing else that separates, decimal commas where a header without commas
says that they don't separate. What could be read in two ways is an error that names the option.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import StringIO

from gradcli.diagnostics.failures import file_error, usage_error
from gradcli.diagnostics.spreadsheets import ERROR_VALUE, SEPARATOR_LINE
from gradcli.files.numbers import has_comma, has_point, is_grouped, number

SEPARATORS = {"csv": ",", "tsv": "\t"}
"""What separates the columns by the format's name."""
WORDS = {",": "commas", ";": "semicolons", "\t": "tabs"}
ROWS = 100
"""How many rows are examined."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says of a file; None is found out."""

    separator: str | None = None
    decimal: str | None = None
    missing: frozenset[str] = field(default_factory=frozenset)
    """Texts that stand for no value, besides an empty cell."""
    gaps: bool = False
    """Whether a cell in which nothing is written is nan, not an error."""


@dataclass(frozen=True, slots=True)
class Table:
    """How a table is written, and what its first lines have."""

    separator: str = ","
    decimal: str = "."
    above: int = 0
    """Lines above the header: blank ones and comments."""
    commented: bool = False
    """Whether the header itself is a comment, `# x,y`; then `above` counts its line."""
    header: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    """The first row below the header."""


def asked(
    form: str, separator: str | None, decimal: str | None, missing: str | None, *, gaps: bool
) -> Asked:
    """What `--separator`, `--decimal` and `--missing` say. Raises `GradcliError`."""
    for option, value in (("--separator", separator), ("--decimal", decimal)):
        if value is not None and form not in SEPARATORS:
            raise usage_error(f"{option} is for CSV files, and the points are {form}")
    words = {"tab": "\t", r"\t": "\t", "comma": ",", "semicolon": ";", "space": " "}
    if separator is not None:
        separator = words.get(separator, separator)
        fit = len(separator) == 1 and separator.isascii() and separator not in '"#\r\n\0+-.'
        if not fit or separator.isalnum():
            raise usage_error(
                f"--separator takes one character, not '{separator}'",
                "--separator ';' or --separator tab",
            )
    if decimal not in (None, ".", ","):
        raise usage_error(f"--decimal takes '.' or ',', not '{decimal}'")
    markers = () if missing is None else (word.strip() for word in missing.split(","))
    return Asked(separator, decimal, frozenset(markers) - {""}, gaps)


def rows_of(lines: Iterable[str], separator: str, *, strict: bool = False) -> Iterator[list[str]]:
    """The rows of a table, with a cell in quotes over several lines as one."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    return csv.reader(lines, delimiter=separator, strict=strict)


class WithoutComments:
    """Lines without comments: those where a row begins with `#`, and not with `#N/A`.

    `csv.reader` takes the lines of one row before it gives the row back, and `row_begins` has to
    be set then.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = iter(lines)
        self.row_begins = True

    def __iter__(self) -> WithoutComments:
        return self

    def __next__(self) -> str:
        line = next(self.lines)
        while self.row_begins and line.startswith("#") and not ERROR_VALUE.match(line):
            line = next(self.lines)
        self.row_begins = False
        return line


def table_in(text: str, form: str, name: str, given: Asked) -> Table | None:
    """How a text that begins a table is written; None if nothing is in it.

    `text` ends where a line ends. Raises `GradcliError` of kind file where a number in it can be
    read in two ways.
    """
    lines = list(StringIO(text.removeprefix("\ufeff"), newline=""))
    stated = SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    above = 0 if stated is None else 1
    while above < len(lines) and _is_above(lines[above]):
        above += 1
    comments = [line for line in lines[:above] if line.lstrip().startswith("#")]
    below = lines[above:]
    if not below:
        return None
    preferred = SEPARATORS.get(form, ",")
    separator = given.separator or (stated[1] if stated else "")
    separator = separator or _separator(below[0], preferred, given.decimal)
    rows = [row for row, _ in zip(rows_of(below, separator), range(ROWS), strict=False)]
    header = rows[0] if rows else []
    commented = _commented(comments, header, separator)
    if commented is not None:
        header = commented
    else:
        rows = rows[1:]
    decimal = given.decimal or _decimal(header, rows, separator, name)
    return Table(
        separator,
        decimal,
        above,
        commented is not None,
        tuple(header),
        tuple(rows[0]) if rows else (),
    )


def _is_above(line: str) -> bool:
    bare = line.strip()
    return not bare or (bare.startswith("#") and not ERROR_VALUE.match(bare))


def _commented(comments: list[str], first: list[str], separator: str) -> list[str] | None:
    """The names in the last comment, where the first row has as many cells, all numbers."""
    if not comments or not all(number(cell) is not None for cell in first):
        return None
    names = next(rows_of([comments[-1].strip().removeprefix("#").strip()], separator), [])
    fits = len(names) == len(first) and not any(number(name) is not None for name in names)
    return names if fits else None


def _separator(line: str, preferred: str, decimal: str | None) -> str:
    """What separates the names in a header."""
    outside = "".join(line.split('"')[::2])
    if decimal == "," and preferred == "," and ";" in outside:
        return ";"
    if preferred in outside:
        return preferred
    others = [separator for separator in WORDS if separator in outside]
    return others[0] if len(others) == 1 else preferred


def _decimal(header: list[str], rows: list[list[str]], separator: str, name: str) -> str:
    """The decimal mark of the first rows: a comma only where no comma separates."""
    if separator == "," or any("," in cell for cell in header):
        return "."
    cells = [cell for row in rows for cell in row]
    commas = [cell.strip() for cell in cells if has_comma(cell)]
    if not commas or any(map(has_point, cells)):
        return "."
    if all(map(is_grouped, commas)):
        shown = commas[0][:40]
        raise file_error(
            f"{name}: '{shown}' can be read as {shown.replace(',', '.')} and as "
            f"{shown.replace(',', '')}",
            "--decimal ',' reads decimal commas",
        )
    return ","
