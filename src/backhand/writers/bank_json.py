"""Exercises as JSON, for programs: everything an exercise holds, by the schema in docs/quiz-systems.md."""

from __future__ import annotations

import json
from collections.abc import Sequence

from backhand.setting.exercise import Exercise
from backhand.setting.portable import SCHEMA, record


def write(exercises: Sequence[Exercise], *, title: str = "", recipe: str = "", notes: Sequence[str] = ()) -> bytes:
    """The bank as one object, an exercise a line. `recipe` is the text it was made from, `notes` what could not be
    had."""
    listed = ",\n  ".join(_text(record(exercise)) for exercise in exercises)
    more = f'"recipe": {_text(recipe)},\n "notes": {_text(list(notes))},\n '
    head = f'{{\n "schema": {SCHEMA},\n "title": {_text(title)},\n {more}"exercises": '
    return f"{head}[\n  {listed}\n ]\n}}\n".encode()


def _text(what: object) -> str:
    return json.dumps(what, ensure_ascii=False, allow_nan=False)
