"""Where everything in the figure of a network stands: a Scene becomes a Drawing.

Layers stand in columns from left to right, units in their column in the order of the question; both
are given, so there is nothing to search for. What remains are these questions, each a module of `placing`:

    abridge   What is shown of a network that is too large?
    stand     How large is a unit, with its value above and its derivative below?
    thread    Between which units does an arrow pass that skips layers?
    settle    How high does each place lie, so that ways are straight where they can be?
    spread    How wide are the strips between columns, so that each weight stands free on its arrow?

Arrows are cut where words stand, so words need no background. Lengths are pixels, y grows downwards.
The same scene gives the same drawing. Why no library does this: docs/decisions/0002-own-figure-layout.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from backhand.explaining.lettering import ASCENT, DESCENT, shortened, width
from backhand.explaining.placing.abridge import abridge
from backhand.explaining.placing.curves import Curve, Point, Rect, Station, bezier, cut, joined, point
from backhand.explaining.placing.places import GAP, HINT, LINE, PADDING, WEIGHT, Place, Role, Wire, stand
from backhand.explaining.placing.settle import settle
from backhand.explaining.placing.spread import spread
from backhand.explaining.placing.thread import thread
from backhand.explaining.scene import Scene

TIP_LENGTH, TIP_HALF = 9.0, 3.6


@dataclass(frozen=True, slots=True)
class Label:
    """Words on one line; `x, y` is where their baseline has its middle (`start`: its beginning). `width` is
    estimated, never too small. A derivative has a `frame` around it."""

    role: Role
    words: str
    x: float
    y: float
    size: float
    width: float
    start: bool = False

    @property
    def box(self) -> Rect:
        """What the words may cover."""
        left = self.x if self.start else self.x - self.width / 2
        return (left, self.y - ASCENT * self.size, left + self.width, self.y + DESCENT * self.size)

    @property
    def frame(self) -> Rect | None:
        if self.role != "derivative":
            return None
        left, _, right, _ = self.box
        return (left - 5, self.y - 16, right + 5, self.y + 6)


@dataclass(frozen=True, slots=True)
class Shape:
    """A unit's outline around `x, y`: a circle if all three lengths are equal, else a box with round corners,
    or none for what stands for units left out (kind "more"). `name` is never shortened."""

    name: str
    kind: str
    x: float
    y: float
    half_width: float
    half_height: float
    corner: float
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """An arrow: curves that follow each other, with gaps where words stand, and the triangle of its tip. `dropped`:
    somebody left it out. `about`: the quantity that is its weight."""

    tail: str
    head: str
    curves: tuple[Curve, ...]
    tip: tuple[Point, Point, Point]
    labels: tuple[Label, ...]
    dropped: bool = False
    about: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure without format. `notes` are the legend and what was left out."""

    title: str
    twin: str
    width: float
    height: float
    shapes: tuple[Shape, ...]
    lines: tuple[Line, ...]
    notes: tuple[Label, ...]


def lay_out(scene: Scene) -> Drawing:
    """The scene, placed. A page-size network takes a few milliseconds, one of any size less than a second."""
    layers, arrows, remarks = abridge(scene)
    columns = [[stand(entry) for entry in layer] for layer in layers]
    wires = thread(columns, arrows)
    settle(columns, wires)
    unwritten = spread(columns, wires)
    places = [place for column in columns for place in column]
    wide = max((place.x + place.half for place in places), default=0.0) + PADDING
    high = max((place.y + place.bottom for place in places), default=0.0) + PADDING
    sentences = [*_legend(scene, wires), *scene.remarks, *remarks, *_unwritten(unwritten)]
    notes = tuple(_notes(sentences, max(wide - 2 * PADDING, 260.0), high + 8))
    return Drawing(
        title=scene.title,
        twin=scene.twin,
        width=round(max([wide, *(note.box[2] + PADDING for note in notes)]), 1),
        height=round(notes[-1].y + PADDING if notes else high, 1),
        shapes=tuple(_shape(place) for place in places if place.kind),
        lines=tuple(map(_line, wires)),
        notes=notes,
    )


def _legend(scene: Scene, wires: Iterable[Wire]) -> Iterable[str]:
    if not scene.of:
        return
    written = {role for wire in wires if wire.spot for role, _, _ in wire.words}
    if any(unit.above for unit in scene.units):
        yield "above: value"
    if any(unit.below for unit in scene.units):
        yield f"below, in a frame: d{shortened(scene.of, 18)}/d·"
    if "weight" in written and not scene.remarks:
        yield "on an arrow: weight"
    if "local" in written:
        yield "∂: local derivative"
    if any(arrow.dropped for arrow in scene.arrows):
        yield "thick and broken, in red: left out"


def _unwritten(count: int) -> Iterable[str]:
    if count:
        yield f"No room to write on {'one arrow' if count == 1 else f'{count:,} arrows'}."


def _notes(sentences: Iterable[str], room: float, y: float) -> Iterable[Label]:
    """As many sentences on a line as there is room for."""
    x = PADDING
    for sentence in sentences:
        wide = width(sentence, HINT)
        if x > PADDING and x + wide > PADDING + room:
            x, y = PADDING, y + 20
        yield Label("note", sentence, round(x, 1), round(y, 1), HINT, wide, start=True)
        x += wide + 20


def _shape(place: Place) -> Shape:
    x, y = round(place.x, 1), place.y
    labels = tuple(
        Label(role, words, x, round(y + down, 1), size, wide) for role, words, down, size, wide in place.labels
    )
    return Shape(place.name, place.kind, x, y, place.half_width, place.half_height, place.corner, labels)


def _line(wire: Wire) -> Line:
    """From outline to outline, and the words on it."""
    leaving, arriving = wire.pieces[0][2], wire.pieces[-1][5]
    x, y = _border(wire.chain[0], leaving, 1)
    apex = _border(wire.chain[-1], arriving, -1)
    tip, base = _tip(apex, arriving)
    stations: list[Station] = [(x, y, leaving)]
    for piece in wire.pieces:
        stations += piece[:3], piece[3:]
    stations.append((*base, arriving))
    curves = tuple(map(bezier, cut(joined(stations), sorted(wire.cuts))))
    arrow = wire.arrow
    return Line(arrow.tail, arrow.head, curves, tip, tuple(_words(wire)), arrow.dropped, arrow.about)


def _border(place: Place, slope: float, side: int) -> Point:
    """Where an arrow with this slope meets the outline, on the right (side 1) or left (-1)."""
    run = place.half_width
    if place.corner == place.half_width:
        run /= (1 + slope * slope) ** 0.5
    return place.x + side * run, place.y + side * run * slope


def _tip(apex: Point, slope: float) -> tuple[tuple[Point, Point, Point], Point]:
    """The triangle of a tip, and the middle of its base, where the line ends."""
    x, y = apex
    norm = (1 + slope * slope) ** 0.5
    dx, dy = 1 / norm, slope / norm
    base = x - TIP_LENGTH * dx, y - TIP_LENGTH * dy
    one = point(base[0] - TIP_HALF * dy, base[1] + TIP_HALF * dx)
    other = point(base[0] + TIP_HALF * dy, base[1] - TIP_HALF * dx)
    return (point(x, y), one, other), base


def _words(wire: Wire) -> Iterable[Label]:
    """Weight and local derivative, side by side or one below the other."""
    if wire.spot is None:
        return
    x, y = wire.spot
    left, y = x - wire.wide / 2, y + 4.6
    for k, (role, words, wide) in enumerate(wire.words):
        if wire.stacked:
            yield Label(role, words, round(x, 1), round(y + LINE * (k - 0.5), 1), WEIGHT, wide)
        else:
            yield Label(role, words, round(left + wide / 2, 1), round(y, 1), WEIGHT, wide)
            left += wide + GAP
