"""The page in a real browser: it asks nobody for anything, fits a telephone, folds, prints, and can be copied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from backhand import writers
from backhand.explaining.document import (
    Block,
    Document,
    Equation,
    Figure,
    Heading,
    Link,
    Paragraph,
    Remark,
    Table,
)
from backhand.explaining.mathematics import (
    Box,
    Call,
    Fraction,
    Group,
    Matrix,
    Number,
    Root,
    Row,
    Sign,
    Slope,
    Summary,
    Symbol,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}


def chain(*boxes: Box, result: bool = False) -> Equation:
    return Equation(tuple(Link("=" if place else "", box) for place, box in enumerate(boxes)), result=result)


def total(*terms: Box) -> Row:
    return Row(tuple(box for term in terms for box in (Sign("+"), term))[1:])


def factors(*boxes: Box) -> Row:
    return Row(tuple(box for factor in boxes for box in (Sign(""), factor))[1:])


GATHERED = chain(
    Slope("L", "B1"),
    total(factors(Slope("L", "C1"), Slope("C1", "B1")), factors(Slope("L", "C2"), Slope("C2", "B1"))),
    total(factors(Group(Number("2")), Group(Number("1"))), factors(Group(Number("-2")), Group(Number("-1")))),
    total(Number("2"), Number("2")),
    Number("4"),
    result=True,
)
TYPED = "dL/dB1 = dL/dC1 dC1/dB1 + dL/dC2 dC2/dB1 = (2)(1) + (-2)(-1) = 2 + 2 = 4"
LONG_NAME = "activation_of_the_second_hidden_unit"


def figure() -> Figure:
    from backhand.explaining.layout import lay_out
    from backhand.explaining.scene import Arrow, Scene, Unit

    units = tuple(Unit(f"U{i}", "computed", i, 0, "0.123456", "-0.654321") for i in range(9))
    arrows = tuple(Arrow(f"U{i}", f"U{i + 1}", "w = 0.25") for i in range(8))
    return Figure(lay_out(Scene("A long net", units, arrows, "U8", "Nine units.")), "Nine units in a row.")


def blocks() -> Iterator[Block]:
    yield figure()
    yield Heading(1, ("Backward: the derivatives of ", Symbol("L")), "backward")
    yield Paragraph(("What comes back along each way is added: ", total(*map(Symbol, "abcdefghijklmnop")), "."))
    yield Heading(2, (Slope("L", "B1"),), "dL-dB1")
    yield GATHERED
    yield Heading(2, (Symbol("z"),), "z")
    yield chain(
        Symbol("z"),
        total(*(factors(Symbol(f"w[A{i},B1]"), Symbol(f"A{i}")) for i in range(1, 13))),
        total(*(factors(Group(Number(f"-0.{i}5")), Group(Number(str(i)))) for i in range(1, 13))),
        Number("12.25"),
        result=True,
    )
    yield chain(Slope(LONG_NAME, "net_h1"), factors(Symbol(LONG_NAME), Group(Number("0.593269992107187"))), Number("1"))
    yield chain(
        Root(total(Fraction(Number("1"), Fraction(Number("2"), Number("3"))), Symbol("x"))), Number("1." + "7" * 80)
    )
    yield chain(Symbol("h"), Call("sigmoid", (Group(Fraction(Symbol("a"), Symbol("b"))),)))
    yield Heading(1, ("Answer",))
    header = tuple((f"the column number {i}",) for i in range(8))
    yield Table(header, tuple(tuple((Number(str(i)),) for i in range(8)) for _ in range(3)), "l" + "r" * 7)
    yield Remark("check", ("A second method agrees.",))


Open = Callable[..., "Page"]


@pytest.fixture
def opened(chromium: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens the page with the options of a browser context; afterwards nothing may have gone wrong in it."""
    file = tmp_path / "page.html"
    file.write_text(writers.whole(Document("The <working>", blocks), "html"), "utf-8")
    asked: list[str] = []
    complaints: list[str] = []
    contexts: list[Any] = []

    def open_page(**options: Any) -> Page:
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(file.as_uri())
        page.evaluate("document.fonts.ready")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert set(asked) == {file.as_uri()}, "one file, and nothing else is asked for"
    assert not complaints


def too_wide(page: Page) -> list[str]:
    """What reaches over the right edge of the window without standing in a box that scrolls."""
    return page.evaluate("""() => {
        const found = [];
        for (const element of document.querySelectorAll('main *')) {
            if (element.closest('.scroll, .equation, .bh-scroll') && !element.matches('.scroll, .equation, .bh-scroll'))
                continue;
            if (element.getBoundingClientRect().right > innerWidth + 0.5) found.push(element.outerHTML.slice(0, 80));
        }
        return document.documentElement.scrollWidth > innerWidth ? ['the page scrolls', ...found] : found;
    }""")


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_nothing_reaches_over_the_edge(opened: Open, viewport: dict[str, int]) -> None:
    assert too_wide(opened(viewport=viewport)) == []


def test_only_what_cannot_break_scrolls_in_its_own_box(opened: Open) -> None:
    """On a telephone: a number of eighty digits, and a name as long as the screen. Sums and chains wrap."""
    scrolling = opened(viewport=PHONE).evaluate("""() => [...document.querySelectorAll('.equation')]
        .filter(element => element.scrollWidth > element.clientWidth)
        .map(element => element.querySelector('.typed').textContent.slice(0, 4))""")
    assert scrolling == ["sqrt"]


def test_the_font_is_there_and_brackets_grow(opened: Open) -> None:
    page = opened()
    faces = page.evaluate("[...document.fonts].map(font => [font.family, font.status])")
    assert faces == [["Backhand Math", "loaded"]]
    heights = page.evaluate("""() => {
        const brackets = [...document.querySelectorAll('mo')].filter(mo => mo.textContent === '(');
        return brackets.map(mo => mo.getBoundingClientRect().height);
    }""")
    assert max(heights) > 1.5 * min(heights)


def test_what_wraps_stands_under_the_first_relation(opened: Open) -> None:
    page = opened(viewport=PHONE)
    lefts = page.evaluate("""() => [...document.querySelectorAll('#dL-dB1 .right > *')]
        .map(link => link.matches('.long') ? link.firstElementChild : link)
        .map(link => link.getBoundingClientRect()).map(box => [Math.round(box.left), Math.round(box.top)])""")
    first = lefts[0][0]
    begin_a_line = [left for place, (left, _) in enumerate(lefts) if place == 0 or left <= lefts[place - 1][0]]
    assert len(begin_a_line) > 1
    assert all(abs(left - first) <= 1 for left in begin_a_line)


def test_a_step_folds_without_any_script(opened: Open) -> None:
    page = opened(java_script_enabled=False)
    equation = page.locator("#dL-dB1 .equation")
    assert equation.is_visible()
    page.locator("#dL-dB1 summary").click()
    assert not equation.is_visible()
    page.locator("#dL-dB1 summary").press("Enter")
    assert equation.is_visible()


def test_printed_everything_is_open(opened: Open) -> None:
    page = opened()
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = false; })")
    assert (
        page.locator("#dL-dB1 .equation").bounding_box() is None or not page.locator("#dL-dB1 .equation").is_visible()
    )
    page.emulate_media(media="print")
    for selector in ("#dL-dB1 .equation", "#z .equation >> nth=0", ".twin p"):
        assert page.locator(selector).is_visible()
        box = page.locator(selector).bounding_box()
        assert box is not None
        assert box["height"] > 10


def test_dark_where_the_reader_is(opened: Open) -> None:
    def colors(scheme: str) -> tuple[int, int]:
        page = opened(color_scheme=scheme)
        paper, ink = page.evaluate("""() => ['backgroundColor', 'color']
            .map(name => getComputedStyle(document.body)[name].match(/\\d+/g).map(Number))""")
        return sum(paper), sum(ink)

    (light_paper, light_ink), (dark_paper, dark_ink) = colors("light"), colors("dark")
    assert light_paper - light_ink > 500
    assert dark_ink - dark_paper > 500


def test_what_is_copied_can_be_read_back(opened: Open) -> None:
    page = opened()
    page.keyboard.press("Control+a")
    copied = page.evaluate("getSelection().toString()").splitlines()
    assert TYPED in copied
    assert page.locator("#dL-dB1 .typed >> nth=1").inner_text() == TYPED


def test_the_outline_as_a_screen_reader_finds_it(opened: Open) -> None:
    page = opened()
    outline = page.locator("main").aria_snapshot()
    assert 'heading "The <working>" [level=1]' in outline
    assert TYPED not in outline
    assert page.locator("h2").count() == 2
    assert page.get_by_role("math").count() > 10
    assert page.get_by_role("columnheader").count() == 8


def test_a_fragment_lives_inside_another_page(chromium: Browser) -> None:
    from backhand.writers.html import fragment

    page = chromium.new_page()
    page.set_content(f"<p id='own'>own words</p>{fragment(Document('Part', blocks))}")
    before = page.evaluate("getComputedStyle(document.getElementById('own')).fontFamily")
    assert "system-ui" not in before
    assert page.locator(".backhand .equation").first.is_visible()
    page.close()


# -- matrices ---------------------------------------------------------------------------------------------------


def array_page(page: Page, folder: Path) -> Page:
    """A small matrix beside a vector, one that is broader than a telephone, and a large one in words."""
    small = Matrix(((Number("1"), Number("0.25")), (Number("-20"), Number("3"))))
    broad = Matrix((tuple(Number(f"-0.{k}23456") for k in range(9)),) * 3)
    equations = (
        chain(Symbol("y"), Row((small, Sign("@"), Matrix(((Symbol("a"),), (Symbol("b"),)))))),
        chain(Symbol("B"), broad),
        chain(Symbol("C"), Summary("from -0.714809 to 0.753463, mean -0.00108778", "512×784")),
    )
    file = folder / "arrays.html"
    file.write_text(writers.whole(Document("Arrays", lambda: iter(equations)), "html"), encoding="utf-8")
    page.goto(file.as_uri())
    page.evaluate("document.fonts.ready")
    return page


def test_numbers_of_a_column_end_at_one_place(page: Page, tmp_path: Path) -> None:
    rights = array_page(page, tmp_path).evaluate("""() => [...document.querySelector('mtable').querySelectorAll('mtr')]
        .map(row => [...row.children].map(cell => cell.lastElementChild.getBoundingClientRect().right))""")
    (first, second), (below, beside) = rights
    assert abs(first - below) < 0.5
    assert abs(second - beside) < 0.5


def test_a_broad_matrix_scrolls_in_its_own_box_and_a_large_one_wraps(page: Page, tmp_path: Path) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    array_page(page, tmp_path)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    broad = page.evaluate(
        "[...document.querySelectorAll('.equation')].map(element => element.scrollWidth > element.clientWidth)"
    )
    assert broad == [False, True, False]


def test_a_broad_matrix_is_printed_whole(page: Page, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 680, "height": 900})
    array_page(page, tmp_path).emulate_media(media="print")
    right = page.evaluate(
        "Math.max(...[...document.querySelectorAll('mtable')].map(e => e.getBoundingClientRect().right))"
    )
    assert right <= 680
