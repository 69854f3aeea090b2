"""From a listing's text to statements: what `Listing` holds.

The text is made readable (`rewrite`), read by the project's own grammar, and its trees are
freed of what only Python needs: `np.array([1, 2])`, `x.copy()`, `float(x)` and `np.round(x, 4)`
are their arguments. What several statements are together is put together again (`Outline`). Bare
expressions are dropped, calls that stand alone refused unless they are of the listing's own
functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias, TypeVar

from gradcli import ops
from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.failures import submission_error
from gradcli.diagnostics.source import Source, Span
from gradcli.grading.submission.python.rewrite import PART, Outline, original_name, outlined
from gradcli.grading.submission.python.tokens import refused
from gradcli.grading.submission.python.unsupported import bare_call
from gradcli.grading.submission.python.wrappings import unwrapped
from gradcli.grading.submission.types import (
    Entries,
    Listing,
    Performed,
    Procedure,
    Returned,
    Several,
    Step,
)
from gradcli.syntax.parser import parse_listing
from gradcli.syntax.tree import (
    Array,
    Augment,
    Bare,
    Block,
    Call,
    Define,
    Name,
    Statement,
    Tree,
    Tuple,
    postorder,
)

MOST_CHARACTERS = 200_000
MOST_LINES = 20_000
"""What a listing may have: far more than anybody writes, and read in a second or two."""


def read_listing(text: str, name: str | None, written: Mapping[str, str] | None = None) -> Listing:
    """The statements of a listing. Raises `GradcliError` of kind submission, with its place.

    `written` says which names stand for others of the task (`labels.spellings`).
    """
    source = Source(text, name)
    if len(text) > MOST_CHARACTERS:
        raise _too_long(source, f"{MOST_CHARACTERS // 1000} kB of text")
    if text.count("\n") > MOST_LINES:
        raise _too_long(source, f"{MOST_LINES:,} lines")
    text, outlines = outlined(text, source)
    try:
        statements = parse_listing(Source(text, name)).statements
    except GradcliError as error:
        raise as_submission(error, source) from None
    if written:
        _rename(statements, written)
    return Listing(source, tuple(_Steps(source, statements, outlines).steps()))


def _rename(statements: Iterable[Statement], written: Mapping[str, str]) -> None:
    """Names of the task, in place, where something else is written for them."""
    for statement in statements:
        for node in postorder(statement):
            if isinstance(node, Name) and not node.qualified:
                node.name = PART.sub(lambda part: written.get(part[0], part[0]), node.name)


def as_submission(error: GradcliError, source: Source) -> GradcliError:
    """An error of the language as one of a submission: about `source`, with the line's number."""
    return submission_error(
        original_name(error.message),
        original_name(error.hint) if error.hint else None,
        source=source,
        span=error.span,
        labels=tuple(label._replace(text=original_name(label.text)) for label in error.labels),
    )


def _too_long(source: Source, most: str) -> GradcliError:
    what = f"'{source.name}'" if source.name else "this"
    return submission_error(f"{what} is too long: a listing has at most {most}")


# --- statements --------------------------------------------------------------------------


class _Header(NamedTuple):
    """The name and the parameters of a function that follows."""

    names: tuple[Name, ...]
    span: Span


_Part: TypeAlias = "Step | _Header"
_Item = TypeVar("_Item", bound=_Part)


class _Steps:
    """Statements of the grammar, put together to the steps that the listing has."""

    def __init__(
        self, source: Source, statements: Sequence[Statement], outlines: Sequence[Outline]
    ) -> None:
        self.source, self.statements = source, statements
        self.whole = [o for o in outlines if o.kind == "def"]
        self.inner = [o for o in outlines if o.kind != "def"]
        self.functions = frozenset(
            [s.name.name for s in statements if isinstance(s, Define)]
            + [
                _names(found)[0].name
                for outline, found in _runs(statements, self.inner)
                if outline is not None and outline.kind == "header" and _names(found)
            ]
        )

    def steps(self) -> Iterator[Step]:
        """All steps, in order."""
        parts: list[_Part] = []
        for outline, statements in _runs(self.statements, self.inner):
            for statement in statements:
                unwrapped(statement, self.source, self.functions)
            if outline is None:
                parts += (k for s in statements if (k := self.kept(s)) is not None)
            else:
                parts.append(self.together(outline, statements))
        for function, found in _runs(parts, self.whole):
            if function is None:
                yield from found  # type: ignore[misc] # a header stands in a function only
            else:
                yield self.procedure(found)

    def kept(self, statement: Statement) -> Step | None:
        """A statement that stands for itself; None for a bare expression."""
        if isinstance(statement, Bare):
            value = statement.value
            own = isinstance(value, Call) and not value.qualified and value.name in self.functions
            if own:
                return Performed(value, statement.span)  # type: ignore[arg-type]
            _check_bare(statement, self.source, self.functions)
            return None
        if isinstance(statement, Block):
            hint = "write f(x) = … instead"
            raise refused(self.source, statement.span, "blocks are not read", hint)
        if isinstance(statement, Augment) and statement.symbol != "+":
            symbol = statement.symbol
            raise refused(self.source, statement.symbol_span, f"'{symbol}=' is not read")
        return statement

    def together(self, outline: Outline, statements: Sequence[Statement]) -> _Part:
        """Several statements as one step."""
        span = Span(outline.start, outline.end)
        values = tuple(self.with_tuples(s.value) for s in statements if isinstance(s, Bare))
        if len(values) != len(statements):
            odd = next(s for s in statements if not isinstance(s, Bare))
            raise refused(self.source, odd.span, "an assignment within a line is not read")
        if outline.kind in ("dict", "return dict"):
            count = outline.first
            keys = self.names(values[count::2])
            if outline.kind == "return dict":
                return Returned((*values[:count], *values[count + 1 :: 2]), span, keys)
            return Entries(self.names(values[:1])[0], keys, values[2::2], span)
        if outline.kind == "return":
            return Returned(values, span)
        if outline.kind == "header":
            return _Header(self.names(values), span)
        targets = self.names(values[: outline.first])
        chain, bundle = outline.kind == "chain", outline.kind == "tuple"
        return Several(targets, values[outline.first :], span, chain, bundle)

    def with_tuples(self, tree: Tree) -> Tree:
        """A tuple within a tuple as what it is: for the grammar it was an array."""
        if not isinstance(tree, Array) or self.source.text[tree.span.start] != "(":
            return tree
        return Tuple(tuple(map(self.with_tuples, tree.elements)), tree.span)

    def names(self, trees: Iterable[Tree]) -> tuple[Name, ...]:
        """Trees that must be names: what is assigned to, parameters."""
        names: list[Name] = []
        for tree in trees:
            if not isinstance(tree, Name):
                hint = "the left side of '=' is a name"
                raise refused(self.source, tree.span, "this can't be assigned to", hint)
            names.append(tree)
        return tuple(names)

    def procedure(self, found: Sequence[_Part]) -> Procedure:
        """A function of several statements, header first."""
        header, *body = found
        assert isinstance(header, _Header)
        name, *parameters = header.names
        span = Span(header.span.start, max(part.span.end for part in found))
        return Procedure(name, tuple(parameters), tuple(body), span)  # type: ignore[arg-type]


def _runs(
    items: Iterable[_Item], outlines: Sequence[Outline]
) -> Iterator[tuple[Outline | None, list[_Item]]]:
    """The items of every outline together, and what stands between outlines."""
    waiting = list(reversed(outlines))
    run: list[_Item] = []
    within: Outline | None = None
    for item in items:
        at = item.span.start
        while within is None and waiting and waiting[-1].end <= at:
            yield waiting.pop(), []
        if within is not None and at >= within.end:
            yield within, run
            within, run = None, []
        while waiting and waiting[-1].end <= at:
            yield waiting.pop(), []
        if waiting and waiting[-1].start <= at:
            if run:
                yield None, run
            within, run = waiting.pop(), []
        run.append(item)
    if run:
        yield within, run
    yield from ((outline, []) for outline in reversed(waiting))


def _names(statements: Iterable[Statement]) -> list[Name]:
    """The names among bare expressions."""
    return [s.value for s in statements if isinstance(s, Bare) and isinstance(s.value, Name)]


def _check_bare(statement: Bare, source: Source, functions: frozenset[str]) -> None:
    """Refuse calls that stand alone, and expressions with calls of unknown functions."""
    value = statement.value
    for node in postorder(value):
        if isinstance(node, Call):
            known = ops.is_function(node.name) or node.name in functions
            if node is value or not known:
                raise bare_call(source, node.span, original_name(node.name))
