"""Derivatives by one function of numbers are those of passes over arrays, and so are errors."""

from __future__ import annotations

import pickle
from functools import partial
from typing import Any

import numpy as np
import pytest
from random_programs import random_programs

from gradcli import GradcliError, Program, ops
from gradcli.derivatives import elements, line
from gradcli.engine.run import RUNS
from gradcli.ops.operation import Type

POINT = {"v": [0.7, -1.3], "A": [[1.5, 0.5], [-0.25, 2.0]], "a": 0.4, "w": np.cos(np.arange(19.0))}
APART = [
    "(v[0] + sigmoid(v[1])) / (v[0]^2 + v[1])",
    "v[0]*exp(a*v[1]) - v[-1]/A[0, 1]",
    "where(v[0] > 0, log(v[0])*v[1], v[1]^3)",
    "max(v[0]*a, v[1]^2) + relu(-v[1])*v[0]",
    "sum([v[0]*v[1], cos(v[0]), a*v[1]]^2)",
    "sum(v[::-1]*sin(v))*a",
    "sum(v*2 - a) + v[0]^3*a",
    "A[0, 0]*v[0]^2 + A[1, 1]*sin(v[1])",
    "abs(v[0])*v[1]^2 + sqrt(a)",
    "exp(sum(w*a))",
    "sum(cumsum(w)^2)",
    "softmax(v)[0]*v[1]",
    "norm(v)^3 + norm(A) + a",
    "sum(norm(A, axis=0)*v) + norm(v, p=1)*norm(v, p=inf)",
    "logsumexp(A, axis=1)[0] + log_softmax(v)[1]*softmax(A, axis=0)[0, 1]",
    "norm(v[2:])*v[0] + norm(v[2:])^2 + v[1]^2",
    "max(A)*mean(v^2) + min(v)^2*mean(A, axis=0)[1] + max(a) + norm(v)^2",
]
WHOLE = ["v @ A @ v + a*v[0]", "prod(v)*v[0]"]
ASKED = ("hessian", "product", "reverse", "forward", "weighted")


def asked(program: Program, what: str, at: dict[str, Any], **options: Any) -> Any:
    """A matrix of derivatives without the check."""
    makers: dict[str, Any] = {
        "reverse": partial(program.jacobian, mode="reverse"),
        "forward": partial(program.jacobian, mode="forward"),
        "hessian": program.hessian,
        "product": partial(program.hessian, vector=at),
        "weighted": partial(program.hessian, upstream=1.5),
    }
    return makers[what](at, check=False, **options)


def outcome(program: Program, what: str, at: dict[str, Any], **options: Any) -> Any:
    """The matrix, or what the error says."""
    try:
        return asked(program, what, at, **options).matrix
    except GradcliError as error:
        return error.kind, error.message, error.hint, error.span


def kept(program: Program, what: str, at: dict[str, Any]) -> Program:
    """The program, after it has been asked so often that there is a function."""
    for _ in range(RUNS):
        outcome(program, what, at)
    return program


def expect_same(one: Any, other: Any) -> None:
    if isinstance(one, tuple):
        assert one == other
    else:
        np.testing.assert_allclose(other, one, rtol=1e-14, atol=1e-15 * np.abs(one).max(initial=0))


@pytest.mark.parametrize("text", [*APART, *WHOLE, "[v[0]*cos(v[1]), v[0]*sin(v[1])]"])
def test_the_first_run_and_later_ones(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lines, whole = [], line.numbers_line

    def numbers_line(*given: Any) -> Any:
        lines.append(whole(*given))
        return lines[-1]

    monkeypatch.setattr(elements, "numbers_line", numbers_line)
    at = {name: POINT[name] for name in Program(text).inputs}
    for what in ASKED:
        if "w" in at and what not in ("reverse", "product"):  # more directions than few
            continue
        wanted = outcome(Program(text), what, at)
        program = kept(Program(text), what, at)
        expect_same(wanted, outcome(program, what, at))
    assert bool(lines) == (text not in WHOLE)


def test_random_programs_at_special_points() -> None:
    special = (0.0, -0.0, 1.0, -1.0, 1e-300, -1e200, float("inf"), float("nan"))
    for text, at in random_programs(15):
        for what in ("hessian", "product", "reverse"):
            program = kept(Program(text), what, at)
            for k, value in enumerate((*special, *at.values())):
                there = dict.fromkeys(at, value) if k % 2 else {**at, next(iter(at)): value}
                expect_same(outcome(Program(text), what, there), outcome(program, what, there))


LINES = [
    *np.random.default_rng(3).normal(size=(4, 5)),
    [2.0],
    [1.0, 1.0, -0.5],
    [0.0, -0.0],
    [0.0, -40.0, 1.0],
    [1000.0, 999.0, 999.5],
    [1e300, -1e200, 1e300],
    [1e-200, 3e-170],
    [np.inf, 1.0],
    [-np.inf, 2.0, 1.0],
    [np.inf, np.inf],
    [-np.inf, -np.inf],
    [1.0, np.nan, 2.0],
    [np.nan, 1.0],
    np.linspace(-2.0, 3.0, 19),
    np.cos(np.arange(9.0)),
]
FEW = {row.name: row for row in ops.TABLE if row.few}


@pytest.mark.parametrize("name", FEW)
@pytest.mark.parametrize("numbers", LINES)
def test_a_line_of_few_numbers(name: str, numbers: Any) -> None:
    row, x = FEW[name], np.array(numbers)
    assert row.few is not None
    every: list[dict[str, Any]] = [{}]
    if any(parameter.name == "p" for parameter in row.parameters):
        every += [{"p": p} for p in (1, 2, np.inf)]
    for options in every:
        kernel = row.bind((Type(x.shape),), options).kernel
        with np.errstate(all="ignore"):
            wanted, found = kernel(x), row.few(*x.tolist(), **options)
        np.testing.assert_array_max_ulp(np.asarray(found), np.asarray(wanted), maxulp=1)
        assert np.array_equal(np.isnan(wanted), np.isnan(found))


ALONG_LINES = {
    ("reverse", "forward"): ("softmax(x)", "log_softmax(x)", "x/norm(x)"),
    ("reverse", "hessian", "product"): (
        "softmax(x)[0]*x[-1]", "logsumexp(x)^2", "norm(x)^3", "norm(x)^2*x[0]", "norm(x, p=1)^2",
        "norm(x, p=inf)^2", "max(x)^2", "min(x)*mean(x)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "what"),
    [(text, what) for asked, texts in ALONG_LINES.items() for text in texts for what in asked],
)
def test_lines_at_special_points(text: str, what: str) -> None:
    programs: dict[int, Program] = {}
    for x in LINES:
        n = len(x)
        if n not in programs:
            programs[n] = kept(Program(text), what, {"x": np.arange(1.0, n + 1)})
        wanted = outcome(Program(text), what, {"x": x})
        expect_same(wanted, outcome(programs[n], what, {"x": x}))


@pytest.mark.parametrize("text", ["v[0] + exp(315*v[1]^2)", "sqrt(v[0])*v[1]", "v[0]^0.5 + v[1]^3"])
def test_what_is_not_finite(text: str) -> None:
    at = {"v": [0.0, 1.5]}
    wanted = outcome(Program(text), "hessian", at, allow_nonfinite=True)
    assert not np.isfinite(wanted).all()
    program = kept(Program(text), "hessian", {"v": [1.0, 0.5]})
    found = outcome(program, "hessian", at, allow_nonfinite=True)
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("what", ASKED)
def test_the_fields_that_are_made_when_read(what: str) -> None:
    text, x = "a*x[0]^2*x[1] + sin(x[1])*A[1, 0]", np.array([0.7, -1.3])
    at = {"x": x, "a": np.float64(3), "A": np.array([[1.0, 2.0], [3.0, 4.0]])}
    wanted, found = asked(Program(text), what, at), asked(kept(Program(text), what, at), what, at)
    x[:] = 5.0  # what was made at the point stays so, though the input is not copied
    assert found.result.inputs["x"] is x
    assert found.result == wanted.result
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own
    again = asked(kept(Program(text), what, at), what, at)
    assert [b.value.tolist() for b in again.blocks] == [
        b.value.tolist() for b in asked(Program(text), what, at).blocks
    ]
    with pytest.raises(AttributeError):
        _ = found.nothing


def test_a_point_that_is_not_finite_among_the_first() -> None:
    program, at = Program("log(v[0])*v[1]^2"), {"v": [0.5, 2.0]}
    for k in range(RUNS + 1):
        asked(program, "hessian", {"v": [0.0, 1.0]} if k == RUNS - 1 else at, allow_nonfinite=True)
    assert "_later" in vars(asked(program, "hessian", at))


def test_many_upstreams_between_the_calls() -> None:
    program, at = Program("v^3"), {"v": [0.5, 2.0]}
    for k in range(RUNS + 1):
        found = program.jacobian(at, check=False)
        for scale in (1.0, 2.0):
            program.hessian(at, upstream=[scale, float(k)], check=False)
    assert "_later" in vars(found)
