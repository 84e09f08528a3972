"""Networks as programs: each is run, in a process of its own, and gives Backhand's numbers."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from code_nets import ALL_ROWS, ARRAYS, all_nets

import backhand
from backhand.coding.code import coded
from backhand.coding.helpers import HELPERS
from backhand.coding.lines import WIDTH
from backhand.coding.names import C_WORDS, PYTHON_WORDS, Names, legal
from backhand.coding.spellings import LANGUAGES, SPELLINGS, spelling
from backhand.core.arrays import floats

ROOT = Path(__file__).parent.parent
NETS = all_nets()
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
SOME = {name: graph for number, (name, graph) in enumerate(NETS.items()) if number % 3 == 0 or name == "curves"}
"""For what takes a second each: `curves` has every function of single numbers."""

FEW = {name: NETS[name] for name in ("moved", "channels", "windows1", "losses", "filled", "q3", "lstm", "curves")}
"""For JAX, which compiles each operation when it is first used."""

NIGHTLY = "BACKHAND_NIGHTLY" in os.environ


@cache
def program(name: str, language: str) -> str:
    return backhand.code(NETS[name], to=language)


RUN_ALL = """
import contextlib, io, json, runpy, sys
import numpy as np
np.set_printoptions(precision=17, threshold=10**9, linewidth=10**9)
found = {}
for path in sys.argv[1:]:
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            runpy.run_path(path, run_name="__main__")
        found[path] = out.getvalue()
    except Exception as error:
        found[path] = f"failed: {error!r}"
json.dump(found, sys.stdout)
"""
"""Runs many programs in one process, for libraries take seconds to load; arrays in full."""


def run_python(programs: dict[str, str], folder: Path) -> dict[str, str]:
    """What each program prints, every warning an error."""
    paths = {}
    for number, (name, text) in enumerate(programs.items()):
        paths[name] = folder / f"net{number}.py"
        paths[name].write_text(text, "utf-8")
    command = [sys.executable, "-W", "error", "-c", RUN_ALL, *map(str, paths.values())]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    return {name: found[str(path)] for name, path in paths.items()}


def run_c(text: str, folder: Path, name: str = "net") -> str:
    """What a program in C prints; the compiler has nothing to remark."""
    assert COMPILER is not None
    (folder / f"{name}.c").write_text(text, "utf-8")
    command = [COMPILER, "-std=c99", "-O0", "-Wall", "-Wextra", "-Werror", "-pedantic", f"{name}.c", "-lm", "-o", name]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[-3000:]
    return subprocess.run([folder / name], capture_output=True, text=True, check=True).stdout


def printed(text: str) -> dict[str, Any]:
    """The numbers a program prints, by name."""
    assert not text.startswith("failed"), text
    found: dict[str, Any] = {}
    for name, value in re.findall(r"^(\S.*?) =[ ]?(.*(?:\n(?:[ \[].*)?(?=\n))*)", text, re.MULTILINE):
        numbers = re.sub(r"(?<=[\d.])\s+(?=[-\d])", ", ", value.strip())
        numbers = re.sub(r"\]\s+\[", "], [", numbers)
        found[name] = np.array(ast.literal_eval(re.sub(r"(?<=[\d.])\s+(?=\])", "", numbers)), float)
    return found


def expected(graph: backhand.Graph, of: str | None = None) -> dict[str, Any]:
    """Backhand's own."""
    solution = backhand.solve(graph, of=of)
    values = {q.name: floats(solution.value(q.name)) for q in solution.graph.quantities if q.computed}
    return values | {f"d{solution.of}/d{n}": floats(d) for n, d in solution.derivatives.items()}


def compare(name: str, found: dict[str, Any], truth: dict[str, Any], *, all_values: bool = True) -> None:
    scale = max(1.0, *(float(np.max(np.abs(value))) for value in truth.values()))
    missing = [key for key in truth if key not in found]
    assert not missing or not all_values, (name, missing)
    for key, value in truth.items():
        assert np.shape(found[key]) == np.shape(value), (name, key)
        assert np.allclose(found[key], value, rtol=1e-12, atol=2e-15 * scale), (name, key, found[key], value)


# -- the numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["numpy", "torch", "jax"])
def test_programs_with_arrays_give_the_same_numbers(language: str, tmp_path: Path) -> None:
    pytest.importorskip(language)
    nets = NETS if language != "jax" or NIGHTLY else FEW
    printouts = run_python({name: program(name, language) for name in nets}, tmp_path)
    for name, graph in nets.items():
        compare(name, printed(printouts[name]), expected(graph))
        if language in ("torch", "jax"):
            differences = re.findall(r"^(.*): the two differ by (.*)$", printouts[name], re.MULTILINE)
            assert differences or not any(not graph[by].computed for by in backhand.solve(graph).derivatives), name
            scale = max(1.0, *(float(np.max(np.abs(v))) for v in expected(graph).values()))
            assert all(float(difference) <= 1e-12 * scale for _, difference in differences), (name, differences)


@cache
def by_elements(name: str) -> dict[str, Any]:
    graph = NETS[name]
    if not graph.arrays:
        return expected(graph)
    from backhand.core.elements import expanded

    return expected(expanded(graph), graph.output()[0])


def test_programs_in_plain_python_give_the_same_numbers(tmp_path: Path) -> None:
    programs = {name: program(name, "python") for name in NETS}
    assert not any(
        "import" in line and line != "import math" for text in programs.values() for line in text.splitlines()
    )
    printouts = run_python(programs, tmp_path)
    for name in NETS:
        compare(name, printed(printouts[name]), by_elements(name))


@pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")
def test_programs_in_c_give_the_same_numbers(tmp_path: Path) -> None:
    for name in SOME:
        compare(name, printed(run_c(program(name, "c"), tmp_path)), by_elements(name))


def test_a_program_is_a_file_that_runs_by_itself(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(backhand.code(NETS["q3"]), "utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "net.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "L = 1.0\n" in done.stdout
    assert "dL/dB1 = 4.0\n" in done.stdout
    assert "dL/dw[A1,B1] = -4.0\n" in done.stdout


def test_large_arguments_do_not_overflow(tmp_path: Path) -> None:
    graph = backhand.read(
        "z = [1000, -1000, 999]\nt = [0, 0, 1]\na = sigmoid(z)\ns = softplus(z)\nL = cross_entropy_logits(z, t) + sum(a) + sum(s)/1000"
    )
    compare("large", printed(run_python({"n": backhand.code(graph)}, tmp_path)["n"]), expected(graph))
    scalar = backhand.read("z = -1000\na = sigmoid(z)\ns = softplus(-z)\nL = a + s")
    for language in ("numpy", "python"):
        compare(
            "large", printed(run_python({"n": backhand.code(scalar, to=language)}, tmp_path)["n"]), expected(scalar)
        )


def test_another_output_and_an_element_of_an_array(tmp_path: Path) -> None:
    graph = NETS["softmax-net"]
    texts = {of: backhand.code(graph, of=of) for of in ("p[1]", "L")}
    found = run_python(texts, tmp_path)
    compare("p[1]", printed(found["p[1]"]), expected(graph, "p[1]"))
    with pytest.raises(backhand.UsageError, match=r"p is a vector of 2.*--of 'p\[0\]'"):
        backhand.code(graph, of="p")


# -- the table ----------------------------------------------------------------------------------------------------------


def test_every_row_of_both_tables_has_its_spellings() -> None:
    ours = {(row, 1) if (row, count) not in SPELLINGS else (row, count) for row, count in ALL_ROWS}
    assert ours == set(SPELLINGS)
    from backhand.core.operations import ROWS

    for row in ROWS:
        for language in LANGUAGES:
            assert spelling(row.name, len(row.arguments), language) is not None, (row.name, language)
    for (name, _), row in SPELLINGS.items():
        assert (row.numpy is None) == (row.torch is None) == (row.jax is None) == (name == "load"), name


def test_every_row_of_arrays_occurs_in_a_network_that_is_run() -> None:
    text = "\n".join(ARRAYS.values())
    of_our_own = {
        "@",
        "transpose",
        "index",
        "place",
        "scatter",
        "fold",
        "conv_back_image",
        "conv_back_kernel",
        "largest",
        "smallest",
        "load",
    }
    for name, _ in ALL_ROWS:
        if name.isidentifier() and name not in of_our_own | {"neg", "e", "pi"}:
            assert re.search(rf"\b{name}\(", text), name


def test_helpers_are_all_used_and_all_there() -> None:
    from backhand.coding.spellings import Call

    texts = {language: "\n".join(program(name, language) for name in NETS) for language in LANGUAGES}
    for language, helpers in HELPERS.items():
        for name in helpers:
            assert len(re.findall(rf"\b{name}\(", texts[language])) > 1, (language, name)
    assert Call is not None


# -- names --------------------------------------------------------------------------------------------------------------

HOSTILE = [
    "lambda", "print", "np", "main", "forward", "backward", "show", "check", "L_part", "dL_dx", "dL_dL", "int", "double",
    "exp", "y1", "j0", "gamma", "λ", "Λ", "x'", "x''", "x_prime", "é", "ﬁ", "变量", "ж", "a_b", "w[a,b]", "w_a_b", "h_{1,2}", "h_1_2",
    "c#1", "c_1", "NULL", "EOF", "stdout", "unix", "linux", "isnan", "x" * 300, "x" * 301, "W_" * 150, "softmax", "sigmoid", "math", "torch",
    "jax", "F", "True", "None", "self", "abs", "input_", "sum_", "_", "__name__", "e1", "E", "I", "l", "O",
]  # fmt: skip
INJECTIONS = [
    "x\nimport os", 'x"; import os; "', "x*/ int y; /*", "x\\", "x??/", '"""', "x # y", "{x}", "%s%n", "x\u202ey", "x\u2028y", "'", "a b", "1", "",
]  # fmt: skip


def hostile_graph(names: list[str]) -> backhand.Graph:
    from fractions import Fraction

    from backhand.core.formula import Ref, apply
    from backhand.core.graph import Graph, Quantity
    from backhand.core.operations import ADD, MULTIPLY, OPERATIONS

    quantities = [Quantity(name, "weight", None, Fraction(k + 1, 8)) for k, name in enumerate(names)]
    total: Any = apply(OPERATIONS["sigmoid", 1], Ref(names[0]))
    for name in names[1:]:
        total = apply(ADD, total, apply(MULTIPLY, Ref(name), Ref(names[0])))
    return Graph.of(
        [*quantities, Quantity("Q", "computed", total), Quantity("L", "computed", apply(MULTIPLY, Ref("Q"), Ref("Q")))]
    )


@pytest.mark.parametrize(
    "names", [HOSTILE, INJECTIONS, list(reversed(HOSTILE))], ids=["words", "injections", "reversed"]
)
def test_hostile_names_are_only_names(names: list[str], tmp_path: Path) -> None:
    graph = hostile_graph(names)
    truth = [float(floats(v)) for v in expected(graph).values()]
    languages = ["numpy", "python", *(["torch"] if names is INJECTIONS else [])]
    outputs = run_python(
        {language: backhand.code(graph, to=language, title=names[0]) for language in languages}, tmp_path
    )
    if COMPILER is not None:
        outputs["c"] = run_c(backhand.code(graph, to="c", title=names[0]), tmp_path)
    for language, text in outputs.items():
        found = sorted(float(n) for n in re.findall(r" = (\S+)$", text, re.MULTILINE))
        assert np.allclose(found, sorted(truth), rtol=1e-12), language


def test_names_stay_apart_and_are_legal() -> None:
    for words in (PYTHON_WORDS, C_WORDS):
        names = Names(words)
        found = [names(name) for name in dict.fromkeys(HOSTILE + INJECTIONS)]
        assert len(set(found)) == len(found)
        for name in found:
            assert name.isascii() and name.isidentifier() and name not in words and len(name) < 64
    assert legal("w[A1,B1]") == "w_A1_B1"
    assert [names("w[A1,B1]"), names("w_A1_B1"), names("w[A1,B1]")] == ["w_A1_B1", "w_A1_B1_2", "w_A1_B1"]


def test_a_hat_makes_another_name_and_what_can_stay_does() -> None:
    text = backhand.code(
        backhand.read("ŷ = 2\nα = 1\nlambda = 4\ny = 3\nalpha = 5\nlambda_ = 6\nL = (ŷ - y)^2 lambda lambda_ + α alpha")
    )
    assert "    L = (y_hat - y) ** 2 * lambda_2 * lambda_ + alpha_2 * alpha" in text


def test_the_original_name_stands_in_the_comment() -> None:
    text = backhand.code(backhand.read("λ = 2\nL = λ^2"))
    assert "lambda_ = 2.0" in text
    assert "# constant λ" in text or "# input λ" in text
    assert re.search(r"dL_dlambda = 2 \* lambda_ +# dL/dλ = 2 λ", text)


# -- how it looks ---------------------------------------------------------------------------------------------------------


def test_what_a_program_looks_like() -> None:
    text = backhand.code(NETS["softmax-net"])
    assert (
        '''
def forward(x, W1, b1, W2, b2, t):
    """The values, from what is given to L."""
    z1 = W1 @ x + b1                     # (3,)
    h = np.maximum(z1, 0.0)              # (3,)  h = relu(z1)
    z2 = W2 @ h + b2                     # (2,)
    p = softmax(z2)                      # (2,)
    L = -np.sum(t * np.log(p), axis=-1)  # ()    L = cross_entropy(p, t)
    return z1, h, z2, p, L
'''
        in text
    )
    assert "    dL_dW1 = np.outer(dL_dz1, x)  # (3, 2)  dL/dW1 = outer(dL/dz1, x)\n" in text
    assert "    dL_dz1 = dL_dh * (z1 > 0) " in text


def test_ways_are_added_in_one_line() -> None:
    assert (
        "    dL_dB1 = dL_dC1 * w_B1_C1 + dL_dC2 * w_B1_C2  # dL/dB1 = dL/dC1 dC1/dB1 + dL/dC2 dC2/dB1\n"
        in backhand.code(NETS["q3"])
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_lines_are_short_and_bytes_are_always_the_same(language: str) -> None:
    for name in NETS:
        text = program(name, language)
        assert name not in SOME or text == backhand.code(NETS[name], to=language)
        for line in text.splitlines():
            assert len(line) <= WIDTH, (name, line)
            assert line == line.rstrip() and "\t" not in line, (name, line)
        assert text.endswith("\n") and not text.endswith("\n\n")
        if language != "c":
            ast.parse(text)


@pytest.mark.parametrize("language", ["numpy", "torch", "jax", "python"])
def test_ruff_finds_nothing_to_remark(language: str, tmp_path: Path) -> None:
    ruff = Path(sys.executable).with_name("ruff")
    if not ruff.exists():
        pytest.skip("ruff is not installed")
    for number, name in enumerate(NETS):
        (tmp_path / f"net{number}.py").write_text(program(name, language), "utf-8")
    rules = "E,W,F,I,B,PIE,RET503,SIM,UP,A,ICN"
    command = [ruff, "check", "--isolated", "--select", rules, "--ignore", "B905,E741", "--line-length", "100", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


def test_lines_know_what_they_are_about() -> None:
    made = coded(NETS["q3"], "numpy")
    (line,) = made.about("B1", derivative=True)
    assert (line.about, line.pass_, line.text) == ("B1", "derivative", "dL_dB1 = dL_dC1 * w_B1_C1 + dL_dC2 * w_B1_C2")
    assert line.comment == "dL/dB1 = dL/dC1 dC1/dB1 + dL/dC2 dC2/dB1"
    assert [line.text for line in made.about("A1")] == ["A1 = -1.0"]
    elements = coded(NETS["softmax-net"], "c")
    assert elements.about("z1[0]")[0].text == "const double z1_0 = W1_0_0 * x_0 + W1_0_1 * x_1 + b1_0;"


# -- sizes, and what cannot be written -----------------------------------------------------------------------------------


def chain(count: int) -> backhand.Graph:
    lines = ["x = 0.5", "w = 1.0001", "h0 = x"]
    lines += [f"h{k} = w h{k - 1} + x" for k in range(1, count)]
    return backhand.read("\n".join([*lines, f"L = h{count - 1}^2"]))


def test_time_is_linear() -> None:
    def seconds(count: int) -> float:
        graph = chain(count)
        graph.output()
        start = time.process_time()
        text = backhand.code(graph, to="python")
        assert text.count("\n") > count
        return time.process_time() - start

    seconds(200)
    small, large = min(seconds(1_000), seconds(1_000)), seconds(10_000)
    assert large < 25 * small + 0.5


@pytest.mark.nightly
def test_a_hundred_thousand_quantities() -> None:
    start = time.perf_counter()
    for language in LANGUAGES:
        assert backhand.code(chain(100_000), to=language).count("\n") > 200_000
    assert time.perf_counter() - start < 300


def test_a_long_sum_and_a_deep_formula_compile(tmp_path: Path) -> None:
    sum_of_many = "\n".join(
        [*(f"x{k} = {k % 7 - 3}" for k in range(2_000)), f"S = {' + '.join(f'x{k}' for k in range(2_000))}", "L = S^2"]
    )
    deep = "x = 0.3\nL = " + "sin(" * 90 + "x" + " + 1)" * 90
    for name, text in {"sum": sum_of_many, "deep": deep}.items():
        graph = backhand.read(text)
        compare(name, printed(run_python({"n": backhand.code(graph, to="python")}, tmp_path)["n"]), expected(graph))
        if COMPILER is not None:
            compare(name, printed(run_c(backhand.code(graph, to="c"), tmp_path)), expected(graph))


def test_what_cannot_be_written_says_why_and_what_to_do() -> None:
    with pytest.raises(backhand.UsageError, match=r"x has no value.*\n?.*x = 0.5"):
        backhand.code(backhand.read("x = ?\nL = x^2"))
    with pytest.raises(backhand.UsageError, match=r"no code in rust.*\n?.*numpy, torch, jax, python, c"):
        backhand.code(NETS["q3"], to="rust")
    with pytest.raises(backhand.LimitError, match=r"written out one by one"):
        backhand.code(backhand.read("W = ones(100, 100)*1\nL = sum(W)"), to="c")


def test_large_arrays_are_made_as_the_network_says_or_kept_beside(tmp_path: Path) -> None:
    made = backhand.read("weight W = ones(30, 30)\nL = sum(W*W)/9")
    text = backhand.code(made)
    assert "W = np.ones((30, 30))" in text
    text = backhand.code(backhand.read(ROOT / "examples" / "mlp.bh"))
    assert "W1 = made_up((784, 512), seed=2, scale=0.05)" in text
    rows = [[(i * j) % 7 / 4 for j in range(20)] for i in range(20)]
    listed = backhand.read(f"weight W = {rows}\nL = sum(W*W)/9")
    with pytest.raises(backhand.UsageError, match=r"W has 400 numbers.*\n?.*-o net.py"):
        backhand.code(listed)
    (tmp_path / "net.bh").write_text(f"weight W = {rows}\nL = sum(W*W)/9\n", "utf-8")
    for language in ("numpy", "torch", "jax"):
        pytest.importorskip(language)
        environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
        command = [sys.executable, "-m", "backhand", "code", "net.bh", "--to", language, "-o", "out.py"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "out.code.npz" in done.stderr
        first = (tmp_path / "out.code.npz").read_bytes()
        text = (tmp_path / "out.py").read_text("utf-8")
        assert len(text) < 4_000
        done = subprocess.run(
            [sys.executable, "-W", "error", "out.py"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        value = float(re.search(r"^L = (\S+)$", done.stdout, re.MULTILINE)[1])  # type: ignore[index]
        assert value == pytest.approx(float(expected(listed)["L"]), rel=1e-12)
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
        assert (tmp_path / "out.code.npz").read_bytes() == first


@pytest.mark.parametrize("language", ["numpy", "torch"])
def test_what_a_network_loads_a_program_loads(language: str, tmp_path: Path) -> None:
    pytest.importorskip(language)
    np.save(tmp_path / "W.npy", (np.arange(400).reshape(20, 20) / 10).astype(np.float32))
    np.savez(tmp_path / "two.npz", V=np.arange(300.0) / 7)
    (tmp_path / "net.bh").write_text(
        'weight W = load("W.npy")\nweight V = load("two.npz", "V")\nL = sum(W*W)/9 + sum(V)\n', "utf-8"
    )
    graph = backhand.read(tmp_path / "net.bh")
    (tmp_path / "net.py").write_text(backhand.code(graph, to=language), "utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "net.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    value = float(re.search(r"^L = (\S+)$", done.stdout, re.MULTILINE)[1])  # type: ignore[index]
    assert value == pytest.approx(float(expected(graph)["L"]), rel=1e-12)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from backhand.cli import run

    net = str(ROOT / "examples" / "q3.bh")
    assert run(["code", net]) == 0
    assert capsys.readouterr().out == backhand.code(NETS["q3"], title="q3.bh")
    assert run(["code", net, "-o", str(tmp_path / "q3.c")]) == 0
    assert (tmp_path / "q3.c").read_text("utf-8") == backhand.code(NETS["q3"], to="c", title="q3.bh")
    assert run(["code", net, "--to", "c", "-o", str(tmp_path / "q3.py")]) == 2
    assert "does not end in .c" in capsys.readouterr().err
    assert run(["code", net, "-o", str(tmp_path / "q3.rs")]) == 2
    assert "End it in .py or .c." in capsys.readouterr().err
    assert run(["code", net, "--to", "fortran"]) == 2
    assert "Known: numpy" in capsys.readouterr().err
