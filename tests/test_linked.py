"""Both passes as code in a worked solution, in every format; in a page, what is about the same quantity is linked."""

from __future__ import annotations

import ast
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

import backhand
from backhand.coding.code import coded
from backhand.core.graph import Graph
from backhand.display import document, formatted
from backhand.errors import UsageError
from backhand.explaining import document as doc
from backhand.explaining.document import About, Code, CodeRow, Document, Equation, Link, Table
from backhand.explaining.mathematics import Symbol
from backhand.solving.solution import Detail, Language
from backhand.writers import whole
from backhand.writers.latex import verbatim
from backhand.writers.linking import Links, whole_of

EXAMPLES = Path(__file__).parent.parent / "examples"
FENCES = {"markdown": "```python\n{}```\n", "text": "{}"}


def network(name: str) -> Graph:
    return backhand.read(EXAMPLES / f"{name}.bh")


def page_of(name: str, language: Language | None, detail: Detail = "steps", wrt: tuple[str, ...] = ()) -> Page:
    solution = backhand.solve(network(name), code=language, wrt=wrt or None)
    return Page("".join(formatted(solution, "html", detail=detail, font=False)))


class Page(HTMLParser):
    """Which elements of a page are about what, and where they lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.ids: list[str] = []
        self.hrefs: list[tuple[str, str]] = []
        """Each link: where it stands, and where it goes."""
        self.about: list[tuple[str, dict[str, str]]] = []
        self.inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {key: value or "" for key, value in attrs}
        if "id" in found:
            self.ids.append(found["id"])
        topic = {key: found[key] for key in ("data-value", "data-derivative") if key in found}
        if topic:
            self.about.append((tag, topic))
        if "href" in found:
            self.hrefs.append((found.get("id") or found.get("data-value") or "", unquote(found["href"])))


def test_the_lines_of_a_program_are_those_of_the_verb() -> None:
    """Every language, joined again: not a letter differs from what `backhand code` writes."""
    graph = network("softmax-net")
    for language in ("numpy", "torch", "jax", "python", "c"):
        made = coded(graph, language)
        assert "".join(f"{each.text}\n" for each in made.laid()) == made.text
        told = [each.line for each in made.laid() if each.line.about]
        assert {line.about for line in told} == {line.about for line in made.lines if line.about}


@pytest.mark.parametrize("form", FENCES)
def test_plain_formats_have_the_program_as_it_is(form: str) -> None:
    solution = backhand.solve(network("q3"), code="numpy")
    page = "".join(formatted(solution, form))
    program = backhand.code(network("q3"))
    assert FENCES[form].format(program) in page
    assert "Both passes in NumPy" in page
    assert program not in "".join(formatted(backhand.solve(network("q3")), form))


def test_a_notebook_has_a_cell_that_runs(capsys: pytest.CaptureFixture[str]) -> None:
    made = json.loads("".join(formatted(backhand.solve(network("q3"), code="python"), "ipynb")))
    (cell,) = [cell for cell in made["cells"] if cell["cell_type"] == "code"]
    exec(compile("".join(cell["source"]), "cell", "exec"), {"__name__": "__main__"})
    assert "dL/dB1 = 4.0\n" in capsys.readouterr().out
    in_c = json.loads("".join(formatted(backhand.solve(network("q3"), code="c"), "ipynb")))
    assert {cell["cell_type"] for cell in in_c["cells"]} == {"markdown"}, "a Python notebook does not run C"
    assert any("```c\n" in "".join(cell["source"]) for cell in in_c["cells"])


def test_latex_and_typst_keep_every_blank_and_sign() -> None:
    assert verbatim("    a --b >> 'c'") == r"~~~~a~{-}{-}b~{>}{>}~\textquotesingle{}c\textquotesingle{}"
    solution = backhand.solve(network("q3"), code="python")
    tex = "".join(formatted(solution, "latex"))
    assert r"\codeline{~~~~dL\_dB1~=~dL\_dC1~*~w\_B1\_C1" in tex.replace("{*}", "*")
    assert tex.count(r"\codeline{") == len(backhand.code(network("q3"), "python").splitlines())
    typst = "".join(formatted(solution, "typst"))
    assert r'raw(lines.join("\n"), lang: language' in typst
    (found,) = re.findall(r'^#program\("python", \((.*),\)\)$', typst, re.MULTILINE)
    assert "\n".join(ast.literal_eval(f"[{found}]")) + "\n" == backhand.code(network("q3"), "python")


def test_json_says_what_each_statement_is_about() -> None:
    made = json.loads("".join(formatted(backhand.solve(network("q3"), code="c"), "json")))["code"]
    assert made["language"] == "c"
    assert made["text"] == backhand.code(network("q3"), "c")
    (line,) = [each for each in made["lines"] if (each["about"], each["pass"]) == ("B1", "derivative")]
    assert line["code"] == "const double dL_dB1 = dL_dC1 * w_B1_C1 + dL_dC2 * w_B1_C2;"
    assert line["comment"] == "dL/dB1 = dL/dC1 dC1/dB1 + dL/dC2 dC2/dB1"
    assert "code" not in json.loads("".join(formatted(backhand.solve(network("q3")), "json")))


def test_what_cannot_be_written_is_refused_in_a_sentence() -> None:
    with pytest.raises(UsageError, match=r"There is no code in rust\. Known: numpy, torch, jax, python, c\."):
        backhand.solve(network("q3"), code="rust")  # type: ignore[arg-type]
    unknown = backhand.solve(backhand.read("input x = ?\nL = x^2"), code="numpy")
    with pytest.raises(UsageError, match="x has no value"):
        "".join(formatted(unknown, "html"))


# -- the page ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["numpy", "c"])
@pytest.mark.parametrize("name", ["q3", "softmax-net", "attention"])
@pytest.mark.parametrize("detail", ["brief", "full"])
def test_every_link_leads_to_a_place(name: str, language: Language, detail: Detail) -> None:
    page = page_of(name, language, detail)
    assert len(page.ids) == len(set(page.ids))
    assert len(page.hrefs) > 20
    assert all(href.startswith("#") and href[1:] in page.ids for _, href in page.hrefs)


@pytest.mark.parametrize(("name", "language"), [("q3", "torch"), ("softmax-net", "jax"), ("softmax-net", "python")])
def test_every_statement_carries_its_quantity_and_leads_to_its_working(name: str, language: Language) -> None:
    page = page_of(name, language)
    about = {
        About(line.about, "derivative" if line.pass_ == "derivative" else "value")
        for line in coded(network(name), language).lines
        if line.about
    }
    assert all(f'data-{what}="{of}" id="code-' in page.text or f"code-{what}-{of}" in page.ids for of, what in about)
    led = {where.removeprefix("code-"): href for where, href in page.hrefs if where.startswith("code-")}
    assert set(led) == {f"{what}-{of}" for of, what in about}
    own = {key for key, href in led.items() if href == f"#{key}"}
    array = {key for key, href in led.items() if href == f"#{key.partition('[')[0]}"}
    row = {key for key, href in led.items() if href == f"#answer-{key.partition('-')[2]}"}
    assert own | array | row == set(led)


def test_an_element_lights_up_with_its_array_and_not_with_its_neighbours() -> None:
    page = page_of("softmax-net", "c", wrt=("W1", "W1[1,0]"))
    (rules,) = re.findall(r"^(\.backhand:has.*?) \{ --lit", page.text, re.MULTILINE | re.DOTALL)
    pointed = ".backhand:has({}:is(:hover, :focus-within)) "
    element, other, array = (f'[data-derivative="{name}"]' for name in ("W1[1,0]", "W1[1,1]", "W1"))
    lit = {tuple(rule.rsplit(" ", 1)) for rule in rules.split(",\n")}
    assert {what for by, what in lit if by + " " == pointed.format(element)} == {element, array}
    assert {what for by, what in lit if by + " " == pointed.format(array)} == {array, '[data-derivative^="W1["]'}
    assert (pointed.format(element).strip(), other) not in lit
    assert whole_of(About("W1[1,0]", "value")) == About("W1", "value")
    assert whole_of(About("w[A1,B1]", "value")) is None, "a weight of an arrow is no element"


def test_the_figure_carries_the_quantities_of_its_units_and_of_its_weights() -> None:
    page = page_of("q3", "numpy")
    drawn = {topic["data-value"] for tag, topic in page.about if tag == "a" and len(topic) == 2}
    assert {"A1", "B1", "L", "t", "w[A1,B1]", "w[C2,D]"} <= drawn
    assert 'role="group"' in page.text, "links in an image would be hidden from a screen reader"


def test_without_code_the_lines_are_linked_too_and_nothing_leads_to_code() -> None:
    page = page_of("q3", None)
    assert "listing" not in re.sub(r"<style>.*?</style>", "", page.text, flags=re.DOTALL)
    assert {href for _, href in page.hrefs} <= {f"#{each}" for each in page.ids}
    assert 'data-derivative="B1"' in page.text


def test_a_marked_page_is_not_linked() -> None:
    marking = backhand.mark(backhand.read_answer(EXAMPLES / "q3-answer.md"), network("q3"))
    text = "".join(formatted(marking, "html", font=False))
    assert not re.search(r'data-(value|derivative)|href="|role="group"', text)


def test_long_documents_are_written_as_they_come() -> None:
    lines = "x = 1\n" + "\n".join(f"y{i} = {f'y{i - 1}' if i else 'x'} + 1" for i in range(500))
    solution = backhand.solve(backhand.read(lines), code="python")
    assert not document(solution).linked
    text = "".join(formatted(solution, "html", detail="brief", font=False))
    assert 'data-value="' not in text
    assert "    y499 = y498 + 1\n" in re.sub(r"<[^>]*>", "", text)


def test_names_cannot_leave_their_attribute_or_their_rule() -> None:
    bad = 'a"]</style><b>\\'
    rows = (CodeRow("x = 1", "", About(bad, "value")), CodeRow("y"))
    equation = Equation((Link("", Symbol("x")),), about=About(bad, "value"))
    blocks: tuple[doc.Block, ...] = (equation, Table((("name",),), ((("x",),),), "l", (bad,)), Code("python", rows))
    text = whole(Document("", lambda: iter(blocks), linked=True), "html", font=False)
    assert text.count("</style>") == 2
    assert "<b>" not in text
    assert Page(text).about[0] == ("div", {"data-value": bad})
    assert '[data-value="a\\"]\\3c /style>\\3c b>\\\\"]' in text
    assert Links(blocks).href(About(bad, "value"), "code").startswith("#code-value-a%22")
