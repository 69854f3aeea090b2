"""Errors of the tree builder: what the grammar lets through and mathematics doesn't.

Each function makes one error, with the place and, wherever there is a right way to write
it, that way as the hint. The source is added by the parser.
"""

from __future__ import annotations

from gradcli.diagnostics.characters import DERIVATIVES, short
from gradcli.diagnostics.error import GradcliError, Label
from gradcli.diagnostics.failures import syntax_error
from gradcli.diagnostics.source import Span
from gradcli.syntax.library.names import FUNCTION_NAMES
from gradcli.syntax.messages.foreign import derivative_at
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import Array, Call, Compare, Index, Name, Number, Operator, Tree, Tuple

_DERIVATIVE = f"in a program {DERIVATIVES}; in a submission write 'delta_x = …'"

FOREIGN_MODULES = frozenset({"torch", "tf", "jnp", "jax", "scipy", "sp", "nn", "F", "sympy"})

_REDUCTIONS = frozenset({"sum", "mean", "max", "min", "dot", "prod", "std", "var", "flatten"})


def _example(tree: Tree) -> str:
    """The tree's text if it is short enough for a hint."""
    return short(print_tree(tree, spaced=False))


def _in_brackets(tree: Tree) -> str:
    """The tree's text as a base or right operand."""
    text = _example(tree)
    return text if isinstance(tree, Name | Call | Number) and text[0] != "-" else f"({text})"


# --- numbers -----------------------------------------------------------------------------


def bad_number(text: str, span: Span) -> GradcliError:
    """For a word that begins like a number and isn't one."""
    if text[-1] in "jJ":
        product = f"{text[:-1]}*{text[-1]}"
        return syntax_error(
            "there are no complex numbers", span, f"for a product write '{short(product)}'"
        )
    if text[:2].lower() in ("0x", "0b", "0o"):
        try:
            hint = f"write '{int(text, 0)}'"
        except ValueError:
            hint = f"for a product write '0*{short(text[1:])}'"
        return syntax_error("numbers are decimal", span, hint)
    joined = text.replace("_", "")
    if joined.isdecimal():
        hint = f"write '{short(joined)}'"
    else:
        number, _, name = text.partition("_")
        product = short(f"{number}*_{name}")
        hint = f"for a product write '{product}'"
    return syntax_error("a '_' in a number stands between two digits", span, hint)


# --- coefficients that can be read in two ways -------------------------------------------


def ambiguous_quotient(left: Tree, right: Operator) -> GradcliError:
    """For `1/2x`."""
    number, symbol = right.operands
    loose = isinstance(left, Operator | Compare)
    above = f"({_example(left)})" if loose else _example(left)
    below = _in_brackets(number)
    return _readings(
        left.span.to(right.span),
        f"{above}/({_example(right)})",
        f"({above}/{below})*{_factor(symbol)}",
    )


def ambiguous_power(base: Tree, exponent: Operator) -> GradcliError:
    """For `2^3x` and `x^2y`, and for `sin^2(x)`, which only a function's name tells from them."""
    number, symbol = exponent.operands
    if isinstance(base, Name) and not base.qualified and base.name in FUNCTION_NAMES:
        return _power_of_function(base, number, symbol)
    raised = _in_brackets(base)
    return _readings(
        base.span.to(exponent.span),
        f"{raised}^({_example(exponent)})",
        f"{raised}^{_in_brackets(number)}*{_factor(symbol)}",
    )


def _power_of_function(function: Name, number: Tree, argument: Tree) -> GradcliError:
    name, text = function.name, _example(argument)
    hint = f"write '{name}({text})^{_in_brackets(number)}'"
    inverse = inverse_function(name)
    if isinstance(number, Number) and number.value == -1 and inverse:
        hint = inverse_or_reciprocal(f"{inverse}({text})", f"{name}({text})")
    return syntax_error(power_after_name(name), function.span.to(number.span), hint)


def power_after_name(name: str) -> str:
    """The message for `sin²(x)` and `sin^2(x)`."""
    return f"a power stands after the call, not after the name '{name}'"


def inverse_or_reciprocal(inverse: str, call: str) -> str:
    """The hint for the power -1."""
    return f"write '{inverse}' for the inverse function, '1/{call}' for the reciprocal"


def inverse_function(name: str) -> str | None:
    """`asin` for `sin`."""
    return f"a{name}" if f"a{name}" in FUNCTION_NAMES else None


def _factor(tree: Tree) -> str:
    text = _example(tree)
    is_sum = isinstance(tree, Operator) and tree.symbol in "+-"
    return f"({text})" if is_sum or isinstance(tree, Compare) else text


def _readings(span: Span, *readings: str) -> GradcliError:
    return syntax_error(
        "this can be read in two ways",
        span,
        "write " + " or ".join(f"'{reading}'" for reading in readings),
    )


# --- names and attributes ----------------------------------------------------------------


def no_attribute(base: Tree, name: Name) -> GradcliError:
    """For `x.shape`."""
    if name.name in _REDUCTIONS:
        hint = f"a method is called: '{_in_brackets(base)}.{name.name}(…)'"
    elif isinstance(base, Name) and base.name in FOREIGN_MODULES:
        hint = f"functions and constants are written without '{base.name}.': exp(x), pi"
    elif isinstance(base, Name) and len(name.name) == 1 and len(base.name) == 1:
        left, right = base.name, name.name
        hint = f"for a product write '{left}*{right}', for the matrix product '{left} @ {right}'"
    else:
        hint = "the only attribute is '.T', the transpose; functions are called: x.sum()"
    return syntax_error(f"there is no attribute '.{name.name}'", name.span, hint)


def given_twice(message: str, again: Span, first: Span) -> GradcliError:
    """For what a text says a second time."""
    return syntax_error(message, again, labels=(Label(first, "the first"),))


# --- left sides --------------------------------------------------------------------------


def no_left_side(left: Tree, equals: Span) -> GradcliError:
    """For everything before an `=` that can't be given a value."""
    if isinstance(left, Number) and left.text.isalpha():
        return syntax_error(f"'{left.text}' is reserved and can't be given a value", left.span)
    if isinstance(left, Name):
        return syntax_error("a constant can't be given a value", left.span)
    hint = "before the '=' stands a name, or a name with parameters: 'y = …', 'f(x) = …'"
    if derivative_at(_example(left), 0):
        return syntax_error("a derivative can't be given a value", left.span, _DERIVATIVE)
    if isinstance(left, Compare | Number | Operator):
        hint += "\na comparison is written '=='"
    what = {
        Number: "a number",
        Array: "an array",
        Index: "an element of an array",
        Tuple: "a tuple",
        Call: "a call like this",
    }.get(type(left), "an expression" if isinstance(left, Operator | Compare) else "this")
    message = f"{what} can't be given a value"
    return syntax_error(message, left.span, hint, labels=(Label(equals, ""),))


def no_rule(left: Tree, equals: Span) -> GradcliError:
    """For a block's rule that does not say which derivative it is."""
    return syntax_error(
        "a block's rule begins with 'd/dx =' or 'delta_x ='",
        left.span,
        "x is the parameter; 'd/dx' is the derivative of each element, 'delta_x' the whole "
        "backward rule",
        labels=(Label(equals, ""),),
    )
