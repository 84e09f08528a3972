"""From quiz files to exercises; one module a format. `QUIZ_READERS` says which module reads which kind of file."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

from backhand.errors import UsageError
from backhand.readers import contents
from backhand.setting.exercise import Exercise

QUIZ_READERS = {
    "moodle": "backhand.readers.moodle",
    "qti": "backhand.readers.qti",
    "prairielearn": "backhand.readers.prairielearn",
    "csv": "backhand.readers.csv",
    "json": "backhand.readers.bank_json",
}
"""The module of each format; it has `read(data, name) -> tuple[Exercise, ...]`."""

SUFFIXES = {".xml": "moodle", ".csv": "csv", ".json": "json"}


def read_exercises(path: str | os.PathLike[str], format: str | None = None) -> tuple[Exercise, ...]:  # noqa: A002 - the word users type
    """The exercises of a file that `backhand set` has written. Raises ReadError with the reason and a cure."""
    path = Path(path)
    data = contents(path)
    return read_bytes(data, str(path), format or format_of(data, str(path)))


def read_bytes(data: bytes, name: str, format: str) -> tuple[Exercise, ...]:  # noqa: A002
    """The same from bytes."""
    if format not in QUIZ_READERS:
        raise UsageError(f"Exercises in the format {format} are not read.", cure=f"Known: {', '.join(QUIZ_READERS)}.")
    found: tuple[Exercise, ...] = import_module(QUIZ_READERS[format]).read(data, name)
    return found


def format_of(data: bytes, name: str) -> str:
    """Which of the formats a file has, by its suffix and, for a zip, by what is in it."""
    if data.startswith(b"PK"):
        return "qti" if b"imsmanifest.xml" in data else "prairielearn"
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        known = ", ".join([*SUFFIXES, ".zip"])
        raise UsageError(f"{name} is no file of exercises that can be read.", cure=f"Known are {known}.")
    return SUFFIXES[suffix]
