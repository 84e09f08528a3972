"""Scalar, matrix and code lines and the figure in a real browser: what is pointed at lights up, links go there, no script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import backhand
from backhand.display import formatted

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
PHONE, DESK = {"width": 390, "height": 800}, {"width": 1440, "height": 900}
GLOWS = """() => [...document.querySelectorAll('[data-value], [data-derivative]')]
    .filter(element => getComputedStyle(element).getPropertyValue('--lit'))
    .map(element => element.id || element.getAttribute('class') + ' ' + element.dataset.value)"""

Open = Callable[..., "Page"]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A net of single numbers and one of arrays, the second in C with an element written out."""
    folder = tmp_path_factory.mktemp("pages")
    made: dict[str, Path] = {}
    for name, language, wrt in (
        ("q3", "numpy", None),
        ("softmax-net", "numpy", None),
        ("softmax-net", "c", ["W1[1,0]", "W1"]),
    ):
        graph = backhand.read(EXAMPLES / f"{name}.bh")
        solution = backhand.solve(graph, code=language, wrt=wrt)  # type: ignore[arg-type]
        made[f"{name}-{language}"] = folder / f"{name}-{language}.html"
        made[f"{name}-{language}"].write_text("".join(formatted(solution, "html", font=False)), "utf-8")
    return made


@pytest.fixture(scope="module")
def opened(chromium: Browser, pages: dict[str, Path]) -> Iterator[Open]:
    """Shows a page without scripts, nothing pointed at."""
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()

    def open_page(name: str, viewport: Any = DESK) -> Page:
        page.set_viewport_size(viewport)
        page.mouse.move(2, 2)
        page.goto("about:blank")
        page.goto(pages[name].as_uri())
        return page

    yield open_page
    context.close()


def by_id(name: str) -> str:
    return f'[id="{name}"]'


def lit(page: Page) -> set[str]:
    return set(page.evaluate(GLOWS))


def point_at(page: Page, selector: str) -> None:
    page.locator(selector).hover(position={"x": 6, "y": 6})


def test_a_code_line_lights_up_its_working_its_unit_and_its_answer_and_each_of_them_the_code(opened: Open) -> None:
    page = opened("q3-numpy")
    assert lit(page) == set()
    same = {"code-derivative-B1", "derivative-B1", "answer-B1", "bh-unit bh-computed B1"}
    for place in ("#code-derivative-B1", "#derivative-B1"):
        point_at(page, place)
        assert lit(page) == same
    point_at(page, "#code-value-B1")
    assert lit(page) == {"code-value-B1", "value-B1", "answer-B1", "bh-unit bh-computed B1"}
    page.locator("svg a[data-value=B1] circle").hover()
    assert lit(page) == same | {"code-value-B1", "value-B1"}
    point_at(page, by_id("code-derivative-w[A1,B1]"))
    assert "bh-arrow w[A1,B1]" in lit(page), "a weight, on its arrow"
    page.mouse.move(2, 2)
    assert lit(page) == set()


def test_what_lights_up_is_seen(opened: Open) -> None:
    page = opened("q3-numpy")
    look = "element => [getComputedStyle(element).backgroundColor, getComputedStyle(element).outlineColor]"
    ring = "element => getComputedStyle(element).strokeWidth"
    line, circle = page.locator("#derivative-B1"), page.locator("a[data-value=B1] circle")
    (ground, edge), before = line.evaluate(look), circle.evaluate(ring)
    point_at(page, "#code-derivative-B1")
    (lit_ground, lit_edge), after = line.evaluate(look), circle.evaluate(ring)
    assert ground != lit_ground
    assert edge != lit_edge, "not by the colour of the ground alone"
    assert (before, after) == ("1.6px", "3.6px")


def test_matrix_lines_elements_and_code(opened: Open) -> None:
    page = opened("softmax-net-numpy")
    point_at(page, "#code-derivative-W1")
    assert {"code-derivative-W1", "derivative-W1"} <= lit(page)
    point_at(page, "#derivative-W1")
    assert {"code-derivative-W1", "derivative-W1"} <= lit(page)
    page = opened("softmax-net-c")
    point_at(page, by_id("code-derivative-W1[1,0]"))
    element = lit(page)
    assert {"code-derivative-W1[1,0]", "derivative-W1[1,0]", "derivative-W1", "bh-arrow W1[1,0]"} <= element
    assert not {each for each in element if "[1,1]" in each}
    point_at(page, "#derivative-W1")
    assert {f"code-derivative-W1[{i},{j}]" for i in range(3) for j in range(2)} <= lit(page)


def test_by_keyboard_alone(opened: Open) -> None:
    page = opened("q3-numpy")
    page.locator("#code-derivative-B1").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert {"derivative-B1", "bh-unit bh-computed B1"} <= lit(page)
    page.keyboard.press("Enter")
    assert page.url.endswith("#derivative-B1")


def test_links_work_without_scripts_both_ways(opened: Open) -> None:
    for viewport in (PHONE, DESK):
        page = opened("q3-numpy", viewport=viewport)
        page.locator("#code-derivative-C1").click(position={"x": 6, "y": 6})
        assert page.url.endswith("#derivative-C1")
        box = page.locator("#derivative-C1").bounding_box()
        assert box is not None
        assert 0 <= box["y"] < viewport["height"]
        page.locator("#derivative-C1 .left a").click()
        assert page.url.endswith("#code-derivative-C1")
        box = page.locator("#code-derivative-C1").bounding_box()
        assert box is not None
        assert 0 <= box["y"] < viewport["height"]
        page.locator("svg a[data-value=D] circle").click()
        assert page.url.endswith("#value-D")


def test_a_link_opens_a_step_that_is_folded(opened: Open) -> None:
    page = opened("q3-numpy")
    page.locator("#dL-dC1 summary").click()
    assert not page.locator("#derivative-C1").is_visible()
    page.locator("#code-derivative-C1").click(position={"x": 6, "y": 6})
    assert page.locator("#derivative-C1").is_visible()


def test_long_lines_scroll_in_the_listing_and_paper_has_them_whole(opened: Open) -> None:
    page = opened("q3-numpy")
    for width in (390, 1200, 1440):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        inner, outer, right = page.locator(".listing").evaluate(
            "element => [element.scrollWidth, element.clientWidth, element.getBoundingClientRect().right]"
        )
        assert inner > outer
        assert right <= width
    code, line = page.locator("#code").bounding_box(), page.locator("#derivative-A1").bounding_box()
    assert code is not None
    assert line is not None
    assert line["x"] + line["width"] <= code["x"], "beside the working, where there is room"
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 680, "height": 900})
    inner, outer = page.locator(".listing").evaluate("element => [element.scrollWidth, element.clientWidth]")
    answer, code = page.locator("#answer").bounding_box(), page.locator("#code").bounding_box()
    page.emulate_media(media="screen")
    assert inner <= outer, "printed, nothing is cut off"
    assert answer is not None
    assert code is not None
    assert answer["y"] + answer["height"] <= code["y"]


def test_what_is_copied_from_the_listing_is_the_program(opened: Open) -> None:
    page = opened("q3-numpy")
    assert page.locator(".listing").inner_text().rstrip("\n") + "\n" == backhand.code(backhand.read(EXAMPLES / "q3.bh"))
