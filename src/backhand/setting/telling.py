"""Do wrong answers differ? What habits give on a network, and which of them can be told apart there.

Every habit of the table that can act on the network is replayed on it; the numbers it gives on the lines that are asked
for are its signature. With priors p (2 to the minus bits of the table, scaled to sum to 1 over these habits)

    separation = sum of p_i over habits that are seen
               + sum of p_i over habits with a signature of their own
               + sum of p_i p_j over pairs i != j of different signatures

is what drawing maximises. What is published is stricter: `telling` counts a habit only if `mark` can name it from a
page of its numbers, which takes several lines that do not follow (`marking.diagnose.collisions`, mark's own code).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

from backhand.core.graph import Graph, Quantity
from backhand.marking.about import About
from backhand.marking.diagnose import Collisions, order_for, points, remark_about, sheet_numbers
from backhand.marking.misconceptions import TABLE, Misconception, by_key
from backhand.marking.replay import RIGHT, Page, predicted, run
from backhand.marking.sheet import Amount, Sheet, exact, sheet_of, small
from backhand.numbers import Number
from backhand.setting.exercise import Telling, Wrong


def habits() -> list[Misconception]:
    """The rows of the table that act everywhere, and not at one place only."""
    return [row for row in TABLE if row.sort == "habit"]


# -- what can act ----------------------------------------------------------------------------------------------

_known: dict[tuple[str, str, tuple[About, ...]], tuple[str, ...]] = {}
"""By the text of a network with its numbers taken out, the output, and the lines."""


def absent(graph: Graph, of: str, lines: Sequence[About]) -> tuple[str, ...]:
    """Habits that make no difference on these lines of a network of this shape, whatever its numbers: there is nothing
    for them to act on (no activation, no weight asked for), or they come to the same. The same for every variant."""
    canonical = Graph.of(_renumbered(graph))
    key = (str(canonical), of, tuple(lines))
    if key not in _known:
        if len(_known) >= 256:
            _known.clear()
        _known[key] = tuple(_without_effect(sheet_of(canonical, of), lines))
    return _known[key]


def _without_effect(sheet: Sheet, lines: Sequence[About]) -> Iterator[str]:
    trials = [(told, run(sheet, RIGHT, told)) for told in points(sheet)]
    right = [sheet_numbers(page, lines, False) for _, page in trials]
    for row in habits():
        acting = any(
            sheet_numbers(run(sheet, instance.practice, told, page), lines, False) != numbers
            for instance in row.instances(sheet)[:1]
            for (told, page), numbers in zip(trials, right, strict=True)
        )
        if not acting:
            yield row.key


def _renumbered(graph: Graph) -> Iterator[Quantity]:
    """The quantities with numbers that depend on nothing but their order."""
    draw = random.Random(5)
    for quantity in graph.quantities:
        if quantity.computed or quantity.kind == "constant":
            yield quantity
        else:
            yield replace(quantity, given=Fraction(draw.choice((-1, 1)) * draw.randint(2, 9)), definition=None)


# -- what they give ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Foreseen:
    """The pages of a network: the right one, and one for each habit that can act on it."""

    sheet: Sheet
    truth: Page
    pages: dict[str, Page]

    def other(self, of: str) -> Foreseen:
        """The same seen from another output."""
        return foreseen(self.sheet.graph, of, tuple(self.pages))


def foreseen(graph: Graph, of: str, keys: Iterable[str], lines: Sequence[About] = ()) -> Foreseen:
    """Replays of these habits, for all units and what the lines are about. Of a habit with variants the likeliest is
    taken, as `collisions` does."""
    sheet = sheet_of(graph, of)
    order = order_for(sheet, lines)
    truth = run(sheet, RIGHT, order=order)
    pages: dict[str, Page] = {}
    for key in keys:
        instances = by_key()[key].instances(sheet)
        if instances:
            pages[key] = run(sheet, instances[0].practice, base=truth, order=order)
    return Foreseen(sheet, truth, pages)


Signature: TypeAlias = tuple[object, ...]
"""The numbers of a page on the lines that are asked for."""


def separation(
    right: Signature, others: Iterable[tuple[str, Signature]], shares: Mapping[str, float], least: float = 0.0
) -> float:
    """The sum on top of this page; 3 minus the chance of meeting the same habit twice is the most there can be.

    The signatures are made one after the other, likely habits first, and no more where the sum must be below `least`.

    >>> shares = {"a": 0.5, "b": 0.5}
    >>> separation((1,), [("a", (2,)), ("b", (2,))], shares), separation((1,), [("a", (2,)), ("b", (3,))], shares)
    (1.0, 2.5)
    """
    found = 3.0 - sum(share * share for share in shares.values())
    groups: dict[Signature, tuple[int, float]] = {right: (0, 0.0)}
    for key, signature in others:
        share = shares[key]
        count, before = groups.get(signature, (0, 0.0))
        groups[signature] = (count + 1, before + share)
        if signature == right:
            found -= 2 * share  # not seen, no signature of its own
        elif count:
            found -= share + (before if count == 1 else 0.0)
        found -= 2 * share * before
        if found < least:
            return found
    return found


def priors(keys: Iterable[str]) -> dict[str, float]:
    """The share of each habit among these."""
    raw = {key: 2.0 ** -by_key()[key].prior_bits for key in keys}
    total = sum(raw.values())
    return {key: share / total for key, share in raw.items()}


def telling(table: Collisions, missing: Sequence[str]) -> Telling:
    """How much of what can act on the network `mark` can name, by its own table of collisions."""
    possible = [row.key for row in habits() if row.key not in missing]
    unclear = {*table.hidden, *(key for group in table.alike for key in group)}
    apart = [key for key in possible if key not in unclear]
    if not possible:
        return Telling(1.0, 1.0, 0, 0, 0)
    shares = priors(possible)
    weighted = round(sum(shares[key] for key in apart), 4)
    named = sum(key in table.isolated for key in possible)
    return Telling(weighted, round(len(apart) / len(possible), 4), len(apart), named, len(possible))


# -- the wrong answers to one question ---------------------------------------------------------------------------

Reads = Callable[[Page], "Amount | None"]
"""The number a page has for a question."""


def of_line(about: About) -> Reads:
    """The number a page has for a line."""
    return lambda page: predicted(page, about)


def wrong_numbers(
    seen: Foreseen, about: About, answer: Number, tolerance: Fraction, reads: Reads | None = None
) -> tuple[Wrong, ...]:
    """What habits give where the answer belongs, likeliest first, those with the same number together.

    Two numbers are the same if nobody could tell them apart: within twice the tolerance.
    """
    reads = reads or of_line(about)
    right = small(answer)
    groups: list[tuple[Amount, list[str]]] = []
    for key in sorted(seen.pages, key=lambda k: (by_key()[k].prior_bits, k)):
        number = reads(seen.pages[key])
        if number is None or number != number or _close(number, right, tolerance):
            continue
        for other, keys in groups:
            if _close(number, other, tolerance):
                keys.append(key)
                break
        else:
            groups.append((number, [key]))
    return tuple(_wrong(seen.sheet, about, number, keys) for number, keys in groups)


def _close(one: Amount, other: Amount, tolerance: Fraction) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        return abs(one - other) <= 2 * float(tolerance) + 1e-9 * abs(other)
    return one == other or (bool(tolerance) and abs(one - other) <= 2 * tolerance)


def _wrong(sheet: Sheet, about: About, number: Amount, keys: Sequence[str]) -> Wrong:
    rows = [by_key()[key] for key in keys]
    remark = remark_about(rows[0].remark, sheet, [about])
    return Wrong(exact(number), tuple(keys), tuple(row.id for row in rows), tuple(row.title for row in rows), remark)
