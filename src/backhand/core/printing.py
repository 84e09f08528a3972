"""A Graph as text in the notation of `.bh` files, which reads back as an equal Graph."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from backhand.core.formula import Apply, Formula, Ref, number_text, to_text
from backhand.core.graph import Graph, Quantity
from backhand.numbers import Number


def to_notation(graph: Graph) -> str:
    """One line a quantity, arrows as arrows, weights where their arrow is."""
    lines = [*_lines(graph)]
    if graph.asks:
        lines.append("ask " + ", ".join(map(str, graph.asks)))
    if graph.update is not None:
        lines.append(str(graph.update))
    return "\n".join(lines) + "\n"


def _lines(graph: Graph) -> Iterator[str]:
    drawn = {q.name for q in graph.quantities if q.computed and arrows(q)}
    on_arrows = {
        weight
        for name in drawn
        for weight, tail in arrows(graph[name])
        if weight == f"w[{tail},{unit_of(name, drawn)}]"
    }
    on_units = {f"b[{unit_of(name, drawn)}]" for name in drawn if bias_of(graph[name])}
    for quantity in graph.quantities:
        if quantity.name in on_arrows or (quantity.name in on_units and quantity.kind == "bias"):
            continue
        if not quantity.computed:
            word = "input" if quantity.kind == "input" else quantity.kind
            yield f"{word} {quantity.name} = {_value(quantity)}"
        elif quantity.name in drawn:
            yield from _arrows(graph, quantity, drawn)
        elif f"z[{quantity.name}]" not in drawn:
            assert quantity.definition is not None
            yield f"{quantity.name} = {to_text(quantity.definition)}"


def unit_of(name: str, drawn: set[str]) -> str:
    """The unit a drawn sum belongs to: B1 for z[B1] and for B1."""
    return name[2:-1] if name.startswith("z[") and name.endswith("]") and name in drawn else name


def arrows(quantity: Quantity) -> list[tuple[str, str]]:
    """Weight and tail of each arrow into a drawn unit; empty for a quantity written as an equation."""
    found: list[tuple[str, str]] = []
    for term in terms(quantity.definition):
        if isinstance(term, Apply) and term.style == "arrow":
            weight, tail = term.args
            assert isinstance(weight, Ref) and isinstance(tail, Ref)
            found.append((weight.name, tail.name))
    return found


def bias_of(quantity: Quantity) -> str:
    """The bias of a drawn unit, or an empty string."""
    last = terms(quantity.definition)[-1]
    return last.name if isinstance(last, Ref) and arrows(quantity) else ""


def terms(formula: Formula | None) -> list[Formula]:
    """The terms of a sum that stands outside parentheses, in order; other formulas are one term."""
    found: list[Formula] = []
    while isinstance(formula, Apply) and formula.operation.name == "+" and not formula.parens:
        found.append(formula.args[1])
        formula = formula.args[0]
    if formula is not None:
        found.append(formula)
    return found[::-1]


def _arrows(graph: Graph, quantity: Quantity, drawn: set[str]) -> Iterator[str]:
    unit = unit_of(quantity.name, drawn)
    for weight, tail in arrows(quantity):
        own = weight == f"w[{tail},{unit}]"
        yield f"{tail} -> {unit} : {_value(graph[weight]) if own else weight}"
    words: list[str] = []
    if unit != quantity.name:
        words.append(_with_parameter(graph[unit], quantity.name))
    if bias := bias_of(quantity):
        words.append(f"bias {_value(graph[bias]) if bias == f'b[{unit}]' else bias}")
    if words:
        yield f"{unit} : {', '.join(words)}"


def _with_parameter(unit: Quantity, inside: str) -> str:
    """`sigmoid`, or `leaky_relu(0.1)` when the activation has a second argument."""
    definition = unit.definition
    assert isinstance(definition, Apply)
    rest = [to_text(arg) for arg in definition.args[1:]]
    return definition.operation.name + (f"({', '.join(rest)})" if rest else "")


def _value(quantity: Quantity) -> str:
    if quantity.array is not None:
        return to_text(quantity.definition) if quantity.definition else array_text(quantity.array)
    if quantity.given is None:
        return "?"
    return to_text(quantity.definition) if quantity.definition else value_text(quantity.given)


def array_text(array: Any) -> str:
    """A given array as text that reads back as the same array."""
    if hasattr(array, "ndim") and array.ndim:
        return f"[{', '.join(map(array_text, array))}]"
    return value_text(array if isinstance(array, Fraction) else float(array))


def value_text(value: Number) -> str:
    """A given number as text that reads back as the same number."""
    return number_text(value if isinstance(value, Fraction) else Fraction(repr(value)))
