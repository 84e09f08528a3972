"""The second method for networks of arrays: forward mode along one made-up direction, a rate for each element.

Exactly equal where all numbers are fractions; else to 1e-9 of the size of the summands, or, where they
cancelled on the way, of all that was added up. Small exact networks are also compared with a difference
of values, for which everything is computed again at two neighbouring points.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from backhand.core import arrays as ar
from backhand.core.array_duals import tangents
from backhand.core.array_passes import Passes
from backhand.core.evaluate import quiet
from backhand.core.graph import Graph, Quantity
from backhand.core.propagate import Propagation
from backhand.core.shapes import size
from backhand.errors import BackhandError
from backhand.solving.cross_check import disagreement
from backhand.solving.solution import CheckStep

DIFFERENCE = 400
"""Elements of all quantities up to which the difference of values is computed too."""


def cross_check_arrays(propagation: Propagation) -> tuple[CheckStep, ...]:
    """The checks that were made and passed. Raises CheckError where one did not."""
    passes = propagation.passes
    assert passes is not None
    derivatives: dict[str, Any] = {}
    rates: dict[str, Any] = {}
    start = 0
    for quantity, adjoint in zip(propagation.graph.quantities, propagation.adjoints, strict=True):
        if not quantity.computed and adjoint is not None:
            derivatives[quantity.name] = adjoint
            rates[quantity.name] = _rates(adjoint, start, exact=passes.exact)
            start += size(quantity.shape)
    if not rates:
        return ()
    found = tangents(passes, propagation.of, rates)
    exact = _compared(propagation, passes, found, derivatives, rates)
    checks = [CheckStep("dual numbers", start, exact)]
    small = sum(size(quantity.shape) for quantity in propagation.graph.quantities) <= DIFFERENCE
    if exact and small and not propagation.notices:
        difference = _difference(propagation, rates)
        if difference is not None:
            if abs(difference - found) > Fraction(1, 10**9) * max(1, abs(found)):
                raise disagreement(propagation, "a difference of values")
            checks.append(CheckStep("difference of values", start, False))
    return tuple(checks)


def _rates(adjoint: Any, start: int, *, exact: bool) -> Any:
    """A made-up rate for each element, as `cross_check` has them; 0 where the derivative is not a finite number."""
    count = size(ar.shape_of(adjoint))
    numbers = np.arange(start, start + count)
    whole = (((2 * numbers + 1) * 40503 & 131071) - 65536) | 1
    elements = ar.boxed(adjoint).reshape(-1)
    if exact:
        made = np.empty(count, object)
        for place, (element, rate) in enumerate(zip(elements, whole, strict=True)):
            made[place] = Fraction(int(rate)) if math.isfinite(element) else Fraction(0)
    else:
        made = np.where(np.isfinite(np.asarray(elements, np.float64)), whole.astype(np.float64), 0.0)
    return ar.unboxed(made.reshape(ar.shape_of(adjoint)))


def _compared(
    propagation: Propagation, passes: Passes, found: Any, derivatives: Mapping[str, Any], rates: Mapping[str, Any]
) -> bool:
    """Whether both sides were compared exactly. Raises CheckError where they differ."""
    if passes.exact and isinstance(found, Fraction):
        pairs = [
            (d, r)
            for name, whole in derivatives.items()
            for d, r in zip(ar.boxed(whole).reshape(-1), ar.boxed(rates[name]).reshape(-1), strict=True)
            if r
        ]
        if all(isinstance(d, Fraction) for d, _ in pairs):
            if found != sum((d * r for d, r in pairs), Fraction(0)):
                raise disagreement(propagation, "dual numbers")
            return True
    total = summands = 0.0
    for name, whole in derivatives.items():
        rate = ar.floats(rates[name])
        products = np.where(rate == 0, 0.0, ar.floats(whole) * rate)
        total += float(np.sum(products))
        summands += float(np.sum(np.abs(products)))
    number = float(ar.floats(found))
    difference = abs(total - number)
    if math.isfinite(difference) and difference > 1e-9 * (summands + abs(number)) + 1e-300:
        steps = {name: np.abs(ar.floats(rate)) if not passes.exact else _positive(rate) for name, rate in rates.items()}
        whole_size = float(ar.floats(tangents(passes, propagation.of, steps, absolute=True)))
        if math.isfinite(whole_size) and difference > 1e-9 * whole_size:
            raise disagreement(propagation, "dual numbers")
    return False


def _positive(rate: Any) -> Any:
    return ar.unboxed(np.abs(ar.boxed(rate)))


def _difference(propagation: Propagation, rates: Mapping[str, Any]) -> Fraction | None:
    """(f(x + h r) - f(x - h r)) / 2h with exact numbers; None where a neighbour has no exact value."""
    step = Fraction(1, 10**20)
    above, below = (_moved(propagation, rates, sign * step) for sign in (1, -1))
    return None if above is None or below is None else (above - below) / (2 * step)


def _silently(_: Quantity) -> None:
    """Nobody is told which quantity is at hand."""


def _moved(propagation: Propagation, rates: Mapping[str, Any], step: Fraction) -> Fraction | None:
    """The output when each element is moved by step x its rate."""
    passes = propagation.passes
    assert passes is not None
    moved: list[Quantity] = []
    for quantity in propagation.graph.quantities:
        if quantity.name in rates:
            there: Any = passes.values[quantity.name] + rates[quantity.name] * step
            quantity = replace(quantity, array=there) if quantity.shape else replace(quantity, given=there)
        moved.append(quantity)
    again = Passes(Graph(tuple(moved)), True, quiet)
    try:
        again.forward(_silently)
    except BackhandError:
        return None
    end = again.values[propagation.of]
    return end if isinstance(end, Fraction) else None
