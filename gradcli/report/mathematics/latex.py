"""Trees of the language as LaTeX mathematics.

A formula of a step or a derivative rule comes in, amsmath comes out. Functions are written by
the LaTeX form of their row in the operation table; a product of arrays, element by element, is
⊙.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gradcli import ops
from gradcli.ops.operation import Shape
from gradcli.report.mathematics import names
from gradcli.report.mathematics.printer import ATOM, POWER, PRODUCT, SIGN, Piece, Printer
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import Array, Call, Compare, Index, Name, Number, Slice, Tree

CONSTANTS = {"pi": r"\pi", "π": r"\pi", "tau": r"\tau", "inf": r"\infty", "nan": r"\mathrm{nan}"}
NUMERAL = re.compile(r"-?[\d.]+")
LETTER = re.compile(r"[A-Za-z]|\\(?!frac|text)")


def name(written: str) -> str:
    r"""A name of the graph; δ of a node is \delta_{node}."""
    if written.startswith("delta_") and len(written) > len("delta_"):
        return rf"\delta_{{{names.name(written.removeprefix('delta_'))}}}"
    return names.name(written)


def mathematics(tree: Tree, shapes: Mapping[str, Shape]) -> Piece:
    """A tree as mathematics; `shapes` are those of the graph's nodes by name."""
    return Latex(shapes).tree(tree)


def product(upstream: Piece, local: Piece) -> Piece:
    """δ times a local derivative."""
    found = Printer.operator(Latex({}), "*", (upstream, local))
    return found._replace(array=upstream.array or local.array)


class Latex(Printer):
    """Texts of LaTeX."""

    mathml = False
    name = staticmethod(name)
    comma = ", "
    brackets = "[{}]"

    def piece(self, tree: Tree, parts: Sequence[Piece]) -> Piece:
        """A part of a tree."""
        match tree:
            case Number() if tree.text.isalpha():
                return Piece(rf"\text{{{tree.text}}}", ATOM)
            case Number():
                text = names.numeral(tree.text.replace("_", "").lower())
                return Piece(text, SIGN if text.startswith("-") else ATOM)
            case Name() if tree.name in CONSTANTS and tree.name not in self.shapes:
                return Piece(CONSTANTS[tree.name], ATOM)
            case Name() if tree.name.startswith("["):
                return Piece(self.words(tree.name), ATOM, array=True)
            case Array() if any(isinstance(part, Array) for part in tree.elements):
                rows = r" \\ ".join(part.text.removeprefix("[").removesuffix("]") for part in parts)
                return Piece(rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}", ATOM, array=True)
            case Index():
                items = print_tree(Index(Name("", tree.span), tree.items, tree.span))[1:-1]
                base = self.at(parts[0], ATOM)
                return Piece(rf"{{{base}}}_{{[\text{{{names.text(items)}}}]}}", ATOM)
            case Slice():
                return Piece(":".join(part.text for part in parts), ATOM)
        found = super().piece(tree, parts)
        return found._replace(text=f"[{found.text}]") if isinstance(tree, Compare) else found

    def operator(self, symbol: str, parts: Sequence[Piece]) -> Piece:
        """A sign stands before a fraction; a number and a letter need nothing between them."""
        first = parts[0]
        if symbol == "/" and first.level == SIGN:
            found = super().operator(symbol, [first._replace(text=first.text[1:]), parts[1]])
            return Piece(f"-{found.text}", SIGN)
        if symbol == "*" and NUMERAL.fullmatch(first.text):
            second = parts[1]
            if second.level >= POWER and LETTER.match(second.text):
                return Piece(f"{first.text} {second.text}", PRODUCT)
        return super().operator(symbol, parts)

    def words(self, text: str) -> str:
        """What has no form but its text."""
        return rf"\text{{{names.text(text)}}}"

    def bracketed(self, text: str) -> str:
        """The text in brackets that grow with it."""
        return rf"\left({text}\right)" if "\\" in text or "^" in text else f"({text})"

    def right(self, piece: Piece, level: int) -> str:
        """A text after an operator: whatever begins with a minus gets brackets."""
        return super().right(piece._replace(minus=piece.text.startswith("-")), level)

    def base(self, piece: Piece) -> str:
        """What is raised to a power: nothing that has a power already."""
        text = self.at(piece, ATOM)
        return f"{{{text}}}" if "^" in text else text

    def call(self, tree: Call, operands: Sequence[Piece], named: Sequence[Piece]) -> Piece:
        """A function by its row's form, else by its name."""
        if not named and ops.is_row(tree.name):
            row = ops.row_of(tree.name, len(operands))
            found = self._by_template(row, operands)
            if found is not None:
                return Piece(found, PRODUCT if row.latex.startswith("-") else POWER)
        texts = [part.text for part in operands]
        texts += [
            f"{self.words(key)} = {part.text}"
            for key, part in zip(tree.keywords, named, strict=True)
        ]
        word = "".join(c if c.isascii() and c.isalnum() else names.text(c) for c in tree.name)
        return Piece(rf"\operatorname{{{word}}}\left({', '.join(texts)}\right)", ATOM)

    def _by_template(self, row: ops.Operation, parts: Sequence[Piece]) -> str | None:
        """The row's LaTeX form with its parameters filled in; None if that would not say all."""
        parameters = [p.name for p in row.parameters]
        if not row.latex or len(parts) > len(parameters) or any(p.variadic for p in row.parameters):
            return None
        given = dict(zip(parameters, parts, strict=False))
        fields = set(re.findall(r"\{(\w+)\}", row.latex)) & set(parameters)
        if fields != set(given):
            return None

        def fill(match: re.Match[str]) -> str:
            part = given.get(match[1])
            if part is None:
                return match[0]
            before, after = row.latex[: match.start()], row.latex[match.end() :]
            if before.endswith("{") and after.startswith("}"):
                return part.text
            closed = before.rstrip().endswith(OPENING) or before.endswith("{")
            return f"{{{part.text if closed else self.at(part, ATOM)}}}"

        return re.sub(r"\{(\w+)\}", fill, row.latex)


OPENING = ("(", ",", "|", r"\lvert", r"\lVert", "lfloor", "lceil")
"""After these, an operand needs no brackets of its own."""
