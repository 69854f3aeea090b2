"""Exact zeros: a guarded expression is a constant, in every way to a derivative.

Behind a guard that does not take it, an expression is locally as constant as its value. So each
program here has a twin with that number in the guard's place, and the two have the same
gradients, Jacobians and Hessians although there are infinite derivatives inside of the first.
"""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from ops_samples import CASES, Application, applied

from gradcli import GradcliError, Program, ops
from gradcli.diagnostics.error import Kind
from gradcli.engine.formula import Formula, formula
from gradcli.engine.guards import reached_through

INSIDE = ("sqrt({})", "cbrt({})", "{}^0.5", "acos({} + 1)", "sqrt(tanh({}))*sqrt(2)")
"""0 where the operand is 0, with an infinite derivative."""
NOT_TAKEN = (
    "max({}, 1)", "min(-2, {}, 5)", "clip({}, 1, 2)", "clip(5, {}, 3)", "where({} > 1, {}, 7)",
    "relu({} - 1)", "hardtanh({} + 2)", "floor({} + 0.5)", "ceil({} - 0.5)", "round({} + 0.2)",
    "sign({} + 1)", "step({} - 1)", "({} < 0.5)", "max([{}, 2])", "min([[-1, {}], [3, 4]])",
    "leaky_relu({} - 1, 0)", "mod(2, {} + 6)", "[{}, 4][1]", "sum(max([[{}, 2], [1, 0]], axis=1))",
    "sum(tril([[1, {}], [2, 3]]))", "sum(diag([[1, {}], [2, 3]]))",
    "sum(relu([[{}, 1], [0, 2]] @ [1, 2] - 5))", "sum(where([1, 0], [4, {}], 5))",
)  # fmt: skip
"""The operand is 0, and does not move them."""
ROOTS = ("sqrt({})", "cbrt({})", "{}^0.25", "acosh(1 + {})", "sqrt(2*{})*3")
FLAT = (
    "relu({})", "max({}, 0)", "min(-{}, 0)", "clip({}, 0, 1)", "where({} > 0, {}, 0)",
    "(hardtanh({}) + 1)", "floor({}/10 + 1)", "ceil({}/10)", "round({}/10)", "step({})",
    "(sign({}) + 1)", "({} > 0)", "max([{}, 0, -1])", "leaky_relu({}, 0)", "[0, {}][0]",
    "sum(triu([[0, 0], [{}, 0]]))", "(reshape([[{}, 2]], 2)[1] - 2)", "relu(max({}, {}*2))",
)  # fmt: skip
"""0 at -3, and constant there."""
AROUND = (
    "{}",
    "3*{} + x^2*y",
    "({} + 2)^3*sin(x*y)",
    "sum([[{}, x], [y, 2]] @ [x, 3])",
    "||[{} + 1, x*y]||^2",
    "a = {}; b = exp(a)*x; b*a + b*y",
    "prod([{} + 1, x, y])",
    "where(y > 0, {}*y + x*y, 0)",
)


@cache
def programs() -> list[tuple[str, str, float]]:
    """Programs with a guard, their twins without, and x."""
    found = []
    pairs = [*itertools.product(INSIDE, NOT_TAKEN)]
    guarded = [(guard.replace("{}", inside.format("x")), 0.0) for inside, guard in pairs]
    pairs = [*itertools.product(ROOTS, FLAT)]
    guarded += [(root.format(flat.replace("{}", "x")), -3.0) for root, flat in pairs]
    for i, (text, x) in enumerate(guarded):
        value = Program(text).evaluate(x=x, gradient=False).value
        around = AROUND[i % len(AROUND)]
        twin = around.format(f"({float(value)!r})")
        found.append((around.format(f"({text})"), twin, x))
    return found


Y = 1.7


def point(program: Program, x: float) -> dict[str, float]:
    return {name: value for name, value in (("x", x), ("y", Y)) if name in program.inputs}


def parts(found: Any, names: tuple[str, ...] = ("x", "y")) -> list[float]:
    return [float(found.get(name, 0.0)) for name in names]


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.slow)])
def test_gradients_in_every_way(every: int) -> None:
    for text, twin, x in programs()[::every]:
        program = Program(text)
        given = point(program, x)
        other = Program(twin)
        wanted = parts(other.evaluate(point(other, x), check=False).gradient or {})
        for _ in range(13):  # the last runs are those of the compiled pass
            found = program.evaluate(given, check=False)
        np.testing.assert_allclose(parts(found.gradient), wanted, rtol=1e-14, err_msg=text)
        for mode in ("forward", "reverse"):
            jacobian = program.jacobian(given, mode=mode, check=False)
            slopes = {name: block.item() for name, block in jacobian.matrices.items()}
            np.testing.assert_allclose(parts(slopes), wanted, rtol=1e-14, err_msg=f"{text} {mode}")


def test_hessians() -> None:
    for text, twin, x in programs()[::2]:
        program, other = Program(text), Program(twin)
        found = program.hessian(point(program, x), check=False)
        wanted = other.hessian(point(other, x), check=False)
        for row, column in itertools.product(program.inputs, repeat=2):
            there = row in other.inputs and column in other.inputs
            right = wanted[row, column].item() if there else 0.0
            got = found[row, column].item()
            assert math.isclose(got, right, rel_tol=1e-13, abs_tol=1e-13), (text, row, column)


@pytest.mark.parametrize("jit", [False, True])
def test_batches(jit: bool) -> None:  # noqa: FBT001 - a parameter of the test
    if jit:
        pytest.importorskip("numba")
    for text, twin, x in programs()[:: 40 if jit else 3]:
        program, other = Program(text), Program(twin)
        rows = {name: np.full(3, value) for name, value in point(program, x).items()}
        found = program.batch(rows, jit=jit)
        wanted = other.evaluate(point(other, x), check=False).gradient or {}
        for name in program.inputs:
            right = float(wanted.get(name, 0.0))
            np.testing.assert_allclose(found[f"d_{name}"], right, rtol=1e-14, err_msg=text)


def test_the_check_accuses_no_exact_zero() -> None:
    for text, _, x in programs()[::9]:
        program = Program(text)
        result = program.evaluate(point(program, x))
        assert result.verdict != "fail", text
        assert all(np.isfinite(result[name].delta) for name in program.inputs), text


LIMITS = [
    ("sqrt(x)^2", 0.0),
    ("sqrt(x)*x", 0.0),
    ("sqrt(x^2)", 0.0),
    ("sqrt(abs(x))", 0.0),
    ("sqrt(||[x, 2*x]||)", 0.0),
    ("cbrt(x)^3", 0.0),
    ("max(sqrt(x), 0)", 0.0),
    ("max(sqrt(x), 1)*0 + sqrt(x)", 0.0),
    ("sum(max([sqrt(x), sqrt(x + 1)], [1, 0])) + sqrt(relu(x) + x)", 0.0),
    ("a = sqrt(x); relu(a - 1) + a*0", 0.0),
]


@pytest.mark.parametrize(("text", "x"), LIMITS)
def test_a_zero_that_is_a_limit_is_refused(text: str, x: float) -> None:
    program = Program(text)
    for method in (program.evaluate, program.jacobian, program.hessian):
        with pytest.raises(GradcliError) as caught:
            method(x=x)
        assert caught.value.kind is Kind.EDGE
    assert program.batch({"x": [x]}, errors="nan")["d_x"].tolist() == [
        pytest.approx(np.nan, nan_ok=True)
    ]


def test_the_operation_at_fault_is_named_with_its_element() -> None:
    with pytest.raises(GradcliError) as caught:
        Program("b = relu(x); sum(sqrt(b) + sqrt(max(y, [0, -1])))").evaluate(x=[-1, -2], y=[-3, 0])
    assert caught.value.message == (
        "the derivative of sqrt(max(y, [0, -1])) by c is infinite at c[1] = 0"
    )


def test_an_infinite_accumulator_in_between_is_shown() -> None:
    result = Program("sqrt(relu(x))").evaluate(x=-3)
    assert result["a"].delta == np.inf
    assert result.gradient == {"x": 0.0}
    assert [line.value for line in result.contributions] == [np.inf, 0.0]


# --- masks go where contributions go ----------------------------------------------------------


def responses(rule: Formula, given: list[Any], shape: tuple[int, ...]) -> Any:
    """Whether a rule sends anything from each element of its upstream to each of the operand."""
    units = np.eye(math.prod(shape)).reshape(-1, *shape)
    with np.errstate(all="ignore"):
        return np.array([np.not_equal(rule([*given, unit[()]]), 0) for unit in units])


def compared(found: Application, generator: np.random.Generator) -> int:
    """Compare the masks of a row's rules with what each element alone is sent to."""
    count, shape = 0, found.site.out.shape
    given = [*found.operands, found.out]
    for i in range(len(found.site.types)):
        rule = formula(found.row, found.site, i)
        if not (rule.moves or found.row.selects or rule.factors()):  # all is sent everywhere
            continue
        sent = responses(rule, given, shape)
        for _ in range(4):
            mask = generator.random(shape) < generator.random()
            wanted = sent[np.ravel(mask)].any(axis=0)
            with np.errstate(all="ignore"):
                got = reached_through(rule, given, np.asarray(mask), selects=found.row.selects)
            got = np.broadcast_to(got, wanted.shape)
            text = f"{found.row.name} {i}: {rule.source.text}"
            assert np.all(got >= wanted), text
            if rule.moves:
                count += 1
                assert np.all(got == wanted), text
    return count


def test_masks_of_every_row() -> None:
    generator = np.random.default_rng(3)
    cases = [(row, sample) for row, sample in CASES if not row.elementwise]
    found = [applied(row, sample) for row, sample in cases]
    assert sum(compared(a, generator) for a in found if 0 < a.site.out.size <= 40) > 300


HEIGHTS = np.array([[1, 2, 4, 0.5], [0.3, 3, 1, 2.2], [5, -2, 0.2, 7], [1.5, 3.1, 8, 2]])
LINEAR = (
    "diff(A)", "diff(A, axis=0)", "diff(A, 2)", "diff(A, 3, axis=0)", "diff(diff(A), axis=0)",
    "A[:, 1:] - A[:, :-1]", "diff(cumsum(A, axis=1))", "cumsum(A - flip(A, 0), axis=1)",
    "trapezoid(exp(A/9), A)", "mean(A, axis=0, keepdims=True) - A", "spread(A)",
)  # fmt: skip
BEHIND = (
    "r = {}; sum(atan(r[0]))",
    "sum(1/max({}, 1.1))",
    "r = {}; sum(log(where(r > 0, r, 1)))",
    "r = {}; atan(norm(r[0]))",
)
BLOCK = "block spread(p) = p - flip(p, 0) with delta_p = delta - flip(delta, 0); "


def differences() -> list[str]:
    """Programs whose backward rules have differences of the upstream's elements."""
    return [behind.replace("{}", text) for text in LINEAR for behind in BEHIND]


def calls() -> list[str]:
    """A program for every way to call a function of an array."""
    rows = [row.name for row in ops.TABLE if row.aliases and not row.elementwise]
    names = [*rows, *(composition.name for composition in ops.COMPOSITIONS)]
    texts = [f"{name}({given})" for name in names for given in ("A", "A, axis=0", "A, 1")]
    return [BEHIND[i % len(BEHIND)].replace("{}", text) for i, text in enumerate(texts)]


def agrees(text: str, *, jit: bool = False, second: bool = False) -> bool:
    """Compare a batch with `evaluate`, and look at a Hessian's check; False if nothing is there."""
    text = BLOCK + text if "spread" in text else text
    try:
        program = Program(text)
        wanted = program.evaluate(A=HEIGHTS, check=False).gradient["A"]
    except GradcliError:
        return False
    found = program.batch({"A": np.stack([HEIGHTS, HEIGHTS])}, jit=jit)
    for row in found["d_A"]:
        np.testing.assert_allclose(row, wanted, rtol=1e-12, atol=1e-12, err_msg=text)
    if second:
        assert program.hessian(A=HEIGHTS).verdict != "fail", text
    return True


def test_masks_of_differences() -> None:
    for i, text in enumerate(differences()):
        assert agrees(text, second=i % 3 == 0), text


def test_masks_of_differences_in_a_compiled_batch() -> None:
    pytest.importorskip("numba")
    assert all(agrees(text, jit=True) for text in differences()[::9])


def test_masks_of_differences_beside_infinite_derivatives() -> None:
    heights = np.array([[1, 4, 9, 4], [0, 0, 0, 0]])
    for text in ("diff({})", "diff({}, 2)", "diff(cumsum({}, axis=1))", "{}[:, 1:] - {}[:, :-1]"):
        inner = text.replace("{}", "sqrt(A)")
        program = Program(f"r = {inner}; sum(atan(r[0]))")
        own = text.replace("{}", "sqrt(A)").replace("[:, ", "[").replace(", axis=1", "")
        wanted = Program(f"sum(atan({own}))").evaluate(A=heights[0], check=False).gradient["A"]
        for found in (
            program.evaluate(A=heights, check=False).gradient["A"],
            program.jacobian(A=heights, mode="reverse", check=False)["A"].T.reshape(2, -1),
            program.jacobian(A=heights, mode="forward", check=False)["A"].T.reshape(2, -1),
            program.batch({"A": heights[None]})["d_A"][0],
        ):
            np.testing.assert_allclose(found, [wanted, [0] * 4], rtol=1e-13, err_msg=text)


def test_masks_in_programs_of_every_function() -> None:
    assert sum(map(agrees, calls())) > 100
