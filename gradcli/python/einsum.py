"""`np.einsum` as the operations that it is made of: axes moved, products, a sum."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from gradcli.python.subscripts import Subscripts
from gradcli.python.values import Array, Value, Where, is_traced, unread


def contraction(reader: Subscripts, text: str, arrays: list[Value], where: Where) -> Value:
    """The sum over all letters that the result does not have. Raises `Unread`."""
    text = _spelled_out(text.replace(" ", ""), [len(reader.tape.shape(a)) for a in arrays])
    if not re.fullmatch(r"[A-Za-z]*(,[A-Za-z]*)*(->[A-Za-z]*)?", text):
        raise unread(f"einsum('{text}') is not read")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if not arrow:
        letters = "".join(terms)
        right = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    if len(terms) != len(arrays):
        raise unread(f"einsum('{text}') takes {len(terms)} arrays, not {len(arrays)}")
    lengths: dict[str, int] = {}
    for term, array in zip(terms, arrays, strict=True):
        shape = reader.tape.shape(array)
        if len(shape) != len(term):
            raise unread(f"'{term}' is for {len(term)} axes, not {len(shape)}", kind="shape")
        for letter, length in zip(term, shape, strict=True):
            if lengths.setdefault(letter, length) != length:
                raise unread(f"'{letter}' has two lengths", kind="shape")
    order = [*right, *(c for c in lengths if c not in right)]
    reader.budget.elements(int(np.prod([float(lengths[c]) for c in order] or [1.0])))
    if not any(map(is_traced, arrays)):
        return reader.tape.plain(np.einsum(text, *(reader.tape.value(a) for a in arrays)))
    where = where._replace(operands=())
    total: Value = None
    for term, array in zip(terms, arrays, strict=True):
        part = _lined_up(reader, term, array, order, where)
        total = part if total is None else reader.apply("mul", [total, part], where)
    shape = tuple(lengths[c] for c in order)
    if reader.tape.shape(total) != shape:
        total = reader.apply("full", [total], where, {"shape": shape})
    summed = tuple(range(len(right), len(order)))
    if summed:
        total = reader.apply("sum", [total], where, {"axis": summed, "keepdims": False})
    return total


def _spelled_out(text: str, ranks: list[int]) -> str:
    """The text with letters for `...`, for the axes that stand in front in every array."""
    if "..." not in text:
        return text
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    free = [c for c in "ZYXWVUTSRQPONMLKJIHGFEDCBA" if c not in text]
    counts = [
        rank - len(term.replace("...", "")) if "..." in term else 0
        for term, rank in zip(terms, ranks, strict=False)
    ]
    most = max([0, *counts])
    if most > len(free) or min([0, *counts]) < 0:
        raise unread(f"einsum('{text}') does not fit the arrays", kind="shape")
    letters = "".join(free[:most])
    filled = [
        term.replace("...", letters[most - n :] if n else "")
        for term, n in zip(terms, counts, strict=False)
    ]
    if not arrow:
        joined = "".join(terms).replace(".", "")
        right = "..." + "".join(sorted(c for c in set(joined) if joined.count(c) == 1))
    return f"{','.join(filled)}->{right.replace('...', letters)}"


def _lined_up(reader: Subscripts, term: str, array: Value, order: list[str], where: Where) -> Value:
    """An array with its axes in an order, of length 1 where it has none of that letter."""
    if not isinstance(array, Array):
        return array
    own = [c for c in order if c in term]

    def look(a: Any) -> Any:
        diagonal = np.einsum(a, [*map(order.index, term)], [*map(order.index, own)])
        return diagonal.reshape([diagonal.shape[own.index(c)] if c in own else 1 for c in order])

    natural = [c for c in order if c in own]
    if term == "".join(natural):
        shape = look(np.empty(reader.tape.shape(array))).shape
        return reader.reshaped(array, shape, where)
    return reader.tape.view(array, look, "", {}, where)
