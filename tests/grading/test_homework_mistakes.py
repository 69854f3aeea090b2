"""For every mistake of the table: submissions for which it must be named, and nothing else."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

import gradcli
from gradcli.grading.graded import graded
from gradcli.grading.marking.expected import Scheme
from gradcli.grading.marking.mark import mark
from gradcli.grading.marking.result import Marked, Status
from gradcli.grading.mistakes.table import MISTAKES
from gradcli.grading.model.deadline import NEVER
from gradcli.grading.model.task import Task, make_task
from gradcli.grading.submission.read import read_submission

FOLDER = Path(__file__).parents[1] / "homework" / "mistakes"
INDEX: dict[str, dict[str, Any]] = tomllib.loads((FOLDER / "index.toml").read_text("utf-8"))


def task(name: str) -> Task:
    return make_task(gradcli.Program((FOLDER / name).read_text("utf-8"), name=name))


def marked(name: str) -> Marked:
    entry = INDEX[name]
    of = task(entry["task"])
    submission = read_submission(FOLDER / name, name, of.vocabulary)
    return mark(of, submission, Scheme(eta=entry.get("eta")))


@pytest.mark.parametrize("name", INDEX)
def test_the_mistake_is_named_and_no_other(name: str) -> None:
    entry, found = INDEX[name], marked(name)
    wrong = [row for row in found.rows if row.status is Status.WRONG]
    assert sorted(row.name for row in wrong) == sorted(entry["rows"])
    for row in wrong:
        assert list(row.tags) == entry["tags"]
        assert row.message
    assert [note.tag for note in found.notes] == entry.get("notes", [])


@pytest.mark.parametrize("name", [n for n in INDEX if n.endswith(".py")])
def test_the_command_says_the_same(name: str) -> None:
    """`grade` looks at code in more ways than one; none of them hides a mistake."""
    entry = INDEX[name]
    scheme = Scheme(eta=entry.get("eta"))
    found = graded(task(entry["task"]), FOLDER / name, name, scheme, NEVER)
    assert [row.tags for row in found.roots] == [tuple(entry["tags"])] * len(entry["rows"])


@pytest.mark.parametrize("name", INDEX)
def test_what_follows_keeps_its_marks(name: str) -> None:
    """One mistake costs one mark, but for what can no longer be told."""
    found = marked(name)
    lost = found.max_score - found.score
    assert lost == len(INDEX[name]["rows"])
    assert {r.status for r in found.rows} <= {Status.OK, Status.CARRIED, Status.WRONG}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.tag)
def test_every_mistake_has_a_submission(mistake: Any) -> None:
    named = {tag for entry in INDEX.values() for tag in (*entry["tags"], *entry.get("notes", []))}
    assert mistake.tag in named


def test_every_file_is_in_the_index() -> None:
    files = {file.name for file in FOLDER.iterdir() if file.suffix not in (".grad", ".toml")}
    assert files == set(INDEX)


@pytest.mark.parametrize("name", [n for n in INDEX if n.endswith(".py")])
def test_the_line_at_fault_is_one_of_the_row(name: str) -> None:
    for row in marked(name).roots:
        assert row.line is not None
        assert (FOLDER / name).read_text("utf-8").split("\n")[row.line - 1] == row.text
