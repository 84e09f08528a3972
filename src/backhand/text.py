"""Where a thing was read: a Source is a text with a name, a Span a piece of it.

Everything that Backhand reads keeps its Span, because marking is pointing. Offsets count
characters; lines and columns count from 1, as editors do. Line ends may be LF, CRLF, CR,
U+2028, U+2029 or NEL.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from functools import cached_property

LINE_END = re.compile("\r\n|[\n\r\u2028\u2029\u0085]")


class Source:
    """A text and what to call it in messages (a file name, `<text>`, `<stdin>`)."""

    def __init__(self, text: str, name: str = "<text>") -> None:
        self.text = text
        self.name = name

    def __repr__(self) -> str:
        return f"Source({self.name!r}, {len(self.text)} characters)"

    @cached_property
    def line_starts(self) -> list[int]:
        return [0, *(end.end() for end in LINE_END.finditer(self.text))]

    def place(self, offset: int) -> tuple[int, int]:
        r"""Line and column of an offset, both from 1.

        >>> Source("A1 = 2\nB1 = A1").place(7)
        (2, 1)
        """
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line without its end."""
        start = self.line_starts[number - 1]
        end = LINE_END.search(self.text, start)
        return self.text[start : end.start() if end else len(self.text)]


class Span:
    """A piece of a source, from `start` up to but not including `end`."""

    __slots__ = ("end", "source", "start")

    def __init__(self, source: Source, start: int, end: int) -> None:
        self.source = source
        self.start = start
        self.end = end

    def __repr__(self) -> str:
        return f"Span({self})"

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    @property
    def line(self) -> int:
        return self.source.place(self.start)[0]

    @property
    def column(self) -> int:
        return self.source.place(self.start)[1]

    def to(self, other: Span) -> Span:
        """From the beginning of this span to the end of the other."""
        return Span(self.source, self.start, other.end)

    def excerpt(self, width: int = 100) -> str:
        """The line with carets under the span, cut around the span when the line is long."""
        line, column = self.source.place(self.start)
        whole = self.source.line(line)
        text = whole.rstrip()
        first = max(0, column - 1 - width // 2) if len(text) > width else 0
        shown = "".join(_visible(c) for c in text[first : first + width])
        before = cells("".join(_visible(c) for c in text[first : column - 1]))
        length = max(1, min(self.end - self.start, len(text) - column + 1, width - (column - 1 - first)))
        under = max(1, cells("".join(_visible(c) for c in text[column - 1 : column - 1 + length])))
        return f"    {shown}\n    {' ' * before}{'^' * under}"


_ODD = re.compile("[^\0-\u02ff\u0370-\u0482\u048a-\u0590\u2000-\u20cf\u2100-\u2319\u2400-\u25fc\u2800-\u29ff]")
"""Where wide and combining characters may be; everything else takes one cell. (Said the other way round, the pattern
takes ten times as long to compile, at every start of the program.)"""


def cells(text: str) -> int:
    """How many terminal cells a text takes: wide characters two, combining marks none."""
    if text.isascii() or not _ODD.search(text):
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _visible(character: str) -> str:
    """A character as it may be shown in a message: tabs as a blank, unprintable ones as a box."""
    if character == "\t":
        return " "
    return character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
