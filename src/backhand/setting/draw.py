"""Drawing numbers: a search for friendly ones on which habits give different answers.

    Shape      what all variants of a recipe have in common: the drawing, the lines, what always comes to the same
    Drawn      numbers that passed every test, with their measures and their separation

Friendly is a guarantee, not a hope: numbers are drawn until all of these hold, or an error says which did not.

    every result exists, is exact where the recipe says so, no larger and no longer than it says
    no result is 0, 1 or (a derivative) -1, no two values are equal, no two derivatives, no two ways that are added
    (unless they are so at any numbers: structure is no accident), not more than half of the derivatives behind gates 0
    the work is as much as in the middle variant, give or take the recipe's spread
    neither weights nor answers have been given to an earlier variant

Among what passes the best separation is kept (`telling.separation`); one number changed at a time from the best so far
finds better ones than drawing all anew. A variant depends on recipe, seed and its number only.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import combinations
from math import log2
from statistics import median
from typing import NamedTuple

from backhand.core.formula import Apply, Formula, postorder
from backhand.core.graph import Graph
from backhand.errors import UsageError
from backhand.marking.about import Derivative
from backhand.marking.diagnose import sheet_numbers
from backhand.marking.misconceptions import by_key, is_gate
from backhand.marking.replay import Page, Practice, begun, finished, run
from backhand.marking.sheet import Amount, sheet_of, small
from backhand.numbers import terminating
from backhand.setting.exercise import Difficulty
from backhand.setting.making import difficulty, lines_of, matter
from backhand.setting.recipe import Recipe, drawable
from backhand.setting.telling import Signature, absent, priors, separation

DRAWS = 12_000
"""Draws for one variant before it is said that there is none."""

TRIALS = 60
"""Draws that show what comes to the same at any numbers."""

OFTEN = 0.35
"""What happens in so many of them is structure, and no accident."""

PILOT = 40
"""Passing draws that show how much work a variant is, and how far habits can be told apart."""

WALK = 150
"""Changes after which a search begins with new numbers."""

TRIES = 2
"""Passing draws among which the best is taken."""

Numbers = tuple[Fraction, ...]

FAULTS = {
    "undefined": "a result does not exist",
    "rounded": "a result had to be rounded",
    "long": "a result had too many decimals, or too large a denominator",
    "large": "a result was too large",
    "small": "a result was too small to be given with few decimals",
    "zero": "a result was 0 by accident",
    "one": "a result was 1 or -1 by accident",
    "equal": "two results were equal by accident",
    "ways": "two ways that are added were equal, or one was 0",
    "gates": "most gates were closed",
    "work": "the working was much longer or shorter than in the middle variant",
    "again": "the weights or the answers were those of an earlier variant",
}
"""Why a draw does not pass, in words."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Numbers that passed, in the order of `Shape.names`."""

    numbers: Numbers
    difficulty: Difficulty
    score: float
    answers: Signature


class Fault(NamedTuple):
    """A test that was not passed, and how far off it was: to be compared, no measure of anything."""

    what: str
    off: float


PASSED = Fault("", 0.0)


@dataclass(eq=False)
class Shape:
    """What the variants of a recipe have in common."""

    recipe: Recipe
    names: tuple[str, ...] = ()
    faults: Counter[str] = field(default_factory=Counter[str])
    """Why draws did not pass, counted."""

    def __post_init__(self) -> None:
        recipe = self.recipe
        drawable(recipe.ranges)
        self.names = tuple(name for name in recipe.graph.index if name in recipe.ranges)
        self.choices = [recipe.ranges[name].numbers for name in self.names]
        first = self.graph([numbers[0] for numbers in self.choices])
        self.sheet = sheet_of(first, recipe.of)
        self.positions = [self.sheet.index[name] for name in self.names]
        self.lines = lines_of(first, recipe.of, recipe.kinds, weights=recipe.weights)
        self.absent = absent(first, recipe.of, self.lines)
        self.units = matter(self.sheet, weights=recipe.weights)
        asked = {self.sheet.index[a.by] for a in self.lines if isinstance(a, Derivative)}
        self.order = [i for i in self.sheet.order if self.sheet.layer[i] >= 0 or i in asked or i in self.units]
        self.habits: list[tuple[str, Practice]] = [
            (key, instances[0].practice)
            for key, row in sorted(by_key().items(), key=lambda pair: pair[1].prior_bits)
            if row.sort == "habit" and key not in self.absent and (instances := row.instances(self.sheet))
        ]
        self.shares = priors(key for key, _ in self.habits)
        self.values = [i for i in self.units if self.sheet.quantities[i].computed]
        self.slopes = [i for i in self.units if i != self.sheet.end]
        self.gated = frozenset(i for i in self.values if is_gate(self.sheet, i))
        self.gates = bool(self.gated) or any(has_gate(q.definition) for q in self.sheet.quantities if q.computed)
        self._structure()

    def graph(self, numbers: Sequence[Fraction]) -> Graph:
        """The network with these numbers."""
        given = dict(zip(self.names, numbers, strict=True))
        template = self.recipe.graph
        quantities = tuple(
            replace(q, given=given[q.name], definition=None, span=None) if q.name in given else replace(q, span=None)
            for q in template.quantities
        )
        return Graph(quantities, template.asks)

    def page(self, numbers: Sequence[Fraction]) -> Page:
        """The right page at these numbers."""
        return finished(self.begun(numbers), self.order)

    def begun(self, numbers: Sequence[Fraction]) -> Page:
        """Its values alone."""
        given: dict[int, Amount] = {i: small(n) for i, n in zip(self.positions, numbers, strict=True)}
        return begun(self.sheet.renumbered(given))

    # -- what is no accident -----------------------------------------------------------------------------------

    def _structure(self) -> None:
        """What comes to 0, to 1 or to the same at any numbers, or often, as behind a gate."""
        draw = random.Random(f"{self.recipe.digest} structure")
        zero, one, same, ways = Counter[int](), Counter[int](), Counter[tuple[int, int]](), Counter[int]()
        defined = 0
        for _ in range(TRIALS):
            page = self.page([draw.choice(numbers) for numbers in self.choices])
            numbers = self._numbers(page)
            if any(number != number for number in numbers):
                continue
            defined += 1
            zero.update(k for k, number in enumerate(numbers) if number == 0)
            one.update(k for k, number in enumerate(numbers) if number in (1, -1))
            same.update(pair for pair in self._pairs() if numbers[pair[0]] == numbers[pair[1]])
            ways.update(i for i in self.slopes if not self._ways_differ(page, i))
        often = OFTEN * defined
        few = 0.1 * defined if self.gates else often
        self.zero = frozenset(k for k, count in zero.items() if count > few)
        self.one = frozenset(k for k, count in one.items() if count > often)
        self.same = frozenset(pair for pair, count in same.items() if count > often)
        self.ways = frozenset(i for i, count in ways.items() if count > often)
        self.defined = defined

    def _numbers(self, page: Page) -> list[Amount]:
        """All numbers that matter: values, then derivatives."""
        return [page.values[i] for i in self.values] + [page.derivatives[i] for i in self.slopes]

    def _pairs(self) -> list[tuple[int, int]]:
        """Pairs of values, and pairs of derivatives, by their places in `_numbers`."""
        count = len(self.values)
        whole = count + len(self.slopes)
        return [*combinations(range(count), 2), *combinations(range(count, whole), 2)]

    def _ways_differ(self, page: Page, unit: int) -> bool:
        products = [page.back[way.child] * page.slope[way.number] for way in page.sheet.out[unit]]
        return len(set(products)) == len(products) and (len(products) < 2 or 0 not in products)

    # -- tests ---------------------------------------------------------------------------------------------------

    def tried(self, numbers: Sequence[Fraction], least: float) -> tuple[Fault, Page]:
        """The first kind of test that these numbers do not pass, and by how much; the way back is not made where the
        values alone are off by more than `least`."""
        page = self.begun(numbers)
        values = self._unfriendly([page.values[i] for i in self.values])
        if values.off > least:
            return values, page
        return self.fault(finished(page, self.order)), page

    def fault(self, page: Page) -> Fault:
        """The same of a whole page."""
        numbers = self._numbers(page)
        unfriendly = self._unfriendly(numbers)
        if unfriendly.what:
            return unfriendly
        found = self._special(numbers)
        if any(i not in self.ways and not self._ways_differ(page, i) for i in self.slopes):
            found.append("ways")
        gates = [w for w in self.sheet.ways if w.kind == "bend" and w.child in self.gated]
        if 2 * sum(page.slope[way.number] == 0 for way in gates) > len(gates):
            found.append("gates")
        return Fault(found[0], len(found)) if found else PASSED

    def _unfriendly(self, numbers: Sequence[Amount]) -> Fault:
        """What does not exist or is too large, too long, too small."""
        results = self.recipe.results
        least = 10.0 ** (2 - self.recipe.digits)
        largest = small(results.largest)
        off = 0.0
        odd: list[str] = []
        for number in numbers:
            if type(number) is int:  # most are, and can be nothing but too large
                if number > largest or -number > largest:
                    off += log2(abs(number)) - log2(largest)
                continue
            if number != number or abs(number) == float("inf"):
                return Fault("undefined", float("inf"))
            if abs(number) > largest:
                off += log2(abs(number)) - log2(largest)
            elif isinstance(number, float):
                if results.exact:
                    odd.append("rounded")
                elif abs(number) < least:
                    odd.append("small")
            elif isinstance(number, Fraction):
                places = terminating(number)
                if (places is None or places > results.decimals) and number.denominator > results.fractions:
                    odd.append("long")
        if off:
            return Fault("large", 1000 + off)
        return Fault(odd[0], 100 + len(odd)) if odd else PASSED

    def _special(self, numbers: Sequence[Amount]) -> list[str]:
        """Accidents: 0, 1 and equality."""
        count = len(self.values)
        found: list[str] = []
        for k, number in enumerate(numbers):
            if number == 0 and k not in self.zero:
                found.append("zero")
            if (number == 1 or (number == -1 and k >= count)) and k not in self.one:
                found.append("one")
        for part in (range(count), range(count, len(numbers))):
            if len({numbers[k] for k in part}) == len(part):
                continue  # which is quicker than trying all pairs
            for a, b in combinations(part, 2):
                if numbers[a] == numbers[b] and (a, b) not in self.same and not (numbers[a] == 0 and a in self.zero):
                    found.append("equal")
        return found

    # -- telling ---------------------------------------------------------------------------------------------------

    def signature(self, page: Page) -> Signature:
        """The numbers on the lines, floats as they are given."""
        found = sheet_numbers(page, self.lines, False)
        digits = self.recipe.digits
        return tuple(round(n, digits) if isinstance(n, float) else n for n in found)

    def score(self, page: Page, aim: str | None, least: float = 0.0) -> float:
        """The separation; aimed at one habit, first of all whether its numbers are its own, and on how many lines. What
        is below `least` need not be exact."""
        right = self.signature(page)
        signed = (
            (key, self.signature(run(page.sheet, practice, base=page, order=self.order)))
            for key, practice in self.habits
        )
        if aim is None:
            return separation(right, signed, self.shares, least)
        others = dict(signed)
        apart = separation(right, others.items(), self.shares)
        mine = others.get(aim, right)
        alone = mine != right and list(others.values()).count(mine) == 1
        lines = sum(a != b for a, b in zip(mine, right, strict=True)) / max(len(right), 1)
        return 100.0 * alone + 10.0 * lines + apart


class Drawer:
    """Draws the variants of a recipe one after the other."""

    def __init__(self, recipe: Recipe, seed: int, aim: str | None = None) -> None:
        self.shape = Shape(recipe)
        if aim in self.shape.absent:
            title = by_key()[aim].title
            what = f'"{title}" makes no difference on the lines {recipe.name} asks for, whatever the numbers.'
            raise UsageError(what, cure="Take another network, or ask for more: --kinds, --weights.")
        self.recipe, self.seed, self.aim = recipe, seed, aim
        self.numbers: set[Numbers] = set()
        self.weights: set[Numbers] = set()
        self.answers: set[Signature] = set()
        kinds = [recipe.graph[name].kind for name in self.shape.names]
        self.on_arrows = [k for k, kind in enumerate(kinds) if kind == "weight"]
        self.room = 1
        for k in self.on_arrows:
            self.room *= len(self.shape.choices[k])
        self.middle, self.target = self._pilot()

    def _random(self, what: object) -> random.Random:
        """Random numbers of this recipe and seed for one purpose; nothing else draws from them."""
        return random.Random(f"{self.recipe.digest} {self.seed} {self.aim} {what}")

    def _pilot(self) -> tuple[float, float]:
        """The work in the middle, and a good separation, of some draws that pass."""
        draw = self._random("pilot")
        work: list[int] = []
        scores: list[float] = []
        steps = 0
        while len(work) < PILOT and steps < DRAWS:
            for _, page in self._walk(draw):
                steps += 1
                if page is not None:
                    work.append(difficulty(page, weights=self.recipe.weights).load)
                    scores.append(self.shape.score(page, self.aim))
                    break
        if not work:
            raise self._none()
        return median(work), sorted(scores)[-(len(scores) // 10 + 1)]

    def variant(self, number: int) -> Drawn:
        """The numbers of one variant. Variants are asked for in their order, because each differs from all before
        it."""
        draw = self._random(number)
        spread = float(self.recipe.spread)
        for _ in range(4):
            best = self._search(draw, spread)
            if best is not None:
                self._remember(best)
                return best
            spread *= 2
        raise self._none()

    def _search(self, draw: random.Random, spread: float) -> Drawn | None:
        """The best of some draws that pass."""
        best: Drawn | None = None
        passed = steps = 0
        while steps < DRAWS // 4:
            for numbers, page in self._walk(draw, best):
                steps += 1
                if page is None:
                    continue
                found = self._accepted(numbers, page, spread, best.score if best is not None else 0.0)
                if found is None:
                    continue
                passed += 1
                if best is None or found.score > best.score:
                    best = found
                if best.score >= self.target or passed >= TRIES:
                    return best
                break
        return best

    def _accepted(self, numbers: Numbers, page: Page, spread: float, least: float) -> Drawn | None:
        """A friendly draw with its measures, unless the work is not that of the others, or an earlier one is like
        it."""
        if self._again(numbers) or (answers := self.shape.signature(page)) in self.answers:
            self.shape.faults["again"] += 1
            return None
        work = difficulty(page, weights=self.recipe.weights)
        if abs(work.load - self.middle) > spread * self.middle:
            self.shape.faults["work"] += 1
        else:
            return Drawn(numbers, work, self.shape.score(page, self.aim, least), answers)
        return None

    def _walk(self, draw: random.Random, best: Drawn | None = None) -> Iterator[tuple[Numbers, Page | None]]:
        """Draws one after the other: from random numbers, or from the best so far, one or two are changed at a time,
        and a change is kept if what does not pass gets less. The page comes with what passes."""
        choices = self.shape.choices
        if best is None:
            now = tuple(draw.choice(numbers) for numbers in choices)
            least = float("inf")
        else:
            now, least = best.numbers, 0.0
        tried = now
        for _ in range(WALK):
            fault, page = self.shape.tried(tried, least)
            if fault.what:
                self.shape.faults[fault.what] += 1
            if fault.off <= least:
                now, least = tried, fault.off
            yield tried, None if fault.what else page
            changed = list(now)
            for _ in range(draw.randint(1, 2)):
                k = draw.randrange(len(changed))
                changed[k] = draw.choice(choices[k])
            tried = tuple(changed)

    def _again(self, numbers: Numbers) -> bool:
        """Whether an earlier variant has these numbers, or these weights where there are enough others."""
        if numbers in self.numbers:
            return True
        return self.room > 3 * len(self.weights) and self._weights(numbers) in self.weights

    def _weights(self, numbers: Numbers) -> Numbers:
        return tuple(numbers[k] for k in self.on_arrows)

    def _remember(self, drawn: Drawn) -> None:
        self.numbers.add(drawn.numbers)
        self.answers.add(drawn.answers)
        if self.on_arrows:
            self.weights.add(self._weights(drawn.numbers))

    def _none(self) -> UsageError:
        """That there are no such numbers, and why most draws did not pass."""
        return impossible(self.recipe, self.shape.faults, len(self.numbers))


def impossible(recipe: Recipe, faults: Mapping[str, int], made: int) -> UsageError:
    """An error that says what most draws failed at."""
    total = sum(faults.values())
    fault, count = max(faults.items(), key=lambda pair: (pair[1], pair[0]), default=("undefined", 0))
    share = round(100 * count / max(total, 1))
    if made and fault == "again":
        what = f"{recipe.name} has only {made} exercise{'' if made == 1 else 's'} with different weights and answers."
        return UsageError(what, cure="Ask for fewer, or allow more numbers.")
    begun = f"After {made} exercises no more" if made else "No"
    what = f"{begun} numbers were found for {recipe.name} in {total} draws: in {share} of 100 {FAULTS[fault]}."
    results = recipe.results
    cures = {
        "large": f"Let results be larger than {results.largest}, or draw smaller numbers.",
        "long": f"Allow more than {results.decimals} decimals, or draw whole numbers.",
        "rounded": "Leave exact out, or take operations that keep fractions.",
        "small": "Ask for more digits, or draw larger numbers.",
    }
    return UsageError(what, cure=cures.get(fault, "Allow more numbers."))


def has_gate(formula: Formula | None) -> bool:
    """Whether something in a formula lets pass what one side gives and not the other."""
    gates = ("relu", "max", "min", "step")
    return formula is not None and any(
        isinstance(node, Apply) and node.operation.name in gates for node in postorder(formula)
    )
