"""What the readers of quiz files share: XML without tricks, zips that fit into memory, the network inside.

Such a file may have been on somebody else's machine. A document type declaration (it can blow up, or name other files)
is refused, a zip is measured before it is unpacked and never unpacked to disk.
"""

from __future__ import annotations

import io
import struct
import zlib
from xml.etree import ElementTree as ET
from zipfile import BadZipFile, ZipFile

from backhand import limits
from backhand.errors import LimitError, ReadError
from backhand.readers import bh
from backhand.setting.exercise import Exercise
from backhand.setting.portable import Data, Said, as_said, restored
from backhand.text import Source

ENTRIES = 10_000
"""Files in a zip."""

DAMAGED = (BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError, RuntimeError, OSError)
"""What a damaged zip raises."""


class _Tree(ET.TreeBuilder):
    """Keeps comments, and takes no document type declaration."""

    def __init__(self, name: str) -> None:
        super().__init__(insert_comments=True)
        self.name = name

    def doctype(self, *_: object) -> None:
        raise ReadError(f"{self.name} has a document type declaration, which is not read.", cure="Take it out.")


def xml_of(data: bytes, name: str) -> ET.Element:
    """The root of an XML file, its comments kept. Raises ReadError."""
    try:
        return ET.fromstring(data, ET.XMLParser(target=_Tree(name)))  # noqa: S314 - a tree without declarations
    except ET.ParseError as error:
        line, column = error.position
        raise ReadError(f"{name}:{line}:{column + 1}: This is no XML: {error}.", cure="Make the file anew.") from None
    except (LookupError, ValueError) as error:  # an encoding that nobody knows
        raise ReadError(f"{name} is no XML that can be read: {error}.", cure="Make the file anew.") from None


def local(element: ET.Element) -> str:
    """The name of an element without its namespace; of a comment an empty text."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""  # pyright: ignore[reportUnnecessaryIsInstance]


def every(parent: ET.Element, name: str) -> list[ET.Element]:
    """All elements of that name below another, whatever their namespace."""
    return [element for element in parent.iter() if local(element) == name]


def text_at(parent: ET.Element, *path: str) -> str:
    """The text of the first element at the end of a path of names; an empty text if there is none."""
    for name in path:
        found = next((child for child in parent if local(child) == name), None)
        if found is None:
            return ""
        parent = found
    return (parent.text or "").strip()


def unzipped(data: bytes, name: str) -> dict[str, bytes]:
    """The files of a zip, by their names. Raises ReadError or LimitError."""
    try:
        with ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            size = sum(entry.file_size for entry in entries)
            if len(entries) > ENTRIES or size > limits.BYTES:
                raise LimitError(
                    f"{name} holds {len(entries)} files of {size} bytes; at most {ENTRIES} of {limits.BYTES} are read."
                )
            return {entry.filename: archive.read(entry) for entry in entries if not entry.is_dir()}
    except DAMAGED as error:
        raise ReadError(f"{name} is no zip that can be read: {error}.", cure="Make the file anew.") from None


def exercise(data: Data, name: str) -> Exercise:
    """The exercise of complete data."""
    return restored(data, bh.read(Source(str(data["net"]), name)), name)


def exercise_said(data: Data, said: Said, name: str) -> Exercise:
    """The exercise of brief data, and what stands in the file around it."""
    return as_said(data, said, bh.read(Source(str(data["net"]), name)), name)
