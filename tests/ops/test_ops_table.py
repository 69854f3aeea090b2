"""Every row of the operation table: its names, its rules against differences, its batches."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import numpy as np
import pytest
from ops_samples import CASES, Application, applied, label, weights
from sweep import each_sample, sweep

from gradcli import GradcliError, Program, ops
from gradcli.engine.formula import compile_formula, formula_names, parsed
from gradcli.engine.plan import reduce_to
from gradcli.graph.names import CONSTANTS
from gradcli.ops.operation import Misfit, Operation, Site, Type, keywords, propagating
from gradcli.ops.table.moving import PLACED
from gradcli.syntax.tree import Call, Name, postorder

FUNCTIONS = [
    "abs",
    "sign",
    "sqrt",
    "cbrt",
    "square",
    "exp",
    "expm1",
    "exp2",
    "log",
    "ln",
    "log1p",
    "log2",
    "log10",
    "sin",
    "cos",
    "tan",
    "asin",
    "arcsin",
    "acos",
    "arccos",
    "atan",
    "arctan",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "arcsinh",
    "acosh",
    "arccosh",
    "atanh",
    "arctanh",
    "atan2",
    "arctan2",
    "hypot",
    "logaddexp",
    "sigmoid",
    "σ",
    "expit",
    "logsigmoid",
    "logit",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "swish",
    "mish",
    "softplus",
    "softsign",
    "hardtanh",
    "erf",
    "erfc",
    "floor",
    "ceil",
    "round",
    "mod",
    "where",
    "maximum",
    "minimum",
    "clip",
    "step",
    "heaviside",
    "sinc",
    "deg2rad",
    "rad2deg",
    "gamma",
    "lgamma",
    "digamma",
    "erfinv",
    "max",
    "min",
    "pow",
    "matmul",
    "T",
    "transpose",
    "dot",
    "inner",
    "outer",
    "cross",
    "kron",
    "sum",
    "mean",
    "prod",
    "amax",
    "amin",
    "var",
    "std",
    "norm",
    "trace",
    "det",
    "logdet",
    "inv",
    "solve",
    "cholesky",
    "diag",
    "tril",
    "triu",
    "concat",
    "concatenate",
    "stack",
    "reshape",
    "flatten",
    "ravel",
    "squeeze",
    "expand_dims",
    "repeat",
    "flip",
    "cumsum",
    "cumprod",
    "softmax",
    "log_softmax",
    "logsumexp",
    "col",
    "row",
    "zeros",
    "ones",
    "full",
    "eye",
    "linspace",
    "arange",
]
SYMBOLS = ["+", "-", "*", "/", "@", "^", "neg", "abs", "norm", "sqrt", "T"]
SYMBOLS += ["<", "<=", ">", ">=", "==", "!="]
rows = pytest.mark.parametrize("row", ops.TABLE, ids=label)


# --- names -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FUNCTIONS)
def test_language_has_function(name: str) -> None:
    assert ops.is_function(name)
    assert ops.find(name)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_language_has_operator(symbol: str) -> None:
    assert ops.for_symbol(symbol).symbol == symbol


@pytest.mark.parametrize(
    ("call", "positional", "name"),
    [
        ("max", 1, "amax"),
        ("max", 2, "maximum"),
        ("min", 1, "amin"),
        ("min", 3, "minimum"),
        ("log", 1, "log"),
        ("log", 2, "log_base"),
        ("concatenate", 2, "concat"),
    ],
)
def test_number_of_arguments_chooses_the_row(call: str, positional: int, name: str) -> None:
    assert ops.function(call, positional).name == name


@rows
def test_row_is_complete(row: Operation) -> None:
    assert row.doc
    assert row.latex
    assert row.samples
    assert not row.doc.endswith(".")
    assert row.elementwise == (row.infer is None) or row.forward.__module__.endswith(
        ("special", "bessel", "elementwise")
    )
    assert row.tie is None or row.branch is not None
    for parameter in (p for p in row.operands if p.required):
        assert (
            "{" + parameter.name + "}" in row.latex
            or row.group in {"maker", "helper"}
            or (row.name in {"ones_like", "zeros_like"})
        ), f"{parameter.name} is missing in the LaTeX form"


def test_rows_have_different_names() -> None:
    names = [row.name for row in ops.TABLE]
    assert len(set(names)) == len(names)


# --- rules -------------------------------------------------------------------------------


@each_sample
def test_rule_uses_only_what_it_may(row: Operation, sample: str) -> None:
    application = applied(row, sample)
    site = application.site
    allowed = {*formula_names(row, site), *site.options, *CONSTANTS}
    texts = row.formulas(site)
    assert len(texts) == len(site.types)
    for text in texts:
        for part in postorder(parsed(text)):
            if isinstance(part, Name):
                assert part.name in allowed, text
            if isinstance(part, Call):
                assert ops.is_function(part.name), text


def _literals_hidden(site: Site) -> Site:
    """The same site, its operands not written as numbers: the most general rules."""
    return site._replace(literals=(None,) * len(site.types))


@each_sample
def test_rule_agrees_with_differences(row: Operation, sample: str) -> None:
    application = applied(row, sample)
    delta = weights(application.site.out.shape)
    for site in (application.site, _literals_hidden(application.site)):
        for i, gradient in enumerate(application.gradient(delta, site)):
            operand = np.asarray(application.operands[i])
            assert gradient.shape == operand.shape
            assert gradient.dtype == np.float64
            for place in np.ndindex(operand.shape):
                slope, error = _slope(application, delta, i, place)
                got = gradient[place]
                if np.isnan(got):
                    assert np.isnan(slope), f"by operand {i} at {place}"
                    continue
                largest = np.abs(gradient).max()
                assert error <= 1e-8 * max(1.0, abs(slope), largest)
                assert abs(slope - got) <= 1e-8 * max(abs(slope), largest, 1e-3) + 2 * error


STEPS = np.concatenate([scale * 0.5 ** np.arange(8) for scale in 10.0 ** np.arange(-1, -6, -1)])


def _slope(
    application: Application, delta: Any, operand: int, place: tuple[int, ...]
) -> tuple[float, float]:
    """Central differences by one element, extrapolated to step 0, and how sure that is."""
    x = np.asarray(application.operands[operand], dtype=float)
    size = abs(x[place]) or np.abs(x[x != 0]).min(initial=1.0)
    steps = (1.0 if 1e-9 < size < 1e-3 else size) * STEPS
    batch = np.repeat(x[None], 2 * len(steps), axis=0)
    column: tuple[Any, ...] = (slice(None), *place)
    batch[column] += np.concatenate([steps, -steps])
    moved = batch[column]
    width = moved[: len(steps)] - moved[len(steps) :]
    operands = list(application.operands)
    operands[operand] = batch
    out = application.value(operands)
    axes = tuple(range(1, out.ndim))
    f = np.sum(delta * out, axis=axes)
    with np.errstate(all="ignore"):
        differences = (f[: len(steps)] - f[len(steps) :]) / width
    best = (np.nan, np.inf)
    for ladder in differences.reshape(-1, 8):
        best = min(best, _extrapolated(list(ladder)), key=lambda pair: pair[1])
    return best


def _extrapolated(column: list[float]) -> tuple[float, float]:
    """Richardson's extrapolation in h², and the smallest change on the way."""
    best = (np.nan, np.inf)
    for m in range(1, len(column)):
        finer = [(4**m * b - a) / (4**m - 1) for a, b in itertools.pairwise(column)]
        for a, b, value in zip(column, column[1:], finer, strict=False):
            change = max(abs(value - a), abs(value - b))
            if change < best[1]:
                best = (value, change)
        column = finer
    return best


@each_sample
def test_no_upstream_gives_no_gradient(row: Operation, sample: str) -> None:
    application = applied(row, sample)
    delta = np.zeros(application.site.out.shape)[()]
    for i, gradient in enumerate(application.gradient(delta)):
        if not np.isnan(gradient).any():
            assert not gradient.any(), f"by operand {i}"


@each_sample
def test_value_has_the_inferred_type(row: Operation, sample: str) -> None:
    application = applied(row, sample)
    assert np.shape(application.out) == application.site.out.shape
    assert application.out.dtype == np.float64


# --- batches -----------------------------------------------------------------------------


def _keywords(application: Application) -> Any:
    assert application.node.kernel is not None
    return keywords(application.node.kernel)


@each_sample
def test_batch_is_a_loop(row: Operation, sample: str) -> None:
    sweep(_expect_loop, [(applied(row, sample), batch) for batch in ((4,), (3, 2))])


def _expect_loop(application: Application, batch: tuple[int, ...]) -> None:
    row = application.row
    random = np.random.default_rng(7)
    for chosen in itertools.product([False, True], repeat=len(application.operands)):
        if not any(chosen):
            continue
        operands = [
            x * random.uniform(0.95, 1.05, batch + np.shape(x)) if c else x
            for x, c in zip(application.operands, chosen, strict=True)
        ]

        def at(place: tuple[int, ...], operands: Any = operands, chosen: Any = chosen) -> list[Any]:
            return [x[place] if c else x for x, c in zip(operands, chosen, strict=True)]

        full = application.value(operands)
        assert full.shape == batch + application.site.out.shape
        loop = np.array([application.value(at(place)) for place in np.ndindex(batch)])
        np.testing.assert_allclose(full, loop.reshape(full.shape), rtol=1e-12)
        if not row.elementwise and row.branch is not None and row.tie is not None:
            options = _keywords(application)
            for function in (row.branch, row.tie):
                codes = np.asarray(function(*operands, **options))
                single = [np.asarray(function(*at(p), **options)) for p in np.ndindex(batch)]
                np.testing.assert_array_equal(codes, np.reshape(single, codes.shape))


BROADCAST = (((), (3,)), ((3,), ()), ((2, 3), (3,)), ((2, 1), (3,)), ((2, 1), (2, 3)))


@pytest.mark.parametrize("row", [row for row in ops.TABLE if row.elementwise], ids=label)
def test_elementwise_row_broadcasts(row: Operation) -> None:
    """Values, and rules reduced to the operands' shapes, are those of a loop over elements."""
    sweep(_expect_broadcast, [(row, shapes) for shapes in BROADCAST])


def _expect_broadcast(row: Operation, shapes: tuple[tuple[int, ...], ...]) -> None:
    single = next(
        a
        for a in (applied(row, s) for s in row.samples)
        if all(np.ndim(x) == 0 for x in a.operands) or row.name in {"ones_like", "zeros_like"}
    )
    count = len(single.operands)
    own = [shapes[i % 2] for i in range(count)]
    values = [np.ravel(x)[0] for x in single.operands]
    random = np.random.default_rng(3)
    arrays = [
        np.asarray(v * random.uniform(0.98, 1.02, shape))
        for v, shape in zip(values, own, strict=True)
    ]
    types = tuple(Type(shape) for shape in own)
    binding = row.bind(types, single.node.options, numpy_rules=True)
    with np.errstate(all="ignore"):
        out = np.asarray(binding.kernel(*arrays))
    assert out.shape == np.broadcast_shapes(*own) == binding.type.shape
    wide = np.broadcast_arrays(*arrays)
    delta = weights(out.shape)
    site = Site(types, binding.type, binding.options, (None,) * count)
    for i in range(count):
        names = formula_names(row, site)
        text = row.formulas(site)[i]
        rule = compile_formula(text, names, (*types, site.out), dict(site.options))
        scalar = compile_formula(text, names, (Type(()),) * (count + 1), dict(site.options))
        with np.errstate(all="ignore"):
            got = reduce_to(delta * rule([*arrays, out]), own[i])
            terms = [
                np.asarray(delta)[p] * scalar([*(w[p] for w in wide), out[p]])
                for p in np.ndindex(out.shape)
            ]
        expected = reduce_to(np.reshape(terms, out.shape), own[i])
        np.testing.assert_allclose(got, expected, rtol=1e-12)


# --- ties --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "sample", "tied"),
    [
        ("amax", "[2, 5, 5]", True),
        ("amax", "[2, 2, 5]", False),
        ("amax", "[[2, 5], [5, 1]]", True),
        ("amin", "[[2, 5], [5, 1]]", False),
        ("norm", "[0, 0]", True),
        ("norm", "[0, 1]", False),
        ("norm", "[0, 1], 1", True),
        ("norm", "[3, -3], inf", True),
        ("std", "[2, 2]", True),
        ("logdet", "[[1, 2], [2, 4]]", True),
    ],
)
def test_tie(name: str, sample: str, tied: bool) -> None:  # noqa: FBT001 - a parameter
    row = ops.operation(name)
    application = applied(row, sample)
    assert row.tie is not None
    assert np.any(row.tie(*application.operands, **_keywords(application))) == tied


@pytest.mark.parametrize(
    ("name", "sample", "gradient"),
    [
        ("amax", "[7, 7, 7, 1]", [1 / 3, 1 / 3, 1 / 3, 0]),
        ("amin", "[[1, 1], [2, 1]]", [[1 / 3, 1 / 3], [0, 1 / 3]]),
        ("norm", "[0, 0]", [0, 0]),
        ("norm", "[2, -2, 2], inf", [1 / 3, -1 / 3, 1 / 3]),
        ("norm", "[0, -2], 1", [0, -1]),
        ("std", "[3, 3]", [0, 0]),
        ("relu", "0", 0),
        ("abs", "0", 0),
        ("hypot", "0, 0", 0),
    ],
)
def test_convention(name: str, sample: str, gradient: Any) -> None:
    application = applied(ops.operation(name), sample)
    got = application.gradient(np.ones(application.site.out.shape)[()])[0]
    np.testing.assert_allclose(got, gradient, rtol=1e-15)


# --- where there is no answer ------------------------------------------------------------


@pytest.mark.parametrize("name", ["inv", "solve", "cholesky"])
def test_one_singular_matrix_does_not_spoil_the_batch(name: str) -> None:
    row = ops.operation(name)
    square = Type((3, 3))
    good = np.array([[4.0, 1, 0.5], [1, 3, -1], [0.5, -1, 5]])
    bad = np.arange(9.0).reshape(3, 3) + 1
    operands = [np.stack([good, bad, good])]
    if name == "solve":
        operands.append(np.array([1.0, 2, 3]))
    types = (square, Type((3,)))[: len(operands)]
    out = row.bind(types, {}).kernel(*operands)
    single = row.bind(types, {}).kernel(good, *operands[1:])
    np.testing.assert_allclose(out[0], single, rtol=1e-13)
    np.testing.assert_allclose(out[2], single, rtol=1e-13)
    assert np.isnan(out[1]).all()


def test_badly_scaled_matrix_is_not_singular() -> None:
    kernel = ops.operation("inv").forward
    A = np.diag([1e-200, 1.0, 1e200])
    np.testing.assert_allclose(kernel(A) @ A, np.eye(3), rtol=1e-15)


# --- infinities and nans -----------------------------------------------------------------

NONFINITE = (np.inf, -np.inf, np.nan)
PROPAGATING = [(row, sample) for row, sample in CASES if row.propagates]


@partial(each_sample, cases=PROPAGATING)
def test_what_is_not_finite_shows_where_the_row_says_so(row: Operation, sample: str) -> None:
    """In whatever element it is, and whatever the other operands are: 0 times infinity is nan."""
    a = applied(row, sample)
    for i in propagating(row, len(a.operands)):
        for place, bad, factor in itertools.product(
            np.ndindex(np.shape(a.operands[i])), NONFINITE, (1.0, 0.0, -1e300)
        ):
            operands = [np.asarray(o) * factor for o in a.operands]
            operands[i] = np.array(a.operands[i])
            operands[i][place] = bad
            assert not np.isfinite(a.value(operands)).all(), (i, place, bad, factor)


@each_sample
def test_no_kernel_raises_on_what_is_not_finite(row: Operation, sample: str) -> None:
    a = applied(row, sample)
    for bad in NONFINITE:
        for i in range(len(a.operands)):
            operands = list(a.operands)
            operands[i] = np.full(np.shape(operands[i]), bad)[()]
            a.value(operands)


@pytest.mark.parametrize("bad", NONFINITE)
@pytest.mark.parametrize(
    ("m", "n", "k"), [(64, 784, 128), (300, 300, 300), (1, 500, 1), (1, 500, 64), (64, 500, 1)]
)
def test_a_product_of_large_matrices_hides_nothing(m: int, n: int, k: int, bad: float) -> None:
    """The linear algebra library must not leave out what it multiplies by zero."""
    left, right = np.ones((m, n)), np.zeros((n, k))
    for place in ((0, 0), (m // 2, n // 3), (m - 1, n - 1)):
        a = left.copy()
        a[place] = bad
        with np.errstate(invalid="ignore"):
            products = a @ right, right.T @ a.T, a @ right[:, 0], np.vdot(a, a * 0)
        for product in products:
            assert not np.isfinite(product).all()


def test_names_of_propagating_operands() -> None:
    for row in ops.TABLE:
        assert set(row.propagates.split()) <= {p.name for p in row.operands}
    assert propagating(ops.operation("div"), 2) == (0,)
    assert propagating(ops.operation("concat"), 3) == (0, 1, 2)


def test_elements_are_moved_by_whole_numbers_only() -> None:
    """NumPy itself cuts some fractions off, without a word before 2.5."""
    for row in PLACED:
        options = {p.name: p.default for p in row.parameters if p.option}
        for name in options:
            for fraction in (0.5, float("nan"), (1, 0.5), ((1, 0.5),)):
                with pytest.raises(Misfit, match="whole number"):
                    row.bind((Type((2, 2)),), {**options, name: fraction})


def test_arrays_are_joined_as_numpy_joins_them() -> None:
    """What NumPy refuses is refused, what is accepted has NumPy's elements."""
    values = [1.5, np.arange(2.0), np.arange(4.0).reshape(2, 2), np.arange(2.0).reshape(1, 2)]
    for name in ("hstack", "vstack", "column_stack"):
        for left, right in itertools.product(values, values):
            try:
                wanted = getattr(np, name)((left, right))
            except ValueError:
                with pytest.raises(GradcliError):
                    Program(f"{name}((a, b))").evaluate(a=left, b=right, gradient=False)
                continue
            try:
                found = Program(f"{name}((a, b))").evaluate(a=left, b=right, gradient=False)
            except GradcliError:
                continue
            np.testing.assert_array_equal(found.value, wanted)


def test_a_transposed_vector_is_a_matrix_to_every_row() -> None:
    """Where it is taken, its derivative is confirmed: `A.T` of it in a rule is the vector again.

    softmax_slope is for operands with the sum 1.
    """
    tried = 0
    for row in ops.TABLE:
        optional = not any(p.option and p.required for p in row.parameters)
        if row.elementwise or not (row.aliases and optional) or row.name == "softmax_slope":
            continue
        operands = ["v.T"] * len(row.operands)
        text = f"sum({row.aliases[0]}({', '.join(operands)}))"
        for v in ([2.0], [2.0, 3.0, 4.5]):
            try:
                Program(text).evaluate(v=v, gradient=False)
            except GradcliError:
                continue
            assert Program(text).evaluate(v=v).verdict != "fail", text
            tried += 1
    assert tried > 50
