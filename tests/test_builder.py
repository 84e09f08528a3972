"""Networks from Python, notebooks, and the public names."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

import backhand
from backhand.errors import ReadError, UsageError

Q3 = Path(__file__).parent.parent / "examples" / "q3.bh"


def test_the_founding_network_from_python_equals_the_one_from_the_file() -> None:
    net = backhand.Net()
    net.input(A1=-1, A2=1).target(t=3)
    weights = {"B1": (-2, 1), "B2": (1, 2), "C1": (1, -2), "C2": (-1, 0), "D": (1, -1)}
    tails = {"B1": "A", "B2": "A", "C1": "B", "C2": "B", "D": "C"}
    for head, pair in weights.items():
        for number, weight in enumerate(pair, start=1):
            net.arrow(f"{tails[head]}{number}", head, weight)
    net["L"] = (net["D"] - net["t"]) ** 2
    from_python, from_file = backhand.solve(net.graph()), backhand.solve(backhand.read(Q3))
    assert from_python.values == from_file.values
    assert from_python.derivatives == from_file.derivatives
    assert backhand.read(str(net.graph())) == net.graph()


def test_operators_functions_and_texts_make_the_same_formula() -> None:
    one, two = (backhand.Net().input(x=2, y=3) for _ in range(2))
    one["L"] = -(one["x"] - 2 * one["y"]) / one["x"] ** 2 + one.fn.tanh(1 - one["y"])
    two["L"] = "-(x - 2*y)/x^2 + tanh(1 - y)"
    assert one.graph() == two.graph()


def test_floats_are_meant_as_they_are_written() -> None:
    net = backhand.Net().input(x=0.1)
    net["L"] = net["x"] + 0.2
    assert backhand.solve(net.graph()).value("L") == Fraction(3, 10)


def test_numpy_numbers_are_read_like_floats() -> None:
    numpy = pytest.importorskip("numpy")
    net = backhand.Net().input(x=numpy.float64(0.5))
    net["L"] = net["x"] * numpy.float32(2)
    assert backhand.solve(net.graph()).value("L") == 1


def test_units_biases_shared_weights_and_symbols() -> None:
    net = backhand.Net().input(x=2, y=None)
    net.weight(w=3)
    net.arrow("x", "h", name="w").arrow("y", "g", name="w")
    net.unit("h", "relu", bias=1)
    net["L"] = net["h"] + net["g"]
    graph = net.graph()
    assert repr(backhand.solve(graph).derivative("w")) == "<2 + y>"
    assert graph["b[h]"].kind == "bias"


def test_mistakes_are_told() -> None:
    net = backhand.Net().input(x=1)
    with pytest.raises(UsageError, match="defined already"):
        net.input(x=2)
    with pytest.raises(UsageError, match="finite"):
        net.input(z=float("nan"))
    with pytest.raises(UsageError, match="no value yet"):
        _ = 1 if net["x"] else 0
    net["L"] = net["q"] + 1
    with pytest.raises(ReadError, match="q, which is defined nowhere"):
        net.graph()


def test_a_million_terms_in_one_formula_are_refused_only_when_nested() -> None:
    net = backhand.Net().input(x=1)
    total = net["x"]
    for _ in range(3000):
        total = total + net["x"]
    net["L"] = total
    assert backhand.solve(net.graph()).derivative("x") == 3001
    nested = net["x"]
    for _ in range(200):
        nested = net.fn.tanh(nested)
    with pytest.raises(backhand.LimitError):
        net.fn.tanh(nested)


def test_a_notebook_shows_a_page_markdown_and_text() -> None:
    bundle = backhand.solve(backhand.read(Q3))._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/markdown", "text/html"}
    assert "<html" not in bundle["text/html"] and "<math" in bundle["text/html"] and "<svg" in bundle["text/html"]


def test_write_and_draw(tmp_path: Path) -> None:
    graph = backhand.read(Q3)
    backhand.write(backhand.solve(graph), tmp_path / "a.html")
    backhand.write(graph, tmp_path / "q3.bh")
    assert backhand.read(tmp_path / "q3.bh") == graph
    assert backhand.draw(graph, tmp_path / "q3.svg") == (tmp_path / "q3.svg").read_text("utf-8")


def test_tidying_shortens_a_formula_in_symbols() -> None:
    pytest.importorskip("sympy")
    from backhand.core.formula import size
    from backhand.solving.tidy import tidied

    solution = backhand.solve(backhand.read("x = ?\ny = x + x\nL = y/x + 3 x - x"))
    tidy = tidied(solution)
    assert size(tidy.value("L")) < size(solution.value("L"))  # type: ignore[arg-type]
    assert repr(tidy.derivative("x")) == "<2>"


def test_the_public_names_are_those_listed() -> None:
    assert all(getattr(backhand, name) is not None for name in backhand.__all__)
    assert sorted(backhand.__all__) == sorted(set(backhand.__all__))
