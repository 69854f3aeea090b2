"""`gradcli batch`: value and gradient for every row of a file of points."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

from gradcli.cli.command import Options, Outcome
from gradcli.cli.command import command as make
from gradcli.cli.options import PROGRAM, RowOptions, in_report, require
from gradcli.cli.parameters import argument
from gradcli.diagnostics.failures import usage_error
from gradcli.files.ending import cursor_shown

if TYPE_CHECKING:
    import polars as pl

    from gradcli.cli.environment import Environment
    from gradcli.cli.inputs import Point
    from gradcli.files.points import Points

Form = Literal["csv", "tsv", "ndjson", "parquet", "npz"]


class FileOptions(Options):
    """The files, and what is written."""

    points: Annotated[
        str | None,
        argument(
            metavar="POINTS",
            help="the file of points, a column per input; - is standard input",
            show_default=False,
            group=PROGRAM,
        ),
    ] = None
    source: Annotated[
        Form | None,
        in_report(
            "--from", metavar="FORMAT", help="csv, tsv, ndjson, parquet or npz, not by the name"
        ),
    ] = None
    to: Annotated[
        Form | None,
        in_report(
            "--format",
            "--to",
            metavar="FORMAT",
            help="the same for what is written",
        ),
    ] = None
    separator: Annotated[
        str | None,
        in_report(
            "--separator", metavar="CHAR", help="what separates the columns of a CSV file; or tab"
        ),
    ] = None
    decimal: Annotated[
        str | None,
        in_report("--decimal", metavar="CHAR", help="the decimal mark of a CSV file: , or ."),
    ] = None
    missing: Annotated[
        str | None,
        in_report("--missing", metavar="NA,...", help="what stands for a missing value, in POINTS"),
    ] = None
    json: Annotated[bool, in_report("--json", help="the same as --format ndjson")] = False
    keep: Annotated[
        str | None,
        in_report("--keep", metavar="a,b", help="write these columns too, or all of them (all)"),
    ] = None
    only: Annotated[
        Literal["value", "grad"] | None,
        in_report("--only", metavar="value|grad", help="only values, or only gradients"),
    ] = None
    errors: Annotated[
        Literal["stop", "nan", "skip"],
        in_report(
            "--errors",
            metavar="stop|nan|skip",
            help="what to do with rows where the mathematics fails",
        ),
    ] = "stop"
    jit: Annotated[
        bool, in_report("--jit", help="compile the loop over the rows, however few there are")
    ] = False
    no_jit: Annotated[
        bool, in_report("--no-jit", help="don't compile it, however many there are")
    ] = False
    out: Annotated[
        str | None,
        in_report("--out", metavar="FILE", help="write to a file; its ending is the format"),
    ] = None
    quiet: Annotated[bool, in_report("--quiet", help="the exit code alone, and errors")] = False


@make(
    "batch",
    usage="PROGRAM POINTS [--NAME VALUE ...] [options]",
    examples=(
        'gradcli batch "x^2 + y" points.csv --out out.csv',
        'gradcli batch "x^2 + a*y" points.csv --a 3 --keep all',
        "gradcli batch --file task.grad points.parquet --errors nan",
    ),
)
def command(point: RowOptions, files: FileOptions) -> Outcome:
    """Value and gradient for every row of a file of points.

    Inputs are columns; an input with a value on the command line has it in all rows.
    Written are the columns of --keep, then value, then d_NAME for every input.

    Exit codes: 0 all is well; 1 the mathematics failed in a row; 2 wrong usage.
    """
    if point.file is not None and files.points is None:
        files.points, point.program = point.program, None
    if files.points is None:
        raise usage_error("the file of points is missing", "gradcli batch PROGRAM points.csv")
    if "-" in (point.program, point.file) and files.points == "-":
        raise usage_error("program and points can't both come from standard input")
    from gradcli.cli.inputs import expect_one_reader

    expect_one_reader(point.data, "the program", point.program, point.file)
    expect_one_reader(point.data, "the points", files.points)
    if files.json and files.to not in (None, "ndjson"):
        raise usage_error(f"--json and --format {files.to} contradict each other")
    require("polars", "batch", "batch")
    if files.jit and files.no_jit:
        raise usage_error("--jit and --no-jit contradict each other")
    from gradcli.files.dialect import asked
    from gradcli.files.frames import ahead, replacing, write
    from gradcli.files.points import format_of, opened

    out = None if files.out == "-" else files.out
    to = "ndjson" if files.json else format_of(out, files.to, "--format")
    source = format_of(files.points, files.source, "--from")
    given = asked(source, files.separator, files.decimal, files.missing)
    outside = point.environment
    if files.points == "-":
        outside.say_how_to_end("the points")
    gaps = files.errors != "stop" and not point.allow_nonfinite
    with opened(files.points, source, outside, gaps=gaps, given=given) as points:
        frames = _frames(point, files, points, to)
        first = next(frames)  # what is wrong with the options is said before a file is made
        if files.quiet and out is None:
            for _ in ahead(frames):
                pass  # every row is computed, for the exit code
            return Outcome([])
        with replacing(out, outside) as stream:
            write(_chain(first, ahead(frames)), stream, to)
    return Outcome([])


def _chain(first: pl.DataFrame, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    yield first
    yield from frames


def _frames(
    options: RowOptions, files: FileOptions, points: Points, to: str
) -> Iterator[pl.DataFrame]:
    """What is to be written, chunk by chunk."""
    point, used, fixed = _sorted_out(options, points)
    keep = _kept(files, points, _written(point, used, fixed, files.only))
    coming = points.chunks(used, keep)
    import numpy as np

    from gradcli.batch.runner import Runner  # while the file is being read
    from gradcli.files.frames import as_frame

    jit = files.jit if files.jit or files.no_jit else None
    runner: Runner | None = None
    row = 1
    shapes: dict[str, tuple[int, ...]] = {}
    to_terminal = files.out in (None, "-")
    with _progress(options.environment, points.total(), to_terminal=to_terminal) as advance:
        for frame in coming:
            columns = {name: points.array(frame[name], row) for name in used}
            seen = {name: column.shape[1:] for name, column in columns.items()}
            if runner is None or seen != shapes:
                shapes = seen
                runner = Runner(point.program, fixed, seen, wrt=point.wrt, only=files.only, jit=jit)
            errors = "keep" if options.allow_nonfinite else files.errors
            found = runner.run(columns, errors, first=row)
            made: dict[str, Any] = {}
            for name in keep:  # what is used as a number is kept as the number that was read
                column = columns[name] if name in columns and points.is_text else frame[name]
                made[name] = column
                if errors == "skip" and found.failed.any():
                    array = isinstance(column, np.ndarray)
                    made[name] = column[~found.failed] if array else column.filter(~found.failed)
            made |= found.columns
            yield as_frame(made, to)
            row += len(frame)
            advance(len(frame))


def _sorted_out(options: RowOptions, points: Points) -> tuple[Point, list[str], dict[str, Any]]:
    """The program, the inputs that are columns, and the values that hold for all rows."""
    from gradcli.cli.inputs import read_point, read_program
    from gradcli.files.points import expect_columns
    from gradcli.graph.resolve import refuse_constants_of_blocks

    program = read_program(
        options.program,
        options.file,
        options.output,
        options.environment,
        options.function,
        options.time_limit,
    )
    named = {f"--{name}" for name in points.columns}
    point = read_point(
        program,
        options.bindings,
        [name for name in options.option_names if name not in named],
        options.environment,
        data=options.data,
        wrt=options.wrt,
        upstream=None,
        seed=options.seed,
    )
    refuse_constants_of_blocks(program.names, points.columns)
    given = {**point.data, **point.inputs}
    fixed = program.bind(point.inputs, point.data, options.seed)
    fixed = {n: v for n, v in fixed.items() if n in given or n not in points.columns}
    used = [name for name in points.columns if name in program.names.free and name not in fixed]
    wanted = program.draft(frozenset([*used, *fixed])).steps
    missing = [s.name or "" for s in wanted if s.kind == "input"]
    needed = [n for n in missing if n not in fixed]
    expect_columns(needed, points, inputs=True)
    if not needed:
        raise usage_error(
            f"no column of {points.name} is an input of the program",
            "for a single point: gradcli eval",
        )
    return point, needed, fixed


def _written(
    point: Point, used: list[str], fixed: dict[str, Any], only: str | None
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


@contextmanager
def _progress(outside: Environment, total: int | None, *, to_terminal: bool) -> Iterator[Any]:
    """A bar on standard error where that is a terminal and no results go there; counts rows."""
    shown = outside.stderr is not None and outside.stderr.isatty()
    if not shown or (to_terminal and outside.columns is not None):
        yield lambda _rows: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TextColumn("{task.completed:,} rows"), TimeElapsedColumn())
    console = Console(file=outside.stderr)
    assert outside.stderr is not None
    bar = Progress(*columns, console=console, transient=True)
    with cursor_shown(outside.stderr), bar:
        task = bar.add_task("rows", total=total)
        yield lambda rows: bar.advance(task, rows)
