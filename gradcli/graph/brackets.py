"""Arrays in brackets: `[[a, b], [c, d]]` taken apart and put together as text."""

from __future__ import annotations

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Source, Span
from gradcli.syntax.tree import Array, Tree

MOST_DIMENSIONS = 32


def flattened(tree: Array, source: Source) -> tuple[list[Tree], tuple[int, ...]]:
    """The elements of nested brackets, row by row, and the shape that the brackets give."""
    level: list[Tree] = [tree]
    shape: list[int] = []
    while level and all(isinstance(item, Array) for item in level):
        arrays = [item for item in level if isinstance(item, Array)]
        length = len(arrays[0].elements)
        odd = next((a for a in arrays if len(a.elements) != length), None)
        if odd is not None:
            raise _problem(
                source,
                f"the rows of an array have equal length: {length} and {len(odd.elements)}",
                odd.span,
            )
        shape.append(length)
        level = [element for a in arrays for element in a.elements]
    odd_one = next((item for item in level if isinstance(item, Array)), None)
    if odd_one is not None:
        raise _problem(
            source, "an array is either of numbers or of arrays of one shape", odd_one.span
        )
    if len(shape) > MOST_DIMENSIONS:
        raise _problem(
            source,
            f"an array has at most {MOST_DIMENSIONS} dimensions, not {len(shape)}",
            tree.span,
        )
    return level, tuple(shape)


def array_text(texts: list[str], shape: tuple[int, ...]) -> str:
    """The literal as it is shown inside an operation."""
    for n in reversed(shape):
        texts = (
            ["[]"]
            if n == 0
            else [f"[{', '.join(texts[i : i + n])}]" for i in range(0, len(texts), n)]
        )
    return texts[0]


def _problem(source: Source, message: str, span: Span) -> GradcliError:
    return GradcliError(Kind.SHAPE, message, source=source, span=span)
