"""The tutorial's network (§4.2): every layer's gradients against its equations, in NumPy."""

from typing import Any

import numpy as np
import pytest

from gradcli import Program

ACTIVATIONS: dict[str, tuple[Any, Any]] = {
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda _z, a: a * (1 - a)),
    "tanh": (np.tanh, lambda _z, a: 1 - a**2),
    "relu": (lambda z: np.maximum(z, 0), lambda z, _a: (z > 0) * 1.0),
}


def network(activation: str, layers: int) -> str:
    """z_l = W_l a_{l-1} + b_l, a_l = g(z_l), J = ‖y - a_L‖²."""
    lines = [
        line
        for i in range(1, layers + 1)
        for line in (f"z{i} = W{i} @ a{i - 1} + b{i}", f"a{i} = {activation}(z{i})")
    ]
    return "\n".join([*lines, f"J = ||y - a{layers}||^2"])


def by_hand(activation: str, inputs: dict[str, Any], layers: int) -> dict[str, Any]:
    """Equations (15) and (21)-(24) of the tutorial."""
    g, slope = ACTIVATIONS[activation]
    a, z = {0: inputs["a0"]}, {}
    for i in range(1, layers + 1):
        z[i] = inputs[f"W{i}"] @ a[i - 1] + inputs[f"b{i}"]
        a[i] = g(z[i])
    delta: dict[str, Any] = {f"a{layers}": -2 * (inputs["y"] - a[layers])}
    for i in range(layers, 0, -1):
        delta[f"z{i}"] = delta[f"a{i}"] * slope(z[i], a[i])
        delta[f"b{i}"] = delta[f"z{i}"]
        delta[f"W{i}"] = np.outer(delta[f"z{i}"], a[i - 1])
        delta[f"a{i - 1}"] = inputs[f"W{i}"].T @ delta[f"z{i}"]
    return delta


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("sizes", [(2, 3), (3, 3, 3), (4, 5, 1), (2, 7, 5, 3), (1, 1, 1, 1, 1)])
def test_network_equals_the_equations(activation: str, sizes: tuple[int, ...]) -> None:
    layers = len(sizes) - 1
    rng = np.random.default_rng(len(sizes))
    inputs: dict[str, Any] = {"a0": rng.normal(size=sizes[0]), "y": rng.normal(size=sizes[-1])}
    for i in range(1, layers + 1):
        inputs[f"W{i}"] = rng.normal(size=(sizes[i], sizes[i - 1]))
        inputs[f"b{i}"] = rng.normal(size=sizes[i])
    result = Program(network(activation, layers)).evaluate(inputs, check=False)
    for name, expected in by_hand(activation, inputs, layers).items():
        assert result[name].delta == pytest.approx(expected, rel=1e-12, abs=1e-14), name
        assert np.shape(result[name].delta) == np.shape(expected)


def test_the_rules_read_like_the_tutorial() -> None:
    rng = np.random.default_rng(0)
    inputs = {
        "W1": rng.normal(size=(2, 3)),
        "a0": rng.normal(size=3),
        "b1": rng.normal(size=2),
        "y": rng.normal(size=2),
    }
    result = Program(network("sigmoid", 1)).evaluate(inputs, check=False)
    rules = {(line.node, line.to): line.rule or line.local for line in result.lines()}
    assert rules["a1", "z1"] == "a1*(1 - a1)"
    assert rules["a", "W1"] == "delta_a @ a0.T"
    assert rules["a", "a0"] == "W1.T @ delta_a"


def test_shared_weights() -> None:
    """An unrolled recurrent net: the accumulator of the shared matrix adds up over the steps."""
    text = "h(s, u) = tanh(W @ s + U @ u)\nsum(h(h(h(s0, u1), u2), u3))"
    rng = np.random.default_rng(3)
    inputs: dict[str, Any] = {
        "W": rng.normal(size=(3, 3)),
        "U": rng.normal(size=(3, 2)),
        "s0": rng.normal(size=3),
        **{f"u{i}": rng.normal(size=2) for i in (1, 2, 3)},
    }
    program = Program(text)
    gradient = program.evaluate(inputs, check=False).gradient["W"]
    step = 1e-6
    for i, j in np.ndindex(3, 3):
        moved = [dict(inputs, W=inputs["W"] + sign * step * _unit(i, j)) for sign in (1, -1)]
        plus, minus = (program.evaluate(m, gradient=False).value for m in moved)
        assert gradient[i, j] == pytest.approx((plus - minus) / (2 * step), rel=1e-7)


def _unit(i: int, j: int) -> Any:
    unit = np.zeros((3, 3))
    unit[i, j] = 1.0
    return unit
