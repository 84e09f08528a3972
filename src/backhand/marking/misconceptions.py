"""The table of habits: ways to go wrong, each as the rule that is replaced. One row a habit.

    one-path-straight | P1 | keep := the way drawn level with the unit | 3.5 bits

A row never holds a wrong number. It says which rule somebody follows instead, and `replay` computes what that person
gets on any network. `key` is the name people read and programs rely on; `id` that of the catalogue the rows come from.
`prior_bits` is -log2 of how often we expect the habit; the priors of the table sum to less than 1.

To add a habit, add a row: a Practice that differs from RIGHT in one rule. If it acts at one place, let `at` list the
places. The test that walks the table then asks for its numbers on the founding net.

Not here: entries of the catalogue about arrays (softmax Jacobians SM, batches M), ACT11 (a claim in words), S8 (subsets
of paths; no number can tell them apart), T5 to T7 (a number that changes between two lines, a scanner's slip, rounding:
these are seen by reading the lines, not by propagating). E11 and U5 act only where a net has an inner slope, a middle.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Literal, NamedTuple, TypeAlias

from backhand.core.formula import Apply, Ref
from backhand.core.operations import Operation
from backhand.marking import replay as right
from backhand.marking.replay import (
    RIGHT,
    Difference,
    Gathered,
    Page,
    Practice,
    Seat,
    Sent,
    Terms,
    apply,
    coefficient_of,
    partial,
    product,
    run,
)
from backhand.marking.sheet import BENDS, GATES, NAN, Amount, Sheet, Way, small


class Instance(NamedTuple):
    """A habit on a sheet: its rules there, where it acts ("" for everywhere), and what the place costs in bits."""

    practice: Practice
    place: str = ""
    bits: float = 0.0


Places: TypeAlias = Callable[[Sheet], "list[Instance]"]
Sort: TypeAlias = Literal["habit", "slip", "misread"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Misconception:
    """A row.

    `changes`  the rule that is replaced, as the catalogue writes it
    `at`       the rule itself, at every place of a sheet where it can act
    `why`      how somebody comes to it
    `remark`   what to say to the person; {by} {of} {ways} {children} stand for the line it is said about
    `sort`     habit: acts everywhere; slip: at one place; misread: a given number read differently
    """

    key: str
    id: str
    title: str
    changes: str
    prior_bits: float
    at: Places
    why: str
    remark: str
    sort: Sort = "habit"

    def __repr__(self) -> str:
        return f"<misconception {self.key}>"

    def instances(self, sheet: Sheet) -> list[Instance]:
        """The row on a sheet: one instance for a habit, one a place for a slip."""
        return self.at(sheet)


def everywhere(**rules: object) -> Places:
    """The rule acts wherever it can."""
    practice = replace(RIGHT, **rules)  # type: ignore[arg-type]
    return lambda sheet: [Instance(practice)]


def either(*variants: Practice) -> Places:
    """People do it in one of several ways; all but the first are a little less likely."""
    return lambda sheet: [Instance(v, bits=1.0 if n else 0.0) for n, v in enumerate(variants)]


def located(found: Iterable[tuple[str, Practice]]) -> list[Instance]:
    """One instance a place; the place is paid for."""
    listed = list(found)
    bits = math.log2(len(listed)) if listed else 0.0
    return [Instance(practice, place, bits) for place, practice in listed]


# -- paths and sums ------------------------------------------------------------------------------------------


def several(choose: Callable[[Page, int, Sequence[Sent]], Sequence[Sent]]) -> right.KeepRule:
    """A choice among the ways of a unit that has more than one."""

    def keep(page: Page, unit: int, sent: Sequence[Sent]) -> Sequence[Sent]:
        return choose(page, unit, sent) if len(sent) > 1 and page.sheet.units[unit] else sent

    return keep


def straight(page: Page, unit: int, sent: Sequence[Sent]) -> Sequence[Sent]:
    """The child drawn level with the unit; where none is, the nearest."""
    row = page.sheet.row
    nearest = min(abs(row[s.way.child] - row[unit]) for s in sent)
    child = next(s.way.child for s in sent if abs(row[s.way.child] - row[unit]) == nearest)
    return [s for s in sent if s.way.child == child]


def crossing(page: Page, unit: int, sent: Sequence[Sent]) -> Sequence[Sent]:
    """The children in other rows."""
    row = page.sheet.row
    return [s for s in sent if row[s.way.child] != row[unit]] or sent


def size(sent: Sent) -> Amount:
    return abs(sent.product)


def averaged(page: Page, unit: int, sent: Sequence[Sent]) -> Gathered:
    whole = right.gather(page, unit, sent)
    if len(sent) < 2 or not page.sheet.units[unit]:
        return whole
    return Gathered(small(whole.total * Fraction(1, len(sent))), None)


def multiplied(page: Page, unit: int, sent: Sequence[Sent]) -> Gathered:
    whole = right.gather(page, unit, sent)
    if len(sent) < 2 or not page.sheet.units[unit] or whole.terms is None:
        return whole
    factors = tuple(f for term in whole.terms for f in term)
    return Gathered(product([s.product for s in sent]), (factors,))


def subtracted(page: Page, unit: int, sent: Sequence[Sent]) -> Gathered:
    if len(sent) < 2 or not page.sheet.units[unit]:
        return right.gather(page, unit, sent)
    first, rest = sent[0], sent[1:]
    terms = ((first.upstream, first.factor), *((-s.upstream, s.factor) for s in rest))
    return Gathered(first.product - sum(s.product for s in rest), terms)


def in_last_line(page: Page, unit: int, sent: Sequence[Sent]) -> Sequence[Sent]:
    """Only what stands in the output's own formula."""
    return [s for s in sent if s.way.child == page.sheet.end] if page.sheet.units[unit] else sent


# -- upstream ------------------------------------------------------------------------------------------------


def nothing_upstream(page: Page, way: Way) -> Amount:
    return 1


def from_the_head(page: Page, way: Way) -> Amount:
    head = page.sheet.head
    return page.back[way.child] if head is None or way.child == page.sheet.end else page.back[head]


def from_the_neighbour(page: Page, way: Way) -> Amount:
    sibling = page.sheet.sibling(way.child)
    return page.back[sibling if sibling in page.sheet.needed else way.child]


def head_twice(page: Page, way: Way) -> Amount:
    head = page.sheet.head
    if head is None or way.child in (head, page.sheet.end):
        return page.back[way.child]
    return page.back[way.child] * page.back[head]


def upstream_rule(rule: right.WayRule) -> Places:
    """For units and weights, or for units only."""
    return either(replace(RIGHT, upstream=rule, weight_upstream=rule), replace(RIGHT, upstream=rule))


def updated_weights(rate: Fraction) -> Practice:
    """W - rate x dL/dw is used on the way back."""

    def factor(page: Page, way: Way, above: Amount) -> Amount:
        slope = page.slope[way.number]
        if way.kind != "arrow" or way.bare:
            return slope
        return small(slope - rate * above * page.value[way.parent])

    return replace(RIGHT, factor=factor, written_right=True)


def twice(page: Page) -> Amount:
    """Every number of the second run is doubled: as if the output started with 2."""
    return 2


def from_the_loss(page: Page) -> Amount:
    """The value of the output, in place of 1."""
    return page.value[page.sheet.end]


def first_run(page: Page) -> Page:
    """The right page of the same values."""
    if page.first is None:
        page.first = run(page.sheet, RIGHT, replace(page.told, derivatives={}))
    return page.first


def accumulated(page: Page, unit: int, sent: Sequence[Sent]) -> Gathered:
    """What the first run left, plus what the second sends."""
    return Gathered(first_run(page).derivatives[unit] + right.gather(page, unit, sent).total, None)


def plus_one(page: Page, unit: int, gathered: Gathered) -> Gathered:
    if unit in page.sheet.direct:
        return gathered
    return Gathered(gathered.total + 1, None if gathered.terms is None else (*gathered.terms, (1,)))


# -- local derivatives ---------------------------------------------------------------------------------------


def on_arrows(rule: Callable[[Page, Way, Amount], Amount], **others: object) -> Places:
    """Another local derivative on every arrow: rule(page, way, coefficient)."""

    def factor(page: Page, way: Way, above: Amount) -> Amount:
        slope = page.slope[way.number]
        return rule(page, way, slope) if way.kind == "arrow" else slope

    return everywhere(factor=factor, **others)


def upside_down(page: Page, way: Way, slope: Amount) -> Amount:
    return small(1 / slope if isinstance(slope, float) else Fraction(1) / slope) if slope else NAN


def added_along(page: Page, way: Way, above: Amount, slope: Amount) -> Amount:
    return above + slope if way.kind == "arrow" else above * slope


def unsaid(page: Page, unit: int, sent: Sequence[Sent]) -> Gathered:
    """The sum over all ways, however it is written."""
    return Gathered(right.gather(page, unit, sent).total, None)


def by_columns(page: Page, way: Way, slope: Amount) -> Amount:
    other = page.sheet.transposed.get(way.number)
    return slope if other is None else coefficient_of(page, other)


def transposed_back(page: Page, way: Way, above: Amount) -> Amount:
    other = page.sheet.transposed.get(way.number)
    return page.slope[way.number if other is None else other.number]


def transposed_forward(page: Page, unit: int) -> Amount | None:
    if not any(way.number in page.sheet.transposed for way in page.sheet.into[unit]):
        return None
    return page.sum_with(unit, lambda way: page.value[way.parent], by_columns)


# -- forward -------------------------------------------------------------------------------------------------


def skipping(layer: int) -> right.Forward:
    """The units of a layer computed from the units two sums back, row by row."""

    def forward(page: Page, unit: int) -> Amount | None:
        sheet = page.sheet
        if sheet.layer[unit] != layer or not any(w.kind == "arrow" for w in sheet.into[unit]):
            return None
        return page.sum_with(unit, lambda way: page.value[before(sheet, way.parent)])

    return forward


def before(sheet: Sheet, unit: int) -> int:
    """The unit in the same row one sum earlier; the unit itself where there is none."""
    tails = tails_of(sheet, unit)
    row = sheet.layers[sheet.layer[unit]].index(unit)
    return tails[row] if row < len(tails) else unit


def tails_of(sheet: Sheet, unit: int) -> list[int]:
    """What leads into a unit's sum, from top to bottom."""
    ways = [w for w in sheet.into[unit] if w.kind in ("arrow", "bend")]
    if len(ways) == 1 and ways[0].kind == "bend":
        return tails_of(sheet, ways[0].parent)
    return sorted({w.parent for w in ways}, key=sheet.row.__getitem__)


def layers_to_skip(sheet: Sheet) -> list[Instance]:
    found: list[tuple[str, Practice]] = []
    for layer, units in sheet.layers.items():
        arrows = [w for u in units for w in sheet.into[u] if w.kind == "arrow" and u in sheet.needed]
        if arrows and all(before(sheet, w.parent) != w.parent for w in arrows):
            found.append((f"at {sheet.names[units[0]]}", replace(RIGHT, forward=skipping(layer))))
    return located(found)


def too_early(page: Page, unit: int) -> Amount | None:
    """Tails are read from the new row as far as that is computed."""
    sheet = page.sheet
    fellows = sheet.layers.get(sheet.layer[unit], [])
    row = fellows.index(unit) if unit in fellows else 0
    if not row or not any(w.kind == "arrow" for w in sheet.into[unit]):
        return None

    def tail(way: Way) -> Amount:
        at = sheet.layers[sheet.layer[way.parent]].index(way.parent)
        new = page.value[fellows[at]] if at < row else NAN
        return new if new == new else page.value[way.parent]

    return page.sum_with(unit, tail)


# -- what is written down ------------------------------------------------------------------------------------


def reported(rule: Callable[[Amount, Gathered], Gathered]) -> Places:
    """Something else than the derivative is written for units that are not in the last line: rule(value, gathered)."""

    def report(page: Page, unit: int, gathered: Gathered) -> Gathered:
        return gathered if unit in page.sheet.direct else rule(page.value[unit], gathered)

    return everywhere(report=report)


def times_value(value: Amount, gathered: Gathered) -> Gathered:
    terms = None if gathered.terms is None else tuple((*t, value) for t in gathered.terms)
    return Gathered(gathered.total * value, terms)


def after_a_step(value: Amount, gathered: Gathered) -> Gathered:
    terms = None if gathered.terms is None else ((value,), *((-1, *t) for t in gathered.terms))
    return Gathered(value - gathered.total, terms)


def downhill(value: Amount, gathered: Gathered) -> Gathered:
    terms = None if gathered.terms is None else tuple((-1, *t) for t in gathered.terms)
    return Gathered(-gathered.total, terms)


def labels_exchanged(sheet: Sheet) -> list[Instance]:
    found: list[tuple[str, Practice]] = []
    for units in sheet.layers.values():
        listed = [u for u in units if u in sheet.needed]
        for one, other in pairwise(listed):
            place = f"{sheet.names[one]} and {sheet.names[other]}"
            found.append((place, replace(RIGHT, labels={one: other, other: one})))
    return located(found)


# -- weights' derivatives ------------------------------------------------------------------------------------


def weight_times(rule: Callable[[Page, Way], Amount]) -> Places:
    """dL/dw = g(head) x rule(page, way)."""

    def factor(page: Page, way: Way, above: Amount) -> Amount:
        return rule(page, way) if way.partner >= 0 else page.slope[way.number]

    return everywhere(weight_factor=factor)


def weight_from(rule: Callable[[Page, Way], Amount]) -> Places:
    """dL/dw = rule(page, way) x value(tail)."""

    def above(page: Page, way: Way) -> Amount:
        return rule(page, way) if way.partner >= 0 else page.back[way.child]

    return everywhere(weight_upstream=above)


def all_heads(page: Page, way: Way) -> Amount:
    units = [u for u in page.sheet.layers[page.sheet.layer[way.child]] if u in page.sheet.needed]
    return sum((page.back[u] for u in units[1:]), page.back[units[0]])


def mirrored(sheet: Sheet, way: Way) -> Way | None:
    arrow = sheet.weight_arrow.get(way.number)
    return None if arrow is None else sheet.transposed.get(arrow.number)


def mirrored_head(page: Page, way: Way) -> Amount:
    other = mirrored(page.sheet, way)
    return page.back[way.child if other is None else other.child]


def mirrored_tail(page: Page, way: Way, above: Amount) -> Amount:
    other = mirrored(page.sheet, way)
    return page.slope[way.number] if other is None else page.value[other.parent]


# -- bends, products -----------------------------------------------------------------------------------------


def on_bends(
    rule: Callable[[Page, Operation, Seat, Amount, Amount], Amount | None], names: frozenset[str] = BENDS
) -> Practice:
    """Another slope of the activations called `names`: rule(page, operation, seat, z, a)."""

    def local(page: Page, operation: Operation, seat: Seat, args: Sequence[Amount], y: Amount) -> Amount | None:
        if operation.name not in names or seat.position:
            return None
        return rule(page, operation, seat, args[0], y)

    return replace(RIGHT, local=local)


def bends(rule: Callable[[Page, Operation, Seat, Amount, Amount], Amount | None], *names: str) -> Places:
    practice = on_bends(rule, frozenset(names) if names else BENDS)
    return lambda sheet: [Instance(practice)]


def gate_layers(sheet: Sheet) -> list[int]:
    """The layers that stand behind a gate (relu), first to last."""
    return sorted({sheet.layer[i] for i in range(len(sheet.names)) if is_gate(sheet, i)})


def is_gate(sheet: Sheet, unit: int) -> bool:
    definition = sheet.quantities[unit].definition if sheet.quantities[unit].computed else None
    return isinstance(definition, Apply) and definition.operation.name in GATES and isinstance(definition.args[0], Ref)


def gates(rule: Callable[[Page, Operation, Seat, Amount, Amount], Amount | None]) -> Places:
    """At all gates, or at those of one layer."""

    def only(layer: int) -> Practice:
        return on_bends(
            lambda page, op, seat, z, a: rule(page, op, seat, z, a) if page.sheet.layer[seat.child] == layer else None,
            GATES,
        )

    def at(sheet: Sheet) -> list[Instance]:
        layers = gate_layers(sheet)
        some = [Instance(only(layer), bits=1 + math.log2(len(layers))) for layer in layers] if len(layers) > 1 else []
        return [Instance(on_bends(rule, GATES)), *some]

    return at


def mask_elsewhere(page: Page, operation: Operation, seat: Seat, z: Amount, a: Amount) -> Amount | None:
    """Open or closed as the gate in the same row of the next layer of gates (of the one before, for the last)."""
    sheet = page.sheet
    layers = gate_layers(sheet)
    if seat.child not in sheet.layers.get(sheet.layer[seat.child], []) or len(layers) < 2:
        return None
    at = layers.index(sheet.layer[seat.child])
    other = sheet.layers[layers[at + 1] if at + 1 < len(layers) else layers[at - 1]]
    row = sheet.layers[layers[at]].index(seat.child)
    if row >= len(other):
        return None
    sums = [w.parent for w in sheet.into[other[row]]]
    return 1 if sums and page.value[sums[0]] > 0 else 0


def at_output(page: Page, operation: Operation, seat: Seat, z: Amount, a: Amount) -> Amount:
    """The slope at a instead of at z."""
    return partial(operation, 0, [a], apply(operation, [a]))


def wrong_curve(page: Page, operation: Operation, seat: Seat, z: Amount, a: Amount) -> Amount:
    return 1 - a * a if operation.name == "sigmoid" else a * (1 - a)


def formula_of_z(page: Page, operation: Operation, seat: Seat, z: Amount, a: Amount) -> Amount:
    return z * (1 - z) if operation.name == "sigmoid" else 1 - z * z


def half_slope(page: Page, operation: Operation, seat: Seat, z: Amount, a: Amount) -> Amount:
    return 1 - a


def minus_slope(page: Page, operation: Operation, seat: Seat, z: Amount, a: Amount) -> Amount:
    return -partial(operation, 0, [z], a)


def open_gates(page: Page, unit: int) -> Amount | None:
    if not is_gate(page.sheet, unit):
        return None
    return page.value[page.sheet.into[unit][0].parent]


def on_operation(name: str, rule: Callable[[Seat, Sequence[Amount], Amount], Amount | None]) -> Places:
    """Another slope of one elementary operation where units are in all its arguments."""

    def local(page: Page, operation: Operation, seat: Seat, args: Sequence[Amount], y: Amount) -> Amount | None:
        return rule(seat, args, y) if operation.name in name.split() and seat.all_vary else None

    return everywhere(local=local)


def without_skip(page: Page, unit: int, sent: Sequence[Sent]) -> Sequence[Sent]:
    return [s for s in sent if s.way.number not in page.sheet.skips] or sent


def only_skip(page: Page, unit: int, sent: Sequence[Sent]) -> Sequence[Sent]:
    return [s for s in sent if s.way.number in page.sheet.skips] or sent


def first_use(page: Page, unit: int, sent: Sequence[Sent]) -> Sequence[Sent]:
    return sent if page.sheet.units[unit] else sent[:1]


# -- slips at one place --------------------------------------------------------------------------------------


def named(sheet: Sheet, way: Way) -> str:
    return f"{sheet.names[way.parent]} -> {sheet.names[way.child]}"


def arrows_of(sheet: Sheet, change: Callable[[Way], Practice], several: bool = False) -> list[Instance]:
    """One instance an arrow (only those whose tail has other ways too)."""
    chosen = [w for w in sheet.arrows if not several or len(sheet.out[w.parent]) > 1]
    return located((named(sheet, way), change(way)) for way in chosen)


def dropped(way: Way) -> Practice:
    def keep(page: Page, unit: int, sent: Sequence[Sent]) -> Sequence[Sent]:
        return [s for s in sent if s.way is not way]

    return replace(RIGHT, keep=keep)


def doubled(way: Way) -> Practice:
    def keep(page: Page, unit: int, sent: Sequence[Sent]) -> Sequence[Sent]:
        return [x for s in sent for x in ([s, s] if s.way is way else [s])]

    return replace(RIGHT, keep=keep)


def forward_weight(way: Way, weight: Callable[[Amount], Amount]) -> right.Forward:
    """The child computed with another weight on this arrow."""

    def coefficient(page: Page, other: Way, slope: Amount) -> Amount:
        return weight(slope) if other is way else slope

    def forward(page: Page, unit: int) -> Amount | None:
        if unit != way.child:
            return None
        return page.sum_with(unit, lambda w: page.value[w.parent], coefficient)

    return forward


def backward_weight(way: Way, weight: Callable[[Amount], Amount]) -> right.FactorRule:
    """Another weight on this arrow on the way back."""
    return lambda page, other, above: weight(page.slope[way.number]) if other is way else page.slope[other.number]


def misread(way: Way, weight: Callable[[Amount], Amount], passes: Literal["both", "forward", "backward"]) -> Practice:
    """The weight of one arrow read as another number."""
    forward = forward_weight(way, weight) if passes != "backward" else None
    factor = backward_weight(way, weight) if passes != "forward" else right.factor
    return replace(RIGHT, forward=forward, factor=factor, written_right=True)


def left_out(way: Way) -> Practice:
    """The term of one arrow left out of the sum going forward."""
    return replace(misread(way, lambda w: 0, "forward"), written_right=False)


def negative(number: Amount) -> Amount:
    return -number


def two_minuses(way: Way) -> Practice:
    """Minus times minus stays minus, on one arrow."""

    def send(page: Page, other: Way, above: Amount, slope: Amount) -> Amount:
        return -(above * slope) if other is way and above < 0 and slope < 0 else above * slope

    return replace(RIGHT, send=send, written_right=True)


def wrong_sign(unit: int) -> Practice:
    """The sum at one unit with the other sign."""

    def gather(page: Page, other: int, sent: Sequence[Sent]) -> Gathered:
        whole = right.gather(page, other, sent)
        return Gathered(-whole.total, whole.terms) if other == unit else whole

    return replace(RIGHT, gather=gather, written_right=True)


def signs(sheet: Sheet) -> list[Instance]:
    units = [i for i in sheet.order if sheet.units[i] and i != sheet.end]
    return located((f"d{sheet.of}/d{sheet.names[i]}", wrong_sign(i)) for i in units)


def inputs_of(sheet: Sheet) -> list[int]:
    return [i for i, q in enumerate(sheet.quantities) if q.kind == "input" and i in sheet.needed]


def input_signs(sheet: Sheet) -> list[Instance]:
    return located((sheet.names[i], replace(RIGHT, givens={i: -sheet.given[i]})) for i in inputs_of(sheet))


def inputs_exchanged(sheet: Sheet) -> list[Instance]:
    listed = inputs_of(sheet)
    return located(
        (
            f"{sheet.names[one]} and {sheet.names[other]}",
            replace(RIGHT, givens={one: sheet.given[other], other: sheet.given[one]}),
        )
        for one, other in pairwise(listed)
    )


def targets_of(sheet: Sheet) -> list[int]:
    return [i for i, q in enumerate(sheet.quantities) if q.kind == "target" and i in sheet.needed]


def target_signs(sheet: Sheet) -> list[Instance]:
    return located((sheet.names[i], replace(RIGHT, givens={i: -sheet.given[i]})) for i in targets_of(sheet))


# -- the loss, in short --------------------------------------------------------------------------------------


def slope(rule: Callable[[Difference], Terms]) -> Places:
    """Another slope of (prediction - target)^2."""
    return everywhere(loss=rule)


def reading(rule: Callable[[Difference], Amount], back: Callable[[Difference], Terms] = right.loss) -> Places:
    """Another value of (prediction - target)^2, and the slope that goes with it."""
    return everywhere(reading=rule, loss=back)


def off(d: Difference) -> Amount:
    """How far the prediction is off."""
    return d.prediction - d.target


def over(number: Amount, divisor: int) -> Amount:
    """A number divided, exactly if it is exact."""
    return number / divisor if isinstance(number, float) else small(Fraction(number) / divisor)


row = Misconception  # short, for the table

WAYS = "{by} reaches {of} by {ways} ways, through {children}."

# fmt: off
TABLE: tuple[Misconception, ...] = (
    # -- paths and sums --------------------------------------------------------------------------------------
    row("one-path-straight", "P1", "only the way straight across is followed",
        "keep := the child in the unit's own row", 3.5,
        everywhere(keep=several(straight)), "The drawing is read as rows, each a chain of its own.",
        WAYS + " This line has the one that runs straight across. Work out what comes back along each other arrow, "
        "and add."),
    row("one-path-crossing", "P2", "only the crossing ways are followed", "keep := the children in other rows", 6.5,
        everywhere(keep=several(crossing)),
        "The crossing arrows look like the connections, the level one like the unit itself.",
        WAYS + " This line has the crossing one. Work out what comes back along the level arrow too, and add."),
    row("one-path-first", "P3", "only the first arrow is followed", "keep := the first child", 5.5,
        everywhere(keep=several(lambda page, unit, sent: sent[:1])),
        "The first arrow gives a number, and the work stops there.",
        WAYS + " This line stops after the first arrow. Go on with the next one, then add."),
    row("overwritten", "P4", "the last way replaces the others instead of being added",
        "gather := the last child wins", 6.0,
        everywhere(keep=several(lambda page, unit, sent: sent[-1:])),
        "Each new contribution is written over the one before: = for +=.",
        WAYS + " This line keeps what came last. Keep what was there before as well, and add."),
    row("one-path-strongest", "P5", "only the strongest way is kept", "keep := the largest contribution", 7.5,
        everywhere(keep=several(lambda page, unit, sent: [max(sent, key=size)])),
        "The larger effect is thought to win, as in a maximum.",
        WAYS + " This line has the largest effect only. Ask what the smaller one adds to it."),
    row("one-path-weakest", "P6", "only the weakest way is kept", "keep := the smallest contribution", 8.5,
        everywhere(keep=several(lambda page, unit, sent: [min(sent, key=size)])),
        "The weakest link is thought to decide.",
        WAYS + " This line has the smallest effect only. Ask what the others add to it."),
    row("averaged-ways", "P7", "the ways are averaged instead of added", "gather := mean", 7.0,
        everywhere(gather=averaged), "Several answers for one unit suggest taking their mean.",
        WAYS + " This line divides by how many there are. Move {by} a little in thought: does each way then act in "
        "part, or in full?"),
    row("multiplied-ways", "P8", "the ways are multiplied instead of added", "gather := product", 7.0,
        everywhere(gather=multiplied), "Products along one way are carried over to ways side by side.",
        WAYS + " This line multiplies them. Factors belong to steps of one way; ask what joins ways that run side by "
        "side."),
    row("subtracted-ways", "P9", "the second way is subtracted", "gather := first - rest", 7.5,
        everywhere(gather=subtracted), "A minus of the drawing or of the last formula slips between the ways.",
        WAYS + " This line puts a minus between them. Look for where that sign comes from, with the signs of the "
        "weights set aside."),
    row("negative-arrows-dropped", "P10", "arrows of negative weight are left out",
        "keep := the arrows with w >= 0", 8.0,
        everywhere(keep=several(lambda page, unit, sent: [s for s in sent if page.slope[s.way.number] >= 0])),
        "A negative weight is taken for no connection.",
        WAYS + " This line leaves out what comes through a negative weight. Work out that way as well, with its sign."),
    row("one-path-largest-weight", "P11", "only the arrow of largest weight is followed", "keep := the largest w", 8.5,
        everywhere(keep=several(lambda page, unit, sent: [max(sent, key=lambda s: page.slope[s.way.number])])),
        "The thickest arrow is taken for the way.",
        WAYS + " This line has the arrow of largest weight. Follow the others as well, and add."),
    # -- what comes from above -------------------------------------------------------------------------------
    row("no-upstream", "U1", "what comes back from above is left out", "upstream := 1", 5.0,
        upstream_rule(nothing_upstream), "The local derivative is taken for the answer.",
        "This line says how the next quantities move with {by}. The question is how {of} moves: bring in what came "
        "back to them."),
    row("middle-skipped", "U2", "the last derivative is used in place of the one just above",
        "upstream := dL/dD everywhere", 6.0,
        upstream_rule(from_the_head),
        "One number, the derivative by the output unit, is carried to all earlier layers.",
        "Between {by} and the output unit stands {children}. This line goes past it: use what came back to it."),
    row("neighbours-upstream", "U3", "what came back to a neighbour is used",
        "upstream := dL/d(neighbour of the child)", 7.5,
        upstream_rule(from_the_neighbour), "Indices are read one off.",
        "Follow each arrow out of {by} to its end. This line multiplies it by what came back to another unit there."),
    row("updated-weights", "U4", "weights are used that were updated already", "w := w - rate dL/dw before use", 8.0,
        lambda sheet: [Instance(updated_weights(Fraction(rate)), f"rate {rate}", bits) for rate, bits in
                       (("0.1", 0.0), ("0.5", 1.0), ("1", 2.0), ("0.01", 2.0))],
        "The step is made layer by layer instead of at the end.",
        "The forward numbers were made with the weights as given. Go back with the same ones, and change all of them "
        "at the end."),
    row("not-in-last-line", "U5", "what is not in the last formula is given 0",
        "dL/dn := 0 unless n stands in L's formula", 7.0,
        everywhere(keep=in_last_line), "A partial derivative by a letter that is not there.",
        "{by} does not stand in the formula of {of}, but {children} depends on it. See what moves in turn when {by} "
        "moves."),
    row("outer-twice", "U6", "the outermost derivative is multiplied in again", "upstream := dL/dc x dL/dD", 7.5,
        upstream_rule(head_twice), "The chain is started afresh on every line, from a number that holds it already.",
        "What came back to {children} holds all steps above it already. This line multiplies one of them in again."),
    row("not-reset", "V1", "everything is doubled: the first run's numbers were not cleared", "dL/dn := 2 dL/dn", 8.0,
        everywhere(seed=twice), "The store was not set to zero before the second run.",
        "These are the numbers of two runs together. See what the store held before this one began."),
    # The catalogue has only the row above. The published example it cites shows this one: the intermediate numbers pile
    # up too, and what they send on the second run is their first and second together.
    row("not-reset-piling-up", "V1", "the first run's numbers were not cleared, and pile up",
        "gather := first run's + sum", 8.0,
        everywhere(gather=accumulated), "Every store kept its number, and the second run sends on what it finds there.",
        "The number here holds more than one run. See what each store held before this run began."),
    # And a third way not to clear: between the rows of a Jacobian, output after output.
    row("not-reset-between-outputs", "V1", "the derivatives of the output before were not cleared",
        "dL2/dn := dL1/dn + dL2/dn", 9.0,
        everywhere(stale=True), "One store serves several outputs, one after the other.",
        "The number here holds more than the derivative of one output. See what the store held before this one."),
    row("plus-one", "V2", "1 is added for the unit itself", "gather := sum + 1", 9.0,
        everywhere(report=plus_one), "dn/dn = 1 is counted at every unit.",
        "Each summand on this line should belong to an arrow out of {by}. Find the one that belongs to none."),
    # -- local derivatives -----------------------------------------------------------------------------------
    row("weights-left-out", "E1", "the weights are left out going back", "dc/dn := 1", 5.5,
        on_arrows(lambda page, way, w: 1), "Derivatives are handed on unchanged along arrows.",
        "This line hands on what came back as it is. Ask how much {children} moves when {by} moves by 1."),
    row("value-for-weight", "E2", "the value stands where the weight belongs", "d(w x)/dx := x", 6.0,
        on_arrows(lambda page, way, w: page.value[way.parent]), "The derivative by w is taken for the derivative by x.",
        "In w times x two things could move. This line lets the weight move; here it is {by} that moves."),
    row("next-value-for-slope", "E3", "the next unit's value stands where the slope belongs",
        "dc/dn := value of c", 7.5,
        on_arrows(lambda page, way, w: page.value[way.child]), "Height and slope of the next unit are confused.",
        "This line uses how large {children} is. What is needed is how fast it changes with {by}."),
    row("whole-term", "E4", "the term w x is kept as it is", "d(w x)/dx := w x", 7.0,
        on_arrows(lambda page, way, w: w * page.value[way.parent]), "The term is copied, not differentiated.",
        "This line keeps the whole term. Take its derivative by {by} and see which letter is left."),
    row("signs-dropped", "E5", "minus signs of weights are dropped", "dc/dn := |w|", 6.0,
        on_arrows(lambda page, way, w: abs(w), written_right=True), "Only the size of a weight is copied.",
        "The size on this line is the weight's. Check its direction: when {by} goes up, does {children} go up?"),
    row("upside-down", "E6", "the local derivative is turned upside down", "dc/dn := 1/w", 8.0,
        on_arrows(upside_down), "dy/dx is read as a division and turned over.",
        "This line divides where an arrow's weight stands. Read the fraction aloud: change of what, per change of "
        "what?"),
    row("added-along", "E7", "factors along a way are added", "send := upstream + w", 7.5,
        everywhere(send=added_along, gather=unsaid), "Steps in a row are treated like ways side by side.",
        "This line adds the steps of one way. Think of two gears in a row: how do their ratios combine?"),
    row("arrows-negated", "E8", "every weight is negated going back", "dc/dn := -w", 8.0,
        on_arrows(lambda page, way, w: -w), "A minus for going back.",
        "There is a minus on this line for each arrow. Going back turns the order round; look whether it turns the "
        "sign."),
    row("zero-as-one", "E9", "a weight of 0 is used as 1", "w = 0 -> 1", 7.5,
        on_arrows(lambda page, way, w: w or 1, written_right=True),
        "An arrow is drawn, so something must come through.",
        "One arrow out of {by} has the weight 0. Say what it passes on."),
    row("weight-squared", "E10", "the weight is used twice", "dc/dn := w^2", 8.5,
        on_arrows(lambda page, way, w: w * w), "The weight is multiplied in on the way out and on the way in.",
        "Count how often the weight of one arrow stands in this line, and how often it stands in the formula."),
    row("inner-slope-inside", "E11", "the inner slope is put inside the bracket", "f'(g g') for f'(g) g'", 8.5,
        slope(lambda d: ((2 * d.scale, d.prediction * d.inner - d.target, Fraction(1) / Fraction(d.inner or 1)),)
              if d.inner != 1 and d.inner else right.loss(d)),
        "The inner derivative is known to be needed, its place is not.",
        "The inner slope is on this line, inside the bracket. See whether the bracket should change when only its "
        "slope is asked."),
    row("table-by-columns-back", "X1", "the table of weights is used untransposed going back", "W g for W^T g", 6.0,
        everywhere(factor=transposed_back, written_right=True),
        "The matrix is applied in the same direction as forward.",
        "Write down the arrows that leave {by}, one by one. This line uses weights of arrows that lead elsewhere."),
    row("table-by-columns-forward", "X2", "the table of weights is read by columns going forward", "W^T x", 7.0,
        everywhere(forward=transposed_forward, written_right=True), "Rows and columns of the table are exchanged.",
        "Check which weight stands on which arrow: put a finger on the arrow and read its number."),
    row("table-by-columns", "X3", "the table of weights is read by columns in both directions", "W := W^T", 7.0,
        everywhere(forward=transposed_forward, factor=transposed_back, written_right=True),
        "Rows and columns of the table are exchanged throughout.",
        "Forward and back agree with each other, with the weights of other arrows. Check which weight stands on which "
        "arrow."),
    # -- the loss: slope -------------------------------------------------------------------------------------
    row("factor-two-lost", "N1", "the factor 2 of the square is lost", "dL/dD := D - t", 5.0,
        slope(lambda d: ((d.scale, off(d)),)), "The exponent is taken away without coming down in front.",
        "The bracket is there. Differentiate the square again, slowly, and see what comes in front of it."),
    row("target-dropped", "N2", "the target is left out of the bracket", "dL/dD := 2 D", 6.0,
        slope(lambda d: ((2 * d.scale, d.prediction),)), "The square is differentiated as if D alone were squared.",
        "The rule for a square is used. Look again at what is squared."),
    row("wrong-way-round", "N3", "the difference is taken the wrong way round", "dL/dD := 2 (t - D)", 5.0,
        slope(lambda d: ((2 * d.scale, -off(d)),)), "Target minus output, from another text, without the inner minus.",
        "The size is that of the slope. Check the direction: should {of} grow or shrink when {by} grows a little?"),
    row("exponent-kept", "N4", "the exponent is not lowered", "dL/dD := 2 (D - t)^2", 5.5,
        slope(lambda d: ((2 * d.scale, off(d) * off(d)),)), "The 2 comes down and stays up as well.",
        "The 2 stands in front. Say what happens to the exponent when it comes down."),
    row("bracket-lost", "N5", "only the 2 is left", "dL/dD := 2", 6.5,
        slope(lambda d: ((2 * d.scale,),)), "The power rule ends with the number in front.",
        "The 2 in front is there. A parabola is not equally steep everywhere: see what else the slope depends on."),
    row("starts-from-loss", "N6", "the way back starts with the value of L", "seed := L", 7.0,
        everywhere(seed=from_the_loss),
        "The last number of the forward pass is taken as the first of the backward pass.",
        "The way back starts with the value of {of}. Ask how much {of} moves when {of} itself moves by 1."),
    row("loss-for-slope", "N7", "the value of the loss is used as its slope", "dL/dD := L", 6.5,
        slope(lambda d: ((d.value,),)), "The height of the loss is carried back.",
        "This number says how large {of} is. The line asks how steep it is."),
    row("output-for-slope", "N8", "the output is used as the slope of the loss", "dL/dD := D", 7.0,
        slope(lambda d: ((d.prediction,),)), "The last unit's number is carried back.",
        "This number says how large {by} is. The line asks how {of} changes with it."),
    row("loss-forgotten", "N9", "the way back starts with 1 at the output unit", "dL/dD := 1", 5.5,
        slope(lambda d: ((1,),)), "The derivative of D instead of the derivative of L.",
        "This line treats {by} as the quantity that is differentiated. One step lies above it: the loss."),
    row("target-differentiated", "N10", "the target is differentiated as if it varied",
        "dL/dD := 2 (D - t)(1 - t)", 7.5,
        slope(lambda d: ((2 * d.scale, off(d), 1 - d.target),)), "The inner derivative keeps the constant.",
        "The outer part is right. In the inner one, say how fast the target changes when {by} does."),
    row("target-as-inner", "N11", "the target is used as the inner derivative", "dL/dD := 2 (D - t)(-t)", 8.0,
        slope(lambda d: ((2 * d.scale, off(d), -d.target),)),
        "What is left over in the bracket is taken for its derivative.",
        "The outer part is right. Take the derivative of the bracket by {by} once more, term by term."),
    row("half-multiplied-out", "N12", "the 2 reaches only the first term of the bracket", "dL/dD := 2 D - t", 7.0,
        slope(lambda d: ((2 * d.scale, d.prediction), (-d.scale * d.target,))),
        "2 times a bracket is multiplied out halfway.",
        "The 2 stands before a bracket. Check which terms of the bracket it has reached."),
    row("integrated", "N13", "the loss is integrated", "dL/dD := (D - t)^3/3", 8.5,
        slope(lambda d: ((over(d.scale, 3), off(d) * off(d) * off(d)),)),
        "The rule for powers is run in the other direction.",
        "Here the exponent has gone up. See whether the rule that is used finds a slope or an area."),
    # -- the loss: value, and other forward habits -----------------------------------------------------------
    row("square-lost", "F1", "the square is not carried out", "L := D - t, dL/dD = 2 (D - t)", 6.0,
        reading(lambda d: d.left - d.right), "The exponent is lost in copying.",
        "The difference is there. Read the formula of {of} again and see what is done to it."),
    row("loss-is-difference", "F2", "the loss is read as the difference", "L := D - t, dL/dD := 1", 7.0,
        reading(lambda d: d.left - d.right, lambda d: ((d.scale if not d.flipped else -d.scale,),)),
        "The loss is taken for the error itself.",
        "Value and slope belong to the plain difference. Read the formula of {of} again."),
    row("square-on-first", "F3", "only the first term is squared", "L := D^2 - t", 7.0,
        reading(lambda d: d.left * d.left - d.right), "The exponent is taken to belong to one letter.",
        "A square is there. Check how far the bracket reaches."),
    row("squares-subtracted", "F4", "each term is squared on its own", "L := D^2 - t^2", 6.5,
        reading(lambda d: d.left * d.left - d.right * d.right), "The square is drawn into the bracket.",
        "Both squares are there. Multiply the bracket out in full and compare."),
    row("plus-in-bracket", "F5", "the target is added instead of subtracted", "L := (D + t)^2", 8.0,
        reading(lambda d: (d.prediction + d.target) * (d.prediction + d.target),
                lambda d: ((2 * d.scale, d.prediction + d.target),)),
        "The sign in the bracket is misread.",
        "Value and slope belong together. Compare the sign in the bracket with the formula as given."),
    row("half-assumed", "F6", "a factor 1/2 is assumed", "L := (D - t)^2/2", 5.5,
        reading(lambda d: over(d.value, 2), lambda d: ((d.scale, off(d)),)),
        "Another text defines the loss so.",
        "Value and slope belong to another common loss. Compare with the one this exercise gives."),
    row("square-as-doubling", "F7", "the square is worked out as doubling", "L := 2 (D - t)", 7.5,
        reading(lambda d: 2 * (d.left - d.right)), "Squared and doubled are mixed up.",
        "The number in the bracket is doubled here. See what the exponent asks for."),
    row("minus-before-square", "F8", "a minus is left before the square", "L := -(D - t)^2", 8.0,
        reading(lambda d: -d.value), "The sign of the difference outlives the square.",
        "The size is that of the square. Say which sign a square can have."),
    row("layer-skipped", "F9", "a layer is computed from the layer before its own inputs", "inputs of C := A", 8.0,
        layers_to_skip, "The first layer's numbers are put in again.",
        "The weights are those of the arrows. See at which units these arrows begin."),
    row("new-row-too-early", "F10", "a new value is used before its row is done", "B2 from the new B1", 8.0,
        everywhere(forward=too_early), "The row is overwritten while it is still needed.",
        "The first unit of the row is computed from the old row. See which row the next one uses."),
    # -- what is written down --------------------------------------------------------------------------------
    row("times-value", "R1", "the derivative is multiplied with the value", "report dL/dn x n", 7.5,
        reported(times_value), "The share of a unit is written in place of its slope.",
        "The chain is there, and the value of {by} behind it. See whether the question asks for that last factor."),
    row("after-step", "R2", "the value after a step is written", "report n - dL/dn", 7.5,
        reported(after_a_step), "The update is made at once.",
        "This is where {by} would stand after a step. The line asks for the slope alone."),
    row("downhill", "R3", "the downhill direction is written", "report -dL/dn", 6.5,
        reported(downhill), "The sign of the step is taken into the derivative.",
        "The size is there. Say which one is asked: the direction in which {of} grows, or the one in which it falls."),
    row("labels-exchanged", "R5B", "two names are exchanged", "dL/dB2 stands under B1 and back", 7.0,
        labels_exchanged, "The lines of a layer change places.",
        "Both numbers of this layer are needed. Check the names at the left of the two lines.", "slip"),
    # -- derivatives by weights ------------------------------------------------------------------------------
    row("weight-input-forgotten", "W1", "the value at the tail is left out for weights", "dL/dw := dL/d(head)", 5.5,
        weight_times(lambda page, way: 1), "The derivative at the head is taken for that of its weights.",
        "What came back to {children} is there. Ask how much {children} moves when {by} moves by 1."),
    row("weight-head-value", "W2", "the value at the head is used for weights", "dL/d(head) x value of head", 7.0,
        weight_times(lambda page, way: page.value[way.child]),
        "The unit the arrow ends at is taken for the one it starts from.",
        "One factor came back to {children}. The other is the value that {by} multiplies: see which unit that is."),
    row("weight-times-weight", "W3", "a weight's derivative is multiplied with the weight", "dL/d(head) x w", 7.0,
        weight_times(lambda page, way: page.value[way.parent]), "The rule for units is used for weights.",
        "In w times x, here it is w that moves. See which letter is left."),
    row("weight-no-upstream", "W4", "a weight's derivative is the value at its tail", "dL/dw := value of tail", 6.0,
        weight_from(lambda page, way: 1), "The local derivative is taken for the answer.",
        "This is how {children} moves with {by}. Bring in how {of} moves with {children}."),
    row("weight-table-turned", "W5", "the table of the weights' derivatives is turned", "dW := x g^T for g x^T", 7.5,
        everywhere(weight_upstream=mirrored_head, weight_factor=mirrored_tail),
        "Rows and columns of the outer product are exchanged.",
        "These numbers stand in the table, at mirrored places. Check for one arrow which unit it starts from and "
        "where it ends."),
    row("weight-tail-gradient", "W6", "what came back to the tail is used for weights",
        "dL/d(tail) x value of tail", 7.5,
        weight_from(lambda page, way: page.back[way.partner]), "The wrong end of the arrow is taken.",
        "The value at the tail is right. See at which end of its arrow {by} acts."),
    row("weight-heads-added", "W7", "for weights, what came back to all heads is added",
        "sum over heads x value of tail", 8.0,
        weight_from(all_heads), "The sum over ways is made for weights as well.",
        "A unit may have several arrows; a weight stands on one. See which of these summands belong to {by}."),
    row("weight-middle-skipped", "W8", "the last derivative is used for all weights", "dL/dD x value of tail", 7.0,
        weight_from(from_the_head), "One number is carried to all earlier layers.",
        "Between {by} and the output unit stands {children}. Use what came back to it."),
    # -- activations -----------------------------------------------------------------------------------------
    row("bend-forgotten", "ACT1", "the slope of the activation is left out", "f' := 1", 5.0,
        bends(lambda page, op, seat, z, a: 1), "The activation is passed as if it were an arrow of weight 1.",
        "The way back passes through an activation here. Put in its slope at this point."),
    # The catalogue's numbers for ACT2 and ACT3 come out only if the mask is wrong at the last gates; at all, dA = 0.
    row("mask-by-gradient", "ACT2", "the gate is set by the sign of what comes back", "mask := [g > 0]", 7.5,
        gates(lambda page, op, seat, z, a: 1 if seat.upstream > 0 else 0),
        "The gate is applied to the number that passes it.",
        "A gate is on this line. Say which number decided, on the way forward, whether it is open."),
    row("mask-inverted", "ACT3", "the gate is open where it should be closed", "mask := [z <= 0]", 8.0,
        gates(lambda page, op, seat, z, a: 1 if z <= 0 else 0), "Open and closed are exchanged.",
        "A gate is on this line. Look at the sum before it and at what the gate did to it going forward."),
    # The catalogue's dB = (-8, 0) is the derivative behind B's gate (by z); by B itself it is (-8, 8).
    row("mask-elsewhere", "ACT4", "the gate of another layer is used", "mask taken from another layer", 8.0,
        bends(mask_elsewhere, *sorted(GATES)), "The masks are indexed one layer off.",
        "A gate is on this line. Check that the sum you looked at is the one before this very gate."),
    row("value-for-bend", "ACT5", "the activation's value is used as its slope", "f' := f(z)", 6.5,
        bends(lambda page, op, seat, z, a: a), "Height and slope of the activation are confused.",
        "This line uses how large the activation is. Put in how steep it is there."),
    row("bend-at-wrong-point", "ACT6", "the activation's slope is taken at the wrong number", "f'(a), or z(1 - z)", 7.0,
        either(on_bends(at_output, frozenset(["sigmoid", "tanh"])), on_bends(formula_of_z, frozenset(["sigmoid",
        "tanh"]))),
        "One formula of the slope is in z, another in a; they are mixed.",
        "The slope can be written with z or with a. See which letter your formula wants, and which number you put in."),
    row("wrong-curve", "ACT7", "the slope of another activation is used", "1 - a^2 for a(1 - a)", 7.0,
        bends(wrong_curve, "sigmoid", "tanh"), "The formulas of two S-shaped curves are exchanged.",
        "This formula belongs to a similar curve. Check which one the unit has."),
    row("half-the-slope", "ACT8", "one factor of the activation's slope is left out", "1 - a for a(1 - a)", 7.0,
        bends(half_slope, "sigmoid", "tanh"), "The formula is remembered halfway.",
        "One part of the activation's slope is here. See how many factors it has."),
    row("bend-sign-lost", "ACT9", "the activation's slope has the wrong sign", "inner -1 lost", 8.0,
        bends(minus_slope, "sigmoid", "tanh"), "In 1/(1 + e^-z) the inner minus is forgotten.",
        "The size of the slope is right. Say whether this curve rises or falls."),
    row("gate-forgotten-forward", "ACT10", "the gate is forgotten going forward only", "a := z, mask kept", 7.5,
        everywhere(forward=open_gates), "The sum is passed on as it is; the gate is remembered on the way back.",
        "Going back, the gate is there. Say what it does to this sum going forward."),
    # -- branches, products, quotients -----------------------------------------------------------------------
    row("skip-dropped", "G1", "the branch past a layer is left out", "keep := without the skip branch", 6.5,
        everywhere(keep=without_skip), "Only what goes through the layer is followed.",
        WAYS + " This line has what goes through the layer. Look for the arrow that goes past it."),
    row("only-skip", "G2", "only the branch past a layer is kept", "keep := the skip branch", 8.5,
        everywhere(keep=only_skip), "The short way is taken for the only one.",
        WAYS + " This line has the branch that goes past the layer. Follow the one through it as well."),
    row("shared-once", "G3", "one use of a shared weight is counted", "keep := the first use of w", 6.0,
        everywhere(keep=first_use), "A weight is thought to stand in one place.",
        "{by} is used in {ways} places. This line has one of them. Follow the others as well, and add."),
    row("own-factor", "G4", "a product is differentiated to its own factor", "d(u v)/du := u", 7.5,
        on_operation("*", lambda seat, args, y: args[seat.position]), "The factor that moves is written down.",
        "Two units are multiplied here. Hold the other one fixed, and see what multiplies {by}."),
    row("product-as-sum", "G5", "a product is differentiated like a sum", "d(u v)/du := 1", 7.5,
        on_operation("*", lambda seat, args, y: 1), "What comes back is handed to both factors.",
        "Two units are multiplied here. Ask how much the product moves when {by} moves by 1."),
    row("max-to-both", "G6", "a maximum sends back to both", "d max(u, v) := 1 and 1", 7.5,
        on_operation("max min", lambda seat, args, y: 1), "What comes back is handed to both arguments.",
        "Move the smaller argument a little in thought: does the result notice?"),
    row("quotient-sign-lost", "G7", "the minus of the quotient rule is lost", "d(u/v)/dv := u/v^2", 7.5,
        on_operation("/", lambda seat, args, y: small(Fraction(1) * y / args[1]) if seat.position else None),
        "The size of the slope is remembered, its sign is not.",
        "The size is right. Say whether a quotient grows or shrinks when its divisor grows."),
    # -- slips at one place ----------------------------------------------------------------------------------
    row("branch-dropped", "S1", "one way is left out here", "keep := without one arrow", 5.5,
        lambda sheet: arrows_of(sheet, dropped, several=True), "One arrow is overlooked.",
        WAYS + " This line has fewer. Count the arrows that leave {by}.", "slip"),
    row("branch-twice", "S2", "one way is counted twice here", "one arrow kept twice", 8.5,
        lambda sheet: arrows_of(sheet, doubled), "One arrow is worked out twice.",
        "Count the summands of this line and the arrows that leave {by}.", "slip"),
    row("term-dropped", "S3", "one term is left out of a sum going forward", "one arrow left out forward", 7.0,
        lambda sheet: arrows_of(sheet, left_out), "One arrow is overlooked.",
        "Count the arrows that lead into this unit and the terms of the line.", "slip"),
    row("weight-misread", "S4", "a weight is read differently, in both directions", "w := w' in both passes", 6.0,
        lambda sheet: arrows_of(sheet, lambda way: misread(way, negative, "both")), "The drawing is misread.",
        "Compare the weight on this arrow with the drawing.", "misread"),
    row("weight-misread-back", "S5", "a weight is read differently going back", "w := w' going back", 7.0,
        lambda sheet: arrows_of(sheet, lambda way: misread(way, negative, "backward")), "The weight is copied wrongly.",
        "Compare the weight on this line with the one you used going forward.", "misread"),
    row("weight-misread-forward", "S6", "a weight is read differently going forward", "w := w' going forward", 7.5,
        lambda sheet: arrows_of(sheet, lambda way: misread(way, negative, "forward")), "The weight is copied wrongly.",
        "Compare the weight on this line with the drawing.", "misread"),
    row("sign-slip", "S7", "the sign changes here", "n := -n", 6.0,
        signs, "A minus is lost or added in reckoning.",
        "The size on this line fits. Go through its signs once more.", "slip"),
    row("minus-times-minus", "T1", "minus times minus is left minus", "(-)(-) := -", 7.0,
        lambda sheet: arrows_of(sheet, two_minuses), "The sign rule slips.",
        "Two negative numbers are multiplied on this line. Check the sign of their product.", "slip"),
    row("input-sign-misread", "T2", "an input is read with the other sign", "A1 := -A1", 7.0,
        input_signs, "A minus is overlooked.",
        "Compare the inputs with the exercise.", "misread"),
    row("inputs-exchanged", "T3", "two inputs are exchanged", "A1 <-> A2", 7.5,
        inputs_exchanged, "The inputs are read in another order.",
        "Compare the inputs with the exercise: which number belongs to which unit?", "misread"),
    row("target-misread", "T4", "the target is read differently", "t := t'", 6.5,
        target_signs, "The target is copied wrongly.",
        "Compare the target with the exercise.", "misread"),
)
# fmt: on


@cache
def by_key() -> dict[str, Misconception]:
    """The rows by their names.

    >>> by_key()["one-path-straight"].id
    'P1'
    """
    return {one.key: one for one in TABLE}
