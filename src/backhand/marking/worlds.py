"""The numbers a line is held against: the true ones, the writer's own, and others made up to try a formula on.

    truth        the network's values and derivatives
    own          the same, carried on from what the writer claimed so far (`replay` follows through)
    elsewhere    the given numbers moved a little: a formula that is right only by accident is not right there

`World.at` gives the value of a resolved formula. Numbers on paper are rounded: `Rounding` knows the exact
number behind `0.5933` if the page has one, and how far an unknown decimal may be off; so each line is
compared as exactly as it was written, and no more.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isclose, isfinite
from typing import NamedTuple

from backhand.core.formula import Apply, Formula, Num, Ref, Slope, fold, postorder
from backhand.core.graph import Graph
from backhand.marking.about import About, Derivative, Local, Value
from backhand.marking.replay import RIGHT, Page, Practice, apply, local_of, predicted, run, told_of
from backhand.marking.sheet import NAN, Amount, sheet_of, small
from backhand.numbers import Number

EQUAL = 1e-9
"""Relative difference up to which floats are the same number."""

COMPUTED, NOISE = 15, 1e-12
"""A number of so many digits was printed by a computer; up to this relative difference it is the same."""


class World:
    """Values and derivatives of a network, under the right rules, for one set of numbers."""

    def __init__(
        self,
        graph: Graph,
        of: str,
        own: Mapping[About, Number] | None = None,
        slack: Mapping[About, float] | None = None,
        givens: Mapping[str, Amount] | None = None,
        *,
        from_sums: bool = False,
    ) -> None:
        self.from_sums = from_sums
        self.graph = graph
        self.of = of
        self.own = own or {}
        self.slack = slack or {}
        self.givens = givens or {}
        self.own_names: dict[str, Amount] = {}
        """What the page's own names (tmp1) stand for."""
        self._pages: dict[str, Page] = {}
        self._rounding: Rounding | None = None

    def page(self, of: str) -> Page:
        """The replay seen from one output."""
        known = self._pages.get(of)
        if known is None:
            sheet = sheet_of(self.graph, of)
            practice: Practice = RIGHT
            if self.givens:
                moved = {sheet.index[name]: value for name, value in self.givens.items() if name in sheet.index}
                practice = replace(RIGHT, givens=moved)
            told = replace(told_of(sheet, self.own, self.slack), from_sums=self.from_sums)
            known = self._pages[of] = run(sheet, practice, told)
        return known

    def value(self, name: str) -> Amount:
        """The value of a quantity, the writer's own where there is one."""
        if name in self.own_names:
            return self.own_names[name]
        page = self.page(self.of)
        at = page.sheet.index.get(name)
        return NAN if at is None else page.value[at]

    def slope(self, of: str, by: str, *, total: bool = False) -> Amount:
        """A derivative as it stands in a formula: of the output all ways; of an inner quantity that has the other in
        its own formula the local one, or with `total` all ways."""
        if of == by:
            return 1
        page = self.page(self.of)
        if of == self.of:
            at = page.sheet.index[by]
            return page.back[at] if at in page.sheet.needed else 0
        if not total:
            claimed = self.own.get(Local(of, by))
            if claimed is not None:
                return small(claimed)
            local = self.local(of, by)
            if local is not None:
                return local
        inner = self.page(of)
        at = inner.sheet.index[by]
        return inner.back[at] if at in inner.sheet.needed else 0

    def local(self, of: str, by: str) -> Amount | None:
        """The local derivative; None where the one does not stand in the other's formula."""
        if by not in self.graph.parents(of):
            return None
        page = self.page(self.of)
        if page.sheet.index[of] not in page.sheet.needed:
            page = self.page(of)
        return local_of(page, page.sheet.index[of], page.sheet.index[by])

    def predicted(self, about: About) -> Amount | None:
        """The number that follows for a line from all others."""
        match about:
            case Value():
                return predicted(self.page(self.of), about)
            case Derivative():
                return predicted(self.page(about.of), about)
            case Local():
                return self.local(about.child, about.parent)

    def rounding(self, plain: Iterable[Amount]) -> Rounding:
        """The numbers of this world, and what is left of values to 1, as those that rounded ones may stand for; `plain`
        are given numbers, which are no rounded ones."""
        if self._rounding is None:
            page = self.page(self.of)
            # A minus before a number is an operation of its own.
            numbers = [abs(x) for x in (*page.value, *page.back, *page.slope) if x == x]
            numbers += [abs(1 - x) for x in page.value if x == x]
            self._rounding = Rounding(numbers, plain)
        return self._rounding

    def at(
        self, formula: Formula, rounding: Rounding | None = None, *, total: bool = False, loosely: bool = False
    ) -> Measured:
        """The value of a resolved formula here, and how far it may be off for its rounded numbers; `loosely` takes none
        of them for the number behind it."""

        def leaf(node: Num | Ref | Slope) -> Measured:
            match node:
                case Num():
                    if abs(node.value) > LARGEST:
                        return UNKNOWN
                    if loosely and rounding is not None:
                        return rounding.loosely(node)
                    return rounding.of(node) if rounding is not None else Measured(small(node.value), 0.0)
                case Ref():
                    return Measured(self.value(node.name), 0.0)
                case Slope():
                    return Measured(self.slope(node.of, node.by, total=total), 0.0)

        return fold(formula, leaf, _combined)


class Measured(NamedTuple):
    """A number and how far it may be off."""

    value: Amount
    off: float

    @property
    def known(self) -> bool:
        return self.value == self.value and (not isinstance(self.value, float) or isfinite(self.value))


UNKNOWN = Measured(NAN, 0.0)

LARGEST = 10**60
"""Size of a number in an answer past which it is not compared: nobody reckons with it by hand, and beside floats it
would be too large for one."""


def _combined(node: Apply, parts: list[Measured]) -> Measured:
    values = [part.value for part in parts]
    try:
        value = apply(node.operation, values)
    except OverflowError:
        return UNKNOWN
    if abs(value) > LARGEST:
        return UNKNOWN
    if not any(part.off for part in parts) or value != value:
        return Measured(value, 0.0)
    off = 0.0
    for at, part in enumerate(parts):
        if part.off:
            moved = [*values]
            moved[at] = float(values[at]) + part.off
            try:
                off += abs(float(apply(node.operation, moved)) - float(value))
            except OverflowError:
                return Measured(NAN, 0.0)
    return Measured(value, off if off == off else 0.0)


# -- rounded numbers -----------------------------------------------------------------------------------------


ROUNDED = 3
"""Digits from which an unknown decimal is taken for a rounded number; 0.01 and 0.5 are what they are."""


def places(node: Num) -> int | None:
    """How many decimals a written number shows; None for a whole number or a fraction."""
    mantissa, _, exponent = node.text.lower().partition("e")
    if "/" in mantissa or "." not in mantissa:
        return None
    part = mantissa.partition(".")[2]
    return max(0, len(part) - int(exponent or 0)) if part or exponent else None


class Rounding:
    """The exact numbers that rounded ones on a page may stand for."""

    def __init__(self, known: Iterable[Amount], plain: Iterable[Amount] = ()) -> None:
        self.exact = {float(x) for x in plain if x == x}
        both = {float(x) for x in known if x == x and abs(x) < 1e300} | self.exact
        self.sorted = sorted(both)
        self._seen: dict[tuple[Fraction, str], Measured] = {}

    def of(self, node: Num) -> Measured:
        """The number behind a written one, and half a unit of its last digit where none is known."""
        key = (node.value, node.text)
        found = self._seen.get(key)
        if found is None:
            found = self._seen[key] = self._of(node)
        return found

    def _of(self, node: Num) -> Measured:
        shown = places(node)
        written = small(node.value)
        if not shown or (float(node.value) in self.exact and not (shown >= ROUNDED and node.text.endswith("0"))):
            return Measured(written, 0.0)  # but 1.000 may be 0.9996
        half = 0.5 * 10.0**-shown
        near = self.near(float(node.value), half * 1.0001)
        if len(near) == 1:
            return Measured(near[0], 0.0)
        rounded = bool(near) or significant(float(node.value), shown) >= ROUNDED
        return Measured(written, half if rounded else 0.0)

    def loosely(self, node: Num) -> Measured:
        """The number as it stands, off by up to half a unit of its last digit, whatever may be behind it. Given numbers
        are exact, but 0.300 may be one that was rounded."""
        shown = places(node)
        given = float(node.value) in self.exact and not node.text.endswith("0")
        rounded = shown and not given and significant(float(node.value), shown) > 1
        return Measured(small(node.value), 0.5 * 10.0**-shown if shown and rounded else 0.0)

    def strange(self, node: Num) -> bool:
        """Whether it looks rounded, and no known number is behind it."""
        shown = places(node)
        if not shown or float(node.value) in self.exact or significant(float(node.value), shown) < ROUNDED:
            return False
        return not self.near(float(node.value), 0.5 * 10.0**-shown * 1.0001)

    def near(self, number: float, reach: float) -> list[float]:
        """The known numbers within reach; those that are the same to nine digits count once."""
        found: list[float] = []
        for at in range(bisect_left(self.sorted, number - reach), len(self.sorted)):
            known = self.sorted[at]
            if known > number + reach:
                break
            if not found or not isclose(known, found[-1], rel_tol=EQUAL):
                found.append(known)
        return found


def equal(one: Amount, other: Amount) -> bool:
    """The same number, floats to nine digits."""
    if one == other:
        return True
    if isinstance(one, float) or isinstance(other, float):
        return isclose(one, other, rel_tol=EQUAL, abs_tol=1e-13)
    return False


def agrees(said: Amount, meant: Amount, shown: int | None, *, about: bool = False) -> bool:
    """Whether a number as written is another one, rounded or cut off. `shown` are its decimals; `about` says that it
    stands behind ≈; a whole number of one digit is rounded only there. A number that has no more decimals than that
    needs to be met exactly; fifteen digits and more come from a computer, and their last few are noise."""
    if said != said or meant != meant:
        return False
    if shown is None and not about:
        return equal(said, meant)
    if said == meant:
        return True
    off, size = abs(float(said) - float(meant)), abs(float(meant))
    digits = significant(float(said), shown or 0)
    if digits >= COMPUTED:
        return off <= NOISE * size
    if not isinstance(meant, float) and (meant * 10 ** (shown or 0)) % 1 == 0:
        return False
    if digits == 0 and (shown or 0) < 2 and off > 0.01:
        return False  # nothing is left of it: 0 is not 0.3, 0.00 may be 0.004
    if digits < 2 and not shown and not about:
        return False
    reach = 2.0 if digits >= 3 else 1.0 if digits == 2 else 0.5
    return off <= reach * 10.0 ** -(shown or 0) * 1.0001 + 1e-15 * size


def significant(number: float, shown: int) -> int:
    """How many digits of a number count, from the first that is not 0 to the last decimal shown.

    >>> significant(0.0412, 4), significant(-12.5, 1), significant(0.0, 2)
    (3, 3, 0)
    """
    return len(f"{abs(number):.{shown}f}".replace(".", "").lstrip("0"))


# -- other numbers -------------------------------------------------------------------------------------------


def here(graph: Graph, of: str) -> World:
    """The network's own numbers. Given quantities without a value get made-up ones, so that formulas can be tried."""
    return World(graph, of, givens=_in_place_of_symbols(graph))


def _in_place_of_symbols(graph: Graph) -> dict[str, Amount]:
    draw = random.Random(7)
    symbols = [q.name for q in graph.quantities if not q.computed and q.given is None]
    return {name: Fraction(draw.randint(120, 890), 607) for name in symbols}


def elsewhere(graph: Graph, of: str, keep: frozenset[str], seed: int) -> World:
    """The network with its given numbers moved by a few hundredths, but for those to `keep`.

    Small steps keep logarithms and gates on their side; exact fractions keep the comparison exact.
    """
    draw = random.Random(seed)
    moved: dict[str, Amount] = {}
    symbols = _in_place_of_symbols(graph)
    for quantity in graph.quantities:
        if quantity.computed or quantity.name in keep:
            continue
        given = symbols.get(quantity.name) or small(quantity.given)
        if given != given:
            continue
        step = Fraction(draw.randint(20, 60), 1009) * draw.choice((-1, 1))
        moved[quantity.name] = given * (1 + step) if given else step
    return World(graph, of, givens=moved)


def numbers_in(formula: Formula) -> set[Fraction]:
    """The sizes of the numbers written in a formula."""
    return {abs(node.value) for node in postorder(formula) if isinstance(node, Num)}


@dataclass(frozen=True, slots=True)
class Shape:
    """A formula as a sum: for each summand its sign and its factors."""

    summands: tuple[tuple[int, tuple[Formula, ...]], ...]


def shape(formula: Formula) -> Shape:
    """A formula as summands of factors; what is neither sum nor product is one factor.

    >>> from backhand.core.notation import formula
    >>> [sign for sign, _ in shape(formula("2 a - (b)(c)")).summands]
    [1, -1]
    """
    found: list[tuple[int, tuple[Formula, ...]]] = []
    todo: list[tuple[int, Formula]] = [(1, formula)]
    while todo:
        sign, part = todo.pop()
        if isinstance(part, Apply) and part.operation.name in ("+", "-") and len(part.args) == 2:
            todo.append((sign if part.operation.name == "+" else -sign, part.args[1]))
            todo.append((sign, part.args[0]))
            continue
        sign, factors = _factors(sign, part)
        found.append((sign, factors))
    return Shape(tuple(found))


def _factors(sign: int, formula: Formula) -> tuple[int, tuple[Formula, ...]]:
    found: list[Formula] = []
    todo: list[Formula] = [formula]
    while todo:
        part = todo.pop()
        if isinstance(part, Apply) and part.operation.name == "*":
            todo.extend(reversed(part.args))
        elif isinstance(part, Apply) and part.operation.name == "neg" and not isinstance(part.args[0], Num):
            sign = -sign
            todo.append(part.args[0])
        else:
            found.append(part)
    return sign, tuple(found)
