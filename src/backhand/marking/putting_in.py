"""Numbers put in for names: which number stands for which name, and where one is wrong.

    w[B1,C1] B1 + w[B2,C1] B2
        (1)(3)  +   (-1)(1)          -1 stands for w[B2,C1], which is -2

Both sides are taken as summands of factors (`worlds.shape`). Summands that are the same go out, then factors; what is
left, one against one, is the slip. Where the shapes do not match nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from backhand.core.differentiate import differentiate
from backhand.core.formula import Apply, Formula, Num, Ref, Slope
from backhand.core.graph import Graph
from backhand.marking.replay import Terms
from backhand.marking.sheet import Amount
from backhand.marking.worlds import Rounding, World, equal, shape


class Slip(NamedTuple):
    """One number put in for another: what stands for the given number or quantity `name`."""

    name: str
    said: Amount
    meant: Amount
    given: bool


class PuttingIn:
    """Compares numbers with the names they stand for."""

    def __init__(self, graph: Graph, of: str, truth: World, rounding: Rounding) -> None:
        self.graph = graph
        self.of = of
        self.truth = truth
        self.rounding = rounding

    def terms(self, written: Formula) -> Terms | None:
        """A formula of numbers as summands of factors; None if a factor has no value."""
        found: list[tuple[Amount, ...]] = []
        for sign, factors in shape(written).summands:
            values = [self.truth.at(factor).value for factor in factors]
            if any(v != v for v in values):
                return None
            found.append((-1, *values) if sign < 0 else tuple(values))
        return tuple(found)

    def compared(self, reference: Formula, written: Formula, world: World) -> list[Slip] | None:
        """Where the numbers differ from the names they stand for; None if the two have another shape."""
        mine, theirs = shape(reference).summands, shape(written).summands
        if len(mine) != len(theirs):
            return None
        slips: list[Slip] = []
        rest = [
            (term, self._sizes(term[1], self.truth, self.rounding), self._total(*term, self.truth)) for term in theirs
        ]
        later: list[tuple[int, tuple[Formula, ...]]] = []
        for sign, factors in mine:
            sizes, value = self._sizes(factors, world, None), self._total(sign, factors, world)
            same = next((other for other in rest if _same_term(value, sizes, other[2], other[1])), None)
            if same is not None:
                rest.remove(same)
            else:
                later.append((sign, factors))
        for (sign, factors), ((other_sign, other), *_) in zip(later, rest, strict=True):
            found = self._factors(sign, factors, other_sign, other, world)
            if found is None:
                return None
            slips += found
        return slips

    def _total(self, sign: int, factors: Sequence[Formula], world: World) -> Amount:
        total: Amount = sign
        for factor in factors:
            total = total * world.at(factor).value
        return total

    def _sizes(self, factors: Sequence[Formula], world: World, rounding: Rounding | None) -> list[float]:
        """The sizes of factors in order; a 1 is no matter."""
        return sorted(x for f in factors if (x := abs(float(world.at(f, rounding).value))) != 1)

    def _factors(
        self, sign: int, factors: Sequence[Formula], other_sign: int, written: Sequence[Formula], world: World
    ) -> list[Slip] | None:
        """One summand against another: factors that are the same go out, one of each may be left."""
        mine = [(f, world.at(f).value) for f in factors]
        theirs = [(f, self.truth.at(f, self.rounding).value) for f in written]
        for factor, value in list(mine):
            match = next((t for t in theirs if equal(t[1], value)), None)
            if match is not None:
                mine.remove((factor, value))
                theirs.remove(match)
        mine = [m for m in mine if not (isinstance(m[0], Num) and m[1] == 1)]
        if sign != other_sign:
            return None
        if len(mine) != 1 or len(theirs) > 1:
            return None
        factor, meant = mine[0]
        if not theirs:
            return self._leaf(factor, 1, meant) if len(written) < len(factors) else None
        other, said = theirs[0]
        if isinstance(factor, Apply) and isinstance(other, Apply):
            return self._inside(factor, other, world)
        return self._leaf(factor, said, meant)

    def _inside(self, factor: Apply, other: Apply, world: World) -> list[Slip] | None:
        if factor.operation.name in ("+", "-") and other.operation.name in ("+", "-"):
            return self.compared(factor, other, world)
        if factor.operation is not other.operation or len(factor.args) != len(other.args):
            return None
        slips: list[Slip] = []
        for one, written in zip(factor.args, other.args, strict=True):
            if isinstance(one, Num) and isinstance(written, Num) and one.value == written.value:
                continue
            found = self.compared(one, written, world)
            if found is None:
                return None
            slips += found
        return slips

    def _leaf(self, factor: Formula, said: Amount, meant: Amount) -> list[Slip] | None:
        match factor:
            case Ref() if factor.name in self.graph.index:
                return [Slip(factor.name, said, meant, not self.graph[factor.name].computed)]
            case Slope():
                weight = self._weight_behind(factor)
                if weight is not None:
                    return [Slip(weight, said, meant, True)]
                return [Slip(f"d{factor.of}/d{factor.by}", said, meant, False)]
            case _:
                return None

    def _weight_behind(self, slope: Slope) -> str | None:
        """The weight that a local derivative is, where it is just one."""
        definition = self.graph[slope.of].definition
        if definition is None or slope.of == self.of or slope.by not in self.graph.parents(slope.of):
            return None
        local = differentiate(definition, slope.by).formula
        return local.name if isinstance(local, Ref) and not self.graph[local.name].computed else None


def _same_term(value: Amount, mine: Sequence[float], total: Amount, theirs: Sequence[float]) -> bool:
    """Whether two summands have the same factors and are the same number, rounded or not."""
    if len(mine) != len(theirs):
        return False
    near = all(
        abs(a - b) <= 1e-9 + 0.02 * abs(a) * (not equal(a, b)) * (b % 1 != 0) for a, b in zip(mine, theirs, strict=True)
    )
    return near and (equal(total, value) or abs(float(total) - float(value)) <= 0.03 * abs(float(value)))


def lost_power(reference: Formula, written: Formula) -> tuple[Formula, Formula] | None:
    """The base as written and the exponent that was lost, where that is all that differs."""
    if isinstance(reference, Apply) and reference.operation.name == "^" and isinstance(reference.args[1], Num):
        if reference.args[1].value.denominator != 1 or not 2 <= reference.args[1].value <= 9:
            return None
        if isinstance(written, Apply) and written.operation.name == "^":
            return None
        base = reference.args[0]
        if not isinstance(written, Apply):
            return None
        same = isinstance(base, Apply) and base.operation is written.operation
        return (written, reference.args[1]) if same else None
    if isinstance(reference, Apply) and isinstance(written, Apply) and reference.operation is written.operation:
        if len(reference.args) != len(written.args):
            return None
        found = [lost_power(a, b) for a, b in zip(reference.args, written.args, strict=True)]
        kept = [f for f in found if f is not None]
        return kept[0] if len(kept) == 1 else None
    return None
