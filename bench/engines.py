"""Engines against what people use instead, side by side: the same numbers first, then times and ratios.

    points     the network of examples/q3.bh over many points: loop, NumPy in blocks, by hand in NumPy, jax, casadi, drjit
    step       a step of 784-512-512-10 on a batch of 256, against NumPy by hand, jax, torch
    pairs      every derivative of every node by every node of a tanh network, by rule and written out, against jax.jacrev

Lost cells are printed like the others. A contender that is not installed is left out, with a word.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from common import ROOT, close, installed, interleaved, save, skipped, table, title

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
