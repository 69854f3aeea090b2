"""The syntax tree: what was written, with the place of every part.

A tree says what the text means and where it stands, and nothing of what it computes:
names are not resolved here, shapes not known. Two ways to write the same thing give equal
trees (`x²` and `x^2`, `|x|` keeps its own operator, brackets leave no trace), so that
`parse(print_tree(tree)) == tree` holds. Spans take no part in the comparison.

Trees can be a hundred thousand levels deep, so whatever walks them is a loop. `postorder`
is that loop; equality and hashing use it too.
"""

# ruff: noqa: D102 - `children`, `label` and `move` are what `Tree` says they are

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import TypeAlias

from gradcli.diagnostics.source import Source, Span


class Tree:
    """A part of a program. Compared by meaning, without spans, and without recursion."""

    __slots__ = ("span",)
    span: Span

    def children(self) -> tuple[Tree, ...]:
        """The parts in the order in which they are evaluated."""
        return ()

    def label(self) -> object:
        """What distinguishes this node from another with the same children."""
        return None

    def move(self, place: Callable[[Span], Span]) -> None:
        """Give this part, not its children, the places that `place` makes of its own."""
        self.span = place(self.span)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tree):
            return NotImplemented
        pairs: list[tuple[Tree, Tree]] = [(self, other)]
        while pairs:
            a, b = pairs.pop()
            if a is b:
                continue
            mine, theirs = a.children(), b.children()
            if type(a) is not type(b) or a.label() != b.label() or len(mine) != len(theirs):
                return False
            pairs.extend(zip(mine, theirs, strict=True))
        return True

    def __hash__(self) -> int:
        return hash(tuple((type(node).__name__, node.label()) for node in postorder(self)))


class Number(Tree):
    """A literal. `text` is how it is shown (`1e-3`, `0.5` for ½, `-2` with its sign).

    `True` and `False` are 1 and 0, `inf` and `nan` literals as well.
    """

    __slots__ = ("text", "value")

    def __init__(self, value: float, text: str, span: Span) -> None:
        self.value, self.text, self.span = value, text, span

    def label(self) -> object:
        # Bits, not values: nan equals nan, and 0.0 is not -0.0.
        return struct.pack("<d", self.value)


class Nothing(Tree):
    """`None`: a new axis in an index, `axis=None`."""

    __slots__ = ()

    def __init__(self, span: Span) -> None:
        self.span = span


class Text(Tree):
    """A word that is an option, `reduction='sum'`, `einsum('ij,j->i', A, x)`; `...` in an index."""

    __slots__ = ("text",)

    def __init__(self, text: str, span: Span) -> None:
        self.text, self.span = text, span

    def label(self) -> object:
        return self.text


class Name(Tree):
    """A name, NFC-normalised. `qualified` where it was written as `np.pi` or `math.e`."""

    __slots__ = ("name", "qualified")

    def __init__(self, name: str, span: Span, *, qualified: bool = False) -> None:
        self.name, self.span, self.qualified = name, span, qualified

    def label(self) -> object:
        return self.name, self.qualified


class _Signed(Tree):
    """What is written with one symbol; `symbol_span` is the place of the symbol itself."""

    __slots__ = ("symbol", "symbol_span")
    symbol: str
    symbol_span: Span

    def move(self, place: Callable[[Span], Span]) -> None:
        self.span, self.symbol_span = place(self.span), place(self.symbol_span)

    def label(self) -> object:
        return self.symbol


class Operator(_Signed):
    """An operation written with a symbol. Its meaning can't be redefined.

    Symbols: `+ - * / @ ^` with two operands; `neg` (a minus before anything but a
    literal), `abs` (bars), `norm` (double bars), `sqrt` (√), `T` (transpose) with one.
    """

    __slots__ = ("operands",)

    def __init__(
        self, symbol: str, operands: tuple[Tree, ...], span: Span, symbol_span: Span
    ) -> None:
        self.symbol, self.operands = symbol, operands
        self.span, self.symbol_span = span, symbol_span

    def children(self) -> tuple[Tree, ...]:
        return self.operands


class Compare(Tree):
    """A chain of comparisons: `0 < x <= 1` has the symbols `<`, `<=` and three operands.

    Symbols: `< <= > >= == !=`.
    """

    __slots__ = ("operands", "symbol_spans", "symbols")

    def __init__(
        self,
        symbols: tuple[str, ...],
        operands: tuple[Tree, ...],
        span: Span,
        symbol_spans: tuple[Span, ...],
    ) -> None:
        self.symbols, self.operands, self.span = symbols, operands, span
        self.symbol_spans = symbol_spans

    def move(self, place: Callable[[Span], Span]) -> None:
        self.span = place(self.span)
        self.symbol_spans = tuple(map(place, self.symbol_spans))

    def children(self) -> tuple[Tree, ...]:
        return self.operands

    def label(self) -> object:
        return self.symbols


class Call(Tree):
    """A function by name: `sigmoid(y)`, `sum(X, axis=0)`, `X.sum(axis=0)`, `np.exp(x)`.

    `keywords` are the names of the last arguments, in order, so that
    `f(a, axis=0)` has arguments (a, 0) and keywords ("axis",). A method's object is the
    first argument. `qualified` where a prefix (`np.`, `scipy.special.`) was written: then
    the function is the language's own, whatever the program defines. `name_span` is the
    place of the function's name.
    """

    __slots__ = ("arguments", "keywords", "name", "name_span", "qualified")

    def __init__(
        self,
        name: str,
        arguments: tuple[Tree, ...],
        keywords: tuple[str, ...],
        span: Span,
        name_span: Span,
        *,
        qualified: bool = False,
    ) -> None:
        self.name, self.arguments, self.keywords = name, arguments, keywords
        self.span, self.name_span, self.qualified = span, name_span, qualified

    def taking(
        self, arguments: tuple[Tree, ...], keywords: tuple[str, ...], name: str | None = None
    ) -> Call:
        """The call with other arguments, of the language's function if it gets another name."""
        qualified = self.qualified or name not in (None, self.name)
        place = self.span, self.name_span
        return Call(name or self.name, arguments, keywords, *place, qualified=qualified)

    def move(self, place: Callable[[Span], Span]) -> None:
        self.span, self.name_span = place(self.span), place(self.name_span)

    def children(self) -> tuple[Tree, ...]:
        return self.arguments

    def label(self) -> object:
        return self.name, self.keywords, self.qualified


class Elements(Tree):
    """An array or a tuple."""

    __slots__ = ("elements",)

    def __init__(self, elements: tuple[Tree, ...], span: Span) -> None:
        self.elements, self.span = elements, span

    def children(self) -> tuple[Tree, ...]:
        return self.elements


class Array(Elements):
    """An array by its elements: `[1, 2]`, `[[a, b], [c, d]]` (arrays of arrays)."""

    __slots__ = ()


class Tuple(Elements):
    """`(2, 3)`, only as an argument where NumPy takes one (a shape, several axes or arrays)."""

    __slots__ = ()


class Slice(Tree):
    """`start:stop:step` in an index; a part that is left out is `Nothing`."""

    __slots__ = ("parts",)

    def __init__(self, start: Tree, stop: Tree, step: Tree, span: Span) -> None:
        self.parts, self.span = (start, stop, step), span

    def children(self) -> tuple[Tree, ...]:
        return self.parts


class Index(Tree):
    """`base[i, a:b, None]`; items are expressions, `Slice` or `Nothing`."""

    __slots__ = ("base", "items")

    def __init__(self, base: Tree, items: tuple[Tree, ...], span: Span) -> None:
        self.base, self.items, self.span = base, items, span

    def children(self) -> tuple[Tree, ...]:
        return (self.base, *self.items)


# --- statements --------------------------------------------------------------------------


class Assign(Tree):
    """`name = expr`."""

    __slots__ = ("name", "value")

    def __init__(self, name: Name, value: Tree, span: Span) -> None:
        self.name, self.value, self.span = name, value, span

    def children(self) -> tuple[Tree, ...]:
        return self.name, self.value


class Define(Tree):
    """`name(p, q) = expr`, a function that each call inlines."""

    __slots__ = ("body", "name", "parameters")

    def __init__(self, name: Name, parameters: tuple[Name, ...], body: Tree, span: Span) -> None:
        self.name, self.parameters, self.body, self.span = name, parameters, body, span

    def children(self) -> tuple[Tree, ...]:
        return (self.name, *self.parameters, self.body)


class Rule(Tree):
    """A block's derivative: `d/dp = expr` (`whole` False) or `delta_p = expr` (`whole` True)."""

    __slots__ = ("parameter", "value", "whole")

    def __init__(self, parameter: Name, value: Tree, span: Span, *, whole: bool) -> None:
        self.parameter, self.value, self.span, self.whole = parameter, value, span, whole

    def children(self) -> tuple[Tree, ...]:
        return self.parameter, self.value

    def label(self) -> object:
        return self.whole


class Block(Tree):
    """`block name(p, q) = expr with …`, one node with derivatives of its own."""

    __slots__ = ("body", "name", "parameters", "rules")

    def __init__(
        self,
        name: Name,
        parameters: tuple[Name, ...],
        body: Tree,
        rules: tuple[Rule, ...],
        span: Span,
    ) -> None:
        self.name, self.parameters, self.body = name, parameters, body
        self.rules, self.span = rules, span

    def children(self) -> tuple[Tree, ...]:
        return (self.name, *self.parameters, self.body, *self.rules)

    def label(self) -> object:
        return len(self.parameters)


class Bare(Tree):
    """An expression that stands alone, the program's last statement."""

    __slots__ = ("value",)

    def __init__(self, value: Tree, span: Span) -> None:
        self.value, self.span = value, span

    def children(self) -> tuple[Tree, ...]:
        return (self.value,)


class Augment(_Signed):
    """`target += expr`: a submission's accumulation. In a program it is an error.

    `symbol` is the operator before the equals sign (`+`, `-`, `*`, …).
    """

    __slots__ = ("target", "value")

    def __init__(
        self, target: Tree, symbol: str, value: Tree, span: Span, symbol_span: Span
    ) -> None:
        self.target, self.symbol, self.value = target, symbol, value
        self.span, self.symbol_span = span, symbol_span

    def children(self) -> tuple[Tree, ...]:
        return self.target, self.value


Statement: TypeAlias = Assign | Define | Block | Bare | Augment


class Module(Tree):
    """A whole text: its statements in order."""

    __slots__ = ("source", "statements")

    def __init__(self, statements: tuple[Statement, ...], source: Source) -> None:
        self.statements, self.source = statements, source
        self.span = Span(0, len(source.text))

    def children(self) -> tuple[Tree, ...]:
        return self.statements


def postorder(tree: Tree) -> Iterator[Tree]:
    """Every part of the tree, children before their parents, left to right."""
    stack: list[tuple[Tree, bool]] = [(tree, False)]
    while stack:
        node, seen = stack.pop()
        children = () if seen else node.children()
        if not children:
            yield node
            continue
        stack.append((node, True))
        stack.extend((child, False) for child in reversed(children))


def all_parts(tree: Tree) -> Iterator[Tree]:
    """What `postorder` gives, found at once and so in less time.

    For a tree as it was parsed: in one that was put together, a part may stand any number of times.
    """
    found: list[Tree] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += node.children()
    return reversed(found)
