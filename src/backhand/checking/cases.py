"""Rules that backward code follows in place of the right ones, at every place where it may.

Each function here goes over a network and yields a Case for every place where one thing can be done otherwise. None
holds a wrong number: a Case is a Belief, and `replay` computes what a program with it gives. `mistakes` names them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, TypeAlias, cast

import numpy as np

from backhand.checking.replay import IMPOSSIBLE, Arrived, Belief, Place, WayBack
from backhand.core import algebra
from backhand.core.adjoints import Sent
from backhand.core.array_operations import ROW, ArrayOperation, Shape, axes_of, node
from backhand.core.evaluate import row_formula
from backhand.core.formula import Apply, Formula, Num, Ref, Slope, fold, param_text, postorder, to_text, with_args
from backhand.core.operations import OPERATIONS

G, U, V, W, Y = (Ref(letter) for letter in "guvwy")
LETTERS = frozenset("guvwym")


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A mistake made at one place, or everywhere. `at` is the quantity whose line is then wrong, `words` says where."""

    belief: Belief
    at: str = ""
    words: str = ""
    touched: frozenset[str] | None = None
    """The quantities that get something else, if they are known beforehand."""


Cases: TypeAlias = Callable[[WayBack], Iterable[Case]]


# -- making cases ------------------------------------------------------------------------------------------------------


def at_places(
    alternatives: Callable[[WayBack, Place], Iterable[Formula | str | None]], *, all_alike: bool = True
) -> Cases:
    """Other formulas for what is sent at a place: at each place by itself and, where operations of one name stand at
    several, at all of them."""

    def cases(way: WayBack) -> Iterator[Case]:
        together: dict[tuple[object, ...], list[tuple[Place, Formula | None]]] = {}
        for place in way.places:
            for number, text in enumerate(alternatives(way, place)):
                formula = row_formula(text) if isinstance(text, str) else text
                if all_alike and fits(way, place, formula):
                    for key in alike(place):
                        together.setdefault((*key, number), []).append((place, formula))
                if (made := case_at(way, place, formula)) is not None:
                    yield made
        for changes in together.values():
            if len({place.child for place, _ in changes}) > 1:
                touched = [below(place) for place, _ in changes]
                yield Case(Belief(changes=tuple(changes)), "", "everywhere", frozenset[str]().union(*touched))

    return cases


def below(place: Place) -> frozenset[str]:
    """The names that what is sent at a place goes on to."""
    return frozenset(part.name for part in postorder(place.part.args[place.k]) if isinstance(part, Ref))


def alike(place: Place) -> list[tuple[object, ...]]:
    """What a place has in common with others: its operation, and what else goes into it (the same weight at each step
    of a recurrent net)."""
    found: list[tuple[object, ...]] = [(place.name, place.k), ("step", stem(place.child)[0], place.k, relative(place))]
    if len(place.part.args) > 1:
        found.append((place.name, place.k, to_text(place.part.args[1 - place.k if place.k < 2 else 0])))
    return found


def stem(name: str) -> tuple[str, int]:
    """A name without its number, and the number: h2 is the h of step 2."""
    match = re.fullmatch(r"(.*?)_?(\d+)(\D*)", name)
    return (f"{match[1]}#{match[3]}", int(match[2])) if match else (name, 0)


def by_steps(formula: Formula, at: int) -> str:
    """A formula with names as seen from step `at`: W @ h1 at step 2 is W @ h of the step before."""

    def leaf(part: Num | Ref | Slope) -> Formula:
        name = part.name if isinstance(part, Ref) else part.by if isinstance(part, Slope) else ""
        stemmed, number = stem(name)
        if not name or "#" not in stemmed:
            return part
        moved = f"{stemmed}{number - at:+d}"
        return Ref(moved) if isinstance(part, Ref) else Slope("L", moved)

    return to_text(leaf(formula) if isinstance(formula, (Num, Ref, Slope)) else fold(formula, leaf, with_args))


def relative(place: Place) -> str:
    return by_steps(place.part, stem(place.child)[1])


def case_at(way: WayBack, place: Place, formula: Formula | None) -> Case | None:
    """A case of another formula at a place. A formula of the wrong shape is possible only where it is the whole of what
    a name gets."""
    about = quantity_at(way, place)
    if fits(way, place, formula):
        return Case(Belief(changes=((place, formula),)), about, f"in {place.child}", below(place))
    arg = place.part.args[place.k]
    if formula is None or not isinstance(arg, Ref) or not way.is_passed(place):
        return None
    put_in = way.put_in(place, formula)
    ways = way.right(place.child)
    mine = [n for n, one in enumerate(ways) if one.parent == arg.name]
    if len(mine) != 1:
        return None

    def sent(child: str, found: list[Sent]) -> list[Sent]:
        return [replace(one, formula=put_in) if one.parent == arg.name else one for one in found]

    return Case(Belief(sent=sent, children=frozenset([place.child])), about, f"in {place.child}")


def quantity_at(way: WayBack, place: Place) -> str:
    """The quantity whose derivative is made at a place: the name that stands there, or the first inside that is
    computed (a mask is not)."""
    inside = [part.name for part in postorder(place.part.args[place.k]) if isinstance(part, Ref)]
    return next((name for name in inside if way.graph[name].computed), inside[0] if inside else "")


def fits(way: WayBack, place: Place, formula: Formula | None) -> bool:
    if formula is None:
        return True
    try:
        shape = way.shapes.of(way.put_in(place, formula))
    except IMPOSSIBLE:
        return False
    full = place.wanted if len(place.wanted) >= len(place.shape) else place.shape
    return shape in (place.wanted, place.shape) or (len(shape) <= len(full) and broadcasts(shape, full))


def broadcasts(one: Shape, other: Shape) -> bool:
    return all(a in (1, b) for a, b in zip(one[::-1], other[::-1], strict=False))


def sent_otherwise(alternatives: Callable[[WayBack, Sent], Iterable[Formula]]) -> Cases:
    """Other formulas for all that one occurrence of a name gets."""

    def cases(way: WayBack) -> Iterator[Case]:
        for name in way.names:
            for one in way.right(name) if way.graph[name].computed else ():
                for formula in alternatives(way, one):
                    yield sends(name, one, formula)

    return cases


def sends(child: str, one: Sent, formula: Formula) -> Case:
    def sent(child: str, found: list[Sent]) -> list[Sent]:
        return [
            replace(other, formula=formula)
            if (other.parent, other.occurrence) == (one.parent, one.occurrence)
            else other
            for other in found
        ]

    return Case(Belief(sent=sent, children=frozenset([child])), one.parent, f"in {child}", frozenset([one.parent]))


def written(alternatives: Callable[[WayBack, str], Iterable[Callable[[Any], Any]]]) -> Cases:
    """Something else written down for a derivative: for one quantity, for all weights and biases, for everything."""

    def cases(way: WayBack) -> Iterator[Case]:
        groups: dict[int, dict[str, Callable[[Any], Any]]] = {}
        for name in way.names[1:]:
            for number, change in enumerate(alternatives(way, name)):
                groups.setdefault(number, {})[name] = change
                yield Case(Belief(report=reporting({name: change})), name, "", frozenset([name]))
        for group in groups.values():
            weights = {name: change for name, change in group.items() if way.graph[name].kind in ("weight", "bias")}
            matrices = {name: change for name, change in group.items() if way.graph[name].kind == "weight"}
            for some, words in (
                (weights, "for all weights and biases"),
                (matrices, "for all weights"),
                (group, "for all"),
            ):
                if len(some) > 1:
                    yield Case(Belief(report=reporting(some)), "", words)

    return cases


def scaled(factor: float) -> Callable[[WayBack, str], list[Callable[[Any], Any]]]:
    return lambda way, name: [lambda value: value * factor]


def reporting(changes: dict[str, Callable[[Any], Any]]) -> Callable[[str, Any], Any]:
    def report(name: str, value: Any) -> Any:
        return changes[name](value) if name in changes else value

    return report


def times(number: int | Fraction, formula: Formula) -> Formula:
    return algebra.multiply(algebra.number(Fraction(number)), formula)


# -- transposes, products of matrices ----------------------------------------------------------------------------------


def transposed(way: WayBack, name: str) -> Iterator[Callable[[Any], Any]]:
    if len(way.shape(name)) >= 2:
        yield lambda value: np.swapaxes(value, -1, -2)


def turned_inside(way: WayBack, place: Place) -> Iterator[Formula]:
    """The transpose goes on into what comes before; possible where it is square."""
    shape = place.wanted
    if len(shape) == 2 and shape[0] == shape[1] and place.name in ("@", "outer"):
        yield node("transpose", place.right)


def transposes(way: WayBack) -> Iterator[Case]:
    yield from written(transposed)(way)
    yield from at_places(turned_inside)(way)


def is_weight(way: WayBack, place: Place) -> bool:
    """Whether the other factor of a product is a weight, or its transpose."""
    other = place.part.args[1 - place.k]
    names = [part.name for part in postorder(other) if isinstance(part, Ref)]
    return len(names) == 1 and way.graph[names[0]].kind == "weight"


def untransposed(way: WayBack, place: Place) -> Iterator[str]:
    if place.name == "@":
        one, other = map(len, place.shapes)
        match one, other, place.k:
            case (1, 2, 0):
                yield "g @ v"
            case (2, 1, 1):
                yield "u @ g"
            case (1, 1, _) | (1, _, _) | (_, 1, _):
                return
            case (_, _, 0):
                yield "g @ v"
            case _:
                yield "u @ g"


def w_for_w_transposed(way: WayBack) -> Iterator[Case]:
    def w(here: WayBack, place: Place) -> Iterable[str]:
        return untransposed(here, place) if of_product(place) and is_weight(here, place) else ()

    return iter(at_places(w)(way))


def factor_not_transposed(way: WayBack) -> Iterator[Case]:
    def others(w: WayBack, p: Place) -> Iterator[str]:
        if not of_product(p):
            return
        if not is_weight(w, p):
            yield from untransposed(w, p)
        if len(p.shapes[0]) == len(p.shapes[1]) == 2:
            yield "g.T @ v.T" if p.k == 0 else "u.T @ g.T"
            yield "g.T @ v" if p.k == 0 else "u @ g.T"

    return iter(at_places(others)(way))


def of_product(place: Place) -> bool:
    return place.name == "@"


def reordered(way: WayBack, place: Place) -> Iterator[str]:
    if place.name == "@" and len(place.shapes[0]) == len(place.shapes[1]) == 2:
        yield from ("v.T @ g", "v @ g") if place.k == 0 else ("g @ u.T", "g @ u")


def factor_itself(way: WayBack, place: Place) -> Iterator[str]:
    """The factor itself where the other one belongs."""
    if place.name == "@" and len(place.shapes[0]) == len(place.shapes[1]) == 2:
        yield from (
            ("g @ u", "g @ u.T", "g.T @ u") if place.k == 0 else ("v.T @ g", "v @ g", "g @ v", "g.T @ v.T", "v.T @ g.T")
        )
    elif place.name in ("*", "dot"):
        yield "g*u" if place.k == 0 else "g*v"


def elementwise(way: WayBack, place: Place) -> Iterator[str]:
    if place.name in ("@", "outer"):
        yield "g*v" if place.k == 0 else "u*g"
        if place.name == "@":
            yield "g*v.T" if place.k == 0 else "u.T*g"


def own_factor(way: WayBack) -> Iterator[Case]:
    yield from at_places(factor_itself)(way)
    # both factors of one product
    for place in way.places:
        for other in way.places:
            if place.k == 0 and other.k == 1 and place.child == other.child and place.part is other.part:
                for one, two in zip(factor_itself(way, place), factor_itself(way, other), strict=False):
                    pair = ((place, row_formula(one)), (other, row_formula(two)))
                    if all(fits(way, p, f) for p, f in pair):
                        yield Case(Belief(changes=pair), quantity_at(way, place), f"in {place.child}")


def exchanged(way: WayBack) -> Iterator[Case]:
    """The derivatives of two quantities of one shape under each other's names; those of one formula, or that meet."""
    given = [name for name in way.names if way.graph[name].kind in ("weight", "bias")]
    for at, one in enumerate(given):
        for other in given[at + 1 :]:
            if way.shape(one) == way.shape(other):
                yield Case(Belief(exchange=(one, other)), one, f"{one} and {other}")
    for child in way.names:
        if not way.graph[child].computed:
            continue
        near = list(dict.fromkeys(one.parent for one in way.right(child)))
        near += [p for one in near if way.graph[one].computed for p in dict.fromkeys(s.parent for s in way.right(one))]
        for at, one in enumerate(near):
            for other in near[at + 1 :]:
                if way.shape(one) == way.shape(other) != () and one != other:
                    yield Case(Belief(exchange=(one, other)), one, f"{one} and {other}")


# -- activations -------------------------------------------------------------------------------------------------------


def is_bend(place: Place) -> bool:
    """Whether an activation, or another curve of one argument, is applied there element by element."""
    row = place.part.operation
    return not isinstance(row, ArrayOperation) and len(row.arguments) == 1 and row.name not in ("neg", "sqrt", "ln")


def slope_formula(place: Place) -> Formula:
    return row_formula(place.part.operation.partials[0])


def bent(alternatives: Callable[[WayBack, Place], Iterable[Formula | str]]) -> Cases:
    return at_places(lambda way, place: alternatives(way, place) if is_bend(place) else ())


def other_variable(way: WayBack, place: Place) -> Iterator[Formula]:
    """f'(a) for f'(z), and for slopes written in a the same with z put in."""
    partial = slope_formula(place)
    again = with_args(place.part, [Y])
    yield algebra.multiply(G, with_letters(partial, {"u": Y, "y": again}))
    if any(isinstance(part, Ref) and part.name == "y" for part in postorder(partial)):
        yield algebra.multiply(G, with_letters(partial, {"y": U}))
    yield from (slope_at(place, name) for name in stages(way, place))


def stages(way: WayBack, place: Place) -> list[str]:
    """What goes into an activation, before it is shifted and stretched: the z behind gamma z + beta."""
    wanted = [part.name for part in postorder(place.part.args[0]) if isinstance(part, Ref)]
    own = wanted[0] if isinstance(place.part.args[0], Ref) else ""
    found: list[str] = []
    while wanted:
        name = wanted.pop(0)
        definition = way.graph[name].definition if name in way.graph and name not in found else None
        if definition is None or name not in way.shapes.names or way.shapes.names[name] != place.shape:
            continue
        found.append(name)
        parts = [part for part in postorder(definition) if isinstance(part, Apply)]
        if all(part.operation.name in STRETCHING for part in parts):
            wanted += [part.name for part in postorder(definition) if isinstance(part, Ref)]
    return [name for name in found if name != own and name not in LETTERS]


STRETCHING = frozenset(("+", "-", "*", "/", "neg", "reshape", "spread"))


def slope_at(place: Place, name: str) -> Formula:
    """The right slope, at the value of another quantity."""
    other = Ref(name)
    row = with_args(place.part, [other])
    return algebra.multiply(G, with_letters(slope_formula(place), {"u": other, "y": row}))


def with_letters(formula: Formula, letters: dict[str, Formula]) -> Formula:
    if isinstance(formula, Ref):
        return letters.get(formula.name, formula)
    return fold(
        formula,
        lambda part: letters.get(part.name, part) if isinstance(part, Ref) else part,
        lambda part, args: algebra.make(part.operation, args, part.params),
    )


CURVES = ("sigmoid", "tanh", "relu", "softplus", "exp", "sin")
WRITTEN_OUT = ("sigmoid", "tanh", "exp", "sin")
"""Those that may be mistaken for a curve that is written out. The slope of relu is 1 for what is positive, and that of
softplus is a part of that of z sigmoid(z): these are other mistakes."""


def other_function(way: WayBack, place: Place) -> Iterator[Formula]:
    """The slope of another function, in z or in a; and parts of the right slope."""
    for name in CURVES:
        if name == place.name:
            continue
        row = OPERATIONS[name, 1]
        partial = row_formula(row.partials[0])
        if name != "exp":  # whose slope is its value: that is another mistake
            yield algebra.multiply(G, with_letters(partial, {"y": Y}))
        yield algebra.multiply(G, with_letters(partial, {"y": Apply(row, (U,))}))
    if place.name == "tanh":
        yield row_formula("g*(1 - y)")
        yield row_formula("g*(1 + y^2)")
    if place.name == "relu":
        yield row_formula("g*(step(u) + 0.01*(1 - step(u)))")


def other_functions(way: WayBack) -> Iterator[Case]:
    """The slope of another function: of an activation, and of a curve that is written out (z sigmoid(z))."""
    yield from bent(other_function)(way)
    for child in way.names:
        name = curve_of(way, child)
        ways = [one for one in way.right(child) if one.parent == name]
        for curve in WRITTEN_OUT if ways else ():
            row = OPERATIONS[curve, 1]
            partial = row_formula(row.partials[0])
            for value in (Ref(child), Apply(row, (Ref(name),))):
                slope = algebra.multiply(Slope(way.of, child), with_letters(partial, {"u": Ref(name), "y": value}))
                yield Case(in_all(child, name, slope), name, f"in {child}", frozenset([name]))


def curve_of(way: WayBack, child: str) -> str:
    """The quantity that a curve of several operations is of, element by element; "" where a quantity is no such."""
    definition = way.graph[child].definition
    parts = postorder(definition) if definition is not None else []
    names = {part.name for part in parts if isinstance(part, Ref)}
    rows = [part.operation for part in parts if isinstance(part, Apply)]
    if len(names) != 1 or len(rows) < 2 or any(isinstance(row, ArrayOperation) for row in rows):
        return ""
    name = names.pop()
    return name if way.shape(name) == way.shape(child) and name in way.names else ""


def in_all(child: str, name: str, formula: Formula) -> Belief:
    """One formula for all that a quantity gets from another."""

    def sent(asked: str, found: list[Sent]) -> list[Sent]:
        mine = [one for one in found if one.parent == name]
        return [*(one for one in found if one.parent != name), *(replace(one, formula=formula) for one in mine[:1])]

    return Belief(sent=sent, children=frozenset([child]))


def half_slope(way: WayBack, place: Place) -> Iterator[str]:
    if place.name == "sigmoid":
        yield from ("g*(1 - y)", "g*y*y", "g*(1 - y)*(1 - y)")
    if place.name == "tanh":
        yield from ("g*y^2", "g*(1 - y)*(1 - y)")
    if place.name == "sqrt":
        yield from ("g/y", "g/2", "g/(2*u)")


def value_for_slope(way: WayBack, place: Place) -> Iterator[str]:
    if place.name != "exp":
        yield "g*y"
        yield "g*u"


def inverted(way: WayBack, place: Place) -> Iterator[str]:
    if place.name == "relu":
        yield "g*(1 - step(u))"
        yield "g*step(-u)"


def mask_by_sign(way: WayBack, place: Place) -> Iterator[str]:
    if place.name == "relu":
        yield "g*step(g)"
        yield "g*step(g)*step(u)"


def slope_twice_over(way: WayBack, place: Place) -> Iterator[Formula]:
    """The slope of an activation once more, as when p - y has it in it already."""
    partial = slope_formula(place)
    yield algebra.multiply(algebra.multiply(G, partial), partial)


def chains(way: WayBack) -> Iterator[list[str]]:
    """The outputs of activations that follow each other, all of one shape, behind what goes into the first."""
    bends = {place.child for place in way.places if is_bend(place) and way.is_root(place)}
    for name in way.names:
        chain = [name] if name in bends else []
        while chain:
            before = [
                other
                for middle in way.graph.parents(chain[0])
                for other in way.graph.parents(middle)
                if way.shape(other) == way.shape(name) and (other in bends or way.graph[other].kind == "input")
            ]
            if not before or before[0] in chain:
                break
            chain.insert(0, before[0])
        if len(chain) > 2:
            yield chain


def shifted(*, slopes: bool) -> Cases:
    """Along such a chain, everywhere the value of the step after or before: in slopes, or in what weights get."""

    def cases(way: WayBack) -> Iterator[Case]:
        for chain in chains(way):
            for shift in (1, -1):
                new = {old: chain[at + shift] for at, old in enumerate(chain) if 0 <= at + shift < len(chain)}

                def sent(child: str, found: list[Sent], new: dict[str, str] = new) -> list[Sent]:
                    return [
                        replace(one, formula=all_renamed(one.formula, new))
                        if slopes == (not is_weight_of(way, one))
                        else one
                        for one in found
                    ]

                children = frozenset(chain) if slopes else frozenset(way.names)
                yield Case(Belief(sent=sent, children=children), "", "at every step")

    return cases


def is_weight_of(way: WayBack, one: Sent) -> bool:
    return way.graph[one.parent].kind in ("weight", "bias")


def all_renamed(formula: Formula, new: dict[str, str]) -> Formula:
    def leaf(part: Num | Ref | Slope) -> Formula:
        return Ref(new.get(part.name, part.name)) if isinstance(part, Ref) else part

    return leaf(formula) if isinstance(formula, Ref) else fold(formula, leaf, with_args)


def other_layer(way: WayBack) -> Iterator[Case]:
    yield from bent(mask_of_another)(way)
    yield from shifted(slopes=True)(way)


def mask_of_another(way: WayBack, place: Place) -> Iterator[Formula]:
    """The right slope taken at another layer's numbers."""
    own = place.part.args[0]
    near = {place.child, *([own.name] if isinstance(own, Ref) else ()), *stages(way, place)}
    for quantity in way.quantities:
        if quantity.shape == place.shape and quantity.name not in LETTERS | near:
            yield slope_at(place, quantity.name)


def slope_lost(way: WayBack) -> Iterator[Case]:
    yield from bent(lambda w, p: ["g"])(way)
    # the same for one line only: dW = X.T @ dA, where dZ belongs
    for name in way.names:
        bends = [
            child
            for child in way.graph.children(name)
            if child in way.names and any(is_bend(p) and way.is_root(p) for p in way.places if p.child == child)
        ]
        if len(way.graph.children(name)) != 1 or len(bends) != 1 or not way.graph[name].computed:
            continue
        for one in way.right(name):
            yield sends(name, one, slopes_by(one.formula, name, bends[0]))


def slopes_by(formula: Formula, name: str, other: str) -> Formula:
    """The formula with the derivative by another quantity."""

    def leaf(part: Num | Ref | Slope) -> Formula:
        return Slope(part.of, other) if isinstance(part, Slope) and part.by == name else part

    if isinstance(formula, Slope):
        return leaf(formula)
    return fold(formula, leaf, with_args)


# -- the batch ---------------------------------------------------------------------------------------------------------


def stretched(one: Sent, way: WayBack) -> tuple[Formula, tuple[int, ...], Shape] | None:
    """What is summed because the name was stretched over a batch: the inside, the axes, and its shape."""
    formula = one.formula
    if not isinstance(formula, Apply) or formula.operation.name != "sum":
        return None
    inside = formula.args[0]
    shape = way.shapes.of(inside)
    if len(shape) < 1 or shape == way.shape(one.parent):
        return None
    return inside, axes_of(dict(formula.params)["axis"], len(shape)), shape


def not_summed(way: WayBack, one: Sent) -> Iterator[Formula]:
    if (found := stretched(one, way)) is not None:
        yield found[0]


def bias_averaged(way: WayBack, one: Sent) -> Iterator[Formula]:
    if (found := stretched(one, way)) is not None:
        inside = found[0]
        while isinstance(inside, Apply) and inside.operation.name == "sum":
            inside = inside.args[0]
        whole = way.shapes.of(inside)
        count = int(np.prod(whole)) // max(1, int(np.prod(way.shape(one.parent))))
        sizes = {count, *(size for size in whole if count % size == 0)}
        for size in sizes - {1}:
            yield times(Fraction(1, size), one.formula)


def one_row_only(way: WayBack, one: Sent) -> Iterator[Formula]:
    if (found := stretched(one, way)) is not None and len(found[1]) == 1:
        inside, (axis,), shape = found
        for row in (shape[axis] - 1, 0):
            yield node("index", inside, key=(*[(None, None, None)] * axis, row))
    # of a product X.T @ g, in which the sum over the batch hides: the outer product of one row
    formula = one.formula
    if isinstance(formula, Apply) and formula.operation.name == "@":
        left, right = formula.args
        shapes = way.shapes.of(left), way.shapes.of(right)
        if len(shapes[0]) == len(shapes[1]) == 2 and way.graph[one.parent].kind == "weight" and shapes[0][1] > 1:
            for row in (shapes[0][1] - 1, 0):
                column = node("index", left, key=((None, None, None), row))
                line = node("index", right, key=(row,))
                yield node("outer", column, line)


def wrong_axis(way: WayBack, one: Sent) -> Iterator[Formula]:
    if (found := stretched(one, way)) is None:
        return
    inside, axes, shape = found
    keep = bool(dict(one.formula.params)["keepdims"]) if isinstance(one.formula, Apply) else False
    for axis in range(len(shape)):
        if (axis,) != axes:
            yield node("sum", inside, axis=axis, keepdims=keep)
            yield node("sum", inside, axis=axis, keepdims=not keep)
    yield node("sum", inside)


def axis_kept(way: WayBack, name: str) -> Iterator[Callable[[Any], Any]]:
    """The right numbers with axes of size 1 too many, or too few."""
    shape = way.shape(name)
    if shape:
        yield lambda value: np.expand_dims(value, 0)
        yield lambda value: np.expand_dims(value, -1)
        if 1 in shape:
            yield np.squeeze
        if len(shape) == 1:
            yield lambda value: np.reshape(value, (1, 1, -1))
        if len(shape) > 1:
            yield lambda value: np.reshape(value, -1)


def batches(way: WayBack) -> list[int]:
    """What the loss is divided by: the number of terms of its mean, or of the examples in it."""
    sizes: dict[int, None] = {}
    for place in way.places:
        if place.shape != ():
            continue
        if place.name == "mean":
            sizes |= dict.fromkeys((int(np.prod(place.wanted)), *place.wanted[:1]))
        if place.name == "/" and place.k == 0 and (by := algebra.constant(place.part.args[1])) is not None:
            sizes |= {int(by): None} if by.denominator == 1 else {}
        if place.name == "*" and (by := algebra.constant(place.part.args[1 - place.k])) is not None:
            sizes |= {by.denominator: None} if by.numerator == 1 else {}
    examples = {size for quantity in way.graph.quantities for size in quantity.shape}
    return [size for size in sizes if size > 1 and (size in examples or size > 2)]


def example_counts(way: WayBack) -> list[int]:
    """What may be the number of examples."""
    sizes: dict[int, None] = {}
    for quantity in way.graph.quantities:
        if len(quantity.shape) > 1 and quantity.kind in ("input", "target"):
            sizes |= {quantity.shape[0]: None, quantity.shape[-1]: None}
    return [size for size in sizes if size > 1]


def has_mean(way: WayBack) -> bool:
    """Whether the loss is divided by something, so that 1/n is in it."""
    return any(place.name in ("mean", "/") and place.shape == () for place in way.places)


def mean_sizes(place: Place) -> list[int]:
    count = int(np.prod(place.wanted)) // max(1, int(np.prod(place.shape)))
    return list(dict.fromkeys(size for size in (count, *place.wanted) if 1 < size <= count))


def shrinks_to_output(way: WayBack, place: Place) -> bool:
    """Whether a mean is one over the whole batch: that of the loss, not of a normalisation."""
    return place.shape == ()


def mean_forgotten(way: WayBack) -> Iterator[Case]:
    def lost(w: WayBack, place: Place) -> Iterator[Formula]:
        if place.name == "mean" and shrinks_to_output(w, place):
            for size in mean_sizes(place):
                yield times(size, place.right)
        divided = place.name == "/" and place.k == 0 and not varies(place, 1) and not place.shape
        if divided and algebra.constant(place.part.args[1]) != 2:
            yield G

    yield from at_places(lost)(way)
    if has_mean(way):
        for size in batches(way):
            yield from written(scaled(size))(way)


def mean_twice(way: WayBack) -> Iterator[Case]:
    def twice(w: WayBack, place: Place) -> Iterator[Formula]:
        if place.name == "mean" and shrinks_to_output(w, place):
            for size in mean_sizes(place):
                yield times(Fraction(1, size), place.right)
        if place.name == "/" and place.k == 0 and not varies(place, 1) and not place.shape:
            yield row_formula("g/v/v")

    yield from at_places(twice)(way)
    if has_mean(way):
        for size in batches(way):
            yield from written(scaled(1 / size))(way)


def mean_for_sum(way: WayBack) -> Iterator[Case]:
    if not has_mean(way):
        for size in example_counts(way):
            yield from written(scaled(1 / size))(way)
            yield from scaled_everywhere(way, Fraction(1, size))


def varies(place: Place, k: int) -> bool:
    return any(isinstance(part, Ref) for part in postorder(place.part.args[k]))


def scaled_everywhere(way: WayBack, factor: Fraction) -> Iterator[Case]:
    """What leaves the loss, times a factor."""
    child = way.of

    def sent(name: str, found: list[Sent]) -> list[Sent]:
        return [replace(one, formula=times(factor, one.formula)) for one in found]

    first = way.right(child)
    yield Case(Belief(sent=sent, children=frozenset([child])), first[0].parent if first else "", f"in {child}")


# -- ways that meet ----------------------------------------------------------------------------------------------------


def identity(one: Sent) -> bool:
    """Whether it sends on just what came."""
    return isinstance(one.formula, (Slope, Num))


def keeping(name: str, choose: Callable[[list[Arrived]], list[Arrived]], words: str = "") -> Case:
    def keep(quantity: str, arrived: list[Arrived]) -> list[Arrived]:
        return choose(arrived) if quantity == name else arrived

    return Case(Belief(keep=keep), name, words, frozenset([name]))


def forks(way: WayBack) -> Iterator[tuple[str, list[Sent]]]:
    """The quantities from which several ways lead on."""
    for name in way.names:
        ways = way.ways_to(name)
        if len(ways) > 1:
            yield name, ways


def only(indices: Sequence[int]) -> Callable[[list[Arrived]], list[Arrived]]:
    return lambda arrived: [one for at, one in enumerate(arrived) if at in indices]


def shared_once(way: WayBack) -> Iterator[Case]:
    for name, ways in forks(way):
        if way.graph[name].kind in ("weight", "bias"):
            for at, one in enumerate(ways):
                yield keeping(name, only([at]), f"only in {one.child}")
    forks_ = [name for name, _ in forks(way) if way.graph[name].kind in ("weight", "bias")]
    for last in (True, False) if len(forks_) > 1 else ():

        def keep(quantity: str, arrived: list[Arrived], last: bool = last) -> list[Arrived]:
            return arrived[-1:] if last and quantity in forks_ else arrived[:1] if quantity in forks_ else arrived

        yield Case(
            Belief(keep=keep), "", f"only in the {'last' if last else 'first'} place, each of {', '.join(forks_)}"
        )


def skips(ways: Sequence[Sent]) -> tuple[list[int], list[int]] | None:
    skips = [at for at, one in enumerate(ways) if identity(one)]
    others = [at for at in range(len(ways)) if at not in skips]
    return (skips, others) if skips and others else None


def skip_dropped(way: WayBack) -> Iterator[Case]:
    for name, ways in forks(way):
        if way.graph[name].kind not in ("weight", "bias") and (found := skips(ways)):
            yield keeping(name, only(found[1]), f"into {ways[found[0][0]].child}")
    # x + f(x) inside one formula of the same quantity is two occurrences, and found above


def skip_only(way: WayBack) -> Iterator[Case]:
    for name, ways in forks(way):
        if way.graph[name].kind not in ("weight", "bias") and (found := skips(ways)):
            yield keeping(name, only(found[0]), f"into {ways[found[0][0]].child}")


def overwritten(way: WayBack) -> Iterator[Case]:
    for name, ways in forks(way):
        children = list(dict.fromkeys(one.child for one in ways))
        for child in children:
            kept = [at for at, one in enumerate(ways) if one.child == child]
            if len(children) > 1:
                yield keeping(name, only(kept), f"only the way through {child} is left")
        if len(children) == 1 or len(ways) > len(children):
            for at in range(len(ways)):
                yield keeping(name, only([at]), "only one way is left")

    yield from rows_assigned(way)

    def last_everywhere(first: bool) -> Case:
        def keep(quantity: str, arrived: list[Arrived]) -> list[Arrived]:
            return arrived[:1] if first else arrived[-1:]

        return Case(Belief(keep=keep), "", "everywhere")

    yield last_everywhere(True)
    yield last_everywhere(False)


def rows_assigned(way: WayBack) -> Iterator[Case]:
    """Rows of a table assigned where something had come to them already: dE[rows] = g."""
    for place in way.places:
        arg = place.part.args[place.k]
        if place.name != "gather" or place.k != 0 or not isinstance(arg, Ref) or len(way.ways_to(arg.name)) < 2:
            continue

        def keep(
            quantity: str, arrived: list[Arrived], name: str = arg.name, child: str = place.child
        ) -> list[Arrived]:
            mine = [one for one in arrived if one.way.child == child]
            if quantity != name or len(mine) != 1:
                return arrived
            met = np.any(mine[0].value != 0, axis=tuple(range(1, mine[0].value.ndim)), keepdims=True)
            return [one if one is mine[0] else replace(one, value=np.where(met, 0, one.value)) for one in arrived]

        for changes in ((), ((place, Apply(LAST_ROW, (G, V), params=(("shape", place.wanted),))),)):
            yield Case(Belief(changes=changes, keep=keep), arg.name, f"in {place.child}", frozenset([arg.name]))


def straight_across(way: WayBack) -> Iterator[Case]:
    """Of the ways of a drawn unit only the one level with it, or the nearest to that."""
    if not any(one.place is not None and one.place.row for one in way.quantities):
        return

    def row(name: str) -> int:
        place = way.graph[name].place
        return place.row if place is not None else 0

    def keep(name: str, arrived: list[Arrived]) -> list[Arrived]:
        if way.graph[name].place is None or len(arrived) < 2:
            return arrived
        best = min(arrived, key=lambda one: abs(row(one.way.child) - row(name)))
        return [one for one in arrived if one.way.child == best.way.child]

    yield Case(Belief(keep=keep), "", "everywhere")


def way_dropped(way: WayBack) -> Iterator[Case]:
    for name, ways in forks(way):
        if len(ways) > 2:
            for at, one in enumerate(ways):
                yield keeping(name, only([n for n in range(len(ways)) if n != at]), f"the way through {one.child}")


def averaged(way: WayBack) -> Iterator[Case]:
    for name, ways in forks(way):
        yield Case(Belief(total=reporting({name: scaled(1 / len(ways))(way, name)[0]})), name)


# -- paths through a normalisation -------------------------------------------------------------------------------------


def is_norm(place: Place) -> bool:
    return place.name in ("batchnorm", "layernorm") and place.k == 0


def norm_parts(place: Place) -> tuple[Formula, Formula, Formula, Formula]:
    """Of the row's way back: what comes (g times the scale), its mean, the part along the variance, and the root."""
    formula = place.right
    assert isinstance(formula, Apply) and formula.operation.name == "/"
    above, root = formula.args
    assert isinstance(above, Apply) and above.operation.name == "-"
    left, along = above.args
    assert isinstance(left, Apply)
    sent, mean = left.args
    return sent, mean, along, root


def norm_paths(which: str) -> Cases:
    """Without the way through the mean, the variance, or both: in a row, in one formula, or as quantities."""

    def cases(way: WayBack) -> Iterator[Case]:
        def in_row(w: WayBack, place: Place) -> Iterator[Formula]:
            if not is_norm(place):
                return
            sent, mean, along, root = norm_parts(place)
            above = {
                "mean": algebra.subtract(sent, along),
                "variance": algebra.subtract(sent, mean),
                "both": sent,
            }[which]
            yield algebra.divide(above, root)

        yield from at_places(in_row)(way)
        means, variances = paths_in(way)
        for child in dict.fromkeys(place.child for place in (*means, *variances)):
            changes = {
                "mean": [p for p in means if p.child == child],
                "variance": [p for p in variances if p.child == child],
                "both": [p for p in (*means, *variances) if p.child == child],
            }[which]
            if changes and (which != "both" or len(changes) > 1):
                belief = Belief(changes=tuple((p, None) for p in changes))
                yield Case(belief, quantity_at(way, changes[0]), f"in {child}")
        yield from norm_quantities(way, which)

    return cases


def paths_in(way: WayBack) -> tuple[list[Place], list[Place]]:
    """Inside a formula: where a mean is taken of a name, and where one of squares is taken below a root."""
    means: list[Place] = []
    variances: list[Place] = []
    for place in way.places:
        if place.name != "mean" or place.shape == ():
            continue
        inside = place.part.args[0]
        if isinstance(inside, Apply) and inside.operation.name in ("^", "*"):
            variances.append(place)
        elif not any(
            isinstance(part, Apply) and part.operation.name in ("^", "*") for part in postorder(inside)
        ) and not inside_a_square(way, place):
            means.append(place)
    return means, variances


def inside_a_square(way: WayBack, place: Place) -> bool:
    """Whether a mean stands inside a variance, where it counts for nothing."""
    return any(
        other.child == place.child
        and other.name == "mean"
        and other.part is not place.part
        and any(part is place.part for part in postorder(other.part.args[0]))
        for other in way.places
    )


def kind_of(way: WayBack, name: str) -> str:
    """Whether a quantity is a mean or a variance of something, or made of one only."""
    quantity = way.graph[name]
    definition = quantity.definition
    if not quantity.computed or definition is None or quantity.shape == ():
        return ""
    if isinstance(definition, Apply):
        if definition.operation.name == "var":
            return "variance"
        core = definition
        if core.operation.name == "/" and isinstance(core.args[0], Apply):
            core = core.args[0]
        if core.operation.name in ("mean", "sum"):
            inside = core.args[0]
            squared = isinstance(inside, Apply) and inside.operation.name in ("^", "*")
            if squared or any(squares(way, part.name) for part in postorder(inside) if isinstance(part, Ref)):
                return "variance"
            return "mean"
        if core.operation.name in ("sqrt", "/", "^", "+"):
            below = [part.name for part in postorder(definition) if isinstance(part, Ref)]
            if len(below) == 1 and kind_of(way, below[0]) == "variance":
                return "variance"
    return ""


def squares(way: WayBack, name: str) -> bool:
    definition = way.graph[name].definition
    return isinstance(definition, Apply) and definition.operation.name == "^"


def norm_quantities(way: WayBack, which: str) -> Iterator[Case]:
    """Where mean and variance are quantities: nothing goes on from them, or to them."""
    kinds = {name: kind_of(way, name) for name in way.names}
    wanted = ("mean", "variance") if which == "both" else (which,)
    chosen = frozenset(name for name, kind in kinds.items() if kind in wanted)
    if not chosen or (which == "both" and len({kinds[name] for name in chosen}) < 2):
        return

    def silent(child: str, found: list[Sent]) -> list[Sent]:
        return []

    yield Case(Belief(sent=silent, children=chosen), next(iter(sorted(chosen))), f"through {', '.join(sorted(chosen))}")
    for name in sorted(chosen):
        if which != "both":
            yield Case(Belief(sent=silent, children=frozenset([name])), name, f"through {name}")

    def nothing_to(quantity: str, arrived: list[Arrived]) -> list[Arrived]:
        return [] if quantity in chosen else arrived

    yield Case(Belief(keep=nothing_to), next(iter(sorted(chosen))), f"to {', '.join(sorted(chosen))}")


def norm_axis(way: WayBack, place: Place) -> Iterator[Formula]:
    """The means of a normalisation along another axis."""
    if not is_norm(place):
        return
    right = place.right
    for axis in range(len(place.wanted)):
        told = dict(mean_params(right))
        if told.get("axis") not in (axis, (axis,)):
            yield with_axis(right, axis)


def mean_params(formula: Formula) -> tuple[tuple[str, Any], ...]:
    for part in postorder(formula):
        if isinstance(part, Apply) and part.operation.name == "mean":
            return part.params
    return ()


def with_axis(formula: Formula, axis: int) -> Formula:
    def combine(part: Apply, args: Sequence[Formula]) -> Formula:
        if part.operation.name == "mean" and not is_plain_mean(part):
            return node("mean", *args, axis=axis, keepdims=True)
        return with_args(part, args)

    return fold(formula, lambda part: part, combine)


def is_plain_mean(part: Apply) -> bool:
    """The mean of the input itself, which the forward pass has."""
    return isinstance(part.args[0], Ref) and part.args[0].name == "u"


# -- softmax, losses ---------------------------------------------------------------------------------------------------


def softmax_axis(place: Place) -> str:
    return f"axis={param_text(dict(place.part.params)['axis'])}"


def diagonal(way: WayBack, place: Place) -> Iterator[str]:
    if place.name == "softmax":
        yield "g*y*(1 - y)"


def no_dot(way: WayBack, place: Place) -> Iterator[str]:
    if place.name == "softmax":
        yield "g*y"
        yield f"y*(g - sum(g, {softmax_axis(place)}, keepdims=true))"
        yield f"g - sum(g*y, {softmax_axis(place)}, keepdims=true)"
        yield f"y*(g + sum(g*y, {softmax_axis(place)}, keepdims=true))"
    if place.name == "log_softmax":
        softmax = f"softmax(u, {softmax_axis(place)})"
        yield "g"
        yield f"g - {softmax}*g"
        yield f"g - sum(g, {softmax_axis(place)}, keepdims=true)"


def softmax_other_axis(way: WayBack, place: Place) -> Iterator[str]:
    if place.name == "softmax" and len(place.wanted) > 1:
        own = axes_of(dict(place.part.params)["axis"], len(place.wanted))
        for axis in range(len(place.wanted)):
            if (axis,) != own:
                yield f"y*(g - sum(g*y, axis={axis}, keepdims=true))"
        yield "y*(g - sum(g*y))"


def stops_before_softmax(way: WayBack, place: Place) -> Iterator[str]:
    if place.name == "softmax":
        yield "g"
    if place.name == "cross_entropy_logits" and place.k == 0:
        target = one_hot(place)
        yield f"{wide(place)}*(0 - {target}/softmax(u))"


def one_hot(place: Place) -> str:
    given, target = place.shapes
    return "v" if given == target else f"one_hot(v, size={given[-1]})"


def wide(place: Place) -> str:
    return f"spread(g, shape={param_text(place.wanted)}, axis=-1)"


def slope_twice(way: WayBack, place: Place) -> Iterator[str]:
    if place.name == "softmax":
        yield f"y*(g - sum(g*y, {softmax_axis(place)}, keepdims=true))*y*(1 - y)"
    if place.name == "cross_entropy_logits" and place.k == 0:
        yield f"{wide(place)}*(softmax(u) - {one_hot(place)})*softmax(u)*(1 - softmax(u))"


def diagonal_of_loss(way: WayBack, place: Place) -> Iterator[str]:
    """-y/p times p(1 - p): the diagonal, in the combined row."""
    if place.name == "cross_entropy_logits" and place.k == 0:
        yield f"0 - {wide(place)}*{one_hot(place)}*(1 - softmax(u))"


def softmax_diagonal(way: WayBack) -> Iterator[Case]:
    yield from at_places(diagonal)(way)
    yield from at_places(diagonal_of_loss)(way)


def logits_for_probabilities(way: WayBack, place: Place) -> Iterator[str]:
    if place.name == "cross_entropy_logits" and place.k == 0:
        yield f"{wide(place)}*(u - {one_hot(place)})"
    if is_before_cross_entropy(way, place):
        yield f"g*y - u*sum(g*y, {softmax_axis(place)}, keepdims=true)"  # what comes is -t/p times 1 or 1/n


def is_before_cross_entropy(way: WayBack, place: Place) -> bool:
    """Whether a softmax is a quantity of its own, and the cross-entropy all that it goes into."""
    if place.name != "softmax" or not way.is_root(place):
        return False
    children = way.graph.children(place.child)
    definition = way.graph[children[0]].definition if len(children) == 1 else None
    parts = postorder(definition) if definition is not None else ()
    return any(isinstance(part, Apply) and part.operation.name == "cross_entropy" for part in parts)


def target_left_out(way: WayBack, place: Place) -> Iterator[str | Formula]:
    if is_before_cross_entropy(way, place):
        yield f"0 - y*sum(g*y, {softmax_axis(place)}, keepdims=true)"
    if place.name == "cross_entropy_logits" and place.k == 0:
        yield f"{wide(place)}*softmax(u)"
    if place.name == "^" and place.k == 0 and (inner := target_difference(way, place)) is not None:
        exponent = place.part.args[1]
        kept = inner.args[0]
        if any(isinstance(part, Ref) and part.name in LETTERS for part in postorder(kept)):
            kept = algebra.add(U, inner.args[1])  # the same, without names that are letters of the row
        letters = LETTERS - {"u"}
        if isinstance(exponent, Num) and not any(isinstance(p, Ref) and p.name in letters for p in postorder(kept)):
            yield algebra.multiply(times(exponent.value, G), kept)
            yield algebra.multiply(times(-exponent.value, G), kept)  # as for (t - a)


def target_difference(way: WayBack, place: Place) -> Apply | None:
    """(a - t) inside a power, t being a target."""
    inside = place.part.args[0]
    if not isinstance(inside, Apply) or inside.operation.name != "-" or not isinstance(inside.args[1], Ref):
        return None
    return inside if way.graph[inside.args[1].name].kind in ("target", "input") else None


def target_differentiated(way: WayBack, place: Place) -> Iterator[str]:
    other = place.part.args[1] if place.name == "-" and place.k == 0 else None
    if isinstance(other, Ref) and way.graph[other.name].kind == "target":
        yield "g*(1 - v)"
        yield "g*(0 - v)"


def sign_at_loss(way: WayBack) -> Iterator[Case]:
    """What leaves the loss with the other sign."""
    child = way.of
    changed = negated(way, child)
    if changed is not None:
        yield changed
    # the difference of output and target turned round, wherever it stands
    for name in way.names[1:]:
        definition = way.graph[name].definition
        if (
            isinstance(definition, Apply)
            and definition.operation.name
            in (
                "-",
                "cross_entropy",
                "cross_entropy_logits",
                "ln",
            )
            and (made := negated(way, name)) is not None
        ):
            yield made
    yield from at_places(
        lambda w, p: (
            [algebra.negate(p.right)] if p.name in ("cross_entropy_logits", "cross_entropy") and p.k == 0 else ()
        )
    )(way)


def negated(way: WayBack, child: str) -> Case | None:
    ways = way.right(child)
    if not ways:
        return None

    def sent(name: str, found: list[Sent]) -> list[Sent]:
        return [replace(one, formula=algebra.negate(one.formula)) for one in found]

    return Case(Belief(sent=sent, children=frozenset([child])), ways[0].parent, f"in {child}")


def minus_lost(way: WayBack, place: Place) -> Iterator[Formula]:
    if place.name == "-" and place.k == 1:
        yield G
    if place.name == "neg":
        yield G
    if place.name == "/" and place.k == 1:
        yield row_formula("g*y/v")


def sign_lost(way: WayBack) -> Iterator[Case]:
    yield from at_places(minus_lost)(way)
    for name in way.names:
        for one in way.right(name) if way.graph[name].computed else ():
            yield sends(name, one, algebra.negate(one.formula))
    yield from written(scaled(-1))(way)


def in_loss(way: WayBack, place: Place) -> bool:
    """Whether a place is in a formula of a single number."""
    return way.shape(place.child) == ()


def loss_factor(way: WayBack) -> Iterator[Case]:
    def lost(w: WayBack, place: Place) -> Iterator[Formula]:
        if place.name == "^" and place.k == 0 and isinstance(power := place.part.args[1], Num) and power.value != 1:
            yield algebra.divide(place.right, power) if power.value != 2 else row_formula("g*u")
        if place.name == "/" and place.k == 0 and algebra.constant(place.part.args[1]) == 2 and in_loss(w, place):
            yield G
        if (
            place.name == "*"
            and algebra.constant(place.part.args[1 - place.k]) in (Fraction(1, 2), 2)
            and in_loss(w, place)
        ):
            yield G

    yield from at_places(lost, all_alike=False)(way)
    for factor in (Fraction(2), Fraction(1, 2)):
        yield from scaled_everywhere(way, factor)


def power_kept(way: WayBack, place: Place) -> Iterator[str]:
    if place.name == "^" and place.k == 0 and not varies(place, 1):
        yield "g*v*u^v"
        yield "g*y"
        yield "g*v"


def constant_lost(way: WayBack) -> Iterator[Case]:
    """A constant factor or divisor inside the network forgotten, or applied twice: 1/sqrt(d) of attention."""

    def lost(w: WayBack, place: Place) -> Iterator[Formula | str]:
        if place.name == "/" and place.k == 0 and place.shape != () and not learned(w, place, 1):
            yield G
            yield "g/v/v"
            yield "g*v"
        if place.name == "*" and place.shape != () and not learned(w, place, 1 - place.k):
            yield G
        root = place.part.args[1] if place.name == "/" and place.k == 0 and place.shape != () else None
        if isinstance(root, Apply) and root.operation.name == "sqrt" and not varies(place, 1):
            yield algebra.divide(G, root.args[0])

    return iter(at_places(lost)(way))


def learned(way: WayBack, place: Place, k: int) -> bool:
    """Whether anything but constants stands there."""
    names = [part.name for part in postorder(place.part.args[k]) if isinstance(part, Ref)]
    return any(way.graph[name].kind != "constant" for name in names)


def mask_lost(way: WayBack) -> Iterator[Case]:
    """A mask or a gate that is applied going forward only."""

    def lost(w: WayBack, place: Place) -> Iterator[str | Formula]:
        if place.name == "dropout" and place.k == 0:
            yield "g"
            if dict(place.part.params)["keep"] != 1:
                yield "g*v"
        other = place.part.args[1 - place.k] if place.name == "*" else None
        if isinstance(other, Ref) and w.graph[other.name].kind == "input" and w.shape(other.name) == place.shape != ():
            yield "g"

    yield from at_places(lost)(way)
    yield from unmasked(way)


def unmasked(way: WayBack) -> Iterator[Case]:
    """A softmax that is worked out again without its mask for the way back, and the mask left out behind it or not."""
    for name in way.names:
        definition = way.graph[name].definition
        if definition is None or not any(is_softmax(part) for part in postorder(definition)):
            continue
        refs = dict.fromkeys(part.name for part in postorder(definition) if isinstance(part, Ref))
        masks = [ref for ref in refs if not way.graph[ref].computed and way.graph[ref].kind in ("input", "constant")]
        for mask in [one for one in masks if broadcasts(way.graph[one].shape, way.shape(name))]:
            for nothing in (algebra.ONE, algebra.ZERO):
                again = substitute_mask(definition, mask, nothing)
                if again is None:
                    continue
                for one in way.right(name):
                    inside = algebra.substitute(one.formula, {name: again})
                    yield sends(name, one, inside)
                    yield sends(name, one, algebra.substitute(inside, {mask: nothing}))


def is_softmax(part: Formula) -> bool:
    return isinstance(part, Apply) and part.operation.name in ("softmax", "masked_softmax")


def substitute_mask(definition: Formula, mask: str, nothing: Formula) -> Formula | None:
    """A formula as it is where nothing is masked; None where that has no meaning."""

    def combine(part: Apply, args: list[Formula]) -> Formula:
        if part.operation.name == "masked_softmax" and isinstance(part.args[1], Ref) and part.args[1].name == mask:
            return node("softmax", args[0], **dict(part.params))
        return algebra.make(part.operation, args, part.params)

    def leaf(part: Num | Ref | Slope) -> Formula:
        return nothing if isinstance(part, Ref) and part.name == mask else part

    try:
        found = fold(definition, leaf, combine)
    except IMPOSSIBLE:
        return None
    return found if any(is_softmax(part) for part in postorder(found)) else None


# -- upstream ----------------------------------------------------------------------------------------------------------


def upstream_forgotten(way: WayBack) -> Iterator[Case]:
    """The local derivative alone: 1 where the derivative of what follows stands."""
    for name in way.names[1:]:
        if not way.graph[name].computed:
            continue
        shape = way.shape(name)
        ones: Formula = node("ones", shape=shape) if shape else algebra.ONE
        changed = [replace(one, formula=slope_to(one.formula, name, ones)) for one in way.right(name)]

        def sent(child: str, found: list[Sent], changed: list[Sent] = changed) -> list[Sent]:
            return changed

        if changed:
            yield Case(Belief(sent=sent, children=frozenset([name])), changed[0].parent, f"in {name}")
        for one, other in zip(way.right(name), changed, strict=True):
            yield sends(name, one, other.formula)
            if isinstance(local := factor_beside(one.formula, name), Formula):
                yield sends(name, one, local)
        yield from without_upstream(way, name)


def without_upstream(way: WayBack, name: str) -> Iterator[Case]:
    """The slope where dL/dz belongs: what z gets from the one quantity it goes into, without what comes to that."""
    ways = way.ways_to(name)
    if len(ways) != 1 or not way.graph[name].computed:
        return
    (above,) = ways
    shape = way.shape(above.child)
    ones: Formula = node("ones", shape=shape) if shape else algebra.ONE
    local = slope_to(above.formula, above.child, ones)
    if isinstance(above.formula, Apply) and isinstance(beside := factor_beside(above.formula, above.child), Formula):
        local = beside
    for one in way.right(name):
        yield sends(name, one, slope_to(one.formula, name, local))


def factor_beside(formula: Formula, name: str) -> Formula | None:
    """Of a product with the derivative that comes, the other factor."""
    if isinstance(formula, Apply) and formula.operation.name in ("*", "@", "outer"):
        left, right = formula.args
        if isinstance(right, Slope) and right.by == name:
            return left
        if isinstance(left, Slope) and left.by == name:
            return right
    return None


def slope_to(formula: Formula, name: str, other: Formula) -> Formula:
    def leaf(part: Num | Ref | Slope) -> Formula:
        return other if isinstance(part, Slope) and part.by == name else part

    if isinstance(formula, Slope):
        return leaf(formula)
    return fold(formula, leaf, with_args)


def wrong_input(way: WayBack) -> Iterator[Case]:
    """The value of z where a stands in what a weight gets, or the other way round; the input of another layer."""
    yield from shifted(slopes=False)(way)
    for name in way.names:
        for one in way.right(name) if way.graph[name].computed else ():
            used = {part.name for part in postorder(one.formula) if isinstance(part, Ref)}
            for old in sorted(used):
                if old == name or way.graph[old].kind in ("weight", "bias", "constant"):
                    continue
                for quantity in way.quantities:
                    if quantity.shape == way.shape(old) != () and quantity.name not in (old, one.parent):
                        yield sends(name, one, renamed(one.formula, old, quantity.name))


def wrong_weight(way: WayBack) -> Iterator[Case]:
    """Another weight, or the values of what is differentiated, where a weight stands."""
    for name in way.names:
        for one in way.right(name) if way.graph[name].computed else ():
            used = {part.name for part in postorder(one.formula) if isinstance(part, Ref)}
            for old in sorted(used):
                if way.graph[old].kind != "weight":
                    continue
                for quantity in way.quantities:
                    if quantity.kind == "weight" and quantity.shape == way.shape(old) and quantity.name != old:
                        yield sends(name, one, renamed(one.formula, old, quantity.name))


def wrong_upstream(way: WayBack) -> Iterator[Case]:
    """The derivative of another quantity of the same shape carried on."""
    for name in way.names[1:]:
        if not way.graph[name].computed:
            continue
        later = way.names[1 : way.names.index(name)]
        for other in later:
            if way.shape(other) == way.shape(name):
                for one in way.right(name):
                    yield sends(name, one, slopes_by(one.formula, name, other))
                changed = [replace(one, formula=slopes_by(one.formula, name, other)) for one in way.right(name)]

                def sent(child: str, found: list[Sent], changed: list[Sent] = changed) -> list[Sent]:
                    return changed

                if len(changed) > 1:
                    yield Case(Belief(sent=sent, children=frozenset([name])), changed[0].parent, f"in {name}")


def renamed(formula: Formula, old: str, new: str) -> Formula:
    def leaf(part: Num | Ref | Slope) -> Formula:
        return Ref(new) if isinstance(part, Ref) and part.name == old else part

    if isinstance(formula, Ref):
        return leaf(formula)
    return fold(formula, leaf, with_args)


def weights_ignored(way: WayBack) -> Iterator[Case]:
    def ignored(w: WayBack, place: Place) -> Iterator[str | Formula]:
        if place.name in ("@", "*") and is_weight(w, place):
            yield "g"
        if place.name == "@" and is_weight(w, place) and list(map(len, place.shapes)) == [2, 2]:
            yield f"sum(g, axis={1 if place.k == 0 else 0}, keepdims=true)"  # the same sum, with ones for weights
        if is_norm(place):
            yield with_letters(place.right, {"v": algebra.ONE})

    return iter(at_places(ignored)(way))


def input_forgotten(way: WayBack) -> Iterator[Case]:
    """What comes back alone, without the value that a weight multiplies; and the weight's own product in its place."""

    def forgotten(w: WayBack, place: Place) -> Iterator[str]:
        arg = place.part.args[place.k]
        if isinstance(arg, Ref) and w.graph[arg.name].kind == "weight":
            scale = place.name in ("batchnorm", "layernorm", "rmsnorm") and place.k == 1
            if scale or place.name in ("*", "@"):
                yield "g"
                yield "g*y"
            if scale:
                yield "g*u"

    return iter(at_places(forgotten)(way))


def norm_factor(way: WayBack) -> Iterator[Case]:
    """The division by the spread of a normalisation left out, or turned round."""

    def factor(w: WayBack, place: Place) -> Iterator[Formula]:
        if is_norm(place):
            assert isinstance(place.right, Apply)
            above, root = place.right.args
            yield above
            yield algebra.multiply(above, root)
            yield algebra.divide(place.right, root)

    return iter(at_places(factor)(way))


def norm_sums(place: Place) -> Formula:
    """The way back of a normalisation with sums in place of means."""

    def combine(part: Apply, args: Sequence[Formula]) -> Formula:
        if part.operation.name == "mean" and not is_plain_mean(part):
            return node("sum", *args, **dict(part.params))
        return with_args(part, args)

    return fold(place.right, lambda part: part, combine)


def updated_weights(way: WayBack) -> Iterator[Case]:
    steps = [1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.003, 0.001, 1e-4]
    for quantity in way.graph.quantities:
        if quantity.shape == () and quantity.given is not None and quantity.kind == "constant":
            steps.append(float(quantity.given))
    weights = [quantity.name for quantity in way.quantities if quantity.kind == "weight"]
    for step in steps:
        yield Case(Belief(step=step), "", f"a step of {step:g}")
        for name in weights if len(weights) > 1 else ():
            yield Case(Belief(step=step, stepped=frozenset([name])), "", f"{name}, with a step of {step:g}")


def counted_twice(way: WayBack) -> Iterator[Case]:
    yield from written(scaled(2))(way)


def times_value(way: WayBack) -> Iterator[Case]:
    """The derivative times the value, and what would be left after a step."""
    # needs the numbers of a trial, so it is said by another formula of what is sent
    for name in way.names:
        for one in way.right(name) if way.graph[name].computed else ():
            if (way.shape(one.parent) == () or one.parent in way.names) and not divides(one.formula, one.parent):
                yield sends(name, one, algebra.multiply(one.formula, Ref(one.parent)))


def divides(formula: Formula, name: str) -> bool:
    """Whether a quotient by that value stands there: times the value is then a factor left out."""
    return any(
        isinstance(part, Apply)
        and part.operation.name == "/"
        and isinstance(part.args[1], Ref)
        and part.args[1].name == name
        for part in postorder(formula)
    )


# -- convolutions ------------------------------------------------------------------------------------------------------


def is_conv(place: Place) -> bool:
    return place.name in ("conv1d", "conv2d")


def spatial_axes(place: Place) -> int:
    return 1 if place.name == "conv1d" else 2


def flipped(formula: Formula, rank: int, axes: int) -> Formula:
    whole, turned = (None, None, None), (None, None, -1)
    return node("index", formula, key=(*[whole] * (rank - axes), *[turned] * axes))


def conv_options(place: Place) -> dict[str, Any]:
    options = dict(place.part.params)
    return {key: options[key] for key in ("stride", "padding", "dilation")}


def each(value: Any, axes: int) -> tuple[int, ...]:
    return cast("tuple[int, ...]", value) if isinstance(value, tuple) else (value,) * axes


def kernel_turned(way: WayBack, place: Place) -> Iterator[Formula]:
    """Towards the image, with the kernel turned round once too little (or too often)."""
    if is_conv(place) and place.k == 0:
        kernel = flipped(V, len(place.shapes[1]), spatial_axes(place))
        yield node("conv_back_image", G, kernel, shape=place.shapes[0], **conv_options(place))


def kernel_gradient_flipped(way: WayBack, place: Place) -> Iterator[Formula]:
    if is_conv(place) and place.k == 1:
        axes = spatial_axes(place)
        yield flipped(place.right, len(place.shapes[1]), axes)
        image = flipped(U, len(place.shapes[0]), axes)
        yield node("conv_back_kernel", G, image, shape=place.shapes[1], **conv_options(place))


def channels_exchanged(way: WayBack, place: Place) -> Iterator[Formula]:
    if is_conv(place) and len(place.shapes[1]) > 2 and place.shapes[1][0] == place.shapes[1][1]:
        axes = (1, 0, *range(2, len(place.shapes[1])))
        if place.k == 0:
            kernel = node("transpose", V, axes=axes)
            yield node("conv_back_image", G, kernel, shape=place.shapes[0], **conv_options(place))
        else:
            yield node("transpose", place.right, axes=axes)


def stride_ignored(way: WayBack, place: Place) -> Iterator[Formula]:
    """Window (i, j) taken to begin at (i, j), whatever the stride."""
    if not is_conv(place):
        return
    axes, told = spatial_axes(place), conv_options(place)
    stride, edge, gap = (each(told[key], axes) for key in ("stride", "padding", "dilation"))
    if set(stride) == {1}:
        return
    image, kernel, result = place.shapes[0], place.shapes[1][-axes:], place.shape[-axes:]
    seen = tuple(n + (k - 1) * d for n, k, d in zip(result, kernel, gap, strict=True))
    padded = tuple(n + 2 * p for n, p in zip(image[-axes:], edge, strict=True))
    front = image[: len(image) - axes]
    plain = {"stride": 1, "padding": 0, "dilation": told["dilation"]}
    whole = (None, None, None)
    if place.k == 0:
        back: Formula = node("conv_back_image", G, V, shape=(*front, *seen), **plain)
        if seen != padded:
            key = (*[whole] * len(front), *[(0, n, None) for n in seen])
            back = node("place", back, key=key, shape=(*front, *padded))
        yield cropped(back, len(front), edge, image[-axes:])
    else:
        inner = with_edge(U, front, edge, image[-axes:])
        key = (*[whole] * len(front), *[(0, n, None) for n in seen])
        yield node("conv_back_kernel", G, node("index", inner, key=key), shape=place.shapes[1], **plain)


def cropped(formula: Formula, lead: int, edge: Sequence[int], sizes: Shape) -> Formula:
    if not any(edge):
        return formula
    key = (*[(None, None, None)] * lead, *[(p, p + n, None) for p, n in zip(edge, sizes, strict=True)])
    return node("index", formula, key=key)


def with_edge(formula: Formula, front: Shape, edge: Sequence[int], sizes: Shape) -> Formula:
    if not any(edge):
        return formula
    key = (*[(None, None, None)] * len(front), *[(p, p + n, None) for p, n in zip(edge, sizes, strict=True)])
    shape = (*front, *[n + 2 * p for p, n in zip(edge, sizes, strict=True)])
    return node("place", formula, key=key, shape=shape)


def padding_ignored(way: WayBack, place: Place) -> Iterator[Formula]:
    """The edge not cut off, or cut off at one end; the kernel's gradient from the image without its edge."""
    if not is_conv(place):
        return
    axes, told = spatial_axes(place), conv_options(place)
    edge = each(told["padding"], axes)
    if not any(edge):
        return
    image = place.shapes[0]
    front, sizes = image[: len(image) - axes], image[-axes:]
    padded = tuple(n + 2 * p for n, p in zip(sizes, edge, strict=True))
    without = {**told, "padding": 0}
    whole = (None, None, None)
    if place.k == 0:
        back = node("conv_back_image", G, V, shape=(*front, *padded), **without)
        yield back
        for start in (0, 2):
            key = (*[whole] * len(front), *[(start * p, start * p + n, None) for p, n in zip(edge, sizes, strict=True)])
            yield node("index", back, key=key)
    else:
        for start in (0, 2):
            key = (*[whole] * len(front), *[(start * p, start * p + n, None) for p, n in zip(edge, sizes, strict=True)])
            shifted = node("place", U, key=key, shape=(*front, *padded))
            yield node("conv_back_kernel", G, shifted, shape=place.shapes[1], **without)


def overlapping(way: WayBack, place: Place) -> Iterator[Formula]:
    """Windows laid back over each other, and rows of a table met several times: the last one wins."""
    if is_conv(place) and place.k == 0:
        told = (("shape", place.wanted), *conv_options(place).items())
        yield Apply(LAST_WINDOW, (G, V), params=told)
        if len(place.shapes[1]) > 2:  # channel after channel: only the last one is left
            lead = len(place.shape) - spatial_axes(place) - 1
            channel = node("index", G, key=(*[(None, None, None)] * lead, (-1, None, None)))
            kernel = node("index", V, key=((-1, None, None),))
            yield Apply(LAST_WINDOW, (channel, kernel), params=told)
    if is_conv(place) and place.k == 1:  # a kernel whose derivative is assigned: the last image, the last window
        axes = spatial_axes(place)
        lead = len(place.shape) - axes
        for images in range(2 if len(place.shapes[0]) - axes > 1 else 1):
            for windows in (True, False):
                key = [(None, None, None)] * lead + [
                    (size - windows, size, None) if windows else (None, None, None) for size in place.shape[-axes:]
                ]
                if images:
                    key[0] = (place.shape[0] - 1, place.shape[0], None)
                if images or windows:
                    last = node("place", node("index", G, key=tuple(key)), key=tuple(key), shape=place.shape)
                    yield with_letters(place.right, {"g": last})
    if place.name == "gather" and place.k == 0:
        yield Apply(LAST_ROW, (G, V), params=(("shape", place.wanted),))


def last_window(_: Any, args: Sequence[Any], options: dict[str, Any]) -> Any:
    from backhand.core import arrays

    g: Any = np.asarray(args[0], np.float64)
    kernel: Any = np.asarray(args[1], np.float64)
    shape: Shape = options["shape"]
    axes = 1 if kernel.ndim in (1, 3) else 2
    told = [each(options[key], axes) for key in ("stride", "padding", "dilation")]
    places = arrays.places_of_windows(tuple(shape[-axes:]), kernel.shape[-axes:], *told)
    if kernel.ndim == axes:
        sent: Any = g.reshape(*g.shape[: g.ndim - axes], -1)[..., np.newaxis] * kernel.reshape(-1)
    else:
        rows: Any = np.moveaxis(g.reshape(*g.shape[: g.ndim - axes], -1), -2, -1)
        sent = rows @ kernel.reshape(kernel.shape[0], -1)
        sent = np.moveaxis(sent.reshape(*rows.shape[:-1], kernel.shape[1], -1), -2, -3)
    made: Any = np.zeros((*shape[: len(shape) - axes], int(np.prod(shape[-axes:]))))
    for window, where in enumerate(places):
        inside = where >= 0
        made[..., where[inside]] = sent[..., window, inside]
    return made.reshape(shape)


def last_row(_: Any, args: Sequence[Any], options: dict[str, Any]) -> Any:
    made = np.zeros(options["shape"])
    made[np.rint(np.asarray(args[1], np.float64)).astype(np.intp)] = args[0]
    return made


def row_of(name: str, compute: Callable[..., Any]) -> ArrayOperation:
    def shape(_: Sequence[Shape], options: dict[str, Any]) -> Shape:
        return options["shape"]

    back = ROW["conv_back_image"]
    return replace(back, name=name, shape=shape, compute=compute)


LAST_WINDOW, LAST_ROW = row_of("last window of", last_window), row_of("last row of", last_row)
"""Rows that no network has, for what only a program can do."""


def pool_to_all(way: WayBack) -> Iterator[Case]:
    """The derivative of a largest element given to all."""

    def to_all(w: WayBack, place: Place) -> Iterator[Formula]:
        if place.name in ("max", "min") and isinstance(place.part.operation, ArrayOperation):
            options = dict(place.part.params)
            wide = node("spread", G, shape=place.wanted, axis=options["axis"], keepdims=options["keepdims"])
            yield wide
            count = int(np.prod(place.wanted)) // max(1, int(np.prod(place.shape)))
            yield times(Fraction(1, count), wide)
        elif place.name in ("max", "min"):
            yield G

    return iter(at_places(to_all)(way))


def mean_spread(way: WayBack) -> Iterator[Case]:
    """A sum or mean inside the network, whose derivative is spread with the wrong factor."""

    def other(w: WayBack, place: Place) -> Iterator[Formula]:
        if place.name == "mean" and place.shape != ():
            for size in mean_sizes(place):
                yield times(size, place.right)
        if place.name == "sum":
            count = int(np.prod(place.wanted)) // max(1, int(np.prod(place.shape)))
            if count > 1:
                yield times(Fraction(1, count), place.right)
        if is_norm(place):
            yield norm_sums(place)

    return iter(at_places(other)(way))
