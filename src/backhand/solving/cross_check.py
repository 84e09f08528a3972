"""Before a solution is handed out, a second method has to find the same derivatives.

Dual numbers run the other way through the network. In one pass they give the change of the output
when all given quantities change at once, each at its own made-up rate r: it must equal the sum of
derivative x rate. With fractions "equal" means equal; the rates are spread over a large range, so
that two wrong derivatives would have to cancel to the last digit to slip through. Where something
was rounded, both sides must agree to 1e-9 of the size of the summands.
Networks in symbols are checked at made-up values of the symbols.

Networks of arrays are checked in the same way, with a rate for each element (`core.array_duals`).

On networks of fractions alone a difference of values is compared, too: the output is computed again at
the point moved by h and by -h along the same direction, without any derivative at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from backhand.core import evaluate as ev
from backhand.core.evaluate import Value
from backhand.core.formula import Formula, Slope, postorder
from backhand.core.graph import Graph
from backhand.core.propagate import Propagation, propagate, tangents
from backhand.core.rules import slopes
from backhand.errors import BackhandError, CheckError
from backhand.numbers import as_float, known
from backhand.solving.solution import CheckStep

DIFFERENCE = 60
"""Quantities up to which the difference of values is computed too."""


def cross_check(propagation: Propagation) -> tuple[CheckStep, ...]:
    """The checks that were made and passed. Raises CheckError where one did not."""
    if any(q.symbolic for q in propagation.graph.quantities):
        return _symbolic(propagation)
    if propagation.passes is not None:
        from backhand.solving.cross_check_arrays import cross_check_arrays  # late: numpy

        return cross_check_arrays(propagation)
    given = _given(propagation)
    if not given:
        return ()
    rates = {name: _rate(number) for number, name in enumerate(given)}
    found = tangents(propagation.graph, propagation.values, rates)[propagation.graph.index[propagation.of]]
    pairs = [(_number(propagation.derivative(name)), rates[name]) for name in given]
    exact = _compare(propagation, found, pairs, rates, "dual numbers")
    checks = [CheckStep("dual numbers", len(given), exact)]
    if exact and len(propagation.graph) <= DIFFERENCE and (difference := _difference(propagation, rates)) is not None:
        expected = sum((d * r for d, r in pairs), Fraction(0))
        if abs(difference - expected) > Fraction(1, 10**9) * max(1, abs(expected)):
            raise disagreement(propagation, "a difference of values")
        checks.append(CheckStep("difference of values", len(given), False))
    return tuple(checks)


def _given(propagation: Propagation) -> list[str]:
    """The given quantities whose derivative is a number."""
    return [
        q.name
        for q, adjoint in zip(propagation.graph.quantities, propagation.adjoints, strict=True)
        if not q.computed and isinstance(adjoint, (Fraction, float)) and known(adjoint)
    ]


def _rate(number: int) -> Fraction:
    """A made-up rate: odd, spread between -2^16 and 2^16, the same on every run."""
    return Fraction((2 * number + 1) * 40503 % 131072 - 65536 | 1)


def _number(value: Value) -> Fraction | float:
    assert isinstance(value, (Fraction, float))
    return value


def _compare(
    propagation: Propagation,
    found: Value,
    pairs: Sequence[tuple[Fraction | float, Fraction]],
    rates: Mapping[str, Fraction],
    method: str,
) -> bool:
    """Whether both sides were compared exactly. Raises CheckError where they differ."""
    if isinstance(found, Fraction) and all(isinstance(d, Fraction) for d, _ in pairs):
        if found != sum((d * r for d, r in pairs), Fraction(0)):
            raise disagreement(propagation, method)
        return True
    number = as_float(_number(found))
    products = [as_float(d) * as_float(r) for d, r in pairs]
    size = math.fsum(map(abs, products)) + abs(number)
    difference = abs(math.fsum(products) - number)
    if math.isfinite(difference) and difference > 1e-9 * size + 1e-300:
        size = _absolute(propagation, {name: abs(as_float(rate)) for name, rate in rates.items()})
        if math.isfinite(size) and difference > 1e-9 * size + 1e-300:
            raise disagreement(propagation, method)
    return False


def _absolute(propagation: Propagation, rates: Mapping[str, float]) -> float:
    """The size of what was added up on the way to the output, with all signs positive: where large summands
    cancel, only digits of that size can agree."""
    graph, known_values = propagation.graph, propagation.by_name
    sizes: dict[str, float] = {}
    for quantity in graph.quantities:
        sizes[quantity.name] = rates.get(quantity.name, 0.0)
        if quantity.computed and quantity.definition is not None:
            sent = slopes(quantity.definition, known_values, propagation.rules, ev.quiet)
            sizes[quantity.name] = math.fsum(abs(as_float(_number(slope))) * sizes[name] for name, slope in sent)
    return sizes[propagation.of]


def disagreement(propagation: Propagation, method: str) -> CheckError:
    return CheckError(
        f"The derivatives of {propagation.of} by backpropagation and by {method} disagree.",
        cure="This is a mistake in Backhand; please report it with the network.",
    )


def _difference(propagation: Propagation, rates: Mapping[str, Fraction]) -> Fraction | None:
    """(f(x + h r) - f(x - h r)) / 2h with exact numbers; None where a neighbour has no exact value."""
    if propagation.notices:
        return None
    step = Fraction(1, 10**20)
    ends = [_moved(propagation, rates, sign * step) for sign in (1, -1)]
    if any(end is None for end in ends):
        return None
    above, below = ends
    assert above is not None and below is not None
    return (above - below) / (2 * step)


def _moved(propagation: Propagation, rates: Mapping[str, Fraction], step: Fraction) -> Fraction | None:
    """The output when each given quantity is moved by step x its rate."""
    values: dict[str, Value] = {}
    try:
        for quantity in propagation.graph.quantities:
            if quantity.computed:
                assert quantity.definition is not None
                values[quantity.name] = ev.evaluate(quantity.definition, values)
            else:
                assert isinstance(quantity.given, Fraction)
                values[quantity.name] = quantity.given + step * rates.get(quantity.name, 0)
    except ArithmeticError:
        return None
    end = values[propagation.of]
    return end if isinstance(end, Fraction) else None


# -- networks in symbols ------------------------------------------------------------------------------------


def _symbolic(propagation: Propagation) -> tuple[CheckStep, ...]:
    """The formulas of the derivatives, evaluated at made-up values, against numbers propagated there."""
    graph = propagation.graph
    for attempt in range(4):
        symbols = {
            q.name: Fraction(3 + 2 * ((number * 7 + attempt * 5) % 11), 4 + attempt)
            for number, q in enumerate(q for q in graph.quantities if q.symbolic)
        }
        at = Graph(tuple(replace(q, given=symbols[q.name]) if q.name in symbols else q for q in graph.quantities))
        try:
            numbers = propagate(at, of=propagation.of)
        except BackhandError:
            continue
        compared = _agree_at(propagation, numbers)
        return (CheckStep("numbers in place of the symbols", compared, False),) if compared else ()
    return ()


def _each(adjoints: Sequence[Any], expected: Sequence[Any]) -> Iterator[tuple[Value | None, Value | None]]:
    """What is compared with what; of arrays each element."""
    for one, other in zip(adjoints, expected, strict=True):
        if getattr(one, "shape", ()) and getattr(other, "shape", ()):
            yield from zip(one.reshape(-1), other.reshape(-1), strict=True)
        else:
            yield one, other


def _agree_at(propagation: Propagation, numbers: Propagation) -> int:
    """How many formulas gave the numbers; names in them (of values and of derivatives) stand for numbers, too."""
    values = dict(numbers.by_name)
    compared = 0
    for adjoint, expected in _each(propagation.adjoints, numbers.adjoints):
        if adjoint is None or not isinstance(expected, (Fraction, float)):
            continue
        number = adjoint
        if isinstance(adjoint, Formula):
            if any(isinstance(node, Slope) for node in postorder(adjoint)):
                continue
            number = ev.evaluate(adjoint, values)
        found = as_float(_number(number))
        size = max(1e-300, abs(found), abs(as_float(expected)))
        if known(expected) and known(found) and abs(found - as_float(expected)) > 1e-9 * size:
            raise disagreement(propagation, "numbers in place of the symbols")
        compared += 1
    return compared
