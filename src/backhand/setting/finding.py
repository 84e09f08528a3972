"""Whose exercise an answer belongs to: by a name, a number, or what stands in the small print of every sheet."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from backhand.errors import UsageError
from backhand.setting.exercise import Exercise

PRINT = re.compile(r"\(([0-9a-f]{12})\)(?:\s*,\s*seed\s+(-?\d+))?\s*,\s*number\s+(\d+)")
"""As `Origin` prints it: q3.bh (471dc2ed1ab5), seed 7, number 3."""

LEADING = re.compile(r"0*(\d+)(?:\D|$)")


def find(
    exercises: Sequence[Exercise],
    *,
    student: str | None = None,
    number: int | None = None,
    texts: Sequence[str] = (),
    names: Sequence[str] = (),
) -> Exercise:
    """The exercise that an answer is to: of this student, of this number; else what the small print in the answer's
    `texts` says; else the one whose student or number its files are named for. Raises UsageError if none is."""
    if student is not None:
        return _of_student(exercises, student)
    if number is not None:
        return _numbered(exercises, number)
    if len(exercises) == 1:
        return exercises[0]
    for text in texts:
        for digest, seed, place in PRINT.findall(text):
            for one in exercises:
                origin = one.origin
                if (origin.digest, str(origin.seed), origin.number) == (digest, seed, int(place)):
                    return one
    for name in names:
        for one in exercises:
            if one.origin.student is not None and slug(one.origin.student) in (slug(name), _unnumbered(name)):
                return one
        found = LEADING.match(name)
        if found and any(one.origin.number == int(found[1]) for one in exercises):
            return _numbered(exercises, int(found[1]))
    raise UsageError(
        f"There are {len(exercises)} exercises, and nothing in the answer says to which of them it is.",
        cure="Say --student NAME or --number N.",
    )


def _of_student(exercises: Sequence[Exercise], student: str) -> Exercise:
    wanted = slug(student)
    known = [one for one in exercises if one.origin.student is not None]
    found = [one for one in known if slug(one.origin.student or "") == wanted]
    if not found:
        found = [one for one in known if wanted and wanted in slug(one.origin.student or "").split("-")]
    if len(found) == 1:
        return found[0]
    if not known:
        raise UsageError("These exercises were made for no roster.", cure="Say --number N.")
    if found:
        who = ", ".join(one.origin.student or "" for one in found[:6])
        raise UsageError(f"{student} may be {who}.", cure="Give the whole name.")
    raise UsageError(f"No student on the roster is called {student}.", cure="Look in bank.json for the names.")


def _numbered(exercises: Sequence[Exercise], number: int) -> Exercise:
    for one in exercises:
        if one.origin.number == number:
            return one
    raise UsageError(
        f"There is no exercise {number}; there are {len(exercises)}.", cure="Look at the top of the sheet."
    )


def slug(name: str) -> str:
    """A name as a part of a file's name.

    >>> slug("Ada Lovelace"), slug("Gödel, K.")
    ('ada-lovelace', 'godel-k')
    """
    bare = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return "-".join(re.findall(r"\w+", bare.casefold()))[:60]


def _unnumbered(name: str) -> str:
    """A file's name without the number in front of it."""
    return slug(name).lstrip("0123456789").lstrip("-")
