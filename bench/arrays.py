"""A step through a network of arrays, all values and all derivatives kept: `propagate` against NumPy by hand.

784-512-512-10 with relu and softmax cross-entropy, a batch of 256. The hand-written code keeps what Backhand keeps: each
z and h, the loss of each example, and the derivatives by all of them, by the weights, the biases and the input.

    backhand   propagate(numbers="float") on a network that was read before: shapes are settled, formulas are there
    check      the second method, which `solve` asks before it hands a solution out
    by hand    NumPy, no engine
"""

from __future__ import annotations

import itertools
import time
from typing import Any

import numpy as np
from common import Different, interleaved, same, save, table, title

SIZES = (784, 512, 512, 10)
BATCH = 256
TOLERANCE = 1e-9


def main(*, full: bool) -> None:
    rows: list[dict[str, Any]] = []
    title("arrays: milliseconds a step, all values and derivatives kept (wall clock, medians)")
    for batch in (BATCH, *((1, 2048) if full else ())):
        rows.append(compared(batch))
    header = ["net", "batch", "backhand", "by hand", "backhand/by hand", "check", "check/by hand"]
    table(header, (
        (
            "-".join(map(str, SIZES)), row["batch"], row["backhand"], row["by hand"], row["backhand"] / row["by hand"],
            row["check"], row["check"] / row["by hand"],
        )
        for row in rows
    ))  # fmt: skip
    save("arrays", {"steps": rows})


def compared(batch: int) -> dict[str, Any]:
    """The numbers first, then the times."""
    from backhand.core.propagate import propagate
    from backhand.solving.cross_check import cross_check

    given = drawn(batch)
    graph = graph_of(given)
    found = propagate(graph, numbers="float")
    values, slopes = by_hand(given)
    for name, expected in values.items():
        same(name, flat(found.value(name)), flat(expected), TOLERANCE)
    for name, expected in slopes.items():
        same(f"dL/d{name}", flat(found.derivative(name)), flat(expected), TOLERANCE)
    missing = {q.name for q in graph.quantities} - set(values) - set(given)
    if missing:
        raise Different(f"by hand does not keep {', '.join(missing)}")
    runs = {
        "backhand": lambda: propagate(graph, numbers="float"),
        "by hand": lambda: by_hand(given),
        "check": lambda: cross_check(found),
    }
    seconds = interleaved(runs, rounds=11, clock=time.perf_counter)
    return {"batch": batch, **{name: taken * 1000 for name, taken in seconds.items()}}


def flat(value: Any) -> list[float]:
    return np.asarray(value, float).reshape(-1).tolist()


def drawn(batch: int) -> dict[str, Any]:
    numbers = np.random.default_rng(0)
    given: dict[str, Any] = {"x": numbers.random((batch, SIZES[0]))}
    for layer, (before, after) in enumerate(itertools.pairwise(SIZES), 1):
        given[f"W{layer}"] = numbers.normal(size=(before, after)) * (2 / before) ** 0.5
        given[f"b{layer}"] = numbers.normal(size=after) * 0.1
    return given | {"t": numbers.integers(0, SIZES[-1], batch).astype(float)}


def graph_of(given: dict[str, Any]) -> Any:
    from backhand.core import arrays
    from backhand.core.graph import Graph, Quantity
    from backhand.core.notation import formula

    quantities = [
        arrays.given(name, "input" if name == "x" else "weight", None, array) for name, array in given.items()
    ]
    before = "x"
    for layer in range(1, len(SIZES)):
        quantities.append(Quantity(f"z{layer}", "computed", formula(f"{before} @ W{layer} + b{layer}")))
        if layer < len(SIZES) - 1:
            before = f"h{layer}"
            quantities.append(Quantity(before, "computed", formula(f"relu(z{layer})")))
    last = len(SIZES) - 1
    quantities.append(Quantity("loss", "computed", formula(f"cross_entropy_logits(z{last}, t)")))
    quantities.append(Quantity("L", "computed", formula("mean(loss)")))
    return Graph.of(quantities)


def by_hand(given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """As one writes it: forward, keeping what is needed, and backward."""
    x, t = given["x"], given["t"].astype(int)
    W1, b1, W2, b2, W3, b3 = (given[name] for name in ("W1", "b1", "W2", "b2", "W3", "b3"))
    batch = len(x)
    z1 = x @ W1 + b1
    h1 = np.maximum(z1, 0)
    z2 = h1 @ W2 + b2
    h2 = np.maximum(z2, 0)
    z3 = h2 @ W3 + b3
    shifted = z3 - z3.max(axis=1, keepdims=True)
    powers = np.exp(shifted)
    sums = powers.sum(axis=1, keepdims=True)
    loss = np.log(sums)[:, 0] - shifted[np.arange(batch), t]
    L = loss.mean()
    dloss = np.full(batch, 1 / batch, x.dtype)
    dz3 = powers / sums
    dz3[np.arange(batch), t] -= 1
    dz3 *= dloss[:, None]
    dW3, db3, dh2 = h2.T @ dz3, dz3.sum(axis=0), dz3 @ W3.T
    dz2 = dh2 * (z2 > 0)
    dW2, db2, dh1 = h1.T @ dz2, dz2.sum(axis=0), dz2 @ W2.T
    dz1 = dh1 * (z1 > 0)
    dW1, db1, dx = x.T @ dz1, dz1.sum(axis=0), dz1 @ W1.T
    values = {"z1": z1, "h1": h1, "z2": z2, "h2": h2, "z3": z3, "loss": loss, "L": L}
    slopes = {
        "loss": dloss, "z3": dz3, "W3": dW3, "b3": db3, "h2": dh2, "z2": dz2, "W2": dW2, "b2": db2, "h1": dh1, "z1": dz1, "W1": dW1,
        "b1": db1, "x": dx,
    }  # fmt: skip
    return values, slopes
