"""What has to be changed in a statement so that wrong gradients come out right, and its name.

The suspected steps of a submission come in; the line at fault and the tags of its mistake go out. A
repair is a small change of one statement (`changes`): the code is read again with it, and a change
that makes all the wrong gradients right tells which mistake was made there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from time import thread_time
from typing import Any, NamedTuple

from gradcli.diagnostics.error import GradcliError
from gradcli.grading.code.changes import Change, Changes, Look, Place
from gradcli.grading.code.finals import finals
from gradcli.grading.code.judged import Judged
from gradcli.grading.code.replay import same
from gradcli.grading.code.suspects import Suspects
from gradcli.grading.listing.trees import blocks_of
from gradcli.grading.mistakes.edits import with_other_sign, with_value

SECONDS = 6.0
"""What all repairs of a submission may take of a processor, however busy the machine is."""


class Repair(NamedTuple):
    """The line of a change that makes wrong gradients right, and what it is called."""

    line: int
    tags: tuple[str, ...]


class Repairs:
    """Tries changes of the statements of one submission."""

    def __init__(self, marking: Judged) -> None:
        self.marking, self.reader = marking, marking.reader
        self.steps = marking.reader.reading.steps
        self.until = thread_time() + SECONDS
        self.changes = Changes(marking.code.tree, marking.reader)
        self.places = {
            id(statement): Place(block, i)
            for block in blocks_of(marking.code.tree)
            for i, statement in enumerate(block)
        }

    def best(self, suspects: Suspects) -> Repair | None:
        """The first change of the suspected statements that makes all wrong gradients right."""
        looks: list[tuple[int, Look]] = [(i, "plainly") for i in suspects.plainly]
        if suspects.plainly:
            looks += [(i, "behind") for i in suspects.trusted]
        for i, look in looks:
            if (found := self._known(i, suspects, look)) is not None:
                return found
        made = [i for i in suspects.steps if i not in suspects.handed_on]
        handed_on = [i for i in suspects.steps if i in suspects.handed_on]
        return self._among(made, suspects) or self._among(handed_on, suspects)

    def _among(self, some: list[int], suspects: Suspects) -> Repair | None:
        """The first change of the statements of some steps that makes all right."""
        waiting: dict[int, Iterator[Change]] = {}
        for i in some:
            if not self._comes_again(i) and (found := self._known(i, suspects)) is not None:
                return found
            place = self._place(i)
            if place is not None and id(place.statement) not in waiting:
                waiting[id(place.statement)] = self.changes.tried(place, i)
        until = min(self.until, thread_time() + SECONDS * 0.7)
        while waiting and not self._is_over(until):
            for statement, changes in list(waiting.items()):
                change = next(changes, None)
                if change is None:
                    del waiting[statement]
                elif self._mends(change.place, change.statements, suspects):
                    return Repair(self._earlier(change, suspects) or change.line, change.tags)
        return None

    def _earlier(self, change: Change, suspects: Suspects) -> int | None:
        """The line of a statement before, where the same change of what it gives mends as well."""
        (block, i), changed = change.place, change.statements[0]
        old, new = (getattr(one, "value", None) for one in (block[i], changed))
        if old is None or new is None or change.tags != ("dropped-path",):
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
                    mended = with_value(before, ast.BinOp(before.value, part.op, part.right))
                    mends = self._mends(Place(block, j), [mended], suspects)
                    return before.lineno if mends else None
        return None

    def _known(self, i: int, suspects: Suspects, look: Look = "fully") -> Repair | None:
        """A change by which the statement of a step gives the value that is known to be right."""
        place = self._place(i)
        if place is None or i not in suspects.right_values:
            return None
        statement = place.statement
        value = getattr(statement, "value", None)
        target = self._needed(statement, i, suspects.right_values[i])
        if not isinstance(value, ast.expr) or target is None:
            return None
        for tags, changed in with_other_sign(statement):
            if self._mends(place, [changed], suspects):
                return Repair(statement.lineno, tags)
        until = min(self.until, thread_time() + SECONDS / 3)
        for tags, expression, behind in self.changes.expressions(value, place, i, look):
            if self._is_over(until):
                break
            ast.fix_missing_locations(ast.copy_location(expression, statement))
            number = self.reader.evaluated(expression, i)
            if number is None or not same(number, target):
                continue
            if self._mends(place, [with_value(statement, expression)], suspects):
                # What is missing behind it is missing at the last name of the value.
                last = self._place(suspects.names.get(i, i)) or place
                return Repair(last.behind if behind else statement.lineno, tags)
        pair = None if look != "fully" else self.changes.pair(value, place, i, target)
        if pair is not None and self._mends(place, [with_value(statement, pair)], suspects):
            return Repair(statement.lineno, ("dropped-path",))
        return None

    def _needed(self, statement: ast.stmt, i: int, right: Any) -> Any:
        """What the right-hand side of a step's statement has to give; None where it is unknown."""
        step = self.steps[i]
        if isinstance(statement, ast.AugAssign):
            if step.before is None or step.before < 0 or "[" in step.name:
                return None
            old = self.reader.tape.values[step.before]
            if isinstance(statement.op, ast.Add):
                return right - old
            return old - right if isinstance(statement.op, ast.Sub) else None
        unpacks = isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple)
        return None if unpacks else right

    def idle(self, suspects: Suspects) -> Repair | None:
        """A `pass` among other statements of a suspected block, to be filled in."""
        for place in filter(None, map(self._place, suspects.steps)):
            for one in place.block[place.number :]:
                if isinstance(one, ast.Pass) and len(place.block) > 1:
                    return Repair(one.lineno, ("dropped-path",))
        return None

    def _is_over(self, until: float) -> bool:
        """Whether this much has been computed, or the time for naming is up."""
        return thread_time() > until or self.marking.naming_is_over

    def _comes_again(self, i: int) -> bool:
        """Whether a statement is gone through more than once: then one value says little."""
        step = self.steps[i]
        return any(s.span == step.span and s.turns != step.turns for s in self.steps)

    def _place(self, i: int) -> Place | None:
        """Where the statement of a step stands."""
        return self.places.get(id(self.reader.places[i].statement))

    def _mends(self, place: Place, changed: list[ast.stmt], suspects: Suspects) -> bool:
        """Whether other statements in the place of one make the wrong gradients right."""
        marking, (block, i), old = self.marking, place, place.block[:]
        for one in changed:
            ast.copy_location(one, old[i])
            ast.fix_missing_locations(one)
        block[i : i + 1] = changed
        try:
            found = marking.right(finals(marking.read(), marking.asked))
        except (GradcliError, RecursionError):
            return False
        finally:
            block[:] = old
        return suspects.wrong | marking.right(marking.finals) <= found
