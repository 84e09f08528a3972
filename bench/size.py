"""Large things, each in a process of its own: seconds, and the most memory that was held.

    chain     a chain of a million quantities, made with the builder, put in order, propagated
    file      a file of a hundred thousand lines, arrows and equations mixed, read
    working   the whole working of a network of ten thousand edges as text, and of one half as large: what is
              held while writing must not grow with the number of steps
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from common import ROOT, Different, environment, peak, save, table, title


def main(*, full: bool) -> None:
    found: dict[str, Any] = {}
    title("size: a chain made with the builder")
    found["chain"] = [child("chain", n) for n in (100_000, 1_000_000)]
    table(
        ["quantities", "Net().let s", "graph() s", "floats s", "exact s", "all s", "graph MiB", "peak MiB", "bytes each"],
        (
            (
                r["quantities"], r["let"], r["graph"], r["floats"], r["exact"], r["let"] + r["graph"] + r["floats"] + r["exact"],
                r["graph MiB"], r["peak MiB"], r["peak MiB"] * 2**20 / r["quantities"],
            )
            for r in found["chain"]
        ),
    )  # fmt: skip

    title("size: a file read, arrows and equations mixed")
    found["file"] = [child("file", n) for n in (10_000, 100_000)]
    table(
        ["lines", "MB", "read s", "us a line", "quantities", "peak MiB"],
        ((r["lines"], r["MB"], r["read"], r["read"] / r["lines"] * 1e6, r["quantities"], r["peak MiB"]) for r in found["file"]),
    )

    title("size: the whole working as text")
    found["working"] = [child("working", n) for n in (5_000, 10_000, *([40_000] if full else []))]
    table(
        ["edges", "solve s", "write s", "text MB", "MB/s", "chunks", "before MiB", "peak MiB", "grown MiB", "grown/text"],
        (
            (
                r["edges"], r["solve"], r["write"], r["MB"], r["MB"] / r["write"], r["chunks"], r["before MiB"], r["peak MiB"],
                r["peak MiB"] - r["before MiB"], (r["peak MiB"] - r["before MiB"]) * 2**20 / (r["MB"] * 1e6),
            )
            for r in found["working"]
        ),
    )  # fmt: skip
    print("  The text goes nowhere, so `grown` is what writing holds at once: the largest block, and nothing of the others.")
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


def chain(quantities: int) -> dict[str, Any]:
    """x[k] = x[k-1] - x[k-2]: small whole numbers all along, so that exact and float can be compared to the last digit."""
    from backhand import Net
    from backhand.core.graph import Graph
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
    floats = propagate(Graph(graph.quantities), numbers="float")
    fast = clock()
    exact = propagate(Graph(graph.quantities), numbers="exact")
    done = clock()
    if any(x != y for x, y in zip(exact.adjoints, floats.adjoints, strict=True)) or any(
        x != y for x, y in zip(exact.values, floats.values, strict=True)
    ):
        raise Different("exact and float numbers of the chain differ")
    return {
        "quantities": len(graph), "let": made - start, "graph": ordered - made, "floats": fast - ordered, "exact": done - fast,
        "graph MiB": before, "peak MiB": peak(),
    }  # fmt: skip


def text_of(lines: int) -> str:
    """Units with two arrows each, then two equations, over and over: as many lines as asked for."""
    lot = random.Random(7)
    made = ["input a0 = 1, a1 = 0.5", "weight v = 0.3, u = -0.2"]
    names = ["a0", "a1"]
    k = 0
    while len(made) < lines - 1:
        unit, sum_, out = f"h{k}", f"s{k}", f"y{k}"
        made += [f"{lot.choice(names[-20:])} -> {unit} : {lot.uniform(-1, 1):.3f}   # an arrow" for _ in range(1)]
        made += [f"y{k - 1 if k else 0} -> {unit} : {lot.uniform(-1, 1):.3f}"] if k else [f"a1 -> {unit} : 0.25"]
        made += [f"{unit} : tanh, bias {lot.uniform(-1, 1):.2f}"]
        made += [f"{sum_} = v {lot.choice(names[-20:])} + u {unit} - {lot.uniform(0, 1):.2f}*{names[-1]}"]
        made += [f"{out} = sigmoid({sum_})^2 + ({unit} - {sum_})/4"]
        names += [unit, sum_, out]
        names = names[-20:]
        k += 1
    del made[lines - 1 :]
    made.append(f"L = ({names[-1] if len(made) % 5 == 2 else 'y0'} - 1)^2")
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
    from backhand import solve
    from backhand.display import formatted
    from nets import graph_of, layered

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
    print(json.dumps({"chain": chain, "file": file, "working": working}[sys.argv[1]](int(sys.argv[2]))))
