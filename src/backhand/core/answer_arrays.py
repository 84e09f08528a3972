"""What answers say about arrays that no network does: a vector on a diagonal, and Einstein's sums.

    diag(p) - p p^T        np.einsum("ij,ik->jk", H, dZ)

They are rows like those of `array_operations`, in no table: an answer is worked out in floats, never sent back through.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from backhand.core.arithmetic import NoValue, TooLarge
from backhand.core.array_operations import ArrayOperation, Shape
from backhand.core.formula import Apply, Formula, apply

SUBSCRIPTS = re.compile(r"([a-z]{1,4}(?:,[a-z]{1,4}){0,2})(?:->([a-z]{0,4}))?")

MOST = 1_000_000
"""Numbers of a matrix with a vector on its diagonal, and products that one sum may have."""


def _no_real(*_: float) -> Any:
    raise NoValue("an array")


def _diagonal(_: Any, args: Sequence[Any], __: dict[str, Any]) -> Any:
    value = np.asarray(args[0])
    if value.ndim not in (1, 2):
        raise NoValue("diag of what has no one or two axes")
    if value.ndim == 1 and value.size**2 > MOST:
        raise TooLarge(f"a matrix of {value.size**2} numbers")
    return np.diag(value)


def _einstein(_: Any, args: Sequence[Any], options: dict[str, Any]) -> Any:
    arrays = [np.asarray(arg, float) for arg in args]
    sizes: dict[str, int] = {}
    for letters, array in zip(options["subscripts"].split("->")[0].split(","), arrays, strict=True):
        if len(letters) != array.ndim:
            raise NoValue("subscripts that do not fit the axes")
        sizes |= dict(zip(letters, array.shape, strict=True))
    if math.prod(sizes.values()) > MOST:
        raise TooLarge(f"a sum of {math.prod(sizes.values())} products")
    return np.einsum(options["subscripts"], *arrays)


def _shape(shapes: Sequence[Shape], _: dict[str, Any]) -> Shape:
    return shapes[0]


DIAGONAL = ArrayOperation(
    "diag", ("u",), "diag(u)", (), "derivative of diag", "{u} on a diagonal", _no_real, shape=_shape, compute=_diagonal
)
EINSUM = ArrayOperation(
    "einsum", ("u",), "einsum(u)", (), "derivative of einsum", "a sum of products", _no_real, shape=_shape,
    params=(("subscripts", ""),), several=True, compute=_einstein,
)  # fmt: skip


def diagonal(arg: Formula, span: Any) -> Apply:
    """diag(p)"""
    return apply(DIAGONAL, arg, span=span)


def einsum(subscripts: str, args: Sequence[Formula], span: Any) -> Apply | None:
    """Einstein's sum of products; None where its subscripts are of another kind."""
    found = SUBSCRIPTS.fullmatch(subscripts)
    if found is None or len(found[1].split(",")) != len(args):
        return None
    return apply(EINSUM, *args, params=(("subscripts", subscripts),), span=span)
