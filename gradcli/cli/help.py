"""Help pages: what a command takes, as a `Page`, and the page as text for a terminal.

The same pages become man pages (`cli.man`). Off a terminal a page is 80 columns of ASCII.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from gradcli.cli.command import Command, Outcome
from gradcli.cli.parameters import GENERAL, HELP, VERSION
from gradcli.cli.registry import COMMANDS, TOPICS

if TYPE_CHECKING:
    from gradcli.cli.environment import Environment

NAMES = 18
"""The widest name of an option that has its text beside it; else the text begins a line below."""
GAP = 2
BOLD, CYAN, PLAIN = "\x1b[1m", "\x1b[36m", "\x1b[0m"

EXAMPLES = (
    'gradcli eval "(x + sigmoid(y)) / (x^2 + y)" --x 3 --y -4',
    'gradcli eval "sum(W @ x)" --W "eye(2)" --x "[1, 2]" --json',
    'gradcli check "relu(x)" --x 0',
    "gradcli ops sigmoid",
)
SUMMARY = "gradients by backpropagation, every step shown and checked"


class Page(NamedTuple):
    """A help page: what `gradcli COMMAND --help` says, before it is laid out."""

    name: str
    summary: str
    examples: tuple[str, ...]
    usage: str
    paragraphs: tuple[str, ...]
    sections: dict[str, list[tuple[str, str]]]
    """Titles, and under each the options or commands with what they are for."""
    ending: tuple[str, ...]


def of_command(command: Command) -> Page:
    """The page of a command."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for each in command.parameters:
        records = sections.setdefault(each.group, [])
        at = len(records) if each.is_option else 0  # arguments come first
        records.insert(at, each.record())
        if each.name == "program":
            records.insert(at + 1, ("--NAME VALUE", "the value of the input NAME"))
    return Page(
        f"gradcli {command.name}",
        command.summary[:1].lower() + command.summary[1:],
        command.examples,
        command.usage,
        paragraphs(command.text),
        {title: sections[title] for title in sorted(sections, key=_place(command))},
        (more(command.name),),
    )


def _place(command: Command) -> Callable[[str], int]:
    """Where a section stands: that of the first argument first, the general options last."""
    first = next((each.group for each in command.arguments), None)
    return lambda title: 0 if title == first else 2 if title == GENERAL else 1


def paragraphs(text: str) -> tuple[str, ...]:
    """The paragraphs of a docstring, each in one line."""
    return tuple(" ".join(part.split()) for part in text.split("\n\n") if part.strip())


def more(command: str | None = None) -> str:
    """The last line of a page: where to read on."""
    topics = {"grade": "homework", "sheet": "homework", "lint": "homework", "class": "homework"}
    topic = topics.get(command or "", "functions" if command == "ops" else "language")
    return f"More: 'gradcli help {topic}'. Documentation: the folder docs/ of gradcli's source."


def of_gradcli() -> Page:
    """The page of gradcli as a whole."""
    options = [
        ("--install-completion", "install completion for this shell"),
        ("--show-completion", "print the script of the completion"),
        VERSION.record(),
        HELP.record(),
    ]
    return Page(
        "gradcli",
        SUMMARY,
        EXAMPLES,
        "COMMAND ...",
        (),
        {"Commands": list(COMMANDS.items()), "Topics of 'gradcli help'": list(TOPICS.items())}
        | {"Options": options},
        (
            (
                "'gradcli help COMMAND' says what a command takes; 'gradcli PROGRAM' is "
                "'gradcli eval PROGRAM'. Documentation: the folder docs/ of gradcli's source."
            ),
        ),
    )


def short() -> Page:
    """What `gradcli` alone prints: enough to begin with."""
    return Page(
        "gradcli",
        SUMMARY,
        EXAMPLES[:1],
        "COMMAND PROGRAM [--NAME VALUE ...] [options]",
        (),
        {"Commands": list(COMMANDS.items())},
        ("'gradcli help' says more, 'gradcli help COMMAND' what a command takes.",),
    )


def outcome(page: Page, environment: Environment, words: Sequence[str] = ()) -> Outcome:
    """A page as the output of a command, as wide and in the colours that are asked for."""
    from gradcli.cli.environment import color_choice

    width = max(40, min(environment.help_columns(), 100))
    color = environment.color(color_choice(words))
    return Outcome(["".join(f"{line}\n" for line in text(page, width, color=color))])


def text(page: Page, width: int, *, color: bool = False) -> Iterator[str]:
    """The lines of a page: examples first."""

    def title(words: str) -> str:
        return f"{BOLD}{words}{PLAIN}" if color else words

    def begun(words: str, text: str, hang: int = 0) -> list[str]:
        """A text whose first words are a title."""
        first, *others = wrapped(text, width, hang)
        return [title(words) + first[len(words) :], *others]

    yield from begun(page.name, f"{page.name}: {page.summary}")
    if page.examples:
        yield from ("", title("Examples:"), *(f"  {example}" for example in page.examples))
    if page.usage:
        head = f"Usage: {page.name} "
        yield from ("", *begun("Usage:", head + page.usage, hang=len(head)))
    for paragraph in page.paragraphs:
        yield from ("", *wrapped(paragraph, width))
    for name, records in page.sections.items():
        yield from ("", title(f"{name}:"), *_listed(records, width, color=color))
    for paragraph in page.ending:
        yield from ("", *wrapped(paragraph, width))


def _listed(records: Sequence[tuple[str, str]], width: int, *, color: bool) -> Iterator[str]:
    """Names with their texts beside them."""
    column = min(max(len(name) for name, _ in records), NAMES) + GAP
    for name, said in records:
        lines = wrapped(said, max(10, width - column - GAP))
        shown = f"{CYAN}{name}{PLAIN}" if color else name
        if len(name) > column - GAP:
            yield f"  {shown}"
        else:
            yield f"  {shown}{' ' * (column - len(name))}{lines.pop(0)}"
        yield from (" " * (column + GAP) + line for line in lines)


def wrapped(text: str, width: int, hang: int = 0) -> list[str]:
    """Running text in lines of at most `width` characters; `hang` indents all but the first."""
    lines = [""]
    for word in text.split():
        if not lines[-1]:
            lines[-1] = word
        elif len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(" " * hang + word)
    return lines
