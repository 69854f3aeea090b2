"""The time limit: marks never depend on it, and a grader's file is always written."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_homework_mistakes import FOLDER, INDEX, task

import gradcli
from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.cli.homework_options import TaskOptions
from gradcli.diagnostics.error import GradcliError
from gradcli.grading.code import judged
from gradcli.grading.code.graded import graded
from gradcli.grading.listing import worked
from gradcli.grading.listing.reader import read_code
from gradcli.grading.marking.expected import Scheme
from gradcli.grading.marking.mark import mark
from gradcli.grading.mistakes.diagnose import UNNAMED
from gradcli.grading.model import stage
from gradcli.grading.model.deadline import Deadline
from gradcli.grading.model.moves import Moves
from gradcli.grading.model.task import Task, make_task
from gradcli.grading.model.tolerance import own_values
from gradcli.grading.submission.read import read_submission, read_text
from gradcli.python import limits
from gradcli.python.limits import ExhaustedError

TEXT = "(x + sigmoid(y)) / (x^2 + y)"
RIGHT = """\
a = 1.0 / (1 + np.exp(-y))
b = x + a
c = x**2
d = c + y
f = b / d
delta_b = 1 / d
delta_d = -b / d**2
delta_c = delta_d
delta_x = delta_c * 2 * x
delta_x += delta_b
delta_a = delta_b
delta_y = delta_d
delta_y += delta_a * a * (1 - a)
"""


def deadline(ticks: int) -> Deadline:
    """One whose time for naming is up after so many looks at the clock."""
    clock = count()
    return Deadline(10.0, naming=ticks, marking=1e9, clock=lambda: float(next(clock)))


# --- naming ------------------------------------------------------------------------------


def test_marks_do_not_depend_on_the_time_for_naming() -> None:
    """All fixtures, with the time up at different moments."""
    unnamed = 0
    tasks = {name: task(name) for name in {entry["task"] for entry in INDEX.values()}}
    for i, (name, entry) in enumerate(INDEX.items()):
        of = tasks[entry["task"]]
        submission = read_submission(FOLDER / name, name, of.vocabulary)
        scheme = Scheme(eta=entry.get("eta"))
        whole = mark(of, submission, scheme)
        for ticks in (0, 1 + i % 12):
            cut = mark(of, submission, scheme, deadline(ticks))
            assert cut.notes == whole.notes
            assert len(cut.rows) == len(whole.rows)
            for row, right in zip(cut.rows, whole.rows, strict=True):
                assert (row.name, row.status, row.earned, row.max) == (
                    right.name, right.status, right.earned, right.max,
                )  # fmt: skip
                assert row.tags == right.tags or (row.tags, row.message) == ((), UNNAMED)
                unnamed += row.message == UNNAMED
    assert unnamed > len(INDEX)


def test_marking_ends_with_an_error() -> None:
    clock = iter([0.0, *[9.0] * 1000])
    of = make_task(gradcli.Program(TEXT), {"x": 3, "y": -4})
    submission = read_text(RIGHT, "a.py", of.vocabulary, ".py")
    with pytest.raises(GradcliError, match="within 10 seconds"):
        mark(of, submission, Scheme(), Deadline.of(10, lambda: next(clock)))


def test_values_are_marked_whatever_the_time() -> None:
    wrong = {"dx": 3, "dy": -3}
    marked = gradcli.grade_values("x*y + x", wrong, x=3, y=2, time_limit=0.0)
    assert (marked.score, marked.roots[0].message) == (1, UNNAMED)
    assert gradcli.grade_values("x*y + x", wrong, x=3, y=2).roots[0].tags == ("sign",)


def _many_terms(n: int) -> str:
    return f"f = {' + '.join(['x*y'] * n)}\ndx = {n}*x\ndy = {n}*x\n"


def _many_lines(n: int) -> str:
    terms = range(n)
    return "".join(
        (
            *(f"a{i} = x*y\n" for i in terms),
            f"f = {' + '.join(f'a{i}' for i in terms)}\n",
            *(f"delta_a{i} = 1\n" for i in terms),
            "delta_x = 0\n",
            *(f"delta_x += delta_a{i}*y\n" for i in terms),
            f"dy = {n}*x\n",
        )
    )


@pytest.mark.parametrize("write", [_many_terms, _many_lines])
def test_work_grows_with_the_size_of_a_submission(
    write: Callable[[int], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Local derivatives that are computed, for twice the size: about twice as many."""
    computed = 0
    whole = stage._sent

    def counted(*arguments: Any) -> Any:
        nonlocal computed
        computed += 1
        return whole(*arguments)

    monkeypatch.setattr(stage, "_sent", counted)
    numbers = []
    for n in (20, 40):
        of = make_task(gradcli.Program(f"{n}*x*y"), {"x": 3, "y": 2})
        computed = 0
        mark(of, read_text(write(n), "a.py", of.vocabulary, ".py"))
        numbers.append(computed)
    assert numbers[0] > 20
    assert numbers[1] < 2.5 * numbers[0]


PROGRAMS: list[tuple[str, dict[str, Any]]] = [
    (TEXT, {"x": 3, "y": -4}),
    ("a = x*y + x\nb = a*x + tanh(a)\nc = b*a + y\nc*b/x", {"x": 1.2, "y": 0.7}),
    ("z = W@x + b\na = tanh(z)\nsum(a*z)", {"W": [[1, 2], [3, 0.4]], "x": [1, 0.5], "b": [1, 2]}),
]


@pytest.mark.parametrize(("text", "point"), PROGRAMS)
def test_a_moved_number_changes_what_is_made_of_it(text: str, point: dict[str, Any]) -> None:
    """The same as computing everything again."""
    of: Task = make_task(gradcli.Program(text), point)
    draw = random.Random(3)  # noqa: S311
    keys, stages = list(of.flow.values), list(of.flow.stages)
    for _ in range(40):
        fixed = {k: of.flow.values[k] * 1.1 for k in draw.sample(stages, draw.randrange(3))}
        flow = of.flow.with_values(fixed)
        chosen = draw.sample(keys, draw.randrange(1, len(keys)))
        given = {k: flow.values[k] * draw.random() for k in chosen}
        moves = Moves(flow, given, *flow.passes(given))
        changed = moves.of_gradient(chosen[0], flow.values[chosen[0]])
        again = flow.passes({**given, chosen[0]: flow.values[chosen[0]]})[0]
        _same(again, moves.follows, changed)
        key = draw.choice(stages)
        there = flow.with_values({**fixed, key: flow.values[key] + 0.1})
        own, changed = moves.of_value(key, there.values[key], fixed)
        _same(there.passes(given)[0], moves.follows, changed)
        _same(own_values(there), own_values(flow), own)


def _same(again: Any, before: Any, changed: Any) -> None:
    for key, value in again.items():
        np.testing.assert_array_equal(value, changed.get(key, before[key]))


# --- a grader's file ---------------------------------------------------------------------

DRAW = random.Random(5)  # noqa: S311
HOSTILE: dict[str, bytes | str] = {
    "brackets.py": "f = " + "(" * 5000 + "x" + ")" * 5000,
    "signs.py": "f = " + "-" * 9000 + "x",
    "power.py": RIGHT + "z = 10**10**10\n",
    "powers.py": "delta_x = (10**10)**(10**10)",
    "digits.py": RIGHT + "z = " + "9" * 50_000,
    "digits.csv": "x," + "9" * 50_000,
    "fraction.csv": "x," + "9" * 9000 + "/" + "9" * 9000,
    "fraction_of_zero.csv": "x,1/0",
    "digits.json": '{"x": ' + "9" * 50_000 + "}",
    "exponent.json": '{"x": 1e999999999999}',
    "lines.py": "z = 1\n" * 1_000_000,
    "lines.csv": "x,1\n" * 100_000,
    "random.py": DRAW.randbytes(10_000),
    "random.csv": bytes(b or 1 for b in DRAW.randbytes(10_000)),
    "random.ipynb": DRAW.randbytes(10_000),
    "nul.py": RIGHT.encode() + b"\0",
    "empty.py": "",
    "blank.csv": " \n\t\n",
    "lists.json": "[" * 100_000,
    "cells.ipynb": '{"cells": 3}',
    "lists.ipynb": '{"cells": ' + "[" * 50_000,
    "quote.csv": 'x,"' + "a" * 50_000,
    "lists.csv": "x," + "[" * 50_000,
    "array.py": "z = np.zeros((1000000, 1000000))\n",
    "products.py": "z = np.ones((1000, 1000))\n" + "z = z @ z\n" * 100,
    "doubled.py": "def f0(x): return x + x\n"
    + "".join(f"def f{i + 1}(x): return f{i}(x) + f{i}(x)\n" for i in range(40))
    + "z = f40(x)\n",
    "terms.py": _many_terms(2000),
    "letters.py": "\u0300" * 9000 + " = 1",
    "surrogate.json": '{"\\ud800": 1, "x": "\\ud800"}',
    "string.py": '"""' + "a" * 50_000,
    "sheet.txt": "Forward pass " + "x = 1," * 5000,
    "sheet_without_end.txt": "Gradient " + "df/dx = " * 5000,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("hostile")
    for name, content in HOSTILE.items():
        (made / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (made / "folder.py").mkdir()
    return made


@pytest.mark.parametrize("grader", ["gradescope", "prairielearn", "coderunner"])
def test_the_file_is_always_written(folder: Path, grader: str) -> None:
    """Whatever was handed in, also where there is no file and for what takes too long."""
    scores = {"gradescope": "score", "prairielearn": "score", "coderunner": "fraction"}
    names = list(HOSTILE) if grader == "gradescope" else DRAW.sample(list(HOSTILE), 6)
    for name in (*names, "folder.py", "missing.py", "-"):
        out = folder / "results.json"
        out.unlink(missing_ok=True)
        path = name if name == "-" else str(folder / name)
        words = ("grade", TEXT, "--x", "3", "--y", "-4", path, "--time-limit", "0.5")
        environment = Environment.captured(stdin=b"\xff" * 100)
        code = run((*words, "--format", grader, "--out", str(out)), environment)
        assert (name, code, environment.written()[1]) == (name, 0, "")
        made = json.loads(out.read_text("utf-8"))
        assert isinstance(made[scores[grader]], int | float)
        assert "gradcli itself" not in json.dumps(made)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no timer of the system")
def test_a_time_limit_that_passes_while_nothing_looks_at_the_clock(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading itself may take too long."""

    def forever(*_: Any, **__: Any) -> Any:
        while True:
            with suppress(Exception):  # what a handler of errors may swallow
                sum(range(1000))

    monkeypatch.setattr("gradcli.grading.submission.read.read_text", forever)
    environment = Environment.captured()
    words = ("grade", TEXT, "--x", "3", "--y", "-4", str(folder / "power.py"), "--json")
    assert run((*words, "--time-limit", "0.2"), environment) == 5
    assert "within 0.2 seconds" in json.loads(environment.written()[1])["error"]["message"]


def tutorial() -> Task:
    """The tutorial's function at its point."""
    return make_task(gradcli.Program(TEXT), {"x": 3.0, "y": -4.0})


ENDLESS = {
    "alone": "while True: pass",
    "another value": "x = 3.0\nwhile True:\n    x = x + 1\nf = x\ndx = 1",
    "steps of the task": "while True:\n    a = 1 / (1 + np.exp(-y))\n    b = x + a",
    "in a function": "def loop(x):\n    while True:\n        x = x * 1.0\ndx = loop(x)",
    "before the gradients": f"while True:\n    i = x * y\n{RIGHT}",
}


@pytest.mark.parametrize("code", ENDLESS.values(), ids=ENDLESS)
def test_code_without_an_end_is_read_once(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """To read it again would use up the budget again, and end in the same way."""
    readings = 0

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal readings
        readings += 1
        return read_code(*arguments, **options)

    for place in (worked, judged):
        monkeypatch.setattr(place, "read_code", counted)
    monkeypatch.setattr(limits, "MOST_OPERATIONS", 5000)
    with pytest.raises(ExhaustedError, match="more than 5,000 operations"):
        graded(tutorial(), code.encode(), "a.py", Scheme(), Deadline.of(1e9))
    assert readings == 1


def test_what_stands_before_a_loop_without_an_end_is_marked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "MOST_OPERATIONS", 20_000)
    code = f"{RIGHT}while True:\n    x = x + delta_x\n".encode()
    marked = graded(tutorial(), code, "a.py", Scheme(), Deadline.of(1e9))
    assert (marked.score, [note.tag for note in marked.notes]) == (2, ["not-read"])


# --- the task ----------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="there is no timer on Windows")
@pytest.mark.parametrize("form", ["table", "json", "gradescope", "prairielearn", "coderunner"])
def test_the_limit_covers_the_tasks_own_evaluation(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A grader's file is written, with the reason; everything else is an error, in time."""

    def slow(*_: Any) -> Task:
        time.sleep(30)
        raise AssertionError

    monkeypatch.setattr(TaskOptions, "read", slow)
    answer, out = tmp_path / "answer.py", tmp_path / "results.json"
    answer.write_text(RIGHT)
    words = ["grade", TEXT, str(answer), "--format", form, "--out", str(out)]
    environment = Environment.captured()
    code = run([*words, "--time-limit", "0.3"], environment)
    message = "the task can't be evaluated within 0.3 seconds"
    if form in ("table", "json"):
        assert code == 5
        assert message in environment.written()[1]
        assert not out.exists()
    else:
        assert code == 0
        found = json.loads(out.read_text())
        assert message in json.dumps(found).replace("&#x27;", "'")
        assert found.get("score", found.get("fraction")) == 0
