"""The front door: what the first words of a command line ask for.

Words come in, a command's name and its own words go out, or a page that is printed at once.
`gradcli "x^2" --x 3` is `gradcli eval "x^2" --x 3`: a first word that is no command and no plain
word is a program.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from gradcli.cli.argv import sort_words
from gradcli.cli.command import Command, Outcome, version
from gradcli.cli.environment import Environment
from gradcli.cli.parameters import SHORT
from gradcli.cli.registry import COMMANDS, INSTEAD, TOPICS, command, meant
from gradcli.diagnostics.failures import usage_error
from gradcli.diagnostics.suggestion import did_you_mean

_PLAIN = r"[^\W\d_][\w-]*"
"""A plain word: a name, which may be a misspelt command."""
_OPTION = r"(--?[A-Za-z][\w-]*)(=.*)?"
OWN = ("--help", "-h", "--version", "-V", "--install-completion", "--show-completion")


def outcome(words: Sequence[str], environment: Environment) -> Outcome | int:
    """Do what a command line asks for: an output, or the exit code of what has printed its own.

    Raises `GradcliError`.
    """
    words = list(words)
    if not words:
        from gradcli.cli import help as pages

        return pages.outcome(pages.short(), environment)
    first, *rest = words
    if first in ("--version", "-V", "version"):
        return version()
    if first in ("--help", "-h", "help"):
        return _help(rest, environment)
    if first.partition("=")[0] in OWN:
        from gradcli.cli.completion import installed_or_shown

        return installed_or_shown([*first.split("=", 1), *rest])
    if first == "examples" and rest[:1] == ["run"]:
        from gradcli.cli.commands.examples import run_words

        first, *rest = run_words(rest[1:])
    name = meant(first)
    if name is not None:
        return call(command(name), rest, environment)
    if re.fullmatch(_PLAIN, first) or _is_option(words):
        raise _no_command(words)
    return call(command("eval"), words, environment)


def call(command: Command, words: Sequence[str], environment: Environment) -> Outcome:
    """Do what the words after a command's name ask for. Raises `GradcliError`."""
    options = command.takes_value()
    told = sort_words(words, options, binds=command.binds)
    if "--help" in told.options:
        from gradcli.cli import help as pages

        return pages.outcome(pages.of_command(command), environment, words)
    if "--version" in told.options:
        return version()
    values = command.values(told)
    outside: dict[str, Any] = {
        "bindings": tuple(told.bindings),
        "option_names": tuple(options),
        "environment": environment,
    }
    groups = {
        name: group(**{each.name: values[each.name] for each in found}, **outside)
        for name, (group, found) in command.groups.items()
    }
    outcome = command.function(**groups)
    return outcome._replace(quiet=True) if values.get("quiet") else outcome


def _is_option(words: Sequence[str]) -> bool:
    """Whether the first word is an option. `-x` is one, unless x is an input: then it's -x."""
    match = re.fullmatch(_OPTION, words[0], re.DOTALL)
    if match is None or (words[0][1] != "-" and len(match[1]) != 2):
        return False
    letter = f"-{match[1]}"
    return words[0].startswith("--") or not any(
        word == letter or word.startswith(f"{letter}=") for word in words[1:]
    )


def _no_command(words: Sequence[str]) -> Exception:
    """The error for arguments that begin neither with a command nor with a program."""
    first, rest = words[0], words[1:]
    if first.startswith("-"):
        option = first.partition("=")[0]
        hint = did_you_mean(option, OWN) if option.startswith("--") else None
        named = next((name for word in rest if (name := meant(word))), "eval")
        if option not in command(named).takes_value() and option not in SHORT:
            hint = hint or f'the program comes first: gradcli {named} "x^2" --x 3'
        hint = hint or f"options follow the command: gradcli {named} … {option}"
        return usage_error(f"unknown option '{option}'", hint)
    if first in INSTEAD:
        return usage_error(f"'{first}' isn't a command", INSTEAD[first])
    hint = did_you_mean(first, (*COMMANDS, "help", "version"))
    if first in TOPICS:
        hint = f"gradcli help {first}"
    program = list(takewhile(lambda word: not word.startswith("--"), words))
    if hint is None and len(program) > 1:
        hint = f'put quotes around a program that contains spaces: gradcli "{" ".join(program)}"'
    short = first if len(first) <= 40 else "…"
    return usage_error(
        f"'{first}' isn't a command", hint or f'for a program: gradcli eval "{short}" …'
    )


def _help(words: Sequence[str], environment: Environment) -> Outcome:
    """The page of a command, a topic, or gradcli itself."""
    from gradcli.cli import help as pages

    names = [word for word in words if not word.startswith("-")]
    if not names:
        return pages.outcome(pages.of_gradcli(), environment, words)
    name = meant(names[0])
    if names[0] in ("help", "version"):
        return pages.outcome(pages.of_gradcli(), environment, words)
    if name is not None:
        return pages.outcome(pages.of_command(command(name)), environment, words)
    topic = names[0].replace("_", "-")
    if topic in ("exit", "exit-code", "codes"):
        topic = "exit-codes"
    if topic in TOPICS:
        from gradcli.cli import topics

        return pages.outcome(topics.page(topic), environment, words)
    hint = INSTEAD.get(names[0]) or did_you_mean(names[0], (*COMMANDS, *TOPICS))
    raise usage_error(
        f"there is no help about '{names[0]}'", hint or f"there is help about {', '.join(TOPICS)}"
    )
