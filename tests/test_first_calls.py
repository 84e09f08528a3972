"""What somebody types who meets a verb for the first time, and what it then says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import backhand
from backhand.errors import LimitError, UsageError

NET = backhand.read("x = 2\nweight w = 3\nL = (w x - 1)^2")


def loss(x: Any, w: Any, t: Any) -> Any:
    return ((w * x - t) ** 2).sum()


ZEROS = backhand.trace(loss, x=np.ones((2, 3)), w=1.0, t=np.zeros((2, 3)))


def right(x: Any, w: Any) -> dict[str, Any]:
    return {"w": 2 * (w * x - 1) * x}


@pytest.mark.parametrize("verb", [backhand.solve, backhand.code, backhand.compile, backhand.set])
def test_what_is_no_network_is_said_to_be_none(verb: Any) -> None:
    for given, cure in (("net.bh", "backhand.read"), (loss, "backhand.trace"), (None, "backhand.Net")):
        with pytest.raises(UsageError, match=cure):
            verb(given)
    with pytest.raises(UsageError, match=r"\.graph\(\)"):
        verb(backhand.Net())


def test_mark_and_check_say_what_comes_first() -> None:
    answer: Any = "answer.md"
    with pytest.raises(UsageError, match="read_answer"):
        backhand.mark(answer, NET)
    swapped: Any = NET
    with pytest.raises(UsageError, match="my_backward, graph"):
        backhand.check(swapped, NET)
    no_function: Any = 3
    with pytest.raises(UsageError, match="no function"):
        backhand.trace(no_function, x=1)


def test_one_name_may_stand_for_itself() -> None:
    name: Any = "w"
    assert backhand.solve(NET, wrt=name).derivative("w") == 20
    assert backhand.compile(NET, wrt=name, keep="asked")().derivatives == {"w": 20.0}


@pytest.mark.parametrize("engine", ["python", "numpy", "jax", "points", "tape"])
def test_what_is_no_number_is_an_error_and_never_nan(engine: Any) -> None:
    made = backhand.compile(NET, engine)
    for value in (None, "a", 1j, [1, "b"]):
        with pytest.raises(UsageError, match="given for x"):
            made(x=value)
    one: Any = 3
    with pytest.raises(UsageError, match="by their names"):
        made(one)
    with pytest.raises(UsageError, match=r"There is no q .* Given are: x, w\."):
        made(q=1)


def test_what_is_no_known_name_is_mentioned_though_all_else_is_right() -> None:
    found = backhand.check(lambda x, w: {**right(x, w), "dw1": 1}, NET)
    assert found and str(found).endswith("Not in the network: dw1.")
    with pytest.raises(UsageError, match="returns= names dq"):
        backhand.check(lambda x, w: (1, 2), NET, returns=("dw", "dq"))


def test_what_check_cannot_call_or_read_is_said() -> None:
    with pytest.raises(UsageError, match=r"takes \*numbers.*Name its arguments: x, w"):
        backhand.check(lambda *numbers: {"w": numbers[1]}, NET)
    with pytest.raises(UsageError, match="complex"):
        backhand.check(lambda x, w: {"w": right(x, w)["w"] + 0j}, NET)
    arrays: Any = "tensorflow"
    with pytest.raises(UsageError, match="numpy, torch, jax"):
        backhand.check(right, NET, arrays=arrays)


def test_zeros_and_ones_are_drawn_so_that_they_hide_nothing() -> None:
    """A target that is 0 at all places is not 0 in all calls, so leaving it out shows."""
    assert backhand.check(lambda x, w, t: {"w": (2 * (w * x - t) * x).sum()}, ZEROS)
    assert not backhand.check(lambda x, w, t: {"w": (2 * (w * x) * x).sum()}, ZEROS)


def test_elements_that_are_put_into_an_array_of_numpy_are_explained() -> None:
    def collected(x: Any, w: Any) -> Any:
        h = np.zeros(2)
        for place in range(2):
            h[place] = x[place] * w
        return h.sum()

    with pytest.raises(UsageError, match=r"np\.stack"):
        backhand.trace(collected, x=[1, 2], w=3)


def test_a_network_about_which_nothing_is_said_is_read_by_lint(tmp_path: Path) -> None:
    page = tmp_path / "notes.md"
    page.write_text("# Notes\n\n```bh\nx = 3\ny = q x\n```\n\n```bh\nx = 3\n```\n", "utf-8")
    from backhand.linting.lint import lint

    assert [(finding.line, finding.kind) for finding in lint(page).findings] == [(5, "network")]


def test_a_sum_of_products_of_matrices_has_its_shapes_once_and_its_parentheses(tmp_path: Path) -> None:
    net = backhand.read(
        "U = [[1, 2], [3, 4]]; v = [1, 2]; w = [5, 7]; a = U @ (v w); b = U @ v; L = sum(a^2 + b^2)".replace("; ", "\n")
    )
    backhand.write(backhand.solve(net), tmp_path / "solved.txt")
    assert "# (2×1)(1×2) = (2×2)\n" in (tmp_path / "solved.txt").read_text("utf-8")
    net = backhand.read("U = [[1, 2], [3, 4]]; v = [1, 2]; w = [5, 7]; L = sum((U @ (v w))^2)".replace("; ", "\n"))
    assert "dL/dw = U.T @ (2 (U @ (v w))) v" in backhand.code(net)


CLASSES = backhand.read(
    "A = [[1, 2], [3, 4], [0, 1]]; y = [0, 1, 1]; weight k = 2; L = sum(cross_entropy_logits(k A, y))".replace(
        "; ", "\n"
    )
)


@pytest.mark.parametrize("engine", ["numpy", "jax"])
def test_a_class_number_there_is_not_is_an_error_in_every_engine(engine: Any) -> None:
    made = backhand.compile(CLASSES, engine)
    for wrong in (5, -1, 0.5, float("nan")):
        with pytest.raises(UsageError, match=rf"y has {wrong} .* 2 classes, counted from 0\. Give whole .* 0 to 1"):
            made(y=[0, wrong, 1])
    assert made(y=[[0, 0, 1], [1, 1, 1]]).values["L"].shape == (2,)


def test_the_networks_own_class_numbers_are_looked_at_too() -> None:
    rows = backhand.read("E = [[1, 2], [3, 4]]\ni = [0, 2]\nW = [1, 1]\nL = sum(gather(E, i) @ W)")
    made = backhand.compile(rows)
    for _ in range(2):
        with pytest.raises(UsageError, match=r"i has 2 .* 2 rows"):
            made()
    assert made(i=[0, 1]).values["L"] == 10


def test_compile_takes_threads_and_precisions_as_they_are_said() -> None:
    for threads in (0, -1, "2", True, 1.5):
        wrong: Any = threads
        with pytest.raises(UsageError, match="number of threads"):
            backhand.compile(NET, threads=wrong)
    single = backhand.compile(CLASSES, dtype=np.float32)()
    assert single.derivatives["A"].dtype == np.float32
    for wrong in (3, None, "float16", np.int8):
        with pytest.raises(UsageError, match=r"dtype=.*is not known"):
            backhand.compile(NET, dtype=wrong)


@pytest.mark.parametrize("engine", ["numpy", "jax"])
def test_compile_takes_elements_of_arrays_as_solve_does(engine: Any) -> None:
    made = backhand.compile(CLASSES, engine, wrt=["A[0, 1]", "k"], keep="asked")
    solved = backhand.solve(CLASSES, wrt=["A[0,1]", "k"])
    found = made().derivatives
    assert list(found) == ["A[0,1]", "k"]
    assert found == pytest.approx({name: float(solved.derivative(name)) for name in found})
    assert np.array_equal(made(y=[[0, 1, 1]] * 3).derivatives["A[0,1]"], [found["A[0,1]"]] * 3)
    with pytest.raises(UsageError, match=r"no element A\[0,2\]"):
        backhand.compile(CLASSES, engine, wrt="A[0,2]")


def test_the_command_line_advises_what_can_be_done_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from backhand.cli import run

    net, page = tmp_path / "net.bh", tmp_path / "notes.md"
    net.write_text("x = ?\nweight w = 3\nL = (w x - 1)^2\n", "utf-8")
    assert run(["solve", str(net), "--values", str(tmp_path / "out.npz")]) == 2
    said = capsys.readouterr().err
    assert "x has no value, and a file holds numbers. Write one: x = 1." in said and "f(" not in said
    page.write_text("backhand: gone.bh\n\nx = 3\n", "utf-8")
    assert run(["lint", str(page)]) == 1
    said = capsys.readouterr().out
    assert "There is no file" in said and "standard input" not in said


def test_a_derivative_that_is_always_0_is_said_to_be_so() -> None:
    found = backhand.check(lambda x, w, t: {"w": 0.0}, ZEROS).explained
    assert found is not None and found.key == "always-zero" and found.done == "dL/dw = 0"
    three = backhand.read("w = 3\nu = w^2\nv = 3 w\nr = w^3\nL = u v r")
    dropped = backhand.check(lambda w: {"w": 2 * w * 3 * w**4 + 3 * w**5}, three).explained
    assert dropped is not None and "way-dropped" in {dropped.key, *(other.key for other in dropped.could_be)}


def test_a_line_that_nobody_would_write_is_not_called_yours() -> None:
    found = backhand.check(lambda x, w, t: {"w": (2 * (w * x) * x).sum()}, ZEROS).explained
    assert found is not None and found.key == "target-left-out"
    assert found.right == "dL/dw = sum(2 (w*x - t) x)" and not found.done


MASKED = """K = [[1, 0], [0.5, 2], [1, 1]]
M = [[0, {0}, {0}], [0, 0, {0}], [0, 0, 0]]
V = [[1, 2], [3, 4], [5, 6]]
L = sum((softmax(K @ K.T / sqrt(2) + M) @ V)^2)
"""


def test_a_mask_is_no_loss_of_digits() -> None:
    """e^-1000000000 is no float and is 0 in silence; so is what is left of a difference but for it."""
    for mask in ("-1000000000", "-1000"):
        assert not backhand.solve(backhand.read(MASKED.format(mask))).propagation.notices
    lost = backhand.solve(backhand.read("y = sqrt(2)\nz = y^2\nw = 2\nL = z - w"))
    assert "cannot be told from 0" in lost.propagation.notices[0].words


def test_code_without_arrays_has_its_limit() -> None:
    mask = "[[0, -9, -9, -9], [0, 0, -9, -9], [0, 0, 0, -9], [0, 0, 0, 0]]"
    square = "[[1, 2, 3, 4], [4, 3, 2, 1], [1, 0, 0, 1], [0, 1, 1, 0]]"
    net = backhand.read(f"K = {square}\nM = {mask}\nL = sum((softmax(K @ K.T + M) @ K)^2)")
    for language in ("c", "python"):
        with pytest.raises(LimitError, match=r"parts; at most 3000 .* Ask for numpy"):
            backhand.code(net, language)
    assert len(backhand.code(net, "numpy").splitlines()) < 100


HAT, TILDE = "\N{COMBINING CIRCUMFLEX ACCENT}", "\N{COMBINING TILDE}"
ACCENTED = f"x{HAT} = 2\nweight c{TILDE} = 3\nweight n{TILDE} = 1\ny{HAT} = x{HAT} c{TILDE} + ñ\nL = (ŷ - 1)^2"


def test_letters_with_marks_are_names_and_both_spellings_of_one_are_one(tmp_path: Path) -> None:
    net = backhand.read(ACCENTED)
    assert [quantity.name for quantity in net.quantities] == [f"x{HAT}", f"c{TILDE}", "ñ", "ŷ", "L"]
    assert backhand.solve(net, wrt=[f"y{HAT}"]).derivative("ŷ") == 12
    program = backhand.code(net)
    assert "y_hat = x_hat * c_tilde + n_tilde" in program and "dL_dx_hat = dL_dy_hat * c_tilde" in program
    backhand.write(backhand.solve(net), tmp_path / "solved.tex")
    written = (tmp_path / "solved.tex").read_text("utf-8")
    assert r"\^{x}" in written and r"\~{c}" in written and "U+" not in written


@pytest.mark.parametrize(
    "page",
    [
        f"dL/dx{HAT} = 36\ndL/dc{TILDE} = 24\ndL/dy{HAT} = 12\ndL/dn{TILDE} = 12",
        "dL/dx_hat = 36\ndL/dc_tilde = 24\ndL/dŷ = 12\ndL/dñ = 12",
        r"$\frac{\partial L}{\partial \hat{x}} = 36$" + "\n\n" + r"$\frac{\partial L}{\partial \tilde{c}} = 24$",
    ],
)
def test_marks_are_understood_on_a_page(page: str, tmp_path: Path) -> None:
    (tmp_path / "answer.md").write_text(page, "utf-8")
    marking = backhand.mark(backhand.read_answer(tmp_path / "answer.md"), backhand.read(ACCENTED))
    assert [one.verdict for one in marking.judgements if one.line is not None] == ["right"] * page.count("=")
