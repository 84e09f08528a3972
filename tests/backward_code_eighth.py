"""Hand-written backward programs as text, and bugs as one replaced piece of that text: the eighth lot.

The five kinds of the sixth and the seventh lot, written when both had all their names, keys first: softplus and a
weighted loss, batchnorm with the unbiased variance, log-softmax with smooth labels, two kernels one after the other,
attention whose keys are its values, too.
"""

# ruff: noqa: RET504, PLR0917, C408 - a network is traced by its local names

from __future__ import annotations

from typing import Any

import numpy as np
from backward_code_fourth import Planted, Written

from backhand import fn

R = np.random.default_rng(808)


def _n(*shape: int) -> Any:
    return np.round(R.normal(size=shape) * 0.7, 2)


# -- three layers with softplus and weights of the examples ------------------------------------------------------------


def _weighted(X, W1, b1, W2, b2, W3, b3, c, T):
    Z1 = X @ W1 + b1
    A1 = fn.softplus(Z1)
    Z2 = A1 @ W2 + b2
    A2 = fn.sigmoid(Z2)
    Y = A2 @ W3 + b3
    E = Y - T
    L = np.mean(c * E**2)
    return L


WEIGHTED = Written(
    "three layers with softplus and weights of the examples",
    _weighted,
    dict(
        X=_n(6, 3),
        W1=_n(3, 5),
        b1=_n(5),
        W2=_n(5, 5),
        b2=_n(5),
        W3=_n(5, 2),
        b3=_n(2),
        c=np.abs(_n(6, 1)) + 0.5,
        T=_n(6, 2),
    ),
    """
def backward(X, W1, b1, W2, b2, W3, b3, c, T):
    Z1 = X @ W1 + b1
    A1 = np.log(1 + np.exp(Z1))
    Z2 = A1 @ W2 + b2
    A2 = 1 / (1 + np.exp(-Z2))
    Y = A2 @ W3 + b3
    E = Y - T
    dY = 2 * c * E / E.size
    grads = {"dY": dY}
    grads["dW3"] = A2.T @ dY
    grads["db3"] = np.sum(dY, 0)
    delta2 = (dY @ W3.T) * A2 * (1 - A2)
    grads["dZ2"] = delta2
    grads["dW2"] = A1.T @ delta2
    grads["db2"] = np.sum(delta2, 0)
    delta1 = (delta2 @ W2.T) / (1 + np.exp(-Z1))
    grads["dZ1"] = delta1
    grads["dW1"] = X.T @ delta1
    grads["db1"] = np.sum(delta1, 0)
    return grads
""",
    [
        Planted(
            "weights-lost",
            "dY = 2 * c * E / E.size",
            "dY = 2 * E / E.size",
            "the weights of the examples are forgotten",
        ),
        Planted(
            "rows-not-elements",
            "dY = 2 * c * E / E.size",
            "dY = 2 * c * E / E.shape[0]",
            "divided by the rows, not by all elements",
        ),
        Planted(
            "softplus-at-a", "(1 + np.exp(-Z1))", "(1 + np.exp(-A1))", "the derivative of softplus at a in place of z"
        ),
        Planted(
            "delta2-with-W3",
            "(dY @ W3.T) * A2 * (1 - A2)",
            "(dY @ W3.T) * A2",
            "one factor of the sigmoid derivative is lost",
        ),
        Planted(
            "dW2-of-A2",
            'grads["dW2"] = A1.T @ delta2',
            'grads["dW2"] = A2.T @ delta2',
            "dW2 with A2, the output of the layer",
        ),
        Planted(
            "b1-of-delta2",
            'grads["db1"] = np.sum(delta1, 0)',
            'grads["db1"] = np.sum(delta2, 0)',
            "db1 with the delta of another layer",
        ),
    ],
)

# -- batchnorm with the unbiased variance ------------------------------------------------------------------------------


def _unbiased(X, W, g, s, T):
    Z = X @ W
    mu = np.mean(Z, axis=0)
    C = Z - mu
    v = np.sum(C**2, axis=0) / 5
    r = np.sqrt(v + 0.001)
    N = C / r
    Y = N * g + s
    L = np.sum((Y - T) ** 2) / 12
    return L


UNBIASED = Written(
    "batchnorm with the unbiased variance",
    _unbiased,
    dict(X=_n(6, 3), W=_n(3, 3), g=1 + _n(3), s=_n(3), T=_n(6, 3)),
    """
def backward(X, W, g, s, T):
    n = len(X)
    Z = X @ W
    mu = Z.mean(0)
    C = Z - mu
    v = (C ** 2).sum(0) / (n - 1)
    r = np.sqrt(v + 0.001)
    N = C / r
    Y = N * g + s
    dY = (Y - T) / 6
    dg = (dY * N).sum(0)
    ds = dY.sum(0)
    dN = dY * g
    dr = -(dN * C).sum(0) / r ** 2
    dv = 0.5 * dr / r
    dC = dN / r + 2 * C * dv / (n - 1)
    dZ = dC - dC.mean(0)
    dW = X.T @ dZ
    return {"dY": dY, "dg": dg, "ds": ds, "dN": dN, "dr": dr, "dv": dv, "dC": dC, "dZ": dZ, "dW": dW}
""",
    [
        Planted("ddof-0", "2 * C * dv / (n - 1)", "2 * C * dv / n", "n for n - 1 in the backward"),
        Planted("r-unsquared", "/ r ** 2", "/ r", "the square of the quotient rule is lost"),
        Planted("quotient-sign", "dr = -(dN * C)", "dr = (dN * C)", "the minus of the quotient rule is lost"),
        Planted("mean-is-sum", "dZ = dC - dC.mean(0)", "dZ = dC - dC.sum(0)", "a sum where the mean belongs"),
        Planted("g-times-Y", "dg = (dY * N).sum(0)", "dg = (dY * Y).sum(0)", "gamma with the output in place of N"),
        Planted("square-2-lost", "2 * C * dv / (n - 1)", "C * dv / (n - 1)", "the factor 2 of the square is lost"),
    ],
)

# -- softmax of smooth labels ------------------------------------------------------------------------------------------


def _smooth(X, W, b, T):
    S = X @ W + b
    Q = fn.log_softmax(S, axis=1)
    L = -np.sum((0.9 * T + 0.025) * Q) / 5
    return L


SMOOTH = Written(
    "logarithm of softmax with smooth labels",
    _smooth,
    dict(X=_n(5, 4), W=_n(4, 4), b=_n(4), T=np.eye(4)[[0, 3, 1, 2, 1]]),
    """
def backward(X, W, b, T):
    m = X.shape[0]
    S = X @ W + b
    E = np.exp(S - S.max(1, keepdims=True))
    P = E / E.sum(1, keepdims=True)
    soft = 0.9 * T + 0.025
    dQ = -soft / m
    dS = dQ - P * dQ.sum(1, keepdims=True)
    dW = X.T @ dS
    db = dS.sum(0)
    dX = dS @ W.T
    return {"dS": dS, "dW": dW, "db": db, "dX": dX}
""",
    [
        Planted(
            "hard-labels", "dS = dQ - P * dQ.sum(1, keepdims=True)", "dS = (P - T) / m", "labels without the smoothing"
        ),
        Planted("m-lost", "dQ = -soft / m", "dQ = -soft", "not divided by the batch"),
        Planted(
            "sum-lost", "dS = dQ - P * dQ.sum(1, keepdims=True)", "dS = dQ - P * dQ", "the sum of log-softmax is lost"
        ),
        Planted("W-not-turned", "dX = dS @ W.T", "dX = dS @ W", "W for its transpose"),
        Planted(
            "y-minus-p",
            "dS = dQ - P * dQ.sum(1, keepdims=True)",
            "dS = P * dQ.sum(1, keepdims=True) - dQ",
            "y - p in place of p - y",
        ),
        Planted("b-not-summed", "db = dS.sum(0)", "db = dS", "the bias gradient is not summed"),
    ],
)

# -- two kernels -------------------------------------------------------------------------------------------------------


def _kernels(X, K1, K2, w):
    Z = fn.conv2d(X, K1)
    A = fn.sigmoid(Z)
    O = fn.conv2d(A, K2)
    F = np.reshape(O, (2, 8))
    y = F @ w
    L = np.sum(y**2) / 2
    return L


KERNELS = Written(
    "two kernels one after the other",
    _kernels,
    dict(X=_n(2, 2, 5, 5), K1=_n(2, 2, 3, 3), K2=_n(2, 2, 2, 2), w=_n(8)),
    """
def forward_conv(A, K):
    N, C, H, W = A.shape
    F, C, k, _ = K.shape
    out = np.zeros((N, F, H - k + 1, W - k + 1))
    for i in range(H - k + 1):
        for j in range(W - k + 1):
            out[:, :, i, j] = np.tensordot(A[:, :, i : i + k, j : j + k], K, axes=([1, 2, 3], [1, 2, 3]))
    return out

def backward_kernel(A, G, K):
    dK = np.zeros_like(K)
    k = K.shape[2]
    for i in range(G.shape[2]):
        for j in range(G.shape[3]):
            dK += np.tensordot(G[:, :, i, j], A[:, :, i : i + k, j : j + k], axes=([0], [0]))
    return dK

def backward_image(A, G, K):
    k = K.shape[2]
    Gp = np.pad(G, ((0, 0), (0, 0), (k - 1, k - 1), (k - 1, k - 1)))
    turned = K[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    return forward_conv(Gp, turned)

def backward(X, K1, K2, w):
    Z = forward_conv(X, K1)
    A = 1 / (1 + np.exp(-Z))
    O = forward_conv(A, K2)
    F = O.reshape(2, -1)
    y = F @ w
    dw = F.T @ y
    dF = np.outer(y, w)
    dO = dF.reshape(O.shape)
    dK2 = backward_kernel(A, dO, K2)
    dA = backward_image(A, dO, K2)
    dZ = dA * A * (1 - A)
    dK1 = backward_kernel(X, dZ, K1)
    dX = backward_image(X, dZ, K1)
    return {"dw": dw, "dO": dO, "dK2": dK2, "dA": dA, "dZ": dZ, "dK1": dK1, "dX": dX}
""",
    [
        Planted(
            "K-not-turned",
            "K[:, :, ::-1, ::-1].transpose",
            "K.transpose",
            "the kernel is not turned in the full convolution, at both",
        ),
        Planted(
            "channels",
            "turned = K[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)",
            "turned = K[:, :, ::-1, ::-1]",
            "in and out channels are not exchanged, at both",
        ),
        Planted(
            "dK2-of-Z",
            "dK2 = backward_kernel(A, dO, K2)",
            "dK2 = backward_kernel(Z, dO, K2)",
            "dK2 with Z in place of A",
        ),
        Planted(
            "slope-at-z",
            "dZ = dA * A * (1 - A)",
            "dZ = dA * Z * (1 - Z)",
            "the derivative of sigmoid at z in place of a",
        ),
        Planted("dK1-assigned", "dK += np.tensordot", "dK = np.tensordot", "= for += at both kernels"),
        Planted(
            "dX-of-dA", "dX = backward_image(X, dZ, K1)", "dX = backward_image(X, dA, K1)", "dA in place of dZ at X"
        ),
    ],
)

# -- attention with shared keys and values -----------------------------------------------------------------------------


def _shared(X, Wq, Wk, Wo, B, T):
    Q = X @ Wq
    K = X @ Wk
    S = Q @ K.T / np.sqrt(3) + B
    A = fn.softmax(S, axis=1)
    O = A @ K
    H = np.maximum(O @ Wo, 0) + X
    L = np.sum((H - T) ** 2)
    return L


SHARED = Written(
    "attention with keys that are the values, too",
    _shared,
    dict(X=_n(4, 3), Wq=_n(3, 3), Wk=_n(3, 3), Wo=_n(3, 3), B=_n(4, 4), T=_n(4, 3)),
    """
def backward(X, Wq, Wk, Wo, B, T):
    Q, K = X @ Wq, X @ Wk
    root = np.sqrt(K.shape[1])
    S = Q @ K.T / root + B
    E = np.exp(S - S.max(1, keepdims=True))
    A = E / E.sum(1, keepdims=True)
    O = A @ K
    U = O @ Wo
    H = np.maximum(U, 0) + X
    dH = 2 * (H - T)
    dU = dH * (U > 0)
    dWo = O.T @ dU
    dO = dU @ Wo.T
    dA = dO @ K.T
    dK = A.T @ dO
    dS = A * (dA - (A * dA).sum(1, keepdims=True))
    dB = dS
    dQ = dS @ K / root
    dK = dK + dS.T @ Q / root
    dX = dH + dQ @ Wq.T + dK @ Wk.T
    return {"dH": dH, "dWo": dWo, "dO": dO, "dA": dA, "dS": dS, "dB": dB, "dQ": dQ, "dK": dK, "dWq": X.T @ dQ,
            "dWk": X.T @ dK, "dX": dX}
""",
    [
        Planted(
            "keys-only",
            "dK = dK + dS.T @ Q / root",
            "dK = dS.T @ Q / root",
            "= for +=: the values' way to K is dropped",
        ),
        Planted("root-squared", "dQ = dS @ K / root", "dQ = dS @ K / root ** 2", "1/sqrt(d) squared at Q"),
        Planted("relu-of-H", "dU = dH * (U > 0)", "dU = dH * (H > 0)", "the relu mask after the skip was added"),
        Planted(
            "softmax-columns",
            "(A * dA).sum(1, keepdims=True)",
            "(A * dA).sum(0, keepdims=True)",
            "the sum of softmax along the wrong axis",
        ),
        Planted("skip-dropped", "dX = dH + dQ @ Wq.T", "dX = dQ @ Wq.T", "the skip is dropped"),
        Planted("A-not-turned", "dK = A.T @ dO", "dK = A @ dO", "A without its transpose"),
    ],
)

PROGRAMS = [WEIGHTED, UNBIASED, SMOOTH, KERNELS, SHARED]

KEYS: dict[str, dict[str, str | tuple[str, ...]]] = {
    WEIGHTED.name: {
        "weights-lost": ("mask-lost", "weights-ignored", "factor-left-out"),
        "rows-not-elements": ("constant-factor", "mean-inside", "loss-factor-lost"),
        "softplus-at-a": "slope-at-wrong-variable", "delta2-with-W3": ("half-slope", "value-for-slope"),
        "dW2-of-A2": "wrong-input", "b1-of-delta2": ("wrong-upstream", "copied"),
    },
    UNBIASED.name: {
        "ddof-0": ("another-constant", "constant-factor"), "r-unsquared": ("wrong-exponent", "factor-left-out"),
        "quotient-sign": "sign-lost", "mean-is-sum": "mean-inside", "g-times-Y": "wrong-input",
        "square-2-lost": ("power-not-lowered", "loss-factor-lost", "constant-lost"),
    },
    SMOOTH.name: {
        "hard-labels": ("term-left-out", "wrong-input", "another-constant"),
        "m-lost": "mean-forgotten", "sum-lost": "softmax-dot-lost",
        "W-not-turned": "w-for-w-transposed", "y-minus-p": ("sign-at-loss", "sign-lost"),
        "b-not-summed": "bias-not-summed",
    },
    KERNELS.name: {
        "K-not-turned": "kernel-not-turned", "channels": "channels-exchanged", "dK2-of-Z": "wrong-input",
        "slope-at-z": "slope-at-wrong-variable", "dK1-assigned": "overlap-overwritten",
        "dX-of-dA": ("wrong-upstream", "activation-slope-lost"),
    },
    SHARED.name: {
        "keys-only": ("overwritten", "shared-once", "way-dropped"), "root-squared": ("constant-lost", "factor-twice"),
        "relu-of-H": ("slope-at-wrong-variable", "slope-of-another-layer", "wrong-input"),
        "softmax-columns": "softmax-wrong-axis", "skip-dropped": "skip-dropped", "A-not-turned": "factor-not-transposed",
    },
}  # fmt: skip
"""The keys of the names, where several say the same about it all of them."""

ALSO: dict[str, dict[str, str]] = {SHARED.name: {"root-squared": "function-left-out"}}
"""A name that was not thought of beforehand, and found to say the same formula when it was read."""


def accepted(program: Written, bug: Planted) -> tuple[str, ...]:
    """The keys of all names that are right for a bug."""
    key = KEYS[program.name][bug.name]
    also = ALSO.get(program.name, {}).get(bug.name)
    return (*((key,) if isinstance(key, str) else key), *((also,) if also else ()))
