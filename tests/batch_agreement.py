"""Whether `batch` says of every row what `evaluate` says of its point, for tests and for the bench.

Programs and columns come in, counts go out. A row that `evaluate` refuses must fail, every other
row must have its value and gradient: to the last bit, or as near as rounding explains. NumPy's
vectorised exp, log and sin, products of stacked matrices and the short forms of sigmoid and powers
may differ from those for a single point in the last bit, and a program may enlarge that as it
enlarges any change of its inputs: so much is measured, by moving the inputs by a few units in the
last place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from batch_programs import array_point, array_program, edgy_point, edgy_program, guarded_program

from gradcli import GradcliError, Program
from gradcli.batch.kernel import Line
from gradcli.batch.runner import Runner

NEAR = 1e-13
"""A relative difference that needs no explanation."""
ENLARGED = 300.0
"""How much more than what the moved inputs show a difference may be."""


@dataclass
class Agreement:
    """What was compared, and what differs."""

    programs: int = 0
    rows: int = 0
    refused: int = 0
    numbers: int = 0
    exact: int = 0
    differences: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.programs:,} programs, {self.rows:,} rows ({self.refused:,} refused), "
            f"{self.numbers:,} arrays, {self.exact / max(1, self.numbers):.1%} equal to the last "
            f"bit: {len(self.differences)} differences"
        )


def compare(
    found: Agreement,
    text: str,
    columns: Mapping[str, Any],
    fixed: Mapping[str, Any] | None = None,
    *,
    chunk: int | None = None,
    threads: int | None = None,
    jit: bool = False,
    only: Any = None,
) -> None:
    """Put the rows of one program through `batch`, and each of them through `evaluate`.

    `chunk` is the number of rows that go through at once, where it isn't chosen by itself.
    """
    program, fixed = Program(text), fixed or {}
    count = len(next(iter(columns.values())))
    expected = [
        _evaluated(program, {**fixed, **{n: c[row] for n, c in columns.items()}}, only)
        for row in range(count)
    ]
    shapes = {name: np.shape(column)[1:] for name, column in columns.items()}
    runner = Runner(program, program.bind(fixed), shapes, jit=jit, only=only)
    if chunk is not None and isinstance(runner.line, Line):
        runner.line.rows = chunk
    runner.line.run = partial(runner.line.run, threads=threads)  # type: ignore[method-assign]
    refused = [point is None for point in expected]
    how = f"{text!r} at {_shown(columns)} {_shown(fixed)} {chunk=} {threads=} {jit=} {only=}"
    found.programs += 1
    found.rows += count
    found.refused += sum(refused)
    filled = runner.run(columns, "nan")
    if filled.failed.tolist() != refused:
        found.differences.append(f"fails {filled.failed.tolist()}, not {refused}: {how}")
        return
    left = runner.run(columns, "skip").columns
    for name, column in filled.columns.items():
        if not np.array_equal(left[name], column[~filled.failed], equal_nan=True):
            found.differences.append(f"{name} with skip: {how}")
        if not np.isnan(column[filled.failed]).all():
            found.differences.append(f"{name} of a failed row: {how}")
    try:
        runner.run(columns, "stop")
    except GradcliError as error:
        if not error.message.startswith(
            f"row {refused.index(True) + 1}: " if any(refused) else "-"
        ):
            found.differences.append(f"stops with {error.message}: {how}")
    else:
        if any(refused):
            found.differences.append(f"does not stop: {how}")
    for row, point in enumerate(expected):
        for name, wanted in (point or {}).items():
            got = filled.columns[name][row]
            found.numbers += 1
            if got.tobytes() == np.asarray(wanted).tobytes():
                found.exact += 1
            elif not _near(got, wanted):
                given = {**fixed, **{n: c[row] for n, c in columns.items()}}
                if not _explained(program, given, name, got, wanted, only):
                    found.differences.append(f"{name} {got} not {wanted} in row {row}: {how}")


def _evaluated(program: Program, point: Mapping[str, Any], only: Any) -> dict[str, Any] | None:
    """Value and gradient as `batch` names them; None where `evaluate` refuses."""
    try:
        result = program.evaluate(point, gradient=only != "value", check=False)
    except GradcliError:
        return None
    made: dict[str, Any] = {} if only == "grad" else {"value": result.value}
    if only != "value":
        made |= {f"d_{name}": delta for name, delta in result.gradient.items()}
    return made


def _near(got: Any, wanted: Any) -> bool:
    size = np.max(np.abs(wanted), initial=0.0)
    return bool(np.shape(got) == np.shape(wanted) and np.all(np.abs(got - wanted) <= NEAR * size))


def _explained(
    program: Program, point: Mapping[str, Any], name: str, got: Any, wanted: Any, only: Any
) -> bool:
    """Whether inputs that are moved by a few units in the last place change as much."""
    if np.shape(got) != np.shape(wanted):
        return False
    draw, change = np.random.default_rng(0), np.zeros(np.shape(wanted))
    for _ in range(8):
        moved = {n: v * (1 + draw.uniform(-1e-15, 1e-15, np.shape(v))) for n, v in point.items()}
        result = _evaluated(program, moved, only)
        if result is None:
            return True
        change = np.maximum(change, np.abs(result[name] - wanted))
    return bool(np.all(np.abs(got - wanted) <= ENLARGED * np.max(change, initial=0.0)))


def _shown(values: Mapping[str, Any]) -> str:
    return str({name: np.asarray(value).tolist() for name, value in values.items()})


class Case(NamedTuple):
    """A program, its columns, its values for all rows, and how it is run."""

    text: str
    columns: dict[str, Any]
    fixed: dict[str, Any]
    how: dict[str, Any]


def array_cases(count: int, first: int = 0) -> Iterator[Case]:
    """Array programs at ordinary points: in one chunk or many, in one thread or several."""
    for seed in range(first, first + count):
        draw, written = np.random.default_rng(seed), array_program(seed)
        used = Program(written.text).inputs
        points = array_point(written, int(draw.choice((1, 2, 3, 5))), seed)
        points = {n: c for n, c in points.items() if n in used}
        if points:
            columns = {n: c for n, c in points.items() if draw.random() < 0.75} or points
            fixed = {n: c[0] for n, c in points.items() if n not in columns}
            how = {"chunk": (None, 1, 2, 3)[seed % 4], "threads": (1, 2, None)[seed % 3]}
            yield Case(written.text, columns, fixed, how)


def edgy_cases(count: int, first: int = 0, *, jit: bool = False) -> Iterator[Case]:
    """Programs at kinks, borders of domains and huge numbers; scalar ones in a compiled loop."""
    for seed in range(first, first + count):
        draw = np.random.default_rng(seed)
        written = edgy_program(seed, scalar=jit or seed % 2 == 0)
        used = Program(written.text).inputs
        points = edgy_point(written, 4, seed)
        columns = {n: c for n, c in points.items() if n in used}
        if columns:
            only = (None, None, None, "value", "grad")[int(draw.integers(5))]
            how = {"chunk": (None, 1, 3)[seed % 3], "threads": 1, "jit": jit, "only": only}
            yield Case(written.text, columns, {}, how)


def guarded_cases(count: int, first: int = 0, *, jit: bool = False) -> Iterator[Case]:
    """Programs of `where` and other guards; some inputs are columns, others the same in all rows.

    Every other program has numbers alone, which a compiled loop has forms for.
    """
    for seed in range(first, first + count):
        draw = np.random.default_rng(seed)
        written = guarded_program(seed, scalar=seed % 2 == 0)
        used = Program(written.text).inputs
        points = {n: c for n, c in edgy_point(written, 5, seed).items() if n in used}
        column = str(draw.choice([*points])) if points else ""
        columns = {n: c for n, c in points.items() if n == column or draw.random() < 0.4}
        fixed = {n: np.nan_to_num(c[0]) for n, c in points.items() if n not in columns}
        if columns:
            only = (None, None, None, "value", "grad")[int(draw.integers(5))]
            how = {"chunk": (None, 1, 2)[seed % 3], "threads": 1, "jit": jit, "only": only}
            yield Case(written.text, columns, fixed, how)


def measured(cases: Iterable[Case]) -> Agreement:
    """All cases compared."""
    found = Agreement()
    for case in cases:
        compare(found, case.text, case.columns, case.fixed, **case.how)
    return found
