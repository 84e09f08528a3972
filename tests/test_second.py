"""Second derivatives: against differences of first ones, SymPy and JAX, and what is written about them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_graphs import SMOOTH, random_graph

import backhand
from backhand.cli import run
from backhand.core.elements import expanded
from backhand.core.formula import to_text
from backhand.core.graph import Graph
from backhand.core.propagate import Numbers
from backhand.errors import BackhandError, LimitError, UsageError
from backhand.numbers import as_float
from backhand.solving.second import Second, second_derivatives

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_by_hand() -> None:
    found = second_derivatives(backhand.read("x = 3\ny = 2\nL = x^2 y"))
    assert found.rows == {"x": {"x": 4, "y": 6}, "y": {"x": 6, "y": 0}}
    assert found.gradient == {"x": 12, "y": 9}
    assert found.symmetric and found.by == ("x", "y")


def test_exact_numbers_stay_exact() -> None:
    found = second_derivatives(backhand.read("weight w = 1/3\nx = 1/7\nh = w x + 1/2\nL = h^3/w"))
    assert all(isinstance(value, Fraction) for row in found.rows.values() for value in row.values())


def test_by_what_is_asked() -> None:
    graph = backhand.read("input x = 1\nweight w = 2\nbias b = 3\ntarget t = 4\nu = 5\nL = (w x + b - t)^2")
    assert second_derivatives(graph).by == ("x", "w", "b")
    assert second_derivatives(graph, by=["t", "w"]).rows["t"] == {"t": 2, "w": -2}
    assert second_derivatives(graph, by=["u", "w"]).rows == {"u": {"u": 0, "w": 0}, "w": {"u": 0, "w": 2}}


def test_a_derivative_that_has_no_value_is_not_asked_for_in_passing() -> None:
    """x^n by n has none at x = 0; by x it has."""
    found = second_derivatives(backhand.read("x = 0\nconstant n = 2\nL = x^n + x"))
    assert found.rows == {"x": {"x": 2}}


def test_symbols_against_sympy() -> None:
    sympy = pytest.importorskip("sympy")
    graph = backhand.read("x = ?\ny = ?\nh = sin(x y) + x^3\nL = h^2/y + exp(x)")
    found = second_derivatives(graph)
    x, y = sympy.symbols("x y")
    loss = (sympy.sin(x * y) + x**3) ** 2 / y + sympy.exp(x)
    for one, name in ((x, "x"), (y, "y")):
        for other, second in ((x, "x"), (y, "y")):
            text = to_text(found.rows[name][second])  # type: ignore[arg-type]
            at = {"x": 0.7, "y": 1.3}
            net = backhand.read(f"x = 0.7\ny = 1.3\nh = sin(x y) + x^3\nvalue = {text}")
            mine = as_float(backhand.solve(net, of="value").value("value"))  # type: ignore[arg-type]
            assert math.isclose(mine, float(loss.diff(one, other).subs(at)), rel_tol=1e-12)


def moved(graph: Graph, name: str, step: Fraction) -> Graph:
    quantities = [
        replace(q, given=q.given + step, definition=None) if q.name == name else q  # type: ignore[operator]
        for q in graph.quantities
    ]
    return Graph(tuple(quantities))


@pytest.mark.parametrize("batch", range(10))
def test_random_networks_against_differences_of_first_derivatives(batch: int) -> None:
    for seed in range(20 * batch, 20 * batch + 20):
        graph = random_graph(seed, SMOOTH, 10)
        of, _ = graph.output(None)
        try:
            found = second_derivatives(graph)
        except UsageError:
            continue  # the output depends on no input
        h = Fraction(1, 10**6)
        for name in found.by:
            above, below = (backhand.propagate(moved(graph, name, s * h), of=of) for s in (1, -1))
            for other in found.by:
                upper, lower = (as_float(p.derivative(other)) for p in (above, below))  # type: ignore[arg-type]
                expected = (upper - lower) / (2 * float(h))
                value = as_float(found.rows[other][name])  # type: ignore[arg-type]
                if math.isfinite(value) and math.isfinite(expected):
                    size = max(abs(upper), abs(lower), abs(value), 1.0)
                    assert abs(value - expected) < 2e-4 * size, (seed, name, other)


# -- arrays ----------------------------------------------------------------------------------------------------------

NETS: dict[str, tuple[str, str]] = {
    "mlp": (
        """weight W1 = [[0.15, 0.2], [0.25, 0.3], [-0.1, 0.4]]
        bias b1 = [0.35, 0.3, 0.1]
        weight W2 = [[0.4, 0.45, 0.1], [0.5, 0.55, -0.2]]
        x = [0.5, -1]
        h = tanh(W1 @ x + b1)
        L = cross_entropy_logits(W2 @ h, [0, 1])""",
        "-jax.nn.log_softmax(p['W2'] @ np_.tanh(p['W1'] @ p['x'] + p['b1']))[1]",
    ),
    "batch": (
        """X = [[1, 2], [0.5, -1], [2, 0.25]]
        weight W = [[0.5, -0.25], [1, 0.75]]
        bias b = [0.1, -0.2]
        L = mean((softmax(X @ W + b) - [[1, 0], [0, 1], [1, 0]])^2)""",
        "np_.mean((jax.nn.softmax(p['X'] @ p['W'] + p['b']) - np_.array([[1, 0], [0, 1], [1, 0]]))**2)",
    ),
    "convolution": (
        """image = [[1, 2, 0], [0.5, -1, 1], [2, 0.25, 1]]
        weight K = [[0.5, -0.25], [1, 0.75]]
        L = sum(sigmoid(conv2d(image, K))^2)""",
        "np_.sum(jax.nn.sigmoid(sum(p['image'][i:i + 2, j:j + 2]*p['K'][i, j] for i in (0, 1) for j in (0, 1)))**2)",
    ),
    "normalised": (
        """X = [[1, 2], [0.5, -1], [2, 0.25]]
        weight g = [0.5, 2]
        bias b = [0.1, -0.2]
        L = sum(batchnorm(X, g, b)^3)""",
        "np_.sum(((p['X'] - p['X'].mean(0))/np_.sqrt(p['X'].var(0))*p['g'] + p['b'])**3)",
    ),
    "attention": (
        """Q = [[0.5, 1], [-1, 0.25]]
        K = [[1, 0.5], [0.25, -0.5]]
        V = [[1, 2], [3, -1]]
        L = sum(attention(Q, K, V)^2)""",
        "np_.sum((jax.nn.softmax(p['Q'] @ p['K'].T/np_.sqrt(2.0)) @ p['V'])**2)",
    ),
    "taken apart": (
        """x = [1, 2, 3, 4]
        weight W = [[0.5, 1], [2, -1]]
        y = reshape(x, 2, 2) @ W.T
        L = y[0, 1]^3 x[2] + mean(concat(y[1], x[0:2])) y[1, 0] + outer(x[0:2], W[0])[1, 0]^2""",
        """(lambda y: y[0, 1]**3*p['x'][2] + np_.mean(np_.concatenate([y[1], p['x'][0:2]]))*y[1, 0]
        + (p['x'][1]*p['W'][0, 0])**2)(p['x'].reshape(2, 2) @ p['W'].T)""",
    ),
}


@pytest.mark.parametrize("name", NETS)
def test_arrays_against_jax(name: str) -> None:
    jax = pytest.importorskip("jax")
    text, loss = NETS[name]
    graph = backhand.read(text)
    whole = [q.name for q in graph.quantities if not q.computed]
    function: Callable[..., Any] = eval(f"lambda p: {loss}", {"jax": jax, "np_": jax.numpy, "sum": sum})
    with jax.enable_x64(True):
        given = {name: jax.numpy.asarray(np.asarray(graph[name].array, float)) for name in whole}
        hessian = jax.jit(jax.hessian(function))(given)  # one compilation, not one for every operation
    several: list[Numbers] = ["exact", "float"]
    for numbers in several:
        found = second_derivatives(graph, numbers=numbers)
        assert found.symmetric
        agree(found, given, hessian)


def agree(found: Second, given: dict[str, Any], hessian: Any) -> None:
    """Whether all blocks are those of JAX."""
    whole = list(given)
    for one in whole:
        for other in whole:
            expected = np.asarray(hessian[one][other]).reshape(given[one].size, -1)
            mine = [
                [as_float(v) for key, v in found.rows[row].items() if key.startswith(f"{other}[")]  # type: ignore[arg-type]
                for row in found.by
                if row.startswith(f"{one}[")
            ]
            np.testing.assert_allclose(mine, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in NETS if name != "normalised"])
def test_arrays_and_their_elements_agree(name: str) -> None:
    graph = backhand.read(NETS[name][0])
    whole, single = second_derivatives(graph), second_derivatives(expanded(graph), of="L")
    for one in whole.by:
        for other in whole.by:
            pair = (whole.rows[one][other], single.rows[one][other])
            assert as_float(pair[0]) == pytest.approx(as_float(pair[1]), rel=1e-12, abs=1e-14)  # type: ignore[arg-type]


def test_elements_and_an_element_of_an_array_as_the_output() -> None:
    graph = backhand.read("W = [[1, 2], [3, 4]]\nx = [2, 3]\ny = (W @ x)^2")
    found = second_derivatives(graph, of="y[1]", by=["W[1,0]", "x"])
    assert found.by == ("W[1,0]", "x[0]", "x[1]")
    assert found.rows["W[1,0]"] == {"W[1,0]": 8, "x[0]": 2 * 18 + 12, "x[1]": 16}


# -- corners, limits, mistakes ------------------------------------------------------------------------------------------


def test_a_corner_is_said() -> None:
    found = second_derivatives(backhand.read("weight w = 0\nx = 3\nL = relu(w x) + x^2"))
    assert found.rows["x"]["x"] == 2 and not found.symmetric
    assert any("no second derivative" in notice.words for notice in found.notices)


def test_mistakes_are_told() -> None:
    small = backhand.read("a = 1\ny = 2 a\nL = y^2")
    with pytest.raises(UsageError, match="y is computed"):
        second_derivatives(small, by=["y"])
    with pytest.raises(UsageError, match="no quantity q"):
        second_derivatives(small, by=["q"])
    array = backhand.read("W = [1, 2]\nL = sum(W^2)\ny = 2 W")
    with pytest.raises(UsageError, match="y is an array"):
        second_derivatives(array, of="y")
    with pytest.raises(BackhandError, match=r"no element W\[5\]"):
        second_derivatives(array, of="L", by=["W[5]"])
    with pytest.raises(UsageError, match="no input, weight or bias"):
        second_derivatives(backhand.read("target t = 1\nL = t^2"))
    with pytest.raises(BackhandError, match="no value"):
        second_derivatives(backhand.read("x = 0\nL = sqrt(x)"))


def test_too_many_are_refused_before_they_are_made() -> None:
    with pytest.raises(LimitError, match="--wrt"):
        second_derivatives(backhand.read("weight W = ones(100, 100)\nL = sum(W^2)"))
    names = [f"x{n}" for n in range(2000)]
    large = backhand.read("".join(f"{name} = 1\n" for name in names) + f"L = {' + '.join(names)}")
    with pytest.raises(LimitError, match="--wrt"):
        second_derivatives(large)


# -- what is written ----------------------------------------------------------------------------------------------------


def said(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    assert run([*args]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_the_table_and_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    q3 = str(EXAMPLES / "q3.bh")
    text = said(capsys, "solve", q3, "--second", "--wrt", "A1", "--wrt", "A2", "--wrt", "L")
    assert "Second derivatives of L" in text and "the table is symmetric" in text
    made = json.loads(said(capsys, "solve", q3, "--second", "--format", "json"))
    row = made["second_derivatives"]["L"]["A1"]
    assert row["A1"] == 2 * 6 * 6 == int(made["exact_second_derivatives"]["L"]["A1"]["A1"]), "D moves by -6 with A1"
    assert "second_derivatives" not in json.loads(said(capsys, "solve", q3, "--format", "json"))


@pytest.mark.parametrize("net", ["mazur", "softmax-net", "symbolic", "lstm"])
@pytest.mark.parametrize("format_", ["text", "markdown", "latex", "html", "json"])
def test_every_format(net: str, format_: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(EXAMPLES / f"{net}.bh")
    plain, more = (said(capsys, "solve", path, "--format", format_, *option) for option in ((), ("--second",)))
    assert len(more) > len(plain)
