"""Arrays as they are given: what may be the value of a quantity, and the numbers that are meant.

    as_given([[1, 0.5], [3, 4]])        fractions, because it is small
    as_given(numpy.ones((800, 600)))    float64

A float stands for its shortest decimal, as everywhere: 0.1 in an array of float32 is 1/10.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, TypeAlias, cast

import numpy as np

from backhand import limits
from backhand.core.array_operations import Shape, shown
from backhand.errors import LimitError, UsageError

Array: TypeAlias = "np.ndarray[Any, Any]"

FAR = 100_000
"""Numbers of one array that are looked at one by one, because they are below 10^-14 or above 10^23."""


def shortest(array: Array, narrow: Callable[[Array], Array]) -> Array:
    """The shortest decimals that mean these numbers, as float64. `narrow` rounds float64 to the type they had.

    >>> float(shortest(np.float32([0.1]), np.float32)[0])
    0.1
    """
    flat: Array = np.asarray(array, np.float64).reshape(-1)
    found: Array = flat.copy()
    places = np.flatnonzero(flat)
    decades = np.floor(np.log10(np.abs(flat[places]))).astype(int)
    near = (decades >= -14) & (decades <= 22)  # powers of ten up to 10^22 are doubles
    far, places, decades = places[~near], places[near], decades[near]
    with np.errstate(over="ignore"):
        for digits in range(1, 10):
            shift = digits - 1 - decades
            scale = 10.0 ** np.abs(shift)
            numbers = flat[places]
            tried = np.where(shift >= 0, np.rint(numbers * scale) / scale, np.rint(numbers / scale) * scale)
            fits = narrow(tried).astype(np.float64) == numbers
            found[places[fits]] = tried[fits]
            places, decades = places[~fits], decades[~fits]
        for place in far[:FAR]:
            number = flat[place]
            texts = (float(f"{number:.{digits}e}") for digits in range(9))
            found[place] = next((n for n in texts if narrow(np.array([n]))[0] == number), number)
    return found.reshape(array.shape)


def as_given(value: Any, exact: Callable[[Any], Fraction], name: str = "The array") -> Array:
    """An array from Python: nested lists, or what NumPy takes for an array. `exact` reads a single number.

    Fractions up to `limits.EXACT_ELEMENTS` elements, else float64. Raises UsageError for rows of unequal length, for
    what is no real number, and for empty arrays; LimitError for what is too large."""
    if isinstance(value, (list, tuple)):
        shape = _shape_of_lists(cast("Sequence[Any]", value), name)
        found = np.empty(shape, object)
        found.reshape(-1)[:] = [exact(number) for number in _flat(value)]
    else:
        found = np.asarray(value)
        _check_size(found.shape, name)
        if found.dtype == object:
            read = np.empty(found.shape, object)
            read.reshape(-1)[:] = [exact(number) for number in found.reshape(-1)]
            found = read
        elif found.dtype.kind not in "fiub":
            raise UsageError(
                f"{name} has elements of the type {found.dtype}, and arrays here are of real numbers.",
                cure="Give it as floats, a.astype(float).",
            )
        else:
            found = _plain(found, name)
    if found.size > limits.EXACT_ELEMENTS:
        return found.astype(np.float64)
    return found if found.dtype == object else _fractions(found)


_to_fractions = np.frompyfunc(lambda number: Fraction(str(number)), 1, 1)


def _fractions(array: Array) -> Array:
    made = np.empty(array.shape, object)
    made[...] = _to_fractions(array)
    return made


def _plain(array: Array, name: str) -> Array:
    """Finite numbers in this machine's byte order."""
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if array.dtype.kind == "f":
        wrong = ~np.isfinite(array)
        if np.any(wrong):
            place = [int(n) for n in np.argwhere(wrong)[0]]
            raise UsageError(
                f"{name} has {array[tuple(place)]} at the element {place}, and a quantity has finite numbers.",
                cure="Give finite numbers.",
            )
        if array.dtype.itemsize < 8:
            kind = array.dtype
            return shortest(array, lambda numbers: numbers.astype(kind))
        return array.astype(np.float64)
    return array.astype(array.dtype.newbyteorder("="))


def _check_size(shape: Shape, name: str) -> None:
    count = 1
    for size in shape:
        count *= size
    if not count:
        raise UsageError(f"{name} is empty, of the shape {shape}.", cure="Give at least one element.")
    if count > limits.ELEMENTS:
        raise LimitError(f"{name} has {count} elements; at most {limits.ELEMENTS} are taken.", cure="Use smaller ones.")


def _shape_of_lists(value: Sequence[Any], name: str) -> Shape:
    """The shape of nested lists, which have to be as long as their neighbours."""
    shape: list[int] = []
    level: list[Any] = [value]
    while True:
        lengths = [_length(part) for part in level]
        if len(set(lengths)) > 1:
            other = next(length for length in lengths if length != lengths[0])
            here = " beside ".join(shown(() if n is None else (n,)) for n in (lengths[0], other))
            raise UsageError(f"The rows of {name} are not alike: {here}.", cure="Give every row as many elements.")
        if lengths[0] is None:
            return tuple(shape)
        shape.append(lengths[0])
        _check_size(tuple(shape), name)
        level = [part for row in level for part in row]


def _length(part: object) -> int | None:
    """Of a list; None for a single number."""
    return len(cast("Sequence[Any]", part)) if isinstance(part, (list, tuple)) else None


def _flat(value: Any) -> list[Any]:
    level: list[Any] = [value]
    while isinstance(level[0], (list, tuple)):
        level = [part for row in level for part in row]
    return level
