"""Which habit of the way forward is behind a wrong array: W for its transpose, a bias left out, softmax without e.

    ROWS        the table: what is done in place of what a formula says
    forward     the habits behind wrong values of a page

Each row goes over a quantity's formula and gives other formulas; they are worked out with the writer's own numbers. A
row is named if it gives all that is wrong of a value and nothing that is right there contradicts it, and has as many
bits on its side as a mistake of the way back needs. What follows from a wrong value is judged from it, and says nothing
more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from backhand.core.array_operations import ROW, node
from backhand.core.formula import Apply, Formula, Num, Ref, fold, postorder, unlimited, with_args
from backhand.core.graph import Graph, Quantity
from backhand.core.operations import ADD, DIVIDE, MULTIPLY, NEGATE, OPERATIONS, POWER, SUBTRACT
from backhand.marking.about import Value
from backhand.marking.array_diagnose import ENOUGH, FORMULA, Heard, carried, worth_of
from backhand.marking.array_worlds import Array, World, fits
from backhand.marking.diagnose import Diagnosis

Others: TypeAlias = "Callable[[Graph, Apply], Iterator[Formula]]"
"""Other formulas for a part of a formula."""

HALF = Num(Fraction(1, 2))


@dataclass(frozen=True, slots=True, eq=False)
class ForwardHabit:
    """A row: `parts` gives what is put in place of a part of a formula; `why` is said to the person."""

    key: str
    id: str
    title: str
    why: str
    parts: Others


def _transposed(graph: Graph, part: Apply) -> Iterator[Formula]:
    """W x with W turned."""
    if part.operation.name == "@":
        for at, factor in enumerate(part.args):
            names = [leaf.name for leaf in postorder(factor) if isinstance(leaf, Ref)]
            if len(names) == 1 and graph[names[0]].kind == "weight" and len(graph[names[0]].shape) == 2:
                inner = factor.args[0] if isinstance(factor, Apply) and factor.operation.name == "transpose" else None
                turned = inner if inner is not None else node("transpose", factor)
                yield with_args(part, [turned if n == at else other for n, other in enumerate(part.args)])


def _without_term(graph: Graph, part: Apply) -> Iterator[Formula]:
    if part.operation is ADD:
        yield part.args[0]
        yield part.args[1]


def _without_bend(graph: Graph, part: Apply) -> Iterator[Formula]:
    if part.operation.name in ("relu", "sigmoid", "tanh", "softplus"):
        yield part.args[0]


def _without_exp(graph: Graph, part: Apply) -> Iterator[Formula]:
    if part.operation.name == "softmax":
        (inner,) = part.args
        axis = dict(part.params)["axis"]
        yield unlimited(DIVIDE, inner, node("sum", inner, axis=axis, keepdims=True))


def _along_another_axis(graph: Graph, part: Apply) -> Iterator[Formula]:
    if part.operation.name == "softmax":
        (inner,) = part.args
        for axis in (0, 1, None):
            whole = unlimited(OPERATIONS["exp", 1], inner)
            yield unlimited(DIVIDE, whole, node("sum", whole, axis=axis, keepdims=True))


def _sum_for_mean(graph: Graph, part: Apply) -> Iterator[Formula]:
    if part.operation.name == "mean":
        yield node("sum", *part.args, **{key: value for key, value in part.params if key in dict(ROW["sum"].params)})
    if part.operation.name == "mse":
        yield node("sum", _square(part))


def _mean_for_sum(graph: Graph, part: Apply) -> Iterator[Formula]:
    if part.operation.name == "sum":
        yield node("mean", *part.args, **{key: value for key, value in part.params if key in dict(ROW["mean"].params)})


def _half(graph: Graph, part: Apply) -> Iterator[Formula]:
    if part.operation.name == "mse":
        yield unlimited(MULTIPLY, HALF, part)
    if part.operation is POWER and _is_two(part.args[1]):
        yield unlimited(MULTIPLY, HALF, part)


def _square_lost(graph: Graph, part: Apply) -> Iterator[Formula]:
    if part.operation is POWER and _is_two(part.args[1]):
        yield part.args[0]


def _plus_in_bracket(graph: Graph, part: Apply) -> Iterator[Formula]:
    if part.operation is SUBTRACT and isinstance(part.args[1], Ref) and graph[part.args[1].name].kind == "target":
        yield unlimited(ADD, *part.args)


def _negated(graph: Graph, part: Apply) -> Iterator[Formula]:
    if part.operation.name in ("cross_entropy", "cross_entropy_logits"):
        yield unlimited(NEGATE, part)


def _is_two(formula: Formula) -> bool:
    return isinstance(formula, Num) and formula.value == 2


def _square(part: Apply) -> Formula:
    return unlimited(POWER, unlimited(SUBTRACT, *part.args), Num(Fraction(2)))


ROWS: tuple[ForwardHabit, ...] = (
    ForwardHabit(
        "table-by-columns-forward", "X2", "W for its transpose going forward",
        "Rows and columns of the weights are exchanged here. Look at which index is summed over.", _transposed,
    ),
    ForwardHabit(
        "term-dropped", "S3", "one term is left out of a sum going forward",
        "Count the terms of the formula and those of this line; is the bias there?", _without_term,
    ),
    ForwardHabit(
        "gate-forgotten-forward", "ACT10", "the activation is forgotten going forward",
        "The sum is passed on as it is. Say what the activation does to it.", _without_bend,
    ),
    ForwardHabit(
        "softmax-without-exp", "", "softmax without the exponential function",
        "Softmax divides e^z by its sum, not z: that is why no probability is negative.", _without_exp,
    ),
    ForwardHabit(
        "softmax-over-another-axis", "", "softmax along the wrong axis",
        "Which numbers are the probabilities of one example? These add up to 1.", _along_another_axis,
    ),
    ForwardHabit(
        "sum-for-mean", "", "the sum in place of the mean",
        "Read the loss again: it divides by the number of terms.", _sum_for_mean,
    ),
    ForwardHabit(
        "mean-taken-forward", "", "the mean in place of the sum",
        "Read the loss again: it does not divide.", _mean_for_sum,
    ),
    ForwardHabit(
        "half-assumed", "F6", "a factor 1/2 is assumed", "Compare with the loss that this exercise gives.", _half
    ),
    ForwardHabit(
        "square-lost", "F1", "the square is not carried out",
        "Read the formula again and see what is done to the difference.", _square_lost,
    ),
    ForwardHabit(
        "plus-in-bracket", "F5", "the target is added instead of subtracted",
        "Compare the sign in the bracket with the formula as given.", _plus_in_bracket,
    ),
    ForwardHabit(
        "minus-of-the-logarithm-lost", "", "the minus of the cross-entropy is lost",
        "The logarithm of a probability is negative, and a loss is not.", _negated,
    ),
)  # fmt: skip


@dataclass(slots=True)
class _Found:
    """A row that explains a wrong value: what it is worth in bits, how many numbers, and what it gives elsewhere."""

    row: ForwardHabit
    bits: float
    numbers: int
    signature: list[Array | None]


def forward(
    truth: World, others: Sequence[World], heard: Mapping[str, Heard], own: Mapping[str, Array]
) -> list[Diagnosis]:
    """The habits behind the wrong values of a page; at most two, and none where two say as much of one value."""
    explained: dict[tuple[str, ...], list[tuple[Heard, _Found]]] = {}
    wrong = [one for one in heard.values() if one.wrong]
    for one in wrong:
        found = _best(list(_explanations(truth, others, one, own)))
        if found:
            explained.setdefault(tuple(each.row.key for each in found), []).append((one, found[0]))
    rows = {row.key: row for row in ROWS}
    named: list[Diagnosis] = []
    for keys, each in explained.items():
        bits = sum(found.bits for _, found in each)
        if bits >= ENOUGH and len(wrong) - len(each) <= len(each) + 2:
            named.append(_diagnosis([rows[key] for key in keys], each, bits, len(wrong) - len(each)))
    return named if len(named) <= 2 else []


def _explanations(truth: World, others: Sequence[World], one: Heard, own: Mapping[str, Array]) -> Iterator[_Found]:
    quantity = truth.graph[one.name]
    if quantity.definition is None:
        return
    world = carried(truth, {name: value for name, value in own.items() if name != one.name})
    wrong_lines = [line for line in one.lines if not line.right]
    if one.lines and not wrong_lines:
        return  # the formula is right, and so is what was meant
    for row in ROWS:
        for formula in _others(row, truth.graph, quantity):
            bits, numbers = 0.0, 0
            if one.number is not None:
                value = _value(world, formula, one.number.shape)
                if value is None or one.agrees is None or not one.agrees(one.number, value)[one.said].all():
                    continue
                if not one.all_right:
                    numbers, bits = worth_of(one)
            elsewhere = [_value(other, formula, None) for other in others]
            if wrong_lines:
                if not elsewhere or not all(_same(line.worked, others, elsewhere) for line in wrong_lines):
                    continue
                bits += FORMULA
            if bits:
                yield _Found(row, bits, numbers, elsewhere)


def _others(row: ForwardHabit, graph: Graph, quantity: Quantity) -> Iterator[Formula]:
    """The formula of a quantity with one part done otherwise."""
    assert quantity.definition is not None
    for part in postorder(quantity.definition):
        if not isinstance(part, Apply):
            continue
        for other in row.parts(graph, part):

            def combine(each: Apply, args: list[Formula], part: Apply = part, other: Formula = other) -> Formula:
                return other if each is part else with_args(each, args)

            yield fold(quantity.definition, lambda leaf: leaf, combine)


def _value(world: World, formula: Formula, shape: tuple[int, ...] | None) -> Array | None:
    value = world.worked(formula)
    return value if value is None or shape is None else fits(value, shape)


def _same(worked: Callable[[World], list[Array]], others: Sequence[World], meant: Sequence[Array | None]) -> bool:
    """Whether a written formula is this one, with other numbers as well."""
    for world, value in zip(others, meant, strict=True):
        if value is None or not any(
            (made := fits(each, value.shape)) is not None and np.allclose(made, value, rtol=1e-7, atol=1e-10)
            for each in worked(world)
        ):
            return False
    return True


def _best(found: list[_Found]) -> list[_Found]:
    """One, or two that give the same only here; nothing where there are more."""
    if not found:
        return []
    most = max(each.bits for each in found)
    kept: list[_Found] = []
    for each in found:
        if each.bits < most - 2 or any(each.row is other.row or _alike(each, other) for other in kept):
            continue
        kept.append(each)
    return kept if len(kept) <= 2 else []


def _alike(one: _Found, other: _Found) -> bool:
    return bool(one.signature) and all(
        a is not None and b is not None and a.shape == b.shape and np.allclose(a, b)
        for a, b in zip(one.signature, other.signature, strict=True)
    )


def _diagnosis(rows: Sequence[ForwardHabit], each: Sequence[tuple[Heard, _Found]], bits: float, left: int) -> Diagnosis:
    title = " or ".join(row.title for row in rows)
    lines = tuple(sorted(one.at for one, _ in each))
    count = f"{len(lines)} line{'' if len(lines) == 1 else 's'}"
    what = f"1 habit: {title}" if len(rows) == 1 else f"{len(rows)} possible habits: {title}"
    return Diagnosis(
        keys=tuple(row.key for row in rows),
        ids=tuple(row.id for row in rows if row.id),
        title=title,
        about=tuple(Value(one.name) for one, _ in each),
        lines=lines,
        explained=max(1, sum(found.numbers for _, found in each)),
        unexplained=left,
        bits=round(bits, 2),
        evidence=f"{count}, {what}",
        remark=rows[0].why,
        place="",
    )
