"""A batch example by example as a part of a worked solution: the outputs, then each derivative as the mean or the sum
of those of the examples."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from backhand.core.formula import Num, postorder
from backhand.explaining import mathematics as m
from backhand.explaining import words as say
from backhand.explaining.arrays import array_box, shown_whole
from backhand.explaining.boxes import Seen, add_box, value_box
from backhand.explaining.document import Block, Equation, Heading, Inline, Paragraph, Table
from backhand.explaining.stages import links

if TYPE_CHECKING:
    from backhand.solving.batch import PerExample
    from backhand.solving.solution import Solution

LISTED = 50
"""Examples that have a line each."""

WRITTEN = 4
"""Examples whose derivatives are written out as summands."""


def blocks(solution: Solution, found: PerExample) -> Iterator[Block]:
    """All about the examples."""
    of, count = found.of, len(found)
    yield Heading(1, ("Example by example",), "examples")
    yield Paragraph(say.batch(of, found.batch, count, found.kind))
    if found.kind == "sum" and _divided(solution, of, count):
        yield Paragraph(say.factor_in_each(of))
    header: tuple[tuple[Inline, ...], ...] = (("example",), (m.Symbol(of),))
    rows = tuple(((str(n + 1),), (_cell(value),)) for n, value in enumerate(found.outputs[:LISTED]))
    yield Table(header, rows, "rr")
    if count > LISTED:
        yield Paragraph(say.more_examples(count - LISTED))
    for name in found.by:
        yield Heading(2, (m.Slope(of, name),), f"examples-{name}")
        parts: list[Any] = [gradient[name] for gradient in found.gradients]
        if not shown_whole(parts[0]):
            yield Paragraph(say.large_examples(of, name))
            continue
        for number, part in enumerate(parts[:LISTED], 1):
            first = Seen([m.Row((m.Words(f"example {number}: "), m.Slope(of, name)))], 4)
            yield Equation(links([first, array_box(solution, part)]))
        whole = array_box(solution, found.whole[name])
        seen = [Seen([m.Row((m.Words("all: "), m.Slope(of, name)))], 4)]
        if count <= WRITTEN and found.kind != "only":
            seen.append(_total(solution, parts, mean=found.kind == "mean"))
        yield Equation(links([*seen, whole]), () if found.kind == "only" else (found.kind,), result=True)


def _divided(solution: Solution, of: str, count: int) -> bool:
    """Whether the number of the examples stands in the formula of the output: 1/3 sum(...), or sum(...)/3."""
    definition = solution.graph[of].definition
    return definition is not None and any(
        isinstance(node, Num) and node.value in (count, Fraction(1, count)) for node in postorder(definition)
    )


def _total(solution: Solution, parts: list[Any], *, mean: bool) -> Seen:
    """The sum of the examples' derivatives, or that over their number."""
    total = array_box(solution, parts[0])
    for part in parts[1:]:
        total = add_box("+", total, array_box(solution, part))
    if not mean:
        return total
    over = Seen([m.Fraction(m.Number("1"), m.Number(str(len(parts))))], 4, total.exact)
    return Seen([*over.items, m.Sign(""), *total.grouped().items], 2, total.exact)


def _cell(value: Any) -> m.Box:
    seen = value_box(value)
    return seen.box if seen.exact or not seen.number else m.Row((m.Sign("≈"), seen.box))
