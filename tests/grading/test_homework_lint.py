"""`gradcli lint`: mistakes that would go unnoticed, and points at which they show."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from schemas import schema

from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.grading.exercise.lint import Lint
from gradcli.grading.exercise.own_points import OwnPoints, own_task
from gradcli.grading.model.task import Task, make_task
from gradcli.program import Program

ROOT = Path(__file__).parents[2]


def gradcli(*words: str, **outside: Any) -> tuple[int, str, str]:
    environment = Environment.captured(**outside)
    return run(words, environment), *environment.written()


def task(text: str, **inputs: Any) -> Task:
    return make_task(Program(text), inputs)


def unseen(text: str, **inputs: Any) -> list[tuple[str, str]]:
    finding = Lint(task(text, **inputs)).at()
    assert finding is not None
    return [(slip.row, slip.tag) for slip in finding.unseen]


class TestUnseen:
    def test_a_factor_of_one(self) -> None:
        """At y = 1 the derivative of x*y by x is 1, and passing on the upstream is no mistake."""
        found = unseen("(x*y)^2", x=3.0, y=1.0)
        assert ("x", "missing-local") in found
        assert ("y", "missing-local") not in found

    def test_equal_inputs(self) -> None:
        assert {("x", "same-operand"), ("y", "same-operand")} <= set(
            unseen("(x*y)^2", x=3.0, y=3.0)
        )
        assert not unseen("(x*y)^2", x=3.0, y=2.3)

    def test_zero(self) -> None:
        """At 0 the gradient of a square is 0, whatever it is multiplied with."""
        found = unseen("x*y + z^2", x=1.3, y=2.7, z=0.0)
        assert {tag for row, tag in found if row == "z"} >= {"sign", "factor", "counted-twice"}
        assert {row for row, _ in found} == {"z"}

    def test_what_is_the_same_everywhere_does_not_count(self) -> None:
        """The local derivative of a sum is 1 at every point."""
        finding = Lint(task("x + y", x=1.0, y=1.0)).at()
        assert finding is not None
        assert not [slip for slip in finding.slips if slip.tag == "missing-local"]
        assert not finding.unseen

    def test_nearly(self) -> None:
        """Less than half a percent is not seen in two digits, but is no equality either."""
        finding = Lint(task("x^2*y", x=0.7, y=1.003)).at()
        assert finding is not None
        near = [s for s in finding.unseen if not s.exact]
        assert ("a", "missing-local") in [(s.row, s.tag) for s in near]

    def test_confusions(self) -> None:
        finding = Lint(task("x*y", x=2.3, y=2.7)).at()
        assert finding is not None
        assert [(c.row, c.tags) for c in finding.confused] == []
        finding = Lint(task("x*y", x=2.0, y=4.0)).at()
        assert finding is not None
        assert ("x", ("factor", "same-operand")) in [(c.row, c.tags) for c in finding.confused]

    def test_arrays_with_forks(self) -> None:
        assert not unseen("sum(x*y) + sum(x^2)", x=[1.3, 0.7], y=[2.2, 5.1])

    def test_a_symmetric_matrix_hides_a_transpose(self) -> None:
        text = "sum((W @ x)^2)"
        assert ("x", "transpose") in unseen(text, W=[[1.0, 2.0], [2.0, 3.0]], x=[1.3, -0.4])
        assert ("x", "transpose") not in unseen(text, W=[[1.0, 2.0], [5.0, 3.0]], x=[1.3, -0.4])


KNOWN = {"x": 1.7, "y": 1.1}
PROGRAMS: dict[str, dict[str, Any]] = {
    "x*y + z^2": {"x": 1.0, "y": 2.0, "z": 0.0},
    "log(x)*y": {"x": 1.0, "y": 1.0},
    "sqrt(1 - x^2)*y": {"x": 0.5, "y": 1.0},
    "sum((W @ x + b)^2)": {"W": np.eye(2), "x": [1.0, 0.0], "b": [0.0, 0.0]},
    "exp(x)*x": {"x": -1.0},
}


class TestPoints:
    @pytest.mark.parametrize("text", PROGRAMS)
    def test_proposals(self, text: str) -> None:
        lint = Lint(task(text, **PROGRAMS[text]))
        here, better = lint.at(), lint.better("lint")
        assert here is not None
        assert here.rank > (0, 0)
        assert better[0].rank == (0, 0)
        for finding in better:
            for name, value in finding.inputs.items():
                own = np.asarray(lint.inputs[name])
                assert np.shape(value) == own.shape
                assert np.all((np.sign(value) == np.sign(own)) | (own == 0))
                assert np.array_equal(value, np.round(value, 2))

    def test_away_from_a_kink(self) -> None:
        lint = Lint(task("x*max(y, z)", x=1.5, y=2.5, z=2.5))
        here, better = lint.at(), lint.better("lint")
        assert here is not None
        assert here.kink
        assert better
        for finding in better:
            assert not finding.kink
            assert here.worse(finding)
        words = ("x*max(y, z)", "--x", "1.5", "--y", "2.5", "--z", "2.5")
        out = gradcli("lint", *words)[1]
        assert "at a corner" in out
        assert out.startswith("At (1.5, 2.5, 2.5), ")

    @pytest.mark.parametrize("text", ["x^2", "sin(x)", "x*y"])
    def test_no_point_is_proposed_twice(self, text: str) -> None:
        point = dict.fromkeys(Program(text).inputs, 2.0)
        found = [tuple(f.inputs.values()) for f in Lint(task(text, **point)).better("lint")]
        assert len(found) == len({*found}) == 3

    def test_only_what_is_asked_for_changes(self) -> None:
        set_ = make_task(Program("x*t + x"), {"x": 1.0, "t": 1.0}, wrt=["x"])
        assert {f.inputs["t"] for f in Lint(set_).better("lint")} == {1.0}

    def test_the_dead_side_of_a_kink_is_no_endless_search(self) -> None:
        lint = Lint(task("x*max(y, z)", x=1.5, y=2.5, z=0.3))
        for finding in lint.better("lint"):
            assert {(slip.row) for slip in finding.unseen} <= {"y", "z"}
            assert finding.unseen
            assert finding.inputs["y"] != finding.inputs["z"]

    def test_nothing_to_change(self) -> None:
        assert Lint(task("3")).better("lint") == []
        assert OwnPoints(task("3")).point("anna") == {}

    def test_no_other_point(self) -> None:
        """Where the program is defined at one point only, that is everybody's."""
        set_ = task("log(-abs(x - 1)^9 + 1e-30) + x", x=1.0)
        assert OwnPoints(set_).point("anna") == {"x": 1.0}


class TestOwnPoints:
    @pytest.mark.parametrize("count", [8, pytest.param(30, marks=pytest.mark.slow)])
    def test_of_one_s_own(self, count: int) -> None:
        set_ = task("x*y + z^2", x=1.0, y=2.0, z=0.0)
        points = {str(OwnPoints(set_).point(f"student{i}")) for i in range(30)}
        assert len(points) > 25
        for i in range(count):
            finding = Lint(set_).at(OwnPoints(set_).point(f"student{i}"))
            assert finding is not None
            assert not finding.unseen

    def test_the_same_in_another_process(self) -> None:
        code = (
            "from gradcli.grading.exercise.own_points import OwnPoints\n"
            "from gradcli.grading.model.task import make_task\n"
            "from gradcli.program import Program\n"
            "print(OwnPoints(make_task(Program('x*y'), {'x': 1.0, 'y': 2.0})).point('zoë'))\n"
        )
        out = subprocess.run(
            [sys.executable, "-X", "utf8", "-c", code],
            capture_output=True,
            encoding="utf-8",
            env={"PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)},
            check=True,
        ).stdout
        set_ = task("x*y", x=1.0, y=2.0)
        assert out.strip() == str(OwnPoints(set_).point("zoë"))
        assert OwnPoints(set_).point(" zoe\u0308 ") == OwnPoints(set_).point("zoë")

    def test_known_values(self) -> None:
        """Sheets that were handed out are marked by a later version."""
        point = OwnPoints(task("x*y", x=1.0, y=2.0)).point("s1234")
        assert point == KNOWN

    def test_only_the_computation_counts(self) -> None:
        """The title and the marks may be changed after the sheets are out."""
        one = make_task(Program("#: x = 1\n#: y = 2\nx*y"))
        other = make_task(Program("#: title New\n#: marks x = 3\n#: x = 1\n#: y = 2\nx  * y # a"))
        assert OwnPoints(one).point("anna") == OwnPoints(other).point("anna")
        quotient = make_task(Program("#: x = 1\n#: y = 2\nx/y"))
        assert OwnPoints(one).point("anna") != OwnPoints(quotient).point("anna")

    def test_own_task(self) -> None:
        set_ = make_task(Program("#: marks x = 2\nx*y*t"), {"x": 1.0, "y": 2.0, "t": 1.0}, wrt="xy")
        own = own_task(set_, "anna")
        assert own.asked == ("x", "y")
        assert own.result.inputs["t"] == 1.0
        assert own.result.inputs["x"] == OwnPoints(set_).point("anna")["x"]
        assert own.marks("x") == 2


class TestCommand:
    def test_text(self) -> None:
        code, out, err = gradcli("lint", "x*y + z^2", "--x", "1", "--y", "2", "--z", "0")
        assert (code, err) == (0, "")
        head = (
            r"At \(1, 2, 0\), (\d+) of (\d+) common mistakes would go unnoticed\.\nAt \(.+\): 0\.\n"
        )
        found = re.match(head, out)
        assert found
        assert 10 < int(found[1]) < int(found[2]) / 2
        assert "delta_z  sign" in out
        assert "--x " in out

    @pytest.mark.parametrize("text", PROGRAMS)
    def test_json(self, text: str) -> None:
        words = [f"--{name}={np.asarray(v).tolist()}" for name, v in PROGRAMS[text].items()]
        code, out, _ = gradcli("lint", text, *words, "--json")
        found = json.loads(out)
        schema("lint").validate(found)
        assert code == 0
        assert found["unseen"] == sum(not slip["visible"] for slip in found["slips"])
        assert gradcli("lint", text, *words, "--json")[1] == out
        assert gradcli("lint", text, *words, "--json", "--pretty")[1] != out

    def test_proposed_points_can_be_typed(self) -> None:
        out = gradcli("lint", "x*y + z^2", "--x", "1", "--y", "2", "--z", "0")[1]
        line = next(line for line in out.splitlines() if line.startswith("  --x"))
        words = line.partition("(")[0].split()
        assert re.search(r"\), 0 of \d+ common", gradcli("lint", "x*y + z^2", *words)[1])

    def test_an_input_that_is_called_like_an_option(self) -> None:
        out = gradcli("lint", "data*y", "--set", "data=1", "--y", "1")[1]
        line = next(line for line in out.splitlines() if line.startswith("  --set data="))
        assert gradcli("lint", "data*y", *line.partition("(")[0].split())[0] == 0

    def test_narrow_and_ascii(self) -> None:
        words = ("lint", "theta*y + λ^2", "--theta", "1", "--y", "2", "--λ", "0")
        out = gradcli(*words, columns=60)[1]
        assert max(map(len, out.splitlines())) <= 60
        assert gradcli(*words, encoding="ascii")[1].isascii()

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            ((), "the task is missing"),
            (("x*y", "--x", "1"), "'y' has no value"),
            (("log(x)", "--x", "-1"), "log(x) is not defined"),
            (("x", "--x", "1", "--format", "csv"), "--format takes table or json, not 'csv'"),
            (("sum(x)*x", "--x", "[1, 2]"), "the output"),
        ],
    )
    def test_errors(self, words: tuple[str, ...], message: str) -> None:
        code, out, err = gradcli("lint", *words)
        assert code in (1, 2)
        assert out == ""
        assert message in err
