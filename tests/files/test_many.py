"""Points in many files: patterns, folders, parts, and what is written into a folder."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import polars as pl
import pytest

import gradcli
from gradcli import GradcliError, Program
from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.files import cluster
from gradcli.files.many import find
from gradcli.files.parquet_sizes import rows_of_groups
from gradcli.files.parts import Part, portion
from gradcli.files.points import Points

FORMS = ("csv", "tsv", "ndjson", "parquet", "npz")
TEXT = "log(x) + x*y"


def batch(*arguments: str) -> tuple[int, str, str]:
    environment = Environment.captured()
    code = run(["batch", *arguments], environment)
    return code, *environment.written()


def rows(*arguments: str) -> pl.DataFrame:
    """What a run that goes well writes."""
    assert batch(*arguments, "--out", "rows.of.parquet") == (0, "", "")
    return pl.read_parquet("rows.of.parquet")


def write(path: str, columns: dict[str, Any], group: int | None = None) -> None:
    """A file of points, in the format of its name."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    frame = pl.DataFrame(columns)
    form = path.rpartition(".")[2]
    if form == "npz":
        arrays: dict[str, Any] = {name: frame[name].to_numpy() for name in frame.columns}
        np.savez(path, **arrays)
    elif form == "parquet":
        frame.write_parquet(path, row_group_size=group)
    elif form == "ndjson":
        frame.write_ndjson(path)
    else:
        frame.write_csv(path, separator="\t" if form == "tsv" else ",")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tree(random: np.random.Generator, form: str, count: int) -> pl.DataFrame:
    """Files of random sizes, some without rows, and all of their rows in order."""
    frames = []
    for i in range(count):
        size = int(random.choice([0, 1, 7, 40]))
        made: dict[str, Any] = {n: random.uniform(0.5, 2, size) for n in ("x", "y")}
        made["id"] = np.arange(size) + 1000.0 * i
        group = int(random.integers(1, 12)) if form == "parquet" else None
        write(f"data/{chr(97 + i // 2)}/{i:02}.{form}", made, group)
        frames.append(pl.DataFrame(made))
    return pl.concat(frames)


# --- one result of many files --------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_many_files_are_one(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern, a folder and the files in an output folder have the rows of one file."""
    monkeypatch.setattr(Points, "chunk_rows", 16)
    random = np.random.default_rng(1)
    whole = tree(random, form, 5)
    write(f"whole.{form}", whole.to_dict(as_series=False))
    keep = ("--keep", "id") if form != "ndjson" else ()  # an empty one has no columns to keep
    if form == "ndjson":
        for path in Path("data").rglob("*"):
            if path.is_file() and not path.stat().st_size:
                path.unlink()
    expected = rows(TEXT, f"whole.{form}", *keep)
    names = [f"data/*/*.{form}", f"data/**/*.{form}"]
    for name in [*names, "data"] if form == "parquet" else names:
        assert rows(TEXT, name, *keep).equals(expected)
    assert batch(TEXT, names[0], *keep, "--out", "out/", "--to", "csv") == (0, "", "")
    made = sorted(p.relative_to("out") for p in Path("out").rglob("*.csv"))
    there = sorted(p.relative_to("data") for p in Path("data").rglob(f"*.{form}"))
    assert made == [path.with_suffix(".csv") for path in there]
    again = pl.concat(
        pl.read_csv(Path("out") / p, schema=dict.fromkeys(expected.columns, pl.Float64))
        for p in made
    )
    assert again.equals(expected.cast(pl.Float64))


@pytest.mark.parametrize("seed", range(6))
def test_parts_are_all_rows_once(seed: int) -> None:
    random = np.random.default_rng(seed)
    files = int(random.integers(1, 6))
    whole = tree(random, "parquet", files)
    found = find("data", None)
    groups = [g for file in found.files for g in rows_of_groups(Path(file)) or []]
    assert sum(groups) == len(whole)
    for count in (1, 2, files, files + 1, 8, 40):
        shares = [portion(found, Part(i + 1, count)) for i in range(count)]
        if files >= count:
            assert all(share.whole for share in shares)
            assert sum((share.files for share in shares), ()) == found.files
    for count in (2, files + 2):
        parts = [
            rows("x", "data", "--keep", "id", "--part", f"{i + 1}/{count}") for i in range(count)
        ]
        assert pl.concat(parts)["id"].equals(whole["id"])
        for i in range(count):
            code = batch("x", "data", "--keep", "id", "--part", f"{i + 1}/{count}", "--out", "o/")
            assert code == (0, "", "")
        made = [pl.read_parquet(file) for file in sorted(Path("o").rglob("*.parquet"))]
        ids = pl.concat(made)["id"] if made else whole["id"]
        assert sorted(ids) == sorted(whole["id"])
        for file in Path("o").rglob("*.parquet"):
            file.unlink()


def test_partitions_are_columns() -> None:
    for year in (2023, 2024):
        for word in ("a b", "c"):
            write(f"k=9/h/year={year}/w={word}/1.parquet", {"x": [1.0, 2.0]})
    for name in ("k=9/h", "k=9/h/*/*/*.parquet", "k=9/h/year=*"):
        found = rows("x*year", name, "--keep", "w", "--wrt", "x")
        assert found["d_x"].to_list() == [2023.0] * 4 + [2024.0] * 4
        assert found["w"].to_list() == ["a b", "a b", "c", "c"] * 2
    part = rows("x*year", "k=9/h", "--part", "4/4", "--keep", "all", "--wrt", "x")
    assert part.columns == ["x", "year", "w", "value", "d_x"]
    assert batch("x*year", "k=9/h", "--out", "out/")[0] == 0
    assert min(Path("out").rglob("*.parquet")) == Path("out/year=2023/w=a b/1.parquet")
    assert "no column 'k'" in batch("x*k", "k=9/h")[2]


def test_numbers_of_several_types() -> None:
    write("d/1.parquet", {"x": [1, 2]})
    write("d/2.parquet", {"more": [1.0], "x": [0.5]})
    pl.DataFrame({"x": [0.25]}, schema={"x": pl.Float32}).write_parquet("d/3.parquet")
    try:
        pl.scan_parquet("d/1.parquet", cast_options=pl.ScanCastOptions(integer_cast="allow-float"))
    except TypeError:  # an older Polars
        assert "all files have to have the same types" in batch("x^2", "d")[2]
    else:
        assert rows("x^2", "d")["d_x"].to_list() == [2.0, 4.0, 1.0, 0.5]


def test_each_file_has_its_own_types() -> None:
    Path("1.ndjson").write_text('{"x":1,"k":1}\n')
    Path("2.ndjson").write_text('{"x":1,"k":"a"}\n')
    words = ["x", "*.ndjson", "--keep", "k", "--to", "parquet"]
    assert "'2.ndjson': the column 'k' is String" in batch(*words)[2]
    assert batch(*words, "--out", "o/") == (0, "", "")


def test_packed_text() -> None:
    Path("a.csv").write_text("x\n1\n")
    Path("b.csv.gz").write_bytes(gzip.compress(b"x\n2\n"))
    assert rows("x^2", "*.csv*")["d_x"].to_list() == [2.0, 4.0]
    assert batch("x^2", "*.csv*", "--out", "o/")[0] == 0
    assert sorted(p.name for p in Path("o").iterdir()) == ["a.csv", "b.csv"]


def test_a_name_is_taken_before_a_pattern() -> None:
    Path("a[b].csv").write_text("x\n3\n")
    Path("ab.csv").write_text("x\n4\n")
    assert rows("x^2", "a[b].csv")["value"].to_list() == [9.0]
    assert rows("x^2", "a?.csv")["value"].to_list() == [16.0]


# --- what can be wrong ---------------------------------------------------------------------


def _broken() -> None:
    write("rows/1.parquet", {"x": [1.0, 2.0]})
    write("rows/2.parquet", {"x": [1.0, 1.0, -1.0]}, 1)
    write("lacks/1.parquet", {"x": [1.0], "y": [1.0]})
    write("lacks/2.parquet", {"x": [1.0]})
    write("types/1.parquet", {"x": [1.0]})
    write("types/2.parquet", {"x": ["a"]})
    write("gaps/1.parquet", {"x": [1.0]})
    write("gaps/2.parquet", {"x": [1.0, None]})
    write("damaged/1.parquet", {"x": [1.0]})
    Path("damaged/2.parquet").write_text("x\n1\n")
    write("uneven/a=1/1.parquet", {"x": [1.0]})
    write("uneven/2.parquet", {"x": [1.0]})
    write("hidden/k=2/h/y=1/1.parquet", {"x": [1.0], "k": [3.0]})
    for name, text in {
        "1.csv": "x,y\n1,2\n", "2.csv": "y,x\n1,2\n1,-2\n", "3.csv": "x\n1\n",
        "4.csv": "x,y\n1,a\n",        "5.csv": "e,x\n1,1\n", "n.ndjson": '{"x":1}\n',
    }.items():  # fmt: skip
        Path(name).write_text(text)
    Path("empty").mkdir()
    write("texts/1.csv", {"x": [1.0]})


WRONG: dict[str, tuple[list[str], int, str]] = {
    "row": (["log(x)", "rows"], 1, "'rows/2.parquet', row 3: log(x)"),
    "row of a part": (["log(x)", "rows", "--part", "2/2"], 1, "'rows/2.parquet', row 3: log(x)"),
    "row of rows": (["log(x)", "rows", "--part", "4/4"], 1, "'rows/2.parquet', row 3: log(x)"),
    "row into a folder": (["log(x)", "rows", "--out", "o/"], 1, "'rows/2.parquet', row 3: log"),
    "row of text": (["log(x)", "[12].csv"], 1, "'2.csv', row 2: log(x)"),
    "column": (["x*y", "lacks"], 2, "'lacks/2.parquet' has no column 'y'"),
    "column of text": (["x*y", "[123].csv"], 2, "'3.csv' has no column 'y'"),
    "one more column": (["x", "[31].csv", "--keep", "all"], 2, "'3.csv' has no column 'y'"),
    "a constant's name": (["x*e", "[15].csv"], 2, "'5.csv' has the column 'e'"),
    "type": (["x", "types"], 2, "'types/2.parquet': the column 'x' is String"),
    "cell": (["x*y", "[14].csv"], 2, "'4.csv', row 1: the column 'y' has 'a'"),
    "gap": (["x", "gaps"], 2, "'gaps/2.parquet', row 2: the column 'x' has no value"),
    "damaged": (["x", "damaged"], 2, "'damaged/2.parquet' isn't a Parquet file"),
    "damaged part": (["x", "damaged", "--part", "3/3"], 2, "2.parquet' isn't a Parquet file"),
    "part of nothing": (["x", "none.parquet", "--part", "1/3"], 2, "there is no file 'none.pa"),
    "a list of a web server": (["x", "https://a/*.csv"], 2, "a web server does not list"),
    "partitions": (["x", "uneven"], 2, "'uneven/a=1/1.parquet' has other partitions than"),
    "hidden": (["x*k", "hidden/k=2/h"], 2, "the folder 'k=…' above"),
    "no file": (["x", "*.tsv"], 2, "no file fits the pattern '*.tsv'"),
    "no folder": (["x", "none/*.csv"], 2, "there is no folder 'none'"),
    "empty folder": (["x", "empty"], 2, "there are no Parquet files in the folder 'empty'"),
    "text in a folder": (["x", "texts"], 2, "a pattern in quotes reads other files: 'texts/*.csv'"),
    "several formats": (["x", "[1n].*"], 2, "are of several formats"),
    "scheme": (["x", "ftp://a/b.csv"], 2, "URLs of this kind are not read"),
    "url without a format": (["x", "s3://a/b"], 2, "a folder ends in /"),
    "npz at a url": (["x", "s3://a/b.npz"], 2, ".npz is read from files"),
    "output at a web server": (["x", "1.csv", "--out", "https://a/b.parquet"], 2, "a web server"),
    "text to a url": (["x", "1.csv", "--out", "s3://a/b.csv"], 2, "only Parquet is written"),
    "a pattern without quotes": (["x", "1.csv", "2.csv"], 2, "put quotes around a pattern"),
    "no name": (["x", ""], 2, "a file's name is missing"),
    "few texts": (["x", "[12].csv", "--part", "1/3"], 2, "write the points as Parquet"),
    "no part": (["x", "rows", "--part", "3/2"], 2, "there is no part 3 of 2"),
    "part zero": (["x", "rows", "--part", "0/2"], 2, "there is no part 0 of 2"),
    "part of none": (["x", "rows", "--part", "1/0"], 2, "there is no part 1 of 0"),
    "no numbers": (["x", "rows", "--part", "a/b"], 2, "--part takes I/N, not 'a/b'"),
    "part of a stream": (["x", "-", "--part", "1/2"], 2, "not for standard input"),
    "a stream has no name": (["x", "-", "--out", "o/"], 2, "standard input has no name"),
    "over the points": (["x", "rows", "--out", "rows"], 2, "would be written over the points"),
    "dask without a folder": (["x", "rows", "--dask", "tcp://a:1"], 2, "--out takes a folder"),
    "dask and part": (
        ["x", "rows", "--dask", "tcp://a:1", "--part", "1/2", "--out", "o/"], 2, "contradict"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_with_its_file(name: str) -> None:
    _broken()
    arguments, code, said = WRONG[name]
    there = sorted(Path().iterdir())
    more = () if "--out" in arguments else ("--out", "none.parquet")
    found = batch(*arguments, *more)
    assert (found[0], found[1]) == (code, "")
    assert said in found[2]
    assert "gradcli itself" not in found[2]
    assert set(Path().iterdir()) - {Path("o")} == set(there)


def test_what_is_done_with_rows_that_fail() -> None:
    _broken()
    assert rows("log(x)", "rows", "--errors", "skip")["value"].len() == 4
    assert rows("log(x)", "gaps", "--errors", "nan")["value"].is_nan().to_list() == [0, 0, 1]
    assert rows("log(x)", "rows", "--errors", "skip", "--part", "2/2")["value"].len() == 2


def test_two_files_for_one_name() -> None:
    for form in ("csv", "tsv"):
        write(f"a.{form}", {"x": [1.0]})
    code, _, err = batch("x", "a.*", "--out", "o/", "--from", "csv", "--to", "parquet")
    assert code == 2
    assert "would both be written to" in err


@pytest.mark.skipif(os.name == "nt", reason="no such signal")
@pytest.mark.slow
def test_a_killed_part_leaves_nothing_and_runs_again() -> None:
    write("big.parquet", {"x": np.random.default_rng(0).uniform(1, 2, 3_000_000)}, 200_000)
    text = " + ".join(f"log(x + {k})" for k in range(100))  # takes a while
    words = ["batch", text, "big.parquet", "--part", "1/2", "--out", "o/"]
    command = [sys.executable, "-m", "gradcli", *words]
    process = subprocess.Popen(command)
    deadline = time.monotonic() + 60
    while not Path("o").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not list(Path("o").rglob("*"))
    assert subprocess.run(command, check=False).returncode == 0
    assert pl.scan_parquet("o/big-1-of-2.parquet").select(pl.len()).collect().item() > 1_000_000


class Server(BaseHTTPRequestHandler):
    """A web server that gives files as a whole."""

    def do_GET(self) -> None:
        path = Path(self.path.lstrip("/"))
        self.send_response(200 if path.exists() else 404)
        self.end_headers()
        if path.exists():
            self.wfile.write(path.read_bytes())

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


def test_a_web_server() -> None:
    for form in ("csv", "ndjson", "parquet"):
        write(f"p.{form}", {"x": [1.0, 2.0]})
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        for form in ("csv", "ndjson", "parquet"):
            assert rows("x^2", f"{address}/p.{form}")["d_x"].to_list() == [2.0, 4.0]
            code, _, err = batch("x", f"{address}/none.{form}")
            assert (code, "there is no 'http" in err) == (2, True)
        server.shutdown()


# --- an expression -------------------------------------------------------------------------


def test_the_expression_is_the_batch() -> None:
    random = np.random.default_rng(3)
    columns = {n: random.uniform(0.5, 2, 5000) for n in ("x", "y")}
    frame = pl.DataFrame(columns).with_columns(k=pl.int_range(5000) % 3)
    choices: list[dict[str, Any]] = [{}, {"wrt": "x"}, {"only": "grad"}, {"only": "value"}]
    for options in choices:
        expected = pl.DataFrame(Program("a*log(x)*y").batch(columns, a=2, **options))
        made = gradcli.polars("a*log(x)*y", a=2, **options)
        assert frame.select(made.struct.unnest()).equals(expected)
        lazy = frame.lazy().select(made.struct.unnest())
        assert lazy.collect_schema() == expected.schema
        assert lazy.collect(engine="streaming").equals(expected)
    grouped = (
        frame.group_by("k", maintain_order=True)
        .agg(gradcli.polars("x*y").struct.field("d_x").sum())
        .sort("k")
    )
    sums = [float(columns["y"][k::3].sum()) for k in range(3)]
    np.testing.assert_allclose(grouped["d_x"].to_list(), sums)


def test_the_expression_takes_lists_and_gaps() -> None:
    frame = pl.DataFrame({"x": [1.0, None], "c": [[1.0, 2.0], [3.0, 4.0]]})
    made = gradcli.polars("x*sum(c^2)", shapes={"c": (2,)}, errors="nan")
    found = frame.lazy().select(made.struct.unnest()).collect()
    assert found["d_c"].to_list()[0] == [2.0, 4.0]
    assert np.isnan(found["value"][1])


EXPRESSIONS: dict[str, tuple[Callable[[], object], str]] = {
    "program": (lambda: gradcli.polars("log("), "is not closed"),
    "no column": (lambda: gradcli.polars("x^2", x=1), "no input is left"),
    "shape": (lambda: gradcli.polars("x", shapes={"q": (3,)}), "'q' is no column"),
    "vector": (lambda: gradcli.polars("2*c", shapes={"c": (3,)}), "starts from a number"),
    "errors": (lambda: gradcli.polars("x", errors="skip"), "errors"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_a_wrong_expression(name: str) -> None:
    make, said = EXPRESSIONS[name]
    with pytest.raises(GradcliError, match=said):
        make()


@pytest.mark.parametrize(
    ("column", "said"),
    [([1.0, -1.0], "in a row: log"), (["a"], "not numbers"), ([[1.0]], "not have a number")],
)
def test_a_row_that_fails_in_an_expression(column: list[Any], said: str) -> None:
    frame = pl.DataFrame({"x": column})
    with pytest.raises(pl.exceptions.ComputeError, match=said):
        frame.select(gradcli.polars("log(x)"))


# --- a cluster and a bucket ----------------------------------------------------------------


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A cluster in this process; ports are whichever are free."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0"
    ) as found:
        yield found.scheduler_address


@pytest.mark.slow
def test_a_cluster_does_what_one_process_does(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tree(np.random.default_rng(5), "parquet", 6)
    write("data/z/large.parquet", {n: np.full(90, 1.5) for n in ("x", "y", "id")}, 10)
    monkeypatch.setattr(cluster, "PIECE", 40)
    assert batch(TEXT, "data", "--keep", "id", "--out", "one/") == (0, "", "")
    done = batch(TEXT, "data", "--keep", "id", "--out", "many/", "--dask", address)
    assert done == (0, "", "")
    one, many = (pl.read_parquet(f"{name}/**/*.parquet") for name in ("one", "many"))
    assert len(many) == len(whole) + 90
    assert many.equals(one)
    assert len(list(Path("many/z").iterdir())) == 3
    _broken()
    code, out, err = batch("log(x)", "rows", "--out", "bad/", "--dask", address)
    assert (code, out) == (1, "")
    assert "'" in err
    assert "rows/2.parquet', row 3: log(x) is not defined at x = -1" in err
    assert not list(Path("bad").rglob("2*"))


SIGNED = (
    "AWS4-HMAC-SHA256 Credential=none/20260101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=none"
)


@pytest.fixture(scope="module", params=["s3", "gs"])
def bucket(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A bucket on an S3 server on this machine. Google's XML API asks it for the same things."""
    moto = pytest.importorskip("moto.moto_server.werkzeug_app")
    boto3 = pytest.importorskip("boto3")
    serving = pytest.importorskip("werkzeug.serving")
    application = moto.DomainDispatcherApplication(moto.create_backend_app)

    def signed(environ: dict[str, Any], start: Any) -> Any:
        """A request of Google's client as this server knows them."""
        if not environ.get("HTTP_AUTHORIZATION", "").startswith("AWS4"):
            environ["HTTP_AUTHORIZATION"] = SIGNED
        return application(environ, start)

    class Quiet(serving.WSGIRequestHandler):  # type: ignore[misc, name-defined]
        def log(self, *_: object) -> None:
            pass

    server = serving.make_server("127.0.0.1", 0, signed, threaded=True, request_handler=Quiet)
    thread = Thread(target=server.serve_forever)
    thread.start()
    url = "http://{}:{}".format(*server.server_address)
    account = tmp_path_factory.mktemp("account") / "gs.json"
    account.write_text(
        json.dumps({"gcs_base_url": url, "disable_oauth": True, "client_email": "",
                    "private_key": "", "private_key_id": ""})
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_ALLOW_HTTP": "true",
            "AWS_ENDPOINT_URL": url, "GOOGLE_SERVICE_ACCOUNT": str(account),
        }.items():  # fmt: skip
            patch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket=f"points{request.param}")
        yield f"{request.param}://points{request.param}"
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.slow
def test_a_bucket_is_a_folder(bucket: str) -> None:
    boto3 = pytest.importorskip("boto3")
    for year in (1, 2):
        write(f"d/year={year}/p.parquet", {"x": np.arange(1.0, 6.0)})
        pl.read_parquet(f"d/year={year}/p.parquet", hive_partitioning=False).write_parquet(
            f"{bucket}/d/year={year}/p.parquet"
        )
    expected = rows("log(x)*year", "d")
    for name in (f"{bucket}/d/", f"{bucket}/d/**/*.parquet"):
        assert rows("log(x)*year", name).equals(expected)
        parts = [rows("log(x)*year", name, "--part", f"{i}/3") for i in (1, 2, 3)]
        assert pl.concat(parts).equals(expected)
    one = f"{bucket}/d/year=2/p.parquet"
    assert rows("log(x)", one)["value"].len() == 5
    assert batch("log(x)", f"{bucket}/d/", "--out", f"{bucket}/o/") == (0, "", "")
    assert pl.scan_parquet(f"{bucket}/o/").select(pl.len()).collect().item() == 10
    assert pl.read_parquet(f"{bucket}/o/year=1/p.parquet", hive_partitioning=False).columns == [
        "value",
        "d_x",
    ]
    code, _, err = batch("log(x - 4)", one, "--out", f"{bucket}/half.parquet")
    assert (code, "row 1: log(x - 4)" in err) == (1, True)
    for name in ("a", "b"):
        content = f"x\n{ord(name)}\n".encode()
        boto3.client("s3").put_object(
            Bucket=bucket.partition("//")[2], Key=f"t/{name}.csv", Body=content
        )
    assert rows("x^2", f"{bucket}/t/*.csv")["value"].to_list() == [97.0**2, 98.0**2]
    assert rows("x^2", f"{bucket}/t/b.csv")["value"].to_list() == [98.0**2]
    assert rows("x^2", f"{bucket}/t/*.csv", "--part", "2/2")["d_x"].to_list() == [196.0]
    other = bucket.replace("points", "other") + "/a.parquet"
    for missing in (f"{bucket}/half.parquet", f"{bucket}/nothing/", other):
        code, _, err = batch("x", missing)
        assert (code, err.startswith("error: there ")) == (2, True), err
    code, _, err = batch("log(x)", one, "--out", other)
    assert (code, "can't be written" in err) == (2, True)
