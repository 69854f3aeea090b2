"""The check of one statement's names against what stands before it.

A statement, the names so far and the definitions to come are given; what the statement reads and
defines is noted in the names. The rules are those of docs/language.md: a name is given once, is
defined before it is used, and a name that is used and not defined is an input.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gradcli import ops
from gradcli.diagnostics.characters import DERIVATIVES
from gradcli.diagnostics.error import GradcliError, Kind, Label
from gradcli.diagnostics.source import Source, Span
from gradcli.diagnostics.suggestion import did_you_mean
from gradcli.graph.names import CONSTANTS, TWINS, Definition, Names, defined_name
from gradcli.syntax.messages.foreign import derivative_at, instead_of_function
from gradcli.syntax.tree import (
    Assign,
    Augment,
    Bare,
    Block,
    Call,
    Define,
    Name,
    Number,
    Rule,
    Statement,
    Tree,
    all_parts,
)

_ALWAYS = frozenset(ops.function_names())
"""Functions of the language wherever the program defines nothing of their name."""


class StatementCheck:
    """The check of one statement against what stands before it."""

    __slots__ = ("defined", "later", "names", "reads", "size", "statement")

    def __init__(self, names: Names, later: dict[str, Definition], statement: Statement) -> None:
        self.names, self.later, self.statement = names, later, statement
        self.defined = defined_name(statement)
        self.reads: dict[str, None] = {}  # in order of appearance
        self.size = 1

    def check(self, *, is_output: bool) -> None:
        """Note what the statement reads and defines. Raises `GradcliError` (name, syntax)."""
        statement, names = self.statement, self.names
        match statement:
            case Assign() | Bare():
                self.expression(statement.value)
            case Define() | Block():
                names.words.update(p.name for p in statement.parameters)
                if is_output:
                    for parameter in statement.parameters:
                        self.variable(parameter)
                self.function(statement)
            case Augment():
                raise self.error(
                    Kind.SYNTAX,
                    f"'{statement.symbol}=' does not belong in a program",
                    statement.symbol_span,
                    hint="a node gets its value once, with '='; where a name is used several "
                    "times the accumulator adds up by itself ('+=' is for submissions)",
                )
        key = self.defined.name if self.defined else None
        names.needs[key] = tuple(self.reads)
        names.sizes[key] = self.size
        if self.defined is not None and not isinstance(statement, Bare | Augment):
            names.definitions[self.defined.name] = statement
            names.words.add(self.defined.name)

    def error(
        self,
        kind: Kind,
        message: str,
        span: Span,
        *,
        hint: str | None = None,
        labels: tuple[Label, ...] = (),
    ) -> GradcliError:
        """An error in the text of the names."""
        return GradcliError(
            kind, message, source=self.names.source, span=span, hint=hint, labels=labels
        )

    def function(self, statement: Define | Block) -> None:
        """A definition's body, and a block's rules."""
        if isinstance(statement, Block):
            self.block(statement)
        else:
            self.expression(statement.body, {p.name for p in statement.parameters})

    def expression(self, tree: Tree, local: Iterable[str] = ()) -> None:
        """Every name and call in an expression; `local` are a function's parameters."""
        local = frozenset(local)
        size = 0
        for node in all_parts(tree):
            if type(node) is Name:
                if not node.qualified and node.name not in local:
                    self.variable(node)
            elif type(node) is not Number:
                size += 1
                if type(node) is Call:
                    self.call(node, local)
        self.size += size

    def variable(self, name: Name) -> None:
        """A name that is read: a node, an input, or a mistake."""
        word, names = name.name, self.names
        self.reads[word] = None
        definition = names.definitions.get(word)
        if type(definition) is Assign or (definition is None and word in names.free):
            return
        names.words.add(word)
        if isinstance(definition, Define | Block):
            arguments = ", ".join(p.name for p in definition.parameters)
            raise self.error(
                Kind.NAME,
                f"'{word}' is a function",
                name.span,
                labels=(Label(definition.name.span, "defined here"),),
                hint=f"call it: {word}({arguments})",
            )
        if definition is None:
            self.not_yet(name.name, name.span)
            self.expect_one_spelling(name)
            names.free.setdefault(word, name)

    def expect_one_spelling(self, name: Name) -> None:
        """Raise where the program gives a name a value in its other spelling."""
        definition = self.later.get(TWINS.get(name.name, ""))
        if definition is not None:
            raise self.names.two_spellings(name, definition.name)

    def not_yet(self, word: str, span: Span) -> None:
        """Raise if the name is defined here or below, and so can't be used yet."""
        if word not in self.later or word in self.names.definitions:
            return
        place = self.later[word].name
        if self.defined is not None and self.defined.name == word:
            function = isinstance(self.statement, Define | Block)
            raise self.error(
                Kind.NAME,
                f"'{word}' is used in its own definition",
                span,
                labels=(Label(place.span, "defined here"),),
                hint="a function can't call itself: the graph has to end somewhere"
                if function
                else f"a name is given once: call the new node '{word}2', say",
            )
        raise self.error(
            Kind.NAME,
            f"'{word}' is used before it is defined",
            span,
            labels=(Label(place.span, "defined here"),),
            hint="move the definition up, above its first use",
        )

    def call(self, call: Call, local: Iterable[str] = ()) -> None:
        """A function by name: the program's own, else the language's.

        `sigma(…)` is σ where `sigma` is no value so far.
        """
        word, names = call.name, self.names
        if call.qualified:
            if not ops.is_function(word):
                raise self.unknown_function(call)
            return
        names.words.add(word)
        definition = names.definitions.get(word)
        if definition is None and word in _ALWAYS and word not in self.later:
            return
        if isinstance(definition, Define | Block):
            self.reads[word] = None
            self.size += names.sizes[word]
            arrange_arguments(call, definition, names.source)
            return
        later = None if isinstance(definition, Assign) else self.later.get(word)
        if later is not None and (isinstance(later, Define | Block) or not ops.is_function(word)):
            self.not_yet(word, call.name_span)
        values = (names.definitions, names.free, local)
        is_value = word in ops.SPELLED and any(word in known for known in values)
        if is_value or not ops.is_function(word):
            raise self.unknown_function(call)

    def unknown_function(self, call: Call) -> GradcliError:
        """The error of a call of a name that is not a function."""
        word, names = call.name, self.names
        if word in names.definitions or word in names.free:
            return self.error(
                Kind.SYNTAX,
                f"'{word}' is a value, not a function",
                call.name_span,
                hint=_instead_of_call(call),
            )
        text, start = names.source.text, call.name_span.start
        if derivative := derivative_at(text, start):
            place = Span(call.name_span.end - len(derivative), call.name_span.end)
            return self.error(
                Kind.SYNTAX, f"'{derivative}' isn't an operator", place, hint=DERIVATIVES
            )
        own = [n for n, d in names.definitions.items() if isinstance(d, Define | Block)]
        functions = [*ops.function_names(), *own]
        hint = (
            instead_of_function(word)
            or self.not_called(call, functions)
            or did_you_mean(word, functions)
        )
        if hint is None and len(call.arguments) == 1 and not call.qualified:
            hint = f"{_instead_of_call(call)}; 'gradcli ops' lists all functions"
        return self.error(
            Kind.NAME,
            f"unknown function '{word}'",
            call.name_span,
            hint=hint or "'gradcli ops' lists all functions",
        )

    def not_called(self, call: Call, functions: list[str]) -> str | None:
        """What else a call of an unknown function may be: `xsin(x)`, `sin^n(x)`, `f(x) == x^2`."""
        word, text = call.name, self.names.source.text
        power = re.search(r"(\w+)\s*(?:\^|\*\*)\s*$", text[: call.name_span.start][-80:])
        if power is not None and power[1] in functions:
            return f"a power stands after the call: {power[1]}(…)^{word}"
        if re.match(r"\s*==", text[call.span.end : call.span.end + 80]):
            return f"a function is defined by a single '=': {word}(…) = …"
        for i in range(1, len(word) - 1 if len(word) < 40 else 0):
            if word[i:] in functions and word[:i] in self.names.words:
                return f"for a product write the sign: {word[:i]}*{word[i:]}(…)"
        return None

    # --- blocks ---

    def block(self, block: Block) -> None:
        """The body and the derivative rules of a block."""
        parameters = {p.name for p in block.parameters}
        for node in all_parts(block.body):
            if isinstance(node, Name):
                self.only(node, parameters, "a block's value uses its parameters and constants")
            elif isinstance(node, Call):
                self.call(node)
                self.closed_call(node)
        for rule in block.rules:
            self.rule(block, rule)
        given = {rule.parameter.name for rule in block.rules}
        missing = [p for p in block.parameters if p.name not in given]
        if missing:
            name = missing[0].name
            raise self.error(
                Kind.NAME,
                f"block '{block.name.name}' has no derivative for '{name}'",
                missing[0].span,
                hint=f"add d/d{name} = … (elementwise) or delta_{name} = … (the backward rule)",
            )

    def closed_call(self, call: Call) -> None:
        """A function that a block uses may read no node of the program."""
        definition = self.names.definitions.get(call.name)
        if call.qualified or not isinstance(definition, Define):
            return
        reads = self.names.needs[call.name]
        for name in CONSTANTS.keys() & reads:
            self.names.in_blocks.setdefault(name, call.name_span)
        functions = Block | Define
        known = {n for n, d in self.names.definitions.items() if isinstance(d, functions)}
        outside = [n for n in reads if n not in CONSTANTS and n not in known]
        if outside:
            raise self.error(
                Kind.NAME,
                f"'{call.name}' uses '{outside[0]}', which isn't a parameter of the block",
                call.name_span,
                hint="a block's value uses its parameters and constants; pass it as a parameter",
            )

    def rule(self, block: Block, rule: Rule) -> None:
        """One derivative of a block. The parser has checked that every parameter has one."""
        parameters, name, first = (
            {p.name for p in block.parameters},
            rule.parameter.name,
            block.rules[0],
        )
        if rule.whole != first.whole:
            raise self.error(
                Kind.SYNTAX,
                "a block gives either local derivatives (d/dp) or backward rules (delta_p)",
                rule.parameter.span,
                labels=(Label(first.parameter.span, "the other kind"),),
                hint=f"an elementwise d/d{name} = g is delta_{name} = delta*g",
            )
        allowed = parameters | {"out"} | ({"delta"} if rule.whole else set())
        for node in all_parts(rule.value):
            if isinstance(node, Name):
                self.only(
                    node,
                    allowed,
                    "a rule uses the parameters, 'out' (the block's output), constants"
                    + (" and 'delta' (∂f/∂out)" if rule.whole else ""),
                )
            elif isinstance(node, Call) and not ops.is_function(node.name):
                raise self.not_in_a_rule(node)

    def not_in_a_rule(self, call: Call) -> GradcliError:
        """The error of a call in a rule, which knows the language's functions alone."""
        definition = self.names.definitions.get(call.name)
        if call.qualified or not isinstance(definition, Define | Block):
            return self.unknown_function(call)
        return self.error(
            Kind.NAME,
            f"'{call.name}' can't be used here",
            call.name_span,
            labels=(Label(definition.name.span, "defined here"),),
            hint="a rule uses the functions of the language only: write out what it does",
        )

    def only(self, name: Name, allowed: set[str], hint: str) -> None:
        """Raise if the name is neither allowed nor a constant."""
        word = name.name
        if name.qualified or word in allowed:
            return
        if word in CONSTANTS:
            self.names.in_blocks.setdefault(word, name.span)
            return
        raise self.error(
            Kind.NAME,
            f"'{word}' can't be used here",
            name.span,
            hint=did_you_mean(word, allowed) or hint,
        )


def _instead_of_call(call: Call) -> str:
    """What a call of a name that is not a function may be meant as."""
    hint = f"for a product write the sign: {call.name}*(…)"
    if len(call.arguments) == 1 and isinstance(call.arguments[0], Number):
        hint += f", for an element {call.name}[…]"
    return hint


def arrange_arguments(call: Call, definition: Define | Block, source: Source) -> tuple[Tree, ...]:
    """The arguments of a call in the order of the parameters. Raises `GradcliError`."""
    parameters = [p.name for p in definition.parameters]
    what = f"{definition.name.name}({', '.join(parameters)})"
    positional = call.arguments[: len(call.arguments) - len(call.keywords)]
    found: dict[str, Tree] = dict(zip(parameters, positional, strict=False))

    def error(message: str, span: Span) -> GradcliError:
        place = Label(definition.name.span, "defined here")
        return GradcliError(Kind.NAME, message, source=source, span=span, labels=(place,))

    for keyword, value in zip(call.keywords, call.arguments[len(positional) :], strict=True):
        if keyword not in parameters:
            raise error(f"{what} has no parameter '{keyword}'", value.span)
        if keyword in found:
            raise error(f"{what} gets '{keyword}' twice", value.span)
        found[keyword] = value
    if len(positional) > len(parameters) or len(found) < len(parameters):
        count = len(call.arguments)
        noun = "argument" if len(parameters) == 1 else "arguments"
        raise error(f"{what} takes {len(parameters)} {noun}, here it gets {count}", call.span)
    return tuple(found[p] for p in parameters)
