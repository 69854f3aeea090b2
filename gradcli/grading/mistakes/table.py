"""The table of mistakes: a row each, and each row made of a few rules.

A rule takes a right accumulator (a `Case`); out come the wrong ones that the mistake leads to, as
numbers and as lines. So the same rule recognises the mistake in numbers, recognises it in code,
and makes it: for `lint`, for docs/mistakes.md and for the tests. To add a mistake, add a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np

from gradcli.grading.mistakes.array_mistakes import (
    bias_used_input,
    constant_left_out,
    factor,
    mean_for_sum,
    not_summed,
    softmax_in_other_words,
    turned,
    turned_whole,
)
from gradcli.grading.mistakes.case import Case, Inside, Slip, Slips, Term, total
from gradcli.grading.mistakes.wrong_rules import (
    in_other_words,
    statement_at_output,
    wrong_formulas,
    wrong_places,
)
from gradcli.grading.model.stage import added

Rule: TypeAlias = Callable[[Case], Slips]


@dataclass(frozen=True)
class Mistake:
    """A row of the table."""

    tag: str
    what: str
    """One line, for the overview: what was done."""
    text: str
    """One line for the student. `{row}` is the variable, `{consumers}` what uses it, `{consumer}`
    the one whose part is wrong."""
    rules: tuple[Rule, ...] = ()
    """Empty where the mistake is no wrong accumulator (`shape`, `forward-slip`)."""
    mentions: bool | None = None
    """What the wrong line shows: True where it still reads the accumulator of `consumer`, False
    where it does not, None where either may be."""
    repeats: bool = False
    """In code it takes more lines than there are parts."""
    from_lines: bool = False
    """In code it is seen by its lines alone, never by its number."""
    whole: bool = False
    """Where an operation uses the variable twice, what it sends may go wrong as a whole."""


# --- the rules ---------------------------------------------------------------------------


def formulas(of: Callable[[Inside], Iterable[str]]) -> Rule:
    """Other formulas for the operations inside of the statements on the way."""
    return lambda case: (
        slip for at in case.inside for text in of(at) for slip in case.with_formula(at, text)
    )


def scaled(factor: float) -> Rule:
    """The whole, or a part, times a number."""
    return lambda case: case.scaled(factor)


def begun_with(*starts: float) -> Rule:
    """Another number where the accumulator of the output starts at 1."""

    def made(case: Case) -> Slips:
        if case.key == case.flow.output and not case.terms:
            yield from (Slip(np.full(case.shape, start)[()], ()) for start in starts)

    return made


def _overwritten(case: Case) -> Slips:
    texts = [term.text for term in case.terms]
    for i in range(1, len(case.terms)):
        lines = partial(case.lines, texts, overwritten=i)
        yield Slip(total(case.terms[i:]), lines, case.own[i - 1].consumer, key=("first", i))
    for i, term in enumerate(case.terms[:-1]):  # in another order: this one came last
        reordered = [*texts[:i], *texts[i + 1 :], term.text]
        lines = partial(case.lines, reordered, overwritten=len(texts) - 1)
        yield Slip(term.value, lines, case.own[-1].consumer, key=("last", i))


def _dropped_path(case: Case) -> Slips:
    if len(case.terms) > 1:
        for i, part in enumerate(case.own):
            yield case.slip((*case.terms[:i], *case.terms[i + 1 :]), part.consumer)


def _counted_twice(case: Case) -> Slips:
    for i, part in enumerate(case.own):
        yield case.slip((*case.terms, case.terms[i]), part.consumer)


def _not_zeroed(case: Case) -> Slips:
    if case.terms:
        yield case.slip(case.terms * 2)


def _passed_on(case: Case) -> Slips:
    for consumer in case.consumers:
        passed = case.upstream_only(case.own[case.sent_by[consumer][0]])
        if passed is not None:
            yield case.replaced(consumer, *passed)


def _function_skipped(case: Case) -> Slips:
    """A derivative left out inside of a statement: of tanh in `tanh(W @ x + b)`, of a product."""
    for at in case.inside:
        operation, count = at.node.operation, len(at.node.operands)
        named = operation.elementwise and operation.symbol is None and count == 1
        skipped = at.is_factor or (named and operation.exponent is None)
        if skipped and len(case.flow.stages[at.consumer].operations()) > 1:
            what = "a factor" if at.is_factor else f"the derivative of {operation.name}"
            text = f"{what} in {case.flow.name(at.consumer)} is left out."
            for slip in case.with_formula(at, "1"):
                yield slip._replace(message=text)


def stage_skipped(case: Case) -> Slips:
    """δa where δz belongs, for the weights of z and what is below: g'(z) is left out."""
    name = case.flow.name
    for consumer in case.consumers:
        shape = np.shape(case.flow.values[consumer])
        for after in case.flow.consumers.get(consumer, ()):
            stage, upstream = case.flow.stages[after], case.follows.get(after)
            alone = len(stage.reads) == 1 and stage.is_elementwise
            if upstream is None or not alone or np.shape(upstream) != shape:
                continue
            sent = case.sent(consumer, upstream)
            if sent and all(np.shape(part.value) == case.shape for part in sent):
                text = (
                    f"delta_{name(after)} is taken where delta_{name(consumer)} belongs: the "
                    f"derivative of {name(after)} by {name(consumer)} is left out."
                )
                slip = case.replaced(consumer, added(part.value for part in sent))
                yield slip._replace(consumer=after, message=text, implied=(consumer, upstream))


def _missing_upstream(case: Case) -> Slips:
    for i, part in enumerate(case.own):
        local = case.local_only(part)
        if local is not None:
            yield case.changed(i, local)
    for consumer in case.forked:
        locals_ = [case.local_only(case.own[i]) for i in case.sent_by[consumer]]
        yield case.replaced(consumer, sum(local.value for local in locals_ if local is not None))


def _own_factor(at: Inside) -> Iterator[str]:
    if at.is_factor:
        yield "xy"[at.operand]


def _own_factor_of_dot(case: Case) -> Slips:
    for at in case.inside:
        if at.node.operation.contracts and at.node.type.shape == case.shape == ():
            value = case.follows[at.consumer] * case.flow.values[case.key]
            yield case.replaced(at.consumer, value)


def _not_final(case: Case) -> Slips:
    for consumer in case.consumers:
        sent = case.parts.get(consumer, ())
        for count in range(1, len(sent)):
            found = case.sent(consumer, added(part.value for part in sent[:count]))
            places = case.sent_by.get(consumer, ())
            if found and len(found) == len(places):
                terms = list(case.terms)
                for i, part in zip(places, found, strict=True):
                    terms[i] = Term(part.value, terms[i].text)
                yield case.slip(terms, consumer)


def _updated_weights(case: Case) -> Slips:
    if case.eta is None:
        return
    for consumer in case.consumers:
        stage = case.flow.stages[consumer]
        for place, read in enumerate(stage.reads):
            if read == case.key or read in case.flow.stages or read not in case.follows:
                continue
            operands = [case.flow.values[name] for name in stage.reads]
            operands[place] = operands[place] - case.eta * case.follows[read]
            sent = stage.backward(stage.values(operands), case.follows[consumer]).sent
            own = [part.value for part in sent if part.read == case.key]
            if own:
                yield case.replaced(consumer, added(own))


# --- the table ---------------------------------------------------------------------------

MISTAKES = (
    Mistake(
        "overwritten",
        "`=` where a fork needs `+=`",
        "{row} feeds {consumers}; this line replaces what {consumer} had sent. Use +=.",
        (_overwritten,),
        from_lines=True,
        whole=True,
    ),
    Mistake(
        "dropped-path",
        "the contribution of one consumer is missing",
        "{row} feeds {consumers}; what {consumer} sends is missing. All paths add up.",
        (_dropped_path,),
        whole=True,
    ),
    Mistake(
        "counted-twice",
        "a contribution is in twice",
        "what {consumer} sends to {row} is in twice.",
        (_counted_twice,),
        repeats=True,
        whole=True,
    ),
    Mistake(
        "not-zeroed",
        "everything is in twice: the accumulator was not empty at the start",
        "everything is in delta_{row} twice; an accumulator starts from nothing.",
        (_not_zeroed, begun_with(2.0)),
        repeats=True,
    ),
    Mistake(
        "missing-local",
        "the upstream passed on without the local derivative",
        "delta_{consumer} is passed on as it is: times the derivative of {consumer} by {row}.",
        (_passed_on, _function_skipped, stage_skipped),
        mentions=True,
    ),
    Mistake(
        "missing-upstream",
        "the local derivative without the upstream",
        "this is the derivative of {consumer} by {row} alone; multiply by delta_{consumer}.",
        (_missing_upstream,),
        mentions=False,
    ),
    Mistake(
        "sign",
        "a sign is wrong",
        "the sign of what {consumer} sends is wrong.",
        (scaled(-1), begun_with(-1.0)),
        whole=True,
    ),
    Mistake(
        "same-operand",
        "in a product the variable's own factor, where the other one belongs",
        "{consumer} is a product: its derivative by one factor is the other factor, not {row}.",
        (formulas(_own_factor), _own_factor_of_dot),
    ),
    Mistake(
        "wrong-rule",
        "a derivative is known wrongly: a power not lowered, 1/d for -1/d², cos' = sin",
        "the derivative of {consumer} by {row} is another one.",
        (formulas(wrong_formulas), in_other_words, softmax_in_other_words),
    ),
    Mistake(
        "wrong-place",
        "a derivative taken at the output for the input, or the reverse: σ'(a), z(1 - z)",
        "the derivative of {consumer} is taken in the wrong place: at the input or the output?",
        (formulas(wrong_places), statement_at_output),
    ),
    Mistake(
        "transpose",
        "Wδ for Wᵀδ, aδᵀ for δaᵀ, or the transpose of the right array",
        "a transpose is missing or too much: the derivative has the shape of {row}.",
        (formulas(turned), turned_whole),
    ),
    Mistake(
        "not-summed",
        "the dimension along which an operand was broadcast is not summed",
        "{row} is used once for every row of a batch; sum over them, down to the shape of {row}.",
        (not_summed,),
    ),
    Mistake(
        "mean-for-sum",
        "a mean where a sum belongs, or the reverse",
        "delta_{row} is off by the number of elements: a mean where a sum belongs, or the reverse?",
        (mean_for_sum,),
    ),
    Mistake(
        "factor",
        "off by N, 1/N, 2 or ½",
        "delta_{row} is off by a constant factor.",
        (begun_with(2.0, 0.5), factor, constant_left_out),
        whole=True,
    ),
    Mistake(
        "bias-used-input",
        "δxᵀ where the bias takes δ",
        "{row} is added, not multiplied: it takes delta_{consumer} as it is.",
        (bias_used_input,),
    ),
    Mistake(
        "not-final",
        "an accumulator used before its last `+=`",
        "delta_{consumer} was not complete yet; backprop {consumer} after all that use it.",
        (_not_final,),
    ),
    Mistake(
        "updated-weights",
        "weights used after the step of gradient descent",
        "the backward pass takes the weights of the forward pass, not the updated ones.",
        (_updated_weights,),
    ),
    Mistake(
        "forward-slip",
        "a value of the forward pass is wrong",
        "the value of {row} is wrong; the backward pass is judged by what follows from it.",
    ),
    Mistake(
        "shape",
        "right numbers in the wrong shape, or shapes that do not go together",
        "the derivative by {row} has the shape of {row}.",
    ),
    Mistake(
        "descent-convention",
        "all gradients negated",
        "every gradient is negated: that is the direction of descent. Marks are kept.",
    ),
)

BY_TAG = {mistake.tag: mistake for mistake in MISTAKES}


def slips(case: Case, mistakes: Iterable[Mistake] = MISTAKES) -> Iterator[tuple[Mistake, Slip]]:
    """All that can go wrong in one row."""
    with np.errstate(all="ignore"):
        for mistake in mistakes:
            case.deadline.check_naming()
            for of in (case, case.whole) if mistake.whole and case.forked else (case,):
                for rule in mistake.rules:
                    yield from ((mistake, slip) for slip in rule(of))
