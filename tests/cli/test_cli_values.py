"""The VALUE of a binding: constant expressions, drawn numbers, files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from gradcli.cli.inputs import value_of
from gradcli.diagnostics.error import GradcliError, Kind


def drawn(text: str, stream: str = "W", seed: int = 0) -> npt.NDArray[np.float64]:
    value = value_of(text, f"--{stream}", stream=stream, seed=seed)
    assert isinstance(value, np.ndarray)
    return value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", 3.0),
        ("-4", -4.0),
        ("-.5e-3", -0.0005),
        ("1_000", 1000.0),
        (" 7 ", 7.0),
        ("½", 0.5),
        ("pi/2", np.pi / 2),
        ("-e", -np.e),
        ("2^-1", 0.5),
        ("−3", -3.0),
        ("[1, 2, 3]", [1, 2, 3]),
        ("[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
        ("eye(2)", [[1, 0], [0, 1]]),
        ("np.linspace(0, 1, 3)", [0, 0.5, 1]),
        ("[1,\n 2]", [1, 2]),
        ("inf", np.inf),
        ("True", 1.0),
        ("[]", np.zeros(0)),
        (" [ ] ", np.zeros(0)),
    ],
)
def test_constant_expressions(text: str, expected: object) -> None:
    value = value_of(text, "--x")
    assert value.dtype == np.float64
    np.testing.assert_array_equal(value, expected)


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("", Kind.SYNTAX, "an expression is missing here"),
        ("y", Kind.NAME, "a value can't depend on 'y'"),
        ("2*y + 1", Kind.NAME, "a value can't depend on 'y'"),
        ("sigmod(3)", Kind.NAME, "unknown function 'sigmod'"),
        ("y = 3", Kind.SYNTAX, "here stands an expression, not a definition"),
        ("1/0", Kind.DOMAIN, "1/0 is not defined"),
        ("normal(1.5)", Kind.SYNTAX, "a size is a whole number above 0"),
        ("normal(-1)", Kind.SYNTAX, "a size is a whole number above 0"),
        ("normal([1, 2] + 1)", Kind.SYNTAX, "a size is a whole number above 0"),
        ("normal(normal())", Kind.SYNTAX, "a size can't be drawn"),
        ("normal(n=3)", Kind.SYNTAX, "normal has no argument 'n'"),
        ("uniform(10^9, 10^9)", Kind.SYNTAX, "an array has at most 268,435,456 elements"),
    ],
)
def test_errors_show_the_value(text: str, kind: Kind, message: str) -> None:
    with pytest.raises(GradcliError) as raised:
        value_of(text, "--x")
    error = raised.value
    assert (error.kind, error.message) == (kind, message)
    assert error.source is not None
    assert (error.source.text, error.source.name) == (text, "--x")
    assert error.span is not None


class TestDraws:
    def test_shapes(self) -> None:
        assert np.ndim(value_of("normal()", "--x")) == 0
        assert drawn("normal(3)").shape == (3,)
        assert drawn("normal(2, 3)").shape == (2, 3)
        assert drawn("normal((2, 3))").shape == (2, 3)
        assert drawn("uniform(1 + 1, 3).T").shape == (3, 2)

    def test_distributions(self) -> None:
        normal, uniform = drawn("normal(100, 100)"), drawn("uniform(100, 100)")
        assert abs(normal.mean()) < 0.05
        assert abs(normal.std() - 1) < 0.05
        assert uniform.min() >= 0
        assert uniform.max() < 1
        assert abs(uniform.mean() - 0.5) < 0.02

    def test_reproducible_through_the_seed(self) -> None:
        np.testing.assert_array_equal(drawn("normal(3)"), drawn("normal(3)"))
        assert (drawn("normal(3)") != drawn("normal(3)", seed=1)).all()

    def test_each_binding_has_a_stream_of_its_own(self) -> None:
        assert (drawn("normal(3)", "W1") != drawn("normal(3)", "W2")).all()

    def test_the_numbers_stay_what_they_are(self) -> None:
        """Homework and documentation rely on them: a change is a change of the contract."""
        expected = [0.08914269428888585, -0.906685747506205]
        np.testing.assert_allclose(drawn("normal(2)", "x"), expected, rtol=1e-12)

    def test_part_of_an_expression(self) -> None:
        parts = drawn("[normal(), normal(), uniform()]")
        assert len(set(parts.tolist())) == 3
        np.testing.assert_allclose(drawn("2normal(3) + 1"), 2 * drawn("normal(3)") + 1)

    def test_errors_beside_a_draw_keep_their_place(self) -> None:
        with pytest.raises(GradcliError) as raised:
            value_of("normal(2) + yy", "--x")
        assert raised.value.span == (12, 14)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("normal(3)[4]", "index 4 is out of range for axis 0 with 3 elements"),
            (
                "inv(normal(2))",
                "shapes do not fit in inv(normal(2)): it needs a matrix, not a vector of 2",
            ),
            ("log(uniform(2) - 9)", "log(uniform(2) - 9) is not defined at a[0] = -8.85296"),
            ("log(-uniform())", "log(-uniform()) is not defined at a = -0.147042"),
        ],
    )
    def test_errors_show_what_was_written(self, text: str, message: str) -> None:
        with pytest.raises(GradcliError) as raised:
            value_of(text, "--x", stream="z")
        assert raised.value.message == message
        assert "ᚱ" not in str(raised.value)


def test_at_sign_reads_a_file(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("1\n2\n")
    np.testing.assert_array_equal(value_of(f"@{path}", "--x"), [1, 2])
