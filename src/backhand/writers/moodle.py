"""Exercises as Moodle XML, for the import of a question bank: Moodle itself then names the mistake.

    category  Title                     one cloze question an exercise: the whole sheet, the working as general feedback
    category  Title/Single numbers/..   one numerical question a number, all variants of it together, to draw from

The right number comes first and takes 100 percent; each wrong number that a habit gives is an answer of its own, with
the remark on that habit as its feedback; `*` at the end takes the rest. The figure is a file inside the question.
A comment before each exercise carries it as data (`setting.portable`): comments are the only place that students never
see and other programs skip.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from functools import lru_cache
from xml.etree import ElementTree as ET

from backhand.explaining import quiz
from backhand.setting.exercise import Exercise, Question
from backhand.setting.portable import LABEL, compact, identity
from backhand.setting.typed import Foreseen, Typed, decimals, typed
from backhand.writers import svg
from backhand.writers.mathml import escape
from backhand.writers.quiz_html import html, prose, xml_text

FIGURE = "network.svg"
WRONG = "0"
"""Percent for a wrong number that a habit gives. Moodle takes 0, 5, 10, 11.11111 ... 100, nothing between."""

SPECIAL = str.maketrans({sign: f"&#{ord(sign)};" for sign in "\\~={}#"})
"""What means something inside the braces of a cloze question."""

PLACES = 20
LONGEST = 250
"""Letters of a name, so that Moodle need not cut it."""


def write(exercises: Sequence[Exercise], *, title: str = "") -> bytes:
    """The bank as a file to import."""
    root = ET.Element("quiz")
    title = title or (exercises[0].title if exercises else "Backhand")
    for exercise in exercises:
        root.append(ET.Comment(f" {LABEL} {compact(exercise)} "))
    root.append(_category([title], exercises))
    variants: dict[str, list[ET.Element]] = {}
    for exercise in exercises:
        root.append(_cloze(exercise))
        for place, question in enumerate(exercise.questions):
            variants.setdefault(question.key, []).append(_numerical(exercise, place, question))
    for key, questions in variants.items():
        root.append(_category([title, "Single numbers", key]))
        root.extend(questions)
    for element in root.iter():
        if element.tag == "question":
            _one_line_each(element)
    _one_line_each(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _one_line_each(parent: ET.Element) -> None:
    """Line breaks between the children of an element: enough to read the file, and to compare two of them."""
    parent.text = "\n"
    for child in parent:
        child.tail = "\n"


# -- elements ----------------------------------------------------------------------------------------------------


def _category(path: Sequence[str], exercises: Sequence[Exercise] = ()) -> ET.Element:
    """A category that takes what follows; a slash inside a name is written twice."""
    element = ET.Element("question", type="category")
    _text(ET.SubElement(element, "category"), "/".join(["$course$", "top", *(_name(part) for part in path)]))
    info = ET.SubElement(element, "info", format="html")
    _text(info, "".join(f"<p>{escape(quiz.origin(exercise))}</p>" for exercise in exercises))
    return element


def _name(part: str) -> str:
    return xml_text(part).strip()[:LONGEST].replace("/", "//") or "Backhand"


def _question(exercise: Exercise, kind: str, name: str, *, idnumber: str, text: str, feedback: str) -> ET.Element:
    """What every type of question begins with."""
    element = ET.Element("question", type=kind)
    _text(ET.SubElement(element, "name"), name[:LONGEST])
    body = ET.SubElement(element, "questiontext", format="html")
    _text(body, text)
    ET.SubElement(body, "file", name=FIGURE, path="/", encoding="base64").text = _figure(exercise)
    _text(ET.SubElement(element, "generalfeedback", format="html"), feedback)
    if kind == "numerical":  # a cloze question counts its own parts
        ET.SubElement(element, "defaultgrade").text = "1"
    ET.SubElement(element, "penalty").text = "0.3333333"
    ET.SubElement(element, "hidden").text = "0"
    ET.SubElement(element, "idnumber").text = idnumber
    return element


def _tagged(element: ET.Element, exercise: Exercise) -> ET.Element:
    """Tags say where the exercise comes from, also inside Moodle."""
    origin = exercise.origin
    tags = ET.SubElement(element, "tags")
    words = ["backhand", origin.recipe, f"backhand {origin.version}"]
    for word in words if origin.seed is None else [*words, f"seed {origin.seed}"]:
        _text(ET.SubElement(tags, "tag"), word)
    return element


@lru_cache(4)
def _figure(exercise: Exercise) -> str:
    return b64encode(svg.write(quiz.figure(exercise).drawing).encode()).decode("ascii")


@lru_cache(4)
def _statement(exercise: Exercise) -> str:
    alt = escape(quiz.figure(exercise).twin)
    return f'<p><img src="@@PLUGINFILE@@/{FIGURE}" alt="{alt}"></p>{html(quiz.task(exercise))}'


def _numerical(exercise: Exercise, place: int, question: Question) -> ET.Element:
    foreseen = typed(question)
    asked = prose(quiz.prompt(exercise, question, foreseen.right))
    element = _question(
        exercise,
        "numerical",
        f"{_title(exercise)}: {question.key}",
        idnumber=f"{identity(exercise.origin)}-{place + 1}",
        text=f"{_statement(exercise)}{html(quiz.before(exercise, question))}<p><strong>{asked}</strong></p>",
        feedback=html(quiz.working(exercise, question)),
    )
    for number, percent, remark in _answers(foreseen):
        answer = ET.SubElement(element, "answer", fraction=percent, format="moodle_auto_format")
        _text(answer, number.text if number else "*")
        _text(ET.SubElement(answer, "feedback", format="html"), f"<p>{escape(remark)}</p>")
        ET.SubElement(answer, "tolerance").text = _tolerance(number)
    for name, value in (("unitgradingtype", "0"), ("unitpenalty", "0.1"), ("showunits", "3"), ("unitsleft", "0")):
        ET.SubElement(element, name).text = value
    return _tagged(element, exercise)


def _answers(foreseen: Foreseen) -> Iterator[tuple[Typed | None, str, str]]:
    """Number, percent and feedback; None stands for every other number."""
    yield foreseen.right, "100", quiz.RIGHT
    for number, wrong in foreseen.wrong:
        yield number, WRONG, wrong.remark
    yield None, "0", quiz.NOT_FORESEEN


def _tolerance(number: Typed | None) -> str:
    return decimals(number.tolerance, PLACES) if number else "0"


# -- cloze -------------------------------------------------------------------------------------------------------


def _cloze(exercise: Exercise) -> ET.Element:
    """All questions of an exercise in one, each with a field of its own."""
    items: list[str] = []
    for question in exercise.questions:
        foreseen = typed(question)
        asked = html(quiz.before(exercise, question)) + prose(quiz.prompt(exercise, question, foreseen.right))
        items.append(f"<li>{_braced(asked)} {{1:NUMERICAL:{'~'.join(_alternatives(foreseen))}}}</li>")
    text = f"{_braced(_statement(exercise))}<ol>{''.join(items)}</ol>"
    element = _question(
        exercise, "cloze", _title(exercise), idnumber=identity(exercise.origin), text=text,
        feedback=html(quiz.whole_working(exercise)),
    )  # fmt: skip
    return _tagged(element, exercise)


def _alternatives(foreseen: Foreseen) -> Iterator[str]:
    """`=60:0#Right.`, then `-60:0#<remark>` ..., then `*#<remark>`."""
    for number, percent, remark in _answers(foreseen):
        share = "=" if percent == "100" else f"%{percent}%" if percent != "0" else ""
        what = f"{number.text}:{_tolerance(number)}" if number else "*"
        # the feedback is HTML, written as text: Moodle undoes one layer of escaping when it takes the field apart
        yield f"{share}{what}#{escape(escape(remark)).translate(SPECIAL)}"


def _braced(text: str) -> str:
    """HTML whose braces no cloze field begins with."""
    return text.replace("{", "&#123;").replace("}", "&#125;")


# -- names and texts ---------------------------------------------------------------------------------------------


def _title(exercise: Exercise) -> str:
    return f"{exercise.title} {exercise.origin.number}"


def _text(parent: ET.Element, words: str) -> None:
    ET.SubElement(parent, "text").text = xml_text(words)
