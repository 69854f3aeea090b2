"""What the names of a module stand for: definitions, constants, inputs, and their spellings.

`resolve` makes a `Names` of a module's tree. Lowering, the binding of inputs and suggestions
read it.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from math import e, pi, tau

from gradcli.diagnostics.error import GradcliError, Kind, Label
from gradcli.diagnostics.source import Source, Span
from gradcli.syntax.tree import Assign, Block, Define, Module, Name, Statement

CONSTANTS = {"pi": pi, "π": pi, "tau": tau, "τ": tau, "e": e}
"""Names with a value of their own, unless the program gives them another."""

TWINS = {"pi": "π", "π": "pi", "tau": "τ", "τ": "tau"}
"""The other spelling of a name that has two."""

Definition = Assign | Define | Block


def defined_name(statement: Statement) -> Name | None:
    """The name that a statement defines."""
    return statement.name if isinstance(statement, Definition) else None


def defined_here(definition: Definition) -> Label:
    """The place of a definition, for an error elsewhere."""
    return Label(definition.name.span, "defined here")


def spelled_in(name: str, known: Container[str]) -> str:
    """A name in the spelling that is among the known ones; itself if none is."""
    twin = TWINS.get(name)
    return twin if twin is not None and name not in known and twin in known else name


@dataclass(slots=True, eq=False, repr=False)
class Names:
    """What the names of a module stand for.

    `free` lists the names that are used and not defined, in order of first appearance
    (constants among them). `needs` maps a definition to the names that its statement reads;
    the output's own statement is under None if it is a bare expression. `words` is every
    name that the text uses in any way, and `sizes` how many operations each statement unfolds
    to, the bodies of the functions that it calls included. `in_blocks` are the constants that
    a block uses, with their place: they are constants whatever a name is given.
    """

    module: Module
    definitions: dict[str, Definition] = field(default_factory=dict)
    free: dict[str, Name] = field(default_factory=dict)
    needs: dict[str | None, tuple[str, ...]] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)
    sizes: dict[str | None, int] = field(default_factory=dict)
    in_blocks: dict[str, Span] = field(default_factory=dict)

    @property
    def last(self) -> str | None:
        """The name that the last statement defines; None if it is a bare expression."""
        name = defined_name(self.module.statements[-1])
        return None if name is None else name.name

    @property
    def source(self) -> Source:
        """The text that the names stand in."""
        return self.module.source

    def inputs(self, bound: Iterable[str]) -> list[str]:
        """The names that must be bound, given the names that are."""
        given = set(bound)
        return [name for name in self.free if name not in CONSTANTS or name in given]

    def own(self, name: str) -> str:
        """A name in the program's own spelling: `π` for `pi`, where that is how it is written."""
        if name not in TWINS:
            return name
        return spelled_in(name, self.free.keys() | self.definitions.keys())

    def known(self) -> frozenset[str]:
        """The names that may get a value, in every spelling."""
        return frozenset(self.free).union(TWINS[name] for name in self.free if name in TWINS)

    def expect_one_spelling(self, bound: Iterable[str]) -> None:
        """Raise where a name that gets a value also stands in its other spelling."""
        for name in bound:
            other = self.free.get(TWINS.get(name, ""))
            if other is not None and name in self.free:
                raise self.two_spellings(other, self.free[name])

    def two_spellings(self, name: Name, valued: Name) -> GradcliError:
        """The error of a name that has a value in one spelling and is read in the other."""
        return self.error(
            f"'{valued.name}' gets a value, and '{name.name}' is the same name",
            name.span,
            f"write it one way: {valued.name}",
            label=Label(valued.span, "written so here"),
        )

    def error(
        self,
        message: str,
        span: Span,
        hint: str | None = None,
        *,
        kind: Kind = Kind.NAME,
        label: Label | None = None,
    ) -> GradcliError:
        """An error in the text of the names."""
        labels = () if label is None else (label,)
        return GradcliError(kind, message, source=self.source, span=span, labels=labels, hint=hint)

    def live(self, output: str | None) -> set[str]:
        """Every name that the output needs, directly or through other definitions."""
        seen: set[str] = set()
        waiting = list(self.needs.get(output, ())) + ([output] if output else [])
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += self.needs.get(name, ())
        return seen
