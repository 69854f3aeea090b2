"""The error of an operation whose operands' shapes do not fit.

A step of a draft, the operands' types and the operation's complaint come in; out comes an error
that shows each operand with its shape, and names it as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from gradcli.diagnostics.error import GradcliError, Kind, Label
from gradcli.diagnostics.source import Source, Span
from gradcli.graph.draft import Literal, Operand, Step
from gradcli.ops.operation import Misfit, Type, times
from gradcli.syntax.tree import Call, Operator


def misfit_error(
    source: Source, steps: Sequence[Step], step: Step, types: tuple[Type, ...], misfit: Misfit
) -> GradcliError:
    """The error of an operation whose operands do not fit, each operand with its shape."""
    assert step.operation is not None
    spans = _operand_spans(step)
    texts = [_text(source, steps, *pair) for pair in zip(step.operands, spans, strict=True)]
    written = dict(zip(step.operation.operand_names(len(texts)), texts, strict=True))
    # `dot` and `inner` speak as the matrix product that they are.
    written |= dict(zip("AB", written.values(), strict=False))
    reason, hint = misfit.reason.format_map(written), misfit.hint
    if hint:  # The transpose of what is written as a transpose is the thing itself.
        hint = re.sub(r"(?:\.T|ᵀ)\.T\b", "", hint.format_map(written))
    if misfit.plain:
        return GradcliError(Kind.SHAPE, reason, source=source, span=step.span, hint=hint)
    labels = tuple(
        Label(span, times(t.shape) if t.shape else "a number", strong=True)
        for span, t in zip(spans, types, strict=True)
        if span is not None
    )
    whole = " ".join(source.text[step.span.start : step.span.end].split())
    reason = reason or ", ".join(map(_shape, texts, types))
    return GradcliError(
        Kind.SHAPE,
        f"shapes do not fit in {whole if len(whole) <= 40 else step.operation.name}: {reason}",
        source=source,
        span=step.symbol_span,
        labels=labels,
        hint=hint,
    )


def _text(source: Source, steps: Sequence[Step], operand: Operand, span: Span | None) -> str:
    """An operand as written in the program if that is short, else its name."""
    text = source.text[span.start : span.end] if span is not None else ""
    if not text or len(text) > 20 or not text.isprintable():
        return operand.text if isinstance(operand, Literal) else steps[operand].name or "…"
    whole = text.removesuffix(".T")
    behind_name = re.sub(r"^[\w.]*", "", whole)
    if not behind_name or _in_brackets(behind_name):  # x, f(x), [1, 2], (a + b), f(x).T
        return text
    return f"({text})"


def _in_brackets(text: str) -> bool:
    """Whether a pair of brackets encloses all of a text."""
    depth, ends = 0, []
    for i, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if depth == 0:
            ends.append(i)
    return text[0] in "([" and ends[0] == len(text) - 1


def _operand_spans(step: Step) -> list[Span | None]:
    """Where each operand stands in the text, as far as the operation was written with it."""
    count, tree = len(step.operands), step.tree
    written = tree.children()
    if isinstance(tree, Call) and step.operation is not None:
        # full(shape, value): an option may stand before the operands.
        options = (p.option for p in step.operation.parameters)
        positional = len(written) - len(tree.keywords)
        written = written[sum(takewhile(bool, options)) : positional]
    if isinstance(tree, Operator | Call) and len(written) >= count:
        return [part.span for part in written[:count]]
    return [None] * count


def _shape(name: str, t: Type) -> str:
    """`W is 3×2`, `x has 3 elements`."""
    if len(t.shape) == 1:
        return f"{name} has {t.shape[0]} elements"
    return f"{name} is {t if t.shape else 'a number'}"
