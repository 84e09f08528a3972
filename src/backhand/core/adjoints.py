"""The way back through formulas of arrays, as formulas.

    z = W @ x + b        dL/dW   by z:   outer(dL/dz, x)
                         dL/dx   by z:   W.T @ dL/dz
                         dL/db   by z:   dL/dz

`sent(graph, child, of)` gives, for each occurrence of a name in a quantity's formula, what comes back
along it, as a formula of names and of `dL/dchild`. Working, numbers and code are all made of these
formulas, so what is printed is what was computed; and a formula can be differentiated again.

An operation of single numbers sends g times its partial derivative, element by element; one of arrays
sends its row's `vjp`. Where an array was stretched to meet another (broadcasting), what comes back is
summed over the axes along which it was stretched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from backhand.core import algebra
from backhand.core.array_operations import MATMUL, SPREAD, ArrayOperation, Shape, node
from backhand.core.arrays import value_formula
from backhand.core.evaluate import row_formula
from backhand.core.formula import Apply, Formula, Num, Ref, Slope, fold, postorder, same
from backhand.core.graph import Graph
from backhand.core.operations import DIVIDE, MULTIPLY, NEGATE
from backhand.core.shapes import shape_of, shapes_in, site

Vjp = Callable[[Apply, int, Sequence[Shape], Shape], "Formula | None"]
"""What a row sends back to one of its arguments, in its letters; replaced to model a wrong belief."""


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """What one occurrence of `parent` in the formula of `child` sends back: a formula of the shape of `parent`."""

    child: str
    parent: str
    occurrence: int
    formula: Formula


class Shapes:
    """The shapes of names and derivatives in a graph; a derivative of the output has the shape of what it is by."""

    def __init__(self, graph: Graph, of_shape: Shape = ()) -> None:
        self.names: dict[str, Shape] = {q.name: q.shape for q in graph.quantities}
        self.of_shape = of_shape

    def of(self, formula: Formula) -> Shape:
        return shape_of(formula, self.names, self.slope)

    def slope(self, slope: Slope) -> Shape:
        return self.names[slope.by]


def sent(graph: Graph, child: str, of: str, vjp: Vjp | None = None, shapes: Shapes | None = None) -> list[Sent]:
    """What a quantity sends back to each occurrence of a name in its formula, from left to right. `shapes` are those of
    the graph, for who asks often."""
    definition = graph[child].definition
    assert definition is not None
    shapes = shapes or Shapes(graph)
    whole = child == of and not graph[of].shape
    upstream: Formula = algebra.ONE if whole else Slope(of, child)
    counts: dict[str, int] = {}
    found: list[Sent] = []
    for name, formula in pulled_back(definition, upstream, shapes, result=child, vjp=vjp or row_vjp):
        occurrence = counts.get(name, 0)
        counts[name] = occurrence + 1
        if formula is not None:
            found.append(Sent(child, name, occurrence, formula))
    return found


def pulled_back(
    definition: Formula, upstream: Formula, shapes: Shapes, *, result: str = "", vjp: Vjp | None = None
) -> list[tuple[str, Formula | None]]:
    """For each occurrence of a name in a formula, what comes back to it when `upstream` comes back to the whole; None
    where nothing does. `result` names the whole."""
    vjp = vjp or row_vjp
    definition, named = opened(definition, shapes)
    nodes = postorder(definition)
    sizes = shapes_in(definition, shapes.names, shapes.slope)
    args: list[list[int]] = []
    stack: list[int] = []
    varies: list[bool] = []
    for position, part in enumerate(nodes):
        below: list[int] = []
        if isinstance(part, Apply):
            count = len(part.args)
            below = stack[len(stack) - count :] if count else []
            if count:
                del stack[len(stack) - count :]
        args.append(below)
        varies.append(isinstance(part, Ref) or any(varies[a] for a in below))
        stack.append(position)
    coming: list[Formula | None] = [None] * len(nodes)
    coming[-1] = upstream
    for position in range(len(nodes) - 1, -1, -1):
        part, g = nodes[position], coming[position]
        if not isinstance(part, Apply) or g is None:
            continue
        shape = sizes[position]
        given = [sizes[a] for a in args[position]]
        y: Formula = Ref(result) if position == len(nodes) - 1 and result and named else part
        letters = dict(zip(_letters(part), part.args, strict=True)) | {"g": g, "y": y}
        for k, arg in enumerate(args[position]):
            if not varies[arg]:
                continue
            formula = vjp(part, k, given, shape)
            if formula is None:
                continue
            put_in = tidied(formula, letters, shapes)
            elementwise = not isinstance(part.operation, ArrayOperation) or part.operation.sort == "formula"
            coming[arg] = fitted(put_in, given[k], shape if elementwise else None, shapes)
    return [(part.name, coming[p]) for p, part in enumerate(nodes) if isinstance(part, Ref)]


def _letters(part: Apply) -> tuple[str, ...]:
    row = part.operation
    if isinstance(row, ArrayOperation) and row.several:
        return tuple(f"u{k}" for k in range(len(part.args)))
    return row.arguments


def _to_open(part: Formula) -> bool:
    return (
        isinstance(part, Apply)
        and isinstance(part.operation, ArrayOperation)
        and part.operation.sort == "formula"
        and not part.operation.vjp
    )


def opened(definition: Formula, shapes: Shapes, to_open: Callable[[Formula], bool] = _to_open) -> tuple[Formula, bool]:
    """The formula with rows that have no way back of their own written out, or those that somebody else chooses; and
    whether the whole still is what it was at its root."""
    root = definition
    while True:
        nodes = postorder(definition)
        if not any(to_open(part) for part in nodes):
            return definition, definition is root or not to_open(root)
        sizes = iter(shapes_in(definition, shapes.names, shapes.slope))
        stack: list[tuple[Formula, Shape]] = []
        for part in nodes:
            shape = next(sizes)
            if not isinstance(part, Apply):
                stack.append((part, shape))
                continue
            count = len(part.args)
            below = stack[len(stack) - count :] if count else []
            if count:
                del stack[len(stack) - count :]
            inner = [formula for formula, _ in below]
            if to_open(part):
                letters = dict(zip(part.operation.arguments, inner, strict=True))
                made = tidied(value_formula(part, [s for _, s in below]), letters, shapes)
            else:
                made = algebra_kept(part, inner)
            stack.append((made, shape))
        definition = stack[0][0]


def algebra_kept(part: Apply, args: Sequence[Formula]) -> Formula:
    """The same operation on other arguments; the very same node where they are the same."""
    if all(one is other for one, other in zip(args, part.args, strict=True)):
        return part
    from backhand.core.formula import with_args

    return with_args(part, args)


def row_vjp(part: Apply, position: int, shapes: Sequence[Shape], shape: Shape) -> Formula | None:
    """What calculus says: the row's `vjp`, or g times the partial derivative. None where there is no slope."""
    row = part.operation
    if not isinstance(row, ArrayOperation):
        partial = row.partials[position]
        if partial == "0":
            return None
        return algebra.multiply(Ref("g"), row_formula(partial))
    texts = row.vjp(site(part, shapes, shape)) if callable(row.vjp) else row.vjp
    text = texts[position]
    if text == "0":
        return None
    return row_formula(text) if isinstance(text, str) else text


# -- shapes of what comes back -----------------------------------------------------------------------------------------


def fitted(formula: Formula, wanted: Shape, shape: Shape | None, shapes: Shapes) -> Formula:
    """What comes back to an argument in the argument's own shape: where the argument was stretched, the sum along the
    axes of the stretching. `shape` is what an elementwise operation stretches its arguments to.

    A formula may be smaller than it stands for (a factor 1 for an array of ones); before a sum it is spread out."""
    found = shapes.of(formula)
    if found == wanted:
        return formula
    if _smaller(found, wanted):
        return formula  # it broadcasts to what is wanted
    full = shape if shape is not None and _smaller(found, shape) else found
    formula = spread(formula, full, shapes)
    lead = len(full) - len(wanted)
    ones = tuple(axis for axis, size in enumerate(wanted, lead) if size == 1 and full[axis] != 1)
    if lead and not ones:
        return summed(formula, None if not wanted else _one_or_all(tuple(range(lead))), False)
    if lead:
        formula = summed(formula, _one_or_all(tuple(range(lead))), False)
        ones = tuple(axis - lead for axis in ones)
    return summed(formula, _one_or_all(ones), True)


def _one_or_all(axes: tuple[int, ...]) -> int | tuple[int, ...]:
    return axes[0] if len(axes) == 1 else axes


def summed(formula: Formula, axis: int | tuple[int, ...] | None, keepdims: bool) -> Formula:
    return node("sum", formula, axis=axis, keepdims=keepdims)


def _smaller(one: Shape, other: Shape) -> bool:
    """Whether an array of the one shape broadcasts to the other, and is smaller."""
    if one == other or len(one) > len(other):
        return False
    return all(a in (1, b) for a, b in zip(one[::-1], other[::-1], strict=False))


def spread(formula: Formula, shape: Shape, shapes: Shapes) -> Formula:
    """The formula in full: repeated to the shape it stands for."""
    if shapes.of(formula) == shape:
        return formula
    found = shapes.of(formula)
    if not found:
        return node("spread", formula, shape=shape)
    return algebra.multiply(node("ones", shape=shape), formula)


# -- tidying -----------------------------------------------------------------------------------------------------------


def tidied(formula: Formula, letters: Mapping[str, Formula], shapes: Shapes) -> Formula:
    """Formulas for the letters of a row, tidied on the way: no factors 1, no number spread out where it meets an array
    of that shape anyway."""

    def leaf(part: Num | Ref | Slope) -> Formula:
        return letters.get(part.name, part) if isinstance(part, Ref) else part

    def combine(part: Apply, args: list[Formula]) -> Formula:
        return make(part, args, shapes)

    if isinstance(formula, Ref):
        return letters.get(formula.name, formula)
    return fold(formula, leaf, combine)


def make(part: Apply, args: Sequence[Formula], shapes: Shapes) -> Formula:
    """One operation, tidied."""
    row, options = part.operation, dict(part.params)
    if row is MULTIPLY:
        one, other = (_thin(arg, args[1 - k], shapes) for k, arg in enumerate(args))
        return algebra.multiply(one, other)
    if row is DIVIDE and _is_spread(args[0]) and not shapes.of(args[1]):
        return _spread_of(args[0], algebra.divide(_inner(args[0]), args[1]))
    if row is NEGATE and _is_spread(args[0]):
        return _spread_of(args[0], algebra.negate(_inner(args[0])))
    if row is SPREAD and algebra.constant(args[0]) == 0:
        return algebra.ZERO
    if row is SPREAD and _is_spread(args[0]) and not shapes.of(_inner(args[0])):
        return node("spread", _inner(args[0]), shape=options["shape"])
    if row.name == "transpose" and len(shapes.of(args[0])) < 2 and options["axes"] is None:
        return args[0]
    if row.name == "transpose" and options["axes"] is None and _is_transposed(args[0]):
        inner = args[0]
        assert isinstance(inner, Apply)
        return inner.args[0]
    if row.name == "transpose" and options["axes"] is None and (product := _product_of_matrices(args[0], shapes)):
        left, right = product
        turned = [make(part, [factor], shapes) for factor in (right, left)]
        return algebra.make(MATMUL, turned)
    return algebra.make(row, list(args), part.params)


def _is_transposed(formula: Formula) -> bool:
    return isinstance(formula, Apply) and formula.operation.name == "transpose" and dict(formula.params)["axes"] is None


def _product_of_matrices(formula: Formula, shapes: Shapes) -> tuple[Formula, Formula] | None:
    """The factors of A @ B, whose transpose is B.T @ A.T."""
    if not isinstance(formula, Apply) or formula.operation is not MATMUL:
        return None
    left, right = formula.args
    return (left, right) if len(shapes.of(left)) == len(shapes.of(right)) == 2 else None


def _is_spread(formula: Formula) -> bool:
    return isinstance(formula, Apply) and formula.operation is SPREAD


def _inner(formula: Formula) -> Formula:
    assert isinstance(formula, Apply)
    return formula.args[0]


def _spread_of(before: Formula, inside: Formula) -> Formula:
    assert isinstance(before, Apply)
    options = dict(before.params)
    return node("spread", inside, **options)


def _thin(formula: Formula, other: Formula, shapes: Shapes) -> Formula:
    """A number that is spread out to the very shape of the other factor need not be."""
    if not _is_spread(formula) or (_is_spread(other) and same(formula, other)):
        return formula
    if shapes.of(_inner(formula)):
        return formula
    return _inner(formula) if shapes.of(other) == shapes.of(formula) else formula
