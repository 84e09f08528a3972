"""How many points for what: a teacher's policy, read from a TOML file.

    [derivative]
    method = 1
    accuracy = 0.5         points are exact: this is 1/2

A table of the file is a field of Policy, a key of the table a field of that field. What the keys mean stands in
`policy.toml` beside this module: it is the default, key by key, and `Policy()` is exactly that file.

To add a key, add a field with its default, a row in KEYS, and the key with a comment in `policy.toml`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from backhand.errors import raise_all
from backhand.text import Source
from backhand.toml import File, Refused, Taking, number, one_of, switch

Unshown: TypeAlias = Literal["accuracy", "all", "nothing"]
Lucky: TypeAlias = Literal["nothing", "accuracy"]
Counting: TypeAlias = Literal["asked", "attempted", "never"]
Rounding: TypeAlias = Literal["none", "down", "nearest", "up"]

NOUGHT, ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class Worth:
    """Points for one thing."""

    method: Fraction
    accuracy: Fraction


@dataclass(frozen=True, slots=True)
class FollowThrough:
    """When a number that follows from the writer's own earlier ones earns its accuracy point."""

    value: bool = True
    derivative: bool = True
    local: bool = True
    needs_working: bool = True
    trivial: Fraction = NOUGHT


@dataclass(frozen=True, slots=True)
class Working:
    """What a number earns when its working is absent, or wrong."""

    absent: Unshown = "accuracy"
    wrong: Lucky = "nothing"


@dataclass(frozen=True, slots=True)
class Cost:
    """Points that a fault costs, beside those it does not earn."""

    misread: Fraction = ONE
    slip: Fraction = NOUGHT


@dataclass(frozen=True, slots=True)
class Count:
    """What full marks are made of, for each group of what is asked."""

    values: Counting = "asked"
    derivatives: Counting = "asked"
    inner: Counting = "attempted"
    weights: Counting = "attempted"


@dataclass(frozen=True, slots=True)
class Total:
    """How points become a mark; `out_of` is None where they stay as they are."""

    out_of: Fraction | None = None
    rounding: Rounding = "none"
    step: Fraction = ONE


@dataclass(frozen=True, slots=True)
class Policy:
    """Points for what, and under which conditions. Without arguments: the default, `policy.toml`."""

    value: Worth = Worth(NOUGHT, ONE)
    derivative: Worth = Worth(ONE, ONE)
    local: Worth = Worth(NOUGHT, NOUGHT)
    follow_through: FollowThrough = FollowThrough()
    working: Working = Working()
    cost: Cost = Cost()
    count: Count = Count()
    total: Total = Total()


# -- what a key may be -----------------------------------------------------------------------------------------

MOST = 1_000_000
"""Points of one thing."""


def _points(value: object) -> Fraction:
    return number(value, 0, MOST, "a number of points, 0 or more: 1, or 0.5")


def _share(value: object) -> Fraction:
    return number(value, 0, 1, "a share from 0, nothing, to 1, all of it")


def _step(value: object) -> Fraction:
    expected = "a number above 0: 1, or 0.5 for half marks"
    step = number(value, 0, MOST, expected)
    if not step:
        raise Refused(expected)
    return step


def _full(value: object) -> Fraction | None:
    if value == "points":
        return None
    expected = '"points", or a number above 0 to which all is scaled: 10'
    full = number(value, 0, MOST, expected)
    if not full:
        raise Refused(expected)
    return full


COUNTING = one_of("asked", "attempted", "never")

KEYS: dict[str, dict[str, Taking]] = {
    "value": {"method": _points, "accuracy": _points},
    "derivative": {"method": _points, "accuracy": _points},
    "local": {"method": _points, "accuracy": _points},
    "follow-through": {
        "value": switch,
        "derivative": switch,
        "local": switch,
        "needs-working": switch,
        "trivial": _share,
    },
    "working": {"absent": one_of("accuracy", "all", "nothing"), "wrong": one_of("nothing", "accuracy")},
    "cost": {"misread": _points, "slip": _points},
    "count": {"values": COUNTING, "derivatives": COUNTING, "inner": COUNTING, "weights": COUNTING},
    "total": {"out-of": _full, "rounding": one_of("none", "down", "nearest", "up"), "step": _step},
}
"""Tables and keys of a policy file, and what each may be. `-` in the file is `_` in the fields."""


# -- reading ---------------------------------------------------------------------------------------------------

CURE = 'A policy is TOML: [derivative] on a line, and below it lines as method = 1 or rounding = "up".'


def read_policy(source: Source) -> Policy:
    """A policy from TOML; keys that are left out have their defaults.

    Raises ReadError with place and cure for what is not TOML, not a key, or not what the key may be (SeveralErrors for
    several of them), LimitError for a file that is too large.

    >>> read_policy(Source("[derivative]" + chr(10) + "accuracy = 0.5")).derivative
    Worth(method=Fraction(1, 1), accuracy=Fraction(1, 2))
    """
    file = File(source, "policy", CURE, "Start from a copy of the default policy.")
    found: dict[str, Any] = {}
    for name, content in file.tables(KEYS).items():
        field = name.replace("-", "_")
        found[field] = replace(getattr(Policy(), field), **file.keys(name, content, KEYS[name]))
    raise_all(file.errors)
    return Policy(**found)
