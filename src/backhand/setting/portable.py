"""An exercise as plain data, and an exercise from that data: what JSON files are, and what every other export carries.

    record(exercise)              everything
    record(exercise, brief=True)  without what the export says itself (remarks), or the table of habits knows
    restored(data, graph)         the exercise again; its solution is worked out anew

Exact numbers are texts ("3/20"), others numbers. The schema is in docs/quiz-systems.md; it grows by new keys, and
`SCHEMA` is raised when an old one changes its meaning.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from fractions import Fraction
from math import isfinite
from typing import Any, TypeAlias

from backhand.core.graph import Graph
from backhand.errors import ReadError
from backhand.marking.about import About, Derivative, Local, Value
from backhand.marking.diagnose import Collisions
from backhand.marking.misconceptions import by_key
from backhand.numbers import Number
from backhand.setting.exercise import Difficulty, Exercise, Origin, Planted, Question, Shown, Telling, Wrong
from backhand.setting.typed import Typed, typed
from backhand.solving.solve import solve

SCHEMA = 1
LABEL = "backhand-exercise"
"""What the data is called inside other formats."""

COLUMNS = (
    "exercise", "student", "question", "kind", "about", "asked", "answer", "tolerance", "digits", "wrong", "recipe",
    "seed", "version", "whole", "data",
)  # fmt: skip
"""Of a table with a row for each question."""

Data: TypeAlias = dict[str, Any]


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r", "'") else text


def record(exercise: Exercise, *, brief: bool = False) -> Data:
    """An exercise as what JSON knows: texts, numbers, lists and objects."""
    planted = exercise.planted
    return {
        "schema": SCHEMA,
        "title": exercise.title,
        "net": str(exercise.graph),
        "of": exercise.of,
        "asks": list(exercise.asks),
        "origin": asdict(exercise.origin),
        "aim": exercise.aim,
        "questions": [_question(question, brief) for question in exercise.questions],
        "planted": None if planted is None else _planted(planted),
        "collisions": {
            "hidden": list(exercise.collisions.hidden),
            "alike": [list(keys) for keys in exercise.collisions.alike],
            "one_line": list(exercise.collisions.one_line),
            "isolated": list(exercise.collisions.isolated),
        },
        "absent": list(exercise.absent),
        "telling": asdict(exercise.telling),
        "difficulty": asdict(exercise.difficulty) | {"largest": _number(exercise.difficulty.largest)},
    }


def identity(origin: Origin) -> str:
    """Letters, digits and hyphens that are the only ones of their kind, and the same whenever the exercise is made."""
    seed = "net" if origin.seed is None else str(origin.seed)
    return f"{origin.digest}-{seed}-{origin.number}"


def compact(exercise: Exercise) -> str:
    """The brief record on one line, fit to stand in an XML comment, where two hyphens may not meet."""
    text = json.dumps(record(exercise, brief=True), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("--", "-\\u002d")


def _question(question: Question, brief: bool) -> Data:
    found: Data = {
        "kind": question.kind,
        "about": _about(question.about),
        "answer": _number(question.answer),
        "digits": question.digits,
    }
    if question.path:
        found["path"] = list(question.path)
    if question.line is not None:
        found |= {"line": _about(question.line), "place": question.place}
    return found | {"wrong": [_wrong(wrong, brief) for wrong in question.wrong]}


def _wrong(wrong: Wrong, brief: bool) -> Data:
    found: Data = {"number": _number(wrong.number), "keys": list(wrong.keys)}
    if brief:
        return found
    return found | {"ids": list(wrong.ids), "titles": list(wrong.titles), "remark": wrong.remark}


def _planted(planted: Planted) -> Data:
    lines = [
        {"about": _about(line.about), "number": _number(line.number), "true": line.true, "follows": line.follows}
        for line in planted.lines
    ]
    return {
        "key": planted.key, "id": planted.id, "title": planted.title, "remark": planted.remark,
        "lines": lines, "first": planted.first,
    }  # fmt: skip


def _about(about: About) -> list[str]:
    match about:
        case Value(name):
            return ["value", name]
        case Derivative(of, by):
            return ["derivative", of, by]
        case Local(child, parent):
            return ["local", child, parent]


def _number(number: Number) -> str | float:
    """Exact as a text; what is no finite number is a text as well, since JSON has none."""
    return str(number) if isinstance(number, Fraction) or not isfinite(number) else float(number)


# -- and back ----------------------------------------------------------------------------------------------------


def loaded(text: str | bytes, name: str) -> Any:
    """What a text in JSON says. Raises ReadError."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ReadError(f"{name} is no JSON: {error}.", cure="Make the file anew.") from None


def parsed(text: str, name: str) -> Data:
    """The data of an exercise from its text. Raises ReadError."""
    return checked(loaded(text, name), name)


def checked(found: object, name: str) -> Data:
    """What JSON gave, if it is an exercise of a schema we know. Raises ReadError."""
    if not isinstance(found, dict) or not {"schema", "net", "questions"} <= found.keys():  # pyright: ignore[reportUnknownMemberType]
        raise ReadError(f"{name} holds no exercise of Backhand.", cure="Make it with backhand set.")
    data: Data = found  # pyright: ignore[reportUnknownVariableType]
    if data["schema"] != SCHEMA:
        raise ReadError(
            f"{name} has schema {data['schema']}; this version reads {SCHEMA}.",
            cure="Use the version of Backhand that stands in the file.",
        )
    return data


def restored(data: Data, graph: Graph, name: str) -> Exercise:
    """The exercise of this data on its network. Raises ReadError where the data is not what `record` makes."""
    try:
        return _exercise(data, graph)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, ZeroDivisionError) as error:
        raise ReadError(
            f"The exercise in {name} cannot be read: {type(error).__name__} {error}.", cure="Make the file anew."
        ) from None


def origin_of(data: Data, name: str) -> Origin:
    """Where the exercise of this data comes from. Raises ReadError."""
    try:
        return Origin(**data["origin"])
    except (KeyError, TypeError) as error:
        raise ReadError(f"The exercise in {name} does not say where it is from: {error}.") from None


def _exercise(data: Data, graph: Graph) -> Exercise:
    title, asks = str(data["title"]), tuple(data["asks"])
    collisions, planted = data["collisions"], data["planted"]
    return Exercise(
        title=title,
        graph=graph,
        of=data["of"],
        asks=asks,
        questions=tuple(map(_read_question, data["questions"])),
        solution=solve(graph, of=data["of"], pairs="pairs" in asks, title=title),
        collisions=Collisions(
            tuple(collisions["hidden"]), tuple(map(tuple, collisions["alike"])),
            tuple(collisions["one_line"]), tuple(collisions["isolated"]),
        ),
        absent=tuple(data["absent"]),
        telling=Telling(**data["telling"]),
        difficulty=Difficulty(**data["difficulty"] | {"largest": Fraction(data["difficulty"]["largest"])}),
        origin=Origin(**data["origin"]),
        planted=None if planted is None else _read_planted(planted),
        aim=data["aim"],
    )  # fmt: skip


def _read_question(data: Data) -> Question:
    line = data.get("line")
    return Question(
        kind=data["kind"],
        about=_read_about(data["about"]),
        answer=_read_number(data["answer"]),
        digits=data["digits"],
        wrong=tuple(map(_read_wrong, data["wrong"])),
        path=tuple(data.get("path", ())),
        line=None if line is None else _read_about(line),
        place=data.get("place", 0),
    )


def _read_wrong(data: Data) -> Wrong:
    """In brief data ids and titles are those of the table of habits."""
    keys, rows = tuple(data["keys"]), by_key()
    ids = data.get("ids") or [rows[key].id for key in keys]
    titles = data.get("titles") or [rows[key].title for key in keys]
    return Wrong(_read_number(data["number"]), keys, tuple(ids), tuple(titles), data.get("remark", ""))


def _read_planted(data: Data) -> Planted:
    lines = tuple(
        Shown(_read_about(line["about"]), _read_number(line["number"]), line["true"], line["follows"])
        for line in data["lines"]
    )
    return Planted(data["key"], data["id"], data["title"], data["remark"], lines, data["first"])


def _read_about(data: list[str]) -> About:
    match data:
        case ["value", name]:
            return Value(name)
        case ["derivative", of, by]:
            return Derivative(of, by)
        case ["local", child, parent]:
            return Local(child, parent)
        case _:
            raise ValueError(f"unknown thing asked about: {data}")


def _read_number(data: str | float) -> Number:
    if isinstance(data, str):
        return float(data) if data.strip("-") in ("inf", "nan") else Fraction(data)
    return float(data)


# -- what a file says -------------------------------------------------------------------------------------------

Said: TypeAlias = Mapping[int, "tuple[str, list[tuple[str, str]]]"]
"""By position of a question in the exercise: the right number, and the wrong ones with what is said to them."""


def as_said(data: Data, said: Said, graph: Graph, name: str) -> Exercise:
    """The exercise of brief data, with the numbers and remarks that stand in the export itself.

    A number there that is the record's own, as it is typed, stays exact; any other (somebody changed it) is taken as
    it stands, so that a check finds it.
    """
    exercise = restored(data, graph, name)
    questions: list[Question] = []
    for place, question in enumerate(exercise.questions):
        if place not in said:
            raise ReadError(f"{name} lacks the question {question.key}.", cure="Make the file anew.")
        right, wrong = said[place]
        foreseen = typed(question)
        if len(wrong) != len(foreseen.wrong):
            what = f"{name} has {len(wrong)} wrong answers to {question.key}, and names {len(foreseen.wrong)}."
            raise ReadError(what, cure="Make the file anew.")
        known = iter(zip(foreseen.wrong, wrong, strict=True))
        questions.append(
            replace(
                question,
                answer=question.answer if right == foreseen.right.text else _typed_number(right, name),
                wrong=tuple(
                    _said_wrong(next(known), name) if isfinite(each.number) else each for each in question.wrong
                ),
            )
        )
    return replace(exercise, questions=tuple(questions))


def _said_wrong(pair: tuple[tuple[Typed, Wrong], tuple[str, str]], name: str) -> Wrong:
    (foreseen, wrong), (text, remark) = pair
    number = wrong.number if text == foreseen.text else _typed_number(text, name)
    return replace(wrong, number=number, remark=remark)


def _typed_number(text: str, name: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise ReadError(f"{name} has the answer {text}, which is no number.") from None
