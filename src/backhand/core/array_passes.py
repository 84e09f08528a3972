"""Forward and backward through a network with arrays.

The way back is a formula for each occurrence of a name (`core.adjoints`), and its value is computed as
any other value is; so there is one arithmetic, and what is shown is what was done. Small networks are
worked out exactly, element by element, by the rows of single numbers; large ones in float64.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from backhand import limits
from backhand.core import arrays as ar
from backhand.core.adjoints import Sent, Shapes, Vjp, opened, sent
from backhand.core.arithmetic import NoValue, TooLarge
from backhand.core.array_operations import INDEX, ArrayOperation, Shape, shown
from backhand.core.arrays import Evaluator
from backhand.core.evaluate import Note, quiet, row_formula
from backhand.core.formula import Apply, Formula, Ref, apply, names, postorder, to_text
from backhand.core.graph import Graph, Quantity
from backhand.core.operations import ADD
from backhand.core.rules import quiet_powers
from backhand.core.shapes import shapes_in, size
from backhand.errors import LimitError, ReadError, UndefinedError, UsageError


class Work(NamedTuple):
    """How many operations on single numbers something is, about, and whether all of them keep fractions fractions."""

    operations: int
    rational: bool

    @property
    def most(self) -> int:
        """Up to how many of its kind are done exactly."""
        return limits.EXACT_ELEMENTS if self.rational else limits.ROUNDED_ELEMENTS

    @property
    def small(self) -> bool:
        return self.operations <= self.most


def work_of(graph: Graph) -> Work:
    """The operations of a network, counted until they are too many to be done exactly."""
    shapes = {q.name: q.shape for q in graph.quantities}
    total, rational = 0, True
    for quantity in graph.quantities:
        total += size(quantity.shape)
        if quantity.computed and quantity.definition is not None:
            count, alike = work(quantity.definition, shapes)
            total += count
            rational = rational and alike
        if not Work(total, rational).small:
            break
    return Work(total, rational)


def exactly(graph: Graph) -> bool:
    """Whether a network is small enough for exact numbers."""
    return work_of(graph).small


RATIONAL = frozenset("+ - * / neg ^ relu leaky_relu abs max min sign step".split())
"""Rows of single numbers that make fractions of fractions."""


def work(formula: Formula, shapes: Mapping[str, Shape]) -> Work:
    """The operations of a formula."""
    total, rational = 0, True
    stack: list[Shape] = []
    for node, shape in zip(postorder(formula), shapes_in(formula, shapes), strict=True):
        if isinstance(node, Apply):
            args = stack[len(stack) - len(node.args) :]
            del stack[len(stack) - len(node.args) :]
            row = node.operation
            if isinstance(row, ArrayOperation) and row.sort == "formula":
                inner = work(ar.value_formula(node, args), dict(zip(row.arguments, args, strict=True)))
                total += inner.operations
                rational = rational and inner.rational
            else:
                total += max(size(shape) * _inner(node, args), *map(size, args), 1)
                rational = rational and (isinstance(row, ArrayOperation) or row.name in RATIONAL or not args)
        stack.append(shape)
    return Work(total, rational)


def _inner(node: Apply, args: Sequence[Shape]) -> int:
    """How many products an element of the result is made of."""
    match node.operation.name:
        case "@":
            return args[0][-1]
        case "conv1d" | "conv2d":
            return size(args[1] if len(args[1]) < 3 else args[1][1:])
        case _:
            return 1


About = Callable[[Quantity], None]
"""Told which quantity is at hand, for notices."""


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """What comes back to a quantity along one occurrence of its name in the formula of `child`: a formula of names and
    of the derivative by `child`, and its value."""

    child: str
    formula: Formula
    value: Any


@dataclass(slots=True, eq=False)
class Passes:
    """Values by name, and what they were computed with; makes backward passes for one output after another."""

    graph: Graph
    exact: bool
    note: Note
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    kept: dict[int, Any] = field(default_factory=dict[int, Any])
    numbers: dict[Any, int] = field(default_factory=dict[Any, int])

    def evaluator(self, adjoints: Mapping[str, Any], note: Note | None = None) -> Evaluator:
        made = Evaluator(self.values, adjoints, exact=self.exact, note=note or self.note, kept=self.kept)
        made.numbers = self.numbers
        return made

    def forward(self, about: About) -> None:
        """All values. `about` is told which quantity is at hand."""
        evaluator = self.evaluator({})
        for quantity in self.graph.quantities:
            about(quantity)
            self.values[quantity.name] = self._value(quantity, evaluator)

    def _value(self, quantity: Quantity, evaluator: Evaluator) -> Any:
        if not quantity.computed:
            if quantity.array is not None:
                if not _finite(quantity.array):
                    raise UndefinedError(
                        f"{quantity.name} has an element that is no finite number.",
                        quantity.span,
                        cure="Give finite numbers.",
                    )
                return ar.exact_array(quantity.array) if self.exact else ar.floats(quantity.array)
            given = Ref(quantity.name) if quantity.given is None else quantity.given
            return given if self.exact else ar.floats(given)
        assert quantity.definition is not None
        try:
            with np.errstate(divide="raise", invalid="raise", over="ignore", under="ignore"):
                value = evaluator.evaluate(quantity.definition, keep=quantity.name)
        except (NoValue, FloatingPointError) as error:
            why = "1/0, ln of 0, or an infinite element" if isinstance(error, FloatingPointError) else str(error)
            raise UndefinedError(
                f"{quantity.name} = {_short(quantity)} has no value: {why}.",
                quantity.span,
                cure="Change the numbers it is made of, or the formula.",
            ) from None
        except TooLarge as error:
            raise LimitError(
                f"{quantity.name} = {_short(quantity)} is too long a number: {error}.",
                quantity.span,
                cure="Use smaller numbers.",
            ) from None
        if not self.exact and not np.all(np.isfinite(value)):
            self.note("An element is too large for a float (beyond 1.8e308), so what follows from it is not known.")
        return np.broadcast_to(value, quantity.shape) if quantity.shape else value

    def backward(self, of: str, about: About, *, seed: Any = None, vjp: Vjp | None = None) -> dict[str, Any]:
        """The derivative of `of` by everything that it depends on, each in the shape of what it is by.

        `of` is a single number; of an array, `seed` says which sum of its elements is meant (1 for one of them)."""
        shape = self.graph[of].shape
        if shape and seed is None:
            element = "0, " * (len(shape) - 1) + "0"
            raise UsageError(
                f"{of} is {shown(shape)}, and derivatives are of a single number.",
                self.graph[of].span,
                cure=f"Ask for one element, --of '{of}[{element}]', or for all of them with --pairs.",
            )
        adjoints: dict[str, Any] = {}
        evaluator = self.evaluator(adjoints, quiet_powers(self.note))
        evaluator.slopes = True
        shapes = Shapes(self.graph)
        one: Any = ar.ONE if self.exact else 1.0
        adjoints[of] = one if seed is None else seed
        waiting: dict[str, list[Any]] = {}
        end = self.graph.index[of]
        for position in range(end, -1, -1):
            quantity = self.graph.quantities[position]
            about(quantity)
            if position != end:
                arrived = waiting.pop(quantity.name, None)
                if arrived is None:
                    continue
                adjoints[quantity.name] = self.gathered(quantity, arrived)
            if quantity.computed:
                assert quantity.definition is not None
                found: dict[str, list[Any]] = {}
                evaluator.passing = {}
                self._corners(quantity.definition, evaluator, shapes)
                for one_sent in sent(self.graph, quantity.name, of, vjp, shapes):
                    found.setdefault(one_sent.parent, []).append(self.worth(one_sent, evaluator))
                for name in names(quantity.definition):
                    if name in found:
                        waiting[name] = [*found[name], *waiting.get(name, [])]
                    else:
                        waiting.setdefault(name, [])
        return adjoints

    def ways(self, by: str, of: str, adjoints: Mapping[str, Any]) -> Iterator[Way]:
        """All ways back to a quantity, in the order of its children."""
        evaluator = self.evaluator(adjoints, quiet)
        evaluator.slopes = True
        for child in self.graph.children(by):
            if child in adjoints:
                for one in sent(self.graph, child, of):
                    if one.parent == by:
                        yield Way(child, one.formula, self.worth(one, evaluator))

    def worth(self, what: Sent, evaluator: Evaluator) -> Any:
        """The value of what comes back along one occurrence; nan, with a notice, where a slope is infinite."""
        lost = evaluator.lost
        with np.errstate(all="ignore"):
            try:
                value = evaluator.evaluate(what.formula)
            except (NoValue, TooLarge):
                value = math.nan
                evaluator.lost += 1
            if evaluator.lost > lost or not (self.exact or _finite(value)):
                value = self._without_slopes(what, value, evaluator)
        shape = self.graph[what.parent].shape
        return np.broadcast_to(ar.boxed(value) if self.exact else value, shape) if shape else value

    def _without_slopes(self, what: Sent, value: Any, evaluator: Evaluator) -> Any:
        """With nan for what is not finite, which is said unless it came from above."""
        if not self.exact:
            value = ar.unboxed(np.where(np.isfinite(value), value, math.nan))
            if not (_finite(evaluator.adjoints.get(what.child, 1.0)) and _finite(self.values[what.child])):
                return value
        whole = size(ar.shape_of(value))
        count = sum(1 for element in ar.boxed(value).reshape(-1) if element != element)
        if count and whole > 1:
            self.note(
                f"{count} of {whole} elements of what it sends to {what.parent} are not finite; no number is given."
            )
        elif count:
            evaluator.note(f"Its slope by {what.parent} is not finite, so no number is given for the derivative.")
        return value

    def _corners(self, definition: Formula, evaluator: Evaluator, shapes: Shapes) -> None:
        """Says where a slope is taken by convention: how many elements stand at a corner of an operation."""
        if not any(isinstance(part, Apply) and _cornered(part) for part in postorder(definition)):
            return
        for part in postorder(opened(definition, shapes)[0]):
            if not isinstance(part, Apply) or not names(part) or not _has_corners(part):
                continue
            with np.errstate(all="ignore"):
                args = [evaluator.evaluate(arg) for arg in part.args]
                if isinstance(part.operation, ArrayOperation):
                    self._ties(part, args)
                    continue
                letters = dict(zip(part.operation.arguments, args, strict=True))
                for kink in part.operation.kinks:
                    inner = Evaluator(letters, {}, exact=self.exact, note=quiet, slopes=True)
                    count, whole = _zeros(inner.evaluate(row_formula(kink.at)))
                    if count:
                        stand = (
                            f"{count} of {whole} elements {'stands' if count == 1 else 'stand'}"
                            if whole > 1
                            else "It stands"
                        )
                        self.note(f"{stand} at a corner of {part.operation.name}: {kink.convention}.")

    def _ties(self, part: Apply, args: Sequence[Any]) -> None:
        """Equal largest elements."""
        (value,) = args
        arithmetic = ar.EXACT if self.exact else ar.FLOATS
        options: dict[str, Any] = {"axis": dict(part.params)["axis"]}
        where = ar.where_largest if part.operation.name == "max" else ar.where_smallest
        shares = ar.floats(where(arithmetic, [value], options))
        several = np.sum((shares > 0) & (shares < 1)) and np.sum(shares, where=(shares > 0) & (shares < 1))
        if several:
            which = "largest" if part.operation.name == "max" else "smallest"
            whole = round(float(np.sum(shares)))
            where_it_is = f"At {round(float(several))} of {whole} places several" if whole > 1 else "Several"
            self.note(f"{where_it_is} elements are equally the {which} in {part.operation.name}; they share its slope.")

    def gathered(self, quantity: Quantity, arrived: Sequence[Any]) -> Any:
        """The sum over all ways."""
        if not arrived:
            zero: Any = ar.ZERO if self.exact else 0.0
            return (ar.EXACT if self.exact else ar.FLOATS).full(quantity.shape, zero) if quantity.shape else zero
        total = arrived[0]
        for other in arrived[1:]:
            total = ar.lifted(ADD, [total, other]) if self.exact else total + other
        return total


def _finite(value: Any) -> bool:
    """Whether all floats are finite. The sum tells, for much less than looking at each."""
    if not ar.is_array(value):
        return not isinstance(value, float) or math.isfinite(value)
    if value.dtype == object:
        return True
    return math.isfinite(np.sum(value)) or bool(np.all(np.isfinite(value)))


def _has_corners(part: Apply) -> bool:
    row = part.operation
    return row.sort == "largest" if isinstance(row, ArrayOperation) else bool(row.kinks)


def _cornered(part: Apply) -> bool:
    """Whether it may have corners, in itself or in the formula it stands for."""
    row = part.operation
    return _has_corners(part) or (isinstance(row, ArrayOperation) and row.sort == "formula" and not row.vjp)


def _zeros(value: Any) -> tuple[int, int]:
    """How many elements are 0, and of how many."""
    if ar.is_array(value) and value.dtype != object:
        return value.size - int(np.count_nonzero(value)), value.size
    elements = ar.boxed(value).reshape(-1)
    return sum(1 for element in elements if isinstance(element, (Fraction, float)) and element == 0), elements.size


def _short(quantity: Quantity, most: int = 60) -> str:
    assert quantity.definition is not None
    text = to_text(quantity.definition)
    return text if len(text) <= most else text[: most - 3] + "..."


ELEMENT = re.compile(r"(.+)\[([0-9, ]+)\]")


def with_output(graph: Graph, of: str | None) -> tuple[Graph, str | None]:
    """A network in which an element that is asked for, `y[0,1]`, is a quantity of its own."""
    if of is None or of in graph:
        return graph, of
    whole, place = element_of(graph, of)
    if whole is None:
        return graph, of
    name = element_name(whole, place)
    formula = apply(INDEX, Ref(whole), params=(("key", place),))
    try:
        more = [*graph.quantities, Quantity(name, "computed", formula)]
        return Graph.of(more, graph.asks, graph.notices, graph.update), name
    except ReadError as error:
        raise UsageError(error.what, cure=error.cure) from None


def element_of(graph: Graph, name: str) -> tuple[str | None, tuple[int, ...]]:
    """The array and the place of an element's name, `W1[0, 1]`; None for another name."""
    match = ELEMENT.fullmatch(name)
    if match is None or match[1] not in graph:
        return None, ()
    return match[1], tuple(int(n) for n in match[2].split(",") if n.strip())


def known_element(graph: Graph, name: str) -> tuple[str, tuple[int, ...]]:
    """The array and the place of an element's name. Raises UsageError where there is none of that name."""
    whole, place = element_of(graph, name)
    if whole is None:
        return graph[name].name, ()
    shape = graph[whole].shape
    if len(place) != len(shape) or any(at >= size for at, size in zip(place, shape, strict=True)):
        raise UsageError(
            f"There is no element {name}: {whole} has the shape {shape}.",
            cure="Elements are counted from 0, one number for each axis.",
        )
    return whole, place


def element_name(name: str, place: Sequence[int]) -> str:
    """`W1[0,1]`; the name alone for a single number."""
    return f"{name}[{','.join(map(str, place))}]" if place else name


def elements(graph: Graph, of: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The elements of a quantity by name: `y[0,1]`."""
    for place in np.ndindex(graph[of].shape):
        yield element_name(of, place), place
