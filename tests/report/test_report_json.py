"""JSON: that it is what docs/schema says, and that every number comes back as it was."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from report_samples import DEEP, NAMES, NETWORK, TUTORIAL, samples

from gradcli.diagnostics.error import GradcliError, Kind, as_json
from gradcli.export import graph_json as export_graph
from gradcli.program import Program
from gradcli.report import Style, digits, render
from gradcli.report.digits import decimals
from gradcli.report.json import encoder, indented, plain
from gradcli.report.trace import json as trace_json
from gradcli.results.result import Result
from gradcli.trace.steps import Steps

SCHEMAS = Path(__file__).parents[2] / "docs" / "schema"
PLAIN = Style(width=None, color=False, ascii=False)
PRETTY = Style(width=None, color=False, ascii=False, pretty=True)


@cache
def validator(name: str) -> Draft202012Validator:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def strict(text: str) -> Any:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    return json.loads(text, parse_constant=refuse)


def number(value: Any) -> float:
    return float(value)


def same(written: Any, value: Any) -> bool:
    """Whether a value came back bit by bit."""
    if value is None:
        return written is None
    back = np.asarray(np.vectorize(number, otypes=[float])(np.asarray(written, dtype=object)))
    if not np.size(value):
        return bool(np.shape(written) == np.shape(value))
    signs = np.isnan(back) | (np.signbit(back) == np.signbit(value))
    return bool(np.array_equal(back, value, equal_nan=True) and signs.all())


@pytest.mark.parametrize("command", ["eval", "check"])
@pytest.mark.parametrize("name", NAMES)
def test_samples_fit_the_schema(name: str, command: str) -> None:
    text = render(samples()[name], "json", PLAIN, command)
    assert text.count("\n") == 1
    validator(command).validate(strict(text))


REAL: dict[str, dict[str, Any]] = {
    TUTORIAL: {"x": 3, "y": -4},
    NETWORK: {"W": np.ones((2, 3)), "a0": [1, 2, -3], "b": [0, 1], "t": [1, 2]},
    DEEP: {
        "W1": np.sin(np.arange(600)).reshape(30, 20),
        "x": np.ones(20),
        "b1": np.ones(30),
        "W2": np.ones((3, 30)),
        "b2": [1, 2, 3],
    },
    "relu(x) + |x| + floor(x)": {"x": 0},
    "sqrt(x)*y": {"x": 0, "y": 1},
    "exp(x)*(y - y)": {"x": 709, "y": 1},
    "2*pi": {},
    "block cube(u) = u^3 with d/du = 2*u^2; cube(x)": {"x": 2},
}


@pytest.mark.parametrize("command", ["eval", "check"])
@pytest.mark.parametrize("text", REAL)
def test_what_the_check_finds_fits_the_schema(text: str, command: str) -> None:
    for exact in (False, True):
        result = Program(text).evaluate(REAL[text], allow_nonfinite=True, exact=exact)
        validator(command).validate(strict(render(result, "json", PLAIN, command)))


@pytest.mark.parametrize("name", NAMES)
def test_every_number_comes_back(name: str) -> None:
    result = samples()[name]
    found = strict(render(result, "json", PLAIN))
    assert same(found["output"]["value"], result.value)
    for written, row in zip(found["nodes"], result.rows(), strict=True):
        assert written["name"] == row.node.name
        assert same(written["value"], row.value)
        assert same(written["delta"], row.delta)
        if row.check:
            assert same(written["check"]["finite_difference"], row.check.finite_difference)
    for written, line in zip(found["backward"], result.lines(), strict=True):
        assert same(written["local_value"], line.local_value)
        assert same(written["upstream"], line.upstream)
        assert same(written["contribution"], line.contribution.value)
        assert same(written["accumulator"], line.contribution.accumulator)
    assert list(found["gradient"]) == list(result.gradient)
    assert all(same(found["gradient"][n], value) for n, value in result.gradient.items())
    assert all(same(found["inputs"][n], value) for n, value in result.inputs.items())


def test_an_element_without_a_slope_has_null() -> None:
    result = Program("sum(abs(x))").evaluate(x=np.array([1.0, 0, 2]))
    text = render(result, "json", PLAIN)
    validator("eval").validate(strict(text))
    slopes = strict(text)["nodes"][0]["check"]["finite_difference"]
    assert slopes == [pytest.approx(1), None, pytest.approx(1)]
    assert "NaN" not in text


def test_the_keys_stand_in_their_order() -> None:
    found = strict(render(samples()["tutorial"], "json", PLAIN))
    whole = "schema program inputs output gradient nodes backward check"
    assert list(found) == whole.split()
    operation = "name kind step op args expression shape value delta check"
    assert list(found["nodes"][2]) == operation.split()
    assert list(found["nodes"][0]) == ["name", "kind", "shape", "value", "delta", "check"]
    check = "verdict finite_difference error_estimate digits"
    assert list(found["nodes"][0]["check"]) == check.split()
    line = "step node to local local_value upstream contribution accumulator final"
    assert list(found["backward"][0]) == line.split()
    assert list(found["check"]) == ["verdict", "rows", "counts", "worst"]


def test_the_tutorial() -> None:
    found = strict(render(samples()["tutorial"], "json", PLAIN))
    assert found["gradient"] == {"x": -0.524316690390902, "y": -0.11718690715582544}
    assert [node["expression"] for node in found["nodes"][2:]] == [
        "sigmoid(y)",
        "x + a",
        "x^2",
        "c + y",
        "1/d",
        "b * e",
    ]
    assert found["nodes"][4]["args"] == ["x", "2"]
    assert found["backward"][0] == {
        "step": 6,
        "node": "f",
        "to": "b",
        "local": "e",
        "local_value": 0.2,
        "upstream": 1.0,
        "contribution": 0.2,
        "accumulator": 0.2,
        "final": True,
    }


def test_rules_that_are_not_elementwise() -> None:
    found = strict(render(samples()["network"], "json", PLAIN))
    (line,) = [line for line in found["backward"] if line["to"] == "W" and line["node"] == "a"]
    assert line["rule"] == "delta_a @ a0.T"
    assert line["local"] is line["local_value"] is None


def test_what_was_not_checked_is_counted() -> None:
    found = strict(render(samples()["budget"], "json", PLAIN))["check"]
    assert (found["rows"], found["omitted"], found["local"]) == (3, 5, 6)
    assert strict(render(samples()["unchecked"], "json", PLAIN))["check"] is None


def test_constants() -> None:
    nodes = strict(render(samples()["constants"], "json", PLAIN))["nodes"]
    assert {node["kind"] for node in nodes} == {"constant"}
    assert all(node["delta"] is node["check"] is None for node in nodes)
    assert all("step" not in node for node in nodes)


@pytest.mark.parametrize("name", NAMES)
def test_indented_is_the_same(name: str) -> None:
    result = samples()[name]
    pretty = render(result, "json", PRETTY)
    assert strict(pretty) == strict(render(result, "json", PLAIN))
    assert pretty.count("\n") > 8


def test_indenting(snapshot: Any) -> None:
    assert render(samples()["upstream"], "json", PRETTY) == snapshot


def test_what_fits_stays_on_a_line() -> None:
    value = {"a": [1, 2, 3], "b": list(range(60)), "c": {}}
    text = indented(value, encoder(ascii_only=True))
    assert json.loads(text) == value
    assert '\n  "a": [1, 2, 3],\n' in text


def evil() -> Result:
    """A program with every character in it that a terminal might obey."""
    controls = "".join(chr(c) for c in (*range(1, 10), *range(11, 32), *range(127, 160)))
    try:
        return Program(f"x + 1 # {controls}\u202e\u2066").evaluate(x=1, check=False)
    except GradcliError:  # the language refuses some of them
        return Program("x + 1 # \x1b[31m \x9b31m\u202e").evaluate(x=1, check=False)


def test_nothing_from_outside_controls_the_terminal() -> None:
    result = evil()
    for form in ("json", "table", "csv", "markdown", "latex"):
        text = render(result, form, PLAIN)
        assert all(line.isprintable() for line in text.split("\n"))
    assert strict(render(result, "json", PLAIN))["program"] == result.program


def test_letters_stay_letters() -> None:
    assert "损失" in render(samples()["wide"], "json", PLAIN)
    assert render(samples()["wide"], "json", Style(None, False, True)).isascii()  # noqa: FBT003


@pytest.mark.parametrize("kind", Kind)
def test_errors_fit_the_schema(kind: Kind) -> None:
    validator("error").validate(as_json(GradcliError(kind, "what", hint="why")))


def test_an_error_with_a_place_fits_the_schema() -> None:
    with pytest.raises(GradcliError) as raised:
        Program("z = x + y\nsigmod(z)").evaluate(x=1, y=2)
    found = as_json(raised.value)
    validator("error").validate(found)
    assert found["error"]["line"] == 2


def test_both_schemas_differ_only_in_the_check() -> None:
    ours, theirs = (
        json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("eval", "check")
    )
    for schema in (ours, theirs):
        del schema["$id"], schema["title"], schema["description"]
        schema["$defs"] = {k: v for k, v in schema["$defs"].items() if k != "check"}
        schema["properties"] = {k: v for k, v in schema["properties"].items() if k != "schema"}
    assert ours == theirs


def test_the_schema_refuses_what_is_wrong() -> None:
    found = strict(render(samples()["tutorial"], "json", PLAIN))
    for change in (
        {"schema": "gradcli.eval/2"},
        {"gradient": {"x": "nan"}},
        {"more": 1},
        {"nodes": [{**found["nodes"][0], "step": 1}]},
        {"nodes": [{**found["nodes"][2], "kind": "constant"}]},
        {"backward": [{**found["backward"][0], "local": None}]},
    ):
        assert not validator("eval").is_valid({**found, **change})


@pytest.mark.parametrize(
    "style",
    [
        PLAIN,
        pytest.param(PRETTY, marks=pytest.mark.slow),
        pytest.param(Style(width=None, color=False, ascii=True), marks=pytest.mark.slow),
    ],
)
def test_large_arrays_are_written_as_small_ones_but_for_blanks(
    style: Style, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = np.linspace(-3, 3, 2000).reshape(50, 40)
    x[0, :4] = np.nan, np.inf, -np.inf, -0.0
    text = '# "σ" is\tnot \\ud800\ns = sum(tanh(x)*x + 2)'
    result = Program(text).evaluate({"x": x}, check=False, allow_nonfinite=True)
    large = render(result, "json", style, "eval")
    monkeypatch.setattr("gradcli.report.json.LARGE", 10**9)
    small = render(result, "json", style, "eval")
    assert large.replace(", ", ",") == small.replace(", ", ",")
    validator("eval").validate(strict(large))


def test_a_large_array_is_made_text_once(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.linspace(-3, 3, 2000)
    result = Program("sum(tanh(x)*x)").evaluate({"x": x}, check=False)
    made: list[bytes] = []

    def noted(array: Any) -> Iterator[str]:
        made.append(array.tobytes())
        return decimals(array)

    with monkeypatch.context() as patch:
        patch.setattr(digits, "decimals", noted)
        text = render(result, "json", PLAIN, "eval")
    found = [a.tobytes() for a in arrays(json.loads(text))]
    assert len(found) > 2 * len(made)
    assert sorted(set(found)) == sorted(made)
    monkeypatch.setattr("gradcli.report.json.KEPT", 0)
    assert text == render(result, "json", PLAIN, "eval")


@pytest.mark.parametrize("report", ["trace", "graph"])
def test_large_arrays_in_traces_and_graphs(report: str, monkeypatch: pytest.MonkeyPatch) -> None:
    result = Program("sum(tanh(x)*x)").evaluate({"x": np.linspace(-3, 3, 2000)}, check=False)
    steps = Steps(result)

    def written() -> str:
        if report == "trace":
            return "".join(trace_json.pieces(steps, PLAIN, result))
        return "".join(export_graph.pieces(steps, PLAIN))

    large = written()
    monkeypatch.setattr("gradcli.report.json.LARGE", 10**9)
    assert large.replace(", ", ",") == written().replace(", ", ",")


def arrays(value: Any) -> list[Any]:
    """All arrays of 2000 numbers in an object."""
    if isinstance(value, list) and len(value) == 2000:
        return [np.array(value)]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [found for part in inside for found in arrays(part)]


def numbers(kind: str) -> Any:
    """Many doubles of a kind that has its own ways of going wrong."""
    draw = np.random.default_rng(5)
    near = [s * np.nextafter(b**i, t) for b in (2.0, 10.0) for i in range(-120, 30)
            for s in (1, -1) for t in (0.0, b**i, np.inf)]  # fmt: skip
    return {
        "normal": draw.normal(size=100_000),
        "any bits": draw.integers(0, 2**64, 100_000, dtype=np.uint64).view(np.float64),
        "all scales": 10 ** draw.uniform(-110, 20, 100_000),
        "few digits": np.stack([np.round(draw.uniform(-1e3, 1e3, 5000), k) for k in range(15)]),
        "16 and 17 digits": np.array(
            [float(f"{x:.{n}g}") for n in (15, 16, 17) for x in 10 ** draw.uniform(-9, 16, 20_000)]
        ),
        "integers": np.concatenate([np.arange(-3000, 3000), 2**53 - np.arange(-3000, 3000)]) * 1.0,
        "quotients": np.arange(50_000) / 7,
        "near powers": np.array(near),
        "special": np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 5e-324, 1.797e308, 1e22, 1e23]),
        "small": draw.normal(size=(8, 20_000)) * 10.0 ** -np.arange(3, 11)[:, None],
        "deep": draw.normal(size=(3, 1, 4, 5)),
        "odd among many": _with_odd(draw, draw.normal(size=(300, 200))),
    }[kind]


def _with_odd(draw: np.random.Generator, array: Any) -> Any:
    """An array with some numbers that have no plain spelling, or none at all."""
    odd = [np.nan, np.inf, -np.inf, -0.0, 0.0, 5e-324, 1e-5, -1.5e-7, 9.99e-5, 1e16, -1e22, 1e-4]
    places = draw.integers(array.size, size=500)
    array.flat[places] = draw.choice(odd, 500)
    array.flat[[0, -1]] = np.nan, 1e16
    return array


@pytest.mark.parametrize(
    "kind",
    [
        *("normal", "any bits", "all scales", "few digits", "16 and 17 digits", "integers"),
        *("quotients", "near powers", "special", "small", "deep", "odd among many"),
    ],
)
def test_many_numbers_at_once_have_the_digits_of_repr(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = numbers(kind)
    # repr of each, by the encoder of the standard library
    whole, half = (json.dumps(plain(a), separators=(",", ":")) for a in (array, array[::2]))
    assert "".join(decimals(array)) == whole
    assert "".join(decimals(array[::2])) == half
    monkeypatch.setitem(sys.modules, "orjson", None)  # not installed
    assert "".join(decimals(array)) == whole
