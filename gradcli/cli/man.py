"""Man pages: the help pages in roff, the format of `man`.

They are made from the commands' declarations when the package is built (`setup.py`), and go to
`share/man/man1` of the environment. The same sources give the same bytes: there is no date in them.
"""

from __future__ import annotations

from collections.abc import Iterator

from gradcli import __version__
from gradcli.cli import topics
from gradcli.cli.help import Page, of_command, of_gradcli
from gradcli.cli.registry import COMMANDS, TOPICS, command


def pages() -> dict[str, str]:
    """All man pages by the names of their files."""
    commands = [of_command(command(name)) for name in COMMANDS]
    about = [topics.page(topic, listing=False) for topic in TOPICS]
    found = {f"{_title(page)}.1": roff(page) for page in (of_gradcli(), *commands, *about)}
    return dict(sorted(found.items()))


def _title(page: Page) -> str:
    """`gradcli-eval`: the words of a page's name, without `help`."""
    return "-".join(word for word in page.name.split() if word != "help")


def roff(page: Page) -> str:
    """A page as `man` reads it."""
    return "\n".join(_lines(page)) + "\n"


def _lines(page: Page) -> Iterator[str]:
    title = _title(page)
    yield f'.TH {title.upper()} 1 "" "gradcli {__version__}" "gradcli"'
    yield ".SH NAME"
    yield escaped(f"{title} - {page.summary}")
    if page.usage:
        yield ".SH SYNOPSIS"
        yield rf"\fB{escaped(page.name)}\fR {escaped(page.usage)}"
    if page.paragraphs:
        yield ".SH DESCRIPTION"
        for paragraph in page.paragraphs:
            yield ".PP"
            yield escaped(paragraph)
    for name, records in page.sections.items():
        yield f".SH {escaped(name.upper())}"
        for term, said in records:
            yield ".TP"
            yield rf"\fB{escaped(term)}\fR"
            yield escaped(said)
    if page.examples:
        yield ".SH EXAMPLES"
        yield ".nf"
        yield from map(escaped, page.examples)
        yield ".fi"
    yield ".SH SEE ALSO"
    others = ["gradcli"] if title != "gradcli" else [f"gradcli-{name}" for name in COMMANDS]
    yield ", ".join(rf"\fB{escaped(other)}\fR(1)" for other in others)
    for paragraph in page.ending:
        yield ".PP"
        yield escaped(paragraph)


def escaped(text: str) -> str:
    """Text that roff shows as it is: backslashes, minus signs, and no command at its start."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("^", "\\(ha")
    text = text.replace("`", "\\(ga").replace("~", "\\(ti").replace('"', "\\(dq")
    return f"\\&{text}" if text.startswith((".", " ")) else text
