"""Backward programs whose bugs are made by chance: a fifth lot, of other networks.

A bug is one change of the syntax tree of the right program, below its line `# back`: operands exchanged or left out, a
transpose dropped, an axis, a sign, a name for another one, += made =. The draw is seeded, and what makes no difference
to the numbers, or no sense to NumPy, is drawn again.
"""

# ruff: noqa: RET504, PLR0917, C408 - a network is traced by its local names

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
from backward_code_fourth import Planted, Written

from backhand import fn

R = np.random.default_rng(505)


def _n(*shape: int) -> Any:
    return np.round(R.normal(size=shape) * 0.8, 2)


def _variational(x, We, be, Wm, Wv, Wd, bd, eps):
    h = np.tanh(x @ We + be)
    mu = h @ Wm
    lv = h @ Wv
    s = np.exp(0.5 * lv)
    k = mu + s * eps
    r = k @ Wd + bd
    fit = 0.5 * np.sum((r - x) ** 2)
    kl = -0.5 * np.sum(1 + lv - mu**2 - np.exp(lv))
    L = fit + kl
    return L


VARIATIONAL = Written(
    "variational autoencoder", _variational,
    dict(x=_n(4, 3), We=_n(3, 5), be=_n(5), Wm=_n(5, 2), Wv=_n(5, 2), Wd=_n(2, 3), bd=_n(3), eps=_n(4, 2)),
    '''
def backward(x, We, be, Wm, Wv, Wd, bd, eps):
    h = np.tanh(x @ We + be)
    mu = h @ Wm
    lv = h @ Wv
    s = np.exp(0.5 * lv)
    k = mu + s * eps
    r = k @ Wd + bd
    # back
    dr = r - x
    dWd = k.T @ dr
    dbd = dr.sum(axis=0)
    dk = dr @ Wd.T
    dmu = dk + mu
    ds = dk * eps
    dlv = ds * 0.5 * s - 0.5 * (1 - np.exp(lv))
    dWm = h.T @ dmu
    dWv = h.T @ dlv
    dh = dmu @ Wm.T + dlv @ Wv.T
    dz = dh * (1 - h ** 2)
    dWe = x.T @ dz
    dbe = dz.sum(axis=0)
    return {"dWd": dWd, "dbd": dbd, "dWm": dWm, "dWv": dWv, "dWe": dWe, "dbe": dbe}
''',
    (),
)  # fmt: skip


def _highway(x, Wt, bt, Wh, bh, V, t):
    p = x @ Wt + bt
    T = fn.sigmoid(p)
    q = x @ Wh + bh
    H = np.maximum(q, 0)
    m = T * H + (1 - T) * x
    y = m @ V
    L = np.mean((y - t) ** 2)
    return L


HIGHWAY = Written(
    "highway", _highway,
    dict(x=_n(5, 3), Wt=_n(3, 3), bt=_n(3), Wh=_n(3, 3), bh=_n(3), V=_n(3, 4), t=_n(5, 4)),
    '''
def backward(x, Wt, bt, Wh, bh, V, t):
    T = 1 / (1 + np.exp(-(x @ Wt + bt)))
    q = x @ Wh + bh
    H = np.maximum(q, 0)
    m = T * H + (1 - T) * x
    y = m @ V
    # back
    dy = 2 * (y - t) / y.size
    dV = m.T @ dy
    dm = dy @ V.T
    dT = dm * (H - x)
    dH = dm * T
    dx = dm * (1 - T)
    dp = dT * T * (1 - T)
    dq = dH * (q > 0)
    dWt = x.T @ dp
    dbt = dp.sum(axis=0)
    dWh = x.T @ dq
    dbh = dq.sum(axis=0)
    dx += dp @ Wt.T
    dx += dq @ Wh.T
    return {"dV": dV, "dWt": dWt, "dbt": dbt, "dWh": dWh, "dbh": dbh, "dx": dx}
''',
    (),
)  # fmt: skip


def _gated(x, g, Wa, Wb, Wo, y):
    ms = np.mean(x**2, axis=1, keepdims=True)
    rms = np.sqrt(ms + 0.01)
    n = x / rms
    u = n * g
    a = u @ Wa
    b = u @ Wb
    s = fn.sigmoid(a)
    c = a * s * b
    o = c @ Wo + x
    L = np.mean(fn.cross_entropy_logits(o, y))
    return L


GATED = Written(
    "root mean square, gated, skip", _gated,
    dict(x=_n(4, 3), g=_n(3), Wa=_n(3, 5), Wb=_n(3, 5), Wo=_n(5, 3), y=np.array([0, 2, 1, 1])),
    '''
def backward(x, g, Wa, Wb, Wo, y):
    N, D = x.shape
    rms = np.sqrt((x ** 2).mean(axis=1, keepdims=True) + 0.01)
    n = x / rms
    u = n * g
    a = u @ Wa
    b = u @ Wb
    s = 1 / (1 + np.exp(-a))
    c = a * s * b
    o = c @ Wo + x
    p = np.exp(o - o.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    hot = np.eye(3)[np.asarray(y).astype(int)]
    # back
    do = (p - hot) / N
    dWo = c.T @ do
    dc = do @ Wo.T
    db = dc * a * s
    da = dc * b * (s + a * s * (1 - s))
    dWa = u.T @ da
    dWb = u.T @ db
    du = da @ Wa.T + db @ Wb.T
    dg = (du * n).sum(axis=0)
    dn = du * g
    drms = -(dn * x).sum(axis=1, keepdims=True) / rms ** 2
    dx = dn / rms + drms * x / (D * rms) + do
    return {"do": do, "dWo": dWo, "dWa": dWa, "dWb": dWb, "dg": dg, "du": du, "dx": dx}
''',
    (),
)  # fmt: skip


def _radial(x, c, w, b, t):
    d = x - c
    r = np.sum(d**2, axis=1)
    f = np.exp(-0.5 * r)
    s = np.dot(w, f) + b
    p = fn.sigmoid(s)
    L = -(t * np.log(p) + (1 - t) * np.log(1 - p))
    return L


RADIAL = Written(
    "radial basis", _radial, dict(x=_n(3), c=_n(4, 3), w=_n(4), b=0.3, t=1.0),
    '''
def backward(x, c, w, b, t):
    d = x - c
    r = np.sum(d ** 2, axis=1)
    f = np.exp(-0.5 * r)
    p = 1 / (1 + np.exp(-(w @ f + b)))
    # back
    ds = p - t
    dw = ds * f
    db = ds
    df = ds * w
    dr = df * -0.5 * f
    dd = 2 * d * dr[:, None]
    dc = -dd
    dx = dd.sum(axis=0)
    return {"dw": dw, "db": db, "dc": dc, "dx": dx}
''',
    (),
)  # fmt: skip


def _series(x, k, b, W, v, t):
    z = fn.conv1d(x, k) + b
    h = np.tanh(z)
    m = np.mean(h, axis=2)
    u = m @ W
    e = fn.softplus(u)
    y = e @ v
    L = np.sum((y - t) ** 2) / 2
    return L


SERIES = Written(
    "series, average, softplus", _series,
    dict(x=_n(2, 2, 6), k=_n(3, 2, 3), b=_n(3, 1), W=_n(3, 4), v=_n(4), t=_n(2)),
    '''
def backward(x, k, b, W, v, t):
    n, length = x.shape[0], x.shape[2] - 2
    z = np.zeros((n, k.shape[0], length))
    for i in range(length):
        z[:, :, i] = np.tensordot(x[:, :, i:i + 3], k, axes=((1, 2), (1, 2))) + b[:, 0]
    h = np.tanh(z)
    m = h.mean(axis=2)
    u = m @ W
    e = np.log(1 + np.exp(u))
    y = e @ v
    # back
    dy = y - t
    dv = e.T @ dy
    de = np.outer(dy, v)
    du = de / (1 + np.exp(-u))
    dW = m.T @ du
    dm = du @ W.T
    dh = np.repeat(dm[:, :, None], length, axis=2) / length
    dz = dh * (1 - h ** 2)
    db = dz.sum(axis=2).sum(axis=0)[:, None]
    dk = np.zeros(k.shape)
    dx = np.zeros(x.shape)
    for i in range(length):
        dk += np.tensordot(dz[:, :, i], x[:, :, i:i + 3], axes=((0,), (0,)))
        dx[:, :, i:i + 3] += np.tensordot(dz[:, :, i], k, axes=((1,), (0,)))
    return {"dv": dv, "dW": dW, "dm": dm, "db": db, "dk": dk, "dx": dx}
''',
    (),
)  # fmt: skip


def _twins(p, q, W, b, a, t):
    u = np.tanh(p @ W + b)
    v = np.tanh(q @ W + b)
    d = u - v
    s = (d**2) @ a
    y = fn.sigmoid(s)
    L = 0.5 * np.sum((y - t) ** 2)
    return L


TWINS = Written(
    "twins", _twins, dict(p=_n(3, 2), q=_n(3, 2), W=_n(2, 4), b=_n(4), a=_n(4), t=np.array([1.0, 0, 1])),
    '''
def backward(p, q, W, b, a, t):
    u = np.tanh(p @ W + b)
    v = np.tanh(q @ W + b)
    d = u - v
    s = d ** 2 @ a
    y = 1 / (1 + np.exp(-s))
    # back
    dy = y - t
    ds = dy * y * (1 - y)
    da = (d ** 2).T @ ds
    dd = 2 * d * np.outer(ds, a)
    du = dd
    dv = -dd
    dzu = du * (1 - u ** 2)
    dzv = dv * (1 - v ** 2)
    dW = p.T @ dzu
    dW += q.T @ dzv
    db = dzu.sum(axis=0) + dzv.sum(axis=0)
    dp = dzu @ W.T
    dq = dzv @ W.T
    return {"da": da, "dW": dW, "db": db, "dp": dp, "dq": dq}
''',
    (),
)  # fmt: skip

PROGRAMS = (VARIATIONAL, HIGHWAY, GATED, RADIAL, SERIES, TWINS)


# -- bugs by chance ----------------------------------------------------------------------------------------------------


def changes(tree: ast.Module, first: int, names: list[str]) -> Iterator[str]:
    """Every single change of a program from a line on, as text."""
    spots = [
        node for node in ast.walk(tree) if getattr(node, "lineno", 0) >= first and not isinstance(node, ast.Return)
    ]
    inside = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.Return) for inner in ast.walk(node)}
    for at, spot in enumerate(spots):
        if id(spot) in inside:
            continue
        for other in _others(spot, names):
            made = copy.deepcopy(tree)
            again = [
                node
                for node in ast.walk(made)
                if getattr(node, "lineno", 0) >= first and not isinstance(node, ast.Return)
            ][at]
            _put(made, again, other)
            ast.fix_missing_locations(made)
            yield ast.unparse(made)


def _put(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for node in ast.walk(tree):
        for key, value in ast.iter_fields(node):
            if value is old:
                setattr(node, key, new)
            elif isinstance(value, list) and any(item is old for item in value):
                setattr(node, key, [new if item is old else item for item in value])


def _others(spot: ast.AST, names: list[str]) -> Iterator[ast.AST]:
    match spot:
        case ast.BinOp(left=left, op=op, right=right):
            yield left
            yield right
            yield ast.BinOp(right, op, left)
            swap = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}.get(type(op))
            if swap is not None:
                yield ast.BinOp(left, swap(), right)
            if isinstance(op, ast.MatMult):
                yield ast.BinOp(left, ast.Mult(), right)
        case ast.Attribute(value=value, attr="T"):
            yield value
        case ast.Call(func=ast.Attribute(value=value, attr="sum"), keywords=[ast.keyword(arg="axis"), *more]):
            yield value
            yield ast.Call(ast.Attribute(value, "mean", ast.Load()), [], spot.keywords)
            yield ast.Call(ast.Attribute(value, "sum", ast.Load()), [], [ast.keyword("axis", ast.Constant(0)), *more])
            yield ast.Call(ast.Attribute(value, "sum", ast.Load()), [], more)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield operand
        case ast.Constant(value=int() | float() as value):
            yield ast.Constant(value + 1)
        case ast.Name(id=name, ctx=ast.Load()) if name in names:
            for other in names:
                if other != name:
                    yield ast.Name(other, ast.Load())
        case ast.AugAssign(target=target, value=value):
            yield ast.Assign([target], value)
        case _:
            return


def planted(program: Written, count: int, seed: int) -> list[Planted]:
    """Bugs drawn from all single changes, no two in the same line of the same kind more than once."""
    source = program.source
    first = next(n for n, line in enumerate(source.splitlines(), 1) if "# back" in line)
    tree = ast.parse(source)
    names = sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - {"np", "n", "i", "N", "D"})
    right = program.backward()(**{key: np.array(value, float) for key, value in program.inputs.items()})
    possible = list(changes(tree, first, names))
    plain = ast.unparse(tree).splitlines()
    found: list[Planted] = []
    for pick in np.random.default_rng(seed).permutation(len(possible)):
        text = possible[pick]
        different = [(old, new) for old, new in zip(plain, text.splitlines(), strict=False) if old != new]
        if len(different) != 1 or not _matters(program, text, right):
            continue
        old, new = different[0]
        found.append(Planted(f"{len(found)}", program.source, text, f"{old.strip()}  ->  {new.strip()}"))
        if len(found) == count:
            break
    return found


def _matters(program: Written, text: str, right: dict[str, Any]) -> bool:
    """Whether a changed program runs, and gives other numbers of the same shapes."""
    spaces: dict[str, Any] = {"np": np}
    try:
        with np.errstate(all="ignore"):
            exec(compile(text, "<changed>", "exec"), spaces)
            given = {key: np.array(value, float) for key, value in program.inputs.items()}
            made = spaces["backward"](**given)
    except Exception:  # noqa: BLE001 - whatever it raises, this is no program
        return False
    if any(
        np.shape(made[key]) != np.shape(value) or not np.all(np.isfinite(made[key])) for key, value in right.items()
    ):
        return False
    return any(not np.allclose(made[key], value, rtol=1e-4) for key, value in right.items())
