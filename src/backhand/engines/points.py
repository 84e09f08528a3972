"""The engine `points`: a network of single numbers over very many points, as one compiled loop.

The passes are those of `backhand code --to python`, a line each, inside a loop over some hundred points whose results
stay in the nearest cache; from there they are written past all caches to where they belong.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module, util
from pathlib import Path
from typing import Any

import numpy as np

from backhand.engines.buffers import Room
from backhand.engines.compiled import Engine, Numbers, Task, number, own
from backhand.engines.source import Written, written
from backhand.errors import UsageError

LARGEST = 400
"""Quantities of a network that becomes one loop."""

BLOCK = 32
"""Points whose results are held in the cache before they are written out."""

FLOAT = np.dtype(float)


class Points:
    name = "points"

    def __init__(self, task: Task) -> None:
        if task.graph.arrays or len(task.graph) > LARGEST:
            raise UsageError(
                f"The engine points is for networks of at most {LARGEST} single numbers.",
                cure='Take "numpy" or "tape".',
            )
        self.task = task
        self._written = written(task, "python")
        self.source = _loop(self._written)
        self._function: Any = _loaded(self.source).points
        self._own: Numbers = {}
        self._room = Room(FLOAT)
        self._kept = [name for name in task.values if name not in self._written.values]
        self._zero = [name for name in task.wrt if name not in self._written.slopes]
        self._rows = len(self._written.values) + len(self._written.slopes)

    @staticmethod
    def number(value: Any) -> Any:
        """A float, or an array of floats; most are arrays of floats."""
        return value if type(value) is np.ndarray and value.dtype is FLOAT and value.ndim else number(value)

    def _number(self, given: Numbers, name: str) -> Any:
        if name in given:
            return given[name]
        if name not in self._own:
            self._own[name] = own(self.task.graph, name)
        return self._own[name]

    def run(self, given: Numbers) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        passes = self._written
        numbers = [given[name] if name in given else self._number(given, name) for name in passes.given]
        count = next((len(n) for n in given.values() if not isinstance(n, float)), None)
        width = 1 if count is None else count
        alike = [isinstance(number, float) for number in numbers]
        columns = [np.array([n]) if one else np.ascontiguousarray(n) for n, one in zip(numbers, alike, strict=True)]
        at, several = _places(columns), np.logical_not(alike)
        table = self._room.table(self._rows, width)
        found, apart = table.reshape(-1), table.shape[1]
        threads = min(self.task.threads, max(1, width // 4096))
        if threads == 1:
            self._function(at, several, found, apart, 0, width)
        else:
            share = (width // threads + BLOCK - 1) // BLOCK * BLOCK

            def part(first: int) -> None:
                self._function(at, several, found, apart, first, min(width, first + share))

            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(part, range(0, width, share)))
        lines: list[Any] = table[:, 0].tolist() if count is None else list(table[:, :width])
        kept = dict(zip(passes.values, lines, strict=False))
        slopes = dict(zip(passes.slopes, lines[len(passes.values) :], strict=True))
        for name in self._kept:
            value = self._number(given, name)
            kept[name] = np.full(width, value) if count is not None and isinstance(value, float) else value
        for name in self._zero:
            slopes[name] = np.zeros(width) if count is not None else 0.0
        return kept, slopes


def _places(columns: list[Any]) -> Any:
    """Where the numbers of arrays lie in memory. Asking each array takes longer than computing a thousand points, so
    the loop looks it up in the arrays themselves, where that has been found to be possible."""
    if FIELD is None:
        return np.array([column.ctypes.data for column in columns], np.uint64)
    return np.array([id(column) + FIELD for column in columns], np.uint64)


def _field() -> int | None:
    """How far behind the start of an array object of this Python and NumPy the place of its numbers is kept."""
    probes = [np.empty(size) for size in (1, 2, 3)]
    for field in range(8, 64, 8):
        if all(ctypes.c_uint64.from_address(id(probe) + field).value == probe.ctypes.data for probe in probes):
            return field
    return None


FIELD = _field()


def _loop(passes: Written) -> str:
    """The module: helpers, and the loop."""
    options = "error_model='numpy', nogil=True, cache=True, fastmath={'contract', 'nsz'}"
    helpers = [f"@njit({options})\n{text}" for text in passes.helpers]
    results = [*passes.values.values(), *passes.slopes.values()]
    inputs, rows = len(passes.args), len(results)
    reads = [f"            {name} = held[{k * BLOCK} + i]" for k, name in enumerate(passes.args)]
    body = [f"            {line}" for line in passes.lines]
    keeps = [f"            held[{(inputs + k) * BLOCK} + i] = {name}" for k, name in enumerate(results)]
    lines = [
        f"@njit({options})",
        "def points(at, several, found, apart, first, last):",
        f"    held = np.zeros({(inputs + rows) * BLOCK})",
        *(
            ()
            if FIELD is None
            else (f"    at = np.array([carray(starts_at(place), 1)[0] for place in at[:{inputs}]])",)
        ),
        f"    for k in range({inputs}):",
        "        if not several[k]:",
        f"            held[k * {BLOCK} : (k + 1) * {BLOCK}] = carray(address(at[k]), 1)[0]",
        f"    for block in range(first, last, {BLOCK}):",
        f"        count = min({BLOCK}, last - block)",
        f"        for k in range({inputs}):",
        "            if several[k]:",
        "                column = carray(address(at[k] + np.uint64(8 * block)), count)",
        "                for i in range(count):",
        f"                    held[k * {BLOCK} + i] = column[i]",
        f"        for i in range({BLOCK}):",
        *reads,
        *body,
        *keeps,
        f"        if count == {BLOCK}:",
        f"            for k in range({rows}):",
        f"                for i in range(0, {BLOCK}, 8):",
        f"                    stream(found, k * apart + block + i, held, ({inputs} + k) * {BLOCK} + i)",
        "        else:",
        f"            for k in range({rows}):",
        "                for i in range(count):",
        f"                    found[k * apart + block + i] = held[({inputs} + k) * {BLOCK} + i]",
    ]
    head = [
        "import math",
        "import numpy as np",
        "from numba import carray, njit",
        "from backhand.engines.intrinsics import address, starts_at, stream",
    ]
    return "\n".join(head) + "\n\n\n" + "\n\n\n".join((*helpers, "\n".join(lines))) + "\n"


def _loaded(source: str) -> Any:
    """The module of a loop, kept as a file so that numba keeps what it compiles."""
    key = hashlib.sha256(source.encode()).hexdigest()[:20]
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "backhand"
    path = folder / f"points_{key}.py"
    name = f"backhand_{path.stem}"
    if name in sys.modules:
        return sys.modules[name]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text("utf-8") != source:
            part = path.with_suffix(f".{os.getpid()}")
            part.write_text(source, "utf-8")
            part.replace(path)
    except OSError:
        return _unkept(source)
    spec = util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _unkept(source: str) -> Any:
    """The same, where nothing can be written."""
    space: dict[str, Any] = {}
    exec(source.replace("cache=True", "cache=False"), space)  # noqa: S102 - our own text, names made by coding.names
    return import_module("types").SimpleNamespace(**space)


def made(task: Task) -> Engine:
    return Points(task)
