"""A backward function held against its network: what differs first is named, and the mistake, or none."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from backward_code import CASES as FIRST
from backward_code import PROGRAMS as MADE_FOR
from backward_code_more import MORE, MORE_CASES
from backward_code_third import THIRD, THIRD_CASES

import backhand
from backhand.checking.check import assert_backward, check
from backhand.checking.mistakes import MISTAKE, MISTAKES

PROGRAMS = MADE_FOR | MORE | THIRD
CASES = FIRST + MORE_CASES + THIRD_CASES
NAMES = list(PROGRAMS)


@pytest.mark.parametrize("name", NAMES)
def test_right_code_passes(name):
    program = PROGRAMS[name]
    found = check(program.function(), program.graph())
    assert found.ok, found
    assert found.first is None
    assert found.explained is None
    assert_backward(program.function(), program.graph())


@pytest.mark.parametrize(("program", "bug", "key"), CASES, ids=[f"{p.name}: {bug}" for p, bug, _ in CASES])
def test_a_planted_bug_is_named(program, bug, key):
    found = check(program.function(bug), program.graph())
    assert not found.ok
    assert (found.explained.key if found.explained else "") == key, found


def test_at_least_forty_bugs_are_planted():
    assert len(CASES) >= 40
    assert {key for _, _, key in CASES} <= {*MISTAKE, ""}


@pytest.mark.parametrize("name", [*MADE_FOR, "embedding", "gated recurrent unit"])
def test_what_is_no_mistake_of_the_table_is_not_named(name):
    program = PROGRAMS[name]
    graph = program.graph()
    right = program.function()
    rng = np.random.default_rng(5)

    def spoiled(how, key):
        def backward(**given):
            loss, grads = right(**given)
            value = np.asarray(grads[key], float)
            grads[key] = {
                "scaled": value * 1.37,
                "noisy": value * rng.uniform(0.5, 1.5, value.shape),
                "rolled": np.roll(value, 1),
            }[how]
            return loss, grads

        return backward

    for key in right(**_own(graph))[1]:
        for how in ("scaled", "noisy", "rolled"):
            if how == "rolled" and graph[key[1:]].shape == ():
                continue
            found = check(spoiled(how, key), graph)
            assert found.explained is None, (key, how, found)
            assert found.first.name == key[1:]


@pytest.mark.parametrize(("name", "least"), [("batchnorm", 5), ("attention", 5), ("softmax, cross-entropy", 2)])
def test_two_bugs_at_once_are_not_given_the_name_of_a_third(name, least):
    """Of six pairs so many have both their names; the others have one of them, or none where both show in one place."""
    program = PROGRAMS[name]
    graph = program.graph()
    bugs = [bug for bug in program.bugs if bug != "not-reset"][::3]
    both = 0
    for at, one in enumerate(bugs):
        for other in bugs[at + 1 :]:

            class Both(str):
                __slots__ = ()
                both = (one, other)

                def __eq__(self, bug):
                    return bug in self.both

                __hash__ = str.__hash__

            found = [one.key for one in check(program.function(Both("both")), graph).explanations]
            keys = program.bugs[one], program.bugs[other]
            assert set(found) <= set(keys), (one, other, found)
            both += sorted(found) == sorted(keys)
    assert both >= least


def _own(graph):
    from backhand.checking.drawing import given_numbers

    return given_numbers(graph)


# -- what is given and given back ------------------------------------------------------------------------------------


NET = backhand.read(
    "input x = [1, 2]\nweight W = [[0.5, -1], [1.5, 0.25]]\nbias b = [0.1, -0.2]\ntarget t = [1, 0]\n"
    "z = W @ x + b\nh = tanh(z)\nL = sum((h - t)^2)"
)


def right(W, x, b, t):
    h = np.tanh(W @ x + b)
    dz = 2 * (h - t) * (1 - h**2)
    return h, dz, np.outer(dz, x), W.T @ dz


@pytest.mark.parametrize(
    "spelling", ["dW", "W", "dL/dW", "dL_dW", "grad_W", "W_grad", "W.grad", "d_W", "∂L/∂W", "gradW"]
)
def test_derivatives_by_many_names(spelling):
    assert check(lambda W, x, b, t: {spelling: right(W, x, b, t)[2]}, NET).about("dL/dW").verdict == "right"


def test_a_tuple_with_names():
    assert check(lambda W, x, b, t: right(W, x, b, t)[1:], NET, returns=("delta", "dW", "dx")).ok
    assert check(lambda W, x, b, t: right(W, x, b, t)[2], NET, returns="dW").ok


def test_values_are_compared_too():
    def wrong_forward(W, x, b, t):
        h, _, dW, _ = right(W, x, b, t)
        return {"h": h + 1, "dh": 2 * (h - t), "dW": dW}

    found = check(wrong_forward, NET)
    assert found.first.about == "h"
    assert found.first.kind == "value"
    assert found.about("dL/dW").verdict == "right"
    assert "before the way back begins" in str(found)


def test_a_loss_beside_the_derivatives():
    found = check(lambda W, x, b, t: (float(((right(W, x, b, t)[0] - t) ** 2).sum()), {"W": right(W, x, b, t)[2]}), NET)
    assert [f.about for f in found.findings if f.verdict == "right"] == ["L", "dL/dW"]


def test_a_function_without_arguments_is_asked_once():
    x, W, b, t = ([1, 2], [[0.5, -1], [1.5, 0.25]], [0.1, -0.2], [1, 0])
    given = [np.array(a, float) for a in (W, x, b, t)]
    assert check(lambda: {"dW": right(*given)[2]}, NET).ok
    assert not check(lambda: {"dW": right(*given)[2].T}, NET).ok


def test_an_unknown_argument_is_an_error_with_a_cure():
    with pytest.raises(backhand.UsageError, match="wants cache"):
        check(lambda W, cache: {"dW": W}, NET)


def test_nothing_understood_is_an_error_with_a_cure():
    with pytest.raises(backhand.UsageError, match="Nothing that the function gives"):
        check(lambda W: {"nonsense": W}, NET)
    with pytest.raises(backhand.UsageError, match="names are needed"):
        check(lambda W: W, NET)


def test_what_follows_from_a_first_mistake_is_no_second_one():
    def lost(W, x, b, t):
        h = np.tanh(W @ x + b)
        dz = 2 * (h - t)
        return {"dz": dz, "dW": np.outer(dz, x), "dx": W.T @ dz, "db": dz}

    found = check(lost, NET)
    assert found.first.about == "dL/dz"
    assert found.explained.key == "activation-slope-lost"
    assert [found.about(name).verdict for name in ("dL/dW", "dL/dx", "dL/db")] == ["follows"] * 3
    assert found.explained.right == "dL/dz = dL/dh (1 - h^2)"
    assert found.explained.done == "dL/dz = dL/dh"


def test_symmetric_numbers_hide_nothing():
    net = backhand.read("input x = [1, 1]\nweight W = [[1, 0], [0, 1]]\nz = W @ x\nL = sum(z^2)")
    found = check(lambda W, x: {"dW": np.outer(x, 2 * W @ x), "dx": W @ (2 * W @ x)}, net)
    assert not found.ok
    assert not found.first.own_numbers
    assert "random numbers" in str(found)


def test_numbers_of_the_callers_own():
    seen = []
    check(lambda W, x, b, t: (seen.append(x), {"dW": right(W, x, b, t)[2]})[1], NET, inputs={"x": [5, 6]})
    assert seen[0].tolist() == [5, 6]
    with pytest.raises(backhand.UsageError, match="h is not given"):
        check(right, NET, inputs={"h": 1})
    with pytest.raises(backhand.UsageError, match="a vector of 3"):
        check(right, NET, inputs={"x": [1, 2, 3]})


def test_symbols_without_values_are_drawn():
    net = backhand.read("input x = ?\nweight w = ?\nL = sigmoid(w x)")
    sigma = lambda z: 1 / (1 + math.exp(-z))  # noqa: E731
    assert check(lambda x, w: {"dw": sigma(w * x) * (1 - sigma(w * x)) * x}, net).ok


def test_class_numbers_stay_class_numbers():
    net = backhand.read(
        "input E = [[1, 2], [3, 4], [5, 7]]\ninput rows = [2, 0, 2]\nweight c = [[1, 2], [3, 5], [1, 1]]\n"
        "e = gather(E, rows)\nL = sum(c*e)"
    )

    def mine(E, rows, c, add):
        dE = np.zeros_like(E)
        if add:
            np.add.at(dE, rows.astype(int), c)
        else:
            dE[rows.astype(int)] += c
        return {"dE": dE, "dc": E[rows.astype(int)]}

    assert check(lambda E, rows, c: mine(E, rows, c, True), net).ok
    assert check(lambda E, rows, c: mine(E, rows, c, False), net).explained.key == "overlap-overwritten"


def test_single_precision_is_not_blamed():
    program = PROGRAMS["three layers"]

    def rough(**given):
        loss, grads = program.code("", **{name: np.asarray(value, np.float32) for name, value in given.items()})
        return loss, grads

    assert check(rough, program.graph()).ok
    assert check(lambda **g: (0, {k: np.float32(v) for k, v in program.code("mask-inverted", **g)[1].items()}),
                 program.graph()).explained.key == "mask-inverted"  # fmt: skip


def test_nan_is_wrong():
    assert check(lambda W, x, b, t: {"dW": np.full((2, 2), np.nan)}, NET).first.about == "dL/dW"


def test_the_callers_arrays_are_copies():
    def in_place(W, x, b, t):
        result = right(W, x, b, t)[2]
        W -= 1
        x *= 0
        return {"dW": result}

    assert check(in_place, NET).ok


def test_an_exception_of_the_function_comes_through():
    with pytest.raises(ZeroDivisionError):
        check(lambda W: 1 / 0, NET)


def test_the_message_is_one_to_act_on():
    program = PROGRAMS["three layers"]
    text = str(check(program.function("db2-unsummed"), program.graph()))
    assert text == (
        "dL/db2 is wrong; it is the first that differs on the way back from L.\n"
        "\n"
        "  shape    4 x 4, and b2 is a vector of 4\n"
        "  mistake  not summed over the batch (in Z2). It was added to every row, and what comes back through each row was "
        "kept apart.\n"
        "  right    dL/db2 = sum(dL/dZ2, axis=0)\n"
        "  yours    dL/db2 = dL/dZ2\n"
        "  to do    Sum over the axis along which it was stretched: sum(g, axis=0).\n"
        "\n"
        "Right: L, dL/db3, dL/db1, dL/dW3, dL/dW2, dL/dW1."
    )


def test_an_assertion_shows_the_message():
    program = PROGRAMS["attention"]
    with pytest.raises(AssertionError, match=r"dL/dK is wrong[\s\S]*a constant factor lost"):
        assert_backward(program.function("scale-lost"), program.graph())
    with pytest.raises(AssertionError):
        assert check(program.function("scale-lost"), program.graph())


def test_the_same_for_a_program():
    program = PROGRAMS["attention"]
    told = check(program.function("scale-lost"), program.graph()).to_json()
    assert json.loads(json.dumps(told)) == told
    assert told["explained"]["key"] == "constant-lost"
    assert told["first"] == "dL/dK"
    assert check(program.function("scale-lost"), program.graph()).to_json() == told


def test_rows_of_the_table_are_whole():
    assert len({mistake.key for mistake in MISTAKES}) == len(MISTAKES)
    for mistake in MISTAKES:
        assert mistake.why.endswith("."), mistake
        assert mistake.remedy.endswith((".", ")", "?", "]")), mistake


def test_the_public_names():
    assert backhand.check is check
    assert backhand.assert_backward is assert_backward


def test_other_arrays():
    torch = pytest.importorskip("torch")

    def mine(W, x, b, t):
        h = torch.tanh(W @ x + b)
        dz = 2 * (h - t) * (1 - h**2)
        return {"W": torch.outer(x, dz)}

    assert check(mine, NET, arrays="torch").explained.key == "transposed"
    x = torch.tensor([1.0, 2.0], dtype=torch.float64)
    assert check(mine, NET, inputs={"x": x}).explained.key == "transposed"


@pytest.mark.oracle
def test_jax_arrays():
    code = (
        "import jax.numpy as jnp, backhand\n"
        "net = backhand.read('input x = [1, 2]\\nweight W = [[1, 2], [3, 5]]\\nz = W @ x\\nL = sum(z^2)')\n"
        "good = lambda W, x: {'dW': jnp.outer(2 * W @ x, x)}\n"
        "assert backhand.check(good, net, arrays='jax').ok\n"
        "bad = lambda W, x: {'dx': W @ (2 * W @ x)}\n"
        "print(backhand.check(bad, net, arrays='jax').explained.key)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "w-for-w-transposed\n", done.stderr


def test_the_founding_exercise_as_code():
    net = backhand.read(Path(__file__).parents[1] / "examples" / "q3.bh")

    def straight(A1, A2, t, **w):
        B1, B2 = w["w[A1,B1]"] * A1 + w["w[A2,B1]"] * A2, w["w[A1,B2]"] * A1 + w["w[A2,B2]"] * A2
        C1, C2 = w["w[B1,C1]"] * B1 + w["w[B2,C1]"] * B2, w["w[B1,C2]"] * B1 + w["w[B2,C2]"] * B2
        dD = 2 * (w["w[C1,D]"] * C1 + w["w[C2,D]"] * C2 - t)
        dC1, dC2 = dD * w["w[C1,D]"], dD * w["w[C2,D]"]
        dB1, dB2 = dC1 * w["w[B1,C1]"], dC2 * w["w[B2,C2]"]
        return {"dB1": dB1, "dB2": dB2, "dA1": dB1 * w["w[A1,B1]"], "dA2": dB2 * w["w[A2,B2]"], "dw[A1,B1]": dB1 * A1}

    found = check(straight, net)
    assert found.explained.key == "one-path-straight"
    assert "  differs  0 in place of -4\n" in str(found)


def test_derivatives_of_torch_that_add_up():
    torch = pytest.importorskip("torch")
    net = backhand.read("input x = 2\nweight w = 3\nL = (sigmoid(w x) - 1)^2")
    zero = torch.zeros((), dtype=torch.float64, requires_grad=True)

    def kept(x, w):
        ((torch.sigmoid((zero + w) * x) - 1) ** 2).backward()
        return {"w.grad": zero.grad.clone()}

    found = check(kept, net, arrays="torch")
    assert found.explained.key == "not-reset"
