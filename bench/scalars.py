"""Scalar networks from arrays, every value and every derivative: the tape against what people would use instead.

    layered     10 layers of equally many tanh units, each using all of the layer before
    irregular   each unit uses 8 earlier ones, drawn at random; +, *, tanh, exp and sigmoid in turn by lot
    chain       2 uses a unit, as deep as it is long; the loss uses every 30th unit, as no derivative would be left else

The two loops in C are estimates of what is possible: a plain tape, and matrices where somebody has said that the layers
are dense. Contenders that build or run for minutes end at a size (`LIMITS`, with `--full` the second). Memory is the peak
of a process of its own that makes the network and runs it, over what it held before, for each edge.
"""

from __future__ import annotations

import ctypes
import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from common import aligned, close, environment, installed, interleaved, peak, repeated, save, skipped, table, title
from nets import deeply

Run = Callable[[], Any]
SUM, SQUARE, TANH, EXP, SIGMOID, PRODUCT = 1, 2, 3, 4, 5, 30
LAYERS = 10
TAPS = 30
LIMITS = {
    "casadi": (10_000, 1_000_000), "micrograd": (10_000, 100_000), "torch scalars": (1_000, 10_000),
    "autograd": (1_000, 10_000), "jax irregular": (10_000, 10_000),
}  # fmt: skip
"""Edges up to which a contender takes part: as a rule, and with `--full`."""


class Plan:
    """A network as arrays: node i computes ops[i] of its edges start[i] .. start[i + 1]. Node 0 is 1, the last is
    L = (sum of units - 3)^2. Nothing larger than the arrays themselves is held while they are made."""

    def __init__(self, kind: str, edges: int) -> None:
        lot = np.random.default_rng(7)
        self.kind, self.width = kind, 0
        if kind == "layered":
            m = self.width = max(3, round(math.sqrt(edges / LAYERS)))
            units, given, degree, scale = m * (LAYERS + 1), m, m, 1.7 / math.sqrt(m)
            ops = np.full(units, TANH, np.uint8)
        elif kind == "irregular":
            units, degree, scale = max(24, edges // 8), 8, 0.375
            given = max(8, units // 16)
            ops = np.array([SUM, PRODUCT, TANH, EXP, SIGMOID], np.uint8)[lot.integers(0, 5, units)]
        else:
            units, given, degree, scale = edges // 2 + 2, 2, 2, 1.0
            ops = np.array([SUM, TANH, SIGMOID], np.uint8)[np.arange(units) % 3]
        body = (units - given) * degree
        source = np.empty((units - given, degree), np.uint32)
        for low in range(0, units - given, 100_000):
            reader = np.arange(low, min(units - given, low + 100_000)) + given
            if kind == "layered":
                source[low : low + len(reader)] = (reader // m - 1)[:, None] * m + np.arange(m)
            elif kind == "irregular":
                source[low : low + len(reader)] = lot.random((len(reader), 8)) * reader[:, None]
            else:
                source[low : low + len(reader)] = np.stack([reader - 1, reader - 2], 1)
        read = np.zeros(units, bool)
        read[source.reshape(-1)] = True
        last = np.arange(units - 1, 1, -TAPS)[::-1] if kind == "chain" else np.flatnonzero(~read)
        self.source = np.empty(body + last.size + 1, np.uint32)
        np.add(source.reshape(-1), 1, out=self.source[:body])
        self.source[body:-1], self.source[-1] = last + 1, 0
        del source
        self.weight = aligned(len(self.source))
        lot.random(out=self.weight[:body])
        self.weight[:body] *= 0.5 if kind == "chain" else 2 * scale
        self.weight[:body] += 0.6 if kind == "chain" else -scale
        self.weight[body:-1], self.weight[-1] = lot.uniform(-1, 1, last.size) / math.sqrt(last.size), -3.0
        ops[:given] = 0
        self.ops = np.concatenate([[0], ops, [SQUARE]]).astype(np.uint8)
        self.start = np.empty(units + 3, np.uint64)
        self.start[: given + 2] = 0
        self.start[given + 1 : units + 2] = np.arange(units - given + 1) * degree
        self.start[-1] = len(self.source)
        self.inputs = np.concatenate([[1.0], lot.uniform(-1, 1, given)])

    @property
    def edges(self) -> int:
        return len(self.source)


# -- what is possible: loops in C ---------------------------------------------------------------------------------------

C = r"""
#include <math.h>
#include <stdint.h>
#include <string.h>
#ifdef __AVX512F__
#include <immintrin.h>
#endif
typedef uint64_t u;
void tape(u n, const uint8_t *op, const u *ptr, const uint32_t *src, const double *w, double *x, double *aux, double *adj,
          double *dw) {
  for (u i = 0; i < n; i++) { if (!op[i]) continue; u a = ptr[i], b = ptr[i+1]; double z = 0;
    if (op[i] == 30) { u m = (a+b)/2; double t = 0; for (u e = a; e < m; e++) z += w[e]*x[src[e]];
      for (u e = m; e < b; e++) t += w[e]*x[src[e]]; aux[2*i] = z; aux[2*i+1] = t; x[i] = z*t; continue; }
    for (u e = a; e < b; e++) z += w[e]*x[src[e]];
    switch (op[i]) { case 1: x[i] = z; break; case 3: x[i] = tanh(z); break; case 4: x[i] = exp(z); break;
      case 5: x[i] = 1/(1+exp(-z)); break; case 2: aux[2*i] = z; x[i] = z*z; } }
  memset(adj, 0, n*8); adj[n-1] = 1;
  for (u i = n; i-- > 0;) { if (!op[i]) continue; double g = adj[i], h = g; u a = ptr[i], b = ptr[i+1], m = b;
    switch (op[i]) { case 30: m = (a+b)/2; g = adj[i]*aux[2*i+1]; h = adj[i]*aux[2*i]; break; case 3: g *= 1-x[i]*x[i]; break;
      case 4: g *= x[i]; break; case 5: g *= x[i]*(1-x[i]); break; case 2: g *= 2*aux[2*i]; }
    for (u e = a; e < m; e++) { uint32_t s = src[e]; dw[e] = g*x[s]; adj[s] += g*w[e]; }
    for (u e = m; e < b; e++) { uint32_t s = src[e]; dw[e] = h*x[s]; adj[s] += h*w[e]; } } }

static void scaled(double *to, const double *x, double g, u m) {
  u j = 0;
#ifdef __AVX512F__
  for (; j < m && ((uintptr_t)(to+j)) % 64; j++) to[j] = g*x[j];
  __m512d f = _mm512_set1_pd(g);
  for (; j+8 <= m; j += 8) _mm512_stream_pd(to+j, _mm512_mul_pd(f, _mm512_loadu_pd(x+j)));
#endif
  for (; j < m; j++) to[j] = g*x[j]; }
void dense(u layers, u m, const double *w, double *x, double *g, double *adj, double *dw) {
  const double *v = w + layers*m*m; u n = layers*m; double z = v[m];
  for (u l = 0; l < layers; l++) { const double *in = x+1+l*m; double *out = x+1+(l+1)*m; u i = 0;
    for (; i+4 <= m; i += 4) { const double *a = w+(l*m+i)*m, *b = a+m, *c = b+m, *d = c+m; double p = 0, q = 0, r = 0, s = 0;
      for (u j = 0; j < m; j++) { p += a[j]*in[j]; q += b[j]*in[j]; r += c[j]*in[j]; s += d[j]*in[j]; }
      out[i] = p; out[i+1] = q; out[i+2] = r; out[i+3] = s; }
    for (; i < m; i++) { const double *a = w+(l*m+i)*m; double p = 0; for (u j = 0; j < m; j++) p += a[j]*in[j]; out[i] = p; }
    for (i = 0; i < m; i++) out[i] = tanh(out[i]); }
  for (u j = 0; j < m; j++) z += v[j]*x[1+n+j];
  memset(adj, 0, (n+m+2)*8); x[n+m+1] = z*z; adj[n+m+1] = 1; adj[0] = 2*z*v[m]; dw[n*m+m] = 2*z;
  for (u j = 0; j < m; j++) { adj[1+n+j] = 2*z*v[j]; dw[n*m+j] = 2*z*x[1+n+j]; }
  for (u l = layers; l-- > 0;) { const double *in = x+1+l*m, *out = in+m; double *back = adj+1+l*m; u i = 0;
    for (u j = 0; j < m; j++) g[j] = back[m+j]*(1-out[j]*out[j]);
    for (; i+4 <= m; i += 4) { const double *a = w+(l*m+i)*m, *b = a+m, *c = b+m, *d = c+m; double p = g[i], q = g[i+1], r = g[i+2], s = g[i+3];
      for (u j = 0; j < m; j++) back[j] += p*a[j] + q*b[j] + r*c[j] + s*d[j]; }
    for (; i < m; i++) { const double *a = w+(l*m+i)*m; for (u j = 0; j < m; j++) back[j] += g[i]*a[j]; }
    for (i = 0; i < m; i++) scaled(dw+(l*m+i)*m, in, g[i], m); } }
"""


def in_c() -> Any:
    """Both loops, compiled as hard as the compiler can; None without one."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        skipped("C", "no compiler")
        return None
    folder = Path(tempfile.mkdtemp())
    (folder / "tape.c").write_text(C, "ascii")
    options = ["-O3", "-march=native", "-ffast-math", "-shared", "-fPIC"]
    subprocess.run([compiler, *options, "tape.c", "-o", "tape.so", "-lm"], cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "tape.so"))


def rooms(plan: Plan) -> tuple[Any, Any, Any]:
    """Memory for values, derivatives by nodes and by weights."""
    x, adjoint, slopes = aligned(len(plan.ops)), aligned(len(plan.ops)), aligned(plan.edges)
    x[: plan.inputs.size] = plan.inputs
    return x, adjoint, slopes


def by_c(plan: Plan, library: Any) -> Run:
    n = len(plan.ops)
    x, adjoint, slopes = rooms(plan)
    arrays = [plan.ops, plan.start, plan.source, plan.weight, x, np.zeros(2 * n), adjoint, slopes]
    args = [ctypes.c_uint64(n), *(ctypes.c_void_p(a.ctypes.data) for a in arrays)]

    def run(kept: Any = arrays) -> Any:  # C looks at them
        library.tape(*args)
        return x, adjoint, slopes

    return run


def by_c_matrices(plan: Plan, library: Any) -> Run:
    x, adjoint, slopes = rooms(plan)
    arrays = [plan.weight, x, np.zeros(plan.width), adjoint, slopes]
    args = [ctypes.c_uint64(LAYERS), ctypes.c_uint64(plan.width), *(ctypes.c_void_p(a.ctypes.data) for a in arrays)]

    def run(kept: Any = arrays) -> Any:
        library.dense(*args)
        return x, adjoint, slopes

    return run


# -- by layer -----------------------------------------------------------------------------------------------------------


def by_numpy(plan: Plan) -> Run:
    m, n = plan.width, LAYERS * plan.width
    W = plan.weight[: n * m].reshape(LAYERS, m, m)
    v = plan.weight[n * m :]
    x, adjoint, slopes = rooms(plan)
    X, A = x[1:-1].reshape(LAYERS + 1, m), adjoint[1:-1].reshape(LAYERS + 1, m)
    dW = slopes[: n * m].reshape(LAYERS, m, m)

    def run() -> Any:
        for k in range(LAYERS):
            np.tanh(W[k] @ X[k], out=X[k + 1])
        z = v[:-1] @ X[-1] + v[-1]
        x[-1], adjoint[-1] = z * z, 1
        A[-1], adjoint[0] = 2 * z * v[:-1], 2 * z * v[-1]
        slopes[n * m : -1], slopes[-1] = 2 * z * X[-1], 2 * z
        for k in range(LAYERS - 1, -1, -1):
            g = A[k + 1] * (1 - X[k + 1] ** 2)
            np.multiply(g[:, None], X[k], out=dW[k])
            np.matmul(g, W[k], out=A[k])
        return x, adjoint, slopes

    return run


def by_torch(plan: Plan) -> Run:
    import torch

    torch.set_num_threads(1)
    m, n = plan.width, LAYERS * plan.width
    leaf = lambda array: torch.tensor(array, requires_grad=True)  # noqa: E731 - as in torch's own words
    W = [leaf(plan.weight[k * m * m : (k + 1) * m * m].reshape(m, m)) for k in range(LAYERS)]
    v, one, first = leaf(plan.weight[n * m :]), leaf(np.ones(1)), leaf(plan.inputs[1:])

    def run() -> Any:
        for part in (*W, v, one, first):
            part.grad = None
        layers = [first]
        for k in range(LAYERS):
            layers.append(torch.tanh(W[k] @ layers[-1]))
            layers[-1].retain_grad()
        z = v[:-1] @ layers[-1] + v[-1] * one[0]
        loss = z * z
        loss.backward()
        return [one, *layers, loss], [one.grad, *(h.grad for h in layers), 1.0], [*(w.grad for w in W), v.grad]

    return run


def by_jax(plan: Plan) -> Run:
    """Layered networks by layer; chains as a scan over units in threes; irregular ones by level, compiled for each."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    n, given = len(plan.ops), plan.inputs.size
    body = int(plan.start[-2])
    weight, inputs, zero = jnp.asarray(plan.weight), jnp.asarray(plan.inputs), jnp.zeros(n)

    def layered(w: Any, added: Any) -> Any:
        m = plan.width
        W, e = w[:body].reshape(LAYERS, m, m), added[1:-1].reshape(LAYERS + 1, m)
        h = inputs[1:] + e[0]
        found = [h]
        for k in range(LAYERS):
            h = jnp.tanh(W[k] @ h) + e[k + 1]
            found.append(h)
        return jnp.concatenate([inputs[:1] + added[:1], *found])

    def chain(w: Any, added: Any) -> Any:
        whole = (n - 1 - given) // 3 * 3  # functions go round in threes: sum, tanh, sigmoid
        functions = (lambda z: z, jnp.tanh, jax.nn.sigmoid)

        def unit(k: int, state: Any, w: Any, e: Any) -> Any:
            y = functions[(int(plan.ops[given + k]) + 1) // 2 - 1](w[0] * state[0] + w[1] * state[1]) + e
            return (y, state[0])

        def three(state: Any, parts: Any) -> Any:
            out = []
            for k in range(3):
                state = unit(k, state, parts[0][k], parts[1][k])
                out.append(state[0])
            return state, jnp.stack(out)

        two = inputs + added[:given]
        edges = w[:body].reshape(-1, 2)
        parts = edges[:whole].reshape(-1, 3, 2), added[given : given + whole].reshape(-1, 3)
        state, found = jax.lax.scan(three, (two[2], two[1]), parts)
        out = [two, found.reshape(-1)]
        for k in range(whole, n - 1 - given):
            state = unit(k, state, edges[k], added[given + k])
            out.append(state[0][None])
        return jnp.concatenate(out)

    steps = schedule(plan) if plan.kind == "irregular" else []

    def irregular(w: Any, added: Any) -> Any:
        x = jnp.zeros(n).at[:given].set(inputs + added[:given])
        for nodes, edge, source, op in steps:
            terms = w[edge] * x[source]
            half = edge.shape[1] // 2
            z = terms.sum(1)
            y = {
                SUM: lambda z=z: z, TANH: lambda z=z: jnp.tanh(z), EXP: lambda z=z: jnp.exp(z),
                SIGMOID: lambda z=z: jax.nn.sigmoid(z),
                PRODUCT: lambda t=terms, h=half: t[:, :h].sum(1) * t[:, h:].sum(1),
            }[op]()  # fmt: skip
            x = x.at[nodes].set(y + added[nodes], unique_indices=True)
        return x[:-1]

    units = {"layered": layered, "chain": chain, "irregular": irregular}[plan.kind]

    def loss(w: Any, added: Any) -> Any:
        x = units(w, added)
        value = (w[body:] @ x[plan.source[body:]]) ** 2 + added[-1]
        return value, jnp.append(x, value)

    function = jax.jit(jax.value_and_grad(loss, argnums=(0, 1), has_aux=True))

    def run() -> Any:
        (_, x), (slopes, adjoint) = jax.block_until_ready(function(weight, zero))
        return x, adjoint, slopes

    return run


def schedule(plan: Plan) -> list[tuple[Any, Any, Any, int]]:
    """Nodes of one level and one function, with their edges: what can be computed together."""
    level = np.zeros(len(plan.ops), int)
    starts = plan.start.astype(int)
    for i in range(plan.inputs.size, len(plan.ops) - 1):
        level[i] = level[plan.source[starts[i] : starts[i + 1]]].max() + 1
    found = []
    for k in range(1, level.max() + 1):
        for op in (SUM, PRODUCT, TANH, EXP, SIGMOID):
            nodes = np.flatnonzero((level == k) & (plan.ops == op))
            if len(nodes):
                edge = starts[nodes][:, None] + np.arange(8)
                found.append((nodes, edge, plan.source[edge], op))
    return found


# -- number by number ---------------------------------------------------------------------------------------------------


def written_out(plan: Plan, w: Any, x: list[Any], tanh: Any, exp: Any, *, node: Any = lambda i, y: y) -> list[Any]:
    """The network in whatever numbers `w` and `x` are."""
    ops, starts, source = plan.ops.tolist(), plan.start.tolist(), plan.source.tolist()

    def linear(a: int, b: int) -> Any:
        z = w[a] * x[source[a]]
        for e in range(a + 1, b):
            z = z + w[e] * x[source[e]]
        return z

    for i in range(len(x), len(ops)):
        a, b, op = starts[i], starts[i + 1], ops[i]
        if op == PRODUCT:
            y = linear(a, (a + b) // 2) * linear((a + b) // 2, b)
        else:
            z = linear(a, b)
            y = (
                tanh(z) if op == TANH else exp(z) if op == EXP else 1 / (1 + exp(-z)) if op == SIGMOID
                else z * z if op == SQUARE else z
            )  # fmt: skip
        x.append(node(i, y))
    return x


def by_casadi(plan: Plan) -> Run:
    import casadi

    given, weight = casadi.SX.sym("x", plan.inputs.size), casadi.SX.sym("w", plan.edges)
    extra = [casadi.SX.sym("e") for _ in range(len(plan.ops) - plan.inputs.size)]
    add = lambda i, y: y + extra[i - plan.inputs.size]  # noqa: E731 - what the derivative is taken by
    x = written_out(plan, casadi.vertsplit(weight), casadi.vertsplit(given), casadi.tanh, casadi.exp, node=add)
    by = casadi.vertcat(given, *extra, weight)
    function = casadi.Function("f", [by], [casadi.vertcat(*x), casadi.gradient(x[-1], by)])
    start = np.concatenate([plan.inputs, np.zeros(len(extra)), plan.weight])
    room = [np.zeros(len(plan.ops)), np.zeros(start.size)]
    memory, trigger = function.buffer()
    memory.set_arg(0, memoryview(start))
    memory.set_res(0, memoryview(room[0]))
    memory.set_res(1, memoryview(room[1]))

    def run(kept: Any = (memory, start)) -> Any:  # casadi looks at them
        trigger()
        return room[0], room[1][: len(plan.ops)], room[1][len(plan.ops) :]

    return run


def by_micrograd(plan: Plan) -> Run:
    """It knows neither tanh nor exp: each is added in its own style."""
    from micrograd.engine import Value

    def function(of: Callable[[float], float], slope: Callable[[float], float], name: str) -> Callable[[Any], Any]:
        def made(z: Any) -> Any:
            out = Value(of(z.data), (z,), name)

            def backward() -> None:
                z.grad += slope(out.data) * out.grad

            out._backward = backward  # noqa: SLF001 - as its own operations do
            return out

        return made

    tanh, exp = function(math.tanh, lambda y: 1 - y * y, "tanh"), function(math.exp, lambda y: y, "exp")
    weight, inputs = plan.weight.tolist(), plan.inputs.tolist()

    def pass_through() -> Any:
        w = [Value(v) for v in weight]
        x = written_out(plan, w, [Value(v) for v in inputs], tanh, exp)
        x[-1].backward()
        return [v.data for v in x], [v.grad for v in x], [v.grad for v in w]

    return (lambda: deeply(pass_through)) if plan.kind == "chain" or plan.edges > 300 else pass_through


def by_torch_scalars(plan: Plan) -> Run:
    import torch

    torch.set_num_threads(1)
    leaf = lambda v: torch.tensor(v, dtype=torch.float64, requires_grad=True)  # noqa: E731 - in torch's own words
    weight, inputs = [leaf(v) for v in plan.weight.tolist()], [leaf(v) for v in plan.inputs.tolist()]

    def node(_: int, y: Any) -> Any:
        y.retain_grad()
        return y

    def run() -> Any:
        for part in (*weight, *inputs):
            part.grad = None
        x = written_out(plan, weight, list(inputs), torch.tanh, torch.exp, node=node)
        x[-1].backward()
        return x, [v.grad for v in x], [v.grad for v in weight]

    return run


def by_autograd(plan: Plan) -> Run:
    """Numbers are parts of one array, as this is the fastest way to many of them."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    inputs, kept = plan.inputs.tolist(), []
    start = np.concatenate([plan.weight, np.zeros(len(plan.ops))])

    def loss(numbers: Any) -> Any:
        w, added = [numbers[e] for e in range(plan.edges)], [numbers[plan.edges + i] for i in range(len(plan.ops))]
        first = [v + e for v, e in zip(inputs, added, strict=False)]
        x = written_out(plan, w, first, anp.tanh, anp.exp, node=lambda i, y: y + added[i])
        kept[:] = [getattr(v, "_value", v) for v in x]
        return x[-1]

    both = value_and_grad(loss)

    def run() -> Any:
        slopes = deeply(lambda: both(start))[1]
        return list(kept), slopes[plan.edges :], slopes[: plan.edges]

    return run


# -- the benchmark ------------------------------------------------------------------------------------------------------

CONTENDERS: dict[str, tuple[str, Callable[[Plan], Run], tuple[str, ...]]] = {
    "numpy": ("numpy", by_numpy, ("layered",)),
    "torch": ("torch", by_torch, ("layered",)),
    "jax": ("jax", by_jax, ("layered", "irregular", "chain")),
    "casadi": ("casadi", by_casadi, ("layered", "irregular", "chain")),
    "micrograd": ("micrograd", by_micrograd, ("layered", "irregular", "chain")),
    "torch scalars": ("torch", by_torch_scalars, ("layered", "irregular", "chain")),
    "autograd": ("autograd", by_autograd, ("layered", "irregular", "chain")),
}


def main(*, full: bool) -> None:
    if not installed("numba"):
        skipped("the tape: numba")
        return
    for name in sorted({package for package, _, _ in CONTENDERS.values() if not installed(package)}):
        skipped(name)
    title("scalar networks from arrays: ns an edge, forward + backward (processor time, medians)")
    library = in_c()
    sizes = [100, 1_000, 10_000, 100_000, 1_000_000, *([10_000_000] if full else [])]
    rows = [row(kind, edges, library, full) for kind in ("layered", "irregular", "chain") for edges in sizes]
    names = ["tape", "by rule", "C", "C matrices", *CONTENDERS]
    shown = [n for n in names if any(n in r for r in rows)]
    header = ["", "edges", "build", "bytes", *shown, "tape/C", "best other/tape"]
    table(header, (
        (
            r["kind"], r["edges"], r["build"], r["bytes"], *(r.get(n, math.nan) for n in shown),
            r["tape"] / min(r.get("C", math.nan), r.get("C matrices", math.inf)),
            min((r[n] for n in CONTENDERS if n in r), default=math.nan) / r["tape"],
        )
        for r in rows
    ))  # fmt: skip
    save("scalars", {"scalars": rows})


def row(kind: str, edges: int, library: Any, full: bool) -> dict[str, Any]:
    from backhand.engines.tape import network

    plan = Plan(kind, edges)
    network(plan.ops, plan.start, plan.source, plan.weight, plan.inputs)
    begun = time.process_time()
    net = network(plan.ops, plan.start, plan.source, plan.weight, plan.inputs)
    build = (time.process_time() - begun) / plan.edges * 1e9
    runs: dict[str, Run] = {"tape": lambda: (net.run(expand=True), (net.values, net.adjoints, net.slopes()))[1]}
    if library is not None:
        runs["C"] = by_c(plan, library)
        if kind == "layered":
            runs["C matrices"] = by_c_matrices(plan, library)
    for name, (package, made, kinds) in CONTENDERS.items():
        limit = LIMITS.get(f"{name} {kind}", LIMITS.get(name, (10**9, 10**9)))[full]
        if kind in kinds and installed(package) and edges <= limit:
            runs[name] = made(plan)
    expected = [part.copy() for part in runs["tape"]()]
    for name, run in runs.items():
        for part, (mine, theirs) in enumerate(zip(run(), expected, strict=True)):
            close(f"{kind}, {edges} edges, {name}, {('values', 'adjoints', 'slopes')[part]}", flat(mine), theirs)
    runs["by rule"] = net.run
    repeat = max(1, 1_000_000 // plan.edges)  # so that caches are as warm as the size allows
    slow = {"jax", "micrograd", "torch scalars", "autograd"}
    often = {n: repeat if n not in slow else max(1, 2_000 // plan.edges) for n in runs}
    seconds = interleaved({n: repeated(r, often[n]) for n, r in runs.items()}, rounds=7, budget=1.0, once=20.0)
    found = {n: s / often[n] / plan.edges * 1e9 for n, s in seconds.items()}
    del runs, expected
    held = memory(kind, edges) if edges >= 1_000_000 else math.nan
    line = ", ".join(f"{n} {v:.3g}" for n, v in found.items())
    print(f"  {kind} {plan.edges}: {line}", flush=True)
    return {"kind": kind, "edges": plan.edges, "build": build, "bytes": held, **found}


def flat(part: Any) -> Any:
    """Numbers, or tensors of any shapes one after another, as one array."""
    if isinstance(part, list) and any(hasattr(p, "detach") for p in part):
        return np.concatenate([np.asarray(p.detach() if hasattr(p, "detach") else p, float).reshape(-1) for p in part])
    return part


def memory(kind: str, edges: int) -> float:
    """Bytes an edge at the peak, of a process of its own; the plan's arrays belong to it."""
    done = subprocess.run(
        [sys.executable, __file__, kind, str(edges)], env=environment(), capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def held(kind: str, edges: int) -> float:
    from backhand.engines.tape import network

    small = Plan(kind, 1000)
    network(small.ops, small.start, small.source, small.weight, small.inputs).run(expand=True)
    before = peak()
    plan = Plan(kind, edges)
    network(plan.ops, plan.start, plan.source, plan.weight, plan.inputs).run(expand=True).slopes()
    return (peak() - before) * 2**20 / plan.edges


if __name__ == "__main__":
    print(held(sys.argv[1], int(sys.argv[2])))
