"""Exercises as CSV, a row a question and student: for spreadsheets and mail merge.

    exercise,student,question,kind,about,asked,answer,tolerance,digits,wrong,recipe,seed,version,whole,data

`wrong` holds `number = keys` for each wrong number, one a line. `data` is the question as JSON (`setting.portable`);
`whole`, in the first row of an exercise only, the rest of it, its network included: in pieces, because a spreadsheet
cuts cells of more than 32,767 letters. It takes a text that begins with = + - or @ for a formula; such a text gets an
apostrophe in front. Numbers have a decimal point whatever the locale.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence

from backhand.explaining import quiz
from backhand.explaining.document import Inline
from backhand.setting.exercise import Exercise
from backhand.setting.portable import COLUMNS, guarded, record
from backhand.setting.typed import decimals, typed
from backhand.writers.line import line

PLACES = 20


def write(exercises: Sequence[Exercise], *, title: str = "") -> bytes:
    """The rows as UTF-8 with a mark, by which spreadsheets know it. The title has no place in a table."""
    del title
    stream = io.StringIO(newline="")
    rows = csv.writer(stream, lineterminator="\r\n")
    rows.writerow(COLUMNS)
    for exercise in exercises:
        rows.writerows(_rows(exercise))
    return stream.getvalue().encode("utf-8-sig")


def _rows(exercise: Exercise) -> Iterator[list[str]]:
    origin = exercise.origin
    whole = record(exercise)
    data = whole.pop("questions")
    for place, question in enumerate(exercise.questions):
        foreseen = typed(question)
        wrong = [f"{number.text} = {' '.join(each.keys)}" for number, each in foreseen.wrong]
        yield [
            str(origin.number),
            guarded(origin.student or ""),
            str(place + 1),
            question.kind,
            guarded(str(question.about)),
            guarded(_text(quiz.prompt(exercise, question, foreseen.right))),
            foreseen.right.text,
            decimals(foreseen.right.tolerance, PLACES),
            "" if foreseen.right.places is None else str(foreseen.right.places),
            "\n".join(wrong),
            guarded(origin.recipe),
            "" if origin.seed is None else str(origin.seed),
            origin.version,
            "" if place else _json(whole),
            _json(data[place]),
        ]


def _json(what: object) -> str:
    return json.dumps(what, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _text(words: Sequence[Inline]) -> str:
    return "".join(each if isinstance(each, str) else line(each) for each in words)
