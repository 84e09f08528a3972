"""True digits of rounded numbers: a float that remembers what it was made of, and is reckoned again when it is shown.

    1 - y, where y = sigmoid(30)        as a float 9.35918e-14: most of its digits are lost
    show(1 - y)                         9.35762e-14: all of these are true

Floats have 16 digits, and a difference of two nearly equal ones keeps few of them. So what an operation
makes of exact numbers is a `Made`: a float like any other, until somebody asks for its digits. Then it goes
back through the operations to the exact numbers, with bounds (`core.bounds`) of 34 digits first, and of more
as long as too few are certain. What still cannot be told from 0, where a float would have nothing but 0 left,
is 0; what stays uncertain (the thousandth step of chaos) is not known.

What is made of a plain float, whose own digits nobody can vouch for, is a plain float.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from backhand.core.formula import Apply, Num, Ref, postorder
from backhand.numbers import UNSEEN, Rounded

if TYPE_CHECKING:
    from backhand.core.bounds import Bounds, Reckoner
    from backhand.core.operations import Operation

DIGITS = (34, 100, 400, 800)
"""How many digits are tried, one after the other. What is left over from numbers of ordinary size is told from 0 by
400, if it is not too small for a float."""

CERTAIN = Decimal("1e-20")
"""How far the bounds may be apart, as a part of the number."""

NOT_KNOWN = Decimal("NaN")
UNKNOWN = (Decimal("-Infinity"), Decimal("Infinity"))
"""Bounds of a number of which nothing is known."""


class Made(Rounded):
    """A float, and the operation and the numbers that made it.

    Each number has a slot of its own: tuples for them would double the memory and the garbage collector's work.
    """

    __slots__ = ("first", "high", "low", "operation", "second", "tried")

    operation: Operation
    first: Fraction | Made | None
    second: Fraction | Made | None
    tried: int
    """How many of `DIGITS` have been tried; the last of them gave the bounds `low` and `high`."""
    low: Decimal
    high: Decimal

    @property
    def args(self) -> tuple[Fraction | Made, ...]:
        """The numbers that it was made of."""
        return tuple(arg for arg in (self.first, self.second) if arg is not None)

    def __neg__(self) -> Made:
        from backhand.core.operations import NEGATE

        return made(-float(self), NEGATE, (self,))

    def __reduce__(self) -> tuple[type, tuple[float]]:
        return float, (float(self),)

    def decimal(self) -> Decimal:
        """The number to twenty digits; 0 where it cannot be told from 0, NaN where nothing is certain."""
        for attempt in range(max(1, self.tried), len(DIGITS) + 1):
            if attempt > self.tried:
                _reckon(self, attempt)
            low, high = self.low, self.high
            if low <= 0 <= high:
                if low > -UNSEEN and high < UNSEEN:
                    return Decimal(0)
            elif high - low < CERTAIN * min(abs(low), abs(high)):
                return low
        return NOT_KNOWN

    def settled(self) -> Made:
        """The same number as the nearest float, where its digits are certain."""
        nearest = self.nearest()
        if nearest != nearest:
            return self
        again = made(nearest, self.operation, self.args)
        again.low, again.high, again.tried = self.low, self.high, self.tried
        return again


def made(value: float, operation: Operation, args: Sequence[Fraction | Made]) -> Made:
    """The float that an operation makes of fractions and of floats that were made themselves."""
    number = Made(value)
    number.operation = operation
    number.first, number.second = (*args, None, None)[:2]
    number.tried = 0
    return number


def leaf(value: Fraction) -> Made:
    """A fraction rounded to a float."""
    from backhand.core.operations import ADD
    from backhand.numbers import as_float

    return made(as_float(value), ADD, (value, Fraction(0)))


# -- reckoning ------------------------------------------------------------------------------------------------


def _reckon(number: Made, attempt: int) -> None:
    """Bounds of a number and of all it was made of, the first things first."""
    reckoner, rules = _reckoner(DIGITS[attempt - 1])
    todo = [number]
    while todo:
        node = todo[-1]
        if node.tried < attempt:
            given: list[Bounds] = []
            for arg in (node.first, node.second):
                if isinstance(arg, Made):
                    if arg.tried < attempt:
                        todo.append(arg)
                        break
                    given.append((arg.low, arg.high))
                elif arg is not None:
                    given.append(reckoner.fraction(arg))
            if todo[-1] is not node:
                continue
            rule = rules.get(node.operation)
            if rule is None:
                rule = rules[node.operation] = _rule(node.operation, reckoner)
            try:
                node.low, node.high = rule(*given)
            except ArithmeticError:
                node.low, node.high = UNKNOWN
            node.tried = attempt
        todo.pop()


Rule: TypeAlias = "Callable[..., Bounds]"

SPELLED = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "^": "power"}


@cache
def _reckoner(digits: int) -> tuple[Reckoner, dict[Operation, Rule]]:
    from backhand.core.bounds import Reckoner  # late: most networks are exact

    return Reckoner(digits), {}


def _rule(operation: Operation, reckoner: Reckoner) -> Rule:
    """The reckoner's method for a row, or the row's formula."""
    method: Rule | None = getattr(reckoner, SPELLED.get(operation.name, operation.name), None)
    if method is not None:
        return method
    from backhand.core.evaluate import row_formula

    nodes = postorder(row_formula(operation.value))

    def by_formula(*args: Bounds) -> Bounds:
        letters = dict(zip(operation.arguments, args, strict=True))
        done: list[Bounds] = []
        for node in nodes:
            match node:
                case Apply():
                    count = len(node.args)
                    put_in = done[len(done) - count :]
                    del done[len(done) - count :]
                    done.append(_rule(node.operation, reckoner)(*put_in))
                case Ref():
                    done.append(letters[node.name])
                case Num():
                    done.append(reckoner.fraction(node.value))
                case _:
                    raise AssertionError(node)
        return done[0]

    return by_formula
