"""Every example of README and docs runs and prints what is printed there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from _examples import MissingToolError, has_examples, pages, refreshed  # noqa: E402

PAGES = [page for page in pages(ROOT) if has_examples(page)]


@pytest.mark.skipif(shutil.which("bash") is None, reason="the examples are for a Unix shell")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_print_what_stands_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    try:
        now = refreshed(text)
    except MissingToolError as tool:
        pytest.skip(f"{tool} is not installed")
    assert portable(now) == portable(text), "scripts/docs writes the outputs anew"


def portable(text: str) -> str:
    """A page without what differs from processor to processor: last digits, and what follows."""
    text = re.sub(r"\d+\.\d( digits|  +agrees)", r"some\1", text)
    text = re.sub(r"fewest digits: \S+( \(\w+\))?", "fewest digits", text)
    text = re.sub(r"-?\d+(\.\d+)?e-1\d\b", "tiny", text)
    text = re.sub(r"\d+\.\d{7,}", lambda number: f"{float(number[0]):.7g}", text)
    return re.sub(r"[ ─]+", " ", text)


def test_the_map_of_the_code_names_what_is_there() -> None:
    """Every file and package that docs/architecture.md names exists, and every package is named."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`(\w[\w/]*/(?:\w+\.(?:py|lark|toml))?)`", text)
    homes = (ROOT, ROOT / "gradcli")
    assert len(named) > 80
    assert [path for path in named if not any((home / path).exists() for home in homes)] == []
    packages = {path.parent.name + "/" for path in (ROOT / "gradcli").glob("*/__init__.py")}
    assert packages - set(named) <= {"examples/"}


@pytest.mark.slow
def test_the_site_builds(tmp_path: Path) -> None:
    """Every link leads somewhere, and the page to step through is inside."""
    pytest.importorskip("material")
    run = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "docs"), "--site", str(tmp_path / "site")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert 'src="tutorial-1.html"' in (tmp_path / "site" / "tutorial.html").read_text("utf-8")
    assert (tmp_path / "site" / "tutorial-1.html").read_text("utf-8").startswith("<!doctype html>")
