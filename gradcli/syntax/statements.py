"""The builder's other half: statements, whose left sides the grammar reads as expressions.

`f(x) = x^2` is known for a definition only when the `=` has come. So the grammar takes an
expression on both sides, and here the left one is taken apart again, or refused.
"""

# ruff: noqa: D102 - what each method makes stands in the grammar, beside its name

from __future__ import annotations

from gradcli.diagnostics.error import Label
from gradcli.diagnostics.failures import syntax_error
from gradcli.diagnostics.source import Span, between
from gradcli.syntax import messages
from gradcli.syntax.driver import Token
from gradcli.syntax.tree import (
    Assign,
    Augment,
    Bare,
    Block,
    Call,
    Define,
    Index,
    Name,
    Operator,
    Rule,
    Statement,
    Tree,
)


class StatementBuilder:
    """A method for each rule of the grammar that makes a statement."""

    def no_lines(self) -> list[Statement]:
        return []

    def line(self, lines: list[Statement], statement: Statement, _: Token) -> list[Statement]:
        lines.append(statement)
        return lines

    def bare(self, value: Tree) -> Bare:
        return Bare(value, value.span)

    def assign(self, left: Tree, token: Token, value: Tree) -> Assign | Define:
        span = between(left.span, value.span)
        if type(left) is Name and not left.qualified:
            return Assign(left, value, span)
        if type(left) is Call:
            name, parameters = _signature(left)
            return Define(name, parameters, value, span)
        raise messages.rejected.no_left_side(left, token.span)

    def augment(self, target: Tree, token: Token, value: Tree) -> Augment:
        if not (type(target) is Name and not target.qualified) and type(target) is not Index:
            raise messages.rejected.no_left_side(target, token.span)
        span = between(target.span, value.span)
        return Augment(target, token.text[:-1], value, span, token.span)

    def block(
        self, token: Token, left: Tree, _: Token, body: Tree, _with: Token, rules: list[Rule]
    ) -> Block:
        if type(left) is not Call:
            raise syntax_error(
                "a block is a function with parameters",
                left.span,
                "block name(x) = … with d/dx = …",
            )
        name, parameters = _signature(left)
        names = {parameter.name for parameter in parameters}
        given: dict[str, Rule] = {}
        for rule in rules:
            parameter = rule.parameter
            if parameter.name not in names:
                raise syntax_error(
                    f"'{parameter.name}' is not a parameter of '{name.name}'",
                    parameter.span,
                    labels=(Label(left.span, "the block and its parameters"),),
                )
            if parameter.name in given:
                message = f"the derivative by '{parameter.name}' is given twice"
                raise messages.rejected.given_twice(message, rule.span, given[parameter.name].span)
            given[parameter.name] = rule
        span = between(token.span, rules[-1].span)
        return Block(name, parameters, body, tuple(rules), span)

    def rule(self, left: Tree, token: Token, value: Tree) -> Rule:
        """`d/dp = expr` or `delta_p = expr`."""
        span = between(left.span, value.span)
        parameter = _elementwise_parameter(left)
        if parameter is not None:
            return Rule(parameter, value, span, whole=False)
        if type(left) is Name and left.name.startswith("delta_") and len(left.name) > 6:
            parameter = Name(left.name[6:], Span(left.span.start + 6, left.span.end))
            return Rule(parameter, value, span, whole=True)
        raise messages.rejected.no_rule(left, token.span)


def _elementwise_parameter(left: Tree) -> Name | None:
    """The p of `d/dp`."""
    if type(left) is not Operator or left.symbol != "/":
        return None
    above, below = left.operands
    if type(above) is not Name or above.name != "d" or type(below) is not Name:
        return None
    if len(below.name) < 2 or below.name[0] != "d":
        return None
    return Name(below.name[1:], Span(below.span.start + 1, below.span.end))


def _signature(left: Call) -> tuple[Name, tuple[Name, ...]]:
    """The name and the parameters of what is defined by `left = …`."""
    is_method = bool(left.arguments) and left.name_span.start > left.arguments[0].span.start
    if left.qualified or is_method:
        raise messages.rejected.no_left_side(left, left.span)
    if left.keywords:
        first = left.arguments[len(left.arguments) - len(left.keywords)]
        raise syntax_error(
            f"the parameter '{left.keywords[0]}' can't have a default",
            first.span,
            "every call gives all arguments",
        )
    if not left.arguments:
        raise syntax_error(
            "a function has at least one parameter",
            left.span,
            f"without parameters it is a named value: '{left.name} = …'",
        )
    seen: dict[str, Name] = {}
    for argument in left.arguments:
        if type(argument) is not Name or argument.qualified:
            hint = "a function is defined by 'f(x, y) = …'; a comparison is written '=='"
            raise syntax_error("a parameter is a name", argument.span, hint)
        if argument.name in seen:
            message = f"two parameters are called '{argument.name}'"
            raise messages.rejected.given_twice(message, argument.span, seen[argument.name].span)
        seen[argument.name] = argument
    return Name(left.name, left.name_span), tuple(seen.values())
