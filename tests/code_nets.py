"""Networks whose code is run in tests/test_code.py: published ones, drawn ones, and one for each operation."""

from __future__ import annotations

import json
import random
from pathlib import Path

from random_graphs import EXACT, SMOOTH, random_graph

import backhand
from backhand.core.array_operations import ROWS as ARRAY_ROWS
from backhand.core.operations import ROWS

HERE = Path(__file__).parent

ARRAYS = {
    "sums": "X = [[1, 2, -1], [0.5, -3, 2]]\na = sum(X)\nb = sum(X, axis=0)\nc = mean(X, axis=1, keepdims=true)\nd = var(X, axis=0)\nL = a*sum(b*d) + sum(c*X) + var(X)",
    "most": "X = [[1, 2, 2], [0.5, -3, 2]]\na = max(X)\nb = max(X, axis=0)\nc = min(X, axis=1, keepdims=true)\nd = min(X)\nL = a*sum(b) + sum(c*X) + d",
    "pairs": "X = [[1, 2], [3, 4]]\nY = [[0.5, -1], [2, 3]]\ns = max(X, 2)*min(Y, X)\nL = sum(s*s) + max(sum(X), 3)",
    "products": "W = [[1, 2, 3], [4, 5, 6]]\nx = [1, -1, 2]\ny = [0.5, 2]\na = W @ x\nb = y @ W\nc = dot(a, y)\nd = outer(x, y)\nM = W @ d\nL = c + sum(b*x) + sum(M*M)/7",
    "moved": "X = [[1, 2, 3], [4, 5, 6]]\na = X.T\nb = reshape(X, 3, 2)\nc = X[0, 1:3]\nd = X[::-1, 0]\ne1 = X[1, -1]\nv = concat(c, d)\ns = stack(c, d, axis=1)\nu = [e1, c[0], 2]\nT = transpose(reshape(X, 1, 2, 3), axes=(2, 0, 1))\nL = sum(a*b) + sum(v*v) + sum(s*[[1, 2], [3, 4]]) + sum(u) + sum(T*T*T)/9",
    "rows": "E = [[1, 2], [3, 4], [-1, 0.5]]\ni = [2, 0, 2]\ng = gather(E, i)\nh = one_hot(i, size=3)\nL = sum(g*g) + sum(h @ E)",
    "filled": "x = 3\na = zeros(2, 3) + x\nb = ones(3)*x\nc = random(3, seed=2, scale=0.5)*x + random(3)\nL = sum(a*b) + sum(spread(x, shape=(2, 2))) + sum(c*c)",
    "windows": "x = [[1, 2, 0, 1], [0, 1, 3, -1], [2, 1, 0, 2], [1, 0, 1, 1]]\nu = unfold(x, size=(2, 3), stride=(1, 2), padding=(1, 0), dilation=(2, 1))\np = max_pool(x, size=2)\nq = avg_pool(x, size=2, stride=1, padding=1)\nL = sum(u*u)/3 + sum(p)*sum(q*q)",
    "windows1": "x = [1, 2, 0, 1, -2]\nk = [1, -1, 2]\ny = conv1d(x, k, stride=2, padding=1)\np = max_pool(x, size=2)\nL = sum(y*y) + sum(p*p)",
    "channels": "x = [[[1, 2, 0], [0, 1, 3], [2, 1, 0]], [[0, 1, 1], [1, -1, 2], [0, 0, 1]]]\nk = [[[[1, -1], [0, 2]], [[1, 1], [-1, 0]]], [[[0, 1], [1, 0]], [[2, 1], [0, -1]]]]\ny = conv2d(x, k, padding=1, dilation=1, stride=2)\nL = sum(tanh(y/4))",
    "batched": "x = [[[[1, 2], [0, 1]], [[3, 1], [2, 1]]], [[[0, 1], [1, -1]], [[2, 0], [1, 1]]]]\nk = [[[[1]], [[-2]]]]\ny = conv2d(x, k)\nL = mean(y^2)",
    "channels1": "x = [[1, 2, 0, 1], [0, 1, 3, 2]]\nk = [[[1, -1], [0, 2]], [[1, 1], [2, -1]], [[0, 1], [1, 0]]]\ny = conv1d(x, k, dilation=2)\nL = sum(y*y)/2",
    "softmax": "X = [[1, 2, -1], [0.5, -3, 2]]\na = softmax(X)\nb = softmax(X, axis=0)\nc = log_softmax(X)\nd = log_softmax(X, axis=0)\nL = sum(a*b) + sum(c*c) + sum(d*X)",
    "masked": "S = [[1, 2], [3, 4]]\nM = [[1, 0], [1, 1]]\na = masked_softmax(S, M)\nb = masked_softmax(S, M, axis=0)\nL = sum(a*a*S) + sum(b*S)",
    "losses": "p = [[0.2, 0.8], [0.5, 0.5]]\nt = [[0, 1], [0.25, 0.75]]\nk = [1, 0]\na = cross_entropy(p, t)\nb = cross_entropy_logits(p, k)\nc = cross_entropy_logits(p, t)\nd = kl(p, [0.4, 0.6])\ne1 = cross_entropy(p, k)\nL = sum(a + b*c + d) + sum(e1) + mse(p, t) + half_sse(p, t) + mae(p, t + 1) + huber(p, t*3, delta=0.5)",
    "binary": "z = [1, -2, 0.5]\ny = [1, 0, 0.3]\na = binary_cross_entropy(sigmoid(z), y)\nb = binary_cross_entropy_logits(z, y)\nL = sum(a)*mean(b)",
    "layers": "X = [[1, 2, -1], [0.5, -3, 2]]\nW = [[1, 0, 1], [2, 1, -1]]\nb = [0.5, -1]\nm = [[1, 0], [1, 1]]\ny = linear(X, W, b)\nd = dropout(y, m, keep=0.5)\nL = sum(d*d*y)",
    "norms": "X = [[1, 2, -1], [0.5, -3, 2], [2, 2, 1]]\ns = [1, 2, 0.5]\nh = [0, 1, -1]\na = batchnorm(X, s, h)\nb = layernorm(X, s, h, eps=0.001)\nc = rmsnorm(X, s)\nL = sum(a*b*c)",
    "norm2": "X = [[[[1, 2]], [[0, 1]]], [[[2, 3]], [[5, -1]]]]\ns = [2, -1]\nh = [0, 1]\na = batchnorm(X, s, h, eps=0.01)\nL = sum(a^3)",
    "heads": "Q = [[1, 0], [0, 1]]\nK = [[1, 2], [-1, 1]]\nV = [[1, 0, 2], [3, 1, 1]]\nM = [[1, 0], [1, 1]]\na = attention(Q, K, V)\nb = attention(Q, K, V, M)\nL = sum(a*b)",
    "batches": "X = [[[1, 2], [3, 4]], [[0, 1], [1, -1]]]\nW = [[1, 2], [0, -1]]\nv = [1, 2]\na = X @ W\nb = X @ v\nc = v @ X\nd = X @ X\nL = sum(a) + sum(b*b) + sum(c*c) + sum(d)",
    "broadcast": "x = [1, 2, 3]\nc = [[1], [2]]\nk = 2\ny = x*c + k\nL = sum(y^2/k) + k",
    "counted": "x = [1, 2, 3]\ny = [1, 2, 3]\nL = sum(x) - sum(y*0)",
    "scalar": "x = [2]\ny = x[0]*3\nL = y^2 + sum(x)",
    "curves": "x = [0.3, -0.7, 0.9]\na = sin(x) + cos(x)*tan(x) + asin(x) + acos(x) + atan(x)\nb = sinh(x) + cosh(x) + tanh(x) + erf(x) + exp(x)\nc = ln(abs(x)) + log2(x^2) + log10(abs(x) + 1) + sqrt(abs(x))\nd = sigmoid(x) + relu(x) + leaky_relu(x) + leaky_relu(x, 0.2) + elu(x) + elu(x, 0.5)\ne1 = softplus(x) + gelu(x) + silu(x) + sign(x)*x + step(x)*x + pi*x + e*x\nL = sum(a*b + c*d + e1)",
}


def _of_each_row() -> dict[str, str]:
    """A network for each operation on single numbers."""
    nets: dict[str, str] = {}
    for row in ROWS:
        name, count = row.name, len(row.arguments)
        if name in "+-*/^":
            formula = f"(u {name} v){name}v + u{name}2"
        elif name == "neg":
            formula = "-u + -(u*v) - (-v)^2"
        elif count == 0:
            formula = f"{name}*u"
        else:
            inside = ", ".join("uv"[:count])
            formula = f"{name}({inside})*{name}({inside}) + {name}({'0.4' if count == 1 else '0.4, v'})*u"
        nets[f"row-{row.name if len(row.name) > 1 else ord(row.name)}-{count}"] = (
            f"u = 0.3\nv = 0.7\ny = {formula}\nL = 2 y^2 - y"
        )
    return nets


def _corpus() -> dict[str, str]:
    nets: dict[str, str] = {}
    for path in sorted((HERE / "corpus").glob("*.json")):
        example = json.loads(path.read_text("utf-8"))
        lines = [f"{name} = {value!r}" for name, value in example["given"].items()] + example["equations"]
        nets[path.stem] = "\n".join(lines)
    return nets


def layered(seed: int, sizes: tuple[int, ...]) -> str:
    """A drawn network with activations, as text."""
    draw = random.Random(seed)
    lines = [f"input {', '.join(f'x{k} = {draw.randint(-8, 8) / 4}' for k in range(sizes[0]))}"]
    before = [f"x{k}" for k in range(sizes[0])]
    for layer, size in enumerate(sizes[1:], 1):
        units = [f"h{layer}_{k}" for k in range(size)]
        lines += [f"{b} -> {u} : {draw.randint(-8, 8) / 4}" for u in units for b in before]
        lines.append(
            f"{', '.join(units)} : {draw.choice(['tanh', 'sigmoid', 'relu', 'softplus'])}, bias {draw.randint(-4, 4) / 4}"
        )
        before = units
    lines += [f"target {', '.join(f't{k} = {draw.randint(-4, 4) / 4}' for k in range(sizes[-1]))}"]
    lines.append(f"L = {' + '.join(f'({u} - t{k})^2' for k, u in enumerate(before))}")
    return "\n".join(lines)


def _read(text: str) -> backhand.Graph | None:
    try:
        graph = backhand.read(text)
        if any(max(q.shape, default=1) > 100 for q in graph.quantities):
            return None
        solution = backhand.solve(graph)
    except backhand.BackhandError:
        return None
    if any(q.symbolic for q in solution.graph.quantities) or solution.graph[solution.of].shape:
        return None
    return graph


def all_nets() -> dict[str, backhand.Graph]:
    """By a name of their own."""
    nets: dict[str, backhand.Graph] = {}
    for path in sorted((HERE.parent / "examples").glob("*.bh")):
        if (graph := _read(path.read_text("utf-8"))) is not None:
            nets[path.stem] = graph
    for name, text in _corpus().items():
        if (graph := _read(text)) is not None:
            nets[f"corpus-{name}"] = graph
    for name, text in (ARRAYS | _of_each_row()).items():
        nets[name] = backhand.read(text)
    for seed in range(12):
        for kind, operations in (("exact", EXACT), ("smooth", SMOOTH)):
            graph = random_graph(seed, operations)
            try:
                backhand.solve(graph)
            except backhand.BackhandError:
                continue
            nets[f"random-{kind}-{seed}"] = graph
    for seed, sizes in enumerate([(2, 2), (3, 4, 2), (2, 3, 3, 1), (5, 5, 5)]):
        nets[f"layered-{seed}"] = backhand.read(layered(seed, sizes))
    return nets


ALL_ROWS = [(row.name, len(row.arguments)) for row in (*ROWS, *ARRAY_ROWS)]
