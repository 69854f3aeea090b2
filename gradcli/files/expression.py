"""`gradcli.polars`: value and gradient as an expression in anyone's own Polars query.

A program comes in, an expression goes out that makes a struct of every row: `value`, `d_x`, ….
It works in a lazy and in a streaming query, since it looks at each row by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from math import prod
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gradcli.batch.runner import Only, Runner
from gradcli.diagnostics.error import GradcliError, Kind, expect_choice, expect_names
from gradcli.diagnostics.failures import usage_error

if TYPE_CHECKING:
    import polars as pl

    from gradcli.program import Program


def polars(
    program: str | Program,
    *,
    wrt: str | Iterable[str] | None = None,
    only: Only | None = None,
    errors: Literal["stop", "nan"] = "stop",
    jit: bool = False,
    shapes: Mapping[str, Sequence[int]] | None = None,
    **fixed: Any,
) -> pl.Expr:
    """A Polars expression for the value and the gradient of a program in every row.

    It reads the columns that are named like the inputs without a keyword, and gives a struct with
    the fields `value` and `d_<input>`. An input is a number unless `shapes` says otherwise: with
    `shapes={"c": (3,)}` a row of `c` is a list of 3 numbers, and so is one of `d_c`. `wrt`,
    `only`, `errors` and `jit` are those of `Program.batch`; `errors="nan"` also takes nulls.

    Raises `GradcliError` where something is wrong with the program. Where the mathematics fails in
    a row, the query raises Polars' `ComputeError` with the words of `Program.batch`.

    >>> import polars as pl
    >>> frame = pl.DataFrame({"x": [1.0, 2.0]})
    >>> frame.select(polars("a*x^2", a=3, wrt="x").struct.unnest()).rows()
    [(3.0, 6.0), (12.0, 12.0)]
    """
    import polars as pl

    from gradcli.program import Program

    expect_choice("errors", errors, ("stop", "nan"))
    expect_choice("only", only, (None, "value", "grad"))
    made = Program(program) if isinstance(program, str) else program
    names = [name for name in made.inputs if name not in fixed]
    given = {name: tuple(shape) for name, shape in (shapes or {}).items()}
    odd = next((name for name in given if name not in names), None)
    if odd is not None:
        raise usage_error(f"shapes: '{odd}' is no column that the program reads")
    if not names:
        raise usage_error("no input is left for a column", "Program.evaluate takes a single point")
    columns = {name: given.get(name, ()) for name in names}
    chosen = expect_names("wrt", wrt)
    rows = _Rows(errors, made, made.bind(fixed), columns, wrt=chosen, only=only, jit=jit)
    fields = {name: rows.type_of(name) for name in rows.names}
    return pl.map_batches(names, rows, return_dtype=pl.Struct(fields), is_elementwise=True)


class _Rows:
    """The function of the expression: columns come in, a column of structs goes out."""

    def __init__(
        self,
        errors: Literal["stop", "nan"],
        program: Program,
        fixed: Mapping[str, Any],
        shapes: Mapping[str, tuple[int, ...]],
        **settings: Any,
    ) -> None:
        self.made_of = partial(_Rows, **settings), (errors, program, fixed, shapes)
        self.shapes, self.errors = shapes, errors
        self.runner = runner = Runner(program, fixed, shapes, **settings)
        self.one_at_a_time = Lock()  # a run takes all cores, and Polars calls from several threads
        self.names = [name for name in runner.names if name != "value" or runner.only != "grad"]

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy in another process is made ready there again."""
        return self.made_of

    def type_of(self, name: str) -> pl.DataType:
        """The type of a field of the struct."""
        import polars as pl

        graph, ids = self.runner.graph, self.runner.ids
        node = graph.nodes[graph.output if name == "value" else ids[name.removeprefix("d_")]]
        dtype: pl.DataType = pl.Float64()
        for _ in node.type.shape:
            dtype = pl.List(dtype)
        return dtype

    def __call__(self, series: Sequence[pl.Series]) -> pl.Series:
        import polars as pl

        try:
            return self._structs(series)
        except GradcliError as error:  # Polars makes another of its own kinds only
            said = f"{error.message}; {error.hint}" if error.hint else error.message
            raise pl.exceptions.ComputeError(said) from None

    def _structs(self, series: Sequence[pl.Series]) -> pl.Series:
        import polars as pl

        columns = {
            name: _as_array(name, one, shape)
            for (name, shape), one in zip(self.shapes.items(), series, strict=True)
        }
        with self.one_at_a_time:
            found = self.runner.run(columns, self.errors, at=lambda _row: "in a row").columns
        rows = {n: found[n] if found[n].ndim == 1 else found[n].tolist() for n in self.names}
        made = [pl.Series(name, column, self.type_of(name)) for name, column in rows.items()]
        return pl.DataFrame(made).to_struct("value")


def _as_array(name: str, series: pl.Series, shape: tuple[int, ...]) -> Any:
    """A column as float64, (rows, *shape). A missing value is nan. Raises `GradcliError`."""
    import polars as pl

    count = len(series)
    for size in shape:
        if isinstance(series.dtype, pl.Array):
            series = series.arr.to_list()
        if not isinstance(series.dtype, pl.List) or (series.list.len() != size).any():
            raise _other_shape(name, shape)
        series = series.explode()
    if not (series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Null)):
        if isinstance(series.dtype, pl.List | pl.Array):
            raise _other_shape(name, shape)
        raise GradcliError(Kind.BINDING, f"the column '{name}' holds {series.dtype}, not numbers")
    found = series.cast(pl.Float64).fill_null(np.nan).to_numpy()
    if len(found) != count * prod(shape):
        raise _other_shape(name, shape)
    return found.reshape((count, *shape))


def _other_shape(name: str, shape: tuple[int, ...]) -> GradcliError:
    listed = "a number" if not shape else "lists of " + "×".join(map(str, shape))
    hint = f'shapes={{"{name}": (3,)}} says that a row has 3 numbers'
    return GradcliError(
        Kind.SHAPE, f"the column '{name}' does not have {listed} in every row", hint=hint
    )
