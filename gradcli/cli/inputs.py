"""The program and its point: what every command that evaluates reads first.

Options and bindings come in as they were typed; out comes a `Point`, ready for
`Program.evaluate`. The language's own errors about names are completed here with what only the
command line knows: which names are also options.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from functools import partial
from math import isfinite, isnan
from typing import Any, NamedTuple, Protocol

import numpy as np

from gradcli.cli.argv import Binding
from gradcli.cli.environment import Environment
from gradcli.cli.registry import option_elsewhere
from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.failures import file_error, reason, usage_error
from gradcli.diagnostics.names import is_name, normal
from gradcli.diagnostics.source import Source, Span
from gradcli.diagnostics.suggestion import did_you_mean
from gradcli.files.files import decoded, read_stream, read_text
from gradcli.program import Program
from gradcli.syntax.parser import parse_expression

_NO_PATH = r"[\s()\[\]{}=;,*+^|<>]"
"""What a program has and the name of a file rarely."""
_OF_NUMBERS = frozenset("0123456789.eE+-")


class Point(NamedTuple):
    """A program and the values to evaluate it at."""

    program: Program
    inputs: Mapping[str, Any]
    """From the command line."""
    data: Mapping[str, Any]
    """From `--data`, only names that the program uses."""
    wrt: tuple[str, ...] | None
    upstream: Any
    seed: int

    @property
    def options(self) -> dict[str, Any]:
        """What `Program.evaluate` takes besides the inputs from the command line."""
        return {"data": self.data, "wrt": self.wrt, "upstream": self.upstream, "seed": self.seed}


def read_program(
    text: str | None,
    file: str | None,
    output: str | None,
    environment: Environment,
    function: str | None = None,
    time_limit: float | None = None,
) -> Program:
    """The program from the argument, from `--file`, or from standard input."""
    if text is not None and file is not None:
        hint = "leave out one of them"
        if "file" in text:
            hint += "; an input called 'file' gets its value by --set file=…"
        raise usage_error("there is a program and a --file", hint)
    if output is not None:
        if not is_name(output.partition("[")[0].partition(".")[0].partition(" ")[0]):
            raise usage_error(f"--output: '{output}' isn't a name", "it takes the name of a node")
        output = normal(output) if is_name(output) else output
    if time_limit is not None and isnan(time_limit):
        raise usage_error("--time-limit takes a number of seconds, not 'nan'")
    made = partial(Program, output=output, function=function, time_limit=time_limit)
    if "-" in (text, file):
        content = decoded(_standard_input(environment, "the program"), "standard input")
        return made(content, name="standard input")
    if text is not None and names_file(text):
        file = text
    if file is not None:
        return made(read_text(file), name=file)
    assert text is not None
    _expect_utf8(text, "the program")
    try:
        return made(text)
    except GradcliError as error:
        path, _, name = text.rpartition(":")
        if is_file(text):
            error.hint = f"to read the program from the file: --file {text}"
        elif is_file(path.rstrip(":")) and is_name(name):
            error.hint = f"a function of a file is chosen so: {path.rstrip(':')} --function {name}"
        raise


def _standard_input(environment: Environment, what: str) -> bytes:
    if environment.stdin is None:
        raise file_error("standard input is closed")
    environment.say_how_to_end(what)
    try:
        return read_stream(environment.stdin, "standard input")
    except OSError as error:
        raise file_error(f"standard input can't be read: {reason(error)}") from None


def _expect_utf8(text: str, what: str) -> None:
    """Raise if the system handed over bytes that are no text."""
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise file_error(f"{what} is not text in UTF-8", "is the terminal set to UTF-8?")


def expect_one_reader(data: str | None, what: str, *others: str | None) -> None:
    """Raise if `--data` and something else would both be read from standard input."""
    if data == "-" and "-" in others:
        raise usage_error(f"{what} and --data can't both come from standard input")


def names_file(text: str) -> bool:
    """Whether a program's text is rather the name of a program's file.

    No program is a single word that ends like one, so a missing file is an error of its own.
    """
    if not text.endswith((".grad", ".py", ".ipynb")) or "\n" in text:
        return False
    return is_file(text) or not re.search(_NO_PATH, text)


def is_file(text: str) -> bool:
    """Whether a text is the path of a file."""
    return len(text) < 1000 and os.path.isfile(text)  # noqa: PTH113 - pathlib loads for long


# --- values ------------------------------------------------------------------------------


class Given(Protocol):
    """What the command line says of inputs; `option_names` belong to the command line itself."""

    bindings: tuple[Binding, ...]
    option_names: tuple[str, ...]
    environment: Environment
    data: str | None
    wrt: str | None
    seed: int


def read_point(
    program: Program, given: Given, upstream: str | None = None, *, all_bound: bool = True
) -> Point:
    """The program's point. Without `all_bound` inputs may be left without a value."""
    data, options, seed = given.data, given.option_names, given.seed
    own = program.names.own
    written = _by_name(b._replace(name=own(b.name)) for b in given.bindings)
    for binding in written.values():
        _expect_used(binding, program, options, written)
    from_file: Mapping[str, Any] = {}
    if data is not None:
        from gradcli.files.arrays import inputs_from_file, inputs_from_stream

        names, structures = program.names.known(), program.python is not None
        if data == "-":
            content = _standard_input(given.environment, "the inputs' values")
            from_file = inputs_from_stream(content, names, structures=structures)
        else:
            from_file = inputs_from_file(data, names, structures=structures)
    if all_bound:
        _expect_bound(program, [*written, *map(own, from_file)], options)
    return Point(
        program,
        {name: _value(b.text, b.origin, name, seed) for name, b in written.items()},
        from_file,
        None if given.wrt is None else tuple(map(own, names_in(given.wrt, "--wrt"))),
        None if upstream is None else _value(upstream, "--upstream", "--upstream", seed),
        seed,
    )


def _value(text: str, origin: str, stream: str, seed: int) -> Any:
    if not text.startswith("@"):
        _expect_utf8(text, f"the value of {origin}")
    return value_of(text, origin, stream=stream, seed=seed)


def _by_name(bindings: Iterable[Binding]) -> dict[str, Binding]:
    """The bindings by their names. Raises `GradcliError` where one is given twice."""
    found: dict[str, Binding] = {}
    for binding in bindings:
        first = found.setdefault(binding.name, binding)
        if first is not binding:
            raise GradcliError(
                Kind.BINDING,
                f"'{binding.name}' gets a value twice: {_shown(first)} and {_shown(binding)}",
                hint="leave out one of them",
            )
    return found


def _shown(binding: Binding) -> str:
    """The binding as it was typed."""
    text = binding.text if len(binding.text) <= 20 else binding.text[:20] + "…"
    return binding.origin + ("=" if binding.origin.startswith("--set ") else " ") + text


def _expect_used(
    binding: Binding, program: Program, options: Iterable[str], given: Iterable[str]
) -> None:
    """Raise if the program does not use a name: most often it is a misspelt input or option."""
    names = program.names
    if any(binding.name in known for known in (names.free, names.definitions, names.in_blocks)):
        return
    from gradcli.graph.suggestions import misread, uncalled

    inputs = names.inputs(())
    hint = (
        misread(names, given, about=binding.name)
        or did_you_mean(binding.name, [f"--{name}" for name in inputs])
        or option_elsewhere(f"--{binding.name}")
        or did_you_mean(binding.name, options)
        or uncalled(inputs, binding.name)
        or (f"its inputs are {', '.join(inputs)}" if inputs else "it has no inputs")
    )
    raise GradcliError(Kind.BINDING, f"the program does not use '{binding.name}'", hint=hint)


def unbound(program: Program, bound: Iterable[str]) -> dict[str, Span]:
    """The inputs that have no value, neither in `bound` nor in the program's header."""
    known = {*bound, *(binding.name for binding in program.header.bindings)}
    steps = program.draft(frozenset(known)).steps
    return {s.name: s.span for s in steps if s.kind == "input" and s.name and s.name not in known}


def _expect_bound(program: Program, bound: Iterable[str], options: Iterable[str]) -> None:
    """Raise if an input that is named like an option has no value: `--NAME` can't give it one.

    Other inputs without a value are the language's own error.
    """
    for name, span in unbound(program, bound).items():
        if f"--{name}" in options:
            raise GradcliError(
                Kind.BINDING,
                f"'{name}' has no value",
                source=program.source,
                span=span,
                hint=f"--{name} is an option of gradcli; the input of that name gets its "
                f"value by --set {name}=…",
            )


def names_in(text: str, option: str) -> tuple[str, ...]:
    """The names in `x,y`. Raises `GradcliError` of kind option."""
    words = [word.strip() for word in text.split(",")]
    for word in words:
        if not is_name(word):
            raise usage_error(f"{option}: '{word}' isn't a name", f"it takes names: {option} x,y")
    return tuple(dict.fromkeys(normal(word) for word in words))


# --- VALUE: a constant expression of the language, or `@FILE` ----------------------------------


def value_of(text: str, origin: str, *, stream: str = "", seed: int = 0) -> Any:
    """The value that was written after `origin` (`--x`, `--set x`, `--upstream`).

    `stream` and `seed` choose what `normal` and `uniform` draw: a binding's stream is its name.
    Raises `GradcliError`: of kind file for what is wrong with a file, else with the place in
    the value's own text.
    """
    if text.startswith("@"):
        from gradcli.files.arrays import array_from_file

        return array_from_file(text[1:])
    number = _number(text)
    if number is not None and isfinite(number):
        return np.float64(number)  # what most values are; no parser needed
    if text.strip().startswith("[") and text.strip()[1:].lstrip() == "]":
        return np.zeros(0)  # as reports and JSON write it; an expression always has a value
    from gradcli.engine.bound_values import evaluated, stream_seed

    source = Source(text, origin)
    try:
        tree = parse_expression(source)
    except GradcliError as error:
        array = _as_array(text)
        comma = re.fullmatch(r"-?\d+,(\d+)", text)
        if array is not None and comma is None:
            error.hint = f"an array is written '{array}'"
        elif array is not None and comma and len(comma[1]) != 3:
            error.hint = f"{error.hint}; an array is written '{array}'"
        raise
    return evaluated(source, tree, stream_seed(seed, stream))


def _number(text: str) -> float | None:
    """The number that a text is, as the language writes numbers."""
    if not _OF_NUMBERS.issuperset(text) or text.startswith("+"):
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _as_array(text: str, most: int = 40) -> str | None:
    """How the numbers in `1 2`, `1,2` and `[1 2; 3 4]` are written as an array."""
    if len(text) > most:
        return None
    inside = re.sub(r"\]\s*,?\s*\[", ";", text).strip(" []();,")
    rows = [re.split(r"[\s,]+", row.strip()) for row in inside.split(";")]
    numbers = [number for row in rows for number in row]
    if len(numbers) < 2 or None in map(_number, numbers):
        return None
    if 1 not in (len(rows), *map(len, rows)):
        numbers = [f"[{', '.join(row)}]" for row in rows]
    return f"[{', '.join(numbers)}]"
