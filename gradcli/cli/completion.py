"""Completion: a line that is being typed comes in, what the shell offers goes out.

The scripts that shells load (`installed_or_shown`) call gradcli with the line in environment
variables. What is offered needs no more of gradcli than the word asks for: a
command's options are read from its declaration, names of inputs from the program in the line.
Where nothing is offered, the shell offers files.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from gradcli.cli.argv import sort_words
from gradcli.cli.command import Command, Outcome
from gradcli.cli.registry import COMMANDS, TOPICS, command, meant
from gradcli.diagnostics.failures import usage_error

if TYPE_CHECKING:
    from gradcli.cli.parameters import Parameter

SHELLS = "bash, zsh, fish or powershell"
Offered = list[tuple[str, str]]
"""Words, each with what it is for (or nothing)."""


def outcome(variables: Mapping[str, str], asked: str) -> Outcome:
    """What a shell gets for the line in the variables; `asked` names the one with the shell."""
    shell = variables[asked].removeprefix("complete_")
    if shell == "bash":
        words = split(variables.get("COMP_WORDS", ""))
        at = variables.get("COMP_CWORD", "")
        place = int(at) if at.isdecimal() else len(words)
        before, begun = words[1:place], words[place] if place < len(words) else ""
    else:
        line = variables.get("_TYPER_COMPLETE_ARGS", "")
        before = split(line)[1:]
        begun = before.pop() if before and not line[-1:].isspace() else ""
    found = offered(before, begun)
    if shell == "fish" and variables.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":
        return Outcome([], 0 if found else 1)
    return Outcome(["\n".join(_written(found, shell)) + "\n"])


def _written(found: Offered, shell: str) -> Iterator[str]:
    """The words as a shell's script reads them."""
    if shell == "zsh":
        quoted = [
            f'"{_zsh(word)}":"{_zsh(text)}"' if text else f'"{_zsh(word)}"' for word, text in found
        ]
        yield "_arguments '*: :((" + "\n".join(quoted) + "))'" if quoted else "_files"
    elif shell == "fish":
        yield from (f"{word}\t{text}" if text else word for word, text in found)
    elif shell in ("powershell", "pwsh"):
        yield from (f"{word}:::{text or ' '}" for word, text in found)
    else:
        yield from (word for word, _ in found)


def _zsh(text: str) -> str:
    """Text within the quotes of a specification for `_arguments`."""
    text = text.replace('"', '""').replace("'", "''").replace("$", "\\$").replace("`", "\\`")
    return text.replace(":", r"\\:")


def split(line: str) -> list[str]:
    """The words of a line as a shell sees them, the last one perhaps not finished."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    try:
        words.extend(lexer)
    except ValueError:  # a quote that is still open
        words.append(lexer.token)
    return words


def offered(before: Sequence[str], begun: str) -> Offered:
    """What may stand for a word of which `begun` is typed, after the words `before`."""
    if not before or (before == ["help"]):
        topics = TOPICS if before else {"help": "help about a command or a topic"}
        return _beginning({**COMMANDS, **topics}.items(), begun)
    name = meant(before[0])
    if name is None:
        return []
    if before[:2] == ["examples", "run"] and len(before) > 2:
        from gradcli import examples

        text = examples.text(before[2]) if before[2] in examples.ORDER else ""
        name, before = "eval", ["eval", text, *before[3:]]
    return _of_command(command(name), list(before[1:]), begun)


def _of_command(made: Command, before: list[str], begun: str) -> Offered:
    options = made.by_option()
    last = before[-1] if before else ""
    if last in options and not options[last].is_flag:
        return _values(options[last], made, before[:-1], begun)
    if begun.startswith("--"):
        name, equals, value = begun.partition("=")
        if equals and name in options:
            found = _values(options[name], made, before, value)
            return [(f"{name}={word}", text) for word, text in found]
        known = ((name, each.help) for name, each in options.items() if len(name) > 2)
        inputs = ((f"--{name}", "an input") for name in _names(made, before, "inputs"))
        return _beginning([*known, *(inputs if made.binds else ())], begun)
    words = sort_words(before, made.takes_value(), binds=made.binds, lenient=True)
    arguments = made.arguments
    place = min(len(words.positional), len(arguments) - 1)
    if place < 0 or (len(words.positional) > place and not arguments[place].several):
        return []
    return _values(arguments[place], made, before, begun)


def _values(option: Parameter, made: Command, before: list[str], begun: str) -> Offered:
    """Values of an option or argument; of names in a list, the last one is completed."""
    if option.choices:
        return _beginning(((choice, "") for choice in option.choices), begun)
    offer = option.offer
    if callable(offer):
        return _beginning(((word, "") for word in offer()), begun)
    if offer is None:
        return []
    done, comma, part = begun.rpartition(",")
    there = done.split(",")
    names = [name for name in _names(made, before, offer) if name not in there]
    return [(f"{done}{comma}{word}", "") for word, _ in _beginning(((n, "") for n in names), part)]


def _beginning(words: Iterable[tuple[str, str]], begun: str) -> Offered:
    return [(word, text) for word, text in words if word.startswith(begun)]


def _names(made: Command, before: Sequence[str], what: str) -> list[str]:
    """Names of the program in the line: its inputs, or those of its nodes."""
    words = sort_words(before, made.takes_value(), binds=True, lenient=True)
    file = next((o.partition("=")[2] for o in words.options if o.startswith("--file=")), None)
    text = None if file is not None or not words.positional else words.positional[0]
    if (text is None and file is None) or "-" in (text, file):
        return []
    from gradcli.cli.environment import Environment
    from gradcli.cli.inputs import read_program
    from gradcli.diagnostics.error import GradcliError

    try:
        program = read_program(text, file, None, Environment.captured())
    except GradcliError:
        return []  # it isn't finished yet
    names = program.names
    found = list(names.inputs(())) if what == "inputs" else list(names.definitions)
    return [name for name in found if re.fullmatch(r"\w+", name)]


def installed_or_shown(words: Sequence[str]) -> int:
    """Install completion for a shell, or print its script, which is Typer's.

    Raises `GradcliError`.
    """
    import typer

    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)

    @app.callback(invoke_without_command=True)
    def gradcli() -> None:
        """Typer's scripts are named after the program."""

    if len(words) > 1:  # a shell is named, so Typer need not look for one
        os.environ["_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION"] = "1"
    group = typer.main.get_command(app)
    try:
        code = group.main(args=list(words), prog_name="gradcli", standalone_mode=False)
    except SystemExit as ended:
        code = ended.code
    except Exception as error:  # Typer's own class of usage errors has no public name
        if not hasattr(error, "format_message"):
            raise
        code = 2
    if code not in (0, None):
        option, *shell = words
        said = f"'{shell[0]}'" if shell else "this shell"
        raise usage_error(
            f"there is no completion for {said}",
            f"there is one for {SHELLS}: gradcli {option} bash",
        )
    return 0
