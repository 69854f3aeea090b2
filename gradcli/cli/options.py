"""The options that commands share, in groups: the program, the computation, the report.

Most of the module is their help: an option is data, with the text that is printed for it.
Annotations are evaluated as the classes are made, unlike elsewhere: their values are needed,
and texts of annotations take longer to compile than all the rest of this module.
"""

from collections.abc import Collection
from functools import partial
from math import isnan
from typing import TYPE_CHECKING, ClassVar, Literal

from gradcli.cli.command import Options
from gradcli.cli.environment import ColorChoice
from gradcli.cli.parameters import Parameter, listed, option
from gradcli.cli.registry import option_elsewhere
from gradcli.diagnostics.failures import usage_error
from gradcli.diagnostics.names import is_name, normal
from gradcli.diagnostics.suggestion import did_you_mean

if TYPE_CHECKING:
    from gradcli.cli.inputs import Point
    from gradcli.program import CheckMode, Program
    from gradcli.report import Style

PROGRAM, COMPUTED, CHECK, REPORT = "Program and inputs", "Computation", "Check", "Report"

in_program = partial(option, group=PROGRAM)
in_computation = partial(option, group=COMPUTED)
in_check = partial(option, group=CHECK)
in_report = partial(option, group=REPORT)

ENDINGS = {
    ".txt": ("table", "text", "numpy"),
    ".json": ("json", "graph-json"),
    ".csv": ("csv",),
    ".md": ("markdown",),
    ".tex": ("latex",),
    ".html": ("html",),
    ".htm": ("html",),
    ".py": ("code", "numpy", "python"),
    ".dot": ("dot",),
    ".gv": ("dot",),
    ".mmd": ("mermaid",),
    ".mermaid": ("mermaid",),
    ".svg": ("svg",),
    ".png": ("png",),
    ".pdf": ("pdf",),
}
"""The formats that the ending of a file's name stands for; of them a command has one, or none."""


def format_by_ending(file: str | None, formats: Collection[str]) -> str | None:
    """The format among `formats` that a file's name asks for; None where it has no ending.

    Raises `GradcliError` of kind option for an ending that none of them has.
    """
    if not file:
        return None
    from pathlib import PurePath  # which takes long to import

    ending = PurePath(file).suffix.lower()
    if not ending:
        return None
    for form in ENDINGS.get(ending, ()):
        if form in formats:
            return form
    there = [e for e, named in ENDINGS.items() if any(n in formats for n in named)]
    known = f"the endings are {', '.join(there)}" if len(there) > 1 else f"the ending is {there[0]}"
    raise usage_error(
        f"--out {file}: there is no format for the ending '{ending}' here",
        f"{known}; a name without one gets the usual format",
    )


class InputOptions(Options):
    """Values of inputs: what a program and a homework's task have in common."""

    settings: str | None = in_program(
        "--set NAME=VALUE", "the same as --NAME VALUE, also where NAME is an option"
    )
    data: str | None = in_program(
        "--data FILE",
        "values of many inputs: a .json object, an .npz, a .csv of names and one row; "
        "- is standard input",
    )
    seed: int = in_program(
        "--seed N",
        "for normal(m, n) and uniform(m, n) in values, and for the check's directions",
        default=0,
        min=0,
    )
    wrt: str | None = in_computation("--wrt x,y", "gradients of these inputs only", offer="inputs")

    def point_of(
        self, program: "Program", upstream: str | None = None, *, all_bound: bool = True
    ) -> "Point":
        """The program with the values of its inputs. Raises `GradcliError`."""
        from gradcli.cli.inputs import read_point

        return read_point(program, self, upstream, all_bound=all_bound)


class RowOptions(InputOptions):
    """A program and the values of its inputs."""

    program: str | None = in_program(
        "PROGRAM", "the program's text, or a file of it (.grad, .py, .ipynb); - is standard input"
    )
    file: str | None = in_program("--file FILE", "read the program from a file")
    output: str | None = in_computation(
        "--output NAME", "take this node as the output, not the last statement", offer="nodes"
    )
    function: str | None = in_computation(
        "--function NAME", "of a Python file with several functions: this one"
    )
    time_limit: float | None = in_computation(
        "--time-limit SECONDS",
        "reading a Python program may take this long (default: 2)",
        min=0.1,
        max=3600,
    )
    allow_nonfinite: bool = in_computation(
        "--allow-nonfinite", "compute on where a value is infinite or not a number"
    )

    def read(self) -> "Program":
        """The program. Raises `GradcliError`."""
        if self.program is None and self.file is None:
            raise usage_error("the program is missing", self._where_it_went())
        from gradcli.cli.inputs import expect_one_reader, read_program

        expect_one_reader(self.data, "the program", self.program, self.file)
        return read_program(
            self.program,
            self.file,
            self.output,
            self.environment,
            self.function,
            self.time_limit,
        )

    def inputs(self) -> "Point":
        """The program, and values for some of its inputs. Raises `GradcliError`."""
        return self.point_of(self.read(), all_bound=False)

    def _where_it_went(self) -> str:
        """A misspelt option may have taken the program for its value."""
        for binding in self.bindings:
            meant = option_elsewhere(binding.origin) or did_you_mean(
                binding.origin, self.option_names
            )
            if meant is not None:
                return f"{binding.origin} has taken '{binding.text}' for its value: {meant}"
        return 'as in: "x^2 + 1" --x 3. --file FILE reads it from a file, - from standard input'


class PointOptions(RowOptions):
    """The program, the values of its inputs, and where its backward pass starts."""

    upstream: str | None = in_computation(
        "--upstream VALUE", "dJ/doutput to start from, in the output's shape"
    )

    def point(self) -> "Point":
        """The program and its inputs. Raises `GradcliError`."""
        return self.point_of(self.read(), self.upstream)


class CheckOptions(Options):
    """The finite-difference check."""

    no_check: bool = in_check("--no-check", "no check: the same as --check none")
    check: Literal["all", "sample", "none"] | None = in_check(
        "--check all|sample|none",
        "every element of large arrays, or random directions through them (sample)",
    )
    check_budget: float = in_check(
        "--check-budget SECONDS", "about how long the check may take", default=2.0, min=0, max=1e9
    )
    exact: bool = in_check("--exact", "a second opinion at 50 digits (needs mpmath)")

    def mode(self) -> "CheckMode":
        """What is to be checked. Raises `GradcliError` where the options contradict each other."""
        if self.no_check and self.check == "all":
            raise usage_error("--no-check and --check all contradict each other")
        if self.exact:
            require("mpmath", "exact", "--exact")
        return "none" if self.no_check else self.check or "sample"

    def budget(self) -> float:
        """Seconds."""
        if isnan(self.check_budget):
            raise usage_error("--check-budget takes a number from 0 to 1e+09, not 'nan'")
        return self.check_budget


class OutputOptions(Options):
    """How and where a report is written: what every command has.

    `formats` are those that a command has, the usual one first; `--format` takes them, and the
    ending of `--out` chooses among them. A command without JSON has `json = pretty = False`.
    """

    formats: ClassVar[tuple[str, ...]] = ("table", "json", "csv", "markdown", "latex")

    json: bool = in_report("--json", "the same as --format json")
    pretty: bool = in_report("--pretty", "JSON, indented")
    format: str | None = in_report("--format --to FORMAT")
    precision: int = in_report(
        "--precision N",
        "significant digits in tables; JSON and CSV have all",
        default=6,
        min=1,
        max=17,
    )
    ascii: bool = in_report("--ascii", "ASCII characters only")
    color: ColorChoice = in_report("--color WHEN", "auto, always or never", default="auto")
    quiet: bool = in_report("--quiet", "the exit code alone, and errors")
    out: str | None = in_report("--out FILE", "write to a file; its ending is the format")

    @classmethod
    def parameters(cls) -> list[Parameter]:
        """The options of the group, with the formats that the command has."""
        return [
            each._replace(choices=cls.formats, help=each.help or listed(cls.formats))
            if each.name == "format"
            else each
            for each in super().parameters()
        ]

    def chosen_format(self) -> str:
        """The format: `--format`, else by the ending of `--out`, else the usual one.

        Raises `GradcliError` where options contradict each other or the ending is not known.
        """
        by_ending = self.asked_format() or format_by_ending(self.file, self.formats)
        return by_ending or self.formats[0]

    def asked_format(self) -> str | None:
        """The format of `--format`, `--json` or `--pretty`; None without them.

        Raises `GradcliError` where they contradict each other.
        """
        wants_json = self.json or self.pretty
        if wants_json and self.format not in (None, "json"):
            option = "--json" if self.json else "--pretty"
            raise usage_error(f"{option} and --format {self.format} contradict each other")
        return "json" if wants_json else self.format

    def style(self) -> "Style":
        """How it is to look on the stream that it goes to."""
        from gradcli.report.style import Style

        outside = self.environment
        to_file = self.file is not None
        return Style(
            width=None if to_file else outside.columns,
            color=not to_file and outside.color(self.color),
            ascii=self.ascii or (not to_file and outside.needs_ascii()),
            precision=self.precision,
            pretty=self.pretty,
        )

    @property
    def file(self) -> str | None:
        """The file to write to; None is standard output."""
        return None if self.out == "-" else self.out


class DrawingOutput(OutputOptions):
    """The output of a command that draws: `name` is what it calls a file in a hint."""

    name: ClassVar[str]

    def chosen_format(self) -> str:
        """The format. Raises `GradcliError` where it can't go where it should."""
        form = super().chosen_format()
        if form in ("png", "pdf") and self.file is None and self.environment.columns is not None:
            raise usage_error(
                f"{form} is binary and is not written to a terminal", f"--out {self.name}.{form}"
            )
        return form


class TextOutput(OutputOptions):
    """The output of a command that has text and JSON."""

    formats = ("table", "json")


class ReportOptions(OutputOptions):
    """The report of an evaluation, or a part of it alone."""

    value: bool = in_report("--value", "the output's value alone")
    grad: str | None = in_report(
        "--grad NAME,...", "the gradients of these inputs alone, a line each", offer="inputs"
    )

    def is_bare(self) -> bool:
        """Whether bare values are asked for. Raises `GradcliError` on contradictions."""
        if self.value and self.grad is not None:
            raise usage_error("--value and --grad contradict each other")
        part = "--value" if self.value else "--grad" if self.grad is not None else None
        form = self.chosen_format()
        if part is not None and form not in ("table", "json"):
            raise usage_error(f"{part} prints a bare value, which has no format '{form}'")
        return part is not None

    def gradient_names(self) -> tuple[str, ...]:
        """The inputs of `--grad`. Raises `GradcliError` where one is no name."""
        if self.grad is None:
            return ()
        words = [word.strip() for word in self.grad.split(",")]
        for word in words:
            if not is_name(word):
                raise usage_error(
                    f"--grad takes the name of an input, not '{word}'", "several: --grad x,y"
                )
        return tuple(map(normal, words))

    def wanted(self, wrt: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """The inputs whose gradients are computed, given those of `--wrt`; None for all.

        Raises `GradcliError` where `--grad` asks for one that `--wrt` leaves out.
        """
        from gradcli.graph.names import spelled_in

        names = self.gradient_names()
        if not names:
            return wrt
        for name in names:
            if wrt is not None and spelled_in(name, wrt) not in wrt:
                raise usage_error(
                    f"--wrt {','.join(wrt)} and --grad {name} contradict each other",
                    "--grad takes inputs that --wrt names",
                )
        return wrt or tuple(dict.fromkeys(names))


class NodeReport(ReportOptions):
    """The report of every node: an `.html` is a page with the table."""

    formats = (*ReportOptions.formats, "html")


class MatrixOptions(ReportOptions):
    """The report of a Jacobian or Hessian, or a part of it alone."""

    value: bool = in_report("--value", "the matrix of all inputs alone (or the product, a vector)")
    grad: str | None = in_report(
        "--grad NAME,...", "the parts of these inputs alone, a line each", offer="inputs"
    )


def require(module: str, extra: str, what: str) -> None:
    """Raise a `GradcliError` that names the install command if a module is not there."""
    from importlib.util import find_spec

    if find_spec(module) is None:
        raise usage_error(
            f"{what} needs {module}, which is not installed", f"pip install 'gradcli[{extra}]'"
        )
