"""Which way an arrow takes that skips layers: between which units it passes the columns on its way.

Each such arrow gets a place of its own in every column it passes, one arrow after another, the short
ones first. Among all sequences of places it takes the one that crosses the fewest arrows that already
lie there, and of those the one that strays least: dynamic programming from column to column.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TypeAlias

from backhand.explaining.placing.places import LANE, Column, Place, Wire, pitch
from backhand.explaining.scene import Arrow

CAREFUL = 60
"""With more long arrows than this each takes the way nearest to a straight line."""

Pair: TypeAlias = tuple[Place, Place]


def thread(columns: list[Column], arrows: Sequence[Arrow]) -> list[Wire]:
    """The arrows as wires, each a chain of places from column to column. The columns gain the places between."""
    number = {place.name: k for k, column in enumerate(columns) for place in column if place.name}
    places = {place.name: place for column in columns for place in column if place.name}
    wires = [Wire(arrow, places[arrow.tail], places[arrow.head]) for arrow in arrows]
    ways = [(number[wire.arrow.tail], number[wire.arrow.head], wire) for wire in wires]
    loom = _Loom(columns)
    for first, last, wire in ways:
        if last == first + 1:
            loom.strips[first].append((wire.chain[0], wire.chain[1]))
    long = sorted((way for way in ways if way[1] > way[0] + 1), key=lambda way: way[1] - way[0])
    for first, last, wire in long:
        tail, head = wire.chain
        slots = (loom.cheapest if len(long) <= CAREFUL else loom.straight)(tail, head, first, last)
        wire.chain[1:1] = loom.lay(tail, head, first, slots)
        for place in wire.chain[1:-1]:
            place.top = place.bottom = max(LANE, wire.high / 2)
    _join(wires)
    _bow(wires)
    return wires


class _Loom:
    """The columns, and in each strip between two of them the arrows that already lie there. Places have
    preliminary heights: in order, but not where they will be."""

    def __init__(self, columns: list[Column]) -> None:
        self.columns = columns
        self.strips: list[list[Pair]] = [[] for _ in columns]
        self.pitch = pitch(columns)
        for column in columns:
            for row, place in enumerate(column):
                place.y = (row - (len(column) - 1) / 2) * self.pitch

    def lay(self, tail: Place, head: Place, first: int, slots: Iterable[int]) -> list[Place]:
        """New places in these slots of the columns after the first; the strips gain the arrow."""
        found: list[Place] = []
        for k, slot in enumerate(slots, first + 1):
            place = Place()
            place.y = self._height(self.columns[k], slot)
            self.columns[k].insert(slot, place)
            found.append(place)
        for k, pair in enumerate(pairwise([tail, *found, head]), first):
            self.strips[k].append(pair)
        return found

    def straight(self, tail: Place, head: Place, first: int, last: int) -> list[int]:
        """The slots that lie nearest to the straight line."""
        slope = (head.y - tail.y) / (last - first)
        return [
            bisect(self.columns[k], tail.y + slope * (k - first), key=lambda place: place.y)
            for k in range(first + 1, last)
        ]

    def cheapest(self, tail: Place, head: Place, first: int, last: int) -> list[int]:
        """The slots on the way with the least cost."""
        crossings = self._crossings(first)
        row = self.columns[first].index(tail)
        costs = [
            crossings.from_unit(row, slot) + self._stray(tail.y, y) + self._squeeze(first + 1, slot)
            for slot, y in enumerate(self._heights(first + 1))
        ]
        choices: list[list[int]] = []
        for k in range(first + 1, last - 1):
            costs, before = self._onward(costs, k)
            choices.append(before)
        crossings = self._crossings(last - 1)
        row = self.columns[last].index(head)
        _, slot = min(
            (costs[slot] + crossings.to_unit(slot, row) + self._stray(y, head.y), slot)
            for slot, y in enumerate(self._heights(last - 1))
        )
        slots = [slot]
        for choice in reversed(choices):
            slots.append(choice[slots[-1]])
        return slots[::-1]

    def _onward(self, costs: Sequence[float], k: int) -> tuple[list[float], list[int]]:
        """From the costs of the slots of column k to those of the next one: the least for each slot, and the
        slot before it on that way."""
        crossings = self._crossings(k)
        heights = self._heights(k)
        best = [
            min(
                (cost + crossings.between(before, slot) + self._stray(heights[before], y), before)
                for before, cost in enumerate(costs)
            )
            for slot, y in enumerate(self._heights(k + 1))
        ]
        return [cost + self._squeeze(k + 1, slot) for slot, (cost, _) in enumerate(best)], [slot for _, slot in best]

    def _crossings(self, strip: int) -> _Crossings:
        return _Crossings(self.columns[strip], self.columns[strip + 1], self.strips[strip])

    def _heights(self, k: int) -> list[float]:
        return [self._height(self.columns[k], slot) for slot in range(len(self.columns[k]) + 1)]

    def _height(self, column: Sequence[Place], slot: int) -> float:
        """Of a place between those already there: slot 0 is above the first."""
        above = column[slot - 1].y if slot else column[0].y - self.pitch
        below = column[slot].y if slot < len(column) else column[-1].y + self.pitch
        return (above + below) / 2

    def _stray(self, y0: float, y1: float) -> float:
        return 0.2 * abs(y1 - y0) / self.pitch

    def _squeeze(self, k: int, slot: int) -> float:
        """Passing between two units may push them apart."""
        column = self.columns[k]
        return 0.4 if 0 < slot < len(column) and column[slot - 1].kind and column[slot].kind else 0.0


class _Crossings:
    """How many arrows of a strip another one would cross, for all its possible ends: read off the corners of a
    table that counts the arrows starting above one place and ending above another."""

    def __init__(self, left: Sequence[Place], right: Sequence[Place], pairs: Iterable[Pair]) -> None:
        rows = {id(place): row for row, place in enumerate(left)}
        ends = {id(place): row for row, place in enumerate(right)}
        table = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
        for tail, head in pairs:
            table[rows[id(tail)] + 1][ends[id(head)] + 1] += 1
        for above, own in pairwise(table):
            running = 0
            for end in range(1, len(own)):
                running += own[end]
                own[end] = running + above[end]
        self._table = table

    def between(self, slot: int, other: int) -> int:
        return self._apart(slot, slot, other, other)

    def from_unit(self, row: int, slot: int) -> int:
        """An arrow from the same unit is not crossed."""
        return self._apart(row, row + 1, slot, slot)

    def to_unit(self, slot: int, row: int) -> int:
        return self._apart(slot, slot, row, row + 1)

    def _apart(self, tail_before: int, tail_after: int, head_before: int, head_after: int) -> int:
        """Arrows that start above and end below, and those that start below and end above."""
        table = self._table
        down = table[tail_before][-1] - table[tail_before][head_after]
        up = table[-1][head_before] - table[tail_after][head_before]
        return down + up


def _join(wires: Iterable[Wire]) -> None:
    """Tell the places of their neighbours, and how much each of them counts: a unit had better be in line with
    the units it is computed from that are computed themselves, an arrow that passes with its own places."""
    for wire in wires:
        for left, right in pairwise(wire.chain):
            left.rights.append((right, 1.0 if right.kind == "target" else 2.0))
            right.lefts.append((left, 2.0 if left.kind == "computed" or not left.kind else 1.0))


def _bow(wires: Iterable[Wire]) -> None:
    """Several arrows from one unit to the next swing apart."""
    groups: dict[tuple[int, ...], list[Wire]] = {}
    for wire in wires:
        if len(wire.chain) == 2:
            groups.setdefault(tuple(map(id, wire.chain)), []).append(wire)
    for group in groups.values():
        for k, wire in enumerate(group):
            wire.bow = min(26.0, 80 / len(group)) * (k - (len(group) - 1) / 2)
