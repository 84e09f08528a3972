"""Whether a chain `a = b ≈ c` is true. A complaint is a sentence with the chain in it; no complaint says it is true.

- `=`: both sides, every digit taken as it stands, are the true value, exactly or to twenty-five digits, so that
  no rounded number stands beside it;
- `≈`: what the right side can mean, each rounded number standing for all that round to it, contains the
  true value of the chain; so the last number is right to half a unit of its last digit.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from seen.amounts import Amount, Interval, Point, Undefined, interval, mp
from seen.reading import Tree, Unreadable
from seen.truth import World, close

DIGITS = 6
"""Behind `≈`, a number that shows so many digits is rounded; one of fewer is what it says. A figure shows four."""

NOISE = Fraction(1, 10**18)
"""What may be missing where a number stands in the middle between two of six digits, as a part of the number."""

FAINT = Fraction(1, 10**45)
"""What the world's 120 digits may leave of a true 0."""


Link: TypeAlias = str | Tree
"""As written, or, where a table leaves the left side to its header, the tree it stands for."""


class Chain(NamedTuple):
    """`links[0] signs[0] links[1] signs[1] ...`, and how its notation is read."""

    links: list[Link]
    signs: list[str]
    read: Callable[[str], Tree]
    digits: int = DIGITS

    def __str__(self) -> str:
        rest = (f" {sign} {link}" for sign, link in zip(self.signs, self.links[1:], strict=True))
        return f"{self.links[0]}" + "".join(rest)


def complaints(chain: Chain, world: World) -> list[str]:
    """What is false or unreadable in a chain."""
    if chain.links[-1] == "?":
        return [] if chain.links[0] in world.unknown else [f"it has a value | {chain}"]
    try:
        trees = [chain.read(link) if isinstance(link, str) else link for link in chain.links]
    except Unreadable as error:
        return [f"unreadable: {error} | {chain}"]
    try:
        return [f"{found} | {chain}" for found in _false(trees, chain, world)]
    except (Undefined, ZeroDivisionError) as error:
        return [f"no number: {error} | {chain}"]


def _false(trees: list[Tree], chain: Chain, world: World) -> list[str]:
    found: list[str] = []
    truth = world.amount(trees[0])
    rounded = False
    for link, sign, before, tree in zip(chain.links[1:], chain.signs, trees[:-1], trees[1:], strict=True):
        if sign == "=":
            sides = [world.amount(side) for side in ([before, tree] if rounded else [tree])]
            if not all(close(side, truth) for side in sides):
                found.append(f"{link} after = is {shown(sides[-1])}, not {shown(truth)}")
        rounded = rounded or sign == "≈"
        if rounded and not contains(amount := world.amount(tree, chain.digits), truth):
            found.append(f"{link} can be {shown(amount)}, not {shown(truth)}")
    return found


def contains(amount: Amount, truth: Point) -> bool:
    """Whether the true value is among those meant."""
    if not isinstance(amount, Interval):
        return close(amount, truth)
    point = interval(truth)
    slack = abs(point.low) * NOISE + FAINT
    return amount.low - slack <= point.high and point.low <= amount.high + slack


def shown(amount: Amount) -> str:
    if isinstance(amount, Interval):
        return f"{shown(amount.low)} to {shown(amount.high)}"
    if isinstance(amount, Fraction):
        return str(amount) if len(str(amount)) < 20 else mp.nstr(mp.mpf(amount.numerator) / amount.denominator, 15)
    return str(mp.nstr(amount, 15))
