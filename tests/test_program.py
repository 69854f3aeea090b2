"""The Python API: a program parsed once and evaluated many times, and what it refuses."""

import pickle
from typing import Any

import numpy as np
import pytest

import gradcli
from gradcli import GradcliError, Program, evaluate
from gradcli.diagnostics.error import Kind
from gradcli.engine import language_text


def test_parsed_once_evaluated_many_times() -> None:
    program = Program("sum(w * x^2)")
    for n in (1, 2, 5, 2):
        x = np.arange(1.0, n + 1)
        result = program.evaluate(x=x, w=2, check=False)
        assert result.value == 2 * (x**2).sum()
        assert result.gradient["x"] == pytest.approx(4 * x)
    assert gradcli.evaluate("x^2", x=3).gradient == {"x": 6.0}


def test_the_result_has_every_row_and_line() -> None:
    result = evaluate("(x + sigmoid(y)) / (x^2 + y)", x=3, y=-4)
    assert [row.node.name for row in result.rows()] == list("xyabcdef")
    assert result["d"].delta == pytest.approx(-0.12071944839848367, rel=1e-15)
    assert result.verdict == "pass"
    assert result.counts == {"pass": 8}
    with pytest.raises(KeyError):
        result["nothing"]


def test_header_lines_bind_and_are_overruled() -> None:
    program = Program("#: x = 3\n#: y = pi/2\n#: z = normal(2)\nx*sin(y) + 0*sum(z)")
    first = program.evaluate(check=False)
    assert first.value == pytest.approx(3.0)
    assert first.inputs["z"].shape == (2,)
    assert np.array_equal(first.inputs["z"], program.evaluate(check=False).inputs["z"])
    assert not np.array_equal(first.inputs["z"], program.evaluate(check=False, seed=1).inputs["z"])
    assert program.evaluate(x=5, check=False).value == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("text", "inputs", "kind"),
    [
        ("x + y", {"x": 1}, Kind.BINDING),
        ("x", {"x": 1, "z": 2}, Kind.BINDING),
        ("y = x; y", {"x": 1, "y": 2}, Kind.BINDING),
        ("x", {"x": "3"}, Kind.BINDING),
        ("x", {"x": [[1, 2], [3]]}, Kind.BINDING),
        ("x", {"x": 1j}, Kind.BINDING),
        ("x", {"x": np.nan}, Kind.BINDING),
        ("x", {"x": 1, "wrt": ["y"]}, Kind.NAME),
        ("x^2", {"x": 1, "upstream": np.nan}, Kind.BINDING),
        ("dot(A, B)", {"A": np.ones((2, 3)), "B": np.ones((2, 3))}, Kind.SHAPE),
        ("x[99999999999999999999]", {"x": [1, 2]}, Kind.SHAPE),
        ("sigmod(x)", {"x": 1}, Kind.NAME),
    ],
)
def test_what_is_refused(text: str, inputs: dict[str, Any], kind: Kind) -> None:
    with pytest.raises(GradcliError) as error:
        Program(text).evaluate(**inputs)
    assert error.value.kind is kind


@pytest.mark.parametrize(
    ("text", "inputs", "value"),
    [
        ("log(x, base=2)", {"x": 8}, 3),
        ("np.linalg.norm(x, ord=1)", {"x": [1, -2]}, 3),
        ("np.clip(x, a_min=0, a_max=1)", {"x": 3}, 1),
        ("sum(max(A, axis=0))", {"A": [[1, 2], [3, 0]]}, 5),
        ("sum(x[0:99999999999999999999])", {"x": [1, 2]}, 3),
        ("sum(x.reshape(2, 3))", {"x": [1, 2, 3, 4, 5, 6]}, 21),
    ],
)
def test_what_numpy_users_write(text: str, inputs: dict[str, Any], value: float) -> None:
    assert evaluate(text, check=False, **inputs).value == pytest.approx(value)


def test_blocks_of_one_name_in_two_programs() -> None:
    local = "block s(x) = x^2 with d/dx = 2*x\n5*s(v)"
    whole = "block s(x) = x^2 with delta_x = 2*x\n5*s(v)"
    for text, slope in [(local, 30.0), (whole, 6.0), (local, 30.0)]:
        assert Program(text).evaluate(v=3.0, check=False).gradient == {"v": slope}


def test_an_error_in_a_header_line_shows_the_line() -> None:
    with pytest.raises(GradcliError) as raised:
        Program("#: y = 2\r#: x = log(1 -\r#:   normal(2)^2*9)\nx*y", name="task.grad").evaluate()
    assert str(raised.value).split("\n")[1:4] == [
        "  task.grad:",
        "  2 | #: x = log(1 -",
        "    |        ^^^^^^^",
    ]


def test_a_header_value_that_is_drawn_may_go_over_lines() -> None:
    over_lines = Program("#: x = [normal(2),\n#:      uniform(2)]\nsum(x)").evaluate()
    assert over_lines.value == Program("#: x = [normal(2), uniform(2)]\nsum(x)").evaluate().value


def test_options_have_the_values_of_the_command_line() -> None:
    program = Program("[x*y, x]")
    for call in (
        lambda: program.jacobian(x=1, y=2, layout="rows"),  # type: ignore[arg-type]
        lambda: program.jacobian(x=1, y=2, mode="sideways"),  # type: ignore[arg-type]
        lambda: Program("x*y").evaluate(x=1, y=2, check="much"),  # type: ignore[arg-type]
        lambda: Program("x*y").hessian(x=1, y=2, check="much"),  # type: ignore[arg-type]
    ):
        with pytest.raises(GradcliError, match="is not known") as error:
            call()
        assert error.value.kind is Kind.OPTION


@pytest.mark.parametrize(("text", "same"), [("sigma(x)", "σ(x)"), ("Gamma(x)", "gamma(x)")])
def test_a_greek_function_by_its_letters_name(text: str, same: str) -> None:
    values = [Program(t).evaluate({"x": 1.5}, check=False).gradient["x"] for t in (text, same)]
    assert values[0] == values[1]


@pytest.mark.parametrize(
    "text", ["sigma = x; sigma(x)", "sigma*x + sigma(x)", "f(sigma) = sigma(2); f(x)"]
)
def test_a_value_sigma_is_no_function(text: str) -> None:
    with pytest.raises(GradcliError, match="'sigma'"):
        Program(text)


def test_a_function_or_a_value_of_ones_own_is_called_sigma() -> None:
    own = Program("sigma(u) = u^2\nsigma(x)").evaluate({"x": 3.0}, check=False)
    assert own.value == 9
    value = Program("(x - mu)/sigma").evaluate({"x": 3.0, "mu": 1.0, "sigma": 2.0}, check=False)
    assert value.gradient["sigma"] == -0.5


@pytest.mark.parametrize("line", ["#: title A task", "#: title: A task", "#:title  A task "])
def test_a_title(line: str) -> None:
    assert Program(f"{line}\nx").header.title == "A task"


@pytest.mark.parametrize("method", ["evaluate", "jacobian", "hessian", "batch"])
@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("wrt", 5, "wrt=5 isn't a name"),
        ("wrt", [1, 2], "wrt=<list> isn't a name"),
        ("wrt", [["x"]], "wrt=<list> isn't a name"),
        ("data", 3, "data=3 isn't a mapping"),
        ("data", [1.0], "data=<list> isn't a mapping"),
        ("inputs", 3, "(inputs|columns)=3 isn't a mapping"),
    ],
)
def test_options_of_another_type(method: str, option: str, value: Any, message: str) -> None:
    program = Program("x^2*y")
    if method == "batch" and option == "data":
        pytest.skip("batch has no data: its columns are")
    x = [1.0, 2.0] if method == "batch" else 1.0
    point: dict[str, Any] = {"x": x, "y": x}
    given = (value, {}) if option == "inputs" else (point, {option: value})
    with pytest.raises(GradcliError, match=message) as raised:
        getattr(program, method)(given[0], **given[1])
    assert raised.value.kind is Kind.OPTION
    assert raised.value.hint


def test_one_name_to_differentiate_by() -> None:
    """A string is a name, never its letters."""
    program = Program("xy*x*y")
    point = {"xy": 2.0, "x": 3.0, "y": 5.0}
    assert list(program.evaluate(point, wrt="xy").gradient) == ["xy"]
    assert list(program.jacobian(point, wrt="xy").matrices) == ["xy"]
    with pytest.raises(GradcliError, match="'xz' isn't an input of the program"):
        program.evaluate(point, wrt="xz")


@pytest.mark.parametrize(
    ("text", "inputs", "hint"),
    [
        ("sinx", {"x": 1}, "'sinx' is one name: for a call write 'sin(x)'"),
        ("sin2x", {"x": 1}, "its inputs are sin2x"),
        ("xyz + x", {"x": 1, "y": 2, "z": 3}, "'xyz' is one name: for a product write 'x*y*z'"),
        ("πr^2", {"r": 1}, "'πr' is one name: for a product write 'π*r'"),
        ("thetax", {"theta": 1, "x": 2}, "'thetax' is one name: for a product write 'theta*x'"),
        ("sinx", {"sinx": 1, "x": 1}, "its inputs are sinx"),
        ("cost", {"q": 1}, "its inputs are cost"),
        ("cost", {"t": 1}, "'cost' is one name: for a call write 'cos(t)'"),
        ("f(x) = x^2; df/dx", {"x": 1}, "for the derivative df/dx write the function alone: "),
        ("f(x) = x^2; df/dx", {"z": 1}, "its inputs are df, dx"),
    ],
)
def test_names_run_together(text: str, inputs: dict[str, Any], hint: str) -> None:
    with pytest.raises(GradcliError) as raised:
        Program(text).evaluate(**inputs)
    assert raised.value.kind is Kind.BINDING
    assert raised.value.hint is not None
    assert raised.value.hint.startswith(hint)


def test_names_run_together_are_names() -> None:
    program = Program("sinx*xy + dy/dx")
    assert program.evaluate(sinx=2, xy=3, dy=4, dx=2).value == 8


@pytest.mark.parametrize(
    ("text", "inputs"),
    [
        ("x*y", {"x": 2, "y": 3}),
        ("sum(x + y)", {"x": [1, 2], "y": 3}),
        ("where(x > 0, clip(x, 0, 1), -x)", {"x": 0.5}),
        ("block cube(p) = p^3 with d/dp = 3*p^2\ncube(x)", {"x": 2}),
        ("y = softmax(x); z = sum(y, axis=0)", {"x": [1, 2]}),
    ],
)
def test_a_result_can_be_pickled(text: str, inputs: dict[str, Any]) -> None:
    result = Program(text).evaluate(inputs)
    copy = pickle.loads(pickle.dumps(result))  # noqa: S301 - made on this line
    for name, gradient in result.gradient.items():
        np.testing.assert_array_equal(copy.gradient[name], gradient)
    assert copy.verdict == result.verdict
    assert [row.expression for row in copy.rows()] == [row.expression for row in result.rows()]
    assert [line.rule for line in copy.lines()] == [line.rule for line in result.lines()]


def test_a_pickled_result_of_another_output() -> None:
    result = Program("y = x^2; z = 3*y; w = sin(z)", output="y").evaluate(x=2)
    copy = pickle.loads(pickle.dumps(result))  # noqa: S301 - made on this line
    assert (copy.output.name, copy.gradient) == ("y", {"x": 4.0})


def test_a_result_can_not_change_its_program() -> None:
    program = Program("z = [1, 2, 3]; sum(z*x)")
    result = program.evaluate(x=[1, 1, 1])
    with pytest.raises(ValueError, match="read-only"):
        result["z"].value[:] = 0
    assert program.evaluate(x=[1, 1, 1]).value == 6.0


def test_without_inputs_an_array_needs_no_upstream() -> None:
    result = Program("[1, 2]").evaluate()
    assert (result.value.tolist(), result.gradient, result.verdict) == ([1, 2], {}, "pass")


@pytest.mark.parametrize("text", [3, None, b"x^2", ["x"]])
def test_a_program_is_a_text(text: Any) -> None:
    with pytest.raises(GradcliError, match="a program is a text"):
        Program(text)


def test_a_long_program_is_lowered_again_for_other_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its draft is not kept: its inputs are still known, and any shape gets its graph."""
    monkeypatch.setattr(language_text, "LONG", 1)
    program = Program("a = sin(x)*y\nsum(a^2)")
    usual = Program("a = sin(x)*y\nsum(a^2)")
    for x in (0.5, [0.1, 0.2], 0.5, [[1.0], [2.0]]):
        found, wanted = (p.evaluate(x=x, y=3.0, check=False) for p in (program, usual))
        assert str(found.gradient) == str(wanted.gradient)
        assert program.inputs == ("x", "y")
