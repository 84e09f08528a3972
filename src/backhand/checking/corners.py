"""Where a slope is a matter of choice: two largest elements, and relu at 0.

The table shares a derivative among largest elements that are alike, and gives relu the slope 0 at 0. Programs send it
to all of them, or to the first, and some take z >= 0; after relu many windows are all zeros, so that is no rare thing.
None of it is a mistake: `settled` finds the choice under which a program has the fewest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from backhand.checking.replay import IMPOSSIBLE, RIGHT, Belief, Changes, Place, Trial, WayBack, unfollowed
from backhand.core.array_operations import ROW, ArrayOperation, Shape, axes_of
from backhand.core.arrays import Evaluator
from backhand.core.evaluate import quiet, row_formula
from backhand.core.formula import Apply, Formula, fold, with_args


def settled(way: WayBack, trials: Sequence[Trial], rtol: float) -> Belief:
    """The choice that a program has made; what is true is then what it is under that choice."""
    best, fewest = RIGHT, unfollowed(way, trials, rtol)
    for belief in choices(way, trials) if fewest else ():
        wrong = unfollowed(way, trials, rtol, belief)
        if wrong < fewest:
            best, fewest = belief, wrong
    if best is not RIGHT:
        for trial in trials:
            found = way.replay(trial, best, {}, lambda name, value: None)
            trial.truth = {name: np.asarray(value, np.float64) for name, value in found}
    return best


def choices(way: WayBack, trials: Sequence[Trial]) -> list[Belief]:
    """The other choices there are with these numbers."""
    largest = [place for place in way.places if _is_reduction(place) and any(_ties(place, trial) for trial in trials)]
    bends = [place for place in way.places if place.name == "relu" and any(_at_zero(place, trial) for trial in trials)]
    open_: Changes = tuple((place, row_formula("g*(1 - step(-u))")) for place in bends)
    found = [Belief(changes=open_)] if open_ else []
    for row in (ALL, FIRST, LAST) if largest else ():
        sends: Changes = tuple((place, _with(place.right, row)) for place in largest)
        found += [Belief(changes=sends), *([Belief(changes=(*sends, *open_))] if open_ else [])]
    return found


def _is_reduction(place: Place) -> bool:
    return place.name in ("max", "min") and isinstance(place.part.operation, ArrayOperation)


def _value(place: Place, trial: Trial) -> Any:
    evaluator = Evaluator(trial.passes.values, {}, exact=False, note=quiet)
    evaluator.numbers = trial.passes.numbers
    try:
        return np.asarray(evaluator.evaluate(place.part.args[0]), np.float64)
    except IMPOSSIBLE:
        return np.ones(())


def _ties(place: Place, trial: Trial) -> bool:
    value = _value(place, trial)
    axes = axes_of(dict(place.part.params)["axis"], value.ndim)
    most: Any = value.max(axis=axes, keepdims=True) if place.name == "max" else value.min(axis=axes, keepdims=True)
    return bool(np.any((value == most).sum(axis=axes) > 1))


def _at_zero(place: Place, trial: Trial) -> bool:
    return bool(np.any(_value(place, trial) == 0))


def _with(formula: Formula, row: ArrayOperation) -> Formula:
    """What is sent to a largest element, by another way of saying which one it is."""

    def combine(part: Apply, args: Sequence[Formula]) -> Formula:
        if part.operation.name in ("largest", "smallest"):
            least = part.operation.name == "smallest"
            return Apply(row, tuple(args), params=(*part.params, ("least", least)))
        return with_args(part, args)

    return fold(formula, lambda part: part, combine)


def _all(_: Any, args: Sequence[Any], options: dict[str, Any]) -> Any:
    value, axes = _signed(args, options)
    return (value == value.max(axis=axes, keepdims=True)).astype(np.float64)


def _first(_: Any, args: Sequence[Any], options: dict[str, Any]) -> Any:
    value, axes = _signed(args, options)
    return _only(value, axes, 0)


def _last(_: Any, args: Sequence[Any], options: dict[str, Any]) -> Any:
    value, axes = _signed(args, options)
    return _only(value, axes, -1)


def _signed(args: Sequence[Any], options: dict[str, Any]) -> tuple[Any, tuple[int, ...]]:
    value: Any = np.asarray(args[0], np.float64) * (-1 if options["least"] else 1)
    return value, axes_of(options["axis"], value.ndim)


def _only(value: Any, axes: tuple[int, ...], at: int) -> Any:
    """1 at the first or last of the largest elements along the axes."""
    others = tuple(axis for axis in range(value.ndim) if axis not in axes)
    order = (*others, *axes)
    rows: Any = np.transpose(value, order).reshape(*(value.shape[axis] for axis in others), -1)
    turned: Any = rows[..., ::-1] if at else rows
    made: Any = np.eye(rows.shape[-1])[turned.argmax(axis=-1)]
    made = made[..., ::-1] if at else made
    back = made.reshape(tuple(value.shape[axis] for axis in order))
    return np.transpose(back, np.argsort(order))


def _row(name: str, compute: Any) -> ArrayOperation:
    def shape(shapes: Sequence[Shape], _: dict[str, Any]) -> Shape:
        return shapes[0]

    return replace(ROW["largest"], name=name, shape=shape, compute=compute)


ALL, FIRST, LAST = _row("all largest", _all), _row("first largest", _first), _row("last largest", _last)
