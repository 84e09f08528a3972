"""Exercises as JSON, for programs: everything an exercise holds, by the schema in docs/quiz-systems.md."""

from __future__ import annotations

import json
from collections.abc import Sequence

from backhand.setting.exercise import Exercise
from backhand.setting.portable import SCHEMA, record


def write(exercises: Sequence[Exercise], *, title: str = "") -> bytes:
    """The bank as one object, an exercise a line."""
    listed = ",\n  ".join(_text(record(exercise)) for exercise in exercises)
    head = f'{{\n "schema": {SCHEMA},\n "title": {_text(title)},\n "exercises": '
    return f"{head}[\n  {listed}\n ]\n}}\n".encode()


def _text(what: object) -> str:
    return json.dumps(what, ensure_ascii=False, allow_nan=False)
