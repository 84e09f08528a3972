"""Which mistake explains somebody's arrays, or that none does.

    Heard      what a page says about one derivative: its numbers, the formula before them, what is right of it
    Fit        a mistake of the table at one place, and which of the wrong claims it gives

The rows are those of `checking.mistakes`: the way back with one rule replaced. The page is replayed under each,
carrying on the writer's own numbers, so what follows from a first mistake is no second one. A mistake is named only if
it contradicts nothing that is right, and gives enough of what is wrong: numbers count in bits, and so does a formula
that is the mistake's own, tried with other numbers. An array of zeros, or one number over and over, says little.

Two rows that give the same on every set of numbers are one mistake in two descriptions, and the first of the table is
named. Two that agree only on these numbers are named together; of three nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from backhand.checking.cases import Case
from backhand.checking.drawing import drawn
from backhand.checking.mistakes import MISTAKE, MISTAKES, Mistake
from backhand.checking.replay import IMPOSSIBLE, RIGHT, Belief, ReportRule, Sent, Trial, WayBack, truths
from backhand.checking.search import cases_of
from backhand.core.array_passes import Passes
from backhand.core.evaluate import quiet
from backhand.core.graph import Graph
from backhand.marking.about import Derivative
from backhand.marking.array_worlds import Array, World, fits
from backhand.marking.diagnose import Diagnosis

ENOUGH = 9.5
"""Bits that must speak for a mistake: two numbers, or a formula."""

FORMULA = 12.0
NUMBER, LONG, ZERO, AGAIN = 5.0, 8.0, 1.5, 1.0
"""What a number is worth that a mistake gives: short, of four digits and more, nothing, one that was there before."""

SHAPE = 3.0
NEAR = 2.0
FACTORS = frozenset(("loss-factor-lost", "mean-forgotten", "mean-twice", "mean-for-sum", "bias-averaged"))
"""Rows that give a multiple: where two give the same it is the sizes that make it so, and both are named."""
MOST_WRONG = 2
"""Wrong arrays that may be left without an explanation, beyond as many as are explained."""

MOST_STRANGE = 1
"""Values that may be wrong for no known reason, beside a first: with more it is somebody else's page."""
MOST_NAMED = 2
MOST_ELEMENTS = 4096
MOST_CASES = 3000

Worked = Callable[[World], "list[Array]"]
"""A formula of the page, worked out with the numbers of a world, in each manner of reading it."""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A formula of names that a page gives for a derivative: what it is worth elsewhere, whether it is right, and the
    derivatives that are in it. `turned` is a row of the table where the shapes do not fit together, and would if a
    factor were turned."""

    worked: Worked
    right: bool
    uses: frozenset[str]
    turned: str = ""


@dataclass(slots=True, eq=False)
class Heard:
    """What a page says about the derivative by `name`.

    `number` has the network's axes, or the shape in which it was written where that is another; nan where nothing is
    said. `right` tells of each element whether it is right or follows; None where the shape is wrong."""

    name: str
    number: Array | None
    right: Array | None
    agrees: Callable[[Array, Array], Array] | None = None
    digits: int | None = None
    lines: list[Rule] = field(default_factory=list[Rule])
    at: int = 0

    @property
    def said(self) -> Array:
        """Where something is said."""
        assert self.number is not None
        return np.asarray(~np.isnan(self.number))

    @property
    def all_right(self) -> bool:
        return self.number is None or (self.right is not None and bool(self.right[self.said].all()))

    @property
    def wrong(self) -> bool:
        return not self.all_right or any(not line.right for line in self.lines)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A mistake, where it was made, and the names of the wrong claims that it gives."""

    mistake: Mistake
    case: Case
    order: int
    explained: frozenset[str]
    numbers: int
    bits: float


def diagnosed(
    truth: World, others: Sequence[World], heard: Mapping[str, Heard], own: Mapping[str, Array], beside: int = 0
) -> list[Diagnosis]:
    """The mistakes behind what is wrong on a page; empty where nothing can be told. `own` are the writer's values, and
    `beside` how many of them are wrong for no known reason: of somebody else's page nothing is said."""
    graph, of = truth.graph, truth.of
    wrong = [name for name, one in heard.items() if one.wrong]
    sizes = sum(int(np.prod(q.shape, dtype=int)) for q in graph.quantities)
    if not wrong or sizes > MOST_ELEMENTS or beside > MOST_STRANGE:
        return []
    search = _Search(WayBack(graph, of), carried(truth, own), [*others[:1], *anywhere(graph, of)], heard)
    return list(search.found(beside))


def anywhere(graph: Graph, of: str) -> list[World]:
    """Two sets of numbers of any signs, where the network has a value."""
    found: list[World] = []
    given = frozenset(quantity.name for quantity in graph.quantities if not quantity.computed)
    for numbers in drawn(graph, given):
        made = truths(graph, of, numbers)
        if made is not None:
            passes, adjoints = made
            found.append(World(passes.graph, of, passes, passes.values, adjoints))
        if len(found) == 2:
            break
    return found


def carried(world: World, own: Mapping[str, Array]) -> World:
    """The world with somebody's own values, carried forward to what is made of them."""
    changed = {
        name: value
        for name, value in own.items()
        if name in world.values and not np.allclose(value, world.value(name), rtol=1e-12, atol=0)
    }
    if not changed:
        return world
    values = dict(world.values)
    passes = Passes(world.graph, False, quiet, values)
    made = World(world.graph, world.of, passes, values, dict(world.adjoints))
    moved = set(changed)
    for quantity in world.graph.quantities:
        name = quantity.name
        if name in own:
            values[name] = own[name]
        elif quantity.computed and moved & set(world.graph.parents(name)):
            value = made.by_rule(name)
            if value is None:
                continue
            values[name] = value
            moved.add(name)
    return made


def worth_of(one: Heard) -> tuple[int, float]:
    """How many numbers of a claim were explained, and what that is worth in bits."""
    assert one.number is not None
    wrong: Array = one.said if one.right is None else one.said & ~one.right
    seen: set[float] = set()
    bits = SHAPE if one.right is None else 0.0
    zeros = 0
    for number in one.number[wrong].reshape(-1):
        size = round(abs(float(number)), 9)
        if not size:
            zeros += 1
            bits += ZERO if zeros <= 2 else 0.0
        elif size in seen:
            bits += AGAIN
        else:
            seen.add(size)
            bits += LONG if len(f"{size:.9g}".replace(".", "").strip("0")) >= 4 else NUMBER
    return int(wrong.sum()), bits


class _Search:
    """Tries the rows of the table on one page."""

    def __init__(self, way: WayBack, world: World, others: Sequence[World], heard: Mapping[str, Heard]) -> None:
        self.way = way
        self.heard = heard
        self.here = Trial({}, world.passes, dict(world.adjoints))
        self.there = [(world, Trial({}, world.passes, dict(world.adjoints))) for world in others]
        self.worked: dict[tuple[int, int], list[Array]] = {}
        self.agreed: dict[tuple[str, bytes], Array | None] = {}
        self.rounded = any(one.digits is not None for one in heard.values())
        self.base = {exact: dict(self._replayed(RIGHT, {}, exact=exact)) for exact in (True, False)}
        """What calculus gives from what is on the page. A mistake speaks only where it gives something else."""

    def found(self, beside: int = 0) -> Iterator[Diagnosis]:
        """One mistake, or two of which each accounts for claims of its own."""
        if not self._could_be_enough():
            return
        fits_ = [*self._turned(), *self._fits()]
        wrong = {name for name, one in self.heard.items() if one.wrong}
        done: set[str] = set()
        named: list[tuple[list[Fit], set[str]]] = []
        while len(named) < MOST_NAMED:
            left = [fit for fit in fits_ if fit.explained - done and not fit.explained & done]
            alike = self._alike(left) if left else []
            if not alike:
                break
            again = next((one for one in named if _same_row(one[0], alike)), None)
            if again is not None:
                again[1].update(alike[0].explained)  # the same mistake at another place
            else:
                named.append((alike, set(alike[0].explained)))
            done |= alike[0].explained
        if len(wrong - done) + beside > len(done) + MOST_WRONG:
            return
        for alike, explained in named:
            yield self._diagnosis(alike, frozenset(explained), len(wrong - done))

    def _could_be_enough(self) -> bool:
        """Whether there is anything to be named if one mistake gave all that is wrong."""
        wrong = [one for one in self.heard.values() if one.wrong]
        bits = FORMULA * sum(any(not line.right for line in one.lines) for one in wrong)
        return bits + sum(worth_of(one)[1] for one in wrong if not one.all_right) >= ENOUGH

    def _turned(self) -> Iterator[Fit]:
        """Lines whose shapes do not fit together, and would with a factor turned; they have no numbers to replay."""
        lines: dict[str, list[str]] = {}
        for name, one in self.heard.items():
            for key in dict.fromkeys(line.turned for line in one.lines if line.turned):
                lines.setdefault(key, []).append(name)
        for key, names in lines.items():
            words = f"in dL/d{names[0]}".replace("dL", f"d{self.way.of}") if len(names) == 1 else ""
            yield Fit(MISTAKE[key], Case(RIGHT, names[0], words), -1, frozenset(names), 0, FORMULA * len(names))

    def _fits(self) -> Iterator[Fit]:
        """All mistakes that give something of what is wrong and contradict nothing."""
        order = 0
        for mistake in MISTAKES:
            if mistake.key == "extra-axis":
                continue  # on paper a vector may stand either way
            for case in cases_of(mistake, self.way):
                order += 1
                if order > MOST_CASES:
                    return
                fit = self._fit(mistake, case, order)
                if fit is not None and fit.bits >= ENOUGH:
                    yield fit

    def _fit(self, mistake: Mistake, case: Case, order: int) -> Fit | None:
        ways: dict[str, list[Sent]] = {}
        best: Fit | None = None
        for exact in (True, False) if self.rounded else (False,):
            found = self._explained(case.belief, ways, exact=exact)
            if found is None:
                continue
            explained, numbers, bits = found
            if (best is None or bits > best.bits) and explained:
                best = Fit(mistake, case, order, frozenset(explained), numbers, bits)
        return best

    def _explained(
        self, belief: Belief, ways: dict[str, list[Sent]], *, exact: bool
    ) -> tuple[set[str], int, float] | None:
        """The wrong claims that a belief gives, in how many numbers, and what they are worth; None if it contradicts
        something that is right. With `exact`, numbers that agree are carried on unrounded."""
        explained: dict[str, Array] = {}
        totals: dict[str, Array] = {}
        replayed = belief if belief.report is None else replace(belief, report=_noting(belief.report, totals))
        try:
            for name, written in self._replayed(replayed, ways, exact=exact):
                one = self.heard.get(belief.under(name))
                if one is None or one.number is None or totals.get(name) is written:
                    continue
                if _alike([np.asarray(written)], [np.asarray(self.base[exact].get(one.name))]):
                    continue
                agreed = self._agreement(one, written)
                if one.all_right:
                    if agreed is None or not agreed[one.said].all():
                        return None
                elif agreed is not None and agreed[one.said].all():
                    explained[one.name] = written
                elif one.right is not None and agreed is not None:
                    contradicted: Array = one.right & ~agreed & one.said
                    if contradicted.any():
                        return None
        except IMPOSSIBLE:
            return None
        if belief.exchange is not None and not set(belief.exchange) <= explained.keys():
            return None  # who exchanges two has written both
        formulas = self._formulas(explained, belief)
        numbers, bits = 0, FORMULA * len(formulas)
        for name in explained:
            count, worth = worth_of(self.heard[name])
            numbers += count
            bits += count * AGAIN if self._is_mixed_up(name, belief, exact=exact) else worth
        if bits >= ENOUGH and self._contradicts(belief):
            return None
        return set(explained) | formulas, numbers, bits

    def _is_mixed_up(self, name: str, belief: Belief, *, exact: bool) -> bool:
        """Whether an array has the right numbers in other places, and nobody turned or exchanged anything: chance
        gives that as well."""
        number, right = self.heard[name].number, self.base[exact].get(name)
        if number is None or right is None or belief.exchange or belief.report or number.shape != np.shape(right):
            return False
        one, other = np.abs(number), np.abs(np.asarray(right, float))
        near = 0.01 * float(other.max(initial=0.0)) + 1e-9
        same = bool((np.abs(np.sort(one.ravel()) - np.sort(other.ravel())) <= near).all())
        return same and not bool((np.abs(one - other) <= near).all())

    def _formulas(self, explained: dict[str, Array], belief: Belief) -> set[str]:
        """The wrong formulas that are the belief's own. A claim with another formula is not explained by it."""
        found: set[str] = set()
        for one in self.heard.values():
            wrong = [line for line in one.lines if not line.right]
            if not wrong and one.name not in explained:
                continue
            same = [self._same_rule(one.name, line, belief) for line in (wrong or one.lines)]
            if False in same:
                explained.pop(one.name, None)
            elif wrong and True in same and (one.all_right or one.name in explained):
                found.add(one.name)
        return found

    def _contradicts(self, belief: Belief) -> bool:
        """Whether a right line has another formula than the belief."""
        return any(
            self._same_rule(one.name, line, belief) is False
            for one in self.heard.values()
            if one.all_right
            for line in one.lines
            if line.right
        )

    def _replayed(self, belief: Belief, ways: dict[str, list[Sent]], *, exact: bool) -> Iterator[tuple[str, Array]]:
        def goes_on(name: str, total: Array) -> Array | None:
            one = self.heard.get(name)
            if one is None or one.number is None or one.right is None or np.shape(total) != one.number.shape:
                return None
            said = one.said
            if exact:
                agreed = self._agreement(one, total)
                said = np.asarray(said & ~agreed) if agreed is not None else said
            return np.asarray(np.where(said, one.number, total))

        return self.way.replay(self.here, belief, ways, goes_on)

    def _agreement(self, one: Heard, written: Array) -> Array | None:
        """Where what is said is this array, element by element, in the shape in which it was said; None for another."""
        assert one.number is not None and one.agrees is not None
        value = fits(np.asarray(written, float), one.number.shape)
        if value is None:
            return None
        key = (one.name, value.tobytes())
        if key not in self.agreed:
            made = one.agrees(np.where(np.isnan(one.number), value, one.number), value)
            self.agreed[key] = np.asarray(made)
        return self.agreed[key]

    def _same_rule(self, name: str, line: Rule, belief: Belief) -> bool | None:
        """Whether a formula is what this belief gives for a derivative, with other numbers; None where it cannot be
        told. What the formula names is taken as true; what is in between comes from the belief."""
        for number, (world, trial) in enumerate(self.there):
            key = (id(line), number)
            if key not in self.worked:
                self.worked[key] = line.worked(world)
            values = self.worked[key]

            def goes_on(under: str, total: Array, world: World = world) -> Array | None:
                return world.slope(under) if under in line.uses else None

            predicted = None
            try:
                for at, written in self.way.replay(trial, belief, {}, goes_on):
                    if belief.under(at) == name:
                        predicted = np.asarray(written)
                        break
            except IMPOSSIBLE:
                return False
            if predicted is None or not values:
                return None
            if not any(_close(value, predicted) for value in values):
                return False
        return True if self.there else None

    def _alike(self, found: Sequence[Fit]) -> list[Fit]:
        """The best, and what does as well: one a row, at most two; nothing where there are more."""
        best = max(found, key=lambda fit: (fit.bits, -fit.order))
        near = sorted((fit for fit in found if fit.bits >= best.bits - NEAR), key=lambda fit: fit.order)
        kept: list[Fit] = []
        seen: list[list[Array] | None] = []
        for fit in near:
            if any(fit.mistake is other.mistake for other in kept):
                continue
            signature = self._everywhere(fit.case)
            if any(
                _alike(signature, known) and not {fit.mistake.key, other.mistake.key} <= FACTORS
                for other, known in zip(kept, seen, strict=True)
            ):
                continue
            kept.append(fit)
            seen.append(signature)
        return kept if len(kept) <= 2 else []

    def _everywhere(self, case: Case) -> list[Array] | None:
        """What a mistake gives for all that is claimed, with other numbers."""
        found: list[Array] = []
        for _, trial in self.there:
            try:
                for name, written in self.way.replay(trial, case.belief, {}, lambda under, total: None):
                    if case.belief.under(name) in self.heard:
                        found.append(np.asarray(written))
            except IMPOSSIBLE:
                return None
        return found

    def _diagnosis(self, alike: Sequence[Fit], explained: frozenset[str], left: int) -> Diagnosis:
        rows = [fit.mistake for fit in alike]
        title = " or ".join(row.title for row in rows)
        place = alike[0].case.words if len(alike) == 1 and explained == alike[0].explained else ""
        names = sorted(explained, key=self.way.names.index)
        lines = tuple(sorted(self.heard[name].at for name in explained))
        count = f"{len(lines)} line{'' if len(lines) == 1 else 's'}"
        where = f" ({place})" if place else ""
        rest = f"; {left} more wrong {'line is' if left == 1 else 'lines are'} not explained by it" if left else ""
        what = f"1 habit: {title}{where}" if len(rows) == 1 else f"{len(rows)} possible habits: {title}"
        return Diagnosis(
            keys=tuple(row.key for row in rows),
            ids=tuple(dict.fromkeys(row.id for row in rows if row.id)),
            title=title,
            about=tuple(Derivative(self.way.of, name) for name in names),
            lines=lines,
            explained=max(1, sum(fit.numbers for fit in alike[:1])),
            unexplained=left,
            bits=round(alike[0].bits, 2),
            evidence=f"{count}, {what}{rest}",
            remark=f"{rows[0].why} {rows[0].remedy}" if len(rows) == 1 else rows[0].remedy,
            place=place,
        )


def _noting(report: ReportRule, totals: dict[str, Array]) -> ReportRule:
    """The same, keeping what it is told: only what is written down otherwise is a mistake's doing."""

    def noted(name: str, value: Array) -> Array:
        totals[name] = value
        return report(name, value)

    return noted


def _same_row(named: Sequence[Fit], alike: Sequence[Fit]) -> bool:
    """Whether what was named before is one of what it could be here."""
    return len(named) == 1 and any(fit.mistake is named[0].mistake for fit in alike)


def _close(one: Array, other: Array) -> bool:
    value = fits(np.asarray(one, float), np.shape(other))
    return value is not None and bool(np.allclose(value, other, rtol=1e-7, atol=1e-10))


def _alike(one: list[Array] | None, other: list[Array] | None) -> bool:
    if one is None or other is None or len(one) != len(other):
        return False
    return all(
        a.shape == b.shape and (a is b or (object not in {a.dtype, b.dtype} and _near(a, b)))
        for a, b in zip(one, other, strict=True)
    )


def _near(a: Array, b: Array) -> bool:
    with np.errstate(invalid="ignore"):
        return bool(((np.abs(a - b) <= 1e-12 + 1e-9 * np.abs(b)) | (a == b)).all())
