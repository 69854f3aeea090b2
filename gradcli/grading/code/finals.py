"""The gradients that code comes to: which names are gradients, and what they end with.

Code that was read comes in, and the inputs whose gradients are wanted; out comes a `Final` for each
that it has: by the name of a variable or an entry, else by its place among what a function gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError
from gradcli.grading.listing.calls import RETURN
from gradcli.grading.listing.offers import numbered
from gradcli.grading.listing.reader import CodeReader
from gradcli.grading.submission.labels import base_and_key, last_part, readings
from gradcli.grading.submission.types import Vocabulary
from gradcli.python.steps import Step
from gradcli.python.values import NOWHERE, Unread, Value

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
    depth: int = 0
    """In how many functions; the outermost counts."""


@lru_cache(maxsize=4096)
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
    for match in filter(None, (form.fullmatch(label) for form in _FORMS)):
        same = [n for n in wanted if n == match[1]]
        same = same or [n for n in wanted if n.lower() == match[1].lower()]
        if len(same) == 1:
            return same[0]
    return None


def _parts(label: str) -> tuple[str, str | None]:
    """A target's name, and the key of a dictionary: `grads["W1"]`."""
    return base_and_key(label) or (label.partition("[")[0], None)


def finals(reader: CodeReader, wanted: tuple[str, ...]) -> dict[str, Final]:
    """The gradients by the inputs' names; those of the module come before those of functions."""
    return _Finals(reader, wanted).all()


class _Finals:
    """What a reading ends with."""

    def __init__(self, reader: CodeReader, wanted: tuple[str, ...]) -> None:
        self.reader, self.wanted = reader, wanted
        self.steps = reader.reading.steps

    def all(self) -> dict[str, Final]:
        found: dict[str, list[Final]] = {}
        for final in chain(self._in_steps(), self._in_lists(), self._in_results()):
            found.setdefault(final.name, []).append(final)
        chosen = {
            name: self._where_it_was_made(min(reversed(several), key=lambda f: f.depth))
            for name, several in found.items()
        }
        if any(n not in chosen for n in self.wanted):
            chosen = self._in_order() | chosen
        return chosen

    def _meant(self, label: str) -> str | None:
        return meant(label, self.wanted, self.reader.vocabulary)

    def _in_steps(self) -> Iterator[Final]:
        """What every step leaves behind."""
        lost = {_parts(name) for name, _ in self.reader.reading.unknown}
        for i, step in enumerate(self.steps):
            name = self._meant(step.name)
            if name is None or _parts(step.name) in lost:
                continue
            number, node = self._left_by(step)
            if number is not None:
                text = self.reader.text.written(step.span)
                yield Final(name, number, step.line, text, node, i, len(step.calls))

    def _left_by(self, step: Step) -> tuple[Any, int | None]:
        """The value of a step, and its node: of a store into an array or a list, of all of it."""
        value = step.value
        if "[" in step.name and not step.name.endswith('"]'):
            if step.before is not None:
                return None if step.whole is None else self.reader.tape.values[
                    step.whole
                ], step.whole
            held = self.reader.scope.names.get(_parts(step.name)[0])
            value = held if isinstance(held, list) else value
        return self._number(value)

    def _number(self, value: Value) -> tuple[Any, int | None]:
        """A value as NumPy has it, None for what is no number; and its node."""
        reader = self.reader
        if isinstance(value, list | tuple) and value:
            try:
                value = reader.array(list(value), NOWHERE)
            except (Unread, ValueError, TypeError):
                return None, None
        if not reader.is_number(value) or isinstance(value, bool):
            return None, None
        return np.asarray(reader.tape.value(value), dtype=float)[()], reader.node_of_value(value)

    def _where_it_was_made(self, final: Final) -> Final:
        """The gradient with the line that made it, not the one that took it from a function."""
        if final.step is None:
            return final
        last = self.steps[final.step]
        for i, step in enumerate(self.steps[: final.step]):
            if step.name == RETURN or len(step.calls) <= len(last.calls):
                continue
            if final.node is None:
                one = step.value is last.value and self._meant(step.name) == final.name
            else:
                one = step.value is last.value or step.whole == final.node
            if one:
                text = self.reader.text.written(step.span)
                return replace(final, line=step.line, text=text, step=i)
        return final

    def _in_results(self) -> Iterator[Final]:
        """Entries of dictionaries that names stand for, or that functions gave back."""
        held = [(name, value, 0) for name, value in self.reader.scope.names.items()]
        lines = {s.name: s.line for s in self.steps}
        for base, value, line in held + self.reader.results:
            for part in value if isinstance(value, tuple) else (value,):
                for key, entry in part.items() if isinstance(part, dict) else ():
                    name = self._meant(f'{base}["{key}"]')
                    if name is not None:
                        yield from self._kept(name, entry, lines.get(base, line))

    def _in_lists(self) -> Iterator[Final]:
        """`nabla_w`, a list of the gradients by w1, w2 and so on."""
        for base, value in {**self.reader.offers, **self.reader.scope.names}.items():
            match = re.fullmatch(r"(?i)(?:nabla|grads?|d|delta)_?([a-z])s?", base)
            names = [] if match is None else numbered(match[1], self.reader.vocabulary.inputs)
            if isinstance(value, list) and len(value) == len(names) > 1:
                for name, entry in zip(names, value, strict=True):
                    if name in self.wanted:
                        yield from self._kept(name, entry, 0, LAST)

    def _kept(self, name: str, value: Value, line: int, depth: int = 0) -> Iterator[Final]:
        """A gradient in a list or a dictionary, with the step that made it, if it is a number."""
        number, node = self._number(value)
        made = self.reader.makers(node)
        step = made[-1] if made else None
        text = ""
        if step is not None:
            line, text = self.steps[step].line, self.reader.text.written(self.steps[step].span)
        if number is not None:
            yield Final(name, number, line, text, node, step, depth)

    def _in_order(self) -> dict[str, Final]:
        """What a function gives back, as many values as gradients are asked for, in their order."""
        reader = self.reader
        wanted = [n for n in self.wanted if n in reader.vocabulary.inputs]
        given = [(r.function.name, r.value, reader.line(r.function.node)) for r in reader.returned]
        held = [(n, value, 0) for n, value in reader.scope.names.items() if HOLDERS.match(n)]
        for name, value, line in reversed([*given, *held, *reader.results]):
            known = GIVES.search(name) or HOLDERS.match(name)
            if isinstance(value, tuple | list) and len(value) == len(wanted) and known:
                pairs = zip(wanted, value, strict=True)
                found = [final for n, one in pairs for final in self._kept(n, one, line)]
                if len(found) == len(wanted):
                    named = (replace(f, line=line, text=f"{name}(…)") for f in found)
                    return {final.name: final for final in named}
        return {}
