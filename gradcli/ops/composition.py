"""A function that is several operations of the table, written in the language itself.

`mse_loss(x, y)` stands for `mean((x - y)^2)`: where it is called, these operations go into the
graph, with their own rows. So a composition needs no derivative, no kernel and no spelling of its
own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gradcli.ops.operation import Parameter, parse_parameters

REDUCTIONS = {
    "mean": "mean({})",
    "sum": "sum({})",
    "none": "{}",
    "batchmean": "sum({})/x.shape[0]",
}
"""What `reduction=` makes of a loss."""

PIECE = re.compile(r"\{(\w+)([?!])([^{}]*)\}")
"""`{weight?*weight}` stands where `weight` is given, `{weight!…}` where it is not."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Composition:
    """A function by its text: statements of the language, of which the last is the value.

    The text uses the parameters, by name; an option is a constant in it. An operand with the
    default None may be left out. With the option `reduction`, the value is a loss that is reduced.
    """

    name: str
    parameters: tuple[Parameter, ...]
    text: str
    doc: str
    aliases: tuple[str, ...]
    group: str
    samples: tuple[str, ...]
    sequence: bool = False
    derived: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    """Constants of the text besides the options, made of these."""

    @cached_property
    def operands(self) -> tuple[Parameter, ...]:
        """The parameters that are values."""
        return tuple(p for p in self.parameters if not p.option)

    def written(self, options: Mapping[str, Any], given: AbstractSet[str]) -> str:
        """The text for a call with these options and operands.

        Raises `ValueError` for a reduction that there is not.
        """
        changed = {
            p.name for p in self.parameters if p.option and options[p.name] != p.default
        } | given

        def piece(match: re.Match[str]) -> str:
            name, sign, text = match.groups()
            return text if (name in changed) == (sign == "?") else ""

        text = PIECE.sub(piece, self.text)
        if "reduction" not in options:
            return text
        if options["reduction"] not in REDUCTIONS:
            raise ValueError(f"reduction is {', '.join(map(repr, REDUCTIONS))}")
        start, semicolon, last = text.rpartition("; ")
        return start + semicolon + REDUCTIONS[options["reduction"]].format(last)

    @property
    def definition(self) -> str:
        """The text as it is shown: with the defaults."""
        options = {p.name: p.default for p in self.parameters if p.option}
        optional = {p.name for p in self.operands if p.default is None and not p.required}
        return self.written(options, {p.name for p in self.operands} - optional)


def composed(
    name: str, parameters: str, text: str, doc: str, samples: str, **more: Any
) -> Composition:
    """A line of the table: a name, parameters, what it stands for, what it is, calls to try."""
    aliases = tuple(more.pop("aliases", "").split())
    return Composition(
        name=name,
        parameters=parse_parameters(parameters),
        text=text,
        doc=doc,
        samples=tuple(samples.split(" | ")),
        aliases=(name, *aliases),
        **more,
    )
