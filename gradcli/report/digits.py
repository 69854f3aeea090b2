"""The shortest decimals of many doubles at once: what `repr` says of each, several times faster.

Where orjson is installed (extra `json`), it writes them: another ten times faster, and with the
same text. It spells some small and all large numbers in its own way, and has none for infinities
and nan; these are written by `repr`, and where they are many, all is written as without it.

`repr` takes most of a microsecond for a number of 17 digits. Here whole arrays are worked on:
x·10ᵏ, an integer of 17 digits and what is left of it, comes from products in double-double
arithmetic (T. J. Dekker, A floating-point technique for extending the available precision, 1971).
From that left-over it follows whether 15 or 16 digits give x back. What is too close to call or out
of reach is left to `repr`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]

LEAST, MOST = -99, 15
"""Decimal exponents that are worked on here. Up to -5, `repr` writes them out."""

CHUNK = 16_384
WIDTH = 26
"""The longest number has 24 characters; then comes a comma, or what stands for brackets."""

_POWERS = [10**k for k in range(16 - MOST, 17 - LEAST)]
_HIGH = np.array([float(p) for p in _POWERS])
_LOW = np.array([float(p - int(float(p))) for p in _POWERS])
_SPLIT = 2.0**27 + 1.0
_CLOSE = 1e-6
"""Far more than the error of what is left, in units of the 17th digit."""

_FOUR = np.array([list(b"%04d" % i) for i in range(10_000)], dtype=np.uint8).view(np.uint32).ravel()
"""Four digits as the four bytes of a number."""

_ZERO, _POINT, _MINUS, _COMMA = b"0.-,"


def decimals(array: Array) -> Iterator[str]:
    """The numbers of an array of one dimension or more as JSON's lists, piece by piece.

    No blank follows a comma: to put it there takes half of the time that orjson does.
    """
    array = np.ascontiguousarray(array, dtype=np.float64)
    try:
        from orjson import OPT_SERIALIZE_NUMPY, dumps  # noqa: PLC0415 - an extra
    except ImportError:
        yield _by_products(array)
        return
    step = max(1, CHUNK * len(array) // array.size)  # parts that stay in the cache
    for start in range(0, len(array), step):
        part = array[start : start + step]
        yield "," if start else "["
        odd, lacks_zero = _odd(part)
        words: list[str] = []
        if odd.any():
            if np.count_nonzero(odd) > FEW * part.size:
                yield _by_products(part)[1:-1]
                continue
            words = [_word(x) for x in part[odd].tolist()]
            # What is put in for them is `null`, which no other number is.
            part = np.where(odd, np.nan, part)
        text = dumps(part, option=OPT_SERIALIZE_NUMPY)
        if lacks_zero:
            text = text.replace(b"e-", b"e-0")
        view, at = memoryview(text), 1
        for word in words:
            end = text.find(b"n", at)
            yield str(view[at:end], "ascii") + word
            at = end + len("null")
        yield str(view[at:-1], "ascii")
    yield "]"


FEW = 1 / 8
"""The part of the numbers that may be written one by one by `repr`."""


def _odd(array: Array) -> tuple[Array, bool]:
    """Which numbers orjson spells in its own way: 0.00001, 1e16, null, and 1e-9 or 1e-10.

    Where exponents of one digit are many, they are right once a zero is put before the digit.
    """
    size = np.abs(array)
    odd = ~((size >= 1e-4) & (size < 1e16))
    found = size[odd]
    small = (found > 0) & (found < 1e-5)
    one_digit = small & (found >= 1e-9)
    lacks_zero = bool(np.count_nonzero(one_digit) > FEW * array.size)
    odd[odd] = (found != 0) & ~(small & (one_digit == lacks_zero))
    return odd, lacks_zero


def _by_products(array: Array) -> str:
    flat = np.ravel(array)
    breaks = np.zeros(flat.size, dtype=np.uint8)
    size = 1
    for length in reversed(array.shape[1:]):
        size *= length
        breaks[size - 1 :: size] += 1
    starts = range(0, flat.size, CHUNK)
    parts = [_chunk(flat[i : i + CHUNK], breaks[i : i + CHUNK]) for i in starts]
    text = b"".join(parts).decode("ascii")
    for depth in range(1, array.ndim):
        text = text.replace(chr(depth), "]" * depth + "," + "[" * depth)
    # After the last number stands what would lead to the next.
    return "[" * array.ndim + text[: 1 - 2 * array.ndim] + "]" * array.ndim


def _chunk(x: Array, breaks: Array) -> bytes:
    """Some numbers as text, each with what separates it from the next.

    That is a comma, or a byte that says how many brackets close here and open again.
    """
    size = np.abs(x)
    with np.errstate(all="ignore"):
        exponent = np.floor(np.log10(size))
    easy = (exponent >= LEAST) & (exponent <= MOST)
    exponent = np.where(easy, exponent, 0).astype(np.int64)
    digits, count, sure = _shortest(np.where(easy, size, 1.5), exponent)
    rows = np.zeros((len(x), WIDTH), dtype=np.uint8)
    easy &= sure
    rows[easy & (x < 0), 0] = _MINUS
    for e in sorted(set(exponent[easy].tolist())):
        (group,) = np.nonzero(easy & (exponent == e))
        _write(rows, group, digits[group], count[group], e)
    zero = x == 0
    rows[zero & np.signbit(x), 0] = _MINUS
    rows[zero, 1:4] = _ZERO, _POINT, _ZERO
    for i in np.nonzero(~(easy | zero))[0].tolist():
        word = _word(float(x[i])).encode()
        rows[i, : len(word)] = np.frombuffer(word, dtype=np.uint8)
    rows[:, -1] = np.where(breaks == 0, _COMMA, breaks)
    text: Array = rows[rows != 0]
    return text.tobytes()


def _shortest(x: Array, exponent: Array) -> tuple[Array, Array, Array]:
    """17 digits of each number as characters, how many it needs, and whether that is sure."""
    k = MOST - exponent
    high, low = _HIGH[k], _LOW[k]
    product = x * high
    a, b = _halves(x), _halves(high)
    error = ((a[0] * b[0] - product) + a[0] * b[1] + a[1] * b[0]) + a[1] * b[1]
    error += x * low
    whole = np.rint(error)
    left = error - whole
    number = product.astype(np.int64) + whole.astype(np.int64)
    half = np.spacing(x) * high / 2
    sure = (number >= 10**16) & (number < 10**17) & (np.abs(np.abs(left) - 0.5) > _CLOSE)
    count = np.full(len(x), 17)
    best = number
    for dropped, unit in ((1, 10), (2, 100)):
        shorter = (number + unit // 2) // unit
        off = (number - shorter * unit) + left
        below = off < -unit / 2
        shorter -= below
        off = np.abs(off + unit * below)
        fits = off < half
        sure &= (np.abs(off - half) > _CLOSE * half) & (np.abs(off - unit / 2) > _CLOSE)
        best = np.where(fits, shorter * unit, best)
        count[fits] = 17 - dropped
    # Below a power of 2 the doubles are twice as close: that is sure only where 15 digits will do.
    sure &= (best < 10**17) & ((np.frexp(x)[0] != 0.5) | (fits & (off < half / 4)))
    text = _characters(best)
    # Only what is right with 15 digits may end in zeros.
    ends = (text[:, ::-1] != _ZERO).argmax(axis=1)
    return text, np.minimum(count, 17 - ends), sure


def _halves(x: Array) -> tuple[Array, Array]:
    """A number as the sum of two whose products are exact."""
    c = _SPLIT * x
    high = c - (c - x)
    return high, x - high


def _characters(number: Array) -> Array:
    """17 digits of each number, as bytes."""
    text = np.empty((len(number), 5), dtype=np.uint32)
    for column in range(4, -1, -1):
        rest = number // 10_000  # by a constant, which is quicker than divmod
        text[:, column] = np.take(_FOUR, number - 10_000 * rest)
        number = rest
    return text.view(np.uint8)[:, 3:]


def _write(rows: Array, group: Array, digits: Array, count: Array, e: int) -> None:
    """Write numbers of one decimal exponent into their rows, behind the place of the sign."""
    digits = np.where(np.arange(17) < np.maximum(count, e + 2)[:, None], digits, 0)
    if e < -4:
        point = np.where(count > 1, _POINT, 0)
        tail = np.frombuffer(b"e%03d" % e, dtype=np.uint8)
        columns = [digits[:, :1], point[:, None], digits[:, 1:], _repeated(tail, len(group))]
    elif e < 0:
        lead = np.frombuffer(b"0." + b"0" * (-e - 1), dtype=np.uint8)
        columns = [_repeated(lead, len(group)), digits]
    else:
        point = np.full((len(group), 1), _POINT)
        columns = [digits[:, : e + 1], point, digits[:, e + 1 :]]
    block = np.concatenate(columns, axis=1, dtype=np.uint8, casting="unsafe")
    rows[group, 1 : 1 + block.shape[1]] = block


def _repeated(word: Array, times: int) -> Array:
    return np.broadcast_to(word, (times, len(word)))


def _word(x: float) -> str:
    """A number by itself, or the string that JSON has for it."""
    return float.__repr__(x) if math.isfinite(x) else f'"{json.dumps(x)}"'
