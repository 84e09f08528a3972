r"""Formulas with indices, as physics writes them: `\frac{\partial L}{\partial W_{ij}} = \delta_i x_j`.

An index of the left side stands for each of its numbers; one that stands on the right alone is summed over, in each
summand by itself. An axis of an array goes with each letter, so a product of three factors needs no order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from backhand.core import arrays as ar
from backhand.core.arithmetic import NoValue
from backhand.core.array_operations import ArrayOperation
from backhand.core.formula import Apply, Formula, Num, Ref, Slope, postorder
from backhand.core.operations import ADD, NEGATE, SUBTRACT
from backhand.marking.array_worlds import Array, Unknown

INDEXED = re.compile(r"(.+?)_\{?([a-z](?:,?[a-z]){0,3})\}?")
"""A name with letters below: W_{ij}, h_j."""
KRONECKER = ("δ", "delta", "Delta")
MOST = 200_000
"""Products that a sum over indices may have."""


class Indexed(NamedTuple):
    """An array, and the letter of each of its axes."""

    letters: str
    value: Array


LeafOf: TypeAlias = Callable[["Ref | Slope"], "Indexed | None"]
"""What a name with or without indices is."""


def letters_of(name: str) -> tuple[str, str] | None:
    """The name of the whole array and the letters below it."""
    found = INDEXED.fullmatch(name)
    return (found[1], found[2].replace(",", "")) if found is not None else None


def has_indices(formula: Formula, leaf: LeafOf) -> bool:
    """Whether a name with letters below stands in a formula."""
    return any(
        (made := leaf(node)) is not None and bool(made.letters)
        for node in postorder(formula)
        if isinstance(node, Ref | Slope)
    )


def worked_out_by_indices(formula: Formula, letters: str, leaf: LeafOf) -> Array:
    """The value of a formula, with an axis for each of these letters in their order. Raises Unknown, NoValue or
    ValueError."""
    sizes = _sizes(formula, leaf)
    total: Array | None = None
    for sign, term in _summands(formula):
        made = sign * _onto(_term(term, leaf, sizes), letters)
        total = made if total is None else total + made
    assert total is not None
    return np.asarray(total, float)


def _summands(formula: Formula) -> list[tuple[float, Formula]]:
    """The terms of a sum and their signs."""
    waiting, found = [(1.0, formula)], list[tuple[float, Formula]]()
    while waiting:
        sign, part = waiting.pop()
        if isinstance(part, Apply) and part.operation in (ADD, SUBTRACT):
            waiting += [(-sign if part.operation is SUBTRACT else sign, part.args[1]), (sign, part.args[0])]
        elif isinstance(part, Apply) and part.operation is NEGATE:
            waiting.append((-sign, part.args[0]))
        else:
            found.append((sign, part))
    return found


def _sizes(formula: Formula, leaf: LeafOf) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for node in postorder(formula):
        made = leaf(node) if isinstance(node, Ref | Slope) else None
        for letter, size in zip(made.letters, made.value.shape, strict=True) if made is not None else ():
            if sizes.setdefault(letter, size) != size:
                raise ValueError(f"{letter} counts to {sizes[letter]} and to {size}")
    return sizes


def _term(formula: Formula, leaf: LeafOf, sizes: dict[str, int]) -> Indexed:
    stack: list[Indexed] = []
    for node in postorder(formula):
        if isinstance(node, Num):
            stack.append(Indexed("", np.asarray(float(node.value))))
        elif isinstance(node, Apply):
            args = stack[len(stack) - len(node.args) :]
            del stack[len(stack) - len(node.args) :]
            if isinstance(node.operation, ArrayOperation):
                raise Unknown(node.operation.name)
            letters, values = _aligned(args)
            stack.append(Indexed(letters, np.asarray(ar.lifted_floats(node.operation, values), float)))
        else:
            made = leaf(node) or _kronecker(node, sizes)
            if made is None:
                raise Unknown(node.name if isinstance(node, Ref) else f"d{node.of}/d{node.by}")
            stack.append(_once(made))
    return stack[0]


def _kronecker(node: Ref | Slope, sizes: dict[str, int]) -> Indexed | None:
    found = letters_of(node.name) if isinstance(node, Ref) else None
    if found is None or found[0] not in KRONECKER or len(found[1]) != 2:
        return None
    known = [sizes[letter] for letter in found[1] if letter in sizes]
    return Indexed(found[1], np.eye(known[0])) if known else None


def _once(made: Indexed) -> Indexed:
    """W_{ii}: the same letter twice is the diagonal."""
    letters = "".join(dict.fromkeys(made.letters))
    return made if letters == made.letters else Indexed(letters, np.einsum(f"{made.letters}->{letters}", made.value))


def _aligned(args: Sequence[Indexed]) -> tuple[str, list[Array]]:
    """The arrays with an axis for every letter of any of them."""
    letters = "".join(dict.fromkeys("".join(arg.letters for arg in args)))
    found: list[Array] = []
    for arg in args:
        order = [arg.letters.index(letter) for letter in letters if letter in arg.letters]
        value = arg.value.transpose(order) if order else arg.value
        shape = [arg.value.shape[arg.letters.index(letter)] if letter in arg.letters else 1 for letter in letters]
        found.append(value.reshape(shape))
    if np.prod([max(value.shape[at] for value in found) for at in range(len(letters))], dtype=float) > MOST:
        raise NoValue("a sum over too many products")
    return letters, found


def _onto(made: Indexed, letters: str) -> Array:
    """Summed over the letters that are not asked for, the others in their order."""
    gone = tuple(at for at, letter in enumerate(made.letters) if letter not in letters)
    value = made.value.sum(axis=gone)
    kept = [letter for letter in made.letters if letter in letters]
    if set(kept) != set(letters):
        raise ValueError("an index of the left side is missing")
    return value.transpose([kept.index(letter) for letter in letters]) if kept else value
