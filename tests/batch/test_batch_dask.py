"""Programs in the processes of a cluster: `Program.batch` in Dask's `map_partitions`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dask import dataframe
from dask.distributed import Client, LocalCluster

from gradcli import GradcliError, Program

TUTORIAL = "(x + sigmoid(y)) / (x^2 + y)"


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A process beside this one; ports are whichever are free, and there is no dashboard."""
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        Client(cluster) as found,
    ):
        yield found


def mapped(client: Client, program: Program, points: Any, **options: Any) -> Any:
    """`points` in partitions, through the workers and together again."""

    def rows(part: Any) -> Any:  # in here, so that it is sent itself and not its module's name
        columns = {name: part[name].to_numpy() for name in part}
        return pd.DataFrame(program.batch(columns, **options), index=part.index)

    table = dataframe.from_pandas(points, npartitions=2)
    names = [f"d_{name}" for name in options.get("wrt") or program.inputs]
    meta = dict.fromkeys(["value", *names], float)
    done = client.compute(table.map_partitions(rows, meta=meta))
    return done.result(timeout=60)


def test_map_partitions(client: Client) -> None:
    program, random = Program(TUTORIAL), np.random.default_rng(0)
    points = pd.DataFrame({n: random.uniform(1, 2, 1000) for n in ("x", "y")})
    found = mapped(client, program, points)
    for name, column in program.batch({n: points[n].to_numpy() for n in points}).items():
        np.testing.assert_allclose(found[name], column, rtol=1e-14)


def test_a_value_for_all_rows_and_a_block(client: Client) -> None:
    program = Program("block cube(u) = u^3 with d/du = 3*u^2\na*cube(x)")
    found = mapped(client, program, pd.DataFrame({"x": [1.0, 2.0, 3.0]}), a=2, wrt=["x"])
    assert found["d_x"].tolist() == [6, 24, 54]


def test_an_error_comes_back_as_it_is(client: Client) -> None:
    with pytest.raises(GradcliError, match=r"row 1: log\(x\) is not defined at x = -1") as caught:
        mapped(client, Program("log(x)"), pd.DataFrame({"x": [1.0, -1.0]}))
    assert caught.value.hint
