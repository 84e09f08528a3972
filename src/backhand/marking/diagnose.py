"""Which habit explains somebody's numbers, or that none does.

A wrong answer is mostly the right execution of a wrong rule. So the rules of the table are tried one after the other:
the page is replayed under each, carrying on the person's own numbers, and what a rule does not reproduce is counted.

    cost(H) = bits of its rows + 9.4 for each number it misses + 6 for each written expression it contradicts

9.4 bits = 4 (a slip happens once in 16 lines) + log2 41 (and gives any number from -20 to 20). Two rivals know no
habit: unrelated slips (9.4 a number) and guessing (5.6, and 5.4 a number). A habit is named only if it beats both by 3
bits, contradicts no right line, leaves at most one number unexplained, and has two numbers, or one and the expression
before it, on its side. Slips are counted in two ways, and the smaller count holds: lines that do not follow from the
person's own numbers, and lines that are not true. (A slip that is not carried on makes the next line look wrong.)

Habits that come out alike are named together, up to four; of more nothing is said. Two habits at a time are tried for
the most promising few; never three, because three explain almost anything.

`diagnose` gives the habits of a page, `could_be` for each single line the rows that give its number (a hint, no
verdict), `collisions` what looks alike or cannot be seen on a network at all.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import isclose, log2
from typing import TYPE_CHECKING

from backhand import limits
from backhand.core.formula import Apply, Formula, Num, Ref, Slope, fold, postorder, references
from backhand.core.graph import Graph
from backhand.core.operations import Operation
from backhand.core.paths import count_paths
from backhand.marking.about import About, Derivative, Local, Value
from backhand.marking.misconceptions import TABLE, Instance, Misconception, misread
from backhand.marking.replay import (
    RIGHT,
    Page,
    Practice,
    Seat,
    Sent,
    Terms,
    Told,
    apply,
    coefficient_of,
    local_of,
    partial,
    predicted,
    product,
    run,
    told_of,
)
from backhand.marking.sheet import NAN, Amount, Sheet, Way, exact, sheet_of, small
from backhand.numbers import Number

if TYPE_CHECKING:
    from backhand.marking.tables import Tables


@dataclass(frozen=True, slots=True)
class Claimed:
    """A number somebody wrote: what it is about, the number, and what stood before it.

    `digits`     decimals shown, where it was rounded; None for an exact number
    `terms`      the expression with its numbers, as summands of factors: (2)(1) + (-2)(-1) is ((2, 1), (-2, -1))
    `summands`   how many summands it has, where the numbers are not known
    `formula`    the expression in names of the network, dL/dX as Slope: it is tried at other numbers than the page's
    `misread`    a given number that was read differently: carried on, but no evidence of a habit
    """

    about: About
    value: Number
    line: int = 0
    digits: int | None = None
    terms: Terms | None = None
    summands: int | None = None
    formula: Formula | None = None
    misread: bool = False


@dataclass(frozen=True, slots=True)
class Scheme:
    """The weights of the search, in bits, and its limits."""

    miss: float = 4 + log2(41)
    guess: float = 5.6
    guess_each: float = 5.4
    expression: float = 6.0
    shape: float = 4.0
    margin: float = 3.0
    near: float = 2.0
    twin: float = 5.0
    any_value: float = log2(41)
    evidence: int = 2
    residue: int = 1
    alternatives: int = 4
    beam: int = 5


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A habit and what speaks for it. Several keys: one of them, the page does not tell which."""

    keys: tuple[str, ...]
    ids: tuple[str, ...]
    title: str
    about: tuple[About, ...]
    lines: tuple[int, ...]
    explained: int
    unexplained: int
    bits: float
    evidence: str
    remark: str
    place: str = ""

    @property
    def either(self) -> bool:
        return len(self.keys) > 1


def diagnose(graph: Graph, of: str | None, claims: Sequence[Claimed], scheme: Scheme | None = None) -> list[Diagnosis]:
    """The habits that explain what is wrong on a page; empty where nothing is, or where nothing can be told.

    Of two habits together each is a Diagnosis of its own.
    """
    return Search(graph, graph.output(of)[0], claims, scheme or Scheme()).diagnoses()


def could_be(
    graph: Graph, of: str | None, claims: Sequence[Claimed], scheme: Scheme | None = None
) -> dict[int, tuple[str, ...]]:
    """For each claim that does not follow from the person's own numbers: keys of the rows that give just this number
    from them, likeliest first. A single number proves none of them."""
    search = Search(graph, graph.output(of)[0], claims, scheme or Scheme())
    null = search.null
    found: dict[int, dict[str, float]] = {n: {} for n in sorted(null.misses)}
    for hypothesis in search.singles if null.misses else ():
        fit = search.fit(hypothesis)
        for n in null.misses - fit.misses:
            key = hypothesis.rows[0].key
            found[n][key] = min(hypothesis.bits, found[n].get(key, hypothesis.bits))
    return {n: tuple(sorted(keys, key=lambda key: (keys[key], key))) for n, keys in found.items()}


# -- hypotheses ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Hypothesis:
    """One row, or two, at their places. `solved`: with a number that was found from a line of the page."""

    rows: tuple[Misconception, ...]
    places: tuple[str, ...]
    practice: Practice
    bits: float
    solved: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(row.key for row in self.rows)

    @property
    def order(self) -> tuple[float, tuple[str, ...], tuple[str, ...]]:
        return (self.bits, self.keys, self.places)

    def joined(self, other: Hypothesis) -> Hypothesis | None:
        """Both at once; None if they replace the same rule."""
        mine, theirs = self.practice.changed, other.practice.changed
        if not theirs or set(mine) & set(theirs):
            return None
        both = replace(self.practice, **{name: getattr(other.practice, name) for name in theirs})
        both = replace(both, written_right=self.practice.written_right or other.practice.written_right)
        return Hypothesis(self.rows + other.rows, self.places + other.places, both, self.bits + other.bits)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """What a hypothesis leaves unexplained: claims whose number, and claims whose expression it does not give."""

    misses: frozenset[int]
    against: frozenset[int]
    cost: float


@dataclass(eq=False)
class View:
    """The page seen from one output: a sheet, the person's numbers in it, and its right replay."""

    sheet: Sheet
    told: Told
    claims: list[int]
    order: list[int]
    truth: Page = field(init=False)
    base: Page = field(init=False)

    def __post_init__(self) -> None:
        self.truth = run(self.sheet, RIGHT)
        self.base = run(self.sheet, RIGHT, self.told)


@dataclass(eq=False)
class Search:
    """All that is computed once for a page."""

    graph: Graph
    of: str
    given: Sequence[Claimed]
    scheme: Scheme
    tables: Tables | None = None

    @cached_property
    def claims(self) -> list[Claimed]:
        return [replace(c, about=_direct(self.graph, self.of, c.about)) for c in self.given]

    @cached_property
    def views(self) -> list[View]:
        """One from the output; one more from each other quantity whose derivatives are claimed."""
        outputs = [self.of]
        for claim in self.claims:
            if isinstance(claim.about, Derivative) and claim.about.of not in outputs:
                outputs.append(claim.about.of)
        own = {c.about: c.value for c in self.claims}
        slack = {c.about: s for c in self.claims if (s := _slack(c)) is not None}
        found: list[View] = []
        for output in outputs:
            sheet = sheet_of(self.graph, output)
            mine = [n for n, c in enumerate(self.claims) if self._belongs(c.about, output)]
            told = told_of(sheet, own, slack)
            order = [i for i in sheet.order if sheet.layer[i] >= 0 or i in told.derivatives]
            found.append(View(sheet, told, mine, order))
        return found

    def _belongs(self, about: About, output: str) -> bool:
        return about.of == output if isinstance(about, Derivative) else output == self.of

    @cached_property
    def null(self) -> Fit:
        """Nothing but slips: what does not follow by the right rules."""
        return self._fit([view.base for view in self.views], 0.0)

    @cached_property
    def untrue(self) -> frozenset[int]:
        """Claims that are not the true number."""
        found: set[int] = set()
        for view in self.views:
            for n in view.claims:
                right = predicted(view.truth, self.claims[n].about)
                if right is not None and not self.claims[n].misread and not _agree(self.claims[n], right):
                    found.add(n)
        return frozenset(found)

    @cached_property
    def miswritten(self) -> frozenset[int]:
        """Claims whose expression is neither the right one at the person's own numbers nor at the true ones."""
        found = set(self.null.against.intersection(self._with_formula))
        for view in self.views:
            for n in self.null.against.intersection(view.claims) - found:
                about = self.claims[n].about
                assert isinstance(about, Derivative)
                if _contradicts(self.claims[n], view.truth.expression.get(view.sheet.index.get(about.by, -1))):
                    found.add(n)
        return frozenset(found)

    @cached_property
    def limit(self) -> float:
        """What a habit must cost at most."""
        scheme, count = self.scheme, min(len(self.null.misses), len(self.untrue))
        rivals = min(scheme.miss * count, scheme.guess + scheme.guess_each * count)
        return rivals + self._written(self.miswritten) - scheme.margin

    # -- fitting ---------------------------------------------------------------------------------------------

    def fit(self, hypothesis: Hypothesis) -> Fit:
        """A hypothesis against the page; each is replayed once."""
        known = self._fits.get(id(hypothesis.practice))
        if known is None:
            known = self._fit(self.pages(hypothesis.practice), 0.0, hypothesis)
            self._fits[id(hypothesis.practice)] = known
            self._kept.append(hypothesis.practice)
        return Fit(known.misses, known.against, known.cost + hypothesis.bits)

    def pages(self, practice: Practice) -> list[Page]:
        found = [run(view.sheet, practice, view.told, view.base, view.order) for view in self.views]
        if practice.stale:
            first = [
                min((n for n in view.claims if isinstance(self.claims[n].about, Derivative)), default=len(self.claims))
                for view in self.views
            ]
            for before, after in pairwise(sorted(range(len(found)), key=first.__getitem__)):
                _add(found[before], found[after])
        return found

    @cached_property
    def _fits(self) -> dict[int, Fit]:
        return {}

    @cached_property
    def _kept(self) -> list[Practice]:
        return []

    def _fit(self, pages: Sequence[Page], bits: float, hypothesis: Hypothesis | None = None) -> Fit:
        misses = self._missed(pages)
        practice = RIGHT if hypothesis is None else hypothesis.practice
        if hypothesis is None or self._hopeful(hypothesis, misses):
            against = {n for n in self._with_formula if not self._same_formula(n, practice, self._other_worlds[n])}
        else:
            against = set(self.null.against.intersection(self._with_formula))
        for shaped, page in zip(self._with_shape, pages, strict=True):
            for n, by in shaped:
                claim, expected = self.claims[n], page.expression.get(by)
                if _contradicts(claim, expected) or (
                    hypothesis is not None and n in self.null.against and _says_nothing(hypothesis, claim, expected)
                ):
                    against.add(n)
        cost = bits + self.scheme.miss * len(misses) + self._written(against)
        return Fit(frozenset(misses), frozenset(against), cost)

    @cached_property
    def _with_shape(self) -> list[list[tuple[int, int]]]:
        """For each view the derivatives of which more is written than a number and no formula that can be tried: the
        claim, and by what. All other expressions contradict nothing."""
        return [
            [
                (n, view.sheet.index.get(claim.about.by, -1))
                for n in view.claims
                if ((claim := self.claims[n]).terms or claim.summands is not None)
                and isinstance(claim.about, Derivative)
                and not (claim.misread or n in self._with_formula)
            ]
            for view in self.views
        ]

    def _missed(self, pages: Sequence[Page]) -> set[int]:
        """The claims whose number these pages do not have."""
        misses: set[int] = set()
        for said, page in zip(self._said, pages, strict=True):
            for n, claim, plain in said:
                number = predicted(page, claim.about)
                if number is not None and plain != number and not _agree(claim, number):
                    misses.add(n)
        return misses

    @cached_property
    def _said(self) -> list[list[tuple[int, Claimed, Amount]]]:
        """For each view the claims that count, and their numbers as a page has them: most are equal as they stand."""
        return [
            [(n, claim, small(claim.value)) for n in view.claims if not (claim := self.claims[n]).misread]
            for view in self.views
        ]

    def _hopeful(self, hypothesis: Hypothesis, misses: set[int]) -> bool:
        """Whether its numbers leave a hypothesis a chance. Of others the written formulas are not tried, which takes
        most of the time; they count as contradicted wherever the right rules are."""
        cost = hypothesis.bits + self.scheme.miss * len(misses)
        return cost <= self.limit + self.scheme.near or len(misses) <= self.scheme.residue

    def _written(self, against: Iterable[int]) -> float:
        scheme = self.scheme
        return sum(
            scheme.expression if self.claims[n].terms or self.claims[n].formula else scheme.shape for n in against
        )

    # -- expressions in names --------------------------------------------------------------------------------

    @cached_property
    def _with_formula(self) -> list[int]:
        """Claims whose expression has names in it that can be given other numbers."""
        return [
            n
            for n, c in enumerate(self.claims)
            if c.formula is not None and not c.misread and self._varies(c.formula) and n in self.views[0].claims
        ]

    def _varies(self, formula: Formula) -> bool:
        sheet = self.views[0].sheet
        slopes = any(isinstance(node, Slope) for node in postorder(formula))
        known = all(ref.name in sheet.index for ref in references(formula))
        return known and (slopes or any(sheet.quantities[sheet.index[r.name]].computed for r in references(formula)))

    @cached_property
    def _other_worlds(self) -> dict[int, Told]:
        return {n: self._elsewhere(n) for n in self._with_formula}

    def _elsewhere(self, n: int) -> Told:
        """Other numbers for what is computed, and for the given quantities that the formula has by name (for all of
        them, if it has no number in it). The derivatives are other numbers too if the formula is one step back;
        if it is a product along a whole way, they follow from the values."""
        sheet, claim = self.views[0].sheet, self.claims[n]
        assert claim.formula is not None
        nodes = postorder(claim.formula)
        names = {node.name for node in nodes if isinstance(node, Ref)}
        literal = any(isinstance(node, Num) for node in nodes)
        named = frozenset(
            i for i, q in enumerate(sheet.quantities) if not q.computed and (q.name in names or not literal)
        )
        slopes = {node.by for node in nodes if isinstance(node, Slope) and node.of == sheet.of}
        by = claim.about.by if isinstance(claim.about, Derivative) else ""
        children = {sheet.names[w.child] for w in sheet.out[sheet.index[by]]} if by else set[str]()
        return self._numbers(named, slopes <= children)

    def _numbers(self, given: frozenset[int], one_step: bool) -> Told:
        if (given, one_step) not in self._other_numbers:
            sheet, draw = self.views[0].sheet, random.Random(20)
            bends = {way.child: way.parent for way in sheet.ways if way.kind == "bend"}
            values: dict[int, Amount] = {
                i: draw.randint(11, 999)
                for i, q in enumerate(sheet.quantities)
                if (q.computed or i in given) and i not in bends
            }
            # An activation is what its sum makes it, so that its slope by formulas in z and in a is the same; and its
            # sum is small, where the slope is not flat.
            values.update({z: draw.uniform(-1.5, 1.5) for z in bends.values() if z in values})
            back: dict[int, Amount] = {i: draw.randint(11, 999) for i in sorted(sheet.needed) if i != sheet.end}
            self._other_numbers[given, one_step] = Told(values, back if one_step else {})
        return self._other_numbers[given, one_step]

    @cached_property
    def _other_numbers(self) -> dict[tuple[frozenset[int], bool], Told]:
        return {}

    def _same_formula(self, n: int, practice: Practice, told: Told) -> bool:
        """Whether the written formula gives what the practice gives, at these numbers."""
        if practice.written_right and self._gives(n, RIGHT, told):
            return True
        return self._gives(n, practice, told)

    def _gives(self, n: int, practice: Practice, told: Told) -> bool:
        claim, sheet = self.claims[n], self.views[0].sheet
        key = (id(practice), id(told))  # both are kept for as long as the search
        page = self._trial.get(key)
        if page is None:
            page = self._trial[key] = run(sheet, self._pinned(practice), told)
        assert claim.formula is not None
        mine, wanted = _at(claim.formula, page), predicted(page, claim.about)
        return wanted is None or mine == wanted or isclose(mine, wanted, rel_tol=1e-9)

    @cached_property
    def _trial(self) -> dict[tuple[int, int], Page]:
        return {}

    def _pinned(self, practice: Practice) -> Practice:
        """The practice with all that it decides by numbers decided by the numbers of the page: which way is the
        strongest, which gate is open. A formula says what was decided, and not how."""
        view = self.views[0]
        if practice.keep is RIGHT.keep and not _has_kinks(view.sheet):
            return practice
        kept: dict[int, list[int]] = {}
        slopes: dict[tuple[int, str, int], Amount] = {}

        def keep(page: Page, unit: int, sent: Sequence[Sent]) -> Sequence[Sent]:
            chosen = practice.keep(page, unit, sent)
            kept[unit] = [one.way.number for one in chosen]
            return chosen

        def local(page: Page, operation: Operation, seat: Seat, args: Sequence[Amount], y: Amount) -> Amount | None:
            special = practice.local(page, operation, seat, args, y) if practice.local else None
            if operation.name in KINKED:
                if special is None:
                    special = partial(operation, seat.position, args, y)
                slopes[seat.child, operation.name, seat.position] = special
            return special

        run(view.sheet, replace(practice, keep=keep, local=local), view.told, view.base, view.order)

        def keep_these(page: Page, unit: int, sent: Sequence[Sent]) -> Sequence[Sent]:
            if unit not in kept:
                return practice.keep(page, unit, sent)
            found = {one.way.number: one for one in sent}
            return [found[number] for number in kept[unit] if number in found]

        def slope_as_there(
            page: Page, operation: Operation, seat: Seat, args: Sequence[Amount], y: Amount
        ) -> Amount | None:
            known = slopes.get((seat.child, operation.name, seat.position))
            if known is not None:
                return known
            return practice.local(page, operation, seat, args, y) if practice.local else None

        return replace(practice, keep=keep_these, local=slope_as_there)

    # -- candidates ------------------------------------------------------------------------------------------

    @cached_property
    def singles(self) -> list[Hypothesis]:
        """Every row at every place, and misreadings solved for from the lines that do not follow."""
        sheet = self.views[0].sheet
        listed = self._nearby(sheet) if large(sheet) else _instances(sheet)
        return [*listed, *self._solved(sheet)]

    def _nearby(self, sheet: Sheet) -> list[Hypothesis]:
        """On a large network: habits, and slips next to the lines that do not follow. All later lines are judged from
        the person's own numbers, so a slip elsewhere would show there."""
        near: set[int] = set()
        for n in self.null.misses:
            about = self.claims[n].about
            names = {about.name} if isinstance(about, Value) else {str(part) for part in about[:2]}
            near.update(sheet.index[name] for name in names if name in sheet.index)
        near |= {w.parent for i in near for w in sheet.into[i]} | {w.child for i in near for w in sheet.out[i]}
        words = {sheet.names[i] for i in near}
        most = max(FEWEST, limits.REPLAY // len(sheet.ways))
        habits: list[Hypothesis] = []
        slips: list[Hypothesis] = []
        for hypothesis in every_place(sheet):
            place = hypothesis.places[0]
            if hypothesis.rows[0].sort == "habit" and not place:
                habits.append(hypothesis)
            elif words.issuperset(PLACES.split(place)) or not place:
                slips.append(hypothesis)
        slips.sort(key=lambda h: h.order)
        return [*habits, *slips[: max(0, most - len(habits))]]

    def _solved(self, sheet: Sheet) -> list[Hypothesis]:
        """The weight or target that a first wrong line would follow from."""
        found: list[Hypothesis] = []
        for n in sorted(self.null.misses):
            about = self.claims[n].about
            if isinstance(about, Value) and about.name in sheet.index:
                found += self._read_as(sheet, n, sheet.index[about.name])
            elif isinstance(about, Derivative) and about.of == sheet.of and about.by in sheet.index:
                found += self._target_as(sheet, n, sheet.index[about.by])
        return found

    def _read_as(self, sheet: Sheet, n: int, unit: int) -> list[Hypothesis]:
        """Weights into a unit, or inputs to it, with which its claimed value is right."""
        base = self.views[0].base
        off = small(self.claims[n].value) - base.values[unit]
        found: list[Hypothesis] = []
        for way in sheet.into[unit]:
            if way.kind != "arrow":
                continue
            value, weight = base.value[way.parent], coefficient_of(base, way)
            if value and _plain(read := weight + small(exact(off) / exact(value))) and read != -weight:
                found.append(_misreading(sheet, way, read, self.scheme))
            if weight and not sheet.quantities[way.parent].computed:
                read = base.value[way.parent] + small(exact(off) / exact(weight))
                if _plain(read) and read != -base.value[way.parent]:
                    found.append(_given("input-sign-misread", sheet, way.parent, read, self.scheme))
        return found

    def _target_as(self, sheet: Sheet, n: int, unit: int) -> list[Hypothesis]:
        """The target with which the claimed slope of the loss is right."""
        base = self.views[0].base
        found: list[Hypothesis] = []
        for way in sheet.out[unit]:
            if way.kind != "loss":
                continue
            for other in sheet.into[way.child]:
                if sheet.quantities[other.parent].kind != "target":
                    continue
                slope = base.derivatives[unit]
                moved = run(
                    sheet, replace(RIGHT, givens={other.parent: base.value[other.parent] + 1}), self.views[0].told
                )
                rate = moved.derivatives[unit] - slope
                if rate == rate and rate:
                    read = base.value[other.parent] + small(exact(small(self.claims[n].value) - slope) / exact(rate))
                    if _plain(read) and read != -base.value[other.parent]:
                        found.append(_given("target-misread", sheet, other.parent, read, self.scheme))
        return found

    # -- the search ------------------------------------------------------------------------------------------

    def diagnoses(self) -> list[Diagnosis]:
        """What explains the page. Several given numbers that seem misread may be one habit; so this is tried first."""
        if any(claim.misread for claim in self.given):
            plain = Search(self.graph, self.of, [replace(c, misread=False) for c in self.given], self.scheme)
            found = plain._found()
            if any(claim.misread and claim.about in d.about for d in found for claim in self.given):
                return found
        return self._found()

    def _found(self) -> list[Diagnosis]:
        """Singles first; two together only where they say clearly more."""
        if not self.null.misses or self.limit <= 0 or len(self.views[0].sheet.ways) > limits.WAYS:
            return []
        known = self._looked_up()
        if known:
            return self._verdict(known, known)
        singles = sorted(((self.fit(h), h) for h in self.singles), key=lambda pair: (pair[0].cost, pair[1].order))
        sound = [(fit, h) for fit, h in singles if self._stands(fit)]
        if sound and not sound[0][0].misses and not sound[0][0].against:
            return self._verdict(sound, singles)
        pairs = self._pairs(singles)
        if pairs and (not sound or pairs[0][0].cost + self.scheme.margin <= sound[0][0].cost):
            return self._verdict_pair(pairs)
        return self._verdict(sound, singles) if sound else []

    def _looked_up(self) -> list[tuple[Fit, Hypothesis]]:
        """The rows of the tables that give all numbers of the page. Where one of them stands and is likelier than any
        that misses a number could be, no other needs to be tried."""
        tables, scheme = self.tables, self.scheme
        if tables is None or len(self.views) != 1 or any(claim.misread for claim in self.claims):
            return []  # a number misread is carried on, and no row has what follows from it
        spoken = self.claims
        columns = tables.columns(claim.about for claim in spoken)
        if columns is None:
            return []
        sheet = self.views[0].sheet
        if "instances" not in sheet.memory:
            sheet.memory["instances"] = tables.hypotheses(sheet)
        wrong = [(columns[k], claim) for k, claim in enumerate(spoken) if k in self.null.misses]
        rest = [(columns[k], claim) for k, claim in enumerate(spoken) if k not in self.null.misses]
        found: list[tuple[Fit, Hypothesis]] = []
        for hypothesis, numbers in zip(_instances(sheet), tables.rows(), strict=True):
            if all((x := numbers[at]) is not None and _agree(claim, x) for at, claim in (*wrong, *rest)):
                found.append((self.fit(hypothesis), hypothesis))
        found += [(self.fit(h), h) for h in self._solved(sheet)]
        found = [pair for pair in found if not pair[0].misses]
        found.sort(key=lambda pair: (pair[0].cost, pair[1].order))
        best = next((fit.cost for fit, _ in found if self._stands(fit)), None)
        least = min((h.bits for h in _instances(sheet)), default=0.0) + scheme.miss
        if best is None or best + scheme.near >= least or found[0][0].cost != best or found[0][0].against:
            return []
        return found

    def _stands(self, fit: Fit) -> bool:
        """Whether a hypothesis may be named at all."""
        null, scheme = self.null, self.scheme
        numbers, expressions = null.misses - fit.misses, self.miswritten - fit.against
        return (
            fit.cost <= self.limit
            and not fit.misses - null.misses
            and not fit.against - null.against
            and len(fit.misses) <= scheme.residue
            and (min(len(numbers), len(self.untrue)) >= scheme.evidence or bool(numbers & expressions))
        )

    def _pairs(self, singles: list[tuple[Fit, Hypothesis]]) -> list[tuple[Fit, Hypothesis]]:
        """The best few extended by every other that does something; each half must account for numbers of its own."""
        missed, scheme = self.null.misses, self.scheme
        if len(missed) < 2 * scheme.evidence or len(self.views[0].sheet.ways) > limits.PAIRED_WAYS:
            return []
        enough = max(scheme.evidence, len(missed) // 4)
        promising = [(f, h) for f, h in singles if len(missed - f.misses) >= enough][: scheme.beam]
        partners = [(f, h) for f, h in singles if missed - f.misses or h.rows[0].sort == "habit"]
        found: list[tuple[Fit, Hypothesis]] = []
        seen: set[frozenset[int]] = set()
        for first, one in promising if partners else ():
            for second, other in partners:
                key = frozenset((id(one), id(other)))
                if key in seen or one.bits + other.bits > self.limit or one.keys == other.keys:
                    continue
                seen.add(key)
                pair = one.joined(other)
                if pair is None:
                    continue
                fit = self.fit(pair)
                gains = (len(second.misses - fit.misses), len(first.misses - fit.misses))
                if min(gains) >= scheme.evidence and self._stands(fit):
                    found.append((fit, pair))
        return sorted(found, key=lambda pair: (pair[0].cost, pair[1].order))

    def _verdict(self, sound: list[tuple[Fit, Hypothesis]], singles: list[tuple[Fit, Hypothesis]]) -> list[Diagnosis]:
        best, first = sound[0]
        alike = {first.keys: first}
        for fit, h in singles:
            twin = (fit.misses, fit.against) == (best.misses, best.against) and h.rows[0].sort == "habit"
            within = self.scheme.twin if twin else self.scheme.near
            if fit.cost <= best.cost + within and self._could_stand(fit):
                alike.setdefault(h.keys, h)
        if len(alike) > self.scheme.alternatives:
            return []
        return [self._diagnosis(list(alike.values()), best)]

    def _could_stand(self, fit: Fit) -> bool:
        return not fit.misses - self.null.misses and len(fit.misses) <= self.scheme.residue

    def _verdict_pair(self, pairs: list[tuple[Fit, Hypothesis]]) -> list[Diagnosis]:
        """What all pairs near the best have in common."""
        best, first = pairs[0]
        common = list(range(len(first.rows)))
        for fit, h in pairs[1:]:
            twin = (fit.misses, fit.against) == (best.misses, best.against)
            if twin or fit.cost <= best.cost + self.scheme.near:
                common = [k for k in common if first.rows[k] in h.rows]
        found: list[Diagnosis] = []
        for k in common:
            alone = next(h for h in self.singles if h.rows == (first.rows[k],) and h.places == (first.places[k],))
            found.append(self._diagnosis([alone], best))
        return found

    # -- saying it -------------------------------------------------------------------------------------------

    def _diagnosis(self, alike: list[Hypothesis], fit: Fit) -> Diagnosis:
        """`alike` are the alternatives, the likeliest first."""
        first = alike[0]
        numbers = self._about(first)
        about = tuple(dict.fromkeys(self.given[n].about for n in numbers))
        lines = tuple(sorted({self.given[n].line for n in numbers}))
        rows = [h.rows[0] for h in alike]
        title = rows[0].title if len(rows) == 1 else "either " + ", or ".join(row.title for row in rows)
        place = first.places[0] if len(alike) == 1 else ""
        return Diagnosis(
            keys=tuple(row.key for row in rows),
            ids=tuple(row.id for row in rows),
            title=title,
            about=about,
            lines=lines,
            explained=len(numbers),
            unexplained=len(fit.misses),
            bits=round(fit.cost, 2),
            evidence=_evidence(len(numbers), len(fit.misses), rows, title, place),
            remark=remark_about(rows[0].remark, self.views[0].sheet, about),
            place=place,
        )

    def _about(self, hypothesis: Hypothesis) -> list[int]:
        """The wrong lines where the habit is at work and which it gives."""
        pages, fit = self.pages(hypothesis.practice), self.fit(hypothesis)
        found: list[int] = []
        for view, page in zip(self.views, pages, strict=True):
            for n in view.claims:
                claim = self.claims[n]
                right = predicted(view.truth, claim.about)
                if n in fit.misses or claim.misread or right is None or _agree(claim, right):
                    continue
                if n in self.null.misses or _at_work(claim.about, view.base, page):
                    found.append(n)
        return found


def _add(before: Page, after: Page) -> None:
    """What was left from the output before is in the numbers of the next: his own, where he wrote them."""
    for i, quantity in enumerate(after.sheet.quantities):
        if i in before.derivatives and not quantity.computed:
            left = before.back[i]
            after.derivatives[i] = after.derivatives.get(i, 0) + left
            after.expression[i] = None
            if i not in after.told.derivatives:
                after.back[i] = after.derivatives[i]


def _at_work(about: About, base: Page, page: Page) -> bool:
    """Whether the expression one writes for a derivative is another than the right one."""
    if not isinstance(about, Derivative):
        return False
    by = page.sheet.index[about.by]
    return base.expression.get(by) != page.expression.get(by)


def _evidence(lines: int, left: int, rows: Sequence[Misconception], title: str, place: str) -> str:
    what = {"habit": "habit", "slip": "slip", "misread": "reading"}[rows[0].sort]
    count = f"{lines} line{'' if lines == 1 else 's'}"
    where = f" ({place})" if place else ""
    rest = f"; {left} more wrong number is not explained by it" if left else ""
    if len(rows) > 1:
        return f"{count}, {len(rows)} possible {what}s: {title}{rest}"
    return f"{count}, 1 {what}: {title}{where}{rest}"


def remark_about(remark: str, sheet: Sheet, about: Sequence[About]) -> str:
    """The remark with the names of the first line it is about."""
    by = next((a.by for a in about if isinstance(a, Derivative)), None)
    if by is None:
        by = next((a.name for a in about if isinstance(a, Value)), sheet.of)
    children = list(dict.fromkeys(sheet.names[way.child] for way in sheet.out[sheet.index[by]]))
    ways = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}.get(len(children), str(len(children)))
    named = " and ".join([", ".join(children[:-1]), children[-1]] if len(children) > 1 else children)
    return remark.format(by=by, of=sheet.of, ways=ways, children=named or sheet.of)


# -- comparing -----------------------------------------------------------------------------------------------


def _slack(claim: Claimed) -> float | None:
    """How far a rounded number may be off, its rounded forerunners included: two units of its last digit."""
    if not claim.digits:
        return None
    coarse = 0.002 * abs(float(claim.value)) if claim.digits <= 3 else 0.0
    return max(2.0 * 10.0**-claim.digits, coarse)


def _agree(claim: Claimed, number: Amount) -> bool:
    """Whether a claim is the number, as exactly as it was written."""
    said = claim.value
    if said == number:
        return True
    slack = _slack(claim)
    if slack is not None:
        return abs(float(said) - float(number)) <= slack
    if isinstance(said, float) or isinstance(number, float):
        return isclose(said, number, rel_tol=1e-9, abs_tol=1e-12)
    return False


def _contradicts(claim: Claimed, expected: Terms | None) -> bool:
    """Whether the written expression is another than the expected one: other summands, or fewer, or one more that is
    written although it comes to 0."""
    if expected is None:
        return False
    if claim.terms and len(claim.terms) > len(expected) and any(len(t) > 1 and not product(t) for t in claim.terms):
        return True
    rounded = claim.digits or isinstance(claim.value, float) or any(isinstance(f, float) for t in expected for f in t)
    close = 5e-2 if rounded else 1e-9
    sums = sorted(s for term in expected if (s := product(term)))
    terms = claim.terms
    if terms and max(len(terms), *map(len, terms)) > 1:
        written = sorted(s for term in terms if (s := product(term)))
        if len(written) > len(sums):
            return not isclose(sum(written), sum(sums), rel_tol=close, abs_tol=1e-12)
        return len(written) != len(sums) or not all(
            isclose(a, b, rel_tol=close) for a, b in zip(written, sums, strict=True)
        )
    if claim.summands is not None:
        return claim.summands < len(sums)
    return False


def _says_nothing(hypothesis: Hypothesis, claim: Claimed, expected: Terms | None) -> bool:
    """Whether an expression is no evidence for a hypothesis that does not contradict it: because no expression goes
    with its rule, because all is 0, or because its number was found from just such a product."""
    if expected is None or (claim.terms is not None and not any(product(term) for term in claim.terms)):
        return True
    return hypothesis.solved and claim.terms is not None and len(claim.terms) == len(expected) == 1


def _plain(number: Amount) -> bool:
    """A number somebody could have read: whole or a short decimal, not huge."""
    if number != number or abs(number) > 99:
        return False
    return isinstance(number, int) or (isinstance(number, float) and abs(number - round(number, 1)) < 5e-3)


def _at(formula: Formula, page: Page) -> Amount:
    """A formula with derivatives in it, at the numbers of a page."""

    def leaf(node: Num | Ref | Slope) -> Amount:
        match node:
            case Num():
                return small(node.value)
            case Ref():
                return page.value[page.sheet.index[node.name]]
            case Slope():
                return _slope_at(node, page)

    def combine(node: Apply, parts: list[Amount]) -> Amount:
        return apply(node.operation, parts)

    return fold(formula, leaf, combine)


def _slope_at(node: Slope, page: Page) -> Amount:
    index = page.sheet.index
    if node.by not in index or node.of not in index:
        return NAN
    if node.of == page.sheet.of:
        return page.back[index[node.by]]
    local = local_of(page, index[node.of], index[node.by])
    return NAN if local is None else local


KINKED = frozenset("relu leaky_relu abs max min".split())


def _has_kinks(sheet: Sheet) -> bool:
    """Whether a slope in the network depends on which side of a kink a number is."""
    known = sheet.memory.get("kinks")
    if not isinstance(known, bool):
        nodes = (node for tree in sheet.trees if tree is not None for node in tree.nodes)
        known = any(isinstance(node, Apply) and node.operation.name in KINKED for node in nodes)
        sheet.memory["kinks"] = known
    return known


def _direct(graph: Graph, of: str, about: About) -> About:
    """A derivative of an inner quantity, by one in its own formula and with no other way, is local."""
    if isinstance(about, Derivative) and about.of != of and about.of in graph and about.by in graph:
        if not graph.children(about.of):
            return about
        parents = graph.parent_lists[graph.index[about.of]]
        if graph.index[about.by] in parents and count_paths(graph, about.by, about.of) == 1:
            return Local(about.of, about.by)
    return about


# -- candidates of one sheet ---------------------------------------------------------------------------------


FEWEST = 150
"""Hypotheses that are tried on any network."""

PLACES = re.compile(r" -> | and |^at |^d.*/d")
"""What stands between the names in a place."""


def large(sheet: Sheet) -> bool:
    """Whether trying all rows at all places would take too long: some eight slips an arrow, each a replay of all."""
    return 8 * len(sheet.ways) ** 2 > limits.REPLAY


def _instances(sheet: Sheet) -> list[Hypothesis]:
    """Every row at every place of a sheet where it can make a difference; kept with the sheet."""
    known = sheet.memory.get("instances")
    if not isinstance(known, list):
        known = [hypothesis for hypothesis, differs in makes_a_difference(sheet) if differs]
        sheet.memory["instances"] = known
    return known  # type: ignore[return-value]


def every_place(sheet: Sheet) -> list[Hypothesis]:
    """Every row of the table at every place of a sheet."""
    return [_hypothesis(row, instance) for row in TABLE for instance in row.instances(sheet)]


def makes_a_difference(sheet: Sheet) -> Iterator[tuple[Hypothesis, bool]]:
    """Every row at every place, and whether anything on the sheet shows it, at whatever numbers."""
    trials = [(told, run(sheet, RIGHT, told)) for told in points(sheet)]
    for hypothesis in every_place(sheet):
        practice = hypothesis.practice
        yield hypothesis, practice.stale or any(_differs(sheet, practice, *trial) for trial in trials)


def points(sheet: Sheet) -> list[Told]:
    """The network's own numbers, and others for everything that is computed."""
    draw = random.Random(11)
    found = [Told()]
    for _ in range(4):
        values: dict[int, Amount] = {i: draw.randint(-99, 99) for i, q in enumerate(sheet.quantities) if q.computed}
        found.append(Told(values, {i: draw.randint(-99, 99) for i in sorted(sheet.needed) if i != sheet.end}))
    return found


def _differs(sheet: Sheet, practice: Practice, told: Told, right: Page) -> bool:
    page = run(sheet, practice, told, right)
    return any(
        page.derivatives[i] != x and page.derivatives[i] == page.derivatives[i] for i, x in right.derivatives.items()
    ) or any(v != x and v == v for v, x in zip(page.values, right.values, strict=True))


def _hypothesis(row: Misconception, instance: Instance) -> Hypothesis:
    return Hypothesis((row,), (instance.place,), instance.practice, row.prior_bits + instance.bits)


def _row(key: str) -> Misconception:
    return next(row for row in TABLE if row.key == key)


def _misreading(sheet: Sheet, way: Way, read: Amount, scheme: Scheme) -> Hypothesis:
    row = _row("weight-misread")
    practice = misread(way, lambda w: read, "both")
    place = f"{sheet.names[way.parent]} -> {sheet.names[way.child]} as {exact(read)}"
    bits = row.prior_bits + log2(max(len(sheet.arrows), 1)) + scheme.any_value
    return Hypothesis((row,), (place,), practice, bits, solved=True)


def _given(key: str, sheet: Sheet, given: int, read: Amount, scheme: Scheme) -> Hypothesis:
    row = _row(key)
    practice = replace(RIGHT, givens={given: read})
    place = f"{sheet.names[given]} as {exact(read)}"
    return Hypothesis((row,), (place,), practice, row.prior_bits + scheme.any_value, solved=True)


# -- what can be told apart at all ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Collisions:
    """How the habits of the table show on a network.

    `hidden`    all numbers come out right
    `alike`     groups with the same numbers everywhere
    `one_line`  seen in a single line, all others following from it: a slip would look the same
    `isolated`  with numbers of its own, in several lines: these can be named
    """

    hidden: tuple[str, ...]
    alike: tuple[tuple[str, ...], ...]
    one_line: tuple[str, ...]
    isolated: tuple[str, ...]


def collisions(
    graph: Graph,
    of: str | None = None,
    asked: Sequence[About] | None = None,
    *,
    expressions: bool = False,
    digits: int | None = None,
    pages: Mapping[str, Page] | None = None,
) -> Collisions:
    """Which habits look alike, or cannot be seen, where the lines `asked` are written (all of them, without).

    `expressions` says that each derivative is written with its summands and factors; `digits` how many decimals are
    shown of rounded numbers: what lies within their rounding looks alike. `pages` are replays of habits that are made
    already.
    """
    pages = pages or {}
    sheet = sheet_of(graph, graph.output(of)[0])
    lines = list(asked) if asked is not None else every_line(graph, sheet.of)
    order = order_for(sheet, lines)
    base = run(sheet, RIGHT, order=order)
    truth = sheet_numbers(base, lines, expressions)
    groups: dict[tuple[object, ...], list[str]] = {}
    one_line: list[str] = []
    bits: dict[str, float] = {}
    for row in TABLE:
        for instance in row.instances(sheet)[: 1 if row.sort == "habit" else None]:
            page = pages.get(row.key) if row.sort == "habit" else None
            if page is None:
                page = run(sheet, instance.practice, base=base, order=order)
            signature = sheet_numbers(page, lines, expressions)
            if row.key not in groups.setdefault(signature, []):
                groups[signature].append(row.key)
            bits[row.key] = row.prior_bits + instance.bits
            if (
                signature != truth
                and row.sort == "habit"
                and not _several_lines(base, page, lines, expressions=expressions, digits=digits)
            ):
                one_line.append(row.key)
    if digits is not None:
        groups = _merged(groups, truth, digits)
    habits = {row.key for row in TABLE if row.sort == "habit"}
    hidden = tuple(key for key in groups.pop(truth, ()) if key in habits)
    rivals = [_rivals(keys, habits, bits) for keys in groups.values() if habits.intersection(keys)]
    alike = tuple(tuple(keys) for keys in rivals if len(keys) > 1)
    isolated = tuple(k for keys in rivals if len(keys) == 1 for k in keys if k not in one_line)
    return Collisions(hidden, alike, tuple(one_line), isolated)


def order_for(sheet: Sheet, lines: Sequence[About]) -> list[int]:
    """The way back without the weights that are not asked for."""
    asked = {sheet.index[about.by] for about in lines if isinstance(about, Derivative) and about.by in sheet.index}
    return [i for i in sheet.order if sheet.layer[i] >= 0 or i in asked]


def _merged(
    groups: dict[tuple[object, ...], list[str]], truth: tuple[object, ...], digits: int
) -> dict[tuple[object, ...], list[str]]:
    """Groups whose numbers cannot be told apart when they are rounded, together; those like the truth with it."""
    found: dict[tuple[object, ...], list[str]] = {truth: []}
    for signature, keys in groups.items():
        rounded = any(isinstance(number, float) for number in signature)
        like = next((s for s in found if s == signature or (rounded and _near(s, signature, digits))), signature)
        mine = found.setdefault(like, [])
        mine += [key for key in keys if key not in mine]
    return found


def _near(one: tuple[object, ...], other: tuple[object, ...], digits: int) -> bool:
    """Whether all numbers are within what two rounded numbers may be off together."""
    for a, b in zip(one, other, strict=True):
        if a != b and not (
            isinstance(a, (int, float, Fraction))
            and isinstance(b, (int, float, Fraction))
            and (isinstance(a, float) or isinstance(b, float))
            and abs(float(a) - float(b)) <= 4 * 10.0**-digits
        ):
            return False
    return True


def _rivals(keys: Sequence[str], habits: set[str], bits: dict[str, float]) -> list[str]:
    """The habits of a group, and those of its slips that are about as likely."""
    most = min(bits[key] for key in keys if key in habits) + Scheme().near
    return [key for key in keys if key in habits or bits[key] <= most]


def every_line(graph: Graph, of: str) -> list[About]:
    """All computed values, and the derivatives by everything the output depends on but the targets."""
    sheet = sheet_of(graph, of)
    values: list[About] = [Value(q.name) for q in graph.quantities if q.computed]
    asked = [q for q in graph.quantities if sheet.index[q.name] in sheet.needed and q.kind != "target"]
    return [*values, *(Derivative(of, q.name) for q in asked if q.name != of)]


def sheet_numbers(page: Page, lines: Sequence[About], expressions: bool) -> tuple[object, ...]:
    """The numbers of a page as one comparable thing; nan as None."""
    found: list[object] = []
    for about in lines:
        number = predicted(page, about)
        found.append(_rounded(number))
        if expressions and isinstance(about, Derivative):
            terms = page.expression.get(page.sheet.index[about.by])
            found.append(tuple(sorted(_rounded(product(term)) or 0 for term in terms)) if terms else None)
    return tuple(found)


def _rounded(number: Amount | None) -> Amount | None:
    if number is None or number != number:
        return None
    return float(f"{number:.9g}") if isinstance(number, float) else number


def _several_lines(right: Page, page: Page, lines: Sequence[About], *, expressions: bool, digits: int | None) -> bool:
    """Whether more than one line does not follow from the lines before it by the right rules, or one and the expression
    in it. `right` is the right page. As `Search` finds it, without the search."""
    sheet = page.sheet
    claims = claims_of(page, lines, expressions=expressions, digits=digits)
    told = told_of(sheet, {c.about: c.value for c in claims}, {c.about: s for c in claims if (s := _slack(c))})
    own = run(sheet, RIGHT, told, order=[i for i in sheet.order if sheet.layer[i] >= 0 or i in told.derivatives])
    missed = [c for c in claims if (n := predicted(own, c.about)) is not None and not _agree(c, n)]
    untrue = sum((n := predicted(right, c.about)) is not None and not _agree(c, n) for c in claims)
    if min(len(missed), untrue) >= 2:
        return True
    written = (c for c in claims if isinstance(c.about, Derivative) and c.terms is not None)
    return bool(missed) and any(
        _contradicts(c, own.expression.get(sheet.index[c.about.by])) for c in written if isinstance(c.about, Derivative)
    )


def claims_of(
    page: Page, lines: Sequence[About], *, expressions: bool = False, digits: int | None = None
) -> list[Claimed]:
    """A page's numbers as if somebody had written them, line by line; floats with so many decimals."""
    found: list[Claimed] = []
    for line, about in enumerate(lines, 1):
        number = predicted(page, about)
        if number is None or number != number:
            continue
        terms = None
        if expressions and isinstance(about, Derivative):
            terms = page.expression.get(page.sheet.index[about.by])
        rounded = digits if isinstance(number, float) else None
        number = number if rounded is None else round(number, rounded)
        found.append(Claimed(about, exact(number), line, rounded, terms))
    return found
