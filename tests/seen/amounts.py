"""What a number on a page may mean: a fraction, a real number to 120 digits, or an interval
of numbers that round to it.

`add`, `multiply`, ... take any of the three. A fraction stays a fraction while the result is one; an interval
contains every value that its arguments allow. `FUNCTIONS` is a table of its own: value, derivatives, and how
an interval goes through. To add a function, add a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import product as combinations
from math import isqrt
from typing import Any, NamedTuple, TypeAlias

from mpmath import MPContext

mp: Any = MPContext()
mp.dps = 120
MPF: Any = mp.mpf
BITS = 60_000
SMALLEST = 40_000
"""Smaller powers of 2 are 0 to us, and larger ones the end of the line: no page shows their digits."""


class Interval(NamedTuple):
    """All numbers from `low` to `high`."""

    low: Fraction
    high: Fraction


Point: TypeAlias = Any
"""Fraction, or a real number of 120 digits."""
Amount: TypeAlias = Any
"""A point or an Interval."""

LINE = Interval(Fraction(-(10**4000)), Fraction(10**4000))
"""When nothing is known: the divisor may be 0."""


class Undefined(ArithmeticError):
    """No number: 1/0, ln(-1)."""


def real(value: Point) -> Point:
    """To 120 digits."""
    if isinstance(value, Fraction):
        return mp.mpf(value.numerator) / value.denominator
    return value


def fraction(value: Point) -> Fraction:
    """A real number as the fraction it is."""
    if isinstance(value, Fraction):
        return value
    sign, man, exponent, bits = value._mpf_
    if exponent + bits < -SMALLEST:
        return Fraction(0)
    if exponent > SMALLEST:
        return LINE.low if sign else LINE.high
    return Fraction(-int(man) if sign else int(man)) * Fraction(2) ** int(exponent)


def interval(value: Amount) -> Interval:
    if isinstance(value, Interval):
        return value
    if isinstance(value, Fraction):
        return Interval(value, value)
    middle = fraction(value)
    slack = abs(middle) / 10**50
    return Interval(middle - slack, middle + slack)


def hull(values: Iterable[Point]) -> Interval:
    ends = [interval(value) for value in values]
    return Interval(min(end.low for end in ends), max(end.high for end in ends))


def exact(*values: Amount) -> bool:
    return all(type(value) is Fraction for value in values)


def wide(*values: Amount) -> bool:
    return any(type(value) is Interval for value in values)


def trimmed(value: Fraction) -> Point:
    """Fractions of many thousand digits become real numbers."""
    return value if value.numerator.bit_length() + value.denominator.bit_length() < BITS else real(value)


# -- arithmetic ---------------------------------------------------------------------------------------------


def add(one: Amount, other: Amount) -> Amount:
    if exact(one, other):
        return trimmed(one + other)
    if wide(one, other):
        a, b = interval(one), interval(other)
        return Interval(a.low + b.low, a.high + b.high)
    return real(one) + real(other)


def negate(value: Amount) -> Amount:
    return Interval(-value.high, -value.low) if wide(value) else -value


def subtract(one: Amount, other: Amount) -> Amount:
    return add(one, negate(other))


def multiply(one: Amount, other: Amount) -> Amount:
    if exact(one, other):
        return trimmed(one * other)
    if wide(one, other):
        return hull(a * b for a, b in combinations(interval(one), interval(other)))
    if one == 0 or other == 0:
        return Fraction(0)
    return real(one) * real(other)


def divide(one: Amount, other: Amount) -> Amount:
    if wide(one, other):
        a, b = interval(one), interval(other)
        return LINE if b.low <= 0 <= b.high else hull(p / q for p, q in combinations(a, b))
    if other == 0:
        raise Undefined("division by 0")
    return trimmed(one / other) if exact(one, other) else real(one) / real(other)


def power(base: Amount, exponent: Amount) -> Amount:
    if wide(base, exponent):
        return _wide_power(interval(base), exponent)
    if exact(base, exponent):
        found = _exact_power(base, exponent)
        if found is not None:
            return found
    if base == 0:
        if exponent > 0:
            return Fraction(0)
        raise Undefined("0 to a negative power")
    if base < 0 and not (exact(exponent) and exponent.denominator == 1):
        raise Undefined("a root of a negative number")
    return real(base) ** (int(exponent) if exact(exponent) and exponent.denominator == 1 else real(exponent))


def _exact_power(base: Fraction, exponent: Fraction) -> Fraction | None:
    if exponent.denominator == 1:
        size = base.numerator.bit_length() + base.denominator.bit_length()
        if base == 0 and exponent < 0:
            raise Undefined("0 to a negative power")
        return base ** int(exponent) if size * abs(int(exponent)) < BITS else None
    if base == 1:
        return base
    root = _root(base, exponent.denominator)
    return None if root is None else _exact_power(root, Fraction(exponent.numerator))


def _root(value: Fraction, degree: int) -> Fraction | None:
    """The exact root of a fraction, if it is one."""
    if value < 0 or degree > 64:
        return None
    parts = [_whole_root(part, degree) for part in (value.numerator, value.denominator)]
    return None if None in parts else Fraction(parts[0], parts[1])  # type: ignore[arg-type]


def _whole_root(value: int, degree: int) -> int | None:
    guess = isqrt(value) if degree == 2 else int(mp.nint(mp.root(value, degree)))
    return guess if guess**degree == value else None


def _wide_power(base: Interval, exponent: Amount) -> Interval:
    if exact(exponent) and exponent.denominator == 1:
        n = int(exponent)
        if n < 0:
            return interval(divide(Fraction(1), _wide_power(base, -exponent)))
        ends = [base.low**n, base.high**n]
        return hull([*ends, Fraction(0)] if base.low < 0 < base.high else ends)
    if base.low < 0:
        raise Undefined("a root of a negative number")
    if base.low == 0:
        return LINE
    return hull(power(b, e) for b, e in combinations(base, interval(exponent)))


# -- functions ----------------------------------------------------------------------------------------------


class Function(NamedTuple):
    """`value(u)`, `slopes(u, y)`, one an argument; `travel` says how an interval goes through: "corners" where the
    function rises or falls all the way, or the largest slope it has anywhere."""

    value: Callable[..., Point]
    slopes: Callable[..., list[Point]]
    travel: str | Fraction = "corners"


ONE, HALF, ZERO = Fraction(1), Fraction(1, 2), Fraction(0)
HUNDREDTH = Fraction(1, 100)


def known(at: int, gives: Fraction, otherwise: Callable[[Point], Point]) -> Callable[[Point], Point]:
    """A function with one exact point."""
    return lambda u: gives if u == at else otherwise(real(u))


def domain(allowed: Callable[[Point], bool], inner: Callable[[Point], Point]) -> Callable[[Point], Point]:
    def checked(u: Point) -> Point:
        if not allowed(u):
            raise Undefined("outside the function's domain")
        return inner(u)

    return checked


def sign(u: Point) -> Fraction:
    return Fraction((u > 0) - (u < 0))


def step(u: Point) -> Fraction:
    return Fraction(int(u > 0))


def logarithm(base: int) -> Callable[[Point], Point]:
    def value(u: Point) -> Point:
        if u <= 0:
            raise Undefined("the logarithm of a number that is not positive")
        found = mp.log(real(u)) / mp.log(base)
        whole = Fraction(int(mp.nint(found)))
        return whole if exact(u) and abs(whole) < 5000 and Fraction(base) ** int(whole) == u else found

    return value


def sigmoid(u: Point) -> Point:
    return HALF if u == 0 else 1 / (1 + mp.exp(-real(u)))


def leaky(u: Point, slope: Point = HUNDREDTH) -> Point:
    return u if u > 0 else multiply(slope, u)


def elu(u: Point, scale: Point = ONE) -> Point:
    return u if u > 0 else multiply(scale, known(0, ZERO, mp.expm1)(u))


def elu_slopes(u: Point, *rest: Point) -> list[Point]:
    scale = rest[0] if len(rest) == 2 else ONE
    return [ONE if u > 0 else multiply(scale, known(0, ONE, mp.exp)(u)), ZERO if u > 0 else known(0, ZERO, mp.expm1)(u)]


def leaky_slopes(u: Point, *rest: Point) -> list[Point]:
    return [ONE if u > 0 else rest[0] if len(rest) == 2 else HUNDREDTH, ZERO if u > 0 else u]


def gelu_slope(u: Point) -> Point:
    u = real(u)
    return mp.erfc(-u / mp.sqrt(2)) / 2 + u * mp.exp(-u * u / 2) / mp.sqrt(2 * mp.pi)


def choice(u: Point, v: Point) -> list[Point]:
    """The share of the larger argument; halves where they are equal."""
    return [(1 + sign(subtract(u, v))) / 2, (1 - sign(subtract(u, v))) / 2]


def positive(u: Point) -> bool:
    return u > 0  # type: ignore[no-any-return]


def root(u: Point) -> Point:
    return power(u, HALF)


def within_one(u: Point) -> bool:
    return -1 <= u <= 1


def reciprocal(value: Point) -> Point:
    return divide(ONE, value)


FUNCTIONS: dict[str, Function] = {
    "exp": Function(known(0, ONE, mp.exp), lambda u, y: [y]),
    "ln": Function(domain(positive, known(1, ZERO, mp.log)), lambda u, y: [reciprocal(u)]),
    "log2": Function(logarithm(2), lambda u, y: [1 / (real(u) * mp.log(2))]),
    "log10": Function(logarithm(10), lambda u, y: [1 / (real(u) * mp.log(10))]),
    "sqrt": Function(root, lambda u, y: [reciprocal(multiply(Fraction(2), y))]),
    "sin": Function(known(0, ZERO, mp.sin), lambda u, y: [known(0, ONE, mp.cos)(u)], ONE),
    "cos": Function(known(0, ONE, mp.cos), lambda u, y: [negate(known(0, ZERO, mp.sin)(u))], ONE),
    "tan": Function(known(0, ZERO, mp.tan), lambda u, y: [add(ONE, multiply(y, y))]),
    "asin": Function(domain(within_one, known(0, ZERO, mp.asin)), lambda u, y: [reciprocal(root(1 - u * u))]),
    "acos": Function(domain(within_one, known(1, ZERO, mp.acos)), lambda u, y: [negate(reciprocal(root(1 - u * u)))]),
    "atan": Function(known(0, ZERO, mp.atan), lambda u, y: [reciprocal(add(ONE, multiply(u, u)))]),
    "sinh": Function(known(0, ZERO, mp.sinh), lambda u, y: [known(0, ONE, mp.cosh)(u)]),
    "cosh": Function(known(0, ONE, mp.cosh), lambda u, y: [known(0, ZERO, mp.sinh)(u)], "even"),
    "tanh": Function(known(0, ZERO, mp.tanh), lambda u, y: [subtract(ONE, multiply(y, y))]),
    "erf": Function(known(0, ZERO, mp.erf), lambda u, y: [2 * mp.exp(-(real(u) ** 2)) / mp.sqrt(mp.pi)]),
    "sigmoid": Function(sigmoid, lambda u, y: [multiply(y, sigmoid(-u))]),
    "relu": Function(lambda u: u if u > 0 else ZERO, lambda u, y: [step(u)]),
    "leaky_relu": Function(leaky, leaky_slopes),
    "elu": Function(elu, elu_slopes),
    "softplus": Function(lambda u: mp.log1p(mp.exp(real(u))), lambda u, y: [sigmoid(u)]),
    "gelu": Function(
        known(0, ZERO, lambda u: u * mp.erfc(-u / mp.sqrt(2)) / 2), lambda u, y: [gelu_slope(u)], Fraction(6, 5)
    ),
    "silu": Function(
        lambda u: multiply(u, sigmoid(u)),
        lambda u, y: [add(sigmoid(u), multiply(y, sigmoid(-u)))],
        Fraction(6, 5),
    ),
    "abs": Function(abs, lambda u, y: [sign(u)], "even"),
    "max": Function(lambda u, v: u if subtract(u, v) > 0 else v, lambda u, v, y: choice(u, v)),
    "min": Function(lambda u, v: v if subtract(u, v) > 0 else u, lambda u, v, y: choice(v, u)),
    "sign": Function(sign, lambda u, y: [ZERO]),
    "step": Function(step, lambda u, y: [ZERO]),
}
"""At a corner the slope is the one that the page says: 0 for abs, half and half for max, the left one for relu."""

CONSTANTS: dict[str, Point] = {"e": mp.e + 0, "pi": mp.pi + 0}


def call(name: str, *args: Amount) -> Amount:
    """A function of points, or of intervals."""
    row = FUNCTIONS[name]
    if not wide(*args):
        return row.value(*args)
    if len(args) == 1:
        return _through(row, args[0])
    return hull(row.value(*corner) for corner in combinations(*(interval(arg) for arg in args)))


def _through(row: Function, over: Interval) -> Interval:
    if isinstance(row.travel, Fraction):
        middle, reach = (over.low + over.high) / 2, (over.high - over.low) / 2 * row.travel
        centre = interval(row.value(middle))
        return Interval(centre.low - reach, centre.high + reach)
    ends = [row.value(over.low), row.value(over.high)]
    crosses = row.travel == "even" and over.low < 0 < over.high
    return hull([*ends, row.value(ZERO)] if crosses else ends)
