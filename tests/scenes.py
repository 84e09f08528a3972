"""Scenes to be drawn: the founding network, random ones of many shapes, hostile and huge ones."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from itertools import pairwise

from backhand.explaining.scene import Arrow, Scene, Unit

Edge = tuple[str, str]


def founding(layer_of_t: int = 3) -> Scene:
    """The network of the page, solved."""
    units = [
        Unit("A1", "input", 0, 0, "-1", "-12"),
        Unit("A2", "input", 0, 1, "1", "-4"),
        Unit("B1", "computed", 1, 0, "3", "4"),
        Unit("B2", "computed", 1, 1, "1", "-4"),
        Unit("C1", "computed", 2, 0, "1", "2"),
        Unit("C2", "computed", 2, 1, "-3", "-2"),
        Unit("D", "computed", 3, 0, "4", "2"),
        Unit("t", "target", layer_of_t, 2, "3", "-2"),
        Unit("L", "computed", 4, 0, "1", "1", "(D - t)^2"),
    ]
    weights = "A1 B1 -2, A2 B1 1, A1 B2 1, A2 B2 2, B1 C1 1, B2 C1 -2, B1 C2 -1, B2 C2 0, C1 D 1, C2 D -1"
    arrows = [Arrow(*text.split()) for text in weights.split(",")]
    arrows += [Arrow("D", "L", "", "∂ 2"), Arrow("t", "L", "", "∂ -2")]
    twin = "Layer 0: A1 = -1, dL/dA1 = -12; A2 = 1, dL/dA2 = -4."
    return Scene("Question 3", tuple(units), tuple(arrows), "L", twin)


def random_scene(seed: int | str) -> Scene:
    """One of eight shapes, with numbers of one kind or of all; or a network of arrays by its name, solved."""
    if isinstance(seed, str):
        return array_scene(seed)
    draw = random.Random(seed)
    shape = SHAPES[seed % len(SHAPES)]
    return dressed(shape(draw), draw)


LAYERS = """
input x = [1, 2]
weight W1 = [[1, -1], [-2, 1], [1, 1/3]], W2 = [[1, 0, -1], [-1, 2, 1]]
bias b1 = [0, 1, -1], b2 = [1, -1]
target t = [1, 0]
z1 = W1 @ x + b1
h = relu(z1)
z2 = W2 @ h + b2
p = softmax(z2)
L = cross_entropy(p, t)
"""
LARGE = """
input x = ones(784)
weight W1 = ones(512, 784), W2 = ones(512, 512), W3 = ones(10, 512)
bias b1 = zeros(512), b2 = zeros(512), b3 = zeros(10)
target t = one_hot(3, size=10)
z1 = W1 @ x + b1
h1 = relu(z1)
z2 = W2 @ h1 + b2
h2 = relu(z2)
z3 = W3 @ h2 + b3
L = cross_entropy_logits(z3, t)
"""
RESIDUAL = """
input x = [1, 2, -1]
weight W1 = [[1, 0, 1], [0, -1, 1], [1, 1, 0]], W2 = [[1, 0, 0], [0, 1, 0], [1, 0, 1]]
target t = [1, 0, 0]
z = W1 @ x
h = relu(z)
r = W2 @ h
y = x + r
L = half_sse(y, t)
"""
RECURRENT = """
input x1 = [1, 0], x2 = [0, 1], h0 = [0, 0]
weight Wx = [[1, 0], [1, 1]], Wh = [[0.5, 0], [0, 0.5]]
bias b = [0, 0]
target t = [1, 1]
h1 = tanh(Wx @ x1 + Wh @ h0 + b)
h2 = tanh(Wx @ x2 + Wh @ h1 + b)
L = mse(h2, t)
"""
LSTM = """
input x = [0.5, -1], h0 = [0.1, 0.2], c0 = [0.3, -0.4]
weight Wf = [[0.2, -0.1, 0.4, 0.1], [0.3, 0.2, -0.2, 0.5]], Wi = [[0.1, 0.3, 0.2, -0.4], [-0.3, 0.1, 0.5, 0.2]]
weight Wg = [[0.6, -0.2, 0.1, 0.3], [0.4, 0.5, -0.1, 0.2]], Wo = [[-0.1, 0.4, 0.3, 0.2], [0.2, -0.5, 0.1, 0.3]]
bias bf = [1, 1]
target t = [0.2, -0.1]
v = concat(x, h0)
f = sigmoid(Wf @ v + bf)
i = sigmoid(Wi @ v)
g = tanh(Wg @ v)
o = sigmoid(Wo @ v)
c = f * c0 + i * g
h = o * tanh(c)
L = sum((h - t)^2)/2
"""
CONVOLUTION = """
input x = [[1, 0, 2, 1], [0, 1, 3, -1], [2, 1, 0, 1], [1, -1, 1, 2]]
weight K = [[1, -1], [0, 2]], w = [[1, -1], [2, 1]]
bias b = -1
target t = 5
y = conv2d(x, K) + b
h = relu(y)
m = max_pool(h, size=2, stride=1)
o = sum(w * m)
L = (o - t)^2/2
"""
ATTENTION = """
input X = [[1, 0], [0, 1], [1, 1]]
weight Wq = [[1, 0], [1, 1]], Wk = [[0, 1], [1, -1]], Wv = [[2, 0], [-1, 1]]
constant M = [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
target T = [[1, 0], [0, 1], [1, 0]]
Q = X @ Wq
K = X @ Wk
V = X @ Wv
S = Q @ K.T / sqrt(2)
A = masked_softmax(S, M)
Y = A @ V
L = mse(Y, T)
"""
ARRAY_NETS = {
    "layers": LAYERS, "large": LARGE, "residual": RESIDUAL, "recurrent": RECURRENT, "lstm": LSTM,
    "convolution": CONVOLUTION, "attention": ATTENTION,
}  # fmt: skip


def array_scene(name: str, *, solved: bool = True) -> Scene:
    """What is drawn of a network of arrays."""
    import backhand
    from backhand.explaining.figure import scene

    graph = backhand.read(ARRAY_NETS[name])
    return scene(graph, backhand.solve(graph) if solved else None)


def dressed(edges: list[Edge], draw: random.Random) -> Scene:
    """A scene for the arrows: layers by longest way, rows by first appearance, numbers to write."""
    names = [*dict.fromkeys(name for edge in edges for name in edge)]
    layer = dict.fromkeys(names, 0)
    for _ in names:
        for tail, head in edges:
            layer[head] = max(layer[head], layer[tail] + 1)
    heads = {head for _, head in edges}
    number = draw.choice(NUMBERS)
    rows: dict[int, int] = {}
    units: list[Unit] = []
    for name in names:
        row = rows[layer[name]] = rows.get(layer[name], -1) + 1
        inside = draw.choice(["", "", "sigmoid", "×", "(D - t)^2"]) if name in heads else ""
        bias = draw.choice(["", "", "b1 = 0.35", "b[B1] = -2"]) if name in heads else ""
        kind = "computed" if name in heads else draw.choice(["input", "input", "target", "weight"])
        units.append(Unit(name, kind, layer[name], row, number(draw), number(draw), inside, bias))
    arrows: list[Arrow] = []
    for n, (tail, head) in enumerate(edges, 1):
        weight = draw.choice([number(draw), f"w{n} = {number(draw)}", ""])
        arrows.append(Arrow(tail, head, weight, draw.choice(["", f"∂ {number(draw)}"])))
    return Scene("Random", tuple(units), tuple(arrows), names[-1], "In words.")


def whole(draw: random.Random) -> str:
    return str(draw.randint(-12, 12))


def rounded(draw: random.Random) -> str:
    return f"≈ {draw.uniform(-9, 9):.{draw.randint(3, 10)}f}"


def fraction(draw: random.Random) -> str:
    return f"{draw.randint(-999, 999)}/{draw.randint(2, 999)}"


def tiny(draw: random.Random) -> str:
    return f"≈ {draw.uniform(1, 9):.4f}e-{draw.randint(5, 30)}"


def any_number(draw: random.Random) -> str:
    return draw.choice([whole, whole, rounded, fraction, tiny])(draw)


NUMBERS: list[Callable[[random.Random], str]] = [whole, whole, rounded, fraction, any_number]


def dense(draw: random.Random) -> list[Edge]:
    sizes = draw.choice([[2, 2, 2, 1, 1], [3, 5, 4, 2], [2, 3, 2], [4, 4, 1], [1, 6, 1]])
    layers = [[f"{'ABCDE'[k]}{n}" for n in range(1, size + 1)] for k, size in enumerate(sizes)]
    return [(tail, head) for left, right in pairwise(layers) for head in right for tail in left]


def chain(draw: random.Random) -> list[Edge]:
    names = [f"a{n}" for n in range(draw.randint(3, 14))]
    return [*pairwise(names)]


def diamonds(draw: random.Random) -> list[Edge]:
    edges: list[Edge] = []
    for k in range(draw.randint(1, 5)):
        for side in "pqr"[: draw.randint(2, 3)]:
            edges += [(f"d{k}", f"{side}{k}"), (f"{side}{k}", f"d{k + 1}")]
    return edges


def residual(draw: random.Random) -> list[Edge]:
    """A chain, or a dense net, with arrows that skip layers."""
    if draw.random() < 0.5:
        names = [f"h{n}" for n in range(draw.randint(4, 10))]
        jumps = [sorted(draw.sample(range(len(names)), 2)) for _ in range(draw.randint(1, 6))]
        return [*pairwise(names), *((names[i], names[j]) for i, j in jumps if j > i + 1)]
    width, depth = draw.randint(2, 3), draw.randint(3, 5)
    layers = [[f"out_h{k}_{n}" for n in range(width)] for k in range(depth)]
    edges = [(tail, head) for left, right in pairwise(layers) for head in right for tail in left]
    return edges + [(layers[k - 2][n], layers[k][n]) for k in range(2, depth) for n in range(width)]


def gates(draw: random.Random) -> list[Edge]:
    """8 to 20 gates with one or two arguments each, the same one twice now and then."""
    names = [f"x{n}" for n in range(1, draw.randint(3, 5))]
    edges: list[Edge] = []
    for n in range(1, draw.randint(8, 20) - len(names) + 1):
        edges += [(draw.choice(names[-6:]), f"v{n}") for _ in range(draw.randint(1, 2))]
        names.append(f"v{n}")
    return edges


def star(draw: random.Random) -> list[Edge]:
    points = [f"s{n}" for n in range(draw.randint(4, 14))]
    return [("hub", point) for point in points]


def star_in(draw: random.Random) -> list[Edge]:
    return [(point, hub) for hub, point in star(draw)]


def sixty(draw: random.Random) -> list[Edge]:
    """Up to 60 units in layers, each with a few arrows from the layers before."""
    layers: list[list[str]] = []
    left = draw.randint(30, 60)
    while left > 0:
        size = min(left, draw.randint(3, 9))
        layers.append([f"u{len(layers)}_{n}" for n in range(size)])
        left -= size
    edges: list[Edge] = []
    for k, layer in enumerate(layers[1:], 1):
        for head in layer:
            edges += [(tail, head) for tail in draw.sample(layers[k - 1], min(2, len(layers[k - 1])))]
            if k > 1 and draw.random() < 0.15:
                edges.append((draw.choice(layers[k - 2]), head))
    return edges


SHAPES: list[Callable[[random.Random], list[Edge]]] = [dense, chain, diamonds, residual, gates, star, star_in, sixty]


def hostile() -> Scene:
    """Names and words that want to be markup, cannot be printed, are too long, or look alike."""
    names = [
        "<b>", '"><script>alert(1)</script>', "a\x00b\u202ec", "x'", "out_h1", "α2", "日本語", "B1", "B_1", "c#1",
        "a_very_long_name_for_a_quantity_indeed", "W1[0,1]", "&amp;", "]]>", "\ud800", "w[A1,B1]", "theta_1",
        "z\u0301\u0301\u0301",
    ]  # fmt: skip
    units = [
        Unit(name, "input" if k < 6 else "computed", k // 6, k % 6, "<1>", '"&"', "<i>" * (k % 3), "b' = <" * (k % 2))
        for k, name in enumerate(names)
    ]
    arrows = [Arrow(names[k], names[k + 6], 'w["<&>"] = 1.2e-7', "∂ <script>") for k in range(12)]
    return Scene('<t a="b">&', tuple(units), tuple(arrows), "<b>", "twin <&> \x00 \ud800 " * 3)


def huge(layers: Iterable[int], *, arrows_each: int = 3) -> Scene:
    draw = random.Random(0)
    columns = [[f"q{k}_{n}" for n in range(size)] for k, size in enumerate(layers)]
    units = [
        Unit(name, "computed" if k else "input", k, n, whole(draw), whole(draw))
        for k, column in enumerate(columns)
        for n, name in enumerate(column)
    ]
    arrows = [
        Arrow(tail, head, whole(draw))
        for left, right in pairwise(columns)
        for head in right
        for tail in draw.sample(left, min(arrows_each, len(left)))
    ]
    return Scene("Huge", tuple(units), tuple(arrows), columns[-1][-1], "In words. " * 100_000)
