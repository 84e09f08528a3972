"""Numbers to try a function on: random ones of the network's shapes, of the sort that each quantity has.

Class numbers stay class numbers, a mask stays a mask, one-hot rows stay one-hot, probabilities sum to 1; everything
else is drawn at random. Where the network has no value there (the logarithm of a negative number), numbers
near its own are drawn instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from backhand.core.graph import Graph, Quantity
from backhand.core.places import Places, places

SEED = 20230917


def given_numbers(graph: Graph) -> dict[str, Any]:
    """The network's own numbers, of all that have some."""
    found: dict[str, Any] = {}
    for quantity in graph.quantities:
        if quantity.computed or quantity.symbolic:
            continue
        value: Any = quantity.array if quantity.array is not None else quantity.given
        found[quantity.name] = np.array(value, np.float64) if quantity.shape else float(value)
    return found


def drawn(graph: Graph, vary: frozenset[str]) -> Iterator[dict[str, Any]]:
    """Sets of numbers, one after the other: the first wide, the later ones nearer to the network's own. What is not to
    vary keeps its number, if it has one."""
    random = np.random.default_rng(SEED)
    own = given_numbers(graph)
    counted = places(graph)
    for attempt in range(40):
        sort = "wide" if attempt < 12 else "positive" if attempt < 20 else "near"
        made: dict[str, Any] = {}
        for quantity in graph.quantities:
            if quantity.computed:
                continue
            name = quantity.name
            if name in own and (name not in vary or quantity.kind == "constant"):
                made[name] = own[name]
            else:
                made[name] = _like(quantity, own.get(name), counted.get(name), sort, random)
        yield made


def _like(quantity: Quantity, own: Any, numbered: Places | None, sort: str, random: np.random.Generator) -> Any:
    """Numbers of the sort that a quantity has."""
    shape = quantity.shape
    if numbered is not None:
        return _number(random.integers(0, numbered.most, shape).astype(np.float64), shape)
    if own is not None and shape:
        array: Any = np.asarray(own)
        if array.size > 1 and (bool(np.all(array == 0)) or bool(np.all(array == 1))):
            # A mask, or numbers that only stand for others: what is 0 or 1 everywhere would hide what is done with it.
            return random.integers(0, 2, shape).astype(np.float64)
        if bool(np.all((array == 0) | (array == 1))) and array.size > 1 and quantity.kind not in ("weight", "bias"):
            axis = _axis_of_ones(array)
            if axis is not None:
                places = random.integers(0, shape[axis], (*shape[:axis], *shape[axis + 1 :]))
                return np.moveaxis(np.eye(shape[axis])[places], -1, axis)
            mixed: Any = random.permutation(array.reshape(-1)).reshape(shape)
            return mixed
        if quantity.kind in ("target", "input") and bool(np.all(array >= 0)):
            axis = _axis_of_ones(array)
            if axis is not None and shape[axis] > 1:
                ones = np.ones(shape[axis])
                return np.moveaxis(random.dirichlet(ones, (*shape[:axis], *shape[axis + 1 :])), -1, axis)
    noise: Any = random.normal(size=shape)
    if own is None or sort != "near":
        made: Any = np.abs(noise) + 0.2 if sort == "positive" else noise
        if sort == "wide" and own is not None and quantity.kind == "target" and _within(own):
            made = random.uniform(0.1, 0.9, shape)
        return _number(made, shape)
    return _number(np.asarray(own) * np.exp(0.3 * noise), shape)


def _axis_of_ones(array: Any) -> int | None:
    """The axis along which the elements sum to 1 everywhere: the last, or that of examples in columns."""
    axes = reversed(range(array.ndim))
    return next((axis for axis in axes if bool(np.allclose(array.sum(axis=axis), 1))), None)


def _within(own: Any) -> bool:
    """Whether all are probabilities."""
    array: Any = np.asarray(own)
    return bool(np.all((array >= 0) & (array <= 1)))


def _number(value: Any, shape: tuple[int, ...]) -> Any:
    return np.asarray(value, np.float64) if shape else float(value)
