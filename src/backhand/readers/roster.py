"""Names of students from a CSV file: a column called name or student, or first and last name, else the first column."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from backhand.errors import BackhandError, ReadError, raise_all
from backhand.readers import load
from backhand.text import Source, Span

WHOLE = ("name", "student", "full name", "fullname", "student name")
FIRST = ("first name", "firstname", "first", "given name", "forename")
LAST = ("last name", "lastname", "last", "surname", "family name")


def read_roster(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """The names of a file, in its order. Raises ReadError at the line of an empty name or of one that stands twice."""
    path = Path(path)
    return roster_of(Source(load(path), str(path)))


def roster_of(source: Source) -> tuple[str, ...]:
    """The names of a text.

    >>> roster_of(Source("last name;first name" + chr(10) + "Lovelace;Ada"))
    ('Ada Lovelace',)
    """
    text = source.text.removeprefix("\ufeff")
    separator = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    columns: Sequence[int] | None = None
    found: dict[str, tuple[str, int]] = {}
    errors: list[BackhandError] = []
    for row in reader:
        line = reader.line_num
        if not any(cell.strip() for cell in row):
            continue
        if columns is None:
            columns, is_header = _columns(row)
            if is_header:
                continue
        name = " ".join(" ".join(row[at] for at in columns if at < len(row)).split())
        span = _line(source, line)
        if not name:
            errors.append(ReadError("This student has no name.", span, cure="Give the line one."))
        elif name.casefold() in found:
            first = found[name.casefold()][1]
            what = f"{name} stands twice on the roster, on line {first} as well."
            errors.append(ReadError(what, span, cure="Tell the two apart: by a second name, or a number."))
        else:
            found[name.casefold()] = name, line
    raise_all(errors)
    if not found:
        raise ReadError("There is no name on this roster.", Span(source, 0, 0), cure="Give each student a line.")
    return tuple(name for name, _ in found.values())


def _columns(row: Sequence[str]) -> tuple[Sequence[int], bool]:
    """Where the name stands, and whether this row says so."""
    cells = [cell.strip().casefold().replace("_", " ") for cell in row]
    for at, cell in enumerate(cells):
        if cell in WHOLE:
            return (at,), True
    first = next((at for at, cell in enumerate(cells) if cell in FIRST), None)
    last = next((at for at, cell in enumerate(cells) if cell in LAST), None)
    if first is not None or last is not None:
        return [at for at in (first, last) if at is not None], True
    return (0,), False


def _line(source: Source, number: int) -> Span:
    start = source.line_starts[number - 1]
    return Span(source, start, start + len(source.line(number)))
