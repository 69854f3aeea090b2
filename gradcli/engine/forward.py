"""The forward pass: a loop up the graph that fills in every value.

A graph and its inputs come in, the list of values comes out, one per node. The first
operation that is not finite although its operands are is an error with its place. Infinities and
nans mostly go on from value to value, so the pass looks for them at the end, in the few values
where they can't hide; only if there is one are all values gone through. `fill_in` goes up the graph
from values that are known already, which may be a batch.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind, Label
from gradcli.graph.draft import Literal
from gradcli.graph.graph import Graph, Node, OperationNode
from gradcli.ops.operation import Notation, Operation, Shape, keywords

if TYPE_CHECKING:
    import numpy.typing as npt

Values = list[Any]
"""A value per node: a NumPy float64, or an array of them."""


def forward(
    graph: Graph,
    inputs: Mapping[str, Any],
    *,
    allow_nonfinite: bool = False,
    compiled: Callable[..., Values] | None = None,
) -> Values:
    """Every node's value, in order. `inputs` are float64 scalars or arrays by name.

    `compiled` is the loop over the nodes written out as one function of the inputs' values.

    Raises `GradcliError` (binding) for an input that is not finite and (domain, overflow,
    singular) at the first operation whose value is not finite, unless `allow_nonfinite`.
    """
    given = [inputs[name] for name in graph.input_numbers]
    with np.errstate(all="ignore"):
        values: Values = compiled(*given) if compiled else _loop(graph, given)
        if not allow_nonfinite:
            watched = [values[i] for i in graph.watched]
            if len(inputs) > len(graph.inputs):
                watched += inputs.values()
            if not all(map(all_finite, watched)):
                _refuse_nonfinite(graph, inputs, values)
    return values


def _loop(graph: Graph, given: list[Any]) -> Values:
    count = len(graph.nodes)
    values: Values = [None] * count + list(graph.constants)
    for i, value in zip(graph.inputs, given, strict=True):
        values[i] = value
    for i, (kernel, operands) in enumerate(graph.calls):
        if kernel is not None:
            value = kernel(*operands(values))
            if type(value) is not np.float64 and not value.ndim:
                value = np.float64(value)
            values[i] = value
        elif values[i] is None:
            (values[i],) = operands(values)
    del values[count:]
    return values


def all_finite(value: Any) -> bool:
    """Whether no element is infinite or nan, in one pass where possible."""
    if type(value) is np.float64:
        return math.isfinite(value)
    # A sum of squares is finite only if every element is; that of finite ones may still overflow.
    return math.isfinite(np.vdot(value, value)) or bool(np.isfinite(value).all())


def operand_values(node: Node, values: Sequence[Any]) -> list[Any]:
    """The values of a node's operands."""
    return [values[o] if type(o) is int else o.value for o in node.operands]  # type: ignore[union-attr]


# --- batches -----------------------------------------------------------------------------


def apply(graph: Graph, node: OperationNode, arguments: list[Any]) -> Any:
    """One operation on operands that may carry batch axes in front of their own."""
    return node.kernel(*line_up(graph, node, arguments))


def fill_in(graph: Graph, values: Values, needed: Sequence[bool] | None = None) -> Values:
    """Compute the values that are None (of the `needed` nodes) in place, from those before them.

    Inputs have values; these, and any others that are known, may carry a batch axis in front, and
    then what depends on them carries it too. Infinities and nans are let through.
    """
    for node in graph.nodes:
        if values[node.id] is None and (needed is None or needed[node.id]):
            arguments = operand_values(node, values)
            if node.kernel is None:
                (values[node.id],) = arguments
            else:
                value = apply(graph, node, arguments)
                values[node.id] = value if value.ndim else np.float64(value)
    return values


def line_up(graph: Graph, node: OperationNode, arguments: list[Any]) -> list[Any]:
    """Operands with their own axes where the kernel expects them behind the batch axes."""
    if node.aligned:
        return arguments
    rank = len(node.type.shape)
    pairs = zip(node.operands, arguments, strict=True)
    return [align(a, len(graph.operand_type(o).shape), rank) for o, a in pairs]


def align(array: Any, own: int, rank: int) -> Any:
    """Put axes of length 1 between the batch and an operand's own axes."""
    batch = np.ndim(array) - own
    if batch <= 0 or own >= rank:
        return array
    return array.reshape(array.shape[:batch] + (1,) * (rank - own) + array.shape[batch:])


# --- what `where` leaves out -------------------------------------------------------------


def selected(node: Node, values: Sequence[Any]) -> npt.NDArray[np.bool_] | None:
    """Which elements of a node written inside a `where` count; None if all do."""
    mask: Any = None
    for selection in node.selections:
        condition = selection.condition
        c = values[condition] if isinstance(condition, int) else condition.value
        part = any_over_broadcast((np.asarray(c) != 0) == selection.chosen, node.type.shape)
        mask = part if mask is None else mask & part
    return None if mask is None else np.asarray(mask, dtype=np.bool_)


def any_over_broadcast(mask: npt.NDArray[np.bool_], shape: Shape) -> npt.NDArray[np.bool_]:
    """An element of `shape` counts if any that it is broadcast to counts."""
    try:
        full = np.broadcast_to(mask, np.broadcast_shapes(mask.shape, shape))
    except ValueError:
        return np.broadcast_to(mask.any(), shape)
    front = full.ndim - len(shape)
    spread = [front + i for i, n in enumerate(shape) if n == 1 and full.shape[front + i] > 1]
    return np.asarray(full.any(axis=(*range(front), *spread), keepdims=True)).reshape(shape)


# --- where the mathematics fails ---------------------------------------------------------


def _refuse_nonfinite(graph: Graph, inputs: Mapping[str, Any], values: Values) -> None:
    """Raise at the first input that is not finite, else at the first operation at fault."""
    refuse_nonfinite_inputs(inputs)
    for node in graph.nodes:
        error = nonfinite_error(graph, node, values)
        if error is not None:
            raise error


def refuse_nonfinite_inputs(inputs: Mapping[str, Any]) -> None:
    """Inputs are finite numbers. Raises `GradcliError` of kind binding."""
    for name, value in inputs.items():
        if not all_finite(value):
            place = ""
            if np.ndim(value):
                index = np.argwhere(~np.isfinite(value))[0]
                place = "[" + ", ".join(map(str, index)) + "]"
            what = "nan" if np.isnan(value).any() else "infinite"
            raise GradcliError(
                Kind.BINDING,
                f"the value of '{name}' is not finite: {name}{place} is {what}",
                hint="--allow-nonfinite computes on",
            )


def nonfinite_error(graph: Graph, node: Node, values: Sequence[Any]) -> GradcliError | None:
    """The error of an operation that is not finite where it counts, though its operands are."""
    value = values[node.id]
    if node.operation is None or all_finite(value):
        return None
    if not all(map(all_finite, map(np.asarray, operand_values(node, values)))):
        return None
    bad = ~np.isfinite(value)
    mask = selected(node, values)
    if mask is not None:
        bad = bad & mask
    return value_error(graph, node, values, np.asarray(bad)) if np.any(bad) else None


def value_error(
    graph: Graph, node: OperationNode, values: Sequence[Any], bad: npt.NDArray[np.bool_]
) -> GradcliError:
    """The error of an operation with no finite value where `bad`, at its first such element."""
    operation = node.operation
    arguments = operand_values(node, values)
    inner = _inside_of_block(graph, node, arguments)
    flags = floating_point_flags(node.kernel, arguments)
    kind = inner.kind if inner else _kind(operation.failure, operation.domain, flags)
    where = describe_operands(graph, node, arguments, tuple(np.argwhere(bad)[0]))
    written = written_text(graph, node)
    needs = _needs(graph, node)
    if kind is Kind.OVERFLOW:
        message = f"overflow in {written}{where}: the value exceeds the largest double"
        hint = operation.hint or None
    elif kind is Kind.SINGULAR:
        message, hint = f"{written} is singular{where}", needs
    else:
        message, hint = f"{written} is not defined{where}", needs
    error = GradcliError(kind, message, source=graph.source, span=node.span, hint=hint)
    if inner is not None and inner.span is not None:
        label = Label(inner.span, inner.message.partition(": ")[0])
        error.labels, error.hint = (label,), inner.hint
    return error


def _inside_of_block(
    graph: Graph, node: OperationNode, arguments: Sequence[Any]
) -> GradcliError | None:
    """What goes wrong inside of a user's block, if the node is one and that stands in the text."""
    if node.operation.body is None:
        return None
    body, _ = node.operation.body(keywords(node.kernel)["types"])
    names = (body.nodes[i].name for i in body.inputs)
    try:
        forward(body, dict(zip(names, arguments, strict=True)))
    except GradcliError as error:
        return error if error.source is graph.source and error.span is not None else None
    return None


def _needs(graph: Graph, node: OperationNode) -> str | None:
    """The operation's domain in the operands' own names: `log(d) needs d > 0`.

    Where it is about a literal, in the operation's own: `x/y needs y ≠ 0`.
    """
    operation = node.operation
    if not operation.domain:
        return None
    names = operation.operand_names(len(node.operands))
    operands = dict(zip(names, node.operands, strict=True))
    words = set(re.findall(_WORD, operation.domain))
    if any(isinstance(operands[word], Literal) for word in words & operands.keys()):
        return f"{_in_general(operation, names)} needs {operation.domain}"
    meaning = {n: _called(graph, o) for n, o in operands.items() if isinstance(o, int)}
    needed = re.sub(_WORD, lambda word: meaning.get(word[0], word[0]), operation.domain)
    return f"{written_text(graph, node)} needs {needed}"


_WORD = r"[^\W\d]\w*"


def _in_general(operation: Operation, names: Sequence[str]) -> str:
    """The operation with its parameters' names: `x/y`, `log(x, base)`."""
    if operation.symbol in ("/", "^"):
        return operation.symbol.join(names)
    name = next(iter(operation.aliases), operation.name)
    return f"{name}({', '.join(names)})"


def _kind(failure: str, domain: str, flags: set[str]) -> Kind:
    if failure:
        return Kind(failure)
    return Kind.OVERFLOW if not domain or flags == {"overflow"} else Kind.DOMAIN


def floating_point_flags(function: Any, arguments: Sequence[Any]) -> set[str]:
    """Which IEEE exceptions a computation raises: overflow, divide by zero, invalid value."""
    raised: set[str] = set()
    with np.errstate(all="call", under="ignore", call=lambda flag, _bits: raised.add(flag)):
        function(*arguments)
    return raised


def written_text(graph: Graph, node: Node) -> str:
    """The operation as written in the program, or just its name when that is long."""
    text = " ".join(graph.source.text[node.span.start : node.span.end].split())
    if node.operation is not None and node.operation.notation is Notation.RECIPROCAL:
        text = f"1{text}" if text.startswith("/") else text
    if text and len(text) <= 40:
        return text
    return f"{node.name} ({node.operation.name})" if node.operation else node.name


def _called(graph: Graph, number: int) -> str:
    """A node's name; in a block, where operations have none, what is written there."""
    node = graph.nodes[number]
    return node.name if node.name[0] != "#" else written_text(graph, node)


def describe_operands(
    graph: Graph, node: Node, arguments: Sequence[Any], place: tuple[int, ...]
) -> str:
    """` at x = -1`, ` at x[2] = -1, y = 3`; nothing where operands are whole arrays."""
    parts = []
    shape = node.type.shape
    elementwise = node.operation is not None and node.operation.elementwise
    for operand, argument in zip(node.operands, arguments, strict=True):
        if isinstance(operand, Literal):
            continue
        name = _called(graph, operand)
        own = np.shape(argument)
        if own == ():
            parts.append(f"{name} = {float(argument):.6g}")
        elif elementwise:
            index = place[len(shape) - len(own) :]
            index = tuple(i if n > 1 else 0 for i, n in zip(index, own, strict=True))
            subscript = ", ".join(map(str, index))
            name = name if name.isidentifier() else f"({name})"
            parts.append(f"{name}[{subscript}] = {float(argument[index]):.6g}")
    return " at " + ", ".join(dict.fromkeys(parts)) if parts else ""
