"""The figure, measured: nothing overlaps, rows are kept, arrows miss units; and its SVG can be trusted."""

from __future__ import annotations

import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import combinations

import pytest
from scenes import ARRAY_NETS, array_scene, founding, hostile, huge, random_scene

from backhand.explaining.layout import Drawing, Label, Shape, lay_out
from backhand.explaining.lettering import shortened, width
from backhand.explaining.placing.curves import Curve, Point, Rect
from backhand.explaining.scene import Arrow, Scene, Unit
from backhand.writers import svg

SEEDS: list[int | str] = [*range(32), *ARRAY_NETS]
SVG = "{http://www.w3.org/2000/svg}"


@cache
def drawn(seed: int | str) -> Drawing:
    return lay_out(random_scene(seed))


def labels(drawing: Drawing) -> list[Label]:
    return [label for owner in (*drawing.shapes, *drawing.lines) for label in owner.labels] + [*drawing.notes]


def overlap(one: Rect, other: Rect) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def outline(shape: Shape) -> Rect:
    w, h = shape.half_width, shape.half_height
    return shape.x - w, shape.y - h, shape.x + w, shape.y + h


def points(curve: Curve) -> Iterator[Point]:
    """Along a curve, ends included."""
    for k in range(25):
        t = k / 24
        if len(curve) == 2:
            (x0, y0), (x1, y1) = curve
            yield x0 + t * (x1 - x0), y0 + t * (y1 - y0)
        else:
            weights = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            yield (
                sum(a * x for a, (x, _) in zip(weights, curve, strict=True)),
                sum(a * y for a, (_, y) in zip(weights, curve, strict=True)),
            )


def distance_to(shape: Shape, x: float, y: float) -> float:
    """From a point to the outline, negative inside."""
    dx = max(abs(x - shape.x) - (shape.half_width - shape.corner), 0.0)
    dy = max(abs(y - shape.y) - (shape.half_height - shape.corner), 0.0)
    return (dx * dx + dy * dy) ** 0.5 - shape.corner


def grown(box: Rect, by: float) -> Rect:
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by


# -- the founding network ---------------------------------------------------------------------------------------


def test_the_founding_network_stands_in_straight_rows() -> None:
    drawing = lay_out(founding())
    place = {shape.name: (shape.x, shape.y) for shape in drawing.shapes}
    assert place["A1"][1] == place["B1"][1] == place["C1"][1]
    assert place["A2"][1] == place["B2"][1] == place["C2"][1]
    assert place["D"][1] == place["L"][1] == pytest.approx((place["C1"][1] + place["C2"][1]) / 2)
    assert place["t"][0] == place["D"][0] and place["t"][1] > place["D"][1]
    columns = [place[name][0] for name in "A1 B1 C1 D L".split()]
    assert columns == sorted(set(columns))


def test_value_above_derivative_below_weight_on_its_arrow() -> None:
    drawing = lay_out(founding())
    (b1,) = (shape for shape in drawing.shapes if shape.name == "B1")
    by_role = {label.role: label for label in b1.labels}
    assert by_role["value"].words == "3" and by_role["value"].y < b1.y - b1.half_height
    assert by_role["derivative"].words == "4" and by_role["derivative"].y > b1.y + b1.half_height
    assert by_role["name"].words == "B1"
    weights = {(line.tail, line.head): [label.words for label in line.labels] for line in drawing.lines}
    assert weights["A1", "B1"] == ["-2"] and weights["B2", "C2"] == ["0"] and weights["t", "L"] == ["∂ -2"]


def test_the_legend_says_what_stands_where() -> None:
    assert [note.words for note in lay_out(founding()).notes] == [
        "above: value", "below, in a frame: dL/d·", "on an arrow: weight", "∂: local derivative",
    ]  # fmt: skip
    assert lay_out(replace(founding(), of="")).notes == ()


# -- any network ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_no_words_touch_other_words_or_units(seed: int | str) -> None:
    drawing = drawn(seed)
    for one, other in combinations(labels(drawing), 2):
        assert not overlap(one.box, other.box), (one, other)
    frames = [label.frame for label in labels(drawing) if label.frame]
    for label in labels(drawing):
        around = sum(overlap(label.box, frame) for frame in frames)
        assert around == (1 if label.role == "derivative" else 0), label
    for shape in drawing.shapes:
        for label in labels(drawing):
            own = label in shape.labels and label.role in {"name", "hint"}
            assert own or not overlap(label.box, outline(shape)), (label, shape)


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_is_written_and_lies_in_the_picture(seed: int | str) -> None:
    scene = random_scene(seed)
    drawing = drawn(seed)
    assert len(drawing.shapes) == len(scene.units)
    assert sum(len(line.labels) for line in drawing.lines) == sum(bool(a.weight) + bool(a.local) for a in scene.arrows)
    assert not any("No room" in note.words or "Not drawn" in note.words for note in drawing.notes)
    for left, top, right, bottom in [label.frame or label.box for label in labels(drawing)]:
        assert left >= 4 and top >= 4 and right <= drawing.width - 4 and bottom <= drawing.height - 2
    for line in drawing.lines:
        for curve in line.curves:
            assert all(0 < x < drawing.width and 0 < y < drawing.height for x, y in points(curve))


@pytest.mark.parametrize("seed", SEEDS)
def test_words_inside_a_unit_fit(seed: int | str) -> None:
    for shape in drawn(seed).shapes:
        for label in shape.labels:
            if label.role in {"name", "hint"}:
                left, _, right, _ = label.box
                assert distance_to(shape, left, shape.y) < 0 and distance_to(shape, right, shape.y) < 0


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_keep_their_order_and_layers_theirs(seed: int | str) -> None:
    scene = random_scene(seed)
    place = {shape.name: (shape.x, shape.y) for shape in drawn(seed).shapes}
    for one, other in combinations(scene.units, 2):
        (x0, y0), (x1, y1) = place[one.name], place[other.name]
        if one.layer == other.layer:
            assert x0 == x1 and (y0 < y1) == (one.row < other.row)
        else:
            assert (x0 < x1) == (one.layer < other.layer)


@pytest.mark.parametrize("seed", SEEDS)
def test_arrows_run_from_outline_to_outline_and_miss_all_other_units_and_words(seed: int | str) -> None:
    drawing = drawn(seed)
    shapes = {shape.name: shape for shape in drawing.shapes}
    for line in drawing.lines:
        assert abs(distance_to(shapes[line.tail], *line.curves[0][0])) < 0.5
        assert abs(distance_to(shapes[line.head], *line.tip[0])) < 0.5
        for x, y in (point for curve in line.curves for point in points(curve)):
            for shape in drawing.shapes:
                assert distance_to(shape, x, y) > (-0.5 if shape.name in (line.tail, line.head) else 4), (line, shape)
                for label in shape.labels:
                    box = grown(label.box, -1)
                    assert not (box[0] < x < box[2] and box[1] < y < box[3]), (line, label)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_arrow_is_drawn_across_a_weight(seed: int | str) -> None:
    drawing = drawn(seed)
    boxes = [grown(label.box, -3) for line in drawing.lines for label in line.labels]
    for line in drawing.lines:
        for x, y in (point for curve in line.curves for point in points(curve)):
            assert not any(left < x < right and top < y < bottom for left, top, right, bottom in boxes), line


# -- networks of arrays -------------------------------------------------------------------------------------------


def test_small_layers_are_opened_into_units_with_their_weights() -> None:
    scene = array_scene("layers")
    captions = [unit.caption for unit in scene.units if unit.caption]
    assert captions == [
        ("x (2)",), ("z1 (3)", "W1 x + b1", "b1 = [0, 1, -1]"), ("h (3)", "relu(z1)"),
        ("z2 (2)", "W2 h + b2", "b2 = [1, -1]"), ("p (2)", "softmax(z2)"),
    ]  # fmt: skip
    weights = {(arrow.tail, arrow.head): arrow.weight for arrow in scene.arrows}
    assert [weights["x[1]", f"z1[{k}]"] for k in range(3)] == ["-1", "1", "1/3"]
    assert weights["z2[0]", "p[1]"] == ""
    numbers = {unit.name: (unit.above, unit.below) for unit in scene.units}
    assert numbers["z1[1]"] == ("1", "≈ 1.583")
    assert numbers["L"][1] == "1"
    (target,) = [unit for unit in scene.units if unit.kind == "target"]
    assert (target.name, target.shape, target.above) == ("t", "(2)", "[1, 0]")


def test_large_layers_are_boxes_with_weights_on_the_arrows() -> None:
    scene = array_scene("large", solved=False)
    assert [(unit.name, unit.shape, unit.inside) for unit in scene.units][:3] == [
        ("x", "(784)", ""), ("z1", "(512)", "W1 x + b1"), ("h1", "(512)", "relu(z1)"),
    ]  # fmt: skip
    assert [arrow.weight for arrow in scene.arrows if arrow.weight] == ["W1 (512×784)", "W2 (512×512)", "W3 (10×512)"]


def test_a_weight_that_is_used_twice_is_said_to_be() -> None:
    weights = {(arrow.tail, arrow.head): arrow.weight for arrow in array_scene("recurrent").arrows}
    assert weights["x1", "h1"] == weights["x2", "h2"] == "Wx (2×2), shared"
    assert weights["h1", "h2"] == "Wh (2×2), shared"
    assert weights["t", "L"] == ""


def test_what_goes_past_a_block_is_an_arrow() -> None:
    ways = {(arrow.tail, arrow.head) for arrow in array_scene("residual").arrows}
    assert {(f"x[{k}]", f"y[{k}]") for k in range(3)} <= ways


@pytest.mark.parametrize(
    ("name", "dropped"), [("residual", ("x", "y")), ("lstm", ("o", "h")), ("layers", ("z1[1]", "h"))]
)
def test_a_way_that_was_left_out_is_marked(name: str, dropped: tuple[str, str]) -> None:
    import backhand
    from backhand.explaining.figure import scene

    graph = backhand.read(ARRAY_NETS[name])
    found = scene(graph, backhand.solve(graph), [dropped])
    assert {(arrow.tail[0], arrow.head[0]) for arrow in found.arrows if arrow.dropped} == {
        (dropped[0][0], dropped[1][0])
    }
    assert "Left out: " in found.twin


def test_functions_are_no_names_with_an_index() -> None:
    assert ">conv2d(x, K) + b</text>" in svg.write(lay_out(array_scene("convolution")))


def test_a_long_arrow_goes_around_the_units_between() -> None:
    units = tuple(Unit(f"a{k}", "computed", k, 0, "1", "1") for k in range(6))
    arrows = tuple(Arrow(f"a{k}", f"a{k + 1}") for k in range(5))
    drawing = lay_out(Scene("", units, (*arrows, Arrow("a0", "a5", "2"))))
    assert len({shape.y for shape in drawing.shapes}) == 1, "the chain itself is straight"
    around = drawing.lines[-1]
    heights = {y for curve in around.curves for _, y in points(curve) if abs(y - drawing.shapes[0].y) > 30}
    assert heights, "and the arrow is led around it"
    assert len(around.labels) == 1


def test_two_arrows_between_the_same_units_swing_apart() -> None:
    units = (Unit("x", "input", 0, 0), Unit("y", "computed", 1, 0))
    one, other = lay_out(Scene("", units, (Arrow("x", "y", "2"), Arrow("x", "y", "3")))).lines
    assert one.curves != other.curves
    assert abs(one.labels[0].y - other.labels[0].y) > 16


def test_the_same_scene_gives_the_same_bytes() -> None:
    for seed in SEEDS:
        assert svg.write(drawn(seed)) == svg.write(lay_out(random_scene(seed)))


def test_nothing_to_draw_is_drawn_too() -> None:
    drawing = lay_out(Scene("", (), ()))
    assert drawing.shapes == () and drawing.width > 0 and drawing.height > 0
    ET.fromstring(svg.write(drawing))
    assert len(lay_out(Scene("", (Unit("x", "input", -3, 7),), ())).shapes) == 1


def test_arrows_that_lead_nowhere_are_left_out_and_said_to_be() -> None:
    units = (Unit("x", "input", 0, 0), Unit("y", "computed", 1, 0))
    drawing = lay_out(Scene("", units, (Arrow("x", "y"), Arrow("y", "x"), Arrow("x", "x"), Arrow("?", "y"))))
    assert len(drawing.lines) == 1
    assert [note.words for note in drawing.notes] == ["Not drawn: 3 of 4 arrows."]


# -- large networks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layers",
    [[5000, 5000], [10] * 1000, [1] * 10_000, [784, 128, 10], [9999, 1]],
    ids=lambda sizes: f"{len(sizes)} layers",
)
def test_a_huge_network_is_summarised_in_bounded_time_and_says_so(layers: list[int]) -> None:
    scene = huge(layers)
    started = time.perf_counter()
    drawing = lay_out(scene)
    text = svg.write(drawing)
    assert time.perf_counter() - started < 2
    assert len(text) < 200_000 and drawing.width < 6000 and drawing.height < 3000
    shown = sum(shape.kind != "more" for shape in drawing.shapes)
    said = " ".join(note.words for note in drawing.notes)
    assert f"{len(scene.units) - shown:,} of {len(scene.units):,} quantities" in said
    assert f"{len(scene.arrows) - len(drawing.lines):,} of {len(scene.arrows):,} arrows" in said
    assert "(shortened)" in text


def test_a_dense_layer_is_drawn_but_not_written_on() -> None:
    drawing = lay_out(huge([12, 12], arrows_each=12))
    assert len(drawing.lines) == 144
    assert "No room to write on 144 arrows." in [note.words for note in drawing.notes]


def test_many_long_arrows_take_bounded_time() -> None:
    units = tuple(Unit(f"a{k}", "computed", k, 0, "1", "1") for k in range(60))
    arrows = tuple(Arrow(f"a{i}", f"a{j}", "1") for i in range(60) for j in range(i + 1, 60))
    started = time.perf_counter()
    drawing = lay_out(Scene("", units, arrows))
    assert time.perf_counter() - started < 3
    assert len(drawing.shapes) == 60


# -- SVG --------------------------------------------------------------------------------------------------------


def test_whatever_a_name_contains_the_svg_is_well_formed_and_harmless() -> None:
    for standalone in (True, False):
        text = svg.write(lay_out(hostile()), standalone=standalone)
        root = ET.fromstring(text)
        tags = {element.tag.removeprefix(SVG) for element in root.iter()}
        assert tags <= {"svg", "title", "desc", "style", "rect", "circle", "path", "g", "text", "tspan"}
        for element in root.iter():
            assert not any(name.startswith("on") or "href" in name for name in element.attrib)
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202e\ud800-\udfff]", text)
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|url\(|@import", text)
        assert ("<style>" in text) is standalone


def test_names_that_look_alike_are_told_apart() -> None:
    texts = ["".join(text.itertext()) for text in ET.fromstring(svg.write(lay_out(hostile()))).iter(f"{SVG}text")]
    assert "B1" in texts and "B_1" in texts


def shown(name: str, inside: str = "") -> str:
    """What is set for a unit with this name."""
    scene = Scene("", (Unit(name, "input", 0, 0, inside=inside),), ())
    return re.sub(r' (dy|font-size)="[^"]*"', "", svg.write(lay_out(scene), standalone=False))


@pytest.mark.parametrize(
    ("name", "markup"),
    [
        ("B1", ">B<tspan>1</tspan></text>"),
        ("out_h1", ">out<tspan>h1</tspan></text>"),
        ("w[A1,B1]", ">w<tspan>A1,B1</tspan></text>"),
        ("W1[0,1]", ">W<tspan>1</tspan><tspan>[0,1]</tspan></text>"),
        ("x'", ">x′</text>"),
        ("alpha", ">α</text>"),
        ("c#1", ">c<tspan>(1)</tspan></text>"),
        ("<b>", ">&lt;b&gt;</text>"),
    ],
)
def test_names_are_set_with_their_indices(name: str, markup: str) -> None:
    assert markup in shown(name)


@pytest.mark.parametrize(
    ("words", "markup"),
    [
        ("(D - t)^2", ">(D − t)<tspan>2</tspan></text>"),
        ("2 w1 x1", ">2 w<tspan>1</tspan><tspan> x</tspan><tspan>1</tspan></text>"),
        ("1.2e-7", ">1.2·10<tspan>−7</tspan></text>"),
        ("≈ -0.5932", ">≈ −0.5932</text>"),
    ],
)
def test_mathematics_is_set(words: str, markup: str) -> None:
    assert markup in shown("x", inside=words)


def test_those_who_cannot_see_it_are_told() -> None:
    root = ET.fromstring(svg.write(lay_out(founding())))
    assert root.get("role") == "img"
    told = {element.get("id"): element.text for element in root.iter() if element.get("id")}
    assert [told[key] for key in (root.get("aria-labelledby") or "").split()] == ["Question 3", founding().twin]


def test_no_letter_is_smaller_than_11_pixels() -> None:
    sizes = [float(size) for size in re.findall(r'font-size="([\d.]+)"', svg.write(lay_out(founding())))]
    assert min(sizes) >= 11


def test_a_page_scrolls_rather_than_shrinks_it_beyond_reading() -> None:
    assert "min-width:" in svg.embed(lay_out(founding())) and "overflow-x:auto" in svg.embed(lay_out(founding()))


# -- letters ----------------------------------------------------------------------------------------------------


def test_width_is_never_zero_for_what_can_be_seen() -> None:
    assert all(width(letter, 10) > 2 for letter in "il.,'αΩ−·日é🙂")
    assert width("é", 10) == width("e\u0301", 10) == width("e", 10)


def test_long_words_are_shortened_visibly_and_numbers_kept() -> None:
    assert shortened("short", 8) == "short"
    assert shortened("a" * 9, 8) == "aaaaaaa…"
    long = Arrow("x", "y", "w[a_long_input_name,a_long_hidden_name] = -0.25")
    drawing = lay_out(Scene("", (Unit("x", "input", 0, 0), Unit("y", "computed", 1, 0)), (long,)))
    assert drawing.lines[0].labels[0].words.endswith("… = -0.25")
