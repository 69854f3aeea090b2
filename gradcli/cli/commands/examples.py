"""`gradcli examples`: the programs that come with gradcli, listed, shown and run.

`examples run NAME …` is `eval` with the example's text as the program: `cli.door` puts the words of
`run_words` in its place before any option is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gradcli import examples
from gradcli.cli.command import Outcome, declare
from gradcli.cli.options import TextOutput
from gradcli.cli.parameters import option
from gradcli.diagnostics.failures import usage_error
from gradcli.diagnostics.suggestion import did_you_mean

if TYPE_CHECKING:
    from gradcli.report import Style

ACTIONS = ("list", "show", "run")


class ExampleOptions(TextOutput):
    """What is done with which example."""

    words: list[str] | None = option(
        "ACTION",
        "list: a line for each; show NAME: its text; run NAME: the same as eval",
        offer=lambda: (*ACTIONS, *examples.ORDER),
        group="Examples",
    )


@declare(
    "examples",
    usage="[list | show NAME | run NAME [options of eval]]",
    examples=(
        "gradcli examples",
        "gradcli examples show kamper",
        "gradcli examples run kamper --x 1",
    ),
)
def command(report: ExampleOptions) -> Outcome:
    """Ready programs: list, show and run them.

    An example is a program with the values of its inputs in lines that begin with #:. Whatever
    takes a program takes an example, as in gradcli examples show network | gradcli graph -, and
    --NAME VALUE gives an input another value.
    """
    form = report.chosen_format()
    action, *names = report.words or ["list"]
    if action not in ACTIONS:
        raise _no_action(action)
    if action == "list" and names:
        raise usage_error(f"unexpected argument '{names[0]}'", f"gradcli examples show {names[0]}")
    if action == "list":
        return Outcome([_listing(form, report.style())], 0, report.file)
    if len(names) != 1:
        problem = (
            f"unexpected argument '{names[1]}'" if names else "the name of an example is missing"
        )
        raise usage_error(problem, f"gradcli examples {action} kamper")
    if action == "run":
        raise usage_error(
            "'run NAME' comes before all options", f"gradcli examples run {names[0]} --json"
        )
    text = _text_of(names[0])
    if form == "json":
        text = _json(_entry(names[0]) | {"program": text}, report.style())
    return Outcome([text], 0, report.file)


def run_words(words: Sequence[str]) -> list[str]:
    """The words of `eval` that `examples run NAME …` stands for. Raises `GradcliError`."""
    if words[:1] in (["--help"], ["-h"]):
        return ["examples", "--help"]
    if not words or words[0].startswith("-"):
        raise usage_error("the name of an example is missing", "gradcli examples run kamper")
    return ["eval", _text_of(words[0]), *words[1:]]


def _text_of(name: str) -> str:
    """An example's text. Raises `GradcliError` of kind name."""
    try:
        return examples.text(name)
    except KeyError:
        from gradcli.diagnostics.error import GradcliError, Kind

        hint = did_you_mean(name, examples.ORDER) or f"there are {', '.join(examples.ORDER)}"
        raise GradcliError(Kind.NAME, f"there is no example '{name}'", hint=hint) from None


def _no_action(word: str) -> Exception:
    if word in examples.ORDER:
        return usage_error(
            f"list, show or run '{word}'?", f"gradcli examples show {word}, or run {word}"
        )
    hint = did_you_mean(word, (*ACTIONS, *examples.ORDER))
    return usage_error(f"examples can't '{word}'", hint or "list, show NAME, or run NAME")


def _entry(name: str) -> dict[str, Any]:
    from gradcli.diagnostics.source import Source
    from gradcli.syntax.header import read_header

    header = read_header(Source(examples.text(name), name))
    inputs = [binding.name for binding in header.bindings]
    return {"name": name, "title": header.title, "inputs": inputs}


def _json(content: dict[str, Any], style: Style) -> str:
    import json

    found = {"schema": "gradcli.examples/1", **content}
    return json.dumps(found, indent=2 if style.pretty else None) + "\n"


def _listing(form: str, style: Style) -> str:
    if form == "json":
        return _json({"examples": [_entry(name) for name in examples.ORDER]}, style)
    from gradcli.report.numbers import folded, shown

    width = max(map(len, examples.ORDER)) + 2
    room = None if style.width is None else max(16, style.width - width)
    lines = []
    for name in examples.ORDER:
        title = shown(examples.title(name), style)
        first, *more = [title] if room is None else folded(title, room)
        lines += [f"{name:<{width}}{first}", *(" " * width + line for line in more)]
    return "\n".join(lines) + "\n"
