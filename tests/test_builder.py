"""Networks from Python, notebooks, and the public names."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

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


# -- arrays ----------------------------------------------------------------------------------------------------------


def test_arrays_from_python_equal_those_of_a_file() -> None:
    numpy = pytest.importorskip("numpy")
    net = backhand.Net()
    net.weight(W1=[[1, 2], [3, Fraction(1, 2)]]).input(x=numpy.array([0.1, 1], numpy.float32), y="[1, 2]")
    net["z"] = net["W1"] @ net["x"] + net["y"]
    net["q"] = [net["z"][0], 2]
    net["r"] = numpy.array([[1, 2], [3, 4]]) @ net["z"]
    net["s"] = (net["q"] + net["r"])[::-1] * net["W1"].T[1, 0:2]
    net["L"] = net.fn.sum(net["W1"].T * net["z"][0:1], axis=0, keepdims=True)[0, -1] + net.fn.max(net["s"])
    graph = net.graph()
    assert graph == backhand.read(
        """
        weight W1 = [[1, 2], [3, 1/2]]
        x = [0.1, 1]
        y = [1, 2]
        z = W1 @ x + y
        q = [z[0], 2]
        r = [[1, 2], [3, 4]] @ z
        s = (q + r)[::-1]*W1.T[1, 0:2]
        L = sum(W1.T*z[0:1], axis=0, keepdims=true)[0, -1] + max(s)
        """
    )
    assert backhand.read(str(graph)) == graph
    assert backhand.propagate(graph).value("z").tolist() == [Fraction(31, 10), Fraction(28, 10)]  # type: ignore[union-attr]


def test_functions_with_options() -> None:
    net = backhand.Net().input(x=[[1, 2, 3], [4, 5, 6]], t=[0, 2])
    x = net["x"]
    net["a"] = net.fn.reshape(x, shape=(3, 2))
    net["b"] = net.fn.reshape(x, 3, -1)
    net["c"] = net.fn.concat([x, x], axis=1)
    net["d"] = net.fn.mean(x, axis=(0, 1), keepdims=False)
    net["e"] = net.fn.one_hot(net["t"], size=3)
    net["f"] = net.fn.transpose(x, axes=(1, 0))
    net["g"] = net.fn.max(x, axis=None) + net.fn.zeros(2)
    graph = net.graph()
    shapes = {"a": (3, 2), "b": (3, 2), "c": (2, 6), "d": (), "e": (2, 3), "f": (3, 2), "g": (2,)}
    assert {name: graph[name].shape for name in shapes} == shapes
    assert backhand.read(str(graph)) == graph


def test_numpy_arrays_of_every_kind() -> None:
    numpy = pytest.importorskip("numpy")
    for kind in ("<f8", ">f8", "f4", "f2", "i8", ">i4", "u1", "?", object):
        array = numpy.array([[0, 1], [1, 0]]).astype(kind)
        net = backhand.Net().input(x=array)
        net["L"] = net.fn.sum(net["x"][0])
        assert backhand.propagate(net.graph()).value("L") == 1
    large = numpy.full((400, 400), 0.25)
    net = backhand.Net().weight(W=large)
    net["L"] = net.fn.mean(net["W"])
    assert backhand.propagate(net.graph()).value("L") == 0.25


LISTS: list[tuple[list[Any], str]] = [
    ([[1, 2], [3]], r"rows of W are not alike: a vector of 2 beside a vector of 1"),
    ([[1, 2], 3], "not alike"),
    ([1, [2]], "not alike"),
    ([], "W is empty"),
    ([[], []], "W is empty"),
    ([1, "a"], "'a' is no number"),
    ([1, None], "None is no number"),
    ([float("nan")], "finite"),
    ([1, 2j], "no number"),
]


@pytest.mark.parametrize(("value", "words"), LISTS)
def test_lists_that_are_no_arrays(value: list[Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        backhand.Net().weight(W=value)


def test_numpy_arrays_that_are_none() -> None:
    numpy = pytest.importorskip("numpy")
    for array, words in (
        (numpy.array([1, 2j]), "complex"),
        (numpy.array(["a"]), "real numbers"),
        (numpy.array([[1, numpy.inf]]), r"inf at the element \[0, 1\]"),
        (numpy.zeros((0, 3)), "empty"),
    ):
        with pytest.raises(UsageError, match=words):
            backhand.Net().weight(W=array)


def test_mistakes_with_arrays_are_told() -> None:
    net = backhand.Net().input(x=[1, 2])
    with pytest.raises(UsageError, match="no place in an array"):
        net["x"]["a"]  # type: ignore[index]
    with pytest.raises(UsageError, match="no length yet"):
        list(net["x"])
    with pytest.raises(UsageError, match=r"numpy\.load"):
        net["y"] = 'load("W.npy")'
    with pytest.raises(AttributeError, match="load"):
        net.fn.load("W.npy")
    with pytest.raises(ReadError, match="not told axs"):
        net.fn.sum(net["x"], axs=0)
    net["y"] = net["x"] @ [[1, 2, 3]]
    with pytest.raises(ReadError, match="the left side has 2 elements, the right side 1 row"):
        net.graph()
