"""All engines give the numbers of the exact core, on random networks with kinks, zeros and places without a value.

Tolerance: 1e-9 of a number or of 1, whichever is more; the engines add in other orders. Where the core has no value,
engines have something infinite or nan, and all the same.
"""

from __future__ import annotations

import math
import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import PIPE, STDOUT
from typing import Any

import code_nets
import numpy as np
import pytest
from random_nets import graph_of, random_net

import backhand
from backhand import engines, limits
from backhand.core import arrays
from backhand.core.arrays import floats
from backhand.core.graph import Graph, Quantity
from backhand.core.notation import formula
from backhand.engines import buffers
from backhand.engines import compile as compiled
from backhand.engines.keeping import keep
from backhand.errors import BackhandError, UsageError

# Whatever numba compiles is compiled in one worker, not in each.
pytestmark = pytest.mark.xdist_group("numba")
TOLERANCE = 1e-9
NIGHTLY = bool(os.environ.get("BACKHAND_NIGHTLY"))
NUMBERS = ["0", "1", "-1", "2", "1/2", "-3/4", "3"]
Q3 = """input A1 = -1, A2 = 1
target t = 3
A1 -> B1 : -2
A2 -> B1 : 1
B1 -> L : 3
"""
FORMULAS = """{w} {a} + {u} {b} ; {a} * {b} ; {a} - {b}/2 ; {a}/{b} ; {a}^2 ; {a}^3 + {w} ; 2^{a} ; tanh({a} + {w} {b})
sigmoid({a} - 1) ; relu({a} - {b}) ; exp(-{a}^2) ; ln({a}) ; sqrt({a}) ; max({a}, {b}) ; min({w} {a}, {b}) ; abs({a})
leaky_relu({a}) ; leaky_relu({a}, {w}) ; elu({a}) ; elu({a}, {w}) ; softplus({a}) ; gelu({a}) ; silu({a} {w}) ; erf({a})
sign({a}) ; step({a}) ; sin({a}) ; cos({a} {b}) ; tan({a}) ; asin({a}) ; acos({a}/4) ; atan({a}) ; sinh({a}) ; cosh({a})
log2({a}) ; log10({a}) ; -{a} ; {w} ({a} + {b}) - {u} ; {w} {u} {a} ; pi {a} + e ; {a}^{b} ; 3 + {a} ; exp({a}^2)^3 ; {w}
(w0 {a} + w1 {b}) (w2 {a} + w3 {b}) ; 1/0.0001 {a}""".replace("\n", " ; ").split(" ; ")


def drawn(lot: random.Random) -> Graph:
    """A network of single numbers with every operation of the table in it somewhere."""
    names = ["x0", "x1", "x2"]
    weights = ["w0", "w1", "w2", "w3"]
    lines = [f"input {name} = {lot.choice(NUMBERS)}" for name in names]
    lines += [f"weight {name} = {lot.choice(NUMBERS)}" for name in weights]
    for k in range(lot.randrange(3, 14)):
        a, b, w, u = lot.choice(names), lot.choice(names), lot.choice(weights), lot.choice(weights)
        lines.append(f"q{k} = {lot.choice(FORMULAS).format(a=a, b=b, w=w, u=u)}")
        names.append(f"q{k}")
    lines.append(f"L = {names[-1]} + {names[-2]} * {names[-3]}")
    return backhand.read("\n".join(lines))


def number(value: Any) -> float | None:
    """As a float, if the core has a number; beyond 1e300 it may be infinite elsewhere."""
    try:
        found = float(value)
    except TypeError:
        return None
    return found if math.isfinite(found) and abs(found) < 1e300 else None


def close(one: float, other: float) -> bool:
    return abs(one - other) <= TOLERANCE * max(1.0, abs(other))


@pytest.mark.parametrize(
    ("engine", "count"),
    [
        ("python", 300),
        ("numpy", 300),
        ("tape", 300),
        ("jax", 3),
        ("points", 1),  # each is compiled for two seconds
        pytest.param("points", 30, marks=pytest.mark.nightly),
    ],
)
def test_engines_have_the_numbers_of_the_core(engine: str, count: int) -> None:
    without = 0
    for seed in range(count):
        graph = drawn(random.Random(seed))
        found = compiled(graph, engine)()  # type: ignore[arg-type]
        try:
            core = backhand.propagate(graph)
        except BackhandError:
            without += 1
            assert not all(math.isfinite(value) for value in found.values.values()), seed
            continue
        for kind, numbers in (("value", found.values), ("derivative", found.derivatives)):
            for name, mine in numbers.items():
                expected = number(getattr(core, kind)(name))
                assert expected is None or close(mine, expected), (seed, kind, name, mine, expected)
    assert without < count / 2


@pytest.mark.parametrize(
    ("engine", "seeds"),
    [
        ("numpy", range(30)),
        ("points", [5]),
        ("jax", [5]),
        pytest.param("points", range(30), marks=pytest.mark.nightly),
        pytest.param("jax", range(30), marks=pytest.mark.nightly),
    ],
)
def test_many_points_are_as_many_calls(engine: str, seeds: Iterable[int]) -> None:
    """Drawn points, and points on kinks and where there is no value. Infinite or nan are the same values in all. Of
    derivatives that is not so: 0 times what has no value is 0 where nothing is sent on, and nan elsewhere."""
    for seed in seeds:
        graph = drawn(random.Random(seed))
        lot = np.random.default_rng(seed)
        points = lot.normal(size=(3, 300))
        points[:, 100:200] = lot.choice([0.0, 1.0, -1.0, 2.0, -0.75], size=(3, 100))
        together = compiled(graph, engine)(x0=points[0], x1=points[1], w1=points[2])  # type: ignore[arg-type]
        alone = compiled(graph, "python")
        compared = []
        for k in (0, 31, 32, 127, 128, 299, *range(100, 120)):
            one = alone(x0=points[0, k], x1=points[1, k], w1=points[2, k])
            for name, value in one.values.items():
                found = float(np.asarray(together.values[name])[k])
                same = close(found, value) if math.isfinite(value) else not math.isfinite(found)
                assert same, (seed, k, name, found, value)
            for name, value in one.derivatives.items():
                found = float(np.asarray(together.derivatives[name])[k])
                compared.append(math.isfinite(value) and math.isfinite(found))
                assert not compared[-1] or close(found, value), (seed, k, name, found, value)
        assert sum(compared) > len(compared) / 4, seed


@pytest.mark.parametrize("engine", ["numpy", "points"])
def test_threads_change_no_bit(engine: str) -> None:
    graph = backhand.read(Q3)
    x = np.random.default_rng(0).normal(size=20_001)
    one, two = (compiled(graph, engine, threads=n)(A1=x, A2=-x) for n in (1, 2))  # type: ignore[arg-type]
    for name, value in one.derivatives.items():
        assert np.array_equal(value, two.derivatives[name])


@pytest.mark.parametrize("engine", ["numpy", "points"])
@pytest.mark.parametrize("last", ["step * rest", "tanh(step * rest)"])
def test_names_that_the_code_has_too(engine: str, last: str) -> None:
    names = "i k at held found block point first memory np math carray stream eight points passes narrow range min m0"
    lines = [f"input {', '.join(f'{name} = {0.1 * n:.1f}' for n, name in enumerate(names.split(), 1))}"]
    lines += [f"step = {' + '.join(names.split())}", "rest = step^2 / 3", f"L = {last}"]
    graph = backhand.read("\n".join(lines))
    x = np.linspace(-1, 1, 21)
    found = compiled(graph, engine)(k=x)  # type: ignore[arg-type]
    for place in (0, 7, 8, 20):
        one = backhand.propagate(backhand.read("\n".join(lines).replace("k = 0.2", f"k = {x[place]:.1f}")))
        for name in graph.index:
            assert close(float(np.asarray(found.values[name])[place]), float(one.value(name))), name
            assert close(float(np.asarray(found.derivatives[name])[place]), float(one.derivative(name))), name


def test_results_of_two_calls_are_apart() -> None:
    f = compiled(backhand.read(Q3), "points")
    one = f(A1=np.ones(100))
    kept = one.values["L"].copy()
    two = f(A1=np.zeros(100))
    assert np.array_equal(one.values["L"], kept)
    assert not np.array_equal(two.values["L"], kept)


def test_auto_compiles_a_loop_once_that_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "MANY", 250)
    f = compiled(backhand.read(Q3))
    found = [f(A1=np.zeros(100)) for _ in range(3)]
    assert [each.engine for each in found] == ["numpy", "numpy", "points"]
    assert found[2].why == "300 points so far, at least 250"
    for each in found:
        assert each.derivatives["A2"].tolist() == [3.0] * 100
    assert compiled(backhand.read(Q3), dtype="float32")(A1=np.zeros(300)).engine == "numpy"


def test_auto_says_what_it_took() -> None:
    small = compiled(backhand.read(Q3))
    assert small.engine == "python"
    assert "single numbers" in small.why
    found = small(A1=np.zeros(10))
    assert (found.engine, found.values["B1"].tolist()) == ("numpy", [1.0] * 10)
    assert compiled(backhand.read("x = [1, 2]\nL = sum(x * x)")).engine == "numpy"


@pytest.mark.parametrize("engine", ["numpy", "jax"])
def test_arrays(engine: str) -> None:
    text = "x = [1, 2]\nW = [[1, -2], [0.5, 3]]\nb = [0.1, -7]\nh = relu(W @ x + b)\nL = sum(h * h) + W[0,1]"
    graph = backhand.read(text)
    core = backhand.propagate(graph)
    found = compiled(graph, engine)()  # type: ignore[arg-type]
    for name in graph.index:
        np.testing.assert_allclose(found.values[name], np.asarray(core.value(name), float), rtol=1e-12)
        np.testing.assert_allclose(found.derivatives[name], np.asarray(core.derivative(name), float), rtol=1e-12)
    other = compiled(graph, engine, of="h[1]", wrt=["x"], keep="asked")(x=[3, 4])  # type: ignore[arg-type]
    assert set(other.values) == {"h[1]"}
    assert np.asarray(other.derivatives["x"]).tolist() == [0.5, 3.0]


def array_nets() -> list[tuple[str, Graph]]:
    """One for each operation on arrays, and drawn ones."""
    drawn_nets = [(f"net {seed}", graph_of(random_net(seed))) for seed in range(1000 if NIGHTLY else 12)]
    return [(name, backhand.read(text)) for name, text in code_nets.ARRAYS.items()] + drawn_nets


def test_arrays_on_memory_that_is_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "WORTH", 1)
    for name, graph in array_nets():
        core = backhand.propagate(graph, of="L", numbers="float")
        f = compiled(graph, of="L")
        first = f()
        kept = {by: np.copy(slope) for by, slope in first.derivatives.items()}
        for found in (f(), first):
            for by, value in found.values.items():
                np.testing.assert_allclose(value, floats(core.value(by)), rtol=1e-9, atol=1e-9, err_msg=f"{name} {by}")
            for by, slope in found.derivatives.items():
                np.testing.assert_allclose(slope, floats(core.derivative(by)), rtol=1e-9, atol=1e-9, err_msg=name)
                np.testing.assert_array_equal(slope, kept[by])
        asked = compiled(graph, of="L", keep="asked")()
        for by, slope in asked.derivatives.items():
            np.testing.assert_array_equal(slope, kept[by], err_msg=name)


def test_memory_is_used_again_once_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "WORTH", 1)
    f = compiled(backhand.read("x = [1, 2, 3]\nw = [2, 0, 1]\nh = x * w + 1\nL = sum(h * h)"))
    first = f()
    place, kept = first.values["h"].ctypes.data, first.values["h"][1:]
    second = f(x=[5, 5, 5])
    assert second.values["h"].ctypes.data != place
    assert kept.tolist() == [1.0, 4.0]
    del first, kept
    assert f().values["h"].ctypes.data == place


@pytest.mark.parametrize("engine", ["numpy", "jax"])
def test_examples_of_arrays_are_as_many_calls(engine: str) -> None:
    text = "x = [1, 2]\nW = [[1, -2], [0.5, 3]]\nk = 2\nh = tanh(W @ x) * k\nL = sum(h * h) + W[0,1]"
    f = compiled(backhand.read(text), engine)  # type: ignore[arg-type]
    lot = np.random.default_rng(0)
    x, k = lot.normal(size=(5, 2)), lot.normal(size=5)
    together = f(x=x, k=k)
    for i in range(5):
        one = f(x=x[i], k=k[i])
        for many, single in ((together.values, one.values), (together.derivatives, one.derivatives)):
            for name, value in single.items():
                np.testing.assert_allclose(many[name][i], value, rtol=1e-12, atol=1e-12, err_msg=name)
    for wrong in ({"x": x, "k": k[:4]}, {"x": lot.normal(size=3)}, {"W": lot.normal(size=(2, 2, 2, 2))}):
        with pytest.raises(UsageError):
            f(wrong)


def test_a_network_that_no_machine_holds_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its arrays are one number that stands for all; the real ones are given at a call, each device its part."""
    monkeypatch.setattr(limits, "ELEMENTS", 10**12)
    monkeypatch.setattr(limits, "TOGETHER", 10**12)
    shapes = {"x": (8, 100_000), "W": (100_000, 100_000)}
    given = [arrays.given(name, "input", None, np.broadcast_to(0.0, shape)) for name, shape in shapes.items()]
    computed = [Quantity("h", "computed", formula("tanh(x @ W)")), Quantity("L", "computed", formula("mean(h * h)"))]
    f = compiled(Graph.of([*given, *computed]), "jax", wrt=["W"], keep="asked")
    assert "dL_dW = x.T @" in f.source


def test_jax_over_two_processes_of_two_devices() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = Path(__file__).parent / "sharded.py"
    env = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    parts = [
        subprocess.Popen([sys.executable, script, str(port), str(k)], env=env, stdout=PIPE, stderr=STDOUT, text=True)
        for k in range(2)
    ]
    said = [part.communicate(timeout=240)[0] for part in parts]
    assert [part.returncode for part in parts] == [0, 0], said
    assert [text.split()[-1] for text in said] == ["same", "same"], said


def test_threads_share_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "WORTH", 1)
    f = compiled(backhand.read("x = [1, 2, 3]\nW = [[1, 2, 0], [0, 1, 4], [3, 3, 3]]\nh = tanh(W @ x)\nL = sum(h * h)"))
    given = [np.random.default_rng(k).normal(size=3) for k in range(200)]
    expected = [f(x=x).derivatives["W"].copy() for x in given]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda x: f(x=x).derivatives["W"], given))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("engine", ["numpy", "jax"])
def test_in_single_precision(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "WORTH", 1)
    for name in ("softmax", "losses", "norms", "heads", "rows", "channels")[: 2 if engine == "jax" else None]:
        graph = backhand.read(code_nets.ARRAYS[name])
        exact = compiled(graph, "numpy")()
        found = compiled(graph, engine, dtype="float32")()  # type: ignore[arg-type]
        for by, slope in found.derivatives.items():
            assert not np.shape(slope) or np.asarray(slope).dtype == np.float32, (name, by)
            np.testing.assert_allclose(slope, exact.derivatives[by], rtol=2e-4, atol=2e-5, err_msg=f"{name} {by}")


def test_what_is_asked_wrongly_is_said() -> None:
    graph = backhand.read(Q3)
    for wrong in (
        lambda: compiled(graph, "cobol"),  # type: ignore[arg-type]
        lambda: compiled(graph, "python")(A1=np.zeros(3)),
        lambda: compiled(graph)(B1=2),
        lambda: compiled(graph)(nobody=2),
        lambda: compiled(graph)(A1=np.zeros(3), A2=np.zeros(4)),
        lambda: compiled(graph, wrt=["A1"], keep="some"),  # type: ignore[arg-type]
        lambda: compiled(graph, "python", dtype="float32"),
        lambda: compiled(graph, dtype="float16"),  # type: ignore[arg-type]
        lambda: compiled(backhand.read("x = [1, 2]\nL = sum(x)"), "python"),
    ):
        with pytest.raises(UsageError):
            wrong()


# -- the tape from arrays ---------------------------------------------------------------------------------------------


def layered(width: int, layers: int) -> tuple[list[str], list[int], list[int], np.ndarray, np.ndarray]:
    """Dense layers of tanh, then a square; node 0 is 1."""
    lot = np.random.default_rng(1)
    functions = ["input"] * (1 + width) + ["tanh"] * (width * layers) + ["square"]
    source = [1 + k * width + j for k in range(layers) for _ in range(width) for j in range(width)]
    source += [*range(1 + layers * width, 1 + (layers + 1) * width), 0]
    degrees = [0] * (1 + width) + [width] * (width * layers) + [width + 1]
    start = [0, *np.cumsum(degrees).tolist()]
    weight = lot.uniform(-1, 1, len(source)) / math.sqrt(width)
    return functions, start, source, weight, np.array([1.0, *lot.uniform(-1, 1, width)])


@pytest.mark.parametrize("width", [13, 16, 18])
def test_dense_blocks_are_found_and_right(width: int) -> None:
    from backhand.engines.tape import network

    functions, start, source, weight, inputs = layered(width, 3)
    net = network(functions, start, source, weight, inputs)
    assert net.segments[:, 0].sum() == 3
    net.run(expand=True)
    written = net.slopes().copy()
    x, adjoints = net.values.copy(), net.adjoints.copy()
    net.run()
    np.testing.assert_allclose(net.slopes(), written, rtol=1e-13)
    np.testing.assert_allclose(net.slopes(3, 40), written[3:40], rtol=1e-13)
    for k in (0, width, len(weight) - 1):
        ends = []
        for step in (1e-6, -1e-6):
            moved = weight.copy()
            moved[k] += step
            ends.append(network(functions, start, source, moved, inputs).run().values[-1])
        assert abs((ends[0] - ends[1]) / 2e-6 - written[k]) < 1e-7
    assert np.array_equal(net.values, x)
    assert np.array_equal(net.adjoints, adjoints)


@pytest.mark.parametrize("width", [13, 16])
def test_streamed_memory_gives_the_same(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    from backhand.engines import tape

    plan = layered(width, 2)
    expected = tape.network(*plan).run(expand=True)
    monkeypatch.setattr(tape, "STREAMED", 1)
    streamed = tape.network(*plan).run(expand=True)
    assert np.array_equal(streamed.slopes(), expected.slopes())
    monkeypatch.setattr(tape, "DENSE", 10**9)
    edge_by_edge = tape.network(*plan).run(expand=True)
    assert not edge_by_edge.segments[:, 0].any()
    np.testing.assert_allclose(edge_by_edge.slopes(), expected.slopes(), rtol=1e-12)
    np.testing.assert_allclose(edge_by_edge.adjoints, expected.adjoints, rtol=1e-12)


@pytest.mark.parametrize(("width", "function"), [(37, "tanh"), (40, "relu"), (41, "softplus")])
@pytest.mark.parametrize("first", [True, False])
def test_biases_belong_to_dense_blocks_and_threads_change_no_bit(
    monkeypatch: pytest.MonkeyPatch, width: int, function: str, first: bool
) -> None:
    """Against the same network edge by edge. Three parts, so that they are cut where widths are no multiples."""
    from backhand.engines import tape

    functions, _, source, weight, inputs = layered(width, 3)
    functions = [function if name == "tanh" else name for name in functions]
    rows = np.reshape(source[: 3 * width * width], (3 * width, width))
    bias = np.zeros((3 * width, 1), int)
    source = [*np.hstack([bias, rows] if first else [rows, bias]).reshape(-1).tolist(), *source[3 * width * width :]]
    weight = np.random.default_rng(2).uniform(-1, 1, len(source)) / math.sqrt(width)
    start = [0, *np.cumsum([0] * (1 + width) + [width + 1] * (3 * width + 1)).tolist()]
    plan = functions, start, source, weight, inputs
    one = tape.network(*plan).run(expand=True)
    assert one.segments[:, 0].sum() == 3
    # where node 0 comes first, the first layer reads one range with it at its beginning
    assert one.segments[one.segments[:, 0] == 1, 6].tolist() == [-1 if first else 0, 0, 0]
    monkeypatch.setattr(tape, "SHARED", 1)
    monkeypatch.setattr(tape, "cores", lambda: 3)
    three = tape.network(*plan, threads=3).run(expand=True)
    for name in ("values", "adjoints"):
        assert np.array_equal(getattr(one, name), getattr(three, name)), name
    assert np.array_equal(one.slopes(), three.slopes())
    np.testing.assert_allclose(one.run().slopes(), three.slopes(), rtol=1e-13)
    nodes = one.pairs().nodes
    monkeypatch.setattr(tape, "DENSE", 10**9)
    by_edges = tape.network(*plan).run(expand=True)
    np.testing.assert_allclose(three.adjoints, by_edges.adjoints, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(three.slopes(), by_edges.slopes(), rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(nodes, by_edges.pairs().nodes, rtol=1e-11, atol=1e-14)


def test_nothing_goes_back_from_where_the_derivative_is_0() -> None:
    """Behind a relu that is closed there may be anything, infinities too, in dense blocks as elsewhere."""
    from backhand.engines.tape import network

    functions, start, source, weight, inputs = layered(16, 1)
    functions = ["relu" if name == "tanh" else name for name in functions]
    weight[16 * 3 : 16 * 4] = -math.inf
    inputs[:] = np.abs(inputs)
    net = network(functions, start, source, weight, inputs).run(expand=True)
    assert net.segments[:, 0].any()
    assert (net.slopes()[16 * 3 : 16 * 4] == 0).all()
    assert np.isfinite(net.adjoints).all()
    assert np.isfinite(net.slopes()).all()


def test_drawn_layers_run_as_dense_blocks() -> None:
    from backhand.engines.tape import Tape

    width = 14
    text = [f"input x{j} = {j % 5 - 2}" for j in range(width)]
    before = [f"x{j}" for j in range(width)]
    for layer in "gh":
        for i in range(width):
            text += [f"weight w[{name},{layer}{i}] = {(3 * i + j) % 7 - 3}/8" for j, name in enumerate(before)]
            text.append(f"bias b[{layer}{i}] = {i % 3}/4")
            products = [f"w[{name},{layer}{i}] {name}" for name in before]
            text.append(f"{layer}{i} = tanh({' + '.join([*products, f'b[{layer}{i}]'])})")
        before = [f"{layer}{i}" for i in range(width)]
    text.append(f"L = ({' + '.join(before)})^2")
    graph = backhand.read("\n".join(text))
    engine = compiled(graph, "tape")
    tape = engine._engine
    assert isinstance(tape, Tape)
    assert tape.network.segments[:, 0].sum() == 2
    core = backhand.propagate(graph)
    found = engine()
    assert all(close(value, float(core.derivative(name))) for name, value in found.derivatives.items())


def test_arrays_that_are_no_network_are_said() -> None:
    from backhand.engines.tape import network

    for wrong in (
        (["input", "sum"], [0, 0, 1], [1], [1.0], [2.0]),  # reads itself
        (["input", "product"], [0, 0, 1], [0], [1.0], [2.0]),  # one edge cannot be halved
        (["input", "sum"], [0, 0, 2], [0], [1.0], [2.0]),
        (["input", "cobol"], [0, 0, 1], [0], [1.0], [2.0]),
        (["input", "sum"], [0, 0, 1], [0], [1.0], []),
    ):
        with pytest.raises(UsageError):
            network(*wrong)


def test_a_long_chain_needs_no_recursion() -> None:
    text = "x0 = 0.5\nweight w = 1.0001\n" + "\n".join(f"x{k} = w x{k - 1}" for k in range(1, 3001)) + "\nL = x3000^2"
    graph = backhand.read(text)
    found = compiled(graph)()
    assert found.engine == "tape"
    expected = compiled(graph, "python")()
    for name in ("x0", "w", "x1500"):
        assert found.derivatives[name] == pytest.approx(expected.derivatives[name], rel=1e-9)


def test_all_pairs_are_as_many_runs() -> None:
    from backhand.engines.tape import network

    for plan in (
        layered(13, 2),
        (
            ["input", "input", "product", "ln", "quotient"],
            [0, 0, 0, 2, 3, 5],
            [0, 1, 2, 3, 0],
            [2.0, 3, 1, 5, 1],
            [1.5, 2.5],
        ),
    ):
        net = network(*plan)
        pairs = net.pairs()
        nodes, weights = pairs.nodes, pairs.weights()
        for low, high in ((0, len(net.codes)), (2, len(net.codes) - 1)):
            fresh = pairs.weights(low, high)
            np.testing.assert_array_equal(pairs.weights(low, high, out=np.full_like(fresh, 7.0)), fresh)
        with pytest.raises(UsageError):
            pairs.weights(out=np.empty((2, 2)))
        for j in range(len(net.codes)):
            net.run(j, expand=True)
            np.testing.assert_allclose(nodes[j], net.adjoints, rtol=1e-12, atol=1e-15)
            np.testing.assert_allclose(weights[j], net.slopes(), rtol=1e-12, atol=1e-15)


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = backhand.read("W = [[1, 2], [3, 4]]\nx = [1, 1]\nL = sum(W @ x)")
    kept, said = tmp_path / "out.npz", []
    assert keep(graph, str(kept), say=said.append) == "L"
    assert said[0] == "preparing 3 quantities"
    assert said[1].startswith("computing (numpy")
    assert said[2:] == [f"writing {k} of 6 arrays" for k in range(1, 7)]
    with np.load(kept) as found:
        assert sorted(found) == sorted(f"{kind}:{name}" for kind in ("value", "derivative") for name in "WxL")
        assert found["derivative:x"].tolist() == [4.0, 6.0]
    before = kept.read_bytes()

    def broken(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(np.lib.format, "write_array", broken)
    with pytest.raises(KeyboardInterrupt):
        keep(graph, str(kept))
    assert [path.name for path in tmp_path.iterdir()] == ["out.npz"]
    assert kept.read_bytes() == before
    with pytest.raises(UsageError, match="cannot be written"):
        keep(graph, str(tmp_path / "nowhere" / "out.npz"))


@pytest.mark.skipif(sys.platform == "win32", reason="no such terminals there")
def test_progress_is_shown_on_a_terminal_only(tmp_path: Path) -> None:
    net = tmp_path / "net.bh"
    net.write_text(Q3, "utf-8")
    command = [sys.executable, "-m", "backhand", "solve", str(net), "--values", str(tmp_path / "out.npz")]
    quiet = subprocess.run(command, capture_output=True, text=True, check=True)
    assert quiet.stderr == ""
    ours, theirs = os.openpty()
    shown = subprocess.run(command, stdout=PIPE, stderr=theirs, text=True, check=True)
    os.close(theirs)
    words = os.read(ours, 10_000).decode()
    os.close(ours)
    assert shown.stdout == quiet.stdout
    assert "computing (python" in words
    assert words.endswith("\r\x1b[K")


def test_values_to_a_file(tmp_path: Any) -> None:
    from click.testing import CliRunner

    from backhand.cli import backhand as command

    net = tmp_path / "net.bh"
    net.write_text(Q3, "utf-8")
    kept = tmp_path / "values.npz"
    done = CliRunner().invoke(command, ["solve", str(net), "--values", str(kept)])
    assert done.exit_code == 0, done.output
    with np.load(kept) as found:
        names = found["names"].tolist()
        position = names.index("A1")
        assert (found["values"][position], found["derivatives"][position]) == (-1.0, -6.0)
        assert found["values"][names.index("L")] == 9.0
