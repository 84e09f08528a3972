"""Random networks for property tests, made from a seed alone."""

from __future__ import annotations

import random
from fractions import Fraction

from backhand.core.formula import Formula, Num, Ref, apply
from backhand.core.graph import Graph, Quantity
from backhand.core.operations import OPERATIONS

EXACT = ["+", "-", "*", "+", "*", "neg", "/", "^", "abs", "relu", "max", "min"]
SMOOTH = ["+", "-", "*", "tanh", "sigmoid", "sin", "cos", "exp", "softplus", "silu", "gelu", "elu", "atan"]


def random_graph(seed: int, operations: list[str] = EXACT, most: int = 20) -> Graph:
    """A network of 2 to `most` quantities, with shared parents, repeated names, constants and unused quantities."""
    draw = random.Random(seed)
    inputs = draw.randint(1, 4)
    quantities = [Quantity(f"x{n}", "input", None, number(draw)) for n in range(inputs)]
    for n in range(draw.randint(1, most - inputs)):
        names = [q.name for q in quantities]
        quantities.append(Quantity(f"y{n}", "computed", formula(draw, names, operations, draw.randint(1, 3))))
    return Graph.of(quantities)


def number(draw: random.Random) -> Fraction:
    return Fraction(draw.randint(-6, 6), draw.choice([1, 1, 2, 3, 5]))


def formula(draw: random.Random, names: list[str], operations: list[str], depth: int) -> Formula:
    """A formula of the operations given; nearer names are likelier, so that networks are deep."""
    if depth == 0:
        if draw.random() < 0.15:
            return Num(abs(number(draw)))
        return Ref(names[min(len(names) - 1, int(len(names) * draw.random() ** 0.5))], parens=draw.random() < 0.2)
    name = draw.choice(operations)
    if name == "^":
        return apply(
            OPERATIONS["^", 2], formula(draw, names, operations, depth - 1), Num(Fraction(draw.choice([2, 2, 3])))
        )
    if name == "/":
        divisor = Num(Fraction(draw.choice([2, 3, 5])))
        return apply(OPERATIONS["/", 2], formula(draw, names, operations, depth - 1), divisor)
    count = 2 if (name, 2) in OPERATIONS and name not in ("elu", "leaky_relu") else 1
    return apply(OPERATIONS[name, count], *(formula(draw, names, operations, depth - 1) for _ in range(count)))
