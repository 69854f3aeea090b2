"""Commands: a function of groups of options, called with the words of a command line.

    @declare("check", usage="PROGRAM [options]", examples=('gradcli check "x^2" --x 3',))
    def command(point: PointOptions, report: ReportOptions) -> Outcome:
        ...  # and its docstring is the help

A group is a class whose attributes are options. So a group is written once, and every
command that has it has the same options with the same help.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, NamedTuple, get_type_hints

from gradcli.cli.argv import Binding, Words
from gradcli.cli.environment import Environment
from gradcli.cli.parameters import HELP, VERSION, Parameter
from gradcli.diagnostics.failures import usage_error


class Outcome(NamedTuple):
    """The output of a command: a text in pieces (or bytes), where it goes, the exit code."""

    text: Iterable[str] | bytes
    code: int | Callable[[], int] = 0
    """A function where the code is only known when the text has been made."""
    file: str | None = None
    """Where `--out` sends the text; None is standard output."""
    quiet: bool = False
    """Whether the text is left out where it would go to standard output."""

    def exit_code(self) -> int:
        """The exit code, once the text has been delivered."""
        return int(self.code() if callable(self.code) else self.code)


class Options:
    """A group of options: an attribute each, declared by `cli.parameters.option`.

    Besides, a group knows what its command was called with: the `bindings`, the names of all
    `option_names`, and the `environment`.
    """

    bindings: tuple[Binding, ...]
    option_names: tuple[str, ...]
    environment: Environment

    def __init__(self, **values: Any) -> None:
        vars(self).update(values)

    @classmethod
    def parameters(cls) -> list[Parameter]:
        """The options of the group in order."""
        return [
            declared.declared_as(name, hint)
            for name, hint in get_type_hints(cls).items()
            if isinstance(declared := getattr(cls, name, None), Parameter)
        ]


class Command:
    """A command: its name, what its help says, and the function that it calls."""

    def __init__(
        self, name: str, function: Callable[..., Outcome], *, usage: str, examples: tuple[str, ...]
    ) -> None:
        self.name, self.function = name, function
        self.usage, self.examples = usage, examples
        summary, _, text = (function.__doc__ or "").partition("\n\n")
        self.summary, self.text = " ".join(summary.split()).rstrip("."), text

    @cached_property
    def groups(self) -> dict[str, tuple[type[Options], list[Parameter]]]:
        """The function's parameters by name: groups, each with its options."""
        hints = get_type_hints(self.function)
        del hints["return"]
        return {name: (group, group.parameters()) for name, group in hints.items()}

    @cached_property
    def parameters(self) -> list[Parameter]:
        """Every option and argument in order, those of every command last."""
        own = [each for _, found in self.groups.values() for each in found]
        return [*own, VERSION, HELP]

    @property
    def arguments(self) -> list[Parameter]:
        """Those that are told by their place."""
        return [each for each in self.parameters if not each.is_option]

    @property
    def binds(self) -> bool:
        """Whether names that are no options are inputs of a program."""
        return any(each.name == "settings" for each in self.parameters)

    def by_option(self) -> dict[str, Parameter]:
        """The options by each of their names."""
        return {name: each for each in self.parameters for name in each.names}

    def takes_value(self) -> dict[str, bool]:
        """The command's options, and whether a value follows."""
        return {name: not each.is_flag for name, each in self.by_option().items()}

    def values(self, words: Words) -> dict[str, Any]:
        """The value of every parameter. Raises `GradcliError`."""
        options = self.by_option()
        values = {each.name: each.default for each in self.parameters}
        for word in words.options:
            name, equals, text = word.partition("=")
            each = options[name]
            value = each.read(text) if equals else True
            values[each.name] = [*(values[each.name] or ()), value] if each.several else value
        rest = list(words.positional)
        for each in self.arguments:
            if each.several and rest:
                values[each.name], rest = rest, []
            elif rest:
                values[each.name] = rest.pop(0)
        if rest:
            raise self._too_many(rest[0], words, options)
        return values

    def _too_many(self, extra: str, words: Words, options: Mapping[str, Parameter]) -> Exception:
        hint = None
        if extra.partition("=")[0] in options:
            hint = "options stand before a bare --, which ends them"
        elif any(each.metavar == "POINTS" for each in self.arguments) and os.path.exists(extra):  # noqa: PTH110 - pathlib is slower
            hint = "put quotes around a pattern of files: 'points/*.csv'"
        elif self.binds:
            hint = _hint_for_extra(extra, words.bindings)
        return usage_error(f"unexpected argument '{extra}'", hint)


def _hint_for_extra(extra: str, bindings: Sequence[Binding]) -> str:
    """What an argument too many may have been meant as."""
    name = extra.lstrip("-").partition("=")[0].rstrip(":")
    if name.isidentifier() and (extra.startswith("-") or "=" in extra):
        return f"an input gets its value by --{name} VALUE"
    for binding in bindings:
        if binding.text in ("", "="):
            return f"leave out the spaces around the '=': {binding.origin}={extra}"
    if extra.strip("-.,")[:1].isdecimal():
        if bindings:
            return f"an array is one argument, in quotes: {bindings[-1].origin} '[1, 2]'"
        return f"an input gets its value by its name: --x {extra}"
    return 'put quotes around a program that contains spaces: "x^2 + 1"'


def version() -> Outcome:
    """What `--version` prints."""
    from gradcli import __version__

    return Outcome([f"gradcli {__version__}\n"])


def declare(
    name: str,
    *,
    usage: str = "PROGRAM [--NAME VALUE ...] [options]",
    examples: tuple[str, ...],
) -> Callable[[Callable[..., Outcome]], Command]:
    """Make a command of a function; its docstring is the help."""
    return partial(Command, name, usage=usage, examples=examples)
