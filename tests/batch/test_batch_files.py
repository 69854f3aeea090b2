"""What files of points may look like, and what is written of them."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
import re
import sys
import threading
from io import BytesIO, TextIOWrapper
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from schemas import schema

from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.files import head_start, text_cells
from gradcli.files.dialect import Asked
from gradcli.files.points import Points
from gradcli.files.text_points import TablePoints

FORMS = ("csv", "tsv", "ndjson", "parquet", "npz")


def raw(*arguments: str, stdin: bytes = b"") -> bytes:
    """What a run that goes well has on standard output."""
    environment = Environment.captured(stdin)
    code = run(["batch", *arguments], environment)
    streams = []
    for stream in (environment.stdout, environment.stderr):
        assert isinstance(stream, TextIOWrapper)
        assert isinstance(stream.buffer, BytesIO)
        streams.append(stream.buffer.getvalue())
    assert (code, streams[1]) == (0, b"")
    return streams[0]


def batch(*arguments: str, stdin: bytes = b"") -> str:
    """The same as text."""
    return raw(*arguments, stdin=stdin).decode()


def values(path: str, text: str = "x^2") -> list[str]:
    """The values of a program in the rows of a file."""
    return batch(text, path, "--only", "value").split()[1:]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- every format, to and from ---------------------------------------------------------------


@pytest.mark.parametrize(("source", "to"), list(product(FORMS, FORMS)))
@pytest.mark.parametrize("errors", ["nan", "skip"])
def test_every_format_to_every_other(source: str, to: str, errors: str) -> None:
    """Numbers, arrays and words, with a row that fails, through files and standard streams."""
    Path("p.csv").write_text('x,c,k\n1,"[1, 2]",a\n-1,"[3, 4]","b, c"\n4,"[5, 6]",δ\n')
    batch("x + sum(c)", "p.csv", "--keep", "x,c,k", "--only", "value", "--out", f"p.{source}")
    program = "log(x)*sum(c)"
    keep = ("--keep", "k,c", "--errors", errors)
    batch(program, f"p.{source}", *keep, "--out", f"o.{to}")
    columns = ("--keep", "k,c,d_x,d_c", "--only", "grad", "--errors", "nan", "--json")
    rows = [json.loads(line) for line in batch("value", f"o.{to}", *columns).splitlines()]
    good: list[dict[str, Any]] = [
        {"k": "a", "c": [1, 2], "d_x": 3, "d_c": [0, 0]},
        {"k": "δ", "c": [5, 6], "d_x": 11 / 4, "d_c": [np.log(4)] * 2},
    ]
    if errors == "nan":
        bad = rows.pop(1)
        assert (bad["k"], bad["c"]) in [("b, c", [3, 4]), ("b, c", "[3.0, 4.0]")]
        assert "NaN" in str(bad["d_x"])
    assert len(rows) == len(good)
    for row, wanted in zip(rows, good, strict=True):
        assert row["k"] == wanted.pop("k")
        for name, value in wanted.items():
            found = row[name]  # a column that is only kept stays the text of a text file
            array = np.asarray(json.loads(found) if isinstance(found, str) else found, dtype=float)
            np.testing.assert_allclose(array, value, rtol=1e-15)
    stdin = Path(f"p.{source}").read_bytes()
    piped = raw(program, "-", "--from", source, *keep, "--to", to, stdin=stdin)
    if to in ("csv", "tsv", "ndjson"):
        assert piped == Path(f"o.{to}").read_bytes()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("count", [0, 1])
def test_no_row_and_one(form: str, count: int) -> None:
    types = {"x": pl.Float64, "k": pl.String}
    frame = pl.DataFrame({"x": [3.0] * count, "k": ["a"] * count}, schema=types)
    frame.write_parquet("p.parquet")
    batch("x^2", "p.parquet", "--keep", "x,k", "--out", f"o.{form}")
    if form == "ndjson" and not count:
        assert Path("o.ndjson").read_text() == ""
        return
    assert values(f"o.{form}", "x") == ["3.0"] * count


@pytest.mark.parametrize("form", FORMS)
def test_the_output_may_be_the_input(form: str) -> None:
    Path("p.csv").write_text("x\n" + "".join(f"{i}\n" for i in range(2000)))
    batch("x", "p.csv", "--keep", "x", "--only", "value", "--out", f"o.{form}")
    batch("x^2", f"o.{form}", "--keep", "x", "--out", f"o.{form}")
    assert values(f"o.{form}", "value")[:3] == ["0.0", "1.0", "4.0"]
    assert len(values(f"o.{form}", "d_x")) == 2000


# --- what text may look like -----------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"x\n1\n2\n",
        b"x\n1\n2",
        b"x\r\n1\r\n2\r\n",
        b"\xef\xbb\xbfx\n1\n2\n",
        b'"x"\n"1"\n"2"\n',
        b" x \n 1\n2 \n",
        b"x\n1\n2\n\n",
        b"x\r\n1\r\n2\r\n\r\n\r\n",
        b"x, k\n1, a\n 2, b\n\n\n",
        b"x,k\n+1.0,a\n2e0,\n",
        "x\n−1\n 2\n".encode(),
        gzip.compress(b"x\n1\n2\n", mtime=0),
    ],
)
def test_csv(content: bytes) -> None:
    Path("p.csv").write_bytes(content)
    assert values("p.csv") == ["1.0", "4.0"]
    assert batch("x^2", "-", "--only", "value", stdin=content).split() == ["value", "1.0", "4.0"]


@pytest.mark.parametrize(
    "content",
    [
        b'{"x":1}\n{"x":2}\n',
        b'{"x":1}\r\n\r\n{"x":2}',
        b'\xef\xbb\xbf{"x":1}\n{"x":2}\n',
        b'{"x":"1"}\n{"x":" 2 "}\n',
        b'{"x":1,"k":null}\n{"x":2.0,"k":[1]}\n\n',
        b'{"k":{"x":3},"x":1}\n{"x":2}\n',
        '{"x":"−1"}\n{"x":2}\n'.encode(),
        gzip.compress(b'{"x":1}\n{"x":2}\n', mtime=0),
    ],
)
def test_ndjson(content: bytes) -> None:
    Path("p.ndjson").write_bytes(content)
    assert values("p.ndjson") == ["1.0", "4.0"]
    assert batch("x^2", "-", "--from", "ndjson", "--only", "value", stdin=content).split() == [
        "value", "1.0", "4.0",
    ]  # fmt: skip


def test_gzipped_by_its_name() -> None:
    Path("p.csv.gz").write_bytes(gzip.compress(b"x\n1\n"))
    Path("p.jsonl.gz").write_bytes(gzip.compress(b'{"x":2}\n'))
    assert values("p.csv.gz") + values("p.jsonl.gz") == ["1.0", "4.0"]


@pytest.mark.parametrize("late", ['2.5"', "2.5", '"NaN"', '" 2.5 "'])
def test_numbers_may_change_their_kind_late(late: str) -> None:
    """Polars has made up its mind about a column after 100 rows."""
    late = late.removesuffix('"') if late == '2.5"' else late
    Path("p.ndjson").write_text('{"x":1,"k":1}\n' * 3000 + f'{{"x":{late},"k":2.5}}\n')
    last = batch("x", "p.ndjson", "--errors", "nan", "--keep", "x,k").splitlines()[-1]
    assert last == ("NaN,2.5,NaN,NaN" if "NaN" in late else "2.5,2.5,2.5,1.0")


def test_what_is_kept_may_come_late() -> None:
    Path("p.ndjson").write_text('{"x":1,"k":1}\n' * 3000 + '{"x":2,"k":"late"}\n')
    assert batch("x", "p.ndjson", "--keep", "k").splitlines()[-1] == "late,2.0,1.0"


def test_a_second_look_goes_on_from_chunk_to_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Points, "chunk_rows", 50)
    lines = [f'"a\nb",{i}' if i % 7 else f"c,  {i} " for i in range(1000)]
    Path("p.csv").write_text("k,x\n" + "\n".join(lines) + "\n\n\n")
    assert values("p.csv", "2*x") == [f"{2.0 * i}" for i in range(1000)]


@pytest.mark.parametrize(
    "name",
    [
        "my points.csv", "δ[1].csv", "*.csv", "p?.ndjson", "a[b]*.parquet", "~.csv", "{a}.tsv",
        "50%.npz",
    ],
)  # fmt: skip
@pytest.mark.skipif(sys.platform == "win32", reason="has no such names")
def test_names_of_files(name: str) -> None:
    Path("other.csv").write_text("x\n7\n8\n")
    Path("pq.ndjson").write_text('{"x":7}\n')
    batch("x", "other.csv", "--keep", "x", "--only", "value", "--out", "o.csv")
    Path("one.csv").write_text("x\n1\n")
    batch("x", "one.csv", "--keep", "x", "--only", "value", "--out", name)
    assert values(name) == ["1.0"]


def test_names_of_columns() -> None:
    Path("p.csv").write_text("my x,θ,x₁,e\u0301\n1,2,3,4\n", encoding="utf-8")
    assert batch("θ + x1*é", "p.csv", "--keep", "my x") == (
        "my x,value,d_θ,d_x1,d_é\n1,14.0,1.0,4.0,3.0\n"
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no named pipes")
def test_a_named_pipe() -> None:
    os.mkfifo("p.csv")
    writer = threading.Thread(target=lambda: Path("p.csv").write_text("x\n1\n2\n"))
    writer.start()
    assert values("p.csv") == ["1.0", "4.0"]
    writer.join()


# --- what is carried along --------------------------------------------------------------------

CARRIED = pl.DataFrame(
    {
        "x": [1.0, 2.0],
        "when": [dt.date(2020, 1, 31)] * 2,
        "record": [{"a": 1.5, "b": None}] * 2,
        "words": [["u", "v"], ["w", "δ"]],
        "whole": [2**60 + 1, 5],
        "gap": [None, "z"],
        "flag": [True, None],
    }
)


@pytest.mark.parametrize("form", FORMS)
def test_whatever_is_kept(form: str) -> None:
    CARRIED.write_parquet("p.parquet")
    batch("x^2", "p.parquet", "--keep", "all", "--out", f"o.{form}")
    if form == "npz":
        with np.load("o.npz", allow_pickle=False) as archive:
            found = {name: archive[name] for name in archive.files}
        assert found["whole"].tolist() == [2**60 + 1, 5]
        assert found["words"].tolist() == [["u", "v"], ["w", "δ"]]
        assert found["when"].dtype.kind == "M"
        assert found["gap"].tolist() == ["", "z"]
        return
    if form == "parquet":
        assert pl.read_parquet("o.parquet").select(CARRIED.columns).equals(CARRIED)
        return
    if form == "ndjson":
        row = json.loads(Path("o.ndjson").read_text(encoding="utf-8").splitlines()[0])
        assert (row["record"], row["words"]) == ({"a": 1.5, "b": None}, ["u", "v"])
        assert (row["whole"], row["gap"], row["when"]) == (2**60 + 1, None, "2020-01-31")
        return
    frame = pl.read_csv(f"o.{form}", separator="\t" if form == "tsv" else ",", infer_schema=False)
    assert frame["words"][0] == '["u", "v"]'
    assert json.loads(frame["record"][0]) == {"a": 1.5, "b": None}
    assert frame["whole"][0] == str(2**60 + 1)


def test_lists_of_many_lengths_have_no_place_in_npz() -> None:
    pl.DataFrame({"x": [1.0, 2.0], "l": [[1], [1, 2]]}).write_parquet("p.parquet")
    environment = Environment.captured()
    assert run(["batch", "x", "p.parquet", "--keep", "l", "--out", "o.npz"], environment) == 2
    assert "the lists in the column 'l' differ in length" in environment.written()[1]
    assert not Path("o.npz").exists()


# --- arrays ------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet", "npz"])
def test_shapes_stay_the_same_over_chunks(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk's end is nothing that a user knows of."""
    monkeypatch.setattr(Points, "chunk_rows", 10)
    lists = [[1.0, 2.0]] * 5000 + [[1.0, 2.0, 3.0]]
    if form == "csv":
        Path("p.csv").write_text("c\n" + "".join(f'"{c}"\n' for c in lists))
    elif form == "ndjson":
        Path("p.ndjson").write_text("".join(f'{{"c":{c}}}\n' for c in lists))
    elif form == "parquet":
        pl.DataFrame({"c": lists}).write_parquet("p.parquet")
    else:
        return
    environment = Environment.captured()
    assert run(["batch", "sum(c)", f"p.{form}", "--out", "o.csv"], environment) == 2
    assert "row 5,001: the column 'c' has a list of 3" in environment.written()[1]


@pytest.mark.parametrize("form", FORMS)
def test_lists_without_elements(form: str) -> None:
    np.savez("p.npz", c=np.empty((2, 0)), x=[1.0, 2.0])
    batch("x + sum(c)", "p.npz", "--keep", "c,x", "--only", "value", "--out", f"o.{form}")
    assert values(f"o.{form}", "sum(c) + x") == ["1.0", "2.0"]


def test_matrices() -> None:
    W = np.arange(12.0).reshape(3, 2, 2)
    np.savez("p.npz", W=W, x=np.ones((3, 2)))
    for form in FORMS:
        batch("sum(W @ x)", "p.npz", "--keep", "W,x", "--out", f"o.{form}")
        if form == "npz":
            with np.load("o.npz") as archive:
                assert archive["d_W"].shape == (3, 2, 2)
        assert values(f"o.{form}", "sum(W @ x) - value + sum(d_W)") == ["4.0"] * 3


# --- JSON ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "more"),
    [
        ("log(x)*sum(c)", ["--errors", "nan"]),
        ("log(x)*sum(c)", ["--errors", "nan", "--keep", "all"]),
        ("log(x)*sum(c)", ["--errors", "skip", "--only", "value"]),
        ("log(x)*sum(c)", ["--errors", "nan", "--only", "grad"]),
        ("x*c", ["--only", "value"]),
        ("exp(-1000*x)*sum(c)", ["--allow-nonfinite"]),
        ("log(x)", ["--wrt", "x", "--allow-nonfinite"]),
    ],
)
def test_lines_fit_the_schema(program: str, more: list[str]) -> None:
    Path("p.ndjson").write_text('{"x":2,"c":[1,2],"k":"a"}\n{"x":-1,"c":[3,4],"k":"b"}\n')

    def refuse(word: str) -> Any:
        raise AssertionError(word)

    lines = batch(program, "p.ndjson", "--json", *more).splitlines()
    for line in lines:
        found = json.loads(line, parse_constant=refuse)
        schema("batch").validate(found)
    assert batch(program, "p.ndjson", "--to", "ndjson", *more).splitlines() == lines


def test_what_json_has_no_number_for_comes_back() -> None:
    Path("p.csv").write_text("x\n-1000\n1\nnan\n")
    batch("exp(-x)", "p.csv", "--allow-nonfinite", "--keep", "x", "--out", "o.ndjson")
    assert Path("o.ndjson").read_text().splitlines()[0] == (
        '{"x":-1000.0,"value":"Infinity","d_x":"-Infinity"}'
    )
    back = batch("value + d_x*0", "o.ndjson", "--allow-nonfinite", "--only", "value")
    assert back.split()[2] == str(np.exp(-1.0))


# --- the bar --------------------------------------------------------------------------------------


class Terminal(TextIOWrapper):
    """A stream in memory that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("to", "columns", "shown"), [("o.csv", 80, True), ("-", None, True), ("-", 80, False)]
)
def test_the_bar_is_where_no_results_are(to: str, columns: int | None, shown: bool) -> None:  # noqa: FBT001
    Path("p.csv").write_text("x\n1\n2\n")
    err = Terminal(BytesIO(), "utf-8")
    environment = Environment(None, TextIOWrapper(BytesIO(), "utf-8"), err, columns=columns)
    assert run(["batch", "x^2", "p.csv", "--out", to], environment) == 0
    assert ("2 rows" in environment.written()[1]) == shown
    written = Path(to).read_text() if to != "-" else environment.written()[0]
    assert written == "value,d_x\n1.0,2.0\n4.0,4.0\n"


ERRORS = ("#N/A", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#n/a")


@pytest.mark.parametrize("error", ERRORS)
def test_errors_of_a_spreadsheet_are_no_comments(
    error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every column, near the beginning and behind what is looked at there, packed or not."""
    monkeypatch.setattr(text_cells, "BEGINNING", 64)
    for rows in (1, 40):
        for row in (f"{error},2", f"2,{error}"):
            text = "x,y\n" + "1,2\n" * rows + f"# a comment\n{row}\n1,2\n"
            Path("p.csv").write_text(text if rows > 1 else text.replace("# a comment\n", ""))
            environment = Environment.captured()
            assert run(["batch", "x*y", "p.csv"], environment) == 2
            shown = environment.written()[1]
            assert re.search(f"row {rows + 1}: the .*column.* has '{re.escape(error)}'", shown)


@pytest.mark.parametrize("separator", [",", ";", "|", "\t"])
@pytest.mark.parametrize("form", ["sep={}\n", '"sep={}"\r\n', "SEP={} \n\n"])
def test_a_first_line_that_says_what_separates(form: str, separator: str) -> None:
    rows = f"{form.format(separator)}x{separator}y\n3{separator}2\n1{separator}4\n"
    Path("p.csv").write_text(rows, newline="")
    environment = Environment.captured()
    assert run(["batch", "x*y", "p.csv"], environment) == 0
    assert environment.written()[0].split() == ["value,d_x,d_y", "6.0,2.0,3.0", "4.0,4.0,1.0"]


# --- a head start ----------------------------------------------------------------------------

BEGUN = {
    "plain": ("x + 2*y", "x,y\n1,2\n3,4\n", []),
    "other order": ("y*x", "x,y\n1,2\n3,4\n", []),
    "Windows": ("x*y", "x,y\r\n1,2\r\n3,4\r\n", []),
    "kept": ("x*y", "x,y\n1,2\n3,4\n", ["--keep", "all"]),
    "an input in all rows": ("x*y", "x,y\n1,2\n3,4\n", ["--y", "5"]),
    "one name too many": ("x + 1", "x,y\n1,2\n3,4\n", []),
    "a name that is no input": ("y = x; y^2", "x,y\n1,2\n3,4\n", []),
    "gaps": ("x*y", "x,y\n1,2\n,4\n", ["--errors", "nan"]),
    "comments": ("x*y", "x,y\n1,2\n# so far\n3,4\n", []),
    "spaces later": ("x*y", "x,y\n1,2\n 3, 4\n\n\n", []),
    "arrays later": ("x*y", "x,y\n1,2\n3,[4]\n", []),
    "words later": ("x*y", "x,y\n1,2\n3,four\n", []),
    "cells too many later": ("x*y", "x,y\n1,2\n3,4,5\n", []),
    "decimal commas": ("x*y", 'x,y\n1,2\n"1,5",4\n', []),
    "a header alone": ("x*y", "x,y\n", []),
    "quotes": ("x*y", '"x","y"\n1,2\n3,4\n', []),
    "a program that can't be read": ("x*y +", "x,y\n1,2\n3,4\n", []),
}


@pytest.mark.parametrize("case", BEGUN)
def test_a_head_start_changes_nothing(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the first lines promise, rows and errors are those of a later reading."""
    program, text, options = BEGUN[case]
    Path("p.csv").write_bytes(text.encode())
    taken: list[Any] = []
    own = head_start.taken

    def noted(*arguments: Any) -> Any:
        taken.append(own(*arguments))
        return taken[-1]

    monkeypatch.setattr(head_start, "taken", noted)
    found = []
    for least in (10**9, 0):
        monkeypatch.setattr(head_start, "LARGE", least)
        environment = Environment.captured()
        code = run(["batch", program, "p.csv", *options], environment)
        found.append((code, environment.written()))
    assert found[0] == found[1]
    if case in ("plain", "other order", "Windows", "kept", "gaps", "words later"):
        assert taken[0] is None
        assert taken[1] is not None


def test_what_was_begun_is_of_the_file_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_start, "LARGE", 0)
    Path("p.csv").write_text("x\n1\n2\n")
    head_start.begin("p.csv", "x")
    Path("p.csv").write_text("x\n1\n2\n3\n")
    read = TablePoints(Path("p.csv"), "p.csv", "csv", Asked())
    assert sum(len(chunk) for chunk in read.chunks(["x"], [])) == 3
