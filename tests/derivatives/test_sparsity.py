"""Directions that are put together give the matrices that a pass for each of them gives."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from batch_programs import array_program, edgy_point, edgy_program

from gradcli import GradcliError, Program
from gradcli.derivatives import jacobian, twice
from gradcli.derivatives.start import Quick
from gradcli.engine.run import RUNS
from gradcli.results.matrices import Hessian, Jacobian

N = 30
POINT = {
    "x": np.linspace(-1.5, 2.0, N),
    "y": np.cos(np.arange(1.0, N + 1)),
    "A": np.sin(np.arange(1.0, N + 1)).reshape(5, 6),
    "c": np.cos(np.arange(6.0)) + 2,
    "z": np.zeros(0),
    "a": 0.7,
    "b": -1.3,
}
NEVER = 10**9


def results(program: Program, point: dict[str, Any], *, allow: bool = False) -> dict[str, Any]:
    """All matrices, or the words of the error."""
    options: dict[str, Any] = {"check": False, "allow_nonfinite": allow}
    found: dict[str, Any] = {}
    makers: dict[str, Callable[[], Jacobian | Hessian]] = {
        "hessian": lambda: program.hessian(point, **options),
        "forward": lambda: program.jacobian(point, mode="forward", **options),
        "reverse": lambda: program.jacobian(point, mode="reverse", **options),
        "either": lambda: program.jacobian(point, **options),
    }
    for name, make in makers.items():
        try:
            found[name] = make().matrix
        except GradcliError as error:
            found[name] = (error.kind, error.message, error.span)
    return found


def expect_alike(one: dict[str, Any], other: dict[str, Any], text: str) -> None:
    for name, found in one.items():
        if isinstance(found, tuple):
            assert found == other[name], text
        else:
            size = np.abs(found[np.isfinite(found)]).max(initial=0)
            np.testing.assert_allclose(
                found, other[name], rtol=1e-13, atol=1e-14 * size, err_msg=f"{name} of {text}"
            )


def dense(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every direction be a row by itself, and every number an element of an array."""
    for module in (jacobian, twice):
        monkeypatch.setattr(module, "LEAST", NEVER)
    monkeypatch.setattr("gradcli.derivatives.elements.FEW", -1)


def compressed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for zeros in the smallest matrices, too."""
    for module in (jacobian, twice):
        monkeypatch.setattr(module, "LEAST", 2)


def sparse_program(draw: random.Random) -> str:
    """Elementwise operations, slices, sums along an axis; all vectors have N elements or fewer."""
    names = ["x", "y", "flatten(A)"]
    lines = []
    for k in range(draw.randint(2, 5)):
        p, q, s = draw.choice(names), draw.choice(names), draw.choice(["a", "b", "2", "x[3]"])
        lines.append(
            f"n{k} = "
            + draw.choice(
                (
                    f"sin({p})*{q} + {s}", f"{p}*{q}", f"{s}*{p} - exp(-{q}^2)", f"{p}[::-1]",
                    f"concat([{p}[1:], {q}[:1]])", f"concat([z, {p}])", f"flatten((A*c).T)*{p}",
                    f"where({p} > 0.1, {q}^2, {s}*{p})", f"max({p}, {q})", f"{p}^3/(1 + {q}^2)",
                    f"concat([{p}[2:] - 2*{p}[1:-1] + {p}[:-2], [{s}, 1]])",
                    f"concat([sum(reshape({p}, (10, 3)), axis=1), {q}[10:]])", f"cumsum({p})*{q}",
                    f"{p}*sum({q})", f"concat([softmax({p}[:4]), {q}[4:]])",
                )
            )
        )  # fmt: skip
        names.append(f"n{k}")
    return "\n".join([*lines, f"n{k}"])


def test_of_generated_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(4)  # noqa: S311 - no secrets
    saved = total = 0
    for _ in range(30):
        text = sparse_program(draw)
        for whole in (text, text.rpartition("\n")[0] + f"\nsum({text.rpartition(chr(10))[2]})"):
            program = Program(whole)
            point = {name: POINT[name] for name in program.inputs}
            with monkeypatch.context() as patched:
                dense(patched)
                wanted = results(program, point)
            with monkeypatch.context() as patched:
                compressed(patched)
                other = Program(whole)
                expect_alike(wanted, results(other, point), whole)
            total += 1
            saved += passes(other, point) < N / 2
    assert saved > total / 4


def passes(program: Program, point: dict[str, Any]) -> int:
    """How many passes the matrices take together at the fewest."""
    kept = program.executable(program.bind(point))._kept.values()
    counts = [NEVER]
    for made in kept:
        if isinstance(made, Quick):
            continue
        rows = made.coloured if hasattr(made, "coloured") else made.compressed
        if rows is not None:
            counts.append((rows if hasattr(rows, "colours") else rows.rows).colours.number)
    return min(counts)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("tanh(x)*x + y", 1),
        ("x[1:]*x[:-1]", 2),
        ("x[1:-1]*(x[2:] - 2*x[1:-1] + x[:-2])", 3),
        ("sigmoid(a*x + b)", 3),
        ("sum(A, axis=1)*c[:5]", 1),
        ("flatten(A.T)*2", 1),
        ("x/norm(x)", NEVER),
        ("sum(sin(x)*y)", 2),
        ("sum((x[1:] - x[:-1]^2)^2)", 3),
        ("sum((a*x + b)^3)", 3),
        ("mean(log(1 + exp(-x)))", 1),
        ("sum(x^2)^2", NEVER),
    ],
)
def test_how_many_passes(text: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    compressed(monkeypatch)
    program = Program(text)
    point = {name: POINT[name] for name in program.inputs}
    if text.startswith(("sum((", "sum(sin", "mean", "sum(x^2)")):
        program.hessian(point, check=False)
    else:
        program.jacobian(point, check=False)
    assert passes(program, point) == count


@pytest.mark.parametrize("seeds", [range(5), pytest.param(range(5, 20), marks=pytest.mark.slow)])
def test_any_program_in_every_way(seeds: range, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the first runs and the later ones, at points where numbers are not finite as well."""
    for seed in seeds:
        written = array_program(seed) if seed % 2 else edgy_program(seed, scalar=seed % 4 == 0)
        points = edgy_point(written, 2, seed)
        usual = {n: np.sin(np.arange(1.0, t.size + 1)) for n, t in written.inputs.items()}
        for k in range(2):
            point = {
                n: usual[n].reshape(t.shape)[()] if k == 0 or seed % 2 else points[n][k - 1]
                for n, t in written.inputs.items()
            }
            point = {n: v for n, v in point.items() if n in Program(written.text).inputs}
            for allow in (False, True):
                with monkeypatch.context() as patched:
                    dense(patched)
                    wanted = results(Program(written.text), point, allow=allow)
                with monkeypatch.context() as patched:
                    compressed(patched)
                    program = Program(written.text)
                    for _ in range(RUNS + 2 if k == 0 and not allow else 1):
                        found = results(program, point, allow=allow)
                expect_alike(wanted, found, written.text)


def test_what_is_kept_holds_at_the_next_point() -> None:
    """Shapes, inputs, upstreams and infinities change between the calls of one program."""
    program = Program("where(x > 0, log(x), 0)*y + x")
    for k, x in enumerate(([1.0, 2.0], [0.0, 3.0], [1.0], [2.0, 0.5], [0.0, -1.0])):
        size = len(x)
        for upstream in (np.ones(size), np.arange(1.0, size + 1)):
            for wrt in (["x"], ["y"], ["x", "y"]):
                given = {"x": x, "y": 1.0 + k}
                options: dict[str, Any] = {"wrt": wrt, "upstream": upstream, "check": False}
                again = program.hessian(given, **options).matrix
                alone = Program(program.source.text).hessian(given, **options).matrix
                np.testing.assert_array_equal(again, alone)
                plain = program.jacobian(given, wrt=wrt, check=False).matrix
                own = Program(program.source.text).jacobian(given, wrt=wrt, check=False).matrix
                np.testing.assert_array_equal(plain, own)


def test_an_upstream_that_changes_in_place() -> None:
    program, upstream = Program("x^3"), np.array([1.0, 10.0])
    for weights in ([1.0, 10.0], [2.0, 3.0], [1.0, 10.0]) * RUNS:
        upstream[:] = weights
        found = program.hessian(x=[1.0, 2.0], upstream=upstream, check=False)
        upstream[:] = np.nan
        np.testing.assert_array_equal(found.matrix, np.diag([6.0, 12.0]) * weights)
        np.testing.assert_array_equal(found.result.gradient["x"], np.multiply([3, 12], weights))


@pytest.mark.parametrize(
    "text",
    ["3*x", "sum(x^2)", "x[1:]*x[:-1]", "[x[0]*cos(x[1]), x[0]*sin(x[1]), 2]", "sigmoid(x)*x[0]",
     "where(x > 0, x^3, 2*x)", "sum((x[1:] - x[:-1]^2)^2)", "a*b + sin(a)", "[a*cos(b), b, 2]"],
)  # fmt: skip
def test_a_later_matrix_is_the_first_at_its_point(text: str) -> None:
    """What a kept program keeps of its directions is neither stale nor handed out."""
    program = Program(text)
    draw = np.random.default_rng(7)
    for _ in range(RUNS + 3):
        point = {n: draw.normal(size=12) if n == "x" else draw.normal() for n in program.inputs}
        fresh = Program(text)
        ways: list[tuple[str, dict[str, Any]]] = [
            ("jacobian", {}),
            ("jacobian", {"mode": "forward"}),
        ]
        if text.startswith(("sum", "a")):
            ways.append(("hessian", {}))
        for what, options in ways:
            found, alone = (
                getattr(p, what)(point, check=False, **options) for p in (program, fresh)
            )
            # Of an array and of a number, sigmoid may differ in the last place.
            np.testing.assert_allclose(found.matrix, alone.matrix, rtol=5e-16)
            for block in found.blocks:
                block.value[...] = np.nan
