"""Networks for simulated students: every quantity with its formula and its true number, and the text of the network.

`layered` is a net of `independent_replay` (kept as `plain`); the others have what its entries cannot act on: gates and
bends, branches past a layer, shared weights, products, maxima, quotients. `published` reads the equations of an example.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import independent_replay

from students import trees
from students.trees import Leaf, Number, Op, Tree, add, call, minus, num, power, times, value, worth


@dataclass
class Net:
    """`given` and `equations` in the order of the drawing; `layers` the units, inputs first; `arrow` the weight between
    two units; `bends` for each unit with an activation its sum and the name of the function. `typed` writes the
    network down for Backhand; `coefficients`: weights are numbers in formulas and have no name of their own."""

    given: dict[str, Number]
    kinds: dict[str, str]
    equations: dict[str, Tree]
    output: str
    typed: Callable[[Net], str]
    layers: list[list[str]] = field(default_factory=list)
    arrow: dict[tuple[str, str], str] = field(default_factory=dict)
    bends: dict[str, tuple[str, str]] = field(default_factory=dict)
    plain: dict[str, Any] | None = None
    coefficients: bool = False
    values: dict[str, Number] = field(default_factory=dict)
    memory: dict[str, Any] = field(default_factory=dict)
    """What is worked out once for a net."""

    def __post_init__(self) -> None:
        self.memory = {}
        self.values = dict(self.given)
        for name, tree in self.equations.items():
            self.values[name] = worth(tree, lambda leaf: self.values[leaf.of])

    @property
    def text(self) -> str:
        return self.typed(self)

    @property
    def weights(self) -> list[str]:
        return [] if self.coefficients else [n for n, kind in self.kinds.items() if kind in ("weight", "bias")]

    @property
    def units(self) -> list[str]:
        """Inputs and computed quantities, the output apart."""
        given = [n for n, kind in self.kinds.items() if kind == "input"]
        return [*given, *(n for n in self.equations if n != self.output)]

    def leaf(self, name: str) -> Leaf:
        return value(name, self.values[name], bare=self.coefficients and self.kinds.get(name) == "weight")

    def right(self, tree: Tree) -> Tree:
        """The tree with the true numbers."""
        return trees.with_numbers(tree, lambda leaf: self.values[leaf.of])

    @property
    def uses(self) -> dict[str, list[tuple[str, int, bool]]]:
        """Where each quantity stands: in whose formula, in which of its summands, and whether as all of it."""
        if "uses" not in self.memory:
            found: dict[str, list[tuple[str, int, bool]]] = {name: [] for name in self.values}
            for child, tree in self.equations.items():
                for n, term in enumerate(tree.args if isinstance(tree, Op) and tree.sign == "+" else (tree,)):
                    for name in dict.fromkeys(leaf.of for leaf in trees.leaves(term) if leaf.kind == "value"):
                        found[name].append((child, n, isinstance(term, Leaf)))
            self.memory["uses"] = found
        uses: dict[str, list[tuple[str, int, bool]]] = self.memory["uses"]
        return uses

    def children(self, name: str) -> list[str]:
        return list(dict.fromkeys(child for child, _, _ in self.uses[name]))


# -- layered nets -----------------------------------------------------------------------------------------------------


def layered(
    plain: dict[str, Any], *, named: bool = False, coefficients: bool = False, scale: int = 1, letters: str = ""
) -> Net:
    """The net of `independent_replay` with quantities. `scale` is a factor of the loss; `letters` name the layers."""

    def unit(k: int, i: int) -> str:
        name = independent_replay.unit(plain, k, i)
        return name if not letters or name == "D" else letters[k] + name[1:]

    given = {unit(0, i): x for i, x in enumerate(plain["x"])}
    kinds = dict.fromkeys(given, "input")
    arrow: dict[tuple[str, str], str] = {}
    equations: dict[str, Tree] = {}
    for k, matrix in enumerate(plain["W"]):
        for j, row in enumerate(matrix):
            terms: list[Tree] = []
            for i, w in enumerate(row):
                tail, head = unit(k, i), unit(k + 1, j)
                name = f"w{len(arrow) + 1}" if named else f"w[{tail},{head}]"
                given[name], kinds[name], arrow[tail, head] = w, "weight", name
                terms.append(times(value(name, w, bare=coefficients), value(tail, Fraction(0))))
            equations[unit(k + 1, j)] = add(*terms)
    given["t"], kinds["t"] = plain["t"], "target"
    square = power(minus(value("D", Fraction(0)), value("t", Fraction(0))), 2)
    equations["L"] = square if scale == 1 else times(num(scale), square)
    net = Net(given, kinds, equations, "L", drawn, arrow=arrow, plain=plain, coefficients=coefficients)
    net.layers = [
        [unit(k, i) for i in range(n)] for k, n in enumerate([len(plain["x"]), *(len(m) for m in plain["W"])])
    ]
    if coefficients:
        net.typed = as_equations
    return with_numbers(net)


def with_numbers(net: Net) -> Net:
    net.equations = {name: net.right(tree) for name, tree in net.equations.items()}
    net.memory = {}
    return net


def drawn(net: Net) -> str:
    """As arrows."""
    lines: list[str] = []
    for kind in ("input", "target"):
        names = [n for n, k in net.kinds.items() if k == kind]
        if names:
            lines.append(f"{kind} " + ", ".join(f"{n} = {exactly(net.given[n])}" for n in names))
    for (tail, head), name in net.arrow.items():
        own = "" if name.startswith("w[") else f"{name} = "
        lines.append(f"{tail} -> {head} : {own}{exactly(net.given[name])}")
    for unit, (z, function) in net.bends.items():
        bias = next((n for n in net.kinds if net.kinds[n] == "bias" and trees.depends(net.equations[z], n)), None)
        own = "" if bias is None else f", bias {bias} = {exactly(net.given[bias])}"
        lines.append(f"{unit} : {function}{own}")
    tree = net.equations[net.output]
    return "\n".join([*lines, f"{net.output} = {typed(tree)}"]) + "\n"


def as_equations(net: Net) -> str:
    lines: list[str] = []
    for kind in ("input", "weight", "bias", "target"):
        names = [n for n, k in net.kinds.items() if k == kind and not (net.coefficients and k == "weight")]
        if names:
            lines.append(f"{kind} " + ", ".join(f"{n} = {exactly(net.given[n])}" for n in names))
    lines += [f"{name} = {typed(tree)}" for name, tree in net.equations.items()]
    return "\n".join(lines) + "\n"


def exactly(number: Number) -> str:
    return str(number) if isinstance(number, Fraction) else repr(number)


def typed(tree: Tree, level: int = 0) -> str:
    """A formula as one types it for Backhand."""
    if isinstance(tree, Leaf):
        text = exactly(tree.number) if tree.bare else tree.of
        return f"({text})" if (level and text[0] == "-") or (level > 1 and "/" in text) else text
    args = tree.args
    match tree.sign:
        case "+":
            text = " + ".join(typed(arg) for arg in args).replace("+ -", "- ")
            return f"({text})" if level else text
        case "neg":
            text = "-" + typed(args[0], 2)
            return f"({text})" if level else text
        case "*":
            text = " * ".join(typed(arg, 1 if n else 2) for n, arg in enumerate(args))
            return f"({text})" if level > 1 else text
        case "/":
            text = f"{typed(args[0], 2)} / {typed(args[1], 3)}"
            return f"({text})" if level else text
        case "^":
            return f"{typed(args[0], 3)}^{typed(args[1], 3)}"
        case _:
            return f"{tree.sign}({', '.join(typed(arg) for arg in args)})"


# -- nets with more in them -------------------------------------------------------------------------------------------


def some(draw: random.Random, most: int = 3, *, zero: bool = False) -> Fraction:
    return Fraction(draw.choice([n for n in range(-most, most + 1) if n or zero]))


def gated(draw: random.Random, function: str, sizes: tuple[int, ...] = (2, 2, 2, 1), *, named: bool = True) -> Net:
    """Layers with an activation behind each but the last. `named`: z1, h1, w1, b1 in equations; else drawn."""
    while True:
        net = _gated(draw, function, sizes, named=named)
        if all(net.values[z] for z, _ in net.bends.values()):
            return net


def _gated(draw: random.Random, function: str, sizes: tuple[int, ...], *, named: bool) -> Net:
    smooth = function != "relu"

    def weight() -> Fraction:
        return Fraction(draw.randint(-9, 9) or 5, 10) if smooth else some(draw)

    tails = [f"{'x' if named else 'A'}{i + 1}" for i in range(sizes[0])]
    given: dict[str, Number] = {name: some(draw, 2) for name in tails}
    kinds = dict.fromkeys(given, "input")
    net = Net(given, kinds, {}, "L", as_equations if named else drawn)
    net.layers.append(tails)
    count = 0
    for k, size in enumerate(sizes[1:], 1):
        last = k == len(sizes) - 1
        heads = (
            ["y" if named else "D"]
            if last
            else [f"h{count + i + 1}" if named else f"{'ABCEF'[k]}{i + 1}" for i in range(size)]
        )
        for i, head in enumerate(heads):
            z = head if last else f"z{count + i + 1}" if named else f"z[{head}]"
            terms: list[Tree] = []
            for tail in net.layers[-1]:
                name = f"w{len(net.arrow) + 1}" if named else f"w[{tail},{head}]"
                given[name], kinds[name] = weight(), "weight"
                net.arrow[tail, head] = name
                terms.append(times(value(name, Fraction(0)), value(tail, Fraction(0))))
            if smooth and not last and named:
                bias = f"b{count + i + 1}"
                given[bias], kinds[bias] = weight(), "bias"
                terms.append(value(bias, Fraction(0)))
            net.equations[z] = add(*terms)
            if not last:
                net.bends[head] = (z, function)
                net.equations[head] = call(function, value(z, Fraction(0)))
        count += size
        net.layers.append(heads)
    given["t"], kinds["t"] = (weight() if smooth else some(draw, 5)), "target"
    head = net.layers[-1][0]
    net.equations["L"] = power(minus(value(head, Fraction(0)), value("t", Fraction(0))), 2)
    net.__post_init__()
    return with_numbers(net)


def equations(draw: random.Random, lines: str, most: int = 3) -> Net:
    """A small net from its equations; the given names get random numbers. w1, w2, ... are weights, t is the target."""
    parsed = {name.strip(): parse(text) for name, _, text in (line.partition("=") for line in lines.split(";"))}
    order = [leaf.of for tree in parsed.values() for leaf in trees.leaves(tree) if leaf.kind == "value"]
    names = [n for n in dict.fromkeys(order) if n not in parsed]
    given: dict[str, Number] = {n: some(draw, most) for n in names}
    kinds = {n: {"w": "weight", "t": "target"}.get(n[0], "input") for n in names}
    return with_numbers(Net(given, kinds, parsed, next(reversed(parsed)), as_equations))


SMALL = {
    "residual": "B1 = w1 A1 + w2 A2; B2 = w3 A1 + w4 A2; C1 = w5 B1 + w6 B2 + B1; C2 = w7 B1 + w8 B2 + B2; "
    "D = w9 C1 + w10 C2; L = (D - t)^2",
    "shared": "h1 = w1 x; h2 = w2 h1; h3 = w1 h2; y = w2 h3; L = (y - t)^2",
    "products": "u = w1 A1 + w2 A2; v = w3 A1 + w4 A2; p = u v; q = p u; L = (q - t)^2",
    "maxima": "u = w1 A1 + w2 A2; v = w3 A1 + w4 A2; m = max(u, v); n = max(m, A1); D = w5 m + w6 n; L = (D - t)^2",
    "quotients": "u = w1 A1 + w2 A2; v = w3 A1 + w4 A2; r = u/v; s = v/r; L = (s - t)^2",
    "scaled": "B1 = w1 A1 + w2 A2; B2 = w3 A1 + w4 A2; D = w5 B1 + w6 B2; L = (2 D - t)^2",
}


def small(kind: str, draw: random.Random) -> Net:
    while True:
        try:
            net = equations(draw, SMALL[kind])
        except ZeroDivisionError:
            continue
        if any(net.values[n] == 0 for n in net.equations if n != "L"):
            continue
        if kind != "maxima" or len({net.values[n] for n in ("u", "v", "A1")}) == 3:
            return net


# -- published examples -----------------------------------------------------------------------------------------------


def published(example: dict[str, Any]) -> Net:
    """The network of a file of tests/corpus, its numbers as they stand there."""
    given: dict[str, Number] = {
        name: Fraction(repr(number)) if isinstance(number, int | float) else number
        for name, number in example["given"].items()
    }
    parsed = {name.strip(): parse(text) for name, _, text in (line.partition("=") for line in example["equations"])}
    output = example["output"] if isinstance(example["output"], str) else example["output"][0]
    net = Net(given, dict.fromkeys(given, "input"), parsed, output, lambda _: typed_example(example))
    return with_numbers(net)


def typed_example(example: dict[str, Any]) -> str:
    return "\n".join([*(f"{name} = {number!r}" for name, number in example["given"].items()), *example["equations"]])


TOKEN = re.compile(r"\s*(?:([0-9]*\.?[0-9]+)|([A-Za-z_]\w*)|(.))")


def parse(text: str) -> Tree:
    """A formula of the examples; `a b` and `a*b` are products."""
    tokens = list(TOKEN.findall(text.strip()))
    at = 0

    def peek() -> str:
        return "".join(tokens[at]) if at < len(tokens) else ""

    def take() -> str:
        nonlocal at
        at += 1
        return "".join(tokens[at - 1])

    def total() -> Tree:
        terms = [signed()]
        while peek() in ("+", "-"):
            sign = take()
            term = product()
            terms.append(term if sign == "+" else trees.neg(term))
        return add(*terms)

    def signed() -> Tree:
        if peek() == "-":
            take()
            return trees.neg(product())
        return product()

    def product() -> Tree:
        left = raised()
        while peek() in ("*", "/") or (peek() and (peek()[0].isalnum() or peek() == "(")):
            sign = take() if peek() in ("*", "/") else "*"
            right = raised()
            left = times(left, right) if sign == "*" else trees.over(left, right)
        return left

    def raised() -> Tree:
        if peek() == "-":
            take()
            inner = raised()
            return num(-inner.number) if isinstance(inner, Leaf) and inner.kind == "number" else trees.neg(inner)
        base = atom()
        if peek() == "^":
            take()
            return power(base, atom())
        return base

    def atom() -> Tree:
        token = take()
        if token == "(":
            inside = total()
            take()
            return inside
        if token[0].isdigit() or token[0] == ".":
            return num(Fraction(token))
        if peek() == "(" and token in trees.FUNCTIONS:
            take()
            args = [total()]
            while peek() == ",":
                take()
                args.append(total())
            take()
            return Op(token, tuple(args))
        return value(token, Fraction(0))

    return total()
