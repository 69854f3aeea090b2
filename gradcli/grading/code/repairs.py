"""What has to be changed in a statement so that wrong gradients come out right, and its name.

A repair is a small change of one statement: a sign, a factor, another name, a sum, a transpose, a
product or a sum with something that is at hand. The code is read again with it; a change that makes
all the wrong gradients right tells which mistake was made there.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import thread_time
from typing import Any, Literal, TypeAlias

import numpy as np

from gradcli.diagnostics.error import GradcliError
from gradcli.grading.code.finals import finals
from gradcli.grading.code.judged import Judged
from gradcli.grading.code.replay import same
from gradcli.python.steps import Step

SECONDS = 6.0
"""What all repairs of a submission may take of a processor, however busy the machine is."""


Look: TypeAlias = Literal["fully", "plainly", "behind"]
"""Which changes are tried: all, only those of a sign or an operand, only what is left out."""
Place: TypeAlias = tuple[list[ast.stmt], int]
"""A statement: its block, and its place there."""


@dataclass(frozen=True)
class Suspects:
    """Steps that may be at fault, by their places among all, most probable first."""

    steps: list[int]
    right_values: dict[int, Any]
    """Of some: the value that would make everything right."""
    names: dict[int, int]
    """Of some: the last step that gives the same value a name."""
    trusted: list[int]
    """Those whose value is right: what may be missing is missing behind them."""
    plainly: list[int]
    """Those that are looked at first, for an operand or a sign that is wrong and nothing more."""


@dataclass(frozen=True)
class Repair:
    """A change that makes gradients right: where, what it is called, and which."""

    line: int
    tags: tuple[str, ...]
    mends: frozenset[str]
    behind: bool = False
    """Something is missing, and could stand behind the statement as well."""


class Repairs:
    """Tries changes of the statements of one submission."""

    def __init__(self, marking: Judged) -> None:
        self.marking = marking
        self.until = thread_time() + SECONDS
        self.lines = marking.source.text.split("\n")
        self.blocks = list(_blocks(marking.tree))
        self.shapes: dict[tuple[str, int], tuple[int, ...] | None] = {}

    def _is_over(self, until: float) -> bool:
        """Whether this much has been computed, or the time for naming is up."""
        deadline = self.marking.deadline
        return thread_time() > until or deadline.clock() > deadline.naming

    def line_text(self, line: int) -> str:
        """A line of the code."""
        return self.lines[line - 1].strip() if 0 < line <= len(self.lines) else ""

    def text(self, step: Step) -> str:
        """The statement of a step."""
        found = self.marking.source.text[step.span.start : step.span.end]
        return " ".join(found.split())

    def best(self, wrong: frozenset[str], suspects: Suspects) -> Repair | None:
        """The first change of the suspected statements that makes all wrong gradients right."""
        steps = self.marking.reader.reading.steps
        waiting: list[Iterator[tuple[tuple[str, ...], list[ast.stmt], int, Place]]] = []
        seen: set[int] = set()
        looks: list[tuple[int, Look]] = [(i, "plainly") for i in suspects.plainly]
        if suspects.plainly:
            looks += [(i, "behind") for i in suspects.trusted]
        for i, look in looks:
            place = self._statement(steps[i])
            if place is not None and i in suspects.right_values:
                found = self._known(place, i, suspects.right_values[i], wrong, look)
                if found is not None:
                    return self._named_last(found, i, suspects)
        for i in suspects.steps:
            place = self._statement(steps[i])
            if place is None:
                continue
            if i in suspects.right_values and not self._comes_again(steps[i]):
                found = self._known(place, i, suspects.right_values[i], wrong)
                if found is not None:
                    return self._named_last(found, i, suspects)
            if id(place[0][place[1]]) not in seen:
                seen.add(id(place[0][place[1]]))
                waiting.append(self.tried(place, i))
        until = min(self.until, thread_time() + SECONDS * 0.7)
        while waiting and not self._is_over(until):
            for one in waiting[:]:
                change = next(one, None)
                if change is None:
                    waiting.remove(one)
                    continue
                tags, statements, line, place = change
                if wrong <= self._mended(*place, statements):
                    return self._earlier(place, statements, tags, wrong) or Repair(
                        line, tags, wrong
                    )
        return None

    def _earlier(
        self, place: Place, changed: list[ast.stmt], tags: tuple[str, ...], wrong: frozenset[str]
    ) -> Repair | None:
        """The statement before, where the same change of what it gives mends as well."""
        block, i = place
        old, new = getattr(block[i], "value", None), getattr(changed[0], "value", None)
        if old is None or new is None or tags != ("dropped-path",):
            return None
        for part in ast.walk(new):
            if not isinstance(part, ast.BinOp) or not isinstance(part.left, ast.Name):
                continue
            name, more = part.left.id, ast.unparse(part.right)
            if f"{name} + {more}" in ast.unparse(old):
                continue
            for j in range(i - 1, -1, -1):
                targets = getattr(block[j], "targets", [])
                if any(isinstance(t, ast.Name) and t.id == name for t in targets):
                    value = ast.BinOp(block[j].value, part.op, part.right)  # type: ignore[attr-defined]
                    if wrong <= self._mended(block, j, [_with_value(block[j], value)]):
                        return Repair(block[j].lineno, tags, wrong)
                    return None
        return None

    def _named_last(self, found: Repair, step: int, suspects: Suspects) -> Repair:
        """The repair at the last name of a value, where something is missing behind it."""
        steps = self.marking.reader.reading.steps
        alias = self._statement(steps[suspects.names.get(step, step)])
        if found.behind and alias is not None:
            return replace(found, line=self._line(*alias))
        return found

    def _comes_again(self, step: Step) -> bool:
        """Whether a statement is gone through more than once: then one value says little."""
        steps = self.marking.reader.reading.steps
        return any(s.span == step.span and s.turns != step.turns for s in steps)

    def _known(
        self,
        place: Place,
        step: int,
        right: Any,
        wrong: frozenset[str],
        look: Look = "fully",
    ) -> Repair | None:
        """A change by which a statement gives the value that is known to be right."""
        block, i = place
        statement = block[i]
        value = getattr(statement, "value", None)
        reader = self.marking.reader
        target = self._needed(statement, reader.reading.steps[step], right)
        if not isinstance(value, ast.expr) or target is None:
            return None
        for tags, changed in _with_other_sign(statement):
            if wrong <= self._mended(block, i, [changed]):
                return Repair(statement.lineno, tags, wrong)
        until = min(self.until, thread_time() + SECONDS / 3)
        changes = self._expressions(block, i, step, look)
        for tags, expression, behind in changes:
            if self._is_over(until):
                break
            ast.fix_missing_locations(ast.copy_location(expression, statement))
            number = reader.evaluated(expression, reader.before(step))
            if number is not None and same(number, target):
                changed = _with_value(statement, expression)
                if wrong <= self._mended(block, i, [changed]):
                    line = self._line(block, i) if behind else statement.lineno
                    return Repair(line, tags, wrong, behind)
        pair = None if look != "fully" else self._pair(block, i, step, target)
        if pair is not None and wrong <= self._mended(block, i, [_with_value(statement, pair)]):
            return Repair(statement.lineno, ("dropped-path",), wrong)
        return None

    def _pair(self, block: list[ast.stmt], i: int, step: int, target: Any) -> ast.expr | None:
        """The statement with a term more: a name, or a product of two, that makes it right."""
        value: ast.expr = block[i].value  # type: ignore[attr-defined]
        reader = self.marking.reader
        before = reader.before(step)
        now = reader.evaluated(value, before)
        if now is None or np.shape(now) != np.shape(target):
            return None
        lacks = np.asarray(target - now)
        atoms = [
            (a, reader.evaluated(_parsed(a, None), before)) for a in self._atoms(block, i, step)
        ]
        known = [(a, np.asarray(v, dtype=float)) for a, v in atoms if v is not None]
        for a, x in known:
            for form, value_of in _SUMS.items():
                if x.ndim and same(np.broadcast_to(value_of(x), lacks.shape), lacks):
                    return _parsed(f"__x__ {form.format(a)}", value)
        for j, (a, x) in enumerate(known):
            for b, y in known[j:]:
                try:
                    product = np.broadcast_to(x * y, lacks.shape)
                except ValueError:
                    continue
                if same(product, lacks):
                    return _parsed(f"__x__ + {a} * {b}", value)
        return None

    def _needed(self, statement: ast.stmt, step: Step, right: Any) -> Any:
        """What the right-hand side of a statement has to give."""
        if isinstance(statement, ast.AugAssign):
            tape = self.marking.reader.tape
            if step.before is None or step.before < 0 or "[" in step.name:
                return None
            old = tape.values[step.before]
            if isinstance(statement.op, ast.Add):
                return right - old
            return old - right if isinstance(statement.op, ast.Sub) else None
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple):
            return None
        return right

    def _line(self, block: list[ast.stmt], i: int) -> int:
        """The line of something that is missing behind a statement: a `pass` there, else it."""
        follows = block[i + 1] if i + 1 < len(block) else None
        return follows.lineno if isinstance(follows, ast.Pass) else block[i].lineno

    def idle(self, suspects: Suspects) -> int | None:
        """The line of a `pass` among other statements of a block that is suspected."""
        steps = self.marking.reader.reading.steps
        for i in suspects.steps:
            place = self._statement(steps[i])
            if place is None:
                continue
            for j, one in enumerate(place[0]):
                if isinstance(one, ast.Pass) and len(place[0]) > 1 and j >= place[1]:
                    return one.lineno
        return None

    def _statement(self, step: Step) -> Place | None:
        """The statement of a step: its block, and its place there."""
        text = self.marking.reader.text
        for block in self.blocks:
            for i, one in enumerate(block):
                if text.span(one) == step.span:
                    return block, i
        return None

    def _mended(self, block: list[ast.stmt], i: int, changed: list[ast.stmt]) -> frozenset[str]:
        """The gradients that are right with other statements in the place of one."""
        marking, old = self.marking, block[:]
        for one in changed:
            ast.copy_location(one, old[i])
            ast.fix_missing_locations(one)
        block[i : i + 1] = changed
        try:
            reader = marking.read(marking.tree)
            found = finals(reader, marking.asked, marking.task.vocabulary)
        except (GradcliError, RecursionError):
            return frozenset()
        finally:
            block[:] = old
        right = marking.right({n: f.value for n, f in found.items()})
        before = marking.right({n: f.value for n, f in marking.finals.items()})
        return right if before <= right else frozenset()

    # --- changes ---

    def tried(
        self, place: Place, step: int
    ) -> Iterator[tuple[tuple[str, ...], list[ast.stmt], int, Place]]:
        """Changes of a statement: the tags, what stands in its place, the line, and the place."""
        block, i = place
        statement = block[i]
        for tags, changed in self._with_other_place(block, i, step):
            yield tags, [changed], statement.lineno, place
        for tags, changed in _with_other_sign(statement):
            yield tags, [changed], statement.lineno, place
        follows = block[i + 1] if i + 1 < len(block) else None
        if isinstance(follows, ast.Pass):
            for tags, more in self._behind(block, i):
                yield tags, [statement, more], follows.lineno, place
        if isinstance(getattr(statement, "value", None), ast.expr):
            for tags, expression, behind in self._expressions(block, i, step):
                line = self._line(block, i) if behind else statement.lineno
                yield tags, [_with_value(statement, expression)], line, place
        for tags, more in self._behind(block, i):
            yield tags, [statement, more], self._line(block, i), place

    def _expressions(
        self, block: list[ast.stmt], i: int, step: int, look: Look = "fully"
    ) -> Iterator[tuple[tuple[str, ...], ast.expr, bool]]:
        """Other right-hand sides: the tags, the expression, and whether something is put behind."""
        value: ast.expr = block[i].value  # type: ignore[attr-defined]
        atoms = self._atoms(block, i, step)
        if look == "behind":
            for tags, new in self._products(value, self._fitting(value, atoms, step)):
                yield tags, new, True
            return
        yield ("sign",), ast.UnaryOp(ast.USub(), value), False
        for part in ast.walk(value):
            for tags, new in _of_part(part):
                yield tags, _replaced(value, part, new), False
        for part in ast.walk(value):
            for tags, new in _with_atoms(part, self._fitting(part, atoms, step)):
                if look == "fully" or tags != ("dropped-path",):
                    yield tags, _replaced(value, part, new), False
        for tags, new in self._swapped(value, atoms, step):
            yield tags, new, False
        for axis in ("axis=0", "axis=1", "axis=0, keepdims=True", "axis=1, keepdims=True", ""):
            yield ("not-summed", "shape"), _parsed(f"np.sum(__x__, {axis})", value), False
        yield ("transpose", "shape"), _parsed("(__x__).T", value), True
        for factor in self._factors():
            for term in _terms(value):
                yield (
                    self._factor_tags(factor),
                    _replaced(value, term, _product(term, factor)),
                    True,
                )
        if look == "plainly":
            return
        for part in _arrays(value):
            whole = part is value
            for tags, new in self._products(part, self._fitting(part, atoms, step)):
                yield tags, _replaced(value, part, new), whole
        for part in _arrays(value):
            for atom in self._fitting(part, atoms, step):
                for form in ("__x__ + {}", "__x__ - {}"):
                    new = _parsed(form.format(atom), part)
                    yield ("dropped-path",), _replaced(value, part, new), False
        for atom in atoms:
            for factor in self._factors()[:8]:
                new = _parsed(f"__x__ + {atom} * {factor}", value)
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
            reader = self.marking.reader
            number = reader.evaluated(_parsed(text, None), reader.before(step))
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
                        return _parsed(new, None) if node.id == old else node

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
            for tags, new in (*_of_part(part), *_with_atoms(part, atoms)):
                changed = copy.copy(statement)
                other = copy.copy(target)
                other.slice = _replaced(target.slice, part, new)
                if isinstance(changed, ast.Assign):
                    changed.targets = [other]
                else:
                    changed.target = other  # type: ignore[attr-defined]
                yield tags, changed

    def _products(
        self, part: ast.expr, atoms: list[str]
    ) -> Iterator[tuple[tuple[str, ...], ast.expr]]:
        """A part times something that may have been left out."""
        forms = ("({} > 0)", "(1 - {})", "(1 - {}**2)", "({} * (1 - {}))")
        for atom in atoms:
            gradient = atom.lstrip("_").startswith(("d", "grad", "delta"))
            tags = ("missing-upstream",) if gradient else ("missing-local",)
            yield tags, _parsed(f"__x__ * {atom}", part)
            for form in forms:
                text = form.format(*[atom] * form.count("{}"))
                yield ("missing-local", "wrong-rule"), _parsed(f"__x__ * {text}", part)
        for function, more in self._functions():
            for atom in atoms:
                yield ("missing-local",), _parsed(f"__x__ * {function}({atom}{more})", part)

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
            yield ("transpose", "shape"), _statement(f"{name} = {name}.T")
            for factor in self._factors():
                yield self._factor_tags(factor), _statement(f"{name} = {name} * {factor}")
            for atom in self._atoms(block, i, None):
                yield ("missing-local",), _statement(f"{name} = {name} * ({atom} > 0)")

    def _factor_tags(self, factor: str) -> tuple[str, ...]:
        """What a factor is called: of a number of elements, or of the rule."""
        if factor == "-1.0":
            return ("sign",)
        if factor in ("2.0", "0.5"):
            of_two = any(2 in t.shape for t in self.marking.reader.tape.types)
            return ("factor", "wrong-rule", *(("mean-for-sum",) if of_two else ()))
        return ("mean-for-sum", "factor")

    # --- what is at hand ---

    def _factors(self) -> list[str]:
        """Numbers that factors are off by."""
        lengths = {n for t in self.marking.reader.tape.types for n in t.shape if 1 < n <= 1000}
        sizes = {t.size for t in self.marking.reader.tape.types if 1 < t.size <= 1000}
        found = [f"{n}.0" for n in sorted(lengths | sizes)]
        return ["2.0", "0.5", "-1.0", *(f"(1/{n})" for n in found), *found]

    def _functions(self) -> list[tuple[str, str]]:
        """Functions of one argument, and what more they are called with."""
        found = []
        for one in self.marking.tree.body:
            if isinstance(one, ast.FunctionDef):
                count, optional = len(one.args.args), len(one.args.defaults)
                if count - optional == 1:
                    found += [(one.name, "")] + [(one.name, ", True")] * (optional > 0)
        return found

    def _atoms(self, block: list[ast.stmt], i: int, step: int | None) -> list[str]:
        """Names, attributes and entries that stand in the same function before a statement."""
        function = self._around(block)
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
        reader = self.marking.reader
        known = []
        for text in found:
            if text in called or text in ("self", "range", "len", "print"):
                continue
            if step is not None:
                number = reader.evaluated(_parsed(text, None), reader.before(step))
                if number is None or (
                    np.ndim(number) and np.asarray(number).dtype.kind not in "fiub"
                ):
                    continue
            known.append(text)
        return known[:30]

    def _around(self, block: list[ast.stmt]) -> ast.AST:
        for node in ast.walk(self.marking.tree):
            if isinstance(node, ast.FunctionDef) and any(inner is block for inner in _blocks(node)):
                return node
        return self.marking.tree


def _of_part(part: ast.AST) -> Iterator[tuple[tuple[str, ...], ast.expr]]:
    """Changes of one expression inside of a statement."""
    match part:
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            yield ("sign",), inner
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            flips = {ast.Gt: ast.Lt, ast.Lt: ast.Gt, ast.GtE: ast.LtE, ast.LtE: ast.GtE}
            if type(op) in flips:
                yield ("wrong-rule",), ast.Compare(left, [flips[type(op)]()], [right])
        case ast.BinOp(left=left, op=op, right=right):
            swapped: dict[type, Any] = {ast.Add: ast.Sub, ast.Sub: ast.Add}
            if type(op) in swapped:
                yield ("sign",), ast.BinOp(left, swapped[type(op)](), right)
                yield ("sign",), ast.BinOp(right, op, left)
            if isinstance(op, ast.Mult | ast.Div):
                yield ("mean-for-sum", "factor", "wrong-rule"), left
                other = ast.Div() if isinstance(op, ast.Mult) else ast.Mult()
                yield ("wrong-rule",), ast.BinOp(left, other, right)
            if isinstance(op, ast.MatMult):
                yield ("transpose",), ast.BinOp(right, op, left)
            if isinstance(op, ast.Pow):
                yield ("wrong-rule",), left
                yield ("wrong-rule",), ast.BinOp(left, op, ast.UnaryOp(ast.USub(), right))
                yield ("wrong-rule",), ast.BinOp(left, op, _parsed("__x__ - 1", right))
            if isinstance(op, ast.Mult) and isinstance(left, ast.Constant):
                yield ("wrong-rule",), _parsed("__x__**2", right)
            match (op, left):
                case ast.Mult(), ast.BinOp(left=first, op=ast.Mult(), right=ast.Constant()):
                    squared = _parsed("__x__**2", right)
                    yield ("wrong-rule",), ast.BinOp(first, ast.Mult(), squared)
        case ast.Call(func=function, args=[first, second], keywords=[]):
            name = getattr(function, "attr", "")
            if name in ("dot", "matmul", "outer"):
                yield ("transpose",), ast.Call(function, [second, first], [])
        case ast.Attribute(value=inner, attr="T"):
            yield ("transpose", "shape"), inner
        case ast.Constant(value=int() | float() as number):
            for factor in (number * 2, number / 2, -number, number + 1, number - 1):
                yield ("factor", "wrong-rule"), ast.Constant(factor)
    if _is_read(part):
        yield ("wrong-rule", "wrong-place"), _parsed("__x__**2", part)
        yield ("transpose", "shape"), _parsed("__x__.T", part)


def _is_read(part: ast.AST) -> bool:
    """Whether a part is a name, an attribute or an entry whose value is read."""
    if not isinstance(part, ast.Name | ast.Attribute | ast.Subscript):
        return False
    own = ast.unparse(part)
    module = own in ("np", "self", "math") or own.startswith("np.")
    return isinstance(part.ctx, ast.Load) and not module


def _with_atoms(part: ast.AST, atoms: list[str]) -> Iterator[tuple[tuple[str, ...], ast.expr]]:
    """A part exchanged for, or joined with, something else of its shape."""
    if not _is_read(part):
        return
    own = ast.unparse(part)
    if atoms:
        yield ("wrong-rule", "wrong-place", "missing-local"), _parsed("(__x__ > 0)", part)
    for atom in atoms:
        if atom != own:
            yield ("same-operand", "wrong-place"), _parsed(atom, part)
    for atom in atoms:
        if atom != own:
            yield ("dropped-path",), _parsed(f"(__x__ + {atom})", part)


_SUMS: dict[str, Any] = {
    "- np.sum({})": lambda x: -np.sum(x),
    "+ np.sum({})": np.sum,
    "- np.mean({})": lambda x: -np.mean(x),
    "+ np.mean({})": np.mean,
}
"""Terms of a sum that may have been left out."""

# --- trees -------------------------------------------------------------------------------


def _blocks(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    """All lists of statements."""
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                yield block


def _parsed(text: str, inner: Any) -> ast.expr:
    """An expression with another in the place of `__x__`."""
    tree = ast.parse(text, mode="eval").body
    if isinstance(tree, ast.Name) and tree.id == "__x__":
        same_tree: ast.expr = copy.deepcopy(inner)
        return same_tree

    class Put(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> Any:
            return copy.deepcopy(inner) if node.id == "__x__" else node

    found: ast.expr = Put().visit(tree)
    return found


def _statement(text: str) -> ast.stmt:
    return ast.parse(text).body[0]


def _with_value(statement: ast.stmt, value: ast.expr) -> ast.stmt:
    """The statement with another right-hand side."""
    new = copy.copy(statement)
    new.value = value  # type: ignore[attr-defined]
    return new


def _with_other_sign(statement: ast.stmt) -> Iterator[tuple[tuple[str, ...], ast.stmt]]:
    """`+=` for `=`, and the reverse; `-=` for `+=`."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        if isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
            yield ("overwritten",), ast.AugAssign(target, ast.Add(), statement.value)
    elif isinstance(statement, ast.AugAssign):
        op = ast.Sub() if isinstance(statement.op, ast.Add) else ast.Add()
        yield ("sign",), ast.AugAssign(statement.target, op, statement.value)
        yield ("counted-twice", "not-zeroed"), ast.Assign([statement.target], statement.value)


def _terms(value: ast.expr) -> list[ast.expr]:
    """The terms of a sum; of a product the whole."""
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add | ast.Sub):
        return [value, *_terms(value.left), value.right]
    return [value]


def _arrays(value: ast.expr) -> list[ast.expr]:
    """The whole, and the arguments of its calls and products of matrices."""
    found = [value]
    for node in ast.walk(value):
        if isinstance(node, ast.Call):
            found += [a for a in node.args if not isinstance(a, ast.Constant | ast.Starred)]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            found += [node.left, node.right]
    return list({id(node): node for node in found}.values())[:8]


def _product(term: ast.expr, factor: str) -> ast.expr:
    return _parsed(f"__x__ * {factor}", term)


def _replaced(tree: Any, part: ast.AST, new: ast.expr) -> Any:
    """The tree with another part; all else is shared with it."""
    if tree is part:
        return new
    result = copy.copy(tree)
    for field, old in ast.iter_fields(tree):
        if isinstance(old, ast.AST):
            changed = _replaced(old, part, new)
            if changed is not old:
                setattr(result, field, changed)
                return result
        elif isinstance(old, list):
            for i, one in enumerate(old):
                if isinstance(one, ast.AST):
                    changed = _replaced(one, part, new)
                    if changed is not one:
                        setattr(result, field, [*old[:i], changed, *old[i + 1 :]])
                        return result
    return tree
