"""From a formula to what is seen: the person's order and parentheses, names or numbers in their places.

`box(formula)` shows names; `box(formula, values)` shows numbers where the names were, with the
parentheses that numbers need: (-2)(-1), 3*(-4), (1/3)^2. Whether every number shown is the whole
truth comes along, because only then may an `=` stand in front.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias

from backhand.core.evaluate import Value
from backhand.core.formula import Apply, Formula, Num, Ref, Slope, fold, options_text, param_text, places_text
from backhand.core.graph import Graph
from backhand.explaining import mathematics as m
from backhand.explaining.mathematics import Box
from backhand.numbers import Number, show

TIMES = m.Sign("")
"""The sign between two factors side by side."""

SIGNS = {text: m.Sign(text) for text in "+-·⊙@"}

Shape: TypeAlias = "tuple[int, ...]"


class Seen:
    """A box on its way up: what it is, how tightly it binds, and whether its numbers are exact.

    `rank` 1 sum, 2 product, 3 power, 4 atom; `number` for a bare number, `negative` for a leading minus."""

    __slots__ = ("exact", "items", "negative", "number", "rank")

    def __init__(
        self, items: list[Box], rank: int, exact: bool = True, *, number: bool = False, negative: bool = False
    ) -> None:
        self.items = items
        self.rank = rank
        self.exact = exact
        self.number = number
        self.negative = negative

    @property
    def box(self) -> Box:
        return self.items[0] if len(self.items) == 1 else m.Row(tuple(self.items))

    def grouped(self) -> Seen:
        return Seen([m.Group(self.box)], 4, self.exact)


def number(value: Number) -> Seen:
    """A number, short: `-2`, `0.15`, a fraction for 1/3, six digits when it is longer."""
    text, exact = show(value)
    if text == "?":
        return Seen([m.Words("not known")], 4, False)
    items, rank = _digits(text)
    return Seen([*items], rank, exact, number=True, negative=text.startswith("-"))


@lru_cache(4096)
def _digits(text: str) -> tuple[tuple[Box, ...], int]:
    """The boxes of a number and how tightly it binds; kept, because a value stands in many lines."""
    if "/" not in text:
        return (m.Number(text),), 3 if "e" in text else 4
    above, below = text.lstrip("-").split("/")
    fraction = m.Fraction(m.Number(above), m.Number(below))
    return (m.Sign("-"), fraction) if text.startswith("-") else (fraction,), 2


def written(node: Num) -> Seen:
    """A number as the person wrote it."""
    text = node.text
    if text and text.replace(".", "", 1).isdigit() and len(text) <= 14 and not text.startswith("."):
        return Seen([m.Number(text.rstrip("."))], 4, number=True)
    mantissa, _, exponent = text.lower().partition("e")
    if exponent and len(mantissa) <= 14 and mantissa.replace(".", "", 1).isdigit() and not mantissa.startswith("."):
        return Seen([m.Number(f"{mantissa.rstrip('.')}e{int(exponent)}")], 4, number=True)
    return number(node.value)


def value_box(value: Value) -> Seen:
    """A value: a number, or a formula in symbols."""
    return box(value) if isinstance(value, Formula) else number(value)


def times(shape: Shape) -> str:
    """A shape as it is written under an array.

    >>> times((3, 2)), times((3,))
    ('3×2', '3')
    """
    return "×".join(map(str, shape))


def box(
    formula: Formula,
    values: Mapping[str, Value] | None = None,
    graph: Graph | None = None,
    *,
    shapes: Mapping[str, Shape] | None = None,
) -> Seen:
    """The formula with names, or with numbers where `values` has them. With a `graph`, the weight of a drawn
    arrow that has no name of its own is shown by its number: -2 A1. With the `shapes` of names, a product of two
    arrays element by element has a sign of its own, a ⊙ b."""
    sizes = _sizes(formula, shapes)
    if values is None and graph is not None and isinstance(formula, Ref):
        given = _anonymous(graph, formula.name)
        if given is not None:
            return number(given)

    def leaf(node: Num | Ref | Slope) -> Seen:
        match node:
            case Num():
                return _again(written(node), node.parens)
            case Slope():
                return Seen([m.Slope(node.of, node.by)], 4)
            case Ref():
                if values is not None and node.name in values:
                    seen = value_box(values[node.name])
                    return _again(seen, node.parens)
                return Seen([_name(node.name)], 4) if not node.parens else Seen([m.Group(_name(node.name))], 4)

    def combine(node: Apply, parts: list[Seen]) -> Seen:
        if node.style == "arrow" and values is None and graph is not None:
            weight = node.args[0]
            if isinstance(weight, Ref) and (given := _anonymous(graph, weight.name)) is not None:
                parts[0] = number(given)
        if node.operation.name == "+" and values is None and graph is not None:
            given = _arrow_weight(graph, node.args[1])
            if given is not None and given < 0:
                tail = parts[1].items[-1]
                return add_box("-", parts[0], Seen([*number(-given).items, TIMES, tail], 2))
        substituted = [
            values is not None and isinstance(arg, Ref) and put_in(values.get(arg.name)) for arg in node.args
        ]
        below = [sizes[id(arg)] for arg in node.args] if sizes else None
        made = apply_box(node, parts, substituted, below)
        return made.grouped() if node.parens else made

    return fold(formula, leaf, combine)


def _sizes(formula: Formula, shapes: Mapping[str, Shape] | None) -> dict[int, Shape]:
    """The shape of each part of a formula, by its identity."""
    if not shapes or not any(shapes.values()):
        return {}
    from backhand.core.formula import postorder
    from backhand.core.shapes import shapes_in

    found = shapes_in(formula, shapes, lambda slope: shapes[slope.by])
    return {id(part): shape for part, shape in zip(postorder(formula), found, strict=True)}


def put_in(value: Value | None) -> bool:
    """Whether something else stands where a name was, so that it may need parentheses."""
    return value is not None and not isinstance(value, Ref)


@lru_cache(4096)
def _name(name: str) -> Box:
    return m.Symbol(name)


def _anonymous(graph: Graph, weight: str) -> Number | None:
    """The number of a weight that is called after its arrow."""
    if not weight.startswith("w[") or weight not in graph:
        return None
    given = graph[weight].given
    return given if isinstance(given, Fraction) else None


def _arrow_weight(graph: Graph, term: Formula) -> Number | None:
    """The number of an arrow's weight, if the term is an arrow whose weight has no name of its own."""
    if isinstance(term, Apply) and term.style == "arrow" and isinstance(term.args[0], Ref):
        return _anonymous(graph, term.args[0].name)
    return None


def _again(seen: Seen, parens: bool) -> Seen:
    return seen.grouped() if parens else seen


def apply_box(
    node: Apply, parts: list[Seen], substituted: list[bool] | None = None, shapes: Sequence[Shape] | None = None
) -> Seen:
    """An operation on boxes. `substituted` marks the arguments that stand where a name was; `shapes` are those of the
    arguments, where there are arrays."""
    exact = all(part.exact for part in parts)
    row, marks = node.operation, substituted or [False] * len(parts)
    match row.name:
        case "+" | "-":
            return add_box(row.name, parts[0], parts[1])
        case "neg":
            inner = parts[0].grouped() if parts[0].negative or parts[0].rank < 2 else parts[0]
            return Seen([m.Sign("-"), *inner.items], 2, exact, number=inner.number, negative=True)
        case "*" if shapes and all(any(size > 1 for size in shape) for shape in shapes):
            return multiply_box("⊙", parts[0], parts[1], marks)
        case "*":
            return multiply_box(node.style, parts[0], parts[1], marks)
        case "@":
            return multiply_box("@", parts[0], parts[1], marks)
        case "outer":
            return multiply_box("@", parts[0], transposed(parts[1]), marks)
        case "/":
            return Seen([m.Fraction(_inside(parts[0]), _inside(parts[1]))], 3, exact, negative=parts[0].negative)
        case "^":
            base = parts[0] if parts[0].rank == 4 and not parts[0].negative else parts[0].grouped()
            return Seen([m.Power(base.box, _inside(parts[1]))], 3, exact)
        case "sqrt" if not node.style:
            return Seen([m.Root(_inside(parts[0]))], 4, exact)
        case "abs" if not node.style:
            return Seen([m.Bars(_inside(parts[0]))], 4, exact)
        case "derivative" if isinstance(node.args[1], Ref):
            inside = parts[0] if parts[0].rank > 1 else parts[0].grouped()
            return Seen([m.Slope("", node.args[1].name), m.Sign(" "), *inside.items], 2, exact)
        case "prime":
            return Seen([m.Prime(parts[0].box)], 4, exact)
        case _ if node.params:
            return _array_box(node, parts, exact)
        case _ if not parts:
            return Seen([m.Symbol(row.name)], 4, exact)
        case _:
            return Seen([m.Call(node.style or row.name, tuple(_inside(p) for p in parts))], 4, exact)


def _array_box(node: Apply, parts: list[Seen], exact: bool) -> Seen:
    """An operation that is told something besides its arrays."""
    options: dict[str, Any] = dict(node.params)
    match node.operation.name:
        case "index":
            return Seen([m.Indexed(parts[0].box, places_text(options["key"]))], 4, exact)
        case "transpose" if options["axes"] is None:
            return transposed(parts[0])
        case "stack" if node.style == "list":
            return _list_box(parts, exact)
        case "spread" if options["axis"] is None:
            return multiply_box("·", parts[0], _all("1", options["shape"]), [False, False])
        case "ones" | "zeros":
            return _all("1" if node.operation.name == "ones" else "0", options["shape"])
        case "place":
            words = m.Words(f" at [{places_text(options['key'])}], 0 elsewhere")
            return Seen([m.Group(m.Row((*parts[0].items, words)))], 4, exact)
        case "load":
            told = [param_text(options[key]) for key in ("file", "name") if options[key]]
            return Seen([m.Call("load", tuple(map(m.Words, told)))], 4, exact)
        case name:
            told = map(m.Words, options_text(node))
            return Seen([m.Call(node.style or name, (*(_inside(part) for part in parts), *told))], 4, exact)


def transposed(part: Seen) -> Seen:
    """An array with its axes exchanged."""
    return Seen([m.Transposed(part.box if part.rank == 4 else m.Group(part.box))], 4, part.exact)


def _all(digit: str, shape: int | Shape) -> Seen:
    """An array of ones or zeros: the digit with the shape under it."""
    sizes = shape if isinstance(shape, tuple) else (shape,)
    return Seen([m.Shaped(m.Words(digit), times(sizes))], 4)


def _list_box(parts: list[Seen], exact: bool) -> Seen:
    """[a, b] is a column, [[a, b], [c, d]] a matrix, a list of matrices a row of them."""
    inner = [part.items[0] for part in parts]
    vectors = [each for each in inner if isinstance(each, m.Matrix) and each.axes == 1]
    if len(vectors) == len(parts):
        rows = tuple(tuple(_elements(vector)) for vector in vectors)
        return Seen([m.Matrix(rows, axes=2)], 4, exact)
    matrices = [each for each in inner if isinstance(each, m.Matrix)]
    if len(matrices) == len(parts):
        return Seen([m.Matrix((tuple(matrices),), axes=1 + matrices[0].axes)], 4, exact)
    return Seen([m.Matrix(tuple((part.box,) for part in parts), axes=1)], 4, exact)


def _elements(matrix: m.Matrix) -> Iterator[Box]:
    for row in matrix.rows:
        yield from row


def _inside(part: Seen) -> Box:
    """Inside a function, a root or a fraction bar nothing needs parentheses, not even those written there."""
    if len(part.items) == 1 and isinstance(part.items[0], m.Group):
        return part.items[0].inside
    return part.box


def add_box(sign: str, left: Seen, right: Seen) -> Seen:
    """A sum; the left side's list is lengthened, so that long sums stay flat. A negative number behind the
    sign stands in parentheses."""
    if right.negative or right.rank < 2:
        right = right.grouped()
    left.items.append(SIGNS[sign])
    left.items.extend(right.items)
    return Seen(left.items, 1, left.exact and right.exact, negative=left.negative)


def multiply_box(style: str, left: Seen, right: Seen, marks: list[bool]) -> Seen:
    """A product as it was written; numbers put in for names side by side go in parentheses."""
    exact = left.exact and right.exact
    side_by_side = style in ("juxtaposed", "arrow")
    if _mixed(style, right):
        right = right.grouped()
    bracketed = len(right.items) == 1 and isinstance(right.items[0], m.Matrix | m.Summary)
    put_in_for_name = side_by_side and left.number and marks[0] and not bracketed
    if left.rank < 2 or (left.negative and not left.number) or put_in_for_name or (style == "@" and _has(left, "⊙")):
        left = left.grouped()
    if right.negative or right.rank < 2 or (side_by_side and (right.number or marks[1]) and not bracketed):
        right = right.grouped() if not (len(right.items) == 1 and isinstance(right.items[0], m.Group)) else right
    sign = TIMES if side_by_side else SIGNS[style if style in ("@", "⊙") else "·"]
    left.items.append(sign)
    left.items.extend(right.items)
    return Seen(left.items, 2, exact, negative=left.negative)


def _mixed(style: str, right: Seen) -> bool:
    """Whether the right factor is a product of another sort: W (a ⊙ b), a ⊙ (W b)."""
    if style == "@":
        return right.rank == 2 and not right.negative and not _has(right, "@")
    return style == "⊙" and _has(right, "@")


def _has(product: Seen, sign: str) -> bool:
    """Whether a product has this sign between its factors."""
    return SIGNS[sign] in product.items
