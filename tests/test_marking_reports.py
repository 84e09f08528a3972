"""Reports on marked pages: the summary, the page as written with the pen's marks, remarks, hints, JSON, the command line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from marked_pages import marked_page, together

import backhand
from backhand import display, writers
from backhand.cli import run
from backhand.errors import LimitError, ReadError, UsageError
from backhand.explaining.document import Page, Pen, Stroke, WrittenLine
from backhand.explaining.marking import document, left_out
from backhand.marking.about import Derivative, Value
from backhand.marking.credit import Marks, Point
from backhand.marking.mark import mark
from backhand.marking.marking import FirstWrong, Judged, Judgement, Marking, Remark
from backhand.marking.work import Piece
from backhand.readers.answer import read_answer, work_of
from backhand.text import cells
from backhand.writers.line import line as typed

ROOT = Path(__file__).parent.parent
Q3, ANSWER = str(ROOT / "examples" / "q3.bh"), str(ROOT / "examples" / "q3-answer.md")
READING = sorted((Path(__file__).parent / "reading").glob("*.md"))
PAGES = sorted((Path(__file__).parent / "pages").glob("*/*.md"))
NET = (ROOT / "examples" / "q3.bh").read_text("utf-8")


@cache
def marked(*pages: str, net: str = NET, **options: Any) -> Marking:
    """An answer of one page or several, marked."""
    work = work_of([(f"page-{n}.md", text.encode()) for n, text in enumerate(pages, 1)])
    return mark(work, backhand.read(net), **options)


@pytest.fixture(scope="module")
def founding() -> Marking:
    return mark(read_answer(ANSWER), backhand.read(Path(Q3)), title="Marked: q3-answer.md")


def report(marking: Marking, format_: str = "text", **options: Any) -> str:
    return "".join(display.formatted(marking, format_, **options))


def pages(marking: Marking, **options: Any) -> list[Page]:
    return [block for block in document(marking, **options).blocks() if isinstance(block, Page)]


def lines(marking: Marking, **options: Any) -> dict[int, WrittenLine]:
    """The lines of the first page by number."""
    return {each.number: each for each in pages(marking, **options)[0].lines}


def shown(line: WrittenLine) -> list[str]:
    """A line as text: a statement an entry, deeper ones with a dash for each level."""
    return [
        "-" * each.level + "".join(stroke_text(stroke) for stroke in each.strokes).strip() for each in line.statements
    ]


def stroke_text(stroke: Stroke) -> str:
    text = stroke.content if isinstance(stroke.content, str) else typed(stroke.content)
    text = f"{stroke.relation} {'[' * stroke.opens}{text}{']' * stroke.closes}".strip()
    marks: dict[Pen, str] = {"right": " ✓", "follows": " ↪", "wrong": " ✗", "unclear": " ?", "note": " !"}
    return ("" if stroke.close else " ") + (f"«{text}»" if stroke.raw else text) + marks.get(stroke.mark, "")


# -- the founding page -------------------------------------------------------------------------------------------------


def test_the_example_is_the_page_as_it_was_handed_in() -> None:
    data = Path(ANSWER).read_bytes()
    assert b"\r" not in data and data.startswith(b" \n\n\nQ3 neural networks:")
    assert data == (Path(__file__).parent / "reading" / "founding-page.md").read_bytes()


def test_the_summary_comes_first(founding: Marking) -> None:
    text = report(founding)
    head = text[: text.index("The page\n")]
    assert "12 of 20 points" in head
    assert "The first wrong step is on line 69: ∂L/∂B1 = ∂L/∂D·∂D/∂C1·∂C1/∂B1." in head
    assert "4 lines, 1 habit: only the way straight across is followed (lines 69, 73, 77 and 81)." in head
    assert "→ Line 69: B1 reaches L by two ways, through C1 and C2." in head
    assert "Asked for and not on the page: the derivatives of L by w[A1,B1], " in head
    assert "That is no mistake" in head
    assert text.count("Asked for and not on the page") == 1


def test_the_margin_of_the_founding_page(founding: Marking) -> None:
    margins = {number: line.pen for number, line in lines(founding).items()}
    wrong = [number for number, pen in margins.items() if pen == "wrong"]
    assert wrong == [69, 71, 73, 75, 77, 79, 81, 83]
    assert {margins[n] for n in (4, 6, 10)} == {""}
    right = set(margins) - set(wrong) - {4, 6, 10}
    assert right == {*range(12, 37, 2), 39, 41, 43, 45, 47, *range(51, 68, 2)}
    assert {margins[n] for n in right} == {"right"}


def test_a_line_stands_there_as_it_was_written(founding: Marking) -> None:
    written = lines(founding)
    assert shown(written[12]) == ["Answer 1 : B1 = w_1 x_1 + w_2 x_2 (assuming there are no bias)"]
    assert shown(written[16]) == ["⇒ B1 = 2 + 1 = 3"]
    assert shown(written[47]) == ["[L = 1]"]
    assert shown(written[51]) == [
        "∂L/∂D = ∂/∂D (D - 3)^2 = (2)(D - 3)'(D - 3) = 2(D - 3) = 2 D - 6", "-D = 4", "-prob 1",
    ]  # fmt: skip
    assert shown(written[67]) == ["∂L/∂D = 2 ; ∂D/∂C1 = 1"]
    assert "(A1, A2, B1, B2, C1, C2, D)" in shown(written[10])[0]


def test_marks_stand_where_the_things_are_if_a_line_has_several(founding: Marking) -> None:
    written = lines(founding)
    assert shown(written[69]) == [
        "∂L/∂B1 = ∂L/∂D·∂D/∂C1·∂C1/∂B1 ✗",
        "-∂C1/∂B1 = ∂/∂B1 (B1 w_1 + B2 w_2) ✓",
        "--w_1 = 1 ✓",
        "--w_2 = -1 !",
        "-= ∂/∂B1 ((B1)(1) + (-1)(B2)) ✓",
        "-∂C1/∂B1 = 1 ✓ (c)",
    ]
    assert shown(written[71]) == ["⇒ ∂L/∂B1 = [2]"], "where all is alike, the margin says it"
    assert shown(written[75]) == ["⇒ ∂L/∂B2 = (2)(-1)(0) ↪ = [0] ✗"]
    assert shown(written[77])[2] == "-since w_1 = -2 ✓, w_2 = 1 ✓"
    assert "?" not in "".join(shown(written[55])), "what could not be told of a claim that is right is let be"


def test_remarks_stand_under_their_lines_and_the_right_working_behind_them(founding: Marking) -> None:
    written = lines(founding)
    (lost,) = written[45].comments
    assert lost.pen == "note" and "The exponent is lost" in "".join(map(str, lost.words))
    first, copied = written[69].comments
    assert (first.pen, first.label) == ("wrong", "First wrong step")
    assert copied.pen == "note" and not copied.behind
    assert [number for number, line in written.items() if any(c.behind for c in line.comments)] == [69, 73, 77, 81]
    assert not written[71].comments
    text = report(founding)
    working = text[text.index("The right working\n") :]
    assert "Line 69: dL/dB1 = 4" in working
    assert "dL/dB1 = dL/dC1 dC1/dB1 + dL/dC2 dC2/dB1 = (2)(1) + (-2)(-1) = 2 + 2 = 4" in working
    assert "dL/dA1 = dL/dB1 dB1/dA1 + dL/dB2 dB2/dA1 = (4)(-2) + (-4)(1) = -8 - 4 = -12" in working


def test_the_points_one_by_one(founding: Marking) -> None:
    text = report(founding)
    table = text[text.index("Points\n------") :]
    assert re.search(r"dL/dC1 +1 of 1 +1 of 1 +59\n", table)
    assert re.search(r"dL/dB1 +0 of 1 +0 of 1 +71\n", table)


def test_the_ways_left_out_are_drawn(founding: Marking) -> None:
    assert left_out(founding) == {("B1", "C2"), ("B2", "C1"), ("A1", "B2"), ("A2", "B1")}
    page = report(founding, "html")
    assert page.count('class="bh-arrow bh-dropped"') == 4
    assert "Left out: A2 to B1; A1 to B2; B2 to C1; B1 to C2." in page
    assert "bh-dropped" in report(founding, "svg")
    assert "bh-dropped" not in display.svg(founding.solution).split("</style>")[1]


# -- hints -------------------------------------------------------------------------------------------------------------

ANSWERS = ("With the right ones", "The right working", "From your own numbers above, ", "it is -2")


@pytest.mark.parametrize("format_", ["text", "markdown", "latex", "html"])
def test_hints_give_no_answer_away(founding: Marking, format_: str) -> None:
    plain, hints = report(founding, format_), report(founding, format_, hints=True)
    assert [words for words in ANSWERS if words in hints] == []
    assert "The right working" in plain
    assert "1 habit: only the way straight across is followed" in hints
    assert "12 of 20 points" in hints


def test_hints_say_where_and_what_to_look_at(founding: Marking) -> None:
    text = report(founding, hints=True)
    assert "└ The exponent of the line before is lost in writing." in text
    assert "└ Compare w_2 with the exercise." in text
    assert "└ First wrong step: B1 reaches L by two ways, through C1 and C2." in text
    assert "-12" not in text
    drawn = report(founding, "svg", hints=True)
    assert "bh-derivative" not in drawn.split("</style>")[1] and "bh-dropped" not in drawn.split("</style>")[1]


def test_hints_in_json(founding: Marking) -> None:
    made = json.loads(report(founding, "json", hints=True))
    assert {judgement["truth"] for judgement in made["judgements"]} == {None}
    assert {judgement["from_own"] for judgement in made["judgements"]} == {None}
    (text,) = [remark["text"] for each in made["judgements"] for remark in each["remarks"] if remark["line"] == 69]
    assert text == "Compare w_2 with the exercise."


@pytest.mark.parametrize("page", ["dL/dD = 3", "D = 5", "dD/dC1 = 7", "dL/dB1 = 2*1 = 3", "C1 = 1*3 + 2*1 = 5"])
def test_a_hint_has_no_number_that_is_not_on_the_page(page: str) -> None:
    marking = marked(page)
    assert marking.first_wrong is not None
    (comment, *_) = lines(marking, hints=True)[1].comments
    words = "".join(each if isinstance(each, str) else typed(each) for each in comment.words)
    assert words and not comment.behind
    truth = next(j.truth for j in marking.judgements if j.verdict == "wrong")
    numbers = re.findall(r"(?<![\w,\[])-?\d+", words)
    assert str(truth) not in numbers


# -- what there is to say where the marker has no remark ---------------------------------------------------------------


def test_a_page_that_is_right_is_told_so() -> None:
    text = report(marked("dL/dD = 2(4 - 3) = 2\n\ndL/dC1 = 2"))
    assert "Nothing on this page is wrong. All 2 statements on the page are right." in text
    assert "Not on the page yet: the values of B1, B2, C1, C2, D and L, and the derivatives of L by" in text


def test_an_empty_page_is_no_error() -> None:
    for format_, writer in writers.WRITERS.items():
        if not writer.binary:
            assert report(marked(""), format_)
    assert "No statement on this page could be matched to the network." in report(marked("Good day."))


def test_what_follows_is_said_in_full_once() -> None:
    text = report(marked("C1 = 5\nD = 1*5 + 3 = 8\nL = (8 - 3)^2 = 25"))
    assert text.count("This follows from your own numbers above.") == 1
    assert "With the right ones, L = 1." in text


def test_what_could_not_be_read_stands_there_as_typed_and_is_listed() -> None:
    marking = marked(r"$$\frac{1}{$$" + "\n\nD = 1 + x + ... + z = 4")
    written = lines(marking)
    assert written[1].pen == "unclear"
    assert shown(written[1]) == [r"«$$\frac{1}{$$»"]
    assert "«= 1 + x + ... + z»" in shown(written[3])[0]
    text = report(marking)
    assert "What could not be read\n" in text
    assert [line for line, *_ in unread_rows(marking)] == [1, 3]


def unread_rows(marking: Marking) -> list[tuple[int, str]]:
    return [(span.line, why) for span, why in marking.unread_parts]


def test_likely_slips_of_a_scanner_are_shown_beside_what_is_written() -> None:
    marking = marked("L = (4-3)2 = 1\n\nB1 = 2 + l = 3")
    text = report(marking)
    assert "Lines 1 and 3 have signs that a scanner may have mistaken" in text
    assert shown(lines(marking)[1]) == ["L «= (4-3)2» = 1"]
    assert "(4-3)^2" in text or "(4 - 3)^2" in text


def test_decisions_for_the_whole_page_are_shown() -> None:
    text = report(marked("D = 4,00\n\ndL/dD = 2,00"))
    assert "! A comma between digits is read as a decimal comma" in text


def test_struck_out_and_spoken_things_stay() -> None:
    written = lines(marked("~~dL/dA1 = -4~~ dL/dA1 = -12\n\nThe gradient at B1 is 4, since both ways count."))
    strokes = written[1].statements[0].strokes
    assert [stroke.struck for stroke in strokes] == [True, True, False, False]
    assert {stroke.pen for stroke in strokes if stroke.struck} == {""}
    assert shown(written[3]) == ["The gradient at B1 is 4, since both ways count."]
    assert "~~dL/dA1 = -4~~ dL/dA1 = -12" in report(marked("~~dL/dA1 = -4~~ dL/dA1 = -12"))


def test_a_notation_of_ones_own_has_its_reading_behind_it() -> None:
    assert shown(lines(marked("B1.grad = 4"))[1]) == ["«B1.grad» (read as dL/dB1) = 4"]


def test_gaps_are_kept_where_they_are_larger_than_usual() -> None:
    written = lines(marked("B1 = 3\n\nB2 = 1\n\nC1 = 1\n\n\n\ndL/dD = 2"))
    assert [number for number, line in written.items() if line.gap] == [9]


def test_several_files_are_one_answer_and_each_has_its_name() -> None:
    marking = marked("B1 = 3\nB2 = 1", "dL/dD = 2\ndL/dC1 = 3")
    assert [(page.name, [line.number for line in page.lines]) for page in pages(marking)] == [
        ("page-1.md", [1, 2]), ("page-2.md", [1, 2]),
    ]  # fmt: skip
    assert "The first wrong step is on line 2 of page-2.md: dL/dC1 = 3." in report(marking)
    made = json.loads(report(marking, "json"))
    assert made["first_wrong"] == {"line": 2, "file": "page-2.md", "about": "dL/dC1"}
    assert [judgement.get("file") for judgement in made["judgements"]][:3] == ["page-1.md", "page-1.md", "page-2.md"]


# -- markings made by hand: what a report does with each field -----------------------------------------------------------


def by_hand(page: str, *judgements: Judgement, **fields: Any) -> Marking:
    base = marked(page)
    pieces = [piece for line in base.work.lines for chain in line.chains for piece in chain.pieces]
    made = tuple(judgement(pieces) if callable(judgement) else judgement for judgement in judgements)
    rest = {"first_wrong": None, "diagnoses": (), "marks": Marks(()), "title": "T"} | fields
    return Marking(base.work, base.solution, made, **rest)


def wrong(pieces: list[Piece], **fields: Any) -> Judgement:
    links = (Judged(pieces[1], "wrong"),)
    values = {"about": Derivative("L", "B1"), "kind": "total", "verdict": "wrong", "span": pieces[1].span, "said": "2"}
    return Judgement(**(values | {"value": Fraction(2), "truth": Fraction(4), "links": links} | fields))


def test_a_wrong_number_without_any_remark_gets_the_next_thing_to_do() -> None:
    text = report(by_hand("dL/dB1 = 2", wrong))
    assert "dL/dB1 comes out differently. Follow every arrow out of B1, multiply along it, and add." in text
    text = report(by_hand("dL/dD = 3", lambda pieces: wrong(pieces, about=Derivative("L", "D"), truth=Fraction(2))))
    assert "Take the formula of L, let only D move, and see what multiplies it." in text
    text = report(by_hand("B1 = 2", lambda pieces: wrong(pieces, about=Value("B1"), kind="value")))
    assert "B1 comes out differently. Put the numbers into its formula once more." in text


def test_the_ways_left_out_are_named_by_the_judgement_or_read_off_the_product() -> None:
    product = "dL/dB1 = dL/dC1 dC1/dB1"
    assert left_out(by_hand(product, wrong)) == {("B1", "C2")}
    assert "What comes back through C2 is left out here. Add it." in report(by_hand(product, wrong))
    given = by_hand("dL/dB1 = 2", lambda pieces: wrong(pieces, dropped=(("B1", "C1"),)))
    assert left_out(given) == {("B1", "C1")}


def test_what_follows_from_ones_own_numbers_is_told() -> None:
    text = report(by_hand("dL/dB1 = 2", lambda pieces: wrong(pieces, from_own=Fraction(7))))
    assert "From your own numbers above, dL/dB1 would be 7." in text


def test_one_or_two_rows_that_give_the_number_are_offered() -> None:
    keys = ("one-path-straight",)
    text = report(by_hand("dL/dB1 = 2", lambda pieces: wrong(pieces, could_be=keys)))
    assert "It is the number that comes out when only the way straight across is followed" in text


def test_remarks_of_the_marker_are_said_as_they_are() -> None:
    def judged(pieces: list[Piece]) -> Judgement:
        return wrong(pieces, remarks=(Remark("r", "Look: 4 & <more>.", pieces[1].span, "Look."),))

    marking = by_hand("dL/dB1 = 2", judged)
    assert "└ Look: 4 & <more>." in report(marking) and "└ Look." in report(marking, hints=True)
    assert "Look: 4 &amp; &lt;more&gt;." in report(marking, "html")


def test_the_right_working_of_another_output_than_the_one_asked_about() -> None:
    about = Derivative("D", "B1")
    text = report(by_hand("dD/dB1 = 1", lambda pieces: wrong(pieces, about=about, truth=Fraction(2))))
    assert "dD/dB1 = dD/dC1 dC1/dB1 + dD/dC2 dC2/dB1 = (1)(1) + (-1)(-1) = 1 + 1 = 2" in text


def test_points_with_a_cost_and_with_follow_through() -> None:
    points = (
        Point("dL/dB1", "method", Fraction(1), Fraction(1, 2), "Half of it."),
        Point("dL/dB1", "follow-through", Fraction(1), Fraction(1), "It follows."),
        Point("w[A1,B1]", "misread", Fraction(0), Fraction(-1), "It was read differently."),
    )
    text = report(by_hand("dL/dB1 = 2", marks=Marks(points)))
    assert re.search(r"for +method +accuracy +cost +line", text)
    assert re.search(r"dL/dB1 +0.5 of 1 +1 of 1 \(ft\)", text)
    assert "! Half of it." in text and "! It was read differently." in text and "It follows." not in text


def test_no_word_that_a_student_should_not_read(founding: Marking) -> None:
    others = [founding, marked("D = 7\ndL/dB1 = 9"), by_hand("dL/dB1 = 2", wrong)]
    for marking in others:
        text = report(marking).lower()
        assert "misconception" not in text and "invalid" not in text


# -- every page in every format ------------------------------------------------------------------------------------------


def corpus() -> Iterator[Any]:
    for path in READING:
        yield pytest.param(NET, path.read_text("utf-8"), id=path.stem, marks=together(path))
    for path in PAGES:
        text = path.read_text("utf-8")
        found = re.search(r"## Net\n```bh\n(.*?)\n```.*?## Page\n~~~~\n(.*?)\n~~~~", text, re.DOTALL)
        if found:
            yield pytest.param(found[1], found[2], id=path.stem, marks=together(path))


CORPUS = [*corpus()]


@pytest.mark.parametrize(("net", "page"), CORPUS)
def test_reports_are_whole_in_every_format(net: str, page: str) -> None:
    marking = marked_page(net, page)
    for width in (80,) if marking.solution.graph.arrays else (40, 80):  # a row of a matrix is not broken
        text = report(marking, width=width)
        assert max(cells(line) for line in text.splitlines()) <= width
        assert all(line == line.rstrip() and (line.isprintable() or not line) for line in text.splitlines())
    colored = report(marking, width=80, color=True)
    bare = "\n".join(line.rstrip() for line in re.sub(r"\x1b\[\d+m", "", colored).split("\n"))
    assert bare == text
    html = report(marking, "html")
    checked = Tags(html)
    assert not checked.open
    made = json.loads(report(marking, "json"), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert len(made["judgements"]) == len(marking.judgements)
    assert report(marking, "markdown").endswith("\n") and r"\end{document}" in report(marking, "latex")
    assert report(marking, "html") == html, "the same bytes from the same input"


def plain_letters(text: str) -> str:
    """Letters without styles, subscripts as digits; exponents and fractions stay what they are."""
    styles = ("<sub>", "<font>")
    return "".join(
        unicodedata.normalize("NFKC", c) if unicodedata.decomposition(c).startswith(styles) else c for c in text
    )


@pytest.mark.parametrize(("net", "page"), CORPUS)
def test_nothing_that_was_written_is_lost(net: str, page: str) -> None:
    """Every run of digits and every word of four letters that is no LaTeX stands on the page of the report; x₁ as x_1."""
    text, page = plain_letters(report(marked_page(net, page))), plain_letters(page)
    shown = re.sub(r"[\s_{}]", "", text[text.index("The page") :]).casefold()
    bare = re.sub(r"\\(?:begin|end)\s*\{[^}]*\}(?:\{[^}]*\})?|```\w*|\\[A-Za-z]+|\|[-:| ]+\|\n", " ", page)
    if "array" in page or "tensor(" in page:
        bare = re.sub(
            r"\b(?:array|tensor)\(|(?<=\d)e[-+]?\d+", " ", bare
        )  # an array is shown as a matrix, 1e-8 as a power of ten
    words = re.findall(r"\d+|(?<![\w.])[^\W\d_]{4,}(?![\w.])", bare)
    assert [word for word in words if word.casefold().rstrip("0²³") not in shown] == []


class Tags(HTMLParser):
    """Complains about a tag that is not closed in its place; knows the words and what is hidden."""

    EMPTY = frozenset(["meta", "br", "hr", "img", "link", "input"])

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.EMPTY and tag != "path":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "path":
            assert self.open.pop() == tag


def test_the_web_page_asks_nobody_for_anything(founding: Marking) -> None:
    page = report(founding, "html")
    tags = Tags(page).tags
    assert not [tag for tag, _ in tags if tag in {"script", "link", "iframe", "img"}]
    assert not [key for _, attributes in tags for key in attributes if key.startswith("on") or key in {"src", "href"}]
    assert re.findall(r"url\(.{0,24}", page) == ['url("data:font/woff2;base64,']
    names = [attributes["id"] for _, attributes in tags if attributes.get("id")]
    assert len(names) == len(set(names)) and "line-69" in names
    assert len([1 for tag, attributes in tags if tag == "details" and attributes.get("class") == "working"]) == 4


HOSTILE = [
    "<script>alert(1)</script>",
    "</style></li>",
    "\x1b[31mred",
    "`code` *a* |b|",
    "$$\\frac{<b>}{$$",
    "\u202eD = 4",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_is_handed_in_stays_words(hostile: str) -> None:
    marking = marked(f"{hostile}\n\nD = 4 {hostile}\n\n$${hostile} = 4$$")
    page = Tags(report(marking, "html"))
    assert not page.open and "script" not in {tag for tag, _ in page.tags}
    for text in (report(marking), report(marking, width=40)):
        assert all(line.isprintable() for line in text.splitlines() if line)


# -- notebooks and files -----------------------------------------------------------------------------------------------


def test_a_marking_shows_itself_in_a_notebook(founding: Marking) -> None:
    bundle = founding._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/markdown", "text/html"}
    assert bundle["text/html"].startswith('<div class="backhand">') and "line-69" in bundle["text/html"]
    selectors = re.findall(
        r"(?:^|[{}])\s*([^{}@;]+)\{", re.sub(r"@font-face \{[^}]*\}", "", bundle["text/html"].split("<h1>")[0])
    )
    marked_css = (Path(writers.__file__).parent / "assets" / "marked.css").read_text("utf-8")
    selectors += re.findall(r"(?:^|[{}])\s*([^{}@;]+)\{", marked_css)
    assert all(
        part.strip().startswith(".backhand") for each in selectors for part in each.split(",") if "<" not in part
    )


def test_a_marking_is_written_to_a_file_by_its_suffix(founding: Marking, tmp_path: Path) -> None:
    display.write(founding, tmp_path / "marked.html")
    display.write(founding, tmp_path / "hints.txt", hints=True)
    assert "First wrong step" in (tmp_path / "marked.html").read_text("utf-8")
    assert "The right working" not in (tmp_path / "hints.txt").read_text("utf-8")


# -- JSON --------------------------------------------------------------------------------------------------------------


def test_the_json_has_the_documented_keys(founding: Marking) -> None:
    made = json.loads(report(founding, "json"))
    assert list(made) == [
        "schema", "of", "judgements", "first_wrong", "diagnoses", "marks", "unread", "absent", "notices",
    ]  # fmt: skip
    assert (made["schema"], made["of"]) == (1, "L")
    assert made["first_wrong"] == {"line": 69, "about": "dL/dB1"}
    assert made["marks"] == {"earned": 12, "out_of": 20}
    assert made["diagnoses"] == [
        {
            "keys": ["one-path-straight"], "ids": ["P1"], "title": "only the way straight across is followed",
            "about": ["dL/dB1", "dL/dB2", "dL/dA1", "dL/dA2"],
        },
    ]  # fmt: skip
    assert len(made["absent"]) == 10 and made["unread"] == []
    (judgement,) = [each for each in made["judgements"] if each["line"] == 71]
    assert list(judgement) == [
        "line", "column", "about", "kind", "said", "value", "verdict", "truth", "from_own", "links", "causes", "remarks",
    ]  # fmt: skip
    assert judgement["about"] == "dL/dB1" and judgement["kind"] == "total" and judgement["verdict"] == "wrong"
    assert (judgement["said"], judgement["value"], judgement["truth"]) == ("2", 2, 4)
    assert judgement["causes"] == ["one-path-straight"]
    assert [(link["line"], link["verdict"]) for link in judgement["links"]] == [(69, "wrong"), (71, "follows")]
    (lost,) = [remark for each in made["judgements"] for remark in each["remarks"] if remark["line"] == 45]
    assert list(lost) == ["key", "line", "text"]


def test_json_says_null_for_what_is_not_there() -> None:
    made = json.loads(report(marked("dL/dD = 2"), "json"))
    assert made["first_wrong"] is None
    missing = [each for each in made["judgements"] if each["verdict"] == "missing"]
    assert {(each["line"], each["column"], each["said"], each["value"]) for each in missing} == {(None,) * 4}
    assert {each["about"] for each in missing} >= {"B1", "dL/dB1"}


def test_the_keys_of_the_json_are_documented(founding: Marking) -> None:
    text = (ROOT / "docs" / "json.md").read_text("utf-8")
    text = text[text.index("backhand mark") :]
    made = json.loads(report(founding, "json"))
    for key in {*made, *made["judgements"][0], "earned", "out_of", "why", "file"}:
        assert f"`{key}`" in text, key


# -- answers from files --------------------------------------------------------------------------------------------------


def test_one_odd_byte_loses_nothing() -> None:
    work = work_of([("a.md", "∂L/∂D = 2, naïve".encode() + b" caf\xe9\n\nD = 4 \x96 0")])
    assert work.sources[0].text == "∂L/∂D = 2, naïve café\n\nD = 4 – 0"
    assert work.decisions[0] == "2 bytes that are not UTF-8 are read as Windows-1252: the first on line 1, as é."


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("\ufeffD = 4".encode(), "D = 4"),
        ("D = 4".encode("utf-16"), "D = 4"),
        ("für D = 4".encode("cp1252"), "für D = 4"),
        (b"D = 4 \x81", "D = 4 \x81"),
        (b"", ""),
    ],
)
def test_encodings_of_answers(data: bytes, text: str) -> None:
    assert work_of([("a.md", data)]).sources[0].text == text


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.7\n", "a PDF"),
        (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        (b"\xff\xd8\xff\xe0", "a JPEG picture"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "a WebP picture"),
        (b"\x00\x00\x00\x18ftypheic", "a photograph"),
        (b"PK\x03\x04", "office document"),
        (bytes(range(32)) * 20, "control characters"),
    ],
)
def test_what_is_no_text_is_refused_with_a_sentence(data: bytes, kind: str) -> None:
    with pytest.raises(ReadError, match=kind) as caught:
        work_of([("answer.pdf", data)])
    assert "answer.pdf" in str(caught.value) and "Type the working" in caught.value.cure


def test_a_page_named_twice_or_too_large_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="named twice"):
        work_of([("a.md", b"D = 4"), ("a.md", b"D = 4")])
    monkeypatch.setattr("backhand.limits.BYTES", 10)
    with pytest.raises(LimitError, match="more than 10 bytes"):
        work_of([("a.md", b"D = 4" * 9)])


# -- the command line ----------------------------------------------------------------------------------------------------


def out(capsys: pytest.CaptureFixture[str], *args: str, status: int = 0) -> str:
    assert run([*args]) == status
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def process(*args: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    clean = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR"}}
    return subprocess.run(
        [sys.executable, "-m", "backhand", *args], input=stdin, capture_output=True, env={**clean, **environment},
        check=False,
    )  # fmt: skip


def test_mark_prints_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    text = out(capsys, "mark", Q3, ANSWER)
    assert text.startswith("Marked: q3-answer.md\n")
    assert "69 ✗  ∂L/∂B1 = ∂L/∂D·∂D/∂C1·∂C1/∂B1 ✗\n" in text


def test_strict_ends_with_1_only_if_something_is_wrong(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    right = tmp_path / "right.md"
    right.write_text("dL/dD = 2\n")
    assert "12 of 20" in out(capsys, "mark", Q3, ANSWER, "--strict", status=1)
    out(capsys, "mark", Q3, str(right), "--strict")


def test_of_policy_and_formats(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    policy, page = tmp_path / "p.toml", tmp_path / "p.md"
    policy.write_text("[total]\nout-of = 10\n")
    page.write_text("dD/dC1 = 1\n\ndD/dB1 = 2\n")
    assert json.loads(out(capsys, "mark", Q3, ANSWER, "--policy", str(policy), "--format", "json"))["marks"] == {
        "earned": 6, "out_of": 10,
    }  # fmt: skip
    assert json.loads(out(capsys, "mark", Q3, str(page), "--of", "D", "--format", "json"))["of"] == "D"
    for suffix, beginning in ((".html", "<!DOCTYPE html>"), (".md", "# Marked"), (".tex", r"\documentclass"),
                              (".json", "{"), (".svg", "<?xml"), (".txt", "Marked")):  # fmt: skip
        target = tmp_path / f"marked{suffix}"
        assert out(capsys, "mark", Q3, ANSWER, "-o", str(target)) == ""
        assert target.read_text("utf-8").startswith(beginning)


def test_standard_input_for_either_and_never_for_both() -> None:
    data = Path(ANSWER).read_bytes()
    assert b"12 of 20 points" in process("mark", Q3, "-", stdin=data).stdout
    assert b"12 of 20 points" in process("mark", "-", ANSWER, stdin=Path(Q3).read_bytes()).stdout
    both = process("mark", "-", "-")
    assert both.returncode == 2 and b"only once" in both.stderr


def test_several_pages(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    whole = Path(ANSWER).read_text("utf-8")
    at = whole.index(r"$$\frac{\partial L}{\partial D} =")
    for name, text in (("one.md", whole[:at]), ("two.md", whole[at:])):
        (tmp_path / name).write_text(text, "utf-8")
    text = out(capsys, "mark", Q3, str(tmp_path / "one.md"), str(tmp_path / "two.md"))
    assert text.startswith("Marked: one.md, two.md\n") and "12 of 20 points" in text and "of two.md" in text


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["mark", Q3], "ANSWER"),
        (["mark", Q3, "no-such.md"], "There is no file no-such.md."),
        (["mark", ANSWER, Q3], "Name the network before the answer."),
        (["mark", Q3, ANSWER, "--format", "docx"], "There is no format docx."),
        (["mark", Q3, ANSWER, "--policy", "no-such.toml"], "There is no file no-such.toml."),
        (["mark", Q3, ANSWER, "-o", "x.docx"], "says no format"),
        (["mark", Q3, ANSWER, "-o", ANSWER], "Name another file for the result."),
        (["mark", Q3, str(ROOT)], "is a folder"),
    ],
)
def test_wrong_usage_ends_with_2(args: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(args) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and words in captured.err


def test_a_wrong_policy_is_an_error_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = tmp_path / "p.toml"
    policy.write_text("[total]\nout-off = 10\n")
    assert run(["mark", Q3, ANSWER, "--policy", str(policy)]) == 2
    assert f"{policy}:2:1: " in capsys.readouterr().err


def test_colour_when_forced_and_never_where_it_is_not_wanted() -> None:
    forced = process("mark", Q3, ANSWER, FORCE_COLOR="1", COLUMNS="80").stdout.decode()
    assert "\x1b[31m✗\x1b[0m" in forced and "\x1b[32m✓\x1b[0m" in forced
    assert max(cells(line) for line in re.sub(r"\x1b\[\d+m", "", forced).splitlines()) <= 80
    assert "\x1b" not in process("mark", Q3, ANSWER, FORCE_COLOR="1", NO_COLOR="1").stdout.decode()
    assert "\x1b" not in process("mark", Q3, ANSWER).stdout.decode()


def test_help_has_examples_and_the_shell_completes_the_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Examples:" in out(capsys, "mark", "--help") and "mark" in out(capsys, "--help")
    environment = {"_BACKHAND_COMPLETE": "bash_complete", "COMP_WORDS": "backhand ma", "COMP_CWORD": "1"}
    code = "from backhand.cli import backhand; backhand(prog_name='backhand')"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )
    assert done.stdout.strip() == "plain,mark"


def test_solving_loads_nothing_of_marking() -> None:
    code = (
        "import sys; from backhand.cli import run; run(['solve', sys.argv[1]]); "
        "bad = [m for m in sys.modules if m.startswith(('backhand.marking', 'backhand.explaining.marking'))]; "
        "sys.exit(' '.join(bad) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code, Q3], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_first_wrong_is_found_by_its_span() -> None:
    def judged(pieces: list[Piece]) -> Judgement:
        return wrong(pieces)

    base = marked("dL/dB1 = 2")
    span = base.work.lines[0].chains[0].pieces[1].span
    marking = by_hand("dL/dB1 = 2", judged, first_wrong=FirstWrong("dL/dB1", span))
    assert "The first wrong step is on line 1: " in report(marking)
