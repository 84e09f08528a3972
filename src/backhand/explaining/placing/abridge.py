"""What a figure shows of a network that is too large to be drawn whole, and owning up to the rest.

Long layers show their first units, "94 more" and their last one; of many layers the first and last
ones are shown. Arrows are shown between units that are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from backhand.explaining.scene import Arrow, Scene, Unit

WHOLE, SPARSE, DENSE = 120, 60, 300
"""Every unit is drawn up to WHOLE of them, with more than DENSE arrows up to SPARSE."""
LAYERS, IN_A_LAYER, SHOWN = 12, 6, 42
"""Of a larger network: so many layers, so many units in one, and about so many in all."""
ARROWS = 1000
"""Arrows that are drawn at most; one counts as often as there are strips on its way."""

Layer: TypeAlias = "list[Unit | str]"
"""Units from top to bottom, and words in place of those that are left out."""


def abridge(scene: Scene) -> tuple[list[Layer], list[Arrow], list[str]]:
    """The layers from left to right, the arrows between their units, and sentences about what is missing."""
    layers = _layers(scene.units)
    if len(scene.units) > (SPARSE if len(scene.arrows) > DENSE else WHOLE):
        layers = _fewer_layers(layers)
        most = _most_in_a_layer(layers)
        layers = [_fewer_units(layer, most) for layer in layers]
    column = {unit.name: k for k, layer in enumerate(layers) for unit in layer if isinstance(unit, Unit)}
    arrows: list[Arrow] = []
    room = ARROWS
    for arrow in scene.arrows:
        tail, head = column.get(arrow.tail), column.get(arrow.head)
        if tail is not None and head is not None and 0 < head - tail <= room:
            arrows.append(arrow)
            room -= head - tail
    return layers, arrows, [*_missing(len(column), len(arrows), scene)]


def _layers(units: Iterable[Unit]) -> list[Layer]:
    found: dict[int, Layer] = {}
    for unit in sorted(units, key=lambda unit: (unit.layer, unit.row)):
        found.setdefault(unit.layer, []).append(unit)
    return [*found.values()]


def _fewer_layers(layers: list[Layer]) -> list[Layer]:
    if len(layers) <= LAYERS:
        return layers
    first, last = layers[: LAYERS // 2], layers[-(LAYERS // 2 - 1) :]
    return [*first, [f"{len(layers) - len(first) - len(last):,} more layers"], *last]


def _most_in_a_layer(layers: Iterable[Layer]) -> int:
    """Units that a layer may show, so that all together do not show too many; but never fewer than two."""
    for most in range(IN_A_LAYER, 2, -1):
        if sum(min(len(layer), most) for layer in layers) <= SHOWN:
            return most
    return 2


def _fewer_units(layer: Layer, most: int) -> Layer:
    if len(layer) <= most + 1:
        return layer
    return [*layer[: most - 1], f"{len(layer) - most:,} more", layer[-1]]


def _missing(units: int, arrows: int, scene: Scene) -> Iterable[str]:
    parts: list[str] = []
    if units < len(scene.units):
        parts.append(f"{len(scene.units) - units:,} of {len(scene.units):,} quantities")
    if arrows < len(scene.arrows):
        parts.append(f"{len(scene.arrows) - arrows:,} of {len(scene.arrows):,} arrows")
    if parts:
        yield "Not drawn: " + " and ".join(parts) + "."
