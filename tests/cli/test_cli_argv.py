"""Arguments are told apart: options, bindings, positional words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcli.cli.argv import Binding, Words, sort_words
from gradcli.diagnostics.error import GradcliError, Kind

OPTIONS = {"--json": False, "--help": False, "--set": True, "--precision": True, "--file": True}


def sort(*words: str, binds: bool = True, lenient: bool = False) -> Words:
    return sort_words(words, OPTIONS, binds=binds, lenient=lenient)


def bound(name: str, text: str) -> Binding:
    return Binding(name, text, f"--{name}")


class TestWords:
    def test_options_stand_before_or_after_the_program(self) -> None:
        expected = Words(["--json", "--precision=8"], [bound("x", "3")], ["x^2"])
        assert sort("x^2", "--x", "3", "--json", "--precision", "8") == expected
        assert sort("--json", "--precision=8", "--x=3", "x^2") == expected

    @pytest.mark.parametrize(
        "program",
        ["-x^2", "-v**2", "-x", "-", "-4", "--x^2", "--2", "--(x)", "--x²", "---x", "-h(x)", ""],
    )
    def test_a_program_may_begin_with_minus_signs(self, program: str) -> None:
        """Typer's one-letter options would eat the letters of `-v**2`."""
        expected = Words(["--json"], [bound("x", "-3")], [program])
        assert sort(program, "--x", "-3", "--json") == expected
        assert sort("--json", "--x", "-3", program) == expected

    @pytest.mark.parametrize("value", ["-4", "-4e-3", "--4", "-pi/2", "-x", "-", "", "a=b", "@f"])
    def test_any_word_but_an_option_is_a_value(self, value: str) -> None:
        assert sort("--x", value).bindings == [bound("x", value)]
        assert sort(f"--x={value}").bindings == [bound("x", value)]

    def test_a_value_may_begin_like_an_option_after_an_equals_sign(self) -> None:
        assert sort("--x=--y").bindings == [bound("x", "--y")]
        assert sort("--file=--json").options == ["--file=--json"]

    def test_a_value_may_have_several_lines(self) -> None:
        assert sort("--x=[1,\n2]").bindings == [bound("x", "[1,\n2]")]

    def test_a_single_h_is_help(self) -> None:
        assert sort("-h").options == ["--help"]
        assert sort("--x", "-h").bindings == [bound("x", "-h")]

    def test_everything_after_two_dashes_is_positional(self) -> None:
        assert sort("--json", "--", "--x", "--json", "-h", "--") == Words(
            ["--json"], [], ["--x", "--json", "-h", "--"]
        )

    @pytest.mark.parametrize("form", [("--set", "file=3"), ("--set=file=3",)])
    def test_set_binds_names_that_are_options(self, form: tuple[str, ...]) -> None:
        assert sort(*form).bindings == [Binding("file", "3", "--set file")]

    def test_a_set_value_may_have_equals_signs(self) -> None:
        assert sort("--set", "x = a == b").bindings == [Binding("x", " a == b", "--set x")]

    @pytest.mark.parametrize(
        ("typed", "name"),
        [
            ("--x₁", "x1"),
            ("--µ", "μ"),
            ("--ŷ", "ŷ"),
            ("--y\N{COMBINING CIRCUMFLEX ACCENT}", "ŷ"),
            ("--δ_x", "δ_x"),
        ],
    )
    def test_names_are_normalised(self, typed: str, name: str) -> None:
        assert sort(typed, "1").bindings == [bound(name, "1")._replace(origin=typed)]


class TestErrors:
    @pytest.mark.parametrize(
        ("words", "message", "hint"),
        [
            (["x", "--jsn"], "unknown option '--jsn'", "did you mean '--json'?"),
            (["x", "--jsn", "--x", "3"], "unknown option '--jsn'", "did you mean '--json'?"),
            (["x", "--theta"], "--theta has no value", "--theta 3 gives the input 'theta' a value"),
            (["x", "--y", "--"], "--y has no value", "--y 3 gives the input 'y' a value"),
            (["x", "--precision"], "--precision needs a value", "--precision 8"),
            (["x", "--file", "--json"], "--file needs a value", "--file task.grad"),
            (["x", "--json=3"], "--json takes no value", "leave out '=3'"),
            (["x", "--set", "3"], "--set takes NAME=VALUE, and this is '3'", "--set x=3"),
            (
                ["x", "--set", "y"],
                "--set takes NAME=VALUE, and this is 'y'",
                "--set y=1 binds the input 'y'",
            ),
            (["x", "--set", "=3"], "--set takes NAME=VALUE, and this is '=3'", "--set x=3"),
            (
                ["x", "--precisio-n", "3"],
                "unknown option '--precisio-n'",
                "did you mean '--precision'?",
            ),
        ],
    )
    def test_says_what_is_wrong(self, words: list[str], message: str, hint: str) -> None:
        with pytest.raises(GradcliError) as raised:
            sort(*words)
        assert raised.value.kind is Kind.OPTION
        assert raised.value.message == message
        assert raised.value.hint == hint

    def test_without_inputs_every_other_name_is_unknown(self) -> None:
        with pytest.raises(GradcliError, match="unknown option '--x'"):
            sort("--x", "3", binds=False)

    @pytest.mark.parametrize("words", [["--jsn"], ["--x"], ["--precision"], ["--json=3"]])
    def test_a_line_that_is_still_typed_has_no_errors(self, words: list[str]) -> None:
        sort(*words, lenient=True)


@given(st.lists(st.text() | st.sampled_from([*OPTIONS, "--x", "--", "-h", "--x=", "--set=a=1"])))
@settings(deadline=None)
def test_whatever_the_words_there_is_a_result_or_an_error(words: list[str]) -> None:
    try:
        found = sort(*words)
    except GradcliError as error:
        assert error.kind is Kind.OPTION
    else:
        assert all(word.partition("=")[0] in OPTIONS for word in found.options)
