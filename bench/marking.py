"""Marking a page: reading, judging and diagnosing the founding answer, with and without tables, and as a whole process.

Checked first: the marking is the one of tests/pages/founding, and tables change nothing. Then timed, in turn within one
run: `search` replays the page under every habit, `tables` looks up what was worked out once for the network; `cold` is
`backhand mark` as a process over a bare interpreter. Beside each the page as a right one, where nothing is to be found.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from common import ROOT, Different, environment, save, table, title

NET, ANSWER = ROOT / "examples" / "q3.bh", ROOT / "examples" / "q3-answer.md"
RIGHT = """B1 = (-2)(-1) + (1)(1) = 3
B2 = (1)(-1) + (2)(1) = 1
C1 = (1)(3) + (-2)(1) = 1
C2 = (-1)(3) + (0)(1) = -3
D = (1)(1) + (-1)(-3) = 4
L = (4 - 3)^2 = 1
dL/dD = 2(D - t) = 2(4 - 3) = 2
dL/dC1 = dL/dD dD/dC1 = (2)(1) = 2
dL/dC2 = dL/dD dD/dC2 = (2)(-1) = -2
dL/dB1 = dL/dC1 dC1/dB1 + dL/dC2 dC2/dB1 = (2)(1) + (-2)(-1) = 4
dL/dB2 = dL/dC1 dC1/dB2 + dL/dC2 dC2/dB2 = (2)(-2) + (-2)(0) = -4
dL/dA1 = dL/dB1 dB1/dA1 + dL/dB2 dB2/dA1 = (4)(-2) + (-4)(1) = -12
dL/dA2 = dL/dB1 dB1/dA2 + dL/dB2 dB2/dA2 = (4)(1) + (-4)(2) = -4
"""


def main(*, full: bool = False) -> None:
    import backhand
    from backhand.marking.tables import prepared
    from backhand.readers.page import read_work
    from backhand.text import Source

    title("marking: the founding page, 31 claims")
    graph = backhand.read(NET)
    page = ANSWER.read_text("utf-8")
    start = time.process_time()
    tables = prepared(graph)
    built = time.process_time() - start

    def mark(text: str, *, looked_up: bool) -> backhand.Marking:
        return backhand.mark(read_work([Source(text)]), graph, tables=tables if looked_up else None)

    found = [mark(page, looked_up=looked_up) for looked_up in (False, True)]
    if found[0].diagnoses != found[1].diagnoses or [d.keys for d in found[0].diagnoses] != [("one-path-straight",)]:
        raise Different("the founding page with and without tables")
    if any(j.verdict != "right" for j in mark(RIGHT, looked_up=False).judgements if j.line):
        raise Different("a right page is not all right")
    print("  the founding page is marked as it must be, with tables and without; the right page all right")
    ways: dict[str, Callable[[], object]] = {
        "reading alone": lambda: read_work([Source(page)]),
        "search": lambda: mark(page, looked_up=False),
        "tables": lambda: mark(page, looked_up=True),
        "a right page": lambda: mark(RIGHT, looked_up=False),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(25 if full else 9):
        for name, way in ways.items():
            start = time.process_time()
            way()
            times[name].append(1000 * (time.process_time() - start))
    median = {name: statistics.median(found) for name, found in times.items()}
    table(
        ["one page, warm", "ms", "best", "times reading"],
        [[name, f"{median[name]:.1f}", f"{min(times[name]):.1f}", f"{median[name] / median['reading alone']:.1f}"]
         for name in ways],
    )  # fmt: skip
    print(f"  tables for the network are made in {1000 * built:.0f} ms, once")
    cold = _cold(15 if full else 5)
    save("marking", {"ms": median, "tables_ms": 1000 * built, "cold": cold})


def _cold(rounds: int) -> dict[str, float]:
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "backhand mark": [sys.executable, "-m", "backhand", "mark", str(NET), str(ANSWER)],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, env=environment(), check=True, capture_output=True)
            times[name].append(time.perf_counter() - start)
    median = {name: statistics.median(found) for name, found in times.items()}
    bare = median["python -c pass"]
    table(
        ["whole process", "seconds", "best", "times a bare interpreter"],
        [[name, f"{median[name]:.2f}", f"{min(times[name]):.2f}", f"{median[name] / bare:.0f}"] for name in commands],
    )
    return median


if __name__ == "__main__":
    main()
