"""From a listing's text to statements: what `Listing` holds.

The text is made readable (`python_text`), read by the project's own grammar, and its trees are
freed of what only Python needs: `np.array([1, 2])`, `x.copy()` and `float(x)` are their
arguments. Bare expressions are dropped, calls that stand alone refused.
"""

from __future__ import annotations

from collections.abc import Mapping

from gradcli import ops
from gradcli.errors import GradcliError, Kind
from gradcli.homework.python_text import original_name, readable
from gradcli.homework.python_tokens import refused
from gradcli.homework.python_words import bare_call
from gradcli.homework.submission import Listing
from gradcli.language.parser import parse_listing
from gradcli.language.source import Source
from gradcli.language.tree import (
    Augment,
    Bare,
    Block,
    Call,
    Define,
    Name,
    Number,
    Statement,
    Tree,
    postorder,
)

MOST_CHARACTERS = 200_000
MOST_LINES = 20_000
"""What a listing may have: far more than anybody writes, and read in a second or two."""

_SAME = frozenset({"array", "asarray", "copy", "asfarray", "ascontiguousarray"})
_CASTS = frozenset({"float", "float64", "float32", "double", "astype"})
_METHODS_ONLY = frozenset({"astype"})
_TYPES = frozenset({"float", "float64", "float32", "double", "f", "d", "f4", "f8"})
_WHOLE = frozenset({"int", "int32", "int64", "i"})


def read_listing(text: str, name: str | None) -> Listing:
    """The statements of a listing. Raises `GradcliError` of kind submission, with its place."""
    source = Source(text, name)
    if len(text) > MOST_CHARACTERS:
        raise _too_long(source, f"{MOST_CHARACTERS // 1000} kB of text")
    if text.count("\n") > MOST_LINES:
        raise _too_long(source, f"{MOST_LINES:,} lines")
    ready = Source(readable(text, source), name)
    try:
        statements = parse_listing(ready).statements
    except GradcliError as error:
        raise as_submission(error, source) from None
    functions = frozenset(s.name.name for s in statements if isinstance(s, Define))
    kept = [_kept(statement, source, functions) for statement in statements]
    return Listing(source, tuple(s for s in kept if s is not None))


def as_submission(error: GradcliError, source: Source) -> GradcliError:
    """An error of the language as one of a submission: about `source`, with the line's number."""
    message = original_name(error.message)
    if error.span is not None and not message.startswith("line "):
        message = f"line {source.position(error.span.start)[0]}: {message}"
    return GradcliError(
        Kind.SUBMISSION,
        message,
        source=source,
        span=error.span,
        labels=tuple(label._replace(text=original_name(label.text)) for label in error.labels),
        hint=original_name(error.hint) if error.hint else None,
    )


def _too_long(source: Source, most: str) -> GradcliError:
    what = f"'{source.name}'" if source.name else "this"
    return GradcliError(Kind.SUBMISSION, f"{what} is too long: a listing has at most {most}")


# --- statements --------------------------------------------------------------------------


def _kept(statement: Statement, source: Source, functions: frozenset[str]) -> Statement | None:
    """The statement without Python's wrappings; None for a bare expression."""
    if isinstance(statement, Bare):
        _check_bare(statement, source, functions)
        return None
    if isinstance(statement, Block):
        raise refused(source, statement.span, "blocks are not read", "write f(x) = … instead")
    if isinstance(statement, Augment) and statement.symbol != "+":
        raise refused(source, statement.symbol_span, f"'{statement.symbol}=' is not read")
    if any(isinstance(node, Call) for node in postorder(statement)):
        return _unwrapped(statement, source, functions)
    return statement


def _check_bare(statement: Bare, source: Source, functions: frozenset[str]) -> None:
    """Refuse calls that stand alone, and expressions with calls of unknown functions."""
    value = statement.value
    for node in postorder(value):
        if isinstance(node, Call):
            known = ops.is_function(node.name) or node.name in functions
            if node is value or not known:
                raise bare_call(source, node.span, original_name(node.name))


# --- what only Python needs --------------------------------------------------------------


def _unwrapped(statement: Statement, source: Source, own: frozenset[str]) -> Statement:
    """The statement with `np.array(…)` and the like replaced by their arguments, in place."""
    replaced: dict[int, Tree] = {}
    for node in list(postorder(statement)):
        if replaced:
            _replace_children(node, replaced)
        if isinstance(node, Call) and (node.qualified or node.name not in own):
            inner = _inner(node, source)
            if inner is not node:
                replaced[id(node)] = inner
    return statement


def _replace_children(node: Tree, replaced: Mapping[int, Tree]) -> None:
    for slot in type(node).__slots__:
        part = getattr(node, slot)
        if isinstance(part, Tree):
            setattr(node, slot, replaced.get(id(part), part))
        elif isinstance(part, tuple) and any(id(element) in replaced for element in part):
            setattr(node, slot, tuple(replaced.get(id(element), element) for element in part))


def _inner(call: Call, source: Source) -> Tree:
    """The argument of a call that changes nothing but the type; else the call."""
    name, arguments = call.name, call.arguments
    positional = len(arguments) - len(call.keywords)
    if "dtype" in call.keywords:
        call = _without_dtype(call, source)
        arguments = call.arguments
    if name in _SAME or (name in _CASTS and (positional == 1 or name in _METHODS_ONLY)):
        most = 2 if name in _SAME or name in _METHODS_ONLY else 1
        if 1 <= positional <= most and (len(arguments) == positional):
            if positional == 2:
                _check_type(arguments[1], arguments[0], source)
            return arguments[0]
        hint = f"np.{name}([…]) alone" if name in _SAME else None
        message = f"these arguments of '{name}' are not read"
        raise refused(source, call.span, message, hint)
    return call


def _without_dtype(call: Call, source: Source) -> Call:
    """The call without its `dtype=`; a type that would change numbers is refused."""
    first = len(call.arguments) - len(call.keywords)
    at = first + call.keywords.index("dtype")
    _check_type(call.arguments[at], call.arguments[0], source)
    call.arguments = call.arguments[:at] + call.arguments[at + 1 :]
    call.keywords = tuple(word for word in call.keywords if word != "dtype")
    return call


def _check_type(given: Tree, of: Tree, source: Source) -> None:
    name = given.name if isinstance(given, Name) else ""
    if name in _TYPES:
        return
    numbers = [node for node in postorder(of) if not node.children()]
    whole = all(isinstance(n, Number) and n.value.is_integer() for n in numbers)
    if name in _WHOLE and whole:
        return
    message = f"the type '{name}' is not read" if name else "this type is not read"
    raise refused(source, given.span, message, "all numbers are floats here")
