"""Arrays in files beside a network: `.npy`, `.npz`, `.csv`, `.safetensors`.

    W1 = load("net.npz", "W1")        x = load("x.csv")

A file is named by its place beside or below the network's own file (below the current folder, if the network
is no file); no other is opened. What a file says about its size is checked before anything of that size is made,
no more is read than it says, and nothing in a file is run: arrays of objects (pickles) are refused.

Numbers count as the shortest decimals that mean them, as everywhere: 0.1 in a file of float32 is 1/10. To read
another format, add a function to `READERS`: (file, name) to an array of numbers, `Unreadable` where there is none.
"""

from __future__ import annotations

import csv
import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np

from backhand import limits
from backhand.core.array_values import shortest
from backhand.core.formula import Apply, Formula, Held, Num, Ref, Slope, fold, with_args
from backhand.errors import LimitError, ReadError
from backhand.numbers import TooLong, as_float, read_number
from backhand.text import Source, Span

Array: TypeAlias = "np.ndarray[Any, Any]"
Shape: TypeAlias = "tuple[int, ...]"

AXES = 32
"""Axes of an array that is read."""

DIRECTORY = 2**20
"""Bytes of the table of contents of an archive, before it is read: some twenty thousand arrays."""

HEADER = 2**24
"""Bytes of the table of contents of a safetensors file."""


class Unreadable(Exception):
    """What is wrong with a file, in words that go on from its name, and how to mend it."""

    def __init__(self, what: str, cure: str, *, too_large: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.cure = cure
        self.too_large = too_large


def loaded(formula: Formula, source: Source) -> Formula:
    """The formula with the arrays that it loads."""

    def combine(node: Apply, args: list[Formula]) -> Formula:
        if node.operation.name != "load":
            return node if all(a is b for a, b in zip(args, node.args, strict=True)) else with_args(node, args)
        options = dict(node.params)
        held = Held(array_of(_told(options["file"], node), _told(options["name"], node), source, node.span))
        params = tuple((key, held if key == "held" else value) for key, value in node.params)
        return Apply(node.operation, (), node.style, node.parens, node.span, node.depth, params)

    def leaf(node: Num | Ref | Slope) -> Formula:
        return node

    return fold(formula, leaf, combine)


def _told(value: object, node: Apply) -> str:
    if not isinstance(value, str):
        raise ReadError("load is told the name of a file.", node.span, cure='Write it in quotes, load("W.npy").')
    return value


_taken: WeakKeyDictionary[Source, int] = WeakKeyDictionary()
"""How many elements each text has loaded: many arrays within the limit are too much together, too."""


def array_of(file: str, name: str, source: Source, span: Span | None) -> Array:
    """The array of a file: of floats, of whole numbers, or of fractions. Raises ReadError or LimitError at the place
    where it is named."""
    try:
        path = _path(file, source)
        array = READERS[path.suffix.lower()](path, name)
        _check_shape(array.shape)
        array = _numbers(array)
        total = _taken.get(source, 0) + array.size
        if total > limits.TOGETHER:
            raise Unreadable(
                f"makes {total} elements loaded by this network; at most {limits.TOGETHER} are.",
                "Use smaller arrays.",
                too_large=True,
            )
        _taken[source] = total
    except Unreadable as error:
        kind = LimitError if error.too_large else ReadError
        raise kind(f"{_shortened(file) or 'The file'} {error.what}", span, cure=error.cure) from None
    except OSError as error:
        raise ReadError(
            f"{_shortened(file)} cannot be read: {error.strerror or error}.", span, cure="Check the file."
        ) from None
    return array


def _shortened(text: str, most: int = 80) -> str:
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[: most + 1])
    return shown if len(shown) <= most else shown[: most - 3] + "..."


# -- which file ------------------------------------------------------------------------------------------------------


def folder_of(source: Source) -> Path:
    """The folder in which, and below which, a network's files are: its own, or the current one."""
    return Path() if source.name.startswith("<") else Path(source.name).parent


def _path(file: str, source: Source) -> Path:
    """The file, which lies where it may. Links are followed before that is decided."""
    beside = 'Put a copy beside the network and name it by its place from there, load("data/W.npy").'
    if not file.strip() or "\0" in file:
        raise Unreadable("is no name of a file.", 'Write one in quotes, load("W.npy").')
    named = Path(file)
    if named.is_absolute() or named.drive or re.match(r"[A-Za-z]:|[\\/~]", file):
        raise Unreadable("is named by its place on this computer, and only files beside the network are read.", beside)
    if ".." in re.split(r"[\\/]", file):
        raise Unreadable("leads out of the network's folder by .., and only files beside or below it are read.", beside)
    if named.suffix.lower() not in READERS:
        known = ", ".join(READERS)
        raise Unreadable(f"ends in {named.suffix or 'no suffix'}; arrays are read from {known}.", "Save it as .npy.")
    folder = folder_of(source).resolve()
    path = folder / named
    try:
        path = path.resolve(strict=True)
    except FileNotFoundError:
        raise Unreadable("is not there.", _beside(folder / named, file)) from None
    except (OSError, RuntimeError):
        raise Unreadable("cannot be opened.", "Check its name.") from None
    if not path.is_relative_to(folder):
        raise Unreadable("is a link that leads out of the network's folder, and only files in it are read.", beside)
    if path.suffix.lower() not in READERS:
        raise Unreadable(f"is a link to a file that ends in {path.suffix or 'no suffix'}.", "Name the file itself.")
    if not path.is_file():
        raise Unreadable("is not an ordinary file.", "Name a file.")
    return path


def _beside(path: Path, file: str) -> str:
    """The cure for a file that is not there: one of nearly that name, or where it was looked for."""
    try:
        others = [p.name for p in path.parent.iterdir() if p.suffix.lower() in READERS]
    except OSError:
        others = []
    near = get_close_matches(path.name, others, n=1)
    if near:
        return f"Did you mean {Path(file).with_name(near[0]).as_posix()}?"
    return "It is looked for in the folder of the network; check its name."


# -- what every array has to be --------------------------------------------------------------------------------------


def _check_shape(shape: Sequence[int]) -> int:
    """How many elements there are. Nothing of that size has been made yet."""
    count = 1
    for size in shape:
        count *= size
    if count > limits.ELEMENTS:
        raise Unreadable(
            f"says that it holds {_sizes(shape)} = {count} elements; at most {limits.ELEMENTS} are read.",
            "Save a part of it.",
            too_large=True,
        )
    if len(shape) > AXES:
        raise Unreadable(f"holds an array of {len(shape)} axes; at most {AXES} are read.", "Reshape it.")
    if count == 0:
        raise Unreadable(f"holds an empty array, of the shape {_sizes(shape)}.", "Save one with elements.")
    return count


def _sizes(shape: Sequence[int]) -> str:
    text = " x ".join(map(str, shape[:8])) + (" x ..." if len(shape) > 8 else "")
    return text or "()"


def _numbers(array: Array) -> Array:
    """Finite numbers, of this machine's byte order, in rows."""
    if array.dtype == object:
        return array
    if array.dtype.kind == "f":
        wrong = ~np.isfinite(array)
        if np.any(wrong):
            place = [int(n) for n in np.argwhere(wrong)[0]]
            found = str(array[tuple(place)])
            raise Unreadable(
                f"has {found} at the element {place}, and a quantity has finite numbers.", "Mend the file."
            )
        if array.dtype.itemsize < 8:
            array = shortest(array, lambda numbers: numbers.astype(array.dtype))
        return np.ascontiguousarray(array, np.float64)
    if array.dtype.kind == "b":
        return np.ascontiguousarray(array, np.uint8)
    return np.ascontiguousarray(array, array.dtype.newbyteorder("="))


def _read(file: IO[bytes], count: int, whole: str = "says") -> bytes:
    """So many bytes and no more."""
    data = file.read(count)
    if len(data) < count:
        raise Unreadable(
            f"ends early: of the {count} bytes that it {whole}, {len(data)} are there.", "Save or copy it again."
        )
    return data


def _wanted(name: str, names: Iterable[str], one: str = "array") -> str:
    """Which of the arrays in a file is meant."""
    known = list(names)
    if not known:
        raise Unreadable(f"holds no {one}.", "Save one in it.")
    listed = ", ".join(_shortened(n, 40) for n in known[:12]) + (", ..." if len(known) > 12 else "")
    if not name and len(known) == 1:
        return known[0]
    example = _shortened(known[0], 40)
    if not name:
        raise Unreadable(f"holds {len(known)} arrays: {listed}.", f'Say which one is meant, load("...", "{example}").')
    if name not in known:
        near = get_close_matches(name, known, n=1)
        cure = f"Did you mean {near[0]}?" if near else f"It holds {listed}."
        raise Unreadable(f"holds no array {_shortened(name, 40)}.", cure)
    return name


def _nameless(name: str) -> None:
    if name:
        raise Unreadable(f"holds one array without a name, and not {_shortened(name, 40)}.", "Leave the name out.")


# -- .npy and .npz ---------------------------------------------------------------------------------------------------


def _npy(path: Path, name: str) -> Array:
    _nameless(name)
    with path.open("rb") as file:
        return read_npy(file)


KINDS = {
    "O": "Python objects",
    "c": "complex numbers",
    "S": "texts",
    "U": "texts",
    "V": "records of several fields",
    "M": "dates",
    "m": "durations",
}
"""Kinds of elements that are no real numbers."""


def read_npy(file: IO[bytes]) -> Array:
    """An array in NumPy's own format; what stands in the header is looked at before any of it is believed."""
    if _read(file, 6) != b"\x93NUMPY":
        raise Unreadable("is no .npy file: it does not begin like one.", "Save it with numpy.save.")
    major, _ = _read(file, 2)
    if major not in (1, 2, 3):
        raise Unreadable(f"is of the version {major} of .npy, and 1 to 3 are read.", "Save it with numpy.save.")
    length = int.from_bytes(_read(file, 2 if major == 1 else 4), "little")
    if length > 65_535:
        raise Unreadable(f"has a header of {length} bytes; at most 65535 are read.", "Save it with numpy.save.")
    header = _read(file, length).decode("latin-1")
    kind = _type(header)
    fortran = re.search(r"'fortran_order'\s*:\s*(True|False)", header)
    sizes = re.search(r"'shape'\s*:\s*\(([0-9,\sL]*)\)", header)
    if fortran is None or sizes is None:
        raise Unreadable("has a header that says no order or no shape.", "Save it with numpy.save.")
    if re.search(r"[0-9]{19}", sizes[1]):
        raise Unreadable("says that it holds more than 10^18 elements.", "Save a part of it.", too_large=True)
    shape = tuple(int(size) for size in re.findall(r"[0-9]+", sizes[1]))
    count = _check_shape(shape)
    data = _read(file, count * kind.itemsize)
    if file.read(1):
        raise Unreadable(f"goes on behind its {count} elements.", "Save it again; one array is read from a file.")
    array = np.frombuffer(data, kind).reshape(shape, order="F" if fortran[1] == "True" else "C")
    return array.astype(kind.newbyteorder("="))


def _type(header: str) -> np.dtype[Any]:
    """The type of the elements."""
    found = re.search(r"'descr'\s*:\s*(?:'([<>|=]?)([A-Za-z?])([0-9]{0,4})[^']*'|\[)", header)
    if found is None:
        raise Unreadable("has a header that says no type of numbers.", "Save it with numpy.save.")
    order, letter, size = found[1] or "", found[2] or "V", found[3] or ""
    letter = "b" if letter == "?" else letter
    if letter in KINDS:
        more = " (a pickle, which could run programs)" if letter == "O" else ""
        raise Unreadable(
            f"holds {KINDS[letter]}{more}, and arrays here are of real numbers.", "Save it as float64, a.astype(float)."
        )
    if (letter, size) not in {("f", n) for n in "248"} | {(k, n) for k in "iu" for n in "1248"} | {("b", "1")}:
        raise Unreadable(
            f"holds numbers of the type {letter}{size}, which is not read.", "Save it as float64, a.astype(float)."
        )
    return np.dtype(f"{order}{letter}{size}")


def _npz(path: Path, name: str) -> Array:
    with path.open("rb") as file:
        _check_directory(file)
        try:
            with zipfile.ZipFile(file) as archive:
                entries = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
                wanted = _wanted(name, entries)
                with archive.open(entries[wanted]) as entry:
                    return read_npy(entry)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, struct.error, ValueError, LookupError) as error:
            raise Unreadable(f"is damaged: {_shortened(str(error))}.", "Save it again with numpy.savez.") from None
        except (NotImplementedError, RuntimeError):
            raise Unreadable("is locked or packed in a way that is not read.", "Save it with numpy.savez.") from None


def _check_directory(file: IO[bytes]) -> None:
    """The table of contents of an archive is read as a whole, so its size is looked at first."""
    end = file.seek(0, 2)
    file.seek(max(0, end - 66_000))
    tail = file.read(66_000)
    file.seek(0)
    places = [match.start() for match in re.finditer(b"PK\5\6", tail)]
    if not places:
        raise Unreadable("is no .npz file: it has no table of contents.", "Save it with numpy.savez.")
    sizes = [int.from_bytes(tail[place + 12 : place + 16], "little") for place in places]
    if max(sizes) > DIRECTORY or b"PK\6\7" in tail:
        raise Unreadable(
            f"has a table of contents of more than {DIRECTORY} bytes, or is larger than 2 GiB.",
            "Save the array alone with numpy.save.",
            too_large=True,
        )


# -- .safetensors ----------------------------------------------------------------------------------------------------

SAFE: Mapping[str, tuple[str, int]] = {
    "F64": ("<f8", 8), "F32": ("<f4", 4), "F16": ("<f2", 2), "BF16": ("<u2", 2), "I64": ("<i8", 8),
    "I32": ("<i4", 4), "I16": ("<i2", 2), "I8": ("i1", 1), "U8": ("u1", 1), "BOOL": ("u1", 1),
}  # fmt: skip
"""NumPy's type and the bytes of an element, for each type of the format that is read."""


def _safetensors(path: Path, name: str) -> Array:
    """Eight bytes, the length of the header; the header, a JSON object of names; then the numbers."""
    with path.open("rb") as file:
        whole = file.seek(0, 2)
        file.seek(0)
        length = int.from_bytes(_read(file, 8), "little")
        if length > whole - 8:
            raise Unreadable(
                f"says that its header has {length} bytes, and {max(0, whole - 8)} are there.", "Save or copy it again."
            )
        if length > HEADER:
            raise Unreadable(f"has a header of {length} bytes; at most {HEADER} are read.", "Save fewer arrays in it.")
        header = _header(file.read(length))
        wanted = _wanted(name, (key for key in header if key != "__metadata__"))
        kind, shape, start, stop = _entry(header[wanted], wanted)
        count = _check_shape(shape)
        size = SAFE[kind][1]
        if not 0 <= start <= stop <= whole - 8 - length or stop - start != count * size:
            raise Unreadable(
                f"says that {_shortened(wanted, 40)} lies at the bytes {start} to {stop}; its {count} elements need "
                f"{count * size}, and the file has {whole - 8 - length} for all.",
                "Save or copy it again.",
            )
        file.seek(8 + length + start)
        array = np.frombuffer(_read(file, stop - start), SAFE[kind][0]).reshape(shape)
    return _bfloat(array) if kind == "BF16" else array


def _header(data: bytes) -> dict[str, Any]:
    try:
        found: Any = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Unreadable("has a header that is no JSON object.", "Save it again with safetensors.")
    return found  # type: ignore[return-value]


def _entry(entry: Any, name: str) -> tuple[str, Shape, int, int]:
    match entry:
        case {"dtype": str(kind), "shape": [*shape], "data_offsets": [int(start), int(stop)]} if all(
            type(size) is int and 0 <= size < 2**63 for size in shape
        ):
            if kind not in SAFE:
                raise Unreadable(
                    f"holds {_shortened(name, 40)} in numbers of the type {_shortened(kind, 20)}, which is not read.",
                    f"Save it as F32. Read are {', '.join(SAFE)}.",
                )
            return kind, tuple(shape), start, stop
        case _:
            raise Unreadable(
                f"says of {_shortened(name, 40)} no type, shape or place.", "Save it again with safetensors."
            )


def _bfloat(halves: Array) -> Array:
    """Numbers of bfloat16, the upper halves of float32, as the shortest decimals that mean them."""

    def narrow(numbers: Array) -> Array:
        bits = np.asarray(numbers, np.float32).view(np.uint32)
        even = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
        return (even & np.uint32(0xFFFF0000)).view(np.float32)

    numbers = (halves.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return shortest(numbers, narrow) if np.all(np.isfinite(numbers)) else numbers


# -- .csv ------------------------------------------------------------------------------------------------------------

NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)


def _csv(path: Path, name: str) -> Array:
    """A table: a matrix of its lines, a vector where there is one line or one column. A first line without any number
    is a heading."""
    _nameless(name)
    if path.stat().st_size > limits.BYTES:
        raise Unreadable(
            f"has {path.stat().st_size} bytes; at most {limits.BYTES} are read as text.",
            "Save it as .npy.",
            too_large=True,
        )
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"is no text in UTF-8 (the byte at offset {error.start}).", "Save it as UTF-8.") from None
    rows: list[Sequence[Fraction] | Array] = []
    first = count = 0
    heading = True
    for line, cells in _lines(text):
        if heading and not any(NUMBER.fullmatch(cell) or NOT_FINITE.fullmatch(cell) for cell in cells):
            heading = False
            continue
        heading = False
        row = [_cell(cell, line, column) for column, cell in enumerate(cells, 1)]
        if rows and len(row) != len(rows[0]):
            raise Unreadable(
                f"has {len(row)} number{'s' * (len(row) != 1)} in line {line}, and {len(rows[0])} in line {first}.",
                "Give every line as many.",
            )
        first = first or line
        count += len(row)
        if count > limits.ELEMENTS:
            raise Unreadable(f"has more than {limits.ELEMENTS} numbers.", "Save a part of it.", too_large=True)
        rows.append(row if count <= limits.EXACT_ELEMENTS else np.array([as_float(n) for n in row]))
    if not rows:
        raise Unreadable("holds no numbers.", "Write them in lines, with commas between.")
    made = np.empty((len(rows), len(rows[0])), object if count <= limits.EXACT_ELEMENTS else np.float64)
    for number, row in enumerate(rows):
        made[number] = row
    return made.reshape(-1) if 1 in made.shape else made


def _lines(text: str) -> Iterable[tuple[int, list[str]]]:
    """The cells of each line that has any, with its number. Tabs, else semicolons, else commas separate them."""
    beginning = text[:10_000]
    separator = next((sign for sign in "\t;," if sign in beginning), ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield reader.line_num, stripped
    except csv.Error as error:
        raise Unreadable(f"cannot be read in line {reader.line_num}: {error}.", "Mend that line.") from None


def _cell(cell: str, line: int, column: int) -> Fraction:
    if not NUMBER.fullmatch(cell):
        shown = f"“{_shortened(cell, 30)}”" if cell else "nothing"
        cure = "Write a number there."
        if NOT_FINITE.fullmatch(cell):
            cure = "A quantity has finite numbers; mend the file."
        elif re.fullmatch(r"[+-]?[0-9]+,[0-9]+", cell):
            cure = f"Write a decimal point, {cell.replace(',', '.')}."
        raise Unreadable(f"has {shown} in line {line}, column {column}, where a number belongs.", cure)
    try:
        unsigned = cell.lstrip("+-")
        value = read_number(unsigned)
    except TooLong as error:
        raise Unreadable(f"has in line {line} {error}.", "Write it shorter.", too_large=True) from None
    return -value if cell.startswith("-") else value


READERS: dict[str, Callable[[Path, str], Array]] = {
    ".npy": _npy,
    ".npz": _npz,
    ".csv": _csv,
    ".tsv": _csv,
    ".safetensors": _safetensors,
}
"""By suffix: the file and the name of an array in it, to the array."""
