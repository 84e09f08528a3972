"""Backward code with bugs, a third lot: written when the table of mistakes had been mended after the second."""

from __future__ import annotations

import numpy as np
from backward_code import Program, matrix, vector

BLOCK = f"""
input x = {matrix(3, 4, 111)}
weight g = {vector(4, 112)}, W1 = {matrix(4, 5, 113)}, W2 = {matrix(5, 4, 114)}
bias b = {vector(4, 115)}
target t = {matrix(3, 4, 116)}
n = layernorm(x, g, b)
u = n @ W1
h = relu(u)
y = x + h @ W2
L = mse(y, t)
"""


def block(bug, x, g, W1, W2, b, t):  # noqa: PLR0917
    mu = x.mean(1, keepdims=True)
    s = x.std(1, keepdims=True)
    hat = (x - mu) / s
    n = g * hat + b
    u = n @ W1
    h = np.maximum(u, 0)
    y = x + h @ W2
    L = ((y - t) ** 2).mean()
    dy = 2 * (y - t) / y.size
    dW2 = h.T @ dy
    if bug == "u-for-h":
        dW2 = u.T @ dy
    dh = dy @ W2.T
    du = dh * (u > 0)
    if bug == "gate":
        du = dh * (h <= 0)
    dW1 = n.T @ du
    if bug == "hat-for-n":
        dW1 = hat.T @ du
    if bug == "x-for-n":
        dW1 = x.T @ du
    dn = du @ W1.T
    dg = (dn * hat).sum(0)
    db = dn.sum(0)
    if bug == "dg-no-hat":
        dg = dn.sum(0)
    if bug == "dg-n":
        dg = (dn * n).sum(0)
    if bug == "db-0":
        db = dn.sum()
    dhat = dn * g
    if bug == "no-g":
        dhat = dn
    dx = (dhat - dhat.mean(1, keepdims=True) - hat * (dhat * hat).mean(1, keepdims=True)) / s
    if bug == "ln-sum":
        dx = (dhat - dhat.sum(1, keepdims=True) - hat * (dhat * hat).sum(1, keepdims=True)) / s
    if bug == "ln-simple":
        dx = dhat / s
    if bug == "ln-s":
        dx = dx * s
    if bug != "no-skip":
        dx = dx + dy
    if bug == "skip-only":
        dx = dy
    return L, {"dx": dx, "dg": dg, "db": db, "dW1": dW1, "dW2": dW2}


GRU = f"""
input x = {vector(2, 121)}, h0 = {vector(3, 122)}
weight Wz = {matrix(3, 2, 123)}, Uz = {matrix(3, 3, 124)}, Wc = {matrix(3, 2, 125)}, Uc = {matrix(3, 3, 126)}
target t = {vector(3, 127)}
az = Wz @ x + Uz @ h0
z = sigmoid(az)
ac = Wc @ x + Uc @ h0
c = tanh(ac)
h = (1 - z)*h0 + z*c
L = sum((h - t)^2)
"""


def gru(bug, x, h0, Wz, Uz, Wc, Uc, t):  # noqa: PLR0917
    z = 1 / (1 + np.exp(-(Wz @ x + Uz @ h0)))
    c = np.tanh(Wc @ x + Uc @ h0)
    h = (1 - z) * h0 + z * c
    L = ((h - t) ** 2).sum()
    dh = 2 * (h - t)
    dz = dh * (c - h0)
    if bug == "z-half":
        dz = dh * c
    if bug == "z-sign":
        dz = dh * (c + h0)
    dc = dh * z
    if bug == "c-1-z":
        dc = dh * (1 - z)
    daz = dz * z * (1 - z)
    dac = dc * (1 - c**2)
    if bug == "z-tanh":
        daz = dz * (1 - z**2)
    if bug == "c-sig":
        dac = dc * c * (1 - c)
    dWz = np.outer(daz, x)
    dUz = np.outer(daz, h0)
    dWc = np.outer(dac, x)
    dUc = np.outer(dac, h0)
    if bug == "Uc-h":
        dUc = np.outer(dac, h)
    if bug == "swap":
        dWz, dWc = dWc, dWz
    dh0 = dh * (1 - z) + Uz.T @ daz + Uc.T @ dac
    if bug == "no-direct":
        dh0 = Uz.T @ daz + Uc.T @ dac
    if bug == "no-Uz":
        dh0 = dh * (1 - z) + Uc.T @ dac
    if bug == "direct":
        dh0 = dh * (1 - z)
    if bug == "Uz-plain":
        dh0 = dh * (1 - z) + Uz @ daz + Uc.T @ dac
    if bug == "both-plain":
        dh0 = dh * (1 - z) + Uz @ daz + Uc @ dac
    return L, {"dWz": dWz, "dUz": dUz, "dWc": dWc, "dUc": dUc, "dh0": dh0}


CNN = f"""
input x = [{matrix(6, 6, 131)}]
weight K = [[{matrix(3, 3, 132)}], [{matrix(3, 3, 133)}]]
bias b = [[[0.2]], [[-0.1]]]
weight F = {matrix(3, 8, 134)}
target y = [0, 1, 0]
z = conv2d(x, K) + b
a = relu(z)
p = max_pool(a, 2)
f = reshape(p, 8)
s = F @ f
L = cross_entropy_logits(s, y) + 0.05*sum(F^2)
"""


def cnn(bug, x, K, b, F, y):  # noqa: PLR0917
    z = np.zeros((2, 4, 4))
    for o in range(2):
        for i in range(4):
            for j in range(4):
                z[o, i, j] = (x[:, i : i + 3, j : j + 3] * K[o]).sum()
    z = z + b
    a = np.maximum(z, 0)
    p = a.reshape(2, 2, 2, 2, 2).max((2, 4))
    f = p.reshape(8)
    s = F @ f
    q = np.exp(s - s.max())
    q /= q.sum()
    L = -(y * np.log(q)).sum() + 0.05 * (F**2).sum()
    ds = q - y
    if bug == "sign":
        ds = y - q
    if bug == "q":
        ds = q
    if bug == "raw":
        ds = s - y
    dF = np.outer(ds, f) + 0.1 * F
    if bug == "no-decay":
        dF = np.outer(ds, f)
    if bug == "decay-half":
        dF = np.outer(ds, f) + 0.05 * F
    if bug == "turned":
        dF = np.outer(f, ds) + 0.1 * F.T
    df = F.T @ ds
    dp = df.reshape(2, 2, 2)
    up = np.repeat(np.repeat(dp, 2, 1), 2, 2)
    big = np.repeat(np.repeat(p, 2, 1), 2, 2)
    da = up * (a == big)
    if bug == "pool-all":
        da = up
    if bug == "pool-mean":
        da = up / 4
    dz = da * (z > 0)
    if bug == "relu":
        dz = da
    db = dz.sum((1, 2), keepdims=True)
    if bug == "db-flat":
        db = dz.sum((1, 2))
    if bug == "db-mean":
        db = dz.mean((1, 2), keepdims=True)
    if bug == "db-all":
        db = dz.sum()
    dK = np.zeros_like(K)
    dx = np.zeros_like(x)
    for o in range(2):
        for i in range(4):
            for j in range(4):
                dK[o] += dz[o, i, j] * x[:, i : i + 3, j : j + 3]
                kk = K[o][:, ::-1, ::-1] if bug == "flip" else K[o]
                if bug == "last":
                    dx[:, i : i + 3, j : j + 3] = dz[o, i, j] * kk
                else:
                    dx[:, i : i + 3, j : j + 3] += dz[o, i, j] * kk
    if bug == "dK-flip":
        dK = dK[:, :, ::-1, ::-1]
    return L, {"dF": dF, "db": db, "dK": dK, "dx": dx}


BLOCK_BUGS = {
    "u-for-h": "wrong-input",
    "gate": "mask-inverted",
    "hat-for-n": "wrong-input",
    "x-for-n": "wrong-input",
    "dg-no-hat": "input-forgotten",
    "dg-n": "input-forgotten",
    "db-0": "wrong-axis",
    "no-g": "weights-ignored",
    "ln-sum": "mean-inside",
    "ln-simple": "mean-and-variance-paths-lost",
    "ln-s": "norm-factor-lost",
    "no-skip": "skip-dropped",
    "skip-only": "skip-only",
}

GRU_BUGS = {
    "z-half": "overwritten",
    "z-sign": "sign-lost",
    "c-1-z": "wrong-input",
    "z-tanh": "slope-of-wrong-function",
    "c-sig": "slope-of-wrong-function",
    "Uc-h": "wrong-input",
    "swap": "k-q-exchanged",
    "no-direct": "way-dropped",
    "no-Uz": "way-dropped",
    "direct": "overwritten",
    "Uz-plain": "w-for-w-transposed",
    "both-plain": "w-for-w-transposed",
}

CNN_BUGS = {
    "sign": "sign-at-loss",
    "q": "target-left-out",
    "raw": "logits-for-probabilities",
    "no-decay": "shared-once",
    "decay-half": "loss-factor-lost",
    "turned": "transposed",
    "pool-all": "max-to-all",
    "pool-mean": "max-to-all",
    "relu": "activation-slope-lost",
    "db-flat": "extra-axis",
    "db-mean": "bias-averaged",
    "db-all": "wrong-axis",
    "flip": "kernel-not-turned",
    "last": "overlap-overwritten",
    "dK-flip": "kernel-gradient-flipped",
}

THIRD = {
    program.name: program
    for program in (
        Program("transformer block", BLOCK, block, BLOCK_BUGS),
        Program("gated recurrent unit", GRU, gru, GRU_BUGS),
        Program("convolution, pooling, decay", CNN, cnn, CNN_BUGS),
    )
}
THIRD_CASES = [(program, bug, key) for program in THIRD.values() for bug, key in program.bugs.items()]
