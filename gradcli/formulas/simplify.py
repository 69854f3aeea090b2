"""The simplifier's table: what is true of certain operations, each with an example.

An identity is a row of `REWRITES`; `algebra` applies them as expressions are made. A test tries
every example.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from gradcli.formulas.algebra import Algebra, Applied
from gradcli.formulas.arithmetic import ONE, TRANSPOSE, Factors, Rewrite, Rewrites, Terms
from gradcli.formulas.expression import Expr, Kind
from gradcli.ops import roles
from gradcli.ops.operation import SCALAR, Notation, Operation, Type

HALF = Fraction(1, 2)
EQUALITIES = (roles.EQUAL, roles.OPPOSITE[roles.EQUAL])


def algebra_of_formulas() -> Algebra:
    """An algebra that knows all identities."""
    return Algebra(Rewrites(TERM_REWRITES, FACTOR_REWRITES, CALL_REWRITES, CHAIN_REWRITES))


# --- of sums: `apply(algebra, terms)` changes the terms ----------------------------------


def _squares(
    first: Operation, sign: int, second: Operation | None, result: Operation | None, factor: int = 1
) -> Callable[[Algebra, Terms], None]:
    """c·first² + sign·c·second² as factor·c·result²; None stands for the number 1."""

    def apply(algebra: Algebra, found: Terms) -> None:
        for core, c in list(found.items()):
            _, factors = algebra.factors(core)
            for base, k in factors.items():
                if k != 2 or not base.calls(first) or found.get(core) != c:
                    continue
                partner = _with_square(algebra, core, base, second)
                if partner is not core and found.get(partner) == sign * c:
                    del found[core], found[partner]
                    new = _with_square(algebra, core, base, result)
                    algebra.collect(found, factor * c, algebra.fitted(new, core.type))

    return apply


def _with_square(algebra: Algebra, core: Expr, base: Expr, row: Operation | None) -> Expr:
    """A product with the square of another function of the same, or nothing, for that of a base."""
    rest = {b: n for b, n in algebra.factors(core)[1].items() if b is not base}
    if row is not None:
        rest[algebra.plain_call(row, {}, base.parts, base.type)] = Fraction(2)
    return algebra.product(ONE, rest)


def _tie(_algebra: Algebra, found: Terms) -> None:
    """(a > b) + (a == b)/2: the term for a single point is dropped."""
    for core, c in list(found.items()):
        if core.calls(roles.EQUAL) and c == HALF:
            a, b = core.parts
            wins = (e for e, k in found.items() if e.is_comparison and k == 1)
            if any({*e.parts} == {a, b} and e is not core for e in wins):
                del found[core]


_1 = None  # stands for the number 1
TERM_REWRITES = (
    Rewrite("sin² + cos² = 1", _squares(roles.SIN, 1, roles.COS, _1),
            "y*sin(x)^2 + y*cos(x)^2", "y"),
    Rewrite("cosh² - sinh² = 1", _squares(roles.COSH, -1, roles.SINH, _1),
            "3*cosh(x)^2 - 3*sinh(x)^2 + x", "3 + x"),
    Rewrite("1 - sin² = cos²", _squares(roles.SIN, -1, _1, roles.COS, -1),
            "1 - sin(x)^2", "cos(x)^2"),
    Rewrite("1 - cos² = sin²", _squares(roles.COS, -1, _1, roles.SIN, -1),
            "y - y*cos(x)^2", "y*sin(x)^2"),
    Rewrite("1 + sinh² = cosh²", _squares(roles.SINH, 1, _1, roles.COSH),
            "1 + sinh(x)^2", "cosh(x)^2"),
    Rewrite("cosh² - 1 = sinh²", _squares(roles.COSH, -1, _1, roles.SINH),
            "cosh(x)^2 - 1", "sinh(x)^2"),
    Rewrite("a tie of two", _tie, "(x > y) + (x == y)/2", "where(x > y, 1, 0)"),
)  # fmt: skip


# --- of products: `apply(algebra, factors, c)` changes the factors, returns the number ---


def _even_power_of_abs(algebra: Algebra, found: Factors, c: Fraction) -> Fraction:
    """|x|² is x²; also where other factors stand beside it."""
    for base, k in list(found.items()):
        if base.calls(roles.ABS) and k.denominator == 1 and k % 2 == 0:
            del found[base]
            c *= algebra.gather(found, base.parts[0], k)
    return c


def _sign_times(algebra: Algebra, found: Factors, c: Fraction) -> Fraction:
    """x·sign(x) is |x|, |x|·sign(x) is x."""
    for base, k in list(found.items()):
        if not base.calls(roles.SIGN) or k != 1:
            continue
        (x,) = base.parts
        size = algebra.plain_call(roles.ABS, {}, (x,), base.type)
        for there, new in ((size, x), (x, size)):
            if found.get(there, Fraction(0)) >= 1:
                del found[base]
                c *= algebra.gather(found, there, -ONE)
                c *= algebra.gather(found, new, ONE)
                break
    return c


FACTOR_REWRITES = (
    Rewrite("|x|² = x²", _even_power_of_abs, "y*abs(x)^2", "x^2*y"),
    Rewrite("x·sign(x) = |x|", _sign_times, "3*x*sign(x)", "3*|x|"),
)


# --- of calls: `apply(algebra, call)` gives the new form or None ---------------------


def _log_of_exp(algebra: Algebra, call: Applied) -> Expr | None:
    """log(e^u) is u."""
    if call.row is not roles.LOG:
        return None
    (x,) = call.operands
    c, factors = algebra.factors(x)
    if c != 1 or not all(map(algebra.is_exp, factors)):
        return None
    exponents = [(k, algebra.one if b is algebra.e else b.parts[1]) for b, k in factors.items()]
    return algebra.add(exponents)


def _parity(algebra: Algebra, call: Applied) -> Expr | None:
    """An odd function lets a sign out, an even one takes it away."""
    if call.row not in roles.ODD and call.row not in roles.EVEN:
        return None
    (x,) = call.operands
    c, _ = algebra.split(ONE, x)
    if c >= 0:
        return None
    found = algebra.call(call.row, call.given, (algebra.negative(x),), call.type)
    return found if call.row in roles.EVEN else algebra.negative(found)


def _at_zero(algebra: Algebra, call: Applied) -> Expr | None:
    """A function of one number at 0 or 1, where that is a whole number."""
    if not call.row.elementwise or call.row.infer is not None or len(call.operands) != 1:
        return None
    value = call.operands[0].value
    if value is None or value not in (0, 1):
        return None
    with np.errstate(all="ignore"):
        found = float(call.row.forward(np.float64(value)))
    return algebra.number(found) if found.is_integer() else None


def _settled(algebra: Algebra, call: Applied) -> Expr | None:
    """A comparison of a thing with itself, of two numbers, or of a comparison with 0."""
    if not call.row.is_comparison:
        return None
    a, b = call.operands
    if a.is_comparison and b is algebra.zero and call.row in EQUALITIES:
        if call.row is not roles.EQUAL:
            return a
        return algebra.call(roles.OPPOSITE[a.label[0]], {}, a.parts, a.type)
    if a is b:
        return algebra.number(float(call.row.forward(np.float64(0), np.float64(0))))
    if a.value is None or b.value is None:
        return None
    return algebra.number(float(call.row.forward(np.float64(a.value), np.float64(b.value))))


def _guard(algebra: Algebra, call: Applied) -> Expr | None:
    """where(u == 0, …, a) is a: a case for single points is dropped; so is a choice of equals."""
    if not call.row.chooses or len(call.operands) != 3:
        return None
    condition, a, b = call.operands
    if a is b:
        return a
    if condition.value is not None:
        return a if condition.value else b
    if condition.is_comparison and a is algebra.one and b is algebra.zero:
        return condition
    if condition.is_comparison:
        c, inside = algebra.factors(a)
        if condition in inside:
            rest = algebra.product(c, {e: k for e, k in inside.items() if e is not condition})
            return algebra.call(call.row, call.given, (condition, rest, b), call.type)
    _, factors = algebra.factors(condition)
    if a is algebra.zero and any(_is_singular(algebra, f, b, roles.EQUAL) for f in factors):
        return b
    if b is algebra.zero and _is_singular(algebra, condition, a, roles.OPPOSITE[roles.EQUAL]):
        return a
    return None


def _is_singular(algebra: Algebra, condition: Expr, guarded: Expr, row: Operation) -> bool:
    """Whether a condition holds only where the guarded expression is 0/0.

    Any other condition is a choice of the program's own: 0 may be most of a mask.
    """
    if not condition.calls(row) or algebra.zero not in condition.parts:
        return False
    asked = next(part for part in condition.parts if part is not algebra.zero)
    there = set()
    for base in algebra.factors(guarded)[1]:
        there.add(base)
        if base.kind is Kind.POWER or base.calls(roles.LOG):
            there.add(base.parts[0])
    return asked in there or asked.calls(roles.NORM)


def _linear(algebra: Algebra, call: Applied) -> Expr | None:
    """Linear operations let numbers out; of zeros they are zeros."""
    if call.row is not roles.SOLVE and (call.row not in roles.LINEAR or len(call.operands) != 1):
        return None
    *first, x = call.operands
    if x.kind is Kind.ZEROS:
        return algebra.zeros(call.type)
    number, rest = algebra.numbers_out(x)
    if number is algebra.one:
        return None
    return algebra.times(number, algebra.call(call.row, call.given, (*first, rest), call.type))


def _all_of_vector(algebra: Algebra, call: Applied) -> Expr | None:
    """A vector has one axis: its sum needs no mention of it."""
    (x,) = call.operands if call.row is roles.SUM else (algebra.zero,)
    if len(x.type.shape) != 1 or call.given.get("axis") is None or call.type.shape:
        return None
    return algebra.call(call.row, {}, call.operands, call.type)


def _same_shape(algebra: Algebra, call: Applied) -> Expr | None:
    """Reshaping changes nothing where the shape stays, and turns a row into its vector."""
    if call.row not in roles.RESHAPES and call.row not in (roles.ROW, roles.COL):
        return None
    (x,) = call.operands
    if x.kind is Kind.ONES:
        return algebra.ones(call.type)
    to_vector = x.type.row and len(call.type.shape) == 1
    if to_vector or (len(x.type.shape) == 1 and call.type.shape == (1, *x.type.shape)):
        return algebra.transpose(x)
    return x if x.type.shape == call.type.shape else None


def _element(algebra: Algebra, call: Applied) -> Expr | None:
    """[a, b][0] is a."""
    if call.row.notation is not Notation.INDEX:
        return None
    (inner,) = call.operands
    if inner.kind is Kind.ONES:
        return algebra.ones(call.type)
    if inner.kind is not Kind.CALL or inner.label[0].notation is not Notation.ARRAY:
        return None
    shape, items = inner.type.shape, call.given["items"]
    if len(items) != len(shape) or not all(isinstance(i, int) for i in items):
        return None
    if not all(-n <= i < n for i, n in zip(items, shape, strict=True)):
        return None
    return inner.parts[int(np.ravel_multi_index(np.mod(items, shape), shape))]


CALL_REWRITES = (
    Rewrite("log e^u = u", _log_of_exp, "log(exp(x)*exp(y)^2)", "x + 2*y"),
    Rewrite("odd and even functions", _parity, "sin(-x) + y*cos(-2*x)", "y*cos(2*x) - sin(x)"),
    Rewrite("functions at 0 and 1", _at_zero, "x*cos(0) + log(1)", "x"),
    Rewrite("settled comparisons", _settled, "x*(y >= y) + (1 > 2)", "x"),
    Rewrite("single points", _guard, "where(x == 0, 0, y/x)", "y/x"),
    Rewrite("numbers out of sums", _linear, "sum(2*x*v)", "2*x*sum(v)"),
    Rewrite("an element of an array", _element, "[x, y][1]*x", "x*y"),
    Rewrite("a vector's only axis", _all_of_vector, "sum(v, axis=0)", "sum(v)"),
    Rewrite("reshaped to the same", _same_shape, "flatten(v)*x", "v*x"),
)


# --- of matrix products: `apply(algebra, chain)` changes the chain, returns numbers ------


def _identity(_algebra: Algebra, chain: list[Expr]) -> list[Expr]:
    """A·I is A."""
    kept = [part for part in chain if part.kind is not Kind.EYE]
    chain[:] = kept or chain[:1]
    return []


def _inner_number(algebra: Algebra, chain: list[Expr]) -> list[Expr]:
    """A row times a vector inside of a product is a number, which goes in front."""
    numbers: list[Expr] = []
    i = 0
    while i < len(chain):
        if chain[i].type.row:
            ends = (j for j in range(i + 1, len(chain)) if len(chain[j].type.shape) == 1)
            j = next(ends, None)
            if j is not None and (i or j + 1 < len(chain)):
                numbers.append(algebra.matrix_product(chain[i : j + 1]))
                del chain[i : j + 1]
                continue
        i += 1
    return numbers


def _sums(algebra: Algebra, chain: list[Expr]) -> list[Expr]:
    """A matrix times ones is the sum along its rows, ones times a matrix that of its columns."""
    while len(chain) > 1 and chain[-1].kind is Kind.ONES and len(chain[-1].type.shape) == 1:
        chain[-2:] = [_row_sums(algebra, chain[-2])]
    first = chain[0]
    if len(chain) > 1 and first.calls(TRANSPOSE) and first.parts[0].kind is Kind.ONES:
        inner = algebra.transpose(chain[1])
        if first.type.row:
            chain[:2] = [algebra.transpose(_row_sums(algebra, inner))]
    return []


def _row_sums(algebra: Algebra, part: Expr) -> Expr:
    if part.type.row:
        return algebra.call(roles.SUM, {}, (algebra.transpose(part),), SCALAR)
    if part.calls(TRANSPOSE):
        (inner,) = part.parts
        return algebra.call(roles.SUM, {"axis": 0}, (inner,), Type(inner.type.shape[1:]))
    if len(part.type.shape) == 1:  # an outer product with ones, which has no shorter form
        return part
    return algebra.call(roles.SUM, {"axis": 1}, (part,), Type(part.type.shape[:1]))


CHAIN_REWRITES = (
    Rewrite("A·I = A", _identity, "A @ eye(3) @ v", "A @ v"),
    Rewrite("numbers inside", _inner_number, "v @ w.T @ v", "v*(w.T @ v)"),
    Rewrite("times ones", _sums, "A @ ones_like(v)", "sum(A, axis=1)"),
)

REWRITES = (*TERM_REWRITES, *FACTOR_REWRITES, *CALL_REWRITES, *CHAIN_REWRITES)
"""All of them, each with its example."""
