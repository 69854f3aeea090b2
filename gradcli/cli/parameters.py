"""Options and arguments as data: declared once, read here, shown by help, offered by completion.

An annotation of a command's parameter comes in, as in

    precision: Annotated[int, option("--precision", metavar="N", min=1, help="digits")] = 6

and a `Parameter` goes out, which reads the word that was typed. `cli.argv` has sorted the words
before, so there is nothing left to parse but single values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from gradcli.diagnostics.failures import usage_error
from gradcli.diagnostics.suggestion import did_you_mean

GENERAL = "General"

SHORT = {"-h": "--help", "-o": "--out", "-q": "--quiet", "-V": "--version"}
"""Letters that stand for an option where they stand alone: `-x^2` is a program."""

Offer = Callable[[str], Iterable[str]]
"""What completion offers for the beginning of a word."""


class Declared(NamedTuple):
    """What is said of an option (`names`) or an argument (no names) next to its type."""

    names: tuple[str, ...]
    help: str
    metavar: str
    group: str
    min: float | None
    max: float | None
    show_default: bool
    offer: Offer | Literal["inputs", "nodes"] | None


def option(
    *names: str,
    help: str = "",
    metavar: str = "",
    group: str = GENERAL,
    min: float | None = None,
    max: float | None = None,
    show_default: bool = True,
    offer: Offer | Literal["inputs", "nodes"] | None = None,
) -> Declared:
    """An option; help shows the first of its names, the others are understood as well."""
    return Declared(names, help, metavar, group, min, max, show_default, offer)


def argument(
    *,
    metavar: str,
    help: str = "",
    group: str = GENERAL,
    show_default: bool = False,
    offer: Offer | None = None,
) -> Declared:
    """A positional argument."""
    return Declared((), help, metavar, group, None, None, show_default, offer)


class Parameter(NamedTuple):
    """An option or argument of a command."""

    name: str
    """The Python name of its value."""
    declared: Declared
    type: type
    """`bool` for a flag, else `str`, `int` or `float`."""
    choices: tuple[str, ...]
    several: bool
    """Whether it may be given several times; the value is then a list."""
    default: Any

    @property
    def is_option(self) -> bool:
        """Whether it has a name, and isn't told by its place."""
        return bool(self.declared.names)

    @property
    def is_flag(self) -> bool:
        """Whether no value follows."""
        return self.type is bool

    def read(self, text: str) -> Any:
        """The value that was typed. Raises `GradcliError` of kind option."""
        name = self.declared.names[0] if self.is_option else self.declared.metavar
        if self.choices:
            if text in self.choices:
                return text
            hint = did_you_mean(text, self.choices)
            raise usage_error(f"{name} takes {listed(self.choices)}, not '{text}'", hint)
        if self.type is str:
            return text
        try:
            number = self.type(text)
        except ValueError:
            number = None
        least, most = self.declared.min, self.declared.max
        if (
            number is None
            or (least is not None and number < least)
            or (most is not None and number > most)
        ):
            what = "a whole number" if self.type is int else "a number"
            raise usage_error(f"{name} takes {what}{self._range()}, not '{text}'")
        return number

    def _range(self) -> str:
        least, most = self.declared.min, self.declared.max
        if least is not None and most is not None:
            return f" from {least:g} to {most:,.12g}"
        return f" from {least:g} on" if least is not None else ""

    def record(self) -> tuple[str, str]:
        """How it is written, and what it is for."""
        text = self.declared.help
        if not self.is_option:
            return self.declared.metavar, text
        if self.declared.show_default and not self.is_flag and self.default is not None:
            text += f" [default: {self.default}]"
        short = [letter for letter, name in SHORT.items() if name in self.declared.names]
        names = ", ".join([*short, self.declared.names[0]])
        return (names if self.is_flag else f"{names} {self.declared.metavar}"), text


def parameter(name: str, hint: Any, default: Any) -> Parameter:
    """The parameter of an annotation `Annotated[type, option(…)]`."""
    kind, declared = get_args(hint)
    if get_origin(kind) in (Union, UnionType):
        kind = next(part for part in get_args(kind) if part is not type(None))
    several = get_origin(kind) is list
    if several:
        kind = get_args(kind)[0]
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    return Parameter(name, declared, str if choices else kind, choices, several, default)


def annotated(thing: Any) -> list[tuple[str, Any]]:
    """Names and annotations of a class or function, without what a method returns."""
    hints = get_type_hints(thing, include_extras=True)
    return [(name, hint) for name, hint in hints.items() if name != "return"]


def is_parameter(hint: Any) -> bool:
    """Whether an annotation declares an option or argument."""
    return get_origin(hint) is Annotated


def listed(words: Iterable[str], last: str = "or") -> str:
    """`csv, json or latex`."""
    *most, end = words
    return f"{', '.join(most)} {last} {end}" if most else end


VERSION = Parameter(
    "version", option("--version", help="print the version"), bool, (), False, False
)
HELP = Parameter("help", option("--help", help="print this help"), bool, (), False, False)
