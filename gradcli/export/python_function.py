"""A Python function for the program: it returns the value and a dict of gradients.

The body is the listing of `numpy_listing` over the function's arguments. It is for arguments of
the shapes that the inputs have at the point, and says so where it gets others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from textwrap import indent
from typing import TYPE_CHECKING

from gradcli.diagnostics.source import LINE_END
from gradcli.export.numpy.passes import Numpy
from gradcli.export.numpy_listing import Writer
from gradcli.ops.operation import Shape
from gradcli.report.numbers import shown
from gradcli.syntax.header import MARK
from gradcli.trace.steps import Steps

if TYPE_CHECKING:
    from gradcli.report.style import Style

FUNCTION = "value_and_gradient"


def pieces(steps: Steps, style: Style) -> Iterator[str]:
    """A module with the function."""
    numpy = Numpy(steps, style, textbook=False)
    writer = Writer(numpy, style)
    body = [*writer.forward(), *writer.backward()]
    program = _lines(steps.result.program, style)
    first, *others = [line for line in program if line and not line.lstrip().startswith("#")]
    yield f'"""{first}{" ..." if others else ""} and its gradient by backpropagation."""\n\n'
    yield from numpy.preamble()
    yield "\n" if numpy.helpers else "\n\n"
    if any(node.selections for node in steps.graph.nodes):
        # What a where does not choose may be undefined there.
        yield '@np.errstate(all="ignore")\n'
    yield f"def {FUNCTION}({', '.join(name for name, _ in numpy.inputs())}):\n"
    yield from map(_indented, _docstring(numpy, program))
    for (name, _), i in zip(numpy.inputs(), steps.graph.inputs, strict=True):
        yield from map(_indented, _argument(name, steps.graph.nodes[i].type.shape))
    yield from map(_indented, body)
    result = numpy.result
    keys = (json.dumps(name, ensure_ascii=style.ascii) for name in result.gradient)
    deltas = (f"delta_{numpy.names[name]}" for name in result.gradient)
    items = (f"{key}: {delta}" for key, delta in zip(keys, deltas, strict=True))
    yield _indented(f"\nreturn {numpy.name(result.output)}, {{{', '.join(items)}}}\n")


def _lines(program: str, style: Style) -> list[str]:
    """The program for a docstring: without the `#:` lines, whose point is one of many.

    What is escaped where there is only ASCII, Python reads as what it was.
    """
    lines = [line.rstrip() for line in LINE_END.split(program)]
    lines = [line for line in lines if not line.lstrip().startswith(MARK)]
    whole = "\n".join(lines).strip("\n").replace("\\", r"\\").replace('"""', r"\"\"\"")
    return [shown(line, style) for line in whole.split("\n")]


def _docstring(numpy: Numpy, program: list[str]) -> Iterator[str]:
    result = numpy.result
    yield '"""Value and gradient of the program\n\n'
    for line in program:
        yield f"    {line}".rstrip() + "\n"
    yield "\n"
    for (name, _), i in zip(numpy.inputs(), result.graph.inputs, strict=True):
        shape = result.graph.nodes[i].type.shape
        yield f"{name}: {f'an array of shape {shape}' if shape else 'a number'}\n"
    yield "\nReturns the value, and a dict with the gradient of each input in the input's shape.\n"
    yield '"""\n'


def _argument(name: str, shape: Shape) -> Iterator[str]:
    if not shape:
        yield f"{name} = np.float64({name})\n"
        return
    yield f"{name} = np.asarray({name}, dtype=np.float64)\n"
    yield f"if {name}.shape != {shape}:\n"
    yield f'    raise ValueError(f"{name} must have shape {shape}, not {{{name}.shape}}")\n'


def _indented(line: str) -> str:
    """A line, or several, four spaces further in."""
    return indent(line, "    ")
