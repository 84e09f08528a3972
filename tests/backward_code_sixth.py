"""Hand-written backward programs as text, and bugs as one replaced piece of that text: the sixth lot.

Three layers with a batch, batchnorm, softmax with cross-entropy, a convolution and attention with heads, as people
write them: a cache, loops in the convolution, einsum in the attention. The programs, the bugs and the words for what
is wrong were written before the earlier lots and the table of mistakes were looked at, and the keys before the first run.
"""

# ruff: noqa: RET504, PLR0917, C408 - a network is traced by its local names

from __future__ import annotations

from typing import Any

import numpy as np
from backward_code_fourth import Planted, Written

from backhand import fn

R = np.random.default_rng(606)


def _n(*shape: int) -> Any:
    return np.round(R.normal(size=shape) * 0.7, 2)


# -- three layers with a batch -----------------------------------------------------------------------------------------


def _layers(X, W1, b1, W2, b2, W3, b3, T):
    Z1 = X @ W1 + b1
    A1 = np.maximum(Z1, 0)
    Z2 = A1 @ W2 + b2
    A2 = np.tanh(Z2)
    Z3 = A2 @ W3 + b3
    Y = fn.sigmoid(Z3)
    L = np.sum((Y - T) ** 2) / 8
    return L


LAYERS = Written(
    "three layers, batch of 4",
    _layers,
    dict(X=_n(4, 3), W1=_n(3, 4), b1=_n(4), W2=_n(4, 4), b2=_n(4), W3=_n(4, 2), b3=_n(2), T=_n(4, 2)),
    """
def backward(X, W1, b1, W2, b2, W3, b3, T):
    # forward pass, keep everything
    Z1 = X.dot(W1) + b1
    A1 = np.where(Z1 > 0, Z1, 0)
    Z2 = A1.dot(W2) + b2
    A2 = np.tanh(Z2)
    Z3 = A2.dot(W3) + b3
    Y = 1 / (1 + np.exp(-Z3))
    m = X.shape[0]
    # backward pass
    dY = (Y - T) / m
    dZ3 = dY * Y * (1 - Y)
    dW3 = A2.T.dot(dZ3)
    db3 = dZ3.sum(axis=0)
    dA2 = dZ3.dot(W3.T)
    dZ2 = dA2 * (1 - A2 ** 2)
    dW2 = A1.T.dot(dZ2)
    db2 = dZ2.sum(axis=0)
    dA1 = dZ2.dot(W2.T)
    dZ1 = dA1 * (Z1 > 0)
    dW1 = X.T.dot(dZ1)
    db1 = dZ1.sum(axis=0)
    dX = dZ1.dot(W1.T)
    return {"dY": dY, "dZ3": dZ3, "dW3": dW3, "db3": db3, "dA2": dA2, "dZ2": dZ2, "dW2": dW2, "db2": db2,
            "dA1": dA1, "dZ1": dZ1, "dW1": dW1, "db1": db1, "dX": dX}
""",
    [
        Planted("W2-not-turned", "dA1 = dZ2.dot(W2.T)", "dA1 = dZ2.dot(W2)", "W for its transpose"),
        Planted("dW2-turned", "dW2 = A1.T.dot(dZ2)", "dW2 = dZ2.T.dot(A1)", "the gradient of W2 is transposed"),
        Planted("tanh-lost", "dZ2 = dA2 * (1 - A2 ** 2)", "dZ2 = dA2", "the derivative of tanh is lost"),
        Planted("tanh-at-z", "(1 - A2 ** 2)", "(1 - Z2 ** 2)", "the derivative of tanh at z in place of a"),
        Planted("sigmoid-for-tanh", "(1 - A2 ** 2)", "A2 * (1 - A2)", "the derivative of sigmoid where tanh is"),
        Planted(
            "b2-not-summed", "db2 = dZ2.sum(axis=0)", "db2 = dZ2", "the bias gradient is not summed over the batch"
        ),
        Planted(
            "b2-other-axis", "db2 = dZ2.sum(axis=0)", "db2 = dZ2.sum(axis=1)", "the bias summed over the wrong axis"
        ),
        Planted(
            "b3-mean", "db3 = dZ3.sum(axis=0)", "db3 = dZ3.mean(axis=0)", "a mean for the sum in the bias gradient"
        ),
        Planted("m-twice", "dW1 = X.T.dot(dZ1)", "dW1 = X.T.dot(dZ1) / m", "divided by the batch once more at W1"),
        Planted("factor-2", "dY = (Y - T) / m", "dY = 2 * (Y - T) / m", "a factor 2: the loss has 1/2n in front"),
        Planted("T-minus-Y", "dY = (Y - T) / m", "dY = (T - Y) / m", "the sign: T - Y"),
        Planted("relu-of-A2", "dZ1 = dA1 * (Z1 > 0)", "dZ1 = dA1 * (A2 > 0)", "the relu mask of another layer"),
        Planted("stale-A1", "dW3 = A2.T.dot(dZ3)", "dW3 = A1.T.dot(dZ3)", "dW3 with A1, the input of another layer"),
        Planted(
            "sigmoid-at-z", "dY * Y * (1 - Y)", "dY * Z3 * (1 - Z3)", "the derivative of sigmoid at z in place of y"
        ),
    ],
)

# -- batchnorm ---------------------------------------------------------------------------------------------------------


def _norm(X, W, gamma, beta, V, T):
    Z = X @ W
    mu = np.mean(Z, axis=0)
    D = Z - mu
    var = np.mean(D**2, axis=0)
    istd = 1 / np.sqrt(var + 0.01)
    N = D * istd
    B = gamma * N + beta
    A = np.maximum(B, 0)
    Y = A @ V
    L = np.sum((Y - T) ** 2) / 5
    return L


NORM = Written(
    "batchnorm between two layers",
    _norm,
    dict(X=_n(5, 3), W=_n(3, 4), gamma=1 + _n(4), beta=_n(4), V=_n(4, 2), T=_n(5, 2)),
    """
def backward(X, W, gamma, beta, V, T):
    n = X.shape[0]
    eps = 0.01
    Z = X @ W
    mu = Z.mean(axis=0)
    D = Z - mu
    var = (D ** 2).mean(axis=0)
    istd = 1.0 / np.sqrt(var + eps)
    N = D * istd
    B = gamma * N + beta
    A = np.maximum(0, B)
    Y = A @ V
    dY = 2.0 / n * (Y - T)
    dV = A.T @ dY
    dA = dY @ V.T
    dB = dA * (B > 0)
    dgamma = np.sum(dB * N, axis=0)
    dbeta = np.sum(dB, axis=0)
    dN = dB * gamma
    distd = np.sum(dN * D, axis=0)
    dvar = distd * -0.5 * (var + eps) ** -1.5
    dD = dN * istd
    dD += dvar * 2.0 / n * D
    dZ = dD.copy()
    dmu = -dD.sum(axis=0)
    dZ += dmu / n
    dW = X.T @ dZ
    dX = dZ @ W.T
    return dict(dY=dY, dV=dV, dA=dA, dB=dB, dgamma=dgamma, dbeta=dbeta, dN=dN, distd=distd, dvar=dvar, dD=dD,
                dmu=dmu, dZ=dZ, dW=dW, dX=dX)
""",
    [
        Planted("no-mean-path", "    dZ += dmu / n\n", "", "the way through the mean is dropped"),
        Planted("no-variance-path", "    dD += dvar * 2.0 / n * D\n", "", "the way through the variance is dropped"),
        Planted("only-variance-path", "dD += dvar", "dD = dvar", "= for +=: only the way through the variance"),
        Planted(
            "gamma-mean", "dgamma = np.sum(dB * N, axis=0)", "dgamma = np.mean(dB * N, axis=0)", "mean for sum at gamma"
        ),
        Planted(
            "gamma-of-D",
            "dgamma = np.sum(dB * N, axis=0)",
            "dgamma = np.sum(dB * D, axis=0)",
            "gamma with D in place of N",
        ),
        Planted("gamma-left-out", "dN = dB * gamma", "dN = dB", "the weight gamma is left out"),
        Planted("ddof-1", "dD += dvar * 2.0 / n * D", "dD += dvar * 2.0 / (n - 1) * D", "n - 1 for n in the variance"),
        Planted("power", "(var + eps) ** -1.5", "(var + eps) ** -0.5", "the exponent of the derivative of 1/sqrt"),
        Planted("eps-lost", "(var + eps) ** -1.5", "var ** -1.5", "eps is forgotten in the backward"),
        Planted("half-lost", "distd * -0.5 *", "distd * -1.0 *", "the factor 1/2 of the root is lost"),
        Planted("mean-sign", "dmu = -dD.sum(axis=0)", "dmu = dD.sum(axis=0)", "the minus of Z - mu is lost"),
        Planted("mean-not-divided", "dZ += dmu / n", "dZ += dmu", "1/n of the mean is lost"),
        Planted(
            "beta-other-axis",
            "dbeta = np.sum(dB, axis=0)",
            "dbeta = np.sum(dB, axis=1)",
            "beta summed over the wrong axis",
        ),
        Planted("relu-of-N", "dB = dA * (B > 0)", "dB = dA * (N > 0)", "the relu mask at N in place of B"),
    ],
)

# -- softmax and cross-entropy with class numbers ----------------------------------------------------------------------


def _classes(X, W1, b1, W2, b2, y):
    Z = X @ W1 + b1
    H = np.tanh(Z)
    S = H @ W2 + b2
    P = fn.softmax(S, axis=1)
    L = np.mean(fn.cross_entropy(P, y)) + 0.05 * (np.sum(W1**2) + np.sum(W2**2))
    return L


CLASSES = Written(
    "softmax and cross-entropy with class numbers",
    _classes,
    dict(X=_n(4, 3), W1=_n(3, 3), b1=_n(3), W2=_n(3, 3), b2=_n(3), y=[0, 2, 1, 2]),
    """
def backward(X, W1, b1, W2, b2, y):
    y = np.asarray(y).astype(int)
    num = X.shape[0]
    reg = 0.05
    Z = X @ W1 + b1
    H = np.tanh(Z)
    S = H @ W2 + b2
    e = np.exp(S - S.max(axis=1, keepdims=True))
    P = e / e.sum(axis=1, keepdims=True)
    onehot = np.eye(P.shape[1])[y]
    dP = -onehot / P / num
    dS = P * (dP - (dP * P).sum(axis=1, keepdims=True))
    dW2 = H.T @ dS + 2 * reg * W2
    db2 = dS.sum(axis=0)
    dH = dS @ W2.T
    dZ = dH * (1 - H * H)
    dW1 = X.T @ dZ
    dW1 += 2 * reg * W1
    db1 = dZ.sum(axis=0)
    return {"dP": dP, "dS": dS, "dW2": dW2, "db2": db2, "dH": dH, "dZ": dZ, "dW1": dW1, "db1": db1}
""",
    [
        Planted(
            "diagonal",
            "dS = P * (dP - (dP * P).sum(axis=1, keepdims=True))",
            "dS = dP * P * (1 - P)",
            "only the diagonal of softmax",
        ),
        Planted(
            "one-hot-minus-P",
            "dP = -onehot / P / num",
            "dP = onehot / P / num",
            "the minus of the cross-entropy is lost",
        ),
        Planted(
            "y-minus-p",
            "dS = P * (dP - (dP * P).sum(axis=1, keepdims=True))",
            "dS = (onehot - P) / num",
            "y - p in place of p - y",
        ),
        Planted(
            "not-one-hot",
            "dS = P * (dP - (dP * P).sum(axis=1, keepdims=True))",
            "dS = (P - y[:, None]) / num",
            "class numbers where one-hot belongs",
        ),
        Planted(
            "num-lost",
            "dS = P * (dP - (dP * P).sum(axis=1, keepdims=True))",
            "dS = P - onehot",
            "not divided by the batch",
        ),
        Planted(
            "other-axis",
            "(dP * P).sum(axis=1, keepdims=True)",
            "(dP * P).sum(axis=0, keepdims=True)",
            "the softmax sum along the wrong axis",
        ),
        Planted(
            "P-lost-in-dot",
            "(dP * P).sum(axis=1, keepdims=True)",
            "dP.sum(axis=1, keepdims=True)",
            "a factor p lost in the softmax sum",
        ),
        Planted("P-lost", "dP = -onehot / P / num", "dP = -onehot / num", "1/p of the logarithm is lost"),
        Planted("reg-half", "2 * reg * W2", "reg * W2", "the factor 2 of the weight decay"),
        Planted("reg-lost", "    dW1 += 2 * reg * W1\n", "", "the weight decay of W1 is dropped"),
        Planted("reg-only", "dW1 += 2 * reg * W1", "dW1 = 2 * reg * W1", "= for +=: only the weight decay"),
        Planted("logits-upstream", "dH = dS @ W2.T", "dH = dP @ W2.T", "softmax stepped over: dP where dS belongs"),
        Planted("W2-not-turned", "dH = dS @ W2.T", "dH = dS @ W2", "W for its transpose"),
        Planted("b2-mean", "db2 = dS.sum(axis=0)", "db2 = dS.mean(axis=0)", "mean for sum at the bias, 1/n twice"),
    ],
)

# -- a convolution with loops ------------------------------------------------------------------------------------------


def _conv(X, K, b, V, T):
    C = fn.conv2d(X, K, stride=2, padding=1)
    Z = C + np.reshape(b, (1, 3, 1, 1))
    A = np.maximum(Z, 0)
    F = np.mean(A, axis=(2, 3))
    Y = F @ V
    L = np.sum((Y - T) ** 2) / 2
    return L


CONV = Written(
    "convolution with stride 2 and padding 1, in loops",
    _conv,
    dict(X=_n(2, 2, 5, 5), K=_n(3, 2, 3, 3), b=_n(3), V=_n(3, 2), T=_n(2, 2)),
    """
def backward(X, K, b, V, T):
    N, Cin, H, W = X.shape
    Cout, _, kh, kw = K.shape
    stride, pad = 2, 1
    Xp = np.pad(X, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    Ho = (H + 2 * pad - kh) // stride + 1
    Wo = (W + 2 * pad - kw) // stride + 1
    C = np.zeros((N, Cout, Ho, Wo))
    for n in range(N):
        for f in range(Cout):
            for i in range(Ho):
                for j in range(Wo):
                    C[n, f, i, j] = np.sum(
                        Xp[n, :, i * stride : i * stride + kh, j * stride : j * stride + kw] * K[f])
    Z = C + b[None, :, None, None]
    A = np.maximum(Z, 0)
    F = A.mean(axis=(2, 3))
    Y = F @ V
    dY = Y - T
    dV = F.T @ dY
    dF = dY @ V.T
    dA = np.zeros_like(A)
    dA += dF[:, :, None, None] / (Ho * Wo)
    dZ = dA * (Z > 0)
    db = dZ.sum(axis=(0, 2, 3))
    dK = np.zeros_like(K)
    dXp = np.zeros_like(Xp)
    for n in range(N):
        for f in range(Cout):
            for i in range(Ho):
                for j in range(Wo):
                    hs, ws = i * stride, j * stride
                    window = Xp[n, :, hs : hs + kh, ws : ws + kw]
                    dK[f] += window * dZ[n, f, i, j]
                    dXp[n, :, hs : hs + kh, ws : ws + kw] += K[f] * dZ[n, f, i, j]
    dX = dXp[:, :, pad : pad + H, pad : pad + W]
    return {"dY": dY, "dV": dV, "dF": dF, "dA": dA, "dZ": dZ, "dC": dZ, "db": db, "dK": dK, "dX": dX}
""",
    [
        Planted("loss-2", "dY = Y - T", "dY = 2 * (Y - T)", "a factor 2 at the loss"),
        Planted(
            "K-flipped",
            "+= K[f] * dZ[n, f, i, j]",
            "+= K[f][:, ::-1, ::-1] * dZ[n, f, i, j]",
            "the kernel flipped on the way to X (once too often)",
        ),
        Planted("dK-overwritten", "dK[f] += window", "dK[f] = window", "= for += at the kernel"),
        Planted(
            "dX-overwritten", "ws : ws + kw] += K[f]", "ws : ws + kw] = K[f]", "= for += at X, overlapping windows"
        ),
        Planted(
            "stride-ignored",
            "hs, ws = i * stride, j * stride",
            "hs, ws = i, j",
            "the stride is ignored in the backward",
        ),
        Planted(
            "pad-at-corner",
            "dX = dXp[:, :, pad : pad + H, pad : pad + W]",
            "dX = dXp[:, :, :H, :W]",
            "the padding is cut off at one side only",
        ),
        Planted(
            "pool-not-divided",
            "dF[:, :, None, None] / (Ho * Wo)",
            "dF[:, :, None, None]",
            "the mean of the pooling is not divided",
        ),
        Planted(
            "pool-one-axis",
            "dF[:, :, None, None] / (Ho * Wo)",
            "dF[:, :, None, None] / Ho",
            "the mean is divided by the height only",
        ),
        Planted(
            "bias-batch-only",
            "db = dZ.sum(axis=(0, 2, 3))",
            "db = dZ.mean(axis=0).sum(axis=(1, 2))",
            "the bias averaged over the batch",
        ),
        Planted("relu-lost", "dZ = dA * (Z > 0)", "dZ = dA", "the relu derivative is lost"),
        Planted("relu-of-C", "dZ = dA * (Z > 0)", "dZ = dA * (C > 0)", "the relu mask without the bias"),
        Planted(
            "K-of-A",
            "dK[f] += window * dZ[n, f, i, j]",
            "dK[f] += window * dA[n, f, i, j]",
            "dA in place of dZ at the kernel: relu lost there",
        ),
        Planted(
            "last-example",
            "dK[f] += window * dZ[n, f, i, j]",
            "dK[f] = (i + j > 0) * dK[f] + window * dZ[n, f, i, j]",
            "the kernel gradient is zeroed for each example: only the last",
        ),
        Planted("V-not-used", "dF = dY @ V.T", "dF = dY @ np.ones_like(V).T", "the weights V are left out"),
    ],
)

# -- attention with heads ----------------------------------------------------------------------------------------------


def _attention(X, Wq, Wk, Wv, Wo, M, T):
    Q = X @ Wq
    K = X @ Wk
    V = X @ Wv
    Qh = np.transpose(np.reshape(Q, (4, 2, 4)), (1, 0, 2))
    Kh = np.transpose(np.reshape(K, (4, 2, 4)), (1, 0, 2))
    Vh = np.transpose(np.reshape(V, (4, 2, 4)), (1, 0, 2))
    S = Qh @ np.transpose(Kh, (0, 2, 1)) / np.sqrt(4)
    A = fn.softmax(np.where(M, S, -1e9), axis=-1)
    O = A @ Vh
    C = np.reshape(np.transpose(O, (1, 0, 2)), (4, 8))
    Y = C @ Wo + X
    L = np.mean((Y - T) ** 2)
    return L


ATTENTION = Written(
    "attention with two heads, a mask and a skip",
    _attention,
    dict(X=_n(4, 8), Wq=_n(8, 8), Wk=_n(8, 8), Wv=_n(8, 8), Wo=_n(8, 8), M=np.tril(np.ones((4, 4))), T=_n(4, 8)),
    """
def backward(X, Wq, Wk, Wv, Wo, M, T):
    n, D = X.shape
    h = 2
    d = D // h
    split = lambda a: a.reshape(n, h, d).transpose(1, 0, 2)
    merge = lambda a: a.transpose(1, 0, 2).reshape(n, D)
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    Qh, Kh, Vh = split(Q), split(K), split(V)
    S = np.einsum("hid,hjd->hij", Qh, Kh) / np.sqrt(d)
    masked = np.where(M > 0, S, -1e9)
    E = np.exp(masked - masked.max(axis=-1, keepdims=True))
    A = E / E.sum(axis=-1, keepdims=True)
    O = np.einsum("hij,hjd->hid", A, Vh)
    C = merge(O)
    Y = C @ Wo + X
    dY = 2 * (Y - T) / Y.size
    dWo = C.T @ dY
    dC = dY @ Wo.T
    dO = split(dC)
    dA = np.einsum("hid,hjd->hij", dO, Vh)
    dVh = np.einsum("hij,hid->hjd", A, dO)
    dS = A * (dA - np.sum(dA * A, axis=-1, keepdims=True))
    dQh = np.einsum("hij,hjd->hid", dS, Kh) / np.sqrt(d)
    dKh = np.einsum("hij,hid->hjd", dS, Qh) / np.sqrt(d)
    dQ, dK, dV = merge(dQh), merge(dKh), merge(dVh)
    dWq = X.T @ dQ
    dWk = X.T @ dK
    dWv = X.T @ dV
    dX = dY.copy()
    dX += dQ @ Wq.T
    dX += dK @ Wk.T
    dX += dV @ Wv.T
    return {"dY": dY, "dWo": dWo, "dC": dC, "dO": dO, "dA": dA, "dVh": dVh, "dS": dS, "dQh": dQh, "dKh": dKh,
            "dQ": dQ, "dK": dK, "dV": dV, "dWq": dWq, "dWk": dWk, "dWv": dWv, "dX": dX}
""",
    [
        Planted("scale-lost", "dS, Kh) / np.sqrt(d)", "dS, Kh)", "1/sqrt(d) is lost at Q"),
        Planted("scale-squared", "dS, Qh) / np.sqrt(d)", "dS, Qh) / d", "1/sqrt(d) squared at K"),
        Planted(
            "K-with-K",
            'np.einsum("hij,hid->hjd", dS, Qh)',
            'np.einsum("hij,hid->hjd", dS, Kh)',
            "dK with K where Q belongs",
        ),
        Planted(
            "K-not-turned",
            'np.einsum("hij,hid->hjd", dS, Qh)',
            'np.einsum("hij,hjd->hid", dS, Qh)',
            "dK without the transpose of dS",
        ),
        Planted(
            "Q-turned",
            'np.einsum("hij,hjd->hid", dS, Kh)',
            'np.einsum("hij,hid->hjd", dS, Kh)',
            "dQ with a transpose of dS too many",
        ),
        Planted(
            "V-not-turned",
            'np.einsum("hij,hid->hjd", A, dO)',
            'np.einsum("hij,hjd->hid", A, dO)',
            "dV without the transpose of A",
        ),
        Planted(
            "diagonal",
            "dS = A * (dA - np.sum(dA * A, axis=-1, keepdims=True))",
            "dS = dA * A * (1 - A)",
            "only the diagonal of softmax",
        ),
        Planted(
            "softmax-axis",
            "np.sum(dA * A, axis=-1, keepdims=True)",
            "np.sum(dA * A, axis=-2, keepdims=True)",
            "the softmax sum along the wrong axis",
        ),
        Planted(
            "softmax-A-lost",
            "np.sum(dA * A, axis=-1, keepdims=True)",
            "np.sum(dA, axis=-1, keepdims=True)",
            "a factor A lost in the softmax sum",
        ),
        Planted(
            "mask-forgotten",
            "dS = A * (dA - np.sum",
            "A = np.exp(S) / np.exp(S).sum(axis=-1, keepdims=True)\n    dS = A * (dA - np.sum",
            "softmax without the mask in the backward",
        ),
        Planted("skip-dropped", "dX = dY.copy()", "dX = 0 * dY", "the skip is dropped"),
        Planted("Wv-path-dropped", "    dX += dV @ Wv.T\n", "", "the way through V is dropped at X"),
        Planted("Wk-not-turned", "dX += dK @ Wk.T", "dX += dK @ Wk", "W for its transpose at Wk"),
        Planted("last-way", "dX += dV @ Wv.T", "dX = dV @ Wv.T", "= for +=: only the last way to X"),
        Planted("dWq-with-dK", "dWq = X.T @ dQ", "dWq = X.T @ dK", "dK in place of dQ at Wq"),
        Planted("Wo-not-turned", "dC = dY @ Wo.T", "dC = dY @ Wo", "W for its transpose at Wo"),
    ],
)

PROGRAMS = [LAYERS, NORM, CLASSES, CONV, ATTENTION]

KEYS: dict[str, dict[str, str | tuple[str, ...]]] = {
    LAYERS.name: {
        "W2-not-turned": "w-for-w-transposed", "dW2-turned": ("transposed", "factors-reordered"),
        "tanh-lost": "activation-slope-lost", "tanh-at-z": "slope-at-wrong-variable",
        "sigmoid-for-tanh": "slope-of-wrong-function", "b2-not-summed": "bias-not-summed",
        "b2-other-axis": "wrong-axis", "b3-mean": "bias-averaged", "m-twice": "mean-twice",
        "factor-2": "loss-factor-lost", "T-minus-Y": "sign-at-loss", "relu-of-A2": "slope-of-another-layer",
        "stale-A1": "wrong-input", "sigmoid-at-z": "slope-at-wrong-variable",
    },
    NORM.name: {
        "no-mean-path": "mean-path-lost", "no-variance-path": "variance-path-lost",
        "only-variance-path": "overwritten", "gamma-mean": "bias-averaged", "gamma-of-D": "wrong-input",
        "gamma-left-out": "weights-ignored", "ddof-1": "another-constant", "power": "wrong-exponent",
        "eps-lost": "term-left-out", "half-lost": ("constant-lost", "half-slope", "factor-left-out"),
        "mean-sign": "sign-lost", "mean-not-divided": "mean-inside", "beta-other-axis": "wrong-axis",
        "relu-of-N": ("slope-at-wrong-variable", "wrong-input"),
    },
    CLASSES.name: {
        "diagonal": "softmax-diagonal", "one-hot-minus-P": ("sign-lost", "sign-at-loss"),
        "y-minus-p": "sign-at-loss", "not-one-hot": "label-not-one-hot", "num-lost": "mean-forgotten",
        "other-axis": "softmax-wrong-axis", "P-lost-in-dot": "factor-left-out",
        "P-lost": ("factor-left-out", "activation-slope-lost"),
        "reg-half": ("loss-factor-lost", "constant-lost", "power-not-lowered"),
        "reg-lost": ("way-dropped", "term-left-out"), "reg-only": "overwritten",
        "logits-upstream": ("stops-before-softmax", "wrong-upstream"), "W2-not-turned": "w-for-w-transposed",
        "b2-mean": "bias-averaged",
    },
    CONV.name: {
        "loss-2": "loss-factor-lost", "K-flipped": "kernel-not-turned", "dK-overwritten": "overlap-overwritten",
        "dX-overwritten": "overlap-overwritten", "stride-ignored": "stride-ignored",
        "pad-at-corner": "padding-ignored", "pool-not-divided": ("mean-inside", "mean-forgotten"),
        "pool-one-axis": ("mean-inside", "constant-factor"), "bias-batch-only": "bias-averaged",
        "relu-lost": "activation-slope-lost", "relu-of-C": ("slope-at-wrong-variable", "wrong-input"),
        "K-of-A": "activation-slope-lost", "last-example": "one-sample-only", "V-not-used": "weights-ignored",
    },
    ATTENTION.name: {
        "scale-lost": "constant-lost", "scale-squared": "constant-lost",
        "K-with-K": ("product-own-factor", "wrong-input"), "K-not-turned": "factor-not-transposed",
        "Q-turned": "factor-not-transposed", "V-not-turned": "factor-not-transposed", "diagonal": "softmax-diagonal",
        "softmax-axis": "softmax-wrong-axis", "softmax-A-lost": "factor-left-out", "mask-forgotten": "mask-lost",
        "skip-dropped": "skip-dropped", "Wv-path-dropped": "way-dropped", "Wk-not-turned": "w-for-w-transposed",
        "last-way": "overwritten", "dWq-with-dK": "wrong-upstream", "Wo-not-turned": "w-for-w-transposed",
    },
}  # fmt: skip
"""The keys of the names, where several say the same about it all of them."""

ALSO: dict[str, dict[str, str]] = {
    LAYERS.name: {"m-twice": "constant-factor"},
    NORM.name: {"ddof-1": "constant-factor", "power": "factor-left-out"},
    CLASSES.name: {
        "y-minus-p": "sign-lost", "num-lost": "factor-left-out", "P-lost-in-dot": "softmax-dot-lost",
        "reg-lost": "shared-once", "reg-only": "shared-once",
    },
    CONV.name: {
        "bias-batch-only": "mean-twice", "K-of-A": "wrong-upstream", "last-example": "overlap-overwritten",
        "V-not-used": "factor-left-out",
    },
    ATTENTION.name: {
        "scale-lost": "factor-left-out", "scale-squared": "constant-factor", "softmax-A-lost": "softmax-dot-lost",
    },
}  # fmt: skip
"""Names that were not thought of beforehand, and found to say the same formula when they were read."""


def accepted(program: Written, bug: Planted) -> tuple[str, ...]:
    """The keys of all names that are right for a bug."""
    key = KEYS[program.name][bug.name]
    also = ALSO[program.name].get(bug.name)
    return (*((key,) if isinstance(key, str) else key), *((also,) if also else ()))
