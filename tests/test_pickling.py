"""What crosses a border between processes, or is copied, arrives whole: errors and results."""

from __future__ import annotations

import copy
import copyreg
import multiprocessing
import pickle
import pkgutil
from collections import ChainMap
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from importlib import import_module
from io import BytesIO
from types import TracebackType
from typing import Any

import numpy as np
import pytest
import test_batch_errors
import test_cli_errors
import test_homework_reading_errors
import test_language_errors
from random_programs import random_programs
from tblib import pickling_support

import gradcli
from gradcli.cli.app import run
from gradcli.cli.environment import ColorChoice, Environment
from gradcli.diagnostics.equality import same
from gradcli.diagnostics.error import GradcliError, Kind, as_json, render
from gradcli.diagnostics.source import Source
from gradcli.trace.statements import StatementSteps
from gradcli.trace.steps import Steps

folder = test_cli_errors.folder
batch_folder = test_batch_errors.folder


def pickled(protocol: int) -> Callable[[Any], Any]:
    """A copy by way of bytes."""
    return lambda one: pickle.loads(pickle.dumps(one, protocol))  # noqa: S301 - made on this line


def sent_by_a_cluster(error: BaseException) -> Any:
    """A copy by way of Dask: `tblib` pickles the traceback too, and what an error comes from."""
    chain, todo = set(), [error]
    while todo:
        one = todo.pop()
        chain.add(one)
        todo += [e for e in (one.__cause__, one.__context__) if e is not None and e not in chain]
    pickler = pickle.Pickler(file := BytesIO())
    table: dict[type, Any] = {TracebackType: pickling_support.pickle_traceback}
    table |= dict.fromkeys(map(type, chain), pickling_support.pickle_exception)
    pickler.dispatch_table = ChainMap(table, dict(copyreg.dispatch_table))
    pickler.dump(error)
    return pickle.loads(file.getvalue())  # noqa: S301 - made here


COPIES: list[Callable[[Any], Any]] = [
    pickled(2),
    pickled(pickle.HIGHEST_PROTOCOL),
    copy.copy,
    copy.deepcopy,
]


def expect_whole(error: GradcliError) -> None:
    for again in (make(error) for make in [*COPIES, sent_by_a_cluster]):
        assert type(again) is type(error)
        assert again == error
        assert vars(again) == vars(error)
        assert again.args == error.args
        assert (str(again), again.exit_code) == (str(error), error.exit_code)
        assert as_json(again) == as_json(error)
        for ascii_only in (False, True):
            assert render(again, 60, ascii_only=ascii_only) == render(
                error, 60, ascii_only=ascii_only
            )


# --- errors ------------------------------------------------------------------------------


class Told(Environment):
    """Streams that keep the errors themselves."""

    def explain(
        self,
        error: GradcliError,
        choice: ColorChoice = "auto",  # noqa: ARG002
        *,
        json: bool = False,  # noqa: ARG002
    ) -> None:
        """Keep an error instead of printing it."""
        self.error = error


def told(*arguments: str) -> GradcliError:
    environment = Told(*(getattr(Environment.captured(), n) for n in ("stdin", "stdout", "stderr")))
    assert run(arguments, environment) == int(environment.error.exit_code)
    return environment.error


@pytest.mark.usefixtures("folder")
def test_errors_of_commands() -> None:
    kinds = set()
    for words in test_cli_errors.FAILURES.values():
        error = told(*words)
        kinds.add(error.kind)
        expect_whole(error)
    assert kinds == set(Kind) - {Kind.SUBMISSION}


@pytest.mark.usefixtures("batch_folder")
def test_errors_of_files() -> None:
    for words in test_batch_errors.FAILURES.values():
        if not {"--json", "json"} & {*words}:  # which prints errors another way
            expect_whole(told("batch", *words))


def test_errors_of_the_language() -> None:
    for row in test_language_errors.ROWS:
        reader, text = row.values
        with pytest.raises(GradcliError) as caught:
            reader(Source(text, "task.grad"))  # type: ignore[operator, arg-type]
        expect_whole(caught.value)


def test_errors_of_submissions() -> None:
    for (_, name), texts in test_homework_reading_errors.SUBMISSIONS.items():
        for text in texts:
            with pytest.raises(GradcliError) as caught:
                test_homework_reading_errors.handed_in(text.encode(), name)
            expect_whole(caught.value)


def exceptions() -> Iterator[type[Exception]]:
    """Every class of exceptions that a module of gradcli defines."""
    for module in pkgutil.walk_packages(gradcli.__path__, "gradcli."):
        if module.name != "gradcli.__main__":
            for found in vars(import_module(module.name)).values():
                if isinstance(found, type) and issubclass(found, Exception):
                    yield found


def test_every_class_of_exceptions() -> None:
    """Whatever the parameters of `__init__`: an instance with all of them comes back."""
    own = {found for found in exceptions() if found.__module__.startswith("gradcli")}
    assert GradcliError in own
    for found in own:
        code = getattr(found.__init__, "__code__", None)
        count = 0 if code is None else code.co_argcount - 1
        named = code.co_varnames[count + 1 :][: code.co_kwonlyargcount] if code else ()
        ours = issubclass(found, GradcliError)
        values = [Kind.EDGE if ours and not i else f"value {i}" for i in range(count)]
        error = found(*values, **dict.fromkeys(named, ()))
        for make in COPIES:
            again = make(error)
            assert (type(again), again.args, vars(again)) == (found, error.args, vars(error))


def test_a_pool_of_processes() -> None:
    """An error that could not be read again would leave the pool waiting for ever."""
    program = gradcli.Program("block cube(p) = p^3 with d/dp = 3*p^2\nlog(cube(x)) + sum(z*x)")
    points = [{"x": x, "z": [1, 2]} for x in (2, 3, -1)]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        answers = [pool.apply_async(program.evaluate, (point,)) for point in points]
        for answer, point in zip(answers[:2], points, strict=False):
            assert answer.get(timeout=60) == program.evaluate(point)
        with pytest.raises(GradcliError) as caught:
            answers[2].get(timeout=60)
        with pytest.raises(GradcliError) as here:
            program.evaluate(points[2])
        assert caught.value == here.value
        assert str(caught.value) == str(here.value)


# --- results -----------------------------------------------------------------------------

MATRICES: dict[str, Any] = {"W": [[1.0, 2.0], [3.0, -4.0]], "x": [1.0, 2.0]}
PROGRAMS: dict[str, tuple[str, dict[str, Any]]] = {
    "tutorial": ("(x + sigmoid(y)) / (x^2 + y)", {"x": 3, "y": -4}),
    "choices": ("z = W @ x; sum(where(z > 0, z, clip(z, 0, 1))) + max(z) + norm(x)", MATRICES),
    "block": ("block cube(p) = p^3 with d/dp = 3*p^2\nsum(cube(W) @ cube(x))", MATRICES),
    "shapes": ("softmax(W)[0:1, :] + cumsum(x, axis=0).reshape(1, 2) @ W.T", MATRICES),
    "kinks": ("relu(x) + abs(y) + 0*x", {"x": 0, "y": 0}),
    "constants": ("[1, 2]", {}),
}


def expect_equal(one: Any, path: str) -> None:
    for make in COPIES:
        try:
            again = make(one)
        except Exception as error:  # noqa: BLE001 - it says where
            pytest.fail(f"{path}: {error!r}")
        assert type(again) is type(one), path
        assert same(again, one), path
        if type(one).__module__.startswith("gradcli"):
            assert again == one, path
            assert not again != one, path  # noqa: SIM202 - tuples have both


def reachable(top: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Everything of gradcli's own that the fields and elements of an object lead to."""
    todo, seen = [(path, top)], set()
    while todo:
        path, one = todo.pop()
        named = hasattr(one, "_fields")
        mine = type(one).__module__.startswith("gradcli")
        if mine:
            yield path, one
        if is_dataclass(one):
            parts = [(f"{path}.{f.name}", getattr(one, f.name)) for f in fields(one)]
        elif named:
            parts = [(f"{path}.{name}", getattr(one, name)) for name in one._fields]
        elif isinstance(one, tuple | list):
            parts = [(f"{path}[{i}]", part) for i, part in enumerate(one)]
        elif isinstance(one, dict):
            parts = [(f"{path}[{key!r}]", part) for key, part in one.items()]
        else:
            parts = []
        for name, part in parts:  # one object of a kind at a place is enough
            kind = name.split("[")[0], type(part)
            if kind not in seen:
                seen.add(kind)
                todo.append((name, part))


@pytest.mark.parametrize("name", PROGRAMS)
def test_results(name: str) -> None:
    text, inputs = PROGRAMS[name]
    program = gradcli.Program(text, name="task.grad")
    scalar = name not in ("shapes", "constants")
    result = program.evaluate(inputs, check=scalar, gradient=scalar)
    found = {
        "program": program,
        "result": result,
        "rows": list(result.rows()),
        "lines": list(result.lines()),
        "steps": Steps(result),
        "forward": list(Steps(result).steps()),
        "backward": list(Steps(result).moves()),
        "statements": StatementSteps(result, program.statements),
        "jacobian": program.jacobian(inputs),
    }
    if scalar:
        found["hessian"] = program.hessian(inputs)
        found["product"] = program.hessian(inputs, vector={"x": inputs["x"]})
    for path, one in found.items():
        expect_equal(one, path)
        if path != "program":
            for place, part in reachable(one, path):
                if type(part).__name__ not in ("Operation", "Selection"):  # are what they are
                    expect_equal(part, place)
    for node in result.graph.nodes:
        assert getattr(COPIES[0](node.operation), "name", None) == getattr(
            node.operation, "name", None
        )
    copied = COPIES[0](result)
    assert (copied.value is not None, copied.verdict) == (True, result.verdict)
    assert list(copied.rows()) == list(result.rows())


def test_results_of_random_programs() -> None:
    for text, inputs in random_programs(20):
        program = gradcli.Program(text)
        used = {name: value for name, value in inputs.items() if name in program.inputs}
        result = program.evaluate(used, check=False, allow_nonfinite=True)
        for one in (result, list(result.rows()), list(result.lines())):
            expect_equal(one, text)


def test_results_differ_where_values_do() -> None:
    program = gradcli.Program("sum(W @ x)")
    one = program.evaluate(MATRICES)
    assert one == gradcli.Program("sum(W @ x)").evaluate(MATRICES)
    assert one != program.evaluate({**MATRICES, "x": [1.0, 3.0]})
    assert one != gradcli.Program("sum(W @ x) + 0").evaluate(MATRICES)
    assert one["W"] != one["x"]
    assert program != gradcli.Program("sum(W @ x)", name="task.grad")


def test_columns_of_a_batch() -> None:
    columns = {"x": np.array([[1.0, 2.0], [3.0, 4.0]])}
    expect_equal(gradcli.Program("sum(W @ x)").batch(columns, W=MATRICES["W"]), "batch")


def test_marks() -> None:
    task = "z = W @ x; y = sum(z)"
    names = {"z": np.array([5.0, 3.0]), "y": 2.0, "dz": 1.0, "q": 1}
    marked = gradcli.grade_values(task, names, **MATRICES)
    assert {row.status for row in marked.rows} != {"ok"}
    for place, part in reachable(marked, "marked"):
        expect_equal(part, place)
    assert str(COPIES[0](marked)) == str(marked)
    assert marked != gradcli.grade_values(task, {**names, "y": -6.0}, **MATRICES)


def test_a_file_of_a_task_may_be_gone() -> None:
    """A copy needs no file: the text is in it."""
    error = GradcliError(Kind.NAME, "wrong", source=Source("x", "no/such.grad"))
    expect_whole(error)
