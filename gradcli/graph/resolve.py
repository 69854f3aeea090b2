"""Names: what each one stands for, and every error that can be told from names alone.

A module's tree comes in; out comes a `Names`: the definitions, the names that may be
inputs in order of first appearance, and what each definition needs. The rules are those of
docs/language.md: a name is given once, is defined before it is used, and a name that is used and
not defined is an input.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from gradcli import ops
from gradcli.diagnostics.error import GradcliError, Kind, Label
from gradcli.diagnostics.source import Span
from gradcli.diagnostics.suggestion import did_you_mean
from gradcli.graph.arguments import arrange_arguments
from gradcli.graph.names import (
    CONSTANTS,
    TWINS,
    Definition,
    Names,
    defined_here,
    defined_name,
    spelled_in,
)
from gradcli.syntax.tree import (
    Assign,
    Augment,
    Bare,
    Block,
    Call,
    Define,
    Module,
    Name,
    Number,
    Rule,
    Statement,
    Tree,
    all_parts,
)

_ALWAYS = frozenset(ops.function_names())
"""Functions of the language wherever the program defines nothing of their name."""


def resolve(module: Module) -> Names:
    """Look at every statement in turn. Raises `GradcliError` (kinds name, syntax)."""
    names = Names(module)
    later: dict[str, Definition] = {}
    for statement in module.statements:
        if isinstance(statement, Definition):
            name = statement.name
            if name.name in later:
                raise names.error(
                    f"'{name.name}' is given a second time",
                    name.span,
                    f"a graph has one node per name: call this one '{name.name}2', say",
                    label=Label(later[name.name].name.span, "given here first"),
                )
            later[name.name] = statement
    last = module.statements[-1]
    for statement in module.statements:
        _StatementCheck(names, later, statement).check(is_output=statement is last)
    refuse_constants_of_blocks(names, later)
    return names


def refuse_constants_of_blocks(names: Names, given: Iterable[str]) -> None:
    """Raise `GradcliError` where a name that gets a value is a constant in a block."""
    word = next((name for name in given if name in names.in_blocks), None)
    if word is not None:
        spelt = "math.e" if word == "e" else "np.pi" if word in ("pi", "π") else "math.tau"
        raise names.error(
            f"'{word}' gets a value, and in a block it is the constant {CONSTANTS[word]:.6g}",
            names.in_blocks[word],
            f"pass it to the block as a parameter, or write {spelt} for the constant",
        )


def chosen_inputs(wrt: Iterable[str] | None, inputs: Iterable[str]) -> tuple[str, ...]:
    """The inputs that gradients are wanted of: all, unless some are named.

    Raises `GradcliError` of kind name for a name that is no input.
    """
    known = tuple(inputs)
    there = frozenset(known)
    chosen = known if wrt is None else tuple(spelled_in(name, there) for name in wrt)
    for name in chosen:
        if name not in there:
            listed = f"its inputs are {', '.join(known)}" if known else "it has no inputs"
            hint = did_you_mean(name, known) or listed
            raise GradcliError(Kind.NAME, f"'{name}' isn't an input of the program", hint=hint)
    return chosen


class _StatementCheck:
    """The check of one statement against what stands before it: what it reads and defines."""

    __slots__ = ("defined", "later", "names", "reads", "size", "statement")

    def __init__(self, names: Names, later: dict[str, Definition], statement: Statement) -> None:
        """`later` are all definitions of the program, those to come among them."""
        self.names, self.later, self.statement = names, later, statement
        name = defined_name(statement)
        self.defined = None if name is None else name.name
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
                if isinstance(statement, Block):
                    self.block(statement)
                else:
                    self.expression(statement.body, {p.name for p in statement.parameters})
            case Augment():
                raise names.error(
                    f"'{statement.symbol}=' does not belong in a program",
                    statement.symbol_span,
                    "a node gets its value once, with '='; where a name is used several "
                    "times the accumulator adds up by itself ('+=' is for submissions)",
                    kind=Kind.SYNTAX,
                )
        names.needs[self.defined] = tuple(self.reads)
        names.sizes[self.defined] = self.size
        if isinstance(statement, Definition):
            names.definitions[statement.name.name] = statement
            names.words.add(statement.name.name)

    def expression(self, tree: Tree, local: Collection[str] = ()) -> None:
        """Every name and call in an expression; `local` are a function's parameters."""
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
            hint = f"call it: {word}({', '.join(p.name for p in definition.parameters)})"
            here = defined_here(definition)
            raise names.error(f"'{word}' is a function", name.span, hint, label=here)
        self.not_yet(word, name.span)
        twin = self.later.get(TWINS.get(word, ""))
        if twin is not None:
            raise names.two_spellings(name, twin.name)
        names.free.setdefault(word, name)

    def not_yet(self, word: str, span: Span) -> None:
        """Raise if the name is defined here or below, and so can't be used yet."""
        if word not in self.later or word in self.names.definitions:
            return
        message, hint = "before it is defined", "move the definition up, above its first use"
        if self.defined == word:
            message = "in its own definition"
            hint = f"a name is given once: call the new node '{word}2', say"
            if isinstance(self.statement, Define | Block):
                hint = "a function can't call itself: the graph has to end somewhere"
        here = defined_here(self.later[word])
        raise self.names.error(f"'{word}' is used {message}", span, hint, label=here)

    def call(self, call: Call, local: Collection[str] = ()) -> None:
        """A function by name: the program's own, else the language's.

        `sigma(…)` is σ where `sigma` is no value so far.
        """
        word, names = call.name, self.names
        if call.qualified:
            if not ops.is_function(word):
                raise _unknown_function(names, call)
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
            raise _unknown_function(names, call)

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
            self.rule(rule, parameters, block.rules[0])
        given = {rule.parameter.name for rule in block.rules}
        for parameter in block.parameters:
            if (name := parameter.name) not in given:
                message = f"block '{block.name.name}' has no derivative for '{name}'"
                hint = f"add d/d{name} = … (elementwise) or delta_{name} = … (the backward rule)"
                raise self.names.error(message, parameter.span, hint)

    def closed_call(self, call: Call) -> None:
        """A function that a block uses may read no node of the program."""
        names = self.names
        if call.qualified or not isinstance(names.definitions.get(call.name), Define):
            return
        for name in names.needs[call.name]:
            if name in CONSTANTS:
                names.in_blocks.setdefault(name, call.name_span)
            elif not isinstance(names.definitions.get(name), Block | Define):
                raise names.error(
                    f"'{call.name}' uses '{name}', which isn't a parameter of the block",
                    call.name_span,
                    "a block's value uses its parameters and constants; pass it as a parameter",
                )

    def rule(self, rule: Rule, parameters: set[str], first: Rule) -> None:
        """One derivative of a block. The parser has checked that every parameter has one."""
        name = rule.parameter.name
        if rule.whole != first.whole:
            raise self.names.error(
                "a block gives either local derivatives (d/dp) or backward rules (delta_p)",
                rule.parameter.span,
                f"an elementwise d/d{name} = g is delta_{name} = delta*g",
                kind=Kind.SYNTAX,
                label=Label(first.parameter.span, "the other kind"),
            )
        allowed = parameters | {"out"} | ({"delta"} if rule.whole else set())
        hint = "a rule uses the parameters, 'out' (the block's output), constants"
        hint += " and 'delta' (∂f/∂out)" if rule.whole else ""
        for node in all_parts(rule.value):
            if isinstance(node, Name):
                self.only(node, allowed, hint)
            elif isinstance(node, Call) and not ops.is_function(node.name):
                raise self.not_in_a_rule(node)

    def not_in_a_rule(self, call: Call) -> GradcliError:
        """The error of a call in a rule, which knows the language's functions alone."""
        definition = self.names.definitions.get(call.name)
        if call.qualified or not isinstance(definition, Define | Block):
            return _unknown_function(self.names, call)
        return self.names.error(
            f"'{call.name}' can't be used here",
            call.name_span,
            "a rule uses the functions of the language only: write out what it does",
            label=defined_here(definition),
        )

    def only(self, name: Name, allowed: set[str], hint: str) -> None:
        """Raise if the name is neither allowed nor a constant."""
        word = name.name
        if name.qualified or word in allowed:
            return
        if word not in CONSTANTS:
            hint = did_you_mean(word, allowed) or hint
            raise self.names.error(f"'{word}' can't be used here", name.span, hint)
        self.names.in_blocks.setdefault(word, name.span)


def _unknown_function(names: Names, call: Call) -> GradcliError:
    from gradcli.graph.suggestions import unknown_function  # noqa: PLC0415 - rarely needed

    return unknown_function(names, call)
