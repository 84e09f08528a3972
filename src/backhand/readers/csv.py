"""Exercises out of the CSV that Backhand writes: the data from its last columns, the answers from theirs."""

from __future__ import annotations

import csv
import io

from backhand import limits
from backhand.errors import ReadError
from backhand.readers.packed import exercise_said
from backhand.setting.exercise import Exercise
from backhand.setting.portable import COLUMNS, Data, Said, checked, loaded

FIELD = limits.BYTES


def read(data: bytes, name: str) -> tuple[Exercise, ...]:
    """The exercises of a table. Raises ReadError."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReadError(f"{name} is not UTF-8 at byte {error.start}.", cure="Save it as UTF-8.") from None
    usual = csv.field_size_limit(FIELD)
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise ReadError(f"{name} is no table of comma-separated values: {error}.") from None
    finally:
        csv.field_size_limit(usual)
    if not rows or not set(COLUMNS) <= rows[0].keys():
        raise ReadError(f"{name} has not the columns of an exercise.", cure=f"They are {', '.join(COLUMNS)}.")
    if not rows[0]["whole"]:
        raise ReadError(f"{name} does not begin with an exercise's data.", cure="Keep the rows in their order.")
    groups: list[list[dict[str, str]]] = []
    for row in rows:
        if row["whole"]:
            groups.append([])
        groups[-1].append(row)
    return tuple(_exercise(group, name) for group in groups)


def _exercise(rows: list[dict[str, str]], name: str) -> Exercise:
    try:
        questions = [loaded(row["data"], name) for row in rows]
        data = checked(loaded(rows[0]["whole"], name) | {"questions": questions}, name)
        said = _said(rows, data)
    except (TypeError, KeyError, AttributeError) as error:
        raise ReadError(f"{name} has a row that is not as Backhand wrote it: {error}.") from None
    return exercise_said(data, said, name)


def _said(rows: list[dict[str, str]], data: Data) -> Said:
    """Answers as the table has them; it does not say the remarks, so they are those of the data."""
    found: dict[int, tuple[str, list[tuple[str, str]]]] = {}
    for place, (row, question) in enumerate(zip(rows, data["questions"], strict=False)):
        numbers = [line.partition(" = ")[0] for line in row["wrong"].split("\n") if line]
        remarks = [wrong.get("remark", "") for wrong in question["wrong"] if wrong["number"] not in ("inf", "-inf")]
        found[place] = (row["answer"], list(zip(numbers, remarks, strict=False)))
    return found
