"""Points for a marked page, by a policy."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from backhand.text import Span

Sort: TypeAlias = Literal["method", "accuracy"]


@dataclass(frozen=True, slots=True)
class Point:
    """What one thing asked for was worth: method or accuracy, how much of it was earned, where, and why."""

    about: str
    sort: Sort
    worth: Fraction
    earned: Fraction
    why: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """All points of a page."""

    points: tuple[Point, ...]

    @property
    def earned(self) -> Fraction:
        return sum((point.earned for point in self.points), Fraction(0))

    @property
    def out_of(self) -> Fraction:
        return sum((point.worth for point in self.points), Fraction(0))
