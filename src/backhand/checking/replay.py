"""The way back under a belief, in floats, carrying on what a program gave.

    Trial     numbers for everything that is given, all true values and derivatives, and what the program said
    Belief    the way back with something replaced: a row's rule, what is sent, what is kept, what is written down
    WayBack   a network, its output, and for each quantity what calculus sends back along its formula

What a program says for a quantity is what it goes on with, so `replay` goes on with it, too: what follows from a
first mistake is no second one. Only where it is silent the belief's own number is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from backhand.core.adjoints import Sent, Shapes, Vjp, row_vjp, sent, tidied
from backhand.core.arithmetic import NoValue, TooLarge
from backhand.core.array_operations import Mismatch, Shape
from backhand.core.array_passes import Passes
from backhand.core.arrays import Evaluator
from backhand.core.evaluate import quiet
from backhand.core.formula import Apply, Formula, Ref, Slope, same
from backhand.core.graph import Graph, Quantity
from backhand.errors import BackhandError

Array: TypeAlias = Any
IMPOSSIBLE = (BackhandError, Mismatch, NoValue, TooLarge, ValueError, IndexError, TypeError, AssertionError, KeyError)
"""What a formula that does not fit the shapes may raise: somebody who believed it would have had no result either."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """An operation in the formula of `child`, and one of its arguments: where a rule is applied on the way back.

    `right` is what calculus sends there, in the row's letters."""

    child: str
    part: Apply
    k: int
    shapes: tuple[Shape, ...]
    shape: Shape
    right: Formula

    @property
    def wanted(self) -> Shape:
        return self.shapes[self.k]

    @property
    def name(self) -> str:
        return self.part.operation.name

    def is_here(self, part: Apply, k: int) -> bool:
        return k == self.k and same(part, self.part)


@dataclass(frozen=True, slots=True, eq=False)
class Arrived:
    """What came back along one occurrence, with the formula that says how."""

    way: Sent
    value: Array


Changes: TypeAlias = "tuple[tuple[Place, Formula | None], ...]"
SentRule: TypeAlias = Callable[[str, "list[Sent]"], "list[Sent]"]
KeepRule: TypeAlias = Callable[[str, "list[Arrived]"], "list[Arrived]"]
ReportRule: TypeAlias = Callable[[str, Array], Array]
GoesOn: TypeAlias = Callable[[str, Array], "Array | None"]
"""What somebody goes on with, told the name it is written under and what the belief gives; None for the latter."""


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """The way back with something replaced.

    `changes`  other formulas at some places, None for nothing sent
    `sent`     other formulas for what the occurrences in some `children` send
    `keep`     which of the ways that meet in a quantity are added up
    `report`   what is written down in place of the derivative; the derivative itself is carried on
    `total`    what the sum over all ways is made into, and carried on
    `step`     weights (all, or those in `stepped`) are updated with this step before the way back goes through them
    `exchange` what is written down under two names is exchanged
    `copied`   under the first name stands what belongs to the second
    """

    changes: Changes = ()
    sent: SentRule | None = None
    children: frozenset[str] = frozenset()
    keep: KeepRule | None = None
    report: ReportRule | None = None
    step: float = 0.0
    stepped: frozenset[str] | None = None
    exchange: tuple[str, str] | None = None
    total: ReportRule | None = None
    copied: tuple[str, str] | None = None

    def beside(self, other: Belief) -> Belief:
        """Both beliefs at once: this one first, and the other on what it leaves, or in its place."""
        return Belief(
            changes=(*other.changes, *self.changes),
            sent=_one_after_other(self, other),
            children=self.children | other.children,
            keep=_then(self.keep, other.keep),
            report=_then(self.report, other.report),
            step=self.step or other.step,
            stepped=self.stepped if self.step else other.stepped,
            exchange=self.exchange or other.exchange,
            total=_then(self.total, other.total),
            copied=self.copied or other.copied,
        )

    def under(self, name: str) -> str:
        """The name under which what belongs to a quantity is written."""
        if self.exchange is None or name not in self.exchange:
            return name
        one, other = self.exchange
        return other if name == one else one


RIGHT = Belief()


def _then(one: Callable[[str, Any], Any] | None, other: Callable[[str, Any], Any] | None) -> Any:
    if one is None or other is None:
        return one or other
    before, after = one, other

    def both(name: str, value: Any) -> Any:
        return after(name, before(name, value))

    return both


def _one_after_other(one: Belief, other: Belief) -> SentRule | None:
    if one.sent is None or other.sent is None:
        return one.sent or other.sent

    def sent(child: str, found: list[Sent]) -> list[Sent]:
        for belief in (one, other):
            if belief.sent is not None and child in belief.children:
                found = belief.sent(child, found)
        return found

    return sent


@dataclass(eq=False)
class Trial:
    """One call of the program: the numbers, the truth, and what was said. `values` are those that were said."""

    given: dict[str, Array]
    passes: Passes
    truth: dict[str, Array]
    said: dict[str, Array] = field(default_factory=dict[str, Any])
    values: dict[str, Array] = field(default_factory=dict[str, Any])
    own_numbers: bool = False
    """Whether these are the numbers of the network itself."""
    kept: dict[tuple[str, bytes], list[Arrived]] = field(default_factory=dict[Any, Any])
    """What calculus sends back from a quantity for what came to it: most of it is alike under all beliefs."""

    @cached_property
    def scale(self) -> float:
        """The size of the largest derivative, to tell zero from nearly zero."""
        sizes = [float(np.max(np.abs(value))) for value in self.truth.values() if np.size(value)]
        return max([size for size in sizes if np.isfinite(size)], default=1.0) or 1.0


class WayBack:
    """A network and its output, seen from the output."""

    def __init__(self, graph: Graph, of: str) -> None:
        self.graph = graph
        self.of = of
        positions = graph.upstream_of(of)
        self.quantities: list[Quantity] = [graph.quantities[p] for p in reversed(positions)]
        """From the output back to what is given: the order of the way back."""
        self.names = [quantity.name for quantity in self.quantities]
        self.shapes = Shapes(graph)
        self._right: dict[str, list[Sent]] = {}

    def shape(self, name: str) -> Shape:
        return self.graph[name].shape

    def right(self, child: str) -> list[Sent]:
        """What calculus sends back along the formula of a quantity."""
        if child not in self._right:
            self._right[child] = sent(self.graph, child, self.of)
        return self._right[child]

    def ways_to(self, name: str) -> list[Sent]:
        """All ways back to a quantity, in the order of its children."""
        known = set(self.names)
        return [
            one
            for child in self.graph.children(name)
            if child in known
            for one in self.right(child)
            if one.parent == name
        ]

    @cached_property
    def places(self) -> list[Place]:
        """All places, from the output back."""
        found: list[Place] = []
        for quantity in self.quantities:
            if not quantity.computed:
                continue

            def note(part: Apply, k: int, shapes: Sequence[Shape], shape: Shape, child: str = quantity.name) -> Any:
                formula = row_vjp(part, k, shapes, shape)
                if formula is not None:
                    found.append(Place(child, part, k, tuple(shapes), shape, formula))
                return formula

            sent(self.graph, quantity.name, self.of, note)
        return found

    def put_in(self, place: Place, formula: Formula) -> Formula:
        """A formula in a row's letters with the parts that stand at a place."""
        row = place.part.operation
        letters: dict[str, Formula] = dict(zip(row.arguments, place.part.args, strict=False))
        letters |= {"g": Slope(self.of, place.child), "y": Ref(place.child) if self.is_root(place) else place.part}
        return tidied(formula, letters, self.shapes)

    def is_root(self, place: Place) -> bool:
        definition = self.graph[place.child].definition
        return definition is not None and same(definition, place.part)

    def is_passed(self, place: Place) -> bool:
        """Whether what comes back to the whole formula comes to a place as it is: it is the whole, or a term of it."""
        definition = self.graph[place.child].definition
        if place.shape != self.shape(place.child):
            return False
        waiting = [definition]
        while waiting:
            part = waiting.pop()
            if isinstance(part, Apply):
                if same(part, place.part):
                    return True
                if part.operation.name == "+":
                    waiting += part.args
        return False

    # -- under a belief -----------------------------------------------------------------------------------------

    def sent_by(self, child: str, belief: Belief) -> list[Sent]:
        """What goes back along the formula of a quantity. Raises one of IMPOSSIBLE."""
        here = [(place, formula) for place, formula in belief.changes if place.child == child]
        found = sent(self.graph, child, self.of, _changed(here)) if here else self.right(child)
        if belief.sent is not None and child in belief.children:
            found = belief.sent(child, list(found))
        return found

    def replay(
        self, trial: Trial, belief: Belief, ways: dict[str, list[Sent]], goes_on: GoesOn | None = None
    ) -> Iterator[tuple[str, Array]]:
        """What somebody with this belief gives for each quantity, in the order of the way back, going on with what was
        said, or with what `goes_on` tells. `ways` keeps the formulas from one trial to the next. Raises one of
        IMPOSSIBLE."""
        # what was said may stand in other lines than its own, before its turn comes
        adjoints: dict[str, Array] = {name: said for name, said in trial.said.items() if said.shape == self.shape(name)}
        values = dict(trial.passes.values) if belief.step else trial.passes.values
        evaluator = Evaluator(values, adjoints, exact=False, note=quiet, kept={} if belief.step else trial.passes.kept)
        evaluator.numbers = trial.passes.numbers
        waiting: dict[str, list[Arrived]] = {}
        words = heard(trial, belief)
        for quantity in self.quantities:
            name = quantity.name
            if name == self.of:
                total: Array = trial.truth[name]
            else:
                arrived = waiting.pop(name, [])
                total = self._gathered(quantity, belief.keep(name, arrived) if belief.keep else arrived)
                total = belief.total(name, total) if belief.total else total
            written = belief.report(name, total) if belief.report else total
            if belief.copied is None or name != belief.copied[0]:
                yield name, written
            if belief.copied is not None and name == belief.copied[1]:
                yield belief.copied[0], written
            said = words.get(name) if goes_on is None else goes_on(belief.under(name), total)
            said = None if belief.copied is not None and name == belief.copied[0] else said
            # what is only written down otherwise is not what is carried on
            carried = said is not None and written is total and np.shape(said) == quantity.shape
            adjoints[name] = said if carried else total
            if not quantity.computed:
                continue
            if name not in ways:
                ways[name] = self.sent_by(name, belief)
            right = not belief.step and ways[name] is self._right.get(name)
            key = (name, np.asarray(adjoints[name]).tobytes()) if right else (name, b"")
            found = trial.kept.get(key) if right else None
            if found is None:
                found = self._worth(ways[name], evaluator, belief, values, trial)
                if right:
                    trial.kept[key] = found
            for parent in dict.fromkeys(one.way.parent for one in found):
                mine = [one for one in found if one.way.parent == parent]
                waiting[parent] = [*mine, *waiting.get(parent, [])]

    def _worth(
        self, ways: list[Sent], evaluator: Evaluator, belief: Belief, values: dict[str, Array], trial: Trial
    ) -> list[Arrived]:
        """The values of what is sent; with a step, the weights of the formula are updated first."""
        found: dict[int, Arrived] = {}
        weights = [way for way in ways if self.graph[way.parent].kind in ("weight", "bias")]
        others = [way for way in ways if self.graph[way.parent].kind not in ("weight", "bias")]
        for way in weights:
            found[id(way)] = Arrived(way, self.worth(way, evaluator, trial))
        if belief.step:
            for way in weights:
                if belief.stepped is not None and way.parent not in belief.stepped:
                    continue
                slope = trial.said.get(way.parent, found[id(way)].value)
                if np.shape(slope) == np.shape(values[way.parent]):
                    values[way.parent] = trial.passes.values[way.parent] - belief.step * slope
        for way in others:
            found[id(way)] = Arrived(way, self.worth(way, evaluator, trial))
        return [found[id(way)] for way in ways]

    def worth(self, way: Sent, evaluator: Evaluator, trial: Trial) -> Array:
        """The value of a formula of the way back, spread to the shape it stands for where it is smaller; but a formula
        that is not calculus may be what was said just in its own shape."""
        with np.errstate(all="ignore"):
            value = np.asarray(evaluator.evaluate(way.formula), np.float64)
        shape = self.shape(way.parent)
        smaller = value.ndim <= len(shape) and all(
            a in (1, b) for a, b in zip(value.shape[::-1], shape[::-1], strict=False)
        )
        said = trial.said.get(way.parent)
        bare = said is not None and said.shape == value.shape != shape and way not in self.right(way.child)
        return np.broadcast_to(value, shape) if smaller and not bare else value

    def _gathered(self, quantity: Quantity, arrived: Sequence[Arrived]) -> Array:
        if not arrived:
            return np.zeros(quantity.shape)
        total = arrived[0].value
        for other in arrived[1:]:
            total = total + other.value
        return total

    # -- lines for people ---------------------------------------------------------------------------------------

    def line(self, name: str, belief: Belief = RIGHT) -> str:
        """The line of calculus for a derivative: dL/dW1 = X.T @ dL/dZ1."""
        from backhand.core import algebra
        from backhand.core.formula import to_text

        head = f"d{self.of}/d{name}"
        known = set(self.names)
        total: Formula | None = None
        for child in self.graph.children(name):
            if child not in known:
                continue
            for way in self.sent_by(child, belief):
                if way.parent == name:
                    total = way.formula if total is None else algebra.add(total, way.formula)
        return f"{head} = {'0' if total is None else to_text(total)}"


def _changed(changes: Sequence[tuple[Place, Formula | None]]) -> Vjp:
    def vjp(part: Apply, k: int, shapes: Sequence[Shape], shape: Shape) -> Formula | None:
        for place, formula in changes:
            if place.is_here(part, k):
                return formula
        return row_vjp(part, k, shapes, shape)

    return vjp


def heard(trial: Trial, belief: Belief) -> dict[str, Array]:
    """What was said about each quantity, if names were exchanged."""
    if belief.exchange is None:
        return trial.said
    one, other = belief.exchange
    partner = {one: other, other: one}
    return {partner.get(name, name): value for name, value in trial.said.items()}


# -- comparing --------------------------------------------------------------------------------------------------


def differs(one: Array, other: Array, rtol: float, scale: float) -> bool:
    """Whether two arrays differ by more than rounding: in shape, or by `rtol` of the largest element. A number and an
    array of one element are alike."""
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape and not one.size == other.size == 1:
        return True
    one = one.reshape(other.shape)
    size = float(np.max(np.abs(other))) if other.size else 0.0
    room = rtol * max(size, 1e-6 * scale) if np.isfinite(size) else 0.0
    return not bool(np.all((np.abs(one - other) <= room) | (np.isnan(one) & np.isnan(other)) | (one == other)))


def unexplained(
    way: WayBack,
    belief: Belief,
    trials: Sequence[Trial],
    rtol: float,
    may_differ: frozenset[str] = frozenset(),
    *,
    every: bool = True,
) -> frozenset[str] | None:
    """What a belief does not give of all that was said, in any trial; None where it is more than `may_differ`, or,
    unless `every`, all of that."""
    ways: dict[str, list[Sent]] = {}
    left: set[str] = set()
    for trial in trials:
        if belief.exchange and not all(name in trial.said for name in belief.exchange):
            return None
        words = heard(trial, belief)
        try:
            with np.errstate(all="ignore"):  # a wrong formula may well divide by zero
                for name, predicted in way.replay(trial, belief, ways):
                    if name in words and differs(words[name], predicted, rtol, trial.scale):
                        if name not in may_differ:
                            return None
                        left.add(name)
        except IMPOSSIBLE:
            return None
        if left and left >= may_differ and not every:
            return None
    return frozenset(left)


def unfollowed(way: WayBack, trials: Sequence[Trial], rtol: float, belief: Belief = RIGHT) -> frozenset[str]:
    """What was said and neither is true nor follows by calculus from what was said before."""
    found = unexplained(way, belief, trials, rtol, frozenset(way.names))
    assert found is not None
    return found


def truths(graph: Graph, of: str, given: Mapping[str, Array]) -> tuple[Passes, dict[str, Array]] | None:
    """All values and derivatives at these numbers; None where there are none, or one is not finite."""
    from dataclasses import replace

    made: list[Quantity] = []
    for quantity in graph.quantities:
        if not quantity.computed and quantity.name in given:
            value = np.asarray(given[quantity.name], np.float64)
            array = value if quantity.shape else None
            number: Any = None if quantity.shape else float(value)
            quantity = replace(quantity, array=array, given=number, definition=None)
        made.append(quantity)
    drawn = Graph(tuple(made))
    passes = Passes(drawn, False, quiet)
    try:
        passes.forward(lambda quantity: None)
        truth = passes.backward(of, lambda quantity: None)
    except (BackhandError, NoValue, TooLarge, ZeroDivisionError, FloatingPointError, OverflowError):
        return None
    seen = [passes.values[name] for name in truth] + list(truth.values())
    if not all(bool(np.all(np.isfinite(np.asarray(value, np.float64)))) for value in seen):
        return None
    return passes, {name: np.asarray(value, np.float64) for name, value in truth.items()}
