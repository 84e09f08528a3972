"""Dual numbers: a value and its rate of change, carried through a formula together.

The second method that must agree with the backward pass. It goes the other way (from the leaves to
the root, no products of upstream and local), and shares only the table of operations with it.
"""

from __future__ import annotations

from collections.abc import Mapping

from backhand.core import evaluate as ev
from backhand.core.evaluate import Value
from backhand.core.formula import Apply, Formula, Num, Ref, postorder
from backhand.core.operations import ADD, MULTIPLY
from backhand.core.rules import ZERO, Rules


def dual(formula: Formula, values: Mapping[str, Value], rates: Mapping[str, Value], rules: Rules) -> Value:
    """The rate of change of a formula.

    >>> from fractions import Fraction as F
    >>> from backhand.core.notation import formula
    >>> from backhand.core.rules import CALCULUS
    >>> dual(formula("x^2 y"), {"x": F(3), "y": F(2)}, {"x": F(1), "y": F(0)}, CALCULUS)
    Fraction(12, 1)
    """
    done: list[tuple[Value, Value]] = []
    for node in postorder(formula):
        match node:
            case Apply():
                count = len(node.args)
                args = done[len(done) - count :]
                del done[len(done) - count :]
                worth = [value for value, _ in args]
                result = ev.apply_operation(node.operation, worth)
                rate: Value = ZERO
                for position, (_, moving) in enumerate(args):
                    if moving is ZERO:
                        continue
                    partial = rules.local(node.operation, position, worth, result, ev.quiet)
                    step = ev.apply_operation(MULTIPLY, [partial, moving])
                    rate = step if rate is ZERO else ev.apply_operation(ADD, [rate, step])
                done.append((result, rate))
            case Ref():
                done.append((values[node.name], rates[node.name]))
            case Num():
                done.append((node.value, ZERO))
            case _:
                raise AssertionError(node)
    return done[0][1]
