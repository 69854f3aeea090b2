"""The names of gradients, in all the ways in which they are written.

A label comes in (`delta_x`, `dfdx`, `x.grad`, `∂f/∂x`), and what it stands for in a task goes
out. All readings are looked for and none is preferred: in a task with the nodes `x` and `dx` the
label `dx` has two, and that is an error that names both.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from gradcli.diagnostics.ascii import ascii_form
from gradcli.diagnostics.characters import normal_name, plain
from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.failures import submission_error
from gradcli.grading.submission.types import EntryKind, Vocabulary
from gradcli.graph.identifiers import identifiers, is_taken

_PREFIXES = ("delta_", "d_", "d", "grad_", "δ_", "δ")
_MORE_PREFIXES = ("nabla_", "∇_", "∇", "partial_", "delta", "grad")
"""Before a name that could not be read otherwise."""
_BY_HAND = ("_analytic", "_analytical", "_backprop", "_manual", "_exact")
"""What is put behind a gradient to tell it from its estimate."""
_COLLECTIONS = frozenset({"deltas", "grads"})
"""What these are even where there is a node `s`."""
_GRADIENT = re.compile(r"(d|delta|grad|nabla|partial|δ|∂|∇)_|.*_(grad|gradient|delta)$")
_ESTIMATE = re.compile(r"num|approx|check|fd_|finite")
_ENTRY = re.compile(r'([^\[]+)\["(.*)"\]')
_SPACES = re.compile(r"\s+")
_WORD = re.compile(r"[^\W\d][\w\u0300-\u036f]*")


class Reading(NamedTuple):
    """What a label stands for: the value of a node, or the gradient with respect to it."""

    kind: EntryKind
    name: str
    sources: tuple[str, ...] = ()
    """Of a part: the operations whose contributions it adds up."""

    def __str__(self) -> str:
        what = "the gradient with respect to" if self.kind == "gradient" else "the value of"
        return f"{what} '{self.name}'"


def normal_label(label: str) -> str:
    """The label without outer spaces, its names in the one form that the language has."""
    text = plain(label.strip()) if label.strip() else ""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFC", text)
    try:
        return normal_name(text, 0)
    except GradcliError:
        digits = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
        return text.translate(digits)


def known_label(label: str, vocabulary: Vocabulary) -> str:
    """The label in its one form, with the task's names where it has what is written for them.

    Where there is only ASCII, `lambda` is written for λ; in Python `y_hat` for ŷ, `np_` for np.
    """
    text = normal_label(label)
    written = spellings(vocabulary)
    return _WORD.sub(lambda word: written.get(word[0], word[0]), text) if written else text


@lru_cache(maxsize=8)
def spellings(vocabulary: Vocabulary) -> Mapping[str, str]:
    """What reports and exported code write for the task's names, and what that stands for.

    Only what has no meaning of its own in the task: a node `lambda` beside λ is what it is.
    """
    nodes = dict.fromkeys((*vocabulary.inputs, *vocabulary.nodes))
    if all(name.isascii() for name in nodes) and not any(map(is_taken, nodes)):
        return {}
    forms = (
        {name: ascii_form(name) for name in nodes},
        identifiers(nodes, ascii_only=True),
        identifiers(nodes, ascii_only=False),
    )
    written = {name: dict.fromkeys(form[name] for form in forms) for name in nodes}
    outputs = {vocabulary.output: None, **written[vocabulary.output]}
    prefixes = {prefix: prefix for prefix in ("", *_PREFIXES)}
    for between in ("_d", "d"):
        prefixes |= {f"d{o}{between}": f"d{vocabulary.output}{between}" for o in outputs}
    found = {
        f"{prefix}{form}": f"{meant}{name}"
        for name, of in written.items()
        for form in of
        for prefix, meant in prefixes.items()
    }
    own = {f"{prefix}{name}" for name in nodes for prefix in ("", *_PREFIXES)}
    return {form: meant for form, meant in found.items() if form not in own}


def readings(label: str, vocabulary: Vocabulary, extra_nodes: Container[str] = ()) -> list[Reading]:
    """All that the label can stand for; `extra_nodes` are names of the student's own staging."""
    text = known_label(label, vocabulary)

    def gradients(candidates: Iterable[str]) -> list[Reading]:
        known = (n for n in dict.fromkeys(candidates) if n in vocabulary.names or n in extra_nodes)
        return [Reading("gradient", name) for name in known]

    there = text in vocabulary.names or text in extra_nodes
    found = [Reading("value", text)] if there else []
    found += gradients(_candidates(text, vocabulary.output))
    return found or gradients(_other_candidates(text, vocabulary))


def looks_like_gradient(label: str) -> bool:
    """Whether a name speaks of a gradient that is no finite difference, whatever it is by."""
    return bool(_GRADIENT.match(label)) and not is_estimate(label)


def is_estimate(label: str) -> bool:
    """Whether a name speaks of a finite difference."""
    return bool(_ESTIMATE.search(label))


def base_and_key(label: str) -> tuple[str, str] | None:
    """The dictionary and the key of a label that is an entry: `grads["W1"]`."""
    found = _ENTRY.fullmatch(label)
    return None if found is None else (found[1], found[2])


def last_part(label: str) -> str:
    """What a label is read as: an entry by its key, an attribute by its name, but for `x.grad`."""
    entry = base_and_key(label)
    if entry is not None:
        return entry[1]
    return label if label.endswith(".grad") else label.rpartition(".")[2]


def subscript(label: str, vocabulary: Vocabulary) -> str | None:
    """The input x of a label `f_x`, where f is the output; None for any other label."""
    output, _, name = known_label(label, vocabulary).partition("_")
    return name if output == vocabulary.output and name in vocabulary.inputs else None


def read_name(label: str, vocabulary: Vocabulary, extra_nodes: Container[str] = ()) -> Reading:
    """What the label stands for; a label that is no gradient is a value's name.

    Raises `GradcliError` of kind submission if it can be read in two ways. The error has no
    place: the caller knows it.
    """
    found = readings(label, vocabulary, extra_nodes)
    if len(found) > 1:
        raise two_ways(label, found)
    return found[0] if found else Reading("value", known_label(label, vocabulary))


def two_ways(label: str, found: list[Reading]) -> GradcliError:
    """The error for a label with several readings."""
    named = [f"delta_{reading.name}" for reading in found if reading.kind == "gradient"]
    ways = "two" if len(found) == 2 else str(len(found))
    return submission_error(
        f"'{label.strip()}' can be read in {ways} ways: as " + " or as ".join(map(str, found)),
        f"for the gradient write {' or '.join(named)}",
    )


def _candidates(text: str, output: str) -> Iterator[str]:
    """The nodes whose gradient the text would be, whether there are such nodes or not."""
    yield from _bare(text, (*_PREFIXES, f"d{output}_d", f"d{output}d"), (".grad",))
    # df/dx, ∂f/∂x, d f/d x
    above, slash, below = _SPACES.sub("", text).partition("/")
    if slash and above[1:] == output and above[0] in "d∂" and below[:1] == above[0]:
        yield below[1:]


def _other_candidates(text: str, vocabulary: Vocabulary) -> Iterator[str]:
    """The same of forms that are looked at where there is no other reading."""
    output = vocabulary.output
    name = subscript(text, vocabulary)
    if name is not None:
        yield name
    if text in _COLLECTIONS:
        return
    of_output = (f"grad_{output}_", f"d{output}_by_d", f"d_{output}_d_")
    yield from _bare(text, (*of_output, *_MORE_PREFIXES))
    for gradient in _bare(text, (), _BY_HAND):
        yield from _candidates(gradient, output)
    yield from _bare(text, (), ("_grad", "_gradient", "_delta"))


def _bare(text: str, prefixes: Iterable[str], suffixes: Iterable[str] = ()) -> Iterator[str]:
    """The text without each of the prefixes and suffixes that it has."""
    yield from (text.removeprefix(prefix) for prefix in prefixes if text.startswith(prefix))
    yield from (text.removesuffix(suffix) for suffix in suffixes if text.endswith(suffix))
