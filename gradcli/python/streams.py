"""Functions of `itertools`: a name and arguments come in, a stream comes out."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from typing import Any

from gradcli.python.attributes import Attributes
from gradcli.python.builtins import predicate
from gradcli.python.calls import Arguments, Keywords
from gradcli.python.values import Stream, Value, Where, unread


def itertools_call(reader: Attributes, name: str, a: Arguments, k: Keywords, node: Any) -> Value:
    """A function of `itertools`. Raises `Unread`."""
    where = reader.where(node)
    simple = {
        "chain": itertools.chain,
        "cycle": itertools.cycle,
        "pairwise": itertools.pairwise,
        "zip_longest": itertools.zip_longest,
    }
    if name in simple:
        function: Any = simple[name]
        return Stream(function(*(reader.iterated(v, where) for v in a), **k))
    if name in ("product", "permutations", "combinations", "combinations_with_replacement"):
        lists = [reader.listed(v, where) for v in (a if name == "product" else a[:1])]
        counts = [reader.whole(v) for v in (() if name == "product" else a[1:])]
        named = {key: reader.whole(v) for key, v in k.items()}
        reader.budget.spend(max([*counts, *named.values(), 0]) * (1 + sum(map(len, lists))))
        return Stream(getattr(itertools, name)(*lists, *counts, **named))
    if name in ("takewhile", "dropwhile", "filterfalse"):
        kept = predicate(reader, a[0], node)
        return Stream(getattr(itertools, name)(kept, reader.iterated(a[1], where)))
    if name == "chain.from_iterable":
        lists_of = reader.iterated(a[0], where)
        return Stream(item for one in lists_of for item in reader.iterated(one, where))
    if name == "starmap":
        groups = reader.iterated(a[1], where)
        return Stream(reader.call(a[0], reader.listed(v, where), {}, node) for v in groups)
    if name == "islice":
        bounds = [None if v is None else reader.whole(v) for v in a[1:]]
        return Stream(itertools.islice(reader.iterated(a[0], where), *bounds))
    if name == "count":
        return Stream(itertools.count(*(reader.by_value(v, "count()") for v in a), **k))
    if name == "repeat":
        times = [reader.whole(v) for v in a[1:]]
        return Stream(itertools.repeat(a[0], *times))
    if name == "accumulate":
        return Stream(_accumulated(reader, a, k, where, node))
    raise unread(f"itertools.{name} is not read", kind="name")


def _accumulated(
    reader: Attributes, a: Arguments, k: Keywords, where: Where, node: Any
) -> Iterator[Value]:
    function = k.get("func", a[1] if len(a) > 1 else None)
    total = k.get("initial")
    if total is not None:
        yield total
    for item in reader.iterated(a[0], where):
        if total is None:
            total = item
        elif function is None:
            total = reader.binary(ast.Add, total, item, where._replace(operands=()), node)
        else:
            total = reader.call(function, [total, item], {}, node)
        yield total
