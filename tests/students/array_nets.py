"""More networks of arrays for simulated students: what `arrays.drawn` draws are layers, these are the others.

    columns     a batch of which each example is a column, biases (n, 1)
    logits      softmax with the derivative by p on the page, and so its Jacobian
    attention   one head: queries, keys, values
    recurrent   two steps of tanh with the same weights
    lstm        one step of a cell with four gates
    convolution an image, a kernel, relu, a weighted sum or the largest of the windows
    batchnorm   a layer, and its columns brought to mean 0 and variance 1, written out
    tied        an autoencoder whose second weight is the first one turned

Values and the way back are trees of `arrays`, and so are the mistakes; nothing here is taken from what is measured.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

from students.arrays import Net, T, Tree, d, text_of

Array = Any


def whole(draw: random.Random, *shape: int, low: int = -2, high: int = 2, zero: bool = False) -> Array:
    numbers = [n for n in range(low, high + 1) if n or zero]
    return np.array([draw.choice(numbers) for _ in range(int(np.prod(shape)))], float).reshape(shape)


def halves(draw: random.Random, *shape: int) -> Array:
    return whole(draw, *shape) / 2


class _Maker:
    """A network in the making: its lines in the notation, the values, the way back."""

    def __init__(self) -> None:
        self.net = Net()
        self.head: list[str] = []
        self.lines: list[str] = []

    def give(self, sort: str, name: str, value: Array) -> str:
        self.net.given[name] = np.asarray(value, float)
        self.head.append(f"{sort} {name} = {text_of(self.net.given[name])}")
        return name

    def value(self, name: str, tree: Tree, text: str) -> str:
        self.net.values[name] = tree
        self.lines.append(f"{name} = {text}")
        return name

    def back(self, **trees: Tree) -> None:
        self.net.back |= trees

    def mistake(self, key: str, **trees: Tree) -> None:
        self.net.mistake(key, **trees)

    def done(self) -> Net:
        self.net.text = "\n".join([*self.head, *self.lines])
        return self.net

    def half_loss(self, name: str, target: str) -> None:
        """L = sum((y - t)^2)/2, and what goes wrong with it."""
        right = ("-", name, target)
        self.value("L", ("half", name, target), f"sum(({name} - {target})^2)/2")
        self.back(**{name: right})
        self.mistake("sign-at-loss", **{name: ("-", target, name)})
        self.mistake("loss-factor-lost", **{name: ("*", ("const", 2.0), right)})
        self.mistake("target-left-out", **{name: name})

    def mean_loss(self, name: str, target: str) -> None:
        """L = mean((Y - T)^2)."""
        count = self.net.given[target].size
        right, two = ("-", name, target), ("const", 2.0)
        self.value("L", ("mse", name, target), f"mean(({name} - {target})^2)")
        self.back(**{name: ("/", ("*", two, right), ("const", count))})
        self.mistake("sign-at-loss", **{name: ("/", ("*", two, ("-", target, name)), ("const", count))})
        self.mistake("mean-forgotten", **{name: ("*", two, right)})
        self.mistake("mean-twice", **{name: ("/", ("*", two, right), ("const", count * count))})
        self.mistake("loss-factor-lost", **{name: ("/", right, ("const", count))})

    def bend(self, curve: str, name: str, after: str) -> None:
        """after = curve(name), back, and what goes wrong there."""
        self.value(after, ("curve", curve, name), f"{curve}({name})")
        slope = ("slope", curve, name, after)
        self.back(**{name: ("*", d(after), slope)})
        self.mistake("activation-slope-lost", **{name: d(after)})
        self.mistake("value-for-slope", **{name: ("*", d(after), after)})
        self.mistake("upstream-forgotten", **{name: slope})
        if curve == "relu":
            self.mistake("mask-inverted", **{name: ("*", d(after), ("-", ("const", 1.0), slope))})
            self.mistake("mask-by-gradient", **{name: ("*", d(after), ("slope", "relu", d(after), after))})
        else:
            self.mistake("slope-at-wrong-variable", **{name: ("*", d(after), ("slope", curve, name, name))})
            other = "sigmoid" if curve == "tanh" else "tanh"
            self.mistake("slope-of-wrong-function", **{name: ("*", d(after), ("slope", other, name, after))})


def columns(draw: random.Random) -> Net:
    m = _Maker()
    m.net.batch = True
    count, n, hidden, out = draw.randint(2, 4), draw.choice([2, 3]), draw.choice([2, 3]), draw.choice([1, 2])
    curve = m.net.curve = draw.choice(["relu", "sigmoid", "tanh"])
    m.give("input", "X", whole(draw, n, count, low=-3, high=3))
    m.give("weight", "W1", whole(draw, hidden, n))
    m.give("bias", "b1", whole(draw, hidden, 1))
    m.give("weight", "W2", whole(draw, out, hidden))
    m.give("bias", "b2", whole(draw, out, 1))
    m.give("target", "Y", whole(draw, out, count, low=-3, high=3, zero=True))
    m.value("Z1", ("+", ("@", "W1", "X"), "b1"), "W1 @ X + b1")
    backwards: dict[str, Tree] = {}
    m.bend(curve, "Z1", "A1")
    backwards["Z1"] = m.net.back.pop("Z1")
    m.value("Z2", ("+", ("@", "W2", "A1"), "b2"), "W2 @ A1 + b2")
    m.mean_loss("Z2", "Y")
    for name, weight, bias, before in (("Z2", "W2", "b2", "A1"), ("Z1", "W1", "b1", "X")):
        if name == "Z1":
            m.back(A1=("@", T("W2"), d("Z2")), Z1=backwards["Z1"])
            if out == hidden:
                m.mistake("w-for-w-transposed", A1=("@", "W2", d("Z2")))
                m.mistake("weights-ignored", A1=d("Z2"))
        m.back(**{weight: ("@", d(name), T(before)), bias: ("sumk", 1, d(name))})
        m.mistake("transposed", **{weight: ("@", before, T(d(name)))})
        m.mistake("bias-averaged", **{bias: ("meank", 1, d(name))})
        m.mistake("bias-not-summed", **{bias: d(name)})
        if m.net.given[weight].shape == (count, count):
            m.mistake("elementwise-for-product", **{weight: ("*", d(name), T(before))})
    return m.done()


def logits(draw: random.Random) -> Net:
    m = _Maker()
    n, hidden, out = draw.choice([2, 3]), draw.choice([2, 3]), draw.choice([2, 3, 3])
    curve = m.net.curve = draw.choice(["relu", "tanh", "sigmoid"])
    m.give("input", "x", whole(draw, n))
    m.give("weight", "W1", halves(draw, hidden, n))
    m.give("bias", "b1", halves(draw, hidden))
    m.give("weight", "W2", halves(draw, out, hidden))
    m.give("bias", "b2", halves(draw, out))
    m.give("target", "t", np.eye(out)[draw.randrange(out)])
    m.value("z1", ("+", ("@", "W1", "x"), "b1"), "W1 @ x + b1")
    m.bend(curve, "z1", "h")
    first = m.net.back.pop("z1")
    m.value("z2", ("+", ("@", "W2", "h"), "b2"), "W2 @ h + b2")
    m.value("p", ("softmax", "z2"), "softmax(z2)")
    m.value("L", ("ce", "p", "t"), "cross_entropy(p, t)")
    m.back(
        p=("neg", ("/", "t", "p")),
        z2=("@", ("-", ("diag", "p"), ("outer", "p", "p")), d("p")),
        W2=("outer", d("z2"), "h"),
        b2=d("z2"),
        h=("@", T("W2"), d("z2")),
        z1=first,
        W1=("outer", d("z1"), "x"),
        b1=d("z1"),
    )
    one = ("-", ("const", 1.0), "p")
    m.mistake("softmax-diagonal", z2=("*", d("p"), ("*", "p", one)))
    m.mistake("softmax-dot-lost", z2=("*", "p", d("p")))
    m.mistake("stops-before-softmax", z2=d("p"))
    m.mistake("softmax-slope-twice", z2=("*", ("-", "p", "t"), ("*", "p", one)))
    m.mistake("sign-at-loss", p=("/", "t", "p"))
    m.mistake("transposed", W2=("outer", "h", d("z2")))
    m.mistake("transposed", W1=("outer", "x", d("z1")))
    m.mistake("wrong-input", W2=("outer", d("z2"), "z1"))
    if out == hidden:
        m.mistake("w-for-w-transposed", h=("@", "W2", d("z2")))
        m.mistake("weights-ignored", h=d("z2"))
    return m.done()


def attention(draw: random.Random) -> Net:
    m = _Maker()
    n, width, k = draw.choice([2, 3]), draw.choice([2, 3]), draw.choice([2, 3])
    m.give("input", "X", whole(draw, n, width))
    for name in ("Wq", "Wk", "Wv"):
        m.give("weight", name, halves(draw, width, k))
    m.give("target", "T", whole(draw, n, k, zero=True))
    for name in "QKV":
        m.value(name, ("@", "X", f"W{name.lower()}"), f"X @ W{name.lower()}")
    root = ("sqrt", k)
    m.value("S", ("/", ("@", "Q", T("K")), root), f"Q @ K.T / sqrt({k})")
    m.value("A", ("softmax", "S"), "softmax(S, axis=1)")
    m.value("Y", ("@", "A", "V"), "A @ V")
    draw.choice([m.half_loss, m.mean_loss])("Y", "T")
    dot = ("*", d("A"), "A")
    m.back(
        A=("@", d("Y"), T("V")),
        V=("@", T("A"), d("Y")),
        S=("*", "A", ("-", d("A"), ("sumk", 1, dot))),
        Q=("/", ("@", d("S"), "K"), root),
        K=("/", ("@", T(d("S")), "Q"), root),
        Wq=("@", T("X"), d("Q")),
        Wk=("@", T("X"), d("K")),
        Wv=("@", T("X"), d("V")),
    )
    m.mistake("softmax-diagonal", S=("*", d("A"), ("*", "A", ("-", ("const", 1.0), "A"))))
    m.mistake("softmax-dot-lost", S=("*", d("A"), "A"))
    m.mistake("stops-before-softmax", S=d("A"))
    m.mistake("softmax-wrong-axis", S=("*", "A", ("-", d("A"), ("sumk", 0, dot))))
    m.mistake("constant-lost", Q=("@", d("S"), "K"), K=("@", T(d("S")), "Q"))
    m.mistake("factor-not-transposed", K=("/", ("@", d("S"), "Q"), root))
    m.mistake("factor-not-transposed", V=("@", "A", d("Y")))
    m.mistake("k-q-exchanged", Wq=("@", T("X"), d("K")), Wk=("@", T("X"), d("Q")))
    m.mistake("product-own-factor", Q=("/", ("@", d("S"), "Q"), root))
    m.mistake("wrong-upstream", Wv=("@", T("X"), d("Y")))
    return m.done()


def recurrent(draw: random.Random) -> Net:
    m = _Maker()
    n, k, out = draw.choice([1, 2, 3]), draw.choice([2, 3]), draw.choice([1, 2])
    m.net.curve = "tanh"
    for name in ("x1", "x2"):
        m.give("input", name, whole(draw, n))
    m.give("input", "h0", halves(draw, k))
    m.give("weight", "U", halves(draw, k, n))
    m.give("weight", "W", halves(draw, k, k))
    m.give("bias", "b", halves(draw, k))
    m.give("weight", "V", whole(draw, out, k))
    m.give("target", "t", whole(draw, out, zero=True))
    for step in (1, 2):
        before = f"h{step - 1}"
        tree = ("+", ("+", ("@", "U", f"x{step}"), ("@", "W", before)), "b")
        m.value(f"a{step}", tree, f"U @ x{step} + W @ {before} + b")
        m.bend("tanh", f"a{step}", f"h{step}")
    one, two = m.net.back.pop("a1"), m.net.back.pop("a2")
    m.value("y", ("@", "V", "h2"), "V @ h2")
    m.half_loss("y", "t")
    uses = {
        "U": [("outer", d("a2"), "x2"), ("outer", d("a1"), "x1")],
        "W": [("outer", d("a2"), "h1"), ("outer", d("a1"), "h0")],
        "b": [d("a2"), d("a1")],
    }
    m.back(V=("outer", d("y"), "h2"), h2=("@", T("V"), d("y")), a2=two, h1=("@", T("W"), d("a2")), a1=one)
    m.back(**{name: ("+", *both) for name, both in uses.items()})
    for name, both in uses.items():
        for single in both:
            m.mistake("shared-once", **{name: single})
    m.mistake("shared-once", **{name: both[0] for name, both in uses.items()})
    m.mistake("w-for-w-transposed", h1=("@", "W", d("a2")))
    m.mistake("weights-ignored", h1=d("a2"))
    m.mistake("slope-of-another-layer", a1=("*", d("h1"), ("slope", "tanh", "a2", "h2")))
    m.mistake("transposed", W=("+", ("outer", "h1", d("a2")), ("outer", "h0", d("a1"))))
    m.mistake("wrong-input", W=("+", ("outer", d("a2"), "h2"), ("outer", d("a1"), "h1")))
    return m.done()


def lstm(draw: random.Random) -> Net:
    m = _Maker()
    n, k = 2, 2
    m.give("input", "x", whole(draw, n))
    m.give("input", "h0", halves(draw, k))
    m.give("input", "c0", halves(draw, k))
    gates = {"f": "sigmoid", "i": "sigmoid", "g": "tanh", "o": "sigmoid"}
    for gate in gates:
        m.give("weight", f"W{gate}", halves(draw, k, n))
        m.give("weight", f"U{gate}", halves(draw, k, k))
        m.give("bias", f"b{gate}", halves(draw, k))
    m.give("target", "t", halves(draw, k))
    rules: dict[str, Tree] = {}
    for gate, curve in gates.items():
        tree = ("+", ("+", ("@", f"W{gate}", "x"), ("@", f"U{gate}", "h0")), f"b{gate}")
        m.value(f"z{gate}", tree, f"W{gate} @ x + U{gate} @ h0 + b{gate}")
        m.bend(curve, f"z{gate}", gate)
        rules[f"z{gate}"] = m.net.back.pop(f"z{gate}")
    m.value("c", ("+", ("*", "f", "c0"), ("*", "i", "g")), "f * c0 + i * g")
    m.value("s", ("curve", "tanh", "c"), "tanh(c)")
    m.value("h", ("*", "o", "s"), "o * s")
    m.half_loss("h", "t")
    m.back(o=("*", d("h"), "s"), s=("*", d("h"), "o"), c=("*", d("s"), ("slope", "tanh", "c", "s")))
    m.back(f=("*", d("c"), "c0"), i=("*", d("c"), "g"), g=("*", d("c"), "i"))
    for gate in gates:
        m.back(**{f"z{gate}": rules[f"z{gate}"], f"W{gate}": ("outer", d(f"z{gate}"), "x"),
                  f"U{gate}": ("outer", d(f"z{gate}"), "h0"), f"b{gate}": d(f"z{gate}")})  # fmt: skip
    m.mistake("product-own-factor", f=("*", d("c"), "f"))
    m.mistake("product-own-factor", i=("*", d("c"), "i"))
    m.mistake("product-own-factor", o=("*", d("h"), "o"))
    m.mistake("activation-slope-lost", c=d("s"))
    m.mistake("upstream-forgotten", s="o")
    m.mistake("transposed", **{f"W{gate}": ("outer", "x", d(f"z{gate}")) for gate in gates})
    m.mistake("wrong-input", Uf=("outer", d("zf"), "h"))
    return m.done()


def convolution(draw: random.Random) -> Net:
    m = _Maker()
    size, kernel = draw.choice([3, 4]), 2
    m.net.curve = "relu"
    m.give("input", "x", whole(draw, size, size, low=-3, high=3))
    m.give("weight", "K", whole(draw, kernel, kernel, low=-3, high=3))
    m.give("bias", "b", np.float64(draw.choice([-2, -1, 1, 2])))
    small = size - kernel + 1
    m.value("y", ("+", ("conv", "x", "K"), "b"), "conv2d(x, K) + b")
    m.bend("relu", "y", "h")
    bend = m.net.back.pop("y")
    before = "h"
    if size == 4 and draw.random() < 0.5:
        small = 2
        m.value("m", ("pool", "h"), "max_pool(h, size=2, stride=1)")
        before = "m"
    m.give("weight", "w", whole(draw, small, small, low=-3, high=3))
    m.give("target", "t", np.float64(draw.randint(-5, 9)))
    m.value("o", ("sumall", ("*", "w", before)), f"sum(w * {before})")
    m.half_loss("o", "t")
    m.back(**{"w": ("*", d("o"), before), before: ("*", d("o"), "w")})
    if before == "m":
        m.back(h=("unpool", "h", d("m")))
        m.mistake("max-to-all", h=("unpoolall", "h", d("m")))
    m.back(y=bend, K=("convk", "x", d("y")), b=("sumall", d("y")))
    m.mistake("kernel-gradient-flipped", K=("flip", ("convk", "x", d("y"))))
    m.mistake("transposed", K=T(("convk", "x", d("y"))))
    if draw.random() < 0.4:
        m.back(x=("convx", d("y"), "K"))
        m.mistake("kernel-not-turned", x=("convx", d("y"), ("flip", "K")))
        m.mistake("overlap-overwritten", x=("convlast", d("y"), "K"))
    return m.done()


def batchnorm(draw: random.Random) -> Net:
    m = _Maker()
    m.net.batch = True
    rows, n, k = draw.choice([3, 4]), draw.choice([2, 3]), draw.choice([2, 3])
    m.give("input", "X", whole(draw, rows, n, low=-3, high=3))
    m.give("weight", "W", whole(draw, n, k))
    m.give("weight", "gamma", whole(draw, k, low=1, high=3))
    m.give("bias", "beta", whole(draw, k))
    m.give("target", "T", whole(draw, rows, k, zero=True))
    m.value("Z", ("@", "X", "W"), "X @ W")
    m.value("mu", ("mean0", "Z"), "mean(Z, axis=0)")
    m.value("C", ("-", "Z", "mu"), "Z - mu")
    m.value("v", ("mean0", ("*", "C", "C")), "mean(C^2, axis=0)")
    m.value("s", ("root", "v"), "sqrt(v)")
    m.value("N", ("/", "C", "s"), "C / s")
    m.value("Y", ("+", ("*", "gamma", "N"), "beta"), "gamma * N + beta")
    draw.choice([m.half_loss, m.mean_loss])("Y", "T")
    through = ("*", ("/", ("const", 2.0), ("const", rows)), ("*", "C", d("v")))
    over = ("/", d("N"), "s")
    m.back(
        gamma=("sum0", ("*", d("Y"), "N")),
        beta=("sum0", d("Y")),
        N=("*", d("Y"), "gamma"),
        s=("neg", ("sum0", ("/", ("*", d("N"), "C"), ("*", "s", "s")))),
        v=("/", d("s"), ("*", ("const", 2.0), "s")),
        C=("+", over, through),
        mu=("neg", ("sum0", d("C"))),
        Z=("+", d("C"), ("/", d("mu"), ("const", rows))),
        W=("@", T("X"), d("Z")),
    )
    m.mistake("mean-path-lost", Z=d("C"))
    m.mistake("variance-path-lost", C=over)
    m.mistake("upstream-forgotten", gamma=("sum0", "N"))
    m.mistake("bias-averaged", beta=("mean0", d("Y")))
    m.mistake("bias-not-summed", beta=d("Y"))
    m.mistake("transposed", W=("@", T(d("Z")), "X"))
    m.mistake("norm-factor-lost", C=("+", d("N"), through))
    m.mistake("weights-ignored", N=d("Y"))
    return m.done()


def tied(draw: random.Random) -> Net:
    m = _Maker()
    n, k = draw.choice([2, 3, 4]), draw.choice([2, 3])
    curve = m.net.curve = draw.choice(["relu", "sigmoid", "tanh"])
    m.give("input", "x", whole(draw, n, low=-3, high=3))
    m.give("weight", "W", whole(draw, k, n))
    m.give("bias", "b", whole(draw, k))
    m.give("bias", "c", whole(draw, n))
    m.give("target", "t", whole(draw, n, zero=True))
    m.value("z", ("+", ("@", "W", "x"), "b"), "W @ x + b")
    m.bend(curve, "z", "h")
    bend = m.net.back.pop("z")
    m.value("y", ("+", ("@", T("W"), "h"), "c"), "W.T @ h + c")
    m.half_loss("y", "t")
    uses = (("outer", "h", d("y")), ("outer", d("z"), "x"))
    m.back(c=d("y"), h=("@", "W", d("y")), z=bend, b=d("z"), W=("+", *uses))
    for use in uses:
        m.mistake("shared-once", W=use)
    if n == k:
        m.mistake("w-for-w-transposed", h=("@", T("W"), d("y")))
        m.mistake("weights-ignored", h=d("y"))
    return m.done()


KINDS: dict[str, Callable[[random.Random], Net]] = {
    "columns": columns, "logits": logits, "attention": attention, "recurrent": recurrent, "lstm": lstm,
    "convolution": convolution, "batchnorm": batchnorm, "tied": tied,
}  # fmt: skip
