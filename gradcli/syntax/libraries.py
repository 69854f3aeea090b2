"""Calls by another library's full name: `scipy.special.polygamma(n, x)`, `np.max(x, 0)`.

Most functions have the arguments of their namesakes. Where the library's order, default or meaning
is another one, the call comes in as it was written and goes out as the language has it, or is
refused with what to write. A name that the library does not have keeps the language's arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

from gradcli.diagnostics.failures import syntax_error
from gradcli.diagnostics.source import Span
from gradcli.syntax.foreign_calls import general, renamed, unnamed
from gradcli.syntax.tree import Call, Nothing, Number, Operator, Tree

Translate: TypeAlias = "Callable[[Call, str], Call]"
"""From a call and its name as it was written to the call in the language."""


def translated(call: Call, library: str, *, torch: bool = False) -> Tree:
    """The call in the language. `library` is the prefix, as `np.linalg`.

    In a text of PyTorch (`torch`) a function means what it does there. Raises `GradcliError` of
    kind syntax for a call that means something else in the library.
    """
    if library.rpartition(".")[2] == "norm":
        return renamed(call, f"norm_{call.name}")
    written = f"{library}.{call.name}"
    found = general(call, torch=torch, method=False)
    if not isinstance(found, Call):
        return found
    family = _family(library)
    if torch and family == "np" and found.name in _AXIS_OR_ARRAY and not _axis_is_second(found):
        return found
    differs = _FUNCTIONS.get((family, found.name))
    return found if differs is None else differs(found, written)


def _family(library: str) -> str:
    """The library that has the same arguments: `np` for jnp, torch and their like."""
    if library == "math" or library.endswith("special"):
        return "math" if library == "math" else "scipy.special"
    return "linalg" if library.endswith("linalg") else "np"


_AXIS_OR_ARRAY = frozenset({"max", "min"})


def _axis_is_second(call: Call) -> bool:
    """`torch.max(x, 1)`, where `torch.max(x, y)` compares two arrays."""
    arguments = unnamed(call)
    return len(arguments) == 2 and isinstance(arguments[1], Number | Operator)


def translated_method(call: Call, *, torch: bool = False) -> Tree:
    """`x.max(0)` as `max(x, axis=0)`: a method's further arguments are not compared with x."""
    found = general(call, torch=torch, method=True)
    if not isinstance(found, Call):
        return found
    if found.name in _AXIS_OR_ARRAY and (not torch or _axis_is_second(found)):
        return _axis_second(found, f"x.{call.name}")
    return found


# --- what differs ------------------------------------------------------------------------


def _at_most(call: Call, written: str, *, most: int, third: str, hint: str) -> Call:
    """Positional arguments past those that the language has in the same order are refused."""
    positional = unnamed(call)
    if len(positional) > most:
        span = positional[most].span
        raise syntax_error(f"argument {most + 1} of {written} is {third}", span, hint)
    return call


def _axis_second(call: Call, written: str) -> Call:
    """The second argument is the axis and no second array."""
    call = _at_most(call, written, most=2, third="an array for the result", hint=_BY_NAME)
    positional = unnamed(call)
    if len(positional) < 2:
        return call
    return call.taking(call.arguments, ("axis", *call.keywords))


def _all_elements(call: Call, written: str) -> Call:
    """Without an axis it works on all elements together."""
    call = _at_most(call, written, most=2, third="not known", hint=_BY_NAME)
    if len(unnamed(call)) > 1 or "axis" in call.keywords:
        return call
    return _with_axis(call, Nothing(Span(call.span.end, call.span.end)))


def _rows(call: Call, written: str) -> Call:
    """Of a matrix it takes the product of the rows, as of any sequence."""
    call = _at_most(call, written, most=1, third="not known", hint="start=… is a factor in front")
    return call if "axis" in call.keywords else _with_axis(call, Number(0.0, "0", call.name_span))


def _with_axis(call: Call, axis: Tree) -> Call:
    return call.taking((*call.arguments, axis), (*call.keywords, "axis"))


def _swapped(call: Call, _written: str) -> Call:
    """The first two arguments in the other order; by name they stay what they are."""
    positional = unnamed(call)
    if not positional:
        return call
    if len(positional) == 1 and "n" not in call.keywords:
        return call.taking((*call.arguments[1:], *positional), (*call.keywords, "n"))
    return call.taking((*positional[:2][::-1], *call.arguments[2:]), call.keywords)


def _heaviside(call: Call, written: str) -> Call:
    """The second argument is the value at 0, which is ½ in the language."""
    positional = unnamed(call)
    if len(positional) != 2:
        return call
    at_zero = positional[1]
    if not isinstance(at_zero, Number) or at_zero.value != 0.5:
        raise syntax_error(
            f"argument 2 of {written} is the value at 0, which is 0.5 for step(x)",
            at_zero.span,
            "write 'where(x == 0, h0, step(x))'",
        )
    return call.taking(positional[:1], ())


def _refused(call: Call, written: str, *, what: str, hint: str) -> Call:
    """A function that means something else in the library."""
    raise syntax_error(f"{written} {what}", call.span, hint)


_BY_NAME = "give further arguments by name: axis=…, keepdims=…"
_DTYPE = partial(_at_most, most=2, third="the type of the numbers", hint=_BY_NAME)
_RESULT = partial(
    _at_most,
    most=2,
    third="an array for the result",
    hint="of more than two arrays write 'max(a, b, c)' or 'min(a, b, c)', without a prefix",
)
_FUNCTIONS: Mapping[tuple[str, str], Translate] = {
    **{("np", name): _axis_second for name in ("max", "min", "amax", "amin")},
    **{("np", name): _RESULT for name in ("maximum", "minimum", "fmax", "fmin")},
    **{("np", name): _DTYPE for name in ("sum", "mean", "prod", "var", "std")},
    ("np", "average"): partial(
        _at_most, most=2, third="the weights", hint="a weighted mean is sum(w*x)/sum(w)"
    ),
    ("np", "log"): partial(
        _at_most, most=1, third="an array for the result", hint="to a base it is log(x, base)"
    ),
    ("np", "heaviside"): _heaviside,
    ("np", "put"): partial(
        _refused,
        what="changes its first argument and gives nothing back",
        hint="put(x, v, at) is a new array: first the values, then their places",
    ),
    ("math", "remainder"): partial(
        _refused,
        what="rounds the quotient to the nearest, mod(x, y) down",
        hint="write 'x - y*round(x/y)'",
    ),
    ("math", "prod"): _rows,
    ("scipy.special", "polygamma"): _swapped,
    ("scipy.special", "huber"): _swapped,
    ("scipy.special", "kl_div"): partial(
        _refused,
        what="is another function than kl_div(log_p, q), which is PyTorch's",
        hint="write 'rel_entr(x, y) - x + y'",
    ),
    ("np", "polygamma"): _swapped,
    ("scipy.special", "softmax"): _all_elements,
    ("scipy.special", "log_softmax"): _all_elements,
    ("scipy.special", "logsumexp"): partial(
        _at_most, most=2, third="the factors b", hint="with factors b it is log(sum(b*exp(x)))"
    ),
}
"""By the library (`np` also for `numpy`) and the name."""
