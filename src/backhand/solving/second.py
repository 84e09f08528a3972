"""Second derivatives: the derivative by one quantity of the derivative by another.

    L = x^2 y        dL/dx = 2 x y        d(dL/dx)/dy = 2 x

The way back is made of formulas, so it can be gone back through again: a network is made in which the derivatives are
quantities too, dL/dx defined by what comes back to x, and each of them is differentiated as any output is. So numbers
are exact where those of the network are, and no third method of differentiating is needed. The matrix of all second
derivatives (Hessian) has to come out symmetric, row i by way of dL/dx_i and column i by way of all others; that is
checked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeGuard

from backhand import limits
from backhand.core import algebra
from backhand.core.differentiate import differentiate
from backhand.core.evaluate import Value
from backhand.core.formula import Formula, Num, Ref, Slope, fold, with_args
from backhand.core.graph import Graph, Quantity
from backhand.core.notation import Notice
from backhand.core.propagate import Numbers, Propagation, derivatives_of, propagate
from backhand.core.rules import ZERO
from backhand.errors import CheckError, LimitError, UsageError
from backhand.numbers import Number, as_float, known

if TYPE_CHECKING:
    from backhand.core.array_passes import Passes


AT_A_CORNER = (
    "At a corner there is no second derivative; the numbers given are those of the side whose slope was taken."
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Second:
    """All second derivatives of `of` by the single numbers `by` (elements of arrays as `W1[0,1]`).

    rows[a][b] is the derivative by b of the derivative by a; `gradient` has the first derivatives."""

    of: str
    by: tuple[str, ...]
    gradient: dict[str, Value]
    rows: dict[str, dict[str, Value]]
    symmetric: bool
    """Whether symmetry was checked: it is not where something is in symbols or taken by convention at a corner."""
    notices: tuple[Notice, ...] = ()

    def __repr__(self) -> str:
        return f"<Second: derivatives of {self.of} by {len(self.by)} numbers, twice>"


def second_derivatives(
    graph: Graph, *, of: str | None = None, by: Sequence[str] = (), numbers: Numbers = "exact"
) -> Second:
    """The Hessian of one output by its inputs, weights and biases, or by what `by` names: quantities, or elements of
    arrays.

    Raises LimitError past `limits.SECOND`, UsageError for an unknown name, UndefinedError where a first derivative has
    no value.

    >>> from backhand.readers import read
    >>> second_derivatives(read("x = 3" + chr(10) + "y = 2" + chr(10) + "L = x^2 y")).rows["x"]
    {'x': Fraction(4, 1), 'y': Fraction(6, 1)}
    """
    if graph.arrays:
        from backhand.core.array_passes import with_output

        graph, of = with_output(graph, of)
    of, _ = graph.output(of)
    if graph[of].shape:
        raise UsageError(
            f"{of} is an array, and second derivatives are of a single number.",
            graph[of].span,
            cure=f"Ask for one element, --of '{of}[{', '.join('0' * len(graph[of].shape))}]'.",
        )
    for name, _ in (_found(graph, name) for name in by):
        if graph[name].computed:
            raise UsageError(
                f"{name} is computed, and second derivatives are by what is given.", cure="Leave it out of --wrt."
            )
    asked = [_found(graph, name) for name in by] or [
        (q.name, None)
        for q in graph.quantities
        if q.kind in ("input", "weight", "bias") and graph.index[q.name] in set(graph.upstream_of(of))
    ]
    if not asked:
        raise UsageError(f"{of} depends on no input, weight or bias.", graph[of].span, cure="Say by what, --wrt NAME.")
    names = list(dict.fromkeys(name for whole, place in asked for name in _single(graph, whole, place)))
    twice = with_derivatives(graph, of, {whole for whole, _ in asked})
    _check_size(len(names), twice)
    now = propagate(twice, of=of, numbers=numbers)
    rows = _array_rows(twice, of, now.passes, names) if now.passes else _rows(now, of, names)
    gradient = {name: now.derivative(name) for name in names}
    notices = tuple(notice for notice in now.notices if notice.words.startswith(f"d{of}/d"))
    cornered = any("corner" in notice.words or "share its slope" in notice.words for notice in now.notices)
    if cornered:
        notices += (Notice(AT_A_CORNER),)
    symmetric = not cornered and _symmetric(of, rows)
    return Second(of, tuple(names), gradient, rows, symmetric, notices)


Place = tuple[int, ...]


def _found(graph: Graph, name: str) -> tuple[str, Place | None]:
    """A quantity, or an element of one."""
    if name in graph or not graph.arrays:
        return graph[name].name, None
    from backhand.core.array_passes import known_element

    whole, place = known_element(graph, name)
    return whole, place or None


def _single(graph: Graph, whole: str, place: Place | None) -> Iterable[str]:
    """The names of the single numbers."""
    if not graph[whole].shape:
        return [whole]
    from backhand.core.array_passes import element_name, elements

    return [element_name(whole, place)] if place is not None else (name for name, _ in elements(graph, whole))


def _check_size(count: int, twice: Graph) -> None:
    numbers = sum(math.prod(q.shape) for q in twice.quantities)
    if count * max(count, numbers) > limits.SECOND:
        raise LimitError(
            f"Second derivatives by {count} numbers here take about {count * max(count, numbers)} operations; "
            f"at most {limits.SECOND} are made.",
            cure="Ask for fewer with --wrt.",
        )


# -- a network with its derivatives ----------------------------------------------------------------------------------


def derivative_name(of: str, by: str) -> str:
    """What a derivative is called as a quantity: dL/dx."""
    return f"d{of}/d{by}"


def with_derivatives(graph: Graph, of: str, by: Iterable[str]) -> Graph:
    """The part of a network that `of` depends on, with the derivatives of `of` by `by`, and by all between, as
    quantities defined by what comes back."""
    needed = set(graph.upstream_of(of))
    wanted = {graph.index[name] for name in by} & needed
    for position in sorted(needed):  # what is computed from these
        if not wanted.isdisjoint(graph.parent_lists[position]):
            wanted.add(position)
    made = _Array(graph, of) if graph.arrays else _Single(graph, of)
    derivatives: list[Quantity] = []
    for position in sorted(wanted, reverse=True):
        quantity = graph.quantities[position]
        name = derivative_name(of, quantity.name)
        if quantity.name == of:
            derivatives.append(Quantity(name, "computed", algebra.ONE))
            continue
        children = [graph.quantities[c].name for c in graph.child_lists[position] if c in wanted]
        derivatives.append(Quantity(name, "computed", made.derivative(quantity, children), span=quantity.span))
    for name in by:
        if graph.index[name] not in wanted:
            derivatives.append(Quantity(derivative_name(of, name), "computed", made.nothing(graph[name])))
    kept = [q for q in graph.quantities if graph.index[q.name] in needed or q.name in set(by)]
    return Graph.of([*kept, *derivatives])


class _Single:
    """Of single numbers: the chain rule with local derivatives as formulas."""

    def __init__(self, graph: Graph, of: str) -> None:
        self.graph = graph
        self.of = of

    def derivative(self, quantity: Quantity, children: Sequence[str]) -> Formula:
        total: Formula = algebra.ZERO
        for child in children:
            definition = self.graph[child].definition
            assert definition is not None
            local = differentiate(definition, quantity.name, child).formula
            upstream = algebra.ONE if child == self.of else Ref(derivative_name(self.of, child))
            total = algebra.add(total, algebra.multiply(upstream, local))
        return total

    def nothing(self, quantity: Quantity) -> Formula:
        return algebra.ZERO


class _Array:
    """Of arrays: the formulas of the way back, each in the shape of what it is by."""

    def __init__(self, graph: Graph, of: str) -> None:
        from backhand.core.adjoints import Shapes, sent, spread

        self.graph = graph
        self.of = of
        self.shapes = Shapes(graph)
        self.sent = sent
        self.spread = spread
        self.kept: dict[str, list[Any]] = {}

    def derivative(self, quantity: Quantity, children: Sequence[str]) -> Formula:
        total: Formula | None = None
        for child in children:
            if child not in self.kept:
                self.kept[child] = self.sent(self.graph, child, self.of, None, self.shapes)
            for one in self.kept[child]:
                if one.parent == quantity.name:
                    formula = self.spread(one.formula, quantity.shape, self.shapes)
                    named = _slopes_as_names(formula)
                    total = named if total is None else algebra.add(total, named)
        return self.nothing(quantity) if total is None else total

    def nothing(self, quantity: Quantity) -> Formula:
        from backhand.core.array_operations import node

        return node("zeros", shape=quantity.shape) if quantity.shape else algebra.ZERO


def _slopes_as_names(formula: Formula) -> Formula:
    """`W.T @ dL/dz`, where dL/dz is the name of a quantity."""

    def leaf(node: Num | Ref | Slope) -> Formula:
        return Ref(derivative_name(node.of, node.by)) if isinstance(node, Slope) else node

    return fold(formula, leaf, with_args)


# -- differentiating again -------------------------------------------------------------------------------------------


def _rows(now: Propagation, of: str, names: Sequence[str]) -> dict[str, dict[str, Value]]:
    """One backward pass for each first derivative."""
    index = now.graph.index
    rows: dict[str, dict[str, Value]] = {}
    for name in names:
        found = derivatives_of(now, derivative_name(of, name))
        row: dict[str, Value] = {}
        for other in names:
            value: Value | None = found[index[other]]
            row[other] = ZERO if value is None else value
        rows[name] = row
    return rows


def _array_rows(graph: Graph, of: str, passes: Passes, names: Sequence[str]) -> dict[str, dict[str, Value]]:
    from backhand.core import arrays as ar
    from backhand.core.array_passes import element_of

    arithmetic = ar.EXACT if passes.exact else ar.FLOATS
    about: Callable[[Quantity], None] = lambda quantity: None  # noqa: E731 - nobody is told

    def split(name: str) -> tuple[str, Place]:
        whole, place = (name, ()) if name in graph else element_of(graph, name)
        assert whole is not None
        return whole, place

    parts = [split(name) for name in names]
    rows: dict[str, dict[str, Value]] = {}
    for name, (whole, place) in zip(names, parts, strict=True):
        seed: Any = arithmetic.full(graph[whole].shape, arithmetic.zero)
        seed[place] = arithmetic.one
        found = passes.backward(derivative_name(of, whole), about, seed=ar.unboxed(seed))
        row: dict[str, Value] = {}
        for other, (which, where) in zip(names, parts, strict=True):
            value: Any = found[which] if which in found else passes.gathered(graph[which], ())
            row[other] = value[where] if where else value
        rows[name] = row
    return rows


def _symmetric(of: str, rows: dict[str, dict[str, Value]]) -> bool:
    """Whether both orders could be compared. Raises CheckError where they differ."""
    largest = max((abs(as_float(v)) for row in rows.values() for v in row.values() if is_number(v)), default=0.0)
    for name, row in rows.items():
        for other, value in row.items():
            mirrored = rows[other][name]
            if not is_number(value) or not is_number(mirrored):
                return False
            exact = isinstance(value, Fraction) and isinstance(mirrored, Fraction)
            differs = value != mirrored if exact else abs(as_float(value) - as_float(mirrored)) > 1e-9 * largest
            if differs:
                raise CheckError(
                    f"The second derivatives of {of} by {name} and {other} differ with their order.",
                    cure="This is a mistake in Backhand; please report it with the network.",
                )
    return True


def is_number(value: Value) -> TypeGuard[Number]:
    """Whether it is a finite number, not a formula."""
    return isinstance(value, (Fraction, float)) and known(value)
