"""What may be a number: exact (a Fraction), a float, or not known.

Numbers are read exactly: `0.15` is 3/20, not the nearest double. They stay fractions while the
operations can return fractions; a float tells that something was rounded on the way. `nan` stands
for "no number here" (an infinite slope, an overflow) and always comes with a notice that says so. A float
that is `Rounded` knows more digits than it holds, and shows only true ones.

Showing keeps the difference visible: `show` returns the digits and whether they are the whole
truth. Exact digits may stand behind `=`, others only behind `≈`.
"""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from backhand import limits

Number: TypeAlias = "Fraction | float"

UNSEEN = Decimal("2e-324")
"""What is smaller becomes 0 as a float."""

DIGITS = 6
"""Significant digits of a number that is rounded, if nothing else is asked for."""


class Rounded(float):
    """A float that can tell its true digits (`core.digits` makes them)."""

    __slots__ = ("_shown",)
    _shown: str

    def shown(self, digits: int) -> Shown:
        """As `show` says it; kept, because a value stands in many lines."""
        if digits != DIGITS:
            return _shown(self.decimal(), digits)
        try:
            text = self._shown
        except AttributeError:
            text = self._shown = _shown(self.decimal(), digits).text
        return Shown(text, False)

    def decimal(self) -> Decimal:
        """The number to twenty digits, 0 where it cannot be told from 0, NaN where its digits cannot be found out."""
        raise NotImplementedError

    def nearest(self) -> float:
        """The float nearest to the number itself."""
        return float(self.decimal())


class Shown(NamedTuple):
    """Digits of a number; `exact` says that they are all of it."""

    text: str
    exact: bool


class TooLong(ValueError):
    """A written number has more digits, or a larger exponent, than the limits allow."""


def read_number(text: str) -> Fraction:
    """The exact value of decimal digits with an optional point and exponent.

    >>> read_number("0.15"), read_number("2e-1"), read_number(".5")
    (Fraction(3, 20), Fraction(1, 5), Fraction(1, 2))
    """
    digits, _, exponent = text.replace("E", "e").partition("e")
    if len(digits) > limits.DIGITS:
        raise TooLong(f"a number of {len(digits)} digits; at most {limits.DIGITS} are read")
    if len(exponent) > 8 or abs(int(exponent or 0)) > limits.EXPONENT:
        raise TooLong(f"the exponent {exponent[:12]}; at most {limits.EXPONENT} is read")
    whole, _, part = digits.partition(".")
    scaled = int((whole + part) or "0")
    power = int(exponent or 0) - len(part)
    return Fraction(scaled * 10**power) if power >= 0 else Fraction(scaled, 10**-power)


def bits(number: Fraction) -> int:
    """Size of an exact number: bits of numerator and denominator."""
    return number.numerator.bit_length() + number.denominator.bit_length()


def known(number: Number) -> bool:
    """Whether there is a finite number at all."""
    return isinstance(number, Fraction) or math.isfinite(number)


def as_float(number: Number) -> float:
    """The nearest double; infinite where a fraction lies beyond the largest one.

    >>> as_float(Fraction(1, 4))
    0.25
    """
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def terminating(number: Fraction) -> int | None:
    """How many decimal places the number needs, or None if it never ends.

    >>> terminating(Fraction(3, 20)), terminating(Fraction(1, 3))
    (2, None)
    """
    rest, twos, fives = number.denominator, 0, 0
    while rest % 2 == 0:
        rest //= 2
        twos += 1
    while rest % 5 == 0:
        rest //= 5
        fives += 1
    return max(twos, fives) if rest == 1 else None


def show(number: Number, digits: int = DIGITS) -> Shown:
    """The digits of a number as a person would write them.

    Exact numbers come whole when they are short: integers and decimals of up to `digits` + 4
    digits, fractions of up to three digits above and below. Anything else is rounded to `digits`
    significant digits, half to even, from its exact value.

    >>> show(Fraction(3, 20)), show(Fraction(1, 3))
    (Shown(text='0.15', exact=True), Shown(text='1/3', exact=True))
    >>> show(0.5932699921)
    Shown(text='0.593270', exact=False)
    """
    if isinstance(number, Fraction):
        return _shown_exactly(number.numerator, number.denominator, digits)
    return number.shown(digits) if isinstance(number, Rounded) else _shown(number, digits)


@lru_cache(4096)
def _shown_exactly(above: int, below: int, digits: int) -> Shown:
    """A fraction; kept, because a weight stands in many lines."""
    number = Fraction(above, below)
    if (whole := exact_digits(number, digits + 4)) is not None:
        return Shown(whole, True)
    if abs(above) < 1000 and below < 1000:
        return Shown(f"{above}/{below}", True)
    return Shown(rounded(number, digits), False)


def _shown(number: float | Decimal, digits: int) -> Shown:
    """The significant digits of a number that is not exact."""
    if not math.isfinite(number):
        return Shown("?", False)
    if number == 0:
        return Shown("0", False)
    mantissa, _, exponent = f"{abs(number):.{digits - 1}e}".partition("e")
    return Shown(_laid_out("-" if number < 0 else "", mantissa.replace(".", ""), int(exponent), digits), False)


def exact_digits(number: Fraction, most: int) -> str | None:
    """All digits of an integer or terminating decimal, if there are at most `most`; scale 10^-6 to 10^9.

    >>> exact_digits(Fraction(-1, 8), 10)
    '-0.125'
    """
    places = terminating(number) if number.denominator.bit_length() < 4 * most else None
    if places is None or places > most or number.numerator.bit_length() > 4 * most:
        return None
    scaled = abs(number.numerator) * 10**places // number.denominator
    text = str(scaled).rjust(places + 1, "0")
    if len(text.strip("0")) > most or len(text) > most + 3:
        return None
    sign = "-" if number < 0 else ""
    return sign + (f"{text[:-places]}.{text[-places:]}" if places else text)


def rounded(number: Fraction, digits: int) -> str:
    """`digits` significant digits, half to even, fixed point from 10^-4 as far as the digits go, else with an exponent.

    >>> rounded(Fraction(2, 3), 6), rounded(Fraction(1, 30000000), 3)
    ('0.666667', '3.33e-8')
    """
    if number == 0:
        return "0"
    size = abs(number)
    exponent = _decade(size)
    scaled = round(size / Fraction(10) ** (exponent - digits + 1))
    if scaled >= 10**digits:
        exponent += 1
        scaled = round(size / Fraction(10) ** (exponent - digits + 1))
    return _laid_out("-" if number < 0 else "", str(scaled), exponent, digits)


def _laid_out(sign: str, text: str, exponent: int, digits: int) -> str:
    """The digits `text`, the first of them worth 10^exponent, with point or exponent."""
    if not -5 < exponent < digits:
        mantissa = text[0] + ("." + text[1:] if digits > 1 else "")
        return f"{sign}{mantissa}e{exponent}"
    point = exponent + 1
    if point <= 0:
        return f"{sign}0.{'0' * -point}{text}"
    if point >= digits:
        return f"{sign}{text}{'0' * (point - digits)}"
    return f"{sign}{text[:point]}.{text[point:]}"


def _decade(size: Fraction) -> int:
    """The exponent e with 10^e <= size < 10^(e+1)."""
    guess = int((size.numerator.bit_length() - size.denominator.bit_length()) * 0.30103)
    while Fraction(10) ** guess > size:
        guess -= 1
    while Fraction(10) ** (guess + 1) <= size:
        guess += 1
    return guess


def exact_text(number: Fraction) -> str:
    """The whole number as `3`, `-3/20`; for programs.

    >>> exact_text(Fraction(3, 20))
    '3/20'
    """
    return str(number)
