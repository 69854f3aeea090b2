"""Options and arguments as data: declared once, read here, shown by help, offered by completion.

A class attribute of a command's options comes in, as in

    precision: int = option("--precision N", "digits", default=6, min=1)

and a `Parameter` goes out, which reads the word that was typed. `cli.argv` has sorted the words
before, so there is nothing left to parse but single values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import UnionType
from typing import Any, Literal, NamedTuple, TypeAlias, Union, get_args, get_origin

from gradcli.diagnostics.failures import usage_error
from gradcli.diagnostics.suggestion import did_you_mean

GENERAL = "General"

SHORT = {"-h": "--help", "-o": "--out", "-q": "--quiet", "-V": "--version"}
"""Letters that stand for an option where they stand alone: `-x^2` is a program."""

Offer: TypeAlias = Callable[[], Iterable[str]] | Literal["inputs", "nodes"] | None
"""The words that completion offers."""


class Parameter(NamedTuple):
    """An option or argument of a command: what `option` says of it, then its attribute."""

    names: tuple[str, ...]
    """Help shows the first of them; an argument has none."""
    metavar: str
    help: str
    group: str
    default: Any
    min: float | None
    max: float | None
    offer: Offer
    name: str = ""
    """The Python name of its value."""
    type: type = bool
    """`bool` for a flag, else `str`, `int` or `float`."""
    choices: tuple[str, ...] = ()
    several: bool = False
    """Whether it may be given several times; the value is then a list."""

    def declared_as(self, name: str, hint: Any) -> Parameter:
        """The parameter as the attribute of that name, with the type that annotates it."""
        if get_origin(hint) in (Union, UnionType):
            hint = next(part for part in get_args(hint) if part is not type(None))
        several = get_origin(hint) is list
        if several:
            hint = get_args(hint)[0]
        choices = get_args(hint) if get_origin(hint) is Literal else ()
        return self._replace(
            name=name, type=str if choices else hint, choices=choices, several=several
        )

    @property
    def is_option(self) -> bool:
        """Whether it has a name, and isn't told by its place."""
        return bool(self.names)

    @property
    def is_flag(self) -> bool:
        """Whether no value follows."""
        return self.type is bool

    def read(self, text: str) -> Any:
        """The value that was typed. Raises `GradcliError` of kind option."""
        name = self.names[0] if self.is_option else self.metavar
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
        if (
            number is None
            or (self.min is not None and number < self.min)
            or (self.max is not None and number > self.max)
        ):
            what = "a whole number" if self.type is int else "a number"
            raise usage_error(f"{name} takes {what}{self._range()}, not '{text}'")
        return number

    def _range(self) -> str:
        if self.min is not None and self.max is not None:
            return f" from {self.min:g} to {self.max:,.12g}"
        return f" from {self.min:g} on" if self.min is not None else ""

    def record(self) -> tuple[str, str]:
        """How it is written, and what it is for."""
        if not self.is_option:
            return self.metavar, self.help
        usual = "" if self.is_flag or self.default is None else f" [default: {self.default}]"
        short = [letter for letter, name in SHORT.items() if name in self.names]
        names = ", ".join([*short, self.names[0]])
        return f"{names} {self.metavar}".rstrip(), self.help + usual


def option(
    names: str,
    help: str = "",
    *,
    group: str = GENERAL,
    default: Any = None,
    min: float | None = None,
    max: float | None = None,
    offer: Offer = None,
) -> Any:
    """Declare an option, `--precision N`, with all its names, or an argument, `PROGRAM`.

    What is declared stands for the value, whose type is the attribute's annotation.
    """
    words = names.split(" ")
    dashed = tuple(word for word in words if word.startswith("--"))
    metavar = " ".join(words[len(dashed) :])
    default = default if metavar else False
    return Parameter(dashed, metavar, help, group, default, min, max, offer)


def listed(words: Iterable[str], last: str = "or") -> str:
    """`csv, json or latex`."""
    *most, end = words
    return f"{', '.join(most)} {last} {end}" if most else end


VERSION: Parameter = option("--version", "print the version")._replace(name="version")
HELP: Parameter = option("--help", "print this help")._replace(name="help")
