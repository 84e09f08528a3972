"""The numbers of a question as people type them into a form, which knows decimals but no fractions.

    60      as it stands, nothing allowed around it
    1/3     0.333333, and what is within 0.001 of it; the question then asks for 3 decimals

Quiz systems compare decimals with a tolerance. Exact decimals get none; numbers whose decimals never end get as much as
keeps them apart from every other number of the question.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import isfinite
from typing import NamedTuple

from backhand.numbers import Number, Rounded, terminating
from backhand.setting.exercise import Question, Wrong

LONGEST = 12
"""Decimals of an exact number that somebody may be asked to type."""

FEWEST, MOST = 3, 12
"""Decimals that are asked for of a number whose decimals never end."""

SPARE = 3
"""Decimals a stored number has more than are asked for, so that it may be cut off as well as rounded."""


class Typed(NamedTuple):
    """A number as decimals; an answer is this number if it is at most `tolerance` off. `places` are the decimals to ask
    for, None where all of them stand there."""

    text: str
    tolerance: Fraction
    places: int | None = None

    def is_met_by(self, answer: Fraction) -> bool:
        """Whether an answer is this number."""
        return abs(answer - Fraction(self.text)) <= self.tolerance


class Foreseen(NamedTuple):
    """What somebody may type: the right number, and wrong ones with whom they give away."""

    right: Typed
    wrong: tuple[tuple[Typed, Wrong], ...]


def typed(question: Question) -> Foreseen:
    """The numbers of a question, no two of which the same answer meets.

    >>> from backhand.marking.about import Value
    >>> typed(Question("values", Value("y"), Fraction(1, 3))).right
    Typed(text='0.333333', tolerance=Fraction(1, 1000), places=3)
    """
    wrong = [each for each in question.wrong if isfinite(each.number)]
    numbers = [question.answer, *(each.number for each in wrong)]
    found = [_typed(number, question.digits, others) for number, others in _with_others(numbers)]
    return Foreseen(found[0], tuple(zip(found[1:], wrong, strict=True)))


def _with_others(numbers: list[Number]) -> Iterable[tuple[Number, list[Number]]]:
    for place, number in enumerate(numbers):
        yield number, numbers[:place] + numbers[place + 1 :]


def _typed(number: Number, digits: int | None, others: list[Number]) -> Typed:
    if digits is not None:
        return Typed(decimals(number, digits + SPARE), Fraction(1, 10**digits), digits)
    places = terminating(number) if isinstance(number, Fraction) else None
    if places is not None and places <= LONGEST:
        return Typed(decimals(number, places), Fraction(0))
    gap = min((abs(_exact(number) - _exact(other)) for other in others), default=Fraction(1))
    places = next((p for p in range(FEWEST, MOST) if Fraction(2, 10**p) < gap / 2), MOST)
    return Typed(decimals(number, places + SPARE), Fraction(1, 10**places), places)


def _exact(number: Number) -> Fraction:
    if isinstance(number, Rounded):
        decimal = number.decimal()
        return Fraction(decimal) if decimal.is_finite() else Fraction(float(number))
    return Fraction(number)


def decimals(number: Number, places: int) -> str:
    """A number with so many decimals, half to even, without zeros at the end; no locale has a say.

    >>> decimals(Fraction(-2, 3), 4), decimals(Fraction(5, 2), 3), decimals(Fraction(-1, 10**6), 3)
    ('-0.6667', '2.5', '0')
    """
    scaled = round(_exact(number) * 10**places)
    digits = str(abs(scaled)).rjust(places + 1, "0")
    whole, part = (digits[:-places], digits[-places:].rstrip("0")) if places else (digits, "")
    return ("-" if scaled < 0 else "") + whole + (f".{part}" if part else "")
