"""The figure of a network: which circles and arrows, and what is written on them.

Inputs and computed quantities are units. A weight stands on its arrow, where the formula is a sum
with the product of that weight and one unit in it; a bias stands under its unit. Anything else
that a formula needs (a target, a weight used in another way) is a unit of its own, in the layer before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction
from typing import NamedTuple

from backhand.core.algebra import constant
from backhand.core.evaluate import Value
from backhand.core.formula import Apply, Formula, Num, Ref, names, to_text
from backhand.core.graph import Graph, Place, Quantity
from backhand.core.propagate import Propagation
from backhand.explaining.document import Figure
from backhand.explaining.scene import Arrow, Scene, Unit
from backhand.numbers import Number, show
from backhand.solving.solution import Solution

GATES = {"+": "+", "-": "−", "*": "×", "/": "÷", "neg": "−"}
LONGEST_HINT = 12


def draw(solution: Solution, dropped: Collection[tuple[str, str]] = ()) -> Figure:
    """The figure of a solved network: values above, derivatives below; arrows that were left out marked."""
    from backhand.explaining.layout import lay_out

    picture = scene(solution.graph, solution, dropped)
    return Figure(lay_out(picture), picture.twin)


class _Edge(NamedTuple):
    tail: str
    head: str
    weight: str
    plain: bool
    """Whether the weight is also the local derivative."""
    about: str = ""
    """The quantity that is the weight."""


def scene(graph: Graph, solution: Solution | None = None, dropped: Collection[tuple[str, str]] = ()) -> Scene:
    """What the figure shows; without a solution only names, formulas and weights, and given values. `dropped`
    names arrows, tail and head, that somebody left out."""
    if graph.arrays:
        from backhand.explaining import array_figure

        return array_figure.scene(graph, solution, dropped)
    edges: list[_Edge] = []
    biases: dict[str, str] = {}
    on_arrows: set[str] = set()
    loose: dict[str, str] = {}
    for quantity in graph.quantities:
        if quantity.computed:
            for name, how in _roles(graph, quantity):
                match how:
                    case "bias":
                        biases[quantity.name] = _named(graph, name)
                    case "weight":
                        on_arrows.add(name)
                    case _:
                        loose.setdefault(name, quantity.name)
            edges += _edges(graph, quantity)
    units = [*_units(graph, solution, biases, loose)]
    drawn = {unit.name for unit in units}
    arrows = [_arrow(solution, edge, dropped) for edge in edges if edge.tail in drawn and edge.head in drawn]
    of = solution.of if solution else ""
    picture = Scene(solution.title if solution else "", tuple(units), tuple(arrows), of)
    return Scene(picture.title, picture.units, picture.arrows, of, twin(picture))


def _roles(graph: Graph, quantity: Quantity) -> Iterator[tuple[str, str]]:
    """What each parameter in a formula is to it: a weight on an arrow, a bias, or an argument like any other."""
    assert quantity.definition is not None
    terms = _terms(quantity.definition)
    for name in names(quantity.definition):
        if graph[name].place is not None:
            continue
        inside = [term for term in terms if name in names(term)]
        if len(inside) == 1 and _weighted(graph, inside[0]) is not None:
            yield name, "weight"
        elif _is_bias(graph, name, terms, inside):
            yield name, "bias"
        else:
            yield name, "unit"


def _is_bias(graph: Graph, name: str, terms: list[Formula], inside: list[Formula]) -> bool:
    """A parameter that is a term by itself, beside others."""
    alone = len(inside) == 1 and isinstance(inside[0], Ref) and len(terms) > 1
    return alone and graph[name].kind in ("bias", "weight")


def _terms(formula: Formula) -> list[Formula]:
    """The terms of a sum, also of one inside a function: sigmoid(w x + b) has the terms w x and b."""
    found: list[Formula] = []
    todo = [_argument(formula)]
    while todo:
        part = todo.pop()
        if isinstance(part, Apply) and part.operation.name == "+":
            todo += part.args
        else:
            found.append(part)
    return found[::-1]


def _argument(formula: Formula) -> Formula:
    """What stands inside functions of one argument."""
    while isinstance(formula, Apply) and len(formula.args) == 1 and formula.operation.name != "neg":
        formula = formula.args[0]
    return formula


def _weighted(graph: Graph, term: Formula) -> tuple[str, str] | None:
    """Weight and unit of a term that is their product, in either order."""
    if not (isinstance(term, Apply) and term.operation.name == "*"):
        return None
    left, right = term.args
    if isinstance(left, Ref) and isinstance(right, Ref):
        places = graph[left.name].place, graph[right.name].place
        if places[0] is None and places[1] is not None:
            return left.name, right.name
        if places[0] is not None and places[1] is None:
            return right.name, left.name
    return None


def _edges(graph: Graph, quantity: Quantity) -> Iterator[_Edge]:
    assert quantity.definition is not None
    terms = _terms(quantity.definition)
    linear = quantity.definition is terms[0] or _sum(quantity.definition)
    for name in names(quantity.definition):
        inside = [term for term in terms if name in names(term)]
        pair = _weighted(graph, inside[0]) if len(inside) == 1 else None
        if graph[name].place is None:
            if not (pair or _is_bias(graph, name, terms, inside)):
                yield _Edge(name, quantity.name, "", False)
        elif pair is not None and pair[1] == name:
            yield _Edge(name, quantity.name, _weight(graph, pair[0]), linear, pair[0])
        elif len(inside) == 1 and (number := _factor(inside[0], name)) is not None:
            yield _Edge(name, quantity.name, number, linear)
        else:
            yield _Edge(name, quantity.name, "", False)


def _sum(formula: Formula) -> bool:
    return isinstance(formula, Apply) and formula.operation.name == "+"


def _factor(term: Formula, name: str) -> str | None:
    """The number in front of a unit: 2 in 2 x; nothing for a unit alone."""
    if isinstance(term, Apply) and term.operation.name == "*":
        left, right = term.args
        value = constant(left)
        if value is not None and isinstance(right, Ref) and right.name == name:
            return _number(value)
    return None


def _weight(graph: Graph, weight: str) -> str:
    """`-2` for an arrow's own weight, `w1 = 0.15` for a named one."""
    value = _given(graph[weight])
    return value if weight.startswith("w[") else _named(graph, weight)


def _named(graph: Graph, name: str) -> str:
    given = _given(graph[name])
    return f"{name} {given}" if given.startswith("≈") else f"{name} = {given}"


def _given(quantity: Quantity) -> str:
    return "?" if quantity.given is None else _number(quantity.given)


def _number(value: Number, digits: int = 6) -> str:
    """`0.15`, `≈ 1.41421`."""
    text, exact = show(value, digits)
    return "not known" if text == "?" else text if exact else f"≈ {text}"


# -- units ---------------------------------------------------------------------------------------------------


def _units(graph: Graph, solution: Solution | None, biases: dict[str, str], loose: dict[str, str]) -> Iterator[Unit]:
    rows: dict[int, int] = {}
    for quantity in graph.quantities:
        if quantity.place is not None:
            layer, row = quantity.place
            rows[layer] = max(rows.get(layer, 0), row + 1)
            yield _unit(graph, quantity, solution, Place(layer, row), biases.get(quantity.name, ""))
    for name, head in loose.items():
        place = graph[head].place
        layer = max(0, place.layer - 1) if place else 0
        row = rows.get(layer, 0)
        rows[layer] = row + 1
        yield _unit(graph, graph[name], solution, Place(layer, row), "")


def _unit(graph: Graph, quantity: Quantity, solution: Solution | None, place: Place, bias: str) -> Unit:
    above = shown(solution.value(quantity.name)) if solution else _given(quantity) if not quantity.computed else ""
    below = ""
    if solution is not None and solution.propagation.needs(quantity.name):
        below = shown(solution.derivative(quantity.name))
    return Unit(quantity.name, quantity.kind, place.layer, place.row, above, below, _hint(graph, quantity), bias)


def shown(value: Value) -> str:
    """A short number; a formula in symbols is left to the text."""
    return _number(value, 4) if isinstance(value, (Fraction, float)) else ""


def _hint(graph: Graph, quantity: Quantity) -> str:
    """What a unit does: a gate's sign, a function's name, a short formula; nothing for a weighted sum."""
    definition = quantity.definition
    if not quantity.computed or definition is None:
        return ""
    if _weighted(graph, definition) is not None:
        return ""
    if isinstance(definition, Apply):
        leaves = all(isinstance(arg, (Ref, Num)) for arg in definition.args)
        if _sum(definition) and all(_weighted(graph, t) or isinstance(t, Ref) for t in _terms(definition)):
            return "+" if leaves else ""
        if definition.operation.name in GATES and all(isinstance(arg, Ref) for arg in definition.args):
            return GATES[definition.operation.name]
        if leaves and definition.operation.name not in GATES and definition.operation.name != "^":
            return definition.operation.name
    text = to_text(definition)
    return text if len(text) <= LONGEST_HINT else ""


def _arrow(solution: Solution | None, edge: _Edge, dropped: Collection[tuple[str, str]]) -> Arrow:
    local = ""
    if solution is not None and not edge.plain and solution.propagation.needs(edge.head):
        local = shown(_local(solution.propagation, edge))
    left_out = (edge.tail, edge.head) in dropped
    return Arrow(edge.tail, edge.head, edge.weight, f"∂ {local}" if local else "", left_out, edge.about)


def _local(propagation: Propagation, edge: _Edge) -> Value:
    return propagation.local(edge.head, edge.tail)


# -- in words --------------------------------------------------------------------------------------------------


def twin(picture: Scene, most: int = 120) -> str:
    """The figure in sentences."""
    layers: dict[int, list[Unit]] = {}
    for unit in picture.units[:most]:
        layers.setdefault(unit.layer, []).append(unit)
    parts: list[str] = []
    for layer, units in sorted(layers.items()):
        described = "; ".join(_described(unit, picture.of) for unit in sorted(units, key=lambda u: u.row))
        parts.append(f"Layer {layer}: {described}.")
    arrows = [
        f"{arrow.tail} to {arrow.head}" + (f" with weight {arrow.weight}" if arrow.weight else "")
        for arrow in picture.arrows[:most]
    ]
    if arrows:
        parts.append(f"Arrows: {'; '.join(arrows)}.")
    if left_out := [f"{arrow.tail} to {arrow.head}" for arrow in picture.arrows[:most] if arrow.dropped]:
        parts.append(f"Left out: {'; '.join(left_out)}.")
    left = len(picture.units) - most
    if left > 0:
        parts.append(f"{left} more units are not listed.")
    return " ".join(parts)


def _described(unit: Unit, of: str) -> str:
    text = f"{unit.name} {unit.shape}".rstrip()
    if unit.above:
        text += f" {unit.above}" if unit.above.startswith("≈") else f" = {unit.above}"
    if unit.below:
        sign = "" if unit.below.startswith("≈") else "= "
        text += f", d{of}/d{unit.name} {sign}{unit.below}"
    return text
