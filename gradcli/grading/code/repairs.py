"""What has to be changed in a statement so that wrong gradients come out right, and its name.

A repair is a small change of one statement: a sign, a factor, another name, a sum, a transpose, a
product or a sum with something that is at hand. The code is read again with it; a change that makes
all the wrong gradients right tells which mistake was made there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import thread_time
from typing import Any

from gradcli.diagnostics.error import GradcliError
from gradcli.grading.code.changes import Changes, Look, Place, line_behind
from gradcli.grading.code.finals import finals
from gradcli.grading.code.judged import Judged
from gradcli.grading.code.replay import same
from gradcli.grading.code.suspects import Suspects
from gradcli.grading.listing.functions import blocks_of
from gradcli.grading.mistakes.edits import with_other_sign, with_value
from gradcli.python.steps import Step

SECONDS = 6.0
"""What all repairs of a submission may take of a processor, however busy the machine is."""


@dataclass(frozen=True)
class Repair:
    """A change that makes gradients right: where, what it is called, and which."""

    line: int
    tags: tuple[str, ...]
    mends: frozenset[str]
    behind: bool = False
    """Something is missing, and could stand behind the statement as well."""


class Repairs:
    """Tries changes of the statements of one submission."""

    def __init__(self, marking: Judged) -> None:
        self.marking = marking
        self.until = thread_time() + SECONDS
        self.lines = marking.source.text.split("\n")
        self.blocks = list(blocks_of(marking.tree))
        self.changes = Changes(marking.tree, marking.reader)

    def _is_over(self, until: float) -> bool:
        """Whether this much has been computed, or the time for naming is up."""
        deadline = self.marking.deadline
        return thread_time() > until or deadline.clock() > deadline.naming

    def line_text(self, line: int) -> str:
        """A line of the code."""
        return self.lines[line - 1].strip() if 0 < line <= len(self.lines) else ""

    def best(self, wrong: frozenset[str], suspects: Suspects) -> Repair | None:
        """The first change of the suspected statements that makes all wrong gradients right."""
        steps = self.marking.reader.reading.steps
        looks: list[tuple[int, Look]] = [(i, "plainly") for i in suspects.plainly]
        if suspects.plainly:
            looks += [(i, "behind") for i in suspects.trusted]
        for i, look in looks:
            place = self._statement(steps[i])
            if place is not None and i in suspects.right_values:
                found = self._known(place, i, suspects.right_values[i], wrong, look)
                if found is not None:
                    return self._named_last(found, i, suspects)
        made = [i for i in suspects.steps if i not in suspects.handed_on]
        handed_on = [i for i in suspects.steps if i in suspects.handed_on]
        return self._among(made, wrong, suspects) or self._among(handed_on, wrong, suspects)

    def _among(self, some: list[int], wrong: frozenset[str], suspects: Suspects) -> Repair | None:
        """The first change of the statements of some steps that makes all right."""
        steps = self.marking.reader.reading.steps
        waiting: list[Iterator[tuple[tuple[str, ...], list[ast.stmt], int, Place]]] = []
        seen: set[int] = set()
        for i in some:
            place = self._statement(steps[i])
            if place is None:
                continue
            if i in suspects.right_values and not self._comes_again(steps[i]):
                found = self._known(place, i, suspects.right_values[i], wrong)
                if found is not None:
                    return self._named_last(found, i, suspects)
            if id(place[0][place[1]]) not in seen:
                seen.add(id(place[0][place[1]]))
                waiting.append(self.changes.tried(place, i))
        until = min(self.until, thread_time() + SECONDS * 0.7)
        while waiting and not self._is_over(until):
            for one in waiting[:]:
                change = next(one, None)
                if change is None:
                    waiting.remove(one)
                    continue
                tags, statements, line, place = change
                if wrong <= self._mended(*place, statements):
                    return self._earlier(place, statements, tags, wrong) or Repair(
                        line, tags, wrong
                    )
        return None

    def _earlier(
        self, place: Place, changed: list[ast.stmt], tags: tuple[str, ...], wrong: frozenset[str]
    ) -> Repair | None:
        """The statement before, where the same change of what it gives mends as well."""
        block, i = place
        old, new = getattr(block[i], "value", None), getattr(changed[0], "value", None)
        if old is None or new is None or tags != ("dropped-path",):
            return None
        for part in ast.walk(new):
            if not isinstance(part, ast.BinOp) or not isinstance(part.left, ast.Name):
                continue
            name, more = part.left.id, ast.unparse(part.right)
            if f"{name} + {more}" in ast.unparse(old):
                continue
            for j in range(i - 1, -1, -1):
                before = block[j]
                if isinstance(before, ast.Assign) and any(
                    isinstance(t, ast.Name) and t.id == name for t in before.targets
                ):
                    value = ast.BinOp(before.value, part.op, part.right)
                    if wrong <= self._mended(block, j, [with_value(before, value)]):
                        return Repair(before.lineno, tags, wrong)
                    return None
        return None

    def _named_last(self, found: Repair, step: int, suspects: Suspects) -> Repair:
        """The repair at the last name of a value, where something is missing behind it."""
        steps = self.marking.reader.reading.steps
        alias = self._statement(steps[suspects.names.get(step, step)])
        if found.behind and alias is not None:
            return replace(found, line=line_behind(*alias))
        return found

    def _comes_again(self, step: Step) -> bool:
        """Whether a statement is gone through more than once: then one value says little."""
        steps = self.marking.reader.reading.steps
        return any(s.span == step.span and s.turns != step.turns for s in steps)

    def _known(
        self,
        place: Place,
        step: int,
        right: Any,
        wrong: frozenset[str],
        look: Look = "fully",
    ) -> Repair | None:
        """A change by which a statement gives the value that is known to be right."""
        block, i = place
        statement = block[i]
        value = getattr(statement, "value", None)
        reader = self.marking.reader
        target = self._needed(statement, reader.reading.steps[step], right)
        if not isinstance(value, ast.expr) or target is None:
            return None
        for tags, changed in with_other_sign(statement):
            if wrong <= self._mended(block, i, [changed]):
                return Repair(statement.lineno, tags, wrong)
        until = min(self.until, thread_time() + SECONDS / 3)
        changes = self.changes.expressions(value, place, step, look)
        for tags, expression, behind in changes:
            if self._is_over(until):
                break
            ast.fix_missing_locations(ast.copy_location(expression, statement))
            number = reader.evaluated(expression, step)
            if number is not None and same(number, target):
                changed = with_value(statement, expression)
                if wrong <= self._mended(block, i, [changed]):
                    line = line_behind(block, i) if behind else statement.lineno
                    return Repair(line, tags, wrong, behind)
        pair = None if look != "fully" else self.changes.pair(value, place, step, target)
        if pair is not None and wrong <= self._mended(block, i, [with_value(statement, pair)]):
            return Repair(statement.lineno, ("dropped-path",), wrong)
        return None

    def _needed(self, statement: ast.stmt, step: Step, right: Any) -> Any:
        """What the right-hand side of a statement has to give."""
        if isinstance(statement, ast.AugAssign):
            tape = self.marking.reader.tape
            if step.before is None or step.before < 0 or "[" in step.name:
                return None
            old = tape.values[step.before]
            if isinstance(statement.op, ast.Add):
                return right - old
            return old - right if isinstance(statement.op, ast.Sub) else None
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple):
            return None
        return right

    def idle(self, suspects: Suspects) -> int | None:
        """The line of a `pass` among other statements of a block that is suspected."""
        steps = self.marking.reader.reading.steps
        for i in suspects.steps:
            place = self._statement(steps[i])
            if place is None:
                continue
            for j, one in enumerate(place[0]):
                if isinstance(one, ast.Pass) and len(place[0]) > 1 and j >= place[1]:
                    return one.lineno
        return None

    def _statement(self, step: Step) -> Place | None:
        """The statement of a step: its block, and its place there."""
        text = self.marking.reader.text
        for block in self.blocks:
            for i, one in enumerate(block):
                if text.span(one) == step.span:
                    return block, i
        return None

    def _mended(self, block: list[ast.stmt], i: int, changed: list[ast.stmt]) -> frozenset[str]:
        """The gradients that are right with other statements in the place of one."""
        marking, old = self.marking, block[:]
        for one in changed:
            ast.copy_location(one, old[i])
            ast.fix_missing_locations(one)
        block[i : i + 1] = changed
        try:
            reader = marking.read(marking.tree)
            found = finals(reader, marking.asked, marking.task.vocabulary)
        except (GradcliError, RecursionError):
            return frozenset()
        finally:
            block[:] = old
        right = marking.right({n: f.value for n, f in found.items()})
        before = marking.right({n: f.value for n, f in marking.finals.items()})
        return right if before <= right else frozenset()
