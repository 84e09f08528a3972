"""What may be thrown at us: bad numbers, endless formulas, odd characters. One test an item of a numbered list.

A refusal ends with status 2, says `file:line:column: what, and how to mend it` and shows the line with a
caret, all on standard error; nothing is printed and nothing written. What is read by a convention says so
in a notice. No input takes long or much memory.
"""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import backhand
from backhand import cli

Capture = pytest.CaptureFixture[str]
Data = str | bytes

FORMATS = ["text", "markdown", "latex", "html", "json", "svg"]

MEMORY = 3 * 2**30
SECONDS = 120
"""Bounds for the hostile inputs; what they are for takes a tenth of them."""

BOUNDED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
from backhand.cli import main
main(sys.argv[1:])
"""
IN_EVERY_FORMAT = BOUNDED.replace(
    "main(sys.argv[1:])",
    """for format_ in {formats}:
    try:
        main([*sys.argv[1:], "--format", format_])
    except SystemExit as end:
        assert not end.code, format_
    print(end="\\0", flush=True)""",
)
"""One process for all formats, since to start one takes longer than to write most of them."""


# -- reading what the command says ------------------------------------------------------------------------------


class Refusal(NamedTuple):
    """One complaint: where, the sentence, and the text above the carets."""

    place: str
    sentence: str
    marked: str


def refusals(err: str, net: Path) -> list[Refusal]:
    """All complaints on standard error, each with its line and carets."""
    lines = err.splitlines()
    assert len(lines) % 3 == 0, err
    found: list[Refusal] = []
    for head, excerpt, carets in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        match = re.fullmatch(rf"{re.escape(str(net))}:(\d+:\d+): (.+)", head)
        assert match, head
        assert re.fullmatch(r" {4,}\^+", carets), carets
        start = carets.index("^")
        assert start < max(5, len(excerpt)), f"the caret stands behind the line:\n{excerpt}\n{carets}"
        found.append(Refusal(match[1], match[2], excerpt[start : start + carets.count("^")]))
    return found


def write(net: Path, text: Data) -> Path:
    net.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return net


def run(net: Path, capsys: Capture, *options: str) -> tuple[int, str, str]:
    status = cli.run(["solve", str(net), *options])
    said = capsys.readouterr()
    return status, said.out, said.err


def refused(tmp_path: Path, capsys: Capture, text: Data, place: str, *words: str) -> Refusal:
    """The first complaint about a network, which stands at `line:column` (or at one of two, `1:6|1:7`) and has
    these words, and a cure."""
    net = write(tmp_path / "net.bh", text)
    for options in ((), ("-o", str(tmp_path / "made.html"))):
        status, out, err = run(net, capsys, *options)
        assert (status, out) == (2, ""), err
        assert sorted(path.name for path in tmp_path.iterdir()) == ["net.bh"]
    assert "Traceback" not in err
    first = refusals(err, net)[0]
    assert first.place in place.split("|"), err
    for each in words:
        assert re.search(each, first.sentence), f"{each!r} is missing in: {first.sentence}"
    assert has_a_cure(first.sentence), first.sentence
    return first


def has_a_cure(sentence: str) -> bool:
    """A second sentence behind what was found."""
    return re.search(r"[.:?] [A-Z(“\d\W].*[.?]$", sentence) is not None


def solved(tmp_path: Path, capsys: Capture, text: Data, *options: str) -> dict[str, Any]:
    """The JSON of a network that is solved; none of the other formats shows a nan or an infinity either."""
    net = write(tmp_path / "net.bh", text)
    for format_ in FORMATS:
        status, out, err = run(net, capsys, "--format", format_, *options)
        assert (status, err) == (0, ""), f"{format_}: {err}"
        assert not re.search(r"(?<![\w#&.-])[+-]?(nan|inf|infinity)(?![\w-])", prose(out, format_), re.IGNORECASE), (
            format_
        )
        if format_ == "json":
            made = json.loads(out)
    return made


def prose(text: str, format_: str) -> str:
    """The text without fonts, styles and scripts."""
    return re.sub(r"(?s)<style.*?</style>|<script.*?</script>", "", text) if format_ in ("html", "svg") else text


def notices(made: dict[str, Any]) -> str:
    return "\n".join(notice["words"] for notice in made["notices"])


def bounded(
    *arguments: str, stdin: Data | None = None, memory: int = MEMORY, program: str = BOUNDED
) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own, which may use so much memory and time and no more."""
    code = program.format(memory=memory, seconds=SECONDS, formats=FORMATS)
    data = stdin.encode() if isinstance(stdin, str) else stdin
    return subprocess.run([sys.executable, "-c", code, *arguments], input=data, capture_output=True, check=False)


def refused_within_bounds(tmp_path: Path, text: Data, place: str, *words: str) -> None:
    net = write(tmp_path / "net.bh", text)
    done = bounded("solve", str(net))
    err = done.stderr.decode()
    assert (done.returncode, done.stdout) == (2, b""), err[:2000]
    first = refusals(err, net)[0]
    assert first.place in place.split("|")
    assert all(re.search(each, first.sentence) for each in words), first.sentence
    assert has_a_cure(first.sentence)


def calls(work: Callable[[], object]) -> int:
    """How many functions are called, in Python and in C: a measure of work that no busy machine disturbs."""
    count = 0

    def counter(frame: object, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counter)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def grows_linearly(make: Callable[[int], str], tmp_path: Path, capsys: Capture, *options: str, n: int = 80) -> None:
    """Four times the network, about four times the work; squared work would be sixteen times."""

    def work(size: int) -> int:
        net = write(tmp_path / "net.bh", make(size))
        cli.run(["solve", str(net), *options])  # once for what is only made once
        made = calls(lambda: cli.run(["solve", str(net), *options]))
        capsys.readouterr()
        return made

    assert work(4 * n) < 6 * work(n)


# -- numbers and their size -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("x = 9^9^9\ny = x^2", "1:1", id="given"),
        pytest.param("x = 9\ny = x^x^x", "2:1", id="computed"),
        pytest.param("x = 9\ny = x^x^x - x^x^x", "2:1", id="inside"),
    ],
)
def test_item_01_a_tower_of_powers(text: str, place: str, tmp_path: Path, capsys: Capture) -> None:
    refused(tmp_path, capsys, text, place, r"10,?000 bits", "smaller")


def test_item_02_two_to_the_ten_to_the_ten(tmp_path: Path, capsys: Capture) -> None:
    refused(tmp_path, capsys, "x = 1\ny = x*2^(10^10)", "2:1", r"10,?000 bits", "smaller")


@pytest.mark.parametrize("number", ["1e1000000", "1e-1000000", "1E+4001", "1e99999999999999999999", "0e1000000"])
def test_item_03_a_large_exponent(number: str, tmp_path: Path, capsys: Capture) -> None:
    assert refused(tmp_path, capsys, f"x = {number}\ny = x", "1:5", "exponent", "4000").marked == number


@pytest.mark.parametrize("number", ["1" * 5_000, "0." + "1" * 5_000, "0" * 5_000 + "1", "1" * 1_001])
def test_item_04_thousands_of_digits(number: str, tmp_path: Path, capsys: Capture) -> None:
    refused(tmp_path, capsys, f"x = {number}\ny = x", "1:5", "digits", "1,?000")


def test_item_04_a_superscript_of_thousands_of_digits(tmp_path: Path, capsys: Capture) -> None:
    refused(tmp_path, capsys, "x = 1\ny = x" + "⁹" * 5_000, "2:6", "digits", "1,?000")


def test_item_05_growing_exact_numbers(tmp_path: Path, capsys: Capture) -> None:
    chain = "".join(f"x{n + 1} = x{n} x{n} + 1/3\n" for n in range(20))
    made = solved(tmp_path, capsys, "x0 = 3\n" + chain)
    assert made["exact"]["x6"] is not None
    assert made["exact"]["x20"] is None
    assert re.search(r"10,?000 bits", notices(made))


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        pytest.param("x = 1/0\ny = x", "1:1", r"x = 1/0 .*not defined", id="06-given"),
        pytest.param("x = 0\ny = 1/x", "2:1", r"y = 1/x .*1/0 is not defined", id="06-computed"),
        pytest.param("x = 0\ny = x/x", "2:1", r"y = x/x .*0/0 is not defined", id="07-0/0"),
        pytest.param("x = 0\ny = x^-1", "2:1", r"y = x\^-1 .*divides by 0", id="09-0^-1"),
        pytest.param("x = -8\ny = x^(1/3)", "2:1", r"\(-8\)\^\(1/3\) is not a real number", id="10-root"),
        pytest.param("x = -4\ny = sqrt(x)", "2:1", r"sqrt\(-4\) is not a real number", id="11-sqrt"),
        pytest.param("x = 0\ny = log(x)", "2:1", r"ln\(0\) is not defined.*above 0", id="11-log-0"),
        pytest.param("x = -1\ny = log(x)", "2:1", r"ln\(-1\) is not defined.*above 0", id="11-log-1"),
        pytest.param("x = 2\ny = asin(x)", "2:1", r"asin\(2(\.0+)?\) is not defined", id="11-asin"),
    ],
)
def test_item_06_07_09_10_11_no_value(text: str, place: str, words: str, tmp_path: Path, capsys: Capture) -> None:
    refused(tmp_path, capsys, text, place, words)


@pytest.mark.parametrize(
    "text", ["x = ?\ny = x/0", "x = ?\ny = x + ln(0)", "x = ?\ny = ln(0 x)", "x = ?\ny = x sqrt(-1)"]
)
def test_item_06_no_value_whatever_the_symbols(text: str, tmp_path: Path, capsys: Capture) -> None:
    refused(tmp_path, capsys, text, "2:1", "not defined|not a real number")


def test_item_08_0_to_the_0(tmp_path: Path, capsys: Capture) -> None:
    made = solved(tmp_path, capsys, "x = 0\ny = x^x")
    assert made["exact"]["y"] == "1"
    assert "0^0 is taken as 1" in notices(made)
    assert made["derivatives"]["y"]["x"] is None
    assert "no finite slope" in notices(made)


@pytest.mark.parametrize("formula", ["sqrt(x)", "x^(1/2)", "sqrt(x^2)", "sqrt(sqrt(x))", "3 sqrt(x) + 1"])
def test_item_12_the_infinite_slope_of_a_root_at_0(formula: str, tmp_path: Path, capsys: Capture) -> None:
    made = solved(tmp_path, capsys, f"x = 0\ny = {formula}")
    assert made["values"]["y"] == (1 if "+ 1" in formula else 0)
    assert made["derivatives"]["y"]["x"] is None
    assert "no finite slope" in notices(made)


@pytest.mark.parametrize(
    "text",
    [
        "x = 710\ny = exp(x)",
        "x = 710\ny = exp(x) - exp(x)",
        "x = 1e4000\ny = exp(x)",
        "x = 1e400\ny = x + sin(1)",
        "x = 710\ny = 2\nL = y exp(x)",
        "x = 800\ny = cosh(x)",
        "x = 1e200\ny = exp(1) x x x",
    ],
)
def test_item_13_too_large_for_a_float_is_no_number_and_says_so(text: str, tmp_path: Path, capsys: Capture) -> None:
    made = solved(tmp_path, capsys, text)
    assert made["values"][made["of"]] is None
    assert "too large" in notices(made)


def test_item_13_a_value_that_exists_is_not_called_undefined(tmp_path: Path, capsys: Capture) -> None:
    made = solved(tmp_path, capsys, "x = 1e400\ny = sin(x)")
    assert made["values"]["y"] is None or abs(made["values"]["y"]) <= 1
    assert notices(made)


@pytest.mark.parametrize("formula", ["1/(1 + exp(b - a))", "sigmoid(a - b)"])
def test_item_14_a_softmax_of_1000_and_0(formula: str, tmp_path: Path, capsys: Capture) -> None:
    made = solved(tmp_path, capsys, f"a = 1000\nb = 0\np = {formula}")
    assert made["values"]["p"] == 1
    assert made["derivatives"]["p"]["a"] == pytest.approx(0, abs=1e-300)


def test_item_14_a_softmax_as_a_quotient_is_right_or_no_number(tmp_path: Path, capsys: Capture) -> None:
    made = solved(tmp_path, capsys, "a = 1000\nb = 0\np = exp(a)/(exp(a) + exp(b))")
    assert made["values"]["p"] in (1, None)
    assert made["values"]["p"] == 1 or "too large" in notices(made)


def test_item_15_the_logarithm_of_a_tiny_softmax(tmp_path: Path, capsys: Capture) -> None:
    made = solved(tmp_path, capsys, "a = -1000\nL = softplus(-a)")
    assert made["values"]["L"] == pytest.approx(1000)
    assert made["derivatives"]["L"]["a"] == pytest.approx(-1)


@pytest.mark.parametrize("formula", ["-ln(sigmoid(a))", "-ln(1/(1 + exp(-a)))", "-ln(exp(a)/(exp(a) + exp(0)))"])
def test_item_15_a_number_too_small_for_a_float_is_not_0(formula: str, tmp_path: Path, capsys: Capture) -> None:
    """The logarithm exists; either it is found, or a notice says what was too small. Never `ln(0)`."""
    made = solved(tmp_path, capsys, f"a = -1000\nL = {formula}")
    assert made["values"]["L"] is None or made["values"]["L"] == pytest.approx(1000)
    assert made["values"]["L"] is not None or re.search("too (small|large)", notices(made))


@pytest.mark.parametrize(
    "formula", ["(1 - cos(x))/x^2", "(cos(x) - 1)/x^2", "(exp(x^2) - 1)/x^2", "(1 + sin(x) - 1)/x^2"]
)
def test_item_16_cancellation_draws_a_notice(formula: str, tmp_path: Path, capsys: Capture) -> None:
    made = solved(tmp_path, capsys, f"x = 1e-8\ny = {formula}")
    assert "cancel" in notices(made)


def test_item_17_products_of_large_integers_are_exact(tmp_path: Path, capsys: Capture) -> None:
    made = solved(tmp_path, capsys, f"a = {2**62}\nb = 4\ny = a b")
    assert made["exact"]["y"] == str(2**64)
    assert made["exact_derivatives"]["y"] == {"y": "1", "a": "4", "b": str(2**62)}


@pytest.mark.parametrize("word", ["nan", "NaN", "inf", "Infinity"])
@pytest.mark.parametrize(("before", "place"), [("x = ", "1:5"), ("x = -", "1:6"), ("x = 1 + 2 ", "1:11")])
def test_item_18_nan_and_inf_are_no_numbers(
    word: str, before: str, place: str, tmp_path: Path, capsys: Capture
) -> None:
    assert refused(tmp_path, capsys, f"{before}{word}\ny = x", place, word, "finite").marked == word


@pytest.mark.parametrize("word", ["nan", "NaN", "inf"])
def test_item_18_nor_names_of_quantities(word: str, tmp_path: Path, capsys: Capture) -> None:
    refused(tmp_path, capsys, f"{word} = 1\ny = {word}", "1:1", "no name", "another")


def test_item_18_minus_zero_is_zero(tmp_path: Path, capsys: Capture) -> None:
    made = solved(tmp_path, capsys, "x = -0\nw = -0.0\ny = x + w\nz = -exp(-1000) y")
    assert {made["exact"][name] for name in "xwy"} == {"0"}
    _, out, _ = run(tmp_path / "net.bh", capsys)
    assert not re.search(r"-0(?![.\d])", out)


@pytest.mark.parametrize("formula", ["max(x, nan)", "max(nan, x)"])
def test_item_19_max_of_nan_in_either_order(formula: str, tmp_path: Path, capsys: Capture) -> None:
    place = f"2:{5 + formula.index('nan')}"
    assert refused(tmp_path, capsys, f"x = 1\ny = {formula}", place, "nan").marked == "nan"


@pytest.mark.parametrize(
    ("text", "slopes", "range_"),
    [
        pytest.param("x = 0\ny = relu(x)", {"x": 0}, "from 0 to 1", id="relu"),
        pytest.param("x = 0\ny = abs(x)", {"x": 0}, "from -1 to 1", id="abs"),
        pytest.param("x = 2\nz = 2\ny = max(x, z)", {"x": 0.5, "z": 0.5}, "from 0 to 1", id="max"),
        pytest.param("x = 2\nz = 2\ny = min(x, z)", {"x": 0.5, "z": 0.5}, "from 0 to 1", id="min"),
    ],
)
@pytest.mark.parametrize("numbers", [(), ("--float",)])
def test_item_20_at_a_corner_a_convention_is_stated(  # noqa: PLR0917 - a table
    text: str, slopes: dict[str, float], range_: str, numbers: tuple[str, ...], tmp_path: Path, capsys: Capture
) -> None:
    made = solved(tmp_path, capsys, text, *numbers)
    assert {name: made["derivatives"]["y"][name] for name in slopes} == slopes
    assert "corner" in notices(made)
    assert numbers or range_ in notices(made)


@pytest.mark.parametrize(("digits", "words"), [(900_000, "digits"), (1_000_000, "characters")])
def test_item_21_a_decimal_of_a_million_digits(digits: int, words: str, tmp_path: Path) -> None:
    place = "1:5" if words == "digits" else "1:1"
    refused_within_bounds(tmp_path, f"x = 0.{'1' * digits}\ny = x", place, words, "at most")


@pytest.mark.parametrize(
    ("number", "columns", "cure"),
    [
        pytest.param("1.2.3", "5", "Keep one", id="two-points"),
        pytest.param("1,5", "6 7", r"1\.5 instead of 1,5", id="decimal-comma"),
        pytest.param("-0,25", "7 8", r"0\.25 instead of 0,25", id="decimal-comma-after-minus"),
        pytest.param("1 000", "5", "together", id="blank"),
        pytest.param("1\u00a0000", "5", "together", id="no-break-space"),
        pytest.param("1\u2009000", "5", "together", id="thin-space"),
        pytest.param("1_000", "6", "", id="underscore"),
        pytest.param("1'000", "6", "", id="apostrophe"),
        pytest.param("0x10", "6", "", id="hexadecimal"),
        pytest.param("٣", "5", "Write 3", id="arabic"),
        pytest.param("３", "5", "Write 3", id="full-width"),
        pytest.param("1٣", "6", "Write 3", id="arabic-behind-latin"),
        pytest.param("１．５", "5", "Write 1", id="full-width-point"),
        pytest.param("1½", "5", "", id="mixed-fraction"),
        pytest.param("5%", "6", "", id="percent"),
        pytest.param("1..5", "5", "", id="two-points-together"),
    ],
)
def test_item_22_numbers_in_another_dress_are_never_another_number(
    number: str, columns: str, cure: str, tmp_path: Path, capsys: Capture
) -> None:
    places = "|".join(f"1:{column}" for column in columns.split())
    refused(tmp_path, capsys, f"x = {number}\ny = x", places, cure)


@pytest.mark.parametrize(("number", "exact"), [("½", "1/2"), ("1.", "1"), (".5", "1/2"), ("007", "7"), ("1E2", "100")])
def test_item_22_what_is_read(number: str, exact: str, tmp_path: Path, capsys: Capture) -> None:
    assert solved(tmp_path, capsys, f"x = {number}\ny = x")["exact"]["x"] == exact


@pytest.mark.parametrize("number", ["e", "1e", "2 e", "pi", "e^2", "1e e"])
def test_item_22_the_constants_e_and_pi_are_numbers(number: str, tmp_path: Path, capsys: Capture) -> None:
    made = solved(tmp_path, capsys, f"x = {number}\ny = x^2")
    assert made["values"]["x"] in (math.e, math.pi, 2 * math.e, pytest.approx(math.e**2))


# -- syntax, depth, structure -----------------------------------------------------------------------------------


@pytest.mark.parametrize("opener", ["(", "-", "- ", "+-"])
def test_item_23_24_a_million_parentheses_or_signs(opener: str, tmp_path: Path) -> None:
    text = "x = " + opener * (900_000 // len(opener)) + "1"
    net = write(tmp_path / "net.bh", text)
    done = bounded("solve", str(net))
    first = refusals(done.stderr.decode(), net)[0]
    assert (done.returncode, done.stdout) == (2, b"")
    assert re.search("201 (levels )?deep; at most 200", first.sentence)
    assert int(first.place.partition(":")[2]) in range(5, 5 + 201 * max(2, len(opener)))


def test_item_23_24_a_tower_of_a_hundred_thousand_powers(tmp_path: Path) -> None:
    net = write(tmp_path / "net.bh", "x = " + "2^-" * 100_000 + "1")
    done = bounded("solve", str(net))
    assert (done.returncode, done.stdout) == (2, b"")
    assert "201 levels deep; at most 200" in refusals(done.stderr.decode(), net)[0].sentence


def test_item_23_24_more_than_a_line_may_have(tmp_path: Path) -> None:
    refused_within_bounds(tmp_path, "x = " + "(" * 10**6 + "1", "1:1", "characters", "at most")


DEEP = {
    "parentheses": "(" * 200 + "x" + ")" * 200,
    "signs": "-" * 200 + "x",
    "functions": "sin(" * 199 + "x" + ")" * 199,
    "roots": "sqrt(" * 199 + "x" + ")" * 199,
    "sums": "x + (" * 199 + "x" + ")" * 199,
    "signed": "-(" * 99 + "x" + ")" * 99,
    "quotients": "1/(" * 199 + "x" + ")" * 199,
    "powers": "x^" * 199 + "x",
}
"""As deep as a formula may be."""


@pytest.mark.parametrize("formula", [*DEEP])
def test_item_23_24_what_may_be_read_can_be_written(formula: str, tmp_path: Path) -> None:
    net = write(tmp_path / "net.bh", f"x = 1\ny = {DEEP[formula]}")
    done = bounded("solve", str(net), "--detail", "full", program=IN_EVERY_FORMAT)
    assert (done.returncode, done.stderr.decode()) == (0, "")
    *made, rest = done.stdout.split(b"\0")
    assert (len(made), rest) == (len(FORMATS), b"")
    assert all(0 < len(text) < 2**24 for text in made)


@pytest.mark.parametrize("text", ["[" * 10**5 + "]" * 10**5, '{"a":' * 10**5 + "}" * 10**5])
def test_item_25_deeply_nested_json(text: str, tmp_path: Path) -> None:
    refused_within_bounds(tmp_path, text, "1:1")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("x = 2\ny = x^{2", "2:7", id="26-unbalanced"),
        pytest.param("x = 2\ny = \\sqrt{x", "2:5", id="26-unbalanced-command"),
        pytest.param("y = \\frac{1}", "1:5", id="27-frac-of-one"),
        pytest.param("\\def\\x{\\x}\\x", "1:1", id="28-def"),
        pytest.param("x = 1\n\\newcommand{\\y}{\\y\\y}", "2:1", id="28-newcommand"),
        pytest.param("\\begin{input}{secret.txt}", "1:1", id="29-begin-input"),
        pytest.param("x = \\write18{ls}", "1:5", id="29-write18"),
        pytest.param("x = 1 \\openin", "1:7", id="29-openin"),
    ],
)
def test_item_26_27_28_29_latex_is_not_the_notation(text: str, place: str, tmp_path: Path, capsys: Capture) -> None:
    refused(tmp_path, capsys, text, place, "LaTeX", "Write a/b")


def test_item_29_no_other_file_is_read(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "elsewhere").mkdir()
    secret = write(tmp_path / "elsewhere" / "secret.bh", "hidden = 271828")
    net = write(tmp_path / "net.bh", f"\\input{{{secret}}}")
    status, out, err = run(net, capsys)
    assert (status, out) == (2, "")
    assert "271828" not in err


@pytest.mark.parametrize(
    ("line", "column"),
    [
        pytest.param("__import__('os').system('touch {mark}')", 16, id="30-import"),
        pytest.param('eval("1")', 10, id="30-eval"),
        pytest.param("().__class__.__base__", 6, id="31-class"),
        pytest.param("a.__class__", 6, id="31-attribute"),
        pytest.param('f"{{1}}"', 6, id="32-f-string"),
        pytest.param("`touch {mark}`", 5, id="32-backticks"),
        pytest.param("$(touch {mark})", 5, id="32-substitution"),
        pytest.param("1; touch {mark}", 6, id="32-semicolon"),
        pytest.param("1 | touch {mark}", 7, id="32-pipe"),
        pytest.param("1 && touch {mark}", 7, id="32-and"),
        pytest.param("lambda: 0", 11, id="32-lambda"),
        pytest.param("%s{{0}}", 5, id="32-format"),
    ],
)
def test_item_30_31_32_programs_are_no_formulas(line: str, column: int, tmp_path: Path, capsys: Capture) -> None:
    mark = tmp_path / "mark"
    refused(tmp_path, capsys, "x = " + line.format(mark=mark.name), f"1:{column}")
    assert not mark.exists()
    assert not Path(mark.name).exists()


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        pytest.param("A = B\nB = A", "1:1", "A -> B -> A", id="33-two"),
        pytest.param("L = A\nA = 2 B\nB = C + 1\nC = A", "2:1", "A -> B -> C -> A", id="33-three"),
        pytest.param("A -> B : 1\nB -> A : 2", "1:6|2:6", "A -> B -> A|B -> A -> B", id="33-arrows"),
        pytest.param("A = A", "1:1", "itself", id="34-equation"),
        pytest.param("A = 2 A + 1\nL = A", "1:1", "itself", id="34-no-earlier-version"),
        pytest.param("A -> A : 2", "1:6", "itself", id="34-arrow"),
    ],
)
def test_item_33_34_cycles(text: str, place: str, words: str, tmp_path: Path, capsys: Capture) -> None:
    refused(tmp_path, capsys, text, place, words)


@pytest.mark.parametrize(
    ("text", "place", "earlier"),
    [
        pytest.param("A = 1\nB = 2\nA = 3", "3:1", "line 1", id="given"),
        pytest.param("A = 1\nB = A\nC = 1\nB = 2 C", "4:1", "line 2", id="computed"),
        pytest.param("A = 1\nA -> B : 2\nA -> B : 3\nL = B", "3:1", "line 2", id="arrow"),
        pytest.param("A = 1\nA -> B : 2\nB = 3", "2:1", "line 3", id="arrow-and-equation"),
        pytest.param("A = 1\nA -> B : w = 2\nA -> C : w = 3\nL = B C", "3:10", "line 2", id="weight"),
        pytest.param("A = 1\nA -> B : 2\nw[A,B] = 3\nL = B", "3:1", "line 2", id="weight-by-its-name"),
        pytest.param("A = 1\nA -> B : 2\nB : bias 1\nB : bias 2", "4:5", "line 3", id="bias"),
        pytest.param("A = 1\nA -> B : 2\nB : bias b = 1, bias c = 2", "3:17", "bias", id="two-biases"),
        pytest.param("A = 1\nA -> B : 2\nB : bias 1, bias c = 2", "3:13", "bias", id="bias-and-named-bias"),
        pytest.param("A = 1\nA -> B : 2\nB : tanh\nB : relu", "4:5", "tanh", id="activation"),
        pytest.param("A = 1\nA -> B : 2\nB : tanh\nz[B] = 5", "4:1", "line 3", id="sum-of-a-unit"),
        pytest.param("A = 1\nz[B] = 5\nA -> B : 2\nB : tanh", "4:5", "line 2", id="sum-of-a-unit-first"),
        pytest.param("c = 1\nc = c + 1\nL = c#1\nc#1 = 5", "4:1", "line 1", id="version"),
    ],
)
def test_item_35_a_name_defined_twice(text: str, place: str, earlier: str, tmp_path: Path, capsys: Capture) -> None:
    refused(tmp_path, capsys, text, place, earlier)


@pytest.mark.parametrize(
    ("text", "place", "cure"),
    [
        pytest.param("x1 = 1\nw1 = 2\ny = w1x1", "3:5", "w1 x1", id="run-together"),
        pytest.param("hidden = 1\ny = hiden", "2:5", "hidden", id="near-miss"),
        pytest.param("x = 1\ny = sgmoid(x)", "2:5", "sigmoid", id="function"),
        pytest.param("x = 1\ny = exp x", "2:5", r"exp\(x\)", id="function-without-parentheses"),
        pytest.param("x = 1\ny = q", "2:5", "x, y", id="nothing-near"),
        pytest.param("A -> B : 2", "1:1", "A", id="tail"),
        pytest.param("A = 1\nA -> B : w", "2:10", "w", id="weight"),
        pytest.param("x = 1\ny = x\nask derivatives of z", "3:5", "x, y", id="ask"),
        pytest.param("c = 1\nc = c + 1\nL = c#7", "3:5", "c#1", id="version"),
    ],
)
def test_item_36_a_name_defined_nowhere(text: str, place: str, cure: str, tmp_path: Path, capsys: Capture) -> None:
    refused(tmp_path, capsys, text, place, "defined nowhere", cure)


OWN_NAMES = [
    *("lambda", "None", "exp", "L", "e", "pi", "max", "if", "import", "print", "self", "constructor", "__proto__"),
    *("input", "weight", "bias", "target", "ask", "values", "of", "by", "d", "dx", "_", "x'", "x_{in}", "σ", "ß"),
]


@pytest.mark.parametrize("name", OWN_NAMES)
def test_item_37_a_files_own_names_win(name: str, tmp_path: Path, capsys: Capture) -> None:
    made = solved(tmp_path, capsys, f"{name} = 2\nout = {name}^2")
    assert made["derivatives"]["out"][name] == 4


@pytest.mark.parametrize(
    ("defined", "used", "cure"),
    [
        pytest.param("B_1", "B1", "Did you mean B_1", id="underscore"),
        pytest.param("B1", "b1", "Did you mean B1", id="case"),
        pytest.param("B1", "Β1", "looks like B1", id="greek"),
        pytest.param("A1", "А1", "looks like A1", id="cyrillic"),
        pytest.param("B1", "Bl", "Did you mean B1", id="l-for-1"),
        pytest.param("O1", "01", "", id="0-for-O"),
        pytest.param("B1", "B_{1}", "Did you mean B1", id="braces"),
    ],
)
def test_item_38_names_that_look_alike(defined: str, used: str, cure: str, tmp_path: Path, capsys: Capture) -> None:
    if used == "01":
        assert solved(tmp_path, capsys, f"{defined} = 2\ny = {defined} + {used}")["values"]["y"] == 3
        return
    refused(tmp_path, capsys, f"{defined} = 2\ny = {used}", "2:5", cure)


def test_item_38_subscript_digits_are_digits(tmp_path: Path, capsys: Capture) -> None:
    assert solved(tmp_path, capsys, "B1 = 2\ny = B₁^2")["derivatives"]["y"] == {"y": 1, "B1": 4}


@pytest.mark.parametrize("text", ["", "   ", "\n\n\n", "\ufeff", "# only a comment", "\ufeff# only a comment\r\n"])
def test_item_39_an_empty_file(text: str, tmp_path: Path, capsys: Capture) -> None:
    net = write(tmp_path / "net.bh", text)
    status, out, err = run(net, capsys)
    assert (status, out) == (2, "")
    assert str(net) in err
    assert "nothing is defined" in err


def test_item_40_a_file_of_200_megabytes_is_not_read(tmp_path: Path) -> None:
    net = tmp_path / "net.bh"
    with net.open("wb") as file:
        file.truncate(200 * 2**20)
    done = bounded("solve", str(net), memory=2**30)
    assert (done.returncode, done.stdout) == (2, b"")
    assert re.search(rf"{re.escape(str(net))}.* {200 * 2**20} bytes; at most", done.stderr.decode())


def test_item_40_nor_is_so_much_of_standard_input() -> None:
    done = bounded("solve", "-", stdin=b"# " + b"x" * (65 * 2**20))
    assert (done.returncode, done.stdout) == (2, b"")
    assert re.search("more than .* bytes", done.stderr.decode())


@pytest.mark.parametrize("line", ["x = " + "1 + " * 2_500_000 + "1", "a" * 10**7])
def test_item_41_a_line_of_10_megabytes(line: str, tmp_path: Path) -> None:
    refused_within_bounds(tmp_path, line, "1:1", "characters", "at most", "Split")


@pytest.mark.parametrize(
    ("data", "place", "words"),
    [
        pytest.param(b"x = 1\0\ny = x", "1:6", r"U\+0000", id="nul"),
        pytest.param(b"x = 1\ny = x\xff", "2:6", "0xff at offset 11 is not UTF-8", id="invalid"),
        pytest.param(b"x = 1\ny = \xe2\x82", "2:5", "0xe2 at offset 10", id="cut-off"),
        pytest.param(b"\xed\xa0\x80 = 1", "1:1", "0xed at offset 0", id="surrogate"),
        pytest.param(b"x = \xc0\xaf", "1:5", "0xc0 at offset 4", id="overlong"),
        pytest.param("x = 1".encode("utf-16-le"), "1:2", r"U\+0000", id="utf-16-without-mark"),
        pytest.param(b"\xff\xfex", "1:1", "UTF-", id="utf-16-cut-off"),
        pytest.param("x = 1".encode("utf-32"), "1:1", r"U\+0000", id="utf-32"),
        pytest.param("größe = 1".encode("latin-1"), "1:3", "0xf6 at offset 2", id="latin-1"),
    ],
)
def test_item_42_bytes_that_are_no_text(data: bytes, place: str, words: str, tmp_path: Path, capsys: Capture) -> None:
    refused(tmp_path, capsys, data, place, words)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_item_42_utf_8_and_marked_utf_16_are_read(encoding: str, tmp_path: Path, capsys: Capture) -> None:
    made = solved(tmp_path, capsys, "α = 3\nL = α²\n".encode(encoding))
    assert made["derivatives"]["L"]["α"] == 6


@pytest.mark.parametrize("data", [b"%PDF-1.7", b"PK\x03\x04", b"\x89PNG\r\n", b"\x93NUMPY"])
def test_item_42_files_of_another_kind(data: bytes, tmp_path: Path, capsys: Capture) -> None:
    net = write(tmp_path / "net.bh", data + bytes(range(256)))
    status, out, err = run(net, capsys)
    assert (status, out) == (2, "")
    assert "not a text" in err


INVISIBLE = ["\u202e", "\u200b", "\u200d", "\u200e", "\u2066", "\u2060", "\ufeff"]
CONTROLS = ["\u00ad", "\u180e", "\u061c", "\x1b", "\x7f", "\x08"]


@pytest.mark.parametrize("character", [*INVISIBLE, *CONTROLS])
def test_item_43_invisible_characters_in_a_name(character: str, tmp_path: Path, capsys: Capture) -> None:
    refused(tmp_path, capsys, f"x{character}y = 1", "1:2", rf"U\+{ord(character):04X}", "Delete it")


@pytest.mark.parametrize("character", INVISIBLE)
def test_item_43_invisible_characters_in_a_comment(character: str, tmp_path: Path, capsys: Capture) -> None:
    """A comment that runs the other way may look like a line of the network."""
    refused(tmp_path, capsys, f"x = 1 # {character}", "1:9", rf"U\+{ord(character):04X}", "Delete it")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028", "\u2029", "\u0085"])
def test_item_44_line_ends(end: str, tmp_path: Path, capsys: Capture) -> None:
    lines = ["# first", "x = 2", "", "y = x^2"]
    assert solved(tmp_path, capsys, end.join(lines) + end)["values"]["y"] == 4
    assert refused(tmp_path, capsys, end.join([*lines, "z = x q"]) + end, "5:7", "q").marked == "q"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("y = \u22125 + a", -3, id="minus"),
        pytest.param("y = \u20135 + a", -3, id="en-dash"),
        pytest.param("y = a·a", 4, id="middle-dot"),
        pytest.param("y = a×a", 4, id="times"),
        pytest.param("y = a⋅a", 4, id="dot-operator"),
        pytest.param("y = a∗a", 4, id="asterisk-operator"),
        pytest.param("y = a÷4", 0.5, id="division-sign"),
        pytest.param("y = a²", 4, id="superscript"),
        pytest.param("y = a⁻¹", 0.5, id="superscript-minus"),
        pytest.param("a --> y : 3", 6, id="long-arrow"),
        pytest.param("a → y : 3", 6, id="arrow"),
        pytest.param("a \u2212> y : 3", 6, id="arrow-with-minus"),
    ],
)
def test_item_45_signs_as_they_are_typed_and_pasted(text: str, value: float, tmp_path: Path, capsys: Capture) -> None:
    assert solved(tmp_path, capsys, f"a = 2\n{text}")["values"]["y"] == value


@pytest.mark.parametrize(
    ("text", "place"), [("y = 3 x 4", "1:7"), ("a = 2\ny = a ~ a", "2:7"), ("a = 2\ny = a — a", "2:7")]
)
def test_item_45_signs_that_may_mean_something_else_are_refused(
    text: str, place: str, tmp_path: Path, capsys: Capture
) -> None:
    refused(tmp_path, capsys, text, place)


def test_item_45_an_x_between_numbers_draws_a_notice(tmp_path: Path, capsys: Capture) -> None:
    made = solved(tmp_path, capsys, "x = 5\ny = 3 x 4")
    assert made["values"]["y"] == 60
    assert re.search(r"\bx\b", notices(made))


def layered(wide: int, deep: int) -> str:
    """x feeds the first layer, every unit all units of the next, and L adds up the last."""
    lines = ["x = 1"]
    before = ["x"]
    for layer in range(deep):
        units = [f"h{layer}_{row}" for row in range(wide)]
        lines += [f"{unit} = {' + '.join(before)}" for unit in units]
        before = units
    return "\n".join([*lines, f"L = {' + '.join(before)}"])


@pytest.mark.parametrize(("wide", "deep"), [(2, 20), (30, 5)])
def test_item_46_paths_are_counted_not_listed(wide: int, deep: int, tmp_path: Path) -> None:
    net = write(tmp_path / "net.bh", layered(wide, deep))
    done = bounded("solve", str(net), "--wrt", "x", "--paths", "--format", "json")
    assert (done.returncode, done.stderr) == (0, b"")
    made = json.loads(done.stdout)
    (paths,) = made["paths"]
    assert made["derivatives"]["L"]["x"] == paths["count"] == wide**deep
    assert not paths["complete"]
    assert len(paths["paths"]) <= 100


@pytest.mark.parametrize("format_", ["text", "markdown", "html"])
def test_item_46_the_number_of_paths_is_said(format_: str, tmp_path: Path, capsys: Capture) -> None:
    net = write(tmp_path / "net.bh", layered(2, 20))
    status, out, _ = run(net, capsys, "--wrt", "x", "--paths", "--format", format_)
    assert status == 0
    assert re.search(r"1\D?048\D?576", out)


def chain(length: int) -> str:
    return "x0 = 1\n" + "".join(f"x{n + 1} = x{n} + 1\n" for n in range(length))


def fan(width: int) -> str:
    """One quantity that very many use."""
    return "x = 1\n" + "".join(f"y{n} = {n} x\n" for n in range(width)) + f"L = y{width - 1}^2"


def sum_of(width: int) -> str:
    """One formula of very many quantities."""
    return "".join(f"x{n} = {n}\n" for n in range(width)) + "L = " + " + ".join(f"x{n}" for n in range(width))


def star(width: int) -> str:
    """Out to very many and back together."""
    middle = "".join(f"y{n} = {n} x\n" for n in range(width))
    return f"x = 1\n{middle}L = " + " + ".join(f"y{n}" for n in range(width))


def long_sum(length: int) -> str:
    return "x = 1\ny = " + " + ".join(["x"] * length)


def undefined(length: int) -> str:
    return "x = " + " + ".join(["a"] * length)


@pytest.mark.parametrize(
    ("make", "options"),
    [
        pytest.param(chain, ("--format", "json"), id="47-chain-json"),
        pytest.param(chain, (), id="47-chain-text"),
        pytest.param(fan, ("--format", "json"), id="48-fan-json"),
        pytest.param(fan, (), id="48-fan-text"),
        pytest.param(sum_of, ("--format", "json"), id="48-sum-json"),
        pytest.param(sum_of, (), id="48-sum-text"),
        pytest.param(star, ("--format", "json"), id="48-star-json"),
        pytest.param(star, (), id="48-star-text"),
        pytest.param(long_sum, (), id="long-formula-text"),
        pytest.param(long_sum, ("--format", "json"), id="long-formula-json"),
        pytest.param(undefined, (), id="undefined-names"),
    ],
)
def test_item_47_48_work_grows_with_the_network_not_its_square(
    make: Callable[[int], str], options: tuple[str, ...], tmp_path: Path, capsys: Capture
) -> None:
    grows_linearly(make, tmp_path, capsys, *options)


@pytest.mark.parametrize(("make", "of", "by", "slope"), [(chain, "x3000", "x0", 1), (star, "L", "x", 2999 * 1500)])
def test_item_47_48_no_recursion_on_the_size_of_the_network(
    make: Callable[[int], str], of: str, by: str, slope: int, tmp_path: Path
) -> None:
    net = write(tmp_path / "net.bh", make(3_000))
    done = bounded("solve", str(net), "--of", of, "--wrt", by, "--detail", "brief")
    assert (done.returncode, done.stderr) == (0, b"")
    assert re.search(rf"^{by} .* {slope}$", done.stdout.decode(), re.MULTILINE)


@pytest.mark.nightly
@pytest.mark.parametrize(("make", "options"), [(chain, ("--of", "x1000000", "--wrt", "x0")), (fan, ("--wrt", "x"))])
def test_item_47_48_a_million_quantities(make: Callable[[int], str], options: tuple[str, ...], tmp_path: Path) -> None:
    net = write(tmp_path / "net.bh", make(10**6))
    code = BOUNDED.format(memory=8 * 2**30, seconds=900)
    command = [sys.executable, "-c", code, "solve", str(net), "--float", "--detail", "brief", *options]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


SHAPES = [
    pytest.param(
        "A = [[1, 2], [3, 4]]\nB = [[1, 2, 3]]\nC = A @ B",
        "3:5",
        "2 x 2 and 1 x 3: the left side has 2 columns, the right side 1 row",
        id="product",
    ),
    pytest.param("A = [[1, 2]]\nB = [[3, 4]]\nC = A @ B", "3:5", r"A @ B\.T would fit, and is 1 x 1", id="transpose"),
    pytest.param("A = [[1], [2], [3]]\nB = [[3], [4]]\nC = A @ B", "3:5", r"A @ B\.T would fit, .* 3 x 2", id="turned"),
    pytest.param(
        "A = [[1, 2, 3]]\nB = [1, 2]\nC = 2*(A + 1) @ B", "3:5", "3 columns, the right side 2 elements", id="vector"
    ),
    pytest.param(
        "A = [1, 2]\nB = [1, 2, 3]\nC = 1 + A*B",
        "3:9",
        "vector of 2 and a vector of 3 differ .* 2 and 3",
        id="elements",
    ),
    pytest.param("A = ones(2, 3)\nB = ones(4, 3)\nC = A - B", "3:5", "second axis from the end, 2 and 4", id="axis"),
    pytest.param("A = [1, 2]\nB = 3\nC = A @ B", "3:5", "one side is a single number; write \\*", id="number"),
    pytest.param("A = [1, 2]\nB = [[1, 2]]\nC = concat(A, B)", "3:5", "as many axes", id="concat"),
    pytest.param("A = [1, 2]\nB = [1]\nC = stack(A, B)", "3:5", "rows of an array are alike", id="stack"),
    pytest.param("A = [1, 2]\nB = [1, 2, 3]\nC = mse(A, B)", "3:5", "vector of 2 and a vector of 3", id="loss"),
    pytest.param(
        "A = ones(2, 3)\nB = [0, 1, 2]\nC = cross_entropy(A, B)", "3:5", "one class number for each row", id="classes"
    ),
    pytest.param(
        "A = ones(2, 2)\nB = ones(3, 3)\nC = conv2d(A, B)", "3:5", "window of 3 x 3 is larger than 2 x 2", id="window"
    ),
    pytest.param(
        "A = ones(1, 2, 5, 5)\nB = ones(4, 3, 2, 2)\nC = conv2d(A, B)",
        "3:5",
        "3 channels, the image has 2",
        id="channels",
    ),
    pytest.param(
        "A = ones(2, 3)\nB = ones(2, 4)\nC = attention(A, B, A)", "3:5", "as long, and here are 3 and 4", id="attention"
    ),
    pytest.param(
        "A = ones(2, 3)\nB = [1, 2]\nC = batchnorm(A, B, B)", "3:5", "scale of 2 x 3 is a vector of 3", id="scale"
    ),
]


@pytest.mark.parametrize(("text", "place", "words"), SHAPES)
def test_item_49_shapes_that_do_not_fit_are_both_shown_with_where_they_came_from(
    text: str, place: str, words: str, tmp_path: Path, capsys: Capture
) -> None:
    said = refused(tmp_path, capsys, text, place, words).sentence
    for name, line in (("A", 1), ("B", 2)):
        assert re.search(rf"{name} is [\w ]+ \(line {line}\)", said), said


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        pytest.param("A = []\ny = A", "1:5", "no elements", id="50-empty"),
        pytest.param("A = [[]]\ny = A", "1:6", "no elements", id="50-0xn"),
        pytest.param("A = zeros(0, 3)\ny = A", "1:5", "at least 1", id="50-zeros"),
        pytest.param("A = [1, 2]\ny = A[1:1]", "2:5", "slice is empty", id="50-slice"),
        pytest.param("A = [1, 2]\ny = A[::0]", "2:5", "step 0", id="50-step"),
        pytest.param("A = [[1, 2], [3]]\ny = A", "1:5", "rows .* alike.*vector of 2 and a vector of 1", id="rows"),
        pytest.param("A = [[1, 2], 3]\ny = A", "1:5", "vector of 2 and a single number", id="rows-and-number"),
        pytest.param("A = [[1, 2] [3, 4]]\ny = A", "1:6", "no sign between", id="rows-without-comma"),
        pytest.param("A = [1 2]\ny = A", "1:6", "comma between", id="elements-without-comma"),
        pytest.param("A = [1; 2]\ny = A", "1:7", r"\[\[1, 2\], \[3, 4\]\]", id="semicolon"),
        pytest.param("A = (1, 2)\ny = A", "1:7", "square brackets", id="parentheses"),
        pytest.param("A = 1, 2, 3\ny = A", "1:8", "square brackets", id="no-brackets"),
        pytest.param("A = [1, 2\ny = A", "1:5", r"\[ is never closed", id="unclosed"),
        pytest.param("A = [1, 2]]\ny = A", "1:11", "closes nothing", id="closed-twice"),
        pytest.param("A = [1, 2)\ny = A", "1:10", r"Add the missing \]", id="closed-otherwise"),
        pytest.param("A = [?, 2]\ny = A", "1:6", "a name", id="question"),
        pytest.param("A = [nan, 2]\ny = A", "1:6", "finite", id="nan"),
        pytest.param("A = [1, 1/0]\ny = A", "1:1", "1/0 is not defined", id="no-value"),
        pytest.param("A = [1, 2]\ny = A[2]", "2:5", "no element 2 .* from 0 to 1", id="index"),
        pytest.param("A = [1, 2]\ny = A[-3]", "2:5", "no element -3", id="index-from-end"),
        pytest.param("A = [1, 2]\ny = A[0, 0]", "2:5", "2 places .* 1 axis", id="index-axes"),
        pytest.param("A = [1, 2]\ny = A[0.5]", "2:7", "0, 1, 2", id="index-decimal"),
        pytest.param("A = [1, 2]\ni = 1\ny = A[i]", "3:5", r"by numbers, A\[0\]", id="index-name"),
        pytest.param("A = [1, 2]\ny = A [0]", "2:5", "no blank before it", id="index-behind-a-blank"),
        pytest.param("A = 2\ny = A[0]", "2:5", "1 places? .* a single number has 0 axes", id="index-of-a-number"),
        pytest.param("w[0,1] = 2\ny = w[0,1]", "1:2", "square brackets", id="49-element"),
        pytest.param("A = [1, 2]\ny = sum(A, axis=1)", "2:5", "no axis 1 in an array of 1 axis", id="axis"),
        pytest.param("A = [1, 2]\ny = sum(A, axis=0.5)", "2:5", "whole number", id="axis-decimal"),
        pytest.param("A = ones(2, 3)\ny = sum(A, axis=(0, -2))", "2:5", "named twice", id="axis-twice"),
        pytest.param("A = [1, 2]\ny = sum(A, axis=n)", "2:17", "numbers, true or false", id="option-no-number"),
        pytest.param("A = [1, 2]\ny = sum(A, axes=0)", "2:5", "not told axes.*axis, keepdims", id="option-unknown"),
        pytest.param("A = [1, 2]\ny = sum(A, axis=0, axis=0)", "2:20", "said twice", id="option-twice"),
        pytest.param("A = [1, 2]\ny = sum(A, keepdims=7)", "2:5", "true or false", id="option-truth"),
        pytest.param("A = [1, 2]\ny = tanh(A, axis=0)", "2:13", "told nothing", id="option-of-none"),
        pytest.param("A = [1, 2]\ny = sum(A, 0, 1, 2)", "2:5", "takes 1 array", id="too-many"),
        pytest.param("A = [1, 2]\ny = sum()", "2:9", r"Nothing stands between \( and \)", id="too-few"),
        pytest.param("A = [1, 2, 3]\ny = reshape(A, 2, 2)", "2:5", "3 elements, which do not fill", id="reshape"),
        pytest.param("A = [1, 2, 3]\ny = reshape(A, -1, -1)", "2:5", "do not fill", id="reshape-open"),
        pytest.param("A = [1, 2, 3]\ny = reshape(A)", "2:5", "needs a shape", id="reshape-to-nothing"),
        pytest.param("A = [1, 2]\ny = one_hot(A)", "2:5", "needs a size", id="classes"),
        pytest.param("A = [1, 2]\nL = sum(one_hot(A, size=2))", "2:1", "2 is no place among 2", id="class"),
        pytest.param("A = ones(2, 2)\ny = conv2d(A, A, stride=0)", "2:5", "at least 1", id="stride"),
        pytest.param("x = [1, 2]\nx -> B : 2", "2:1|2:6", "an arrow carries a single number", id="arrow-from-an-array"),
        pytest.param("x = 1\nx -> B : [1, 2]", "2:1|2:6", "an arrow carries a single number", id="arrow-of-an-array"),
        pytest.param("x = [1, 2]\nL = x", "2:1", r"single number.*--of 'L\[0\]'", id="derivatives-of-an-array"),
        pytest.param("x = [1, 2]\nL = x.t", "2:6", r"W\.T", id="transpose"),
        pytest.param("A = [1, 2]\nA = [3, 4]\nL = sum(A)", "2:1", "second time", id="twice"),
    ],
)
def test_item_49_50_arrays_that_are_none(text: str, place: str, words: str, tmp_path: Path, capsys: Capture) -> None:
    refused(tmp_path, capsys, text, place, words)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("W = zeros(1000000, 1000000)\ny = sum(W)", "1:5", id="zeros"),
        pytest.param("W = ones(99999999999999999999)\ny = sum(W)", "1:5", id="ones"),
        pytest.param("b = ones(1000000)\ny = outer(b, b)\nL = sum(y)", "2:5", id="outer"),
        pytest.param("b = ones(1000000, 1)\nL = sum(b + b.T)", "2:9", id="stretched"),
        pytest.param("b = ones(1000000, 1)\nL = sum(b @ b.T)", "2:9", id="product"),
        pytest.param("b = ones(1000000)\nL = sum(one_hot(b, size=1000000))", "2:9", id="one-hot"),
        pytest.param("b = ones(4000, 4000)\nL = sum(unfold(b, size=1000))", "2:9", id="windows"),
    ],
)
def test_item_50_what_would_be_too_large_is_never_made(text: str, place: str, tmp_path: Path) -> None:
    refused_within_bounds(tmp_path, text, place, "array of [0-9]{9,} elements; at most 20000000", "smaller")


def test_item_50_a_thousand_large_arrays(tmp_path: Path) -> None:
    """Each is allowed; all of them are not."""
    lines = "".join(f"W{n} = ones(4000, 4000)\n" for n in range(1_000))
    net = write(tmp_path / "net.bh", f"{lines}L = sum(W0)")
    done = bounded("solve", str(net))
    assert done.returncode == 2, done.stderr[-500:]
    assert b"together" in done.stderr


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("A = [[5]]\nL = sum(2 A)", "10", id="50-1x1"),
        pytest.param("W = [1, 2]\nL = W[0] + W[-1]^2", "5", id="49-vector"),
        pytest.param("x = [1, 2]\nL = sum(x^x)", "5", id="49-exponent"),
        pytest.param("x = [1, 2]\nL = sum(2^x)", "6", id="49-power"),
        pytest.param("x = [[1, 2],\n     [3, 4]]\nL = sum(x[1])", "7", id="49-lines"),
        pytest.param("sum = 2\nx = 3\nL = sum x", "6", id="49-own-name"),
        pytest.param("axis = 1\nx = [1, 2]\nL = axis sum(x, axis=0)", "3", id="49-option-name"),
    ],
)
def test_item_49_50_arrays_that_are_read(text: str, value: str) -> None:
    assert str(backhand.solve(backhand.read(text)).value("L")) == value


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("((((a*)*)*)*)b", "1:1", id="nested-stars"),
        pytest.param("x = ((((a*)*)*)*)b", "1:11", id="nested-stars-in-a-formula"),
        pytest.param("$" * 50_000, "1:1", id="dollars"),
        pytest.param("x = " + "a_{" * 50_000, "1:7", id="open-braces"),
        pytest.param("x = 1" + "." * 500_000, "1:5", id="points"),
        pytest.param("x = 1" + "e" * 500_000, "1:6", id="exponents"),
        pytest.param("x = d" + "d/d" * 100_000, r"1:\d+", id="slopes"),
        pytest.param("x = 1 #" + "#1" * 200_000 + "\ny = $", "2:5", id="comment-signs"),
        pytest.param("x = w[" + "a," * 100_000, "1:7", id="open-bracket"),
        pytest.param("x = (" + "\n(" * 150 + "\n" * 100_000, "151:1", id="open-over-many-lines"),
        pytest.param("x" + " " * 500_000 + "$", "1:500002", id="blanks"),
        pytest.param("x = 1\n" + "y = q\n" * 20_000, "2:1|2:5", id="errors"),
        pytest.param("x = " + "q + " * 50_000 + "1", "1:5", id="undefined-names"),
    ],
)
def test_item_51_no_text_makes_a_reader_search_for_ever(text: str, place: str, tmp_path: Path) -> None:
    net = write(tmp_path / "net.bh", text)
    done = bounded("solve", str(net))
    assert (done.returncode, done.stdout) == (2, b""), done.stderr[-500:]
    first = refusals(done.stderr.decode(), net)[0]
    assert re.fullmatch(place, first.place)
    assert len(done.stderr) < 2**20
    assert len(first.sentence) < 1_000


# -- beyond the list ----------------------------------------------------------------------------------------------


def test_numbers_in_decimal_add_up_as_on_paper(tmp_path: Path, capsys: Capture) -> None:
    made = solved(tmp_path, capsys, "a = 0.1\nb = 0.2\nL = a + b")
    assert Fraction(made["exact"]["L"]) == Fraction(3, 10)
    assert made["values"]["L"] == 0.3


def test_what_fails_has_printed_nothing(tmp_path: Path, capsys: Capture) -> None:
    """Even when the trouble comes late: all or nothing on standard output, too."""
    net = write(tmp_path / "net.bh", f"x = 1\ny = {DEEP['powers']}")
    status, out, _ = run(net, capsys, "--detail", "full")
    assert status == 0 or out == ""


@pytest.mark.parametrize(
    "text",
    [
        "x = ?\ny = x exp(1000)",
        "x = ?\nz = 800\nh = exp(z)\nL = h x",
        "x = ?\nz = 0\ny = x sqrt(z)",
        "x = ?\nz = 1e400\ny = x + z exp(1)",
    ],
)
def test_symbols_beside_what_is_no_number(text: str, tmp_path: Path, capsys: Capture) -> None:
    assert re.search("too large|no finite slope", notices(solved(tmp_path, capsys, text)))


@pytest.mark.parametrize("formula", ["2^x", "x sqrt(2)", "x ln(3)"])
def test_a_rounded_number_among_symbols_stands_behind_about(formula: str, tmp_path: Path, capsys: Capture) -> None:
    """Either its formula is kept, which is exact, or its digits, which are not."""
    net = write(tmp_path / "net.bh", f"x = ?\ny = {formula}")
    status, out, _ = run(net, capsys)
    assert status == 0
    assert not re.search(r"= [^≈\n]*\d\.\d{5}", out)
    assert not re.search(r"\d{10}", out)


def test_the_network_itself_is_never_overwritten(tmp_path: Path, capsys: Capture) -> None:
    net = write(tmp_path / "net.bh", "x = 2\ny = x^2\n")
    status, out, err = run(net, capsys, "--format", "text", "-o", str(net))
    assert (status, out) == (2, "")
    assert str(net) in err
    assert net.read_text() == "x = 2\ny = x^2\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_a_closed_stream_is_told_of_and_not_our_mistake(closed: str, tmp_path: Path) -> None:
    net = write(tmp_path / "net.bh", "x = 2\ny = x^2\n")
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-m", "backhand", "solve"]
    done = subprocess.run([*command, "-" if closed == "<&-" else str(net)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "standard" in done.stderr.lower()


@pytest.mark.parametrize("text", ["x = 2", "x = 2, y = 3"])
def test_a_network_without_a_formula_is_named(text: str, tmp_path: Path, capsys: Capture) -> None:
    net = write(tmp_path / "net.bh", text)
    status, out, err = run(net, capsys)
    assert (status, out) == (2, "")
    assert str(net) in err
    assert "every quantity is given" in err


HOSTILE_NAMES = [
    "x_{<script>}",
    "x_{</text>}",
    'x_{"onload="}',
    "x_{&amp;}",
    "x_{%}",
    "x_{\\input}",
    "x_{$}",
    "x_{`a`}",
    "x_{|}",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_odd_names_are_escaped_in_every_format(name: str, tmp_path: Path, capsys: Capture) -> None:
    import xml.etree.ElementTree as ET
    from html.parser import HTMLParser

    net = write(tmp_path / "net.bh", f"{name} = 2\nL = {name}^2")
    written = {format_: run(net, capsys, "--format", format_) for format_ in FORMATS}
    assert {status for status, _, _ in written.values()} == {0}
    assert json.loads(written["json"][1])["derivatives"]["L"][name] == 4
    assert name[3:-1] in "".join(ET.fromstring(written["svg"][1]).itertext())

    found: set[str] = set()

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.update([tag, *(key for key, _ in attrs if key.startswith("on"))])

    Tags().feed(written["html"][1])
    assert not found & {"script", "onload", "iframe", "object"}
    assert "\\input}" not in written["latex"][1]
