"""The rule behind a claim: the formula it comes from, and whether a written formula is that rule.

    B1                     B1's own formula
    dC1/dB1                C1's formula, differentiated by B1
    dL/dB1                 the sum over all children of what comes back times the local derivative

That a formula is true at the network's numbers does not make it the rule: where D is 4, `(D - 3)` is 1, and so is
`(D - 3)^2`. So a formula is tried where the given numbers are moved a little (`worlds.elsewhere`). Those that it has as
plain numbers stay, and so do 0, 1 and -1, which people leave out.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from backhand.core.algebra import add, multiply
from backhand.core.differentiate import differentiate
from backhand.core.formula import Apply, Formula, Num, Ref, Slope, names, postorder
from backhand.core.graph import Graph
from backhand.marking.about import About, Derivative, Local, Value
from backhand.marking.align import Names
from backhand.marking.worlds import World, elsewhere, equal, numbers_in


class Expected:
    """The rules of a network, seen from the output asked about."""

    def __init__(self, graph: Graph, of: str, names: Names) -> None:
        self.graph = graph
        self.of = of
        self.names = names
        self._worlds: dict[tuple[frozenset[str], int], World] = {}

    def formulas(self, about: About) -> Iterator[Formula]:
        """The formulas in names from which a claim can come, the nearest first."""
        definition, by = self.rule(about)
        if definition is not None:
            yield differentiate(definition, by).formula if by else definition
        if isinstance(about, Derivative):
            total = self._chain_rule(about)
            if total is not None:
                yield total

    def rule(self, about: About) -> tuple[Formula | None, str]:
        """The formula that a claim comes from, and by what it is differentiated."""
        match about:
            case Value():
                return self.graph[about.name].definition, ""
            case Local():
                return self.graph[about.child].definition, about.parent
            case Derivative():
                if about.by in self.graph.parents(about.of):
                    return self.graph[about.of].definition, about.by
                return None, ""

    def _chain_rule(self, about: Derivative) -> Formula | None:
        """dL/dx as the sum over all children."""
        needed = self.names.ancestors(about.of)
        total: Formula | None = None
        for child in self.graph.children(about.by):
            definition = self.graph[child].definition
            if child not in needed or definition is None or child == about.of:
                continue
            part = multiply(Slope(about.of, child), differentiate(definition, about.by).formula)
            total = part if total is None else add(total, part)
        return total

    # -- is it the rule? -----------------------------------------------------------------------------------

    def is_by_luck(self, about: About, formula: Formula) -> bool:
        """Whether a formula that is true here is not so elsewhere."""
        keep = self._kept(about, formula)
        if keep is None:
            return False
        for seed in (3, 4):
            world = self._elsewhere(keep, seed)
            wanted = [world.predicted(about)]
            if isinstance(about, Local):
                wanted.append(world.slope(about.child, about.parent, total=True))
            known = [w for w in wanted if w is not None and w == w]
            found = [world.at(formula, total=total).value for total in (False, True)]
            if known and not any(equal(x, w) for x in found if x == x for w in known):
                return True
        return False

    def _elsewhere(self, keep: frozenset[str], seed: int) -> World:
        """A network with other numbers; made once."""
        if (keep, seed) not in self._worlds:
            self._worlds[keep, seed] = elsewhere(self.graph, self.of, keep, seed)
        return self._worlds[keep, seed]

    def _kept(self, about: About, formula: Formula) -> frozenset[str] | None:
        """Given numbers that stay as they are when a formula is tried elsewhere: those it has as numbers, and those
        that are easily left unsaid (0, 1 and -1). None if it has other numbers, put in for what was computed."""
        used = numbers_in(formula)
        computed = {q.name for q in self.graph.quantities if q.computed}
        in_names = any(isinstance(node, Slope) or node.name in computed for node in postorder(formula)
                       if isinstance(node, (Slope, Ref)))  # fmt: skip
        if not in_names:
            return None
        own = self._numbers_of_rule(about)
        givens = {q.name: abs(q.given) for q in self.graph.quantities if isinstance(q.given, Fraction)}
        allowed = (
            own | {Fraction(0), Fraction(1)} | (set(givens.values()) if isinstance(about, Value) else set[Fraction]())
        )
        relevant = self._given_in_rule(about)
        allowed |= {givens[name] for name in relevant if name in givens}
        if not used - self._exponents(formula) <= allowed:
            return None
        return frozenset(name for name, size in givens.items() if size in used or size in (0, 1))

    def _exponents(self, formula: Formula) -> set[Fraction]:
        """The exponents of a formula that are no numbers put in: `(D - t)^4` is no square, whatever D is."""
        if any(
            isinstance(node, Apply) and node.operation.name == "^" and not isinstance(node.args[1], Num)
            for q in self.graph.quantities if q.definition is not None for node in postorder(q.definition)
        ):  # fmt: skip
            return set()
        powers = [n.args for n in postorder(formula) if isinstance(n, Apply) and n.operation.name == "^"]
        elsewhere = [node for node in postorder(formula) if isinstance(node, Num)]
        found = [power for _, power in powers if isinstance(power, Num)]
        return {power.value for power in found if sum(node.value == power.value for node in elsewhere) == sum(
            other.value == power.value for other in found)}  # fmt: skip

    def _numbers_of_rule(self, about: About) -> set[Fraction]:
        definition, by = self.rule(about)
        if definition is None:
            return set()
        if not by:
            return numbers_in(definition)
        return numbers_in(definition) | numbers_in(differentiate(definition, by).formula)

    def _given_in_rule(self, about: About) -> list[str]:
        definition, _ = self.rule(about)
        return [] if definition is None else [n for n in names(definition) if not self.graph[n].computed]

    # -- ways ----------------------------------------------------------------------------------------------

    def ways(self, about: Derivative, formula: Formula) -> tuple[list[str], list[str]]:
        """Through which children a formula follows what comes back, and which it leaves out."""
        needed = self.names.ancestors(about.of)
        children = [c for c in self.graph.children(about.by) if c in needed]
        slopes = {(node.of, node.by) for node in postorder(formula) if isinstance(node, Slope)}
        seen = [c for c in children if (c, about.by) in slopes or (about.of, c) in slopes]
        return seen, [c for c in children if c not in seen]
