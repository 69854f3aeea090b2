"""The table of mistakes: a row each, and each row made of one rule.

A rule takes a right accumulator (a `Case`) and makes the wrong ones that the mistake leads to, as
numbers and as lines. So the same rule recognises the mistake in numbers, recognises it in code,
and makes it: for `lint`, for docs/mistakes.md and for the tests. To add a mistake, add a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from gradcli.grading.mistakes.array_mistakes import (
    bias_used_input,
    factor,
    mean_for_sum,
    not_summed,
    softmax_in_other_words,
    transpose,
)
from gradcli.grading.mistakes.case import (
    Case,
    Slip,
    Slips,
    Term,
    inside,
    scaled,
    total,
    with_formula,
)
from gradcli.grading.mistakes.wrong_rules import in_other_words, wrong_formulas, wrong_places


@dataclass(frozen=True)
class Mistake:
    """A row of the table."""

    tag: str
    what: str
    """One line, for the overview: what was done."""
    text: str
    """One line for the student. `{row}` is the variable, `{consumers}` what uses it, `{consumer}`
    the one whose part is wrong."""
    make: Callable[[Case], Slips] | None = None
    """None where the mistake is no wrong accumulator (`shape`, `forward-slip`)."""
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
            yield case.slip(case.without(i), part.consumer)


def _counted_twice(case: Case) -> Slips:
    for i, part in enumerate(case.own):
        yield case.slip((*case.terms, case.terms[i]), part.consumer)


def _not_zeroed(case: Case) -> Slips:
    if case.terms:
        yield case.slip((*case.terms, *case.terms))
    elif case.key == case.flow.output:  # δ of the output starts at 1
        yield Slip(np.full(case.shape, 2.0)[()], ())


def _missing_local(case: Case) -> Slips:
    for consumer in case.consumers:
        part = case.own[case.sent_by[consumer][0]]
        passed = case.upstream_only(part)
        if passed is not None:
            yield case.replaced(consumer, passed)
    yield from _function_skipped(case)
    yield from stage_skipped(case)


def _function_skipped(case: Case) -> Slips:
    """A derivative left out inside of a statement: of tanh in `tanh(W @ x + b)`, of a product."""
    for node, operand, consumer in inside(case):
        operation = node.operation
        several = len(case.flow.stages[consumer].operations()) > 1
        named = operation.elementwise and operation.symbol is None and len(node.operands) == 1
        power = operation.exponent is not None
        factor = operation.is_product and len(node.operands) == 2
        if several and ((named and not power) or factor):
            what = "a factor" if factor else f"the derivative of {operation.name}"
            text = f"{what} in {case.flow.name(consumer)} is left out."
            for slip in with_formula(case, consumer, node, operand, "1"):
                yield slip._replace(consumer=consumer, message=text)


def stage_skipped(case: Case) -> Slips:
    """δa where δz belongs, for the weights of z and what is below: g'(z) is left out."""
    name = case.flow.name
    for consumer in case.consumers:
        shape = np.shape(case.flow.values[consumer])
        for after in case.flow.consumers.get(consumer, ()):
            stage, upstream = case.flow.stages[after], case.follows.get(after)
            alone = len(stage.reads) == 1 and all(
                node.operation.elementwise for node in stage.operations()
            )
            if upstream is None or not alone or np.shape(upstream) != shape:
                continue
            sent = case.sent(consumer, upstream)
            if sent and all(np.shape(part.value) == case.shape for part in sent):
                text = (
                    f"delta_{name(after)} is taken where delta_{name(consumer)} belongs: the "
                    f"derivative of {name(after)} by {name(consumer)} is left out."
                )
                values = [part.value for part in sent]
                term = Term(sum(values[1:], start=values[0]), "")
                slip = case.replaced(consumer, term)
                yield slip._replace(consumer=after, message=text, implied=(consumer, upstream))


def _missing_upstream(case: Case) -> Slips:
    for i, part in enumerate(case.own):
        local = case.local_only(part)
        if local is not None:
            yield case.changed(i, local)
    for consumer in case.forked:
        locals_ = [case.local_only(case.own[i]) for i in case.sent_by[consumer]]
        values = [local.value for local in locals_ if local is not None]
        yield case.replaced(consumer, Term(sum(values), ""))


def _sign(case: Case) -> Slips:
    for i, term in enumerate(case.terms):
        yield case.changed(i, scaled(term, -1))
    if len(case.terms) > 1:
        yield case.slip(scaled(term, -1) for term in case.terms)
    if case.key == case.flow.output:  # δ of the output starts at 1
        yield Slip(np.full(case.shape, -1.0)[()], ())


def _same_operand(case: Case) -> Slips:
    for node, operand, consumer in inside(case):
        if node.operation.is_product and len(node.operands) == 2:
            yield from with_formula(case, consumer, node, operand, ("x", "y")[operand])
        elif node.operation.contracts and node.type.shape == case.shape == ():
            own = case.flow.values[case.key]
            yield case.replaced(consumer, Term(case.follows[consumer] * own, ""))


def _wrong_rule(case: Case) -> Slips:
    for node, operand, consumer in inside(case):
        graph = case.flow.stages[consumer].graph
        for formula in wrong_formulas(graph, node, operand):
            yield from with_formula(case, consumer, node, operand, formula)
    for consumer in case.consumers:
        yield from _in_other_words(case, consumer, misplaced=False)
    yield from softmax_in_other_words(case)


def _wrong_place(case: Case) -> Slips:
    for node, operand, consumer in inside(case):
        graph = case.flow.stages[consumer].graph
        right = node.operation.formulas(graph.site(node))[operand]
        for formula in wrong_places(node, right):
            yield from with_formula(case, consumer, node, operand, formula)
    for consumer in case.consumers:
        yield from _statement_at_output(case, consumer)


def _statement_at_output(case: Case, consumer: str) -> Slips:
    """A whole statement of one variable: σ'(a), and z(1 − z) where it is a σ in other words."""
    stage = case.flow.stages[consumer]
    if not _of_one_variable(case, consumer):
        return
    upstream = case.follows[consumer]
    at_output = stage.pulled_back(stage.values([case.flow.values[consumer]]), upstream)
    yield case.replaced(consumer, Term(sum(sent.value for sent in at_output), ""))
    yield from _in_other_words(case, consumer, misplaced=True)


def _of_one_variable(case: Case, consumer: str) -> bool:
    """Whether a statement is an elementwise function of the variable, and not one of the table."""
    stage = case.flow.stages[consumer]
    nodes = stage.operations()
    # x*x is a power in other words, x^2 is the one of the table.
    squared = len(nodes) == 1 and len(nodes[0].operands) == 2
    squared = squared and all(isinstance(operand, int) for operand in nodes[0].operands)
    several = len(stage.reads) == 1 and (len(nodes) > 1 or squared)
    return (
        several
        and stage.shape == case.shape
        and all(node.operation.elementwise for node in stage.operations())
    )


def _in_other_words(case: Case, consumer: str, *, misplaced: bool) -> Slips:
    """Wrong derivatives of a function of the table that a statement has written out."""
    if not _of_one_variable(case, consumer):
        return
    stage = case.flow.stages[consumer]
    z = case.flow.values[case.key]
    for place, local in in_other_words(lambda at: stage.value([at]), z):
        if place == misplaced:
            yield case.replaced(consumer, Term(case.follows[consumer] * local, ""))


def _not_final(case: Case) -> Slips:
    for consumer in case.consumers:
        sent = case.parts.get(consumer, ())
        for count in range(1, len(sent)):
            partial = sum((p.value for p in sent[1:count]), start=sent[0].value)
            found = case.sent(consumer, partial)
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
            sent = stage.pulled_back(stage.values(operands), case.follows[consumer])
            own = [s.value for s in sent if stage.reads[s.read] == case.key]
            if own:
                yield case.replaced(consumer, Term(sum(own[1:], start=own[0]), ""))


# --- the table ---------------------------------------------------------------------------

MISTAKES = (
    Mistake(
        "overwritten",
        "`=` where a fork needs `+=`",
        "{row} feeds {consumers}; this line replaces what {consumer} had sent. Use +=.",
        _overwritten,
        from_lines=True,
        whole=True,
    ),
    Mistake(
        "dropped-path",
        "the contribution of one consumer is missing",
        "{row} feeds {consumers}; what {consumer} sends is missing. All paths add up.",
        _dropped_path,
        whole=True,
    ),
    Mistake(
        "counted-twice",
        "a contribution is in twice",
        "what {consumer} sends to {row} is in twice.",
        _counted_twice,
        repeats=True,
        whole=True,
    ),
    Mistake(
        "not-zeroed",
        "everything is in twice: the accumulator was not empty at the start",
        "everything is in delta_{row} twice; an accumulator starts from nothing.",
        _not_zeroed,
        repeats=True,
    ),
    Mistake(
        "missing-local",
        "the upstream passed on without the local derivative",
        "delta_{consumer} is passed on as it is: times the derivative of {consumer} by {row}.",
        _missing_local,
        mentions=True,
    ),
    Mistake(
        "missing-upstream",
        "the local derivative without the upstream",
        "this is the derivative of {consumer} by {row} alone; multiply by delta_{consumer}.",
        _missing_upstream,
        mentions=False,
    ),
    Mistake(
        "sign", "a sign is wrong", "the sign of what {consumer} sends is wrong.", _sign, whole=True
    ),
    Mistake(
        "same-operand",
        "in a product the variable's own factor, where the other one belongs",
        "{consumer} is a product: its derivative by one factor is the other factor, not {row}.",
        _same_operand,
    ),
    Mistake(
        "wrong-rule",
        "a derivative is known wrongly: a power not lowered, 1/d for -1/d², cos' = sin",
        "the derivative of {consumer} by {row} is another one.",
        _wrong_rule,
    ),
    Mistake(
        "wrong-place",
        "a derivative taken at the output for the input, or the reverse: σ'(a), z(1 - z)",
        "the derivative of {consumer} is taken in the wrong place: at the input or the output?",
        _wrong_place,
    ),
    Mistake(
        "transpose",
        "Wδ for Wᵀδ, aδᵀ for δaᵀ, or the transpose of the right array",
        "a transpose is missing or too much: the derivative has the shape of {row}.",
        transpose,
    ),
    Mistake(
        "not-summed",
        "the dimension along which an operand was broadcast is not summed",
        "{row} is used once for every row of a batch; sum over them, down to the shape of {row}.",
        not_summed,
    ),
    Mistake(
        "mean-for-sum",
        "a mean where a sum belongs, or the reverse",
        "delta_{row} is off by the number of elements: a mean where a sum belongs, or the reverse?",
        mean_for_sum,
    ),
    Mistake(
        "factor",
        "off by N, 1/N, 2 or ½",
        "delta_{row} is off by a constant factor.",
        factor,
        whole=True,
    ),
    Mistake(
        "bias-used-input",
        "δxᵀ where the bias takes δ",
        "{row} is added, not multiplied: it takes delta_{consumer} as it is.",
        bias_used_input,
    ),
    Mistake(
        "not-final",
        "an accumulator used before its last `+=`",
        "delta_{consumer} was not complete yet; backprop {consumer} after all that use it.",
        _not_final,
    ),
    Mistake(
        "updated-weights",
        "weights used after the step of gradient descent",
        "the backward pass takes the weights of the forward pass, not the updated ones.",
        _updated_weights,
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
            if mistake.make is not None:
                for slip in mistake.make(case):
                    yield mistake, slip
                if mistake.whole and case.forked:
                    for slip in mistake.make(case.whole):
                        yield mistake, slip
