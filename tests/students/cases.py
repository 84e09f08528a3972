"""Which net, which person, which hand: everything from a seed."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise
from typing import Any

import independent_replay

from students import nets
from students.hands import STYLES, Page, Style, write
from students.nets import Net
from students.people import BENT, GATED, SLIPS, SPECIAL, Person, place_for
from students.trees import same

ENTRIES = [*independent_replay.HABITS, "ACT1", "ACT2", "ACT3", "ACT4", "ACT5", "ACT6", "ACT7", "ACT8", "ACT9", "ACT10",
           *SPECIAL, *SLIPS]  # fmt: skip
ABOUT_WEIGHTS = {"W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8", "G3"}
SIZES = [(2, 2, 2, 1), (2, 2, 2, 1), (2, 2, 2, 1), (3, 2, 1), (2, 3, 2, 1)]


def layered(draw: random.Random, **options: Any) -> Net:
    """A net like the founding one."""
    named, coefficients = draw.choice([(False, False), (False, False), (True, False), (False, True)])
    plain = independent_replay.draw_net(draw.randint(0, 10**9), draw.choice(SIZES))
    return nets.layered(plain, **{"named": named, "coefficients": coefficients, **options})


def any_net(draw: random.Random) -> Net:
    match draw.choice(["layered", "layered", "gated", "small"]):
        case "layered":
            return layered(draw)
        case "gated":
            function = draw.choice(["relu", "sigmoid", "tanh"])
            return nets.gated(draw, function, draw.choice([(2, 2, 1), (2, 2, 2, 1)]), named=draw.random() < 0.5)
    return nets.small(draw.choice(list(nets.SMALL)), draw)


def net_for(entry: str, draw: random.Random) -> Net:
    """A net on which the entry can act."""
    if entry in SPECIAL:
        return nets.small(SPECIAL[entry], draw)
    if entry.startswith("ACT"):
        functions = ["relu"] if entry in GATED else []
        functions += ["sigmoid", "tanh"] if entry in BENT else []
        if entry == "ACT7":
            functions = ["sigmoid", "tanh"]
        return nets.gated(draw, draw.choice(functions), named=draw.random() < 0.5)
    if entry in ("W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8"):
        return layered(draw, coefficients=False)
    while True:
        net = layered(draw)
        zero = any(net.given[w] == 0 for w in net.arrow.values())
        sizes = [len(units) for units in net.layers]
        if (entry == "E6" and zero) or (entry == "E9" and not zero):
            continue
        if entry == "F9" and (len(sizes) < 4 or sizes[0] < sizes[1]):
            continue
        if entry in ("X1", "X2", "X3", "W5") and not any(a == b > 1 for a, b in pairwise(sizes)):
            continue
        if entry == "F10" and sizes[0] < 2:
            continue
        return net


def person_for(entry: str, seed: object) -> Person:
    """Somebody with the habit, on a net where it shows."""
    draw = random.Random(f"case {entry} {seed}")
    while True:
        net = net_for(entry, draw)
        place, read = place_for(draw, net, entry)
        person = Person(net, entry, place, read)
        if not shows(person):
            continue
        return person


def shows(person: Person) -> bool:
    """Whether any number is another than the right one."""
    truth = person.truth
    if person.habit == "R5B":
        one, other = person.place
        return not same(person.back[one], person.back[other])
    return truth is None or any(
        not same(mine[name], number)
        for mine, right in ((person.values, truth.values), (person.back, truth.back))
        for name, number in right.items()
        if name in mine and (name not in person.net.given or right is truth.back)
        and (name not in person.net.weights or person.habit in ABOUT_WEIGHTS)
    )  # fmt: skip


def page_for(entry: str, seed: object, style: Style | None = None, **options: Any) -> Page:
    """A page by somebody with the habit; "" for none."""
    person = person_for(entry, seed) if entry else Person(any_net(random.Random(f"case {seed}")))
    weights = True if entry in ABOUT_WEIGHTS else None
    chosen = style or STYLES[random.Random(f"style {entry} {seed}").randrange(len(STYLES))]
    return write(person, chosen, f"{entry} {seed}", **{"weights": weights, **options})


def another(draw: random.Random, truth: Any) -> Fraction:
    """A whole number that is not the right one."""
    while same(number := Fraction(draw.randint(-20, 20)), truth):
        pass
    return number
