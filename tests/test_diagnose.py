"""Naming the habit behind wrong numbers: the founding page, simulated sheets, and noise, of which nothing must be said.

The simulated numbers come from `independent_replay`, which shares no code with what is tested. `pytest -s` prints the
rates that were measured; `-m nightly` measures them on a thousand networks.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import independent_replay as plain
import pytest

from backhand.core.formula import Num, Slope
from backhand.core.graph import Graph
from backhand.core.notation import formula
from backhand.marking.about import About, Derivative, Local, Value
from backhand.marking.diagnose import Claimed, Diagnosis, claims_of, collisions, could_be, diagnose, every_line
from backhand.marking.misconceptions import TABLE, by_key
from backhand.marking.replay import replay, run
from backhand.marking.sheet import sheet_of
from backhand.readers.bh import read
from backhand.text import Source

ROOT = Path(__file__).parent.parent
Q3 = read(Source((ROOT / "examples" / "q3.bh").read_text(encoding="utf-8")))
KEY_OF = {row.id: row.key for row in reversed(TABLE)} | {"V1b": "not-reset-piling-up"}


def claims(values: str, derivatives: str, of: str = "L") -> list[Claimed]:
    """`B1=3 C1=1`, `D=2 C1=2`: one claim a line."""
    pairs = [(Value(n), v) for n, _, v in (p.partition("=") for p in values.split())]
    pairs += [(Derivative(of, n), v) for n, _, v in (p.partition("=") for p in derivatives.split())]
    return [Claimed(about, Fraction(v), line) for line, (about, v) in enumerate(pairs, 1)]


VALUES = "B1=3 B2=1 C1=1 C2=-3 D=4 L=1"
FOUNDING = claims(VALUES, "D=2 C1=2 C2=-2 B1=2 B2=0 A1=-4 A2=0")


def keys(found: list[Diagnosis]) -> list[tuple[str, ...]]:
    return [d.keys for d in found]


# -- the founding page ---------------------------------------------------------------------------------------


def test_the_founding_page_has_exactly_one_habit() -> None:
    (found,) = diagnose(Q3, None, FOUNDING)
    assert found.keys == ("one-path-straight",) and found.ids == ("P1",)
    assert found.about == tuple(Derivative("L", n) for n in ("B1", "B2", "A1", "A2"))
    assert (found.explained, found.unexplained) == (4, 0)
    assert found.evidence == "4 lines, 1 habit: only the way straight across is followed"
    assert "B1 reaches L by two ways, through C1 and C2." in found.remark


def test_the_same_page_gives_the_same_answer() -> None:
    assert diagnose(Q3, "L", FOUNDING) == diagnose(read(Source(str(Q3))), "L", FOUNDING)


def test_without_the_forward_values_it_is_the_same_habit() -> None:
    assert keys(diagnose(Q3, None, FOUNDING[6:])) == [("one-path-straight",)]


def test_a_right_page_has_no_diagnosis() -> None:
    assert diagnose(Q3, None, claims(VALUES, "D=2 C1=2 C2=-2 B1=4 B2=-4 A1=-12 A2=-4")) == []


def test_one_wrong_number_proves_nothing_but_may_be_a_hint() -> None:
    """dL/dB1 = 2, and all that follows from it by the right rules."""
    page = claims(VALUES, "D=2 C1=2 C2=-2 B1=2 B2=-4 A1=-8 A2=-6")
    assert diagnose(Q3, None, page) == []
    hints = could_be(Q3, None, page)
    assert list(hints) == [9] and hints[9][0] == "one-path-straight" and "branch-dropped" in hints[9]


def test_a_slip_that_was_not_carried_on_proves_nothing() -> None:
    page = claims(VALUES, "D=2 C1=2 C2=-2 B1=2 B2=-4 A1=-12 A2=-4")
    assert diagnose(Q3, None, page) == []


def test_the_expression_speaks_where_the_number_cannot() -> None:
    """One line only: dL/dB1 = (2)(1) = 2, a single product where two ways meet."""
    page = claims(VALUES, "D=2 C1=2 C2=-2 B1=2 B2=-4 A1=-8 A2=-6")
    page[9] = replace(page[9], terms=((2, 1),))
    (found,) = diagnose(Q3, None, page)
    assert "one-path-straight" in found.keys or found.keys == ("branch-dropped",)
    page[9] = replace(page[9], terms=((2, 1), (-2, -1)))
    assert diagnose(Q3, None, page) == [], "both ways are there: only the sum is wrong"


def test_the_number_of_summands_counts_too() -> None:
    page = [replace(c, summands=1) if isinstance(c.about, Derivative) else c for c in FOUNDING]
    assert keys(diagnose(Q3, None, page)) == [("one-path-straight",)]


def test_two_habits_are_two_diagnoses() -> None:
    """Weights left out, and for weights the value at the tail: rules that do not touch each other."""
    sheet = sheet_of(Q3, "L")
    one, other = (by_key()[key].instances(sheet)[0].practice for key in ("signs-dropped", "weight-no-upstream"))
    both = replace(one, weight_upstream=other.weight_upstream)
    found = diagnose(Q3, None, claims_of(run(sheet, both), every_line(Q3, "L")))
    assert sorted(keys(found)) == [("signs-dropped",), ("weight-no-upstream",)]


def test_a_habit_and_a_slip() -> None:
    """The straight way only, and dL/dC2 reckoned as 5: the habit is named, one number is left."""
    page = claims(VALUES, "D=2 C1=2 C2=5 B1=2 B2=0 A1=-4 A2=0")
    (found,) = diagnose(Q3, None, page)
    assert found.keys == ("one-path-straight",) and found.unexplained == 1
    assert "1 more wrong number" in found.evidence


def test_habits_that_look_alike_are_named_together() -> None:
    page = claims(VALUES, "D=2 C1=2 C2=6 B1=-12 B2=-4 A1=-20 A2=-20")
    (found,) = diagnose(Q3, None, page)
    assert found.either and set(found.keys) == {"whole-term", "times-value"}
    assert found.title.startswith("either ")


def test_a_misread_target_is_found_with_its_number() -> None:
    """t read as 2: L = 4 and dL/dD = 4, all else follows."""
    page = claims("B1=3 B2=1 C1=1 C2=-3 D=4 L=4", "D=4 C1=4 C2=-4 B1=8 B2=-8 A1=-24 A2=-8")
    (found,) = diagnose(Q3, None, page)
    assert found.keys == ("target-misread",) and found.place == "t as 2"


def test_a_misread_weight_is_found_at_its_arrow() -> None:
    """A1 -> B1 read as 2 instead of -2, in both directions."""
    page = claims("B1=-1 B2=1 C1=-3 C2=1 D=-4 L=49", "D=-14 C1=-14 C2=14 B1=-28 B2=28 A1=-28 A2=28")
    (found,) = diagnose(Q3, None, page)
    assert found.keys == ("weight-misread",) and found.place == "A1 -> B1"


def test_a_claim_flagged_as_misread_is_carried_on_and_is_no_evidence() -> None:
    own = {Value("B1"): Fraction(5)}
    numbers = {**replay(Q3, None, "L", own), **own}
    page = [Claimed(a, numbers[a], n, misread=a == Value("B1")) for n, a in enumerate(every_line(Q3, "L"))]
    assert diagnose(Q3, None, page) == [] and could_be(Q3, None, page) == {}


def test_rounded_numbers() -> None:
    """Mazur's network, two decimals fewer than he prints, with the slope of the sigmoid left out."""
    graph = read(Source((ROOT / "examples" / "mazur.bh").read_text(encoding="utf-8")))
    of = graph.output()[0]
    truth = sheet_of(graph, of)
    page = claims_of(run(truth, by_key()["bend-forgotten"].instances(truth)[0].practice), every_line(graph, of))
    rounded = [replace(c, value=Fraction(round(c.value, 6)), digits=6) for c in page]
    assert keys(diagnose(graph, of, rounded)) == [("bend-forgotten",)]
    right = claims_of(run(truth, by_key()["own-factor"].instances(truth)[0].practice), every_line(graph, of))
    assert diagnose(graph, of, [replace(c, value=Fraction(round(c.value, 3)), digits=3) for c in right]) == []


def test_local_derivatives_are_claims_too() -> None:
    """dC1/dB1 = 1 and dC2/dB1 = 1: the minus of the weight is dropped in the local derivative already."""
    page = claims(VALUES, "D=2 C1=2 C2=2 B1=4 B2=4 A1=12 A2=12")
    page += [Claimed(Local("D", "C2"), Fraction(1), 20), Claimed(Local("B1", "A1"), Fraction(2), 21)]
    (found,) = diagnose(Q3, None, page)
    assert found.keys == ("signs-dropped",)


def test_derivatives_of_something_else_than_the_output() -> None:
    """dD/dB1 over all ways is 2, dD/dA1 is -6: with the straight way only, 1 and -2."""
    page = [
        Claimed(Derivative("D", n), Fraction(v), k)
        for k, (n, v) in enumerate([("B1", 1), ("B2", 0), ("A1", -2), ("A2", 0)])
    ]
    (found,) = diagnose(Q3, None, page)
    assert "one-path-straight" in found.keys


def test_numbers_left_over_from_the_first_run() -> None:
    """The example behind V1: e = c d, c = a + b, run twice without clearing."""
    graph = read(Source("a = 3\nb = 2\nd = 1\nc = a + b\ne = c d"))
    (found,) = diagnose(graph, "e", claims("c=5 e=5", "c=2 a=3 b=3 d=10", "e"))
    assert found.keys == ("not-reset-piling-up",)


def test_numbers_left_over_from_the_output_before() -> None:
    """The published Jacobian [[6, 0], [8, 24], [8, 34]]: each row has the rows above it in it."""
    graph = read(Source("x0 = 1\nx1 = 2\ny0 = 3 x0^2\ny1 = x0^2 + 2 x1^3\ny2 = 10 x1"))
    page = [
        c for of, by in [("y0", "x0=6 x1=0"), ("y1", "x0=8 x1=24"), ("y2", "x0=8 x1=34")] for c in claims("", by, of)
    ]
    (found,) = diagnose(graph, "y2", page)
    assert found.keys == ("not-reset-between-outputs",) and found.explained == 3


def test_a_page_of_twenty_claims_is_fast() -> None:
    page = claims_of(
        run(sheet_of(Q3, "L"), by_key()["one-path-straight"].instances(sheet_of(Q3, "L"))[0].practice),
        every_line(Q3, "L"),
    )
    diagnose(Q3, None, page)
    times: list[float] = []
    for _ in range(5):
        start = time.process_time()
        diagnose(Q3, None, page)
        times.append(time.process_time() - start)
    print(f"{len(page)} claims: {1000 * min(times):.1f} ms")
    assert min(times) < 0.1


# -- collisions ----------------------------------------------------------------------------------------------


def test_the_founding_net_hides_and_merges_what_the_catalogue_says() -> None:
    table = collisions(Q3, "L")
    drawn = {"exponent-kept", "bracket-lost", "starts-from-loss", "square-lost"}
    assert drawn <= set(table.hidden)
    assert ("one-path-crossing", "one-path-first") in table.alike
    assert ("overwritten", "one-path-weakest", "one-path-largest-weight") in table.alike
    assert ("whole-term", "times-value") in table.alike and ("arrows-negated", "downhill") in table.alike
    assert "one-path-straight" in table.isolated and "zero-as-one" in table.one_line


def test_another_target_hides_nothing_of_the_loss() -> None:
    """The catalogue: with t = 9 no mistake at the loss is invisible, and none is merged with another."""
    graph = read(Source(str(Q3).replace("t = 3", "t = 9")))
    table = collisions(graph, "L")
    loss = {row.key for row in TABLE if row.id[0] in "NF"}
    assert not loss & set(table.hidden)
    assert not any(len(loss.intersection(group)) > 1 for group in table.alike)


# -- simulated sheets: one habit -----------------------------------------------------------------------------


def about_of(name: str) -> About:
    return Derivative("L", name[1:]) if name.startswith("d") else Value(name)


def sheet(numbers: dict[str, Fraction | None]) -> list[Claimed]:
    return [Claimed(about_of(k), v, n) for n, (k, v) in enumerate(numbers.items()) if v is not None]


def nets(count: int, first: int = 1000) -> Iterator[tuple[dict, Graph]]:
    for seed in range(first, first + count):
        yield net_of(seed)


@lru_cache(maxsize=32)
def net_of(seed: int) -> tuple[dict, Graph]:
    net = plain.draw_net(seed)
    return net, read(Source(plain.text(net)))


def measure(count: int) -> Counter[str]:
    """Every habit on `count` networks: how many sheets isolate it, on how many of these it is named, and so on."""
    total: Counter[str] = Counter()
    by_habit = {entry: Counter[str]() for entry in plain.HABITS}
    for net, graph in nets(count):
        table = collisions(graph, "L", [about_of(name) for name in plain.numbers(net)])
        for entry in plain.HABITS:
            key, found = KEY_OF[entry], by_habit[entry]
            diagnoses = diagnose(graph, "L", sheet(plain.numbers(net, entry)))
            named = [d for d in diagnoses if not d.either]
            right = any(d.keys == (key,) for d in named)
            found["sheets"] += 1
            found["isolated"] += key in table.isolated
            found["isolated and named"] += key in table.isolated and right
            found["named"] += len(named)
            found["named rightly"] += right
            found["either"] += len(diagnoses) - len(named)
            found["either with it"] += any(d.either and key in d.keys for d in diagnoses)
            found["hidden but named"] += key in table.hidden and bool(diagnoses)
    for entry, found in by_habit.items():
        print(f"{entry:4} {KEY_OF[entry]:26}", ", ".join(f"{k} {v}" for k, v in found.items() if v))
        assert found["isolated and named"] >= 0.8 * found["isolated"], (entry, found)
        total.update(found)
    print(dict(total))
    return total


def check(total: Counter[str]) -> None:
    assert total["isolated and named"] >= 0.8 * total["isolated"]
    assert total["named rightly"] >= 0.99 * total["named"]
    assert total["either with it"] >= 0.99 * total["either"]
    assert total["hidden but named"] == 0


def test_isolated_habits_are_named_and_names_are_right() -> None:
    check(measure(16))


@pytest.mark.nightly
def test_isolated_habits_are_named_and_names_are_right_a_thousand_times() -> None:
    check(measure(1000))


# What the line of a habit at the loss looks like. Its numbers alone are one wrong line from which all others follow,
# and one number proves nothing; with its expression it can be named.
WRITTEN = {
    "N1": ("dL/dD", "D - t"),
    "N2": ("dL/dD", "2 D"),
    "N3": ("dL/dD", "2 (t - D)"),
    "N4": ("dL/dD", "2 (D - t)^2"),
    "N8": ("dL/dD", "D"),
    "N10": ("dL/dD", "2 (D - t)(1 - t)"),
    "N11": ("dL/dD", "2 (D - t)(-t)"),
    "N12": ("dL/dD", "2 D - t"),
    "N13": ("dL/dD", "(D - t)^3/3"),
    "F1": ("L", "D - t"),
    "F3": ("L", "D^2 - t"),
    "F4": ("L", "D^2 - t^2"),
    "F7": ("L", "2 (D - t)"),
    "F8": ("L", "-(D - t)^2"),
}


@pytest.mark.parametrize("entry", WRITTEN)
def test_a_habit_at_the_loss_is_named_by_its_expression(entry: str) -> None:
    line, written = WRITTEN[entry]
    about = Value("L") if line == "L" else Derivative("L", "D")
    counts: Counter[str] = Counter()
    for net, graph in nets(30):
        right, wrong = plain.numbers(net), plain.numbers(net, entry)
        if right == wrong:
            continue
        page = [replace(c, formula=formula(written)) if c.about == about else c for c in sheet(wrong)]
        found = keys(diagnose(graph, "L", page))
        counts["sheets"] += 1
        counts["named"] += found == [(KEY_OF[entry],)]
        counts["wrong"] += any(KEY_OF[entry] not in k for k in found)
    print(entry, dict(counts))
    assert counts["named"] >= 0.8 * counts["sheets"] and not counts["wrong"]


def test_a_formula_with_derivatives_in_it() -> None:
    """dL/dB1 = dL/dC1 * 1 and dL/dB1 = dL/dD dD/dC1 dC1/dB1 say the same: one way."""
    from backhand.core.formula import apply
    from backhand.core.operations import MULTIPLY

    page = claims(VALUES, "D=2 C1=2 C2=-2 B1=2 B2=-4 A1=-8 A2=-6")
    short = apply(MULTIPLY, Slope("L", "C1"), Num(Fraction(1)))
    path = apply(MULTIPLY, apply(MULTIPLY, Slope("L", "D"), Slope("D", "C1")), Slope("C1", "B1"))
    for written in (short, path):
        page[9] = replace(page[9], formula=written)
        (found,) = diagnose(Q3, None, page)
        assert found.keys == ("branch-dropped",) and found.place == "B1 -> C2", "dL/dB2 has both of its ways"


def test_expressions_split_twins() -> None:
    """E4 and R1 have the same numbers on every network; with the factors written they still differ in nothing that a
    sum of products shows, so they stay together, while P1 and S1 part."""
    sheet_ = sheet_of(Q3, "L")
    page = claims_of(
        run(sheet_, by_key()["whole-term"].instances(sheet_)[0].practice), every_line(Q3, "L"), expressions=True
    )
    (found,) = diagnose(Q3, None, page)
    assert set(found.keys) == {"whole-term", "times-value"}


# -- noise: nothing must be said -----------------------------------------------------------------------------


def another(draw: random.Random, truth: Fraction | float) -> Fraction:
    while (number := Fraction(draw.randint(-20, 20))) == truth:
        pass
    return number


def noise(kind: str, draw: random.Random, graph: Graph, lines: list[About], seed: int) -> dict[About, Fraction | float]:
    truth = replay(graph, None, "L")
    match kind:
        case "a slip":
            place = draw.choice(lines)
            return {**truth, place: another(draw, truth[place])}
        case "a slip, carried on":
            place = draw.choice(lines)
            own = {place: another(draw, truth[place])}
            return {**replay(graph, None, "L", own), **own}
        case "guesses":
            guessed = [a for a in lines if isinstance(a, Derivative) and not a.by.startswith("w")]
            return {**truth, **{a: another(draw, 1000) for a in guessed}}
        case "another page":
            other = plain.numbers(plain.draw_net(50_000 + seed))
            return {about_of(name): value for name, value in other.items() if value is not None}
        case _:
            raise AssertionError(kind)


KINDS = ["a slip", "a slip, carried on", "guesses", "another page"]


def measure_noise(count: int) -> None:
    """The founding net and random ones by turns; with the weights' derivatives and without them."""
    rates: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    names = list(plain.numbers(plain.draw_net(0)))
    for seed in range(count):
        graph = Q3 if seed % 3 == 0 else read(Source(plain.text(plain.draw_net(20_000 + seed))))
        lines = [about_of(n) for n in names if seed % 2 or not n.startswith("dw")]
        for kind in KINDS:
            draw = random.Random(f"{kind} {seed}")
            numbers = noise(kind, draw, graph, lines, seed)
            found = diagnose(graph, "L", [Claimed(a, numbers[a], n) for n, a in enumerate(lines)])
            rates[kind]["named"] += any(not d.either for d in found)
            rates[kind]["either"] += any(d.either for d in found)
    undue = sum(sum(found.values()) for found in rates.values())
    print(
        {kind: dict(found) for kind, found in rates.items()},
        f"of {count} each: {100 * undue / (count * len(KINDS)):.2f} %",
    )
    assert undue <= 0.005 * count * len(KINDS)


def test_of_noise_nothing_is_said() -> None:
    measure_noise(60)


@pytest.mark.nightly
def test_of_noise_nothing_is_said_ten_thousand_times() -> None:
    measure_noise(2500)
