"""Random array programs made of the operation table, for the sweeps of `batch`.

A program is a few statements; each applies a row of the table to names that are there, whose types
the row itself accepts or refuses, so a new row is tried without a change here. What a row can't
take (a logarithm's negative number, a singular matrix) is led into its domain by the text around
the operand. Names are used again and again: forks are the rule. Everything follows from one seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
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
    "step": (1, 2), "start": (0,), "stop": (2, 3),
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
ROWS = tuple(row for row in ops.TABLE if row.aliases or row.name in {"index", "array"})
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
        made = _statement(draw, names)
        if made is not None:
            name = f"n{len(lines)}"
            lines.append(f"{name} = {made[0]}")
            names[name] = made[1]
    last = list(names)[-draw.randint(1, 3) :]
    terms = [_number(draw, name, names[name]) for name in [*last, draw.choice(list(names))]]
    text = "\n".join([*lines, " + ".join(terms)])
    return Written(text, inputs)


def array_programs(count: int, first: int = 0) -> Iterator[Written]:
    """`count` programs in a row."""
    return map(array_program, range(first, first + count))


def array_point(written: Written, rows: int, seed: int) -> dict[str, Any]:
    """`rows` values for every input, ordinary numbers."""
    draw = np.random.default_rng(seed)
    return {n: draw.uniform(-1.5, 1.5, (rows, *t.shape)) for n, t in written.inputs.items()}


def _number(draw: random.Random, name: str, of: Type) -> str:
    form = draw.choice(("{}", "sin({})", "tanh({})*{}", "{}*{}", "atan({})"))
    text = form.format(name, name)
    return text if not of.shape else f"sum({text})"


def _statement(draw: random.Random, names: dict[str, Type]) -> tuple[str, Type] | None:
    """A row of the table on names that it takes, as text, and the type of what comes out."""
    for _ in range(40):
        row = draw.choice(ARRAY_ROWS if draw.random() < 0.6 else ROWS)
        least = 2 if row.parameters[0].variadic else 0
        count = least + (draw.random() < 0.2) if least else len(row.operands)
        operands = [_operand(draw, names) for _ in range(count)]
        options = {
            p.name: draw.choice(OPTIONS[p.name])
            for p in row.parameters
            if p.option and p.name in OPTIONS and (p.required or draw.random() < 0.6)
        }
        text = _call(draw, row, operands, options, names)
        try:
            out = row.bind(tuple(names[o] for o in operands), options).type
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
    options: dict[str, Any],
    names: dict[str, Type],
) -> str:
    given = [_argument(draw, row, o, names[o]) for o in operands]
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
    return draw.choice(BOUNDED).format(name) if draw.random() < 0.4 else name


def _option(value: Any) -> str:
    return "inf" if value == np.inf else str(value)
