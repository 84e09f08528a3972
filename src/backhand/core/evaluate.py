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
from backhand.core.digits import Made, made
from backhand.core.formula import Apply, Formula, Num, Ref, Slope, postorder, to_text
from backhand.core.operations import SUBTRACT, Operation
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
    """One operation on numbers or formulas. Fractions give a fraction where they can, else a float that remembers
    them; a plain float gives a plain float."""
    kinds = [type(arg) for arg in args]
    rounded = kinds.count(Fraction) < len(kinds)
    if not rounded:
        exact = _exact(operation, args, note)  # type: ignore[arg-type]
        if exact is not None:
            return exact
    numbers: list[float] = []
    for arg in args:
        if not isinstance(arg, (Fraction, float)):
            continue
        number = as_float(arg)
        if not math.isfinite(number):
            if number == number:
                note(f"A number here is too large for a float (1.8e308), so {_name(operation)} of it is not known.")
            return math.nan
        if arg and not number:
            note(f"A number here is too small for a float (5e-324), so {_name(operation)} of it is not known.")
            return math.nan
        numbers.append(number)
    if len(numbers) < len(args):
        return algebra.make(operation, [algebra.formula_of(a) for a in args])
    result = _real(operation, numbers, note, rounded=rounded)
    if result != result:
        return result
    if operation is SUBTRACT and _alike(args[0], args[1]):
        return Fraction(0)  # whatever its digits are
    number = result if float in kinds else made(result, operation, args)  # type: ignore[arg-type]
    if _cancelled(operation, numbers, result):
        return _settled(operation, args, number, note)  # type: ignore[arg-type]
    return number


def _alike(one: Value, other: Value) -> bool:
    """Whether two rounded numbers were made alike of the same numbers."""
    if one is other:
        return True
    if not (isinstance(one, Made) and isinstance(other, Made)) or one.operation is not other.operation:
        return False
    pairs = zip(one.args, other.args, strict=True)
    return all(a is b or (isinstance(a, Fraction) and isinstance(b, Fraction) and a == b) for a, b in pairs)


def _without_vanishing(number: Value) -> Value:
    """The number that is left of one when all that is too small for a float is taken out: x of (x + e^-1e9)/1."""
    while isinstance(number, Made):
        name, one, other = number.operation.name, number.first, number.second
        if one is None or other is None:
            break
        if name == "+" and isinstance(one, Fraction) and isinstance(other, Fraction):
            return one + other
        if name in ("+", "-") and isinstance(other, Made) and other == 0:
            number = one
        elif name == "+" and isinstance(one, Made) and one == 0:
            number = other
        elif name in ("*", "/") and other == 1 and _without_vanishing(other) == 1:
            number = one
        elif name == "*" and one == 1 and _without_vanishing(one) == 1:
            number = other
        else:
            break
    return number


def _exact(operation: Operation, args: list[Fraction], note: Note) -> Fraction | None:
    """The exact result, None where it is not rational or has too many bits."""
    if operation.exact is None:
        return _by_formula(operation, args)
    try:
        result = operation.exact(*args)
        long = result is not None and bits(result) > limits.BITS
    except TooLarge:
        if not _held_by_a_float(operation, args):
            raise
        result, long = None, True
    if long:
        note(f"An exact result here has more than {limits.BITS} bits; it and what follows are rounded to floats.")
        return None
    if operation.name == "^" and args[0] == 0 and args[1] == 0:
        note("0^0 is taken as 1.")
    return result


def _held_by_a_float(operation: Operation, args: list[Fraction]) -> bool:
    """Whether the result is neither too large nor too small for a float."""
    try:
        result = operation.real(*map(as_float, args))
    except ArithmeticError:
        return False
    return bool(result) and math.isfinite(result)


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
        note(f"A rounded number before {_name(operation)} is 0, or too small for a float, so that is not known.")
        return math.nan
    if not math.isfinite(result):
        note(f"The result of {_name(operation)} is too large for a float (beyond 1.8e308), so no number is shown.")
        return math.nan
    return result


def _settled(operation: Operation, args: list[Number], result: float, note: Note) -> float:
    """What is left where digits cancelled; reckoned with more of them, if it can be, so that what follows is right."""
    settled = result.settled() if isinstance(result, Made) else result
    texts = [show(arg).text for arg in args]
    if isinstance(settled, Made) and not settled:
        if operation is SUBTRACT and _alike(*(_without_vanishing(arg) for arg in args)):
            return settled  # what softmax leaves to a mask of -1e9, e^-1000000000, is no loss of digits
        written = f" {operation.name} ".join(texts) if len(args) == 2 else f"{operation.name}({texts[0]})"
        note(f"{written} cannot be told from 0 in 400 digits; it is taken as 0.")
    elif len(args) == 2:
        lost = f"about {int(math.log10(max(map(abs, args))) - math.log10(abs(settled)))}" if settled else "all"
        end = f"{lost} of 16 digits are lost."
        if isinstance(settled, Made):
            end = f"a calculator loses {lost} of its digits. Here more digits were used."
        note(f"Two nearly equal rounded numbers ({texts[0]} and {texts[1]}) cancel here: {end}")
    return settled


_CROSSING = frozenset(["sin", "cos", "tan", "ln", "log2", "log10", "acos"])
"""Functions that are 0 where their argument is not."""


def _cancelled(operation: Operation, args: list[float], result: float) -> bool:
    """Whether digits were lost: those that two nearly equal numbers share, or those before a zero of a function."""
    name = operation.name
    if name in {"+", "-"}:
        return abs(result) < 1e-8 * max(abs(args[0]), abs(args[1]))
    return -1e-8 < result < 1e-8 and name in _CROSSING and abs(args[0]) > 1e-8


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
    """The value of a formula without names: `-2`, `1/3`, `sqrt(2)`. (`core.arrays.constant` is for arrays.)"""
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
