"""Test functions of optimisers as people publish them: all run, with Python's value."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcli.program import Program

TEXT = (Path(__file__).parents[1] / "data" / "optimizer_functions.txt").read_text()


def _parts() -> list[tuple[str, dict[str, Any], str]]:
    found = []
    for part in TEXT.split("\n=== ")[1:]:
        head, _, code = part.partition("\n")
        name, _, inputs = head.partition(" | ")
        decoder, point, rest = json.JSONDecoder(), {}, inputs
        while rest:
            key, _, rest = rest.strip().partition("=")
            point[key], end = decoder.raw_decode(rest)
            rest = rest[end:]
        found.append((name, point, code))
    return found


PARTS = _parts()


def _module(**names: Any) -> Any:
    module = types.ModuleType("stand_in")
    module.__dict__.update(names)
    return module


def _python(code: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names of a text of our own, run by Python itself with NumPy for torch and jax."""
    jnp = _module(**vars(np))
    jax = _module(numpy=jnp, jit=lambda f: f)
    torch = _module(arange=np.arange, sum=np.sum, pow=np.power)
    for name, module in {"jax": jax, "jax.numpy": jnp, "torch": torch}.items():
        monkeypatch.setitem(sys.modules, name, module)
    names: dict[str, Any] = {"__name__": "text"}
    monkeypatch.setitem(sys.modules, "text", _module())  # where a dataclass looks for its types
    exec(compile(code, "text", "exec"), names)  # noqa: S102 - text of our own
    return names


def _as_array(value: Any) -> Any:
    return np.array(value, dtype=float) if isinstance(value, list) else value


@pytest.mark.parametrize(("name", "point", "code"), PARTS, ids=[p[0] for p in PARTS])
def test_runs_as_published(
    name: str, point: dict[str, Any], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    del name
    program = Program(code, name="f.py")
    assert program.python is not None
    entry, node = program.python.front.entry.function or "", program.python.front.entry.node
    assert node is not None
    names = _python(code, monkeypatch)

    def true(at: dict[str, Any]) -> Any:
        given = [_as_array(v) for v in at.values()]
        if node.args.vararg is not None:
            (given,) = given
        return np.asarray(names[entry](*given), dtype=float)

    wanted = true(point)
    found = program.evaluate(point, gradient=False, check=False)
    np.testing.assert_allclose(np.ravel(found.value), wanted.ravel(), rtol=1e-13)
    weights = np.cos(np.arange(wanted.size)).reshape(np.shape(found.value))
    gradient = program.evaluate(point, check=False, upstream=weights).gradient
    for name, value in point.items():
        if isinstance(value, dict):
            continue
        direction = np.cos(1.0 + np.arange(np.size(value))).reshape(np.shape(value))

        def moved(by: float, name: str = name, value: Any = value, to: Any = direction) -> Any:
            at = {**point, name: (np.asarray(value) + by * to).tolist()}
            return np.sum(true(at).reshape(weights.shape) * weights)

        near, far = ((moved(h) - moved(-h)) / (2 * h) for h in (1e-5, 2e-5))
        slope = (4 * near - far) / 3
        assert np.sum(gradient[name] * direction) == pytest.approx(slope, rel=1e-5, abs=1e-6)
