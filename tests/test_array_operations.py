"""The table of operations on arrays tests itself: a row is tested by having cases here, and has to have some.

Every case is tried on sizes that all differ, on sizes of 1, and on random ones. PyTorch and JAX know only what the
operation is called there. What is compared: the value; what comes back to each argument; fractions with floats;
a row's own way back with the way through its formula; forward mode; and second derivatives, by differentiating
the formula of the way back again, with differences of the first ones.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from random_nets import QUICKLY

from backhand.core import arrays as ar
from backhand.core.adjoints import Shapes, pulled_back, tidied
from backhand.core.array_operations import ROWS, ArrayOperation, node
from backhand.core.arrays import given, value_formula
from backhand.core.formula import Apply, Formula, Held, Ref, apply, postorder
from backhand.core.graph import Graph, Quantity
from backhand.core.notation import formula as read
from backhand.core.operations import ADD
from backhand.core.propagate import Propagation, propagate
from backhand.errors import BackhandError
from backhand.solving.cross_check import cross_check

NIGHTLY = bool(os.environ.get("BACKHAND_NIGHTLY"))
SEEDS = range(4) if NIGHTLY else range(3)
LETTERS = "abcdhkosw"


@dataclass
class Case:
    """`formula` in the names of `shapes`, whose sizes are letters (`a, b+1`); `{a}` in it is a size. `kinds` says what the
    elements are: any number but for "positive", "probability", "between" 0 and 1, "mask", or whole numbers below a
    size. `torch` and `jax` are functions of the libraries (as T, F or J, N) and the arrays; `sizes` those of letters."""

    row: str
    formula: str | Callable[..., Formula]
    shapes: dict[str, str]
    torch: Callable[..., Any] | None
    jax: Callable[..., Any] | None
    kinds: dict[str, str] = field(default_factory=dict)
    least: dict[str, int] = field(default_factory=dict)
    smooth: bool = True

    def sizes(self, seed: int) -> dict[str, int]:
        draw = random.Random(f"{seed}{self.formula}")
        if seed == 0:
            sizes = dict(zip(LETTERS, (2, 3, 4, 5, 3, 2, 3, 2, 4), strict=True))
        else:
            sizes = {letter: 1 if seed == 1 else draw.randint(1, 4) for letter in LETTERS}
        return {letter: max(size, self.least.get(letter, 1)) for letter, size in sizes.items()}

    def definition(self, sizes: dict[str, int]) -> Formula:
        return read(self.formula.format(**sizes)) if isinstance(self.formula, str) else self.formula(**sizes)

    def shape(self, name: str, sizes: dict[str, int]) -> tuple[int, ...]:
        return tuple(eval(part, {}, dict(sizes)) for part in self.shapes[name].split(",") if part.strip())

    def arrays(self, seed: int, *, exact: bool = False) -> dict[str, Any]:
        sizes = self.sizes(seed)
        draw = np.random.default_rng(seed)
        return {
            name: made(self.kinds.get(name, ""), self.shape(name, sizes), sizes, draw, exact) for name in self.shapes
        }

    @property
    def moving(self) -> list[str]:
        return [name for name in self.shapes if not self.kinds.get(name, "").startswith("below")]


def made(kind: str, shape: tuple[int, ...], sizes: dict[str, int], draw: Any, exact: bool) -> Any:
    if kind.startswith("below"):
        return draw.integers(0, eval(kind[6:], {}, dict(sizes)), shape).astype(float)
    if kind == "mask":
        found = draw.integers(0, 2, shape).astype(float)
        return np.maximum(found, np.arange(shape[-1]) == 0)
    if exact:
        # all different, so that nothing stands at a corner
        count = int(np.prod(shape))
        numbers = draw.permutation(count * 3)[:count] + 1
        whole = np.empty(count, object)
        for place, number in enumerate(numbers):
            whole[place] = (
                Fraction(int(number), 3 * count + 2) if kind else Fraction(int(number) - count, 7) - Fraction(1, 14)
            )
        whole = whole.reshape(shape)
        return whole / whole.sum(-1, keepdims=True) if kind == "probability" else whole
    found = draw.normal(size=shape)
    if kind in ("positive", "probability"):
        found = np.abs(found) + 0.1
    if kind == "between":
        found = 1 / (1 + np.exp(-found))
    if kind == "probability":
        found = found / found.sum(-1, keepdims=True)
    return found


def case(
    row: str,
    formula: Any,
    shapes: dict[str, str],
    torch: Any,
    jax: Any,
    *,
    least: Any = None,
    smooth: bool = True,
    **kinds: str,
) -> Case:
    return Case(row, formula, shapes, torch, jax, kinds, least or {}, smooth)


def same(row: str, formula: Any, shapes: dict[str, str], oracle: Any, **more: Any) -> Case:
    """Both libraries say it with the same words."""
    return case(
        row, formula, shapes, lambda T, F, *args: oracle(T, *args), lambda J, N, *args: oracle(J, *args), **more
    )


def total(X: Any, u: Any, axis: Any, keep: bool = False) -> Any:
    return u.sum(dim=axis, keepdim=keep) if X.__name__ == "torch" else u.sum(axis=axis, keepdims=keep)


def average(X: Any, u: Any, axis: Any, keep: bool = False) -> Any:
    return u.mean(dim=axis, keepdim=keep) if X.__name__ == "torch" else u.mean(axis=axis, keepdims=keep)


def swap(X: Any, u: Any) -> Any:
    return u.transpose(-1, -2) if X.__name__ == "torch" else X.swapaxes(u, -1, -2)


def permuted(X: Any, u: Any, axes: tuple[int, ...]) -> Any:
    return u.permute(*axes) if X.__name__ == "torch" else X.transpose(u, axes)


def softmax(X: Any, u: Any, axis: int = -1) -> Any:
    if X.__name__ == "torch":
        return X.softmax(u, axis)
    import jax

    return jax.nn.softmax(u, axis)


def whole(X: Any, v: Any) -> Any:
    return v.long() if X.__name__ == "torch" else v.astype(int)


def normal(X: Any, u: Any, axes: tuple[int, ...], eps: float) -> Any:
    middle = average(X, u, axes, True)
    return (u - middle) / X.sqrt(average(X, (u - middle) ** 2, axes, True) + eps)


def attended(X: Any, u: Any, v: Any, w: Any, m: Any = None) -> Any:
    scores = u @ swap(X, v) / u.shape[-1] ** 0.5
    if m is None:
        return softmax(X, scores) @ w
    return X.exp(scores) * m / total(X, X.exp(scores) * m, -1, True) @ w


def jax_conv(axes: int, stride: Any, padding: Any, dilation: Any) -> Any:
    """By JAX, with channels or without, with a batch or without."""

    def convolved(J: Any, N: Any, u: Any, v: Any) -> Any:
        from jax import lax

        plain = v.ndim == axes
        kernel = v[None, None] if plain else v
        front = u.shape[: u.ndim - axes - (not plain)]
        image = u.reshape(-1, kernel.shape[1], *u.shape[-axes:])
        pairs = [several(x, axes) for x in (stride, padding, dilation)]
        out = lax.conv_general_dilated(image, kernel, pairs[0], [(p, p) for p in pairs[1]], rhs_dilation=pairs[2])
        return out.reshape(*front, *([] if plain else [kernel.shape[0]]), *out.shape[2:])

    return convolved


def torch_conv(axes: int, stride: Any, padding: Any, dilation: Any) -> Any:
    def convolved(T: Any, F: Any, u: Any, v: Any) -> Any:
        plain = v.ndim == axes
        kernel = v[None, None] if plain else v
        front = u.shape[: u.ndim - axes - (not plain)]
        image = u.reshape(-1, kernel.shape[1], *u.shape[-axes:])
        function = F.conv1d if axes == 1 else F.conv2d
        out = function(image, kernel, None, stride, padding, dilation)
        return out.reshape(*front, *([] if plain else [kernel.shape[0]]), *out.shape[2:])

    return convolved


def several(value: Any, axes: int) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,) * axes


def conv(axes: int, image: str, kernel: str, *steps: Any) -> Case:
    """`steps` are stride, padding and dilation, as far as they are not the usual ones."""
    stride, padding, dilation = (*steps, *(1, 0, 1)[len(steps) :])
    text = f"conv{axes}d(u, v, stride={stride}, padding={padding}, dilation={dilation})"
    told = axes, stride, padding, dilation
    return case(f"conv{axes}d", text, {"u": image, "v": kernel}, torch_conv(*told), jax_conv(*told))


def conv_back(image: str, kernel: str, result: str, to: str, *steps: int) -> Case:
    """What PyTorch and JAX send back, as an operation of its own: it has a way back, too."""
    stride, padding, dilation = (*steps, *(1, 0, 1)[len(steps) :])
    at = {"stride": stride, "padding": padding, "dilation": dilation}
    first, second = ("g", "v") if to == "image" else ("g", "u")

    def shape_of(text: str, sizes: dict[str, int]) -> tuple[int, ...]:
        return tuple(eval(part, {}, dict(sizes)) for part in text.split(","))

    def formula(**sizes: int) -> Formula:
        shape = shape_of(image if to == "image" else kernel, sizes)
        return node(f"conv_back_{to}", Ref(first), Ref(second), shape=shape, **at)

    def by_torch(T: Any, F: Any, g: Any, other: Any, *, sizes: dict[str, int]) -> Any:
        function = getattr(T.nn.grad, "conv2d_input" if to == "image" else "conv2d_weight")
        shape = shape_of(image if to == "image" else kernel, sizes)
        return function(shape, other, g, **at) if to == "image" else function(other, shape, g, **at)

    def by_jax(J: Any, N: Any, g: Any, other: Any, *, sizes: dict[str, int]) -> Any:
        import jax

        function = jax_conv(2, stride, padding, dilation)
        zero = J.zeros(shape_of(image if to == "image" else kernel, sizes))
        if to == "image":
            return jax.vjp(lambda x: function(J, N, x, other), zero)[1](g)[0]
        return jax.vjp(lambda x: function(J, N, other, x), zero)[1](g)[0]

    return case(f"conv_back_{to}", formula, {"g": result, second: kernel if to == "image" else image}, by_torch, by_jax)


def fold(size: tuple[int, int], stride: int, padding: int) -> Case:
    def formula(**sizes: int) -> Formula:
        return node("fold", Ref("u"), shape=(sizes["h"] + 3, sizes["w"] + 3), size=size, stride=stride, padding=padding)

    rows, columns = (
        f"(({letter}+3+{2 * padding}-{part})//{stride}+1)" for letter, part in zip("hw", size, strict=True)
    )

    def by_torch(T: Any, F: Any, u: Any, *, sizes: dict[str, int]) -> Any:
        flat = u.reshape(-1, u.shape[-1]).T[None]
        return F.fold(flat, (sizes["h"] + 3, sizes["w"] + 3), size, 1, padding, stride)[0, 0]

    def by_jax(J: Any, N: Any, u: Any, *, sizes: dict[str, int]) -> Any:
        import jax

        zero = J.zeros((sizes["h"] + 3, sizes["w"] + 3))
        return jax.vjp(lambda x: jax_unfold(size, stride, padding)(J, N, x), zero)[1](u)[0]

    return case("fold", formula, {"u": f"{rows}, {columns}, {size[0] * size[1]}"}, by_torch, by_jax)


def jax_unfold(size: tuple[int, ...], stride: int, padding: int, dilation: int = 1) -> Any:
    def unfolded(J: Any, N: Any, u: Any) -> Any:
        axes = len(size)
        image = J.pad(u, [(0, 0)] * (u.ndim - axes) + [(padding, padding)] * axes)
        count = [(n - (k - 1) * dilation - 1) // stride + 1 for n, k in zip(image.shape[-axes:], size, strict=True)]
        parts = [
            image[
                (
                    ...,
                    *(
                        slice(p * dilation, p * dilation + (n - 1) * stride + 1, stride)
                        for p, n in zip(place, count, strict=True)
                    ),
                )
            ]
            for place in np.ndindex(*size)
        ]
        return J.stack(parts, -1)

    return unfolded


def torch_unfold(size: tuple[int, ...], stride: int, padding: int, dilation: int = 1) -> Any:
    def unfolded(T: Any, F: Any, u: Any) -> Any:
        axes = len(size)
        image = u.reshape(-1, 1, *([1] * (2 - axes)), *u.shape[-axes:])
        wide = (1,) * (2 - axes) + size
        edges = (0,) * (2 - axes) + (padding,) * axes
        found = F.unfold(image, wide, dilation, edges, stride)
        count = [
            (n + 2 * padding - (k - 1) * dilation - 1) // stride + 1 for n, k in zip(u.shape[-axes:], size, strict=True)
        ]
        return found.transpose(1, 2).reshape(*u.shape[: u.ndim - axes], *count, found.shape[1])

    return unfolded


def pool(kind: str, size: tuple[int, int], stride: Any = None, padding: int = 0) -> Case:
    told = f"size={size}" + (f", stride={stride}" if stride else "") + (f", padding={padding}" if padding else "")

    def by_torch(T: Any, F: Any, u: Any) -> Any:
        function = F.max_pool2d if kind == "max" else F.avg_pool2d
        image = u.reshape(-1, 1, *u.shape[-2:])
        out = function(image, size, stride, padding)
        return out.reshape(*u.shape[:-2], *out.shape[2:])

    def by_jax(J: Any, N: Any, u: Any) -> Any:
        steps = several(stride, 2) if stride else size
        rows = [J.pad(u, [(0, 0)] * (u.ndim - 2) + [(padding, padding)] * 2)]
        count = [(n - k) // s + 1 for n, k, s in zip(rows[0].shape[-2:], size, steps, strict=True)]
        parts = [
            rows[0][..., i : i + count[0] * steps[0] : steps[0], j : j + count[1] * steps[1] : steps[1]][
                ..., : count[0], : count[1]
            ]
            for i in range(size[0])
            for j in range(size[1])
        ]
        stacked = J.stack(parts)
        return stacked.max(0) if kind == "max" else stacked.mean(0)

    return case(f"{kind}_pool", f"{kind}_pool(u, {told})", {"u": f"a, h+{size[0]}, w+{size[1]}"}, by_torch, by_jax)


def gathered(X: Any, u: Any, v: Any) -> Any:
    return u[whole(X, v)]


def hot(X: Any, v: Any, size: int) -> Any:
    return X.eye(size, dtype=X.float64)[whole(X, v)]


def placed(X: Any, shape: tuple[int, ...], key: Any, u: Any) -> Any:
    if X.__name__ == "torch":
        found = X.zeros(shape, dtype=X.float64)
        found[key] = u
        return found
    return X.zeros(shape).at[key].set(u)


def scattered(X: Any, size: int, u: Any, v: Any) -> Any:
    if X.__name__ == "torch":
        return X.zeros((size, *u.shape[1:]), dtype=X.float64).index_add(0, v.long(), u)
    return X.zeros((size, *u.shape[1:])).at[v.astype(int)].add(u)


U2, U3 = {"u": "a, b"}, {"u": "a, b, c"}

CASES: list[Case] = [
    # -- sums
    same("sum", "sum(u)", U3, lambda X, u: u.sum()),
    same("sum", "sum(u)", {"u": ""}, lambda X, u: u.sum()),
    same("sum", "sum(u, axis=1)", U3, lambda X, u: total(X, u, 1)),
    same("sum", "sum(u, axis=-1, keepdims=true)", U3, lambda X, u: total(X, u, -1, True)),
    same("sum", "sum(u, axis=(0, -1))", U3, lambda X, u: total(X, u, (0, 2))),
    same("sum", "sum(u, axis=(2, 0), keepdims=true)", U3, lambda X, u: total(X, u, (0, 2), True)),
    same("sum", "sum(u, keepdims=true)", U2, lambda X, u: total(X, u, (0, 1), True)),
    same("spread", "spread(u, shape=({a}, {b}))", {"u": ""}, lambda X, u, sizes: X.broadcast_to(u, (sizes["a"], sizes["b"]))),
    same("spread", "spread(u, shape=({a}, {b}), axis=1)", {"u": "a"}, lambda X, u, sizes: X.broadcast_to(u[:, None], (sizes["a"], sizes["b"]))),
    same("spread", "spread(u, shape=({a}, {b}, {c}), axis=(0, -1))", {"u": "b"}, lambda X, u, sizes: X.broadcast_to(u[None, :, None], (sizes["a"], sizes["b"], sizes["c"]))),
    same("spread", "spread(u, shape=({a}, {b}, {c}), axis=(0, -1))", {"u": ""}, lambda X, u, sizes: X.broadcast_to(u, (sizes["a"], sizes["b"], sizes["c"]))),
    same("spread", "spread(u, shape=({a}, {b}), axis=0, keepdims=true)", {"u": "1, b"}, lambda X, u, sizes: X.broadcast_to(u, (sizes["a"], sizes["b"]))),
    same("mean", "mean(u)", U3, lambda X, u: u.mean()),
    same("mean", "mean(u)", {"u": ""}, lambda X, u: u.mean()),
    same("mean", "mean(u, axis=0)", U3, lambda X, u: average(X, u, 0)),
    same("mean", "mean(u, axis=(1, 2), keepdims=true)", U3, lambda X, u: average(X, u, (1, 2), True)),
    same("var", "var(u)", U2, lambda X, u: ((u - u.mean()) ** 2).mean()),
    case("var", "var(u, axis=-2)", U3, lambda T, F, u: u.var(dim=-2, unbiased=False), lambda J, N, u: u.var(axis=-2)),
    case("var", "var(u, axis=(0, 1), keepdims=true)", U3, lambda T, F, u: u.var(dim=(0, 1), unbiased=False, keepdim=True),
         lambda J, N, u: u.var(axis=(0, 1), keepdims=True)),
    case("max", "max(u)", U2, lambda T, F, u: u.amax(), lambda J, N, u: u.max()),
    case("max", "max(u, axis=1)", U3, lambda T, F, u: u.amax(1), lambda J, N, u: u.max(1)),
    case("max", "max(u, axis=(0, -1), keepdims=true)", U3, lambda T, F, u: u.amax((0, 2), True), lambda J, N, u: u.max((0, 2), keepdims=True)),
    case("min", "min(u)", U2, lambda T, F, u: u.amin(), lambda J, N, u: u.min()),
    case("min", "min(u, axis=-1)", U3, lambda T, F, u: u.amin(-1), lambda J, N, u: u.min(-1)),
    case("min", "min(u, axis=0, keepdims=true)", U3, lambda T, F, u: u.amin(0, True), lambda J, N, u: u.min(0, keepdims=True)),
    case("largest", "largest(u, axis=1)*u", U3, lambda T, F, u: (u == u.amax(1, True)) * u, lambda J, N, u: (u == u.max(1, keepdims=True)) * u),
    case("largest", "largest(u)*u", U2, lambda T, F, u: (u == u.amax()) * u, lambda J, N, u: (u == u.max()) * u),
    case("smallest", "smallest(u, axis=-1)*u", U3, lambda T, F, u: (u == u.amin(-1, True)) * u, lambda J, N, u: (u == u.min(-1, keepdims=True)) * u),
    # -- products
    *[
        same("@", "u @ v", {"u": one, "v": other}, lambda X, u, v: u @ v)
        for one, other in [
            ("a", "a"), ("a, b", "b"), ("a", "a, b"), ("a, b", "b, c"), ("d, a, b", "b"), ("b", "d, b, c"), ("d, a, b", "b, c"),
            ("a, b", "d, b, c"), ("d, a, b", "d, b, c"), ("d, 1, a, b", "o, b, c"), ("1, a, b", "d, b, c"), ("o, d, a, b", "b"),
            ("b", "o, d, b, c"), ("1, b", "b, 1"),
        ]
    ],
    same("outer", "outer(u, v)", {"u": "a", "v": "b"}, lambda X, u, v: u[:, None] * v[None, :]),
    same("dot", "dot(u, v)", {"u": "a", "v": "a"}, lambda X, u, v: (u * v).sum()),
    # -- moving elements
    same("transpose", "u.T", U2, lambda X, u: u.T),
    same("transpose", "u.T", {"u": "a"}, lambda X, u: u),
    same("transpose", "transpose(u)", U3, lambda X, u: permuted(X, u, (2, 1, 0))),
    same("transpose", "transpose(u, axes=(1, 2, 0))", U3, lambda X, u: permuted(X, u, (1, 2, 0))),
    same("transpose", "transpose(u, axes=(0, -1, 1))", U3, lambda X, u: permuted(X, u, (0, 2, 1))),
    same("reshape", "reshape(u, shape=({b}, -1))", U3, lambda X, u, sizes: u.reshape(sizes["b"], -1)),
    same("reshape", "reshape(u, -1)", U3, lambda X, u: u.reshape(-1)),
    same("reshape", "reshape(u, 1, -1, 1)", U2, lambda X, u: u.reshape(1, -1, 1)),
    same("reshape", "reshape(u, 1, 1)", {"u": ""}, lambda X, u: u.reshape(1, 1)),
    same("index", "u[0]", U3, lambda X, u: u[0]),
    same("index", "u[-1, :, 0]", U3, lambda X, u: u[-1, :, 0]),
    same("index", "u[0, 0, 0]", U3, lambda X, u: u[0, 0, 0]),
    same("index", "u[1:3, ::2]", {"u": "a+1, b"}, lambda X, u: u[1:3, ::2]),
    same("index", "u[:-1, 0:1]", {"u": "a+1, b, c"}, lambda X, u: u[:-1, 0:1]),
    case("index", "u[::-1, -1::-2]", U2, lambda T, F, u: u.flip(0, 1)[:, ::2], lambda J, N, u: u[::-1, -1::-2]),
    same("place", lambda a, b, **_: node("place", Ref("u"), key=((None, None, None), 0), shape=(a, b)), {"u": "a"},
         lambda X, u, sizes: placed(X, (sizes["a"], sizes["b"]), (slice(None), 0), u)),
    same("place", lambda a, b, **_: node("place", Ref("u"), key=(-1, (0, None, 2)), shape=(a, b)), {"u": "(b+1)//2"},
         lambda X, u, sizes: placed(X, (sizes["a"], sizes["b"]), (-1, slice(0, None, 2)), u)),
    same("concat", "concat(u, v, axis=-1)", {"u": "a, b", "v": "a, c"}, lambda X, u, v: X.concatenate([u, v], -1)),
    same("concat", "concat(u, v, u)", {"u": "a, b", "v": "c, b"}, lambda X, u, v: X.concatenate([u, v, u], 0)),
    same("concat", "concat(u, v, w, axis=1)", {"u": "a, b, c", "v": "a, c, c", "w": "a, 1, c"}, lambda X, u, v, w: X.concatenate([u, v, w], 1)),
    same("stack", "stack(u, v)", {"u": "a, b", "v": "a, b"}, lambda X, u, v: X.stack([u, v], 0)),
    same("stack", "stack(u, v, u, axis=-1)", {"u": "a, b", "v": "a, b"}, lambda X, u, v: X.stack([u, v, u], -1)),
    same("stack", "[[u, v], [v, w]]", {"u": "", "v": "", "w": ""}, lambda X, u, v, w: X.stack([u, v, v, w]).reshape(2, 2)),
    same("stack", "[u, v]", {"u": "a", "v": "a"}, lambda X, u, v: X.stack([u, v])),
    same("gather", "gather(u, v)", {"u": "a, b", "v": "c"}, gathered, v="below a"),
    same("gather", "gather(u, v)", {"u": "a", "v": "c, d"}, gathered, v="below a"),
    same("gather", "gather(u, v)", {"u": "a, b, c", "v": ""}, gathered, v="below a"),
    same("scatter", lambda d, b, **_: node("scatter", Ref("u"), Ref("v"), shape=(d, b)), {"u": "a, b", "v": "a"},
         lambda X, u, v, sizes: scattered(X, sizes["d"], u, v), v="below d"),
    same("scatter", lambda d, **_: node("scatter", Ref("u"), Ref("v"), shape=(d,)), {"u": "a", "v": "a"},
         lambda X, u, v, sizes: scattered(X, sizes["d"], u, v), v="below d"),
    same("one_hot", "one_hot(v, size={d})*u", {"u": "a, d", "v": "a"}, lambda X, u, v, sizes: hot(X, v, sizes["d"]) * u, v="below d"),
    same("one_hot", "one_hot(v, size={d}) @ u", {"u": "d, b", "v": ""}, lambda X, u, v, sizes: hot(X, v, sizes["d"]) @ u, v="below d"),
    same("zeros", "zeros({a}, {b}) + u", {"u": "b"}, lambda X, u, sizes: X.zeros((sizes["a"], sizes["b"])) + u),
    same("ones", "ones(shape=({a}, {b}))*u", {"u": ""}, lambda X, u, sizes: (u + 0) * X.broadcast_to(u / u, (sizes["a"], sizes["b"]))),
    same("random", "random(2, 3, seed=1, scale=2)*u", {"u": ""},
         lambda X, u, sizes: u * X.asarray(np.random.RandomState(1).randint(-1000, 1001, (2, 3)) * 0.002)),
    same("load", lambda **_: apply(read("u + u").operation, Ref("u"), node("load", held=Held(np.array([[1.5], [2.5]])))), {"u": "a"},  # type: ignore[union-attr]
         lambda X, u: u + X.asarray([[1.5], [2.5]])),
    # -- windows and convolutions
    case("unfold", "unfold(u, size=(2, 3))", {"u": "h+2, w+3"}, torch_unfold((2, 3), 1, 0), jax_unfold((2, 3), 1, 0)),
    case("unfold", "unfold(u, size=(2, 2), stride=2, padding=1)", {"u": "a, h+2, w+2"}, torch_unfold((2, 2), 2, 1), jax_unfold((2, 2), 2, 1)),
    case("unfold", "unfold(u, size=3, dilation=2)", {"u": "a, h+5"}, torch_unfold((3,), 1, 0, 2), jax_unfold((3,), 1, 0, 2)),
    fold((2, 2), 1, 0), fold((3, 2), 2, 1),
    conv(1, "h+k", "k"), conv(1, "a, h+k", "k", 2), conv(1, "c, h+k", "o, c, k", 1, 1), conv(1, "a, c, h+2*k", "o, c, k", 2, 1, 2),
    conv(2, "h+k, w+s", "k, s"), conv(2, "a, h+k, w+s", "k, s", (2, 1), (1, 0)), conv(2, "c, h+k, w+s", "o, c, k, s"),
    conv(2, "a, c, h+k, w+s", "o, c, k, s", 2, 1), conv(2, "a, c, h+2*k, w+2*s", "o, c, k, s", 1, (1, 2), 2),
    conv(2, "a, c, h+2*k, w+s", "o, c, k, s", (1, 2), 0, (2, 1)),
    conv_back("a, c, h+k, w+s", "o, c, k, s", "a, o, h+1, w+1", "image"), conv_back("a, c, h+k, w+s", "o, c, k, s", "a, o, h+1, w+1", "kernel"),
    conv_back("a, c, h+k, w+s", "o, c, k, s", "a, o, (h+2)//2+1, (w+2)//2+1", "image", 2, 1),
    conv_back("a, c, h+k, w+s", "o, c, k, s", "a, o, (h+2)//2+1, (w+2)//2+1", "kernel", 2, 1),
    conv_back("a, c, h+2*k, w+2*s", "o, c, k, s", "a, o, h+2, w+2", "image", 1, 0, 2), conv_back("a, c, h+2*k, w+2*s", "o, c, k, s", "a, o, h+2, w+2", "kernel", 1, 0, 2),
    pool("max", (2, 2)), pool("max", (3, 2), 1), pool("max", (2, 2), (1, 2)), pool("avg", (2, 2)), pool("avg", (2, 3), 2, 1), pool("avg", (3, 3), 1),
    # -- classes and losses
    same("softmax", "softmax(u)", U2, softmax), same("softmax", "softmax(u)", {"u": "a"}, softmax),
    same("softmax", "softmax(u, axis=0)", U3, lambda X, u: softmax(X, u, 0)), same("softmax", "softmax(u, axis=-2)", U3, lambda X, u: softmax(X, u, -2)),
    case("log_softmax", "log_softmax(u)", U2, lambda T, F, u: F.log_softmax(u, -1), lambda J, N, u: N.log_softmax(u)),
    case("log_softmax", "log_softmax(u, axis=1)", U3, lambda T, F, u: F.log_softmax(u, 1), lambda J, N, u: N.log_softmax(u, 1)),
    same("masked_softmax", "masked_softmax(u, v)", {"u": "a, b", "v": "a, b"},
         lambda X, u, v: X.exp(u) * v / total(X, X.exp(u) * v, -1, True), v="mask"),
    same("masked_softmax", "masked_softmax(u, v)", {"u": "d, a, b", "v": "a, b"},
         lambda X, u, v: X.exp(u) * v / total(X, X.exp(u) * v, -1, True), v="mask"),
    same("masked_softmax", "masked_softmax(u, v, axis=0)", {"u": "a, b", "v": "a, 1"},
         lambda X, u, v: X.exp(u) * v / total(X, X.exp(u) * v, 0, True), v="positive"),
    case("binary_cross_entropy", "binary_cross_entropy(u, v)", {"u": "a, b", "v": "a, b"},
         lambda T, F, u, v: F.binary_cross_entropy(u, v, reduction="none") if not v.requires_grad else -(v * T.log(u) + (1 - v) * T.log(1 - u)),
         lambda J, N, u, v: -(v * J.log(u) + (1 - v) * J.log(1 - u)), u="between", v="between"),
    case("binary_cross_entropy_logits", "binary_cross_entropy_logits(u, v)", {"u": "a, b", "v": "b"},
         lambda T, F, u, v: F.binary_cross_entropy_with_logits(u, T.broadcast_to(v, u.shape), reduction="none"),
         lambda J, N, u, v: -v * N.log_sigmoid(u) - (1 - v) * N.log_sigmoid(-u), v="between"),
    same("cross_entropy", "cross_entropy(u, v)", {"u": "a, b", "v": "a, b"}, lambda X, u, v: -total(X, v * X.log(u), -1), u="probability", v="probability"),
    case("cross_entropy", "cross_entropy(u, v)", {"u": "a, b", "v": "a"}, lambda T, F, u, v: F.nll_loss(T.log(u), v.long(), reduction="none"),
         lambda J, N, u, v: -J.log(J.take_along_axis(u, v.astype(int)[:, None], 1))[:, 0], u="probability", v="below b"),
    same("cross_entropy", "cross_entropy(u, v)", {"u": "b", "v": ""}, lambda X, u, v: -X.log(u[whole(X, v)]), u="probability", v="below b"),
    case("cross_entropy_logits", "cross_entropy_logits(u, v)", {"u": "a, b", "v": "a, b"},
         lambda T, F, u, v: F.cross_entropy(u, v, reduction="none"), lambda J, N, u, v: -(v * N.log_softmax(u)).sum(-1), v="probability"),
    case("cross_entropy_logits", "cross_entropy_logits(u, v)", {"u": "a, b", "v": "a, b"},
         lambda T, F, u, v: F.cross_entropy(u, v, reduction="none"), lambda J, N, u, v: -(v * N.log_softmax(u)).sum(-1)),
    case("cross_entropy_logits", "cross_entropy_logits(u, v)", {"u": "a, b", "v": "a"},
         lambda T, F, u, v: F.cross_entropy(u, v.long(), reduction="none"),
         lambda J, N, u, v: -J.take_along_axis(N.log_softmax(u), v.astype(int)[:, None], 1)[:, 0], v="below b"),
    case("cross_entropy_logits", "cross_entropy_logits(u, v)", {"u": "d, a, b", "v": "d, a"},
         lambda T, F, u, v: F.cross_entropy(u.permute(0, 2, 1), v.long(), reduction="none"),
         lambda J, N, u, v: -J.take_along_axis(N.log_softmax(u), v.astype(int)[..., None], 2)[..., 0], v="below b"),
    same("mse", "mse(u, v)", {"u": "a, b", "v": "a, b"}, lambda X, u, v: ((u - v) ** 2).mean()),
    same("mse", "mse(u, v)", {"u": "a, b", "v": "a, 1"}, lambda X, u, v: ((u - v) ** 2).mean()),
    same("half_sse", "half_sse(u, v)", {"u": "a, b", "v": "b"}, lambda X, u, v: ((u - v) ** 2).sum() / 2),
    same("mae", "mae(u, v)", {"u": "a, b", "v": "a, b"}, lambda X, u, v: abs(u - v).mean()),
    case("huber", "huber(u, v)", {"u": "a, b", "v": "a, b"}, lambda T, F, u, v: F.huber_loss(u, v),
         lambda J, N, u, v: J.where(abs(u - v) < 1, (u - v) ** 2 / 2, abs(u - v) - 0.5).mean(), smooth=False),
    case("huber", "huber(u, v, delta=0.5)", {"u": "a, b", "v": ""}, lambda T, F, u, v: F.huber_loss(u, T.broadcast_to(v, u.shape), delta=0.5),
         lambda J, N, u, v: J.where(abs(u - v) < 0.5, (u - v) ** 2 / 2, 0.5 * (abs(u - v) - 0.25)).mean(), smooth=False),
    same("kl", "kl(u, v)", {"u": "a, b", "v": "a, b"}, lambda X, u, v: total(X, u * (X.log(u) - X.log(v)), -1), u="probability", v="probability"),
    # -- layers
    case("linear", "linear(u, v, w)", {"u": "a, b", "v": "c, b", "w": "c"}, lambda T, F, u, v, w: F.linear(u, v, w), lambda J, N, u, v, w: u @ v.T + w),
    case("linear", "linear(u, v, w)", {"u": "d, a, b", "v": "c, b", "w": "c"}, lambda T, F, u, v, w: F.linear(u, v, w), lambda J, N, u, v, w: u @ v.T + w),
    same("linear", "linear(u, v, w)", {"u": "b", "v": "c, b", "w": ""}, lambda X, u, v, w: v @ u + w),
    same("dropout", "dropout(u, v)", {"u": "a, b", "v": "a, b"}, lambda X, u, v: u * v, v="mask"),
    same("dropout", "dropout(u, v, keep=0.8)", {"u": "a, b", "v": "b"}, lambda X, u, v: u * v / 0.8, v="mask"),
    case("batchnorm", "batchnorm(u, v, w, eps=0.001)", {"u": "a, b", "v": "b", "w": "b"},
         lambda T, F, u, v, w: F.batch_norm(u, None, None, v, w, True, 0.1, 0.001), lambda J, N, u, v, w: normal(J, u, (0,), 0.001) * v + w, least={"a": 2}),
    same("batchnorm", "batchnorm(u, v, w, eps=0.001)", {"u": "a, b", "v": "", "w": "b"}, lambda X, u, v, w: normal(X, u, (0,), 0.001) * v + w),
    case("batchnorm", "batchnorm(u, v, w, eps=0.01)", {"u": "a, b, c, d", "v": "b", "w": "b"},
         lambda T, F, u, v, w: F.batch_norm(u, None, None, v, w, True, 0.1, 0.01),
         lambda J, N, u, v, w: normal(J, u, (0, 2, 3), 0.01) * v[:, None, None] + w[:, None, None], least={"a": 2}),
    same("batchnorm", "batchnorm(u, v, w)", {"u": "a+2, b", "v": "b", "w": ""}, lambda X, u, v, w: normal(X, u, (0,), 0) * v + w),
    same("batchnorm", "batchnorm(u, v, w, eps=1)", {"u": "a, b, c", "v": "", "w": ""}, lambda X, u, v, w: normal(X, u, (0, 2), 1) * v + w),
    case("layernorm", "layernorm(u, v, w, eps=0.001)", {"u": "a, b", "v": "b", "w": "b"},
         lambda T, F, u, v, w: F.layer_norm(u, u.shape[-1:], v, w, 0.001), lambda J, N, u, v, w: normal(J, u, (-1,), 0.001) * v + w),
    same("layernorm", "layernorm(u, v, w)", {"u": "d, a, b+2", "v": "b+2", "w": ""}, lambda X, u, v, w: normal(X, u, (-1,), 0) * v + w),
    case("rmsnorm", "rmsnorm(u, v, eps=0.001)", {"u": "a, b", "v": "b"}, lambda T, F, u, v: F.rms_norm(u, u.shape[-1:], v, 0.001),
         lambda J, N, u, v: v * u / J.sqrt((u**2).mean(-1, keepdims=True) + 0.001)),
    same("rmsnorm", "rmsnorm(u, v)", {"u": "d, a, b", "v": ""}, lambda X, u, v: v * u / X.sqrt(average(X, u**2, -1, True))),
    case("attention", "attention(u, v, w)", {"u": "a, b", "v": "c, b", "w": "c, d"},
         lambda T, F, u, v, w: F.scaled_dot_product_attention(u[None], v[None], w[None])[0], lambda J, N, u, v, w: attended(J, u, v, w)),
    same("attention", "attention(u, v, w)", {"u": "o, h, a, b", "v": "o, h, c, b", "w": "o, h, c, d"}, attended),
    same("attention", "attention(u, v, w)", {"u": "o, a, b", "v": "c, b", "w": "1, c, d"}, attended),
    same("attention/4", "attention(u, v, w, m)", {"u": "a, b", "v": "c, b", "w": "c, d", "m": "a, c"}, attended, m="mask"),
    same("attention/4", "attention(u, v, w, m)", {"u": "o, a, b", "v": "o, c, b", "w": "o, c, d", "m": "c"}, attended, m="mask"),
]  # fmt: skip

IDS = [f"{number}-{one.row}" for number, one in enumerate(CASES)]


def key_of(row: ArrayOperation) -> str:
    return f"{row.name}/4" if row.name == "attention" and len(row.arguments) == 4 else row.name


@pytest.mark.parametrize("row", ROWS, ids=key_of)
def test_every_row_has_cases_and_is_complete(row: ArrayOperation) -> None:
    assert [one for one in CASES if one.row == key_of(row)], f"{row.name} is not tested: add a case"
    for argument in row.arguments if not row.several else ():
        assert "{" + argument + "}" in row.words or row.name in ("attention", *LAYERS), row.words
    assert (row.sort == "formula") == bool(row.formula)
    assert row.vjp or row.sort == "formula" or not row.arguments


LAYERS = ("linear", "batchnorm", "layernorm", "rmsnorm")


# -- setting up -------------------------------------------------------------------------------------------------------


def network(definition: Formula, arrays: dict[str, Any], seed: int) -> tuple[Graph, Any]:
    """The output is the sum of the result's elements, each times a number of its own."""
    quantities = [given(name, "input", None, array if array.shape else array.item()) for name, array in arrays.items()]
    bare = Graph.of([*quantities, Quantity("y", "computed", definition)])
    shape = bare["y"].shape
    sizes = np.random.default_rng(seed + 99).integers(1, 6, shape)
    exact = any(array.dtype == object for array in arrays.values())
    factors: Any = (
        np.array([Fraction(int(n)) for n in sizes.reshape(-1)], object).reshape(shape) if exact else sizes.astype(float)
    )
    quantities.append(given("G", "constant", None, factors if shape else factors.item()))
    loss = read("sum(G*y)") if shape else read("G*y")
    return Graph.of([*quantities, Quantity("y", "computed", definition), Quantity("L", "computed", loss)]), factors


def solved(one: Case, seed: int) -> tuple[Propagation, dict[str, Any], Any]:
    arrays = one.arrays(seed)
    graph, factors = network(one.definition(one.sizes(seed)), arrays, seed)
    return propagate(graph, numbers="float"), arrays, factors


def close(found: Any, expected: Any, what: str, tolerance: float = 1e-10) -> None:
    found, expected = np.asarray(ar.floats(found)), np.asarray(expected, float)
    assert found.shape == expected.shape, (what, found.shape, expected.shape)
    np.testing.assert_allclose(
        found, expected, rtol=tolerance, atol=tolerance * max(1.0, np.max(np.abs(expected), initial=0)), err_msg=what
    )


# -- against the libraries --------------------------------------------------------------------------------------------


@pytest.mark.oracle
@pytest.mark.parametrize("one", CASES, ids=IDS)
def test_values_and_ways_back_against_pytorch(one: Case) -> None:
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    for seed in SEEDS:
        found, arrays, factors = solved(one, seed)
        tensors = [
            torch.tensor(array, dtype=torch.float64, requires_grad=name in one.moving) for name, array in arrays.items()
        ]
        assert one.torch is not None
        y = called(one.torch, (torch, torch.nn.functional, *tensors), one.sizes(seed))
        close(found.value("y"), y.detach().numpy(), f"value, seed {seed}")
        (y * torch.tensor(factors)).sum().backward()
        for name, tensor in zip(arrays, tensors, strict=True):
            if name in one.moving:
                expected = np.zeros(tensor.shape) if tensor.grad is None else tensor.grad.numpy()
                close(found.derivative(name), expected, f"by {name}, seed {seed}")


@pytest.mark.oracle
@pytest.mark.parametrize("one", CASES, ids=IDS)
def test_values_and_ways_back_against_jax(one: Case) -> None:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    for seed in SEEDS[:2] if NIGHTLY else SEEDS[:1]:
        found, arrays, factors = solved(one, seed)
        sizes = one.sizes(seed)

        def output(*tensors: Any, sizes: dict[str, int] = sizes, factors: Any = factors) -> Any:
            y = called(one.jax, (jnp, jax.nn, *tensors), sizes)
            return (y * factors).sum(), y

        moving = [place for place, name in enumerate(arrays) if name in one.moving]
        compiled = jax.jit(jax.value_and_grad(output, argnums=moving, has_aux=True), compiler_options=QUICKLY)
        (_, y), slopes = compiled(*map(jnp.asarray, arrays.values()))
        close(found.value("y"), y, f"value, seed {seed}")
        for name, slope in zip(one.moving, slopes, strict=True):
            close(found.derivative(name), slope, f"by {name}, seed {seed}")


def called(function: Any, args: Any, sizes: dict[str, int]) -> Any:
    import inspect

    inner = inspect.signature(function)
    wants = "sizes" in inner.parameters
    if not wants and function.__closure__:
        oracles = [cell.cell_contents for cell in function.__closure__ if callable(cell.cell_contents)]
        if oracles and "sizes" in inspect.signature(oracles[0]).parameters:
            return oracles[0](args[0], *args[2:], sizes)
    return function(*args, sizes=sizes) if wants else function(*args)


# -- against itself ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", CASES, ids=IDS)
def test_forward_mode_agrees(one: Case) -> None:
    for seed in SEEDS:
        checks = cross_check(solved(one, seed)[0])
        assert checks[0].method == "dual numbers"


@pytest.mark.parametrize("one", CASES, ids=IDS)
def test_fractions_agree_with_floats(one: Case) -> None:
    for seed in SEEDS[:3]:
        arrays = one.arrays(seed, exact=True)
        graph, _ = network(one.definition(one.sizes(seed)), arrays, seed)
        exact, rounded = propagate(graph), propagate(graph, numbers="float")
        assert exact.passes is not None and exact.passes.exact
        cross_check(exact)
        close(rounded.value("y"), ar.floats(exact.value("y")), f"value, seed {seed}", 1e-9)
        for name in one.moving:
            if exact.needs(name):
                close(rounded.derivative(name), ar.floats(exact.derivative(name)), f"by {name}, seed {seed}", 1e-9)


@pytest.mark.parametrize("one", CASES, ids=IDS)
def test_a_rows_own_way_back_agrees_with_the_way_through_its_formula(one: Case) -> None:
    for seed in SEEDS:
        found, arrays, _ = solved(one, seed)
        root = found.graph["y"].definition
        if not any(
            isinstance(part, Apply)
            and isinstance(part.operation, ArrayOperation)
            and part.operation.sort == "formula"
            and part.operation.vjp
            for part in postorder(root)
        ):
            return
        assert isinstance(root, Apply)
        shapes = Shapes(found.graph)
        letters = dict(zip(root.operation.arguments, root.args, strict=True))
        opened = tidied(value_formula(root, [shapes.of(arg) for arg in root.args]), letters, shapes)
        other = propagate(network(opened, arrays, seed)[0], numbers="float")
        close(other.value("y"), ar.floats(found.value("y")), "value")
        for name in one.moving:
            if other.needs(name):
                close(found.derivative(name), ar.floats(other.derivative(name)), f"by {name}, seed {seed}", 1e-9)


def way_back(graph: Graph, name: str) -> Formula | None:
    """What comes back to an argument, as one formula, when G comes back to y."""
    definition = graph["y"].definition
    assert definition is not None
    parts = [
        formula
        for parent, formula in pulled_back(definition, Ref("G"), Shapes(graph))
        if parent == name and formula is not None
    ]
    whole: Formula | None = None
    for part in parts:
        whole = part if whole is None else apply(ADD, whole, part)
    return whole


@pytest.mark.parametrize("one", CASES, ids=IDS)
def test_second_derivatives_are_differences_of_the_first(one: Case) -> None:
    """d/dx of the sum of R times what comes back, by differentiating that formula again, and by moving x by a little."""
    for seed in SEEDS[:3]:
        sizes = one.sizes(seed)
        arrays = one.arrays(seed)
        definition = one.definition(sizes)
        graph, factors = network(definition, arrays, seed)
        for name in one.moving:
            back = way_back(graph, name)
            if back is None:
                continue
            draw = np.random.default_rng(seed + 7)
            rates = {other: draw.normal(size=arrays[other].shape) for other in one.moving}
            shape = arrays[name].shape
            weights = draw.normal(size=shape)

            def second(
                moved: dict[str, Any],
                back: Formula = back,
                shape: Any = shape,
                weights: Any = weights,
                factors: Any = factors,
            ) -> Propagation:
                quantities = [given(n, "input", None, a if a.shape else a.item()) for n, a in moved.items()]
                quantities += [given("G", "constant", None, factors if np.shape(factors) else float(factors))]
                quantities += [
                    given("R", "constant", None, weights if shape else float(weights)),
                    Quantity("back", "computed", back),
                ]
                quantities += [Quantity("M", "computed", read("sum(R*back)"))]
                return propagate(Graph.of(quantities), of="M", numbers="float")

            at = second(arrays)
            cross_check(at)
            expected = sum(float(np.sum(ar.floats(at.derivative(other)) * rates[other])) for other in one.moving)
            if not one.smooth:
                continue
            step = 1e-5
            ends = [
                float(
                    second({n: a + sign * step * rates[n] if n in rates else a for n, a in arrays.items()}).value("M")
                )  # type: ignore[arg-type]
                for sign in (1, -1)
            ]
            found = (ends[0] - ends[1]) / (2 * step)
            size = max(1.0, abs(expected), *map(abs, ends))
            assert abs(found - expected) < 1e-5 * size, (name, seed, found, expected)


# -- shapes that do not fit -------------------------------------------------------------------------------------------

UNFIT = [
    ("u + v", (2, 3), (2, 4), ["2 x 3", "2 x 4", "the last axis"]), ("u*v", (3, 2), (2, 2), ["3 x 2", "2 x 2", "second axis from the end"]),
    ("max(u, v)", (2,), (3,), ["a vector of 2", "a vector of 3"]), ("u @ v", (2, 3), (2, 3), ["2 x 3", "3 columns", "2 rows"]),
    ("u @ v", (3,), (2, 3), ["a vector of 3", "2 x 3"]), ("u @ v", (), (2,), ["single number", "*"]), ("u @ v", (2, 2, 3), (3, 3, 1), ["differ", "2", "3"]),
    ("outer(u, v)", (2, 2), (3,), ["2 x 2", "a vector of 3"]), ("dot(u, v)", (2,), (3,), ["2", "3"]), ("sum(u, axis=2) + v", (2, 3), (), ["axis 2", "2 axes"]),
    ("sum(u, axis=(0, 0)) + v", (2, 3), (), ["twice"]), ("reshape(u, 4) + v", (2, 3), (), ["2 x 3", "6 elements", "4"]),
    ("reshape(u, -1, -1) + v", (2, 3), (), ["6 elements"]), ("reshape(u, -1, 4) + v", (2, 3), (), ["6 elements"]), ("reshape(u, 0) + v", (2, 3), (), ["6 elements"]),
    ("transpose(u, axes=(0, 0)) + v", (2, 3), (), ["twice"]), ("transpose(u, axes=(0,)) + v", (2, 3), (), ["each of the 2 axes"]),
    ("u[2] + v", (2, 3), (), ["no element 2", "0 to 1"]), ("u[0, 0, 0] + v", (2, 3), (), ["3 places", "2 x 3"]), ("u[2:] + v", (2, 3), (), ["empty"]),
    ("u[-3] + v", (2,), (), ["no element -3"]), ("u[0] + v", (), (), ["1 place", "single number"]), ("u[::0] + v", (2,), (), ["step 0"]),
    ("concat(u, v)", (2, 3), (2, 4), ["2 x 3", "2 x 4"]), ("concat(u, v)", (2, 3), (3,), ["2 x 3", "a vector of 3"]), ("concat(u, v, axis=2)", (2, 3), (2, 3), ["axis 2"]),
    ("stack(u, v)", (2, 3), (3, 2), ["2 x 3", "3 x 2"]), ("[u, v]", (2,), (), ["a vector of 2", "a single number"]), ("gather(u, v)", (), (2,), ["single number"]),
    ("conv2d(u, v)", (2, 2), (3, 1), ["3 x 1", "2 x 2", "larger"]), ("conv2d(u, v)", (2, 4, 4), (1, 3, 2, 2), ["2 x 4 x 4", "1 x 3 x 2 x 2", "3 channels", "2"]),
    ("conv2d(u, v)", (4, 4), (2, 2, 2), ["2 x 2 x 2"]), ("conv1d(u, v)", (), (2,), ["a vector of 2", "a single number"]), ("conv1d(u, v, stride=0)", (4,), (2,), ["at least 1"]),
    ("max_pool(u, size=5) + v", (4, 4), (), ["5 x 5", "4 x 4"]), ("softmax(u) + v", (), (), ["single number"]), ("softmax(u, axis=1) + v", (3,), (), ["axis 1"]),
    ("cross_entropy(u, v)", (2, 3), (3,), ["2 x 3", "a vector of 3"]), ("cross_entropy_logits(u, v)", (), (), ["single number"]), ("mse(u, v)", (2,), (3,), ["a vector of 2", "a vector of 3"]),
    ("masked_softmax(u, v)", (2, 3), (2, 2), ["2 x 3", "2 x 2"]), ("linear(u, v, 0)", (2, 3), (4, 2), ["2 x 3", "4 x 2"]), ("layernorm(u, v, 0)", (2, 3), (2,), ["2 x 3", "a vector of 3", "a vector of 2"]),
    ("batchnorm(u, v, 0)", (3,), (3,), ["a vector of 3"]), ("batchnorm(u, v, 0)", (4, 3), (4,), ["a vector of 3", "a vector of 4"]), ("attention(u, v, v)", (2, 3), (2, 4), ["3", "4"]),
    ("attention(u, u, v)", (2, 3), (3, 4), ["2", "3"]), ("attention(u, u, v)", (3,), (3, 4), ["matrices"]), ("one_hot(u, size=0) + v", (2,), (), ["number of classes"]),
    ("spread(u, shape=(2, 3), axis=0) + v", (2,), (), ["a vector of 2", "2 x 3"]), ("kl(u, v)", (), (), ["single number"]),
    ("unfold(u, size=(2, 2)) + v", (3,), (), ["2 axes", "a vector of 3"]), ("unfold(u, size=(1, 1, 1)) + v", (3, 3, 3), (), ["one or two axes"]), ("zeros(0) + u + v", (), (), ["at least 1"]),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "u", "v", "words"), UNFIT, ids=[f"{f} {u} {v}" for f, u, v, _ in UNFIT])
def test_shapes_that_do_not_fit_are_named(formula: str, u: Any, v: Any, words: list[str]) -> None:
    quantities = [
        given(name, "input", None, np.ones(shape) if shape else Fraction(1)) for name, shape in (("u", u), ("v", v))
    ]
    with pytest.raises(BackhandError) as caught:
        Graph.of([*quantities, Quantity("y", "computed", read(formula))])
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("numbers", ["exact", "float"])
@pytest.mark.parametrize("element", [np.nan, np.inf, -np.inf])
def test_elements_that_are_no_numbers_are_refused(element: float, numbers: Any) -> None:
    graph = Graph.of(
        [given("u", "input", None, np.array([1, element])), Quantity("y", "computed", read("sum(relu(u))"))]
    )
    with pytest.raises(BackhandError, match="u has an element that is no finite number"):
        propagate(graph, numbers=numbers)


@pytest.mark.parametrize("places", [[0, 3], [-1], [0.5]])
@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("formula", ["gather(u, v)", "one_hot(v, size=3)*u[0]", "cross_entropy_logits(u[:, :], v)"])
def test_places_that_do_not_exist_are_named(formula: str, places: list[float], exact: bool) -> None:
    rows = 3 if "gather" in formula else len(places)
    table = np.arange(rows * 3.0).reshape(rows, 3)
    graph = Graph.of(
        [
            given("u", "input", None, table),
            given("v", "input", None, np.array(places, float)),
            Quantity("y", "computed", read(f"sum({formula})")),
        ]
    )
    with pytest.raises(BackhandError, match="no place among 3"):
        propagate(graph, numbers="exact" if exact else "float")


# -- corners ------------------------------------------------------------------------------------------------------------

CORNERS = [
    ("sum(relu(u))", "2 of 4 elements stand at a corner of relu: its slope there is taken as 0"), ("sum(abs(u))", "2 of 4 elements stand at a corner of abs"),
    ("max(u)", "Several elements are equally the largest in max; they share its slope"), ("sum(min(reshape(u, 2, 2), axis=0))", "At 2 of 2 places several elements are equally the smallest"),
    ("sum(sqrt(u))", "2 of 4 elements of what it sends to u are not finite"), ("sum(max(u, 0))", "2 of 4 elements stand at a corner of max"), ("mae(u, 0)", "2 of 4 elements stand at a corner of abs"),
    ("max_pool(reshape(u, 2, 2), size=(2, 2))[0, 0]", "Several elements are equally the largest"), ("sum(u^(1/2))", "2 of 4 elements of what it sends to u are not finite"),
]  # fmt: skip


@pytest.mark.parametrize("numbers", ["exact", "float"])
@pytest.mark.parametrize(("formula", "words"), CORNERS, ids=[f for f, _ in CORNERS])
def test_a_corner_is_said_once_with_how_many_elements(formula: str, words: str, numbers: Any) -> None:
    graph = Graph.of([given("u", "input", None, np.array([0, 3.0, 0, 3])), Quantity("y", "computed", read(formula))])
    found = propagate(graph, numbers=numbers)
    assert [notice.words for notice in found.notices if words in notice.words], found.notices
    assert len(found.notices) == 1
    cross_check(found)


@pytest.mark.parametrize(
    "formula",
    [
        "sum(softmax(u)*u)",
        "sum(log_softmax(u))",
        "cross_entropy_logits(u, 1)",
        "sum(masked_softmax(u, [1, 1, 1, 0])*u)",
        "huber(u, 0)",
    ],
)
def test_equal_numbers_are_no_corner_where_the_slope_is_one(formula: str) -> None:
    graph = Graph.of([given("u", "input", None, np.array([0, 3.0, 0, 3])), Quantity("y", "computed", read(formula))])
    assert not propagate(graph, numbers="float").notices
