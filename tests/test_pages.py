"""Pages that people write, each with the marking it must get: `tests/pages/GROUP/NAME.md`, described in its README.

Three questions are asked of every file. Is it well made, and does its table tell the truth about its network? Does the
marker judge the page as the table says? And over the group `coverage`: how many of the claims are read at all?
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from marked_pages import marked_page, together

import backhand
from backhand.checking.mistakes import MISTAKE
from backhand.marking.marking import Marking
from backhand.marking.misconceptions import by_key

PAGES = Path(__file__).parent / "pages"
FILES = sorted(path for path in PAGES.glob("*/*.md") if path.name != "causes.md")
COVERAGE = [path for path in FILES if path.parent.name == "coverage"]

KINDS = ("value", "total", "local", "given", "formula")
VERDICTS = ("right", "follows", "wrong", "unclear")

every_file = pytest.mark.parametrize(
    "path", [pytest.param(path, id=f"{path.parent.name}/{path.stem}", marks=together(path)) for path in FILES]
)


# -- a file --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A line of the table; names, kinds and verdicts have several entries where several are acceptable."""

    line: int
    abouts: tuple[str, ...]
    kinds: tuple[str, ...]
    said: str
    verdicts: tuple[str, ...]

    @property
    def about(self) -> str:
        """What it is about at best; empty for an equality about nothing named."""
        return self.abouts[0]

    def __str__(self) -> str:
        return f"line {self.line}: {self.about or 'equality'} = {self.said or '(no number)'}"


@dataclass(frozen=True)
class Expected:
    path: Path
    title: str
    about: str
    net: str
    page: str
    rows: tuple[Row, ...]
    first_wrong: tuple[tuple[int, tuple[str, ...]], ...]
    """Acceptable places: a line and the names it may be about; empty where nothing is wrong."""
    may_be_none: bool
    """Whether it is acceptable, too, to find nothing wrong."""
    habits: tuple[frozenset[str], ...]
    """Each is a set of acceptable keys; "none" among them means that it may stay unnamed."""
    remarks: frozenset[int]
    perhaps: frozenset[int]
    """Lines that must have a remark, and those that may."""
    prose: frozenset[int]
    by_luck: frozenset[int]
    """Lines with a true number found by a wrong rule."""
    convention: str = ""
    """How derivatives of arrays are understood on the page, if not as everywhere."""


def several(names: str) -> tuple[str, ...]:
    """`s or nothing`: about s, or about nothing named."""
    return tuple("" if name == "nothing" else name for name in names.split(" or "))


def parse(path: Path) -> Expected:
    """Read a file, or fail with its name, the line, and what was expected there."""
    lines = path.read_text("utf-8").split("\n")
    position = 0

    def fail(message: str, at: int | None = None) -> NoReturn:
        pytest.fail(f"{path.parent.name}/{path.name}:{(position if at is None else at) + 1}: {message}", pytrace=False)

    def block(heading: str, fence: str, info: str = "") -> tuple[list[str], int]:
        nonlocal position
        while position < len(lines) and not lines[position].strip():
            position += 1
        if position >= len(lines) or lines[position] != f"## {heading}":
            fail(f"expected the heading `## {heading}`")
        if lines[position + 1 : position + 2] != [fence + info]:
            fail(f"expected {fence + info} right below `## {heading}`", position + 1)
        start = position + 2
        try:
            position = lines.index(fence, start) + 1
        except ValueError:
            fail(f"the block that begins here has no closing {fence}", position + 1)
        return lines[start : position - 1], start

    if not lines[0].startswith("# ") or not lines[0][2:].strip():
        fail("expected a title: `# What the page is about`")
    position = 1
    while position < len(lines) and not lines[position].startswith("## "):
        position += 1
    told = " ".join(line.strip() for line in lines[1:position] if line.strip())
    if not told:
        fail("expected a line or two that say who writes, and what happens on the page")

    net, _ = block("Net", "```", "bh")
    page, _ = block("Page", "~~~~")
    while position < len(lines) and not lines[position].strip():
        position += 1
    for wanted in ("## Marking", "| line | about | kind | said | verdict |", "|--:|---|---|---|---|"):
        if position >= len(lines) or lines[position] != wanted:
            fail(f"expected `{wanted}`")
        position += 1
    rows: list[Row] = []
    while position < len(lines) and lines[position].startswith("|"):
        cells = [cell.strip() for cell in lines[position].strip().removeprefix("|").removesuffix("|").split("|")]
        if len(cells) != 5:
            fail(f"a row has five cells, this one has {len(cells)}")
        number, about, kinds, said, verdicts = cells
        if not number.isdigit() or not 1 <= int(number) <= len(page):
            fail(f"the page has lines 1 to {len(page)}, not {number}")
        for found, known in ((kinds, KINDS), (verdicts, VERDICTS)):
            if unknown := [word for word in found.split(" or ") if word not in known]:
                fail(f"{unknown[0]!r} is not one of {', '.join(known)}")
        rows.append(Row(int(number), several(about), tuple(kinds.split(" or ")), said, tuple(verdicts.split(" or "))))
        position += 1
    if not rows:
        fail("the table is empty")

    facts: dict[str, tuple[str, int]] = {}
    for position in range(position, len(lines)):  # noqa: B020 - the rest of the file
        if not lines[position].strip():
            continue
        key, colon, rest = lines[position].partition(":")
        if (
            not colon
            or key not in ("first wrong", "habits", "remarks", "prose", "by luck", "convention")
            or key in facts
        ):
            fail(
                "expected, once each: `first wrong: ...`, `habits: ...`, `remarks: ...`, `prose: ...`, `by luck: ...`, "
                "`convention: ...`"
            )
        facts[key] = rest.strip(), position
    for key in ("first wrong", "habits", "remarks"):
        if key not in facts:
            fail(f"`{key}: ...` (or `{key}: none`) is missing", len(lines) - 1)

    def numbers(key: str) -> dict[int, bool]:
        """Line numbers, each with whether it is only a `perhaps`."""
        found: dict[int, bool] = {}
        text, at = facts.get(key, ("none", 0))
        for part in text.split(",") if text != "none" else []:
            match = re.fullmatch(r"\s*(perhaps )?(?:lines? )?(\d+)\s*", part)
            if match is None or not 1 <= int(match[2]) <= len(page):
                fail(f"expected line numbers of the page: `{key}: line 3, line 7`", at)
            found[int(match[2])] = bool(match[1])
        return found

    text, at = facts["first wrong"]
    first: list[tuple[int, tuple[str, ...]]] = []
    for part in text.removesuffix(" or none").split(" or line ") if text != "none" else []:
        match = re.fullmatch(r"(?:line )?(\d+), (.+)", part)
        if match is None:
            fail("expected `first wrong: line 9, dL/dB1`, or `first wrong: none`", at)
        first.append((int(match[1]), several(match[2])))

    text, at = facts["habits"]
    habits: list[frozenset[str]] = []
    for part in text.split(",") if text != "none" else []:
        keys = frozenset(part.strip().removeprefix("either ").split(" or "))
        if unknown := sorted(keys - by_key().keys() - MISTAKE.keys() - {"none"}):
            fail(f"there is no habit called {unknown[0]!r}", at)
        habits.append(keys)

    remarked = numbers("remarks")
    return Expected(
        path, lines[0][2:].strip(), told, "\n".join(net), "\n".join(page), tuple(rows), tuple(first),
        facts["first wrong"][0].endswith(" or none"), tuple(habits),
        frozenset(n for n, perhaps in remarked.items() if not perhaps),
        frozenset(n for n, perhaps in remarked.items() if perhaps),
        frozenset(numbers("prose")), frozenset(numbers("by luck")), facts.get("convention", ("", 0))[0],
    )  # fmt: skip


# -- numbers as people write them ----------------------------------------------------------------------------

LATEX_FRACTION = re.compile(r"\\[dt]?frac\s*(?:\{([^{}]*)\}|(\d))\s*(?:\{([^{}]*)\}|(\d))")


def amount(said: str) -> tuple[Fraction, Fraction] | None:
    """The number, and one unit of its last digit (0 where it is exact); None for what is no number."""
    text = LATEX_FRACTION.sub(lambda m: f"{m[1] or m[2]}/{m[3] or m[4]}", said)
    text = re.sub(r"\{,\}|(?<=\d),(?=\d)", ".", text)
    text = text.replace("½", "1/2").replace("−", "-").replace("–", "-").replace("—", "-")
    text = re.sub(r"\\(?:times|cdot)|×|·", "*", text)
    text = re.sub(r"\s*\*\s*10\s*(?:\^|\*\*)?\s*(-?\d+|\{-?\d+\}|\(-?\d+\))", lambda m: "e" + m[1].strip("{}()"), text)
    text = re.sub(r"[\s$()]|\\[,;!]", "", text)
    percent = Fraction(1, 100) if text.endswith("%") else Fraction(1)
    text = text.removesuffix("%").removesuffix("\\")
    if re.fullmatch(r"[-\d.OolI]+", text):  # a scanner's letters
        text = text.translate(str.maketrans("OolI", "0011"))
    parts = re.fullmatch(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?:/(-?\d+(?:\.\d+)?))?", text)
    if parts is None:
        return None
    value = percent * Fraction(parts[1])
    if parts[2]:
        return (value / Fraction(parts[2]), Fraction(0)) if Fraction(parts[2]) else None
    mantissa, _, exponent = parts[1].lower().partition("e")
    _, point, decimals = mantissa.partition(".")
    return value, percent * Fraction(10) ** (int(exponent or 0) - len(decimals)) if point and decimals else Fraction(0)


NUMBERS = re.compile(r"[-−]?\s?\d+(?:\.\d*)?(?:e[-+]?\d+)?")


def array_of(said: str) -> list[tuple[Fraction, Fraction]] | None:
    """The numbers of `[[1, 2], [3, 4]]`, each with a unit of its last digit; None for what is no array."""
    if not said.startswith("["):
        return None
    cells = re.findall(r"[^\[\],]+", said)
    return [found for cell in cells if cell.strip() and (found := amount(cell)) is not None]


def array_near(said: str, truth: Any) -> bool:
    """The same for each number of an array, in the shape it is written in."""
    found, flat = array_of(said), np.ravel(np.asarray(truth, float))
    assert found is not None
    if len(found) != len(flat):
        return False
    return all(
        abs(float(value) - true) <= max(float(unit) * 2.5, abs(true) / 10**7, 1e-12)
        for (value, unit), true in zip(found, flat, strict=True)
    )


def as_understood(expected: Expected, solution: backhand.Solution, row: Row, true: Any) -> Any:
    """A derivative as the page's convention has it: of each example, without the 1/m of the mean, or turned."""
    _, _, by = row.about.partition("/d")
    if not by or not expected.convention:
        return true
    quantity = solution.graph[by]
    if expected.convention == "each example":
        examples = solution.graph["X"].shape[1]
        return true if quantity.kind in ("weight", "bias") else np.asarray(true, float) * examples
    return np.asarray(true, float).T


def stands_there(row: Row, page: list[str]) -> bool:
    """Whether a number stands on its line, or the numbers of an array on it and the lines after it."""
    found = array_of(row.said)
    if found is None:
        return row.said in page[row.line - 1]
    text = " ".join(page[row.line - 1 : row.line + 12])
    text = re.sub(r"\[(?:\d+,|,\d+)\](?=\s)", " ", text)  # the places that R prints
    wanted = [value for value, _ in found]
    for each in (text, re.sub(r"(?<=\d),(?=\d)", ".", text), re.sub(r"(?<=[-{]) (?=\d)", "", text)):
        there = [amount(number.rstrip(".")) for number in NUMBERS.findall(each)]
        values = [number[0] for number in there if number is not None]
        if any(values[at : at + len(wanted)] == wanted for at in range(len(values))):
            return True
    return False


def near(said: str, truth: Fraction) -> bool:
    """True to its digits, or rounded once too early: within two and a half units of the last digit.

    Many digits, as a program prints them, may be a little further off."""
    found = amount(said)
    assert found is not None
    value, unit = found
    return abs(value - truth) <= max(unit * Fraction(5, 2), abs(truth) / 10**7, Fraction(1, 10**12))


def agrees(row: Row, judgement: Any) -> bool:
    """Whether the number was read as it stands: the same number, or where there is none the same text."""
    listed = array_of(row.said)
    if listed is not None:
        numbers = getattr(judgement, "numbers", None)
        if numbers is None and judgement.said.startswith("["):
            return array_of(judgement.said) == listed
        return (
            numbers is not None
            and len(numbers) == len(listed)
            and np.allclose([float(value) for value, _ in listed], numbers, rtol=1e-9, atol=1e-12)
        )
    found = amount(row.said)
    if found is not None and isinstance(judgement.value, (int, float, Fraction)):
        return math.isclose(found[0], judgement.value, rel_tol=1e-12, abs_tol=1e-300)
    read = amount(judgement.said)
    if found is not None and read is not None:
        return found[0] == read[0]
    return re.sub(r"\s", "", row.said) == re.sub(r"\s", "", judgement.said)


# -- is the file well made, and does it tell the truth? ------------------------------------------------------


@cache
def solved(net: str) -> backhand.Solution:
    graph = backhand.read(net)
    return backhand.solve(graph, pairs=not graph.arrays)


def truth(solution: backhand.Solution, row: Row, kind: str) -> Fraction | None:
    """What the number of a row should be, if it is of this kind; None where there is none."""
    found: Any
    if kind == "formula":
        return None
    if solution.graph.arrays:
        return array_truth(solution, row.about)
    if kind in ("value", "given"):
        found = solution.value(row.about)
    else:
        of, by = ends(solution, row.about)
        if kind == "local" or solution.pairs is None:
            found = solution.local_step(of, by).result
        elif of in solution.pairs:
            found = solution.pairs[of].get(by, Fraction(of == by))
        else:
            found = Fraction(of == by)
    return Fraction(found) if isinstance(found, (int, float, Fraction)) and math.isfinite(found) else None


ELEMENT = re.compile(r"(.+)\[([0-9,]+)\]")


def array_truth(solution: backhand.Solution, about: str) -> Any:
    """The value, or the derivative of the output, as an array, an element or a number; None for other derivatives."""
    if "[" in about.partition("/")[0] and "/" in about:
        return None  # an element of a Jacobian
    element = ELEMENT.fullmatch(about)
    name = element[1] if element else about
    if name in solution.graph:
        found = solution.value(name)
    else:
        of, by = ends(solution, name)
        if of != solution.of:
            return None
        found = solution.derivative(by)
    whole = np.asarray(found, float)
    return (
        Fraction(float(whole[tuple(map(int, element[2].split(",")))] if element else whole))
        if element or not whole.ndim
        else whole
    )


def ends(solution: backhand.Solution, about: str) -> tuple[str, str]:
    """The two names of `dC1/dB1`."""
    for match in re.finditer("/d", about):
        of, by = about[1 : match.start()], about[match.end() :]
        if about.startswith("d") and of in solution.graph and by in solution.graph:
            return of, by
    pytest.fail(f"{about} is no derivative of this network", pytrace=False)


def kinds_of(solution: backhand.Solution, about: str) -> tuple[str, ...]:
    """The kinds a claim about this may have."""
    graph = solution.graph
    if graph.arrays:
        about = re.sub(r"\[[0-9,]+\]", "", about)
    if not about:
        return ("formula",)
    if about in graph:
        return ("value",) if graph[about].computed else ("given",)
    of, by = ends(solution, about)
    if of == solution.of or by not in graph.parents(of):
        return ("total",)
    return ("local", "total") if solution.other_ways(by, of) else ("local",)


def possible_kinds(solution: backhand.Solution, about: str) -> tuple[str, ...]:
    """The same, where a derivative by a quantity in the own formula may be called either."""
    if solution.graph.arrays:
        about = re.sub(r"\[[0-9,]+\]", "", about)
    if about and about not in solution.graph:
        of, by = ends(solution, about)
        if by in solution.graph.parents(of):
            return "local", "total"
    return kinds_of(solution, about)


@every_file
def test_the_file_is_well_made_and_its_table_is_true(path: Path) -> None:
    expected = parse(path)
    solution = solved(expected.net)
    page = expected.page.split("\n")
    for row in expected.rows:
        possible = {kind for about in row.abouts for kind in possible_kinds(solution, about)}
        assert set(row.kinds) <= possible, f"{row}: kind should be {' or '.join(sorted(possible))}"
        assert stands_there(row, page), f"{row}: the number does not stand there, but: {page[row.line - 1]}"
        if not row.said:
            continue
        assert amount(row.said) is not None or array_of(row.said), f"{row}: not a number"
        for kind in row.kinds if row.about else ():
            true = truth(solution, row, kind)
            if true is None or "unclear" in row.verdicts:
                continue
            true = as_understood(expected, solution, row, true)
            fits = array_near(row.said, true) if array_of(row.said) else near(row.said, true)
            if row.verdicts[0] == "right":
                if kind == row.kinds[0]:
                    assert fits, f"{row}: called right, but it is {float(true)}"
            elif row.line not in expected.by_luck:
                assert not fits, f"{row}: called {row.verdicts[0]}, but it is true"
    assert len({(row.line, row.about, row.said) for row in expected.rows}) == len(expected.rows), "a row stands twice"
    wrong = [row for row in expected.rows if row.verdicts == ("wrong",)]
    if wrong:
        assert expected.first_wrong, "something is wrong, so there is a first wrong step"
        assert not expected.may_be_none, "something is wrong, so the first wrong step cannot be none"
    for line, names in expected.first_wrong:
        assert any(
            set(row.abouts) & set(names) and row.line >= line and "wrong" in row.verdicts for row in expected.rows
        ), f"no wrong row belongs to the first wrong step, line {line}"
        assert line <= min((row.line for row in wrong), default=line), f"a row above line {line} is wrong already"
    for line in expected.prose:
        assert all(row.line != line for row in expected.rows), f"line {line} is called prose and has a row"
    assert all(page[line - 1].strip() for line in expected.prose | expected.remarks | expected.perhaps)


def test_there_are_enough_of_them() -> None:
    rows = [len(parse(path).rows) for path in COVERAGE]
    assert len(COVERAGE) >= 20
    assert all(count >= 8 for count in rows)


CORPUS = PAGES.parent / "corpus"
RIGHT = [path for path in FILES if path.parent.name == "right" and (CORPUS / f"{path.stem}.json").exists()]


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.stem)
def test_a_right_page_has_all_the_published_numbers(path: Path) -> None:
    expected = parse(path)
    published = json.loads((CORPUS / f"{path.stem}.json").read_text("utf-8"))["published"]
    names = {re.sub(r" #\w+$", "", name).replace("@after", "'").replace("+", "'") for name in published}
    assert not names - {row.about for row in expected.rows}
    assert all(row.verdicts == ("right",) for row in expected.rows)
    assert (expected.first_wrong, expected.habits, expected.remarks) == ((), (), frozenset())


# -- does the marker judge it so? ----------------------------------------------------------------------------


def marked(path: Path) -> Marking:
    expected = parse(path)
    return marked_page(expected.net, expected.page)


@dataclass(frozen=True)
class Together:
    """The judgements of the elements of an array that was written all at once, as one."""

    judgement: Any
    numbers: list[float] | None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.judgement, name)

    @property
    def said(self) -> str:
        return self.judgement.said if self.numbers is None else str(self.numbers)


@cache
def seen(marking: Any) -> list[Any]:
    """The judgements as a table has them: one for an array."""
    if not marking.solution.graph.arrays:
        return list(marking.judgements)
    numbers: dict[tuple[int, str], list[float]] = {}
    for judgement in marking.judgements:
        if judgement.whole is not None and judgement.value is not None:
            numbers.setdefault((judgement.span.start, str(judgement.whole)), []).append(float(judgement.value))
    return [
        Together(one, numbers.get((one.span.start, one.name)) if one.span is not None else None)
        for one in marking.together
    ]


def paired(expected: Expected, marking: Any) -> Iterator[tuple[Row, Any]]:
    """Each row and its judgement, or None. Those that agree find each other first."""
    left = [judgement for judgement in seen(marking) if judgement.line is not None]
    found: dict[int, Any] = {}
    for fits in (agrees, lambda row, judgement: True):
        for position, row in enumerate(expected.rows):
            for judgement in [] if position in found else left:
                if judgement.line == row.line and judgement.name in row.abouts and fits(row, judgement):
                    found[position] = judgement
                    left.remove(judgement)
                    break
    for position, row in enumerate(expected.rows):
        yield row, found.get(position)


def complaints(expected: Expected, marking: Any) -> Iterator[str]:
    """All that differs from the table, a line each."""
    taken: list[Any] = []
    for row, judgement in paired(expected, marking):
        if judgement is None:
            near_by = [
                f"{j.line}: {j.name} = {j.said} ({j.verdict})" for j in marking.judgements if j.name == row.about
            ]
            yield f"{row}: not found; about the same: {', '.join(near_by) or 'nothing'}"
            continue
        taken.append(judgement)
        if row.said and not agrees(row, judgement):
            yield f"{row}: read as {judgement.said!r}"
        if judgement.verdict not in row.verdicts:
            yield f"{row}: {judgement.verdict}, should be {' or '.join(row.verdicts)}"
        if judgement.kind not in row.kinds:
            yield f"{row}: kind {judgement.kind}, should be {' or '.join(row.kinds)}"
    for judgement in seen(marking):
        if judgement.line is not None and judgement not in taken and judgement.verdict in ("wrong", "follows"):
            yield f"line {judgement.line}: {judgement.name} = {judgement.said} called {judgement.verdict}, not in the table"
        if judgement.line in expected.prose:
            yield f"line {judgement.line} is prose, read as {judgement.name} = {judgement.said}"

    first = marking.first_wrong
    if first is None:
        if expected.first_wrong and not expected.may_be_none:
            yield f"first wrong: none, should be {expected.first_wrong}"
    elif not any(
        first.line == line and (first.about in names or first.about.partition("[")[0] in names)
        for line, names in expected.first_wrong
    ):
        yield f"first wrong: line {first.line}, {first.about}, should be {expected.first_wrong or 'none'}"

    found_keys = [set(diagnosis.keys) for diagnosis in marking.diagnoses]  # several: the page does not tell which
    for keys in found_keys:
        if not any(keys & habit for habit in expected.habits):
            yield f"habits: {' or '.join(sorted(keys))} not expected"
    for habit in expected.habits:
        if "none" not in habit and not any(keys & habit for keys in found_keys):
            yield f"habits: {' or '.join(sorted(habit))} not found"

    remarks = {r.line for j in marking.judgements if j.verdict == "right" for r in j.remarks}
    remarks |= {r.line for r in marking.remarks if r.line in expected.remarks}
    if lacking := sorted(expected.remarks - remarks):
        yield f"remarks: none on line {', '.join(map(str, lacking))}"
    if surplus := sorted(remarks - expected.remarks - expected.perhaps):
        yield f"remarks: line {', '.join(map(str, surplus))} not expected"


@every_file
def test_the_marker_judges_it_so(path: Path) -> None:
    expected = parse(path)
    found = list(complaints(expected, marked(path)))
    assert not found, "\n" + "\n".join(found)


def test_nearly_all_claims_are_read_and_none_is_misread() -> None:
    read, misread, lost, count = 0, [], [], 0
    for path in COVERAGE:
        for row, judgement in paired(parse(path), marked(path)):
            count += 1
            if judgement is None or (judgement.verdict == "unclear" and "unclear" not in row.verdicts):
                lost.append(f"{path.stem}, {row}")
            elif row.said and not agrees(row, judgement):
                misread.append(f"{path.stem}, {row}: read as {judgement.said!r}")
            else:
                read += 1
    assert not misread, "\n" + "\n".join(misread)
    assert read >= 0.95 * count, f"{read} of {count} claims read\n" + "\n".join(lost)
