"""Networks from ordinary Python functions."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from backward_code import PROGRAMS

import backhand
from backhand import fn, trace
from backhand.core.tracing import kind_of


def lines(graph):
    return str(graph).strip().splitlines()


def test_a_function_of_numbers():
    def f(x, w, b):
        z = w * x + b
        a = fn.tanh(z)
        return (a - 1) ** 2

    graph = trace(f, x=2, w=0.5, b=-1)
    assert lines(graph) == [
        "input x = 2", "weight w = 0.5", "bias b = -1", "z = w*x + b", "a = tanh(z)", "L = (a - 1)^2",
    ]  # fmt: skip
    assert backhand.read(str(graph)) == graph


def test_a_function_of_arrays():
    def f(X, W1, b1, W2, t):
        z = X @ W1 + b1
        h = np.maximum(z, 0)
        y = h.dot(W2)
        return np.mean((y - t) ** 2)

    graph = trace(f, X=[[1, 2], [3, 4]], W1=np.eye(2), b1=[0, 1], W2=[[1], [2]], t=[[1], [2]])
    assert lines(graph)[5:] == ["z = X @ W1 + b1", "h = relu(z)", "y = h @ W2", "L = mean((y - t)^2)"]
    assert [graph[name].kind for name in ("X", "W1", "b1", "t")] == ["input", "weight", "bias", "target"]


def test_the_same_function_runs_without_being_traced():
    def f(x, W):
        return fn.softmax(fn.relu(W @ x), axis=-1).sum() * fn.sigmoid(0.0) + fn.max(1.0, 2.0)

    assert f(np.array([1.0, 2.0]), np.eye(2)) == pytest.approx(2.5)
    assert "softmax(relu(W @ x))" in str(trace(f, x=[1, 2], W=[[1, 0], [0, 1]]))


def test_a_name_bound_again_keeps_its_earlier_values():
    def f(x, w):
        h = w * x
        h = fn.tanh(h)
        h = h + x
        return h**2

    assert lines(trace(f, x=1, w=2))[2:] == ["h_1 = w*x", "h_2 = tanh(h_1)", "h = h_2 + x", "L = h^2"]


def test_the_last_name_needs_no_operation_behind_it():
    def f(x):
        loss = x**2
        return loss  # noqa: RET504 - the name is the point

    assert lines(trace(f, x=1)) == ["input x = 1", "loss = x^2"]


def test_what_is_used_twice_gets_a_name():
    def layer(x):
        s = 2 * x
        return s * fn.sigmoid(s)

    def f(x):
        return layer(x) + sum(y * y for y in [3 * x])

    assert lines(trace(f, x=1))[1:] == ["s = 2*x", "y = 3*x", "L = s*sigmoid(s) + (0 + y*y)"]


def test_a_name_by_request():
    def f(x):
        return fn.name("inner", fn.exp(x)) + 1

    assert lines(trace(f, x=1))[1:] == ["inner = exp(x)", "L = inner + 1"]
    assert f(0.0) == 2
    with pytest.raises(backhand.UsageError, match="cannot be the name"):
        trace(lambda x: fn.name("a b", x + 1), x=1)


def test_several_results():
    def f(x):
        h = x * 3
        return {"loss": h**2, "h": h}

    graph = trace(f, x=1)
    assert lines(graph)[1:] == ["h = x*3", "loss = h^2"]
    assert graph.output()[0] == "loss"
    assert lines(trace(lambda x: (x**2, x**3), x=1))[1:] == ["L = x^2", "out1 = x^3"]


@pytest.mark.parametrize(
    ("function", "formula"),
    [
        (lambda x: -x + 1, "-x + 1"),
        (lambda x: 1 - (x - 2), "1 - (x - 2)"),
        (lambda x: (x + 1) * (x + 2) / (x * 3), "(x + 1)*(x + 2)/(x*3)"),
        (lambda x: x / (x / 2), "x/(x/2)"),
        (lambda x: (-x) ** 2, "(-x)^2"),
        (lambda x: -(x**2), "-x^2"),
        (lambda x: (x**2) ** 3, "(x^2)^3"),
        (lambda x: x ** (x + 1), "x^(x + 1)"),
        (lambda x: 2**x, "2^x"),
        (lambda x: x * -2, "x*(-2)"),
        (lambda x: x * 0.1, "x*0.1"),
        (lambda x: x / math.sqrt(3), "x/sqrt(3)"),
        (abs, "abs(x)"),
        (np.log, "ln(x)"),
        (np.square, "x^2"),
        (np.reciprocal, "1/x"),
        (lambda x: np.maximum(x, 0), "relu(x)"),
        (lambda x: np.maximum(0, x), "relu(x)"),
        (lambda x: np.maximum(x, 1), "max(x, 1)"),
        (lambda x: np.where(x > 0, x, 0), "relu(x)"),
        (lambda x: x * (x > 0), "x*step(x)"),
        (lambda x: x * (x > 1), "x*step(x - 1)"),
        (lambda x: x * (x <= 1), "x*(1 - step(x - 1))"),
        (lambda x: np.clip(x, -1, 1), "min(max(x, -1), 1)"),
        (lambda x: np.float64(2) * x, "2*x"),
        (lambda x: np.array([1.0, 2.0])[0] + x, "1 + x"),
        (lambda x: fn.leaky_relu(x, 0.2), "leaky_relu(x, 0.2)"),
    ],
)
def test_formulas_of_numbers(function, formula):
    graph = trace(lambda x: function(x), x=1.5)  # noqa: PLW0108 - NumPy's functions take no keyword
    assert lines(graph)[-1] == f"L = {formula}"
    assert backhand.read(str(graph)) == graph
    found = backhand.solve(graph, numbers="float")
    assert float(found.value("L")) == pytest.approx(float(function(np.float64(1.5))))


A = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.5]])


@pytest.mark.parametrize(
    ("function", "formula"),
    [
        (lambda a: a.T, "a.T"),
        (lambda a: (a + 1).T, "(a + 1).T"),
        (lambda a: a @ a.T, "a @ a.T"),
        (lambda a: a @ (a.T * 2), "a @ (a.T*2)"),
        (lambda a: a.sum(axis=0), "sum(a, axis=0)"),
        (lambda a: np.sum(a, 1, keepdims=True), "sum(a, axis=1, keepdims=true)"),
        (lambda a: np.mean(a, axis=(0, 1)), "mean(a, axis=(0, 1))"),
        (lambda a: a.var(0), "var(a, axis=0)"),
        (lambda a: a.std(0), "sqrt(var(a, axis=0))"),
        (lambda a: a.max(axis=1), "max(a, axis=1)"),
        (lambda a: a[0], "a[0]"),
        (lambda a: a[:, 1:], "a[:, 1:]"),
        (lambda a: a[..., 0], "a[:, 0]"),
        (lambda a: a[:, None, :], "reshape(a, shape=(2, 1, 3))"),
        (lambda a: a[::-1], "a[::-1]"),
        (lambda a: np.flip(a, 1), "a[:, ::-1]"),
        (lambda a: a.reshape(3, 2), "reshape(a, shape=(3, 2))"),
        (lambda a: a.ravel(), "reshape(a, shape=(-1,))"),
        (lambda a: np.expand_dims(a, -1), "reshape(a, shape=(2, 3, 1))"),
        (lambda a: np.concatenate([a, a], axis=1), "concat(a, a, axis=1)"),
        (lambda a: np.stack([a, a]), "stack(a, a)"),
        (lambda a: np.outer(a[0], a[1]), "outer(a[0], a[1])"),
        (np.linalg.norm, "sqrt(sum(a^2))"),
        (lambda a: np.swapaxes(a, 0, 1), "transpose(a, axes=(1, 0))"),
        (lambda a: fn.softmax(a, axis=0), "softmax(a, axis=0)"),
        (lambda a: a / a.shape[0], "a/2"),
        (lambda a: a * len(a), "a*2"),
        (lambda a: sum(row.sum() for row in a), "0 + sum(a[0]) + sum(a[1])"),
        (lambda a: a[np.array([0, 0, 1])], "gather(a, c1)"),
    ],
)
def test_formulas_of_arrays(function, formula):
    graph = trace(lambda a: function(a), a=A)  # noqa: PLW0108
    assert lines(graph)[-1] == f"L = {formula}"
    from backhand.core.array_passes import Passes
    from backhand.core.evaluate import quiet

    passes = Passes(graph, exact=False, note=quiet)
    passes.forward(lambda quantity: None)
    np.testing.assert_allclose(np.asarray(passes.values["L"], float), np.asarray(function(A), float))


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: x if x > 0 else -x, r"`if` and `while` cannot decide.*np\.where"),
        (math.tanh, r"np\.tanh or backhand\.fn\.tanh"),
        (lambda x: float(x) + 1, "a plain number is wanted"),
        (lambda x: np.array([x, x]), "an array of numbers is wanted"),
        (lambda x: 3, "is not made of what it was given"),
        (np.fft.fft, "fft is not traced"),
        (lambda x: x @ np.ones((2, 3)) @ np.ones((2, 3)), "2 rows"),
    ],
)
def test_what_cannot_be_traced_says_what_to_write(function, words):
    with pytest.raises(backhand.UsageError, match=words):
        trace(lambda x: function(x), x=2.0 if "rows" not in words else [1.0, 2.0])  # noqa: PLW0108


def test_changing_in_place_is_an_error_with_a_cure():
    def f(x):
        x[0] = 1
        return x.sum()

    with pytest.raises(backhand.UsageError, match="cannot be changed in place"):
        trace(f, x=[1, 2])


def test_the_kinds_of_names():
    assert [kind_of(n) for n in "w W W1 w_out Wq gamma b b1 bias beta t T target x X h y0 theta".split()] == (
        ["weight"] * 6 + ["bias"] * 4 + ["target"] * 3 + ["input"] * 4 + ["weight"]
    )
    assert trace(lambda U, x: U * x, kinds={"U": "weight"}, U=1, x=2)["U"].kind == "weight"


def test_profilers_are_put_back_and_names_stay_with_the_function():
    calls = []
    profiler = lambda *_: calls.append(1)  # noqa: E731
    sys.setprofile(profiler)
    try:
        trace(lambda x: x + 1, x=1)
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(None)


def test_a_callable_object():
    class Model:
        def __init__(self):
            self.scale = 3

        def __call__(self, x):
            h = x * self.scale
            return h + 1

    assert lines(trace(Model(), x=1))[1:] == ["h = x*3", "L = h + 1"]


def test_torch_functions():
    torch = pytest.importorskip("torch")

    def f(x, W):
        h = torch.relu(torch.matmul(W, x))
        return torch.sum(torch.sigmoid(h))

    graph = trace(f, x=torch.tensor([1.0, 2.0]), W=torch.eye(2))
    assert lines(graph)[-2:] == ["h = relu(W @ x)", "L = sum(sigmoid(h))"]


@pytest.mark.parametrize("name", ["three layers", "softmax, cross-entropy", "attention"])
def test_a_backward_function_against_the_traced_forward(name):
    program = PROGRAMS[name]
    typed = program.graph()
    given = {q.name: (q.array if q.shape else q.given) for q in typed.quantities if not q.computed}
    forward = {
        "three layers": lambda X, W1, W2, W3, b1, b2, b3, T: np.mean(
            (np.maximum(np.tanh(X @ W1 + b1) @ W2 + b2, 0) @ W3 + b3 - T) ** 2
        ),
        "softmax, cross-entropy": lambda X, W, b, Y: -(Y * np.log(fn.softmax(X @ W + b))).sum(axis=1).mean(),
        "attention": lambda Q, K, V, T: ((fn.softmax(Q @ K.T / math.sqrt(3)) @ V - T) ** 2).sum(),
    }[name]
    graph = trace(forward, **given)
    assert backhand.check(program.function(), graph).ok
    bug = next(iter(program.bugs))
    assert not backhand.check(program.function(bug), graph).ok
