"""All values and all derivatives in plain Python: nanoseconds an edge, forward and backward, against micrograd.

Floats on three kinds of networks, and exact fractions on linear ones. The graph is there before the clock starts.

    first      `propagate` on a graph as the builder left it: looking up names and making flat lists are timed, too
    again      `propagate` on that graph once more
    compile    of it: the flat lists and the code of each shape of formula
    passes     of it: forward and backward over the lists, and nothing else
    by hand    the same numbers by a hand-written loop over lists: about what plain Python can do
    micrograd  forward and backward; forward builds its graph anew, so that is in its time
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import nets
from common import Different, installed, interleaved, same, save, skipped, table, title

TOLERANCE = 1e-9
MICROGRAD = 1_100_000
"""Edges up to which micrograd takes part: it needs about a kilobyte an edge."""


def main(*, full: bool) -> None:
    sizes = [10_000, 100_000, *([1_000_000] if full else [])]
    rows: list[dict[str, Any]] = []
    title("propagation, floats: ns an edge, forward + backward")
    print(f"  The same values and derivatives by all units and weights (tolerance {TOLERANCE:.0e}). CPU time, medians.")
    for make in (nets.layered, nets.irregular, nets.chain):
        for edges in sizes:
            plan = make(edges)
            rows.append(nets.deeply(partial(compared, plan, "float", float)))
    shown(rows)

    title("propagation, exact fractions: ns an edge, forward + backward (linear networks, small whole numbers)")
    exact: list[dict[str, Any]] = []
    for draw in (partial(nets.layered, exact=True), nets.steps):
        for edges in [10_000, *([100_000] if full else [])]:
            plan = draw(edges)
            exact.append(nets.deeply(partial(compared, plan, "exact", nets.fraction)))
    shown(exact)
    save("propagation", {"floats": rows, "exact": exact})


def compared(plan: nets.Plan, numbers: Any, number: Callable[[float], Any]) -> dict[str, Any]:
    """One network: the numbers of all contenders compared, then their times."""
    from backhand.core.propagate import propagate

    graph = nets.graph_of(plan)
    untouched = copy.copy(graph)
    contenders = {"backhand": nets.backhand(plan, graph, numbers), "by hand": nets.by_hand(plan, number)}
    if installed("micrograd") and plan.edges <= MICROGRAD:
        contenders["micrograd"] = nets.micrograd(plan, number)
    elif not installed("micrograd"):
        skipped("micrograd")
    expected: nets.Numbers | None = None
    for name, (run, results) in contenders.items():
        found = results(run())
        if expected is None:
            expected = found
            sound(plan, found)
        for part, ours in zip(found, expected, strict=True):
            same(f"{plan.kind}, {name}", part, ours, 0.0 if numbers == "exact" else TOLERANCE)
        del found
    runs = {name: run for name, (run, _) in contenders.items()}
    runs["again"] = lambda: propagate(graph, numbers=numbers)
    if numbers == "float":
        runs |= parts(untouched)
    seconds = interleaved(runs)
    row = {"kind": plan.kind, "edges": plan.edges, "units": plan.units, "depth": plan.depth}
    return row | {name: taken / plan.edges * 1e9 for name, taken in seconds.items()}


def sound(plan: nets.Plan, found: nets.Numbers) -> None:
    """Derivatives that vanish would be skipped, and the time would say nothing; one in 10,000 may cancel."""
    sizes = [abs(float(g)) for g in found[1]]
    zeros = sum(size == 0 for size in sizes)
    if zeros > len(sizes) // 10_000 or not all(1e-100 < size < 1e100 for size in sizes if size):
        raise Different(f"{plan.kind}: derivatives from {min(sizes):.1e} to {max(sizes):.1e}, {zeros} of them 0")


def parts(untouched: Any) -> dict[str, Callable[[], Any]]:
    """What `propagate` does one after the other: flat lists from the graph, then the two passes over them."""
    from backhand.core.kernels import compile_graph, run_backward, run_forward

    program = compile_graph(copy.copy(untouched))
    assert program is not None
    end = copy.copy(untouched).index["L"]

    def passes() -> Any:
        return run_backward(program, run_forward(program), end)

    return {"compile": lambda: compile_graph(copy.copy(untouched)), "passes": passes}


def shown(rows: list[dict[str, Any]]) -> None:
    header = [
        "",
        "edges",
        "depth",
        "first",
        "again",
        "compile",
        "passes",
        "by hand",
        "micrograd",
        "micrograd/first",
        "first/by hand",
    ]
    none = math.nan
    table(header, (
        (
            row["kind"], row["edges"], row["depth"],
            row["backhand"], row["again"], row.get("compile", none), row.get("passes", none),
            row["by hand"], row.get("micrograd", none),
            row.get("micrograd", none) / row["backhand"], row["backhand"] / row["by hand"],
        )
        for row in rows
    ))  # fmt: skip
