"""The result as one JSON object: docs/json.md says what is in it, docs/schema/ exactly.

The text is made node by node, so that a large result needs no second copy of itself. Numbers
are IEEE doubles that round-trip; the three that JSON does not have are the strings "NaN",
"Infinity" and "-Infinity".
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from gradcli.report.style import Style
    from gradcli.results.result import Check, Line, Result, Row

Object: TypeAlias = dict[str, Any]
Encode: TypeAlias = Callable[[Any], str]

WORDS = ("NaN", "Infinity", "-Infinity")
"""What stands for the numbers that JSON does not have."""

BATCH = 1000
"""How many rows are encoded at once: the encoder is quick, but starting it is not."""

LARGE = 1000
"""An array of more elements is written once; where it comes again, its text is taken again."""

KEPT = 200_000_000
"""How many characters of such texts are kept."""

INDENT = "  "
LINE = 100
"""With --pretty, what fits into this many characters stays on one line."""


def pieces(result: Result, style: Style, command: str) -> Iterator[str]:
    """The object of schema gradcli.eval/1 or gradcli.check/1, piece by piece."""
    return laid_out(document(result, command), result.program, style)


def laid_out(fields: Iterable[tuple[str, Any]], program: str, style: Style) -> Iterator[str]:
    """An object with a program in it as text, on one line or indented."""
    # A control character that JSON need not escape (U+009B) is still one for a terminal.
    text = program.translate({10: None, 9: None, 13: None})
    encoder = _Encoder(ascii_only=style.ascii or not text.isprintable())
    if style.pretty:
        yield from _indented(fields, encoder.encode)
    else:
        yield from _on_one_line(fields, encoder)


def encoder(*, ascii_only: bool) -> Encode:
    """A function from values to strict JSON on one line."""
    return _Encoder(ascii_only=ascii_only).encode


class Large:
    """An array whose numbers are made text late, and once."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array


class _Encoder:
    """JSON on one line, in which large arrays are put as text that may be used again.

    The same array stands in a result several times (as a value, a local derivative, a
    contribution, an accumulator), and nine tenths of the time go into its digits.
    """

    MARK = "\ud800"
    """Stands for an array until its text is inserted; no valid string contains it."""

    def __init__(self, *, ascii_only: bool) -> None:
        options: Any = {"allow_nan": False, "check_circular": False}
        self._small = json.JSONEncoder(ensure_ascii=ascii_only, default=self._later, **options)
        self._mark = json.dumps(self.MARK, ensure_ascii=ascii_only)
        self._waiting: list[list[str]] = []
        self._texts: dict[tuple[Any, bytes], list[str]] = {}

    def encode(self, value: Any) -> str:
        """The value as JSON."""
        return "".join(self.pieces(value))

    def pieces(self, value: Any) -> list[str]:
        """The value as JSON, with the texts of large arrays as they are kept."""
        self._waiting = []
        first, *rest = self._small.encode(value).split(self._mark)
        pieces = [first]
        for large, behind in zip(self._waiting, rest, strict=True):
            pieces += [*large, behind]
        return pieces

    def _later(self, large: Large) -> str:
        from hashlib import blake2b  # noqa: PLC0415 - loads OpenSSL

        from gradcli.report.digits import decimals  # noqa: PLC0415 - for large arrays only

        array = np.ascontiguousarray(large.array)
        key = array.shape, blake2b(array.data).digest()
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = list(decimals(array))
            while len(self._texts) > 1 and sum(map(len, chain(*self._texts.values()))) > KEPT:
                del self._texts[next(iter(self._texts))]
        self._waiting.append(text)
        return self.MARK


def document(result: Result, command: str) -> Iterator[tuple[str, Any]]:
    """The object's keys and values in order; long lists as iterators."""
    output = result.output
    yield "schema", f"gradcli.{command}/1"
    yield "program", result.program
    yield "inputs", {name: late(value) for name, value in result.inputs.items()}
    yield "output", {"name": output.name, "value": late(result.value)}
    yield "gradient", {name: late(value) for name, value in result.gradient.items()}
    full = command == "check"
    yield "nodes", (_node(result, row, full=full) for row in result.rows())
    yield "backward", map(_contribution, result.lines())
    yield "check", _summary(result)


def _node(result: Result, row: Row, *, full: bool) -> Object:
    node = row.node
    entry: Object = {"name": node.name, "kind": node.kind}
    if node.kind == "operation":
        entry["step"] = row.step
    if node.kind != "input":
        nodes = result.graph.nodes
        entry["op"] = node.operation.name if node.operation else None
        entry["args"] = [nodes[o].name if isinstance(o, int) else o.text for o in node.operands]
        entry["expression"] = row.expression
    entry["shape"] = node.type.shape
    entry["value"] = late(row.value)
    entry["delta"] = late(row.delta)
    entry["check"] = None if row.check is None else _check(row.check, full=full)
    return entry


def _check(check: Check, *, full: bool) -> Object:
    entry: Object = {
        "verdict": str(check.verdict),
        "finite_difference": _measured(check.finite_difference),
        "error_estimate": late(check.error_estimate),
        "digits": late(check.digits),
    }
    if full:
        entry |= {
            "left": late(check.left),
            "right": late(check.right),
            "operation": check.operation,
            "reason": check.reason,
        }
        if check.element is not None:
            entry |= {"element": check.element, "slope": late(check.slope)}
    if check.exact is not None:
        entry |= {"exact": late(check.exact), "ulps": late(check.ulps)}
    return entry


def _contribution(line: Line) -> Object:
    sent = line.contribution
    entry: Object = {
        "step": line.step,
        "node": line.node,
        "to": line.to,
        "local": line.local,
        "local_value": late(line.local_value),
    }
    if line.rule is not None:
        entry["rule"] = line.rule
    return entry | {
        "upstream": late(line.upstream),
        "contribution": late(sent.value),
        "accumulator": late(sent.accumulator),
        "final": sent.final,
    }


def _summary(result: Result) -> Object | None:
    if result.checks is None:
        return None
    worst = result.worst
    entry: Object = {
        "verdict": result.verdict,
        "rows": len(result.checks.rows),
        "counts": result.counts,
        "worst": None if worst is None else {"node": worst[0], "digits": worst[1]},
    }
    if result.checks.omitted:
        entry["omitted"] = result.checks.omitted
    if result.checks.in_part:
        entry["in_part"] = result.checks.in_part
    if result.checks.local is not None:
        entry["local"] = result.checks.local
    return entry


def _measured(slopes: Any) -> Any:
    """Finite differences; null, as for a number, at elements where there is no slope to measure."""
    missing = None if slopes is None else np.isnan(slopes)
    if missing is None or not missing.any():
        return late(slopes)
    known = np.array(plain(slopes), dtype=object)
    known[missing] = None
    return known.tolist()


def late(value: Any) -> Any:
    """The same as `plain`, but a large array stays as it is until it is encoded."""
    return Large(value) if np.size(value) > LARGE else plain(value)


def plain(value: Any) -> Any:
    """A number or array as the JSON encoder takes it: numbers, strings, and lists of them."""
    if value is None:
        return None
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else json.dumps(value)
    array = np.asarray(value, dtype=np.float64)
    finite = np.isfinite(array)
    if finite.all():
        return array.tolist()
    mixed = array.astype(object)
    mixed[~finite] = [json.dumps(x) for x in array[~finite]]
    return mixed.tolist()


def written(value: Any) -> str:
    """A value as Python and the language write it: JSON's lists, but `nan` and `inf`."""
    if isinstance(value, float):
        return float.__repr__(value)
    if np.size(value) > LARGE:
        from gradcli.report.digits import decimals  # noqa: PLC0415 - for large arrays only

        text = "".join(decimals(value))
    else:
        text = json.dumps(plain(value))
    if '"' not in text:
        return text
    return text.replace('"NaN"', "nan").replace("Infinity", "inf").replace('"', "")


# --- layout ------------------------------------------------------------------------------


def _on_one_line(fields: Iterable[tuple[str, Any]], encoder: _Encoder) -> Iterator[str]:
    before = "{"
    for key, value in fields:
        yield f'{before}"{key}": '
        if isinstance(value, Iterator):
            yield "["
            separator = ""
            while batch := list(islice(value, BATCH)):
                texts = encoder.pieces(batch)
                texts[0] = separator + texts[0][1:]
                texts[-1] = texts[-1][:-1]
                yield from texts
                separator = ", "
            yield "]"
        else:
            yield from encoder.pieces(value)
        before = ", "
    yield "}\n"


def _indented(fields: Iterable[tuple[str, Any]], encode: Encode) -> Iterator[str]:
    before = "{\n"
    for key, value in fields:
        whole = list(value) if isinstance(value, Iterator) else value
        yield f'{before}{INDENT}"{key}": {indented(whole, encode, 1)}'
        before = ",\n"
    yield "\n}\n"


def indented(value: Any, encode: Encode, depth: int = 0) -> str:
    """A value with its parts below each other, as far as it does not fit into one line.

    Numbers fill their lines.
    """
    if isinstance(value, Large):
        value = plain(value.array)
    room = LINE - depth * len(INDENT)
    compound = isinstance(value, dict | list | tuple)
    if not compound or _left(value, room) >= 0:
        text = encode(value)
        if not compound or len(text) <= room:
            return text
    inside = "\n" + INDENT * (depth + 1)
    if isinstance(value, dict):
        parts = [f"{encode(k)}: {indented(v, encode, depth + 1)}" for k, v in value.items()]
        opening, closing = "{}"
    else:
        opening, closing = "[]"
        if all(isinstance(part, float) or part is None or part in WORDS for part in value):
            parts = _filled(encode(value)[1:-1].split(", "), room - len(INDENT))
        else:
            parts = [indented(part, encode, depth + 1) for part in value]
    return opening + inside + ("," + inside).join(parts) + "\n" + INDENT * depth + closing


def _left(value: Any, room: int) -> int:
    """The characters of `room` left after the value, at most; stops below 0."""
    if isinstance(value, dict):
        for key, part in value.items():
            room = _left(part, room - len(key) - 4)
            if room < 0:
                break
    elif isinstance(value, Large):
        return -1
    elif isinstance(value, list | tuple):
        for part in value:
            room = _left(part, room - 1)
            if room < 0:
                break
    return room


def _filled(words: Iterable[str], room: int) -> list[str]:
    """The words, with commas between, in lines of this many characters."""
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) + 3 > room and lines[-1]:
            lines.append("")
        lines[-1] += f", {word}" if lines[-1] else word
    return lines
