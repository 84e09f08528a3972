r"""Which quantities of the network the names on a page mean.

    B_1, B1, b1                      B1             exactly, then without _ and braces, then in another case
    dB1, grad_B1, L_{B_1}, δB1       dL/dB1         if its parts are names
    loss, E, cost                    L              where the network has no such name
    w_1 x_1 + w_2 x_2                w[A1,B1] A1 + w[A2,B1] A2      in the working of B1: this unit's own weights
    C_1 w_{C1} + C_2 w_{C2}          the weight is the one of the unit it is multiplied with
    2xy, x2                          2 x y, x^2     names run together; a lost exponent, proposed and shown

A formula is *resolved* when every name in it is the network's, every derivative has both its ends, and every
derivative still to be taken is taken. What cannot be resolved stays unclear; nothing is guessed past what the
context settles. To have another spelling understood, add it to `Names`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from backhand.core.answers import DIFFERENTIATE, LOOKALIKES, PRIME, folded, slopes_in, worked_out
from backhand.core.formula import Apply, Formula, Num, Ref, Slope, apply, fold, grouped, postorder
from backhand.core.graph import Graph
from backhand.core.operations import FUNCTIONS, MULTIPLY, OPERATIONS, POWER
from backhand.errors import BackhandError
from backhand.marking.about import About, Derivative, Local, Value
from backhand.marking.sheet import Sheet, sheet_of

OUTPUT_WORDS = frozenset("loss Loss LOSS cost Cost error Error L J E C Etotal Jtotal Ltotal".split())
TARGET_WORDS = frozenset("t y target Target label goal desired".split())
CONSTANTS = ("e", "pi")
SUMS = re.compile(r"(?:net|z|in|s|pre|sum|a|n)_?(.+)")
OUTS = re.compile(r"(?:out|a|h|o|act|y|sigma)_?(.+)")
WEIGHT = re.compile(r"(?:w|W|theta|θ|omega|ω|k|weight)[_^]?[{(\[]?(\d(?:,?\d)*)?[})\]]?")
TAIL = re.compile(r"(?:x|X|a|h|i|in|input|inp|v|u|o)[_^]?[{(\[]?(\d+)[})\]]?")
DELTA = re.compile(r"(?:δ|delta)_?\{?([^{}]+)\}?")
BIAS = re.compile(r"(?:b|B|bias|beta|θ0|w0|w_0)[_^]?[{(\[]?\d*[})\]]?")
LAYERED = re.compile(r"(.+?)\^[(\[]\w+[)\]]")
"""`z_1^(1)`: a unit with the number of its layer."""
RUN_TOGETHER = 24
"""Characters of a word that is tried as several names."""


# -- names -------------------------------------------------------------------------------------------------


class Names:
    """The names of a network, as somebody may spell them; seen from the output asked about."""

    def __init__(self, graph: Graph, of: str) -> None:
        self.graph = graph
        self.of = of
        self.folds: dict[str, list[str]] = {}
        self.lower: dict[str, list[str]] = {}
        for name in graph.index:
            self.folds.setdefault(folded(name), []).append(name)
            self.lower.setdefault(folded(name).casefold(), []).append(name)
        self.found: dict[str, str | None] = {}
        self.labels: dict[tuple[str, str], Slope] = {}
        """Derivatives whose written name is another's, as settled for this page: `dy/dx` for df/dx."""
        self.bound: dict[str, Ref | Slope] = {}
        """The page's own names for what the network calls otherwise: `u'` for du/dx, `tmp1` for dL/dh."""
        self.own: set[str] = set()
        """The page's own names for what the network has no name for."""
        self.layers: dict[str, set[str]] = {}
        """The numbers of layers that names of the page carry: `z_1^(1)` and `z_1^(2)`."""

    def quantity(self, name: str) -> str | None:
        """The quantity a name means, or None."""
        if name not in self.found:
            self.found[name] = self._quantity(name)
        return self.found[name]

    def _quantity(self, name: str) -> str | None:
        if name in self.graph.index:
            return name
        layered = LAYERED.fullmatch(name)
        if layered is not None and name != min((name, *self.layers.get(layered[1], ()))):
            return None  # another layer's
        if layered is not None and layered[1] in self.graph.index:
            return layered[1]
        plain = folded(name)
        for table, key in ((self.folds, plain), (self.lower, plain.casefold())):
            alike = table.get(key, [])
            if len(alike) == 1:
                return alike[0]
            if alike:
                return None
        if layered is not None:
            return self.quantity(layered[1])
        if (latin := name.translate(LOOKALIKES)) != name:
            return self.quantity(latin)  # a Cyrillic В for B; the reader says so
        return self._alias(name, plain)

    def _alias(self, name: str, plain: str) -> str | None:
        """Words for the output and the target, prefixes for the sum and the output of a unit."""
        if plain in OUTPUT_WORDS:
            return self.of
        if plain in TARGET_WORDS:
            targets = [q.name for q in self.graph.quantities if q.kind == "target"]
            return targets[0] if len(targets) == 1 else None
        for pattern, form in ((SUMS, "z[{}]"), (OUTS, "{}")):
            match = pattern.fullmatch(name)
            if match is not None and ("_" in name or pattern is SUMS):
                unit = self.folds.get(folded(match[1]), [])
                if len(unit) == 1 and f"z[{unit[0]}]" in self.graph.index:
                    return form.format(unit[0])
        return None

    def slope(self, of: str, by: str) -> Slope | None:
        """The derivative two names mean; without the first, that of the output."""
        if (of, by) in self.labels:
            return self.labels[of, by]
        if any(name in self.own and name not in self.graph.index for name in (of, by)):
            return None  # dE/dh, where the page has an E of its own
        above = self.quantity(of) if of else self.of
        below = self.quantity(by)
        if by in TARGET_WORDS and by not in self.graph.index and below is not None and len(self._ends_in(by)) != 1:
            return None  # dL/dy by `y_predicted` or `y_true`?
        return Slope(above, below) if above is not None and below is not None else None

    def _ends_in(self, word: str) -> list[str]:
        """The quantities whose names begin with a word: y_predicted and y_true for y."""
        return [name for name in self.graph.index if name == word or name.startswith((f"{word}_", f"{word}hat"))]

    def meant(self, name: str) -> Ref | Slope | None:
        """The quantity or derivative that one name means."""
        if name in self.bound:
            return self.bound[name]
        if self.delta_times(name):
            return None
        if name in CONSTANTS and name not in self.graph.index:
            return None  # in e^-z, e is no E
        known = self.quantity(name)
        if known is not None:
            return Ref(known)
        delta = DELTA.fullmatch(name)
        if delta is not None:
            found = self._delta(delta[1])
            if found is not None:
                return found
        for of, by in slopes_in(name):
            found = self.slope(of, by)
            if found is not None and self.possible(found):
                return found
        return self._run_together(name)

    def delta_times(self, name: str) -> str:
        """X of `δx`, where the page has a δ of its own."""
        rest = name[1:] if name[:1] == "δ" and ("δ" in self.own or "δ" in self.bound) else ""
        return rest if rest in self.graph.index else ""

    def _run_together(self, name: str) -> Slope | None:
        """Of `dfdz`, where both are names: df/dz."""
        if name[:1] != "d" or len(name) > RUN_TOGETHER:
            return None
        for cut in range(2, len(name) - 1):
            if name[cut] == "d":
                found = self.slope(name[1:cut], name[cut + 1 :])
                if found is not None and (self.possible(found) or self.graph[found.of].computed):
                    return found
        return None

    def _delta(self, unit: str) -> Slope | None:
        """δ_1 is the derivative by the sum before the bend, where the unit has one: z_1, net_1, z[h1]."""
        known = self.folds.get(folded(unit), [])
        tried = [f"z[{known[0]}]"] if len(known) == 1 else []
        for name in (*tried, *(f"{before}{unit}" for before in ("z", "z_", "net_", "net", "s", "in_")), unit):
            found = self.slope("", name) if name != unit or known else None
            if found is not None and self.possible(found):
                return found
        return None

    def possible(self, slope: Slope) -> bool:
        """Whether the one depends on the other at all."""
        return slope.by in self.ancestors(slope.of)

    def ancestors(self, name: str) -> frozenset[str]:
        """What a quantity depends on, itself included."""
        known = self._ancestors.get(name)
        if known is None:
            quantities = self.graph.quantities
            known = frozenset(quantities[i].name for i in self.graph.upstream_of(name))
            self._ancestors[name] = known
        return known

    @cached_property
    def _ancestors(self) -> dict[str, frozenset[str]]:
        return {}

    def about(self, slope: Slope) -> Derivative | Local:
        """A derivative as what a claim is about: local where the one stands in the other's own formula."""
        graph = self.graph
        if slope.of != self.of and graph.children(slope.of):
            parents = graph.parent_lists[graph.index[slope.of]]
            if graph.index[slope.by] in parents:
                return Local(slope.of, slope.by)
        return Derivative(slope.of, slope.by)


# -- a unit's own weights and inputs -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Summand:
    """One arrow into a unit: where it starts, and what stands on it."""

    tail: str
    weight: Formula


def summands(graph: Graph, of: str, unit: str) -> tuple[list[Summand], str | None]:
    """The arrows into a unit in the order of its formula, through its activation if it has one; and its bias."""
    if unit not in graph.index:
        return [], None
    sheet = _seen_from(graph, of, unit)
    at = sheet.index[sheet.hidden.get(unit, unit)]
    seen: set[int] = set()
    while at not in seen:
        seen.add(at)
        ways = sheet.into[at]
        if len(ways) == 1 and ways[0].kind == "bend":
            at = ways[0].parent
    found: list[Summand] = []
    bias: str | None = None
    for way in sheet.into[at]:
        if way.kind == "arrow":
            weight: Formula
            if way.partner >= 0:
                weight = Ref(sheet.names[way.partner])
            else:
                weight = _number_on(sheet, way.child, way.parent)
            found.append(Summand(sheet.names[way.parent], weight))
        elif way.kind == "weight" and way.partner < 0 and sheet.quantities[way.parent].kind == "bias":
            bias = sheet.names[way.parent]
    return found, bias


def _seen_from(graph: Graph, of: str, unit: str) -> Sheet:
    sheet = sheet_of(graph, of)
    return sheet if sheet.index[unit] in sheet.needed else sheet_of(graph, unit)


def _number_on(sheet: Sheet, child: int, parent: int) -> Num:
    """The number written on an arrow without a weight of its own."""
    tree = sheet.trees[child]
    for number, first, second in (tree.terms or ()) if tree is not None else ():
        if parent in (first, second) and min(first, second) < 0:
            return Num(Fraction(number))
    return Num(Fraction(1))


def products(formula: Formula) -> Iterator[tuple[Formula, ...]]:
    """The factors of every product in a formula, at any depth; a part that is no product is one of one factor."""
    todo: list[Formula] = [formula]
    while todo:
        node = todo.pop()
        factors: list[Formula] = []
        inside: list[Formula] = [node]
        while inside:
            part = inside.pop()
            if isinstance(part, Apply) and part.operation.name in ("*", "neg"):
                inside.extend(reversed(part.args))
            else:
                factors.append(part)
        for factor in factors:
            if isinstance(factor, Apply):
                todo.extend(reversed(factor.args))
        leaves = tuple(f for f in factors if isinstance(f, (Ref, Slope, Num)))
        if leaves:
            yield leaves


@dataclass(frozen=True, slots=True)
class Context:
    """Where a formula stands: in the working of `unit`; of a derivative by `by`."""

    unit: str = ""
    by: str = ""


class Meanings(NamedTuple):
    """What names mean: at one place of a formula (by the node's identity), and everywhere in it."""

    here: dict[int, Formula]
    names: dict[str, Formula]

    def of(self, node: Ref) -> Formula | None:
        return self.here.get(id(node)) or self.names.get(node.name)


class Generic:
    """The names of a formula that are no names of the network, read as the unit's own: w_1, x_1, w_{C1}, b."""

    def __init__(self, names: Names, context: Context, *, always: bool = False) -> None:
        self.names = names
        self.context = context
        self.always = always
        self.summands, self.bias = summands(names.graph, names.of, context.unit)

    def meanings(self, formula: Formula) -> Meanings:
        """What the unknown names of a formula mean, as far as the context settles it."""
        unknown = {node.name: None for node in postorder(formula) if isinstance(node, Ref) and self._open(node.name)}
        found = Meanings({}, {})
        if not unknown:
            return found
        for factors in products(formula):
            strange = [f for f in factors if isinstance(f, Ref) and f.name in unknown]
            if len(strange) == 1:
                paired = self._paired(factors)
                if paired is not None:
                    found.here[id(strange[0])] = paired
                    found.names.setdefault(strange[0].name, paired)
        numbered = sorted(self._numbers(unknown, found.names))
        for name in unknown:
            if name not in found.names:
                meaning = self._by_number(name, numbered)
                if meaning is not None:
                    found.names[name] = meaning
        return found

    def _open(self, name: str) -> bool:
        """A name that the network does not have; with `always` also one of a given number, if it is like w_1 or x_2.
        A unit is a unit, whatever it is called."""
        meant = self.names.meant(name)
        if not self.always or meant is None:
            return meant is None
        generic = any(pattern.fullmatch(name) for pattern in (WEIGHT, TAIL, BIAS))
        return generic and isinstance(meant, Ref) and not self.names.graph[meant.name].computed

    def _paired(self, factors: Sequence[Formula]) -> Formula | None:
        """The weight on the arrow from a unit it is multiplied with, or to a unit whose derivative it is."""
        names = self.names
        for factor in factors:
            meant = names.meant(factor.name) if isinstance(factor, Ref) and not self._open(factor.name) else None
            if isinstance(factor, Slope):
                meant = names.slope(factor.of, factor.by)
            if isinstance(meant, Ref):
                weights = [s.weight for s in self.summands if s.tail == meant.name]
                if len(weights) == 1:
                    return weights[0]
            if isinstance(meant, Slope) and meant.of == names.of and self.context.by:
                arrows, _ = summands(names.graph, names.of, meant.by)
                weights = [s.weight for s in arrows if s.tail == self.context.by]
                if len(weights) == 1:
                    return weights[0]
        return None

    def _numbers(self, unknown: Iterable[str], found: dict[str, Formula]) -> set[str]:
        return {m[1] for name in unknown if name not in found and (m := WEIGHT.fullmatch(name)) and m[1]}

    def _by_number(self, name: str, numbered: Sequence[str]) -> Formula | None:
        """w_2 and x_2 are the second arrow's; of two numbers the one that tells the weights apart counts. A name that
        the network has is taken so only in the formula of a unit, where w_1 x_1 + w_2 x_2 is about its own."""
        if self.always and self.context.by and self.names.meant(name) is not None:
            return None
        match = WEIGHT.fullmatch(name)
        if match is not None and match[1]:
            at = _place(match[1], numbered)
            return self.summands[at].weight if at is not None and at < len(self.summands) else None
        if match is not None and len(self.summands) == 1:
            return self.summands[0].weight
        match = TAIL.fullmatch(name)
        if match is not None:
            at = int(match[1]) - 1
            return Ref(self.summands[at].tail) if 0 <= at < len(self.summands) else None
        if BIAS.fullmatch(name) and self.bias is not None:
            return Ref(self.bias)
        return None


def _place(number: str, all_numbers: Sequence[str]) -> int | None:
    """Which arrow the number on a weight tells, from 0."""
    digits = number.replace(",", "")
    others = [n.replace(",", "") for n in all_numbers]
    if len(digits) == 1:
        start = 0 if any(n == "0" for n in others) else 1
        return int(digits) - start
    if len(digits) != 2 or any(len(n) != 2 for n in others):
        return None
    last = {n[1] for n in others}
    at = int(digits[1] if len(last) == len(others) else digits[0]) - 1
    return at if at >= 0 else None


# -- resolving -------------------------------------------------------------------------------------------------


class Unresolved(Exception):
    """A formula with names that nobody knows; `reason` says which."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def resolve(
    formula: Formula,
    names: Names,
    context: Context,
    known: frozenset[str] = frozenset(),
    *,
    total: bool = True,
    always: bool = False,
) -> Formula:
    """The formula in names of the network, with its derivatives taken; `known` are the page's own names, which stay.

    `total` says that in a derivative still to be taken other units may move as well; `always` that w_1 is the unit's
    own first weight even where the network has a w_1. Raises Unresolved.
    """
    if "x" not in known and names.meant("x") is None:
        formula = without_crosses(formula)
    generic = Meanings({}, {})
    if context.unit or context.by:
        generic = Generic(names, context, always=always).meanings(formula)
    missing: list[str] = []

    def leaf(node: Num | Ref | Slope) -> Formula:
        match node:
            case Num():
                return node
            case Slope():
                found: Formula | None = names.slope(node.of, node.by)
                if found is None and isinstance(other := generic.names.get(node.by), Ref):
                    found = names.slope(node.of, other.name)
                label = f"d{node.of}/d{node.by}"
            case Ref():
                found = generic.of(node) if always else None
                if found is None:
                    found = Ref(node.name) if node.name in known else names.meant(node.name)
                if found is None:
                    found = generic.of(node) or _constant(node.name) or apart(node.name, names)
                label = node.name
        if found is None:
            missing.append(label)
            return node
        return _placed(found, node)

    def combine(node: Apply, args: list[Formula]) -> Formula:
        return Apply(node.operation, tuple(args), node.style, node.parens, node.span, node.depth)

    made = fold(formula, leaf, combine)
    if missing:
        listed = ", ".join(dict.fromkeys(missing))
        raise Unresolved(f"{listed} {'is no name' if len(set(missing)) == 1 else 'are no names'} of this network.")
    if any(isinstance(node, Apply) and node.operation in (DIFFERENTIATE, PRIME) for node in postorder(made)):
        made = _taken(made, names, context, total=total)
    return made


def without_crosses(formula: Formula) -> Formula:
    """The formula with the x of `w1 x i1` as a sign, where no quantity is called x."""

    def combine(node: Apply, args: list[Formula]) -> Formula:
        if node.operation is MULTIPLY and node.style == "juxtaposed":
            left = args[0]
            cross = left.args[-1] if isinstance(left, Apply) and not left.parens and len(left.args) == 2 else None
            if isinstance(left, Apply) and left.style == "juxtaposed" and cross == Ref("x"):
                args = [left.args[0], args[1]]
        return Apply(node.operation, tuple(args), node.style, node.parens, node.span, node.depth)

    return fold(formula, lambda node: node, combine)


def _placed(found: Formula, node: Num | Ref | Slope) -> Formula:
    """What was found, where the name stood."""
    match found:
        case Ref():
            return Ref(found.name, node.parens, node.span)
        case Slope():
            return Slope(found.of, found.by, node.parens, node.span)
        case Num():
            return Num(found.value, found.text, node.parens or found.value < 0, node.span)
        case Apply():
            return grouped(found, node.span)


def _taken(formula: Formula, names: Names, context: Context, *, total: bool) -> Formula:
    def depends(name: str, by: str) -> bool:
        return name in names.graph.index and by in names.graph.index and by in names.ancestors(name)

    try:
        made = worked_out(formula, by=context.by, depends=depends if total else None)
    except BackhandError as error:
        raise Unresolved(error.what) from None
    if any(isinstance(node, Apply) and node.operation in (DIFFERENTIATE, PRIME) for node in postorder(made)):
        raise Unresolved("A derivative by something that is no name.")
    return made


def _constant(name: str) -> Formula | None:
    """E and pi, where the network has no such names."""
    return apply(OPERATIONS[name, 0]) if name in CONSTANTS else None


def apart(name: str, names: Names) -> Formula | None:
    """`xy` as x y; the parts are names of the network."""
    if len(name) > RUN_TOGETHER or name in FUNCTIONS:
        return None
    if rest := names.delta_times(name):
        return apply(MULTIPLY, names.bound.get("δ", Ref("δ")), Ref(rest), style="juxtaposed")
    best: list[list[str] | None] = [[], *[None] * len(name)]
    for end in range(1, len(name) + 1):
        for start in range(end):
            head = best[start]
            if head is not None and best[end] is None and (part := name[start:end]) in names.graph.index:
                best[end] = [*head, part]
    parts = best[len(name)]
    if not parts or len(parts) < 2:
        return None
    made: Formula = Ref(parts[0])
    for part in parts[1:]:
        made = apply(MULTIPLY, made, Ref(part), style="juxtaposed")
    return made


def with_eulers_number(formula: Formula, names: Names) -> Formula | None:
    """The formula with e^... read as the exponential, where the network has an e of its own; None if there is none."""
    if "e" not in names.graph.index:
        return None
    changed: list[str] = []

    def combine(node: Apply, args: list[Formula]) -> Formula:
        if node.operation is POWER and isinstance(args[0], Ref) and args[0].name == "e":
            changed.append("e")
            args = [apply(OPERATIONS["e", 0]), args[1]]
        return Apply(node.operation, tuple(args), node.style, node.parens, node.span, node.depth)

    made = fold(formula, lambda node: node, combine)
    return made if changed else None


def with_calls(formula: Formula, names: Names) -> Formula | None:
    """The formula with g(x) read as g, where g is a quantity that depends on x, and g(3) where x is given as 3; None if
    there is no such thing."""
    changed: list[str] = []

    def combine(node: Apply, args: list[Formula]) -> Formula:
        if node.operation is MULTIPLY and node.style == "juxtaposed" and isinstance(args[0], Ref) and args[1].parens:
            called = names.meant(args[0].name)
            inside = names.meant(args[1].name) if isinstance(args[1], Ref) else None
            if isinstance(called, Ref) and isinstance(args[1], Num) and names.graph[called.name].computed:
                given = [n for n in names.ancestors(called.name) if names.graph[n].given == args[1].value]
                inside = Ref(min(given)) if given else None
            if (
                isinstance(called, Ref)
                and isinstance(inside, Ref)
                and called != inside
                and names.possible(Slope(called.name, inside.name))
            ):
                changed.append(called.name)
                return Ref(called.name, node.parens, node.span)
        return Apply(node.operation, tuple(args), node.style, node.parens, node.span, node.depth)

    made = fold(formula, lambda node: node, combine)
    return made if changed else None


LOST_POWER = re.compile(r"(.*\D)([23])")


def with_powers(formula: Formula, names: Names) -> Formula | None:
    """The formula with x2 read as x^2 where x is a name and x2 is none; None if there is no such name."""
    changed: list[str] = []

    def leaf(node: Num | Ref | Slope) -> Formula:
        if isinstance(node, Ref) and names.meant(node.name) is None:
            match = LOST_POWER.fullmatch(node.name)
            if match is not None and names.quantity(match[1].rstrip("_^")) is not None:
                changed.append(node.name)
                base = Ref(match[1].rstrip("_^"), False, node.span)
                return apply(POWER, base, Num(Fraction(match[2]), match[2]), span=node.span)
        return node

    def combine(node: Apply, args: list[Formula]) -> Formula:
        return Apply(node.operation, tuple(args), node.style, node.parens, node.span, node.depth)

    made = fold(formula, leaf, combine)
    return made if changed else None


def about_of(meant: Ref | Slope, names: Names) -> About:
    """What a claim with this subject is about."""
    return Value(meant.name) if isinstance(meant, Ref) else names.about(meant)
