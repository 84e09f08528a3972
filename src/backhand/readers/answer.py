"""Answers from files and bytes: what is a text is read, and no odd byte loses it.

    read_answer("page-1.md", "page-2.md")      one answer on two pages, to a Work

A network must be UTF-8, because a wrong name in it would be a wrong question. An answer is read in any case: bytes that
are no UTF-8 are taken one by one as Windows-1252, and the Work says so. What is no text at all (a PDF, a photograph) is
refused with a sentence.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from backhand import limits
from backhand.errors import LimitError, ReadError, UsageError
from backhand.marking.work import Work
from backhand.readers import contents
from backhand.readers.page import read_work
from backhand.text import Source

NO_TEXT: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF", "a PDF"),
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"GIF8", "a GIF picture"),
    (0, b"II*\x00", "a TIFF picture"),
    (0, b"MM\x00*", "a TIFF picture"),
    (8, b"WEBP", "a WebP picture"),
    (4, b"ftyp", "a photograph or film"),
    (0, b"PK\x03\x04", "a zip archive or an office document"),
    (0, b"\xd0\xcf\x11\xe0", "an office document"),
    (0, b"{\\rtf", "an RTF document"),
    (0, b"\x1f\x8b", "a compressed file"),
    (0, b"\x93NUMPY", "a NumPy array"),
)
"""Where the mark of a kind of file stands, the mark, and the kind."""

CURE = "Type the working, or have it read by a program, and give it as text, Markdown or LaTeX."
CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\r\f\x1b\x0b")


def read_answer(*pages: str | os.PathLike[str]) -> Work:
    r"""An answer from one file or several, in their order; or from text itself (a string with a line break or an =).

    Raises UsageError where there is no such file, ReadError for what is no text, LimitError for what is too large.

    >>> len(read_answer("B1 = 2 + 1 = 3\nC1 = 1").lines)
    2
    """
    return work_of([_named(page, number, len(pages)) for number, page in enumerate(pages, 1)])


def _named(page: str | os.PathLike[str], number: int, of: int) -> tuple[str, bytes]:
    if isinstance(page, str) and ("\n" in page or "=" in page or not page.strip()):
        return "<answer>" if of == 1 else f"<page {number}>", page.encode("utf-8", "surrogatepass")
    return str(page), contents(Path(page))


def work_of(pages: Sequence[tuple[str, bytes]]) -> Work:
    """An answer from the bytes of its pages, each with its name.

    >>> work = work_of([("a.md", b"L = 4\\x96 3")])
    >>> work.sources[0].text, work.decisions
    ('L = 4– 3', ('A byte that is not UTF-8 is read as Windows-1252: on line 1, as –.',))
    """
    sources: list[Source] = []
    decisions: list[str] = []
    for name, data in pages:
        if any(source.name == name for source in sources):
            raise UsageError(f"{name} is named twice.", cure="Name each page of the answer once.")
        text, said = decoded(data, name)
        if name.lower().endswith(".ipynb"):
            from backhand.readers.notebook import page_of

            text = page_of(text, name)
        sources.append(Source(text, name))
        decisions += [f"{name}: {words}" if len(pages) > 1 else words for words in said]
    work = read_work(sources)
    return replace(work, decisions=(*decisions, *work.decisions)) if decisions else work


def decoded(data: bytes, name: str) -> tuple[str, list[str]]:
    """The text of a page, and what was decided about its bytes."""
    if len(data) > limits.BYTES:
        raise LimitError(f"{name} has more than {limits.BYTES} bytes.", cure="Give the pages one by one.")
    for place, mark, kind in NO_TEXT:
        if data[place : place + len(mark)] == mark:
            raise ReadError(f"{name} is {kind}, not a text.", cure=CURE)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = data.decode("utf-16", "replace")
        lost = text.count("\N{REPLACEMENT CHARACTER}")
        return text, [f"{lost} characters could not be decoded from UTF-16; � stands for each."] if lost else []
    beginning = data[:4096]
    if sum(byte in CONTROLS for byte in beginning) * 10 > len(beginning):
        raise ReadError(f"{name} is not a text; a tenth of its bytes are control characters.", cure=CURE)
    escaped = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    text = ODD.sub(_letter, escaped)
    found = [place.start() for place in ODD.finditer(escaped)]
    if not found:
        return text, []
    line = Source(text, name).place(found[0])[0]
    many = "A byte that is" if len(found) == 1 else f"{len(found)} bytes that are"
    verb, first = ("is", "") if len(found) == 1 else ("are", "the first ")
    return text, [f"{many} not UTF-8 {verb} read as Windows-1252: {first}on line {line}, as {text[found[0]]}."]


ODD = re.compile("[\udc80-\udcff]")
"""Bytes that are no UTF-8, as Python's decoder hands them on."""


def _letter(odd: re.Match[str]) -> str:
    """A byte as Windows-1252 has it; five that it leaves open as Latin-1."""
    byte = ord(odd[0]) - 0xDC00
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)
