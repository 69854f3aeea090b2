"""Trees of the language as MathML, which browsers draw themselves.

Functions are written by their names, powers and fractions as they are on paper; products of
matrices stand side by side, products of arrays element by element have ⊙.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from html import escape

from gradcli.report.mathematics.names import SMALL, split
from gradcli.report.mathematics.printer import ATOM, SIGN, Piece, Printer
from gradcli.syntax.tree import Call, Number, Tree


def name(written: str) -> str:
    """A name: `x1` and `delta_z` have subscripts."""
    letters, below = split(written)
    base = f"<mi>{escape(_greek(letters or written))}</mi>"
    if not letters or not below:
        return base
    return f"<msub>{base}<mrow>{'<mo>,</mo>'.join(map(_below, below))}</mrow></msub>"


def _greek(word: str) -> str:
    return unicodedata.lookup(f"GREEK SMALL LETTER {word}") if word in SMALL else word


def _below(part: str) -> str:
    letters = part.rstrip("0123456789")
    number = part[len(letters) :]
    if letters and number:
        return f"<msub><mi>{escape(letters)}</mi><mn>{number}</mn></msub>"
    return f"<mi>{escape(_greek(part))}</mi>" if letters else f"<mn>{part}</mn>"


class MathML(Printer):
    """Rows of MathML's elements."""

    mathml = True
    name = staticmethod(name)
    comma = "<mo>,</mo>"
    brackets = "<mo>[</mo>{}<mo>]</mo>"

    def piece(self, tree: Tree, parts: Sequence[Piece]) -> Piece:
        """A part of a tree; a number's minus is an operator."""
        if not isinstance(tree, Number):
            return super().piece(tree, parts)
        sign = tree.text.startswith("-")
        digits = f"<mn>{escape(tree.text.removeprefix('-'))}</mn>"
        text = f"<mo>−</mo>{digits}" if sign else digits
        return Piece(text, SIGN if sign else ATOM, minus=sign)

    def words(self, text: str) -> str:
        """What has no form but its text."""
        return f"<mtext>{escape(text)}</mtext>"

    def bracketed(self, text: str) -> str:
        """The elements in brackets."""
        return f"<mo>(</mo>{text}<mo>)</mo>"

    def at(self, piece: Piece, level: int) -> str:
        """The elements as a row of their own."""
        return f"<mrow>{super().at(piece, level)}</mrow>"

    def listed(self, parts: Sequence[Piece]) -> str:
        """Rows with commas between them."""
        return self.comma.join(f"<mrow>{part.text}</mrow>" for part in parts)

    def call(self, tree: Call, operands: Sequence[Piece], named: Sequence[Piece]) -> Piece:
        """A function by its name; a root by its sign."""
        if tree.name == "sqrt" and len(operands) == 1 and not named:
            return Piece(f"<msqrt>{operands[0].text}</msqrt>", ATOM)
        given = [
            Piece(f"<mtext>{escape(key)}=</mtext>{part.text}", ATOM)
            for key, part in zip(tree.keywords, named, strict=True)
        ]
        inner = self.bracketed(self.listed([*operands, *given]))
        return Piece(f"<mi>{escape(tree.name)}</mi>{inner}", ATOM)
