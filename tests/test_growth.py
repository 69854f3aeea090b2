"""What a text costs grows with its length: calls counted and memory measured, for n, 2n and 4n."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from cProfile import Profile
from pathlib import Path

import pytest

from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.grading.exercise import lint

Text = Callable[[int], str]


def lines(line: str, last: str = "") -> Text:
    """A line for every number, then the last."""
    return lambda n: "".join(line.format(i=i, before=max(i - 1, 0)) + "\n" for i in range(n)) + last


def total(term: str, before: Text = lambda _: "") -> Text:
    """The sum of a term for every number, below other lines."""
    return lambda n: before(n) + " + ".join(term.format(i=i) for i in range(n))


PROGRAMS: dict[str, Text] = {
    "header": total("w{i}", lines("#: w{i} = {i}.5")),
    "header draws": total("w{i}", lines("#: w{i} = normal()")),
    "draws in one value": lambda n: "#: w = " + " + ".join(["normal()"] * n) + "\nw + x",
    "a value over lines": lambda n: "#: w = [" + ",\n#: ".join(["1.5"] * n) + "]\nsum(w) + x",
    "marks": lambda n: lines("#: marks x{i} = 1")(n) + "x",
    "blank header lines": lambda n: "#:\n" * n + "x",
    "comments": lambda n: "# a comment\n\n" * n + "x",
    "comment lines behind": lambda n: "x" + "\n# a comment\n" * n,
    "calls of a name that comes later": lines("a{i} = cos(x)", "cos = x"),
    "functions": total("f{i}(x)", lines("f{i}(u) = u*{i} + 1")),
    "functions that call the one before": lambda n: "f0(u) = u\n"
    + "".join(f"f{i}(u) = f{i - 1}(u) + 1\n" for i in range(1, n)) + "f0(x)",
    "calls of one function": total("f(x, {i})", lambda _: "f(u, v) = u*v + 1\n"),
    "blocks": total("b{i}(x)", lines("block b{i}(u) = u^2 with d/du = 2*u")),
    "calls of one block": total("b(x + {i})", lambda _: "block b(u) = u^2 with d/du = 2*u\n"),
    "statements": total("u{i}", lines("u{i} = {i}*x")),
    "unused statements": lines("u{i} = {i}*x", "x"),
    "inputs": total("w{i}"),
    "a long name": lambda n: "x + " + "a" * n,
    "chain": lambda n: "v0 = x\n" + "".join(f"v{i} = v{i - 1}*0.9 + y\n" for i in range(1, n)),
    "sharing": lambda n: "v0 = x\n" + "".join(f"v{i} = v{i - 1}*v{i - 1}\n" for i in range(1, n)),
    "sum": total("x"),
    "calls in calls": lambda n: "sin(" * n + "x" + ")" * n,
    "brackets": lambda n: "(" * n + "x" + ")" * n,
    "signs": lambda n: "-" * n + "x",
    "powers": lambda n: "^".join(["x"] * n),
    "comparisons": lambda n: " < ".join(["x"] * n),
    "where": total("where(x > {i}, x, {i})"),
    "where in where": lambda n: "where(x > 1, " * n + "x" + ", 2)" * n,
    "elements of an array": lambda n: f"sum([{', '.join(['x'] * n)}])",
    "rows of a matrix": lambda n: f"sum([{', '.join(['[x, 1]'] * n)}])",
    "numbers in an array": lambda n: f"sum(x*[{', '.join(map(str, range(n)))}])",
    "indices": total("v[{i}]", lambda n: f"#: v = zeros({n})\n"),
    "LaTeX": lambda n: r" + ".join([r"\frac{x}{2}"] * n),
    "lines of LaTeX": lambda n: r"\\ ".join(rf"u_{{{i}}} &= {i} x" for i in range(n)),
}  # fmt: skip

MISTAKES: dict[str, Text] = {
    "an unknown function": total("u{i}", lines("u{i} = {i}*x", "sni(x) + ")),
    "an unknown function among many": lines("f{i}(u) = u*{i}", "fff(x)"),
    "a sign at the end": lambda n: " + ".join(["x"] * n) + " + * x",
    "no closing bracket": lambda n: "(" * n + "x",
    "the wrong closing bracket": lambda n: "(" * n + "x" + "]" * n,
    "a name twice": lines("u{i} = {i}*x", "u0 = x\nx"),
    "log of a negative number": lines("u{i} = {i}*x", "log(-1 - x^2)"),
    "shapes": lines("u{i} = {i}*x", "[1, 2] @ [1, 2, 3]"),
    "a header line of another kind": lines("#: w{i} = {i}", "#: a b c\nx"),
    "a header value": lines("#: w{i} = {i}", "#: w = log(-1)\nw"),
    "a header line twice": lines("#: w{i} = {i}", "#: w0 = 1\nw0"),
    "a header line that is too late": lines("u{i} = {i}*x", "#: x = 3"),
    "a constant in a block": lambda n: "block b(u) = u + x with d/du = 1\n" + "b(y)\n" * n,
    "a function that is a value": lines("u{i} = {i}*x", "u0(x)"),
    "LaTeX that is not closed": lambda n: r" + ".join([r"\frac{x}{2}"] * n) + r" + \frac{x}{",
    "a block without rules": lambda n: (
        f"block b({', '.join(f'p{i}' for i in range(n))}) = p0 with d/dp0 = 1\nb(x)"
    ),
}

REPORTS = (
    ("eval", "--no-check", "--json"),
    ("eval", "--no-check", "--format", "markdown"),
    ("eval", "--no-check", "--format", "latex"),
    ("eval", "--no-check", "--format", "csv"),
    ("trace", "--no-check"),
    ("trace", "--no-check", "--by", "statement"),
    ("trace", "--no-check", "--json"),
    ("trace", "--no-check", "--explain"),
    ("trace", "--no-check", "--node", "v0"),
    ("trace", "--no-check", "--node", "x", "--json"),
    ("trace", "--no-check", "--node", "y", "--by", "statement"),
    ("export", "--to", "numpy"),
    ("export", "--to", "python"),
    ("export", "--to", "latex"),
    ("export", "--to", "graph-json"),
    ("graph", "--format", "dot"),
    ("graph", "--format", "mermaid"),
    ("jacobian", "--no-check"),
    ("eval", "--check", "sample", "--wrt", "y", "--check-budget", "1000"),
)

SIZES = (40, 80, 160)

Command = Callable[[int], list[str]]


def program(text: Text, *arguments: str) -> Command:
    def command(n: int) -> list[str]:
        made = text(n)
        Path("p.grad").write_text(made)
        values = dict.fromkeys(["x", "y", "a" * n, *(f"w{i}" for i in range(n))], 0.5)
        Path("d.json").write_text(json.dumps(values))
        return [*(arguments or ("eval", "--no-check")), "--file", "p.grad", "--data", "d.json"]

    return command


def settings(n: int) -> list[str]:
    named = (("--set", f"w{i}={i}") for i in range(n))
    return ["eval", "--no-check", total("w{i}")(n), *(word for pair in named for word in pair)]


def written(path: str, text: Text, *arguments: str) -> Command:
    def command(n: int) -> list[str]:
        Path(path).write_text(text(n))
        return list(arguments)

    return command


def columns(n: int) -> str:
    return ",".join(f"w{i}" for i in range(n)) + "\n" + ",".join(map(str, range(n))) + "\n"


def twice(n: int) -> str:
    return "{" + "".join(f'"w{i}": 1, ' for i in range(n)) + '"w0": 1}'


def row(n: int) -> str:
    return ",".join(["1"] * n)


FILES: dict[str, Command] = {
    "settings": settings,
    "a wide table": written("x.csv", row, "eval", "sum(x)", "--x", "@x.csv", "--no-check"),
    "a mistake in a wide table": written(
        "x.csv", lambda n: row(n) + ",a", "eval", "x", "--x", "@x.csv"
    ),
    "a mistake in a long table": written("x.csv", lines("{i}", "a"), "eval", "x", "--x", "@x.csv"),
    "a key twice in JSON": written("d.json", twice, "eval", "x", "--data", "d.json"),
    "a value": lambda n: ["eval", "sum(x)", "--x", f"[{row(n)}]", "--no-check"],
    "many columns": written("p.csv", columns, "batch", "w0 + w1", "p.csv"),
    "many columns kept": written("p.csv", columns, "batch", "w0 + w1", "p.csv", "--keep", "all"),
    "one column with names": written(
        "d.csv", columns, "eval", "w0 + w1", "--data", "d.csv", "--no-check"
    ),
}  # fmt: skip


def hint(text: Text, *arguments: str) -> Command:
    """A program, and a command line with a slip: what was meant is looked for among its names."""
    return written("p.grad", text, *arguments, "--file", "p.grad")


HINTS: dict[str, Command] = {
    "no value": hint(total("u{i}"), "eval"),
    "a value for no input": hint(total("u{i}"), "eval", "--uu", "3"),
    "no such output": hint(lines("u{i} = {i}*x", "u0"), "eval", "--output", "uu", "--x", "1"),
    "no such input": hint(lines("#: w{i} = 1", "w0"), "eval", "--wrt", "ww"),
    "no such node": hint(lines("u{i} = {i}*x", "u0"), "trace", "--node", "uu", "--x", "1"),
}


def python(n: int) -> list[str]:
    """A function of as many lines."""
    above = "".join(f"    a{i} = np.sin(a{i - 1}) + x\n" for i in range(1, n))
    Path("p.py").write_text(
        f"import numpy as np\ndef f(x):\n    a0 = x\n{above}    return a{n - 1}\n"
    )
    return ["eval", "p.py", "--x", "1", "--no-check"]


def grade(n: int) -> list[str]:
    """The right code for a task of as many statements; `SIZES` of them would take long."""
    header = "#: x = 0.5\n#: y = 0.5\n"
    Path("p.grad").write_text(header + PROGRAMS["chain"](n // 4))
    arguments = ["export", "--to", "numpy", "--file", "p.grad", "--out", "answer.py"]
    assert run(arguments, Environment.captured()) == 0
    return ["grade", "p.grad", "answer.py"]


def class_(n: int) -> list[str]:
    """A folder of submissions, half of them wrong. They are marked in another process."""
    Path("p.grad").write_text("#: x = 3\n#: y = -4\n(x + sigmoid(y)) / (x^2 + y)")
    folder = Path(f"handed-in-{n}")
    folder.mkdir()
    arguments = ["export", "--to", "numpy", "--file", "p.grad", "--out", "right.py"]
    assert run(arguments, Environment.captured()) == 0
    right = Path("right.py").read_text()
    for i in range(n // 10):
        (folder / f"student{i}.py").write_text(right.replace("+=", "=", i % 2))
    return ["class", "p.grad", str(folder), "--jobs", "1"]


def lint_(n: int) -> list[str]:
    """A task of which one input is used in every statement, so that its row has as many parts."""
    Path("p.grad").write_text("#: x = 0.5\n#: y = 0.5\n" + PROGRAMS["chain"](n // 2))
    return ["lint", "p.grad"]


OTHERS: dict[str, Command] = {"Python": python, "grade": grade, "class": class_, "lint": lint_}

COMMANDS: dict[str, Command] = {
    **{name: program(text) for name, text in (PROGRAMS | MISTAKES).items()},
    **{f"{' '.join(report)}": program(PROGRAMS["chain"], *report) for report in REPORTS},
    **FILES,
    **HINTS,
    **OTHERS,
}


def calls(arguments: list[str]) -> int:
    """How many functions are called, those in C included."""
    profile = Profile()
    profile.runcall(run, arguments, Environment.captured())
    return sum(entry.callcount for entry in profile.getstats())


def memory(arguments: list[str]) -> int:
    """The most bytes that are in use at once."""
    tracemalloc.start()
    try:
        run(arguments, Environment.captured())
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def expect_linear(measured: Callable[[list[str]], int], command: Command, least: int) -> None:
    """The step from 2n to 4n is twice that from n to 2n, and four times where it is quadratic."""
    run(command(10), Environment.captured())
    one, two, four = (measured(command(n)) for n in SIZES)
    assert four - two < 3 * max(two - one, least), (one, two, four)


# The quick version is every third of them, without those that take seconds.
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=pytest.mark.slow if i % 3 or n in OTHERS else [])
        for i, n in enumerate(COMMANDS)
    ],
)
def test_twice_the_text_takes_twice_the_calls(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for what, points in (("FEWEST", 1), ("MOST", 1), ("GENERAL", 1)):
        monkeypatch.setattr(lint, what, points)  # else fewer the longer the task is
    expect_linear(calls, COMMANDS[name], 300)


@pytest.mark.parametrize(
    "name", ["header", "header draws", "a value over lines", "functions", "settings"]
)
def test_twice_the_text_takes_twice_the_memory(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    expect_linear(memory, COMMANDS[name], 20_000)
