"""Random networks of layers as people build them, from a seed alone: their text in the notation, their arrays, and the
same network as a function of PyTorch or JAX.

A network is drawn as a list of steps; each step has its line in the notation and does the same with the library's own
operations. So the two share the drawing and nothing that is computed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from backhand.core import arrays
from backhand.core.graph import Graph, Quantity
from backhand.core.notation import formula

Shape: TypeAlias = "tuple[int, ...]"
Run: TypeAlias = Callable[["Library", dict[str, Any]], Any]

QUICKLY = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
"""How JAX is to compile what is called a few times only: its derivatives are the same, its compiler takes half as long."""


class Library:
    """What the two libraries call by different names. `F` is torch.nn.functional or jax.nn."""

    def __init__(self, X: Any, F: Any) -> None:
        self.X, self.F = X, F
        self.torch = X.__name__ == "torch"

    def total(self, u: Any, axis: int | None = None) -> Any:
        return u.sum() if axis is None else u.sum(axis)

    def mean(self, u: Any, axes: tuple[int, ...]) -> Any:
        return u.mean(dim=axes, keepdim=True) if self.torch else u.mean(axis=axes, keepdims=True)

    def softmax(self, u: Any) -> Any:
        return self.F.softmax(u, -1)

    def log_softmax(self, u: Any) -> Any:
        return self.F.log_softmax(u, -1)

    def whole(self, v: Any) -> Any:
        return v.long() if self.torch else v.astype(int)

    def swap(self, u: Any) -> Any:
        return u.transpose(-1, -2) if self.torch else self.X.swapaxes(u, -1, -2)

    def picked(self, u: Any, v: Any) -> Any:
        """The element of each row that its class number says."""
        places = self.whole(v)[..., None]
        return (u.gather(-1, places) if self.torch else self.X.take_along_axis(u, places, -1))[..., 0]

    def activation(self, name: str, u: Any) -> Any:
        X, F = self.X, self.F
        if name == "gelu" and not self.torch:
            return F.gelu(u, approximate=False)
        return {
            "sin": lambda: X.sin(u), "cos": lambda: X.cos(u), "exp": lambda: X.exp(u), "abs": lambda: X.abs(u), "tanh": lambda: X.tanh(u),
            "atan": lambda: X.arctan(u), "sigmoid": lambda: X.sigmoid(u) if self.torch else F.sigmoid(u),
        }.get(name, lambda: getattr(F, name)(u))()  # fmt: skip

    def conv(self, u: Any, v: Any, stride: int, padding: int) -> Any:
        if self.torch:
            return self.F.conv2d(u, v, None, stride, padding)
        edges = self.X.pad(u, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
        rows, columns = ((n - k) // stride + 1 for n, k in zip(edges.shape[2:], v.shape[2:], strict=True))
        found = 0
        for i in range(v.shape[2]):
            for j in range(v.shape[3]):
                part = edges[
                    :, :, i : i + (rows - 1) * stride + 1 : stride, j : j + (columns - 1) * stride + 1 : stride
                ]
                found = found + self.X.einsum("nchw,oc->nohw", part, v[:, :, i, j])
        return found

    def pool(self, kind: str, u: Any) -> Any:
        n, c, h, w = u.shape
        parts = u[:, :, : h // 2 * 2, : w // 2 * 2].reshape(n, c, h // 2, 2, w // 2, 2)
        if kind == "avg":
            return parts.mean((3, 5))
        return parts.amax((3, 5)) if self.torch else parts.max((3, 5))

    def norm(self, u: Any, axes: tuple[int, ...], eps: float) -> Any:
        middle = self.mean(u, axes)
        return (u - middle) / self.X.sqrt(self.mean((u - middle) ** 2, axes) + eps)


ACTIVATIONS = "relu leaky_relu elu softplus gelu silu sigmoid tanh sin cos atan abs tanh relu".split()


@dataclass
class Net:
    """Lines of the notation, arrays by name, and what the library does, step by step."""

    draw: random.Random
    numbers: Any
    lines: list[str] = field(default_factory=list)
    arrays: dict[str, Any] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    steps: list[tuple[str, Run]] = field(default_factory=list)
    shapes: dict[str, Shape] = field(default_factory=dict)

    def array(self, shape: Shape, name: str = "", kind: str = "weight", values: Any = None) -> str:
        name = name or f"w{len(self.arrays)}"
        self.arrays[name] = self.numbers.normal(size=shape) * 0.8 if values is None else values
        self.shapes[name], self.kinds[name] = shape, kind
        return name

    def step(self, formula: str, shape: Shape, run: Run) -> str:
        name = f"h{len(self.lines)}"
        self.lines.append(f"{name} = {formula}")
        self.shapes[name] = shape
        self.steps.append((name, run))
        return name

    def text(self) -> str:
        return "\n".join(self.lines)

    def loss(self, library: Library, values: dict[str, Any]) -> dict[str, Any]:
        """The values of all quantities by the library's operations."""
        known = dict(values)
        for name, run in self.steps:
            known[name] = run(library, known)
        return known

    def maybe(self, chance: float) -> bool:
        return self.draw.random() < chance


def random_net(seed: int, numbers: int = 0) -> Net:
    """The layers come from `seed` alone; with other `numbers` they hold others."""
    draw = random.Random(seed)
    net = Net(draw, np.random.default_rng([seed, numbers]))
    kind = draw.choice([dense, dense, dense, column, column, convolutional, attention, recurrent, lstm, embedded])
    end = kind(net)
    return finished(net, end)


def graph_of(net: Net) -> Graph:
    """As Backhand has it."""
    quantities = [
        arrays.given(name, net.kinds[name], None, array if array.shape else float(array))  # type: ignore[arg-type]
        for name, array in net.arrays.items()
    ]
    for line in net.lines:
        name, _, text = line.partition(" = ")
        quantities.append(Quantity(name, "computed", formula(text)))
    return Graph.of(quantities)


def size(net: Net, least: int = 1) -> int:
    return net.draw.choice([n for n in (1, 2, 3, 4) if n >= least])


def activated(net: Net, x: str) -> str:
    name = net.draw.choice(ACTIVATIONS)
    if name == "elu" and net.maybe(0.3):
        return net.step(
            f"elu({x}, 0.5)", net.shapes[x], lambda L, v: L.X.where(v[x] > 0, v[x], 0.5 * (L.X.exp(v[x]) - 1))
        )
    return net.step(f"{name}({x})", net.shapes[x], lambda L, v: L.activation(name, v[x]))


def normalised(net: Net, x: str) -> str:
    width = net.shapes[x][-1]
    scale, shift = net.array((width,)), net.array((width,))
    which = net.draw.choice(["layernorm", "rmsnorm", "batchnorm"])
    shape = net.shapes[x]
    if which == "rmsnorm":
        return net.step(
            f"rmsnorm({x}, {scale}, eps=0.01)",
            shape,
            lambda L, v: v[scale] * v[x] / L.X.sqrt(L.mean(v[x] ** 2, (-1,)) + 0.01),
        )
    axes = (0,) if which == "batchnorm" else (-1,)
    return net.step(
        f"{which}({x}, {scale}, {shift}, eps=0.01)", shape, lambda L, v: L.norm(v[x], axes, 0.01) * v[scale] + v[shift]
    )


def decorated(net: Net, x: str, before: str) -> str:
    """A layer's result, perhaps with an activation, a norm, dropout, a residual connection."""
    if net.maybe(0.8):
        x = activated(net, x)
    shape = net.shapes[x]
    if net.maybe(0.2) and len(shape) == 2:
        x = normalised(net, x)
    if net.maybe(0.15):
        mask = net.array(shape, kind="constant", values=net.numbers.integers(0, 2, shape).astype(float))
        keep = net.draw.choice(["0.5", "0.8"])
        y, rate = x, float(keep)
        x = net.step(f"dropout({y}, {mask}, keep={keep})", shape, lambda L, v: v[y] * v[mask] / rate)
    if net.maybe(0.4) and net.shapes[before] == shape:
        z = x
        x = net.step(f"{z} + {before}", shape, lambda L, v: v[z] + v[before])
    return x


def dense(net: Net) -> str:
    """Rows are examples: h = x @ W + b, or x @ W.T + b, or linear(x, W, b); weights may be shared."""
    batch, width = size(net), size(net)
    x = net.array((batch, width), "x", "input")
    shared: dict[Shape, list[str]] = {}
    for _ in range(net.draw.randint(1, 4)):
        wide = net.draw.choice([width, size(net), size(net)])
        form = net.draw.choice(["@", "linear", "T"])
        shape = (width, wide) if form == "@" else (wide, width)
        known = shared.setdefault(shape, [])
        weights = net.draw.choice(known) if known and net.maybe(0.4) else net.array(shape)
        known.append(weights)
        bias = net.array(() if net.maybe(0.1) else (wide,))
        before = x
        after = (batch, wide)
        if form == "@":
            x = net.step(
                f"{before} @ {weights} + {bias}", after, lambda L, v, u=before, w=weights, b=bias: v[u] @ v[w] + v[b]
            )
        else:
            text = f"linear({before}, {weights}, {bias})" if form == "linear" else f"{before} @ {weights}.T + {bias}"
            x = net.step(text, after, lambda L, v, u=before, w=weights, b=bias: v[u] @ v[w].T + v[b])
        x, width = decorated(net, x, before), wide
    return x


def column(net: Net) -> str:
    """A column or a vector: z = W @ x + b."""
    width, vector = size(net), net.maybe(0.6)
    columns = () if vector else (size(net),)
    x = net.array((width, *columns), "x", "input")
    for _ in range(net.draw.randint(1, 4)):
        wide = net.draw.choice([width, size(net)])
        weights, bias = net.array((wide, width)), net.array((wide,) if vector else (wide, 1))
        before = x
        x = net.step(
            f"{weights} @ {before} + {bias}",
            (wide, *columns),
            lambda L, v, u=before, w=weights, b=bias: v[w] @ v[u] + v[b],
        )
        x, width = decorated(net, x, before), wide
    if not vector:
        y = x
        x = net.step(f"{y}.T", net.shapes[y][::-1], lambda L, v: v[y].T)
    return x


def convolutional(net: Net) -> str:
    batch, channels, out = size(net), size(net), size(net)
    rows, columns, k, m = size(net) + 3, size(net) + 3, size(net), net.draw.randint(1, 3)
    stride, padding = net.draw.choice([1, 1, 2]), net.draw.choice([0, 1])
    net.array((batch, channels, rows, columns), "x", "input")
    kernel = net.array((out, channels, min(k, 3), m))
    k = min(k, 3)
    high, wide = (rows + 2 * padding - k) // stride + 1, (columns + 2 * padding - m) // stride + 1
    told = f", stride={stride}" * (stride != 1) + f", padding={padding}" * (padding != 0)
    y = net.step(
        f"conv2d(x, {kernel}{told})", (batch, out, high, wide), lambda L, v: L.conv(v["x"], v[kernel], stride, padding)
    )
    if net.maybe(0.5):
        bias = net.array((out, 1, 1))
        z = y
        y = net.step(f"{z} + {bias}", net.shapes[z], lambda L, v: v[z] + v[bias])
    if net.maybe(0.5):
        scale, shift = net.array((out,)), net.array((out,))
        u = y
        y = net.step(
            f"batchnorm({u}, {scale}, {shift}, eps=0.01)", net.shapes[u],
            lambda L, v: L.norm(v[u], (0, 2, 3), 0.01) * v[scale][:, None, None] + v[shift][:, None, None],
        )  # fmt: skip
    y = activated(net, y)
    if min(net.shapes[y][2:]) >= 2 and net.maybe(0.7):
        p, kind = y, net.draw.choice(["max", "avg"])
        n, c, h, w = net.shapes[p]
        y = net.step(f"{kind}_pool({p})", (n, c, h // 2, w // 2), lambda L, v: L.pool(kind, v[p]))
    n, *rest = net.shapes[y]
    flat, q = int(np.prod(rest)), y
    y = net.step(f"reshape({q}, {n}, -1)", (n, flat), lambda L, v: v[q].reshape(n, -1))
    weights, f = net.array((flat, size(net))), y
    return net.step(f"{f} @ {weights}", (n, net.shapes[weights][1]), lambda L, v: v[f] @ v[weights])


def attention(net: Net) -> str:
    """One head, or several examples at once; written by its row or by hand."""
    front = (size(net),) if net.maybe(0.4) else ()
    places, width, wide = size(net), size(net), size(net)
    net.array((*front, places, width), "x", "input")
    q, k, w = (net.array((width, wide)) for _ in range(3))
    names = [net.step(f"x @ {m}", (*front, places, wide), lambda L, v, m=m: v["x"] @ v[m]) for m in (q, k, w)]
    a, b, c = names
    shape = (*front, places, wide)
    if net.maybe(0.4):
        mask = net.array((places, places), kind="constant", values=np.tril(np.ones((places, places))))
        y = net.step(f"attention({a}, {b}, {c}, {mask})", shape, lambda L, v: attended(L, v[a], v[b], v[c], v[mask]))
    elif net.maybe(0.5) and not front:
        s = net.step(
            f"softmax({a} @ {b}.T/sqrt({wide}))", (places, places), lambda L, v: L.softmax(v[a] @ v[b].T / wide**0.5)
        )
        y = net.step(f"{s} @ {c}", shape, lambda L, v: v[s] @ v[c])
    else:
        y = net.step(f"attention({a}, {b}, {c})", shape, lambda L, v: attended(L, v[a], v[b], v[c], None))
    if net.maybe(0.5) and width == wide:
        z = y
        y = net.step(f"x + {z}", shape, lambda L, v: v["x"] + v[z])
    if front:
        m = y
        y = net.step(f"mean({m}, axis=0)", (places, wide), lambda L, v: v[m].mean(0))
    return normalised(net, y) if net.maybe(0.4) else y


def attended(L: Library, q: Any, k: Any, w: Any, mask: Any) -> Any:
    scores = q @ L.swap(k) / q.shape[-1] ** 0.5
    if mask is None:
        return L.softmax(scores) @ w
    weights = L.X.exp(scores) * mask
    return weights / (weights.sum(-1)[..., None]) @ w


def recurrent(net: Net) -> str:
    """h = tanh(W h + U x + b), a few times, with the same weights."""
    width, wide, time = size(net), size(net), net.draw.randint(1, 4)
    x = net.array((time, width), "x", "input")
    W, U, b, h = net.array((wide, wide)), net.array((wide, width)), net.array((wide,)), net.array((wide,), "s", "input")
    outputs: list[str] = []
    for t in range(time):
        u = h
        z = net.step(
            f"{W} @ {u} + {U} @ {x}[{t}] + {b}", (wide,), lambda L, v, u=u, t=t: v[W] @ v[u] + v[U] @ v[x][t] + v[b]
        )
        h = net.step(f"tanh({z})", (wide,), lambda L, v, z=z: L.X.tanh(v[z]))
        outputs.append(h)
    if net.maybe(0.5):
        return h
    return net.step(f"stack({', '.join(outputs)})", (time, wide), lambda L, v: L.X.stack([v[o] for o in outputs]))


def lstm(net: Net) -> str:
    """An LSTM cell, unrolled: all gates in one matrix and taken apart by slices, or one by one."""
    width, wide, time = size(net), size(net), net.draw.randint(1, 3)
    x = net.array((time, width), "x", "input")
    W, U, b = net.array((4 * wide, width)), net.array((4 * wide, wide)), net.array((4 * wide,))
    h, c = net.array((wide,), "h0s", "input"), net.array((wide,), "c0s", "input")
    for t in range(time):
        u, m = h, c
        z = net.step(
            f"{W} @ {x}[{t}] + {U} @ {u} + {b}", (4 * wide,), lambda L, v, u=u, t=t: v[W] @ v[x][t] + v[U] @ v[u] + v[b]
        )
        gates: list[str] = []
        for g, function in enumerate(("sigmoid", "sigmoid", "tanh", "sigmoid")):
            part = slice(g * wide, (g + 1) * wide)
            gates.append(
                net.step(
                    f"{function}({z}[{part.start}:{part.stop}])",
                    (wide,),
                    lambda L, v, z=z, p=part, f=function: L.activation(f, v[z][p]),
                )
            )
        i, f, a, o = gates
        c = net.step(f"{f}*{m} + {i}*{a}", (wide,), lambda L, v, i=i, f=f, a=a, m=m: v[f] * v[m] + v[i] * v[a])
        h = net.step(f"{o}*tanh({c})", (wide,), lambda L, v, o=o, c=c: v[o] * L.X.tanh(v[c]))
    return h


def embedded(net: Net) -> str:
    """Rows of a table, put one behind the other."""
    words, width, count = size(net), size(net), size(net)
    table = net.array((words, width))
    places = net.array((count,), "n", "input", net.numbers.integers(0, words, count).astype(float))
    rows = net.step(f"gather({table}, {places})", (count, width), lambda L, v: v[table][L.whole(v[places])])
    weights = net.array((2 * width, size(net)))
    both = net.step(
        f"concat({rows}, {rows}^2, axis=1)",
        (count, 2 * width),
        lambda L, v: L.X.concatenate([v[rows], v[rows] ** 2], 1),
    )
    y = net.step(f"{both} @ {weights}", (count, net.shapes[weights][1]), lambda L, v: v[both] @ v[weights])
    return decorated(net, y, y)


def finished(net: Net, end: str) -> Net:
    """A loss on top of it."""
    shape = net.shapes[end]
    classes = shape[-1]
    numbers = net.numbers.integers(0, classes, shape[:-1]).astype(float)
    choice = net.draw.choice(
        ["logits", "logits one-hot", "softmax", "mse", "half", "mae", "huber", "bce", "bce logits", "sum", "kl"]
    )
    weighted = net.numbers.dirichlet(np.ones(classes), shape[:-1])
    whole = len(shape) == 1

    def reduced(formula: str, run: Run) -> None:
        how = "sum" if net.maybe(0.3) else "mean"
        inner = net.step(formula, () if whole and "binary" not in formula else shape[:-1], run)
        net.lines.append(f"L = {inner}" if whole and "binary" not in formula else f"L = {how}({inner})")
        net.steps.append(
            ("L", lambda L, v: v[inner] if whole and "binary" not in formula else getattr(v[inner], how)())
        )

    def direct(formula: str, run: Run) -> None:
        net.lines.append(f"L = {formula}")
        net.steps.append(("L", run))

    if choice in ("logits", "softmax") and choice == "logits":
        t = net.array(shape[:-1], "t", "target", numbers)
        reduced(f"cross_entropy_logits({end}, t)", lambda L, v: -L.picked(L.log_softmax(v[end]), v[t]))
    elif choice == "logits one-hot":
        net.array(shape, "t", "target", weighted)
        reduced(f"cross_entropy_logits({end}, t)", lambda L, v: -(L.log_softmax(v[end]) * v["t"]).sum(-1))
    elif choice == "softmax":
        p = net.step(f"softmax({end})", shape, lambda L, v: L.softmax(v[end]))
        net.array(shape[:-1], "t", "target", numbers)
        reduced(f"cross_entropy({p}, t)", lambda L, v: -L.X.log(L.picked(v[p], v["t"])))
    elif choice == "kl":
        p = net.step(f"softmax({end})", shape, lambda L, v: L.softmax(v[end]))
        net.array(shape, "t", "target", weighted)
        reduced(f"kl(t, {p})", lambda L, v: (v["t"] * (L.X.log(v["t"]) - L.X.log(v[p]))).sum(-1))
    elif choice == "bce":
        p = net.step(f"sigmoid({end})", shape, lambda L, v: L.F.sigmoid(v[end]))
        net.array(shape, "t", "target", net.numbers.random(shape))
        reduced(
            f"binary_cross_entropy({p}, t)", lambda L, v: -(v["t"] * L.X.log(v[p]) + (1 - v["t"]) * L.X.log(1 - v[p]))
        )
    elif choice == "bce logits":
        net.array(shape, "t", "target", net.numbers.random(shape))
        reduced(f"binary_cross_entropy_logits({end}, t)", lambda L, v: L.F.softplus(v[end]) - v["t"] * v[end])
    elif choice == "sum":
        direct(f"sum({end}^2)", lambda L, v: (v[end] ** 2).sum())
    else:
        net.array(shape, "t", "target")
        row, run = {
            "mse": ("mse", lambda d: (d**2).mean()), "half": ("half_sse", lambda d: (d**2).sum() / 2), "mae": ("mae", lambda d: abs(d).mean()), "huber": ("huber", None),
        }[choice]  # fmt: skip
        if run is None:
            direct(
                f"huber({end}, t)",
                lambda L, v: L.X.where(
                    abs(v[end] - v["t"]) < 1, (v[end] - v["t"]) ** 2 / 2, abs(v[end] - v["t"]) - 0.5
                ).mean(),
            )
        else:
            direct(f"{row}({end}, t)", lambda L, v: run(v[end] - v["t"]))
    return net
