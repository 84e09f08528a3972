"""Exercises out of the QTI package that Backhand writes: the data from the metadata of each assessment, numbers and
remarks from its numerical questions."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from backhand.errors import ReadError
from backhand.readers.moodle import plain
from backhand.readers.packed import every, exercise_said, text_at, unzipped, xml_of
from backhand.setting.exercise import Exercise
from backhand.setting.portable import LABEL, Said, parsed


def read(data: bytes, name: str) -> tuple[Exercise, ...]:
    """The exercises of a package, in the order of its manifest. Raises ReadError."""
    contents = unzipped(data, name)
    manifest = contents.get("imsmanifest.xml")
    if manifest is None:
        raise ReadError(f"{name} has no imsmanifest.xml, so it is no QTI package.")
    found = list(_exercises(contents, xml_of(manifest, f"{name}/imsmanifest.xml"), name))
    if not found:
        raise ReadError(f"{name} holds no exercise of Backhand.", cure="Make it with backhand set.")
    return tuple(found)


def _exercises(contents: dict[str, bytes], manifest: ET.Element, name: str) -> Iterator[Exercise]:
    for resource in every(manifest, "resource"):
        if resource.get("type") != "imsqti_xmlv1p2":
            continue
        for file in every(resource, "file"):
            href = file.get("href", "")
            if href not in contents:
                raise ReadError(f"{name} lacks the file {href} of its manifest.")
            root = xml_of(contents[href], f"{name}/{href}")
            carried = _field(root, LABEL)
            if carried:
                yield exercise_said(parsed(carried, f"{name}/{href}"), _said(root, name), f"{name}/{href}")


def _field(root: ET.Element, label: str) -> str:
    for field in every(root, "qtimetadatafield"):
        if text_at(field, "fieldlabel") == label:
            return text_at(field, "fieldentry")
    return ""


def _said(root: ET.Element, name: str) -> Said:
    """What each numerical item takes as right, and says to wrong numbers."""
    found: dict[int, tuple[str, list[tuple[str, str]]]] = {}
    for item in every(root, "item"):
        if _field(item, "question_type") != "numerical_question":
            continue
        place = item.get("ident", "").rpartition("q")[2]
        if not place.isdigit():
            raise ReadError(f"{name} has an item that is not ours: {item.get('ident')}.")
        remarks = {
            feedback.get("ident", ""): plain(text_at(feedback, "flow_mat", "material", "mattext"))
            for feedback in every(item, "itemfeedback")
        }
        right, wrong = "", list[tuple[str, str]]()
        for condition in every(item, "respcondition"):
            numbers = every(condition, "varequal")
            if not numbers:
                continue
            if every(condition, "setvar"):
                right = numbers[0].text or ""
            else:
                feedback = next(iter(every(condition, "displayfeedback")), None)
                ident = "" if feedback is None else feedback.get("linkrefid", "")
                wrong.append((numbers[0].text or "", remarks.get(ident, "")))
        found[int(place) - 1] = (right, wrong)
    return found
