"""`gradcli batch`: value and gradient for every row of files of points."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from gradcli.cli.command import Options, Outcome, declare
from gradcli.cli.options import RowOptions, in_program, in_report, require
from gradcli.diagnostics.failures import usage_error

if TYPE_CHECKING:
    from gradcli.cli.inputs import Point
    from gradcli.files.job import Job, Reading
    from gradcli.files.many import Found
    from gradcli.files.parts import Part
    from gradcli.files.points import Points

Form = Literal["csv", "tsv", "ndjson", "parquet", "npz"]


class FileOptions(Options):
    """The files, and what is written."""

    points: str | None = in_program(
        "POINTS",
        "a file of points, a column per input; or a pattern in quotes, a folder of Parquet "
        "files, a URL; - is standard input",
    )
    source: Form | None = in_report(
        "--from FORMAT", "csv, tsv, ndjson, parquet or npz, not by the name"
    )
    to: Form | None = in_report("--format --to FORMAT", "the same for what is written")
    separator: str | None = in_report(
        "--separator CHAR", "what separates the columns of a CSV file; or tab"
    )
    decimal: str | None = in_report("--decimal CHAR", "the decimal mark of a CSV file: , or .")
    missing: str | None = in_report(
        "--missing NA,...", "what stands for a missing value, in POINTS"
    )
    json: bool = in_report("--json", "the same as --format ndjson")
    keep: str | None = in_report("--keep a,b", "write these columns too, or all of them (all)")
    only: Literal["value", "grad"] | None = in_report(
        "--only value|grad", "only values, or only gradients"
    )
    errors: Literal["stop", "nan", "skip"] = in_report(
        "--errors stop|nan|skip", "what to do with rows where the mathematics fails", default="stop"
    )
    jit: bool = in_report("--jit", "compile the loop over the rows, however few there are")
    no_jit: bool = in_report("--no-jit", "don't compile it, however many there are")
    out: str | None = in_report(
        "--out FILE",
        "write to a file, its ending is the format; to a folder, one for each of POINTS",
    )
    part: str | None = in_report("--part I/N", "of N equal parts of POINTS only this one")
    dask: str | None = in_report(
        "--dask ADDRESS", "do all parts on a Dask cluster; --out is a folder"
    )
    quiet: bool = in_report("--quiet", "the exit code alone, and errors")

    def settled(self, point: RowOptions) -> str:
        """POINTS, which may begin to be read. Raises where options contradict each other."""
        if point.file is not None and self.points is None:
            self.points, point.program = point.program, None
        if self.points is None:
            raise usage_error("the file of points is missing", "gradcli batch PROGRAM points.csv")
        if "-" in (point.program, point.file) and self.points == "-":
            raise usage_error("program and points can't both come from standard input")
        from gradcli.files import head_start

        plain_table = not (self.source or self.separator or self.decimal or self.missing)
        head_start.begin(self.points, (point.program or "") if plain_table else "")
        from gradcli.cli.inputs import expect_one_reader

        expect_one_reader(point.data, "the program", point.program, point.file)
        expect_one_reader(point.data, "the points", self.points)
        if self.json and self.to not in (None, "ndjson"):
            raise usage_error(f"--json and --format {self.to} contradict each other")
        require("polars", "batch", "batch")
        if self.jit and self.no_jit:
            raise usage_error("--jit and --no-jit contradict each other")
        if self.dask is not None:
            require("distributed", "dask", "--dask")
        return self.points


@declare(
    "batch",
    usage="PROGRAM POINTS [--NAME VALUE ...] [options]",
    examples=(
        'gradcli batch "x^2 + y" points.csv --out out.csv',
        'gradcli batch "x^2 + a*y" points.csv --a 3 --keep all',
        "gradcli batch --file task.grad points.parquet --errors nan",
        'gradcli batch "x^2 + y" points/ --out results/',
    ),
)
def command(point: RowOptions, files: FileOptions) -> Outcome:
    """Value and gradient for every row of a file of points.

    Inputs are columns; an input with a value on the command line has it in all rows.
    Written are the columns of --keep, then value, then d_NAME for every input.

    Exit codes: 0 all is well; 1 the mathematics failed in a row; 2 wrong usage.
    """
    points = files.settled(point)
    from gradcli.cli.progress import progress
    from gradcli.files.dialect import asked
    from gradcli.files.frames import ahead
    from gradcli.files.job import Computation, Reading, Sources, deliver, is_folder
    from gradcli.files.many import find, plain
    from gradcli.files.parts import part_of, portion

    found = find(points, files.source)
    if files.out is not None:
        files.out = plain(files.out)
    out = None if files.out == "-" else files.out
    to = _format_of_output(files, found, out)
    gaps = files.errors != "stop" and not point.allow_nonfinite
    given = asked(found.form, files.separator, files.decimal, files.missing, gaps=gaps)
    part = None if files.part is None else part_of(files.part)
    if part is not None and points == "-":
        raise usage_error("--part is for files, not for standard input")
    outside = point.environment
    if points == "-":
        outside.say_how_to_end("the points")
    reading = Reading(found, given)
    if is_folder(out) or files.dask is not None:
        return _into_folder(point, files, reading, part, to)
    with Sources(reading, portion(found, part), outside) as sources:
        job = _job(point, files, sources.first, to)
        rows = "{task.completed:,} rows"
        with progress(outside, sources.total, rows, to_terminal=out is None) as advance:
            frames = Computation(job).frames(sources, advance)
            if files.quiet and out is None:
                for _ in ahead(frames):
                    pass  # every row is computed, for the exit code
                return Outcome([])
            deliver(frames, out, outside, to)
    return Outcome([])


def _format_of_output(files: FileOptions, found: Found, out: str | None) -> str:
    """The format that is written. Raises `GradcliError`."""
    from gradcli.files.job import is_folder
    from gradcli.files.many import expect_readable, format_of, is_url

    to: str | None = "ndjson" if files.json else files.to
    if to is None:
        to = found.form if is_folder(out) else format_of(out, None, "--format")
    if out is not None and is_url(out):
        expect_readable(out)
        if out.lower().startswith("http"):
            raise usage_error(f"--out {out}: nothing is written to a web server")
        if to != "parquet":
            raise usage_error(f"--out {out}: to a URL, only Parquet is written", "--format parquet")
    return to


def _into_folder(
    point: RowOptions, files: FileOptions, reading: Reading, part: Part | None, to: str
) -> Outcome:
    """A part of the output for every file, here or on a cluster."""
    from gradcli.cli.progress import progress
    from gradcli.files.cluster import pieces, run_on, units
    from gradcli.files.job import Computation, Sources, expect_own_places, is_folder, run_unit
    from gradcli.files.parts import portion

    out, outside, found = files.out, point.environment, reading.found
    if out is None or not is_folder(out):
        raise usage_error(
            "--dask writes a file for every part: --out takes a folder", "--out results/"
        )
    if files.points == "-":
        raise usage_error("standard input has no name for a file in a folder", "--out FILE")
    if files.dask is not None and part is not None:
        raise usage_error("--dask and --part contradict each other: a cluster does all parts")
    ours = portion(found, part)
    todo = units(found, ours, out, to, part) if files.dask is None else pieces(found, out, to)
    expect_own_places([(unit.portion.files[0], unit.target) for unit in todo])
    with Sources(reading, ours, outside) as sources:
        job = _job(point, files, sources.first, to)
    if files.dask is not None:
        with progress(outside, lambda: len(todo), "{task.completed:,} parts") as advance:
            for _ in run_on(files.dask, job, reading, todo):
                advance(1)
        return Outcome([])
    computation = Computation(job)
    with progress(outside, lambda: len(todo), "{task.completed:,} files") as advance:
        for unit in todo:
            run_unit(computation, reading, *unit, outside)
            advance(1)
    return Outcome([])


def _job(options: RowOptions, files: FileOptions, points: Points, to: str) -> Job:
    """What is computed, as the options and the columns of the first file have it."""
    from gradcli.files.job import Job

    point, used, fixed = _sorted_out(options, points)
    keep = _kept(files, points, _written(point, used, fixed, files.only))
    return Job(
        point.program,
        used,
        fixed,
        tuple(keep),
        to,
        wrt=None if point.wrt is None else tuple(point.wrt),
        only=files.only,
        errors="keep" if options.allow_nonfinite else files.errors,
        jit=files.jit if files.jit or files.no_jit else None,
        keeps_all=files.keep == "all",
    )


def _sorted_out(
    options: RowOptions, points: Points
) -> tuple[Point, dict[str, str], dict[str, Any]]:
    """The program, the columns of its inputs by their names, and the values for all rows."""
    from gradcli.files.points import expect_columns
    from gradcli.graph.resolve import refuse_constants_of_blocks

    program = options.read()
    named = {f"--{name}" for name in points.columns}
    options.option_names = tuple(name for name in options.option_names if name not in named)
    point = options.point_of(program)
    refuse_constants_of_blocks(program.names, points.columns)
    own = program.names.own
    exact_last = sorted(points.columns, key=lambda name: own(name) == name)
    column_of = {own(name): name for name in exact_last}
    given = {own(name) for name in (*point.data, *point.inputs)}
    fixed = program.bind(point.inputs, point.data, options.seed)
    fixed = {n: v for n, v in fixed.items() if n in given or n not in column_of}
    used = [n for n in map(own, points.columns) if n in program.names.free and n not in fixed]
    wanted = program.draft(frozenset([*used, *fixed])).steps
    missing = [s.name or "" for s in wanted if s.kind == "input"]
    needed = [n for n in missing if n not in fixed]
    expect_columns([column_of.get(n, n) for n in needed], points, inputs=True)
    if not needed:
        raise usage_error(
            f"no column of {points.name} is an input of the program",
            "for a single point: gradcli eval",
        )
    return point, {n: column_of[n] for n in needed}, fixed


def _written(
    point: Point, used: Iterable[str], fixed: dict[str, Any], only: str | None
) -> frozenset[str]:
    """The columns that results go to."""
    given = {*used, *fixed}
    inputs = [name for name in point.program.names.inputs(given) if name in given]
    gradients = () if only == "value" else (f"d_{name}" for name in point.wrt or inputs)
    return frozenset([*gradients, *(() if only == "grad" else ("value",))])


def _kept(files: FileOptions, points: Points, written: frozenset[str]) -> list[str]:
    """The columns of `--keep`. Raises `GradcliError` where there is no such column."""
    from gradcli.files.points import as_name, expect_columns

    if files.keep is None:
        return []
    names = list(dict.fromkeys(as_name(word) for word in files.keep.split(",")))
    if names == ["all"]:
        names = list(points.columns)
    elif "" in names:
        raise usage_error(
            f"--keep takes names of columns, not '{files.keep}'", "--keep a,b, or --keep all"
        )
    expect_columns(names, points)
    for name in names:
        if name in written:
            raise usage_error(
                f"--keep: the column '{name}' is among the results",
                f"rename it in {points.name}, or name the columns to keep without it",
            )
    return names
