"""Heights over x: the curves of which arrows are made.

A Piece is a cubic y(x), given by height and slope at either end (Hermite's form). An arrow always runs
to the right, so at each x it has one height, and whether two things meet is a comparison of heights.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]
Curve: TypeAlias = tuple[Point, ...]
"""Two points: a straight line. Four: a cubic Bézier curve."""
Rect: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom."""
Station: TypeAlias = tuple[float, float, float]
"""x, height, slope."""
Piece: TypeAlias = tuple[float, float, float, float, float, float]
"""From one station to another."""


def basis(t: float, wide: float) -> tuple[float, float, float, float]:
    """Hermite's four cubics at t: what height and slope at either end contribute to the height there."""
    s = 1 - t
    return (1 + 2 * t) * s * s, t * s * s * wide, t * t * (3 - 2 * t), -t * t * s * wide


def at(piece: Piece, x: float) -> tuple[float, float]:
    """Height and slope of a piece at x.

    >>> at((0, 0, 1, 10, 10, 1), 5)
    (5.0, 1.0)
    """
    x0, y0, m0, x1, y1, m1 = piece
    wide = x1 - x0
    t = (x - x0) / wide
    s = 1 - t
    a, b, c, d = basis(t, wide)
    slope = 6 * t * s * (y1 - y0) / wide + m0 * s * (1 - 3 * t) + m1 * t * (3 * t - 2)
    return a * y0 + b * m0 + c * y1 + d * m1, slope


def is_straight(piece: Piece) -> bool:
    x0, y0, m0, x1, y1, m1 = piece
    return abs(m1 - m0) < 1e-6 and abs(y0 + m0 * (x1 - x0) - y1) < 0.01


def joined(stations: Sequence[Station]) -> Iterable[Piece]:
    """The pieces from one station to the next; straight ones in one direction are one."""
    last: Piece | None = None
    for start, end in pairwise(stations):
        piece = (*start, *end)
        if last and is_straight(last) and is_straight(piece) and abs(last[2] - piece[2]) < 1e-6:
            last = (last[0], last[1], last[2], *end)
            continue
        if last:
            yield last
        last = piece
    if last:
        yield last


def cut(pieces: Iterable[Piece], cuts: Sequence[tuple[float, float]]) -> Iterable[Piece]:
    """The pieces without what lies between the ends of a cut. The cuts come from left to right."""
    for piece in pieces:
        x, end = piece[0], piece[3]
        for left, right in cuts:
            if right > x and left < end:
                if left > x:
                    yield _between(piece, x, left)
                x = max(x, right)
        if x < end:
            yield _between(piece, x, end)


def _between(piece: Piece, left: float, right: float) -> Piece:
    if left == piece[0] and right == piece[3]:
        return piece
    return (left, *at(piece, left), right, *at(piece, right))


def inside(box: Rect, piece: Piece) -> Iterable[tuple[float, float]]:
    """From where to where a piece runs inside a box, in steps of half a pixel; nothing if it does not."""
    left, top, right, bottom = box
    if is_straight(piece):
        x, y, slope = piece[:3]
        if slope:
            ends = sorted(x + (edge - y) / slope for edge in (top, bottom))
            left, right = max(left, ends[0]), min(right, ends[1])
        if left < right and top <= at(piece, (left + right) / 2)[0] <= bottom:
            yield left, right
        return
    steps = (left + k / 2 for k in range(int(2 * (right - left)) + 1))
    xs = [x for x in steps if top <= at(piece, x)[0] <= bottom]
    if xs:
        yield xs[0] - 0.5, xs[-1] + 0.5


def bezier(piece: Piece) -> Curve:
    x0, y0, m0, x1, y1, m1 = piece
    if is_straight(piece):
        return point(x0, y0), point(x1, y1)
    third = (x1 - x0) / 3
    return (
        point(x0, y0),
        point(x0 + third, y0 + m0 * third),
        point(x1 - third, y1 - m1 * third),
        point(x1, y1),
    )


def point(x: float, y: float) -> Point:
    return round(x, 1), round(y, 1)
