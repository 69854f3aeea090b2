"""What LaTeX and MathML have in common: the walk over a tree, and where brackets must be.

A notation has a template for each operator, and methods for what it writes in its own way.
Nothing recurses: trees may be deep.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, NamedTuple

from gradcli import ops
from gradcli.engine.notation import folded
from gradcli.ops.operation import Shape
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import Array, Call, Compare, Name, Operator, Tree, Tuple

COMPARISON, SUM, PRODUCT, SIGN, POWER, ATOM = range(6)
BASE, ANY = 6, -1


class Sign(NamedTuple):
    """An operator: how tightly it holds, what its operands need, and its form in each notation."""

    level: int
    needed: tuple[int, ...]
    latex: str
    mathml: str


# fmt: off
SIGNS = {
    "+": Sign(SUM, (SUM, PRODUCT), "{} + {}", "{}<mo>+</mo>{}"),
    "-": Sign(SUM, (SUM, PRODUCT), "{} - {}", "{}<mo>−</mo>{}"),
    "*": Sign(PRODUCT, (PRODUCT, POWER), r"{} \cdot {}", "{}<mo>·</mo>{}"),
    "⊙": Sign(PRODUCT, (PRODUCT, POWER), r"{} \odot {}", "{}<mo>⊙</mo>{}"),
    "@": Sign(PRODUCT, (PRODUCT, POWER), r"{} \, {}", "{}<mspace width='0.2em'/>{}"),
    "/": Sign(POWER, (ANY, ANY), r"\frac{{{}}}{{{}}}",
              "<mfrac><mrow>{}</mrow><mrow>{}</mrow></mfrac>"),
    "^": Sign(POWER, (BASE, ANY), "{}^{{{}}}", "<msup>{}<mrow>{}</mrow></msup>"),
    "T": Sign(POWER, (BASE,), r"{}^\top", "<msup>{}<mo>⊤</mo></msup>"),
    "neg": Sign(SIGN, (PRODUCT,), "-{}", "<mo>−</mo>{}"),
    "abs": Sign(ATOM, (ANY,), r"\left\lvert {} \right\rvert", "<mo>|</mo>{}<mo>|</mo>"),
    "norm": Sign(ATOM, (ANY,), r"\left\lVert {} \right\rVert", "<mo>‖</mo>{}<mo>‖</mo>"),
    "sqrt": Sign(ATOM, (ANY,), r"\sqrt{{{}}}", "<msqrt>{}</msqrt>"),
}
# fmt: on

COMPARISONS = {
    "<": (" < ", "<mo>&lt;</mo>"),
    "<=": (r" \le ", "<mo>≤</mo>"),
    ">": (" > ", "<mo>&gt;</mo>"),
    ">=": (r" \ge ", "<mo>≥</mo>"),
    "==": (" = ", "<mo>=</mo>"),
    "!=": (r" \ne ", "<mo>≠</mo>"),
}
"""The signs in LaTeX and in MathML."""


class Piece(NamedTuple):
    """A text, how tightly it holds together, and whether its value is an array."""

    text: str
    level: int
    array: bool = False
    minus: bool = False
    """Whether it begins with a minus."""


class Printer(ABC):
    """Trees over names of these shapes, in one notation."""

    mathml: ClassVar[bool]
    """Whether it is MathML, else LaTeX."""
    name: Callable[[str], str]
    """A name as it is written; δ of a node is `delta_node`."""
    comma: ClassVar[str]
    brackets: ClassVar[str]
    """Of an array."""

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self.shapes = shapes

    def tree(self, tree: Tree) -> Piece:
        """A tree as mathematics."""
        return folded(tree, self.piece)

    def piece(self, tree: Tree, parts: Sequence[Piece]) -> Piece:
        """A part of a tree, of its own parts."""
        some = any(part.array for part in parts)
        match tree:
            case Name():
                own = self.shapes.get(tree.name.removeprefix("delta_"), ())
                return Piece(self.name(tree.name), ATOM, bool(self.shapes.get(tree.name, own)))
            case Operator():
                array = some and tree.symbol != "norm"
                return self.operator(tree.symbol, parts)._replace(array=array)
            case Compare():
                text = self.at(parts[0], SUM)
                for symbol, part in zip(tree.symbols, parts[1:], strict=True):
                    text += COMPARISONS[symbol][self.mathml] + self.right(part, SUM)
                return Piece(text, COMPARISON, some)
            case Call():
                count = len(parts) - len(tree.keywords)
                number = ops.gives_number(tree.name, count, tree.keywords)
                return self.call(tree, parts[:count], parts[count:])._replace(
                    array=some and not number
                )
            case Array():
                return Piece(self.brackets.format(self.listed(parts)), ATOM, array=True)
            case Tuple():
                return Piece(self.bracketed(self.listed(parts)), ATOM)
        return Piece(self.words(print_tree(tree)), ATOM, some)

    def operator(self, symbol: str, parts: Sequence[Piece]) -> Piece:
        """An operator's form."""
        if symbol == "*" and all(part.array for part in parts):
            symbol = "⊙"
        level, needed, latex, mathml = SIGNS[symbol]
        texts = []
        for k, (part, need) in enumerate(zip(parts, needed, strict=True)):
            if need == ANY:
                texts.append(part.text)
            elif need == BASE:
                texts.append(self.base(part))
            else:
                write = self.right if k or symbol == "neg" else self.at
                texts.append(write(part, need))
        minus = symbol == "neg" or (parts[0].minus and level in (SUM, PRODUCT))
        form = mathml if self.mathml else latex
        return Piece(form.format(*texts), level, minus=minus)

    def listed(self, parts: Sequence[Piece]) -> str:
        """Parts with commas between them."""
        return self.comma.join(part.text for part in parts)

    def at(self, piece: Piece, level: int) -> str:
        """A piece, in brackets where it must be."""
        return piece.text if piece.level >= level else self.bracketed(piece.text)

    def right(self, piece: Piece, level: int) -> str:
        """The same after an operator, where a minus gets brackets too."""
        return self.at(piece._replace(level=COMPARISON) if piece.minus else piece, level)

    def base(self, piece: Piece) -> str:
        """What is raised to a power."""
        return self.at(piece, ATOM)

    @abstractmethod
    def words(self, text: str) -> str:
        """What has no form but its text."""

    @abstractmethod
    def bracketed(self, text: str) -> str:
        """A text in brackets."""

    @abstractmethod
    def call(self, tree: Call, operands: Sequence[Piece], named: Sequence[Piece]) -> Piece:
        """A function of operands, and of those that are given by name."""
