"""The trace: its order, its texts and numbers, and what it looks like at every width."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from numpy_runs import executed
from report_samples import NAMES, TUTORIAL, chain, evaluate, samples

from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.diagnostics.error import cell_width
from gradcli.program import Program
from gradcli.report import Style
from gradcli.report.trace import json as trace_json
from gradcli.report.trace import listing as trace
from gradcli.report.trace import table as trace_table
from gradcli.report.trace.general_form import general
from gradcli.report.trace.listing import Choice
from gradcli.results.result import Result
from gradcli.syntax.printer import print_tree
from gradcli.trace.steps import Steps

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

SCHEMA = Path(__file__).parents[2] / "docs" / "schema" / "trace.json"
WIDTHS = (None, 120, 80, 60)
PIPE = Style(width=None, color=False, ascii=False)
POINT = (TUTORIAL, "--x", "3", "--y", "-4")


def pieces(result: Result, style: Style, choice: Choice | None = None) -> Iterator[str]:
    return trace.pieces(Steps(result), style, choice or Choice(), lambda: result)


def listing(name: str, width: int | None = None, choice: Choice | None = None, **style: Any) -> str:
    looks = {"color": False, "ascii": False, **style}
    return "".join(pieces(samples()[name], Style(width=width, **looks), choice))


def gradcli(*arguments: str, columns: int | None = None) -> tuple[int, str, str]:
    environment = Environment.captured(columns=columns, variables={"NO_COLOR": "1"})
    return run(["trace", *arguments], environment), *environment.written()


class TestListing:
    @pytest.mark.parametrize("width", WIDTHS)
    @pytest.mark.parametrize("name", ["tutorial", "network", "deep", "long"])
    def test_widths(self, name: str, width: int | None, snapshot: SnapshotAssertion) -> None:
        assert listing(name, width) == snapshot

    @pytest.mark.parametrize("name", sorted(set(NAMES) - {"tutorial", "network", "deep", "long"}))
    def test_in_a_pipe(self, name: str, snapshot: SnapshotAssertion) -> None:
        assert listing(name) == snapshot

    @pytest.mark.parametrize("width", [24, 40, 60, 80, 120])
    @pytest.mark.parametrize("name", NAMES)
    def test_nothing_is_wider_than_the_terminal(self, name: str, width: int) -> None:
        lines = listing(name, width).splitlines()
        assert max(map(cell_width, lines)) <= max(width, 31)

    @pytest.mark.parametrize("name", NAMES)
    def test_ascii(self, name: str) -> None:
        assert listing(name, ascii=True).isascii()

    def test_colour_says_nothing_that_words_do_not(self) -> None:
        from test_report_table import SGR  # noqa: PLC0415 - the pattern alone

        colored = listing("verdicts", 80, color=True)
        assert "\x1b[" in colored
        assert SGR.sub("", colored) == listing("verdicts", 80)

    def test_precision(self) -> None:
        assert re.search(r"= 0\.0179862099620915\d+", listing("tutorial", precision=17))


def table(name: str, width: int | None = None, choice: Choice | None = None) -> str:
    result, look = samples()[name], Style(width=width, color=False, ascii=False)
    found = trace_table.pieces(Steps(result), look, choice or Choice(), lambda: result)
    return "".join(found)


class TestTable:
    @pytest.mark.parametrize("width", [*WIDTHS, 30])
    @pytest.mark.parametrize("name", ["tutorial", "network", "deep"])
    def test_widths(self, name: str, width: int | None, snapshot: SnapshotAssertion) -> None:
        assert table(name, width) == snapshot

    @pytest.mark.parametrize("width", [24, 40, 60, 80, 120])
    @pytest.mark.parametrize("name", NAMES)
    def test_nothing_is_wider_than_the_terminal(self, name: str, width: int) -> None:
        assert max(map(cell_width, table(name, width).splitlines())) <= width

    def test_a_row_per_contribution(self) -> None:
        code, out, _ = gradcli(*POINT, "--style", "table", "--pass", "backward")
        assert code == 0
        assert len(re.findall(r"^\(\d\)", out, re.MULTILINE)) == 9
        assert "→" not in gradcli(*POINT, "--style", "table", "--ascii")[1]


def strict(text: str) -> Any:
    found = json.loads(text, parse_constant=pytest.fail)
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(found)
    return found


class TestJson:
    @pytest.mark.parametrize("name", NAMES)
    def test_samples_fit_the_schema(self, name: str) -> None:
        result = samples()[name]
        text = "".join(trace_json.pieces(Steps(result), PIPE, result))
        assert text.count("\n") == 1
        strict(text)

    def test_it_is_evals_object_with_more_in_it(self) -> None:
        found = strict(gradcli(*POINT, "--no-check", "--json")[1])
        environment = Environment.captured()
        run(["eval", *POINT, "--no-check", "--json"], environment)
        plain = json.loads(environment.written()[0])
        for key in set(plain) - {"schema", "backward"}:
            assert found[key] == plain[key]
        for more, less in zip(found["backward"], plain["backward"], strict=True):
            assert {key: more[key] for key in less} == less
        assert [step["step"] for step in found["steps"]] == [1, 2, 3, 4, 5, 6]
        line = found["backward"][6]
        assert (line["assign"], line["formula"], line["paths"]) == ("+=", "delta_b * 1", 2)
        assert line["before"] + line["contribution"] == line["accumulator"]

    def test_one_pass_has_all_keys(self) -> None:
        found = strict(gradcli(*POINT, "--json", "--pass", "forward")[1])
        assert (found["backward"], found["gradient"], found["check"]) == ([], {}, None)
        assert strict(gradcli(*POINT, "--pretty", "--pass", "backward")[1])["steps"]

    def test_a_wrong_gradient(self) -> None:
        code, out, _ = gradcli("block sq(x) = x^2 with d/dx = 3*x\nsq(a)", "--a", "2", "--json")
        assert code == 3
        assert strict(out)["check"]["verdict"] == "fail"


class TestOrder:
    def test_the_backward_pass_is_the_forward_pass_reversed(self) -> None:
        steps = Steps(samples()["tutorial"])
        forward = [step.number for step in steps.steps()]
        backward = list(dict.fromkeys(move.step for move in steps.moves()))
        assert forward == [1, 2, 3, 4, 5, 6]
        assert backward == forward[::-1]

    def test_first_an_assignment_then_additions_and_final_at_last(self) -> None:
        for name in NAMES:
            seen: dict[str, int] = {}
            final: set[str] = set()
            for move in Steps(samples()[name]).moves():
                to = move.to.name
                assert to not in final
                assert move.assign == ("+=" if to in seen else "=")
                seen[to] = seen.get(to, 0) + 1
                assert move.paths == seen[to]
                if move.final:
                    final.add(to)
            assert final == set(seen)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"nonfinite"}))
def test_the_formulas_say_what_was_computed(name: str) -> None:
    """Every right-hand side, read as a program, comes to the contribution that was made."""
    result = samples()[name]
    values = dict(zip((n.name for n in result.graph.nodes), result.values, strict=True))
    deltas = {
        f"delta_{node.name}": delta
        for node, delta in zip(result.graph.nodes, result.accumulators, strict=True)
        if delta is not None
    }
    count = 0
    for move in Steps(result).moves():
        program = Program(move.formula)
        known = {**values, **deltas}
        inputs = {name: known[name] for name in program.names.free if name in known}
        found = program.evaluate(inputs, check=False, gradient=False).value
        np.testing.assert_allclose(np.broadcast_to(found, np.shape(move.value)), move.value)
        count += 1
    assert count == len(result.contributions)


def test_the_text_of_a_local_derivative_is_the_rule() -> None:
    steps = Steps(samples()["tutorial"])
    lines = list(samples()["tutorial"].lines())
    for move, line in zip(steps.moves(), lines, strict=True):
        assert move.local is not None
        assert print_tree(move.local, spaced=False) == line.local
        assert move.local_value == line.local_value


class TestStreaming:
    def test_the_lines_come_before_the_check(self) -> None:
        def late() -> Result:
            raise InterruptedError

        seen: list[str] = []
        with pytest.raises(InterruptedError):
            seen += trace.pieces(Steps(chain(300)), PIPE, Choice(), late)
        found = trace.pieces(Steps(chain(300)), PIPE, Choice(), late)
        seen = list(islice(found, 903))
        assert seen[-1].startswith("  delta_x")

    def test_only_the_first_lines_are_measured(self) -> None:
        result = chain(2000)
        steps = Steps(result)
        made = 0
        inner = steps.moves

        def counted() -> Iterator[Any]:
            nonlocal made
            for move in inner():
                made += 1
                yield move

        steps.moves = counted  # type: ignore[method-assign]
        found = trace.pieces(steps, PIPE, Choice(), lambda: result)
        assert next(found).startswith("Forward pass")
        assert made <= trace.MEASURED


class TestCommand:
    def test_the_tutorials_example(self) -> None:
        code, out, err = gradcli(*POINT)
        assert (code, err) == (0, "")
        assert "  delta_d = delta_e * (-1/d^2)" in out
        end = "Gradient   df/dx = -0.524317   df/dy = -0.117187   checked: 8 of 8 agree\n"
        assert out.endswith(end)

    def test_a_wrong_gradient(self) -> None:
        wrong = "block sq(x) = x^2 with d/dx = 3*x\nsq(a)"
        code, out, _ = gradcli(wrong, "--a", "2")
        assert code == 3
        assert "1 WRONG" in out
        assert gradcli(wrong, "--a", "2", "--no-check")[0] == 0

    def test_one_pass(self) -> None:
        _, whole, _ = gradcli(*POINT, "--no-check")
        forward, backward = (
            gradcli(*POINT, "--no-check", "--pass", which)[1] for which in ("forward", "backward")
        )
        assert forward.startswith("Forward pass")
        assert "Backprop" not in forward
        assert "Gradient" not in forward
        assert backward.startswith("Backward pass")
        assert backward in whole

    def test_a_forward_pass_needs_no_single_number(self) -> None:
        code, out, _ = gradcli("x*2", "--x", "[1, 2]", "--pass", "forward")
        assert code == 0
        assert "= [2, 4]" in out

    def test_an_upstream(self) -> None:
        _, out, _ = gradcli("x^2", "--x", "3", "--upstream", "2")
        assert "delta_a = 2\n" in out
        assert "delta_x = delta_a * 2*x" in out
        assert "= 2 * 6\n" in out
        assert "dJ/dx = 12" in out

    def test_bare_values(self) -> None:
        assert gradcli(*POINT, "--value") == (0, "0.6035972419924184\n", "")
        assert gradcli(*POINT, "--grad", "x") == (0, "-0.524316690390902\n", "")

    @pytest.mark.parametrize("form", ["csv", "markdown", "latex"])
    @pytest.mark.parametrize("style", ["table", "code", "math"])
    def test_a_format_and_a_style(self, form: str, style: str) -> None:
        code, out, err = gradcli(*POINT, "--format", form, "--style", style)
        assert (code, out) == (2, "")
        assert f"--style {style} and --format {form} contradict each other" in err

    @pytest.mark.parametrize("option", ["--jacobians", "--step"])
    def test_what_only_the_listing_has(self, option: str) -> None:
        code, out, err = gradcli(*POINT, "--style", "table", option)
        assert (code, out) == (2, "")
        assert f"{option} is for the listing of all steps" in err

    def test_step_needs_a_terminal(self) -> None:
        code, out, err = gradcli(*POINT, "--step")
        assert (code, out) == (2, "")
        assert err == "error: --step waits for a key, and this is not a terminal\n"

    @pytest.mark.parametrize(
        ("program", "last"),
        [("2*pi", "Value      a = 6.28319   no inputs\n"), ("x", "Gradient   dx/dx = 1   ")],
    )
    def test_programs_without_operations(self, program: str, last: str) -> None:
        arguments = ["--x", "1"] if program == "x" else []
        code, out, _ = gradcli(program, *arguments)
        assert code == 0
        assert last in out

    def test_a_failure_prints_no_half_of_a_trace(self) -> None:
        code, out, err = gradcli("log(x)", "--x", "-1")
        assert (code, out) == (1, "")
        assert err.startswith("error: log(x) is not defined")

    def test_into_a_file(self, tmp_path: Any) -> None:
        file = tmp_path / "trace.txt"
        assert gradcli(*POINT, "--no-check", "--out", str(file)) == (0, "", "")
        assert file.read_text(encoding="utf-8") == gradcli(*POINT, "--no-check")[1]


def test_nothing_from_outside_controls_the_terminal() -> None:
    result = evaluate("bold = x*2 # [red]\nbold", {"x": 1})
    assert "[red]" not in "".join(pieces(result, PIPE))


class TestFormats:
    def test_csv_has_every_number_in_full(self) -> None:
        _, out, _ = gradcli(*POINT, "--format", "csv")
        rows = list(csv.DictReader(io.StringIO(out)))
        forward = {row["node"]: float(row["value"]) for row in rows if row["value"]}
        backward = [row for row in rows if not row["value"]]
        assert [row["pass"] for row in rows] == ["forward"] * 6 + ["backward"] * 9
        result = evaluate(POINT[0], {"x": 3, "y": -4})
        assert forward == {name: result[name].value for name in "abcdef"}
        final = {row["to"]: float(row["accumulator"]) for row in backward if row["final"] == "true"}
        assert final == {name: result[name].delta for name in "xyabcde"}
        for row in backward:
            product = float(row["upstream"]) * float(row["local_value"])
            assert product == float(row["contribution"])

    def test_markdown_has_tables_of_equal_rows(self) -> None:
        _, out, _ = gradcli("|x|*y", "--x", "3", "--y", "[1, 2]", "--upstream", "[1, 1]",
                            "--format", "markdown")  # fmt: skip
        tables = [block for block in out.split("\n\n") if block.startswith("| ")]
        assert len(tables) == 2
        for table in tables:
            assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1

    @pytest.mark.parametrize("more", [[], ["--pass", "forward"], ["--by", "statement"]])
    def test_code_runs(self, more: list[str]) -> None:
        _, out, _ = gradcli(*POINT, "--style", "code", *more)
        names = executed(out)
        result = evaluate(POINT[0], {"x": 3, "y": -4})
        assert names["f"] == pytest.approx(float(result.value), rel=1e-15)
        if "forward" not in more:
            assert names["delta_x"] == pytest.approx(float(result["x"].delta), rel=1e-14)
            assert "# checked: 8 of 8 agree" in out

    def test_blank_code_has_no_results(self) -> None:
        _, out, _ = gradcli(*POINT, "--style", "code", "--blank")
        assert "0.0179862" not in out
        assert out.count("= ________") == 6 + 9


class TestJacobians:
    """The general form, its text evaluated and compared with the derivatives themselves."""

    def test_as_the_tutorial_writes_them(self) -> None:
        _, out, _ = gradcli("z2 = W2 @ a1; a2 = tanh(z2); sum(a2)", "--W2", "[[1, 2], [3, 4]]",
                            "--a1", "[0.5, 1]", "--jacobians")  # fmt: skip
        assert "from ∂a2/∂z2 = diag(tanh'(z2)) = diag(1 - a2^2)   (2×2)\n" in out
        assert "from ∂z2/∂a1 = W2.T   (2×2)\n" in out
        assert "from ∂z2/∂W2[k, (i, j)] = a1[j] where k = i, else 0\n" in out

    @pytest.mark.parametrize(
        "program",
        ["tanh(u)", "u*v", "u - v", "2*u", "softmax(u)", "log_softmax(u)", "M @ u", "u @ M", "v/u",
         "sum(u)", "||u||", "u.T @ v", "s*u", "u + s"],
    )  # fmt: skip
    def test_they_are_the_derivatives(self, program: str) -> None:
        point = {"u": [0.5, -1.0], "v": [2.0, 3.0], "M": [[1.0, 2.0], [3.0, 5.0]], "s": 1.5}
        made = Program(program)
        inputs = {name: point[name] for name in made.inputs}
        jacobian = made.jacobian(inputs, check="none")
        ones = np.ones(jacobian.result.output.type.shape)
        steps = Steps(made.evaluate(inputs, check=False, upstream=ones))
        compared = 0
        for move in steps.moves():
            text = general(steps, move)
            if text is None or " = " not in text or "where" in text or move.to.kind != "input":
                continue
            if move.node.id != steps.graph.output:
                continue
            matrix = text.partition("   (")[0].split(" = ")[-1]
            names = {n.name: steps.result.values[n.id] for n in steps.graph.nodes}
            used = {n: v for n, v in names.items() if n in Program(matrix).inputs}
            value = Program(matrix).evaluate(used, gradient=False).value
            block = next(b for b in jacobian.blocks if b.by == move.to.name)
            found = np.reshape(value, np.shape(block.value))
            np.testing.assert_allclose(found, block.value, rtol=1e-14)
            compared += 1
        assert compared
