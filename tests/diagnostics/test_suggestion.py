"""Did you mean: one function, which finds every word that there is from a slip in it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import gradcli
from gradcli import examples, ops
from gradcli.cli.registry import COMMANDS
from gradcli.diagnostics.suggestion import close_match, did_you_mean

OPTIONS = ("--format", "--precision", "--no-check", "--wrt", "--time-limit", "--allow-nonfinite")
NODES = ("x", "W1", "b1", "hidden_layer", "δ", "learning_rate", "θ0")
WORDS = {
    "functions": tuple(ops.function_names()),
    "commands": tuple(COMMANDS),
    "examples": tuple(examples.ORDER),
    "options": OPTIONS,
    "names": NODES,
}


@pytest.mark.parametrize("kind", WORDS)
def test_case_underscores_and_dashes_do_not_count(kind: str) -> None:
    known = WORDS[kind]
    for word in known:
        assert close_match(word, known) == word
        bare = word.lstrip("-")
        for slip in (bare, bare.upper(), bare.replace("_", ""), f"--{bare.title()}"):
            found = close_match(slip, known)
            assert found is not None, slip
            assert (
                found.lstrip("-").replace("_", "").casefold() == bare.replace("_", "").casefold()
            ), (slip, found)


@pytest.mark.parametrize("kind", WORDS)
def test_a_letter_too_many_is_found(kind: str) -> None:
    """A longer word with one letter doubled is close to nothing else than itself."""
    known, chance = WORDS[kind], random.Random(5)  # noqa: S311
    for word in known:
        bare = word.lstrip("-")
        if len(bare) < 4:
            continue
        i = chance.randrange(1, len(bare))
        slip = bare[:i] + bare[i] + bare[i:]
        if slip.replace("_", "") in {other.replace("_", "") for other in known}:
            continue  # an underscore was doubled
        assert did_you_mean(slip, known) == f"did you mean '{word}'?", slip


def test_what_is_close_to_nothing_gets_no_hint() -> None:
    for known in (*WORDS.values(), ()):
        assert did_you_mean("qqqqqqqq", known) is None


def test_it_stands_in_one_place() -> None:
    package = Path(gradcli.__file__).parent
    users = [p.name for p in package.rglob("*.py") if "difflib" in p.read_text("utf-8")]
    assert users == ["suggestion.py"]
