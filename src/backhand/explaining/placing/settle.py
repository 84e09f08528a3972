"""How high each place lies, so that ways are straight where they can be and rows are rows.

Every place would like to lie in the middle of its neighbours; its column allows that as far as order and
distances are kept. This is repeated to and fro. Then units at nearly one height are put at one height,
and long arrows are led level between them.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Sequence
from itertools import pairwise

from backhand.explaining.placing.places import PADDING, Column, Place, Wire, distance, pitch

NEARLY = 6.0
"""Less than the air between two units of a column."""


def settle(columns: Sequence[Column], wires: Sequence[Wire]) -> None:
    """Give every place its height, the topmost at the upper edge."""
    apart = pitch(columns)
    for column in columns:
        _stack(column, [(place.y, 1.0) for place in column], apart)
    for sides in ("left", "right", "left", "right", "both", "both", "both", "left"):
        for column in columns if sides != "right" else reversed(columns):
            _stack(column, [_wish(place, sides) for place in column], apart)
    _align(columns)
    for column in columns:
        _tuck(column, apart)
    _level(columns, wires, apart)
    top = min((place.y - place.top for column in columns for place in column), default=0.0)
    for column in columns:
        for place in column:
            place.y = round(place.y + PADDING - top, 1)


def _wish(place: Place, sides: str) -> tuple[float, float]:
    """Where a place would like to be, and how much. An arrow that passes gives way to units, and so does a
    unit without neighbours on the side that is looked at."""
    if not place.kind:
        return _middle(place.lefts + place.rights), 0.003
    lefts, rights = _units(place.lefts), _units(place.rights)
    if sides == "both" and lefts:
        return _middle(lefts + rights), 1.0
    sources = rights if sides == "right" else lefts
    if sources:
        return _middle(sources), 1.0
    sources = lefts or rights or place.lefts or place.rights
    return (_middle(sources), 0.001) if sources else (place.y, 0.00001)


def _units(neighbours: list[tuple[Place, float]]) -> list[tuple[Place, float]]:
    return [item for item in neighbours if item[0].kind]


def _middle(neighbours: Sequence[tuple[Place, float]]) -> float:
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


def _stack(column: Column, wishes: Sequence[tuple[float, float]], apart: float) -> None:
    """As near to the wishes (height, weight) as order and distances allow: least squares, by pooling
    neighbours that get in each other's way (Ayer et al. 1955)."""
    offset = 0.0
    offsets: list[float] = []
    pools: list[tuple[float, float, int]] = []  # mean, weight, members
    for k, (place, (wish, weight)) in enumerate(zip(column, wishes, strict=True)):
        if k:
            offset += distance(column[k - 1], place, apart)
        offsets.append(offset)
        mean, members = wish - offset, 1
        while pools and pools[-1][0] > mean:
            other, heavy, many = pools.pop()
            mean = (mean * weight + other * heavy) / (weight + heavy)
            weight, members = weight + heavy, members + many
        pools.append((mean, weight, members))
    means = (mean for mean, _, members in pools for _ in range(members))
    for place, mean, down in zip(column, means, offsets, strict=True):
        place.y = round((mean + down) * 2) / 2


def _align(columns: Iterable[Iterable[Place]]) -> None:
    """Units at nearly one height, in whatever column, stand at one height: the eye sees a row, or a mistake."""
    units = sorted((place for column in columns for place in column if place.kind), key=lambda place: place.y)
    while units:
        row = units[: bisect(units, units[0].y + NEARLY, key=lambda place: place.y)]
        height = round(2 * sum(place.y for place in row) / len(row)) / 2
        for place in row:
            place.y = height
        units = units[len(row) :]


def _tuck(column: Sequence[Place], apart: float) -> None:
    """Units without arrows stand close to the others of their column."""
    first = next((k for k, place in enumerate(column) if not place.alone), 0)
    for lower, upper in pairwise(column[first::-1]):
        upper.y = lower.y - distance(upper, lower, apart)
    for upper, lower in pairwise(column[first:]):
        if lower.alone:
            lower.y = upper.y + distance(upper, lower, apart)


def _level(columns: Iterable[Column], wires: Iterable[Wire], apart: float) -> None:
    """Between units that stay where they are, a long arrow runs level as far as it can: from its tail, as long
    as one height is free in all columns it passes, then at the next such height. Short ones choose first."""
    home = {id(place): column for column in columns for place in column}
    settled = {id(place) for column in columns for place in column if place.kind}
    for wire in sorted(wires, key=lambda wire: len(wire.chain)):
        passing = wire.chain[1:-1]
        free = [_free(home[id(place)], place, settled, apart) for place in passing]
        near = wire.chain[0].y
        while passing:
            count, low, high = _common(free)
            if len(wire.chain) - 2 > count == len(passing):
                near = wire.chain[-1].y
            near = max(low, min(high, near))
            for place in passing[:count]:
                place.y = near
                settled.add(id(place))
            passing, free = passing[count:], free[count:]


def _free(column: Column, place: Place, settled: set[int], apart: float) -> tuple[float, float]:
    """From where to where a place may move so that the settled ones of its column can stay."""
    row = column.index(place)
    low, need = float("-inf"), 0.0
    for lower, upper in pairwise(column[row::-1]):
        need += distance(upper, lower, apart)
        if id(upper) in settled:
            low = upper.y + need
            break
    high, need = float("inf"), 0.0
    for upper, lower in pairwise(column[row:]):
        need += distance(upper, lower, apart)
        if id(lower) in settled:
            high = lower.y - need
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
