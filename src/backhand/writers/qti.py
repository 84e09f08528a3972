"""Exercises as QTI 1.2 in Canvas' flavour: a zip to import as a quiz, the same bytes every time.

    imsmanifest.xml
    <id>/<id>.xml, <id>/assessment_meta.xml      an exercise: numbers to type in
    <id>c/..                                     the same as choices among numbers
    images/<id>.svg                              its figure

Canvas counts every condition of a numerical question that has an `<or>` or an `<and>` in it as right, and knows no
feedback for a wrong number. So the right number stands in an `<or>`, with its margin, and the wrong ones in bare
`<varequal>` without a score: Canvas passes over them, a player that goes through the conditions says the remark. Where
Canvas does know feedback to each answer, in a choice, the second quiz has it: the right number among those that the
likeliest habits give.

The exercise as data (`setting.portable`) is a field of the assessment's metadata: no file that Canvas would hand out.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from fractions import Fraction
from hashlib import sha256
from typing import NamedTuple
from xml.etree import ElementTree as ET
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from backhand.explaining import quiz
from backhand.explaining.document import Inline
from backhand.numbers import show
from backhand.setting.exercise import Exercise, Question, Wrong
from backhand.setting.portable import LABEL, compact, identity
from backhand.setting.typed import Foreseen, decimals, typed
from backhand.writers import svg
from backhand.writers.mathml import escape
from backhand.writers.quiz_html import html, prose, xml_text

QTI = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
PACKAGE = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
CANVAS = "http://canvas.instructure.com/xsd/cccv1p0"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
FILES = "%24IMS-CC-FILEBASE%24"
"""Where Canvas puts the files of a package: $IMS-CC-FILEBASE$, as it stands in an address."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the zip, so that its bytes depend on nothing but its contents."""

CHOICES = 5
PLACES = 20


def write(exercises: Sequence[Exercise], *, title: str = "") -> bytes:
    """The package as one file."""
    return zipped(files(exercises, title=title))


def files(exercises: Sequence[Exercise], *, title: str = "") -> dict[str, bytes]:
    """The files of the package, by their names in it."""
    found: dict[str, bytes] = {}
    resources: list[_Resource] = []
    for exercise in exercises:
        ident, picture = _ident(exercise), f"images/{_ident(exercise)}.svg"
        found[picture] = svg.write(quiz.figure(exercise).drawing).encode()
        resources.append(_Resource(ident, "webcontent", picture))
        quizzes = [_Quiz(exercise, ident, _title(exercise), picture, choices=False)]
        if any(len(question.wrong) >= 2 for question in exercise.questions):
            quizzes.append(_Quiz(exercise, f"{ident}c", f"{_title(exercise)}, with choices", picture, choices=True))
        for each in quizzes:
            found[f"{each.ident}/{each.ident}.xml"] = _bytes(each.assessment())
            found[f"{each.ident}/assessment_meta.xml"] = _bytes(each.meta())
            resources.append(_Resource(each.ident, "imsqti_xmlv1p2", f"{each.ident}/{each.ident}.xml"))
    return {"imsmanifest.xml": _bytes(_manifest(title or "Backhand", resources)), **found}


def zipped(contents: dict[str, bytes]) -> bytes:
    """Files as a zip, all with the same time and permissions."""
    stream = io.BytesIO()
    with ZipFile(stream, "w", ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            entry = ZipInfo(name, EPOCH)
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            archive.writestr(entry, data)
    return stream.getvalue()


# -- the package -------------------------------------------------------------------------------------------------


class _Resource(NamedTuple):
    ident: str
    kind: str
    href: str


def _manifest(title: str, resources: Sequence[_Resource]) -> ET.Element:
    """What is in the package; an assessment depends on its metadata."""
    root = ET.Element("manifest", {"identifier": f"m{_hash(title, *(r.ident for r in resources))}", "xmlns": PACKAGE})
    metadata = ET.SubElement(root, "metadata")
    ET.SubElement(metadata, "schema").text = "IMS Content"
    ET.SubElement(metadata, "schemaversion").text = "1.1.3"
    ET.SubElement(root, "organizations")
    listed = ET.SubElement(root, "resources")
    for resource in resources:
        if resource.kind == "webcontent":
            element = ET.SubElement(
                listed, "resource", identifier=f"{resource.ident}f", type="webcontent", href=resource.href
            )
            ET.SubElement(element, "file", href=resource.href)
            continue
        element = ET.SubElement(listed, "resource", identifier=resource.ident, type=resource.kind)
        ET.SubElement(element, "file", href=resource.href)
        ET.SubElement(element, "dependency", identifierref=f"{resource.ident}m")
        meta = f"{resource.ident}/assessment_meta.xml"
        kind = "associatedcontent/imscc_xmlv1p1/learning-application-resource"
        about = ET.SubElement(listed, "resource", identifier=f"{resource.ident}m", type=kind, href=meta)
        ET.SubElement(about, "file", href=meta)
    return root


def _ident(exercise: Exercise) -> str:
    return f"b{_hash(identity(exercise.origin))}"


def _hash(*parts: str) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()[:24]


def _title(exercise: Exercise) -> str:
    return xml_text(f"{exercise.title} {exercise.origin.number}")


def _bytes(root: ET.Element) -> bytes:
    ET.indent(root, " ")
    return ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


# -- a quiz ------------------------------------------------------------------------------------------------------


class _Quiz:
    """One assessment: an exercise, as numbers to type in or as choices among numbers."""

    def __init__(self, exercise: Exercise, ident: str, title: str, picture: str, *, choices: bool) -> None:
        self.exercise, self.ident, self.title, self.picture, self.choices = exercise, ident, title, picture, choices

    def meta(self) -> ET.Element:
        """What Canvas keeps of a quiz besides its questions."""
        points = f"{len([*self.asked()])}.0"
        root = ET.Element("quiz", {"identifier": self.ident, "xmlns": CANVAS})
        said = {
            "title": self.title,
            "description": f"<p>{escape(quiz.origin(self.exercise))}</p>",
            "shuffle_answers": "false",
            "scoring_policy": "keep_highest",
            "quiz_type": "assignment",
            "points_possible": points,
            "show_correct_answers": "true",
            "allowed_attempts": "1",
            "one_question_at_a_time": "false",
            "available": "false",
        }
        for name, value in said.items():
            ET.SubElement(root, name).text = xml_text(value)
        return root

    def assessment(self) -> ET.Element:
        """The questions; the first item is the task and asks nothing."""
        root = ET.Element(
            "questestinterop", {"xmlns": QTI, "xmlns:xsi": XSI, "xsi:schemaLocation": f"{QTI} {QTI}p1.xsd"}
        )
        assessment = ET.SubElement(root, "assessment", ident=self.ident, title=self.title)
        fields = {"cc_maxattempts": "1"} if self.choices else {"cc_maxattempts": "1", LABEL: compact(self.exercise)}
        _metadata(assessment, fields)
        section = ET.SubElement(assessment, "section", ident="root_section")
        section.append(self.task())
        for place, question in self.asked():
            section.append(self.choice(place, question) if self.choices else self.numerical(place, question))
        return root

    def asked(self) -> Iterator[tuple[int, Question]]:
        """The questions and their positions in the exercise; choices need wrong numbers to choose."""
        for place, question in enumerate(self.exercise.questions):
            if not self.choices or len(typed(question).wrong) >= 2:
                yield place, question

    def task(self) -> ET.Element:
        alt = escape(quiz.figure(self.exercise).twin)
        text = f'<p><img src="{FILES}/{self.picture}" alt="{alt}"></p>{html(quiz.task(self.exercise))}'
        item = ET.Element("item", ident=f"{self.ident}t", title="The network")
        _metadata(ET.SubElement(item, "itemmetadata"), {"question_type": "text_only_question", "points_possible": "0"})
        _material(ET.SubElement(item, "presentation"), text)
        return item

    def numerical(self, place: int, question: Question) -> ET.Element:
        """A number to type in."""
        foreseen = typed(question)
        item = self.item(place, "numerical_question", [str(place + 1)])
        presentation = self.presentation(item, question, foreseen)
        response = ET.SubElement(presentation, "response_str", ident="response1", rcardinality="Single")
        ET.SubElement(ET.SubElement(response, "render_fib", fibtype="Decimal"), "response_label", ident="answer1")
        processing = _processing(item)
        right = foreseen.right
        number = Fraction(right.text)
        condition = _condition(processing, "No", "correct_fb", score="100")
        either = ET.SubElement(condition, "or")
        _compare(either, "varequal", right.text)
        between = ET.SubElement(either, "and")
        _compare(between, "vargte", decimals(number - right.tolerance, PLACES))
        _compare(between, "varlte", decimals(number + right.tolerance, PLACES))
        for at, (wrong, _) in enumerate(foreseen.wrong):
            _compare(_condition(processing, "No", f"habit{at + 1}_fb"), "varequal", wrong.text)
        ET.SubElement(_condition(processing, "Yes", "general_incorrect_fb"), "other")
        self.feedback(item, question)
        _feedback(item, "general_incorrect_fb", f"<p>{escape(quiz.NOT_FORESEEN)}</p>")
        for at, (_, wrong) in enumerate(foreseen.wrong):
            _feedback(item, f"habit{at + 1}_fb", f"<p>{escape(wrong.remark)}</p>")
        return item

    def choice(self, place: int, question: Question) -> ET.Element:
        """The right number among those of the likeliest habits, in the order of their size."""
        foreseen = typed(question)
        options: list[tuple[Fraction, str, Wrong | None]] = [
            (Fraction(foreseen.right.text), _shown(foreseen, question), None),
            *((Fraction(t.text), _number(wrong), wrong) for t, wrong in foreseen.wrong[: CHOICES - 1]),
        ]
        if len({text for _, text, _ in options}) < len(options):  # numbers alike in their first digits
            options = [(number, decimals(number, PLACES), wrong) for number, _, wrong in options]
        options.sort(key=lambda option: option[0])
        idents = [str(1000 * (place + 1) + at) for at in range(len(options))]
        item = self.item(place, "multiple_choice_question", idents)
        presentation = self.presentation(item, question, foreseen)
        response = ET.SubElement(presentation, "response_lid", ident="response1", rcardinality="Single")
        rendered = ET.SubElement(response, "render_choice")
        for ident, (_, text, _) in zip(idents, options, strict=True):
            label = ET.SubElement(rendered, "response_label", ident=ident)
            material = ET.SubElement(label, "material")
            ET.SubElement(material, "mattext", texttype="text/plain").text = text
        processing = _processing(item)
        for ident, (_, _, wrong) in zip(idents, options, strict=True):
            if wrong is not None:
                _compare(_condition(processing, "Yes", f"{ident}_fb"), "varequal", ident)
        right = next(ident for ident, option in zip(idents, options, strict=True) if option[2] is None)
        _compare(_condition(processing, "No", "correct_fb", score="100"), "varequal", right)
        self.feedback(item, question)
        for ident, (_, _, wrong) in zip(idents, options, strict=True):
            if wrong is not None:
                _feedback(item, f"{ident}_fb", f"<p>{escape(wrong.remark)}</p>")
        return item

    # -- parts of an item ------------------------------------------------------------------------------------

    def item(self, place: int, kind: str, answers: Sequence[str]) -> ET.Element:
        item = ET.Element("item", ident=f"{self.ident}q{place + 1}", title=f"Question {place + 1}")
        fields = {
            "question_type": kind,
            "points_possible": "1.0",
            "original_answer_ids": ",".join(answers),
            "assessment_question_identifierref": f"{self.ident}a{place + 1}",
        }
        _metadata(ET.SubElement(item, "itemmetadata"), fields)
        return item

    def presentation(self, item: ET.Element, question: Question, foreseen: Foreseen) -> ET.Element:
        presentation = ET.SubElement(item, "presentation")
        asked: tuple[Inline, ...] = quiz.prompt(self.exercise, question, foreseen.right)
        _material(presentation, f"{html(quiz.before(self.exercise, question))}<p>{prose(asked)}</p>")
        return presentation

    def feedback(self, item: ET.Element, question: Question) -> None:
        """The working, for everybody, and a word for the right answer."""
        _feedback(item, "general_fb", html(quiz.working(self.exercise, question)))
        _feedback(item, "correct_fb", f"<p>{escape(quiz.RIGHT)}</p>")


def _shown(foreseen: Foreseen, question: Question) -> str:
    """As a person writes it, so that it does not stand out among the others."""
    shown = show(question.answer)
    return shown.text if shown.exact else foreseen.right.text


def _number(wrong: Wrong) -> str:
    return show(wrong.number).text


def _metadata(parent: ET.Element, fields: dict[str, str]) -> None:
    metadata = ET.SubElement(parent, "qtimetadata")
    for label, entry in fields.items():
        field = ET.SubElement(metadata, "qtimetadatafield")
        ET.SubElement(field, "fieldlabel").text = label
        ET.SubElement(field, "fieldentry").text = xml_text(entry)


def _material(parent: ET.Element, text: str) -> None:
    material = ET.SubElement(parent, "material")
    ET.SubElement(material, "mattext", texttype="text/html").text = xml_text(text)


def _processing(item: ET.Element) -> ET.Element:
    """The start of the conditions: the score, and the working that everybody is shown."""
    processing = ET.SubElement(item, "resprocessing")
    outcomes = ET.SubElement(processing, "outcomes")
    ET.SubElement(outcomes, "decvar", maxvalue="100", minvalue="0", varname="SCORE", vartype="Decimal")
    ET.SubElement(_condition(processing, "Yes", "general_fb"), "other")
    return processing


def _condition(processing: ET.Element, goes_on: str, feedback: str, *, score: str = "") -> ET.Element:
    """A condition still to be filled in, and what follows from it."""
    whole = ET.SubElement(processing, "respcondition", {"continue": goes_on})
    condition = ET.SubElement(whole, "conditionvar")
    if score:
        ET.SubElement(whole, "setvar", action="Set", varname="SCORE").text = score
    ET.SubElement(whole, "displayfeedback", feedbacktype="Response", linkrefid=feedback)
    return condition


def _compare(parent: ET.Element, how: str, text: str) -> None:
    ET.SubElement(parent, how, respident="response1").text = text


def _feedback(item: ET.Element, ident: str, text: str) -> None:
    feedback = ET.SubElement(item, "itemfeedback", ident=ident)
    _material(ET.SubElement(feedback, "flow_mat"), text)
