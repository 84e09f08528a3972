"""How many points for what: a teacher's policy, read from a TOML file.

    [derivative]
    method = 1
    accuracy = 0.5         points are exact: this is 1/2

A table of the file is a field of Policy, a key of the table a field of that field. What the keys mean stands in
`policy.toml` beside this module: it is the default, key by key, and `Policy()` is exactly that file.

To add a key, add a field with its default, a row in KEYS, and the key with a comment in `policy.toml`.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fractions import Fraction
from typing import Any, Literal, TypeAlias, cast

from backhand import limits
from backhand.errors import BackhandError, LimitError, ReadError, raise_all
from backhand.numbers import TooLong, read_number
from backhand.text import Source, Span

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


class _Refused(Exception):
    """A value that a key cannot have; the argument says what it may be."""


Taking: TypeAlias = Callable[[object], object]


def _number(value: object, least: int, most: int, expected: str) -> Fraction:
    """An exact number between bounds. TOML's true is no number, though Python's is."""
    if isinstance(value, bool) or not isinstance(value, int | Fraction) or not least <= value <= most:
        raise _Refused(expected)
    return Fraction(value)


def _points(value: object) -> Fraction:
    return _number(value, 0, MOST, "a number of points, 0 or more: 1, or 0.5")


def _share(value: object) -> Fraction:
    return _number(value, 0, 1, "a share from 0, nothing, to 1, all of it")


def _step(value: object) -> Fraction:
    expected = "a number above 0: 1, or 0.5 for half marks"
    step = _number(value, 0, MOST, expected)
    if not step:
        raise _Refused(expected)
    return step


def _full(value: object) -> Fraction | None:
    if value == "points":
        return None
    expected = '"points", or a number above 0 to which all is scaled: 10'
    full = _number(value, 0, MOST, expected)
    if not full:
        raise _Refused(expected)
    return full


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise _Refused("true or false, without quotes")
    return value


def _one_of(*words: str) -> Taking:
    expected = " or ".join([", ".join(f'"{word}"' for word in words[:-1]), f'"{words[-1]}"'])

    def taking(value: object) -> object:
        if value not in words:
            raise _Refused(expected)
        return value

    return taking


COUNTING = _one_of("asked", "attempted", "never")

KEYS: dict[str, dict[str, Taking]] = {
    "value": {"method": _points, "accuracy": _points},
    "derivative": {"method": _points, "accuracy": _points},
    "local": {"method": _points, "accuracy": _points},
    "follow-through": {
        "value": _switch,
        "derivative": _switch,
        "local": _switch,
        "needs-working": _switch,
        "trivial": _share,
    },
    "working": {"absent": _one_of("accuracy", "all", "nothing"), "wrong": _one_of("nothing", "accuracy")},
    "cost": {"misread": _points, "slip": _points},
    "count": {"values": COUNTING, "derivatives": COUNTING, "inner": COUNTING, "weights": COUNTING},
    "total": {"out-of": _full, "rounding": _one_of("none", "down", "nearest", "up"), "step": _step},
}
"""Tables and keys of a policy file, and what each may be. `-` in the file is `_` in the fields."""


# -- reading ---------------------------------------------------------------------------------------------------

SIZE = 65_536
"""Characters of a policy file."""

VALUE = re.compile(r""""[^"]*"|'[^']*'|\[[^#\r]*\]|[^#\r,}]*[^#\s,}]""")
"""A value on a line, to put carets under it."""


def read_policy(source: Source) -> Policy:
    """A policy from TOML; keys that are left out have their defaults.

    Raises ReadError with place and cure for what is not TOML, not a key, or not what the key may be (SeveralErrors for
    several of them), LimitError for a file that is too large.

    >>> read_policy(Source("[derivative]" + chr(10) + "accuracy = 0.5")).derivative
    Worth(method=Fraction(1, 1), accuracy=Fraction(1, 2))
    """
    if len(source.text) > SIZE:
        what = f"{source.name} has {len(source.text)} characters; a policy has at most {SIZE}."
        raise LimitError(what, cure="Start from a copy of the default policy.")
    file = _File(source)
    tables: dict[str, object] = {}
    for name, content in file.content.items():
        keys = KEYS.get(name)
        if keys is None:
            file.refuse((name,), f"There is no table [{_short(name)}] in a policy.", _meant(name, KEYS, "Tables"))
        elif not isinstance(content, dict):
            shown = f"{name} = {_short(content)}"
            file.refuse((name,), f"{name} is a table, and this is {shown}.", f"Write [{name}] and its keys below.")
        else:
            tables[name.replace("-", "_")] = file.table(name, cast("dict[str, object]", content), keys)
    raise_all(file.errors)
    return Policy(**tables)  # type: ignore[arg-type]


class _File:
    """A policy file on its way to tables; what is wrong with it is collected."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = " " + source.text[1:] if source.text.startswith("\ufeff") else source.text
        self.errors: list[BackhandError] = []
        try:
            self.content = _parsed(self.text)
        except (ValueError, RecursionError) as error:
            raise self._unreadable(error) from None

    def table(self, name: str, content: dict[str, object], keys: dict[str, Taking]) -> object:
        """One table, with its defaults for the keys that are not there."""
        default: Any = getattr(Policy(), name.replace("-", "_"))
        found: dict[str, object] = {}
        for key, value in content.items():
            taking = keys.get(key)
            if taking is None:
                self.refuse((name, key), f"There is no key {_short(key)} in [{name}].", _meant(key, keys, "Keys"))
                continue
            try:
                found[key.replace("-", "_")] = taking(value)
            except _Refused as refused:
                what = f"{name}.{key} is {_said(value)}."
                self.refuse((name, key), what, f"Give it {refused}.", value=True)
        return replace(default, **found)

    # -- errors and their places -----------------------------------------------------------------------------

    def refuse(self, path: tuple[str, ...], what: str, cure: str, *, value: bool = False) -> None:
        if len(self.errors) < limits.ERRORS:
            self.errors.append(ReadError(what, self._place(path, value=value), cure=cure))

    def _place(self, path: tuple[str, ...], *, value: bool) -> Span:
        """Where a key (or its value) stands. tomllib does not tell; but the shortest beginning of the text, in whole
        lines, that is TOML and has the key ends with it."""
        ends = [at for at, character in enumerate(self.text) if character == "\n"]
        ends.append(len(self.text))
        number = bisect_left(range(len(ends)), True, key=lambda at: self._known(ends, at, path))
        number = min(number, len(ends) - 1)
        start = ends[number - 1] + 1 if number else 0
        line = self.text[start : ends[number]]
        key = re.escape(path[-1])
        found = re.search(rf"(?<![\w-])[\"']?({key})[\"']?(?![\w-])(?:\s*=\s*({VALUE.pattern}))?", line)
        if found is None:
            return Span(self.source, start, ends[number])
        first, last = found.span(2 if value and found[2] else 1)
        return Span(self.source, start + first, start + last)

    def _known(self, ends: list[int], at: int, path: tuple[str, ...]) -> bool:
        """Whether the text up to the end of this line, or of the next line where it is TOML, has the key."""
        for end in ends[at:]:
            try:
                content: Any = _parsed(self.text[: end + 1])
            except ValueError:
                continue
            for part in path:
                if not isinstance(content, dict) or part not in content:
                    return False
                content = cast("dict[str, Any]", content)[part]
            return True
        return True

    def _unreadable(self, error: Exception) -> BackhandError:
        """The words of tomllib, with its line and column as a place."""
        where = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", str(error))
        cure = 'A policy is TOML: [derivative] on a line, and below it lines as method = 1 or rounding = "up".'
        if where is None:
            deep = isinstance(error, RecursionError)
            what = "Brackets stand inside each other too deeply." if deep else "A number has too many digits."
            return ReadError(what, Span(self.source, 0, 1), cure=cure)
        start = len(self.text)
        if where[1]:
            lines = self.text.split("\n")
            start = sum(len(line) + 1 for line in lines[: int(where[1]) - 1]) + int(where[2]) - 1
        what = str(error)[: where.start()]
        return ReadError(
            f"This is not TOML: {what[:1].lower()}{what[1:]}.", Span(self.source, start, start + 1), cure=cure
        )


def _parsed(text: str) -> dict[str, Any]:
    return tomllib.loads(text, parse_float=_exact)


def _exact(text: str) -> object:
    """0.15 as 3/20; nan and inf, which TOML has, as floats, which no key takes."""
    try:
        return read_number(text.replace("_", "").lstrip("+"))
    except (TooLong, ValueError):
        return float("nan")


def _meant(name: str, known: dict[str, Any], what: str) -> str:
    near = get_close_matches(name[:100], list(known), n=1, cutoff=0.6)
    return f"Did you mean {near[0]}?" if near else f"{what}: {', '.join(known)}."


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _said(value: object) -> str:
    """A value as it may be shown in a sentence."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{_short(value)}"'
        case Fraction():
            return _short(float(value)) if abs(value) < 10**300 else "a very large number"
        case int():
            return _short(value) if abs(value) < 10**40 else "a very large number"
        case float():
            return "not an ordinary number"
        case dict():
            return "a table"
        case list():
            return "a list"
        case _:
            return f"the date or time {_short(value)}"
