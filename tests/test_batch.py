"""A batch, example by example: outputs and derivatives, mean or sum, and what is no batch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import backhand
from backhand import limits
from backhand.cli import run
from backhand.errors import LimitError, UsageError
from backhand.solving.batch import per_example

NET = """
X = [[1, 2], [0.5, -1], [2, 0.25]]
target T = [[1, 0], [0, 1], [1, 0]]
weight W1 = [[0.5, -0.25, 1], [1, 0.75, -0.5]]
bias b1 = [0.1, -0.2, 0.3]
weight W2 = [[0.5, 1], [-1, 0.25], [0.75, 2]]
H = tanh(X @ W1 + b1)
Z = H @ W2
"""

LOSSES = {
    "L = mean(cross_entropy_logits(Z, T))": "mean",
    "L = sum(cross_entropy_logits(Z, T))": "sum",
    "L = mse(Z, T)": "mean",
    "L = half_sse(Z, T)": "sum",
    "L = mean((Z - T)^2)": "mean",
    "L = sum(mean((Z - T)^2, axis=1))": "sum",
    "L = -1/3 sum(T*log_softmax(Z))": "sum",
    "L = mean(sum(abs(Z - T), axis=1)) + 0.1 sum(W1^2)": "mean",
    "L = sum(Z) + sum(W1^2)": "",
    "L = sum(Z)^2": "",
    "L = sum(batchnorm(Z, 1, 0)*T)": "",
}


def total(parts: Sequence[Any]) -> Any:
    return sum(np.asarray(part, float) for part in parts)


@pytest.mark.parametrize("line", LOSSES)
@pytest.mark.parametrize("numbers", ["exact", "float"])
def test_the_examples_make_up_the_whole(line: str, numbers: Any) -> None:
    graph = backhand.read(NET + line)
    if not LOSSES[line]:
        with pytest.raises(UsageError, match=r"neither the mean nor the sum|network does not work"):
            per_example(graph, batch=["X"], numbers=numbers)
        return
    found = per_example(graph, batch=["X"], numbers=numbers)
    assert (found.kind, found.batch, found.by, len(found)) == (LOSSES[line], ("X", "T"), ("W1", "b1", "W2"), 3)
    over = 3 if found.kind == "mean" else 1
    whole = backhand.solve(graph, numbers=numbers)
    assert float(total(found.outputs)) / over == pytest.approx(float(whole.value("L")))  # type: ignore[arg-type]
    for name in found.by:
        summed = total([gradient[name] for gradient in found.gradients]) / over
        np.testing.assert_allclose(summed, np.asarray(whole.derivative(name), float), rtol=1e-12, atol=1e-15)


def test_each_example_against_jax() -> None:
    jax = pytest.importorskip("jax")
    np_ = jax.numpy

    def loss(p: dict[str, Any], x: Any, t: Any) -> Any:
        return -np_.sum(t * jax.nn.log_softmax(np_.tanh(x @ p["W1"] + p["b1"]) @ p["W2"]))

    graph = backhand.read(NET + "L = mean(cross_entropy_logits(Z, T))")
    given = {q.name: np.asarray(q.array, float) for q in graph.quantities if not q.computed}
    with jax.enable_x64(True):
        each = jax.jit(jax.vmap(jax.grad(loss), in_axes=(None, 0, 0)))
        expected = each({n: given[n] for n in ("W1", "b1", "W2")}, given["X"], given["T"])
        found = per_example(graph, batch=["X", "T"])
        for name, rows in expected.items():
            mine = np.array([np.asarray(gradient[name], float) for gradient in found.gradients])
            np.testing.assert_allclose(mine, rows, rtol=1e-12)


def test_exact_numbers_and_class_numbers() -> None:
    graph = backhand.read("x = [1, 2, 4]\nt = [1, 0, 1]\nweight w = 1/2\nL = sum((w x - t)^2)")
    found = per_example(graph, batch=["x", "t"])
    assert found.kind == "sum"
    assert found.outputs == (Fraction(1, 4), 1, 1)
    assert [gradient["w"] for gradient in found.gradients] == [-1, 4, 8]
    classes = backhand.read("X = [[1, 2], [3, 4]]\ntarget t = [1, 0]\nweight W = [[1, 0], [0, 1]]\n"
                            "L = mean(cross_entropy_logits(X @ W, t))")  # fmt: skip
    assert per_example(classes, batch=["X"]).batch == ("X", "t")


def test_one_example_is_the_only_one() -> None:
    found = per_example(backhand.read("x = [3]\nweight w = 2\nL = mean(w x)"), batch=["x"])
    assert (found.kind, found.outputs) == ("only", (6,))


def test_what_is_no_batch() -> None:
    graph = backhand.read(
        "X = [[1, 2], [3, 4]]\nT = [[1, 0], [0, 1]]\nweight W = [[1, 0], [0, 1]]\nc = 2\nY = X @ W\nL = sum((Y - T)^2)"
    )
    with pytest.raises(UsageError, match=r"If the rows of .*T.* are of the examples, too, name them"):
        per_example(graph, batch=["X"])
    assert per_example(graph, batch=["X", "T"]).kind == "sum"
    for batch, words in ((["c"], "single number"), (["Y"], "computed"), (["Q"], "no quantity Q"), ([], "No array")):
        with pytest.raises(UsageError, match=words):
            per_example(graph, batch=batch)
    with pytest.raises(UsageError, match="one of the arrays of the batch"):
        per_example(graph, batch=["X", "T"], by=["X"])
    with pytest.raises(UsageError, match="Y is computed"):
        per_example(graph, batch=["X", "T"], by=["Y"])
    with pytest.raises(UsageError, match="2 rows and w has 3"):
        per_example(backhand.read("x = [1, 2]\nw = [1, 2, 3]\nL = sum(x) sum(w)"), batch=["x", "w"], by=["w"])
    with pytest.raises(UsageError, match=r"one row of x alone .* do not fill"):
        per_example(backhand.read("x = [1, 2, 3, 4]\nweight w = 2\nL = w sum(reshape(x, 2, 2))"), batch=["x"])
    with pytest.raises(UsageError, match="nothing that is called a weight"):
        per_example(backhand.read("x = [1, 2]\nL = sum(x)"), batch=["x"])
    with pytest.raises(UsageError, match="single number"):
        per_example(backhand.read("x = 1\nweight w = 2\nL = w x"), batch=["x"])


def test_more_derivatives_than_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = backhand.read(NET + "L = half_sse(Z, T)")
    monkeypatch.setattr(limits, "ELEMENTS", 40)
    with pytest.raises(LimitError, match="--wrt"):
        per_example(graph, batch=["X"])
    assert per_example(graph, batch=["X"], by=["b1"]).by == ("b1",)


# -- what is written ----------------------------------------------------------------------------------------------------


def said(capsys: pytest.CaptureFixture[str], tmp_path: Path, loss: str, *args: str) -> str:
    path = tmp_path / "net.bh"
    path.write_text(NET + loss)
    assert run(["solve", str(path), *args]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_mean_or_sum_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, tmp_path, "L = mse(Z, T)", "--per-example", "X", "--detail", "brief")
    assert "The rows of X and T are 3 examples. L is the mean over them" in text
    assert "their sum, divided by 3" in text and "example 3: dL/db1 ≈ [" in text
    text = said(capsys, tmp_path, "L = -1/3 sum(T*log_softmax(Z))", "--per-example", "X", "--wrt", "b1")
    assert "The factor that is written in the formula of L is in each of them." in text
    text = said(capsys, tmp_path, "L = half_sse(Z, T)", "--per-example", "X", "--wrt", "b1")
    assert "is in each of them" not in text
    assert "L is the sum over them" in text and "not divided by their number" in text
    assert "dL/dW2" not in text.partition("Example by example")[2]


@pytest.mark.parametrize("format_", ["text", "markdown", "latex", "html", "json"])
def test_every_format(format_: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain, more = (
        said(capsys, tmp_path, "L = mse(Z, T)", "--format", format_, *options)
        for options in ((), ("--per-example", "X"))
    )
    assert len(more) > len(plain) + 500


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, tmp_path, "L = half_sse(Z, T)", "--per-example", "X", "--per-example", "T", "--format", "json")
    made = json.loads(text)
    found = made["per_example"]
    assert (found["batch"], found["kind"]) == (["X", "T"], "sum")
    assert sum(found["values"]) == pytest.approx(made["values"]["L"])
    summed = sum(np.array(each["W1"]) for each in found["derivatives"])
    np.testing.assert_allclose(summed, made["derivatives"]["L"]["W1"])
