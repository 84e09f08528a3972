"""Simulated students of arrays, marked: what a marker must never do, and how often it does what it should.

The pages are written by `students.array_pages`, which shares no code with what is measured. Failures name the seed of
the page; `pytest -s` prints the rates, `-m nightly` measures them on many more pages.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from students import array_pages as ap
from students import arrays as st
from test_corpus import EXAMPLES, SCALAR

import backhand
from backhand.checking.mistakes import MISTAKES
from backhand.checking.replay import IMPOSSIBLE, Trial, WayBack
from backhand.checking.search import cases_of
from backhand.core.graph import Graph
from backhand.marking.array_diagnose import anywhere
from backhand.marking.array_worlds import here
from backhand.marking.mark import mark
from backhand.marking.marking import Judgement, Marking
from backhand.readers.bh import read
from backhand.readers.page import read_work
from backhand.text import Source

DIGITS = (None, 3, 4)


@lru_cache(maxsize=8)
def graph_of(text: str) -> Graph:
    return read(Source(text, "net"))


def marked(net: str, page: str) -> Marking:
    return mark(read_work([Source(page, "page")]), graph_of(net))


def told(net: st.Net, page: str, marking: Marking) -> str:
    """A failure, with all that is needed to see it again."""
    lines = "\n".join(f"{n:3} {line}" for n, line in enumerate(page.split("\n"), 1))
    wrong = [
        f"{j.line} {j.name} {j.verdict}: said {j.said}, truth {j.truth}; "
        + "; ".join(f"{link.piece.text!r} {link.verdict} {link.why}" for link in j.links)
        for j in marking.judgements
        if j.verdict in ("wrong", "unclear")
    ]
    found = f"first wrong {marking.first_wrong}, named {[(d.keys, d.place) for d in marking.diagnoses]}"
    return "\n".join([net.text, "", lines, *wrong, found])


def rate(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / max(whole, 1):.2f} %)"


def name_of(about: str) -> str:
    """The array, of an element's name."""
    return about.partition("[")[0]


# -- the writer itself ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ap.ALL_KINDS)
def test_who_makes_no_mistake_is_right(kind: str) -> None:
    for seed in range(2):
        net = ap.net(f"right {seed}", kind)
        work = st.student(net)
        solution = backhand.solve(graph_of(net.text))
        for name, value in work.values.items():
            assert np.allclose(np.asarray(solution.value(name), float), value), name
        for name, value in work.slopes.items():
            found = np.asarray(solution.derivative(name), float)
            assert found.shape == np.shape(value)
            assert np.allclose(found, value), name


# -- right pages ----------------------------------------------------------------------------------------------------


def accusations(marking: Marking) -> list[Any]:
    wrong = [j for j in marking.judgements if j.verdict == "wrong"]
    return [*wrong, *([marking.first_wrong] if marking.first_wrong else []), *marking.diagnoses]


def measure_right(seeds: Iterable[int]) -> Counter[str]:
    """Right pages, and the same after a scanner that changes how things look."""
    seen: Counter[str] = Counter()
    for seed in seeds:
        net, digits = ap.net(f"right {seed}"), DIGITS[seed % 3]
        page = ap.page_of(st.student(net, digits=digits), seed, digits=digits)
        text = page.text if seed % 2 else ap.scanned(page.text, seed, harmful=False)[0]
        marking = marked(net.text, text)
        shown = {
            name for name in ap.numbers(page.work) if name.removeprefix("dL/d") not in page.left_out or "/" not in name
        }
        read = {name_of(j.name) for j in marking.judgements if j.verdict in ("right", "follows")}
        seen += Counter({"pages": 1, "claims": len(shown), "read": len(shown & read)})
        seen["unclear"] += sum(j.verdict == "unclear" for j in marking.judgements)
        if accusations(marking):
            seen["accused"] += 1
            print(f"right {seed}, {page.style}\n{told(net, text, marking)}")
    print("right pages:", dict(seen))
    return seen


def check_right(seeds: Iterable[int]) -> None:
    seen = measure_right(seeds)
    assert not seen["accused"]
    assert seen["read"] >= 0.98 * seen["claims"]


def test_on_a_right_page_nothing_is_wrong() -> None:
    check_right(range(12))


@pytest.mark.nightly
def test_on_two_thousand_right_pages_nothing_is_wrong() -> None:
    check_right(range(2000))


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


SAME = {"k-q-exchanged": {"wrong-upstream"}}
"""What a page may say as well: dL/dWq = X^T dL/dK is both."""


def is_named(key: str, keys: Iterable[str]) -> bool:
    return bool({key, *SAME.get(key, ())} & set(keys))


def planted(seed: int) -> tuple[str, ap.Page, int | None] | None:
    """A page with one mistake, carried on; None where it cannot be seen in the numbers that are shown."""
    draw, digits = random.Random(f"planted {seed}"), DIGITS[seed % 3]
    net = ap.net(f"planted {seed}")
    key = draw.choice(sorted(net.mistakes))
    changes = draw.choice(net.mistakes[key])
    right, work = st.student(net, digits=digits), st.student(net, changes, digits=digits)
    page = ap.page_of(work, seed, digits=digits)
    first = page.first_wrong()
    if not first or not differs(right.slopes[first], work.slopes[first], digits):
        return None
    return key, page, digits


def differs(one: Any, other: Any, digits: int | None) -> bool:
    """Whether two arrays are not the same to what is shown of them, standing or lying."""
    near = 12 * 10.0 ** -(digits or 9)
    if sorted(n for n in np.shape(one) if n > 1) != sorted(n for n in np.shape(other) if n > 1):
        return True
    flat = np.shape(one) == np.shape(other) or 1 in np.shape(one)
    return not (flat and np.allclose(np.ravel(one), np.ravel(other), atol=near))


def explanations(page: ap.Page, digits: int | None) -> set[str]:
    """The rows of the table with which everything on the page comes out; of rows that give the same whatever the
    numbers are, the first. Where it is one, the page isolates it."""
    graph = graph_of(page.work.net.text)
    way = WayBack(graph, "L")
    worlds = [here(graph, "L"), *anywhere(graph, "L")[:1]]
    trials = [Trial({}, world.passes, dict(world.adjoints)) for world in worlds]
    shown = {name: np.asarray(value, float) for name, value in page.work.slopes.items() if name not in page.left_out}
    found: dict[str, bytes] = {}
    for mistake in MISTAKES:
        if mistake.key == "extra-axis" or mistake.key in found:
            continue
        for case in cases_of(mistake, way):
            if gives(way, trials[0], case.belief, shown, digits):
                found[mistake.key] = signature(way, trials[-1], case.belief)
                break
    return {key for at, (key, one) in enumerate(found.items()) if one not in list(found.values())[:at]}


def signature(way: WayBack, trial: Trial, belief: Any) -> bytes:
    """What a belief gives with other numbers."""
    made = [np.round(np.asarray(value, float), 6) + 0.0 for _, value in way.replay(trial, belief, {})]
    return b"".join(value.tobytes() for value in made)


def gives(way: WayBack, trial: Trial, belief: Any, shown: dict[str, Any], digits: int | None) -> bool:
    left = dict(shown)
    try:
        for name, written in way.replay(trial, belief, {}, lambda under, total: None):
            under = belief.under(name)
            if under in left:
                said, made = left.pop(under), np.asarray(written, float)
                if said.shape != made.shape or not np.allclose(
                    said, made, rtol=1e-6 if digits is None else 0.02, atol=30 * 10.0 ** -(digits or 9)
                ):
                    return False
    except IMPOSSIBLE:
        return False
    return True


def tells(page: ap.Page) -> bool:
    """Whether the numbers of the first wrong line say anything: two different ones that are not 0 or 1."""
    sizes = {round(abs(float(n)), 6) for n in np.ravel(page.work.slopes[page.first_wrong()])} - {0.0, 1.0}
    return len(sizes) > 1


def measure_planted(seeds: Iterable[int]) -> Counter[str]:
    seen: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for seed in seeds:
        case = planted(seed)
        if case is None:
            continue
        key, page, digits = case
        net = page.work.net
        marking = marked(net.text, page.text)
        first = marking.first_wrong is not None and name_of(marking.first_wrong.about) == f"dL/d{page.first_wrong()}"
        keys = [diagnosis.keys for diagnosis in marking.diagnoses]
        rightly = any(is_named(key, each) for each in keys)
        isolated = tells(page) and explanations(page, digits) <= {key, *SAME.get(key, ())}
        seen += Counter({
            "pages": 1, "first wrong line right": first, "isolated": isolated, "isolated and named": isolated and rightly,
            "named": len(keys), "named rightly": sum(is_named(key, each) for each in keys), "either": sum(len(each) > 1 for each in keys),
        })  # fmt: skip
        if isolated and not rightly:
            lost[key] += 1
        if not first or len(keys) > sum(is_named(key, each) for each in keys):
            print(f"planted {seed}: {key} at {sorted(page.work.mistaken)}, left out {sorted(page.left_out)}, {page.style}\n"
                  f"should be {page.first_wrong()}\n{told(net, page.text, marking)}")  # fmt: skip
    print("planted:", dict(seen), "not named", dict(lost))
    print("named where isolated", rate(seen["isolated and named"], seen["isolated"]), "names right",
          rate(seen["named rightly"], seen["named"]), "first wrong line", rate(seen["first wrong line right"], seen["pages"]))  # fmt: skip
    return seen


def check_planted(seeds: Iterable[int]) -> None:
    seen = measure_planted(seeds)
    assert seen["isolated and named"] >= 0.8 * seen["isolated"]
    assert seen["named rightly"] >= 0.99 * seen["named"]
    assert seen["first wrong line right"] >= 0.999 * seen["pages"]


def test_planted_mistakes_are_named_and_never_wrongly() -> None:
    check_planted(range(8))


@pytest.mark.nightly
def test_two_thousand_planted_mistakes_are_named_and_never_wrongly() -> None:
    check_planted(range(2000))


def measure_forward(seeds: Iterable[int]) -> Counter[str]:
    """Mistakes of the way forward, made everywhere and carried on."""
    seen: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for seed in seeds:
        draw, digits = random.Random(f"forward {seed}"), DIGITS[seed % 3]
        net = ap.net(f"forward {seed}")
        key, changes = draw.choice(ap.forward_mistakes(net))
        with np.errstate(all="ignore"):
            right, work = st.student(net, digits=digits), st.student(net, digits=digits, forward=changes)
        made = [*work.values.values(), *work.slopes.values()]
        if not all(np.isfinite(value).all() and np.abs(value).max() < 1e5 for value in made):
            continue
        page = ap.page_of(work, seed, digits=digits)
        first = next((name for name in changes if differs(right.values[name], work.values[name], digits)), "")
        if not first:
            continue
        marking = marked(net.text, page.text)
        # where the numbers happen to be right, a formula may be wrong before
        places = [*changes][: [*changes].index(first) + 1]
        at = marking.first_wrong is not None and name_of(marking.first_wrong.about) in places
        keys = [diagnosis.keys for diagnosis in marking.diagnoses]
        rightly = any(key in each for each in keys)
        sizes = {round(abs(float(n)), 6) for n in np.ravel(work.values[first])} - {0.0, 1.0}
        telling = len(sizes) > 1
        seen += Counter({"pages": 1, "first wrong line right": at, "telling": telling, "telling and named": telling and rightly,
                         "named": len(keys), "named rightly": sum(key in each for each in keys)})  # fmt: skip
        if telling and not rightly:
            lost[key] += 1
        if not at or len(keys) > sum(key in each for each in keys):
            print(f"forward {seed}: {key} at {sorted(changes)}, left out {sorted(page.left_out)}, {page.style}\n"
                  f"should be {first}\n{told(net, page.text, marking)}")  # fmt: skip
    print("forward:", dict(seen), "not named", dict(lost))
    return seen


def check_forward(seeds: Iterable[int]) -> None:
    seen = measure_forward(seeds)
    assert seen["telling and named"] >= 0.8 * seen["telling"]
    assert seen["named rightly"] >= 0.99 * seen["named"]
    assert seen["first wrong line right"] >= 0.999 * seen["pages"]


def test_habits_of_the_way_forward_are_named() -> None:
    check_forward(range(6))


@pytest.mark.nightly
def test_a_thousand_habits_of_the_way_forward_are_named() -> None:
    check_forward(range(1000))


# -- noise ------------------------------------------------------------------------------------------------------------


def measure_noise(seeds: Iterable[int]) -> Counter[str]:
    """Pages that are wrong without a mistake, and right ones misread by a scanner: nothing is named, and of what a
    scanner touched only its own lines are wrong."""
    seen: Counter[str] = Counter()
    for seed in seeds:
        digits = DIGITS[seed % 3]
        if seed % 4:
            net, work, sort = ap.noise(seed, digits)
            page = ap.page_of(work, seed, digits=digits, formulas=0.5)
            text, touched = page.text, set[int]()
        else:
            net, sort = ap.net(f"scan {seed}"), "scanned"
            page = ap.page_of(st.student(net, digits=digits), seed, digits=digits)
            text, touched = ap.scanned(page.text, seed, harmful=True)
        marking = marked(net.text, text)
        undue = bool(marking.diagnoses)
        if sort == "scanned":
            undue = undue or any(j.verdict == "wrong" and not near(j, touched) for j in marking.judgements)
        seen += Counter({"pages": 1, sort: 1, "undue": undue})
        if undue:
            print(f"noise {seed}, {sort}, {page.style} {touched}\n{told(net, text, marking)}")
    print("noise:", dict(seen))
    return seen


def near(judgement: Judgement, touched: set[int]) -> bool:
    """Whether a scanner changed something where this is said: an array may run over several lines."""
    lines = {link.line for link in judgement.links}
    return any(min(lines) <= line <= max(lines) + 4 for line in touched)


def test_noise_gets_no_name() -> None:
    assert not measure_noise(range(12))["undue"]


@pytest.mark.nightly
def test_two_thousand_pages_of_noise_get_no_name() -> None:
    assert measure_noise(range(2000))["undue"] <= 10


# -- one number changed -------------------------------------------------------------------------------------------------


def measure_spoiled(seeds: Iterable[int]) -> Counter[str]:
    seen: Counter[str] = Counter()
    for seed in seeds:
        digits = DIGITS[seed % 3]
        net = ap.net(f"spoiled {seed}")
        work, name, place = ap.spoiled(st.student(net, digits=digits), seed, digits)
        page = ap.page_of(work, seed, digits=digits, leave=False)
        marking = marked(net.text, page.text)
        element = name + (f"[{','.join(map(str, place))}]" if place else "")
        there = [j for j in marking.judgements if j.name in (element, name) and j.said]
        seen += Counter({"pages": 1, "read": bool(there), "named": bool(marking.diagnoses)})
        if any(j.verdict == "right" for j in there):
            seen["marked right"] += 1
            print(f"spoiled {seed}, {element}\n{told(net, page.text, marking)}")
    print("one number changed:", dict(seen))
    return seen


def check_spoiled(seeds: Iterable[int]) -> None:
    seen = measure_spoiled(seeds)
    assert not seen["marked right"]
    assert seen["read"] >= 0.98 * seen["pages"]


def test_a_changed_number_is_never_right() -> None:
    check_spoiled(range(10))


@pytest.mark.nightly
def test_two_thousand_changed_numbers_are_never_right() -> None:
    check_spoiled(range(2000))
