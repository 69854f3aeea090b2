"""What the modules of elementwise rows share: the short form of a row, and pieces.

A formula is the local derivative ∂out/∂parameter; `x` is the operand, `out` the output. It is
what runs, what the reports print and what docs/operations.md shows. Where a function has no
derivative, the formula gives the value that `convention` states.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.ops import samples
from gradcli.ops.operation import Array, Kernel, Operation, Rules, parse_parameters
from gradcli.ops.options import completed


def row(name: str, parameters: str, forward: Kernel, *rules: str, **more: Any) -> Operation:
    """An elementwise row: a name, parameters, a kernel, and a local derivative for each.

    A function called by its own name needs no `aliases`; an operator (`symbol`) has no name
    to call unless `aliases` gives one.
    """
    aliases = tuple(more.pop("aliases", "").split())
    if more.get("symbol") is None and more.pop("call", True):
        aliases = (name, *aliases)
    given: Rules = more.pop("rules", None) or rules
    operands = parse_parameters(parameters)
    usual = samples.ONE if len(operands) == 1 else samples.TWO
    more.setdefault("samples", samples.SAMPLES.get(name, usual))
    if more.get("symbol") is None and isinstance(forward, np.ufunc) and forward.__name__ in aliases:
        more.setdefault("numpy", f"np.{forward.__name__}")
    return Operation(
        name=name,
        parameters=operands,
        forward=forward,
        rules=given,
        aliases=aliases,
        **completed(name, operands, more),
    )


def unary(name: str, forward: Kernel, rule: str, doc: str, **more: Any) -> Operation:
    """A function of one number x: a name, a kernel, the local derivative, and what it is."""
    return row(name, "x", forward, rule, doc=doc, **more)


# --- branches and ties, for the functions that are smooth in pieces ----------------------


def piece(*borders: float) -> dict[str, Any]:
    """Branch and tie of a function that changes its form at fixed points."""

    def branch(x: Array, *_: Array) -> Any:
        return sum(np.sign(x - b) * 3**i for i, b in enumerate(borders))

    def tie(x: Array, *_: Array) -> Any:
        return np.any([x == b for b in borders], axis=0)

    return {"branch": branch, "tie": tie}


AT_ZERO: dict[str, Any] = {"branch": np.sign, "tie": lambda x: x == 0}


def grouped(group: str, rows: tuple[Operation, ...]) -> tuple[Operation, ...]:
    """The same rows, said to belong to a group of the documentation.

    They are new and known only here, so they get it as they get all else: a copy of every row
    would take a tenth of the time that the table takes to import.
    """
    for row in rows:
        object.__setattr__(row, "group", group)
    return rows
