"""The topics of `gradcli help`: a page each, in the form of the commands' pages.

What stands here is the short version of docs/; every example is run by a test.
"""

from __future__ import annotations

import re

from gradcli.cli.help import Page
from gradcli.cli.registry import TOPICS

_TEXTS = {
    "language": r"""
A program is a list of statements, one per line or separated by ';'. What the last one gives is
the output. Names that are used and never defined are inputs; they get their values by --NAME
VALUE, --data FILE, or a line '#: x = 3' in the program.

NumPy's spelling works, too: np.exp(x), x**2, W.T, x.sum(axis=0). So does LaTeX: \frac{x}{y}. '#'
begins a comment.

Statements:
  b = x + a                          names a node of the graph
  f(x, y) = x*y                      a function; as the last statement it is the output
  block sq(u) = u^2 with d/du = 2*u  a node with a derivative of your own

Expressions:
  + - * / ^ **           2x and 2sin(x) are products as well
  W @ x, W.T             products and transposes of arrays
  x[0], X[:, 1]          elements and parts of arrays
  |x|, ||x||             absolute value and norm
  x > 0, where(c, a, b)  conditions
  pi, tau, e             constants, unless an input has that name

Values of inputs:
  --x 3, --x -pi/2        a number, or an expression of constants
  --W '[[1, 2], [3, 4]]'  an array; eye(3), ones((2, 3)) and normal(3, 2) too
  --x @FILE               from .npy, .csv, .tsv, .json or a text of numbers
  --set file=3            for an input that is named like an option

Examples:
  gradcli eval "a = x*y; a + sin(a)" --x 3 --y 2
  gradcli eval "sum(W @ x)" --W "normal(3, 2)" --x "[1, 2]"
""",
    "functions": r"""
'gradcli ops NAME' shows a function: how it is called, its derivatives, where it is defined.
NumPy's names are understood (arcsin, np.linalg.norm), and the prefixes np., math. and
scipy.special. may stay.

Examples:
  gradcli ops sigmoid
  gradcli ops norm --json
""",
    "json": r"""
--json prints one object in one line, --pretty indents it. Numbers have all their digits; nan and
infinities are the strings NaN, Infinity and -Infinity. Arrays are nested lists. Keys change only
with a major version.

With --json an error is an object on standard error, with its kind, message, hint, line and
column.

Keys of eval:
  schema          gradcli.eval/1; each command has its own
  inputs, output  names and values
  gradient        a gradient for each input
  nodes           value, delta and check of every node, in forward order
  backward        the contributions, in the order of the backward pass
  check           the verdict of the whole: pass, partial or fail

For one number:
  --value     the output's value alone
  --grad x,y  the gradients of x and y, a line each
  --quiet     the exit code alone

Examples:
  gradcli eval "x^2 * y" --x 3 --y 2 --json
  gradcli eval "x^2 * y" --x 3 --y 2 --grad x,y
""",
    "exit-codes": r"""
Exit codes:
  0    all is well
  1    the mathematics failed: log of a negative number, overflow, ...
  2    wrong usage: a syntax error, an input without a value, a missing file
  3    a gradient check failed (eval, trace, check, jacobian, hessian)
  4    grade: the submission has wrong rows
  5    grade: a submission can't be read
  130  interrupted

Examples:
  gradcli check "x^2" --x 3 --quiet
""",
    "homework": r"""
A task is a program with values of its inputs; in a file they stand in lines that begin with '#:'.
'gradcli sheet' prints a sheet to fill in, 'gradcli lint' says which mistakes would go unnoticed,
'gradcli grade' marks what is handed in (Python, a notebook, numbers, the sheet) and names the
first mistake, and 'gradcli class' marks a folder. Nothing of a submission is executed.

A task:
  #: title Exercise 3  its title
  #: x = 3             the value of an input

Different numbers for each student:
  sheet --for ID  the sheet of a student
  grade --for ID  marks it; class --own-points marks all

Examples:
  gradcli sheet "(x + sigmoid(y)) / (x^2 + y)" --x 3 --y -4
  gradcli lint "x*y + z^2" --x 1 --y 2 --z 0
""",
    "python": r"""
A function, script or notebook of NumPy, torch or jax is read as it stands and never run: gradcli
eval loss.py --w '[1, 2]' --x 3. Loops and branches are followed at the given point. Of several
functions, --function NAME takes one.

From Python: import gradcli, then gradcli.evaluate('x^2', x=3) gives a result with .value,
.gradient and a row for each node; gradcli.Program(text) is parsed once and evaluated many times.

For other programs:
  export --format numpy   both passes as NumPy, line by line
  export --format python  a function that returns value and gradient
  batch                   value and gradient for every row of a file

Examples:
  gradcli export "x^2 * y" --x 3 --y 2 --format python
""",
}


def page(topic: str, *, listing: bool = True) -> Page:
    """The page of a topic; `listing` adds what is asked of the operation table."""
    paragraphs, sections = [], {}
    for part in _TEXTS[topic].strip().split("\n\n"):
        title, *lines = part.split("\n")
        if lines and lines[0].startswith("  "):
            sections[title.rstrip(":")] = [_record(line) for line in lines]
        else:
            paragraphs.append(" ".join(part.split()))
    examples = tuple(example for example, _ in sections.pop("Examples"))
    if topic == "functions" and listing:
        sections = {"Functions": _functions()}
    ending = f"More: docs/{_PAGES[topic]} of gradcli's source."
    return Page(
        f"gradcli help {topic}", TOPICS[topic], examples, "", tuple(paragraphs), sections, (ending,)
    )


def _record(line: str) -> tuple[str, str]:
    """A line of a section: what is written and, behind two spaces, what it is for."""
    term, *said = re.split("  +", line.strip(), maxsplit=1)
    return term, "".join(said)


_PAGES = {
    "language": "language.md",
    "functions": "operations.md",
    "json": "json.md",
    "exit-codes": "json.md",
    "homework": "teaching.md",
    "python": "python.md",
}


def _functions() -> list[tuple[str, str]]:
    """The groups of the operation table, and what is in them."""
    from gradcli.report.reference.forms import LAST_GROUP, groups

    return [
        (title, ", ".join(dict.fromkeys(row.name for row in rows)))
        for title, rows in groups().items()
        if title != LAST_GROUP
    ]
