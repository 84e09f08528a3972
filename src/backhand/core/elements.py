"""A network of arrays, element by element: each element a quantity of its own, `W1[0,1]`.

    z = W1 @ x + b        z[0] = W1[0,0] x[0] + W1[0,1] x[1] + b[0]        and so on

The formulas of the elements are what comes out when names stand in for the numbers and the arithmetic
of arrays is done on them. The result is an ordinary network of single numbers: its working, its paths
and its marking are those of any other, so one chosen element can be written out, and an answer given
element by element can be judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from backhand import limits
from backhand.core import algebra
from backhand.core import arrays as ar
from backhand.core import evaluate as ev
from backhand.core.array_operations import ArrayOperation, Shape, axes_of
from backhand.core.array_passes import element_name
from backhand.core.formula import Apply, Ref
from backhand.core.graph import Graph, Quantity
from backhand.core.operations import OPERATIONS, Operation
from backhand.core.shapes import size
from backhand.errors import LimitError

PLACES = frozenset(["gather", "scatter", "one_hot"])
"""Rows that look at the numbers of an argument, not only at where they stand."""


def expanded(graph: Graph) -> Graph:
    """The network of single numbers. Raises LimitError for a large one."""
    whole = sum(size(q.shape) for q in graph.quantities)
    if whole > limits.EXPANDED:
        raise LimitError(
            f"Here are {whole} single numbers; at most {limits.EXPANDED} are written out one by one.",
            cure="Ask about a smaller network.",
        )
    known: dict[str, Any] = {}
    quantities: list[Quantity] = []
    numbers: dict[str, Fraction] = {}
    for quantity in graph.quantities:
        known[quantity.name] = _named(quantity.name, quantity.shape)
        if not quantity.computed:
            quantities += _given(quantity, numbers)
            continue
        assert quantity.definition is not None
        worth = _Expander(known, numbers).evaluate(quantity.definition)
        formulas: Any = np.broadcast_to(ar.boxed(worth), quantity.shape)
        for place in np.ndindex(quantity.shape):
            name = element_name(quantity.name, place)
            definition = algebra.formula_of(formulas[place])
            quantities.append(Quantity(name, "computed", definition, span=quantity.span))
    return Graph.of(quantities)


def _named(name: str, shape: Shape) -> Any:
    made = np.empty(shape, object)
    for place in np.ndindex(shape):
        made[place] = Ref(element_name(name, place))
    return ar.unboxed(made)


def _given(quantity: Quantity, numbers: dict[str, Fraction]) -> list[Quantity]:
    if quantity.array is None:
        return [Quantity(quantity.name, quantity.kind, quantity.definition, quantity.given, span=quantity.span)]
    array: Any = ar.exact_array(quantity.array)
    found: list[Quantity] = []
    for place in np.ndindex(array.shape):
        name = element_name(quantity.name, place)
        numbers[name] = array[place]
        found.append(Quantity(name, quantity.kind, None, array[place], span=quantity.span))
    return found


class _Expander(ar.Evaluator):
    """Arithmetic with names in place of numbers."""

    def __init__(self, values: Mapping[str, Any], numbers: Mapping[str, Fraction]) -> None:
        super().__init__(values, {}, exact=True, note=ev.quiet)
        self.given = numbers

    def apply(self, node: Apply, args: Sequence[Any]) -> Any:
        row = node.operation
        if not isinstance(row, ArrayOperation):
            return _written(row, args)
        options = dict(node.params)
        if row.name == "softmax":
            return _softmax(args[0], options["axis"])
        if row.sort == "formula":
            letters = dict(zip(row.arguments, args, strict=True))
            formula = ar.value_formula(node, [ar.shape_of(arg) for arg in args])
            return _Expander(letters, self.given).evaluate(formula)
        if row.name in PLACES:
            args = [*args[:-1], self._numbers(args[-1])]
        return ar.unboxed(row.compute(SYMBOLS, args, options))

    def _numbers(self, value: Any) -> Any:
        """The numbers of names that are given."""
        found = np.empty(ar.shape_of(value), object)
        for place in np.ndindex(found.shape):
            one = ar.boxed(value)[place]
            found[place] = self.given[one.name] if isinstance(one, Ref) else one
        return found


def _written(row: Operation, args: Sequence[Any]) -> Any:
    """An operation of single numbers on each element; what would be rounded, sqrt(2), stays as it is written."""
    arrays = np.broadcast_arrays(*[ar.boxed(arg) for arg in args]) if args else [ar.boxed(Fraction(0))]
    made = np.empty(arrays[0].shape, object)
    for place in np.ndindex(made.shape):
        elements: list[Any] = [array[place] for array in arrays] if args else []
        value = ev.apply_operation(row, list(elements))
        if isinstance(value, float):
            value = algebra.make(row, [algebra.formula_of(element) for element in elements])
        made[place] = value
    return ar.unboxed(made)


def _softmax(logits: Any, axis: Any) -> Any:
    """exp(z[i]) over the sum of all exp(z[k]): what the row's own formula is worth, without its largest element, which
    only keeps floats in range."""
    powers = _written(OPERATIONS["exp", 1], [logits])
    total = ar.summed(SYMBOLS, [powers], {"axis": axis, "keepdims": True})
    return _written(OPERATIONS["/", 2], [powers, total])


class _Symbols(ar.Exact):
    """As exact arithmetic; the largest of names is written max(a, b)."""

    def larger(self, array: Any, axes: tuple[int, ...], sign: int) -> Any:
        row = OPERATIONS["max" if sign > 0 else "min", 2]
        axes = axes_of(axes, array.ndim)
        moved = np.moveaxis(array, axes, range(len(axes)))
        rest = moved.shape[len(axes) :]
        lines = moved.reshape(-1, *rest)
        best: Any = ar.boxed(lines[0])
        for line in lines[1:]:
            best = ar.boxed(ar.lifted(row, [best, line]))
        return np.expand_dims(best, axes)


SYMBOLS = _Symbols()
