"""Shorter formulas for networks in symbols, by SymPy (the extra `symbols`).

Backhand's own formulas follow the rules they came from and are not rearranged. `tidied` lets SymPy
simplify the final values and derivatives. Only formulas that Backhand built go in, node by node, and
come back node by node; no text is ever handed over to be evaluated.
"""

from __future__ import annotations

from fractions import Fraction
from importlib import import_module
from typing import Any

from backhand.core import algebra
from backhand.core.evaluate import Value
from backhand.core.formula import Apply, Formula, Num, Ref, Slope, apply, fold, size
from backhand.core.operations import INFIX, OPERATIONS
from backhand.core.propagate import Propagation
from backhand.errors import UsageError
from backhand.solving.solution import Solution

LARGEST = 120
"""Operations of a formula that SymPy is asked to simplify; past it simplifying takes minutes."""

NAMES = {"ln": "log", "abs": "Abs", "max": "Max", "min": "Min", "e": "E"}
"""Where SymPy's name for an operation differs."""


def tidied(solution: Solution) -> Solution:
    """The solution with its formulas in symbols simplified. Raises UsageError where SymPy is not installed."""
    try:
        sympy = import_module("sympy")
    except ImportError:
        raise UsageError("Tidying formulas needs SymPy.", cure="Install it: pip install 'backhand[symbols]'.") from None
    old = solution.propagation
    new = Propagation(
        old.graph, old.rules, old.of,
        [old.graph.spelled(_tidy(sympy, value)) for value in old.values],
        [None if value is None else old.graph.spelled(_tidy(sympy, value)) for value in old.adjoints],
        old.notices,
    )  # fmt: skip
    return Solution(
        solution.graph, new, solution.of, solution.wrt, solution.checks, solution.pairs, solution.paths, solution.title,
        code=solution.code,
    )  # fmt: skip


def _tidy(sympy: Any, value: Value) -> Value:
    """A shorter formula, or the same one."""
    if not isinstance(value, Formula) or not 1 < size(value) <= LARGEST:
        return value
    symbols: dict[str, Any] = {}
    back = from_sympy(sympy, sympy.simplify(to_sympy(sympy, value, symbols)), {s: n for n, s in symbols.items()})
    return back if back is not None and size(back) < size(value) else value


def to_sympy(sympy: Any, formula: Formula, symbols: dict[str, Any]) -> Any:
    """The formula as SymPy's tree; `symbols` collects the symbol of each name."""

    def leaf(node: Num | Ref | Slope) -> Any:
        if isinstance(node, Num):
            return sympy.Rational(node.value.numerator, node.value.denominator)
        name = node.name if isinstance(node, Ref) else f"d{node.of}/d{node.by}"
        return symbols.setdefault(name, sympy.Symbol(name, real=True))

    def combine(node: Apply, args: list[Any]) -> Any:
        name = node.operation.name
        match name:
            case "+":
                return args[0] + args[1]
            case "-":
                return args[0] - args[1]
            case "*":
                return args[0] * args[1]
            case "/":
                return args[0] / args[1]
            case "^":
                return args[0] ** args[1]
            case "neg":
                return -args[0]
            case "e" | "pi":
                return getattr(sympy, NAMES.get(name, name))
            case _:
                known = getattr(sympy, NAMES.get(name, name), None) if name not in ("step", "sigmoid") else None
                return known(*args) if known is not None else sympy.Function(name, real=True)(*args)

    return fold(formula, leaf, combine)


def from_sympy(sympy: Any, expression: Any, names: dict[Any, str]) -> Formula | None:
    """SymPy's tree as a formula; None where it has something the table has not."""
    made: list[Formula | None] = []
    for node in sympy.postorder_traversal(expression):
        count = len(node.args)
        args = made[len(made) - count :] if count else []
        if count:
            del made[len(made) - count :]
        made.append(None if any(arg is None for arg in args) else _node(sympy, node, [a for a in args if a], names))
    return made[0]


def _node(sympy: Any, node: Any, args: list[Formula], names: dict[Any, str]) -> Formula | None:
    if node.is_Rational:
        return algebra.number(Fraction(int(node.p), int(node.q)))
    if node.is_Symbol:
        return _named(names[node])
    if node.is_Add:
        return _folded(algebra.add, sorted(args, key=lambda arg: algebra.negated(arg) is not None))
    if node.is_Mul:
        return _quotient(sympy, node, args)
    if node.is_Pow:
        return algebra.power(args[0], args[1])
    if node is sympy.E or node is sympy.pi:
        return apply(OPERATIONS["e" if node is sympy.E else "pi", 0])
    name = {"log": "ln", "Abs": "abs", "Max": "max", "Min": "min"}.get(type(node).__name__, type(node).__name__)
    row = OPERATIONS.get((name, len(args)))
    return None if row is None or name in INFIX else apply(row, *args)


def _named(name: str) -> Formula:
    if "/d" in name and name.startswith("d"):
        of, _, by = name.partition("/d")
        return Slope(of[1:], by)
    return Ref(name)


def _quotient(sympy: Any, node: Any, args: list[Formula]) -> Formula:
    """A product; factors with a negative exponent go below."""
    above: list[Formula] = []
    below: list[Formula] = []
    for factor, arg in zip(node.args, args, strict=True):
        if factor.is_Pow and factor.exp.is_Rational and factor.exp < 0 and isinstance(arg, Apply):
            exponent = algebra.number(-Fraction(int(factor.exp.p), int(factor.exp.q)))
            below.append(algebra.power(arg.args[0], exponent))
        else:
            above.append(arg)
    top = _folded(algebra.multiply, above) if above else algebra.ONE
    return algebra.divide(top, _folded(algebra.multiply, below)) if below else top


def _folded(join: Any, parts: list[Formula]) -> Formula:
    total = parts[0]
    for part in parts[1:]:
        total = join(total, part)
    return total
