"""From a draft to a graph: every node gets its shape and its kernel.

A draft and the inputs' shapes come in; a `Graph` comes out. Whether shapes fit is decided here,
once, and shown with both operands.
"""

from __future__ import annotations

from collections.abc import Mapping

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.graph.draft import Draft, Literal, Step
from gradcli.graph.graph import ConstantNode, Graph, InputNode, Node, OperationNode, Origin
from gradcli.ops.operation import Misfit, Type, times

MOST_ELEMENTS = 2**28
"""No single value may have more elements than this (2 GiB)."""


def build(
    draft: Draft,
    given: Mapping[str, Type],
    *,
    numpy_rules: bool = False,
    origin: Origin | None = None,
) -> Graph:
    """Find every node's type and kernel. Raises `GradcliError` of kind shape.

    `given` are the types of the inputs, by name; `numpy_rules` adds a vector to the rows of
    any matrix, as NumPy does; `origin` is of a whole program's graph.
    """
    types: list[Type] = []
    nodes: list[Node] = []
    for i, step in enumerate(draft.steps):
        node = _typed(draft, i, step, types, given, origin, numpy_rules=numpy_rules)
        nodes.append(node)
        types.append(node.type)
    nodes = _with_selections(nodes)
    return Graph(draft.source, tuple(nodes), draft.output, origin)


def _typed(
    draft: Draft,
    i: int,
    step: Step,
    types: list[Type],
    given: Mapping[str, Type],
    origin: Origin | None,
    *,
    numpy_rules: bool,
) -> Node:
    operation, operands, options = step.operation, step.operands, step.options
    name = step.name or f"#{i}"
    if operation is None:
        if step.kind == "input":
            return InputNode(i, name, given[name], step.span, step.symbol_span, origin)
        (literal,) = operands
        assert isinstance(literal, Literal)
        return ConstantNode(i, name, literal, literal.type, step.span, step.symbol_span, origin)
    of = tuple([types[o] if isinstance(o, int) else o.type for o in operands])
    try:
        out, kernel, options = operation.bind(
            of, options, numpy_rules=numpy_rules or step.numpy_rules
        )
    except Misfit as misfit:
        from gradcli.graph.misfits import misfit_error  # noqa: PLC0415 - most shapes fit

        raise misfit_error(draft.source, draft.steps, step, of, misfit) from None
    except GradcliError as error:  # from inside of a block
        raise error.called_at(draft.source, step.span) from None
    if out.shape and out.size > MOST_ELEMENTS:
        raise _too_large(draft, step, out)
    aligned = (
        not out.shape
        or operation.infer is not None
        or all(len(t.shape) == len(out.shape) for t in of)
    )
    row = (
        *(i, name, step.kind == "operation", operation, operands, options, step.options),
        *(out, kernel, aligned, step.selections, step.span, step.symbol_span, origin),
    )
    return tuple.__new__(OperationNode, row)  # half the time of a call of the class


def _too_large(draft: Draft, step: Step, out: Type) -> GradcliError:
    size = f"of {times(out.shape)} is too large: {out.size:,}"
    if out.size > 10**20:
        size = f"is too large: {float(min(out.size, 10**300)):.0e}"
    return GradcliError(
        Kind.SHAPE,
        f"an array {size} elements, at most {MOST_ELEMENTS:,}",
        source=draft.source,
        span=step.span,
    )


def _with_selections(nodes: list[Node]) -> list[Node]:
    """Keep a node's selections only where they tell its elements apart.

    Inside a branch of `where`, a node is selected element by element as long as only elementwise
    operations stand between it and the `where`; with a scalar condition always.
    """
    if not any(node.operation is not None and node.selections for node in nodes):
        return nodes
    lost: dict[int, set[int]] = {}
    result = list(nodes)
    for node in reversed(nodes):
        if node.operation is None:
            continue
        gone = lost.get(node.id, set())
        if gone:
            kept = tuple(s for s in node.selections if id(s) not in gone)
            result[node.id] = node._replace(selections=kept)
        elementwise = node.operation.elementwise
        if not node.selections or (elementwise and not gone):
            continue  # nothing is lost here: the selections need not be looked through
        inside = set(map(id, node.selections))
        for operand in node.operands:
            below = nodes[operand] if isinstance(operand, int) else None
            if below is None or below.operation is None:
                continue
            for selection in below.selections:
                broken = id(selection) in inside and (not elementwise or id(selection) in gone)
                condition = selection.condition
                where = nodes[condition] if isinstance(condition, int) else condition
                if broken and where.type.shape:
                    lost.setdefault(below.id, set()).add(id(selection))
    return result
