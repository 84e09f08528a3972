"""Players of quiz formats, written from their documentation and importers, not from our writers.

Each takes what a student types and says what the system would give: a mark, and what is shown.

    moodle_numerical, moodle_cloze    docs.moodle.org, "Numerical question type", "Embedded Answers (Cloze)"; the importer
                                      reads the fields listed in MOODLE
    qti_item                          IMS QTI 1.2 ASI, response processing: conditions in order, `continue` decides
    canvas_numerical                  what Canvas keeps of a numerical item: conditions with an or/and, each fully right
    prairielearn                      runs server.py in a process of its own, as PrairieLearn does
"""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from xml.etree import ElementTree as ET

FRACTIONS = {"100", "90", "83.33333", "80", "75", "70", "66.66667", "60", "50", "40", "33.33333", "30", "25", "20",
             "16.66667", "14.28571", "12.5", "11.11111", "10", "5", "0"}  # fmt: skip
"""Percentages an answer may have; an import with another one stops with an error."""

TEXT = {"text"}
FILES = {"text", "file"}
COMMON = {"name", "questiontext", "generalfeedback", "penalty", "hidden", "idnumber", "tags"}
MOODLE = {
    "quiz": {"question"},
    "question numerical": COMMON
    | {"defaultgrade", "answer", "unitgradingtype", "unitpenalty", "showunits", "unitsleft", "units", "instructions", "hint"},
    "question cloze": COMMON | {"hint"},
    "question category": {"category", "info", "idnumber"},
    "category": TEXT, "info": TEXT, "name": TEXT, "questiontext": FILES, "generalfeedback": FILES,
    "answer": {"text", "feedback", "tolerance"}, "feedback": FILES, "tags": {"tag"}, "tag": TEXT,
}  # fmt: skip
"""What Moodle's importer looks for inside each element; it passes over anything else."""


def moodle_faults(root: ET.Element) -> list[str]:
    """Elements that Moodle would pass over, and things it would stumble on."""
    found: list[str] = []
    for parent in root.iter():
        kind = f"{parent.tag} {parent.get('type')}" if parent.tag == "question" else parent.tag
        for child in parent:
            if child.tag not in MOODLE.get(kind, set()):
                found.append(f"{child.tag} in {kind}")
    for answer in root.iter("answer"):
        if answer.get("fraction") not in FRACTIONS:
            found.append(f"fraction {answer.get('fraction')}")
        text = answer.findtext("text", "")
        if text != "*" and moodle_number(text) is None:
            found.append(f"answer {text!r}")
    for question in root.iter("question"):
        if question.get("type") == "numerical" and all(a.get("fraction") != "100" for a in question.iter("answer")):
            found.append("no right answer")
        if question.get("type") != "category" and not question.findtext("name/text"):
            found.append("no name")
    return found


def moodle_number(typed: str) -> float | None:
    """A number as Moodle takes it from a student: blanks are dropped, one comma is a decimal point."""
    typed = typed.replace(" ", "")
    typed = typed.replace(",", "") if "." in typed or typed.count(",") > 1 else typed.replace(",", ".")
    found = re.match(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?", typed, re.IGNORECASE)
    return float(found[0]) if found else None


def moodle_match(answers: list[tuple[str, str, str, str]], typed: str) -> tuple[float, str]:
    """The first answer that the number is near enough to: fraction and feedback. (number, tolerance, percent, words)."""
    value = moodle_number(typed)
    for number, tolerance, percent, words in answers:
        if number == "*":
            return float(percent) / 100, words
        slack = float(tolerance) + 1e-14 * max(1.0, abs(float(number)))
        if value is not None and float(number) - slack <= value <= float(number) + slack:
            return float(percent) / 100, words
    return 0.0, ""


def moodle_numerical(question: ET.Element, typed: str) -> tuple[float, str]:
    """Fraction and feedback (as a person sees it) for what is typed into a numerical question."""
    answers = [
        (
            a.findtext("text", ""),
            a.findtext("tolerance", "0"),
            a.get("fraction", "0"),
            seen(a.findtext("feedback/text", "")),
        )
        for a in question.iter("answer")
    ]
    return moodle_match(answers, typed)


NUMBER = r"-?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)(?:[eE][-+]?[0-9]+)?"
ALTERNATIVE = re.compile(
    r"(?P<share>=|%-?[0-9.,]+%)?(?P<answer>.+?(?<!\\)(?=[~#}]|$))(?:#(?P<words>.*?(?<!\\)(?=[~}]|$)))?", re.DOTALL
)
FIELD = re.compile(r"\{(?P<mark>[0-9]*):(?:NUMERICAL|NM):(?P<inside>(?:[^}\\]|\\.)*)\}", re.DOTALL)


def moodle_cloze(text: str) -> list[list[tuple[str, str, str, str]]]:
    """The fields of a cloze text, each with its alternatives."""
    fields = []
    for field in FIELD.finditer(text):
        alternatives = []
        rest = field["inside"]
        while rest:
            found = ALTERNATIVE.match(rest)
            assert found, rest
            share = found["share"] or "%0%"
            percent = "100" if share == "=" else share.strip("%")
            number, _, tolerance = found["answer"].partition(":")
            assert number == "*" or re.fullmatch(NUMBER, number), number
            words = html.unescape(found["words"] or "").replace("\\}", "}").replace("\\#", "#")
            alternatives.append((number, tolerance or "0", percent, seen(words)))
            rest = rest[found.end() :].removeprefix("~")
        fields.append(alternatives)
    return fields


def seen(markup: str) -> str:
    """What is read on the page."""
    return html.unescape(re.sub(r"<[^>]*>", "", markup)).strip()


# -- QTI 1.2 -----------------------------------------------------------------------------------------------------

Q = "{http://www.imsglobal.org/xsd/ims_qtiasiv1p2}"


def qti_item(item: ET.Element, typed: str) -> tuple[float, list[str]]:
    """The score from 0 to 1 and the feedback shown, by going through the conditions."""
    score, shown = 0.0, []
    words = {f.get("ident"): seen(f.findtext(f".//{Q}mattext", "")) for f in item.iter(f"{Q}itemfeedback")}
    for condition in item.iter(f"{Q}respcondition"):
        tests = condition.find(f"{Q}conditionvar")
        assert tests is not None
        if not all(qti_holds(test, typed) for test in tests):
            continue
        for setting in condition.iter(f"{Q}setvar"):
            assert setting.get("action") == "Set"
            score = float(setting.text or "0")
        for feedback in condition.iter(f"{Q}displayfeedback"):
            shown.append(words[feedback.get("linkrefid")])
        if condition.get("continue", "No") == "No":
            break
    return score / 100, shown


def qti_holds(test: ET.Element, typed: str) -> bool:
    tag, text = test.tag.removeprefix(Q), test.text or ""
    match tag:
        case "other":
            return True
        case "or":
            return any(qti_holds(each, typed) for each in test)
        case "and":
            return all(qti_holds(each, typed) for each in test)
        case "not":
            return not any(qti_holds(each, typed) for each in test)
        case "varequal":
            return typed == text or (number(typed) is not None and number(typed) == number(text))
        case "vargte":
            return number(typed) is not None and number(typed) >= number(text)
        case "varlte":
            return number(typed) is not None and number(typed) <= number(text)
        case _:
            raise AssertionError(tag)


def number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def canvas_numerical(item: ET.Element, typed: str) -> float:
    """Canvas keeps each condition with an `or` (exact, with margin) or an `and` (a range) as a fully right answer, and
    passes over the others. Scored conditions are what its newer importer keeps; both must give the same."""
    classic, newer = [], []
    for condition in item.iter(f"{Q}respcondition"):
        tests = condition.find(f"{Q}conditionvar")
        assert tests is not None
        several = len([t for t in tests if t.tag != f"{Q}other"]) > 1  # then the conversion puts an <and> around them
        if several or any(t.tag in (f"{Q}or", f"{Q}and") for t in tests.iter()):
            classic.append(tests)
        if any(True for _ in condition.iter(f"{Q}setvar")):
            newer.append(tests)
    assert classic == newer
    for tests in newer:  # the newer importer wants all three, equal in text if exact
        equal, low, high = (next(tests.iter(f"{Q}{tag}")).text for tag in ("varequal", "vargte", "varlte"))
        assert (equal == low) == (equal == high)
    return float(any(all(qti_holds(t, typed) for t in tests) for tests in classic))


# -- PrairieLearn ------------------------------------------------------------------------------------------------

DRIVER = """
import json, sys
call = json.load(sys.stdin)
module = {}
with open(call["folder"] + "/server.py") as file:
    exec(compile(file.read(), "server.py", "exec"), module)
answers = []
for function, data in call["calls"]:
    module[function](data)
    answers.append(data)
json.dump(answers, sys.stdout)
"""


def prairielearn(folder: Path, calls: list[tuple[str, dict]]) -> list[dict]:
    """Run functions of server.py on data, as PrairieLearn does: the file is executed, nothing of ours can be imported."""
    call = json.dumps({"folder": str(folder), "calls": calls})
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", DRIVER],
        input=call,
        capture_output=True,
        text=True,
        cwd="/",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def prairielearn_data(folder: Path, seed: int) -> dict:
    """The dictionary that PrairieLearn hands to generate."""
    return {
        "params": {}, "correct_answers": {}, "submitted_answers": {}, "raw_submitted_answers": {}, "format_errors": {},
        "partial_scores": {}, "score": 0, "feedback": {}, "variant_seed": seed, "options": {"question_path": str(folder)},
    }  # fmt: skip
