"""Every value and derivative of a network, to 120 digits or exactly, by dual numbers: a value and its rate of change.

World(graph)            the network's formulas, and a number for every symbol without a value
world.value("L")        1
world.total("L", "B1")  the derivative of L by B1: seed B1 with 1 and go forward
world.local("C1", "B1") only the B1 in the formula of C1 moves
"""

from __future__ import annotations

import random
from fractions import Fraction
from functools import cached_property

from backhand.core.formula import Apply, Formula, Num, Ref, postorder
from backhand.core.graph import Graph
from seen import amounts
from seen.amounts import CONSTANTS, FUNCTIONS, ONE, ZERO, Amount, Interval, Point, add, call, multiply, negate, real
from seen.reading import SPELLINGS, Tree

DUAL = tuple[Point, Point]


class World:
    """One network at one point."""

    def __init__(self, graph: Graph) -> None:
        self.formulas: dict[str, Tree] = {}
        self.values: dict[str, Point] = {}
        self.unknown: set[str] = set()
        draw = random.Random(len(graph.quantities))
        for quantity in graph.quantities:
            if quantity.computed:
                assert quantity.definition is not None
                self.formulas[quantity.name] = tree(quantity.definition)
                self.values[quantity.name] = self.amount(self.formulas[quantity.name])
            elif quantity.symbolic:
                self.unknown.add(quantity.name)
                self.values[quantity.name] = Fraction(draw.randint(101, 199), 173)
            else:
                assert isinstance(quantity.given, Fraction | int)
                self.values[quantity.name] = Fraction(quantity.given)
        self._totals: dict[str, dict[str, Point]] = {}
        self._locals: dict[tuple[str, str], Point] = {}

    @cached_property
    def names(self) -> list[str]:
        return list(self.values)

    def value(self, name: str) -> Point:
        return self.values[name]

    def total(self, of: str, by: str) -> Point:
        """The derivative with everything moving along."""
        if by not in self._totals:
            rates = {name: ONE if name == by else ZERO for name in self.values}
            for name, formula in self.formulas.items():
                if name != by and moves(formula, rates):
                    rates[name] = self.dual(formula, rates)[1]
            self._totals[by] = rates
        return self._totals[by][of]

    def local(self, of: str, by: str) -> Point:
        """The derivative of one formula, all other names held fixed."""
        if (of, by) not in self._locals:
            self._locals[of, by] = self.rate(self.formulas[of], by)
        return self._locals[of, by]

    def rate(self, formula: Tree, by: str) -> Point:
        return self.dual(formula, {by: ONE})[1]

    # -- values ---------------------------------------------------------------------------------------------

    def amount(self, tree: Tree, rounded: int = 0) -> Amount:
        """What a tree is worth. A number that shows `rounded` digits or more is all that rounds to it."""
        match tree:
            case ("num", value, half, digits):
                return Interval(value - half, value + half) if rounded and digits >= rounded else value
            case ("name", name):
                return self.values[name]
            case ("constant", name):
                return CONSTANTS[name]
            case ("slope", of, by, "d"):
                return self.total(of, by)
            case ("slope", of, by, _):
                return self.local(of, by)
            case ("diff", by, inner):
                return self.rate(inner, by)
            case ("neg", inner):
                return negate(self.amount(inner, rounded))
            case ("call", name, *args):
                return call(name, *(self.amount(arg, rounded) for arg in args))
            case (operator, one, other):
                return OPERATORS[operator](self.amount(one, rounded), self.amount(other, rounded))
        raise AssertionError(tree)

    # -- rates of change ------------------------------------------------------------------------------------

    def dual(self, tree: Tree, rates: dict[str, Point]) -> DUAL:
        """A value and how fast it moves when the names move at these rates."""
        match tree:
            case ("name", name):
                return self.values[name], rates.get(name, ZERO)
            case ("neg", inner):
                value, rate = self.dual(inner, rates)
                return negate(value), negate(rate)
            case ("call", name, *args):
                return self._called(name, [self.dual(arg, rates) for arg in args])
            case ("+" | "-" | "*" | "/" | "^" as operator, one, other):
                return MOVING[operator](self.dual(one, rates), self.dual(other, rates))
            case _:
                return self.amount(tree), ZERO

    def _called(self, name: str, args: list[DUAL]) -> DUAL:
        values = [value for value, _ in args]
        value = call(name, *values)
        if all(rate == 0 for _, rate in args):
            return value, ZERO
        total: Point = ZERO
        for slope, (_, rate) in zip(FUNCTIONS[name].slopes(*values, value), args, strict=False):
            total = add(total, multiply(slope, rate))
        return value, total


OPERATORS = {"+": add, "-": amounts.subtract, "*": multiply, "/": amounts.divide, "^": amounts.power}


def _product(one: DUAL, other: DUAL) -> DUAL:
    (u, du), (v, dv) = one, other
    return multiply(u, v), add(multiply(du, v), multiply(u, dv))


def _quotient(one: DUAL, other: DUAL) -> DUAL:
    (u, du), (v, dv) = one, other
    return amounts.divide(u, v), amounts.divide(amounts.subtract(multiply(du, v), multiply(u, dv)), multiply(v, v))


def _power(one: DUAL, other: DUAL) -> DUAL:
    (u, du), (v, dv) = one, other
    value, rate = amounts.power(u, v), ZERO
    if du != 0 and v != 0:
        rate = multiply(multiply(v, amounts.power(u, amounts.subtract(v, ONE))), du)
    if dv != 0:
        rate = add(rate, multiply(multiply(value, call("ln", u)), dv))
    return value, rate


MOVING = {
    "+": lambda one, other: (add(one[0], other[0]), add(one[1], other[1])),
    "-": lambda one, other: (amounts.subtract(one[0], other[0]), amounts.subtract(one[1], other[1])),
    "*": _product,
    "/": _quotient,
    "^": _power,
}


def moves(formula: Tree, rates: dict[str, Point]) -> bool:
    """Whether a name in the formula moves."""
    if formula[0] == "name":
        return bool(rates[formula[1]] != 0)
    return any(moves(part, rates) for part in formula if isinstance(part, tuple))


def tree(formula: Formula) -> Tree:
    """A formula of the graph as a tree of ours."""
    done: list[Tree] = []
    for node in postorder(formula):
        match node:
            case Num():
                done.append(("num", node.value, ZERO, 0))
            case Ref():
                done.append(("name", node.name))
            case Apply():
                count = len(node.args)
                args = done[len(done) - count :]
                del done[len(done) - count :]
                done.append(_applied(node.operation.name, args))
    return done[0]


def _applied(name: str, args: list[Tree]) -> Tree:
    if not args:
        return ("constant", name)
    if name == "neg" or name in OPERATORS:
        return (name, *args)
    return ("call", SPELLINGS.get(name, name), *args)


def close(one: Point, other: Point, relative: str = "1e-25") -> bool:
    """Equal: exactly where both are fractions, otherwise to twenty-five digits."""
    if isinstance(one, Fraction) and isinstance(other, Fraction):
        return one == other
    a, b = real(one), real(other)
    return bool(abs(a - b) <= real(Fraction(relative)) * max(abs(a), abs(b)) + real(Fraction(1, 10**45)))
