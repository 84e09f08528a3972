"""The command line: options, formats, exit statuses, where results and complaints go."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from backhand.cli import run

EXAMPLES = Path(__file__).parent.parent / "examples"
Q3 = str(EXAMPLES / "q3.bh")


def out(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    """What a command line prints; it must end well and complain of nothing."""
    assert run([*args]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def backhand(*args: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "backhand", *args],
        input=stdin, capture_output=True, text=True, encoding="utf-8", env={**os.environ, **environment}, check=False,
    )  # fmt: skip


def test_solve_prints_the_chain_rule_with_the_sum_over_all_ways(capsys: pytest.CaptureFixture[str]) -> None:
    text = out(capsys, "solve", Q3)
    assert "B1 = -2 A1 + 1 A2 = (-2)(-1) + (1)(1) = 2 + 1 = 3" in text
    assert "dL/dB1 = dL/dC1 dC1/dB1 + dL/dC2 dC2/dB1 = (2)(1) + (-2)(-1) = 2 + 2 = 4" in text
    assert "B1 reaches L by two ways: through C1 and C2." in text


def test_brief_is_the_answer_alone_and_full_names_the_rules(capsys: pytest.CaptureFixture[str]) -> None:
    brief, full = out(capsys, "solve", Q3, "--detail", "brief"), out(capsys, "solve", Q3, "--detail", "full")
    assert "Forward" not in brief and "Answer" in brief
    assert "power rule" in full and "d/dD" in full


def test_the_json_has_the_documented_keys(capsys: pytest.CaptureFixture[str]) -> None:
    made = json.loads(out(capsys, "solve", Q3, "--format", "json"))
    assert made["schema"] == 1 and made["of"] == "L"
    assert made["values"]["B1"] == 3 and made["exact"]["B1"] == "3"
    assert made["derivatives"]["L"]["B1"] == 4 and made["exact_derivatives"]["L"]["A1"] == "-12"
    assert {step["step"] for step in made["steps"]} == {"forward", "seed", "local", "gather", "check"}
    assert [q["name"] for q in made["quantities"]][:2] == ["A1", "A2"]


def test_json_says_null_for_what_is_no_number(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    net = tmp_path / "n.bh"
    net.write_text("x = ?\ny = 0\nz = exp(1)\nL = x z + sqrt(y)\n")
    made = json.loads(out(capsys, "solve", str(net), "--format", "json"))
    assert made["values"]["x"] is None and made["exact"]["z"] is None
    assert made["derivatives"]["L"]["y"] is None
    assert made["symbolic"]["values"]["x"] == "x"
    assert any("no finite slope" in notice["words"] for notice in made["notices"])


ARRAYS = """
input  x = [1, 2]
weight W = [[1, -1], [-2, 1], [1, 1/3]]
target t = [1, 0, 0.5]
z = W @ x
L = sum(z*t)
"""


def test_arrays_in_json_are_nested_lists(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    net = tmp_path / "net.bh"
    net.write_text(ARRAYS, "utf-8")
    made = json.loads(out(capsys, "solve", str(net), "--format", "json"))
    assert made["values"]["W"] == [[1, -1], [-2, 1], [1, 1 / 3]]
    assert made["exact"]["W"] == [["1", "-1"], ["-2", "1"], ["1", "1/3"]]
    assert made["derivatives"]["L"]["W"] == [[1, 2], [0, 0], [0.5, 1]]
    assert made["exact_derivatives"]["L"]["x"] == ["3/2", "-5/6"]
    assert {q["name"]: q["shape"] for q in made["quantities"]} == {
        "x": [2], "W": [3, 2], "t": [3], "z": [3], "L": [],
    }  # fmt: skip
    (step,) = [s for s in made["steps"] if s["step"] == "back" and s["by"] == "W"]
    assert step["ways"] == [{"through": "z", "formula": "outer(dL/dz, x)"}]
    assert step["value"] == made["derivatives"]["L"]["W"]


def test_an_element_without_a_slope_is_null(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    net = tmp_path / "net.bh"
    net.write_text("x = [0, 4]\nL = sum(sqrt(x))", "utf-8")
    made = json.loads(out(capsys, "solve", str(net), "--format", "json"))
    assert made["derivatives"]["L"]["x"][0] is None


def test_a_large_array_is_whole_in_json_and_comes_in_parts() -> None:
    from backhand import read, solve
    from backhand.writers import load

    net = "x = ones(200)\nW = ones(200, 200)/8\nL = mean(W @ x)"
    parts = [*load("json").write(solve(read(net)))]
    assert len(parts) > 400
    assert max(map(len, parts)) < 20_000
    made = json.loads("".join(parts))
    assert made["values"]["W"][199][199] == 0.125
    assert len(made["derivatives"]["L"]["W"]) == 200
    assert made["exact"]["W"][0][0] == "1/8"
    (step,) = [s for s in made["steps"] if s["step"] == "forward" and s["of"] == "L"]
    assert step["inputs"]["W"] == {"shape": [200, 200]}


def test_pairs_and_paths_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    made = json.loads(out(capsys, "solve", Q3, "--pairs", "--paths", "--format", "json"))
    assert set(made["derivatives"]) == {"B1", "B2", "C1", "C2", "D", "L"}
    assert made["derivatives"]["C1"]["w[A1,B2]"] == 2
    assert {found["from"]: found["count"] for found in made["paths"]}["A1"] == 4


def test_of_and_wrt(capsys: pytest.CaptureFixture[str]) -> None:
    made = json.loads(out(capsys, "solve", Q3, "--of", "D", "--wrt", "A1", "--wrt", "B2", "--format", "json"))
    assert made["derivatives"] == {"D": {"A1": -6, "B2": -2}}


@pytest.mark.parametrize(
    ("suffix", "beginning"),
    [
        ("txt", "Worked"),
        ("md", "# Worked"),
        ("tex", "\\documentclass"),
        ("html", "<!doctype html>"),
        ("json", "{"),
        ("svg", "<"),
    ],
)
def test_the_suffix_chooses_the_format(
    suffix: str, beginning: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / f"q3.{suffix}"
    assert out(capsys, "solve", Q3, "-o", str(target)) == ""
    assert target.read_text("utf-8").lower().startswith(beginning.lower())
    assert not [path for path in tmp_path.iterdir() if path != target]


@pytest.mark.parametrize("net", sorted(EXAMPLES.glob("*.bh")), ids=lambda path: path.stem)
@pytest.mark.parametrize("format_", ["text", "markdown", "latex", "html", "json", "svg"])
def test_every_example_in_every_format(net: Path, format_: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = out(capsys, "solve", str(net), "--format", format_, "--detail", "full")
    assert len(text) > 200
    assert "nan" not in text.split() and "inf" not in text.split()


def test_draw_as_in_the_question_and_solved(capsys: pytest.CaptureFixture[str]) -> None:
    question, answer = out(capsys, "draw", Q3), out(capsys, "draw", Q3, "--solved")
    assert "<svg" in question and "−12" in answer and "−12" not in question


def test_standard_input() -> None:
    done = backhand("solve", "-", "--detail", "brief", stdin="x = 3\nL = x^2\n")
    assert done.returncode == 0 and "6" in done.stdout and done.stderr == ""


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["solv", "x"], "Did you mean solve?"),
        (["solve"], "Missing argument"),
        (["solve", "nowhere.bh"], "There is no file nowhere.bh"),
        (["solve", Q3, "--of", "M"], "no quantity M"),
        (["solve", Q3, "--wrt", "b1"], "Did you mean B1?"),
        (["solve", Q3, "--format", "docx"], "There is no format docx"),
        (["solve", Q3, "-o", "a.xyz"], "says no format"),
        (["solve", Q3, "-o", "/nowhere/q3.html"], "cannot be written"),
        (["solve", Q3, "--frmat", "json"], "No such option"),
        (["solve", Q3, "--layout", "row,row"], "chooses one thing twice"),
        (["solve", Q3, "--layout", ",,"], "is not known"),
        (["solve", Q3, "--of", "D[0]"], "named by one number for each axis"),
        (["draw", Q3, "-o", "a.png"], "does not end in .svg"),
    ],
)
def test_wrong_usage_ends_with_2_a_sentence_and_nothing_on_standard_output(
    args: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(args) == 2
    captured = capsys.readouterr()
    assert words in captured.err and captured.out == "" and "Traceback" not in captured.err


def test_an_unreadable_network_ends_with_2_place_caret_and_cure(tmp_path: Path) -> None:
    net = tmp_path / "bad.bh"
    net.write_text("C1 = 2\nL = (Cl - 1)^2\n")
    done = backhand("solve", str(net), "-o", str(tmp_path / "x.html"))
    assert done.returncode == 2 and done.stdout == ""
    assert (
        done.stderr
        == f"{net}:2:6: L uses Cl, which is defined nowhere. Did you mean C1?\n    L = (Cl - 1)^2\n         ^^\n"
    )
    assert not (tmp_path / "x.html").exists()


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "2", "LC_ALL": "C"},
        {"LANG": "de_DE.UTF-8", "PYTHONIOENCODING": "ascii"},
        {"TZ": "Asia/Tokyo", "COLUMNS": "40"},
    ],
)
def test_the_same_bytes_whatever_the_surroundings(environment: dict[str, str]) -> None:
    usual = backhand("solve", Q3, "--pairs", "--paths", "--detail", "full").stdout
    assert backhand("solve", Q3, "--pairs", "--paths", "--detail", "full", **environment).stdout == usual
    html = backhand("solve", Q3, "--format", "html").stdout
    assert backhand("solve", Q3, "--format", "html", **environment).stdout == html


def test_no_colour_in_a_pipe_and_colour_when_forced() -> None:
    assert "\x1b[" not in backhand("solve", Q3).stdout
    assert "\x1b[" in backhand("solve", Q3, FORCE_COLOR="1").stdout
    assert "\x1b[" not in backhand("solve", Q3, FORCE_COLOR="1", NO_COLOR="1").stdout


def test_a_reader_that_goes_away_is_no_error() -> None:
    done = subprocess.run(
        f"{sys.executable} -m backhand solve {Q3} | head -1", shell=True, capture_output=True, text=True, check=False
    )
    assert done.stderr == "" and done.stdout.startswith("Worked")


def test_help_has_examples_and_completion_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Examples:" in out(capsys, "solve", "--help")
    assert "_BACKHAND_COMPLETE" in out(capsys, "completion", "bash")


def test_a_page_of_text_loads_nothing_heavy() -> None:
    """`solve` of a page-size net must not import numpy, rich, sympy or the other formats."""
    code = (
        "import sys; from backhand.cli import run; run(['solve', sys.argv[1]]); "
        "bad = {'numpy', 'rich', 'sympy', 'jax', 'backhand.writers.html', 'backhand.writers.json', 'backhand.marking'} & set(sys.modules); "
        "sys.exit(' '.join(bad) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code, Q3], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
