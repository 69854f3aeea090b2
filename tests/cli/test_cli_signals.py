"""Processes that a signal ends, at any moment: nothing is left, and there is no traceback."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")

PROGRAM = "(x + sigmoid(y)) / (x^2 + y)"
ANSWER = "a = 1/(1+exp(-y))\nb = x+a\nc = x**2\nd = c+y\ne = 1/d\nf = b*e\ndelta_b = f\n"
COMMANDS = {
    "eval": ["eval", PROGRAM, "--x=3", "--y=-4", "--out", "o.txt"],
    "csv": ["batch", PROGRAM, "points.csv", "--out", "o.csv"],
    "parquet": ["batch", PROGRAM, "points.csv", "--out", "o.parquet"],
    "stdin": ["batch", PROGRAM, "-", "--from", "csv", "--out", "o.csv"],
    "class": ["class", PROGRAM, "--x=3", "--y=-4", "answers", "--jobs=2", "--out", "o.csv"],
}
# `main` says that it has the signals: what Python does before that is its own.
START = """
import os, sys
from gradcli.cli import main
from gradcli.files import ending
watch = ending.watch
ending.watch = lambda: (watch(), os.write(1, b"."))
sys.argv = ["gradcli", *sys.argv[1:]]
if __name__ == "__main__":
    main()
"""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    points = np.random.default_rng(0).uniform(1, 2, (40_000, 2))
    np.savetxt(folder / "points.csv", points, delimiter=",", header="x,y", comments="")
    (folder / "answers").mkdir()
    for i in range(4):
        (folder / "answers" / f"s{i}.py").write_text(ANSWER, "utf-8")
    return folder


class Ended(NamedTuple):
    """What a process has left."""

    code: int
    said: str
    files: list[str]
    temporary: list[str]
    output: bytes
    took: float
    """Seconds from its start, or the signal, to the end of it and of all that it has started."""


def run(name: str, inputs: Path, folder: Path, number: int = 0, delay: float = 60.0) -> Ended:
    """Run a command, and send it a signal after so many seconds."""
    for name_ in ("work", "temporary"):
        (folder / name_).mkdir(parents=True)
    words = [str(inputs / w) if (inputs / w).exists() else w for w in COMMANDS[name]]
    with (inputs / "points.csv").open("rb") as points:
        process = subprocess.Popen(
            [sys.executable, "-c", START, *words],
            cwd=folder / "work",
            env={**os.environ, "TMPDIR": str(folder / "temporary")},
            stdin=points,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    assert process.stdout is not None
    assert process.stderr is not None
    with process, process.stdout, process.stderr:
        assert process.stdout.read(1) == b"."
        started = time.monotonic()
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            started = time.monotonic()
            if number == signal.SIGINT:  # a terminal sends it to all
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
        code = process.wait(60)
        while group_lives(process.pid):
            assert time.monotonic() - started < 30, "what it has started lives on"
            time.sleep(0.02)
        took = time.monotonic() - started
        said = process.stderr.read().decode()
    made = [path for path in (folder / "work").iterdir() if path.name.startswith("o.")]
    return Ended(
        code,
        said,
        [path.name for path in (folder / "work").iterdir()],
        [path.name for path in (folder / "temporary").iterdir()],
        made[0].read_bytes() if made else b"",
        took,
    )


def group_lives(number: int) -> bool:
    try:
        os.killpg(number, 0)
    except ProcessLookupError:
        return False
    return True


def moments(duration: float) -> Iterator[tuple[int, float]]:
    draw = random.Random(0)  # noqa: S311 - no secrets
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        yield number, draw.uniform(0.1, 0.9) * duration


QUICK = ("csv",)
"""A file that is written in one process; where processes are started it takes longer."""


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in QUICK else pytest.mark.slow) for n in COMMANDS]
)
def test_nothing_is_left(name: str, inputs: Path, tmp_path: Path) -> None:
    whole = run(name, inputs, tmp_path / "whole")
    assert (whole.code, whole.said, whole.temporary) == (0, "", [])
    assert len(whole.files) == 1
    for i, (number, delay) in enumerate(moments(whole.took)):
        ended = run(name, inputs, tmp_path / str(i), number, delay)
        killed = number == signal.SIGKILL
        assert ended.code in (0, -number if killed else 128 + number), (number, delay)
        assert ended.said == ""
        nameless = sys.platform == "linux"
        if not killed or nameless:
            assert ended.temporary == []
            assert ended.files in ([], whole.files)
        if ended.output:
            assert len(ended.output) == len(whole.output)
