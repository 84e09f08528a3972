"""One slip in a formula of the way back, whatever the operation: for what no row of the table says in its own words.

    dL/dk = (dL/dS/2).T @ Q      a factor left out          (dL/dS).T @ Q
                                 another quantity           (dL/dS/2).T @ K
                                 a transpose too few        dL/dS/2 @ Q

`slips` changes one thing in any formula: a factor or a term left out, doubled or of the other sign, another quantity of
the same shape, a transpose, an axis, an exponent, a function. They are made in what each operation sends (so that all
that stands below it gets the error), in what each name gets, and in what is said shortly of a loss (p - t). The same
slip at each step of a recurrent net is one mistake: names are compared as they are seen from their step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from typing import Any, TypeAlias

from backhand.checking.cases import (
    LETTERS,
    Case,
    below,
    broadcasts,
    by_steps,
    fits,
    keeping,
    only,
    quantity_at,
    stem,
    times,
)
from backhand.checking.replay import IMPOSSIBLE, Belief, Place, SentRule, WayBack
from backhand.core import algebra
from backhand.core.adjoints import Sent, opened
from backhand.core.array_operations import ArrayOperation, Shape, axes_of, node
from backhand.core.evaluate import row_formula
from backhand.core.formula import Apply, Formula, Num, Ref, Slope, fold, postorder, same, with_args
from backhand.core.shapes import shape_of

MOST_PARTS = 60
"""Formulas of more parts are looked at as a whole only."""

MOST_FACTORS = 6
BESIDE = 12
"""Of how many quantities a formula may be about another one before the search gives up on it."""

May: TypeAlias = Callable[[frozenset[str]], bool]
"""Whether what differs can come from other numbers for these names."""


@dataclass(frozen=True, slots=True, eq=False)
class Slip:
    """A formula with one thing changed: the key of its mistake, what stood where, and what stands there now."""

    key: str
    formula: Formula
    old: Formula
    new: Formula


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """What may stand in a formula, by its shape: values, derivatives, and pieces of what a value is made of."""

    shape: Callable[[Formula], Shape]
    values: Mapping[Shape, Sequence[Formula]]
    slopes: Mapping[Shape, Sequence[Formula]]
    pieces: Mapping[str, Sequence[Formula]]


# -- slips in a formula ------------------------------------------------------------------------------------------------


def slips(formula: Formula, names: Names) -> Iterator[Slip]:
    """All formulas with one thing changed."""
    nodes = postorder(formula)
    if len(nodes) > MOST_PARTS:
        return
    inner = _inside_chains(nodes)
    for at, part in enumerate(nodes):
        for key, new in _others(part, names, whole=id(part) not in inner):
            changed = replaced(formula, at, new)
            if changed is not None:
                yield Slip(key, changed, part, new)


def replaced(formula: Formula, at: int, new: Formula) -> Formula | None:
    """The formula with another part at a position of its postorder; None where it then has no meaning."""
    stack: list[Formula] = []
    for position, part in enumerate(postorder(formula)):
        args: list[Formula] = []
        if isinstance(part, Apply) and part.args:
            args = stack[-len(part.args) :]
            del stack[-len(part.args) :]
        if position == at:
            stack.append(new)
        elif isinstance(part, Apply) and any(one is not other for one, other in zip(args, part.args, strict=True)):
            stack.append(algebra.make(part.operation, args, part.params))
        else:
            stack.append(part)
    return stack[0]


def _inside_chains(nodes: Sequence[Formula]) -> set[int]:
    """Products inside products and sums inside sums: they are looked at with the whole chain."""
    found: set[int] = set()
    for part in nodes:
        if isinstance(part, Apply):
            for chain in (("*", "/"), ("+", "-")):
                if part.operation.name in chain:
                    found |= {id(a) for a in part.args if isinstance(a, Apply) and a.operation.name in chain}
    return found


def _others(part: Formula, names: Names, *, whole: bool) -> Iterator[tuple[str, Formula]]:
    """What may stand in place of a part, and the mistake that it is."""
    try:
        shape = names.shape(part)
    except IMPOSSIBLE:
        return
    if isinstance(part, Apply):
        name = part.operation.name
        if name in ("*", "/") and whole:
            yield from _factors(part)
        elif name in ("+", "-") and whole:
            yield from _terms(part)
        elif name == "^":
            yield from _powers(part)
        elif name in ("@", "outer"):
            yield from _products(part, names)
        elif name in ("sum", "mean"):
            yield from _sums(part, names)
        elif name == "transpose":
            yield "factor-not-transposed", part.args[0]
        elif len(part.args) == 1 and names.shape(part.args[0]) == shape and name != "neg":
            yield "function-left-out", part.args[0]
            yield "function-twice", with_args(part, [part])
        elif name == "one_hot":
            yield from _labels(part, shape)
    yield from _instead(part, shape, names)
    if isinstance(part, (Ref, Slope)) and len(shape) == 2 and shape[0] == shape[1]:
        yield "factor-not-transposed", node("transpose", part)
    if isinstance(part, (Ref, Slope)) and len(shape) > 2 and shape[-1] == shape[-2]:
        yield "factor-not-transposed", node("transpose", part, axes=_last_two_turned(len(shape)))


def _last_two_turned(rank: int) -> tuple[int, ...]:
    return (*range(rank - 2), rank - 1, rank - 2)


def _labels(part: Apply, shape: Shape) -> Iterator[tuple[str, Formula]]:
    """Class numbers where each should be a row of zeros and a 1: as they are, or a 1 for every class that occurs."""
    yield "label-not-one-hot", node("reshape", part.args[0], shape=(*shape[:-1], 1))
    if len(shape) == 2:
        yield "label-not-one-hot", node("max", part, axis=0, keepdims=True)


def _instead(part: Formula, shape: Shape, names: Names) -> Iterator[tuple[str, Formula]]:
    """Another quantity of the same shape, or a derivative for a value and the other way round."""
    if isinstance(part, Num):
        return
    if _is_coming(part):
        for other in names.slopes.get(shape, ()):
            if not same(other, part):
                yield "wrong-upstream", other
        for other in names.values.get(shape, ()):
            if isinstance(part, Slope):
                yield "value-for-derivative", other
        return
    if any(_is_coming(inner) for inner in postorder(part)):
        for other in names.slopes.get(shape, ()):
            yield "wrong-upstream", other
        for other in names.values.get(shape, ()):
            yield "value-for-derivative", other
        return
    for other in names.values.get(shape, ()):
        if not same(other, part):
            yield "wrong-input", other
    if not isinstance(part, Ref):
        return
    for piece in names.pieces.get(part.name, ()):
        yield "wrong-input", piece
    for other in names.slopes.get(shape, ()):
        yield "derivative-for-value", other
    if len(shape) == 2 and shape[0] != shape[1]:
        for other in names.values.get(shape[::-1], ()):
            yield "wrong-input", node("transpose", other)
    for near in names.values:
        if near != shape and () not in (near, shape) and (broadcasts(near, shape) or broadcasts(shape, near)):
            for other in names.values[near]:
                yield "wrong-input", other


def _chain(part: Apply, two: tuple[str, str]) -> list[tuple[Formula, bool]]:
    """The factors (or terms) of a chain, and which of them are divided by (or taken off)."""
    found: list[tuple[Formula, bool]] = []
    waiting: list[tuple[Formula, bool]] = [(part, False)]
    while waiting:
        one, below_ = waiting.pop()
        if isinstance(one, Apply) and one.operation.name in two:
            left, right = one.args
            waiting += [(right, below_ != (one.operation.name == two[1])), (left, below_)]
        else:
            found.append((one, below_))
    return found


def product(factors: Sequence[tuple[Formula, bool]]) -> Formula:
    above: Formula = algebra.ONE
    for factor, below_ in factors:
        above = algebra.divide(above, factor) if below_ else algebra.multiply(above, factor)
    return above


def total(terms: Sequence[tuple[Formula, bool]]) -> Formula:
    if not terms:
        return algebra.ZERO
    first, off = terms[0]
    found = algebra.negate(first) if off else first
    for term, off in terms[1:]:
        found = algebra.subtract(found, term) if off else algebra.add(found, term)
    return found


def _factors(part: Apply) -> Iterator[tuple[str, Formula]]:
    chain = _chain(part, ("*", "/"))
    for count in range(1, len(chain)) if len(chain) <= MOST_FACTORS else (1,):
        for gone in combinations(range(len(chain)), count):
            yield "factor-left-out", product([one for at, one in enumerate(chain) if at not in gone])
    for at, (factor, below_) in enumerate(chain):
        if not _is_coming(factor) and not isinstance(factor, Num):
            yield "factor-twice", product([*chain, (factor, below_)])
            yield "factor-inverted", product([*chain[:at], (factor, not below_), *chain[at + 1 :]])


def _is_coming(factor: Formula) -> bool:
    """Whether it is what comes back from above."""
    return isinstance(factor, Slope) or (isinstance(factor, Ref) and factor.name == "g")


def _terms(part: Apply) -> Iterator[tuple[str, Formula]]:
    chain = _chain(part, ("+", "-"))
    for count in range(1, len(chain)) if len(chain) <= MOST_FACTORS else (1,):
        for gone in combinations(range(len(chain)), count):
            left = total([one for at, one in enumerate(chain) if at not in gone])
            yield "factor-left-out" if algebra.constant(left) == 1 else "term-left-out", left
    for at, (term, off) in enumerate(chain):
        yield "sign-lost", total([*chain[:at], (term, not off), *chain[at + 1 :]])
        yield "term-twice", total([*chain, (term, off)])
    yield "sign-lost", total([(term, not off) for term, off in chain])


def _powers(part: Apply) -> Iterator[tuple[str, Formula]]:
    base, exponent = part.args
    if isinstance(exponent, Num):
        for change in (1, -1):
            yield "wrong-exponent", algebra.power(base, Num(exponent.value + change))
        if exponent.value != -1:
            yield "wrong-exponent", algebra.power(base, Num(-exponent.value))
    yield "wrong-exponent", base
    yield "wrong-exponent", algebra.power(exponent, base)


def _products(part: Apply, names: Names) -> Iterator[tuple[str, Formula]]:
    left, right = part.args
    yield "factor-left-out", left
    yield "factor-left-out", right
    if part.operation.name == "@" and all(len(names.shape(arg)) == 2 for arg in part.args):
        yield "factor-left-out", node("sum", left, axis=1, keepdims=True)
        yield "factor-left-out", node("sum", right, axis=0, keepdims=True)
    turned = [[arg, node("transpose", arg)] if len(names.shape(arg)) == 2 else [arg] for arg in part.args]
    for one in turned[0]:
        for other in turned[1]:
            if not (one is left and other is right):
                yield "factor-not-transposed", with_args(part, [one, other])
            yield "factors-reordered", with_args(part, [other, one])


def _sums(part: Apply, names: Names) -> Iterator[tuple[str, Formula]]:
    inside = part.args[0]
    shape = names.shape(inside)
    options = dict(part.params)
    axes = axes_of(options["axis"], len(shape))
    other = "mean" if part.operation.name == "sum" else "sum"
    yield "mean-inside", node(other, inside, **options)
    for keep in (options["keepdims"], not options["keepdims"]):
        for axis in (*range(len(shape)), None):
            if axes_of(axis, len(shape)) != axes:
                yield "wrong-axis", node(part.operation.name, inside, axis=axis, keepdims=keep)
    yield ("function-left-out" if options["keepdims"] else "bias-not-summed"), inside
    if len(axes) == 1:
        whole = (None, None, None)
        for row in (0, shape[axes[0]] - 1):
            place = (row, row + 1, None) if options["keepdims"] else row
            yield "one-sample-only", node("index", inside, key=(*[whole] * axes[0], place))


# -- what may stand in a formula ---------------------------------------------------------------------------------------


class Writing:
    """A network's names by shape, in whole formulas and in the letters of a row."""

    def __init__(self, way: WayBack) -> None:
        self.way = way
        self.before: dict[str, frozenset[str]] = {}
        graph = way.graph
        self.values: dict[Shape, list[Formula]] = {}
        self.slopes: dict[Shape, list[Formula]] = {}
        for quantity in graph.quantities:
            self.values.setdefault(quantity.shape, []).append(Ref(quantity.name))
        for name in way.names[1:]:
            self.slopes.setdefault(way.shape(name), []).append(Slope(way.of, name))
        self.pieces = {
            quantity.name: [
                *(self._pieces(quantity.name) if quantity.computed else ()),
                *self._complement(quantity.name),
            ]
            for quantity in graph.quantities
        }
        self.whole = Names(way.shapes.of, self.values, self.slopes, self.pieces)
        self.shifted: dict[str, Formula] = {
            quantity.name: quantity.definition
            for quantity in graph.quantities
            if quantity.definition is not None and any(_added(p) is not None for p in postorder(quantity.definition))
        }
        """The formulas in which a number is added, by name."""

    def in_a_circle(self, touched: frozenset[str], formula: Formula) -> bool:
        """Whether a formula takes a derivative that is made of what it makes: what was said would explain itself."""
        used = {part.by for part in postorder(formula) if isinstance(part, Slope)}
        return any(used & self._made_of(name) for name in touched)

    def _made_of(self, name: str) -> frozenset[str]:
        """A quantity and all that it is made of."""
        if name not in self.before:
            found = {name}
            for quantity in reversed(self.way.graph.quantities):
                if quantity.name in found:
                    found.update(self.way.graph.parents(quantity.name))
            self.before[name] = frozenset(found)
        return self.before[name]

    def _pieces(self, name: str) -> list[Formula]:
        """Parts of the formula of a quantity that have its shape, rows of several operations written out."""
        definition = self.way.graph[name].definition
        assert definition is not None
        shape = self.way.shape(name)
        try:
            whole, _ = opened(definition, self.way.shapes, _is_formula)
            parts = [part for part in postorder(whole) if isinstance(part, Apply) and part is not whole]
            return [part for part in parts if self.way.shapes.of(part) == shape]
        except IMPOSSIBLE:
            return []

    def _complement(self, name: str) -> list[Formula]:
        """1 - z, where the network has it anywhere."""
        known = set(self.way.names)
        found: list[Formula] = []
        for child in self.way.graph.children(name):
            definition = self.way.graph[child].definition if child in known else None
            for part in postorder(definition) if definition is not None else ():
                if isinstance(part, Apply) and part.operation.name == "-" and algebra.constant(part.args[0]) == 1:
                    inner = part.args[1]
                    if isinstance(inner, Ref) and inner.name == name:
                        found.append(part)
        return found

    def at(self, place: Place) -> Names:
        """The names at a place: the letters of the row, and those of the network that are no letters."""
        letters = dict(zip(place.part.operation.arguments, place.shapes, strict=False))
        known = {**self.way.shapes.names, **letters, "g": place.shape, "y": place.shape}
        values: dict[Shape, list[Formula]] = {}
        for letter, shape in [*letters.items(), ("y", place.shape)]:
            values.setdefault(shape, []).append(Ref(letter))
        for shape, refs in self.values.items():
            values.setdefault(shape, []).extend(
                ref for ref in refs if isinstance(ref, Ref) and ref.name not in LETTERS | {place.child, *letters}
            )
        pieces: dict[str, list[Formula]] = {}
        for letter, arg in zip(place.part.operation.arguments, place.part.args, strict=False):
            if isinstance(arg, Ref) and self._complement(arg.name):
                pieces[letter] = [algebra.subtract(algebra.ONE, Ref(letter))]
        return Names(lambda formula: shape_of(formula, known, self.way.shapes.slope), values, self.slopes, pieces)


def _is_formula(part: Formula) -> bool:
    return isinstance(part, Apply) and isinstance(part.operation, ArrayOperation) and part.operation.sort == "formula"


# -- slips in a network ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A slip at one place of a network, to be put together with the same slip at other steps."""

    key: str
    case: Case
    alike: tuple[str, ...]


def edited(way: WayBack, may: May, short: Sequence[Short], most: int) -> Iterator[tuple[str, Case]]:
    """Every slip at every place from where it may explain what differs; the same slip everywhere, and at each step. Of
    the former and of the latter not more than `most`."""
    writing = Writing(way)
    together: dict[tuple[str, ...], list[Made]] = {}
    every = (*_ways_left_out(way, may), *_at_places(way, writing, may), *_in_ways(way, writing, may, short))
    for number, made in enumerate(every):
        if number < most:
            yield made.key, made.case
        for length in (3, len(made.alike)):
            together.setdefault((made.key, *made.alike[:length]), []).append(made)
    groups = [group for group in together.values() if len(group) > 1]
    for group in groups[:most]:
        found = _all_of(group)
        if found is not None:
            yield group[0].key, found
    yield from _copied(way, may)
    yield from _exchanged_names(way, may)


def _all_of(group: Sequence[Made]) -> Case | None:
    """The same slip at all its places; None where there is one, or two in one."""
    children = list(dict.fromkeys(made.case.words.removeprefix("in ") for made in group))
    if len(children) < 2:
        return None
    belief = Belief()
    touched: frozenset[str] = frozenset()
    for made in group:
        belief = belief.beside(made.case.belief)
        touched |= made.case.touched or frozenset()
    return Case(belief, group[0].case.at, f"in {', '.join(children)}", touched)


def right_at(place: Place) -> Formula:
    """What calculus sends at a place, in letters, with the numbers that stand there."""
    letters = zip(place.part.operation.arguments, place.part.args, strict=False)
    numbers = {letter: arg for letter, arg in letters if isinstance(arg, Num)}
    return algebra.substitute(place.right, dict(numbers)) if numbers else place.right


def forms_at(place: Place) -> list[Formula]:
    """Ways to write what calculus sends at a place: with the value of the operation, or with what goes into it."""
    right = right_at(place)
    found = [right]
    row = place.part.operation
    if any(isinstance(part, Ref) and part.name == "y" for part in postorder(right)) and not row_is_several(place):
        again = algebra.make(row, [Ref(letter) for letter in row.arguments], place.part.params)
        found.append(algebra.substitute(right, {"y": again}))
    if place.name == "/" and place.k == 1:
        found.append(row_formula("-(g*u/v^2)"))
    return found


def row_is_several(place: Place) -> bool:
    row = place.part.operation
    return isinstance(row, ArrayOperation) and row.several


def _at_places(way: WayBack, writing: Writing, may: May) -> Iterator[Made]:
    for place in way.places:
        touched = below(place)
        if not may(touched):
            continue
        step = stem(place.child)
        names = writing.at(place)
        for slip in (slip for form in forms_at(place) for slip in slips(form, names)):
            if fits(way, place, slip.formula) and not writing.in_a_circle(touched, slip.formula):
                belief = Belief(changes=((place, slip.formula),))
                case = Case(belief, quantity_at(way, place), f"in {place.child}", touched)
                yield Made(slip.key, case, _alike(slip, step[1], place.name, f"{place.k}", step[0]))


def _in_ways(way: WayBack, writing: Writing, may: May, short: Sequence[Short]) -> Iterator[Made]:
    """Slips in all that one occurrence of a name gets, as calculus has it or said shortly."""
    forms: dict[str, list[Sent]] = {}
    for place in way.places:
        for form in forms_at(place)[1:] if may(below(place)) else ():
            forms.setdefault(place.child, []).extend(way.sent_by(place.child, Belief(changes=((place, form),))))
    for name in way.names:
        for one in [*way.right(name), *forms.get(name, ())] if way.graph[name].computed else ():
            if may(frozenset([one.parent])):
                for slip in (*slips(one.formula, writing.whole), *_without_constants(one.formula, writing)):
                    if _may_be(way, writing, one.parent, slip.formula):
                        yield Made(slip.key, _sends(way, name, one, slip.formula), _seen(slip, name, one.parent))
                for other in writing.values.get(way.shape(name), ()):
                    if isinstance(other, Ref) and other.name != name and other.name in way.names[1:]:
                        formula = _in_place_of(one.formula, name, other.name)
                        if not _may_be(way, writing, one.parent, formula):
                            continue
                        slip = Slip("wrong-upstream", formula, Ref(name), other)
                        yield Made(slip.key, _sends(way, name, one, formula), _seen(slip, name, one.parent))
    for one in short:
        if may(frozenset([one.name])):
            for slip in slips(one.formula, writing.whole):
                if _may_be(way, writing, one.name, slip.formula):
                    key = SHORTLY.get(slip.key, slip.key) if one.of_loss else slip.key
                    yield Made(key, one.case(slip.formula), _seen(slip, one.name, one.name))


def _without_constants(formula: Formula, writing: Writing) -> Iterator[Slip]:
    """A number that is added (eps) left out wherever it stands, in the formula and in the values used in it."""
    used = {part.name for part in postorder(formula) if isinstance(part, Ref)}
    inside = {name: whole for name, whole in writing.shifted.items() if name in used}
    for whole in (formula, algebra.substitute(formula, inside)) if inside else (formula,):
        for term in dict.fromkeys(map(_added, postorder(whole))):
            if term is not None:
                yield Slip("term-left-out", _without(whole, term), Num(term), algebra.ZERO)


def _added(part: Formula) -> Fraction | None:
    """The number that a sum ends with, or begins with."""
    if isinstance(part, Apply) and part.operation.name == "+":
        return next((arg.value for arg in part.args[::-1] if isinstance(arg, Num)), None)
    return None


def _without(formula: Formula, term: Fraction) -> Formula:
    def combine(part: Apply, args: list[Formula]) -> Formula:
        if part.operation.name == "+":
            kept = [arg for arg in args if not (isinstance(arg, Num) and arg.value == term)]
            if len(kept) == 1:
                return kept[0]
        return algebra.make(part.operation, args, part.params)

    return fold(formula, lambda leaf: leaf, combine)


def _alike(slip: Slip, step: int, *more: str) -> tuple[str, ...]:
    return by_steps(slip.old, step), by_steps(slip.new, step), *more


def _seen(slip: Slip, child: str, parent: str) -> tuple[str, ...]:
    stemmed, step = stem(child)
    return _alike(slip, step, "", stemmed, stem(parent)[0])


def _sends(way: WayBack, child: str, one: Sent, formula: Formula | None) -> Case:
    sent = sending(child, {(one.parent, one.occurrence): formula})
    return Case(Belief(sent=sent, children=frozenset([child])), one.parent, f"in {child}", frozenset([one.parent]))


def sending(child: str, new: Mapping[tuple[str, int], Formula | None]) -> SentRule:
    """Other formulas for some of what a quantity sends, None for nothing."""

    def sent(asked: str, found: list[Sent]) -> list[Sent]:
        if asked != child:
            return found
        made: list[Sent] = []
        for other in found:
            formula = new.get((other.parent, other.occurrence), other.formula)
            if formula is not None:
                made.append(replace(other, formula=formula))
        return made

    return sent


def _may_be(way: WayBack, writing: Writing, name: str, formula: Formula) -> bool:
    """Whether a formula has a shape that what comes back to a name may have, and takes nothing that is made of it."""
    if writing.in_a_circle(frozenset([name]), formula):
        return False
    try:
        found = way.shapes.of(formula)
    except IMPOSSIBLE:
        return False
    wanted = way.shape(name)
    return found == wanted or (
        len(found) <= len(wanted) and all(a in (1, b) for a, b in zip(found[::-1], wanted[::-1], strict=False))
    )


def _ways_left_out(way: WayBack, may: May) -> Iterator[Made]:
    """One way left out, or added twice; of several ways only some. Without its only way a derivative is always 0."""
    for name in way.names:
        ways = way.ways_to(name)
        if not may(frozenset([name])):
            continue
        for one in ways:
            words = (stem(one.child)[0], stem(name)[0])
            if len(ways) > 1 or way.graph[one.child].computed:
                key = "way-dropped" if len(ways) > 1 else "always-zero"
                yield Made(key, _sends(way, one.child, one, None), ("", "", "", *words))
            yield Made("counted-twice", _sends(way, one.child, one, times(2, one.formula)), ("", "", "", *words))
        for count in range(2, len(ways) - 1) if len(ways) <= MOST_FACTORS else ():
            for kept in combinations(range(len(ways)), count):
                words = ", ".join(dict.fromkeys(ways[at].child for at in range(len(ways)) if at not in kept))
                yield Made("way-dropped", keeping(name, only(kept), f"the ways through {words}"), ("", "", words))


def _copied(way: WayBack, may: May) -> Iterator[tuple[str, Case]]:
    """Under one name the derivative by another."""
    names = way.names[1:]
    for name in names:
        if may(frozenset([name])):
            for other in names:
                if other != name and way.shape(other) == way.shape(name):
                    belief = Belief(copied=(name, other))
                    yield "copied", Case(belief, name, f"that of {other}", frozenset([name]))


def _exchanged_names(way: WayBack, may: May) -> Iterator[tuple[str, Case]]:
    """Two values of one shape exchanged in all that a name gets."""
    for name in way.names:
        if not may(frozenset([name])):
            continue
        ways = way.ways_to(name)
        used = sorted({p.name for one in ways for p in postorder(one.formula) if isinstance(p, Ref)})
        for one, other in combinations(used[:BESIDE], 2):
            if way.shape(one) == way.shape(other) != ():
                belief = Belief()
                for sent in ways:
                    formula = _exchanged(sent.formula, one, other)
                    rule = sending(sent.child, {(name, sent.occurrence): formula})
                    belief = belief.beside(Belief(sent=rule, children=frozenset([sent.child])))
                yield "wrong-input", Case(belief, name, f"{one} and {other} exchanged", frozenset([name]))


def _in_place_of(formula: Formula, name: str, other: str) -> Formula:
    """The formula with another quantity and its derivative in place of those of one."""

    def leaf(part: Num | Ref | Slope) -> Formula:
        if isinstance(part, Slope) and part.by == name:
            return Slope(part.of, other)
        return Ref(other) if isinstance(part, Ref) and part.name == name else part

    return leaf(formula) if isinstance(formula, (Num, Ref, Slope)) else fold(formula, leaf, with_args)


def _exchanged(formula: Formula, one: str, other: str) -> Formula:
    new = {one: other, other: one}

    def leaf(part: Num | Ref | Slope) -> Formula:
        return Ref(new.get(part.name, part.name)) if isinstance(part, Ref) else part

    return leaf(formula) if isinstance(formula, (Num, Ref, Slope)) else fold(formula, leaf, with_args)


# -- said shortly ------------------------------------------------------------------------------------------------------


SHORTLY = {"term-left-out": "target-left-out"}
"""What a slip is called in p - t."""


@dataclass(frozen=True, slots=True, eq=False)
class Short:
    """What comes back to a quantity in all, said shortly: (p - t)/n behind a softmax or sigmoid and its loss, and what
    a normalisation sends in one line."""

    name: str
    formula: Formula
    way: WayBack
    of_loss: bool = True

    def case(self, formula: Formula) -> Case:
        """Another formula for all that comes back to it."""
        ways = self.way.ways_to(self.name)
        belief = Belief()
        for at, one in enumerate(ways):
            rule = sending(one.child, {(self.name, one.occurrence): None if at else formula})
            belief = belief.beside(Belief(sent=rule, children=frozenset([one.child])))
        return Case(belief, self.name, f"in what comes back to {self.name}", frozenset([self.name]))


def normalised(way: WayBack, whole: str) -> Iterator[Formula]:
    """What comes back through n = (x - mean)/root, in one line: (dn - 1/m (sum(dn) + n sum(dn n)))/root, for each
    axis of a mean and each divisor that stands there. Whether it is right is asked of the numbers."""
    definition, shape = way.graph[whole].definition, way.shape(whole)
    if definition is None:
        return
    divisors = [
        part.args[1] if part.operation.name == "/" else algebra.divide(algebra.ONE, part.args[1])
        for part in postorder(definition)
        if isinstance(part, Apply) and part.operation.name in ("/", "*") and not isinstance(part.args[1], Num)
    ]
    for axis in _axes_of_means(way, whole) if divisors else ():
        count = math.prod(shape[at] for at in axes_of(axis, len(shape)))
        coming, n = Slope(way.of, whole), Ref(whole)
        summed = node("sum", coming, axis=axis, keepdims=True)
        along = node("sum", algebra.multiply(coming, n), axis=axis, keepdims=True)
        means = algebra.multiply(Num(Fraction(1, count)), algebra.add(summed, algebra.multiply(n, along)))
        for divisor in divisors:
            yield algebra.divide(algebra.subtract(coming, means), divisor)


def _axes_of_means(way: WayBack, whole: str) -> list[Any]:
    """The axes of the means that a quantity is made of."""
    found: dict[Any, None] = {}
    waiting, met = [whole], set[str]()
    while waiting:
        name = waiting.pop()
        definition = way.graph[name].definition if name not in met else None
        met.add(name)
        for part in postorder(definition) if definition is not None else ():
            if isinstance(part, Apply) and part.operation.name in ("mean", "var"):
                found[dict(part.params)["axis"]] = None
            if isinstance(part, Ref):
                waiting.append(part.name)
    return list(found)


# -- constants ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Dial:
    """A place where a number stands, or may: the mistake, and the case for any number there."""

    key: str
    was: float
    turned: Callable[[float], Case]
    touched: frozenset[str]


def dials(way: WayBack, may: May) -> Iterator[Dial]:
    """A factor for what a name gets in all, for what one way brings it, for what one operation sends; and the numbers
    that stand in formulas."""
    for name in way.names[1:]:
        if may(frozenset([name])):
            yield _of_total(way, name)
    for name in way.names:
        for child in way.graph.children(name) if may(frozenset([name])) else ():
            if child in way.shapes.names and sum(one.child == child for one in way.ways_to(name)) > 1:
                yield _of_child(way, name, child)
        for one in way.right(name) if way.graph[name].computed else ():
            if may(frozenset([one.parent])):
                yield _of_way(way, name, one)
                for at, part in enumerate(postorder(one.formula)):
                    if isinstance(part, Num):
                        yield _of_number(way, name, one, at, part)
    for place in way.places:
        if may(below(place)):
            yield _of_place(way, place)
            for at, part in enumerate(postorder(right_at(place))):
                if isinstance(part, Num):
                    yield _of_place(way, place, at, part)


def dials_of(short: Short) -> Iterator[Dial]:
    """The numbers that stand in what is said shortly."""
    for at, part in enumerate(postorder(short.formula)):
        if isinstance(part, Num):
            yield _of_short(short, at, part)


def _of_short(short: Short, at: int, part: Num) -> Dial:
    def turned(k: float) -> Case:
        case = short.case(replaced(short.formula, at, _number(k)) or short.formula)
        return replace(case, words=f"{Fraction(k).limit_denominator(1000)} in place of {part.value}, {case.words}")

    return Dial("another-constant", float(part.value), turned, frozenset([short.name]))


def _number(value: float) -> Formula:
    near = Fraction(value).limit_denominator(10**6)
    return algebra.number(near if abs(float(near) - value) <= 1e-12 * abs(value) else Fraction(value))


def _of_total(way: WayBack, name: str) -> Dial:
    touched = frozenset([name])

    def turned(k: float) -> Case:
        def change(asked: str, value: object) -> object:
            return value * k if asked == name else value  # type: ignore[operator]

        return Case(Belief(total=change), name, f"times {k:g}", touched)

    return Dial("constant-factor", 1.0, turned, touched)


def _of_child(way: WayBack, name: str, child: str) -> Dial:
    """All that one quantity sends to another, in several places of its formula."""
    ways = [one for one in way.ways_to(name) if one.child == child]

    def turned(k: float) -> Case:
        new = {(name, one.occurrence): algebra.multiply(_number(k), one.formula) for one in ways}
        belief = Belief(sent=sending(child, new), children=frozenset([child]))
        return Case(belief, name, f"times {k:g}, in {child}", frozenset([name]))

    return Dial("constant-factor", 1.0, turned, frozenset([name]))


def _of_way(way: WayBack, child: str, one: Sent) -> Dial:
    def turned(k: float) -> Case:
        made = _sends(way, child, one, algebra.multiply(_number(k), one.formula))
        return replace(made, words=f"times {k:g}, in {child}")

    return Dial("constant-factor", 1.0, turned, frozenset([one.parent]))


def _of_number(way: WayBack, child: str, one: Sent, at: int, part: Num) -> Dial:
    def turned(k: float) -> Case:
        formula = replaced(one.formula, at, _number(k))
        return replace(_sends(way, child, one, formula), words=f"{k:g} in place of {float(part.value):g}, in {child}")

    return Dial("another-constant", float(part.value), turned, frozenset([one.parent]))


def _of_place(way: WayBack, place: Place, at: int | None = None, part: Num | None = None) -> Dial:
    touched = below(place)

    def turned(k: float) -> Case:
        if at is None or part is None:
            formula, words = algebra.multiply(_number(k), place.right), f"times {k:g}, in {place.child}"
        else:
            formula = replaced(right_at(place), at, _number(k)) or place.right
            words = f"{k:g} in place of {float(part.value):g}, in {place.child}"
        return Case(Belief(changes=((place, formula),)), quantity_at(way, place), words, touched)

    return Dial(
        "constant-factor" if part is None else "another-constant", float(part.value) if part else 1.0, turned, touched
    )
