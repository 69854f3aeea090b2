"""Pages in a real browser: headless Chromium runs a page's script, and what it wrote is read."""

from __future__ import annotations

import json
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")

OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--no-first-run", "--disable-sync", "--dump-dom"),
)


def told(page: str, script: str, folder: Path, *, at: str = "", size: str = "800,600") -> Any:
    """What `script`, the body of a function at the end of the page, returns; by way of JSON.

    `at` is the end of the page's address (`#step-3`), `size` the window's, in pixels.
    """
    assert CHROMIUM is not None
    end = (
        '<script>const said = document.createElement("pre"); said.id = "said"; '
        f"said.textContent = JSON.stringify((() => {{{script}}})()); "
        "document.body.append(said);</script></body>"
    )
    file = folder / "page.html"
    file.write_text(page.replace("</body>", end), encoding="utf-8")
    run = subprocess.run(
        [
            *(CHROMIUM, *OPTIONS, f"--window-size={size}"),
            *(f"--user-data-dir={folder / 'profile'}", file.as_uri() + at),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    text = run.stdout.partition('<pre id="said">')[2].partition("</pre>")[0]
    return json.loads(unescape(text))
