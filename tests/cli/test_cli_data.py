"""Numbers from files: what is read, and how what can't be read is refused."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.files import files
from gradcli.files.arrays import array_from_file, inputs_from_file

Write = Callable[[str, str | bytes], str]


class Everything:
    """All names are wanted."""

    def __contains__(self, name: object) -> bool:
        return True


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a file into an empty folder that is also the current one; its name is its path."""
    monkeypatch.chdir(tmp_path)

    def write_file(name: str, content: str | bytes) -> str:
        data = content.encode() if isinstance(content, str) else content
        Path(name).write_bytes(data)
        return name

    return write_file


def refused(read: Callable[..., Any], *arguments: Any) -> GradcliError:
    with pytest.raises(GradcliError) as raised:
        read(*arguments)
    assert raised.value.kind is Kind.FILE
    return raised.value


def npy(array: Any, *, allow_pickle: bool = False) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=allow_pickle)
    return file.getvalue()


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


class TestText:
    @pytest.mark.parametrize(
        ("name", "text", "expected"),
        [
            ("x.csv", "1\n2\n3\n", [1, 2, 3]),
            ("x.csv", "1,2\n3,4", [[1, 2], [3, 4]]),
            ("x.csv", "1,2\n", [[1, 2]]),
            ("x.csv", "3.5", [3.5]),
            ("x.csv", "a, b\n1,2\n", [[1, 2]]),
            ("x.csv", "weight\n1\n", [1]),
            ("x.csv", '"1";"2"\n"3";"4"\n', [[1, 2], [3, 4]]),
            ("x.csv", "\ufeff1,2\r\n3,4\r\n", [[1, 2], [3, 4]]),
            ("x.csv", "\n1,2\n\n3,4\n\n", [[1, 2], [3, 4]]),
            ("x.csv", "# written by numpy\n1,2\n", [[1, 2]]),
            ("x.csv", "1\t2\n", [[1, 2]]),
            ("x.tsv", "1\t2\n3\t4\n", [[1, 2], [3, 4]]),
            ("x.txt", " 1   2\n 3   4\n", [[1, 2], [3, 4]]),
            ("x.txt", "1e-3 -inf nan\n", [[1e-3, -np.inf, np.nan]]),
            ("x", "1, 2\n", [[1, 2]]),
            ("x.csv", "a\n−3\n−2.5e−1\n", [-3, -0.25]),
        ],
    )
    def test_tables(self, write: Write, name: str, text: str, expected: object) -> None:
        np.testing.assert_array_equal(array_from_file(write(name, text)), expected)

    def test_precision_is_kept(self, write: Write) -> None:
        assert array_from_file(write("x.txt", "0.1\n0.30000000000000004\n"))[1] == 0.1 + 0.2

    @pytest.mark.parametrize(
        ("text", "message", "line", "marked"),
        [
            ("1,2\n3,x\n", "row 2, column 2: 'x' isn't a number", 2, "x"),
            ("a,b\n1,2\n3,\n", "row 2, column 2: the cell is empty", 3, None),
            ("1,2\n3\n", "row 2: 1 columns, the rows before have 2", 2, "3"),
            ("1,2\n3,4,5\n", "row 2: 3 columns, the rows before have 2", 2, "3,4,5"),
            ("1;2\n3,5;4\n", "row 2, column 1: '3,5' isn't a number", 2, "3,5"),
            ("1_000,2\n", "row 1, column 1: '1_000' isn't a number", 1, "1_000"),
            ("1 2\n3 4x\n", "row 2, column 2: '4x' isn't a number", 2, "4x"),
            ("1,1+2j\n", "row 1, column 2: '1+2j' isn't a number", 1, "1+2j"),
        ],
    )
    def test_the_cell_is_named_and_marked(
        self, write: Write, text: str, message: str, line: int, marked: str | None
    ) -> None:
        error = refused(array_from_file, write("x.csv", text))
        assert error.message == f"'x.csv' {message}"
        assert error.source is not None
        assert error.span is not None
        assert error.source.position(error.span.start)[0] == line
        if marked is not None:
            assert error.source.text[slice(*error.span)] == marked

    def test_decimal_commas_get_a_hint(self, write: Write) -> None:
        error = refused(array_from_file, write("x.csv", "1,5;2\n"))
        assert error.hint == "decimal commas are not read: write 1.5"

    @pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n"])
    def test_empty(self, write: Write, text: str) -> None:
        assert refused(array_from_file, write("x.csv", text)).message == "'x.csv' is empty"

    def test_header_alone(self, write: Write) -> None:
        message = refused(array_from_file, write("x.csv", "a,b\n")).message
        assert message == "'x.csv' has a header and no numbers"

    @given(text=st.text(max_size=60) | st.text('0123456789.,;e-\n \t"#', max_size=60))
    @settings(deadline=None)
    def test_whatever_the_text_there_is_an_array_or_an_error(
        self, tmp_path_factory: pytest.TempPathFactory, text: str
    ) -> None:
        path = tmp_path_factory.getbasetemp() / "fuzz.txt"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            array = array_from_file(str(path))
        except GradcliError as error:
            assert error.kind is Kind.FILE
        else:
            assert array.dtype == np.float64


class TestNumpyFiles:
    @pytest.mark.parametrize(
        "array",
        [
            np.arange(6).reshape(2, 3),
            np.asfortranarray(np.ones((2, 3))),
            np.array([1.5, 2.5], dtype=">f8"),
            np.array([1, 2], dtype=np.float16),
            np.array([True, False]),
            np.zeros((2, 0)),
        ],
    )
    def test_npy(self, write: Write, array: Any) -> None:
        read = array_from_file(write("x.npy", npy(array)))
        assert read.dtype == np.float64
        np.testing.assert_array_equal(read, array)

    def test_a_number(self, write: Write) -> None:
        assert array_from_file(write("x.npy", npy(np.array(3)))) == np.float64(3)

    def test_the_content_counts_where_the_name_says_nothing(self, write: Write) -> None:
        np.testing.assert_array_equal(array_from_file(write("x", npy(np.ones(2)))), [1, 1])

    def test_pickles_are_not_executed(self, write: Write, tmp_path: Path) -> None:
        class Trap:
            def __reduce__(self) -> Any:
                return (Path.touch, (tmp_path / "sprung",))

        array = np.array([Trap()], dtype=object)
        for name, content in (
            ("x.npy", npy(array, allow_pickle=True)),
            ("y.npy", pickle.dumps(Trap())),
            ("z", pickle.dumps(Trap())),
        ):
            refused(array_from_file, write(name, content))
        assert "could run code" in refused(array_from_file, "x.npy").message
        refused(inputs_from_file, write("x.npz", npz(x=array)), {"x"})
        assert not (tmp_path / "sprung").exists()

    @pytest.mark.parametrize(
        ("array", "what"),
        [
            (np.array([1 + 2j]), "complex numbers"),
            (np.array(["a"]), "text"),
            (np.array([b"a"]), "bytes"),
            (np.array(["2024-01-01"], dtype="datetime64[D]"), "dates"),
            (np.zeros(2, dtype=[("a", float)]), "elements of type"),
        ],
    )
    def test_only_real_numbers(self, write: Write, array: Any, what: str) -> None:
        assert what in refused(array_from_file, write("x.npy", npy(array))).message
        error = refused(inputs_from_file, write("x.npz", npz(W=array)), {"W"})
        assert f"holds in 'W' {what}" in error.message

    def test_damaged(self, write: Write) -> None:
        whole = npy(np.arange(100.0))
        for end in range(0, len(whole) - 1, 7):
            refused(array_from_file, write("x.npy", whole[:end]))

    @pytest.mark.parametrize(
        ("end", "message"),
        [
            (0, "'x.npy' is empty"),
            (3, "'x.npy' is cut off"),
            (30, "'x.npy' is damaged: it is cut off, 20 of 118 bytes are there"),
            (-3, "'x.npy' is damaged: it is cut off, 37 of 40 bytes are there"),
        ],
    )
    def test_cut_off(self, write: Write, end: int, message: str) -> None:
        path = write("x.npy", npy(np.arange(5.0))[:end])
        assert refused(array_from_file, path).message == message

    def test_a_header_that_lies_about_the_size(self, write: Write) -> None:
        content = npy(np.arange(2.0)).replace(b"(2,), }" + b" " * 10, b"(99999999999,), }")
        assert "damaged" in refused(array_from_file, write("x.npy", content)).message

    def test_npz(self, write: Write) -> None:
        path = write("x.npz", npz(W=np.ones((2, 2)), x=3, unused=np.array(["a"])))
        inputs = inputs_from_file(path, {"W", "x", "y"})
        assert inputs.keys() == {"W", "x"}
        assert inputs["x"] == 3
        assert inputs["W"].shape == (2, 2)

    def test_damaged_npz(self, write: Write) -> None:
        whole = npz(x=np.arange(100.0))
        for end in range(0, len(whole) - 1, 11):
            refused(inputs_from_file, write("x.npz", whole[:end]), {"x"})
        torn = bytearray(whole)
        torn[200] ^= 1
        assert "damaged in" in refused(inputs_from_file, write("x.npz", bytes(torn)), {"x"}).message

    def test_one_name_twice(self, write: Write) -> None:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("x1.npy", npy(1.0))
            archive.writestr("x₁.npy", npy(2.0))
        path = write("x.npz", content.getvalue())
        assert refused(inputs_from_file, path, {"x1"}).message == "'x.npz' gives 'x1' twice"


class TestJson:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("3", 3.0),
            ("[1, 2.5, true]", [1, 2.5, 1]),
            ("[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
            ('["NaN", "Infinity", "-Infinity", 1]', [np.nan, np.inf, -np.inf, 1]),
            ("[NaN, -Infinity]", [np.nan, -np.inf]),
            ('"NaN"', np.nan),
            ("[]", []),
            ("1" + "0" * 5000, np.inf),
        ],
    )
    def test_arrays(self, write: Write, text: str, expected: object) -> None:
        np.testing.assert_array_equal(array_from_file(write("x.json", text)), expected)

    def test_inputs(self, write: Write) -> None:
        text = '{"x₁": 3, "W": [[1, 2]], "unused": "text"}'
        inputs = inputs_from_file(write("d.json", text), {"x1", "W"})
        assert inputs["x1"] == 3
        np.testing.assert_array_equal(inputs["W"], [[1, 2]])
        assert inputs.keys() == {"x1", "W"}

    def test_what_gradcli_writes_it_reads(self, write: Write) -> None:
        text = '{"x": 3.0, "W": [[1.0, "NaN"], ["-Infinity", 0.1]]}'
        inputs = inputs_from_file(write("d.json", text), {"x", "W"})
        np.testing.assert_array_equal(inputs["W"], [[1, np.nan], [-np.inf, 0.1]])

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('{"x": "abc"}', "'d.json' has in x text, not a number: 'abc'"),
            ('{"x": [1, "2"]}', "'d.json' has in x[1] text, not a number: '2'"),
            ('{"x": [[1, 2], [3, null]]}', "'d.json' has in x[1, 1] null, not a number"),
            ('{"x": {"y": 1}}', "'d.json' has in x an object"),
            ('{"x": [1, {"y": 1}]}', "'d.json' has in x[1] an object"),
            (
                '{"x": [[1, 2], [3]]}',
                "'d.json' has rows of unequal length: x[0] has 2, x[1] has 1",
            ),
            (
                '{"x": [1, [2]]}',
                "'d.json' has rows of unequal length: x[0] is a number, x[1] has 1",
            ),
            ('{"x": 1, "x": 2}', "'d.json' gives 'x' twice"),
            ('{"x1": 1, "x₁": 2}', "'d.json' gives 'x1' twice"),
            ('{"x": 1,}', "'d.json' isn't JSON: "),
            ("", "'d.json' is empty"),
            ("  \n", "'d.json' is empty"),
            ("[1, 2]", "'d.json' holds no object of names and values"),
            ("3", "'d.json' holds no object of names and values"),
            ('{"x": ' + "[" * 100_000, "'d.json' is nested too deep"),
            ('{"x": ' + "[" * 200 + "1" + "]" * 200 + "}", "'d.json' is nested too deep in 'x'"),
        ],
    )
    def test_errors(self, write: Write, text: str, message: str) -> None:
        error = refused(inputs_from_file, write("d.json", text), {"x", "x1"})
        assert error.message.startswith(message)

    def test_syntax_errors_show_the_place(self, write: Write) -> None:
        error = refused(inputs_from_file, write("d.json", '{"x": 1,\n "y": }'), {"x"})
        assert error.source is not None
        assert error.span is not None
        assert error.source.position(error.span.start) == (2, 7)

    @given(
        st.recursive(
            st.floats(width=32) | st.none() | st.booleans() | st.text(max_size=3) | st.integers(),
            lambda inner: st.lists(inner, max_size=3),
        )
    )
    @settings(deadline=None)
    def test_whatever_the_value_there_is_an_array_or_an_error(
        self, tmp_path_factory: pytest.TempPathFactory, value: object
    ) -> None:
        path = tmp_path_factory.getbasetemp() / "fuzz.json"
        path.write_text(json.dumps({"x": value}), encoding="utf-8")
        try:
            inputs = inputs_from_file(str(path), {"x"})
        except GradcliError as error:
            assert error.kind is Kind.FILE
        else:
            assert inputs["x"].dtype == np.float64


class TestWrongFile:
    @pytest.mark.parametrize(
        ("name", "content", "hint"),
        [
            ("x.npz", npz(x=1), "--data x.npz reads them by their names"),
            ("x", npz(x=1), "--data x reads them by their names"),
            ("x.json", "{}", "--data x.json reads it by its keys"),
        ],
    )
    def test_many_inputs_for_one(
        self, write: Write, name: str, content: str | bytes, hint: str
    ) -> None:
        assert refused(array_from_file, write(name, content)).hint == hint

    @pytest.mark.parametrize("name", ["x.npy", "x.csv", "x"])
    def test_one_array_for_many_inputs(self, write: Write, name: str) -> None:
        error = refused(inputs_from_file, write(name, npy(1.0)), {"x"})
        assert error.hint == f"--NAME @{name} binds it"

    def test_missing(self, write: Write) -> None:
        write("weights.csv", "1")
        error = refused(array_from_file, "wieghts.csv")
        assert error.message == "there is no file 'wieghts.csv'"
        assert error.hint == "did you mean 'weights.csv'?"

    def test_folder(self, tmp_path: Path) -> None:
        error = refused(array_from_file, str(tmp_path))
        assert error.message == f"'{tmp_path}' is a folder, not a file"

    @pytest.mark.parametrize("path", ["", "a\0b", "a" * 5000, "no/such/folder/x"])
    def test_impossible_names(self, path: str) -> None:
        refused(array_from_file, path)

    def test_binary(self, write: Write) -> None:
        error = refused(array_from_file, write("x.csv", bytes(range(256))))
        assert error.message == "'x.csv' is not text: there are null bytes in it"

    def test_another_encoding(self, write: Write) -> None:
        error = refused(array_from_file, write("x.csv", "1\n\xe9\n".encode("latin-1")))
        assert error.message == "'x.csv' is not text in UTF-8: the byte 0xe9 in line 2"
        for encoding in ("utf-16-le", "utf-16-be"):
            error = refused(array_from_file, write("x.csv", "\ufeff1\n".encode(encoding)))
            assert error.message == "'x.csv' is text in UTF-16"

    def test_without_an_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Endless(io.RawIOBase):
            def read(self, size: int = -1) -> bytes:
                return bytes(size)

        monkeypatch.setattr(files, "MOST", 5 << 20)
        with pytest.raises(GradcliError, match="does not end: 5 MB were read"):
            files.read_stream(Endless(), "standard input")  # type: ignore[arg-type]
