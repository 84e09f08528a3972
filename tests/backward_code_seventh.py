"""Hand-written backward programs as text, and bugs as one replaced piece of that text: the seventh lot.

The five kinds of the sixth lot once more, with other shapes, activations and variants: examples in columns, batchnorm
of images by channel, one-hot columns with a temperature, a convolution of sequences with a maximum over windows,
attention from one sequence to another with dropout. Written when the sixth lot had its names, with the keys before the
first run; what was missing then was left as it was.
"""

# ruff: noqa: RET504, PLR0917, C408 - a network is traced by its local names

from __future__ import annotations

from typing import Any

import numpy as np
from backward_code_fourth import Planted, Written

from backhand import fn

R = np.random.default_rng(707)


def _n(*shape: int) -> Any:
    return np.round(R.normal(size=shape) * 0.7, 2)


# -- three layers in columns -------------------------------------------------------------------------------------------


def _columns(X, W1, b1, W2, b2, W3, b3, T):
    Z1 = W1 @ X + b1
    H1 = fn.leaky_relu(Z1, 0.2)
    Z2 = W2 @ H1 + b2
    H2 = Z2 * fn.sigmoid(Z2)
    Z3 = W3 @ H2 + b3
    P = fn.sigmoid(Z3)
    L = -np.sum(T * np.log(P) + (1 - T) * np.log(1 - P)) / 5
    return L


COLUMNS = Written(
    "three layers in columns, swish and a logistic output",
    _columns,
    dict(
        X=_n(2, 5),
        W1=_n(3, 2),
        b1=_n(3, 1),
        W2=_n(3, 3),
        b2=_n(3, 1),
        W3=_n(1, 3),
        b3=_n(1, 1),
        T=np.array([[0, 1, 1, 0, 1]]),
    ),
    """
def sigmoid(t):
    return 1 / (1 + np.exp(-t))

def backward(X, W1, b1, W2, b2, W3, b3, T):
    m = X.shape[1]
    Z1 = W1 @ X + b1
    H1 = np.where(Z1 > 0, Z1, 0.2 * Z1)
    Z2 = W2 @ H1 + b2
    s = sigmoid(Z2)
    H2 = Z2 * s
    Z3 = W3 @ H2 + b3
    P = sigmoid(Z3)
    dZ3 = (P - T) / m
    dW3 = dZ3 @ H2.T
    db3 = np.sum(dZ3, axis=1, keepdims=True)
    dH2 = W3.T @ dZ3
    dZ2 = dH2 * (s + H2 * (1 - s))
    dW2 = dZ2 @ H1.T
    db2 = np.sum(dZ2, axis=1, keepdims=True)
    dH1 = W2.T @ dZ2
    dZ1 = dH1 * np.where(Z1 > 0, 1, 0.2)
    dW1 = dZ1 @ X.T
    db1 = np.sum(dZ1, axis=1, keepdims=True)
    return {"dZ3": dZ3, "dW3": dW3, "db3": db3, "dH2": dH2, "dZ2": dZ2, "dW2": dW2, "db2": db2, "dH1": dH1,
            "dZ1": dZ1, "dW1": dW1, "db1": db1}
""",
    [
        Planted("swish-as-sigmoid", "(s + H2 * (1 - s))", "s * (1 - s)", "the derivative of sigmoid for that of swish"),
        Planted("swish-half", "(s + H2 * (1 - s))", "s", "only one term of the product rule of swish"),
        Planted("W2-not-turned", "dH1 = W2.T @ dZ2", "dH1 = W2 @ dZ2", "W for its transpose"),
        Planted("sigmoid-again", "dZ3 = (P - T) / m", "dZ3 = (P - T) * P * (1 - P) / m", "the slope of sigmoid twice"),
        Planted("leak-01", "np.where(Z1 > 0, 1, 0.2)", "np.where(Z1 > 0, 1, 0.1)", "another leak than forward"),
        Planted(
            "b2-axis",
            "db2 = np.sum(dZ2, axis=1, keepdims=True)",
            "db2 = np.sum(dZ2, axis=0, keepdims=True)",
            "the bias summed over the wrong axis",
        ),
    ],
)

# -- batchnorm of images -----------------------------------------------------------------------------------------------


def _images(X, gamma, beta, T):
    mu = np.mean(X, axis=(0, 2, 3), keepdims=True)
    var = np.mean((X - mu) ** 2, axis=(0, 2, 3), keepdims=True)
    std = np.sqrt(var + 0.1)
    xhat = (X - mu) / std
    Z = gamma * xhat + beta
    Y = np.tanh(Z)
    L = np.mean((Y - T) ** 2)
    return L


IMAGES = Written(
    "batchnorm of images by channel",
    _images,
    dict(X=_n(3, 2, 2, 2), gamma=1 + _n(1, 2, 1, 1), beta=_n(1, 2, 1, 1), T=_n(3, 2, 2, 2)),
    """
def backward(X, gamma, beta, T):
    ax = (0, 2, 3)
    m = X.shape[0] * X.shape[2] * X.shape[3]
    mu = X.mean(axis=ax, keepdims=True)
    var = ((X - mu) ** 2).mean(axis=ax, keepdims=True)
    std = np.sqrt(var + 0.1)
    xhat = (X - mu) / std
    Z = gamma * xhat + beta
    Y = np.tanh(Z)
    dY = 2 * (Y - T) / Y.size
    dZ = dY * (1 - Y * Y)
    dgamma = (dZ * xhat).sum(axis=ax, keepdims=True)
    dbeta = dZ.sum(axis=ax, keepdims=True)
    dxhat = dZ * gamma
    s1 = dxhat.sum(axis=ax, keepdims=True)
    s2 = (dxhat * xhat).sum(axis=ax, keepdims=True)
    dX = (m * dxhat - s1 - xhat * s2) / (m * std)
    return dgamma, dbeta, dxhat, dX
""",
    [
        Planted("no-s2", "(m * dxhat - s1 - xhat * s2)", "(m * dxhat - s1)", "the way through the variance is dropped"),
        Planted(
            "no-s1", "(m * dxhat - s1 - xhat * s2)", "(m * dxhat - xhat * s2)", "the way through the mean is dropped"
        ),
        Planted(
            "m-is-batch",
            "m = X.shape[0] * X.shape[2] * X.shape[3]",
            "m = X.shape[0]",
            "m is the number of images, not of pixels",
        ),
        Planted(
            "s2-without-xhat",
            "(m * dxhat - s1 - xhat * s2)",
            "(m * dxhat - s1 - s2)",
            "xhat is lost in the term of the variance",
        ),
        Planted("var-for-std", "/ (m * std)", "/ (m * (var + 0.1))", "divided by the variance, not by its root"),
        Planted(
            "gamma-batch-only",
            "dgamma = (dZ * xhat).sum(axis=ax, keepdims=True)",
            "dgamma = (dZ * xhat).mean(axis=0, keepdims=True).sum(axis=(2, 3), keepdims=True)",
            "gamma averaged over the images",
        ),
    ],
)

# -- softmax in columns with a temperature -----------------------------------------------------------------------------


def _temperature(X, W, b, U, c, T):
    A = W @ X + b
    H = np.maximum(A, 0)
    Z = (U @ H + c) / 2.5
    P = fn.softmax(Z, axis=0)
    L = -np.sum(T * np.log(P)) / 6
    return L


TEMPERATURE = Written(
    "softmax in columns with a temperature",
    _temperature,
    dict(X=_n(4, 6), W=_n(4, 4), b=_n(4, 1), U=_n(3, 4), c=_n(3, 1), T=np.eye(3)[[0, 2, 1, 1, 0, 2]].T),
    """
def backward(X, W, b, U, c, T):
    m = X.shape[1]
    temp = 2.5
    A = W @ X + b
    H = np.maximum(0, A)
    Z = (U @ H + c) / temp
    E = np.exp(Z - Z.max(axis=0))
    P = E / E.sum(axis=0)
    dZ = (P - T) / m
    dS = dZ / temp
    dU = dS @ H.T
    dc = dS.sum(axis=1, keepdims=True)
    dH = U.T @ dS
    dA = dH * (A > 0)
    dW = dA @ X.T
    db = dA.sum(axis=1, keepdims=True)
    return {"dZ": dZ, "dU": dU, "dc": dc, "dH": dH, "dA": dA, "dW": dW, "db": db}
""",
    [
        Planted("temperature-lost", "dS = dZ / temp", "dS = dZ", "the temperature is forgotten"),
        Planted(
            "temperature-inverted", "dS = dZ / temp", "dS = dZ * temp", "times the temperature in place of divided"
        ),
        Planted("y-minus-p", "dZ = (P - T) / m", "dZ = (T - P) / m", "y - p in place of p - y"),
        Planted("diagonal", "dZ = (P - T) / m", "dZ = -T / P / m * P * (1 - P)", "only the diagonal of softmax"),
        Planted("logits", "dZ = (P - T) / m", "dZ = (Z - T) / m", "logits in place of probabilities"),
        Planted("dW-turned", "dW = dA @ X.T", "dW = X @ dA.T", "the gradient of W is transposed"),
    ],
)

# -- a convolution of sequences ----------------------------------------------------------------------------------------


def _sequence(X, K, b, V, T):
    Z = fn.conv1d(X, K, padding=1) + b
    A = np.tanh(Z)
    M = np.max(np.reshape(A, (2, 3, 2, 2)), axis=3)
    F = np.reshape(M, (2, 6))
    Y = F @ V
    L = 0.5 * np.sum((Y - T) ** 2)
    return L


SEQUENCE = Written(
    "convolution of sequences with tanh and a maximum of two",
    _sequence,
    dict(X=_n(2, 2, 4), K=_n(3, 2, 3), b=_n(3, 1), V=_n(6, 2), T=_n(2, 2)),
    """
def backward(X, K, b, V, T):
    N, C, n = X.shape
    F_, _, k = K.shape
    Xp = np.pad(X, ((0, 0), (0, 0), (1, 1)))
    Z = np.zeros((N, F_, n))
    for i in range(n):
        Z[:, :, i] = np.einsum("nck,fck->nf", Xp[:, :, i : i + k], K)
    Z = Z + b
    A = np.tanh(Z)
    M = A.reshape(N, F_, n // 2, 2).max(axis=3)
    F = M.reshape(N, -1)
    Y = F @ V
    dY = Y - T
    dV = F.T @ dY
    dF = dY @ V.T
    dM = dF.reshape(M.shape)
    dA = np.zeros_like(A)
    for i in range(n // 2):
        for j in range(2):
            dA[:, :, 2 * i + j] += dM[:, :, i] * (A[:, :, 2 * i + j] == M[:, :, i])
    dZ = dA * (1 - A ** 2)
    db = dZ.sum(axis=(0, 2)).reshape(b.shape)
    dK = np.zeros_like(K)
    dXp = np.zeros_like(Xp)
    for i in range(n):
        dK += np.einsum("nf,nck->fck", dZ[:, :, i], Xp[:, :, i : i + k])
        dXp[:, :, i : i + k] += np.einsum("nf,fck->nck", dZ[:, :, i], K)
    dX = dXp[:, :, 1:-1]
    return {"dY": dY, "dV": dV, "dF": dF, "dM": dM, "dA": dA, "dZ": dZ, "db": db, "dK": dK, "dX": dX}
""",
    [
        Planted(
            "K-flipped",
            '"nf,fck->nck", dZ[:, :, i], K)',
            '"nf,fck->nck", dZ[:, :, i], K[:, :, ::-1])',
            "the kernel flipped once too often",
        ),
        Planted(
            "max-to-all",
            " * (A[:, :, 2 * i + j] == M[:, :, i])",
            "",
            "the maximum's derivative goes to all of the window",
        ),
        Planted("max-averaged", "(A[:, :, 2 * i + j] == M[:, :, i])", "0.5", "the maximum treated as a mean"),
        Planted("edge", "dX = dXp[:, :, 1:-1]", "dX = dXp[:, :, 2:]", "the edge taken off at one side"),
        Planted("dK-last", "dK += np.einsum", "dK = np.einsum", "= for += at the kernel"),
        Planted(
            "tanh-at-z", "dZ = dA * (1 - A ** 2)", "dZ = dA * (1 - Z ** 2)", "the derivative of tanh at z in place of a"
        ),
    ],
)

# -- attention to another sequence -------------------------------------------------------------------------------------


def _cross(X, C, Wq, Wk, Wv, D, T):
    Q = X @ Wq
    K = C @ Wk
    V = C @ Wv
    S = Q @ np.transpose(K, (0, 2, 1)) * 0.5
    A = fn.softmax(S, axis=2)
    B = A * D
    Y = B @ V
    L = np.sum((Y - T) ** 2) / 2
    return L


CROSS = Written(
    "attention to another sequence, with dropout",
    _cross,
    dict(
        X=_n(2, 3, 4),
        C=_n(2, 3, 5),
        Wq=_n(4, 4),
        Wk=_n(5, 4),
        Wv=_n(5, 4),
        D=np.array([[[1, 0, 1], [1, 1, 1], [0, 1, 1]], [[1, 1, 0], [1, 1, 1], [1, 0, 1]]]),
        T=_n(2, 3, 4),
    ),
    """
def backward(X, C, Wq, Wk, Wv, D, T):
    scale = 0.5
    Q, K, V = X @ Wq, C @ Wk, C @ Wv
    S = scale * np.einsum("bid,bjd->bij", Q, K)
    E = np.exp(S)
    A = E / E.sum(-1, keepdims=True)
    B = A * D
    Y = B @ V
    dY = Y - T
    dB = dY @ V.transpose(0, 2, 1)
    dV = B.transpose(0, 2, 1) @ dY
    dA = dB * D
    dS = A * (dA - (dA * A).sum(-1, keepdims=True))
    dS_scaled = dS * scale
    dQ = dS_scaled @ K
    dK = dS_scaled.transpose(0, 2, 1) @ Q
    dWq = np.einsum("bik,bil->kl", X, dQ)
    dWk = np.einsum("bik,bil->kl", C, dK)
    dWv = np.einsum("bik,bil->kl", C, dV)
    dX = dQ @ Wq.T
    dC = dK @ Wk.T + dV @ Wv.T
    return {"dWq": dWq, "dWk": dWk, "dWv": dWv, "dX": dX, "dC": dC}
""",
    [
        Planted("dropout-forgotten", "dA = dB * D", "dA = dB", "the dropout mask is forgotten in the backward"),
        Planted(
            "scale-squared", "dS_scaled = dS * scale", "dS_scaled = dS * scale * scale", "the scale is applied twice"
        ),
        Planted(
            "Q-K-swapped",
            "dK = dS_scaled.transpose(0, 2, 1) @ Q",
            "dK = dS_scaled.transpose(0, 2, 1) @ K",
            "dK with K where Q belongs",
        ),
        Planted("C-through-V-only", "dC = dK @ Wk.T + dV @ Wv.T", "dC = dV @ Wv.T", "the way through K is dropped"),
        Planted(
            "dV-with-A",
            "dV = B.transpose(0, 2, 1) @ dY",
            "dV = A.transpose(0, 2, 1) @ dY",
            "dV with A, without the dropout",
        ),
        Planted(
            "softmax-sum-lost",
            "dS = A * (dA - (dA * A).sum(-1, keepdims=True))",
            "dS = A * dA",
            "the sum of softmax is lost",
        ),
    ],
)

PROGRAMS = [COLUMNS, IMAGES, TEMPERATURE, SEQUENCE, CROSS]
RETURNS = {IMAGES.name: ("dgamma", "dbeta", "dxhat", "dX")}

KEYS: dict[str, dict[str, str | tuple[str, ...]]] = {
    COLUMNS.name: {
        "swish-as-sigmoid": "slope-of-wrong-function", "swish-half": ("half-slope", "term-left-out", "way-dropped"),
        "W2-not-turned": "w-for-w-transposed", "sigmoid-again": "slope-twice", "leak-01": "another-constant",
        "b2-axis": "wrong-axis",
    },
    IMAGES.name: {
        "no-s2": "variance-path-lost", "no-s1": "mean-path-lost", "m-is-batch": ("another-constant", "mean-inside"),
        "s2-without-xhat": "factor-left-out", "var-for-std": "norm-factor-lost", "gamma-batch-only": "bias-averaged",
    },
    TEMPERATURE.name: {
        "temperature-lost": ("constant-lost", "factor-left-out"), "temperature-inverted": "factor-inverted",
        "y-minus-p": ("sign-at-loss", "sign-lost"), "diagonal": "softmax-diagonal",
        "logits": "logits-for-probabilities", "dW-turned": "transposed",
    },
    SEQUENCE.name: {
        "K-flipped": "kernel-not-turned", "max-to-all": "max-to-all", "max-averaged": ("max-to-all", "mean-inside"),
        "edge": "padding-ignored", "dK-last": "overlap-overwritten", "tanh-at-z": "slope-at-wrong-variable",
    },
    CROSS.name: {
        "dropout-forgotten": "mask-lost", "scale-squared": ("constant-lost", "factor-twice"),
        "Q-K-swapped": ("product-own-factor", "wrong-input"), "C-through-V-only": ("way-dropped", "shared-once"),
        "dV-with-A": "wrong-input", "softmax-sum-lost": "softmax-dot-lost",
    },
}  # fmt: skip
"""The keys of the names, where several say the same about it all of them."""

ALSO: dict[str, dict[str, str]] = {
    COLUMNS.name: {"swish-half": "overwritten"},
    IMAGES.name: {"var-for-std": "wrong-input"},
    TEMPERATURE.name: {"temperature-inverted": "constant-lost", "logits": "wrong-input"},
    SEQUENCE.name: {},
    CROSS.name: {"scale-squared": "constant-factor", "C-through-V-only": "overwritten"},
}
"""Names that were not thought of beforehand, and found to say the same formula when they were read."""


def accepted(program: Written, bug: Planted) -> tuple[str, ...]:
    """The keys of all names that are right for a bug."""
    key = KEYS[program.name][bug.name]
    also = ALSO[program.name].get(bug.name)
    return (*((key,) if isinstance(key, str) else key), *((also,) if also else ()))
