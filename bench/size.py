"""Large things, each in a process of its own: seconds, and the most memory that was held.

chain     a chain of a million quantities, made with the builder, put in order, propagated
file      a file of a hundred thousand lines, arrows and equations mixed, read
working   the whole working of a network of ten thousand edges as text, and of one half as large: what is
          held while writing must not grow with the number of steps
"""

from __future__ import annotations

import copy
import json
import math
import random
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from common import ROOT, Different, environment, peak, save, table, title


def main(*, full: bool) -> None:
    found: dict[str, Any] = {}
    title("size: a chain made with the builder")
    found["chain"] = [child("chain", 100_000), child("chain" if full else "chain-floats", 1_000_000)]
    table(
        ["quantities", "Net().let s", "graph() s", "floats s", "exact s", "graph MiB", "peak MiB", "bytes each"],
        (
            (
                r["quantities"], r["let"], r["graph"], r["floats"], r["exact"],
                r["graph MiB"], r["floats MiB"], r["floats MiB"] * 2**20 / r["quantities"],
            )
            for r in found["chain"]
        ),
    )  # fmt: skip

    title("size: a file read, arrows and equations mixed")
    found["file"] = [child("file", n) for n in (10_000, 100_000)]
    table(
        ["lines", "MB", "read s", "us a line", "quantities", "peak MiB"],
        (
            (r["lines"], r["MB"], r["read"], r["read"] / r["lines"] * 1e6, r["quantities"], r["peak MiB"])
            for r in found["file"]
        ),
    )

    title("size: the whole working as text")
    found["working"] = [child("working", n) for n in (5_000, 10_000, *([40_000] if full else []))]
    table(
        ["edges", "solve s", "write s", "text MB", "MB/s", "chunks", "before MiB", "peak MiB", "grown", "grown/text"],
        (
            (
                r["edges"], r["solve"], r["write"], r["MB"], r["MB"] / r["write"],
                r["chunks"], r["before MiB"], r["peak MiB"],
                r["peak MiB"] - r["before MiB"], (r["peak MiB"] - r["before MiB"]) * 2**20 / (r["MB"] * 1e6),
            )
            for r in found["working"]
        ),
    )  # fmt: skip
    print("  The text goes nowhere, so `grown` is what writing holds at once: the largest block, none of the others.")
    save("size", found)


def child(case: str, size: int) -> dict[str, Any]:
    """One case in a fresh process."""
    command = [sys.executable, str(Path(__file__).resolve()), case, str(size)]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Different(f"{case} {size}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


# -- inside the process ---------------------------------------------------------------------------------------


def chain(quantities: int, *, also_exact: bool = True) -> dict[str, Any]:
    """x[k] = x[k-1] - x[k-2]: small whole numbers all along, so that exact and float are equal."""
    from backhand import Net
    from backhand.core.propagate import propagate

    clock = time.process_time
    start = clock()
    net = Net()
    a, b = net.let("x0", 1), net.let("x1", 3)
    for k in range(2, quantities - 1):
        a, b = b, net.let(f"x{k}", b - a)
    net.let("L", 2 * b + a)
    made = clock()
    graph = net.graph()
    ordered = clock()
    before = peak()
    untouched = copy.copy(graph)
    floats = propagate(graph, numbers="float")
    fast = clock()
    after = peak()
    exact = propagate(copy.copy(untouched), numbers="exact") if also_exact else floats
    done = clock()
    if any(x != y for x, y in zip(exact.adjoints, floats.adjoints, strict=True)) or any(
        x != y for x, y in zip(exact.values, floats.values, strict=True)
    ):
        raise Different("exact and float numbers of the chain differ")
    if floats.derivative("x1") != expected_end(quantities - 1):
        raise Different("the derivative at the chain's far end is wrong")
    return {
        "quantities": len(graph), "let": made - start, "graph": ordered - made, "floats": fast - ordered,
        "exact": done - fast if also_exact else math.nan,
        "graph MiB": before, "floats MiB": after,
    }  # fmt: skip


def expected_end(count: int) -> int:
    """dL/dx1 of a chain of so many x, by its own recurrence, which goes round in sixes."""
    later, here = 2, 3  # by the last x and by the one before
    for _ in range((count - 3) % 6):
        later, here = here, here - later
    return here


def text_of(lines: int) -> str:
    """Over and over a unit with two arrows and two equations that use it and others before it: so many lines in all."""
    lot = random.Random(7)
    made = ["input y0 = 1, s0 = 0.5", "weight v = 0.3, u = -0.2"]
    names = ["s0", "y0"]
    k = 0
    while len(made) < lines - 1:
        k += 1
        made += [
            f"{lot.choice(names[:-1])} -> h{k} : {lot.uniform(-1, 1):.3f}   # an arrow",
            f"y{k - 1} -> h{k} : {lot.uniform(-1, 1):.3f}",
            f"h{k} : tanh, bias {lot.uniform(-1, 1):.2f}",
            f"s{k} = v {lot.choice(names)} + u h{k} - {lot.uniform(0, 1):.2f}*y{k - 1}",
            f"y{k} = sigmoid(s{k})^2 + (h{k} - s{k})/4",
        ]
        names = [*names, f"h{k}", f"s{k}", f"y{k}"][-20:]
    del made[lines - 1 :]
    made.append(f"L = (y{k - 1} - 1)^2")
    return "\n".join(made) + "\n"


def file(lines: int) -> dict[str, Any]:
    from backhand.core.formula import references
    from backhand.readers import read_text

    text = text_of(lines)
    if text.count("\n") != lines:
        raise Different(f"{text.count(chr(10))} lines instead of {lines}")
    start = time.process_time()
    graph = read_text(text, "large.bh")
    seconds = time.process_time() - start
    used = {ref.name for q in graph.quantities if q.computed and q.definition for ref in references(q.definition)}
    if not used <= set(graph.index):
        raise Different("a name in a formula is not in the graph")
    return {"lines": lines, "MB": len(text) / 1e6, "read": seconds, "quantities": len(graph), "peak MiB": peak()}


def working(edges: int) -> dict[str, Any]:
    from nets import graph_of, layered

    from backhand import solve
    from backhand.display import formatted

    plan = layered(edges)
    graph = graph_of(plan)
    start = time.process_time()
    solution = solve(graph)
    solved = time.process_time()
    before = peak()
    size = chunks = 0
    for chunk in formatted(solution, "text", detail="steps"):
        size += len(chunk.encode())
        chunks += 1
    done = time.process_time()
    return {
        "edges": plan.edges, "solve": solved - start, "write": done - solved, "MB": size / 1e6, "chunks": chunks,
        "before MiB": before, "peak MiB": peak(),
    }  # fmt: skip


if __name__ == "__main__":
    print(
        json.dumps(
            {"chain": chain, "chain-floats": partial(chain, also_exact=False), "file": file, "working": working}[
                sys.argv[1]
            ](int(sys.argv[2]))
        )
    )
