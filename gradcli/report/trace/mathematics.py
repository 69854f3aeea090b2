"""Trees of the language as LaTeX mathematics.

A formula of a step or a derivative rule comes in, amsmath comes out. Functions are written by
the LaTeX form of their row in the operation table; a product of arrays, element by element, is
⊙. Nothing recurses: trees may be deep.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gradcli import ops
from gradcli.engine.notation import folded
from gradcli.ops.operation import Shape
from gradcli.report.tables import latex
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import (
    Array,
    Call,
    Compare,
    Index,
    Name,
    Number,
    Operator,
    Slice,
    Tree,
    Tuple,
)

COMPARISON, SUM, PRODUCT, SIGN, POWER, ATOM = range(6)

SYMBOLS = {"<=": r"\le", ">=": r"\ge", "==": "=", "!=": r"\ne", "<": "<", ">": ">"}
CONSTANTS = {"pi": r"\pi", "π": r"\pi", "tau": r"\tau", "inf": r"\infty", "nan": r"\mathrm{nan}"}
NUMERAL = re.compile(r"-?[\d.]+")
LETTER = re.compile(r"[A-Za-z]|\\(?!frac|text)")


class Piece(NamedTuple):
    """A text, how tightly it holds together, and whether its value is an array."""

    text: str
    level: int
    array: bool = False

    def at(self, level: int) -> str:
        """The text, in brackets where it must be."""
        return self.text if self.level >= level else bracketed(self.text)

    def right(self, level: int) -> str:
        """The same after an operator, where a minus gets brackets too."""
        return bracketed(self.text) if self.text.startswith("-") else self.at(level)


def bracketed(text: str) -> str:
    """The text in brackets that grow with it."""
    return rf"\left({text}\right)" if "\\" in text or "^" in text else f"({text})"


def name(written: str) -> str:
    r"""A name of the graph; δ of a node is \delta_{node}."""
    if written.startswith("delta_") and len(written) > len("delta_"):
        return rf"\delta_{{{latex.name(written.removeprefix('delta_'))}}}"
    return latex.name(written)


def mathematics(tree: Tree, shapes: Mapping[str, Shape]) -> Piece:
    """A tree as mathematics; `shapes` are those of the graph's nodes by name."""
    return folded(tree, lambda node, parts: _piece(node, parts, shapes))


def product(upstream: Piece, local: Piece) -> Piece:
    """δ times a local derivative."""
    sign = r"\odot" if upstream.array and local.array else r"\cdot"
    text = f"{upstream.at(PRODUCT)} {sign} {local.right(POWER)}"
    return Piece(text, PRODUCT, array=upstream.array or local.array)


def _piece(tree: Tree, parts: Sequence[Piece], shapes: Mapping[str, Shape]) -> Piece:
    some = any(part.array for part in parts)
    match tree:
        case Number() if tree.text.isalpha():
            return Piece(rf"\text{{{tree.text}}}", ATOM)
        case Number():
            text = latex.numeral(tree.text.replace("_", "").lower())
            return Piece(text, SIGN if text.startswith("-") else ATOM)
        case Name():
            if tree.name in CONSTANTS and tree.name not in shapes:
                return Piece(CONSTANTS[tree.name], ATOM)
            if tree.name.startswith("["):
                return Piece(rf"\text{{{latex.text(tree.name)}}}", ATOM, array=True)
            shape = shapes.get(tree.name)
            if shape is None:
                shape = shapes.get(tree.name.removeprefix("delta_"), ())
            return Piece(name(tree.name), ATOM, array=bool(shape))
        case Operator():
            return _operator(tree.symbol, parts)
        case Compare():
            return Piece(_comparison(tree, parts), COMPARISON, array=some)
        case Call():
            return _call(tree, parts)
        case Array():
            if any(isinstance(part, Array) for part in tree.elements):
                rows = r" \\ ".join(part.text.removeprefix("[").removesuffix("]") for part in parts)
                return Piece(rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}", ATOM, array=True)
            return Piece(f"[{', '.join(part.text for part in parts)}]", ATOM, array=True)
        case Tuple():
            return Piece(f"({', '.join(part.text for part in parts)})", ATOM)
        case Index():
            items = latex.text(print_tree(Index(Name("", tree.span), tree.items, tree.span))[1:-1])
            return Piece(rf"{{{parts[0].at(ATOM)}}}_{{[\text{{{items}}}]}}", ATOM)
        case Slice():
            return Piece(":".join(part.text for part in parts), ATOM)
    return Piece(rf"\text{{{latex.text(print_tree(tree))}}}", ATOM)


def _operator(symbol: str, parts: Sequence[Piece]) -> Piece:
    some = any(part.array for part in parts)
    first = parts[0]
    match symbol:
        case "neg":
            return Piece(f"-{first.right(PRODUCT)}", SIGN, some)
        case "abs":
            return Piece(rf"\left\lvert {first.text} \right\rvert", ATOM, some)
        case "norm":
            return Piece(rf"\left\lVert {first.text} \right\rVert", ATOM)
        case "sqrt":
            return Piece(rf"\sqrt{{{first.text}}}", ATOM, some)
        case "T":
            return Piece(rf"{_base(first)}^\top", POWER, some)
    second = parts[1]
    match symbol:
        case "+" | "-":
            return Piece(f"{first.at(SUM)} {symbol} {second.right(PRODUCT)}", SUM, some)
        case "/":
            sign, above = ("-", first.text[1:]) if first.level == SIGN else ("", first.text)
            level = SIGN if sign else POWER
            return Piece(rf"{sign}\frac{{{above}}}{{{second.text}}}", level, some)
        case "^":
            return Piece(f"{_base(first)}^{{{second.text}}}", POWER, some)
        case "@":
            return Piece(rf"{first.at(PRODUCT)} \, {second.right(POWER)}", PRODUCT, some)
    if NUMERAL.fullmatch(first.text) and second.level >= POWER and LETTER.match(second.text):
        return Piece(f"{first.text} {second.text}", PRODUCT, some)
    return product(first, second)._replace(array=some)


def _base(piece: Piece) -> str:
    """What is raised to a power: nothing that has a power already."""
    text = piece.at(ATOM)
    return f"{{{text}}}" if "^" in text else text


def _comparison(tree: Compare, parts: Sequence[Piece]) -> str:
    text = parts[0].at(SUM)
    for symbol, part in zip(tree.symbols, parts[1:], strict=True):
        text += f" {SYMBOLS[symbol]} {part.right(SUM)}"
    return f"[{text}]"


def _call(tree: Call, parts: Sequence[Piece]) -> Piece:
    some = any(part.array for part in parts)
    positional = len(parts) - len(tree.keywords)
    row = ops.row_of(tree.name, positional) if ops.is_row(tree.name) else None
    array = some and not ops.gives_number(tree.name, positional, tree.keywords)
    texts = [part.text for part in parts[:positional]]
    if not tree.keywords and row is not None:
        found = _by_template(row, parts)
        if found is not None:
            return Piece(found, PRODUCT if row.latex.startswith("-") else POWER, array)
    texts += [
        rf"\text{{{latex.text(key)}}} = {part.text}"
        for key, part in zip(tree.keywords, parts[positional:], strict=True)
    ]
    inside = ", ".join(texts)
    return Piece(rf"\operatorname{{{_word(tree.name)}}}\left({inside}\right)", ATOM, array)


def _word(written: str) -> str:
    r"""A function's name within \operatorname."""
    return "".join(c if c.isascii() and c.isalnum() else latex.text(c) for c in written)


def _by_template(row: ops.Operation, parts: Sequence[Piece]) -> str | None:
    """The row's LaTeX form with its parameters filled in; None if that would not say all."""
    names = [p.name for p in row.parameters]
    if not row.latex or len(parts) > len(names) or any(p.variadic for p in row.parameters):
        return None
    given = dict(zip(names, parts, strict=False))
    fields = set(re.findall(r"\{(\w+)\}", row.latex)) & set(names)
    if fields != set(given):
        return None

    def fill(match: re.Match[str]) -> str:
        part = given.get(match[1])
        if part is None:
            return match[0]
        before, after = row.latex[: match.start()], row.latex[match.end() :]
        closed = before.endswith("{") and after.startswith("}")
        if closed:
            return part.text
        inside = before.rstrip().endswith(("(", ",", "|", r"\lvert", r"\lVert", "lfloor", "lceil"))
        return f"{{{part.text if inside or before.endswith('{') else part.at(ATOM)}}}"

    return re.sub(r"\{(\w+)\}", fill, row.latex)
