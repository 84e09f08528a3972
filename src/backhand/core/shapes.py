"""Shapes, settled before anything is computed.

    settle(quantities)            each quantity with its shape; errors name both shapes and where they came from
    shape_of(formula, shapes)     the shape of one formula; Mismatch where its parts do not fit

Elementwise operations broadcast: axes are compared from the last, and an axis of size 1 goes with any.
Sizes are checked against the limits here, so that nothing large is allocated before it is allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from backhand import limits
from backhand.core.array_operations import MATMUL, TRANSPOSE, ArrayOperation, Mismatch, Shape, Site, broadcast, shown
from backhand.core.formula import Apply, Formula, Ref, Slope, apply, grouped, names, postorder, to_text
from backhand.core.graph import Graph, Quantity
from backhand.core.notation import Notice
from backhand.core.operations import MULTIPLY
from backhand.errors import BackhandError, LimitError, ReadError, raise_all

Slopes = Callable[[Slope], Shape]
"""The shape of a derivative that stands in a formula."""


class Unfit(Mismatch):
    """A Mismatch, and the part of the formula where it is."""

    def __init__(self, words: str, node: Apply) -> None:
        super().__init__(words)
        self.node = node


def node_shape(node: Apply, shapes: Sequence[Shape]) -> Shape:
    """The shape of one operation's result. Raises Unfit."""
    try:
        if node.style == "arrow" and (array := next(filter(None, shapes), None)):
            raise Mismatch(f"an arrow carries a single number times a single weight, and here is {shown(array)}")
        if isinstance(node.operation, ArrayOperation):
            return node.operation.shape(shapes, dict(node.params))
        return broadcast(shapes)
    except Mismatch as error:
        raise Unfit(str(error), node) from None


def shapes_in(formula: Formula, shapes: Mapping[str, Shape], slopes: Slopes | None = None) -> list[Shape]:
    """The shapes of all parts of a formula, in the order of `postorder`. Raises Unfit."""
    found: list[Shape] = []
    stack: list[Shape] = []
    for node in postorder(formula):
        match node:
            case Apply():
                count = len(node.args)
                args = stack[len(stack) - count :]
                del stack[len(stack) - count :]
                shape = node_shape(node, args)
                _allowed(node, args, shape)
            case Ref():
                shape = shapes[node.name]
            case Slope():
                assert slopes is not None
                shape = slopes(node)
            case _:
                shape = ()
        found.append(shape)
        stack.append(shape)
    return found


def _allowed(node: Apply, args: Sequence[Shape], shape: Shape) -> None:
    """Whether the result, and what is made on the way to it, is within the limits. Raises LimitError."""
    if len(shape) > limits.AXES:
        raise LimitError(
            f"{_short(node)} would be an array of {len(shape)} axes; at most {limits.AXES} are made.",
            node.span,
            cure="Use fewer.",
        )
    largest = size(shape)
    what = "would be"
    if largest <= limits.ELEMENTS and isinstance(node.operation, ArrayOperation):
        what, largest = "makes on its way", _on_the_way(node, args, shape)
    if largest > limits.ELEMENTS:
        raise LimitError(
            f"{_short(node)} {what} an array of {largest} elements; at most {limits.ELEMENTS} are made.",
            node.span,
            cure="Use smaller arrays.",
        )


SMALL = 4_000
"""Elements of arguments up to which nothing large can come up on the way: scores of n queries and n keys are n^2."""


def _on_the_way(node: Apply, args: Sequence[Shape], shape: Shape) -> int:
    """The elements of the largest array that a row makes before its result."""
    row = node.operation
    assert isinstance(row, ArrayOperation)
    if row.name in ("conv1d", "conv2d"):
        kernel = args[1]
        return size(shape) * size(kernel) // (kernel[0] ** 2 if len(kernel) > 2 else 1)
    if row.sort != "formula" or max(map(size, args)) <= SMALL:
        return 0
    from backhand.core.arrays import value_formula

    largest = 0
    stack: list[Shape] = []
    letters = dict(zip(row.arguments, args, strict=True))
    for part in postorder(value_formula(node, args)):
        if isinstance(part, Apply):
            below = stack[len(stack) - len(part.args) :]
            del stack[len(stack) - len(part.args) :]
            made = node_shape(part, below)
            if isinstance(part.operation, ArrayOperation):
                largest = max(largest, _on_the_way(part, below, made))
        else:
            made = letters[part.name] if isinstance(part, Ref) else ()
        largest = max(largest, size(made))
        stack.append(made)
    return largest


def shape_of(formula: Formula, shapes: Mapping[str, Shape], slopes: Slopes | None = None) -> Shape:
    """The shape of a formula. Raises Unfit."""
    return shapes_in(formula, shapes, slopes)[-1]


def size(shape: Shape) -> int:
    """How many elements."""
    found = 1
    for one in shape:
        found *= one
    return found


def site(node: Apply, shapes: Sequence[Shape], shape: Shape) -> Site:
    """Where a row is used, for its `formula` and `vjp`."""
    options: dict[str, Any] = dict(node.params)
    return Site(tuple(shapes), shape, options)


def settle(quantities: Sequence[Quantity]) -> list[Quantity]:
    """The quantities, in topological order, with their shapes. Raises ReadError or SeveralErrors."""
    shapes: dict[str, Shape] = {}
    settled: list[Quantity] = []
    errors: list[BackhandError] = []
    broken: set[str] = set()
    together = 0
    for quantity in quantities:
        shape = quantity.shape
        together += size(shape)
        if quantity.computed and quantity.definition is not None:
            if not broken.isdisjoint(names(quantity.definition)):
                broken.add(quantity.name)
                continue
            try:
                parts = shapes_in(quantity.definition, shapes)
                shape = parts[-1]
                together += sum(map(size, parts))
                if together > limits.TOGETHER:
                    raise too_much(quantity)
            except Unfit as error:
                errors.append(_unfit(quantity, error, shapes, {q.name: q for q in settled}))
                broken.add(quantity.name)
                continue
            except LimitError as error:
                errors.append(error)
                broken.add(quantity.name)
                continue
        shapes[quantity.name] = shape
        settled.append(quantity if shape == quantity.shape else replace(quantity, shape=shape))
    raise_all(errors)
    return settled


def surprises(graph: Graph) -> tuple[Notice, ...]:
    """What is done as NumPy does it, and seldom what is meant: a column that meets a vector of another rank, so that
    both are stretched, and two matrices side by side, which are no product of matrices."""
    if not graph.arrays:
        return ()
    shapes = {quantity.name: quantity.shape for quantity in graph.quantities}
    found: dict[str, Notice] = {}
    for quantity in graph.quantities:
        if not isinstance(quantity.definition, Apply):
            continue
        stack: list[Shape] = []
        made = shapes_in(quantity.definition, shapes)
        for node, shape in zip(postorder(quantity.definition), made, strict=True):
            if isinstance(node, Apply):
                args = stack[len(stack) - len(node.args) :]
                del stack[len(stack) - len(node.args) :]
                if len(args) == 2 and (words := _stretched(node, *args) or _side_by_side(node, args, shapes)):
                    words = f"{quantity.name}: {words}"
                    found.setdefault(words, Notice(words, node.span or quantity.span))
            stack.append(shape)
    return tuple(found.values())


def _stretched(node: Apply, one: Shape, other: Shape) -> str:
    """For a column and a vector that meet element by element."""
    row = node.operation
    if isinstance(row, ArrayOperation) and row.name not in ("mse", "half_sse", "mae", "huber", "kl"):
        return ""
    (column, tall), (_, flat) = sorted(zip(node.args, (one, other), strict=True), key=lambda pair: -len(pair[1]))
    if len(flat) != 1 or len(tall) != 2 or flat[0] == 1 or tall[1] != 1 or tall[0] == 1:
        return ""
    words = f"in {_short(node)}, {shown(one)} meets {shown(other)}: each element of the one meets each of the other, "
    words += f"{shown(broadcast([one, other]))} in all."
    if tall[0] == flat[0]:
        words += f" If they are meant to go in pairs, write reshape({_short(column)}, {flat[0]})."
    return words


def _side_by_side(node: Apply, args: Sequence[Shape], shapes: Mapping[str, Shape]) -> str:
    """For a matrix and an array side by side."""
    if node.style != "juxtaposed" or not all(args) or max(map(len, args)) < 2:
        return ""
    product = _product(node, shapes)
    return f"{_short(node)} is taken element by element. The product of matrices is {product}." if product else ""


def _product(node: Apply, shapes: Mapping[str, Shape]) -> str:
    """Two factors as a product of matrices, if they are fit for one."""
    if node.operation is not MULTIPLY or not all(names(arg) for arg in node.args):
        return ""
    made = apply(MATMUL, *node.args)
    try:
        shape = shape_of(made, shapes)
    except (Unfit, LimitError):
        return ""
    return f"{_short(made)}, {shown(shape)}"


def too_much(quantity: Quantity) -> LimitError:
    """The arrays up to and with this quantity are too large together."""
    return LimitError(
        f"{quantity.name} makes the arrays of this network too large: more than {limits.TOGETHER} elements together.",
        quantity.span,
        cure="Use smaller arrays, or fewer.",
    )


def _unfit(quantity: Quantity, error: Unfit, shapes: Mapping[str, Shape], known: Mapping[str, Quantity]) -> ReadError:
    """The sentence: what does not fit, where each array came from, and what would fit."""
    came: list[str] = []
    for name in names(error.node):
        span = known[name].span
        came.append(f"{name} is {shown(shapes[name])}" + (f" (line {span.line})" if span else ""))
    what = f"{quantity.name}: in {_short(error.node)}, {error}."
    cure = _would_fit(error.node, shapes)
    return ReadError(what, error.node.span or quantity.span, cure=f"{'; '.join(came)}. {cure}" if came else cure)


def _would_fit(node: Apply, shapes: Mapping[str, Shape]) -> str:
    """What to do about it: for a product of matrices which factor turned or exchanged would fit."""
    if node.style == "arrow":
        return "Write the unit as an equation, B = W @ x or B = w*x."
    several = "Change one of them." if len(names(node)) > 1 else "Change what stands there."
    inner = (part for part in postorder(node) if isinstance(part, Apply) and part.operation is MULTIPLY)
    if product := next(filter(None, (_product(part, shapes) for part in inner)), ""):
        return f"* goes element by element; the product of matrices is {product}."
    if node.operation is not MATMUL:
        return several
    one, other = node.args
    for tried in (
        apply(MATMUL, one, _turned(other)),
        apply(MATMUL, _turned(one), other),
        apply(MATMUL, _turned(one), _turned(other)),
        apply(MATMUL, other, one),
    ):
        try:
            shape = shape_of(tried, shapes)
        except (Unfit, LimitError):
            continue
        return f"{_short(tried)} would fit, and is {shown(shape)}."
    return several


def _turned(formula: Formula) -> Formula:
    loose = isinstance(formula, Apply) and formula.operation.name in ("+", "-", "*", "/", "neg", "@", "^")
    return apply(TRANSPOSE, grouped(formula) if loose else formula, params=(("axes", None),))


def _short(node: Formula, most: int = 60) -> str:
    text = to_text(node)
    return text if len(text) <= most else text[: most - 3] + "..."
