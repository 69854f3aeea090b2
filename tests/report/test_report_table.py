"""The table: what it looks like at every width, and that nothing gets lost in a narrow one."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from report_samples import NAMES, chain, evaluate, samples, with_checks
from syrupy.assertion import SnapshotAssertion  # noqa: TC002 - pytest reads the annotation

from gradcli.diagnostics.error import cell_width
from gradcli.program import Program
from gradcli.report import Style, render
from gradcli.report.numbers import number

PIPE = Style(width=None, color=False, ascii=False)
WIDTHS = (None, 200, 120, 80, 60)
COMMANDS = ("eval", "check")
SGR = re.compile(r"\x1b\[([0-9;]*)m")


def style(width: int | None, *, color: bool = False, ascii_only: bool = False) -> Style:
    return Style(width=width, color=color, ascii=ascii_only)


def table(name: str, width: int | None = None, command: str = "eval") -> str:
    return render(samples()[name], "table", style(width), command)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["tutorial", "verdicts", "network", "deep", "long"])
def test_widths(name: str, width: int | None, snapshot: SnapshotAssertion) -> None:
    assert table(name, width) == snapshot


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"tutorial", "verdicts", "network", "long"}))
def test_in_a_pipe(name: str, snapshot: SnapshotAssertion) -> None:
    assert table(name) == snapshot


@pytest.mark.parametrize("width", [*WIDTHS, 40, 20])
@pytest.mark.parametrize("name", ["verdicts", "deep"])
def test_check(name: str, width: int | None, snapshot: SnapshotAssertion) -> None:
    assert table(name, width, "check") == snapshot


@pytest.mark.parametrize("width", [40, 24])
def test_narrow(width: int, snapshot: SnapshotAssertion) -> None:
    assert table("network", width) == snapshot


@pytest.mark.parametrize("name", ["verdicts", "network", "wide"])
def test_ascii(name: str, snapshot: SnapshotAssertion) -> None:
    assert render(samples()[name], "table", style(80, ascii_only=True)) == snapshot


def test_color(snapshot: SnapshotAssertion) -> None:
    text = render(samples()["verdicts"], "table", style(120, color=True))
    assert text.replace("\x1b", "ESC") == snapshot


@pytest.mark.parametrize("precision", [1, 3, 17])
def test_precision(precision: int, snapshot: SnapshotAssertion) -> None:
    wanted = Style(width=80, color=False, ascii=False, precision=precision)
    assert render(samples()["tutorial"], "table", wanted) == snapshot


# --- what holds for all ------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", NAMES)
def test_no_line_is_wider_than_the_terminal(name: str, command: str) -> None:
    for width in (40, 53, 60, 67, 80, 97, 120, 150):
        text = table(name, width, command)
        too_wide = [line for line in text.splitlines() if cell_width(line) > width]
        assert not too_wide, width


@pytest.mark.parametrize("name", NAMES)
def test_no_number_is_cut(name: str) -> None:
    result = samples()[name]
    numbers = {
        number(float(row.delta), 6)
        for row in result.rows()
        if row.delta is not None and not row.node.type.shape
    }
    for width in (1, 10, 20, 30, 36, 45, 60, 80, 100, 140):
        text = table(name, width)
        assert "…" not in text
        for written in numbers:
            assert re.search(rf"(?<![\w.]){re.escape(written)}(?![\w.])", text), (width, written)


@pytest.mark.parametrize("name", NAMES)
def test_a_wide_terminal_shows_what_a_pipe_does(name: str) -> None:
    assert table(name, 500) == table(name)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", NAMES)
def test_color_adds_nothing_but_color(name: str, command: str) -> None:
    for width in (None, 100, 60, 20):
        text = render(samples()[name], "table", style(width, color=True), command)
        assert set(SGR.findall(text)) <= {"0", "1", "2", "32", "1;31"}
        plain = "".join(f"{line.rstrip()}\n" for line in SGR.sub("", text).splitlines())
        assert plain == table(name, width, command)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", NAMES)
def test_ascii_is_ascii(name: str, command: str) -> None:
    for width in (None, 80, 20):
        for form in ("table", "csv", "markdown", "latex", "json"):
            assert render(
                samples()[name], form, style(width, color=True, ascii_only=True), command
            ).isascii()


def test_what_looks_like_markup_is_text() -> None:
    for width in (None, 80):
        text = render(samples()["markup"], "table", style(width, color=True))
        assert "[red, link]" in SGR.sub("", text)


def test_reports_end_with_one_newline() -> None:
    for form in ("table", "csv", "markdown", "latex", "json"):
        text = render(samples()["tutorial"], form, PIPE)
        assert text.endswith("\n")
        assert not text.endswith("\n\n")


# --- many rows ---------------------------------------------------------------------------------


def test_a_terminal_gets_the_ends_and_what_does_not_agree(snapshot: SnapshotAssertion) -> None:
    text = render(chain(1000), "table", style(80))
    names = [line.split()[0] for line in text.split("\n\n")[0].splitlines()[2:]]
    assert names[:3] == ["x", "v1", "v2"]
    assert names[-1] == "v1000"
    assert names[50:56] == ["⋮", "v100", "⋮", "v500", "⋮", "v951"]
    assert text.split("\n\n", 1)[1] == snapshot


def test_a_pipe_gets_every_row() -> None:
    text = render(chain(1000), "table", PIPE)
    names = [line.split()[0] for line in text.split("\n\n")[0].splitlines()[2:]]
    assert names == ["x", *(f"v{i}" for i in range(1, 1001))]


def test_rows_beyond_those_that_were_measured() -> None:
    import gradcli.report.tables.table as module  # noqa: PLC0415

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MEASURED", 5)
        text = render(chain(300), "table", PIPE)
    assert "\nv300  sin(v299)" in text


def test_an_input_without_influence() -> None:
    result = with_checks(evaluate("x*0 + floor(y)", {"x": 1, "y": 2.5}))
    assert "∂c/∂x = 0, ∂c/∂y = 0 " in render(result, "table", PIPE)


@pytest.mark.parametrize("form", ["table", "json", "csv", "markdown"])
def test_only_a_terminal_needs_rich(form: str) -> None:
    script = (
        "import sys; from gradcli import evaluate; from gradcli.report import Style, render;"
        f"render(evaluate('x^2', x=3), {form!r}, Style(None, True, False));"
        "sys.exit('rich' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_unknown_formats_and_commands() -> None:
    with pytest.raises(ValueError, match="no format 'xml'"):
        render(samples()["tutorial"], "xml", PIPE)
    with pytest.raises(ValueError, match="no report of 'trace'"):
        render(samples()["tutorial"], "table", PIPE, "trace")


@pytest.mark.parametrize("form", ["table", "markdown", "latex"])
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("off", ["1e-3", "1e-6", "1e-8", "1e-9"])
@pytest.mark.parametrize("size", ["number", "vector"])
def test_what_is_wrong_looks_different(form: str, command: str, off: str, size: str) -> None:
    """However small the error of a rule is, accumulator and slope are not the same text."""
    program = f"block sq(p) = p^2 with d/dp = 2*p*(1 + {off})\nsum(sq(x))"
    result = Program(program).evaluate(x=3.0 if size == "number" else [3.0, 5.0], check="all")
    assert result.counts["fail"] == 1
    text = render(result, form, PIPE, command)
    (row,) = [line for line in text.split("\n") if "WRONG: slope" in line and "x" in line[:4]]
    cells = [part.strip() for part in re.split(r" {2,}|[|&]", row.partition("WRONG")[0])]
    numbers = [cell for cell in cells if "6" in cell][:2]
    assert len(numbers) == 2
    assert len(set(numbers)) == 2
    assert "(6, slope 6)" not in text


@pytest.mark.parametrize("width", [None, 60])
def test_no_rows_no_empty_line(width: int | None) -> None:
    result = Program("3").evaluate()
    assert render(result, "table", style(width), "check") == "nothing to check\n"
