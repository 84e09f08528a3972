"""Backward code as people write it in NumPy, with one bug at a time.

A program is a network and a function `(bug, given numbers) -> (loss, derivatives)`. The forward half is right, so that other
checkers can be asked about the same bug. `bugs` says what each bug is called in the table of mistakes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import backhand


@dataclass(frozen=True)
class Program:
    name: str
    net: str
    code: Callable[..., Any]
    bugs: dict[str, str]
    state: bool = False

    def graph(self) -> backhand.Graph:
        return backhand.read(self.net, name=self.name)

    def function(self, bug: str = "") -> Callable[..., Any]:
        kept: dict[str, Any] = {}

        def backward(**given: Any) -> Any:
            loss, grads = self.code(bug, **given)
            if bug == "not-reset":
                for name, value in grads.items():
                    kept[name] = kept.get(name, 0) + value
                grads = dict(kept)
            return loss, grads

        return backward


def matrix(rows: int, columns: int, seed: int) -> str:
    numbers = np.round(np.random.default_rng(seed).normal(size=(rows, columns)), 2)
    return "[" + ", ".join("[" + ", ".join(f"{n:g}" for n in row) + "]" for row in numbers) + "]"


def vector(size: int, seed: int) -> str:
    return matrix(1, size, seed)[1:-1]


# -- three layers ------------------------------------------------------------------------------------------------

THREE = f"""
input X = {matrix(4, 3, 1)}
weight W1 = {matrix(3, 4, 2)}
weight W2 = {matrix(4, 4, 3)}
weight W3 = {matrix(4, 3, 4)}
bias b1 = {vector(4, 5)}, b2 = {vector(4, 6)}, b3 = {vector(3, 7)}
target T = {matrix(4, 3, 8)}
Z1 = X @ W1 + b1
A1 = tanh(Z1)
Z2 = A1 @ W2 + b2
A2 = relu(Z2)
Y = A2 @ W3 + b3
L = mse(Y, T)
"""


def three(bug, X, W1, W2, W3, b1, b2, b3, T):  # noqa: PLR0917 - as the network has them
    Z1 = X @ W1 + b1
    A1 = np.tanh(Z1)
    Z2 = A1 @ W2 + b2
    A2 = np.maximum(Z2, 0)
    Y = A2 @ W3 + b3
    n = Y.size
    loss = ((Y - T) ** 2).mean()
    dY = 2 * (Y - T) / n
    if bug == "turned-difference":
        dY = 2 * (T - Y) / n
    if bug == "two-lost":
        dY = (Y - T) / n
    if bug == "n-lost":
        dY = 2 * (Y - T)
    if bug == "rows-only":
        dY = 2 * (Y - T) / len(Y)
    if bug == "n-twice":
        dY = 2 * (Y - T) / n / n
    if bug == "target-lost":
        dY = 2 * Y / n
    dW3 = A2.T @ dY
    if bug == "pre-activation":
        dW3 = Z2.T @ dY
    if bug == "dW3-turned":
        dW3 = dY.T @ A2
    db3 = dY.sum(axis=0)
    if bug == "update-first":
        W3 = W3 - 0.1 * dW3
    dA2 = dY @ W3.T
    dZ2 = dA2 * (Z2 > 0)
    if bug == "relu-lost":
        dZ2 = dA2
    if bug == "mask-inverted":
        dZ2 = dA2 * (Z2 <= 0)
    if bug == "mask-by-gradient":
        dZ2 = dA2 * (dA2 > 0)
    if bug == "mask-of-z1":
        dZ2 = dA2 * (Z1 > 0)
    if bug == "mask-in-place":
        dZ2 = dA2 * A2
    dW2 = A1.T @ dZ2
    if bug == "dW2-turned":
        dW2 = dZ2.T @ A1
    if bug == "dW2-order":
        dW2 = dZ2 @ A1.T
    if bug == "dW2-untransposed":
        dW2 = A1 @ dZ2
    if bug == "dW2-elementwise":
        dW2 = A1 * dZ2
    if bug == "dW2-last-row":
        dW2 = np.outer(A1[-1], dZ2[-1])
    if bug == "da-for-dz":
        dW2 = A1.T @ dA2
    db2 = dZ2.sum(axis=0)
    if bug == "db2-unsummed":
        db2 = dZ2
    if bug == "db2-mean":
        db2 = dZ2.mean(axis=0)
    if bug == "db2-axis":
        db2 = dZ2.sum(axis=1)
    if bug == "db2-keepdims":
        db2 = dZ2.sum(axis=0, keepdims=True)
    if bug == "db2-last":
        db2 = dZ2[-1]
    dA1 = dZ2 @ W2.T
    if bug == "W-for-WT":
        dA1 = dZ2 @ W2
    dZ1 = dA1 * (1 - A1**2)
    if bug == "tanh-lost":
        dZ1 = dA1
    if bug == "tanh-at-z":
        dZ1 = dA1 * (1 - Z1**2)
    if bug == "tanh-twice":
        dZ1 = dA1 * (1 - np.tanh(A1) ** 2)
    if bug == "sigmoid-for-tanh":
        dZ1 = dA1 * A1 * (1 - A1)
    if bug == "tanh-value":
        dZ1 = dA1 * A1
    dW1 = X.T @ dZ1
    if bug == "no-upstream":
        dW1 = X.T @ (1 - A1**2)
    db1 = dZ1.sum(axis=0)
    grads = {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2, "dW3": dW3, "db3": db3}
    if bug == "n-again":
        grads = {name: value / len(X) for name, value in grads.items()}
    return loss, grads


THREE_BUGS = {
    "turned-difference": "sign-at-loss",
    "two-lost": "loss-factor-lost",
    "n-lost": "mean-forgotten",
    "rows-only": "mean-forgotten",
    "n-twice": "mean-twice",
    "n-again": "mean-twice",
    "target-lost": "target-left-out",
    "pre-activation": "wrong-input",
    "dW3-turned": "transposed",
    "update-first": "updated-weights",
    "relu-lost": "activation-slope-lost",
    "mask-inverted": "mask-inverted",
    "mask-by-gradient": "mask-by-gradient",
    "mask-of-z1": "slope-of-another-layer",
    "mask-in-place": "value-for-slope",
    "dW2-turned": "transposed",
    "dW2-order": "factors-reordered",
    "dW2-untransposed": "factor-not-transposed",
    "dW2-elementwise": "elementwise-for-product",
    "dW2-last-row": "one-sample-only",
    "da-for-dz": "activation-slope-lost",
    "db2-unsummed": "bias-not-summed",
    "db2-mean": "bias-averaged",
    "db2-axis": "wrong-axis",
    "db2-keepdims": "extra-axis",
    "db2-last": "one-sample-only",
    "W-for-WT": "w-for-w-transposed",
    "tanh-lost": "activation-slope-lost",
    "tanh-at-z": "slope-at-wrong-variable",
    "tanh-twice": "slope-at-wrong-variable",
    "sigmoid-for-tanh": "slope-of-wrong-function",
    "tanh-value": "value-for-slope",
    "no-upstream": "upstream-forgotten",
    "not-reset": "not-reset",
}

# -- shared weights and a skip connection ----------------------------------------------------------------------------

SKIP = f"""
input x = {vector(3, 11)}
weight W = {matrix(3, 3, 12)}
bias b = {vector(3, 13)}
target t = {vector(3, 14)}
z1 = W @ x + b
h1 = sigmoid(z1)
z2 = W @ h1 + b
h2 = tanh(z2)
r = h2 + h1
L = half_sse(r, t)
"""


def skip(bug, x, W, b, t):
    z1 = W @ x + b
    h1 = 1 / (1 + np.exp(-z1))
    z2 = W @ h1 + b
    h2 = np.tanh(z2)
    r = h2 + h1
    loss = ((r - t) ** 2).sum() / 2
    dr = r - t
    if bug == "two":
        dr = 2 * (r - t)
    dz2 = dr * (1 - h2**2)
    dW = np.outer(dz2, h1)
    db = dz2
    dh1 = W.T @ dz2 + dr
    if bug == "W-for-WT":
        dh1 = W @ dz2 + dr
    if bug == "skip-dropped":
        dh1 = W.T @ dz2
    if bug == "skip-only":
        dh1 = dr
    dz1 = dh1 * h1 * (1 - h1)
    if bug == "sigmoid-at-z":
        dz1 = dh1 * z1 * (1 - z1)
    if bug == "sigmoid-of-a":
        s = 1 / (1 + np.exp(-h1))
        dz1 = dh1 * s * (1 - s)
    if bug == "half-slope":
        dz1 = dh1 * (1 - h1)
    if bug == "outer-turned":
        dW = dW + np.outer(x, dz1)
    elif bug == "second-overwrites":
        dW = np.outer(dz1, x)
    elif bug != "first-only":
        dW = dW + np.outer(dz1, x)
    db = dz1 if bug == "bias-overwritten" else db + dz1
    dx = W.T @ dz1
    return loss, {"dW": dW, "db": db, "dx": dx}


SKIP_BUGS = {
    "two": "loss-factor-lost",
    "W-for-WT": "w-for-w-transposed",
    "skip-dropped": "skip-dropped",
    "skip-only": "skip-only",
    "sigmoid-at-z": "slope-at-wrong-variable",
    "sigmoid-of-a": "slope-at-wrong-variable",
    "half-slope": "half-slope",
    "outer-turned": "transposed",
    "second-overwrites": "shared-once",
    "first-only": "shared-once",
    "bias-overwritten": "shared-once",
}

# -- a fork: = for += ----------------------------------------------------------------------------------------------------

FORK = f"""
input x = {vector(3, 15)}
weight U = {matrix(3, 3, 16)}, V = {matrix(3, 3, 17)}
h = tanh(U @ x)
p = V @ h
q = sin(h)
L = sum(p*q)
"""


def fork(bug, x, U, V):
    z = U @ x
    h = np.tanh(z)
    p = V @ h
    q = np.sin(h)
    loss = (p * q).sum()
    dp, dq = q, p
    if bug == "own-factor":
        dp, dq = p, q
    dV = np.outer(dp, h)
    through_q, through_p = dq * np.cos(h), V.T @ dp
    dh = through_q + through_p
    if bug == "last-way":
        dh = through_p
    if bug == "first-way":
        dh = through_q
    if bug == "averaged":
        dh = dh / 2
    dz = dh * (1 - h**2)
    return loss, {"dp": dp, "dq": dq, "dV": dV, "dU": np.outer(dz, x), "dx": U.T @ dz}


FORK_BUGS = {
    "own-factor": "product-own-factor",
    "last-way": "overwritten",
    "first-way": "overwritten",
    "averaged": "ways-averaged",
}

# -- batchnorm -----------------------------------------------------------------------------------------------------------------

BATCHNORM = f"""
input x = {matrix(5, 3, 21)}
weight gamma = {vector(3, 22)}
bias beta = {vector(3, 23)}
target t = {matrix(5, 3, 24)}
mu = mean(x, axis=0)
xmu = x - mu
v = mean(xmu^2, axis=0)
s = sqrt(v + 0.001)
xhat = xmu/s
y = gamma*xhat + beta
L = sum((y - t)^2)
"""


def batchnorm(bug, x, gamma, beta, t):
    n = len(x)
    mu = x.mean(0)
    xmu = x - mu
    v = (xmu**2).mean(0)
    s = np.sqrt(v + 0.001)
    xhat = xmu / s
    y = gamma * xhat + beta
    loss = ((y - t) ** 2).sum()
    dy = 2 * (y - t)
    if bug == "averaged-loss":
        dy = dy / n
    dbeta = dy.sum(0)
    dgamma = (dy * xhat).sum(0)
    if bug == "dgamma-unsummed":
        dgamma = dy * xhat
    if bug == "dgamma-input":
        dgamma = (dy * xmu).sum(0)
    if bug == "dbeta-mean":
        dbeta = dy.mean(0)
    dxhat = dy * gamma
    if bug == "gamma-left-out":
        dxhat = dy
    ds = -(dxhat * xmu / s**2).sum(0)
    if bug == "quotient-sign":
        ds = -ds
    dv = ds / (2 * s)
    if bug == "root-slope":
        dv = ds / s
    dxmu = dxhat / s + 2 * xmu * dv / n
    if bug == "variance-path":
        dxmu = dxhat / s
    if bug == "variance-mean":
        dxmu = dxhat / s + 2 * xmu * dv
    if bug == "both-paths":
        dxmu = dxhat / s
    dmu = -dxmu.sum(0)
    dx = dxmu + dmu / n
    if bug in ("mean-path", "both-paths"):
        dx = dxmu
    if bug == "mean-unaveraged":
        dx = dxmu + dmu
    return loss, {"dx": dx, "dgamma": dgamma, "dbeta": dbeta}


BATCHNORM_BUGS = {
    "averaged-loss": "mean-for-sum",
    "dgamma-unsummed": "bias-not-summed",
    "dgamma-input": "wrong-input",
    "dbeta-mean": "bias-averaged",
    "gamma-left-out": "weights-ignored",
    "quotient-sign": "sign-lost",
    "variance-path": "variance-path-lost",
    "variance-mean": "mean-inside",
    "mean-path": "mean-path-lost",
    "both-paths": "mean-and-variance-paths-lost",
    "mean-unaveraged": "mean-inside",
    "root-slope": "half-slope",
}

# -- softmax and cross-entropy -----------------------------------------------------------------------------------------------

SOFTMAX = f"""
input X = {matrix(4, 3, 31)}
weight W = {matrix(3, 3, 32)}
bias b = {vector(3, 33)}
target Y = [[1, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]]
Z = X @ W + b
P = softmax(Z)
C = cross_entropy(P, Y)
L = mean(C)
"""


def softmax(bug, X, W, b, Y):
    Z = X @ W + b
    E = np.exp(Z - Z.max(1, keepdims=True))
    P = E / E.sum(1, keepdims=True)
    n = len(X)
    loss = -(Y * np.log(P)).sum(1).mean()
    dP = -Y / P / n
    dZ = (P - Y) / n
    if bug == "y-minus-p":
        dZ = (Y - P) / n
    if bug == "diagonal":
        dZ = dP * P * (1 - P)
    if bug == "dot-lost":
        dZ = dP * P
    if bug == "wrong-axis":
        dZ = P * (dP - (dP * P).sum(0, keepdims=True))
    if bug == "slope-twice":
        dZ = (P - Y) / n * P * (1 - P)
    if bug == "stops":
        dZ = dP
    if bug == "n-lost":
        dZ = P - Y
    if bug == "n-twice":
        dZ = (P - Y) / n / n
    dW = X.T @ dZ
    db = dZ.sum(0)
    if bug == "bias-kept":
        db = dZ
    if bug == "bias-mean":
        db = dZ.mean(0)
    if bug == "dW-turned":
        dW = dZ.T @ X
    dX = dZ @ W.T
    if bug == "W-for-WT":
        dX = dZ @ W
    return loss, {"dW": dW, "db": db, "dX": dX}


SOFTMAX_BUGS = {
    "y-minus-p": "sign-at-loss",
    "diagonal": "softmax-diagonal",
    "dot-lost": "softmax-dot-lost",
    "wrong-axis": "softmax-wrong-axis",
    "slope-twice": "softmax-slope-twice",
    "stops": "stops-before-softmax",
    "n-lost": "mean-forgotten",
    "n-twice": "mean-twice",
    "bias-kept": "bias-not-summed",
    "bias-mean": "bias-averaged",
    "dW-turned": "transposed",
    "W-for-WT": "w-for-w-transposed",
}

# -- a convolution -----------------------------------------------------------------------------------------------------------

CONV = f"""
input x = {matrix(5, 5, 41)}
weight w = {matrix(3, 3, 42)}
bias b = 0.3
target t = {matrix(3, 3, 43)}
z = conv2d(x, w, stride=2, padding=1) + b
h = relu(z)
L = sum((h - t)^2)
"""


def conv(bug, x, w, b, t):
    xp = np.pad(x, 1)
    z = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            z[i, j] = (xp[2 * i : 2 * i + 3, 2 * j : 2 * j + 3] * w).sum() + b
    h = np.maximum(z, 0)
    loss = ((h - t) ** 2).sum()
    dh = 2 * (h - t)
    dz = dh * (z > 0)
    if bug == "relu-lost":
        dz = dh
    step = 1 if bug == "stride-ignored" else 2
    dxp = np.zeros_like(xp)
    dw = np.zeros((3, 3))
    kernel = w[::-1, ::-1] if bug == "kernel-turned" else w
    for i in range(3):
        for j in range(3):
            window = np.s_[step * i : step * i + 3, step * j : step * j + 3]
            seen = np.s_[2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
            if bug == "overwritten":
                dxp[window] = dz[i, j] * kernel
            else:
                dxp[window] += dz[i, j] * kernel
            image = xp[::-1, ::-1] if bug == "image-flipped" else xp
            dw += dz[i, j] * image[np.s_[i : i + 3, j : j + 3] if bug == "kernel-stride" else seen]
    if bug == "kernel-gradient-flipped":
        dw = dw[::-1, ::-1]
    dx = dxp[1:-1, 1:-1]
    if bug == "edge-kept":
        dx = dxp
    if bug == "edge-one-side":
        dx = dxp[:-2, :-2]
    db = dz.sum()
    if bug == "bias-kept":
        db = dz
    if bug == "bias-mean":
        db = dz.mean()
    return loss, {"dx": dx, "dw": dw, "db": db}


CONV_BUGS = {
    "relu-lost": "activation-slope-lost",
    "stride-ignored": "stride-ignored",
    "kernel-stride": "stride-ignored",
    "kernel-turned": "kernel-not-turned",
    "image-flipped": "kernel-gradient-flipped",
    "kernel-gradient-flipped": "kernel-gradient-flipped",
    "edge-kept": "padding-ignored",
    "edge-one-side": "padding-ignored",
    "bias-kept": "bias-not-summed",
    "bias-mean": "bias-averaged",
    "overwritten": "overlap-overwritten",
}

# -- attention -----------------------------------------------------------------------------------------------------------------

ATTENTION = f"""
input Q = {matrix(3, 3, 51)}, K = {matrix(3, 3, 52)}, V = {matrix(3, 3, 53)}
target T = {matrix(3, 3, 54)}
S = Q @ K.T/sqrt(3)
P = softmax(S)
O = P @ V
L = sum((O - T)^2)
"""


def attention(bug, Q, K, V, T):
    d = np.sqrt(3)
    S = Q @ K.T / d
    E = np.exp(S - S.max(1, keepdims=True))
    P = E / E.sum(1, keepdims=True)
    O = P @ V
    loss = ((O - T) ** 2).sum()
    dO = 2 * (O - T)
    dV = P.T @ dO
    if bug == "dV-untransposed":
        dV = P @ dO
    dP = dO @ V.T
    if bug == "value-untransposed":
        dP = dO @ V
    dS = P * (dP - (dP * P).sum(1, keepdims=True))
    if bug == "diagonal":
        dS = dP * P * (1 - P)
    if bug == "softmax-lost":
        dS = dP
    if bug == "softmax-axis":
        dS = P * (dP - (dP * P).sum(0, keepdims=True))
    dQ = dS @ K / d
    dK = dS.T @ Q / d
    if bug == "scale-lost":
        dQ, dK = dS @ K, dS.T @ Q
    if bug == "scale-squared":
        dQ, dK = dS @ K / 3, dS.T @ Q / 3
    if bug == "exchanged":
        dQ, dK = dK, dQ
    if bug == "dK-untransposed":
        dK = dS @ Q / d
    if bug == "dQ-transposed":
        dQ = dS.T @ K / d
    if bug == "own-factor":
        dQ = dS @ Q / d
    return loss, {"dQ": dQ, "dK": dK, "dV": dV}


ATTENTION_BUGS = {
    "dV-untransposed": "factor-not-transposed",
    "value-untransposed": "factor-not-transposed",
    "diagonal": "softmax-diagonal",
    "softmax-lost": "stops-before-softmax",
    "softmax-axis": "softmax-wrong-axis",
    "scale-lost": "constant-lost",
    "scale-squared": "constant-lost",
    "exchanged": "k-q-exchanged",
    "dK-untransposed": "factor-not-transposed",
    "dQ-transposed": "factor-not-transposed",
    "own-factor": "product-own-factor",
}

# -- layernorm, as one operation ---------------------------------------------------------------------------------------------

LAYERNORM = f"""
input x = {matrix(3, 4, 61)}
weight g = {vector(4, 62)}
bias b = {vector(4, 63)}
weight c = {matrix(3, 4, 64)}
y = layernorm(x, g, b, eps=0.01)
L = sum(c*y)
"""


def layernorm(bug, x, g, b, c):
    mu = x.mean(1, keepdims=True)
    root = np.sqrt(x.var(1, keepdims=True) + 0.01)
    hat = (x - mu) / root
    loss = (c * (g * hat + b)).sum()
    dg, db = (c * hat).sum(0), c.sum(0)
    if bug == "dg-axis":
        dg = (c * hat).sum(1)
    sent = c * g
    axis = 0 if bug == "batch-axis" else 1
    mean, along = sent.mean(axis, keepdims=True), hat * (sent * hat).mean(axis, keepdims=True)
    if bug in ("mean-path", "both-paths"):
        mean = 0
    if bug in ("variance-path", "both-paths"):
        along = 0
    dx = (sent - mean - along) / root
    return loss, {"dx": dx, "dg": dg, "db": db}


LAYERNORM_BUGS = {
    "dg-axis": "wrong-axis",
    "batch-axis": "norm-wrong-axis",
    "mean-path": "mean-path-lost",
    "variance-path": "variance-path-lost",
    "both-paths": "mean-and-variance-paths-lost",
}

PROGRAMS = {
    program.name: program
    for program in (
        Program("three layers", THREE, three, THREE_BUGS),
        Program("shared weight and skip", SKIP, skip, SKIP_BUGS),
        Program("fork", FORK, fork, FORK_BUGS),
        Program("batchnorm", BATCHNORM, batchnorm, BATCHNORM_BUGS),
        Program("softmax, cross-entropy", SOFTMAX, softmax, SOFTMAX_BUGS),
        Program("convolution", CONV, conv, CONV_BUGS),
        Program("attention", ATTENTION, attention, ATTENTION_BUGS),
        Program("layernorm", LAYERNORM, layernorm, LAYERNORM_BUGS),
    )
}
CASES = [(program, bug, key) for program in PROGRAMS.values() for bug, key in program.bugs.items()]
