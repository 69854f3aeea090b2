"""Arguments told apart: options, values of inputs, and the rest.

`gradcli eval "-x^2" --x -3 --json` has an argument that begins with a minus and is no option, and
an option that is named by the program. So the words are sorted by what the command declares: its
options come out in one form (`--format=csv`), `--NAME VALUE` is a binding, and everything else is
positional.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gradcli.cli.parameters import SHORT
from gradcli.cli.registry import option_elsewhere
from gradcli.diagnostics.failures import usage_error
from gradcli.diagnostics.names import is_name, normal
from gradcli.diagnostics.suggestion import did_you_mean

_OPTION = re.compile(r"--([^\x00-@\[-^'{-\x7f][^\x00-,./:-@\[-^'{-\x7f]*)(?:=(.*))?", re.DOTALL)
"""Two dashes, a name of ASCII letters, digits, `_`, `-` or anything beyond ASCII, and a value."""

_TAKES_VALUE_FROM = re.compile(r"--[^\W\d]|--$")
"""A word that begins so is no value: it is the next option, and the value was forgotten."""


class Binding(NamedTuple):
    """A value for an input, as it was written: `origin` is `--x` or `--set x`."""

    name: str
    text: str
    origin: str


class Words(NamedTuple):
    """The arguments of a command, sorted. Each option is one word, `--json` or `--format=csv`."""

    options: list[str]
    bindings: list[Binding]
    positional: list[str]


def sort_words(
    words: Sequence[str],
    takes_value: Mapping[str, bool],
    *,
    binds: bool,
    lenient: bool = False,
) -> Words:
    """Sort a command's arguments.

    `takes_value` has the command's options, `binds` says whether other names are inputs.
    `lenient` passes over what is wrong: a line that is still being typed is completed.
    Raises `GradcliError` of kind option.
    """
    found = Words([], [], [])
    rest = list(reversed(words))
    while rest:
        word = rest.pop()
        if word == "--":
            found.positional.extend(reversed(rest))
            break
        if word in SHORT and not _is_program(word, words):
            word = SHORT[word]
        name, value = _name_and_value(word)
        option = f"--{name}"
        if name is None:
            found.positional.append(word)
        elif takes_value.get(option) is False:
            if value is not None and not lenient:
                raise usage_error(f"{option} takes no value", f"leave out '={value}'")
            found.options.append(option)
        elif not (binds or option in takes_value):
            if not lenient:
                raise _unknown_option(option, takes_value)
        else:
            if value is None and rest and not _TAKES_VALUE_FROM.match(rest[-1]):
                value = rest.pop()  # `-4` and `--4` are values
            if value is not None:
                _take(found, option, value, takes_value)
            elif not lenient:
                raise _no_value(option, takes_value, found.positional)
    return found


def _take(found: Words, option: str, value: str, takes_value: Mapping[str, bool]) -> None:
    """An option with its value, or the value of an input."""
    if option == "--set":
        found.bindings.append(_setting(value))
    elif option in takes_value:
        found.options.append(f"{option}={value}")
    elif "-" in option[2:]:
        raise _unknown_option(option, takes_value)
    else:
        found.bindings.append(Binding(normal(option[2:]), value, option))


def _is_program(word: str, words: Sequence[str]) -> bool:
    """Whether `-q` is the negative of an input that is given a value by `--q`."""
    return word != "-h" and any(
        other == f"-{word}" or other.startswith((f"-{word}=", f"{word[1:]}=")) for other in words
    )


def _name_and_value(word: str) -> tuple[str | None, str | None]:
    """The two parts of `--name=value`. (None, None) for what can't be an option.

    `--x^2` and `--(x)` are programs; so is `--x²`, whose raised digit belongs to no name.
    """
    match = _OPTION.fullmatch(word)
    if match is None or not is_name(match[1].replace("-", "_")):
        return None, None
    return match[1], match[2]


def _setting(text: str) -> Binding:
    """The binding in `--set NAME=VALUE`."""
    name, equals, value = text.partition("=")
    name = name.strip()
    if not equals or not is_name(name):
        raise usage_error(
            f"--set takes NAME=VALUE, and this is '{text}'",
            f"--set {name}=1 binds the input '{name}'" if is_name(name) else "--set x=3",
        )
    return Binding(normal(name), value, f"--set {normal(name)}")


def _unknown_option(option: str, options: Mapping[str, bool]) -> Exception:
    hint = option_elsewhere(option) or did_you_mean(option, options)
    if hint is None and "--set" in options:
        hint = "a program that begins with two minus signs goes after a bare --"
    return usage_error(f"unknown option '{option}'", hint)


def _no_value(option: str, options: Mapping[str, bool], seen: list[str]) -> Exception:
    """An option or an input at the end, or before another option."""
    if option in options:
        return usage_error(f"{option} needs a value", f"{option} {_EXAMPLES.get(option, '…')}")
    hint = option_elsewhere(option) or did_you_mean(option, options)
    if hint is not None:
        return usage_error(f"unknown option '{option}'", hint)
    hint = f"{option} 3 gives the input '{option[2:]}' a value"
    if not seen:
        hint += "; a program that begins with two minus signs goes after a bare --"
    return usage_error(f"{option} has no value", hint)


_EXAMPLES = {
    "--set": "x=3",
    "--file": "task.grad",
    "--data": "points.json",
    "--output": "loss",
    "--upstream": "1",
    "--out": "report.txt",
    "--wrt": "x,y",
    "--grad": "x",
    "--format": "csv",
    "--precision": "8",
    "--color": "never",
    "--check": "all",
    "--check-budget": "10",
    "--seed": "1",
    "--layout": "numerator",
    "--vector": "x=1",
}
