"""From a formula to its value in the stages a person writes: names, numbers put in, parts worked out, value.

    (D - t)^2   =   (4 - 3)^2   =   1^2   =   1
    w1 x1 + w2 x2   =   (-2)(-1) + (1)(1)   =   2 + 1   =   3

A stage after the second has the parts up to some level replaced by their values; a long sum is one
level, a long product too. Between two stages stands `=` only if every number shown on both sides
is the whole truth, else `≈`.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from backhand.core import evaluate as ev
from backhand.core.evaluate import Value
from backhand.core.formula import Apply, Formula, Num, Ref, fold
from backhand.core.graph import Graph
from backhand.explaining.boxes import Seen, add_box, apply_box, box, number, value_box
from backhand.explaining.document import Link
from backhand.explaining.mathematics import Box
from backhand.numbers import known

LEVELS = 30
"""Levels of a formula above which not every one is a stage of its own."""

LONGEST = 400
"""Operations of a formula above which the numbers put in and the value are shown, and nothing between."""


def chain(
    first: list[Box],
    formula: Formula,
    values: Mapping[str, Value],
    result: Value,
    *,
    graph: Graph | None = None,
    every: bool = False,
) -> tuple[Link, ...]:
    """`first` (what is computed), then the stages of `formula`, without repeating what looks alike.

    With `every`, each level of the formula is a stage of its own."""
    seen: list[Seen] = [Seen([item], 4) for item in first]
    seen.append(box(formula, graph=graph))
    if isinstance(formula, Ref):
        seen.append(value_box(result))
    elif not is_number(result) or all(
        known(value) for value in (*values.values(), result) if not isinstance(value, Formula)
    ):
        seen += stages(formula, values, result, every=every)
    return links(seen)


def is_number(value: Value) -> bool:
    """Whether it is a number, or else a formula in symbols."""
    return not isinstance(value, Formula)


def links(seen: list[Seen]) -> tuple[Link, ...]:
    """The boxes with `=` or `≈` between them; a box that looks like the one before is left out."""
    made: list[Link] = []
    last: Seen | None = None
    for part in seen:
        if last is not None and part.box == last.box:
            continue
        relation = "" if last is None else "=" if last.exact and part.exact else "≈"
        made.append(Link(relation, part.box))
        last = part
    return tuple(made)


def stages(formula: Formula, values: Mapping[str, Value], result: Value, *, every: bool = False) -> list[Seen]:
    """Numbers put in, levels worked out, and the value."""
    found = [box(formula, values)]
    if all(isinstance(value, (Fraction, float)) for value in values.values()) and isinstance(result, (Fraction, float)):
        heights = _height(formula)
        top = heights[-1] if len(heights) <= LONGEST else 0
        levels = range(1, top) if every and top <= LEVELS else [top - 1] if top > 1 else []
        found += [_worked(formula, values, level) for level in levels]
    found.append(value_box(result))
    return found


SUMS, PRODUCTS = ("+", "-"), ("*", "/")


def _level(node: Apply, heights: list[int]) -> int:
    """A sum or product begun on the left stays on its level; a minus sign adds none."""
    name = node.operation.name
    if name == "neg":
        return heights[0]
    first, rest = node.args[0] if node.args else None, heights[1:]
    family = SUMS if name in SUMS else PRODUCTS if name in PRODUCTS else ()
    joins = isinstance(first, Apply) and not first.parens and first.operation.name in family
    begun = heights[0] if joins else heights[0] + 1 if heights else 1
    return max([begun, *(height + 1 for height in rest)])


def _height(formula: Formula) -> list[int]:
    """Heights of all parts, the whole last."""
    found: list[int] = []

    def leaf(node: object) -> int:
        found.append(0)
        return 0

    def combine(node: Apply, parts: list[int]) -> int:
        found.append(_level(node, parts))
        return found[-1]

    fold(formula, leaf, combine)
    return found


class _Part:
    """A part of a formula with its height, its value, and what it looks like at the wanted level."""

    __slots__ = ("height", "seen", "value")

    def __init__(self, height: int, value: Value, seen: Seen) -> None:
        self.height = height
        self.value = value
        self.seen = seen


def _worked(formula: Formula, values: Mapping[str, Value], level: int) -> Seen:
    """The formula with every part of at most this height replaced by its value."""

    def leaf(node: object) -> _Part:
        if isinstance(node, Num):
            return _Part(0, node.value, number(node.value))
        assert isinstance(node, Ref)
        return _Part(0, values[node.name], value_box(values[node.name]))

    def combine(node: Apply, parts: list[_Part]) -> _Part:
        height = _level(node, [part.height for part in parts])
        value = ev.apply_operation(node.operation, [part.value for part in parts])
        if height <= level:
            return _Part(height, value, value_box(value))
        for part in parts:
            if part.height <= level:
                part.seen = value_box(part.value)
        if node.operation.name in SUMS:
            seen = _sum(node, parts, level)
        else:
            marks = [part.height <= level for part in parts]
            seen = apply_box(node, [part.seen for part in parts], marks)
        return _Part(height, value, seen.grouped() if node.parens else seen)

    return fold(formula, leaf, combine).seen


def _sum(node: Apply, parts: list[_Part], level: int) -> Seen:
    """A sum of worked-out terms: + (-2) is written - 2."""
    left, right = parts
    sign = node.operation.name
    if right.height <= level and isinstance(right.value, (Fraction, float)) and right.value < 0 and sign == "+":
        return add_box("-", left.seen, number(-right.value))
    return add_box(sign, left.seen, right.seen)
