"""Tables of numbers in many dialects: every way in reads the same, or says what is wrong."""

from __future__ import annotations

import gzip
import itertools
import json
import random
import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest

from gradcli.cli.app import run
from gradcli.cli.environment import Environment

ROWS = 3
TABLES = 24
NAMES = ("x", "y")
PROGRAM = "2*x + 0*y"

FORMS: dict[str, Callable[[float], str]] = {
    "plain": repr,
    "signed": lambda v: f"{v:+.17g}",
    "exponent": lambda v: f"{v:.17e}",
    "capital": lambda v: f"{v:.17E}",
    "fortran": lambda v: f"{v:.17e}".replace("e", "d"),
    "minus": lambda v: repr(v).replace("-", "−"),
    "blanks": lambda v: f"  {v!r} ",
}
"""How a number is written."""
QUOTED: dict[str, Callable[[str], str]] = {
    "bare": lambda cell: cell,
    "quoted": lambda cell: f'"{cell}"',
}
ABOVE = ("", "\n", "\n\n", "# by a program\n", "# a, b; c\n\n")
ENDS = ("\n", "\r\n", "\r")
SEPARATORS = (",", ";", "\t")
REFUSED = (
    "1,234.5", "1_000", "true", "NA", "abc", "", "1e400", "0x10", "1.2.3", "1 2", "--1", "1/2",
    "5%", "½", "1+2j", "[1, 2", "$1", "+", "e5", ".", "\u00a0", "1\u00a02", "#1",
)  # fmt: skip
"""Cells that are no number in any table."""


class Written(NamedTuple):
    """A table as text, and its numbers."""

    text: str
    numbers: np.ndarray
    suffix: str


def outcome(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    environment = Environment.captured(stdin)
    return run(list(arguments), environment), *environment.written()


def tables(seed: int) -> Iterator[Written]:
    """Every dialect once, with numbers of many sizes."""
    draw = random.Random(seed)  # noqa: S311 - it draws tables
    choices = itertools.product(FORMS, QUOTED, SEPARATORS, (".", ","))
    for form, quoted, separator, decimal in draw.sample(list(choices), TABLES):
        if decimal == separator:
            continue
        values = [
            [draw.uniform(-10, 10) * 10.0 ** draw.randint(-3, 3) for _ in NAMES]
            for _ in range(ROWS)
        ]
        cells = [[FORMS[form](v).replace(".", decimal) for v in row] for row in values]
        rows = [NAMES, *([QUOTED[quoted](cell) for cell in row] for row in cells)]
        end = draw.choice(ENDS)
        last = separator if draw.random() < 0.3 else ""
        lines = [separator.join(row) + last for row in rows]
        above = draw.choice(ABOVE) if end != "\r" else ""
        mark = draw.choice(("", "\ufeff"))
        text = above + "\n".join(lines) + draw.choice(("", "\n", "\n\n"))
        yield Written(
            mark + text.replace("\n", end),
            np.array(values),
            ".tsv" if separator == "\t" else ".csv",
        )


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_way_in_reads_the_same_numbers() -> None:
    for written in tables(seed=1):
        name = "p" + written.suffix
        data = written.text.encode()
        Path(name).write_bytes(data)
        told = (repr(written.text), name)
        code, out, err = outcome("batch", PROGRAM, name, "--only", "value")
        assert (code, err) == (0, ""), (*told, err)
        found = [float(line) for line in out.split()[1:]]
        assert found == [2 * v for v in written.numbers[:, 0]], told
        piped = outcome("batch", PROGRAM, "-", "--only", "value", stdin=data)
        assert piped == (0, out, ""), told

        code, out, err = outcome("eval", "A", "--A", f"@{name}", "--value")
        assert (code, err) == (0, ""), (*told, err)
        assert np.array_equal(json.loads(out), written.numbers), told

        below = re.split("(?<=[\r\n])(?![\r\n])", written.text)
        header = next(i for i, line in enumerate(below) if NAMES[0] in line)
        Path(name).write_bytes("".join(below[: header + 2]).encode())
        code, out, err = outcome("eval", "x - y", "--data", name, "--value")
        assert (code, err) == (0, ""), (*told, err)
        assert float(out) == written.numbers[0, 0] - written.numbers[0, 1], told


def zstandard(text: str) -> bytes:
    """The text, packed by Polars."""
    file = BytesIO()
    rows = pl.LazyFrame({"line": text.splitlines()})
    rows.sink_csv(file, include_header=False, quote_style="never", compression="zstd")
    return file.getvalue()


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_packed_tables(suffix: str) -> None:
    text = "x;y\n1;2\n3;4\n"
    data = gzip.compress(text.encode()) if suffix == ".gz" else zstandard(text)
    name = f"p.csv{suffix}"
    Path(name).write_bytes(data)
    assert outcome("batch", "x*y", name, "--only", "value")[1] == "value\n2.0\n12.0\n"
    assert outcome("eval", "A", "--A", f"@{name}", "--value")[1] == "[[1.0, 2.0], [3.0, 4.0]]\n"
    Path(name).write_bytes(data[:-8])
    for arguments in (("batch", "x*y", name), ("eval", "A", "--A", f"@{name}", "--value")):
        code, _, err = outcome(*arguments)
        assert (code, err.count("error: ")) == (2, 1), err


@pytest.mark.parametrize("cell", REFUSED)
def test_what_is_no_number_is_said(cell: str) -> None:
    """One error with the file's name, in whatever way the table is read."""
    Path("p.csv").write_text(f'x,y\n1,"{cell}"\n', encoding="utf-8")
    for arguments in (
        ("batch", "x*y", "p.csv"),
        ("eval", "A", "--A", "@p.csv"),
        ("eval", "x*y", "--data", "p.csv"),
    ):
        code, out, err = outcome(*arguments)
        if cell == "1e400" and arguments[0] == "batch":
            assert code == 1, "Polars reads an infinity, which is no point"
            continue
        assert (code, out, err.count("error: ")) == (2, "", 1), (arguments, out, err)
        assert "'p.csv'" in err
        assert "gradcli itself" not in err


def test_missing_values_have_names() -> None:
    Path("p.csv").write_text("x,y\n1,NA\n2,-999\n3, n/a \n4,nan\n5,6\n")
    arguments = ("batch", "x*y", "p.csv", "--only", "value")
    missing = ("--missing", "NA,n/a,-999")
    assert outcome(*arguments, *missing, "--errors", "skip")[1] == "value\n30.0\n"
    code, _, err = outcome(*arguments, *missing)
    assert (code, "row 1: the column 'y' has no value" in err) == (2, True)


@pytest.mark.parametrize(
    ("content", "arguments"),
    [
        ("x;y\n1,234;5,678\n", ("--decimal", ",")),
        ("x|y\n1.234|5.678\n", ("--separator", "|")),
        ('x,y\n"1,234","5,678"\n', ("--decimal", ",")),
        ("# x,y\n1.234,5.678\n", ()),
        ("x,y,,\n1.234,5.678,,\n", ()),
        (",x,y\n0,1.234,5.678\n", ()),
        ("x,y\n# a note\n1.234,5.678\n", ()),
        ("x^2,x,y\n0,1.234,5.678\n", ()),
    ],
)
def test_other_dialects(content: str, arguments: tuple[str, ...]) -> None:
    Path("p.csv").write_text(content)
    code, out, err = outcome("batch", "x + 0*y", "p.csv", "--only", "value", *arguments)
    assert (code, out, err) == (0, "value\n1.234\n", "")


@pytest.mark.parametrize("rows", [1, 5000])
def test_a_quotation_mark_that_is_never_closed(rows: int) -> None:
    """Rows behind it would be lost, also where the column is not used."""
    Path("p.csv").write_text("x,k\n" + "1,a\n" * rows + '1,"a\n' + "2,b\n" * rows)
    code, _, err = outcome("batch", "x", "p.csv", "--out", "o.csv")
    assert (code, f"row {rows + 1:,}: a quotation mark is never closed" in err) == (2, True)
    assert not Path("o.csv").exists()
