"""Every error of `gradcli batch` as a user sees it, each with its place and its exit code."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.files import frames, job

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

FORMS = ("csv", "tsv", "ndjson", "parquet", "npz")


def batch(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    environment = Environment.captured(stdin)
    return run(["batch", *arguments], environment), *environment.written()


def write(name: str, columns: dict[str, Any]) -> None:
    """A file of points in the format of its name."""
    form = Path(name).suffix
    if form == ".npz":
        np.savez(name, allow_pickle=False, **{n: np.array(c) for n, c in columns.items()})
        return
    frame = pl.DataFrame(columns)
    if form == ".parquet":
        frame.write_parquet(name)
    elif form == ".ndjson":
        frame.write_ndjson(name)
    else:
        frame.write_csv(name, separator="\t" if form == ".tsv" else ",")


TEXTS = {
    "p.csv": "x,y,name\n3,-4,a\n1,2,b\n",
    "text.csv": "x,y\n1,2\n1,abc\n",
    "text.tsv": "x\ty\n1\t2\n1\tabc\n",
    "comma.csv": 'x,y\n"1,5",2\n',
    "missing.csv": "x,y\n1,2\n,2\n",
    "short.csv": "x,y\n1,2\n1\n",
    "long.csv": "x,y\n1,2\n1,2,3\n",
    "blank line.csv": "x,y\n1,2\n\n3,4\n",
    "twice.csv": "x,x\n1,2\n",
    "unnamed.csv": "x,,\n1,2,3\n",
    "semicolons.csv": "x;y,z\n1;2,3\n",
    "tabs.csv": "x\ty;z\n1\t2;3\n",
    "commas.tsv": "x,y;z\n1,2;3\n",
    "grouped.csv": "x;y\n1,234;2\n",
    "thousands.csv": 'x,y\n"1,234.5",2\n',
    "trailing.csv": "x,y\n1,2,\n",
    "two commas.csv": "x,y\n1,5,2,5\n",
    "na.csv": "x,y\n1,NA\n",
    "truth.csv": "x,y\n1,true\n",
    "too large.csv": "x,y\n 1e400 ,1\n",
    "points.csv": "x;y\n1,5;2\n1.5;2\n",
    "late comma.csv": "x;y\n" + "1;2\n" * 200 + "1,5;2\n",
    "comments.csv": "# only\n\n# comments\n",
    "no header.csv": "1,2\n3,4\n",
    "misspelt.csv": "lenght\n1\n",
    "empty.csv": "",
    "empty.ndjson": "",
    "blank.csv": "\n\n",
    "quote.csv": 'x,k\n1,"a\n2,b\n',
    "results.csv": "x,value,d_x\n1,2,3\n",
    "ragged.csv": 'x\n"[1, 2]"\n"[1]"\n',
    "number.csv": 'x\n"[1, 2]"\n1\n',
    "list.csv": 'x\n1\n"[1, 2]"\n',
    "broken list.csv": 'x\n"[1, 2]"\n"[1, [2]]"\n',
    "null in list.csv": 'x\n"[1, null]"\n',
    "deep list.csv": 'x\n"' + "[" * 5000 + '"\n',
    "text.ndjson": '{"x":1,"y":2}\n{"x":1,"y":"abc"}\n',
    "missing.ndjson": '{"x":1}\n{"y":1}\n',
    "ragged.ndjson": '{"x":[1,2]}\n{"x":[1]}\n',
    "null in list.ndjson": '{"x":[1,2]}\n{"x":[1,null]}\n',
    "broken.ndjson": '{"x":1}\n{"x":\n',
    "array.ndjson": '[{"x":1},{"x":2}]\n',
    "numbers.ndjson": "1\n2\n",
    "bare nan.ndjson": '{"x":1}\n{"x":NaN}\n',
    "large number.ndjson": '{"x":1e400}\n',
    "signs.csv": "x\n1\n-1\n",
    "many.csv": "x,y\n" + "1,2\n" * 3000 + "1,abc\n",
    "null.ndjson": '{"x":1}\nnull\n',
    "not.parquet": "x\n1\n",
    "not.npz": "x\n1\n",
    "points.txt": "x\n1\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in TEXTS.items():
        Path(name).write_text(text, newline="")
    Path("utf-16.csv").write_bytes("x\n1\n".encode("utf-16"))
    Path("latin-1.csv").write_bytes("x,k\n1,a\n2,\xe9\n".encode("latin-1"))
    Path("latin-1 cell.csv").write_bytes(b"x\n1\n2\xe9\n")
    Path("folder.csv").mkdir()
    write("lists.parquet", {"x": [[1.0, 2.0], [3.0, 4.0]]})
    write("text.parquet", {"x": ["a", "b"]})
    write("lists of text.parquet", {"x": [["a"], ["b"]]})
    write("dates.parquet", {"x": [date(2020, 1, 1)]})
    write("missing.parquet", {"x": [1.0, None]})
    write("ragged.parquet", {"x": [[1.0, 2.0], [3.0]]})
    write("null in list.parquet", {"x": [[1.0, 2.0], [3.0, None]]})
    write("record.parquet", {"x": [{"a": 1.0}]})
    write("text.npz", {"x": ["a", "b"]})
    write("complex.npz", {"x": [1j]})
    write("single.npz", {"x": 1.0})
    write("rows.npz", {"x": [1.0, 2.0], "y": [1.0]})
    np.savez("objects.npz", x=np.array([1, None], dtype=object))
    np.savez("empty.npz")
    np.save("array.npy", np.ones(3))
    Path("array.npz").write_bytes(Path("array.npy").read_bytes())
    whole = gzip.compress(b"x\n" + b"1.25\n" * 1000)
    Path("cut.csv.gz").write_bytes(whole[:-20])
    return tmp_path


FAILURES = {
    # what is asked for
    "no points": ["x^2"],
    "program and points from standard input": ["-", "-"],
    "upstream": ["x^2", "p.csv", "--upstream", "2"],
    "json and csv": ["x^2", "p.csv", "--json", "--to", "csv"],
    "only": ["x^2", "p.csv", "--only", "gradient"],
    "errors": ["x^2", "p.csv", "--errors", "ignore"],
    "from": ["x^2", "p.csv", "--from", "xlsx"],
    "to": ["x^2", "p.csv", "--to", "jsn"],
    "keep of nothing": ["x^2", "p.csv", "--keep", ""],
    "keep of an unknown column": ["x^2", "p.csv", "--keep", "nmae"],
    "keep of a result": ["x^2", "results.csv", "--keep", "all"],
    "keep of a gradient": ["x^2", "results.csv", "--keep", "d_x", "--only", "grad"],
    "wrt": ["x^2", "p.csv", "--wrt", "z"],
    "output": ["u = x^2; u + 1", "p.csv", "--output", "w"],
    "syntax": ["x +", "p.csv"],
    "a value twice": ["x^2", "p.csv", "--x", "1", "--x", "2"],
    "an option misspelt": ["x^2", "p.csv", "--kep", "name"],
    "a point instead of a column": ["a*b", "p.csv", "--a", "1", "--b", "2"],
    "an array comes out": ["2*x", "lists.parquet"],
    "shapes": ["x @ y", "lists.parquet", "--y", "[1, 2, 3]"],
    # files
    "no such file": ["x^2", "pp.csv"],
    "folder": ["x^2", "folder.csv"],
    "device": ["x^2", "/dev/zero", "--from", "csv"],
    "unknown format": ["x^2", "points.txt"],
    "no ending": ["x^2", "points"],
    "unknown format of the output": ["x^2", "p.csv", "--out", "o.xlsx"],
    "compressed output": ["x^2", "p.csv", "--out", "o.csv.gz"],
    "output folder missing": ["x^2", "p.csv", "--out", "no/such/folder/o.csv"],
    "empty": ["x^2", "empty.csv"],
    "empty ndjson": ["x^2", "empty.ndjson"],
    "blank": ["x^2", "blank.csv"],
    "utf-16": ["x^2", "utf-16.csv"],
    "latin-1": ["x^2", "latin-1.csv"],
    "cut off": ["x^2", "cut.csv.gz"],
    "not parquet": ["x^2", "not.parquet"],
    "not npz": ["x^2", "not.npz"],
    "an array as npz": ["x^2", "array.npz"],
    "broken ndjson": ["x^2", "broken.ndjson"],
    "array in ndjson": ["x^2", "array.ndjson"],
    "numbers in ndjson": ["x^2", "numbers.ndjson"],
    "bare nan in ndjson": ["x^2", "bare nan.ndjson"],
    "latin-1 in a cell": ["x^2", "latin-1 cell.csv"],
    "null in ndjson": ["x^2", "null.ndjson"],
    "large number in ndjson": ["x^2", "large number.ndjson"],
    "quotation mark": ["x^2", "quote.csv", "--keep", "k"],
    "too many cells": ["x*y", "long.csv"],
    # columns
    "missing column": ["x*z", "p.csv"],
    "columns run together": ["xy", "p.csv"],
    "misspelt column": ["length^2", "misspelt.csv"],
    "misspelt in the program": ["nam^2", "p.csv"],
    "semicolons": ["x*y", "semicolons.csv"],
    "tabs": ["x*y", "tabs.csv"],
    "commas": ["x*y", "commas.tsv"],
    "no header": ["x*y", "no header.csv"],
    "a column twice": ["x", "twice.csv"],
    "columns without a name": ["x*y", "unnamed.csv"],
    "separator": ["x", "p.csv", "--separator", ";;"],
    "decimal": ["x", "p.csv", "--decimal", ";"],
    "comma or thousands": ["x*y", "grouped.csv"],
    "thousands": ["x*y", "thousands.csv"],
    "rows end with a comma": ["x*y", "trailing.csv"],
    "decimal commas between commas": ["x*y", "two commas.csv"],
    "NA": ["x*y", "na.csv"],
    "true": ["x*y", "truth.csv"],
    "too large a number": ["x*y", "too large.csv"],
    "points and commas": ["x*y", "points.csv"],
    "a decimal comma after many rows": ["x*y", "late comma.csv"],
    "a point among decimal commas": ["x*y", "points.csv", "--decimal", ","],
    "a marker for missing values": ["x*y", "na.csv", "--missing", "NA"],
    "a number for missing values": ["x*y", "p.csv", "--missing", "-4"],
    "comments alone": ["x*y", "comments.csv"],
    "nothing in npz": ["x", "empty.npz"],
    "rows differ in npz": ["x*y", "rows.npz"],
    # cells
    **{f"text in {form}": ["x*y", f"text.{form}"] for form in ("csv", "tsv", "ndjson")},
    "text in parquet": ["x^2", "text.parquet"],
    "lists of text in parquet": ["sum(x)", "lists of text.parquet"],
    "dates in parquet": ["x^2", "dates.parquet"],
    "text in npz": ["x^2", "text.npz"],
    "text after many rows": ["x*y", "many.csv"],
    "decimal comma": ["x*y", "comma.csv"],
    "missing in csv": ["x*y", "missing.csv"],
    "missing at the end of a row": ["x*y", "short.csv"],
    "missing in a blank line": ["x*y", "blank line.csv"],
    "missing in ndjson": ["x^2", "missing.ndjson"],
    "missing in parquet": ["x^2", "missing.parquet"],
    "record": ["x^2", "record.parquet"],
    "complex": ["x^2", "complex.npz"],
    "objects": ["x^2", "objects.npz"],
    "single number": ["x^2", "single.npz"],
    **{f"ragged {form}": ["sum(x)", f"ragged.{form}"] for form in ("csv", "ndjson", "parquet")},
    **{
        f"null in a list of {form}": ["sum(x)", f"null in list.{form}"]
        for form in ("csv", "ndjson", "parquet")
    },
    "a number below a list": ["sum(x)", "number.csv"],
    "a list below a number": ["sum(x)", "list.csv"],
    "broken list": ["sum(x)", "broken list.csv"],
    "deep list": ["sum(x)", "deep list.csv"],
}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", FAILURES)
def test_wrong_usage(name: str, snapshot: SnapshotAssertion) -> None:
    code, out, err = batch(*FAILURES[name])
    assert (code, out) == (2, "")
    assert "gradcli itself" not in err
    assert err == snapshot


@pytest.mark.usefixtures("folder")
def test_standard_streams(snapshot: SnapshotAssertion) -> None:
    for form, content in (("csv", b"x\n1\nabc\n"), ("npz", b"x"), ("ndjson", b"")):
        code, out, err = batch("x^2", "-", "--from", form, stdin=content)
        assert (code, out) == (2, "")
        assert err == snapshot
    outside = Environment(None, None, Environment.captured().stderr)
    assert run(["batch", "x^2", "-"], outside) == 2
    assert outside.written()[1] == snapshot


MATHEMATICS: dict[str, tuple[str, list[Any]]] = {
    "domain": ("log(x)", [1.0, 2.0, -1.0]),
    "division by zero": ("1/x", [1.0, 2.0, 0.0]),
    "overflow": ("exp(x)", [1.0, 2.0, 1000.0]),
    "edge": ("sqrt(x)", [1.0, 2.0, 0.0]),
    "singular": ("sum(inv(x))", [[[1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]]]),
    "nan": ("x^2", [1.0, float("nan")]),
    "infinite": ("x^2", [1.0, float("inf")]),
    "nan in a list": ("sum(x^2)", [[1.0, 2.0], [1.0, float("nan")]]),
}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", MATHEMATICS)
def test_rows_that_fail(name: str, snapshot: SnapshotAssertion) -> None:
    """The same words and exit code whatever the format, and nothing but the words."""
    text, values = MATHEMATICS[name]
    said = set()
    for form in FORMS:
        lists = isinstance(values[0], list)
        cells: Any = list(map(json.dumps, values)) if lists and form in ("csv", "tsv") else values
        if form == "ndjson":
            lines = [json.dumps({"x": v}).replace("NaN", '"NaN"') for v in values]
            Path("p.ndjson").write_text("\n".join(lines).replace("Infinity", '"Infinity"') + "\n")
        else:
            write(f"p.{form}", {"x": cells})
        for more in ([], ["--out", "o.csv"], ["--to", "ndjson"]):
            code, out, err = batch(text, f"p.{form}", *more)
            assert (code, out) == (1, "")
            said.add(err)
        assert not Path("o.csv").exists()
        failed = len(values) - 1
        code, out, err = batch(text, f"p.{form}", "--errors", "skip")
        assert (code, err, len(out.splitlines())) == (0, "", 1 + failed)
        code, out, err = batch(text, f"p.{form}", "--errors", "nan")
        assert (code, err) == (0, "")
        assert [line.startswith("NaN,") for line in out.splitlines()[1:]] == [False] * failed + [
            True
        ]
    assert len(said) == 1
    assert said.pop() == snapshot


@pytest.mark.usefixtures("folder")
def test_errors_as_json() -> None:
    code, _, err = batch("log(x)", "signs.csv", "--json")
    error = json.loads(err)["error"]
    assert (code, error["kind"], error["line"]) == (1, "domain", 1)
    assert error["message"] == "row 2: log(x) is not defined at x = -1"
    code, _, err = batch("x*y", "text.csv", "--json")
    assert (code, json.loads(err)["error"]["kind"]) == (2, "file")


@pytest.mark.parametrize("form", FORMS)
def test_an_interrupt_leaves_nothing(
    form: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(first: Any, _frames: Any) -> Any:
        yield from first
        raise KeyboardInterrupt

    Path(f"o.{form}").write_text("before")
    there = sorted(folder.iterdir())
    monkeypatch.setattr(job, "chain", interrupted)
    code, _, err = batch("x+y", "p.csv", "--out", f"o.{form}")
    assert (code, err) == (130, "")
    assert sorted(folder.iterdir()) == there
    assert Path(f"o.{form}").read_text() == "before"


@pytest.mark.parametrize("form", FORMS)
def test_a_full_disk(
    form: str, folder: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    def full(*_: Any) -> None:
        raise pl.exceptions.ComputeError("parquet: underlying IO error: (os error 28)")

    for writer in ("_write_table", "_write_ndjson", "_write_parquet", "_write_npz"):
        monkeypatch.setattr(frames, writer, full)
    there = sorted(folder.iterdir())
    code, out, err = batch("x+y", "p.csv", "--out", f"o.{form}", "--keep", "name")
    assert (code, out) == (2, "")
    assert err == snapshot
    assert sorted(folder.iterdir()) == there


@pytest.mark.usefixtures("folder")
class TestMissingValues:
    """With --errors nan or skip, a row with an empty cell is one of those that fail."""

    @staticmethod
    def rows(*arguments: str) -> list[Any]:
        code, out, err = batch(*arguments, "--json")
        assert (code, err) == (0, "")
        return [json.loads(line) for line in out.splitlines()]

    @pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
    def test_numbers(self, form: str) -> None:
        name = f"gaps.{form}"
        write(name, {"x": [1.5, None, 3.0], "y": [2, 4, None]})
        assert self.rows("x*y", name, "--errors", "nan") == [
            {"value": 3.0, "d_x": 2.0, "d_y": 1.5},
            *[{"value": "NaN", "d_x": "NaN", "d_y": "NaN"}] * 2,
        ]
        assert self.rows("x*y", name, "--errors", "skip", "--keep", "y") == [
            {"y": 2.0, "value": 3.0, "d_x": 2.0, "d_y": 1.5}
        ]

    @pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
    def test_lists(self, form: str) -> None:
        name = f"gaps.{form}"
        if form == "csv":
            Path(name).write_text('v,w\n,0\n"[1, 2]",0\n"[null, 3]",0\n"[3, 4]",0\n')
        else:
            write(name, {"v": [None, [1, 2], [None, 3], [3, 4]]})
        found = self.rows("sum(v)", name, "--errors", "skip")
        assert found == [{"value": 3.0, "d_v": [1.0, 1.0]}, {"value": 7.0, "d_v": [1.0, 1.0]}]
        assert len(self.rows("sum(v)", name, "--errors", "nan")) == 4

    def test_what_is_no_number_stays_an_error(self) -> None:
        Path("words.csv").write_text("x\n1\nmany\n")
        code, _, err = batch("x", "words.csv", "--errors", "skip")
        assert (code, "row 2: the column 'x' has 'many'" in err) == (2, True)
