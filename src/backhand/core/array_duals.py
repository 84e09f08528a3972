"""Forward mode for arrays: an array and its rate of change, carried through a formula together.

The second method that must agree with the backward pass through arrays. It shares the rows' values and
partial derivatives with that pass, but none of their `vjp`:

    elementwise   sum over arguments of partial x rate, as for single numbers
    linear        the operation itself on the rate of one argument at a time: d(U @ V) = dU @ V + U @ dV;
                  places (of gather and scatter) have no rate
    largest       what changes at the largest element; equal ones share
    formula       through the formula of the row's value
    flat          no change

Where `absolute` is set every factor is taken without its sign: the size of all that was added up on the
way, which is what a rounded result can be compared by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backhand.core import evaluate as ev
from backhand.core.array_operations import ROW, ArrayOperation
from backhand.core.array_passes import Passes
from backhand.core.arrays import (
    EXACT,
    FLOATS,
    ONE,
    ZERO,
    Evaluator,
    apply,
    boxed,
    is_array,
    lifted,
    shape_of,
    unboxed,
    value_formula,
)
from backhand.core.formula import Apply, Formula, Num, Ref, postorder
from backhand.core.operations import ADD, MULTIPLY, OPERATIONS

ABS = OPERATIONS["abs", 1]


def tangents(passes: Passes, of: str, rates: Mapping[str, Any], *, absolute: bool = False) -> Any:
    """How fast `of` changes when given quantities change at these rates, each in the shape of its quantity.

    Values are those of the forward pass."""
    known: dict[str, Any] = {}
    evaluator = passes.evaluator({}, ev.quiet)
    with np.errstate(all="ignore"):
        for quantity in passes.graph.quantities[: passes.graph.index[of] + 1]:
            rate = rates.get(quantity.name)
            if quantity.computed:
                assert quantity.definition is not None
                rate = dual(quantity.definition, evaluator, known, absolute=absolute)
                if rate is not None and quantity.shape:
                    rate = np.broadcast_to(boxed(rate), quantity.shape)
            known[quantity.name] = rate
    found = known[of]
    zero: Any = ZERO if passes.exact else 0.0
    return zero if found is None else found


def dual(formula: Formula, evaluator: Evaluator, rates: Mapping[str, Any], *, absolute: bool = False) -> Any:
    """The rate of change of a formula, in its shape; None where nothing in it changes."""
    worth: list[tuple[Any, Any, int]] = []
    for node in postorder(formula):
        match node:
            case Apply():
                count = len(node.args)
                below = worth[len(worth) - count :] if count else []
                if count:
                    del worth[len(worth) - count :]
                values = [value for value, _, _ in below]
                mark = evaluator.number(node, [mark for _, _, mark in below])
                value = evaluator.kept.get(mark)
                if value is None:
                    value = evaluator.apply(node, values)
                moving = [rate for _, rate, _ in below]
                rate = None
                if any(one is not None for one in moving):
                    rate = _rate(node, values, moving, value, exact=evaluator.exact, absolute=absolute)
                    if rate is not None and shape_of(rate) != shape_of(value):
                        rate = np.broadcast_to(boxed(rate), shape_of(value))
                worth.append((value, rate, mark))
            case Ref():
                worth.append((evaluator.values[node.name], rates[node.name], evaluator.number(node, ())))
            case Num():
                value = node.value if evaluator.exact else float(node.value)
                worth.append((value, None, evaluator.number(node, ())))
            case _:
                raise AssertionError(node)
    return worth[0][1]


def _rate(node: Apply, values: Sequence[Any], rates: Sequence[Any], result: Any, *, exact: bool, absolute: bool) -> Any:
    """What an operation makes of the rates of its arguments."""
    row = node.operation
    if not isinstance(row, ArrayOperation):
        return _elementwise(node, values, rates, result, exact=exact, absolute=absolute)
    match row.sort:
        case "flat":
            return None
        case "formula":
            letters = dict(zip(row.arguments, values, strict=True))
            inside = value_formula(node, [shape_of(value) for value in values])
            evaluator = Evaluator(letters, {}, exact=exact, note=ev.quiet)
            return dual(inside, evaluator, dict(zip(row.arguments, rates, strict=True)), absolute=absolute)
        case "largest":
            return _at_the_largest(node, values[0], rates[0], exact=exact)
        case "linear" if row.several:
            arithmetic = EXACT if exact else FLOATS
            zeros = [arithmetic.full(shape_of(value), arithmetic.zero) for value in values]
            return apply(node, [z if r is None else r for r, z in zip(rates, zeros, strict=True)], exact=exact)
        case "linear":
            if absolute:
                values = [_absolute(value, exact=exact) for value in values]
            total: Any = None
            for position, rate in enumerate(rates):
                if rate is None or (position and row.name in ("gather", "scatter")):
                    continue
                args = [*values[:position], rate, *values[position + 1 :]]
                total = _added(total, apply(node, args, exact=exact), exact=exact)
            return total


def _elementwise(
    node: Apply, values: Sequence[Any], rates: Sequence[Any], result: Any, *, exact: bool, absolute: bool
) -> Any:
    """The sum of partial x rate, element by element; nan where there is no finite slope."""
    row = node.operation
    letters: dict[str, Any] = dict(zip(row.arguments, values, strict=True)) | {"y": result}
    total: Any = None
    for text, rate in zip(row.partials, rates, strict=True):
        if rate is None or text == "0":
            continue
        partial = Evaluator(letters, {}, exact=exact, note=ev.quiet, slopes=True).evaluate(ev.row_formula(text))
        if absolute:
            partial = _absolute(partial, exact=exact)
        total = _added(total, _product(partial, rate, exact=exact), exact=exact)
    return total


def _product(partial: Any, rate: Any, *, exact: bool) -> Any:
    """Partial x rate. What does not move stays, however steep the slope is."""
    if exact:
        return rate if partial is ONE else lifted(MULTIPLY, [partial, rate])
    if not is_array(partial):
        return partial * rate
    product = partial * rate
    return product if np.all(np.isfinite(partial)) else np.where(np.equal(rate, 0.0), 0.0, product)


def _added(one: Any, other: Any, *, exact: bool) -> Any:
    if one is None:
        return other
    return lifted(ADD, [one, other]) if exact else one + other


def _absolute(value: Any, *, exact: bool) -> Any:
    return lifted(ABS, [value]) if exact else np.abs(value)


def _at_the_largest(node: Apply, value: Any, rate: Any, *, exact: bool) -> Any:
    """The mean of the rates of the largest elements (or the smallest)."""
    options: dict[str, Any] = dict(node.params)
    where = ROW["largest" if node.operation.name == "max" else "smallest"]
    arithmetic = EXACT if exact else FLOATS
    shares = where.compute(arithmetic, [value], {"axis": options["axis"]})
    return unboxed(ROW["sum"].compute(arithmetic, [arithmetic.multiply(shares, rate)], options))
