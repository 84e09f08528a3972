"""The figure in a real browser with a real font: nothing overlaps, nothing is cut off."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from scenes import ARRAY_NETS, founding, hostile, random_scene

from backhand.explaining.layout import lay_out
from backhand.explaining.scene import Scene
from backhand.writers import svg

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

MEASURE = """() => {
  const box = element => { const r = element.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; };
  const groups = [...document.querySelectorAll("svg > g")];
  return {
    picture: box(document.querySelector("svg")),
    texts: [...document.querySelectorAll("text")].map(text => ({
      box: box(text), words: text.textContent, role: text.getAttribute("class"),
      owner: groups.indexOf(text.parentElement),
    })),
    outlines: [...document.querySelectorAll(".bh-unit > circle, .bh-unit > rect:not(.bh-derivative)")].map(shape => ({
      box: box(shape), owner: groups.indexOf(shape.parentElement), round: shape.tagName === "circle",
    })),
    frames: [...document.querySelectorAll("rect.bh-derivative")].map(shape => ({
      box: box(shape), owner: groups.indexOf(shape.parentElement),
    })),
  };
}"""


def measured(page: Page, folder: Path, scene: Scene) -> dict[str, Any]:
    file = folder / "figure.svg"
    file.write_text(svg.write(lay_out(scene)), encoding="utf-8")
    page.goto(file.as_uri())
    found: dict[str, Any] = page.evaluate(MEASURE)
    return found


def overlap(one: list[float], other: list[float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def contains(outer: list[float], inner: list[float]) -> bool:
    return outer[0] <= inner[0] and outer[1] <= inner[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


def touches(text: list[float], shape: dict[str, Any]) -> bool:
    """Whether a text's box meets an outline; for a circle by the box's nearest point."""
    left, top, right, bottom = shape["box"]
    if not shape["round"]:
        return overlap(text, shape["box"])
    x, y, radius = (left + right) / 2, (top + bottom) / 2, (right - left) / 2
    dx = max(text[0] - x, 0, x - text[2])
    dy = max(text[1] - y, 0, y - text[3])
    return (dx * dx + dy * dy) ** 0.5 < radius


@pytest.mark.parametrize("seed", [*range(32), *ARRAY_NETS])
def test_no_text_touches_another_or_another_units_outline(page: Page, tmp_path: Path, seed: int | str) -> None:
    scene = random_scene(seed)
    found = measured(page, tmp_path, scene)
    texts, outlines, frames = found["texts"], found["outlines"], found["frames"]
    written = sum(1 + bool(u.above) + bool(u.below) + bool(u.inside) + bool(u.bias) for u in scene.units)
    written += sum(bool(u.shape) + len(u.caption) for u in scene.units)
    written += sum(bool(arrow.weight) + bool(arrow.local) for arrow in scene.arrows)
    assert len([text for text in texts if text["role"] != "bh-note"]) == written
    assert len(outlines) == len(scene.units)
    for one, other in combinations(texts, 2):
        assert not overlap(one["box"], other["box"]), (one, other)
    for text in texts:
        assert contains(found["picture"], text["box"]), text
        for shape in outlines:
            if text["role"] in {"bh-name", "bh-hint"} and text["owner"] == shape["owner"]:
                assert contains(shape["box"], text["box"]), text
            else:
                assert not touches(text["box"], shape), (text, shape)
        for frame in frames:
            own = text["role"] == "bh-derivative" and text["owner"] == frame["owner"]
            assert own or not overlap(text["box"], frame["box"]), (text, frame)
            assert not own or (frame["box"][0] < text["box"][0] and text["box"][2] < frame["box"][2]), text


def test_markup_in_names_stays_text(page: Page, tmp_path: Path) -> None:
    said: list[str] = []
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: said.append(request.url) if not request.url.startswith("file:") else None)
    found = measured(page, tmp_path, hostile())
    for one, other in combinations(found["texts"], 2):
        assert not overlap(one["box"], other["box"]), (one, other)
    page.goto("about:blank")
    page.set_content(f"<!doctype html><body>{svg.embed(lay_out(hostile()))}</body>")
    assert page.evaluate("document.scripts.length") == 0
    assert page.evaluate("[...document.querySelectorAll('body b, body i, body script')].length") == 0
    assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_the_paper_by_day_and_by_night(page: Page, tmp_path: Path, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    measured(page, tmp_path, founding())
    colours = page.evaluate(
        """() => [".bh-paper", ".bh-name", ".bh-derivative ~ .bh-derivative"].map(
             name => getComputedStyle(document.querySelector(name)).fill.match(/[0-9.]+/g).map(Number))"""
    )
    paper, *inks = map(luminance, colours)
    for ink in inks:
        assert (max(paper, ink) + 0.05) / (min(paper, ink) + 0.05) >= 4.5
    assert (paper < 0.5) is (scheme == "dark")


def luminance(colour: list[float]) -> float:
    """Relative luminance of an sRGB colour (WCAG 2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour[:3])]
    return sum(a * c for a, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_in_a_page_it_takes_the_pages_colour_and_scrolls_when_too_wide(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 600})
    page.set_content(f'<!doctype html><body style="color:rgb(1, 2, 3)">{svg.embed(lay_out(founding()))}</body>')
    assert page.evaluate("getComputedStyle(document.querySelector('.bh-name')).fill") == "rgb(1, 2, 3)"
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.evaluate("document.querySelector('.bh-scroll').scrollWidth") > 320
