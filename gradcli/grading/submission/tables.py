"""Values that were handed in: `name,value` rows in CSV or TSV, or a JSON object.

A text comes in, `Values` go out. Cells are split here and not by a CSV library, because arrays
may stand in a cell without quotes (`W,[[1, 2], [3, 4]]`) and every error has its line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Literal, NamedTuple, TypeAlias

from gradcli.diagnostics.characters import short
from gradcli.diagnostics.failures import submission_error
from gradcli.diagnostics.source import Source, Span
from gradcli.diagnostics.spreadsheets import ERROR_VALUE, SEPARATOR_LINE
from gradcli.grading.submission.decimals import Texts
from gradcli.grading.submission.entries import Place, Row, values_of
from gradcli.grading.submission.labels import readings
from gradcli.grading.submission.types import Values, Vocabulary

MOST_DEPTH = 60

_NAMES = frozenset({"name", "node", "variable", "label", "quantity"})
_KINDS: dict[str, Literal["value", "gradient"]] = {
    **dict.fromkeys(("value", "values", "answer", "number"), "value"),
    **dict.fromkeys(("your answer", "your value", "your number"), "value"),
    **dict.fromkeys(("gradient", "delta", "grad"), "gradient"),
}
"""What a column is for, by its heading."""
_WORDS = re.compile(r"[^\W\d][^\d=+*/^()\[\]]*")
"""What stands in a heading above numbers."""
_COMMENT = re.compile(rf"\s*(?!{ERROR_VALUE.pattern})#", re.IGNORECASE)
_QUOTED_OR_ARRAY = re.compile(r'(?<![^,;\t\s])"(?:[^"]|"")*+"?|\[[^\]]*+\]?')


# --- tables ------------------------------------------------------------------------------


class _Cell(NamedTuple):
    text: str
    span: Span


Columns: TypeAlias = Mapping[int, Literal["value", "gradient"] | None]
"""What each column has; None where the names say it."""


def read_table(
    text: str, name: str | None, vocabulary: Vocabulary, delimiter: str | None = None
) -> Values:
    """CSV or TSV, with or without a header. Raises `GradcliError` of kind submission.

    Without a `delimiter` it is what the file says, or else shows.
    """
    source = Source(text, name)
    stated = SEPARATOR_LINE.match(text)
    delimiter = delimiter or (stated[1] if stated else delimiter_of(text))
    rows = _cells(source, delimiter, stated.end() if stated else 0)
    first = next(rows, None)
    columns = _columns([cell.text.strip().lower() for cell in first or ()])
    if first is not None and not columns and not _is_heading(first, vocabulary):
        rows = chain([first], rows)
    strict = not columns or len(first or ()) == 2  # a row is a name and a value, and no more
    found = _rows(rows, columns or {1: None}, source, delimiter if strict else None)
    return values_of(found, vocabulary, delimiter)


def delimiter_of(text: str) -> str:
    """A tab, a semicolon or a comma: the first of them between the cells of the first row."""
    lines = (line for line in text[:20_000].split("\n") if line.strip())
    first = next((line for line in lines if not _COMMENT.match(line)), "")
    between = _QUOTED_OR_ARRAY.sub("_", first)
    if "," not in between and between.endswith("\t"):  # the cell behind it is blank
        return "\t"
    return next((delimiter for delimiter in "\t;" if delimiter in between.rstrip()), ",")


def _is_heading(cells: list[_Cell], vocabulary: Vocabulary) -> bool:
    """Whether a row of two cells has neither a name of the task nor a number."""
    texts = [cell.text.strip() for cell in cells]
    if len(texts) != 2 or not all(texts) or readings(texts[0], vocabulary):
        return False
    return bool(_WORDS.fullmatch(texts[1])) and "[" not in texts[0]


def _columns(header: list[str]) -> Columns:
    """What a header says of the columns behind the names; nothing if the row is no header."""
    if not header or header[0] not in _NAMES:
        return {}
    columns = {i: _KINDS[word] for i, word in enumerate(header) if i and word in _KINDS}
    # One column of values has gradients too, by their names; beside one of gradients it has not.
    return columns if "gradient" in columns.values() else dict.fromkeys(columns)


def _rows(
    rows: Iterable[list[_Cell]], columns: Columns, source: Source, strict: str | None
) -> Iterator[Row]:
    """The rows; where each is a name and a value alone, `strict` is what stands between."""
    for cells in rows:
        if strict is not None:
            _check_two(cells, source, strict)
        for i, kind in columns.items():
            if i < len(cells):
                span = cells[0].span.to(cells[i].span)
                yield Row(cells[0].text, cells[i].text, Place(source, span), kind)


def _check_two(cells: list[_Cell], source: Source, delimiter: str) -> None:
    """Refuse rows that are not a name and a value."""
    filled = cells[:]
    while len(filled) > 2 and not filled[-1].text.strip():
        filled.pop()
    if len(filled) == 2:
        return
    place = Place(source, filled[0].span.to(filled[-1].span))
    if len(filled) < 2:
        sign = "a tab" if delimiter == "\t" else delimiter
        message = f"a row is a name and a value, with '{sign}' between"
        raise place.refused(message, "as in delta_x,-0.52")
    numbers = [cell.text.strip() for cell in filled[1:4]]
    hint = None
    if all(number.lstrip("-+−").isdecimal() for number in numbers):
        hint = f"decimals are written {numbers[0]}.{numbers[1]}, arrays [{', '.join(numbers)}]"
    raise place.refused(f"this row has {len(filled)} cells, not a name and a value", hint)


def _cells(source: Source, delimiter: str, start: int) -> Iterator[list[_Cell]]:
    """The cells of each row that is neither empty nor a comment, without their quotes."""
    text = source.text
    part = re.compile(rf'["\[\]{re.escape(delimiter)}\n]')
    row: list[_Cell] = []
    at, depth = start, 0
    size = len(text)
    while start <= size:
        found = part.search(text, at)
        char = found.group() if found else ""
        at = found.end() if found else size
        if char == '"' and at - start < 64 and not text[start : at - 1].strip():
            at = _quote_end(source, at)
            continue
        depth += (char == "[") - (char == "]" and depth > 0)
        if char == "\n" and depth and text[at : at + 200].lstrip()[:1] not in _IN_ARRAY:
            depth = 0
        if char in ('"', "[", "]") or (char and depth):
            continue
        row.append(_cell(text, start, at - len(char)))
        start = at if char else size + 1
        if char in ("\n", ""):
            comment = row[0].text.startswith("#") and not ERROR_VALUE.match(row[0].text)
            if any(cell.text.strip() for cell in row) and not comment:
                yield row
            row, depth = [], 0


def _quote_end(source: Source, at: int) -> int:
    """The place after the quote that ends the cell."""
    text = source.text
    begun = at - 1
    while True:
        at = text.find('"', at)
        if at < 0:
            raise Place(source, Span(begun, begun + 1)).refused("this quote has no end")
        if text[at : at + 2] != '""':
            return at + 1
        at += 2


def _cell(text: str, start: int, end: int) -> _Cell:
    content = text[start:end]
    bare = content.strip()
    first = start + len(content) - len(content.lstrip())
    span = Span(first, max(first + 1, first + len(bare)))
    if len(bare) > 1 and bare[0] == bare[-1] == '"':
        bare = bare[1:-1].replace('""', '"')
    return _Cell(bare, span)


# --- JSON --------------------------------------------------------------------------------

_GROUPS: dict[str, Any] = {
    **dict.fromkeys(("gradient", "gradients", "grad", "grads", "backward"), "gradient"),
    **dict.fromkeys(("delta", "deltas"), "gradient"),
    **dict.fromkeys(("value", "values", "forward", "point", "inputs"), "value"),
    "answers": None,
}
_IN_ARRAY = frozenset("[-+−0123456789.")
"""What a line begins with that goes on with an array."""

_OURS = re.compile(r"gradcli\.(eval|trace)/[0-9]+")
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)


class _Digits(str):
    """A JSON number as it was written."""

    __slots__ = ()


def read_json(text: str, name: str | None, vocabulary: Vocabulary) -> Values:
    """A JSON object of names and values. Raises `GradcliError` of kind submission."""
    source = Source(text, name)
    tree = parsed(source)
    if not isinstance(tree, Object):
        place = Place(source, Span(0, min(1, len(text))))
        raise place.refused("the values aren't a JSON object", 'it looks like {"delta_x": -0.52}')
    members = _Members(source)
    ours = _OURS.fullmatch(str(dict(tree).get("schema")))
    return values_of(members.of_nodes(dict(tree)) if ours else members.rows(tree), vocabulary)


class Object(list[tuple[str, Any]]):
    """A JSON object with all its members, also those of one name."""


def parsed(source: Source) -> Any:
    """The JSON value, numbers as they were written. Raises `GradcliError` of kind submission."""
    depth = 0
    for found in _STRUCTURE.finditer(source.text):
        depth += (found.group() in "[{") - (found.group() in "]}")
        if depth > MOST_DEPTH:
            message = f"more than {MOST_DEPTH} levels of JSON are not read"
            raise Place(source, Span(*found.span())).refused(message)
    try:
        return json.loads(
            source.text,
            parse_float=_Digits,
            parse_int=_Digits,
            parse_constant=_Digits,
            object_pairs_hook=Object,
        )
    except json.JSONDecodeError as error:
        span = Span(error.pos, error.pos + 1)
        raise Place(source, span).refused(f"this isn't JSON: {error.msg.lower()}") from None
    except (RecursionError, ValueError) as error:
        raise submission_error(f"this isn't JSON: {error}", source=source) from None


class _Members:
    """The members of an object as rows, each with the place of its key."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.at = 0  # members are met in the order of the text
        self.lost = 0

    def rows(self, members: Object, kind: Any = None) -> Iterator[Row]:
        """A row for each member; groups such as `gradient` are opened."""
        for key, value in members:
            place = Place(self.source, self.span(key))
            if isinstance(value, Object):
                if key.lower() not in _GROUPS or kind is not None:
                    raise place.refused(
                        f"'{short(key)}' is an object, not a number or an array",
                        'groups are "gradient" and "values"',
                    )
                yield from self.rows(value, _GROUPS[key.lower()] or "")
                continue
            yield Row(key, self.texts(value, key, place), place, kind or None)

    def texts(self, value: Any, key: str, place: Place) -> Texts:
        """Numbers, texts of numbers, and lists of them, as texts."""
        if value is None:
            return ""
        if isinstance(value, bool):
            raise place.refused(f"'{short(key)}' is {str(value).lower()}, not a number")
        if isinstance(value, str):
            return value
        if isinstance(value, Object):
            raise place.refused(f"'{short(key)}' has an object within an array")
        return [self.texts(element, key, place) for element in value]

    def span(self, key: str) -> Span | None:
        """Where the key stands; None if it is written with escapes."""
        quoted = json.dumps(key, ensure_ascii=False)
        found = None
        if self.lost < 3:
            found = re.compile(re.escape(quoted) + r"\s*:").search(self.source.text, self.at)
        if found is None:
            self.lost += 1
            return None
        self.at = found.end()
        return Span(found.start(), found.start() + len(quoted))

    def of_nodes(self, result: dict[str, Any]) -> Iterator[Row]:
        """The rows of what `eval --json` and `trace --json` print."""
        place = Place(self.source, None)
        for node in result.get("nodes") or []:
            parts = dict(node) if isinstance(node, Object) else {}
            name = parts.get("name")
            if isinstance(name, str):
                yield Row(name, self.texts(parts.get("value"), name, place), place, "value")
                delta = self.texts(parts.get("delta"), name, place)
                yield Row(f"delta_{name}", delta, place, "gradient")
