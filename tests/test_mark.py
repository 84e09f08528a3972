"""The verb `mark`, sentence by sentence: what is right, what follows, what is wrong, and what cannot be told.

Each row is a line or two somebody writes, and what must be said of it. Whole pages stand in `pages/`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_pages import FILES, parse

import backhand
from backhand.marking.marking import Marking
from backhand.marking.tables import build, prepared
from backhand.readers.page import read_work
from backhand.text import Source

ROOT = Path(__file__).parent.parent
Q3 = backhand.read(ROOT / "examples" / "q3.bh")
NEURON = backhand.read("x = 2\nw = -0.5\nb = 1.2\ntarget t = 1\nz = w x + b\nh = sigmoid(z)\nL = 1/2 (h - t)^2")


def marked(text: str, graph: backhand.Graph = Q3) -> Marking:
    return backhand.mark(read_work([Source(text)]), graph)


def verdicts(text: str, graph: backhand.Graph = Q3) -> str:
    """`dL/dB1 wrong, dC1/dB1 right`: what stands on the page, in its order."""
    return ", ".join(f"{j.name} {j.verdict}".strip() for j in marked(text, graph).judgements if j.line)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # values, however they are written
        ("B1 = 3", "B1 right"),
        ("B_1 = 6/2", "B1 right"),
        ("b1 = 2*2 - 1", "B1 right"),
        ("B₁ = −2·(−1) + 1·1 = 3", "B1 right"),
        ("B1 = 4", "B1 wrong"),
        ("dL/dB1 = 4.", "dL/dB1 right"),
        ("dL/dB1 = 4.0", "dL/dB1 right"),
        ("dL/dB1 = +4", "dL/dB1 right"),
        ("dL/dB1 = 2*2", "dL/dB1 right"),
        ("dL/dB1 ≈ 3.99", "dL/dB1 wrong"),
        # every link counts
        ("dL/dC2 = 2*(-1) = -2", "dL/dC2 right"),
        ("dL/dC2 = 2*(-2) = -12 = -2", "dL/dC2 wrong"),
        ("dL/dC2 = 2(-1) = 1 - 3 = -2", "dL/dC2 right"),
        ("C1 = 3 - 2 = 2 = 1", "C1 wrong"),
        # the written line decides before its number
        ("dL/dB1 = dL/dC1 dC1/dB1 + dL/dC2 dC2/dB1 = (2)(1) + (-2)(-1) = 4", "dL/dB1 right"),
        ("dL/dB1 = dL/dC1 dC1/dB1 = 2", "dL/dB1 wrong"),
        ("dL/dB1 = dL/dC1 dC1/dB1 = 4", "dL/dB1 wrong"),
        ("L = D^2 - 2 D t + t^2 = 16 - 24 + 9 = 1", "L right"),
        ("dL/dD = 2(t - D)", "dL/dD wrong"),
        ("dL/dD = 2(t - D) = -2", "dL/dD wrong"),
        # other ways that are as good
        ("dL/dA1 = (2)(1)(1)(-2) + (2)(1)(-2)(1) + (2)(-1)(-1)(-2) + (2)(-1)(0)(1) = -12", "dL/dA1 right"),
        ("dL/dA1 = dL/dD dD/dA1 = 2 (-6) = -12", "dL/dA1 right"),
        ("dD/dA1 = -6", "dD/dA1 right"),
        # one's own numbers carried on
        ("B1 = 4\nC1 = 4 - 2 = 2", "B1 wrong, C1 follows"),
        ("B1 = 4\nC1 = 1", "B1 wrong, C1 right"),
        ("dL/dC1 = 3\ndL/dB1 = (3)(1) + (-2)(-1) = 5", "dL/dC1 wrong, dL/dB1 follows"),
        ("dL/dC1 = 3\ndL/dB1 = (3)(1) = 3", "dL/dC1 wrong, dL/dB1 wrong"),
        # a number beside its formula follows from what a program prints below
        ("dL/dC1 = dL/dD * dD/dC1 = 3\ndL/dD = 3", "dL/dC1 follows, dL/dD wrong"),
        ("dL/dC1 = dL/dD * dD/dC1 = 3\ndL/dD = 2", "dL/dC1 wrong, dL/dD right"),
        ("dL/dC1 = dL/dD * dD/dC1 = 4\ndL/dD = 3", "dL/dC1 wrong, dL/dD wrong"),
        # a number misread once costs once
        ("C1 = 1*3 + (-1)*1 = 2\ndL/dC1 = 4\ndL/dB2 = 4*(-1) + (-4)*0 = -4", "C1 wrong, dL/dC1 follows, dL/dB2 right"),
        ("t = 2\nL = (4 - 2)^2 = 4\ndL/dD = 2(4 - 2) = 4", "t wrong, L follows, dL/dD follows"),
        # what cannot be told is not wrong
        ("q7 = 5", " unclear"),
        ("dL/dB1 = something = 4", "dL/dB1 right"),
        ("dL/dB1 = @@ = 4", "dL/dB1 right"),
        ("w_2 = 7", " unclear"),
        # names
        ("dB1/dL = 4", "dL/dB1 right"),
        ("∂D/∂L = 2", "dL/dD right"),
        ("dA1/dA2 = 5", " unclear"),
        ("dB1/dC1 = 1", "dC1/dB1 right"),
        ("dL/dB2 = 4", "dL/dB2 wrong"),
        ("dB1/dA2 = 0", "dB1/dA2 wrong"),
        ("dC1/dC2 = 0", "dC1/dC2 right"),
        ("dC1/dC2 = 1", "dC1/dC2 wrong"),
        # struck out, and corrected
        ("~~dL/dB1 = 2~~\ndL/dB1 = 4", "dL/dB1 right"),
        ("dL/dB1 = ~~2~~ 4", "dL/dB1 right"),
    ],
)
def test_what_is_said_of_a_line(text: str, said: str) -> None:
    assert verdicts(text) == said.strip()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("h = 0.55", "h right"),
        ("h = σ(0.2) ≈ 0.5498", "h right"),
        ("h = 0.549", "h right"),
        ("h = 0.5408", "h wrong"),
        ("h ≈ 0.55\ndL/dh = 0.55 - 1 = -0.45", "h right, dL/dh right"),
        ("dh/dz = h(1-h) = 0.55 · 0.45 = 0.2475", "dh/dz right"),
        ("dh/dz = 0.2475 = 0.25", "dh/dz right"),
        ("dL/dz = (h - t) h (1 - h) = -0.45 · 0.2475 = -0.1114", "dL/dz right"),
        ("dL/dw = (h - t) · h · (1 - h) · x = -0.2229", "dL/dw right"),
        ("dL/dw = (h - t) · h · (1 - h) · w = 0.0557", "dL/dw wrong"),
        ("dL/dw = (h - t)(1 - h) x = -0.405", "dL/dw wrong"),
        ("dL/dz = (h - t) · σ'(z) = -0.1114", "dL/dz right"),
        ("dL/dz = (h - t)(1 - tanh(z)^2)", "dL/dz wrong"),
    ],
)
def test_rounded_numbers(text: str, said: str) -> None:
    assert verdicts(text, NEURON) == said


GATES = backhand.read(ROOT / "examples" / "gates.bh")
ABS = backhand.read("x = -3, y = 2\nd = abs(x)\nm = max(d, y)\nr = relu(x)\nL = m y + r + d^2")
LOGS = backhand.read("x = 3, y = 2\np = x^2 y\ns = ln(p)\nL = s^2")
ENTROPY = backhand.read("x = 1\nw = 2\nb = -1\nt = 0\nz = w x + b\np = sigmoid(z)\nL = -(t ln(p) + (1 - t) ln(1 - p))")


@pytest.mark.parametrize(
    ("graph", "text", "said"),
    [
        # the page's own names, at what they are defined as, though written rounded
        (NEURON, "Let s = h(1-h) = 0.2475.\ndL/dz = (h - t) s = -0.1114", " right, dL/dz right"),
        (NEURON, "s = h(1-h) = 0.25\ndL/dz = (h - t) s = -0.45 * 0.25 = -0.1125", " right, dL/dz right"),
        (NEURON, "s = h(1-h) = 0.3\ndL/dz = (h - t) s = -0.135", " wrong, dL/dz follows"),
        (NEURON, "s = h(1-h)\ndL/dz = (h - t) s = -0.1114", " unclear, dL/dz right"),
        (NEURON, "s = h(1-h) = 0.2475\ndL/dz = (h - t) + s", " right, dL/dz wrong"),
        (NEURON, "Let e = h - t = -0.4502.\ndL/dz = e h (1 - h) = -0.1114", "dL/dh right, dL/dz right"),
        (NEURON, "g = (h-t)h(1-h) = -0.1114\ndL/dw = g x = 2g = -0.223\ndL/dx = g w = -g/2 = 0.0557",
         " right, dL/dw right, dL/dx right"),
        (ENTROPY, "Let q = 1 - p = 0.2689. Then L = -ln q = 1.3133", " right, L right"),
        # E, J and C are the loss only where it fits, or where the page says so
        (NEURON, "Put E = e^{-z} = 0.8187. Then h = 1/(1+E) = 0.5498", " right, h right"),
        (NEURON, "E = 0.1013", "L right"),
        (NEURON, "The error is E = 0.5", "L wrong"),
        (NEURON, "C = 0.5\ndC/dh = -0.4502", "L wrong, dL/dh right"),
        (NEURON, "error = t - h = 0.4502", "right"),
        (NEURON, "error = 1/2 (h - t)^2 = 0.2", "L wrong"),
        (NEURON, "dL = (h - t) dh", " unclear"),
        (NEURON, "dL/dh (2) = 0.5", " unclear"),
        # δ of the page's own, times x
        (NEURON, "let δ = (h-t)h(1-h)\ndL/dw = δx", "unclear, dL/dw right"),
        (NEURON, "let δ = (h-t)h(1-h)\ndL/dw = δx = -0.3", "unclear, dL/dw wrong"),
        # a correction is a claim of its own
        (NEURON, "dh/dz = h(1+h)\nNo: dh/dz = h(1-h)", "dh/dz wrong, dh/dz right"),
        # functions that are called with what they depend on, and methods
        (NEURON, "z(x) = w x + b       h(z) = σ(z(x))", "z right, h right"),
        (NEURON, "let h = z.sigmoid(); // 0.5498", "h right"),
        (NEURON, "let z = x.powi(2);", "z unclear"),
        (NEURON, "b.dv = z.dv", " unclear"),
        # the number of the layer tells names apart
        (backhand.read("z_1 = 2\na_1 = 3 z_1\nL = a_1^2"),
         "dL/dz_1^{(1)} = dL/da_1^{(1)} 3 = 36\ndL/dq = a_1^{(1)} dL/dz_1^{(2)} = 5", "dL/dz_1 right, unclear"),
        # turned round
        (Q3, "3 = B1\n4 = dL/dB1\n2(4-3) = 2 = dL/dD\n2(D - t) = dL/dD", "B1 right, dL/dB1 right, dL/dD right, dL/dD right"),
        (Q3, "5 = dL/dC1", "dL/dC1 wrong"),
        # a number with no digit left of it is no rounded one
        (NEURON, "dL/dw = 0\ndL/dx = -0\nh = 1", "dL/dw wrong, dL/dx wrong, h wrong"),
        (NEURON, "h ≈ 1\ndL/dx = 0.06", "h right, dL/dx right"),
        # code that adds up claims the whole sum, not its beginning
        (GATES, "ds = 2\ndx = 0\ndx += y*ds  # -8\ndz = 0\nif z > w: dz += 2",
         "df/ds right, df/dx right, df/dz unclear"),
        (Q3, "dB1 = 0\ndB1 += 2*1   # 2\ndB1 += -2*-1 # 2", "dL/dB1 right"),
        (Q3, "dB1 = 2*1\ndB1 += -2*-1 # 4", "dL/dB1 right"),
        (Q3, "dB1 = 0\ndB1 += 2*1", "dL/dB1 wrong"),
        (Q3, "dB1 = 2*1\ndB1 += -2*1 # 0", "dL/dB1 wrong"),
        (Q3, "dB1 += 2*1", "dL/dB1 unclear"),
        # absolute values
        (ABS, "|x| = 3\nd = |-3| = 3\nm = max(|x|, y) = 3\ndL/dx = (2|x| + y) x/|x| = -8",
         " right, d right, m right, dL/dx right"),
        # mixed numbers
        (backhand.read("x = 2, y = 3, z = 4\nL = x^2 y^3 / z"), "dL/dz = -\\frac{108}{16} = -6\\tfrac{3}{4} = -6¾", "dL/dz right"),
        (Q3, "dL/dD = 4 \\frac{1}{2}", "dL/dD right"),
        (Q3, "dL/dD = 4½", "dL/dD wrong"),
        # each step rounded
        (LOGS, "dL/ds = 5.781\nds/dp = 0.0556\ndL/dp = 5.781 * 0.0556 = 0.3214\ndL/dx = 0.3214 * 12 = 3.857",
         "dL/ds right, ds/dp right, dL/dp right, dL/dx right"),
    ],
)  # fmt: skip
def test_unusual_working(graph: backhand.Graph, text: str, said: str) -> None:
    assert verdicts(text, graph) == said.strip()


@pytest.mark.parametrize("text", ["L = (D - t)^4 = 1", "dL/dD = 2(D - t)^5 = 2", "L = D - t = 1"])
def test_a_formula_that_is_true_only_here_earns_no_method(text: str) -> None:
    marking = marked(text)
    assert [remark.key for remark in marking.remarks] == ["right-by-luck"]
    assert not marking.marks.earned


def test_a_slip_without_consequence_is_a_remark() -> None:
    (lost,) = marked("L = (D - t)^2 = (4 - 3) = 1").remarks
    assert (lost.key, lost.line) == ("square-lost", 1) and "1^2 = 1" in lost.text and "1" not in lost.hint
    (luck,) = marked("dL/dD = 2 (D - t)^2 = 2").remarks
    assert luck.key == "right-by-luck"
    assert verdicts("dL/dD = 2 (D - t)^2 = 2") == "dL/dD right"


def test_a_misread_number_is_pointed_at() -> None:
    marking = marked("C1 = 1*3 + (-1)*1 = 2")
    (remark,) = marking.remarks
    assert remark.key == "misread" and "w[B2,C1], which is -2" in remark.text and "-2" not in remark.hint
    assert marking.first_wrong is not None and marking.first_wrong.span.text.startswith("1*3")


def test_which_way_is_left_out_is_said_and_drawn() -> None:
    (judgement,) = [j for j in marked("dL/dB1 = dL/dC1 dC1/dB1 = 2").judgements if j.line]
    assert judgement.dropped == (("B1", "C2"),)
    assert "Add what comes back through C2" in judgement.links[0].why


def test_several_files_are_one_answer() -> None:
    one, two = Source("B1 = 4", "page 1"), Source("C1 = 4 - 2 = 2\ndL/dD = 3", "page 2")
    marking = backhand.mark(read_work([one, two]), Q3)
    assert [(j.name, j.verdict) for j in marking.judgements if j.line] == [
        ("B1", "wrong"), ("C1", "follows"), ("dL/dD", "wrong"),
    ]  # fmt: skip
    assert marking.first_wrong is not None and marking.first_wrong.span.source.name == "page 1"


def test_an_output_of_ones_own_choice() -> None:
    marking = backhand.mark(read_work([Source("dD/dB1 = 2")]), Q3, of="D")
    assert [(j.name, j.kind, j.verdict) for j in marking.judgements if j.line] == [("dD/dB1", "total", "right")]


def test_what_is_asked_and_absent_is_missing() -> None:
    net = backhand.read("x = 2\ny = 3 x\nL = y^2\nask derivatives of L by x")
    assert [(j.name, j.verdict) for j in marked("y = 6", net).judgements] == [("y", "right"), ("dL/dx", "missing")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_tables_change_nothing(path: Path) -> None:
    page = parse(path)
    graph, work = backhand.read(page.net), read_work([Source(page.page)])
    if graph.arrays:
        return  # nothing is foreseen about arrays
    with_tables = backhand.mark(work, graph, tables=build(graph, graph.output(None)[0]))
    assert with_tables.diagnoses == backhand.mark(work, backhand.read(page.net)).diagnoses


def test_tables_are_kept_by_content(tmp_path: Path) -> None:
    made = prepared(Q3, folder=tmp_path)
    (kept,) = tmp_path.iterdir()
    stamp = kept.stat().st_mtime_ns
    again = prepared(backhand.read(ROOT / "examples" / "q3.bh"), folder=tmp_path)
    assert (again.lines, again.numbers) == (made.lines, made.numbers) and kept.stat().st_mtime_ns == stamp
    prepared(backhand.read("x = 2\nL = x^2"), folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    kept.write_text("{", "utf-8")
    with pytest.raises(backhand.ReadError, match="Delete it"):
        prepared(Q3, folder=tmp_path)


def test_the_same_bytes_whatever_the_hash_seed_and_locale() -> None:
    said: set[bytes] = set()
    for seed, locale in (("0", "C"), ("1", "de_DE.UTF-8"), ("77", "tr_TR.UTF-8")):
        command = [
            sys.executable,
            "-m",
            "backhand",
            "mark",
            "examples/q3.bh",
            "examples/q3-answer.md",
            "--format",
            "json",
        ]
        environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale}
        said.add(subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True).stdout)
    assert len(said) == 1


STEPS = backhand.read("x = 2\nweight w = 3\ntarget y = 10\nŷ = w x\nL = (y - ŷ)^2")
DELTAS = backhand.read(
    "x = 1\nweight w = 0.4, v = 0.5\ntarget t = 0\nz_h = w x\nh = sigmoid(z_h)\nz_o = v h\no = sigmoid(z_o)\n"
    "E = 1/2 (t - o)^2"
)


STEPS_WITHOUT_X = backhand.read(
    "i = 1\nweight w = 0.4, v = 0.5\ntarget t = 0\nh = sigmoid(w i)\no = sigmoid(v h)\nE = 1/2 (t - o)^2"
)


@pytest.mark.parametrize(
    ("text", "said", "graph"),
    [
        # a step gives the weight another number, and so does what is worked out once more
        ("w = w - 0.1 * dL/dw = 3 - 0.1(-16) = 4.6", " right", STEPS),
        ("w = 3 - 0.1 * (-16) = 4.6", " right", STEPS),
        ("w = 3 - 0.1 * (-16) = 4.7", " wrong", STEPS),
        ("ŷ = 6\nw_new = 3 - 0.1(-16) = 4.6\nŷ = 4.6 * 2 = 9.2", "ŷ right, right, ŷ unclear", STEPS),
        ("w_new = 3 - 0.1(-16) = 4.6\nw = 4.6", " right, w unclear", STEPS),
        ("w_new = 3 - 0.1(-16) = 4.6\nw = 4.7", " right, w wrong", STEPS),
        ("w_new = 3 - 0.1(-16) = 4.6\nŷ = 7", " right, ŷ wrong", STEPS),
        ("w = 4.6", "w wrong", STEPS),
        # ŷ in all its spellings, and e where the loss is E
        (r"$\hat{y} = 3 \cdot 2 = 6$", "ŷ right", STEPS),
        (r"$\frac{\partial L}{\partial \hat{y}} = -2(y - \hat{y}) = -8$", "dL/dŷ right", STEPS),
        ("o = σ(z_o) = 1/(1 + e^(-z_o))", "o right", DELTAS),
        # the slope of a bend is what it is the slope of
        ("σ'(z_h) = h(1 - h) = 0.2403", "dh/dz_h right", DELTAS),
        ("σ'(z_h) = h(1 - h) = 0.2503", "dh/dz_h wrong", DELTAS),
        ("if z_h < 0, then relu'(z_h) = 0", "", DELTAS),
        # δ with the other sign
        ("δ_o = (t - o) o (1 - o)\nδ_h = h (1 - h) v δ_o", "unclear, unclear", DELTAS),
        ("δ_o = (t - o) o (1 - o)\ndE/dv = -δ_o h", "unclear, dE/dv right", DELTAS),
        ("δ_o = (t - o) o (1 - o)\ndE/dv = δ_o h", "unclear, dE/dv wrong", DELTAS),
        ("δ_o = (o - t) o (1 - o)", "dE/dz_o right", DELTAS),
        ("δ_o = (o - t) o (1 + o)", "dE/dz_o wrong", DELTAS),
        # x as a sign, where nothing is called x
        ("dE/dv = (o - t) x o x (1 - o) x h", "dE/dv right", STEPS_WITHOUT_X),
        ("dE/dv = (o - t) x o x (1 + o) x h", "dE/dv wrong", STEPS_WITHOUT_X),
        # an equation and its number in two cells
        (
            "| 节点 | 值 |\n|--|--|\n| z_h = w x | 0.4 |\n| dE/dz_o = (o - t) o (1 - o) | 0.14 |",
            "z_h right, dE/dz_o right",
            DELTAS,
        ),
        ("| what | so |\n|--|--|\n| z_h = w x | 0.5 |", "z_h wrong", DELTAS),
        # layers as superscripts, and a part of a derivative
        ("z_h^{(1)} = w x = 0.4", "z_h right", DELTAS),
        (r"$\frac{\partial E}{\partial w}|_{t=1} = 0.7$", " unclear", DELTAS),
    ],
)
def test_published_ways_of_writing(text: str, said: str, graph: backhand.Graph) -> None:
    assert verdicts(text, graph) == said.strip()


PARABOLA = backhand.read("input x = 2\nweight w = 4\nz = w x\nL = z^2")
SMOOTH = backhand.read("input x = 2\nweight w = 0.5\nbias b = 0.1\nz = w x + b\nh = sigmoid(z)\nL = (h - 1)^2")
ERROR = backhand.read("input x = 2\nweight w = 0.5\ntarget t = 3\nz = w x\nh = 2 z\nL = 1/2 (t - h)^2")
COUNTED = backhand.read("input x = 2\nweight w = 3\nbias b = 1\ntarget t = 5\nz = w x + b\nh = relu(z)\nL = (h - t)^2")


@pytest.mark.parametrize(
    ("text", "said", "graph"),
    [
        # what is denied is no claim, whether it is true or not
        ("not dL/dB1 = 2", "dL/dB1 unclear", Q3),
        ("it is not true that dL/dB1 = 4", "dL/dB1 unclear", Q3),
        ("(instead of dL/dB1 = 2)", "dL/dB1 unclear", Q3),
        ("A common mistake would be dL/dB1 = 2*1 = 2", "dL/dB1 unclear", Q3),
        ("dL/dB1 = 2 would be wrong. dL/dB1 = 4", "dL/dB1 unclear, dL/dB1 right", Q3),
        ("nicht dL/dB1 = 2, sondern dL/dB1 = 4", "dL/dB1 unclear, dL/dB1 right", Q3),
        ("No: dL/dB1 = 4", "dL/dB1 right", Q3),
        ("I did not simplify it, so dL/dB1 = 5", "dL/dB1 wrong", Q3),
        # what is supposed may be wrong
        ("one might think that dL/dB1 = 2, but dL/dB1 = 4", "dL/dB1 unclear, dL/dB1 right", Q3),
        ("I first thought dL/dB1 = 2", "dL/dB1 unclear", Q3),
        ("if we forget C2, then dL/dB1 = 2*1 = 2.", "dL/dB1 unclear", Q3),
        ("You get dL/dB1 = 2 if you forget one way", "dL/dB1 unclear", Q3),
        ("Is dL/dB1 = 2? No, dL/dB1 = 4.", "dL/dB1 unclear, dL/dB1 right", Q3),
        ("if we add over both ways, dL/dB1 = 4", "dL/dB1 right", Q3),
        ("dL/dB1 = 2?", "dL/dB1 wrong", Q3),
        ("I think that dL/dB1 = 2", "dL/dB1 wrong", Q3),
        # other numbers than those given
        ("z = 4*2 = 8\nfor x = 3 we get z = 12", "z right, x unclear, z unclear", PARABOLA),
        ("if x were 3, z = 12 and L = 144", "z unclear, L unclear", PARABOLA),
        ("Suppose x = 3.\nThen z = 4*3 = 12\nand L = 144", "x unclear, z unclear, L unclear", PARABOLA),
        ("If x = 2, then z = 9", "x right, z wrong", PARABOLA),
        ("z = 8\nWith x = 3: z = 12", "z right, x unclear, z unclear", PARABOLA),
        ("With x = 3: z = 4*3 = 12", "x wrong, z follows", PARABOLA),
        # difference quotients
        ("dL/dx = (L(2.001) - L(2))/0.001 = 64.016", "dL/dx right", PARABOLA),
        ("dL/dx = (L(x + 0.001) - L(x))/0.001 = 64.016", "dL/dx right", PARABOLA),
        ("dL/dx = (L(2.001) - L(2))/0.001 = 64.16", "dL/dx wrong", PARABOLA),
        ("dL/dx ≈ (64.064016 - 64)/0.001 = 64.016", "dL/dx right", PARABOLA),
        ("dL/dx = (64.064016 - 64)/0.002 = 32.008", "dL/dx wrong", PARABOLA),
        ("numerically (L(2.001) - L(2))/0.001 = 64.016", "unclear", PARABOLA),
        ("dL/dw = (0.0605 - 0.0624)/0.01 = -0.19", "dL/dw right", SMOOTH),
        ("dL/dw = (0.0612 - 0.0624)/0.01 = -0.12", "dL/dw wrong", SMOOTH),
        # E is how far it is off, whatever is differentiated by it
        ("E = t - h = 1\nL = 1/2 E^2 = 0.5\ndL/dE = E = 1\ndE/dh = -1\ndL/dh = E (-1) = -1",
         "right, L right, right, unclear, dL/dh right", ERROR),
        # a number from nowhere
        ("dh/dz = h + (1 - h) - 0.8126", "dh/dz unclear", SMOOTH),
        ("dh/dz = h (1 - 0.7503)", "dh/dz right", SMOOTH),
        # several numbers for one thing
        ("dL/dB1 = 4, 2", "dL/dB1 unclear", Q3),
        ("dL/dB1, dL/dB2 = 4, -4", "dL/dB1 right, dL/dB2 right", Q3),
        # struck out
        (r"$\cancel{dL/dB1 = 2}$ $dL/dB1 = 4$", "dL/dB1 right", Q3),
        (r"$\xcancel{\frac{\partial L}{\partial B_1} = 2}$", "", Q3),
        (r"\sout{$\frac{\partial L}{\partial B_1} = 2$}", "", Q3),
        (r"$dL/dB1 = \bcancel{2}\, 4$", "dL/dB1 right", Q3),
        (r"$\frac{dL}{\cancel{dD}} \frac{\cancel{dD}}{dC1} = dL/dC1 = 2$", " right", Q3),
        (r"$dL/dC1 = \frac{\cancel{4}^2}{\cancel{2}^1} = 2$", "dL/dC1 right", Q3),
        # pasted code that has these names for something of its own
        ("L = []\nL = 0\nx = np.array([1, 2, 3])\nfor h in range(10):\n    z = z + h\nz = 7",
         "L unclear, x unclear, z unclear, z right", COUNTED),
        ("h = 1e-5\nz = 7\nz = 8", "h unclear, z right, z wrong", COUNTED),
        ("def f(x, b=7):\n    z = 4*x + b\n    return z\nx = 4\nz = 7", "z unclear, x unclear, z right", COUNTED),
        ("z = 8\nh = 8", "z wrong, h follows", COUNTED),
        # an arrow that differentiates, a number nudged, another number instead
        ("L = (D−3)² → 2(D−3) → 2", "L unclear", Q3),
        ("dL/dB1: 2 + 2 → 5", "dL/dB1 wrong", Q3),
        ("B2 + 0.1 gives L = (3.8-3)^2 = 0.64", "L unclear", Q3),
        ("let's say x = 3 instead; then z = 12", "x unclear, z unclear", PARABOLA),
        # δ of a unit whose sum has a name of its own
        ("delta_h = (h - 1) 2 h (1 - h) = -0.0936", "dL/dz right", SMOOTH),
        ("delta_h = 2 (h - 1) = -0.4995", "dL/dh right", SMOOTH),
        # what a program prints
        ("[forward] z=1.1000 h=0.7503 L=0.0624", "z right, h right, L right", SMOOTH),
        # a value at a point, and one elsewhere
        ("L = L(2) = 64", "L right", PARABOLA),
        ("L(2.001) ≈ 64.064", "unclear", PARABOLA),
        ("dL/dw = (L(w + h) - L(w))/h = -0.1872", "dL/dw right", SMOOTH),
        ("dL/dB1 = 2 ✗", "dL/dB1 unclear", Q3),
        # ** that raises, and ** around a statement with a product
        ("df = 2*D**2 - 0.5 * 2**-0.5", "unclear", Q3),
        ("**Step 2: D = C1 - 1 * C2** as drawn", "D right", Q3),
        # a step by Δw is no w
        ("Δw = -0.1 · 64 = -6.4", "right", PARABOLA),
    ],
)  # fmt: skip
def test_what_is_not_said_of_this_network_is_not_held_against_anybody(
    text: str, said: str, graph: backhand.Graph
) -> None:
    assert verdicts(text, graph) == said.strip()


def test_a_number_for_something_without_a_number_is_not_right() -> None:
    net = backhand.read("input x = ?, t = 3\nL = (x - t)^2")
    assert verdicts("L = (x-3)^2 = 17", net) == "L unclear"
    assert verdicts("L = (x-3)^2 = x^2 - 6x + 9", net) == "L right"


def test_letters_of_another_alphabet_are_read_and_shown() -> None:
    marking = marked("В1 = 3\n$\\frac{\\partial L}{\\partial В_1} = 5$\nГрадиент в С1: dL/dС1 = 2")
    assert [(j.name, j.verdict) for j in marking.judgements if j.line] == [
        ("B1", "right"), ("dL/dB1", "wrong"), ("dL/dC1", "right"),
    ]  # fmt: skip
    assert [repair.meant for repair in marking.work.repairs if repair.span.line == 1] == ["B1"]
    own = backhand.read("В1 = 3\nL = В1^2")
    assert backhand.mark(read_work([Source("В1 = 3")]), own).work.repairs == ()
