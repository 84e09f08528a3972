"""The engine `python`: generated functions over flat lists (`core.kernels`), one for each shape of formula."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backhand.core.kernels import compile_graph, run_backward, run_forward
from backhand.engines.compiled import Engine, Numbers, Task
from backhand.errors import UsageError


class Plain:
    """Floats in plain Python. What has no value goes the way of NumPy, which knows infinities."""

    name = "python"

    def __init__(self, task: Task) -> None:
        if task.graph.arrays:
            raise UsageError("The engine python is for networks of single numbers.", cure='Take "numpy", or "auto".')
        self.task = task
        self._program = compile_graph(task.graph)
        self._other: Engine | None = None

    def run(self, given: Numbers) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        program, graph, task = self._program, self.task.graph, self.task
        if program is None:
            return self._else(given)
        start = program.start
        if given:
            program.start = start.copy()
            for name, value in given.items():
                program.start[graph.index[name]] = value
        try:
            values = run_forward(program)
            gradient, _ = run_backward(program, values, graph.index[task.of])
        except (ArithmeticError, ValueError):
            return self._else(given)
        finally:
            program.start = start
        index = graph.index
        kept = dict(zip(index, values, strict=False)) if task.keep == "all" else {task.of: values[index[task.of]]}
        return kept, {name: gradient[index[name]] for name in task.wrt}

    def _else(self, given: Numbers) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        if self._other is None:
            from backhand.engines.numpy import made as with_numpy

            self._other = with_numpy(self.task)
        return self._other.run(given)


def made(task: Task) -> Engine:
    return Plain(task)
