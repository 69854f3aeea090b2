"""The outside world as a command sees it: streams, the terminal, and environment variables.

A command gets an `Environment` and touches no stream but through it, so a test runs a command
with streams of its own, in its own process.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO, TextIOWrapper
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TextIO, TypeAlias

from gradcli.files.ending import undone_at_the_end

if TYPE_CHECKING:
    from gradcli.diagnostics.error import GradcliError

ColorChoice: TypeAlias = Literal["auto", "always", "never"]

NEEDED = "δ∂→×─│…"
"""Characters of the reports: a stream that lacks one of them gets the ASCII forms."""


class Environment:
    """Streams, and what is known of them.

    `stdin` gives bytes, `stdout` and `stderr` take text; any of them is None if the process
    was started with that stream closed. `columns` is the width of the terminal that standard
    output goes to, None if it goes elsewhere.
    """

    def __init__(
        self,
        stdin: BinaryIO | None,
        stdout: TextIO | None,
        stderr: TextIO | None,
        *,
        columns: int | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self.columns = columns
        self.variables: Mapping[str, str] = variables or {}

    @classmethod
    def of_process(cls) -> Environment:
        """The streams and variables of this process."""
        stdin = getattr(sys.stdin, "buffer", None)
        columns = _columns(sys.stdout, os.environ)
        return cls(stdin, sys.stdout, sys.stderr, columns=columns, variables=os.environ)

    @classmethod
    def captured(
        cls,
        stdin: bytes = b"",
        *,
        encoding: str = "utf-8",
        columns: int | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Environment:
        """Streams in memory, for tests and for the examples in the documentation."""
        out, err = (TextIOWrapper(BytesIO(), encoding, newline="") for _ in range(2))
        return cls(BytesIO(stdin), out, err, columns=columns, variables=variables)

    def written(self) -> tuple[str, str]:
        """What was written to streams in memory: standard output and standard error."""
        return _content(self.stdout), _content(self.stderr)

    def help_columns(self) -> int:
        """The width that running text is wrapped to."""
        return self.columns or _wanted_columns(self.variables) or 80

    def color(self, choice: ColorChoice, *, errors: bool = False) -> bool:
        """Whether to colour what goes to standard output, or to standard error.

        `auto` follows https://no-color.org and https://force-color.org; other variables, such
        as those of a continuous-integration service, don't count.
        """
        if choice != "auto":
            return choice == "always"
        if self.variables.get("NO_COLOR"):
            return False
        if self.variables.get("FORCE_COLOR"):
            return True
        terminal = self.columns is not None
        if errors:
            terminal = self.stderr is not None and self.stderr.isatty()
        if os.name == "nt":
            capable = ("WT_SESSION", "ANSICON", "ConEmuANSI", "TERM")
            return terminal and any(name in self.variables for name in capable)
        return terminal and self.variables.get("TERM") not in ("dumb", "unknown")

    def needs_ascii(self) -> bool:
        """Whether standard output can't take the characters that the reports are made of."""
        return _needs_ascii(self.stdout)

    def interactive(self) -> bool:
        """Whether stdin and stdout are terminals."""
        return self.columns is not None and self.stdin is not None and self.stdin.isatty()

    def stepwise(self, sections: Iterable[Iterable[str]]) -> Iterator[str]:
        """The sections of a text, with a wait for a key after each but the last; q ends it."""
        started = False
        for section in sections:
            text = "".join(section)
            if started and text.strip() and self._key() in ("q", "Q"):
                return
            started = started or bool(text.strip())
            yield text

    def _key(self) -> str:
        """One key from the terminal, once all text is out."""
        assert self.stdout is not None
        assert self.stdin is not None
        self.stdout.flush()
        if sys.platform == "win32":
            import msvcrt

            return msvcrt.getwch()
        import termios
        import tty

        descriptor = self.stdin.fileno()
        before = termios.tcgetattr(descriptor)

        def undo() -> None:
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)

        with undone_at_the_end(lambda: tty.setcbreak(descriptor), undo):
            try:
                return os.read(descriptor, 1).decode("latin-1")
            finally:
                undo()

    def write(self, pieces: Iterable[str] | bytes) -> None:
        """Write to standard output, as long as it has a reader. Raises `OSError`.

        What the stream can't encode is written as an escape that is the same in JSON and in
        Python.
        """
        if self.stdout is None:
            raise OSError("it is closed")
        try:
            if isinstance(pieces, bytes):
                self.stdout.flush()
                _binary(self.stdout).write(pieces)
                _binary(self.stdout).flush()
            else:
                for piece in pieces:
                    _write(self.stdout, piece)
            self.stdout.flush()
        except OSError as error:
            _silence(self.stdout)
            self.stdout = None
            if not _is_broken_pipe(error):
                raise

    def explain(
        self, error: GradcliError, choice: ColorChoice = "auto", *, json: bool = False
    ) -> None:
        """Write an error to standard error, as wide as its terminal and in its characters."""
        from gradcli.diagnostics.error import as_json, render

        if json:
            from json import dumps

            self.complain(dumps(as_json(error)))
            return
        width = min(self.columns or _columns(self.stderr, self.variables) or 100, 100)
        color = self.color(choice, errors=True)
        self.complain(render(error, width, ascii_only=_needs_ascii(self.stderr), color=color))

    def say_how_to_end(self, what: str) -> None:
        """Where standard input is a terminal, say what is read from its keyboard."""
        if self.stdin is not None and self.stdin.isatty():
            key = "Ctrl-Z and Enter" if os.name == "nt" else "Ctrl-D"
            self.complain(f"gradcli reads {what} from the keyboard; {key} ends it")

    def complain(self, text: str) -> None:
        """Write a line to standard error. What can't be written there can't be said at all."""
        if self.stderr is None:
            return
        try:
            _write(self.stderr, text + "\n")
            self.stderr.flush()
        except (OSError, ValueError):
            _silence(self.stderr)
            self.stderr = None


def said(words: Iterable[str], *options: str) -> list[str]:
    """What options say, in words that may not be sorted yet: `--color never`, `--color=never`."""
    before = [*takewhile("--".__ne__, words), ""]
    split = ((word.partition("="), follows) for word, follows in pairwise(before))
    return [value or follows for (name, _, value), follows in split if name in options]


def color_choice(words: Iterable[str]) -> ColorChoice:
    """What `--color` says: errors are coloured too."""
    choice = next(iter(said(words, "--color")), "auto")
    return "always" if choice == "always" else "never" if choice == "never" else "auto"


def _needs_ascii(stream: TextIO | None) -> bool:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        NEEDED.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return True
    return False


def _wanted_columns(variables: Mapping[str, str]) -> int | None:
    """What COLUMNS says."""
    wanted = variables.get("COLUMNS", "")
    return int(wanted) if wanted.isascii() and wanted.isdigit() and int(wanted) > 0 else None


def _content(stream: TextIO | None) -> str:
    if stream is None:
        return ""
    assert isinstance(stream, TextIOWrapper)
    stream.seek(0)
    return stream.read()


def _columns(stream: TextIO | None, variables: Mapping[str, str]) -> int | None:
    """The width of the terminal behind a stream; None if there is no terminal."""
    if stream is None or not stream.isatty():
        return None
    wanted = _wanted_columns(variables)
    if wanted is not None:
        return wanted
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def _binary(stream: TextIO) -> Any:
    """What is under a stream of text. Raises `OSError` if there is nothing."""
    found = getattr(stream, "buffer", None)
    if found is None:
        raise OSError("it takes text only")
    return found


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
    except UnicodeEncodeError:
        stream.write(_escaped(text, stream.encoding))


def _escaped(text: str, encoding: str) -> str:
    r"""The text with `\uXXXX` (for rare characters a pair of them) for what can't be encoded."""

    def shown(char: str) -> str:
        try:
            char.encode(encoding)
        except UnicodeEncodeError:
            code = char.encode("utf-16-be", "surrogatepass").hex()
            return "".join(f"\\u{code[i : i + 4]}" for i in range(0, len(code), 4))
        return char

    return text if text.isascii() else "".join(map(shown, text))


def _is_broken_pipe(error: OSError) -> bool:
    import errno

    # On Windows a pipe without a reader is an invalid argument.
    return error.errno == errno.EPIPE or (os.name == "nt" and error.errno == errno.EINVAL)


def _silence(stream: Any) -> None:
    """Point a stream that can't be written to nowhere, so that the last flush doesn't fail."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError, AttributeError):
        pass  # a stream of a test
