"""What the commands of homework share: the task, and how it is marked."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gradcli.cli.command import Options
from gradcli.cli.options import OutputOptions, in_program
from gradcli.diagnostics.failures import usage_error

if TYPE_CHECKING:
    from gradcli.grading.marking.mark import Scheme
    from gradcli.grading.model.task import Task

TASK, MARKING = "Task", "Marking"


class TaskOptions(Options):
    """A program with its point, as homework."""

    task: Annotated[
        str | None,
        typer.Argument(
            metavar="TASK",
            help="a program file with its '#:' lines, or a program's text",
            show_default=False,
            rich_help_panel=TASK,
        ),
    ] = None
    settings: Annotated[
        str | None,
        in_program("--set", metavar="NAME=VALUE", help="an input's value, as --NAME VALUE"),
    ] = None
    data: Annotated[
        str | None,
        in_program(
            "--data", metavar="FILE", help="values of inputs: .json, .npz or .csv; - is stdin"
        ),
    ] = None
    seed: Annotated[
        int, in_program("--seed", metavar="N", min=0, help="for normal(m, n) and uniform(m, n)")
    ] = 0
    wrt: Annotated[
        str | None, in_program("--wrt", metavar="x,y", help="ask for these gradients only")
    ] = None

    def read(self) -> "Task":
        """The task, evaluated. Raises `GradcliError`."""
        if self.task is None:
            raise usage_error("the task is missing", "as in: gradcli grade task.grad answer.py")
        from gradcli.cli.inputs import expect_one_reader, is_file, read_point, read_program
        from gradcli.grading.model.task import make_task

        # No program ends so: where there is no such file, that is what is to be said.
        by_path = is_file(self.task) or self.task.endswith(".grad")
        text, file = (None, self.task) if by_path else (self.task, None)
        expect_one_reader(self.data, "the task", self.task)
        program = read_program(text, file, None, self.environment)
        point = read_point(
            program,
            self.bindings,
            self.option_names,
            self.environment,
            data=self.data,
            wrt=self.wrt,
            upstream=None,
            seed=self.seed,
        )
        return make_task(program, point.inputs, data=point.data, wrt=point.wrt, seed=self.seed)


class MarkingOptions(Options):
    """How a submission is marked."""

    carried: Annotated[
        Literal["1", "0.5", "0"],
        typer.Option(
            "--carried",
            metavar="1|0.5|0",
            help="share of its marks that right work on a wrong number earns",
            show_default=True,
            rich_help_panel=MARKING,
        ),
    ] = "1"
    rtol: Annotated[
        float | None,
        typer.Option(
            "--rtol",
            metavar="R",
            min=0,
            max=1,
            help="relative tolerance; without it 1e-2 for numbers of few digits, else 1e-6",
            rich_help_panel=MARKING,
        ),
    ] = None
    digits: Annotated[
        int,
        typer.Option(
            "--digits",
            metavar="N",
            min=1,
            max=15,
            help="compare at least this many significant digits",
            show_default=True,
            rich_help_panel=MARKING,
        ),
    ] = 2
    eta: Annotated[
        float | None,
        typer.Option(
            "--eta",
            metavar="RATE",
            help="the learning rate: look for weights updated too early",
            rich_help_panel=MARKING,
        ),
    ] = None

    points: Annotated[
        float | None,
        typer.Option(
            "--points",
            metavar="N",
            min=0.01,
            max=1e6,
            help="the marks for the whole task; without it, one mark per row",
            rich_help_panel=MARKING,
        ),
    ] = None

    seconds: Annotated[
        float,
        typer.Option(
            "--time-limit",
            metavar="SECONDS",
            min=0.1,
            max=3600,
            help="for each submission, including the time to name its mistakes",
            show_default=True,
            rich_help_panel=MARKING,
        ),
    ] = 10.0

    def scheme(self) -> "Scheme":
        """The scheme of marking."""
        from gradcli.grading.marking.mark import Scheme
        from gradcli.grading.model.tolerance import Tolerance

        if self.points is not None and not self.points > 0:
            raise usage_error("--points is a number", "as in: --points 10")
        tolerance = Tolerance(self.rtol, self.digits)
        return Scheme(tolerance, float(self.carried), self.eta, self.points)


def text_or_json(report: OutputOptions, name: str) -> str:
    """The format of a command that has no others. Raises `GradcliError`."""
    form = report.chosen_format()
    if form not in ("table", "json"):
        raise usage_error(f"{name} has no {form}", "without --format it is text; --json")
    return form


def read_task(task: TaskOptions, name: str) -> "Task":
    """The task of a command. Raises `GradcliError`."""
    if task.task is None:
        raise usage_error("the task is missing", f"as in: gradcli {name} task.grad")
    return task.read()
