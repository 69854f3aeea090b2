"""What changes in a flow when one number is moved.

A flow and the accumulators that follow from what was handed in come in; for a number that is moved,
the accumulators and values made of it go out. Only these are computed again: a submission has many
numbers, each of which is moved.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gradcli.grading.model.flow import Flow, Key
from gradcli.grading.model.stage import Part, added


@dataclass(frozen=True)
class Moves:
    """A flow with the accumulators that were handed in, and those that follow from them."""

    flow: Flow
    given: Mapping[Key, Any]
    follows: Mapping[Key, Any]
    parts: Mapping[Key, Sequence[Part]]
    """`follows` and `parts` are those of `flow.passes(given)`."""

    @cached_property
    def order(self) -> Mapping[Key, int]:
        """The places of the stages, in evaluation order."""
        return {key: i for i, key in enumerate(self.flow.stages)}

    @cached_property
    def readers(self) -> Mapping[Key, Sequence[Key]]:
        """The stages that read each variable, in order."""
        found: dict[Key, list[Key]] = {}
        for key, stage in self.flow.stages.items():
            for read in stage.reads:
                found.setdefault(read, []).append(key)
        return found

    @cached_property
    def groups(self) -> Mapping[Key, Mapping[Key, Sequence[Part]]]:
        """The parts of every accumulator by their consumers."""
        found: dict[Key, dict[Key, list[Part]]] = {}
        for key, parts in self.parts.items():
            of = found.setdefault(key, {})
            for part in parts:
                of.setdefault(part.consumer, []).append(part)
        return found

    def of_gradient(self, key: Key, value: Any) -> dict[Key, Any]:
        """The accumulators that change when a given one has another value."""
        return self._passed({key: value}, {}, [key])

    def of_value(
        self, key: Key, value: Any, fixed: Collection[Key]
    ) -> tuple[dict[Key, Any], dict[Key, Any]]:
        """The stages' own values and the accumulators that change with the value of a variable.

        Variables in `fixed` keep theirs.
        """
        stages, known = self.flow.stages, dict(self.flow.values)
        known[key] = value
        keeps = {*fixed, key}
        first = self.readers.get(key, ())
        changed = _closure(first, lambda k: () if k in keeps else self.readers.get(k, ()))
        own: dict[Key, Any] = {}
        inner: dict[Key, list[Any]] = {}
        for reader in sorted(changed, key=self.order.__getitem__):
            stage = stages[reader]
            inner[reader] = stage.values([known[read] for read in stage.reads])
            own[reader] = inner[reader][stage.graph.output]
            if reader not in keeps:
                known[reader] = own[reader]
        return own, self._passed({}, inner, inner)

    def _passed(
        self, moved: Mapping[Key, Any], inner: Mapping[Key, list[Any]], starts: Collection[Key]
    ) -> dict[Key, Any]:
        """The accumulators that change; `starts` are the stages that send something else."""
        stages, order = self.flow.stages, self.order
        sending = {key for key in starts if key in order}

        def below(key: Key) -> Iterable[Key]:
            passes = key in self.follows and (key in sending or key not in self.given)
            return (read for read in stages[key].reads if passes and read in order)

        anew: dict[Key, dict[Key, list[Part]]] = {}
        found: dict[Key, Any] = {}
        for key in sorted(_closure(sending, below), key=order.__getitem__, reverse=True):
            if key in anew:
                found[key] = self._total(key, anew[key])
            elif key not in sending:
                continue
            if key not in self.follows or (key in self.given and key not in sending):
                continue
            follows = found.get(key, self.follows[key])
            upstream = moved.get(key, self.given.get(key, follows))
            for read, parts in self.flow.sent(key, upstream, values=inner.get(key)).items():
                anew.setdefault(read, {})[key] = parts
        return found | {key: self._total(key, of) for key, of in anew.items() if key not in order}

    def _total(self, key: Key, anew: Mapping[Key, Sequence[Part]]) -> Any:
        groups = self.groups[key].items()
        return added(part.value for of, parts in groups for part in anew.get(of, parts))


def _closure(starts: Iterable[Key], onward: Callable[[Key], Iterable[Key]]) -> set[Key]:
    """The keys that are reached, those that it starts with among them."""
    waiting = list(starts)
    seen = set(waiting)
    while waiting:
        more = [key for key in onward(waiting.pop()) if key not in seen]
        seen.update(more)
        waiting += more
    return seen
