"""Every row of the table of habits: its numbers on the founding net, as the catalogue prints them, and on hundreds of
random nets, as a second program without any shared code gets them."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import independent_replay as plain
import pytest
from random_graphs import random_graph

from backhand.core.propagate import propagate
from backhand.marking.about import Derivative, Value
from backhand.marking.misconceptions import TABLE, Misconception, by_key
from backhand.marking.replay import RIGHT, Practice, replay
from backhand.marking.sheet import sheet_of
from backhand.readers.bh import read
from backhand.text import Source

ROOT = Path(__file__).parent.parent
Q3 = read(Source((ROOT / "examples" / "q3.bh").read_text(encoding="utf-8")))
NODES = "D C1 C2 B1 B2 A1 A2".split()
ARROWS = "A1,B1 A2,B1 A1,B2 A2,B2 B1,C1 B2,C1 B1,C2 B2,C2 C1,D C2,D".split()
RIGHT_NODES, RIGHT_VALUES = "2 2 -2 4 -4 -12 -4", "B1=3 B2=1 C1=1 C2=-3 D=4 L=1"
RIGHT_WEIGHTS = "-4 4 4 -4 6 2 -6 -2 2 -6"
SAME = RIGHT_NODES

# Row, then dD dC1 dC2 dB1 dB2 dA1 dA2 as the catalogue prints them, then values that differ. `-`: no number.
PRINTED = """
one-path-straight         | 2 2 -2 2 0 -4 0
one-path-crossing         | 2 2 -2 2 -4 -4 2
one-path-first            | 2 2 -2 2 -4 -4 2
overwritten               | 2 2 -2 2 0 0 0
one-path-strongest        | 2 2 -2 2 -4 -4 -8
one-path-weakest          | 2 2 -2 2 0 0 0
averaged-ways             | 2 2 -2 2 -2 -3 -1
multiplied-ways           | 2 2 -2 4 0 0 0
subtracted-ways           | 2 2 -2 0 -4 4 8
negative-arrows-dropped   | 2 2 -2 2 0 0 2
one-path-largest-weight   | 2 2 -2 2 0 0 0
no-upstream               | 2 1 -1 0 -2 -1 3
middle-skipped            | 2 2 -2 0 -4 -2 6
neighbours-upstream       | 2 2 -2 -4 4 -12 -4
updated-weights           | 2 1.6 -0.8 1.44 -3.52 -4.9536 -7.0464
not-in-last-line          | 2 0 0 0 0 0 0
outer-twice               | 2 2 -2 8 -8 -48 -16
not-reset                 | 4 4 -4 8 -8 -24 -8
plus-one                  | 2 3 -1 5 -5 -14 -4
weights-left-out          | 2 2 2 4 4 8 8
value-for-weight          | 2 2 -6 -12 -4 16 -16
next-value-for-slope      | 2 8 8 -16 -16 -64 -64
whole-term                | 2 2 6 -12 -4 -20 -20
signs-dropped             | 2 2 2 4 4 12 12
upside-down               | 2 2 -2 4 - -2 4
added-along               | 2 3 1 4 2 5 9
arrows-negated            | 2 -2 2 4 -4 12 4
zero-as-one               | 2 2 -2 4 -6 -14 -8
weight-squared            | 2 2 2 4 8 24 36
inner-slope-inside        | 2 2 -2 4 -4 -12 -4
table-by-columns-back     | 2 2 -2 6 -2 -14 2
table-by-columns-forward  | 10 10 -10 20 -20 -60 -20 | C1=2 C2=-6 D=8 L=25
table-by-columns          | 10 10 -10 30 -10 -70 10 | C1=2 C2=-6 D=8 L=25
factor-two-lost           | 1 1 -1 2 -2 -6 -2
target-dropped            | 8 8 -8 16 -16 -48 -16
wrong-way-round           | -2 -2 2 -4 4 12 4
exponent-kept             | 2 2 -2 4 -4 -12 -4
bracket-lost              | 2 2 -2 4 -4 -12 -4
starts-from-loss          | 2 2 -2 4 -4 -12 -4
loss-for-slope            | 1 1 -1 2 -2 -6 -2
output-for-slope          | 4 4 -4 8 -8 -24 -8
loss-forgotten            | 1 1 -1 2 -2 -6 -2
target-differentiated     | -4 -4 4 -8 8 24 8
target-as-inner           | -6 -6 6 -12 12 36 12
half-multiplied-out       | 5 5 -5 10 -10 -30 -10
integrated                | 1/3 1/3 -1/3 2/3 -2/3 -2 -2/3
square-lost               | 2 2 -2 4 -4 -12 -4 | L=1
loss-is-difference        | 1 1 -1 2 -2 -6 -2
square-on-first           | 2 2 -2 4 -4 -12 -4 | L=13
squares-subtracted        | 2 2 -2 4 -4 -12 -4 | L=7
plus-in-bracket           | 14 14 -14 28 -28 -84 -28 | L=49
half-assumed              | 1 1 -1 2 -2 -6 -2 | L=1/2
square-as-doubling        | 2 2 -2 4 -4 -12 -4 | L=2
minus-before-square       | 2 2 -2 4 -4 -12 -4 | L=-1
layer-skipped             | -14 -14 14 -28 28 84 28 | C1=-3 C2=1 D=-4 L=49
new-row-too-early         | -34 -34 34 -68 68 204 68 | B2=5 C1=-7 C2=7 D=-14 L=289
times-value               | 2 2 6 -12 -4 -20 -20
after-step                | 2 -1 -1 3 -1 6 0
downhill                  | 2 -2 2 4 -4 12 4
labels-exchanged @ B1 and B2 | 2 2 -2 -4 4 -12 -4
branch-dropped @ B1 -> C1 | 2 2 -2 2 -4 -8 -6
branch-dropped @ B2 -> C1 | 2 2 -2 4 0 -8 4
branch-twice @ A1 -> B1   | 2 2 -2 4 -4 -20 -4
term-dropped @ B2 -> C1   | 6 6 -6 12 -12 -36 -12 | C1=3 D=6 L=9
sign-slip @ dL/dB1        | 2 2 -2 -4 -4 4 -12
minus-times-minus @ B1 -> C2 | 2 2 -2 0 -4 -4 -8
input-sign-misread @ A1   | -22 -22 22 -44 44 132 44 | B1=-1 B2=3 C1=-7 C2=1 D=-8 L=121
inputs-exchanged @ A1 and A2 | -14 -14 14 -28 28 84 28 | B1=-3 B2=-1 C1=-1 C2=3 D=-4 L=49
target-misread @ t        | 14 14 -14 28 -28 -84 -28 | L=49
"""

# The derivatives by the ten weights, in the order of the arrows.
WEIGHTS_PRINTED = """
weight-input-forgotten  | 4 4 -4 -4 2 2 -2 -2 2 2
weight-head-value       | 12 12 -4 -4 2 2 6 6 8 8
weight-times-weight     | -8 4 -4 -8 2 -4 2 0 2 -2
weight-no-upstream      | -1 1 -1 1 3 1 3 1 1 -3
weight-table-turned     | -4 4 4 -4 6 -6 2 -2 2 -6
weight-tail-gradient    | 12 -4 12 -4 12 -4 12 -4 2 6
weight-heads-added      | 0 0 0 0 0 0 0 0 2 -6
weight-middle-skipped   | -2 2 -2 2 6 2 6 2 2 -6
"""

RELU = """input A1 = -1, A2 = 1
target t = 3
A1 -> B1 : -2
A2 -> B1 : 1
A1 -> B2 : 1
A2 -> B2 : 2
B1 -> C1 : 1
B2 -> C1 : -2
B1 -> C2 : -1
B2 -> C2 : 0
B1, B2, C1, C2 : relu
C1 -> D : 1
C2 -> D : -1
L = (D - t)^2"""
SIGMOID = "input z = 1.0986122886681098\na = sigmoid(z)\nL = (a - 0.5)^2"
RESIDUAL = """input A1 = -1, A2 = 1
target t = 3
B1 = -2 A1 + A2
B2 = A1 + 2 A2
C1 = 1 B1 - 2 B2 + B1
C2 = -1 B1 + 0 B2 + B2
D = C1 - C2
L = (D - t)^2"""

# Row, net, then what the catalogue prints. ACT2 and ACT3 are wrong there: its numbers belong to a mask that is wrong at
# the second layer of gates only, which is the third instance of the row; at all gates dA would be 0. ACT4's printed
# "dB" is the derivative behind B's gate, by z[B].
SMALL = [
    ("bend-forgotten", RELU, "C1=-4 C2=4 B1=-8 B2=8 A1=24 A2=8"),
    ("mask-by-gradient#2", RELU, "z[C1]=0 z[C2]=4 B1=-4 B2=0 A1=8 A2=-4"),
    ("mask-inverted#2", RELU, "z[C1]=0 z[C2]=4 B1=-4 B2=0 A1=8 A2=-4"),
    ("mask-elsewhere", RELU, "z[C1]=-4 z[C2]=4 z[B1]=-8 z[B2]=0 A1=16 A2=-8"),
    ("gate-forgotten-forward", RELU, "D=2 B1=2 B2=-4 A1=-8 A2=-6"),
    ("value-for-bend", SIGMOID, "z=0.375"),
    ("bend-at-wrong-point", SIGMOID, "z=0.1089"),
    ("bend-at-wrong-point#1", SIGMOID, "z=-0.0542"),
    ("wrong-curve", SIGMOID, "z=0.21875"),
    ("half-the-slope", SIGMOID, "z=0.125"),
    ("bend-sign-lost", SIGMOID, "z=-0.09375"),
    ("skip-dropped", RESIDUAL, "B1=12 B2=-12"),
    ("only-skip", RESIDUAL, "B1=6 B2=-6"),
    ("shared-once", "weight w = -2\ntarget t = 10\nh = w*3\ny = w h\nL = (y - t)^2", "w=-24"),
    ("own-factor", "u = 3\nv = -2\nL = 5 (u v)", "u=15 v=-10"),
    ("product-as-sum", "u = 3\nv = -2\nL = 5 (u v)", "u=5 v=5"),
    ("max-to-both", "u = 3\nv = -2\nL = 5 max(u, v)", "u=5 v=5"),
    ("quotient-sign-lost", "u = 6\nv = -2\nL = 4 (u/v)", "u=-2 v=6"),
    ("inner-slope-inside", "D = 4\ntarget t = 3\nL = (2 D - t)^2", "D=26"),
    # The published example behind V1, where intermediate numbers pile up too: 1 + 1, 1 + 2, 5 + 5.
    ("not-reset-piling-up", "a = 3\nb = 2\nd = 1\nc = a + b\ne = c d", "a=3 b=3 c=2 d=10"),
    # 0.5 (t - o)^2, the other way round and with a factor: the prediction is still the prediction.
    ("factor-two-lost", "o = 4\ntarget t = 3\nL = 0.5 (t - o)^2", "o=1/2"),
    ("wrong-way-round", "o = 4\ntarget t = 3\nL = 0.5 (t - o)^2", "o=-1"),
]


def rows(text: str) -> list[tuple[str, ...]]:
    return [tuple(part.strip() for part in line.split("|")) for line in text.strip().splitlines()]


def number(text: str) -> Fraction | None:
    return None if text == "-" else Fraction(text)


def practice_of(name: str, graph=Q3) -> Practice:
    """`key`, `key @ place` or `key#n` for the n-th instance."""
    key, _, place = name.partition(" @ ")
    key, _, n = key.partition("#")
    sheet = sheet_of(graph, graph.output()[0])
    instances = by_key()[key].instances(sheet)
    return next(i for i in instances if i.place == place).practice if place else instances[int(n or 0)].practice


@pytest.mark.parametrize(("name", "nodes", "values"), [(*r, "")[:3] for r in rows(PRINTED)], ids=str)
def test_a_row_has_the_catalogues_numbers_on_the_founding_net(name: str, nodes: str, values: str) -> None:
    found = replay(Q3, practice_of(name))
    assert [found.get(Derivative("L", n)) for n in NODES] == [number(x) for x in nodes.split()]
    wanted = dict(pair.split("=") for pair in RIGHT_VALUES.split())
    wanted |= dict(pair.split("=") for pair in values.split())
    if name != "loss-is-difference":
        assert {n: found[Value(n)] for n in wanted} == {n: Fraction(v) for n, v in wanted.items()}


@pytest.mark.parametrize(("name", "weights"), rows(WEIGHTS_PRINTED), ids=str)
def test_a_row_about_weights_has_the_catalogues_numbers(name: str, weights: str) -> None:
    found = replay(Q3, by_key()[name])
    assert [found[Derivative("L", f"w[{n}]")] for n in ARROWS] == [Fraction(x) for x in weights.split()]
    assert [found[Derivative("L", n)] for n in NODES] == [Fraction(x) for x in RIGHT_NODES.split()]


@pytest.mark.parametrize(("name", "net", "printed"), SMALL, ids=[n for n, _, _ in SMALL])
def test_a_row_has_the_catalogues_numbers_on_its_small_net(name: str, net: str, printed: str) -> None:
    graph = read(Source(net))
    found = replay(graph, practice_of(name, graph))
    of = graph.output()[0]
    for pair in printed.split():
        by, _, wanted = pair.partition("=")
        assert float(found[Derivative(of, by)]) == pytest.approx(float(Fraction(wanted)), abs=6e-5), by


# The catalogue's weight misread in both passes, forward only, backward only, at two arrows, each read as -1.
MISREAD = [
    ("A1", "B1", "both", "-2 -2 2 -4 4 8 4", "B1=2 C1=0 C2=-2 D=2 L=1"),
    ("B2", "C1", "both", "4 4 -4 8 -4 -20 0", "C1=2 D=5 L=4"),
    ("A1", "B1", "backward", "2 2 -2 4 -4 -8 -4", ""),
    ("B2", "C1", "backward", "2 2 -2 4 -2 -10 0", ""),
    ("B2", "C1", "forward", "4 4 -4 8 -8 -24 -8", "C1=2 D=5 L=4"),
]


@pytest.mark.parametrize(("tail", "head", "passes", "nodes", "values"), MISREAD)
def test_a_misread_weight(tail: str, head: str, passes, nodes: str, values: str) -> None:
    from backhand.marking.misconceptions import misread

    sheet = sheet_of(Q3, "L")
    way = sheet.arrow[sheet.index[tail], sheet.index[head]]
    found = replay(Q3, misread(way, lambda w: -1, passes))
    assert [found[Derivative("L", n)] for n in NODES] == [Fraction(x) for x in nodes.split()]
    for pair in values.split():
        name, _, value = pair.partition("=")
        assert found[Value(name)] == Fraction(value)


def test_every_row_of_the_table_is_tested_here() -> None:
    tested = {r[0].partition(" @ ")[0] for r in rows(PRINTED) + rows(WEIGHTS_PRINTED)}
    tested |= {name.partition("#")[0] for name, _, _ in SMALL}
    tested |= {"not-reset-between-outputs"}  # it takes two outputs: test_diagnose has it
    tested |= {"weight-misread", "weight-misread-back", "weight-misread-forward"}
    assert {row.key for row in TABLE} == tested


def test_calculus_is_what_the_core_computes() -> None:
    """On any network: RIGHT over the sheet is CALCULUS over the formulas."""
    for seed in range(150):
        graph = random_graph(seed)
        core = propagate(graph)
        found = replay(graph, RIGHT, core.of)
        for quantity in graph.quantities:
            value = core.value(quantity.name)
            if not isinstance(value, float) or value == value:
                assert found[Value(quantity.name)] == value
            slope = core.derivative(quantity.name)
            if Derivative(core.of, quantity.name) in found:
                assert float(found[Derivative(core.of, quantity.name)]) == pytest.approx(float(slope), rel=1e-9)


SHAPES = [((2, 2, 2, 1), 200), ((3, 2, 1), 60), ((2, 3, 2, 1), 60), ((3, 3, 3, 1), 40)]
KEY_OF = {row.id: row.key for row in reversed(TABLE)} | {"V1b": "not-reset-piling-up"}


CHUNKS = [(sizes, range(at, min(at + 20, count))) for sizes, count in SHAPES for at in range(0, count, 20)]


@pytest.mark.parametrize(("sizes", "seeds"), CHUNKS, ids=str)
def test_habits_come_out_as_in_a_program_of_its_own(sizes: tuple[int, ...], seeds: range) -> None:
    for seed in seeds:
        net = plain.draw_net(seed, sizes)
        graph = read(Source(plain.text(net)))
        for entry in plain.HABITS:
            if entry == "F9" and sizes[0] < sizes[1]:
                continue
            mine, theirs = replay(graph, by_key()[KEY_OF[entry]], "L"), plain.numbers(net, entry)
            for name, wanted in theirs.items():
                about = Derivative("L", name[1:]) if name.startswith("d") else Value(name)
                assert mine.get(about) == wanted, (entry, sizes, seed, name)


def test_his_own_numbers_are_carried_on() -> None:
    """With dL/dB1 = 2 and dL/dB2 = 0 written, the right rules give dL/dA1 = (-2)(2) + (1)(0)."""
    own = {Derivative("L", "B1"): Fraction(2), Derivative("L", "B2"): Fraction(0)}
    assert replay(Q3, RIGHT, "L", own)[Derivative("L", "A1")] == -4
    assert replay(Q3, RIGHT, "L", own)[Derivative("L", "A2")] == 2
    assert replay(Q3, RIGHT, "L", {Value("B1"): Fraction(5)})[Value("C1")] == 3


def test_values_are_exact() -> None:
    found = replay(Q3, by_key()["integrated"])
    assert all(isinstance(value, Fraction) for value in found.values())


def test_the_priors_sum_to_less_than_one() -> None:
    assert sum(2.0**-row.prior_bits for row in TABLE) <= 1


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.key)
def test_a_remark_speaks_to_a_person(row: Misconception) -> None:
    assert not any(bad in row.remark.lower() for bad in ("invalid", "misconception", "wrong", "error"))
    assert row.remark.endswith((".", "?")) and not row.title[0].isupper() and row.why.endswith(".")
    assert row.remark.format(by="B1", of="L", ways="two", children="C1 and C2")
    assert row.key == row.key.lower() and " " not in row.key


def test_keys_and_remarks_are_their_own() -> None:
    for one, other in itertools.combinations(TABLE, 2):
        assert one.key != other.key and one.title != other.title


def test_the_page_of_mistakes_lists_every_row() -> None:
    from backhand.checking.mistakes import MISTAKES
    from backhand.marking.array_forward import ROWS

    page = (Path(__file__).parent.parent / "docs" / "misconceptions.md").read_text("utf-8")
    for row in (*TABLE, *MISTAKES, *ROWS):
        assert f"| `{row.key}` | {row.id} | {row.title} |" in page, row.key
