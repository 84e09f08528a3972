"""What a figure is made of while it is laid out: places that stand in columns, wires that join them.

A place is a unit with its words around it, or a point where a long arrow passes a column, or words
for units left out. These are the only objects of Backhand that change: every step fills in what it
finds out (thread: the chain of a wire, settle: the heights, spread: x and the words of the wires).
Lengths are pixels, y grows downwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from typing import Literal, TypeAlias

from backhand.explaining.lettering import ASCENT, DESCENT, shortened, width
from backhand.explaining.placing.curves import Piece
from backhand.explaining.scene import Arrow, Unit

Role: TypeAlias = Literal["name", "hint", "caption", "value", "derivative", "weight", "local", "more", "note"]
Column: TypeAlias = "list[Place]"

RADIUS, CORNER = 24.0, 10.0
NAME, VALUE, WEIGHT, HINT = 16.0, 14.0, 13.0, 12.0
CAPTION, ELEMENT = 14.0, 13.0
GAP = 8.0
"""Between the words on an arrow, if they stand side by side."""
LINE = 21.4
"""What a line of them needs."""
LEADING = ASCENT + DESCENT + 0.01
PADDING = 16.0
AIR = 18.0
"""Between what belongs to one unit and what belongs to the next below."""
LANE = 10.0
"""Half of what an arrow needs that passes a column."""


class Place:
    """Something that stands in a column. `kind` is empty where an arrow passes."""

    __slots__ = (
        "bottom", "caption", "corner", "half", "half_height", "half_width", "kind", "labels", "lefts", "name",
        "rights", "slack", "steep", "top", "x", "y",
    )  # fmt: skip

    def __init__(self, name: str = "", kind: str = "") -> None:
        self.name, self.kind = name, kind
        self.x = self.y = 0.0
        self.half_width = self.half_height = self.corner = 0.0  # the outline
        self.half = 0.0  # half of what the column must be wide
        self.slack = 0.0  # half of the words above and below, which no arrow may cut
        self.top = self.bottom = LANE  # what is needed above and below y
        self.caption = 0.0  # how much of that is for words above its layer
        self.steep = 0.0  # how steeply an arrow may leave or arrive
        self.labels: list[tuple[Role, str, float, float, float]] = []  # role, words, baseline below y, size, width
        self.lefts: list[tuple[Place, float]] = []  # neighbours, and how much each counts
        self.rights: list[tuple[Place, float]] = []

    @property
    def alone(self) -> bool:
        return not self.lefts and not self.rights

    def write(self, role: Role, words: str, down: float, size: float) -> float:
        wide = width(words, size)
        self.labels.append((role, words, down, size, wide))
        return wide


class Wire:
    """An arrow on its way: the places it joins, its curve in each strip, its words and where they stand."""

    __slots__ = (
        "arrow", "bow", "chain", "cuts", "high", "pieces", "spot", "stacked", "strip", "wide", "words",
    )  # fmt: skip

    def __init__(self, arrow: Arrow, tail: Place, head: Place) -> None:
        self.arrow = arrow
        self.chain = [tail, head]
        self.bow = 0.0  # how far its middle swings out, where several arrows join the same two units
        self.words: list[tuple[Role, str, float]] = []  # role, words, width; side by side, or stacked if long
        if arrow.weight:
            self._write("weight", short_equation(arrow.weight))
        if arrow.local:
            self._write("local", shortened(arrow.local, 20))
        widths = [wide for _, _, wide in self.words]
        side_by_side = sum(widths) + GAP * (len(widths) - 1)
        self.stacked = len(widths) > 1 and side_by_side > 110
        self.wide = max(widths, default=0.0) if self.stacked else side_by_side
        self.high = LINE * (2 if self.stacked else min(1, len(widths)))
        self.strip = -1  # the strip its words stand in,
        self.spot: tuple[float, float] | None = None  # and where their middle is
        self.pieces: list[Piece] = []
        self.cuts: list[tuple[float, float]] = []  # from x to x, where words stand

    def _write(self, role: Role, words: str) -> None:
        self.words.append((role, words, width(words, WEIGHT)))


def stand(entry: Unit | str) -> Place:
    """A unit measured: its name and hints inside, its value above, its derivative below."""
    if isinstance(entry, str):
        return _ellipsis(entry)
    place = Place(entry.name, entry.kind or "computed")
    _outline(place, [*_inside(entry)])
    place.top = place.bottom = place.half_height + 4
    if entry.above:
        place.slack = place.write("value", shortened(entry.above, 20), -place.half_height - 7, VALUE) / 2
        place.top += 3 + ASCENT * VALUE
    if entry.below:
        wide = place.write("derivative", shortened(entry.below, 20), place.half_height + 22, VALUE)
        place.slack = max(place.slack, wide / 2 + 5)
        place.bottom += 26
    place.half = max(place.half_width, place.slack)
    if unit_caption := entry.caption:
        _head(place, unit_caption)
    return place


def _head(place: Place, lines: Iterable[str]) -> None:
    """Words above a layer, the first line larger."""
    sizes = [(words, HINT if k else CAPTION) for k, words in enumerate(lines)]
    down = -place.top - 4
    for words, size in reversed(sizes):
        wide = place.write("caption", shortened(words, 36), down - DESCENT * size, size)
        down -= LEADING * size
        place.half = max(place.half, wide / 2)
        place.slack = max(place.slack, wide / 2)
    place.caption = -down - place.top
    place.top = -down


def _inside(unit: Unit) -> Iterable[tuple[Role, str, float]]:
    yield "name", shortened(unit.name, 18), ELEMENT if unit.small else NAME
    if unit.shape:
        yield "hint", shortened(unit.shape, 26), HINT
    if unit.inside:
        yield "hint", shortened(unit.inside, 36), HINT
    if unit.bias:
        yield "hint", "+ " + short_equation(unit.bias), HINT


def short_equation(words: str) -> str:
    """`w[input1,hidden1] = 0.25` keeps its number when it must be shortened.

    >>> short_equation("a_rather_long_name_here = 0.25")
    'a_rather_long_… = 0.25'
    """
    if len(words) <= 22:
        return shortened(words, 22)
    name, equals, number = words.rpartition(" = ")
    number = shortened(number, 14 if equals else 22)
    return shortened(name, max(5, 19 - len(number))) + equals + number


def _outline(place: Place, lines: list[tuple[Role, str, float]]) -> None:
    """A circle around a short name, a box around more."""
    high = sum(LEADING * size for _, _, size in lines)
    wide, top = 0.0, -high / 2 - (2 if len(lines) > 1 else 0)  # the last line has room for an index below
    for role, words, size in lines:
        wide = max(wide, place.write(role, words, top + ASCENT * size, size))
        top += LEADING * size
    place.half_width = place.half_height = place.corner = RADIUS
    if len(lines) > 1 or wide > 2 * RADIUS - 6:
        place.half_width = max(RADIUS, wide / 2 + 10)
        place.half_height = max(RADIUS, high / 2 + 4)
        place.corner = CORNER


def _ellipsis(words: str) -> Place:
    place = Place(kind="more")
    place.write("more", "⋯" if words.endswith("layers") else "⋮", -2, 20)
    place.half = place.write("more", words, 16, HINT) / 2
    place.top = place.bottom = RADIUS
    return place


def pitch(columns: Iterable[Iterable[Place]]) -> float:
    """From one unit to the next in a column; the same everywhere, so that rows stay rows."""
    heights = (place.top - place.caption + place.bottom for column in columns for place in column)
    tallest = max(heights, default=0.0)
    return 2 * ceil((tallest + AIR) / 2)


def distance(upper: Place, lower: Place, between_units: float) -> float:
    """From one place of a column to the next; `between_units` is the pitch."""
    needed = upper.bottom + lower.top
    if not (upper.kind and lower.kind):
        return needed
    return max(between_units, needed + AIR) if lower.caption else between_units
