"""Is a bank right? Each exercise is made once more from its network alone, and everything in it compared.

verify(exercises)     what is wrong, in sentences; nothing, if every number, answer and table holds
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isclose, isfinite

from backhand.errors import BackhandError
from backhand.marking.about import Derivative
from backhand.numbers import Number
from backhand.setting.exercise import Exercise, Question, Wrong
from backhand.setting.making import DIGITS, exercise_of


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in an exercise that is not so; `exercise` is its number."""

    exercise: int
    words: str

    def __str__(self) -> str:
        return f"Exercise {self.exercise}: {self.words}"


@dataclass(frozen=True, slots=True)
class Checked:
    """How much was compared, and what was found."""

    exercises: int
    answers: int
    wrong_answers: int
    findings: tuple[Finding, ...]


def verify(exercises: Sequence[Exercise]) -> Checked:
    """Make every exercise again and compare; and see that no two are the same."""
    findings: list[Finding] = []
    for one in exercises:
        findings += [Finding(one.origin.number, words) for words in differences(one)]
    findings += twice(exercises)
    questions = [question for one in exercises for question in one.questions]
    wrong = sum(len(question.wrong) for question in questions)
    return Checked(len(exercises), len(questions), wrong, tuple(findings))


def differences(exercise: Exercise) -> Iterator[str]:
    """What is not as it comes out when it is worked out once more."""
    try:
        again = remade(exercise)
    except BackhandError as error:
        yield f"it cannot be made again. {error.sentence}"
        return
    theirs = {question.key: question for question in exercise.questions}
    for question in again.questions:
        known = theirs.pop(question.key, None)
        if known is None:
            yield f"the question {question.key} is missing."
        else:
            yield from _differs(known, question)
    for key in theirs:
        yield f"the question {key} is not one of this network."
    for name in ("hidden", "alike", "one_line", "isolated"):
        if getattr(exercise.collisions, name) != getattr(again.collisions, name):
            yield f"the table of collisions is another ({name.replace('_', ' ')})."
    for name in ("absent", "telling", "difficulty", "planted"):
        if getattr(exercise, name) != getattr(again, name):
            yield f"{name} is another: {getattr(again, name)}."


def remade(exercise: Exercise) -> Exercise:
    """The exercise made from its network."""
    weights = any(
        question.kind == "derivatives"
        and isinstance(question.about, Derivative)
        and exercise.graph[question.about.by].kind in ("weight", "bias")
        for question in exercise.questions
    )
    digits = next((question.digits for question in exercise.questions if question.digits is not None), DIGITS)
    return exercise_of(
        exercise.graph,
        of=exercise.of,
        asks=exercise.asks,
        title=exercise.title,
        weights=weights,
        digits=digits,
        origin=exercise.origin,
        aim=exercise.aim,
        plant=exercise.planted.key if exercise.planted is not None else None,
    )


def _differs(known: Question, question: Question) -> Iterator[str]:
    if not same(known.answer, question.answer):
        yield f"the answer to {question.key} is {question.answer}, not {known.answer}."
    if known.digits != question.digits:
        yield f"the answer to {question.key} is asked for with other decimals."
    if not _same_wrong(known.wrong, question.wrong):
        yield f"the wrong answers to {question.key} are others."


def _same_wrong(known: Sequence[Wrong], again: Sequence[Wrong]) -> bool:
    return len(known) == len(again) and all(
        a.keys == b.keys and a.remark == b.remark and same(a.number, b.number)
        for a, b in zip(known, again, strict=True)
    )


def same(one: Number, other: Number) -> bool:
    """Whether two numbers are the same; floats up to what may differ between machines."""
    if isinstance(one, Fraction) and isinstance(other, Fraction):
        return one == other
    if not (isfinite(one) and isfinite(other)):
        return str(float(one)) == str(float(other))
    return isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)


def twice(exercises: Iterable[Exercise]) -> Iterator[Finding]:
    """Exercises with the same number, with the numbers or the answers of an earlier one, and students who have two."""
    seen: dict[object, int] = {}
    for one in exercises:
        number = one.origin.number
        given = tuple((q.name, q.given) for q in one.graph.quantities if not q.computed)
        answers = tuple((question.key, question.answer) for question in one.questions)
        found: list[tuple[object, str]] = [
            (("number", one.origin.digest, number), "its number is also that of"),
            (("given", given), "it has the numbers of"),
            (("answers", answers), "it has the answers of"),
        ]
        if one.origin.student is not None:
            found.append((("student", one.origin.student), "its student also has"))
        for key, words in found:
            if key in seen:
                yield Finding(number, f"{words} exercise {seen[key]}.")
            seen.setdefault(key, number)
