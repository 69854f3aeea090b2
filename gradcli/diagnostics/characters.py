"""Characters: a text with one form for each, and the characters that a name may have.

Text from a PDF, a word processor or a phone has a minus, a micro sign, an apostrophe and
spaces of its own. `plain` replaces them one to one before the text is read, so that places
in it stay what they were. The grammar lets nearly every non-ASCII character into a name;
`normal_name` refuses those that are no letters, marks or digits.
"""

from __future__ import annotations

import unicodedata

from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.failures import syntax_error
from gradcli.diagnostics.source import Span

DERIVATIVES = "write the function alone: gradcli works out its derivatives"
"""The hint where a program asks for a derivative."""

_ONE_FORM = {
    "\N{MINUS SIGN}": "-",
    "\N{MICRO SIGN}": "μ",
    "\N{PRIME}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\r": "\n",
    "\N{NEXT LINE}": "\n",
    "\N{LINE SEPARATOR}": "\n",
    "\N{PARAGRAPH SEPARATOR}": "\n",
}
_ONE_FORM |= dict.fromkeys("\N{NO-BREAK SPACE}\u1680\u202f\u205f\u3000", " ")
_ONE_FORM |= {chr(code): " " for code in range(0x2000, 0x200B)}
_TRANSLATION = str.maketrans(_ONE_FORM)

BYTE_ORDER_MARK = "\ufeff"

SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")

# Letters and marks by category that show nothing: fillers, joiners, variation selectors.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0") | {
    chr(code) for code in range(0xFE00, 0xFE10)
}

_QUOTES = "“”„‟‘‚‛«»‹›"
_INSTEAD = {
    "÷": "write '/'",
    "∕": "write '/'",
    "⁄": "write '/'",
    "∂": f"in a program {DERIVATIVES}; in a block's rules write 'd/dx', as a name 'd_x'",
    "∇": f"in a program {DERIVATIVES}; as a name write 'grad'",
    "∫": "gradcli works out derivatives, no integrals",
    "±": "an expression has one value: write '+' or '-'",
    "∓": "an expression has one value: write '+' or '-'",
    "∘": "a function of a function is f(g(x)), the product of elements a*b",
    "°": "angles are radians: deg2rad(x)",
    "∞": "write 'inf'",
    "⊤": "the transpose is '.T'",
    "†": "the transpose is '.T'",
    "⊗": "the outer product is outer(a, b)",
    "∑": "write sum(…)",
    "∏": "write prod(…)",
    "∛": "write cbrt(…)",
    "∣": "write '|'",
    "¬": "for 0 or 1 write '1 - x'",
    "∧": "for 0 or 1 write a product: '(a > 0)*(b > 0)'",
    "∨": "for 0 or 1 write maximum(a, b)",
}
_INSTEAD |= dict.fromkeys("→⟶⇒↦", "a function is written 'f(x) = …', a named value 'y = …'")
_INSTEAD |= dict.fromkeys("≈≃≅∼≡", "comparisons are < <= > >= == !=")
_INSTEAD |= dict.fromkeys("…⋯", "write out what is left out")
_INSTEAD |= dict.fromkeys("‐‑‒–—―﹣", "write '-'")
_INSTEAD |= dict.fromkeys("∙•⨯✕✖", "write '*'")
_INSTEAD |= {
    c: f"write '{unicodedata.normalize('NFKC', c)}'" for c in "（）［］｛｝，；：＋－＊／＝｜＾＜＞"
}


def plain(text: str) -> str:
    """The text with one form for each character, every character where it was.

    The line end of Windows becomes a space and a newline, a byte-order mark at the start a
    space.
    """
    if text.isascii():
        if "\r" not in text:
            return text
        return text.replace("\r\n", " \n").replace("\r", "\n")
    if text[0] == BYTE_ORDER_MARK:
        text = " " + text[1:]
    return text.replace("\r\n", " \n").translate(_TRANSLATION)


def normal_name(text: str, start: int) -> str:
    """The name in its one form: NFC, subscript digits as digits.

    `start` is the name's place. Raises an error at the first character that a name can't
    have.
    """
    for i, char in enumerate(text):
        if not (char.isascii() or _belongs_to_name(char)):
            raise _refused(text, i, start)
    name = unicodedata.normalize("NFC", text).translate(SUBSCRIPTS)
    if unicodedata.category(name[0])[0] in "MN":
        what = f"a name begins with a letter, not with {describe(text[0])}"
        hint = "digits of numbers are 0 to 9" if text[0].isnumeric() else None
        raise syntax_error(what, Span(start, start + 1), hint)
    return name


def _belongs_to_name(char: str) -> bool:
    if char in _INVISIBLE:
        return False
    category = unicodedata.category(char)
    if category[0] in "LM":
        return not is_superscript(char)
    return category == "Nd" or "₀" <= char <= "₉"


def is_superscript(char: str) -> bool:
    """Whether the character is a raised one, such as ⁿ."""
    return unicodedata.decomposition(char).startswith("<super>")


def short(text: str, most: int = 30) -> str:
    """The text if it is short enough for a hint."""
    return text if len(text) <= most else "…"


def describe(char: str) -> str:
    """The character as an error shows it: itself if it can be seen, else its name."""
    if char.isprintable() and not char.isspace() and char not in _INVISIBLE:
        combining = unicodedata.category(char)[0] == "M"
        return f"'{char}'" if not combining else f"the mark {_code(char)}"
    return f"the invisible character {_code(char)}"


def _code(char: str) -> str:
    name = unicodedata.name(char, "")
    return f"U+{ord(char):04X}" + (f" ({name.lower()})" if name else "")


def _refused(text: str, i: int, start: int) -> GradcliError:
    """The error for a character that no name has."""
    char, span = text[i], Span(start + i, start + i + 1)
    if char in _QUOTES:
        return strings_refused(span)
    if is_superscript(char):
        hint = f"other powers are written '{text[:i]}^{_lowered(char)}'" if i else None
        return syntax_error(f"{describe(char)} can't be read as a power", span, hint)
    if unicodedata.decomposition(char).startswith("<fraction>"):
        return _fraction(text[:i], char, text[i + 1 :], span)
    return unexpected_character(char, span)


def _fraction(before: str, char: str, behind: str, span: Span) -> GradcliError:
    """The error for `⅓`: of the fractions only ½ is a number of the language."""
    written = _lowered(char).replace("\N{FRACTION SLASH}", "/")
    hint = f"write the fraction out: '{before and before + '*'}{written}{behind and '*' + behind}'"
    if not before:
        hint += f", and a number and a fraction as their sum: 2 + {written}"
    return syntax_error(f"{describe(char)} is not part of the language", span, hint)


def _lowered(char: str) -> str:
    return unicodedata.normalize("NFKC", char)


def strings_refused(span: Span) -> GradcliError:
    """The error for quotes of any kind."""
    hint = "names are written without quotes"
    return syntax_error("there are no strings in this language", span, hint)


def unexpected_character(char: str, span: Span) -> GradcliError:
    """The error for a character that the language has no use for."""
    hint = _INSTEAD.get(char)
    if hint is None and (char in _INVISIBLE or not char.isprintable()):
        hint = "delete it; it may have come along from where the text was copied"
    return syntax_error(f"{describe(char)} is not part of the language", span, hint)
