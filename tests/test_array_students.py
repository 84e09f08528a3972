"""Simulated students of arrays, marked: what a marker must never do, and how often it does what it should.

The pages are written by `students.arrays`, which shares no code with what is measured. Failures name the seed of the
page; `pytest -s` prints the rates, `-m nightly` measures them on many more pages.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from students import arrays as st
from test_corpus import EXAMPLES, SCALAR

import backhand
from backhand.core.graph import Graph
from backhand.marking.mark import mark
from backhand.marking.marking import Marking
from backhand.readers.bh import read
from backhand.readers.page import read_work
from backhand.text import Source

NIGHTLY = bool(os.environ.get("BACKHAND_NIGHTLY"))
RIGHT, PLANTED, NOISE = (2000, 2000, 2000) if NIGHTLY else (9, 18, 9)
DIGITS = (None, 3, 4)


@lru_cache(maxsize=8)
def graph_of(text: str) -> Graph:
    return read(Source(text, "net"))


def marked(net: str, page: str) -> Marking:
    return mark(read_work([Source(page, "page")]), graph_of(net))


def told(net: st.Net, page: str, marking: Marking) -> str:
    """A failure, with all that is needed to see it again."""
    wrong = [
        f"{j.line} {j.name} {j.verdict}: said {j.said}, truth {j.truth}; "
        + "; ".join(f"{link.piece.text!r} {link.verdict} {link.why}" for link in j.links)
        for j in marking.judgements
        if j.verdict in ("wrong", "unclear")
    ]
    return "\n".join([net.text, "", page, *wrong, str([d.keys for d in marking.diagnoses])])


def rate(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / max(whole, 1):.2f} %)"


def name_of(about: str) -> str:
    """The array, of an element's name."""
    return about.partition("[")[0]


# -- the writer itself ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_who_makes_no_mistake_is_right(seed: int) -> None:
    net = st.drawn(seed)
    work = st.student(net)
    solution = backhand.solve(graph_of(net.text))
    for name, value in work.values.items():
        assert np.allclose(np.asarray(solution.value(name), float), value), name
    for name, value in work.slopes.items():
        found = np.asarray(solution.derivative(name), float)
        assert found.shape == np.shape(value)
        assert np.allclose(found, value), name


# -- right pages ----------------------------------------------------------------------------------------------------


def test_right_pages_get_no_wrong_mark() -> None:
    for seed in range(RIGHT):
        net, digits = st.drawn(("right", seed)), DIGITS[seed % 3]
        page = st.written(st.student(net, digits=digits), seed, digits=digits)
        marking = marked(net.text, page)
        bad = [j for j in marking.judgements if j.verdict in ("wrong", "unclear")]
        assert not bad and marking.first_wrong is None and not marking.diagnoses, told(net, page, marking)


def published_arrays() -> Iterator[str]:
    for name, example in EXAMPLES.items():
        if name not in SCALAR and example["kind"] != "wrong-working" and name != "aiml_notes_relu":
            yield name


def pages_of(example: dict[str, Any], style: str) -> tuple[str, str]:
    """A published example as a page in one style: its values and derivatives, with as many digits as are printed."""
    given = [f"{name} = {json.dumps(value)}" for name, value in example["given"].items()]
    net = "\n".join([*given, *example["equations"]])
    solution = backhand.solve(graph_of(net), of=example["output"])
    lines: list[str] = []
    for quantity in solution.graph.quantities:
        things = [(quantity.name, solution.value(quantity.name))] if quantity.computed else []
        if solution.propagation.needs(quantity.name) and quantity.name != solution.of:
            things.append((f"d{solution.of}/d{quantity.name}", solution.derivative(quantity.name)))
        for name, value in things:
            array = np.asarray(value, float)
            if style == "lists":
                lines.append(f"{name} = {st.listed(array, 6)}")
            elif style == "bmatrix":
                of, _, by = name.partition("/")
                written = rf"\frac{{\partial {of[1:]}}}{{\partial {by[1:]}}}" if by else name
                lines.append(rf"\[ {written} = {st.bmatrix(array, 6)} \]")
            else:
                lines += (
                    [f"{name} =", *st.printed(array, 6).split("\n")] if array.ndim else [f"{name} = {float(array):.6f}"]
                )
    return net, "\n".join(lines)


@pytest.mark.parametrize("style", ["lists", "bmatrix", "prints"])
@pytest.mark.parametrize("name", list(published_arrays()))
def test_published_right_examples_get_no_wrong_mark(name: str, style: str) -> None:
    net, page = pages_of(EXAMPLES[name], style)
    marking = mark(read_work([Source(page, "page")]), graph_of(net), of=EXAMPLES[name]["output"])
    found = Counter(j.verdict for j in marking.judgements)
    assert not found["wrong"] and marking.first_wrong is None, [
        (j.name, j.said, j.truth) for j in marking.judgements if j.verdict == "wrong"
    ]
    assert found["right"] > 0.9 * sum(found.values()), found


# -- planted mistakes -------------------------------------------------------------------------------------------------


def planted(seed: int) -> tuple[st.Net, str, str, st.Working, int | None] | None:
    """A page with one mistake, carried on; None where it cannot be seen in the numbers."""
    draw, digits = random.Random(f"planted {seed}"), DIGITS[seed % 3]
    net = st.drawn(("planted", seed))
    key, changes = draw.choice(list(st.cases(net)))
    (name,) = changes
    right, work = st.student(net, digits=digits), st.student(net, changes, digits=digits)
    one, other = right.slopes[name], work.slopes[name]
    if sorted(n for n in np.shape(one) if n > 1) == sorted(n for n in np.shape(other) if n > 1):
        near = 3 * 10.0 ** -(digits or 9)
        if np.shape(one) == np.shape(other) and np.allclose(one, other, atol=near):
            return None
        if 1 in np.shape(one) and np.allclose(np.ravel(one), np.ravel(other), atol=near):
            return None
    return net, key, name, work, digits


def can_be_told(work: st.Working, name: str) -> bool:
    """Whether the numbers of the wrong line say anything: two different ones that are not 0 or 1."""
    sizes = {round(abs(float(n)), 6) for n in np.ravel(work.slopes[name])} - {0.0, 1.0}
    return len(sizes) > 1


def test_planted_mistakes_are_named_and_never_wrongly() -> None:
    named, wrongly, told_, first, lost, count = 0, 0, 0, 0, Counter[str](), 0
    undue: list[str] = []
    for seed in range(PLANTED):
        case = planted(seed)
        if case is None:
            continue
        net, key, name, work, digits = case
        page = st.written(work, seed, digits=digits)
        marking = marked(net.text, page)
        count += 1
        first += marking.first_wrong is not None and name_of(marking.first_wrong.about) == f"dL/d{name}"
        if marking.first_wrong is None or name_of(marking.first_wrong.about) != f"dL/d{name}":
            undue.append(f"seed {seed}, {key} at {name}: first wrong {marking.first_wrong}\n{told(net, page, marking)}")
        keys = [diagnosis.keys for diagnosis in marking.diagnoses]
        if keys and not any(key in each for each in keys):
            wrongly += 1
            undue.append(f"seed {seed}, {key} at {name}: named {keys}")
        told_ += bool(keys)
        if can_be_told(work, name):
            good = any(key in each for each in keys)
            named += good
            lost[key if not good else ""] += 1
    whole = sum(lost.values())
    print(f"\nnamed right {rate(named, whole)}; names right {rate(told_ - wrongly, told_)}; "
          f"first wrong line {rate(first, count)}; not named {dict(lost)}")  # fmt: skip
    assert named >= 0.8 * whole, dict(lost)
    assert wrongly <= 0.01 * told_, "\n".join(undue)
    assert count - first <= 0.001 * count, "\n".join(undue)


# -- noise ------------------------------------------------------------------------------------------------------------


def test_noise_gets_no_name_and_changed_numbers_are_never_right() -> None:
    names, count, changed = 0, 0, 0
    for seed in range(NOISE):
        digits = DIGITS[seed % 3]
        net = st.drawn(("noise", seed))
        work, sort, slips = st.noisy(net, seed, digits=digits)
        page = st.written(work, seed, digits=digits, formulas=0.5)
        marking = marked(net.text, page)
        count += 1
        names += bool(marking.diagnoses)
        for name, place in slips if sort == "slip" else []:
            element = f"dL/d{name}" + (f"[{','.join(map(str, place))}]" if place else "")
            for judgement in marking.about(element):
                changed += 1
                assert judgement.verdict != "right", f"seed {seed}, {element}\n{told(net, page, marking)}"
    print(f"\nundue names {rate(names, count)}; {changed} changed numbers, none called right")
    assert names <= 0.005 * count
