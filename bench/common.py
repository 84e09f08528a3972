"""What every benchmark shares: interleaved timing, medians, tables, result files.

Nothing here asserts a time. Numbers are compared first, then timed; what is printed are ratios of contenders that
ran side by side, because other work on the machine slows all of them alike.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results"


def environment() -> dict[str, str]:
    """For child processes: this checkout comes first, whether or not it is installed; one thread; byte code is kept,
    as it is of what is installed."""
    paths = [str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
    one = dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "1")
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | one | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def machine() -> dict[str, object]:
    """In general words: nothing that names this machine."""
    found = {"python": platform.python_version(), "system": platform.system(), "cores": os.cpu_count()}
    if hasattr(os, "getloadavg"):
        found["load"] = round(os.getloadavg()[0], 1)
    return found


# -- comparing ------------------------------------------------------------------------------------------------


class Different(Exception):
    """Two contenders do not compute the same numbers, so their times say nothing."""


def same(name: str, found: Sequence[float], expected: Sequence[float], tolerance: float) -> float:
    """The largest difference, relative to the number or to a thousandth of the largest, whichever is more."""
    if len(found) != len(expected):
        raise Different(f"{name}: {len(found)} numbers instead of {len(expected)}")
    floor = 1e-3 * max((abs(y) for y in expected), default=0)
    worst = max((abs(x - y) / (max(abs(y), floor) or 1) for x, y in zip(found, expected, strict=True)), default=0.0)
    if not worst <= tolerance:
        raise Different(f"{name}: differs by {float(worst):.2e}, more than {tolerance:.0e}")
    return float(worst)


def close(name: str, found: Any, expected: Any, tolerance: float = 1e-9) -> None:
    """As `same`, for arrays."""
    import numpy as np

    one, other = np.asarray(found, float).reshape(-1), np.asarray(expected, float).reshape(-1)
    if one.shape != other.shape:
        raise Different(f"{name}: {one.size} numbers instead of {other.size}")
    floor = 1e-3 * float(np.max(np.abs(other), initial=0.0))
    worst = float(np.max(np.abs(one - other) / np.maximum(np.maximum(np.abs(other), floor), 1e-300), initial=0.0))
    if not worst <= tolerance:
        raise Different(f"{name}: differs by {worst:.2e}, more than {tolerance:.0e}")


def aligned(count: int) -> Any:
    """Zeros that begin where a cache line does."""
    import numpy as np

    whole = np.zeros(count + 8)
    return whole[(-whole.ctypes.data // 8) % 8 :][:count]


# -- timing ---------------------------------------------------------------------------------------------------


def interleaved(
    runs: dict[str, Callable[[], object]],
    *,
    rounds: int = 7,
    budget: float = 20.0,
    once: float = 8.0,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, float]:
    """The median seconds of each, measured in rounds over all of them after a warm-up round.

    At most `budget` seconds a contender (and at least 3 rounds); one that takes longer than `once` is timed once.
    The garbage collector runs between the timings and not during them, which favours whoever makes most objects.
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    first: dict[str, float] = {}
    for number in range(rounds + 1):
        for name, run in runs.items():
            taken = times[name]
            slow = first.get(name, 0.0) > once
            if number and (slow or (len(taken) >= 3 and sum(taken) > budget)):
                continue
            gc.collect()
            gc.disable()
            start = clock()
            run()
            seconds = clock() - start
            gc.enable()
            if number:
                taken.append(seconds)
            else:
                first[name] = seconds
    return {name: statistics.median(taken or [first[name]]) for name, taken in times.items()}


def repeated(run: Callable[[], object], count: int) -> Callable[[], None]:
    """So that what takes microseconds can be timed."""

    def many() -> None:
        for _ in range(count):
            run()

    return many


def peak() -> float:
    """The most memory this process has held, in MiB.

    From /proc where there is one: what getrusage reports also counts the parent a process was forked from.
    """
    try:
        for line in Path("/proc/self/status").read_text("ascii").splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 1024)


# -- showing --------------------------------------------------------------------------------------------------


def title(text: str) -> None:
    print(f"\n== {text}", flush=True)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns, the first to the left and the others to the right."""
    texts = [list(header), *([_cell(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for row in texts:
        cells = (t.ljust(w) if k == 0 else t.rjust(w) for k, (t, w) in enumerate(zip(row, widths, strict=True)))
        print("  " + "  ".join(cells).rstrip(), flush=True)


def _cell(cell: object) -> str:
    if not isinstance(cell, float):
        return str(cell)
    if cell != cell:
        return "-"
    return f"{cell:,.0f}" if abs(cell) >= 100 else f"{cell:.1f}" if abs(cell) >= 10 else f"{cell:.2f}"


def skipped(name: str, why: str = "not installed") -> None:
    print(f"  ({name}: {why})", flush=True)


def save(name: str, found: dict[str, Any]) -> None:
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"machine": machine(), **found}, indent=1)
    (RESULTS / f"{name}.json").write_text(text + "\n", "utf-8")
