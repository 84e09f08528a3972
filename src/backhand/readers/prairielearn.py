"""Exercises out of the PrairieLearn question that Backhand writes, as a zip or as its exercises.json alone."""

from __future__ import annotations

from backhand.errors import ReadError
from backhand.readers.packed import exercise_said, unzipped
from backhand.setting.exercise import Exercise
from backhand.setting.portable import Data, Said, checked, loaded


def read(data: bytes, name: str) -> tuple[Exercise, ...]:
    """The variants of the question. Raises ReadError."""
    if data.startswith(b"PK"):
        contents = unzipped(data, name)
        path = next((path for path in contents if path.rpartition("/")[2] == "exercises.json"), None)
        if path is None:
            raise ReadError(f"{name} has no exercises.json, so it is no question of Backhand's.")
        data, name = contents[path], f"{name}/{path}"
    return of_bank(loaded(data, name), name)


def of_bank(bank: Data, name: str) -> tuple[Exercise, ...]:
    """The exercises of what stands in exercises.json."""
    try:
        read_in = [(checked(variant["exercise"], name), _said(variant)) for variant in bank["variants"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ReadError(f"{name} is no exercises.json of Backhand's: {error}.", cure="Make it anew.") from None
    return tuple(exercise_said(data, said, name) for data, said in read_in)


def _said(variant: Data) -> Said:
    return {
        place: (str(question["answer"]), [(str(wrong["answer"]), str(wrong["remark"])) for wrong in question["wrong"]])
        for place, question in enumerate(variant["questions"].values())
    }
