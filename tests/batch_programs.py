"""Random array programs made of the operation table, for the sweeps of `batch`.

A program is a few statements; each applies a row of the table to names that are there, whose types
the row itself accepts or refuses, so a new row is tried without a change here. What a row can't
take (a logarithm's negative number, a singular matrix) is led into its domain by the text around
the operand. Names are used again and again: forks are the rule. Everything follows from one seed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcli import ops
from gradcli.ops.operation import Misfit, Operation, Type

INPUTS = {
    "x": Type(()), "y": Type(()), "u": Type((3,)), "v": Type((3,)), "w": Type((2,)),
    "A": Type((2, 3)), "B": Type((3, 2)), "S": Type((3, 3)), "Q": Type((2, 2)), "R": Type((2, 2)),
    "C": Type((2, 2, 3)),
}  # fmt: skip
OPTIONS: dict[str, tuple[Any, ...]] = {
    "axis": (None, 0, 1, -1), "keepdims": (False, True), "k": (0, 1, -1), "n": (1, 2, 3),
    "m": (None, 2), "num": (2, 3), "ddof": (0,), "p": (1, 2, np.inf), "fill": (0, 1), "at": (0, 1),
    "step": (1, 2), "a": (0.5, 2), "q": (0.3, 1), "shift": (1, -1), "reps": (2, (2, 1)),
    "width": (1, (1, 2)), "start": (0,), "stop": (2, 3),
    "shape": (2, 3, 4, 6, (2, 3), (3, 2), (2, 2), (3, 3), (6,), (-1,), (3, -1), (1, 3)),
}  # fmt: skip
ITEMS: dict[str, tuple[Any, ...]] = {
    "0": (0,), "-1": (-1,), "1": (1,), "0:2": (slice(0, 2, None),),
    "1:": (slice(1, None, None),), "::-1": (slice(None, None, -1),), "::2": (slice(None, None, 2),),
    ":, 0": (slice(None, None, None), 0), "1, :": (1, slice(None, None, None)),
    ":, 1:": (slice(None, None, None), slice(1, None, None)), "0, 1": (0, 1),
    ":, None": (slice(None, None, None), None), "None": (None,), ":, ::-1":
    (slice(None, None, None), slice(None, None, -1)),
}  # fmt: skip
BOUNDED = ("sin({})", "cos({})", "tanh({})", "atan({})", "sigmoid({})")
INSIDE = {"acosh": "(1.2 + sigmoid({}))", "pow": "(0.5 + sigmoid({}))"}
"""What leads any operand into the domain of a function, where it isn't between 0 and 1."""
ROWS = tuple(
    row
    for row in ops.TABLE
    if row.name in {"index", "array"}
    or (
        row.aliases and all(p.name in OPTIONS or not p.required for p in row.parameters if p.option)
    )
)
"""The rows for whose options there are values above."""
ARRAY_ROWS = tuple(row for row in ROWS if not row.elementwise)


class Written(NamedTuple):
    """A program, and the types of its inputs."""

    text: str
    inputs: dict[str, Type]


def array_program(seed: int) -> Written:
    """A program with arrays among its inputs and a number for its output."""
    draw = random.Random(seed)  # noqa: S311 - no secrets
    names = dict(draw.sample(list(INPUTS.items()), draw.randint(2, 4)))
    inputs = dict(names)
    lines: list[str] = []
    for _ in range(draw.randint(3, 9)):
        made = _statement(draw, names, ARRAY_ROWS if draw.random() < 0.6 else ROWS)
        if made is not None:
            name = f"n{len(lines)}"
            lines.append(f"{name} = {made[0]}")
            names[name] = made[1]
    last = list(names)[-draw.randint(1, 3) :]
    terms = [_number(draw, name, names[name]) for name in [*last, draw.choice(list(names))]]
    text = "\n".join([*lines, " + ".join(terms)])
    return Written(text, inputs)


SPECIAL = (
    *(
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        -0.5,
        2.0,
        -2.0,
        3.0,
        1.5,
        20.0,
        -20.0,
        40.0,
        709.0,
        711.0,
        -746.0,
    ),
    *(np.pi / 2, 1e16, 1e154, -1e155, 1e300, -1.7e308, 1e-8, 1e-160, -1e-200, 1e-308, 5e-324),
)
"""Kinks, borders of domains, and where numbers overflow, vanish or round."""
NOT_FINITE = (np.nan, np.inf, -np.inf)


def edgy_program(seed: int, *, scalar: bool) -> Written:
    """A program whose operands are led into no domain, with branches of `where` written inside."""
    draw = random.Random(seed)  # noqa: S311 - no secrets
    known = [(n, t) for n, t in INPUTS.items() if not (scalar and t.shape)]
    names = dict(draw.sample(known, min(len(known), draw.randint(1, 3))))
    inputs, lines = dict(names), list[str]()
    rows = tuple(r for r in ROWS if r.elementwise and not (scalar and r.name == "array"))
    for _ in range(draw.randint(1, 6)):
        made = None
        if draw.random() < 0.25:
            made = _branches(draw, names)
        elif scalar or draw.random() < 0.5:
            made = _statement(draw, names, rows, tame=False)
        else:
            made = _statement(draw, names, ROWS, tame=False)
        if made is not None and not (scalar and made[1].shape):
            name = f"n{len(lines)}"
            lines.append(f"{name} = {made[0]}")
            names[name] = made[1]
    last = list(names)[-draw.randint(1, 2) :]
    terms = [n if not names[n].shape else f"sum({n})" for n in last]
    return Written("\n".join([*lines, draw.choice((" + ", "*")).join(terms)]), inputs)


def edgy_point(written: Written, rows: int, seed: int) -> dict[str, Any]:
    """`rows` values for every input: special and ordinary ones, and now and then an infinity."""
    draw = np.random.default_rng(seed)

    def numbers(shape: tuple[int, ...]) -> Any:
        kind = draw.random(shape)
        special = draw.choice(SPECIAL, shape)
        bad = draw.choice(NOT_FINITE, shape)
        ordinary = draw.uniform(-3, 3, shape).round(1)
        return np.where(kind < 0.45, ordinary, np.where(kind < 0.99, special, bad))

    return {n: numbers((rows, *t.shape)) for n, t in written.inputs.items()}


def _branches(draw: random.Random, names: dict[str, Type]) -> tuple[str, Type] | None:
    """A `where` with operations inside, one of them in a `where` of its own now and then."""
    a = _operand(draw, names)
    alike = [n for n, t in names.items() if t == names[a]]
    rows = [r for r in ROWS if r.elementwise and len(r.operands) == 1 and len(r.parameters) == 1]

    def inside(depth: int) -> str:
        text = draw.choice(alike)
        for _ in range(draw.randint(1, 2)):
            text = f"{draw.choice(rows).aliases[0]}({text})"
        if depth and draw.random() < 0.4:
            text = (
                f"where({draw.choice(alike)} > {draw.choice((0, 1))}, {text}, {inside(depth - 1)})"
            )
        return text

    test = draw.choice(("{} > 0", "{} < 1", "{} != 0", "{} >= 2", "sign({})", "{}"))
    return f"where({test.format(a)}, {inside(1)}, {inside(1)})", names[a]


GUARDS = (
    *("relu({})", "atan(relu({}))", "log1p(relu({}))", "sqrt(relu({}))", "sqrt(abs({}))"),
    *("max({}, 0)", "sqrt(max({}, 0))", "log(max({}, 0.5))", "1/max({}, 0)", "min({}, 1)"),
)
"""Functions with branches of their own, and what leads numbers into a domain or past its border."""
PARTIAL = ("sqrt({})", "log({})", "1/{}", "acos({})", "exp(exp({}))", "{}^1.5", "log1p({})", "{}")
"""What has no finite number, or none that is refused, at some points of its operand."""
TESTS = ("{} > 0", "{} < 1", "{} != 0", "{} >= -1", "{}")
MIXED = {"x": Type(()), "y": Type(()), "u": Type((2,)), "v": Type((2,)), "M": Type((3, 2))}
"""Inputs whose types are broadcast to each other."""


def guarded_program(seed: int, *, scalar: bool) -> Written:
    """A program of `where` and other guards, in which numbers and arrays select each other."""
    draw = random.Random(seed)  # noqa: S311 - no secrets
    known = [(n, t) for n, t in MIXED.items() if not (scalar and t.shape)]
    names = dict(draw.sample(known, draw.randint(2, min(len(known), 3))))
    inputs, lines = dict(names), list[str]()
    for _ in range(draw.randint(1, 3)):
        text, of = _guarded(draw, names, 2)
        name = f"n{len(lines)}"
        lines.append(f"{name} = {text}")
        names[name] = of
    last = [*names][-draw.randint(1, 2) :]
    terms = [n if not names[n].shape else f"sum({n})" for n in [*last, draw.choice([*inputs])]]
    return Written("\n".join([*lines, draw.choice((" + ", "*")).join(terms)]), inputs)


def _guarded(draw: random.Random, names: dict[str, Type], depth: int) -> tuple[str, Type]:
    """A `where` of branches that may have fewer axes than its condition, or more; or a leaf."""
    if not depth or draw.random() < 0.25:
        text = draw.choice([*names])
        shape = names[text].shape
        if shape and draw.random() < 0.5:
            form = draw.choice(("{}[0]", "sum({})", "sum(sqrt({}))", "sum(log({}.T))"))
            text, shape = form.format(text), shape[1:] if form == "{}[0]" else ()
        return draw.choice((*GUARDS, *PARTIAL)).format(text), Type(shape)
    test = draw.choice([*names])
    (a, a_type), (b, b_type) = (_guarded(draw, names, depth - 1) for _ in range(2))
    if draw.random() < 0.3:
        b, b_type = "0", Type(())
    shape = np.broadcast_shapes(names[test].shape, a_type.shape, b_type.shape)
    return f"where({draw.choice(TESTS).format(test)}, {a}, {b})", Type(shape)


def array_point(written: Written, rows: int, seed: int) -> dict[str, Any]:
    """`rows` values for every input, ordinary numbers."""
    draw = np.random.default_rng(seed)
    return {n: draw.uniform(-1.5, 1.5, (rows, *t.shape)) for n, t in written.inputs.items()}


def _number(draw: random.Random, name: str, of: Type) -> str:
    form = draw.choice(("{}", "sin({})", "tanh({})*{}", "{}*{}", "atan({})"))
    text = form.format(name, name)
    return text if not of.shape else f"sum({text})"


def _statement(
    draw: random.Random, names: dict[str, Type], rows: Sequence[Operation], *, tame: bool = True
) -> tuple[str, Type] | None:
    """A row of the table on names that it takes, as text, and the type of what comes out.

    Operands are led into the row's domain if it is to be `tame`.
    """
    for _ in range(40):
        row = draw.choice(rows)
        least = 2 if row.parameters[0].variadic else 0
        count = least + (draw.random() < 0.2) if least else len(row.operands)
        operands = [_operand(draw, names) for _ in range(count)]
        options = {
            p.name: draw.choice(OPTIONS[p.name])
            for p in row.parameters
            if p.option and p.name in OPTIONS and (p.required or draw.random() < 0.6)
        }
        given = [_argument(draw, row, o, names[o]) if tame else o for o in operands]
        text = _call(draw, row, operands, given, options)
        try:
            defaults = {p.name: p.default for p in row.parameters if p.option}
            out = row.bind(tuple(names[o] for o in operands), defaults | options).type
        except Misfit:
            continue
        if 0 < out.size <= 40 and len(out.shape) <= 3:
            return text, out
    return None


def _operand(draw: random.Random, names: dict[str, Type]) -> str:
    known = list(names)
    return draw.choice(known[-3:] if draw.random() < 0.6 else known)


def _call(
    draw: random.Random,
    row: Operation,
    operands: list[str],
    given: list[str],
    options: dict[str, Any],
) -> str:
    """The row's call; an index has its items put among the options."""
    if row.name == "index":
        item = draw.choice(list(ITEMS))
        options["items"] = ITEMS[item]
        return f"{operands[0]}[{item}]"
    if row.name == "array":
        options["shape"] = (len(operands),)
        return f"[{', '.join(given)}]"
    name = draw.choice(row.aliases)
    words = [f"{name}={_option(value)}" for name, value in options.items()]
    if row.parameters[0].option:  # a maker: its operands come behind its options
        words += [f"{p.name}={o}" for p, o in zip(row.operands, given, strict=True)]
        return f"{name}({', '.join(words)})"
    joined = [f"({', '.join(given)})"] if row.sequence else given
    return f"{name}({', '.join([*joined, *words])})"


def _argument(draw: random.Random, row: Operation, name: str, of: Type) -> str:
    """A name as an operand that the row has a value for."""
    square = len(of.shape) == 2 and of.shape[0] == of.shape[1]
    if row.failure and square:
        return f"(0.2*tanh({name}) + 2*eye({of.shape[0]}))"
    if row.domain and row.elementwise:
        return INSIDE.get(row.name, "(0.2 + 0.6*sigmoid({}))").format(name)
    plain = of.row or draw.random() < 0.6  # an elementwise function of a row makes a matrix
    return name if plain else draw.choice(BOUNDED).format(name)


def _option(value: Any) -> str:
    return "inf" if value == np.inf else str(value)
