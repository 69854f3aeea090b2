"""A step in words: the sentences that a teacher says with it.

A line of the backward pass comes in. Out come sentences: why the local derivative is what it is
(`ops/words.py`), why contributions add up, why something is summed or transposed, which
convention holds at a corner, and when an accumulator is final. The sentences have names in them
and no numbers, so that they stay true at another point; only what is said of a corner belongs to
the point.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gradcli.engine.notation import node_tree, operand_tree
from gradcli.ops.operation import keywords, times
from gradcli.ops.words import sentence
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import Name, postorder
from gradcli.trace.steps import Move, Step, Steps

MOST_NAMES = 4
"""If more operations than this use a node, only their number is given."""

NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}


class Explained(NamedTuple):
    """The sentences of a step."""

    always: tuple[str, ...]
    here: tuple[str, ...] = ()
    """What is true at this point alone: which convention holds at a corner."""

    @property
    def text(self) -> str:
        """All of them."""
        return " ".join((*self.always, *self.here))


class Explainer:
    """The sentences for the steps of a result."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps

    @cached_property
    def _senders(self) -> dict[int, list[str]]:
        """For every node who sends to it, a name for each contribution, in backward order."""
        found: dict[int, list[str]] = {}
        for move in self.steps.moves():
            found.setdefault(move.to.id, []).append(move.node.name)
        return found

    @cached_property
    def _users(self) -> dict[int, list[str]]:
        """The nodes that send to every node, in the order of the forward pass."""
        return {i: [*reversed(dict.fromkeys(names))] for i, names in self._senders.items()}

    def start(self) -> str:
        """Why the backward pass starts as it does."""
        name = self.steps.result.output.name
        if self.steps.result.upstream is not None and np.ndim(self.steps.result.upstream):
            return f"The pass starts from the upstream gradient that was given for {name}."
        return f"The pass starts at the output: the derivative of {name} by itself is 1."

    def forward(self, step: Step) -> Explained:
        """What a step of the forward pass computes."""
        if step.number is None:
            return Explained((f"{step.node.name} depends on no input, so it gets no δ.",))
        shapes, trees = self.steps.shapes, postorder(step.tree)
        read = dict.fromkeys(t.name for t in trees if isinstance(t, Name) and t.name in shapes)
        known = _listed([*read]) if read else "numbers alone"
        text = f"{step.node.name} is computed from {known} and kept for the backward pass."
        if len(users := self._users.get(step.node.id, [])) > 1:
            text += f" {step.node.name} forks: {_listed(users)} use it."
        return Explained((text,))

    def backward(self, move: Move) -> Explained:
        """Why a line of the backward pass is what it is."""
        always = [self._rule(move), *self._shapes(move), *self._fork(move)]
        return Explained(tuple(text for text in always if text), tuple(self._corners(move)))

    def about(self, name: str) -> str:
        """All that is said of what a node gets, line by line of the backward pass."""
        said = [self.backward(move).text for move in self.steps.moves() if move.to.name == name]
        return " ".join(said)

    def _rule(self, move: Move) -> str:
        """The rule's sentence; the chain rule's where a statement is several operations."""
        members = self.steps.members(move.node)
        rule = move.local if move.local is not None else move.rule
        written = "" if rule is None else print_tree(rule, spaced=False)
        if len(members) > 1:
            how = ", put together by the chain rule"
            if move.local is not None:
                slope = f"its slope with respect to {move.to.name} is {written}"
                how = f": by the chain rule inside it, {slope}"
            return f"{move.node.name} is several operations at once{how}."
        operation = move.node.operation
        graph = self.steps.graph
        operands = [print_tree(operand_tree(graph, o)) for o in move.node.operands]
        place = next((i for i, o in enumerate(move.node.operands) if o == move.to.id), 0)
        others = [text for i, text in enumerate(operands) if i != place] or [move.to.name]
        names = {"to": move.to.name, "out": move.node.name, "others": _listed(others)}
        return sentence(operation, place).format(**names, shape=move.to.type, rule=written)

    def _shapes(self, move: Move) -> Iterable[str]:
        """Why what comes back is summed over a dimension."""
        own, to = move.node.type.shape, move.to.type.shape
        alone = len(self.steps.members(move.node)) == 1
        if alone and move.node.operation.elementwise and own != to:
            repeated = f"{move.to.name} was repeated to fit the shape {times(own)}"
            yield f"{repeated}, so what comes back is summed over its copies."

    def _fork(self, move: Move) -> Iterable[str]:
        """Why `=` or `+=`, and whether the accumulator is complete."""
        name, count = move.to.name, len(self._senders[move.to.id])
        users = self._users[move.to.id]
        if count == 1:
            yield f"Only {users[0]} uses {name}, so δ of {name} is final."
            return
        many = f"{NUMBERS.get(count, count)} contributions"
        how_used = f"by {_listed(users)}" if 1 < len(users) <= MOST_NAMES else f"{count} times"
        how = "; this is the first" if move.paths == 1 else ", with +="
        yield f"{name} is used {how_used}, so {many} add up{how}."
        if move.final:
            yield f"Now δ of {name} is final."

    def _corners(self, move: Move) -> Iterable[str]:
        """The convention that was taken, where the point is a corner."""
        graph, values = self.steps.graph, self.steps.result.values
        for node in self.steps.members(move.node):
            if node.operation is None:
                continue
            operation = node.operation
            if operation.tie is None or not operation.convention:
                continue
            arguments = [values[o] if isinstance(o, int) else o.value for o in node.operands]
            if np.any(operation.tie(*arguments, **keywords(node.kernel))):
                text = print_tree(node_tree(graph, node))
                yield f"{text} has a corner here; the convention is: {operation.convention}."


def _listed(names: list[str]) -> str:
    """`x`, `x and y`, `x, y and z`."""
    if len(names) > MOST_NAMES:
        return f"{len(names)} operands"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
