"""The language by examples: a text, and the tree that it means, for every row of its page.

Trees are written as nested lists of words: `(+ x (* 2 y))`. What the reports print is the
printer's text, which the second half compares.
"""

from __future__ import annotations

import re
import sys

import pytest

from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.source import Source
from gradcli.syntax import tables
from gradcli.syntax.from_grammar import lark_parser, tables_of
from gradcli.syntax.parser import parse, parse_expression, parse_listing
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import (
    Array,
    Assign,
    Augment,
    Bare,
    Block,
    Call,
    Compare,
    Define,
    Index,
    Name,
    Nothing,
    Number,
    Operator,
    Rule,
    Slice,
    Tree,
    Tuple,
    postorder,
)


def words(tree: Tree) -> str:
    """The tree as nested lists."""
    parts = [words(child) for child in tree.children()]
    match tree:
        case Number():
            return tree.text
        case Name():
            return ("np." if tree.qualified else "") + tree.name
        case Nothing():
            return "None"
        case Operator():
            head = tree.symbol
        case Compare():
            head = " ".join(tree.symbols)
        case Call():
            head = "call " + ("np." if tree.qualified else "") + tree.name
            start = len(parts) - len(tree.keywords)
            parts[start:] = [
                f"{k}={part}" for k, part in zip(tree.keywords, parts[start:], strict=True)
            ]
        case Augment():
            head = f"{tree.symbol}="
        case Rule():
            head = "delta" if tree.whole else "d/d"
        case Array() | Tuple() | Slice() | Index() | Assign() | Define() | Block() | Bare():
            head = type(tree).__name__.lower()
        case _:
            raise TypeError(tree)
    return f"({' '.join([head, *parts])})"


def row(text: str, tree: str) -> object:
    return pytest.param(text, tree, id=text.replace("\n", "⏎"))


EXPRESSIONS = [
    # comparison
    row("x < y", "(< x y)"),
    row("0 < x <= 1", "(< <= 0 x 1)"),
    row("a ≤ b ≥ c ≠ d", "(<= >= != a b c d)"),
    row("(a < b) < c", "(< (< a b) c)"),
    row("a == b", "(== a b)"),
    # sum, product
    row("a + b - c", "(- (+ a b) c)"),
    row("a − b", "(- a b)"),
    row("a * b / c @ d", "(@ (/ (* a b) c) d)"),
    row("a · b × c ⊙ d ⋅ e ∗ f", "(* (* (* (* (* a b) c) d) e) f)"),
    row("a + b * c", "(+ a (* b c))"),
    # sign
    row("-x", "(neg x)"),
    row("−x", "(neg x)"),
    row("+x", "x"),
    row("-x^2", "(neg (^ x 2))"),
    row("-x * y", "(* (neg x) y)"),
    row("x - -y", "(- x (neg y))"),
    row("-2", "-2"),
    row("--2", "2"),
    row("-(2)", "-2"),
    row("- +2", "-2"),
    row("-2*x", "(* -2 x)"),
    row("-2x", "(* -2 x)"),
    row("-2x^2", "(* -2 (^ x 2))"),
    row("-(2x)", "(neg (* 2 x))"),
    row("-2^2", "(neg (^ 2 2))"),
    row("(-2)^2", "(^ -2 2)"),
    row("-inf", "-inf"),
    # coefficient
    row("2x", "(* 2 x)"),
    row("2 x", "(* 2 x)"),
    row("2(x + 1)", "(* 2 (+ x 1))"),
    row("3sin(x)", "(* 3 (call sin x))"),
    row("2√x", "(* 2 (sqrt x))"),
    row("2np.pi", "(* 2 np.pi)"),
    row("2x^2", "(* 2 (^ x 2))"),
    row("2x²", "(* 2 (^ x 2))"),
    row("2x^-3", "(* 2 (^ x -3))"),
    row("2x.T[0]", "(* 2 (index (T x) 0))"),
    row("½x", "(* 0.5 x)"),
    row("2e", "(* 2 e)"),
    row("2ex", "(* 2 ex)"),
    row("2e3x", "(* 2e3 x)"),
    row("2 j", "(* 2 j)"),
    row("1/(2x)", "(/ 1 (* 2 x))"),
    row("2x/3", "(/ (* 2 x) 3)"),
    row("a + 2b", "(+ a (* 2 b))"),
    row("x^(2y)", "(^ x (* 2 y))"),
    # power
    row("x^2", "(^ x 2)"),
    row("x**2", "(^ x 2)"),
    row("x^y^z", "(^ x (^ y z))"),
    row("(x^y)^z", "(^ (^ x y) z)"),
    row("2^-1", "(^ 2 -1)"),
    row("2^-x^2", "(^ 2 (neg (^ x 2)))"),
    # postfix
    row("x²", "(^ x 2)"),
    row("x⁻¹", "(^ x -1)"),
    row("x⁺¹⁰", "(^ x 10)"),
    row("x²³", "(^ x 23)"),
    row("2²", "(^ 2 2)"),
    row("x².T", "(T (^ x 2))"),
    row("A.T", "(T A)"),
    row("Aᵀ", "(T A)"),
    row("A'", "(T A)"),
    row("A′", "(T A)"),
    row("A’", "(T A)"),
    row("A''", "(T (T A))"),
    row("(A @ B).T", "(T (@ A B))"),
    row("x[0]", "(index x 0)"),
    row("x[-1]", "(index x -1)"),
    row("x[i, j]", "(index x i j)"),
    row("x[1:2]", "(index x (slice 1 2 None))"),
    row("x[:]", "(index x (slice None None None))"),
    row("x[::2]", "(index x (slice None None 2))"),
    row("x[a:b:s]", "(index x (slice a b s))"),
    row("x[i+1:]", "(index x (slice (+ i 1) None None))"),
    row("x[:, None]", "(index x (slice None None None) None)"),
    row("x[np.newaxis, 0,]", "(index x None 0)"),
    row("x[0][1]", "(index (index x 0) 1)"),
    row("[1, 2][0]", "(index (array 1 2) 0)"),
    row("x.sum()", "(call sum x)"),
    row("x.sum(axis=0)", "(call sum x axis=0)"),
    row("x.dot(y).mean()", "(call mean (call dot x y))"),
    row("x.reshape(2, 3)", "(call reshape x (tuple 2 3))"),
    row("x.reshape((2, 3))", "(call reshape x (tuple 2 3))"),
    row("x.reshape(6)", "(call reshape x 6)"),
    row("(x + y).sum()", "(call sum (+ x y))"),
    # atom
    row("f()", "(call f)"),
    row("f(x, y,)", "(call f x y)"),
    row("f(x, lo=0, hi=1)", "(call f x lo=0 hi=1)"),
    row("sum(X, axis=None)", "(call sum X axis=None)"),
    row("zeros((2, 3))", "(call zeros (tuple 2 3))"),
    row("zeros((2,))", "(call zeros (tuple 2))"),
    row("sum(X, axis=(0, 1))", "(call sum X axis=(tuple 0 1))"),
    row("concatenate((a, b), axis=0)", "(call concatenate (tuple a b) axis=0)"),
    row("f((x))", "(call f x)"),
    row("f(x > 0)", "(call f (> x 0))"),
    row("((x))", "x"),
    row("[1, 2]", "(array 1 2)"),
    row("[[1, 2], [3, 4]]", "(array (array 1 2) (array 3 4))"),
    row("[x, ]", "(array x)"),
    row("|x|", "(abs x)"),
    row("|-x|", "(abs (neg x))"),
    row("|x|²", "(^ (abs x) 2)"),
    row("||x||", "(norm x)"),
    row("‖x‖", "(norm x)"),
    row("∥x∥", "(norm x)"),
    row("||x||^2", "(^ (norm x) 2)"),
    row("| |x| |", "(abs (abs x))"),
    row("|a - |b||", "(abs (- a (abs b)))"),
    row("||a - |b| ||", "(norm (- a (abs b)))"),
    row("|x|*|y|", "(* (abs x) (abs y))"),
    row("2*|x|", "(* 2 (abs x))"),
    row("√x", "(sqrt x)"),
    row("√x²", "(^ (sqrt x) 2)"),
    row("√(x + 1)", "(sqrt (+ x 1))"),
    row("√f(x).T", "(T (sqrt (call f x)))"),
    row("√√2", "(sqrt (sqrt 2))"),
    row("½", "0.5"),
    # numbers and reserved words
    row("1_000.5e-3", "1000.5e-3"),
    row(".5", ".5"),
    row("2.", "2."),
    row("2.e3", "2.e3"),
    row("007", "007"),
    row("True + False", "(+ True False)"),
    row("[inf, nan, np.inf, math.nan]", "(array inf nan inf nan)"),
    row("infx", "infx"),
    row("Nonesuch", "Nonesuch"),
    # names
    row("x₁₂", "x12"),
    row("µ", "μ"),
    row("ŷ + y\u0302", "(+ ŷ ŷ)"),
    row("x̂", "x̂"),
    row("δ_x", "δ_x"),
    row("lambda*w", "(* lambda w)"),
    row("np.pi + math.e + numpy.tau", "(+ (+ np.pi np.e) np.tau)"),
    row("np.exp(x)", "(call np.exp x)"),
    row("numpy.exp(x)", "(call np.exp x)"),
    row("math.sqrt(x)", "(call np.sqrt x)"),
    row("np.linalg.norm(x)", "(call np.norm x)"),
    row("numpy.linalg.inv(A)", "(call np.inv A)"),
    row("scipy.special.expit(x)", "(call np.expit x)"),
    row("np.array([1, 2]).T", "(T (array 1 2))"),
    row("np.T", "(T np)"),
    # white space
    row("(a\n+ b)", "(+ a b)"),
    row("[1,\r\n 2]", "(array 1 2)"),
    row("a\u00a0+\u2003b\t+\x0cc", "(+ (+ a b) c)"),
    row("\n\n a # comment (\n", "a"),
    row("\ufeffa", "a"),
]


@pytest.mark.parametrize(("text", "tree"), EXPRESSIONS)
def test_expression(text: str, tree: str) -> None:
    assert words(parse_expression(Source(text))) == tree


PROGRAMS = [
    row("x", "(bare x)"),
    row("a = x", "(assign a x)"),
    row("a = x\na", "(assign a x) (bare a)"),
    row("a = x; a", "(assign a x) (bare a)"),
    row("a = x;\n\n;a;", "(assign a x) (bare a)"),
    row("a = x\r\nb = a\rc = b", "(assign a x) (assign b a) (assign c b)"),
    row("a = x\u2028b = a", "(assign a x) (assign b a)"),
    row("# nothing\na = x # more\n", "(assign a x)"),
    row("f(p, q) = p*q", "(define f p q (* p q))"),
    row("f(x) = -x\nf(2)", "(define f x (neg x)) (bare (call f 2))"),
    row("  a = 1\n  -a", "(assign a 1) (bare (neg a))"),
    row("a = f(x,\n  y)\n", "(assign a (call f x y))"),
    row("a = (1\n\n + 2)", "(assign a (+ 1 2))"),
    row("x += 2", "(+= x 2)"),
    row("x -= y; x *= 2; x **= 2", "(-= x y) (*= x 2) (**= x 2)"),
    row("x[0] += 2", "(+= (index x 0) 2)"),
    row("block f(x) = x^2 with d/dx = 2x", "(block f x (^ x 2) (d/d x (* 2 x)))"),
    row(
        "block f(x, y) = x*y\n\nwith\n d/dx = y,\n d/dy = x\nf(a, b)",
        "(block f x y (* x y) (d/d x y) (d/d y x)) (bare (call f a b))",
    ),
    row(
        "block f(W, x) = W @ x with delta_W = delta @ x', delta_x = W' @ delta",
        "(block f W x (@ W x) (delta W (@ delta (T x))) (delta x (@ (T W) delta)))",
    ),
    row("block f(σ) = σ with d/dσ = 1", "(block f σ σ (d/d σ 1))"),
]


@pytest.mark.parametrize(("text", "trees"), PROGRAMS)
def test_program(text: str, trees: str) -> None:
    assert " ".join(words(statement) for statement in parse(Source(text)).statements) == trees


def test_listing_may_have_bare_expressions_anywhere() -> None:
    listing = parse_listing(Source("x\ny = 2\nprint(y)\ny += 1"))
    assert [words(statement) for statement in listing.statements] == [
        "(bare x)",
        "(assign y 2)",
        "(bare (call print y))",
        "(+= y 1)",
    ]
    assert parse_listing(Source("")).statements == ()


PRINTED = [
    ("b*e", "b * e"),
    ("a*b*c", "a * b * c"),
    ("a/b*c", "a/b * c"),
    ("2x+1", "2*x + 1"),
    ("1/d", "1/d"),
    ("x²", "x^2"),
    ("x⁻²", "x^(-2)"),
    ("-x^2", "-x^2"),
    ("(-x)^2", "(-x)^2"),
    ("x^y^z", "x^y^z"),
    ("(x^y)^z", "(x^y)^z"),
    ("x--2", "x - (-2)"),
    ("x*-2y", "x * (-2*y)"),
    ("-(x+y)", "-(x + y)"),
    ("a-(b+c)", "a - (b + c)"),
    ("a/(b*c)", "a/(b*c)"),
    ("A@B", "A @ B"),
    ("(A@B)*c", "(A @ B) * c"),
    ("1+A@B*c", "1 + (A @ B)*c"),
    ("A.T@x", "A.T @ x"),
    ("√x²", "(√x)^2"),
    ("√(x[0])", "√(x[0])"),
    ("|x|", "|x|"),
    ("| |x|-1|", "| |x| - 1|"),
    ("|| |x| ||", "|| |x| ||"),
    ("(a<b)==c", "(a < b) == c"),
    ("x.sum(axis=0)", "sum(x, axis=0)"),
    ("math.exp(np.e)", "np.exp(math.e)"),
    ("x[0:n,::2,None]", "x[0:n, ::2, None]"),
    ("zeros((2,))", "zeros((2,))"),
]


@pytest.mark.parametrize(("text", "printed"), PRINTED)
def test_printed(text: str, printed: str) -> None:
    assert print_tree(parse_expression(Source(text))) == printed


def test_printed_without_spaces_around_the_outermost_product() -> None:
    assert print_tree(parse_expression(Source("a*(1-a)")), spaced=False) == "a*(1 - a)"


def test_printed_program() -> None:
    text = "a = 2*x;f(p,q)=p*q; block g(x)=x^2 with d/dx=2*x ; a+=1;a*f(a,g(x))"
    assert print_tree(parse(Source(text))).split("\n") == [
        "a = 2 * x",
        "f(p, q) = p * q",
        "block g(x) = x^2 with d/dx = 2*x",
        "a += 1",
        "a * f(a, g(x))",
    ]


# --- places ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("(x + y)*z", ["x", "y", "(x + y)", "z", "(x + y)*z"]),
        ("-2x", ["-2", "x", "-2x"]),
        ("f(a, k=[b])", ["a", "b", "[b]", "f(a, k=[b])"]),
        ("x²  .T", ["x", "²", "x²", "x²  .T"]),
        ("−ŷ\u00a0+ |x|", ["ŷ", "−ŷ", "x", "|x|", "−ŷ\u00a0+ |x|"]),
        ("X[1:, 0]", ["X", "1", "1:", "1:", "1:", "0", "X[1:, 0]"]),
    ],
)
def test_spans_are_places_in_the_text_as_it_was_written(text: str, places: list[str]) -> None:
    tree = parse_expression(Source(text))
    assert [text[node.span.start : node.span.end] for node in postorder(tree)] == places


def test_names_have_places_of_their_own() -> None:
    text = "y = np.linalg.norm(x) ⊙ x.sum()"
    (statement,) = parse(Source(text)).statements
    assert isinstance(statement, Assign)
    product = statement.value
    assert isinstance(product, Operator)
    norm, total = product.operands
    assert isinstance(norm, Call)
    assert isinstance(total, Call)
    spans = [statement.name.span, norm.name_span, product.symbol_span, total.name_span]
    assert [text[span.start : span.end] for span in spans] == ["y", "norm", "⊙", "sum"]


# --- the grammar as a resource -----------------------------------------------------------


def test_the_grammar_is_there() -> None:
    assert "start:" in tables.grammar_text()


def test_a_missing_grammar_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "GRAMMAR", "missing.lark")
    with pytest.raises(FileNotFoundError):
        tables.tables()


def test_an_empty_grammar_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_resource", lambda _: b"\n")
    with pytest.raises(RuntimeError, match="not installed properly"):
        tables.grammar_text()


def test_the_grammar_has_no_conflicts(caplog: pytest.LogCaptureFixture) -> None:
    # Lark prefers to shift and says so only in debug mode.
    with caplog.at_level("DEBUG", logger="lark"):
        lark_parser(tables.grammar_text(), debug=True)
    assert [line for line in caplog.messages if "onflict" in line] == []


def test_the_grammar_names_no_function() -> None:
    assert not re.search(r'"(sin|exp|sigmoid|sum|log)"', tables.grammar_text())


def test_saved_tables_are_those_of_the_grammar() -> None:
    grammar = tables.grammar_text()
    assert tables.load(tables.build(), grammar) == tables_of(grammar)


def test_tables_of_something_else_are_not_used() -> None:
    grammar = tables.grammar_text()
    saved = tables.build()
    assert tables.load(saved, grammar + " ") is None
    assert tables.load(b"", grammar) is None
    assert tables.load(saved[:-1], grammar) is None
    assert tables.load(saved[:500] + b"?" + saved[501:], grammar) is None


def test_tables_are_made_where_those_saved_are_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    grammar = tables.grammar_text()
    files = {tables.GRAMMAR: grammar.encode(), tables.TABLES: b"damaged"}
    monkeypatch.setattr(tables, "_resource", lambda name: files[name])
    assert tables.tables() == tables_of(grammar)
    monkeypatch.setitem(sys.modules, "gradcli.syntax.from_grammar", None)
    with pytest.raises(RuntimeError, match="not installed properly"):
        tables.tables()


def test_numbers_of_many_digits_are_read() -> None:
    tree = parse_expression(Source("0." + "1" * 10_000))
    assert isinstance(tree, Number)
    assert tree.value == 1 / 9
    with pytest.raises(GradcliError, match="too large"):
        parse_expression(Source("1" * 10_000))
    with pytest.raises(GradcliError, match="too large"):
        parse_expression(Source("x" + "⁹" * 400))


def test_the_limits_on_integer_texts_play_no_part() -> None:
    digits = sys.get_int_max_str_digits() + 1
    with pytest.raises(GradcliError, match="decimal"):
        parse_expression(Source("0x" + "F" * digits))
