"""Files that announce or unpack to more than they have: refused before anything is allocated."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from zipfile import ZIP_DEFLATED

import polars as pl
import pytest

from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.files import files, numpy_files, unpacked

ZEROS = bytes(1 << 22)

LIMITED = """
import json, resource, sys
from gradcli.cli.app import run
from gradcli.cli.environment import Environment
resource.setrlimit(resource.RLIMIT_AS, (1_500 << 20,) * 2)
said = []
for arguments in json.loads(sys.argv[1]):
    environment = Environment.captured()
    said.append([run(arguments, environment), *environment.written()])
print(json.dumps(said))
"""


def npy_header(shape: str, kind: str = "<f8") -> bytes:
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"
    text = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def packed(head: bytes, times: int) -> tuple[bytes, int]:
    """Raw deflate of a head and so many times 4 MB of zeros, and the size of it all."""
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = pack.compress(head) + pack.flush(zlib.Z_FULL_FLUSH)
    block = pack.compress(ZEROS) + pack.flush(zlib.Z_FULL_FLUSH)
    return first + block * times + pack.flush(), len(head) + times * len(ZEROS)


def archive(content: bytes, size: int, crc: int = 0) -> bytes:
    """An `.npz` with the one array x, of the size that is announced."""
    name = b"x.npy"
    sizes = (crc, len(content), size, len(name))
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, ZIP_DEFLATED, 0, 33, *sizes, 0) + name
    entry = struct.pack(
        "<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, ZIP_DEFLATED, 0, 33, *sizes, 0, 0, 0, 0, 0, 0
    )
    entry += name
    body = local + content
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1, 1, len(entry), len(body), 0)
    return body + entry + end


@pytest.mark.skipif(sys.platform != "linux", reason="has no such limit of memory")
def test_nothing_is_allocated_for_what_is_announced(tmp_path: Path) -> None:
    """All in one process that has 1.5 GB, where NumPy alone takes a part of it."""

    def write(name: str, content: bytes) -> None:
        (tmp_path / name).write_bytes(content)

    content, size = packed(npy_header("(402653184,)"), 768)
    write("bomb.npz", archive(content, size))
    content, _ = packed(npy_header("(4,)") + bytes(32), 0)
    write("lie.npz", archive(content, 2**32 - 2))
    head = npy_header("(99999999999,)") + bytes(32)
    content, size = packed(head, 0)
    write("lying header.npz", archive(content, size, zlib.crc32(head)))
    headers = {
        "long": ("(99999999999,)", "<f8"),
        "long bytes": ("(3000000000,)", "|i1"),
        "negative": ("(-1,)", "<f8"),
        "no number": ("(2.5,)", "<f8"),
        "truth": ("(True,)", "<f8"),
        "without elements": (f"(0, {'9' * 30})", "<f8"),
        "huge": (f"({'9' * 30},)", "<f8"),
        "axes": (f"({'1,' * 40})", "<f8"),
        "text": ("(2,)", "<U100000000"),
        "nothing": ("(2,)", "|V1000000000"),
        "objects": ("(2,)", "|O"),
        "brackets": ("(" * 40 + ")" * 40 + "," * 0 + "[", "<f8"),
    }
    for name, (shape, kind) in headers.items():
        write(f"{name}.npy", npy_header(shape, kind) + bytes(32))
    for name in ("x.json", "x.npy", "x.csv", "x.ndjson", "x.npz"):
        write(name, b"")
        os.truncate(tmp_path / name, 100 << 30)
    values = pl.LazyFrame({"i": [0]}).select(
        pl.repeat(1.0, 200_000_000, dtype=pl.Float64).alias("x")
    )
    values.sink_parquet(tmp_path / "bomb.parquet", row_group_size=200_000_000)
    archives = ("bomb.npz", "lie.npz", "lying header.npz")
    commands = [
        *(["eval", "sum(x)", "--data", name] for name in (*archives, "x.json", "x.npz")),
        *(["eval", "sum(x)", "--x", f"@{name}.npy"] for name in headers),
        *(["eval", "sum(x)", "--x", f"@{name}"] for name in ("x.json", "x.npy", "x.csv")),
        *(["batch", "x", n] for n in (*archives, "bomb.parquet", "x.csv", "x.ndjson", "x.npz")),
    ]
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED, json.dumps(commands)],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    for command, (code, out, err) in zip(commands, json.loads(ran.stdout), strict=True):
        assert (code, out, err.count("error: ")) == (2, "", 1), (command, out, err)
        assert "gradcli itself" not in err, (command, err)
        assert "memory" not in err, (command, err)


@pytest.mark.parametrize("name", ["x.csv.gz", "x.json.gz", "x.npy.gz", "x.csv.zst"])
def test_unpacking_stops_at_the_bound(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (files, unpacked, numpy_files):
        monkeypatch.setattr(module, "MOST", 1 << 20)
    lines = "1\n" * (1 << 20)
    if name.endswith(".zst"):
        pl.LazyFrame({"x": lines.split()}).sink_csv(
            tmp_path / name, include_header=False, compression="zstd"
        )
    else:
        gz = zlib.compressobj(9, zlib.DEFLATED, 31)
        (tmp_path / name).write_bytes(gz.compress(lines.encode()) + gz.flush())
    environment = Environment.captured()
    assert run(["eval", "sum(x)", "--x", f"@{tmp_path / name}"], environment) == 2
    assert "unpacks to something larger than 1 MB" in environment.written()[1]
