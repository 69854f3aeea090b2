"""What changes in a flow when one number is moved.

A flow and the accumulators that follow from what was handed in come in; for a number that is moved,
the accumulators and values made of it go out. Only these are computed again: a submission has many
numbers, each of which is moved.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import heappop, heappush
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
    def keys(self) -> tuple[Key, ...]:
        """The stages in that order."""
        return tuple(self.flow.stages)

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
        own: dict[Key, Any] = {}
        inner: dict[Key, list[Any]] = {}
        waiting: list[int] = []
        seen: set[Key] = set()
        self._add_readers(key, waiting, seen)
        while waiting:
            reader = self.keys[heappop(waiting)]
            stage = stages[reader]
            inner[reader] = stage.values([known[read] for read in stage.reads])
            own[reader] = inner[reader][stage.graph.output]
            if reader not in fixed and reader != key:
                known[reader] = own[reader]
                self._add_readers(reader, waiting, seen)
        return own, self._passed({}, inner, inner)

    def _add_readers(self, key: Key, waiting: list[int], seen: set[Key]) -> None:
        for reader in self.readers.get(key, ()):
            if reader not in seen:
                seen.add(reader)
                heappush(waiting, self.order[reader])

    def _passed(
        self, moved: Mapping[Key, Any], inner: Mapping[Key, list[Any]], starts: Iterable[Key]
    ) -> dict[Key, Any]:
        """The accumulators that change; `starts` are the stages that send something else."""
        order, sending = self.order, {key for key in starts if key in self.order}
        waiting = sorted(-order[key] for key in sending)
        seen = set(sending)
        anew: dict[Key, dict[Key, list[Part]]] = {}
        found: dict[Key, Any] = {}
        while waiting:
            key = self.keys[-heappop(waiting)]
            if key in anew:
                found[key] = self._total(key, anew[key])
            if key not in self.follows or (key in self.given and key not in sending):
                continue
            follows = found.get(key, self.follows[key])
            upstream = moved.get(key, self.given.get(key, follows))
            for read, parts in self.flow.sent(key, upstream, values=inner.get(key)).items():
                anew.setdefault(read, {})[key] = parts
                if read in order and read not in seen:
                    seen.add(read)
                    heappush(waiting, -order[read])
        return found | {key: self._total(key, of) for key, of in anew.items() if key not in order}

    def _total(self, key: Key, anew: Mapping[Key, Sequence[Part]]) -> Any:
        groups = self.groups[key].items()
        return added(part.value for of, parts in groups for part in anew.get(of, parts))
