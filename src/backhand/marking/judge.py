r"""Every link of every claim, judged: does it say what is true, by the right rule?

    dL/dB1 = dL/dD dD/dC1 dC1/dB1        wrong: two ways lead from B1 to L, this is one of them
           = (2)(1)(1)                   follows from the link before
           = 2                           follows

A formula is right if its value is the true one here; whether it is the rule, and not true by accident, is tried at
other numbers. Numbers put in are right if they give the true value, or what follows from the writer's own earlier
numbers. A number after a number must be the same number. So the written line decides before the number behind it:
a wrong formula is wrong although its number may happen to follow from earlier mistakes.

What cannot be read or resolved is unclear and spoils nothing. A number misread once is followed through: the first
line it spoils is wrong, later ones are held against both readings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NamedTuple

from backhand.core.differentiate import differentiate
from backhand.core.formula import Apply, Formula, Num, Ref, Slope, names, postorder, rename, to_text
from backhand.core.graph import Graph
from backhand.marking.about import About, Derivative, Local, Value
from backhand.marking.align import Context, Unresolved, resolve, with_powers
from backhand.marking.claims import Claims, Draft, bare, plain
from backhand.marking.diagnose import Claimed
from backhand.marking.marking import Judged, Judgement, Method, Remark, Verdict
from backhand.marking.replay import Terms
from backhand.marking.sheet import Amount, exact, small
from backhand.marking.work import Piece
from backhand.marking.worlds import (
    Measured,
    Rounding,
    World,
    agrees,
    elsewhere,
    equal,
    numbers_in,
    places,
    shape,
)
from backhand.numbers import show


class Slip(NamedTuple):
    """One number put in for another: what stands for the given number or quantity `name`."""

    name: str
    said: Amount
    meant: Amount
    given: bool


@dataclass(slots=True, eq=False)
class Own:
    """The writer's numbers so far, and the given numbers as he seems to read them."""

    numbers: dict[About, Amount] = field(default_factory=dict[About, Amount])
    slack: dict[About, float] = field(default_factory=dict[About, float])
    givens: dict[str, Amount] = field(default_factory=dict[str, Amount])
    names: dict[str, Amount] = field(default_factory=dict[str, Amount])
    astray: bool = False
    """Whether anything so far was not the true number."""


@dataclass(slots=True, eq=False)
class Outcome:
    """A judged claim with what diagnosing and follow-through want to know of it."""

    judgement: Judgement
    claimed: Claimed | None
    wrong_link: Piece | None
    dropped: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True, eq=False)
class _Case:
    """The claim at hand: its true numbers, those that follow, and its links so far."""

    draft: Draft
    truths: list[Amount]
    follows: list[Amount]
    links: list[Judged] = field(default_factory=list[Judged])
    remarks: list[Remark] = field(default_factory=list[Remark])
    formula: Formula | None = None
    """The last link in names, resolved."""
    named: list[Amount] = field(default_factory=list[Amount])
    """What that link is worth, here and at the writer's own numbers."""
    number: Measured | None = None
    literal: Measured | None = None
    """The last link in numbers: with the exact numbers behind rounded ones, and as it stands."""
    first_formula: Formula | None = None
    terms: Terms | None = None
    summands: int | None = None
    slips: tuple[Slip, ...] = ()
    """Numbers put in for others, if they are all that is wrong."""
    by_luck: bool = False
    dropped: tuple[tuple[str, str], ...] = ()


class Judge:
    """Judges the claims of one answer, one after the other."""

    def __init__(self, graph: Graph, of: str, claims: Claims, truth: World) -> None:
        self.graph = graph
        self.of = of
        self.claims = claims
        self.names = claims.names
        self.truth = truth
        self.own = Own()
        self._worlds: list[World] | None = None
        self.symbols = {q.name for q in graph.quantities if not q.computed and q.given is None}
        self.rounding = Rounding(self._known_numbers(), self._plain_numbers())

    def judge(self, drafts: Sequence[Draft], order: dict[str, int]) -> list[Outcome]:
        """The outcomes, in the order of their numbers on the page."""
        listed = sorted(drafts, key=lambda draft: (order.get(draft.end[0], 0), draft.end[1]))
        return [self._judge(draft) for draft in listed]

    # -- numbers that are known ----------------------------------------------------------------------------

    def _known_numbers(self) -> Iterator[Amount]:
        """All true values and derivatives, and what is left of them to 1."""
        page = self.truth.page(self.of)
        for number in (*page.value, *page.back, *page.slope):
            if number == number:
                yield number
                yield 1 - number

    def _plain_numbers(self) -> Iterator[Amount]:
        """Given numbers: a decimal that is one of them is no rounded number."""
        for quantity in self.graph.quantities:
            if not quantity.computed and isinstance(quantity.given, Fraction):
                yield quantity.given
        for quantity in self.graph.quantities:
            if quantity.computed and quantity.definition is not None:
                yield from (node.value for node in postorder(quantity.definition) if isinstance(node, Num))

    def _own_worlds(self) -> list[World]:
        """What follows from the writer's own numbers: as given, and as he reads the given ones."""
        if self._worlds is None:
            own, made = self.own, list[World]()
            if own.astray:
                numbers = {about: exact(number) for about, number in own.numbers.items()}
                made.append(World(self.graph, self.of, numbers, own.slack))
                made.append(World(self.graph, self.of, numbers))
                if own.givens:
                    made.append(World(self.graph, self.of, numbers, own.slack, own.givens))
            elif own.slack:
                made.append(World(self.graph, self.of, {a: exact(n) for a, n in own.numbers.items()}))
            for world in made:
                world.own_names = own.names
            self._worlds = made
        return self._worlds

    # -- one claim -----------------------------------------------------------------------------------------

    def _judge(self, draft: Draft) -> Outcome:
        case = _Case(draft, self._truths(draft), [])
        for world in self._own_worlds():
            if draft.about is not None and (number := world.predicted(draft.about)) is not None and number == number:
                case.follows.append(number)
        draft.pieces[:] = [self._as_meant(case, piece) for piece in draft.pieces]
        for piece in draft.pieces:
            self._link(case, piece)
        return self._concluded(case)

    def _as_meant(self, case: _Case, piece: Piece) -> Piece:
        """A link with what the scanner probably lost put back, where that makes it true and it is not so as it stands."""
        if (
            piece.meant is None
            or self._true_as(case, piece, piece.formula)
            or not self._true_as(case, piece, piece.meant)
        ):
            return piece
        text = (
            f"This is read as {to_text(piece.meant)}; it stands there as {piece.text.strip()}. Please compare the page."
        )
        case.remarks.append(Remark("scan", text, piece.span, text))
        return replace(piece, formula=piece.meant)

    def _true_as(self, case: _Case, piece: Piece, formula: Formula | None) -> bool:
        if formula is None:
            return False
        resolved, _ = self._resolved(case, formula)
        if resolved is None:
            return False
        value = self.truth_at(resolved)
        if bare(resolved):
            return any(agrees(value.value, number, piece.digits) for number in (*case.truths, *case.follows))
        return any(_meets_one(value, number) for number in (*case.truths, *case.follows))

    def _truths(self, draft: Draft) -> list[Amount]:
        """The right number; of a derivative that can be meant in two ways, both."""
        about = draft.about
        if about is None:
            return []
        found: list[Amount] = []
        number = self.truth.predicted(about)
        if number is not None and number == number:
            found.append(number)
        if isinstance(about, Local):
            total = self.truth.slope(about.child, about.parent, total=True)
            if total == total and not any(equal(total, x) for x in found):
                found.append(total)
        return found

    # -- one link ------------------------------------------------------------------------------------------

    def _link(self, case: _Case, piece: Piece) -> None:
        if piece.formula is None:
            case.links.append(Judged(piece, "unclear", piece.reason))
            case.number = case.literal = None
            return
        resolved, reason = self._resolved(case, piece.formula)
        if resolved is None:
            case.links.append(Judged(piece, "unclear", reason))
            return
        if plain(resolved):
            verdict, why = self._in_numbers(case, piece, resolved)
        else:
            verdict, why = self._in_names(case, piece, resolved)
        case.links.append(Judged(piece, verdict, why))

    def _resolved(self, case: _Case, formula: Formula) -> tuple[Formula | None, str]:
        """The formula in the network's names. Of several readings the one that is true here, if there is one."""
        if plain(formula) and not any(
            isinstance(n, Apply) and n.operation.name in TO_BE_TAKEN for n in postorder(formula)
        ):
            return formula, ""
        context = case.draft.context
        reason = ""
        first: Formula | None = None
        for written, where, total, always in self._readings(formula, context, case.draft):
            try:
                found = resolve(written, self.names, where, frozenset(self.own.names), total=total, always=always)
            except Unresolved as error:
                reason = reason or error.reason
                continue
            value = self.truth_at(found).value
            if any(equal(value, truth) for truth in case.truths):
                return found, ""
            first = first or found
        return first, reason

    def _readings(
        self, formula: Formula, context: Context, draft: Draft
    ) -> Iterator[tuple[Formula, Context, bool, bool]]:
        local = not isinstance(draft.about, Derivative)
        yield formula, context, not local, False
        if local:
            yield formula, context, True, False
        if context.unit or context.by:
            yield formula, context, not local, True
            yield formula, Context(), True, False
        powers = with_powers(formula, self.names)
        if powers is not None:
            yield powers, context, True, False
        earlier = _of_the_version_before(formula, draft.about, self.graph)
        if earlier is not None:
            yield earlier, context, True, False

    # -- links in numbers ----------------------------------------------------------------------------------

    def _in_symbols(self, about: About | None) -> bool:
        """Whether what a claim is about has no number, because something it depends on has none."""
        if about is None or not self.symbols:
            return False
        of = about.name if isinstance(about, Value) else about.child if isinstance(about, Local) else about.of
        return bool(self.symbols & self.names.ancestors(of))

    def _in_numbers(self, case: _Case, piece: Piece, formula: Formula) -> tuple[Verdict, str]:
        if self._in_symbols(case.draft.about) and not any(self.truth.at(formula).value == t for t in case.truths):
            return "unclear", "It depends on quantities without a value, so there is no number to compare it with."
        number = self.truth.at(formula, self.rounding)
        literal = self.truth.at(formula)
        if not literal.known:
            return "unclear", "It has no value that can be worked out."
        shown = piece.digits if bare(formula) else None
        about = piece.relation == "≈"
        before, literal_before = case.number, case.literal
        case.number, case.literal = number, literal
        if bare(formula) and before is not None and literal_before is not None:
            return self._after_number(case, before, literal_before, literal, shown, about=about)
        if before is not None and literal_before is not None:
            if _meets(number, before) or _meets(literal, literal_before) or _meets(literal, before):
                return self._standing(case, number, literal)
            return "wrong", f"{_said(literal_before)} stands before it, and this is {_said(literal)}."
        return self._put_in(case, piece, formula, number, literal, shown, about=about)

    def _after_number(
        self, case: _Case, before: Measured, literal_before: Measured, said: Measured, shown: int | None, *, about: bool
    ) -> tuple[Verdict, str]:
        """A number behind numbers: the same one, rounded or not."""
        candidates = (before.value, literal_before.value)
        off = max(before.off, literal_before.off)
        half = 0.5 * 10.0**-shown if shown is not None else 0.5 if about else 0.0
        if any(
            agrees(said.value, other, shown, about=about)
            or (off > 0 and abs(float(said.value) - float(other)) <= off + half)
            for other in candidates
        ):
            case.number = case.literal = Measured(said.value, half)
            return self._standing(case, before, literal_before)
        return "wrong", f"Before it stands {_said(literal_before)}, not {_said(said)}."

    def _standing(self, case: _Case, *numbers: Measured) -> tuple[Verdict, str]:
        """A step that keeps the number: right where the number is true, else it follows."""
        right = any(_meets_one(number, truth) for number in numbers for truth in case.truths)
        return ("right" if right or not case.truths else "follows"), ""

    def _put_in(
        self, case: _Case, piece: Piece, formula: Formula, number: Measured, literal: Measured, shown: int | None, *,
        about: bool,
    ) -> tuple[Verdict, str]:  # fmt: skip
        """The first numbers of a chain, after its formula or at once."""
        self._note_terms(case, formula)
        if bare(formula):
            same = [t for t in case.truths if agrees(literal.value, t, shown, about=about)]
        else:
            same = [t for t in case.truths if _meets_one(number, t) or equal(literal.value, t)]
        if same or (not case.truths and not case.named):
            if same and case.formula is not None and not bare(formula):
                self._faithful(case, piece, formula)
            return "right", ""
        if self._early_rounding(case, literal, shown, formula):
            return "right", ""
        if any(_near(literal, number, f, shown, bare(formula), about=about) for f in case.follows):
            return "follows", ""
        if any(_near(literal, number, n, shown, bare(formula), about=about) for n in case.named):
            return ("follows" if case.truths else "right"), ""
        case.slips = () if bare(formula) else self._slips(case, formula)
        return "wrong", self._why_number(case, piece, literal)

    def _early_rounding(self, case: _Case, literal: Measured, shown: int | None, formula: Formula) -> bool:
        """Whether a number follows from the writer's own rounded ones, none of which is wrong."""
        if self.own.astray or not self.own.slack:
            return False
        half = 0.5 * 10.0 ** -(shown or 12)
        return (
            bare(formula)
            and shown is not None
            and any(abs(float(literal.value) - float(f)) <= half * 1.0001 for f in case.follows)
        )

    def _why_number(self, case: _Case, piece: Piece, literal: Measured) -> str:
        if case.slips:
            slip = case.slips[0]
            what = "given as" if slip.given else "worth"
            return f"{_show(slip.said)} stands here for {slip.name}, which is {what} {_show(slip.meant)}."
        if case.formula is not None:
            return f"{piece.text.strip()} is not what the formula before it gives."
        return "It is not the right number, and it does not follow from the lines before."

    # -- links in names ------------------------------------------------------------------------------------

    def _in_names(self, case: _Case, piece: Piece, formula: Formula) -> tuple[Verdict, str]:
        here = [self.truth_at(formula, total=total) for total in (False, True)]
        own = [world.at(formula, self.rounding) for world in self._own_worlds()]
        case.named = [m.value for m in (*here, *own) if m.known]
        before_number = case.literal
        case.number = case.literal = None
        case.formula = formula
        if case.first_formula is None and case.draft.about is not None:
            case.first_formula = formula
        if not here[0].known and not here[1].known:
            return "unclear", "It has no value here."
        if not case.truths:
            return self._unnamed(case, before_number, here)
        if any(_meets_one(m, truth) for m in here for truth in case.truths):
            self._by_luck(case, piece, formula)
            return "right", ""
        if self._follows_by_formula(case, formula, own):
            return "follows", ""
        why, case.dropped = self._ways_missing(case, formula)
        return "wrong", why or "This is not the rule for it."

    def truth_at(self, formula: Formula, *, total: bool = False) -> Measured:
        """The value of a formula at the true numbers, the page's own names at theirs."""
        self.truth.own_names = self.own.names
        try:
            return self.truth.at(formula, self.rounding, total=total)
        finally:
            self.truth.own_names = {}

    def _unnamed(self, case: _Case, before: Measured | None, here: Sequence[Measured]) -> tuple[Verdict, str]:
        """A formula in an equality about nothing the network has: it must be worth what stood before it."""
        if before is None or any(m.known and _meets(m, before) for m in here):
            case.number = case.literal = here[0]
            return "right", ""
        return "wrong", f"{_said(before)} stands before it, and this is {_said(here[0])}."

    def _follows_by_formula(self, case: _Case, formula: Formula, own: Sequence[Measured]) -> bool:
        """Whether a formula with numbers of the writer's own in it gives what follows from them."""
        if not any(isinstance(node, Num) for node in postorder(formula)) and not self._uses_own_names(formula):
            return False
        return any(_meets_one(m, f) for m in own if m.known for f in case.follows)

    def _uses_own_names(self, formula: Formula) -> bool:
        return bool(set(self.own.names).intersection(names(formula)))

    def _by_luck(self, case: _Case, piece: Piece, formula: Formula) -> None:
        """A formula that is true here: is it the rule, or does it only come out right at these numbers?"""
        about = case.draft.about
        if about is None or case.draft.kind == "given" or self._uses_own_names(formula):
            return
        keep = self._kept(about, formula)
        if keep is None:
            return
        for seed in (3, 4):
            world = elsewhere(self.graph, self.of, keep, seed)
            wanted = world.predicted(about)
            found = [world.at(formula, total=total).value for total in (False, True)]
            if isinstance(about, Local) and any(
                equal(x, world.slope(about.child, about.parent, total=True)) for x in found if x == x
            ):
                continue
            if wanted is None or wanted != wanted or any(equal(x, wanted) for x in found if x == x):
                continue
            case.by_luck = True
            text = (
                f"The number comes out right here, but {piece.text.strip()} is not the rule for {about}: with other "
                f"numbers it would not. Compare it with the formula of the exercise."
            )
            case.remarks.append(Remark("right-by-luck", text, piece.span, text))
            return

    def _kept(self, about: About, formula: Formula) -> frozenset[str] | None:
        """Given numbers that stay as they are when a formula is tried elsewhere: those it has as numbers, and those
        that are easily left unsaid (0, 1 and -1). None if it has other numbers, put in for what was computed."""
        used = numbers_in(formula)
        computed = {q.name for q in self.graph.quantities if q.computed}
        in_names = any(isinstance(node, Slope) or node.name in computed for node in postorder(formula)
                       if isinstance(node, (Slope, Ref)))  # fmt: skip
        if not in_names:
            return None
        own = self._numbers_of_rule(about)
        givens = {q.name: abs(q.given) for q in self.graph.quantities if isinstance(q.given, Fraction)}
        allowed = (
            own | {Fraction(0), Fraction(1)} | (set(givens.values()) if isinstance(about, Value) else set[Fraction]())
        )
        relevant = self._given_in_rule(about)
        allowed |= {givens[name] for name in relevant if name in givens}
        if not used <= allowed:
            return None
        return frozenset(name for name, size in givens.items() if size in used or size in (0, 1))

    def _numbers_of_rule(self, about: About) -> set[Fraction]:
        definition, by = self._rule(about)
        if definition is None:
            return set()
        if not by:
            return numbers_in(definition)
        return numbers_in(definition) | numbers_in(differentiate(definition, by).formula)

    def _given_in_rule(self, about: About) -> list[str]:
        definition, _ = self._rule(about)
        return [] if definition is None else [n for n in names(definition) if not self.graph[n].computed]

    def _rule(self, about: About) -> tuple[Formula | None, str]:
        """The formula that a claim comes from, and by what it is differentiated."""
        match about:
            case Value():
                return self.graph[about.name].definition, ""
            case Local():
                return self.graph[about.child].definition, about.parent
            case Derivative():
                if about.by in self.graph.parents(about.of):
                    return self.graph[about.of].definition, about.by
                return None, ""

    def _ways_missing(self, case: _Case, formula: Formula) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Which ways from a unit to the output a formula leaves out."""
        about = case.draft.about
        if not isinstance(about, Derivative) or about.of == about.by:
            return "", ()
        needed = self.names.ancestors(about.of)
        children = [c for c in self.graph.children(about.by) if c in needed]
        seen = {
            child
            for node in postorder(formula)
            if isinstance(node, Slope)
            for child in children
            if (node.of, node.by) == (child, about.by) or (node.of, node.by) == (about.of, child)
        }
        left = [child for child in children if child not in seen]
        if len(children) < 2 or not seen or not left:
            return "", ()
        ways = _COUNT.get(len(children), str(len(children)))
        text = (
            f"{about.by} reaches {about.of} by {ways} ways, through {_and(children)}. This line has what comes back "
            f"through {_and([c for c in children if c in seen])}. Add what comes back through {_and(left)}."
        )
        return text, tuple((about.by, child) for child in left)

    # -- slips ---------------------------------------------------------------------------------------------

    def _note_terms(self, case: _Case, formula: Formula) -> None:
        """The numbers put in, as summands of factors, for who looks for the habit behind them."""
        if case.terms is not None or bare(formula):
            return
        found: list[tuple[Amount, ...]] = []
        for sign, factors in shape(formula).summands:
            values = [self.truth.at(factor).value for factor in factors]
            if any(v != v for v in values):
                return
            found.append((-1, *values) if sign < 0 else tuple(values))
        case.terms = tuple(found)

    def _references(self, case: _Case) -> Iterator[Formula]:
        """Formulas in names into which numbers may have been put."""
        if case.formula is not None:
            yield case.formula
        about = case.draft.about
        if about is None:
            return
        definition, by = self._rule(about)
        if definition is not None:
            yield differentiate(definition, by).formula if by else definition
        if isinstance(about, Derivative):
            yield from self._chain_rule(about)

    def _chain_rule(self, about: Derivative) -> Iterator[Formula]:
        """dL/dx as the sum over all children."""
        from backhand.core.algebra import add, multiply

        needed = self.names.ancestors(about.of)
        total: Formula | None = None
        for child in self.graph.children(about.by):
            definition = self.graph[child].definition
            if child not in needed or definition is None or child == about.of:
                continue
            local = differentiate(definition, about.by).formula
            part = multiply(Slope(about.of, child), local)
            total = part if total is None else add(total, part)
        if total is not None:
            yield total

    def _slips(self, case: _Case, written: Formula) -> tuple[Slip, ...]:
        """The one number that was put in wrongly, or two given ones, if that is all that is wrong."""
        for world in (self.truth, *self._own_worlds()):
            for reference in self._references(case):
                slips = self._compared(reference, written, world)
                if slips and (len(slips) == 1 or (len(slips) == 2 and all(slip.given for slip in slips))):
                    return tuple(slips)
        return ()

    def _compared(self, reference: Formula, written: Formula, world: World) -> list[Slip] | None:
        """Where the numbers differ from the names they stand for; None if the two have another shape."""
        mine, theirs = shape(reference).summands, shape(written).summands
        if len(mine) != len(theirs):
            return None
        slips: list[Slip] = []
        rest = list(theirs)
        later: list[tuple[int, tuple[Formula, ...]]] = []
        for sign, factors in mine:
            value = sign * self._product(factors, world)
            same = next((t for t in rest if self._same_term(value, factors, t, world)), None)
            if same is not None:
                rest.remove(same)
            else:
                later.append((sign, factors))
        for (sign, factors), (other_sign, other) in zip(later, rest, strict=True):
            found = self._factors(sign, factors, other_sign, other, world)
            if found is None:
                return None
            slips += found
        return slips

    def _product(self, factors: Sequence[Formula], world: World) -> Amount:
        total: Amount = 1
        for factor in factors:
            total = total * world.at(factor).value
        return total

    def _same_term(
        self, value: Amount, factors: Sequence[Formula], term: tuple[int, tuple[Formula, ...]], world: World
    ) -> bool:
        sign, written = term
        mine = sorted(abs(float(world.at(f).value)) for f in factors)
        theirs = sorted(abs(float(self.truth.at(f, self.rounding).value)) for f in written)
        trimmed = [[x for x in listed if x != 1] for listed in (mine, theirs)]
        total = sign * float(self._product(written, self.truth))
        return (
            len(trimmed[0]) == len(trimmed[1])
            and all(
                abs(a - b) <= 1e-9 + 0.02 * abs(a) * (not equal(a, b)) * (b % 1 != 0)
                for a, b in zip(*trimmed, strict=True)
            )
            and (equal(total, value) or abs(total - float(value)) <= 0.03 * abs(float(value)))
        )

    def _factors(
        self, sign: int, factors: Sequence[Formula], other_sign: int, written: Sequence[Formula], world: World
    ) -> list[Slip] | None:
        """One summand against another: factors that are the same go out, one of each may be left."""
        mine = [(f, world.at(f).value) for f in factors]
        theirs = [(f, self.truth.at(f, self.rounding).value) for f in written]
        for factor, value in list(mine):
            match = next((t for t in theirs if equal(t[1], value)), None)
            if match is not None:
                mine.remove((factor, value))
                theirs.remove(match)
        mine = [m for m in mine if not (isinstance(m[0], Num) and m[1] == 1)]
        if sign != other_sign:
            return None
        if len(mine) != 1 or len(theirs) > 1:
            return None
        factor, meant = mine[0]
        if not theirs:
            return self._leaf(factor, 1, meant) if len(written) < len(factors) else None
        other, said = theirs[0]
        if isinstance(factor, Apply) and isinstance(other, Apply):
            return self._inside(factor, other, world)
        return self._leaf(factor, said, meant)

    def _inside(self, factor: Apply, other: Apply, world: World) -> list[Slip] | None:
        if factor.operation.name in ("+", "-") and other.operation.name in ("+", "-"):
            return self._compared(factor, other, world)
        if factor.operation is not other.operation or len(factor.args) != len(other.args):
            return None
        slips: list[Slip] = []
        for one, written in zip(factor.args, other.args, strict=True):
            if isinstance(one, Num) and isinstance(written, Num) and one.value == written.value:
                continue
            found = self._compared(one, written, world)
            if found is None:
                return None
            slips += found
        return slips

    def _leaf(self, factor: Formula, said: Amount, meant: Amount) -> list[Slip] | None:
        match factor:
            case Ref() if factor.name in self.graph.index:
                return [Slip(factor.name, said, meant, not self.graph[factor.name].computed)]
            case Slope():
                weight = self._weight_behind(factor)
                if weight is not None:
                    return [Slip(weight, said, meant, True)]
                return [Slip(f"d{factor.of}/d{factor.by}", said, meant, False)]
            case _:
                return None

    def _weight_behind(self, slope: Slope) -> str | None:
        """The weight that a local derivative is, where it is just one."""
        definition = self.graph[slope.of].definition
        if definition is None or slope.of == self.of or slope.by not in self.graph.parents(slope.of):
            return None
        local = differentiate(definition, slope.by).formula
        return local.name if isinstance(local, Ref) and not self.graph[local.name].computed else None

    # -- slips without consequence -------------------------------------------------------------------------

    def _faithful(self, case: _Case, piece: Piece, written: Formula) -> None:
        """Numbers that give the right value, although they are not what the formula before them has."""
        assert case.formula is not None
        lost = _lost_power(case.formula, written)
        if lost is not None:
            base, exponent = lost
            inside = to_text(base) if base.parens or isinstance(base, (Num, Ref)) else f"({to_text(base)})"
            text = (
                f"The exponent is lost in writing: {inside}^{to_text(exponent)} is meant. It changes nothing here, because "
                f"{_show(self.truth.at(base).value)}^{to_text(exponent)} = "
                f"{_show(self.truth.at(base).value ** int(small(exact_number(exponent))))}."
            )
            hint = "The exponent of the line before is lost in writing. Here it happens to change nothing."
            case.remarks.append(Remark("square-lost", text, piece.span, hint))
            return
        for world in (self.truth, *self._own_worlds()):
            slips = self._compared(case.formula, written, world)
            if slips == []:
                return
            if slips is not None and len(slips) == 1 and slips[0].given:
                case.remarks.append(copied_wrongly(slips[0].name, slips[0].said, slips[0].meant, piece))
                return

    # -- the whole claim -----------------------------------------------------------------------------------

    def _concluded(self, case: _Case) -> Outcome:
        draft, links = case.draft, case.links
        number = draft.number
        self._as_whole(case, number)
        wrong = next((link for link in links if link.verdict == "wrong"), None)
        value: Amount | None = None
        if number is not None and number.formula is not None:
            value = self.truth.at(number.formula).value
        elif (case.literal is not None and case.formula is None) or (
            case.literal is not None and draft.about is not None
        ):
            value = case.literal.value if case.literal.known else None
        verdict = self._verdict(case, value, number)
        if verdict != "wrong":
            wrong = None
        if draft.kind == "given" and draft.generic and verdict == "wrong":
            verdict, wrong = self._generic_given(case, value), None
            links[:] = [Judged(link.piece, "unclear", link.why) if link.verdict == "wrong" else link for link in links]
        if draft.mislabelled:
            case.remarks.append(self._label_remark(draft))
        for slip in case.slips:
            if slip.given and wrong is not None:
                text = f"{_show(slip.said)} is written for {slip.name}, which is {_show(slip.meant)}."
                hint = f"Compare the number written for {slip.name} with the exercise."
                case.remarks.append(Remark("misread", text, wrong.piece.span, hint))
        truth = case.truths[0] if case.truths and not self._in_symbols(draft.about) else None
        follows = case.follows[0] if case.follows else truth
        last = number or (draft.pieces[-1] if draft.pieces else None)
        judgement = Judgement(
            about=draft.about,
            kind=draft.kind,
            verdict=verdict,
            span=last.span if last is not None else None,
            said=number.text.strip()
            if number is not None
            else (last.text.strip() if last and value is not None else ""),
            value=None if value is None else exact(value),
            truth=None if truth is None else exact(truth),
            from_own=None if follows is None else exact(follows),
            links=tuple(links),
            method=self._method(case, number),
            remarks=tuple(case.remarks),
            chains=tuple(draft.chains),
            note=draft.note,
            label=draft.label,
            dropped=case.dropped if verdict == "wrong" else (),
        )
        claimed = self._claimed(case, value, judgement)
        self._carry_on(case, value, judgement)
        return Outcome(judgement, claimed, wrong.piece if wrong is not None else None, case.dropped)

    def _as_whole(self, case: _Case, number: Piece | None) -> None:
        """dh2/dw of a w that reaches h2 by another way too: which of the two is meant, the number tells."""
        draft = case.draft
        if not isinstance(draft.about, Local) or len(case.truths) < 2 or number is None or number.formula is None:
            return
        value = self.truth.at(number.formula).value
        shown, about = _shown(number)
        if agrees(value, case.truths[1], shown, about=about) and not agrees(value, case.truths[0], shown, about=about):
            draft.about, draft.kind = Derivative(draft.about.child, draft.about.parent), "total"
            case.truths.reverse()

    def _verdict(self, case: _Case, value: Amount | None, number: Piece | None) -> Verdict:
        verdicts = [link.verdict for link in case.links]
        if "wrong" in verdicts:
            return "wrong"
        told = [v for v in verdicts if v != "unclear"]
        if not told:
            return "unclear"
        if case.draft.about is None and not case.draft.own_name and len(told) < 2:
            return "unclear"
        if value is not None and case.truths:
            shown, about = _shown(number)
            if any(agrees(value, truth, shown, about=about) for truth in case.truths):
                return "right"
            return "right" if told[-1] == "right" else "follows"
        return "follows" if "follows" in told else "right"

    def _method(self, case: _Case, number: Piece | None) -> Method:
        if case.by_luck:
            return "wrong"
        before = [link for link in case.links if link.piece is not number]
        if any(link.verdict == "wrong" for link in before):
            return "wrong"
        return "right" if any(link.verdict in ("right", "follows") for link in before) else "none"

    def _generic_given(self, case: _Case, value: Amount | None) -> Verdict:
        """w_2 = -1 at the side of a line, where this unit's second weight is -2: a slip of writing, or another weight."""
        about, piece = case.draft.about, case.draft.number
        assert isinstance(about, Value)
        if piece is not None and value is not None and case.truths:
            case.remarks.append(copied_wrongly(about.name, value, case.truths[0], piece, case.draft.label))
        return "unclear"

    def _label_remark(self, draft: Draft) -> Remark:
        assert draft.subject is not None
        text = f"What stands here is {draft.about}; the line calls it {draft.label}. Write {draft.about}."
        return Remark("label", text, draft.subject.span, text)

    def _claimed(self, case: _Case, value: Amount | None, judgement: Judgement) -> Claimed | None:
        """The claim as diagnosing wants it."""
        draft = case.draft
        if draft.about is None or draft.kind == "given" or value is None or value != value or judgement.line is None:
            return None
        shown, _ = _shown(draft.number)
        formula = case.first_formula
        if formula is not None and (self._uses_own_names(formula) or plain(formula) or case.draft.mislabelled):
            formula = None
        number = exact(value)
        if shown is not None and any(agrees(value, truth, shown) for truth in case.truths):
            number = exact(case.truths[0])
            shown = None
        return Claimed(
            draft.about, number, judgement.line, digits=shown, terms=case.terms, formula=formula,
            misread=len(case.slips) == 1 and case.slips[0].given,
        )  # fmt: skip

    def _carry_on(self, case: _Case, value: Amount | None, judgement: Judgement) -> None:
        """What the writer goes on with."""
        draft, own = case.draft, self.own
        if value is None or value != value:
            return
        self._worlds = None
        if draft.own_name:
            own.names[draft.own_name] = value
            return
        if draft.about is None:
            return
        shown, about = _shown(draft.number)
        true = any(agrees(value, truth, shown, about=about) for truth in case.truths)
        if draft.kind == "given":
            assert isinstance(draft.about, Value)
            if not true and not draft.generic:
                own.givens[draft.about.name] = value
                own.astray = True
            return
        own.givens.update({slip.name: slip.said for slip in case.slips if slip.given})
        if shown is None and true:
            value = case.truths[0] if case.truths else value
        own.numbers[draft.about] = value
        if shown is not None:
            own.slack[draft.about] = 2.0 * 10.0**-shown
        elif draft.about in own.slack:
            del own.slack[draft.about]
        own.astray = own.astray or not true


def _of_the_version_before(formula: Formula, about: About | None, graph: Graph) -> Formula | None:
    """`c + 1` in a statement about the second c is the first c and 1."""
    if not isinstance(about, Value):
        return None
    name, _, number = about.name.partition("#")
    last = sum(f"{name}#{k}" in graph for k in range(1, len(graph) + 1))
    before = int(number) - 1 if number else last
    if before < 1 or f"{name}#{before}" not in graph:
        return None
    return rename(formula, lambda ref: f"{name}#{before}" if ref.name == name else ref.name)


TO_BE_TAKEN = ("derivative", "prime")
_COUNT = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}


def copied_wrongly(name: str, said: Amount, meant: Amount, piece: Piece, label: str = "") -> Remark:
    """A given number copied wrongly, which changes nothing."""
    written = f"{label} (the number {name})" if label and label != name else name
    text = f"{written} is copied as {_show(said)}; it is {_show(meant)}. It has no consequence here."
    return Remark("copied-wrongly", text, piece.span, f"Compare {label or name} with the exercise.")


def exact_number(formula: Formula) -> Fraction:
    """The number a Num has."""
    assert isinstance(formula, Num)
    return formula.value


def _shown(number: Piece | None) -> tuple[int | None, bool]:
    """The decimals of a number, and whether it stands behind ≈."""
    if number is None:
        return None, False
    digits = number.digits
    if not digits and isinstance(number.formula, Num):
        digits = places(number.formula)
    return (digits or None), number.relation == "≈"


def _meets(one: Measured, other: Measured) -> bool:
    if equal(one.value, other.value):
        return True
    off = one.off + other.off
    return off > 0 and abs(float(one.value) - float(other.value)) <= off * 1.0001


def _meets_one(measured: Measured, number: Amount) -> bool:
    return measured.known and _meets(measured, Measured(number, 0.0))


def _near(literal: Measured, number: Measured, other: Amount, shown: int | None, is_bare: bool, *, about: bool) -> bool:
    if other != other:
        return False
    if is_bare:
        return agrees(literal.value, other, shown, about=about)
    return equal(literal.value, other) or _meets_one(number, other) or _meets_one(literal, other)


def _lost_power(reference: Formula, written: Formula) -> tuple[Formula, Formula] | None:
    """The base as written and the exponent that was lost, where that is all that differs."""
    if isinstance(reference, Apply) and reference.operation.name == "^" and isinstance(reference.args[1], Num):
        if reference.args[1].value.denominator != 1 or not 2 <= reference.args[1].value <= 9:
            return None
        if isinstance(written, Apply) and written.operation.name == "^":
            return None
        base = reference.args[0]
        if not isinstance(written, Apply):
            return None
        same = isinstance(base, Apply) and base.operation is written.operation
        return (written, reference.args[1]) if same else None
    if isinstance(reference, Apply) and isinstance(written, Apply) and reference.operation is written.operation:
        if len(reference.args) != len(written.args):
            return None
        found = [_lost_power(a, b) for a, b in zip(reference.args, written.args, strict=True)]
        kept = [f for f in found if f is not None]
        return kept[0] if len(kept) == 1 else None
    return None


def _show(number: Amount) -> str:
    return show(exact(number)).text


def _said(measured: Measured) -> str:
    return _show(measured.value)


def _and(listed: Sequence[str]) -> str:
    return " and ".join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)
