"""Hostile code is refused, in time and memory, with its place in the text."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
CASES = HERE.parent / "data" / "hostile_python.txt"
MOST_MEGABYTES = 500
"""The process itself and SciPy among them."""
OVER = 1.0
"""Seconds that a single operation may take past the limit, on a slow machine."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")


def read(seconds: float, step: int, start: int) -> list[dict[str, Any]]:
    words = [sys.executable, HERE / "hostile_python.py", CASES, seconds, step, start]
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def expect_refusals(found: list[dict[str, Any]], seconds: float) -> None:
    assert found
    for one in found:
        case = one["case"]
        assert one["status"] == 0, f"the process died in\n{case}"
        assert one["kind"] != "value" or case.startswith("# runs"), f"this ran:\n{case}"
        assert one["place"], f"{one['message']!r} has no place in\n{case}"
        assert one["seconds"] < seconds + OVER, f"{one['seconds']} s for\n{case}"
        assert one["megabytes"] < MOST_MEGABYTES, f"{one['megabytes']} MB for\n{case}"


def test_hostile_code_is_refused() -> None:
    expect_refusals(read(0.1, 8, 1), 0.1)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(8))
def test_all_hostile_code_is_refused_within_two_seconds(start: int) -> None:
    expect_refusals(read(2.0, 8, start), 2.0)
