"""Engines against what people use instead, side by side: the same numbers first, then times and ratios.

    scalars    every value and derivative of scalar networks from arrays, layered, irregular and chain: the tape against a plain
               loop in C (the estimate of what is possible), casadi, torch and NumPy by layer, micrograd, jax by layer
    points     the network of examples/q3.bh over many points: loop, NumPy in blocks, by hand in NumPy, jax, casadi, drjit
    step       a step of 784-512-512-10 on a batch of 256, against NumPy by hand, jax, torch
    pairs      every derivative of every node by every node of a tanh network, by rule and written out, against jax.jacrev

Lost cells are printed like the others. A contender that is not installed is left out, with a word.
"""

from __future__ import annotations

import ctypes
import math
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from common import ROOT, Different, installed, interleaved, peak, save, skipped, table, title

Run = Callable[[], Any]
CASADI = 10_000
"""Edges up to which casadi takes part: it builds for seconds from there on, and for a minute at a million."""
SUM, SQUARE, TANH, EXP, SIGMOID, PRODUCT = 1, 2, 3, 4, 5, 30


def main(*, full: bool) -> None:
    found: dict[str, Any] = {}
    if installed("numba"):
        found["scalars"] = scalars(full=full)
    else:
        skipped("tape and points: numba")
    found["points"] = points(full=full)
    found["step"] = step()
    if installed("numba"):
        found["pairs"] = pairs()
    save("engines", found)


def close(name: str, found: Any, expected: Any, tolerance: float = 1e-9) -> None:
    """As `common.same`, for arrays."""
    one, other = np.asarray(found, float).reshape(-1), np.asarray(expected, float).reshape(-1)
    if one.shape != other.shape:
        raise Different(f"{name}: {one.size} numbers instead of {other.size}")
    floor = 1e-3 * float(np.max(np.abs(other), initial=0.0))
    worst = float(np.max(np.abs(one - other) / np.maximum(np.maximum(np.abs(other), floor), 1e-300), initial=0.0))
    if not worst <= tolerance:
        raise Different(f"{name}: differs by {worst:.2e}, more than {tolerance:.0e}")


def aligned(count: int) -> Any:
    whole = np.zeros(count + 8)
    return whole[(-whole.ctypes.data // 8) % 8 :][:count]


# -- scalar networks ----------------------------------------------------------------------------------------------------


class Plan:
    """A network as arrays; node 0 is 1."""

    def __init__(self, kind: str, edges: int) -> None:
        lot = np.random.default_rng(7)
        self.kind, self.width = kind, 0
        if kind == "layered":
            m = self.width = max(3, round(math.sqrt(edges / 10)))
            ops = np.full(m * 11, TANH, np.uint8)
            ops[:m] = 0
            degree = np.full(m * 11, m)
            degree[:m] = 0
            source = np.concatenate([np.tile(np.arange(k * m, (k + 1) * m), m) for k in range(10)])
            weight = lot.uniform(-1, 1, source.size) * (1.7 / math.sqrt(m))
            last = np.arange(10 * m, 11 * m)
        elif kind == "irregular":
            n = max(24, edges // 8)
            given = max(8, n // 16)
            ops = np.array([SUM, PRODUCT, TANH, EXP, SIGMOID], np.uint8)[lot.integers(0, 5, n)]
            ops[:given] = 0
            degree = np.full(n, 8)
            degree[:given] = 0
            reader = np.arange(given, n)
            source = (lot.random((reader.size, 8)) * reader[:, None]).astype(np.int64).reshape(-1)
            weight = lot.uniform(-1, 1, source.size) * 0.375
            last = np.setdiff1d(np.arange(n), source)
        else:
            n = edges // 2 + 2
            ops = np.array([SUM, TANH, SIGMOID], np.uint8)[np.arange(n) % 3]
            ops[:2] = 0
            degree = np.full(n, 2)
            degree[:2] = 0
            reader = np.arange(2, n)
            source = np.stack([reader - 1, reader - 2], 1).reshape(-1)
            weight = lot.uniform(0.6, 1.1, source.size)
            last = np.array([n - 1])
        # node 0 is put in front, and L = (sum of what is left - 3)^2 behind
        self.ops = np.concatenate([[0], ops, [SQUARE]]).astype(np.uint8)
        self.source = np.concatenate([source + 1, last + 1, [0]]).astype(np.uint32)
        self.weight = np.concatenate([weight, lot.uniform(-1, 1, last.size) / math.sqrt(last.size), [-3.0]])
        self.start = np.concatenate([[0, 0], np.cumsum([*degree, last.size + 1])]).astype(np.uint64)
        self.inputs = np.concatenate([[1.0], lot.uniform(-1, 1, int(np.sum(ops == 0)))])

    @property
    def edges(self) -> int:
        return len(self.source)


C = r"""
#include <math.h>
#include <stdint.h>
#include <string.h>
void tape(uint64_t n, const uint8_t *op, const uint64_t *ptr, const uint32_t *src, const double *w, double *x, double *aux,
          double *adj, double *dw) {
  for (uint64_t i = 0; i < n; i++) { if (!op[i]) continue; uint64_t a = ptr[i], b = ptr[i+1]; double z = 0;
    if (op[i] == 30) { uint64_t m = (a+b)/2; double t = 0; for (uint64_t e = a; e < m; e++) z += w[e]*x[src[e]];
      for (uint64_t e = m; e < b; e++) t += w[e]*x[src[e]]; aux[2*i] = z; aux[2*i+1] = t; x[i] = z*t; continue; }
    for (uint64_t e = a; e < b; e++) z += w[e]*x[src[e]];
    switch (op[i]) { case 1: x[i] = z; break; case 3: x[i] = tanh(z); break; case 4: x[i] = exp(z); break;
      case 5: x[i] = 1/(1+exp(-z)); break; case 2: aux[2*i] = z; x[i] = z*z; } }
  memset(adj, 0, n*8); adj[n-1] = 1;
  for (uint64_t i = n; i-- > 0;) { if (!op[i]) continue; double g = adj[i], h = g; uint64_t a = ptr[i], b = ptr[i+1], m = b;
    switch (op[i]) { case 30: m = (a+b)/2; g = adj[i]*aux[2*i+1]; h = adj[i]*aux[2*i]; break; case 3: g *= 1-x[i]*x[i]; break;
      case 4: g *= x[i]; break; case 5: g *= x[i]*(1-x[i]); break; case 2: g *= 2*aux[2*i]; }
    for (uint64_t e = a; e < m; e++) { uint32_t s = src[e]; dw[e] = g*x[s]; adj[s] += g*w[e]; }
    for (uint64_t e = m; e < b; e++) { uint32_t s = src[e]; dw[e] = h*x[s]; adj[s] += h*w[e]; } } }
"""


def in_c() -> Any:
    """The plain loop, compiled as hard as the compiler can; None without one."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        skipped("C", "no compiler")
        return None
    folder = Path(tempfile.mkdtemp())
    (folder / "tape.c").write_text(C, "ascii")
    options = ["-O3", "-march=native", "-ffast-math", "-shared", "-fPIC"]
    subprocess.run([compiler, *options, "tape.c", "-o", "tape.so", "-lm"], cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "tape.so"))


def by_c(plan: Plan, library: Any) -> Run:
    n = len(plan.ops)
    x, aux, adjoint, slopes = np.zeros(n), np.zeros(2 * n), np.zeros(n), np.zeros(plan.edges)
    x[: plan.inputs.size] = plan.inputs
    arrays = [plan.ops, plan.start, plan.source, plan.weight, x, aux, adjoint, slopes]
    args = [ctypes.c_uint64(n), *(ctypes.c_void_p(a.ctypes.data) for a in arrays)]

    def run(kept: Any = arrays) -> Any:  # C looks at them
        library.tape(*args)
        return x, adjoint, slopes

    return run


def by_layer(plan: Plan) -> Run:
    """NumPy, a layer at a time."""
    m = plan.width
    W = plan.weight[: 10 * m * m].reshape(10, m, m)
    v = plan.weight[10 * m * m :]
    x, adjoint, slopes = np.zeros(len(plan.ops)), np.zeros(len(plan.ops)), np.zeros(plan.edges)
    x[: m + 1] = plan.inputs
    X, A = x[1:-1].reshape(11, m), adjoint[1:-1].reshape(11, m)
    dW = slopes[: 10 * m * m].reshape(10, m, m)

    def run() -> Any:
        for k in range(10):
            np.tanh(W[k] @ X[k], out=X[k + 1])
        z = v[:-1] @ X[10] + v[-1]
        x[-1], adjoint[-1] = z * z, 1
        A[10], adjoint[0] = 2 * z * v[:-1], 2 * z * v[-1]
        slopes[10 * m * m : -1], slopes[-1] = 2 * z * X[10], 2 * z
        for k in range(9, -1, -1):
            g = A[k + 1] * (1 - X[k + 1] ** 2)
            np.multiply(g[:, None], X[k], out=dW[k])
            np.matmul(g, W[k], out=A[k])
        return x, adjoint, slopes

    return run


def by_torch(plan: Plan) -> Run:
    import torch

    torch.set_num_threads(1)
    m = plan.width
    W = torch.tensor(plan.weight[: 10 * m * m].reshape(10, m, m), requires_grad=True)
    v = torch.tensor(plan.weight[10 * m * m :], requires_grad=True)
    first = torch.tensor(plan.inputs[1:], requires_grad=True)

    def run() -> Any:
        W.grad = v.grad = first.grad = None
        layers = [first]
        for k in range(10):
            layers.append(torch.tanh(W[k] @ layers[-1]))
            layers[-1].retain_grad()
        z = v[:-1] @ layers[-1] + v[-1]
        (z * z).backward()
        return np.concatenate([W.grad.numpy().reshape(-1), v.grad.numpy()])

    return run


def by_casadi(plan: Plan) -> Run:
    import casadi

    given, weight = casadi.SX.sym("x", plan.inputs.size), casadi.SX.sym("w", plan.edges)
    x, w = casadi.vertsplit(given), casadi.vertsplit(weight)
    extra = []
    for i in range(plan.inputs.size, len(plan.ops)):
        a, b, op = int(plan.start[i]), int(plan.start[i + 1]), int(plan.ops[i])
        terms = [w[e] * x[int(plan.source[e])] for e in range(a, b)]
        add = lambda part: sum(part[1:], part[0])  # noqa: E731 - a fold in a word
        z = add(terms) if op != PRODUCT else add(terms[: len(terms) // 2]) * add(terms[len(terms) // 2 :])
        y = (
            casadi.tanh(z)
            if op == TANH
            else casadi.exp(z)
            if op == EXP
            else 1 / (1 + casadi.exp(-z))
            if op == SIGMOID
            else z
        )
        e = casadi.SX.sym("e")
        extra.append(e)
        x.append((y * y if op == SQUARE else y) + e)
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


def scalars(*, full: bool) -> list[dict[str, Any]]:
    from backhand.engines.tape import network

    title("engines, scalar networks from arrays: ns an edge, forward + backward (processor time, medians)")
    library = in_c()
    rows: list[dict[str, Any]] = []
    for kind in ("layered", "irregular", "chain"):
        for edges in (100, 1_000, 10_000, 100_000, 1_000_000, *([10_000_000] if full else [])):
            plan = Plan(kind, edges)
            network(plan.ops, plan.start, plan.source, plan.weight, plan.inputs)
            begun = time.process_time()
            net = network(plan.ops, plan.start, plan.source, plan.weight, plan.inputs)
            build = (time.process_time() - begun) / plan.edges * 1e9
            runs: dict[str, Run] = {
                "tape": lambda net=net: (net.run(expand=True), (net.values, net.adjoints, net.slopes()))[1]
            }
            if library is not None:
                runs["C"] = by_c(plan, library)
            if kind == "layered":
                runs["numpy"] = by_layer(plan)
                if installed("torch"):
                    runs["torch"] = by_torch(plan)
            if installed("casadi") and edges <= CASADI:
                runs["casadi"] = by_casadi(plan)
            expected = [part.copy() for part in runs["tape"]()]
            for name, run in runs.items():
                got = run()
                if name == "torch":
                    close(f"{kind}, {name}", got, expected[2])
                else:
                    for mine, theirs in zip(got, expected, strict=True):
                        close(f"{kind}, {name}", mine, theirs)
            runs["by rule"] = net.run
            repeat = max(1, 100_000 // plan.edges)
            seconds = interleaved({n: repeated(r, repeat) for n, r in runs.items()}, rounds=5, budget=0.6, once=20.0)
            row = {n: s / repeat / plan.edges * 1e9 for n, s in seconds.items()}
            rows.append({"kind": kind, "edges": plan.edges, "build": build, **row})
            del net, runs, expected
    names = ["tape", "by rule", "C", "numpy", "torch", "casadi"]
    header = ["", "edges", "build", *names, "tape/C", "best other/tape"]
    table(header, (
        (
            r["kind"], r["edges"], r["build"], *(r.get(n, math.nan) for n in names), r["tape"] / r.get("C", math.nan),
            min((r[n] for n in ("numpy", "torch", "casadi") if n in r), default=math.nan) / r["tape"],
        )
        for r in rows
    ))  # fmt: skip
    print(f"  peak of this process: {peak():.0f} MiB")
    return rows


def repeated(run: Run, count: int) -> Run:
    def many() -> None:
        for _ in range(count):
            run()

    return many


# -- many points --------------------------------------------------------------------------------------------------------


def points(*, full: bool) -> list[dict[str, Any]]:
    import backhand
    from backhand.engines import compile as compiled

    title("engines, the network of examples/q3.bh: ns a point, all values and derivatives (processor time, medians)")
    graph = backhand.read(str(ROOT / "examples" / "q3.bh"))
    given = [q.name for q in graph.quantities if not q.computed and q.kind != "target"]
    functions = {"numpy": compiled(graph, "numpy")}
    if installed("numba"):
        functions = {"points": compiled(graph, "points"), **functions}
    derivatives = [name for name in graph.index if name not in ("t", "L")]
    rows = []
    for count in (1_000, 10_000, 100_000, 1_000_000, *([10_000_000] if full else [])):
        lot = np.random.default_rng(0)
        x = {name: lot.normal(size=count) for name in given}
        runs: dict[str, Run] = {name: lambda f=f, x=x: f(x) for name, f in functions.items()}
        if installed("jax"):
            runs["jax"] = jax_points(given, [x[name] for name in given])
        if installed("drjit"):
            skipped("drjit", "not measured here")
        found = {name: run() for name, run in runs.items()}
        for name, result in found.items():
            for place, by in enumerate(given):
                mine = result[1][place] if name == "jax" else result.derivatives[by]
                close(f"{name}, dL/d{by}", mine, found["numpy"].derivatives[by])
        del found
        seconds = interleaved(runs, rounds=5, budget=1.0)
        rows.append({"points": count, **{f"{n} ns": s / count * 1e9 for n, s in seconds.items()}})
    print(f"  {len(derivatives)} derivatives and the values a point; jax those by {len(given)} given numbers, and L")
    none = math.nan
    table(["points", "loop", "numpy", "jax", "jax/loop"], (
        (
            r["points"], *(r.get(f"{n} ns", none) for n in ("points", "numpy", "jax")),
            r.get("jax ns", none) / r.get("points ns", none),
        )
        for r in rows
    ))  # fmt: skip
    return rows


def jax_points(names: list[str], columns: list[Any]) -> Run:
    import jax

    jax.config.update("jax_enable_x64", True)

    def loss(*numbers: Any) -> Any:
        q = dict(zip(names, numbers, strict=True))
        w = lambda a, b: q[f"w[{a},{b}]"]  # noqa: E731 - as on paper
        b1 = w("A1", "B1") * q["A1"] + w("A2", "B1") * q["A2"]
        b2 = w("A1", "B2") * q["A1"] + w("A2", "B2") * q["A2"]
        c1 = w("B1", "C1") * b1 + w("B2", "C1") * b2
        c2 = w("B1", "C2") * b1 + w("B2", "C2") * b2
        return (w("C1", "D") * c1 + w("C2", "D") * c2 - 3.0) ** 2

    function = jax.jit(jax.vmap(jax.value_and_grad(loss, argnums=tuple(range(len(names))))))
    return lambda: jax.block_until_ready(function(*columns))


# -- a training step ----------------------------------------------------------------------------------------------------


def step() -> dict[str, float]:
    import arrays as layers

    from backhand.engines import compile as compiled

    title("engines, 784-512-512-10, batch 256: milliseconds a step (processor time, medians)")
    given = layers.drawn(layers.BATCH)
    graph = layers.graph_of(given)
    weights = [name for name in given if name[0] in "Wb"]
    asked = compiled(graph, "numpy", wrt=weights, keep="asked")
    everything = compiled(graph, "numpy")
    values, slopes = layers.by_hand(given)
    for name in weights:
        close(name, asked().derivatives[name], slopes[name])
    for name, value in values.items():
        close(name, everything().values[name], value)
    runs: dict[str, Run] = {
        "weights asked": asked, "everything": everything, "by hand": lambda: layers.by_hand(given), "jax": jax_step(given, weights)
    }  # fmt: skip
    for name, mine in zip(weights, runs["jax"]()[1], strict=True):
        close(f"jax, {name}", mine, slopes[name])
    seconds = interleaved(runs, rounds=7, clock=time.perf_counter)
    found = {name: taken * 1000 for name, taken in seconds.items()}
    table([*found, "asked/jax", "everything/by hand"], [
        (*found.values(), found["weights asked"] / found["jax"], found["everything"] / found["by hand"])
    ])  # fmt: skip
    return found


def jax_step(given: dict[str, Any], weights: list[str]) -> Run:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    x, t = jnp.asarray(given["x"]), jnp.asarray(given["t"].astype(int))

    def loss(parameters: Any) -> Any:
        q = dict(zip(weights, parameters, strict=True))
        h = jax.nn.relu(x @ q["W1"] + q["b1"])
        h = jax.nn.relu(h @ q["W2"] + q["b2"])
        z = h @ q["W3"] + q["b3"]
        return jnp.mean(jax.nn.logsumexp(z, 1) - z[jnp.arange(len(t)), t])

    function = jax.jit(jax.value_and_grad(loss))
    parameters = [jnp.asarray(given[name]) for name in weights]
    return lambda: jax.block_until_ready(function(parameters))


# -- all pairs ----------------------------------------------------------------------------------------------------------


def pairs() -> dict[str, float]:
    from backhand.engines.tape import network

    title("engines, all pairs of a tanh network of 1,000 nodes, 90,000 weights: milliseconds (processor time, medians)")
    lot = np.random.default_rng(5)
    m, layers = 100, 9
    W = lot.uniform(-1, 1, (layers, m, m)) * 1.7 / math.sqrt(m)
    first = lot.uniform(-1, 1, m)
    count = m * (layers + 1)
    ops = np.full(count, TANH, np.uint8)
    ops[:m] = 0
    degree = np.full(count, m)
    degree[:m] = 0
    source = np.concatenate([np.tile(np.arange(k * m, (k + 1) * m), m) for k in range(layers)]).astype(np.uint32)
    net = network(ops, np.concatenate([[0], np.cumsum(degree)]).astype(np.uint64), source, W.reshape(-1), first)
    runs: dict[str, Run] = {"by rule": net.pairs, "expanded": lambda: net.pairs().weights()}
    if installed("jax"):
        runs |= jax_pairs(W, first)
        close("nodes", runs["jax nodes"](), net.pairs().nodes)
        close("weights", runs["jax expanded"]()[1], net.pairs().weights())
    seconds = interleaved(runs, rounds=3, budget=6.0)
    found = {name: taken * 1000 for name, taken in seconds.items()}
    none = math.nan
    table([*found, "nodes: jax/ours", "expanded: jax/ours"], [
        (
            *found.values(), found.get("jax nodes", none) / found["by rule"], found.get("jax expanded", none) / found["expanded"],
        )
    ])  # fmt: skip
    return found


def jax_pairs(W: Any, first: Any) -> dict[str, Run]:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    layers, m = len(W), len(first)
    weights, zero = jnp.asarray(W), jnp.zeros((layers + 1, m))
    count = m * (layers + 1)

    def nodes(added: Any, weight: Any) -> Any:
        h = first + added[0]
        found = [h]
        for k in range(layers):
            h = jnp.tanh(weight[k] @ h) + added[k + 1]
            found.append(h)
        return jnp.concatenate(found)

    alone = jax.jit(jax.jacrev(nodes))
    both = jax.jit(jax.jacrev(nodes, argnums=(0, 1)))
    return {
        "jax nodes": lambda: jax.block_until_ready(alone(zero, weights)).reshape(count, count),
        "jax expanded": lambda: [part.reshape(count, -1) for part in jax.block_until_ready(both(zero, weights))],
    }
