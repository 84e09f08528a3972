"""Course notes held against their networks: what is false is found at its place, and nothing else."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

import backhand
from backhand import cli
from backhand.linting import formats
from backhand.linting.lint import files, lint
from backhand.linting.pages import page_of, spoken
from backhand.linting.sections import sections

COURSE = Path(__file__).parent / "lint" / "course"


@pytest.fixture
def course(tmp_path, monkeypatch):
    shutil.copytree(COURSE, tmp_path / "course")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "course"


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


NET = "```bh\na = 3\nb = 2 a\nL = a b\n```\n"


def found(folder, name, text):
    return [(f.line, f.column, f.about) for f in lint(write(folder, name, text)).findings]


# -- the course ---------------------------------------------------------------------------------------------------


def test_the_course(course):
    report = lint("course")
    assert [(f.file, f.line, f.column, f.about) for f in report.findings] == [
        ("course/broken.md", 2, 5, ""),
        ("course/broken.md", 2, 7, ""),
        ("course/layers.py", 5, 57, "dL/dB2"),
        ("course/layers.py", 12, 17, "dL/dC1"),
        ("course/week1.md", 22, 83, "dL/dw"),
        ("course/week2.md", 14, 10, "dL/dB1"),
        ("course/week3.ipynb", 40, 42, "dL/da"),
        ("course/week3.ipynb", 42, 18, "dL/db"),
        ("course/week4.md", 21, 32, "dL/dX[1,1]"),
    ]
    assert report.summary == "6 files, 5 networks, 37 statements held against them: 9 findings."


def test_each_place_is_where_the_false_thing_stands(course):
    for finding in lint("course").findings:
        text = Path(finding.file).read_text().splitlines()[finding.line - 1]
        beginning = text[finding.column - 1 :]
        assert beginning.startswith(("a", "b", "4", "3", "-0.106", "dL/dC1", "[[8"))
        assert finding.end_column >= finding.column


def test_messages_name_the_habit(course):
    (finding,) = [f for f in lint("course").findings if f.about == "dL/dB1"]
    assert "B1 reaches L by two ways" in finding.message
    assert "it is 4" in finding.message


def test_the_same_every_time(course):
    assert lint("course") == lint("course")
    assert lint("course", "course/week1.md").findings == lint("course").findings


# -- what is looked at ------------------------------------------------------------------------------------------------


def test_folders_of_tools_are_not_gone_into(tmp_path):
    for folder in (".git", ".venv", "node_modules", "__pycache__", "notes/.ipynb_checkpoints"):
        write(tmp_path, f"{folder}/x.md", NET + "L = 5\n")
    write(tmp_path, "notes/x.md", "")
    write(tmp_path, "notes/x.txt", NET + "L = 5\n")
    assert [path.name for path in files([tmp_path])] == ["x.md"]
    assert files([tmp_path / ".git" / "x.md"])


def test_nothing_is_executed(tmp_path):
    boom = f"open({str(tmp_path / 'made')!r}, 'w')\nraise SystemExit\n"
    write(tmp_path, "x.py", boom)
    cell = {"cell_type": "code", "source": boom, "metadata": {}, "outputs": [], "execution_count": None}
    write(tmp_path, "x.ipynb", json.dumps({"cells": [cell], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}))
    assert lint(tmp_path).ok
    assert not (tmp_path / "made").exists()


def test_notes_without_a_network_say_nothing(tmp_path):
    assert lint(write(tmp_path, "x.md", "L = 3\n\n2 + 2 = 5\n")).ok


def test_a_missing_path_is_an_error(tmp_path):
    with pytest.raises(backhand.UsageError, match="no file or folder"):
        lint(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["", "{}", "[1]", "not json", "[" * 50_000])
def test_a_notebook_that_is_none(tmp_path, text):
    (finding,) = lint(write(tmp_path, "x.ipynb", text)).findings
    assert finding.kind == "unread"
    assert "no notebook" in finding.message


def test_bytes_of_any_kind(tmp_path):
    (tmp_path / "x.md").write_bytes(b"```bh\na = 3\nL = 2 a\n```\n\n\x96 L = 7\n\xff\n")
    assert [f.line for f in lint(tmp_path).findings] == [6]


# -- which network ------------------------------------------------------------------------------------------------------


def test_a_network_holds_until_the_next_one(tmp_path):
    text = "L = 1\n" + NET + "L = 18\n\n" + NET.replace("a = 3", "a = 4") + "L = 18\n"
    assert found(tmp_path, "x.md", text) == [(14, 5, "L")]


def test_backhand_off_ends_it(tmp_path):
    assert found(tmp_path, "x.md", NET + "<!-- backhand: off -->\nL = 7\n") == []


@pytest.mark.parametrize(
    "line",
    ["backhand: n.bh", "<!-- backhand: n.bh -->", "> backhand: 'n.bh'", 'backhand: "n.bh"', "  backhand:   n.bh  "],
)
def test_a_network_by_name(tmp_path, line):
    write(tmp_path, "n.bh", "a = 3\nL = 2 a\n")
    assert found(tmp_path, "x.md", f"# T\n\n{line}\n\nL = 7\n") == [(5, 5, "L")]


def test_front_matter(tmp_path):
    write(tmp_path, "n.bh", "a = 3\nL = 2 a\n")
    assert found(tmp_path, "x.md", "---\ntitle: L = 9\nbackhand: n.bh\n---\nL = 7\n") == [(5, 5, "L")]
    assert found(tmp_path, "y.md", "---\nL = 9\n") == []


def test_a_network_that_is_not_there_is_said_where_it_is_named(tmp_path):
    (finding,) = lint(write(tmp_path, "x.md", "\n\nbackhand: none.bh\n\nL = 7\n")).findings
    assert (finding.line, finding.kind) == (3, "network")
    assert "There is no file" in finding.message


def test_a_network_in_a_file_that_cannot_be_read_names_the_place_there(tmp_path):
    write(tmp_path, "n.bh", "a = 3\nL = 2 aa\n")
    (finding,) = lint(write(tmp_path, "x.md", "backhand: n.bh\n\nL = 7\n")).findings
    assert "n.bh:2:7" in finding.message


def test_program_code_on_a_page_is_left_out(tmp_path):
    text = NET + "```python\nL = 0\n```\n\n```\nL = 7\n```\n~~~math\nL = 8\n~~~\n```js\nL = 1\n"
    assert [line for line, _, _ in found(tmp_path, "x.md", text)] == [11, 14]


def test_a_network_in_a_quotation(tmp_path):
    text = "> ```bh\n> a = 3\n> L = 2 a\n> ```\n>\n> L = 7\n"
    assert found(tmp_path, "x.md", text) == [(6, 7, "L")]


def test_an_open_block_ends_with_the_page(tmp_path):
    assert found(tmp_path, "x.md", "```bh\na = 3\nL = 2 a") == []


# -- code ------------------------------------------------------------------------------------------------------------------


def test_comments_and_docstrings_of_python_code():
    code = 'r"""Doc\nL = 1"""\nx = "L = 2"  # L = 3\ndef f():\n    \'\'\'L = 4\'\'\'\n    return "L = 5"\n'
    kept = spoken(code)
    assert len(kept) == len(code)
    assert kept.split() == ["Doc", "L", "=", "1", "L", "=", "3", "L", "=", "4"]


@pytest.mark.parametrize("code", ["(((", "x = '''open\n# L = 3", "!pip install x\n# L = 3\n", "\tif\n  # L = 3\n x"])
def test_code_that_is_no_whole_program(code):
    assert len(spoken(code)) == len(code)
    assert "x =" not in spoken(code)


def test_a_network_in_comments(tmp_path):
    code = "# ```bh\n# a = 3\n# L = 2 a\n# ```\n\nx = 1  # so dL/da = 3\n"
    assert found(tmp_path, "x.py", code) == [(6, 21, "dL/da")]


def test_places_in_notebooks_are_those_of_the_file(tmp_path):
    source = ["```bh\n", "a = 3\n", "L = 2 a\n", "```\n", "\t\u201cso\u201d \U0001d6fc: L = 7\n"]
    for ascii_only in (True, False):
        cells = {"cells": [{"cell_type": "markdown", "source": source}]}
        path = write(tmp_path, "x.ipynb", json.dumps(cells, indent=1, ensure_ascii=ascii_only))
        (finding,) = lint(path).findings
        line = path.read_text(encoding="utf-8").splitlines()[finding.line - 1]
        assert line[finding.column - 1] == "7"
        assert finding.where == "cell 1, line 5"


def test_a_cell_as_one_string(tmp_path):
    path = write(tmp_path, "x.ipynb", json.dumps({"cells": [{"source": NET + "L = 7", "cell_type": "markdown"}]}))
    assert [f.where for f in lint(path).findings] == ["cell 1, line 6"]


def test_outputs_of_cells_are_not_read(tmp_path):
    cells = [
        {"cell_type": "markdown", "source": NET},
        {"cell_type": "code", "source": "1", "outputs": [{"text": ["L = 7\n"], "source": ["L = 7"]}]},
    ]
    assert lint(write(tmp_path, "x.ipynb", json.dumps({"cells": cells}))).ok


def test_sections_keep_places():
    text = "---\nbackhand: n.bh\n---\nL = 1\n" + NET + "L = 2\n"
    first, second = sections("x.md", text)
    assert (first.path, first.text.text.strip(), first.text.place(first.text.text.index("L"))) == (
        "n.bh",
        "L = 1",
        (4, 1),
    )
    assert second.text.place(second.text.text.index("L")) == (10, 1)
    assert page_of("x.md", text).place(text.index("L = 2")) == (10, 1)


# -- formats, baseline, command ------------------------------------------------------------------------------------------------


def test_annotations_of_github(course, capsys):
    assert cli.run(["lint", "course/week2.md", "--format", "github"]) == 1
    out = capsys.readouterr()
    assert out.out.startswith(
        "::error file=course/week2.md,line=14,col=10,endColumn=26,title=backhand%3A dL/dB1::dL/dB1: "
    )
    assert out.out.count("\n") == 1
    assert out.err == "1 file, 1 network, 5 statements held against them: 1 finding.\n"


def test_annotations_are_escaped(tmp_path):
    (finding,) = lint(write(tmp_path, "a,b%.md", NET + "L = 7\n")).findings
    (line,) = formats.formatted(lint(tmp_path), "github")
    assert "a%2Cb%25.md" in line
    assert finding.file.endswith("a,b%.md")


def test_json(course, capsys):
    assert cli.run(["lint", "course", "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["schema"] == 1
    assert told["findings"][5]["about"] == "dL/dB1"
    assert told["findings"][5]["kind"] == "false"


def test_text(course, capsys):
    assert cli.run(["lint", "course/week3.ipynb"]) == 1
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("course/week3.ipynb:40:42: dL/da: b is false; it is 12.")
    assert first.endswith("(cell 3, line 2)")


def test_nothing_false_is_status_0(tmp_path, capsys):
    write(tmp_path, "x.md", NET + "L = 18\n")
    assert cli.run(["lint", str(tmp_path)]) == 0
    assert capsys.readouterr() == ("", "1 file, 1 network, 1 statement held against them: nothing false.\n")


def test_a_baseline(course, capsys):
    assert cli.run(["lint", "course", "--write-baseline", "known.json"]) == 0
    assert cli.run(["lint", "course", "--baseline", "known.json"]) == 0
    assert "nothing false; 9 known" in capsys.readouterr().err
    page = course / "week2.md"
    page.write_text("\n" + page.read_text().replace("dL/dC2 = dL/dD * dD/dC2 = 2 * (-1) = -2", "dL/dC2 = 2"))
    assert cli.run(["lint", "course", "--baseline", "known.json"]) == 1
    out = capsys.readouterr()
    assert "dL/dC2" in out.out
    assert "dL/dB1" not in out.out
    page.write_text("")
    assert cli.run(["lint", "course", "--baseline", "known.json"]) == 0
    assert "1 in the baseline and not there any more" in capsys.readouterr().err


def test_twice_the_same_needs_twice_in_the_baseline(tmp_path):
    path = write(tmp_path, "x.md", NET + "L = 7\n\n")
    known = [finding.key for finding in lint(path).findings]
    write(tmp_path, "x.md", NET + "L = 7\n\nL = 7\n")
    assert len(lint(path, baseline=known).findings) == len(lint(path).findings) - 1


def test_a_baseline_that_is_none(tmp_path, capsys):
    write(tmp_path, "x.json", "[]")
    assert cli.run(["lint", str(tmp_path), "--baseline", str(tmp_path / "x.json")]) == 2
    assert "is no baseline" in capsys.readouterr().err


# -- pages of real people ---------------------------------------------------------------------------------------------------

PAGES = Path(__file__).parent / "pages"
FENCED = r"^(`{3,}|~{3,})[^\n]*\n(.*?)^\1"


@pytest.mark.parametrize("path", sorted((PAGES / "right").glob("*.md")), ids=lambda path: path.stem)
def test_right_pages_have_no_finding_and_a_spoilt_number_has_one(path, tmp_path):
    text = path.read_text(encoding="utf-8")
    net, page = (
        re.search(FENCED, text[text.index(head) :], re.MULTILINE | re.DOTALL) for head in ("## Net", "## Page")
    )
    notes = f"# Notes\n\n```bh\n{net[2]}```\n\n"
    assert lint(write(tmp_path, "x.md", notes + page[2])).findings == []
    (output, *_) = re.findall(r"^\| \d+ \| (\w+) \| value \| ([\d.]+) \| right \|$", text, re.MULTILINE) or [None]
    if output is not None:
        name, number = output
        report = lint(write(tmp_path, "x.md", f"{notes}{name} = 9{number}\n"))
        assert [(f.line, f.about) for f in report.findings] == [(notes.count("\n") + 1, name)]
