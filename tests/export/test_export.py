"""`gradcli export`: whatever is exported runs and says what was evaluated."""

from __future__ import annotations

import ast
import inspect
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from numpy_runs import (
    PIPE,
    by_statement,
    differences,
    executed,
    function_differences,
    listing,
)
from ops_samples import CASES, label, weights
from random_programs import random_program
from sweep import sweep
from test_network import ACTIVATIONS, network

from gradcli import Program, ops
from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.source import Source
from gradcli.export.graph_json import pieces as graph_pieces
from gradcli.export.python_function import pieces as python_pieces
from gradcli.ops import Operation
from gradcli.report.trace.latex import pieces as latex_pieces
from gradcli.results.result import Result
from gradcli.syntax.parser import parse, parse_expression
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import (
    Array,
    Bare,
    Call,
    Index,
    Operator,
    Tree,
    Tuple,
)
from gradcli.trace.steps import Steps

TUTORIAL = "(x + sigmoid(y)) / (x^2 + y)"
POINT = ["--x", "3", "--y", "-4"]
EXACT = 1e-15
CLOSE = 1e-13
"""Where the code has NumPy's form of a function, or the table a form of its own."""
NUMPY_HAS_ANOTHER = {
    *("det", "cofactor", "cofactor_slope", "sinc_slope", "softmax_slope", "logaddexp_slope"),
    *("gauss", "normal_pdf", "erfinv_slope", "gelu_slope", "silu_slope", "mish_slope"),
    *("pow_slope", "gelu", "lgamma", "sigmoid_slope", "tanh_slope", "var", "std"),
}
SCHEMA = Path(__file__).parents[2] / "docs" / "schema" / "export.json"
NEEDS_LATEX = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is missing")


def gradcli(*arguments: str, columns: int | None = None) -> tuple[int, str, str]:
    environment = Environment.captured(columns=columns)
    return run(arguments, environment), *environment.written()


def evaluated(text: str, point: dict[str, Any], **more: Any) -> Result:
    return Program(text).evaluate(point, check=False, **more)


@pytest.fixture
def textbook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evaluate by the textbook's forms of all rules, which a listing has."""
    monkeypatch.setattr(Operation, "running", Operation.formulas)


def tolerance(result: Result, *, careful: bool = False) -> float:
    """How near code is to the values: to the last bits, unless it has another form of a row."""
    rows = [node.operation for node in result.graph.nodes if node.operation is not None]
    if any(row.name in NUMPY_HAS_ANOTHER or (careful and row.careful) for row in rows):
        return CLOSE
    return EXACT


# --- programs ----------------------------------------------------------------------------


def network_point(sizes: tuple[int, ...]) -> dict[str, Any]:
    rng = np.random.default_rng(len(sizes))
    point: dict[str, Any] = {"a0": rng.normal(size=sizes[0]), "y": rng.normal(size=sizes[-1])}
    for i in range(1, len(sizes)):
        point[f"W{i}"] = rng.normal(size=(sizes[i], sizes[i - 1]))
        point[f"b{i}"] = rng.normal(size=sizes[i])
    return point


def programs() -> dict[str, tuple[str, dict[str, Any]]]:
    rng = np.random.default_rng(7)
    shared = "h(s, u) = tanh(W @ s + U @ u)\nsum(h(h(s0, u1), u2))"
    batch = "Z = X @ W + b.T\nmean(-sum(Y*log_softmax(Z, axis=1), axis=1))"
    found: dict[str, tuple[str, dict[str, Any]]] = {
        "tutorial": (TUTORIAL, {"x": 3.0, "y": -4.0}),
        "shared weights": (
            shared,
            {
                "W": rng.normal(size=(3, 3)),
                "U": rng.normal(size=(3, 2)),
                "s0": rng.normal(size=3),
                "u1": rng.normal(size=2),
                "u2": rng.normal(size=2),
            },
        ),
        "softmax cross entropy": (
            "p = softmax(W @ x + b)\n-sum(y*log(p))",
            {
                "W": rng.normal(size=(3, 2)),
                "x": rng.normal(size=2),
                "b": rng.normal(size=3),
                "y": np.array([0.0, 1.0, 0.0]),
            },
        ),
        "batch": (
            batch,
            {
                "X": rng.normal(size=(4, 3)),
                "W": rng.normal(size=(3, 2)),
                "b": rng.normal(size=2),
                "Y": np.eye(2)[[0, 1, 1, 0]],
            },
        ),
        "a block": (
            (
                "block softabs(x, k) = sqrt(x^2 + k) with d/dx = x/out, d/dk = 1/(2*out)\n"
                "s = softabs(softabs(u, 1), w)\nsum(s^2)"
            ),
            {"u": np.array([1.0, -2.0]), "w": 3.0},
        ),
        "a branch that is not taken": (
            "where(x > 0, x^0.5 + log(x), 1/z)",
            {"x": -1.0, "z": 4.0},
        ),
        "a node used again after a view": (
            "a = reshape(x, 4)\nb = x.T\nsum(a*a) + sum(b @ x)",
            {"x": np.array([[1.0, 2.0], [3.0, 5.0]])},
        ),
        "names that Python has not": ("lambda = θ*2\nnp = lambda^2\nnp + lambda", {"θ": 3.0}),
        "names that helpers have": (
            "softmax_axis0 = x*2\nbetween = softmax(softmax_axis0, axis=0)\nsum(between*x)",
            {"x": np.array([[1.0, 2.0], [3.0, 4.5]])},
        ),
        "no operation": ("x", {"x": 2.0}),
        "no input": ("2*pi", {}),
        "extremes": ("||x||", {"x": np.array([3e200, -4e200])}),
        "three that are compared": ("max(x, y, z)*2", {"x": 1.0, "y": 1.0, "z": 0.0}),
    }
    for name in ACTIVATIONS:
        found[f"network of {name}"] = network(name, 2), network_point((2, 3, 2))
    return found


PROGRAMS = programs()
each_program = pytest.mark.parametrize("name", PROGRAMS)


@pytest.mark.usefixtures("textbook")
@each_program
def test_the_listing_runs(name: str) -> None:
    result = evaluated(*PROGRAMS[name])
    text = listing(result)
    names = executed(text)
    renamed = {name: f"{name}_" for name in ("np", "lambda", "between", "softmax_axis0")}
    for node in result.graph.nodes:
        if node.name in renamed and name.startswith("names"):
            names[node.name] = names[renamed[node.name]]
            names[f"delta_{node.name}"] = names[f"delta_{renamed[node.name]}"]
    assert differences(result, names, tolerance(result)) == []


@each_program
def test_the_listing_is_what_the_grader_reads(name: str) -> None:
    """Assignments, `+=`, imports, functions of one return, and nothing else."""
    for statement in ast.parse(listing(evaluated(*PROGRAMS[name]))).body:
        match statement:
            case ast.Import() | ast.ImportFrom():
                continue
            case ast.Assign(targets=[ast.Name()]):
                continue
            case ast.AugAssign(target=ast.Name(id=target), op=ast.Add()):
                assert target.startswith("delta_")
            case ast.FunctionDef(body=[ast.Return()]):
                continue
            case _:
                pytest.fail(ast.unparse(statement))


@pytest.mark.usefixtures("textbook")
@each_program
def test_statement_by_statement(name: str) -> None:
    text, point = PROGRAMS[name]
    program = Program(text)
    result = program.evaluate(point, check=False)
    names = executed(listing(result, by_statement(program, result)))
    if not name.startswith("names"):
        assert differences(result, names, 1e-14, every=False) == []


@each_program
def test_the_function_returns_value_and_gradient(name: str) -> None:
    result = evaluated(*PROGRAMS[name])
    assert function_differences(result, tolerance(result, careful=True)) == []


def test_the_function_is_for_other_points_too() -> None:
    text, point = PROGRAMS["network of tanh"]
    code = executed(_function(evaluated(text, point)))
    other = {name: value + 0.25 for name, value in point.items()}
    result = evaluated(text, other)
    value, gradient = code["value_and_gradient"](**other)
    assert value == pytest.approx(result.value, rel=EXACT)
    for name, expected in result.gradient.items():
        np.testing.assert_allclose(gradient[name], expected, rtol=1e-14)
    with pytest.raises(ValueError, match=r"a0 must have shape \(2,\), not \(3,\)"):
        code["value_and_gradient"](**{**other, "a0": np.ones(3)})


def _function(result: Result) -> str:
    return "".join(python_pieces(Steps(result), PIPE))


def test_the_tutorials_listing() -> None:
    """Numbered steps, blocks in reverse order, `=` first and `+=` after."""
    _, out, err = gradcli("export", TUTORIAL, *POINT)
    assert err == ""
    lines = out.splitlines()
    assert [line for line in lines if line.startswith("# Backprop")] == [
        "# Backprop f = b * e (6)",
        "# Backprop e = 1/d (5)",
        "# Backprop d = c + y (4)",
        "# Backprop c = x^2 (3)",
        "# Backprop b = x + a (2)",
        "# Backprop a = sigmoid(y) (1)",
    ]
    assert [line[-3:] for line in lines if "  # (" in line] == [f"({i})" for i in range(1, 7)]
    assert lines.index("delta_x = delta_c * (2*x)") < lines.index("delta_x += delta_b * 1")


@pytest.mark.parametrize("target", ["numpy", "python"])
def test_it_runs_in_a_process_of_its_own(target: str, tmp_path: Path) -> None:
    file = tmp_path / "made.py"
    assert gradcli("export", TUTORIAL, *POINT, "--to", target, "--out", str(file))[0] == 0
    end = "print(delta_x, delta_y)"
    if target == "python":
        end = "f, g = value_and_gradient(3, -4)\nprint(g['x'], g['y'])"
    with file.open("a", encoding="utf-8") as stream:
        stream.write(f"\n{end}\n")
    ran = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, check=True)
    result = evaluated(TUTORIAL, {"x": 3.0, "y": -4.0})
    expected = pytest.approx(list(result.gradient.values()), rel=EXACT)
    assert list(map(float, ran.stdout.split())) == expected
    assert ran.stderr == ""


# --- every operation ---------------------------------------------------------------------


class Sample:
    """A row's sample as a program whose operands are inputs, so that all rules are used."""

    def __init__(self, row: Operation, sample: str) -> None:
        self.point: dict[str, Any] = {}
        self.text = self._program(row, sample)
        self.point = {name: v for name, v in self.point.items() if name in self.text}

    def input(self, tree: Tree) -> str:
        if isinstance(tree, Operator) and tree.symbol == "T":
            return f"{self.input(tree.operands[0])}.T"
        name = f"i{len(self.point) + 1}"
        self.point[name] = Program(print_tree(tree)).evaluate({}, gradient=False).value
        return name

    def _program(self, row: Operation, sample: str) -> str:
        if row.name == "identity":
            self.input(parse_expression(Source(sample)))
            return "z = abs(i1)\ny = z"
        if row.name in {"array", "index"}:
            last = parse(Source(sample)).statements[-1]
            assert isinstance(last, Bare)
            if isinstance(last.value, Index):
                base = print_tree(last.value.base)
                return self.input(last.value.base) + print_tree(last.value)[len(base) :]
            return self._array(last.value)
        call = parse_expression(Source(f"f({sample})"))
        assert isinstance(call, Call)
        positional = call.arguments[: len(call.arguments) - len(call.keywords)]
        texts = []
        for i, argument in enumerate(positional):
            many = next((n for n, p in enumerate(row.parameters) if p.variadic), len(positional))
            variadic = many == 0
            parameter = row.parameters[min(i, many)]
            if isinstance(argument, Tuple) and variadic:
                texts.append(f"({''.join(self.input(e) + ', ' for e in argument.elements)})")
            else:
                # By an input there is no quotient: x/y is a product with 1/y.
                plain = parameter.option or (row.name == "div" and i == 1)
                texts.append(print_tree(argument) if plain else self.input(argument))
        if not row.aliases:
            left, *right = texts
            return f"{left} {row.symbol} {right[0]}" if right else f"-{left}"
        keywords = zip(call.keywords, call.arguments[len(positional) :], strict=True)
        texts += [f"{key}={print_tree(value)}" for key, value in keywords]
        return f"{_alias(row, len(positional))}({', '.join(texts)})"

    def _array(self, tree: Tree) -> str:
        if isinstance(tree, Array):
            return f"[{', '.join(map(self._array, tree.elements))}]"
        return self.input(tree)


def _alias(row: Operation, positional: int) -> str:
    return next(name for name in row.aliases if ops.function(name, positional) is row)


@pytest.mark.parametrize("form", ["numpy", "python"])
@pytest.mark.parametrize("row", ops.TABLE, ids=label)
def test_every_operation(row: Operation, form: str, request: Any) -> None:
    """The listing has the textbook's rules, the function those that run."""
    if form == "numpy":
        request.getfixturevalue("textbook")
    sweep(_expect_the_same, [(row, sample, form) for sample in row.samples])


def _expect_the_same(row: Operation, sample: str, form: str) -> None:
    made = Sample(row, sample)
    program = Program(made.text)
    shape = np.shape(program.evaluate(made.point, gradient=False).value)
    try:
        result = program.evaluate(made.point, check=False, upstream=weights(shape))
    except GradcliError:
        assert (row.name, sample) == ("pow", "-2, 3")  # its derivative by the exponent
        result = program.evaluate(made.point, check=False, upstream=weights(shape), wrt=["i1"])
    assert any(node.operation is row for node in result.graph.nodes)
    if form == "numpy":
        assert differences(result, executed(listing(result)), tolerance(result)) == []
    else:
        assert function_differences(result, tolerance(result, careful=True)) == []


@pytest.mark.parametrize("seed", range(60))
def test_random_programs(seed: int) -> None:
    text, point = random_program(seed)
    try:
        result = evaluated(text, point)
    except GradcliError:
        return
    # Sums of terms that cancel are as wrong as their terms' last digits.
    size = max(float(np.max(np.abs(v))) for v in result.values)
    names = executed(listing(result))
    for node in result.graph.nodes:
        delta = result.accumulators[node.id]
        if delta is not None:
            scale = max(np.max(np.abs(delta)), 1e-12 * size)
            found = names[f"delta_{node.name}"]
            if node.type.row:
                delta = delta[0]
            assert np.shape(found) == np.shape(delta)
            assert np.max(np.abs(found - delta)) <= 1e-11 * scale, node.name


def test_numbers_are_written_in_full() -> None:
    value = 0.1 + 0.2
    names = executed(listing(evaluated("x*1", {"x": value})))
    assert names["x"] == value


def test_an_upstream_and_some_inputs_only() -> None:
    result = evaluated("x*y", {"x": [1, 2], "y": 3}, upstream=np.array([0.5, 2]), wrt=["y"])
    names = executed(listing(result))
    assert names["delta_y"] == 4.5
    assert "delta_x" not in names


# --- LaTeX -------------------------------------------------------------------------------


@NEEDS_LATEX
def test_latex_compiles(tmp_path: Path) -> None:
    """All programs and all operations in one document."""
    parts = []
    for text, point in PROGRAMS.values():
        parts.append("".join(latex_pieces(Steps(evaluated(text, point)), PIPE)))
    for row, sample in CASES:
        made = Sample(row, sample)
        program = Program(made.text)
        shape = np.shape(program.evaluate(made.point, gradient=False).value)
        wrt = ["i1"] if row.name == "pow" else None
        result = program.evaluate(made.point, check=False, upstream=weights(shape), wrt=wrt)
        parts.append("".join(latex_pieces(Steps(result), PIPE)))
    whole = "".join(
        latex_pieces(Steps(evaluated(TUTORIAL, {"x": 3, "y": -4})), PIPE, standalone=True)
    )
    head, _, _ = whole.partition("\\begin{align*}")
    _compile(head + "\n".join(parts) + "\\end{document}\n", tmp_path)


@NEEDS_LATEX
def test_standalone_compiles(tmp_path: Path) -> None:
    for arguments in (
        ["export", TUTORIAL, *POINT, "--to", "latex", "--standalone"],
        ["trace", TUTORIAL, *POINT, "--style", "math", "--standalone"],
        ["trace", "x", "--x", "1", "--style", "math", "--standalone", "--pass", "backward"],
        ["trace", "2*pi", "--style", "math", "--standalone", "--pass", "backward"],
        ["trace", TUTORIAL, *POINT, "--format", "latex", "--standalone", "--blank"],
    ):
        code, out, err = gradcli(*arguments)
        assert (code, err) == (0, "")
        _compile(out, tmp_path)


def _compile(text: str, folder: Path) -> None:
    (folder / "made.tex").write_text(text, encoding="utf-8")
    ran = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "made.tex"],  # noqa: S607
        cwd=folder,
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout.decode("latin-1")[-2000:]


# --- the graph ---------------------------------------------------------------------------


@each_program
def test_the_graph_fits_the_schema(name: str) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    result = evaluated(*PROGRAMS[name])
    found = json.loads("".join(graph_pieces(Steps(result), PIPE)))
    Draft202012Validator(schema).validate(found)
    for node in found["nodes"]:
        edges = [e for e in found["edges"] if e["from"] == node["id"]]
        if edges and node["delta"] is not None:
            total = sum(np.asarray(e["contribution"]) for e in edges)
            np.testing.assert_allclose(total, node["delta"], rtol=1e-14)


# --- the command -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--standalone"], "--standalone is for --format latex"),
        (["--format", "csv"], "--format takes numpy, python, latex, graph-json or json, not 'csv'"),
        (["--json", "--to", "numpy"], "--json and --format numpy contradict each other"),
    ],
)
def test_contradictions(arguments: list[str], message: str) -> None:
    code, out, err = gradcli("export", TUTORIAL, *POINT, *arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_json_is_the_graph() -> None:
    assert json.loads(gradcli("export", TUTORIAL, *POINT, "--json")[1])["schema"] == (
        "gradcli.export/1"
    )


def test_ascii() -> None:
    _, out, _ = gradcli("export", "θ = λ*2; θ^2", "--set", "λ=3", "--ascii")
    assert out.isascii()
    assert executed(out)["delta_lambda_"] == 24


def test_a_program_of_several_lines_in_docstrings() -> None:
    """Line by line, without its `#:` lines, and whatever its comments hold."""
    text = '#: x = [1, 2]\n#: title """T\n\ny = x*2  # \'"""\' \\\n# why\nsum(y)  # "q"\n'
    code = "".join(python_pieces(Steps(Program(text).evaluate({"x": [1.0, 2.0]})), PIPE))
    head = ast.get_docstring(ast.parse(code), clean=False)
    first = 'y = x*2  # \'"""\' \\'
    assert head == f"{first} ... and its gradient by backpropagation."
    inner = inspect.getdoc(executed(code)["value_and_gradient"])  # 3.13 takes out what is common
    assert inner is not None
    assert inner.splitlines()[:6] == [
        "Value and gradient of the program",
        "",
        f"    {first}",
        "    # why",
        '    sum(y)  # "q"',
        "",
    ]


def test_what_ascii_has_not_is_spelled_in_python() -> None:
    point = {"ŷ": 2, "λ": 3, "x̂1": 5, "ß": 7, "y_hat": 11, "x": 1}
    words = [word for name, value in point.items() for word in ("--set", f"{name}={value}")]
    _, out, _ = gradcli("export", "ŷ*λ*x̂1*ß*y_hat*σ(x)", *words, "--to", "python", "--ascii")
    assert out.isascii()
    assert "def value_and_gradient(y_hat_, lambda_, x_hat1, u00df, y_hat, x):" in out
    _, gradient = executed(out)["value_and_gradient"](2, 3, 5, 7, 11, 1)
    assert list(gradient) == list(point)
    assert gradient["ŷ"] == pytest.approx(3 * 5 * 7 * 11 / (1 + np.exp(-1)))
    assert gradient["y_hat"] == pytest.approx(3 * 5 * 7 * 2 / (1 + np.exp(-1)))
