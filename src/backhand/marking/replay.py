"""What somebody with a habit gets: propagation over a Sheet, where every rule can be another.

`core.rules` has the six rules of calculus on formulas. A habit also depends on what stands where: the neighbour's
gradient, the weight read by columns, the way straight across. A Practice is the same six rules, each told the Page (the
sheet with all numbers so far) and the Way it acts on; `RIGHT` is calculus, `replace(RIGHT, keep=straight)` is somebody:

    forward    the value of a quantity                     givens    given numbers misread, in both passes
    reading    the value of the square in the loss         loss      its slope, as the factors one writes
    seed       what the output starts with                 local     the slope of an elementary operation in a formula
    upstream   what comes back to the child                keep      the ways that are counted
    factor     the local derivative of a way               gather    what is made of them
    send       upstream x factor                           report    what is written down, and carried on
    weight_upstream, weight_factor      the same two where the derivative by a weight is asked

Replay *follows through*: a number the person has claimed is carried on, whatever was predicted for it. So each line is
judged as the one step that it is, and one slip does not make the later lines wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from backhand.core import evaluate as ev
from backhand.core import rules
from backhand.core.arithmetic import NoValue, TooLarge
from backhand.core.formula import Apply, Num, Ref
from backhand.core.graph import Graph
from backhand.core.operations import Operation
from backhand.errors import BackhandError
from backhand.marking.about import About, Derivative, Local, Value
from backhand.marking.sheet import NAN, Amount, Sheet, Square, Tree, Way, exact, sheet_of, small
from backhand.numbers import Number

if TYPE_CHECKING:
    from backhand.marking.misconceptions import Misconception

Terms: TypeAlias = tuple[tuple[Amount, ...], ...]
"""A written expression: its summands, each as the tuple of its factors."""


class Difference(NamedTuple):
    """The square of a difference at its numbers: `scale` (prediction - target)^2; `inner` is the slope of the
    prediction by the unit in it; `value` is what stands as the value of the loss."""

    prediction: Amount
    target: Amount
    scale: Amount
    inner: Amount
    value: Amount
    flipped: bool = False

    @property
    def left(self) -> Amount:
        return self.target if self.flipped else self.prediction

    @property
    def right(self) -> Amount:
        return self.prediction if self.flipped else self.target


class Seat(NamedTuple):
    """Where an elementary operation sits: in whose formula, which argument is asked, what came from above, and whether
    units are in all its arguments."""

    child: int
    position: int
    upstream: Amount
    all_vary: bool


class Sent(NamedTuple):
    """What one way sends back."""

    way: Way
    upstream: Amount
    factor: Amount
    product: Amount
    terms: Terms | None = None


class Gathered(NamedTuple):
    """What a quantity makes of it: the number, and the expression one writes (None: not known)."""

    total: Amount
    terms: Terms | None


# -- the right rules -----------------------------------------------------------------------------------------


def seed(page: Page) -> Amount:
    """dL/dL = 1."""
    return 1


def upstream(page: Page, way: Way) -> Amount:
    """What was gathered at the child."""
    return page.back[way.child]


def factor(page: Page, way: Way, above: Amount) -> Amount:
    """The partial derivative of the child by this occurrence."""
    return page.slope[way.number]


def send(page: Page, way: Way, above: Amount, slope: Amount) -> Amount:
    """Chain rule: upstream x local."""
    return above * slope


def keep(page: Page, unit: int, sent: Sequence[Sent]) -> Sequence[Sent]:
    """All ways."""
    return sent


def gather(page: Page, unit: int, sent: Sequence[Sent]) -> Gathered:
    """The sum over all ways."""
    if len(sent) == 1:
        one = sent[0]
        return Gathered(one.product, one.terms or ((one.upstream, one.factor),))
    total: Amount = 0
    terms: list[tuple[Amount, ...]] = []
    for one in sent:
        total = total + one.product
        terms += one.terms or ((one.upstream, one.factor),)
    return Gathered(total, tuple(terms))


def report(page: Page, unit: int, gathered: Gathered) -> Gathered:
    """As it is."""
    return gathered


def loss(difference: Difference) -> Terms:
    """d/dp scale (p - t)^2 = 2 scale (p - t)."""
    return ((2 * difference.scale, difference.prediction - difference.target),)


Forward: TypeAlias = "Callable[[Page, int], Amount | None]"
Reading: TypeAlias = Callable[[Difference], Amount]
Loss: TypeAlias = Callable[[Difference], Terms]
LocalRule: TypeAlias = "Callable[[Page, Operation, Seat, Sequence[Amount], Amount], Amount | None]"
WayRule: TypeAlias = "Callable[[Page, Way], Amount]"
FactorRule: TypeAlias = "Callable[[Page, Way, Amount], Amount]"
SendRule: TypeAlias = "Callable[[Page, Way, Amount, Amount], Amount]"
KeepRule: TypeAlias = "Callable[[Page, int, Sequence[Sent]], Sequence[Sent]]"
GatherRule: TypeAlias = "Callable[[Page, int, Sequence[Sent]], Gathered]"
ReportRule: TypeAlias = "Callable[[Page, int, Gathered], Gathered]"


@dataclass(frozen=True, slots=True, eq=False)
class Practice:
    """How somebody propagates; `dataclasses.replace(RIGHT, ...)` makes another. None means: as in calculus."""

    forward: Forward | None = None
    givens: Mapping[int, Amount] | None = None
    reading: Reading | None = None
    loss: Loss = loss
    local: LocalRule | None = None
    seed: Callable[[Page], Amount] = seed
    upstream: WayRule = upstream
    factor: FactorRule = factor
    send: SendRule = send
    keep: KeepRule = keep
    gather: GatherRule = gather
    report: ReportRule = report
    weight_upstream: WayRule = upstream
    weight_factor: FactorRule = factor
    labels: Mapping[int, int] | None = None
    """Whose derivative stands under whose name."""
    stale: bool = False
    """Whether the derivatives of one output are added to those of the output before."""
    written_right: bool = False
    """Whether formulas in names come out right all the same, because only numbers are taken or reckoned wrongly."""

    @property
    def changed(self) -> tuple[str, ...]:
        """The rules that are not those of calculus. Two practices with a rule in common cannot be one person's."""
        return tuple(name for name in SLOTS if getattr(self, name) is not getattr(RIGHT, name))

    @property
    def plainly(self) -> bool:
        """Whether each way sends what it should; only what is made of it may differ."""
        return (
            self.upstream is upstream
            and self.factor is factor
            and self.send is send
            and self.weight_upstream is upstream
            and self.weight_factor is factor
        )

    @property
    def reads_differently(self) -> bool:
        """Whether the forward pass differs."""
        return self.forward is not None or self.givens is not None or self.reading is not None


SLOTS = tuple(f.name for f in fields(Practice) if f.name != "written_right")
RIGHT = Practice()
"""The rules of calculus."""


# -- somebody's own numbers ----------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Told:
    """The numbers somebody claimed, by position in the sheet, and how far each may be rounded."""

    values: dict[int, Amount] = field(default_factory=dict[int, Amount])
    derivatives: dict[int, Amount] = field(default_factory=dict[int, Amount])
    locals: dict[tuple[int, int], Amount] = field(default_factory=dict[tuple[int, int], Amount])
    value_slack: dict[int, float] = field(default_factory=dict[int, float])
    derivative_slack: dict[int, float] = field(default_factory=dict[int, float])
    from_sums: bool = False
    """Whether the slope of a bend is taken from his sum, tanh'(z), and not from its value, 1 - h^2."""

    def relabelled(self, labels: Mapping[int, int]) -> Told:
        """The same numbers, each derivative taken for the one it really is."""
        moved = {labels.get(by, by): number for by, number in self.derivatives.items()}
        return replace(self, derivatives=moved)


NOTHING = Told()


def within_bounds(number: Amount) -> Amount:
    """The number, or nan where it is longer than anybody writes: parallel ways multiplied grow beyond all bounds."""
    if type(number) is int:
        return NAN if number.bit_length() > LONGEST else number
    if isinstance(number, Fraction) and number.denominator.bit_length() + number.numerator.bit_length() > LONGEST:
        return NAN
    return number


LONGEST = 2_000
"""Bits of a number that a replay goes on with."""


def carried(claim: Amount, predicted: Amount, slack: float | None) -> Amount:
    """The number that is used from here on: the claim; where it is the prediction rounded, the prediction."""
    if slack is not None and abs(claim - predicted) <= slack:
        return predicted
    return claim


# -- the two passes ------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Page:
    """One replay: what is predicted for each line (`values`, `derivatives`), and what is carried on from it (`value`,
    `back`). `slope` has the partial derivative of each way; `expression` how each derivative is written; `first` the
    right page of the same values, for habits that keep numbers of an earlier run."""

    sheet: Sheet
    practice: Practice
    told: Told
    values: list[Amount]
    value: list[Amount]
    slope: list[Amount]
    back: list[Amount] = field(default_factory=list[Amount])
    derivatives: dict[int, Amount] = field(default_factory=dict[int, Amount])
    expression: dict[int, Terms | None] = field(default_factory=dict[int, Terms | None])
    loss_terms: dict[int, Terms] = field(default_factory=dict[int, Terms])
    first: Page | None = None

    def sum_with(
        self, unit: int, tail: Callable[[Way], Amount], weight: FactorRule = lambda page, way, slope: slope
    ) -> Amount:
        """The value of a sum if its arrows had other values at their tails, or other weights."""
        total = _value(self, unit)
        for way in self.sheet.into[unit]:
            if way.kind == "arrow":
                coefficient = coefficient_of(self, way)
                total = total + weight(self, way, coefficient) * tail(way) - coefficient * self.value[way.parent]
        return total


def run(
    sheet: Sheet,
    practice: Practice,
    told: Told = NOTHING,
    base: Page | None = None,
    order: Sequence[int] | None = None,
) -> Page:
    """Forward and back under a practice. `base` is a page of the same numbers whose forward pass may be used again;
    `order` is the sheet's, perhaps without weights that nobody asks for."""
    if practice.labels:
        told = told.relabelled(practice.labels)
    if base is not None and not practice.reads_differently:
        page = Page(sheet, practice, told, base.values, base.value, base.slope, loss_terms=base.loss_terms)
        if practice.local is not None or practice.loss is not loss:
            page.slope, page.loss_terms = list(base.slope), {}
    else:
        page = begun(sheet, practice, told)
        _all_slopes(page)
    _backward(page, sheet.order if order is None else order)
    return page


def begun(sheet: Sheet, practice: Practice = RIGHT, told: Told = NOTHING) -> Page:
    """Only forward: who has seen enough there needs not go back."""
    count = len(sheet.names)
    page = Page(sheet, practice, told, [NAN] * count, [NAN] * count, [NAN] * len(sheet.ways))
    _forward(page)
    return page


def finished(page: Page, order: Sequence[int]) -> Page:
    """A page that was begun, with its way back."""
    _all_slopes(page)
    _backward(page, order)
    return page


def _all_slopes(page: Page) -> None:
    for child, tree in enumerate(page.sheet.trees):
        if tree is not None and child in page.sheet.needed:
            _slopes(page, child, 1)


def _forward(page: Page) -> None:
    sheet, practice = page.sheet, page.practice
    givens = practice.givens or {}
    for i, given in enumerate(sheet.given):
        number = givens.get(i, given)
        if number == number:
            _write(page, i, number)
    for i, quantity in enumerate(sheet.quantities):
        if quantity.computed:
            special = practice.forward(page, i) if practice.forward else None
            _write(page, i, _value(page, i) if special is None else special)


def _write(page: Page, i: int, predicted: Amount) -> None:
    """A value as predicted; carried on is his own, if he has one."""
    page.values[i] = predicted
    claim = page.told.values.get(i)
    page.value[i] = predicted if claim is None else carried(claim, predicted, page.told.value_slack.get(i))


def _value(page: Page, i: int) -> Amount:
    """The value of a quantity's formula at the page's numbers."""
    tree = page.sheet.trees[i]
    assert tree is not None
    if tree.terms is not None:
        total: Amount = 0
        for number, first, second in tree.terms:
            part = number
            if first >= 0:
                part = part * page.value[first]
            if second >= 0:
                part = part * page.value[second]
            total = total + part
        return total
    return _worth(page, i, tree)[-1]


def _worth(page: Page, i: int, tree: Tree) -> list[Amount]:
    """The value of every part of a formula."""
    squares = {square.at: square for square in tree.squares} if page.practice.reading else {}
    found: list[Amount] = []
    for at, node in enumerate(tree.nodes):
        if isinstance(node, Ref):
            found.append(page.value[page.sheet.index[node.name]])
        elif isinstance(node, Num):
            found.append(small(node.value))
        elif isinstance(node, Apply):
            result = apply(node.operation, [found[a] for a in tree.inputs[at]])
            if at in squares:
                assert page.practice.reading is not None
                square = squares[at]
                sides = found[square.prediction], found[square.target]
                result = page.practice.reading(Difference(*sides, 1, 1, result, square.flipped))
            found.append(result)
        else:
            found.append(NAN)
    return found


def coefficient_of(page: Page, way: Way) -> Amount:
    """The coefficient of an arrow, before slopes are known."""
    tree = page.sheet.trees[way.child]
    assert tree is not None
    if tree.terms is not None:
        at = 0
        mine = way.number - page.sheet.into[way.child][0].number
        for number, first, second in tree.terms:
            for name, other in ((first, second), (second, first)):
                if name >= 0:
                    if at == mine:
                        return number * page.value[other] if other >= 0 else number
                    at += 1
    return _inside(page, way.child, tree, 1)[0][way.number - page.sheet.into[way.child][0].number]


def _slopes(page: Page, child: int, above: Amount) -> None:
    """The partial derivatives of a quantity by each name in its formula."""
    tree = page.sheet.trees[child]
    assert tree is not None
    ways = page.sheet.into[child]
    if tree.terms is not None:
        at = iter(ways)
        for number, first, second in tree.terms:
            if first >= 0:
                page.slope[next(at).number] = number * page.value[second] if second >= 0 else number
            if second >= 0:
                page.slope[next(at).number] = number * page.value[first]
        return
    slopes, terms = _inside(page, child, tree, above)
    for way, slope in zip(ways, slopes, strict=True):
        page.slope[way.number] = slope
        if way.occurrence in terms and way.kind == "loss":
            page.loss_terms[way.number] = terms[way.occurrence]


def _inside(page: Page, child: int, tree: Tree, above: Amount) -> tuple[list[Amount], dict[int, Terms]]:
    """Back through the elementary operations of one formula; where the prediction of a square is just a name, also the
    factors one writes for it."""
    worth = _worth(page, child, tree)
    if child in page.told.values and not page.told.from_sums:
        worth[-1] = page.value[child]  # a slope in terms of the value is taken from his own
    squares = {square.at: square for square in tree.squares}
    coming: list[Amount] = [0] * len(tree.nodes)
    coming[-1] = 1
    written: dict[int, Terms] = {}
    for at in range(len(tree.nodes) - 1, -1, -1):
        node = tree.nodes[at]
        if not isinstance(node, Apply) or not node.args:
            continue
        if at in squares:
            terms = _loss(page, child, tree, squares[at], scale=coming[at], worth=worth)
            _spread(squares[at], coming, terms, worth)
            written[squares[at].prediction] = terms
        elif not any(at == square.inside for square in tree.squares):
            args = [worth[a] for a in tree.inputs[at]]
            all_vary = all(tree.varies[a] for a in tree.inputs[at])
            for k, arg in enumerate(tree.inputs[at]):
                if not isinstance(tree.nodes[arg], Num):
                    slope = _local(page, node.operation, Seat(child, k, above, all_vary), args, worth[at])
                    coming[arg] = coming[at] * slope
    slopes = [coming[at] for at, node in enumerate(tree.nodes) if isinstance(node, Ref)]
    places = [at for at, node in enumerate(tree.nodes) if isinstance(node, Ref)]
    ways = page.sheet.into[child]
    return slopes, {ways[n].occurrence: written[at] for n, at in enumerate(places) if at in written}


def _loss(page: Page, child: int, tree: Tree, square: Square, *, scale: Amount, worth: list[Amount]) -> Terms:
    inner = _inner(tree, square, worth)
    value = worth[square.at] * scale
    if value == worth[-1]:
        value = page.value[child]
    return page.practice.loss(
        Difference(worth[square.prediction], worth[square.target], scale, inner, value, square.flipped)
    )


def _inner(tree: Tree, square: Square, worth: list[Amount]) -> Amount:
    """K where the prediction is k times a name, else 1."""
    node = tree.nodes[square.prediction]
    if isinstance(node, Apply) and node.operation.name == "*":
        one, other = tree.inputs[square.prediction]
        if isinstance(tree.nodes[other], Ref) and not isinstance(tree.nodes[one], Ref):
            return worth[one]
    return 1


def _spread(square: Square, coming: list[Amount], terms: Terms, worth: list[Amount]) -> None:
    """The slope of the square by the prediction as written, by the target as it is."""
    total: Amount = 0
    for term in terms:
        total = total + product(term)
    coming[square.prediction] = total
    coming[square.target] = -2 * coming[square.at] * (worth[square.prediction] - worth[square.target])
    coming[square.inside] = 0


def product(factors: Sequence[Amount]) -> Amount:
    """All factors multiplied."""
    result: Amount = 1
    for one in factors:
        result = result * one
    return result


def _local(page: Page, operation: Operation, seat: Seat, args: Sequence[Amount], y: Amount) -> Amount:
    if page.practice.local is not None:
        special = page.practice.local(page, operation, seat, args, y)
        if special is not None:
            return special
    return partial(operation, seat.position, args, y)


def _quiet(words: str) -> None:
    """Conventions were reported when the graph was solved."""


def partial(operation: Operation, position: int, args: Sequence[Amount], y: Amount) -> Amount:
    """The table's partial derivative at these numbers."""
    match operation.name:
        case "+":
            return 1
        case "-":
            return -1 if position else 1
        case "neg":
            return -1
        case "*":
            return args[1 - position]
        case "^" if not position and _squared(args):
            return 2 * args[0]
        case _:
            return small(rules.local(operation, position, [exact(a) for a in args], exact(y), _quiet))


def _squared(args: Sequence[Amount]) -> bool:
    """Whether a power is the square of a whole number that is not long: a loss is one, and it is replayed often."""
    return args[1] == 2 and isinstance(args[0], int) and args[0].bit_length() < LONGEST


def apply(operation: Operation, args: Sequence[Amount]) -> Amount:
    """The table's value at these numbers; nan where there is none."""
    match operation.name:
        case "+":
            return args[0] + args[1]
        case "-":
            return args[0] - args[1]
        case "neg":
            return -args[0]
        case "*":
            return args[0] * args[1]
        case "^" if _squared(args):
            return args[0] * args[0]
        case _:
            try:
                return small(ev.apply_operation(operation, [exact(a) for a in args]))
            except (NoValue, TooLarge, BackhandError):
                return NAN


def _backward(page: Page, order: Sequence[int]) -> None:
    """The way back. A search replays a page for every habit, so nothing is looked up in here that stays the same."""
    sheet, practice, told = page.sheet, page.practice, page.told
    back: list[Amount] = [NAN] * len(sheet.names)
    page.back = back
    derivatives, expression = page.derivatives, page.expression
    units, out, trees = sheet.units, sheet.out, sheet.trees
    inside = practice.local is not None or practice.loss is not loss
    send_back = _as_it_is if practice.plainly and not told.locals else _sent
    keep, gather, claims = practice.keep, practice.gather, told.derivatives
    for i in order:
        if i == sheet.end:
            predicted = practice.seed(page)
        else:
            gathered = gather(page, i, keep(page, i, send_back(page, out[i])))
            if units[i]:
                gathered = practice.report(page, i, gathered)
            predicted = within_bounds(gathered.total)
            expression[i] = gathered.terms
        derivatives[i] = back[i] = predicted
        if i in claims:
            back[i] = carried(claims[i], predicted, told.derivative_slack.get(i))
        if inside and (tree := trees[i]) is not None and tree.terms is None:
            _slopes(page, i, back[i])


def _sent(page: Page, ways: Sequence[Way]) -> list[Sent]:
    """What comes back to a quantity, from each way; from a quantity without a number nothing comes."""
    practice, told = page.practice, page.told
    found: list[Sent] = []
    for way in ways:
        if way.kind == "weight":
            above = practice.weight_upstream(page, way)
            slope = practice.weight_factor(page, way, above)
        else:
            above = practice.upstream(page, way)
            slope = practice.factor(page, way, above)
        if above != above:
            continue
        if told.locals:
            slope = told.locals.get((way.child, way.parent), slope)
        written = page.loss_terms.get(way.number)
        terms = None if written is None else tuple((above, *factors) for factors in written)
        found.append(Sent(way, above, slope, practice.send(page, way, above, slope), terms))
    return found


def _as_it_is(page: Page, ways: Sequence[Way]) -> list[Sent]:
    """What the ways send by the right rules."""
    back, slopes, loss_terms = page.back, page.slope, page.loss_terms
    found: list[Sent] = []
    for way in ways:
        above, slope = back[way.child], slopes[way.number]
        written = loss_terms.get(way.number)
        terms = None if written is None else tuple((above, *factors) for factors in written)
        found.append(Sent(way, above, slope, above * slope, terms))
    return found


# -- what is asked of a page ---------------------------------------------------------------------------------


def predicted(page: Page, about: About) -> Amount | None:
    """The number this page has for a line; None if the page says nothing about it."""
    sheet = page.sheet
    match about:
        case Value():
            return page.values[sheet.index[about.name]] if about.name in sheet.index else None
        case Derivative():
            if about.of != sheet.of or about.by not in sheet.index:
                return None
            by = sheet.index[about.by]
            return page.derivatives.get(_labelled(page, by), 0)
        case Local():
            if about.child not in sheet.index or about.parent not in sheet.index:
                return None
            return local_of(page, sheet.index[about.child], sheet.index[about.parent])


def _labelled(page: Page, by: int) -> int:
    return page.practice.labels.get(by, by) if page.practice.labels else by


def local_of(page: Page, child: int, parent: int) -> Amount | None:
    """The local derivative one writes: the sum over the occurrences, through a hidden sum if there is one."""
    hidden = page.sheet.hidden.get(page.sheet.names[child])
    if hidden is not None and (middle := page.sheet.index[hidden]) != parent:
        outer, inner = local_of(page, child, middle), local_of(page, middle, parent)
        return None if outer is None or inner is None else outer * inner
    if child not in page.sheet.needed:
        return None
    ways = [way for way in page.sheet.into[child] if way.parent == parent]
    if not ways:
        return None
    total: Amount = 0
    for way in ways:
        above = page.back[child]
        rule = page.practice.weight_factor if way.kind == "weight" else page.practice.factor
        total = total + rule(page, way, above)
    return total


def told_of(sheet: Sheet, own: Mapping[About, Number], slack: Mapping[About, float] | None = None) -> Told:
    """Somebody's numbers, by position in the sheet."""
    told = Told()
    for about, number in own.items():
        loose = (slack or {}).get(about)
        match about:
            case Value() if about.name in sheet.index:
                told.values[sheet.index[about.name]] = small(number)
                if loose is not None:
                    told.value_slack[sheet.index[about.name]] = loose
            case Derivative() if about.of == sheet.of and about.by in sheet.index:
                told.derivatives[sheet.index[about.by]] = small(number)
                if loose is not None:
                    told.derivative_slack[sheet.index[about.by]] = loose
            case Local() if about.child in sheet.index and about.parent in sheet.index:
                told.locals[sheet.index[about.child], sheet.index[about.parent]] = small(number)
            case _:
                pass
    return told


def replay(
    graph: Graph,
    misconception: Misconception | Practice | None = None,
    of: str | None = None,
    own: Mapping[About, Number] | None = None,
) -> dict[About, Number]:
    """What a person with that habit gets: all values, and the derivatives of the output by everything it depends on.

    His own numbers are carried on where `own` has them. Of a habit that acts at one place the first place is taken;
    without a habit the result is right. Numbers that do not exist (1/0) are left out.
    """
    output, _ = graph.output(of)
    sheet = sheet_of(graph, output)
    if misconception is None:
        practice = RIGHT
    elif isinstance(misconception, Practice):
        practice = misconception
    else:
        instances = misconception.instances(sheet)
        practice = instances[0].practice if instances else RIGHT
    return numbers(run(sheet, practice, told_of(sheet, own or {})), graph)


def numbers(page: Page, graph: Graph) -> dict[About, Number]:
    """Everything a page has, by what it is about."""
    found: dict[About, Number] = {}
    for quantity in graph.quantities:
        about = Value(quantity.name)
        value = predicted(page, about)
        if value is not None and value == value:
            found[about] = exact(value)
    for quantity in graph.quantities:
        if page.sheet.index[quantity.name] in page.sheet.needed:
            derivative = Derivative(page.sheet.of, quantity.name)
            value = predicted(page, derivative)
            if value is not None and value == value:
                found[derivative] = exact(value)
    return found
