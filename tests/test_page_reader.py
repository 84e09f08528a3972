"""Reading answers: how a spelling is read, whole pages by different hands, and that nothing on a page raises.

`reading/spellings.txt` has a spelling and, indented, what it says: a chain a line, `..` before one that leads on from
the chain before, `note` before one at the side (deeper notes further in), `struck` before one that is struck out;
[brackets] around a link that could not be read, with the reason; `boxed`, `at` and `~2` (decimals shown) behind a link.
Each page `reading/*.md` has its reading beside it, as `.txt`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backhand.core import answers
from backhand.core.answers import DIFFERENTIATE, PRIME, folded, slopes_in, worked_out
from backhand.core.formula import Apply, Ref, Slope, to_text
from backhand.errors import ReadError
from backhand.marking.work import Chain, Line, Piece, Work
from backhand.readers.page import PAGE, read_work
from backhand.text import Source

READING = Path(__file__).parent / "reading"
PAGES = sorted(READING.glob("*.md"))


def read(*texts: str) -> Work:
    return read_work([Source(text, f"page {number}") for number, text in enumerate(texts, 1)])


# -- a reading as text -------------------------------------------------------------------------------------------


def shown(work: Work) -> Iterator[str]:
    for line in work.lines:
        if line.chains or line.why == "unread":
            yield f"{line.number}" + (f" unread: {line.reason}" if line.why == "unread" else "")
            yield from (f"    {chain_text(chain)}" for chain in line.chains)
    yield from (
        f"repair {repair.said} to {repair.meant} at {repair.span.line}:{repair.span.column}" for repair in work.repairs
    )
    yield from (f"decision {words}" for words in work.decisions)


def chain_text(chain: Chain) -> str:
    before = "  " * max(0, chain.level - 1) + "note " * chain.note + "struck " * chain.struck + ".. " * chain.leads_on
    return before + " ".join(piece_text(piece) for piece in chain.pieces)


def piece_text(piece: Piece) -> str:
    said = f"[{piece.text}: {piece.reason}]" if piece.formula is None else to_text(piece.formula)
    marks = " boxed" * piece.boxed + "".join(f" at {name}={value}" for name, value in piece.at)
    digits = f" ~{piece.digits}" if piece.digits else ""
    return f"{piece.relation} {said}{marks}{digits}".lstrip()


def spellings() -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    for line in (READING / "spellings.txt").read_text("utf-8").splitlines():
        if line.startswith("    "):
            found[-1][1].append(line[4:])
        elif line:
            found.append((line, []))
    return found


@pytest.mark.parametrize(("spelling", "reading"), spellings(), ids=[text for text, _ in spellings()])
def test_a_spelling_is_read_as_what_it_means(spelling: str, reading: list[str]) -> None:
    found = [line.removeprefix("    ") for line in shown(read(spelling)) if line != "1"]
    assert [line.removeprefix("1 ") for line in found] == reading


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_a_page_is_read_as_written_beside_it(page: Path) -> None:
    assert list(shown(read(page.read_text("utf-8")))) == page.with_suffix(".txt").read_text("utf-8").splitlines()


# -- the founding page ---------------------------------------------------------------------------------------------


def line_of(work: Work, number: int) -> Line:
    return next(line for line in work.lines if line.number == number)


def test_every_line_with_mathematics_of_the_founding_page_is_read() -> None:
    work = read((READING / "founding-page.md").read_text("utf-8"))
    assert not [line.number for line in work.lines if line.why == "unread"]
    assert not [piece.reason for line in work.lines for chain in line.chains for piece in chain.pieces if piece.reason]
    read_lines = [line.number for line in work.lines if line.chains]
    assert read_lines == [*range(12, 37, 2), 39, 41, 43, 45, 47, *range(51, 84, 2)]


def test_side_notes_of_the_founding_page_keep_their_depth() -> None:
    work = read((READING / "founding-page.md").read_text("utf-8"))
    chains = line_of(work, 73).chains
    assert [(chain.level, chain.note, chain.leads_on) for chain in chains] == [
        (0, False, False), (1, True, False), (2, True, False), (2, True, False), (1, True, True),
    ]  # fmt: skip


def test_the_boxed_number_is_marked() -> None:
    chain = line_of(read((READING / "founding-page.md").read_text("utf-8")), 53).chains[0]
    assert [piece.boxed for piece in chain.pieces] == [False, False, True]
    assert chain.leads_on and chain.pieces[0].relation == "=>"


# -- places ----------------------------------------------------------------------------------------------------------


def test_every_link_keeps_its_line_and_column() -> None:
    work = read("first\r\n\n- so $\\frac{dL}{dB_1}$ = 2(1) + 2 = \\boxed{4}.")
    pieces = work.lines[2].chains[0].pieces
    assert [(piece.span.line, piece.span.column) for piece in pieces] == [(3, 7), (3, 26), (3, 44)]
    assert [piece.text for piece in pieces] == [r"\frac{dL}{dB_1}", "2(1) + 2", "4"]


def test_every_node_of_a_formula_keeps_its_place() -> None:
    formula = read("D = 2(A_1 - 3)").lines[0].chains[0].pieces[1].formula
    assert isinstance(formula, Apply)
    assert [arg.span.text for arg in formula.args if arg.span] == ["2", "(A_1 - 3)"]


def test_several_files_are_one_answer() -> None:
    work = read("B1 = 3", "C1 = 1")
    assert [line.chains[0].span.source.name for line in work.lines] == ["page 1", "page 2"]


# -- names, and derivatives to be taken ---------------------------------------------------------------------------


def test_spellings_of_one_name_fold_alike() -> None:
    assert {folded(name) for name in ("B_1", "B1", "B_{1}", "B₁".translate({0x2081: "1"}))} == {"B1"}


@pytest.mark.parametrize(
    ("name", "pair"),
    [
        ("dB1", ("", "B1")),
        ("dh1_dwh", ("h1", "wh")),
        ("dL_dB1", ("L", "B1")),
        ("dnet_h1_dw1", ("net_h1", "w1")),
        ("L_{B_1}", ("L", "B_1")),
        ("grad_B1", ("", "B1")),
        ("B1_grad", ("", "B1")),
    ],
)
def test_a_name_may_be_a_derivative(name: str, pair: tuple[str, str]) -> None:
    assert pair in slopes_in(name)


def link(text: str, number: int = 0) -> object:
    return read(text).lines[0].chains[0].pieces[number].formula


def test_derivatives_written_as_operators_can_be_taken() -> None:
    operator = link(r"$\frac{d}{dD}(D-3)^2 = 2$")
    assert isinstance(operator, Apply) and operator.operation is DIFFERENTIATE
    assert to_text(worked_out(operator)) == "(2 (D - 3))"
    prime = link("(D-3)' = 1")
    assert isinstance(prime, Apply) and prime.operation is PRIME
    assert to_text(worked_out(prime)) == "(1)"


def test_a_prime_by_one_of_two_names_needs_to_be_told() -> None:
    prime = link("(D-t)' = 1")
    assert isinstance(prime, Apply)
    with pytest.raises(ReadError, match="several names"):
        worked_out(prime)
    assert to_text(worked_out(prime, by="D")) == "(1)"


def test_what_varies_along_is_not_forgotten() -> None:
    operator = link(r"$\frac{\partial}{\partial B_1}(2C_1 + C_2) = 2$")
    assert isinstance(operator, Apply)
    made = worked_out(operator, depends=lambda name, by: (name, by) == ("C_1", "B_1"))
    assert "dC_1/dB_1" in to_text(made) and "dC_2" not in to_text(made)


def test_derivatives_of_names_are_one_thing() -> None:
    assert link(r"$\frac{d}{dD} L = 2$") == Slope("L", "D")
    assert link("D = 1") == Ref("D")


# -- pages that are hard --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["", "   ", "\ufeff", "\0", "\ud800", "\u202edL/dB1 = 4", "$" * 5_000, "((((a*)*)*)*)b" * 500, "9^9^9 = 3"]
)
def test_nothing_raises(text: str) -> None:
    check(text)


@pytest.mark.parametrize(
    "text", [r"\input{/etc/passwd} = 3", r"\def\x{\x}\x = 2", r"\write18{rm} = 1", "__import__('os').system('x') = 1"]
)
def test_commands_are_not_carried_out_and_say_so(text: str) -> None:
    line = read(text).lines[0]
    assert line.why == "unread" or any(piece.reason for chain in line.chains for piece in chain.pieces)


def test_line_ends_of_all_kinds_count_once() -> None:
    work = read("A = 1\r\nB = 2\rC = 3\u2028D = 4\u0085E = 5")
    assert [line.number for line in work.lines] == [1, 2, 3, 4, 5]


def test_prose_is_not_unread() -> None:
    work = read("I could not do the last part.\n\n# Part (b), 50%\n\nSee page 3 (about B1 and B2)!")
    assert {line.why for line in work.lines} == {"prose", "empty"}


def test_a_page_past_the_limit_is_read_up_to_it() -> None:
    work = read("B1 = 3\n" + "x" * PAGE)
    assert work.lines[0].chains and work.lines[-1].why == "unread"


HARD = {
    "parentheses": "(" * 90_000 + "\n",
    "signs": "-" * 90_000 + "\n",
    "ticks": "`a``b```" * 11_000 + "\n",
    "displays": "\\[\n" * 20_000,
    "environments": "\\begin{align}\n" * 7_000,
    "fractions": "\\frac{d" * 12_000 + "\n",
    "slopes": "d/" * 45_000 + "\n",
    "commas": "a," * 45_000 + "=1\n",
    "words": "the gradient at the " * 4_500 + "\n",
    "cells": "|$" * 45_000 + "\n|-|\n",
    "rules": "|-" + " " * 90_000 + "x\n|-" + " " * 90_000 + "x\n",
    "sum": "1+" * 45_000 + "\n",
    "blanks": "\n" * 90_000,
}


@pytest.mark.parametrize("kind", HARD)
def test_time_grows_with_the_page_and_no_faster(kind: str) -> None:
    start = time.process_time()
    check(HARD[kind])
    assert time.process_time() - start < 10


# -- any text at all -------------------------------------------------------------------------------------------------

SIGNS = [
    *r"\frac \left \right \{ { } ( ) [ ] | _ ^ = \Rightarrow \boxed{ $ $$ \( \) \[ \] & \\ \begin{array}{l} \end{array}".split(),
    *r"\begin{cases} dL/dB1 \partial L B_1 12 0.5 , . ; : -> ~~ ` ``` ' the gradient at is and \text{ \sqrt \bar \hat d".split(),
    *r"/ \sigma \ln tanh x O l — − ² ½ √ > - # \begin{align} \end{align} \max |_{ \nabla e ... \def are value".split(),
    "\n", " ", "|---|", "| a | b |\n", "\u202e", "\0", "\ud800",
]  # fmt: skip


def check(text: str) -> None:
    """What must hold for any text."""
    source = Source(text)
    for line in read_work([source]).lines:
        assert 1 <= line.number <= len(source.line_starts)
        assert 0 <= line.span.start <= line.span.end <= len(text)
        assert line.chains or line.why
        for chain in line.chains:
            assert chain.pieces and 0 <= chain.span.start <= chain.span.end <= len(text)
            for piece in chain.pieces:
                assert 0 <= piece.span.start <= piece.span.end <= len(text)
                assert piece.text == piece.span.text
                assert (piece.formula is None) == bool(piece.reason)


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    check(text)


@settings(max_examples=400)
@given(st.lists(st.sampled_from(SIGNS), max_size=50), st.sampled_from(["", " "]))
def test_any_signs_of_mathematics_are_read(signs: list[str], between: str) -> None:
    check(between.join(signs))


@given(st.sampled_from(PAGES), st.lists(st.tuples(st.integers(0, 4000), st.sampled_from(SIGNS)), max_size=8))
def test_any_spoiled_page_is_read(page: Path, changes: list[tuple[int, str]]) -> None:
    text = page.read_text("utf-8")
    for at, sign in changes:
        at %= len(text) + 1
        text = text[:at] + sign + text[at + 1 :]
    check(text)


@given(st.integers(-999, 999), st.integers(0, 4))
def test_numbers_are_read_exactly(number: int, places: int) -> None:
    text = f"{number / 10**places:.{places}f}"
    piece = read(f"x = {text}").lines[0].chains[0].pieces[1]
    assert piece.digits == places
    formula = piece.formula
    sign = 1
    if isinstance(formula, Apply):
        formula, sign = formula.args[0], -1
    assert formula is not None and sign * getattr(formula, "value", 0) == Fraction(text)


# -- the tables ------------------------------------------------------------------------------------------------------


def test_the_stored_tables_are_those_of_the_grammar() -> None:
    import json

    stored = json.loads(answers.TABLES.read_text("utf-8"))
    assert stored["digest"] == answers.digest()


def test_the_grammar_can_be_read_in_one_way_only() -> None:
    from lark import Lark

    Lark(answers.grammar(), parser="lalr", start="formula", strict=True)
