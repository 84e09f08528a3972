"""Networks for the propagation benchmark, and one pass through them by each contender.

An *edge* is one use of a unit by another: the pair (unit that is used, weight on it). The weight is a quantity of its
own whose derivative is computed too, but it is not counted as another edge. Every contender is given the same
edges, and returns the values of all units, the derivatives of the loss by all units and by all weights.

    layered     10 layers of equally many tanh units, each using all of the layer before
    irregular   each unit uses 8 earlier ones, drawn at random; +, *, tanh, exp(-z^2) and sigmoid in turn by lot
    chain       2 uses a unit, as deep as it is long: a recurrent unit with a loss at each step. (Without that
                the derivatives of so long a chain would vanish, and Backhand skips units whose derivative is 0.)
    linear      as `layered` without tanh, and `steps` as a chain without functions: small whole numbers, exact
"""

from __future__ import annotations

import copy
import math
import random
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

IN, SUM, PRODUCT, TANH, BELL, SIGMOID, LOSS = range(7)


@dataclass
class Plan:
    """Unit i computes ops[i] of its edges start[i] .. start[i + 1]; edge e uses unit source[e] with weight[e]."""

    kind: str
    ops: list[int]
    start: list[int]
    source: list[int]
    weight: list[float]
    inputs: list[float]

    @property
    def edges(self) -> int:
        return len(self.source)

    @property
    def units(self) -> int:
        return len(self.ops)

    @property
    def depth(self) -> int:
        level = [0] * self.units
        for i in range(self.units):
            level[i] = 1 + max((level[s] for s in self.source[self.start[i] : self.start[i + 1]]), default=-1)
        return max(level)


class _Drawing:
    def __init__(self, kind: str, inputs: list[float]) -> None:
        self.plan = Plan(kind, [IN] * len(inputs), [0] * (len(inputs) + 1), [], [], inputs)

    def unit(self, op: int, sources: list[int], weights: list[float]) -> int:
        plan = self.plan
        plan.ops.append(op)
        plan.source += sources
        plan.weight += weights
        plan.start.append(len(plan.source))
        return len(plan.ops) - 1


def layered(edges: int, *, exact: bool = False) -> Plan:
    lot = random.Random(7)
    width, layers = max(2, round(math.sqrt(edges / 10))), 10
    scale = 1.7 / math.sqrt(width)
    number = (lambda: lot.choice([-1.0, 1.0, 2.0, 3.0])) if exact else (lambda: round(lot.uniform(-1, 1) * scale, 6))
    drawing = _Drawing(
        "linear" if exact else "layered", [round(lot.uniform(-1, 1), 0 if exact else 6) or 1.0 for _ in range(width)]
    )
    before = list(range(width))
    for _ in range(layers):
        before = [drawing.unit(SUM if exact else TANH, before, [number() for _ in before]) for _ in before]
    drawing.unit(LOSS, before, [number() for _ in before])
    return drawing.plan


def irregular(edges: int) -> Plan:
    lot = random.Random(7)
    units = max(24, edges // 8)
    given = max(8, units // 16)
    drawing = _Drawing("irregular", [round(lot.uniform(-1, 1), 6) for _ in range(given)])
    ends = set(range(given))
    for i in range(given, given + units):
        sources = [lot.randrange(i) for _ in range(8)]
        drawing.unit(
            lot.choice([SUM, PRODUCT, TANH, BELL, SIGMOID]),
            sources,
            [round(lot.uniform(-0.375, 0.375), 6) for _ in sources],
        )
        ends.add(i)
        ends.difference_update(sources)
    last = sorted(ends)
    drawing.unit(LOSS, last, [round(lot.uniform(-1, 1) / math.sqrt(len(last)), 6) for _ in last])
    return drawing.plan


def chain(edges: int) -> Plan:
    lot = random.Random(7)
    drawing = _Drawing("chain", [0.5, -0.25, 0.125])
    state, out, total = 0, 1, 2
    count = max(1, edges // 6)
    for _ in range(count):
        before = state
        state = drawing.unit(TANH, [before, out], [round(lot.uniform(0.6, 1.1), 6) for _ in range(2)])
        out = drawing.unit(SIGMOID, [state, before], [round(lot.uniform(0.6, 1.1), 6) for _ in range(2)])
        total = drawing.unit(SUM, [total, out], [1.0, lot.choice([-1, 1]) * round(lot.uniform(0.2, 1), 6)])
    drawing.unit(LOSS, [total, state], [round(1 / math.sqrt(count), 6), 0.5])
    return drawing.plan


def steps(edges: int) -> Plan:
    """x[k] = x[k-1] - x[k-2] goes round in sixes: numbers and derivatives stay small, none of the latter is 0."""
    drawing = _Drawing("steps", [1.0, 3.0])
    for i in range(2, 2 + max(1, (edges - 2) // 2)):
        drawing.unit(SUM, [i - 1, i - 2], [1.0, -1.0])
    last = len(drawing.plan.ops) - 1
    drawing.unit(LOSS, [last, last - 1], [2.0, 1.0])
    return drawing.plan


# -- contenders -----------------------------------------------------------------------------------------------
# Each takes a plan and gives (run, numbers): `run` is what is timed, `numbers` turns its result into
# [values of units], [derivatives by units], [derivatives by weights].

Numbers = tuple[list[Any], list[Any], list[Any]]
Contender = tuple[Callable[[], Any], Callable[[Any], Numbers]]


def graph_of(plan: Plan) -> Any:
    """The network as a user of the builder makes it."""
    from backhand.core.builder import Net, Term

    net = Net()
    x = [net.give(f"x{i}", value) for i, value in enumerate(plan.inputs)]
    weight = [net.give(f"w{e}", value, "weight") for e, value in enumerate(plan.weight)]

    def linear(a: int, b: int) -> Term:
        z = weight[a] * x[plan.source[a]]
        for e in range(a + 1, b):
            z = z + weight[e] * x[plan.source[e]]
        return z

    for i in range(len(x), plan.units):
        a, b, op = plan.start[i], plan.start[i + 1], plan.ops[i]
        if op == PRODUCT:
            made = linear(a, (a + b) // 2) * linear((a + b) // 2, b)
        else:
            z = linear(a, b)
            made = z
            if op == TANH:
                made = net.fn.tanh(z)
            elif op == BELL:
                made = net.fn.exp(-(z**2))
            elif op == SIGMOID:
                made = net.fn.sigmoid(z)
            elif op == LOSS:
                made = (z - 3) ** 2
        x.append(net.let("L" if op == LOSS else f"x{i}", made))
    return net.graph()


def names_of(plan: Plan) -> tuple[list[str], list[str]]:
    return [f"x{i}" for i in range(plan.units - 1)] + ["L"], [f"w{e}" for e in range(plan.edges)]


def backhand(plan: Plan, graph: Any, numbers: Any) -> Contender:
    """`propagate` on a graph as the builder left it: a fresh copy each time, so that nothing is known yet."""
    from backhand.core.propagate import propagate

    units, weights = names_of(plan)
    untouched = copy.copy(graph)

    def run() -> Any:
        return propagate(copy.copy(untouched), numbers=numbers)

    def results(found: Any) -> Numbers:
        index = graph.index
        at, on = [index[name] for name in units], [index[name] for name in weights]
        return [found.values[k] for k in at], [found.adjoints[k] for k in at], [found.adjoints[k] for k in on]

    return run, results


def by_hand(plan: Plan, number: Callable[[float], Any]) -> Contender:
    """The loop one would write by hand: flat lists, a branch for each unit; about what plain Python can do."""
    weight, inputs = [number(w) for w in plan.weight], [number(x) for x in plan.inputs]
    ops, start, source = plan.ops, plan.start, plan.source
    tanh, exp = math.tanh, math.exp
    zero, one, three = number(0.0), number(1.0), number(3.0)

    def run() -> Numbers:
        x = inputs + [zero] * (len(ops) - len(inputs))
        other: dict[int, Any] = {}
        for i in range(len(inputs), len(ops)):
            a, b, op = start[i], start[i + 1], ops[i]
            z = zero
            if op == PRODUCT:
                middle = (a + b) // 2
                for e in range(a, middle):
                    z += weight[e] * x[source[e]]
                y = zero
                for e in range(middle, b):
                    y += weight[e] * x[source[e]]
                other[i] = (z, y)
                x[i] = z * y
                continue
            for e in range(a, b):
                z += weight[e] * x[source[e]]
            if op == SUM:
                x[i] = z
            elif op == TANH:
                x[i] = tanh(z)
            elif op == SIGMOID:
                x[i] = 1 / (1 + exp(-z))
            else:
                other[i] = z
                x[i] = exp(-z * z) if op == BELL else (z - three) * (z - three)
        gradient, by_weight = [zero] * len(ops), [zero] * len(weight)
        gradient[-1] = one
        for i in range(len(ops) - 1, len(inputs) - 1, -1):
            a, b, op, g, y = start[i], start[i + 1], ops[i], gradient[i], x[i]
            if op == PRODUCT:
                z, y = other[i]
                middle = (a + b) // 2
                up = g * y
                for e in range(a, middle):
                    s = source[e]
                    by_weight[e] = up * x[s]
                    gradient[s] += up * weight[e]
                g, a = g * z, middle
            elif op == TANH:
                g *= 1 - y * y
            elif op == SIGMOID:
                g *= y * (1 - y)
            elif op == BELL:
                g *= -2 * other[i] * y
            elif op == LOSS:
                g *= 2 * (other[i] - three)
            for e in range(a, b):
                s = source[e]
                by_weight[e] = g * x[s]
                gradient[s] += g * weight[e]
        return x, gradient, by_weight

    return run, lambda found: found


def micrograd(plan: Plan, number: Callable[[float], Any]) -> Contender:
    """Forward builds micrograd's graph, so its time has that in it. It knows neither tanh, exp nor sigmoid: each is
    added in its own style, as one node. Weights and inputs are made once; their gradients are cleared on every run."""
    from micrograd.engine import Value

    def node(value: Any, argument: Any, slope: Any, name: str) -> Any:
        out = Value(value, (argument,), name)

        def backward() -> None:
            argument.grad += slope * out.grad

        out._backward = backward  # noqa: SLF001 - as its own operations do
        return out

    def tanh(z: Any) -> Any:
        y = math.tanh(z.data)
        return node(y, z, 1 - y * y, "tanh")

    def exp(z: Any) -> Any:
        y = math.exp(z.data)
        return node(y, z, y, "exp")

    def sigmoid(z: Any) -> Any:
        y = 1 / (1 + math.exp(-z.data))
        return node(y, z, y * (1 - y), "sigmoid")

    weight, inputs = [Value(number(w)) for w in plan.weight], [Value(number(v)) for v in plan.inputs]
    three = number(3.0)

    def run() -> Any:
        for value in (*weight, *inputs):
            value.grad = 0
        x = list(inputs)
        source = plan.source

        def linear(a: int, b: int) -> Any:
            z = weight[a] * x[source[a]]
            for e in range(a + 1, b):
                z = z + weight[e] * x[source[e]]
            return z

        for i in range(len(inputs), plan.units):
            a, b, op = plan.start[i], plan.start[i + 1], plan.ops[i]
            if op == PRODUCT:
                x.append(linear(a, (a + b) // 2) * linear((a + b) // 2, b))
                continue
            z = linear(a, b)
            if op == TANH:
                z = tanh(z)
            elif op == BELL:
                z = exp(-(z**2))
            elif op == SIGMOID:
                z = sigmoid(z)
            elif op == LOSS:
                z = (z - three) ** 2
            x.append(z)
        x[-1].backward()
        return x

    def results(x: Any) -> Numbers:
        return [v.data for v in x], [v.grad for v in x], [w.grad for w in weight]

    return run, results


def deeply(work: Callable[[], Any]) -> Any:
    """Run with the recursion limit raised and a large stack: micrograd's backward goes as deep as the network."""
    found: list[Any] = []

    def inside() -> None:
        try:
            found.append(work())
        except BaseException as error:  # noqa: BLE001 - handed on to the thread that waits
            found.append(error)

    limit, size = sys.getrecursionlimit(), threading.stack_size(1 << 29)
    sys.setrecursionlimit(10**8)
    try:
        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
    finally:
        sys.setrecursionlimit(limit)
        threading.stack_size(size)
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]


def fraction(value: float) -> Fraction:
    return Fraction(int(value))
