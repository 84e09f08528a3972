"""The table of mistakes that backward code has: each is the way back with one rule replaced. One row a mistake.

    activation-slope-lost | ACT1 | f' := 1

A row never holds a wrong number: it says at which places of a network somebody may follow which other rule, and
`replay` computes what that program gives. `id` is that of the catalogue of misconceptions, where it has one. Rows stand in
the order in which they are believed: where two give the same numbers on a network, the first is named and the other
mentioned.

To add a mistake, add a row: a function of a WayBack that yields a Case for every place where it can be made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from backhand.checking.replay import IMPOSSIBLE, Arrived, Belief, Place, WayBack
from backhand.core import algebra
from backhand.core.adjoints import Sent
from backhand.core.array_operations import ArrayOperation, Shape, axes_of, node
from backhand.core.evaluate import row_formula
from backhand.core.formula import Apply, Formula, Num, Ref, Slope, fold, param_text, postorder, with_args
from backhand.core.operations import OPERATIONS

G, U, V, W, Y = (Ref(letter) for letter in "guvwy")
LETTERS = frozenset("guvwym")


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A mistake made at one place, or everywhere. `at` is the quantity whose line is then wrong, `words` says where."""

    belief: Belief
    at: str = ""
    words: str = ""


Cases: TypeAlias = Callable[[WayBack], Iterable[Case]]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Mistake:
    """A row: `why` says what was done, `remedy` what to do."""

    key: str
    id: str
    title: str
    why: str
    remedy: str
    cases: Cases

    def __repr__(self) -> str:
        return f"<mistake {self.key}>"


# -- making cases -------------------------------------------------------------------------------------------------


def at_places(
    alternatives: Callable[[WayBack, Place], Iterable[Formula | str | None]], *, all_alike: bool = True
) -> Cases:
    """Other formulas for what is sent at a place: at each place by itself and, where operations of one name stand at
    several, at all of them."""

    def cases(way: WayBack) -> Iterator[Case]:
        together: dict[tuple[str, int, int], list[tuple[Place, Formula | None]]] = {}
        for place in way.places:
            for number, text in enumerate(alternatives(way, place)):
                formula = row_formula(text) if isinstance(text, str) else text
                together.setdefault((place.name, place.k, number), []).append((place, formula))
                if (made := case_at(way, place, formula)) is not None:
                    yield made
        if all_alike:
            for changes in together.values():
                if len({place.child for place, _ in changes}) > 1 and all(_fits(way, p, f) for p, f in changes):
                    yield Case(Belief(changes=tuple(changes)), "", "everywhere")

    return cases


def case_at(way: WayBack, place: Place, formula: Formula | None) -> Case | None:
    """A case of another formula at a place. A formula of the wrong shape is possible only where it is the whole of what a
    name gets."""
    about = _about(place)
    if _fits(way, place, formula):
        return Case(Belief(changes=((place, formula),)), about, f"in {place.child}")
    arg = place.part.args[place.k]
    if formula is None or not isinstance(arg, Ref) or not way.is_root(place):
        return None
    put_in = way.put_in(place, formula)
    ways = way.right(place.child)
    mine = [n for n, one in enumerate(ways) if one.parent == arg.name]
    if len(mine) != 1:
        return None

    def sent(child: str, found: list[Sent]) -> list[Sent]:
        return [replace(one, formula=put_in) if one.parent == arg.name else one for one in found]

    return Case(Belief(sent=sent, children=frozenset([place.child])), about, f"in {place.child}")


def _about(place: Place) -> str:
    """The quantity whose derivative is made at a place: the name that stands there, or the first inside."""
    inside = [part.name for part in postorder(place.part.args[place.k]) if isinstance(part, Ref)]
    return inside[0] if inside else ""


def _fits(way: WayBack, place: Place, formula: Formula | None) -> bool:
    if formula is None:
        return True
    try:
        shape = way.shapes.of(way.put_in(place, formula))
    except IMPOSSIBLE:
        return False
    full = place.wanted if len(place.wanted) >= len(place.shape) else place.shape
    return shape == place.wanted or shape == place.shape or (len(shape) <= len(full) and _broadcasts(shape, full))


def _broadcasts(one: Shape, other: Shape) -> bool:
    return all(a in (1, b) for a, b in zip(one[::-1], other[::-1], strict=False))


def sent_otherwise(alternatives: Callable[[WayBack, Sent], Iterable[Formula]]) -> Cases:
    """Other formulas for all that one occurrence of a name gets."""

    def cases(way: WayBack) -> Iterator[Case]:
        for name in way.names:
            for one in way.right(name) if way.graph[name].computed else ():
                for formula in alternatives(way, one):
                    yield _sends(name, one, formula)

    return cases


def _sends(child: str, one: Sent, formula: Formula) -> Case:
    def sent(child: str, found: list[Sent]) -> list[Sent]:
        return [
            replace(other, formula=formula)
            if (other.parent, other.occurrence) == (one.parent, one.occurrence)
            else other
            for other in found
        ]

    return Case(Belief(sent=sent, children=frozenset([child])), one.parent, f"in {child}")


def written(alternatives: Callable[[WayBack, str], Iterable[Callable[[Any], Any]]]) -> Cases:
    """Something else written down for a derivative: for one quantity, for all weights and biases, for everything."""

    def cases(way: WayBack) -> Iterator[Case]:
        groups: dict[int, dict[str, Callable[[Any], Any]]] = {}
        for name in way.names[1:]:
            for number, change in enumerate(alternatives(way, name)):
                groups.setdefault(number, {})[name] = change
                yield Case(Belief(report=_reporting({name: change})), name)
        for group in groups.values():
            weights = {name: change for name, change in group.items() if way.graph[name].kind in ("weight", "bias")}
            matrices = {name: change for name, change in group.items() if way.graph[name].kind == "weight"}
            for some, words in (
                (weights, "for all weights and biases"),
                (matrices, "for all weights"),
                (group, "for all"),
            ):
                if len(some) > 1:
                    yield Case(Belief(report=_reporting(some)), "", words)

    return cases


def _scaled(factor: float) -> Callable[[WayBack, str], list[Callable[[Any], Any]]]:
    return lambda way, name: [lambda value: value * factor]


def _reporting(changes: dict[str, Callable[[Any], Any]]) -> Callable[[str, Any], Any]:
    def report(name: str, value: Any) -> Any:
        return changes[name](value) if name in changes else value

    return report


def times(number: int | Fraction, formula: Formula) -> Formula:
    return algebra.multiply(algebra.number(Fraction(number)), formula)


# -- transposes, products of matrices -------------------------------------------------------------------------------


def _transposed(way: WayBack, name: str) -> Iterator[Callable[[Any], Any]]:
    if len(way.shape(name)) >= 2:
        yield lambda value: np.swapaxes(value, -1, -2)


def _turned_inside(way: WayBack, place: Place) -> Iterator[Formula]:
    """The transpose goes on into what comes before; possible where it is square."""
    shape = place.wanted
    if len(shape) == 2 and shape[0] == shape[1] and place.name in ("@", "outer"):
        yield node("transpose", place.right)


def transposes(way: WayBack) -> Iterator[Case]:
    yield from written(_transposed)(way)
    yield from at_places(_turned_inside)(way)


def _is_weight(way: WayBack, place: Place) -> bool:
    """Whether the other factor of a product is a weight, or its transpose."""
    other = place.part.args[1 - place.k]
    names = [part.name for part in postorder(other) if isinstance(part, Ref)]
    return len(names) == 1 and way.graph[names[0]].kind == "weight"


def _untransposed(way: WayBack, place: Place) -> Iterator[str]:
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
        return _untransposed(here, place) if _of_product(place) and _is_weight(here, place) else ()

    return iter(at_places(w)(way))


def factor_not_transposed(way: WayBack) -> Iterator[Case]:
    def others(w: WayBack, p: Place) -> Iterator[str]:
        if not _of_product(p):
            return
        if not _is_weight(w, p):
            yield from _untransposed(w, p)
        if len(p.shapes[0]) == len(p.shapes[1]) == 2:
            yield "g.T @ v.T" if p.k == 0 else "u.T @ g.T"
            yield "g.T @ v" if p.k == 0 else "u @ g.T"

    return iter(at_places(others)(way))


def _of_product(place: Place) -> bool:
    return place.name == "@"


def _reordered(way: WayBack, place: Place) -> Iterator[str]:
    if place.name == "@" and len(place.shapes[0]) == len(place.shapes[1]) == 2:
        yield from ("v.T @ g", "v @ g") if place.k == 0 else ("g @ u.T", "g @ u")


def _own_factor(way: WayBack, place: Place) -> Iterator[str]:
    """The factor itself where the other one belongs."""
    if place.name == "@" and len(place.shapes[0]) == len(place.shapes[1]) == 2:
        yield from (
            ("g @ u", "g @ u.T", "g.T @ u") if place.k == 0 else ("v.T @ g", "v @ g", "g @ v", "g.T @ v.T", "v.T @ g.T")
        )
    elif place.name in ("*", "dot"):
        yield "g*u" if place.k == 0 else "g*v"


def _elementwise(way: WayBack, place: Place) -> Iterator[str]:
    if place.name in ("@", "outer"):
        yield "g*v" if place.k == 0 else "u*g"
        if place.name == "@":
            yield "g*v.T" if place.k == 0 else "u.T*g"


def exchanged(way: WayBack) -> Iterator[Case]:
    """The derivatives of two quantities of one shape under each other's names; those of one formula, or that meet."""
    for child in way.names:
        if not way.graph[child].computed:
            continue
        near = list(dict.fromkeys(one.parent for one in way.right(child)))
        near += [p for one in near if way.graph[one].computed for p in dict.fromkeys(s.parent for s in way.right(one))]
        for at, one in enumerate(near):
            for other in near[at + 1 :]:
                if way.shape(one) == way.shape(other) != () and one != other:
                    yield Case(Belief(exchange=(one, other)), one, f"{one} and {other}")


# -- activations --------------------------------------------------------------------------------------------------------


def _is_bend(place: Place) -> bool:
    """Whether an activation, or another curve of one argument, is applied there element by element."""
    row = place.part.operation
    return not isinstance(row, ArrayOperation) and len(row.arguments) == 1 and row.name not in ("neg", "sqrt", "ln")


def _partial(place: Place) -> Formula:
    return row_formula(place.part.operation.partials[0])


def _bent(alternatives: Callable[[WayBack, Place], Iterable[Formula | str]]) -> Cases:
    return at_places(lambda way, place: alternatives(way, place) if _is_bend(place) else ())


def _other_variable(way: WayBack, place: Place) -> Iterator[Formula]:
    """f'(a) for f'(z), and for slopes written in a the same with z put in."""
    partial = _partial(place)
    again = with_args(place.part, [Y])
    yield algebra.multiply(G, _with_letters(partial, {"u": Y, "y": again}))
    if any(isinstance(part, Ref) and part.name == "y" for part in postorder(partial)):
        yield algebra.multiply(G, _with_letters(partial, {"y": U}))


def _with_letters(formula: Formula, letters: dict[str, Formula]) -> Formula:
    if isinstance(formula, Ref):
        return letters.get(formula.name, formula)
    return fold(
        formula,
        lambda part: letters.get(part.name, part) if isinstance(part, Ref) else part,
        lambda part, args: algebra.make(part.operation, args, part.params),
    )


CURVES = ("sigmoid", "tanh", "relu", "softplus", "exp", "sin")


def _other_function(way: WayBack, place: Place) -> Iterator[Formula]:
    """The slope of another function, in z or in a; and parts of the right slope."""
    for name in CURVES:
        if name == place.name:
            continue
        row = OPERATIONS[name, 1]
        partial = row_formula(row.partials[0])
        if name != "exp":  # whose slope is its value: that is another mistake
            yield algebra.multiply(G, _with_letters(partial, {"y": Y}))
        yield algebra.multiply(G, _with_letters(partial, {"y": Apply(row, (U,))}))
    if place.name == "tanh":
        yield row_formula("g*(1 - y)")
        yield row_formula("g*(1 + y^2)")
    if place.name == "relu":
        yield row_formula("g*(step(u) + 0.01*(1 - step(u)))")


def _half_slope(way: WayBack, place: Place) -> Iterator[str]:
    if place.name == "sigmoid":
        yield from ("g*(1 - y)", "g*y*y", "g*(1 - y)*(1 - y)")
    if place.name == "tanh":
        yield from ("g*y^2", "g*(1 - y)*(1 - y)")


def _value_for_slope(way: WayBack, place: Place) -> Iterator[str]:
    if place.name != "exp":
        yield "g*y"
        yield "g*u"


def _inverted(way: WayBack, place: Place) -> Iterator[str]:
    if place.name == "relu":
        yield "g*(1 - step(u))"
        yield "g*step(-u)"


def _mask_by_sign(way: WayBack, place: Place) -> Iterator[str]:
    if place.name == "relu":
        yield "g*step(g)"
        yield "g*step(g)*step(u)"


def _mask_of_another(way: WayBack, place: Place) -> Iterator[Formula]:
    """The right slope taken at another layer's numbers."""
    own = place.part.args[0]
    for quantity in way.quantities:
        if quantity.shape == place.shape and quantity.name not in LETTERS and quantity.name != place.child:
            other = Ref(quantity.name)
            if isinstance(own, Ref) and own.name == quantity.name:
                continue
            row = with_args(place.part, [other])
            yield algebra.multiply(G, _with_letters(_partial(place), {"u": other, "y": row}))


def slope_lost(way: WayBack) -> Iterator[Case]:
    yield from _bent(lambda w, p: ["g"])(way)
    # the same for one line only: dW = X.T @ dA, where dZ belongs
    for name in way.names:
        bends = [
            child
            for child in way.graph.children(name)
            if child in way.names and any(_is_bend(p) and way.is_root(p) for p in way.places if p.child == child)
        ]
        if len(way.graph.children(name)) != 1 or len(bends) != 1 or not way.graph[name].computed:
            continue
        for one in way.right(name):
            yield _sends(name, one, _slopes_by(one.formula, name, bends[0]))


def _slopes_by(formula: Formula, name: str, other: str) -> Formula:
    """The formula with the derivative by another quantity."""

    def leaf(part: Num | Ref | Slope) -> Formula:
        return Slope(part.of, other) if isinstance(part, Slope) and part.by == name else part

    if isinstance(formula, Slope):
        return leaf(formula)
    return fold(formula, leaf, with_args)


# -- the batch ------------------------------------------------------------------------------------------------------------


def _stretched(one: Sent, way: WayBack) -> tuple[Formula, tuple[int, ...], Shape] | None:
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
    if (found := _stretched(one, way)) is not None:
        yield found[0]


def bias_averaged(way: WayBack, one: Sent) -> Iterator[Formula]:
    if (found := _stretched(one, way)) is not None:
        count = int(np.prod([found[2][axis] for axis in found[1]]))
        sizes = {count, *(found[2][axis] for axis in found[1])}
        for size in sizes - {1}:
            yield times(Fraction(1, size), one.formula)


def one_row_only(way: WayBack, one: Sent) -> Iterator[Formula]:
    if (found := _stretched(one, way)) is not None and len(found[1]) == 1:
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
    if (found := _stretched(one, way)) is None:
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


def _batches(way: WayBack) -> list[int]:
    """What may be the size of the batch."""
    sizes: dict[int, None] = {}
    for quantity in way.graph.quantities:
        if len(quantity.shape) > 1 and quantity.kind in ("input", "target"):
            sizes |= {quantity.shape[0]: None, quantity.shape[-1]: None}
    for place in way.places:
        if place.name == "mean":
            sizes |= {size: None for size in (place.wanted[:1] + place.wanted[-1:])}
            sizes[int(np.prod(place.wanted)) // max(1, int(np.prod(place.shape)))] = None
    return [size for size in sizes if size > 1]


def _has_mean(way: WayBack) -> bool:
    """Whether the loss is divided by something, so that 1/n is in it."""
    return any(place.name in ("mean", "/") for place in way.places)


def _mean_sizes(place: Place) -> list[int]:
    count = int(np.prod(place.wanted)) // max(1, int(np.prod(place.shape)))
    return list(dict.fromkeys(size for size in (count, *place.wanted) if 1 < size <= count))


def _shrinks_to_output(way: WayBack, place: Place) -> bool:
    """Whether a mean is one over the whole batch: that of the loss, not of a normalisation."""
    return place.shape == () or len(place.shape) < len(place.wanted)


def mean_forgotten(way: WayBack) -> Iterator[Case]:
    def lost(w: WayBack, place: Place) -> Iterator[Formula]:
        if place.name == "mean" and _shrinks_to_output(w, place):
            for size in _mean_sizes(place):
                yield times(size, place.right)
        if place.name == "/" and place.k == 0 and not _varies(place, 1) and not place.shape:
            if (number := algebra.constant(place.part.args[1])) is None or number not in (2,):
                yield G

    yield from at_places(lost)(way)
    for size in _batches(way):
        yield from written(_scaled(size))(way)


def mean_twice(way: WayBack) -> Iterator[Case]:
    def twice(w: WayBack, place: Place) -> Iterator[Formula]:
        if place.name == "mean" and _shrinks_to_output(w, place):
            for size in _mean_sizes(place):
                yield times(Fraction(1, size), place.right)
        if place.name == "/" and place.k == 0 and not _varies(place, 1) and not place.shape:
            yield row_formula("g/v/v")

    yield from at_places(twice)(way)
    if _has_mean(way):
        for size in _batches(way):
            yield from written(_scaled(1 / size))(way)


def mean_for_sum(way: WayBack) -> Iterator[Case]:
    if not _has_mean(way):
        for size in _batches(way):
            yield from written(_scaled(1 / size))(way)
            yield from _scaled_everywhere(way, Fraction(1, size))


def _varies(place: Place, k: int) -> bool:
    return any(isinstance(part, Ref) for part in postorder(place.part.args[k]))


def _scaled_everywhere(way: WayBack, factor: Fraction) -> Iterator[Case]:
    """What leaves the loss, times a factor."""
    child = way.of

    def sent(name: str, found: list[Sent]) -> list[Sent]:
        return [replace(one, formula=times(factor, one.formula)) for one in found]

    first = way.right(child)
    yield Case(Belief(sent=sent, children=frozenset([child])), first[0].parent if first else "", f"in {child}")


# -- ways that meet -------------------------------------------------------------------------------------------------------


def _identity(one: Sent) -> bool:
    """Whether it sends on just what came."""
    return isinstance(one.formula, (Slope, Num))


def _kept(name: str, choose: Callable[[list[Arrived]], list[Arrived]], words: str = "") -> Case:
    def keep(quantity: str, arrived: list[Arrived]) -> list[Arrived]:
        return choose(arrived) if quantity == name else arrived

    return Case(Belief(keep=keep), name, words)


def _forks(way: WayBack) -> Iterator[tuple[str, list[Sent]]]:
    """The quantities from which several ways lead on."""
    for name in way.names:
        ways = way.ways_to(name)
        if len(ways) > 1:
            yield name, ways


def _only(indices: Sequence[int]) -> Callable[[list[Arrived]], list[Arrived]]:
    return lambda arrived: [one for at, one in enumerate(arrived) if at in indices]


def shared_once(way: WayBack) -> Iterator[Case]:
    for name, ways in _forks(way):
        if way.graph[name].kind in ("weight", "bias"):
            for at, one in enumerate(ways):
                yield _kept(name, _only([at]), f"only in {one.child}")


def _skips(ways: Sequence[Sent]) -> tuple[list[int], list[int]] | None:
    skips = [at for at, one in enumerate(ways) if _identity(one)]
    others = [at for at in range(len(ways)) if at not in skips]
    return (skips, others) if skips and others else None


def skip_dropped(way: WayBack) -> Iterator[Case]:
    for name, ways in _forks(way):
        if way.graph[name].kind not in ("weight", "bias") and (found := _skips(ways)):
            yield _kept(name, _only(found[1]), f"into {ways[found[0][0]].child}")
    # x + f(x) inside one formula of the same quantity is two occurrences, and found above


def skip_only(way: WayBack) -> Iterator[Case]:
    for name, ways in _forks(way):
        if way.graph[name].kind not in ("weight", "bias") and (found := _skips(ways)):
            yield _kept(name, _only(found[0]), f"into {ways[found[0][0]].child}")


def overwritten(way: WayBack) -> Iterator[Case]:
    for name, ways in _forks(way):
        children = list(dict.fromkeys(one.child for one in ways))
        for child in children:
            kept = [at for at, one in enumerate(ways) if one.child == child]
            if len(children) > 1:
                yield _kept(name, _only(kept), f"only the way through {child} is left")
        if len(children) == 1 or len(ways) > len(children):
            for at in range(len(ways)):
                yield _kept(name, _only([at]), "only one way is left")

    def last_everywhere(first: bool) -> Case:
        def keep(quantity: str, arrived: list[Arrived]) -> list[Arrived]:
            return arrived[:1] if first else arrived[-1:]

        return Case(Belief(keep=keep), "", "everywhere")

    yield last_everywhere(True)
    yield last_everywhere(False)


def way_dropped(way: WayBack) -> Iterator[Case]:
    for name, ways in _forks(way):
        if len(ways) > 2:
            for at, one in enumerate(ways):
                yield _kept(name, _only([n for n in range(len(ways)) if n != at]), f"the way through {one.child}")


def averaged(way: WayBack) -> Iterator[Case]:
    for name, ways in _forks(way):
        yield Case(Belief(report=_reporting({name: _scaled(1 / len(ways))(way, name)[0]})), name)


# -- paths through a normalisation ------------------------------------------------------------------------------------------


def _is_norm(place: Place) -> bool:
    return place.name in ("batchnorm", "layernorm") and place.k == 0


def _norm_parts(place: Place) -> tuple[Formula, Formula, Formula, Formula]:
    """Of the row's way back: what comes (g times the scale), its mean, the part along the variance, and the root."""
    formula = place.right
    assert isinstance(formula, Apply) and formula.operation.name == "/"
    above, root = formula.args
    assert isinstance(above, Apply) and above.operation.name == "-"
    left, along = above.args
    assert isinstance(left, Apply)
    sent, mean = left.args
    return sent, mean, along, root


def _norm_paths(which: str) -> Cases:
    """Without the way through the mean, the variance, or both: in a row, in one formula, or as quantities."""

    def cases(way: WayBack) -> Iterator[Case]:
        def in_row(w: WayBack, place: Place) -> Iterator[Formula]:
            if not _is_norm(place):
                return
            sent, mean, along, root = _norm_parts(place)
            above = {
                "mean": algebra.subtract(sent, along),
                "variance": algebra.subtract(sent, mean),
                "both": sent,
            }[which]
            yield algebra.divide(above, root)

        yield from at_places(in_row)(way)
        means, variances = _paths_in(way)
        for child in dict.fromkeys(place.child for place in (*means, *variances)):
            changes = {
                "mean": [p for p in means if p.child == child],
                "variance": [p for p in variances if p.child == child],
                "both": [p for p in (*means, *variances) if p.child == child],
            }[which]
            if changes and (which != "both" or len(changes) > 1):
                yield Case(Belief(changes=tuple((p, None) for p in changes)), _about(changes[0]), f"in {child}")
        yield from _norm_quantities(way, which)

    return cases


def _paths_in(way: WayBack) -> tuple[list[Place], list[Place]]:
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
        ) and not _inside_a_square(way, place):
            means.append(place)
    return means, variances


def _inside_a_square(way: WayBack, place: Place) -> bool:
    """Whether a mean stands inside a variance, where it counts for nothing."""
    return any(
        other.child == place.child
        and other.name == "mean"
        and other.part is not place.part
        and any(part is place.part for part in postorder(other.part.args[0]))
        for other in way.places
    )


def _kind_of(way: WayBack, name: str) -> str:
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
            if squared or any(_squares(way, part.name) for part in postorder(inside) if isinstance(part, Ref)):
                return "variance"
            return "mean"
        if core.operation.name in ("sqrt", "/", "^", "+"):
            below = [part.name for part in postorder(definition) if isinstance(part, Ref)]
            if len(below) == 1 and _kind_of(way, below[0]) == "variance":
                return "variance"
    return ""


def _squares(way: WayBack, name: str) -> bool:
    definition = way.graph[name].definition
    return isinstance(definition, Apply) and definition.operation.name == "^"


def _norm_quantities(way: WayBack, which: str) -> Iterator[Case]:
    """Where mean and variance are quantities: nothing goes on from them, or to them."""
    kinds = {name: _kind_of(way, name) for name in way.names}
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


def _norm_axis(way: WayBack, place: Place) -> Iterator[Formula]:
    """The means of a normalisation along another axis."""
    if not _is_norm(place):
        return
    right = place.right
    for axis in range(len(place.wanted)):
        told = dict(_mean_params(right))
        if told.get("axis") not in (axis, (axis,)):
            yield _with_axis(right, axis)


def _mean_params(formula: Formula) -> tuple[tuple[str, Any], ...]:
    for part in postorder(formula):
        if isinstance(part, Apply) and part.operation.name == "mean":
            return part.params
    return ()


def _with_axis(formula: Formula, axis: int) -> Formula:
    def combine(part: Apply, args: Sequence[Formula]) -> Formula:
        if part.operation.name == "mean" and not _is_plain_mean(part):
            return node("mean", *args, axis=axis, keepdims=True)
        return with_args(part, args)

    return fold(formula, lambda part: part, combine)


def _is_plain_mean(part: Apply) -> bool:
    """The mean of the input itself, which the forward pass has."""
    return isinstance(part.args[0], Ref) and part.args[0].name == "u"


# -- softmax, losses ------------------------------------------------------------------------------------------------------


def _softmax_axis(place: Place) -> str:
    return f"axis={param_text(dict(place.part.params)['axis'])}"


def _diagonal(way: WayBack, place: Place) -> Iterator[str]:
    if place.name == "softmax":
        yield "g*y*(1 - y)"


def _no_dot(way: WayBack, place: Place) -> Iterator[str]:
    if place.name == "softmax":
        yield "g*y"
        yield f"y*(g - sum(g, {_softmax_axis(place)}, keepdims=true))"
        yield f"g - sum(g*y, {_softmax_axis(place)}, keepdims=true)"
        yield f"y*(g + sum(g*y, {_softmax_axis(place)}, keepdims=true))"


def _softmax_other_axis(way: WayBack, place: Place) -> Iterator[str]:
    if place.name == "softmax" and len(place.wanted) > 1:
        own = axes_of(dict(place.part.params)["axis"], len(place.wanted))
        for axis in range(len(place.wanted)):
            if (axis,) != own:
                yield f"y*(g - sum(g*y, axis={axis}, keepdims=true))"
        yield "y*(g - sum(g*y))"


def _stops_before_softmax(way: WayBack, place: Place) -> Iterator[str]:
    if place.name == "softmax":
        yield "g"
    if place.name == "cross_entropy_logits" and place.k == 0:
        target = _one_hot(place)
        yield f"{_wide(place)}*(0 - {target}/softmax(u))"


def _one_hot(place: Place) -> str:
    given, target = place.shapes
    return "v" if given == target else f"one_hot(v, size={given[-1]})"


def _wide(place: Place) -> str:
    return f"spread(g, shape={param_text(place.wanted)}, axis=-1)"


def _slope_twice(way: WayBack, place: Place) -> Iterator[str]:
    if place.name == "softmax":
        yield f"y*(g - sum(g*y, {_softmax_axis(place)}, keepdims=true))*y*(1 - y)"
    if place.name == "cross_entropy_logits" and place.k == 0:
        yield f"{_wide(place)}*(softmax(u) - {_one_hot(place)})*softmax(u)*(1 - softmax(u))"


def _diagonal_of_loss(way: WayBack, place: Place) -> Iterator[str]:
    """-y/p times p(1 - p): the diagonal, in the combined row."""
    if place.name == "cross_entropy_logits" and place.k == 0:
        yield f"0 - {_wide(place)}*{_one_hot(place)}*(1 - softmax(u))"


def softmax_diagonal(way: WayBack) -> Iterator[Case]:
    yield from at_places(_diagonal)(way)
    yield from at_places(_diagonal_of_loss)(way)


def _logits_for_probabilities(way: WayBack, place: Place) -> Iterator[str]:
    if place.name == "cross_entropy_logits" and place.k == 0:
        yield f"{_wide(place)}*(u - {_one_hot(place)})"


def _target_left_out(way: WayBack, place: Place) -> Iterator[str | Formula]:
    if place.name == "cross_entropy_logits" and place.k == 0:
        yield f"{_wide(place)}*softmax(u)"
    if place.name == "^" and place.k == 0 and (inner := _difference(way, place)) is not None:
        exponent = place.part.args[1]
        kept = inner.args[0]
        if any(isinstance(part, Ref) and part.name in LETTERS for part in postorder(kept)):
            kept = algebra.add(U, inner.args[1])  # the same, without names that are letters of the row
        if not any(isinstance(part, Ref) and part.name in LETTERS - {"u"} for part in postorder(kept)) and isinstance(
            exponent, Num
        ):
            yield algebra.multiply(times(exponent.value, G), kept)
            yield algebra.multiply(times(-exponent.value, G), kept)  # as for (t - a)


def _difference(way: WayBack, place: Place) -> Apply | None:
    """(a - t) inside a power, t being a target."""
    inside = place.part.args[0]
    if not isinstance(inside, Apply) or inside.operation.name != "-" or not isinstance(inside.args[1], Ref):
        return None
    return inside if way.graph[inside.args[1].name].kind in ("target", "input") else None


def _target_differentiated(way: WayBack, place: Place) -> Iterator[str]:
    if place.name == "-" and place.k == 0 and isinstance(other := place.part.args[1], Ref):
        if way.graph[other.name].kind == "target":
            yield "g*(1 - v)"
            yield "g*(0 - v)"


def sign_at_loss(way: WayBack) -> Iterator[Case]:
    """What leaves the loss with the other sign."""
    child = way.of
    changed = _negated(way, child)
    if changed is not None:
        yield changed
    # the difference of output and target turned round, wherever it stands
    for name in way.names[1:]:
        definition = way.graph[name].definition
        if isinstance(definition, Apply) and definition.operation.name in (
            "-",
            "cross_entropy",
            "cross_entropy_logits",
            "ln",
        ):
            if (made := _negated(way, name)) is not None:
                yield made
    yield from at_places(
        lambda w, p: (
            [algebra.negate(p.right)] if p.name in ("cross_entropy_logits", "cross_entropy") and p.k == 0 else ()
        )
    )(way)


def _negated(way: WayBack, child: str) -> Case | None:
    ways = way.right(child)
    if not ways:
        return None

    def sent(name: str, found: list[Sent]) -> list[Sent]:
        return [replace(one, formula=algebra.negate(one.formula)) for one in found]

    return Case(Belief(sent=sent, children=frozenset([child])), ways[0].parent, f"in {child}")


def _minus_lost(way: WayBack, place: Place) -> Iterator[Formula]:
    if place.name == "-" and place.k == 1:
        yield G
    if place.name == "neg":
        yield G
    if place.name == "/" and place.k == 1:
        yield row_formula("g*y/v")


def sign_lost(way: WayBack) -> Iterator[Case]:
    yield from at_places(_minus_lost)(way)
    for name in way.names:
        for one in way.right(name) if way.graph[name].computed else ():
            yield _sends(name, one, algebra.negate(one.formula))
    yield from written(_scaled(-1))(way)


def loss_factor(way: WayBack) -> Iterator[Case]:
    def lost(w: WayBack, place: Place) -> Iterator[Formula]:
        if place.name == "^" and place.k == 0 and isinstance(power := place.part.args[1], Num) and power.value != 1:
            yield algebra.divide(place.right, power) if power.value != 2 else row_formula("g*u")
        if place.name == "/" and place.k == 0 and algebra.constant(place.part.args[1]) == 2:
            yield G
        if place.name == "*" and algebra.constant(place.part.args[1 - place.k]) in (Fraction(1, 2), 2):
            yield G

    yield from at_places(lost, all_alike=False)(way)
    for factor in (Fraction(2), Fraction(1, 2)):
        yield from _scaled_everywhere(way, factor)


def _power_kept(way: WayBack, place: Place) -> Iterator[str]:
    if place.name == "^" and place.k == 0 and not _varies(place, 1):
        yield "g*v*u^v"
        yield "g*y"
        yield "g*v"


def constant_lost(way: WayBack) -> Iterator[Case]:
    """A constant factor or divisor inside the network forgotten, or applied twice: 1/sqrt(d) of attention."""

    def lost(w: WayBack, place: Place) -> Iterator[Formula | str]:
        if place.name == "/" and place.k == 0 and not place.shape == () and not _learned(w, place, 1):
            yield G
            yield "g/v/v"
            yield "g*v"
        if place.name == "*" and place.shape != () and not _learned(w, place, 1 - place.k):
            yield G
        if place.name == "/" and place.k == 0 and place.shape != () and isinstance(root := place.part.args[1], Apply):
            if root.operation.name == "sqrt" and not _varies(place, 1):
                yield algebra.divide(G, root.args[0])

    return iter(at_places(lost)(way))


def _learned(way: WayBack, place: Place, k: int) -> bool:
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
        if place.name == "*" and isinstance(other := place.part.args[1 - place.k], Ref):
            if w.graph[other.name].kind == "input" and w.shape(other.name) == place.shape != ():
                yield "g"

    return iter(at_places(lost)(way))


# -- upstream ------------------------------------------------------------------------------------------------------------------


def upstream_forgotten(way: WayBack) -> Iterator[Case]:
    """The local derivative alone: 1 where the derivative of what follows stands."""
    for name in way.names[1:]:
        if not way.graph[name].computed:
            continue
        shape = way.shape(name)
        ones: Formula = node("ones", shape=shape) if shape else algebra.ONE
        changed = [replace(one, formula=_slope_to(one.formula, name, ones)) for one in way.right(name)]

        def sent(child: str, found: list[Sent], changed: list[Sent] = changed) -> list[Sent]:
            return changed

        if changed:
            yield Case(Belief(sent=sent, children=frozenset([name])), changed[0].parent, f"in {name}")
        for one, other in zip(way.right(name), changed, strict=True):
            yield _sends(name, one, other.formula)
            if isinstance(local := _factor_beside(one.formula, name), Formula):
                yield _sends(name, one, local)


def _factor_beside(formula: Formula, name: str) -> Formula | None:
    """Of a product with the derivative that comes, the other factor."""
    if isinstance(formula, Apply) and formula.operation.name in ("*", "@", "outer"):
        left, right = formula.args
        if isinstance(right, Slope) and right.by == name:
            return left
        if isinstance(left, Slope) and left.by == name:
            return right
    return None


def _slope_to(formula: Formula, name: str, other: Formula) -> Formula:
    def leaf(part: Num | Ref | Slope) -> Formula:
        return other if isinstance(part, Slope) and part.by == name else part

    if isinstance(formula, Slope):
        return leaf(formula)
    return fold(formula, leaf, with_args)


def wrong_input(way: WayBack) -> Iterator[Case]:
    """z where a stands in what a weight gets, or the other way round; the input of another layer."""
    for name in way.names:
        for one in way.right(name) if way.graph[name].computed else ():
            used = {part.name for part in postorder(one.formula) if isinstance(part, Ref)}
            for old in sorted(used):
                if old == name or way.graph[old].kind in ("weight", "bias", "constant"):
                    continue
                for quantity in way.quantities:
                    if quantity.shape == way.shape(old) != () and quantity.name not in (old, one.parent):
                        yield _sends(name, one, _renamed(one.formula, old, quantity.name))


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
                        yield _sends(name, one, _renamed(one.formula, old, quantity.name))


def wrong_upstream(way: WayBack) -> Iterator[Case]:
    """The derivative of another quantity of the same shape carried on."""
    for name in way.names[1:]:
        if not way.graph[name].computed:
            continue
        later = way.names[1 : way.names.index(name)]
        for other in later:
            if way.shape(other) == way.shape(name):
                for one in way.right(name):
                    yield _sends(name, one, _slopes_by(one.formula, name, other))
                changed = [replace(one, formula=_slopes_by(one.formula, name, other)) for one in way.right(name)]

                def sent(child: str, found: list[Sent], changed: list[Sent] = changed) -> list[Sent]:
                    return changed

                if len(changed) > 1:
                    yield Case(Belief(sent=sent, children=frozenset([name])), changed[0].parent, f"in {name}")


def _renamed(formula: Formula, old: str, new: str) -> Formula:
    def leaf(part: Num | Ref | Slope) -> Formula:
        return Ref(new) if isinstance(part, Ref) and part.name == old else part

    if isinstance(formula, Ref):
        return leaf(formula)
    return fold(formula, leaf, with_args)


def weights_ignored(way: WayBack) -> Iterator[Case]:
    def ignored(w: WayBack, place: Place) -> Iterator[str]:
        if place.name in ("@", "*") and _is_weight(w, place):
            yield "g"

    return iter(at_places(ignored)(way))


def updated_weights(way: WayBack) -> Iterator[Case]:
    steps = [1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.003, 0.001, 1e-4]
    for quantity in way.graph.quantities:
        if quantity.shape == () and quantity.given is not None and quantity.kind == "constant":
            steps.append(float(quantity.given))
    for step in steps:
        yield Case(Belief(step=step), "", f"a step of {step:g}")


def counted_twice(way: WayBack) -> Iterator[Case]:
    yield from written(_scaled(2))(way)


def times_value(way: WayBack) -> Iterator[Case]:
    """The derivative times the value, and what would be left after a step."""
    # needs the numbers of a trial, so it is said by another formula of what is sent
    for name in way.names:
        for one in way.right(name) if way.graph[name].computed else ():
            if way.shape(one.parent) == () or one.parent in way.names:
                yield _sends(name, one, algebra.multiply(one.formula, Ref(one.parent)))


# -- convolutions ----------------------------------------------------------------------------------------------------------


def _is_conv(place: Place) -> bool:
    return place.name in ("conv1d", "conv2d")


def _axes_of(place: Place) -> int:
    return 1 if place.name == "conv1d" else 2


def _flipped(formula: Formula, rank: int, axes: int) -> Formula:
    whole, turned = (None, None, None), (None, None, -1)
    return node("index", formula, key=(*[whole] * (rank - axes), *[turned] * axes))


def _told(place: Place) -> dict[str, Any]:
    options = dict(place.part.params)
    return {key: options[key] for key in ("stride", "padding", "dilation")}


def _each(value: Any, axes: int) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,) * axes


def _kernel_turned(way: WayBack, place: Place) -> Iterator[Formula]:
    """Towards the image, with the kernel turned round once too little (or too often)."""
    if _is_conv(place) and place.k == 0:
        kernel = _flipped(V, len(place.shapes[1]), _axes_of(place))
        yield node("conv_back_image", G, kernel, shape=place.shapes[0], **_told(place))


def _kernel_gradient_flipped(way: WayBack, place: Place) -> Iterator[Formula]:
    if _is_conv(place) and place.k == 1:
        axes = _axes_of(place)
        yield _flipped(place.right, len(place.shapes[1]), axes)
        image = _flipped(U, len(place.shapes[0]), axes)
        yield node("conv_back_kernel", G, image, shape=place.shapes[1], **_told(place))


def _channels_exchanged(way: WayBack, place: Place) -> Iterator[Formula]:
    if _is_conv(place) and len(place.shapes[1]) > 2 and place.shapes[1][0] == place.shapes[1][1]:
        axes = (1, 0, *range(2, len(place.shapes[1])))
        if place.k == 0:
            kernel = node("transpose", V, axes=axes)
            yield node("conv_back_image", G, kernel, shape=place.shapes[0], **_told(place))
        else:
            yield node("transpose", place.right, axes=axes)


def _stride_ignored(way: WayBack, place: Place) -> Iterator[Formula]:
    """Window (i, j) taken to begin at (i, j), whatever the stride."""
    if not _is_conv(place):
        return
    axes, told = _axes_of(place), _told(place)
    stride, edge, gap = (_each(told[key], axes) for key in ("stride", "padding", "dilation"))
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
        yield _cropped(back, len(front), edge, image[-axes:])
    else:
        inner = _padded(U, front, edge, image[-axes:])
        key = (*[whole] * len(front), *[(0, n, None) for n in seen])
        yield node("conv_back_kernel", G, node("index", inner, key=key), shape=place.shapes[1], **plain)


def _cropped(formula: Formula, lead: int, edge: Sequence[int], sizes: Shape) -> Formula:
    if not any(edge):
        return formula
    key = (*[(None, None, None)] * lead, *[(p, p + n, None) for p, n in zip(edge, sizes, strict=True)])
    return node("index", formula, key=key)


def _padded(formula: Formula, front: Shape, edge: Sequence[int], sizes: Shape) -> Formula:
    if not any(edge):
        return formula
    key = (*[(None, None, None)] * len(front), *[(p, p + n, None) for p, n in zip(edge, sizes, strict=True)])
    shape = (*front, *[n + 2 * p for p, n in zip(edge, sizes, strict=True)])
    return node("place", formula, key=key, shape=shape)


def _padding_ignored(way: WayBack, place: Place) -> Iterator[Formula]:
    """The edge not cut off, or cut off at one end; the kernel's gradient from the image without its edge."""
    if not _is_conv(place):
        return
    axes, told = _axes_of(place), _told(place)
    edge = _each(told["padding"], axes)
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
            for size in _mean_sizes(place):
                yield times(size, place.right)
        if place.name == "sum":
            count = int(np.prod(place.wanted)) // max(1, int(np.prod(place.shape)))
            if count > 1:
                yield times(Fraction(1, count), place.right)

    return iter(at_places(other)(way))


# -- the table ---------------------------------------------------------------------------------------------------------------

MISTAKES: tuple[Mistake, ...] = (
    Mistake(
        "extra-axis", "", "the right numbers in another shape",
        "The numbers are right; an axis of size 1 is too many, or one was dropped.",
        "Give it the shape of what it is the derivative by (keepdims, reshape).",
        written(axis_kept),
    ),
    Mistake(
        "bias-not-summed", "M3", "not summed over the batch",
        "It was added to every row, and what comes back through each row was kept apart.",
        "Sum over the axis along which it was stretched: sum(g, axis=0).",
        sent_otherwise(not_summed),
    ),
    Mistake(
        "transposed", "W5", "the transpose of the right answer",
        "The factors of the product stand in the other order, each transposed.",
        "A derivative has the shape of what it is by; for a square matrix, test it with numbers.",
        transposes,
    ),
    Mistake(
        "w-for-w-transposed", "X1", "W for its transpose",
        "Going back, what comes was multiplied by the matrix that was used going forward.",
        "Forward W, back its transpose: each row of W.T collects what one unit sent to all.",
        w_for_w_transposed,
    ),
    Mistake(
        "k-q-exchanged", "R5B", "two derivatives exchanged",
        "Each stands under the name of the other.",
        "Check the names on the left.",
        exchanged,
    ),
    Mistake(
        "product-own-factor", "G4", "the factor itself where the other one belongs",
        "Of a product u v, the derivative by u was made with u.",
        "Hold the other factor fixed: it is what stays.",
        at_places(_own_factor),
    ),
    Mistake(
        "factor-not-transposed", "X1", "a transpose is missing, or too many",
        "A factor of the product was taken as it is where its transpose belongs, or turned where it should not be.",
        "For y = u @ v: g @ v.T comes back to u, and u.T @ g to v.",
        factor_not_transposed,
    ),
    Mistake(
        "factors-reordered", "W5", "the factors in the wrong order",
        "Products of matrices do not commute.",
        "For y = u @ v: g @ v.T comes back to u, and u.T @ g to v, in this order.",
        at_places(_reordered),
    ),
    Mistake(
        "elementwise-for-product", "M6", "element by element in place of a product of matrices",
        "`*` multiplies element by element; each element here is a sum of products.",
        "Write @.",
        at_places(_elementwise),
    ),
    Mistake(
        "activation-slope-lost", "ACT1", "the slope of the activation lost",
        "What comes back to a was handed on to z as it is.",
        "Multiply by f'(z), element by element.",
        slope_lost,
    ),
    Mistake(
        "mask-inverted", "ACT3", "the mask inverted",
        "What comes back was let through where relu was closed, and stopped where it was open.",
        "The gate is open where z > 0.",
        _bent(_inverted),
    ),
    Mistake(
        "mask-by-gradient", "ACT2", "the mask taken from what comes back",
        "The sign of the derivative decided whether the gate is open.",
        "The gate is open where z > 0.",
        _bent(_mask_by_sign),
    ),
    Mistake(
        "slope-at-wrong-variable", "ACT6", "the slope taken at the wrong variable",
        "The slope in terms of z was fed with a, or the one in terms of a with z.",
        "f'(z) takes z; a (1 - a) and 1 - a^2 take a.",
        _bent(_other_variable),
    ),
    Mistake(
        "slope-of-wrong-function", "ACT7", "the slope of another function",
        "The formula belongs to another activation.",
        "sigmoid: a (1 - a); tanh: 1 - a^2; relu: 1 where z > 0.",
        _bent(_other_function),
    ),
    Mistake(
        "half-slope", "ACT8", "a part of the slope",
        "The slope of sigmoid has two factors, a and 1 - a.",
        "Write the whole slope.",
        _bent(_half_slope),
    ),
    Mistake(
        "value-for-slope", "ACT5", "the value in place of the slope",
        "What comes back was multiplied by f(z), or by z.",
        "Multiply by f'(z).",
        _bent(_value_for_slope),
    ),
    Mistake(
        "slope-of-another-layer", "ACT4", "the slope taken at another layer",
        "The mask or slope is that of another layer's numbers.",
        "Take the z of this layer.",
        _bent(_mask_of_another),
    ),
    Mistake(
        "softmax-diagonal", "SM1", "softmax taken as if its Jacobian were diagonal",
        "p (1 - p) is only how each output moves with its own input.",
        "dz = p * (dp - sum(dp * p)).",
        softmax_diagonal,
    ),
    Mistake(
        "softmax-dot-lost", "SM1", "the sum of softmax lost",
        "If one p rises the others fall; sum(dp * p) says by how much.",
        "dz = p * (dp - sum(dp * p)).",
        at_places(_no_dot),
    ),
    Mistake(
        "softmax-wrong-axis", "SM1", "the sum of softmax along the wrong axis",
        "The sum goes over the classes of each row.",
        "Sum along the axis of the softmax, with keepdims.",
        at_places(_softmax_other_axis),
    ),
    Mistake(
        "softmax-slope-twice", "SM2", "the slope of softmax twice",
        "p - y has the slope of softmax in it already.",
        "Leave the factor p (1 - p) out.",
        at_places(_slope_twice),
    ),
    Mistake(
        "stops-before-softmax", "SM4", "softmax passed over",
        "That is the derivative by the probabilities, not by the logits.",
        "Go on through softmax.",
        at_places(_stops_before_softmax),
    ),
    Mistake(
        "logits-for-probabilities", "", "logits where probabilities belong",
        "z - y was taken for softmax(z) - y.",
        "Take softmax(z) - y.",
        at_places(_logits_for_probabilities),
    ),
    Mistake(
        "target-left-out", "N2", "the target left out",
        "The target is missing in the derivative of the loss.",
        "Differentiate the whole bracket: it stays inside.",
        at_places(_target_left_out),
    ),
    Mistake(
        "target-differentiated", "N10", "the target differentiated",
        "A target is given, and does not move with the output.",
        "Its derivative is 0: leave it out of the inner factor.",
        at_places(_target_differentiated),
    ),
    Mistake(
        "sign-at-loss", "SM3", "the difference turned round",
        "y - p stands where p - y belongs, so everything behind it has the other sign.",
        "If the output grows, does the loss grow?",
        sign_at_loss,
    ),
    Mistake(
        "mean-path-lost", "", "the way through the mean left out",
        "The mean moves with every element, and the mean is taken off each.",
        "Add what comes back through the mean.",
        _norm_paths("mean"),
    ),
    Mistake(
        "variance-path-lost", "", "the way through the variance left out",
        "The variance moves with every element, and each is divided by its root.",
        "Add what comes back through the variance.",
        _norm_paths("variance"),
    ),
    Mistake(
        "mean-and-variance-paths-lost", "", "mean and variance taken as constants",
        "Both move with every element.",
        "Add what comes back through the mean and through the variance.",
        _norm_paths("both"),
    ),
    Mistake(
        "shared-once", "G3", "a shared weight counted once",
        "It is used in several places, and the loss feels each.",
        "Add the derivatives of all uses.",
        shared_once,
    ),
    Mistake(
        "skip-dropped", "G1", "the skip connection left out",
        "What is added straight on sends back what comes, unchanged.",
        "Add what comes back over the skip connection.",
        skip_dropped,
    ),
    Mistake(
        "skip-only", "G2", "only the skip connection",
        "What goes through the block sends something back, too.",
        "Add what comes back through the block.",
        skip_only,
    ),
    Mistake(
        "overwritten", "P4", "= where += is needed",
        "Several ways meet here, and only one of them is left.",
        "Add over all ways.",
        overwritten,
    ),
    Mistake(
        "way-dropped", "S1", "one way left out",
        "Several ways lead on from here, and one of them is missing.",
        "Add over all ways.",
        way_dropped,
    ),
    Mistake(
        "bias-averaged", "M4", "mean over the batch in place of the sum",
        "The sum over the batch was divided by its size, which the loss has done already if it is a mean.",
        "Sum, do not average.",
        sent_otherwise(bias_averaged),
    ),
    Mistake(
        "one-sample-only", "M7", "only one row of the batch",
        "What comes from the other rows was overwritten.",
        "Add over the batch.",
        sent_otherwise(one_row_only),
    ),
    Mistake(
        "wrong-axis", "", "summed along the wrong axis",
        "The sum goes over the axis along which it was stretched.",
        "Sum over the batch: what is left has the shape of what it is by.",
        sent_otherwise(wrong_axis),
    ),
    Mistake(
        "loss-factor-lost", "N1", "the factor 2 of the square",
        "The square gives a factor 2, and a half in the loss takes it away again.",
        "Differentiate the loss as it is written here.",
        loss_factor,
    ),
    Mistake(
        "mean-forgotten", "M1", "1/n forgotten",
        "The loss is a mean, and its derivative has 1/n.",
        "Divide by the number of terms.",
        mean_forgotten,
    ),
    Mistake(
        "mean-twice", "M2", "1/n twice",
        "The loss has divided by n already.",
        "Divide once.",
        mean_twice,
    ),
    Mistake(
        "mean-for-sum", "M2", "mean in place of the sum",
        "Nothing divides by n in this loss.",
        "Leave the division out.",
        mean_for_sum,
    ),
    Mistake(
        "power-not-lowered", "N4", "the power rule half done",
        "u^n has the slope n u^(n-1).",
        "Lower the exponent, and keep what is inside.",
        at_places(_power_kept),
    ),
    Mistake(
        "kernel-not-turned", "", "the kernel the wrong way round",
        "Each place of the image was seen through every place of the kernel, the last first: going back over the padded "
        "derivative, the kernel is turned by half a turn.",
        "Turn it: w[::-1, ::-1], or add g[i, j] * w to the window that it came from.",
        at_places(_kernel_turned),
    ),
    Mistake(
        "kernel-gradient-flipped", "", "the kernel's derivative flipped",
        "The image is not turned for the kernel's derivative.",
        "dw[a, b] = sum over i, j of g[i, j] x[i + a, j + b].",
        at_places(_kernel_gradient_flipped),
    ),
    Mistake(
        "channels-exchanged", "", "the channels of the kernel exchanged",
        "Going back, the channels out are summed over.",
        "Sum over the first axis of the kernel.",
        at_places(_channels_exchanged),
    ),
    Mistake(
        "stride-ignored", "", "the stride ignored",
        "Window i begins at i times the stride.",
        "Multiply the place by the stride.",
        at_places(_stride_ignored),
    ),
    Mistake(
        "padding-ignored", "", "the padding ignored",
        "The image stands inside its edge of zeros.",
        "Work on the padded image, and cut the edge off on all sides.",
        at_places(_padding_ignored),
    ),
    Mistake(
        "max-to-all", "G6", "the derivative of a maximum given to all",
        "Only the largest element moves the maximum.",
        "Send it back to the place it came from.",
        pool_to_all,
    ),
    Mistake(
        "constant-lost", "E10", "a constant factor lost, or twice",
        "A factor such as 1/sqrt(d) is there going back as it is going forward.",
        "Multiply by it once.",
        constant_lost,
    ),
    Mistake(
        "mask-lost", "", "a mask applied going forward only",
        "What was multiplied by 0 sends nothing back.",
        "Multiply what comes back by the same mask.",
        mask_lost,
    ),
    Mistake(
        "upstream-forgotten", "U1", "what comes from above forgotten",
        "That is how the next quantity moves, not how the output does.",
        "Multiply by the derivative of the output by the next quantity.",
        upstream_forgotten,
    ),
    Mistake(
        "wrong-input", "W2", "the value of another quantity",
        "The factor beside the derivative belongs to another layer, or is z where a belongs.",
        "Take the very value that went into the operation.",
        wrong_input,
    ),
    Mistake(
        "wrong-weight", "", "another weight",
        "Going back, the weight of another layer was used.",
        "Take the weight that was used going forward.",
        wrong_weight,
    ),
    Mistake(
        "wrong-upstream", "U3", "the derivative of another quantity carried on",
        "What comes from above belongs to another quantity of the same shape.",
        "Take the derivative by the quantity that this one goes into.",
        wrong_upstream,
    ),
    Mistake(
        "weights-ignored", "E1", "the weight left out",
        "What comes was handed on without the weight in between.",
        "Multiply by the weight.",
        weights_ignored,
    ),
    Mistake(
        "updated-weights", "U4", "weights updated too early",
        "The weights were changed before the way back went through them.",
        "Compute all derivatives first, then take the step.",
        updated_weights,
    ),
    Mistake(
        "mean-inside", "", "a sum or mean with the wrong factor",
        "A sum sends back 1 to each of its terms, a mean 1/n.",
        "Spread what comes, and divide by n for a mean only.",
        mean_spread,
    ),
    Mistake(
        "norm-wrong-axis", "", "the means of a normalisation along the wrong axis",
        "Going back, means go over the axis over which the normalisation went.",
        "Take the same axis as forward.",
        at_places(_norm_axis),
    ),
    Mistake(
        "ways-averaged", "P7", "the ways averaged",
        "Ways that meet are added.",
        "Do not divide by their number.",
        averaged,
    ),
    Mistake(
        "counted-twice", "V1", "counted twice",
        "The derivative is twice what it should be, as when it is added to one that was not set to zero.",
        "Set derivatives to zero before the way back.",
        counted_twice,
    ),
    Mistake(
        "sign-lost", "E5", "a sign",
        "The derivative has the other sign.",
        "Follow the minus.",
        sign_lost,
    ),
    Mistake(
        "times-value", "R1", "times its own value",
        "The derivative was multiplied by the value of what it is by.",
        "A derivative by x has no x beside it.",
        times_value,
    ),
)  # fmt: skip

NOT_RESET = Mistake(
    "not-reset", "V1", "the derivatives are not set to zero between calls",
    "Each call adds to what the calls before have left.",
    "Begin every way back with zeros (in PyTorch: zero_grad).",
    lambda way: (),
)  # fmt: skip
"""Seen in calls, not in one way back."""

MISTAKE = {mistake.key: mistake for mistake in (*MISTAKES, NOT_RESET)}
