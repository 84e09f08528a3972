"""Arrays from files: every format with what it may hold, and every way a file may be wrong, deceive or be out of reach.

A refusal stands at the `load(...)` of the network, names the file, and says how to mend it; nothing of the size that a
file claims is made before that size is allowed.
"""

from __future__ import annotations

import io
import json
import os
import random
import re
import resource
import struct
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import backhand
from backhand import limits
from backhand.errors import BackhandError, LimitError, ReadError
from backhand.readers import array_files
from backhand.text import Source


def load(folder: Path, call: str) -> Any:
    """The array that a network in this folder loads."""
    net = folder / "net.bh"
    net.write_text(f"# one line above\nW = {call}\ny = sum(W)\n")
    quantity = backhand.read(net)["W"]
    return quantity.given if quantity.array is None else quantity.array


def refused(folder: Path, call: str, *words: str, kind: type[BackhandError] = ReadError) -> str:
    """The sentence; it stands at the call."""
    with pytest.raises(kind) as caught:
        load(folder, call)
    error = caught.value
    assert type(error) is kind
    assert error.span is not None and error.span.line == 2
    assert error.span.source.text[error.span.start : error.span.end] == call
    assert error.what.endswith(".") and error.cure.endswith((".", "?")), error.sentence
    for each in words:
        assert re.search(each, error.sentence), f"{each!r} is missing in: {error.sentence}"
    return error.sentence


# -- what is read ----------------------------------------------------------------------------------------------------

TYPES = ["<f8", ">f8", "<f4", ">f4", "<f2", "<i8", ">i4", "<i2", "i1", "u1", "<u8", "?"]


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_numpy_files_of_every_type_and_order(kind: str, order: Any, suffix: str, tmp_path: Path) -> None:
    array = np.array([[0, 1, 2], [3, 4, 5]]).astype(kind, order=order)
    if suffix == "npy":
        np.save(tmp_path / "W.npy", array)
    else:
        np.savez_compressed(tmp_path / "W.npz", W=array)
    assert load(tmp_path, f'load("W.{suffix}")').tolist() == array.astype(int).tolist()


def test_a_number_without_axes(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", np.float64(0.1))
    assert load(tmp_path, 'load("w.npy")') == Fraction(1, 10)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_versions_of_npy(version: tuple[int, int], tmp_path: Path) -> None:
    with (tmp_path / "W.npy").open("wb") as file:
        np.lib.format.write_array(file, np.arange(3.0), version=version)
    assert load(tmp_path, 'load("W.npy")').tolist() == [0, 1, 2]


def test_one_of_several_in_an_archive(tmp_path: Path) -> None:
    np.savez(tmp_path / "net.npz", W1=np.eye(2), b1=np.array([0.5, 0.25]))
    assert load(tmp_path, 'load("net.npz", "b1")').tolist() == [Fraction(1, 2), Fraction(1, 4)]
    assert load(tmp_path, 'load("net.npz", name="W1")').tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.float16])
def test_numbers_count_as_their_shortest_decimals(kind: type[np.floating[Any]], tmp_path: Path) -> None:
    np.save(tmp_path / "W.npy", np.array([0.1, -2.5, 3e-5, 0.15, 0, 700], kind))
    expected = [Fraction(text) for text in ("0.1", "-2.5", "0.00003", "0.15", "0", "700")]
    assert load(tmp_path, 'load("W.npy")').tolist() == expected


def test_shortest_decimals_are_those_numpy_prints() -> None:
    draw = np.random.default_rng(1)
    numbers = (draw.normal(size=3000) * 10.0 ** draw.integers(-44, 38, 3000)).astype(np.float32)
    found = array_files.shortest(numbers, lambda n: n.astype(np.float32))
    assert found.tolist() == [float(str(n)) for n in numbers]


def safetensors(path: Path, header: dict[str, Any] | bytes, data: bytes, length: int | None = None) -> None:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)


SAFE = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1"}


@pytest.mark.parametrize("kind", SAFE)
def test_safetensors_of_every_type(kind: str, tmp_path: Path) -> None:
    array = np.array([[1, 2, 3], [4, 5, 6]], SAFE[kind])
    entry = {"dtype": kind, "shape": [2, 3], "data_offsets": [8, 8 + array.nbytes]}
    other = {"dtype": "U8", "shape": [8], "data_offsets": [0, 8]}
    header = {"__metadata__": {"format": "pt"}, "b": other, "W": entry}
    safetensors(tmp_path / "net.safetensors", header, bytes(8) + array.tobytes())
    assert load(tmp_path, 'load("net.safetensors", "W")').tolist() == array.astype(int).tolist()


def test_safetensors_of_bfloat16_and_truth(tmp_path: Path) -> None:
    numbers = np.array([0.1, -3, 1e30, 1e-20, 0, 0.75], np.float32)
    halves = ((numbers.view(np.uint32) + 0x8000) >> 16).astype(np.uint16)  # to the nearest, which none of these ties
    data = halves.tobytes() + b"\1\0\1"
    header = {
        "w": {"dtype": "BF16", "shape": [6], "data_offsets": [0, 12]},
        "m": {"dtype": "BOOL", "shape": [3], "data_offsets": [12, 15]},
    }
    safetensors(tmp_path / "n.safetensors", header, data)
    expected = [Fraction(t) for t in ("0.1", "-3", "1e30", "1e-20", "0", "0.75")]
    assert load(tmp_path, 'load("n.safetensors", "w")').tolist() == expected
    assert load(tmp_path, 'load("n.safetensors", "m")').tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    "text",
    [
        "0.1,2\n-3,4e1\n",
        "0.1;2\n-3;4e1",
        "0.1\t2\r\n-3\t4e1\r\n",
        "height, width\n0.1, 2\n\n-3, 40\n\n",
        '"height, in m","width"\n"0.1",2\n-3,40\n',
        "\ufeff0.1,+2\n-3,40.",
    ],
)
def test_tables(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(text, newline="")
    assert load(tmp_path, 'load("x.csv")').tolist() == [[Fraction(1, 10), 2], [-3, 40]]


def test_a_table_of_one_line_or_one_column_is_a_vector(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("1,2,3\n")
    (tmp_path / "t.tsv").write_text("class\n1\n0\n2\n")
    assert load(tmp_path, 'load("x.csv")').tolist() == [1, 2, 3]
    assert load(tmp_path, 'load("t.tsv")').tolist() == [1, 0, 2]


def test_a_table_too_large_for_fractions_is_of_floats(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("\n".join(["0.5," * 399 + "0.25"] * 300))
    array = load(tmp_path, 'load("x.csv")')
    assert array.dtype == np.float64 and array.shape == (300, 400) and array[-1, -1] == 0.25


def test_below_the_network_and_in_formulas(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    np.save(tmp_path / "data" / "W.npy", np.eye(2))
    net = tmp_path / "net.bh"
    net.write_text('x = [3, 4]\ny = load("data/W.npy") @ x\nL = sum(y)\n')
    graph = backhand.read(net)
    assert backhand.propagate(graph).value("L") == 7
    net.write_text(str(graph))
    assert backhand.read(net) == graph


def test_a_text_finds_files_below_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "W.npy", np.ones(3))
    monkeypatch.chdir(tmp_path)
    assert backhand.read('W = load("W.npy")\nL = sum(W)')["W"].shape == (3,)


# -- where files may be ----------------------------------------------------------------------------------------------


def test_files_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    np.save(tmp_path / "secret.npy", np.array([271828.0]))
    (folder / "link.npy").symlink_to(tmp_path / "secret.npy")
    (folder / "up").symlink_to(tmp_path)
    (folder / "round.npy").symlink_to(folder / "round.npy")
    refused(folder, 'load("link.npy")', "a link that leads out", "beside")
    refused(folder, 'load("up/secret.npy")', "a link that leads out")
    refused(folder, 'load("../secret.npy")', r"out .* by \.\.", "beside")
    refused(folder, 'load("..\\secret.npy")', r"out .* by \.\.")
    refused(folder, f'load("{tmp_path}/secret.npy")', "place on this computer", "beside")
    refused(folder, 'load("C:/secret.npy")', "place on this computer")
    refused(folder, 'load("~/secret.npy")', "place on this computer")
    refused(folder, 'load("round.npy")', "cannot be opened|is not there")


def test_a_link_within_the_folder_is_followed(tmp_path: Path) -> None:
    np.save(tmp_path / "W.npy", np.ones(2))
    (tmp_path / "alias.npy").symlink_to("W.npy")
    assert load(tmp_path, 'load("alias.npy")').tolist() == [1, 1]


def test_what_is_no_file_of_arrays(tmp_path: Path) -> None:
    (tmp_path / "folder.npy").mkdir()
    os.mkfifo(tmp_path / "pipe.npy")
    np.save(tmp_path / "weights.npy", np.ones(2))
    refused(tmp_path, 'load("folder.npy")', "not an ordinary file")
    refused(tmp_path, 'load("pipe.npy")', "not an ordinary file")
    refused(tmp_path, 'load("weigths.npy")', "is not there", "Did you mean weights.npy")
    refused(tmp_path, 'load("other.csv")', "is not there", "folder of the network")
    refused(tmp_path, 'load("net.bh")', r"ends in \.bh", r"\.npy, \.npz, \.csv")
    refused(tmp_path, 'load("W.pkl")', r"ends in \.pkl")
    refused(tmp_path, 'load("W")', "no suffix")
    refused(tmp_path, 'load("")', "no name|needs a file")
    refused(tmp_path, "load(3)", "name of a file|takes")


# -- what is wrong in a file -----------------------------------------------------------------------------------------


def npy(path: Path, header: str, data: bytes = b"", length: int | None = None) -> None:
    text = header.encode("latin-1")
    path.write_bytes(b"\x93NUMPY\1\0" + struct.pack("<H", len(text) if length is None else length) + text + data)


HEADERS = [
    pytest.param(
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000), }", "1000000000000", LimitError
    ),
    pytest.param(
        "{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000000000000,), }", "10.18", LimitError
    ),
    pytest.param("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }", "ends early.* 96 bytes", ReadError),
    pytest.param("{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", "objects.*pickle", ReadError),
    pytest.param("{'descr': '<c16', 'fortran_order': False, 'shape': (3,), }", "complex", ReadError),
    pytest.param("{'descr': '<U5', 'fortran_order': False, 'shape': (3,), }", "texts", ReadError),
    pytest.param("{'descr': '|S5', 'fortran_order': False, 'shape': (3,), }", "texts", ReadError),
    pytest.param("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (3,), }", "records", ReadError),
    pytest.param("{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (3,), }", "dates", ReadError),
    pytest.param("{'descr': '<f16', 'fortran_order': False, 'shape': (3,), }", "type f16", ReadError),
    pytest.param("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 4), }", "empty array.*0 x 4", ReadError),
    pytest.param("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 4), }", "no order or no shape", ReadError),
    pytest.param(f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({'1, ' * 64}), }}", "64 axes", ReadError),
    pytest.param("__import__('os').system('touch mark')", "no type", ReadError),
    pytest.param("(" * 5000, "no type", ReadError),
    pytest.param("", "no type", ReadError),
]


@pytest.mark.parametrize(("header", "words", "kind"), HEADERS)
@pytest.mark.parametrize("packed", [False, True])
def test_headers_of_npy(header: str, words: str, kind: type[BackhandError], packed: bool, tmp_path: Path) -> None:
    npy(tmp_path / "W.npy", header, bytes(24))
    if packed:
        with zipfile.ZipFile(tmp_path / "W.npz", "w") as archive:
            archive.write(tmp_path / "W.npy", "W.npy")
    refused(tmp_path, f'load("W.{"npz" if packed else "npy"}")', words, kind=kind)
    assert not Path("mark").exists()


def test_pickles_are_never_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "mark",)

    np.save(tmp_path / "W.npy", np.array([Trap()], object), allow_pickle=True)
    refused(tmp_path, 'load("W.npy")', "pickle", "float64")
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("bad", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("suffix", ["npy", "npz", "safetensors", "csv"])
def test_numbers_that_are_not_finite(bad: str, suffix: str, tmp_path: Path) -> None:
    array = np.array([[1, 2, 3], [4, 5, float(bad)]])
    np.save(tmp_path / "W.npy", array)
    np.savez(tmp_path / "W.npz", W=array)
    entry = {"dtype": "F64", "shape": [2, 3], "data_offsets": [0, 48]}
    safetensors(tmp_path / "W.safetensors", {"W": entry}, array.tobytes())
    (tmp_path / "W.csv").write_text(f"1,2,3\n4,5,{bad}\n")
    place = "line 2, column 3" if suffix == "csv" else r"element \[1, 2\]"
    refused(tmp_path, f'load("W.{suffix}")', bad, place, "finite")


def test_cut_off_or_too_long(tmp_path: Path) -> None:
    whole = io.BytesIO()
    np.save(whole, np.arange(100.0))
    data = whole.getvalue()
    for length in (0, 3, 7, 9, 40, len(data) - 1):
        (tmp_path / "W.npy").write_bytes(data[:length])
        refused(tmp_path, 'load("W.npy")', "ends early|header")
    (tmp_path / "W.npy").write_bytes(data + b"x")
    refused(tmp_path, 'load("W.npy")', "goes on behind")
    (tmp_path / "W.npy").write_bytes(b"PK\3\4" + data)
    refused(tmp_path, 'load("W.npy")', "does not begin")


def test_archives_that_are_damaged_or_hold_none(tmp_path: Path) -> None:
    np.savez(tmp_path / "W.npz", W=np.arange(1000.0))
    data = (tmp_path / "W.npz").read_bytes()
    (tmp_path / "W.npz").write_bytes(data[:500])
    refused(tmp_path, 'load("W.npz")', "no table of contents", "numpy.savez")
    (tmp_path / "W.npz").write_bytes(data[:2000] + b"wrong" + data[2005:])
    refused(tmp_path, 'load("W.npz")', "damaged")
    (tmp_path / "W.npz").write_bytes(data[:300] + data[600:])
    refused(tmp_path, 'load("W.npz")', "damaged|ends early")
    np.savez(tmp_path / "W.npz")
    refused(tmp_path, 'load("W.npz")', "holds no array")


def test_which_array_of_several(tmp_path: Path) -> None:
    np.savez(tmp_path / "net.npz", W1=np.eye(2), b1=np.ones(2))
    np.save(tmp_path / "x.npy", np.ones(2))
    refused(tmp_path, 'load("net.npz")', "2 arrays: W1, b1", "Say which")
    refused(tmp_path, 'load("net.npz", "W2")', "no array W2", "holds W1, b1")
    refused(tmp_path, 'load("net.npz", "w1")', "no array w1", "W1")
    refused(tmp_path, 'load("x.npy", "W1")', "one array without a name")


SAFE_WRONG: list[tuple[Any, str, type[BackhandError]]] = [
    ({"dtype": "F64", "shape": [10**6, 10**6], "data_offsets": [0, 8 * 10**12]}, "1000000000000", LimitError),
    ({"dtype": "F64", "shape": [3], "data_offsets": [0, 16]}, "bytes 0 to 16.*need 24", ReadError),
    ({"dtype": "F64", "shape": [3], "data_offsets": [8, 32]}, "bytes 8 to 32.*file has 24", ReadError),
    ({"dtype": "F64", "shape": [3], "data_offsets": [-24, 0]}, "bytes -24 to 0", ReadError),
    ({"dtype": "F64", "shape": [3], "data_offsets": [24, 0]}, "bytes 24 to 0", ReadError),
    ({"dtype": "F64", "shape": [-3], "data_offsets": [0, 24]}, "no type, shape or place", ReadError),
    ({"dtype": "F64", "shape": [1.5], "data_offsets": [0, 24]}, "no type, shape or place", ReadError),
    ({"dtype": "F64", "shape": [0], "data_offsets": [0, 0]}, "empty array", ReadError),
    ({"dtype": "F8_E4M3", "shape": [3], "data_offsets": [0, 3]}, "type F8_E4M3.*F32", ReadError),
    ({"dtype": "F64", "shape": [3]}, "no type, shape or place", ReadError),
    ([], "no type, shape or place", ReadError),
]


@pytest.mark.parametrize(("entry", "words", "kind"), SAFE_WRONG)
def test_headers_of_safetensors(entry: Any, words: str, kind: type[BackhandError], tmp_path: Path) -> None:
    safetensors(tmp_path / "W.safetensors", {"W": entry}, bytes(24))
    refused(tmp_path, 'load("W.safetensors")', words, kind=kind)


@pytest.mark.parametrize(
    ("header", "length", "words"),
    [
        (b"[1, 2]", None, "no JSON object"),
        (b"{", None, "no JSON object"),
        (b"[" * 100_000, None, "no JSON object"),
        (b"\xff\xfe", None, "no JSON object"),
        (b"{}", None, "holds no array"),
        (b"{}", 2**63, "says that its header has 9223372036854775808 bytes"),
    ],
)
def test_safetensors_that_are_none(header: bytes, length: int | None, words: str, tmp_path: Path) -> None:
    safetensors(tmp_path / "W.safetensors", header, b"", length)
    refused(tmp_path, 'load("W.safetensors")', words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,2\n3\n", "1 number in line 2, and 2 in line 1"),
        ("a,b\n1,2\n\n3,4,5\n", "3 numbers in line 4, and 2 in line 2"),
        ("1,2\n3,x\n", "“x” in line 2, column 2"),
        ("1,\n3,4\n", "nothing in line 1, column 2"),
        ("1,2\n3,0x10\n", "0x10"),
        ("1,2\n3,1_000\n", "1_000"),
        ("1,2\n3,٣\n", "٣"),
        ("0,5;1\n1;2\n", r"0,5.*0\.5"),
        ("", "no numbers"),
        ("a,b,c\n", "no numbers"),
        ("1,1e99999\n", "line 1.*exponent"),
        ("1," + "1" * 2000, "line 1.*digits"),
        ('1,"2', "1,|2|line 1"),
        ("1," + '"' + "x" * 200_000 + '"', "line 1"),
    ],
)
def test_tables_that_are_none(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(text)
    if text == '1,"2':
        assert load(tmp_path, 'load("x.csv")').tolist() == [1, 2]  # an open quotation mark ends with the file
        return
    kind = LimitError if "exponent" in words or "digits" in words else ReadError
    refused(tmp_path, 'load("x.csv")', words, kind=kind)


def test_a_table_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes("größe\n1\n".encode("latin-1"))
    refused(tmp_path, 'load("x.csv")', "UTF-8", "offset 2")


# -- sizes -----------------------------------------------------------------------------------------------------------


def test_nothing_is_made_of_what_a_bomb_claims(tmp_path: Path) -> None:
    """A megabyte that unpacks to a thousand, and a header that claims a terabyte, within half a gigabyte."""
    zeros = bytes(2**20)
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, shape in (("small", "(4,)"), ("large", "(1000000000000,)")):
            with archive.open(f"{name}.npy", "w") as entry:
                header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode()
                entry.write(b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header)
                for _ in range(300):
                    entry.write(zeros)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(tmp_path, 'load("bomb.npz", "small")', "goes on behind its 4 elements")
    refused(tmp_path, 'load("bomb.npz", "large")', "1000000000000 elements", kind=LimitError)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_archives_of_very_many_files(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "many.npz", "w") as archive:
        for number in range(25_000):
            archive.writestr(f"{number}", b"")
    refused(tmp_path, 'load("many.npz")', "table of contents", kind=LimitError)


def test_many_arrays_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "W.npy", np.ones(60))
    monkeypatch.setattr(limits, "TOGETHER", 100)
    source = Source('A = load("W.npy")', str(tmp_path / "net.bh"))
    array_files.array_of("W.npy", "", source, None)
    with pytest.raises(LimitError, match="120 elements"):
        array_files.array_of("W.npy", "", source, None)


def mutated(data: bytes, draw: random.Random) -> bytes:
    """A file with some bytes changed, cut out, doubled or added."""
    found = bytearray(data)
    for _ in range(draw.choice([1, 1, 2, 5])):
        at = draw.randrange(len(found) + 1)
        match draw.randrange(5):
            case 0:
                found[at : at + 1] = bytes([draw.randrange(256)])
            case 1:
                del found[at : at + draw.choice([1, 8, 100])]
            case 2:
                found[at:at] = found[at : at + 16]
            case 3:
                found[at:at] = draw.choice(
                    [b"\xff" * 8, b"-1", b"999999999", b"(", b"[[", b"'", b"\0" * 8, b"nan", b'"']
                )
            case _:
                found = found[:at]
    return bytes(found)


@pytest.mark.parametrize("suffix", ["npy", "npz", "safetensors", "csv"])
def test_spoiled_files_are_read_or_refused(suffix: str, tmp_path: Path) -> None:
    """Whatever is in a file: an array of finite numbers, or an error at the place where it is named."""
    array = np.arange(12.0).reshape(3, 4) / 4
    np.save(tmp_path / "W.npy", array)
    np.savez_compressed(tmp_path / "W.npz", W=array)
    entry = {"dtype": "F64", "shape": [3, 4], "data_offsets": [0, 96]}
    safetensors(tmp_path / "W.safetensors", {"W": entry}, array.tobytes())
    (tmp_path / "W.csv").write_text("a,b,c,d\n" + "\n".join(",".join(map(str, row)) for row in array.tolist()))
    whole = (tmp_path / f"W.{suffix}").read_bytes()
    draw = random.Random(7)
    source = Source(f'W = load("spoiled.{suffix}")', str(tmp_path / "net.bh"))
    read = 0
    cures: list[str] = []
    for _ in range(1_000):
        (tmp_path / f"spoiled.{suffix}").write_bytes(mutated(whole, draw))
        try:
            found = array_files.array_of(f"spoiled.{suffix}", "", source, None)
        except (ReadError, LimitError) as error:
            cures.append(error.cure)
            continue
        read += 1
        assert found.size > 0 and found.dtype.kind in "Ofiu"
        assert np.all(np.isfinite(np.asarray(found, float)))
    assert 0 < read < 1_000
    assert all(cures)
