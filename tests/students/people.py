"""What somebody with a habit of the catalogue writes, line by line, and which of it is right.

A Person goes through a net forward and back with one rule replaced, named by the catalogue's entry ("" for none). Each
line is a Step: what it is about, the formulas in names, the same in numbers, and the result. With it stands the right
formula at that person's own numbers, so that for every link on the page it is known whether it is right, follows, or is
where the mistake is made. The entries of layered nets have the numbers of `independent_replay`; a test compares them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, NamedTuple

from students import trees
from students.nets import Net
from students.trees import (
    Leaf,
    Number,
    Op,
    Tree,
    add,
    local,
    minus,
    neg,
    num,
    over,
    power,
    same,
    slope,
    times,
    value,
    worth,
)

About = tuple[str, ...]
Form = Literal["local", "weight", "bare", "path"]
"""How local derivatives are written in a formula: dC1/dB1, the weight's name, its number; or the product of all of them
along the way."""

Status = Literal["good", "doubtful", "bad"]
"""good: a right link; bad: one that is wrong and gives another number; doubtful: wrongly made, and the number comes out
all the same."""

LAYERED = (
    "P1 P2 P3 P4 P5 P6 P7 P8 P9 P10 P11 U1 U2 U3 U4 U5 U6 V1 V1b V2 E1 E2 E3 E4 E5 E6 E7 E8 E9 E10 X1 X2 X3 "
    "N1 N2 N3 N4 N5 N6 N7 N8 N9 N10 N11 N12 N13 F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 R1 R2 R3 W1 W2 W3 W4 W5 W6 W7 W8"
).split()
SLIPS = "S1 S2 S3 S4 S5 S6 S7 T1 T2 T3 T4 R5B".split()
GATED = "ACT1 ACT2 ACT3 ACT4 ACT5 ACT10".split()
BENT = "ACT1 ACT5 ACT6 ACT7 ACT8 ACT9".split()
SPECIAL = {"E11": "scaled", "G1": "residual", "G2": "residual", "G3": "shared", "G4": "products", "G5": "products",
           "G6": "maxima", "G7": "quotients"}  # fmt: skip


@dataclass
class Link:
    """One side of an equation: a formula in names or in numbers."""

    tree: Tree
    named: bool
    status: Status


@dataclass
class Step:
    """A line: `forms` are ways to write its formula, each in names and in numbers; `right` is the right formula at that
    person's own numbers, `follows` its number. `asides` are local derivatives used in it."""

    about: About
    forms: dict[Form, list[Link]]
    value: Number
    right: Tree
    truth: Number
    asides: list[Step] = field(default_factory=list)
    word: str = ""
    rounded: bool = False

    @property
    def follows(self) -> Number:
        return worth(self.right)

    @property
    def status(self) -> Status:
        """Of the result."""
        return "good" if self.rounded else judged(self.value, self.right, self.truth, well_made=True)

    @property
    def name(self) -> str:
        """`B1`, `dL/dB1`."""
        return self.about[1] if self.about[0] == "value" else f"d{self.about[1]}/d{self.about[2]}"


def judged(number: Number, right: Tree, truth: Number, *, well_made: bool) -> Status:
    if not same(number, worth(right)) and not same(number, truth):
        return "bad"
    return "good" if well_made and same(number, worth(right)) else "doubtful"


class Way(NamedTuple):
    """One summand of a child's formula in which a quantity stands; `bare`: nothing else stands in it."""

    child: str
    term: int
    bare: bool


def rounded(number: Number, decimals: int) -> Number:
    """To so many decimals, or to three digits where it is small."""
    size = abs(float(number))
    while size and size < 10.0 ** -(decimals - 2) and decimals < 12:
        decimals += 1
    return round(number if isinstance(number, Fraction) else Fraction(number), decimals)


class NoNumber(Exception):
    """This person's rule gives no number here (1/0)."""


class Person:
    """Somebody at work on a net.

    `place`, `read`  for entries that act at one place: an arrow, a unit or two, and the number that is read there
    `slips`          results that are written instead of what the line gives, by what they are about, and carried on
    `not_carried`    the same, but the lines that follow go on from the right number
    `sober`          what the habit is forgotten at
    `rounds`         decimals to which each result is rounded before it is used again
    """

    def __init__(
        self,
        net: Net,
        habit: str = "",
        place: tuple[str, ...] = (),
        read: Number | None = None,
        *,
        slips: dict[About, Number] | None = None,
        not_carried: dict[About, Number] | None = None,
        sober: frozenset[str] = frozenset(),
        rounds: int | None = None,
    ) -> None:
        self.net, self.habit, self.place, self.read = net, habit, place, read
        self.slips, self.not_carried, self.sober, self.rounds = slips or {}, not_carried or {}, sober, rounds
        self.values: dict[str, Number] = {}
        self.back: dict[str, Number] = {}
        self.truth: Person | None = right_person(net) if habit or slips or not_carried or rounds else None
        self.first: Person | None = None
        self.steps: list[Step] = []
        self.forward()
        if habit == "V1b":
            self.first = right_person(net)
        self.backward()

    # -- forward -------------------------------------------------------------------------------------------------

    def given(self, name: str) -> Number:
        """A given number as this person reads it."""
        number = self.net.given[name]
        match self.habit:
            case "T2" | "T4" if name == self.place[0]:
                return -number if self.read is None else self.read
            case "T3" if name in self.place:
                return self.net.given[self.place[1 - self.place.index(name)]]
        return number

    def forward(self) -> None:
        for name in self.net.given:
            self.values[name] = self.given(name)
        for name, tree in self.net.equations.items():
            right = self.mine(tree, givens=False)
            done = self.forward_tree(name, self.mine(tree))
            number = self.result(("value", name), worth(done))
            self.values[name] = self.carried(("value", name), number, worth(done))
            made = self.net.values if self.truth is None else self.truth.values
            well_made = names_of(done) == names_of(right)
            plain, given = worth(done), "good" if self.rounds is not None else ""
            links = [
                Link(done, True, "good" if well_made else judged(plain, right, made[name], well_made=False)),
                Link(done, False, given or judged(plain, right, made[name], well_made=well_made)),
            ]
            step = Step(("value", name), {"weight": links, "bare": links}, number, right, made[name])
            step.rounded = self.rounds is not None
            self.steps.append(step)

    def result(self, about: About, number: Number) -> Number:
        """What is written as the result of a line."""
        number = self.slips.get(about, self.not_carried.get(about, number))
        return number if self.rounds is None else rounded(number, self.rounds)

    def carried(self, about: About, written: Number, worked_out: Number) -> Number:
        return worked_out if about in self.not_carried else written

    def mine(self, tree: Tree, *, givens: bool = True) -> Tree:
        """A right formula with this person's numbers; with `givens=False` given numbers as they really are."""
        source = self.values if givens else {**self.values, **self.net.given}
        return trees.with_numbers(tree, lambda leaf: source[leaf.of])

    def leaf(self, name: str) -> Leaf:
        return value(name, self.values[name])

    def forward_tree(self, name: str, tree: Tree) -> Tree:
        net, habit = self.net, self.habit
        if name == net.output:
            return self.loss_tree(tree)
        layer = next((k for k, units in enumerate(net.layers) if name in units), 0)
        if habit == "ACT10" and name in net.bends:
            return self.leaf(net.bends[name][0])
        if not (layer and isinstance(tree, Op) and (name, layer)):
            return tree
        tails, heads = net.layers[layer - 1], net.layers[layer]
        j = heads.index(name)
        if habit in ("X2", "X3") and len(tails) == len(heads) > 1:
            return add(
                *(self.arrow_term(tail, name, read=net.arrow[tails[j], heads[i]]) for i, tail in enumerate(tails))
            )
        if habit == "F9" and layer == 2 and len(net.layers[0]) >= len(tails):
            return add(*(self.arrow_term(tail, name, tail=net.layers[0][i]) for i, tail in enumerate(tails)))
        if habit == "F10":
            return add(*(self.arrow_term(tail, name, tail=heads[i] if i < j else tail) for i, tail in enumerate(tails)))
        if habit in ("S3", "S4", "S6") and self.place[1] == name:
            terms = [
                self.arrow_term(tail, name, number=self.read if tail == self.place[0] else None)
                for tail in tails
                if not (habit == "S3" and tail == self.place[0])
            ]
            return add(*terms) if terms else num(0)
        return tree

    def arrow_term(
        self, over_: str, head: str, *, tail: str | None = None, read: str | None = None, number: Number | None = None
    ) -> Tree:
        """Weight times tail; `tail`, the weight `read` or its number may be others."""
        weight = self.net.arrow[over_, head]
        taken = self.values[read or weight] if number is None else number
        return times(value(weight, taken, bare=self.net.coefficients), self.leaf(tail or over_))

    def loss_tree(self, tree: Tree) -> Tree:
        if self.habit not in ("F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8"):
            return tree
        D, t = self.leaf("D"), self.leaf("t")
        return {
            "F1": minus(D, t),
            "F2": minus(D, t),
            "F3": minus(power(D, 2), t),
            "F4": minus(power(D, 2), power(t, 2)),
            "F5": power(add(D, t), 2),
            "F6": over(power(minus(D, t), 2), num(2)),
            "F7": times(num(2), minus(D, t)),
            "F8": neg(power(minus(D, t), 2)),
        }[self.habit]

    # -- back ----------------------------------------------------------------------------------------------------

    def ways(self, name: str) -> list[Way]:
        output, back = self.net.output, self.back
        return [Way(*use) for use in self.net.uses[name] if use[0] == output or use[0] in back]

    def backward(self) -> None:
        net = self.net
        self.back[net.output] = Fraction(1)
        order = [n for n in reversed(net.equations) if n != net.output]
        for units in net.layers[1:]:  # layer by layer from the loss, within each from top to bottom
            places = sorted(order.index(unit) for unit in units)
            for place, unit in zip(places, units, strict=True):
                order[place] = unit
            sums = [net.bends[unit][0] for unit in units if unit in net.bends]
            places = sorted(order.index(z) for z in sums)
            for place, z in zip(places, sums, strict=True):
                order[place] = z
        order += [n for n in net.given if net.kinds[n] == "input"]
        later = list(net.weights)
        for name in [*order, *later]:
            if self.ways(name):
                self.step_back(name)
        if self.habit == "R5B":
            self.exchange()

    def step_back(self, name: str) -> None:
        right = self.gathered(name, "local", "", right=True)
        truth = worth(right) if self.truth is None else self.truth.back.get(name, Fraction(0))
        try:
            written, number = self.written(name)
        except (NoNumber, ZeroDivisionError):
            return
        about = ("slope", self.net.output, name)
        written_number, exact = self.result(about, number), number
        number = written_number
        self.back[name] = self.carried(about, number, exact)
        forms: dict[Form, list[Link]] = {}
        for form, tree in written.items():
            wanted = self.gathered(name, form, "", right=True) if form != "path" else None
            well_made = names_of(tree) == names_of(wanted) if wanted is not None else self.whole_path(name)
            outcome = judged(worth(tree), right, truth, well_made=well_made) if self.rounds is None else "good"
            links = [Link(tree, True, "good" if well_made else judged(worth(tree), right, truth, well_made=False))]
            forms[form] = [*links, Link(tree, False, outcome)]
        step = Step(about, forms, number, right, truth)
        step.rounded = self.rounds is not None
        step.asides = self.asides(name)
        if self.habit == "U5" and not forms:
            step.word = "not in the formula"
        self.steps.append(step)

    def written(self, name: str) -> tuple[dict[Form, Tree], Number]:
        """The formulas this person writes for a derivative, and the result."""
        habit, output = self.habit, self.net.output
        unit = name in self.net.units
        if habit == "V1b" and self.first is not None:
            number = worth(self.gathered(name, "local", habit)) + self.first.back[name]
            return {}, number
        if habit == "V1" and unit and any(way.child == output for way in self.ways(name)):
            return {}, 2 * worth(self.gathered(name, "local", habit))
        if habit == "U5" and unit and all(way.child != output for way in self.ways(name)):
            return {}, Fraction(0)
        found: dict[Form, Tree] = {f: self.gathered(name, f, habit) for f in ("local", "weight", "bare")}
        number = worth(found["local"])
        if habit == "S7" and name == self.place[0]:
            return found, -number
        if habit == "T1":
            return found, self.two_minuses(name, number)
        path = self.path(name)
        if path is not None and same(worth(path), number):
            found["path"] = path
        return found, number

    def two_minuses(self, name: str, number: Number) -> Number:
        """T1: minus times minus left minus, on one arrow."""
        tail, head = self.place
        if name != tail or head not in self.back:
            return number
        above, weight = self.back[head], self.values[self.net.arrow[tail, head]]
        return number - 2 * above * weight if above < 0 and weight < 0 else number

    def gathered(self, name: str, form: Form, habit: str, *, right: bool = False) -> Tree:
        """The formula for dL/d(name) over the ways this person keeps; with `right` by calculus, at this person's
        numbers but with given numbers as they are."""
        net = self.net
        habit = "" if name in self.sober else habit
        ways = self.kept(name, self.ways(name)) if habit else self.ways(name)
        is_weight = name in net.weights
        if habit and is_weight and net.plain is not None:
            return self.weight_tree(name, form)
        terms = [self.term(name, way, form, habit, right=right) for way in ways]
        whole = self.combined(name, ways, terms) if habit else add(*terms)
        return self.reported(name, whole) if habit and not is_weight else whole

    def term(self, name: str, way: Way, form: Form, habit: str, *, right: bool) -> Tree:
        above = None if way.child == self.net.output else slope(self.net.output, way.child, self.back[way.child])
        if habit:
            above = self.above(name, way, above)
        tree = self.local_tree(name, way, habit, right=right)
        if form == "bare":
            tree = bare_weights(tree, self.net)
        elif form == "local" and way.child != self.net.output and self.several_terms(name, way) == 1:
            tree = local(way.child, name, worth(tree))
        if habit == "E7" and above is not None and name in self.net.units:
            return Op("+", (above, tree))
        return tree if above is None else times(above, tree) if not is_one(tree) else above

    def several_terms(self, name: str, way: Way) -> int:
        return sum(other.child == way.child for other in self.ways(name))

    def kept(self, name: str, ways: list[Way]) -> list[Way]:
        habit, net = self.habit, self.net
        if habit == "G3" and name in net.weights:
            return ways[:1]
        if name not in net.units:
            return ways
        if habit == "S1" and name == self.place[0]:
            return [way for way in ways if way.child != self.place[1]]
        if habit == "S2" and name == self.place[0]:
            return [w for way in ways for w in ([way, way] if way.child == self.place[1] else [way])]
        if len(ways) < 2:
            return ways
        if habit in ("G1", "G2") and any(way.bare for way in ways):
            return [way for way in ways if way.bare == (habit == "G2")]
        if not net.plain:
            return ways
        i = next(units.index(name) for units in net.layers if name in units)
        js = range(len(ways))
        parts = [worth(self.term(name, w, "local", habit, right=False)) for w in ways] if habit in ("P5", "P6") else []
        weights = [worth(self.local_tree(name, w, "", right=False)) for w in ways] if habit in ("P10", "P11") else []
        match habit:
            case "P1":
                return [ways[min(js, key=lambda j: (abs(j - i), j))]]
            case "P2":
                return [way for j, way in enumerate(ways) if j != i] or ways
            case "P3":
                return ways[:1]
            case "P4":
                return ways[-1:]
            case "P5":
                return [ways[max(js, key=lambda j: abs(parts[j]))]]
            case "P6":
                return [ways[min(js, key=lambda j: abs(parts[j]))]]
            case "P10":
                return [way for way, w in zip(ways, weights, strict=True) if w >= 0]
            case "P11":
                return [ways[max(js, key=lambda j: weights[j])]]
        return ways

    def above(self, name: str, way: Way, above: Leaf | None) -> Tree | None:
        """What this person multiplies with."""
        net, output = self.net, self.net.output
        if above is None or not net.layers:
            return above
        head = net.layers[-1][0]
        match self.habit:
            case "U1":
                return None
            case "U2":
                return slope(output, head, self.back[head])
            case "U3":
                units = next(units for units in net.layers if way.child in units)
                other = units[(units.index(way.child) + 1) % len(units)]
                return slope(output, other, self.back[other])
            case "U6" if way.child != head:
                return times(above, slope(output, head, self.back[head]))
        return above

    def local_tree(self, name: str, way: Way, habit: str, *, right: bool) -> Tree:
        """The local derivative written out, with this person's numbers."""
        net = self.net
        tree = net.equations[way.child]
        term = tree.args[way.term] if isinstance(tree, Op) and tree.sign == "+" else tree
        if way.child == net.output:
            return self.loss_slope(name, term, habit, right=right)
        if way.child in net.bends and net.bends[way.child][0] == name:
            return self.bend(name, way.child, habit)
        if habit in ("G4", "G5", "G6", "G7") and isinstance(term, Op):
            special = self.product_slope(name, term, habit)
            if special is not None:
                return special
        found = trees.derivative(self.mine(term, givens=not right), name)
        assert found is not None
        if habit and net.layers and (name, way.child) in net.arrow:
            return self.arrow_slope(name, way.child, found)
        return found

    def arrow_slope(self, tail: str, head: str, right: Tree) -> Tree:
        net, habit = self.net, self.habit
        w = self.values[net.arrow[tail, head]]
        named_w = self.leaf(net.arrow[tail, head])
        match habit:
            case "E1":
                return num(1)
            case "E2":
                return self.leaf(tail)
            case "E3":
                return self.leaf(head)
            case "E4":
                return times(named_w, self.leaf(tail))
            case "E5":
                return num(abs(w))
            case "E6":
                if w == 0:
                    raise NoNumber
                return over(num(1), named_w)
            case "E8":
                return neg(named_w)
            case "E9":
                return num(1) if w == 0 else named_w
            case "E10":
                return power(named_w, 2)
            case "U4":
                return num(w - Fraction(1, 10) * self.back[head] * self.values[tail])
            case "S4" | "S5" if (tail, head) == self.place:
                assert self.read is not None
                return value(net.arrow[tail, head], self.read)
            case "X1" | "X3":
                k = next(k for k, units in enumerate(net.layers) if tail in units)
                tails, heads = net.layers[k], net.layers[k + 1]
                if len(tails) == len(heads) > 1:
                    other = net.arrow[tails[heads.index(head)], heads[tails.index(tail)]]
                    return self.leaf(other)
        return right

    def loss_slope(self, name: str, term: Tree, habit: str, *, right: bool) -> Tree:
        if not right and habit == "E11":
            D, t = self.leaf(name), self.leaf("t")
            return times(num(2), minus(times(num(2), D, num(2)), t))
        if not right and habit in LOSS_SLOPES:
            D, t, L = self.leaf(name), self.leaf("t"), self.leaf(self.net.output)
            return LOSS_SLOPES[habit](D, t, L)
        found = trees.derivative(self.mine(term, givens=not right), name)
        assert found is not None
        return found

    def bend(self, z_name: str, unit: str, habit: str) -> Tree:
        z, a = self.leaf(z_name), self.leaf(unit)
        function = self.net.bends[unit][1]
        match function:
            case "sigmoid":
                right: Tree = times(a, minus(num(1), a))
            case "tanh":
                right = minus(num(1), power(a, 2))
            case _:
                right = num(1 if z.number > 0 else 0)
        if not habit:
            return right
        gate = function == "relu"
        match habit:
            case "ACT1":
                return num(1)
            case "ACT2" if gate:
                return num(1 if self.back[unit] > 0 else 0)
            case "ACT3" if gate:
                return num(1 if z.number <= 0 else 0)
            case "ACT4" if gate:
                return self.other_mask(unit, right)
            case "ACT5":
                return a
            case "ACT6" if not gate:
                bent = trees.call(function, a)
                return times(bent, minus(num(1), bent)) if function == "sigmoid" else minus(num(1), power(bent, 2))
            case "ACT7" if not gate:
                return minus(num(1), power(a, 2)) if function == "sigmoid" else times(a, minus(num(1), a))
            case "ACT8" if not gate:
                return minus(num(1), a)
            case "ACT9" if not gate:
                return neg(right)
        return right

    def other_mask(self, unit: str, right: Tree) -> Tree:
        hidden = self.net.layers[1:-1]
        k = next(k for k, units in enumerate(hidden) if unit in units)
        other = hidden[k + 1] if k + 1 < len(hidden) else hidden[k - 1]
        i = hidden[k].index(unit)
        if len(hidden) < 2 or i >= len(other):
            return right
        return num(1 if self.values[self.net.bends[other[i]][0]] > 0 else 0)

    def product_slope(self, name: str, term: Op, habit: str) -> Tree | None:
        """The G entries, where both arguments are units."""
        net = self.net
        units = [arg.of for arg in term.args if isinstance(arg, Leaf) and arg.of in net.units]
        if len(units) != 2 or name not in units:
            return None
        u = self.leaf(name)
        match habit, term.sign:
            case "G4", "*":
                return u
            case ("G5", "*") | ("G6", "max"):
                return num(1)
            case "G7", "/" if name == units[1]:
                return over(self.leaf(units[0]), power(u, 2))
        return None

    def combined(self, name: str, ways: Sequence[Way], terms: list[Tree]) -> Tree:
        if not terms:
            return num(0)
        if len(terms) < 2 or not self.net.plain or name not in self.net.units:
            return terms[0] if len(terms) == 1 else Op("+", tuple(terms)) if self.habit == "E7" else add(*terms)
        match self.habit:
            case "P7":
                return over(add(*terms), num(len(terms)))
            case "P8":
                return times(*terms)
            case "P9":
                return minus(terms[0], add(*terms[1:]))
            case "E7":
                return Op("+", tuple(terms))
        return add(*terms)

    def reported(self, name: str, whole: Tree) -> Tree:
        net = self.net
        if any(way.child == net.output for way in self.ways(name)) or not net.plain:
            return whole
        match self.habit:
            case "V2":
                return add(whole, num(1))
            case "R1":
                return times(whole, self.leaf(name))
            case "R2":
                return minus(self.leaf(name), whole)
            case "R3":
                return neg(whole)
        return whole

    def weight_tree(self, name: str, form: Form) -> Tree:
        net, output = self.net, self.net.output
        tail, head = next(pair for pair, weight in net.arrow.items() if weight == name)
        above: Tree | None = slope(output, head, self.back[head])
        below: Tree | None = self.leaf(tail)
        k = next(k for k, units in enumerate(net.layers) if tail in units)
        tails, heads = net.layers[k], net.layers[k + 1]
        last = net.layers[-1][0]

        def back(unit: str) -> Leaf:
            return slope(output, unit, self.back[unit])

        match self.habit:
            case "U1" | "W4":
                above = None
            case "U2" | "W8":
                above = back(last)
            case "U3":
                above = back(heads[(heads.index(head) + 1) % len(heads)])
            case "U6" if head != last:
                above = times(back(head), back(last))
            case "W1":
                below = None
            case "W2":
                below = self.leaf(head)
            case "W3":
                below = self.leaf(name)
            case "W5" if len(tails) == len(heads) > 1:
                above, below = back(heads[tails.index(tail)]), self.leaf(tails[heads.index(head)])
            case "W6":
                above = back(tail)
            case "W7":
                above = add(*(back(unit) for unit in heads))
        if form == "local" and self.habit not in ("W2", "W3", "W5") and below is not None:
            below = local(head, name, self.values[tail])
        parts = [part for part in (above, below) if part is not None]
        return times(*parts) if parts else num(1)

    # -- longer forms and asides -------------------------------------------------------------------------------------

    def path(self, name: str) -> Tree | None:
        """dL/dD dD/dC1 dC1/dB1: all local derivatives along the one way this person follows."""
        net = self.net
        if name not in net.units or self.habit not in ("", "P1", "P2", "P3", "P4"):
            return None
        factors: list[Tree] = []
        at = name
        while True:
            ways = self.kept(at, self.ways(at)) if self.habit else self.ways(at)
            if len(ways) != 1:
                return None
            child = ways[0].child
            if child == net.output:
                factors.append(
                    slope(
                        child, at, self.back.get(at, worth(self.term(at, ways[0], "weight", self.habit, right=False)))
                    )
                )
                break
            factors.append(local(child, at, worth(self.local_tree(at, ways[0], self.habit, right=False))))
            at = child
        return times(*reversed(factors)) if len(factors) > 1 else None

    def whole_path(self, name: str) -> bool:
        """Whether there is only one way at each unit from here on."""
        at = name
        while at != self.net.output:
            ways = self.ways(at)
            if len(ways) != 1:
                return False
            at = ways[0].child
        return True

    def asides(self, name: str) -> list[Step]:
        """The local derivatives on this line, as lines of their own."""
        found: list[Step] = []
        for way in self.ways(name):
            if way.child == self.net.output or self.several_terms(name, way) > 1:
                continue
            right = self.local_tree(name, way, "", right=True)
            try:
                mine = self.local_tree(name, way, self.habit, right=False) if self.habit else right
            except (NoNumber, ZeroDivisionError):
                continue
            number, true = worth(mine), worth(trees.with_numbers(right, self.true_value))
            well_made = names_of(mine) == names_of(right)
            named = Link(mine, True, "good" if well_made else judged(number, right, true, well_made=False))
            plain = Link(mine, False, judged(number, right, true, well_made=well_made))
            found.append(Step(("local", way.child, name), {"weight": [named, plain]}, number, right, true))
        return found

    def true_value(self, leaf: Leaf) -> Number:
        return (self.net.values if self.truth is None else self.truth.values)[leaf.of]

    def exchange(self) -> None:
        """R5B: two units of a layer, each derivative under the other's name."""
        one, other = self.place
        steps = {step.about: step for step in self.steps}
        a, b = steps["slope", self.net.output, one], steps["slope", self.net.output, other]
        if same(a.value, b.value):
            return
        a.value, b.value = b.value, a.value
        a.forms, b.forms = {}, {}
        a.asides = b.asides = []


def right_person(net: Net) -> Person:
    """Somebody without a habit; the same one for a net, whoever asks."""
    if "right" not in net.memory:
        net.memory["right"] = Person(net)
    person: Person = net.memory["right"]
    return person


LOSS_SLOPES: dict[str, Callable[[Leaf, Leaf, Leaf], Tree]] = {
    "N1": lambda D, t, L: minus(D, t),
    "N2": lambda D, t, L: times(num(2), D),
    "N3": lambda D, t, L: times(num(2), minus(t, D)),
    "N4": lambda D, t, L: times(num(2), power(minus(D, t), 2)),
    "N5": lambda D, t, L: num(2),
    "N6": lambda D, t, L: times(L, num(2), minus(D, t)),
    "N7": lambda D, t, L: L,
    "N8": lambda D, t, L: D,
    "N9": lambda D, t, L: num(1),
    "N10": lambda D, t, L: times(num(2), minus(D, t), minus(num(1), t)),
    "N11": lambda D, t, L: times(num(2), minus(D, t), neg(t)),
    "N12": lambda D, t, L: minus(times(num(2), D), t),
    "N13": lambda D, t, L: over(power(minus(D, t), 3), num(3)),
    "F2": lambda D, t, L: num(1),
    "F5": lambda D, t, L: times(num(2), add(D, t)),
    "F6": lambda D, t, L: minus(D, t),
}


def is_one(tree: Tree) -> bool:
    return isinstance(tree, Leaf) and tree.kind == "number" and tree.number == 1


def names_of(tree: Tree | None) -> object:
    """A formula without its numbers."""
    if tree is None:
        return None
    if isinstance(tree, Leaf):
        return (tree.kind, tree.of, tree.by, tree.number if tree.kind == "number" else None)
    return (tree.sign, *(names_of(arg) for arg in tree.args))


def bare_weights(tree: Tree, net: Net) -> Tree:
    """Weights as their numbers, everything else by name."""
    if isinstance(tree, Leaf):
        given = tree.kind == "value" and net.kinds.get(tree.of) in ("weight", "bias", "target")
        return Leaf(tree.kind, tree.of, tree.by, tree.number, True) if given else tree
    return Op(tree.sign, tuple(bare_weights(arg, net) for arg in tree.args))


# -- who does what where ---------------------------------------------------------------------------------------------


def place_for(draw: random.Random, net: Net, habit: str) -> tuple[tuple[str, ...], Number | None]:
    """Where an entry that acts at one place does so, and the number that is read there."""
    arrows = list(net.arrow)
    match habit:
        case "S1":
            several = [pair for pair in arrows if len(net.children(pair[0])) > 1]
            return draw.choice(several), None
        case "S2" | "S3" | "T1":
            return draw.choice(arrows), None
        case "S4" | "S5" | "S6":
            pair = draw.choice(arrows)
            weight = net.given[net.arrow[pair]]
            return pair, draw.choice([Fraction(n) for n in (-3, -2, -1, 1, 2, 3) if n != weight])
        case "S7":
            return (draw.choice([n for n in net.units if n in net.equations]),), None
        case "T2":
            return (draw.choice(net.layers[0]),), None
        case "T3":
            return tuple(net.layers[0][:2]), None
        case "T4":
            t = net.given["t"]
            return ("t",), draw.choice([Fraction(n) for n in range(-5, 6) if n != t])
        case "R5B":
            return tuple(draw.choice([units for units in net.layers if len(units) > 1])[:2]), None
    return (), None
