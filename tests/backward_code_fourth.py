"""Hand-written backward programs as text, and bugs as one replaced piece of that text: the fourth lot.

The programs and bugs were written, with the words for what is wrong, before the table of mistakes was looked at.
Many are bugs that people have had: gates that take their own value (wvabrinskas/Neuron 181), a bias gradient copied
from another gate (hanbt/learn_dl 53), a cell state that is overwritten (apache/mxnet 4057), a stride left out
(Kulbear/deep-learning-coursera 34), the mean of a bias gradient (kvfrans/notes 5), a factor 2 or 4
(Coursera's exercise on gradient checking).
"""

# ruff: noqa: RET504, PLR0917, C408 - a network is traced by its local names

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backhand import fn


@dataclass(frozen=True)
class Planted:
    """One bug: `old` is replaced by `new` in the program's text. `words` say what is wrong."""

    name: str
    old: str
    new: str
    words: str


@dataclass(frozen=True, eq=False)
class Written:
    """A network as a function, numbers for it, and a backward function as text that is right."""

    name: str
    loss: Callable[..., Any]
    inputs: dict[str, Any]
    source: str
    bugs: Sequence[Planted]
    arrays: str = "numpy"

    def backward(self, bug: Planted | None = None, *more: Planted) -> Callable[..., Any]:
        """The function `backward` of the text, with bugs put in."""
        source = self.source
        for one in (bug, *more) if bug is not None else ():
            assert source.count(one.old) == 1, (self.name, one.name, source.count(one.old))
            source = source.replace(one.old, one.new)
        spaces: dict[str, Any] = {"np": np}
        if self.arrays == "torch":
            import torch

            spaces["torch"] = torch
        exec(compile(source, f"<{self.name}>", "exec"), spaces)
        return spaces["backward"]


R = np.random.default_rng(404)


def _n(*shape: int) -> Any:
    return np.round(R.normal(size=shape) * 0.7, 2)


# -- three layers, tanh, leaky, sigmoid, squared error ------------------------------------------------------------------


def _squares(X, W1, b1, W2, b2, W3, b3, T):
    Z1 = X @ W1 + b1
    H1 = np.tanh(Z1)
    Z2 = H1 @ W2 + b2
    H2 = fn.leaky_relu(Z2, 0.1)
    Z3 = H2 @ W3 + b3
    Y = fn.sigmoid(Z3)
    L = ((Y - T) ** 2).sum() / 5
    return L


SQUARES = Written(
    "tanh, leaky, sigmoid, squares", _squares,
    dict(X=_n(5, 3), W1=_n(3, 4), b1=_n(4), W2=_n(4, 4), b2=_n(4), W3=_n(4, 2), b3=_n(2), T=np.round(R.uniform(size=(5, 2)), 2)),
    '''
def backward(X, W1, b1, W2, b2, W3, b3, T):
    N = X.shape[0]
    Z1 = X @ W1 + b1
    H1 = np.tanh(Z1)
    Z2 = H1 @ W2 + b2
    H2 = np.where(Z2 > 0, Z2, 0.1 * Z2)
    Z3 = H2 @ W3 + b3
    Y = 1 / (1 + np.exp(-Z3))
    dY = 2 * (Y - T) / N
    dZ3 = dY * Y * (1 - Y)
    dW3 = H2.T @ dZ3
    db3 = dZ3.sum(axis=0)
    dH2 = dZ3 @ W3.T
    dZ2 = dH2 * np.where(Z2 > 0, 1, 0.1)
    dW2 = H1.T @ dZ2
    db2 = dZ2.sum(axis=0)
    dH1 = dZ2 @ W2.T
    dZ1 = dH1 * (1 - H1 ** 2)
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(axis=0)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2, "dW3": dW3, "db3": db3}
''',
    [
        Planted("tanh-of-z", "(1 - H1 ** 2)", "(1 - Z1 ** 2)", "tanh's slope from Z1 in place of tanh(Z1)"),
        Planted("tanh-twice", "(1 - H1 ** 2)", "(1 - np.tanh(H1) ** 2)", "tanh applied once more to what is already activated"),
        Planted("tanh-unsquared", "(1 - H1 ** 2)", "(1 - H1)", "square forgotten in tanh's slope"),
        Planted("sigmoid-of-z", "Y * (1 - Y)", "Z3 * (1 - Z3)", "sigmoid's slope from Z3 in place of Y"),
        Planted("sigmoid-twice", "dY * Y * (1 - Y)", "dY * (1 / (1 + np.exp(-Y))) * (1 - 1 / (1 + np.exp(-Y)))", "sigmoid applied once more to what is already activated"),
        Planted("slope-for-tanh-is-sigmoid's", "(1 - H1 ** 2)", "H1 * (1 - H1)", "sigmoid's slope used for tanh"),
        Planted("leak-is-zero", "np.where(Z2 > 0, 1, 0.1)", "(Z2 > 0)", "relu's slope used for leaky relu: leak lost"),
        Planted("leak-is-001", "np.where(Z2 > 0, 1, 0.1)", "np.where(Z2 > 0, 1, 0.01)", "another leak than in the forward pass"),
        Planted("mask-of-H1", "np.where(Z2 > 0, 1, 0.1)", "np.where(Z1 > 0, 1, 0.1)", "slope taken at another layer"),
        Planted("mean-bias", "db2 = dZ2.sum(axis=0)", "db2 = dZ2.mean(axis=0)", "mean in place of sum for the bias"),
        Planted("bias-of-H", "db2 = dZ2.sum(axis=0)", "db2 = dH2.sum(axis=0)", "bias gradient from dH2, not dZ2: slope lost there"),
        Planted("W2-from-X-side", "dW2 = H1.T @ dZ2", "dW2 = Z1.T @ dZ2", "pre-activation in place of activation"),
        Planted("W-untransposed", "dH1 = dZ2 @ W2.T", "dH1 = dZ2 @ W2", "the weight not transposed"),
        Planted("half", "dY = 2 * (Y - T) / N", "dY = (Y - T) / N", "factor 2 lost"),
        Planted("size-not-rows", "dY = 2 * (Y - T) / N", "dY = 2 * (Y - T) / Y.size", "divided by number of elements, not of rows"),
        Planted("logistic-shortcut", "dZ3 = dY * Y * (1 - Y)", "dZ3 = dY", "slope of the sigmoid lost (as with cross entropy)"),
        Planted("N-and-T", "dY = 2 * (Y - T) / N", "dY = 2 * (T - Y) / N", "difference turned round"),
        Planted("W3-from-W2", "dH2 = dZ3 @ W3.T", "dH2 = dY @ W3.T", "handed on before the sigmoid's slope: dY in place of dZ3"),
        Planted("dW3-times-two", "dW3 = H2.T @ dZ3", "dW3 = H2.T @ dZ3 * 2", "a factor 2 too much"),
        Planted("db1-times-four", "db1 = dZ1.sum(axis=0)", "db1 = 4 * dZ1.sum(axis=0)", "a factor 4 too much"),
    ],
)  # fmt: skip


# -- columns, relu, softmax with one-hot rows ---------------------------------------------------------------------------


def _columns(X, W1, b1, W2, b2, W3, b3, Y):
    Z1 = W1 @ X + b1
    A1 = np.maximum(Z1, 0)
    Z2 = W2 @ A1 + b2
    A2 = np.maximum(Z2, 0)
    Z3 = W3 @ A2 + b3
    A3 = fn.softmax(Z3, axis=0)
    L = -(Y * np.log(A3)).sum() / 6
    return L


COLUMNS = Written(
    "columns, relu, softmax", _columns,
    dict(X=_n(4, 6), W1=_n(3, 4), b1=_n(3, 1), W2=_n(3, 3), b2=_n(3, 1), W3=_n(2, 3), b3=_n(2, 1),
         Y=np.eye(2)[R.integers(0, 2, 6)].T),
    '''
def backward(X, W1, b1, W2, b2, W3, b3, Y):
    m = X.shape[1]
    Z1 = np.dot(W1, X) + b1
    A1 = np.maximum(0, Z1)
    Z2 = np.dot(W2, A1) + b2
    A2 = np.maximum(0, Z2)
    Z3 = np.dot(W3, A2) + b3
    E = np.exp(Z3 - Z3.max(axis=0))
    A3 = E / E.sum(axis=0)
    dZ3 = A3 - Y
    dW3 = 1. / m * np.dot(dZ3, A2.T)
    db3 = 1. / m * np.sum(dZ3, axis=1, keepdims=True)
    dA2 = np.dot(W3.T, dZ3)
    dZ2 = np.multiply(dA2, np.int64(A2 > 0))
    dW2 = 1. / m * np.dot(dZ2, A1.T)
    db2 = 1. / m * np.sum(dZ2, axis=1, keepdims=True)
    dA1 = np.dot(W2.T, dZ2)
    dZ1 = np.multiply(dA1, np.int64(A1 > 0))
    dW1 = 1. / m * np.dot(dZ1, X.T)
    db1 = 1. / m * np.sum(dZ1, axis=1, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2, "dW3": dW3, "db3": db3}
''',
    [
        Planted("coursera-2", "dW2 = 1. / m * np.dot(dZ2, A1.T)", "dW2 = 1. / m * np.dot(dZ2, A1.T) * 2", "a factor 2 too much"),
        Planted("coursera-4", "db1 = 1. / m * np.sum", "db1 = 4. / m * np.sum", "a factor 4 too much"),
        Planted("no-m", "dW1 = 1. / m * np.dot(dZ1, X.T)", "dW1 = np.dot(dZ1, X.T)", "1/m forgotten at W1 alone"),
        Planted("m-twice", "dZ2 = np.multiply(dA2, np.int64(A2 > 0))", "dZ2 = np.multiply(dA2, np.int64(A2 > 0)) / m", "1/m twice"),
        Planted("all-axes", "db2 = 1. / m * np.sum(dZ2, axis=1, keepdims=True)", "db2 = 1. / m * np.sum(dZ2)", "bias summed over all axes"),
        Planted("wrong-mask", "np.multiply(dA1, np.int64(A1 > 0))", "np.multiply(dA1, np.int64(A2 > 0))", "mask of another layer"),
        Planted("A-minus-Y-over-A", "dZ3 = A3 - Y", "dZ3 = -Y / A3", "softmax's Jacobian left out: derivative by the probabilities"),
        Planted("diagonal", "dZ3 = A3 - Y", "dZ3 = -Y / A3 * A3 * (1 - A3)", "only the diagonal of softmax's Jacobian"),
        Planted("W2-own-grad", "dA1 = np.dot(W2.T, dZ2)", "dA1 = np.dot((W2 - 0.1 * dW2).T, dZ2)", "weight updated before it is used"),
        Planted("no-target", "dZ3 = A3 - Y", "dZ3 = A3", "the target left out"),
        Planted("raw-scores", "dZ3 = A3 - Y", "dZ3 = Z3 - Y", "scores in place of probabilities"),
        Planted("A2-for-A1", "np.dot(dZ2, A1.T)", "np.dot(dZ2, A2.T)", "activation of another layer"),
        Planted("db3-of-one", "db3 = 1. / m * np.sum(dZ3, axis=1, keepdims=True)", "db3 = 1. / m * dZ3[:, :1]", "only the first example counted for the bias"),
    ],
)  # fmt: skip


# -- gelu, residual, dropout mask, weight decay -------------------------------------------------------------------------


def _residual(x, W1, b1, W2, b2, W3, t, M):
    z1 = x @ W1 + b1
    h = fn.gelu(z1)
    d = h * M / 0.8
    z2 = d @ W2 + b2
    r = z2 + x
    y = r @ W3
    data = 0.5 * np.mean((y - t) ** 2)
    decay = 0.05 * np.sum(W1**2) + 0.05 * np.sum(W2**2)
    L = data + decay
    return L


RESIDUAL = Written(
    "gelu, dropout, residual, decay", _residual,
    dict(x=_n(4, 3), W1=_n(3, 5), b1=_n(5), W2=_n(5, 3), b2=_n(3), W3=_n(3, 2), t=_n(4, 2),
         M=(R.uniform(size=(4, 5)) < 0.8).astype(float)),
    '''
from math import erf, pi, sqrt
Phi = np.vectorize(lambda v: 0.5 * (1 + erf(v / sqrt(2))))
phi = lambda v: np.exp(-v ** 2 / 2) / sqrt(2 * pi)
def backward(x, W1, b1, W2, b2, W3, t, M):
    z1 = x @ W1 + b1
    h = z1 * Phi(z1)
    d = h * M / 0.8
    z2 = d @ W2 + b2
    r = z2 + x
    y = r @ W3
    dy = (y - t) / y.size
    dW3 = r.T @ dy
    dr = dy @ W3.T
    dz2 = dr
    dW2 = d.T @ dz2
    dW2 += 0.1 * W2
    db2 = dz2.sum(0)
    dd = dz2 @ W2.T
    dh = dd * M / 0.8
    dz1 = dh * (Phi(z1) + z1 * phi(z1))
    dW1 = x.T @ dz1
    dW1 += 0.1 * W1
    db1 = dz1.sum(0)
    dx = dz1 @ W1.T + dr
    return {"dx": dx, "dz1": dz1, "dh": dh, "dr": dr, "dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2, "dW3": dW3}
''',
    [
        Planted("no-scale", "dh = dd * M / 0.8", "dh = dd * M", "scale of the kept ones forgotten"),
        Planted("no-mask", "dh = dd * M / 0.8", "dh = dd", "dropout forgotten on the way back"),
        Planted("mask-lost", "dh = dd * M / 0.8", "dh = dd / 0.8", "the mask lost, its scale kept"),
        Planted("W2-undropped", "dW2 = d.T @ dz2", "dW2 = h.T @ dz2", "values before the dropout"),
        Planted("skip-lost", "dx = dz1 @ W1.T + dr", "dx = dz1 @ W1.T", "the way round the block lost"),
        Planted("block-lost", "dx = dz1 @ W1.T + dr", "dx = dr", "only the way round the block"),
        Planted("skip-scaled", "dx = dz1 @ W1.T + dr", "dx = dz1 @ W1.T + dy @ W3.T + dr", "the way round counted twice"),
        Planted("decay-half", "dW2 += 0.1 * W2", "dW2 += 0.05 * W2", "factor 2 of the decay lost"),
        Planted("decay-lost", "dW1 += 0.1 * W1", "dW1 += 0", "weight decay left out for W1"),
        Planted("decay-minus", "dW1 += 0.1 * W1", "dW1 -= 0.1 * W1", "decay subtracted"),
        Planted("decay-wrong-W", "dW2 += 0.1 * W2", "dW2 += 0.1 * W1.T", "decay of another weight"),
        Planted("decay-only", "dW2 += 0.1 * W2", "dW2 = 0.1 * W2", "= in place of +=: decay alone is left"),
        Planted("decay-squared", "dW1 += 0.1 * W1", "dW1 += 0.05 * W1 ** 2", "decay itself added, not its derivative"),
        Planted("gelu-first", "(Phi(z1) + z1 * phi(z1))", "Phi(z1)", "the product rule's second half left out in gelu"),
        Planted("gelu-second", "(Phi(z1) + z1 * phi(z1))", "(z1 * phi(z1))", "the product rule's first half left out in gelu"),
        Planted("gelu-of-h", "(Phi(z1) + z1 * phi(z1))", "(Phi(h) + h * phi(h))", "gelu's slope at h in place of z1"),
        Planted("gelu-no-z", "(Phi(z1) + z1 * phi(z1))", "(Phi(z1) + phi(z1))", "a factor z1 left out in gelu's slope"),
        Planted("rows", "dy = (y - t) / y.size", "dy = (y - t) / y.shape[0]", "divided by rows only"),
        Planted("before-skip", "dW3 = r.T @ dy", "dW3 = z2.T @ dy", "the value before the sum"),
    ],
)  # fmt: skip


# -- batch normalisation by stages, relu, scores, labels ----------------------------------------------------------------


def _stages(x, gamma, beta, W, b, y):
    mu = np.mean(x, axis=0)
    xc = x - mu
    var = np.mean(xc**2, axis=0)
    std = np.sqrt(var + 0.01)
    xhat = xc / std
    a = gamma * xhat + beta
    r = np.maximum(a, 0)
    s = r @ W + b
    L = np.mean(fn.cross_entropy_logits(s, y))
    return L


STAGES = Written(
    "batchnorm by stages", _stages,
    dict(x=_n(6, 3), gamma=_n(3), beta=_n(3), W=_n(3, 3), b=_n(3), y=np.array([0, 2, 1, 1, 0, 2])),
    '''
def backward(x, gamma, beta, W, b, y):
    N = x.shape[0]
    y = np.asarray(y).astype(int)
    mu = x.mean(axis=0)
    xc = x - mu
    var = (xc ** 2).mean(axis=0)
    std = np.sqrt(var + 0.01)
    xhat = xc / std
    a = gamma * xhat + beta
    r = np.maximum(a, 0)
    s = r @ W + b
    p = np.exp(s - s.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    ds = p.copy()
    ds[np.arange(N), y] -= 1
    ds /= N
    dW = r.T @ ds
    db = ds.sum(axis=0)
    dr = ds @ W.T
    da = dr * (a > 0)
    dgamma = (da * xhat).sum(axis=0)
    dbeta = da.sum(axis=0)
    dxhat = da * gamma
    dstd = -(dxhat * xc).sum(axis=0) / std ** 2
    dvar = dstd / (2 * std)
    dxc = dxhat / std + dvar * 2 * xc / N
    dmu = -dxc.sum(axis=0)
    dx = dxc + dmu / N
    return {"dx": dx, "dgamma": dgamma, "dbeta": dbeta, "dW": dW, "db": db}
''',
    [
        Planted("no-N", "ds /= N", "pass", "1/N forgotten"),
        Planted("no-minus-one", "ds[np.arange(N), y] -= 1", "pass", "the label left out"),
        Planted("plus-one", "ds[np.arange(N), y] -= 1", "ds[np.arange(N), y] += 1", "sign at the label"),
        Planted("gamma-with-x", "dgamma = (da * xhat).sum(axis=0)", "dgamma = (da * x).sum(axis=0)", "x in place of x hat for gamma"),
        Planted("gamma-with-xc", "dgamma = (da * xhat).sum(axis=0)", "dgamma = (da * xc).sum(axis=0)", "centred but undivided x for gamma"),
        Planted("gamma-mean", "dgamma = (da * xhat).sum(axis=0)", "dgamma = (da * xhat).mean(axis=0)", "mean in place of sum"),
        Planted("gamma-lost", "dxhat = da * gamma", "dxhat = da", "gamma left out on the way to x"),
        Planted("beta-with-dr", "dbeta = da.sum(axis=0)", "dbeta = dr.sum(axis=0)", "slope of relu lost for beta"),
        Planted("std-unsquared", "/ std ** 2", "/ std", "1/std in place of 1/std^2"),
        Planted("std-plus", "dstd = -(dxhat * xc)", "dstd = (dxhat * xc)", "sign of the quotient lost"),
        Planted("root-lost", "dvar = dstd / (2 * std)", "dvar = dstd", "root's derivative left out"),
        Planted("root-half", "dvar = dstd / (2 * std)", "dvar = dstd / std", "the root's 1/2 lost"),
        Planted("var-no-N", "dvar * 2 * xc / N", "dvar * 2 * xc", "1/N of the variance's mean lost"),
        Planted("var-const", "dxc = dxhat / std + dvar * 2 * xc / N", "dxc = dxhat / std", "variance taken as constant"),
        Planted("overwrites", "dxc = dxhat / std + dvar * 2 * xc / N", "dxc = dvar * 2 * xc / N", "the direct way lost (= in place of +=)"),
        Planted("mu-const", "dx = dxc + dmu / N", "dx = dxc", "mean taken as constant"),
        Planted("mu-plus", "dmu = -dxc.sum(axis=0)", "dmu = dxc.sum(axis=0)", "sign of the mean's way lost"),
        Planted("mu-no-N", "dx = dxc + dmu / N", "dx = dxc + dmu", "1/N of the mean lost"),
        Planted("both-const", "dx = dxc + dmu / N", "dx = dxhat / std", "both statistics taken as constants"),
        Planted("relu-of-xhat", "da = dr * (a > 0)", "da = dr * (xhat > 0)", "the mask taken before scale and shift"),
        Planted("one-axis-short", "dbeta = da.sum(axis=0)", "dbeta = da.sum()", "beta summed over everything"),
    ],
)  # fmt: skip


# -- layer normalisation in one line, sum over features -----------------------------------------------------------------


def _layer(x, g, o, W, t):
    y = fn.layernorm(x, g, o)
    u = y @ W
    L = np.sum((u - t) ** 2) / 4
    return L


LAYER = Written(
    "layernorm in one line", _layer,
    dict(x=_n(4, 5), g=_n(5), o=_n(5), W=_n(5, 2), t=_n(4, 2)),
    '''
def backward(x, g, o, W, t):
    D = x.shape[1]
    mu = x.mean(axis=1, keepdims=True)
    var = x.var(axis=1, keepdims=True)
    inv = 1 / np.sqrt(var)
    xn = (x - mu) * inv
    u = (g * xn + o) @ W
    du = (u - t) / 2
    dW = (g * xn + o).T @ du
    dy = du @ W.T
    dg = np.sum(dy * xn, axis=0)
    do = np.sum(dy, axis=0)
    dxn = dy * g
    dx = inv * (dxn - dxn.mean(axis=1, keepdims=True) - xn * np.mean(dxn * xn, axis=1, keepdims=True))
    return {"dx": dx, "dg": dg, "do": do, "dW": dW, "dy": dy}
''',
    [
        Planted("batch-axis", "dxn.mean(axis=1, keepdims=True) - xn * np.mean(dxn * xn, axis=1, keepdims=True)",
                "dxn.mean(axis=0, keepdims=True) - xn * np.mean(dxn * xn, axis=0, keepdims=True)", "averaged over rows as in batchnorm"),
        Planted("no-mean-term", "dxn - dxn.mean(axis=1, keepdims=True)", "dxn", "the mean's way lost"),
        Planted("no-var-term", " - xn * np.mean(dxn * xn, axis=1, keepdims=True)", "", "the variance's way lost"),
        Planted("no-inv", "dx = inv * (", "dx = (", "1/std left out"),
        Planted("g-axis", "dg = np.sum(dy * xn, axis=0)", "dg = np.mean(dy * xn, axis=0)", "mean in place of sum for the scale"),
        Planted("g-forgot", "dxn = dy * g", "dxn = dy", "scale left out"),
        Planted("sum-not-mean", "np.mean(dxn * xn, axis=1, keepdims=True)", "np.sum(dxn * xn, axis=1, keepdims=True)", "sum in place of mean in the variance's way"),
        Planted("g-raw", "dg = np.sum(dy * xn, axis=0)", "dg = np.sum(dy * x, axis=0)", "x in place of x hat for the scale"),
        Planted("W-without-affine", "dW = (g * xn + o).T @ du", "dW = xn.T @ du", "x hat in place of y"),
    ],
)  # fmt: skip


# -- convolution with stride and padding, relu, max pooling, scores -----------------------------------------------------


def _convolution(x, k, c, W, y):
    z = fn.conv2d(x, k, stride=2, padding=1) + c
    h = np.maximum(z, 0)
    p = fn.max_pool(h, 2)
    f = p.reshape(2, 8)
    s = f @ W
    L = np.mean(fn.cross_entropy_logits(s, y))
    return L


CONVOLUTION = Written(
    "convolution, stride 2, padding 1", _convolution,
    dict(x=_n(2, 2, 8, 8), k=_n(2, 2, 3, 3), c=_n(2, 1, 1), W=_n(8, 3), y=np.array([0, 2])),
    '''
def backward(x, k, c, W, y):
    y = np.asarray(y).astype(int)
    N, C, H, _ = x.shape
    F, stride, pad = k.shape[0], 2, 1
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    z = np.zeros((N, F, 4, 4))
    for n in range(N):
        for f in range(F):
            for i in range(4):
                for j in range(4):
                    z[n, f, i, j] = np.sum(xp[n, :, i*stride:i*stride+3, j*stride:j*stride+3] * k[f]) + c[f, 0, 0]
    h = np.maximum(z, 0)
    p = h.reshape(N, F, 2, 2, 2, 2).max(axis=(3, 5))
    flat = p.reshape(N, -1)
    s = flat @ W
    q = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
    ds = (q - np.eye(3)[y]) / N
    dW = flat.T @ ds
    dflat = ds @ W.T
    dp = dflat.reshape(p.shape)
    dh = np.zeros_like(h)
    for n in range(N):
        for f in range(F):
            for i in range(2):
                for j in range(2):
                    win = h[n, f, 2*i:2*i+2, 2*j:2*j+2]
                    dh[n, f, 2*i:2*i+2, 2*j:2*j+2] += (win == win.max()) * dp[n, f, i, j]
    dz = dh * (z > 0)
    dc = dz.sum(axis=(0, 2, 3)).reshape(F, 1, 1)
    dk = np.zeros_like(k)
    dxp = np.zeros_like(xp)
    for n in range(N):
        for f in range(F):
            for i in range(4):
                for j in range(4):
                    a, b = i * stride, j * stride
                    dk[f] += xp[n, :, a:a+3, b:b+3] * dz[n, f, i, j]
                    dxp[n, :, a:a+3, b:b+3] += k[f] * dz[n, f, i, j]
    dx = dxp[:, :, pad:-pad, pad:-pad]
    return {"dx": dx, "dk": dk, "dc": dc, "dW": dW, "dz": dz, "dh": dh}
''',
    [
        Planted("stride-lost", "a, b = i * stride, j * stride", "a, b = i, j", "stride left out on the way back"),
        Planted("crop-from-start", "dx = dxp[:, :, pad:-pad, pad:-pad]", "dx = dxp[:, :, :-2*pad, :-2*pad]", "padding cut off at one side only"),
        Planted("flipped-for-x", "+= k[f] * dz", "+= k[f][:, ::-1, ::-1] * dz", "the kernel flipped"),
        Planted("assigned-x", "dxp[n, :, a:a+3, b:b+3] +=", "dxp[n, :, a:a+3, b:b+3] =", "overlapping windows overwritten"),
        Planted("assigned-k", "dk[f] += xp", "dk[f] = xp", "the last window only (= in place of +=)"),
        Planted("bias-one-axis", "dc = dz.sum(axis=(0, 2, 3)).reshape(F, 1, 1)", "dc = dz.sum(axis=(0, 2, 3)).reshape(F, 1, 1) / N", "bias divided by the number of examples"),
        Planted("bias-mean", "dc = dz.sum(axis=(0, 2, 3))", "dc = dz.mean(axis=(0, 2, 3))", "mean in place of sum for the bias"),
        Planted("bias-first-image", "dc = dz.sum(axis=(0, 2, 3)).reshape(F, 1, 1)", "dc = dz[0].sum(axis=(1, 2)).reshape(F, 1, 1)", "only the first image for the bias"),
        Planted("pool-everywhere", "(win == win.max()) * dp[n, f, i, j]", "dp[n, f, i, j]", "handed to all of a window, not to the largest"),
        Planted("pool-average", "(win == win.max()) * dp[n, f, i, j]", "dp[n, f, i, j] / 4", "max pooling taken back as average pooling"),
        Planted("relu-lost", "dz = dh * (z > 0)", "dz = dh", "relu's slope lost"),
        Planted("unpadded-k", "dk[f] += xp[n, :, a:a+3, b:b+3] * dz[n, f, i, j]",
                "dk[f] += np.pad(x, ((0, 0), (0, 0), (0, 2), (0, 2)))[n, :, a:a+3, b:b+3] * dz[n, f, i, j]", "padding at one side only for the kernel"),
        Planted("dW-turned", "dflat = ds @ W.T", "dflat = ds @ (W - 0.01 * dW).T", "weights updated before use"),
    ],
)  # fmt: skip


# -- attention with a mask, several outputs -----------------------------------------------------------------------------


def _attention(X, Wq, Wk, Wv, Wo, M, T):
    Q = X @ Wq
    K = X @ Wk
    V = X @ Wv
    S = Q @ K.T / np.sqrt(4) + M
    A = fn.softmax(S, axis=1)
    O = A @ V
    Y = O @ Wo
    L = np.mean((Y - T) ** 2)
    return L


ATTENTION = Written(
    "attention with a mask", _attention,
    dict(X=_n(4, 4), Wq=_n(4, 4), Wk=_n(4, 4), Wv=_n(4, 4), Wo=_n(4, 2), M=np.triu(np.full((4, 4), -9.0), 1), T=_n(4, 2)),
    '''
def backward(X, Wq, Wk, Wv, Wo, M, T):
    d = Wq.shape[1]
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    S = Q @ K.T / np.sqrt(d) + M
    A = np.exp(S - S.max(axis=1, keepdims=True))
    A = A / A.sum(axis=1, keepdims=True)
    O = A @ V
    Y = O @ Wo
    dY = 2 * (Y - T) / Y.size
    dWo = O.T @ dY
    dO = dY @ Wo.T
    dA = dO @ V.T
    dV = A.T @ dO
    dS = A * (dA - (dA * A).sum(axis=1, keepdims=True))
    dQ = dS @ K / np.sqrt(d)
    dK = dS.T @ Q / np.sqrt(d)
    dWq = X.T @ dQ
    dWk = X.T @ dK
    dWv = X.T @ dV
    dX = dQ @ Wq.T + dK @ Wk.T + dV @ Wv.T
    return {"dX": dX, "dWq": dWq, "dWk": dWk, "dWv": dWv, "dWo": dWo}
''',
    [
        Planted("A-untransposed", "dV = A.T @ dO", "dV = A @ dO", "attention not transposed for V"),
        Planted("S-untransposed", "dK = dS.T @ Q", "dK = dS @ Q", "scores' gradient not transposed for K"),
        Planted("K-by-K", "dK = dS.T @ Q", "dK = dS.T @ K", "K in place of Q"),
        Planted("unscaled-both", "dS = A * (dA - (dA * A).sum(axis=1, keepdims=True))",
                "dS = A * (dA - (dA * A).sum(axis=1, keepdims=True)) * np.sqrt(d)", "1/sqrt(d) lost"),
        Planted("unscaled-K", "dK = dS.T @ Q / np.sqrt(d)", "dK = dS.T @ Q", "1/sqrt(d) lost for K only"),
        Planted("scaled-d", "dQ = dS @ K / np.sqrt(d)", "dQ = dS @ K / d", "divided by d in place of its root"),
        Planted("scaled-twice", "dQ = dS @ K / np.sqrt(d)", "dQ = dS @ K / np.sqrt(d) / np.sqrt(d)", "1/sqrt(d) twice for Q"),
        Planted("diagonal", "dS = A * (dA - (dA * A).sum(axis=1, keepdims=True))", "dS = dA * A * (1 - A)", "only the diagonal of softmax's Jacobian"),
        Planted("columns", "(dA * A).sum(axis=1, keepdims=True)", "(dA * A).sum(axis=0, keepdims=True)", "softmax's Jacobian along the other axis"),
        Planted("no-minus", "dS = A * (dA - (dA * A).sum(axis=1, keepdims=True))", "dS = A * dA", "the common term of softmax's Jacobian left out"),
        Planted("no-A", "(dA * A).sum(axis=1, keepdims=True)", "dA.sum(axis=1, keepdims=True)", "weights left out in the common term"),
        Planted("no-V-way", "dX = dQ @ Wq.T + dK @ Wk.T + dV @ Wv.T", "dX = dQ @ Wq.T + dK @ Wk.T", "the way through V lost"),
        Planted("only-V", "dX = dQ @ Wq.T + dK @ Wk.T + dV @ Wv.T", "dX = dV @ Wv.T", "only the last way counts"),
        Planted("dA-by-O", "dA = dO @ V.T", "dA = dO @ O.T", "O in place of V"),
        Planted("dO-skipped", "dV = A.T @ dO", "dV = dO", "attention left out for V"),
        Planted("q-weights", "dX = dQ @ Wq.T + dK @ Wk.T", "dX = dQ @ Wk.T + dK @ Wq.T", "weights of Q and K exchanged"),
    ],
)  # fmt: skip


# -- an LSTM, two steps -------------------------------------------------------------------------------------------------


def _lstm(x1, x2, h0, c0, Wi, Wf, Wo, Wg, Ui, Uf, Uo, Ug, bi, bf, bo, bg, t):
    i1 = fn.sigmoid(Wi @ x1 + Ui @ h0 + bi)
    f1 = fn.sigmoid(Wf @ x1 + Uf @ h0 + bf)
    o1 = fn.sigmoid(Wo @ x1 + Uo @ h0 + bo)
    g1 = np.tanh(Wg @ x1 + Ug @ h0 + bg)
    c1 = f1 * c0 + i1 * g1
    h1 = o1 * np.tanh(c1)
    i2 = fn.sigmoid(Wi @ x2 + Ui @ h1 + bi)
    f2 = fn.sigmoid(Wf @ x2 + Uf @ h1 + bf)
    o2 = fn.sigmoid(Wo @ x2 + Uo @ h1 + bo)
    g2 = np.tanh(Wg @ x2 + Ug @ h1 + bg)
    c2 = f2 * c1 + i2 * g2
    h2 = o2 * np.tanh(c2)
    L = 0.5 * np.sum((h2 - t) ** 2) + 0.5 * np.sum((h1 - t) ** 2)
    return L


LSTM = Written(
    "LSTM, two steps", _lstm,
    dict(x1=_n(3), x2=_n(3), h0=_n(2), c0=_n(2), Wi=_n(2, 3), Wf=_n(2, 3), Wo=_n(2, 3), Wg=_n(2, 3),
         Ui=_n(2, 2), Uf=_n(2, 2), Uo=_n(2, 2), Ug=_n(2, 2), bi=_n(2), bf=_n(2), bo=_n(2), bg=_n(2), t=_n(2)),
    '''
def sig(v):
    return 1 / (1 + np.exp(-v))
def backward(x1, x2, h0, c0, Wi, Wf, Wo, Wg, Ui, Uf, Uo, Ug, bi, bf, bo, bg, t):
    xs, hs, cs, gates = [x1, x2], [h0], [c0], []
    for x in xs:
        h, c = hs[-1], cs[-1]
        i, f = sig(Wi @ x + Ui @ h + bi), sig(Wf @ x + Uf @ h + bf)
        o, g = sig(Wo @ x + Uo @ h + bo), np.tanh(Wg @ x + Ug @ h + bg)
        cs.append(f * c + i * g)
        hs.append(o * np.tanh(cs[-1]))
        gates.append((i, f, o, g))
    D = {k: 0 for k in ("Wi", "Wf", "Wo", "Wg", "Ui", "Uf", "Uo", "Ug", "bi", "bf", "bo", "bg")}
    dh_next, dc_next = np.zeros(2), np.zeros(2)
    for s in (1, 0):
        i, f, o, g = gates[s]
        x, h_prev, c_prev, c = xs[s], hs[s], cs[s], cs[s + 1]
        dh = hs[s + 1] - t + dh_next
        do = dh * np.tanh(c)
        dc = dc_next + dh * o * (1 - np.tanh(c) ** 2)
        di = dc * g
        df = dc * c_prev
        dg = dc * i
        zi, zf, zo, zg = di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g ** 2)
        for k, z in zip("ifog", (zi, zf, zo, zg)):
            D["W" + k] = D["W" + k] + np.outer(z, x)
            D["U" + k] = D["U" + k] + np.outer(z, h_prev)
            D["b" + k] = D["b" + k] + z
        dh_next = Ui.T @ zi + Uf.T @ zf + Uo.T @ zo + Ug.T @ zg
        dc_next = dc * f
    D["h0"], D["c0"] = dh_next, dc_next
    return {"d" + key: value for key, value in D.items()}
''',
    [
        Planted("input-gate-own", "di = dc * g", "di = dc * i", "i in place of g at the input gate"),
        Planted("tanh-of-tanh", "zg = di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g ** 2)",
                "zg = di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - np.tanh(g) ** 2)", "tanh once more on what is activated"),
        Planted("h-now", "xs[s], hs[s], cs[s], cs[s + 1]", "xs[s], hs[s + 1], cs[s], cs[s + 1]", "h of this step in place of the last one"),
        Planted("copied-gate", 'D["b" + k] = D["b" + k] + z', 'D["b" + k] = D["b" + k] + (zf if k == "i" else z)', "the forget gate's gradient copied for b_i"),
        Planted("cell-overwritten", "dc = dc_next + dh * o", "dc = dh * o", "cell state's way from the next step lost"),
        Planted("cell-slope-lost", "dh * o * (1 - np.tanh(c) ** 2)", "dh * o", "slope of tanh(c) lost"),
        Planted("c-now", "df = dc * c_prev", "df = dc * c", "c of this step in place of the last one"),
        Planted("no-forget", "dc_next = dc * f", "dc_next = dc", "the forget gate left out"),
        Planted("h-next-lost", "dh = hs[s + 1] - t + dh_next", "dh = hs[s + 1] - t", "what comes back from the next step left out"),
        Planted("loss-once", "dh = hs[s + 1] - t + dh_next", "dh = (hs[s + 1] - t if s == 1 else 0) + dh_next", "only the last step's loss"),
        Planted("U-untransposed", "Uo.T @ zo", "Uo @ zo", "weight not transposed"),
        Planted("o-unsquashed", "do = dh * np.tanh(c)", "do = dh * c", "c in place of tanh(c)"),
        Planted("gate-slope-lost", "df * f * (1 - f)", "df", "sigmoid's slope of the forget gate lost"),
        Planted("steps-overwrite", 'D["W" + k] = D["W" + k] + np.outer(z, x)', 'D["W" + k] = np.outer(z, x)', "only the first step counts (= in place of +=)"),
        Planted("way-through-g-lost", " + Ug.T @ zg", "", "one of four ways to the last h lost"),
    ],
)  # fmt: skip


# -- words: embedding, recurrent net, tied output -----------------------------------------------------------------------


def _words(w, E, U, b, y):
    e = E[w]
    h1 = np.tanh(e[0] + b)
    h2 = np.tanh(e[1] + U @ h1 + b)
    h3 = np.tanh(e[2] + U @ h2 + b)
    s = E @ h3
    L = fn.cross_entropy_logits(s, y)
    return L


WORDS = Written(
    "words, recurrent, tied output", _words,
    dict(w=np.array([1, 3, 1]), E=_n(5, 3), U=_n(3, 3), b=_n(3), y=np.eye(5)[2]),
    '''
def backward(w, E, U, b, y):
    w = np.asarray(w).astype(int)
    e = E[w]
    h1 = np.tanh(e[0] + b)
    h2 = np.tanh(e[1] + U @ h1 + b)
    h3 = np.tanh(e[2] + U @ h2 + b)
    s = E @ h3
    p = np.exp(s) / np.exp(s).sum()
    ds = p - y
    dE = np.outer(ds, h3)
    dh3 = E.T @ ds
    dz3 = dh3 * (1 - h3 ** 2)
    dh2 = U.T @ dz3
    dz2 = dh2 * (1 - h2 ** 2)
    dh1 = U.T @ dz2
    dz1 = dh1 * (1 - h1 ** 2)
    dU = np.outer(dz3, h2) + np.outer(dz2, h1)
    db = dz1 + dz2 + dz3
    de = np.stack([dz1, dz2, dz3])
    np.add.at(dE, w, de)
    return {"dE": dE, "dU": dU, "db": db, "de": de}
''',
    [
        Planted("repeated-word", "np.add.at(dE, w, de)", "dE[w] += de", "a repeated word counts once"),
        Planted("input-side-lost", "np.add.at(dE, w, de)", "pass", "tied weight: the input side left out"),
        Planted("output-side-lost", "dE = np.outer(ds, h3)", "dE = np.zeros_like(E)", "tied weight: the output side left out"),
        Planted("overwritten", "np.add.at(dE, w, de)", "dE[w] = de", "= in place of +="),
        Planted("outer-turned", "np.outer(dz3, h2) + np.outer(dz2, h1)", "np.outer(h2, dz3) + np.outer(h1, dz2)", "outer product turned"),
        Planted("one-step-late", "np.outer(dz3, h2) + np.outer(dz2, h1)", "np.outer(dz3, h3) + np.outer(dz2, h2)", "h of this step in place of the last"),
        Planted("truncated", "dh1 = U.T @ dz2", "dh1 = 0 * dz2", "the way back through time cut off"),
        Planted("last-only", "db = dz1 + dz2 + dz3", "db = dz3", "only the last step"),
        Planted("U-not-turned", "dh2 = U.T @ dz3", "dh2 = U @ dz3", "weight not transposed in one step"),
        Planted("slope-at-next", "dz2 = dh2 * (1 - h2 ** 2)", "dz2 = dh2 * (1 - h3 ** 2)", "slope taken at another step"),
        Planted("dh-not-dz", "dh1 = U.T @ dz2", "dh1 = U.T @ dh2", "slope lost in one step"),
    ],
)  # fmt: skip


# -- logistic regression over a hidden layer, in PyTorch ----------------------------------------------------------------


def _binary(x, W1, b1, w2, b2, t):
    z = x @ W1 + b1
    h = fn.sigmoid(z)
    u = h @ w2 + b2
    p = fn.sigmoid(u)
    L = -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))
    return L


BINARY = Written(
    "binary labels, PyTorch", _binary,
    dict(x=_n(5, 2), W1=_n(2, 3), b1=_n(3), w2=_n(3), b2=0.3, t=np.array([1.0, 0, 1, 1, 0])),
    '''
def backward(x, W1, b1, w2, b2, t):
    n = x.shape[0]
    z = x @ W1 + b1
    h = torch.sigmoid(z)
    u = h @ w2 + b2
    p = torch.sigmoid(u)
    du = (p - t) / n
    dw2 = h.T @ du
    db2 = du.sum()
    dh = torch.outer(du, w2)
    dz = dh * h * (1 - h)
    dW1 = x.T @ dz
    db1 = dz.sum(0)
    return {"dW1": dW1, "db1": db1, "dw2": dw2, "db2": db2}
''',
    [
        Planted("slope-again", "du = (p - t) / n", "du = (p - t) * p * (1 - p) / n", "the sigmoid's slope once too often"),
        Planted("no-sigmoid", "du = (p - t) / n", "du = (u - t) / n", "u in place of p"),
        Planted("by-p", "du = (p - t) / n", "du = (p - t) / (p * (1 - p)) / n", "derivative by p handed on: the sigmoid's slope lost"),
        Planted("sign", "du = (p - t) / n", "du = (t - p) / n", "difference turned round"),
        Planted("w2-after-step", "dh = torch.outer(du, w2)", "dh = torch.outer(du, w2 - 0.5 * dw2)", "weight updated before use"),
        Planted("half-slope", "dz = dh * h * (1 - h)", "dz = dh * h", "half of the sigmoid's slope"),
        Planted("other-half", "dz = dh * h * (1 - h)", "dz = dh * (1 - h)", "half of the sigmoid's slope"),
        Planted("b2-mean", "db2 = du.sum()", "db2 = du.mean()", "mean in place of sum"),
        Planted("x-for-h", "dw2 = h.T @ du", "dw2 = z.T @ du", "pre-activation in place of activation"),
        Planted("first-class-only", "du = (p - t) / n", "du = -t / p * p * (1 - p) / n", "the second half of the entropy left out"),
    ],
    arrays="torch",
)  # fmt: skip


# -- a gated recurrent unit, one step; a pair of losses -----------------------------------------------------------------


def _gated(x, h, Wz, Uz, Wr, Ur, Wn, Un, t):
    z = fn.sigmoid(x @ Wz + h @ Uz)
    r = fn.sigmoid(x @ Wr + h @ Ur)
    n = np.tanh(x @ Wn + (r * h) @ Un)
    y = (1 - z) * n + z * h
    L = np.mean((y - t) ** 2)
    return L


GATED = Written(
    "gated recurrent unit, rows", _gated,
    dict(x=_n(3, 2), h=_n(3, 4), Wz=_n(2, 4), Uz=_n(4, 4), Wr=_n(2, 4), Ur=_n(4, 4), Wn=_n(2, 4), Un=_n(4, 4), t=_n(3, 4)),
    '''
def sig(v):
    return 1 / (1 + np.exp(-v))
def backward(x, h, Wz, Uz, Wr, Ur, Wn, Un, t):
    z = sig(x @ Wz + h @ Uz)
    r = sig(x @ Wr + h @ Ur)
    rh = r * h
    n = np.tanh(x @ Wn + rh @ Un)
    y = (1 - z) * n + z * h
    dy = 2 * (y - t) / y.size
    dz = dy * (h - n)
    dn = dy * (1 - z)
    dan = dn * (1 - n ** 2)
    drh = dan @ Un.T
    dr = drh * h
    dar = dr * r * (1 - r)
    daz = dz * z * (1 - z)
    dh = dy * z + drh * r + dar @ Ur.T + daz @ Uz.T
    return {"dWz": x.T @ daz, "dUz": h.T @ daz, "dWr": x.T @ dar, "dUr": h.T @ dar,
            "dWn": x.T @ dan, "dUn": rh.T @ dan, "dx": dan @ Wn.T + dar @ Wr.T + daz @ Wz.T, "dh": dh}
''',
    [
        Planted("n-minus-h", "dz = dy * (h - n)", "dz = dy * (n - h)", "sign of the update gate"),
        Planted("only-h", "dz = dy * (h - n)", "dz = dy * h", "one of two ways to the gate lost"),
        Planted("z-for-1-z", "dn = dy * (1 - z)", "dn = dy * z", "z in place of 1 - z"),
        Planted("ungated-Un", '"dUn": rh.T @ dan', '"dUn": h.T @ dan', "h in place of r*h"),
        Planted("gate-left-out", "drh * r +", "drh +", "reset gate left out on the way to h"),
        Planted("direct-lost", "dh = dy * z + drh * r", "dh = drh * r", "the direct way to h lost"),
        Planted("r-by-r", "dr = drh * h", "dr = drh * r", "r in place of h"),
        Planted("tanh-as-sigmoid", "dan = dn * (1 - n ** 2)", "dan = dn * n * (1 - n)", "sigmoid's slope for tanh"),
        Planted("x-one-way", "dan @ Wn.T + dar @ Wr.T + daz @ Wz.T", "dan @ Wn.T", "only one of three ways to x"),
        Planted("gates-swapped", '"dWz": x.T @ daz', '"dWz": x.T @ dar', "the other gate's gradient"),
    ],
)  # fmt: skip

PROGRAMS = (SQUARES, COLUMNS, RESIDUAL, STAGES, LAYER, CONVOLUTION, ATTENTION, LSTM, WORDS, BINARY, GATED)

# fmt: off
KEYS: dict[str, dict[str, str]] = {
    "tanh, leaky, sigmoid, squares": {
        "tanh-of-z": "slope-at-wrong-variable", "tanh-twice": "slope-at-wrong-variable",
        "tanh-unsquared": "slope-of-wrong-function", "sigmoid-of-z": "slope-at-wrong-variable",
        "sigmoid-twice": "slope-at-wrong-variable", "slope-for-tanh-is-sigmoid's": "slope-of-wrong-function",
        "leak-is-zero": "term-left-out", "leak-is-001": "another-constant", "mask-of-H1": "wrong-input",
        "mean-bias": "bias-averaged", "bias-of-H": "wrong-upstream", "W2-from-X-side": "wrong-input",
        "W-untransposed": "w-for-w-transposed", "half": "loss-factor-lost", "size-not-rows": "loss-factor-lost",
        "logistic-shortcut": "activation-slope-lost", "N-and-T": "sign-at-loss",
        "W3-from-W2": "activation-slope-lost", "dW3-times-two": "counted-twice", "db1-times-four": "constant-factor",
    },
    "columns, relu, softmax": {
        "coursera-2": "counted-twice", "coursera-4": "constant-factor", "no-m": "mean-forgotten",
        "m-twice": "constant-factor", "all-axes": "wrong-axis", "wrong-mask": "slope-of-another-layer",
        "A-minus-Y-over-A": "stops-before-softmax", "diagonal": "softmax-diagonal", "W2-own-grad": "updated-weights",
        "no-target": "target-left-out", "raw-scores": "wrong-input", "A2-for-A1": "wrong-input",
        "db3-of-one": "one-sample-only",
    },
    "gelu, dropout, residual, decay": {
        "no-scale": "constant-lost", "no-mask": "factor-left-out", "mask-lost": "mask-lost",
        "W2-undropped": "wrong-input", "skip-lost": "skip-dropped", "block-lost": "skip-only",
        "skip-scaled": "constant-factor", "decay-half": "loss-factor-lost", "decay-lost": "shared-once",
        "decay-minus": "sign-lost", "decay-wrong-W": "wrong-input", "decay-only": "shared-once",
        "decay-squared": "power-not-lowered", "gelu-first": "term-left-out", "gelu-second": "term-left-out",
        "gelu-of-h": "slope-at-wrong-variable", "gelu-no-z": "factor-left-out", "rows": "loss-factor-lost",
        "before-skip": "wrong-input",
    },
    "batchnorm by stages": {
        "no-N": "mean-forgotten", "no-minus-one": "target-left-out", "plus-one": "sign-lost",
        "gamma-with-x": "wrong-input", "gamma-with-xc": "wrong-input", "gamma-mean": "bias-averaged",
        "gamma-lost": "weights-ignored", "beta-with-dr": "activation-slope-lost", "std-unsquared": "half-slope",
        "std-plus": "sign-lost", "root-lost": "wrong-upstream", "root-half": "half-slope", "var-no-N": "mean-inside",
        "var-const": "variance-path-lost", "overwrites": "overwritten", "mu-const": "mean-path-lost",
        "mu-plus": "sign-lost", "mu-no-N": "mean-inside", "both-const": "mean-and-variance-paths-lost",
        "relu-of-xhat": "slope-at-wrong-variable", "one-axis-short": "wrong-axis",
    },
    "layernorm in one line": {
        "batch-axis": "norm-wrong-axis", "no-mean-term": "mean-path-lost", "no-var-term": "variance-path-lost",
        "no-inv": "norm-factor-lost", "g-axis": "bias-averaged", "g-forgot": "weights-ignored",
        "sum-not-mean": "mean-inside", "g-raw": "wrong-input", "W-without-affine": "wrong-input",
    },
    "convolution, stride 2, padding 1": {
        "stride-lost": "stride-ignored", "crop-from-start": "padding-ignored", "flipped-for-x": "kernel-not-turned",
        "assigned-x": "overlap-overwritten", "assigned-k": "overlap-overwritten", "bias-one-axis": "bias-averaged",
        "bias-mean": "bias-averaged", "bias-first-image": "one-sample-only", "pool-everywhere": "max-to-all",
        "pool-average": "max-to-all", "relu-lost": "activation-slope-lost", "unpadded-k": "padding-ignored",
        "dW-turned": "updated-weights",
    },
    "attention with a mask": {
        "A-untransposed": "factor-not-transposed", "S-untransposed": "factor-not-transposed",
        "K-by-K": "product-own-factor", "unscaled-both": "constant-lost", "unscaled-K": "factor-left-out",
        "scaled-d": "constant-factor", "scaled-twice": "constant-factor", "diagonal": "softmax-diagonal",
        "columns": "softmax-wrong-axis", "no-minus": "softmax-dot-lost", "no-A": "softmax-dot-lost",
        "no-V-way": "way-dropped", "only-V": "overwritten", "dA-by-O": "wrong-input", "dO-skipped": "wrong-upstream",
        "q-weights": "wrong-input",
    },
    "LSTM, two steps": {
        "input-gate-own": "product-own-factor", "tanh-of-tanh": "slope-at-wrong-variable", "h-now": "wrong-input",
        "copied-gate": "copied", "cell-overwritten": "overwritten", "cell-slope-lost": "activation-slope-lost",
        "c-now": "wrong-input", "no-forget": "factor-left-out", "h-next-lost": "overwritten",
        "loss-once": "way-dropped", "U-untransposed": "factor-not-transposed", "o-unsquashed": "function-left-out",
        "gate-slope-lost": "activation-slope-lost", "steps-overwrite": "shared-once",
        "way-through-g-lost": "way-dropped",
    },
    "words, recurrent, tied output": {
        "repeated-word": "overlap-overwritten", "input-side-lost": "overwritten", "output-side-lost": "overwritten",
        "overwritten": "overwritten", "outer-turned": "transposed", "one-step-late": "wrong-input",
        "truncated": "always-zero", "last-only": "shared-once", "U-not-turned": "factor-not-transposed",
        "slope-at-next": "wrong-input", "dh-not-dz": "factor-left-out",
    },
    "binary labels, PyTorch": {
        "slope-again": "slope-twice", "no-sigmoid": "wrong-input", "by-p": "activation-slope-lost",
        "sign": "sign-at-loss", "w2-after-step": "updated-weights", "half-slope": "value-for-slope",
        "other-half": "half-slope", "b2-mean": "bias-averaged", "x-for-h": "wrong-input",
        "first-class-only": "overwritten",
    },
    "gated recurrent unit, rows": {
        "n-minus-h": "sign-lost", "only-h": "overwritten", "z-for-1-z": "wrong-input",
        "ungated-Un": "factor-left-out", "gate-left-out": "factor-left-out", "direct-lost": "way-dropped",
        "r-by-r": "product-own-factor", "tanh-as-sigmoid": "slope-of-wrong-function", "x-one-way": "overwritten",
        "gates-swapped": "copied",
    },
}
# fmt: on
"""The mistake that each bug is, judged by reading words and line after the first run."""
