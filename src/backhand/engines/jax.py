"""The engine `jax`: the same passes, written for JAX and compiled by it, on whatever devices it finds.

Arrays of JAX's are left where they are. Sharded over several devices or machines, they are computed with there, and the
derivative by a given array comes back sharded as that array is:

    mesh = jax.make_mesh((8,), ("data",))
    rows = NamedSharding(mesh, PartitionSpec("data"))
    found = compile(graph, "jax", keep="asked", wrt=["W1"])(x=jax.device_put(x, rows), W1=jax.device_put(W1, rows))

A network that no machine holds is made with arrays of one number that stands for all, `np.broadcast_to(0.0, shape)`,
and with `backhand.limits` raised; its numbers are given at the call, each device its part.

Everything else that is given is the same on all devices; in a computation of several processes each gives the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from backhand.engines.compiled import Engine, Numbers, Task, examples, number, own
from backhand.engines.source import function_of, written


class WithJax:
    name = "jax"

    def __init__(self, task: Task) -> None:
        self._jax: Any = import_module("jax")
        self._jnp: Any = import_module("jax.numpy")
        self.task = task
        self._shapes = task.shapes
        self._written = written(task, "jax")
        self.source = self._written.text
        self._passes = function_of(self.source, {"jax": self._jax, "jnp": self._jnp})
        wide = self._jax if hasattr(self._jax, "enable_x64") else import_module("jax.experimental")
        self._wide: Any = wide.enable_x64
        self._compiled: dict[Any, Any] = {}
        self._own: Numbers = {}

    def number(self, value: Any) -> Any:
        """Arrays of JAX's stay on their devices; all else becomes NumPy's, which JAX takes as the same everywhere."""
        return value if isinstance(value, self._jax.Array) else number(value, self.task.dtype)

    def _given(self, name: str, given: Numbers) -> Any:
        if name in given:
            value = given[name]
        else:
            if name not in self._own:
                self._own[name] = own(self.task.graph, name)
            value = self._own[name]
        if isinstance(value, self._jax.Array):
            return value if value.dtype == self.task.dtype else value.astype(self.task.dtype)
        return np.asarray(value, self.task.dtype)

    def run(self, given: Numbers) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        task, passes = self.task, self._written
        with self._wide(task.dtype == "float64"):
            numbers = [self._given(name, given) for name in passes.given]
            many = examples(self._shapes, given)
            axes = tuple(
                0 if many is not None and np.ndim(given.get(n, 0.0)) > self._axes(n) else None for n in passes.given
            )
            shardings = tuple(getattr(each, "sharding", None) for each in numbers)
            key = (many, axes, shardings)
            if key not in self._compiled:
                self._compiled[key] = self._jax.jit(self._shaped(many, axes, shardings))
            kept, found = self._compiled[key](numbers)
            kept = {name: self._out(name, value, many) for name, value in kept.items()}
            found = {name: self._out(name, value, many) for name, value in found.items()}
            if task.keep == "all":
                for name in task.graph.index:
                    if name not in kept:
                        value = self._given(name, given)
                        shape = task.graph[name].shape if many is None else (many, *task.graph[name].shape)
                        kept[name] = self._out(name, self._jnp.broadcast_to(value, shape), many)
            return kept, {name: found[name] for name in task.wrt}

    def _axes(self, name: str) -> int:
        return len(self.task.graph[name].shape)

    def _out(self, name: str, value: Any, many: int | None) -> Any:
        return value if self.task.graph[name].shape or many is not None else float(value)

    def _shaped(self, many: int | None, axes: tuple[int | None, ...], shardings: tuple[Any, ...]) -> Any:
        """Both passes, each result in the shape that it has, derivatives by sharded arrays sharded like these."""
        task, passes, jnp, jax = self.task, self._written, self._jnp, self._jax
        like = {
            name: sharding
            for name, sharding, axis in zip(passes.given, shardings, axes, strict=True)
            if isinstance(sharding, jax.sharding.NamedSharding) and (axis is None) == (many is None)
        }

        def fitting(name: str, value: Any) -> Any:
            return jnp.broadcast_to(jnp.asarray(value, task.dtype), task.graph[name].shape)

        def one(*numbers: Any) -> tuple[list[Any], list[Any]]:
            values, slopes = self._passes(*numbers)
            found = dict(zip(passes.slopes, slopes, strict=True))
            return (
                [fitting(name, value) for name, value in zip(passes.values, values, strict=True)],
                [fitting(name, found.get(name, 0.0)) for name in task.wrt],
            )

        def passed(numbers: list[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
            run = one if many is None else jax.vmap(one, in_axes=axes, axis_size=many)
            values, slopes = run(*numbers)
            found = dict(zip(task.wrt, slopes, strict=True))
            for name in like.keys() & found.keys():
                found[name] = jax.lax.with_sharding_constraint(found[name], like[name])
            return dict(zip(passes.values, values, strict=True)), found

        return passed


def made(task: Task) -> Engine:
    return WithJax(task)
