"""Published worked examples, with the numbers recomputed: every value and derivative, and every published digit.

`tests/corpus` holds one JSON file an example: `equations`, `given`, `output`, `truth`, `published`
with a verdict each. Array examples, update steps (`w+`, `@after`, `step:`) belong to later work.
"""

from __future__ import annotations

import json
import math
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import backhand
from backhand.core.evaluate import Value, evaluate
from backhand.core.notation import formula
from backhand.numbers import as_float

CORPUS = Path(__file__).parent / "corpus"
EXAMPLES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(CORPUS.glob("*.json"))}


def is_scalar(example: dict[str, Any]) -> bool:
    text = "\n".join(example["equations"])
    return not (
        re.search(r"@|\[|softmax|conv2d|mean\(|sum\(", text)
        or any(isinstance(v, list) for v in example["given"].values())
    )


SCALAR = [name for name, example in EXAMPLES.items() if is_scalar(example)]


def solved(example: dict[str, Any]) -> backhand.Solution:
    given = [f"{name} = {value!r}" for name, value in example["given"].items()]
    outputs = example["output"] if isinstance(example["output"], list) else [example["output"]]
    return backhand.solve(backhand.read("\n".join([*given, *example["equations"]])), of=outputs[0], pairs=True)


def belongs_to_later(key: str) -> bool:
    return "+" in key or "@after" in key or key.startswith("step:")


def looked_up(solution: backhand.Solution, key: str) -> Value:
    """A quantity of the corpus: X, dY/dX, -dY/dX, with ' #2' behind it for a second publication."""
    key = key.split(" #", maxsplit=1)[0]
    sign = -1 if key.startswith("-") else 1
    match = re.fullmatch(r"-?d(\w+)/d(\w+)", key)
    if match is None:
        return solution.value(key)
    assert solution.pairs is not None
    found = solution.pairs[match[1]][match[2]]
    assert isinstance(found, (Fraction, float))
    return sign * found


def test_the_corpus_is_all_there() -> None:
    assert len(EXAMPLES) == 40
    assert len(SCALAR) >= 26


@pytest.mark.parametrize("name", SCALAR)
def test_every_true_value_and_derivative(name: str) -> None:
    example = EXAMPLES[name]
    solution = solved(example)
    for key, truth in example["truth"].items():
        if belongs_to_later(key):
            continue
        found = looked_up(solution, key)
        assert isinstance(found, (Fraction, float))
        assert math.isclose(as_float(found), truth, rel_tol=1e-9, abs_tol=1e-15), key


@pytest.mark.parametrize("name", SCALAR)
def test_every_published_quantity_judged_right_or_rounded_agrees_to_its_printed_digits(name: str) -> None:
    example = EXAMPLES[name]
    solution = solved(example)
    for key, printed in example["published"].items():
        if example["verdict"].get(key) not in ("right", "rounded") or belongs_to_later(key):
            continue
        found = looked_up(solution, key)
        assert isinstance(found, (Fraction, float))
        digits = str(printed if is_digits(str(printed)) else example.get("published_value", {}).get(key, printed))
        assert agrees(digits, Fraction(found), example["verdict"][key]), f"{key}: {printed} against {as_float(found)}"


def is_digits(printed: str) -> bool:
    return re.fullmatch(r"[-+*/().eE0-9 ]+", printed) is not None


def agrees(printed: str, truth: Fraction, verdict: str) -> bool:
    """Right: the nearest number with these digits; rounded: within 2.5 units of the last digit (too early rounding).

    Integers, fractions and formulas (1*2 + 1*3) are exact."""
    match = re.fullmatch(r"[-+]?\d*\.(\d*)(?:[eE]([-+]?\d+))?", printed)
    unit = Fraction(10) ** (int(match[2] or 0) - len(match[1])) if match else Fraction(0)
    distance = abs(Fraction(evaluate(formula(printed), {})) - truth)  # type: ignore[arg-type]
    small = Fraction(1, 10**12) * max(Fraction(1, 1000), abs(truth))
    if verdict == "right":
        return distance <= unit / 2 * Fraction(1_000_001, 1_000_000) + small
    return distance <= max(unit * Fraction(5, 2), abs(truth) / 10**7)
