"""What somebody wrote, read but not yet judged.

    Work        a whole answer, possibly of several files
      Line      one line of it: its statements, or why it has none
        Chain   a = b = c ≈ d, with every link kept; a note at its side belongs to the line
          Piece one link: the sign before it, its formula, and the text as written

Nothing is thrown away and nothing repaired in silence: a Piece that could not be read has no formula
and a reason. Formulas are those of `core.formula` with the answer's own additions (Slope for dL/dB1,
Bare derivatives d/dD (...)); names are as written, matching them to a network comes later (`align`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, TypeAlias

from backhand.core.formula import Formula
from backhand.text import Source, Span

Relation: TypeAlias = Literal["", "=", "≈", "=>"]
"""What stands before a link: nothing for the first, `=`, `≈` (also \\approx, ~=, ≅), or an arrow of consequence
(=>, \\Rightarrow, ⇒, ∴) that opens a line without repeating what it is about."""

Mood: TypeAlias = Literal["", "denied", "supposed", "strong condition", "weak condition", "conditional"]
"""What the words around a statement make of it (`readers.moods`). Nothing: it is said. A condition is strong behind
"if", weak behind "with", which also names what is given; what is conditional holds if the condition before it does."""


@dataclass(frozen=True, slots=True, eq=False)
class Repair:
    """A likely slip of the scanner: `−` read for `-`, l for 1, O for 0, a lost `^`. Proposed, never applied unsaid."""

    said: str
    meant: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One link of a chain. `formula` is None where it could not be read, with the `reason`; `boxed` says that it was
    put in a box as an answer; `digits` is the number of decimals shown if it is a bare decimal number, else None."""

    relation: Relation
    formula: Formula | None
    text: str
    span: Span
    boxed: bool = False
    digits: int | None = None
    reason: str = ""
    at: tuple[tuple[str, str], ...] = ()
    """A point it is taken at, as written: df/dx |_{x=1} has (("x", "1"),)."""
    meant: Formula | None = None
    """Its formula with the proposed repairs carried out, where there are any; used only where it makes the line true,
    and then said."""


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """One statement: its links from left to right. `leads_on` says that it opens with a relation, so that it goes on
    from what the chain before was about. `note` says that it stood at the side of another, in a brace or in
    parentheses, and `level` how deep: 0 is the line itself. The chain before is the last one of the same level. `mood`
    is what the words around it make of it."""

    pieces: tuple[Piece, ...]
    span: Span
    leads_on: bool = False
    note: bool = False
    struck: bool = False
    level: int = 0
    mood: Mood = ""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line of the answer. `chains` are its statements; without any, `why` says what it is: prose (not a failure),
    a heading, empty, struck out, or mathematics that could not be read."""

    number: int
    span: Span
    chains: tuple[Chain, ...]
    why: Literal["", "prose", "empty", "struck", "unread"] = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ArrayWritten:
    """An array of numbers as it was written: its rows, how many axes it has, the most decimals that one of its numbers
    shows, and in `places` the decimals that each of them stands for."""

    rows: tuple[tuple[Fraction, ...], ...]
    axes: int
    decimals: int | None
    text: str
    places: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """An answer: its sources in the order given, its lines, proposed repairs, and decisions for the whole page
    that are to be shown (a decimal comma)."""

    sources: tuple[Source, ...]
    lines: tuple[Line, ...]
    repairs: tuple[Repair, ...] = ()
    decisions: tuple[str, ...] = ()
    literals: Mapping[str, ArrayWritten] = field(default_factory=dict[str, "ArrayWritten"])
    """The arrays of numbers on a page about arrays, by the names that stand for them in its formulas."""
    about_arrays: Callable[[], Work] | None = None
    """The same pages, read as one reads pages about arrays: brackets hold arrays, W^T is a transpose, @ a product."""
    reused: frozenset[str] = frozenset()
    """Names that pasted code uses for something of its own."""
