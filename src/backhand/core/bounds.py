"""Bounds of real numbers: two decimals with the true value between them, to as many digits as wanted.

    Reckoner(34).exp(one)        (Decimal('2.71828...52'), Decimal('2.71828...53'))

Every method is a row of the table of operations, under the row's name, and takes and gives bounds: lower
ends are rounded down, upper ends up. A row that is a formula of other rows (sigmoid, gelu) has no method:
`core.digits` reckons its formula. The standard library's decimals do arithmetic, exp and ln; sine,
arc tangent and the error function are power series in whole numbers, a few units of the last place wide.

An operation that cannot tell (a divisor that may be 0) raises an ArithmeticError.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, DivisionByZero, InvalidOperation
from fractions import Fraction
from math import isqrt
from typing import TypeAlias

from backhand.numbers import UNSEEN

Bounds: TypeAlias = tuple[Decimal, Decimal]

ZERO, ONE, TWO = Decimal(0), Decimal(1), Decimal(2)
NAUGHT, UNIT = (ZERO, ZERO), (ONE, ONE)
ENDLESS = Decimal("Infinity")

HUGE = 10**9
"""Decimal exponents beyond it are 0 or infinite."""

FAINT, VAST = Decimal("1e-400000000"), Decimal("1e400000000")
"""Beyond e^-HUGE and e^HUGE."""

GUARD = 10
"""Digits more than wanted inside a series."""


MINUS = Decimal.copy_negate
"""Python's own minus sign rounds to 28 digits."""
SIZE = Decimal.copy_abs


def span(value: Decimal) -> Bounds:
    return value, value


class Reckoner:
    """Arithmetic with bounds of so many digits."""

    def __init__(self, digits: int) -> None:
        traps = [InvalidOperation, DivisionByZero]
        self.digits = digits
        self._circles: dict[int, int] = {}
        self.down = Context(digits, ROUND_FLOOR, -HUGE, HUGE, traps=traps)
        self.up = Context(digits, ROUND_CEILING, -HUGE, HUGE, traps=traps)

    def fraction(self, value: Fraction) -> Bounds:
        """The bounds of a fraction; equal where its digits end in time."""
        above, below = Decimal(value.numerator), Decimal(value.denominator)
        return self.down.divide(above, below), self.up.divide(above, below)

    # -- arithmetic ------------------------------------------------------------------------------------------

    def add(self, u: Bounds, v: Bounds) -> Bounds:
        return self.down.add(u[0], v[0]), self.up.add(u[1], v[1])

    def subtract(self, u: Bounds, v: Bounds) -> Bounds:
        return self.down.subtract(u[0], v[1]), self.up.subtract(u[1], v[0])

    def neg(self, u: Bounds) -> Bounds:
        return MINUS(u[1]), MINUS(u[0])

    def multiply(self, u: Bounds, v: Bounds) -> Bounds:
        down, up = self.down.multiply, self.up.multiply
        a, b = u
        c, d = v
        if c < ZERO < d or a < ZERO < b:
            return min(down(x, y) for x in u for y in v), max(up(x, y) for x in u for y in v)
        if a >= ZERO:
            return (down(a, c), up(b, d)) if c >= ZERO else (down(b, c), up(a, d))
        return (down(a, d), up(b, c)) if c >= ZERO else (down(b, d), up(a, c))

    def divide(self, u: Bounds, v: Bounds) -> Bounds:
        if v[0] <= 0 <= v[1]:
            raise ZeroDivisionError("the divisor may be 0")
        down, up = self.down.divide, self.up.divide
        return min(down(a, b) for a in u for b in v), max(up(a, b) for a in u for b in v)

    def power(self, u: Bounds, v: Bounds) -> Bounds:
        """A whole power by multiplying, any other as e^(v ln u)."""
        if v[0] == v[1] == v[0].to_integral_value():
            return self._whole_power(u, int(v[0]))
        if u[0] <= 0:
            u = self._not_negative(u)
            if v[0] <= 0:
                raise ZeroDivisionError("0 to a power that may be negative")
            return ZERO, (ZERO if not u[1] else max(self.power(span(u[1]), span(end))[1] for end in v))
        return self.exp(self.multiply(v, self.ln(u)))

    def _whole_power(self, u: Bounds, exponent: int) -> Bounds:
        if exponent < 0:
            return self.divide(UNIT, self._whole_power(u, -exponent))
        if exponent % 2 == 0:
            u = self.abs(u)
        result = UNIT
        while exponent:
            if exponent & 1:
                result = self.multiply(result, u)
            exponent >>= 1
            if exponent:
                u = self.multiply(u, u)
        return result

    def _not_negative(self, u: Bounds) -> Bounds:
        """Where the mathematics allows nothing below 0, a bound below 0 is our own doubt."""
        if u[1] < 0:
            raise InvalidOperation("a negative number where there can be none")
        return max(u[0], ZERO), u[1]

    def sqrt(self, u: Bounds) -> Bounds:
        low, high = self._not_negative(u)
        below, above = self.down.next_minus(self.down.sqrt(low)), self.up.next_plus(self.up.sqrt(high))
        return (below if low else ZERO), (above if high else ZERO)

    # -- choice ----------------------------------------------------------------------------------------------

    def abs(self, u: Bounds) -> Bounds:
        low, high = u
        if low >= 0:
            return u
        return (ZERO if high > 0 else MINUS(high)), max(MINUS(low), high)

    def max(self, u: Bounds, v: Bounds) -> Bounds:
        return max(u[0], v[0]), max(u[1], v[1])

    def min(self, u: Bounds, v: Bounds) -> Bounds:
        return min(u[0], v[0]), min(u[1], v[1])

    def sign(self, u: Bounds) -> Bounds:
        """What would be 0 as a float, and may be 0, counts as 0."""
        low, high = u
        if low > 0 or high < 0:
            return UNIT if low > 0 else self.neg(UNIT)
        if max(MINUS(low), high) < UNSEEN:
            return NAUGHT
        return (ZERO if low == 0 else MINUS(ONE)), (ZERO if high == 0 else ONE)

    # -- exponentials ----------------------------------------------------------------------------------------

    def exp(self, u: Bounds) -> Bounds:
        return self._rising(u, self._exp)

    def _exp(self, x: Decimal) -> Bounds:
        if SIZE(x) > HUGE:
            return (ZERO, FAINT) if x < 0 else (VAST, ENDLESS)
        return self._about(self.down.exp(x))

    def ln(self, u: Bounds) -> Bounds:
        return self._rising(self._positive(u), lambda x: self._about(self.down.ln(x)))

    def _positive(self, u: Bounds) -> Bounds:
        if u[0] <= 0:
            raise InvalidOperation("the logarithm of what may be 0")
        return u

    def _about(self, nearest: Decimal) -> Bounds:
        """What decimals round to the nearest, whatever the context says, lies between its neighbours; so does what
        differs by less than a unit of the last digit."""
        return self.down.next_minus(self.down.plus(nearest)), self.up.next_plus(self.up.plus(nearest))

    def _rising(self, u: Bounds, point: Callable[[Decimal], Bounds]) -> Bounds:
        """A function that rises everywhere, from its bounds at points."""
        low = point(u[0])
        return low if u[0] == u[1] else (low[0], point(u[1])[1])

    def sinh(self, u: Bounds) -> Bounds:
        return self._rising(u, lambda x: self.divide(self.subtract(self._exp(x), self._exp(MINUS(x))), span(TWO)))

    def cosh(self, u: Bounds) -> Bounds:
        def point(x: Decimal) -> Bounds:
            return self.divide(self.add(self._exp(x), self._exp(MINUS(x))), span(TWO))

        return self._rising(self.abs(u), point)

    def tanh(self, u: Bounds) -> Bounds:
        def point(x: Decimal) -> Bounds:
            grown = self.exp(self.multiply(span(Decimal(-2)), span(SIZE(x))))
            size = self.divide(self.subtract(UNIT, grown), self.add(UNIT, grown))
            return size if x >= 0 else self.neg(size)

        return self._rising(u, point)

    def softplus(self, u: Bounds) -> Bounds:
        def point(x: Decimal) -> Bounds:
            return self.add(span(max(x, ZERO)), self.ln(self.add(UNIT, self._exp(MINUS(SIZE(x))))))

        return self._rising(u, point)

    # -- series in whole numbers -----------------------------------------------------------------------------
    #
    # A number x is held as the whole number x 10^places. `_back` makes bounds of the result, `slack` units wide.

    def _tiny(self, x: Decimal) -> bool:
        """Whether x^2 is lost beside 1, so that sin x, arctan x are x in all digits."""
        return x.adjusted() < -2 * self.digits and x != 0

    def _places(self, x: Decimal) -> int:
        """Enough places for `digits` digits of x, and for as many behind the point."""
        return self.digits + GUARD + abs(x.adjusted() if x else 0)

    def _whole(self, x: Decimal, places: int) -> int:
        return int(x.scaleb(places, Context(2 * places + GUARD, Emin=-HUGE, Emax=HUGE)))

    def _back(self, whole: int, places: int, slack: int) -> Bounds:
        return (
            self.down.scaleb(self.down.create_decimal(whole - slack), -places),
            self.up.scaleb(self.up.create_decimal(whole + slack), -places),
        )

    def _pi(self, places: int) -> int:
        """By Machin's formula, a unit or two too small: 16 arctan(1/5) - 4 arctan(1/239)."""
        if places not in self._circles:
            unit = 10 ** (places + GUARD)
            self._circles[places] = (
                16 * _arctan_of_one_over(5, unit) - 4 * _arctan_of_one_over(239, unit)
            ) // 10**GUARD
        return self._circles[places]

    def pi(self) -> Bounds:
        places = self.digits + GUARD
        return self._back(self._pi(places), places, 4)

    def e(self) -> Bounds:
        return self._exp(ONE)

    def sin(self, u: Bounds) -> Bounds:
        return self._waving(u, 0)

    def cos(self, u: Bounds) -> Bounds:
        return self._waving(u, 1)

    def tan(self, u: Bounds) -> Bounds:
        return self.divide(self.sin(u), self.cos(u))

    def _waving(self, u: Bounds, turn: int) -> Bounds:
        """Sine, or cosine after a quarter `turn`: at one end, and at most the width of the bounds away from it."""
        x, width = u[0], self.up.subtract(u[1], u[0])
        if width > 2 or x.adjusted() > 1000:
            return MINUS(ONE), ONE
        if self._tiny(x):
            low, high = (self.down.next_minus(ONE), ONE) if turn else self._about(x)
            return self.down.subtract(low, width), self.up.add(high, width)
        places = self._places(x)
        quarter = self._pi(places) // 2
        turns, rest = divmod(self._whole(x, places) + quarter // 2, quarter)
        rest -= quarter // 2
        turns += turn
        found = _wave(rest, 10**places, odd=turns % 2 == 0)
        low, high = self._back(-found if turns % 4 > 1 else found, places, 4 * abs(turns) + 4 * places)
        return max(MINUS(ONE), self.down.subtract(low, width)), min(ONE, self.up.add(high, width))

    def atan(self, u: Bounds) -> Bounds:
        return self._rising(u, self._atan)

    def _atan(self, x: Decimal) -> Bounds:
        """It is 2 arctan(x/(1 + sqrt(1 + x^2))), four times, before the series; pi/2 - arctan(1/x) beyond 1."""
        if self._tiny(x):
            return self._about(x)
        if SIZE(x) > 1:
            right = self.divide(self.pi(), span(TWO))
            inverse = self.divide(UNIT, span(SIZE(x)))
            found = self.subtract(right, (self._atan(inverse[0])[0], self._atan(inverse[1])[1]))
            return found if x > 0 else self.neg(found)
        places = self._places(x)
        unit, whole = 10**places, self._whole(x, places)
        for _ in range(4):
            whole = whole * unit // (unit + isqrt(unit * unit + whole * whole))
        return self._back(16 * _arctan(whole, unit), places, 16 * (places + 16))

    def asin(self, u: Bounds) -> Bounds:
        def point(x: Decimal) -> Bounds:
            beside = self.sqrt(self.multiply(self.subtract(UNIT, span(x)), self.add(UNIT, span(x))))
            if beside[0] <= 0:
                half = self.divide(self.pi(), span(TWO))
                return half if x > 0 else self.neg(half)
            return self.atan(self.divide(span(x), beside))

        return self._rising((max(u[0], MINUS(ONE)), min(u[1], ONE)), point)

    def acos(self, u: Bounds) -> Bounds:
        """2 arctan sqrt((1 - x)/(1 + x)), which falls."""

        def point(x: Decimal) -> Bounds:
            if x == -1:
                return self.pi()
            root = self.sqrt(self.divide(self.subtract(UNIT, span(x)), self.add(UNIT, span(x))))
            return self.multiply(span(TWO), self.atan(root))

        return point(min(u[1], ONE))[0], point(max(u[0], MINUS(ONE)))[1]

    def erf(self, u: Bounds) -> Bounds:
        return self._rising(u, self._erf)

    def _erf(self, x: Decimal) -> Bounds:
        """2/sqrt(pi) e^(-x^2) (x + 2/3 x^3 + 4/15 x^5 + ...), all of one sign; 1 - less than e^(-x^2) far out."""
        square = self.multiply(span(x), span(x))
        faded = self.exp(self.neg(square))
        if square[0] > 3 * self.digits:
            far = (self.down.subtract(ONE, faded[1]), ONE)
            return far if x > 0 else self.neg(far)
        series = self._about(x) if self._tiny(x) else self._erf_series(x)
        return self.divide(self.multiply(self.multiply(span(TWO), series), faded), self.sqrt(self.pi()))

    def _erf_series(self, x: Decimal) -> Bounds:
        places = self._places(x)
        unit, whole = 10**places, abs(self._whole(x, places))
        term = total = whole
        k = 1
        while term:
            term = 2 * term * whole // unit * whole // unit // (2 * k + 1)
            total += term
            k += 1
        found = self._back(total, places, 16 * k * (1 + total // unit))
        return found if x > 0 else self.neg(found)


def _arctan_of_one_over(n: int, unit: int) -> int:
    total = term = unit // n
    k = 1
    while term:
        term = -term // (n * n)
        k += 2
        total += term // k
    return total


def _arctan(x: int, unit: int) -> int:
    """The series x - x^3/3 + x^5/5 - ..."""
    square = x * x // unit
    total = term = x
    k = 1
    while term not in (0, -1):
        term = -term * square // unit
        k += 2
        total += term // k
    return total


def _wave(x: int, unit: int, *, odd: bool) -> int:
    """The series x - x^3/3! + x^5/5! - ..., or 1 - x^2/2! + x^4/4! - ..."""
    square = x * x // unit
    total = term = x if odd else unit
    k = 1 if odd else 0
    while term not in (0, -1):
        term = -term * square // unit // ((k + 1) * (k + 2))
        k += 2
        total += term
    return total
