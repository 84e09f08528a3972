"""What the rows of the table do with numbers: one function for fractions where the value may be rational,
one for floats.

An `_exact` function returns a Fraction, or None where the value is not rational. Both kinds raise
NoValue with a reason where the mathematics has no real value. Functions for floats return an
infinity when the value is too large for a float; callers turn that into a notice.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from backhand import limits
from backhand.numbers import bits, show

ZERO, ONE, HALF = Fraction(0), Fraction(1), Fraction(1, 2)


class NoValue(ArithmeticError):
    """There is no real number here; the message says why, without the place."""


class TooLarge(ArithmeticError):
    """The exact number would pass the limit of bits by far (a power); found before computing it."""


def at(argument: int, value: int) -> Callable[[Fraction], Fraction | None]:
    """Exact at one argument and nowhere else: exp at 0, by Lindemann's theorem."""
    found = Fraction(value)

    def exact(u: Fraction) -> Fraction | None:
        return found if u == argument else None

    return exact


def _guard(function: Callable[[float], float], name: str) -> Callable[[float], float]:
    def real(u: float) -> float:
        try:
            return function(u)
        except OverflowError:
            return math.inf
        except ValueError:
            raise NoValue(f"{name}({_n(u)}) is not defined") from None

    return real


def _n(u: Fraction | float) -> str:
    text, exact = show(u)
    return text if exact or "." not in text else text.rstrip("0").rstrip(".")


# -- arithmetic ---------------------------------------------------------------------------------------


def add(u: float, v: float) -> float:
    return u + v


def add_exact(u: Fraction, v: Fraction) -> Fraction:
    return u + v


def subtract(u: float, v: float) -> float:
    return u - v


def subtract_exact(u: Fraction, v: Fraction) -> Fraction:
    return u - v


def multiply(u: float, v: float) -> float:
    return u * v


def multiply_exact(u: Fraction, v: Fraction) -> Fraction:
    return u * v


def divide(u: float, v: float) -> float:
    if v == 0:
        raise NoValue(f"{_n(u)}/0 is not defined")
    return u / v


def divide_exact(u: Fraction, v: Fraction) -> Fraction:
    if v == 0:
        raise NoValue(f"{_n(u)}/0 is not defined")
    return u / v


def negate(u: float) -> float:
    return -u


def negate_exact(u: Fraction) -> Fraction:
    return -u


def power(u: float, v: float) -> float:
    if u == 0 and v < 0:
        raise NoValue(f"0^({_n(v)}) divides by 0 and is not defined")
    if u < 0 and v != int(v):
        raise NoValue(f"({_n(u)})^({_n(v)}) is not a real number")
    try:
        return u**v
    except OverflowError:
        return -math.inf if u < 0 and v % 2 else math.inf


def power_exact(u: Fraction, v: Fraction) -> Fraction | None:
    """A whole power of a rational, or a root that comes out (4^(1/2), (8/27)^(2/3))."""
    if u == 0 and v < 0:
        raise NoValue(f"0^({_n(v)}) divides by 0 and is not defined")
    if u < 0 and v.denominator != 1:
        raise NoValue(f"({_n(u)})^({_n(v)}) is not a real number")
    if v == 0 or u == 1:
        return ONE
    if u == 0:
        return ZERO
    if v.denominator != 1:
        root = _root(u, v.denominator)
        return None if root is None else power_exact(root, Fraction(v.numerator))
    if u != -1 and (bits(u) - 2) * abs(v.numerator) > limits.BITS:
        raise TooLarge(f"({_n(u)})^({_n(v)}) has more than {limits.BITS} bits, past the limit for exact numbers")
    return u**v.numerator


def _root(u: Fraction, degree: int) -> Fraction | None:
    """The rational root of a positive rational, if it has one."""
    if degree > bits(u):
        return None
    above, below = _whole_root(u.numerator, degree), _whole_root(u.denominator, degree)
    return None if above is None or below is None else Fraction(above, below)


def _whole_root(n: int, degree: int) -> int | None:
    if degree == 2:
        root = math.isqrt(n)
        return root if root * root == n else None
    low, high = 1, 1 << (n.bit_length() // degree + 1)
    while low < high:
        middle = (low + high) // 2
        if middle**degree < n:
            low = middle + 1
        else:
            high = middle
    return low if low**degree == n else None


# -- exponentials and logarithms ----------------------------------------------------------------------

exp = _guard(math.exp, "exp")


def _positive(u: Fraction | float, name: str) -> None:
    if not u > 0:
        raise NoValue(f"{name}({_n(u)}) is not defined: only numbers above 0 have a logarithm")


def ln(u: float) -> float:
    _positive(u, "ln")
    return math.log(u)


def ln_exact(u: Fraction) -> Fraction | None:
    _positive(u, "ln")
    return ZERO if u == 1 else None


def log2(u: float) -> float:
    _positive(u, "log2")
    return math.log2(u)


def log2_exact(u: Fraction) -> Fraction | None:
    _positive(u, "log2")
    return _whole_log(u, 2)


def log10(u: float) -> float:
    _positive(u, "log10")
    return math.log10(u)


def log10_exact(u: Fraction) -> Fraction | None:
    _positive(u, "log10")
    return _whole_log(u, 10)


def _whole_log(u: Fraction, base: int) -> Fraction | None:
    if u < 1:
        inverse = _whole_log(1 / u, base)
        return None if inverse is None else -inverse
    exponent = round(math.log(u.numerator, base)) if u.denominator == 1 else -1
    return Fraction(exponent) if exponent >= 0 and base**exponent == u else None


def sqrt(u: float) -> float:
    if u < 0:
        raise NoValue(f"sqrt({_n(u)}) is not a real number")
    return math.sqrt(u)


def sqrt_exact(u: Fraction) -> Fraction | None:
    if u < 0:
        raise NoValue(f"sqrt({_n(u)}) is not a real number")
    return _root(u, 2) if u else ZERO


# -- trigonometric and hyperbolic functions -----------------------------------------------------------

sin = _guard(math.sin, "sin")
cos = _guard(math.cos, "cos")
tan = _guard(math.tan, "tan")
asin = _guard(math.asin, "asin")
acos = _guard(math.acos, "acos")
atan = _guard(math.atan, "atan")
cosh = _guard(math.cosh, "cosh")
tanh = _guard(math.tanh, "tanh")
erf = _guard(math.erf, "erf")


def sinh(u: float) -> float:
    try:
        return math.sinh(u)
    except OverflowError:
        return math.copysign(math.inf, u)


# -- activations: the same mathematics as the row's value, without overflow or lost digits --------------


def sigmoid(u: float) -> float:
    if u >= 0:
        return 1 / (1 + math.exp(-u))
    grown = math.exp(u)
    return grown / (1 + grown)


def relu(u: float) -> float:
    return u if u > 0 else 0.0 * u if u != u else 0.0


def leaky_relu(u: float, v: float = 0.01) -> float:
    return u if u > 0 else v * u


def elu(u: float, v: float = 1.0) -> float:
    return u if u > 0 else v * math.expm1(u)


def softplus(u: float) -> float:
    return max(u, 0.0) + math.log1p(math.exp(-abs(u)))


def gelu(u: float) -> float:
    return u * math.erfc(-u / math.sqrt(2)) / 2


def silu(u: float) -> float:
    return u * sigmoid(u)


# -- absolute value, choice, steps ----------------------------------------------------------------------


def absolute(u: float) -> float:
    return abs(u)


def absolute_exact(u: Fraction) -> Fraction:
    return abs(u)


def maximum(u: float, v: float) -> float:
    return math.nan if u != u or v != v else max(u, v)


def maximum_exact(u: Fraction, v: Fraction) -> Fraction:
    return max(u, v)


def minimum(u: float, v: float) -> float:
    return math.nan if u != u or v != v else min(u, v)


def minimum_exact(u: Fraction, v: Fraction) -> Fraction:
    return min(u, v)


def sign(u: float) -> float:
    return math.nan if u != u else float((u > 0) - (u < 0))


def sign_exact(u: Fraction) -> Fraction:
    return Fraction((u > 0) - (u < 0))


def step(u: float) -> float:
    return math.nan if u != u else float(u > 0)


# -- constants ------------------------------------------------------------------------------------------


def constant_e() -> float:
    return math.e


def constant_pi() -> float:
    return math.pi
