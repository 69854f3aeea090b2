"""Jacobians and Hessians: their numbers, layouts, checks, reports and errors."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from random_programs import random_programs
from schemas import schema

from gradcli import GradcliError, Program
from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.derivatives.twice import hessian_matrix
from gradcli.diagnostics.error import cell_width
from gradcli.results.result import Verdict

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

TUTORIAL = "(x + sigmoid(y)) / (x^2 + y)"
REFERENCE = Path(__file__).parents[1] / "data" / "second_order.json"
CASES = json.loads(REFERENCE.read_text(encoding="utf-8"))


def gradcli(*arguments: str, columns: int | None = None, **variables: str) -> tuple[int, str, str]:
    outside = {"NO_COLOR": "1", **variables}
    environment = Environment.captured(columns=columns, variables=outside)
    return run(arguments, environment), *environment.written()


# --- numbers -----------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_as_jax_has_it(case: dict[str, Any]) -> None:
    """`jax.jacobian` and `jax.hessian` in doubles, made once and kept as data."""
    program = Program(case["program"])
    point = {name: np.array(value) for name, value in case["inputs"].items()}
    for mode in ("forward", "reverse"):
        found = program.jacobian(point, mode=mode, check=False)
        assert found.mode == mode
        for name, wanted in case["jacobian"].items():
            size = max(1e-300, np.abs(wanted).max())
            np.testing.assert_allclose(found[name], wanted, rtol=0, atol=1e-10 * size)
    if "hessian" in case:
        hessian = program.hessian(point, check=False)
        blocks = [np.abs(b).max() for rows in case["hessian"].values() for b in rows.values()]
        for rows, columns in case["hessian"].items():
            for column, wanted in columns.items():
                np.testing.assert_allclose(
                    hessian[rows, column], wanted, rtol=0, atol=1e-10 * max(1e-300, *blocks)
                )
        assert (hessian.matrix == hessian.matrix.T).all()


def test_random_programs_pass_their_own_check() -> None:
    counts = {"pass": 0, "partial": 0, "fail": 0}
    for text, point in random_programs(60, first=1000):
        program = Program(text)
        used = {name: x for name, x in point.items() if name in program.inputs}
        try:
            found = program.hessian(used)
        except GradcliError:
            continue
        if found.verdict is not None:
            counts[found.verdict] += 1
            assert found.verdict != "fail", (text, used, [b.words for b in found.blocks])
    assert counts["pass"] > 20


def test_denominator_layout() -> None:
    """Equation (5): rows are inputs, columns are outputs."""
    W = np.arange(6.0).reshape(2, 3)
    found = Program("W @ x").jacobian(W=W, x=[1.0, 2.0, 3.0])
    assert found["x"].tolist() == W.T.tolist()
    assert found["W"].shape == (6, 2)
    turned = Program("W @ x").jacobian(W=W, x=[1.0, 2.0, 3.0], layout="numerator")
    assert turned["x"].tolist() == W.tolist()
    assert turned.matrix.shape == (2, 9)


def test_a_number_by_a_vector_is_a_column() -> None:
    found = Program("sum(x^2)").jacobian(x=[1.0, 2.0])
    assert found["x"].tolist() == [[2.0], [4.0]]
    assert found.result.gradient["x"].tolist() == [2.0, 4.0]


def test_matrices_are_taken_row_by_row() -> None:
    X = np.array([[1.0, 2.0], [3.0, 4.0]])
    found = Program("X.T").jacobian(X=X)["X"]
    assert found.tolist() == np.eye(4)[[0, 2, 1, 3]].tolist()


@pytest.mark.parametrize(
    ("text", "mode"), [("[x, x^2, x^3]", "forward"), ("sum(W)", "reverse"), ("x", "reverse")]
)
def test_the_shorter_batch_wins(text: str, mode: str) -> None:
    point = {"W": np.ones((2, 2))} if "W" in text else {"x": 2.0}
    assert Program(text).jacobian(point).mode == mode


def test_many_directions_go_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.linspace(-1, 1, 40)
    program = Program("tanh(x) @ A @ x")
    point = {"x": x, "A": np.sin(np.outer(x, x + 1))}
    whole = program.hessian(point, wrt=["x"], check=False).matrix
    monkeypatch.setattr("gradcli.results.matrices.MOST_AT_ONCE", 5000)
    assert (program.hessian(point, wrt=["x"], check=False).matrix == whole).all()


def test_hessian_times_vector() -> None:
    program = Program("sum(A @ x)^3 + norm(x)*y")
    point = {"A": np.sin(np.arange(9.0)).reshape(3, 3), "x": [1.0, 2.0, -1.0], "y": 0.5}
    whole = program.hessian(point).matrix
    v = {"A": np.cos(np.arange(9.0)).reshape(3, 3), "y": 2.0}
    found = program.hessian(point, vector=v)
    flat = np.concatenate([v["A"].ravel(), np.zeros(3), [2.0]])
    np.testing.assert_allclose(found.matrix, whole @ flat, rtol=1e-12)
    assert found.product is not None
    assert found.product["A"].shape == (3, 3)
    assert found.matrices == {}
    assert found.verdict == "pass"


def test_third_derivatives_stand_behind_the_check() -> None:
    found = Program("sinc(x)*prod([x, y, x])").hessian(x=0.3, y=2.0)
    assert found.verdict == "pass"
    assert {b.check.digits > 6 for b in found.blocks if b.check and b.check.digits} == {True}


def test_with_an_upstream() -> None:
    """J = 1·x₀³ + 10·x₁³."""
    program = Program("x^3")
    found = program.hessian(x=[1.0, 2.0], upstream=[1.0, 10.0])
    assert found.matrix.tolist() == [[6.0, 0.0], [0.0, 120.0]]
    assert (found.name, found.verdict) == ("J", "pass")
    assert found.result.gradient["x"].tolist() == [3.0, 120.0]
    column = program.jacobian(x=[1.0, 2.0], upstream=[1.0, 10.0])
    assert column.matrix.tolist() == [[3.0], [120.0]]
    assert (column.name, column.verdict) == ("J", "pass")


# --- what the check says -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "verdicts"),
    [
        ("relu(x)^2", {Verdict.KINK}),
        ("abs(x)", {Verdict.JUMP}),
        ("floor(x)", {Verdict.JUMP}),
        ("x^2", {Verdict.PASS}),
        ("3*x", {Verdict.ZERO}),
    ],
)
def test_kinks_say_so(text: str, verdicts: set[Verdict]) -> None:
    found = Program(text).hessian(x=0.0)
    assert {b.check.verdict for b in found.blocks if b.check} == verdicts
    assert found.verdict == ("pass" if verdicts <= {Verdict.PASS, Verdict.ZERO} else "partial")


def test_a_wrong_rule_fails() -> None:
    wrong = "block cube(u) = u^3 with d/du = 2*u^2; cube(x)"
    assert Program(wrong).jacobian(x=2.0).verdict == "fail"
    assert Program(wrong).hessian(x=2.0).verdict == "fail"
    right = wrong.replace("2*u^2", "3*u^2")
    assert Program(right).hessian(x=2.0).matrix.tolist() == [[12.0]]
    assert Program(right).hessian(x=2.0).verdict == "pass"


def test_a_wrong_block_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong in the batched pass shows."""
    import gradcli.derivatives.jacobian as module  # noqa: PLC0415

    made = module.jacobian_blocks

    def spoilt(*arguments: Any, **options: Any) -> Any:
        blocks, mode = made(*arguments, **options)
        first = next(iter(blocks))
        blocks[first] = blocks[first] * (1 + 1e-5)
        return blocks, mode

    monkeypatch.setattr(module, "jacobian_blocks", spoilt)
    assert Program("[x*y, sin(x)]").jacobian(x=1.0, y=2.0).verdict == "fail"


@pytest.mark.parametrize("text", [TUTORIAL, "sin(x*y) + x^3", "exp(x/y)*x", "x^2 + y^2"])
def test_a_wrong_element_of_a_hessian_is_caught(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoilt(*given: Any, **options: Any) -> Any:
        return hessian_matrix(*given, **options) * (1 + 1e-6)

    monkeypatch.setattr("gradcli.derivatives.hessian.hessian_matrix", spoilt)
    assert Program(text).hessian(x=1.3, y=0.7).verdict == "fail"


def test_without_the_check() -> None:
    assert Program("x^2").hessian(x=1, check=False).verdict is None
    assert Program("x^2").jacobian(x=1, check=False).verdict is None


# --- the commands ------------------------------------------------------------------------

MATRIX = ("W @ x", "--W", "[[1, 2], [3, 4], [5, 6]]", "--x", "[1, 0.5]")
POINT = (TUTORIAL, "--x", "3", "--y", "-4")
REPORTS = {
    "jacobian of a number": ["jacobian", *POINT],
    "jacobian": ["jacobian", *MATRIX],
    "numerator": ["jacobian", *MATRIX, "--layout", "numerator", "--wrt", "x"],
    "hessian": ["hessian", *POINT],
    "product": ["hessian", *POINT, "--vector", "x=1,y=-2"],
    "kink": ["hessian", "abs(x)*y", "--x", "0", "--y", "1"],
    "large": ["jacobian", "sin(W @ x)", "--W", "normal(20, 15)", "--x", "ones(15)"],
    "large hessian": ["hessian", "sum((W @ x)^2)", "--W", "normal(5, 4)", "--x", "ones(4)"],
    "upstream": ["hessian", "x^3", "--x", "[1, 2]", "--upstream", "[1, 10]"],
    "jacobian with upstream": ["jacobian", "x^3", "--x", "[1, 2]", "--upstream", "[1, 10]"],
    "no inputs": ["jacobian", "2*pi"],
    "no elements": ["jacobian", "x^2", "--x", "zeros(0)"],
}


def portable(text: str) -> str:
    """A report without tenths of the check's digits, which differ from processor to processor."""
    return re.sub(r"(fewest digits: \d+)\.\d", r"\1", text)


@pytest.mark.parametrize("name", REPORTS)
def test_reports(name: str, snapshot: SnapshotAssertion) -> None:
    code, out, err = gradcli(*REPORTS[name])
    assert (code, err) == (0, "")
    assert portable(out) == snapshot


@pytest.mark.parametrize("form", ["csv", "markdown", "latex"])
@pytest.mark.parametrize("name", REPORTS)
def test_formats(name: str, form: str, snapshot: SnapshotAssertion) -> None:
    if name.startswith("large") and form == "csv":
        pytest.skip("long")
    code, out, err = gradcli(*REPORTS[name], "--format", form)
    assert (code, err) == (0, "")
    assert portable(out) == snapshot


@pytest.mark.parametrize("columns", [30, 40, 60, 80, 120])
@pytest.mark.parametrize("name", REPORTS)
def test_nothing_is_cut(name: str, columns: int) -> None:
    _, out, _ = gradcli(*REPORTS[name], "--precision", "5", columns=columns)
    if columns >= 40:
        assert max(map(cell_width, out.splitlines())) <= columns
    assert "…" not in out


@pytest.mark.parametrize("name", REPORTS)
def test_ascii(name: str) -> None:
    for form in ("table", "csv", "markdown", "latex", "json"):
        _, out, _ = gradcli(*REPORTS[name], "--format", form, "--ascii")
        assert out.isascii()


@pytest.mark.parametrize("name", REPORTS)
def test_json_fits_the_schema(name: str) -> None:
    command = REPORTS[name][0]
    for more in ([], ["--no-check"], ["--pretty"], ["--allow-nonfinite"]):
        code, out, _ = gradcli(*REPORTS[name], "--json", *more)
        assert code == 0
        found = json.loads(out)
        schema(command).validate(found)
        assert found["schema"] == f"gradcli.{command}/1"


def test_json_of_the_tutorial() -> None:
    _, out, _ = gradcli("hessian", *POINT, "--json")
    found = json.loads(out)
    assert found["hessian"]["x"]["y"] == found["hessian"]["y"]["x"]
    assert found["hessian"]["x"]["x"] == pytest.approx(1.0169211601411974, rel=1e-14)
    assert found["gradient"]["x"] == pytest.approx(-0.524316690390902)
    _, out, _ = gradcli("jacobian", *MATRIX, "--json")
    found = json.loads(out)
    assert found["jacobian"]["x"] == [[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]
    assert (found["layout"], found["mode"]) == ("denominator", "reverse")


def test_bare_values() -> None:
    assert gradcli("jacobian", "x^2", "--x", "[1, 2]", "--value")[1] == "[[2.0, 0.0], [0.0, 4.0]]\n"
    assert gradcli("hessian", "x^3", "--x", "2", "--value")[1] == "[[12.0]]\n"
    product = gradcli("hessian", "sum(x^3)", "--x", "[1, 2]", "--vector", "[1, 1]", "--value")
    assert product[1] == "[6.0, 12.0]\n"
    assert gradcli("jacobian", *MATRIX, "--grad", "x")[1] == "[[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]\n"
    rows = gradcli("hessian", "x^2*y", "--x", "3", "--y", "5", "--grad", "x", "--json")[1]
    assert rows == "[[10.0, 6.0]]\n"


def test_a_wrong_gradient_is_exit_code_3() -> None:
    wrong = "block cube(u) = u^3 with d/du = 2*u^2; cube(x)"
    for command in ("jacobian", "hessian"):
        assert gradcli(command, wrong, "--x", "2")[0] == 3
        assert gradcli(command, wrong, "--x", "2", "--no-check")[0] == 0


FAILURES = {
    "several outputs": ["hessian", "2*x", "--x", "ones(3)"],
    "second derivative infinite": ["hessian", "sum(x^1.5)", "--x", "[1, 0]"],
    "second derivative infinite at a number": ["hessian", "x^1.5 + y", "--x", "0", "--y", "1"],
    "first derivative infinite": ["hessian", "sqrt(x)", "--x", "0"],
    "first derivative infinite in a jacobian": ["jacobian", "[sqrt(x), y]", "--x", "0", "--y", "1"],
    "outside the domain": ["jacobian", "log(x)", "--x", "-1"],
    "upstream": ["jacobian", "2*x", "--x", "ones(3)", "--upstream", "[1, 2]"],
    "upstream of a hessian": ["hessian", "2*x", "--x", "1", "--upstream", "[2]"],
    "wrt": ["jacobian", "2*x", "--x", "1", "--wrt", "y"],
    "layout": ["jacobian", "2*x", "--x", "1", "--layout", "numerater"],
    "vector for nobody": ["hessian", "theta^2", "--theta", "1", "--vector", "thet=1"],
    "vector for whom": ["hessian", "x*y", "--x", "1", "--y", "1", "--vector", "1"],
    "vector of another shape": ["hessian", "sum(x^2)", "--x", "[1, 2]", "--vector", "[1, 2, 3]"],
    "vector twice": [
        "hessian", "x*y", "--x", "1", "--y", "1", "--vector", "x=1", "--vector", "x=2",
    ],
    "vector with and without a name": [
        "hessian", "x*y", "--x", "1", "--y", "1", "--vector", "x=1", "--vector", "2",
    ],
    "too large": ["hessian", "sum(W^2)", "--W", "ones((200, 200))"],
    "jacobian too large": ["jacobian", "2*W", "--W", "ones((200, 200))"],
    "vector infinite": ["hessian", "x^2", "--x", "1", "--vector", "inf"],
    "grad of nothing": ["hessian", "theta^2", "--theta", "1", "--grad", "x"],
    "grad and value": ["jacobian", "x^2", "--x", "1", "--grad", "x", "--value"],
    "value as a table": ["jacobian", "x^2", "--x", "1", "--value", "--format", "csv"],
    "no program": ["jacobian", "--x", "1"],
    "no value": ["hessian", "x^2"],
    "syntax": ["jacobian", "x +", "--x", "1"],
    "shapes": ["jacobian", "x @ y", "--x", "[1, 2]", "--y", "[1, 2, 3]"],
    "infinite value": ["jacobian", "x^2", "--x", "[1, inf]"],
    "nan": ["hessian", "x^2", "--x", "nan"],
    "ragged value": ["hessian", "sum(x)", "--x", "[[1], [2, 3]]"],
    "singular": ["jacobian", "inv(A)", "--A", "ones((2, 2))"],
    "overflow": ["jacobian", "exp(x)", "--x", "[1, 1000]"],
    "overflow of the gradient": ["hessian", "exp(x^2)", "--x", "26.6"],
    "outside the domain, not differentiated by": [
        "hessian", "x^2 + log(y)", "--x", "1", "--y", "-1", "--wrt", "x",
    ],
    "unknown output": ["jacobian", "u = x^2; u*y", "--x", "1", "--y", "2", "--output", "z"],
    "format": ["jacobian", "x^2", "--x", "1", "--format", "xml"],
    "output folder missing": ["jacobian", "x^2", "--x", "1", "--out", "no/such/folder/x.json"],
    "budget": ["hessian", "x^2", "--x", "1", "--check-budget", "nan"],
    "vector of a jacobian": ["jacobian", "x^2", "--x", "1", "--vector", "1"],
    "layout of a hessian": ["hessian", "x^2", "--x", "1", "--layout", "numerator"],
    "vector without a value": ["hessian", "x^2", "--x", "1", "--vector"],
    "vector of nothing": ["hessian", "x^2", "--x", "1", "--vector", ""],
    "vector with a name only": ["hessian", "x^2", "--x", "1", "--vector", "x="],
    "vector of words": ["hessian", "x^2", "--x", "1", "--vector", "x=abc"],
    "vector unfinished": ["hessian", "x*y", "--x", "1", "--y", "1", "--vector", "x=[1,y=2"],
    "vector with two commas": ["hessian", "x*y", "--x", "1", "--y", "1", "--vector", "x=1,,y=2"],
    "vector from a file": ["hessian", "x^2", "--x", "1", "--vector", "x=@no such file.csv"],
    "vector for what is left out": [
        "hessian", "x*y", "--x", "1", "--y", "1", "--wrt", "x", "--vector", "y=1",
    ],
    "vector of a number": ["hessian", "x^2", "--x", "1", "--vector", "[1, 2]"],
    "vector of a matrix": ["hessian", "sum(W^2)", "--W", "ones((2, 2))", "--vector", "ones(4)"],
    "vector without inputs": ["hessian", "2*pi", "--vector", "1"],
}  # fmt: skip


@pytest.mark.parametrize("name", FAILURES)
def test_errors(name: str, snapshot: SnapshotAssertion) -> None:
    code, out, err = gradcli(*FAILURES[name])
    assert out == ""
    assert code in (1, 2)
    assert err == snapshot


def test_the_second_opinion() -> None:
    pytest.importorskip("mpmath")
    for found in (
        Program("x*y + exp(x)").hessian(x=1.0, y=2.0, exact=True),
        Program("[x*y, y, exp(x)]").jacobian(x=1.0, y=2.0, exact=True),
    ):
        assert found.verdict == "pass"
        assert any(b.check.exact is not None for b in found.blocks if b.check)


def test_what_was_checked_in_part_is_no_pass() -> None:
    rows = np.sin(np.arange(600.0)).reshape(20, 30)
    program = Program("tanh(W @ x)")
    found = program.jacobian(W=rows, x=np.ones(30), check="all", check_budget=0.05)
    assert found.verdict == "partial"
    assert not all(b.complete and b.check for b in found.blocks)


@pytest.mark.parametrize("text", ["a < x", "(a < x)*[1, 0, 2]", "[1, 2, 3] == x", "x >= [1, 2, 3]"])
def test_of_comparisons_with_arrays(text: str) -> None:
    """Their derivative is zero; what the check asks of conditions it asks of arrays, too."""
    program = Program(text)
    found = program.jacobian({"x": [1.0, 2.5, 3.0], **({"a": 2.0} if "a" in text else {})})
    assert not np.any(found.matrix)


def test_a_rule_that_is_an_array_of_numbers() -> None:
    """A block whose rule forgets its upstream: its matrix is wrong, and the check says so."""
    found = Program("block g(p) = 3*p with delta_p = [3, 4]; g(x)").jacobian(x=[1.0, 2.0])
    assert found.matrix.tolist() == [[3.0, 3.0], [4.0, 4.0]]
    assert found.verdict == "fail"


@pytest.mark.parametrize("text", ["sum(norm(x, axis=0))", "sum(std(x, axis=0))"])
def test_of_columns_that_there_are_none_of(text: str) -> None:
    assert Program(text).jacobian(x=np.zeros((3, 0))).matrix.shape == (0, 1)
