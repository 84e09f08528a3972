"""Every printed equality is true and can be read back, says a second reader that believes only what it sees.

`seen` reads the terminal's text, the LaTeX and the Markdown, line by line, and reckons every side of every
`=` and `≈` for itself. Here is what it is given to read: the examples, published examples, networks whose
formulas are easily misprinted, and random ones. `tests/browser/test_seen_in_browser.py` reads the page.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from random_graphs import EXACT, SMOOTH, random_graph
from seen.judging import Chain, complaints
from seen.pages import CHAINS
from seen.reading import Lexicon, Unreadable, tex, typed
from seen.truth import World, close
from test_corpus import EXAMPLES as PUBLISHED
from test_corpus import SCALAR, solved

import backhand
from backhand.core.elements import expanded
from backhand.core.graph import Graph
from backhand.display import formatted
from backhand.solving.solution import Detail

EXAMPLES = [
    path
    for path in sorted((Path(__file__).parent.parent / "examples").glob("*.bh"))
    if not re.search("^step ", path.read_text("utf-8"), re.MULTILINE)  # their lines are read in test_stepping
]

# fmt: off
NASTY = {
    "negative numbers": "x = -3, y = -2, z = -1/3\np = x y z\nq = x - y - z\nL = p q + x (-2) - y (-1/2)",
    "fractions": "x = 1/3, y = -2/7\np = x + y\nq = x/y\nL = p q^2 - 1/2 x",
    "huge and tiny": "a = 123456789012345, b = 0.0000001234567\np = a b\nq = a a/b\nL = p^3 + q - b^2",
    "integers past six digits": "a = 7919, b = 1/3\nL = (a + b)^2 + a^2 b",
    "two to the x": "x = -3, y = 5\np = 2^x\nq = 2^y\nL = p q + 2^(x + y) - 2^-x",
    "x to the y": "x = 2.5, y = -1.5\np = x^y\nq = y^2\nL = p^q - q^3 + (x^y)^2",
    "quotients in quotients": "a = 6, b = -4, c = 1/3\np = a/(b/c)\nq = (a/b)/c\nr = a/b c\nL = p - q/(r/(a/b))",
    "minus before parentheses": "a = 2, b = -5\np = -(a - b)\nq = a - (b - a)\nr = a - (-b)\n"
    "L = -(p - (q - r)) - (-(-a))",
    "minus and squares": "x = -2\np = (-2)^2\nq = -2^2\nr = (-x)^2\ns = -x^2\nL = p + q r - s x^3",
    "roots": "x = 9/4, y = 2\np = sqrt(x)\nq = sqrt(y)\nL = p q/sqrt(x y)",
    "corners": "x = -3, y = 0\np = abs(x)\nq = max(x, y)\nr = min(x, y)\ns = relu(y) + max(y, 0)\n"
    "L = p q - r s + abs(y)",
    "leaky slopes": "x = -3, a = 0.2\np = leaky_relu(x, a)\nq = leaky_relu(x)\nr = elu(x, a) + elu(-x)\nL = p q r",
    "exponentials": "x = 1.5\np = exp(-x)\nq = e^x\nr = exp(x^2)\nL = p q + exp(-(x - p)) - ln(q) + log2(r)/log10(r)",
    "trigonometry": "x = 0.5\nL = sin(x)^2 + cos(x)^2 tan(x) + asin(x) acos(x) + atan(x) + sinh(x) cosh(x) + pi x",
    "activations": "x = 0.5, y = -1.25\nL = tanh(x)^2 + silu(y) gelu(x) + softplus(x y) + erf(y) - sigmoid(-x)/step(x)",
    "symbols": "input x = ?, y = ?\nz = x/(y + 1) - 2 x\nh = tanh(z) + max(x, y)\nL = -(h - y)^2/(x/y) + exp(-x)",
    "symbols and numbers": "input x = ?, y = -2\nz = x y + y^2\nh = sigmoid(z)\nL = (h - y/3)^2 y",
    "repeated names": "x = 3\nL = x x - x/x + x (x + x) - (x - x) + x^x",
    "a shortcut": "x = 2, w = -1\nh = w x\nr = tanh(h) + x\ny = r + h + x\nL = (y - r x)^2",
    "versions": "a = -4, b = 2\nc = a b\nc = c + 1\nc = c c - c\nL = c^2/a",
    "greek names": "α = 2, β = -1, θ1 = 0.5, Δ = 3\nσ1 = α β θ1\nL = σ1^2 Δ - α/Δ",
    "indices and primes": "x' = 2, x_{in} = -1, x_1 = 3, y'' = 1/2, h_a1 = 4\nL = x' x_{in} x_1 y'' + (h_a1 - x')^2",
    "names that look alike": "x1 = 2, x_1 = 3, x_{1} = 5\nL = x1 x_1^2 - x_{1}",
    "names of letters that mean something": "d = 2, f = 3, t = -1, n = 4\ny = d f + t\nL = y^2/n - d t",
    "names of functions": "step = 2, sign = -3, x = 5\nh = relu(step x)\nL = abs(h) max(sign, x)",
    "names of functions without another name": "exp = 2, sin = -3, sqrt = 5, pi = 2, erf = 3\n"
    "h = elu(-exp) + cos(sin)\nL = gelu(h) asin(1/sqrt) erf pi + sqrt^(1/2)",
    "names of functions, drawn": "input x = 2, step = -1\nx -> sign : 3\nstep -> sign : -1\nsign : relu, bias 0.5\nL = sign^2 sgn(x)",
    "a name e": "e = 2, x = 3\ny = exp(x)\nL = e y + exp(-e)",
    "long names": "learning_rate = 0.1, hidden = -2, loss_1 = 3\nout = hidden loss_1\n"
    "total = out learning_rate - hidden/loss_1",
    "products of three": "a = 2, b = -3, c = 1/2\nL = a b c - a (b) (c) + (a)(b + c)(c - a) 2",
    "thirty terms": "x = 2\nL = " + " + ".join(f"{n} x^{n % 4 + 1}" if n % 3 else f"x/{n}" for n in range(1, 31)),
    "drawn": "input A = -1, B = 2\nA -> C : -2\nB -> C : 0\nA -> D : 1/3\nB -> D : w = -1\nC, D : tanh, bias -0.5\n"
    "L = (C - D)^2",
}
# fmt: on


def chains(solution: backhand.Solution, form: str, detail: Detail) -> list[Chain]:
    """Every chain on the page."""
    page = "".join(formatted(solution, form, detail=detail))
    return list(CHAINS[form](page, Lexicon(solution.graph.index)))


def false(solution: backhand.Solution, *forms: str, detail: Detail = "full") -> list[str]:
    """What the second reader complains of."""
    world = World(solution.graph)
    return [
        f"{form}: {found}"
        for form in forms
        for each in chains(solution, form, detail)
        for found in complaints(each, world)
    ]


# -- the reader itself --------------------------------------------------------------------------------------

NET = backhand.read("x = -2, y = 1/3\nz = x y\nL = z^2 - x")
WORLD = World(NET)
NAMES = Lexicon(NET.index)


@pytest.mark.parametrize(
    ("text", "worth"),
    [
        ("2 - 3 - 4", -5),
        ("-2^2", -4),
        ("2^3^2", 512),
        ("6/3·2", 4),
        ("1/2 x", -1),
        ("2(x - 1)^2", 18),
        ("dL/dx", -1 - 4 / 9),
    ],
)
def test_it_reads_as_a_student_does(text: str, worth: float) -> None:
    assert abs(float(WORLD.amount(typed(text, NAMES))) - worth) < 1e-15


@pytest.mark.parametrize("text", ["2 3", "x·-1", "x + -1", "2 +", "(x", "q", "f(x)"])
def test_it_reads_nothing_into_what_is_unclear(text: str) -> None:
    with pytest.raises(Unreadable):
        typed(text, NAMES)


def test_tex_and_typed_text_say_the_same() -> None:
    pairs = {
        r"\frac{dL}{dx}": "dL/dx",
        r"\frac{\partial L}{\partial x}": "∂L/∂x",
        r"\sqrt{y}\,\left( x \right)": "sqrt(y) (x)",
    }
    assert [tex(one, NAMES) for one in pairs] == [typed(other, NAMES) for other in pairs.values()]


@pytest.mark.parametrize(
    "line", ["z = x y = -0.66", "z = x y ≈ -0.666668", "z ≈ -0.666667 = -0.666667", "∂L/∂x = dL/dx"]
)
def test_it_sees_what_is_false(line: str) -> None:
    assert [found for each in CHAINS["text"](line, NAMES) for found in complaints(each, WORLD)]


# -- what is printed ----------------------------------------------------------------------------------------


OF_ARRAYS = [path for path in EXAMPLES if backhand.read(path).arrays]


@pytest.mark.parametrize("form", CHAINS)
@pytest.mark.parametrize("path", [path for path in EXAMPLES if path not in OF_ARRAYS], ids=lambda path: path.stem)
def test_the_examples(path: Path, form: str) -> None:
    assert false(backhand.solve(backhand.read(path), pairs=True, paths=True), form) == []


@pytest.mark.parametrize("path", [path for path in OF_ARRAYS if path.stem != "mlp"], ids=lambda path: path.stem)
def test_the_examples_of_arrays_element_by_element(path: Path) -> None:
    """Their matrix lines are read by nobody here; their elements are an ordinary network."""
    assert false(backhand.solve(expanded(backhand.read(path))), "text") == []


@pytest.mark.parametrize("name", SCALAR)
def test_the_published_examples(name: str) -> None:
    assert false(solved(PUBLISHED[name]), *CHAINS) == []


@pytest.mark.parametrize("form", CHAINS)
@pytest.mark.parametrize("name", NASTY)
def test_networks_that_are_easily_misprinted(name: str, form: str) -> None:
    assert false(backhand.solve(backhand.read(NASTY[name]), pairs=True, paths=True), form) == []


@pytest.mark.parametrize("name", [name for name in NASTY if "drawn" not in name and name != "versions"])
def test_a_formula_is_worth_what_was_typed(name: str) -> None:
    """The second reader reads the network, too."""
    graph = backhand.read(NASTY[name])
    world, lexicon = World(graph), Lexicon(graph.index)
    for line in NASTY[name].splitlines()[1:]:
        defined, _, formula = line.partition(" = ")
        assert close(world.amount(typed(formula, lexicon)), world.value(defined)), line


@pytest.mark.parametrize("batch", range(20))
def test_a_thousand_random_networks(batch: int) -> None:
    for seed in range(50 * batch, 50 * batch + 50):
        assert false(randomly(seed, most=8), "text", "latex", detail="full" if seed % 4 > 1 else "steps") == [], seed


@pytest.mark.nightly
@pytest.mark.parametrize("batch", range(100))
def test_ten_thousand_random_networks(batch: int) -> None:
    for seed in range(1000 + 100 * batch, 1000 + 100 * batch + 100):
        assert false(randomly(seed, most=20), "text", "latex") == [], seed


def randomly(seed: int, most: int) -> backhand.Solution:
    graph: Graph = random_graph(seed, SMOOTH if seed % 2 else EXACT, most)
    return backhand.solve(graph)
