"""Where everything in the figure of a network stands: a Scene becomes a Drawing.

Layers stand in columns from left to right, units in their column in the order of the question;
both are given, so there is nothing to search for. What remains are four questions, one function each:

    _stand    How large is a unit, with its value above and its derivative below?
    _thread   Where does an arrow over several layers pass the columns between? At a place of its own,
              chosen so that it crosses as few arrows as possible.
    _settle   How high does each place lie? So that ways are straight where they can be.
    _spread   How wide are the strips between the columns? So wide that each weight stands on its own
              arrow, where no other arrow passes.

In a strip an arrow is a height over x, a cubic with a slope at either end (a straight line if nothing
stands in its way). So whether two things meet is a comparison of heights. Arrows are cut where words
stand, whatever the background. Lengths are pixels, y grows downwards.
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal, TypeAlias

from backhand.explaining.lettering import ASCENT, DESCENT, shortened, width
from backhand.explaining.scene import Arrow, Scene, Unit

Point: TypeAlias = tuple[float, float]
Curve: TypeAlias = tuple[Point, ...]
"""Two points: a straight line. Four: a cubic Bézier curve."""
Rect: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom."""
Role: TypeAlias = Literal["name", "hint", "value", "derivative", "weight", "local", "more", "note"]


# ---- what comes out


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
        left = self.x if self.start else self.x - self.width / 2
        return (left, self.y - ASCENT * self.size, left + self.width, self.y + DESCENT * self.size)

    @property
    def frame(self) -> Rect | None:
        if self.role != "derivative":
            return None
        left, _, right, _ = self.box
        return (left - 5, self.y - 15, right + 5, self.y + 5)


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
    """An arrow: curves that follow each other, with gaps where words stand, and the triangle of its tip."""

    tail: str
    head: str
    curves: tuple[Curve, ...]
    tip: tuple[Point, Point, Point]
    labels: tuple[Label, ...]


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


# ---- sizes

RADIUS, CORNER = 24.0, 10.0
NAME, VALUE, WEIGHT, HINT = 16.0, 14.0, 13.0, 12.0
PADDING = 16.0
AIR = 22.0  # between what belongs to one unit and what belongs to the next below
NEARLY = 6.0
LANE = 10.0  # half of what an arrow needs that passes a column
APRON = 12.0  # beside each column: room for the tips
STEEPEST = 1.6  # how steeply an arrow may leave a circle
WIDE = 400.0  # a strip as wide as this is not widened any more only because words lie across arrows
STEP = 6.0  # a weight is tried every so many pixels along its arrow

WHOLE = 120  # units up to which every one is drawn,
DENSE = 300  # but with more arrows than this,
SPARSE = 60  # only so many; of larger networks:
LAYERS, IN_A_LAYER, SHOWN = 16, 6, 42  # layers, units in a layer and units in all, about
ARROWS = 1000  # arrows that are drawn at most, and columns passed by all of them together
CAREFUL = 60  # long arrows that are threaded one by one; more of them go straight through
WRITTEN = 60  # weights that are written in one strip at most


def lay_out(scene: Scene) -> Drawing:
    """The scene, placed. A page-size network takes a few milliseconds, one of any size less than a second."""
    layers, arrows, left_out = _abridged(scene)
    columns = [[_stand(entry) for entry in layer] for layer in layers]
    wires = _thread(columns, arrows)
    _settle(columns, wires)
    unwritten = _spread(columns, wires)
    return _drawn(scene, columns, wires, [*left_out, *_unwritten(unwritten)])


# ---- large networks: what is shown of them


def _abridged(scene: Scene) -> tuple[list[list[Unit | str]], list[Arrow], list[str]]:
    """The units by layer, words where some of them are left out, the arrows between those that are
    left, and sentences that own up to the rest."""
    layers = _layers(scene.units)
    if len(scene.units) > (SPARSE if len(scene.arrows) > DENSE else WHOLE):
        layers = _fewer_layers(layers)
        most = _most_in_a_layer(layers)
        layers = [_fewer_units(layer, most) for layer in layers]
    column = {unit.name: k for k, layer in enumerate(layers) for unit in layer if isinstance(unit, Unit)}
    arrows: list[Arrow] = []
    room = ARROWS
    for arrow in scene.arrows:
        span = column.get(arrow.head, 0) - column.get(arrow.tail, len(layers))
        if 0 < span <= room:
            arrows.append(arrow)
            room -= span
    return layers, arrows, [*_not_drawn(len(column), len(arrows), scene)]


def _layers(units: Iterable[Unit]) -> list[list[Unit | str]]:
    found: dict[int, list[Unit]] = {}
    for unit in units:
        found.setdefault(unit.layer, []).append(unit)
    return [[*sorted(found[layer], key=lambda unit: unit.row)] for layer in sorted(found)]


def _fewer_layers(layers: list[list[Unit | str]]) -> list[list[Unit | str]]:
    if len(layers) <= LAYERS:
        return layers
    first, last = layers[: LAYERS // 2], layers[-(LAYERS // 2 - 1) :]
    return [*first, [f"{len(layers) - len(first) - len(last)} more layers"], *last]


def _most_in_a_layer(layers: list[list[Unit | str]]) -> int:
    """Units a layer may show so that all together show about SHOWN, but never fewer than two."""
    for most in range(IN_A_LAYER, 2, -1):
        if sum(min(len(layer), most) for layer in layers) <= SHOWN:
            return most
    return 2


def _fewer_units(layer: list[Unit | str], most: int) -> list[Unit | str]:
    if len(layer) <= most + 1:
        return layer
    return [*layer[: most - 1], f"{len(layer) - most} more", layer[-1]]


def _not_drawn(units: int, arrows: int, scene: Scene) -> Iterable[str]:
    parts: list[str] = []
    if units < len(scene.units):
        parts.append(f"{len(scene.units) - units:,} of {len(scene.units):,} quantities")
    if arrows < len(scene.arrows):
        parts.append(f"{len(scene.arrows) - arrows:,} of {len(scene.arrows):,} arrows")
    if parts:
        yield "Not drawn: " + " and ".join(parts) + "."


def _unwritten(count: int) -> Iterable[str]:
    if count:
        yield f"No room to write on {'one arrow' if count == 1 else f'{count:,} arrows'}."


# ---- units: how large they are


class _Place:
    """Something that stands in a column: a unit, words for units left out, or an arrow passing through."""

    __slots__ = (
        "bottom", "corner", "half", "half_height", "half_width", "kind", "labels", "lefts", "name",
        "rights", "slack", "steep", "top", "x", "y",
    )  # fmt: skip

    def __init__(self, name: str = "", kind: str = "") -> None:
        self.name, self.kind = name, kind
        self.x = self.y = 0.0
        self.half_width = self.half_height = self.corner = 0.0
        self.half = 0.0  # half of what the column must be wide
        self.slack = 0.0  # half of the words above and below, which an arrow must not cut
        self.top = self.bottom = LANE
        self.steep = 0.0
        self.labels: list[tuple[Role, str, float, float, float]] = []  # role, words, dy, size, width
        self.lefts: list[tuple[_Place, float]] = []
        self.rights: list[tuple[_Place, float]] = []

    def write(self, role: Role, words: str, dy: float, size: float) -> float:
        wide = width(words, size)
        self.labels.append((role, words, dy, size, wide))
        return wide


def _stand(entry: Unit | str) -> _Place:
    """A unit measured: its name and hints inside, its value above, its derivative below."""
    if isinstance(entry, str):
        return _ellipsis(entry)
    place = _Place(entry.name, entry.kind)
    _outline(place, _inside(entry))
    place.top = place.bottom = place.half_height + 4
    if entry.above:
        place.slack = place.write("value", shortened(entry.above, 20), -place.half_height - 7, VALUE) / 2
        place.top += 3 + ASCENT * VALUE
    if entry.below:
        wide = place.write("derivative", shortened(entry.below, 20), place.half_height + 21, VALUE)
        place.slack = max(place.slack, wide / 2 + 5)
        place.bottom += 22
    place.half = max(place.half_width, place.slack)
    return place


def _inside(unit: Unit) -> Iterable[tuple[Role, str, float]]:
    yield "name", shortened(unit.name, 18), NAME
    if unit.inside:
        yield "hint", shortened(unit.inside, 26), HINT
    if unit.bias:
        yield "hint", "+ " + _short_equation(unit.bias), HINT


def _short_equation(words: str) -> str:
    """`w[input1,hidden1] = 0.25` keeps its number when it must be shortened."""
    if len(words) <= 22:
        return shortened(words, 22)
    name, equals, number = words.rpartition(" = ")
    number = shortened(number, 14 if equals else 22)
    return shortened(name, max(5, 19 - len(number))) + equals + number


def _outline(place: _Place, lines: Iterable[tuple[Role, str, float]]) -> None:
    """A circle around a short name, a box around more."""
    lines = [*lines]
    high = sum(1.25 * size for _, _, size in lines)
    wide, top = 0.0, -high / 2
    for role, words, size in lines:
        wide = max(wide, place.write(role, words, top + 0.98 * size, size))
        top += 1.25 * size
    place.half_width = place.half_height = place.corner = RADIUS
    if len(lines) > 1 or wide > 2 * RADIUS - 6:
        place.half_width = max(RADIUS, wide / 2 + 10)
        place.half_height = max(RADIUS, high / 2 + 6)
        place.corner = CORNER


def _ellipsis(words: str) -> _Place:
    place = _Place(kind="more")
    place.write("more", "⋯" if words.endswith("layers") else "⋮", -2, 20)
    place.half = place.write("more", words, 16, HINT) / 2
    place.top = place.bottom = RADIUS
    return place


# ---- arrows: which way they go


class _Wire:
    """An arrow on its way: the places it joins, and where its words stand."""

    __slots__ = ("arrow", "bow", "chain", "cuts", "labels", "pieces", "strip", "wide", "words")

    def __init__(self, arrow: Arrow, chain: list[_Place]) -> None:
        self.arrow, self.chain = arrow, chain
        self.bow = 0.0  # how far its middle swings out, where several arrows join the same two units
        self.words: list[tuple[Role, str, float]] = []
        self.strip = -1  # the strip its words stand in
        self.labels: list[Label] = []
        self.pieces: list[_Piece] = []  # its curve in each strip
        self.cuts: list[tuple[float, float]] = []  # from x to x, where words stand
        if arrow.weight:
            self._write("weight", _short_equation(arrow.weight))
        if arrow.local:
            self._write("local", shortened(arrow.local, 20))
        self.wide = sum(wide for _, _, wide in self.words) + 8 * (len(self.words) - 1)

    def _write(self, role: Role, words: str) -> None:
        self.words.append((role, words, width(words, WEIGHT)))


def _thread(columns: list[list[_Place]], arrows: Sequence[Arrow]) -> list[_Wire]:
    """Each arrow as a chain of places, one in every column on its way. Short ones first, they have no choice."""
    where = {place.name: (k, place) for k, column in enumerate(columns) for place in column if place.name}
    pitch = _pitch(columns)
    for column in columns:
        for row, place in enumerate(column):
            place.y = (row - (len(column) - 1) / 2) * pitch
    wires = [_Wire(arrow, [where[arrow.tail][1], where[arrow.head][1]]) for arrow in arrows]
    strips: list[list[tuple[_Place, _Place]]] = [[] for _ in columns]
    long: list[tuple[int, _Wire]] = []
    for wire in wires:
        first, last = where[wire.arrow.tail][0], where[wire.arrow.head][0]
        if last == first + 1:
            strips[first].append((wire.chain[0], wire.chain[1]))
        else:
            long.append((first, wire))
    find = _cheapest_way if len(long) <= CAREFUL else _straight_way
    spans = {id(wire): where[wire.arrow.head][0] - first for first, wire in long}
    for first, wire in sorted(long, key=lambda item: spans[id(item[1])]):
        between = columns[first + 1 : first + spans[id(wire)]]
        slots = find(wire, columns, strips, first, len(between), pitch)
        passing = [_pass(column, slot, pitch) for column, slot in zip(between, slots, strict=True)]
        wire.chain[1:1] = passing
        for k, pair in enumerate(zip(wire.chain, wire.chain[1:], strict=False)):
            strips[first + k].append(pair)
    _join(wires)
    _bow(wires)
    return wires


def _pitch(columns: Iterable[Iterable[_Place]]) -> float:
    """From one unit to the next in a column; the same everywhere, so that rows stay rows."""
    tallest = max((place.top + place.bottom for column in columns for place in column), default=0.0)
    return 2 * ceil((tallest + AIR) / 2)


def _pass(column: list[_Place], slot: int, pitch: float) -> _Place:
    place = _Place()
    place.y = _slot_height(column, slot, pitch)
    column.insert(slot, place)
    return place


def _slot_height(column: Sequence[_Place], slot: int, pitch: float) -> float:
    """The height of a place between those already there: slot 0 is above the first."""
    above = column[slot - 1].y if slot else column[0].y - pitch
    below = column[slot].y if slot < len(column) else column[-1].y + pitch
    return (above + below) / 2


def _straight_way(
    wire: _Wire, columns: list[list[_Place]], strips: object, first: int, count: int, pitch: float
) -> list[int]:
    """The slots that lie nearest to the straight line."""
    tail, head = wire.chain[0].y, wire.chain[-1].y
    return [
        bisect([place.y for place in columns[first + k]], tail + (head - tail) * k / (count + 1))
        for k in range(1, count + 1)
    ]


def _cheapest_way(
    wire: _Wire,
    columns: list[list[_Place]],
    strips: list[list[tuple[_Place, _Place]]],
    first: int,
    count: int,
    pitch: float,
) -> list[int]:
    """The slots that cross the fewest arrows, then those that stray least: dynamic programming over columns."""
    tail, head = wire.chain
    heights = [
        [_slot_height(column, slot, pitch) for slot in range(len(column) + 1)]
        for column in columns[first + 1 : first + 1 + count]
    ]
    counted = _Crossings(columns[first], columns[first + 1], strips[first])
    start = columns[first].index(tail)
    costs = [
        counted.from_unit(start, slot) + _stray(tail.y, y, pitch) + _squeeze(columns[first + 1], slot)
        for slot, y in enumerate(heights[0])
    ]
    choices: list[list[int]] = []
    for k in range(1, count):
        left, right = columns[first + k], columns[first + k + 1]
        counted = _Crossings(left, right, strips[first + k])
        best: list[tuple[float, int]] = []
        for slot, y in enumerate(heights[k]):
            ways = (
                (cost + counted.between(before, slot) + _stray(heights[k - 1][before], y, pitch), before)
                for before, cost in enumerate(costs)
            )
            cost, before = min(ways)
            best.append((cost + _squeeze(right, slot), before))
        costs = [cost for cost, _ in best]
        choices.append([before for _, before in best])
    end = columns[first + count + 1].index(head)
    counted = _Crossings(columns[first + count], columns[first + count + 1], strips[first + count])
    _, slot = min(
        (cost + counted.to_unit(slot, end) + _stray(heights[-1][slot], head.y, pitch), slot)
        for slot, cost in enumerate(costs)
    )
    slots = [slot]
    for choice in reversed(choices):
        slots.append(choice[slots[-1]])
    return slots[::-1]


def _stray(y0: float, y1: float, pitch: float) -> float:
    return 0.2 * abs(y1 - y0) / pitch


def _squeeze(column: Sequence[_Place], slot: int) -> float:
    """Passing between two units pushes them apart."""
    return 0.4 if 0 < slot < len(column) and column[slot - 1].kind and column[slot].kind else 0.0


class _Crossings:
    """How many arrows of a strip another one would cross, for all its possible ends: sums over corners of a
    table that counts the arrows starting above one place and ending above another."""

    def __init__(
        self, left: Sequence[_Place], right: Sequence[_Place], pairs: Sequence[tuple[_Place, _Place]]
    ) -> None:
        rows = {id(place): row for row, place in enumerate(left)}
        ends = {id(place): row for row, place in enumerate(right)}
        table = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
        for tail, head in pairs:
            table[rows[id(tail)] + 1][ends[id(head)] + 1] += 1
        for row in range(1, len(table)):
            above, own, running = table[row - 1], table[row], 0
            for end in range(1, len(own)):
                running += own[end]
                own[end] = running + above[end]
        self._table = table

    def _apart(self, tail_before: int, tail_after: int, head_before: int, head_after: int) -> int:
        """Arrows that start among the first and end beyond, or start beyond and end among the first."""
        table = self._table
        down = table[tail_before][-1] - table[tail_before][head_after]
        up = table[-1][head_before] - table[tail_after][head_before]
        return down + up

    def between(self, slot: int, other: int) -> int:
        return self._apart(slot, slot, other, other)

    def from_unit(self, row: int, slot: int) -> int:
        return self._apart(row, row + 1, slot, slot)

    def to_unit(self, slot: int, row: int) -> int:
        return self._apart(slot, slot, row, row + 1)


def _join(wires: Iterable[_Wire]) -> None:
    """Tell the places of their neighbours, and how much each of them counts: a way that passes columns had
    better be straight, a unit had better be in line with the units it is computed from."""
    for wire in wires:
        for left, right in zip(wire.chain, wire.chain[1:], strict=False):
            if left.kind and right.kind:
                weight = 2.0 if left.kind == "computed" else 1.0
                left.rights.append((right, 2.0))
                right.lefts.append((left, weight))
            else:
                left.rights.append((right, 0.5 if left.kind else 1.0))
                right.lefts.append((left, 0.5 if right.kind else 1.0))


def _bow(wires: Iterable[_Wire]) -> None:
    """Several arrows from one unit to the next swing apart."""
    twins: dict[tuple[int, ...], list[_Wire]] = {}
    for wire in wires:
        if len(wire.chain) == 2:
            twins.setdefault((id(wire.chain[0]), id(wire.chain[1])), []).append(wire)
    for group in twins.values():
        for k, wire in enumerate(group):
            wire.bow = min(26.0, 80 / len(group)) * (k - (len(group) - 1) / 2)


# ---- heights


def _settle(columns: list[list[_Place]], wires: Sequence[_Wire]) -> None:
    """Every place moves to the middle of its neighbours, as far as its own column lets it; to and fro, until
    most ways are straight."""
    pitch = _pitch(columns)
    for column in columns:
        _stack(column, [place.y for place in column], [1.0] * len(column), pitch)
    for sides in ("left", "right", "left", "right", "both", "both", "both", "left"):
        for column in columns if sides != "right" else reversed(columns):
            wanted = [_wish(place, sides) for place in column]
            _stack(column, [y for y, _ in wanted], [weight for _, weight in wanted], pitch)
    _align(columns)
    for column in columns:
        _tuck(column, pitch)
    _level(columns, wires)
    top = min((place.y - place.top for column in columns for place in column), default=0.0)
    for column in columns:
        for place in column:
            place.y = round(place.y + PADDING - top, 1)


def _wish(place: _Place, sides: str) -> tuple[float, float]:
    """Where a place would like to be, and how much. An arrow that passes gives way to units, and so does a
    unit without neighbours on the side that is looked at."""
    if not place.kind:
        return _middle(place.lefts + place.rights), 0.003
    if sides == "both" and place.lefts:
        return _middle(place.lefts + place.rights), 1.0
    sources = place.rights if sides == "right" else place.lefts
    if sources:
        return _middle(sources), 1.0
    sources = place.lefts or place.rights
    return (_middle(sources), 0.001) if sources else (place.y, 0.00001)


def _level(columns: Sequence[list[_Place]], wires: Iterable[_Wire]) -> None:
    """Between units that stay where they are, a long arrow runs level as far as it can: from its tail, as long
    as one height is free in all columns it passes, then at the next such height. Short ones choose first."""
    number = {id(place): k for k, column in enumerate(columns) for place in column}
    pitch = _pitch(columns)
    settled = {id(place) for column in columns for place in column if place.kind}
    for wire in sorted(wires, key=lambda wire: len(wire.chain)):
        passing = wire.chain[1:-1]
        free = [_free(columns[number[id(place)]], place, settled, pitch) for place in passing]
        near = wire.chain[0].y
        while passing:
            count, low, high = _common(free)
            if count == len(passing) and count < len(wire.chain) - 2:
                near = wire.chain[-1].y
            near = max(low, min(high, near))
            for place in passing[:count]:
                place.y = near
                settled.add(id(place))
            passing, free = passing[count:], free[count:]


def _free(column: Sequence[_Place], place: _Place, settled: set[int], pitch: float) -> tuple[float, float]:
    """From where to where a place may move so that the settled ones of its column can stay."""
    row = next(k for k, other in enumerate(column) if other is place)
    low, need = float("-inf"), 0.0
    for k in range(row, 0, -1):
        need += _distance(column[k - 1], column[k], pitch)
        if id(column[k - 1]) in settled:
            low = column[k - 1].y + need
            break
    high, need = float("inf"), 0.0
    for k in range(row + 1, len(column)):
        need += _distance(column[k - 1], column[k], pitch)
        if id(column[k]) in settled:
            high = column[k].y - need
            break
    return low, max(low, high)


def _common(free: Sequence[tuple[float, float]]) -> tuple[int, float, float]:
    """How many of the first ranges have heights in common, and which."""
    low, high = free[0]
    for k, (lower, upper) in enumerate(free):
        if max(low, lower) > min(high, upper):
            return k, low, high
        low, high = max(low, lower), min(high, upper)
    return len(free), low, high


def _align(columns: Iterable[Iterable[_Place]]) -> None:
    """Units at nearly one height, in whatever column, stand at one height: the eye sees a row, or a mistake.
    What they move is less than the air between them."""
    units = sorted((place for column in columns for place in column if place.kind), key=lambda place: place.y)
    while units:
        row = units[: bisect(units, units[0].y + NEARLY, key=lambda place: place.y)]
        height = round(sum(place.y for place in row) / len(row))
        for place in row:
            place.y = height
        units = units[len(row) :]


def _tuck(column: Sequence[_Place], pitch: float) -> None:
    """A unit without arrows stands close to the next one."""
    for way in (1, -1):
        ordered = column[::way]
        for before, place in zip(ordered, ordered[1:], strict=False):
            if not place.lefts and not place.rights and (before.lefts or before.rights or way == 1):
                place.y = before.y + way * _distance(*((before, place)[::way]), pitch)


def _middle(neighbours: Sequence[tuple[_Place, float]]) -> float:
    """Of a few the weighted median, which prefers one straight way to two slanting ones; of many the mean."""
    total = sum(weight for _, weight in neighbours)
    if len(neighbours) > 4:
        return sum(place.y * weight for place, weight in neighbours) / total
    ranked = sorted((place.y, weight) for place, weight in neighbours)
    passed = 0.0
    for k, (y, weight) in enumerate(ranked):
        passed += weight
        if passed * 2 == total:
            return (y + ranked[k + 1][0]) / 2
        if passed * 2 > total:
            return y
    return ranked[-1][0]


def _stack(column: list[_Place], wanted: Sequence[float], weights: Sequence[float], pitch: float) -> None:
    """As near to the wishes as order and distances allow (least squares: pool adjacent violators)."""
    offset = 0.0
    offsets: list[float] = []
    pools: list[tuple[float, float, int]] = []  # mean, weight, members
    for k, place in enumerate(column):
        if k:
            offset += _distance(column[k - 1], place, pitch)
        offsets.append(offset)
        mean, weight, members = wanted[k] - offset, weights[k], 1
        while pools and pools[-1][0] > mean:
            other, heavy, many = pools.pop()
            mean = (mean * weight + other * heavy) / (weight + heavy)
            weight, members = weight + heavy, members + many
        pools.append((mean, weight, members))
    k = 0
    for mean, _, members in pools:
        for place in column[k : k + members]:
            place.y = round((mean + offsets[k]) * 2) / 2
            k += 1


def _distance(upper: _Place, lower: _Place, pitch: float) -> float:
    return pitch if upper.kind and lower.kind else upper.bottom + lower.top


# ---- strips: how wide they are, and where the weights stand

_Curve: TypeAlias = tuple[float, float, float, float]
"""Height and slope at the left end of a strip, height and slope at its right end."""


def _spread(columns: list[list[_Place]], wires: Sequence[_Wire]) -> int:
    """Give every place its x and every weight its place; say how many weights found none."""
    halves = [max((place.half for place in column), default=0.0) + APRON for column in columns]
    for column, half in zip(columns, halves, strict=True):
        for place in column:
            place.steep = _steepest(place, half)
    strips: list[list[tuple[_Wire, _Place, _Place]]] = [[] for _ in columns]
    first = {id(place): k for k, column in enumerate(columns) for place in column}
    for wire in wires:
        for k, (left, right) in enumerate(zip(wire.chain, wire.chain[1:], strict=False), first[id(wire.chain[0])]):
            strips[k].append((wire, left, right))
    _choose_strips(wires, strips, first)
    x, unwritten = PADDING, 0
    for k, column in enumerate(columns):
        x += halves[k] - (0 if k else APRON)
        for place in column:
            place.x = x
        if k + 1 < len(columns):
            strip = _Strip(k, strips[k], halves[k], halves[k + 1])
            strip.fit()
            unwritten += strip.write(x + halves[k])
            x += halves[k] + strip.width
    return unwritten


def _steepest(place: _Place, half: float) -> float:
    """How steeply an arrow may leave so that it misses the words above and below, and the neighbours'."""
    if not place.kind:
        return 0.0
    limits = [STEEPEST, min(place.top, place.bottom) / half]
    if place.slack:
        limits.append((place.half_height + 3) / (place.slack + 3))
    if place.half_width != place.half_height:
        limits.append((place.half_height - 0.7 * CORNER) / place.half_width)
    return min(limits)


def _choose_strips(
    wires: Iterable[_Wire], strips: Sequence[Sequence[object]], first: dict[int, int]
) -> None:
    """A long arrow's words stand in the emptiest strip on its way."""
    for wire in wires:
        start = first[id(wire.chain[0])]
        if wire.words:
            wire.strip = min(range(start, start + len(wire.chain) - 1), key=lambda k: (len(strips[k]), k))


class _Strip:
    """The room between two columns. x counts from its left edge."""

    def __init__(
        self, number: int, parts: Sequence[tuple[_Wire, _Place, _Place]], left_half: float, right_half: float
    ) -> None:
        self.parts = parts
        self.left_half, self.right_half = left_half, right_half
        self.labelled = [k for k, (wire, _, _) in enumerate(parts) if wire.strip == number]
        if len(self.labelled) > WRITTEN:
            self.labelled = []
        self.given_up = sum(wire.strip == number for wire, _, _ in parts) - len(self.labelled)
        fan_out = Counter(id(left) for _, left, _ in parts)
        fan_in = Counter(id(right) for _, _, right in parts)
        self.wishes = [_wished(fan_out[id(left)], fan_in[id(right)]) for _, left, right in parts]
        self.width = self._first_width()
        self.curves: list[_Curve] = []
        self.spots: dict[int, float | None] = {}
        self.crossed: dict[int, list[int]] = {}  # by label, the other arrows it lies across

    def _first_width(self) -> float:
        wide = max((self.parts[k][0].wide for k in self.labelled), default=0.0)
        tall = max((abs(right.y - left.y) for _, left, right in self.parts), default=0.0)
        dense = any(wish < 0.3 for wish in self.wishes)
        return max(60.0, wide * (2.4 if dense else 1.0) + 48, min(0.4 * tall, 320.0))

    def fit(self) -> None:
        """Widen the strip until every weight has a place that no other arrow crosses, or it does not help."""
        best: tuple[tuple[int, int], float] | None = None
        for _ in range(4):
            score = self._try()
            if score == (0, 0):
                return
            if best is not None and score >= best[0]:
                break
            best = (score, self.width)
            if score[0] == 0 and self.width > WIDE:
                return
            self.width *= 1.3
        assert best is not None
        self.width = best[1]
        self._try()

    def _try(self) -> tuple[int, int]:
        """Place all words at this width; how many found no place, and how many arrows they lie across."""
        self.curves = [self._curve(wire, left, right) for wire, left, right in self.parts]
        self.spots, self.crossed = {}, {}
        if not self.labelled:
            return (0, 0)
        steps = min(int(self.width / STEP), 40)
        basis = [_basis(k / steps, self.width) for k in range(steps + 1)]
        heights = [[a * y0 + b * m0 + c * y1 + d * m1 for y0, m0, y1, m1 in self.curves] for a, b, c, d in basis]
        taken: list[Rect] = []
        for k in self.labelled:
            step, crossed = self._place(k, heights, taken)
            if step is None:
                self.spots[k] = None
                continue
            if crossed:
                self.crossed[k] = crossed
            self.spots[k] = x = step * self.width / steps
            taken.append(_room(x, heights[step][k], self.parts[k][0].wide))
        return len(self.labelled) - len(taken), sum(map(len, self.crossed.values()))

    def _place(self, k: int, heights: list[list[float]], taken: list[Rect]) -> tuple[int | None, list[int]]:
        """The step along the arrow, as near to the wish as possible, where the words lie on no others and
        across the fewest arrows, and those arrows. `heights` has a row for each step, in it all arrows."""
        wide = self.parts[k][0].wide
        steps = len(heights) - 1
        unit = self.width / steps
        reach = int((wide / 2 + 5) / unit) + 1
        wish = self.wishes[k] * steps
        best: int | None = None
        fewest: list[int] = []
        for step in sorted(range(reach, steps - reach + 1), key=lambda step: abs(step - wish)):
            left, top, right, bottom = _room(step * unit, heights[step][k], wide)
            if any(l < right and left < r and t < bottom and top < b for l, t, r, b in taken):
                continue
            ends = enumerate(zip(heights[step - reach], heights[step + reach], strict=True))
            crossed = [i for i, (a, b) in ends if (a < bottom or b < bottom) and (a > top or b > top) and i != k]
            if not crossed:
                return step, []
            if best is None or len(crossed) < len(fewest):
                best, fewest = step, crossed
        return best, fewest

    def _curve(self, wire: _Wire, left: _Place, right: _Place) -> _Curve:
        slope = (right.y - left.y) / (self.left_half + self.width + self.right_half)
        bow = 4 * wire.bow / self.width
        m0 = _clamped(slope + bow, left.steep)
        m1 = _clamped(slope - bow, right.steep)
        return (left.y + m0 * self.left_half, m0, right.y - m1 * self.right_half, m1)

    def write(self, x: float) -> int:
        """Put the words where they were placed, now that the strip's own x is known, and cut the arrows there.
        How many arrows stay without their words?"""
        for (wire, _, _), (y0, m0, y1, m1) in zip(self.parts, self.curves, strict=True):
            wire.pieces.append((x, y0, m0, x + self.width, y1, m1))
        unwritten = self.given_up
        for k, spot in self.spots.items():
            if spot is None:
                unwritten += 1
                continue
            wire = self.parts[k][0]
            y, slope = _at(wire.pieces[-1], x + spot)
            wire.labels = _side_by_side(wire, x + spot, y)
            left, top, right, bottom = box = _room(x + spot, y, wire.wide)
            reach = (right - left) / 2
            if abs(slope) * reach > (bottom - top) / 2:
                reach = (bottom - top) / 2 / abs(slope)
            wire.cuts.append((x + spot - reach, x + spot + reach))
            for other in self.crossed.get(k, ()):
                passing = self.parts[other][0]
                passing.cuts.extend(_inside_of(box, passing.pieces[-1]))
        return unwritten


def _wished(fan_out: int, fan_in: int) -> float:
    """Where along an arrow its words stand best: apart from the others', which meet at a unit or cross."""
    if fan_out == 1:
        return 0.5 if fan_in == 1 else 0.4
    return 0.6 if fan_in == 1 else 0.27


def _room(x: float, y: float, wide: float) -> Rect:
    """What words need that stand on an arrow at this point."""
    return (x - wide / 2 - 3, y - 10.5, x + wide / 2 + 3, y + 10.5)


def _side_by_side(wire: _Wire, x: float, y: float) -> list[Label]:
    found: list[Label] = []
    left = x - wire.wide / 2
    for role, words, wide in wire.words:
        found.append(Label(role, words, round(left + wide / 2, 1), round(y + 4.6, 1), WEIGHT, wide))
        left += wide + 8
    return found


def _clamped(slope: float, limit: float) -> float:
    return max(-limit, min(limit, slope))


def _basis(t: float, wide: float) -> tuple[float, float, float, float]:
    """Hermite's four cubics at t: what height and slope at either end contribute to the height there."""
    s = 1 - t
    return (1 + 2 * t) * s * s, t * s * s * wide, t * t * (3 - 2 * t), -t * t * s * wide


# ---- put together

_Piece: TypeAlias = tuple[float, float, float, float, float, float]
"""A cubic over x: x, height and slope at its beginning, the same at its end."""


def _drawn(scene: Scene, columns: list[list[_Place]], wires: Iterable[_Wire], left_out: list[str]) -> Drawing:
    """Everything with its final place, and the notes below."""
    places = [place for column in columns for place in column]
    wide = max((place.x + place.half for place in places), default=0.0) + PADDING
    high = max((place.y + place.bottom for place in places), default=0.0) + PADDING
    lines = tuple(map(_line, wires))
    notes = [*_notes([*_legend(scene, lines), *left_out], max(wide - 2 * PADDING, 260.0), high)]
    return Drawing(
        title=scene.title,
        twin=scene.twin,
        width=round(max([wide, *(note.box[2] + PADDING for note in notes)]), 1),
        height=notes[-1].y + PADDING if notes else high,
        shapes=tuple(_shape(place) for place in places if place.kind),
        lines=lines,
        notes=tuple(notes),
    )


def _shape(place: _Place) -> Shape:
    x, y = round(place.x, 1), place.y
    labels = tuple(
        Label(role, words, x, round(y + dy, 1), size, wide) for role, words, dy, size, wide in place.labels
    )
    return Shape(place.name, place.kind, x, y, place.half_width, place.half_height, place.corner, labels)


def _legend(scene: Scene, lines: Iterable[Line]) -> Iterable[str]:
    if not scene.of:
        return
    written = {label.role for line in lines for label in line.labels}
    if any(unit.above for unit in scene.units):
        yield "above: value"
    if any(unit.below for unit in scene.units):
        yield f"below, in a frame: d{shortened(scene.of, 18)}/d·"
    if "weight" in written:
        yield "on an arrow: weight"
    if "local" in written:
        yield "∂: local derivative"


def _notes(sentences: Iterable[str], room: float, top: float) -> Iterable[Label]:
    """As many sentences on a line as there is room for."""
    x, y = PADDING, top + 8
    for sentence in sentences:
        wide = width(sentence, HINT)
        if x > PADDING and x + wide > PADDING + room:
            x, y = PADDING, y + 17
        yield Label("note", sentence, round(x, 1), y, HINT, wide, start=True)
        x += wide + 20


TIP_LENGTH, TIP_HALF = 9.0, 3.6


def _line(wire: _Wire) -> Line:
    """From outline to outline."""
    tail, head = wire.chain[0], wire.chain[-1]
    (_, _, leaving, _, _, _), (_, _, _, _, _, arriving) = wire.pieces[0], wire.pieces[-1]
    x, y = _border(tail, leaving, 1)
    apex = _border(head, arriving, -1)
    long = (1 + arriving * arriving) ** 0.5
    back = (TIP_LENGTH / long, TIP_LENGTH * arriving / long)
    base = (apex[0] - back[0], apex[1] - back[1])
    side = (-TIP_HALF * arriving / long, TIP_HALF / long)
    curves = [*_joined([(x, y, leaving), *_stations(wire.pieces), (*base, arriving)])]
    return Line(
        wire.arrow.tail,
        wire.arrow.head,
        tuple(_bezier(piece) for piece in _cut(curves, sorted(wire.cuts))),
        (
            _point(*apex),
            _point(base[0] + side[0], base[1] + side[1]),
            _point(base[0] - side[0], base[1] - side[1]),
        ),
        tuple(wire.labels),
    )


def _border(place: _Place, slope: float, side: int) -> Point:
    """Where an arrow with this slope meets the outline, on the right (side 1) or left (-1)."""
    run = place.half_width
    if place.corner == place.half_width:
        run /= (1 + slope * slope) ** 0.5
    return place.x + side * run, place.y + side * run * slope


def _stations(pieces: Iterable[_Piece]) -> Iterable[tuple[float, float, float]]:
    for x0, y0, m0, x1, y1, m1 in pieces:
        yield x0, y0, m0
        yield x1, y1, m1


def _joined(stations: Sequence[tuple[float, float, float]]) -> Iterable[_Piece]:
    """The cubics from one station to the next; straight ones in one direction are one."""
    last: _Piece | None = None
    for start, end in zip(stations, stations[1:], strict=False):
        piece = (*start, *end)
        if last and _is_straight(last) and _is_straight(piece) and abs(last[2] - piece[2]) < 1e-6:
            last = (*last[:3], *piece[3:])
            continue
        if last:
            yield last
        last = piece
    if last:
        yield last


def _is_straight(piece: _Piece) -> bool:
    x0, y0, m0, x1, y1, m1 = piece
    return abs(m1 - m0) < 1e-6 and abs(y0 + m0 * (x1 - x0) - y1) < 0.01


def _cut(pieces: Iterable[_Piece], cuts: Sequence[tuple[float, float]]) -> Iterable[_Piece]:
    """The pieces without what lies between the ends of a cut."""
    for piece in pieces:
        x, end = piece[0], piece[3]
        for left, right in cuts:
            if right > x and left < end:
                if left > x:
                    yield _between(piece, x, left)
                x = max(x, right)
        if x < end:
            yield _between(piece, x, end)


def _between(piece: _Piece, left: float, right: float) -> _Piece:
    if left == piece[0] and right == piece[3]:
        return piece
    return (left, *_at(piece, left), right, *_at(piece, right))


def _at(piece: _Piece, x: float) -> tuple[float, float]:
    """Height and slope of a cubic at x."""
    x0, y0, m0, x1, y1, m1 = piece
    wide = x1 - x0
    t = (x - x0) / wide
    s = 1 - t
    a, b, c, d = _basis(t, wide)
    slope = 6 * t * s * (y1 - y0) / wide + m0 * s * (1 - 3 * t) + m1 * t * (3 * t - 2)
    return a * y0 + b * m0 + c * y1 + d * m1, slope


def _inside_of(box: Rect, piece: _Piece) -> Iterable[tuple[float, float]]:
    """From where to where a cubic runs inside a box, to the pixel."""
    left, top, right, bottom = box
    if max(piece[1], piece[4]) < top - 40 or min(piece[1], piece[4]) > bottom + 40:
        return
    xs = [x for x in range(int(left), int(right) + 2) if left <= x <= right and top <= _at(piece, x)[0] <= bottom]
    if xs:
        yield xs[0], xs[-1]


def _bezier(piece: _Piece) -> Curve:
    x0, y0, m0, x1, y1, m1 = piece
    if _is_straight(piece):
        return _point(x0, y0), _point(x1, y1)
    third = (x1 - x0) / 3
    return (
        _point(x0, y0),
        _point(x0 + third, y0 + m0 * third),
        _point(x1 - third, y1 - m1 * third),
        _point(x1, y1),
    )


def _point(x: float, y: float) -> Point:
    return round(x, 1), round(y, 1)
