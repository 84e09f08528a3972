"""Files of a course as pages of text: what is written for people, at the place where it stands.

    notes.md      as it is
    code.py       its comments and docstrings; code is blanked out
    week3.ipynb   Markdown cells, and the comments of code cells

What is no text for people is made blank and nothing is moved, so that a place on the page is a place in the file; for
notebooks, whose cells are strings inside JSON, a Page knows where each character came from. Nothing is executed.
"""

from __future__ import annotations

import io
import json
import re
import tokenize
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from backhand.text import Source


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A file as text for people. `origins` and `cells` are of notebooks: where in the file each character came from,
    and where on the page each cell begins."""

    name: str
    text: str
    raw: Source
    origins: tuple[int, ...] | None = None
    cells: tuple[tuple[int, int], ...] = ()

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column in the file."""
        if self.origins is None:
            return self.raw.place(offset)
        known = min(offset, len(self.origins) - 1)
        return self.raw.place(self.origins[known] if known >= 0 else 0)

    def where(self, offset: int) -> str:
        """What a person calls the place, where that is not the line of the file: cell 3, line 2."""
        if not self.cells:
            return ""
        number, start = self.cells[max(0, bisect_right([begin for _, begin in self.cells], offset) - 1)]
        return f"cell {number}, line {self.text.count(chr(10), start, offset) + 1}"


def page_of(name: str, text: str) -> Page:
    """The page of a file, by its suffix. Raises ValueError for a notebook that is none."""
    raw = Source(text, name)
    if name.endswith(".ipynb"):
        return _notebook(raw)
    if name.endswith(".py"):
        return Page(name, spoken(text), raw)
    return Page(name, text, raw)


# -- Python -----------------------------------------------------------------------------------------------------


def spoken(code: str) -> str:
    """Comments and docstrings of Python code, everything else blank."""
    kept = [" " if character not in "\r\n" else character for character in code]
    starts = Source(code).line_starts
    for first, last in _spoken(code, starts):
        kept[first:last] = code[first:last]
    return "".join(kept)


def _spoken(code: str, starts: list[int]) -> Iterator[tuple[int, int]]:
    """Where comments and docstrings stand, without their signs."""
    fresh = True
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            (line, column), (last_line, last_column) = token.start, token.end
            first, last = starts[line - 1] + column, starts[min(last_line, len(starts)) - 1] + last_column
            if token.type == tokenize.COMMENT:
                yield first + 1, last
            elif token.type == tokenize.STRING and fresh:
                opening = re.match(r"[A-Za-z]*(\"\"\"|'''|\"|')", token.string)
                assert opening is not None
                yield first + opening.end(), last - len(opening[1])
            if token.type not in (tokenize.COMMENT, tokenize.NL):
                fresh = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)
    except (tokenize.TokenError, SyntaxError, IndexError):
        # no whole program (a cell with magics, a file being written): comments on lines of their own are left
        for found in re.finditer(r"^[ \t]*#(.*)$", code, re.MULTILINE):
            yield found.start(1), found.end(1)


# -- notebooks --------------------------------------------------------------------------------------------------


JSON = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]", re.DOTALL
)


def _notebook(raw: Source) -> Page:
    try:
        whole = json.loads(raw.text)
    except (ValueError, RecursionError):
        raise ValueError(f"{raw.name} is no notebook: it is not JSON.") from None
    if not isinstance(whole, dict) or "cells" not in whole:
        raise ValueError(f"{raw.name} is no notebook with cells.")
    kinds: dict[int, str] = {}
    strings: dict[int, list[tuple[int, int]]] = {}
    for path, start, end in _strings(raw.text):
        match path:
            case ("cells", int(cell), "cell_type"):
                kinds[cell] = raw.text[start:end]
            case ("cells", int(cell), "source") | ("cells", int(cell), "source", int()):
                strings.setdefault(cell, []).append((start, end))
            case _:
                pass
    text: list[str] = []
    origins: list[int] = []
    cells: list[tuple[int, int]] = []
    for cell in sorted(strings):
        characters, places = _decoded(raw.text, strings[cell])
        if kinds.get(cell) == "code":
            characters = spoken(characters)
        cells.append((cell + 1, len(origins)))
        end = places[-1] if places else 0
        text.append(characters + "\n\n")
        origins += [*places, end, end]
    return Page(raw.name, "".join(text), raw, tuple(origins), tuple(cells))


def _decoded(raw: str, strings: list[tuple[int, int]]) -> tuple[str, list[int]]:
    """The text of a cell, and where each of its characters stands in the file."""
    text: list[str] = []
    places: list[int] = []
    for start, end in strings:
        for part in ESCAPE.finditer(raw, start, end):
            characters: str = json.loads(f'"{part[0]}"', strict=False) if part[0].startswith("\\") else part[0]
            text.append(characters)
            places += [part.start()] * len(characters)
    return "".join(text), places


def _strings(text: str) -> Iterator[tuple[tuple[str | int, ...], int, int]]:
    """The strings of a JSON text that are values: the way to each, and where its inside stands."""
    path: list[str | int] = []
    opened: list[str] = []
    key = ""
    for token in JSON.finditer(text):
        sign = token[0]
        if sign in "{[":
            opened.append(sign)
            path.append(0 if sign == "[" else "")
        elif sign in "}]":
            opened.pop()
            path.pop()
        elif sign == ":":
            path[-1] = key
        elif sign == ",":
            if opened and opened[-1] == "[":
                place = path[-1]
                assert isinstance(place, int)
                path[-1] = place + 1
            else:
                path[-1] = ""
        elif sign.startswith('"'):
            if opened and opened[-1] == "{" and path[-1] == "":
                key = sign[1:-1]
            else:
                yield tuple(path), token.start() + 1, token.end() - 1
