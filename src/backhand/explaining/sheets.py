"""Exercises on paper: the question, a sheet for the answer, the solution, and the marking scheme for the teacher.

    sheets(exercises, ["question"])       a Document: one sheet of paper after the other

What quiz systems show is in `explaining.quiz`; the worked solution is that of `explaining.solution`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Literal, TypeAlias

from backhand.explaining import mathematics as m
from backhand.explaining.boxes import Seen, add_box, box, multiply_box, value_box
from backhand.explaining.document import (
    Block,
    Document,
    Equation,
    Figure,
    Fine,
    Heading,
    Inline,
    Link,
    NewSheet,
    Paragraph,
    Remark,
    Room,
    Table,
)
from backhand.explaining.exercise import along, symbol
from backhand.explaining.figure import draw, scene
from backhand.explaining.layout import lay_out
from backhand.explaining.solution import document as worked
from backhand.explaining.solution import equality
from backhand.marking.about import About, Derivative, Local, Value
from backhand.marking.misconceptions import by_key
from backhand.marking.policy import Policy
from backhand.numbers import Number, show
from backhand.setting.exercise import Exercise, Question, Wrong
from backhand.solving.solution import Solution

Part: TypeAlias = Literal["question", "answer", "solution", "scheme"]
PARTS: tuple[Part, ...] = ("question", "answer", "solution", "scheme")
"""The question, a sheet to write the answer on, the solution, the marking scheme."""

HEADLINES: dict[Part, str] = {
    "question": "{}", "answer": "{}: answer sheet", "solution": "{}: solution", "scheme": "{}: marking scheme",
}  # fmt: skip

Words = tuple[Inline, ...]

LOOKED_UP = ("values", "derivatives")
"""Kinds of questions whose wrong numbers the scheme lists."""

LISTED = 5
"""Wrong numbers that are listed for one line of the scheme: the likeliest."""

COLUMNS = 6
"""Columns of a table of pairs; what is more goes into another."""

LINES = 14
"""Lines to write the working on."""


def sheets(
    exercises: Sequence[Exercise], parts: Sequence[Part] = PARTS, *, notes: Sequence[str] = (), table: bool = True
) -> Document:
    """All of one part, then all of the next; each on a sheet of its own. `notes` about the bank stand in each
    scheme."""

    def blocks() -> Iterator[Block]:
        first = True
        for part in parts:
            for exercise in exercises:
                if not first:
                    yield NewSheet(headline(exercise, part))
                first = False
                yield from sheet(exercise, part, notes, table=table)

    return Document(headline(exercises[0], parts[0]), blocks)


def headline(exercise: Exercise, part: Part) -> str:
    return HEADLINES[part].format(exercise.title)


def sheet(exercise: Exercise, part: Part, notes: Sequence[str] = (), *, table: bool = True) -> Iterator[Block]:
    """One sheet without its headline. `table` says that answers go into a table; else there is a line for each."""
    whose = _whose(exercise, part)
    if whose:
        yield Paragraph(whose)
    match part:
        case "question":
            yield from _question(exercise)
        case "answer":
            yield from _answer(exercise, table=table)
        case "solution":
            yield from _solution(exercise)
        case "scheme":
            yield from _scheme(exercise, notes)
    yield Fine((f"Made by Backhand from {exercise.origin}.",))


def _whose(exercise: Exercise, part: Part) -> Words:
    """The line on top: whose sheet it is, and its number."""
    origin = exercise.origin
    number = () if origin.seed is None else (f"Exercise {origin.number}",)
    if part in ("solution", "scheme"):
        name = () if origin.student is None else (origin.student,)
        return (", ".join((*name, *number)),) if name or number else ()
    before: Words = (f"{number[0]}.  " if number else "",)
    if origin.student is not None:
        return (*before, f"Name: {origin.student}")
    return (*before, "Name: ", m.Gap(24), "  Date: ", m.Gap(10))


# -- the question ----------------------------------------------------------------------------------------------


def _question(exercise: Exercise) -> Iterator[Block]:
    if exercise.words:
        yield Paragraph((exercise.words,))
    picture = scene(exercise.graph)
    yield Figure(lay_out(picture), picture.twin)
    yield from _given(exercise)
    for number, kind in enumerate(_kinds(exercise), 1):
        yield from _task(exercise, kind, f"{number}. " if len(_kinds(exercise)) > 1 else "")
    if any(question.digits is not None for question in exercise.questions):
        digits = next(question.digits for question in exercise.questions if question.digits is not None)
        yield Paragraph((f"Give numbers that do not come out even with {digits} decimals.",))


def _kinds(exercise: Exercise) -> list[str]:
    return [kind for kind in exercise.asks if exercise.of_kind(kind)]


def _given(exercise: Exercise) -> Iterator[Block]:
    """What is given: numbers that are not in the figure, and formulas that arrows do not say."""
    graph = exercise.graph
    words: list[Inline] = []
    for quantity in graph.quantities:
        if not quantity.computed and not quantity.name.startswith(("w[", "b[")):
            words += [", " if words else "", equality(exercise.solution, quantity)]
    if words:
        yield Paragraph(("Given: ", *words[1:], "."))
    for quantity in graph.quantities:
        if quantity.computed and quantity.definition is not None and not _on_arrows(exercise, quantity.name):
            formula = box(quantity.definition, graph=graph).box
            yield Equation((Link("", m.Symbol(quantity.name)), Link("=", formula)))


def _on_arrows(exercise: Exercise, name: str) -> bool:
    """Whether a quantity is a sum over drawn arrows, or its activation, which the figure says."""
    from backhand.core.printing import arrows

    graph = exercise.graph
    return bool(arrows(graph[name])) or (f"z[{name}]" in graph and bool(arrows(graph[f"z[{name}]"])))


def _task(exercise: Exercise, kind: str, front: str) -> Iterator[Block]:
    questions = [question for question in exercise.questions if question.kind == kind]
    of = m.Symbol(exercise.of)
    match kind:
        case "values":
            yield Paragraph((f"{front}Go forward: find the value of ", *_listed([q.about for q in questions]), "."))
        case "derivatives":
            names = [m.Symbol(q.about.by) for q in questions if isinstance(q.about, Derivative)]
            yield Paragraph((f"{front}Go back: find the derivative of ", of, " by ", *_joined(names), "."))
        case "pairs":
            yield Paragraph(
                (f"{front}Find every derivative of this table: of what stands at the left, by what stands on top.",)
            )
            yield from _pair_table(exercise, questions, filled=False)
        case "path":
            yield Paragraph((f"{front}Multiply the local derivatives along one way: ", *along(questions[0].path), "."))
        case "mistake":
            yield from _mistake(exercise, front)
        case _:
            yield Paragraph((f"{front}Fill in the gaps of this working.",))
            yield from _gaps(exercise, questions, filled=False)


def _mistake(exercise: Exercise, front: str) -> Iterator[Block]:
    planted = exercise.planted
    assert planted is not None
    words = "Somebody has worked it out like this. One rule was not followed, and what came of it was carried on."
    yield Paragraph((f"{front}{words} Find the first line that is wrong, put it right, and say what was done.",))
    rows = tuple((str(place), line) for place, line in enumerate(planted.lines, 1))
    cells = tuple((((place,), (symbol(line.about),), (_number(line.number),))) for place, line in rows)
    yield Table((("line",), ("",), ("number",)), cells, "llr")


def _gaps(exercise: Exercise, questions: Sequence[Question], *, filled: bool) -> Iterator[Block]:
    """Lines of the chain rule with gaps where the questions are, or with the answers in them."""
    lines = dict.fromkeys(question.line for question in questions)
    for line in lines:
        mine = {q.place: q for q in questions if q.line == line}
        assert isinstance(line, Derivative)
        step = exercise.solution.gather_step(line.by)
        rule: Seen | None = None
        numbers: Seen | None = None
        for place, way in enumerate(step.ways):
            above, below = Seen([m.Slope(exercise.of, way.child)], 4), Seen([m.Slope(way.child, line.by, True)], 4)
            product = multiply_box("juxtaposed", above, below, [False, False])
            gap = _gap(mine.get(place), filled=filled, factor=True)
            local_asked = place in mine and isinstance(mine[place].about, Local)
            left = _seen(way.upstream) if local_asked or gap is None else gap
            right = gap if local_asked and gap is not None else _seen(way.local)
            marks = [filled or not (gap is not None and not local_asked), filled or not local_asked]
            term = multiply_box("juxtaposed", left, right, marks)
            rule = product if rule is None else add_box("+", rule, product)
            numbers = term if numbers is None else add_box("+", numbers, term)
        end = _gap(mine.get(len(step.ways)), filled=filled)
        if rule is None or numbers is None or end is None:
            continue
        relation = "=" if all(q.exact for q in mine.values()) else "≈"
        yield Equation(
            (Link("", symbol(line)), Link("=", rule.box), Link(relation, numbers.box), Link(relation, end.box)),
            result=filled,
        )


def _seen(value: object) -> Seen:
    assert isinstance(value, (Fraction, float))
    return value_box(value)


def _gap(question: Question | None, *, filled: bool, factor: bool = False) -> Seen | None:
    """A gap, or what belongs there; in parentheses where it is a factor, as a number would be."""
    if question is None:
        return None
    if filled:
        return value_box(question.answer)
    return Seen([m.Group(m.Gap(5)) if factor else m.Gap(5)], 4)


def _pair_table(exercise: Exercise, questions: Sequence[Question], *, filled: bool) -> Iterator[Block]:
    pairs = {(q.about.of, q.about.by): q for q in questions if isinstance(q.about, Derivative)}
    columns = list(dict.fromkeys(by for _, by in pairs))
    graph = exercise.graph
    columns.sort(key=lambda name: graph.index[name])
    for start in range(0, len(columns), COLUMNS):
        part = columns[start : start + COLUMNS]
        rows: list[tuple[Words, ...]] = []
        for of in dict.fromkeys(of for of, _ in pairs):
            cells: list[Words] = [(m.Symbol(of),)]
            for by in part:
                question = pairs.get((of, by))
                cells.append(("–",) if question is None else (_number(question.answer),) if filled else ())
            if any(cell != ("–",) for cell in cells[1:]):
                rows.append(tuple(cells))
        header: tuple[Words, ...] = (("of \\ by",), *((m.Symbol(name),) for name in part))
        yield Table(header, tuple(rows), "l" + "r" * len(part))


def _listed(abouts: Sequence[About]) -> Words:
    return _joined([symbol(about) for about in abouts])


def _joined(boxes: Sequence[m.Box]) -> Words:
    """`B1, B2 and L`."""
    words: list[Inline] = []
    for place, each in enumerate(boxes):
        if place:
            words.append(" and " if place == len(boxes) - 1 else ", ")
        words.append(each)
    return tuple(words)


def _number(number: Number) -> m.Box:
    seen = value_box(number)
    return seen.box if seen.exact else m.Row((m.Sign("≈"), seen.box))


# -- the sheet for the answer --------------------------------------------------------------------------------------


def _answer(exercise: Exercise, *, table: bool) -> Iterator[Block]:
    plain = [question for question in exercise.questions if question.kind in LOOKED_UP]
    if plain and table:
        yield from _table(exercise)
    for question in () if table else plain:
        yield Equation((Link("", symbol(question.about)), Link("=", m.Gap(8))))
    for kind in _kinds(exercise):
        questions = exercise.of_kind(kind)  # type: ignore[arg-type]
        if kind == "path":
            yield Paragraph(("Along ", *along(questions[0].path), ": ", m.Gap(10)))
        elif kind == "pairs":
            yield from _pair_table(exercise, questions, filled=False)
        elif kind == "mistake":
            yield Paragraph(("First wrong line: ", m.Gap(6), "  Right number: ", m.Gap(10)))
            yield Paragraph(("What was done: ", m.Gap(50)))
        elif kind == "working":
            yield from _gaps(exercise, questions, filled=False)
    yield Heading(1, ("Working",))
    yield Room(LINES)


def _table(exercise: Exercise) -> Iterator[Block]:
    """Quantities, their values, and the derivatives of the output by them; gaps where they are asked for."""
    asked = {(q.kind, str(q.about)): q for q in exercise.questions if q.kind in ("values", "derivatives")}
    of = exercise.of
    names = [q.name for q in exercise.graph.quantities if q.place is not None]
    names += [q.name for q in exercise.graph.quantities if q.place is None]
    rows: list[tuple[Words, ...]] = []
    for name in names:
        mine = asked.get(("values", name)), asked.get(("derivatives", f"d{of}/d{name}"))
        if mine == (None, None):
            continue
        cells: list[Words] = [(m.Symbol(name),)]
        for place, question in enumerate(mine):
            quantity = exercise.graph[name]
            if question is not None:
                cells.append(())
            elif place == 0 and not quantity.computed and quantity.given is not None:
                cells.append((_number(quantity.given),))
            else:
                cells.append(("–",))
        rows.append(tuple(cells))
    kinds = {kind for kind, _ in asked}
    header: tuple[Words, ...] = (("quantity",), ("value",), ("derivative of ", m.Symbol(of)))
    if "derivatives" not in kinds:
        header, rows = header[:2], [row[:2] for row in rows]
    yield Table(header, tuple(rows), "lrr"[: len(header)])


# -- the solution ----------------------------------------------------------------------------------------------------


def _solution(exercise: Exercise) -> Iterator[Block]:
    solution = _asked(exercise)
    yield draw(solution)
    yield from worked(solution).blocks()
    for kind in _kinds(exercise):
        questions = exercise.of_kind(kind)  # type: ignore[arg-type]
        if kind == "path":
            answer = questions[0]
            yield Paragraph(("Along ", *along(answer.path), ": ", _number(answer.answer), "."))
        elif kind == "mistake":
            yield from _found(exercise)
        elif kind == "working":
            yield Heading(1, ("The gaps",))
            yield from _gaps(exercise, questions, filled=True)


def _asked(exercise: Exercise) -> Solution:
    """The solution without the derivatives by weights, where nobody asks for them."""
    solution = exercise.solution
    asked = {q.about.by for q in exercise.questions if isinstance(q.about, Derivative)}
    names = tuple(name for name in solution.wrt if name in asked or solution.graph[name].place is not None)
    return replace(solution, wrt=names)


def _found(exercise: Exercise) -> Iterator[Block]:
    planted = exercise.planted
    assert planted is not None
    yield Heading(1, ("The mistake",))
    line = planted.lines[planted.first]
    right = next(question.answer for question in exercise.questions if question.kind == "mistake")
    yield Paragraph((
        f"Line {planted.first + 1}: ", symbol(line.about), " is ", _number(right), ", not ", _number(line.number),
        f". What was done: {planted.title}. {planted.remark}",
    ))  # fmt: skip


# -- the marking scheme ----------------------------------------------------------------------------------------------


def _scheme(exercise: Exercise, notes: Sequence[str]) -> Iterator[Block]:
    yield Heading(1, ("Answers and points",))
    yield from _points(exercise)
    yield Heading(1, ("What a wrong number means",))
    yield Paragraph(("The likeliest numbers of the known mistakes, all other steps being right:",))
    rows = [row for question in exercise.questions if question.kind in LOOKED_UP for row in _means(question)]
    yield Table((("",), ("number",), ("what was done",)), tuple(rows), "lrl")
    yield Heading(1, ("What cannot be told apart here",))
    yield from _collisions(exercise)
    for note in notes:
        yield Remark("notice", (note,))
    yield Heading(1, ("How hard it is",))
    measures = exercise.difficulty
    ways = f"{measures.paths} way{'s' * (measures.paths != 1)} from the inputs to the output"
    steps = f"the longest of {measures.depth} steps; {measures.signs} products with a minus in them"
    largest = _number(_short(measures.largest))
    load = f"; the load of the whole working is {measures.load} digits."
    yield Paragraph((f"{ways}, {steps}; the largest number is ", largest, load))
    told = exercise.telling
    many = f"Of {told.possible} known mistakes that can act on such a network, {told.apart} have numbers of their own"
    named = f"here, and {told.named} can be named from the numbers alone."
    cases = f"A mistake that is made is one of the {told.apart} in {_percent(told.weighted)} of cases, as likely as"
    plain = f"the table of mistakes holds each, and in {_percent(told.plain)}, if all were equally likely."
    yield Paragraph((f"{many} {named} {cases} {plain}",))


def _percent(share: float) -> str:
    return f"{round(100 * share)} of 100"


def _short(number: Fraction) -> Number:
    """A measure that came from a rounded number is shown as one."""
    return number if number.denominator < 10_000 else float(number)


def _points(exercise: Exercise) -> Iterator[Block]:
    policy = Policy()
    rows: list[tuple[Words, ...]] = []
    for question in exercise.questions:
        worth = policy.derivative if question.kind == "derivatives" else policy.value
        method = f"{_plain_number(worth.method)} + " if worth.method else ""
        words: Words = (symbol(question.about),)
        if question.path:
            words = along(question.path)
        elif question.line is not None:
            words = (symbol(question.about), " in ", symbol(question.line))
        rows.append((words, (_number(question.answer),), (f"{method}{_plain_number(worth.accuracy)}",)))
    yield Table((("",), ("answer",), ("points",)), tuple(rows), "lrr")
    if any(question.kind == "derivatives" for question in exercise.questions):
        yield Paragraph(("Of two points, the first is for the rule in the line, the second for the number.",))


def _plain_number(number: Fraction) -> str:
    return show(number, 6).text


def _means(question: Question) -> Iterator[tuple[Words, ...]]:
    """A row for each of the likeliest wrong numbers; the name of the line stands in the first."""
    for place, wrong in enumerate(question.wrong[:LISTED]):
        yield (symbol(question.about),) if place == 0 else (" ",), (_number(wrong.number),), (_who(wrong),)


def _who(wrong: Wrong) -> str:
    titles = wrong.titles[:2]
    more = len(wrong.titles) - len(titles)
    return ", or ".join(titles) + (f", or {more} more" if more else "")


def _collisions(exercise: Exercise) -> Iterator[Block]:
    rows = by_key()
    table = exercise.collisions
    if exercise.hidden:
        which = "; ".join(rows[key].title for key in exercise.hidden)
        yield Paragraph((f"These mistakes cannot be seen, all numbers come out right: {which}.",))
    for group in table.alike:
        which = "; ".join(rows[key].title for key in group)
        yield Paragraph((f"These give the same numbers: {which}.",))
    single = [key for key in table.one_line if key not in exercise.absent]
    if single:
        which = "; ".join(rows[key].title for key in single)
        yield Paragraph((f"These show in one line only, where a slip may look the same; see the working: {which}.",))
    if not exercise.hidden and not table.alike and not single:
        yield Paragraph(("All of them can.",))


__all__ = ["PARTS", "Part", "Value", "headline", "sheet", "sheets"]
