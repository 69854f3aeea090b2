r"""LaTeX as a program: what it is in the language, its places, and LaTeX that gradcli wrote."""

from __future__ import annotations

import random

import numpy as np
import pytest

from gradcli import GradcliError, Program
from gradcli.diagnostics.source import Source
from gradcli.examples import ORDER
from gradcli.examples import text as example
from gradcli.ops import TABLE
from gradcli.ops.operation import Operation
from gradcli.report.mathematics.latex import mathematics
from gradcli.syntax.latex import is_latex
from gradcli.syntax.parser import parse
from gradcli.syntax.tree import Name, postorder
from gradcli.trace.steps import Steps

READ = [
    (r"\frac{x+\sigma(y)}{x^2+y}", "(x + sigma(y))/(x^2 + y)"),
    (r"\dfrac{a}{b} + \frac12", "a/b + 1/2"),
    (r"\frac{1}{2}x^2", "1/2*x^2"),
    (r"\tfrac12\lVert x-y\rVert^2", "1/2*||x - y||^2"),
    (r"\frac\alpha\beta", "alpha/beta"),
    (r"\frac{\frac{a}{b}}{c}", "a/b/c"),
    (r"\sqrt{x}+\sqrt[3]{y}+\sqrt[n]{z}", "sqrt(x) + cbrt(y) + z^(1/n)"),
    (r"\sqrt 2 \cdot x", "sqrt(2)*x"),
    (r"\sin x + \sin(x) + \sin{x}", "sin(x) + sin(x) + sin(x)"),
    (r"\sin^2 x+\sin^{2}\left(x\right)", "sin(x)^2 + sin(x)^2"),
    (r"\sin x^2 + \cos -y", "sin(x^2) + cos(-y)"),
    (r"\sin 2x \cdot \exp\left(-x\right)", "sin(2x)*exp(-x)"),
    (r"\cos^{-1} x + \arctan x", "acos(x) + atan(x)"),
    (r"\log_2 x + \log_{10}(x) + \log_b x + \ln x", "log2(x) + log10(x) + log(x, b) + log(x)"),
    (r"\log \sigma(x) \times 2", "log(sigma(x))*2"),
    (r"\log \lvert \Gamma({x}) \rvert", "log(|gamma(x)|)"),
    (r"x_{1} + W_{ij} + x_{\max} + \theta_{0}", "x_1 + W_ij + x_max + theta_0"),
    (r"\mathbf{W}^\top \, x + W^{\top}\, y", "W.T @ x + W.T @ y"),
    (r"\mathbf{x}^T + y^\intercal", "x.T + y.T"),
    (r"\operatorname{relu}(x)+\mathrm{relu}(y)", "relu(x) + relu(y)"),
    (r"\operatorname{leaky\_relu}(y)", "leaky_relu(y)"),
    (r"(y - \hat{y})^{2} + \bar x + \hat\theta", "(y - ŷ)^2 + x̄ + θ̂"),
    (r"\begin{bmatrix} 1 & 2 \\ 3 & x \end{bmatrix}", "[[1, 2], [3, x]]"),
    (r"\begin{pmatrix} 1 \\ 2 \\ \end{pmatrix}", "[1, 2]"),
    (r"\left[\begin{array}{cc} 1 & 2 \end{array}\right]", "[[1, 2]]"),
    (r"\left[x + y\right]^2 + \left[1, 2\right]", "(x + y)^2 + [1, 2]"),
    (r"\bigl(x\bigr) \cdot \left| y \right| + \left\|z\right\|", "x*|y| + ||z||"),
    (r"$$x \le \pi\;\quad$$", "x <= pi"),
    (r"\(x \odot y \ast z\)", "x*y*z"),
    ("% a comment \\foo\n\\[ x^{n+1} \\]", "x^(n + 1)"),
    ("\\begin{align*}\na &= \\sigma(x) \\\\\nb &= a^{2}\n\\end{align*}", "a = sigma(x); b = a^2"),
    (r"\lfloor x \rfloor + \langle a, b \rangle", "floor(x) + dot(a, b)"),
    (r"e^{-x^2/2}\cdot 10^{-5}", "e^(-x^2/2)*10^-5"),
    (r"\max(x, y) + \infty", "max(x, y) + inf"),
]

REFUSED = [
    (r"\mathbf{W}\mathbf{x}", r"\mathbf{W}\mathbf{x}", "W @ x"),
    (r"1 + \sum_{i} x_i", r"\sum", "sum(x)"),
    (r"\partial x", r"\partial", "works out its derivatives"),
    (r"\frac{d}{dx} x^2", r"\frac{d}{dx}", "works out its derivatives"),
    (r"\foo{x} + 1", r"\foo", "foo"),
    (r"1 + \frac{x}{y", "\\frac", None),
    (r"\frac{x}", r"\frac", None),
    (r"x} + \pi", "}", None),
    (r"x_{i+1} \cdot 2", "_{i+1}", "x[i + 1]"),
    (r"\mathbf{A}^{-1} b", "^{-1} ", "inv(A)"),
    (r"A^{-1} \, b", "^{-1} ", "solve"),
    (r"a^{-1} \, b", "^{-1} ", "solve"),
    (r"\exp^{-1}(x)", r"\exp^{-1}", "1/exp(x)"),
    (r"\begin{pmatrix} 1 & 2", r"\begin{pmatrix}", None),
    (r"2\pi x", r"\pi x", "pi*x"),
    (r"\frac{x + }{y}", "+", None),
]

_TOKENS = r"""
\frac \sqrt \sin \log \left( \right) \left[ \right] \lVert \rVert | \| { } ( ) [
] ^ _ & \\ \, \begin{pmatrix} \end{pmatrix} \mathbf{W} \hat \hat{y} \operatorname
^\top \mathrm x y 2 10 1.5 + - / = , $ ~ \% \foo \sigma \pi \cdot \left. \right|
^{-1} _{i} ' . # é
"""


@pytest.mark.parametrize(("latex", "written"), READ)
def test_read(latex: str, written: str) -> None:
    assert is_latex(latex)
    assert parse(Source(latex)) == parse(Source(written))


@pytest.mark.parametrize(("latex", "underlined", "hint"), REFUSED)
def test_refused_in_its_own_text(latex: str, underlined: str, hint: str | None) -> None:
    with pytest.raises(GradcliError) as raised:
        parse(Source(latex))
    error = raised.value
    assert error.source == Source(latex)
    assert error.span is not None
    assert latex[error.span.start : error.span.end] == underlined
    assert hint is None or hint in (error.hint or "")


def test_places() -> None:
    """Every part of a tree has the place of what was written."""
    latex = r"\frac{x + \sigma(y)}{\sqrt{z}^{2}}"
    (statement,) = parse(Source(latex)).statements
    places = {latex[part.span.start : part.span.end] for part in postorder(statement)}
    assert {latex, "{x + \\sigma(y)}", r"\sigma(y)", "x", "y", "z", r"\sqrt{z}"} <= places
    with pytest.raises(GradcliError) as raised:
        Program(r"1 + \log\frac{x}{y}").evaluate(x=-1, y=2)
    assert raised.value.span is not None
    assert raised.value.span.start == 4


def test_other_texts_stay() -> None:
    for text in ("x^2", "x + 1 # \\alpha", 'print("\\n")'):
        assert not is_latex(text)


def test_any_text_is_read_or_refused() -> None:
    """Random tokens of LaTeX give a tree or an error in the text, and depth is no matter."""
    tokens = _TOKENS.split()
    chance = random.Random(5)  # noqa: S311 - the same texts each time
    for _ in range(1500):
        count = chance.randint(1, 12)
        text = "\\pi" + "".join(
            chance.choice(("", " ")) + chance.choice(tokens) for _ in range(count)
        )
        try:
            parse(Source(text))
        except GradcliError as error:
            assert error.source == Source(text)
            assert error.span is not None
            assert 0 <= error.span.start <= error.span.end <= len(text), text
    deep = 3000
    for opening, closing in (
        (r"\sqrt{", "}"),
        (r"\frac{1}{", "}"),
        (r"\left(", r"\right)"),
        ("{", "}"),
    ):
        parse(Source(opening * deep + r"\pi" + closing * deep))
    parse(Source(r"\sin " * deep + "x"))


# --- what gradcli writes -----------------------------------------------------------------


@pytest.mark.parametrize("name", ORDER)
def test_steps_of_the_examples_are_read_back(name: str) -> None:
    """The mathematics of each step has the step's value."""
    result = Program(example(name)).evaluate(check="none")
    steps = Steps(result)
    values = {node.name.replace("_", ""): result.values[node.id] for node in result.graph.nodes}
    for step in steps.steps():
        latex = mathematics(step.tree, steps.shapes).text
        if latex == "e^{e}" or latex.startswith(r"\sum"):
            continue  # the number e beside the node e; a sum of an array is written sum(b)
        program = Program(rf"{latex}\,")
        parts = postorder(step.tree)
        read = {part.name for part in parts if isinstance(part, Name) and not part.qualified}
        names = {*program.inputs, *({"e"} & read)}
        given = {key: values[key.replace("_", "")] for key in names}
        found = program.evaluate(given, check="none", gradient=False).value
        np.testing.assert_allclose(found, step.value, rtol=1e-12, err_msg=latex)


OTHERWISE = {
    "step": "θ is a name",
    "sinc_slope": "a prime is the transpose",
    "normal_pdf": "φ is a name",
    "sum": "a sum of an array is written sum(x)",
    "prod": "a product of an array is written prod(x)",
    "logsumexp": "a sum of an array is written sum(x)",
    "lower_half": "Φ is a name",
    "inv": "the power of a matrix",
    "prod_others": "a product of an array is written prod(x)",
    **dict.fromkeys(("sigmoid_slope", "gelu_slope", "silu_slope", "mish_slope"), "a prime"),
    **dict.fromkeys(("ones_like", "zeros_like"), "an array of ones has no size in LaTeX"),
}


@pytest.mark.parametrize(
    "row",
    [row for row in TABLE if len(row.operands) == 1 and row.latex and not row.operands[0].variadic],
    ids=lambda row: row.name,
)
def test_templates_of_the_operations_are_read_back(row: Operation) -> None:
    """The LaTeX of an operation of one operand has the operation's value."""
    (operand,) = row.operands
    latex = row.latex.replace(f"{{{{{operand.name}}}}}", f"{{{operand.name}}}") + r"\,"
    for value in (0.3, 1.7, [0.25, 0.5, 0.75], [[2.0, 0.5], [0.5, 1.0]]):
        given = {operand.name: value}
        try:
            wanted = (
                Program(f"{row.name}({operand.name})")
                .evaluate(given, check="none", gradient=False)
                .value
            )
        except GradcliError:
            continue  # the operation takes no such operand
        if row.name in OTHERWISE:
            with pytest.raises(GradcliError):
                Program(latex).evaluate(given, check="none", gradient=False)
        else:
            found = Program(latex).evaluate(given, check="none", gradient=False).value
            np.testing.assert_allclose(found, wanted, rtol=1e-12, err_msg=latex)
