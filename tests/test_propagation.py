"""Backward, forward mode and the sum over all paths are three ways to one number. On random networks they agree."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from fractions import Fraction

import pytest
from random_graphs import EXACT, SMOOTH, random_graph

import backhand
from backhand.core.evaluate import Value
from backhand.core.formula import Apply, Num, Ref, postorder
from backhand.core.graph import Graph
from backhand.core.paths import count_paths, paths
from backhand.core.propagate import Propagation, propagate, tangents
from backhand.core.rules import CALCULUS
from backhand.errors import BackhandError, LimitError
from backhand.numbers import as_float

NIGHTLY = bool(os.environ.get("BACKHAND_NIGHTLY"))
GRAPHS, PORTIONS = (1_000_000, 100) if NIGHTLY else (10_000, 10)


@pytest.mark.parametrize("portion", range(PORTIONS))
def test_three_methods_agree_exactly(portion: int) -> None:
    """Exact fractions: no tolerance anywhere."""
    size = GRAPHS // PORTIONS
    compared = 0
    for seed in range(portion * size, (portion + 1) * size):
        graph = random_graph(seed)
        try:
            found = propagate(graph)
        except LimitError:  # squares of squares, one network in 50,000
            continue
        except BackhandError as error:
            raise AssertionError(f"seed {seed}") from error
        compared += agree(found, seed)
    assert compared > size


def agree(found: Propagation, seed: int) -> int:
    """Backward against forward mode and the path sum, by every input; how many numbers were compared."""
    graph, compared = found.graph, 0
    end = graph.index[found.of]
    for quantity in graph.quantities:
        if quantity.computed or not found.needs(quantity.name):
            continue
        backward = found.derivative(quantity.name)
        if not isinstance(backward, Fraction):
            continue
        forward = tangents(graph, found.values, {quantity.name: Fraction(1)})[end]
        assert backward == forward, f"seed {seed}: {quantity.name}"
        assert backward == path_sum(found, quantity.name), f"seed {seed}: {quantity.name}"
        compared += 1
    return compared


def path_sum(found: Propagation, start: str) -> Value:
    """The sum over all ways of the products of local derivatives, by walking every way (few here) or in one sweep."""
    if count_paths(found.graph, start, found.of) > 2000:
        return paths(found, start, found.of, most=0).total
    total = Fraction(0)
    stack: list[tuple[str, Fraction]] = [(start, Fraction(1))]
    while stack:
        name, product = stack.pop()
        if name == found.of:
            total += product
            continue
        for child in found.graph.children(name):
            if found.needs(child):
                local = found.local(child, name)
                assert isinstance(local, Fraction)
                stack.append((child, product * local))
    return total


@pytest.mark.parametrize("seed", range(300))
def test_floats_agree_with_exact_numbers_and_generated_code_with_the_general_way(seed: int) -> None:
    graph = random_graph(seed, EXACT if seed % 2 else SMOOTH, 16)
    exact = propagate(graph)
    fast = propagate(graph, numbers="float")
    general = propagate(graph, replace(CALCULUS, name="calculus again"), numbers="float")
    for quantity in graph.quantities:
        for one in (fast, general):
            assert close(one.value(quantity.name), exact.value(quantity.name))
            assert close(one.derivative(quantity.name), exact.derivative(quantity.name))


def close(one: Value, other: Value) -> bool:
    assert isinstance(one, (Fraction, float)) and isinstance(other, (Fraction, float))
    a, b = as_float(one), as_float(other)
    return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize("seed", range(200))
def test_derivatives_agree_with_exact_difference_quotients(seed: int) -> None:
    """(f(x + h) - f(x - h)) / 2h with h = 10^-30 and fractions: no derivative rule is used, and nothing is rounded."""
    graph = random_graph(seed, ["+", "-", "*", "neg", "/", "^"], 14)
    found = propagate(graph)
    step = Fraction(1, 10**30)
    for quantity in graph.quantities:
        if quantity.computed or not found.needs(quantity.name):
            continue
        ends = [moved(graph, found.of, quantity.name, sign * step) for sign in (1, -1)]
        quotient = (ends[0] - ends[1]) / (2 * step)
        derivative = found.derivative(quantity.name)
        assert isinstance(derivative, Fraction)
        assert abs(quotient - derivative) <= Fraction(1, 10**20) * (1 + abs(derivative))


def moved(graph: Graph, of: str, name: str, by: Fraction) -> Fraction:
    """The output with one input moved, by an evaluator of this test's own."""
    values: dict[str, Fraction] = {}
    for quantity in graph.quantities:
        if not quantity.computed:
            assert isinstance(quantity.given, Fraction)
            values[quantity.name] = quantity.given + (by if quantity.name == name else 0)
            continue
        assert quantity.definition is not None
        stack: list[Fraction] = []
        for node in postorder(quantity.definition):
            match node:
                case Num():
                    stack.append(node.value)
                case Ref():
                    stack.append(values[node.name])
                case Apply() if node.operation.name == "neg":
                    stack.append(-stack.pop())
                case Apply():
                    right, left = stack.pop(), stack.pop()
                    match node.operation.name:
                        case "+":
                            stack.append(left + right)
                        case "-":
                            stack.append(left - right)
                        case "*":
                            stack.append(left * right)
                        case "/":
                            stack.append(left / right)
                        case "^":
                            stack.append(left**right.numerator)
                        case other:
                            raise AssertionError(other)
                case _:
                    raise AssertionError(node)
        values[quantity.name] = stack[0]
    return values[of]


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(40))
def test_derivatives_agree_with_sympy(seed: int) -> None:
    sympy = pytest.importorskip("sympy")
    graph = random_graph(seed, ["+", "*", "-", "tanh", "sin", "cos", "sigmoid", "^"], 8)
    found = propagate(graph)
    symbols = {q.name: sympy.Symbol(q.name) for q in graph.quantities if not q.computed}
    known = dict(symbols)
    point = {
        symbols[q.name]: sympy.Rational(q.given.numerator, q.given.denominator)
        for q in graph.quantities
        if isinstance(q.given, Fraction)
    }
    for quantity in graph.quantities:
        if quantity.computed:
            assert quantity.definition is not None
            known[quantity.name] = as_sympy(sympy, quantity.definition, known)
    for name, symbol in symbols.items():
        expected = float(sympy.diff(known[found.of], symbol).evalf(30, subs=point))
        derivative = found.derivative(name)
        assert isinstance(derivative, (Fraction, float))
        assert math.isclose(as_float(derivative), expected, rel_tol=1e-8, abs_tol=1e-9)


def as_sympy(sympy, formula, known):  # type: ignore[no-untyped-def]
    stack = []
    for node in postorder(formula):
        if isinstance(node, Num):
            stack.append(sympy.Rational(node.value.numerator, node.value.denominator))
        elif isinstance(node, Ref):
            stack.append(known[node.name])
        else:
            args = [stack.pop() for _ in node.args][::-1]
            name = node.operation.name
            sigmoid = lambda u: 1 / (1 + sympy.exp(-u))  # noqa: E731
            infix = {
                "sigmoid": sigmoid,
                "+": lambda a, b: a + b,
                "-": lambda a, b: a - b,
                "*": lambda a, b: a * b,
                "^": lambda a, b: a**b,
            }
            stack.append(infix[name](*args) if name in infix else getattr(sympy, name)(*args))
    return stack[0]


# -- one occurrence is one edge; one name is one quantity --------------------------------------------------------


@pytest.mark.parametrize(
    ("net", "of", "by", "derivative"),
    [
        ("a = 3\nL = a + a", "L", "a", 2),
        ("a = 3\nL = a a", "L", "a", 6),
        ("a = 3\nL = a^a", "L", "a", None),
        ("a = 3\nb = a\nc = b\nL = b c", "L", "a", 6),
        ("x = 2\ny = x^2\nL = x y", "L", "x", 12),
        ("x = 2\ny = 3\nL = x", "L", "y", 0),
        ("c = 2\nc = c^2\nc = c + 1\nL = c^2", "L", "c#1", 40),
    ],
)
def test_shared_and_repeated_names(net: str, of: str, by: str, derivative: int | None) -> None:
    found = backhand.solve(backhand.read(net), of=of).derivative(by)
    if derivative is None:
        assert isinstance(found, float) and math.isclose(found, 27 * (math.log(3) + 1))
    else:
        assert found == derivative


def test_a_chain_of_a_hundred_thousand_quantities_needs_no_recursion() -> None:
    net = backhand.Net().input(x=1).weight(w="0.999999")
    name = "x"
    for n in range(100_000):
        net.let(f"h{n}", net["w"] * net[name])
        name = f"h{n}"
    found = propagate(net.graph(), numbers="float")
    value = found.derivative("x")
    assert isinstance(value, float) and math.isclose(value, 0.999999**100_000, rel_tol=1e-6)


def test_half_a_million_ways_are_counted_and_the_largest_listed() -> None:
    """A net of 20 layers of 2: 2^19 ways from the first unit to the output, and the derivative all the same."""
    lines = ["x = 1", "h0_0 = x", "h0_1 = 2 x"]
    for layer in range(1, 20):
        lines += [f"h{layer}_0 = h{layer - 1}_0 + h{layer - 1}_1", f"h{layer}_1 = 2 h{layer - 1}_0 + h{layer - 1}_1"]
    lines += ["L = h19_0 + h19_1"]
    found = propagate(backhand.read("\n".join(lines)))
    ways = paths(found, "x", "L")
    assert ways.count == 2**20
    assert not ways.complete
    assert len(ways.listed) == 64
    assert ways.total == found.derivative("x")
    largest = max(path.product for path in ways.listed)  # type: ignore[type-var]
    assert largest == max_product(found, "x")


def max_product(found: Propagation, start: str) -> Value:
    """The largest product along any way, by a sweep from the output."""
    best: dict[str, Fraction] = {found.of: Fraction(1)}
    for quantity in reversed(found.graph.quantities):
        products = [
            local * best[child]
            for child in found.graph.children(quantity.name)
            if isinstance(local := found.local(child, quantity.name), Fraction)
        ]
        if products:
            best[quantity.name] = max(products)
    return best[start]
