"""Points for a page: the founding page as data, one test a key of the policy, and what must hold under all of them.

Judgements are made by hand here: `claim("dL/dB1", 2, truth=4)` is a line `dL/dB1 = ... = 2`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backhand.core.formula import Num, Ref, Slope, apply
from backhand.core.notation import formula
from backhand.core.operations import MULTIPLY
from backhand.errors import BackhandError, LimitError, ReadError, SeveralErrors
from backhand.marking import policy as policies
from backhand.marking.about import About, Derivative, Local, Value
from backhand.marking.credit import SLIPS, Asked, Marks, Policy, asked, credit, read_policy
from backhand.marking.marking import Judged, Judgement, Remark
from backhand.marking.policy import KEYS
from backhand.marking.work import Chain, Piece
from backhand.readers import read
from backhand.text import Source, Span

ROOT = Path(__file__).parent.parent
PAGE = Source("\n".join(f"line {n}" for n in range(1, 200)), "page.md")


def about(name: str, *, local: bool = False) -> About:
    """B1, dL/dB1; dC1/dB1 as a local derivative."""
    found = re.fullmatch(r"d(.+)/d(.+)", name)
    if found is None:
        return Value(name)
    return Local(found[1], found[2]) if local else Derivative(found[1], found[2])


def at(line: int) -> Span:
    start = PAGE.line_starts[line - 1]
    return Span(PAGE, start, start + 4)


def claim(
    name: str,
    value: object = None,
    *,
    truth: object = None,
    own: object = None,
    line: int = 1,
    method: str = "right",
    local: bool = False,
    note: bool = False,
    verdict: str = "",
    remarks: tuple[str, ...] = (),
    struck: bool = False,
    uses: str = "",
) -> Judgement:
    """A judgement as the judge would make it: right if the value is the truth, following if it is its own."""
    number = Fraction(value) if isinstance(value, (int, str)) else None
    right = Fraction(truth) if isinstance(truth, (int, str)) else number
    follows = Fraction(own) if isinstance(own, (int, str)) else right
    told = verdict or ("right" if number == right else "follows" if number == follows else "wrong")
    kind = "local" if local else "value" if "/" not in name else "total"
    span = at(line)
    links: tuple[Judged, ...] = ()
    if uses:
        left = Slope(*uses[1:].split("/d")) if "/" in uses else Ref(uses)
        product = apply(MULTIPLY, left, Num(Fraction(2), "2"))
        links = (Judged(Piece("=", product, f"{uses} 2", span), "right"),)
    return Judgement(
        about(name, local=local),
        kind,
        told,  # type: ignore[arg-type]
        span,
        "" if number is None else str(number),
        number,
        right,
        follows,
        links=links,
        method=method,  # type: ignore[arg-type]
        remarks=tuple(Remark(key, f"about {key}", span) for key in remarks),
        chains=(Chain((), span, struck=True),) if struck else (),
        note=note,
    )


def policy(text: str) -> Policy:
    return read_policy(Source(text, "policy.toml"))


def marks(judgements: list[Judgement], wanted: str, text: str = "") -> Marks:
    return credit(judgements, [about(name) for name in wanted.split()], policy(text))


def earned(judgements: list[Judgement], wanted: str, text: str = "") -> str:
    found = marks(judgements, wanted, text)
    return f"{found.earned} of {found.out_of}"


# -- the founding page -----------------------------------------------------------------------------------------

Q3 = read(ROOT / "examples" / "q3.bh")

THE_PAGE = [
    claim("B1", 3, line=16),
    claim("B2", 1, line=22),
    claim("C1", 1, line=28),
    claim("C2", -3, line=34),
    claim("D", 4, line=41),
    claim("L", 1, line=47, remarks=("square-lost",)),
    claim("dL/dD", 2, line=53),
    claim("D", 4, line=51, method="none", note=True),
    claim("dL/dC1", 2, line=59),
    claim("dL/dD", 2, line=55, method="none", note=True),
    claim("dL/dC2", -2, line=65),
    claim("dD/dC2", -1, line=63, local=True),
    claim("dL/dD", 2, line=67, method="none"),
    claim("dD/dC1", 1, line=67, local=True, method="none"),
    claim("dL/dB1", 2, truth=4, line=71, method="wrong"),
    claim("dC1/dB1", 1, line=69, local=True, note=True, remarks=("copied-wrongly",)),
    claim("dL/dB2", 0, truth=-4, line=75, method="wrong"),
    claim("dC2/dB2", 0, line=73, local=True, note=True),
    claim("dL/dA1", -4, truth=-12, own=-4, line=79, method="wrong", verdict="wrong"),
    claim("dB1/dA1", -2, line=77, local=True, note=True),
    claim("dL/dA2", 0, truth=-4, own=2, line=83, method="wrong"),
    claim("dB2/dA2", 2, line=81, local=True, note=True),
]


def test_the_founding_page_earns_12_of_20() -> None:
    found = credit(THE_PAGE, asked(Q3))
    assert (found.earned, found.out_of) == (12, 20)
    by = {(point.about, point.sort): (point.earned, point.worth, point.line) for point in found.points}
    for name, line in [("B1", 16), ("B2", 22), ("C1", 28), ("C2", 34), ("D", 41), ("L", 47)]:
        assert by[name, "accuracy"] == (1, 1, line)
    for name, shown, stated in [("dL/dD", 53, 67), ("dL/dC1", 59, 59), ("dL/dC2", 65, 65)]:
        assert by[name, "method"] == (1, 1, shown)  # the last line with working,
        assert by[name, "accuracy"] == (1, 1, stated)  # the last line with a number
    for name, sort in [
        ("dL/dB1", "accuracy"),
        ("dL/dB2", "accuracy"),
        ("dL/dA1", "accuracy"),
        ("dL/dA2", "accuracy"),
    ]:
        assert by[name, "method"][:2] == by[name, sort][:2] == (0, 1)
    assert len(found.points) == 20


def test_the_derivatives_by_weights_are_absent_and_do_not_count() -> None:
    found = credit(THE_PAGE, asked(Q3))
    assert [str(thing) for thing in found.absent] == [f"dL/dw[{a},{b}]" for a, b in [
        ("A1", "B1"), ("A2", "B1"), ("A1", "B2"), ("A2", "B2"), ("B1", "C1"),
        ("B2", "C1"), ("B1", "C2"), ("B2", "C2"), ("C1", "D"), ("C2", "D"),
    ]]  # fmt: skip


def test_every_point_says_why_and_where() -> None:
    found = credit(THE_PAGE, asked(Q3))
    for point in found.points:
        assert point.why.endswith("."), point
        assert point.span is not None, point
    why = {(point.about, point.sort): point.why for point in found.points}
    assert why["dL/dA1", "accuracy"] == (
        "The number in dL/dA1 = -4 agrees, but the working before it does not lead there."
    )
    assert why["dL/dB1", "accuracy"] == "dL/dB1 = 2 is not right."


def test_an_empty_page_earns_nothing_of_20() -> None:
    found = credit([], asked(Q3))
    assert (found.earned, found.out_of) == (0, 20)
    assert found.points[0].why == "B1 is not on the page."


def test_nothing_asked_is_no_mark_at_all() -> None:
    assert (credit(THE_PAGE, []).earned, credit(THE_PAGE, []).out_of) == (0, 0)
    assert credit(THE_PAGE, [], policy("[total]\nout-of = 10")).earned == 0


# -- what is asked ---------------------------------------------------------------------------------------------


def names(net: str, of: str | None = None) -> list[str]:
    return [str(thing) for thing in asked(read(net), of)]


NET = "input x = 2\nweight w = 3\nbias b = 1\ntarget t = 5\ny = w x + b\nL = (y - t)^2\n"


def test_without_ask_all_values_and_derivatives_by_what_is_no_weight() -> None:
    assert names(NET) == ["y", "L", "dL/dy", "dL/dx"]


def test_ask_lines_say_what_is_asked() -> None:
    assert names(NET + "ask values") == ["y", "L"]
    assert names(NET + "ask derivatives of L") == ["dL/dy", "dL/dx", "dL/dw", "dL/db"]
    assert names(NET + "ask derivatives of L by w, t") == ["dL/dw", "dL/dt"]
    assert names(NET + "ask y, dL/dw, dy/dx") == ["y", "dL/dw", "dy/dx"]
    assert names(NET + "ask values, values, y") == ["y", "L"]
    assert names(NET + "ask pairs") == ["dL/dy", "dL/dx", "dL/dw", "dL/db", "dy/dx", "dy/dw", "dy/db"]


def test_another_output_takes_the_place_of_the_one_asked_for() -> None:
    assert names(NET + "ask values, derivatives of L", "y") == ["dy/dx", "dy/dw", "dy/db", "y", "L"]


def test_all_of_the_founding_net() -> None:
    wanted = asked(Q3)
    assert len(wanted) == 6 + 7 + 10
    assert [wanted.groups[thing] for thing in wanted] == ["values"] * 6 + ["derivatives"] * 7 + ["weights"] * 10


def test_what_is_asked_by_name_always_counts() -> None:
    wanted = asked(read(NET + "ask derivatives of L, dL/dw"))
    assert (wanted.groups[Derivative("L", "w")], wanted.groups[Derivative("L", "b")]) == ("derivatives", "weights")
    assert credit([], wanted).out_of == 3 * 2


def test_sums_and_versions_that_nobody_named_count_where_they_are_written() -> None:
    wanted = asked(read("input x = 2\nx -> h : 1\nh : relu\nL = h^2\n"))
    assert [wanted.groups[thing] for thing in wanted] == [
        "inner",
        "values",
        "values",
        "derivatives",
        "inner",
        "derivatives",
    ]
    assert credit([], wanted).out_of == 2 + 2 * 2
    assert credit([claim("z[h]", 2)], wanted).earned == 1
    versions = asked(read(ROOT / "examples" / "redefined.bh"))
    assert versions.groups[Value("c#1")] == "inner" and versions.groups[Value("c")] == "values"


def test_a_local_derivative_that_is_the_whole_counts_as_it() -> None:
    wanted = asked(read(NET + "ask dL/dy"))
    assert credit([claim("dL/dy", 4, local=True)], wanted).earned == 2
    two_ways = asked(read("x = 2\ny = 3 x\nL = x y\nask dL/dx"))
    assert credit([claim("dL/dx", 6, local=True)], two_ways).earned == 0


# -- method and accuracy ---------------------------------------------------------------------------------------


def test_right_working_with_a_slip_in_the_number_earns_the_method() -> None:
    assert earned([claim("dL/dB1", 5, truth=4)], "dL/dB1") == "1 of 2"


def test_a_right_number_after_wrong_working_earns_nothing() -> None:
    assert earned([claim("dL/dB1", 4, method="wrong")], "dL/dB1") == "0 of 2"


def test_working_without_a_number_earns_the_method() -> None:
    found = marks([claim("dL/dB1", method="none", verdict="right")], "dL/dB1")
    assert [point.earned for point in found.points] == [1, 0]
    assert found.points[1].why == "dL/dB1 has working but no number. Work it out."


def test_what_could_not_be_told_earns_nothing_and_hides_nothing() -> None:
    hazy = claim("dL/dB1", 4, verdict="unclear", line=9)
    found = marks([hazy], "dL/dB1")
    assert (found.earned, found.points[0].line) == (0, 9)
    assert "could not be told" in found.points[0].why
    assert earned([claim("dL/dB1", 4), hazy], "dL/dB1") == "2 of 2"


def test_missing_and_unnamed_judgements_earn_nothing() -> None:
    missing = replace(claim("dL/dB1", 4), verdict="missing", span=None, value=None, said="")
    nameless = replace(claim("dL/dB1", 4), about=None, kind="formula")
    assert earned([missing, nameless], "dL/dB1") == "0 of 2"


# -- the same thing claimed several times ----------------------------------------------------------------------


def test_of_several_claims_the_last_counts_and_the_others_are_named() -> None:
    right, wrong = claim("dL/dB1", 4, line=10), claim("dL/dB1", 2, truth=4, line=20, method="wrong")
    found = marks([right, wrong], "dL/dB1")
    assert found.earned == 0
    assert all(
        point.why.endswith("You gave dL/dB1 more than once: 4 on line 10, 2 on line 20; the last one counts.")
        for point in found.points
    )
    assert earned([wrong, right], "dL/dB1") == "2 of 2"


def test_a_number_said_again_keeps_its_working() -> None:
    again = claim("dL/dB1", 4, line=20, method="none")
    found = marks([claim("dL/dB1", 4, line=10), again], "dL/dB1")
    assert [(point.earned, point.line) for point in found.points] == [(1, 10), (1, 20)]
    assert "more than once" not in found.points[0].why


def test_what_is_struck_out_does_not_count() -> None:
    assert earned([claim("B1", 3), claim("B1", 5, truth=3, line=2, struck=True)], "B1") == "1 of 1"
    assert earned([claim("B1", 3, struck=True)], "B1") == "0 of 1"


def test_a_side_note_counts_only_where_nothing_else_is_said() -> None:
    note = claim("dL/dB1", 3, truth=4, line=20, method="none", note=True)
    assert earned([claim("dL/dB1", 4, line=10), note], "dL/dB1") == "2 of 2"
    assert earned([claim("dL/dB1", 4, note=True)], "dL/dB1") == "2 of 2"


def test_bare_right_number_after_right_working_with_a_slip() -> None:
    found = marks([claim("dL/dB1", 5, truth=4, line=3), claim("dL/dB1", 4, method="none", line=4)], "dL/dB1")
    assert found.earned == 2
    assert "5 on line 3, 4 on line 4" in found.points[0].why


def test_right_working_that_led_to_another_number_keeps_its_method_alone() -> None:
    found = marks([claim("dL/dB1", 4, line=3), claim("dL/dB1", 5, truth=4, method="none", line=4)], "dL/dB1")
    assert [point.earned for point in found.points] == [1, 0]
    assert "4 on line 3, 5 on line 4; the last one counts" in found.points[0].why
    follows = claim("dL/dB1", 5, truth=4, own=5, method="none", line=4)
    assert earned([claim("dL/dB1", 4, line=3), follows], "dL/dB1") == "1 of 2"


# -- the keys of a policy, one by one --------------------------------------------------------------------------

FOLLOWS = claim("dL/dB1", 6, truth=4, own=6)
BARE = claim("dL/dB1", 4, method="none")


@pytest.mark.parametrize("key", ["method", "accuracy"])
@pytest.mark.parametrize(("table", "thing"), [("value", "B1"), ("derivative", "dL/dB1")])
def test_key_points(table: str, thing: str, key: str) -> None:
    other = "accuracy" if key == "method" else "method"
    text = f"[{table}]\n{key} = 2.5\n{other} = 0"
    assert earned([claim(thing, 4)], thing, text) == "5/2 of 5/2"
    assert earned([claim(thing, 5, truth=4)], thing, text) == ("5/2 of 5/2" if key == "method" else "0 of 5/2")


@pytest.mark.parametrize("key", ["method", "accuracy"])
def test_key_points_of_local_derivatives_that_are_written(key: str) -> None:
    text = f"[local]\n{key} = 2"
    assert earned([claim("B1", 3), claim("dC1/dB1", 1, local=True)], "B1", text) == "3 of 3"
    assert earned([claim("B1", 3)], "B1", text) == "1 of 1"
    assert earned([claim("B1", 3), claim("dC1/dB1", 1, local=True)], "B1") == "1 of 1"


def test_key_follow_through_value() -> None:
    follows = claim("C1", 6, truth=4, own=6)
    assert earned([follows], "C1") == "1 of 1"
    assert marks([follows], "C1").points[0].sort == "follow-through"
    assert earned([follows], "C1", "[follow-through]\nvalue = false") == "0 of 1"


def test_key_follow_through_derivative() -> None:
    assert earned([FOLLOWS], "dL/dB1") == "2 of 2"
    assert earned([FOLLOWS], "dL/dB1", "[follow-through]\nderivative = false") == "1 of 2"


def test_key_follow_through_local() -> None:
    follows = claim("dC1/dB1", 6, truth=4, own=6, local=True)
    points = "[local]\nmethod = 1\naccuracy = 1\n"
    assert earned([follows], "", points) == "2 of 2"
    assert earned([follows], "", points + "[follow-through]\nlocal = false") == "1 of 2"


def test_key_follow_through_needs_working() -> None:
    bare = replace(FOLLOWS, method="none")
    assert earned([bare], "dL/dB1") == "0 of 2"
    assert earned([bare], "dL/dB1", "[follow-through]\nneeds-working = false") == "1 of 2"


def test_key_follow_through_trivial_by_a_derivative_that_became_nought() -> None:
    nought = claim("dL/dA2", 0, truth=-4, own=0)
    found = marks([nought], "dL/dA2")
    assert found.earned == 1
    assert found.points[1].why == "dL/dA2 = 0 follows, but an earlier mistake made it 0: what follows is capped."
    assert earned([nought], "dL/dA2", "[follow-through]\ntrivial = 0.5") == "3/2 of 2"
    assert earned([nought], "dL/dA2", "[follow-through]\ntrivial = 1") == "2 of 2"


def test_key_follow_through_trivial_by_a_factor_that_became_nought_or_one() -> None:
    one = claim("dL/dD", 1, truth=2, line=1)
    follows = claim("dL/dC1", 3, truth=6, own=3, line=2, uses="dL/dD")
    found = marks([one, follows], "dL/dC1")
    assert (found.earned, found.points[1].earned) == (1, 0)
    assert "an earlier mistake made dL/dD 1" in found.points[1].why
    honest = claim("dL/dD", 7, truth=2, line=1)
    assert earned([honest, follows], "dL/dC1") == "2 of 2"
    misread = claim("w", 0, truth=-2, line=1, verdict="wrong")
    assert earned([misread, claim("dL/dC1", 3, truth=6, own=3, uses="w")], "dL/dC1") == "1 of 2"
    # forward, a sum with a 0 in it is still a sum
    assert earned([claim("B1", 0, truth=3), claim("C1", 3, truth=6, own=3, uses="B1")], "C1") == "1 of 1"


@pytest.mark.parametrize(("word", "points"), [("accuracy", "1 of 2"), ("all", "2 of 2"), ("nothing", "0 of 2")])
def test_key_working_absent(word: str, points: str) -> None:
    assert earned([BARE], "dL/dB1", f'[working]\nabsent = "{word}"') == points
    if word == "accuracy":
        assert earned([BARE], "dL/dB1") == points


@pytest.mark.parametrize(("word", "points"), [("nothing", "0 of 2"), ("accuracy", "1 of 2")])
def test_key_working_wrong(word: str, points: str) -> None:
    for verdict in ("follows", "wrong"):
        lucky = claim("dL/dA1", -4, truth=-12, own=-4, method="wrong", verdict=verdict)
        assert earned([lucky], "dL/dA1", f'[working]\nwrong = "{word}"') == points
    for verdict in ("right", "wrong"):
        other = claim("dL/dA1", -12, method="wrong", verdict=verdict)
        assert earned([other], "dL/dA1", f'[working]\nwrong = "{word}"') == points


def misread(name: str, value: int, truth: int, line: int, text: str = "w[B2,C1] is -2, not -1.") -> Judgement:
    """The first line that a misread number spoils: wrong, and nothing else is."""
    made = claim(name, value, truth=truth, own=truth, line=line, method="wrong")
    return replace(made, remarks=(Remark("misread", text, at(line)),))


def test_key_cost_misread_once() -> None:
    later = claim("dL/dB2", 6, truth=-4, own=6, line=73, remarks=("misread",))
    page = [misread("C1", 2, 1, 26), later, claim("dL/dC1", 2)]
    found = marks(page, "C1 dL/dC1 dL/dB2")
    assert f"{found.earned} of {found.out_of}" == "4 of 5"
    assert [(p.about, p.earned, p.line) for p in found.points if p.sort == "misread"] == [("C1", -1, 26)]
    assert earned(page, "C1 dL/dC1 dL/dB2", "[cost]\nmisread = 0") == "5 of 5"
    assert earned(page, "C1 dL/dC1 dL/dB2", "[cost]\nmisread = 9") == "3 of 5"  # not more than followed from it
    again = misread("C2", 9, -3, 30)
    assert earned([*page, again], "C1 C2 dL/dC1 dL/dB2") == "5 of 6"  # the same number
    other = misread("C2", 9, -3, 30, "w[B1,C2] is -1, not 2.")
    assert earned([*page, other], "C1 C2 dL/dC1 dL/dB2") == "4 of 6"


def test_a_misread_number_that_is_written_down_costs_once() -> None:
    given_wrongly = replace(claim("w", -1, truth=-2, line=3, method="none"), kind="given")
    page = [given_wrongly, claim("C1", 2, truth=1, own=2), claim("dL/dB2", 6, truth=-4, own=6)]
    assert earned(page, "C1 dL/dB2") == "2 of 3"
    assert earned([given_wrongly, claim("C1", 1)], "C1") == "1 of 1"  # nothing follows from it


def test_a_follower_of_a_misread_number_is_not_charged_again() -> None:
    assert earned([claim("dL/dB2", 6, truth=-4, own=6, remarks=("misread",))], "dL/dB2") == "2 of 2"


def chain(*links: tuple[str, str]) -> tuple[Judged, ...]:
    """Links as text and verdict."""
    read = {text: Slope(*text[1:].split("/d")) if text.startswith("d") else formula(text) for text, _ in links}
    return tuple(Judged(Piece("=", read[text], text, at(5 + n)), verdict) for n, (text, verdict) in enumerate(links))  # type: ignore[arg-type]


def test_method_is_not_lost_by_a_slip_of_arithmetic() -> None:
    slip = chain(("a b", "right"), ("(2)(1) + (2)(1)", "right"), ("2 + 3", "wrong"), ("5", "right"))
    wrong = replace(claim("dL/dB1", 5, truth=4, method="wrong"), links=slip)
    found = marks([wrong], "dL/dB1")
    assert found.earned == 1
    assert found.points[0].why == "The rule for dL/dB1 is right; a number in the line was not carried over."
    rule = chain(("a", "wrong"), ("(2)(1)", "follows"), ("2", "follows"))
    assert earned([replace(wrong, links=rule)], "dL/dB1") == "0 of 2"
    number = chain(("a b", "right"), ("(2)(7)", "wrong"), ("14", "follows"))
    assert earned([replace(wrong, links=number)], "dL/dB1") == "1 of 2"
    shorter = chain(("a b + c d", "right"), ("(2)(7)", "wrong"), ("14", "follows"))
    assert earned([replace(wrong, links=shorter)], "dL/dB1") == "0 of 2"
    lucky = replace(wrong, links=slip, remarks=(Remark("right-by-luck", "It is not the rule.", at(1)),))
    assert earned([lucky], "dL/dB1") == "0 of 2"


def test_saying_the_same_again_is_no_working() -> None:
    same = replace(claim("dL/dB1", 4), links=chain(("dL/dB1", "right"), ("4", "right"), ("4", "right")))
    assert earned([same], "dL/dB1") == "1 of 2"
    nothing = replace(claim("dL/dB1", verdict="right", method="none"), links=chain(("dL/dB1", "right")))
    assert earned([nothing], "dL/dB1") == "0 of 2"
    another = replace(claim("dL/dC1", 2), links=chain(("dL/dD", "right"), ("2", "right")))
    assert earned([another], "dL/dC1") == "2 of 2"


def symbolic(*links: tuple[str, str], verdict: str = "right", line: int = 1) -> Judgement:
    made = claim("dL/dx", verdict=verdict, method=verdict, line=line)
    return replace(made, links=chain(*links), truth=None)


def test_in_a_network_of_symbols_a_formula_is_the_answer() -> None:
    assert earned([symbolic(("2 (y - 1) w", "right"))], "dL/dx") == "2 of 2"
    assert earned([symbolic(("dL/dy", "right"))], "dL/dx") == "1 of 2"
    wrong = symbolic(("2 (y - 1)", "wrong"), verdict="wrong", line=9)
    found = marks([symbolic(("2 (y - 1) w", "right"), line=4), wrong], "dL/dx")
    assert found.earned == 0
    assert "more than once: a formula on line 4, a formula on line 9" in found.points[1].why


def test_a_misread_number_beside_another_fault_is_not_followed_through() -> None:
    both = misread("dL/dB1", 5, 4, 5)
    links = chain(("(2)(-1)", "wrong"), ("-3", "wrong"))
    assert earned([replace(both, links=links)], "dL/dB1") == "1 of 2"  # the rule is right
    assert earned([replace(both, links=links[:1])], "dL/dB1") == "1 of 2"  # method, and accuracy less the misread


def test_key_cost_slip() -> None:
    page = [
        claim("L", 1, remarks=("square-lost",)),
        claim("dC1/dB1", 1, local=True, line=2, remarks=("copied-wrongly",)),
    ]
    assert earned([*page, claim("B1", 3)], "L B1") == "2 of 2"
    found = marks([*page, claim("B1", 3)], "L B1", "[cost]\nslip = 0.5")
    assert found.earned == 1
    assert [point.about for point in found.points if point.sort == "slip"] == ["L", "dC1/dB1"]
    assert earned(page[:1], "L", "[cost]\nslip = 5") == "0 of 1"
    assert set(SLIPS) >= {"square-lost", "copied-wrongly"}


@pytest.mark.parametrize("group", ["values", "derivatives", "inner", "weights"])
def test_key_count(group: str) -> None:
    wanted = asked(read("input x = 2\nx -> h : 1\nh : relu\nL = h^2\nask values, derivatives of L\n"))
    thing = {"values": "L", "derivatives": "dL/dx", "inner": "dL/dz[h]", "weights": "dL/dw[x,h]"}[group]
    members = [about for about in wanted if wanted.groups[about] == group]
    worth = sum(1 if isinstance(about, Value) else 2 for about in members)
    others = 'values = "never"\nderivatives = "never"\ninner = "never"\nweights = "never"'
    rules = {
        word: policy("[count]\n" + others.replace(f'{group} = "never"', f'{group} = "{word}"'))
        for word in ("asked", "attempted", "never")
    }
    for word, empty, one in [("asked", worth, worth), ("attempted", 0, 1 if group == "values" else 2), ("never", 0, 0)]:
        assert credit([], wanted, rules[word]).out_of == empty
        assert credit([claim(thing, 4)], wanted, rules[word]).out_of == one
        assert credit([claim(thing, 5, truth=4)], wanted, rules[word]).out_of == one
    absent = credit([], wanted, rules["attempted"]).absent
    assert list(absent) == members
    if group != "values":
        assert credit([claim(thing, 4, method="none")], wanted, rules["attempted"]).out_of == 1


def test_key_total_out_of() -> None:
    assert earned(THE_PAGE, "B1 B2 C1 dL/dB1", "[total]\nout-of = 10") == "6 of 10"
    assert earned(THE_PAGE, "B1 B2 C1 dL/dB1", '[total]\nout-of = "points"') == "3 of 5"


@pytest.mark.parametrize(("rule", "mark"), [("none", "20/3"), ("down", "6"), ("nearest", "7"), ("up", "7")])
def test_key_total_rounding(rule: str, mark: str) -> None:
    page = [claim("B1", 1), claim("B2", 1)]
    assert earned(page, "B1 B2 C1", f'[total]\nout-of = 10\nrounding = "{rule}"') == f"{mark} of 10"


def test_key_total_step() -> None:
    page = [claim("B1", 1), claim("B2", 1)]
    assert earned(page, "B1 B2 C1", '[total]\nout-of = 10\nrounding = "nearest"\nstep = 0.5') == "13/2 of 10"
    assert earned(page, "B1 B2 C1 C2", '[total]\nout-of = 5\nrounding = "nearest"') == "3 of 5"  # a half goes up
    assert earned(page, "B1 B2", '[total]\nout-of = 10\nrounding = "up"\nstep = 7') == "10 of 10"


def test_every_key_has_its_test() -> None:
    tested = set(re.findall(r"def test_key_(\w+)", Path(__file__).read_text(encoding="utf-8")))
    for table, keys in KEYS.items():
        for key in keys:
            shared = {"value": "points", "derivative": "points", "local": "points", "count": "count"}.get(table)
            name = shared or f"{table}_{key}".replace("-", "_")
            assert any(test.startswith(name) for test in tested), f"{table}.{key} has no test"


# -- policy files ----------------------------------------------------------------------------------------------

SHIPPED = Path(policies.__file__).with_name("policy.toml")


def test_the_default_policy_is_exactly_the_file() -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    assert read_policy(Source(text, "policy.toml")) == Policy() == policy("")
    tables = re.split(r"^\[(.+)\].*$", text, flags=re.MULTILINE)
    written = {
        name: re.findall(r"^([\w-]+) = ", body, re.MULTILINE)
        for name, body in zip(tables[1::2], tables[2::2], strict=True)
    }
    assert written == {table: list(keys) for table, keys in KEYS.items()}


def test_the_manual_is_true() -> None:
    """Its example is a policy, and it speaks of every key."""
    manual = (ROOT / "docs" / "marking-policy.md").read_text(encoding="utf-8")
    examples = re.findall(r"```toml\n(.*?)```", manual, re.DOTALL)
    assert examples
    for example in examples:
        assert policy(example) != Policy()
    for table, keys in KEYS.items():
        assert f"[{table}]" in manual or f"`{table}.".replace("`", "") in manual
        for key in keys:
            assert key in manual, f"{table}.{key}"


def test_a_file_may_begin_with_a_mark_and_end_its_lines_as_it_likes() -> None:
    assert policy("\ufeff[derivative]\r\nmethod = 2\r\n") == policy("[derivative]\nmethod = 2")
    assert (
        policy("derivative.method = 2") == policy("derivative = { method = 2.0 }") == policy("[derivative]\nmethod = 2")
    )


BAD = [
    ("[derivativ]\nmethod = 1", "1:2", "There is no table [derivativ] in a policy. Did you mean derivative?", "derivativ"),
    ("[derivative]\nmethd = 1", "2:1", "There is no key methd in [derivative]. Did you mean method?", "methd"),
    ("# x\n[cost]\nfine = 1", "3:1", "There is no key fine in [cost]. Keys: misread, slip.", "fine"),
    ("method = 1", "1:1", "There is no table [method] in a policy. Tables: value, derivative,", "method"),
    ("value = 1", "1:1", "value is a table, and this is value = 1. Write [value] and its keys below.", "value"),
    ("[value]\naccuracy = -1  # no", "2:12", "value.accuracy is -1. Give it a number of points, 0 or more", "-1"),
    ("[value]\naccuracy = -0.25", "2:12", "value.accuracy is -0.25. Give it a number of points", "-0.25"),
    ('[value]\naccuracy = "1"', "2:12", 'value.accuracy is "1". Give it a number of points', '"1"'),
    ("[value]\naccuracy = true", "2:12", "value.accuracy is true. Give it a number of points", "true"),
    ("[value]\naccuracy = [1]", "2:12", "value.accuracy is a list. Give it a number of points", "[1]"),
    ("[value]\naccuracy = inf", "2:12", "value.accuracy is not an ordinary number. Give it", "inf"),
    ("[value]\naccuracy = 1e999999999", "2:12", "value.accuracy is not an ordinary number. Give it", "1e999999999"),
    ("[value]\naccuracy = 1e300", "2:12", "value.accuracy is a very large number. Give it", "1e300"),
    ("[value]\naccuracy = 2000000", "2:12", "value.accuracy is 2000000. Give it a number of points", "2000000"),
    ("[value]\nmethod = 1979-05-27", "2:10", "value.method is the date or time 1979-05-27. Give it", "1979-05-27"),
    ("[follow-through]\nvalue = 1", "2:9", "follow-through.value is 1. Give it true or false, without quotes.", "1"),
    ("[follow-through]\ntrivial = 1.5", "2:11", "follow-through.trivial is 1.5. Give it a share from 0", "1.5"),
    ('[working]\nabsent = "none"', "2:10", 'working.absent is "none". Give it "accuracy", "all" or "nothing".', '"none"'),
    ('[working]\nwrong = "all"', "2:9", 'working.wrong is "all". Give it "nothing" or "accuracy".', '"all"'),
    ("[count]\nweights = false", "2:11", 'count.weights is false. Give it "asked", "attempted" or "never".', "false"),
    ("[total]\nout-of = 0", "2:10", 'total.out-of is 0. Give it "points", or a number above 0', "0"),
    ('[total]\nrounding = "half"', "2:12", 'total.rounding is "half". Give it "none", "down", "nearest" or "up".', '"half"'),
    ("[total]\nstep = 0", "2:8", "total.step is 0. Give it a number above 0", "0"),
    ("[value]\nmethod = { a = 1 }", "2:10", "value.method is a table. Give it a number of points", "{ a = 1"),
    ("value = { method = 'x', accuracy = 2 }", "1:20", 'value.method is "x". Give it', "'x'"),
    ("x = '''\n[value]\nmethod = 'a'\n'''", "1:1", "There is no table [x] in a policy.", "x"),
    ("[value]\nmethod == 1", "2:9", "This is not TOML: invalid value. A policy is TOML:", "="),
    ("[value]\nmethod = 1\nmethod = 2", "3:11", "This is not TOML: cannot overwrite a value.", ""),
    ("[value", "1:7", "This is not TOML: expected ']' at the end of a table declaration.", ""),
    ("[value]\n\0", "2:1", "This is not TOML: invalid statement.", "\0"),
    ("[value]\nmethod = " + "9" * 5000, "1:1", "A number has too many digits.", ""),
    ("x = " + "[" * 50_000, "1:1", "Brackets stand inside each other too deeply.", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "place", "words", "marked"), BAD, ids=[f"{n}-{row[0][-20:]!a}" for n, row in enumerate(BAD)]
)
def test_a_bad_policy_is_refused_at_its_place(text: str, place: str, words: str, marked: str) -> None:
    with pytest.raises(ReadError) as caught:
        policy(text)
    said = str(caught.value)
    assert said.startswith(f"policy.toml:{place}: {words}"), said
    assert caught.value.cure
    if marked:
        assert caught.value.span is not None and caught.value.span.text == marked


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(SeveralErrors) as caught:
        policy('[value]\nmethd = 1\n[cost]\nslip = -1\n[total]\nrounding = "half"\n')
    assert [error.span.line for error in caught.value.errors if error.span] == [2, 4, 6]


def test_too_large_a_policy_is_not_read() -> None:
    with pytest.raises(LimitError, match="100000 characters; a policy has at most"):
        policy("#" * 100_000)


@given(st.text(alphabet='[]={}".,#\n\r\t \x00\ufeffvaluemethod-01efinpts', max_size=60))
def test_whatever_the_file_holds_it_is_a_policy_or_a_located_error(text: str) -> None:
    try:
        policy(text)
    except BackhandError as error:
        for each in error.errors if isinstance(error, SeveralErrors) else [error]:
            assert each.span is not None and 0 <= each.span.start <= len(text)


# -- what holds under every policy -----------------------------------------------------------------------------

TRUTH = {"B1": 3, "C1": 0, "L": 1, "dL/dC1": 2, "dL/dB1": 4, "dL/dA1": -12, "dL/dw": 5, "dC1/dB1": 7}
WANTED = [about(name) for name in TRUTH if name != "dC1/dB1"]


def wanted_with_groups() -> Asked:
    made = Asked(WANTED)
    made.groups = {thing: "values" if isinstance(thing, Value) else "derivatives" for thing in WANTED}
    made.groups[Derivative("L", "dw")] = made.groups[Derivative("L", "w")] = "weights"
    made.groups[Value("C1")] = "inner"
    made.same = {}
    return made


@st.composite
def claims(draw: st.DrawFn) -> Judgement:
    name = draw(st.sampled_from(list(TRUTH)))
    truth = TRUTH[name]
    value = draw(st.sampled_from([truth, truth, truth + 1, 0, 1, 6, None]))
    remarks = draw(st.lists(st.sampled_from(["misread", "square-lost", "copied-wrongly", "rounded"]), max_size=1))
    method = draw(st.sampled_from(["right", "right", "wrong", "none"]))
    verdict = draw(st.sampled_from(["right", "wrong"])) if value is None else ""
    return claim(
        name,
        value,
        truth=truth,
        own=draw(st.sampled_from([None, 6, 0])),
        line=draw(st.integers(1, 199)),
        method=method,
        verdict=draw(st.sampled_from([verdict] * 6 + ["unclear"])),
        local=name == "dC1/dB1",
        note=draw(st.sampled_from([False] * 4 + [True])),
        struck=draw(st.sampled_from([False] * 6 + [True])),
        remarks=tuple(remarks),
        uses=draw(st.sampled_from(["", "", "dL/dC1", "B1"])),
    )


POINTS = st.sampled_from([Fraction(0), Fraction(1), Fraction(1, 2), Fraction(3)])
COUNTED = st.sampled_from(["asked", "attempted", "never"])
any_policy = st.builds(
    Policy,
    value=st.builds(policies.Worth, POINTS, POINTS),
    derivative=st.builds(policies.Worth, POINTS, POINTS),
    local=st.builds(policies.Worth, POINTS, POINTS),
    follow_through=st.builds(
        policies.FollowThrough, *[st.booleans()] * 4, st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(1)])
    ),
    working=st.builds(
        policies.Working, st.sampled_from(["accuracy", "all", "nothing"]), st.sampled_from(["nothing", "accuracy"])
    ),
    cost=st.builds(policies.Cost, POINTS, POINTS),
    count=st.builds(policies.Count, COUNTED, COUNTED, COUNTED, COUNTED),
    total=st.builds(
        policies.Total,
        st.sampled_from([None, Fraction(10), Fraction(7, 2)]),
        st.sampled_from(["none", "down", "nearest", "up"]),
        st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(3)]),
    ),
)
pages = st.lists(claims(), max_size=8)
ASKED = st.sampled_from([WANTED, wanted_with_groups()])
CASES = settings(max_examples=400)


def share(found: Marks) -> Fraction:
    return found.points_earned / found.points_worth if found.points_worth else Fraction(0)


def never_falls(before: Marks, after: Marks) -> None:
    """More points, or as many; and no smaller share of full marks where full marks changed."""
    assert after.points_earned >= before.points_earned
    assert share(after) >= share(before)
    if after.points_worth == before.points_worth:
        assert after.earned >= before.earned


def put_right(judgement: Judgement) -> Judgement:
    """The same claim as it should have been: number and working."""
    return replace(
        judgement,
        verdict="right",
        value=judgement.truth if judgement.value is not None else None,
        said=str(judgement.truth) if judgement.value is not None else "",
        method="right" if judgement.method == "wrong" else judgement.method,
        remarks=tuple(remark for remark in judgement.remarks if remark.key not in SLIPS),
    )


def plainly_right(judgement: Judgement, rule: Policy) -> bool:
    """Right without any but: no slip that costs, and working where the policy wants some."""
    shown = judgement.method == "right" or (judgement.method == "none" and rule.working.absent != "nothing")
    slips = bool(rule.cost.slip) and any(remark.key in SLIPS for remark in judgement.remarks)
    return judgement.verdict == "right" and shown and not slips


@CASES
@given(pages, ASKED, any_policy)
def test_never_more_than_full_marks(page: list[Judgement], wanted: list[About], rule: Policy) -> None:
    found = credit(page, wanted, rule)
    assert 0 <= found.earned <= found.out_of
    assert 0 <= found.points_earned <= found.points_worth
    assert all(point.earned <= point.worth for point in found.points)
    assert all(point.why.endswith(".") for point in found.points)


@CASES
@given(pages, ASKED, any_policy)
def test_putting_a_wrong_claim_right_never_costs(page: list[Judgement], wanted: list[About], rule: Policy) -> None:
    before = credit(page, wanted, rule)
    for number, judgement in enumerate(page):
        if judgement.verdict == "wrong":
            never_falls(before, credit([*page[:number], put_right(judgement), *page[number + 1 :]], wanted, rule))


@CASES
@given(pages, ASKED, any_policy)
def test_taking_a_right_claim_away_never_pays(page: list[Judgement], wanted: list[About], rule: Policy) -> None:
    before = credit(page, wanted, rule)
    for number, judgement in enumerate(page):
        if plainly_right(judgement, rule):
            never_falls(credit([*page[:number], *page[number + 1 :]], wanted, rule), before)


@CASES
@given(pages, ASKED, any_policy, st.randoms(use_true_random=False))
def test_the_order_matters_only_for_which_repeat_is_the_last(
    page: list[Judgement], wanted: list[About], rule: Policy, draw
) -> None:  # type: ignore[no-untyped-def]
    once = list({judgement.about: judgement for judgement in page}.values())
    mixed = [*once]
    draw.shuffle(mixed)
    before, after = credit(once, wanted, rule), credit(mixed, wanted, rule)
    assert before.points_worth == after.points_worth
    assert before.points_earned == after.points_earned
    assert before.earned == after.earned


@given(pages, any_policy)
def test_the_same_page_has_the_same_points(page: list[Judgement], rule: Policy) -> None:
    one, other = credit(page, WANTED, rule), credit(page, WANTED, rule)
    assert [point.why for point in one.points] == [point.why for point in other.points]


@CASES
@given(any_policy, st.permutations([name for name in TRUTH if name != "dC1/dB1"]))
def test_a_right_page_with_its_working_has_full_marks(rule: Policy, order: list[str]) -> None:
    page = [claim(name, TRUTH[name], line=10 + n) for n, name in enumerate(order)]
    for wanted in (WANTED, wanted_with_groups()):
        found = credit(page, wanted, rule)
        assert found.earned == found.out_of
