"""A network as somebody at a sheet of paper sees it: ways, arrows, squares, bends.

The core knows formulas. A habit speaks of more: of *arrows* and the weights on them, of the *loss* as the square of a
difference, of the *bend* of an activation, of who stands straight across. A Sheet finds these in the formulas:

    Way      one occurrence of a parent in the formula of a child, and what it is there:
               arrow    a unit times its coefficient, in a sum          w[A1,B1] A1,  -2 A1,  C1
               weight   a weight times its unit, or a bias, in a sum    w[A1,B1] A1,  b
               bend     the argument of an activation                   sigmoid(z)
               loss     inside the square of a difference from a target (D - t)^2
               other    anything else
    Square   the square of a difference from a target: prediction, target, and which of them stands first

An activation of a whole sum, `B1 = relu(w A1 + b)`, is seen as two steps, the sum (a hidden quantity) and the bend.
Numbers here are ints, Fractions or floats: an int where a Fraction is whole, because it is thirty times as fast.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Literal, NamedTuple, TypeAlias

from backhand.core.evaluate import Value as CoreValue
from backhand.core.formula import Apply, Formula, Num, Ref, postorder, references
from backhand.core.graph import Graph, Quantity

Amount: TypeAlias = int | Fraction | float
"""A number of the replay; nan where somebody's rule gives none (1/0)."""

Kind: TypeAlias = Literal["arrow", "weight", "bend", "loss", "other"]

BENDS = frozenset("sigmoid relu leaky_relu elu tanh softplus gelu silu".split())
GATES = frozenset(["relu", "leaky_relu"])
PARAMETERS = frozenset(["weight", "bias", "constant", "target"])


class Term(NamedTuple):
    """A summand of a plain sum of products: number x value of `first` x value of `second` (-1 for neither)."""

    number: Amount
    first: int
    second: int


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """One occurrence of `parent` in the formula of `child`; all are positions in the graph.

    `number` counts the ways of the sheet; `occurrence` is the one-th name in the formula. For an arrow `partner` is its
    weight, for a weight the unit it is multiplied with (-1: none). `bare` says that an arrow has no weight written.
    """

    number: int
    child: int
    parent: int
    occurrence: int
    kind: Kind
    partner: int = -1
    bare: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Square:
    """`(prediction - target)^2` in a formula; `at` and `inside` are positions in its postorder list."""

    at: int
    inside: int
    prediction: int
    target: int
    flipped: bool


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """A formula as a list, arguments first: for each node its arguments, its place in the node above, and whether a
    unit is in it."""

    nodes: Sequence[Formula]
    inputs: Sequence[Sequence[int]]
    above: Sequence[tuple[int, int]]
    varies: Sequence[bool]
    squares: tuple[Square, ...] = ()
    terms: tuple[Term, ...] | None = None


@dataclass(eq=False)
class Sheet:
    """A graph with its ways, looked at from one output. Make one with `sheet_of`."""

    graph: Graph
    of: str
    hidden: dict[str, str]
    """Hidden sums by the quantity they belong to."""
    memory: dict[str, object] = field(default_factory=dict[str, object])
    """What others have worked out for this sheet and want to keep with it."""

    @cached_property
    def index(self) -> dict[str, int]:
        return self.graph.index

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        return self.graph.quantities

    @cached_property
    def names(self) -> list[str]:
        return [q.name for q in self.quantities]

    @cached_property
    def given(self) -> list[Amount]:
        """Values of the given quantities; nan for symbols and for what is computed."""
        return [small(q.given) if q.given is not None and not q.computed else NAN for q in self.quantities]

    @cached_property
    def units(self) -> list[bool]:
        return [q.place is not None for q in self.quantities]

    @cached_property
    def layer(self) -> list[int]:
        return [q.place.layer if q.place else -1 for q in self.quantities]

    @cached_property
    def row(self) -> list[int]:
        return [q.place.row if q.place else -1 for q in self.quantities]

    @cached_property
    def layers(self) -> dict[int, list[int]]:
        """The units of each layer from top to bottom."""
        found: dict[int, list[int]] = {}
        for i, layer in enumerate(self.layer):
            if layer >= 0:
                found.setdefault(layer, []).append(i)
        return {layer: sorted(units, key=self.row.__getitem__) for layer, units in sorted(found.items())}

    @cached_property
    def trees(self) -> list[Tree | None]:
        return [_tree(self, q.definition) if q.computed and q.definition else None for q in self.quantities]

    @cached_property
    def ways(self) -> list[Way]:
        """All ways, by child and occurrence."""
        found: list[Way] = []
        for child, tree in enumerate(self.trees):
            if tree is not None:
                found += _ways(self, child, tree, len(found))
        return found

    @cached_property
    def into(self) -> list[list[Way]]:
        """The ways into each quantity's formula."""
        found: list[list[Way]] = [[] for _ in self.quantities]
        for way in self.ways:
            found[way.child].append(way)
        return found

    @cached_property
    def out(self) -> list[list[Way]]:
        """The ways out of each quantity towards the output, first drawn first."""
        found: list[list[Way]] = [[] for _ in self.quantities]
        for way in self.ways:
            if way.child in self.needed:
                found[way.parent].append(way)
        return found

    @cached_property
    def end(self) -> int:
        return self.index[self.of]

    @cached_property
    def needed(self) -> frozenset[int]:
        """What the output depends on."""
        return frozenset(self.graph.upstream_of(self.of))

    @cached_property
    def order(self) -> list[int]:
        """The way back: later layers first, what stands on arrows last."""
        return sorted(self.needed, key=lambda i: (-self.layer[i], -i) if self.layer[i] >= 0 else (1, i))

    @cached_property
    def direct(self) -> frozenset[int]:
        """Units in the output's own formula, or compared with a target."""
        return frozenset(
            w.parent for w in self.ways if w.child in self.needed and (w.child == self.end or w.kind == "loss")
        )

    @cached_property
    def head(self) -> int | None:
        """The unit of the last line before the output (D), if there is just one."""
        last = {i for i in self.direct if self.units[i]}
        return last.pop() if len(last) == 1 else None

    @cached_property
    def arrows(self) -> list[Way]:
        return [w for w in self.ways if w.kind == "arrow" and w.child in self.needed]

    @cached_property
    def arrow(self) -> dict[tuple[int, int], Way]:
        """Arrows by tail and head."""
        return {(w.parent, w.child): w for w in self.arrows}

    @cached_property
    def weight_arrow(self) -> dict[int, Way]:
        """The arrow that a weight stands on, for a way of kind weight."""
        found: dict[int, Way] = {}
        for way in self.ways:
            if way.kind == "weight" and way.partner >= 0 and (way.partner, way.child) in self.arrow:
                found[way.number] = self.arrow[way.partner, way.child]
        return found

    @cached_property
    def transposed(self) -> dict[int, Way]:
        """For each arrow of a square layer the one where the table of weights is read by columns."""
        found: dict[int, Way] = {}
        for way in self.arrows:
            tails, heads = self.layers[self.layer[way.parent]], self.layers[self.layer[way.child]]
            if len(tails) != len(heads) or len(tails) < 2:
                continue
            other = self.arrow.get((tails[heads.index(way.child)], heads[tails.index(way.parent)]))
            if other is not None:
                found[way.number] = other
        return found

    @cached_property
    def skips(self) -> frozenset[int]:
        """Arrows past a layer, or past the same unit's own arrow: the skip branches of residual nets."""
        return frozenset(
            w.number
            for w in self.arrows
            if w.bare
            and (
                self.layer[w.child] - self.layer[w.parent] > 1
                or any(o.parent == w.parent and not o.bare for o in self.into[w.child])
            )
        )

    def renumbered(self, given: Mapping[int, Amount]) -> Sheet:
        """The same drawing with other given numbers, for replays only: its graph still has its own. What was found in
        the formulas is shared, so that thousands of draws cost no reading."""
        other = Sheet(self.graph, self.of, self.hidden)
        other.__dict__.update(self.__dict__, memory={})
        other.given = [given.get(i, number) for i, number in enumerate(self.given)]
        return other

    def sibling(self, unit: int) -> int:
        """The next unit of the same layer, round the end."""
        units = self.layers[self.layer[unit]] if self.units[unit] else [unit]
        return units[(units.index(unit) + 1) % len(units)]


def sheet_of(graph: Graph, of: str) -> Sheet:
    """The sheet of a graph, seen from the output `of`; kept for the next question about the same graph."""
    return _sheet(_Same(graph), of)


@lru_cache(maxsize=128)
def _sheet(key: _Same, of: str) -> Sheet:
    split, hidden = _split(key.graph)
    return Sheet(split, of, hidden)


class _Same:
    """A graph as itself: looked up by identity, which is faster than comparing contents."""

    __slots__ = ("graph",)

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.graph is self.graph

    def __hash__(self) -> int:
        return id(self.graph)


NAN = float("nan")


def small(value: CoreValue | None) -> Amount:
    """A number as an int where it is whole; nan for what is no number."""
    if type(value) is int:  # most are; to ask whether it is a fraction takes several times as long
        return value
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else value
    return value if isinstance(value, (int, float)) else NAN


def exact(value: Amount) -> Fraction | float:
    """A number as the core has it."""
    return Fraction(value) if isinstance(value, int) else value


# -- reading formulas ---------------------------------------------------------------------------------------


def _split(graph: Graph) -> tuple[Graph, dict[str, str]]:
    """The graph with every activation of a whole sum in two steps."""
    parts: list[Quantity] = []
    hidden: dict[str, str] = {}
    for quantity in graph.quantities:
        definition = quantity.definition
        if (
            quantity.computed
            and isinstance(definition, Apply)
            and definition.operation.name in BENDS
            and len(definition.args) == 1
            and not isinstance(definition.args[0], Ref)
        ):
            name = f"z[{quantity.name}]"
            while name in graph:
                name += "'"
            hidden[quantity.name] = name
            parts.append(Quantity(name, "computed", definition.args[0], span=quantity.span))
            parts.append(replace(quantity, definition=replace(definition, args=(Ref(name),)), place=None))
        else:
            parts.append(replace(quantity, place=None))
    return (Graph.of(parts), hidden) if hidden else (graph, hidden)


def _tree(sheet: Sheet, formula: Formula) -> Tree:
    nodes = postorder(formula)
    inputs: list[list[int]] = []
    above: list[tuple[int, int]] = [(-1, 0)] * len(nodes)
    varies: list[bool] = []
    stack: list[int] = []
    for at, node in enumerate(nodes):
        args: list[int] = []
        if isinstance(node, Apply) and node.args:
            args = stack[-len(node.args) :]
            del stack[-len(node.args) :]
            for k, arg in enumerate(args):
                above[arg] = (at, k)
        inputs.append(args)
        own = isinstance(node, Ref) and sheet.units[sheet.index[node.name]]
        varies.append(own or any(varies[arg] for arg in args))
        stack.append(at)
    tree = Tree(nodes, inputs, above, varies)
    return replace(tree, squares=tuple(_squares(sheet, tree)), terms=_terms(sheet, formula))


def _squares(sheet: Sheet, tree: Tree) -> list[Square]:
    """Squares of a difference with a target (or a number) on one side, entering the formula linearly."""
    found: list[Square] = []
    for at, node in enumerate(tree.nodes):
        if not (isinstance(node, Apply) and node.operation.name == "^" and _number(node.args[1]) == 2):
            continue
        inside = tree.inputs[at][0]
        base = tree.nodes[inside]
        if not (isinstance(base, Apply) and base.operation.name == "-") or not _linear(sheet, tree, at):
            continue
        left, right = tree.inputs[inside]
        for prediction, target, flipped in ((left, right, False), (right, left, True)):
            if _has_unit(sheet, tree.nodes[prediction]) and _is_target(sheet, tree.nodes[target]):
                found.append(Square(at, inside, prediction, target, flipped))
    return found


def _is_target(sheet: Sheet, formula: Formula) -> bool:
    kinds = {sheet.graph[ref.name].kind for ref in references(formula)}
    return kinds <= {"target", "constant"}


def _has_unit(sheet: Sheet, formula: Formula) -> bool:
    return any(sheet.units[sheet.index[ref.name]] for ref in references(formula))


def _number(formula: Formula) -> Fraction | None:
    match formula:
        case Num():
            return formula.value
        case Apply() if formula.operation.name == "neg":
            inner = _number(formula.args[0])
            return None if inner is None else -inner
        case _:
            return None


def _linear(sheet: Sheet, tree: Tree, at: int) -> bool:
    """Whether only sums, differences and factors without units lead from a node up to the whole."""
    while tree.above[at][0] >= 0:
        up, k = tree.above[at]
        node = tree.nodes[up]
        assert isinstance(node, Apply)
        match node.operation.name:
            case "+" | "-" | "neg":
                pass
            case "*" if not _has_unit(sheet, node.args[1 - k]):
                pass
            case "/" if k == 0 and not _has_unit(sheet, node.args[1]):
                pass
            case _:
                return False
        at = up
    return True


def _terms(sheet: Sheet, formula: Formula) -> tuple[Term, ...] | None:
    """The formula as a plain sum of products of at most two names; None if it is not one."""
    todo: list[tuple[Fraction, Formula]] = [(Fraction(1), formula)]
    found: list[Term] = []
    while todo:
        number, part = todo.pop()
        if isinstance(part, Apply) and part.operation.name in ("+", "-", "neg"):
            last = number if part.operation.name == "+" else -number
            todo.append((last, part.args[-1]))
            if len(part.args) == 2:
                todo.append((number, part.args[0]))
            continue
        term = _product(sheet, number, part)
        if term is None:
            return None
        found.append(term)
    return tuple(found)


def _product(sheet: Sheet, number: Fraction, formula: Formula) -> Term | None:
    names: list[int] = []
    todo = [formula]
    while todo:
        part = todo.pop(0)
        constant = _number(part)
        if constant is not None:
            number *= constant
        elif isinstance(part, Ref):
            names.append(sheet.index[part.name])
        elif isinstance(part, Apply) and part.operation.name in ("*", "neg"):
            number = -number if part.operation.name == "neg" else number
            todo[:0] = part.args
        else:
            return None
    if len(names) > 2 or (len(names) == 2 and all(sheet.units[n] for n in names)):
        return None
    return Term(small(number), *[*names, -1, -1][:2])


def _ways(sheet: Sheet, child: int, tree: Tree, first: int) -> list[Way]:
    occurrence: dict[int, int] = {}
    found: list[Way] = []
    for at, node in enumerate(tree.nodes):
        if not isinstance(node, Ref):
            continue
        parent = sheet.index[node.name]
        count = occurrence.get(parent, 0)
        occurrence[parent] = count + 1
        way = Way(first + len(found), child, parent, count, "other")
        found.append(_classified(sheet, tree, at, way))
    return found


def _classified(sheet: Sheet, tree: Tree, at: int, way: Way) -> Way:
    """What an occurrence is: see the top of this module."""
    root = tree.nodes[-1]
    if isinstance(root, Apply) and root.operation.name in BENDS and len(tree.nodes) == 2:
        return replace(way, kind="bend")
    below = at
    while below >= 0:
        if any(below in (square.prediction, square.target) for square in tree.squares):
            return replace(way, kind="loss")
        below = tree.above[below][0]
    others = _multiplied(tree, at)
    if others is None:
        return way
    unit = sheet.units[way.parent]
    fellows = [sheet.index[r.name] for other in others for r in references(other)]
    if unit and not any(sheet.units[f] for f in fellows):
        partner = fellows[0] if len(fellows) == 1 else -1
        return replace(way, kind="arrow", partner=partner, bare=not others)
    if not unit and sheet.quantities[way.parent].kind != "target":
        units = [f for f in fellows if sheet.units[f]]
        if len(units) <= 1:
            return replace(way, kind="weight", partner=units[0] if units else -1)
    return way


def _multiplied(tree: Tree, at: int) -> list[Formula] | None:
    """What a node is multiplied with or divided by on its way to the whole; None if something else is done to it."""
    found: list[Formula] = []
    while tree.above[at][0] >= 0:
        up, k = tree.above[at]
        node = tree.nodes[up]
        assert isinstance(node, Apply)
        match node.operation.name:
            case "+" | "-" | "neg":
                pass
            case "*":
                found.append(node.args[1 - k])
            case "/" if k == 0:
                found.append(node.args[1])
            case _:
                return None
        at = up
    return found


class Exact(Mapping[str, "Fraction | float"]):
    """The values of a page by name, as the core wants them."""

    __slots__ = ("_index", "_values")

    def __init__(self, index: dict[str, int], values: Sequence[Amount]) -> None:
        self._index, self._values = index, values

    def __getitem__(self, name: str) -> Fraction | float:
        return exact(self._values[self._index[name]])

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self._index)

    def __len__(self) -> int:
        return len(self._index)
