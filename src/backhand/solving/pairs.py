"""The derivative of every computed quantity by every quantity: one backward pass for each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backhand import limits
from backhand.core.evaluate import Value
from backhand.core.propagate import Propagation, derivatives_of
from backhand.errors import LimitError

if TYPE_CHECKING:
    from backhand.core.array_passes import Passes
    from backhand.core.graph import Quantity

Rows = dict[str, dict[str, Value]]


def all_pairs(propagation: Propagation) -> Rows:
    """rows[of][by] is the total derivative; 0 where `of` does not depend on `by`.

    Raises LimitError past `limits.PAIRS` numbers.
    """
    graph = propagation.graph
    if propagation.passes is not None:
        return _of_elements(propagation, propagation.passes)
    computed = [q.name for q in graph.quantities if q.computed]
    _check(len(computed) * len(graph))
    return {of: row(propagation, of) for of in computed}


def _of_elements(propagation: Propagation, passes: Passes) -> Rows:
    """rows["y[0]"]["W1"] is the derivative of one element by an array, in the array's shape; rows["y"]["W1"] has those
    of all elements, with the axes of y in front."""
    from backhand.core import arrays as ar
    from backhand.core.array_passes import elements
    from backhand.core.shapes import size

    graph = propagation.graph
    computed = [q for q in graph.quantities if q.computed]
    count = sum(size(q.shape) for q in computed) * sum(size(q.shape) for q in graph.quantities)
    _check(count)
    arithmetic = ar.EXACT if passes.exact else ar.FLOATS
    rows: Rows = {}
    for quantity in computed:
        found: Rows = {}
        for name, place in elements(graph, quantity.name):
            seed = arithmetic.full(quantity.shape, arithmetic.zero)
            seed[place] = arithmetic.one
            back = passes.backward(quantity.name, lambda about: None, seed=ar.unboxed(seed))
            found[name] = {q.name: back[q.name] if q.name in back else passes.gathered(q, ()) for q in graph.quantities}
        if quantity.shape:
            rows[quantity.name] = {q.name: _together(found, quantity, q) for q in graph.quantities}
        rows |= found
    return rows


def _together(rows: Rows, of: Quantity, by: Quantity) -> Any:
    """The derivative of an array by an array: the axes of the one, then those of the other."""
    import numpy as np

    from backhand.core import arrays as ar

    parts = [ar.boxed(row[by.name]) for row in rows.values()]
    return np.stack(parts).reshape(*of.shape, *by.shape)


def _check(count: int) -> None:
    if count > limits.PAIRS:
        raise LimitError(
            f"All pairs here are {count} derivatives; at most {limits.PAIRS} are listed.",
            cure="Ask for the derivatives of one quantity with --of.",
        )


def row(propagation: Propagation, of: str) -> dict[str, Value]:
    """The derivatives of one quantity by all."""
    from backhand.core.rules import ZERO

    found = derivatives_of(propagation, of)
    names = [q.name for q in propagation.graph.quantities]
    return {name: ZERO if value is None else value for name, value in zip(names, found, strict=True)}
