"""From text to the graph: operations, their order, their names, and what is left out."""

import itertools
from dataclasses import FrozenInstanceError, fields, replace

import pytest
from ops_samples import applied
from sweep import each_sample, sweep

from gradcli import GradcliError, Program, examples
from gradcli.diagnostics.error import Kind
from gradcli.engine.notation import expression, node_tree, rule, rule_tree
from gradcli.engine.run import RUNS
from gradcli.grading.model.task import by_the_textbook
from gradcli.graph.lower import MOST_OPERATIONS
from gradcli.ops import Operation
from gradcli.syntax.printer import print_tree
from gradcli.trace.steps import Steps


def operations(text: str, output: str | None = None, **inputs: object) -> list[str]:
    """Every operation and constant of a program as `name = expression`."""
    program = Program(text, output=output)
    shapes = {name: inputs.get(name, 0.5) for name in program.inputs}
    result = program.evaluate({**shapes, **inputs}, gradient=False, check=False)
    return [
        f"{row.node.name} = {row.expression}" for row in result.rows() if row.node.kind != "input"
    ]


TUTORIAL = ["a = sigmoid(y)", "b = x + a", "c = x^2", "d = c + y", "e = 1/d", "f = b * e"]


@pytest.mark.parametrize(
    "text",
    [
        "(x + sigmoid(y)) / (x^2 + y)",
        "(x + σ(y)) / (x² + y)",
        "f(x, y) = (x + σ(y)) / (x² + y)",
        "a = sigmoid(y); b = x + a; c = x^2; d = c + y; e = 1/d; f = b*e",
    ],
)
def test_tutorial_has_six_operations(text: str) -> None:
    assert operations(text) == TUTORIAL


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x*2/3", ["a = x * 2", "b = a/3"]),
        ("2/x", ["a = 1/x", "b = 2 * a"]),
        ("1.0/x", ["a = 1/x"]),
        ("x/pi", ["a = x/pi"]),
        ("-2*x", ["a = -2 * x"]),
        ("-2x", ["a = -2 * x"]),
        ("-x^2", ["a = x^2", "b = -a"]),
        ("-2^2*x", ["a = 2^2", "b = -a", "c = b * x"]),
        ("3", ["a = 3"]),
        ("gamma = 0.9; gamma*x", ["gamma = 0.9", "a = gamma * x"]),
        ("y = x; y + x", ["y = x", "a = y + x"]),
        ("0 < x < 1", ["a = 0 < x", "b = x < 1", "c = a * b"]),
        ("a = x + 1; x*x + a", ["a = x + 1", "b = x * x", "c = b + a"]),
        ("g(p) = p*w; g(x) + g(2)", ["a = x * w", "b = 2 * w", "c = a + b"]),
        ("g(p, q) = p; g(x, sin(y))", []),
        ("u = exp(y); x*2", ["a = x * 2"]),
        ("e^x", ["a = e^x"]),
        ("np.pi * x + math.e", ["a = pi * x", "b = a + e"]),
        ("max(x, 1, 2)", ["a = max(x, 1, 2)"]),
        ("log(x, 10) + log(x)", ["a = log(x, 10)", "b = log(x)", "c = a + b"]),
    ],
)
def test_operations(text: str, expected: list[str]) -> None:
    assert operations(text) == expected


def test_names_go_on_with_v1_when_letters_do_not_suffice() -> None:
    names = [line.split(" = ")[0] for line in operations("+".join(["x"] * 28))]
    assert names == [f"v{i}" for i in range(1, 28)]


def test_names_leave_out_whatever_the_program_uses() -> None:
    assert operations("f(b) = b + a; c = f(a); sin(c)") == ["c = a + a", "d = sin(c)"]


def test_inputs_are_in_order_of_first_appearance() -> None:
    assert Program("g(p) = p*w; x + g(y)").inputs == ("w", "x", "y")
    assert Program("f(x, y) = y*x").inputs == ("x", "y")


def test_constants_give_way_to_a_binding() -> None:
    assert operations("e*x", e=3.0) == ["a = e * x"]
    program = Program("e*x")
    assert program.evaluate(x=1, check=False).inputs == {"x": 1.0}
    assert program.evaluate(x=1, e=2, check=False).inputs == {"e": 2.0, "x": 1.0}


def test_data_overrides_a_constant() -> None:
    result = Program("e*x").evaluate(data={"x": 1.0, "e": 5.0, "other": "text"}, check=False)
    assert result.gradient == {"e": 1.0, "x": 5.0}


@pytest.mark.parametrize(
    ("output", "expected"),
    [("b", ["b = cos(x)"]), ("s", ["a = sin(x)", "s = a * b"]), ("x", [])],
)
def test_output_picks_a_node(output: str, expected: list[str]) -> None:
    found = operations("s = sin(x)*cos(x); s^2", output=output)
    assert [line for line in found if line != "b = cos(x)"] == [
        line for line in expected if line != "b = cos(x)"
    ]
    assert ("b = cos(x)" in found) == (output in {"b", "s"})


@pytest.mark.parametrize("name", examples.ORDER)
def test_a_graph_never_changes(name: str) -> None:
    program = Program(examples.text(name))
    ready = program.executable(program.bind({}))
    graph, nodes = ready.graph, ready.graph.nodes
    for field in fields(graph):
        with pytest.raises(FrozenInstanceError):
            setattr(graph, field.name, None)
    for _ in range(RUNS + 1):
        result = program.evaluate(check=False)
    assert result.graph is graph
    program.check(result, budget=0.01)
    assert ready.both_passes.line is not None
    assert list(result.rows())
    assert len(list(result.lines())) == len(list(Steps(result).moves()))
    assert by_the_textbook(result).graph.nodes == nodes
    new, own = replace(graph), {field.name for field in fields(graph)}
    for key in vars(graph).keys() - own:  # facts that follow from the fields
        assert repr(getattr(new, key)) == repr(getattr(graph, key))


def test_unfolding_without_end_is_refused() -> None:
    doubling = "; ".join(f"f{i + 1}(x) = f{i}(x) + f{i}(x)" for i in range(40))
    with pytest.raises(GradcliError) as error:
        Program(f"f0(x) = x; {doubling}; f40(y)").evaluate(y=1)
    assert error.value.kind is Kind.SYNTAX
    assert f"{MOST_OPERATIONS:,}" in error.value.message


def test_deep_chains_of_functions() -> None:
    text = "; ".join(f"f{i + 1}(x) = f{i}(x) + 1" for i in range(3000))
    result = Program(f"f0(x) = x; {text}; f3000(y)").evaluate(y=1, check=False)
    assert result.value == 3001.0
    assert result.gradient["y"] == 1.0


@each_sample
def test_texts_are_those_of_the_trees(row: Operation, sample: str) -> None:
    """Operations share the form of their text; it says the same as a tree of their own."""
    made = applied(row, sample)
    graph, node = made.graph, made.node
    for _ in range(2):
        assert expression(graph, node) == print_tree(node_tree(graph, node))
        for i in range(len(node.operands)):
            tree = rule_tree(graph, node, i)
            assert rule(graph, node, i) == print_tree(tree, spaced=False)


SHAPES = ["1", "[1, 2]", "[1, 2, 3]", "[1, 2].T", "[1, 2, 3].T", "[[7]]"] + [
    f"ones(({m}, {n}))" for m in (1, 2, 3) for n in (1, 2, 3)
]


@pytest.mark.parametrize("product", ["A @ B", "A.T @ B", "A @ B.T"])
def test_the_product_of_a_hint_fits(product: str) -> None:
    """Shapes that don't fit get a product that does, without a double transpose."""
    sweep(_expect_hint, itertools.product(SHAPES, SHAPES, [product]))


def _expect_hint(left: str, right: str, product: str) -> None:
    try:
        evaluate(f"A = {left}; B = {right}; {product}")
    except GradcliError as error:
        hint = error.hint or ""
        assert ".T.T" not in hint
        if " would " in hint or " is the outer product" in hint:
            suggested = hint.split(" would ")[0].split(" is the ")[0]
            evaluate(f"A = {left}; B = {right}; {suggested}")


def evaluate(text: str) -> None:
    Program(text).evaluate(gradient=False, check=False)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("np.add", "p + q"),
        ("subtract", "p - q"),
        ("np.multiply", "p*q"),
        ("np.divide", "p/q"),
        ("np.true_divide", "p/q"),
        ("np.power", "p^q"),
        ("np.less_equal", "p <= q"),
        ("np.greater", "p > q"),
        ("np.not_equal", "p != q"),
    ],
)
def test_operators_by_their_names_in_numpy(name: str, written: str) -> None:
    for arguments in ("x, 2", "x, y", "2, y"):
        p, q = arguments.split(", ")
        called = operations(f"{name}({arguments})")
        assert called == operations(written.replace("p", p).replace("q", q))
