"""Anything at all, thrown at the reader; and everything that is read, sent through solving and writing.

Only the errors of `backhand.errors` may come out. The examples are drawn by hypothesis, which shrinks what
fails to the shortest text that still does.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import backhand
from backhand.core.graph import Graph
from backhand.core.operations import CONSTANTS, FUNCTIONS, arities
from backhand.errors import BackhandError, CheckError, SeveralErrors
from backhand.readers import read_text
from backhand.solving.solution import Solution

EXAMPLES = [path.read_text("utf-8") for path in sorted((Path(__file__).parent.parent / "examples").glob("*.bh"))]

PIECES = [
    *"=+-*/^(),:?.#[]{}'_; \t\n\r\\$&%@~|<>",
    *(
        "->",
        "**",
        "--",
        "=\n",
        "\n\n",
        "input ",
        "weight ",
        "bias ",
        "target ",
        "constant ",
        "ask ",
        "values",
        "derivatives of ",
    ),
    *(
        "x",
        "y",
        "L",
        "A1",
        "w1",
        "w[A1,B1]",
        "z[B1]",
        "b[B1]",
        "c#1",
        "x'",
        "x_{in}",
        "dL/dx",
        "α",
        "σ",
        "e",
        "pi",
        "nan",
    ),
    *(
        "0",
        "1",
        "-2",
        "0.5",
        "1e3",
        "1e-3",
        ".5",
        "1.",
        "10",
        "²",
        "₁",
        "⁻¹",
        "½",
        "−",
        "·",
        "×",
        "\u2028",
        "\ufeff",
        "\u202e",
        "\0",
    ),
    *("x = 2\n", "y = x^2\n", "A1 -> B1 : 2\n", "B1 : sigmoid, bias 1\n", "sin(", "max(", "sqrt(", "ln(", "exp("),
]
"""What networks are made of, in no order."""


def errors(error: BackhandError) -> Iterator[BackhandError]:
    yield from error.errors if isinstance(error, SeveralErrors) else (error,)


def is_inside(error: BackhandError, text: str) -> bool:
    """Whether the place of an error is one of the file, so that an editor can go there."""
    if error.span is None:
        return True
    lines = re.split("\r\n|[\n\r\u2028\u2029\u0085]", text.removeprefix("\ufeff"))
    line, column = error.span.line, error.span.column
    return 1 <= line <= len(lines) and 1 <= column <= len(lines[line - 1]) + 1


def reads_or_refuses(text: str) -> Graph | None:
    """The network, or None if it was refused as it should be: with a sentence, a place and a caret."""
    try:
        return read_text(text, "net.bh")
    except CheckError:
        raise
    except BackhandError as refused:
        for error in errors(refused):
            assert error.what
            assert is_inside(error, text), str(error)
            assert "\n" not in error.sentence
            assert error.span is None or str(error).splitlines()[-1].strip("^ ") == ""
        return None


def solves_or_refuses(graph: Graph) -> Solution | None:
    try:
        return backhand.solve(graph)
    except CheckError:
        raise
    except BackhandError:
        return None


def text_and_json(solution: Solution) -> None:
    """Both are written, and neither has a number that is none."""
    from backhand.display import formatted

    made = json.loads("".join(formatted(solution, "json")), parse_constant=pytest.fail)
    assert set(made["values"]) == set(solution.values)
    for detail in ("brief", "steps", "full"):
        page = "".join(formatted(solution, "text", detail=detail))
        assert not re.search(r"(?<![\w'}\]#])[+-]?(nan|inf|infinity)(?![\w\[({'#])", page, re.IGNORECASE), page


# -- anything -----------------------------------------------------------------------------------------------------


@given(st.text(max_size=200))
@example("x=1e\ny=x")
@example("x = 0\ny = x^x")
def test_any_text_is_read_or_refused(text: str) -> None:
    reads_or_refuses(text)


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_any_row_of_pieces_is_read_or_refused_and_what_is_read_is_solved_and_written(text: str) -> None:
    graph = reads_or_refuses(text)
    solution = None if graph is None else solves_or_refuses(graph)
    if solution is not None:
        text_and_json(solution)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """An example with a few pieces taken out, doubled, put in or exchanged."""
    text = draw(st.sampled_from(EXAMPLES))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 8)))
        middle = draw(st.one_of(st.sampled_from(["", text[start:end] * 2]), st.sampled_from(PIECES)))
        text = text[:start] + middle + text[end:]
    return text


@given(mutated())
def test_a_spoilt_network_is_read_or_refused_and_what_is_read_is_solved(text: str) -> None:
    graph = reads_or_refuses(text)
    if graph is not None:
        solves_or_refuses(graph)


@given(st.binary(max_size=60) | st.text(max_size=30).map(lambda text: text.encode("utf-16")))
def test_any_bytes_are_text_or_refused(data: bytes) -> None:
    from backhand.readers import decode

    try:
        text = decode(data, "net.bh")
    except BackhandError as refused:
        text = str(refused)
    assert isinstance(text, str)


# -- networks by the grammar ----------------------------------------------------------------------------------------

NAMES = ["x", "y1", "A_1", "w'", "h_{in}", "α", "K", "σ", "exp", "e", "dx", "u_2'", "input", "Z"]
NUMBERS = ["0", "1", "2", "3", "0.5", "1/3", "-1", "-2", "0.10", "1e2", "2e-3", "½", "007", "12.", ".25"]
"""Those with a sign or a bar only as values; in formulas they are written as such."""

PLAIN = [number for number in NUMBERS if number.replace(".", "").isascii() and number[0] != "-" and "/" not in number]


def formulas(names: list[str], every: list[str]) -> st.SearchStrategy[str]:
    """Formulas in some names, as text, in all the ways in which formulas are written."""
    atoms = st.sampled_from([*names, *names, *PLAIN, *(c for c in CONSTANTS if c not in every)])
    free = sorted(name for name in FUNCTIONS if name not in every)

    def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        between = st.sampled_from([" + ", " - ", "*", "·", "/", " / "])
        calls = st.sampled_from(free).flatmap(
            lambda name: st.sampled_from(arities(name)).flatmap(
                lambda count: st.lists(inner, min_size=count, max_size=count).map(
                    lambda args: f"{name}({', '.join(args)})"
                )
            )
        )
        return st.one_of(
            st.tuples(inner, between, inner).map("".join),
            st.tuples(inner, inner).map(lambda both: f"({both[0]}) ({both[1]})"),
            st.tuples(st.sampled_from(PLAIN), st.sampled_from(names)).map(" ".join),
            st.tuples(inner, st.sampled_from(["^2", "²", "^(1/2)", "^-1", "**3", "^x" if "x" in names else "^2"])).map(
                lambda both: f"({both[0]}){both[1]}"
            ),
            inner.map(lambda text: f"-{text}"),
            inner.map(lambda text: f"({text})"),
            calls,
        )

    return st.recursive(atoms, larger, max_leaves=8)


@st.composite
def networks(draw: st.DrawFn) -> str:
    """Given quantities, then equations and drawn units, in any order of lines."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=3, max_size=9, unique=True))
    given_count = draw(st.integers(1, len(names) - 1))
    lines: list[str] = []
    for name in names[:given_count]:
        kind = draw(st.sampled_from(["", "input ", "weight ", "bias ", "target ", "constant "]))
        lines.append(f"{kind}{name} = {draw(st.sampled_from([*NUMBERS, '?']))}")
    for position, name in enumerate(names[given_count:], start=given_count):
        known = names[:position]
        if draw(st.booleans()):
            lines.append(f"{name} = {draw(st.sampled_from(known))} + {draw(formulas(known, names))}")
            continue
        tails = draw(st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True))
        lines += [f"{tail} -> {name} : {draw(st.sampled_from([*NUMBERS, '?']))}" for tail in tails]
        parts = [
            draw(st.sampled_from(["tanh", "sigmoid", "relu", "leaky_relu(0.1)", ""])),
            draw(st.sampled_from(["bias 1", "bias ?", ""])),
        ]
        if any(parts):
            lines.append(f"{name} : {', '.join(part for part in parts if part)}")
    if draw(st.booleans()):
        asked = names[-1]
        lines.append(
            draw(st.sampled_from(["ask values", f"ask derivatives of {asked}", f"ask {asked}, values, pairs"]))
        )
    return "\n".join(draw(st.permutations(lines)))


@given(networks())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_a_network_prints_as_text_that_reads_back_equal(text: str) -> None:
    graph = reads_or_refuses(text)
    if graph is None:
        return  # 1/0 or ln(-1) among its given numbers
    again = read_text(str(graph), "printed.bh")
    assert again == graph
    assert str(again) == str(graph)


def test_most_networks_of_the_grammar_are_read() -> None:
    """A generator whose networks were all refused would test nothing."""
    read = []

    @given(networks())
    @settings(max_examples=50, database=None)
    def count(text: str) -> None:
        read.append(reads_or_refuses(text) is not None)

    count()
    assert sum(read) > 0.8 * len(read)


@given(networks())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_what_can_be_solved_can_be_written_without_nan_or_infinity(text: str) -> None:
    graph = reads_or_refuses(text)
    solution = None if graph is None else solves_or_refuses(graph)
    if solution is not None:
        text_and_json(solution)
        assert all(notice.words for notice in solution.notices)


@given(networks())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_exact_numbers_and_floats_tell_one_story(text: str) -> None:
    """Where both know a derivative and nothing cancelled or stood at a corner, it is the same one."""
    graph = reads_or_refuses(text)
    solution = None if graph is None else solves_or_refuses(graph)
    if graph is None or solution is None or solution.notices:
        return
    rounded = backhand.solve(graph, numbers="float")
    if any("cancel" in notice.words or "too" in notice.words for notice in rounded.notices):
        return
    for name, exact in solution.derivatives.items():
        other = rounded.derivative(name)
        if not isinstance(exact, float) and hasattr(exact, "numerator") and isinstance(other, float):
            assert math.isclose(other, exact, rel_tol=1e-6, abs_tol=1e-9), name
