"""The formats of files of points, known by a file's name unless an option says otherwise."""

from __future__ import annotations

from pathlib import Path

from gradcli.diagnostics.failures import file_error, usage_error

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
