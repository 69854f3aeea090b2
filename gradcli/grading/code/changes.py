"""The changes of a statement that are tried, in the order of how often students need them.

A statement in its block comes in, with what stands before it; out come changes, each with the tags
of the mistake that it would undo: another sign, factor, name or index, a sum, a transpose, a
product or a term left out. `repairs` tries them.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from itertools import chain, combinations_with_replacement
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from gradcli.grading.code.replay import same
from gradcli.grading.listing.reader import CodeReader
from gradcli.grading.listing.trees import blocks_of
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
Tags: TypeAlias = tuple[str, ...]
_SUMS: dict[str, Any] = {
    "- np.sum({})": lambda x: -np.sum(x),
    "+ np.sum({})": np.sum,
    "- np.mean({})": lambda x: -np.mean(x),
    "+ np.mean({})": np.mean,
}
"""Terms of a sum that may have been left out."""
_AXES = ("axis=0", "axis=1", "axis=0, keepdims=True", "axis=1, keepdims=True", "")
_LOCAL = ("({0} > 0)", "(1 - {0})", "(1 - {0}**2)", "({0} * (1 - {0}))")
"""Local derivatives that may have been left out, made of a name."""


class Place(NamedTuple):
    """A statement: its block, and its number there."""

    block: list[ast.stmt]
    number: int

    @property
    def statement(self) -> ast.stmt:
        """The statement."""
        return self.block[self.number]

    @property
    def behind(self) -> int:
        """The line of something that is missing behind it: a `pass` there, else its own."""
        follows = self.block[self.number + 1 : self.number + 2]
        return next((s for s in follows if isinstance(s, ast.Pass)), self.statement).lineno


class Change(NamedTuple):
    """Other statements in the place of one."""

    place: Place
    tags: Tags
    statements: list[ast.stmt]
    line: int
    """The line at fault, should it be the right change."""


class Changes:
    """Changes of the statements of one submission, made of what is at hand there."""

    def __init__(self, tree: ast.Module, reader: CodeReader) -> None:
        self.tree, self.reader = tree, reader
        self.shapes: dict[tuple[str, int], tuple[int, ...] | None] = {}
        self.has_roots = "sqrt" in reader.reading.source.text

    def tried(self, place: Place, step: int) -> Iterator[Change]:
        """Changes of the statement of a step."""
        statement = place.statement
        line, behind = statement.lineno, place.behind
        for tags, changed in chain(self._with_other_place(place, step), with_other_sign(statement)):
            yield Change(place, tags, [changed], line)
        if behind != line:  # there is a pass to be filled in
            for tags, more in self._behind(place):
                yield Change(place, tags, [statement, more], behind)
        value = getattr(statement, "value", None)
        if isinstance(value, ast.expr):
            for tags, expression, added in self.expressions(value, place, step):
                changed = with_value(statement, expression)
                yield Change(place, tags, [changed], behind if added else line)
        for tags, more in self._behind(place):
            yield Change(place, tags, [statement, more], behind)

    def expressions(
        self, value: ast.expr, place: Place, step: int, look: Look = "fully"
    ) -> Iterator[tuple[Tags, ast.expr, bool]]:
        """Other right-hand sides than a statement's `value`.

        Each with its tags, and whether what it adds could stand behind the statement as well.
        """
        atoms = self._atoms(place, step)
        if look == "behind":
            for tags, new in self._products(value, self._fitting(value, atoms, step)):
                yield tags, new, True
            return
        for tags, new in chain(self._of_parts(value), self._of_names(value, atoms, step)):
            if look == "fully" or tags != ("dropped-path",):
                yield tags, new, False
        for axis in _AXES:
            yield ("not-summed", "shape"), parsed(f"np.sum(__x__, {axis})", value), False
        yield ("transpose", "shape"), parsed("(__x__).T", value), True
        for factor in self._factors():
            for term in terms(value):
                new = replaced(value, term, product(term, factor))
                yield self._factor_tags(factor), new, True
        if look == "fully":
            yield from self._left_out(value, atoms, step)

    def _of_parts(self, value: ast.expr) -> Iterator[tuple[Tags, ast.expr]]:
        """Another sign, operator, number or index."""
        yield ("sign",), ast.UnaryOp(ast.USub(), value)
        for part in ast.walk(value):
            for tags, new in edited(part):
                yield tags, replaced(value, part, new)

    def _of_names(
        self, value: ast.expr, atoms: list[str], step: int
    ) -> Iterator[tuple[Tags, ast.expr]]:
        """Another name in one place, or wherever it stands."""
        for part in ast.walk(value):
            for tags, new in with_atoms(part, self._fitting(part, atoms, step)):
                yield tags, replaced(value, part, new)
        names = [n.id for n in ast.walk(value) if isinstance(n, ast.Name)]
        for name in dict.fromkeys(n for n in names if names.count(n) > 1):
            for atom in self._fitting(ast.Name(name, ast.Load()), atoms, step):

                class Swap(ast.NodeTransformer):
                    def visit_Name(self, node: ast.Name, old: str = name, new: str = atom) -> Any:
                        return parsed(new, None) if node.id == old else node

                yield ("same-operand", "wrong-place"), Swap().visit(copy.deepcopy(value))

    def _left_out(
        self, value: ast.expr, atoms: list[str], step: int
    ) -> Iterator[tuple[Tags, ast.expr, bool]]:
        """A factor or a term more."""
        parts = [(part, self._fitting(part, atoms, step)) for part in arrays(value)]
        for part, fitting in parts:
            for tags, new in self._products(part, fitting):
                yield tags, replaced(value, part, new), part is value
        for part, fitting in parts:
            for atom in fitting:
                for form in ("__x__ + {}", "__x__ - {}"):
                    new = parsed(form.format(atom), part)
                    yield ("dropped-path",), replaced(value, part, new), False
        for atom in atoms:
            for factor in self._factors()[:8]:
                yield ("dropped-path",), parsed(f"__x__ + {atom} * {factor}", value), False

    def _with_other_place(self, place: Place, step: int) -> Iterator[tuple[Tags, ast.stmt]]:
        """The statement with another index or mask on its left side."""
        statement = place.statement
        targets = _targets(statement)
        if len(targets) != 1 or not isinstance(targets[0], ast.Subscript):
            return
        target = targets[0]
        for part in ast.walk(target.slice):
            atoms = self._fitting(part, self._atoms(place, step), step)
            for tags, new in (*edited(part), *with_atoms(part, atoms)):
                changed, other = copy.copy(statement), copy.copy(target)
                other.slice = replaced(target.slice, part, new)
                if isinstance(changed, ast.Assign):
                    changed.targets = [other]
                elif isinstance(changed, ast.AugAssign | ast.AnnAssign):
                    changed.target = other
                yield tags, changed

    def _products(self, part: ast.expr, atoms: list[str]) -> Iterator[tuple[Tags, ast.expr]]:
        """A part times something that may have been left out."""
        for atom in atoms:
            gradient = atom.lstrip("_").startswith(("d", "grad", "delta"))
            tags = ("missing-upstream",) if gradient else ("missing-local",)
            yield tags, parsed(f"__x__ * {atom}", part)
            for form in _LOCAL:
                new = parsed(f"__x__ * {form.format(atom)}", part)
                yield ("missing-local", "wrong-rule"), new
        for function, more in self._functions():
            for atom in atoms:
                yield ("missing-local",), parsed(f"__x__ * {function}({atom}{more})", part)

    def _behind(self, place: Place) -> Iterator[tuple[Tags, ast.stmt]]:
        """Statements that may be missing behind one."""
        names: dict[str, None] = {}
        for target in _targets(place.statement):
            for one in target.elts if isinstance(target, ast.Tuple) else [target]:
                if isinstance(one, ast.Name | ast.Attribute):
                    names[ast.unparse(one)] = None
                elif isinstance(one, ast.Subscript):
                    names[ast.unparse(one.value)] = None
        for name in names:
            yield ("transpose", "shape"), statement_of(f"{name} = {name}.T")
            for factor in self._factors():
                yield self._factor_tags(factor), statement_of(f"{name} = {name} * {factor}")
            for atom in self._atoms(place, None):
                yield ("missing-local",), statement_of(f"{name} = {name} * ({atom} > 0)")

    # --- what is at hand ---

    def _fitting(self, part: ast.AST, atoms: list[str], step: int) -> list[str]:
        """The atoms of the shape that a part has."""
        if not isinstance(part, ast.expr) or isinstance(part, ast.Constant | ast.Slice | ast.Tuple):
            return []
        shape = self._shape(ast.unparse(part), step)
        return [a for a in atoms if shape is not None and self._shape(a, step) == shape]

    def _shape(self, text: str, step: int) -> tuple[int, ...] | None:
        key = text, step
        if key not in self.shapes:
            number = self._number(text, step)
            self.shapes[key] = None if number is None else np.shape(number)
        return self.shapes[key]

    def _number(self, text: str, step: int) -> Any:
        """What a text stands for in the place of a step; None for what is no number."""
        number = self.reader.evaluated(parsed(text, None), step)
        return number if np.asarray(number).dtype.kind in "fiub" else None

    def _factors(self) -> list[str]:
        """Numbers that factors are off by."""
        lengths = {n for t in self.reader.tape.types for n in t.shape if 1 < n <= 1000}
        sizes = {t.size for t in self.reader.tape.types if 1 < t.size <= 1000}
        found = [f"{n}.0" for n in sorted(lengths | sizes)]
        roots = [f"(1/{n}**0.5)" for n in sorted(lengths)] if self.has_roots else []
        return ["2.0", "0.5", "-1.0", *(f"(1/{n})" for n in found), *found, *roots]

    def _factor_tags(self, factor: str) -> Tags:
        """What a factor is called: of a number of elements, or of the rule."""
        if factor == "-1.0":
            return ("sign",)
        if factor in ("2.0", "0.5"):
            of_two = any(2 in t.shape for t in self.reader.tape.types)
            return ("factor", "wrong-rule", *(("mean-for-sum",) if of_two else ()))
        return ("factor",) if "**" in factor else ("mean-for-sum", "factor")

    def _functions(self) -> Iterator[tuple[str, str]]:
        """Functions of one argument, and what more they are called with."""
        for one in self.tree.body:
            if isinstance(one, ast.FunctionDef):
                count, optional = len(one.args.args), len(one.args.defaults)
                if count - optional == 1:
                    yield one.name, ""
                    if optional:
                        yield one.name, ", True"

    def _atoms(self, place: Place, step: int | None) -> list[str]:
        """Names, attributes and entries that stand in the same function before a statement."""
        function = self._function_around(place.block)
        found: dict[str, None] = {}
        if isinstance(function, ast.FunctionDef):
            found |= {a.arg: None for a in function.args.args if a.arg != "self"}
        called = {ast.unparse(n.func) for n in ast.walk(function) if isinstance(n, ast.Call)}
        for node in ast.walk(function):
            if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
                continue
            if getattr(node, "lineno", 0) <= place.statement.lineno:
                text = ast.unparse(node)
                if len(text) <= 30 and not text.startswith(("np", "math")):
                    found[text] = None
        left_out = called | {"self", "range", "len", "print"}
        known = (text for text in found if text not in left_out)
        return [a for a in known if step is None or self._number(a, step) is not None][:30]

    def _function_around(self, block: list[ast.stmt]) -> ast.AST:
        """The first function with a block in it, else the module."""
        functions = (node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef))
        holds = (f for f in functions if any(inner is block for inner in blocks_of(f)))
        return next(holds, self.tree)

    def pair(self, value: ast.expr, place: Place, step: int, target: Any) -> ast.expr | None:
        """The right-hand side with one more term: a name, or a product of two, if that is right."""
        now = self.reader.evaluated(value, step)
        if now is None or np.shape(now) != np.shape(target):
            return None
        lacks = np.asarray(target - now)
        atoms = [(a, self._number(a, step)) for a in self._atoms(place, step)]
        known = [(a, np.asarray(v, dtype=float)) for a, v in atoms if v is not None]
        for a, x in known:
            for form, value_of in _SUMS.items():
                if x.ndim and same(np.broadcast_to(value_of(x), lacks.shape), lacks):
                    return parsed(f"__x__ {form.format(a)}", value)
        for (a, x), (b, y) in combinations_with_replacement(known, 2):
            try:
                both = np.broadcast_to(x * y, lacks.shape)
            except ValueError:
                continue
            if same(both, lacks):
                return parsed(f"__x__ + {a} * {b}", value)
        return None


def _targets(statement: ast.stmt) -> list[Any]:
    """What a statement gives a value."""
    return getattr(statement, "targets", None) or [getattr(statement, "target", None)]
