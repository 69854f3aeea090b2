"""Both passes as NumPy: every step and every line of the backward pass as an assignment.

A `Result` comes in; `Numpy` gives the statements. A node becomes the code of its operation on
its operands' names, a derivative rule the code of the formula that ran: the graph of the
compiled rule is written out, so that the code can't say another thing than the numbers. A listing
has the textbook's forms of the rules, a function to run the careful ones.
What comes out is what the homework grader reads: assignments, `+=`, imports, and `def`s of one
`return`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.engine.formula import Formula, compile_formula, formula_names
from gradcli.engine.rules import Rules
from gradcli.export.numpy import code
from gradcli.export.numpy.calls import Calls
from gradcli.export.numpy.code import ATOM, COMPARISON, Code, numpy_shape
from gradcli.graph.draft import Literal, Operand, Selection
from gradcli.graph.graph import Graph, Node, OperationNode
from gradcli.graph.identifiers import TAKEN, identifiers
from gradcli.ops.operation import Type
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import Name, Tree, postorder
from gradcli.trace.steps import Move, Step, Steps

if TYPE_CHECKING:
    from gradcli.report.style import Style


class Numpy(Calls):
    """The statements of both passes. Names that Python can't have are changed."""

    def __init__(self, steps: Steps, style: Style, *, textbook: bool = True) -> None:
        super().__init__(style)
        self.steps, self.result = steps, steps.result
        self.graph: Graph = steps.result.graph
        self.rules = Rules(self.graph, textbook=textbook)
        rows = [node.operation for node in self.graph.nodes if node.operation is not None]
        taken = TAKEN | {row.name for row in rows if row.body is not None}
        if not any("gamma" in row.numpy for row in rows):
            taken.discard("gamma")  # a common name for a value, and seldom the function
        words = (node.name for node in self.graph.nodes)
        self.names = identifiers(words, ascii_only=style.ascii, taken=taken)

    def name(self, node: Node) -> str:
        """The name of a node in the code."""
        return self.names[node.name]

    def _operand(self, operand: Operand) -> Code:
        if isinstance(operand, Literal):
            return code.literal(operand)
        node = self.graph.nodes[operand]
        return Code(self.name(node), ATOM, node.type)

    def _delta(self, node: Node) -> Code:
        return Code(f"delta_{self.name(node)}", ATOM, node.type)

    # --- the program ---------------------------------------------------------------------

    def inputs(self) -> Iterator[tuple[str, Any]]:
        """The inputs' names and values."""
        for i in self.graph.inputs:
            yield self.name(self.graph.nodes[i]), self.result.values[i]

    def forward(self) -> Iterator[tuple[Step, str]]:
        """The steps of the forward pass, constants and operations, each with its code."""
        for step in self.steps.steps():
            if len(self.steps.members(step.node)) == 1:
                yield step, self._single(step.node).text
            else:
                found = code.as_type(self._tree(step.tree), step.node.type)
                yield step, code.numeric(found).text

    def _single(self, node: Node) -> Code:
        """An operation; a norm or deviation that NumPy gets wrong, by a helper that scales."""
        operands = [self._operand(o) for o in node.operands]
        if node.operation is None:
            return code.fractional(operands[0])
        row = node.operation
        found = code.numeric(self.apply(row, operands, node.type, node.options, wide=True))
        if not row.is_reduction or not row.square or node.options["axis"] is not None:
            return found
        if node.options["keepdims"] or node.options.get("p") not in (None, 2):
            return found
        (operand,) = node.operands
        x = self.result.values[operand] if isinstance(operand, int) else operand.value
        value = float(self.result.values[node.id])
        with np.errstate(all="ignore"):
            plain = np.linalg.norm(x) if row.symbol else np.std(x)
        if value == 0 or not np.size(x) or abs(plain - value) <= 1e-9 * value:
            return found
        text = self._operand(operand).text
        norm = self.needed("scaled_norm")
        if row.symbol:
            return code.call(norm, text, type=node.type)
        count = np.size(x) - node.options["ddof"]
        return Code(f"{norm}({text} - np.mean({text}))/np.sqrt({count})", code.PRODUCT, node.type)

    def starting(self) -> tuple[str, Any] | None:
        """δ of the output and what it starts from; None if no gradient was asked for."""
        output = self.result.output
        if self.result.accumulators[output.id] is None:
            return None
        upstream = self.result.upstream
        return f"delta_{self.name(output)}", upstream[0] if output.type.row else upstream

    def backward(self) -> Iterator[tuple[Move, str]]:
        """The lines of the backward pass, each with its code.

        Statement by statement, a block's rules are the ones of its operation.
        """
        by_operation = self.steps.by == "operation"
        for k, move in enumerate(self.steps.moves()):
            if by_operation:
                found = self.sent(move.node, self.result.contributions[k].operand)
            else:
                found = self._moved(move)
            yield move, self._fresh(found, more=move.before is None and not move.final).text

    def _fresh(self, found: Code, *, more: bool) -> Code:
        """A value that a later `+=` may change in place without changing another name's.

        Floats are never changed in place; what `np.where` gives for a number is an array.
        """
        if not more:
            return found
        bare = found.text.isidentifier()
        if found.view or (bare and (found.type.shape or self._has_choices)):
            return code.product(found, code.number(1.0, "1"), found.type, wide=True)
        return found

    def sent(self, node: OperationNode, operand: int) -> Code:
        """What an operation sends to one of its operands."""
        operation, to = node.operation, node.operands[operand]
        assert isinstance(to, int)
        rule = self.rules.of(node, operand)
        operands = [self._operand(o) for o in node.operands]
        delta = self._delta(node)
        given = [*operands, Code(self.name(node), ATOM, node.type), delta]
        names = formula_names(operation, self.graph.site(node))
        found = self._formula(rule, given[: len(names)])
        if operation.elementwise:
            found = self._times(node, delta, found)
        return self._reduced(self._selected(node, found), self.graph.nodes[to].type)

    def _reduced(self, found: Code, target: Type) -> Code:
        """What is sent in the type of its target: summed where that was broadcast."""
        return code.as_type(code.summed(code.numeric(found), target), target)

    def _times(self, node: Node, delta: Code, local: Code) -> Code:
        """δ times the local derivative, where both broadcast to the operation's output."""
        if self.steps.starts(node):
            return code.numeric(local)
        local = code.numeric(local) if delta.truth else local
        found = code.product(delta, local, node.type, wide=True)
        with suppress(ValueError):
            if np.broadcast_shapes(delta.shape, local.shape) == numpy_shape(node.type):
                return found
        plain = Type(node.type.shape)
        return code.product(code.exact(delta), code.exact(local), plain, wide=True)

    def _formula(self, rule: Formula, given: list[Code]) -> Code:
        """A compiled formula on pieces of code."""
        if rule.picks is not None:
            given = [given[i] for i in rule.picks]
        return self.value_of(rule.graph, rule.result, given)

    # --- choices -------------------------------------------------------------------------

    @cached_property
    def _has_choices(self) -> bool:
        """Whether some value may come out of `np.where`: a number is an array of no axes then."""
        rows = (node.operation for node in self.graph.nodes if node.operation is not None)
        return not all(row.floats for row in rows)

    @cached_property
    def guarded(self) -> bool:
        """Whether a number may be divided by zero in a branch that is not taken.

        Python's own floats raise an error there, NumPy's do not.
        """
        if any(node.selections for node in self.graph.nodes):
            return True
        values = (*self.result.values, *(a for a in self.result.accumulators if a is not None))
        if not all(np.all(np.isfinite(v)) for v in values):
            return True
        rows = (node.operation for node in self.graph.nodes if node.operation is not None)
        return any(row.divides or row.body is not None for row in rows) and any(
            np.ndim(v) == 0 and v == 0 for v in self.result.values
        )

    def _selected(self, node: Node, found: Code) -> Code:
        """Zero for what a `where` has not selected."""
        for selection in node.selections:
            found = self._where(node, selection, found)
        return found

    def _where(self, node: Node, selection: Selection, found: Code) -> Code:
        condition = code.exact(self._operand(selection.condition))
        symbol = "!=" if selection.chosen else "=="
        chosen = Code(f"{condition.text} {symbol} 0", COMPARISON, condition.type, truth=True)
        shape, wide = node.type.shape, None
        if node.operation is not None and node.operation.elementwise:
            with suppress(ValueError):
                wide = np.broadcast_shapes(chosen.shape, shape)
        if wide is None:
            chosen = code.call("np.any", chosen.text, type=Type(())) if chosen.shape else chosen
        elif wide != shape:
            chosen = code.summed(chosen, Type(shape), "np.any")
        text = code.numeric(found).text
        return code.call("np.where", chosen.text, text, "0.0", type=found.type)

    # --- statements ----------------------------------------------------------------------

    def _tree(self, tree: Tree) -> Code:
        """A tree over names of the graph as code."""
        words = dict.fromkeys(
            part.name for part in postorder(tree) if isinstance(part, Name) and not part.qualified
        )
        given: dict[str, Code] = {}
        for node in self.graph.nodes:
            if node.name in words:
                given[node.name] = Code(self.name(node), ATOM, node.type)
            if f"delta_{node.name}" in words:
                given.setdefault(f"delta_{node.name}", self._delta(node))
        types = tuple(c.type for c in given.values())
        formula = compile_formula(print_tree(tree), tuple(given), types, {})
        return self._formula(formula, list(given.values()))

    def _moved(self, move: Move) -> Code:
        """What a statement sends to one of the names in it."""
        if move.local is not None:
            found = self._times(move.node, self._delta(move.node), self._tree(move.local))
        else:
            assert move.rule is not None
            found = self._tree(move.rule)
        if len(self.steps.members(move.node)) == 1:
            found = self._selected(move.node, found)
        return self._reduced(found, move.to.type)

    # --- the head ------------------------------------------------------------------------

    def value(self, found: Any) -> str:
        """A value to start from, as code."""
        if np.ndim(found):
            return code.array(found).text
        text = code.scalar(float(found))
        return f"np.array([{text}])[0]" if self.guarded else text

    def preamble(self) -> Iterator[str]:
        """Imports and helpers, in pieces; complete once all statements have been made."""
        yield "import numpy as np\n"
        for module in sorted(set(self.imports.values())):
            names = sorted(name for name, own in self.imports.items() if own == module)
            yield f"from {module} import {', '.join(names)}\n"
        for text in self.helpers.values():
            yield f"\n\n{text}"
        if self.helpers:
            yield "\n"
