"""A marked page: what was judged, what it is about, and why.

    Marking       the whole: judgements, the first wrong step, the habits behind it, the marks
      Judgement   one claim: `dL/dB1 = ... = 2` is wrong, the truth is 4
        Judged    one link of its chain
        Remark    something to say to the writer, whether or not it cost anything

Verdicts, for claims and for links:

    right     true, and written by a right rule
    follows   not true, but right from the writer's own earlier numbers, or from a number misread once
    wrong     neither
    unclear   could not be told: a name that is not known, a formula that could not be read
    missing   asked for, and not on the page (claims only)

A Marking is a pure function of answer, network, policy and version; the writers only show what it holds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from backhand.marking.about import About
from backhand.marking.diagnose import Diagnosis
from backhand.marking.work import Chain, Line, Piece, Work
from backhand.numbers import Number
from backhand.text import Span

if TYPE_CHECKING:
    from backhand.marking.credit import Marks
    from backhand.solving.solution import Solution

Verdict: TypeAlias = Literal["right", "follows", "wrong", "unclear", "missing"]
Kind: TypeAlias = Literal["value", "total", "local", "formula", "given"]
"""What a claim gives: the value of a computed quantity, a whole derivative, a local one, an equality of formulas that
is about nothing the network has a name for, or a given number said again."""

WORST: tuple[Verdict, ...] = ("wrong", "unclear", "follows", "right", "missing")

Method: TypeAlias = Literal["right", "wrong", "none"]
"""Whether the working before the number is right, has a wrong step, or is not there."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A thing to say about a place: `key` is a speaking name for programs, `text` a sentence for the writer."""

    key: str
    text: str
    span: Span
    hint: str = ""
    """The same without the answer in it, for `--hints`."""

    @property
    def line(self) -> int:
        return self.span.line


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A link: the piece as it was read, its verdict, and in a few words why."""

    piece: Piece
    verdict: Verdict
    why: str = ""

    @property
    def line(self) -> int:
        return self.piece.span.line


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """One claim. `span` is where its number stands (where nothing is claimed in numbers, the last link); None where it
    is missing. `said` is the number as written, `value` what it is; `truth` the right number, `from_own` the number
    that follows from the writer's own earlier ones. `chains` are the statements it was read from."""

    about: About | None
    kind: Kind
    verdict: Verdict
    span: Span | None = None
    said: str = ""
    value: Number | None = None
    truth: Number | None = None
    from_own: Number | None = None
    links: tuple[Judged, ...] = ()
    method: Method = "none"
    causes: tuple[str, ...] = ()
    could_be: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()
    chains: tuple[Chain, ...] = ()
    note: bool = False
    """Whether it stands at the side of another statement."""
    label: str = ""
    """What it is about, as written."""
    whole: About | None = None
    """Of an element of an array that was written all at once: the array."""
    dropped: tuple[tuple[str, str], ...] = ()
    """The ways left out by a wrong line, as (from, to): the first arrow of each."""

    @property
    def line(self) -> int | None:
        return self.span.line if self.span else None

    @property
    def name(self) -> str:
        """`B1`, `dL/dB1`; empty for an equality about nothing named."""
        return str(self.about) if self.about is not None else ""


@dataclass(frozen=True, slots=True)
class FirstWrong:
    """The first wrong step: the place of the wrong link, and what it is about."""

    about: str
    span: Span

    @property
    def line(self) -> int:
        return self.span.line


@dataclass(frozen=True, slots=True, eq=False)
class Marking:
    """An answer, judged. Judgements stand in the order of the page, those of missing things last."""

    work: Work
    solution: Solution
    judgements: tuple[Judgement, ...]
    first_wrong: FirstWrong | None
    diagnoses: tuple[Diagnosis, ...]
    marks: Marks
    title: str = ""

    @property
    def of(self) -> str:
        """The output asked about."""
        return self.solution.of

    @property
    def unread(self) -> tuple[Line, ...]:
        """The lines with mathematics that could not be read."""
        return tuple(line for line in self.work.lines if line.why == "unread")

    @property
    def unread_parts(self) -> tuple[tuple[Span, str], ...]:
        """What could not be read, and why: whole lines, and links of lines that could. Not what was read after all,
        with a likely slip of the scanner mended; a remark says so."""
        mended = {(remark.span.source.name, remark.span.start) for remark in self.remarks if remark.key == "scan"}
        found: list[tuple[Span, str]] = []
        for line in self.work.lines:
            if line.why == "unread":
                found.append((line.span, line.reason))
            for chain in line.chains:
                found += [
                    (piece.span, piece.reason)
                    for piece in chain.pieces
                    if piece.formula is None and (piece.span.source.name, piece.span.start) not in mended
                ]
        return tuple(found)

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """All remarks, in the order of the page."""
        found = [remark for judgement in self.judgements for remark in judgement.remarks]
        return tuple(sorted(found, key=lambda remark: (remark.span.source.name, remark.span.start)))

    @property
    def together(self) -> tuple[Judgement, ...]:
        """The judgements, with one for an array that was written all at once: that of its worst element."""
        found: dict[object, Judgement] = {}
        for number, judgement in enumerate(self.judgements):
            if judgement.whole is None or judgement.span is None:
                found[number] = judgement
                continue
            key = (judgement.span.source.name, judgement.span.start, judgement.name.partition("[")[0])
            known = found.get(key)
            causes = tuple(dict.fromkeys((*(known.causes if known else ()), *judgement.causes)))
            remarks = known.remarks if known else judgement.remarks
            worst = known if known and WORST.index(known.verdict) <= WORST.index(judgement.verdict) else judgement
            found[key] = replace(
                worst, about=judgement.whole, truth=None, value=None, from_own=None, causes=causes, remarks=remarks
            )
        return tuple(found.values())

    def about(self, name: str) -> tuple[Judgement, ...]:
        """The judgements about one thing: `marking.about("dL/dB1")`."""
        return tuple(judgement for judgement in self.judgements if judgement.name == name)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from importlib import import_module

        bundle: dict[str, str] = import_module("backhand.display").bundle(self)
        return bundle

    def __repr__(self) -> str:
        wrong = sum(judgement.verdict == "wrong" for judgement in self.judgements)
        count = sum(judgement.line is not None for judgement in self.judgements)
        return f"<Marking: {count} claims, {wrong} wrong, {self.marks.earned} of {self.marks.out_of}>"
