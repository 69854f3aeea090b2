"""Other packages that give gradients, each doing the job of `gradcli eval --json --no-check`.

What goes out is a Python environment of its own, `.venv-peers`, with gradcli and all of them that
can be installed, and for each a program that prints value and gradient of the same function at the
same point. They are written as their own guides do it, and import nothing more.
"""

import os
import subprocess
import sys
import venv
from pathlib import Path

from _environment import ROOT

FOLDER = Path(ROOT, ".venv-peers")
PYTHON = FOLDER.joinpath(*(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))
PACKAGES = {
    "SymPy": "sympy==1.14.0",
    "autograd": "autograd==1.9.1",
    "JAX": "jax==0.10.2",
    "PyTorch": "torch==2.13.0",
    "CasADi": "casadi==3.8.2",
}
CPU_ONLY = ["--extra-index-url", "https://download.pytorch.org/whl/cpu"]
"""Where PyTorch is without the gigabytes for graphics cards, which no measure uses."""
PROGRAMS = {
    "SymPy": """
from sympy import exp, symbols
x, y = symbols("x y")
f, at = (x + 1 / (1 + exp(-y))) / (x**2 + y), {x: 3.0, y: -4.0}
print(*(float(g.subs(at)) for g in (f, f.diff(x), f.diff(y))))
""",
    "autograd": """
import autograd.numpy as np
from autograd import value_and_grad
f = lambda p: (p[0] + 1 / (1 + np.exp(-p[1]))) / (p[0]**2 + p[1])
value, gradient = value_and_grad(f)(np.array([3.0, -4.0]))
print(value, *gradient)
""",
    "JAX": """
import jax
jax.config.update("jax_enable_x64", True)
f = lambda x, y: (x + jax.nn.sigmoid(y)) / (x**2 + y)
value, gradient = jax.value_and_grad(f, (0, 1))(3.0, -4.0)
print(value, *gradient)
""",
    "PyTorch": """
import torch
x, y = torch.tensor([3.0, -4.0], dtype=torch.float64, requires_grad=True)
f = (x + torch.sigmoid(y)) / (x**2 + y)
print(f.item(), *(g.item() for g in torch.autograd.grad(f, (x, y))))
""",
    "CasADi": """
import casadi
v = casadi.SX.sym("v", 2)
f = (v[0] + 1 / (1 + casadi.exp(-v[1]))) / (v[0]**2 + v[1])
run = casadi.Function("f", [v], [f, casadi.gradient(f, v)])
value, gradient = run([3.0, -4.0])
print(float(value), *gradient.full().ravel())
""",
}
EXPECTED = (0.6035972419924184, -0.524316690390902, -0.11718690715582544)


def set_up() -> str:
    """The environment's Python. What can't be installed is named and left out."""
    if not PYTHON.exists():
        venv.create(FOLDER, with_pip=True, symlinks=os.name != "nt")
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    subprocess.run([*pip, "--editable", f"{ROOT}[batch,jit]"], check=True)
    for name, package in PACKAGES.items():
        where = CPU_ONLY if name == "PyTorch" else []
        done = subprocess.run([*pip, *where, package], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = (done.stderr.strip() or "no reason given").splitlines()[-1]
            print(f"{name} is left out: pip can't install {package}: {last}", file=sys.stderr)
    return str(PYTHON)


def answers(name: str) -> str | None:
    """What is wrong with a peer's answer; None if it is right."""
    command = [sys.executable, "-c", PROGRAMS[name]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return (done.stderr.strip() or "it failed").splitlines()[-1]
    found = [float(word) for word in done.stdout.split()]
    if len(found) != len(EXPECTED):
        return f"it printed {done.stdout!r}"
    wrong = any(abs(a - b) > 1e-9 for a, b in zip(found, EXPECTED, strict=True))
    return f"it found {found}" if wrong else None
