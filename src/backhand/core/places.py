"""Quantities that are class numbers or row numbers: whole numbers from 0 to one less than there are classes or rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from backhand.core.array_operations import ArrayOperation
from backhand.core.formula import Apply, Ref, postorder
from backhand.core.graph import Graph
from backhand.core.shapes import Shape, shapes_in

ARGUMENT = {"gather": 1, "scatter": 1, "one_hot": 0, "cross_entropy": 1, "cross_entropy_logits": 1}
"""Rows with an argument that is a place, and which it is."""


class Places(NamedTuple):
    """How many `words`, classes or rows, there are at most."""

    most: int
    words: str


def places(graph: Graph) -> dict[str, Places]:
    """The quantities that are class or row numbers; the fewest, where one is used in several formulas."""
    shapes = {quantity.name: quantity.shape for quantity in graph.quantities}
    found: dict[str, Places] = {}
    for quantity in graph.quantities:
        if not quantity.computed or quantity.definition is None:
            continue
        nodes = postorder(quantity.definition)
        sizes = dict(zip(map(id, nodes), shapes_in(quantity.definition, shapes), strict=True))
        for node in nodes:
            if isinstance(node, Apply) and isinstance(node.operation, ArrayOperation):
                for name, told in _of(node, [sizes[id(arg)] for arg in node.args]):
                    found[name] = min(told, found.get(name, told))
    return found


def _of(node: Apply, sizes: list[Shape]) -> Iterator[tuple[str, Places]]:
    """The quantity that is a place in one operation. Targets of the shape of the scores are no class numbers."""
    row = node.operation.name
    arg = node.args[ARGUMENT[row]] if row in ARGUMENT else None
    if not isinstance(arg, Ref):
        return
    options = dict(node.params)
    if row == "one_hot":
        count, words = options["size"], "classes"
    elif row == "gather":
        count, words = sizes[0][0], "rows"
    elif row == "scatter":
        shape = options["shape"]
        count, words = shape[0] if isinstance(shape, tuple) else shape, "rows"
    elif sizes[0] != sizes[1]:
        count, words = sizes[0][-1], "classes"
    else:
        return
    if isinstance(count, int):
        yield arg.name, Places(count, words)
