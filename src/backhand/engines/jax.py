"""The engine `jax`: the same passes, written for JAX and compiled by it, on whatever device it finds."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from backhand.engines.compiled import Engine, Numbers, Task, own
from backhand.engines.source import function_of, written


class WithJax:
    """Arrays stay on the device where they are; what is given may be sharded, and what comes back then is."""

    name = "jax"

    def __init__(self, task: Task) -> None:
        jax: Any = import_module("jax")
        jnp: Any = import_module("jax.numpy")
        self.task = task
        self._written = written(task, "jax")
        self.source = self._written.text
        self._jnp = jnp
        self._wide: Any = (jax if hasattr(jax, "enable_x64") else import_module("jax.experimental")).enable_x64
        self._function: Any = jax.jit(function_of(self.source, {"jax": jax, "jnp": jnp}))

    def run(self, given: Numbers) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        task, jnp = self.task, self._jnp
        with self._wide(True):
            numbers = [
                jnp.asarray(given[name] if name in given else own(task.graph, name), float)
                for name in self._written.given
            ]
            values, slopes = self._function(*numbers)
            points = None
            if not task.graph.arrays:
                points = next((len(n) for n in numbers if n.ndim == 1), None)

            def shaped(name: str, value: Any) -> Any:
                shape = task.graph[name].shape if points is None else (points,)
                return jnp.broadcast_to(value, shape) if shape else float(value)

            kept = {n: shaped(n, v) for n, v in zip(self._written.values, values, strict=True)}
            found = {n: shaped(n, v) for n, v in zip(self._written.slopes, slopes, strict=True)}
            if task.keep == "all":
                for name in task.graph.index:
                    if name not in kept:
                        kept[name] = shaped(name, given[name] if name in given else own(task.graph, name))
            return kept, {name: found[name] if name in found else shaped(name, 0.0) for name in task.wrt}


def made(task: Task) -> Engine:
    return WithJax(task)
