"""Formulas on paper: trees whose leaves have a name and the number that somebody has for it.

    slope("L", "C1", 2) * local("C1", "B1", 1)        prints  dL/dC1 * dC1/dB1  or  2 * 1

A tree is evaluated at its own numbers, or at others (`at`), which tells whether two formulas are the same in general.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

Number = Fraction | float
Path = tuple[int, ...]


@dataclass(frozen=True)
class Leaf:
    """`value` of B1, `slope` dL/dB1 over all ways, `local` dC1/dB1, or a plain `number`. `bare`: always written as the
    number, also among names: the 3 of (D - 3)^2."""

    kind: Literal["value", "slope", "local", "number"]
    of: str
    by: str
    number: Number
    bare: bool = False


@dataclass(frozen=True)
class Op:
    """+ * / ^ neg, or the name of a function; `derivative` (u, x) and `prime` (u, x) are derivatives to be taken."""

    sign: str
    args: tuple[Tree, ...]


Tree = Leaf | Op


def num(number: Number | int) -> Leaf:
    return Leaf("number", "", "", number if isinstance(number, float) else Fraction(number), True)


def value(name: str, number: Number, *, bare: bool = False) -> Leaf:
    return Leaf("value", name, "", number, bare)


def slope(of: str, by: str, number: Number) -> Leaf:
    return Leaf("slope", of, by, number)


def local(of: str, by: str, number: Number) -> Leaf:
    return Leaf("local", of, by, number)


def add(*terms: Tree) -> Tree:
    flat = [t for term in terms for t in (term.args if isinstance(term, Op) and term.sign == "+" else (term,))]
    return flat[0] if len(flat) == 1 else Op("+", tuple(flat))


def times(*factors: Tree) -> Tree:
    flat = [
        f for factor in factors for f in (factor.args if isinstance(factor, Op) and factor.sign == "*" else (factor,))
    ]
    return flat[0] if len(flat) == 1 else Op("*", tuple(flat))


def over(above: Tree, below: Tree) -> Tree:
    return Op("/", (above, below))


def power(base: Tree, exponent: Tree | int) -> Tree:
    return Op("^", (base, num(exponent) if isinstance(exponent, int) else exponent))


def neg(tree: Tree) -> Tree:
    return Op("neg", (tree,))


def minus(left: Tree, right: Tree) -> Tree:
    return add(left, neg(right))


def call(name: str, *args: Tree) -> Tree:
    return Op(name, args)


# -- numbers ------------------------------------------------------------------------------------------------------


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


FUNCTIONS: dict[str, Callable[..., Number]] = {
    "sigmoid": sigmoid,
    "tanh": math.tanh,
    "exp": math.exp,
    "ln": math.log,
    "sin": math.sin,
    "cos": math.cos,
    "sqrt": math.sqrt,
    "abs": abs,
    "relu": lambda z: max(z, Fraction(0)),
    "max": max,
    "min": min,
}


def apply(sign: str, args: list[Number]) -> Number:
    match sign:
        case "+":
            return sum(args[1:], args[0])
        case "*":
            return math.prod(args[1:], start=args[0])
        case "neg":
            return -args[0]
        case "/":
            return args[0] / args[1]
        case "^":
            whole = isinstance(args[1], Fraction) and args[1].denominator == 1
            return args[0] ** int(args[1]) if whole else float(args[0]) ** float(args[1])
        case _:
            return FUNCTIONS[sign](*args)


def worth(tree: Tree, at: Callable[[Leaf], Number] | None = None, changed: dict[Path, Number] | None = None) -> Number:
    """The number of a tree: at its own numbers or at others, with some leaves changed."""

    if changed:
        return worth(replaced(tree, changed), at)
    if isinstance(tree, Leaf):
        return tree.number if at is None or tree.kind == "number" else at(tree)
    if tree.sign in ("derivative", "prime"):
        inside, by = tree.args
        assert isinstance(by, Leaf)
        taken = derivative(inside, by.of)
        return Fraction(0) if taken is None else worth(taken, at)
    return apply(tree.sign, [worth(arg, at) for arg in tree.args])


def replaced(tree: Tree, changed: dict[Path, Number], path: Path = ()) -> Tree:
    """The tree with other numbers at some leaves."""
    if isinstance(tree, Leaf):
        return replace(tree, number=changed[path]) if path in changed else tree
    return Op(tree.sign, tuple(replaced(arg, changed, (*path, n)) for n, arg in enumerate(tree.args)))


def leaves(tree: Tree) -> Iterator[Leaf]:
    if isinstance(tree, Leaf):
        yield tree
    else:
        for arg in tree.args:
            yield from leaves(arg)


def same(one: Number, other: Number) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return one == other


# -- derivatives --------------------------------------------------------------------------------------------------


def depends(tree: Tree, name: str) -> bool:
    return any(leaf.kind == "value" and leaf.of == name for leaf in leaves(tree))


def derivative(tree: Tree, name: str) -> Tree | None:
    """d(tree)/d(name) as one writes it, without factors 1 and terms 0; None for 0."""
    if isinstance(tree, Leaf):
        return num(1) if tree.kind == "value" and tree.of == name else None
    if not depends(tree, name):
        return None
    first, *rest = tree.args
    match tree.sign:
        case "+":
            parts = [d for arg in tree.args if (d := derivative(arg, name)) is not None]
            return add(*parts)
        case "neg":
            inner = derivative(first, name)
            return None if inner is None else neg(inner)
        case "*":
            terms: list[Tree] = []
            for n, arg in enumerate(tree.args):
                inner = derivative(arg, name)
                if inner is not None:
                    terms.append(product([*tree.args[:n], inner, *tree.args[n + 1 :]]))
            return add(*terms)
        case "/":
            above, below = derivative(first, name), derivative(rest[0], name)
            terms = []
            if above is not None:
                terms.append(over(above, rest[0]))
            if below is not None:
                terms.append(neg(over(product([first, below]), power(rest[0], 2))))
            return add(*terms)
        case "^":
            exponent = rest[0]
            assert isinstance(exponent, Leaf)
            inner = derivative(first, name)
            lower = exponent.number - 1
            base = first if lower == 1 else power(first, num(lower))
            return product([exponent, base, *([] if inner is None else [inner])])
        case _:
            return chained(tree, name)


def chained(tree: Op, name: str) -> Tree | None:
    parts: list[Tree] = []
    for n, arg in enumerate(tree.args):
        inner = derivative(arg, name)
        if inner is None:
            continue
        outer = outer_slope(tree, n)
        if outer is not None:
            parts.append(product([outer, inner]))
    return add(*parts) if parts else num(0)


def outer_slope(tree: Op, n: int) -> Tree | None:
    u = tree.args[n]
    match tree.sign:
        case "sigmoid":
            return times(tree, minus(num(1), tree))
        case "tanh":
            return minus(num(1), power(tree, 2))
        case "exp":
            return tree
        case "ln":
            return over(num(1), u)
        case "sin":
            return call("cos", u)
        case "cos":
            return neg(call("sin", u))
        case "sqrt":
            return over(num(1), times(num(2), tree))
        case "relu":
            return num(1 if worth(u) > 0 else 0)
        case "abs":
            return num(1 if worth(u) > 0 else -1)
        case "max" | "min":
            return num(1) if worth(tree) == worth(u) else None
        case _:
            raise NotImplementedError(tree.sign)


def product(factors: list[Tree]) -> Tree:
    """A product without factors 1."""
    kept = [f for f in factors if not (isinstance(f, Leaf) and f.kind == "number" and f.number == 1)]
    if not kept:
        return num(1)
    signs = sum(isinstance(f, Op) and f.sign == "neg" for f in kept)
    plain = [f.args[0] if isinstance(f, Op) and f.sign == "neg" else f for f in kept]
    whole = times(*(plain if signs else kept))
    return neg(whole) if signs % 2 else whole


def with_numbers(tree: Tree, number: Callable[[Leaf], Number]) -> Tree:
    """The same formula with the numbers somebody has."""
    if isinstance(tree, Leaf):
        return tree if tree.kind == "number" else replace(tree, number=number(tree))
    return Op(tree.sign, tuple(with_numbers(arg, number) for arg in tree.args))


def renamed(tree: Tree, names: Callable[[str], str]) -> Tree:
    if isinstance(tree, Leaf):
        return replace(tree, of=names(tree.of) if tree.of else "", by=names(tree.by) if tree.by else "")
    return Op(tree.sign, tuple(renamed(arg, names) for arg in tree.args))
