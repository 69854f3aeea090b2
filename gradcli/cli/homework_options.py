"""What the commands of homework share: the task, and how it is marked."""

from typing import TYPE_CHECKING, Annotated, Literal

from gradcli.cli.command import Options
from gradcli.cli.options import InputOptions
from gradcli.cli.parameters import argument, option
from gradcli.diagnostics.failures import usage_error

if TYPE_CHECKING:
    from gradcli.grading.marking.expected import Scheme
    from gradcli.grading.model.task import Task

TASK, MARKING = "Task", "Marking"


class TaskOptions(InputOptions):
    """A program with its point, as homework."""

    task: Annotated[
        str | None,
        argument(
            metavar="TASK",
            help="a program file with its '#:' lines, or a program's text",
            group=TASK,
        ),
    ] = None
    file: Annotated[
        str | None, option("--file", metavar="FILE", help="read the task from a file", group=TASK)
    ] = None

    def pushed_along(self) -> str | None:
        """The first argument, where `--file` has the task: it belongs to what comes next."""
        if self.file is None:
            return None
        word, self.task = self.task, None
        return word

    def read(self, command: str) -> "Task":
        """The task, evaluated. Raises `GradcliError`."""
        if self.task is None and self.file is None:
            raise usage_error("the task is missing", f"as in: gradcli {command}")
        from gradcli.cli.inputs import expect_one_reader, read_program
        from gradcli.grading.model.task import make_task

        expect_one_reader(self.data, "the task", self.task, self.file)
        point = self.point_of(read_program(self.task, self.file, None, self.environment))
        return make_task(
            point.program, point.inputs, data=point.data, wrt=point.wrt, seed=self.seed
        )


class MarkingOptions(Options):
    """How a submission is marked."""

    carried: Annotated[
        Literal["1", "0.5", "0"],
        option(
            "--carried",
            metavar="1|0.5|0",
            help="share of its marks that right work on a wrong number earns",
            show_default=True,
            group=MARKING,
        ),
    ] = "1"
    rtol: Annotated[
        float | None,
        option(
            "--rtol",
            metavar="R",
            min=0,
            max=1,
            help="relative tolerance; without it 1e-2 for numbers of few digits, else 1e-6",
            group=MARKING,
        ),
    ] = None
    digits: Annotated[
        int,
        option(
            "--digits",
            metavar="N",
            min=1,
            max=15,
            help="compare at least this many significant digits",
            show_default=True,
            group=MARKING,
        ),
    ] = 2
    eta: Annotated[
        float | None,
        option(
            "--eta",
            metavar="RATE",
            help="the learning rate: look for weights updated too early",
            group=MARKING,
        ),
    ] = None

    points: Annotated[
        float | None,
        option(
            "--points",
            metavar="N",
            min=0.01,
            max=1e6,
            help="the marks for the whole task; without it, one mark per row",
            group=MARKING,
        ),
    ] = None

    seconds: Annotated[
        float,
        option(
            "--time-limit",
            metavar="SECONDS",
            min=0.1,
            max=3600,
            help="for each submission, including the time to name its mistakes",
            show_default=True,
            group=MARKING,
        ),
    ] = 10.0

    def scheme(self) -> "Scheme":
        """The scheme of marking."""
        from gradcli.grading.marking.expected import Scheme
        from gradcli.grading.model.tolerance import Tolerance

        if self.points is not None and not self.points > 0:
            raise usage_error("--points is a number", "as in: --points 10")
        tolerance = Tolerance(self.rtol, self.digits)
        return Scheme(tolerance, float(self.carried), self.eta, self.points)
