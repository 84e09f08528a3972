"""The engine `numpy`: the passes as NumPy source, on memory that is used again (`buffers`).

For networks of arrays as they stand; for networks of single numbers over many points in blocks that stay in the cache.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from backhand.engines.buffers import Buffered, Room
from backhand.engines.compiled import Engine, Numbers, Task, examples, own
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
        self._shapes = task.shapes
        self._written = written(task, "numpy")
        self._function = function_of(self._written.text, {"np": np})
        self._buffered: dict[tuple[bool, ...], Buffered] = {}
        self._room = Room(task.dtype)
        self._own: Numbers = {}

    @property
    def source(self) -> str:
        """What ran last, or the lines as they are printed while nothing has run."""
        return next((made.text for made in reversed(self._buffered.values())), self._written.text)

    def _number(self, name: str, given: Numbers) -> Any:
        """A given number, as NumPy's, so that 1/0 is infinite."""
        value = given.get(name)
        if value is not None:
            return np.asarray(value, self.task.dtype)[()]
        if name not in self._own:
            self._own[name] = np.array(own(self.task.graph, name), self.task.dtype)[()]
            if isinstance(self._own[name], np.ndarray):
                self._own[name].flags.writeable = False
        return self._own[name]

    def run(self, given: Numbers) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        passes, task = self._written, self.task
        numbers = [self._number(name, given) for name in passes.given]
        many = examples(self._shapes, given)
        with np.errstate(all="ignore"):
            try:
                if many is not None and task.graph.arrays:
                    values, slopes = self._examples(numbers, many)
                elif many is not None:
                    values, slopes = self._blocks(numbers, many)
                elif task.graph.arrays:
                    values, slopes = self._with_memory(numbers)(numbers)
                else:
                    values, slopes = self._function(*numbers)
            except ZeroDivisionError:
                raise UndefinedError("A formula of numbers alone divides by 0.") from None
        kept = {name: self._shaped(name, value, many) for name, value in zip(passes.values, values, strict=True)}
        found = {name: self._shaped(name, value, many) for name, value in zip(passes.slopes, slopes, strict=True)}
        if task.keep == "all":
            for name in task.graph.index:
                if name not in kept:
                    kept[name] = self._shaped(name, self._number(name, given), many)
        for name in task.wrt:
            if name not in found:
                found[name] = self._shaped(name, 0.0, many)
        return kept, {name: found[name] for name in task.wrt}

    def _shaped(self, name: str, value: Any, many: int | None) -> Any:
        """A number as a float; an array in the shape that it has."""
        shape = self.task.graph[name].shape
        if many is None and not shape:
            return float(value)
        value = np.asarray(value, self.task.dtype)
        if many is not None:
            shape = (many, *shape)
        return value if value.shape == shape else np.broadcast_to(value, shape)

    def _examples(self, numbers: list[Any], many: int) -> tuple[list[Any], list[Any]]:
        """Examples of a network of arrays, one after the other."""
        graph, passes = self.task.graph, self._written
        apart = [np.ndim(n) > len(graph[name].shape) for name, n in zip(passes.given, numbers, strict=True)]
        names = [*passes.values, *passes.slopes]
        columns = [np.empty((many, *graph[name].shape), self.task.dtype) for name in names]
        for k in range(many):
            each = [n[k] if one_each else n for n, one_each in zip(numbers, apart, strict=True)]
            values, slopes = self._with_memory(each)(each)
            for column, value in zip(columns, (*values, *slopes), strict=True):
                column[k] = value
        return columns[: len(passes.values)], columns[len(passes.values) :]

    def _with_memory(self, numbers: list[Any]) -> Buffered:
        """The lines on memory, for numbers of these shapes."""
        several = tuple(np.ndim(n) > 0 for n in numbers)
        if several not in self._buffered:
            points = not self.task.graph.arrays
            tried = [np.resize(n, BLOCK) if np.ndim(n) else n for n in numbers] if points else numbers
            self._buffered[several] = Buffered(self._written, tried, np.dtype(self.task.dtype), points=points)
        return self._buffered[several]

    def _blocks(self, numbers: list[Any], points: int) -> tuple[list[Any], list[Any]]:
        """Many points, some thousand at a time, so that all of a block stays in the cache."""
        count = len(self._written.values)
        columns = list(self._room.table(count + len(self._written.slopes), points)[:, :points])
        if not points:
            return columns[:count], columns[count:]
        buffered = self._with_memory(numbers)

        def block(first: int) -> None:
            last = min(points, first + BLOCK)
            with np.errstate(all="ignore"):
                buffered.fill([n[first:last] if np.ndim(n) else n for n in numbers], [c[first:last] for c in columns])

        if self.task.threads > 1:
            with ThreadPoolExecutor(self.task.threads) as pool:
                list(pool.map(block, range(0, points, BLOCK)))
        else:
            for first in range(0, points, BLOCK):
                block(first)
        return columns[:count], columns[count:]


def made(task: Task) -> Engine:
    return WithNumpy(task)
