"""`gradcli batch`: value and gradient for every row of a file of points."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gradcli.cli.command import Options, Outcome
from gradcli.cli.command import command as make
from gradcli.cli.failure import usage_error
from gradcli.cli.options import PROGRAM, PointOptions, in_report, require

if TYPE_CHECKING:
    import polars as pl

    from gradcli.cli.environment import Environment
    from gradcli.cli.inputs import Point
    from gradcli.cli.points import Points

Form = Literal["csv", "tsv", "ndjson", "parquet", "npz"]


class FileOptions(Options):
    """The files, and what is written."""

    points: Annotated[
        str | None,
        typer.Argument(
            metavar="POINTS",
            help="the file of points, a column per input; - is standard input",
            show_default=False,
            rich_help_panel=PROGRAM,
        ),
    ] = None
    source: Annotated[
        Form | None,
        in_report(
            "--from", metavar="FORMAT", help="csv, tsv, ndjson, parquet or npz, not by the name"
        ),
    ] = None
    to: Annotated[
        Form | None, in_report("--to", metavar="FORMAT", help="the same for what is written")
    ] = None
    json: Annotated[bool, in_report("--json", help="the same as --to ndjson")] = False
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
        bool, in_report("--jit", help="compile the loop over the rows (Numba): for very many rows")
    ] = False
    out: Annotated[
        str | None,
        in_report("--out", metavar="FILE", help="write to a file instead of standard output"),
    ] = None


@make(
    "batch",
    usage="PROGRAM POINTS [--NAME VALUE ...] [options]",
    examples=(
        'gradcli batch "x^2 + y" points.csv --out out.csv',
        'gradcli batch "x^2 + a*y" points.csv --a 3 --keep all',
        "gradcli batch --file task.grad points.parquet --errors nan",
    ),
)
def command(point: PointOptions, files: FileOptions) -> Outcome:
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
    if point.upstream is not None:
        raise usage_error("batch has no --upstream", "multiply and sum in the program")
    if files.json and files.to not in (None, "ndjson"):
        raise usage_error(f"--json and --to {files.to} contradict each other")
    require("polars", "batch", "batch")
    if files.jit:
        require("numba", "jit", "--jit")
    from gradcli.cli.points import ahead, format_of, opened, replacing, write

    out = None if files.out == "-" else files.out
    to = "ndjson" if files.json else format_of(out, files.to, "--to")
    source = format_of(files.points, files.source, "--from")
    outside = point.environment
    with opened(files.points, source, outside) as points:
        frames = _frames(point, files, points, to)
        first = next(frames)  # what is wrong with the options is said before a file is made
        with _closed_pipe(outside, out), replacing(out, outside) as stream:
            write(_chain(first, ahead(frames)), stream, to)
    return Outcome([])


def _chain(first: pl.DataFrame, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    yield first
    yield from frames


@contextmanager
def _closed_pipe(outside: Environment, out: str | None) -> Iterator[None]:
    """Nobody reads standard output any more: that is no error."""
    try:
        yield
    except OSError as error:
        # Polars passes the system's error on as words only.
        gone = isinstance(error, BrokenPipeError) or "os error 32" in str(error)
        if out is not None or not gone:
            raise
        outside.write([""])


def _frames(
    options: PointOptions, files: FileOptions, points: Points, to: str
) -> Iterator[pl.DataFrame]:
    """What is to be written, chunk by chunk."""
    point, used, fixed = _sorted_out(options, points)
    keep = _kept(files, points)
    coming = points.chunks(used, keep)
    from gradcli.batch import Runner  # while the file is being read
    from gradcli.cli.points import as_frame

    runner: Runner | None = None
    row = 1
    shapes: dict[str, tuple[int, ...]] = {}
    with _progress(options.environment, points.total()) as advance:
        for frame in coming:
            columns = {name: points.array(frame[name], row) for name in used}
            seen = {name: column.shape[1:] for name, column in columns.items()}
            if runner is None or seen != shapes:
                shapes = seen
                runner = Runner(
                    point.program, fixed, seen, wrt=point.wrt, only=files.only, jit=files.jit
                )
            errors = "keep" if options.allow_nonfinite else files.errors
            found = runner.run(columns, errors, first=row)
            kept = frame.select(keep)
            if files.errors == "skip":
                kept = kept.filter(~found.failed)
            made: dict[str, Any] = {s.name: s for s in kept} | found.columns
            yield as_frame(made, to)
            row += len(frame)
            advance(len(frame))


def _sorted_out(options: PointOptions, points: Points) -> tuple[Point, list[str], dict[str, Any]]:
    """The program, the inputs that are columns, and the values that hold for all rows."""
    from gradcli.cli.inputs import read_point, read_program
    from gradcli.cli.points import expect_columns

    program = read_program(options.program, options.file, options.output, options.environment)
    named = {f"--{name}" for name in points.columns}
    point = read_point(
        program,
        options.bindings,
        [name for name in options.option_names if name not in named],
        data=options.data,
        wrt=options.wrt,
        upstream=None,
        seed=options.seed,
    )
    given = {**point.data, **point.inputs}
    free = program.names.inputs(())
    fixed = program.bind(point.inputs, point.data, options.seed)
    fixed = {n: v for n, v in fixed.items() if n in given or n not in points.columns}
    used = [name for name in points.columns if name in free and name not in fixed]
    wanted = program.draft(frozenset([*used, *fixed])).steps
    missing = [s.name or "" for s in wanted if s.kind == "input"]
    needed = [n for n in missing if n not in fixed]
    expect_columns(needed, points, ", and it has no value")
    if not needed:
        raise usage_error(
            f"no column of {points.name} is an input of the program",
            "for a single point: gradcli eval",
        )
    return point, needed, fixed


def _kept(files: FileOptions, points: Points) -> list[str]:
    """The columns of `--keep`. Raises `GradcliError` where there is no such column."""
    from gradcli.cli.points import expect_columns

    if files.keep is None:
        return []
    if files.keep == "all":
        return list(points.columns)
    names = list(dict.fromkeys(word.strip() for word in files.keep.split(",")))
    expect_columns(names, points, "")
    return names


@contextmanager
def _progress(outside: Environment, total: int | None) -> Iterator[Any]:
    """A bar on standard error where that is a terminal; what is yielded counts rows."""
    if outside.stderr is None or not outside.stderr.isatty():
        yield lambda _rows: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TextColumn("{task.completed:,} rows"), TimeElapsedColumn())
    console = Console(file=outside.stderr)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("rows", total=total)
        yield lambda rows: bar.advance(task, rows)
