"""The values that a program's inputs are bound to: what was given, data, and its `#:` lines.

Names and values of any kind come in; a float64 or an array of them comes out for every name, or
the error of a name that is no input and of a value that is no array of numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind, Label
from gradcli.diagnostics.source import Source, Span
from gradcli.diagnostics.suggestion import did_you_mean
from gradcli.graph.names import Names
from gradcli.graph.resolve import refuse_constants_of_blocks
from gradcli.syntax.header import Binding, Header
from gradcli.syntax.tree import Assign

FLOAT64 = np.dtype(np.float64)


def values_of_inputs(
    names: Names,
    header: Header,
    inputs: Mapping[str, Any],
    data: Mapping[str, Any] | None,
    seed: int,
) -> dict[str, Any]:
    """The value of every input: from `inputs`, else `data`, else the program's `#:` lines.

    Raises `GradcliError` of kind binding.
    """
    free = names.free
    bound: dict[str, Any] = {}
    if not free.keys() >= inputs.keys():
        inputs = in_own_spelling(names, inputs)
    if names.in_blocks:
        lines = (binding.name for binding in header.bindings)
        refuse_constants_of_blocks(names, [*inputs, *lines, *(data or ())])
    if not free.keys() >= inputs.keys():
        raise _not_an_input(names, next(n for n in inputs if n not in free), None, inputs)
    for binding in header.bindings:
        own = names.own(binding.name)
        if own not in free:
            raise _not_an_input(names, binding.name, binding)
        if own not in inputs:
            bound[own] = _header_value(names.source, binding, seed)
    if data:
        data = in_own_spelling(names, data)
        bound |= {n: to_value(n, v) for n, v in data.items() if n in free}
    for name, value in inputs.items():
        # What is float64 already is taken as it is, without a call: every run comes by here.
        if type(value) is float:
            bound[name] = np.float64(value)
        elif type(value) is np.ndarray and value.dtype is FLOAT64 and value.ndim:
            bound[name] = value
        else:
            bound[name] = to_value(name, value)
    return bound


def in_own_spelling(names: Names, given: Mapping[str, Any]) -> dict[str, Any]:
    """What names are given, by the program's spelling of them.

    Raises `GradcliError` of kind binding where one name is given in two spellings.
    """
    found: dict[str, Any] = {}
    for name, value in given.items():
        own = names.own(name)
        if own in found:
            first, second = (word for word in given if names.own(word) == own)
            raise GradcliError(
                Kind.BINDING,
                f"'{own}' gets a value twice: as {first} and as {second}",
                hint="leave out one of them",
            )
        found[own] = value
    return found


def to_value(name: str, value: Any) -> Any:
    """A number or an array of numbers as float64, an array of float64 as it is, not copied.

    Raises `GradcliError` of kind binding.
    """
    problem = None
    try:
        array = np.asarray(value)
    except ValueError:
        problem = "the rows of an array have equal length"
    else:
        if array.dtype.kind not in "fiub":
            kinds = {"U": "text", "S": "bytes", "c": "complex numbers", "O": "mixed objects"}
            problem = f"{kinds.get(array.dtype.kind, str(array.dtype))} can't be differentiated"
    if problem is None:
        return np.float64(array) if array.ndim == 0 else np.asarray(array, dtype=np.float64)
    raise GradcliError(
        Kind.BINDING,
        f"the value of '{name}' isn't an array of numbers",
        hint=f"{problem}: give a number or nested lists of numbers",
    )


def _header_value(program: Source, binding: Binding, seed: int) -> Any:
    """The value of a `#:` line."""
    from gradcli.engine.bound_values import evaluated, stream_seed  # noqa: PLC0415 - only for these

    try:
        return evaluated(binding.source, binding.value, stream_seed(seed, binding.name))
    except GradcliError as error:
        error.source = program
        raise


def _not_an_input(
    names: Names, name: str, line: Binding | None, given: Iterable[str] = ()
) -> GradcliError:
    """The error of a bound name that is not an input.

    `line` is the `#:` line that binds it, `given` are all names that get a value.
    """
    source = None if line is None else names.source
    place = None if line is None else Span(line.span.start, line.span.start + len(name))
    definition = names.definitions.get(name)
    if definition is not None:
        binding = f"--{name}" if line is None else "the '#:' line"
        labels = () if place is None else (Label(place, "gets a value here"),)
        return GradcliError(
            Kind.BINDING,
            f"'{name}' gets its value in the program",
            source=names.source,
            span=definition.name.span,
            labels=labels,
            hint=f"take out '{_short(definition, names.source)}', or leave out {binding}"
            if isinstance(definition, Assign)
            else None,
        )
    from gradcli.graph.suggestions import misread  # noqa: PLC0415 - only when something went wrong

    known = names.inputs(())
    listed = f"its inputs are {', '.join(known)}" if known else "it has no inputs"
    return GradcliError(
        Kind.BINDING,
        f"the program does not use '{name}'",
        source=source,
        span=place,
        hint=misread(names, {name, *given}, about=name) or did_you_mean(name, known) or listed,
    )


def _short(definition: Assign, source: Source) -> str:
    """`x = 3`, as it is written; the value left out where it is long."""
    text = source.text[definition.name.span.start : definition.value.span.end]
    return text if len(text) <= 20 and "\n" not in text else f"{definition.name.name} = …"
