"""What the commands compute and print, and the exit codes; in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from gradcli.cli.app import run
from gradcli.cli.environment import Environment

TUTORIAL = ("(x + sigmoid(y)) / (x^2 + y)", "--x", "3", "--y", "-4")
WRONG_BLOCK = ("block sq(x) = x^2 with d/dx = 3*x\nsq(a)", "--a", "2")


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def gradcli(*arguments: str, stdin: bytes = b"") -> Ran:
    environment = Environment.captured(stdin)
    return Ran(run(arguments, environment), *environment.written())


def value(*arguments: str, stdin: bytes = b"") -> Any:
    """The output's value; the command must succeed."""
    ran = gradcli("eval", *arguments, "--value", stdin=stdin)
    assert (ran.code, ran.err) == (0, "")
    return json.loads(ran.out)


class TestEval:
    def test_the_tutorials_example(self) -> None:
        ran = gradcli("eval", *TUTORIAL, "--json")
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.count("\n") == 1
        assert ran.json["schema"] == "gradcli.eval/1"
        assert ran.json["output"] == {"name": "f", "value": 0.6035972419924184}
        assert ran.json["gradient"] == {"x": -0.524316690390902, "y": -0.11718690715582544}
        assert ran.json["check"]["verdict"] == "pass"

    def test_the_table_ends_with_the_gradient(self) -> None:
        ran = gradcli("eval", *TUTORIAL)
        assert ran.code == 0
        assert ran.out.splitlines()[-1].startswith("Gradient")
        assert "-0.524317" in ran.out

    @pytest.mark.parametrize("form", ["table", "json", "csv", "markdown", "latex"])
    def test_every_format(self, form: str) -> None:
        ran = gradcli("eval", *TUTORIAL, "--format", form)
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.endswith("\n")

    def test_options_may_stand_anywhere(self) -> None:
        outputs = {
            gradcli("eval", "x*y", "--x", "2", "--y", "3", "--json", "--no-check").out,
            gradcli("eval", "--json", "--y=3", "--no-check", "x*y", "--x", "2").out,
            gradcli("eval", "--x=2", "--y", "3", "--format=json", "--check=none", "x*y").out,
        }
        assert len(outputs) == 1

    def test_pretty_is_json_indented(self) -> None:
        pretty = gradcli("eval", *TUTORIAL, "--pretty", "--no-check")
        assert pretty.json == gradcli("eval", *TUTORIAL, "--json", "--no-check").json
        assert pretty.out.count("\n") > 10

    def test_precision(self) -> None:
        assert "-0.5243166904 " in gradcli("eval", *TUTORIAL, "--precision", "10").out

    @pytest.mark.parametrize("program", ["-x^2", "--x^2", "-x**2"])
    def test_a_program_that_begins_with_a_minus(self, program: str) -> None:
        assert abs(value(program, "--x", "-3")) == 9

    def test_value_is_bare_and_needs_no_gradient(self) -> None:
        assert gradcli("eval", "x^2", "--x", "3", "--value") == (0, "9.0\n", "")
        assert gradcli("eval", "[x, 2]", "--x", "3", "--value") == (0, "[3.0, 2.0]\n", "")
        assert gradcli("eval", "sqrt(x)", "--x", "0", "--value").code == 0

    def test_grad_is_bare(self) -> None:
        assert gradcli("eval", "x^2*y", "--x", "3", "--y", "1", "--grad", "x") == (0, "6.0\n", "")

    def test_bare_values_as_json(self) -> None:
        ran = gradcli("eval", "1/x", "--x", "0", "--value", "--allow-nonfinite")
        assert ran.out == "inf\n"
        ran = gradcli("eval", "1/x", "--x", "0", "--value", "--allow-nonfinite", "--json")
        assert ran.out == '"Infinity"\n'

    def test_bare_values_run_no_check(self) -> None:
        assert gradcli("eval", *WRONG_BLOCK, "--grad", "a").code == 0
        assert gradcli("eval", *WRONG_BLOCK, "--value").code == 0

    def test_wrt(self) -> None:
        ran = gradcli("eval", *TUTORIAL, "--wrt", "y", "--json")
        assert ran.json["gradient"].keys() == {"y"}
        assert gradcli("eval", "x*y", "--x", "1", "--y", "2", "--wrt", " x, y", "--json").code == 0

    def test_upstream(self) -> None:
        arguments = ("eval", "[x^2, x]", "--x", "3", "--json", "--no-check")
        ran = gradcli(*arguments, "--upstream", "[1, 10]")
        assert ran.json["gradient"] == {"x": 16.0}

    def test_output(self) -> None:
        ran = gradcli("eval", "a = x^2\nb = a + 1", "--x", "3", "--output", "a", "--json")
        assert ran.json["output"] == {"name": "a", "value": 9.0}

    def test_allow_nonfinite(self) -> None:
        ran = gradcli("eval", "log(x)", "--x", "-1")
        assert (ran.code, ran.out) == (1, "")
        ran = gradcli("eval", "log(x)", "--x", "-1", "--allow-nonfinite", "--json")
        assert ran.code == 0
        assert ran.json["output"]["value"] == "NaN"

    def test_check_options(self) -> None:
        arguments = ("eval", "sum(W^2)", "--W", "normal(9, 9)", "--json")
        for mode in ("all", "sample"):
            assert gradcli(*arguments, "--check", mode).json["check"]["verdict"] == "pass"
        assert gradcli(*arguments, "--check", "none").json["check"] is None
        assert gradcli(*arguments, "--check-budget", "0").code == 0

    def test_exact_needs_mpmath(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("mpmath")
        assert gradcli("eval", *TUTORIAL, "--exact").code == 0
        monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
        ran = gradcli("eval", *TUTORIAL, "--exact")
        assert ran.code == 2
        assert "pip install 'gradcli[exact]'" in ran.err


class TestPrograms:
    def test_from_standard_input(self) -> None:
        assert value("-", "--x", "3", stdin=b"x^2\n") == 9
        assert value("--file", "-", "--x", "3", stdin="\ufeffx²\r\n".encode()) == 9

    def test_from_a_file_with_its_point(self, tmp_path: Path) -> None:
        path = tmp_path / "task.grad"
        path.write_bytes(b"#: x = 3\n#: y = [1, 2]\r\nz = x^2\nsum(z*y)\n")
        assert value("--file", str(path)) == 27
        assert value("--file", str(path), "--x", "1") == 3

    def test_ten_megabytes(self) -> None:
        program = b"x^2 + 1  # " + b"a comment " * 1_000_000
        assert value("-", "--x", "3", stdin=program) == 10

    def test_a_file_that_is_given_as_the_program(self, tmp_path: Path) -> None:
        path = tmp_path / "task.grad"
        path.write_text("x^2")
        assert gradcli("eval", str(path), "--x", "3", "--value").out == "9.0\n"
        for missing in ("nothing.grad", "no/folder/loss.py", "a b.grad"):
            ran = gradcli("eval", missing)
            assert ran.code == 2
            assert (f"'{missing}'" in ran.err) == (" " not in missing)
        other = tmp_path / "task.txt"
        other.write_text("x^2")
        ran = gradcli("eval", str(other), "--x", "3")
        assert ran.code == 2
        assert f"--file {other}" in ran.err
        for colon in (":", "::"):
            ran = gradcli("eval", f"{other}{colon}loss", "--x", "3")
            assert ran.code == 2
            assert f"{other} --function loss" in ran.err


class TestInputs:
    def test_negative_numbers(self) -> None:
        assert value("x*y", "--x", "-3", "--y=-4") == 12

    def test_arrays_and_expressions(self) -> None:
        assert value("W @ x", "--W", "eye(2) + 1", "--x", "[pi, -pi]") == [np.pi, -np.pi]

    def test_files(self, tmp_path: Path) -> None:
        (tmp_path / "x.csv").write_text("1\n2\n")
        np.save(tmp_path / "W.npy", np.eye(2))
        assert value("W @ x", "--W", f"@{tmp_path / 'W.npy'}", f"--x=@{tmp_path / 'x.csv'}") == [
            1,
            2,
        ]

    @pytest.mark.parametrize("name", ["data.json", "data.npz"])
    def test_data_files(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / name
        if name.endswith("z"):
            np.savez(path, x=[1, 2], y=5, unused=1)
        else:
            path.write_text('{"x": [1, 2], "y": 5, "unused": 1, "pi": 3}')
        assert value("sum(x)*y", "--data", str(path)) == 15
        assert value("sum(x)*y", "--data", str(path), "--y", "1") == 3
        pi = 3 if name.endswith("n") else np.pi
        assert value("sum(x)*y + pi", "--data", str(path), "--y", "1") == 3 + pi

    def test_a_constant_can_be_bound_on_the_command_line(self) -> None:
        assert value("e + 1", "--e", "1") == 2

    def test_names_that_are_options(self) -> None:
        assert value("file*json", "--set", "file=3", "--set", "json=4") == 12
        ran = gradcli("eval", "seed^2")
        assert ran.code == 2
        assert "--set seed=" in ran.err

    def test_unicode_names(self) -> None:
        assert value("x₁ + ŷ", "--x1", "1", "--y\u0302", "2") == 3

    def test_drawn_numbers_depend_on_the_seed_alone(self) -> None:
        draws = ("--A", "normal(3)", "--B", "uniform(3)")
        first = value("concat((A, B))", *draws)
        assert value("concat((A, B))", "--B", "uniform(3)", "--A", "normal(3)") == first
        assert value("A", "--A", "normal(3)") == first[:3]
        assert value("concat((A, B))", *draws, "--seed", "1") != first


class TestCheck:
    def test_verdicts(self) -> None:
        ran = gradcli("check", *TUTORIAL, "--json")
        assert (ran.code, ran.json["schema"]) == (0, "gradcli.check/1")

    def test_a_wrong_block_fails(self) -> None:
        for command in ("eval", "check"):
            ran = gradcli(command, *WRONG_BLOCK)
            assert ran.code == 3
            assert "WRONG" in ran.out
            assert ran.err == ""

    def test_strict(self) -> None:
        kink = ("check", "relu(x)", "--x", "0")
        assert gradcli(*kink).code == 0
        assert gradcli(*kink, "--strict").code == 3
        assert gradcli("check", *TUTORIAL, "--strict").code == 0
        assert gradcli(*kink, "--strict", "--value").code == 0

    def test_goes_on_where_eval_stops(self) -> None:
        assert gradcli("eval", "sqrt(x)", "--x", "0").code == 1
        ran = gradcli("check", "sqrt(x)", "--x", "0", "--json")
        assert ran.code == 0
        assert ran.json["nodes"][0]["check"]["verdict"] == "edge"

    def test_an_undefined_output_is_reported(self) -> None:
        ran = gradcli("check", "log(x)", "--x", "-1", "--json")
        assert ran.code == 1
        assert ran.json["output"]["value"] == "NaN"

    def test_without_a_check_there_is_nothing_to_report(self) -> None:
        for option in (["--no-check"], ["--check", "none"]):
            assert gradcli("check", "x", "--x", "1", *option).code == 2


class TestOps:
    def test_all(self) -> None:
        ran = gradcli("ops")
        assert (ran.code, ran.err) == (0, "")
        for name in ("sigmoid", "A @ B", "logsumexp"):
            assert name in ran.out

    @pytest.mark.parametrize("name", ["sigmoid", "σ", "expit", "+", "-", "@", "max"])
    def test_one(self, name: str) -> None:
        ran = gradcli("ops", name)
        assert (ran.code, ran.err) == (0, "")
        assert ran.out

    @pytest.mark.parametrize(
        ("name", "bare"), [("np.exp", "exp"), ("numpy.linalg.inv", "inv"), ("math.pow", "pow")]
    )
    def test_with_its_module(self, name: str, bare: str) -> None:
        assert gradcli("ops", name).out == gradcli("ops", bare).out

    @pytest.mark.parametrize("form", ["table", "json", "markdown"])
    def test_formats(self, form: str) -> None:
        ran = gradcli("ops", "sigmoid", "tanh", "--format", form)
        assert ran.code == 0
        assert "tanh" in ran.out
        if form == "json":
            assert ran.json

    def test_other_formats_are_refused(self) -> None:
        assert gradcli("ops", "--format", "csv").code == 2


class TestExitCodes:
    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (["eval", "x^2", "--x", "3"], 0),
            (["eval", "log(x)", "--x", "-1"], 1),
            (["eval", "1/x", "--x", "0"], 1),
            (["eval", "exp(x)", "--x", "1000"], 1),
            (["eval", "inv(A)", "--A", "ones((2, 2))", "--value"], 1),
            (["eval", "x +"], 2),
            (["eval", "sigmod(x)", "--x", "1"], 2),
            (["eval", "x"], 2),
            (["eval", "A @ x", "--A", "eye(2)", "--x", "ones(3)", "--value"], 2),
            (["eval", "--file", "no/such/file"], 2),
            (["eval", "x", "--x", "1", "--precision", "0"], 2),
            (["eval", *WRONG_BLOCK], 3),
            (["--version"], 0),
            (["eval", "--help"], 0),
            ([], 0),
        ],
    )
    def test_table(self, arguments: list[str], code: int) -> None:
        assert gradcli(*arguments).code == code

    def test_an_interrupt(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("gradcli.program.Program.evaluate", interrupted)
        assert gradcli("eval", *TUTORIAL) == (130, "", "")
        monkeypatch.setattr("gradcli.cli.app.deliver", interrupted)
        assert gradcli("--help") == (130, "", "")

    @pytest.mark.parametrize("command", ["eval", "trace", "check", "ops"])
    def test_version_and_help_everywhere(self, command: str) -> None:
        version = gradcli("--version").out
        assert version.startswith("gradcli ")
        assert gradcli(command, "--version").out == version
        assert gradcli(command, "x", "-h").out == gradcli(command, "--help").out
