"""`gradcli class --feedback`: a page for each student, and what names and lines do to it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.report.homework.feedback import LONGEST_NAME, RESERVED, file_names

TASK = "#: title <b>Sheet</b> & *4*\n#: x = 3\n#: y = 2\na = x*y\nb = a*x\n"
RIGHT = "a = x*y\nb = a*x\ndelta_a = x\ndelta_x = a\ndelta_x += delta_a*y\ndelta_y = delta_a*x\n"
SLIP = RIGHT.replace("delta_x += ", "delta_x = ")
EVIL = "dx,7\n<script>alert(1)</script>,3\n"
STUDENTS = {
    "anna.py": RIGHT,
    "bob.py": SLIP,
    "zoe/one.py": RIGHT,
    "zoe/two.py": SLIP.replace("delta_a*y", "delta_a*y  # <img src=x onerror=alert(1)> `` ` ```"),
    "<script>alert(1)<.py": "for\n",
    "*a* _b_ [c](javascript:d).py": SLIP,
    "CON.py": RIGHT,
    "ANNA.py": SLIP,
    "Łukasz Żółć.py": RIGHT,
}


class Checked(HTMLParser):
    """A page whose tags are all closed, with nothing that loads or runs."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.words = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not {name for name, _ in attrs} & {"src", "href", "onerror", "style"}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def gradcli(*words: str) -> tuple[int, str, str]:
    environment = Environment.captured()
    return run(words, environment), *environment.written()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "task.grad").write_text(TASK)
    for name, text in STUDENTS.items():
        file = tmp_path / "in" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path


def pages(work: Path, form: str) -> dict[str, str]:
    folder = work / "pages"
    words = ("class", str(work / "task.grad"), str(work / "in"), "--feedback", str(folder))
    code, _, err = gradcli(*words, "--feedback-format", form)
    assert (code, err) == (0, "")
    return {p.name: p.read_text(encoding="utf-8") for p in sorted(folder.iterdir())}


def test_pages(work: Path) -> None:
    for form in ("html", "md"):
        found = pages(work, form)
        found = {name: text for name, text in found.items() if name.endswith(form)}
        assert len(found) == len(STUDENTS) - 1  # zoe has one
        assert len({name.casefold() for name in found}) == len(found)
        assert all(re.fullmatch(r"[\w .-]+", name) for name in found)
        zoe, bob = found[f"zoe.{form}"], found[f"bob.{form}"]
        assert "2 files were handed in" in zoe
        assert zoe.index("one") < zoe.index("two")
        assert bob.count("delta_x = delta_a*y") == 1
        assert "Use +=" in bob.replace("\\", "")
        assert "anna" not in bob
        for text in found.values():
            plain = Checked(text).words if form == "html" else text
            assert "score" not in plain or form == "html"
            if form == "html":
                assert "<b>Sheet</b> & *4*" in plain
                assert {"script", "img"}.isdisjoint(Checked(text).tags)
                assert 'name="viewport"' in text
                assert "prefers-color-scheme:dark" in text
            else:
                assert text.startswith("# \\<b\\>Sheet\\</b\\> \\& \\*4\\*\n")
                assert "<" not in re.sub(r"\\<|```.*?```", "", text, flags=re.DOTALL)
                fences = re.findall(r"^(`{3,})", text, flags=re.MULTILINE)
                assert len(fences) % 2 == 0


def test_right_answers_are_on_no_page(work: Path) -> None:
    for text in pages(work, "html").values():
        assert "12" not in re.sub(r"<style>.*?</style>|\d+-\d|line 12", "", text, flags=re.DOTALL)


def test_names_of_files() -> None:
    students = [
        "anna", "Anna", "ANNA", "..", ".", "", " ", "../../etc/passwd", "a/b", "a\\b", "a:b", "nul",
        "NUL.txt", "com1", "x" * 300, "é" * 300, "e\u0301", "\u00e9", "a\0b", "a\nb", "\udc80", "-",
        "🙂", "a\u202eb", "index",
    ]  # fmt: skip
    for form in ("html", "md"):
        names = file_names(students, form)
        assert list(names) == students
        assert len({name.casefold() for name in names.values()}) == len(students)
        for name in names.values():
            assert re.fullmatch(r"[^/\\:*?\"<>|\x00-\x1f]+", name)
            assert len(name.encode("utf-8", "surrogatepass")) < LONGEST_NAME + 20
            assert not RESERVED.fullmatch(name)
            assert name[0] != "."
        assert names["index"] == f"index.{form}"
        assert names == file_names(students, form)


def test_where_no_pages_can_be(work: Path) -> None:
    (work / "file").write_text("")
    task, folder = str(work / "task.grad"), str(work / "in")
    for pages_, message in {
        str(work / "file"): "is a file",
        str(work / "no" / "pages"): "can't be written",
        str(work / "in"): "is inside of the folder of submissions",
        str(work / "in" / "pages"): "is inside of the folder of submissions",
        "a\0b": "can't be written",
    }.items():
        code, out, err = gradcli("class", task, folder, "--feedback", pages_)
        assert (code, out) == (2, "")
        assert message in err
    assert not (work / "in" / "pages").exists()


def test_no_page_is_there_before_all_are_marked(work: Path) -> None:
    words = ("class", str(work / "task.grad"), str(work / "none"), "--feedback", str(work / "p"))
    assert gradcli(*words)[0] == 2
    assert not (work / "p").exists()
