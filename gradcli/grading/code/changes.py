"""The changes of a statement that are tried, in the order of how often students need them.

A statement and its block come in; out come changes, each with the tags of the mistake that it
would undo: another sign, factor, name or index, a sum, a transpose, a product or a term left out.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

import numpy as np

from gradcli.grading.code.replay import same
from gradcli.grading.listing.functions import blocks_of
from gradcli.grading.listing.reader import CodeReader
from gradcli.grading.mistakes.edits import (
    arrays,
    edited,
    parsed,
    product,
    replaced,
    statement_of,
    terms,
    with_atoms,
    with_other_sign,
    with_value,
)

Look: TypeAlias = Literal["fully", "plainly", "behind"]
"""Which changes are tried: all, only those of a sign or an operand, only what is left out."""
Place: TypeAlias = tuple[list[ast.stmt], int]
"""A statement: its block, and its place there."""
_SUMS: dict[str, Any] = {
    "- np.sum({})": lambda x: -np.sum(x),
    "+ np.sum({})": np.sum,
    "- np.mean({})": lambda x: -np.mean(x),
    "+ np.mean({})": np.mean,
}
"""Terms of a sum that may have been left out."""


class Changes:
    """Changes of the statements of one submission, made of what is at hand there."""

    def __init__(self, tree: ast.Module, reader: CodeReader) -> None:
        self.tree, self.reader = tree, reader
        self.shapes: dict[tuple[str, int], tuple[int, ...] | None] = {}
        self.has_roots = "sqrt" in reader.reading.source.text

    def tried(
        self, place: Place, step: int
    ) -> Iterator[tuple[tuple[str, ...], list[ast.stmt], int, Place]]:
        """Changes of a statement: the tags, what stands in its place, the line, and the place."""
        block, i = place
        statement = block[i]
        for tags, changed in self._with_other_place(block, i, step):
            yield tags, [changed], statement.lineno, place
        for tags, changed in with_other_sign(statement):
            yield tags, [changed], statement.lineno, place
        follows = block[i + 1] if i + 1 < len(block) else None
        if isinstance(follows, ast.Pass):
            for tags, more in self._behind(block, i):
                yield tags, [statement, more], follows.lineno, place
        value = getattr(statement, "value", None)
        if isinstance(value, ast.expr):
            for tags, expression, behind in self.expressions(value, place, step):
                line = line_behind(block, i) if behind else statement.lineno
                yield tags, [with_value(statement, expression)], line, place
        for tags, more in self._behind(block, i):
            yield tags, [statement, more], line_behind(block, i), place

    def expressions(
        self, value: ast.expr, place: Place, step: int, look: Look = "fully"
    ) -> Iterator[tuple[tuple[str, ...], ast.expr, bool]]:
        """Other right-hand sides than a statement's `value`.

        Each with its tags, and whether what it adds could stand behind the statement as well.
        """
        atoms = self._atoms(*place, step)
        if look == "behind":
            for tags, new in self._products(value, self._fitting(value, atoms, step)):
                yield tags, new, True
            return
        yield ("sign",), ast.UnaryOp(ast.USub(), value), False
        for part in ast.walk(value):
            for tags, new in edited(part):
                yield tags, replaced(value, part, new), False
        for part in ast.walk(value):
            for tags, new in with_atoms(part, self._fitting(part, atoms, step)):
                if look == "fully" or tags != ("dropped-path",):
                    yield tags, replaced(value, part, new), False
        for tags, new in self._swapped(value, atoms, step):
            yield tags, new, False
        for axis in ("axis=0", "axis=1", "axis=0, keepdims=True", "axis=1, keepdims=True", ""):
            yield ("not-summed", "shape"), parsed(f"np.sum(__x__, {axis})", value), False
        yield ("transpose", "shape"), parsed("(__x__).T", value), True
        for factor in self._factors():
            for term in terms(value):
                yield (
                    self._factor_tags(factor),
                    replaced(value, term, product(term, factor)),
                    True,
                )
        if look == "plainly":
            return
        for part in arrays(value):
            whole = part is value
            for tags, new in self._products(part, self._fitting(part, atoms, step)):
                yield tags, replaced(value, part, new), whole
        for part in arrays(value):
            for atom in self._fitting(part, atoms, step):
                for form in ("__x__ + {}", "__x__ - {}"):
                    new = parsed(form.format(atom), part)
                    yield ("dropped-path",), replaced(value, part, new), False
        for atom in atoms:
            for factor in self._factors()[:8]:
                new = parsed(f"__x__ + {atom} * {factor}", value)
                yield ("dropped-path",), new, False

    def _fitting(self, part: ast.AST, atoms: list[str], step: int) -> list[str]:
        """The atoms of the shape that a part has."""
        if not isinstance(part, ast.expr) or isinstance(part, ast.Constant | ast.Slice | ast.Tuple):
            return []
        shape = self._shape(ast.unparse(part), step)
        return [a for a in atoms if shape is not None and self._shape(a, step) == shape]

    def _shape(self, text: str, step: int) -> tuple[int, ...] | None:
        key = text, step
        if key not in self.shapes:
            reader = self.reader
            number = reader.evaluated(parsed(text, None), step)
            self.shapes[key] = None if number is None else np.shape(number)
        return self.shapes[key]

    def _swapped(
        self, value: ast.expr, atoms: list[str], step: int
    ) -> Iterator[tuple[tuple[str, ...], ast.expr]]:
        """Another name wherever one stands."""
        names = [n.id for n in ast.walk(value) if isinstance(n, ast.Name)]
        for name in dict.fromkeys(n for n in names if names.count(n) > 1):
            for atom in self._fitting(ast.Name(name, ast.Load()), atoms, step):

                class Swap(ast.NodeTransformer):
                    def visit_Name(self, node: ast.Name, old: str = name, new: str = atom) -> Any:
                        return parsed(new, None) if node.id == old else node

                yield ("same-operand", "wrong-place"), Swap().visit(copy.deepcopy(value))

    def _with_other_place(
        self, block: list[ast.stmt], i: int, step: int
    ) -> Iterator[tuple[tuple[str, ...], ast.stmt]]:
        """The statement with another index or mask on its left side."""
        statement = block[i]
        targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
        if len(targets) != 1 or not isinstance(targets[0], ast.Subscript):
            return
        target = targets[0]
        for part in ast.walk(target.slice):
            atoms = self._fitting(part, self._atoms(block, i, step), step)
            for tags, new in (*edited(part), *with_atoms(part, atoms)):
                changed = copy.copy(statement)
                other = copy.copy(target)
                other.slice = replaced(target.slice, part, new)
                if isinstance(changed, ast.Assign):
                    changed.targets = [other]
                elif isinstance(changed, ast.AugAssign | ast.AnnAssign):
                    changed.target = other
                yield tags, changed

    def _products(
        self, part: ast.expr, atoms: list[str]
    ) -> Iterator[tuple[tuple[str, ...], ast.expr]]:
        """A part times something that may have been left out."""
        forms = ("({} > 0)", "(1 - {})", "(1 - {}**2)", "({} * (1 - {}))")
        for atom in atoms:
            gradient = atom.lstrip("_").startswith(("d", "grad", "delta"))
            tags = ("missing-upstream",) if gradient else ("missing-local",)
            yield tags, parsed(f"__x__ * {atom}", part)
            for form in forms:
                text = form.format(*[atom] * form.count("{}"))
                yield ("missing-local", "wrong-rule"), parsed(f"__x__ * {text}", part)
        for function, more in self._functions():
            for atom in atoms:
                yield ("missing-local",), parsed(f"__x__ * {function}({atom}{more})", part)

    def _behind(self, block: list[ast.stmt], i: int) -> Iterator[tuple[tuple[str, ...], ast.stmt]]:
        """Statements that may be missing behind one."""
        statement = block[i]
        targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
        names: dict[str, None] = {}
        for target in targets:
            for one in target.elts if isinstance(target, ast.Tuple) else [target]:
                if isinstance(one, ast.Name | ast.Attribute):
                    names[ast.unparse(one)] = None
                elif isinstance(one, ast.Subscript):
                    names[ast.unparse(one.value)] = None
        for name in names:
            yield ("transpose", "shape"), statement_of(f"{name} = {name}.T")
            for factor in self._factors():
                yield self._factor_tags(factor), statement_of(f"{name} = {name} * {factor}")
            for atom in self._atoms(block, i, None):
                yield ("missing-local",), statement_of(f"{name} = {name} * ({atom} > 0)")

    def _factor_tags(self, factor: str) -> tuple[str, ...]:
        """What a factor is called: of a number of elements, or of the rule."""
        if factor == "-1.0":
            return ("sign",)
        if factor in ("2.0", "0.5"):
            of_two = any(2 in t.shape for t in self.reader.tape.types)
            return ("factor", "wrong-rule", *(("mean-for-sum",) if of_two else ()))
        if "**" in factor:
            return ("factor",)
        return ("mean-for-sum", "factor")

    # --- what is at hand ---

    def _factors(self) -> list[str]:
        """Numbers that factors are off by."""
        lengths = {n for t in self.reader.tape.types for n in t.shape if 1 < n <= 1000}
        sizes = {t.size for t in self.reader.tape.types if 1 < t.size <= 1000}
        found = [f"{n}.0" for n in sorted(lengths | sizes)]
        roots = [f"(1/{n}**0.5)" for n in sorted(lengths)] if self.has_roots else []
        return ["2.0", "0.5", "-1.0", *(f"(1/{n})" for n in found), *found, *roots]

    def _functions(self) -> list[tuple[str, str]]:
        """Functions of one argument, and what more they are called with."""
        found = []
        for one in self.tree.body:
            if isinstance(one, ast.FunctionDef):
                count, optional = len(one.args.args), len(one.args.defaults)
                if count - optional == 1:
                    found += [(one.name, "")] + [(one.name, ", True")] * (optional > 0)
        return found

    def _atoms(self, block: list[ast.stmt], i: int, step: int | None) -> list[str]:
        """Names, attributes and entries that stand in the same function before a statement."""
        function = _function_around(self.tree, block)
        found: dict[str, None] = {}
        if isinstance(function, ast.FunctionDef):
            found |= {a.arg: None for a in function.args.args if a.arg != "self"}
        last = block[i].lineno
        called = {ast.unparse(n.func) for n in ast.walk(function) if isinstance(n, ast.Call)}
        for node in ast.walk(function):
            if getattr(node, "lineno", 0) > last or not isinstance(node, ast.expr):
                continue
            if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
                text = ast.unparse(node)
                if len(text) <= 30 and not text.startswith(("np", "math")):
                    found[text] = None
        reader = self.reader
        known = []
        for text in found:
            if text in called or text in ("self", "range", "len", "print"):
                continue
            if step is not None:
                number = reader.evaluated(parsed(text, None), step)
                if number is None or (
                    np.ndim(number) and np.asarray(number).dtype.kind not in "fiub"
                ):
                    continue
            known.append(text)
        return known[:30]

    def pair(self, value: ast.expr, place: Place, step: int, target: Any) -> ast.expr | None:
        """The right-hand side with one more term: a name, or a product of two, if that is right."""
        reader = self.reader
        now = reader.evaluated(value, step)
        if now is None or np.shape(now) != np.shape(target):
            return None
        lacks = np.asarray(target - now)
        atoms = [(a, reader.evaluated(parsed(a, None), step)) for a in self._atoms(*place, step)]
        known = [(a, np.asarray(v, dtype=float)) for a, v in atoms if v is not None]
        for a, x in known:
            for form, value_of in _SUMS.items():
                if x.ndim and same(np.broadcast_to(value_of(x), lacks.shape), lacks):
                    return parsed(f"__x__ {form.format(a)}", value)
        for j, (a, x) in enumerate(known):
            for b, y in known[j:]:
                try:
                    product = np.broadcast_to(x * y, lacks.shape)
                except ValueError:
                    continue
                if same(product, lacks):
                    return parsed(f"__x__ + {a} * {b}", value)
        return None


def line_behind(block: list[ast.stmt], i: int) -> int:
    """The line of something that is missing behind a statement: a `pass` there, else it."""
    follows = block[i + 1] if i + 1 < len(block) else None
    return follows.lineno if isinstance(follows, ast.Pass) else block[i].lineno


def _function_around(tree: ast.Module, block: list[ast.stmt]) -> ast.AST:
    """The first function with a block in it, else the module."""
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    holds = (f for f in functions if any(inner is block for inner in blocks_of(f)))
    return next(holds, tree)
