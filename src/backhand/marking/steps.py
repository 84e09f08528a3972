"""Steps of gradient descent on a page: `w = w - eta dL/dw = 0.5 - 0.1 (-0.3) = 0.53`.

The network has the numbers before the step. A line that gives a weight its new number says nothing about the old one,
and what is worked out once more with the new numbers is another network's. So a step is an equality about nothing the
network has; after it a weight may be said to be what the step gave, and what was settled before and is said again with
another number cannot be judged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from backhand.core.formula import Formula, Ref, postorder
from backhand.core.graph import Graph
from backhand.marking.about import About, Value
from backhand.marking.align import Names
from backhand.marking.claims import Draft, bare, plain
from backhand.marking.sheet import Amount
from backhand.marking.worlds import World, equal, shape

NEW = re.compile(r"(.+?)(?:_?\{?(?:new|updated|next|baru|nuevo)\}?|\^\{?(?:new|\+)\}?|['+*])", re.IGNORECASE)
"""`w_new`, `w^{new}`, `w'`, `w+`."""


@dataclass(slots=True, eq=False)
class Steps:
    """The steps of a page so far: the new numbers, and what was settled before the first of them."""

    graph: Graph
    names: Names
    new: dict[str, Amount] = field(default_factory=dict[str, Amount])
    settled: frozenset[About] = frozenset()

    def of(self, draft: Draft) -> str:
        """The given quantity that a line gives a new number; "" if it does not."""
        if draft.own_name:
            match = NEW.fullmatch(draft.own_name)
            known = self.names.quantity(match[1]) if match is not None else None
            return known if known is not None and not self.graph[known].computed else ""
        if draft.kind != "given" or draft.generic or not isinstance(draft.about, Value):
            return ""
        name = draft.about.name
        formulas = [piece.formula for piece in draft.pieces if piece.formula is not None and not bare(piece.formula)]
        steps = any(self._from_itself(formula, name) or self._from_number(formula, name) for formula in formulas)
        return name if steps else ""

    def _from_itself(self, formula: Formula, name: str) -> bool:
        """`w - eta dL/dw`."""
        return len(shape(formula).summands) > 1 and any(
            isinstance(node, Ref) and self.names.quantity(node.name) == name for node in postorder(formula)
        )

    def _from_number(self, formula: Formula, name: str) -> bool:
        """`0.5 - 0.1 (-0.3)`, where w is 0.5."""
        given = self.graph[name].given
        summands = shape(formula).summands
        if given is None or len(summands) != 2 or not plain(formula):
            return False
        (sign, factors), _ = summands
        value = World(self.graph, name).at(factors[0]).value if len(factors) == 1 else None
        return sign > 0 and value is not None and equal(value, given)

    def made(self, name: str, number: Amount, settled: frozenset[About]) -> None:
        if not self.new:
            self.settled = settled
        self.new[name] = number

    def after(self, about: About | None, number: Amount | None) -> bool:
        """Whether a line may speak of what is after a step."""
        if not self.new or about is None:
            return False
        if isinstance(about, Value) and about.name in self.new:
            return number is not None and equal(number, self.new[about.name])
        return about in self.settled
