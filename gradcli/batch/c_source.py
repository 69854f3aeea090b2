"""A loop over the rows as a text of C.

The forms of a `Loop` are expressions of Python over numbers; C has the same operators. Every call
becomes a value of its own before the expression that needs it, so that no branch holds one: then a
compiler can do the rows of a whole register at once. Nothing of the user's text gets here: names
are made of the numbers of nodes, and numbers are written as hexadecimal floats.
"""

from __future__ import annotations

from collections.abc import Iterator

from gradcli.batch.loop import FEWEST, FUNCTIONS, Loop
from gradcli.ops.c_like import Spelling, written

TWO = {"atan2", "hypot", "pow"}
"""C's functions of two numbers."""
BUILT_IN = {"fabs", "sqrt", "floor", "ceil", "rint"}
"""C's functions that are one instruction of the processor."""
HELPERS = {
    "larger": "(double a, double b) { return (a > b) | (a != a) ? a : b; }",
    "smaller": "(double a, double b) { return (a < b) | (a != a) ? a : b; }",
    "logistic": "(double x, double z) "
    "{ const double value = 1.0/(1.0 + z); return x >= 0.0 ? value : z*value; }",
    "bell": "(double z) { return z/((1.0 + z)*(1.0 + z)); }",
    "share": """(double a, double b)
{
    const double d = a - b, part = d - a;
    const double error = (a - (d - part)) - (b + part);
    const double z = exp(-__builtin_fabs(d));
    const double value = (d >= 0.0 ? 1.0 : z)/(1.0 + z);
    const double more = error*z/((1.0 + z)*(1.0 + z));
    return value + (__builtin_fabs(error) < __builtin_inf() ? more : 0.0);
}""",
    "logaddexp": """(double a, double b)
{
    const double above = (a > b) | (a != a) ? a : b;
    const double sum = above + log1p(exp(-__builtin_fabs(a - b)));
    return a == b ? a + 0x1.62e42fefa39efp-1 : sum;
}""",
    "deg2rad": "(double x) { return x*0x1.1df46a2529d39p-6; }",
    "rad2deg": "(double x) { return x*0x1.ca5dc1a63c1f8p+5; }",
}
"""Further functions that the forms call, with the values of `jit` and NumPy."""
CALLS_OF = {"share": {"exp"}, "logaddexp": {"exp", "log1p"}}
"""The functions that a helper calls."""

NOT_FINITE = {"inf": "__builtin_inf()", "nan": '__builtin_nan("")'}


class _Writer:
    """The statements of a row, as they come, and the functions that they call."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.calls: dict[str, str] = {}
        """The name that holds a call's value: equal calls are made once."""
        self.used: set[str] = set()
        self.spelling = Spelling(
            number=lambda value: float(value).hex(),
            name=lambda name: NOT_FINITE.get(name, name),
            call=self.call,
        )

    def write(self, form: str) -> str:
        """An expression of C."""
        return written(form, self.spelling)

    def call(self, name: str, arguments: list[str]) -> str:
        """The name of a call's value."""
        name = FUNCTIONS.get(name, "fabs" if name == "abs" else name)
        if name in BUILT_IN:
            return f"__builtin_{name}({', '.join(arguments)})"
        self.used |= {name, *CALLS_OF.get(name, ())}
        text = f"{name}({', '.join(arguments)})"
        if text not in self.calls:
            self.calls[text] = f"t{len(self.calls)}"
            self.lines.append(f"const double {self.calls[text]} = {text};")
        return self.calls[text]


def c_source(loop: Loop) -> str:
    """The loop as C: `run(start, stop, columns, numbers, results)`, 1 if a number is not finite.

    There must be `FEWEST` rows before `stop`. The last ones that fill no register are computed
    together with some before them, so that a number doesn't depend on the place of its row.
    """
    row = _Writer()
    row.lines += [f"const double v{i} = x{i}[i];" for i in loop.columns]
    for i, form in zip(loop.made, loop.forms, strict=True):
        row.lines.append(f"const double v{i} = {row.write(form)};")
    row.lines += [f"r{k}[i] = v{i};" for k, i in enumerate(loop.wanted)]
    watch = " + ".join(["0.0", *map(row.write, loop.watched)])
    row.lines.append(f"bad |= ({watch}) != 0.0;")
    before = [f"const double *x{i} = x[{k}];" for k, i in enumerate(loop.columns)]
    before += [f"const double v{i} = c[{k}];" for k, i in enumerate(loop.numbers)]
    before += [f"double *r{k} = r[{k}];" for k in range(len(loop.wanted))]
    given = "const double *const *x, const double *c, double *const *r"
    body = "\n    ".join(before)
    lines = "\n        ".join(row.lines)
    return f"""\
{chr(10).join(_declared(row.used))}
static __attribute__((noinline)) long long rows(long long start, long long count, {given})
{{
    long long bad = 0;
    {body}
    #pragma omp simd reduction(|:bad)
    for (long long k = 0; k < (count & ~{FEWEST - 1}LL); k++) {{
        const long long i = start + k;
        {lines}
    }}
    return bad;
}}

int run(long long start, long long stop, {given})
{{
    long long bad = rows(start, stop - start, x, c, r);
    if ((stop - start) & {FEWEST - 1})
        bad |= rows(stop - {FEWEST}, {FEWEST}, x, c, r);
    return bad != 0;
}}
"""


def _declared(used: set[str]) -> Iterator[str]:
    for name in sorted(used - HELPERS.keys()):
        arguments = "double, double" if name in TWO else "double"
        yield "#pragma omp declare simd notinbranch"
        yield f"__attribute__((const)) double {name}({arguments});"
    for name in sorted(used & HELPERS.keys()):
        yield f"static inline double {name}{HELPERS[name]}"
