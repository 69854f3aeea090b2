"""The digits of every elementwise row against mpmath, and the two forms of a rule.

`scripts/bench ulp` tries more points and prints a table of what it finds.
"""

from __future__ import annotations

import numpy as np
import pytest
from ops_samples import CASES, applied, label, weights
from ulp import ROWS, errors, measured

from gradcli import ops
from gradcli.engine.formula import formula
from gradcli.ops.operation import Operation

MOST = 8.0
"""Units of the last place."""
POINTS = 24
SELDOM = 0.4
"""The part of a row's points at which it may lose digits, if it says where it does."""


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_every_row_has_its_digits(row: Operation) -> None:
    stated = {loss.operand: loss for loss in row.losses}
    for worst in measured(row, POINTS):
        if worst.operand in stated:
            lost = sum(error > MOST for error in worst.errors)
            assert lost <= SELDOM * len(worst.errors), str(worst)
        else:
            assert worst.ulps <= MOST, str(worst)


def test_no_loss_is_stated_without_need() -> None:
    for row in ops.TABLE:
        for loss in row.losses:
            found = {worst.operand: worst.ulps for worst in errors(row, [loss.point])}
            assert found[loss.operand] > MOST, f"{row.name}: the loss {loss} is none any more"


# --- two forms of a rule ---------------------------------------------------------------------


TWO_FORMS = [(row, sample) for row, sample in CASES if row.careful]


@pytest.mark.parametrize(("row", "sample"), TWO_FORMS, ids=label)
def test_both_forms_are_one_rule(row: Operation, sample: str) -> None:
    """At the samples the textbook's form is well conditioned."""
    application = applied(row, sample)
    site = application.site
    delta = weights(site.out.shape)
    for i in range(len(site.types)):
        given = [*application.operands, application.out]
        given += [] if row.elementwise else [delta]
        with np.errstate(all="ignore"):
            shown = formula(row, site, i, textbook=True)(given)
            careful = formula(row, site, i)(given)
        largest = np.max(np.abs(careful[np.isfinite(careful)]), initial=0.0)
        np.testing.assert_allclose(careful, shown, rtol=1e-12, atol=1e-13 * largest)
