"""Files and standard input as bytes and text, and files that are written whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gradcli.diagnostics.failures import file_error, reason
from gradcli.diagnostics.suggestion import close_match
from gradcli.files.ending import undone_at_the_end

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from gradcli.diagnostics.error import GradcliError

MOST = 1 << 30
"""Bytes that are read into memory at once: of a file, a pipe, or what is packed in it."""

_CHUNK = 1 << 20
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
GZIP = b"\x1f\x8b"


def read(path: str) -> bytes:
    """The content of a file of at most `MOST` bytes. Raises `GradcliError` of kind file."""
    from pathlib import Path  # which takes long to import

    if not path:
        raise file_error("a file's name is missing: the word for it is empty")
    try:
        with Path(path).open("rb") as file:
            status = os.fstat(file.fileno())
            is_regular = stat.S_ISREG(status.st_mode)
            if is_regular and status.st_size > MOST:
                has = f"'{path}' has {status.st_size >> 20:,} MB"
                raise file_error(f"{has}, and {MOST >> 20:,} MB are read at most")
            return file.read() if is_regular else read_stream(file, f"'{path}'")
    except FileNotFoundError:
        raise file_error(f"there is no file '{path}'", _similar(Path(path))) from None
    except (OSError, ValueError) as error:
        if there_is_folder(Path(path)):  # for which Windows says 'permission denied'
            raise file_error(f"'{path}' is a folder, not a file") from None
        raise file_error(f"'{path}' can't be read: {reason(error)}") from None


def read_stream(stream: BinaryIO, name: str) -> bytes:
    """All that a stream gives, unless it is endless. Raises `GradcliError` of kind file."""
    content = bytearray()
    while chunk := stream.read(_CHUNK):
        content += chunk
        if len(content) > MOST:
            raise file_error(
                f"{name} does not end: {MOST >> 20} MB were read",
                "more than that is read from a file only",
            )
        if len(chunk) < _CHUNK:  # only at the end; to ask again would take a second Ctrl-D
            break
    return bytes(content)


def read_text(path: str) -> str:
    """The text of a file. Raises `GradcliError` of kind file."""
    return decoded(read(path), f"'{path}'")


def decoded(content: bytes, name: str) -> str:
    """Bytes as text in UTF-8, without a byte-order mark and with plain line ends."""
    if content.startswith(UTF_16):
        raise file_error(f"{name} is text in UTF-16", "save it as UTF-8")
    if b"\0" in content[:_CHUNK]:
        raise file_error(f"{name} is not text: there are null bytes in it")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise file_error(
            f"{name} is not text in UTF-8: the byte 0x{content[error.start]:02x} in line {line}",
            "save it as UTF-8",
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def there_is_folder(path: Path) -> bool:
    """Whether a folder is there, whatever the name."""
    try:
        return path.is_dir()
    except (OSError, ValueError):  # the name is too long, say
        return False


def _similar(path: Path) -> str | None:
    """A hint with a file of a similar name in the same folder."""
    try:
        found = close_match(path.name, (entry.name for entry in path.parent.iterdir()))
    except OSError:
        return None
    return f"did you mean '{path.with_name(found)}'?" if found else None


# --- writing -----------------------------------------------------------------------------


def write_whole(path: str, text: Iterable[str] | bytes) -> None:
    """Write a file so that no reader ever sees half of it. Raises `GradcliError` of kind file."""
    with whole(path) as file:
        if isinstance(text, bytes):
            file.write(text)
        else:
            file.writelines(line.encode("utf-8", "backslashreplace") for line in text)


@contextmanager
def whole(path: str) -> Iterator[BinaryIO]:
    """A file to write to that no reader ever sees half of. Raises `GradcliError` of kind file.

    A new file beside it takes its place and its permissions when all is written. What is no
    regular file (a pipe, `/dev/null`) is not replaced but written to.
    """
    try:
        with _file(path) as file:
            yield file
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links
        raise unwritable(f"'{path}'", error) from error


@contextmanager
def _file(path: str) -> Iterator[BinaryIO]:
    from pathlib import Path  # which takes long to import

    try:
        target = Path(path).resolve()
        there = target.exists()
    except ValueError as error:  # a null byte
        raise unwritable(f"'{path}'", error) from error
    if there and target.is_dir():
        raise file_error(f"'{path}' is a folder: --out takes the name of a file")
    if there and not target.is_file():
        with target.open("wb") as file:
            yield file
        return
    if there and not os.access(target, os.W_OK):
        raise PermissionError(13, "Permission denied")
    unfinished = target.with_name(f".{target.name[:100]}.{os.getpid()}.new")
    try:
        with _new(unfinished) as file:
            yield file
            file.flush()
            with undone_at_the_end(lambda: _give_name(file, unfinished), unfinished.unlink):
                if there:
                    unfinished.chmod(stat.S_IMODE(target.stat().st_mode))
                if os.name == "nt":
                    file.close()
                unfinished.replace(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


@contextmanager
def _new(path: Path) -> Iterator[BinaryIO]:
    """A new file; where the system can, it has no name until `_give_name`.

    What has no name is gone when the process ends, even if it is killed.
    """
    descriptor = _nameless(path.parent)
    if descriptor is not None:
        with open(descriptor, "w+b") as file:  # noqa: PTH123 - a descriptor has no path
            yield file
        return
    opened: list[BinaryIO] = []
    with undone_at_the_end(lambda: opened.append(path.open("xb")), path.unlink), opened[0]:
        yield opened[0]


def _nameless(folder: Path) -> int | None:
    """A file without a name on the disk of a folder; None where there is no such thing."""
    if not hasattr(os, "O_TMPFILE") or not os.path.isdir("/proc/self/fd"):  # noqa: PTH112
        return None
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666)
    except OSError:  # not on this kind of disk; or what is wrong is said by the next try
        return None


def _give_name(file: BinaryIO, path: Path) -> None:
    if path.exists():  # it has had one from the start
        return
    # With a descriptor of a folder, which an absolute path ignores, links are followed.
    os.link(f"/proc/self/fd/{file.fileno()}", path, src_dir_fd=file.fileno())


def unwritable(name: str, error: Exception) -> GradcliError:
    """The error for an output that can't be written."""
    hint = "the folder has to exist" if isinstance(error, FileNotFoundError) else None
    return file_error(f"{name} can't be written: {reason(error)}", hint)
