"""TOML files that people write: strict, with every error at its place.

    file = File(source, "policy", cure)      the content, parsed with exact numbers
    file.refuse(("derivative", "method"), "what is wrong", "how to mend it", value=True)
    raise_all(file.errors)

What a key may be is said by a function that takes its value, or raises Refused with the words for what it takes.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from fractions import Fraction
from typing import Any, TypeAlias, cast

from backhand import limits
from backhand.errors import BackhandError, LimitError, ReadError
from backhand.numbers import TooLong, read_number
from backhand.text import Source, Span


class Refused(Exception):
    """A value that a key cannot have; the argument says what it may be."""


Taking: TypeAlias = Callable[[object], object]
"""What makes of a value what the program wants."""

SIZE = 65_536
"""Characters of such a file."""

VALUE = re.compile(r""""[^"]*"|'[^']*'|\[[^#\r]*\]|[^#\r,}]*[^#\s,}]""")
"""A value on a line, to put carets under it."""


def number(value: object, least: int | Fraction, most: int | Fraction, expected: str) -> Fraction:
    """An exact number between bounds. TOML's true is no number, though Python's is."""
    if isinstance(value, bool) or not isinstance(value, int | Fraction) or not least <= value <= most:
        raise Refused(expected)
    return Fraction(value)


def switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise Refused("true or false, without quotes")
    return value


def one_of(*words: str) -> Taking:
    """One of some words."""
    expected = " or ".join([", ".join(f'"{word}"' for word in words[:-1]), f'"{words[-1]}"'])

    def taking(value: object) -> object:
        if value not in words:
            raise Refused(expected)
        return value

    return taking


class File:
    """A file on its way to tables; what is wrong with it is collected in `errors`. `noun` says what it is (a policy),
    `cure` how such a file looks, `large` what to do with one that is too large."""

    def __init__(self, source: Source, noun: str, cure: str, large: str) -> None:
        if len(source.text) > SIZE:
            what = f"{source.name} has {len(source.text)} characters; a {noun} has at most {SIZE}."
            raise LimitError(what, cure=large)
        self.source = source
        self.noun = noun
        self.cure = cure
        self.text = " " + source.text[1:] if source.text.startswith("\ufeff") else source.text
        self.errors: list[BackhandError] = []
        try:
            self.content = _parsed(self.text)
        except (ValueError, RecursionError) as error:
            raise self._unreadable(error) from None

    def tables(self, known: Iterable[str]) -> dict[str, dict[str, object]]:
        """The tables of the file that are known; an error for each other one."""
        names = list(known)
        found: dict[str, dict[str, object]] = {}
        for name, content in self.content.items():
            if name not in names:
                what = f"There is no table [{short(name)}] in a {self.noun}."
                self.refuse((name,), what, meant(name, names, "Tables"))
            elif not isinstance(content, dict):
                shown = f"{name} = {short(content)}"
                self.refuse((name,), f"{name} is a table, and this is {shown}.", f"Write [{name}] and its keys below.")
            else:
                found[name] = cast("dict[str, object]", content)
        return found

    def keys(self, name: str, content: dict[str, object], taking: dict[str, Taking]) -> dict[str, object]:
        """What the keys of a table are; `-` in the file is `_` here."""
        found: dict[str, object] = {}
        for key, value in content.items():
            take = taking.get(key)
            if take is None:
                self.refuse((name, key), f"There is no key {short(key)} in [{name}].", meant(key, taking, "Keys"))
                continue
            try:
                found[key.replace("-", "_")] = take(value)
            except Refused as refused:
                self.refuse((name, key), f"{name}.{key} is {said(value)}.", f"Give it {refused}.", value=True)
        return found

    # -- errors and their places -----------------------------------------------------------------------------

    def refuse(self, path: tuple[str, ...], what: str, cure: str, *, value: bool = False) -> None:
        if len(self.errors) < limits.ERRORS:
            self.errors.append(ReadError(what, self.place(path, value=value), cure=cure))

    def place(self, path: tuple[str, ...], *, value: bool) -> Span:
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
        if where is None:
            deep = isinstance(error, RecursionError)
            what = "Brackets stand inside each other too deeply." if deep else "A number has too many digits."
            return ReadError(what, Span(self.source, 0, 1), cure=self.cure)
        start = len(self.text)
        if where[1]:
            lines = self.text.split("\n")
            start = sum(len(line) + 1 for line in lines[: int(where[1]) - 1]) + int(where[2]) - 1
        what = str(error)[: where.start()]
        return ReadError(
            f"This is not TOML: {what[:1].lower()}{what[1:]}.", Span(self.source, start, start + 1), cure=self.cure
        )


def _parsed(text: str) -> dict[str, Any]:
    return tomllib.loads(text, parse_float=_exact)


def _exact(text: str) -> object:
    """0.15 as 3/20; nan and inf, which TOML has, as floats, which no key takes."""
    try:
        return read_number(text.replace("_", "").lstrip("+"))
    except (TooLong, ValueError):
        return float("nan")


def meant(name: str, known: Iterable[str], what: str) -> str:
    """What was probably meant, or what there is."""
    near = get_close_matches(name[:100], list(known), n=1, cutoff=0.6)
    return f"Did you mean {near[0]}?" if near else f"{what}: {', '.join(known)}."


def short(value: object) -> str:
    """A value in at most 40 characters."""
    text = str(value)
    return text if len(text) <= 40 else text[:37] + "..."


def said(value: object) -> str:
    """A value as it may be shown in a sentence."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{short(value)}"'
        case Fraction():
            return short(float(value)) if abs(value) < 10**300 else "a very large number"
        case int():
            return short(value) if abs(value) < 10**40 else "a very large number"
        case float():
            return "not an ordinary number"
        case dict():
            return "a table"
        case list():
            return "a list"
        case _:
            return f"the date or time {short(value)}"
