"""The path from text to result: text → tree → graph → values → accumulators → checks → Result.

A `Program` is parsed once and evaluated at as many points as one likes. The command line
is made of it. It is the one class that users of Python see: a third of the module is its
documentation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gradcli.diagnostics.error import (
    GradcliError,
    expect_choice,
    expect_mapping,
    expect_names,
    expect_text,
)
from gradcli.diagnostics.failures import usage_error
from gradcli.diagnostics.gc_pause import collector_paused
from gradcli.engine.inputs import in_own_spelling, to_value
from gradcli.engine.language_text import KEPT_GRAPHS, LanguageText
from gradcli.engine.plan import Backward
from gradcli.engine.run import Executable, active_nodes
from gradcli.engine.upstream import upstream_of
from gradcli.graph.draft import Draft
from gradcli.graph.graph import Graph
from gradcli.graph.resolve import refuse_constants_of_blocks
from gradcli.ops.operation import Shape
from gradcli.python.recognized import is_python
from gradcli.results.display import InNotebook
from gradcli.results.result import Result

if TYPE_CHECKING:
    from gradcli.batch.runner import Only, Runner
    from gradcli.formulas.types import Derivative
    from gradcli.python.program import PythonText
    from gradcli.results.matrices import Hessian, Jacobian, Layout, Mode

CheckMode = Literal["all", "sample", "none"]
CHECKS = (True, False, "all", "sample", "none")


class Program(InNotebook):
    """A program of the language, parsed and with its names resolved.

    `text` is the program, `name` what errors call its source (a file's path), `output` another
    node than the last statement. A text of Python is read as docs/python.md says; `function` names
    the function where there are several, and reading it takes at most `time_limit` seconds (2
    unless given). Raises `GradcliError` of kind syntax or name.

    >>> program = Program("(x + sigmoid(y)) / (x^2 + y)")
    >>> result = program.evaluate(x=3, y=-4)
    >>> float(result.value), float(result.gradient["x"])
    (0.6035972419924184, -0.524316690390902)
    """

    def __init__(
        self,
        text: str,
        *,
        name: str | None = None,
        output: str | None = None,
        function: str | None = None,
        time_limit: float | None = None,
    ) -> None:
        self.output, self.function, self.time_limit = output, function, time_limit
        expect_text("a program", text)
        self.python: PythonText | None = None
        """The text itself, where it is Python."""
        if is_python(text, name):
            from gradcli.python.program import PythonText  # noqa: PLC0415 - only for Python

            self._text: LanguageText | PythonText = PythonText(
                text, name, output, function, time_limit
            )
            self.python = self._text
        else:
            if function is not None:
                raise usage_error(
                    f"function={function!r} is for programs in Python",
                    "output= names a node of a program in the language",
                )
            if time_limit is not None:
                raise usage_error(
                    "a time limit is for reading programs in Python",
                    "without --time-limit: this one is in the language",
                )
            self._text = LanguageText(text, name, output)
        self.source, self.names = self._text.source, self._text.names
        self.header = self._text.header
        self._executables: dict[int, Executable] = {}
        self._last: tuple[Any, Runner] | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Program):
            return NotImplemented
        return (self.source, self.output) == (other.source, other.output)

    def __hash__(self) -> int:
        return hash((self.source, self.output))

    def __repr__(self) -> str:
        return f"Program({self.source.text!r})"

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names that need a value, in order of first appearance."""
        return self._text.inputs

    @property
    def notes(self) -> tuple[tuple[str, int, str], ...]:
        """What was passed over or fixed as Python text was read last: tag, line and text."""
        return self._text.notes

    @property
    def statements(self) -> frozenset[str]:
        """The names that statements `name = …` give to nodes."""
        return self._text.statements

    def draft(self, bound: frozenset[str]) -> Draft:
        """The operations in order, given which names have a value."""
        return self._text.draft(bound)

    def graph(self, inputs: Mapping[str, Any]) -> Graph:
        """The graph for inputs of these shapes. Raises `GradcliError` (name, binding, shape)."""
        return self._text.graph(inputs)

    def executable(self, inputs: Mapping[str, Any]) -> Executable:
        """The graph ready to run, with what is kept between runs. Raises as `graph` does."""
        graph = self._text.graph(inputs)
        found = self._executables.get(id(graph))
        if found is None or found.graph is not graph:
            if len(self._executables) >= KEPT_GRAPHS:
                self._executables.clear()
            self._executables[id(graph)] = found = Executable(graph)
        return found

    def bind(
        self, inputs: Mapping[str, Any], data: Mapping[str, Any] | None = None, seed: int = 0
    ) -> dict[str, Any]:
        """The value of every input: from `inputs`, else `data`, else the program's `#:` lines.

        Raises `GradcliError` of kind binding where a value is no array of numbers, or a name
        (unless it comes from `data`) is not used by the program.
        """
        expect_mapping("data", data)
        return self._text.bind(inputs, data, seed)

    def _point(
        self,
        inputs: Mapping[str, Any] | None,
        named: Mapping[str, Any],
        data: Mapping[str, Any] | None,
        seed: int,
    ) -> dict[str, Any]:
        """The value of every input, of which some are given as a mapping and some by keyword."""
        expect_mapping("inputs", inputs)
        return self.bind({**inputs, **named} if inputs else named, data, seed)

    def evaluate(
        self,
        inputs: Mapping[str, Any] | None = None,
        /,
        *,
        wrt: str | Iterable[str] | None = None,
        upstream: Any = None,
        gradient: bool = True,
        check: bool | CheckMode = True,
        check_budget: float = 2.0,
        exact: bool = False,
        allow_nonfinite: bool = False,
        seed: int = 0,
        data: Mapping[str, Any] | None = None,
        **named: Any,
    ) -> Result:
        """Value, gradient and check at one point.

        Inputs are numbers, nested lists or arrays, given as a mapping or by keyword (a mapping
        for names that are also parameters here); an array of float64 is not copied, so a result
        shows what is in it later. `data` may hold more names than the program uses. `wrt` narrows
        the gradient to an input or several; `upstream` is ∂J/∂output in the output's shape, needed
        where the output is no single number. `check` is False for no check, "sample" (= True) for
        random directions through large arrays, "all" for every element; it takes about
        `check_budget` seconds at most. `exact` adds the second opinion at 50 digits.
        `gradient=False` computes only values.

        Raises `GradcliError`: binding, name and shape for wrong use; domain, overflow, edge
        and singular where the mathematics fails, unless `allow_nonfinite`.
        """
        if not isinstance(check, bool):
            expect_choice("check", check, CHECKS)
        values_in = self._point(inputs, named, data, seed)
        ready = self.executable(values_in)
        active, start = ready.active(expect_names("wrt", wrt)), None
        if gradient:
            try:
                start = upstream_of(ready.graph, upstream, allow_nonfinite=allow_nonfinite)
            except GradcliError:  # one of the values comes before one of the upstream
                ready.forward(values_in, allow_nonfinite=allow_nonfinite)
                raise
            passes = ready.both(values_in, active, start, allow_nonfinite=allow_nonfinite)
        else:
            passes = ready.forward(values_in, allow_nonfinite=allow_nonfinite)
        result = Result(self.source.text, ready.graph, *passes, start, rules=ready.rules)
        if not gradient or check is False:
            return result
        return self.check(result, check, wrt=wrt, budget=check_budget, exact=exact, seed=seed)

    def batch(
        self,
        columns: Mapping[str, Any],
        /,
        *,
        wrt: str | Iterable[str] | None = None,
        only: Only | None = None,
        errors: Literal["stop", "nan", "skip"] = "stop",
        jit: bool | None = None,
        **fixed: Any,
    ) -> dict[str, Any]:
        """Value and gradient for every row of columns: `value`, then `d_<input>`.

        A column is an array with a leading axis of rows, (n,) for a number per row and (n, …) for
        an array per row; the results have the same form. Columns that are no inputs are passed
        over; keywords hold for all rows. `errors` is for rows where the mathematics fails:
        "stop" raises, "nan" fills them with nan, "skip" leaves them out. `jit` says whether one
        compiled loop goes over the rows instead of NumPy's calls (by a C compiler, or by Numba,
        extra `jit`); by itself it does where rows × operations are many. Programs with arrays
        in a row, special functions or over 2,000 operations run as without.

        Raises `GradcliError` as `evaluate` does, its message with the row's number, and
        if `jit` is true where there is neither a C compiler nor Numba.

        >>> Program("x^2 + a").batch({"x": [1.0, 2.0]}, a=1)["d_x"].tolist()
        [2.0, 4.0]
        """
        from gradcli.batch.runner import as_columns  # noqa: PLC0415 - not needed without

        expect_choice("errors", errors, ("stop", "nan", "skip"))
        expect_choice("only", only, (None, "value", "grad"))
        expect_mapping("columns", columns)

        free = self.names.free
        columns = in_own_spelling(self.names, columns)
        fixed = in_own_spelling(self.names, fixed)
        refuse_constants_of_blocks(self.names, columns)
        used = {n: c for n, c in columns.items() if n in free and n not in fixed}
        rows = as_columns(used, to_value)
        bound = {n: v for n, v in self.bind(fixed).items() if n not in rows}
        shapes = {name: column.shape[1:] for name, column in rows.items()}
        chosen = expect_names("wrt", wrt)
        return self._runner(bound, shapes, chosen, only, jit=jit).run(rows, errors).columns

    def expect_columns(self, names: Iterable[str]) -> None:
        """Raise `GradcliError` where the graph is not the same for all values of some inputs."""
        self._text.expect_columns(names)

    def _runner(
        self,
        fixed: Mapping[str, Any],
        shapes: Mapping[str, Shape],
        wrt: tuple[str, ...] | None,
        only: Only | None,
        *,
        jit: bool | None,
    ) -> Runner:
        """The last one if it is for the same, else a new one."""
        from gradcli.batch.runner import Runner  # noqa: PLC0415 - not needed without

        key = dict(shapes), wrt, only, jit, fixed.keys()
        if self._last is not None and self._last[0] == key:
            known = self._last[1]
            if all(np.array_equal(known.fixed[name], value) for name, value in fixed.items()):
                return known
        made = Runner(self, fixed, shapes, wrt=wrt, only=only, jit=jit)
        self._last = key, made
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy in another process is parsed there again."""
        name = self.source.name
        if self.python is not None:  # of a notebook the code alone is left
            name = f"{name or ''}.py".replace(".ipynb.py", ".py").replace(".py.py", ".py")
        again = partial(
            Program,
            self.source.text,
            name=name,
            output=self.output,
            function=self.function,
            time_limit=self.time_limit,
        )
        return again, ()

    def check(
        self,
        result: Result,
        mode: bool | CheckMode = True,  # noqa: FBT001, FBT002 - as `evaluate` has it
        *,
        wrt: str | Iterable[str] | None = None,
        budget: float = 2.0,
        exact: bool = False,
        seed: int = 0,
    ) -> Result:
        """A result of this program with the check of its accumulators.

        To show a result before its check is made; otherwise `evaluate` does both.
        The options are those of `evaluate`, and `wrt` must be what the result was made with.
        """
        expect_choice("mode", mode, CHECKS)
        if mode in (False, "none"):
            return result
        from gradcli.check import check_gradients  # noqa: PLC0415 - not needed without

        with collector_paused():
            checks = check_gradients(
                result.graph,
                result.values,
                Backward(list(result.accumulators), list(result.contributions)),
                active_nodes(result.graph, expect_names("wrt", wrt)),
                result.upstream,
                every_element=mode == "all",
                budget=budget,
                exact=exact,
                seed=seed,
                rules=result.rules,
            )
        return replace(result, checks=checks)

    def jacobian(
        self,
        inputs: Mapping[str, Any] | None = None,
        /,
        *,
        wrt: str | Iterable[str] | None = None,
        upstream: Any = None,
        layout: Layout = "denominator",
        mode: Mode | None = None,
        check: bool | CheckMode = True,
        check_budget: float = 2.0,
        exact: bool = False,
        allow_nonfinite: bool = False,
        seed: int = 0,
        data: Mapping[str, Any] | None = None,
        **named: Any,
    ) -> Jacobian:
        """∂output/∂input as matrices, for an output of any shape.

        In the denominator layout a row belongs to an element of the input and a column to one of
        the output; the numerator layout is its transpose. Matrices are taken row by row. `mode`
        is chosen by the shapes unless given. With an `upstream` it is the derivative of J, the sum
        of upstream · output. The other options are those of `evaluate`.

        Raises `GradcliError` as `evaluate` does.

        >>> program = Program("[x*y, x + y]")
        >>> program.jacobian(x=2, y=3).matrix.tolist()
        [[3.0, 1.0], [2.0, 1.0]]
        """
        from gradcli.derivatives.jacobian import make  # noqa: PLC0415 - not needed by evaluate

        expect_choice("layout", layout, ("denominator", "numerator"))
        expect_choice("mode", mode, (None, "forward", "reverse"))
        expect_choice("check", check, CHECKS)
        at = self._point(inputs, named, data, seed)
        options = _check_options(check, check_budget, exact=exact, seed=seed)
        asked = self.source.text, self.executable(at), at, expect_names("wrt", wrt)
        with collector_paused():
            return make(*asked, layout, mode, upstream, options, allow_nonfinite=allow_nonfinite)

    def hessian(
        self,
        inputs: Mapping[str, Any] | None = None,
        /,
        *,
        wrt: str | Iterable[str] | None = None,
        vector: Any = None,
        upstream: Any = None,
        check: bool | CheckMode = True,
        check_budget: float = 2.0,
        exact: bool = False,
        allow_nonfinite: bool = False,
        seed: int = 0,
        data: Mapping[str, Any] | None = None,
        **named: Any,
    ) -> Hessian:
        """The second derivatives of an output of one element, a block for every pair of inputs.

        With a `vector`, the product of Hessian and vector, without the matrix: a mapping from
        names to values in the inputs' shapes (0 where a name is missing), or one value where
        there is one input. With an `upstream` it is the Hessian of J, the sum of
        upstream · output. The other options are those of `evaluate`.

        Raises `GradcliError` as `evaluate` does; kind shape for an output of several elements
        without an upstream.

        >>> Program("x^2*y").hessian(x=3, y=5).matrix.tolist()
        [[10.0, 6.0], [6.0, 0.0]]
        >>> float(Program("x^3").hessian(x=2, vector=10).product["x"])
        120.0
        """
        from gradcli.derivatives.hessian import make  # noqa: PLC0415 - not needed by evaluate

        expect_choice("check", check, CHECKS)
        at = self._point(inputs, named, data, seed)
        options = _check_options(check, check_budget, exact=exact, seed=seed)
        asked = self.source.text, self.executable(at), at, expect_names("wrt", wrt)
        with collector_paused():
            return make(*asked, vector, upstream, options, allow_nonfinite=allow_nonfinite)

    def diff(
        self,
        inputs: Mapping[str, Any] | None = None,
        /,
        *,
        wrt: str | Iterable[str] | None = None,
        order: int = 1,
        expand: bool = False,
        vectors: str | Iterable[str] = (),
        matrices: str | Iterable[str] = (),
        shapes: Mapping[str, Shape] | None = None,
        allow_nonfinite: bool = False,
        seed: int = 0,
        data: Mapping[str, Any] | None = None,
        **named: Any,
    ) -> Derivative:
        """The derivative's formulas, checked against backpropagation at 16 random points.

        Inputs need no values. They are numbers unless a value, `shapes`, `vectors` or `matrices`
        says otherwise; vectors and matrices may have any sizes that fit. `order=2` gives second
        derivatives. A program of several statements keeps its names unless `expand`. Formulas
        have their numbers where all inputs have values.

        Raises `GradcliError`: shape where no sizes fit or the output is no single number, domain
        where no point is found to check at, name for what is no input.

        >>> Program("x^2*sin(y)").diff()["x"]
        '2*x*sin(y)'
        >>> Program("||A @ x - b||^2").diff(matrices="A", vectors=("x", "b"))["x"]
        '2*A.T @ (A @ x - b)'
        """
        from gradcli.formulas.diff import formulas_of, task_for, task_of  # noqa: PLC0415 - not needed by evaluate
        from gradcli.formulas.sizes import Sizes  # noqa: PLC0415

        expect_choice("order", order, (1, 2))
        chosen = expect_names("wrt", wrt)
        more: dict[str, Any] = {
            "statements": self.statements,
            "order": order,
            "expand": expand or self.python is not None,
            "allow_nonfinite": allow_nonfinite,
            "seed": seed,
        }
        with collector_paused():
            values = self._point(inputs, named, data, seed)
            ranks = dict.fromkeys(expect_names("vectors", vectors) or (), 1)
            ranks |= dict.fromkeys(expect_names("matrices", matrices) or (), 2)
            if self.python is not None:
                graph = self.python.graph_of_shapes(values, shapes or {}, ranks)
                inputs_of = graph.input_numbers.items()
                known = Sizes({name: graph.nodes[i].type.shape for name, i in inputs_of})
                return formulas_of(task_for(graph, (graph,), known, values, chosen, **more))
            draft = self.draft(frozenset({*values, *ranks, *(shapes or {})}))
            return formulas_of(task_of(draft, values, shapes or {}, ranks, chosen, **more))


def evaluate(program: str, /, **inputs: Any) -> Result:
    """Evaluate a program once: its value, its gradient, and the check of every accumulator.

    Keyword arguments are inputs, or options of `Program.evaluate`.

    >>> float(evaluate("x^2", x=3).gradient["x"])
    6.0
    """
    return Program(program).evaluate(**inputs)


def _check_options(
    check: bool | CheckMode,  # noqa: FBT001 - as `evaluate` has it
    budget: float,
    **options: Any,
) -> dict[str, Any] | None:
    """What `check_blocks` takes; None for no check."""
    if check in (False, "none"):
        return None
    return {"every_element": check == "all", "budget": budget, **options}
