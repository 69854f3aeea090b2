"""Graphviz' program `dot`: a graph in its language comes in, a picture comes out."""

from __future__ import annotations

from gradcli.diagnostics.failures import usage_error

INSTALL = (
    "apt install graphviz, brew install graphviz, or winget install graphviz; "
    "--format text, dot and mermaid need none"
)


def expect_dot() -> str:
    """Where `dot` is. Raises `GradcliError` of kind option if it is not installed."""
    from shutil import which

    found = which("dot")
    if found is None:
        raise usage_error("svg, png and pdf are drawn by Graphviz, which is not installed", INSTALL)
    return found


def rendered(text: str, form: str) -> bytes:
    """A picture of a graph. Raises `GradcliError` of kind option where `dot` fails."""
    import subprocess

    try:
        done = subprocess.run(  # noqa: S603 - no shell, and the text is not an argument
            [expect_dot(), f"-T{form}"], input=text.encode(), capture_output=True, check=False
        )
    except OSError as error:
        raise usage_error(f"Graphviz' dot can't be run: {error.strerror}", INSTALL) from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
        raise usage_error(f"Graphviz' dot has failed: {said[0]}", "--format dot shows its input")
    return done.stdout
