"""Man pages: one for every page of the help, the same each time, and clean roff."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from gradcli.cli.man import escaped, pages
from gradcli.cli.registry import COMMANDS, TOPICS, command

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion


def test_every_page_has_one(snapshot: SnapshotAssertion) -> None:
    found = pages()
    assert set(found) == {
        "gradcli.1",
        *(f"gradcli-{name}.1" for name in (*COMMANDS, *TOPICS)),
    }
    assert found == pages()
    assert found["gradcli-check.1"] == snapshot


@pytest.mark.parametrize("name", COMMANDS)
def test_all_options_are_there(name: str) -> None:
    page = pages()[f"gradcli-{name}.1"]
    assert page.isascii()
    for each in command(name).parameters:
        term, said = each.record()
        assert rf"\fB{escaped(term)}\fR" in page
        assert escaped(said) in page


@pytest.mark.skipif(shutil.which("groff") is None, reason="there is no groff")
def test_groff_has_nothing_to_complain_about(tmp_path: Path) -> None:
    files = []
    for name, text in pages().items():
        files.append(tmp_path / name)
        files[-1].write_text(text, "ascii")
    ran = subprocess.run(
        [shutil.which("groff") or "", "-man", "-Tascii", "-ww", *map(str, files)],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    assert ran.stderr == ""
    assert 'gradcli eval "-x^2" --x -3' in ran.stdout
