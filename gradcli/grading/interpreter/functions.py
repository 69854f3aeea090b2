"""The listing's own functions: which are one expression, and which are steps of the computation.

A function such as `sigmoid(z)` with a line or two is a word for an expression, and a statement
that calls it stays one step. A function such as `forward(x, y)` or `backward(cache)` holds the
steps themselves: its lines are read as if they stood in the listing. Which one it is, the names in
it tell: steps have names that the task knows, or that have a gradient somewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from gradcli.engine.notation import NOWHERE, substitute
from gradcli.grading.submission.labels import readings
from gradcli.grading.submission.python.rewrite import base_and_key, original_name
from gradcli.grading.submission.types import (
    Entries,
    Listing,
    Performed,
    Procedure,
    Returned,
    Several,
    Step,
    Vocabulary,
)
from gradcli.syntax.tree import (
    Assign,
    Augment,
    Call,
    Define,
    Name,
    Operator,
    Tree,
    Tuple,
    postorder,
)

LONGEST = 20_000
"""Parts of an expression that a function may be."""


class Procedures:
    """The functions that have been defined so far."""

    def __init__(self, listing: Listing, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.one_expression: dict[str, Define] = {}
        self.called: dict[str, Procedure] = {}
        """Those of several statements."""
        self.results: dict[str, tuple[Tree, ...]] = {}
        """What these give back, in their parameters alone, where that can be said."""
        steps = list(all_steps(listing.statements))
        self.counts = Counter(
            node.name
            for step in steps
            for tree in trees(step)
            for node in postorder(tree)
            if isinstance(node, Call) and not node.qualified
        )
        self.targets = frozenset(name for step in steps for name in targets(step))
        self.steps_of: dict[str, bool] = {}

    def define(self, function: Define | Procedure) -> None:
        """Take a function; a second one of its name replaces it."""
        name = function.name.name
        for known in (self.one_expression, self.called, self.results):
            known.pop(name, None)
        if isinstance(function, Define):
            self.one_expression[name] = function
            return
        self.called[name] = function
        self.steps_of[name] = self._has_steps(function)
        results = in_parameters(function)
        if results is not None:
            self.results[name] = results
            if len(results) == 1:
                body = results[0]
                made = Define(function.name, function.parameters, body, function.span)
                self.one_expression[name] = made

    def is_open(self, call: Call) -> bool:
        """Whether the function's lines are steps of the computation in this call."""
        function = self.called.get(call.name)
        if function is None or not self.steps_of[call.name]:
            return False
        same = len(call.arguments) == len(function.parameters) and all(
            isinstance(argument, Name) and argument.name == parameter.name
            for argument, parameter in zip(call.arguments, function.parameters, strict=True)
        )
        return same or self.counts[call.name] <= 1

    def never_called(self) -> Iterator[Procedure]:
        """Functions with steps that the listing defines and does not call."""
        for name, function in self.called.items():
            named = readings(original_name(name), self.vocabulary)
            if not self.counts[name] and (named or self.steps_of[name]):
                yield function

    def _has_steps(self, function: Procedure) -> bool:
        """Whether names in it are known to the task, or have a gradient somewhere."""
        local = {label(name) for step in function.body for name in targets(step)}
        if any(readings(name, self.vocabulary) for name in local):
            return True
        nothing = Vocabulary((), (), self.vocabulary.output)
        own = {label(name) for step in function.body for name in computed(step)}
        own -= {self.vocabulary.output}
        found = (readings(label(name), nothing, own) for name in self.targets)
        return any(reading.kind == "gradient" for of in found for reading in of)


def label(name: str) -> str:
    """What a name is read as: an entry of a dictionary by its key."""
    entry = base_and_key(name)
    return original_name(name if entry is None else entry[1])


def in_parameters(function: Procedure) -> tuple[Tree, ...] | None:
    """What a function gives back, with its own names replaced by what they stand for.

    None where its lines are more than assignments of expressions.
    """
    known: dict[str, Tree] = {}
    for step in function.body:
        match step:
            case Assign():
                new = {step.name.name: substitute(step.value, known)}
            case Augment(target=Name(name=name)):
                before = known.get(name, step.target)
                value = substitute(step.value, known)
                new = {name: Operator("+", (before, value), NOWHERE, NOWHERE)}
            case Several(bundle=False) if step.chain or len(step.targets) == len(step.values):
                values = step.values * len(step.targets) if step.chain else step.values
                new = {
                    target.name: substitute(value, known)
                    for target, value in zip(step.targets, values, strict=True)
                }
            case Returned(keys=None) if step.values:
                results = tuple(substitute(value, known) for value in step.values)
                together = any(isinstance(result, Tuple) for result in results)
                return results if _short(results) and not together else None
            case _:
                return None
        if not _short(new.values()):
            return None
        known |= new
    return None


def _short(made: Iterable[Tree]) -> bool:
    for tree in made:
        for size, _ in enumerate(postorder(tree)):
            if size > LONGEST:
                return False
    return True


# --- what steps consist of ---------------------------------------------------------------


def all_steps(steps: Iterable[Step]) -> Iterator[Step]:
    """All steps, those within functions among them."""
    for step in steps:
        yield step
        if isinstance(step, Procedure):
            yield from step.body


def trees(step: Step) -> tuple[Tree, ...]:
    """The expressions of a step."""
    match step:
        case Several() | Entries() | Returned():
            return step.values
        case Performed():
            return (step.call,)
        case Procedure():
            return ()
        case Define():
            return (step.body,)
        case Assign() | Augment():
            return (step.value,)
        case _:
            return (step,)


def targets(step: Step) -> tuple[str, ...]:
    """The names that a step gives a value."""
    match step:
        case Assign():
            return (step.name.name,)
        case Augment(target=Name(name=name)):
            return (name,)
        case Several():
            return tuple(target.name for target in step.targets)
        case Entries():
            return tuple(key.name for key in step.keys)
        case _:
            return ()


def computed(step: Step) -> tuple[str, ...]:
    """Those of them whose value is an expression, not just another name for one."""
    match step:
        case Assign(value=Name()) | Entries():
            return ()
        case Several() if all(isinstance(value, Name) for value in step.values):
            return ()
        case _:
            return targets(step)


def names_read(function: Procedure) -> frozenset[str]:
    """The names that its expressions use as they are."""
    return frozenset(
        node.name
        for step in function.body
        for tree in trees(step)
        for node in postorder(tree)
        if isinstance(node, Name)
    )


def names_used(steps: Iterable[Step], *, returned: bool) -> frozenset[str]:
    """The names in expressions; with `returned` also those that a function gives back as such."""
    return frozenset(
        node.name
        for step in all_steps(steps)
        for tree in trees(step)
        if returned or not (isinstance(step, Returned) and isinstance(tree, Name))
        for node in postorder(tree)
        if isinstance(node, Name)
    )
