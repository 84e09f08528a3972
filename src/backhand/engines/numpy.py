"""The engine `numpy`: the passes as NumPy source.

For networks of arrays as they stand; for networks of single numbers over many points in blocks that stay in the cache.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from backhand.engines.compiled import Engine, Numbers, Task, own
from backhand.engines.source import function_of, written
from backhand.errors import UndefinedError, UsageError

BLOCK = 8192
"""Points that go through the passes together."""

LARGEST = 5_000
"""Quantities of a network of single numbers that is written as one function."""


class WithNumpy:
    name = "numpy"

    def __init__(self, task: Task) -> None:
        if not task.graph.arrays and len(task.graph) > LARGEST:
            raise UsageError(
                f"{len(task.graph)} single numbers are too many for the engine numpy.", cure='Take "tape", or "python".'
            )
        self.task = task
        self._written = written(task, "numpy")
        self.source = self._written.text
        self._function = function_of(self.source, {"np": np})
        self._own: Numbers = {}

    def _numbers(self, given: Numbers) -> list[Any]:
        """The given numbers in the order of the function's arguments: NumPy's, so that 1/0 is infinite."""
        found: list[Any] = []
        for name in self._written.given:
            value = given.get(name)
            if value is None:
                value = self._own.get(name)
                if value is None:
                    value = self._own[name] = np.asarray(own(self.task.graph, name), float)[()]
            else:
                value = self._fitting(name, np.asarray(value, float)[()])
            found.append(value)
        return found

    def _fitting(self, name: str, value: Any) -> Any:
        shape = self.task.graph[name].shape
        if self.task.graph.arrays and np.shape(value) != shape:
            raise UsageError(f"{name} has the shape {np.shape(value)}, and in the network it has {shape}.")
        return value

    def run(self, given: Numbers) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        task, numbers = self.task, self._numbers(given)
        points = next((len(n) for n in numbers if np.ndim(n) == 1), None) if not task.graph.arrays else None
        with np.errstate(all="ignore"):
            try:
                if points is None:
                    values, slopes = self._function(*numbers)
                else:
                    values, slopes = self._blocks(numbers, points)
            except ZeroDivisionError:
                raise UndefinedError("A formula of numbers alone divides by 0.") from None
        kept = {
            name: self._shaped(name, value, points) for name, value in zip(self._written.values, values, strict=True)
        }
        found = {
            name: self._shaped(name, value, points) for name, value in zip(self._written.slopes, slopes, strict=True)
        }
        if task.keep == "all":
            at = dict(zip(self._written.given, numbers, strict=True))
            for name in task.graph.index:
                if name not in kept:
                    value = at[name] if name in at else given.get(name, None)
                    kept[name] = self._shaped(name, own(task.graph, name) if value is None else value, points)
        for name in task.wrt:
            if name not in found:
                found[name] = self._shaped(name, 0.0, points)
        return kept, {name: found[name] for name in task.wrt}

    def _shaped(self, name: str, value: Any, points: int | None) -> Any:
        shape = self.task.graph[name].shape
        if points is not None:
            return value if np.ndim(value) else np.full(points, value)
        return np.broadcast_to(value, shape) if shape else float(value)

    def _blocks(self, numbers: list[Any], points: int) -> tuple[list[Any], list[Any]]:
        """Many points, some thousand at a time, so that all of a block stays in the cache."""
        count = len(self._written.values)
        columns = [np.empty(points) for _ in range(count + len(self._written.slopes))]

        def block(first: int) -> None:
            last = min(points, first + BLOCK)
            with np.errstate(all="ignore"):
                values, slopes = self._function(*(n[first:last] if np.ndim(n) else n for n in numbers))
            for column, value in zip(columns, (*values, *slopes), strict=True):
                column[first:last] = value

        if self.task.threads > 1:
            with ThreadPoolExecutor(self.task.threads) as pool:
                list(pool.map(block, range(0, points, BLOCK)))
        else:
            for first in range(0, points, BLOCK):
                block(first)
        return columns[:count], columns[count:]


def made(task: Task) -> Engine:
    return WithNumpy(task)
