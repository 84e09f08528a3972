"""All ways from one quantity to another, and the product of local derivatives along each.

The derivative is the sum of the path products. Ways are counted by dynamic programming, in time
proportional to the edges, and listed only below a limit (a layered net of 20 layers of 2 has half
a million); above it the largest are found, best first, without listing the others.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from backhand import limits
from backhand.core import evaluate as ev
from backhand.core.evaluate import Value
from backhand.core.graph import Graph
from backhand.core.operations import ADD, MULTIPLY
from backhand.core.propagate import Propagation
from backhand.core.rules import ONE, ZERO
from backhand.numbers import as_float


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """One way, as the names along it from `frm` to `of`, its local derivatives in that order, and their product."""

    names: tuple[str, ...]
    locals: tuple[Value, ...]
    product: Value


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """The ways from `frm` to `of`: how many, those listed (all, or the largest), and the sum of all products."""

    frm: str
    of: str
    count: int
    listed: tuple[Path, ...]
    total: Value

    @property
    def complete(self) -> bool:
        return self.count == len(self.listed)


def count_paths(graph: Graph, frm: str, of: str) -> int:
    r"""How many ways lead from one quantity to another; 1 from a quantity to itself.

    >>> from backhand.readers.bh import read
    >>> from backhand.text import Source
    >>> count_paths(read(Source("a = 2\nb = a\nc = a + b\nL = b c")), "a", "L")
    3
    """
    ways, start = ways_to(graph, of), graph.index[graph[frm].name]
    return ways[start] if start < len(ways) else 0


def ways_to(graph: Graph, of: str) -> list[int]:
    """For each position up to that of `of`, the number of ways to it."""
    end = graph.index[graph[of].name]
    ways = [0] * (end + 1)
    ways[end] = 1
    for position in range(end - 1, -1, -1):
        ways[position] = sum(ways[child] for child in graph.child_lists[position] if child <= end)
    return ways


def path_product(propagation: Propagation, *names: str) -> Value:
    r"""The product of the local derivatives along one way.

    >>> from backhand.core.propagate import propagate
    >>> from backhand.readers.bh import read
    >>> from backhand.text import Source
    >>> found = propagate(read(Source("a = 2\nb = 3 a\nL = b^2")))
    >>> path_product(found, "a", "b", "L")
    Fraction(36, 1)
    """
    product: Value = ONE
    for parent, child in pairwise(names):
        product = ev.apply_operation(MULTIPLY, [product, propagation.local(child, parent)])
    return product


def paths(
    propagation: Propagation, frm: str, of: str, most: int | None = None, *, ways: Sequence[int] | None = None
) -> Paths:
    """The ways from `frm` to `of` with their products: all of them up to `most`, else the `most` largest. `ways` is
    `ways_to(graph, of)`, for who has it already."""
    graph = propagation.graph
    most = limits.PATHS if most is None else most
    start, end = graph.index[graph[frm].name], graph.index[graph[of].name]
    if start > end:
        return Paths(frm, of, 0, (), ZERO)
    ways = ways or ways_to(graph, of)
    edges = _locals(propagation, ways, start, end)
    sums = _sums(edges, start, end)
    listed = _best(edges, start, end, most, _sizes(edges, start, end))
    named = [Path(tuple(graph.quantities[p].name for p in way), locals_, _product(locals_)) for way, locals_ in listed]
    named.sort(key=lambda path: [graph.index[name] for name in path.names])
    return Paths(frm, of, ways[start], tuple(named), sums)


Edges = dict[int, list[tuple[int, Value]]]


def _locals(propagation: Propagation, ways: Sequence[int], start: int, end: int) -> Edges:
    """For each position on a way, its children on a way and the local derivatives by it. Only what the ways touch is
    looked at, so that all ways of a wide network take no longer than their own length."""
    graph = propagation.graph
    quantities = graph.quantities
    edges: Edges = {}
    todo = [start]
    while todo:
        position = todo.pop()
        if position in edges or position == end:
            continue
        children = [child for child in graph.child_lists[position] if child <= end and ways[child]]
        name = quantities[position].name
        edges[position] = [(child, propagation.local(quantities[child].name, name)) for child in children]
        todo += children
    return edges


def _sums(edges: Edges, start: int, end: int) -> Value:
    """The sum over all ways of the products, from the end back."""
    total: dict[int, Value] = {end: ONE}
    for position in sorted(edges, reverse=True):
        sum_: Value = ZERO
        for child, slope in edges[position]:
            if child in total:
                sum_ = ev.apply_operation(ADD, [sum_, ev.apply_operation(MULTIPLY, [slope, total[child]])])
        if position != end:
            total[position] = sum_
    return total.get(start, ZERO)


def _size(value: Value) -> float:
    return abs(as_float(value)) if isinstance(value, (Fraction, float)) else 1.0


def _sizes(edges: Edges, start: int, end: int) -> Callable[[int], float]:
    """The size of the largest product from a position to the end."""
    best: dict[int, float] = {end: 1.0}
    for position in sorted(edges, reverse=True):
        if position != end:
            best[position] = max((_size(s) * best.get(c, 0.0) for c, s in edges[position]), default=0.0)
    return lambda position: best.get(position, -1.0)


def _best(
    edges: Edges, start: int, end: int, most: int, bound: Callable[[int], float]
) -> list[tuple[tuple[int, ...], tuple[Value, ...]]]:
    """The `most` ways of largest product: the most promising beginning is lengthened first."""
    queue: list[tuple[float, tuple[int, ...], float, tuple[Value, ...]]] = [(-bound(start), (start,), 1.0, ())]
    found: list[tuple[tuple[int, ...], tuple[Value, ...]]] = []
    while queue and len(found) < most:
        _, way, size, slopes_ = heapq.heappop(queue)
        if way[-1] == end:
            found.append((way, slopes_))
            continue
        for child, slope in edges.get(way[-1], ()):
            if bound(child) >= 0:
                grown = size * _size(slope)
                heapq.heappush(queue, (-grown * bound(child), (*way, child), grown, (*slopes_, slope)))
    return found


def _product(locals_: tuple[Value, ...]) -> Value:
    product: Value = ONE
    for slope in locals_:
        product = ev.apply_operation(MULTIPLY, [product, slope])
    return product
