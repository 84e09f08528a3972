"""Steps of gradient descent: new weights, and the values that follow from them.

    w+ = w - lr dL/dw           for every weight and bias, or for those that are named

A Descent holds each step with what it changed: old value, derivative, new value, and the output before and after.

All derivatives of a step are taken at the old weights. `in_place=True` does what a program does that replaces a weight
as soon as its derivative is known: going further back, it is the new weight that what comes back is multiplied by,
while all values of the forward pass stay the old ones. The result is no gradient any more, and close to it; published
numbers have been made that way.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from backhand import limits
from backhand.core import evaluate as ev
from backhand.core.evaluate import Value
from backhand.core.formula import Formula, names
from backhand.core.graph import Graph, Quantity, Update
from backhand.core.notation import Notice
from backhand.core.operations import ADD, MULTIPLY, SUBTRACT
from backhand.core.propagate import Numbers, Propagation, propagate
from backhand.core.rules import CALCULUS, slopes
from backhand.errors import UndefinedError, UsageError
from backhand.numbers import Number, as_float


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """One quantity in one step: `new` = `old` - rate x `gradient`. Arrays stand for all their elements."""

    name: str
    old: Value
    gradient: Value
    new: Value


@dataclass(frozen=True, slots=True, eq=False)
class DescentStep:
    """One step, counted from 1, with the output before and after it."""

    number: int
    moves: tuple[Move, ...]
    before: Value
    after: Value


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Descent:
    """Steps one after another. `first` are the values before them, `values` those after the last, `graph` the network
    as it then is."""

    of: str
    update: Update
    by: tuple[str, ...]
    steps: tuple[DescentStep, ...]
    first: Mapping[str, Value]
    values: Mapping[str, Value]
    graph: Graph
    notices: tuple[Notice, ...] = ()

    @property
    def new(self) -> dict[str, Value]:
        """The new values of what was changed."""
        return {name: self.values[name] for name in self.by}

    def __repr__(self) -> str:
        count = len(self.steps)
        return f"<Descent: {count} step{'s' * (count > 1)} of {self.of} by {', '.join(self.by)}>"


def step(
    graph: Graph,
    lr: Number | float | str | None = None,
    *,
    of: str | None = None,
    by: Sequence[str] = (),
    steps: int = 1,
    in_place: bool = False,
    numbers: Numbers = "exact",
) -> Descent:
    """Steps of gradient descent with the rate `lr`, by the weights and biases or by what `by` names; without `lr` what
    the network's own line `step lr = 0.5` says.

    Raises UsageError where there is no rate or nothing to change, UndefinedError where a derivative has no value.

    >>> from backhand.readers import read
    >>> step(read("weight w = 3" + chr(10) + "L = (w - 1)^2"), 0.25).new["w"]
    Fraction(2, 1)
    """
    if lr is not None:
        update = Update(rate_of(lr), "lr", tuple(by), steps, in_place)
    elif graph.update is not None:
        update = graph.update
    else:
        raise UsageError("A step needs a rate.", cure="Say it, lr=0.5, or write a line in the network: step lr = 0.5.")
    return descend(graph, update, of=of, numbers=numbers)


def rate_of(lr: Number | float | str) -> Number:
    """A rate from a number, or from a text in the notation: `1/2`. Raises UsageError for what is no number."""
    from backhand.core.builder import exact
    from backhand.core.evaluate import evaluate_constant
    from backhand.core.graph import makes_arrays
    from backhand.core.notation import formula

    if not isinstance(lr, str):
        return exact(lr)
    found = formula(lr)
    if names(found) or makes_arrays(found):
        raise UsageError(f"The rate of a step is a number, and this is {lr}.", cure="Write 0.5 or 1/2.")
    return evaluate_constant(found, "lr", None)


def descend(graph: Graph, update: Update, *, of: str | None = None, numbers: Numbers = "exact") -> Descent:
    """As `step`, with what is asked for as an Update."""
    if not 1 <= update.steps <= limits.STEPS:
        raise UsageError(f"{update.steps} steps; 1 to {limits.STEPS} are made.", cure="Ask for so many.")
    made: list[DescentStep] = []
    notices: dict[str, Notice] = {}
    if update.steps > limits.EXACT_STEPS and numbers != "float":
        numbers = "float"
        words = f"More than {limits.EXACT_STEPS} steps are made in floats of 16 digits."
        notices[words] = Notice(words)
    now = propagate(graph, of=of, numbers=numbers)
    first, by = now.by_name, _changed(now, update)
    for number in range(1, update.steps + 1):
        moves = _in_place(now, update, by) if update.in_place else _moves(now, update, by)
        before = now.value(now.of)
        now = propagate(_replaced(now.graph, moves), of=now.of, numbers=numbers)
        notices.update((notice.words, notice) for notice in now.notices)
        made.append(DescentStep(number, tuple(moves), before, now.value(now.of)))
    return Descent(now.of, update, by, tuple(made), first, now.by_name, now.graph, tuple(notices.values()))


def _changed(now: Propagation, update: Update) -> tuple[str, ...]:
    """What is changed, in the order of the network."""
    graph = now.graph
    for name in update.by:
        if graph[name].computed:
            raise UsageError(f"{name} is computed, and a step changes what is given.", cure="Name weights and biases.")
    chosen = {graph[name].name for name in update.by} or {
        q.name for q in graph.quantities if q.kind in ("weight", "bias") and now.needs(q.name)
    }
    if not chosen:
        raise UsageError(
            f"{now.of} depends on nothing that is called a weight or a bias.",
            cure="Write weight w = 2, or say by what the step is made: step lr = 0.5 by w.",
        )
    for quantity in graph.quantities:
        if quantity.symbolic:
            raise UndefinedError(
                f"A step is made with numbers, and {quantity.name} has no value.",
                quantity.span,
                cure=f"Write {quantity.name} = 1, or any other number.",
            )
    return tuple(q.name for q in graph.quantities if q.name in chosen)


def _moves(now: Propagation, update: Update, by: Sequence[str]) -> list[Move]:
    """All derivatives at the old values."""
    return [_move(now, name, now.value(name), now.derivative(name), update.rate) for name in by]


def _move(now: Propagation, name: str, old: Value, gradient: Value, rate: Number) -> Move:
    _check_finite(now, name, gradient)
    if now.passes is None:
        change = ev.apply_operation(MULTIPLY, [rate, gradient])
        return Move(name, old, gradient, ev.apply_operation(SUBTRACT, [old, change]))
    from backhand.core import arrays as ar

    if now.passes.exact:
        return Move(name, old, gradient, ar.lifted(SUBTRACT, [old, ar.lifted(MULTIPLY, [rate, gradient])]))
    known: Any = old
    return Move(name, old, gradient, known - as_float(rate) * gradient)  # type: ignore[operator]


def _check_finite(now: Propagation, name: str, gradient: Any) -> None:
    parts: Any = gradient.reshape(-1) if hasattr(gradient, "reshape") else [gradient]
    if any(isinstance(part, Formula) or part != part for part in parts):
        raise UndefinedError(
            f"The derivative of {now.of} by {name} has no finite value here, so no step can be made.",
            now.graph[name].span,
            cure="Change the numbers, or leave it out of the step.",
        )


def _replaced(graph: Graph, moves: Sequence[Move]) -> Graph:
    """The network with the new values."""
    new = {move.name: move.new for move in moves}
    return Graph(
        tuple(_given(q, new[q.name]) if q.name in new else q for q in graph.quantities), graph.asks, (), graph.update
    )


def _given(quantity: Quantity, value: Any) -> Quantity:
    if quantity.shape:
        return replace(quantity, definition=None, array=value)
    return replace(quantity, definition=None, given=value)


# -- in place ------------------------------------------------------------------------------------------------------

Sent = Callable[[Quantity, Mapping[str, Any]], "list[tuple[str, Any]]"]
"""What a quantity sends back to each occurrence in its formula, where some names have been replaced."""


def _in_place(now: Propagation, update: Update, by: Sequence[str]) -> list[Move]:
    """The way back with weights replaced on the way: each as soon as the last of what comes back to it is there, and
    before its neighbours in that formula are told."""
    graph, of = now.graph, now.of
    needed = set(graph.upstream_of(of))
    changing = set(by)
    last = {name: min(c for c in graph.child_lists[graph.index[name]] if c in needed) for name in by if now.needs(name)}
    adjoints: dict[str, Any] = {of: _one(now)}
    sent, add = _senders(now, adjoints)
    arrived: dict[str, Any] = {}
    moves: dict[str, Move] = {}
    replaced: dict[str, Any] = {}
    for position in sorted(needed, reverse=True):
        quantity = graph.quantities[position]
        if not quantity.computed or quantity.definition is None:
            continue
        if quantity.name != of:
            adjoints[quantity.name] = arrived.get(quantity.name, _nothing(now, quantity))
        mine = [name for name in names(quantity.definition) if name in changing]
        if mine:
            for name, product in sent(quantity, replaced):
                if name in changing:
                    arrived[name] = add(arrived[name], product) if name in arrived else product
        for name in mine:
            if last[name] == position:
                gradient = arrived.get(name, _nothing(now, graph[name]))
                moves[name] = _move(now, name, now.value(name), gradient, update.rate)
                replaced[name] = moves[name].new
        for name, product in sent(quantity, replaced):
            if name not in changing:
                arrived[name] = add(arrived[name], product) if name in arrived else product
    return [
        moves[name] if name in moves else _move(now, name, now.value(name), now.derivative(name), update.rate)
        for name in by
    ]


def _one(now: Propagation) -> Any:
    return Fraction(1) if now.passes is None or now.passes.exact else 1.0


def _nothing(now: Propagation, quantity: Quantity) -> Any:
    return Fraction(0) if now.passes is None else now.passes.gathered(quantity, ())


def _senders(now: Propagation, adjoints: Mapping[str, Any]) -> tuple[Sent, Callable[[Any, Any], Any]]:
    """How quantities send back here, and how two contributions are added: for single numbers, or for arrays."""
    known = now.by_name
    if now.passes is None:

        def scalar(quantity: Quantity, replaced: Mapping[str, Any]) -> list[tuple[str, Any]]:
            assert quantity.definition is not None
            upstream = adjoints[quantity.name]
            found = slopes(
                quantity.definition, known, CALCULUS, ev.quiet, known[quantity.name], replaced=replaced or None
            )
            return [(name, ev.apply_operation(MULTIPLY, [upstream, slope])) for name, slope in found]

        return scalar, lambda one, other: ev.apply_operation(ADD, [one, other])
    return _array_sender(now, adjoints)


def _array_sender(now: Propagation, adjoints: Mapping[str, Any]) -> tuple[Sent, Callable[[Any, Any], Any]]:
    from backhand.core import arrays as ar
    from backhand.core.adjoints import Shapes
    from backhand.core.adjoints import sent as sent_formulas

    passes = now.passes
    assert passes is not None
    shapes = Shapes(now.graph)

    def array(quantity: Quantity, replaced: Mapping[str, Any]) -> list[tuple[str, Any]]:
        evaluator = passes.evaluator(adjoints, ev.quiet)
        evaluator.slopes = True
        evaluator.values = ChainMap(dict(replaced), passes.values)
        ways = sent_formulas(now.graph, quantity.name, now.of, None, shapes)
        return [(way.parent, passes.worth(way, evaluator)) for way in ways]

    def add(one: Any, other: Any) -> Any:
        return ar.lifted(ADD, [one, other]) if passes.exact else one + other

    return array, add
