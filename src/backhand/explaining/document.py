"""A document, between what is said and how it is formatted.

`explaining` makes Documents; each module in `writers` formats every block of this closed set.
A new block is a type error in every writer until it is known there (`assert_never`).
Mathematics inside a block is a Box (see `explaining.mathematics`), never a ready string, so
that a writer can typeset it.

The blocks of a document may be made one at a time, so that the working of a large network
need not stand in memory: `blocks` is called for a fresh iterator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from backhand.explaining.layout import Drawing
    from backhand.explaining.mathematics import Box

Inline: TypeAlias = "str | Box"
"""Prose is a tuple of plain words and mathematics."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A title. Level 1 opens a part ("Forward"), level 2 a step of it ("dL/dB1"). An `anchor` names
    the place for links. Writers that can fold let what follows a level 2 heading fold."""

    level: Literal[1, 2]
    words: tuple[Inline, ...]
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Prose with mathematics in it."""

    words: tuple[Inline, ...]


class About(NamedTuple):
    """What a line is about: the value of a quantity, or the derivative by it. A writer that can, links the lines that
    are about the same. An element `W1[0,1]` belongs to its array."""

    name: str
    what: Literal["value", "derivative"]


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a chain: the sign before it (`=` when both sides are exact and equal, `≈` when a rounded
    number stands on either side, empty for the first) and what stands there."""

    relation: Literal["", "=", "≈"]
    box: Box


@dataclass(frozen=True, slots=True)
class Equation:
    """A chain `a = b = c ≈ d`, to be broken before a relation where it does not fit on a line.
    `note` is a short remark to its right ("product rule"). `result` says that the last link is an
    answer asked for, which writers may set off (bold, a box)."""

    links: tuple[Link, ...]
    note: tuple[Inline, ...] = ()
    result: bool = False
    about: About | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Columns with a header; cells are inline, those without words are to be filled in. Numbers are right-aligned by
    the writer where `align` says "r" (one letter a column, l or r). `about`: the quantity of each row, whose value and
    derivative stand in it, if they are rows of quantities."""

    header: tuple[tuple[Inline, ...], ...]
    rows: tuple[tuple[tuple[Inline, ...], ...], ...]
    align: str
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """The network drawn; `drawing` is laid out and without format, `twin` says the same in words
    for who cannot see it."""

    drawing: Drawing
    twin: str


class CodeRow(NamedTuple):
    """A line of a program: code, and what stands behind it as a comment, with the blanks before it."""

    code: str
    comment: str = ""
    about: About | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """A program, line by line; `language` is that of its syntax. Its lines are never broken."""

    language: Literal["python", "c"]
    rows: tuple[CodeRow, ...]

    @property
    def text(self) -> str:
        """The program, without a line end at its end."""
        return "\n".join(row.code + row.comment for row in self.rows)


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to notice: a `notice` (a convention was used, a number was rounded), a `check` (a second
    method agrees) or a `hint` (what to do next)."""

    kind: Literal["notice", "check", "hint"]
    words: tuple[Inline, ...]


Pen: TypeAlias = Literal["", "right", "follows", "wrong", "unclear", "note"]
"""What the marker's pen says beside a thing: a tick, a tick that follows from what went before, a cross, a question
mark, or only that there is something to read."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """A stretch of a written line: words, or mathematics with the sign before it, or (`raw`) the text as typed where
    it was not read. `pen` is what was found of it, `mark` what the pen sets behind it. `opens` and `closes` a box
    that was drawn around an answer; `close` has no blank before it."""

    content: Inline
    relation: str = ""
    pen: Pen = ""
    mark: Pen = ""
    raw: bool = False
    struck: bool = False
    opens: bool = False
    closes: bool = False
    close: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """Strokes that stand on one line; `level` is how deep it stands at the side of another: 0 is the line itself."""

    strokes: tuple[Stroke, ...]
    level: int = 0

    def runs(self) -> Iterator[tuple[Stroke, ...]]:
        """Strokes of mathematics up to the next mark of the pen together, words one by one."""
        run: list[Stroke] = []
        for stroke in self.strokes:
            words = isinstance(stroke.content, str)
            if run and (words or run[-1].mark or run[-1].struck != stroke.struck):
                yield tuple(run)
                run = []
            if words:
                yield (stroke,)
            else:
                run.append(stroke)
        if run:
            yield tuple(run)


@dataclass(frozen=True, slots=True)
class Comment:
    """Something said to the writer under a line. `label` comes first and is set off ("First wrong step"). `behind`
    is the right working, called `title`; a writer that can fold, folds it."""

    pen: Pen
    words: tuple[Inline, ...]
    label: str = ""
    title: tuple[Inline, ...] = ()
    behind: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class WrittenLine:
    """A line of somebody's page: its number, what stands there, the mark in the margin, what is said about it.
    `gap` says that more room than usual was left above it."""

    number: int
    statements: tuple[Statement, ...]
    pen: Pen = ""
    comments: tuple[Comment, ...] = ()
    gap: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Somebody's page as it was written, marked. `name` is the file's, if there are several; `legend` says what
    the marks on it mean, `working` what stands behind the remarks."""

    name: str
    lines: tuple[WrittenLine, ...]
    legend: tuple[tuple[Pen, str], ...] = ()
    working: str = "The right working"

    def behind(self) -> Iterator[Block]:
        """The right working behind all remarks, for writers that cannot fold."""
        begun = False
        for line in self.lines:
            for comment in line.comments:
                if comment.behind:
                    if not begun:
                        yield Heading(1, (self.working,), "working")
                    begun = True
                    yield Heading(2, (f"Line {line.number}: ", *comment.title))
                    yield from comment.behind


@dataclass(frozen=True, slots=True)
class Room:
    """So many empty lines to write on."""

    lines: int


@dataclass(frozen=True, slots=True)
class NewSheet:
    """What follows begins on a new sheet of paper: another student's, or another part. `title` is its headline."""

    title: str = ""


@dataclass(frozen=True, slots=True)
class Fine:
    """Prose in small print: where a sheet comes from."""

    words: tuple[Inline, ...]


Block: TypeAlias = Heading | Paragraph | Equation | Table | Code | Figure | Remark | Page | Room | NewSheet | Fine


@dataclass(frozen=True, slots=True)
class Document:
    """A title (plain words) and its blocks, made afresh by each call of `blocks()`. `linked`: what is about the same
    quantity is to be linked, which a document of any length cannot be: all of it has to be known first."""

    title: str
    blocks: Callable[[], Iterator[Block]]
    linked: bool = False

    def unfolded(self) -> Iterator[Block]:
        """The blocks for a writer that cannot fold: what stands behind the remarks of a page follows it."""
        for block in self.blocks():
            yield block
            if isinstance(block, Page):
                yield from block.behind()
