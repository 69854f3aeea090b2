"""Brackets, bars and environments."""

from __future__ import annotations

import re

from gradcli.diagnostics.failures import syntax_error
from gradcli.diagnostics.source import Span
from gradcli.syntax.latex.operands import Operands
from gradcli.syntax.latex.words import DISPLAYS, MATRICES
from gradcli.syntax.latex.writer import Piece

_ENVIRONMENT = re.compile(r"\s*\{(\w+)\*?\}")
_COLUMNS = re.compile(r"\s*\{[lcr| ]*\}")
_LINE_HEIGHT = re.compile(r"\*?\s*\[-?[\d.]+\s*(?:pt|em|ex|mm|cm)\]")
_LAST_ROW = re.compile(r"\s*\\end(?![A-Za-z])")
TOKEN = re.compile(
    r"""(?P<comment>[#%][^\n]*)
      |(?P<command>\\(?:operatorname\*|[A-Za-z]+))
      |(?P<control>\\.)
      |(?P<number>(?:[0-9]+(?:_[0-9]+)*\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)
      |(?P<name>[^\W\d_](?:\w*[^\W_])?)
      |(?P<space>[^\S\n]+)
      |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


class Brackets(Operands):
    """What opens and closes."""

    # --- brackets, bars, environments ----------------------------------------------------

    def _sized(self, name: str, span: Span) -> None:
        r"""`\left(`, `\bigl|`: the size goes, the bracket stays."""
        while self.text.startswith((" ", "\n"), self.at):
            self.at += 1
        rest = self.text[self.at : self.at + 1]
        if rest == "." and name in ("left", "right"):
            self.at += 1
        elif rest == "[" and not name.endswith(("right", "r")):
            self.at += 1
            self._open("[", Span(span.start, self.at), "sized ]")
        elif rest in ("|", "\\") and rest:
            token = TOKEN.match(self.text, self.at)
            assert token is not None
            bars = {"|": "|", "\\|": "||", "\\vert": "|", "\\Vert": "||"}.get(token[0])
            if bars:
                self.at = token.end()
                closes = name.endswith(("right", "r"))
                self._bar(bars, Span(span.start, self.at), closes=closes)

    def _open(self, text: str, span: Span, closing: str) -> None:
        called = self.frames[-1].last == "operand" and self.out[-1].end == span.start
        if text == "[" and closing == "sized ]":
            called = False
        if not called:
            named = bool(self.out) and self.frames[-1].last == "operand"
            if not (named and text == "(" and self.frames[-1].thin is None):
                self._begin(span)
        self._push(closing, span).first = len(self.out)
        self._write(text, span)

    def _close(self, text: str, span: Span, opened: str | None = None) -> None:
        self._end_arguments()
        frame = self.frames[-1]
        if frame.kind == "sized ]" and text == "]":
            if not frame.columns:  # no comma: brackets around an expression
                opening = self.out[frame.first]
                self.out[frame.first] = Piece("(", opening.start, opening.end)
                text = ")"
        elif frame.kind != (opened or text):
            self._write(text, span)
            return
        self.frames.pop()
        self._write(frame.close or text, span)
        self._done()

    def _bar(self, bars: str, span: Span, *, closes: bool | None = None) -> None:
        if bars == "||" and self.text[span.start] == "|":
            self.at = span.start + 2
            span = Span(span.start, self.at)
        enclosing = next(f for f in reversed(self.frames) if f.kind != "argument")
        if closes is None:
            closes = enclosing.kind == bars and bool(self.frames[-1].last)
        if closes:
            self._close(bars, span)
        else:
            self._open(bars, span, bars)

    def _environment(self, command: str, span: Span) -> None:
        found = _ENVIRONMENT.match(self.text, self.at)
        if found is None or found[1] not in MATRICES | DISPLAYS:
            self._leave(span.start)
            return
        self.at = found.end()
        span = Span(span.start, self.at)
        if found[1] in DISPLAYS:
            self._write(" ", span)
        elif command == "begin":
            if found[1] == "array" and (columns := _COLUMNS.match(self.text, self.at)):
                self.at = columns.end()
            self._begin(span)
            frame = self._push("matrix", span)
            frame.rows.append(len(self.out))
            self._write("[[", span)
        else:
            self._end_arguments()
            frame = self.frames[-1]
            if frame.kind != "matrix":
                raise syntax_error(r"'\end' has no '\begin'", span)
            self.frames.pop()
            frame.rows.append(len(self.out))
            self._write("]]", span)
            if not frame.columns:  # one column is a vector
                for row in frame.rows:
                    piece = self.out[row]
                    text = {"[[": "[", "]]": "]"}.get(piece.text, ", ")
                    self.out[row] = Piece(text, piece.start, piece.end)
            self._done()

    def _cell(self, span: Span) -> None:
        self._end_arguments()
        frame = self.frames[-1]
        if frame.kind == "matrix":
            self._separate()
            frame.columns = True
            self._write(", ", span)
        else:
            self._write(" ", span)

    def _row(self, span: Span) -> None:
        height = _LINE_HEIGHT.match(self.text, self.at)
        if height is not None:
            self.at = height.end()
        self._separate()
        frame = self.frames[-1]
        if frame.kind != "matrix":
            self._write("\n", span)
        elif not _LAST_ROW.match(self.text, self.at):
            frame.rows.append(len(self.out))
            self._write("], [", span)
