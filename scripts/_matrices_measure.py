"""Jacobians and Hessians of a kept program, next to those of JAX (compiled) and torch.func.

`measured_matrices()` gives for each case a task of gradcli and one of each peer that is installed,
with the goal for their ratio. The answers are compared before; a task is 12 runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from gradcli import Program

RUNS = 12
Task = Callable[[], object]


class Case(NamedTuple):
    """A function in the language and in Python, with what is asked of it."""

    name: str
    what: str
    """`jacobian`, `hessian` or `product`, of Hessian and ones."""
    text: str
    function: Callable[[Any, Any], Any]
    """From a library's module and the one input."""
    input: Any


def cases() -> list[Case]:
    """Dense and sparse matrices, small and large."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=1000)
    by_index = " + ".join(f"100*(x[{i + 1}] - x[{i}]^2)^2 + (1 - x[{i}])^2" for i in range(4))
    rosenbrock = "sum(100*(x[1:] - x[:-1]^2)^2 + (1 - x[:-1])^2)"

    form = [[2, 1, 0, 0], [1, 3, 0, 1], [0, 0, 1, 1], [0, 1, 1, 2]]

    def valley(_m: Any, x: Any) -> Any:
        return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()

    def tutorial(m: Any, x: Any) -> Any:
        return (x[0] + 1 / (1 + m.exp(-x[1]))) / (x[0] ** 2 + x[1])

    return [
        Case("Hessian, tutorial", "hessian", "(x[0] + sigmoid(x[1])) / (x[0]^2 + x[1])", tutorial,
             np.array([3.0, -4.0])),
        Case("Hessian, Rosenbrock of 10", "hessian", rosenbrock, valley, x[:10]),
        Case("Hessian, Rosenbrock of 5 by index", "hessian", by_index, valley, x[:5]),
        Case("Hessian, Rosenbrock of 200", "hessian", rosenbrock, valley, x[:200]),
        Case("Hessian, 200 terms", "hessian", "sum(sin(x)*exp(-x^2/10))",
             lambda m, x: (m.sin(x) * m.exp(-(x**2) / 10)).sum(), x[:200]),
        Case("Hessian, quadratic form of 4", "hessian", f"x @ {form} @ x",
             lambda m, x: x @ m.asarray(form, dtype=m.float64) @ x, x[:4]),
        Case("Hessian, logsumexp of 5", "hessian", "logsumexp(x)",
             lambda m, x: m.log(m.exp(x).sum()), x[:5]),
        Case("Hessian times vector, 5 by index", "product", by_index, valley, x[:5]),
        Case("Hessian times vector, 10", "product", rosenbrock, valley, x[:10]),
        Case("Hessian times vector, 200", "product", rosenbrock, valley, x[:200]),
        Case("Jacobian, polar coordinates", "jacobian", "[x[0]*cos(x[1]), x[0]*sin(x[1])]",
             lambda m, x: m.stack([x[0] * m.cos(x[1]), x[0] * m.sin(x[1])]), np.array([2.0, 1.0])),
        Case("Jacobian, elementwise, 1000", "jacobian", "tanh(x)*x + exp(-x^2)",
             lambda m, x: m.tanh(x) * x + m.exp(-(x**2)), x),
        Case("Jacobian, neighbours, 200", "jacobian", "x[1:]*x[:-1] + sin(x[1:])",
             lambda m, x: x[1:] * x[:-1] + m.sin(x[1:]), x[:200]),
        Case("Jacobian, softmax of 5", "jacobian", "softmax(x)",
             lambda m, x: m.exp(x) / m.exp(x).sum(), x[:5]),
        Case("Jacobian, softmax of 100", "jacobian", "softmax(x)",
             lambda m, x: m.exp(x) / m.exp(x).sum(), x[:100]),
    ]  # fmt: skip


def measured_matrices() -> Iterator[tuple[str, Task, str, Task, float]]:
    """For every case and peer: its name, our task, the peer's name and task, and the goal."""
    for case in cases():
        program = Program(case.text)
        ones = np.ones_like(case.input)
        ours = _ours(program, case.what, case.input, ones)
        for name, goal, theirs in (*_jax(case), *_torch(case)):
            for _ in range(RUNS):  # the last ones by what is compiled by then
                np.testing.assert_allclose(ours(), np.asarray(theirs()), rtol=1e-9, atol=1e-9)
            yield case.name, _repeated(ours), name, _repeated(theirs), goal


def _ours(program: Any, what: str, x: Any, vector: Any) -> Callable[[], Any]:
    def product() -> Any:
        return program.hessian(x=x, vector=vector, check=False).matrix

    def jacobian() -> Any:
        return program.jacobian(x=x, layout="numerator", check=False).matrix

    def hessian() -> Any:
        return program.hessian(x=x, check=False).matrix

    return {"jacobian": jacobian, "hessian": hessian, "product": product}[what]


def _repeated(task: Task) -> Task:
    def many() -> None:
        for _ in range(RUNS):
            task()

    return many


def _jax(case: Case) -> list[tuple[str, float, Task]]:
    if find_spec("jax") is None:
        return []
    import jax  # noqa: PLC0415

    jax.config.update("jax_enable_x64", True)  # noqa: FBT003
    x = jax.numpy.asarray(case.input)

    def function(x: Any) -> Any:
        return case.function(jax.numpy, x)

    made: Any = {
        "jacobian": jax.jacrev(function),
        "hessian": jax.hessian(function),
        "product": lambda x: jax.jvp(jax.grad(function), (x,), (jax.numpy.ones_like(x),))[1],
    }[case.what]
    compiled = jax.jit(made)
    return [("JAX, jit", 4.0, lambda: jax.block_until_ready(compiled(x)))]


def _torch(case: Case) -> list[tuple[str, float, Task]]:
    if find_spec("torch") is None:
        return []
    import torch  # noqa: PLC0415

    x = torch.as_tensor(case.input)

    def function(x: Any) -> Any:
        return case.function(torch, x)

    made = {
        "jacobian": torch.func.jacrev(function),
        "hessian": torch.func.hessian(function),
        "product": lambda x: torch.func.jvp(torch.func.grad(function), (x,), (torch.ones_like(x),))[
            1
        ],
    }[case.what]
    return [("torch.func", 1.0, lambda: made(x))]
