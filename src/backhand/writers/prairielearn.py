"""Exercises as a PrairieLearn question: a folder for `questions/` of a course, as it is or as a zip.

info.json             title, topic, tags; its UUID is made from the contents
question.html         the task, a field for each number, the working as the answer
server.py             generate (the variant by PrairieLearn's seed) and grade (which names the mistake)
exercises.json        the variants: what is asked, right and wrong numbers, what to say, the exercises as data
clientFilesQuestion/  the figures
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from importlib.resources import files
from typing import Any
from uuid import UUID, uuid5

from backhand.explaining import quiz
from backhand.setting.exercise import Exercise, Question
from backhand.setting.portable import SCHEMA, record
from backhand.setting.typed import Typed, decimals, typed
from backhand.writers import svg
from backhand.writers.qti import zipped
from backhand.writers.quiz_html import html, prose

SPACE = UUID("5d8ff0a4-6a3e-5d0b-9c0e-2f7f3a1b4c6d")
"""The namespace of the UUIDs of our questions."""

PLACES = 20

QUESTION = """\
<pl-question-panel>
  <pl-figure file-name="{{params.figure}}" alt="{{params.alt}}"></pl-figure>
  {{{params.task}}}
</pl-question-panel>
<ol>
  {{#params.questions}}
  <li>
    <pl-question-panel>{{{prompt}}}</pl-question-panel>
    <pl-number-input answers-name="{{name}}" comparison="relabs" rtol="0" atol="{{slack}}" show-placeholder="false">
    </pl-number-input>
  </li>
  {{/params.questions}}
</ol>
<pl-answer-panel>{{{params.working}}}</pl-answer-panel>
"""


def write(exercises: Sequence[Exercise], *, title: str = "") -> bytes:
    """The folder as a zip, its name that of the title."""
    contents = folder(exercises, title=title)
    name = slug(title or _title(exercises))
    return zipped({f"{name}/{path}": data for path, data in contents.items()})


def folder(exercises: Sequence[Exercise], *, title: str = "") -> dict[str, bytes]:
    """The files of the question's folder, by their paths in it. All exercises are variants of one question."""
    figures = {f"clientFilesQuestion/{_figure(n)}": svg.write(quiz.figure(e).drawing) for n, e in enumerate(exercises)}
    bank = {
        "schema": SCHEMA,
        "otherwise": quiz.NOT_FORESEEN,
        "variants": [_variant(number, exercise) for number, exercise in enumerate(exercises)],
    }
    texts = {
        "question.html": QUESTION,
        "server.py": (files("backhand.writers") / "prairielearn_server.py").read_text("utf-8"),
        "exercises.json": _json(bank),
        **figures,
    }
    info = {
        "uuid": str(uuid5(SPACE, "\n".join(texts[name] for name in sorted(texts)))),
        "title": title or _title(exercises),
        "topic": "Backpropagation",
        "tags": ["backhand"],
        "type": "v3",
        "singleVariant": len(exercises) == 1,
        "comment": {"made by": "Backhand", "exercises": [str(exercise.origin) for exercise in exercises]},
    }
    return {name: text.encode() for name, text in {"info.json": _json(info), **texts}.items()}


def _title(exercises: Sequence[Exercise]) -> str:
    return exercises[0].title if exercises else "Backhand"


def _figure(number: int) -> str:
    return f"network-{number + 1}.svg"


def slug(title: str) -> str:
    """A title as a folder's name: letters, digits and hyphens.

    >>> slug("Two ways & one é/loss")
    'two-ways-one-e-loss'
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60] or "backhand"


def _json(what: object) -> str:
    return json.dumps(what, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def _variant(number: int, exercise: Exercise) -> dict[str, Any]:
    return {
        "figure": _figure(number),
        "alt": quiz.figure(exercise).twin,
        "task": html(quiz.task(exercise)),
        "working": html(quiz.whole_working(exercise)),
        "questions": {f"q{at + 1}": _question(exercise, q) for at, q in enumerate(exercise.questions)},
        "exercise": record(exercise, brief=True),
    }


def _question(exercise: Exercise, question: Question) -> dict[str, Any]:
    foreseen = typed(question)
    return {
        "prompt": html(quiz.before(exercise, question)) + prose(quiz.prompt(exercise, question, foreseen.right)),
        **_number(foreseen.right),
        "wrong": [_number(number) | {"remark": wrong.remark} for number, wrong in foreseen.wrong],
    }


def _number(number: Typed) -> dict[str, str]:
    return {"answer": number.text, "tolerance": decimals(number.tolerance, PLACES)}
