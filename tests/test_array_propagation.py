"""Random layered networks against PyTorch and JAX: every value and every derivative, to 1e-9."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from random_nets import QUICKLY, Library, Net, graph_of, random_net

from backhand.core import arrays as ar
from backhand.core.propagate import Propagation, propagate
from backhand.errors import BackhandError
from backhand.solving.cross_check import cross_check

NIGHTLY = bool(os.environ.get("BACKHAND_NIGHTLY"))
NETS, PORTIONS = (20_000, 100) if NIGHTLY else (1_000, 10)
SAME = 25
"""Networks of the same layers with other numbers."""
TOLERANCE = 1e-9


def found_by_backhand(seed: int, net: Net) -> Propagation:
    try:
        found = propagate(graph_of(net), of="L", numbers="float")
        cross_check(found)
    except BackhandError as error:
        raise AssertionError(f"seed {seed}: {error}\n{net.text()}") from error
    return found


def compare(seed: int, net: Net, what: str, found: Any, expected: Any) -> None:
    found, expected = np.asarray(ar.floats(found)), np.asarray(expected, float)
    assert found.shape == expected.shape, f"seed {seed}, {what}: {found.shape}, {expected.shape}\n{net.text()}"
    size = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    assert np.all(np.abs(found - expected) <= TOLERANCE * size), (
        f"seed {seed}, {what}\n{found}\n{expected}\n{net.text()}"
    )


def moving(net: Net) -> list[str]:
    """What one may differentiate by: all but class numbers and row numbers."""
    return [
        name
        for name in net.arrays
        if not (name in ("t", "n") and np.array_equal(net.arrays[name], np.rint(net.arrays[name])))
    ]


@pytest.mark.oracle
@pytest.mark.parametrize("portion", range(PORTIONS))
def test_values_and_derivatives_against_pytorch(portion: int) -> None:
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    library = Library(torch, torch.nn.functional)
    for seed in range(portion * NETS // PORTIONS, (portion + 1) * NETS // PORTIONS):
        net = random_net(seed)
        found = found_by_backhand(seed, net)
        names = moving(net)
        tensors = {name: torch.tensor(array, requires_grad=name in names) for name, array in net.arrays.items()}
        values = net.loss(library, tensors)
        for name, value in values.items():
            compare(seed, net, name, found.value(name), value.detach().numpy())
            if value.requires_grad and not value.is_leaf:
                value.retain_grad()
        values["L"].backward()
        for name, value in values.items():
            if name in names or name not in net.arrays:
                slope = np.zeros(value.shape) if value.grad is None else value.grad.numpy()
                compare(seed, net, f"dL/d{name}", found.derivative(name), slope)


@pytest.mark.oracle
@pytest.mark.parametrize("portion", range(PORTIONS))
def test_values_and_derivatives_against_jax(portion: int) -> None:
    """JAX compiles each network, which takes it longer than all else; so the same layers come with many numbers."""
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    library = Library(jax.numpy, jax.nn)
    for seed in range(portion, NETS // SAME, PORTIONS):
        net = random_net(seed)

        def output(moved: dict[str, Any], fixed: dict[str, Any], net: Net = net) -> Any:
            values = net.loss(library, fixed | moved)
            return values["L"], values

        names = moving(net)
        compiled = jax.jit(jax.grad(output, has_aux=True), compiler_options=QUICKLY)
        for numbers in range(SAME):
            net = random_net(seed, numbers)
            found = found_by_backhand(seed, net)
            fixed = {name: array for name, array in net.arrays.items() if name not in names}
            slopes, values = compiled({name: net.arrays[name] for name in names}, fixed)
            for name, value in values.items():
                compare(seed, net, name, found.value(name), value)
            for name, slope in slopes.items():
                compare(seed, net, f"dL/d{name}", found.derivative(name), slope)


@pytest.mark.parametrize("portion", range(4))
def test_fractions_agree_with_floats(portion: int) -> None:
    """Small numbers with one decimal, so that many things are equal: corners are the same in both, and are said in both."""
    compared = 0
    for seed in range(portion, 2_000 if NIGHTLY else 80, 4):
        net = random_net(seed)
        for name, array in net.arrays.items():
            if not (name == "t" and net.lines[-2].count("kl")):
                net.arrays[name] = np.round(array, 1)
        graph = graph_of(net)
        exact = propagate(graph, of="L")
        if exact.passes is None or not exact.passes.exact:
            continue
        cross_check(exact)
        rounded = found_by_backhand(seed, net)
        for quantity in graph.quantities:
            compare(seed, net, quantity.name, rounded.value(quantity.name), ar.floats(exact.value(quantity.name)))
            compare(
                seed,
                net,
                f"dL/d{quantity.name}",
                rounded.derivative(quantity.name),
                ar.floats(exact.derivative(quantity.name)),
            )
        compared += 1
    assert compared > 10
