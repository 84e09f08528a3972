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

from backhand.engines import LOOP
from backhand.engines.buffers import Room
from backhand.engines.compiled import Engine, Numbers, Task, number, own
from backhand.engines.source import Written, written
from backhand.errors import UsageError

BLOCK = 16
"""Points whose results are held in the cache before they are written out."""

FLOAT = np.dtype(float)


class Points:
    name = "points"

    def __init__(self, task: Task) -> None:
        if task.graph.arrays or len(task.graph) > LOOP:
            raise UsageError(
                f"The engine points is for networks of at most {LOOP} single numbers.",
                cure='Take "numpy" or "jax".' if task.graph.arrays else 'Take "numpy" or "tape".',
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
        columns = [np.full(8, n) if one else np.ascontiguousarray(n) for n, one in zip(numbers, alike, strict=True)]
        at, step = _places(columns), np.array([0 if one else 8 for one in alike], np.uint64)
        table = self._room.table(self._rows, width)
        found, apart = table.reshape(-1), table.shape[1]
        threads = min(self.task.threads, max(1, width // 4096))
        if threads == 1:
            self._function(at, step, found, apart, 0, width)
        else:
            share = (width // threads + BLOCK - 1) // BLOCK * BLOCK

            def part(first: int) -> None:
                self._function(at, step, found, apart, first, min(width, first + share))

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


OPTIONS = "error_model='numpy', nogil=True, cache=True, fastmath={'contract', 'nsz'}"
PLACES = [] if FIELD is None else ["    _at = np.array([carray(starts_at(_field), 1)[0] for _field in _at])"]


def _loop(passes: Written) -> str:
    """The module: helpers, and the loop."""
    from backhand.engines.intrinsics import arithmetic

    lines = _in_registers(passes) if all(map(arithmetic, passes.lines)) else _in_blocks(passes)
    head = [
        "import math",
        "import numpy as np",
        "from numba import carray, njit",
        "from backhand.engines.intrinsics import address, eight, starts_at, stream",
    ]
    helpers = [f"@njit({OPTIONS})\n{text}" for text in passes.helpers]
    return "\n".join(head) + "\n\n\n" + "\n\n\n".join((*helpers, "\n".join(lines))) + "\n"


def _in_registers(passes: Written) -> list[str]:
    """Lines of arithmetic on eight points _at once; what is left over of the points goes through memory of its own."""
    results = [*passes.values.values(), *passes.slopes.values()]
    inputs, rows = len(passes.args), len(results)
    return [
        "eight_points = eight(",
        f"    {passes.args!r},",
        "    (",
        *(f"        {line!r}," for line in passes.lines),
        "    ),",
        f"    {tuple(results)!r},",
        ")",
        "",
        "",
        f"@njit({OPTIONS})",
        "def points(_at, _step, _found, _apart, _first, _last):",
        *PLACES,
        "    _whole = _first + (_last - _first) // 8 * 8",
        "    for _point in range(_first, _whole, 8):",
        "        eight_points(_at, _step, _found, _apart, _point)",
        "    if _whole < _last:",
        f"        _held = np.zeros({8 * (inputs + rows + 1)})",
        "        _start = (-_held.ctypes.data // 8) % 8",
        f"        for _k in range({inputs}):",
        "            _column = carray(address(_at[_k] + _step[_k] * np.uint64(_whole)), _last - _whole)",
        "            for _i in range(_last - _whole):",
        "                _held[_start + 8 * _k + _i] = _column[_i]",
        "            _at[_k] = _held.ctypes.data + 8 * _start + 64 * _k",
        f"        _rest = _held[_start + {8 * inputs} :]",
        "        eight_points(_at, _step, _rest, 8, 0)",
        f"        for _k in range({rows}):",
        "            for _i in range(_last - _whole):",
        "                _found[_k * _apart + _whole + _i] = _rest[8 * _k + _i]",
    ]


def _in_blocks(passes: Written) -> list[str]:
    """A loop that the compiler makes vectors of where it can, over points whose results stay in the cache."""
    results = [*passes.values.values(), *passes.slopes.values()]
    inputs, rows = len(passes.args), len(results)
    reads = [f"            {name} = _held[{k * BLOCK} + _i]" for k, name in enumerate(passes.args)]
    body = [f"            {line}" for line in passes.lines]
    keeps = [f"            _held[{(inputs + k) * BLOCK} + _i] = {name}" for k, name in enumerate(results)]
    return [
        f"@njit({OPTIONS})",
        "def points(_at, _step, _found, _apart, _first, _last):",
        f"    _held = np.zeros({(inputs + rows) * BLOCK})",
        *PLACES,
        f"    for _k in range({inputs}):",
        "        if not _step[_k]:",
        f"            _held[_k * {BLOCK} : (_k + 1) * {BLOCK}] = carray(address(_at[_k]), 1)[0]",
        f"    for _block in range(_first, _last, {BLOCK}):",
        f"        _count = min({BLOCK}, _last - _block)",
        f"        for _k in range({inputs}):",
        "            if _step[_k]:",
        "                _column = carray(address(_at[_k] + np.uint64(8 * _block)), _count)",
        "                for _i in range(_count):",
        f"                    _held[_k * {BLOCK} + _i] = _column[_i]",
        f"        for _i in range({BLOCK}):",
        *reads,
        *body,
        *keeps,
        f"        if _count == {BLOCK}:",
        f"            for _k in range({rows}):",
        f"                for _i in range(0, {BLOCK}, 8):",
        f"                    stream(_found, _k * _apart + _block + _i, _held, ({inputs} + _k) * {BLOCK} + _i)",
        "        else:",
        f"            for _k in range({rows}):",
        "                for _i in range(_count):",
        f"                    _found[_k * _apart + _block + _i] = _held[({inputs} + _k) * {BLOCK} + _i]",
    ]


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
