"""Many points: `Program.batch`, and the files of `gradcli batch`."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from gradcli import GradcliError, Program
from gradcli.batch.kernel import Line
from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.files import job
from gradcli.files.points import Points

TUTORIAL = "(x + sigmoid(y)) / (x^2 + y)"
PROGRAMS = (
    TUTORIAL,
    "x*y + sin(x)^3 - (1 - y)^2",
    "relu(x)*y + max(x, y) + where(x > 1, log(x), y^2)",
    "tanh(x)^2.5 + exp(y) - x^4 + x^-2",
    "sum([x, y, 2]*c) + ||[x, y]||",
    "c[0]*x + y*mean(c^2)",
    "x + 3*(y > x)",
    "sqrt(x^2 + 1)/softplus(y) - gelu(x)",
    "y",
    "2 + 0*x",
    "dot(c, c)*x",
    "A = outer(c, c) + eye(3)\nlog(det(A)) + c @ inv(A) @ c + x",
    "sum(softmax(c*x)^2) + logsumexp(c)",
    "sigmoid(-800*x) + x",
)


def columns(count: int) -> dict[str, Any]:
    random = np.random.default_rng(0)
    return {
        "x": random.uniform(0.1, 3, count),
        "y": random.uniform(0.2, 3, count),
        "c": random.normal(size=(count, 3)),
    }


class TestProgram:
    @pytest.mark.parametrize("text", PROGRAMS)
    def test_rows_are_what_evaluate_gives(self, text: str) -> None:
        program, given = Program(text), columns(40)
        used = {n: given[n] for n in program.inputs}
        found = program.batch(given)
        assert list(found) == ["value", *(f"d_{n}" for n in program.inputs)]
        for i in range(40):
            one = program.evaluate({n: c[i] for n, c in used.items()}, check=False)
            np.testing.assert_allclose(found["value"][i], one.value, rtol=1e-13)
            for name in used:
                np.testing.assert_allclose(
                    found[f"d_{name}"][i], one.gradient[name], rtol=1e-13, atol=1e-15
                )

    def test_many_chunks_on_several_threads(self) -> None:
        given = columns(200_001)
        found = Program(TUTORIAL).batch(given, jit=False)
        chosen = Program(TUTORIAL).batch(given)
        part = Program(TUTORIAL).batch({n: c[-7:] for n, c in given.items()})
        for name, column in part.items():
            np.testing.assert_allclose(found[name][-7:], column, rtol=1e-15)
            np.testing.assert_allclose(chosen[name][-7:], column, rtol=1e-14)

    def test_a_value_for_all_rows(self) -> None:
        found = Program("a*x^2").batch({"x": [1.0, 2.0]}, a=3, wrt=["a"])
        assert found["d_a"].tolist() == [1, 4]
        assert list(found) == ["value", "d_a"]

    def test_equal_operations_are_one_and_dead_ones_none(self) -> None:
        graph = Program("u = sin(x)\nv = cos(x)\nsin(x) + u").graph({"x": np.float64(1)})
        names = [c.node.name for c in Line(graph, [graph.output], graph.inputs).calls]
        assert len(names) == 2

    def test_pickled(self) -> None:
        program = pickle.loads(pickle.dumps(Program("u = x^2\nu + 1", output="u")))  # noqa: S301
        assert program.batch({"x": [3.0]})["value"].tolist() == [9]

    def test_no_rows(self) -> None:
        assert Program("x^2").batch({"x": []})["d_x"].shape == (0,)

    @pytest.mark.parametrize("text", ["log(x)", "sqrt(x)", "1/(1 + exp(-800*x))", "x^0.5 + 0*y"])
    def test_the_row_that_fails(self, text: str) -> None:
        given = {"x": [1.0, 0.5, -1.0, 0.25], "y": [1.0] * 4}
        with pytest.raises(GradcliError, match="row 3: "):
            Program(text).batch(given)
        assert np.isnan(Program(text).batch(given, errors="nan")["value"]).tolist() == [
            False, False, True, False,
        ]  # fmt: skip
        assert len(Program(text).batch(given, errors="skip")["value"]) == 3

    def test_what_is_not_chosen_does_not_fail(self) -> None:
        found = Program("where(x > 0, log(x), x)").batch({"x": [-1.0, 1.0]})
        assert found["d_x"].tolist() == [1, 1]

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_data_that_are_not_finite(self, bad: float) -> None:
        with pytest.raises(GradcliError, match="row 2: the value of 'x' is not finite"):
            Program("x^2").batch({"x": [1.0, bad]})


class Ran:
    def __init__(self, *arguments: str, stdin: bytes = b"") -> None:
        environment = Environment.captured(stdin)
        self.code = run(["batch", *arguments], environment)
        self.out, self.err = environment.written()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("p.csv").write_text('x,y,name\n3,-4,"a, b"\n1,2,c\n')
    return tmp_path


@pytest.mark.usefixtures("folder")
class TestFiles:
    @pytest.mark.parametrize("form", ["csv", "tsv", "ndjson", "parquet", "npz"])
    def test_out_and_in_again(self, form: str) -> None:
        ran = Ran(TUTORIAL, "p.csv", "--keep", "x,y", "--out", f"o.{form}")
        assert (ran.code, ran.err) == (0, "")
        again = Ran(TUTORIAL, f"o.{form}", "--json")
        rows = [json.loads(line) for line in again.out.splitlines()]
        one = Program(TUTORIAL).evaluate(x=3, y=-4, check=False)
        assert rows[0]["value"] == pytest.approx(float(one.value), rel=1e-13)
        assert rows[0]["d_y"] == pytest.approx(float(one.gradient["y"]), rel=1e-13)
        assert list(rows[0]) == ["value", "d_x", "d_y"]
        assert len(rows) == 2

    def test_kept_columns_stay_as_they_are(self) -> None:
        frame = pl.read_csv(io.StringIO(Ran("x+y", "p.csv", "--keep", "all").out))
        assert frame.columns == ["x", "y", "name", "value", "d_x", "d_y"]
        assert frame["name"].to_list() == ["a, b", "c"]

    @pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
    def test_lists(self, form: str) -> None:
        Path("l.csv").write_text('x,c\n1,"[1,2]"\n2,"[3,4]"\n')
        assert Ran("x*sum(c^2)", "l.csv", "--out", f"o.{form}").code == 0
        again = Ran("sum(d_c)", f"o.{form}", "--only", "value")
        assert again.out == "value\n6.0\n28.0\n"

    def test_standard_input_in_chunks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Points, "chunk_rows", 100)
        text = "x\n" + "\n".join(map(str, range(1, 2001)))
        ran = Ran("x^2", "-", "--only", "grad", stdin=text.encode())
        assert ran.out.split() == ["d_x", *(f"{2.0 * i}" for i in range(1, 2001))]

    def test_a_row_that_fails_is_counted_over_chunks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Points, "chunk_rows", 100)
        text = "x\n" + "1\n" * 1234 + "-1\n"
        ran = Ran("log(x)", "-", "--out", "o.csv", stdin=text.encode())
        assert ran.code == 1
        assert "row 1,235: log(x) is not defined at x = -1" in ran.err
        assert not Path("o.csv").exists()

    def test_rows_that_fail(self) -> None:
        Path("n.csv").write_text("x,k\n1,a\n-1,b\n")
        assert "NaN" in Ran("log(x)", "n.csv", "--errors", "nan").out
        assert Ran("log(x)", "n.csv", "--errors", "skip", "--keep", "k").out == (
            "k,value,d_x\na,0.0,1.0\n"
        )

    @pytest.mark.parametrize(
        ("content", "arguments", "message"),
        [
            (
                "x,y\n1,2\n1,abc\n",
                ("x+y",),
                "row 2: the column 'y' has 'abc', which is not a number",
            ),
            ("x,y\n1,2\n,2\n", ("x+y",), "row 2: the column 'x' has no value"),
            ("x,x\n1,2\n", ("x",), "has the column 'x' twice"),
            ("lenght\n1\n", ("length",), "did you mean 'lenght'?"),
            ("x\n1\n", ("x", "--keep", "y"), "has no column 'y'"),
            ("x\n1\n", ("x", "--wrt", "z"), "'z' isn't an input of the program"),
            ("x\n1\n", ("x", "--upstream", "2"), "--upstream is an option of"),
            ('x\n"[1,2]"\n"[1]"\n', ("sum(x)",), "row 2: the column 'x' has a list of 1"),
            ("", ("x",), "is empty"),
        ],
    )
    def test_errors(self, content: str, arguments: tuple[str, ...], message: str) -> None:
        Path("e.csv").write_text(content)
        ran = Ran(arguments[0], "e.csv", *arguments[1:])
        assert ran.code == 2
        assert message in ran.err
        assert ran.out == ""

    def test_an_interrupt_leaves_nothing(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(_first: Any, _frames: Any) -> Any:
            raise KeyboardInterrupt

        Path("o.csv").write_text("before")
        monkeypatch.setattr(job, "chain", interrupted)
        assert Ran("x+y", "p.csv", "--out", "o.csv").code == 130
        assert sorted(p.name for p in folder.iterdir()) == ["o.csv", "p.csv"]
        assert Path("o.csv").read_text() == "before"
