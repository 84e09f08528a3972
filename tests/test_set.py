"""Setting exercises: a thousand of them, drawn from every recipe, and what each of them promises.

Friendly numbers within the recipe's bounds; nothing hidden that the table of collisions does not show; a solution on which
a second method agrees; full marks for it from `mark`, which also names every mistake that the table calls told apart.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import nbformat
import pytest

import backhand
from backhand import handout, limits, writers
from backhand.cli import run
from backhand.errors import BackhandError, LimitError, ReadError, SeveralErrors, UsageError
from backhand.explaining.document import Equation
from backhand.explaining.sheets import PARTS, sheets
from backhand.explaining.solution import document
from backhand.marking.about import About, Derivative, Value
from backhand.marking.diagnose import Scheme, Search, claims_of
from backhand.marking.misconceptions import by_key
from backhand.marking.replay import predicted
from backhand.marking.sheet import Amount
from backhand.numbers import terminating
from backhand.readers.page import read_work
from backhand.readers.recipe import built_in, built_in_names, layered, read_recipe
from backhand.readers.roster import roster_of
from backhand.setting.check import differences, verify
from backhand.setting.draw import Drawer
from backhand.setting.exercise import KINDS, Bank, Exercise, Kind
from backhand.setting.finding import find, slug
from backhand.setting.making import exercise_of, longest_way
from backhand.setting.recipe import Recipe, of_graph
from backhand.setting.set import habit
from backhand.setting.set import set as make
from backhand.setting.telling import foreseen
from backhand.text import Source
from backhand.writers.line import chain

EXAMPLES = Path(__file__).parent.parent / "examples"
Q3 = str(EXAMPLES / "q3.bh")
NIGHTLY = bool(os.environ.get("BACKHAND_NIGHTLY"))
DRAWN = 910 if NIGHTLY else 91
"""From each recipe and from q3: a thousand in all, ten thousand at night."""
LOOKED_AT = 45
"""One in so many is marked and searched for every habit, which takes most of the time."""


def recipes() -> list[str]:
    return [*built_in_names(), "q3.bh"]


def recipe(name: str) -> Recipe:
    return of_graph(backhand.read(EXAMPLES / name), name=name) if name.endswith(".bh") else built_in(name)


def bank(name: str, n: int, **options: object) -> Bank:
    return make(recipe(name), n=n, seed=options.pop("seed", 11), **options)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def q3() -> Bank:
    return bank("q3.bh", 6)


def marked(exercise: Exercise, text: str) -> backhand.Marking:
    return backhand.mark(read_work([Source(text)]), exercise.graph, of=exercise.of)


def written(number: Amount, digits: int) -> str:
    """A number as a student gives it."""
    return f"{number:.{digits}f}" if isinstance(number, float) else str(Fraction(number))


# -- a thousand exercises ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", recipes())
def test_what_is_drawn_keeps_its_promises(name: str) -> None:
    drawer = Drawer(recipe(name), 2026)
    shape = drawer.shape
    seen: list[tuple[object, ...]] = []
    for number in range(1, DRAWN + 1):
        drawn = drawer.variant(number)
        graph = shape.graph(drawn.numbers)
        solution = backhand.solve(graph, of=drawer.recipe.of)  # raises CheckError unless a second method agrees
        assert solution.checks
        friendly(drawer.recipe, solution)
        assert all(
            value in drawer.recipe.ranges[n].numbers for n, value in zip(shape.names, drawn.numbers, strict=True)
        )
        weights = tuple(q.given for q in graph.quantities if q.kind == "weight" and q.name in shape.names)
        seen.append((weights or drawn.numbers, drawn.answers))
        if number % LOOKED_AT == 0:
            promises(exercise(drawer, graph, number))
    assert len({answers for _, answers in seen}) == len(seen)
    if drawer.room > 3 * DRAWN:
        assert len({weights for weights, _ in seen}) == len(seen)


def exercise(drawer: Drawer, graph: backhand.Graph, number: int) -> Exercise:
    made = drawer.recipe
    one = exercise_of(graph, of=made.of, asks=made.kinds, weights=made.weights, digits=made.digits)
    return replace(one, origin=replace(one.origin, number=number))


def friendly(made: Recipe, solution: backhand.Solution) -> None:
    """The recipe's bounds, looked up in the solution and not in what drew the numbers."""
    graph = solution.graph
    needed = {graph.quantities[i].name for i in graph.upstream_of(solution.of)}
    units = [q for q in graph.quantities if q.place is not None and q.name in needed]
    values = {q.name: solution.value(q.name) for q in units if q.computed}
    slopes = {q.name: solution.derivative(q.name) for q in units if q.name != solution.of}
    for number in (*values.values(), *slopes.values()):
        assert isinstance(number, (Fraction, float))
        assert abs(number) <= made.results.largest
        if made.results.exact:
            assert isinstance(number, Fraction)
            places = terminating(number)
            assert (
                places is not None and places <= made.results.decimals
            ) or number.denominator <= made.results.fractions
    gated = any("relu" in str(q.definition) or "max" in str(q.definition) for q in units) or "relu" in str(graph)
    if not gated and "max" not in str(graph):
        assert 0 not in values.values() and 0 not in slopes.values()
        assert 1 not in values.values()


def promises(one: Exercise) -> None:
    nothing_hidden_is_unsaid(one)
    full_marks(one)
    mistakes_are_named(one)
    assert [*differences(one)] == []


def nothing_hidden_is_unsaid(one: Exercise) -> None:
    """Each habit that acts is replayed once more: who gets nothing but right numbers is in the table, nobody else is."""
    lines = [q.about for q in one.questions]
    keys = [
        key
        for key, row in by_key().items()
        if row.sort == "habit" and row.instances(foreseen(one.graph, one.of, ()).sheet)
    ]
    seen = foreseen(one.graph, one.of, keys, lines)
    digits = next((q.digits for q in one.questions if q.digits), 4)
    for key, page in seen.pages.items():
        numbers = [(predicted(page, about), predicted(seen.truth, about)) for about in lines]
        differs = any(not alike(mine, right, digits) for mine, right in numbers)
        assert (key in one.collisions.hidden) == (not differs), key
    together = {key: group for group in one.collisions.alike for key in group}
    own = [key for key in seen.pages if key not in one.collisions.hidden]
    for a, b in combinations(own, 2):
        same = all(alike(predicted(seen.pages[a], about), predicted(seen.pages[b], about), digits) for about in lines)
        if same:
            assert b in together.get(a, ()), (a, b)


def alike(one: Amount | None, other: Amount | None, digits: int) -> bool:
    missing = one is None or one != one, other is None or other != other
    if any(missing):
        return all(missing)
    assert one is not None and other is not None
    if isinstance(one, float) or isinstance(other, float):
        return abs(float(one) - float(other)) <= 4 * 10.0**-digits
    return one == other


def full_marks(one: Exercise) -> None:
    """The worked solution, line by line, is all right."""
    page = "\n".join(chain(block) for block in document(one.solution).blocks() if isinstance(block, Equation))
    marking = marked(one, page)
    assert [(j.name, j.said, j.verdict) for j in marking.judgements if j.verdict not in ("right", "missing")] == []
    assert marking.marks.earned == marking.marks.out_of > 0


def mistakes_are_named(one: Exercise) -> None:
    """Two habits that the table says can be named are, from the numbers of their page alone."""
    lines = [q.about for q in one.questions]
    digits = next((q.digits for q in one.questions if q.digits), 4)
    keys = one.collisions.isolated
    start = one.origin.number
    for key in {keys[start % len(keys)], keys[(start * 7) % len(keys)]} if keys else ():
        page = foreseen(one.graph, one.of, [key], lines).pages[key]
        numbers = [(about, predicted(page, about)) for about in lines]
        text = "\n".join(f"{about} = {written(n, digits)}" for about, n in numbers if n is not None and n == n)
        assert key in [k for found in marked(one, text).diagnoses for k in found.keys], (key, text, str(one.graph))


def test_of_what_two_wrong_numbers_have_in_common(q3: Bank) -> None:
    for one in q3.exercises:
        for question in one.questions:
            numbers = [question.answer, *(wrong.number for wrong in question.wrong)]
            assert len(set(numbers)) == len(numbers)
            for wrong in question.wrong:
                assert len(wrong.keys) == len(wrong.ids) == len(wrong.titles) > 0
                assert wrong.remark and "{" not in wrong.remark


# -- the verb ------------------------------------------------------------------------------------------------------


def test_a_network_without_n_and_seed_is_the_exercise_it_is() -> None:
    made = make(backhand.read(Q3), name="q3.bh")
    (one,) = made.exercises
    assert one.graph == backhand.read(Q3)
    assert one.origin.seed is None and one.origin.recipe == "q3.bh"
    loss = {"exponent-kept", "bracket-lost", "starts-from-loss", "square-lost"}
    assert set(one.hidden) == loss, "D - t is 1 by accident, so four mistakes cannot be seen"
    nine = backhand.read(Path(Q3).read_text("utf-8").replace("t = 3", "t = 9"))
    assert exercise_of(nine).hidden == (), "changing only the target makes them visible"


def test_a_drawn_variant_tells_more_than_the_exercise_as_it_stands(q3: Bank) -> None:
    stands = exercise_of(backhand.read(Q3)).telling
    for one in q3.exercises:
        assert one.telling.weighted > stands.weighted
        assert one.telling.apart > stands.apart
        assert one.telling.possible == stands.possible
    assert sum(one.telling.weighted for one in q3.exercises) / len(q3.exercises) > stands.weighted + 0.15


def test_the_first_five_of_thirty_are_the_five_of_five() -> None:
    few, more = bank("two-ways", 3), bank("two-ways", 5)
    assert [str(one.graph) for one in few.exercises] == [str(one.graph) for one in more.exercises[:3]]


def test_another_seed_gives_other_exercises() -> None:
    assert str(bank("gates", 1, seed=1).exercises[0].graph) != str(bank("gates", 1, seed=2).exercises[0].graph)


def test_the_work_is_alike(q3: Bank) -> None:
    loads = [one.difficulty.load for one in q3.exercises]
    assert max(loads) <= 1.7 * min(loads)
    assert {(one.difficulty.paths, one.difficulty.depth) for one in q3.exercises} == {(8, 4)}


def test_wrong_answers_are_what_the_habit_gives(q3: Bank) -> None:
    one = q3.exercises[0]
    page = foreseen(one.graph, one.of, ["one-path-straight"]).pages["one-path-straight"]
    for question in one.questions:
        mine = [wrong for wrong in question.wrong if "one-path-straight" in wrong.keys]
        number = predicted(page, question.about)
        assert [wrong.number for wrong in mine] == ([] if number == question.answer else [number])
        assert one.wrong_answers[question.about] == question.wrong


@pytest.mark.parametrize("key", ["one-path-crossing", "overwritten", "exponent-kept"])
def test_an_exercise_can_be_aimed_at_one_mistake(key: str) -> None:
    made = bank("q3.bh", 2, aim=key, kinds=["values", "derivatives", "mistake"])
    for one in made.exercises:
        unclear = {*one.hidden, *(k for group in one.collisions.alike for k in group)}
        assert one.aim == key and key not in unclear
        assert one.planted is not None and one.planted.key == key
    assert not [note for note in made.notes if "aimed" in note]


def test_a_habit_may_be_named_by_key_or_id() -> None:
    assert habit("P1") == habit("one-path-straight") == "one-path-straight"
    with pytest.raises(UsageError, match="Did you mean one-path-straight"):
        habit("one-path-strait")


def test_every_student_has_an_exercise_and_is_found_again() -> None:
    made = bank("gates", None, roster=["Ada Lovelace", "Kurt Gödel", "Emmy Noether"])  # type: ignore[arg-type]
    ones = made.exercises
    assert [one.origin.student for one in ones] == ["Ada Lovelace", "Kurt Gödel", "Emmy Noether"]
    assert made.of_student("Kurt Gödel") is ones[1] and made.of_student("nobody") is None
    assert find(ones, student="kurt godel") is ones[1]
    assert find(ones, student="Noether") is ones[2]
    assert find(ones, number=2) is ones[1]
    assert find(ones, texts=[f"m = 3\n\nMade by Backhand from {ones[2].origin}."]) is ones[2]
    assert find(ones, names=["page", "ada-lovelace"]) is ones[0]
    assert find(ones, names=["2-kurt-godel"]) is ones[1]
    assert find(ones, names=["03"]) is ones[2]
    for options in ({}, {"student": "Alan"}, {"number": 7}, {"names": ["page-two"]}):
        with pytest.raises(UsageError):
            find(ones, **options)  # type: ignore[arg-type]
    assert slug("Ægir O'Hara, jr.") == "ægir-o-hara-jr"


# -- kinds of questions ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def everything() -> Exercise:
    return bank("q3.bh", 1, kinds=KINDS).exercises[0]


def test_every_kind_of_question_is_asked(everything: Exercise) -> None:
    assert {question.kind for question in everything.questions} == set(KINDS)
    assert len({question.key for question in everything.questions}) == len(everything.questions)


def test_all_pairs_are_those_of_the_solution(everything: Exercise) -> None:
    rows = backhand.solve(everything.graph, pairs=True).pairs
    assert rows is not None
    for question in everything.of_kind("pairs"):
        assert isinstance(question.about, Derivative)
        assert question.answer == rows[question.about.of][question.about.by]


def test_a_path_is_the_product_along_it(everything: Exercise) -> None:
    (question,) = everything.of_kind("path")
    assert question.path == longest_way(everything.graph, "L") == ("A1", "B2", "C2", "D", "L")
    assert question.answer == backhand.path_product(everything.solution.propagation, *question.path)


def test_the_mistake_is_in_the_first_line_that_does_not_follow(everything: Exercise) -> None:
    planted = everything.planted
    assert planted is not None
    (question,) = everything.of_kind("mistake")
    first = planted.lines[planted.first]
    assert question.about == first.about and not first.follows and not first.true
    assert all(line.follows and line.true for line in planted.lines[: planted.first])
    seen = foreseen(everything.graph, "L", [planted.key])
    abouts: list[About] = [line.about for line in planted.lines]
    search = Search(everything.graph, "L", claims_of(seen.pages[planted.key], abouts), Scheme())
    assert min(search.null.misses) == planted.first
    text = "\n".join(f"{line.about} = {Fraction(line.number)}" for line in planted.lines)
    marking = marked(everything, text)
    assert marking.first_wrong is not None and marking.first_wrong.about == str(first.about)
    assert planted.key in [key for found in marking.diagnoses for key in found.keys]


def test_gaps_are_filled_by_the_chain_rule(everything: Exercise) -> None:
    lines = {}
    for question in everything.of_kind("working"):
        assert question.line is not None
        lines.setdefault(question.line, []).append(question)
    assert len(lines) == 6, "all units but D, whose line has nothing to multiply, and L"
    for line, gaps in lines.items():
        step = everything.solution.gather_step(line.by)
        assert [gap.place for gap in gaps] == list(range(len(step.ways) + 1))
        assert gaps[-1].answer == step.result
        for gap, way in zip(gaps, step.ways, strict=False):
            assert gap.answer in (way.local, way.upstream)


def test_rounded_answers_say_how_many_decimals() -> None:
    one = bank("neuron", 1, digits=3).exercises[0]
    rounded = [question for question in one.questions if isinstance(question.answer, float)]
    assert rounded and all(q.digits == 3 and q.tolerance == Fraction(1, 1000) for q in rounded)
    for question in rounded:
        numbers = [question.answer, *(float(wrong.number) for wrong in question.wrong)]
        assert all(abs(a - b) > 2 / 1000 for a, b in combinations(numbers, 2))
    assert all(q.digits is None and not q.tolerance for q in one.questions if isinstance(q.answer, Fraction))


# -- recipes -----------------------------------------------------------------------------------------------------------

NET = '[exercise]\nnet = """\ninput x = ?\nweight w = ?\ntarget t = ?\ny = w x\nL = (y - t)^2\n"""\n'


def test_there_are_ten_recipes_and_each_has_a_title_and_words() -> None:
    assert len(built_in_names()) == 10
    for name in built_in_names():
        made = built_in(name)
        assert made.title and made.words and made.name == name
        assert made.ranges and made.text.startswith("#")


def test_a_recipe_says_what_is_drawn() -> None:
    made = read_recipe(NET + "[numbers]\nx = [2, 5]\nweight = { from = -1, to = 1, step = 0.5 }\nt = 7\n")
    assert [str(n) for n in made.ranges["x"].numbers] == ["2", "5"]
    assert [str(n) for n in made.ranges["w"].numbers] == ["-1", "-1/2", "1/2", "1"]
    assert "t" not in made.ranges and made.graph["t"].given == 7
    assert made.results.decimals == 2


def test_layers_make_a_network() -> None:
    text = layered([2, 2, 1], ["relu", "none"], biases=True, loss="half-square")
    graph = backhand.read(text)
    assert [q.name for q in graph.quantities if q.kind == "input"] == ["A1", "A2"]
    assert "B1 : relu, bias ?" in text and "L = 1/2 (C - t)^2" in text
    two = layered([1, 2], ["sigmoid"], biases=False, loss="cross-entropy")
    assert backhand.read(two)["L"].computed and "t1" in two


BAD = [
    ("[exercise\n", "This is not TOML"),
    ("[exercise]\ntitle = 'x'\n", "A recipe has a network"),
    ("[exercise]\nnet = 'x = ?'\n", "This network computes nothing"),
    ("[exercise]\nnet = '''\nx = ?\nL = (x - y)^2\n'''\n", "4:10: L uses y, which is defined nowhere"),
    ("[exercise]\nnet = '''\nx = ?\nL = foo(x)^2\n'''\n", "foo"),
    (NET + "[number]\nweight = 2\n", "There is no table [number] in a recipe. Did you mean numbers?"),
    (NET + "[numbers]\nwieght = 2\n", "Did you mean weight?"),
    (NET + "[numbers]\nweight = { from = 3, to = -3 }\n", "10:10: The range of weight is not one."),
    (NET + "[numbers]\nweight = { from = 0, to = 0 }\n", "a range with some number in it"),
    (NET + "[numbers]\nweight = { from = 0, to = 1, step = 0 }\n", "a range of at most 2001 numbers"),
    (NET + "[numbers]\nweight = 'many'\n", "The range of weight is not one."),
    (NET + "[results]\nlargest = -2\n", "a number above 0"),
    (NET + "[results]\nlargest = true\n", "a number above 0"),
    (NET + "[results]\nexact = 1\n", "true or false"),
    (NET + "[difficulty]\nspread = nan\n", "a share from 0"),
    (NET + "[exercise2]\n", "There is no table [exercise2]"),
    (NET.replace("[exercise]", "[exercise]\nkinds = ['value']"), "a list of kinds of questions, among values"),
    (NET.replace("[exercise]", "[exercise]\nof = 'z'"), "The network computes no z."),
    (NET + "[layers]\nwidths = [2, 1]\n", "There are a net and layers"),
    ("[layers]\nactivations = ['relu']\n", "[layers] has no widths"),
    ("[layers]\nwidths = [2]\n", "a list of two to nine numbers of units"),
    ("[layers]\nwidths = [2, 1]\nactivations = 'rleu'\n", "rleu is no operation of the table: relu is one"),
    ("[layers]\nwidths = [2, 2, 1]\nactivations = ['relu', 'relu', 'relu']\n", "There are 3 activations for 2 layers."),
    ("[layers]\nwidths = [2, 1]\nloss = 'cubic'\n", '"square", "half-square", "cross-entropy" or "none"'),
]


@pytest.mark.parametrize(("text", "words"), BAD, ids=[words[:40] for _, words in BAD])
def test_a_bad_recipe_ends_with_its_place_and_a_cure(text: str, words: str) -> None:
    with pytest.raises(BackhandError) as error:
        read_recipe(text, name="bad.toml")
    said = str(error.value)
    assert words in said
    if error.value.span is not None:
        assert said.startswith("bad.toml:")


def test_all_errors_of_a_recipe_come_at_once() -> None:
    with pytest.raises(SeveralErrors) as error:
        read_recipe(NET + "[numbers]\nwieght = 2\n[results]\nlargest = 0\n[dificulty]\n")
    assert len(error.value.errors) == 3


IMPOSSIBLE = [
    ("[numbers]\nweight = { from = 50, to = 90 }\ninput = { from = 50, to = 90 }\n", "a result was too large"),
    ("[results]\nfractions = 1\n[numbers]\nweight = [0.5]\ninput = [0.5, 0.25]\n[results2]\n", "results2"),
    ("[numbers]\nweight = [2]\ninput = [3]\ntarget = [4]\n", "only one exercise"),
]


@pytest.mark.parametrize(("more", "words"), IMPOSSIBLE)
def test_numbers_that_cannot_be_had_are_a_sentence(more: str, words: str) -> None:
    with pytest.raises(BackhandError, match=words):
        make(read_recipe(NET + more), n=2)


def test_more_exercises_than_there_are() -> None:
    small = read_recipe(NET + "[numbers]\nweight = [2, 3]\ninput = [4, 5]\ntarget = [2]\n[difficulty]\nspread = 10\n")
    with pytest.raises(UsageError, match=r"has only \d exercises with different weights and answers"):
        make(small, n=50)


def test_where_nothing_separates_the_best_is_given_and_said() -> None:
    flat = read_recipe("[exercise]\nnet = '''\nx = ?\ny = x + 1\nL = y + x\n'''\n")
    made = make(flat, n=2)
    (first, _) = made.exercises
    assert first.telling.apart < first.telling.possible
    assert made.notes and all(note.startswith("No numbers that were found") for note in made.notes)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"n": 0}, LimitError, "from 1 to"),
        ({"n": limits.EXERCISES + 1}, LimitError, "exercises are asked for"),
        ({"kinds": ["sums"]}, UsageError, "There is no kind of question sums"),
        ({"roster": ["Ada", "ada"]}, UsageError, "ada stands twice on the roster, as student 1 and as student 2"),
        ({"roster": ["Ada", " "]}, UsageError, "Student 2 of the roster has no name"),
        ({"roster": ["Ada"], "n": 2}, UsageError, "2 exercises are asked for, and 1 students"),
        ({"aim": "shared-once"}, UsageError, "makes no difference on the lines"),
        ({"of": "Q"}, (ReadError, UsageError), "There is no quantity Q"),
    ],
)
def test_what_cannot_be_asked_for(
    options: dict[str, object], error: type[Exception] | tuple[type[Exception], ...], words: str
) -> None:
    with pytest.raises(error, match=words):
        make(backhand.read(Q3), **{"n": 2, **options})  # type: ignore[arg-type]


def test_symbols_and_arrays_are_refused_at_their_place() -> None:
    with pytest.raises(UsageError, match="x has no value, and an exercise asks for numbers"):
        make(backhand.read("x = ?\nL = x^2"))
    with pytest.raises(UsageError, match="is an array"):
        make(backhand.read("W = [[1, 2], [3, 4]]\nx = [1, 2]\ny = W @ x\nL = y[0]"), n=2)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ada\nAlan\n", ("Ada", "Alan")),
        ("Name,Mark\nAda Lovelace,1\n\nAlan Turing,2\n", ("Ada Lovelace", "Alan Turing")),
        ('\ufeffSurname;Forename\nTuring;Alan\n"von Neumann";John\n', ("Alan Turing", "John von Neumann")),
        ("id\tstudent\n7\tKurt\n", ("Kurt",)),
    ],
)
def test_rosters(text: str, names: tuple[str, ...]) -> None:
    assert roster_of(Source(text)) == names


@pytest.mark.parametrize(
    ("text", "words"),
    [("name\nAda\nAlan\nADA\n", "4:1: ADA stands twice on the roster, on line 2"), ("name\n", "no name on this roster"),
     ("id,name\n1,\n", "2:1: This student has no name")],
)  # fmt: skip
def test_bad_rosters(text: str, words: str) -> None:
    with pytest.raises(ReadError) as error:
        roster_of(Source(text, "names.csv"))
    assert words in str(error.value)


# -- checking --------------------------------------------------------------------------------------------------------


def test_a_bank_holds_and_what_was_changed_in_it_is_found(q3: Bank) -> None:
    ones = q3.exercises
    found = verify(ones)
    assert found.findings == () and found.exercises == 6 and found.answers == 6 * 13
    question = ones[0].questions[0]
    changes = {
        "the answer to": replace(
            ones[0], questions=(replace(question, answer=question.answer + 1), *ones[0].questions[1:])
        ),
        "the wrong answers to": replace(
            ones[0], questions=(*ones[0].questions[:-1], replace(ones[0].questions[-1], wrong=()))
        ),
        "is missing": replace(ones[0], questions=ones[0].questions[1:]),
        "the table of collisions": replace(ones[0], collisions=replace(ones[0].collisions, isolated=())),
        "difficulty is another": replace(ones[0], difficulty=replace(ones[0].difficulty, load=0)),
        "is not one of this network": replace(
            ones[0], questions=(*ones[0].questions, replace(question, about=Value("Q")))
        ),
    }
    for words, changed in changes.items():
        findings = verify([changed, *ones[1:]]).findings
        assert any(words in str(finding) for finding in findings), words
        assert all(finding.exercise == 1 for finding in findings)
    twice = verify([*ones, replace(ones[2], origin=replace(ones[2].origin, number=7))]).findings
    assert [finding.words for finding in twice] == [
        "it has the numbers of exercise 3.",
        "it has the answers of exercise 3.",
    ]


# -- sheets ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [name for name in handout.SHEETS if not writers.WRITERS[name].binary])
@pytest.mark.parametrize("kinds", [("values", "derivatives"), KINDS])
def test_every_sheet_in_every_format(form: str, kinds: tuple[Kind, ...]) -> None:
    made = bank("two-ways", 2, kinds=kinds)
    text = "".join(str(chunk) for chunk in handout.content(made, form))
    assert "".join(str(chunk) for chunk in handout.content(made, form)) == text
    for one in made.exercises:
        assert text.count(str(one.origin).partition(" (")[0])
    assert "\ufffd" not in text
    assert "marking scheme" in text and "answer sheet" in text


def test_the_question_does_not_hold_the_answer(q3: Bank) -> None:
    for one in q3.exercises:
        page = writers.whole(sheets([one], ["question", "answer"]), "text")
        assert str(one.origin) in page
        solution = writers.whole(sheets([one], ["solution"]), "text")
        for question in one.questions:
            assert f"{question.about} = {question.answer}" not in page
        assert f"dL/dD = {one.solution.derivative('D')}" in solution or "dL/dD" in solution


def test_a_notebook_has_cells_to_fill_that_mark_reads(q3: Bank, tmp_path: Path) -> None:
    one = q3.exercises[0]
    text = "".join(
        str(chunk) for chunk in handout.content(replace(q3, exercises=(one,)), "ipynb", ["question", "answer"])
    )
    notebook = json.loads(text)
    nbformat.validate(nbformat.reads(text, as_version=4))
    cells = notebook["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    (answer,) = [cell for cell in cells if "answer" in cell["metadata"].get("tags", ())]
    lines = [line.rstrip("\n") for line in answer["source"] if " = " in line]
    assert lines == [f"{question.about} = " for question in one.questions]
    for cell in cells:
        if cell is answer:
            filled = (line + str(question.answer) for line, question in zip(lines, one.questions, strict=True))
            cell["source"] = ["```\n", *(f"{line}\n" for line in filled), "```\n"]
    answer_file = tmp_path / "answer.ipynb"
    answer_file.write_text(json.dumps(notebook), "utf-8")
    marking = backhand.mark(backhand.read_answer(answer_file), one.graph)
    assert all(judgement.verdict == "right" for judgement in marking.judgements if judgement.line)
    assert {str(question.about) for question in one.questions} <= {j.name for j in marking.judgements if j.line}
    (tmp_path / "no.ipynb").write_text("B1 = 3", "utf-8")
    with pytest.raises(ReadError, match="is no notebook"):
        backhand.read_answer(tmp_path / "no.ipynb")


def test_pdf_is_a_pdf_and_the_same_each_time(q3: Bank) -> None:
    pytest.importorskip("typst")
    few = replace(q3, exercises=q3.exercises[:1])
    once, again = (b"".join(bytes(chunk) for chunk in handout.content(few, "pdf")) for _ in range(2))  # type: ignore[arg-type]
    assert once.startswith(b"%PDF-") and once == again


def test_without_typst_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    from backhand.writers import pdf

    with pytest.raises(UsageError, match=r"backhand\[pdf\]"):
        pdf.pdf("x")


# -- the command ---------------------------------------------------------------------------------------------------------


def test_a_folder_is_whole_and_can_be_checked_and_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    roster = tmp_path / "names.csv"
    roster.write_text("name\nAda Lovelace\nAlan Turing\n", "utf-8")
    folder = tmp_path / "class"
    assert run(["set", "gates", "--roster", str(roster), "--seed", "3", "--to", "markdown", "-o", f"{folder}/"]) == 0
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert names == sorted(
        ["bank.json", "recipe.toml"]
        + [f"{part}/{who}.md" for part in handout.FOLDERS.values() for who in ("1-ada-lovelace", "2-alan-turing")]
    )
    assert run(["set", "--check", str(folder)]) == 0
    assert "2 exercises, 24 answers" in capsys.readouterr().out
    answer = tmp_path / "alan-turing.md"
    one = backhand.read_exercises(folder / "bank.json")[1]
    answer.write_text("\n".join(f"{q.about} = {q.answer}" for q in one.questions), "utf-8")
    assert run(["mark", str(folder), str(answer), "--strict"]) == 0
    assert run(["mark", str(folder), str(answer), "--strict", "--student", "Ada Lovelace"]) == 1
    assert run(["set", "gates", "-n", "1", "-o", f"{folder}/"]) == 2
    assert "is there already, and not empty" in capsys.readouterr().err
    kept = json.loads((folder / "bank.json").read_text("utf-8"))
    assert kept["recipe"] == built_in("gates").text
    changed = json.loads((folder / "bank.json").read_text("utf-8"))
    changed["exercises"][0]["questions"][0]["answer"] = "777"
    (folder / "bank.json").write_text(json.dumps(changed), "utf-8")
    assert run(["set", "--check", str(folder)]) == 1
    assert "Exercise 1: the answer to values m is" in capsys.readouterr().out


@pytest.mark.parametrize("suffix", [".md", ".html", ".tex", ".ipynb", ".typ", ".xml", ".zip", ".csv", ".json"])
def test_one_file_by_its_suffix(suffix: str, tmp_path: Path) -> None:
    out = tmp_path / f"bank{suffix}"
    assert run(["set", "gates", "-n", "2", "--seed", "5", "-o", str(out)]) == 0
    assert out.stat().st_size > 1000
    if suffix in (".xml", ".zip", ".csv", ".json"):
        assert run(["set", "--check", str(out)]) == 0


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["set"], "no recipe is named"),
        (["set", "gate"], "Did you mean gates?"),
        (["set", "gates", "-n", "2", "-o", "x.docx"], "says no format"),
        (["set", "gates", "--to", "docx"], "There is no format docx"),
        (["set", "gates", "--parts", "cover"], "There is no part cover"),
        (["set", "gates", "--kinds", "sums"], "There is no kind of question sums"),
        (["set", "gates", "--aim", "P99"], "No habit is called P99"),
        (["set", "--check", Q3], "is no bank of exercises"),
        (["set", "gates", "--roster", "nowhere.csv"], "There is no file nowhere.csv"),
        (["set", "nowhere.toml"], "There is no file nowhere.toml"),
        (["mark", Q3, Q3, "--student", "Ada"], ""),
    ],
)
def test_wrong_usage_is_a_sentence(args: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(args) == 2
    captured = capsys.readouterr()
    assert words in captured.err and captured.out == ""


def test_the_recipes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["set", "--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(built_in_names())


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> Iterator[bytes]:
        yield b"begun"
        raise OSError(28, "No space left on device")

    made = bank("gates", 2)
    monkeypatch.setattr(handout, "_written", full)
    with pytest.raises(UsageError, match=r"cannot be written: No space left on device"):
        handout.write_folder(handout.files(made, "text"), tmp_path / "sheets")
    with pytest.raises(UsageError, match=r"cannot be written: No space left on device"):
        handout.write_file(made, str(tmp_path / "bank.txt"), "text")
    assert [*tmp_path.iterdir()] == []


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    def stopped(name: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        handout.write_folder(handout.files(bank("gates", 2), "text"), tmp_path / "sheets", stopped)
    assert [*tmp_path.iterdir()] == []


def test_the_same_seed_gives_the_same_bytes_whatever_the_hash_seed_and_locale(tmp_path: Path) -> None:
    found: set[bytes] = set()
    for place, settings in enumerate([("1", "C"), ("2", "de_DE.UTF-8"), ("3", "tr_TR.UTF-8")]):
        out = tmp_path / str(place)
        environment = {**os.environ, "PYTHONHASHSEED": settings[0], "LC_ALL": settings[1], "TZ": f"UTC{place}"}
        args = ["set", "neuron", "-n", "2", "--kinds", ",".join(KINDS), "--to", "html", "-o", f"{out}/"]
        subprocess.run([sys.executable, "-m", "backhand", *args], check=True, env=environment)
        found.add(b"".join(path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()))
    assert len(found) == 1


def test_nothing_draws_from_the_global_generator() -> None:
    import random

    random.seed(1)
    first = random.getstate()
    bank("gates", 2, kinds=KINDS)
    assert random.getstate() == first


def test_all_parts_are_there() -> None:
    assert set(handout.FOLDERS) == set(PARTS)
