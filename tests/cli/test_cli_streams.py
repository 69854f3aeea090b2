"""Streams, terminals, encodings, and the file of `--out`."""

from __future__ import annotations

import gzip
import json
import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcli.cli.app import run
from gradcli.cli.environment import Environment

TUTORIAL = ("eval", "(x + sigmoid(y)) / (x^2 + y)", "--x", "3", "--y", "-4")
ESCAPE = "\x1b"


def gradcli(*arguments: str, **outside: Any) -> tuple[int, str, str]:
    environment = Environment.captured(**outside)
    return run(arguments, environment), *environment.written()


def process(
    *arguments: str, variables: Mapping[str, str] | None = None, **options: Any
) -> subprocess.CompletedProcess[bytes]:
    """A process of its own, with pipes for streams."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    command = [sys.executable, "-m", "gradcli", *arguments]
    environment = {"PYTHONUTF8": "1", **os.environ, **(variables or {})}
    return subprocess.run(command, check=False, timeout=60, env=environment, **options)


class TestColor:
    @pytest.mark.parametrize(
        ("columns", "variables", "option", "expected"),
        [
            (None, {}, "auto", False),
            (80, {"TERM": "xterm", "WT_SESSION": "1"}, "auto", True),
            (80, {"TERM": "dumb"}, "auto", False),
            (80, {"TERM": "xterm", "NO_COLOR": "1"}, "auto", False),
            (80, {"TERM": "xterm", "NO_COLOR": "", "WT_SESSION": "1"}, "auto", True),
            (None, {"FORCE_COLOR": "1"}, "auto", True),
            (None, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, "auto", False),
            (None, {}, "always", True),
            (None, {"NO_COLOR": "1"}, "always", True),
            (80, {"TERM": "xterm"}, "never", False),
            (None, {"GITHUB_ACTIONS": "true"}, "auto", False),
            (None, {"PY_COLORS": "1"}, "auto", False),
        ],
    )
    def test_who_decides(
        self, columns: int | None, variables: dict[str, str], option: str, *, expected: bool
    ) -> None:
        code, out, _ = gradcli(*TUTORIAL, "--color", option, columns=columns, variables=variables)
        assert code == 0
        assert (ESCAPE in out) == expected

    def test_files_have_none(self, tmp_path: Path) -> None:
        path = tmp_path / "out.txt"
        gradcli(*TUTORIAL, "--out", str(path), variables={"FORCE_COLOR": "1"})
        assert ESCAPE not in path.read_text(encoding="utf-8")

    @pytest.mark.parametrize("arguments", [["--help"], ["eval", "--help"], ["ops", "sigmoid"]])
    def test_github_does_not_force_it(self, arguments: list[str]) -> None:
        """Typer's own help is coloured in GitHub's actions, even with NO_COLOR."""
        ran = process(*arguments, variables={"GITHUB_ACTIONS": "true"})
        assert ran.returncode == 0
        assert ESCAPE.encode() not in ran.stdout + ran.stderr


class TestWidth:
    PROGRAM = "; ".join(f"a_long_name_of_a_node_{i} = sigmoid(x)*{i} + exp(x)" for i in range(30))

    def test_a_terminal_is_not_overrun(self) -> None:
        _, out, _ = gradcli("eval", self.PROGRAM, "--x", "0.5", "--color", "never", columns=60)
        assert max(map(len, out.splitlines())) <= 60

    def test_errors_fit_too(self) -> None:
        _, _, err = gradcli("eval", "x + " * 100 + "sigmod(x)", "--x", "1", columns=60)
        assert "sigmod" in err
        assert max(map(len, err.splitlines())) <= 60

    @pytest.mark.parametrize("columns", [None, 60, 200])
    def test_no_number_is_cut(self, columns: int | None) -> None:
        """Rich off a terminal assumes 80 columns and cuts with an ellipsis."""
        arguments = ("eval", self.PROGRAM, "--x", "0.123456789012", "--precision", "15")
        code, out, _ = gradcli(*arguments, columns=columns)
        assert code == 0
        assert "…" not in out

    def test_in_a_pipe_a_row_is_a_line(self) -> None:
        _, out, _ = gradcli(*TUTORIAL)
        assert len(out.splitlines()) == 12


class TestEncodings:
    @pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp437"])
    def test_ascii_forms_where_a_stream_has_no_others(self, encoding: str) -> None:
        code, out, err = gradcli(*TUTORIAL, encoding=encoding)
        assert (code, err) == (0, "")
        assert out.isascii()
        assert "delta" in out

    def test_ascii_option(self) -> None:
        assert gradcli(*TUTORIAL, "--ascii")[1].isascii()
        assert not gradcli(*TUTORIAL)[1].isascii()

    @pytest.mark.parametrize("form", ["table", "json", "csv", "markdown", "latex"])
    def test_names_that_can_not_be_encoded(self, form: str) -> None:
        arguments = ("eval", "ŷ*𝛼", "--ŷ", "3", "--𝛼", "1", "--format", form)
        code, out, err = gradcli(*arguments, encoding="ascii")
        assert (code, err) == (0, "")
        assert "\\u0177" in out or form == "latex"

    def test_json_stays_json(self) -> None:
        arguments = ("eval", "ŷ*𝛼", "--ŷ", "3", "--𝛼", "1", "--json")
        plain, escaped = (gradcli(*arguments, encoding=e)[1] for e in ("utf-8", "ascii"))
        assert escaped.isascii()
        assert json.loads(escaped) == json.loads(plain)

    def test_errors_too(self) -> None:
        code, _, err = gradcli("eval", "ŷ", encoding="ascii")
        assert code == 2
        assert "\\u0177" in err


class TestOut:
    def test_writes_a_file_and_nothing_else(self, tmp_path: Path) -> None:
        path = tmp_path / "out.json"
        assert gradcli(*TUTORIAL, "--json", "--out", str(path)) == (0, "", "")
        assert path.read_bytes().decode() == gradcli(*TUTORIAL, "--json")[1]
        assert list(tmp_path.iterdir()) == [path]

    def test_a_file_is_never_half_written(self, tmp_path: Path) -> None:
        path = tmp_path / "out.json"
        path.write_text("before")
        assert gradcli("eval", "log(x)", "--x", "-1", "--out", str(path))[0] == 1
        assert path.read_text() == "before"
        assert list(tmp_path.iterdir()) == [path]

    @pytest.mark.skipif(os.name == "nt", reason="permissions are POSIX's")
    def test_keeps_permissions_and_links(self, tmp_path: Path) -> None:
        path, link = tmp_path / "out.txt", tmp_path / "link"
        path.write_text("before")
        path.chmod(0o640)
        link.symlink_to(path)
        assert gradcli(*TUTORIAL, "--out", str(link))[0] == 0
        assert link.is_symlink()
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        assert "Gradient" in path.read_text(encoding="utf-8")

    def test_a_dash_is_standard_output(self) -> None:
        assert gradcli(*TUTORIAL, "--out", "-") == gradcli(*TUTORIAL)

    @pytest.mark.skipif(not Path("/dev/null").exists(), reason="a device of POSIX")
    def test_a_device_is_written_to_and_not_replaced(self) -> None:
        assert gradcli(*TUTORIAL, "--out", "/dev/null")[0] == 0
        assert not stat.S_ISREG(Path("/dev/null").stat().st_mode)

    def test_errors(self, tmp_path: Path) -> None:
        for path in (tmp_path, tmp_path / "no" / "folder", tmp_path / "a\0b"):
            code, out, err = gradcli(*TUTORIAL, "--out", str(path))
            assert (code, out) == (2, "")
            assert err.startswith("error: ")

    def test_a_failed_check_still_writes(self, tmp_path: Path) -> None:
        path = tmp_path / "out.txt"
        program = "block sq(x) = x^2 with d/dx = 3*x; sq(a)"
        assert gradcli("eval", program, "--a", "2", "--out", str(path))[0] == 3
        assert "WRONG" in path.read_text(encoding="utf-8")


def npz(x: float, y: float) -> bytes:
    file = BytesIO()
    np.savez(file, x=x, y=y)
    return file.getvalue()


DATA = (
    b'{"x": 3.5, "y": 2}', b'\xef\xbb\xbf\n {"x": 3.5, "y": [2]}',
    b"x,y\n3.5,2\n", b"x\ty\r\n3.5\t2\r\n",
    b"\n# a point\ny;x\n2;3,5\n", b"\xef\xbb\xbfx,y,\n3.5,2,\n", npz(x=3.5, y=2),
)  # fmt: skip
COMMANDS = (
    ("eval", "x*sum(y)"), ("trace", "x*sum(y)"), ("check", "x*sum(y)"), ("jacobian", "x*sum(y)"),
    ("hessian", "x*sum(y)"), ("export", "x*sum(y)"), ("graph", "x*sum(y)"), ("lint", "x*sum(y)"),
    ("grade", "x*sum(y)", "answer.csv"), ("sheet", "x*sum(y)"),
)  # fmt: skip


class TestDataFromStandardInput:
    @pytest.mark.parametrize("content", DATA)
    def test_in_every_format(self, content: bytes) -> None:
        for packed in (content, gzip.compress(content)):
            command = ("eval", "x*sum(y)", "--data", "-", "--value")
            assert gradcli(*command, stdin=packed)[:2] == (0, "7.0\n")

    @pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
    def test_by_every_command(
        self, command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("answer.csv").write_text("dx,2\ndy,3.5\n")
        Path("point.csv").write_bytes(DATA[2])
        from_file = gradcli(*command, "--data", "point.csv")
        assert from_file[2] == ""
        assert gradcli(*command, "--data", "-", stdin=DATA[2]) == from_file

    @pytest.mark.parametrize(
        "command",
        [("eval", "-"), ("trace", "--file", "-"), ("grade", "-", "a.py"), ("grade", "x*y", "-"),
         ("batch", "-", "p.csv"), ("batch", "x*y", "-"), ("sheet", "-"), ("lint", "-")],
        ids=" ".join,
    )  # fmt: skip
    def test_one_reader_alone(self, command: tuple[str, ...]) -> None:
        code, out, err = gradcli(*command, "--data", "-", stdin=b"x*y")
        assert (code, out) == (2, "")
        assert "and --data can't both come from standard input" in err

    def test_what_is_no_data(self) -> None:
        for content, said in (
            (b"", "is empty"), (b"3\n4\n", "holds one array"), (b"[1]", "holds no object"),
            ("x,y\n1,2\n".encode("utf-16"), "is text in UTF-16"), (b"x,y\n1,a\n", "isn't a number"),
        ):  # fmt: skip
            code, _, err = gradcli("eval", "x*y", "--data", "-", stdin=content)
            assert code == 2
            assert said in err
            assert "@standard" not in err


class TestBrokenStreams:
    def test_closed_streams(self) -> None:
        err = TextIOWrapper(BytesIO(), "utf-8")
        assert run(["eval", "x", "--x", "1"], Environment(None, None, err)) == 2
        err.seek(0)
        assert err.read() == "error: standard output can't be written: it is closed\n"
        assert run(["eval", "-"], Environment(None, None, None)) == 2

    def test_a_failing_terminal(self) -> None:
        class Failing(TextIOWrapper):
            def write(self, _: str) -> int:
                raise OSError(5, "Input/output error")

        environment = Environment.captured()
        environment.stdout = Failing(BytesIO(), "utf-8")
        assert run(["--version"], environment) == 2
        environment = Environment.captured()
        environment.stderr = Failing(BytesIO(), "utf-8")
        assert run(["eval"], environment) == 2

    @pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
    def test_a_reader_that_goes_away(self) -> None:
        read, write = os.pipe()
        os.close(read)
        with os.fdopen(write, "wb") as out:
            ran = process(*TUTORIAL, "--json", stdout=out)
        assert (ran.returncode, ran.stderr) == (0, b"")

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
    def test_a_full_disk(self) -> None:
        with Path("/dev/full").open("wb") as out:
            ran = process(*TUTORIAL, stdout=out)
        assert ran.returncode == 2
        assert ran.stderr == (b"error: standard output can't be written: no space left on device\n")

    def test_no_standard_input(self) -> None:
        ran = process("eval", "-", stdin=subprocess.DEVNULL)
        assert ran.returncode == 2
        assert b"the program is empty" in ran.stderr
