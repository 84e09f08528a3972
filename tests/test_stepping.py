"""Steps of gradient descent: the notation, the numbers, weights replaced in place, and what is written about them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import backhand
from backhand.cli import run
from backhand.core.array_passes import element_name
from backhand.core.elements import expanded
from backhand.core.graph import Update
from backhand.errors import BackhandError, LimitError, ReadError, UndefinedError, UsageError
from backhand.numbers import as_float
from backhand.solving.stepping import Descent, step

SMALL = """
weight w = 1/2, v = -1
bias b = 1
x = 2
t = 3
h = w x + b
y = v h
L = (y - t)^2/2
"""

LAYERS = """
weight W1 = [[0.15, 0.2], [0.25, 0.3], [-0.1, 0.4]]
bias b1 = [0.35, 0.3, 0.1]
weight W2 = [[0.4, 0.45, 0.1], [0.5, 0.55, -0.2]]
bias b2 = [0.6, 0.5]
x = [0.05, 0.1]
t = [0.01, 0.99]
h = sigmoid(W1 @ x + b1)
y = tanh(W2 @ h + b2)
L = half_sse(y, t)
"""

UNROLLED = """
weight W = [[0.5, -0.25], [0.125, 0.75]]
weight U = [[1, 0.5], [0.25, -1]]
x1 = [1, 2]
x2 = [-1, 1]
s0 = [0.5, 0.25]
s1 = tanh(W @ s0 + U @ x1)
s2 = tanh(W @ s1 + U @ x2)
L = sum(s2^2)
"""


def graph(text: str, line: str = "") -> backhand.Graph:
    return backhand.read(f"{text}{line}\n")


# -- the line in the notation --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "update"),
    [
        ("step lr = 0.5", Update(Fraction(1, 2))),
        ("step eta = 1/3", Update(Fraction(1, 3), "eta")),
        ("step lr = 0.5 by w v", Update(Fraction(1, 2), "lr", ("w", "v"))),
        ("step lr = 0.5 by w, v, b", Update(Fraction(1, 2), "lr", ("w", "v", "b"))),
        ("step lr = 0.5 for 3 steps", Update(Fraction(1, 2), "lr", (), 3)),
        ("step lr = 0.5 for 1 step", Update(Fraction(1, 2))),
        ("step lr = 0.5, by w", Update(Fraction(1, 2), "lr", ("w",))),
        ("step lr = 0.5,", None),
        ("step lr = 0.5 in place", Update(Fraction(1, 2), "lr", (), 1, True)),
        ("step lr = 2*0.25 in place by x for 12 times", Update(Fraction(1, 2), "lr", ("x",), 12, True)),
    ],
)
def test_what_a_line_says(line: str, update: Update | None) -> None:
    if update is None:
        with pytest.raises(ReadError):
            graph(SMALL, line)
        return
    made = graph(SMALL, line)
    assert made.update == update
    assert backhand.read(str(made)) == made
    assert made != graph(SMALL)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("step lr = 0.5 by", "not understood"),
        ("step lr = 0.5 by w by v", "“by v” is not understood"),
        ("step lr = 0.5 for w", "“for w” is not understood"),
        ("step lr = 0.5 for 2.5 steps", "“for 2.5 steps” is not understood"),
        ("step lr = 0.5 in w", "in place"),
        ("step lr = w", "a number, and here is a formula"),
        ("step lr = [1, 2]", "a number"),
        ("step lr = 1/0", "1/0"),
        ("step lr", "line ends"),
        ("step lr = 0.5 by q", "q, which is defined nowhere"),
        ("step lr = 0.5 by h", "h is computed"),
        ("step w = 0.5", "w is the rate of the step, and also a quantity"),
        ("step lr = 0.5\nstep lr = 0.1", "second step; line 9"),
        ("step lr = 0.5 for 100000 steps", "1 to 1000"),
        ("step lr = 0.5 for 0 steps", "1 to 1000"),
    ],
)
def test_lines_that_say_none(line: str, words: str) -> None:
    with pytest.raises(BackhandError) as caught:
        graph(SMALL, line)
    assert caught.value.span is not None and caught.value.span.line >= 9
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x = 2\nL = 3 step(x)", 3),
        ("step = 2\nL = 3 step", 6),
        ("x = 1\nstep = 2 x\nL = step^2", 4),
        ("by = 2\nfor = 3\nin = 4\nplace = 1\nL = by for in place", 24),
        ("x = 2\nx -> step : 3\nL = 2 step", 12),
    ],
)
def test_the_word_step_elsewhere_is_what_it_was(text: str, value: int) -> None:
    made = backhand.read(text)
    assert made.update is None
    assert backhand.solve(made, of="L").value("L") == value


# -- numbers ----------------------------------------------------------------------------------------------------------


def test_a_step_by_hand() -> None:
    made = step(graph(SMALL), Fraction(1, 10))
    (first,) = made.steps
    assert [(m.name, m.old, m.gradient, m.new) for m in first.moves] == [
        ("w", Fraction(1, 2), 10, Fraction(-1, 2)),
        ("v", -1, -10, 0),
        ("b", 1, 5, Fraction(1, 2)),
    ]
    assert (first.before, first.after) == (Fraction(25, 2), Fraction(9, 2))
    assert (made.values["h"], made.first["h"]) == (Fraction(-1, 2), 2)
    assert made.new == {"w": Fraction(-1, 2), "v": 0, "b": Fraction(1, 2)}


def test_what_is_changed_is_what_is_named_else_weights_and_biases_on_the_way() -> None:
    assert step(graph(SMALL), 0.1).by == ("w", "v", "b")
    assert step(graph(SMALL), 0.1, of="h").by == ("w", "b")
    assert step(graph(SMALL), 0.1, by=["x", "w"]).by == ("w", "x")
    assert step(graph(SMALL, "step lr = 0.1 by t")).new == {"t": Fraction(5, 2)}


def test_no_step_can_be_made() -> None:
    with pytest.raises(UsageError, match="needs a rate"):
        step(graph(SMALL))
    with pytest.raises(UsageError, match="nothing that is called a weight or a bias"):
        step(backhand.read("a = 1\nL = a^2"), 0.1)
    with pytest.raises(UsageError, match="h is computed"):
        step(graph(SMALL), 0.1, by=["h"])
    with pytest.raises(UsageError, match="no quantity q"):
        step(graph(SMALL), 0.1, by=["q"])
    with pytest.raises(UndefinedError, match="x has no value"):
        step(backhand.read("weight w = 1\nx = ?\nL = w x"), 0.1)
    with pytest.raises(UndefinedError, match="no finite value"):
        step(backhand.read("weight w = 0\nL = sqrt(w)"), 0.1)
    with pytest.raises(UndefinedError, match="no finite value"):
        step(backhand.read("weight w = [0, 1]\nL = sum(sqrt(w))"), 0.1)
    with pytest.raises(UndefinedError, match="has no value"):
        step(backhand.read("weight w = 1\nL = ln(w)"), 1)
    with pytest.raises(UsageError, match="1 to 1000"):
        step(graph(SMALL), 0.1, steps=0)


def descended(text: str, loss: Callable[..., Any], names: str, rate: float, steps: int) -> dict[str, Any]:
    """The same with JAX, in double precision."""
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        made = graph(text)
        params = {n: np.asarray(made[n].array, float) for n in names.split()}
        grad = jax.grad(loss)
        for _ in range(steps):
            slopes = grad(params)
            params = {name: value - rate * np.asarray(slopes[name]) for name, value in params.items()}
        return params


@pytest.mark.parametrize("steps", [1, 5, 50])
@pytest.mark.parametrize("numbers", ["exact", "float"])
def test_many_steps_against_jax(steps: int, numbers: Any) -> None:
    jax = pytest.importorskip("jax")
    np_ = jax.numpy

    def loss(p: dict[str, Any]) -> Any:
        x, t = np_.array([0.05, 0.1]), np_.array([0.01, 0.99])
        h = jax.nn.sigmoid(p["W1"] @ x + p["b1"])
        return np_.sum((np_.tanh(p["W2"] @ h + p["b2"]) - t) ** 2) / 2

    expected = descended(LAYERS, loss, "W1 b1 W2 b2", 0.5, steps)
    made = step(graph(LAYERS), 0.5, steps=steps, numbers=numbers)
    for name, value in expected.items():
        np.testing.assert_allclose(np.asarray(made.new[name], float), value, rtol=1e-12)
    assert len(made.steps) == steps
    assert as_float(made.steps[-1].after) < as_float(made.steps[0].before)  # type: ignore[arg-type]
    assert bool(made.notices) == (steps > 10 and numbers == "exact")


def as_elements(made: Descent) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in made.values.items():
        array: Any = np.asarray(value)
        for place in np.ndindex(array.shape):
            found[element_name(name, place)] = float(array[place])
    return found


@pytest.mark.parametrize("text", [LAYERS, UNROLLED])
@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("numbers", ["exact", "float"])
def test_arrays_and_their_elements_step_alike(text: str, in_place: bool, steps: int, numbers: Any) -> None:
    whole = step(graph(text), 0.25, steps=steps, in_place=in_place, numbers=numbers)
    single = step(expanded(graph(text)), 0.25, steps=steps, in_place=in_place)
    expected = as_elements(single)
    for name, value in as_elements(whole).items():
        assert value == pytest.approx(expected[name], rel=1e-12), name


# -- in place ---------------------------------------------------------------------------------------------------------


def test_in_place_as_a_program_does_it() -> None:
    made = step(graph(LAYERS), 0.5, in_place=True)
    p = {n: np.asarray(graph(LAYERS)[n].array, float) for n in ("W1", "b1", "W2", "b2", "x", "t")}
    h = 1 / (1 + np.exp(-(p["W1"] @ p["x"] + p["b1"])))
    y = np.tanh(p["W2"] @ h + p["b2"])
    delta = (y - p["t"]) * (1 - y**2)
    p["W2"] -= 0.5 * np.outer(delta, h)
    p["b2"] -= 0.5 * delta
    delta = p["W2"].T @ delta * h * (1 - h)
    p["W1"] -= 0.5 * np.outer(delta, p["x"])
    p["b1"] -= 0.5 * delta
    for name in ("W1", "b1", "W2", "b2"):
        np.testing.assert_allclose(np.asarray(made.new[name], float), p[name], rtol=1e-14)


def test_in_place_differs_only_behind_a_weight() -> None:
    right, early = step(graph(SMALL), 0.1), step(graph(SMALL), 0.1, in_place=True)
    assert early.new["v"] == right.new["v"] == 0
    assert early.new["w"] == Fraction(1, 2), "what comes back through v = 0 is 0"
    assert right.new["w"] == Fraction(-1, 2)


def test_a_shared_weight_is_replaced_after_its_last_use() -> None:
    """L = (w (w x))^2: the derivative by w has two parts, and both are taken with the old w."""
    text = "weight w = 2, u = 3\nx = 1\na = u x\nb = w a\nc = w b\nL = c^2"
    made = step(backhand.read(text), Fraction(1, 100), in_place=True)
    assert made.steps[0].moves[0].gradient == 2 * 12 * 2 * 2 * 3
    new = 2 - Fraction(288, 100)
    assert made.steps[0].moves[1].gradient == 2 * 12 * 2 * new


# -- what is written ----------------------------------------------------------------------------------------------------


def said(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    assert run([*args]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def net(tmp_path: Path, text: str) -> str:
    path = tmp_path / "net.bh"
    path.write_text(text)
    return str(path)


def test_the_working_of_a_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mazur = Path(__file__).parent.parent / "examples" / "mazur.bh"
    weights = [option for n in range(1, 9) for option in ("--update", f"w{n}")]
    text = said(capsys, "solve", str(mazur), "--step", "0.5", *weights)
    assert "w5+ = w5 - 0.5 dE_total/dw5 ≈ 0.4 - 0.5(0.0821670) ≈ 0.358916" in text
    assert "b1 and b2 stay as they are." in text
    assert "E_total falls from about 0.298371 to about 0.291028 after the step." in text
    text = said(capsys, "solve", str(mazur), "--step", "1/2", *weights, "--in-place")
    assert "w5+ = w5 - 0.5 dE_total/dw5 ≈ 0.4 - 0.5(0.0821670) ≈ 0.358916" in text
    assert "w1+ = w1 - 0.5(what came back to w1) ≈ 0.15 - 0.5(0.000364723) ≈ 0.149818" in text
    assert "replaced as soon as its derivative is known" in text
    text = said(capsys, "solve", net(tmp_path, SMALL + "step eta = 0.1 for 2 steps"))
    assert "After 2 steps" in text and "b+ = b - 0.1 dL/db = 1 - 0.1(5) = 0.5" in text
    assert "2 steps" in text and "eta = 0.1" in text


@pytest.mark.parametrize("in_place", [False, True])
def test_every_line_of_a_step_is_true(in_place: bool) -> None:
    from backhand.display import formatted

    mazur = backhand.read(Path(__file__).parent.parent / "examples" / "mazur-step.bh")
    assert mazur.update is not None and mazur.update.in_place
    update = mazur.update._replace(in_place=in_place)
    made = step(mazur, update.rate, by=update.by, in_place=in_place)
    text = "".join(formatted(backhand.solve(mazur, step=update), "text"))
    lines = re.findall(r"^ *(\w+)\+ = \1 - 0\.5.* ≈ ([\d.]+) - 0\.5\((-?[\d.]+)\) ≈ ([\d.]+)$", text, re.MULTILINE)
    assert [name for name, *_ in lines] == list(made.by)
    for (_, *shown), move in zip(lines, made.steps[0].moves, strict=True):
        for digits, value in zip(shown, (move.old, move.gradient, move.new), strict=True):
            last = Fraction(1, 10 ** len(digits.partition(".")[2]))
            assert abs(Fraction(digits) - Fraction(value)) <= last / 2  # type: ignore[arg-type]
    table = text.partition("The values then")[2]
    rows = re.findall(r"^ +(\S+) +(?:≈ )?([\d.]+) +(?:≈ )?([\d.]+)$", table, re.MULTILINE)
    assert [name for name, *_ in rows] == [q.name for q in mazur.quantities if q.computed]
    for name, *shown in rows:
        for digits, value in zip(shown, (made.first[name], made.values[name]), strict=True):
            last = Fraction(1, 10 ** len(digits.partition(".")[2]))
            assert abs(Fraction(digits) - Fraction(value)) <= last / 2  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [SMALL, LAYERS])
@pytest.mark.parametrize("format_", ["text", "markdown", "latex", "html", "json", "svg"])
def test_every_format(text: str, format_: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = said(capsys, "solve", net(tmp_path, text), "--format", format_)
    after = said(capsys, "solve", net(tmp_path, text + "step lr = 0.25 for 3 steps"), "--format", format_)
    assert (len(after) > len(plain) + 200) == (format_ != "svg")


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = json.loads(said(capsys, "solve", net(tmp_path, SMALL + "step lr = 0.1"), "--format", "json"))["after_step"]
    assert (made["rate"], made["exact_rate"], made["in_place"], made["by"]) == (0.1, "1/10", False, ["w", "v", "b"])
    (first,) = made["steps"]
    assert first == {
        "before": 12.5,
        "after": 4.5,
        "old": {"w": 0.5, "v": -1, "b": 1},
        "derivatives": {"w": 10, "v": -10, "b": 5},
        "new": {"w": -0.5, "v": 0, "b": 0.5},
    }
    assert made["values"]["h"] == -0.5 and made["exact"]["L"] == "9/2"
    layers = net(tmp_path, LAYERS)
    made = json.loads(said(capsys, "solve", layers, "--step", "0.5", "--steps", "2", "--format", "json"))["after_step"]
    assert np.shape(made["steps"][1]["new"]["W1"]) == (3, 2)
    assert made["values"]["W1"] == made["steps"][1]["new"]["W1"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--steps", "2"], "Say its rate: --step 0.5"),
        (["--in-place"], "Say its rate"),
        (["--step", "w"], "a number, and this is w"),
        (["--step", "fast"], "a number"),
        (["--step", "1", "--update", "q"], "no quantity q"),
        (["--step", "1", "--update", "L"], "L is computed"),
        (["--step", "1", "--steps", "0"], "1 to 1000"),
        (["--step", "1", "--steps", "x"], "integer"),
    ],
)
def test_wrong_options(args: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["solve", net(tmp_path, SMALL), *args]) == 2
    captured = capsys.readouterr()
    assert words in captured.err and captured.out == ""


def test_limits() -> None:
    with pytest.raises(LimitError):
        graph(SMALL, "step lr = 0.5 for 1001 steps")
