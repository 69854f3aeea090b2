"""How a batch chooses to run, and what is compiled and kept: folders, broken files, no compiler."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gradcli import GradcliError, Program
from gradcli.batch import choice, kept, native
from gradcli.batch.kernel import Line
from gradcli.batch.loop import Compiled
from gradcli.cli.app import run
from gradcli.cli.environment import Environment

TEXT = "x*exp(-y) + 3"
MANY = 2 * choice.FEWEST_ROWS

pytestmark = pytest.mark.skipif(native.compiler() is None, reason="there is no C compiler")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(kept.FOLDER, str(tmp_path / "kept"))
    return tmp_path / "kept"


def how(count: int, *, jit: bool | None = None, text: str = TEXT) -> type:
    """What the rows go through, after their results are compared with NumPy's."""
    program = Program(text)
    x = np.linspace(0.5, 3, count)
    found = program.batch({"x": x, "y": x}, jit=jit)
    expected = Program(text).batch({"x": x, "y": x}, jit=False)
    for name, column in expected.items():
        np.testing.assert_allclose(found[name], column, rtol=1e-14)
    assert program._last is not None
    return type(program._last[1]._fitting(count))


def test_rows_by_operations_decide(folder: Path) -> None:
    assert how(1000) is Line
    assert not folder.exists()  # and nothing is compiled
    assert how(MANY, jit=False) is Line
    assert how(MANY) is Compiled
    assert how(MANY, text="gelu(x) + y") is Line  # no form
    assert len(list(folder.iterdir())) == 1
    rows = [10**n for n in range(8)]
    for operations in (1, 15, 150, 1_900):
        pays = [choice.pays(n, operations) for n in rows]
        assert pays == sorted(pays)
        assert pays[-1]
        assert not pays[4]
    assert not choice.pays(10**7, 10**4)


def test_what_is_kept_is_used_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert how(9, jit=True) is Compiled
    (path,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not stat.S_IMODE(path.stat().st_mode) & 0o077
    with monkeypatch.context() as patch:
        patch.setattr(native, "_compiled", None)  # calling it would be an error
        assert how(9, jit=True) is Compiled
    assert how(9, jit=True, text="x*exp(-y) + 4") is Compiled
    assert len(list(folder.iterdir())) == 2


def _truncate(path: Path) -> None:
    content = path.read_bytes()
    path.unlink()  # it may be loaded
    path.write_bytes(content[: len(content) // 2])


def _no_code(path: Path) -> None:
    """A file of the right hash that can't be loaded."""
    key = path.name.split("-")[0]
    path.unlink()
    kept.keep(key, b"nothing")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


BROKEN: dict[str, Callable[[Path], object]] = {
    "truncated": _truncate,
    "no code": _no_code,
    "of others": lambda path: path.chmod(0o777),
    "a folder": _folder,
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_file_is_made_again(folder: Path, broken: str) -> None:
    how(9, jit=True)
    (path,) = folder.iterdir()
    before = path.read_bytes()
    BROKEN[broken](path)
    assert how(9, jit=True) is Compiled
    if broken != "a folder":  # which stays, and then nothing is kept
        whole = [p for p in folder.iterdir() if p.read_bytes() == before]
        assert whole or broken == "no code"


@pytest.mark.parametrize("place", ["off", "/dev/null/x", "~nobody-of-this-name/x", "relative"])
def test_where_nothing_can_be_kept(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(kept.FOLDER, place)
    assert how(9, jit=True) is Compiled
    assert kept.folder() is None
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may do all")
def test_a_folder_that_is_read_only(folder: Path) -> None:
    folder.mkdir(mode=0o500)
    assert how(9, jit=True) is Compiled
    assert not list(folder.iterdir())


def test_a_folder_that_others_may_write_to(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)
    assert how(9, jit=True) is Compiled
    assert not list(folder.iterdir())


def test_a_loop_keeps_its_arrays(folder: Path) -> None:
    program = Program(TEXT)
    columns = {"x": np.ones(16), "y": np.ones(16)}
    program.batch(columns, jit=True)
    assert program._last is not None
    compiled = program._last[1].line
    assert isinstance(compiled, Compiled)
    assert len(list(folder.iterdir())) == 1
    arrays = [np.ones(16) for _ in range(2 + len(compiled.loop.wanted))]
    numbers = [0.0] * len(compiled.loop.numbers)
    rows = compiled.ready(arrays[:2], numbers, arrays[2:])
    alive = [weakref.ref(array) for array in arrays]
    arrays.clear()
    assert all(array() is not None for array in alive)
    assert rows(0, 16) is False
    del rows
    assert all(array() is None for array in alive)


def test_old_files_make_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST", 4)
    for number in range(9):
        assert kept.keep(f"key{number}", bytes([number]))
    names = {path.name.split("-")[0] for path in folder.iterdir()}
    assert len(names) <= 4
    assert "key8" in names


def test_processes_that_compile_at_the_same_time(folder: Path) -> None:
    code = (
        "import numpy as np; from gradcli import Program\n"
        f"p = Program({TEXT!r}); x = np.linspace(0.5, 3, 9)\n"
        "print(p.batch({'x': x, 'y': x}, jit=True)['value'].sum().hex())"
    )
    command = [sys.executable, "-c", code]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)]
    written = {process.communicate(timeout=60)[0] for process in started}
    assert len(written) == 1
    assert all(process.returncode == 0 for process in started)
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("command", ["false", "no-such-compiler", "sleep 0"])
def test_without_a_compiler(folder: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """NumPy where the choice is free, else an error that says what is missing."""
    monkeypatch.setenv("CC", command)
    monkeypatch.setattr(choice, "find_spec", lambda _name: None)
    assert how(MANY) is Line
    with pytest.raises(GradcliError, match="needs a C compiler or numba"):
        how(9, jit=True)
    environment = Environment.captured(b"x,y\n1,2\n")
    assert run(["batch", TEXT, "-", "--jit"], environment) == 2
    assert "gradcli[jit]" in environment.written()[1]
    assert not folder.exists() or not list(folder.iterdir())


def test_the_options_say_how(folder: Path, tmp_path: Path) -> None:
    points = tmp_path / "points.csv"
    points.write_text("x,y\n1,2\n")
    for flags, code, files in (([], 0, 0), (["--no-jit"], 0, 0), (["--jit"], 0, 1)):
        environment = Environment.captured(b"")
        assert run(["batch", TEXT, str(points), *flags], environment) == code
        assert environment.written()[1] == ""
        assert (len(list(folder.iterdir())) if folder.exists() else 0) == files
    environment = Environment.captured(b"")
    assert run(["batch", TEXT, str(points), "--jit", "--no-jit"], environment) == 2
    assert "contradict each other" in environment.written()[1]
