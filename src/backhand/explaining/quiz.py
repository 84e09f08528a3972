"""What a quiz system shows of an exercise: the task once, one short question for each number, the working as feedback.

A sheet can say "fill in every derivative"; a quiz asks one number at a time. Writers of quiz formats put these parts
where their format wants them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from backhand.core.graph import Graph
from backhand.errors import BackhandError
from backhand.explaining import mathematics as m
from backhand.explaining.boxes import box, value_box
from backhand.explaining.document import Block, Equation, Figure, Inline, Link, Paragraph, Table
from backhand.explaining.exercise import along, symbol, wording
from backhand.explaining.figure import scene
from backhand.explaining.layout import lay_out
from backhand.explaining.solution import derivative_working, document, equality, local_working, value_working
from backhand.marking.about import Derivative, Local, Value
from backhand.numbers import Number
from backhand.setting.exercise import Exercise, Planted, Question
from backhand.setting.typed import Typed
from backhand.solving.solve import solve

Words = tuple[Inline, ...]

NOT_FORESEEN = "Not this number. Go through this line once more, one arrow at a time."
"""Said to a wrong number that no habit gives."""

RIGHT = "Right."


@lru_cache(4)
def figure(exercise: Exercise) -> Figure:
    """The network as in the question: no values, no derivatives. Kept, because a quiz shows it with each question."""
    picture = scene(exercise.graph)
    return Figure(lay_out(picture), picture.twin)


def task(exercise: Exercise) -> Iterator[Block]:
    """What is given, so that nobody needs the figure: numbers, and a formula for each quantity."""
    graph = exercise.graph
    yield Paragraph(("The network of the figure, as formulas:",))
    for quantity in graph.quantities:
        if quantity.computed and quantity.definition is not None:
            formula = box(quantity.definition, graph=graph).box
            yield Equation((Link("", m.Symbol(quantity.name)), Link("=", formula)))
    given = [q for q in graph.quantities if not q.computed and not _stands_on_an_arrow(q.name)]
    words: list[Inline] = []
    for quantity in given:
        words += [", " if words else "Given: ", equality(exercise.solution, quantity)]
    if words:
        yield Paragraph((*words, "."))


def _stands_on_an_arrow(name: str) -> bool:
    """Whether it is a weight without a name of its own: its number stands in the formula."""
    return name.startswith("w[")


def before(exercise: Exercise, question: Question) -> Iterator[Block]:
    """What stands before a question and belongs to it alone: the page in which a mistake is to be found."""
    if question.kind == "mistake" and exercise.planted is not None:
        yield from _page(exercise.planted)


def _page(planted: Planted) -> Iterator[Block]:
    yield Paragraph(("Somebody worked it out like this. The numbers of some lines are wrong:",))
    rows = tuple(((symbol(line.about),), (_number(line.number),)) for line in planted.lines)
    yield Table((("Line",), ("Number",)), rows, "lr")


def _number(number: Number) -> m.Box:
    return value_box(number).box


def prompt(exercise: Exercise, question: Question, typed: Typed) -> Words:
    """The question in a sentence; a form takes no 1/3, so it asks for decimals where the sheet need not."""
    asked = wording(exercise, question)
    if typed.places is None or question.digits is not None:
        return asked
    return (*asked, f" Give {typed.places} decimals.")


# -- the working ---------------------------------------------------------------------------------------------------


def whole_working(exercise: Exercise) -> Iterator[Block]:
    """The worked solution without its figure."""
    yield from document(exercise.solution).blocks()


def working(exercise: Exercise, question: Question) -> Iterator[Block]:
    """How the answer to one question comes about."""
    graph, solution = exercise.graph, exercise.solution
    about = question.about
    if question.path:
        yield from _along(exercise, question)
        return
    match about:
        case Value(name):
            yield from value_working(solution, name)
        case Derivative(of, by) if of == solution.of:
            yield from derivative_working(solution, by)
        case Derivative(of, by):
            yield from _of_another(graph, of, by)
        case Local(child, parent):
            yield from local_working(solution, child, parent)


def _of_another(graph: Graph, of: str, by: str) -> Iterator[Block]:
    """The derivative of a quantity that is not the output."""
    try:
        yield from derivative_working(solve(graph, of=of), by)
    except BackhandError:  # it has none by itself, though the output has
        return


def _along(exercise: Exercise, question: Question) -> Iterator[Block]:
    """The local derivatives along a way, then their product."""
    solution, path = exercise.solution, question.path
    yield Paragraph(("Along one way the local derivatives are multiplied: ", *along(path), "."))
    for parent, child in pairwise(path):
        yield from local_working(solution, child, parent)
    yield Paragraph(("Their product is ", _number(question.answer), "."))


def origin(exercise: Exercise) -> str:
    """Where the exercise comes from, in a line for the teacher."""
    return f"{exercise.title}: {exercise.origin}"
