"""gradcli: gradients by backpropagation, every step shown and checked.

    >>> import gradcli
    >>> result = gradcli.evaluate("(x + sigmoid(y)) / (x^2 + y)", x=3, y=-4)
    >>> {name: float(slope) for name, slope in result.gradient.items()}
    {'x': -0.524316690390902, 'y': -0.11718690715582544}

`Program` parses once and evaluates many times; `Result` has every value, accumulator and
check; `grade_values` marks what a notebook has computed, `grade_function` what a function
returns; `plot` draws over a range; `polars` makes an expression for a Polars query.
`GradcliError` is the only exception that wrong input raises.
"""

from __future__ import annotations

# Nothing is imported here, not even `typing`: the sooner `cli.main` runs, the sooner it sees an
# interrupt.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gradcli.diagnostics.error import GradcliError
    from gradcli.files.expression import polars
    from gradcli.grading.marking.result import Marked
    from gradcli.notebook.function import grade_function
    from gradcli.notebook.namespace import grade_values
    from gradcli.plots import plot
    from gradcli.program import Program, evaluate
    from gradcli.results.matrices import Hessian, Jacobian
    from gradcli.results.result import Result

__version__ = "0.1.0"

__all__ = [
    "GradcliError",
    "Hessian",
    "Jacobian",
    "Marked",
    "Program",
    "Result",
    "__version__",
    "evaluate",
    "grade_function",
    "grade_values",
    "plot",
    "polars",
]

_HOMES = {
    "GradcliError": "gradcli.diagnostics.error",
    "Hessian": "gradcli.results.matrices",
    "Jacobian": "gradcli.results.matrices",
    "Marked": "gradcli.grading.marking.result",
    "Program": "gradcli.program",
    "Result": "gradcli.results.result",
    "evaluate": "gradcli.program",
    "grade_function": "gradcli.notebook.function",
    "grade_values": "gradcli.notebook.namespace",
    "load_ipython_extension": "gradcli.magics",
    "plot": "gradcli.plots",
    "polars": "gradcli.files.expression",
}


def __getattr__(name: str) -> Any:
    """Import on first use: `gradcli --help` needs no NumPy."""
    if name in _HOMES:
        from importlib import import_module  # noqa: PLC0415

        from gradcli import display  # noqa: PLC0415

        display.install()
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'gradcli' has no attribute {name!r}")
