"""Every operation of the table as NumPy writes it.

An operation is applied to pieces of code of known types; out comes the code of its value. Its row
has NumPy's spelling; where shapes decide what is written, `Calls` has a method of the row's name.
What NumPy and SciPy lack is noted as a helper. What works along axes is in `lines`, what picks and
puts elements in `placing`.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.export.numpy.code import (
    ATOM,
    Code,
    as_type,
    call,
    exact,
    fractional,
    literal,
    number,
    numeric,
    numpy_shape,
    product,
    total,
)
from gradcli.export.numpy.code import array as code_array
from gradcli.export.numpy.placing import Placing
from gradcli.graph.graph import Graph, Node
from gradcli.graph.identifiers import TAKEN, identifier
from gradcli.ops.operation import Operation, Options, Type
from gradcli.ops.options import shown
from gradcli.ops.table.products import product_case
from gradcli.report.style import Style

LONGEST = 20_000
"""A block whose expression has more characters than this is refused."""


class Calls(Placing):
    """Operations as code. `helpers` and `imports` are what the code needs besides NumPy."""

    names: Mapping[str, str]
    """What the nodes are called in the code."""

    def __init__(self, style: Style) -> None:
        super().__init__()
        self.style = style
        self._blocks: dict[Any, str] = {}

    def apply(
        self,
        operation: Operation,
        operands: list[Code],
        out: Type,
        options: Options,
        *,
        wide: bool = False,
    ) -> Code:
        """The operation on operands; `wide` puts spaces around the sign of a product."""
        if operation.body is not None:
            types = tuple(x.type for x in operands)
            return call(self._block(operation, types), *(x.text for x in operands), type=out)
        if operation.elementwise:
            lined_up = self._lined_up(operands, out)
            return self.elementwise(operation, lined_up, out, options, wide=wide)
        spelled = partial(self.spelled, operation)
        write: Callable[..., Code] = getattr(self, f"_{operation.name}", spelled)
        return as_type(write(operands, out, options), out)

    def node_code(self, node: Node, found: Sequence[Code]) -> Code:
        """A node on the code of its operands, which `found` has by their numbers."""
        operands = [found[o] if isinstance(o, int) else literal(o) for o in node.operands]
        if node.operation is None:
            return operands[0]
        return self.apply(node.operation, operands, node.type, node.options)

    def value_of(self, graph: Graph, result: int, given: Sequence[Code]) -> Code:
        """A node of a graph whose inputs, in front, are pieces of code."""
        found = [*given]
        for node in graph.nodes[len(given) : result + 1]:
            found.append(self.node_code(node, found))
            if len(found[-1].text) > LONGEST:
                raise GradcliError(
                    Kind.OPTION,
                    "a block is too long to be written as one expression",
                    source=graph.source,
                    span=node.span,
                    hint="give its parts names outside of the block",
                )
        return found[result]

    def _block(self, operation: Operation, types: tuple[Type, ...]) -> str:
        """The `def` of a block of the program, one for each combination of shapes."""
        key = operation.name, types
        if key in self._blocks:
            return self._blocks[key]
        again = sum(name == operation.name for name, _ in self._blocks)
        name = self._word(operation.name, () if again else self.names.values())
        name += f"_{again + 1}" if again else ""
        self._blocks[key] = name
        parameters = [self._word(p.name) for p in operation.operands]
        assert operation.body is not None
        graph, result = operation.body(types)
        given = [Code(p, ATOM, t) for p, t in zip(parameters, types, strict=True)]
        body = numeric(self.value_of(graph, result, given))
        self.note(name, ", ".join(parameters), body.text)
        return name

    def _word(self, name: str, taken: Collection[str] = ()) -> str:
        word = identifier(name, ascii_only=self.style.ascii)
        while keyword.iskeyword(word) or word in TAKEN or word in taken:
            word += "_"
        return word

    def _lined_up(self, operands: list[Code], out: Type) -> list[Code]:
        """Operands with the axes that make NumPy broadcast them to the output's shape."""
        shapes = [x.shape for x in operands]
        if operands and np.broadcast_shapes(*shapes) != numpy_shape(out):
            return [exact(x) for x in operands]
        return operands

    # --- products ------------------------------------------------------------------------

    def _matmul(self, x: list[Code], out: Type, _options: Options) -> Code:
        a, b = map(numeric, x)
        case = product_case(a.type, b.type)
        if case == "stack":
            a, b = exact(a), exact(b)
        elif case == "vr" or (case == "mm" and b.type.row):
            if a.type.row:
                return product(a, b, out)
            return call("np.outer", a.text, b.text, type=Type(out.shape))
        return product(a, b, out, "@")

    def _dot(self, x: list[Code], out: Type, options: Options) -> Code:
        a, b = map(numeric, x)
        if a.type.shape and b.type.shape:
            return self._matmul(x, out, options)
        return product(exact(a), exact(b), Type(out.shape))

    # --- one matrix ----------------------------------------------------------------------

    def _T(self, x: list[Code], out: Type, _options: Options) -> Code:
        (a,) = map(numeric, x)
        if len(a.shape) < 2:
            return a._replace(type=out)
        return Code(f"{a.at(ATOM)}.T", ATOM, out, view=True)

    def _matrix_transpose(self, x: list[Code], out: Type, options: Options) -> Code:
        a = exact(x[0])
        if len(a.shape) == 2:
            return self._T([a], out, options)
        return call("np.swapaxes", a.text, "-1", "-2", type=out, view=True)

    def _col(self, x: list[Code], out: Type, _options: Options) -> Code:
        return Code(f"{numeric(x[0]).at(ATOM)}[:, None]", ATOM, out, view=True)

    def _row(self, x: list[Code], out: Type, _options: Options) -> Code:
        return numeric(x[0])._replace(type=out)

    def _place_diagonal(self, x: list[Code], out: Type, options: Options) -> Code:
        k, (m, n) = options["k"], options["shape"]
        side = x[0].shape[0] + abs(k)
        found = call("np.diag", fractional(x[0]).text, str(k) if k else "", type=Type((side, side)))
        text = found.text
        if m < side or n < side:
            text = f"{text}[:{min(m, side)}, :{min(n, side)}]"
        if m > side or n > side:
            text = f"np.pad({text}, ((0, {max(m - side, 0)}), (0, {max(n - side, 0)})))"
        return Code(text, ATOM, out)

    def _expm_slope(self, x: list[Code], out: Type, _options: Options) -> Code:
        """A block of the exponential of a larger matrix."""
        n = out.shape[0]
        A, *others = (exact(fractional(a)).text for a in x)
        for k, E in enumerate(others):
            copies = f"np.kron(np.eye({2**k}), {E})" if k else E
            A = f"np.block([[{A}, {copies}], [np.zeros(({n * 2**k}, {n * 2**k})), {A}]])"
        self.imports["expm"] = "scipy.linalg"
        return Code(f"expm({A})[:{n}, -{n}:]", ATOM, Type(out.shape))

    # --- shapes --------------------------------------------------------------------------

    def _array(self, x: list[Code], out: Type, options: Options) -> Code:
        level = [exact(fractional(a)).text for a in x]
        for n in reversed(options["shape"]):
            starts = range(0, len(level), n) if n else [0]
            level = [f"[{', '.join(level[i : i + n])}]" for i in starts]
        return call("np.array", level[0], type=out)

    def _index(self, x: list[Code], out: Type, options: Options) -> Code:
        items = [list(i) if isinstance(i, tuple) else i for i in options["items"]]
        while len(items) > 1 and items[-1] == slice(None):
            items.pop()
        text = ", ".join(map(_item, items)) or "..."
        return Code(f"{exact(numeric(x[0])).at(ATOM)}[{text}]", ATOM, out, view=True)

    def _given(self, _x: list[Code], out: Type, options: Options) -> Code:
        """A value that depends on shapes alone."""
        return code_array(np.array(options["value"]))._replace(type=out)

    _shape = _size = _ndim = _given

    def _einsum(self, x: list[Code], out: Type, options: Options) -> Code:
        spec = ",".join(options["terms"]) + f"->{options['to']}"
        return call("np.einsum", f"'{spec}'", *(exact(fractional(a)).text for a in x), type=out)

    _tensordot = _einsum

    def _pad(self, x: list[Code], out: Type, options: Options) -> Code:
        value = options["value"]
        filled = f"constant_values={float(value)!r}" if value else ""
        widths = shown(options["widths"])
        return call("np.pad", exact(fractional(x[0])).text, widths, filled, type=Type(out.shape))

    _pad_last = _pad

    def _targets(self, x: list[Code], out: Type, _options: Options) -> Code:
        t, z = (exact(a) for a in x)
        if t.shape == z.shape:
            return t
        wide, numbers = f"np.expand_dims({t.text}, -1)", f"np.arange({out.shape[-1]})"
        return call("1.0*np.equal", wide, numbers, type=Type(out.shape))

    # --- makers --------------------------------------------------------------------------

    def _eye(self, _x: list[Code], out: Type, _options: Options) -> Code:
        n, m = out.shape
        return call("np.eye", str(n), str(m) if m != n else "", type=out)

    def _arange(self, _x: list[Code], out: Type, options: Options) -> Code:
        found = call("np.arange", f"{float(out.shape[0])!r}", type=out)
        if options["step"] != 1:
            found = product(number(options["step"], shown(options["step"])), found, out)
        start = options["start"]
        return total(number(start, shown(start)), found, out) if start else found


def _item(item: Any) -> str:
    """An item of an index."""
    if not isinstance(item, slice):
        return str(item)
    start, stop, step = ("" if p is None else str(p) for p in (item.start, item.stop, item.step))
    return f"{start}:{stop}" + (f":{step}" if step else "")
