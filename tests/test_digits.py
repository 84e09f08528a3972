"""Numbers that were rounded show only true digits: bounds of every operation against mpmath, and what is made of them."""

from __future__ import annotations

import json
import math
import pickle
import random
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from test_operations import IDS, reference

import backhand
from backhand.core.bounds import Reckoner, span
from backhand.core.digits import DIGITS, UNKNOWN, Made, _rule, made
from backhand.core.evaluate import apply_operation
from backhand.core.operations import MULTIPLY, OPERATIONS, ROWS, SUBTRACT, Operation
from backhand.display import formatted
from backhand.numbers import show

mpmath = pytest.importorskip("mpmath")

WITHIN = {"asin": 1, "acos": 1, "^": 20, "exp": 600, "sinh": 600, "cosh": 600}
POSITIVE = frozenset(["ln", "log2", "log10", "sqrt", "^"])


def points(row: Operation) -> list[list[Fraction]]:
    """Points all over a row's domain: of ordinary size, tiny, large, and close to where functions turn."""
    draw = random.Random(row.name)
    found: list[list[Fraction]] = []
    for _ in range(60):
        size = Fraction(10) ** draw.choice([-40, -9, -3, -1, 0, 0, 0, 0, 1, 2])
        u, v = (Fraction(draw.randint(-(10**6), 10**6), 10**6) * size for _ in range(2))
        if row.name in POSITIVE:
            u = abs(u) or Fraction(1)
        if (largest := WITHIN.get(row.name)) is not None:
            u, v = (
                max(min(u, Fraction(largest)), Fraction(-largest)),
                max(min(v, Fraction(largest)), Fraction(-largest)),
            )
        if row.name == "/" and v == 0:
            continue
        found.append([u, v][: len(row.arguments)])
    return found


@pytest.mark.oracle
@pytest.mark.parametrize("digits", [34, 100, 400])
@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_bounds_enclose_the_value_and_are_close(row: Operation, digits: int) -> None:
    reckoner = Reckoner(digits)
    with mpmath.workdps(3 * digits + 60):
        for args in points(row)[: 60 if digits < 400 else 12]:
            expected = reference(row, tuple(mpmath.mpf(a.numerator) / a.denominator for a in args))
            low, high = _rule(row, reckoner)(*map(reckoner.fraction, args))
            assert inside(expected, low, high), (args, low, high)
            scale = abs(expected) + (0 if row.name in EVEN_WHEN_TINY else 1)
            assert exactly(high) - exactly(low) <= scale * mpmath.mpf(10) ** (6 - digits), (args, low, high)


EVEN_WHEN_TINY = frozenset(["exp", "ln", "atan", "asin", "erf", "*", "/", "^", "sqrt"])
"""What keeps all its digits when the result is tiny, too; of the others, those behind the point are kept."""


def exactly(value: Decimal) -> Any:
    return mpmath.mpf(str(value))


def inside(expected: Any, low: Decimal, high: Decimal) -> bool:
    tiny = abs(expected) * mpmath.mpf(10) ** -(mpmath.mp.dps - 20)
    return bool(exactly(low) - tiny <= expected <= exactly(high) + tiny)


@pytest.mark.oracle
@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_wide_bounds_enclose_every_value_between(row: Operation) -> None:
    """Wherever the arguments lie between their bounds, the value lies between its own."""
    reckoner, draw = Reckoner(34), random.Random(row.name)
    with mpmath.workdps(80):
        for args in points(row)[:40]:
            width = Fraction(draw.choice([0, 1, 1, 3]), draw.choice([1, 10, 10**6]))
            ends = [(a, a + width * max(1, abs(a))) for a in args]
            if row.name in ("asin", "acos"):
                ends = [(a, min(b, Fraction(1))) for a, b in ends]
            if row.name == "^" and ends[1][1] > 20:
                continue
            try:
                low, high = _rule(row, reckoner)(*[(Decimal(float(a)), Decimal(float(b))) for a, b in ends])
            except ArithmeticError:
                continue
            for t in (0, 0.25, 0.5, 0.9, 1):
                between = [mpmath.mpf(float(a)) + (mpmath.mpf(float(b)) - mpmath.mpf(float(a))) * t for a, b in ends]
                value = reference(row, tuple(between))
                assert inside(value, low, high), (args, t)


def test_a_divisor_that_may_be_0_leaves_anything_open() -> None:
    zero = apply_operation(SUBTRACT, [root(2), root(2)])
    quotient = made(1.0, OPERATIONS["/", 2], (Fraction(1), zero))  # type: ignore[arg-type]
    assert quotient.decimal().is_nan()
    assert (quotient.low, quotient.high) == UNKNOWN
    assert show(quotient).text == "?"


def root(of: int) -> Any:
    return apply_operation(OPERATIONS["sqrt", 1], [Fraction(of)])


def test_what_is_made_of_a_plain_float_is_a_plain_float() -> None:
    assert type(apply_operation(MULTIPLY, [root(2), 0.5])) is float
    assert isinstance(apply_operation(MULTIPLY, [root(2), Fraction(1, 2)]), Made)


@pytest.mark.parametrize(
    ("formula", "digits"),
    [
        ("sigmoid(30) (1 - sigmoid(30))", "9.35762e-14"),
        ("1 - sigmoid(800)", "3.66787e-348"),
        ("1 - tanh(300)^2", "1.06016e-260"),
        ("sqrt(2) sqrt(2)/2 - 1", "0"),
        ("sin(pi)", "0"),
        ("exp(1)^2 - exp(2)", "0"),
        ("sqrt(10^20 + 1) - 10^10", "5.00000e-11"),
        ("(1 + 10^-30)^(1/2) - 1", "5.00000e-31"),
        ("ln(1 + exp(-80))", "1.80485e-35"),
        ("sin(10^22)", "-0.852201"),
        ("tan(pi/2 - 10^-20)", "1.00000e20"),
        ("erf(6) - 1", "-2.15197e-17"),
        ("exp(pi sqrt(163)) - 640320^3 - 744", "-7.49927e-13"),
        ("16 atan(1/5) - 4 atan(1/239) - pi", "0"),
        ("acos(1 - 10^-18)", "1.41421e-9"),
        ("1.1^2000", "6.10057e82"),
    ],
)
def test_digits_that_floats_do_not_have(formula: str, digits: str) -> None:
    graph = backhand.read(f"x = 1\ny = {formula}\nL = x y")
    found = backhand.solve(graph)
    assert show(found.value("y")).text == digits  # type: ignore[arg-type]
    assert show(found.derivative("x")).text == digits  # type: ignore[arg-type]
    told = json.loads("".join(formatted(found, "json")))["values"]["y"]
    assert told == pytest.approx(float(digits), rel=1e-5)


def test_a_hundred_steps_of_chaos() -> None:
    """The logistic map doubles an error at every step: no float is right after fifty, and the digits shown are."""
    lines = ["x0 = 0.1", "r = 3.9"] + [f"x{n + 1} = r x{n} (1 - x{n})" for n in range(100)]
    found = backhand.solve(backhand.read("\n".join(lines)))
    with mpmath.workdps(200):
        x, slope = mpmath.mpf(1) / 10, mpmath.mpf(1)
        for _ in range(100):
            x, slope = mpmath.mpf("3.9") * x * (1 - x), slope * mpmath.mpf("3.9") * (1 - 2 * x)
        assert show(found.value("x100")).text == mpmath.nstr(x, 6, strip_zeros=False)  # type: ignore[arg-type]
        shown = mpmath.mpf(show(found.derivative("x0")).text)  # type: ignore[arg-type]
        assert abs(shown / slope - 1) < 1e-5


def test_three_thousand_steps_of_chaos_are_not_known() -> None:
    number: Any = root(2)
    for _ in range(3000):
        number = apply_operation(
            MULTIPLY,
            [apply_operation(MULTIPLY, [Fraction(39, 10), number]), apply_operation(SUBTRACT, [Fraction(1), number])],
        )
        if not math.isfinite(number):
            pytest.fail("the map left its range")
        if abs(number) > 1:
            number = apply_operation(OPERATIONS["sin", 1], [number])
    assert show(number).text == "?"


def test_floats_are_shown_with_true_digits_too() -> None:
    text = "x = 30\ny = sigmoid(x)\nL = y - 1"
    fast = backhand.solve(backhand.read(text), numbers="float")
    assert type(fast.value("L")) is float
    shown = "".join(formatted(fast, "text"))
    assert "dL/dx = dL/dy dy/dx ≈ (1)(9.35762e-14) ≈ 9.35762e-14" in shown
    assert "L = y - 1 ≈ 1.00000 - 1 ≈ -9.35762e-14" in shown


def test_a_rounded_number_is_a_float_to_everybody_else() -> None:
    number = root(2)
    assert number == math.sqrt(2)
    assert isinstance(number, float)
    assert show(-number).text == "-1.41421"
    assert type(pickle.loads(pickle.dumps(number))) is float


def test_deep_numbers_need_no_recursion_and_die_quietly() -> None:
    number = root(2)
    for _ in range(200_000):
        number = apply_operation(MULTIPLY, [Fraction(1), number])
    assert show(number).text == "1.41421"
    del number


def test_a_number_less_itself_is_0_whatever_its_digits() -> None:
    assert apply_operation(SUBTRACT, [root(3), root(3)]) == Fraction(0)
    assert isinstance(apply_operation(SUBTRACT, [root(3), root(3)]), Fraction)


def test_more_digits_are_tried_only_where_they_are_needed() -> None:
    easy, hard = root(2), apply_operation(SUBTRACT, [apply_operation(MULTIPLY, [root(3), root(3)]), Fraction(3)])
    show(easy)
    show(hard)
    assert easy.tried == 1
    assert DIGITS[hard.tried - 1] == 400
    assert span(Decimal(1)) == (1, 1)
