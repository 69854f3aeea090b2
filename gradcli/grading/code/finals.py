"""The gradients that code comes to: which names are gradients, and what they end with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError
from gradcli.grading.listing.offers import numbered
from gradcli.grading.listing.reader import RETURN, CodeReader
from gradcli.grading.submission.labels import base_and_key, last_part, readings
from gradcli.grading.submission.types import Vocabulary
from gradcli.python.steps import Step
from gradcli.python.values import NOWHERE, Array, Scalar, Unread, Value

HOLDERS = re.compile(r"(?i)^(self\.)?(d|g|grads?|gradients?|deltas?|nablas?)_?\w*$")
"""What a dictionary is called whose entries are gradients by their names alone: `grads["W1"]`."""
ALONE = frozenset({"grad", "gradient", "derivative", "deriv", "slope"})
"""What the only gradient that is asked for may be called."""
GIVES = re.compile(r"(?i)grad|back|deriv|^d[a-z_]*$")
"""A function whose values are gradients, by its name."""
_FORMS = tuple(
    map(
        re.compile,
        (
            *(rf"{word}_?(.+)" for word in ("d", "delta", "grads?", "gradients?", "nabla", "∇")),
            *(r"g_(.+)", r"d[A-Za-z]\w*_d_?(.+)", r"d[A-Za-z]{1,5}d(.+)", r"(.+)_grads?"),
            *(r"(.+)_gradient", r"(.+)\.grad", r"(.+)_delta"),
            r"d(.+)_(?:total|sum|new|final|out)",
        ),
    )
)
"""Names of gradients that `readings` does not know: they differ from the input's in case, say."""


LAST = 9
"""The depth of what counts only where no step within fewer functions gives the gradient."""


@dataclass(frozen=True)
class Final:
    """A gradient as the code ends with it."""

    name: str
    """The input."""
    value: Any
    line: int
    text: str
    node: int | None
    step: int | None
    """The last step that changed it, by its place among all steps."""
    depth: int
    """In how many functions; the outermost counts."""


def meant(label: str, wanted: tuple[str, ...], vocabulary: Vocabulary) -> str | None:
    """The input of the wanted whose gradient a name is; None where it is none."""
    base, key = _parts(label)
    if key in wanted and HOLDERS.match(base):
        return key
    label = last_part(base) if key is None else key
    if label in vocabulary.inputs or label in vocabulary.nodes:
        return None
    if len(wanted) == 1 and label.lower() in ALONE:
        return wanted[0]
    try:
        found = [r.name for r in readings(label, vocabulary) if r.kind == "gradient"]
    except GradcliError:
        found = []
    names = [n for n in found if n in wanted]
    if len(names) == 1:
        return names[0]
    for form in _FORMS:
        match = form.fullmatch(label)
        if match is not None:
            same = [n for n in wanted if n == match[1]] or [
                n for n in wanted if n.lower() == match[1].lower()
            ]
            if len(same) == 1:
                return same[0]
    return None


def _parts(label: str) -> tuple[str, str | None]:
    """A target's name, and the key of a dictionary: `grads["W1"]`."""
    return base_and_key(label) or (label.partition("[")[0], None)


def finals(reader: CodeReader, wanted: tuple[str, ...], vocabulary: Vocabulary) -> dict[str, Final]:
    """The gradients by the inputs' names; those of the module come before those of functions."""
    found: dict[str, list[Final]] = {}
    lost = {_parts(name) for name, _ in reader.reading.unknown}
    for i, step in enumerate(reader.reading.steps):
        name = meant(step.name, wanted, vocabulary)
        if _parts(step.name) in lost:
            continue
        if name is not None and (final := _of_step(reader, name, step, i)) is not None:
            found.setdefault(name, []).append(final)
    for final in _in_results(reader, wanted, vocabulary):
        found.setdefault(final.name, []).append(final)
    chosen: dict[str, Final] = {}
    for name, several in found.items():
        least = min(f.depth for f in several)
        chosen[name] = [f for f in several if f.depth == least][-1]
        chosen[name] = _where_it_was_made(reader, chosen[name], wanted, vocabulary)
    missing = [n for n in wanted if n not in chosen]
    inputs = tuple(n for n in wanted if n in vocabulary.inputs)
    if missing:
        chosen |= {n: f for n, f in _in_order(reader, inputs).items() if n not in chosen}
    return chosen


def _where_it_was_made(
    reader: CodeReader, final: Final, wanted: tuple[str, ...], vocabulary: Vocabulary
) -> Final:
    """The gradient with the line that made it, not the one that took it from a function."""
    steps = reader.reading.steps
    if final.step is None:
        return final
    last = steps[final.step]
    for i, step in enumerate(steps[: final.step]):
        one = step.value is last.value or (final.node is not None and step.whole == final.node)
        inside = len(step.calls) > len(last.calls)
        named = meant(step.name, wanted, vocabulary) == final.name
        known = named or final.node is not None
        if step.name != RETURN and one and inside and known:
            return replace(final, line=step.line, text=reader.text.written(step.span), step=i)
    return final


def _of_step(reader: CodeReader, name: str, step: Step, i: int) -> Final | None:
    """What a step leaves behind: of a store into an array or a list, all of it."""
    element = "[" in step.name and not step.name.endswith('"]')
    held = reader.scope.names.get(_parts(step.name)[0]) if step.before is None else None
    if element and step.before is not None:
        node = step.whole
        number = None if node is None else reader.tape.values[node]
    else:
        value = step.value
        if element and isinstance(held, list):
            try:
                value = reader.array(list(held), NOWHERE)
            except (Unread, ValueError, TypeError):
                return None
        node, number = reader.node_of_value(value), plain(reader, value)
    if number is None:
        return None
    text = reader.text.written(step.span)
    return Final(name, number, step.line, text, node, i, len(step.calls))


def plain(reader: CodeReader, value: Value) -> Any:
    """A value as NumPy has it; None for what is no number."""
    if isinstance(value, list | tuple) and value:
        try:
            value = reader.array(list(value), NOWHERE)
        except (Unread, ValueError, TypeError):
            return None
    if not isinstance(value, Array | Scalar | float | int | np.generic) or isinstance(value, bool):
        return None
    found = np.asarray(reader.tape.value(value), dtype=float)
    return found[()]


def _in_results(
    reader: CodeReader, wanted: tuple[str, ...], vocabulary: Vocabulary
) -> Iterator[Final]:
    """Entries of dictionaries that names stand for, or that functions gave back."""
    held = [(name, v, 0) for name, v in reader.scope.names.items()] + reader.results
    yield from _in_lists(reader, wanted)
    lines = {s.name: s.line for s in reader.reading.steps}
    for base, value, line in held:
        for part in value if isinstance(value, tuple) else (value,):
            if not isinstance(part, dict):
                continue
            for key, entry in part.items():
                name = meant(f'{base}["{key}"]', wanted, vocabulary)
                number = None if name is None else plain(reader, entry)
                if name is not None and number is not None:
                    node = reader.node_of_value(entry)
                    step = _maker(reader, node)
                    made = None if step is None else reader.reading.steps[step]
                    at = (0 if made is None else made.line) or lines.get(base, line) or line
                    text = "" if made is None else reader.text.written(made.span)
                    yield Final(name, number, at, text, node, step, 0)


def _in_lists(reader: CodeReader, wanted: tuple[str, ...]) -> Iterator[Final]:
    """`nabla_w`, a list of the gradients by w1, w2 and so on."""
    for base, value in {**reader.offers, **reader.scope.names}.items():
        match = re.fullmatch(r"(?i)(?:nabla|grads?|d|delta)_?([a-z])s?", base)
        names = numbered(match[1], reader.vocabulary.inputs) if match is not None else []
        if not isinstance(value, list) or len(value) != len(names) or len(names) < 2:
            continue
        for name, entry in zip(names, value, strict=True):
            number = plain(reader, entry)
            if name in wanted and number is not None:
                node = reader.node_of_value(entry)
                step = _maker(reader, node)
                at = 0 if step is None else reader.reading.steps[step].line
                yield Final(name, number, at, base, node, step, LAST)


def _maker(reader: CodeReader, node: int | None) -> int | None:
    """The step that made a node."""
    steps = reader.reading.steps
    return next(
        (i for i in reversed(range(len(steps))) if node is not None and steps[i].whole == node),
        None,
    )


def _in_order(reader: CodeReader, wanted: tuple[str, ...]) -> dict[str, Final]:
    """What a function gives back, as many values as gradients are asked for, in their order."""
    given = [(of.function.name, of.value, reader.line(of.function.node)) for of in reader.returned]
    held = [(name, value, 0) for name, value in reader.scope.names.items() if HOLDERS.match(name)]
    for name, value, line in reversed([*given, *held, *reader.results]):
        known = GIVES.search(name) or HOLDERS.match(name)
        if isinstance(value, tuple | list) and len(value) == len(wanted) and known:
            numbers = [plain(reader, v) for v in value]
            if all(n is not None for n in numbers):
                nodes = [reader.node_of_value(v) for v in value]
                return {
                    w: Final(w, n, line, f"{name}(…)", node, _maker(reader, node), 0)
                    for w, n, node in zip(wanted, numbers, nodes, strict=True)
                }
    return {}
