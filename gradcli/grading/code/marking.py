"""Marking code by what it comes to: the asked gradients, whatever the way to them.

A listing comes in, `Marked` goes out, with a row for each asked gradient. Those that code ends with
are compared with the true ones (`finals`, `judged`); where some are wrong, the first statement at
fault is looked for (`causes`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Source
from gradcli.grading.code.causes import Root, roots_of
from gradcli.grading.code.finals import meant
from gradcli.grading.code.judged import Judged
from gradcli.grading.code.replay import Replay, same
from gradcli.grading.listing.code import Code
from gradcli.grading.listing.forward_pass import WORTH_SAYING
from gradcli.grading.marking.expected import Scheme
from gradcli.grading.marking.result import Marked, MarkedRow, Note, Status, in_cells
from gradcli.grading.marking.settled import EVERY_NEGATED, of_each_example
from gradcli.grading.model.deadline import NEVER, Deadline
from gradcli.grading.model.task import Task
from gradcli.grading.submission.types import Listing
from gradcli.graph.draft import Literal
from gradcli.python.source import without_magics


def mark_code(
    task: Task,
    listing: Listing,
    deadline: Deadline = NEVER,
    scheme: Scheme | None = None,
    *,
    explain: bool = True,
) -> Marked | None:
    """Mark code by the gradients that it comes to; None where they can't be reached.

    Without `explain` also None where a gradient is wrong: to find out why takes long. Raises
    `GradcliError` of kind submission, with its line, for what is no Python, takes too much, or has
    a gradient that is made of something unread.
    """
    text = listing.source.text
    source = Source(without_magics(text) if listing.cells else text, listing.source.name)
    scheme = scheme or Scheme()
    try:
        with np.errstate(all="ignore"):
            judged = Judged(task, Code.of(source, task), deadline, scheme.tolerance)
            marked = _Marking(judged, scheme).marked(explain=explain)
    except RecursionError:  # trees of Python that are too deep to be changed
        return None
    except GradcliError as error:
        error.kind = Kind.SUBMISSION
        raise listing.located(error) from None
    return None if marked is None else in_cells(marked, listing).out_of(scheme.points)


class _Marking:
    """The rows of one submission."""

    def __init__(self, judged: Judged, scheme: Scheme) -> None:
        self.judged, self.scheme = judged, scheme
        self.task, self.asked = judged.task, judged.asked
        self.reading = judged.reader.reading
        self.broken: dict[str, Root] = {}
        """Asked gradients whose statement gives no number: shapes that don't go together."""
        self.wrong: frozenset[str] = frozenset()
        self.roots: list[Root] = []
        self.notes: list[Note] = []

    def marked(self, *, explain: bool) -> Marked | None:
        """Every asked gradient judged; None where none of them can be reached."""
        judged = self.judged
        self._find_broken()
        absent = [n for n in self.asked if n not in judged.finals and n not in self.broken]
        if absent and not self.broken and (self.reading.unknown or judged.reader.missing):
            raise self._unread(absent)
        if not (judged.finals or self.broken):
            return None
        self._settle_direction()
        self.wrong = frozenset(judged.finals) - judged.right(judged.finals)
        self.wrong -= self._per_example()
        if self.wrong and not explain:
            return None
        said = [Note(tag, text, line) for tag, line, text in self.reading.notes]
        self.notes += [note for note in said if note.tag in WORTH_SAYING]
        self.roots = roots_of(judged, self.wrong) if self.wrong else []
        rows = tuple(self._row(name) for name in self.asked)
        return Marked(rows, tuple(self.notes), "listing")

    # --- what can't be found out ---

    def _find_broken(self) -> None:
        judged = self.judged
        for label, why in self.reading.unknown:
            name = meant(label, self.asked, self.task.vocabulary)
            if name is None or name in judged.finals or why.kind != "shape" or why.span is None:
                continue
            line = judged.reader.text.line(why.span)
            text = judged.line(line)
            product = "@" in text or "dot(" in text or "matmul(" in text
            tags = ("shape", "transpose") if product else ("shape",)
            self.broken.setdefault(name, Root(line, text, tags, frozenset([name]), why.message))

    def _unread(self, absent: list[str]) -> GradcliError:
        """The error of gradients that can't be found out: the first thing that is not read."""
        unknown = [(why.span, why) for _, why in self.reading.unknown if why.span]
        lost = f"the gradient with respect to {', '.join(absent)} can't be found out"
        if not unknown:
            return GradcliError(Kind.SUBMISSION, lost)
        span, why = min(unknown, key=lambda one: one[0])
        source = self.judged.code.source
        return GradcliError(
            Kind.SUBMISSION, why.message, source=source, span=span, hint=f"so {lost}"
        )

    # --- conventions ---

    def _settle_direction(self) -> None:
        """The direction that the task asks for, else that in which more gradients are right."""
        judged, direction = self.judged, self.task.lines.direction
        upward = judged.right(judged.finals)
        judged.sign = -1.0
        if direction == "either" and len(judged.right(judged.finals)) > len(upward):
            self.notes.append(EVERY_NEGATED)
        elif direction != "descent":
            judged.sign = 1.0

    def _per_example(self) -> frozenset[str]:
        """Gradients of arrays over examples that are all the true ones times their number.

        It is the course's convention only where the code divides other gradients by that number.
        """
        judged, divisors = self.judged, self._divisors() if self.wrong else frozenset()
        found = []
        for name in sorted(self.wrong if len(self.wrong) < len(judged.finals) else ()):
            value, true = judged.finals[name].value, judged.true(name)
            counts = divisors.intersection(np.shape(true))
            if any(same(value, n * true) for n in counts) and self._is_over_examples(name):
                found.append(name)
                self.notes.append(of_each_example(name, judged.finals[name].line))
        return frozenset(found)

    def _is_over_examples(self, name: str) -> bool:
        """Whether a node has elements for examples: as no bias has, and no weight.

        In a product that is the factor beside one whose gradient, a sum over them, is right.
        """
        flow, right = self.task.flow, frozenset(self.judged.finals) - self.wrong
        for part in flow.passes({})[1].get(name, ()):
            stage = flow.stages[part.consumer]
            operation = stage.graph.nodes[part.node].operation
            product = operation is not None and operation.is_matrix_product
            if np.shape(part.raw) != np.shape(part.value):
                return False
            if product and not right & ({*stage.reads} - {name}):
                return False
        return True

    def _divisors(self) -> frozenset[int]:
        """The whole numbers above 1 that right gradients are divided by."""
        tape, finals = self.judged.reader.tape, self.judged.finals
        right = (finals[name].node for name in frozenset(finals) - self.wrong)
        above = Replay(tape).above({node for node in right if node is not None})
        operands = (o for i in above for o in tape.steps[i].operands)
        numbers = (o.value for o in operands if isinstance(o, Literal) and not np.ndim(o.value))
        sizes = (n if n > 1 else 1 / n for n in map(float, numbers) if n > 0)
        return frozenset(round(n) for n in sizes if n < 1e6 and abs(n - round(n)) < 1e-9 and n > 1)

    # --- rows ---

    def _row(self, name: str) -> MarkedRow:
        """The row of an asked gradient; the first that a root explains is wrong, others follow."""
        judged, broken = self.judged, self.broken
        true, final = np.asarray(judged.sides[0][name])[()], judged.finals.get(name)
        value = follows = None
        follow = 0
        if final is not None:
            value = follows = final.value
            status, cause = Status.OK, Root(final.line, final.text, (), frozenset([name]))
            if name in self.wrong:
                status = Status.CARRIED
                root = next((r for r in self.roots if name in r.explains), cause)
                if name == self._first(root):
                    status, cause, follows = Status.WRONG, root, judged.true(name)[()]
                    follow = len(root.explains) - 1
        elif name in broken:
            cause = broken[name]
            first = next(n for n in self.asked if n in broken and broken[n].line == cause.line)
            status = Status.WRONG
            if name != first:  # one line, one mistake
                status, cause = Status.CARRIED, replace(cause, tags=(), message="")
        else:
            status = Status.MISSING
            message = f"the gradient with respect to {name} is missing"
            cause = Root(None, "", (), frozenset(), message)
        worth = self.task.marks(name)
        return MarkedRow(
            name, "gradient", status, cause.tags, cause.line, cause.text, value, true, follows,
            worth * self.scheme.share(status), worth, cause.message, (), follow,
        )  # fmt: skip

    def _first(self, root: Root) -> str:
        """The gradient whose mark a root costs: the one that is nearest to it in the code."""
        finals, line = self.judged.finals, root.line or 0
        return min(root.explains, key=lambda n: (abs(finals[n].line - line), n))
