"""An exercise as plain data, and an exercise from that data: what JSON files are, and what every other export carries.

    record(exercise)              everything
    record(exercise, brief=True)  without what the export says itself (remarks), or the table of habits knows
    restored(data, graph)         the exercise again; its solution is worked out anew

Exact numbers are texts ("3/20"), others numbers. The schema is in docs/quiz-systems.md; it grows by new keys, and
`SCHEMA` is raised when an old one changes its meaning.
"""

from __future__ import annotations

import json
import re
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
from backhand.setting.exercise import (
    KINDS,
    Difficulty,
    Exercise,
    Kind,
    Origin,
    Planted,
    Question,
    Shown,
    Telling,
    Wrong,
)
from backhand.setting.typed import Typed, typed
from backhand.solving.solve import solve

SCHEMA = 1
LABEL = "backhand-exercise"
"""What the data is called inside other formats."""

EXACT = re.compile(r"-?[0-9]{1,4000}(/[0-9]{1,4000})?")
DECIMAL = re.compile(r"[+-]?[0-9]{1,1000}(\.[0-9]{0,1000})?")
MOST_DIGITS = 50
"""Decimals of a rounded answer that are believed."""

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
        "words": exercise.words,
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
        return json.loads(text, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError) as error:
        raise ReadError(f"{name} is no JSON: {error}.", cure="Make the file anew.") from None


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text} is too large")
    return number


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
        return _read_origin(data["origin"])
    except (KeyError, TypeError, ValueError) as error:
        raise ReadError(f"The exercise in {name} does not say where it is from: {error}.") from None


def _read_origin(data: Data) -> Origin:
    """With every field of its type: they become parts of names."""
    seed, student = data["seed"], data["student"]
    return Origin(
        recipe=str(data["recipe"]),
        digest=str(data["digest"]),
        seed=None if seed is None else int(seed),
        version=str(data["version"]),
        number=int(data["number"]),
        student=None if student is None else str(student),
    )


def _exercise(data: Data, graph: Graph) -> Exercise:
    title = str(data["title"])
    asks: tuple[Kind, ...] = tuple(_read_kind(kind) for kind in data["asks"])
    collisions, planted = data["collisions"], data["planted"]
    return Exercise(
        title=title,
        graph=graph,
        of=str(data["of"]),
        asks=asks,
        questions=tuple(_read_question(question, graph) for question in data["questions"]),
        solution=solve(graph, of=str(data["of"]), pairs="pairs" in asks, title=title),
        collisions=Collisions(
            tuple(collisions["hidden"]), tuple(map(tuple, collisions["alike"])),
            tuple(collisions["one_line"]), tuple(collisions["isolated"]),
        ),
        absent=tuple(data["absent"]),
        telling=Telling(**data["telling"]),
        difficulty=Difficulty(**data["difficulty"] | {"largest": _read_number(data["difficulty"]["largest"])}),
        origin=_read_origin(data["origin"]),
        planted=None if planted is None else _read_planted(planted, graph),
        aim=data["aim"],
        words=str(data.get("words", "")),
    )  # fmt: skip


def _read_kind(data: object) -> Kind:
    found: Kind | None = next((kind for kind in KINDS if kind == data), None)
    if found is not None:
        return found
    raise ValueError(f"unknown kind of question: {data}")


def _read_question(data: Data, graph: Graph) -> Question:
    line, digits = data.get("line"), data["digits"]
    if digits is not None and not 0 <= int(digits) <= MOST_DIGITS:
        raise ValueError(f"{digits} decimals")
    return Question(
        kind=_read_kind(data["kind"]),
        about=_read_about(data["about"], graph),
        answer=_read_number(data["answer"]),
        digits=digits,
        wrong=tuple(map(_read_wrong, data["wrong"])),
        path=tuple(map(str, data.get("path", ()))),
        line=None if line is None else _read_about(line, graph),
        place=int(data.get("place", 0)),
    )


def _read_wrong(data: Data) -> Wrong:
    """In brief data ids and titles are those of the table of habits."""
    keys, rows = tuple(map(str, data["keys"])), by_key()
    ids = data.get("ids") or [rows[key].id for key in keys]
    titles = data.get("titles") or [rows[key].title for key in keys]
    return Wrong(
        _read_number(data["number"]), keys, tuple(map(str, ids)), tuple(map(str, titles)), str(data.get("remark", ""))
    )


def _read_planted(data: Data, graph: Graph) -> Planted:
    lines = tuple(
        Shown(
            _read_about(line["about"], graph), _read_number(line["number"]), bool(line["true"]), bool(line["follows"])
        )
        for line in data["lines"]
    )
    key, ident, title, remark = (str(data[name]) for name in ("key", "id", "title", "remark"))
    return Planted(key, ident, title, remark, lines, int(data["first"]))


def _read_about(data: list[str], graph: Graph) -> About:
    missing = [name for name in data[1:] if name not in graph]
    if missing:
        raise ValueError(f"the network has no {missing[0]}")
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
    if not isinstance(data, str):
        return float(data)
    if data.strip("-") in ("inf", "nan"):
        return float(data)
    if not EXACT.fullmatch(data):
        raise ValueError(f"no exact number: {data[:40]}")
    return Fraction(data)


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
    if not DECIMAL.fullmatch(text):
        raise ReadError(f"{name} has the answer {text[:40]}, which is no number.")
    return Fraction(text)
