"""How nodes and rules are written: from the graph back to trees of the language.

A report never puts an expression together by hand. A node becomes the tree of its operation
on the names of its operands, a derivative rule the tree of its formula with the graph's
names put in; the language's printer does the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias, TypeVar

import numpy as np

from gradcli.diagnostics.source import Span
from gradcli.engine.formula import frozen, parsed
from gradcli.graph.draft import Literal, Operand
from gradcli.graph.graph import ConstantNode, Graph, InputNode, Node, OperationNode
from gradcli.ops.operation import Notation, Operation
from gradcli.ops.table.indexing import Places
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import (
    Array,
    Call,
    Compare,
    Index,
    Name,
    Nothing,
    Number,
    Operator,
    Slice,
    Text,
    Tree,
    Tuple,
    postorder,
)

Made = TypeVar("Made")

NOWHERE = Span(0, 0)
MOST_PLACES = 12
"""A longer list of places is written as dots."""
OPERATORS = frozenset({"+", "-", "*", "/", "@", "^", "neg", "abs", "norm", "sqrt", "T"})


def expression(graph: Graph, node: Node) -> str:
    """The node's operation on the names of its operands: `x + a`, `1/d`, `sum(X, axis=0)`."""
    if node.operation is None:
        return print_tree(node_tree(graph, node))
    return _filled(graph, node, None)


def node_tree(graph: Graph, node: Node) -> Tree:
    """The tree of `expression`; an input is its own name."""
    if isinstance(node, InputNode):
        return Name(node.name, NOWHERE)
    if isinstance(node, ConstantNode):
        return literal_tree(node.literal)
    operands = tuple(operand_tree(graph, o) for o in node.operands)
    return operation_tree(node.operation, node.given, operands)


def operation_tree(
    operation: Operation, given: Mapping[str, Any], operands: tuple[Tree, ...]
) -> Tree:
    """An operation on trees, with its options as they were given."""
    symbol = operation.symbol
    if symbol in OPERATORS:
        if len(operands) == operation_arity(symbol):
            return Operator(symbol, operands, NOWHERE, NOWHERE)
    elif symbol is not None:
        return Compare((symbol,), operands, NOWHERE, (NOWHERE,))
    match operation.notation:
        case Notation.SAME:
            return operands[0]
        case Notation.RECIPROCAL:
            return Operator("/", (number(1.0), *operands), NOWHERE, NOWHERE)
        case Notation.SQUARED_NORM:
            norm = Operator("norm", operands, NOWHERE, NOWHERE)
            return Operator("^", (norm, number(2.0)), NOWHERE, NOWHERE)
        case Notation.ARRAY:
            return _nested(operands, given["shape"])
        case Notation.INDEX:
            items = tuple(map(_item_tree, given["items"]))
            return Index(operands[0], items, NOWHERE)
    return _call(operation, given, operands)


def operation_arity(symbol: str) -> int:
    """How many operands an operator has."""
    return 2 if symbol in {"+", "-", "*", "/", "@", "^"} else 1


def operand_tree(graph: Graph, operand: Operand) -> Tree:
    """A node's name, or a literal as it was written."""
    if isinstance(operand, int):
        return Name(graph.nodes[operand].name, NOWHERE)
    return literal_tree(operand)


def literal_tree(literal: Literal) -> Tree:
    """A number, a constant's name, or an array's text."""
    if np.ndim(literal.value) == 0 and not literal.text.isalpha():
        return Number(float(literal.value), literal.text, NOWHERE)
    return Name(literal.text, NOWHERE)


def number(value: float) -> Number:
    """A literal with its shortest text."""
    text = repr(float(value))
    return Number(value, text.removesuffix(".0"), NOWHERE)


def _call(operation: Operation, given: Mapping[str, Any], operands: tuple[Tree, ...]) -> Call:
    """A function's call: operands and required options in order, the other options by name."""
    name = operation.aliases[0] if operation.aliases else operation.name
    waiting: Iterator[Tree] = iter(operands)
    arguments: list[Tree] = []
    keywords: list[str] = []
    named: list[Tree] = []
    for parameter in operation.parameters:
        if parameter.option:
            value = given.get(parameter.name, parameter.default)
            if isinstance(parameter.default, bool):
                value = bool(value)
            if parameter.required:
                arguments.append(option_tree(value))
            elif value != parameter.default:
                keywords.append(parameter.name)
                named.append(option_tree(value))
        elif parameter.variadic:
            rest = tuple(waiting)
            arguments += [Tuple(rest, NOWHERE)] if operation.sequence else rest
        else:
            arguments.append(next(waiting))
    return Call(name, (*arguments, *named), tuple(keywords), NOWHERE, NOWHERE)


def option_tree(value: Any) -> Tree:
    """An option's value: None, a number, a slice, or a tuple of them."""
    if value is None:
        return Nothing(NOWHERE)
    if isinstance(value, slice):
        start, stop, step = map(option_tree, (value.start, value.stop, value.step))
        return Slice(start, stop, step, NOWHERE)
    if isinstance(value, str) or value is ...:
        return Text(value if isinstance(value, str) else "...", NOWHERE)
    if isinstance(value, Places) and len(value) > MOST_PLACES:
        return Name("…", NOWHERE)
    if isinstance(value, tuple):
        return Tuple(tuple(map(option_tree, value)), NOWHERE)
    if isinstance(value, bool):
        return Number(float(value), str(value), NOWHERE)
    return number(float(value))


def _item_tree(item: Any) -> Tree:
    """An item of an index: a list of places, else as an option is written."""
    tree = option_tree(item)
    return Array(tree.elements, NOWHERE) if isinstance(tree, Tuple) else tree


def _nested(elements: tuple[Tree, ...], shape: tuple[int, ...]) -> Tree:
    """Elements in row-major order as arrays of arrays."""
    level = elements
    for n in reversed(shape):
        groups = range(0, len(level), n) if n else [0]
        level = tuple(Array(level[i : i + n], NOWHERE) for i in groups)
    return level[0]


# --- rules -------------------------------------------------------------------------------


def rule_tree(graph: Graph, node: OperationNode, operand: int) -> Tree:
    """The derivative rule of a node for one operand, over the graph's names.

    An elementwise rule is the local derivative; a rule on arrays has `delta_<node>` in it.
    """
    return formula_tree(graph, node, node.operation.formulas(graph.site(node))[operand])


def formula_tree(graph: Graph, node: OperationNode, text: str) -> Tree:
    """A formula over an operation's operands, with the graph's names for them."""
    return _over(node, text, tuple(operand_tree(graph, o) for o in node.operands), node.name)


def _over(node: OperationNode, text: str, operands: tuple[Tree, ...], own: str) -> Tree:
    """A formula over these operands; `own` is what the node itself is called."""
    operation = node.operation
    names = operation.operand_names(len(node.operands))
    meaning: dict[str, Tree] = dict(zip(names, operands, strict=True))
    meaning["out"] = Name(own, NOWHERE)
    if not operation.elementwise:
        meaning["delta"] = Name(f"delta_{own}", NOWHERE)
    for option, value in node.options.items():
        if option != "items" and not isinstance(value, str):
            meaning.setdefault(option, option_tree(value))
    return substitute(parsed(text), meaning)


def rule(graph: Graph, node: OperationNode, operand: int) -> str:
    """The text of `rule_tree`: `a*(1 - a)`, `W2.T @ delta_z2`."""
    return _filled(graph, node, operand)


# --- texts -------------------------------------------------------------------------------

_PLACE = re.compile("\ue000(\\d+)\ue001")
"""Stands for a name in a form: names contain no characters for private use."""

Form: TypeAlias = tuple[str | int, ...]
"""A text without the names: pieces of it, and between them the places of names."""

MOST_FORMS = 4096
_forms: dict[Any, Form] = {}


def _filled(graph: Graph, node: OperationNode, operand: int | None) -> str:
    """The text of a node, or of its rule for an operand, from the form that it shares.

    Operations that look alike are written alike but for their names, so that a tree is made
    and printed once for all of them, in all graphs.
    """
    operation = node.operation
    literals = tuple([None if isinstance(o, int) else _written(o) for o in node.operands])
    key: tuple[Any, ...] = (operation, operand, literals)
    if node.options or node.given:
        key += (frozen(node.options), frozen(node.given))
    if operand is not None and (node.type.shape or not operation.elementwise):
        key += tuple(graph.operand_type(o) for o in node.operands), node.type
    parts = _forms.get(key)
    if parts is None:
        if len(_forms) >= MOST_FORMS:
            _forms.clear()
        parts = _forms[key] = _form(graph, node, operand)
    nodes = graph.nodes
    names = [node.name, *[nodes[o].name if isinstance(o, int) else "" for o in node.operands]]
    return "".join([part if isinstance(part, str) else names[part] for part in parts])


def _written(literal: Literal) -> Any:
    """What a form depends on in a literal: its text, and the value of a number."""
    value = literal.value
    number = isinstance(value, float) or not np.ndim(value)
    return (literal.text, float(value)) if number else literal.text


def _form(graph: Graph, node: OperationNode, operand: int | None) -> Form:
    """Text and places of names in turn: place 0 is the node's own, the operands follow."""
    places = [Name(f"\ue000{i + 1}\ue001", NOWHERE) for i in range(len(node.operands))]
    operands: tuple[Tree, ...] = tuple(
        place if isinstance(o, int) else literal_tree(o)
        for place, o in zip(places, node.operands, strict=True)
    )
    operation = node.operation
    if operand is None:
        text = print_tree(operation_tree(operation, node.given, operands))
    else:
        own = "\ue0000\ue001"
        formula = operation.formulas(graph.site(node))[operand]
        text = print_tree(_over(node, formula, operands, own), spaced=False)
    pieces = _PLACE.split(text)
    return tuple(int(piece) if i % 2 else piece for i, piece in enumerate(pieces))


def substitute(tree: Tree, meaning: Mapping[str, Tree]) -> Tree:
    """The tree with names replaced by trees."""
    return folded(tree, lambda node, children: rebuilt(node, children, meaning))


def folded(tree: Tree, made: Callable[[Tree, tuple[Made, ...]], Made]) -> Made:
    """What `made` makes of the tree: of every part and what it has made of the part's children."""
    done: list[Made] = []
    for node in postorder(tree):
        count = len(node.children())
        children = tuple(done[len(done) - count :])
        del done[len(done) - count :]
        done.append(made(node, children))
    return done[0]


def rebuilt(node: Tree, children: tuple[Tree, ...], meaning: Mapping[str, Tree]) -> Tree:
    """A part of a tree with other children, and a tree in the place of a name."""
    match node:
        case Name() if not node.qualified:
            return meaning.get(node.name, node)
        case Operator():
            return Operator(node.symbol, children, NOWHERE, NOWHERE)
        case Compare():
            return Compare(node.symbols, children, NOWHERE, node.symbol_spans)
        case Call():
            return Call(
                node.name, children, node.keywords, NOWHERE, NOWHERE, qualified=node.qualified
            )
        case Array():
            return Array(children, NOWHERE)
        case Tuple():
            return Tuple(children, NOWHERE)
        case Slice():
            start, stop, step = children
            return Slice(start, stop, step, NOWHERE)
        case Index():
            return Index(children[0], children[1:], NOWHERE)
    return node
