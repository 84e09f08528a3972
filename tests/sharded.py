"""One of two processes that compute a network together: its examples shared out, and then its weights.

Run by tests/test_engines.py as `sharded.py PORT NUMBER`, each with two devices. Prints `same` where the numbers are those
of the engine `numpy`, and what comes back lies where it should.
"""

from __future__ import annotations

import sys

import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

import backhand
from backhand.engines import compile as compiled

NET = """X = {x}
W = {w}
b = {b}
V = {v}
H = tanh(X @ W + b)
Y = H @ V
L = mean(Y * Y)"""


def net(lot: np.random.Generator) -> tuple[backhand.Graph, dict[str, np.ndarray]]:
    numbers = {name: lot.normal(size=size) for name, size in zip("XWbV", ((8, 3), (3, 4), (4,), (4, 2)), strict=True)}
    return backhand.read(NET.format(**{name.lower(): array.tolist() for name, array in numbers.items()})), numbers


def spread(array: np.ndarray, mesh: jax.sharding.Mesh, *axes: str | None) -> jax.Array:
    """Each device gets its part of an array that every process has."""
    return jax.make_array_from_callback(
        array.shape, NamedSharding(mesh, PartitionSpec(*axes)), lambda place: array[place]
    )


def agree(found: jax.Array, expected: np.ndarray) -> None:
    """This process looks at the parts that lie with it."""
    for part in found.addressable_shards:
        np.testing.assert_allclose(part.data, expected[part.index], rtol=1e-12, atol=1e-12)


def main(port: str, process: str) -> None:
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    graph, numbers = net(np.random.default_rng(0))
    expected = compiled(graph, "numpy")()
    f = compiled(graph, "jax")

    jax.distributed.initialize(f"127.0.0.1:{port}", 2, int(process))
    assert (jax.device_count(), jax.local_device_count()) == (4, 2)
    alone = jax.sharding.Mesh(np.array(jax.local_devices()), ("part",))  # the two devices of this process
    together = jax.sharding.Mesh(np.array(jax.devices()), ("part",))
    for mesh in (alone, together):
        examples = {"X": spread(numbers["X"], mesh, "part", None)}
        layers = {
            "W": spread(numbers["W"], mesh, None, "part"),
            "b": spread(numbers["b"], mesh, "part"),
            "V": spread(numbers["V"], mesh, "part", None),
        }
        given = examples | layers
        found = f(given)
        assert abs(found.values["L"] - expected.values["L"]) < 1e-12
        for name, slope in expected.derivatives.items():
            if graph[name].shape:
                agree(found.derivatives[name], slope)
        for name, array in given.items():
            slope = found.derivatives[name]
            assert slope.sharding.is_equivalent_to(array.sharding, array.ndim), name
            assert all(part.data.size < array.size for part in slope.addressable_shards), name
    print("same")


if __name__ == "__main__":
    main(*sys.argv[1:])
