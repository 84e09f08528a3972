"""Simulated students who go back through networks of arrays, on paper and in code.

    Net       a drawn network: layers of vectors or of batches, softmax, a skip connection, a shared weight
    student   goes forward and back with his own numbers, under a mistake or none
    written   the page: NumPy code, lecture notes in LaTeX with columns, or rows

What a student writes and what he computes come from one small tree, worked out here with NumPy alone: nothing is
shared with what marks the pages.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

Array = Any
Tree = Any
"""A value by name; ("d", name); ("T", t); ("@" | "*" | "-" | "+", t, t); ("outer", t, t); ("sum0" | "mean0" | "first0", t);
("slope", curve, z, a); ("const", number)."""

CURVES: dict[str, tuple[Callable[[Array], Array], Callable[[Array, Array], Array]]] = {
    "relu": (lambda z: np.maximum(z, 0.0), lambda z, a: (z > 0).astype(float)),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z, a: a * (1 - a)),
    "tanh": (np.tanh, lambda z, a: 1 - a**2),
}


@dataclass
class Net:
    """A network: its text, given arrays, values in order, and the right tree of each derivative, in the order of the way
    back. `mistakes` are other trees: by key, for some of the derivatives."""

    text: str = ""
    batch: bool = False
    curve: str = "relu"
    given: dict[str, Array] = field(default_factory=dict[str, Any])
    values: dict[str, Tree] = field(default_factory=dict[str, Any])
    back: dict[str, Tree] = field(default_factory=dict[str, Any])
    mistakes: dict[str, list[dict[str, Tree]]] = field(default_factory=dict[str, Any])

    def mistake(self, key: str, **trees: Tree) -> None:
        self.mistakes.setdefault(key, []).append(trees)


def d(name: str) -> Tree:
    return ("d", name)


def T(tree: Tree) -> Tree:
    return ("T", tree)


def _whole(draw: random.Random, *shape: int, low: int = -3, high: int = 3, zero: bool = False) -> Array:
    numbers = [n for n in range(low, high + 1) if n or zero]
    return np.array([draw.choice(numbers) for _ in range(int(np.prod(shape)))], float).reshape(shape)


def text_of(array: Array) -> str:
    return str(array.tolist()).replace(".0", "")


def drawn(seed: object, *, kind: str = "") -> Net:
    """A network from a seed. `kind`: plain, softmax, residual or shared."""
    draw = random.Random(f"net {seed}")
    while True:
        net = _drawn(draw, kind)
        with np.errstate(all="ignore"):
            work, rough = student(net), student(net, digits=3)
        if not np.isfinite(rough.values["L"]):
            continue
        small = net.curve == "relu" or all(np.abs(work.values[z]).max() < 6 for z in net.values if z[0] in "zZ")
        if small and 1e-3 < float(work.values["L"]) < 1e5 and all(np.any(value) for value in work.slopes.values()):
            return net


def _drawn(draw: random.Random, kind: str) -> Net:
    batch = draw.random() < 0.5
    kind = kind or draw.choice(["plain", "plain", "softmax", "residual", "shared"])
    curve = draw.choice(["relu", "relu", "sigmoid", "tanh"])
    net = Net(batch=batch, curve=curve)
    x, z, a = ("X", "Z", "A") if batch else ("x", "z", "a")
    rows = draw.randint(2, 4)
    inner = draw.choice([2, 3])
    sizes = [
        draw.choice([2, 3]),
        inner,
        inner if kind in ("residual", "shared") or draw.random() < 0.3 else draw.choice([2, 3]),
    ]
    if kind == "shared":
        sizes = [inner, inner, inner]
    out = draw.choice([2, 3]) if kind == "softmax" else draw.choice([1, 2, 3]) if batch else draw.choice([2, 3])
    sizes.append(out)
    net.given[x] = _whole(draw, *((rows, sizes[0]) if batch else (sizes[0],)))
    before = x
    lines: list[str] = []
    layers: list[tuple[str, str, str, str]] = []
    skip = ""
    for layer in (1, 2, 3):
        weight = "W1" if kind == "shared" and layer == 2 else f"W{layer}"
        if weight not in net.given:
            shape = (sizes[layer - 1], sizes[layer]) if batch else (sizes[layer], sizes[layer - 1])
            net.given[weight] = _whole(draw, *shape, low=-2, high=2)
        net.given[f"b{layer}"] = _whole(draw, sizes[layer], low=-2, high=2)
        name = f"{z}{layer}"
        product = ("@", before, weight) if batch else ("@", weight, before)
        net.values[name] = ("+", product, f"b{layer}")
        lines.append(
            f"{name} = {before} @ {weight} + b{layer}" if batch else f"{name} = {weight} @ {before} + b{layer}"
        )
        layers.append((name, weight, f"b{layer}", before))
        if layer < 3:
            net.values[f"{a}{layer}"] = ("curve", curve, name)
            lines.append(f"{a}{layer} = {curve}({name})")
            before = f"{a}{layer}"
            if kind == "residual" and layer == 2:
                skip = "R" if batch else "r"
                net.values[skip] = ("+", f"{a}1", f"{a}2")
                lines.append(f"{skip} = {a}1 + {a}2")
                before = skip
    last = f"{z}3"
    target = "T" if batch else "t"
    shape = (rows, out) if batch else (out,)
    if kind == "softmax":
        labels = [draw.randrange(out) for _ in range(rows if batch else 1)]
        net.given[target] = np.eye(out)[labels] if batch else np.eye(out)[labels[0]]
        p = "P" if batch else "p"
        net.values[p] = ("softmax", last)
        lines += [
            f"{p} = softmax({last}{', axis=1' if batch else ''})",
            f"L = mean(cross_entropy({p}, {target}))" if batch else f"L = cross_entropy({p}, {target})",
        ]
        count = rows if batch else 1
        right = ("-", p, target)
        net.values["L"] = ("ce", p, target)
    else:
        net.given[target] = _whole(draw, *shape, zero=True)
        count = int(np.prod(shape))
        right = ("-", last, target)
        if batch:
            lines.append(f"L = mean(({last} - {target})^2)")
            net.values["L"] = ("mse", last, target)
        else:
            lines.append(f"L = sum(({last} - {target})^2)/2")
            net.values["L"] = ("half", last, target)
    factor = 1.0 if not batch else (1.0 if kind == "softmax" else 2.0)
    whole = right if not batch else ("/", right if factor == 1 else ("*", ("const", factor), right), ("const", count))
    net.back[last] = whole
    _loss_mistakes(net, kind, last=last, target=target, right=right, factor=factor, count=count)
    _back(net, layers, kind=kind, skip=skip, a=a, rows=rows)
    head = []
    for name, value in net.given.items():
        sort = "weight" if name[0] == "W" else "bias" if name[0] == "b" else "target" if name == target else "input"
        head.append(f"{sort} {name} = {text_of(value)}")
    net.text = "\n".join([*head, *lines])
    return net


def _loss_mistakes(net: Net, kind: str, *, last: str, target: str, right: Tree, factor: float, count: int) -> None:
    batch = net.batch
    turned = ("-", right[2], right[1])

    def scaled(tree: Tree) -> Tree:
        return ("/", tree, ("const", count)) if batch else tree

    def times(tree: Tree) -> Tree:
        return tree if factor == 1 else ("*", ("const", factor), tree)

    net.mistake("sign-at-loss", **{last: scaled(times(turned))})
    net.mistake("target-left-out", **{last: scaled(times(right[1]))})
    if batch:
        net.mistake("mean-forgotten", **{last: times(right)})
        net.mistake("mean-twice", **{last: ("/", scaled(times(right)), ("const", count))})
        if factor == 2:
            net.mistake("loss-factor-lost", **{last: scaled(right)})
    elif kind != "softmax":
        net.mistake("loss-factor-lost", **{last: ("*", ("const", 2.0), right)})
    if kind == "softmax":
        p = right[1]
        net.mistake("logits-for-probabilities", **{last: scaled(("-", last, target))})
        net.mistake("softmax-slope-twice", **{last: scaled(("*", right, ("*", p, ("-", ("const", 1.0), p))))})


def _back(net: Net, layers: list[tuple[str, str, str, str]], *, kind: str, skip: str, a: str, rows: int) -> None:
    """The way back, layer by layer, and what may go wrong there."""
    batch = net.batch

    def through(name: str, weight: str) -> Tree:
        return ("@", d(name), T(weight)) if batch else ("@", T(weight), d(name))

    def weights(name: str, before: str) -> Tree:
        return ("@", T(before), d(name)) if batch else ("outer", d(name), before)

    uses: dict[str, list[Tree]] = {}
    for at, (name, weight, bias, before) in reversed(list(enumerate(layers))):
        if at < 2:
            after = f"{a}{at + 1}"
            slope = ("slope", net.curve, name, after)
            net.back[name] = ("*", d(after), slope)
            _curve_mistakes(net, name, after)
        uses.setdefault(weight, []).append(weights(name, before))
        net.back[bias] = ("sum0", d(name)) if batch else d(name)
        if batch:
            net.mistake("bias-not-summed", **{bias: d(name)})
            net.mistake("bias-averaged", **{bias: ("mean0", d(name))})
            net.mistake("one-sample-only", **{bias: ("first0", d(name))})
        shared = kind == "shared" and weight == "W1"
        if not shared:
            net.back[weight] = weights(name, before)
            turned = ("@", T(d(name)), before) if batch else ("outer", before, d(name))
            net.mistake("transposed", **{weight: turned})
            net.mistake("upstream-forgotten", **{bias: ("sum0", ("ones", d(name))) if batch else ("ones", d(name))})
            if batch and net.given[weight].shape[0] == rows == net.given[weight].shape[1]:
                net.mistake("elementwise-for-product", **{weight: ("*", before, d(name))})
        elif at == 0:
            net.back[weight] = ("+", uses[weight][0], uses[weight][1])
            net.mistake("shared-once", **{weight: uses[weight][0]})
            net.mistake("shared-once", **{weight: uses[weight][1]})
        square = net.given[weight].shape[0] == net.given[weight].shape[1]
        if kind == "residual" and at == 1:
            net.back[f"{a}1"] = ("+", d(skip), through(name, weight))
            net.mistake("skip-dropped", **{f"{a}1": through(name, weight)})
            net.mistake("skip-only", **{f"{a}1": d(skip)})
        else:
            net.back[before] = through(name, weight)
            if square:
                same = ("@", d(name), weight) if batch else ("@", weight, d(name))
                net.mistake("w-for-w-transposed", **{before: same})
                net.mistake("weights-ignored", **{before: d(name)})
        if before == skip and skip:
            net.back[f"{a}2"] = d(skip)


def _curve_mistakes(net: Net, name: str, after: str) -> None:
    def sloped(tree: Tree) -> dict[str, Tree]:
        return {name: ("*", d(after), tree)}

    net.mistake("activation-slope-lost", **{name: d(after)})
    net.mistake("value-for-slope", **sloped(after))
    if net.curve == "relu":
        net.mistake("mask-inverted", **sloped(("-", ("const", 1.0), ("slope", "relu", name, after))))
        net.mistake("mask-by-gradient", **{name: ("*", d(after), ("slope", "relu", d(after), after))})
    if net.curve == "sigmoid":
        net.mistake("slope-at-wrong-variable", **sloped(("*", name, ("-", ("const", 1.0), name))))
        net.mistake("half-slope", **sloped(("-", ("const", 1.0), after)))
        net.mistake("slope-of-wrong-function", **sloped(("slope", "tanh", name, after)))
    if net.curve == "tanh":
        net.mistake("slope-at-wrong-variable", **sloped(("slope", "tanh", name, name)))
        net.mistake("slope-of-wrong-function", **sloped(("slope", "sigmoid", name, after)))
    net.mistake("upstream-forgotten", **{name: ("slope", net.curve, name, after)})


# -- working out ------------------------------------------------------------------------------------------------------


def worth(tree: Tree, values: dict[str, Array], slopes: dict[str, Array]) -> Array:
    if isinstance(tree, str):
        return values[tree]
    head, *parts = tree
    if head == "d":
        return slopes[parts[0]]
    if head == "const":
        return np.asarray(parts[0])
    if head == "sqrt":
        return np.asarray(np.sqrt(parts[0]))
    if head in ("sumk", "meank"):
        inside = worth(parts[1], values, slopes)
        return (inside.sum if head == "sumk" else inside.mean)(axis=parts[0], keepdims=True)
    if head == "curve":
        return CURVES[parts[0]][0](worth(parts[1], values, slopes))
    if head == "slope":
        one, other = (worth(part, values, slopes) for part in parts[1:])
        return CURVES[parts[0]][1](one, other)
    args = [worth(part, values, slopes) for part in parts]
    match head:
        case "T":
            return args[0].T
        case "@":
            return args[0] @ args[1]
        case "*":
            return args[0] * args[1]
        case "/":
            return args[0] / args[1]
        case "+":
            return args[0] + args[1]
        case "-":
            return args[0] - args[1]
        case "outer":
            return np.outer(args[0], args[1])
        case "sum0":
            return args[0].sum(axis=0)
        case "mean0":
            return args[0].mean(axis=0)
        case "first0":
            return args[0][-1]
        case "sumall":
            return args[0].sum()
        case "neg":
            return -args[0]
        case "root":
            return np.sqrt(args[0])
        case "diag":
            return np.diag(args[0])
        case "flip":
            return args[0][::-1, ::-1]
        case "conv" | "convk":
            return _slid(args[0], args[1])
        case "convx":
            edge = np.array(args[1].shape) - 1
            return _slid(np.pad(args[0], [(int(n), int(n)) for n in edge]), args[1][::-1, ::-1])
        case "convlast":
            return _last_window(args[0], args[1])
        case "pool":
            return np.array([[args[0][i : i + 2, j : j + 2].max() for j in range(len(args[0]) - 1)]
                             for i in range(len(args[0]) - 1)])  # fmt: skip
        case "unpool" | "unpoolall":
            return _unpooled(args[0], args[1], every=head == "unpoolall")
        case "ones":
            return np.ones_like(args[0])
        case "softmax":
            e = np.exp(args[0] - args[0].max(axis=-1, keepdims=True))
            return e / e.sum(axis=-1, keepdims=True)
        case "plain softmax":
            return args[0] / args[0].sum(axis=-1, keepdims=True)
        case "softmax the other way":
            e = np.exp(args[0])
            return e / e.sum(axis=0, keepdims=True)
        case "squares":
            return ((args[0] - args[1]) ** 2).sum()
        case "ce":
            return -np.log((args[1] * args[0]).sum(axis=-1)).mean()
        case "mse":
            return ((args[0] - args[1]) ** 2).mean()
        case "half":
            return ((args[0] - args[1]) ** 2).sum() / 2
        case _:
            raise ValueError(head)


def _slid(image: Array, kernel: Array) -> Array:
    """The kernel slid over an image as it is."""
    rows, cols = (a - b + 1 for a, b in zip(image.shape, kernel.shape, strict=True))
    high, wide = kernel.shape
    return np.array([[(image[i : i + high, j : j + wide] * kernel).sum() for j in range(cols)] for i in range(rows)])


def _last_window(back: Array, kernel: Array) -> Array:
    """What comes back to an image if each window writes over the one before."""
    high, wide = kernel.shape
    made = np.zeros((back.shape[0] + high - 1, back.shape[1] + wide - 1))
    for (i, j), value in np.ndenumerate(back):
        made[i : i + high, j : j + wide] = value * kernel
    return made


def _unpooled(image: Array, back: Array, *, every: bool) -> Array:
    made = np.zeros(image.shape)
    for (i, j), value in np.ndenumerate(back):
        window = image[i : i + 2, j : j + 2]
        places = list(np.ndindex(2, 2)) if every else [np.unravel_index(int(window.argmax()), (2, 2))]
        for k, n in places:
            made[i + k, j + n] += value
    return made


@dataclass
class Working:
    """What somebody has: for each thing its tree and its numbers, in the order of the page."""

    net: Net
    values: dict[str, Array]
    slopes: dict[str, Array]
    trees: dict[str, Tree]
    mistaken: frozenset[str] = frozenset()


def student(
    net: Net, changes: dict[str, Tree] | None = None, digits: int | None = None, forward: dict[str, Tree] | None = None
) -> Working:
    """Goes forward and back; with `digits` all numbers are rounded on the way, as on paper. `changes` are other trees of
    derivatives, `forward` of values."""

    def kept(value: Array) -> Array:
        return np.asarray(value if digits is None else np.round(value, digits))

    if forward:
        net = replace(net, values={**net.values, **forward})
    values = dict(net.given)
    for name, tree in net.values.items():
        values[name] = kept(worth(tree, values, {}))
    slopes: dict[str, Array] = {}
    trees = {**net.back, **(changes or {})}
    for name in net.back:
        slopes[name] = kept(worth(trees[name], values, slopes))
    return Working(net, values, slopes, trees, frozenset(changes or {}))


# -- writing ----------------------------------------------------------------------------------------------------------


def number(value: float, digits: int | None) -> str:
    if digits is None or abs(value - round(value)) < 1e-12:
        text = f"{value:.10g}"
        return text if text != "-0" else "0"
    text = f"{value:.{digits}f}"
    return text[1:] if text.startswith("-") and not float(text) else text


def listed(value: Array, digits: int | None) -> str:
    if not np.ndim(value):
        return number(float(value), digits)
    return "[" + ", ".join(listed(part, digits) for part in value) + "]"


def bmatrix(value: Array, digits: int | None) -> str:
    if not np.ndim(value):
        return number(float(value), digits)
    rows = value.reshape(-1, 1) if value.ndim == 1 else value
    cells = r" \\ ".join(" & ".join(number(float(n), digits) for n in row) for row in rows)
    return rf"\begin{{bmatrix}} {cells} \end{{bmatrix}}"


def printed(value: Array, digits: int | None) -> str:
    if not np.ndim(value):
        return number(float(value), digits)
    return np.array2string(
        value, precision=8 if digits is None else digits, suppress_small=True, floatmode="maxprec", max_line_width=200
    )


STYLES = ("numpy", "latex", "rows")


def formula(tree: Tree, style: str, inside: bool = False) -> str:
    """A tree as a formula; "" where a part of it has no spelling in that style."""
    try:
        return _formula(tree, style, inside)
    except Unwritable:
        return ""


class Unwritable(Exception):
    """A part of a formula has no spelling."""


def _formula(tree: Tree, style: str, inside: bool) -> str:
    if isinstance(tree, str):
        return tree if style != "latex" else f"{tree[0]}_{{{tree[1:]}}}" if tree[1:] else tree
    head, *parts = tree

    def sub(part: Tree) -> str:
        return _formula(part, style, True)

    def bracket(text: str) -> str:
        return f"({text})" if inside else text

    latex = style == "latex"
    match head:
        case "d":
            name = _formula(parts[0], style, False)
            if latex:
                return rf"\frac{{\partial L}}{{\partial {name}}}"
            return f"d{name}" if style == "numpy" else f"dL/d{name}"
        case "const":
            return f"{parts[0]:g}"
        case "slope":
            curve, z, a = parts
            if curve == "relu":
                return (
                    f"({sub(z)} > 0)"
                    if style == "numpy"
                    else rf"\mathrm{{relu}}'({sub(z)})"
                    if latex
                    else f"relu'({sub(z)})"
                )
            one = sub(a)
            if curve == "sigmoid":
                text = f"{one} * (1 - {one})" if not latex else rf"{one} \odot (1 - {one})"
                return bracket(text)
            return f"(1 - {one}**2)" if style == "numpy" else f"(1 - {one}^2)"
        case "T":
            text = sub(parts[0])
            return f"{text}.T" if style == "numpy" else rf"{text}^\top" if latex else f"{text}^T"
        case "@":
            sign = {"numpy": " @ ", "latex": " ", "rows": " "}[style]
            return bracket(sub(parts[0]) + sign + sub(parts[1]))
        case "*":
            numbers = not isinstance(parts[0], str) and parts[0][0] == "const"
            sign = " * " if style == "numpy" else r" \odot " if latex and not numbers else " " if numbers else " ⊙ "
            return bracket(sub(parts[0]) + sign + sub(parts[1]))
        case "/":
            if latex:
                return rf"\frac{{{_formula(parts[0], style, False)}}}{{{sub(parts[1])}}}"
            return bracket(f"{sub(parts[0])} / {sub(parts[1])}")
        case "+" | "-":
            return bracket(f"{_formula(parts[0], style, head == '-')} {head} {sub(parts[1])}")
        case "outer":
            if style == "numpy":
                return f"np.outer({_formula(parts[0], style, False)}, {_formula(parts[1], style, False)})"
            return bracket(f"{sub(parts[0])} {sub(T(parts[1]))}")
        case "sum0":
            inner = _formula(parts[0], style, False)
            return f"np.sum({inner}, axis=0)" if style == "numpy" else f"sum({inner}, axis=0)"
        case "mean0":
            inner = _formula(parts[0], style, False)
            return f"np.mean({inner}, axis=0)" if style == "numpy" else f"mean({inner}, axis=0)"
        case "neg":
            return bracket(f"-{sub(parts[0])}")
        case "sqrt":
            return {"numpy": f"np.sqrt({parts[0]})", "latex": rf"\sqrt{{{parts[0]}}}", "rows": f"sqrt({parts[0]})"}[
                style
            ]
        case "diag":
            return {"numpy": f"np.diag({sub(parts[0])})", "latex": rf"\mathrm{{diag}}({sub(parts[0])})",
                    "rows": f"diag({sub(parts[0])})"}[style]  # fmt: skip
        case "sumk" | "meank" if style == "numpy":
            inner = _formula(parts[1], style, False)
            return f"np.{head[:-1]}({inner}, axis={parts[0]}, keepdims=True)"
        case "sumall" if style != "latex":
            return (
                f"np.sum({_formula(parts[0], style, False)})"
                if style == "numpy"
                else f"sum({_formula(parts[0], style, False)})"
            )
        case "root" if style != "latex":
            return (
                f"np.sqrt({_formula(parts[0], style, False)})"
                if style == "numpy"
                else f"sqrt({_formula(parts[0], style, False)})"
            )
        case "softmax" if style == "numpy":
            return f"softmax({_formula(parts[0], style, False)})"
        case "curve":
            name = rf"\mathrm{{{parts[0]}}}" if latex else parts[0]
            return f"{name}({_formula(parts[1], style, False)})"
        case _:
            raise Unwritable(head)


def written(work: Working, seed: object, *, style: str = "", formulas: float = 0.6, digits: int | None = None) -> str:
    """The page."""
    draw = random.Random(f"hand {seed}")
    style = style or draw.choice(STYLES)
    lines: list[str] = []
    things: list[tuple[Tree, Tree | None, Array]] = [
        (name, tree, work.values[name]) for name, tree in work.net.values.items()
    ]
    things += [(d(name), work.trees[name], value) for name, value in work.slopes.items()]
    for head, tree, value in things:
        name = formula(head, style)
        rule = formula(tree, style) if draw.random() < formulas else ""
        if rule == name:
            rule = ""
        if style == "latex":
            links = [name, *([rule] if rule else []), bmatrix(value, digits)]
            sign = r" \approx " if digits is not None and "." in links[-1] else " = "
            lines.append("$$" + " = ".join(links[:-1]) + sign + links[-1] + "$$")
        elif style == "numpy":
            if rule:
                lines.append(f"{name} = {rule}")
            shown = printed(value, digits)
            if "\n" in shown:
                lines += [f"{name} =", *shown.split("\n")]
            else:
                lines.append(f"{name} = {shown}")
        else:
            links = [name, *([rule] if rule else []), listed(value, digits)]
            lines.append(" = ".join(links))
    return "\n".join(lines)


def cases(net: Net) -> Iterator[tuple[str, dict[str, Tree]]]:
    for key, alternatives in net.mistakes.items():
        for changes in alternatives:
            yield key, changes


def noisy(net: Net, seed: object, digits: int | None = None) -> tuple[Working, str, list[tuple[str, tuple[int, ...]]]]:
    """Wrong pages without a mistake behind them: slips in some elements, carried on or not, and numbers of another
    page. Also what sort it is, and the elements that were changed."""
    draw = random.Random(f"noise {seed}")
    sort = draw.choice(["slip", "slip", "carried", "other", "guessed"])
    work = student(net, digits=digits)
    names = list(work.slopes)
    unit = 1.0 if digits is None else 10.0**-digits
    changed: list[tuple[str, tuple[int, ...]]] = []
    if sort in ("other", "guessed"):
        for name in draw.sample(names, draw.randint(1, max(2, len(names) // 2))):
            shape = np.shape(work.slopes[name])
            size = int(np.prod(shape))
            if sort == "other":
                pool = [float(n) for other in work.slopes.values() for n in np.ravel(other)]
            else:
                pool = [float(n) for n in range(-12, 13)]
            work.slopes[name] = np.array([draw.choice(pool) for _ in range(size)]).reshape(shape)
        return work, sort, []
    for name in draw.sample(names, draw.randint(1, 3)):
        value = np.array(work.slopes[name], float)
        place = tuple(draw.randrange(n) for n in value.shape)
        step = draw.choice([-1, 1]) * draw.randint(10, 60) * unit
        if digits is None:
            step = float(draw.choice([-1, 1]) * draw.randint(1, 9))
        value[place] = round(value[place] + step, digits or 9)
        if (
            digits is not None
            and abs(value[place] * 10 ** (digits - 1) - round(value[place] * 10 ** (digits - 1))) < 1e-6
        ):
            value[place] = round(value[place] + unit, digits)  # printed with all its decimals
        work.slopes[name] = value
        changed.append((name, place))
        if sort == "carried":
            after = names[names.index(name) + 1 :]
            for later in after:
                found = worth(work.trees[later], work.values, work.slopes)
                work.slopes[later] = found if digits is None else np.round(found, digits)
            break
    return work, sort, changed
