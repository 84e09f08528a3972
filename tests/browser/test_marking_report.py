"""A marked page in a real browser: one file, nothing overflowing on a telephone, readable in the dark, and it says what
the terminal says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import backhand
from backhand import display
from backhand.marking.mark import mark
from backhand.marking.marking import Marking
from backhand.readers.answer import read_answer, work_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parent.parent.parent
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
NET = ROOT / "examples" / "q3.bh"

LONG = r"""
A line of prose that is rather long, so that it has to be broken on a telephone, and averyveryverylongwordwithoutanyblank.

$$\frac{\partial L}{\partial A_1} = \frac{\partial L}{\partial D} \cdot \frac{\partial D}{\partial C_1} \cdot \frac{\partial C_1}{\partial B_1} \cdot \frac{\partial B_1}{\partial A_1} = (2)(1)(1)(-2) + 0 + 0 + 0 + 0 + 0 + 0 + 0 = -4 \quad \left\{ \begin{array}{l} \frac{\partial B_1}{\partial A_1} = \frac{\partial}{\partial A_1} (-2 A_1 + A_2) = -2 \quad \left\{ \begin{array}{l} w_1 = -2 \\ w_2 = 1 \end{array} \right. \end{array} \right.$$

~~dL/dA2 = 0~~ dL/dA2 = -4

$$\frac{1}{the_brace_is_never_closed_and_the_text_is_long_and_longer_and_longer_still$$

D = 1 + x + ... + z = 4.000000000000000000000000000000000000000000000000000000

| node | value | dL/d· |
|---|---|---|
| B1 | 3 | 4 |
"""


def long_page() -> Marking:
    return mark(work_of([("long.md", LONG.encode())]), backhand.read(NET), title="A long page")


def founding() -> Marking:
    return mark(read_answer(ROOT / "examples" / "q3-answer.md"), backhand.read(NET), title="Marked: q3-answer.md")


Open = Callable[..., "Page"]


@pytest.fixture
def opened(chromium: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a report with the options of a browser context; afterwards nothing may have gone wrong in it."""
    asked: list[str] = []
    complaints: list[str] = []
    contexts: list[Any] = []
    files: set[str] = set()

    def open_report(marking: Marking, **options: Any) -> Page:
        file = tmp_path / f"{len(contexts)}.html"
        file.write_text("".join(display.formatted(marking, "html")), "utf-8")
        files.add(file.as_uri())
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(file.as_uri())
        page.evaluate("document.fonts.ready")
        return page

    yield open_report
    for context in contexts:
        context.close()
    assert set(asked) == files, "one file, and nothing else is asked for"
    assert not complaints


def too_wide(page: Page) -> list[str]:
    """What reaches over the right edge of the window without standing in a box that scrolls."""
    return page.evaluate("""() => {
        const boxes = '.scroll, .equation, .bh-scroll, .statement', found = [];
        for (const element of document.querySelectorAll('main *')) {
            if (element.closest(boxes) && !element.matches(boxes)) continue;
            if (element.getBoundingClientRect().right > innerWidth + 0.5) found.push(element.outerHTML.slice(0, 80));
        }
        return document.documentElement.scrollWidth > innerWidth ? ['the page scrolls', ...found] : found;
    }""")


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("marking", [founding, long_page])
def test_nothing_reaches_over_the_edge(opened: Open, viewport: dict[str, int], marking: Callable[[], Marking]) -> None:
    page = opened(marking(), viewport=viewport)
    assert too_wide(page) == []
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
    assert too_wide(page) == []


def test_on_a_telephone_nothing_of_the_founding_page_has_to_be_scrolled(opened: Open) -> None:
    page = opened(founding(), viewport=PHONE)
    scrolling = page.evaluate("""() => [...document.querySelectorAll('.statement, .equation')]
        .filter(element => element.scrollWidth > element.clientWidth + 1).map(element => element.textContent)""")
    assert scrolling == []


def test_nothing_lies_on_top_of_anything(opened: Open) -> None:
    """Lines of the page, remarks and side notes follow one another."""
    for viewport in (PHONE, DESK):
        overlapping = opened(founding(), viewport=viewport).evaluate("""() => {
            const found = [];
            for (const group of [document.querySelectorAll('.line'), ...[...document.querySelectorAll('.body')].map(b => b.children),
                                 ...[...document.querySelectorAll('.side')].map(s => s.children)]) {
                const boxes = [...group].map(element => element.getBoundingClientRect());
                boxes.forEach((box, i) => { if (i && box.top < boxes[i - 1].bottom - 1) found.push(group[i].textContent); });
            }
            return found;
        }""")
        assert overlapping == []


def page_text(page: Page) -> str:
    """What a reader copies: all text that is not inside mathematics or a fold."""
    return page.evaluate("""() => {
        const walk = document.createTreeWalker(document.querySelector('.sheet'), NodeFilter.SHOW_TEXT);
        let text = '';
        while (walk.nextNode())
            if (!walk.currentNode.parentElement.closest('math, svg, details')) text += walk.currentNode.textContent;
        return text;
    }""")


def test_the_web_page_says_what_the_terminal_says(opened: Open) -> None:
    for marking in (founding(), long_page()):
        terminal = "".join(display.formatted(marking, "text"))
        after = terminal.index("The page\n")
        lines = terminal[after:].split("\n\n", 2)[2]
        ends = [
            lines.index(title)
            for title in ("\nThe right working\n", "\nWhat could not", "\nPoints\n")
            if title in lines
        ]
        squeezed = [re.sub(r"[\s│└\[\]~\xa0]", "", text) for text in (lines[: min(ends)], page_text(opened(marking)))]
        assert squeezed[1].replace("Firstwrongstep.", "Firstwrongstep:") == squeezed[0]


def test_the_right_working_folds_without_any_script_and_prints_open(opened: Open) -> None:
    page = opened(founding(), java_script_enabled=False)
    fold = page.locator("#line-69 details.working")
    assert fold.count() == 1
    equation = fold.locator(".equation").last
    assert not equation.is_visible()
    fold.locator("summary").click()
    assert equation.is_visible()
    assert "dL/dB1 = dL/dC1 dC1/dB1 + dL/dC2 dC2/dB1 = (2)(1) + (-2)(-1) = 2 + 2 = 4" in (equation.text_content() or "")
    printed = opened(founding())
    printed.emulate_media(media="print")
    box = printed.locator("#line-69 details.working .equation").last.bounding_box()
    assert box is not None
    assert box["height"] > 10


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pen_and_paper_can_be_told_apart(opened: Open, scheme: str) -> None:
    """Remarks and marks have the contrast that small print needs (4.5), in daylight and in the dark."""
    page = opened(founding(), color_scheme=scheme)
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    for selector in (".comment.wrong", ".comment.note", ".pen.right", ".pen.wrong", ".line > .number"):
        ink = page.evaluate("s => getComputedStyle(document.querySelector(s)).color", selector)
        assert contrast(ink, paper) >= 4.5, (selector, ink, paper)


def contrast(one: str, other: str) -> float:
    lights = sorted((light(one, other), light(other, other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def light(color: str, paper: str) -> float:
    """Relative luminance (WCAG 2); a colour that lets the paper through is mixed with it."""
    red, green, blue, alpha = parts(color)
    behind = parts(paper)
    mixed = [alpha * c + (1 - alpha) * b for c, b in zip((red, green, blue), behind, strict=False)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in mixed]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def parts(color: str) -> tuple[float, float, float, float]:
    numbers = [float(each) for each in re.findall(r"[\d.]+(?:e-?\d+)?", color.replace("srgb", ""))]
    scale = 1 if color.startswith("color(") else 255
    alpha = numbers[3] if len(numbers) > 3 else 1.0
    return numbers[0] / scale, numbers[1] / scale, numbers[2] / scale, alpha


def test_the_ways_left_out_are_drawn_in_red_and_broken(opened: Open) -> None:
    page = opened(founding())
    arrows = page.locator(".bh-dropped path[stroke-dasharray]")
    assert arrows.count() == 4
    color = page.evaluate("getComputedStyle(document.querySelector('.bh-dropped')).color")
    red, green, blue, _ = parts(color)
    assert red > 2 * green and red > 2 * blue


def test_the_page_as_a_screen_reader_finds_it(opened: Open) -> None:
    page = opened(founding())
    outline = page.locator("main").aria_snapshot()
    assert 'heading "12 of 20 points" [level=2]' in outline
    assert page.get_by_role("listitem").count() == len(re.findall("- listitem", outline)) > 30
    assert page.get_by_role("img", name="not right yet").count() == 8
