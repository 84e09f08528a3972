"""Exercises handed to other programs: players that share no code with the writers give every answer its mark.

For each export: the right number of each question is right, each number that a habit gives is wrong and is told its own
remark, any other number is wrong; the file has the structure the other program reads; it reads back to the same exercise.
"""

from __future__ import annotations

import base64
import contextlib
import csv
import io
import json
import re
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quiz.players import (
    Q,
    canvas_numerical,
    moodle_cloze,
    moodle_faults,
    moodle_match,
    moodle_numerical,
    prairielearn,
    prairielearn_data,
    qti_item,
)

import backhand
from backhand.errors import BackhandError, ReadError, UsageError
from backhand.explaining import quiz as say
from backhand.marking.about import Value
from backhand.readers.quizzes import QUIZ_READERS, format_of, read_bytes, read_exercises
from backhand.setting.check import verify
from backhand.setting.exercise import KINDS, Exercise, Question, Wrong
from backhand.setting.making import exercise_of
from backhand.setting.portable import COLUMNS, record
from backhand.setting.set import set as make
from backhand.setting.typed import decimals, typed
from backhand.writers import QUIZZES, quiz
from backhand.writers.qti import zipped

ROOT = Path(__file__).parent.parent
OTHER = "123456.78125"
"""A number nobody has."""

AWKWARD = "=SUM(A1) <b>&\"]]>' -- {1:NUMERICAL:=3} ~#\\ n\x01ame/é αβ"


def numbered(exercise: Exercise, number: int) -> Exercise:
    return replace(exercise, origin=replace(exercise.origin, number=number))


@pytest.fixture(scope="module")
def bank() -> list[Exercise]:
    """The founding exercise with a telling target and all kinds of questions, rounded numbers, fractions that never end,
    awkward names."""
    q3 = (ROOT / "examples/q3.bh").read_text("utf-8").replace("t = 3", "t = 9")
    thirds = "input α1 = 1/3, x' = -2\ntarget t = 1/7\nw = 3\ny = w α1 / 7 + x'\nz = y α1\nL = (z - t)^2"
    made = [
        exercise_of(backhand.read(q3), title="Two ways", asks=KINDS),
        exercise_of(backhand.read(ROOT / "examples/mazur.bh"), title="Sigmoids"),
        exercise_of(backhand.read(thirds), title=AWKWARD, asks=KINDS, weights=True),
        exercise_of(backhand.read("a = 123456789.123456\nL = a^2"), title="Many digits"),
    ]
    return [numbered(exercise, n) for n, exercise in enumerate(made, 1)]


Cases = list[tuple[Exercise, int, Question]]


@pytest.fixture(scope="module")
def questions(bank: list[Exercise]) -> Cases:
    return [(exercise, place, q) for exercise in bank for place, q in enumerate(exercise.questions)]


def played(question: Question, play: Callable[[str], tuple[float, str]]) -> None:
    """All that can happen to one question."""
    foreseen = typed(question)
    mark, words = play(foreseen.right.text)
    assert mark == 1, (question.key, foreseen.right)
    assert words == say.RIGHT
    for number, wrong in foreseen.wrong:
        assert play(number.text) == (0, wrong.remark.strip()), (question.key, number)
    assert play(OTHER) == (0, say.NOT_FORESEEN)
    if foreseen.right.places is not None:
        off = float(foreseen.right.tolerance)
        assert play(f"{float(question.answer) + 0.9 * off:.12f}")[0] == 1
        assert play(f"{float(question.answer) - 0.9 * off:.12f}")[0] == 1
        assert play(f"{float(question.answer) + 1.5 * off:.12f}")[0] == 0


# -- all of them -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", QUIZZES)
def test_reads_back_to_the_same_exercises(name: str, bank: list[Exercise]) -> None:
    data = quiz(bank, name, title=AWKWARD)
    back = read_bytes(data, "file", name)
    assert [record(exercise) for exercise in back] == [record(exercise) for exercise in bank]
    assert [e.solution.derivatives for e in back] == [e.solution.derivatives for e in bank]


@pytest.mark.parametrize("name", QUIZZES)
def test_the_same_bytes_every_time(name: str, bank: list[Exercise]) -> None:
    assert quiz(bank, name) == quiz(bank, name)


@pytest.mark.parametrize("name", QUIZZES)
def test_a_bank_that_is_read_back_holds(name: str) -> None:
    """Made, handed out, read, and worked out once more: nothing is another; a number that was changed is found."""
    bank = make(backhand.read(ROOT / "examples/q3.bh"), n=3, seed=7)
    back = read_bytes(quiz(bank.exercises, name, title=bank.title), "file", name)
    assert verify(back).findings == ()
    first = back[0]
    changed = replace(first.questions[0], answer=first.questions[0].answer + 1)
    spoiled = replace(first, questions=(changed, *first.questions[1:]))
    assert "the answer to" in str(verify([spoiled, *back[1:]]).findings[0])


def test_every_format_that_is_written_is_read() -> None:
    assert QUIZZES.keys() == QUIZ_READERS.keys()


@pytest.mark.parametrize("name", QUIZZES)
def test_a_file_is_known_by_its_name_and_contents(name: str, bank: list[Exercise], tmp_path: Path) -> None:
    path = tmp_path / f"bank{QUIZZES[name].suffix}"
    path.write_bytes(quiz(bank, name))
    assert format_of(path.read_bytes(), str(path)) == name
    assert len(read_exercises(path)) == len(bank)


@pytest.mark.parametrize("name", QUIZZES)
def test_the_network_stands_in_the_file(name: str, bank: list[Exercise]) -> None:
    data = quiz(bank, name)
    texts = [data]
    if data.startswith(b"PK"):
        archive = zipfile.ZipFile(io.BytesIO(data))
        texts = [archive.read(entry) for entry in archive.namelist()]
    for exercise in bank:
        line = str(exercise.graph).splitlines()[-1]
        forms = {line, json.dumps(line)[1:-1], line.replace(">", "&gt;"), line.replace("'", "&#39;")}
        assert any(form.encode() in text for form in forms for text in texts), line


@pytest.mark.parametrize("name", QUIZZES)
def test_what_somebody_changed_in_the_file_is_read(name: str) -> None:
    """A right answer that was edited comes back as edited, so that a check can find it."""
    exercise = exercise_of(backhand.read("a = 3\nb = 2 a\nL = (b - 1)^2"), asks=["derivatives"], title="One")
    assert [str(q.answer) for q in exercise.questions] == ["10", "20"]
    data = quiz([exercise], name)
    if data.startswith(b"PK"):
        archive = zipfile.ZipFile(io.BytesIO(data))
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as changed:
            for entry in archive.namelist():
                changed.writestr(entry, edited(archive.read(entry)))
        data = stream.getvalue()
    else:
        data = edited(data)
    (back,) = read_bytes(data, "file", name)
    assert [str(q.answer) for q in back.questions] == ["10", "2000"]


def edited(data: bytes) -> bytes:
    text = data.decode("utf-8")
    text = re.sub(r'(<answer fraction="100"[^>]*><text>)20<', r"\g<1>2000<", text)
    text = re.sub(r'(<varequal respident="response1">)20(</varequal>\s*<and>)', r"\g<1>2000\2", text)
    text = re.sub(r'("q2": \{\s*"prompt": .*\s*"answer": )"20"', r'\1"2000"', text)
    text = re.sub(r",20,0,,", ",2000,0,,", text)
    text = re.sub(r'("answer": )"20"', r'\1"2000"', text)
    return text.encode()


# -- numbers -----------------------------------------------------------------------------------------------------

FRACTIONS = st.fractions(max_denominator=1000).filter(lambda x: abs(x) < 10**9)


@given(st.lists(FRACTIONS, min_size=1, max_size=8, unique=True), st.sampled_from([None, 2, 4]))
def test_no_answer_meets_two_numbers(numbers: list[Fraction], digits: int | None) -> None:
    tolerance = Fraction(1, 10**digits) if digits else Fraction(0)
    kept: list[Fraction] = []
    for number in numbers:
        if all(abs(number - other) > Fraction(5, 2) * tolerance for other in kept):
            kept.append(number)
    wrong = tuple(Wrong(number, ("k",), ("K",), ("t",), "r") for number in kept[1:])
    foreseen = typed(Question("values", Value("y"), kept[0], digits, wrong))
    every = [foreseen.right, *(number for number, _ in foreseen.wrong)]
    for number, shown in zip(kept, every, strict=True):
        assert [each.is_met_by(number) for each in every] == [each is shown for each in every]
        assert [each.is_met_by(Fraction(shown.text)) for each in every] == [each is shown for each in every]


@pytest.mark.parametrize(
    ("number", "places", "text"),
    [
        (Fraction(60), 0, "60"), (Fraction(-5, 2), 1, "-2.5"), (Fraction(1, 3), 4, "0.3333"),
        (Fraction(-2, 3), 2, "-0.67"), (Fraction(10**20, 1), 0, "1" + "0" * 20), (Fraction(-1, 10**9), 3, "0"),
        (0.1, 3, "0.1"), (1e22, 2, "1" + "0" * 22),
    ],
)  # fmt: skip
def test_numbers_as_decimals(number: Fraction | float, places: int, text: str) -> None:
    assert decimals(number, places) == text


# -- Moodle ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def moodle(bank: list[Exercise]) -> ET.Element:
    return ET.fromstring(quiz(bank, "moodle", title=AWKWARD))


def by_idnumber(root: ET.Element) -> dict[str, ET.Element]:
    return {q.findtext("idnumber", ""): q for q in root.iter("question") if q.get("type") != "category"}


def ident(exercise: Exercise) -> str:
    return f"{exercise.origin.digest}-net-{exercise.origin.number}"


def test_moodle_marks_every_number(moodle: ET.Element, questions: Cases) -> None:
    found = by_idnumber(moodle)
    for exercise, place, question in questions:
        element = found[f"{ident(exercise)}-{place + 1}"]
        played(question, lambda text, element=element: moodle_numerical(element, text))


def test_moodle_marks_every_field_of_a_cloze_question(moodle: ET.Element, bank: list[Exercise]) -> None:
    found = by_idnumber(moodle)
    for exercise in bank:
        fields = moodle_cloze(found[ident(exercise)].findtext("questiontext/text", ""))
        assert len(fields) == len(exercise.questions)
        for question, field in zip(exercise.questions, fields, strict=True):
            played(question, lambda text, field=field: moodle_match(field, text))


def test_moodle_finds_all_it_looks_for(moodle: ET.Element) -> None:
    assert moodle_faults(moodle) == []
    idnumbers = [q.findtext("idnumber", "") for q in moodle.iter("question") if q.get("type") != "category"]
    assert len(set(idnumbers)) == len(idnumbers)
    assert all(0 < len(each) <= 100 for each in idnumbers)
    assert all(len(q.findtext("name/text", "")) <= 255 for q in moodle.iter("question"))


def test_moodle_has_the_figure_and_the_working(moodle: ET.Element, bank: list[Exercise]) -> None:
    for question in moodle.iter("question"):
        if question.get("type") == "category":
            continue
        (file,) = question.findall("questiontext/file")
        assert f"@@PLUGINFILE@@/{file.get('name')}" in question.findtext("questiontext/text", "")
        assert ET.fromstring(base64.b64decode(file.text or "", validate=True)).tag == "{http://www.w3.org/2000/svg}svg"
        assert "<math" in question.findtext("generalfeedback/text", "")


def test_moodle_categories(moodle: ET.Element) -> None:
    names = [q.findtext("category/text", "") for q in moodle.iter("question") if q.get("type") == "category"]
    parts = names[0].removeprefix("$course$/top/")
    assert parts.replace("//", "") and "/" not in parts.replace("//", "")  # one level, the slash of the name doubled
    assert any(name.endswith("/Single numbers/derivatives dL//dA1") for name in names)


def test_questions_do_not_give_their_answers_away(moodle: ET.Element, bank: list[Exercise]) -> None:
    """The page with a mistake in it has right numbers too: it is shown with its own question only."""
    found = by_idnumber(moodle)
    kinds = set()
    for exercise in bank:
        for place, question in enumerate(exercise.questions):
            text = found[f"{ident(exercise)}-{place + 1}"].findtext("questiontext/text", "")
            assert ("<table" in text) == (question.kind == "mistake")
            assert "backhand-exercise" not in text
            kinds.add(question.kind)
    assert kinds == set(KINDS)


# -- the examples ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["moodle.xml", "qti.zip", "prairielearn.zip", "table.csv", "bank.json"])
def test_the_examples_are_what_would_be_written_now(name: str) -> None:
    """If this fails: write them again, see examples/exports/README.md."""
    for exercise in read_exercises(ROOT / "examples/exports" / name):
        now = exercise_of(exercise.graph, asks=exercise.asks, title=exercise.title, origin=exercise.origin)
        assert record(exercise) == record(now)


# -- QTI ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def qti(bank: list[Exercise]) -> dict[str, bytes]:
    archive = zipfile.ZipFile(io.BytesIO(quiz(bank, "qti")))
    assert archive.testzip() is None
    return {name: archive.read(name) for name in archive.namelist()}


def assessments(contents: dict[str, bytes], *, choices: bool) -> list[ET.Element]:
    roots = [ET.fromstring(data) for name, data in contents.items() if re.fullmatch(r"(\w+)/\1\.xml", name)]
    return [root for root in roots if root[0].get("ident", "").endswith("c") == choices]


def kind(item: ET.Element) -> str:
    fields = {f[0].text: f[1].text for f in item.iter(f"{Q}qtimetadatafield")}
    return fields["question_type"] or ""


def test_qti_marks_every_number(qti: dict[str, bytes], bank: list[Exercise]) -> None:
    roots = assessments(qti, choices=False)
    assert len(roots) == len(bank)
    for exercise, root in zip(bank, roots, strict=True):
        items = [item for item in root.iter(f"{Q}item") if kind(item) == "numerical_question"]
        assert len(items) == len(exercise.questions)
        for question, item in zip(exercise.questions, items, strict=True):

            def play(text: str, item: ET.Element = item) -> tuple[float, str]:
                score, (working, words) = qti_item(item, text)
                assert working
                return score, words

            played(question, play)


def test_canvas_takes_nothing_but_the_right_number_for_right(qti: dict[str, bytes], bank: list[Exercise]) -> None:
    for exercise, root in zip(bank, assessments(qti, choices=False), strict=True):
        items = [item for item in root.iter(f"{Q}item") if kind(item) == "numerical_question"]
        for question, item in zip(exercise.questions, items, strict=True):
            foreseen = typed(question)
            assert canvas_numerical(item, foreseen.right.text) == 1
            for number, _ in foreseen.wrong:
                assert canvas_numerical(item, number.text) == 0


def test_qti_choices_name_the_mistake(qti: dict[str, bytes], bank: list[Exercise]) -> None:
    seen = 0
    by_title = {f"{exercise.title} {exercise.origin.number}, with choices": exercise for exercise in bank}
    for root in assessments(qti, choices=True):
        exercise = by_title[(root[0].get("title") or "").replace("\N{REPLACEMENT CHARACTER}", "\x01")]
        for item in root.iter(f"{Q}item"):
            if kind(item) != "multiple_choice_question":
                continue
            question = exercise.questions[int((item.get("ident") or "").rpartition("q")[2]) - 1]
            labels = {l.get("ident"): l.findtext(f".//{Q}mattext") for l in item.iter(f"{Q}response_label")}
            assert len(set(labels.values())) == len(labels) >= 3
            results = {ident: qti_item(item, ident or "") for ident in labels}
            assert sorted(score for score, _ in results.values())[-2:] == [0, 1]
            remarks = {wrong.remark.strip() for _, wrong in typed(question).wrong[:4]}
            assert {shown[1] for score, shown in results.values() if score == 0} == remarks
            seen += 1
    assert seen > 20


def test_qti_manifest_names_every_file_once(qti: dict[str, bytes]) -> None:
    root = ET.fromstring(qti["imsmanifest.xml"])
    named = [file.get("href") for file in root.iter() if file.tag.endswith("}file")]
    assert sorted(named) == sorted(name for name in qti if name != "imsmanifest.xml")
    identifiers = {r.get("identifier") for r in root.iter() if r.tag.endswith("}resource")}
    assert {d.get("identifierref") for d in root.iter() if d.tag.endswith("}dependency")} <= identifiers
    for name, data in qti.items():
        if name.endswith(".xml"):
            for picture in re.findall(r"%24IMS-CC-FILEBASE%24/([^&\"]+)", data.decode()):
                assert picture in qti


def shapes(root: ET.Element) -> set[tuple[str, str, tuple[str, ...]]]:
    """Every element with its parent and its attributes."""
    bare = {element: element.tag.rpartition("}")[2] for element in root.iter()}
    return {
        (bare[parent], bare[child], tuple(sorted(child.keys())))
        for parent in root.iter()
        for child in parent
    }  # fmt: skip


@pytest.mark.parametrize("name", ["assessment", "assessment_meta", "imsmanifest"])
def test_qti_is_built_like_a_published_tool_builds_it(qti: dict[str, bytes], name: str) -> None:
    """Nothing in our files that has not its like in a package of text2qti 0.8, which is known to import into Canvas."""
    theirs = shapes(ET.parse(ROOT / f"tests/quiz/text2qti/{name}.xml").getroot())
    ours = [
        ET.fromstring(data)
        for path, data in qti.items()
        if path.endswith(f"{name}.xml") or (name == "assessment" and re.fullmatch(r"(\w+)/\1\.xml", path))
    ]
    assert ours
    for root in ours:
        assert shapes(root) - theirs == set()


# -- PrairieLearn ------------------------------------------------------------------------------------------------

INFO = {
    "comment", "uuid", "type", "title", "topic", "tags", "authors", "clientFiles", "clientTemplates", "template",
    "gradingMethod", "singleVariant", "showCorrectAnswer", "partialCredit", "options", "externalGradingOptions",
    "dependencies", "workspaceOptions", "sharingSets", "sharePublicly", "shareSourcePublicly",
}  # fmt: skip
"""What the public schema infoQuestion.json allows; it requires uuid, type, title and topic, and forbids other keys."""

PATTERN = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"


@pytest.fixture(scope="module")
def folder(bank: list[Exercise], tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("course")
    zipfile.ZipFile(io.BytesIO(quiz(bank, "prairielearn", title="Two ways & more"))).extractall(place)
    (found,) = place.iterdir()
    assert found.name == "two-ways-more"
    return found


def test_prairielearn_marks_every_number(folder: Path, bank: list[Exercise]) -> None:
    for seed, exercise in enumerate(bank):
        (data,) = prairielearn(folder, [("generate", prairielearn_data(folder, seed))])
        names = [question["name"] for question in data["params"]["questions"]]
        assert len(names) == len(exercise.questions)
        foreseen = [typed(question) for question in exercise.questions]
        most = max(len(each.wrong) for each in foreseen)
        submissions = [{n: float(f.right.text) for n, f in zip(names, foreseen, strict=True)}]
        for at in range(most):
            submissions.append(
                {n: float(f.wrong[at][0].text) for n, f in zip(names, foreseen, strict=True) if at < len(f.wrong)}
            )
        submissions += [{n: float(OTHER) for n in names}, {}]
        graded = prairielearn(folder, [("grade", data | {"submitted_answers": s}) for s in submissions])
        assert graded[0]["score"] == 1
        assert all("feedback" not in graded[0]["partial_scores"][n] for n in names)
        for at in range(most):
            for n, f in zip(names, foreseen, strict=True):
                if at < len(f.wrong):
                    score = graded[at + 1]["partial_scores"][n]
                    assert score == {"score": 0, "weight": 1, "feedback": f.wrong[at][1].remark}
        assert all(graded[-2]["partial_scores"][n]["feedback"] == say.NOT_FORESEEN for n in names)
        assert graded[-2]["score"] == graded[-1]["score"] == 0


def test_prairielearn_variants_come_from_its_seed(folder: Path, bank: list[Exercise]) -> None:
    seeds = [0, 1, 2, 3, 4, 7, 4_000_000_001]
    made = prairielearn(folder, [("generate", prairielearn_data(folder, seed)) for seed in seeds])
    assert [data["params"]["variant"] for data in made] == [seed % len(bank) for seed in seeds]
    for data in made:
        assert (folder / "clientFilesQuestion" / data["params"]["figure"]).is_file()
        exercise = bank[data["params"]["variant"]]
        answers = [float(typed(question).right.text) for question in exercise.questions]
        assert list(data["correct_answers"].values()) == answers


@pytest.mark.parametrize("submitted", ["60", 60, {"_type": "np_scalar", "_value": "60.0"}])
def test_prairielearn_takes_packed_answers(folder: Path, submitted: object, bank: list[Exercise]) -> None:
    (data,) = prairielearn(folder, [("generate", prairielearn_data(folder, 0))])
    place = next(n for n, q in enumerate(bank[0].questions) if q.key == "derivatives dL/dA1")
    name = data["params"]["questions"][place]["name"]
    (graded,) = prairielearn(folder, [("grade", data | {"submitted_answers": {name: submitted}})])
    assert graded["partial_scores"][name]["score"] == 1


def test_prairielearn_info_is_what_its_schema_allows(folder: Path) -> None:
    info = json.loads((folder / "info.json").read_text("utf-8"))
    assert {"uuid", "type", "title", "topic"} <= info.keys() <= INFO
    assert re.match(PATTERN, info["uuid"]) and uuid.UUID(info["uuid"]).version == 5
    assert info["type"] == "v3" and info["title"] == "Two ways & more"
    assert isinstance(info["singleVariant"], bool) and all(isinstance(tag, str) for tag in info["tags"])


def test_prairielearn_uuid_is_of_the_contents(bank: list[Exercise]) -> None:
    def uuid_of(exercises: list[Exercise]) -> str:
        archive = zipfile.ZipFile(io.BytesIO(quiz(exercises, "prairielearn")))
        return json.loads(archive.read(next(n for n in archive.namelist() if n.endswith("info.json"))))["uuid"]

    assert uuid_of(bank) == uuid_of(bank) != uuid_of(bank[:2])


def test_prairielearn_page_asks_for_what_is_graded(folder: Path) -> None:
    """The template uses only names that generate sets, and the elements as their documentation has them."""
    page = (folder / "question.html").read_text("utf-8")
    (data,) = prairielearn(folder, [("generate", prairielearn_data(folder, 0))])
    used = set(re.findall(r"\{\{\{?[#/]?([\w.]+)", page))
    inside = {"name", "prompt", "slack"}
    assert used <= {f"params.{name}" for name in data["params"]} | inside
    assert data["params"]["questions"][0].keys() == inside
    assert {"pl-question-panel", "pl-figure", "pl-number-input", "pl-answer-panel"} == set(
        re.findall(r"<(pl-[\w-]+)", page)
    )
    assert page.count("<pl-") == page.count("</pl-")


# -- CSV and JSON ------------------------------------------------------------------------------------------------


def test_csv_has_a_row_for_each_question(bank: list[Exercise], questions: Cases) -> None:
    named = [replace(exercise, origin=replace(exercise.origin, student="@Zoë, =1+1")) for exercise in bank]
    rows = list(csv.DictReader(io.StringIO(quiz(named, "csv").decode("utf-8-sig"), newline="")))
    assert len(rows) == len(questions)
    for row, (exercise, place, question) in zip(rows, questions, strict=True):
        foreseen = typed(question)
        assert row["answer"] == foreseen.right.text
        assert Fraction(row["tolerance"]) == foreseen.right.tolerance
        assert row["exercise"] == str(exercise.origin.number) and row["question"] == str(place + 1)
        listed = [line.split(" = ") for line in row["wrong"].splitlines()]
        assert listed == [[number.text, " ".join(wrong.keys)] for number, wrong in foreseen.wrong]
        assert row["student"] == "'@Zoë, =1+1"
    assert all(len(cell) <= 32_767 for row in rows for cell in row.values())
    for row in rows:
        for name in ("student", "about", "asked", "recipe", "kind", "version"):
            assert row[name][:1] not in ("=", "+", "-", "@"), row[name]


def test_json_is_the_schema_that_is_documented(bank: list[Exercise]) -> None:
    data = json.loads(quiz(bank, "json", title="A bank"))
    assert data.keys() == {"schema", "title", "recipe", "notes", "exercises"} and data["schema"] == 1
    page = (ROOT / "docs/quiz-systems.md").read_text("utf-8")
    for exercise in data["exercises"]:
        for key in [
            *exercise,
            *exercise["questions"][0],
            *exercise["origin"],
            *exercise["difficulty"],
            *exercise["telling"],
        ]:
            assert f"`{key}`" in page, key


# -- files that are none -----------------------------------------------------------------------------------------

HEAD = ",".join(COLUMNS).encode() + b"\n"
ONE = b"1" + b"," * (len(COLUMNS) - 1) + b"\n"
BOMB = b'<!DOCTYPE quiz [<!ENTITY a "aaaa">]><quiz>&a;</quiz>'


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("moodle", b""), ("moodle", b"<quiz>"), ("moodle", b"<quiz/>"), ("moodle", BOMB), ("moodle", BOMB.decode().encode("utf-16")), ("moodle", b'<?xml version="1.0" encoding="x"?><quiz/>'),
        ("moodle", b"\xff\xfe"),
        ("moodle", b"<quiz><!-- backhand-exercise {} --></quiz>"),
        ("moodle", b'<quiz><!-- backhand-exercise {"schema":1,"net":"L = 1","questions":[]} --></quiz>'),
        ("moodle", b'<quiz><!-- backhand-exercise {"schema":9,"net":"","questions":[]} --></quiz>'),
        ("qti", b""), ("qti", b"PK\x03\x04"), ("qti", b"no zip"), ("prairielearn", b"PK\x03\x04"),
        ("prairielearn", b"{}"), ("prairielearn", b'{"variants": [1]}'), ("prairielearn", b"[" * 100_000),
        ("csv", b""), ("csv", b"a,b\n1,2\n"), ("csv", b"\xff"), ("csv", HEAD), ("csv", HEAD + ONE),
        ("csv", HEAD + ONE.replace(b",,,", b",,[],")), ("csv", HEAD + ONE.replace(b",,,", b",{},")), ("json", b""), ("json", b"[]"), ("json", b'{"exercises": [{}]}'),
        ("json", b'{"exercises": [{"schema":1,"net":"L =","questions":[]}]}'),
        ("json", b'{"exercises": [{"schema":1,"net":"L = 1","questions":[{}],"title":"","of":"L","asks":[]}]}'),
        ("json", b"\x00\x01"), ("json", "\N{SNOWMAN}".encode("utf-16")),
    ],
)  # fmt: skip
def test_files_that_are_none_end_with_a_sentence(name: str, data: bytes) -> None:
    with pytest.raises(BackhandError) as caught:
        read_bytes(data, "file", name)
    assert "file" in str(caught.value)


SMALL = [exercise_of(backhand.read("a = 3\nb = 2 a\nL = (b - 1)^2"), asks=KINDS, title="One")]
WHOLE = {name: quiz(SMALL, name) for name in QUIZZES}
JUNK = [
    b"",
    b"0",
    b"-1",
    b"1e999999999",
    b"null",
    b"[]",
    b"{}",
    b'"x"',
    b"<",
    b"&",
    b"\x00",
    b"\xff",
    b",",
    b"9" * 5000,
    b"1/0",
]


@given(st.data())
def test_a_damaged_file_ends_with_a_sentence_or_is_read(data: st.DataObject) -> None:
    """Anything cut out, or put in for a value: an exercise or one of our errors, never another one, never long."""
    name = data.draw(st.sampled_from(sorted(WHOLE)))
    whole = WHOLE[name]
    if whole.startswith(b"PK") and data.draw(st.booleans()):
        archive = zipfile.ZipFile(io.BytesIO(whole))
        inside = data.draw(st.sampled_from([n for n in archive.namelist() if not n.endswith(".svg")]))
        files = {entry: archive.read(entry) for entry in archive.namelist()}
        broken = zipped(files | {inside: damaged(data, files[inside])})
    else:
        broken = damaged(data, whole)
    with contextlib.suppress(BackhandError):
        for exercise in read_bytes(broken, "file", name):
            quiz([exercise], name)


def damaged(data: st.DataObject, whole: bytes) -> bytes:
    """With something else in the place of a value, or of any few bytes."""
    if data.draw(st.booleans()):
        values = re.finditer(rb'"[\w/.-]*"|(?<=[>:,\[])-?[\d./]+(?=[<,\]}])', whole)
        start, stop = data.draw(st.sampled_from([value.span() for value in values] or [(0, 1)]))
    else:
        start = data.draw(st.integers(0, len(whole)))
        stop = min(len(whole), start + data.draw(st.integers(0, 60)))
    return whole[:start] + data.draw(st.sampled_from(JUNK)) + whole[stop:]


def test_a_question_that_is_gone_is_missed(bank: list[Exercise]) -> None:
    text = quiz(bank[:1], "moodle").decode()
    cut = re.sub(r"<idnumber>[\w-]+-3</idnumber>", "<idnumber>other</idnumber>", text)
    with pytest.raises(ReadError, match="lacks the question"):
        read_bytes(cut.encode(), "file", "moodle")


def test_an_unknown_format_is_named(bank: list[Exercise]) -> None:
    with pytest.raises(UsageError, match="moodle, qti, prairielearn, csv, json"):
        quiz(bank, "blackboard")
    with pytest.raises(UsageError):
        read_bytes(b"", "file", "blackboard")
