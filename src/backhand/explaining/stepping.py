"""A step of gradient descent as a part of a worked solution: the new weights with their working, then the values that
follow from them.

    w5+ = w5 - 0.5 dL/dw5 = 0.4 - 0.5 (0.0821670) ≈ 0.358916
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

from backhand.core.evaluate import Value
from backhand.explaining import mathematics as m
from backhand.explaining import words as say
from backhand.explaining.boxes import Seen, add_box, multiply_box, number, put_in, value_box
from backhand.explaining.document import Block, Equation, Heading, Inline, Paragraph, Remark, Table
from backhand.explaining.stages import links
from backhand.numbers import as_float
from backhand.solving.solution import Solution

if TYPE_CHECKING:
    from backhand.solving.stepping import Descent, Move

LISTED = 100
"""Steps that have a line each in the table of steps; of more, the first and the last."""

COLUMNS = 8
"""Single numbers of which the table of steps has a column."""


def blocks(solution: Solution, descent: Descent) -> Iterator[Block]:
    """All about the steps."""
    count = len(descent.steps)
    update = descent.update
    yield Heading(1, ("After a step" if count == 1 else f"After {count} steps",), "after-step")
    yield Paragraph(say.step(descent.of, update.name, number(update.rate).box, many=count > 1))
    if update.in_place:
        yield Paragraph(say.IN_PLACE)
    left = [
        q.name
        for q in solution.graph.quantities
        if q.kind in ("weight", "bias") and q.name not in descent.by and solution.propagation.needs(q.name)
    ]
    if left:
        yield Paragraph(say.stays(left))
    if count > 1:
        yield Heading(2, ("The first step",), "first-step")
    for move in descent.steps[0].moves:
        yield _move(solution, descent, move, result=count == 1)
    if count > 1:
        yield Heading(2, ("All steps",), "all-steps")
        yield _all_steps(descent)
    yield Heading(2, ("The values then",), "values-after")
    yield from _values(solution, descent, new=count > 1)
    yield Paragraph(_result(descent))
    for notice in descent.notices:
        if all(notice.words != other.words for other in solution.notices):
            yield Remark("notice", (notice.words,))


def _move(solution: Solution, descent: Descent, move: Move, *, result: bool) -> Equation:
    """w+ = w - rate derivative, with numbers where they are few."""
    rate = descent.update.rate
    slope: m.Box = m.Slope(descent.of, move.name)
    if descent.update.in_place and not _alike(move.gradient, solution.derivative(move.name)):
        slope = m.Group(m.Row((m.Words("what came back to "), m.Symbol(move.name))))
    change = multiply_box("juxtaposed", number(rate), Seen([slope], 4), [False, False])
    seen = [
        Seen([m.Power(m.Symbol(move.name), m.Sign("+"))], 4),
        add_box("-", Seen([m.Symbol(move.name)], 4), change),
    ]
    if _whole(move.old):
        gradient = _box(solution, move.gradient)
        product = multiply_box("juxtaposed", number(rate), gradient, [False, put_in(move.gradient)])
        seen.append(add_box("-", _box(solution, move.old), product))
    seen.append(_box(solution, move.new))
    return Equation(links(seen), result=result)


def _is_array(value: object) -> bool:
    return bool(getattr(value, "ndim", 0))


def _whole(value: Value) -> bool:
    if not _is_array(value):
        return True
    from backhand.explaining.arrays import shown_whole

    return shown_whole(value)


def _box(solution: Solution, value: Value) -> Seen:
    if not _is_array(value):
        return value_box(value)
    from backhand.explaining.arrays import array_box

    return array_box(solution, value)


def _alike(one: Any, other: Any) -> bool:
    """Whether two values are shown alike to the last float digit."""
    if _is_array(one):
        return all(_alike(a, b) for a, b in zip(one.reshape(-1), other.reshape(-1), strict=True))
    return (
        isinstance(one, (Fraction, float)) and isinstance(other, (Fraction, float)) and as_float(one) == as_float(other)
    )


def _cell(value: Value) -> m.Box:
    seen = value_box(value)
    return seen.box if seen.exact or not seen.number else m.Row((m.Sign("≈"), seen.box))


def _all_steps(descent: Descent) -> Table:
    """The output, and what was changed if it is few numbers, before all steps and after each."""
    single = [move.name for move in descent.steps[0].moves if not _is_array(move.old)][:COLUMNS]
    header: tuple[tuple[Inline, ...], ...] = (("steps",), (m.Symbol(descent.of),), *((m.Symbol(n),) for n in single))
    first = descent.steps[0]
    rows = [(0, first.before, {move.name: move.old for move in first.moves})]
    rows += [(step.number, step.after, {move.name: move.new for move in step.moves}) for step in descent.steps]
    if len(rows) > LISTED:
        rows = [*rows[: LISTED // 2], *rows[-LISTED // 2 :]]
    lines: list[tuple[tuple[Inline, ...], ...]] = [
        ((str(count),), (_cell(output),), *((_cell(known[name]),) for name in single)) for count, output, known in rows
    ]
    return Table(header, tuple(lines), "r" * len(header))


def _values(solution: Solution, descent: Descent, *, new: bool) -> Iterator[Block]:
    """What is computed, before and after; of many steps also the new weights."""
    graph = solution.graph
    shown = [q for q in graph.quantities if q.name in descent.by] if new else []
    shown += [q for q in graph.quantities if q.computed]
    rows: list[tuple[tuple[Inline, ...], ...]] = []
    for quantity in shown:
        if not quantity.shape:
            before, after = descent.first[quantity.name], descent.values[quantity.name]
            rows.append(((m.Symbol(quantity.name),), (_cell(before),), (_cell(after),)))
    if rows:
        yield Table((("quantity",), ("before",), ("after",)), tuple(rows), "lrr")
    for quantity in shown:
        if quantity.shape:
            name = m.Power(m.Symbol(quantity.name), m.Sign("+"))
            yield Equation(links([Seen([name], 4), _box(solution, descent.values[quantity.name])]))


def _result(descent: Descent) -> tuple[Inline, ...]:
    before, after = descent.steps[0].before, descent.steps[-1].after
    change: Literal["falls", "rises", "stays"] = "stays"
    if isinstance(before, (Fraction, float)) and isinstance(after, (Fraction, float)):
        change = "falls" if after < before else "rises" if after > before else "stays"
    return say.step_result(descent.of, _spoken(before), _spoken(after), change, len(descent.steps))


def _spoken(value: Value) -> tuple[Inline, ...]:
    seen = value_box(value)
    return (seen.box,) if seen.exact or not seen.number else ("about ", seen.box)
