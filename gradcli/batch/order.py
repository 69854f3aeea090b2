"""An order of calls in which few results wait: calls and what they read come in, an order goes out.

Results that wait take up the cache, and in the order of a program the whole forward pass waits
for the backward pass. Here every wanted result, those that need least first, asks for what it
needs, and between two such steps come steps that leave no more results waiting than before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

MANY = 5_000
"""Calls from which on it would take too long to count what each result needs."""


class _Order:
    """The order as it grows."""

    def __init__(self, reads: Mapping[int, Collection[int]], kept: Collection[int]) -> None:
        self.kept = kept
        self.waits = {i: sorted({o for o in reads[i] if o in reads}) for i in reads}
        self.readers: dict[int, set[int]] = {i: set() for i in reads}
        for i, operands in self.waits.items():
            for o in operands:
                self.readers[o].add(i)
        self.done: dict[int, None] = {}

    def ask(self, wanted: int) -> None:
        """Put a call behind all that it needs."""
        stack = [wanted]
        while stack:
            i = stack[-1]
            missing = [o for o in self.waits[i] if o not in self.done]
            if missing:
                stack.extend(reversed(missing))
                continue
            stack.pop()
            if i not in self.done:
                self.put(i)

    def put(self, call: int) -> None:
        """Put a call, and what costs nothing after it."""
        queue = [call]
        while queue:
            i = queue.pop()
            if i in self.done or (i != call and not self.is_free(i)):
                continue
            self.done[i] = None
            queue.extend(sorted(self.readers[i], reverse=True))
            for o in self.waits[i]:
                self.readers[o].discard(i)
                if len(self.readers[o]) == 1:
                    queue.extend(self.readers[o])

    def is_free(self, i: int) -> bool:
        """Whether a call can be next, and at least one result need not wait after it."""
        operands = self.waits[i]
        if any(o not in self.done for o in operands):
            return False
        freed = sum(len(self.readers[o]) == 1 and o not in self.kept for o in operands)
        return (i not in self.kept) <= freed


def ordered(
    wanted: Sequence[int],
    reads: Mapping[int, Collection[int]],
    kept: Collection[int],
    besides: Sequence[int] = (),
) -> list[int]:
    """The calls, which are the keys of `reads`, each behind what it reads, in their new order.

    Results that are `kept` have a place of their own; all others take up a buffer. What is asked
    for `besides` comes where the wanted results have need of it, else at the end: an order of its
    own would keep more results waiting.
    """
    order = _Order(reads, set(kept))
    targets = [i for i in wanted if i in reads]
    if len(reads) <= MANY:
        needs = {i: 1 << bit for bit, i in enumerate(sorted(reads))}  # a bit for every call
        for i, operands in order.waits.items():
            for o in operands:
                needs[i] |= needs[o]
        targets.sort(key=lambda i: needs[i].bit_count())
    for i in (*targets, *besides):
        if i in reads:
            order.ask(i)
    return list(order.done)
