"""What the commands of homework share: the task, and how it is marked."""

from functools import partial
from typing import TYPE_CHECKING, Literal

from gradcli.cli.command import Options
from gradcli.cli.options import InputOptions
from gradcli.cli.parameters import option
from gradcli.diagnostics.failures import usage_error

if TYPE_CHECKING:
    from gradcli.grading.marking.expected import Scheme
    from gradcli.grading.model.task import Task

in_task = partial(option, group="Task")
in_marking = partial(option, group="Marking")


class TaskOptions(InputOptions):
    """A program with its point, as homework."""

    task: str | None = in_task("TASK", "a program file with its '#:' lines, or a program's text")
    file: str | None = in_task("--file FILE", "read the task from a file")

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

    carried: Literal["1", "0.5", "0"] = in_marking(
        "--carried 1|0.5|0",
        "share of its marks that right work on a wrong number earns",
        default="1",
    )
    rtol: float | None = in_marking(
        "--rtol R",
        "relative tolerance; without it 1e-2 for numbers of few digits, else 1e-6",
        min=0,
        max=1,
    )
    digits: int = in_marking(
        "--digits N",
        "compare at least this many significant digits",
        default=2,
        min=1,
        max=15,
    )
    eta: float | None = in_marking(
        "--eta RATE", "the learning rate: look for weights updated too early"
    )
    points: float | None = in_marking(
        "--points N",
        "the marks for the whole task; without it, one mark per row",
        min=0.01,
        max=1e6,
    )
    seconds: float = in_marking(
        "--time-limit SECONDS",
        "for each submission, including the time to name its mistakes",
        default=10.0,
        min=0.1,
        max=3600,
    )

    def scheme(self) -> "Scheme":
        """The scheme of marking."""
        from gradcli.grading.marking.expected import Scheme
        from gradcli.grading.model.tolerance import Tolerance

        if self.points is not None and not self.points > 0:
            raise usage_error("--points is a number", "as in: --points 10")
        tolerance = Tolerance(self.rtol, self.digits)
        return Scheme(tolerance, float(self.carried), self.eta, self.points)
