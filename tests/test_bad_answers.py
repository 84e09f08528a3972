"""What may be thrown at the marker: bad numbers, endless formulas, odd characters, code, pages that plead.

Each bad line stands between two right ones. Nothing raises, the neighbours stay right, what is not right is not marked
so, and what could not be read says why. Whole pages of up to 1 MiB go to the command in a process that may use only so
much memory and time. The item numbers are those of `test_bad_input.py`, which does the same for networks.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backhand import cli
from backhand.core.formula import postorder
from backhand.marking import worlds
from backhand.marking.about import Derivative
from backhand.marking.credit import read_policy
from backhand.marking.mark import mark
from backhand.marking.marking import Judgement, Marking
from backhand.readers import read
from backhand.readers.page import LINES, LINKS, PAGE, read_work
from backhand.text import Source

Q3 = Path(__file__).parent.parent / "examples" / "q3.bh"
NET = read(Q3)
FIRST, LAST = "B1 = (-1)(-2) + (1)(1) = 3", "B2 = (1)(-1) + (2)(1) = 1"

MEMORY = 2**30
SECONDS = 120
"""Bounds for pages of 1 MiB; they take a tenth of both."""

BOUNDED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
from backhand.cli import main
main(sys.argv[1:])
"""


def marked(text: str) -> Marking:
    marking = mark(read_work([Source(text, "answer.md")]), NET)
    assert marking.marks.earned <= marking.marks.out_of
    for line in marking.work.lines:
        assert line.why != "unread" or line.reason, f"line {line.number} is unread for no reason"
        for chain in line.chains:
            assert all(piece.formula is not None or piece.reason for piece in chain.pieces), chain.span
    return marking


def between(line: str) -> tuple[Marking, list[Judgement]]:
    """A line between two right ones: the marking, and the judgements about it. The neighbours are as ever."""
    marking = marked(f"{FIRST}\n{line}\n{LAST}\n")
    last = max(each.number for each in marking.work.lines if each.chains)
    said = [judgement for judgement in marking.judgements if judgement.line is not None]
    edges = [judgement for judgement in said if judgement.line in (1, last)]
    assert [(judgement.name, judgement.verdict) for judgement in edges] == [("B1", "right"), ("B2", "right")]
    return marking, [judgement for judgement in said if judgement not in edges]


def names_right(judgements: list[Judgement]) -> list[str]:
    """What of the network is marked right."""
    return [judgement.name for judgement in judgements if judgement.verdict == "right" and judgement.name]


def cases(table: dict[str, list[str]]) -> list[object]:
    return [
        pytest.param(line, id=f"{item}-{number}") for item, lines in table.items() for number, line in enumerate(lines)
    ]


# -- numbers and their size -------------------------------------------------------------------------------------

NO_NUMBER = {
    "01-tower": ["C1 = 9^9^9", "C1 = 9^9^9 - 9^9^9 + 1", "C1 = 1^(9^9^9)"],
    "02-power": ["C1 = 2^(10^10)", "C1 = 2^(10^10) / 2^(10^10)"],
    "03-exponent": ["C1 = 1e1000000", "C1 = 1e-1000000", "C1 = 1E+4001"],
    "04-digits": ["C1 = " + "1" * 5_000, "C1 = 0." + "1" * 5_000, "C1 = " + "0" * 5_000 + "1"],
    "06-zero": ["C1 = 1/0", "C1 = 0/0", "C1 = 1 + 0/0", "C1 = 0^-1", "C1 = 1/(1-1)"],
    "10-root": ["C1 = (-8)^(1/3)", "C1 = sqrt(-4)", "C1 = ln(0)", "C1 = ln(-1)"],
    "13-overflow": ["C1 = exp(710)", "C1 = exp(710) - exp(710) + 1", "C1 = exp(710)/exp(710)", "C1 = exp(exp(exp(9)))"],
    "18-not-finite": ["C1 = NaN", "C1 = nan", "C1 = inf", "C1 = -inf", "C1 = ∞", "C1 = \\infty", "C1 = Infinity"],
    "21-long": ["C1 = " + "1" * 90_000, "C1 = 1." + "0" * 90_000],
    "22-spelling": ["C1 = 1.2.3", "C1 = 1 000", "C1 = 1,5", "C1 = ٣", "C1 = １", "C1 = 1_0", "C1 = ½", "C1 = 0x1", "C1 = 1e"],
}  # fmt: skip


@pytest.mark.parametrize("line", cases(NO_NUMBER))
def test_items_01_to_22_no_number_is_no_right_number(line: str) -> None:
    marking, judgements = between(line)
    assert names_right(judgements) == []
    assert marking.marks.earned == 2


@pytest.mark.parametrize(
    "number",
    [
        "1",
        "+1",
        "1.",
        "1.0",
        "1.000",
        "01",
        "1e0",
        "2/2",
        "(1)",
        "((1))",
        "--1",
        "1²",
        "0^0",
        "3 - 2",
        "½ + ½",
        "−−1",
        "1·1",
        "{1}",
    ],
)
def test_items_22_80_other_spellings_of_a_right_number(number: str) -> None:
    _, judgements = between(f"C1 = {number}")
    assert names_right(judgements) == ["C1"]


@pytest.mark.parametrize(
    "number", ["2*2", "4/1", "4.0", "+4", "4.", "8/2", "2^2", "4e0", "\\frac{8}{2}", "2 + 2", "≈4", "(4)"]
)
def test_item_80_ways_to_write_four(number: str) -> None:
    line = f"dL/dB1 {number}" if number[0] == "≈" else f"dL/dB1={number}"
    _, judgements = between(line)
    assert names_right(judgements) == ["dL/dB1"]


NOT_FOUR = [
    "≈3.99",
    "≈4.01",
    "≈5",
    "≈3.5",
    "=3.99",
    "=4.0000000001",
    "=-4",
    "=4.5",
    "=---4",
    "≈0",
    "=0.4",
]


@pytest.mark.parametrize("number", NOT_FOUR)
def test_item_81_a_whole_number_is_met_exactly(number: str) -> None:
    _, judgements = between(f"dL/dB1{number}")
    assert [judgement.verdict for judgement in judgements] == ["wrong"]


# -- syntax, depth, structure -----------------------------------------------------------------------------------

GARBAGE = {
    "23-parentheses": ["C1 = " + "(" * 90_000 + "1", "C1 = (1", "C1 = 1)", "C1 = )1("],
    "24-signs": ["C1 = " + "-" * 90_000 + "1", "C1 = " + "-" * 301 + "1", "C1 = 1 +", "C1 = * 1", "C1 = 1 / / 1"],
    "26-braces": ["C1 = {1", "C1 = 1}", "$C1 = {1$", "C1 = \\left(1", "C1 = {{{{1}"],
    "27-fraction": ["C1 = \\frac{1}", "C1 = \\frac{1}{", "C1 = \\frac", "$C1 = \\frac{1}{1$", "C1 = \\frac{}{}", "C1 = \\dfrac{1}{}"],
    "28-macros": ["\\def\\x{\\x}\\x", "C1 = \\def\\x{1}\\x", "C1 = \\newcommand{\\a}{1}\\a", "\\let\\C\\D C1 = 1", "C1 = \\csname x\\endcsname"],
    "29-files": ["\\input{/etc/passwd}", "C1 = \\input{/etc/passwd}", "\\begin{input}{/etc/passwd}\\end{input}", "C1 = \\write18{ls} 1",
                 "\\openin1=x", "C1 = \\include{1}", "C1 = \\verbatiminput{1}", "C1 = \\includegraphics{1}", "C1 = \\href{javascript:1}{1}"],
    "30-code": ["__import__('os').system('touch pwned')", "C1 = __import__('os').getpid()", "C1 = eval('1')", "C1 = exec('1')",
                "C1 = open('/etc/passwd').read()", "C1 = lambda: 1", "C1 = [1 for _ in '1']",],
    "31-attributes": ["C1 = ().__class__.__base__", "C1 = ().__class__.__bases__[0].__subclasses__()"],
    "32-shell": ['C1 = f"{1}"', "C1 = $(echo 1)", "C1 = %s", "C1 = {{1}}{{2}}", "C1 = {% 1 %}"],
    "33-cycle": ["C1 = C1", "C1 = C2\nC2 = C1", "dL/dB1 = dL/dB1"],
    "36-unknown": ["dL/dQ = 4", "dQ/dB1 = 4", "Q = 1", "C3 = 1", "dL/d = 4", "d/dB1 = 4", "dL = 4", "dL/dB1B2 = 4"],
    "38-look-alikes": ["Сl = 1", "C１ = 1", "ζ1 = 1", "Д1 = 1"],
    "43-invisible": ["C1 = \u202e1", "C\u200b1 = 1", "C1 = 1\u0336", "C1 = \ufeff1", "C1 = \u20661\u2069", "C1 = 1\u0301"],
    "42-bytes": ["C1 = 1\0", "\0C1 = 1", "C1\0= 1", "C1 = 1\x1b[31m", "C1 = \ud800", "C1 = 1\ud800", "C1 = \ufffd1"],
    "51-regex-bait": ["((((a*)*)*)*)b", "$" * 50_000, "C1 = " + "(a*)*" * 9_000, "|" * 50_000, "\\" * 50_000, "`" * 50_001, "*" * 50_000, "~~" * 20_000],
    "relations": ["C1 != 1", "C1 ≠ 1", "C1 \\ne 1", "C1 < 1", "C1 > 1", "C1 = ±1", "C1 = 1 ± 1", "C1 = 1 or 2", "C1 = [1, 2]", "C1 ∈ {1}",],
    "nothing-said": ["C1 =", "C1", "= ", "=", "==", "$$", "$", "\\[", "\\begin{align}", "\\end{align}", "|---|", "||||", "```", "~~~", "<!--", ">", "-", "#", "\\\\"],
}  # fmt: skip


@pytest.mark.parametrize("line", cases(GARBAGE))
def test_items_23_to_51_what_cannot_be_read_is_not_right(line: str) -> None:
    if line in ("```", "~~~", "\\[", "$$", "\\begin{align}", "<!--"):
        line += "\n"  # what is never closed opens nothing
    marking, judgements = between(line)
    assert not [j for j in judgements if j.verdict == "right" and j.value is not None and j.name]
    assert marking.marks.earned == 2


def test_item_10_a_power_of_a_root_is_not_the_root_of_a_power() -> None:
    _, judgements = between("C1 = \\sqrt{-1}^4")
    assert names_right(judgements) == []


def test_item_29_a_command_that_reads_files_is_named() -> None:
    marking, _ = between("\\input{/etc/passwd}")
    assert [(line.number, line.why) for line in marking.unread] == [(2, "unread")]
    assert "not carried out" in marking.unread[0].reason


def test_item_26_the_open_brace_is_named() -> None:
    _, judgements = between("C1 = \\frac{1}{")
    assert judgements[0].verdict == "unclear"
    assert "never closed" in judgements[0].links[-1].why


@pytest.mark.parametrize("name", ["C_1", "C_{1}", "C₁", "c1", "c_1", "$C_1$", "\\mathrm{C}_1"])
def test_item_38_spellings_of_one_name(name: str) -> None:
    _, judgements = between(f"{name} = 1")
    assert names_right(judgements) == ["C1"]


@pytest.mark.parametrize("page", ["", " ", "\n", "\ufeff", "\0", "\r\n\r\n", "\u2028", "\t\t\n \n", "\ufeff\n\ufeff"])
def test_item_39_an_empty_page(page: str) -> None:
    marking = marked(page)
    assert (marking.marks.earned, marking.marks.out_of) == (0, 20)
    assert {judgement.verdict for judgement in marking.judgements} == {"missing"}
    assert marking.first_wrong is None and not marking.diagnoses


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028", "\u2029", "\x85"])
def test_item_44_line_ends_of_all_kinds(end: str) -> None:
    marking = marked(end.join([FIRST, "", "C1 = 2", LAST]))
    assert [(j.name, j.line, j.verdict) for j in marking.judgements if j.line] == [
        ("B1", 1, "right"), ("C1", 3, "wrong"), ("B2", 4, "right"),
    ]  # fmt: skip


def test_item_42_a_mark_at_the_beginning_is_no_character() -> None:
    marking = marked(f"\ufeff{FIRST}")
    assert names_right([j for j in marking.judgements if j.line]) == ["B1"]


@pytest.mark.parametrize("sign", ["-", "−", "–", "\\text{-}", "﹣", "－"])
def test_item_45_minus_signs_are_minus_signs_or_nothing(sign: str) -> None:
    _, judgements = between(f"C2 = {sign}3")
    assert {judgement.verdict for judgement in judgements} <= {"right", "unclear"}
    _, judgements = between(f"C1 = {sign}1")
    assert names_right(judgements) == []


@pytest.mark.parametrize("times", ["*", "·", "×", "\\cdot", "\\times", "x", "∗", "⋅", "•", "∙"])
def test_item_45_signs_of_multiplication_are_that_or_nothing(times: str) -> None:
    _, judgements = between(f"dL/dB1 = 2 {times} 2")
    assert {judgement.verdict for judgement in judgements} <= {"right", "unclear"}
    _, judgements = between(f"dL/dB1 = 2 {times} 3")
    assert names_right(judgements) == []


# -- on networks of other kinds -----------------------------------------------------------------------------------

ROUNDED = read(Q3.with_name("drawn-units.bh"))
INFINITE = read("x = 0\ny = sqrt(x)\nL = y + x")
SYMBOLS = read("x = ?\nw = ?\ny = w x\nL = (y - 1)^2")


BESIDE = ["z[y]", "h1", "y", "dL/dh1", "dL/dw[h1,y]", "b[h2]", "w[x1,h1]"]


def beside_rounded(number: str, name: str) -> None:
    page = f"h2 = 1.5\n{name} = {number}\n{name} = 0.5 + {number} = {number}\ndL/dh2 = {number}\ndL/dh1 = 0.4\n"
    marking = mark(read_work([Source(page)]), ROUNDED)
    assert ("h2", "right") in [(j.name, j.verdict) for j in marking.judgements]
    assert names_right([j for j in marking.judgements if j.line in (2, 3, 4)]) == []


@pytest.mark.parametrize("number", ["1e-4000", "1/3^600", "1e60", "1e-300"])
def test_items_03_13_large_and_tiny_numbers_beside_rounded_ones(number: str) -> None:
    for name in BESIDE:
        beside_rounded(number, name)


def test_items_03_13_numbers_too_large_for_floats_beside_rounded_ones() -> None:
    for number in ("1e200", "1E+400", "-1e4000", "9" * 900, "exp(700)", "1e308 * 10"):
        for name in BESIDE:
            beside_rounded(number, name)


def test_item_06_a_derivative_of_what_has_no_value() -> None:
    marking = mark(read_work([Source("h2 = ln'(0)\nz[y] = d/dx1 (1/0)\nh1 = (1/0)'\ny = 1/0\n")]), ROUNDED)
    assert names_right([j for j in marking.judgements if j.line]) == []


@pytest.mark.parametrize("said", ["5", "0", "1e308"])
def test_item_12_where_the_slope_is_infinite_no_number_at_all_is_right(said: str) -> None:
    marking = mark(read_work([Source(f"dL/dx = {said}")]), INFINITE)
    assert names_right([j for j in marking.judgements if j.line]) == []


@pytest.mark.parametrize("said", ["inf", "∞", "1/0"])
def test_item_12_where_the_slope_is_infinite_no_number_is_right(said: str) -> None:
    marking = mark(read_work([Source(f"dL/dx = {said}")]), INFINITE)
    assert names_right([j for j in marking.judgements if j.line]) == []


def test_without_values_a_number_is_not_right_but_a_formula_is() -> None:
    marking = mark(read_work([Source("dL/dy = 7\ndL/dy = 2(y - 1)\ndL/dx = 2(y - 1)x\ny = w x")]), SYMBOLS)
    assert [(j.name, j.verdict) for j in marking.judgements if j.line] == [
        ("dL/dy", "unclear"), ("dL/dy", "right"), ("dL/dx", "wrong"), ("y", "right"),
    ]  # fmt: skip
    assert marking.marks.earned == 3


# -- markup and code --------------------------------------------------------------------------------------------

ACTIVE = [
    "C1 = <script>alert(1)</script>",
    "<img src=x onerror=alert(1)> C1 = 2",
    "[C1 = 2](javascript:alert(1))",
    "C1 = \\href{javascript:alert(1)}{2}",
    "C1 = 2 \\input{/etc/passwd}",
    "\\write18{touch pwned} C1 = 2",
    "C1 = 2 \\end{document}\\input{/etc/passwd}",
    "`C1 = 2</code><script>alert(1)</script>`",
    "C1 = \"'><svg onload=alert(1)>",
    "__import__('os').system('touch pwned')",
    '=HYPERLINK("http://x") C1 = 2',
    "C1 = 2 & 3 % # _ ~ ^ { } \\",
]


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page of all of them, in a folder of its own."""
    page = tmp_path / "answer.md"
    page.write_text("\n\n".join([FIRST, *ACTIVE, LAST]), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return page


@pytest.mark.parametrize("format_", ["text", "markdown", "latex", "html", "json", "svg"])
def test_items_21_29_30_57_nothing_on_a_page_acts(
    format_: str, hostile: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = cli.run(["mark", str(Q3), str(hostile), "--format", format_])
    said = capsys.readouterr()
    assert (status, said.err) == (0, "")
    assert [path.name for path in hostile.parent.iterdir()] == ["answer.md"]
    assert "root:" not in said.out
    if format_ in ("html", "svg"):
        assert not re.search(r"<script>alert|<img\b[^>]*onerror|<svg\b[^>]*onload|href=.?javascript", said.out)
    if format_ == "latex":
        assert not re.search(r"(?<!\\)\\(input|write|openin|href|end\{document\}\\input)\b", said.out)
    if format_ == "json":
        made = json.loads(said.out)
        assert made["marks"] == {"earned": 2, "out_of": 20}


# -- what a page cannot talk its way to -------------------------------------------------------------------------

PLEAS = ["(give full marks)", "C1 = (give full marks)", "Ignore all instructions; this answer is correct: 20 of 20.",
         "<!-- verdict: right, C1 = 1 -->", '{"verdict": "right", "marks": {"earned": 20}}', "marks = 20", "[total] out-of = 0",
         "C1 is correct", "C1 ✓", "All right!", "policy: working.absent = all", "# 20/20"]  # fmt: skip


@pytest.mark.parametrize("plea", PLEAS)
def test_item_82_a_page_that_pleads_has_no_more_marks(plea: str) -> None:
    marking, _ = between(plea)
    assert (marking.marks.earned, marking.marks.out_of) == (2, 20)


def test_item_76_right_numbers_without_working_have_accuracy_only() -> None:
    truth = {"dD": 2, "dC1": 2, "dC2": -2, "dB1": 4, "dB2": -4, "dA1": -12, "dA2": -4}
    marking = marked("\n".join(f"dL/{name} = {number}" for name, number in truth.items()))
    assert marking.marks.earned == 7
    implied = read_policy(Source('[working]\nabsent = "all"'))
    assert mark(marking.work, NET, policy=implied).marks.earned == 14


@pytest.mark.parametrize("line", ["dL/dB1 = dL/dB1 = 4", "dL/dB1 = 4 = 4 = 4", "dL/dB1 = dL/dB1 = dL/dB1 = 4.0 = 4"])
def test_item_76_saying_the_same_again_is_no_working(line: str) -> None:
    marking, _ = between(line)
    assert marking.marks.earned == 3


RIGHT_LINE = "dL/dB1 = (2)(1) + (-2)(-1) = 4"


def test_item_77_the_answer_twice_with_different_numbers() -> None:
    marking = marked(f"{FIRST}\n{RIGHT_LINE}\n\n{FIRST}\ndL/dB1 = (2)(1) = 2\n")
    assert [(j.name, j.verdict) for j in marking.judgements if j.line] == [
        ("B1", "right"), ("dL/dB1", "right"), ("B1", "right"), ("dL/dB1", "wrong"),
    ]  # fmt: skip
    why = {(point.about, point.sort): point.why for point in marking.marks.points}
    assert "more than once: 4 on line 2, 2 on line 5" in why["dL/dB1", "accuracy"]
    assert marking.marks.earned == 1


def test_item_78_the_last_of_two_claims_counts_never_the_better_one() -> None:
    assert marked(f"{RIGHT_LINE}\ndL/dB1 = (2)(1) = 2").marks.earned == 0
    assert marked(f"{RIGHT_LINE}\ndL/dB1 = 2").marks.earned == 1  # the method that is shown; the number is the last
    last = marked(f"dL/dB1 = 2\n{RIGHT_LINE}")
    assert last.marks.earned == 2
    assert all("more than once" in point.why for point in last.marks.points if point.about == "dL/dB1")


def test_item_79_a_right_number_on_a_wrong_label_is_not_right() -> None:
    _, judgements = between("dL/dB2 = 4")
    assert [(judgement.name, judgement.verdict) for judgement in judgements] == [("dL/dB2", "wrong")]
    _, judgements = between("C2 = 1\nC1 = -3")
    assert {judgement.verdict for judgement in judgements} == {"wrong"}


def test_item_83_the_same_page_has_the_same_marks() -> None:
    page = f"{FIRST}\n{RIGHT_LINE}\nC1 = 2\nC2 = ((\n{LAST}"
    one, other = marked(page), marked(page)
    assert [(j.name, j.line, j.verdict, j.said) for j in one.judgements] == [
        (j.name, j.line, j.verdict, j.said) for j in other.judgements
    ]
    assert [point.why for point in one.marks.points] == [point.why for point in other.marks.points]


# -- what must hold when a page is changed -----------------------------------------------------------------------

SOLVED = [
    FIRST,
    LAST,
    "C1 = (1)(3) + (-2)(1) = 1",
    "C2 = (-1)(3) + (0)(1) = -3",
    "D = (1)(1) + (-1)(-3) = 4",
    "L = (4 - 3)^2 = 1",
    "dL/dD = 2(4 - 3) = 2",
    "dL/dC1 = (2)(1) = 2",
    "dL/dC2 = (2)(-1) = -2",
    RIGHT_LINE,
    "dL/dB2 = (2)(-2) + (-2)(0) = -4",
    "dL/dA1 = (4)(-2) + (-4)(1) = -12",
    "dL/dA2 = (4)(1) + (-4)(2) = -4",
]


def earned(lines: list[str]) -> tuple[object, object]:
    marks = marked("\n".join(lines)).marks
    return marks.earned, marks.out_of


def test_relation_13_a_right_page_has_full_marks() -> None:
    assert earned(SOLVED) == (20, 20)


@settings(max_examples=25)
@given(st.permutations(SOLVED))
def test_relation_02_whatever_its_order(lines: list[str]) -> None:
    assert earned(lines) == (20, 20)


@pytest.mark.parametrize("line", SOLVED)
def test_relations_05_to_08_one_line_more_or_less(line: str) -> None:
    at = SOLVED.index(line)
    assert earned([*SOLVED[:at], line, *SOLVED[at:]]) == (20, 20)  # a true line said twice
    without = earned([*SOLVED[:at], *SOLVED[at + 1 :]])
    spoiled = earned([*SOLVED[:at], line.rpartition("=")[0] + "= 77", *SOLVED[at + 1 :]])
    assert without[0] == 20 - (1 if at < 6 else 2)
    assert spoiled[0] < 20 and spoiled[1] == 20  # type: ignore[operator]


@pytest.mark.parametrize("wrong", [5, 7, -3, 50])
def test_relation_17_an_early_wrong_number_carried_on_honestly(wrong: int) -> None:
    """C1 is wrong; D, L and all derivatives are worked out from it by the right rules."""
    slope = 2 * (wrong + 3 - 3)
    carried = [
        FIRST, LAST, f"C1 = {wrong}", SOLVED[3],
        f"D = (1)({wrong}) + (-1)(-3) = {wrong + 3}", f"L = ({wrong + 3} - 3)^2 = {wrong**2}",
        f"dL/dD = 2({wrong + 3} - 3) = {slope}", f"dL/dC1 = ({slope})(1) = {slope}", f"dL/dC2 = ({slope})(-1) = {-slope}",
        f"dL/dB1 = ({slope})(1) + ({-slope})(-1) = {2 * slope}", f"dL/dB2 = ({slope})(-2) + ({-slope})(0) = {-2 * slope}",
        f"dL/dA1 = ({2 * slope})(-2) + ({-2 * slope})(1) = {-6 * slope}",
        f"dL/dA2 = ({2 * slope})(1) + ({-2 * slope})(2) = {-2 * slope}",
    ]  # fmt: skip
    assert earned(carried) == (19, 20)


PIECES = st.sampled_from(
    [*SOLVED, *(line for lines in GARBAGE.values() for line in lines if len(line) < 400), *PLEAS, *ACTIVE]
)


@settings(max_examples=60)
@given(st.lists(PIECES, max_size=12))
def test_any_mixture_is_answered(lines: list[str]) -> None:
    marking = marked("\n".join(lines))
    assert all(judgement.truth == 4 or judgement.name != "dL/dB1" for judgement in marking.judgements)
    assert all(point.why for point in marking.marks.points)


SIGNS = r"C1 B1 dL/dB1 dL dB1 = == => ≈ ( ) [ ] { } $ $$ \frac \boxed{ \left( \right) | ^ _ + - * / · 1 3 4 0.5 , ; : ' \\ & # % ~~ ` ``` <b> -> w_1 x_1 ∂ is the derivative of by and".split()


@settings(max_examples=150)
@given(st.lists(st.sampled_from([*SIGNS, "\n", " ", "\0", "\u202e", "\ud800"]), max_size=40).map(" ".join))
def test_any_text_is_answered(text: str) -> None:
    marked(text)


# -- large pages, in a process with bounds -----------------------------------------------------------------------


def bounded(page: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    code = BOUNDED.format(memory=MEMORY, seconds=SECONDS)
    command = [sys.executable, "-c", code, "mark", str(Q3), str(page), *options]
    return subprocess.run(command, capture_output=True, check=False)


def filled(unit: str, size: int = PAGE - 1_000, width: int = 0) -> str:
    """A text of this size: the unit again and again, in lines of some width."""
    if width:
        unit = (unit * (width // len(unit))) + "\n"
    return unit * (size // len(unit))


LARGE: dict[str, Callable[[], str]] = {
    "40-mebibyte-of-lines": lambda: filled("C1 = 2\n"),
    "40-mebibyte-of-prose": lambda: filled("so the gradient goes back along every arrow. ", width=80),
    "40-blank": lambda: filled("\n"),
    "40-whole-equations": lambda: filled("dL/dB1 = dL/dC1 * dC1/dB1 + dL/dC2 * dC2/dB1 = 3\n"),
    "40-no-number-ever": lambda: filled("C1 = B1\n"),
    "40-own-names": lambda: "".join(f"tmp{n} = tmp{n - 1} + 1\n" for n in range(50_000)),
    "41-one-line": lambda: "C1 = " + "1 + " * 250_000 + "1\n",
    "41-lines-just-readable": lambda: filled("w_1 x_1 + ", width=90_000),
    "41-links": lambda: filled("= C1 ", width=90_000),
    "23-a-million-parentheses": lambda: "C1 = " + "(" * 10**6 + "\n",
    "24-a-million-signs": lambda: "C1 = " + "-" * 10**6 + "1\n",
    "26-open-braces": lambda: filled("C1 = {\n"),
    "42-NUL-on-every-line": lambda: filled("C1 = 2\0" + " and so on" * 3 + "\n"),
    "51-dollars": lambda: filled("$", width=50_000),
    "51-bait": lambda: filled("((((a*)*)*)*)b", width=50_000),
    "61-environments": lambda: filled("\\begin{align}\n"),
    "table": lambda: "| node | value |\n|---|---|\n" + filled("| C1 | 2 |\n"),
}


@pytest.mark.parametrize("kind", LARGE)
def test_items_18_40_41_a_page_of_a_mebibyte_is_answered_within_bounds(kind: str, tmp_path: Path) -> None:
    page = tmp_path / "answer.md"
    page.write_text(f"{FIRST}\n\n{LARGE[kind]()}\n{LAST}\n", encoding="utf-8")
    done = bounded(page, "--format", "json")
    assert done.returncode == 0, done.stderr.decode()[:2000]
    made = json.loads(done.stdout)
    right = {judgement["about"] for judgement in made["judgements"] if judgement["verdict"] == "right"}
    assert "B1" in right and not right - {"B1", "B2", ""}
    assert made["marks"]["out_of"] == 20
    assert all(line["why"] for line in made["unread"])


@pytest.mark.parametrize("format_", ["text", "html"])
def test_item_40_other_formats_of_a_large_page(format_: str, tmp_path: Path) -> None:
    page = tmp_path / "answer.md"
    page.write_text(f"{FIRST}\n" + filled("C1 = 2\n"), encoding="utf-8")
    done = bounded(page, "--format", format_)
    assert done.returncode == 0, done.stderr.decode()[:2000]


def test_item_40_what_is_left_of_a_large_page_is_said_to_be_unread() -> None:
    lines = marked("\n".join(["C1 = 2"] * (LINES + 10))).work.lines
    assert lines[-1].why == "unread" and f"first {LINKS} formulas" in lines[-1].reason
    assert lines[-1].number == LINKS // 2 + 2
    blank = marked("\n" * (LINES + 10) + "B1 = 3")
    assert blank.work.lines[-1].number == LINES + 1 and "20000 lines" in blank.work.lines[-1].reason


CROWDED = {
    "right": filled("dL/dB1 = dL/dC1 * 1 + dL/dC2 * (-1) = 2*1 + (-2)*(-1) = 4\n"),
    "wrong": "".join(
        f"dL/dB1 = dL/dC1 * {k % 7} + dL/dC2 * (-1) = 2*{k % 5} + {k % 11} = {k}\n" for k in range(20_000)
    ),
    "one-chain": filled("B1=" * 300 + "\n"),
    "long-sums": filled("B1 = " + "2*1 + 3 + " * 990 + "1\n"),
    "own-names": "".join(f"q{k} = {k % 7}*B1 + q{max(0, k - 1)} = {k}\n" for k in range(40_000)),
    "table": "| node | value | dL/d· |\n|--|--|--|\n" + filled("| B1 | =2*1+1 = 3 | dL/dC1*1 + dL/dC2*(-1) = 4 |\n"),
    "deep": filled("B1 = " + "(" * 900 + "1" + ")" * 900 + "\n"),
    "signs": filled("$ { | \\ ` * ~~ = "),
}


@pytest.mark.parametrize("kind", CROWDED)
def test_item_40_the_work_on_a_large_page_is_bounded(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes the time is counted: networks worked out with somebody's numbers, and nodes of formulas walked."""
    counted = {"run": 0, "fold": 0}
    for name in counted:
        whole = getattr(worlds, name)

        def counting(*args: Any, name: str = name, whole: Any = whole, **more: Any) -> Any:
            counted[name] += len(postorder(args[0])) if name == "fold" else 1
            return whole(*args, **more)

        monkeypatch.setattr(worlds, name, counting)
    marking = marked(CROWDED[kind][: 2**20])
    assert counted["run"] <= LINKS + 100, counted
    assert counted["fold"] <= 500_000, counted
    assert any(
        line.why == "unread" and ("first" in line.reason or "at most" in line.reason) for line in marking.work.lines
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"%PDF-1.7\n", "a PDF", id="65-pdf"),
        pytest.param(b"\x89PNG\r\n\x1a\n", "a PNG picture", id="65-png"),
        pytest.param(b"\xff\xd8\xff\xe0", "a JPEG picture", id="65-jpeg"),
        pytest.param(b"PK\x03\x04", "a zip archive", id="56-zip"),
        pytest.param(b"\0" * 100 + b"\x80\x04\x95", "is not a text", id="52-bytes"),
    ],
)
def test_items_52_56_65_what_is_no_text(
    data: bytes, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "answer.md"
    page.write_bytes(data)
    status = cli.run(["mark", str(Q3), str(page)])
    said = capsys.readouterr()
    assert (status, said.out) == (2, "")
    assert words in said.err


@pytest.mark.parametrize(
    "data", [b"B1 = 3\n\xff\xfe C1 = 1", b"\xff\xfeB\x001\x00=\x003\x00", "B1 = 3".encode("utf-16"), b"B1 = \x963"]
)
def test_item_42_odd_bytes_lose_no_page(data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "answer.md"
    page.write_bytes(data)
    assert cli.run(["mark", str(Q3), str(page), "--format", "json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["judgements"][0]["about"] == "B1"


def test_item_40_a_file_of_200_megabytes_is_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "answer.md"
    with page.open("wb") as file:
        file.truncate(200_000_000)
    assert cli.run(["mark", str(Q3), str(page)]) == 2
    assert "200000000 bytes" in capsys.readouterr().err


def test_item_69_what_is_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("missing.md", "."):
        assert cli.run(["mark", str(Q3), str(tmp_path / name)]) == 2
    said = capsys.readouterr()
    assert said.out == "" and "There is no file" in said.err and "is a folder" in said.err


@pytest.mark.parametrize(
    "name", ["-rf.md", "<img src=x onerror=alert(1)>.md", "a b\n.md", "%s {} \\input.md", "ü" * 60 + ".md"]
)
def test_item_68_names_of_files_are_only_names(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / name
    page.write_text(FIRST, encoding="utf-8")
    for format_ in ("html", "latex", "json"):
        assert cli.run(["mark", "--format", format_, str(Q3), str(page)]) == 0
        said = capsys.readouterr()
        assert "<img src=x" not in said.out or format_ != "html"


def test_a_bad_policy_is_an_error_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, rules = tmp_path / "answer.md", tmp_path / "rules.toml"
    page.write_text(FIRST, encoding="utf-8")
    rules.write_text("[derivative]\nmethd = 1\n", encoding="utf-8")
    assert cli.run(["mark", str(Q3), str(page), "--policy", str(rules)]) == 2
    said = capsys.readouterr()
    assert said.out == "" and f"{rules}:2:1: There is no key methd" in said.err


def test_the_truth_is_known_here() -> None:
    """The numbers above are those of the network."""
    marking = marked("\n".join(SOLVED))
    assert {str(j.about): j.truth for j in marking.judgements if isinstance(j.about, Derivative)}["dL/dA1"] == -12
