"""Both passes as NumPy: every step and every line of the backward pass as an assignment.

A `Result` comes in; `Numpy` gives the statements. A node becomes the code of its operation on
its operands' names, a derivative rule the code of the formula that ran: the graph of the
compiled rule is written out, so that the code can't say another thing than the numbers. A listing
has the textbook's forms of the rules, a function to run the careful ones.
What comes out is what the homework grader reads: assignments, `+=`, imports, and `def`s of one
`return`.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.engine.formula import Formula, compile_formula, formula_names
from gradcli.engine.rules import Rules
from gradcli.export.numpy import code
from gradcli.export.numpy.calls import Calls
from gradcli.export.numpy.code import ATOM, COMPARISON, Code, numpy_shape
from gradcli.graph.draft import Literal, Operand, Selection
from gradcli.graph.graph import Graph, Node, OperationNode
from gradcli.graph.identifiers import TAKEN, identifier, identifiers
from gradcli.ops.operation import Operation, Type
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import Tree
from gradcli.trace.steps import Arrivals, Steps

if TYPE_CHECKING:
    from gradcli.report.style import Style

LONGEST = 20_000
"""A block whose expression has more characters than this is refused."""


class Forward(NamedTuple):
    """A line of the forward pass."""

    number: int | None
    node: Node
    text: str
    value: Any


class Backward(NamedTuple):
    """A line of the backward pass: what step `number` sends from `node` to `to`."""

    number: int
    node: Node
    to: Node
    target: str
    assign: str
    text: str
    accumulator: Any
    final: bool
    paths: int


class Numpy(Calls):
    """The statements of both passes. Names that Python can't have are changed."""

    def __init__(self, steps: Steps, style: Style, *, textbook: bool = True) -> None:
        super().__init__()
        self.textbook = textbook
        self.steps, self.result = steps, steps.result
        self.graph: Graph = steps.result.graph
        self.rules = Rules(self.graph, textbook=textbook)
        self.style = style
        self._blocks: dict[Any, str] = {}
        self._used = {row.name for row in _blocks_of(self.graph)}

    # --- names ---------------------------------------------------------------------------

    @cached_property
    def names(self) -> dict[str, str]:
        """What each node is called in the code."""
        taken = TAKEN | self._used
        if not any(n.operation and "gamma" in n.operation.numpy for n in self.graph.nodes):
            taken.discard("gamma")  # a common name for a value, and seldom the function
        names = (node.name for node in self.graph.nodes)
        return identifiers(names, ascii_only=self.style.ascii, taken=taken)

    def name(self, node: Node) -> str:
        """The name of a node in the code."""
        return self.names[node.name]

    def _operand(self, operand: Operand) -> Code:
        if isinstance(operand, Literal):
            return code.literal(operand)
        node = self.graph.nodes[operand]
        return Code(self.name(node), ATOM, node.type)

    # --- the program ---------------------------------------------------------------------

    def inputs(self) -> Iterator[tuple[str, Any]]:
        """The inputs' names and values."""
        for i in self.graph.inputs:
            yield self.name(self.graph.nodes[i]), self.result.values[i]

    def forward(self) -> Iterator[Forward]:
        """The forward pass: constants and operations."""
        for step in self.steps.steps():
            single = len(self.steps.members(step.node)) == 1
            text = self._node(step.node) if single else self._written(step.tree, step.node)
            yield Forward(step.number, step.node, text, step.value)

    def _node(self, node: Node) -> str:
        operands = [self._operand(o) for o in node.operands]
        if node.operation is None:
            return code.fractional(operands[0]).text
        found = self.apply(node.operation, operands, node.type, node.options, wide=True)
        return self._careful(code.numeric(found), node).text

    def _careful(self, found: Code, node: OperationNode) -> Code:
        """A norm or deviation that NumPy gets wrong, by a helper that scales its operand."""
        row = node.operation
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

    def backward(self) -> Iterator[Backward]:
        """The backward pass line by line."""
        if self.steps.by == "operation":
            return self._operations()
        return self._statements()

    def _operations(self) -> Iterator[Backward]:
        nodes, arrived, numbers = self.graph.nodes, Arrivals(), self.steps.numbers
        for sent in self.result.contributions:
            node, to = self.graph.operation(sent.node), nodes[sent.to]
            before, paths = arrived.add(sent.to, sent.accumulator)
            found = self.sent(node, sent.operand)
            more = before is None and not sent.final
            yield Backward(
                numbers[node.id],
                node,
                to,
                f"delta_{self.name(to)}",
                "=" if before is None else "+=",
                self._fresh(found, more=more).text,
                sent.accumulator,
                sent.final,
                paths,
            )

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
        delta = Code(f"delta_{self.name(node)}", ATOM, node.type)
        given = [*operands, Code(self.name(node), ATOM, node.type), delta]
        names = formula_names(operation, self.graph.site(node))
        found = self._formula(rule, given[: len(names)])
        if operation.elementwise:
            found = self._times(node, delta, found)
        found = self._selected(node, found)
        target = self.graph.nodes[to].type
        return code.as_type(code.summed(code.numeric(found), target), target)

    def _times(self, node: Node, delta: Code, local: Code) -> Code:
        """δ times the local derivative, where both broadcast to the operation's output."""
        if self.steps.starts(node):
            return code.numeric(local)
        local = code.numeric(local) if delta.truth else local
        found = code.product(delta, local, node.type, wide=True)
        try:
            fits = np.broadcast_shapes(delta.shape, local.shape) == numpy_shape(node.type)
        except ValueError:
            fits = False
        if fits:
            return found
        plain = Type(node.type.shape)
        return code.product(code.exact(delta), code.exact(local), plain, wide=True)

    def _formula(self, rule: Formula, given: list[Code]) -> Code:
        """A compiled formula on pieces of code."""
        if rule.picks is not None:
            given = [given[i] for i in rule.picks]
        return self._graph(rule.graph, rule.result, given)

    def _graph(self, graph: Graph, result: int, given: list[Code]) -> Code:
        """A node of a graph whose inputs, in front, are pieces of code."""
        found: list[Code] = list(given)
        for node in graph.nodes[len(given) : result + 1]:
            operands = [found[o] if isinstance(o, int) else code.literal(o) for o in node.operands]
            if node.operation is None:
                found.append(operands[0])
            else:
                found.append(self.apply(node.operation, operands, node.type, node.options))
            if len(found[-1].text) > LONGEST:
                raise _too_long(graph, node)
        return found[result]

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
        elementwise = node.operation is not None and node.operation.elementwise
        if not elementwise:
            chosen = code.call("np.any", chosen.text, type=Type(())) if chosen.shape else chosen
        else:
            try:
                np.broadcast_shapes(chosen.shape, node.type.shape)
                fits = len(chosen.shape) <= len(node.type.shape) and all(
                    own in (1, n)
                    for own, n in zip(chosen.shape[::-1], node.type.shape[::-1], strict=False)
                )
                if not fits:
                    chosen = code.summed(chosen, Type(node.type.shape), "np.any")
            except ValueError:
                chosen = code.call("np.any", chosen.text, type=Type(()))
        text = code.numeric(found).text
        return code.call("np.where", chosen.text, text, "0.0", type=found.type)

    # --- blocks and statements -----------------------------------------------------------

    def block(self, operation: Operation, types: tuple[Type, ...]) -> str:
        """The `def` of a block of the program, one for each combination of shapes."""
        key = operation.name, types
        if key in self._blocks:
            return self._blocks[key]
        again = sum(name == operation.name for name, _ in self._blocks)
        name = self._word(operation.name)
        while (
            keyword.iskeyword(name) or name in TAKEN or (not again and name in self.names.values())
        ):
            name += "_"
        name += f"_{again + 1}" if again else ""
        self._blocks[key] = name
        parameters = [self._word(p.name) for p in operation.operands]
        parameters = [f"{p}_" if keyword.iskeyword(p) or p in TAKEN else p for p in parameters]
        assert operation.body is not None
        graph, result = operation.body(types)
        given = [Code(p, ATOM, t) for p, t in zip(parameters, types, strict=True)]
        body = code.numeric(self._graph(graph, result, given))
        self.note(name, ", ".join(parameters), body.text)
        return name

    def _word(self, name: str) -> str:
        return identifier(name, ascii_only=self.style.ascii)

    def _written(self, tree: Tree, node: Node) -> str:
        """The tree of a statement of several operations as code."""
        return code.numeric(code.as_type(self._tree(tree), node.type)).text

    def _tree(self, tree: Tree) -> Code:
        """A tree over names of the graph as code."""
        from gradcli.syntax.tree import Name, postorder  # noqa: PLC0415

        words = dict.fromkeys(
            part.name for part in postorder(tree) if isinstance(part, Name) and not part.qualified
        )
        given: dict[str, Code] = {}
        for node in self.graph.nodes:
            if node.name in words:
                given[node.name] = Code(self.name(node), ATOM, node.type)
            if f"delta_{node.name}" in words and f"delta_{node.name}" not in given:
                delta = Code(f"delta_{self.name(node)}", ATOM, node.type)
                given[f"delta_{node.name}"] = delta
        types = tuple(c.type for c in given.values())
        formula = compile_formula(print_tree(tree), tuple(given), types, {})
        return self._formula(formula, list(given.values()))

    def _statements(self) -> Iterator[Backward]:
        """Statement by statement; a block's rules are the ones of its operation."""
        for move in self.steps.moves():
            delta = Code(f"delta_{self.name(move.node)}", ATOM, move.node.type)
            if move.local is not None:
                found = self._times(move.node, delta, self._tree(move.local))
            else:
                assert move.rule is not None
                found = self._tree(move.rule)
            if len(self.steps.members(move.node)) == 1:
                found = self._selected(move.node, found)
            target = move.to.type
            found = code.as_type(code.summed(code.numeric(found), target), target)
            yield Backward(
                move.step,
                move.node,
                move.to,
                f"delta_{self.name(move.to)}",
                move.assign,
                self._fresh(found, more=move.before is None and not move.final).text,
                move.accumulator,
                move.final,
                move.paths,
            )

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


def _blocks_of(graph: Graph) -> Iterator[Operation]:
    for node in graph.nodes:
        if node.operation is not None and node.operation.body is not None:
            yield node.operation


def _too_long(graph: Graph, node: Node) -> GradcliError:
    return GradcliError(
        Kind.OPTION,
        "a block is too long to be written as one expression",
        source=graph.source,
        span=node.span,
        hint="give its parts names outside of the block",
    )
