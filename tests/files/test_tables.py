"""Tables of numbers in many dialects: every way in reads the same numbers, or says what is wrong."""

from __future__ import annotations

import gzip
import itertools
import json
import random
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest

from gradcli.cli.app import run
from gradcli.cli.environment import Environment

ROWS = 3
NAMES = ("x", "y")
PROGRAM = "2*x + 0*y"

FORMS = {
    "plain": lambda v: repr(v),
    "signed": lambda v: f"{v:+.17g}",
    "exponent": lambda v: f"{v:.17e}",
    "capital": lambda v: f"{v:.17E}",
    "fortran": lambda v: f"{v:.17e}".replace("e", "d"),
    "minus": lambda v: repr(v).replace("-", "−"),
    "blanks": lambda v: f"  {v!r} ",
}
"""How a number is written."""
QUOTED = {"bare": lambda cell: cell, "quoted": lambda cell: f'"{cell}"'}
ABOVE = ("", "\n", "\n\n", "# by a program\n", "# a, b; c\n\n")
ENDS = ("\n", "\r\n", "\r")
SEPARATORS = (",", ";", "\t")
PACKED = {"": bytes, ".gz": lambda data: gzip.compress(data, mtime=0), ".zst": None}
REFUSED = (
    "1,234.5", "1_000", "true", "NA", "abc", "", "1e400", "0x10", "1.2.3", "1 2", "--1", "1/2",
    "5%", "½", "1+2j", "[1, 2", "$1", "+", "e5", ".", "\N{NO-BREAK SPACE}", "1\N{NO-BREAK SPACE}234", "\0", "#1",
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
    draw = random.Random(seed)
    choices = itertools.product(FORMS, QUOTED, SEPARATORS, (".", ","))
    for form, quoted, separator, decimal in choices:
        if decimal == separator:
            continue
        values = [
            [
                draw.choice((-1, 1)) * draw.uniform(0, 10) * 10.0 ** draw.randint(-3, 3)
                for _ in NAMES
            ]
            for _ in range(ROWS)
        ]
        cells = [[FORMS[form](v).replace(".", decimal) for v in row] for row in values]
        rows = [NAMES, *([QUOTED[quoted](cell) for cell in row] for row in cells)]
        end = draw.choice(ENDS)
        last = separator if draw.random() < 0.3 else ""
        lines = [separator.join(row) + last for row in rows]
        above = draw.choice(ABOVE) if end != "\r" else ""
        mark = draw.choice(("", "\ufeff"))
        text = mark + (above + "\n".join(lines) + draw.choice(("", "\n", "\n\n"))).replace(
            "\n", end
        )
        yield Written(text, np.array(values), ".tsv" if separator == "\t" else ".csv")


def zstandard(data: bytes) -> bytes:
    """Packed by Polars, which is how the package unpacks it."""
    file = BytesIO()
    lines = data.decode().split("\n")
    pl.DataFrame({"line": lines[:-1] if not lines[-1] else lines}).lazy().sink_csv(
        file, include_header=False, quote_style="never", separator="\x01", compression="zstd"
    )
    return file.getvalue()


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
