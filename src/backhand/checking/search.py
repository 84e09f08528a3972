"""The search for what gives all that a backward function gave: one mistake, or two of which each has its own numbers.

    Search    what differs under a belief, in the order of the way back; it tries the rows of the table, then slips
    Found     a mistake, its case, and what it leaves without an explanation

A mistake that gives everything explains the function: with random numbers an accidental agreement of eight digits does
not happen. One that gives the first number that differs, and leaves others, is a first of two: the second is looked
for with the first put in its place, and only if both together give everything, they are named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations_with_replacement
from typing import Any

import numpy as np

from backhand.checking import edits
from backhand.checking.cases import Case
from backhand.checking.corners import choices
from backhand.checking.mistakes import MISTAKE, MISTAKES, Mistake
from backhand.checking.replay import IMPOSSIBLE, RIGHT, Belief, Trial, WayBack, differs, unexplained, unfollowed
from backhand.core import algebra
from backhand.core.array_operations import node
from backhand.core.arrays import Evaluator
from backhand.core.evaluate import quiet
from backhand.core.formula import Formula, Ref

LIKELY = (
    "target-left-out", "sign-lost", "factor-left-out", "function-left-out", "function-twice", "factor-not-transposed",
    "way-dropped", "always-zero", "term-left-out", "copied", "wrong-upstream", "wrong-axis", "mean-inside",
    "constant-factor", "another-constant",
)  # fmt: skip
"""Slips that are named before others, where several give the same numbers."""

MOST_TRIED, MOST_SECONDS = 6_000, 2_000
"""How many slips are tried for one mistake, and for each second one of two; a network of a few lines has hundreds."""

MOST_FIRSTS, MOST_ALIKE = 8, 3
"""How many mistakes are tried as the first of two, and how many of one name."""

ENOUGH_TRIALS = 3
"""With fewer sets of numbers, slips are not looked for: one set agrees with many."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A mistake that gives what differs first, and of what differs all but `left`."""

    mistake: Mistake
    case: Case
    left: frozenset[str]


class Search:
    """What differs from a belief, and what may explain it."""

    def __init__(self, way: WayBack, trials: Sequence[Trial], rtol: float, base: Belief = RIGHT) -> None:
        self.way = way
        self.trials = trials
        self.rtol = rtol
        self.base = base
        self.wrong = unfollowed(way, trials, rtol, base)
        self.first = next(name for name in way.names if name in self.wrong)
        self.later = self.wrong - {self.first}
        self.said = frozenset[str]().union(*(trial.said for trial in trials))

    @cached_property
    def reached(self) -> dict[str, frozenset[str]]:
        """For each quantity, what was said that other numbers for it come to first."""
        found: dict[str, frozenset[str]] = {}
        for name in reversed(self.way.names):
            if name in self.said:
                found[name] = frozenset([name])
                continue
            quantity = self.way.graph[name]
            parents = {one.parent for one in self.way.right(name)} if quantity.computed else set[str]()
            found[name] = frozenset[str]().union(*(found[parent] for parent in parents if parent in found))
        return found

    def may(self, touched: frozenset[str] | None) -> bool:
        """Whether other numbers for these names can be part of what differs, and would not show where all is right."""
        if touched is None:
            return True
        met = frozenset[str]().union(*(self.reached.get(name, frozenset()) for name in touched))
        return bool(met) and met <= self.wrong

    def reaches_first(self, touched: frozenset[str] | None) -> bool:
        return touched is None or any(self.first in self.reached.get(name, ()) for name in touched)

    # -- one mistake ------------------------------------------------------------------------------------------------

    def tried(self, mistake: Mistake, case: Case, *, first: bool = True) -> Found | None:
        """Whether a case gives what differs first (or anything that differs), and nothing that is right otherwise."""
        if not self.may(case.touched) or (first and not self.reaches_first(case.touched)):
            return None
        belief = self.base.beside(case.belief)
        may_differ = self.later if first else self.wrong
        left = unexplained(self.way, belief, self.trials, self.rtol, may_differ, every=first)
        return None if left is None else Found(mistake, case, left)

    def table(self, *, first: bool = True) -> Iterator[Found]:
        """What the rows of the table explain, in their order."""
        for mistake in MISTAKES:
            for case in cases_of(mistake, self.way):
                if (found := self.tried(mistake, case, first=first)) is not None:
                    yield found

    def slips(self) -> Iterator[Found]:
        """What a slip in a formula explains; names before numbers."""
        if len(self.trials) < ENOUGH_TRIALS:
            return
        most = MOST_TRIED if self.base is RIGHT else MOST_SECONDS
        for key, case in edits.edited(self.way, self.may, self.short, most):
            if (found := self.tried(MISTAKE[key], case)) is not None:
                yield found
        shorts = (dial for one in self.short if self.may(frozenset([one.name])) for dial in edits.dials_of(one))
        for dial in (*edits.dials(self.way, self.may), *shorts):
            case = self._turned(dial) if self.reaches_first(dial.touched) else None
            if case is not None and (found := self.tried(MISTAKE[dial.key], case)) is not None:
                yield found

    def tries(self) -> Iterator[list[Found]]:
        """What the table explains, then what slips do, the likeliest first."""
        yield list(self.table())
        yield sorted(self.slips(), key=_unlikely)

    def firsts(self) -> Iterator[list[Found]]:
        """What may be the first of two mistakes."""
        yield list(self.table())
        yield list(self.table(first=False))
        yield sorted(self.slips(), key=_unlikely)

    @np.errstate(all="ignore")
    def _turned(self, dial: edits.Dial) -> Case | None:
        """The number at a place that would give what was said: the way back is linear in each."""
        trial = self.trials[-1]
        said = trial.said.get(self.first)
        try:
            zero, one = (self._predicted(dial.turned(k), trial) for k in (0.0, 1.0))
        except IMPOSSIBLE:
            return None
        if said is None or zero is None or one is None or not said.shape == zero.shape == one.shape:
            return None
        slope = (one - zero).reshape(-1)
        size = float(slope @ slope)
        k = float((said - zero).reshape(-1) @ slope) / size if size else np.nan
        if not np.isfinite(k) or differs(said, zero + k * (one - zero), self.rtol, trial.scale):
            return None
        known = self._known(k)
        return None if known is None or known == dial.was else dial.turned(known)

    def _predicted(self, case: Case, trial: Trial) -> Any:
        belief = self.base.beside(case.belief)
        replay = self.way.replay(trial, belief, {})
        return next((np.asarray(value, np.float64) for name, value in replay if name == self.first), None)

    def _known(self, k: float) -> float | None:
        """A number that somebody may have written: of two digits, a small quotient, or made of sizes and constants."""
        near = [float(f"{k:.2g}"), float(Fraction(k).limit_denominator(12)), *self._numbers]
        return next((one for one in near if one and abs(k - one) <= 10 * self.rtol * abs(one)), 0.0 if k == 0 else None)

    @cached_property
    def _numbers(self) -> list[float]:
        graph = self.way.graph
        sizes = {float(n) for quantity in graph.quantities for n in (*quantity.shape, np.prod(quantity.shape)) if n > 1}
        sizes |= {float(q.given) for q in graph.quantities if q.shape == () and q.kind == "constant" and q.given}
        some = {1.0, 2.0, *sizes, *(one**0.5 for one in sizes)}
        found: list[float] = []
        for one, other in combinations_with_replacement(sorted(some), 2):
            found += [one * other, 1 / (one * other), one / other, other / one]
        return [sign * one for one in found for sign in (1, -1)]

    @cached_property
    def short(self) -> list[edits.Short]:
        """What is often said in one line: p - t, and the way back through a normalisation."""
        return [*self._differences(), *self._normalised()]

    def _normalised(self) -> Iterator[edits.Short]:
        """The quantities that a normalisation brings all that comes back to them."""
        graph = self.way.graph
        for name in self.way.names[1:]:
            if not self.way.shape(name) or not self.may(frozenset([name])):
                continue
            for whole in self.way.names[1:]:
                if whole != name and graph[whole].shape == self.way.shape(name) and name in self._made_of(whole):
                    for formula in edits.normalised(self.way, whole):
                        if all(self._is_right(name, formula, trial) for trial in self.trials):
                            yield edits.Short(name, formula, self.way, of_loss=False)

    def _made_of(self, name: str) -> frozenset[str]:
        found = {name}
        for quantity in reversed(self.way.graph.quantities):
            if quantity.name in found:
                found.update(self.way.graph.parents(quantity.name))
        return frozenset(found)

    @np.errstate(all="ignore")
    def _is_right(self, name: str, formula: Formula, trial: Trial) -> bool:
        """Whether a formula gives the derivative by a quantity, where all others are right."""
        evaluator = Evaluator(trial.passes.values, trial.truth, exact=False, note=quiet, kept={})
        evaluator.numbers = trial.passes.numbers
        try:
            found = np.asarray(evaluator.evaluate(formula), np.float64)
        except IMPOSSIBLE:
            return False
        return not differs(found, trial.truth[name], self.rtol, trial.scale)

    def _differences(self) -> list[edits.Short]:
        """The quantities that a multiple of a difference comes back to: c (p - t), with numbers that show it."""
        found: list[edits.Short] = []
        graph = self.way.graph
        targets = [q for q in graph.quantities if not q.computed and q.kind in ("target", "input") and not q.symbolic]
        for name in self.way.names[1:]:
            if not self.may(frozenset([name])) or not graph[name].computed:
                continue
            for target in targets:
                shape = self.way.shape(name)
                rows = bool(shape) and target.shape == shape[:-1]  # class numbers: as many as there are rows
                if target.shape != shape and not rows:
                    continue
                if rows and not all(
                    self._are_classes(trial.passes.values[target.name], shape) for trial in self.trials
                ):
                    continue
                wanted: Formula = node("one_hot", Ref(target.name), size=shape[-1]) if rows else Ref(target.name)
                for other in graph.quantities:
                    if other.computed and other.shape == shape and other.name != name:
                        factor = self._multiple(name, other.name, target.name, shape)
                        if factor is not None:
                            number = algebra.formula_of(Fraction(factor).limit_denominator(10**6))
                            difference = algebra.subtract(Ref(other.name), wanted)
                            found.append(edits.Short(name, algebra.multiply(number, difference), self.way))
        return found

    @staticmethod
    def _are_classes(value: Any, shape: tuple[int, ...]) -> bool:
        return bool(np.all(np.isin(np.asarray(value, np.float64), np.arange(shape[-1]))))

    def _multiple(self, name: str, one: str, other: str, shape: tuple[int, ...]) -> float | None:
        """The number by which the difference of two values is multiplied to give what comes back to a quantity; None if
        there is none. The second may be class numbers."""
        factor: float | None = None
        for trial in self.trials:
            values = trial.passes.values
            wanted: Any = np.asarray(values[other], np.float64)
            if wanted.shape != shape:
                wanted = np.eye(shape[-1])[wanted.astype(int)]
            difference: Any = np.asarray(values[one], np.float64) - wanted
            size = float(np.sum(difference * difference))
            if size == 0:
                return None
            factor = float(np.sum(trial.truth[name] * difference)) / size if factor is None else factor
            if differs(trial.truth[name], factor * difference, self.rtol, trial.scale):
                return None
        return factor

    # -- two mistakes -----------------------------------------------------------------------------------------------

    def second(self, found: Found) -> Search:
        """What still differs when a first mistake is put in its place."""
        return Search(self.way, self.trials, self.rtol, self.base.beside(found.case.belief))


def cases_of(mistake: Mistake, way: WayBack) -> Iterator[Case]:
    """The cases of a row on this network; those that do not fit it are none."""
    try:
        yield from mistake.cases(way)
    except IMPOSSIBLE:
        return


def explained(way: WayBack, trials: Sequence[Trial], rtol: float, chosen: Belief) -> list[list[Found]]:
    """The mistakes that give all numbers: lists of one, or of two where none does by itself, the likeliest first. Those
    after the first are other descriptions of the same numbers. `chosen` is how the program does what is a matter of
    choice; where a mistake hides that, the other choices are tried."""
    for base in (chosen, *choices(way, trials)):
        for some in Search(way, trials, rtol, base).tries():
            whole = [one for one in some if not one.left]
            if whole:
                return [[one] for one in whole]
    search = Search(way, trials, rtol, chosen)
    for some in search.firsts() if len(search.wrong) > 1 else ():
        for one in _different(sorted(some, key=lambda one: len(one.left)))[:MOST_FIRSTS]:
            for more in search.second(one).tries():
                two = next((two for two in more if not two.left), None)
                if two is not None:
                    return [[one] if _same(one, two) else [one, two]]
    return []


def _same(one: Found, two: Found) -> bool:
    """Whether two are one mistake, made in both things that one operation sends."""
    return one.mistake is two.mistake and bool(one.case.words) and one.case.words == two.case.words


def _unlikely(found: Found) -> int:
    """The place of a slip among others."""
    return LIKELY.index(found.mistake.key) if found.mistake.key in LIKELY else len(LIKELY)


def _different(found: Sequence[Found]) -> list[Found]:
    """Of mistakes with one name that leave the same, the first few."""
    kept: dict[tuple[str, frozenset[str]], list[Found]] = {}
    for one in found:
        some = kept.setdefault((one.mistake.key, one.left), [])
        if len(some) < MOST_ALIKE:
            some.append(one)
    return [one for some in kept.values() for one in some]
