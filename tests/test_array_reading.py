"""How arrays are written on pages, spelling by spelling: what is read of them, and that it is judged."""

from __future__ import annotations

from pathlib import Path

import pytest

import backhand
from backhand.core.graph import Graph
from backhand.display import formatted
from backhand.marking.mark import mark
from backhand.readers.bh import read
from backhand.readers.page import read_work
from backhand.text import Source

EXAMPLES = Path(__file__).parent.parent / "examples"
NET = read(
    Source(
        "input x = [1, 2]\nweight W1 = [[1, -1], [2, 1]]\nbias b1 = [0.5, 1]\nweight W2 = [[1, -1], [2, 1]]\n"
        "bias b2 = [1, -1]\ntarget t = [1, 0]\nz1 = W1 @ x + b1\nh = tanh(z1)\nz2 = W2 @ h + b2\np = softmax(z2)\n"
        "L = cross_entropy(p, t)\n"
    )
)


def found(page: str, graph: Graph = NET) -> list[str]:
    """The claims of a page and their verdicts; an array whose elements are alike is one."""
    told = [
        f"{judgement.whole or judgement.name} {judgement.verdict}"
        for judgement in mark(read_work([Source(page)]), graph).judgements
        if judgement.line is not None
    ]
    return list(dict.fromkeys(told))


READ = {
    "dL/dz2 = (diag(p) - p p^T) dL/dp": ["dL/dz2 right"],
    "dz2 = (np.diag(p) - np.outer(p, p)) @ dp": ["dL/dz2 right"],
    r"$\frac{\partial L}{\partial z_1} = \operatorname{diag}(1 - h^2) W_2^\top \frac{\partial L}{\partial z_2}$": ["dL/dz1 right"],
    "dz2 = np.diag(p) @ dp": ["dL/dz2 wrong"],
    "dW2 = np.einsum('i,j->ij', dz2, h)": ["dL/dW2 right"],
    'dh = np.einsum("ij,i->j", W2, dz2)': ["dL/dh right"],
    "dh = np.einsum('ij,j->i', W2, dz2)": ["dL/dh wrong"],
    "h = tanh(z1)  # [-0.4621, 0.9999]": ["h right"],
    "h = tanh(z1)  #=> [-0.4621, 0.9999)": ["h right"],
    "h = [-0.4621, 0.5)": ["h right", "h wrong"],
    "h lies in [-1, 1)": [],
    "The derivative of L with respect to z2 is [-0.3864, 0.3864].": ["dL/dz2 right"],
    "dL/dz2 comes to p - t = [-0.3864, 0.3864], I think": ["dL/dz2 right"],
    "grads = {'W1': [[0.3039, 0.6078], [0.0001, 0.0003]], 'z1': [0.9, 0.1]}": ["dL/dW1 right", "dL/dz1 wrong"],
    '{"L": 0.4885,\n "gradients": {"b2": [-0.3864,\n 0.3864]}, "h": [-0.4621, 0.9999]}': ["L right", "dL/db2 right", "h right"],
    r"\begin{align} z_2 &= W_2 h \\ &\quad + b_2 \\ &= \begin{bmatrix} -0.4620 \\ -0.9243 \end{bmatrix} \end{align}": ["z2 right"],
    "z1 = W1 x\n   + b1 = [-0.5, 5]": ["z1 right"],
    "$$z_1 = W_1 x$$\n$$+ b_1 = [-0.5, 5]$$": ["z1 right"],
    "z1 = W1 x\n+ b1 = 3": ["z1 wrong", "b1 wrong"],
    "name   value   grad\nb2     [1, -1]   [-0.3864, 0.3864]": ["b2 right", "dL/db2 right"],
    r"$\frac{\partial L}{\partial W^{(2)}_{01}} = -0.3864$, $\frac{\partial L}{\partial W^{(2)}_{00}} = 0.1786$": [
        "dL/dW2[0,1] right", "dL/dW2[0,0] right",
    ],
    r"$\frac{\partial L}{\partial W^{(2)}_{12}} = -0.3864$": ["dL/dW2[0,1] right"],
    "db2[0,0] = -0.3864, db2[0,1] = 0.3864": ["dL/db2[0] right", "dL/db2[1] right"],
    "db2[0,0] = -0.3864, db2[1,0] = 0.5": ["dL/db2[0] right", "dL/db2[1] wrong"],
    "db2[1,1] = 0.3864": [" unclear"],
    r"$\frac{\partial L}{\partial b^{(2)}_{0,0}} = -0.3864$, $\frac{\partial L}{\partial b^{(2)}_{0,1}} = 0.5$": [
        "dL/db2[0] right", "dL/db2[1] wrong",
    ],
    "dL/dW1_ij = dL/dz1_i x_j": ["dL/dW1 right"],
    "dL/dW1_ij = dL/dz1_j x_i": ["dL/dW1 wrong"],
    "dz1 = (W2' * dz2) .* (1 - h.^2);": ["dL/dz1 right"],
    "dW1 <- dz1 %*% t(x)": ["dL/dW1 right"],
    "h = (-0,4621; 0,9999)": ["h right"],
}  # fmt: skip


@pytest.mark.parametrize("page", READ)
def test_it_is_read_as_it_is_meant(page: str) -> None:
    assert found(page) == READ[page]


def test_a_formula_that_is_wrong_here_is_no_rule_because_all_gates_are_open_elsewhere() -> None:
    graph = read(
        Source(
            "input X = [[-2, 2, -2, -1], [-3, -3, 2, 1]]\nweight W1 = [[-2, -2], [-1, -2]]\nbias b1 = [[2], [1]]\n"
            "weight W2 = [[-1, -2], [-1, -1]]\nbias b2 = [[1], [-1]]\ntarget Y = [[0, -2, 0, 2], [-3, 3, 3, -3]]\n"
            "Z1 = W1 @ X + b1\nA1 = relu(Z1)\nZ2 = W2 @ A1 + b2\nL = mean((Z2 - Y)^2)\n"
        )
    )
    assert "dL/dZ1 wrong" in found("dZ1 = dA1 = [[12, 6, 1.75, 0.75], [19.25, 8.75, 2, 1.5]]", graph)
    assert found("dZ1 = dA1 * (Z1 > 0)", graph) == ["dL/dZ1 right"]


@pytest.mark.parametrize("name", ["softmax-net", "attention", "lstm", "mazur"])
def test_what_backhand_prints_itself_is_right(name: str) -> None:
    graph = backhand.read(EXAMPLES / f"{name}.bh")
    text = "".join(formatted(backhand.solve(graph), "text"))
    marking = mark(read_work([Source(text)]), graph)
    assert [(j.line, j.name, j.said) for j in marking.judgements if j.verdict == "wrong"] == []
    assert marking.first_wrong is None


def test_columns_that_blanks_hold_together_are_a_table() -> None:
    graph = backhand.read(EXAMPLES / "mazur.bh")
    page = (
        "quantity           value   derivative of E_total\n---------   ------------   ---------------------\n"
        "net_h1            0.3775            ≈ 0.00877135\nb1                  0.35             ≈ 0.9187256\n"
    )
    assert found(page, graph) == ["net_h1 right", "dE_total/dnet_h1 right", "b1 right", "dE_total/db1 wrong"]


@pytest.mark.parametrize(
    "page",
    ["x =\n" + "1" * 100_000, "x =\n" + "1 2\n" * 20_000 + "a", "{'a': 1" + "{" * 50_000 + "}" * 50_000, "{'a': 1, " * 10_000,
     "     [,1] [,2]\n" * 10_000, "[1,25; " * 20_000, "x' * " * 20_000, "\\operatorname { a b c " * 10_000],
    ids=range(8),
)  # fmt: skip
def test_long_pages_of_nothing_are_read_in_one_pass(page: str) -> None:
    work = read_work([Source(page)], arrays=True)
    assert work.lines
