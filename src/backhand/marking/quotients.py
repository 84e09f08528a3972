"""Difference quotients: `(z(2.001) - z(2))/0.001 = 12.003` is near the derivative 12, and right as what it is.

A quotient of a difference by a small step is held against what the network itself gives if the number is moved by this
step: forward, backward, or to both sides. `z(2.001)` is no product in it, but z at another place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from backhand.core.formula import Apply, Formula, Num, Ref, Slope, fold, postorder
from backhand.core.graph import Graph
from backhand.marking.about import About, Local, Value
from backhand.marking.align import Names
from backhand.marking.sheet import Amount, exact
from backhand.marking.worlds import World

SMALL = Fraction(1, 10)
"""The longest step that counts as a small one."""


def is_quotient(formula: Formula) -> bool:
    """Whether it has the form (a - b)/c."""
    if not isinstance(formula, Apply) or formula.operation.name != "/":
        return False
    above = formula.args[0]
    return isinstance(above, Apply) and above.operation.name == "-" and len(above.args) == 2


def calls(formula: Formula, names: Names) -> list[tuple[str, Apply]]:
    """`z(2.001)`, `L(w + h)`: the computed quantity, and the product it looks like."""
    found: list[tuple[str, Apply]] = []
    for node in postorder(formula):
        if isinstance(node, Apply) and node.style == "juxtaposed" and len(node.args) == 2:
            head, inside = node.args
            known = names.quantity(head.name) if isinstance(head, Ref) else None
            if known is not None and inside.parens and names.graph[known].computed:
                found.append((known, node))
    return found


def of_values(formula: Formula, names: Names) -> bool:
    """Whether it is `(L(w + h) - L(w))/h`: a part of the difference is a value at a place, and not `y(1 - y)` below."""
    if not is_quotient(formula):
        return False
    assert isinstance(formula, Apply) and isinstance(formula.args[0], Apply)
    called = {id(call) for _, call in calls(formula.args[0], names)}
    return any(id(part) in called for part in formula.args[0].args)


class Quotients:
    """What difference quotients of a network are worth."""

    def __init__(self, graph: Graph, of: str, names: Names, truth: World) -> None:
        self.graph = graph
        self.of = of
        self.names = names
        self.truth = truth
        self._at: dict[tuple[str, str, Amount], Amount | None] = {}

    def step(self, formula: Formula, value: Callable[[Formula], Amount]) -> Amount | None:
        """The step of a difference quotient; None if it is none."""
        if not is_quotient(formula):
            return None
        assert isinstance(formula, Apply)
        step = value(formula.args[1])
        return step if step == step and 0 < abs(step) <= SMALL else None

    def worth(self, about: About | None, step: Amount) -> Iterator[Amount]:
        """The quotients with this step: forward, backward, to both sides with half of it each."""
        if about is None or isinstance(about, Value):
            return
        of, by = (about.child, about.parent) if isinstance(about, Local) else (about.of, about.by)
        half = step / 2
        for up, down in ((step, 0), (0, -step), (half, -half)):
            high, low = self.moved(of, by, up), self.moved(of, by, down)
            if high is not None and low is not None:
                yield (high - low) / step

    def moved(self, of: str, by: str, step: Amount) -> Amount | None:
        """The value of a quantity where another is moved."""
        start = self.truth.value(by)
        return self.placed(of, by, start + step) if start == start else None

    def placed(self, of: str, by: str, number: Amount) -> Amount | None:
        """The value of a quantity where another is this number."""
        key = (of, by, number)
        if key not in self._at:
            if self.graph[by].computed:
                world = World(self.graph, self.of, {Value(by): exact(number)})
            else:
                world = World(self.graph, self.of, givens={by: number})
            found = world.value(of)
            self._at[key] = found if found == found else None
        return self._at[key]

    def without_calls(self, formula: Formula, by: str, value: Callable[[Formula], Amount]) -> Formula | None:
        """The formula with the numbers of `z(2.001)` put in; None if one is not known."""
        known: dict[int, Num] = {}
        for of, call in calls(formula, self.names):
            inside = value(call.args[1])
            number = self.placed(of, by, inside) if inside == inside else None
            if number is None:
                return None
            written = Fraction(number)
            known[id(call)] = Num(abs(written), f"({written})", True)
            if written < 0:
                return None

        def combine(node: Apply, args: list[Formula]) -> Formula:
            found = known.get(id(node))
            return found or Apply(node.operation, tuple(args), node.style, node.parens, node.span, node.depth)

        def leaf(node: Num | Ref | Slope) -> Formula:
            return node

        return fold(formula, leaf, combine)
