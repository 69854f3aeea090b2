"""Random programs with random points, for tests and for `scripts/bench`.

A program is a few statements of scalars, with forks, and now and then a small vector or matrix.
Points are spread over many orders of magnitude, since that is where checks go wrong. Everything
follows from one seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

UNARY = (
    *("sin", "cos", "tan", "tanh", "sinh", "cosh", "asin", "atan", "asinh"),
    *("exp", "expm1", "exp2", "log", "log1p", "log2", "sqrt", "cbrt", "square"),
    *("sigmoid", "softplus", "logsigmoid", "softsign", "gelu", "silu", "mish", "erf"),
    *("abs", "relu", "elu", "leaky_relu"),
)
BINARY = ("+", "-", "*", "/", "+", "-", "*", "max", "min", "hypot", "atan2", "logaddexp", "^")
VECTOR = (
    "sum({v})", "norm({v})", "logsumexp({v})", "{v}.T @ {v}", "max({v})", "mean({v}*{v})",
    "var({v})", "softmax({v})[0]", "prod({v})", "cumsum({v})[1]", "log_softmax({v})[1]",
    "std({v})",
)  # fmt: skip
MATRIX = ("det({m})", "trace(inv({m}))", "sum({m} @ {m})", "norm({m})", "solve({m}, [1, 2])[0]")


def random_program(seed: int) -> tuple[str, dict[str, float]]:
    """A program and its inputs' values."""
    draw = random.Random(seed)  # noqa: S311 - no secrets
    inputs = ["x", "y", "z"][: draw.randint(1, 3)]
    names = list(inputs)
    lines = []
    for i in range(draw.randint(1, 5)):
        name = f"n{i}"
        lines.append(f"{name} = {_expression(draw, names, draw.randint(1, 3))}")
        names.append(name)
    lines.append(_result(draw, names, inputs))
    return "\n".join(lines), {name: _value(draw) for name in inputs}


def random_programs(count: int, first: int = 0) -> Iterator[tuple[str, dict[str, float]]]:
    """`count` programs in a row."""
    return map(random_program, range(first, first + count))


def _value(draw: random.Random) -> float:
    """A point: mostly ordinary, sometimes tiny, large, or a round number's neighbour."""
    kind = draw.random()
    sign = draw.choice((1, -1, 1))
    if kind < 0.6:
        return sign * round(draw.uniform(0.1, 4), draw.choice((1, 2, 6, 15)))
    if kind < 0.75:
        return sign * 10 ** draw.uniform(-9, -1)
    if kind < 0.9:
        return sign * 10 ** draw.uniform(0, 4)
    return sign * (draw.randint(1, 3) + draw.choice((1, -1)) * 10 ** draw.uniform(-14, -6))


def _literal(draw: random.Random) -> str:
    return draw.choice(("1", "2", "0.5", "3", "1e-3", "1e3", "pi", "0.1"))


def _expression(draw: random.Random, names: list[str], depth: int) -> str:
    if depth == 0:
        return draw.choice(names) if draw.random() < 0.8 else _literal(draw)
    kind = draw.random()
    if kind < 0.45:
        return f"{draw.choice(UNARY)}({_expression(draw, names, depth - 1)})"
    if kind < 0.92:
        a = b = _expression(draw, names, depth - 1)
        while b == a:
            b = _expression(draw, names, depth - 1) if draw.random() < 0.9 else _literal(draw)
        operator = draw.choice(BINARY)
        if operator == "^":
            return f"({a})^{draw.choice(('2', '3', '0.5', '(-1)', '4'))}"
        if operator in ("+", "-", "*", "/"):
            return f"({a} {operator} {b})"
        return f"{operator}({a}, {b})"
    return _array(draw, names)


def _array(draw: random.Random, names: list[str]) -> str:
    if draw.random() < 0.7:
        vector = "[" + ", ".join(draw.choice(names) for _ in range(3)) + "]"
        return draw.choice(VECTOR).format(v=f"({vector}*[1, 2, 0.5])")
    a, b, c = (draw.choice(names) for _ in range(3))
    return draw.choice(MATRIX).format(m=f"[[{a}, 2], [{b}*{c}, 3]]")


def _result(draw: random.Random, names: list[str], inputs: list[str]) -> str:
    """A last line that uses the last names, so that most of the program is alive."""
    last = names[-1]
    other = draw.choice(names)
    third = draw.choice(inputs)
    forms = (
        "{last} + {other}*{third}",
        "{last}*{other} - {third}",
        "{last}",
        "sin({last})*{third}",
    )
    return draw.choice(forms).format(last=last, other=other, third=third)
