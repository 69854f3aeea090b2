"""How a row of the table is written: its short form comes in, an `Operation` goes out.

A formula is the local derivative ∂out/∂parameter; `x` is the operand, `out` the output. It is
what runs, what the reports print and what docs/operations.md shows. Where a function has no
derivative, the formula gives the value that `convention` states. The formulas of an `array_row` are
backward rules: `delta` is the upstream gradient. They may have `PLACES`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.ops.kernels import precise
from gradcli.ops.operation import (
    Array,
    Infer,
    Kernel,
    Operation,
    Parameter,
    Rules,
    Site,
    parse_parameters,
)
from gradcli.ops.options import (
    Keywords,
    along,
    axis_argument,
    expanded,
    reduced_count,
    shape_text,
    shown,
    transposed,
)


def row(
    name: str,
    parameters: str,
    forward: Kernel,
    *rules: str,
    elementwise: bool = True,
    **more: Any,
) -> Operation:
    r"""A row: a name, parameters, a kernel, and a formula for each operand.

    It is called by its own name, unless `call=False`, and by its `aliases`. `traits` names the
    fields that are true: `"exact selects"`. `wrong` has formulas apart by semicolons, those of the
    next operand behind a bar, as `careful` has its form. What goes without saying: `numpy` is that
    of the kernel where it is a function of NumPy, `mpmath` the form for numbers, `latex`
    `\operatorname{name}({x})`.
    """
    found: Keywords = more | dict.fromkeys(more.pop("traits", "").split(), True)
    found.pop("traits", None)
    arguments = parse_parameters(parameters)
    operands = [p for p in arguments if not p.option]
    aliases = tuple(found.pop("aliases", "").split())
    if found.pop("call", True) and name not in aliases:
        aliases = (name, *aliases)
    if "wrong" in found:
        found["wrong"] = tuple(tuple(part.split("; ")) for part in found["wrong"].split(" | "))
    if isinstance(careful := found.get("careful"), str):
        found["careful"] = filled(*(form.strip() for form in careful.split("|")))
    if "symbol" not in found:
        found.setdefault("latex", _called(name, operands))
        if isinstance(forward, np.ufunc) and forward.__name__ in aliases:
            found.setdefault("numpy", f"np.{forward.__name__}")
    if form := found.get("jit"):
        found.setdefault("mpmath", precise.of_numbers(form, several=operands[0].variadic))
    found.setdefault("rules", filled(*rules))
    return Operation(
        name=name,
        parameters=arguments,
        forward=forward,
        elementwise=elementwise,
        aliases=aliases,
        **found,
    )


def array_row(
    name: str, parameters: str, forward: Kernel, infer: Infer, *rules: str, **more: Any
) -> Operation:
    """A row on whole arrays, whose types are found by `infer`."""
    return row(name, parameters, forward, *rules, infer=infer, elementwise=False, **more)


def unary(name: str, forward: Kernel, rule: str, doc: str, **more: Any) -> Operation:
    """A function of one number x: a name, a kernel, the local derivative, and what it is."""
    return row(name, "x", forward, rule, doc=doc, **more)


LATEX_HAS = frozenset({"sin", "cos", "tan", "sinh", "cosh", "tanh"})
"""Functions that are commands of LaTeX."""


def _called(name: str, operands: list[Parameter]) -> str:
    if name in LATEX_HAS:
        return rf"\{name} {{x}}"
    word, inside = name.replace("_", r"\_"), ", ".join(f"{{{p.name}}}" for p in operands)
    return rf"\operatorname{{{word}}}({inside})"


def grouped(group: str, rows: tuple[Operation, ...]) -> tuple[Operation, ...]:
    """The same rows, said to belong to a group of the documentation.

    They are new and known only here, so they get it as they get all else: a copy of every row
    would take a tenth of the time that the table takes to import.
    """
    for each in rows:
        object.__setattr__(each, "group", group)
    return rows


LINEAR: Keywords = {"composite": True, "group": "linear algebra"}
HELPER: Keywords = {"group": "used in derivatives"}
"""What many rows have in common."""


# --- rules -------------------------------------------------------------------------------


def mean_count(site: Site) -> str:
    """The number that a mean or a variance divides by."""
    return shown(reduced_count(site.types[0], site.options) - site.options.get("ddof", 0))


PLACES: dict[str, Callable[[Site], str]] = {
    "delta": lambda site: expanded(site, "delta"),
    "out": lambda site: expanded(site, "out"),
    "axis": lambda site: shown(site.options["axis"]),
    "q": lambda site: shown(site.options["q"]),
    "given_axis": lambda site: axis_argument(site.options),
    "given_axis_or_all": lambda site: (
        axis_argument(site.options) or (", axis=None" if len(site.types[0].shape) > 1 else "")
    ),
    "along": along,
    "shape": lambda site: shape_text(site.types[0].shape),
    "At": lambda site: transposed(site.types[0], "A"),
    "out_t": lambda site: "out.T" if len(site.out.shape) == 2 else "matrix_transpose(out)",
    "sides": lambda site: ", ".join(map(str, dict.fromkeys(site.types[0].shape))),
    "k": lambda site: f", {site.options['k']}" if site.options["k"] else "",
    "keep": lambda site: along(site) if len(site.types[0].shape) > 1 else "",
    "n": lambda site: str(site.out.shape[0]),
    "count": mean_count,
    "over": lambda site: "" if mean_count(site) == "1" else f"/{mean_count(site)}",
    "scaled_out": lambda site: (
        expanded(site, "out")
        if mean_count(site) == "1"
        else f"({mean_count(site)}*{expanded(site, 'out')})"
    ),
}
"""What depends on the site in the text of a rule."""

PLACE = re.compile(r"\{(\w+)\}")


def filled(*texts: str) -> Rules:
    """Rules with their `PLACES` filled in for a site; as they are where they have none."""
    if not any(map(PLACE.search, texts)):
        return texts
    return lambda site: tuple(
        PLACE.sub(lambda place: PLACES[place[1]](site), text) for text in texts
    )


def of_array(text: str) -> Rules:
    """The rule of a reduction, which leaves a number as it is."""
    rules = filled(text)
    assert callable(rules)
    return lambda site: rules(site) if site.types[0].shape else ("delta",)


# --- branches and ties, for the functions that are smooth in pieces ----------------------


def piece(*borders: float) -> Keywords:
    """Branch and tie of a function that changes its form at fixed points."""

    def branch(x: Array, *_: Array) -> Any:
        return sum(np.sign(x - b) * 3**i for i, b in enumerate(borders))

    def tie(x: Array, *_: Array) -> Any:
        return np.any([x == b for b in borders], axis=0)

    return {"branch": branch, "tie": tie}


AT_ZERO: Keywords = {"branch": np.sign, "tie": lambda x: x == 0}
