"""From labels and texts to entries: what values files and answer sheets have in common.

Rows come in, each a label, the text of a number or array, and a place; entries go out, each with
the node it is for. Blanks are skipped, elements that were given one by one (`W[0, 1]`) are put
together, and what is given twice is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, NamedTuple

from gradcli.diagnostics.characters import plain, short
from gradcli.diagnostics.error import GradcliError, Label
from gradcli.diagnostics.failures import submission_error
from gradcli.diagnostics.source import Source, Span
from gradcli.diagnostics.suggestion import did_you_mean
from gradcli.grading.submission.decimals import (
    MOST_NUMBERS,
    Texts,
    decimal_sign,
    is_thousands_or_decimal,
    no_array,
    too_many,
    written,
)
from gradcli.grading.submission.labels import Reading, known_label, readings, two_ways
from gradcli.grading.submission.types import Entry, Values, Vocabulary, Written

MOST_ROWS = 20_000
LONGEST_LABEL = 200

_FRAME = re.compile(r"[\[\],\s]+")
_BLANK = re.compile(r"[_.…?]*|[-–—]+|#?n/?a|none|null", re.IGNORECASE)
_HOLE = re.compile(
    r"[\[,\s](?:_+|[.…?]+|#?n/?a|none|null|[-–—]+(?=\s*[,\]]))[\],\s]", re.IGNORECASE
)
"""A blank among the elements of an array."""
_ELEMENT = re.compile(r"(.*[^\s\]])\s*\[([^\[\]]*)\]\s*(?:\[([^\[\]]*)\]\s*)?", re.DOTALL)
_ARROW = re.compile(r"<-|←|⟵")
_ARRAY = re.compile(r"(?:[a-z]+\.)?(?:array|tensor)\((.*?)(?:, *dtype=[^\]]*)?\)", re.DOTALL)
_TUPLE = re.compile(r"\([^A-Za-z\[]*,[^A-Za-z\[]*\)", re.DOTALL)
_AROUND_SIGN = re.compile(r"(?<!\s)\s*([/*^×·])\s*")
"""What makes one number of two in an array: `[1 / 3, 2]`."""
_DEEPEST = 8


class Place(NamedTuple):
    """Where something stands in a source; `span` is None where it is not known."""

    source: Source
    span: Span | None

    @property
    def line(self) -> int | None:
        """The line's number."""
        return None if self.span is None else self.source.position(self.span.start)[0]

    def refused(
        self, message: str, hint: str | None = None, labels: tuple[Label, ...] = ()
    ) -> GradcliError:
        """The error about this place, with its line in front."""
        labels = labels if self.span is not None else ()
        return submission_error(message, hint, source=self.source, span=self.span, labels=labels)


class Row(NamedTuple):
    """A label and what was written beside it."""

    label: str
    text: Texts
    place: Place
    kind: Literal["value", "gradient"] | None = None
    """What the row must be, where its surroundings say so (a sheet's forward pass)."""


@dataclass
class _Given:
    """What was given for a node: a number, or an array element by element."""

    label: str
    place: Place
    number: Written | None = None
    elements: dict[tuple[int, ...], str] = field(default_factory=dict)


def values_of(rows: Iterable[Row], vocabulary: Vocabulary, separator: str = "") -> Values:
    """The entries of all rows. Raises `GradcliError` of kind submission, with its place.

    `separator` stands between the cells of a table.
    """
    point: dict[str, Written] = {}
    entries = entries_of(with_settled_commas(rows, separator), vocabulary, point)
    return values_from(entries, vocabulary, point)


def values_from(
    entries: tuple[Entry, ...], vocabulary: Vocabulary, point: Mapping[str, Written]
) -> Values:
    """Entries as `Values`."""
    inputs = set(vocabulary.inputs)
    only = all(entry.kind == "gradient" and entry.name in inputs for entry in entries)
    return Values(entries, bool(entries) and only, tuple(point.items()))


def entries_of(
    rows: Iterable[Row], vocabulary: Vocabulary, point: dict[str, Written]
) -> tuple[Entry, ...]:
    """One entry for each row that is filled in; elements of an array make one entry.

    Values of inputs that are said to be values are no answers: they go to `point`.
    """
    found: dict[Reading, _Given] = {}
    for count, row in enumerate(rows):
        if count >= MOST_ROWS:
            raise row.place.refused(f"more than {MOST_ROWS:,} rows are not read")
        if len(row.label) > LONGEST_LABEL:
            raise row.place.refused(f"a name of more than {LONGEST_LABEL} characters is not read")
        if is_blank(row.text):
            continue
        label, index = _element(row.label) or (row.label, None)
        meaning = _meaning(label, row, vocabulary)
        if row.kind == "value" == meaning.kind and meaning.name in vocabulary.inputs:
            if index is None:
                point.setdefault(meaning.name, number_of(row.text, row.place))
            continue
        given = found.setdefault(meaning, _Given(label, row.place))
        if given.number is not None or (given.elements and index is None):
            raise _twice(row, given.place)
        if index is None:
            given.number = number_of(row.text, row.place)
        else:
            _add_element(given, index, row)
    return tuple(
        Entry(
            meaning.name, meaning.kind, given.number or _assembled(given), given.place.line,
            given.label.strip(), meaning.sources,
        )
        for meaning, given in found.items()
    )  # fmt: skip


def _twice(row: Row, first: Place) -> GradcliError:
    labels = (Label(first.span, "given here first"),) if first.span else ()
    return row.place.refused(f"'{row.label.strip()}' is given a second time", labels=labels)


# --- decimal commas ----------------------------------------------------------------------


def with_settled_commas(rows: Iterable[Row], separator: str = "") -> list[Row]:
    """The rows, with `3.018` for `3,018` where the comma of the others is the decimal sign.

    That is where a number shows it (`0,5`), or the separator is a semicolon, and none has a
    decimal point.
    """
    found = list(islice(rows, MOST_ROWS + 1))
    texts = [text for row in found for text in _leaves(row.text)]
    if not any(map(_is_unsettled, texts)):
        return found
    signs = {decimal_sign(text) for text in texts if not is_blank(text)}
    if "." in signs or not ("," in signs or separator == ";"):
        return found
    return [row._replace(text=_with_points(row.text)) for row in found]


def _leaves(text: Texts) -> Iterator[str]:
    if isinstance(text, str):
        yield text
    else:
        for part in text:
            yield from _leaves(part)


def _is_unsettled(text: str) -> bool:
    """Whether a text is `3,018`; in brackets that would be an array."""
    return "," in text and text.lstrip()[:1] not in "([" and is_thousands_or_decimal(text)


def _with_points(text: Texts) -> Texts:
    if isinstance(text, str):
        return text.replace(",", ".") if _is_unsettled(text) else text
    return [_with_points(part) for part in text]


# --- labels ------------------------------------------------------------------------------


def _meaning(label: str, row: Row, vocabulary: Vocabulary) -> Reading:
    """What a label stands for. A bare name of an input is its gradient."""
    left, *right = _ARROW.split(label)
    if len(right) > 1:
        raise row.place.refused(f"'{label.strip()}' has more than one arrow")
    senders = right[0].split("+") if right else []
    sources = tuple(_node(part, row, vocabulary) for part in senders)
    found = readings(left, vocabulary)
    if row.kind is not None:
        found = [reading for reading in found if reading.kind == "value"] or found
    if len(found) > 1:
        error = two_ways(left, found)
        raise row.place.refused(error.message, error.hint)
    if not found:
        raise _unknown(left, row, vocabulary)
    (reading,) = found
    if sources:
        return Reading("part", reading.name, sources)
    kind = row.kind or ("gradient" if reading.name in vocabulary.inputs else "value")
    return reading._replace(kind=kind) if reading.kind == "value" else reading


def _node(label: str, row: Row, vocabulary: Vocabulary) -> str:
    name = known_label(label, vocabulary)
    if name not in vocabulary.nodes:
        raise _unknown(label, row, vocabulary)
    return name


def _unknown(label: str, row: Row, vocabulary: Vocabulary) -> GradcliError:
    name = known_label(label, vocabulary)
    nodes = list(dict.fromkeys((*vocabulary.inputs, *vocabulary.nodes)))
    forms = [*nodes, *(f"delta_{node}" for node in nodes)]
    known = ", ".join(nodes[:12]) + (", …" if len(nodes) > 12 else "")
    hint = did_you_mean(name, forms) or f"the task has {known}; a gradient is delta_{nodes[0]}"
    return row.place.refused(f"'{short(name, 40)}' isn't a name of the task", hint)


# --- numbers and arrays ------------------------------------------------------------------


def is_blank(text: Texts) -> bool:
    """Whether something was not filled in: an empty cell, `________`, `N/A`, an array with one."""
    if not isinstance(text, str):
        return any(is_blank(part) for part in text)
    if len(text) < 10_000 and _BLANK.fullmatch(_FRAME.sub("", text)):
        return True
    return text.lstrip()[:1] == "[" and bool(_HOLE.search(text))


def number_of(text: Texts, place: Place) -> Written:
    """The number or array that was written. Raises `GradcliError` of kind submission."""
    try:
        return written(array_texts(text) if isinstance(text, str) else text)
    except GradcliError as error:
        raise place.refused(error.message, error.hint) from None


def array_texts(text: str) -> Texts:
    """`[[1, 2], [3, 4]]` as nested lists of texts; elements may be apart by spaces alone."""
    text = plain(text).strip() if text else ""
    if array := _ARRAY.fullmatch(text):
        text = array[1].strip()
    if _TUPLE.fullmatch(text):
        text = text.translate(str.maketrans("()", "[]"))
    if not text.startswith("["):
        return text.strip("_ ") or text
    opened: list[list[Texts]] = []
    done: list[Texts] | None = None
    count, due = 0, False  # whether an element must follow, after a comma
    for part in re.findall(r"[\[\],]|[^\[\],\s]+", _AROUND_SIGN.sub(r"\1", text)):
        if done is not None:
            raise no_array(f"after its last ']' stands '{short(part)}'")
        if part == "[":
            if len(opened) >= _DEEPEST:
                raise no_array(f"it has more than {_DEEPEST} dimensions")
            opened.append([])
            due = False
        elif part == "]":
            inner = opened.pop()
            if not inner:
                raise no_array("an element is missing")
            if opened:
                opened[-1].append(inner)
            else:
                done = inner
            due = False
        elif part == ",":
            if due or not opened[-1]:
                raise no_array("an element is missing before a comma")
            due = True
        else:
            opened[-1].append(part.strip("_") or part)
            count += 1
            due = False
            if count > MOST_NUMBERS:
                raise too_many()
    if done is None:
        raise no_array("a ']' is missing")
    return done


# --- element by element ------------------------------------------------------------------


def _element(label: str) -> tuple[str, tuple[int, ...]] | None:
    """The array and the index of `W[0, 1]` or `W[0][1]`; None for other labels."""
    found = _ELEMENT.fullmatch(label.strip())
    if found is None:
        return None
    words = ",".join(part for part in found.groups()[1:] if part is not None).split(",")
    if not all(re.fullmatch(r"\s*[0-9]{1,9}\s*", word) for word in words):
        return None
    return found[1], tuple(int(word) for word in words)


def _add_element(group: _Given, index: tuple[int, ...], row: Row) -> None:
    if index in group.elements:
        raise _twice(row, group.place)
    first = next(iter(group.elements), index)
    if len(first) != len(index):
        shown = f"'{group.label.strip()}' has {len(first)} indices before"
        raise row.place.refused(f"{shown}, and here {len(index)}")
    if not isinstance(row.text, str):
        raise row.place.refused(f"'{row.label.strip()}' is one element, and here stands an array")
    group.elements[index] = row.text


def _assembled(group: _Given) -> Written:
    """The array of all elements. Raises `GradcliError` that names the first missing one."""
    shape = tuple(max(at) + 1 for at in zip(*group.elements, strict=True))
    texts: list[str] = []
    for place in range(min(math.prod(shape), len(group.elements) + 1)):
        index: tuple[int, ...] = ()
        rest = place
        for size in reversed(shape):
            rest, last = divmod(rest, size)
            index = (last, *index)
        if index not in group.elements:
            name = f"{group.label.strip()}[{', '.join(map(str, index))}]"
            hint = "the first element has the index 0; an array is handed in whole"
            raise group.place.refused(f"the element {name} is missing", hint)
        texts.append(group.elements[index])
    flat = number_of(texts, group.place)
    return Written(flat.value.reshape(shape), flat.radius.reshape(shape), flat.digits)
