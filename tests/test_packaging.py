"""What is built and installed is whole: the grammar and the parser's tables are found.

They lie outside of `gradcli/` in the source tree (`package-dir` in pyproject.toml), and Lark takes
a grammar that isn't there for an empty one, so every way to install gradcli is tried here: a
wheel, a wheel made from the source distribution, an editable install, and a wheel that isn't
unpacked. Nothing is downloaded: builds use this environment's tools, and the environments that
are made see this one's packages, but not its gradcli. These builds are slow tests; that every
package is listed and the parser's tables are saved, quick ones see.
"""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import _lowest
import pytest
from packaging.requirements import Requirement

import _environment
import _setup
import gradcli
from gradcli.cli import man

ROOT = Path(__file__).resolve().parent.parent
NOT_SOURCE = shutil.ignore_patterns(
    *(".git", ".venv*", ".*_cache", ".hypothesis", "__pycache__"),
    *("build", "dist", "*.egg-info", "*.tables"),
)

# Run outside of the source tree, by a Python that has gradcli in one of the ways above.
CHECK = """
from importlib.resources import files
import gradcli
from gradcli.diagnostics import source
from gradcli.syntax import parser, tables
saved = files("gradcli.grammar").joinpath("gradcli.tables").read_bytes()
assert tables.load(saved, tables.grammar_text()) is not None, "tables of another grammar"
assert parser.parse(source.Source("x^2")).statements
from gradcli import examples
assert all(examples.text(name).startswith("#: title ") for name in examples.ORDER)
print(gradcli.__file__)
"""

needs_setuptools = pytest.mark.skipif(
    int(version("setuptools").split(".")[0]) < 77,
    reason="builds need setuptools 77 (scripts/test has it)",
)


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source tree, since building writes into it."""
    return Path(
        shutil.copytree(ROOT, tmp_path_factory.mktemp("source") / "gradcli", ignore=NOT_SOURCE)
    )


@pytest.fixture(scope="session")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(source, tmp_path_factory.mktemp("wheel"), "--wheel")


@pytest.fixture(scope="session")
def sdist(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(source, tmp_path_factory.mktemp("sdist"), "--sdist")


@pytest.fixture(scope="session")
def wheel_of_sdist(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    unpacked = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(unpacked, filter="data")
    (folder,) = unpacked.iterdir()
    return build(folder, tmp_path_factory.mktemp("wheel_of_sdist"), "--wheel")


def build(source: Path, target: Path, kind: str) -> Path:
    """Build with this environment's tools; the path of what came out."""
    command = [sys.executable, "-m", "build", "--no-isolation", kind, "--outdir", str(target)]
    run([*command, str(source)], cwd=target)
    (built,) = target.iterdir()
    return built


def environment(folder: Path) -> Path:
    """The Python of a new environment that sees this one's packages but not its gradcli.

    A path in a .pth file is searched, but .pth files found there aren't read, and that is how an
    editable gradcli would come in.
    """
    venv.create(folder, with_pip=False)
    scripts = Path(sysconfig.get_path("scripts", vars={"base": str(folder)}))
    python = scripts / Path(sys.executable).name
    packages = Path(
        sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    )
    (packages / "others.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    return python


def install(python: Path, *what: str) -> None:
    """Install with this environment's pip, from what is here."""
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    flags = ["--no-index", "--no-deps", "--no-build-isolation", "--ignore-installed"]
    run([*pip, *flags, *what], cwd=python.parent)


def run(command: list[str], cwd: Path, **variables: str) -> str:
    """Run a program; what it printed."""
    without = ("PYTHONPATH", "PYTHONSAFEPATH")
    inherited = {name: value for name, value in os.environ.items() if name not in without}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**inherited, "PYTHONUTF8": "1", **variables},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def check(python: Path, cwd: Path, expected: Path, **variables: str) -> None:
    """The gradcli that this Python sees lies where it is expected, and is whole."""
    place = Path(run([str(python), "-c", CHECK], cwd, **variables).strip())
    assert place.is_relative_to(expected), place


@pytest.mark.slow
@needs_setuptools
class TestInstalled:
    @pytest.mark.parametrize("kind", ["wheel", "wheel_of_sdist"])
    def test_wheel(self, kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
        python = environment(tmp_path / "venv")
        install(python, str(request.getfixturevalue(kind)))
        check(python, tmp_path, tmp_path / "venv")
        script = shutil.which("gradcli", path=str(python.parent))
        assert script is not None
        assert run([script, "--version"], tmp_path).split()[-1] == gradcli.__version__
        manual = tmp_path / "venv" / "share" / "man" / "man1"
        assert {file.name: file.read_text("ascii") for file in manual.iterdir()} == man.pages()

    def test_editable(self, source: Path, tmp_path: Path) -> None:
        python = environment(tmp_path / "venv")
        install(python, "--editable", str(source))
        check(python, tmp_path, source)
        assert (source / "grammar" / "gradcli.tables").exists()

    def test_wheel_that_is_not_unpacked(self, wheel: Path, tmp_path: Path) -> None:
        python = environment(tmp_path / "venv")
        check(python, tmp_path, wheel, PYTHONPATH=str(wheel))

    def test_sdist_has_all_that_a_developer_needs(self, sdist: Path) -> None:
        with tarfile.open(sdist) as archive:
            names = {name.partition("/")[2] for name in archive.getnames()}
        for name in (
            ".ci/run",
            "LICENSE",
            "README.md",
            "grammar/gradcli.lark",
            "gradcli/examples/kamper.grad",
            "gradcli/py.typed",
            "scripts/_setup.py",
            "scripts/run",
            "scripts/test",
            "setup.py",
            "tests/test_packaging.py",
        ):
            assert name in names
        assert any(name.startswith("docs/") for name in names)
        built = [name for name in names if name.endswith((".tables", ".pyc"))]
        assert not built

    def test_build_without_tables_fails(self, source: Path, tmp_path: Path) -> None:
        broken = Path(shutil.copytree(source, tmp_path / "broken", ignore=NOT_SOURCE))
        (broken / "grammar" / "gradcli.lark").write_text("start: (", "utf-8")
        python = environment(tmp_path / "venv")
        for what in (["--editable", str(broken)], [str(broken)]):
            with pytest.raises(AssertionError, match="parser_tables"):
                install(python, *what)


def test_every_package_is_listed() -> None:
    listed = pyproject()["tool"]["setuptools"]["packages"]
    found = [path.parent.relative_to(ROOT) for path in (ROOT / "gradcli").rglob("__init__.py")]
    assert sorted(listed) == sorted([".".join(path.parts) for path in found] + ["gradcli.grammar"])


def test_lark_is_needed_to_build_and_to_test_alone() -> None:
    metadata = pyproject()
    (built_with,) = [r for r in metadata["build-system"]["requires"] if r.startswith("lark")]
    assert built_with in metadata["project"]["optional-dependencies"]["test"]
    assert built_with not in metadata["project"]["dependencies"]


class TestRequirements:
    def test_each_has_a_lower_bound(self) -> None:
        for requirement in _lowest.requirements(pyproject()):
            assert "==" in _lowest.lowest(requirement)
        with pytest.raises(ValueError, match="no lower bound"):
            _lowest.lowest("lark")

    def test_a_package_has_one_bound_for_each_python(self) -> None:
        """The build's bounds are those of the package, and markers leave no Python out."""
        metadata = pyproject()
        bounds: dict[str, set[Requirement]] = {}
        for text in _lowest.requirements(metadata):
            found = Requirement(text)
            bounds.setdefault(found.name, set()).add(found)
        for minor in minors(metadata):
            for name, found_ in bounds.items():
                here = {"python_version": f"3.{minor}"}
                fits = [r for r in found_ if r.marker is None or r.marker.evaluate(here)]
                assert len(fits) == 1, (name, minor)

    def test_classifiers_are_of_the_pythons_that_it_needs(self) -> None:
        metadata = pyproject()
        found = minors(metadata)
        assert metadata["project"]["requires-python"] == f">=3.{found[0]}"
        assert found == list(range(found[0], found[-1] + 1))
        tools = metadata["tool"]
        assert tools["mypy"]["python_version"] == f"3.{found[0]}"
        assert tools["ruff"]["target-version"] == f"py3{found[0]}"

    def test_what_is_installed_fits(self) -> None:
        for text in _lowest.requirements(pyproject()):
            found = Requirement(text)
            if found.marker is None or found.marker.evaluate():
                try:
                    installed = version(found.name)
                except PackageNotFoundError:  # `scripts/test --lowest` installs no tools
                    groups = pyproject()["project"]["optional-dependencies"]
                    assert text in (*groups["docs"], *groups["dev"]), text
                    continue
                assert installed in found.specifier, text


def minors(metadata: dict[str, Any]) -> list[int]:
    """The Pythons of the classifiers."""
    words = [line.rpartition(" ")[2] for line in metadata["project"]["classifiers"]]
    return sorted(int(word[2:]) for word in words if word.startswith("3.") and word[2:].isdigit())


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


class TestScripts:
    """What the scripts do about their environment when things aren't as they should be."""

    @pytest.fixture(autouse=True)
    def scripts(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
        """The scripts' modules, with a folder of this test's own for project and environment."""
        monkeypatch.setattr(_environment, "ROOT", str(tmp_path))
        monkeypatch.setattr(_environment, "VENV", str(tmp_path))
        monkeypatch.setattr(_environment, "PYTHON", sys.executable)
        monkeypatch.setattr(_setup, "VENV", str(tmp_path))
        monkeypatch.setattr(_setup, "PYTHON", sys.executable)
        monkeypatch.setattr(_setup, "LOCK", tmp_path / "lock")
        monkeypatch.setattr(_setup, "UNFINISHED", tmp_path / "unfinished")
        return SimpleNamespace(environment=_environment, setup=_setup)

    def test_slow_tests_are_left_out_unless_all_are_asked_for(self) -> None:
        script = runpy.run_path(str(ROOT / "scripts" / "test"))
        quick, whole = (
            list(script["steps"]("python", [*more, "-k", "x"]).values()) for more in ([], ["--all"])
        )
        assert quick[:-1] == whole[:-1]
        both = ["python", "-m", "pytest", *script["PARALLEL"]]
        assert quick[-1] == [*both, "-m", "not slow", "-k", "x"]
        assert whole[-1] == [*both, *script["BOUNDED"], "-k", "x"]
        assert "scripts/test --all" in (ROOT / ".ci" / "run").read_text("utf-8")

    @pytest.mark.parametrize(
        ("ended", "again"),
        [([0], None), ([2], None), ([1, 0], ["--last-failed", "-n", "0"]), ([3, 1], [])],
    )
    def test_what_failed_in_ci_runs_once_more(
        self, ended: list[int], again: list[str] | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run: list[list[str]] = []
        codes = iter(ended)

        def noted(command: list[str], **_: Any) -> SimpleNamespace:
            run.append(command)
            return SimpleNamespace(returncode=next(codes))

        monkeypatch.setattr(subprocess, "run", noted)
        run_all = runpy.run_path(str(ROOT / "scripts" / "test"))["run_all"]
        assert run_all({"pytest": ["all"]}) == (["pytest"] if ended[-1] else [])
        assert run == [["all"], *([] if again is None else [["all", *again]])]

    def test_old_python(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys, "version_info", (3, 10, 14, "final", 0))
        with pytest.raises(SystemExit) as stopped:
            runpy.run_path(str(ROOT / "scripts" / "_environment.py"))
        assert stopped.value.code == 2
        assert "gradcli needs Python 3.11 or newer" in capsys.readouterr().err

    @pytest.mark.parametrize("missing", ["venv", "ensurepip"])
    def test_no_venv_module(
        self,
        missing: str,
        scripts: SimpleNamespace,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(scripts.setup, "find_spec", lambda name: None if name == missing else 1)
        with pytest.raises(SystemExit) as stopped:
            scripts.setup.make_empty()
        assert stopped.value.code == 2
        assert "apt install python3-venv" in capsys.readouterr().err

    def test_stamp_is_of_all_sources(self, scripts: SimpleNamespace, tmp_path: Path) -> None:
        environment = scripts.environment
        for name in ("", *environment.SOURCES):
            if name:
                path = tmp_path / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("changed", "utf-8")
            assert not environment.is_ready("run")
            scripts.setup.write_stamp("run", environment.wanted_stamp())
            assert environment.is_ready("run")

    def test_what_was_interrupted_is_not_used(self, scripts: SimpleNamespace) -> None:
        assert scripts.setup.is_usable()
        scripts.setup.UNFINISHED.touch()
        assert not scripts.setup.is_usable()

    def test_set_up_is_done_once(
        self,
        scripts: SimpleNamespace,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        asked: list[str] = []
        monkeypatch.setattr(scripts.setup, "install", asked.append)
        for _ in range(2):
            assert scripts.environment.python_for("test") == sys.executable
        scripts.environment.python_for("run")  # what testing needs includes what running needs
        assert asked == ["test"]
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.count("\n") == 2
        assert "done" in printed.err

    def test_says_what_it_does(
        self, scripts: SimpleNamespace, capsys: pytest.CaptureFixture[str]
    ) -> None:
        said = (
            "Collecting numpy>=2 (from gradcli)\n  Downloading numpy-2.4.whl (16 MB)\n"
            "Collecting rich>=13\nInstalling collected packages: numpy, rich\n"
        )
        done = scripts.setup.run(
            [sys.executable, "-c", f"print({said!r}, end='')"], scripts.setup.Progress().line
        )
        assert (done.returncode, done.stdout) == (0, said)
        assert capsys.readouterr().err.split("s  ")[1:] == ["installing 2 packages\n"]

    def test_failed_install_leaves_no_stamp(
        self,
        scripts: SimpleNamespace,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        failed = subprocess.CompletedProcess[str]([], 1, "no such network\n")
        usable = subprocess.CompletedProcess[str]([], 0, "{} {}".format(*sys.version_info))
        monkeypatch.setattr(scripts.setup, "run", lambda c, *_: usable if "-c" in c else failed)
        with pytest.raises(SystemExit) as stopped:
            scripts.environment.python_for("run")
        assert stopped.value.code == 2
        assert "no such network" in capsys.readouterr().err
        assert not scripts.environment.is_ready("run")
        assert scripts.setup.UNFINISHED.exists()
