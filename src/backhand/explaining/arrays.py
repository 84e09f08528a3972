"""The worked solution of a network of arrays: matrix lines with the shape of every factor, and chosen elements written
out.

    z1 = W1 x + b1 = [..][..] + [..] = [..]        (3×2)(2×1) = (3×1)
    dL/dW1 = dL/dz1 xᵀ = [..][..] = [..]           (3×1)(1×2) = (3×2)
    dL/dW1[0,1] = dL/dz1[0] ∂z1[0]/∂W1[0,1] = ...  the working of the network of single numbers

Small arrays are shown whole, large ones in words. Derivatives of arrays by arrays with more than two axes
are never shown: index form says what they are, then comes the matrix line that does without them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from backhand.core import arrays as ar
from backhand.core.array_operations import Shape
from backhand.core.array_passes import element_name, element_of
from backhand.core.evaluate import Value
from backhand.core.formula import Apply, Formula, Num, Ref, Slope, fold, longer, postorder, unlimited
from backhand.core.graph import Graph, Quantity
from backhand.core.operations import SUBTRACT
from backhand.core.shapes import node_shape, shapes_in, size
from backhand.errors import LimitError
from backhand.explaining import mathematics as m
from backhand.explaining import words as say
from backhand.explaining.boxes import Seen, add_box, apply_box, value_box, written
from backhand.explaining.document import About, Block, Equation, Heading, Inline, Paragraph, Table
from backhand.explaining.stages import links
from backhand.numbers import as_float, show
from backhand.solving.solution import WRITTEN, BackStep, Detail, ForwardStep, Solution

ROWS, COLUMNS = 12, 10
"""The size of an array that is shown whole."""

NUMBERS = 60
"""Single numbers in one line that is shown with all of them."""

Leaf: TypeAlias = Callable[["Ref | Slope"], Seen]


def given(solution: Solution) -> Iterator[Block]:
    """Each given array with its shape; single numbers together on a line."""
    yield Heading(1, ("Given",), "given")
    yield Paragraph(say.layout(_columns(solution), numerator=solution.layout.derivatives == "numerator"))
    groups = {"input": "Inputs", "weight": "Weights", "bias": "Biases", "target": "Targets", "constant": "Constants"}
    for kind, title in groups.items():
        quantities = [q for q in solution.graph.quantities if q.kind == kind]
        if not quantities:
            continue
        yield Paragraph((f"{title}:",))
        for quantity in quantities:
            value: Any = solution.value(quantity.name) if quantity.array is None else quantity.array
            seen = [Seen([m.Symbol(quantity.name)], 4)]
            if isinstance(quantity.definition, Num):
                seen.append(written(quantity.definition))
            if not (isinstance(value, Ref) and value.name == quantity.name):
                seen.append(_value(solution, value))
            yield Equation(links(seen), _shape_note(quantity), about=About(quantity.name, "value"))


def forward(solution: Solution, detail: Detail) -> Iterator[Block]:
    """The values, one matrix line for each quantity."""
    yield Heading(1, ("Forward: the values",), "forward")
    for step in solution.forward_steps():
        yield value_line(solution, step)


def value_line(solution: Solution, step: ForwardStep) -> Equation:
    """`z1 = W1 x + b1`, with the arrays put in where they are small, and its value."""
    graph = solution.graph
    quantity = graph[step.name]
    seen = [Seen([m.Symbol(step.name)], 4), _named(solution, step.formula)]
    if _fits(solution, step.formula) and not isinstance(step.formula, Ref):
        seen.append(_with_numbers(solution, step.formula))
    seen.append(_value(solution, solution.value(step.name)))
    note = _shapes(solution, step.formula) or _shape_note(quantity)
    return Equation(links(seen), note, step.name == solution.of, About(step.name, "value"))


def backward(solution: Solution, detail: Detail) -> Iterator[Block]:
    """The derivatives, from the output back."""
    from backhand.explaining.solution import seed

    of = solution.of
    yield Heading(1, ("Backward: the derivatives of ", m.Symbol(of)), "backward")
    yield Paragraph(say.seed(of))
    yield seed(solution)
    for name in solution.wrt:
        if name == of:
            continue
        yield Heading(2, (m.Slope(of, name),), f"d{of}-d{name}")
        if name in solution.graph:
            yield from by_array(solution, name, detail)
        else:
            yield from by_element(solution, name, detail)


def by_array(solution: Solution, name: str, detail: Detail) -> Iterator[Block]:
    """One derivative in the shape of what it is by; in full with index forms and one element written out."""
    of = solution.of
    children = solution.children(name)
    quantity = solution.graph[name]
    if not solution.propagation.needs(name) or not children:
        yield Paragraph((m.Symbol(of), " does not depend on ", m.Symbol(name), "."))
        yield _stated(solution, name)
        return
    if len(children) > 1:
        yield Paragraph(say.several_ways(name, of, children))
    step = solution.back_step(name)
    if not step.ways:
        yield Paragraph((m.Symbol(of), " does not change with ", m.Symbol(name), "."))
        yield _stated(solution, name)
        return
    if detail == "full":
        for child in children:
            yield from _index_forms(solution, child, name)
    yield _back_line(solution, step)
    if (short := _softmax_and_cross_entropy(solution, name)) is not None:
        yield Paragraph(say.softmax_and_cross_entropy())
        yield short
    told = [way.formula for way in step.ways if say.through_windows(way.formula)]
    for words in dict.fromkeys(map(say.through_windows, told)):
        yield Paragraph((words,))
    slid = any(isinstance(formula, Apply) and formula.operation.name != "fold" for formula in told)
    if quantity.shape and (detail == "full" or slid):
        yield from _one_element(solution, quantity, detail)


def _stated(solution: Solution, name: str, *, turned: bool = False, note: tuple[Inline, ...] = ()) -> Equation:
    """dL/dW1 = [..], without its working; `turned` in numerator layout, if that was asked for."""
    value = _value(solution, solution.derivative(name), derivative=turned)
    seen = [Seen([m.Slope(solution.of, name)], 4), value]
    return Equation(links(seen), note, result=True, about=About(name, "derivative"))


def _back_line(solution: Solution, step: BackStep) -> Equation:
    """dL/dW1 = dL/dz1 xᵀ = [..][..] = [..]."""
    seen = [Seen([m.Slope(step.of, step.by)], 4), _sum([_named(solution, way.formula) for way in step.ways])]
    told = not all(isinstance(way.formula, (Slope, Num)) for way in step.ways)
    if told and all(_fits(solution, way.formula) for way in step.ways):
        seen.append(_sum([_with_numbers(solution, way.formula) for way in step.ways]))
    if len(step.ways) > 1 and _small(step.ways[0].value):
        seen.append(_sum([_value(solution, way.value) for way in step.ways]))
    result = solution.derivative(step.by)
    seen.append(_value(solution, result, derivative=True))
    notes = [note for way in step.ways for note in _products(solution, way.formula)]
    note = _listed(notes) or _shape_note(solution.graph[step.by])
    return Equation(links(seen), note, result=True, about=About(step.by, "derivative"))


def _softmax_and_cross_entropy(solution: Solution, name: str) -> Equation | None:
    """dL/dz = p - t, where p = softmax(z) goes into L = cross_entropy(p, t) alone and the targets add up to 1."""
    graph, of = solution.graph, solution.of
    children = solution.children(name)
    probabilities = graph[children[0]]
    if len(children) != 1 or solution.children(probabilities.name) != [of]:
        return None
    match probabilities.definition, graph[of].definition:
        case Apply() as inner, Apply() as outer if inner.operation.name == "softmax" and isinstance(inner.args[0], Ref):
            if outer.operation.name != "cross_entropy" or outer.args[0] != Ref(probabilities.name):
                return None
            target = outer.args[1]
        case _:
            return None
    if not isinstance(target, Ref) or graph[target.name].shape != probabilities.shape:
        return None
    difference: Any = ar.lifted(SUBTRACT, [solution.value(probabilities.name), solution.value(target.name)])
    found: Any = solution.derivative(name)
    if not all(math.isclose(as_float(a), as_float(b), abs_tol=1e-12) for a, b in zip(difference, found, strict=True)):
        return None
    formula = unlimited(SUBTRACT, Ref(probabilities.name), target)
    seen = [Seen([m.Slope(of, name)], 4), _named(solution, formula), _with_numbers(solution, formula)]
    return Equation(links([*seen, _value(solution, found, derivative=True)]), about=About(name, "derivative"))


def _sum(parts: Sequence[Seen]) -> Seen:
    total = parts[0]
    for part in parts[1:]:
        total = add_box("+", total, part)
    return total


def by_element(solution: Solution, name: str, detail: Detail) -> Iterator[Block]:
    """The derivative by one element of an array, written out with its sum."""
    whole, place = element_of(solution.graph, name)
    assert whole is not None
    yield from _written_out(solution, whole, place, detail)


def _one_element(solution: Solution, quantity: Quantity, detail: Detail) -> Iterator[Block]:
    """An element that tells: the first whose derivative is not 0."""
    found: Any = solution.derivative(quantity.name)
    places = [place for place in np.ndindex(quantity.shape) if not isinstance(found[place], Formula) and found[place]]
    place = places[0] if places else next(iter(np.ndindex(quantity.shape)))
    name = element_name(quantity.name, place)
    yield Paragraph(("One element written out: ", m.Slope(solution.of, name), "."))
    yield from _written_out(solution, quantity.name, place, "steps")


def _written_out(solution: Solution, whole: str, place: Sequence[int], detail: Detail) -> Iterator[Block]:
    from backhand.explaining.solution import derivative_working

    name = element_name(whole, place)
    try:
        small = solution.by_elements
    except LimitError:
        yield Paragraph(say.element_of_large(name, whole))
        yield _stated(solution, name)
        return
    yield from derivative_working(small, name, detail)


# -- answer ----------------------------------------------------------------------------------------------------


def answer(solution: Solution) -> Iterator[Block]:
    """All derivatives asked for; single numbers in a table, arrays each on a line."""
    yield Heading(1, ("Answer",), "answer")
    graph, of = solution.graph, solution.of
    asked = list(solution.wrt)
    scalars = [q for q in graph.quantities if not q.shape]
    header: tuple[tuple[Inline, ...], ...] = (("quantity",), ("value",), ("derivative of ", m.Symbol(of)))
    rows: list[tuple[tuple[Inline, ...], ...]] = []
    for quantity in scalars:
        derivative: tuple[Inline, ...] = ("",)
        if quantity.name in asked:
            derivative = (_cell(solution, solution.derivative(quantity.name)),)
        rows.append(((m.Symbol(quantity.name),), (_cell(solution, solution.value(quantity.name)),), derivative))
    if rows:
        yield Table(header, tuple(rows), "lrr", tuple(quantity.name for quantity in scalars))
    for name in asked:
        if name in graph and graph[name].shape:
            yield _stated(solution, name, turned=True, note=_shape_note(graph[name]))
        elif name not in graph:
            yield _stated(solution, name)


def _cell(solution: Solution, value: Value) -> m.Box:
    seen = _value(solution, value)
    return seen.box if seen.exact or not seen.number else m.Row((m.Sign("≈"), seen.box))


def pairs(solution: Solution) -> Iterator[Block]:
    """Jacobians of vectors and single numbers by vectors and single numbers; what has more axes is in the JSON."""
    assert solution.pairs is not None
    yield Heading(1, ("Every quantity by every other",), "pairs")
    yield Paragraph(say.jacobians())
    graph = solution.graph
    for of in graph.quantities:
        if not of.computed or len(of.shape) > 1:
            continue
        rows = [solution.pairs[element_name(of.name, place)] for place in np.ndindex(of.shape)]
        for by in graph.quantities:
            if by is of or by.name not in graph.parents(of.name) or len(by.shape) > 1:
                continue
            if max([*of.shape, *by.shape, 1]) > COLUMNS:
                continue
            matrix: Any = np.empty((len(rows), *(by.shape or (1,))), object)
            for position, row in enumerate(rows):
                matrix[position] = row[by.name]
            seen = [Seen([m.Slope(of.name, by.name)], 4), _matrix(matrix, 2)]
            yield Equation(links(seen), (f"({_times(matrix.shape)})",))


# -- boxes -----------------------------------------------------------------------------------------------------


def _columns(solution: Solution) -> bool:
    """Whether vectors are columns: as chosen, or as the network multiplies them."""
    if solution.layout.vectors:
        return solution.layout.vectors == "column"
    shapes = {q.name: q.shape for q in solution.graph.quantities}
    for quantity in solution.graph.quantities:
        if quantity.computed and quantity.definition is not None:
            for node in postorder(quantity.definition):
                if isinstance(node, Apply) and node.operation.name == "+":
                    ranks = [len(shapes_in(arg, shapes)[-1]) for arg in node.args]
                    if ranks == [2, 1]:
                        return False  # a bias for every row
                if isinstance(node, Apply) and node.operation.name == "@":
                    left = shapes_in(node.args[0], shapes)[-1]
                    right = shapes_in(node.args[1], shapes)[-1]
                    if len(left) != len(right) and 1 in (len(left), len(right)):
                        return len(right) == 1
    return True


def _named(solution: Solution, formula: Formula) -> Seen:
    """The formula with names; what goes back through windows in words."""
    if (told := _through_windows(formula)) is not None:
        return Seen([m.Row(told)], 2)
    return _seen(solution, formula, lambda node: Seen([_leaf(node)], 4))


WINDOWED = frozenset(["fold", "conv_back_image", "conv_back_kernel"])
"""Rows that go back through the windows of a picture. Numbers put in would not show how; an element does."""


def _through_windows(formula: Formula) -> tuple[m.Box, ...] | None:
    """`dL/dm to the largest of each window of h`; None for any other formula."""
    if not isinstance(formula, Apply) or formula.operation.name not in WINDOWED:
        return None
    inside = postorder(formula)
    leaves = [_leaf(node) for node in inside if isinstance(node, (Ref, Slope))]
    names = {node.operation.name for node in inside if isinstance(node, Apply)}
    if formula.operation.name == "fold":
        if "largest" in names:
            return (leaves[0], m.Words(" to the largest of each window of "), leaves[-1])
        return (leaves[0], m.Words(" shared out over each window"))
    if len(leaves) != 2:
        return None
    between = " sent back through " if formula.operation.name == "conv_back_image" else " slid over "
    return (leaves[0], m.Words(between), leaves[1])


def _leaf(node: Ref | Slope) -> m.Box:
    return m.Symbol(node.name) if isinstance(node, Ref) else m.Slope(node.of, node.by)


def _with_numbers(solution: Solution, formula: Formula) -> Seen:
    """The formula with arrays in place of the names."""

    def leaf(node: Ref | Slope) -> Seen:
        value = solution.value(node.name) if isinstance(node, Ref) else solution.derivative(node.by)
        return _value(solution, value)

    return _seen(solution, formula, leaf, substituted=True)


def _seen(solution: Solution, formula: Formula, leaf: Leaf, *, substituted: bool = False) -> Seen:
    known = {q.name: q.shape for q in solution.graph.quantities}

    def at_leaf(node: Num | Ref | Slope) -> tuple[Seen, Shape]:
        seen = written(node) if isinstance(node, Num) else leaf(node)
        shape = () if isinstance(node, Num) else known[node.name if isinstance(node, Ref) else node.by]
        return (seen.grouped() if node.parens else seen), shape

    def combine(node: Apply, parts: list[tuple[Seen, Shape]]) -> tuple[Seen, Shape]:
        marks = [substituted and isinstance(arg, (Ref, Slope)) for arg in node.args]
        shapes = [shape for _, shape in parts]
        made = apply_box(_short(node, shapes), [seen for seen, _ in parts], marks, shapes)
        return (made.grouped() if node.parens else made), node_shape(node, shapes)

    return fold(formula, at_leaf, combine)[0]


def _short(node: Apply, shapes: Sequence[Shape]) -> Apply:
    """The operation without what goes without saying: along which axis of a vector, and that a sum is spread again."""
    usual = {"axis": None if len(shapes[0]) == 1 else ..., "keepdims": False} if shapes else {}
    if node.operation.name not in ("sum", "mean", "max", "min", "var"):
        return node
    params = tuple((key, value if usual.get(key, ...) is ... else usual[key]) for key, value in node.params)
    return unlimited(node.operation, *node.args, style=node.style, parens=node.parens, params=params)  # type: ignore[arg-type]


def _value(solution: Solution, value: Any, *, derivative: bool = False) -> Seen:
    """A number, a small array whole, a large one in words."""
    array = value
    if not ar.is_array(array):
        return value_box(array)
    if derivative and solution.layout.derivatives == "numerator":
        array = array.T
    if not _small(array):
        return summary(array)
    if array.ndim == 1 and _columns(solution) != (derivative and solution.layout.derivatives == "numerator"):
        return _matrix(array[:, np.newaxis], 1)
    return _matrix(array, array.ndim)


def array_box(solution: Solution, value: Any) -> Seen:
    """A value as it is shown in a solution."""
    return _value(solution, value)


def shown_whole(value: Any) -> bool:
    """Whether a value is shown with all of its numbers."""
    return _small(value)


def _small(value: Any) -> bool:
    shape: Shape = getattr(value, "shape", ())
    if len(shape) > 3:
        return False
    *front, last = (1, *shape)
    return last <= COLUMNS and size(tuple(front)) <= ROWS


def _matrix(array: Any, axes: int) -> Seen:
    """Brackets around numbers; of three axes, brackets around matrices."""
    if array.ndim > 2:
        parts = [_matrix(part, part.ndim) for part in array]
        return Seen([m.Matrix((tuple(part.box for part in parts),), "", axes)], 4, all(part.exact for part in parts))
    rows: list[tuple[m.Box, ...]] = []
    exact = True
    for line in array.reshape(-1, array.shape[-1]) if array.ndim == 2 else [array]:
        seen = [value_box(element) for element in line]
        exact = exact and all(part.exact for part in seen)
        rows.append(tuple(part.box for part in seen))
    return Seen([m.Matrix(tuple(rows), "", axes)], 4, exact)


def summary(array: Any) -> Seen:
    """A large array in words."""
    numbers = ar.floats(array)
    low, high, mean = (show(float(number)).text for number in (numbers.min(), numbers.max(), numbers.mean()))
    return Seen([m.Summary(f"from {low} to {high}, mean {mean}", _times(array.shape))], 4, False)


def _times(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def _fits(solution: Solution, formula: Formula) -> bool:
    """Whether the line with all numbers in it stays readable."""
    if longer(formula, WRITTEN) or _through_windows(formula) is not None:
        return False
    total = 0
    for node in postorder(formula):
        if isinstance(node, (Ref, Slope)):
            name = node.name if isinstance(node, Ref) else node.by
            if not _small(solution.value(name)):
                return False
            total += size(solution.graph[name].shape)
    return total <= NUMBERS


# -- shapes -----------------------------------------------------------------------------------------------------


def _shape_note(quantity: Quantity) -> tuple[Inline, ...]:
    return (f"({_times(quantity.shape)})",) if quantity.shape else ()


def _shapes(solution: Solution, formula: Formula) -> tuple[Inline, ...]:
    """`(3×2)(2×1) = (3×1)` for the products of matrices in a formula."""
    return _listed(_products(solution, formula))


def _listed(notes: Sequence[str]) -> tuple[Inline, ...]:
    """Notes one after the other, each but once."""
    return (", ".join(dict.fromkeys(notes)),) if notes else ()


def _products(solution: Solution, formula: Formula) -> list[str]:
    """The shapes in each product of matrices."""
    known = {q.name: q.shape for q in solution.graph.quantities}
    nodes, found = postorder(formula), shapes_in(formula, known, lambda slope: known[slope.by])
    notes: list[str] = []
    stack: list[Shape] = []
    for node, shape in zip(nodes, found, strict=True):
        if isinstance(node, Apply):
            count = len(node.args)
            args = stack[len(stack) - count :] if count else []
            if count:
                del stack[len(stack) - count :]
            if node.operation.name in ("@", "outer") and max(map(len, args)) < 3:
                notes.append(_product(node.operation.name, args[0], args[1]))
        stack.append(shape)
    return notes


def _product(name: str, left: Shape, right: Shape) -> str:
    """A vector on the left of a product is a row, on the right a column; of an outer product the other way."""
    if name == "outer":
        one, other = (*left, 1), (1, *right)
    else:
        one = left if len(left) == 2 else (1, *left)
        other = right if len(right) == 2 else (*right, 1)
    return f"({_times(one)})({_times(other)}) = ({_times((one[0], other[1]))})"


# -- what the derivative of an array by an array is -----------------------------------------------------------------


def _index_forms(solution: Solution, child: str, parent: str) -> Iterator[Block]:
    """Where the parent stands directly in a product of matrices or an elementwise function: the derivative in index
    form, with its shape. It is not written out; the matrix line does without it."""
    definition = solution.graph[child].definition
    if definition is None:
        return
    graph = solution.graph
    for node in postorder(definition):
        if not isinstance(node, Apply):
            continue
        for position, arg in enumerate(node.args):
            if isinstance(arg, Ref) and arg.name == parent and node is definition_core(definition):
                words = say.index_form(node, position, child, _rank(graph, node), len(graph[parent].shape))
                if words:
                    shape = (*graph[child].shape, *graph[parent].shape)
                    yield Paragraph((*words, f" ({_times(shape)})" if len(shape) > 1 else ""))


def definition_core(definition: Formula) -> Formula:
    """The product inside `W1 @ x + b1`: what is left when terms without products are taken away."""
    node = definition
    while isinstance(node, Apply) and node.operation.name in ("+", "-") and not isinstance(node.args[0], Ref):
        node = node.args[0]
    return node


def _rank(graph: Graph, node: Apply) -> tuple[int, ...]:
    shapes = {q.name: q.shape for q in graph.quantities}
    return tuple(len(shapes_in(arg, shapes)[-1]) for arg in node.args)
