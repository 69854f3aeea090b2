"""A formula put together of others: its tree comes in, a shorter one goes out if there is one."""

from __future__ import annotations

from collections.abc import Mapping

from gradcli.diagnostics.error import GradcliError
from gradcli.engine.formula import compile_formula
from gradcli.engine.notation import NOWHERE, substitute
from gradcli.formulas.derive import UNREADABLE, Deriver, TooLongError
from gradcli.ops.operation import Type
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import Call, Compare, Name, Operator, Tree, postorder


def tidied(tree: Tree, types: Mapping[str, Type]) -> Tree:
    """The tree, or a shorter one of the same value; `types` are those of the names in it."""
    found = simplified(tree, types)
    return tree if found is None or operations(found) >= operations(tree) else found


def simplified(tree: Tree, types: Mapping[str, Type]) -> Tree | None:
    """The tree in the simplifier's form; None where it has none."""
    read = {part.name for part in postorder(tree) if isinstance(part, Name)}
    given = {name: t for name, t in types.items() if name in read}
    words = {name: f"v{i}" for i, name in enumerate(given)}
    text = print_tree(substitute(tree, {n: Name(w, NOWHERE) for n, w in words.items()}))
    try:
        formula = compile_formula(text, tuple(words.values()), tuple(given.values()), {})
        deriver = Deriver(formula.graph, ())
        deriver.symbols = {
            i: deriver.algebra.name(name, t) for i, (name, t) in enumerate(given.items())
        }
        symbols = deriver.symbols.values()
        deriver.writer.upstream.update(s for s in symbols if s.label.startswith("delta_"))
        deriver.shorteners = deriver.shorteners[1:]  # exp(-x) stays, to be recognised
        reader = deriver.reader(formula.graph, deriver.symbols)
        e = reader.expressions([formula.result])[formula.result]
        return deriver.written(e, formula.type.shape)
    except (GradcliError, TooLongError, *UNREADABLE):
        return None  # a block of the program, which a formula can't call


def operations(tree: Tree) -> int:
    """How many operators and calls a tree is written with."""
    return sum(isinstance(part, Operator | Call | Compare) for part in postorder(tree))
