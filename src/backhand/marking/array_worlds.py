"""Networks of arrays with numbers in them, and formulas of a page worked out there.

    here(graph, of)           the numbers of the network itself
    elsewhere(graph, of, 1)   other numbers of the same shapes, to tell a rule from an accident
    "column"                  W x with x a column; "row" with vectors as rows; "numpy" as NumPy has it; "numerator" with
                              vectors as columns, and derivatives by them as rows

Who writes `δ xᵀ` has columns in mind, `np.outer(dz, x)` NumPy's vectors, `x W` rows. A page is not asked which: a line
counts as right if it is in one of these readings.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Literal, TypeAlias

import numpy as np

from backhand.core import arrays as ar
from backhand.core import evaluate as ev
from backhand.core.adjoints import Sent, sent
from backhand.core.arithmetic import NoValue, TooLarge
from backhand.core.array_operations import ArrayOperation, Mismatch
from backhand.core.array_passes import Passes
from backhand.core.formula import Apply, Formula, Num, Ref, Slope, postorder
from backhand.core.graph import Graph, Quantity
from backhand.core.operations import MULTIPLY
from backhand.errors import BackhandError

Array: TypeAlias = "np.ndarray[Any, Any]"
Manner: TypeAlias = Literal["numpy", "column", "row", "numerator"]
MANNERS: tuple[Manner, ...] = ("numpy", "column", "row")
Leaf: TypeAlias = Callable[["Ref | Slope", "World"], "Array | None"]
IsSlope: TypeAlias = Callable[["Ref | Slope"], bool]


TURNS = ("T", "⊤")
"""Exponents that turn a matrix; T may be a quantity as well."""

TRANSPOSED = re.compile(r"(.+?)\^\{?(?:T|top|⊤|'\s*)\}?")
"""A name with a raised T."""


METHOD = re.compile(r"[^\W\d]\w*(?:\.T)?\.[a-z]+\(")
"""x.sum("""


class Unknown(Exception):
    """A name, or a sign, that has no meaning here."""


@dataclass(slots=True, eq=False)
class World:
    """The values and derivatives of a network by name, as arrays of floats; single numbers are arrays without axes."""

    graph: Graph
    of: str
    passes: Passes
    values: dict[str, Any]
    adjoints: dict[str, Any]
    rows: dict[str, Any] = field(default_factory=dict[str, Any])
    ways: dict[str, list[Sent]] = field(default_factory=dict[str, list[Sent]])
    """What goes back along each formula, once it was asked for."""

    def value(self, name: str) -> Array:
        return np.asarray(self.values[name], float)

    def slope(self, by: str) -> Array:
        """The derivative of the output by a quantity."""
        found = self.adjoints.get(by)
        return np.zeros(self.graph[by].shape) if found is None else np.asarray(found, float)

    def jacobian(self, of: str, by: str) -> Array:
        """The derivatives of the elements of one array by those of another, all ways; its axes, then the other's."""
        key = f"{of}/{by}"
        if key not in self.rows:
            shape = self.graph[of].shape
            made = np.zeros((*shape, *self.graph[by].shape))
            for place in np.ndindex(shape):
                seed = np.zeros(shape)
                seed[place] = 1.0
                found = self.passes.backward(of, _nobody, seed=ar.unboxed(seed))
                if by in found:
                    made[place] = found[by]
            self.rows[key] = made
        return self.rows[key]

    def with_own(self, values: Mapping[str, Any], adjoints: Mapping[str, Any]) -> World:
        """The same with some numbers as somebody has them."""
        own = {**self.values, **values}, {**self.adjoints, **adjoints}
        return World(self.graph, self.of, self.passes, *own, ways=self.ways)

    def by_rule(self, name: str) -> Array | None:
        """What a value is by its formula from the numbers here."""
        definition = self.graph[name].definition
        if not self.graph[name].computed or definition is None:
            return None
        return self._worked(definition, self.graph[name])

    def slope_by_rule(self, by: str) -> Array | None:
        """What a derivative is by the chain rule from the numbers here: the derivatives of what uses it, and values."""
        total: Any = None
        for child in self.graph.children(by):
            if child not in self.adjoints:
                continue
            if child not in self.ways:
                self.ways[child] = sent(self.graph, child, self.of)
            for one in self.ways[child]:
                if one.parent == by:
                    value = self._worked(one.formula, self.graph[by])
                    if value is None:
                        return None
                    total = value if total is None else total + value
        return total

    def worked(self, formula: Formula) -> Array | None:
        """What a formula of the network's own kind is worth; None where it has no value or its shapes do not fit."""
        evaluator = ar.Evaluator(self.values, self.adjoints, exact=False, note=ev.quiet)
        try:
            with np.errstate(all="ignore"):
                value = np.asarray(evaluator.evaluate(formula), float)
        except (NoValue, TooLarge, Mismatch, ArithmeticError, ValueError):
            return None
        return value if bool(np.isfinite(value).all()) else None

    def _worked(self, formula: Formula, quantity: Quantity) -> Array | None:
        evaluator = ar.Evaluator(self.values, self.adjoints, exact=False, note=ev.quiet)
        try:
            with np.errstate(all="ignore"):
                value = evaluator.evaluate(formula)
            return np.broadcast_to(np.asarray(value, float), quantity.shape)
        except (NoValue, TooLarge, ArithmeticError, ValueError):
            return None


def _nobody(_: Quantity) -> None:
    """Nobody is told."""


def _world(graph: Graph, of: str) -> World:
    passes = Passes(graph, False, ev.quiet)
    passes.forward(_nobody)
    return World(graph, of, passes, passes.values, passes.backward(of, _nobody))


def here(graph: Graph, of: str) -> World:
    """The network's own numbers."""
    return _world(graph, of)


def elsewhere(graph: Graph, of: str, seed: int) -> World | None:
    """Other numbers of the same shapes and signs; whole numbers that say which class, and masks, stay as they are. None
    where the network has no value there."""
    draw: Any = np.random.RandomState(seed)
    made: list[Quantity] = []
    places = _places(graph)
    for quantity in graph.quantities:
        if quantity.computed or quantity.name in places or _is_mask(quantity):
            made.append(quantity)
        elif quantity.array is not None:
            numbers: Any = ar.floats(quantity.array)
            changed: Any = numbers * draw.uniform(0.4, 1.9, numbers.shape)
            small: Any = draw.uniform(-1, 1, numbers.shape)
            zero: Any = numbers == 0
            made.append(replace(quantity, array=_exact(changed * ~zero + small * zero)))
        elif quantity.given is not None:
            number = float(quantity.given)
            given = number * draw.uniform(0.4, 1.9) if number else draw.uniform(-1, 1)
            made.append(replace(quantity, given=Fraction(str(round(given, 6)))))
        else:
            made.append(quantity)
    try:
        return _world(Graph(tuple(made)), of)
    except BackhandError:
        return None


def _exact(numbers: Array) -> Array:
    return ar.exact_array(np.round(numbers, 6))


def _places(graph: Graph) -> set[str]:
    """The arrays whose numbers say where something is."""
    found: set[str] = set()
    for quantity in graph.quantities:
        if quantity.computed and quantity.definition is not None:
            for node in postorder(quantity.definition):
                if isinstance(node, Apply) and node.operation.name in ("gather", "one_hot", "cross_entropy",
                                                                        "cross_entropy_logits", "scatter"):  # fmt: skip
                    last = node.args[-1]
                    if isinstance(last, Ref):
                        found.add(last.name)
    return found


def _is_mask(quantity: Quantity) -> bool:
    """Only 0 and 1, and no weights: what is let through, or a target."""
    if quantity.array is None or quantity.kind == "weight":
        return False
    numbers = ar.floats(quantity.array)
    return bool(np.all((numbers == 0) | (numbers == 1))) and quantity.kind != "input"


# -- formulas of a page ---------------------------------------------------------------------------------------------


def worked_out(
    formula: Formula, world: World, leaf: Leaf, manners: Sequence[Manner] = MANNERS, is_slope: IsSlope | None = None
) -> list[Array]:
    """What a formula is worth, in each manner of reading in which it fits together; equal ones once. `is_slope` tells
    which names are derivatives, for the manner in which these stand otherwise."""
    found: list[Array] = []
    for manner in manners:
        try:
            with np.errstate(all="ignore"):
                value = _evaluate(formula, world, leaf, manner, is_slope)
        except (Mismatch, NoValue, TooLarge, ArithmeticError, ValueError, IndexError, TypeError):
            continue
        if not any(value.shape == other.shape and np.array_equal(value, other) for other in found):
            found.append(value)
    return found


def _evaluate(formula: Formula, world: World, leaf: Leaf, manner: Manner, is_slope: IsSlope | None) -> Array:
    stack: list[Array] = []
    for node in postorder(formula):
        if isinstance(node, Apply):
            count = len(node.args)
            args = stack[len(stack) - count :] if count else []
            if count:
                del stack[len(stack) - count :]
            stack.append(_apply(node, args, manner))
        elif isinstance(node, Num):
            stack.append(np.asarray(float(node.value)))
        else:
            if isinstance(node, Ref) and (node.name == "⊤" or (node.name == "T" and leaf(node, world) is None)):
                stack.append(np.asarray(math.nan))  # the sign of a transpose; what it stands on looks for its name
                continue
            turned = TRANSPOSED.fullmatch(node.name if isinstance(node, Ref) else node.by)
            plain = node
            if turned is not None:
                plain = Ref(turned[1]) if isinstance(node, Ref) else replace(node, by=turned[1])
            value = leaf(plain, world)
            if value is None and turned is not None:
                turned, value = None, leaf(node, world)
            if value is None:
                raise Unknown(node.name if isinstance(node, Ref) else f"d{node.of}/d{node.by}")
            stands = manner
            if manner == "numerator":
                stands = "row" if is_slope is not None and is_slope(plain) else "column"
            stood = _stood(value, stands)
            stack.append(stood.T if turned is not None else stood)
    return stack[0]


def _stood(value: Array, manner: Manner) -> Array:
    """A vector as this manner has it."""
    if value.ndim != 1 or manner == "numpy":
        return value
    return value[np.newaxis, :] if manner == "row" else value[:, np.newaxis]


def _apply(node: Apply, args: Sequence[Array], manner: Manner) -> Array:
    row = node.operation
    if row is MULTIPLY:
        return _product(node.style, args[0], args[1], manner)
    if row.name == "^" and isinstance(node.args[1], Ref) and node.args[1].name in TURNS:
        return args[0].T
    if isinstance(row, ArrayOperation):
        flat = [arg.reshape(-1) if arg.ndim == 2 and 1 in arg.shape and manner != "numpy" else arg for arg in args]
        plain: list[Any] = [ar.unboxed(arg) for arg in flat]
        if manner != "numpy" and ("keepdims", False) in node.params and not _is_code(node):
            params = tuple((key, key == "keepdims" or value) for key, value in node.params)
            node = replace(node, params=params)  # on paper a sum over rows is a column, and stands beside columns
        value = np.asarray(ar.apply(node, plain, exact=False), float)
        return (
            _stood(value, manner)
            if value.ndim == 1 and flat and any(a is not b for a, b in zip(flat, args, strict=True))
            else value
        )
    return np.asarray(ar.lifted_floats(row, [np.asarray(arg) for arg in args]), float)


def _is_code(node: Apply) -> bool:
    """Whether a function is called as code does: np.sum(x), x.sum()."""
    if node.span is None:
        return False
    text, start = node.span.source.text, node.span.start
    return text[max(0, start - 1) : start] == "." or bool(METHOD.match(text, start))


def _product(style: str, one: Array, other: Array, manner: Manner) -> Array:
    """`@` is a product of matrices, ⊙ and * one element by element. Side by side stands whatever fits: numbers times
    arrays, matrices, else element by element."""
    if style == "@":
        return np.asarray(one @ other if one.ndim and other.ndim else one * other)
    if style in ("⊙", "*"):
        return _elementwise(one, other) if manner == "numpy" else _side_by_side(one, other)
    rows = 0 if not other.ndim else other.shape[-2] if other.ndim > 1 else other.shape[0]
    if one.ndim and other.ndim and one.shape[-1] == rows and not one.ndim == other.ndim == 1:
        return np.asarray(one @ other)
    if one.ndim and other.ndim and one.shape != other.shape:
        raise ValueError("neither a product of matrices nor element by element")
    return _side_by_side(one, other)


def _side_by_side(one: Array, other: Array) -> Array:
    """Element by element, where one of the two is not stretched: a column times a row is no such product."""
    made = _elementwise(one, other)
    if made.shape not in (one.shape, other.shape):
        raise ValueError("neither has the shape of the product")
    return made


def _elementwise(one: Array, other: Array) -> Array:
    return np.asarray(one * other)


def fits(value: Array, shape: tuple[int, ...]) -> Array | None:
    """A value in the shape of what it is said to be; a vector may stand either way. None where it cannot be."""
    if value.shape == shape:
        return value
    if value.size == math.prod(shape) and [n for n in value.shape if n != 1] == [n for n in shape if n != 1]:
        return value.reshape(shape)
    return None
