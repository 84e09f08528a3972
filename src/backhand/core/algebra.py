"""Formulas made by Backhand itself: local derivatives, values in symbols.

`make` applies an operation to formulas and leaves out what says nothing: a factor 1, a term 0, two
minus signs, arithmetic of two numbers. It does not rearrange, expand or factor. So a derivative
looks like the rule it came from: d/dD (D - t)^2 gives 2 (D - t).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from backhand.core.arithmetic import NoValue, TooLarge
from backhand.core.formula import Apply, Formula, Num, Ref, fold, grouped
from backhand.core.formula import unlimited as apply
from backhand.core.operations import ADD, DIVIDE, MULTIPLY, NEGATE, POWER, SUBTRACT, Operation
from backhand.numbers import Rounded

if TYPE_CHECKING:
    from backhand.core.formula import Params, Slope

ZERO, ONE = Num(Fraction(0)), Num(Fraction(1))


def formula_of(value: Formula | Fraction | float) -> Formula:
    """A number as a formula; a rounded one to twenty digits."""
    if isinstance(value, Formula):
        return value
    if isinstance(value, Rounded) and (decimal := value.decimal()).is_finite():
        return number(Fraction(decimal))
    return number(Fraction(value))


def number(value: Fraction) -> Formula:
    """A constant; negative ones as minus a number, as they are written."""
    return Num(value) if value >= 0 else apply(NEGATE, Num(-value))


def constant(formula: Formula) -> Fraction | None:
    """The number that a formula is, if it is just a number."""
    if isinstance(formula, Num):
        return formula.value
    if isinstance(formula, Apply) and formula.operation is NEGATE and isinstance(formula.args[0], Num):
        return -formula.args[0].value
    if isinstance(formula, Apply) and formula.operation is DIVIDE:
        above, below = formula.args
        if isinstance(above, Num) and isinstance(below, Num) and below.value:
            return above.value / below.value
    return None


def make(operation: Operation, args: list[Formula], params: Params = ()) -> Formula:
    """The operation on formulas, tidied."""
    numbers = [constant(arg) for arg in args]
    if all(n is not None for n in numbers) and args and operation.exact is not None:
        try:
            result = operation.exact(*numbers)
        except TooLarge:
            result = None
        if result is not None:
            return number(result)
    match operation.name:
        case "+":
            return add(args[0], args[1])
        case "-":
            return subtract(args[0], args[1])
        case "*":
            return multiply(args[0], args[1])
        case "/":
            return divide(args[0], args[1])
        case "neg":
            return negate(args[0])
        case "^":
            return power(args[0], args[1])
        case "@":
            return apply(operation, _below(args[0], "product"), _below(args[1], "factor"))
        case "transpose" | "index":
            return apply(operation, _below(args[0], "atom"), params=params)
        case _:
            return apply(operation, *args, params=params)


def add(left: Formula, right: Formula) -> Formula:
    if constant(left) == 0:
        return right
    if constant(right) == 0:
        return left
    if (inner := negated(right)) is not None:
        return subtract(left, inner)
    return apply(ADD, left, _below(right, "sum", right_side=True))


def subtract(left: Formula, right: Formula) -> Formula:
    if constant(right) == 0:
        return left
    if constant(left) == 0:
        return negate(right)
    if (inner := negated(right)) is not None:
        return add(left, inner)
    return apply(SUBTRACT, left, _below(right, "sum", right_side=True))


def multiply(left: Formula, right: Formula) -> Formula:
    one, other = constant(left), constant(right)
    if one == 0 or other == 0:
        return ZERO
    if one == 1:
        return right
    if other == 1:
        return left
    if one == -1:
        return negate(right)
    if other == -1:
        return negate(left)
    if (inner := negated(left)) is not None and one is None:
        return negate(multiply(inner, right))
    if (inner := negated(right)) is not None:
        return negate(multiply(left, inner))
    if other is not None and one is None:
        left, right = right, left
    if (joined := _join_number(left, right)) is not None:
        return joined
    if (quotient := _over_one(left, right)) is not None:
        return quotient
    return apply(MULTIPLY, _below(left, "product"), _below(right, "product", right_side=True), style="juxtaposed")


def _join_number(left: Formula, right: Formula) -> Formula | None:
    """2 (3 x) is 6 x."""
    one = constant(left)
    if one is None or not isinstance(right, Apply) or right.operation is not MULTIPLY:
        return None
    inner = constant(right.args[0])
    return None if inner is None else multiply(number(one * inner), _bare(right.args[1]))


def _over_one(left: Formula, right: Formula) -> Formula | None:
    """Of a (1/b), a/b."""
    for one, other in ((left, right), (right, left)):
        if not isinstance(other, Apply) or other.operation is not DIVIDE or constant(other) is not None:
            continue
        if constant(other.args[0]) == 1:
            return divide(one, _bare(other.args[1]))
    return None


def divide(above: Formula, below: Formula) -> Formula:
    if constant(below) == 0:
        raise NoValue("a quotient by 0 is not defined")
    if constant(above) == 0:
        return ZERO
    if constant(below) == 1:
        return above
    if (inner := negated(above)) is not None:
        return negate(divide(inner, below))
    return apply(DIVIDE, _below(above, "product"), _below(below, "factor"))


def negate(inside: Formula) -> Formula:
    if constant(inside) == 0:
        return ZERO
    if (inner := negated(inside)) is not None:
        return inner
    return apply(NEGATE, _below(inside, "product"))


def negated(formula: Formula) -> Formula | None:
    """What stands behind a leading minus."""
    if isinstance(formula, Apply) and formula.operation is NEGATE:
        return _bare(formula.args[0])
    return None


def power(base: Formula, exponent: Formula) -> Formula:
    if constant(exponent) == 0:
        return ONE
    if constant(exponent) == 1:
        return base
    return apply(POWER, _below(base, "atom"), _below(exponent, "exponent"))


def _bare(formula: Formula) -> Formula:
    """Without parentheses around it."""
    match formula:
        case Apply():
            return Apply(
                formula.operation, formula.args, formula.style, False, formula.span, formula.depth, formula.params
            )
        case Num():
            return Num(formula.value, formula.text, False, formula.span)
        case Ref():
            return Ref(formula.name, False, formula.span)
        case _:
            return formula


RANK = {"+": 1, "-": 1, "*": 2, "/": 2, "@": 2, "neg": 1, "^": 3}
NEEDED = {"sum": 1, "product": 2, "factor": 3, "exponent": 3, "atom": 4}


def _below(formula: Formula, place: str, *, right_side: bool = False) -> Formula:
    """The formula with the parentheses it needs in that place, and no others."""
    if not isinstance(formula, Apply):
        return formula
    rank = RANK.get(formula.operation.name, 5) if formula.args else 5
    needed = NEEDED[place] + (1 if right_side and place in ("sum", "product") else 0)
    if right_side and place == "product" and formula.operation is MULTIPLY:
        return (
            _bare(formula)
            if formula.style == "juxtaposed" and not _begins_with_matrix_product(formula)
            else grouped(formula)
        )
    return grouped(formula) if rank < needed else _bare(formula)


def _begins_with_matrix_product(formula: Formula) -> bool:
    """A @ B c: behind another factor it needs its parentheses."""
    while isinstance(formula, Apply) and not formula.parens and formula.operation.name in ("*", "/", "@"):
        if formula.operation.name == "@":
            return True
        formula = formula.args[0]
    return False


def substitute(formula: Formula, replacements: dict[str, Formula]) -> Formula:
    """Other formulas for names, tidied on the way."""

    def leaf(node: Num | Ref | Slope) -> Formula:
        return replacements.get(node.name, node) if isinstance(node, Ref) else node

    def combine(node: Apply, args: list[Formula]) -> Formula:
        return make(node.operation, args, node.params)

    return fold(formula, leaf, combine)
