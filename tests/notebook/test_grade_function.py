"""`gradcli.grade_function` and the dictionaries and tensors of `gradcli.grade_values`."""

from __future__ import annotations

import sys
import warnings
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
import pytest

import gradcli
from gradcli.diagnostics.error import GradcliError

TEXT = "#: x = [[1, 2], [3, 4.5]]\n#: w = [0.5, -1]\n#: c = 2\n{}h = x @ w\nJ = sum(h^2)*c\n"
X, W, C = np.array([[1, 2], [3, 4.5]]), np.array([0.5, -1]), 2.0


def gradients(x: Any, w: Any, c: Any) -> dict[str, Any]:
    h = x @ w
    return {"x": 2 * c * np.outer(h, w), "w": 2 * c * x.T @ h, "c": np.sum(h**2)}


Pair = namedtuple("Pair", ["dx", "dw", "dc"])  # noqa: PYI024


@dataclass
class Fields:
    dx: Any
    dw: Any
    dc: Any


FORMS: dict[str, Callable[[float, dict[str, Any]], Any]] = {
    "tuple": lambda _, g: tuple(g.values()),
    "list": lambda _, g: list(g.values()),
    "loss and tuple": lambda loss, g: (loss, tuple(g.values())),
    "loss and all": lambda loss, g: (loss, *g.values()),
    "loss and dict": lambda loss, g: (loss, g),
    "dict and loss": lambda loss, g: (g, loss),
    "dict": lambda _, g: g,
    "dict of dx": lambda _, g: {f"d{name}": value for name, value in g.items()},
    "dict of delta": lambda _, g: {f"delta_{n}": v for n, v in reversed(g.items())},
    "named tuple": lambda _, g: Pair(*g.values()),
    "dataclass": lambda _, g: Fields(*g.values()),
    "lists": lambda _, g: [np.asarray(v).tolist() for v in g.values()],
}


@pytest.mark.parametrize("form", FORMS)
def test_what_a_function_may_return(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In every form: right, with one slip, and at another point than the task's."""
    returned = FORMS[form]

    def function(x: Any, w: Any, c: Any, slip: str | None = None) -> Any:
        sys.stdout.write("out")
        sys.stderr.write("err")
        warnings.warn("a warning", stacklevel=1)
        found = gradients(x, w, c)
        if slip is not None:
            found[slip] = -found[slip]
        x *= 0  # whatever it does to its arguments
        return returned(1.5, found)

    task = TEXT.format("#: wrt x, w, c\n")
    assert gradcli.grade_function(task, function).right
    assert gradcli.grade_function(task, function, X.copy(), W, C).right
    assert gradcli.grade_function(task, function, X + 1, w=W * 3, c=0.5).right
    for slip in "xwc":
        found = gradcli.grade_function(task, lambda x, w, c, s=slip: function(x, w, c, s))
        assert {row.name for row in found.roots} == {slip}
        assert (found.score, found.max_score) == (2, 3)
        assert found.roots[0].tags == ("sign",)
    assert capsys.readouterr() == ("", "")


def test_the_order_is_that_of_the_task() -> None:
    for order in permutations("xwc"):
        task = TEXT.format(f"#: wrt {', '.join(order)}\n")
        found = gradcli.grade_function(
            task, lambda x, w, c, o=order: [gradients(x, w, c)[n] for n in o]
        )
        assert found.right
    called = TEXT.format("#: call dw, dx = f((x, w), c)\n#: wrt x, w\n")

    def f(pair: Any, c: float) -> Any:
        x, w = pair
        g = gradients(x, w, c)
        return g["w"], g["x"]

    assert gradcli.grade_function(called, f).right
    assert gradcli.grade_function(called, f, (X, W), C).right


def test_results_with_the_names_of_inputs_are_no_other_point() -> None:
    task = "#: x = 2\n#: y = 3\n#: call x, y = f(x, y)\nx*y + x"
    marked = gradcli.grade_function(task, lambda x, y: (y + 1, x))
    assert (marked.right, marked.notes) == (True, ())


def test_one_array_for_several_numbers() -> None:
    text = "#: a = 3\n#: b = 2\na*b + a"
    assert gradcli.grade_function(text, lambda a, b: np.array([b + 1, a])).right
    assert gradcli.grade_function("#: v = [1, 2]\nsum(v^2)", lambda v: 2 * v).right
    assert gradcli.grade_function("#: v = [1, 2]\nsum(v^2)", lambda v: [2 * v]).right
    assert gradcli.grade_function("a^2", lambda a: 2 * a, 7.0).right


class Evil:
    def __getattr__(self, name: str) -> Any:
        raise SystemError(name)

    def __array__(self) -> Any:
        raise SystemExit


def _raise(error: BaseException) -> Any:
    raise error


class Unprintable(Exception):
    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("function", "tag", "part"),
    [
        (lambda x, w, c: 1 / 0, "raised", "ZeroDivisionError: division by zero"),  # noqa: ARG005
        (lambda x, w, c: _raise(OSError("\x1b[31m")), "raised", "OSError: \\x1b[31m"),  # noqa: ARG005
        (lambda x, w, c: x @ w @ x @ c, "raised", "ValueError"),
        (lambda x, w, c: sys.exit("bye"), "raised", "SystemExit: bye"),  # noqa: ARG005
        (lambda x, w, c: _raise(Unprintable()), "raised", "Unprintable"),  # noqa: ARG005
        (lambda x, w, c: _raise(GeneratorExit()), "raised", "GeneratorExit"),  # noqa: ARG005
        (lambda x, w, c: f(x), "raised", "NameError"),  # type: ignore[name-defined] # noqa: F821, ARG005
        (lambda x, w, cache: 1, "not-called", "'cache' is no name of the task"),  # noqa: ARG005
        (5, "not-called", "an object of type int"),
        (None, "not-called", "an object of type NoneType"),
        (lambda x, w, c: None, "not-read", "nothing"),  # noqa: ARG005
        (lambda x, w, c: Evil(), "not-read", "Evil"),  # noqa: ARG005
        (lambda x, w, c: "no", "not-read", "str"),  # noqa: ARG005
        (lambda x, w, c: (Evil(), Evil(), Evil()), "not-read", "a tuple of 3"),  # noqa: ARG005
        (lambda x, w, c: {1: 2, "q": 3}, "not-read", "dict"),  # noqa: ARG005
        (lambda x, w, c: (x, w), "not-read", "a tuple of 2"),  # noqa: ARG005
    ],
)
def test_what_goes_wrong_is_one_note(function: Any, tag: str, part: str) -> None:
    found = gradcli.grade_function(TEXT.format(""), function)
    assert (found.score, found.max_score, found.right) == (0, 3, False)
    assert [note.tag for note in found.notes] == [tag]
    assert part in found.notes[0].text
    assert part.split(":", maxsplit=1)[0] in str(found).replace("\n  ", " ")


def test_a_wrong_task_is_an_error() -> None:
    with pytest.raises(GradcliError, match="'q'"):
        gradcli.grade_function("#: x = 1\nx*q", lambda x: x)


# --- grade_values ----------------------------------------------------------------------------


class Tensor:
    """What tensors of torch have in common with other tensors."""

    def __init__(self, value: Any, grad: Any = None, *, tracked: bool = False) -> None:
        self.value, self.grad, self.tracked = np.asarray(value, np.float32), grad, tracked
        self.dtype = self.value.dtype

    def detach(self) -> Tensor:
        return Tensor(self.value)

    def cpu(self) -> Tensor:
        return self

    def double(self) -> Tensor:
        return self

    def numpy(self) -> Any:
        if self.tracked:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        return self.value

    def __array__(self, *_: Any) -> Any:
        return self.numpy()


class Node:
    """A number of micrograd."""

    def __init__(self, data: Any, grad: Any) -> None:
        self.data, self.grad = data, grad


TRUE = gradients(X, W, C)
HOLDINGS: dict[str, dict[str, Any]] = {
    "grads by name": {"grads": TRUE},
    "gradients by dx": {"gradients": {f"d{n}": v for n, v in TRUE.items()}},
    "any dictionary by dx": {"cache": {f"delta_{n}": v for n, v in TRUE.items()}},
    "x.grad": {n: Tensor(v, Tensor(TRUE[n])) for n, v in (("x", X), ("w", W), ("c", C))},
    "params.grad": {
        "p": {n: Tensor(v, Tensor(TRUE[n])) for n, v in (("x", X), ("w", W), ("c", C))}
    },
    "tracked": {f"d{n}": Tensor(v, tracked=True) for n, v in TRUE.items()},
    "micrograd": {n: Node(v, TRUE[n]) for n, v in (("x", X), ("w", W), ("c", C))},
    "single precision": {f"d{n}": np.asarray(v, np.float32) for n, v in TRUE.items()},
    "half precision": {"grads": {n: np.asarray(v, np.float16) for n, v in TRUE.items()}},
}


@pytest.mark.parametrize("holding", HOLDINGS)
def test_what_may_hold_gradients(holding: str) -> None:
    other = {"np": np, "data": {"x": X, "w": 3}, "params": {"w": W}, "evil": Evil(), "x": X, "w": W,
             "c": C, "num_grads": {"x": 0 * X}, "args": (1,), "d": {"lr": 0.1}}  # fmt: skip
    found = gradcli.grade_values(TEXT.format(""), {**other, **HOLDINGS[holding]}, ask="inputs")
    assert (found.score, found.max_score, found.notes) == (3, 3, ())
    assert found.right
    for slip in "xwc":
        wrong = _with_slip(HOLDINGS[holding], slip)
        found = gradcli.grade_values(TEXT.format(""), {**other, **wrong}, ask="inputs")
        assert [row.name for row in found.roots] == [slip]


def _with_slip(held: Any, name: str) -> Any:
    """What is held, with the gradient of one name three times what it was."""
    if isinstance(held, dict):
        changed: dict[str, Any] = {}
        for key, value in held.items():
            own = key in (name, f"d{name}", f"delta_{name}")
            if own and isinstance(value, Node):
                changed[key] = Node(value.data, value.grad * 3)
            elif own and isinstance(value, Tensor) and value.grad is not None:
                changed[key] = Tensor(value.value, Tensor(value.grad.value * 3))
            elif own and isinstance(value, Tensor):
                changed[key] = Tensor(value.value * 3, tracked=True)
            else:
                changed[key] = value * 3 if own else _with_slip(value, name)
        return changed
    return held


def test_ask() -> None:
    text = TEXT.format("")
    named = {f"d{n}": v for n, v in TRUE.items()}
    assert gradcli.grade_values(text, named, ask="inputs").max_score == 3
    assert gradcli.grade_values(text, named, ask="named").max_score == 4
    assert gradcli.grade_values(text, {**named, "dh": 2 * C * X @ W}, ask="named").right
    assert gradcli.grade_values(TEXT.format("#: ask named\n"), named).max_score == 4
    with pytest.raises(GradcliError, match="ask='all'"):
        gradcli.grade_values(text, named, ask="all")
