"""The functions that NumPy lacks, each as a `def` of one expression.

Every one is careful where the textbook's form is not: no exponential overflows, no difference
cancels. An expression may call the other helpers; `in_order` finds them. Those of SciPy are
imported. `OPTIONS` are helpers in whose text an axis stands: the caller fills it in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradcli.ops.operation import Operation

SCIPY = frozenset(
    """
    erf erfc erfcx erfinv gamma gammaln digamma polygamma ndtr log_ndtr xlogy xlog1py
    gammainc gammaincc special expm
    """.split()  # noqa: SIM905 - a list of words
)
"""What comes from SciPy: functions, and the module whose short names a user may have taken."""

MODULES = ("scipy.special", "scipy.linalg")
"""The modules of SciPy that rows name in their spelling."""


def _read(text: str) -> dict[str, tuple[str, str]]:
    """Parameters and expression of each helper; a line that begins with blanks goes on."""
    lines = text.strip().replace("\n    ", " ").splitlines()
    found = (re.fullmatch(r"(\w+)\((.*?)\) = (.*)", line) for line in lines)
    return {m[1]: (m[2], m[3]) for m in found if m}


HELPERS = _read("""
sigmoid(x) = np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))
logsigmoid(x) = np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))
softplus(x) = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
logit(x) = np.where(np.abs(x - 0.5) < 0.25, np.log1p((2*x - 1)/(1 - x)), np.log(x/(1 - x)))
leaky_relu(x, slope) = np.where(x > 0, x, slope*x)
elu(x, alpha) = np.where(x > 0, x, alpha*np.expm1(np.minimum(x, 0)))
selu(x) = 1.0507009873554805*np.where(x > 0, x, 1.6732632423543772*np.expm1(np.minimum(x, 0)))
gelu(x) = 0.5*x*erfc(-x/np.sqrt(2))
silu(x) = x*sigmoid(x)
mish(x) = x*np.tanh(softplus(x))
softsign(x) = x/(1 + np.abs(x))
sech(x) = 2*np.exp(-np.abs(x))/(1 + np.exp(-2*np.abs(x)))
csch(x) = np.copysign(2*np.exp(-np.abs(x))/-np.expm1(-2*np.abs(x)), x)
huber(x, delta) = np.where(np.abs(x) <= delta, 0.5*x*x, delta*(np.abs(x) - 0.5*delta))
gamma_density(a, x) = x**(a - 1)*np.exp(-x)/gamma(a)
mills(x) = np.where(x < 0, np.sqrt(2/np.pi)/erfcx(-np.minimum(x, 0)/np.sqrt(2)),
    normal_pdf(x)/ndtr(np.maximum(x, 0)))
mills_excess(x) = x + mills(x)
log_base(x, base) = np.log(x)/np.log(base)
sinc_slope(x) = np.where(np.abs(x) < 0.2, sinc_slope_near(x, (np.pi*x)**2),
    sinc_slope_far(np.where(np.abs(x) < 0.2, 1.0, x)))
sinc_slope_near(x, t) = -np.pi**2/3*x*(1 - t/10*(1 - t/28*(1 - t/54*(1 - t/88*(1 - t/130*(1 -
    t/180))))))
sinc_slope_far(x) = (np.cos(np.pi*x) - np.sinc(x))/x
sigmoid_slope(x) = np.exp(-np.abs(x))/(1 + np.exp(-np.abs(x)))**2
tanh_slope(x) = 4*np.exp(-2*np.abs(x))/(1 + np.exp(-2*np.abs(x)))**2
pow_slope(x, n) = np.where(n == 0, 0.0, n*np.power(x, n - 1.0))
logaddexp_slope(x, y) = sigmoid(x - y)
asin_slope(x) = 1/np.sqrt((1 - x)*(1 + x))
atanh_slope(x) = 1/((1 - x)*(1 + x))
gauss(x) = np.exp(-x**2)
normal_pdf(x) = np.exp(-x**2/2)/np.sqrt(2*np.pi)
erfinv_slope(x) = np.sqrt(np.pi)/2*np.exp(erfinv(x)**2)
gelu_slope(x) = erfc(-x/np.sqrt(2))/2 + x*normal_pdf(x)
silu_slope(x) = sigmoid(x)*(1 + x*sigmoid(-x))
mish_slope(x) = np.tanh(softplus(x)) + x*sigmoid(x)*tanh_slope(softplus(x))
eigenvectors(A) = with_signs(np.linalg.eigh(symmetric(A))[1])
with_signs(V) = V*np.sign(np.sum(V*(np.argmax(np.abs(V), axis=0) == np.arange(len(V))[:, None]),
    axis=0))
symmetric(A) = A/2 + A.T/2
lower_half(A) = (np.tril(A) + np.tril(A, -1))/2
scaled_norm(x) = np.max(np.abs(x))*np.linalg.norm(x/np.max(np.abs(x)))
products_of_others(x) = np.prod(np.where(np.eye(x.shape[-1]) > 0, 1.0, x[..., None, :]), axis=-1)
cofactor(A) = cofactor_from(np.linalg.svd(A))
cofactor_from(usv) =
    np.round(np.linalg.det(usv[0])*np.linalg.det(usv[2]))*(usv[0]*products_of_others(usv[1])) @
    usv[2]
cofactor_slope(A, H) = cofactor_slope_from(np.linalg.svd(A), H)
cofactor_slope_from(usv, H) = np.round(np.linalg.det(usv[0])*np.linalg.det(usv[2]))*(usv[0] @
    cofactor_slope_middle(usv[0].T @ H @ usv[2].T, pairs_of_others(usv[1])) @ usv[2])
cofactor_slope_middle(K, pairs) = np.diag(pairs @ np.diag(K)) - K.T*pairs
pairs_of_others(s) = (1 - np.eye(len(s)))*np.prod(np.where(np.eye(len(s))[:, None] +
    np.eye(len(s)) > 0, 1.0, s), axis=-1)
recurrence(a, b) = np.sum(np.tril(np.prod(np.where(between(np.arange(a.shape[-1])), a[..., None,
    None, :], 1.0), axis=-1))*b[..., None, :], axis=-1)
recurrence_back(a, b) =
    np.sum(np.triu(np.prod(np.where(np.swapaxes(between(np.arange(a.shape[-1])), 0, 1), a[...,
    None, None, :], 1.0), axis=-1))*b[..., None, :], axis=-1)
between(i) = (i[None, :, None] < i)*(i <= i[:, None, None])
""")

OPTIONS = _read("""
softmax_slope(p, d) = p*(d - np.sum(p*d{axis}))
softmax(x) = np.exp(x - np.max(x{axis})) / np.sum(np.exp(x - np.max(x{axis})){axis})
log_softmax(x) = (x - np.max(x{axis})) - log_of_sum{suffix}(x, np.max(x{axis}))
log_of_sum(x, top) = np.log(np.sum(x == top{axis})) + np.log1p(np.sum(np.where(x == top, 0.0,
    np.exp(x - top)){axis})/np.sum(x == top{axis}))
""")
"""Those with an axis: `axis` is the argument text that keeps it, `suffix` what names it."""

MADE = re.compile(
    r"(softmax|softmax_slope|log_softmax|log_of_sum|logsumexp)(_axis\d+(_\d+)*)?(_kept)?"
    r"|products_of_others_along_\d+"
)
"""Names of helpers that are made for an axis or a number of directions."""

WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?=\()")


def spelling(row: Operation) -> str:
    """NumPy's spelling of an operation: its row's, a helper of its name, or `np.` and the name.

    Where a row with options says no more than the function, it is called with operands and options
    in the order of the parameters; an option that has a default goes by its name.
    """
    text = row.numpy or (row.name if row.name in HELPERS else f"np.{row.name}")
    if "(" in text or (len(row.operands) == len(row.parameters) and not row.sequence):
        return text
    places = []
    for p in row.parameters:
        whole = "all" if row.is_reduction else ""
        place = f"{p.name}{'=' * (not p.required)}" if p.option else f"{p.name}:{whole}".rstrip(":")
        places.append(f"({{{place}}})" if p.variadic else f"{{{place}}}")
    return f"{text}({', '.join(places)})"


def calls(expression: str) -> set[str]:
    """The functions without a prefix that an expression calls."""
    return set(WORD.findall(expression))


def definition(name: str, parameters: str, expression: str) -> str:
    """The text of a helper."""
    return f"def {name}({parameters}):\n    return {expression}\n"


def in_order(wanted: Iterable[str]) -> list[str]:
    """The names of helpers and of what they call, callees first."""
    done: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in done or name not in HELPERS:
            return
        for other in sorted(calls(HELPERS[name][1])):
            visit(other)
        done[name] = None

    for name in wanted:
        visit(name)
    return list(done)
