"""What an operation is: a row of the table, and how it is applied.

A row says how to compute an output from operands, and gives for every operand a formula in
the project's own language: the elementwise local derivative ∂out/∂parameter, or, for an
operation on whole arrays, the backward rule with `delta` = ∂f/∂out. A user's `block` is
a row like any other. This module knows nothing of single rows. Half of it says what the fields of
a row mean.

**Kernels and batches.** A kernel (`forward`) works on the trailing axes of its arrays: the
axes of the operand's own shape. Whatever stands in front is a batch, and broadcasts. So one
kernel serves a single evaluation, the hundred points of a finite-difference stencil, and a
file of points. Options that name axes therefore reach a kernel as negative numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache, partial
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from gradcli.diagnostics.source import Source, Span
    from gradcli.syntax.tree import Tree

Array: TypeAlias = Any
"""A NumPy float64 scalar or array, of any shape; NumPy's own types can't say «either»."""
Shape: TypeAlias = tuple[int, ...]
Kernel: TypeAlias = Callable[..., Array]
Options: TypeAlias = Mapping[str, Any]


class Type(NamedTuple):
    """What is known of a value before it is computed.

    `row` marks the transpose of a vector: shape (1, n), but its own transpose is the vector
    again, and its product with a vector is a number.
    """

    shape: Shape
    row: bool = False

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    def __str__(self) -> str:
        if not self.shape:
            return "a number"
        if len(self.shape) == 1:
            return f"a vector of {self.shape[0]}"
        return times(self.shape) + (" (a row)" if self.row else "")


SCALAR = Type(())


def times(shape: Shape) -> str:
    """A shape as people write it: `3×2`, `4`, `()` for a number."""
    return "×".join(map(str, shape)) if shape else "()"


class Misfit(Exception):
    """Operands whose shapes (or an option's value) do not fit an operation.

    `reason` completes the sentence «shapes do not fit in W @ x: …»; where it is empty, the
    operands' shapes are listed. `plain` marks a reason that is a whole message by itself.
    Reason and hint may name operands by their parameters in braces: `{A}.T @ {B}`.
    """

    def __init__(self, reason: str = "", hint: str | None = None, *, plain: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.hint, self.plain = reason, hint, plain


class Site(NamedTuple):
    """One application of an operation: all that a rule may depend on besides the values."""

    types: tuple[Type, ...]
    out: Type
    options: Options
    literals: tuple[float | None, ...]
    """The value of an operand that is written as a number; None for the others."""
    place: Span | None = None
    """Where it stands in the program: for errors only, no rule depends on it."""


class Written(NamedTuple):
    """The formulas of a user's block where the user wrote them."""

    source: Source
    trees: tuple[Tree, ...]
    """A formula per operand, with its place in the source."""
    make: Callable[[Source, str], Operation]
    """The row again, from source and name: how a copy in another process is made."""


class Binding(NamedTuple):
    """An operation made ready for operands of known types."""

    type: Type
    kernel: Kernel
    options: Options
    """The options as rules see them: defaults filled in, axes counted from the front."""


class Parameter(NamedTuple):
    """An argument: an operand (a value with a derivative) or an option (a constant)."""

    name: str
    option: bool = False
    variadic: bool = False
    required: bool = True
    default: Any = None


class Notation(StrEnum):
    """How an operation without a sign of its own is written in a program."""

    CALL = "f(x)"
    SAME = "y = x"
    RECIPROCAL = "1/x"
    SQUARED_NORM = "||x||^2"
    ARRAY = "[a, b, …]"
    INDEX = "x[i, j:k, …]"


class Loss(NamedTuple):
    """Where a row's value or derivative has fewer right digits than the other rows' have.

    `operand` is what the derivative is taken by, empty for the value. `reason` completes the
    sentence «the derivative by x loses digits …». `point` shows the loss.
    """

    operand: str
    reason: str
    point: tuple[float, ...]


class Shared(NamedTuple):
    """A part that a function and its slope have in common: how a batch computes it once for both.

    Each of the three takes an array for its result as its last argument.
    """

    function: str
    """The name of the function's row; the row that holds this is the slope's."""
    part: Kernel
    """The part, of the operands."""
    value: Kernel
    """The function's value, of the part and the operands."""
    slope: Kernel
    """The slope, of the part and the function's value, or of the part and the slope's operands."""
    by_value: bool = False
    """The slope is of the function's value."""
    symmetric: bool = False
    """The part is the same where the two operands change places."""


Rules: TypeAlias = tuple[str, ...] | Callable[[Site], tuple[str, ...]]
Infer: TypeAlias = Callable[[tuple[Type, ...], dict[str, Any]], tuple[Type, dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False, match_args=False)
class Operation:
    """A row of the operation table.

    **What it computes.** `rules` holds a formula per operand: the local derivative if
    `elementwise`, else the backward rule in terms of `delta`; a function of the `Site` where they
    depend on shapes, options or on an operand written as a number. A formula may use the
    parameters, `out`, and the options by their names. The rules are the textbook's, and are what
    reports show. `careful` has the forms that run where the textbook's lose digits, an empty text
    where they don't; `losses` says where digits are lost nevertheless.

    `infer` (array operations) maps the operands' types and the options to the output's type and
    the kernel's keyword arguments; it may normalise options in place, for the rules to see, and
    raises `Misfit`. Where there are no keywords, `plain` is the kernel, if there is one. `body`
    is the graph of a user's block, with the number of its result; `written` its rules in the
    program. `constant` is the value where that depends on the operands' shapes alone, `exponent`
    that of a power that has a name. `domain` says in words where the function is defined,
    `failure` is the kind of error where a value that is not finite is neither outside of it nor
    an overflow.

    **Corners.** `branch(*operands)` gives integer codes (after the batch axes, in any shape) that
    change wherever the operation passes from one smooth piece to another, `tie(*operands)` is
    true on the border itself; both take an array operation's keyword arguments too (`keywords`).
    `square` marks a convention between the slopes beside a corner (|x| has 0, between -1 and 1):
    how the square of the output is written without a corner, or empty. `jumps` marks what leaps
    on its border (not sign, which a Hessian has from the abs that was written).

    **Zeros and infinities.** `propagates` names the operands whose infinities and nans always
    show in the output: those of a product do, what `relu` leaves out doesn't. `selects` says that
    a derivative of 0 is exact: nothing is sent there, also where the upstream is infinite (for
    whole arrays: where a positive upstream makes 0). `divides` says that a derivative may divide
    by zero in a branch that is not taken, `chooses` that the first operand chooses one of the
    others.

    **Rounding,** for the check: `exact` says that the output has no rounding error of its own,
    `composite` that rounding inside is like a perturbation of the operands, `periodic` that it
    turns around again and again, `factorises` that rules factor a matrix, where errors are
    relative to the largest element, `minors` that small matrices go by sums of products instead.
    `mpmath` is the operation at any number of digits, a function of mpmath by its name, or one
    that takes the module and the operands. Empty, it is mpmath's function of the row's name, for
    arrays the kernel; rows with None have no such form. `row` makes it of `jit`, if there is one.

    **How it is written.** `notation` where that is neither a call nor `symbol`. `jacobian` is the
    matrix of all derivatives, with `{out}`, the operands' names and `{n}`, the operand's length;
    `scalar` marks a value that is one number unless there is an axis. `numpy` is NumPy's
    spelling: a template, or a function that takes operands and options in their order; empty for
    `np.` and the row's name, for a helper of that name (`numpy_helpers`), and for what a method
    writes (`export/numpy/calls.py`). In a template
    `{x}` is an operand, `{x:flat}` one for which a row may be a vector, `{x:all}` the same as
    long as no axis is given, `{x:count}` that with truths as they are. `{k}` is an option, `{k?}`
    one that is left out where it has its default, `{axis=}` the same with its name, `{shape}` the
    output's shape. `view` says that NumPy's result may share memory with the operand, `floats`
    that code makes no array without axes of a number.

    **Batches.** `in_place` is the kernel with an array for the result as its last argument, where
    the kernel is no function of NumPy; `shared` is what a slope has in common with its function;
    `jit` is the operation on numbers, in Python, with the functions of `batch/jit.py`.

    **Few elements.** `few` is an operation along axes for a line of them, on Python's floats;
    `apart` the operation as a formula of those that have such a form, elementwise ones and sums.

    **Grading.** `wrong` has for every operand the formulas that its rule is mistaken for;
    `contracts` marks a product that sums over an axis of both operands; the check counts on its
    being linear in each.
    """

    name: str
    parameters: tuple[Parameter, ...]
    forward: Kernel
    rules: Rules
    careful: Rules = ()
    losses: tuple[Loss, ...] = ()
    elementwise: bool = True
    infer: Infer | None = None
    plain: Kernel | None = None
    symbol: str | None = None
    aliases: tuple[str, ...] = ()
    sequence: bool = False
    doc: str = ""
    domain: str = ""
    convention: str = ""
    latex: str = ""
    hint: str = ""
    branch: Callable[..., Any] | None = None
    tie: Callable[..., Any] | None = None
    square: str | None = None
    exact: bool = False
    composite: bool = False
    propagates: str = ""
    selects: bool = False
    body: Callable[[tuple[Type, ...]], Any] | None = None
    written: Written | None = None
    numpy: str = ""
    group: str = ""
    failure: str = ""
    notation: Notation = Notation.CALL
    exponent: float | None = None
    constant: float | None = None
    chooses: bool = False
    jumps: bool = False
    periodic: bool = False
    factorises: bool = False
    minors: bool = False
    contracts: bool = False
    scalar: bool = False
    mpmath: str | Callable[..., Any] | None = ""
    in_place: Kernel | None = None
    shared: Shared | None = None
    jit: str = ""
    few: Callable[..., float | list[float]] | None = None
    apart: Rules = ()
    view: bool = False
    floats: bool = False
    divides: bool = False
    jacobian: str | Callable[[Site], str] = ""
    wrong: tuple[tuple[str, ...], ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy in another process is the row of that name, or that block's row, there."""
        if self.written is not None:
            return self.written.make, (self.written.source, self.name)
        from gradcli import ops  # noqa: PLC0415 - it imports this

        return ops.operation, (self.name,)

    @property
    def is_sum(self) -> bool:
        """x + y."""
        return self.symbol == "+"

    @property
    def is_negation(self) -> bool:
        """-x."""
        return self.symbol == "neg"

    @property
    def is_product(self) -> bool:
        """x * y, element by element."""
        return self.symbol == "*"

    @property
    def is_matrix_product(self) -> bool:
        """A @ B."""
        return self.symbol == "@"

    @property
    def is_quotient(self) -> bool:
        """x / y."""
        return self.symbol == "/"

    @property
    def is_power(self) -> bool:
        """x ^ n."""
        return self.symbol == "^"

    @property
    def is_transpose(self) -> bool:
        """x.T."""
        return self.symbol == "T"

    @property
    def is_comparison(self) -> bool:
        """a < b and its like."""
        return self.group == "comparison"

    @property
    def is_reduction(self) -> bool:
        """Elements along axes taken together, as sum, mean and norm do."""
        return self.group == "reductions"

    @property
    def samples(self) -> tuple[str, ...]:
        """The points that the row is tried at."""
        from gradcli.ops import samples  # noqa: PLC0415 - for the reference and the tests

        usual = samples.ONE if len(self.parameters) == 1 else samples.TWO
        return samples.SAMPLES.get(self.name, usual)

    @property
    def operands(self) -> tuple[Parameter, ...]:
        """The parameters that are values."""
        return tuple(p for p in self.parameters if not p.option)

    def operand_names(self, count: int) -> tuple[str, ...]:
        """Names for `count` operands; a variadic parameter's are numbered."""
        several = range(1, count - len(self.operands) + 2)
        names = (
            [f"{p.name}{i}" for i in several] if p.variadic else [p.name] for p in self.operands
        )
        return tuple(chain.from_iterable(names))

    def bind(
        self, types: tuple[Type, ...], options: Options, *, numpy_rules: bool = False
    ) -> Binding:
        """Output type and kernel for operands of these types. Raises `Misfit`."""
        if self.infer is None:
            for of in types:
                if of.shape:
                    shape = broadcast(types, numpy_rules=numpy_rules)
                    return Binding(Type(shape), self.forward, options)
            return Binding(SCALAR, self.forward, options)
        seen = dict(options)
        out, keywords = self.infer(types, seen)
        kernel = partial(self.forward, **keywords) if keywords else self.plain or self.forward
        return Binding(out, kernel, seen)

    def formulas(self, site: Site) -> tuple[str, ...]:
        """The formula of every operand at this site, in the textbook's form."""
        rules = self.rules
        return rules if isinstance(rules, tuple) else rules(site)

    def running(self, site: Site) -> tuple[str, ...]:
        """The formulas that run at this site: the careful forms, where there are any."""
        shown = self.formulas(site)
        if not self.careful:
            return shown
        careful = self.careful if isinstance(self.careful, tuple) else self.careful(site)
        return tuple(c or s for c, s in zip(careful, shown, strict=True))


@lru_cache(maxsize=1024)
def textbook_form(operation: Operation) -> Operation:
    """The row without its careful rules: the textbook's are those that run."""
    return replace(operation, careful=())


@lru_cache(maxsize=1024)
def propagating(operation: Operation, count: int) -> tuple[int, ...]:
    """Which of `count` operands always show in the output where they are not finite."""
    names = operation.propagates.split()
    found: list[int] = []
    at = 0
    for p in operation.operands:
        n = count - len(operation.operands) + 1 if p.variadic else 1
        found += range(at, at + n) if p.name in names else ()
        at += n
    return tuple(found)


def keywords(kernel: Kernel) -> Mapping[str, Any]:
    """The keyword arguments that a bound kernel passes on; `branch` and `tie` want them too."""
    return kernel.keywords if isinstance(kernel, partial) else {}


def broadcast(types: tuple[Type, ...], *, numpy_rules: bool) -> Shape:
    """The common shape of elementwise operands, as in NumPy.

    Unless `numpy_rules`, a vector of n > 1 together with an n×n or n×1 matrix is refused:
    both the vector as a row and the vector as a column would fit. Raises `Misfit`.
    """
    shapes = {t.shape for t in types}
    if len(shapes) == 1:
        return types[0].shape
    shapes.discard(())
    if len(shapes) == 1:
        return shapes.pop()
    if not numpy_rules:
        _refuse_ambiguous(types)
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        lengths = {t.shape[0] for t in types if len(t.shape) == 1}
        fits = any(len(t.shape) == 2 and t.shape[0] in lengths for t in types)
        word = "col(b) makes a column of the vector, which is then used for every column"
        raise Misfit(hint=word if fits else None) from None


def _refuse_ambiguous(types: tuple[Type, ...]) -> None:
    """Raise `Misfit` where a vector could be meant as a row or as a column of a matrix."""
    lengths = {t.shape[0] for t in types if len(t.shape) == 1 and t.shape[0] > 1}
    for t in types:
        if len(t.shape) == 2 and t.shape[0] in lengths and t.shape[1] in (1, t.shape[0]):
            n, m = t.shape
            if m == 1:
                raise Misfit(
                    f"a vector of {n} with a matrix of {n}×1, one by one or each with each?",
                    "col(b) of the vector is for one by one, its transpose b.T for each with each",
                )
            raise Misfit(
                f"a vector of {n} with a matrix of {n}×{n}, for each row or for each column?",
                "write b.T or row(b) to use the vector b for each row, col(b) for each column",
            )


CONSTANTS: Mapping[str, Any] = {"": None, "None": None, "False": False, "True": True}


def parse_parameters(text: str) -> tuple[Parameter, ...]:
    """Parameters from their short form: `"x slope=0.01"`, `"x axis:=None"`, `"*x"`, `"shape:"`.

    A colon marks an option, a star takes all further operands, `=` gives a default: a number, None,
    True, False or a word in quotes.
    """
    found = []
    for word in text.split():
        head, equals, default = word.partition("=")
        option, variadic = head.endswith(":"), head.startswith("*")
        value = CONSTANTS.get(default, default.strip("'"))
        if value == default and default[0] != "'":
            value = float(default)
            value = int(value) if option and value.is_integer() else value
        found.append(Parameter(head.strip("*:"), option, variadic, not equals, value))
    return tuple(found)
