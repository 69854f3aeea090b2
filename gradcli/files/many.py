"""POINTS as files: one file, a glob, a folder of Parquet files, or a URL that Polars reads.

The word from the command line comes in, the list of files goes out, in the order of their names.
Files at a URL are listed by Polars, which reads the footers of Parquet files and no more.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import polars as pl

from gradcli.diagnostics.failures import file_error, reason, usage_error
from gradcli.files.files import read

FORMATS = {
    "csv": "csv",
    "tsv": "tsv",
    "tab": "tsv",
    "ndjson": "ndjson",
    "jsonl": "ndjson",
    "parquet": "parquet",
    "pq": "parquet",
    "npz": "npz",
}
TEXT = frozenset({"csv", "tsv", "ndjson"})

SCHEMES = frozenset(
    {"s3", "s3a", "gs", "gcs", "az", "azure", "adl", "abfs", "abfss", "hf", "http", "https"}
)
"""Schemes of URLs that Polars reads."""
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_WILD = re.compile(r"[*?\[]")
_PARTITION = re.compile(r"([^/\\=]+)=([^/\\]*)")
_EMPTY = "__HIVE_DEFAULT_PARTITION__"
"""What Hive writes for a partition without a value."""
_PATH, _ROWS = "\0path", "\0rows"


@dataclass(frozen=True, slots=True)
class Partitions:
    """The columns that folders `name=value` stand for."""

    columns: dict[str, Any] = field(default_factory=dict)
    """Their names, and their types in Polars."""
    above: tuple[str, ...] = ()
    """Further ones above the folder that was asked for, which are no columns."""


@dataclass(frozen=True)
class Found:
    """The files of points, in order."""

    name: str
    """What the command line says, in quotes, for messages."""
    files: tuple[str, ...]
    form: str
    root: str
    """The folder or the beginning of the URL below which the files lie."""
    several: bool
    """Whether the word stands for files, so that a message has to name the one that it is about."""
    rows: tuple[int, ...] | None = None
    """The rows of each file, where finding the files has told them."""

    @cached_property
    def partitions(self) -> Partitions:
        """The columns that the folders below `root` name.

        Raises `GradcliError` where the files don't agree on them.
        """
        if self.form != "parquet":
            return Partitions()
        each = [dict(_keys(self.below(file))) for file in self.files]
        for file, keys in zip(self.files, each, strict=True):
            if list(keys) != list(each[0]):
                listed = ["/".join(f"{name}=…" for name in k) or "none" for k in (each[0], keys)]
                raise file_error(
                    f"'{file}' has other partitions than '{self.files[0]}': "
                    f"{listed[1]}, not {listed[0]}"
                )
        if not each or not each[0]:
            return Partitions()
        first = self.files[0]
        front = first[: len(first) - len(self.below(first))] + "/_"
        columns = {name: _type_of(keys[name] for keys in each) for name in each[0]}
        return Partitions(columns, tuple(name for name, _ in _keys(front) if name not in columns))

    def below(self, file: str) -> str:
        """A file's place below `root`, with plain slashes."""
        if is_url(file):
            return _URL.sub("", file).removeprefix(_URL.sub("", self.root)).lstrip("/")
        return Path(os.path.relpath(file, self.root or ".")).as_posix()


def is_url(path: str | None) -> bool:
    """Whether a word is a URL and not a file's name."""
    return path is not None and _URL.match(path) is not None


def is_web(url: str) -> bool:
    """Whether a URL is one of a web server."""
    return url.lower().startswith(("http://", "https://"))


def plain(path: str) -> str:
    """A URL with its scheme in small letters, which Polars expects; other words as they are."""
    return _URL.sub(lambda scheme: scheme[0].lower(), path)


def expect_readable(url: str) -> None:
    """Raise `GradcliError` where Polars can't read the scheme of a URL."""
    found = _URL.match(url)
    if found is not None and found[1].lower() not in SCHEMES:
        listed = "s3://, gs://, az://, https://"
        raise usage_error(f"'{url}': URLs of this kind are not read", f"those of {listed} are")


def find(path: str, given: str | None) -> Found:
    """The files that POINTS stands for; `given` is their format where `--from` says it.

    Raises `GradcliError`: option, and file where there is none.
    """
    if is_url(path):
        return _at_url(plain(path), given)
    if not path:
        read(path)  # raises
    place = Path(path)
    if path == "-" or _exists(place):
        if path != "-" and place.is_dir():
            form = given or "parquet"
            files = _in_folder(path, form)
            if not files:
                raise _empty_folder(path, form)
            return Found(f"'{path}'", tuple(files), form, path, several=True)
        form = format_of(path, given, "--from")
        name = "standard input" if path == "-" else f"'{path}'"
        return Found(name, (path,), form, os.path.dirname(path), several=False)  # noqa: PTH120
    if _WILD.search(path):
        return _matching(path, given)
    # Reading it says what is wrong.
    return Found(f"'{path}'", (path,), format_of(path, given, "--from"), "", several=False)


def format_of(path: str | None, given: str | None, option: str) -> str:
    """The format of a file, by its name unless it is given. Raises `GradcliError`."""
    if given is not None:
        return given
    if path is None or path == "-":
        return "csv"
    name = Path(path)
    zipped = name.suffix.lower() in (".gz", ".zst")
    ending = (name.with_suffix("") if zipped else name).suffix.lstrip(".").lower()
    found = FORMATS.get(ending)
    if found is None and name.is_dir():
        raise file_error(f"'{path}' is a folder, not a file")
    if found is None and option == "--from" and not name.exists():
        raise file_error(f"there is no file or folder '{path}'")
    if not ending and option == "--format":
        return "csv"
    if zipped and option == "--format":
        raise usage_error(
            f"'{path}': nothing is written compressed", "gzip it afterwards, or write Parquet"
        )
    if found is None or (zipped and found not in TEXT):
        raise usage_error(
            f"the format of '{path}' is not known by its name",
            f"{option} takes one of csv, tsv, ndjson, parquet, npz",
        )
    return found


def _exists(place: Path) -> bool:
    try:
        return place.exists()
    except (OSError, ValueError):
        return False


def _in_folder(folder: str, form: str) -> list[str]:
    """The files of a format below a folder. Names that begin with `.` or `_` are passed over."""
    found = []
    for place, folders, files in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if name[0] not in "._")
        ours = (name for name in files if name[0] not in "._" and _form_of(name) == form)
        paths = (os.path.join(place, name) for name in ours)  # noqa: PTH118 - the path as given
        found += [path for path in paths if Path(path).is_file()]
    return sorted(found, key=_in_order)


def _in_order(path: str) -> list[str]:
    return re.split(r"[/\\]", path)


def _form_of(name: str) -> str | None:
    plain = re.sub(r"\.(gz|zst)$", "", name, flags=re.IGNORECASE)
    form = FORMATS.get(Path(plain).suffix.lstrip(".").lower())
    return form if plain == name or form in TEXT else None


def _empty_folder(path: str, form: str) -> Exception:
    called = {"parquet": "Parquet", "ndjson": "NDJSON", "npz": ".npz"}.get(form, form.upper())
    hint = None
    others = sorted({f for n in os.listdir(path) if (f := _form_of(n)) is not None} - {form})  # noqa: PTH208
    if others:
        ending = next(end for end, name in FORMATS.items() if name == others[0])
        hint = f"a pattern in quotes reads other files: '{os.path.join(path, '*.' + ending)}'"  # noqa: PTH118
    return file_error(f"there are no {called} files in the folder '{path}'", hint)


def _matching(pattern: str, given: str | None) -> Found:
    """The files of a glob, folders among them with all that is in them."""
    files: list[str] = []
    for path in sorted(glob.glob(pattern, recursive=True), key=_in_order):  # noqa: PTH207
        if Path(path).is_dir():
            if not pattern.endswith("**"):
                files += _in_folder(path, given or "parquet")
        else:
            files.append(path)
    files = [path for path in dict.fromkeys(files) if Path(path).is_file()]
    if not files:
        folder = Path(_fixed(pattern) or ".")
        hint = None if folder.is_dir() else f"there is no folder '{folder}'"
        raise file_error(f"no file fits the pattern '{pattern}'", hint)
    forms = {file: format_of(file, given, "--from") for file in files}
    form = forms[files[0]]
    odd = next((file for file in files if forms[file] != form), None)
    if odd is not None:
        raise usage_error(
            f"the files of '{pattern}' are of several formats: '{files[0]}' is {form}, "
            f"'{odd}' is {forms[odd]}",
            "a narrower pattern, or --from FORMAT for all of them",
        )
    return Found(f"'{pattern}'", tuple(files), form, _fixed(pattern), several=True)


def _fixed(pattern: str) -> str:
    """The folders of a pattern in front of its first wildcard."""
    wild = _WILD.search(pattern)
    front = pattern[: wild.start()] if wild else pattern
    end = max(front.rfind("/"), front.rfind(os.sep))
    return front[: end + 1]


# --- partitions ----------------------------------------------------------------------------


def _keys(path: str) -> Iterator[tuple[str, str]]:
    """The partitions in a path, without the name of the file itself."""
    for part in re.split(r"[/\\]", path)[:-1]:
        found = _PARTITION.fullmatch(part)
        if found is not None:
            yield found[1], unquote(found[2])


def _type_of(values: Iterable[str]) -> Any:
    told = [value for value in values if value != _EMPTY]
    kinds = ((r"[+-]?\d{1,18}", pl.Int64), (r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", pl.Float64))
    for written, kind in kinds:
        if all(re.fullmatch(written, value) for value in told):
            return kind
    return pl.String


# --- URLs ----------------------------------------------------------------------------------


def _at_url(url: str, given: str | None) -> Found:
    expect_readable(url)
    path = re.sub(r"[?#].*", "", url) if url.lower().startswith("http") else url
    wild = bool(_WILD.search(path))
    form = given or _form_of(path.rsplit("/", 1)[-1])
    if path.endswith("/") or (wild and form is None):
        form = form or "parquet"
    if form is None:
        raise usage_error(
            f"the format of '{url}' is not known by its name",
            "a folder ends in /; --from takes one of csv, tsv, ndjson, parquet",
        )
    if form == "npz":
        raise usage_error(f"'{url}': .npz is read from files", "at a URL, use Parquet")
    if url.lower().startswith("http") and (wild or path.endswith("/")):
        raise usage_error(f"'{url}': a web server does not list its files", "name one of them")
    root = _fixed(path)
    if not wild and not path.endswith("/"):
        return Found(f"'{url}'", (url,), form, root, several=False)
    files, rows = _listed(url, form)
    return Found(f"'{url}'", files, form, root, several=True, rows=rows)


def _listed(url: str, form: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The files at a URL, and how many rows each has; texts are read for it."""
    try:
        if form == "parquet":
            scan = pl.scan_parquet(
                url, include_file_paths=_PATH, extra_columns="ignore", missing_columns="insert"
            )
        else:
            scan = pl.scan_lines(url, include_file_paths=_PATH)
        frame = scan.select(_PATH).group_by(_PATH, maintain_order=True).agg(pl.len().alias(_ROWS))
        found = frame.collect(engine="streaming").sort(_PATH)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise unreachable(url, error) from None
    if not len(found):
        raise file_error(f"there are no rows at '{url}'")
    return tuple(found[_PATH]), tuple(found[_ROWS])


def unreachable(url: str, error: Exception) -> Exception:
    """The error of a URL that can't be read, in one line."""
    said = reason(error)
    if "expanded paths were empty" in said:
        return file_error(f"there are no files at '{url}'")
    if "404" in said or "NoSuchKey" in said:
        return file_error(f"there is no '{url}'", "a folder ends in /")
    line = " ".join(said.partition("\n")[0].split())[:200]
    return file_error(f"'{url}' can't be read: {line}")
