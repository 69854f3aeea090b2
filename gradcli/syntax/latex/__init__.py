r"""LaTeX text as text of the language: `\frac{x}{y}` becomes `((x)/(y))`.

A text is LaTeX where a backslash stands before a letter: the language has no backslash. One pass
goes over its tokens, with a stack of what is open, and writes pieces, each with its place in
LaTeX. So errors and trees get the places of what the user wrote (`Translation.place`). What is
not known stays as it is, and the parser refuses it with its hint.
"""

from __future__ import annotations

import re

from gradcli.diagnostics.characters import DERIVATIVES
from gradcli.diagnostics.failures import syntax_error
from gradcli.diagnostics.source import Span
from gradcli.syntax.latex import words
from gradcli.syntax.latex.brackets import TOKEN, Brackets
from gradcli.syntax.latex.operands import SUBSCRIPT
from gradcli.syntax.latex.writer import ONE, Translation

_IS_LATEX = re.compile(r"^[^#\n]*?\\[A-Za-z(\[,;!|{]", re.MULTILINE)
_D = r"(?:d|\\(?:mathrm|text)\s*\{\s*d\s*\})"
_DERIVATIVE = re.compile(
    rf"\s*\{{\s*{_D}(?:\s*\w|\s*\^\s*\w)?\s*\}}\s*\{{\s*{_D}\s*(?:\w|\\[a-z]+)\s*(?:\^\s*\w\s*)?\}}"
)


def is_latex(text: str) -> bool:
    """Whether a command of LaTeX stands outside of comments; a text with strings is no LaTeX."""
    return "\\" in text and '"' not in text and _IS_LATEX.search(text) is not None


def translate(text: str) -> Translation:
    """LaTeX as text of the language. Raises a syntax error where braces don't match."""
    return _Translator(text).translated()


class _Translator(Brackets):
    """One pass over one text."""

    def translated(self) -> Translation:
        while self.at < len(self.text):
            token = TOKEN.match(self.text, self.at)
            assert token is not None
            self.at = token.end()
            span = Span(*token.span())
            match token.lastgroup:
                case "comment":
                    pass
                case "space":
                    self._write(" ", span)
                case "command":
                    self._command(token[0][1:], span)
                case "control":
                    self._control(token[0], span)
                case "number":
                    self._number(span)
                case "name":
                    self._name(token[0], span)
                case _:
                    self._other(token[0], span)
        self._end_arguments()
        if not self.left:
            for frame in reversed(self.frames):
                self._refuse_open(frame)
        return self._joined()

    # --- tokens --------------------------------------------------------------------------

    def _number(self, span: Span) -> None:
        if self.frames[-1].kind in ONE and not self.frames[-1].braced:
            self.at = span.start + 1  # \frac12 has two arguments
            span = Span(span.start, self.at)
        self._begin(span)
        self._write(self.text[span.start : span.end], span)
        self._done("number")

    def _name(self, name: str, span: Span) -> None:
        if self.frames[-1].kind in ONE and not self.frames[-1].braced:
            self.at = span.start + 1
            name, span = name[0], Span(span.start, self.at)
        self._operand(name, span)

    def _other(self, sign: str, span: Span) -> None:
        if sign == "{":
            self._open_brace(span)
        elif sign == "}":
            self._close_brace(span)
        elif sign in "([":
            self._open("(" if sign == "(" else "[", span, ")" if sign == "(" else "]")
        elif sign in ")]":
            self._close(sign, span)
        elif sign == "^":
            self._power(span)
        elif sign == "_" and (subscript := SUBSCRIPT.match(self.text, span.start)):
            self._subscript(subscript)
        elif sign == "|":
            self._bar("||" if self.text.startswith("||", span.start) else "|", span)
        elif sign == "&":
            self._cell(span)
        elif sign in "$~":
            self._write(" ", span)
        elif sign in "'.":
            self._write(sign, span)
        elif sign in "+-*/=<>,;:\n" or not sign.isalnum():
            self._separate(sign=sign in "+-")
            if sign == "," and self.frames[-1].kind == "sized ]":
                self.frames[-1].columns = True
            self._write(sign, span)
        else:
            self._write(sign, span)

    def _control(self, control: str, span: Span) -> None:
        if control == "\\\\":
            self._row(span)
        elif control == "\\,":
            self.frames[-1].thin = span if self.frames[-1].last else None
            self._write(" ", span)
        elif control[1] in ":;! ()[]>":
            self._write(" ", span)
        elif control == "\\|":
            self._bar("||", span)
        elif control == "\\{":
            self._open("(", span, ")")
        elif control == "\\}":
            self._close(")", span)
        else:
            self._leave(span.start)

    def _command(self, name: str, span: Span) -> None:
        if name in words.GREEK:
            self._greek(name, span)
        elif name in words.FUNCTIONS:
            self._function(words.FUNCTIONS[name], span)
        elif name in ("operatorname", "operatorname*"):
            self._operator_name(span)
        elif name in ("frac", "dfrac", "tfrac", "cfrac"):
            if derivative := _DERIVATIVE.match(self.text, self.at):
                place = Span(span.start, derivative.end())
                raise syntax_error("this is a derivative, not a fraction", place, DERIVATIVES)
            self._begin(span)
            self._write("(", span)
            self._push("numerator", span)
        elif name == "sqrt":
            self._root(span)
        elif name in words.SYMBOLS:
            self._begin(span)
            self._write(words.SYMBOLS[name], span)
            self._done()
        elif name in words.OPERATORS:
            self._separate()
            self._write(words.OPERATORS[name], span)
        elif name in words.SPACES:
            self._write(" ", span)
        elif name in words.SIZES:
            self._sized(name, span)
        elif name in words.BRACKETS:
            self._open(words.BRACKETS[name], span, name)
        elif name in words.CLOSINGS:
            self._close(words.CLOSINGS[name][1], span, words.CLOSINGS[name][0])
        elif name in ("Vert", "vert"):
            self._bar("||" if name == "Vert" else "|", span)
        elif name in words.FONTS:
            self._font(span)
        elif name in words.ACCENTS:
            self._accent(name, span)
        elif name in ("begin", "end"):
            self._environment(name, span)
        else:
            self._leave(span.start)
