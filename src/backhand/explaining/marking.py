"""The report on somebody's page as a Document: what a patient expert hands back.

    the summary        points, the first wrong step, the habit behind it, what is still to do, how the page was read
    the page           as it was written, with ticks and crosses, and remarks under the lines
    the ways left out  in the figure
    what was not read, and the points one by one

Behind a remark stands the right working, taken from the Solution's own steps. `hints` leaves out whatever gives an
answer away: true values, right working, what was read off them. The sentences are in `marking_words`, the lines of the
page in `marking_page`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import groupby

from backhand.core.formula import Formula, Slope, postorder
from backhand.errors import BackhandError
from backhand.explaining import marking_words as say
from backhand.explaining import mathematics as m
from backhand.explaining.document import (
    Block,
    Comment,
    Document,
    Heading,
    Inline,
    Page,
    Paragraph,
    Pen,
    Remark,
    Table,
    WrittenLine,
)
from backhand.explaining.marking_page import AsWritten, Names
from backhand.explaining.solution import FIGURE, derivative_working, local_working, value_working
from backhand.explaining.words import Words
from backhand.marking.about import About, Derivative, Local, Value
from backhand.marking.credit import Point
from backhand.marking.diagnose import Diagnosis
from backhand.marking.marking import Judged, Judgement, Marking
from backhand.marking.work import Line, Piece
from backhand.numbers import known
from backhand.solving.solution import Solution
from backhand.text import Span

NUMBER = re.compile(r"(?<![\w\[,#.])[-−]?\d")
COLUMN = {"method": "method", "accuracy": "accuracy", "follow-through": "accuracy", "misread": "cost", "slip": "cost"}
COLUMNS = ("method", "accuracy", "cost")
"""Of the table of points, by sort of point."""
WAYS_SHOWN = 40
"""Children of a quantity up to which the ways a line left out are named."""


def document(marking: Marking, *, hints: bool = False, figure: bool = False) -> Document:
    """The report. `hints`: remarks without answers. `figure`: the network with the ways that were left out."""

    def blocks() -> Iterator[Block]:
        report = _Report(marking, hints)
        yield from report.summary()
        yield from report.pages()
        if figure and not hints:
            yield from report.figure()
        yield from report.unread()
        yield from report.points()

    return Document(marking.title or "Marked page", blocks)


class _Report:
    """One report on its way out: knows what is said where, so that nothing is said twice."""

    def __init__(self, marking: Marking, hints: bool) -> None:
        self.marking, self.hints = marking, hints
        self.solution = marking.solution
        self.graph = marking.solution.graph
        self.names = Names(self.graph)
        self.several = len(marking.work.sources) > 1
        self.files = _short(source.name for source in marking.work.sources)
        self.comments = _Comments(marking, hints, self.names)

    # -- the summary -------------------------------------------------------------------------------------------

    def summary(self) -> Iterator[Block]:
        marking = self.marking
        marks = marking.marks
        if marks.out_of:
            title = f"{say.points(marks.earned)} of {say.points(marks.out_of)} points"
            yield Heading(1, (title,), "summary")
        else:
            yield Heading(1, ("Summary",), "summary")
        yield Paragraph((self._counted(),))
        yield from self._first_wrong()
        for diagnosis in marking.diagnoses:
            lines = self.comments.habits.get(diagnosis.keys) or list(diagnosis.lines)
            yield Paragraph(self.sentence(say.habit(diagnosis.evidence, lines)))
            if diagnosis.remark:
                where = f"Line {lines[0]}: " if lines else ""
                yield Remark("hint", (where, *self.sentence(diagnosis.remark)))
        free = set(marking.marks.absent)
        asked = [j.about for j in marking.judgements if j.verdict == "missing" and j.about is not None]
        missing = [about for about in asked if about not in free]
        if missing:
            yield Paragraph(say.absent(missing, counts=True))
        if marks.absent:
            yield Paragraph(say.absent(marks.absent, counts=False))
        for words in marking.work.decisions:
            yield Remark("notice", (words,))
        scanned = list(dict.fromkeys(repair.span.line for repair in marking.work.repairs))
        if scanned:
            yield Remark("notice", (say.scanned(scanned),))

    def sentence(self, text: str) -> Words:
        return say.with_names(text, self.graph)

    def _file(self, span: Span) -> str:
        return f" of {self.files[span.source.name]}" if self.several else ""

    def _counted(self) -> str:
        found = ["noted" if j.verdict == "unclear" and j.remarks else j.verdict for j in self.marking.together]
        text = say.counted(*(found.count(each) for each in ("right", "follows", "wrong", "noted", "unclear")))
        if any(found) and "wrong" not in found and set(found) - {"missing", "noted", "unclear"}:
            text = f"{say.nothing_wrong(found.count('unclear'))} {text}"
        return text

    def _first_wrong(self) -> Iterator[Block]:
        first = self.marking.first_wrong
        if first is None:
            return
        where = say.first_wrong(first.line, self.files[first.span.source.name] if self.several else "")
        yield Paragraph((where, *self._step(first.span, first.about), "."))
        said = self.comments.first
        if said is not None and not self.comments.first_is_habit:
            yield Remark("hint", said.words)

    def _step(self, span: Span, about: str) -> Words:
        """The wrong link with what it is about before it: `dL/dB1 = dL/dD dD/dC1 dC1/dB1`."""
        for judgement in self.marking.together:
            for link in judgement.links:
                if _overlap(link.piece.span, span):
                    if link.piece.formula is None:
                        return (link.piece.text,)
                    box = self.names.box(link.piece.formula, link.piece.text)
                    if judgement.about is None or not link.piece.relation:
                        return (box,)
                    return (m.Row((self._subject(judgement, link.piece), m.Sign("="), box)),)
        return (*self.sentence(about),)

    def _subject(self, judgement: Judgement, piece: Piece) -> m.Box:
        """What the link is about, in the writer's own ∂ or d."""
        assert judgement.about is not None
        thing = say.thing(judgement.about)
        if isinstance(thing, m.Slope) and "partial" not in piece.text and "∂" not in piece.text:
            return m.Slope(thing.of, thing.by, thing.local)
        return m.Slope(thing.of, thing.by, True) if isinstance(thing, m.Slope) else thing

    # -- the page ----------------------------------------------------------------------------------------------

    def pages(self) -> Iterator[Block]:
        yield Heading(1, ("The pages" if self.several else "The page",), "page")
        written = AsWritten(self.marking)
        for source, group in groupby(self.marking.work.lines, lambda line: line.span.source):
            lines = tuple(written.lines([*group], self.comments.by_line))
            if lines:
                yield Page(self.files[source.name] if self.several else "", lines, _legend(lines))

    def figure(self) -> Iterator[Block]:
        """The network with what was left out, if something was."""
        dropped = self.comments.dropped
        if not dropped or len(self.graph) > FIGURE:
            return
        from backhand.explaining.figure import draw

        yield Heading(1, ("The ways that were left out",), "ways")
        yield draw(self.solution, dropped)

    # -- the rest ----------------------------------------------------------------------------------------------

    def unread(self) -> Iterator[Block]:
        found = self.marking.unread_parts
        if not found:
            return
        yield Heading(1, ("What could not be read",), "unread")
        rows = tuple(
            ((f"{span.line}{self._file(span)}",), (_shortened(" ".join(span.text.split())),), (why,))
            for span, why in found
        )
        yield Table((("line",), ("written",), ("why",)), rows, "rll")

    def points(self) -> Iterator[Block]:
        """A row for each thing, and below why points were not earned."""
        points = self.marking.marks.points
        if not points:
            return
        yield Heading(1, ("Points",), "points")
        by_about: dict[str, list[Point]] = {}
        for point in points:
            by_about.setdefault(point.about, []).append(point)
        columns = [name for name in COLUMNS if any(COLUMN[point.sort] == name for point in points)]
        header = ("for", *columns, "line")
        rows = tuple(self._points_row(about, found, columns) for about, found in by_about.items())
        yield Table(tuple((each,) for each in header), rows, "l" + "r" * (len(header) - 1))
        lost = [point.why for point in points if point.earned < point.worth or point.earned < 0]
        if lost and not self.hints:
            yield Heading(2, ("Where points were not earned",), "lost")
            yield from (Remark("notice", self.sentence(why)) for why in dict.fromkeys(lost))

    def _points_row(
        self, about: str, points: Sequence[Point], columns: Sequence[str]
    ) -> tuple[tuple[Inline, ...], ...]:
        cells: list[tuple[Inline, ...]] = [say.named(about, self.graph)]
        for column in columns:
            found = [point for point in points if COLUMN[point.sort] == column]
            earned, worth = sum(point.earned for point in found), sum(point.worth for point in found)
            text = (
                f"{say.points(Fraction(earned))} of {say.points(Fraction(worth))}"
                if worth
                else say.points(Fraction(earned))
            )
            own = " (ft)" if any(point.sort == "follow-through" and point.earned for point in found) else ""
            cells.append((f"{text}{own}" if found else "",))
        numbers = dict.fromkeys(point.span.line for point in points if point.span)
        cells.append((", ".join(map(str, numbers)),))
        return tuple(cells)


def left_out(marking: Marking) -> frozenset[tuple[str, str]]:
    """The arrows, tail and head, that wrong lines leave out."""
    return frozenset(_Comments(marking, False, Names(marking.solution.graph)).dropped)


def _short(names: Iterable[str]) -> dict[str, str]:
    """Names of files without their folders, if they are different without them."""
    whole = list(names)
    short = [re.split(r"[/\\]", name)[-1] for name in whole]
    return dict(zip(whole, short if len(set(short)) == len(whole) else whole, strict=True))


def _shortened(text: str, most: int = 120) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _overlap(one: Span, other: Span) -> bool:
    return one.source is other.source and one.start < max(other.end, other.start + 1) and other.start < one.end


def _legend(lines: Sequence[WrittenLine]) -> tuple[tuple[Pen, str], ...]:
    used: set[Pen] = set()
    for line in lines:
        used.add(line.pen)
        used.update(comment.pen for comment in line.comments)
        used.update(stroke.pen for statement in line.statements for stroke in statement.strokes)
    return tuple((pen, words) for pen, words in say.LEGEND.items() if pen in used)


# -- remarks -------------------------------------------------------------------------------------------------------


class _Comments:
    """What is said under which line."""

    def __init__(self, marking: Marking, hints: bool, names: Names) -> None:
        self.marking, self.hints, self.names = marking, hints, names
        self.solution, self.graph = marking.solution, marking.solution.graph
        self.by_line: dict[int, list[Comment]] = {}
        self.first: Comment | None = None
        self.first_is_habit = False
        self._followed = False
        self.dropped: set[tuple[str, str]] = set()
        self._starts: dict[str, tuple[list[int], list[Line]]] = {}
        self.habits: dict[tuple[str, ...], list[int]] = {}
        self._explained: dict[tuple[str, ...], int] = {}
        self._worked: set[str] = set()
        self._others: dict[str, Solution | None] = {}
        for line in marking.work.lines:
            starts, lines = self._starts.setdefault(line.span.source.name, ([], []))
            starts.append(line.span.start)
            lines.append(line)
        for judgement in marking.together:
            self._judgement(judgement)
        read_as = [remark.span for remark in marking.remarks if remark.key == "scan"]
        for repair in marking.work.repairs:
            if not any(_overlap(repair.span, span) for span in read_as):
                self._add(repair.span, Comment("note", (say.repaired(repair.said, repair.meant),)))
        for span, reason in marking.unread_parts:
            self._add(span, Comment("unclear", (say.unread(reason),)))
        for comments in self.by_line.values():
            comments.sort(key=lambda comment: comment.pen != "wrong")

    def _add(self, span: Span, comment: Comment) -> None:
        line = self._line(span)
        if line is not None:
            found = self.by_line.setdefault(id(line), [])
            if all(comment.words != other.words for other in found):
                found.append(comment)

    def _line(self, span: Span) -> Line | None:
        starts, lines = self._starts.get(span.source.name, ([], []))
        return lines[max(0, bisect_right(starts, span.start) - 1)] if lines else None

    # -- one judgement -----------------------------------------------------------------------------------------

    def _judgement(self, judgement: Judgement) -> None:
        match judgement.verdict:
            case "wrong":
                self._wrong(judgement)
            case "missing":
                pass
            case "follows" if not judgement.remarks and judgement.span is not None:
                truth = None if self.hints else judgement.truth
                words = say.follows(judgement.about, truth, again=self._followed)
                self._followed = True
                if words:
                    self._add(judgement.span, Comment("follows", words))
            case "unclear" if not judgement.remarks and judgement.span is not None:
                why = next((link.why for link in judgement.links if link.verdict == "unclear" and link.why), "")
                self._add(judgement.span, Comment("unclear", self._sentence(say.unclear(why))))
            case "right" | "follows" | "unclear":
                for span, words in self._remarks(judgement):
                    self._add(span, Comment("note", words))

    def _remarks(self, judgement: Judgement) -> Iterator[tuple[Span, Words]]:
        for remark in judgement.remarks:
            text = remark.hint if self.hints else remark.text
            if text:
                yield remark.span, self._sentence(text)

    def _sentence(self, text: str) -> Words:
        return say.with_names(text, self.graph)

    def _wrong(self, judgement: Judgement) -> None:
        """Its remarks, or a sentence of ours, at their places; the right working behind the one at the wrong step."""
        link = next((link for link in judgement.links if link.verdict == "wrong"), None)
        place = link.piece.span if link is not None else judgement.span
        if place is None:
            return
        dropped = self._dropped(judgement)
        self.dropped.update(dropped)
        diagnosis = self._diagnosis(judgement)
        if diagnosis is not None and place.line not in self.habits.setdefault(diagnosis.keys, []):
            self.habits[diagnosis.keys].append(place.line)
        remarks = [*self._remarks(judgement)] or [(place, self._explanation(judgement, link, dropped, place.line))]
        here = self._line(place)
        at = next((n for n, (span, _) in enumerate(remarks) if self._line(span) is here), None)
        if at is None:
            remarks.append((place, self._explanation(judgement, link, dropped, place.line)))
            at = len(remarks) - 1
        first = self.marking.first_wrong
        for number, (span, words) in enumerate(remarks):
            if number != at:
                self._add(span, Comment("wrong", words))
                continue
            begins = self.first is None and first is not None and self._line(first.span) is here
            words = (*words, *self._own_number(judgement))
            title, behind = self._working(judgement)
            comment = Comment("wrong", words, say.FIRST if begins else "", title, behind)
            self._add(span, comment)
            if begins:
                self.first = comment
                self.first_is_habit = diagnosis is not None

    def _explanation(
        self, judgement: Judgement, link: Judged | None, dropped: Sequence[tuple[str, str]], line: int
    ) -> Words:
        """What to say of a wrong claim that has no remark."""
        about = judgement.about
        by = about.by if isinstance(about, Derivative) else ""
        through = say.along(dropped, by) if dropped else ()
        why = self._sentence(link.why) if link is not None and self._may_be_said(link.why) else ()
        if dropped and why:
            return why
        diagnosis = self._diagnosis(judgement)
        if diagnosis is not None:
            before = self._explained.setdefault(diagnosis.keys, line)
            if before != line:
                return say.again(before, through)
            if diagnosis.remark:
                return self._sentence(diagnosis.remark)
        if isinstance(about, Derivative) and dropped and about.by in self.graph:
            count = sum(1 for parent, _ in dropped if parent == by)
            return say.left_out(by, about.of, len(self.solution.children(by)) if count else 0, through)
        if about is None:
            return why or say.wrong_step()
        direct = isinstance(about, Derivative) and by in self.graph and self.graph.children(by) == (about.of,)
        return (*(why or say.differs(about)), " ", *say.advice(about, direct=direct), *self._perhaps(judgement))

    def _may_be_said(self, why: str) -> bool:
        """Hints have no number in them."""
        return bool(why) and not (self.hints and NUMBER.search(why))

    def _diagnosis(self, judgement: Judgement) -> Diagnosis | None:
        for diagnosis in self.marking.diagnoses:
            if set(judgement.causes) & set(diagnosis.keys):
                return diagnosis
            if not judgement.causes and judgement.about in diagnosis.about:
                return diagnosis
        return None

    def _perhaps(self, judgement: Judgement) -> Words:
        """One or two rows of the table that give just this number."""
        if not 1 <= len(judgement.could_be) <= 2:
            return ()
        from backhand.marking.misconceptions import TABLE

        titles = [row.title for key in judgement.could_be for row in TABLE if row.key == key]
        return (" ", *self._sentence(say.perhaps(" or when ".join(titles)))) if titles else ()

    def _own_number(self, judgement: Judgement) -> Words:
        own = judgement.from_own
        if self.hints or own is None or judgement.about is None or not known(own):
            return ()
        if own in (judgement.value, judgement.truth):
            return ()
        if any(str(own) in remark.text for remark in judgement.remarks):
            return ()
        return (" ", *say.own_number(judgement.about, own))

    # -- the right working -------------------------------------------------------------------------------------

    def _working(self, judgement: Judgement) -> tuple[Words, tuple[Block, ...]]:
        """Title and blocks; nothing where hints are asked for, or where the same was shown before."""
        about = judgement.about
        if self.hints or about is None or judgement.name in self._worked:
            return (), ()
        behind = tuple(self._blocks(about))
        if not behind:
            return (), ()
        self._worked.add(judgement.name)
        truth = judgement.truth
        title = say.equals(about, truth) if truth is not None and known(truth) else say.thing(about)
        return (title,), behind

    def _blocks(self, about: About) -> Iterator[Block]:
        graph = self.graph
        match about:
            case Value(name) if name in graph:
                yield from value_working(self.solution, name)
            case Derivative(of, by) if of in graph and by in graph:
                solution = self._solution_of(of)
                if solution is not None and solution.propagation.needs(by):
                    yield from derivative_working(solution, by)
            case Local(child, parent) if child in graph and parent in graph.parents(child) and not graph.arrays:
                yield from local_working(self.solution, child, parent)
            case _:
                pass

    def _solution_of(self, of: str) -> Solution | None:
        """The derivatives of another output than the one asked about are worked out when they are needed."""
        if of == self.solution.of:
            return self.solution
        if of not in self._others:
            from backhand.solving.solve import solve

            try:
                self._others[of] = solve(self.graph, of=of)
            except BackhandError:
                self._others[of] = None
        return self._others[of]

    # -- ways left out -----------------------------------------------------------------------------------------

    def _dropped(self, judgement: Judgement) -> list[tuple[str, str]]:
        """Arrows that a wrong derivative of the output leaves out: as judged, or read off its own product."""
        about = judgement.about
        if judgement.dropped:
            return list(judgement.dropped)
        if not isinstance(about, Derivative) or about.of != self.solution.of or about.by not in self.graph:
            return []
        for link in judgement.links:
            if link.verdict == "wrong" and link.piece.formula is not None:
                return self._missing_ways(link.piece.formula, about.by)
        return []

    def _missing_ways(self, formula: Formula, by: str) -> list[tuple[str, str]]:
        """A product of local derivatives that starts at `by` names the ways it takes; the others are missing."""
        graph, solution = self.graph, self.solution
        taken: dict[str, set[str]] = {}
        for node in postorder(formula):
            if isinstance(node, Slope):
                child, parent = self.names(node.of), self.names(node.by)
                if parent in graph and child in graph.children(parent):
                    taken.setdefault(parent, set()).add(child)
        if by not in taken:
            return []
        missing: list[tuple[str, str]] = []
        for parent, children in sorted(taken.items(), key=lambda item: graph.index[item[0]]):
            if solution.propagation.needs(parent) and len(solution.children(parent)) <= WAYS_SHOWN:
                missing += [(parent, child) for child in solution.children(parent) if child not in children]
        return missing
