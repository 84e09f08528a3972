"""Engines against what people use instead, side by side: the same numbers first, then times and ratios.

    points     the network of examples/q3.bh over many points: compiled loop, NumPy in blocks, by hand in NumPy, drjit with its
               own derivatives and with those of a hand, jax, torch, autograd, casadi
    step       a step of 784-512-512-10 on a batch of 256, in both precisions, against NumPy by hand, jax, torch
    pairs      every derivative of every node by every node of a tanh network, by rule and written out, against jax.jacrev

Lost cells are printed like the others. A contender that is not installed is left out, with a word.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from common import ROOT, Different, close, installed, interleaved, repeated, save, skipped, table, title

Run = Callable[[], Any]
TANH = 3


def main(*, full: bool) -> None:
    found: dict[str, Any] = {}
    found["points"] = points(full=full)
    found["step"] = step()
    if installed("numba"):
        found["pairs"] = pairs()
    save("engines", found)


# -- many points --------------------------------------------------------------------------------------------------------

Column = dict[str, Any]
AMONG = ["B1", "B2", "C1", "C2", "D"]
"""The computed quantities of the page that derivatives are asked by, besides the twelve that are given."""
STEPS = 5
SLOW = 1_000_000
"""Points up to which the slow ones take part."""


def on_paper(q: Column, added: Column | None = None) -> Column:
    """The network of the page, on whatever can be added and multiplied; `added` is put on top of what is computed."""
    more = (lambda name, value: value) if added is None else (lambda name, value: value + added[name])
    w = lambda a, b: q[f"w[{a},{b}]"]  # noqa: E731 - as on paper
    found = {name: more(name, w("A1", name) * q["A1"] + w("A2", name) * q["A2"]) for name in ("B1", "B2")}
    found |= {name: more(name, w("B1", name) * found["B1"] + w("B2", name) * found["B2"]) for name in ("C1", "C2")}
    found["D"] = more("D", w("C1", "D") * found["C1"] + w("C2", "D") * found["C2"])
    return found | {"L": (found["D"] - 3.0) * (found["D"] - 3.0)}


def backward_on_paper(q: Column) -> list[Any]:
    """L and the 17 derivatives, as one writes them down."""
    v = on_paper(q)
    w = lambda a, b: q[f"w[{a},{b}]"]  # noqa: E731 - as on paper
    d = {"D": 2 * (v["D"] - 3.0)}
    for name in ("C1", "C2"):
        d[f"w[{name},D]"], d[name] = d["D"] * v[name], d["D"] * w(name, "D")
    for name in ("B1", "B2"):
        d[name] = d["C1"] * w(name, "C1") + d["C2"] * w(name, "C2")
        d |= {f"w[{name},{to}]": d[to] * v[name] for to in ("C1", "C2")}
    for name in ("A1", "A2"):
        d[name] = d["B1"] * w(name, "B1") + d["B2"] * w(name, "B2")
        d |= {f"w[{name},{to}]": d[to] * q[name] for to in ("B1", "B2")}
    return [v["L"], *(d[name] for name in (*q, *AMONG))]


def points(*, full: bool) -> list[dict[str, Any]]:
    import backhand
    from backhand.engines import compile as compiled

    title("engines, the network of examples/q3.bh: ns a point, L and all 17 derivatives (processor time, medians)")
    graph = backhand.read(str(ROOT / "examples" / "q3.bh"))
    given = [q.name for q in graph.quantities if not q.computed and q.kind != "target"]
    asked = [*given, *AMONG]
    ours = {"numpy": compiled(graph, "numpy", wrt=asked, keep="asked")}
    if installed("numba"):
        ours = {"points": compiled(graph, "points", wrt=asked, keep="asked"), **ours}
    peers: dict[str, Callable[[Column], Run]] = {"drjit": drjit_points, "jax": jax_points, "torch": torch_points}
    peers |= {"autograd": autograd_points, "casadi": casadi_points}
    for name in [name for name in peers if not installed(name)]:
        skipped(name)
        del peers[name]
    if "drjit" in peers and not llvm():
        skipped("drjit", "no library of LLVM (Debian: libllvm15; DRJIT_LIBLLVM_PATH says where one is)")
        del peers["drjit"]
    if "drjit" in peers:
        peers = {"drjit": drjit_points, "drjit by hand": drjit_by_hand, **peers}
    rows: list[dict[str, Any]] = []
    for count in (1_000, 10_000, 100_000, 1_000_000, *([10_000_000] if full else [])):
        lot = np.random.default_rng(0)
        x = {name: lot.normal(size=count) for name in given}
        runs: dict[str, Run] = {name: lambda f=f, x=x: f(x) for name, f in ours.items()}
        runs["by hand"] = lambda x=x: backward_on_paper(x)
        slow = ("autograd", "casadi") if count > SLOW else ()
        runs |= {name: made(x) for name, made in peers.items() if name not in slow}
        expected = [np.array(part) for part in backward_on_paper(x)]
        for name, run in runs.items():
            found = run()
            if name in ours:
                found = [found.values["L"], *(found.derivatives[by] for by in asked)]
            for by, mine, right in zip(("L", *asked), found, expected, strict=True):
                if mine is not None:
                    close(f"{name}, {by}", mine, right, 1e-7)
            del found
        del expected
        repeat = max(1, 300_000 // count)
        seconds = interleaved({n: repeated(r, repeat) for n, r in runs.items()}, rounds=9, budget=1.0)
        rows.append({"N": count, **{n: s / repeat / count * 1e9 for n, s in seconds.items()}})
    names = [*ours, "by hand", *peers]
    best = lambda row: min((row[n] for n in peers if n in row and "hand" not in n), default=math.nan)  # noqa: E731 - a word
    table(["N", *names, "best peer/points"], (
        (r["N"], *(r.get(n, math.nan) for n in names), best(r) / r.get("points", math.nan)) for r in rows
    ))  # fmt: skip
    print("  autograd: derivatives alone, without L, by the 12 given numbers alone")
    return rows


def llvm() -> bool:
    """Whether drjit finds what it compiles with."""
    import drjit

    return drjit.has_backend(drjit.JitBackend.LLVM)


def drjit_points(x: Column) -> Run:
    """Its own derivatives."""
    import drjit
    from drjit.llvm.ad import Float64

    drjit.set_thread_count(0)
    columns = {name: Float64(column) for name, column in x.items()}

    def run() -> Any:
        q = {name: Float64(column) for name, column in columns.items()}
        for column in q.values():
            drjit.enable_grad(column)
        v = on_paper(q)
        drjit.backward(v["L"], flags=drjit.ADFlag.ClearNone)
        found = [v["L"], *(drjit.grad(each) for each in (*q.values(), *(v[name] for name in AMONG)))]
        drjit.eval(*found)
        drjit.sync_thread()
        return found

    return run


def drjit_by_hand(x: Column) -> Run:
    """Derivatives as one writes them down, compiled by drjit."""
    import drjit
    from drjit.llvm import Float64

    drjit.set_thread_count(0)
    columns = {name: Float64(column) for name, column in x.items()}

    def run() -> Any:
        found = backward_on_paper(columns)
        drjit.eval(*found)
        drjit.sync_thread()
        return found

    return run


def jax_points(x: Column) -> Run:
    """Each number its own argument: from one array of all it takes two to a hundred times as long."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def loss(given: list[Any], added: list[Any]) -> Any:
        return on_paper(dict(zip(x, given, strict=True)), dict(zip(AMONG, added, strict=True)))["L"]

    function = jax.jit(jax.vmap(jax.value_and_grad(loss, argnums=(0, 1)), in_axes=(0, None)))
    columns, zeros = [jnp.asarray(column) for column in x.values()], [0.0] * len(AMONG)

    def run() -> Any:
        L, (by_given, by_computed) = jax.block_until_ready(function(columns, zeros))
        return [L, *by_given, *by_computed]

    return run


def torch_points(x: Column) -> Run:
    """Whole columns."""
    import torch

    torch.set_num_threads(1)
    q = {name: torch.from_numpy(column).requires_grad_() for name, column in x.items()}

    def run() -> Any:
        for column in q.values():
            column.grad = None
        v = on_paper(q)
        for name in AMONG:
            v[name].retain_grad()
        v["L"].sum().backward()
        return [v["L"].detach(), *(column.grad for column in q.values()), *(v[name].grad for name in AMONG)]

    return run


def autograd_points(x: Column) -> Run:
    """Whole columns."""
    import autograd
    import autograd.numpy as anp

    gradient = autograd.grad(lambda given: anp.sum(on_paper(dict(zip(x, given, strict=True)))["L"]))
    columns = tuple(x.values())
    return lambda: [None, *gradient(columns), *[None] * len(AMONG)]


def casadi_points(x: Column) -> Run:
    """A map over the points, each a column of a matrix."""
    import casadi

    given, added = casadi.SX.sym("x", len(x)), casadi.SX.sym("e", len(AMONG))
    L = on_paper(
        dict(zip(x, casadi.vertsplit(given), strict=True)), dict(zip(AMONG, casadi.vertsplit(added), strict=True))
    )["L"]
    by = casadi.vertcat(given, added)
    found = casadi.substitute(casadi.vertcat(L, casadi.gradient(L, by)), added, 0)
    count = len(next(iter(x.values())))
    function = casadi.Function("f", [given], [found]).map(count)
    memory, trigger = function.buffer()
    start, room = np.ascontiguousarray(np.array(list(x.values())).T), np.zeros((count, 1 + by.numel()))
    memory.set_arg(0, memoryview(start.reshape(-1)))
    memory.set_res(0, memoryview(room.reshape(-1)))

    def run(kept: Any = (memory, start)) -> Any:  # casadi looks at them
        trigger()
        return list(room.T)

    return run


# -- a training step ----------------------------------------------------------------------------------------------------


def step() -> dict[str, Any]:
    import arrays as layers

    from backhand.engines import compile as compiled

    title("engines, a step of 784-512-512-10, batch 256: milliseconds (wall clock, medians)")
    drawn = layers.drawn(layers.BATCH)
    weights = [name for name in drawn if name[0] in "Wb"]
    graph = layers.graph_of(drawn)
    everything = compiled(graph, "numpy")
    values, slopes = layers.by_hand(drawn)
    for name, value in values.items():
        close(name, everything().values[name], value)
    for name, slope in slopes.items():
        close(f"dL/d{name}", everything().derivatives[name], slope)
    rows: dict[str, Any] = {}
    for dtype, tolerance in (("float32", 1e-3), ("float64", 1e-9)):
        given = {name: array.astype(dtype) for name, array in drawn.items()}
        asked = compiled(graph, "numpy", wrt=weights, keep="asked", dtype=dtype)
        all_kept = compiled(graph, "numpy", dtype=dtype)
        runs: dict[str, Run] = {
            "weights asked": lambda f=asked, given=given: list(map(f(given).derivatives.__getitem__, weights)),
            "all kept": lambda f=all_kept, given=given: list(map(f(given).derivatives.__getitem__, weights)),
            "by hand": lambda given=given: list(map(layers.by_hand(given)[1].__getitem__, weights)),
            "by hand, memory kept": by_hand_in_place(given, weights),
        }
        for name, made in (("jax", jax_step), ("torch", torch_step)):
            if installed(name):
                runs[name] = made(given, weights)
            else:
                skipped(name)
        for contender, run in runs.items():
            for name, mine in zip(weights, run(), strict=True):
                if np.asarray(mine).dtype != dtype:
                    raise Different(f"{contender} computes in {np.asarray(mine).dtype}, not {dtype}")
                close(f"{dtype}, {contender}, {name}", mine, slopes[name], tolerance)
        # steps in a row, as one trains
        seconds = interleaved({n: repeated(r, STEPS) for n, r in runs.items()}, rounds=11, clock=time.perf_counter)
        rows[dtype] = {name: taken / STEPS * 1000 for name, taken in seconds.items()}
    names = list(next(iter(rows.values())))
    peers = [name for name in ("jax", "torch") if name in names]
    table(["", *names, *(f"asked/{name}" for name in peers)], [
        (dtype, *row.values(), *(row["weights asked"] / row[name] for name in peers)) for dtype, row in rows.items()
    ])  # fmt: skip
    return rows


def by_hand_in_place(given: Column, weights: list[str]) -> Run:
    """As the best of hands writes it: every array written to memory that is there, nothing that is not needed."""
    x, t = given["x"], given["t"].astype(int)
    W1, b1, W2, b2, W3, b3 = (given[name] for name in weights)
    rows = np.arange(len(x))
    z1, h1, d1, z2, h2, d2 = (np.empty((len(x), len(b)), x.dtype) for b in (b1, b1, b1, b2, b2, b2))
    z3, dW1, dW2, dW3 = np.empty((len(x), len(b3)), x.dtype), *map(np.empty_like, (W1, W2, W3))

    def run() -> Any:
        np.add(np.matmul(x, W1, out=z1), b1, out=z1)
        np.maximum(z1, 0, out=h1)
        np.add(np.matmul(h1, W2, out=z2), b2, out=z2)
        np.maximum(z2, 0, out=h2)
        np.add(np.matmul(h2, W3, out=z3), b3, out=z3)
        np.subtract(z3, z3.max(axis=1, keepdims=True), out=z3)
        powers = np.exp(z3)
        sums = powers.sum(axis=1, keepdims=True)
        (np.log(sums)[:, 0] - z3[rows, t]).mean()
        dz3 = powers / sums
        dz3[rows, t] -= 1
        dz3 /= len(x)
        np.matmul(h2.T, dz3, out=dW3)
        np.multiply(np.matmul(dz3, W3.T, out=d2), z2 > 0, out=d2)
        np.matmul(h1.T, d2, out=dW2)
        np.multiply(np.matmul(d2, W2.T, out=d1), z1 > 0, out=d1)
        np.matmul(x.T, d1, out=dW1)
        return [dW1, d1.sum(axis=0), dW2, d2.sum(axis=0), dW3, dz3.sum(axis=0)]

    return run


def jax_step(given: Column, weights: list[str]) -> Run:
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
    return lambda: jax.block_until_ready(function(parameters))[1]


def torch_step(given: Column, weights: list[str]) -> Run:
    import torch

    torch.set_num_threads(1)
    x, t = torch.from_numpy(given["x"]), torch.from_numpy(given["t"].astype(int))
    W1, b1, W2, b2, W3, b3 = parameters = [torch.tensor(given[name], requires_grad=True) for name in weights]

    def run() -> Any:
        for parameter in parameters:
            parameter.grad = None
        h = torch.relu(torch.relu(x @ W1 + b1) @ W2 + b2)
        torch.nn.functional.cross_entropy(h @ W3 + b3, t).backward()
        return [parameter.grad for parameter in parameters]

    return run


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
    room = net.pairs().weights()
    runs: dict[str, Run] = {
        "by rule": net.pairs,
        "expanded": lambda: net.pairs().weights(),
        "expanded again": lambda: net.pairs().weights(out=room),  # into memory that is there
    }
    if installed("jax"):
        runs |= jax_pairs(W, first)
        close("nodes", runs["jax nodes"](), net.pairs().nodes)
        close("weights", runs["jax expanded"]()[1], net.pairs().weights())
        close("weights again", runs["expanded again"](), net.pairs().weights())
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
