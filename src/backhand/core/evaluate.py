"""What a formula is worth: exactly where that is possible, as a float where not, in symbols where values miss.

One evaluator serves all three. An operation whose arguments are fractions is asked for its exact
result first (a row's own `exact`, or its value formula evaluated exactly); a float is what remains.
An argument without a value makes the result a formula, lightly tidied (`core.algebra`).

Nothing is silent: what was taken by convention, what overflowed and where digits were lost is
reported to a `Log`, and what has no value raises UndefinedError at its quantity.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache
from typing import TypeAlias

from backhand import limits
from backhand.core import algebra
from backhand.core.arithmetic import NoValue, TooLarge
from backhand.core.formula import Apply, Formula, Num, Ref, Slope, postorder, to_text
from backhand.core.operations import Operation
from backhand.errors import LimitError, UndefinedError
from backhand.numbers import Number, as_float, bits, show
from backhand.text import Span

Value: TypeAlias = "Number | Formula"
"""A number, or a formula in the symbols that have no value."""

Note: TypeAlias = Callable[[str], None]
"""Told of every convention that was used."""


def quiet(words: str) -> None:
    """For a second look at what was reported already."""


def evaluate(formula: Formula, values: Mapping[str, Value], note: Note = quiet) -> Value:
    """The value of a formula where each name has the value given.

    Raises NoValue where it has none (1/0, ln 0), TooLarge where an exact power would be too long.

    >>> from backhand.core.notation import formula
    >>> evaluate(formula("(D - t)^2"), {"D": Fraction(4), "t": Fraction(3)})
    Fraction(1, 1)
    """
    done: list[Value] = []
    for node in postorder(formula):
        if type(node) is Apply:
            count = len(node.args)
            args = done[len(done) - count :]
            del done[len(done) - count :]
            done.append(apply_operation(node.operation, args, note))
        elif type(node) is Ref:
            done.append(values[node.name])
        elif type(node) is Num:
            done.append(node.value)
        else:
            assert isinstance(node, Slope)
            raise NoValue(f"{to_text(node)} is a derivative, and a network is made of values")
    return done[0]


def apply_operation(operation: Operation, args: list[Value], note: Note = quiet) -> Value:
    """One operation on numbers or formulas."""
    if all(type(arg) is Fraction for arg in args):
        exact = _exact(operation, args, note)  # type: ignore[arg-type]
        if exact is not None:
            return exact
    numbers: list[float] = []
    symbolic = False
    for arg in args:
        if isinstance(arg, Formula):
            symbolic = True
            continue
        number = as_float(arg)
        if math.isinf(number):
            note(f"A number here is too large for a float (beyond 1.8e308), so {_name(operation)} of it is not known.")
        if not math.isfinite(number):
            return math.nan
        if arg and not number:
            note(f"A number here is too small for a float (below 5e-324), so {_name(operation)} of it is not known.")
            return math.nan
        numbers.append(number)
    if symbolic:
        return algebra.make(operation, [algebra.formula_of(a) for a in args])
    return _real(operation, numbers, note, rounded=any(isinstance(arg, float) for arg in args))


def _exact(operation: Operation, args: list[Fraction], note: Note) -> Fraction | None:
    """The exact result, None where it is not rational or has too many bits."""
    if operation.exact is None:
        return _by_formula(operation, args)
    result = operation.exact(*args)
    if result is not None and bits(result) > limits.BITS:
        note(f"An exact result here has more than {limits.BITS} bits; it and what follows are rounded to floats.")
        return None
    if operation.name == "^" and args[0] == 0 and args[1] == 0:
        note("0^0 is taken as 1.")
    return result


def _by_formula(operation: Operation, args: list[Fraction]) -> Fraction | None:
    """A row without an exact function of its own: its value formula, if every step of it is exact."""
    if not args:
        return None
    values = dict(zip(operation.arguments, args, strict=True))
    try:
        result = evaluate(row_formula(operation.value), values)
    except ArithmeticError:
        return None
    return result if isinstance(result, Fraction) else None


def _real(operation: Operation, args: list[float], note: Note, *, rounded: bool) -> float:
    """The row's float, nan where it is too large, or where a rounded 0 may not be 0 at all."""
    try:
        result = operation.real(*args)
    except OverflowError:
        result = math.inf
    except NoValue:
        if not rounded or 0.0 not in args:
            raise
        note(f"A number was too small for a float and became 0 before {_name(operation)}, so that is not known.")
        return math.nan
    if not math.isfinite(result):
        note(f"The result of {_name(operation)} is too large for a float (beyond 1.8e308), so no number is shown.")
        return math.nan
    if rounded and operation.name in "+-" and abs(result) < 1e-8 * max(map(abs, args)):
        _cancelled(args, result, note)
    return result


def _cancelled(args: list[float], result: float, note: Note) -> None:
    """The digits that two nearly equal numbers share are lost in their difference."""
    lost = "all" if not result else f"about {int(math.log10(max(map(abs, args)) / abs(result)))}"
    note(
        f"Two nearly equal rounded numbers ({show(args[0]).text} and {show(args[1]).text}) cancel here: "
        f"{lost} of 16 digits are lost."
    )


def _name(operation: Operation) -> str:
    return {"^": "a power", "*": "a product", "/": "a quotient", "+": "a sum", "-": "a difference"}.get(
        operation.name, operation.name
    )


@cache
def row_formula(text: str) -> Formula:
    """A formula of the table of operations, read once."""
    from backhand.core.notation import formula

    return formula(text)


def evaluate_quantity(
    name: str, formula: Formula, values: Mapping[str, Value], span: Span | None, note: Note = quiet
) -> Value:
    """As `evaluate`, with errors that name the quantity and its place."""
    try:
        return evaluate(formula, values, note)
    except NoValue as error:
        raise UndefinedError(
            f"{name} = {_short(formula)} has no value: {error}.",
            span,
            cure="Change the numbers it is made of, or the formula.",
        ) from None
    except TooLarge as error:
        raise LimitError(
            f"{name} = {_short(formula)} is too long a number: {error}.", span, cure="Use smaller numbers."
        ) from None


def evaluate_constant(formula: Formula, name: str, span: Span | None) -> Number:
    """The value of a formula without names: `-2`, `1/3`, `sqrt(2)`."""
    value = evaluate_quantity(name, formula, {}, span)
    assert isinstance(value, (Fraction, float))
    if not isinstance(value, Fraction) and not math.isfinite(value):
        raise UndefinedError(
            f"{name} = {_short(formula)} is too large for a number.", span, cure="Use a smaller number."
        )
    return value


def _short(formula: Formula, most: int = 60) -> str:
    text = to_text(formula)
    return text if len(text) <= most else text[: most - 3] + "..."
