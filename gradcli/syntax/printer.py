"""From a syntax tree back to text: the canonical way to write it.

`parse_expression(Source(print_tree(tree))) == tree` for every tree that the parser makes.
Brackets stand where the tree needs them, and also where the eye does: around a minus after
another operator, a root that is raised to a power, a matrix product beside another product.

Text is put together by a loop, piece by piece, since trees may be very deep. What is
written for an operator is a row of `FORMS`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, TypeAlias

from gradcli.syntax.tree import (
    Array,
    Assign,
    Augment,
    Bare,
    Block,
    Call,
    Compare,
    Define,
    Index,
    Module,
    Name,
    Nothing,
    Number,
    Operator,
    Rule,
    Slice,
    Text,
    Tree,
    Tuple,
)


class Level(IntEnum):
    """How tightly a form holds together, loosest first."""

    COMPARISON = 0
    SUM = 1
    PRODUCT = 2
    SIGN = 3
    POWER = 4
    ROOT = 5
    POSTFIX = 6
    ATOM = 7


class Form(NamedTuple):
    """How an operator is written: what stands before, between and after its operands.

    `level` is the form's own; `needs` is what each operand must have at least to stand
    without brackets.
    """

    level: Level
    before: str
    between: str
    after: str
    needs: tuple[Level, ...]


_S, _P = Level.SUM, Level.PRODUCT
FORMS = {
    "+": Form(_S, "", " + ", "", (_S, _P)),
    "-": Form(_S, "", " - ", "", (_S, _P)),
    "*": Form(_P, "", "*", "", (_P, Level.POWER)),
    "/": Form(_P, "", "/", "", (_P, Level.POWER)),
    "@": Form(_P, "", " @ ", "", (_P, Level.POWER)),
    "^": Form(Level.POWER, "", "^", "", (Level.POSTFIX, Level.POWER)),
    "neg": Form(Level.SIGN, "-", "", "", (Level.POWER,)),
    "sqrt": Form(Level.ROOT, "√", "", "", (Level.ATOM,)),
    "abs": Form(Level.ATOM, "|", "", "|", (Level.COMPARISON,)),
    "norm": Form(Level.ATOM, "||", "", "||", (Level.COMPARISON,)),
    "T": Form(Level.POSTFIX, "", "", ".T", (Level.POSTFIX,)),
}

# What a tree is written as, from left to right: finished text, or a tree and its need.
Piece: TypeAlias = "str | tuple[Tree, Level]"


def print_tree(tree: Tree, *, spaced: bool = True) -> str:
    """The tree as text of the language.

    A product that is the whole text has spaces around its signs, one inside of something
    else has none: `a * b`, `a*b + c`. With `spaced=False` neither has.
    """
    wide = _outermost_products(tree) if spaced else set()
    out: list[str] = []
    stack: list[Piece] = [(tree, Level.COMPARISON)]
    while stack:
        piece = stack.pop()
        if not isinstance(piece, str):
            part, need = piece
            pieces = _pieces(part, wide=id(part) in wide)
            if level(part) < need:
                pieces = ["(", *pieces, ")"]
            stack.extend(reversed(pieces))
        elif piece:
            if piece[0] == "|" and out and out[-1][-1] == "|":
                out.append(" ")  # bars that touch would be read as one
            out.append(piece)
    return "".join(out)


def level(tree: Tree) -> Level:
    """How tightly the tree's text holds together."""
    if isinstance(tree, Operator):
        return FORMS[tree.symbol].level
    if isinstance(tree, Compare):
        return Level.COMPARISON
    if isinstance(tree, Index):
        return Level.POSTFIX
    if isinstance(tree, Number) and tree.text.startswith("-"):
        return Level.SIGN
    return Level.ATOM


def _outermost_products(tree: Tree) -> set[int]:
    """The ids of the `*` that are part of nothing else: the root and down its left side."""
    if isinstance(tree, Module):
        return set().union(*(_outermost_products(statement) for statement in tree.statements))
    if isinstance(tree, Assign | Define | Bare | Augment):
        tree = tree.children()[-1]
    found = set()
    while isinstance(tree, Operator) and tree.symbol == "*":
        found.add(id(tree))
        tree = tree.operands[0]
    return found


def _pieces(tree: Tree, *, wide: bool) -> list[Piece]:
    match tree:
        case Number():
            return [tree.text]
        case Name():
            return [f"math.{tree.name}" if tree.qualified else tree.name]
        case Operator():
            return _operator(tree, wide=wide)
        case Call():
            name = f"np.{tree.name}" if tree.qualified else tree.name
            return [name, "(", *_arguments(tree), ")"]
        case Compare():
            return _comparison(tree)
        case Array():
            return ["[", *_separated(tree.elements), "]"]
        case Tuple():
            end = ",)" if len(tree.elements) == 1 else ")"
            return ["(", *_separated(tree.elements), end]
        case Index():
            return [(tree.base, Level.POSTFIX), "[", *_separated(tree.items), "]"]
        case Slice():
            return _slice(tree)
        case Nothing():
            return ["None"]
        case Text():
            return [tree.text if tree.text == "..." else f"'{tree.text}'"]
        case _:
            return _statement(tree)


def _operator(tree: Operator, *, wide: bool) -> list[Piece]:
    form = FORMS[tree.symbol]
    pieces: list[Piece] = [form.before] if form.before else []
    for i, operand in enumerate(tree.operands):
        need = form.needs[i]
        if i:
            pieces.append(" * " if wide else form.between)
        if _mixes_products(tree, operand) or ((i or form.before == "-") and _minus_first(operand)):
            need = Level.ATOM
        pieces.append((operand, need))
    if form.after:
        pieces.append(form.after)
    return pieces


def _mixes_products(tree: Tree, operand: Tree) -> bool:
    """Whether a matrix product stands beside another product: `(A @ B)*c`, but `2*A @ B`."""
    return (
        isinstance(operand, Operator)
        and isinstance(tree, Operator)
        and level(tree) == level(operand) == Level.PRODUCT
        and (tree.symbol == "@") != (operand.symbol == "@")
        and not (operand is tree.operands[0] and isinstance(operand.operands[0], Number))
    )


def _minus_first(tree: Tree) -> bool:
    """Whether the tree's text begins with a minus."""
    while isinstance(tree, Operator) and tree.symbol != "neg":
        form = FORMS[tree.symbol]
        left = tree.operands[0]
        if form.before or level(left) < form.needs[0] or _mixes_products(tree, left):
            return False
        tree = left
    return level(tree) == Level.SIGN


def _comparison(tree: Compare) -> list[Piece]:
    pieces: list[Piece] = [(tree.operands[0], Level.SUM)]
    for symbol, operand in zip(tree.symbols, tree.operands[1:], strict=True):
        need = Level.ATOM if _minus_first(operand) else Level.SUM
        pieces += f" {symbol} ", (operand, need)
    return pieces


def _separated(trees: tuple[Tree, ...], separator: str = ", ") -> list[Piece]:
    pieces: list[Piece] = []
    for tree in trees:
        pieces += separator, (tree, Level.COMPARISON)
    return pieces[1:]


def _arguments(tree: Call) -> list[Piece]:
    pieces: list[Piece] = []
    names = [""] * (len(tree.arguments) - len(tree.keywords)) + [f"{k}=" for k in tree.keywords]
    for name, argument in zip(names, tree.arguments, strict=True):
        pieces += ", " if pieces else "", name, (argument, Level.COMPARISON)
    return pieces


def _slice(tree: Slice) -> list[Piece]:
    pieces: list[Piece] = []
    for i, part in enumerate(tree.parts):
        if i < 2 or not isinstance(part, Nothing):
            pieces += [":"] * (i > 0)
        if not isinstance(part, Nothing):
            pieces.append((part, Level.COMPARISON))
    return pieces


def _statement(tree: Tree) -> list[Piece]:
    match tree:
        case Bare():
            return [(tree.value, Level.COMPARISON)]
        case Assign():
            return [tree.name.name, " = ", (tree.value, Level.COMPARISON)]
        case Augment():
            target, value = (tree.target, Level.ATOM), (tree.value, Level.COMPARISON)
            return [target, f" {tree.symbol}= ", value]
        case Define():
            return [*_head(tree), (tree.body, Level.COMPARISON)]
        case Block():
            with_rules = [" with ", *_separated(tree.rules)]
            return ["block ", *_head(tree), (tree.body, Level.COMPARISON), *with_rules]
        case Rule():
            name = tree.parameter.name
            left = f"delta_{name} = " if tree.whole else f"d/d{name} = "
            return [left, (tree.value, Level.COMPARISON)]
        case Module():
            return _separated(tree.statements, "\n")
    raise TypeError(f"no form for {type(tree).__name__}")


def _head(tree: Define | Block) -> list[Piece]:
    parameters = ", ".join(parameter.name for parameter in tree.parameters)
    return [f"{tree.name.name}({parameters}) = "]
