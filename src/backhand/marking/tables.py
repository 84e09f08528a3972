"""What each habit gives on a network, worked out once for a whole class.

    tables = prepared(graph, folder="tables")       a second at most; the next time read from the folder
    mark(work, graph, tables=tables)

Who has one habit and reckons without slips writes just the numbers that the habit gives; then there is nothing to
search, only to look up. For every row of the table of habits, at every place of the network where it can make a
difference, a Tables has the numbers of all lines. Marking with and without one gives the same; a test holds the two
together.

A file of tables is named for its content: the network, the table of habits, and the version. A file that does not fit
is made anew; one that cannot be read is an error, because it is ours.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from tempfile import NamedTemporaryFile

from backhand.core.graph import Graph
from backhand.errors import ReadError, UsageError
from backhand.marking.about import About, Derivative, Local, Value
from backhand.marking.diagnose import Hypothesis, every_place, makes_a_difference
from backhand.marking.misconceptions import TABLE
from backhand.marking.replay import predicted, run
from backhand.marking.sheet import Amount, Sheet, sheet_of, small

FORMAT = 1

Numbers = tuple[Amount | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """For each row at each place, in the order of the table of habits: its numbers by line, or None where it makes no
    difference on this network."""

    digest: str
    of: str
    lines: tuple[str, ...]
    numbers: tuple[Numbers | None, ...]

    def hypotheses(self, sheet: Sheet) -> list[Hypothesis]:
        """The rows that make a difference, at their places."""
        return [h for h, numbers in zip(every_place(sheet), self.numbers, strict=True) if numbers is not None]

    def rows(self) -> list[Numbers]:
        """Their numbers."""
        return [numbers for numbers in self.numbers if numbers is not None]

    def columns(self, abouts: Iterable[About]) -> list[int] | None:
        """Where the numbers of these lines stand; None if one of them is in no table."""
        index = {name: at for at, name in enumerate(self.lines)}
        found = [index.get(_name(about), -1) for about in abouts]
        return None if -1 in found else found


def prepared(graph: Graph, of: str | None = None, *, folder: str | os.PathLike[str] | None = None) -> Tables:
    """The tables of a network, from the folder if they are there, else made and kept there.

    Raises UsageError where the folder cannot be used.
    """
    output = graph.output(of)[0]
    digest = content(graph, output)
    place = Path(folder) / f"{digest[:20]}.json" if folder is not None else None
    if place is not None and place.is_file():
        found = _read(place)
        if found.digest == digest:
            return found
    made = build(graph, output, digest)
    if place is not None:
        _write(made, place)
    return made


def content(graph: Graph, of: str) -> str:
    """What tables depend on, in 64 digits: the network, the output, the habits, and how they are kept."""
    habits = "\n".join(f"{row.key} {row.changes} {row.prior_bits}" for row in TABLE)
    return hashlib.sha256(f"{FORMAT} {version('backhand')} {of}\n{graph}\n{habits}".encode()).hexdigest()


def build(graph: Graph, of: str, digest: str = "") -> Tables:
    """All rows at all places, replayed once."""
    sheet = sheet_of(graph, of)
    lines = _lines(sheet)
    numbers: list[Numbers | None] = []
    for hypothesis, differs in makes_a_difference(sheet):
        if not differs:
            numbers.append(None)
            continue
        page = run(sheet, hypothesis.practice)
        found = (predicted(page, about) for about in lines)
        numbers.append(tuple(None if x is None or x != x else x for x in found))
    return Tables(digest or content(graph, of), of, tuple(map(_name, lines)), tuple(numbers))


def _lines(sheet: Sheet) -> list[About]:
    """All that a claim about this output can be: values, derivatives of the output, local derivatives."""
    names = [q.name for q in sheet.graph.quantities]
    values: list[About] = [Value(q.name) for q in sheet.graph.quantities if q.computed]
    total: list[About] = [Derivative(sheet.of, names[i]) for i in sorted(sheet.needed) if i != sheet.end]
    local = dict.fromkeys((w.child, w.parent) for w in sheet.ways if w.child in sheet.needed)
    return [*values, *total, *(Local(names[child], names[parent]) for child, parent in local)]


def _name(about: About) -> str:
    return f"{about.what} {about}"


# -- on disk -------------------------------------------------------------------------------------------------


def _read(place: Path) -> Tables:
    try:
        kept = json.loads(place.read_text("utf-8"))
        rows = [None if row is None else tuple(_number(x) for x in row) for row in kept["numbers"]]
        return Tables(kept["digest"], kept["of"], tuple(kept["lines"]), tuple(rows))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReadError(f"{place} cannot be read: {error}.", cure="Delete it; it is made anew.") from None


def _write(tables: Tables, place: Path) -> None:
    """Whole or not at all, so that two runs at once do no harm."""
    rows = [None if row is None else [_text(x) for x in row] for row in tables.numbers]
    kept = {"digest": tables.digest, "of": tables.of, "lines": tables.lines, "numbers": rows}
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", encoding="utf-8", dir=place.parent, suffix=".part", delete=False) as file:
            json.dump(kept, file, separators=(",", ":"))
        Path(file.name).replace(place)
    except OSError as error:
        raise UsageError(f"{place.parent} cannot be written: {error.strerror or error}.") from None


def _text(number: Amount | None) -> str | float | None:
    """Exact numbers as text, floats as numbers."""
    return str(number) if isinstance(number, (int, Fraction)) else number


def _number(kept: str | float | None) -> Amount | None:
    return small(Fraction(kept)) if isinstance(kept, str) else kept
