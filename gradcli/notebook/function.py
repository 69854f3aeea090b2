"""Grading a function by calling it in the notebook's own process.

A task, a function and its arguments come in, `Marked` goes out. A function without arguments gets
the task's values, as fresh arrays, by the names of its parameters. What it returns is read as
gradients: a dictionary by its keys, a tuple in the order in which the task asks for them. What
it raises is one note in the result; what it prints, to either stream, is dropped.
"""

from __future__ import annotations

import ast
import inspect
import io
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gradcli.diagnostics.error import visible
from gradcli.grading.marking.expected import Scheme
from gradcli.grading.marking.result import Marked, Note
from gradcli.grading.model.deadline import SECONDS, Deadline
from gradcli.grading.model.task import Task, make_task
from gradcli.grading.model.tolerance import CODE, Tolerance
from gradcli.notebook.answers import Found
from gradcli.notebook.namespace import program_of
from gradcli.notebook.numbers import attempted, attribute, number
from gradcli.program import Program

HOLDER = "grads"
"""What the dictionary of gradients is called, whatever name the function has."""
LONGEST = 300


def grade_function(
    task: str | Path | Program | Task,
    function: Callable[..., Any],
    /,
    *args: Any,
    **named: Any,
) -> Marked:
    """Mark what a function returns: call it here, compare its gradients with the task's.

    `task` is a program's text, a file with it, or a `Program`; its `#:` lines say what is asked.
    The function is called with the arguments that follow; those whose parameter is named like an
    input are the task's point. Without any it gets the task's values for the names of its
    parameters, or those that the `#: call` line states.

    It may return a dictionary (`{"W1": …}`, `{"dW1": …}`), the gradients in the order of the
    `#: wrt` line (else of the task's inputs), an array, or a loss with any of these behind it.
    The call is not limited in time. What the function raises, also `SystemExit`, becomes the note
    `raised` of a result without marks, and what it prints is dropped.

    Raises `GradcliError` for a task that can't be evaluated, never for the function.

    >>> marked = grade_function("x*y + x", lambda x, y: (y + 1, x), x=3, y=2)
    >>> marked.score, marked.max_score, marked.right
    (2.0, 2.0, True)
    >>> print(grade_function("x*y + x", lambda x, y: (y, x), x=3, y=2))
    dx                                                             dropped-path
      x feeds a and b; what b sends is missing. All paths add up.
    score 1 / 2
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        made = _task(task, function, args, named)
        found = Found(made, CODE)
        returned, note = _called(made, function, args, named)
        if note is None:
            _read(found, returned)
            if not _has_gradients(found):
                what = f"what is returned is not read as gradients: {_kind(returned)}"
                note = Note("not-read", f"{what}; asked for is {', '.join(made.asked)}")
        if note is not None:
            found.notes.insert(0, note)
        scheme = Scheme(Tolerance(CODE))
        return found.marked(scheme, Deadline.of_naming(SECONDS), values=False)


def _task(
    task: str | Path | Program | Task,
    function: Callable[..., Any],
    args: Sequence[Any],
    named: Mapping[str, Any],
) -> Task:
    """The task at the point of the arguments that are named like its inputs."""
    program = task.program if isinstance(task, Task) else program_of(task)
    point = dict(task.result.inputs) if isinstance(task, Task) else {}
    bound = attempted(lambda: inspect.signature(function).bind(*args, **named).arguments, None)
    for name, value in {**(bound or {}), **named}.items():  # as far as that can be known
        if name in program.inputs and (found := number(value)) is not None:
            point[name] = found
    return make_task(program, point, wrt=task.asked if isinstance(task, Task) else None)


# --- the call --------------------------------------------------------------------------------


def _called(
    task: Task, function: Any, args: Sequence[Any], named: Mapping[str, Any]
) -> tuple[Any, Note | None]:
    """What the function returns, or the note on what it raised."""
    if not callable(function):
        what = f"this is no function: an object of type {type(function).__name__}"
        return None, Note("not-called", what)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            if not args and not named:
                args, named = _arguments(task, function)
            return function(*args, **named), None
    except KeyboardInterrupt:
        raise
    except _NoValueError as error:
        return None, Note("not-called", f"{_name(function)} is not called: {error}")
    except BaseException as error:  # noqa: BLE001 - a student's function may raise anything
        return None, Note("raised", _raised(function, error), _line(function, error))


def _raised(function: Callable[..., Any], error: BaseException) -> str:
    """One sentence on an exception."""
    text = attempted(lambda: " ".join(str(error).split()), "")
    text = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    what = type(error).__name__ + (f": {text}" if text else "")
    return visible(f"{_name(function)} raised {what}")


def _name(function: Any) -> str:
    """What a function is called."""
    name = attribute(function, "__name__")
    return name if isinstance(name, str) and name.isidentifier() else "the function"


def _line(function: Callable[..., Any], error: BaseException) -> int | None:
    """The line within the function's own file or cell at which an exception passed through it."""
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == code.co_filename]
    return lines[-1] if lines else None


# --- its arguments -----------------------------------------------------------------------------


class _NoValueError(Exception):
    """A parameter that is no name of the task."""


def _arguments(task: Task, function: Callable[..., Any]) -> tuple[list[Any], dict[str, Any]]:
    """Positional and keyword arguments. Raises `_NoValueError`."""
    call = task.lines.call
    if call is not None:
        tree = ast.parse(call.text).body[0]
        assert isinstance(tree, ast.Assign | ast.Expr)
        assert isinstance(tree.value, ast.Call)
        named = {k.arg: _value(task, k.value) for k in tree.value.keywords if k.arg is not None}
        return [_value(task, one) for one in tree.value.args], named
    args: list[Any] = []
    named = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        value = _of_node(task, name)
        if value is None and parameter.default is not parameter.empty:
            continue
        if value is None:
            raise _NoValueError(f"its parameter '{name}' is no name of the task: hand it over")
        if parameter.kind is parameter.POSITIONAL_ONLY:
            args.append(value)
        else:
            named[name] = value
    return args, named


def _of_node(task: Task, name: str) -> Any:
    """The task's value of a node; None where it has no such node."""
    found = task.flow.values.get(name)
    return None if found is None else np.array(found, dtype=np.float64)[()]


def _value(task: Task, tree: ast.expr) -> Any:
    """The value of an argument: names of the task in tuples, lists and dictionaries."""
    match tree:
        case ast.Name(id=name):
            value = _of_node(task, name)
            if value is None:
                raise _NoValueError(f"'{name}' is no name of the task")
            return value
        case ast.Tuple(elts=parts):
            return tuple(_value(task, part) for part in parts)
        case ast.List(elts=parts):
            return [_value(task, part) for part in parts]
        case ast.Dict(keys=keys, values=values):
            return {
                ast.literal_eval(k): _value(task, v)
                for k, v in zip(keys, values, strict=True)
                if k is not None
            }
        case _:
            return ast.literal_eval(tree)


# --- what it returns -------------------------------------------------------------------------


def _read(found: Found, returned: Any) -> None:
    """Take the gradients: by the names of fields, by those of the `#: call` line, or in order."""
    fields, call = _fields(returned), found.task.lines.call
    if fields is not None:
        found.read_entries(HOLDER, fields)
        return
    targets = call.targets if call is not None and len(call.targets) > 1 else ()
    if isinstance(returned, tuple | list) and len(returned) == len(targets):
        found.read(dict(zip(targets, returned, strict=True)))
        if _has_gradients(found):
            return
    # The first reading whose parts have the shapes of what is asked, else the first.
    asked, values = found.task.asked, found.task.flow.values
    readings = [dict(one) for one in _several(returned, asked)]
    fitting = (
        one
        for one in readings
        if all(np.shape(number(one[n])) == np.shape(values[n]) for n in asked if n in one)
    )
    parts = next(fitting, readings[0] if readings else {})
    if parts.keys() == set(asked):
        found.read({f"delta_{name}": part for name, part in parts.items()})
    else:
        found.read_entries(HOLDER, parts)


def _has_gradients(found: Found) -> bool:
    return any(entry.kind == "gradient" for entry in found.entries())


def _several(returned: Any, asked: Sequence[str]) -> Iterator[Mapping[Any, Any]]:
    """What may be the gradients in something returned, by name or by the order of the asked."""
    fields = _fields(returned)
    if fields is not None:
        yield fields
    elif isinstance(returned, tuple | list):
        if len(returned) == len(asked) and not any(_fields(part) is not None for part in returned):
            yield dict(zip(asked, returned, strict=True))
        yield from (fields for part in returned if (fields := _fields(part)) is not None)
        if len(returned) == len(asked) + 1:
            yield dict(zip(asked, returned[1:], strict=True))
        if len(returned) == 2 and not isinstance(returned[1], Mapping):
            yield from _several(returned[1], asked)
    elif len(asked) > 1 and np.ndim(value := number(returned)) and len(value) == len(asked):
        yield dict(zip(asked, value, strict=True))
    if fields is None and len(asked) == 1 and number(returned) is not None:
        yield {asked[0]: returned}


def _fields(returned: Any) -> Mapping[Any, Any] | None:
    """The parts of something with names: a mapping, a named tuple, an object of a dataclass."""

    def fields() -> Mapping[Any, Any] | None:
        if isinstance(returned, Mapping):
            return returned
        if isinstance(returned, tuple) and hasattr(returned, "_asdict"):
            return dict(returned._asdict())
        known = is_dataclass(returned) and not isinstance(returned, type)
        return dict(vars(returned)) if known else None

    return attempted(fields, None)


def _kind(returned: Any) -> str:
    """What something is, in a word or two."""
    name = type(returned).__name__
    if isinstance(returned, tuple | list):
        return f"a {name} of {len(returned)}"
    return "nothing" if returned is None else f"an object of type {name}"
