"""The fourth and fifth lot of planted bugs, two bugs at once, and what must not be named."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from backward_code_eighth import PROGRAMS as EIGHTH
from backward_code_eighth import accepted as accepted_eighth
from backward_code_fifth import PROGRAMS as OTHERS
from backward_code_fifth import planted
from backward_code_fourth import KEYS, PROGRAMS
from backward_code_seventh import PROGRAMS as SEVENTH
from backward_code_seventh import RETURNS
from backward_code_seventh import accepted as accepted_seventh
from backward_code_sixth import PROGRAMS as SIXTH
from backward_code_sixth import accepted as accepted_sixth

import backhand
from backhand.checking.mistakes import MISTAKE

BUGS = [(program, bug) for program in PROGRAMS for bug in program.bugs if bug.name in KEYS[program.name]]
QUICK = [one for one in BUGS if not one[0].name.startswith(("LSTM", "gated", "words", "attention"))][::7]
GRAPHS = {
    program.name: backhand.trace(program.loss, **program.inputs)
    for program in (*PROGRAMS, *OTHERS, *SIXTH, *SEVENTH, *EIGHTH)
}


def names(found):
    return [explanation.key for explanation in found.explanations]


def checked(program, *bugs):
    returns = RETURNS.get(program.name)
    return backhand.check(program.backward(*bugs), GRAPHS[program.name], arrays=program.arrays, returns=returns)


def accepted(program, bug):
    """The keys of the names that are right for a bug."""
    for lot, keys in ((SIXTH, accepted_sixth), (SEVENTH, accepted_seventh), (EIGHTH, accepted_eighth)):
        if program in lot:
            return keys(program, bug)
    return (KEYS[program.name][bug.name],)


FRESH = [(program, bug) for program in (*SIXTH, *SEVENTH, *EIGHTH) for bug in program.bugs]


@pytest.mark.parametrize(
    ("program", "bug"),
    [
        pytest.param(*one, id=f"{one[0].name}: {one[1].name}", marks=() if at % 9 == 4 else pytest.mark.nightly)
        for at, one in enumerate(FRESH)
    ],
)
def test_bugs_of_the_fresh_lots_are_named(program, bug):
    (name,) = names(checked(program, bug))
    assert name in accepted(program, bug)


@pytest.mark.nightly
@pytest.mark.parametrize("program", SIXTH, ids=lambda program: program.name)
def test_bugs_are_named_from_the_parameters_alone(program):
    for bug in program.bugs:
        backward = program.backward(bug)

        def alone(backward=backward, **given):
            return {name: value for name, value in backward(**given).items() if name[1:] in given}

        (name,) = names(backhand.check(alone, GRAPHS[program.name]))
        assert name in accepted(program, bug), bug.name


@pytest.mark.parametrize("program", [*PROGRAMS, *OTHERS, *SIXTH, *SEVENTH, *EIGHTH], ids=lambda program: program.name)
def test_right_programs_pass(program):
    assert checked(program).ok


@pytest.mark.parametrize(("program", "bug"), QUICK, ids=[f"{p.name}: {b.name}" for p, b in QUICK])
def test_some_bugs_are_named(program, bug):
    assert names(checked(program, bug)) == [KEYS[program.name][bug.name]]


@pytest.mark.nightly
@pytest.mark.parametrize(("program", "bug"), BUGS, ids=[f"{p.name}: {b.name}" for p, b in BUGS])
def test_all_bugs_are_named(program, bug):
    assert names(checked(program, bug)) == [KEYS[program.name][bug.name]]
    assert KEYS[program.name][bug.name] in MISTAKE


def pairs(program):
    """Pairs of bugs that can both be put into the text."""
    known = [bug for bug in program.bugs if program not in PROGRAMS or bug.name in KEYS[program.name]]
    found = itertools.combinations(known, 2)
    return [(one, two) for one, two in found if one.old not in two.old and two.old not in one.old]


TWO = [
    (PROGRAMS[0], "tanh-of-z", "leak-is-001"),
    (PROGRAMS[2], "decay-wrong-W", "decay-squared"),
    (PROGRAMS[3], "gamma-mean", "relu-of-xhat"),
    (PROGRAMS[4], "no-var-term", "W-without-affine"),
]
MANY = [(p, *pair) for p in PROGRAMS if not p.name.startswith("LSTM") for pair in pairs(p)[1::11]]


@pytest.mark.parametrize(("program", "one", "two"), TWO, ids=[f"{p.name}: {a}, {b}" for p, a, b in TWO])
def test_two_bugs_at_once_are_both_named(program, one, two):
    keys = KEYS[program.name]
    both = [bug for bug in program.bugs if bug.name in (one, two)]
    assert sorted(names(checked(program, *both))) == sorted([keys[one], keys[two]])


def told_of_two(program, one, two):
    """Of two planted bugs: "both" named, "one" (that gives all numbers by itself), "none", or "another"."""
    keys = accepted(program, one), accepted(program, two)
    match names(checked(program, one, two)):
        case []:
            return "none"
        case [name]:
            return "one" if name in (*keys[0], *keys[1]) else "another"
        case [first, second]:
            straight = first in keys[0] and second in keys[1]
            return "both" if straight or (first in keys[1] and second in keys[0]) else "another"
        case _:
            return "another"


FRESH_PAIRS = [(p, *pair) for p in (*SIXTH, *SEVENTH, *EIGHTH) for pair in pairs(p)[1::9]]


def test_two_bugs_are_given_the_names_of_both():
    """Nine of ten of a few pairs; the others have no name, or one mistake gives the numbers of two."""
    some = [one for one in FRESH_PAIRS if one[0] in (SIXTH[0], SIXTH[1], SIXTH[3])][::6]
    told = [told_of_two(*one) for one in some]
    assert "another" not in told
    assert told.count("both") >= 0.8 * len(some)


@pytest.mark.nightly
@pytest.mark.parametrize(("pairs", "rate"), [(FRESH_PAIRS, 0.85), (MANY, 0.8)], ids=["fresh lots", "fourth lot"])
def test_two_bugs_are_never_given_the_names_of_others(pairs, rate):
    told = [told_of_two(*one) for one in pairs]
    assert "another" not in told
    assert told.count("both") >= rate * len(pairs)


def test_both_mistakes_are_told():
    program = PROGRAMS[0]
    bugs = {bug.name: bug for bug in program.bugs}
    found = checked(program, bugs["tanh-of-z"], bugs["sigmoid-of-z"])
    text = str(found)
    assert "mistake  the slope taken at the wrong variable (in Y)" in text
    assert "and then the slope taken at the wrong variable (in H1)" in text
    assert "Of these mistakes" in text
    assert [one["key"] for one in found.to_json()["also_explained"]] == [found.explanations[1].key]


@pytest.mark.parametrize(
    "program",
    [OTHERS[3], *(pytest.param(one, marks=pytest.mark.nightly) for one in (PROGRAMS[0], PROGRAMS[4], OTHERS[1]))],
    ids=lambda program: program.name,
)
def test_what_no_slip_gives_has_no_name(program):
    """Derivatives that are random, or true ones spoiled at random: what was said must never explain itself."""
    rng = np.random.default_rng(8)
    right = program.backward()

    def spoiled(how, key):
        def backward(**given):
            grads = dict(right(**given))
            value = np.asarray(grads[key], float)
            grads[key] = {"random": rng.normal(size=value.shape), "scaled": value * 1.37, "root": np.cbrt(value)}[how]
            return grads

        backward.__signature__ = __import__("inspect").signature(right)
        return backward

    for key in right(**{name: np.array(value, float) for name, value in program.inputs.items()}):
        for how in ("random", "scaled", "root"):
            found = backhand.check(spoiled(how, key), GRAPHS[program.name])
            assert not found.ok
            assert found.explained is None, (key, how, found)


def test_ties_of_a_maximum_and_relu_at_zero_are_a_matter_of_choice():
    def loss(x, w):
        a = np.maximum(x * w, 0)
        m = np.max(a, axis=1)
        return np.sum(m**2)

    graph = backhand.trace(loss, x=[[-1.0, -2.0, 3.0], [-1.0, -2.0, -1.0], [0.0, 1.0, 1.0]], w=[1.0, 1.0, 1.0])

    def backward(ties, corner):
        def mine(x, w):
            z = x * w
            a = np.maximum(z, 0)
            m = a.max(axis=1, keepdims=True)
            where = a == m
            if ties == "first":
                where = np.eye(3)[a.argmax(axis=1)]
            if ties == "shared":
                where = where / where.sum(axis=1, keepdims=True)
            da = 2 * m * where
            dz = da * (z >= 0 if corner else z > 0)
            return {"da": da, "dw": (dz * x).sum(axis=0), "dx": dz * w}

        return mine

    for ties in ("all", "first", "shared"):
        for corner in (True, False):
            assert backhand.check(backward(ties, corner), graph).ok, (ties, corner)
    assert not backhand.check(lambda x, w: {"dw": 2 * backward("all", False)(x, w)["dw"]}, graph).ok


def test_one_hot_columns_stay_one_hot():
    seen = []
    program = PROGRAMS[1]
    backhand.check(lambda **given: (seen.append(given["Y"]), program.backward()(**given))[1], GRAPHS[program.name])
    assert all((one.sum(axis=0) == 1).all() for one in seen)


@pytest.mark.nightly
def test_bugs_by_chance():
    """Single changes of the syntax tree: most are slips; those that are none have no name."""
    found = [names(checked(program, bug)) for program in OTHERS for bug in planted(program, 6, 3)]
    assert sum(bool(one) for one in found) >= 0.6 * len(found)
