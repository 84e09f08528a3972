"""Both passes of a network as lines of code, from the formulas that the working shows.

Forward, each quantity is its formula. Backward, from the output on, each derivative is the sum of what
comes back along all ways: of single numbers the derivative by the child times the local derivative
(`core.differentiate`), of arrays the formulas of `core.adjoints`. A given quantity gets its derivative as
soon as all that use it have theirs: dL/dz, then dL/dW and dL/db, then dL/dh.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from backhand.coding.expressions import Expressions
from backhand.coding.lines import CodeLine, Pass
from backhand.coding.names import Names, harmless
from backhand.core import algebra
from backhand.core.adjoints import sent, spread
from backhand.core.array_operations import node
from backhand.core.differentiate import differentiate
from backhand.core.formula import Formula, Slope, longer, names, to_text
from backhand.core.graph import Graph

WRITTEN = 40
"""Operations of a formula that is repeated in a comment."""


@dataclass(slots=True)
class Back:
    """The derivative by one quantity: the formula of its code, and how its comment says it."""

    formula: Formula
    said: str


@dataclass(slots=True)
class Passes:
    """The statements of one graph in one language; `start` is what a definition begins with, `end` what ends it."""

    graph: Graph
    of: str
    names: Names
    expressions: Expressions
    start: str = ""
    end: str = ""
    ways: dict[str, list[list[Back]]] = field(default_factory=dict[str, "list[list[Back]]"])
    """What has come back to each quantity so far, from its last child to its first."""

    def forward(self) -> Iterator[CodeLine]:
        """The value of each computed quantity."""
        for quantity in self.graph.quantities:
            if quantity.computed:
                assert quantity.definition is not None
                said = f"{quantity.name} = {_short(quantity.definition)}"
                target = self.names(quantity.name)
                yield from self._statement(quantity.name, "value", target, quantity.definition, said, join=False)

    def backward(self) -> Iterator[CodeLine]:
        """The derivative of the output by each quantity that it depends on."""
        graph, of = self.graph, self.of
        needed = set(graph.upstream_of(of))
        waiting = {
            position: sum(child in needed for child in graph.child_lists[position])
            for position in needed
            if not graph.quantities[position].computed
        }
        seed = Back(algebra.ONE, f"d{of}/d{of} = 1")
        end = graph.index[of]
        if not graph.quantities[end].computed:
            yield from self._derivative(of, seed)
            return
        for position in sorted(needed, reverse=True):
            quantity = graph.quantities[position]
            if not quantity.computed:
                continue
            yield from self._derivative(quantity.name, seed if position == end else self._gathered(quantity.name))
            self._send(quantity.name)
            for name in names(quantity.definition):  # type: ignore[arg-type]
                parent = graph.index[name]
                if parent in waiting:
                    waiting[parent] -= 1
                    if not waiting[parent]:
                        yield from self._derivative(name, self._gathered(name))

    def _send(self, child: str) -> None:
        """Puts down what a quantity sends to each that its formula names."""
        definition = self.graph[child].definition
        assert definition is not None
        found: dict[str, list[Back]] = {}
        if self.graph.arrays:
            for one in sent(self.graph, child, self.of, shapes=self.expressions.shapes):
                found.setdefault(one.parent, []).append(Back(one.formula, _short(one.formula)))
        else:
            upstream = algebra.ONE if child == self.of else Slope(self.of, child)
            for parent in names(definition):
                local = differentiate(definition, parent, child).formula
                said = f"d{self.of}/d{child} d{child}/d{parent}" if child != self.of else _short(local)
                found[parent] = [Back(algebra.multiply(upstream, local), said)]
        for parent, ways in found.items():
            self.ways.setdefault(parent, []).append(ways)

    def _gathered(self, name: str) -> Back:
        """The sum over all ways."""
        ways = [way for group in reversed(self.ways.pop(name, [])) for way in group]
        total: Formula = algebra.ZERO
        for way in ways:
            total = algebra.add(total, way.formula)
        shape = self.graph[name].shape
        if self.expressions.shapes is not None:
            if not ways or algebra.constant(total) == 0:
                total = node("zeros", shape=shape) if shape else algebra.ZERO
            total = spread(total, shape, self.expressions.shapes)
            return Back(total, f"d{self.of}/d{name} = {_short(total)}")
        return Back(
            total, f"d{self.of}/d{name} = {' + '.join(way.said for way in ways[:8])}{' + ...' * (len(ways) > 8)}"
        )

    def _derivative(self, name: str, back: Back) -> Iterator[CodeLine]:
        target = self.names.slope(self.of, name)
        yield from self._statement(name, "derivative", target, back.formula, back.said, join=True)

    def _statement(
        self, about: str, pass_: Pass, target: str, formula: Formula, said: str, *, join: bool
    ) -> Iterator[CodeLine]:
        """`target = formula`, with the parts that stand in front."""
        written = self.expressions.write(formula, target, join=join)
        for name, text in written.parts:
            yield CodeLine(about, pass_, f"{self.start}{name} = {text}{self.end}")
        code = f"{target} = {written.text}"
        shape = str(self.graph[about].shape) if self.graph.arrays else ""
        yield CodeLine(about, pass_, f"{self.start}{code}{self.end}", "" if said == code else harmless(said), shape)


def _short(formula: Formula) -> str:
    """The formula as it was written, unless it is long."""
    return "..." if longer(formula, WRITTEN) else to_text(formula)
