"""The figure of a network of arrays: a layer a column of units where all are small, else a box a quantity.

    x (2)    z1 (3)        h1 (512)
     o        o            +-------------+   W2 (512×512)    +----
     o        o      or    | relu(z1)    | ----------------> | z2
              o            +-------------+                   +----

Opened into units, the network is that of its single numbers, so weights, values and derivatives stand
where they stand in any figure; above each layer is its name, its shape and its formula. In boxes, a
weight stands with its shape on the arrow of what it is multiplied by, a bias in the formula.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

from backhand.core.formula import Apply, Formula, Num, Ref, names, postorder, to_text
from backhand.core.graph import Graph, Quantity
from backhand.core.shapes import size
from backhand.errors import BackhandError
from backhand.explaining import figure
from backhand.explaining.boxes import times
from backhand.explaining.scene import Arrow, Scene, Unit
from backhand.numbers import show
from backhand.solving.solution import Solution

UNITS_IN_A_LAYER, UNITS, ARROWS = 8, 40, 100
"""The largest network that is opened into units."""

LONGEST_FORMULA = 34

FEW, LONGEST_VECTOR = 4, 20
"""Numbers, and letters, of a vector that is written beside its box."""

PRODUCTS = frozenset(["*", "@", "conv1d", "conv2d", "linear"])
"""What multiplies an array by a weight."""


def scene(graph: Graph, solution: Solution | None, dropped: Collection[tuple[str, str]] = ()) -> Scene:
    """What the figure shows; `dropped` names arrows that somebody left out, by quantities or by elements."""
    found = _opened(graph, solution) if _is_small(graph) else None
    made = found or _closed(graph, solution)
    if not dropped:
        return made
    arrows = (replace(each, dropped=bool(_ways(each) & {*dropped})) for each in made.arrows)
    made = replace(made, arrows=tuple(arrows))
    return replace(made, twin=figure.twin(made))


def _ways(arrow: Arrow) -> set[tuple[str, str]]:
    """The arrow by its elements and by the quantities that they belong to."""
    tails, heads = ({name, name.partition("[")[0]} for name in (arrow.tail, arrow.head))
    return {*product(tails, heads)}


# -- a layer, a column of units ----------------------------------------------------------------------------------


def _is_small(graph: Graph) -> bool:
    """Whether every layer is a vector of a few numbers, and no matrix is used twice: layer follows upon layer."""
    arrays: Counter[tuple[int, bool]] = Counter()
    units = 0
    for quantity in graph.quantities:
        if quantity.place is None:
            if len(quantity.shape) > 1 and len(graph.children(quantity.name)) > 1:
                return False
            continue
        if len(quantity.shape) > 1 or size(quantity.shape) > UNITS_IN_A_LAYER:
            return False
        units += size(quantity.shape)
        if quantity.shape:
            arrays[quantity.place.layer, quantity.computed] += 1
    return units <= UNITS and all(count <= (1 if computed else 2) for (_, computed), count in arrays.items())


def _opened(graph: Graph, solution: Solution | None) -> Scene | None:
    """The network of single numbers, in the layers of the arrays; None where that is too much to be seen."""
    from backhand.core.elements import expanded

    try:
        solved = solution.by_elements if solution else None
        single = solved.graph if solved else expanded(graph)
    except BackhandError:
        return None
    drawn = figure.scene(single, solved)
    if len(drawn.arrows) > ARROWS:
        return None
    by_name = {unit.name: unit for unit in drawn.units}
    layers = {quantity.name: quantity.place.layer for quantity in graph.quantities if quantity.place}
    columns: dict[int, list[Unit]] = {}
    whole: dict[str, str] = {}  # elements of what is drawn as one box: a target
    for quantity in sorted(graph.quantities, key=lambda q: q.place is None):
        members = [by_name[name] for name in _elements(quantity) if name in by_name]
        if len(members) > UNITS_IN_A_LAYER or (members and len(quantity.shape) > 1):
            return None
        layer = layers.get(quantity.name, -1)
        if layer < 0:  # a target and the like stand before what uses them
            users = [layers[child] for child in graph.children(quantity.name) if child in layers]
            layer = max(0, min(users, default=1) - 1)
        column = columns.setdefault(layer, [])
        if quantity.place is None and quantity.shape and members:
            whole |= {unit.name: quantity.name for unit in members}
            column.append(_box(graph, quantity, solution, layer, len(column)))
            continue
        for position, unit in enumerate(members):
            plain = bool(quantity.shape)
            above = _caption(graph, quantity) if plain and position == 0 else ()
            inside, bias = ("", "") if plain else (unit.inside, unit.bias)
            if not plain and not inside and not bias:
                inside = _formula(graph, quantity)
            unit = replace(unit, layer=layer, row=len(column), caption=above, small=plain, inside=inside, bias=bias)
            if solution is not None:  # its numbers are the exact ones
                below = _below(solution, unit.name) if unit.below else ""
                unit = replace(unit, above=figure.shown(solution.value(unit.name)), below=below)
            column.append(unit)
    arrows = _together(drawn.arrows, whole)
    units = tuple(unit for _, column in sorted(columns.items()) for unit in column)
    weights = [q for q in graph.quantities if q.place is None and len(q.shape) == 2]
    named = " and ".join(f"{q.name} ({times(q.shape)})" for q in weights[:4])
    remarks = (f"on an arrow: its element of {named}",) if weights and len(weights) <= 4 else ()
    made = Scene(solution.title if solution else "", units, arrows, solution.of if solution else "", "", remarks)
    return replace(made, twin=figure.twin(made))


def _together(drawn: Iterable[Arrow], whole: Mapping[str, str]) -> tuple[Arrow, ...]:
    """The arrows, those out of the elements of one box together."""
    found: dict[Arrow, None] = {}
    for arrow in drawn:
        if arrow.tail in whole:
            found[Arrow(whole[arrow.tail], arrow.head)] = None
        else:
            found[replace(arrow, weight=_number_of(arrow.weight))] = None
    return tuple(found)


def _elements(quantity: Quantity) -> Iterator[str]:
    from backhand.core.array_passes import element_name

    if not quantity.shape:
        yield quantity.name
        return
    import numpy as np

    for place in np.ndindex(quantity.shape):
        yield element_name(quantity.name, place)


def _caption(graph: Graph, quantity: Quantity) -> tuple[str, ...]:
    """The name and shape of a layer, its formula, and what is added in it."""
    lines = [f"{quantity.name} ({times(quantity.shape)})", _formula(graph, quantity)]
    if quantity.computed and quantity.definition is not None:
        for name in names(quantity.definition):
            if graph[name].kind == "bias" and graph[name].array is not None and (added := _few(graph[name].array)):
                lines.append(f"{name} {added}" if added.startswith("≈") else f"{name} = {added}")
    return tuple(line for line in lines if line)


def _number_of(weight: str) -> str:
    """`-2` for the element of a matrix, without its name."""
    _, sign, number = weight.rpartition(" = ")
    return number if sign or "≈" not in weight else weight[weight.index("≈") :]


# -- a quantity, a box -------------------------------------------------------------------------------------------


def _closed(graph: Graph, solution: Solution | None) -> Scene:
    on_arrows: dict[tuple[str, str], str] = {}  # tail and head: the weight
    loose: dict[str, str] = {}
    for quantity in graph.quantities:
        if quantity.computed and quantity.definition is not None:
            shown = _formula(graph, quantity)
            for name in names(quantity.definition):
                if graph[name].place is not None:
                    continue
                tail = _multiplied(graph, quantity.definition, name)
                if tail is not None and (tail, quantity.name) not in on_arrows:
                    on_arrows[tail, quantity.name] = name
                elif graph[name].kind == "target" or name not in shown:
                    loose.setdefault(name, quantity.name)
    uses = Counter(on_arrows.values())
    rows: dict[int, int] = {}
    units: list[Unit] = []
    layers = {quantity.name: quantity.place.layer for quantity in graph.quantities if quantity.place}
    layers |= {name: max(0, layers.get(head, 1) - 1) for name, head in loose.items()}
    for name, layer in layers.items():
        units.append(_box(graph, graph[name], solution, layer, rows.get(layer, 0)))
        rows[layer] = rows.get(layer, 0) + 1
    arrows: list[Arrow] = []
    for quantity in graph.quantities:
        if quantity.computed and quantity.definition is not None:
            for name in names(quantity.definition):
                weight = on_arrows.get((name, quantity.name), "")
                label = _weight(graph, weight, uses[weight]) if weight else ""
                if name in layers:
                    arrows.append(Arrow(name, quantity.name, label, about=weight))
    made = Scene(solution.title if solution else "", tuple(units), tuple(arrows), solution.of if solution else "")
    return replace(made, twin=figure.twin(made))


def _box(graph: Graph, quantity: Quantity, solution: Solution | None, layer: int, row: int) -> Unit:
    above = below = ""
    if solution is not None:
        above = _few(solution.value(quantity.name))
        if solution.propagation.needs(quantity.name):
            below = _below(solution, quantity.name)
    elif not quantity.computed:
        above = _few(quantity.given if quantity.array is None else quantity.array)
    shape = f"({times(quantity.shape)})" if quantity.shape else ""
    return Unit(quantity.name, quantity.kind, layer, row, above, below, _formula(graph, quantity), shape=shape)


def _below(solution: Solution, name: str) -> str:
    """The derivative by a quantity or by an element."""
    return "1" if name == solution.of else _few(solution.derivative(name))


def _few(value: Any) -> str:
    """A number, or a vector of a few numbers, if it is short: `[1, -2]`, `≈ [0.62, 0.27]`."""
    if not getattr(value, "ndim", 0):
        return figure.shown(value)
    if value.ndim > 1 or value.size > FEW or not all(isinstance(each, (Fraction, float)) for each in value.tolist()):
        return ""
    for digits in (4, 3, 2):
        seen = [show(each, digits) for each in value.tolist()]
        about = "" if all(part.exact for part in seen) else "≈ "
        text = f"{about}[{', '.join(part.text for part in seen)}]"
        if len(text) <= LONGEST_VECTOR:
            return "" if "?" in text else text
    return ""


def _weight(graph: Graph, name: str, uses: int) -> str:
    """`W1 (3×2)`, and whether it stands elsewhere too."""
    shape = graph[name].shape
    given = f" ({times(shape)})" if shape else ""
    return f"{name}{given}, shared" if uses > 1 else f"{name}{given}"


def _multiplied(graph: Graph, formula: Formula, weight: str) -> str | None:
    """The quantity that a parameter multiplies, where it multiplies one: x in W @ x + b, in conv2d(x, K)."""
    for node in postorder(formula):
        if not isinstance(node, Apply) or node.operation.name not in PRODUCTS:
            continue
        place = next((k for k, arg in enumerate(node.args[:2]) if _core(arg) == weight), None)
        if place is None:
            continue
        others = [name for name in names(node.args[1 - place]) if graph[name].place is not None]
        if len(others) == 1 and graph[weight].kind not in ("target", "constant"):
            return others[0]
    return None


def _core(formula: Formula) -> str:
    """The name inside transposes."""
    while isinstance(formula, Apply) and formula.operation.name == "transpose":
        formula = formula.args[0]
    return formula.name if isinstance(formula, Ref) else ""


def _formula(graph: Graph, quantity: Quantity) -> str:
    """The formula as it is written on a board, if it is short; else the function that it ends in."""
    definition = quantity.definition
    if not quantity.computed or definition is None:
        return ""
    text = to_text(definition).replace(" @ ", " ").replace(".T", "ᵀ")
    if not _has_numbers(graph, definition):
        text = text.replace("*", " ⊙ ")
    if len(text) <= LONGEST_FORMULA:
        return text
    return (
        definition.operation.name if isinstance(definition, Apply) and definition.operation.name.isidentifier() else ""
    )


def _has_numbers(graph: Graph, formula: Formula) -> bool:
    """Whether single numbers stand in it, so that a product may be one by a number."""
    return any(
        isinstance(node, Num) or (isinstance(node, Ref) and not graph[node.name].shape) for node in postorder(formula)
    )
