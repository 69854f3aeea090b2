"""The steps h at which a slope is measured: the ladder over all scales, and the halvings.

Which step is right is not known beforehand: it depends on where the function bends and on how
much it is rounded, and either can be anywhere between the spacing of the doubles at x and the
size of x, or further. So the slope is measured at all scales at once (one batch costs little
more than one evaluation), and the scale is chosen by what is found there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.check.jitter import TINY
from gradcli.ops.operation import Array

MANTISSA = 17 / 21
"""Steps are this number times powers of two: 0.110011 110011…₂, not a power of two itself, since
such steps divide the periods of functions such as sin(πx), which then look constant."""

RATIO_BITS = 4.0
"""Neighbouring steps of the ladder differ by at most 2⁴, about as far as one scale can
confirm the next, unless x is 0 or tiny."""

LARGEST = 8.0
"""Coarse steps go up to here (or to |x|): enough to see sigmoid(y) move at any y near 0."""

SMALLEST = 8 * TINY


def exact(x: Any, h: Array) -> Array:
    """The steps rounded so that x + h and x - h are doubles, as far as h does not exceed |x|.

    Multiples of two units in the last place stay exact below x and above, also where x is next to
    a power of two and the spacing changes.
    """
    unit = 2 * np.spacing(np.abs(x))
    return np.where((h <= np.abs(x)) & (x != 0), np.maximum(np.round(h / unit), 1) * unit, h)


def ladder(x: float) -> Array:
    """About 22 steps, the largest first: from max(8, |x|) down to a few units of x.

    At x = 0 there is no smallest scale that matters; the ladder then ends at 8·2⁻¹⁰⁵.
    """
    if x == 0:
        return MANTISSA * LARGEST * np.exp2(-5.0 * np.arange(22))
    size = float(np.floor(np.log2(abs(x)))) + 1
    near = size - _NEAR
    top = max(np.log2(LARGEST), size + 1)
    bits = top - size
    if bits <= _FAR * RATIO_BITS:
        count = int(max(1, np.ceil(bits / RATIO_BITS)))
        far = size + bits * np.arange(count, 0, -1) / count
    else:
        # A tiny x: all scales of ordinary functions, then a few on the long way down to x.
        ordinary = top - 5.0 * np.arange(_FAR)
        far = np.append(ordinary, np.linspace(ordinary[-1], size, 6)[1:-1])
    h = MANTISSA * np.exp2(np.concatenate([far, near]))
    h = exact(x, h[(h > SMALLEST) & np.isfinite(h)])
    return h[:1] if len(h) < 2 else np.append(h[:-1][h[1:] < h[:-1]], h[-1])


_FAR = 10
"""Steps larger than x."""

_NEAR = np.append(RATIO_BITS * np.arange(12), [47.0, 50.0])
"""Bits below |x|: by fours to the middle of the mantissa and on, and the last few by threes."""


def halvings(x: float, center: float, up: int, count: int, low: float, high: float) -> Array:
    """`count` steps of ratio 2 around `center`, of which `up` are larger; within [low, high].

    Empty where rounding to exact steps would make two of them equal.
    """
    h = exact(x, center * np.exp2(np.arange(float(up), up - count, -1.0)))
    h = h[(h <= high * 1.0001) & (h >= low * 0.9999)]
    return h if (h[1:] < h[:-1]).all() else h[:0]
