"""Exercises out of the JSON that Backhand writes."""

from __future__ import annotations

from typing import Any, cast

from backhand.errors import ReadError
from backhand.readers import prairielearn
from backhand.readers.packed import exercise
from backhand.setting.exercise import Exercise
from backhand.setting.portable import Data, checked, loaded


def read(data: bytes, name: str) -> tuple[Exercise, ...]:
    """The exercises of a bank. Raises ReadError."""
    bank: Any = loaded(data, name)
    if isinstance(bank, dict) and "variants" in bank:
        return prairielearn.of_bank(cast(Data, bank), name)
    listed: Any = cast(Data, bank).get("exercises") if isinstance(bank, dict) else None
    if not isinstance(listed, list):
        raise ReadError(f"{name} holds no exercises of Backhand.", cure="Make it with backhand set --to json.")
    return tuple(exercise(checked(each, name), name) for each in cast(list[object], listed))
