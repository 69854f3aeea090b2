"""Statements that name a gradient and have no effect: `dx: -0.52`, `dx == 3`, `"dx = 3"`.

The nodes of a listing come in; the labels in such statements go out, each with its statement.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from gradcli.grading.listing.numbers import is_of_numbers
from gradcli.grading.listing.trees import label_of
from gradcli.grading.submission.labels import last_part, readings
from gradcli.grading.submission.types import Vocabulary

_ANSWER = re.compile(r"^[ \t]*([^\s=:#]{1,60})[ \t]*[=:][ \t]*[-+−.0-9\[]", re.MULTILINE)
"""A line of a text in quotes that looks like an answer."""


def without_effect(
    nodes: Iterable[ast.AST], vocabulary: Vocabulary
) -> Iterator[tuple[str, str, ast.stmt]]:
    """Each label, the node whose gradient it is, and the statement that gives it no value."""
    for node in nodes:
        annotated = isinstance(node, ast.AnnAssign) and node.value is None
        if isinstance(node, ast.AnnAssign) and annotated and is_of_numbers(node.annotation):
            label = label_of(node.target)
            for reading in readings(label, vocabulary):
                if reading.kind == "gradient" or reading.name in vocabulary.inputs:
                    yield label, reading.name, node
        elif isinstance(node, ast.Expr):
            for label in _labels(node.value):
                for reading in readings(label, vocabulary):
                    if reading.kind == "gradient":
                        yield label, reading.name, node


def _labels(code: ast.expr) -> Iterator[str]:
    """What an expression names, also in quotes and as a keyword."""
    for node in ast.walk(code):
        match node:
            case ast.Name() | ast.Attribute():
                yield last_part(label_of(node))
            case ast.keyword(arg=str(word)):
                yield word
            case ast.Constant(value=str(text)):
                yield from _ANSWER.findall(text)
                if (label := text[:60].rstrip(":= \n")) and label == text.rstrip(":= \n"):
                    yield label
