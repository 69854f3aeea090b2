"""Stores into arrays: an array, places and a value come in, and the array is changed.

On the tape it is one more operation, `put`, on the array that others look at.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.ops.table.indexing import Places
from gradcli.python.tape import BYTES_OF_A_PLACE, Tape
from gradcli.python.values import Array, Value, Where, is_traced, unread


def _places(tape: Tape, of: Array, items: Any) -> Any:
    """The places in the root of `of[items]`, as an array of whole numbers."""
    root = of.root
    shape = tape.shape(root)
    found: Any = np.arange(math.prod(shape)).reshape(shape)
    for look in of.looks:
        found = look(found)
    return np.asarray(found[items])


def store(
    tape: Tape, of: Array, items: Any, value: Value, where: Where, *, add: bool = False
) -> None:
    """`of[items] = value`; with `add`, `np.add.at(of, items, value)`. Raises `Unread`."""
    places, root = _places(tape, of, items), of.root
    tape.budget.elements(places.size)
    plain = tape.value(value)
    if np.broadcast_shapes(np.shape(plain), places.shape) != places.shape:
        shapes = f"{np.shape(plain)} into {places.shape}"
        raise unread(f"shapes do not fit in a store of {shapes}", kind="shape")
    of.constant = root.constant = None
    if root.node is None and (not is_traced(value) or root.kind in "ib"):
        if add:
            np.add.at(root.data.reshape(-1), places, plain)
        else:
            root.data.flat[places] = np.broadcast_to(plain, places.shape)
        return
    if root.node is None:
        root.node, root.data = tape.as_node(root), None
    root.node = _stored(tape, root.node, places, value, where, add=add)


def _stored(tape: Tape, old: int, places: Any, value: Value, where: Where, *, add: bool) -> int:
    given = tape.operand(value)
    shape = tape.types[given].shape if isinstance(given, int) else given.type.shape
    size = math.prod(shape)
    whole = places.size == tape.types[old].size and bool(
        np.array_equal(places.ravel(), np.arange(places.size))
    )
    if whole and not add and shape == tape.types[old].shape and isinstance(given, int):
        return given
    if size not in (places.size, 1):
        given = tape.apply("full", (given,), where, {"shape": places.shape})
    flat = places.ravel()
    tape.budget.keep(BYTES_OF_A_PLACE * flat.size)
    if not add and np.unique(flat).size < flat.size:
        last = {place: i for i, place in enumerate(flat.tolist())}
        if size != 1:
            at = Places(tuple(last.values()))
            given = tape.apply("pick", (given,), where, {"at": at, "shape": None})
        flat = np.array(list(last), dtype=np.intp)
    at = Places(tuple(flat.tolist()))
    return tape.apply("put_add" if add else "put", (old, given), where, {"at": at})
