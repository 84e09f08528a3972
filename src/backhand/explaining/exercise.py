"""Exercises in words: each question as a sentence."""

from __future__ import annotations

from itertools import pairwise

from backhand.explaining import mathematics as m
from backhand.explaining.document import Inline
from backhand.marking.about import About, Derivative, Local, Value
from backhand.setting.exercise import Exercise, Question


def symbol(about: About) -> m.Box:
    """`B1`, `dL/dB1`, or with ∂ for a local derivative."""
    match about:
        case Value():
            return m.Symbol(about.name)
        case Derivative():
            return m.Slope(about.of, about.by)
        case Local():
            return m.Slope(about.child, about.parent, True)


def wording(exercise: Exercise, question: Question) -> tuple[Inline, ...]:
    """One question as a sentence that stands by itself, for quizzes: what is asked, and how to give it."""
    rounded: tuple[Inline, ...] = ()
    if question.digits is not None:
        rounded = (f" Give {question.digits} decimals.",)
    what = symbol(question.about)
    match question.kind:
        case "values":
            return ("Find the value of ", what, ".", *rounded)
        case "derivatives" | "pairs":
            return ("Find ", what, ", all ways added.", *rounded)
        case "path":
            return ("Multiply the local derivatives along the one way ", *along(question.path), ".", *rounded)
        case "mistake":
            return ("What is the right number in the first line that has a mistake?", *rounded)
        case "working":
            assert question.line is not None
            line = symbol(question.line)
            if question.line == question.about:
                return ("In the line for ", line, ": what comes out?", *rounded)
            return ("In the line for ", line, ": which number stands for ", what, "?", *rounded)


def along(names: tuple[str, ...]) -> tuple[Inline, ...]:
    """A1 → B1 → C1."""
    words: list[Inline] = [m.Symbol(names[0])] if names else []
    for _, name in pairwise(names):
        words += [" → ", m.Symbol(name)]
    return tuple(words)
