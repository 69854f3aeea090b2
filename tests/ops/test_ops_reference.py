"""Every row against mpmath at 900 digits: its samples, and arguments that lose digits.

The numbers are in data/ops_reference.json, which data/make_ops_reference.py writes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ops_samples import CASES, applied, weights

from gradcli import Program, ops

DATA = Path(__file__).parents[1] / "data" / "ops_reference.json"
ENTRIES: list[dict[str, Any]] = json.loads(DATA.read_text(encoding="utf-8"))
TOLERANCE = 1e-12


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: f"{e['row']}-{e['sample']}")
def test_agrees_with_reference(entry: dict[str, Any]) -> None:
    application = applied(ops.operation(entry["row"]), entry["sample"])
    elementwise = application.row.elementwise
    _compare(application.out, entry["value"], elementwise)
    delta = weights(application.site.out.shape)
    hidden = application.site._replace(literals=(None,) * len(application.operands))
    for site in (application.site, hidden):
        found = application.gradient(delta, site)
        for got, expected in zip(found, entry["gradient"], strict=True):
            _compare(got, expected, elementwise)


def _compare(got: Any, expected: Any, elementwise: bool) -> None:  # noqa: FBT001
    """Every element to 1e-12 of itself; where a sum may cancel, to 1e-14 of the largest."""
    wanted = np.array(expected, dtype=float)
    largest = np.abs(wanted[np.isfinite(wanted)]).max(initial=0.0)
    tiny = 0.0 if elementwise else 1e-14 * (largest or 1.0)
    np.testing.assert_allclose(got, wanted, rtol=TOLERANCE, atol=max(tiny, 5e-324))


def test_every_sample_has_a_reference() -> None:
    there = {(entry["row"], entry["sample"]) for entry in ENTRIES}
    missing = [(row.name, sample) for row, sample in CASES if (row.name, sample) not in there]
    assert not missing


POLYGAMMA_LEFT_OF_ZERO = (  # by mpmath, at 40 digits
    (1, -0.25, 18.541879647671607),
    (1, -1.5, 9.379246644989124),
    (2, -1.5, -0.2362040516417274),
    (2, -3.75, -124.07972713378925),
    (3, -2.5, 194.74787621918762),
    (4, -0.5, -3.4742498266672253),
    (10, -1.5, -156.229596593233),
    (5, -20.0625, 2013266184.3986692),
    (1, -12345678901.5, 9.869604401008358),  # π² - 1/(1 - x)
)


@pytest.mark.parametrize(("n", "x", "value"), POLYGAMMA_LEFT_OF_ZERO)
def test_polygamma_left_of_zero(n: int, x: float, value: float) -> None:
    """Where SciPy loses digits, and takes as long as x is far from 0."""
    found = Program(f"polygamma(x, {n})").evaluate(x=x, check=False).value
    assert found == pytest.approx(value, rel=1e-14)
