"""From files and texts to networks; one module a format. `READERS` says which module reads which suffix."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

from backhand import limits
from backhand.core.graph import Graph
from backhand.errors import LimitError, ReadError, UsageError
from backhand.text import Source, Span

READERS = {".bh": "backhand.readers.bh"}
"""The module of each suffix; it has `read(source) -> Graph`."""

MAGIC = {b"%PDF": "a PDF", b"\x89PNG": "a PNG picture", b"PK\x03\x04": "a zip archive", b"\x93NUMPY": "a NumPy array"}


def read(path_or_text: str | os.PathLike[str], *, name: str | None = None) -> Graph:
    r"""A network from a file, or from the text itself (a string with a line break or `=` in it).

    Raises ReadError, LimitError or UndefinedError with place and cure, or SeveralErrors for all
    errors of the text together; UsageError where there is no such file.

    >>> read("x = 2\ny = x^2").quantities[1].name
    'y'
    """
    if isinstance(path_or_text, str) and ("\n" in path_or_text or "=" in path_or_text or not path_or_text.strip()):
        return read_text(path_or_text, name or "<text>")
    path = Path(path_or_text)
    return read_text(load(path), name or str(path), path.suffix)


def read_text(text: str, name: str, suffix: str = ".bh") -> Graph:
    """A network from text that is already in memory."""
    if len(text) > limits.BYTES:
        raise LimitError(
            f"{name} has {len(text)} characters; at most {limits.BYTES} are read.",
            cure="Split the network, or build it from Python.",
        )
    module = import_module(READERS.get(suffix, READERS[".bh"]))
    graph: Graph = module.read(Source(text.removeprefix("\ufeff"), name))
    return graph


def load(path: Path) -> str:
    """The text of a file."""
    return decode(contents(path), str(path))


def contents(path: Path) -> bytes:
    """The bytes of a file. Only ordinary files are opened, and only up to the limit of bytes."""
    try:
        if not path.exists():
            raise UsageError(f"There is no file {path}.", cure="Check the name.")
        if path.is_dir():
            raise UsageError(f"{path} is a folder.", cure="Name a file in it.")
        if not path.is_file():
            raise UsageError(f"{path} is not an ordinary file.", cure="Copy its contents to one.")
        if path.stat().st_size > limits.BYTES:
            raise LimitError(f"{path} has {path.stat().st_size} bytes; at most {limits.BYTES} are read.")
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from None


def decode(data: bytes, name: str) -> str:
    """Text from bytes: UTF-8, or UTF-16 with its mark. Raises ReadError with the offset of a byte that is neither."""
    for magic, kind in MAGIC.items():
        if data.startswith(magic):
            raise ReadError(f"{name} is {kind}, not a text.", cure="Give the network as text in the notation.")
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        good = data[: error.start].decode(encoding, "replace")
        source = Source(good + "\N{REPLACEMENT CHARACTER}", name)
        raise ReadError(
            f"The byte {data[error.start]:#04x} at offset {error.start} is not UTF-8.",
            Span(source, len(good), len(good) + 1),
            cure="Save the file as UTF-8.",
        ) from None
