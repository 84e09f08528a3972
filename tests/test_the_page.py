"""The founding exercise: a drawn network, L, and every derivative. If this fails, nothing else matters."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from pathlib import Path

import pytest

import backhand
from backhand.core.graph import Graph

Q3 = Path(__file__).parent.parent / "examples" / "q3.bh"

VALUES = {"B1": 3, "B2": 1, "C1": 1, "C2": -3, "D": 4, "L": 1}
DERIVATIVES = {"D": 2, "C1": 2, "C2": -2, "B1": 4, "B2": -4, "A1": -12, "A2": -4, "t": -2}
WEIGHTS = {
    ("A1", "B1"): -4, ("A2", "B1"): 4, ("A1", "B2"): 4, ("A2", "B2"): -4,
    ("B1", "C1"): 6, ("B2", "C1"): 2, ("B1", "C2"): -6, ("B2", "C2"): -2,
    ("C1", "D"): 2, ("C2", "D"): -6,
}  # fmt: skip
"""In the order of the arrows."""


def test_values() -> None:
    solution = backhand.solve(backhand.read(Q3))
    assert {name: solution.value(name) for name in VALUES} == VALUES


def test_derivatives() -> None:
    solution = backhand.solve(backhand.read(Q3))
    assert {name: solution.derivative(name) for name in DERIVATIVES} == DERIVATIVES


def test_derivatives_by_the_ten_weights_in_the_order_of_the_arrows() -> None:
    solution = backhand.solve(backhand.read(Q3))
    weights = [name for name in solution.wrt if name.startswith("w[")]
    assert weights == [f"w[{tail},{head}]" for tail, head in WEIGHTS]
    assert [solution.derivative(name) for name in weights] == list(WEIGHTS.values())


def test_the_derivatives_come_in_the_order_a_person_finds_them() -> None:
    solution = backhand.solve(backhand.read(Q3))
    assert solution.wrt[:8] == ("L", "D", "C1", "C2", "B1", "B2", "A1", "A2")


def test_b1_reaches_the_loss_by_two_ways_and_both_are_added() -> None:
    solution = backhand.solve(backhand.read(Q3))
    step = solution.gather_step("B1")
    assert [(way.child, way.upstream, way.local, way.product) for way in step.ways] == [
        ("C1", 2, 1, 2),
        ("C2", -2, -1, 2),
    ]
    assert step.result == 4


def test_every_answer_is_the_result_of_its_step() -> None:
    solution = backhand.solve(backhand.read(Q3))
    forward = {step.name: step.result for step in solution.forward_steps()}
    assert forward == VALUES
    assert all(solution.gather_step(name).result == solution.derivative(name) for name in solution.wrt if name != "L")


def test_the_four_ways_of_each_input() -> None:
    solution = backhand.solve(backhand.read(Q3), paths=True)
    assert solution.paths is not None
    ways = {found.frm: [path.product for path in found.listed] for found in solution.paths}
    assert (ways["A1"], ways["A2"]) == ([-4, -4, -4, 0], [2, 2, -8, 0])
    assert all(found.total == sum(path.product for path in found.listed) for found in solution.paths)


def test_each_variable_with_respect_to_each_input_and_weight() -> None:
    solution = backhand.solve(backhand.read(Q3), pairs=True)
    assert solution.pairs is not None
    assert solution.pairs["D"]["A1"] == -6
    assert solution.pairs["C2"]["w[A1,B1]"] == 1
    assert solution.pairs["B1"]["w[A1,B2]"] == 0


# -- the same network in other clothes ------------------------------------------------------------------------


def drawn(
    names: dict[str, str],
    weights: dict[tuple[str, str], Fraction],
    inputs: dict[str, Fraction],
    target: Fraction,
    order: list[tuple[str, str]],
) -> Graph:
    """The founding network with other names, numbers and order of lines."""
    lines = [f"input {names[n]} = {v}" for n, v in inputs.items()]
    lines += [f"target {names['t']} = {target}"]
    lines += [f"{names[a]} -> {names[b]} : {weights[a, b]}" for a, b in order]
    lines += [f"{names['L']} = ({names['D']} - {names['t']})^2"]
    return backhand.read("\n".join(lines))


ORIGINAL = {
    ("A1", "B1"): -2, ("A2", "B1"): 1, ("A1", "B2"): 1, ("A2", "B2"): 2, ("B1", "C1"): 1,
    ("B2", "C1"): -2, ("B1", "C2"): -1, ("B2", "C2"): 0, ("C1", "D"): 1, ("C2", "D"): -1,
}  # fmt: skip


@pytest.mark.parametrize("seed", range(25))
def test_renaming_rescaling_and_permuting_gives_the_corresponding_answers(seed: int) -> None:
    draw = random.Random(seed)
    letters = draw.sample("pqrsuvxyzGHKMNPQRSTUVWXYZ", 9)
    names = dict(zip(["A1", "A2", "B1", "B2", "C1", "C2", "D", "t", "L"], letters, strict=True))
    scale = {n: Fraction(draw.choice([1, 2, 3, -1, -2]), draw.choice([1, 2, 5])) for n in ("B1", "B2", "C1", "C2")}
    unit = {"A1": Fraction(1), "A2": Fraction(1), "D": Fraction(1), **scale}
    weights = {(a, b): w * unit[b] / unit[a] for (a, b), w in ORIGINAL.items()}
    order = list(weights)
    draw.shuffle(order)
    graph = drawn(names, weights, {"A1": Fraction(-1), "A2": Fraction(1)}, Fraction(3), order)

    solution = backhand.solve(graph, of=names["L"])

    for name, value in VALUES.items():
        assert solution.value(names[name]) == value * unit.get(name, 1)
    for name, derivative in DERIVATIVES.items():
        assert solution.derivative(names[name]) == derivative / unit.get(name, 1)
    for (tail, head), derivative in WEIGHTS.items():
        found = solution.derivative(f"w[{names[tail]},{names[head]}]")
        assert found == derivative * unit[tail] / unit[head]


# -- and the answer somebody gave to it ----------------------------------------------------------------------


def test_the_answer_is_marked_as_an_expert_would() -> None:
    """Four of seven derivatives are wrong, all for one reason; two slips cost nothing; nothing else is flagged."""
    marking = backhand.mark(backhand.read_answer(Q3.with_name("q3-answer.md")), backhand.read(Q3))
    wrong = ["dL/dB1", "dL/dB2", "dL/dA1", "dL/dA2"]
    assert [j.name for j in marking.judgements if j.verdict == "wrong"] == wrong
    there = {j.verdict for j in marking.judgements if j.line is not None}
    assert there == {"right", "wrong", "unclear"} and [
        j.line for j in marking.judgements if j.verdict == "unclear"
    ] == [69]
    assert marking.first_wrong is not None
    assert (marking.first_wrong.line, marking.first_wrong.about) == (69, "dL/dB1")
    (habit,) = marking.diagnoses
    assert (habit.keys, habit.ids, [str(about) for about in habit.about]) == (("one-path-straight",), ("P1",), wrong)
    assert [(r.line, r.key) for r in marking.remarks] == [(45, "square-lost"), (69, "copied-wrongly")]
    assert (marking.marks.earned, marking.marks.out_of) == (12, 20)
    assert not marking.unread
    absent = [j.about for j in marking.judgements if j.verdict == "missing"]
    assert len(absent) == 10 and absent == list(marking.marks.absent), "the derivatives by the weights cost nothing"
    from_own = {j.name: j.from_own for j in marking.judgements if j.verdict == "wrong"}
    assert from_own == {"dL/dB1": 4, "dL/dB2": -4, "dL/dA1": -4, "dL/dA2": 2}


def test_the_command_gives_the_same_bytes_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    from backhand.cli import run

    said: list[str] = []
    for _ in range(2):
        assert run(["mark", str(Q3), str(Q3.with_name("q3-answer.md")), "--format", "json"]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    assert json.loads(said[0])["first_wrong"] == {"line": 69, "about": "dL/dB1"}
    assert run(["mark", str(Q3), str(Q3.with_name("q3-answer.md")), "--strict"]) == 1
