"""How wide the strips between the columns are, and where on its arrow each weight stands.

Words stand on their own arrow, as near as possible to where arrows of their kind are apart, and where
they touch no other words and no other arrow. Where there is no such place the strip is made wider; if
that does not help, words lie across as few arrows as possible, which are cut there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TypeAlias

from backhand.explaining.placing.curves import Rect, at, basis, inside
from backhand.explaining.placing.places import CORNER, PADDING, Column, Place, Wire

APRON = 12.0
"""Room beside each column, for the tips of arrows."""
STEEPEST = 1.6
"""How steeply an arrow may leave a circle."""
STEPS, STEP = 30, 7.0
"""Words are tried every STEP pixels along their arrow, or at STEPS places."""
WIDE = 400.0
"""A strip as wide as this is not made wider only because words lie across arrows."""
MANY, WRITTEN = 20, 60
"""With the words of so many arrows in one strip it is widened only once; with more than WRITTEN, none are written."""

_Heights: TypeAlias = "list[list[float]]"
"""A row for each step across a strip, in it the height of each arrow."""


def spread(columns: Sequence[Column], wires: Sequence[Wire]) -> int:
    """Give every place its x and the words of every wire their place; how many wires stay without words?"""
    halves = [max((place.half for place in column), default=0.0) + APRON for column in columns]
    for column, half in zip(columns, halves, strict=True):
        for place in column:
            place.steep = _steepest(place, half)
    parts = _parts(columns, wires)
    x, unwritten = PADDING - APRON, 0
    for k, column in enumerate(columns):
        x += halves[k]
        for place in column:
            place.x = x
        if k + 1 < len(columns):
            strip = _Strip(k, parts[k], halves[k], halves[k + 1])
            strip.fit()
            unwritten += strip.write(x + halves[k])
            x += halves[k] + strip.width
    return unwritten


def _steepest(place: Place, half: float) -> float:
    """How steeply an arrow may leave so that it misses the words above and below, and the neighbours'."""
    if not place.kind:
        return 0.0
    limits = [STEEPEST, min(place.top, place.bottom) / half]
    if place.slack:
        limits.append((place.half_height + 3) / (place.slack + 3))
    if place.corner != place.half_width:
        limits.append((place.half_height - 0.7 * CORNER) / place.half_width)
    return min(limits)


_Part: TypeAlias = tuple[Wire, Place, Place]
"""A wire in one strip, between two places of its chain."""


def _parts(columns: Sequence[Column], wires: Iterable[Wire]) -> list[list[_Part]]:
    """The wires of each strip. The words of a long arrow go to a strip on its way that is empty, and where it
    runs level."""
    strips: list[list[_Part]] = [[] for _ in columns]
    number = {id(place): k for k, column in enumerate(columns) for place in column}
    for wire in wires:
        for k, (left, right) in enumerate(pairwise(wire.chain), number[id(wire.chain[0])]):
            strips[k].append((wire, left, right))
    for wire in wires:
        if wire.words:
            steps = enumerate(pairwise(wire.chain), number[id(wire.chain[0])])
            wire.strip = min((len(strips[k]) + abs(right.y - left.y) / 30, k) for k, (left, right) in steps)[1]
    return strips


class _Strip:
    """The room between two columns. x counts from its left edge."""

    def __init__(self, number: int, parts: Sequence[_Part], left_half: float, right_half: float) -> None:
        self.parts = parts
        self.halves = left_half, right_half
        written = [k for k, (wire, _, _) in enumerate(parts) if wire.strip == number]
        self.written = written if len(written) <= WRITTEN else []
        self.given_up = len(written) - len(self.written)
        outs = Counter(id(left) for _, left, _ in parts)
        ins = Counter(id(right) for _, _, right in parts)
        self.wishes = [_wish(outs[id(left)], ins[id(right)]) for _, left, right in parts]
        self.width = self._first_width()
        self.curves: list[tuple[float, float, float, float]] = []  # height and slope at the left, at the right
        self.spots: dict[int, float] = {}  # by wire, the middle of its words
        self.crossed: dict[int, list[int]] = {}  # by wire, the others its words lie across

    def _first_width(self) -> float:
        wide = max((self.parts[k][0].wide for k in self.written), default=0.0)
        tall = max((abs(right.y - left.y) for _, left, right in self.parts), default=0.0)
        crossing = any(wish < 0.3 for wish in self.wishes)
        return max(60.0, wide * (2.4 if crossing else 1.0) + 48, min(0.4 * tall, 320.0))

    def fit(self) -> None:
        """Widen the strip until all words have a place that no other arrow crosses, or it does not help."""
        best: tuple[tuple[int, int], float] | None = None
        for _ in range(3 if len(self.written) <= MANY else 2):
            score = self._try()
            if score == (0, 0):
                return
            if best is not None and score >= best[0]:
                break
            best = (score, self.width)
            if score[0] == 0 and self.width > WIDE:
                return
            self.width *= 1.35
        if best is not None:
            self.width = best[1]
            self._try()

    def _try(self) -> tuple[int, int]:
        """Place all words at this width. How many found no place, and how many arrows do they lie across?"""
        self.curves = [self._curve(*part) for part in self.parts]
        self.spots, self.crossed = {}, {}
        if not self.written:
            return (0, 0)
        steps = min(int(self.width / STEP), STEPS)
        ts = [basis(k / steps, self.width) for k in range(steps + 1)]
        heights = [[a * y0 + b * m0 + c * y1 + d * m1 for y0, m0, y1, m1 in self.curves] for a, b, c, d in ts]
        taken: list[Rect] = []
        for k in self.written:
            step, crossed = self._place(k, heights, taken)
            if step is None:
                continue
            if crossed:
                self.crossed[k] = crossed
            self.spots[k] = x = step * self.width / steps
            taken.append(_room(self.parts[k][0], x, heights[step][k]))
        return len(self.written) - len(self.spots), sum(map(len, self.crossed.values()))

    def _place(self, k: int, heights: _Heights, taken: Sequence[Rect]) -> tuple[int | None, list[int]]:
        """The step along the arrow, as near to the wish as possible, where the words touch no others and lie
        across the fewest arrows; and those arrows."""
        wire = self.parts[k][0]
        steps = len(heights) - 1
        unit = self.width / steps
        reach = int((wire.wide / 2 + 5) / unit) + 1
        wish = self.wishes[k] * steps
        best: int | None = None
        fewest: list[int] = []
        for step in sorted(range(reach, steps - reach + 1), key=lambda step: abs(step - wish)):
            left, top, right, bottom = _room(wire, step * unit, heights[step][k])
            if any(l < right and left < r and t < bottom and top < b for l, t, r, b in taken):
                continue
            ends = enumerate(zip(heights[step - reach], heights[step + reach], strict=True))
            crossed = [i for i, (a, b) in ends if (a < bottom or b < bottom) and (a > top or b > top) and i != k]
            if not crossed:
                return step, []
            if best is None or len(crossed) < len(fewest):
                best, fewest = step, crossed
        return best, fewest

    def _curve(self, wire: Wire, left: Place, right: Place) -> tuple[float, float, float, float]:
        """A straight line, if it leaves and arrives no more steeply than it may; otherwise bent. Beside the
        columns it goes straight on to the units."""
        before, after = self.halves
        slope = (right.y - left.y) / (before + self.width + after)
        bow = 4 * wire.bow / self.width
        m0 = max(-left.steep, min(left.steep, slope + bow))
        m1 = max(-right.steep, min(right.steep, slope - bow))
        return left.y + m0 * before, m0, right.y - m1 * after, m1

    def write(self, x: float) -> int:
        """Put curves and words where they belong, now that the strip's own x is known, and cut what lies under
        words. How many arrows stay without theirs?"""
        for (wire, _, _), (y0, m0, y1, m1) in zip(self.parts, self.curves, strict=True):
            wire.pieces.append((x, y0, m0, x + self.width, y1, m1))
        for k, spot in self.spots.items():
            wire = self.parts[k][0]
            y, _ = at(wire.pieces[-1], x + spot)
            wire.spot = x + spot, y
            box = _room(wire, x + spot, y)
            for other in (k, *self.crossed.get(k, ())):
                passing = self.parts[other][0]
                passing.cuts.extend(inside(box, passing.pieces[-1]))
        return self.given_up + len(self.written) - len(self.spots)


def _wish(outs: int, ins: int) -> float:
    """Where along an arrow its words stand best: apart from those of the others, which begin at one unit, end
    at one unit, or cross in the middle."""
    if outs == 1:
        return 0.5 if ins == 1 else 0.4
    return 0.6 if ins == 1 else 0.27


def _room(wire: Wire, x: float, y: float) -> Rect:
    """What the words of an arrow need with their middle at this point of it."""
    wide, high = wire.wide / 2 + 3, wire.high / 2
    return (x - wide, y - high, x + wide, y + high)
