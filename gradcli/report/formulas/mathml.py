"""Trees of the language as MathML, which browsers draw themselves.

Functions are written by their names, powers and fractions as they are on paper; products of
matrices stand side by side, products of arrays element by element have ⊙. Nothing recurses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from gradcli import ops
from gradcli.engine.notation import folded
from gradcli.ops.operation import Shape
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import (
    Array,
    Call,
    Compare,
    Name,
    Number,
    Operator,
    Tree,
    Tuple,
)

COMPARISON, SUM, PRODUCT, SIGN, POWER, ATOM = range(6)
SYMBOLS = {"<=": "≤", ">=": "≥", "==": "=", "!=": "≠", "<": "&lt;", ">": "&gt;"}
GREEK = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "epsilon": "ε",
    "eta": "η",
    "theta": "θ",
    "kappa": "κ",
    "lambda": "λ",
    "mu": "μ",
    "nu": "ν",
    "xi": "ξ",
    "pi": "π",
    "rho": "ρ",
    "sigma": "σ",
    "tau": "τ",
    "phi": "φ",
    "chi": "χ",
    "psi": "ψ",
    "omega": "ω",
}


class Piece(NamedTuple):
    """A row of MathML elements, how tightly it holds together, whether its value is an array."""

    text: str
    level: int
    array: bool = False
    minus: bool = False
    """Whether it begins with a minus."""

    def at(self, level: int, *, right: bool = False) -> str:
        """The elements, in brackets where they must be; `right` of an operator."""
        plain = self.level >= level and not (right and self.minus)
        return f"<mrow>{self.text if plain else bracketed(self.text)}</mrow>"


def bracketed(text: str) -> str:
    """The elements in brackets."""
    return f"<mo>(</mo>{text}<mo>)</mo>"


def name(written: str) -> str:
    """A name: `x1` and `delta_z` have subscripts."""
    head, *below = written.split("_")
    letters = head.rstrip("0123456789")
    below = [part for part in (head[len(letters) :], *below) if part]
    base = f"<mi>{escape(GREEK.get(letters, letters or written))}</mi>"
    if not letters or not below:
        return base
    inner = "<mo>,</mo>".join(_below(part) for part in below)
    return f"<msub>{base}<mrow>{inner}</mrow></msub>"


def _below(part: str) -> str:
    letters = part.rstrip("0123456789")
    number = part[len(letters) :]
    if letters and number:
        return f"<msub><mi>{escape(letters)}</mi><mn>{number}</mn></msub>"
    return f"<mn>{part}</mn>" if not letters else f"<mi>{escape(GREEK.get(part, part))}</mi>"


def mathml(tree: Tree, shapes: Mapping[str, Shape]) -> str:
    """A tree as a row of MathML; `shapes` are those of the names in it."""
    whole = folded(tree, lambda node, parts: _piece(node, parts, shapes))
    return f"<mrow>{whole.text}</mrow>"


def _piece(tree: Tree, parts: Sequence[Piece], shapes: Mapping[str, Shape]) -> Piece:
    some = any(part.array for part in parts)
    match tree:
        case Number():
            sign = tree.text.startswith("-")
            digits = f"<mn>{escape(tree.text.removeprefix('-'))}</mn>"
            text = f"<mo>−</mo>{digits}" if sign else digits
            return Piece(text, SIGN if sign else ATOM, minus=sign)
        case Name():
            shape = shapes.get(tree.name, shapes.get(tree.name.removeprefix("delta_"), ()))
            return Piece(name(tree.name), ATOM, array=bool(shape))
        case Operator():
            return _operator(tree.symbol, parts)
        case Compare():
            text = parts[0].at(SUM)
            for symbol, part in zip(tree.symbols, parts[1:], strict=True):
                text += f"<mo>{SYMBOLS[symbol]}</mo>{part.at(SUM, right=True)}"
            return Piece(text, COMPARISON, some)
        case Call():
            return _call(tree, parts)
        case Array():
            return Piece(f"<mo>[</mo>{_listed(parts)}<mo>]</mo>", ATOM, array=True)
        case Tuple():
            return Piece(bracketed(_listed(parts)), ATOM)
    return Piece(f"<mtext>{escape(print_tree(tree))}</mtext>", ATOM, some)


def _listed(parts: Sequence[Piece]) -> str:
    return "<mo>,</mo>".join(f"<mrow>{part.text}</mrow>" for part in parts)


def _call(tree: Call, parts: Sequence[Piece]) -> Piece:
    if tree.name == "sqrt" and len(parts) == 1:
        return Piece(f"<msqrt>{parts[0].text}</msqrt>", ATOM, parts[0].array)
    positional = len(parts) - len(tree.keywords)
    keys = [""] * positional + [f"{k}=" for k in tree.keywords]
    inner = "<mo>,</mo>".join(
        f"<mrow>{f'<mtext>{escape(key)}</mtext>' if key else ''}{part.text}</mrow>"
        for key, part in zip(keys, parts, strict=True)
    )
    array = any(part.array for part in parts) and not ops.gives_number(
        tree.name, positional, tree.keywords
    )
    return Piece(f"<mi>{escape(tree.name)}</mi>{bracketed(inner)}", ATOM, array)


def _operator(symbol: str, parts: Sequence[Piece]) -> Piece:
    some = any(part.array for part in parts)
    first = parts[0]
    match symbol:
        case "neg":
            return Piece(f"<mo>−</mo>{first.at(PRODUCT, right=True)}", SIGN, some, minus=True)
        case "abs":
            return Piece(f"<mo>|</mo>{first.text}<mo>|</mo>", ATOM, some)
        case "norm":
            return Piece(f"<mo>‖</mo>{first.text}<mo>‖</mo>", ATOM)
        case "sqrt":
            return Piece(f"<msqrt>{first.text}</msqrt>", ATOM, some)
        case "T":
            return Piece(f"<msup>{first.at(ATOM)}<mo>⊤</mo></msup>", POWER, some)
    second = parts[1]
    match symbol:
        case "+" | "-":
            sign = "+" if symbol == "+" else "−"
            text = f"{first.at(SUM)}<mo>{sign}</mo>{second.at(PRODUCT, right=True)}"
            return Piece(text, SUM, some, minus=first.minus)
        case "/":
            return Piece(
                f"<mfrac><mrow>{first.text}</mrow><mrow>{second.text}</mrow></mfrac>", POWER, some
            )
        case "^":
            return Piece(f"<msup>{first.at(ATOM)}<mrow>{second.text}</mrow></msup>", POWER, some)
    sign = "<mspace width='0.2em'/>" if symbol == "@" else "<mo>·</mo>"
    if symbol == "*" and first.array and second.array:
        sign = "<mo>⊙</mo>"
    text = f"{first.at(PRODUCT)}{sign}{second.at(POWER, right=True)}"
    return Piece(text, PRODUCT, some, minus=first.minus)
