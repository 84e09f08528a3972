"""Exercises out of the Moodle XML that Backhand writes: data from the comments, numbers and remarks from the questions.

What counts are the numbers of the single questions; a teacher who changes one there has changed the exercise. Moodle's
own export has lost the comments, and cannot be read back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from xml.etree import ElementTree as ET

from backhand.errors import ReadError
from backhand.readers.packed import every, exercise_said, text_at, xml_of
from backhand.setting.exercise import Exercise
from backhand.setting.portable import LABEL, Data, identity, origin_of, parsed

MARKUP = re.compile(r"<[^>]*>")


def read(data: bytes, name: str) -> tuple[Exercise, ...]:
    """The exercises of a file. Raises ReadError."""
    root = xml_of(data, name)
    found = list(_data(root, name))
    if not found:
        raise ReadError(
            f"{name} holds no exercise of Backhand.",
            cure="Only files that backhand set has written can be read back, not Moodle's own exports.",
        )
    questions = {text_at(q, "idnumber"): q for q in every(root, "question") if q.get("type") == "numerical"}
    return tuple(_exercise(each, questions, name) for each in found)


def _data(root: ET.Element, name: str) -> Iterator[Data]:
    """What the comments hold."""
    for child in root:
        if child.tag is ET.Comment and (child.text or "").strip().startswith(LABEL):
            yield parsed((child.text or "").strip().removeprefix(LABEL), name)


def _exercise(data: Data, questions: dict[str, ET.Element], name: str) -> Exercise:
    ident = identity(origin_of(data, name))
    said: dict[int, tuple[str, list[tuple[str, str]]]] = {}
    for place in range(len(data["questions"])):
        question = questions.get(f"{ident}-{place + 1}")
        if question is not None:
            said[place] = _said(question, name)
    return exercise_said(data, said, name)


def _said(question: ET.Element, name: str) -> tuple[str, list[tuple[str, str]]]:
    """The right number, and the wrong ones with their remarks."""
    right, wrong = "", list[tuple[str, str]]()
    for answer in every(question, "answer"):
        number = text_at(answer, "text")
        if answer.get("fraction") == "100" and not right:
            right = number
        elif number != "*":
            wrong.append((number, plain(text_at(answer, "feedback", "text"))))
    if not right:
        raise ReadError(f"{name} has a question without a right answer: {text_at(question, 'name', 'text')}.")
    return right, wrong


def plain(markup: str) -> str:
    """The words of a remark without its markup."""
    return unescape(MARKUP.sub("", markup)).strip()
