"""More backward code with bugs, written when the table of mistakes was finished: how it does on what it was not made for."""

from __future__ import annotations

import numpy as np
from backward_code import Program, matrix, vector

COLUMNS = f"""
input X = {matrix(3, 5, 71)}
weight W1 = {matrix(3, 3, 72)}
weight W2 = {matrix(1, 3, 73)}
bias b1 = {matrix(3, 1, 74)}
bias b2 = 0.4
target Y = [[1, 0, 0, 1, 1]]
Z1 = W1 @ X + b1
A1 = relu(Z1)
Z2 = W2 @ A1 + b2
A2 = sigmoid(Z2)
J = -sum(Y*ln(A2) + (1 - Y)*ln(1 - A2))/5
"""


def columns(bug, X, W1, W2, b1, b2, Y):  # noqa: PLR0917 - as the network has them
    m = X.shape[1]
    Z1 = W1 @ X + b1
    A1 = np.maximum(0, Z1)
    Z2 = W2 @ A1 + b2
    A2 = 1 / (1 + np.exp(-Z2))
    J = -(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)).sum() / m
    dZ2 = (A2 - Y) / m
    if bug == "divided-again":
        dZ2 = dZ2 / m
    if bug == "not-divided":
        dZ2 = A2 - Y
    if bug == "turned":
        dZ2 = (Y - A2) / m
    if bug == "sigmoid-again":
        dZ2 = (A2 - Y) / m * A2 * (1 - A2)
    if bug == "sigmoid-lost":
        dZ2 = (A2 - Y) / (A2 * (1 - A2)) / m
    dW2 = dZ2 @ A1.T
    if bug == "Z-for-A":
        dW2 = dZ2 @ Z1.T
    db2 = dZ2.sum()
    if bug == "db2-kept":
        db2 = dZ2
    dA1 = W2.T @ dZ2
    dZ1 = dA1 * (Z1 > 0)
    if bug == "mask-turned":
        dZ1 = dA1 * (Z1 < 0)
    if bug == "mask-of-value":
        dZ1 = dA1 * Z1
    dW1 = dZ1 @ X.T
    if bug == "dW1-turned":
        dW1 = X @ dZ1.T
    db1 = dZ1.sum(axis=1, keepdims=True)
    if bug == "db1-axis-0":
        db1 = dZ1.sum(axis=0, keepdims=True)
    if bug == "db1-flat":
        db1 = dZ1.sum(axis=1)
    if bug == "db1-mean":
        db1 = dZ1.mean(axis=1, keepdims=True)
    dX = W1.T @ dZ1
    if bug == "W1-plain":
        dX = W1 @ dZ1
    return J, {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2, "dX": dX}


COLUMNS_BUGS = {
    "divided-again": "mean-twice", "not-divided": "mean-forgotten", "turned": "sign-at-loss",
    "sigmoid-again": "slope-twice", "sigmoid-lost": "activation-slope-lost", "Z-for-A": "wrong-input",
    "db2-kept": "bias-not-summed", "mask-turned": "mask-inverted", "mask-of-value": "value-for-slope",
    "dW1-turned": "transposed", "db1-axis-0": "wrong-axis", "db1-flat": "extra-axis", "db1-mean": "bias-averaged",
    "W1-plain": "w-for-w-transposed",
}  # fmt: skip

RNN = f"""
input x1 = {vector(2, 81)}, x2 = {vector(2, 82)}, x3 = {vector(2, 83)}, h0 = [0.1, -0.2, 0.3]
weight Wh = {matrix(3, 3, 84)}, Wx = {matrix(3, 2, 85)}
bias b = {vector(3, 86)}
target t = {vector(3, 87)}
a1 = Wh @ h0 + Wx @ x1 + b
h1 = tanh(a1)
a2 = Wh @ h1 + Wx @ x2 + b
h2 = tanh(a2)
a3 = Wh @ h2 + Wx @ x3 + b
h3 = tanh(a3)
L = sum((h3 - t)^2)/2
"""


def rnn(bug, x1, x2, x3, h0, Wh, Wx, b, t):  # noqa: PLR0917
    xs, hs = [x1, x2, x3], [h0]
    for x in xs:
        hs.append(np.tanh(Wh @ hs[-1] + Wx @ x + b))
    loss = ((hs[3] - t) ** 2).sum() / 2
    dWh, dWx, db = np.zeros_like(Wh), np.zeros_like(Wx), np.zeros_like(b)
    dh = hs[3] - t
    if bug == "factor-2":
        dh = 2 * dh
    for step in (2, 1, 0):
        da = dh * (1 - hs[step + 1] ** 2)
        if bug == "slope-lost":
            da = dh
        if bug == "slope-of-step-before":
            da = dh * (1 - hs[step] ** 2)
        dWh += np.outer(da, hs[step] if bug != "state-after" else hs[step + 1])
        dWx = np.outer(da, xs[step]) if bug == "overwritten" else dWx + np.outer(da, xs[step])
        db = da if bug == "bias-last" else db + da
        dh = (Wh if bug == "Wh-plain" else Wh.T) @ da
        if bug == "truncated":
            break
    return loss, {"dWh": dWh, "dWx": dWx, "db": db, "dh0": None if bug == "truncated" else dh}


RNN_BUGS = {
    "factor-2": "loss-factor-lost", "slope-lost": "activation-slope-lost",
    "slope-of-step-before": "slope-of-another-layer", "state-after": "wrong-input", "overwritten": "shared-once",
    "bias-last": "shared-once", "Wh-plain": "w-for-w-transposed", "truncated": "shared-once",
}  # fmt: skip

CHANNELS = f"""
input x = [{matrix(2, 6, 91)}, {matrix(2, 6, 92)}]
weight w = [{matrix(2, 3, 93)}, {matrix(2, 3, 94)}]
weight v = {matrix(2, 6, 95)}
z = conv1d(x, w, padding=1)
L = sum(v*z)
"""


def channels(bug, x, w, v):
    n, _, size = x.shape
    xp = np.pad(x, ((0, 0), (0, 0), (1, 1)))
    z = np.zeros((n, 2, size))
    for i in range(size):
        z[:, :, i] = np.einsum("nck,ock->no", xp[:, :, i : i + 3], w)
    loss = (v * z).sum()
    dz = np.broadcast_to(v, z.shape)
    dxp, dw = np.zeros_like(xp), np.zeros_like(w)
    for i in range(size):
        kernel = {"flipped": w[..., ::-1], "channels": w.transpose(1, 0, 2)}.get(bug, w)
        dxp[:, :, i : i + 3] += np.einsum("no,ock->nck", dz[:, :, i], kernel)
        image = xp[..., ::-1] if bug == "image-flipped" else xp
        dw += np.einsum("no,nck->ock", dz[:, :, i], image[:, :, i : i + 3])
    if bug == "dw-mean":
        dw = dw / n
    dx = dxp[..., 2:] if bug == "crop" else dxp if bug == "no-crop" else dxp[..., 1:-1]
    return loss, {"dx": dx, "dw": dw, "dv": z if bug == "dv-unsummed" else z.sum(0)}


CHANNELS_BUGS = {
    "flipped": "kernel-not-turned", "channels": "channels-exchanged", "image-flipped": "kernel-gradient-flipped",
    "dw-mean": "mean-for-sum", "crop": "padding-ignored", "no-crop": "padding-ignored", "dv-unsummed": "bias-not-summed",
}  # fmt: skip

WORDS = f"""
input ids = [0, 2, 2, 1]
weight E = {matrix(4, 3, 101)}
weight w = {vector(3, 102)}
target y = 1
e = gather(E, ids)
m = mean(e, axis=0)
s = dot(w, m)
p = sigmoid(s)
L = -y*ln(p) - (1 - y)*ln(1 - p)
"""


def words(bug, ids, E, w, y):
    rows = ids.astype(int)
    e = E[rows]
    m = e.mean(0)
    s = w @ m
    p = 1 / (1 + np.exp(-s))
    loss = -y * np.log(p) - (1 - y) * np.log(1 - p)
    ds = p - y
    if bug == "turned":
        ds = y - p
    if bug == "slope-again":
        ds = (p - y) * p * (1 - p)
    dw = ds * (e.sum(0) if bug == "sum-for-mean" else m)
    dm = ds * (m if bug == "own-factor" else w)
    de = np.tile(dm if bug == "mean-lost" else dm / len(rows), (len(rows), 1))
    dE = np.zeros_like(E)
    if bug == "buffered":
        dE[rows] += de
    else:
        np.add.at(dE, rows, de)
    return loss, {"dw": dw, "dE": dE}


WORDS_BUGS = {
    "turned": "sign-at-loss", "slope-again": "slope-twice", "sum-for-mean": "constant-factor", "own-factor": "product-own-factor",
    "mean-lost": "mean-inside", "buffered": "overlap-overwritten",
}  # fmt: skip

MORE = {
    program.name: program
    for program in (
        Program("columns, logistic", COLUMNS, columns, COLUMNS_BUGS),
        Program("recurrent", RNN, rnn, RNN_BUGS),
        Program("convolution with channels", CHANNELS, channels, CHANNELS_BUGS),
        Program("embedding", WORDS, words, WORDS_BUGS),
    )
}
MORE_CASES = [(program, bug, key) for program in MORE.values() for bug, key in program.bugs.items()]
