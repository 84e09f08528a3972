"""The derivative of every computed quantity by every quantity: one backward pass for each row."""

from __future__ import annotations

from backhand import limits
from backhand.core.evaluate import Value
from backhand.core.propagate import Propagation, derivatives_of
from backhand.errors import LimitError

Rows = dict[str, dict[str, Value]]


def all_pairs(propagation: Propagation) -> Rows:
    """rows[of][by] is the total derivative; 0 where `of` does not depend on `by`.

    Raises LimitError past `limits.PAIRS` numbers.
    """
    graph = propagation.graph
    computed = [q.name for q in graph.quantities if q.computed]
    if len(computed) * len(graph) > limits.PAIRS:
        raise LimitError(
            f"All pairs here are {len(computed) * len(graph)} derivatives; at most {limits.PAIRS} are listed.",
            cure="Ask for the derivatives of one quantity with --of.",
        )
    return {of: row(propagation, of) for of in computed}


def row(propagation: Propagation, of: str) -> dict[str, Value]:
    """The derivatives of one quantity by all."""
    from backhand.core.rules import ZERO

    found = derivatives_of(propagation, of)
    names = [q.name for q in propagation.graph.quantities]
    return {name: ZERO if value is None else value for name, value in zip(names, found, strict=True)}
