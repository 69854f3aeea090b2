"""Second derivatives at corners: even functions of |x|, ‖v‖, … are smooth, and so are their twins.

What is an even function of a corner's value is written a second time with its square, which has no
corner. The Hessian is that of the twin, or it is refused; another number is never there.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gradcli import GradcliError, Program, ops
from gradcli.diagnostics.error import Kind
from gradcli.report.tables.matrices import checked

CORNERS = [
    ("abs(x)", "x^2"),
    ("||x||", "x^2"),
    ("norm([x, 2*x])", "5*x^2"),
    ("norm([[x, 2*x]], axis=1, keepdims=True)[0, 0]", "5*x^2"),
    ("norm([x, 2*x], 1)", "9*x^2"),
    ("norm([x, 3*x], inf)", "9*x^2"),
    ("hypot(x, 3*x)", "10*x^2"),
    ("std([x, -x])", "x^2"),
    ("std([[x, 3*x], [x, -x]], axis=0)[1]", "4*x^2"),
    ("max(x, -x)", "x^2"),
    ("-min([x, -x])", "x^2"),
    ("sum(abs([x, -2*x]))", "9*x^2"),
    ("abs(abs(x))", "x^2"),
]
EVEN = [
    ("({g})^2", "{s}"),
    ("({g})*({g})", "{s}"),
    ("g = {g}; g*g", "{s}"),
    ("g = {g}; [g, 2*g] @ [g, 1.5*g]", "4*{s}"),
    ("({g})^4", "({s})^2"),
    ("({g})^3", "0*x"),
    ("cos({g})", "1 - ({s})/2"),
    ("exp(-({g})^2)*y", "exp(-({s}))*y"),
    ("(({g})^2 + y)^2", "({s} + y)^2"),
    ("sqrt(1 + ({g})^2)*sin(y)", "sqrt(1 + {s})*sin(y)"),
]
Y = 1.7


@pytest.mark.parametrize("x", [0.0, -1.3])
def test_the_true_second_derivative_or_none(x: float) -> None:
    refused = 0
    for (corner, square), (text, other) in itertools.product(CORNERS[:: 3 if x else 1], EVEN):
        if x and ("cos" in text or "^3" in text):
            continue  # the twin is the function at 0 only
        program, twin = Program(text.format(g=corner)), Program(other.format(s=square))
        given = {name: {"x": x, "y": Y}[name] for name in program.inputs}
        same = {name: {"x": x, "y": Y}[name] for name in twin.inputs}
        wanted = twin.hessian(same, check=False).matrix
        vector = dict.fromkeys(given, 0.75)
        try:
            found = program.hessian(given, check=False).matrix
        except GradcliError as error:
            assert not x, program.source.text
            assert error.kind is Kind.EDGE
            assert error.hint is not None
            with pytest.raises(GradcliError):
                program.hessian(given, vector=vector, check=False)
            refused += 1
            continue
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12, err_msg=str(program))
        along = program.hessian(given, vector=vector, check=False).matrix
        np.testing.assert_allclose(along, wanted.sum(axis=1) * 0.75, rtol=1e-12, atol=1e-12)
    assert (refused > 50) == (x == 0)


@pytest.mark.parametrize("text", ["||x - y||^2", "norm(x - y)**2", "‖x - y‖²", "||(x - y)||² * 1"])
def test_the_square_of_a_norm_has_no_corner(text: str) -> None:
    hessian = Program(text).hessian(x=[1, 2], y=[1, 2])
    np.testing.assert_array_equal(hessian["x", "x"], 2 * np.eye(2))
    np.testing.assert_array_equal(hessian["x", "y"], -2 * np.eye(2))
    assert hessian.verdict == "pass"


def test_a_square_of_a_norm_is_one_node() -> None:
    one, two = Program("J = ||c||^2"), Program("d = ||c||; J = d^2")
    assert [n.operation.name for n in one.graph({"c": np.ones(2)}).nodes if n.operation] == [
        "squared_norm"
    ]
    assert [n.operation.name for n in two.graph({"c": np.ones(2)}).nodes if n.operation] == [
        "norm",
        "pow",
    ]
    assert one.evaluate(c=[3, -4]).gradient["c"].tolist() == [6, -8]
    own = Program("norm(v) = sum(v); norm(c)^2")
    assert own.evaluate(c=[3, -4]).value == 1


def test_conventions_are_taken_if_told() -> None:
    assert Program("abs(x)^2").hessian(x=0, check=False, allow_nonfinite=True)["x", "x"] == 0


def test_an_unchecked_matrix_names_what_stands_at_a_corner() -> None:
    """Every function of one number that turns at a point, at that point and beside it."""
    seen = set()
    for row in ops.TABLE:
        if row.tie is None or row.jumps or not row.aliases or len(row.parameters) != 1:
            continue
        for x in (0.0, 1.0):
            if not (row.elementwise and np.any(row.tie(np.float64(x)))):
                continue
            seen.add(row.name)
            text = f"{row.name}(x) + x^2"
            for at, named in ((x, True), (x + 0.375, False)):
                words = checked(Program(text).jacobian(x=at, check=False))
                assert words.startswith("not checked")
                assert (f"{row.name}(x) at its corner" in words) == named, (text, at, words)
    assert {"relu", "abs", "hardtanh"} <= seen
    assert "relu(x), relu(-x) at their" in checked(
        Program("relu(x)^2 + relu(-x)^2").hessian(x=0.0, check=False)
    )
