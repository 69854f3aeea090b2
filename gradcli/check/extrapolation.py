"""Richardson's extrapolation: from slopes at h, h/2, h/4 … to the slope at 0.

A central slope is D + c₁h² + c₂h⁴ + …, a one-sided one D + c₁h + c₂h² + …; combining two
neighbours of the sequence removes one term, combining the results the next. Each column of
this table is one order better and a little noisier, so none is always right: every entry
is a candidate, with an error of its own.
(L. F. Richardson, The deferred approach to the limit, 1927.)
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from gradcli.check.series import Series
from gradcli.ops.operation import Array

COLUMNS = 7
"""More columns gain nothing in doubles: the seventh is already of order h¹⁴."""


Candidates: TypeAlias = tuple[Array, Array, Array]
"""Values, their errors (infinite where there is no value), and each one's largest step."""


def extrapolate(
    h: Array, slopes: Array, noise: Array, order: int, columns: int, *, bits: Any = 1.0
) -> Candidates:
    """All candidates from slopes at steps of ratio 2 (or 2^`bits`), the largest first.

    The steps are the last axis. The error is how much an entry still changes in the next two
    rows, plus what the noise of the values (`noise`, not divided by h) can do at worst.
    """
    value, doubt = slopes, noise / h
    values: list[Array] = [value[..., :0]]
    errors: list[Array] = [value[..., :0]]
    steps: list[Array] = [h[..., :0]]
    for column in range(1, columns + 1):
        if value.shape[-1] < 3:
            break
        change = np.abs(value[..., 1:] - value[..., :-1])
        values.append(value[..., :-2])
        errors.append(np.maximum(change[..., :-1], change[..., 1:]) + doubt[..., :-2])
        steps.append(h[..., : value.shape[-1] - 2])
        factor = np.exp2(bits * order * column)
        value = (factor * value[..., 1:] - value[..., :-1]) / (factor - 1)
        doubt = (factor * doubt[..., 1:] + doubt[..., :-1]) / (factor - 1)
    found, error, step = (np.concatenate(part, axis=-1) for part in (values, errors, steps))
    return found, np.where(np.isfinite(found) & np.isfinite(error), error, np.inf), step


def consistent(found: Candidates, s: Series, run: slice, center: Any, rough: Any) -> Candidates:
    """The candidate of least error that every smaller step of the ladder agrees with.

    One for every coordinate of the series, whose row it is; its error is infinite where there is
    none. `center` and `rough` are the scale that is believed most, and the error there.
    """
    h, D, N = np.atleast_2d(s.h[..., run]), s.D[:, run], s.N[:, run]
    value, error, step = found
    center, rough = np.reshape(center, (-1, 1)), np.reshape(rough, (-1, 1))
    # |D - value| ≤ 3·error + slack for all steps up to `center`, as bounds from below and above.
    slack, ignored = 3 * N + 2 * rough * (h / center) ** 2, h > center
    least = np.where(ignored, np.inf, D + slack).min(axis=-1, keepdims=True)
    most = np.where(ignored, -np.inf, D - slack).max(axis=-1, keepdims=True)
    agree = (value - least <= 3 * error) & (most - value <= 3 * error)
    error = np.where(agree, error, np.inf)
    k = np.argmin(error, axis=-1)[:, None]
    value, error, step = (np.take_along_axis(part, k, -1)[:, 0] for part in (value, error, step))
    return value, error, step
