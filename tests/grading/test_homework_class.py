"""`gradcli class`: every submission gets a row, whatever it is."""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hostile_marking import DIES, FAILS, GROWS, HANGS, Hostile
from schemas import schema

from gradcli.cli import folder as folders
from gradcli.cli import workers
from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.grading.exercise.classroom import (
    Mark,
    Marker,
    Setting,
    Standing,
    Submitted,
    tally,
)
from gradcli.grading.marking.expected import Scheme
from gradcli.grading.marking.result import Note
from gradcli.grading.model.task import make_task
from gradcli.program import Program
from gradcli.report import Style
from gradcli.report.homework.classroom import csv_text, harmless, pieces

ROOT = Path(__file__).parents[2]
TASK = "#: x = 3\n#: y = -4\n#: marks x = 2\n(x + sigmoid(y)) / (x^2 + y)\n"
RIGHT = """\
a = 1 / (1 + np.exp(-y))
b = x + a
c = x**2
d = c + y
e = 1 / d
f = b * e
delta_b = e
delta_e = b
delta_d = delta_e * -1 / d**2
delta_c = delta_d
delta_y = delta_d
delta_x = delta_c * 2 * x
delta_x += delta_b
delta_a = delta_b
delta_y += delta_a * a * (1 - a)
"""
OVERWRITTEN = RIGHT.replace("delta_x += ", "delta_x = ")
SIGN = RIGHT.replace("* -1 / d**2", "/ d**2")


def gradcli(*words: str, **outside: Any) -> tuple[int, str, str]:
    environment = Environment.captured(**outside)
    return run(words, environment), *environment.written()


def rows(text: str) -> dict[str, dict[str, str]]:
    return {row["file"]: row for row in csv.DictReader(io.StringIO(text))}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "task.grad").write_text(TASK)
    (tmp_path / "in").mkdir()
    return tmp_path


def marked(work: Path, *words: str) -> dict[str, dict[str, str]]:
    out = work / "marks.csv"
    code, _, err = gradcli("class", str(work / "task.grad"), str(work / "in"), "--out", str(out),
                           *words)  # fmt: skip
    assert (code, err) == (0, "")
    return rows(out.read_text(encoding="utf-8"))


def setting(folder: Path, *, hostile: bool = False) -> Setting:
    scheme = Scheme(Hostile()) if hostile else Scheme()
    return Setting.of(make_task(Program(TASK)), scheme, str(folder), own_points=False)


class TestMarks:
    def test_a_class(self, work: Path) -> None:
        (work / "in" / "anna.py").write_text(RIGHT)
        (work / "in" / "bob.py").write_text(OVERWRITTEN)
        (work / "in" / "carl").mkdir()
        (work / "in" / "carl" / "answer.py").write_text(SIGN)
        (work / "in" / "dora.csv").write_text("dx,-0.524\ndy,-0.117\n")
        (work / "in" / "emil.py").write_text("for i in range(3)\n    pass\n")
        found = marked(work)
        assert list(found) == ["anna.py", "bob.py", "carl/answer.py", "dora.csv", "emil.py"]
        anna, bob, carl, dora, emil = found.values()
        assert (anna["status"], anna["score"], anna["mistake"]) == ("ok", anna["max_score"], "")
        assert (bob["status"], bob["mistake"], bob["line"]) == ("wrong", "overwritten", "13")
        assert float(bob["max_score"]) - float(bob["score"]) == 2  # x is worth two
        assert (carl["student"], carl["mistake"], carl["line"]) == ("carl", "sign", "9")
        assert (dora["score"], dora["max_score"]) == ("3", "3")
        assert (emil["status"], emil["score"]) == ("unreadable", "")
        assert emil["reason"].startswith("line 1: ")

    def test_the_number_of_processes_and_the_order_change_nothing(self, work: Path) -> None:
        for i in range(7):
            text = (RIGHT, OVERWRITTEN, SIGN, "%PDF")[i % 4]
            (work / "in" / f"s{i}.py").write_text(text)
        files = ("class", str(work / "task.grad"), str(work / "in"), "--json")
        outs = {gradcli(*files, "--jobs", jobs) for jobs in ("1", "3")}
        assert len(outs) == 1
        found = json.loads(outs.pop()[1])
        schema("class").validate(found)
        assert [m["count"] for m in found["mistakes"]] == [2, 2]
        assert [m["tags"] for m in found["mistakes"]] == [["overwritten"], ["sign"]]

    def test_own_points(self, work: Path) -> None:
        task = str(work / "task.grad")
        for student in ("anna", "bob"):
            sheet = gradcli("sheet", task, "--for", student, "--answers")[1]
            (work / "in" / f"{student}.txt").write_text(sheet, encoding="utf-8")
        sheet = gradcli("sheet", task, "--for", "anna", "--answers")[1]
        (work / "in" / "copycat.txt").write_text(sheet, encoding="utf-8")
        found = {row["student"]: row for row in marked(work, "--own-points").values()}
        assert found["anna"]["status"] == found["bob"]["status"] == "ok"
        assert found["copycat"]["status"] != "ok"

    def test_a_scheme(self, work: Path) -> None:
        (work / "in" / "bob.py").write_text(SIGN)
        full = float(marked(work)["bob.py"]["score"])
        none = float(marked(work, "--carried", "0")["bob.py"]["score"])
        assert none < full


HOSTILE = {
    "null.py": b"\0\0\0",
    "large.py": b"x" * 3_000_000,
    "power.py": b"x = 9**9**9**9\n",
    "zeros.py": b"a = np.zeros(10**9)\n",
    "ones.py": b"q = np.ones((30000, 30000))\ndelta_x = np.sum(q)\n",
    "brackets.py": b"delta_x = " + b"(" * 50_000 + b"1" + b")" * 50_000,
    "brackets.json": b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "note.ipynb": b"{",
    "empty.py": b"",
    "picture.py": b"\x89PNG\r\n",
    "latin.csv": "größe,1\n".encode("latin-1"),
}


class TestHostile:
    def test_each_has_a_row_with_a_reason(self, work: Path) -> None:
        for name, content in HOSTILE.items():
            (work / "in" / name).write_bytes(content)
        (work / "in" / "zoe.py").write_text(RIGHT)
        found = marked(work, "--jobs", "1")
        assert found.pop("zoe.py")["status"] == "ok"
        assert found.keys() == HOSTILE.keys()
        for row in found.values():
            assert row["status"] in ("unreadable", "stopped")
            assert row["reason"]
            assert "gradcli itself" not in row["reason"]
            assert "\n" not in row["reason"]

    def test_what_ends_a_process(self, tmp_path: Path) -> None:
        """The clock, a crash, memory: the next submissions are marked all the same."""
        numbers = {"a": HANGS, "b": -0.5243, "c": DIES, "d": FAILS, "e": GROWS, "f": -0.5243}
        for name, number in numbers.items():
            (tmp_path / f"{name}.csv").write_text(f"dx,{number}\ndy,-0.1172\n")
        if sys.platform == "darwin":  # where nothing limits memory, and swapping takes long
            del numbers["e"]
            (tmp_path / "e.csv").unlink()
        submissions, refused = folders.found(str(tmp_path), [])
        assert refused == []
        found = {
            mark.student: mark
            for mark in workers.marks(setting(tmp_path, hostile=True), submissions, 2, 3.0)
        }
        assert found.keys() == numbers.keys()
        assert found["a"].reason == "it takes more than 3 seconds"
        assert found["b"].standing == found["f"].standing == Standing.OK
        assert "ended its process" in found["c"].reason
        assert "KeyError" in found["d"].reason
        if "e" in numbers:
            assert "memory" in found["e"].reason
        for name in found.keys() & {"a", "c", "e"}:
            assert found[name].standing is Standing.STOPPED

    @pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the threads")
    def test_a_process_has_one_thread_for_its_products(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in workers.ONE_THREAD:
            monkeypatch.delenv(name, raising=False)
        for name in "ab":
            (tmp_path / f"{name}.csv").write_text("dx,-0.5243\n")
        submissions, _ = folders.found(str(tmp_path), [])
        coming = workers.marks(setting(tmp_path), submissions, 1, 60.0)
        next(coming)
        (process,) = multiprocessing.active_children()
        threads = list(Path(f"/proc/{process.pid}/task").iterdir())
        assert len(threads) == 2  # besides the main one, that which waits for the parent's end
        assert workers.ONE_THREAD[0] not in os.environ
        assert len(list(coming)) == 1

    def test_a_process_that_never_starts(self, tmp_path: Path) -> None:
        """The task itself can't be marked: that is an error, not a class of failures."""
        (tmp_path / "a.csv").write_text("dx,1\n")
        submissions, _ = folders.found(str(tmp_path), [])
        broken = Setting(Program("x + y"), {}, (), Scheme(), str(tmp_path), own_points=False)
        with pytest.raises(OSError, match="ended at once"):
            list(workers.marks(broken, submissions, 1, 3.0))


class TestFolder:
    def found(self, folder: Path, *others: str) -> tuple[list[str], list[Mark]]:
        submissions, refused = folders.found(str(folder), others)
        return [one.shown for one in submissions], refused

    def test_what_is_passed_over(self, tmp_path: Path) -> None:
        for name in ("b.py", "a.py", ".hidden", "Thumbs.db", "b.py~", "task.grad", "marks.csv"):
            (tmp_path / name).write_text("x = 1")
        (tmp_path / "__pycache__").mkdir()
        others = [str(tmp_path / "task.grad"), str(tmp_path / "marks.csv")]
        assert self.found(tmp_path, *others) == (["a.py", "b.py"], [])

    def test_a_folder_in_a_folder(self, tmp_path: Path) -> None:
        (tmp_path / "anna" / "more").mkdir(parents=True)
        (tmp_path / "anna" / "a.py").write_text("x = 1")
        submissions, refused = self.found(tmp_path)
        assert submissions == ["anna/a.py"]
        assert [(mark.student, mark.file) for mark in refused] == [("anna", "anna/more")]

    @pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
    def test_links(self, tmp_path: Path) -> None:
        (tmp_path / "secret.py").write_text(RIGHT)
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "s.py").write_text(RIGHT)
        folder = tmp_path / "in"
        folder.mkdir()
        (folder / "anna.py").write_text(RIGHT)
        (folder / "same.py").symlink_to(folder / "anna.py")
        (folder / "mallory.py").symlink_to(tmp_path / "secret.py")
        (folder / "nowhere.py").symlink_to(tmp_path / "nothing")
        (folder / "loop.py").symlink_to(folder / "loop.py")
        (folder / "outside").symlink_to(tmp_path / "elsewhere")
        submissions, refused = folders.found(str(folder), [])
        marker = Marker(setting(folder))
        found = {one.shown: marker.mark(one) for one in submissions}
        assert found["anna.py"].standing is found["same.py"].standing is Standing.OK
        assert found["mallory.py"].reason == "is a link to a file outside of its folder"
        assert found["nowhere.py"].standing is found["loop.py"].standing is Standing.UNREADABLE
        assert [mark.file for mark in refused] == ["outside/"]

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
    def test_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.py")
        marker = Marker(setting(tmp_path))
        mark = marker.mark(Submitted("pipe", str(tmp_path / "pipe.py"), "pipe.py"))
        assert mark.reason == "isn't a regular file"


class TestReport:
    def test_formulas(self) -> None:
        """A name can be =HYPERLINK(…): a spreadsheet shall not compute it."""
        names = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "anna", "o'neill")
        marks = [Mark(name, name + ".py", Standing.OK, 1, 1) for name in names]
        read = list(csv.reader(io.StringIO(csv_text(marks))))[1:]
        for name, (student, file, *_) in zip(names, read, strict=True):
            assert student.removeprefix("'") == name.replace("\t", "\\t")
            assert not student.startswith(("=", "+", "-", "@", "\t"))
            assert file == harmless(name + ".py")

    def test_most_frequent_first(self) -> None:
        marks = [
            Mark("a", "a", Standing.WRONG, 1, 2, "sign", 1, "", ("sign", "overwritten")),
            Mark("b", "b", Standing.WRONG, 1, 2, "overwritten", 1, "", ("overwritten",)),
            Mark("c", "c", Standing.WRONG, 1, 2, "factor|sign", 1, "", ("factor|sign",)),
        ]
        assert tally(marks) == [("overwritten", 2), ("factor|sign", 1), ("sign", 1)]
        text = "".join(pieces(marks, Style(60, color=False, ascii=True), listed=True))
        assert text.index("2  overwritten") < text.index("1  factor or sign")
        assert "mean 50 % of the marks" in text

    def test_escapes_in_a_name(self) -> None:
        marks = [Mark("\x1b[31m", "\x1b[31m.py", Standing.UNREADABLE, reason="\x1b]0;x\x07")]
        assert "\x1b" not in "".join(
            pieces(marks, Style(None, color=False, ascii=False), listed=True)
        )


class TestCommand:
    def test_without_out_the_marks_are_listed(self, work: Path) -> None:
        (work / "in" / "bob.py").write_text(OVERWRITTEN)
        files = ("class", str(work / "task.grad"), str(work / "in"))
        out = gradcli(*files)[1]
        assert out.splitlines()[0].split()[0] == "bob.py"
        assert "1  overwritten" in out
        assert rows(gradcli(*files, "--format", "csv")[1])["bob.py"]["mistake"] == "overwritten"

    def test_a_bar_on_a_terminal_only(self, work: Path) -> None:
        (work / "in" / "bob.py").write_text(OVERWRITTEN)
        files = ("class", str(work / "task.grad"), str(work / "in"))
        out, err = gradcli(*files)[1:]
        assert err == ""

        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

        environment = Environment.captured()
        environment.stderr = Terminal()
        assert run(files, environment) == 0
        assert environment.stderr.getvalue().count("marking") >= 1
        assert environment.stdout is not None
        environment.stdout.seek(0)
        assert environment.stdout.read() == out

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            ((), "the task is missing"),
            (("task.grad",), "the folder is missing"),
            (("task.grad", "nowhere"), "there is no folder 'nowhere'"),
            (("task.grad", "task.grad"), "'task.grad' is a file"),
            (("task.grad", "in"), "there are no submissions in 'in'"),
            (("task.grad", "in", "--out", "no/marks.csv"), "'no/marks.csv' can't be written"),
            (("task.grad", "in", "--jobs", "0"), "--jobs takes a whole number"),
            (("task.grad", "in", "--format", "latex"), "--format takes"),
        ],
    )
    def test_errors(
        self, work: Path, words: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(work)
        code, out, err = gradcli("class", *words)
        assert (code, out) == (2, "")
        assert message in err


# --- class and grade ---------------------------------------------------------------------


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.slow), 8])
def test_class_says_what_grade_says(every: int, tmp_path: Path) -> None:
    """Score, first mistake, notes and reasons of the fixtures, one by one and as a folder."""
    fixtures = ROOT / "tests" / "homework"
    folder = tmp_path / "in"
    folder.mkdir()
    files = sorted([*fixtures.iterdir(), *(fixtures / "mistakes").iterdir()])
    for file in files[::every]:
        if file.is_file() and file.suffix not in (".grad", ".toml"):
            (folder / f"{file.stem}{file.suffix.replace('.', '_')}{file.suffix}").write_bytes(
                file.read_bytes()
            )
    (folder / "twice").mkdir()
    (folder / "twice" / "a.py").write_text(SIGN)
    (folder / "twice" / "b.ipynb").write_text("{")
    task = tmp_path / "task.grad"
    task.write_text(TASK)
    gradcli("sheet", str(task), "--for", "anna", "--answers", "--out", str(folder / "anna.txt"))
    at_5 = gradcli("eval", "--file", str(task), "--x", "5", "--json")[1]
    (folder / "eval.json").write_text(at_5)
    code, out, err = gradcli("class", str(task), str(folder), "--json", "--time-limit", "60")
    assert (code, err) == (0, "")
    found = json.loads(out)
    schema("class").validate(found)
    submissions = {one["file"]: one for one in found["submissions"]}
    assert len(submissions) == len([f for f in folder.rglob("*") if f.is_file()])
    elsewhere, kinds = [], set()
    for name, one in submissions.items():
        code, out, err = gradcli("grade", str(task), str(folder / name), "--json")
        own = [note for note in one["notes"] if note["tag"] != "several-files"]
        assert (own != one["notes"]) == name.startswith("twice/")
        kinds.add(one["status"])
        if code == 5:
            assert one["status"] == "unreadable"
            message = json.loads(err)["error"]["message"]
            assert one["reason"].removeprefix("can't be marked: ") in message
            continue
        graded = json.loads(out)
        rows_ = [row for row in graded["rows"] if row["status"] not in ("ok", "carried")]
        assert (one["score"], one["max_score"]) == (graded["score"], graded["max_score"])
        assert own == graded["notes"]
        away = any(note["tag"] == "other-point" for note in own)
        assert one["status"] == ("ok" if not rows_ else "other-point" if away else "wrong")
        if away:
            elsewhere.append(name)
            assert (one["mistake"], one["line"], one["mistakes"]) == (None, None, [])
            assert all(row["tags"] == [] for row in rows_)
        elif rows_:
            first = "|".join(rows_[0]["tags"]) or rows_[0]["status"]
            assert (one["mistake"], one["line"]) == (first, rows_[0]["line"])
    assert elsewhere == ["anna.txt", "eval.json"]
    assert kinds == {"ok", "wrong", "other-point", "unreadable"} or every > 1
    names = "twice/a.py, twice/b.ipynb"
    (note,) = submissions["twice/a.py"]["notes"]
    assert note["text"] == f"twice has handed in 2 files: {names}"


def test_notes_are_in_every_report() -> None:
    note = Note("other-point", "the sheet is for another point")
    one = Mark("a", "a.txt", Standing.OTHER_POINT, 0.0, 4.0, notes=(note,))
    two = Mark("b", "b.py", Standing.OK, 4.0, 4.0, notes=(Note("aliased", "one array", 3),))
    text = "".join(pieces([one, two], Style(width=None, color=False, ascii=False), listed=True))
    assert "1 right, 0 with mistakes, 1 for another point\nmean 100 %" in text
    assert "a.txt      0/4            other-point" in text
    assert "b.py: aliased: line 3: one array" in text
    assert rows(csv_text([one, two]))["b.py"]["notes"] == "aliased: line 3: one array"
