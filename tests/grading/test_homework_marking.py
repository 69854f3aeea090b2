"""Marking: what is right, what follows, what is wrong, and by which mistake."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pytest
from schemas import schema

from gradcli import Program
from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.diagnostics.error import GradcliError
from gradcli.grading.marking.expected import Scheme
from gradcli.grading.marking.mark import mark
from gradcli.grading.marking.result import Marked, Status
from gradcli.grading.model.task import Task, make_task
from gradcli.grading.model.tolerance import Tolerance
from gradcli.grading.submission.read import read_text

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

DOCS = Path(__file__).parents[2] / "docs"

TUTORIAL = """\
import numpy as np
a = 1.0 / (1 + np.exp(-y))
b = x + a
c = x**2
d = c + y
e = 1.0 / d
f = b * e
delta_b = e
delta_e = b
delta_d = delta_e * (-1.0 / d**2)
delta_y = delta_d
delta_c = delta_d
delta_x = delta_c * 2 * x
delta_x += delta_b
delta_a = delta_b
delta_y += delta_a * (1 - a) * a
"""

NETWORK = """\
#: X = [[1, 2], [0.5, -1], [2, 0.3], [-1, 0.4]]
#: Y = [[1], [0], [1], [0]]
#: W1 = [[0.1, 0.2, -0.3], [0.4, -0.5, 0.6]]
#: b1 = [0.1, -0.2, 0.3]
#: W2 = [[0.7], [-0.8], [0.9]]
#: b2 = [0.05]
Z1 = X @ W1 + b1
A1 = tanh(Z1)
Z2 = A1 @ W2 + b2
A2 = sigmoid(Z2)
J = sum((Y - A2)^2)
"""

NETWORK_LISTING = """\
Z1 = X @ W1 + b1
A1 = np.tanh(Z1)
Z2 = A1 @ W2 + b2
A2 = 1/(1+np.exp(-Z2))
J = np.sum((Y - A2)**2)
dA2 = -2*(Y - A2)
dZ2 = dA2 * A2*(1-A2)
dW2 = A1.T @ dZ2
db2 = dZ2.sum(axis=0)
dA1 = dZ2 @ W2.T
dZ1 = dA1 * (1 - A1**2)
dW1 = X.T @ dZ1
db1 = dZ1.sum(axis=0)
"""


@pytest.fixture(scope="module")
def tutorial() -> Task:
    return make_task(Program("(x + sigmoid(y)) / (x^2 + y)"), {"x": 3, "y": -4})


@pytest.fixture(scope="module")
def network() -> Task:
    return make_task(Program(NETWORK), wrt=("W1", "b1", "W2", "b2"))


def marked(task: Task, text: str, suffix: str = ".py", scheme: Scheme | None = None) -> Marked:
    return mark(task, read_text(text, f"answer{suffix}", task.vocabulary, suffix), scheme)


def found(result: Marked) -> dict[str, tuple[str, ...]]:
    return {row.name: row.tags for row in result.roots}


def test_the_tutorials_own_listing_is_right(tutorial: Task) -> None:
    result = marked(tutorial, TUTORIAL)
    assert result.right
    assert (result.score, result.max_score) == (2, 2)


def test_an_overwritten_fork_is_named_at_its_line(tutorial: Task) -> None:
    result = marked(tutorial, TUTORIAL.replace("delta_x += delta_b", "delta_x = delta_b"))
    (root,) = result.roots
    assert (root.name, root.tags, root.line) == ("x", ("overwritten",), 14)
    assert (result.score, result.max_score) == (1, 2)


def test_what_follows_from_a_mistake_keeps_its_marks(tutorial: Task) -> None:
    text = TUTORIAL.replace("(-1.0 / d**2)", "(1.0 / d**2)")
    result = marked(tutorial, text)
    assert found(result) == {"d": ("sign",)}
    statuses = {row.name: row.status for row in result.rows if row.kind == "gradient"}
    assert statuses["x"] == statuses["y"] == statuses["c"] == Status.CARRIED
    assert result.roots[0].follow == 3
    assert marked(tutorial, text, scheme=Scheme(carried=0.75)).score == 0.5


def test_a_right_number_that_does_not_follow_is_inconsistent(tutorial: Task) -> None:
    text = TUTORIAL.replace("(-1.0 / d**2)", "(1.0 / d**2)")
    result = marked(tutorial, text.replace("delta_c = delta_d", "delta_c = -0.12071944839848"))
    assert {r.name: r.status for r in result.roots}["c"] == Status.INCONSISTENT


def test_an_own_staging_is_judged_on_itself(tutorial: Task) -> None:
    text = """\
top = x + 1/(1 + np.exp(-y))
out = top / (x**2 + y)
q = x*x + y
dtop = 1/q
dq = -top/q**2
dx = dtop + dq*2*x
s = 1/(1 + np.exp(-y))
dy = dtop*s*(1 - s) + dq
"""
    text = text.replace("out = top / (x**2 + y)\nq = x*x + y", "q = x*x + y\nout = top / q")
    assert marked(tutorial, text).right


@pytest.mark.parametrize(
    ("right", "wrong", "row", "tags"),
    [
        ("dZ1.sum(axis=0)", "dZ1", "b1", {"not-summed"}),
        ("dZ1.sum(axis=0)", "dZ1.mean(axis=0)", "b1", {"mean-for-sum", "factor"}),
        ("dZ1.sum(axis=0)", "dZ1.sum(axis=0, keepdims=True)", "b1", {"shape"}),
        ("dW1 = X.T @ dZ1", "dW1 = dZ1.T @ X", "W1", {"transpose"}),
        ("dZ2 @ W2.T", "dZ2 @ W2", "A1", {"transpose"}),
        ("A1.T @ dZ2", "A1 @ dZ2", "W2", {"transpose"}),
        ("dA1 * (1 - A1**2)", "dA1 * (1 - Z1**2)", "Z1", {"wrong-place"}),
        ("dA1 * (1 - A1**2)", "dA1", "Z1", {"missing-local"}),
        ("dA2 * A2*(1-A2)", "A2*(1-A2)", "Z2", {"missing-upstream"}),
        ("dZ1 = dA1", "dZ1 = -dA1", "Z1", {"sign"}),
        (
            "dA1 = dZ2 @ W2.T",
            "W2 = W2 - 0.1*dW2\ndA1 = dZ2 @ W2.T",
            "A1",
            {"updated-weights"},
        ),
    ],
)
def test_mistakes_with_arrays(
    network: Task, right: str, wrong: str, row: str, tags: set[str]
) -> None:
    assert marked(network, NETWORK_LISTING).right
    result = marked(network, NETWORK_LISTING.replace(right, wrong))
    (root,) = result.roots
    assert (root.name, set(root.tags)) == (row, tags)


def test_sizes_are_numbers(network: Task) -> None:
    text = "N = X.shape[0]\n" + NETWORK_LISTING.replace(
        "db1 = dZ1.sum(axis=0)", "db1 = np.zeros(b1.shape)\ndb1 += dZ1.mean(axis=0)*len(X)*Y.size/N"
    )
    assert marked(network, text).right


def test_a_forward_slip_is_a_root_and_the_rest_follows(network: Task) -> None:
    result = marked(network, NETWORK_LISTING.replace("Z2 = A1 @ W2 + b2", "Z2 = A1 @ W2 - b2"))
    (slip, *others) = result.roots
    assert (slip.name, slip.kind, slip.tags, slip.line) == ("Z2", "value", ("forward-slip",), 3)
    assert [row.name for row in others] == ["b2"]  # judged on z = a - b, which is what they wrote


def test_names_given_twice_are_two_variables() -> None:
    program = "h1 = tanh(W @ h0 + U @ x1)\nh2 = tanh(W @ h1 + U @ x2)\nJ = ||h2||^2"
    rng = np.random.default_rng(1)
    point = {"W": rng.normal(size=(2, 2)), "U": rng.normal(size=(2, 2))}
    point |= {name: rng.normal(size=2) for name in ("h0", "x1", "x2")}
    text = """\
h = h0
z = W @ h + U @ x1
h = np.tanh(z)
first = h
z = W @ h + U @ x2
h = np.tanh(z)
J = np.sum(h**2)
delta_h = 2*h
delta_z = delta_h * (1 - h**2)
delta_W = np.outer(delta_z, first)
delta_U = np.outer(delta_z, x2)
delta_x2 = U.T @ delta_z
delta_h = W.T @ delta_z
delta_z = delta_h * (1 - first**2)
delta_W += np.outer(delta_z, h0)
delta_U += np.outer(delta_z, x1)
delta_x1 = U.T @ delta_z
delta_h0 = W.T @ delta_z
"""
    task = make_task(Program(program), point)
    assert marked(task, text).right
    wrong = text.replace("delta_W += np", "delta_W = np")
    assert found(marked(task, wrong)) == {"W": ("overwritten",)}


@pytest.mark.parametrize(("given", "score"), [("2", 2), ("0", 2), ("1", 1), ("nan", 1)])
def test_both_sides_of_a_kink_are_accepted(given: str, score: int) -> None:
    task = make_task(Program("relu(x)*y"), {"x": 0, "y": 2})
    result = marked(task, f"x,{given}\ny,0\n", ".csv")
    assert result.score == score


def test_a_consumer_that_sends_several_arrays_is_searched_for_mistakes() -> None:
    task = make_task(
        Program("#: X = [[1, 2], [3, 5], [4, 1]]\nm = mean(X, axis=0)\nJ = sum((X - m)^2)")
    )
    result = marked(task, "m = X.mean(axis=0)\nc = X - m\nJ = np.sum(c*c)\ndelta_X = 7*X\n")
    assert found(result) == {"X": ()}


@pytest.mark.parametrize(
    ("line", "tag"),
    [
        ("delta_b = delta_z", "not-summed"),
        ("delta_b = delta_z @ X.T", "bias-used-input"),
        ("delta_b = np.mean(delta_z, axis=1)", "mean-for-sum"),
    ],
)
def test_a_bias_that_is_made_a_column(line: str, tag: str) -> None:
    program = """\
#: W = [[1, 2], [0.5, -1], [2, 0.3]]
#: X = [[0.3, 0.1, 0.7, 0.2], [1, 2, 3, 5]]
#: b = [0.1, 0.2, 0.3]
z = W @ X + col(b)
J = sum(z^2)
"""
    answer = f"""\
z = W @ X + b[:, None]
J = np.sum(z**2)
delta_z = 2*z
{line}
"""
    task = make_task(Program(program), wrt=("b",))
    assert tag in found(marked(task, answer))["b"]
    assert not found(marked(task, answer.replace(line, "delta_b = delta_z.sum(axis=1)")))


def test_a_pass_that_starts_from_two_is_named_at_its_start(tutorial: Task) -> None:
    result = marked(
        tutorial, TUTORIAL.replace("delta_b = e\n", "delta_f = 2\ndelta_b = delta_f*e\n")
    )
    assert found(result)["f"] == ("factor",)
    values = marked(tutorial, "delta_f,2\nx,-1.048633380781804\ny,-0.234373814311651\n", ".csv")
    assert found(values) == {"f": ("not-zeroed", "factor")}


def test_all_gradients_negated_is_a_note(tutorial: Task) -> None:
    result = marked(tutorial, "dx,0.524317\ndy,0.117187\n", ".csv")
    assert result.right
    assert [note.tag for note in result.notes] == ["descent-convention"]


@pytest.mark.parametrize("digits", [4, 6, 10, 17])
def test_rounded_values_are_right(tutorial: Task, digits: int) -> None:
    values = {
        n.name: v for n, v in zip(tutorial.result.graph.nodes, tutorial.result.values, strict=True)
    }
    numbers = {name: float(values[name]) for name in "abcdef"}
    deltas = zip(tutorial.result.graph.nodes, tutorial.result.accumulators, strict=True)
    numbers |= {f"delta_{n.name}": float(d) for n, d in deltas}
    rounded = {name: float(f"{number:.{digits}g}") for name, number in numbers.items()}
    result = marked(tutorial, json.dumps(rounded), ".json")
    assert result.right
    assert result.score == result.max_score == 2
    assert len(result.rows) == 14


def test_a_mistake_behind_final_gradients_is_found(tutorial: Task) -> None:
    flow = tutorial.flow
    follows = flow.passes({"d": -flow.passes({})[0]["d"]})[0]
    text = f"dx,{float(follows['x']):.8g}\ndy,{float(follows['y']):.8g}\n"
    result = marked(tutorial, text, ".csv")
    assert all("sign" in row.tags for row in result.roots)
    assert result.mode == "gradients"


def test_two_mistakes_in_one_row_are_both_named(tutorial: Task) -> None:
    text = TUTORIAL.replace("delta_c * 2 * x", "delta_c * x").replace(
        "delta_x += delta_b", "delta_x += 1"
    )
    (root,) = marked(tutorial, text).roots
    assert set(root.tags) == {"wrong-rule", "missing-upstream"}
    assert root.line == 13


def test_too_few_digits_are_called_that(tutorial: Task) -> None:
    (root,) = marked(tutorial, "dx,-0.524317\ndy,-0.1\n", ".csv").roots
    assert "too few digits" in root.message


def test_missing_gradients_are_asked_for(tutorial: Task) -> None:
    result = marked(tutorial, "dx,-0.524317\n", ".csv")
    assert [(row.name, row.status) for row in result.roots] == [("y", Status.MISSING)]


def test_digits_bound_the_tolerance(tutorial: Task) -> None:
    assert {r.name for r in marked(tutorial, "dx,-0.5\ndy,-0.1\n", ".csv").roots} == {"x", "y"}
    text = "dx,-0.524\ndy,-0.117\n"
    assert marked(tutorial, text, ".csv").right
    strict = marked(tutorial, text, ".csv", Scheme(Tolerance(digits=4)))
    assert {row.name for row in strict.roots} == {"x", "y"}


def test_what_explodes_is_refused(tutorial: Task) -> None:
    for text in ("a = 9**9**9", "a = np.zeros(10**9)", "a = np.eye(10**5)", "a = 10**400"):
        with pytest.raises(GradcliError) as error:
            marked(tutorial, text)
        assert error.value.exit_code == 5


def run_grade(*words: str, stdin: bytes = b"") -> tuple[int, str, str]:
    environment = Environment.captured(stdin)
    code = run(["grade", *words], environment)
    return code, *environment.written()


class TestCommand:
    program = ("(x + sigmoid(y)) / (x^2 + y)", "--x", "3", "--y", "-4")

    def test_report(self, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
        file = tmp_path / "answer.py"
        file.write_text(TUTORIAL.replace("delta_x += delta_b", "delta_x = delta_b"))
        code, out, err = run_grade(*self.program, str(file), "--reveal")
        assert (code, err) == (4, "")
        assert out == snapshot

    def test_json_fits_its_schema(self, tmp_path: Path) -> None:
        file = tmp_path / "answer.py"
        for text in (TUTORIAL, "delta_x = np.log(x - 9)\n", "delta_x = [1, 2]\n"):
            file.write_text(text)
            _, out, _ = run_grade(*self.program, str(file), "--json")
            schema("grade").validate(json.loads(out))

    def test_several_submissions_have_the_gravest_code(self, tmp_path: Path) -> None:
        good, wrong, bad = (tmp_path / f"{name}.py" for name in ("good", "wrong", "bad"))
        good.write_text(TUTORIAL)
        wrong.write_text("delta_x = 1\n")
        bad.write_text("for i in x:\n    pass\n")
        assert run_grade(*self.program, str(good))[0] == 0
        assert run_grade(*self.program, str(good), str(wrong))[0] == 4
        code, out, err = run_grade(*self.program, str(bad), str(wrong), str(good))
        assert code == 5
        assert "a loop goes through a list, a range or an array, not a number" in err
        assert out.count("score") == 2

    def test_standard_input_and_a_task_with_marks(self, tmp_path: Path) -> None:
        task = tmp_path / "task.grad"
        task.write_text("#: x = 3\n#: y = -4\n#: marks x = 2\n(x + sigmoid(y)) / (x^2 + y)\n")
        code, out, _ = run_grade(str(task), "-", stdin=TUTORIAL.encode())
        assert (code, out) == (0, "score 3 / 3\n")

    def test_a_sheet_of_ones_own_is_marked_by_its_point(self, tmp_path: Path) -> None:
        environment = Environment.captured()
        assert run(["sheet", *self.program, "--for", "anna", "--answers"], environment) == 0
        sheet = tmp_path / "anna.txt"
        sheet.write_text(environment.written()[0], encoding="utf-8")
        code, out, _ = run_grade(*self.program, str(sheet), "--for", "anna")
        assert code == 0, out
        assert run_grade(*self.program, str(sheet))[0] == 4

    def test_gradescope_writes_its_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("answer.py").write_text("while True: pass\n")
        code, _, _ = run_grade(*self.program, "answer.py", "--format", "gradescope")
        written = json.loads(Path("results.json").read_text("utf-8"))
        assert (code, written["score"]) == (0, 0)
        assert "line 1: reading this program takes more than" in written["output"]


@pytest.mark.parametrize(
    "text", ["dx = -0.5243166904", "dx = -0.5243166904\ndy = 3", "a = 1/(1 + np.exp(-y))\ndx = 3"]
)
def test_points_for_everything_are_the_same_whatever_is_handed_in(
    tutorial: Task, text: str
) -> None:
    plain = marked(tutorial, text)
    out_of = marked(tutorial, text, scheme=Scheme(points=10))
    assert out_of.max_score == 10
    assert out_of.score == pytest.approx(10 * plain.score / plain.max_score)
    assert [row.status for row in out_of.rows] == [row.status for row in plain.rows]


def test_the_same_is_asked_of_all(tutorial: Task) -> None:
    """Whatever is handed in: the most is what is asked, and a root costs one mark, not below 0."""
    random = Random(5)  # noqa: S311
    lines = TUTORIAL.splitlines()[1:]
    slips = ("w = 3", "w = 1/0", "delta_q = 7", "delta_a = 0.7", "u = x + y", "delta_x += 1")
    schemes = itertools.cycle((Scheme(), Scheme(points=10), Scheme(carried=0.5)))
    for scheme in itertools.islice(schemes, 40):
        kept = [line for line in lines if random.random() < 0.9 or "delta" not in line]
        for slip in random.sample(slips, random.randrange(3)):
            kept.insert(random.randrange(len(kept) + 1), slip)
        found = marked(tutorial, "\n".join(kept), scheme=scheme)
        each = 5 if scheme.points else 1
        assert found.max_score == 2 * each, kept
        share = {Status.OK: 1.0, Status.CARRIED: scheme.carried}
        own = [r for r in found.rows if r.kind == "gradient" and r.name in "xy"]
        others = [r for r in found.rows if r not in own and r.status is Status.WRONG]
        earned = each * (sum(share.get(r.status, 0) for r in own) - len(others))
        assert found.score == max(0, earned), kept


def test_named_nodes_are_asked_for_in_a_sheet_of_values() -> None:
    task = make_task(Program("#: x = 2\n#: marks a = 3\na = x^2; b = sin(a); f = a*b"))
    whole = marked(task, "delta_a,-3.3714\ndelta_b,4\ndelta_x,-13.486\n", ".csv")
    assert (whole.right, whole.score, whole.max_score) == (True, 5, 5)
    missing = marked(task, "delta_b,4\ndelta_x,-13.486\nf,5\n", ".csv")
    assert (missing.score, missing.max_score) == (1, 5)
    only = marked(task, "delta_x,-13.486\n", ".csv")
    assert (only.score, only.max_score) == (1, 1)
    slip = marked(task, "a = x**2\nda = 5\ndx = da*2*x\n", ".py")
    assert (slip.score, slip.max_score) == (0, 1)


# --- lines that can't be computed --------------------------------------------------------

IMPOSSIBLE = (
    "1/0", "np.log(0)", "np.sqrt(-1)", "np.log(x - x)", "np.arcsin(2 + x*x)", "9**9**9", "0/0",
    "np.exp(1000*x*x)", "foo(x)", "np.frobnicate(x)", "math.gamma_of(2)", "undefined*2",
    "np.array([1, 2])[5]", "x[0]", "np.array([1, 2]) + np.array([1, 2, 3])",
    "np.zeros((2, 3)) @ np.zeros((2, 3))",
    "np.linalg.inv(np.array([[1, 2], [2, 4]]))",
)  # fmt: skip


def test_a_line_that_can_not_be_computed_costs_one_mark(tutorial: Task) -> None:
    """Put in anywhere, it is one wrong row, and all others keep their marks."""
    lines = TUTORIAL.splitlines()[1:]
    whole = marked(tutorial, TUTORIAL)
    assert whole.right
    places = itertools.cycle(range(len(lines) + 1))
    for expression, place in itertools.product(IMPOSSIBLE, range(3)):
        at = (next(places) + 5 * place) % (len(lines) + 1)
        text = "\n".join([*lines[:at], f"w = {expression}", *lines[at:]])
        found = marked(tutorial, text)
        (root,) = found.roots
        assert (root.name, root.line, root.status) == ("w", at + 1, Status.WRONG), text
        assert root.message
        assert not found.notes
        others = [(r.name, r.kind, r.status) for r in found.rows if r is not root]
        assert others == [(r.name, r.kind, r.status) for r in whole.rows], text
        assert (found.score, found.max_score) == (whole.score - 1, whole.max_score)


@pytest.mark.parametrize("line", range(15))
def test_what_is_made_of_it_is_judged_by_what_is_right(tutorial: Task, line: int) -> None:
    """In the place of any line it costs that line's row: what is below is right work."""
    lines = TUTORIAL.splitlines()[1:]
    target, symbol, _ = lines[line].split(" ", 2)
    for expression in IMPOSSIBLE[line % 3 :: 3]:
        text = "\n".join([*lines[:line], f"{target} {symbol} {expression}", *lines[line + 1 :]])
        found = marked(tutorial, text)
        assert [row.name for row in found.roots] == [target.removeprefix("delta_")], text
        assert found.max_score - found.score == 1, text


def test_where_nothing_can_be_computed_there_are_no_marks(tutorial: Task) -> None:
    """Then it is said what is missing."""
    with pytest.raises(GradcliError, match="line 1: 'foo' has no value here") as caught:
        marked(tutorial, "dx = foo(x)\ndy = dx*2\n")
    assert caught.value.exit_code == 5
