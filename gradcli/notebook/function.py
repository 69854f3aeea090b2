"""Grading a function by calling it in the notebook's own process.

A task, a function and its arguments come in, `Marked` goes out. What the function returns is read
as gradients: a dictionary by its keys, a tuple in the order in which the task asks for them. What
it raises is one note in the result; what it prints, to either stream, is dropped.
"""

from __future__ import annotations

import inspect
import io
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gradcli.diagnostics.error import visible
from gradcli.grading.marking.expected import Scheme
from gradcli.grading.marking.mark import mark
from gradcli.grading.marking.result import Marked, Note
from gradcli.grading.model.deadline import SECONDS, Deadline
from gradcli.grading.model.task import Task, make_task
from gradcli.grading.model.tolerance import CODE, Tolerance
from gradcli.grading.submission.entries import values_from
from gradcli.notebook.answers import Found
from gradcli.notebook.arguments import NoValueError, arguments_of
from gradcli.notebook.namespace import program_of
from gradcli.notebook.numbers import attribute, number
from gradcli.program import Program
from gradcli.report.homework.marked import as_text

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

    `task` is a program's text, a file with it, or a `Program`; its `#:` lines say what is asked
    (`#: wrt`, `#: direction`, …). The function is called with the arguments that follow. Those
    whose parameter is named like an input of the task are its point, so that one task can be marked
    at several points. Without any argument the function gets the task's values for the names of
    its parameters, or those that the `#: call` line states.

    It may return a dictionary (`{"W1": …}`, `{"dW1": …}`), the gradients in the order of the
    `#: wrt` line (else of the task's inputs), an array, or a loss with any of these behind it.
    Numbers in single precision have its tolerance.

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
        returned = _Returned(made)
        value, note = _called(made, function, args, named)
        if note is None:
            returned.read(value)
        else:
            returned.notes.append(note)
        values = values_from(returned.entries(), made.vocabulary, {})
        scheme, deadline = Scheme(Tolerance(CODE)), Deadline.of_naming(SECONDS)
        marked = mark(made, replace(values, gradients_only=True), scheme, deadline)
    notes = (*marked.notes, *returned.notes, *returned.found.notes)
    return replace(marked, notes=notes, renderer=as_text)


def _task(
    task: str | Path | Program | Task,
    function: Callable[..., Any],
    args: Sequence[Any],
    named: Mapping[str, Any],
) -> Task:
    """The task at the point of the arguments that are named like its inputs."""
    program = task.program if isinstance(task, Task) else program_of(task)
    point = dict(task.result.inputs) if isinstance(task, Task) else {}
    for name, value in _bound(function, args, named).items():
        if name in program.inputs:
            found = number(value)
            if found is not None:
                point[name] = found
    return make_task(program, point, wrt=task.asked if isinstance(task, Task) else None)


def _bound(
    function: Callable[..., Any], args: Sequence[Any], named: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments by the names of their parameters, as far as that can be known."""
    try:
        bound = dict(inspect.signature(function).bind(*args, **named).arguments)
    except Exception:  # noqa: BLE001 - whatever a callable's signature raises
        return dict(named)
    return {**bound, **named}


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
                args, named = arguments_of(task, function)
            return function(*args, **named), None
    except KeyboardInterrupt:
        raise
    except NoValueError as error:
        return None, Note("not-called", f"{_name(function)} is not called: {error}")
    except BaseException as error:  # noqa: BLE001 - a student's function may raise anything
        return None, Note("raised", _raised(function, error), _line(function, error))


def _raised(function: Callable[..., Any], error: BaseException) -> str:
    """One sentence on an exception."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - the exception is a student's, too
        text = ""
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


# --- what it returns -------------------------------------------------------------------------


class _Returned:
    """What a function has returned, by the gradients of a task."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.found = Found(task, CODE)
        self.notes: list[Note] = []
        call = task.lines.call
        self.order = call.targets if call is not None and len(call.targets) > 1 else ()
        """What the `#: call` line calls the results, if it names them."""

    def entries(self) -> tuple[Any, ...]:
        """The rows."""
        return tuple(entry for entry in self.found.entries() if entry.kind == "gradient")

    def read(self, returned: Any) -> None:
        """Take the gradients; what can't be read as any is a note."""
        fields = _fields(returned)
        if fields is not None:
            self.found.read_entries(HOLDER, fields)
        elif not self._in_order(returned):
            self._without_names(returned)
        if not self.entries():
            text = f"what is returned is not read as gradients: {_kind(returned)}"
            asked = ", ".join(self.task.asked)
            self.notes.append(Note("not-read", f"{text}; asked for is {asked}"))

    def _in_order(self, returned: Any) -> bool:
        """Take a tuple whose parts the `#: call` line names."""
        if not isinstance(returned, tuple | list) or len(returned) != len(self.order):
            return False
        self.found.read(dict(zip(self.order, returned, strict=True)))
        return bool(self.entries())

    def _without_names(self, returned: Any) -> None:
        """Take the first reading whose parts have the shapes of what is asked, else the first."""
        readings = [dict(one) for one in _several(returned, self.task.asked)]
        fitting = (one for one in readings if self._fits(one))
        found = next(fitting, readings[0] if readings else {})
        ordered = {f"delta_{name}": part for name, part in found.items() if name in self.task.asked}
        if len(ordered) == len(found) == len(self.task.asked):
            self.found.read(ordered)
        else:
            self.found.read_entries(HOLDER, found)

    def _fits(self, parts: Mapping[Any, Any]) -> bool:
        values = self.task.flow.values
        asked = (name for name in self.task.asked if name in parts)
        return all(np.shape(number(parts[name])) == np.shape(values[name]) for name in asked)


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
        if len(asked) == 1 and number(returned) is not None:
            yield {asked[0]: returned}
    else:
        value = number(returned)
        if value is not None and len(asked) == 1:
            yield {asked[0]: returned}
        elif np.ndim(value) >= 1 and len(value) == len(asked):
            yield dict(zip(asked, value, strict=True))


def _fields(returned: Any) -> Mapping[Any, Any] | None:
    """The parts of something with names: a mapping, a named tuple, an object of a dataclass."""
    try:
        if isinstance(returned, Mapping):
            return returned
        if isinstance(returned, tuple) and hasattr(returned, "_asdict"):
            return dict(returned._asdict())
        if is_dataclass(returned) and not isinstance(returned, type):
            return dict(vars(returned))
    except Exception:  # noqa: BLE001 - an object of a student's own
        return None
    return None


def _kind(returned: Any) -> str:
    """What something is, in a word or two."""
    name = type(returned).__name__
    if isinstance(returned, tuple | list):
        return f"a {name} of {len(returned)}"
    return "nothing" if returned is None else f"an object of type {name}"
