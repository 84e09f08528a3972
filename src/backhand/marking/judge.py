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

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NamedTuple

from backhand.core.formula import Apply, Formula, Num, apply, fold, names, postorder, rename, to_text
from backhand.core.graph import Graph
from backhand.core.operations import NEGATE, POWER
from backhand.marking import reasons as say
from backhand.marking.about import About, Derivative, Local, Value
from backhand.marking.align import Context, Names, Unresolved, resolve, with_calls, with_eulers_number, with_powers
from backhand.marking.claims import Claims, Draft, bare, plain
from backhand.marking.diagnose import Claimed
from backhand.marking.expected import Expected
from backhand.marking.marking import Judged, Judgement, Method, Remark, Verdict
from backhand.marking.putting_in import PuttingIn, Slip, lost_power
from backhand.marking.quotients import Quotients, calls, of_values
from backhand.marking.replay import Terms
from backhand.marking.sheet import NAN, Amount, exact, small
from backhand.marking.steps import Steps
from backhand.marking.work import Piece
from backhand.marking.worlds import (
    Measured,
    World,
    agrees,
    equal,
    places,
    significant,
)
from backhand.numbers import Number


class Later(NamedTuple):
    """A number further down: how far it may be rounded, and whether it is the true one."""

    number: Amount
    slack: float | None
    true: bool


SEARCHES = 300
"""Lines on which numbers put in wrongly are looked for."""

WHOLE = 5e-4
"""How far a whole number may be off, relatively, from one that never ends: 1 is 0.9996 to three digits."""

UNITS_OF_SLACK = 2.0
"""How many units of its last digit the slack of a written number is."""

NEARLY = 0.05
"""How far a number that comes out of rounded ones may be off, relatively."""

EARLY = 0.005
"""How far a number further down may be off, relatively, and still be one that was rounded early."""


@dataclass(slots=True, eq=False)
class Own:
    """The writer's numbers so far, and the given numbers as he seems to read them."""

    numbers: dict[About, Amount] = field(default_factory=dict[About, Amount])
    slack: dict[About, float] = field(default_factory=dict[About, float])
    givens: dict[str, Amount] = field(default_factory=dict[str, Amount])
    names: dict[str, Amount] = field(default_factory=dict[str, Amount])
    """The page's own names, at the numbers written for them."""
    defined: dict[str, Amount] = field(default_factory=dict[str, Amount])
    """The same at what the formulas behind them are truly worth: `s = h(1 - h) = 0.25` is 0.2475."""
    astray: bool = False
    """Whether anything so far was not the true number."""
    later: dict[About, Later] = field(default_factory=dict[About, "Later"])
    """The numbers further down the page, of what there is none above."""

    @property
    def all_numbers(self) -> dict[About, Amount]:
        return {about: later.number for about, later in self.later.items()} | self.numbers

    @property
    def all_slack(self) -> dict[About, float]:
        further = {a: later.slack for a, later in self.later.items() if later.slack is not None}
        return {about: slack for about, slack in further.items() if about not in self.numbers} | self.slack


@dataclass(slots=True, eq=False)
class Outcome:
    """A judged claim with what diagnosing and follow-through want to know of it."""

    judgement: Judgement
    claimed: Claimed | None
    wrong_link: Piece | None
    dropped: tuple[tuple[str, str], ...] = ()


class _Numbers(NamedTuple):
    """A link in numbers: what it is worth with the exact numbers behind rounded ones, and as it stands."""

    piece: Piece
    formula: Formula
    exact: Measured
    literal: Measured
    own: tuple[Measured, ...] = ()
    """The same with the writer's own numbers behind rounded ones."""

    @property
    def bare(self) -> bool:
        return bare(self.formula)

    @property
    def shown(self) -> int | None:
        """The decimals of a bare number."""
        return self.piece.digits if self.bare else None

    @property
    def about(self) -> bool:
        return self.piece.relation == "≈"

    def agrees(self, number: Amount) -> bool:
        """Whether it is this number: a bare one to its digits, others as exactly as their numbers are written."""
        if number != number:
            return False
        if self.bare:
            if not (self.shown or self.about) and isinstance(number, float) and number:
                return abs(float(self.literal.value) - number) <= WHOLE * abs(number)
            return agrees(self.literal.value, number, self.shown, about=self.about)
        return equal(self.literal.value, number) or any(_meets_one(m, number) for m in (self.exact, *self.own))

    def same_as(self, other: _Numbers) -> bool:
        """The same number, with exact numbers behind rounded ones on either side or on neither."""
        theirs = (other.exact, other.literal)
        return any(_meets(mine, one) for mine in (self.exact, self.literal) for one in theirs)


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
    rounded: list[Amount] = field(default_factory=list[Amount])
    """What it is worth with the page's own names at their rounded numbers, none of which is wrong."""
    numbers: _Numbers | None = None
    """The last link, if it is in numbers."""
    first_formula: Formula | None = None
    terms: Terms | None = None
    summands: int | None = None
    slips: tuple[Slip, ...] = ()
    """Numbers put in for others, if they are all that is wrong."""
    by_luck: bool = False
    dropped: tuple[tuple[str, str], ...] = ()
    derived: bool = False
    """Whether an arrow has led on to a derivative: `L = (D - 3)^2 -> 2(D - 3) -> 2`."""
    two_meant: bool = False
    """Whether it can be meant in two ways, as a local derivative and over all ways."""


class Judge:
    """Judges the claims of one answer, one after the other."""

    def __init__(self, graph: Graph, of: str, claims: Claims, truth: World) -> None:
        self.graph = graph
        self.of = of
        self.claims = claims
        self.names = claims.names
        self.truth = truth
        self.own = Own()
        self.steps = Steps(graph, claims.names)
        self._worlds: list[World] | None = None
        self._ahead = False
        self.seen: list[float] = []
        """The sizes of the numbers that stand on the page so far, in order."""
        self.searches = 0
        """For how many lines the number put in wrongly has been looked for."""
        self.below: dict[About, Number] = {}
        """Rounded numbers of the page, each where it stands first."""
        self.further: dict[About, Later] = {}
        """All numbers that stand further down than the line at hand, and nowhere above."""
        self.conditional = False
        """Whether the condition of the line does not hold, so that what it says is not said of this network."""
        self.supposed: dict[str, Amount] = {}
        """Given numbers that the page only supposes."""
        self.relied: set[str] = set()
        """Given numbers that right lines so far depend on."""
        self._supposition: World | None = None
        self.symbols = {q.name for q in graph.quantities if not q.computed and q.given is None}
        self.plain = tuple(self._plain_numbers())
        self.rounding = truth.rounding(self.plain)
        self.putting_in = PuttingIn(graph, of, truth, self.rounding)
        self.expected = Expected(graph, of, claims.names)
        self.quotients = Quotients(graph, of, claims.names, truth)

    def judge(self, drafts: Sequence[Draft], order: dict[str, int]) -> list[Outcome]:
        """The outcomes, in the order of their numbers on the page."""
        listed = sorted(drafts, key=lambda draft: (order.get(draft.end[0], 0), draft.end[1]))
        self._look_ahead(listed)
        return [self._judge(draft) for draft in listed]

    def _look_ahead(self, drafts: Sequence[Draft]) -> None:
        """The numbers that stand further down: in a table, which is read by rows and filled by columns, the derivatives
        from the loss up; and rounded ones that a program prints below its formulas."""
        for draft in reversed(drafts):
            number = draft.number
            if draft.about is None or draft.kind == "given" or number is None or number.formula is None:
                continue
            value = self.truth.at(number.formula).value
            if value == value:
                shown, about = _shown(number)
                truths = self._truths(draft)
                true = any(agrees(value, truth, shown, about=about) for truth in truths)
                near = true or any(abs(float(value) - float(t)) <= EARLY * abs(float(t)) for t in truths)
                slack = None if shown is None else UNITS_OF_SLACK * 10.0**-shown
                self.further[draft.about] = Later(value, slack, near)
                close = near or any(abs(float(value) - float(t)) <= NEARLY * abs(float(t)) for t in truths)
                if close and shown is not None:
                    self.below[draft.about] = exact(value)
                if not _in_table(draft):
                    continue
                value = truths[0] if true and shown is None else value
                self.own.later[draft.about] = Later(value, slack, near)

    # -- numbers that are known ----------------------------------------------------------------------------

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
            numbers = {a: exact(x) for a, x in (own.all_numbers if self._ahead else own.numbers).items()}
            slack = self._slack
            if self._astray:
                made.append(World(self.graph, self.of, numbers, slack))
                made += self._literal(numbers)
                if own.givens:
                    made.append(World(self.graph, self.of, numbers, slack, own.givens))
            elif slack:
                made += self._literal(numbers)
            for world in made:
                world.own_names = own.names
            self._worlds = made
        return self._worlds

    @property
    def _astray(self) -> bool:
        """Whether any of the writer's numbers is not the true one."""
        below = self.own.later.values() if self._ahead else ()
        return self.own.astray or any(not later.true for later in below)

    @property
    def _slack(self) -> dict[About, float]:
        return self.own.all_slack if self._ahead else self.own.slack

    def _literal(self, numbers: Mapping[About, Number]) -> list[World]:
        """His numbers as they stand, rounded or not; slopes of bends as he has them, from values, or from sums."""
        found = [World(self.graph, self.of, numbers, from_sums=from_sums) for from_sums in (False, True)]
        others: dict[About, Number] = {a: number for a, number in numbers.items() if not isinstance(a, Local)}
        if len(others) < len(numbers) and not self._astray:
            found.append(World(self.graph, self.of, others))
        return found

    # -- one claim -----------------------------------------------------------------------------------------

    def _judge(self, draft: Draft) -> Outcome:
        if draft.mood == "denied":
            links = tuple(Judged(piece, "unclear", say.DENIED) for piece in draft.pieces)
            last = draft.last
            return Outcome(
                Judgement(
                    draft.about, draft.kind, "unclear", span=last.span, said=last.text.strip(), links=links,
                    chains=tuple(draft.chains), note=draft.note, label=draft.label,
                ),
                None, None,
            )  # fmt: skip
        stepped = self.steps.of(draft)
        if stepped and not draft.own_name:
            draft.about, draft.kind = None, "formula"
        outcome = self._judged(draft)
        if stepped and outcome.judgement.value is not None:
            self.steps.made(stepped, small(outcome.judgement.value), frozenset(self.own.numbers))
        return outcome

    def _judged(self, draft: Draft) -> Outcome:
        ahead = bool(self.own.later) and _in_table(draft)
        if ahead != self._ahead:
            self._ahead, self._worlds = ahead, None
        case = _Case(draft, truths := self._truths(draft), [], two_meant=len(truths) > 1)
        for world in self._own_worlds():
            if draft.about is not None and (number := world.predicted(draft.about)) is not None and number == number:
                case.follows.append(number)
        draft.pieces[:] = [self._as_meant(case, piece) for piece in draft.pieces]
        for piece in draft.pieces:
            self._link(case, piece)
        return self._concluded(case)

    def _as_meant(self, case: _Case, piece: Piece) -> Piece:
        """A link with what the scanner probably lost put back, or with 6 3/4 as a mixed number, where it is true only
        so."""
        mixed = mixed_numbers(piece.formula) if piece.formula is not None else None
        if mixed is not None and not self._true_as(case, piece, piece.formula) and self._true_as(case, piece, mixed):
            return replace(piece, formula=mixed)
        if (
            piece.meant is None
            or self._true_as(case, piece, piece.formula)
            or not self._true_as(case, piece, piece.meant)
        ):
            return piece
        case.remarks.append(say.scanned(to_text(piece.meant), piece))
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
            case.numbers = None
            return
        if (step := self.quotients.step(piece.formula, self._worth)) is not None and self._quotient(case, piece, step):
            return
        if step is None and of_values(piece.formula, self.names):
            case.links.append(Judged(piece, "unclear", say.QUOTIENT))  # by a step that is not known, or no small one
            case.numbers = None
            return
        if case.draft.about is None and _is_called(piece.formula, self.names):
            case.links.append(Judged(piece, "unclear", say.ELSEWHERE))
            case.numbers = None
            return
        resolved, reason = self._resolved(case, piece.formula)
        if resolved is None:
            case.links.append(Judged(piece, "unclear", reason))
            return
        if case.draft.about is not None and not case.truths:
            case.links.append(Judged(piece, "unclear", say.NO_NUMBER))
            return
        if case.derived or (piece.relation == "=>" and self._is_derived(case, resolved)):
            case.derived = True
            case.links.append(Judged(piece, "unclear", say.ARROW))
            return
        if plain(resolved):
            verdict, why = self._in_numbers(case, piece, resolved)
        else:
            verdict, why = self._in_names(case, piece, resolved)
        case.links.append(Judged(piece, verdict, why))
        if case.numbers is not None and case.numbers.literal.known:
            insort(self.seen, abs(float(case.numbers.literal.value)))

    def _is_derived(self, case: _Case, formula: Formula) -> bool:
        """Whether a formula behind an arrow is a derivative of what the claim is the value of."""
        about = case.draft.about
        if not isinstance(about, Value) or plain(formula) or not self.graph[about.name].computed:
            return False
        value = self.truth_at(formula)
        slopes = (self.truth.slope(about.name, parent) for parent in self.graph.parents(about.name))
        return (
            value.known
            and not any(equal(value.value, t) for t in case.truths)
            and any(equal(value.value, slope) for slope in slopes)
        )

    def _worth(self, formula: Formula) -> Amount:
        """What a formula is worth; not a number where it is not known."""
        try:
            found = resolve(formula, self.names, Context(), frozenset(self.own.names))
        except Unresolved:
            return NAN
        return self._as_written(found).value

    def _quotient(self, case: _Case, piece: Piece, step: Amount) -> bool:
        """A link that is a difference quotient: the numbers it may have count as true from here on. Whether it is
        judged."""
        assert piece.formula is not None
        about = case.draft.about
        called = of_values(piece.formula, self.names)
        worth = list(self.quotients.worth(about, step))
        if not worth:
            if called:
                case.links.append(Judged(piece, "unclear", say.QUOTIENT))
            return called
        if not called and not plain(piece.formula):
            return False
        by = about.parent if isinstance(about, Local) else about.by if isinstance(about, Derivative) else ""
        made = self.quotients.without_calls(piece.formula, by, self._worth) if called else piece.formula
        found = None if made is None else self._worth(made)
        exactly = self.truth.at(made, self.rounding) if made is not None and plain(made) else None
        if found is None or found != found:
            case.links.append(Judged(piece, "unclear", say.QUOTIENT))
        elif any(_near(found, x) or (exactly is not None and _meets_one(exactly, x)) for x in worth):
            case.links.append(Judged(piece, "right", ""))
        else:
            return False
        case.truths += worth
        case.numbers = case.formula = None
        return True

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
                if always and first is not None and self._put_in_for(case, formula, first, found):
                    break
                return found, ""
            first = first or found
        return first, reason

    def _put_in_for(self, case: _Case, formula: Formula, one: Formula, other: Formula) -> bool:
        """Whether the numbers that stand next are those of the one reading of a formula and not of the other: who puts
        in the network's w_3 means it by that name."""
        pieces = [piece.formula for piece in case.draft.pieces if piece.formula is not None]
        at = next((k for k, written in enumerate(pieces) if written is formula), len(pieces))
        numbers = next((written for written in pieces[at + 1 :] if plain(written)), None)
        if numbers is None or bare(numbers):
            return False
        for world in (self.truth, *self._own_worlds()):
            rounding = world.rounding(self.plain)
            as_one, as_other, said = (world.at(f, rounding) for f in (one, other, numbers))
            if said.known and as_one.known and _meets(said, as_one):
                return not (as_other.known and _meets(said, as_other))
        return False

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
        exponential = with_eulers_number(formula, self.names)
        if exponential is not None:
            yield exponential, context, True, False
        called = with_calls(formula, self.names)
        if called is not None:
            yield called, context, True, False
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
            return "unclear", say.IN_SYMBOLS
        own = () if bare(formula) else tuple(w.at(formula, w.rounding(self.plain)) for w in self._own_worlds())
        said = _Numbers(piece, formula, self.truth.at(formula, self.rounding), self.truth.at(formula), own)
        if not said.literal.known:
            return "unclear", say.NO_VALUE
        before, case.numbers = case.numbers, said
        if before is None:
            return self._put_in(case, said)
        if said.bare:
            return self._after_numbers(case, before, said)
        if before.same_as(said):
            if before.literal.value == said.literal.value:  # nothing was rounded in this step
                known = before.exact if not before.exact.off else said.exact._replace(off=0.0)
                case.numbers = said._replace(exact=known)
            return self._standing(case, said)
        if self._true_but_rounded(case, before, said):
            return "right", ""
        if not case.truths and any(said.agrees(number) for number in case.named):
            return "follows", ""  # about nothing named, and right with the writer's own numbers
        return "wrong", say.not_equal(before.literal.value, said.literal.value)

    def _after_numbers(self, case: _Case, before: _Numbers, said: _Numbers) -> tuple[Verdict, str]:
        """A number behind numbers: the same one, rounded or not."""
        off = max(before.exact.off, before.literal.off)
        half = 0.5 * 10.0**-said.shown if said.shown is not None else 0.5 if said.about else 0.0
        for other in (before.exact.value, before.literal.value):
            near = off > 0 and abs(float(said.literal.value) - float(other)) <= off + half
            if near or said.agrees(other):
                number = Measured(said.literal.value, half)
                case.numbers = said._replace(exact=number, literal=number)
                return self._standing(case, before)
        if self._true_but_rounded(case, before, said):
            return "right", ""
        return "wrong", say.not_the_result(before.literal.value, said.literal.value)

    def _true_but_rounded(self, case: _Case, before: _Numbers, said: _Numbers) -> bool:
        """Whether two links are the same number, and the true one, but for the digits that they do not show. Of
        0.113 + 0.0223 the last digit is no matter, whatever numbers of the network are near; of a sum in which most
        cancels, several are not."""
        one, other = (self.truth.at(n.formula, self.rounding, loosely=True) for n in (before, said))
        if not one.known or not other.known or not (one.off or other.off):
            return False
        if not said.bare:
            numbers = case.truths if self._astray else (*case.truths, *case.follows)
            return _meets(one, other) and any(_meets_one(other, number) for number in numbers)
        number = said.literal.value
        half = 0.5 * 10.0**-said.shown * 1.0001 if said.shown else 5e-4 * abs(float(number))
        reach = half if said.shown else 2 * half
        near = any(abs(float(number) - float(truth)) <= reach for truth in case.truths)
        return near and _meets(one, Measured(number, half))

    def _standing(self, case: _Case, numbers: _Numbers) -> tuple[Verdict, str]:
        """A step that keeps the number: right where the number was right, else it follows."""
        right = any(_meets_one(one, truth) for one in (numbers.exact, numbers.literal) for truth in case.truths)
        right = right or (bool(case.links) and case.links[-1].verdict == "right")
        return ("right" if right or not case.truths else "follows"), ""

    def _put_in(self, case: _Case, said: _Numbers) -> tuple[Verdict, str]:
        """The first numbers of a chain, after its formula or at once."""
        if case.terms is None and not said.bare:
            case.terms = self.putting_in.terms(said.formula)
        if any(said.agrees(truth) for truth in case.truths):
            if case.formula is not None and not said.bare:
                self._faithful(case, said.piece, said.formula)
            return "right", ""
        if (not case.truths and not case.named) or self._early_rounding(case, said):
            return "right", ""
        if any(said.agrees(number) for number in case.follows):
            return ("follows" if self._astray or said.bare else "right"), ""
        if any(said.agrees(number) for number in case.named):
            return ("follows" if case.truths else "right"), ""
        if not said.bare and self._from_the_page(case, said.formula):
            return ("follows" if self._astray else "right"), ""
        if said.bare and case.truths and self._follows_loosely(case, said):
            return "follows", ""
        case.slips = () if said.bare else self._slips(case, said.formula)
        if case.slips:
            slip = case.slips[0]
            return "wrong", say.put_in_wrongly(slip.name, slip.said, slip.meant, given=slip.given)
        return "wrong", say.not_what_the_formula_gives(said.piece) if case.formula is not None else say.NOT_RIGHT

    def _early_rounding(self, case: _Case, said: _Numbers) -> bool:
        """Whether a number follows from the writer's own rounded ones, none of which is wrong."""
        if self._astray:
            return False
        found = [*(case.follows if self._slack else ()), *case.rounded]
        if said.shown is None:
            return not said.bare and any(said.agrees(number) for number in found)
        if not significant(float(said.literal.value), said.shown):
            return False
        half = 0.5 * 10.0**-said.shown * 1.0001
        size = float(said.literal.value)
        return any(abs(size - float(number)) <= half for number in (*found, *self._from_below(case, size)))

    def _from_below(self, case: _Case, size: float) -> Iterator[Amount]:
        """What follows from rounded numbers that stand further down, where the number at hand is about right."""
        about = case.draft.about
        if about is None or not any(abs(size - float(x)) <= 5 * NEARLY * abs(float(x)) for x in case.truths):
            return
        numbers = {other: number for other, number in self.below.items() if other != about}
        numbers |= {other: exact(number) for other, number in self.own.numbers.items()}
        for world in self._literal(numbers):
            number = world.predicted(about)
            if number is not None and number == number:
                yield number

    def _follows_loosely(self, case: _Case, said: _Numbers) -> bool:
        """Whether a number follows from numbers of the writer's that are not the true ones, as far as they are rounded:
        he may have reckoned with more digits than he shows. Beside a formula the numbers of its names may stand
        further down, where a program prints them."""
        about = case.draft.about
        if about is None:
            return False
        numbers = {a: exact(x) for a, x in (self.own.all_numbers if self._ahead else self.own.numbers).items()}
        slack = dict(self._slack)
        if case.formula is not None and not self._ahead:
            for other, later in self.further.items():
                if other != about and other not in numbers:
                    numbers[other] = exact(later.number)
                    if later.slack is not None:
                        slack[other] = later.slack
        behind = self._behind(about, numbers)
        if all(self._is_true(other, numbers[other], slack.get(other)) for other in behind):
            return False
        half = 0.5 * 10.0**-said.shown if said.shown else 0.5 if said.about else 0.0
        for from_sums in (False, True):
            number = World(self.graph, self.of, numbers, from_sums=from_sums).predicted(about)
            if number is None or number != number:
                continue
            off = half
            for other in behind:
                if other in slack:
                    moved = {**numbers, other: exact(float(numbers[other]) + slack[other] / UNITS_OF_SLACK / 2)}
                    there = World(self.graph, self.of, moved, from_sums=from_sums).predicted(about)
                    off += abs(float(there) - float(number)) if there is not None and there == there else 0.0
            if _meets(Measured(number, 0.0), Measured(said.literal.value, off)):
                return True
        return False

    def _is_true(self, about: About, number: Number, slack: float | None) -> bool:
        """Whether a number of the writer's is the true one, rounded or not."""
        truth = self.truth.predicted(about)
        if truth is None or truth != truth:
            return True
        return equal(small(number), truth) or abs(float(number) - float(truth)) <= (slack or 0.0)

    def _behind(self, about: About, numbers: Mapping[About, Number]) -> list[About]:
        """The numbers of the writer's that the one at hand comes out of in one step, or in several where those
        between have none."""
        found: dict[About, None] = {}
        todo: list[About] = [about]
        seen = {about}
        while todo:
            for other in self._before(todo.pop()):
                if other in seen:
                    continue
                seen.add(other)
                if other in numbers:
                    found[other] = None
                else:
                    todo.append(other)
        return list(found)

    def _before(self, about: About) -> Iterator[About]:
        """What a number comes out of by its rule."""
        match about:
            case Value():
                yield from map(Value, self.graph.parents(about.name))
            case Local():
                yield Value(about.child)
                yield from map(Value, self.graph.parents(about.child))
            case Derivative():
                for child in self.graph.children(about.by):
                    yield Derivative(about.of, child)
                    yield Local(child, about.by)

    # -- links in names ------------------------------------------------------------------------------------

    def _in_names(self, case: _Case, piece: Piece, formula: Formula) -> tuple[Verdict, str]:
        here = [self.truth_at(formula, total=total) for total in (False, True)]
        own = [world.at(formula, self.rounding) for world in self._own_worlds()]
        case.named = [m.value for m in (*here, *own) if m.known]
        case.rounded = []
        if self._uses_own_names(formula):
            written = self._as_written(formula)
            case.named += [written.value] if written.known else []
            case.rounded = case.named[-1:] if written.known and self._names_are_right(formula) else []
        before, case.numbers = case.numbers, None
        case.formula = formula
        if case.first_formula is None and case.draft.about is not None:
            case.first_formula = formula
        if not here[0].known and not here[1].known:
            return "unclear", say.NO_VALUE
        if not case.truths:
            return self._unnamed(case, before, piece, formula, here)
        if any(_meets_one(m, truth) for m in here for truth in case.truths):
            about = case.draft.about
            if (stranger := self._stranger(formula)) is not None:
                return "unclear", say.FROM_NOWHERE.format(stranger.text)
            if about is not None and case.draft.kind != "given" and not self._uses_own_names(formula):
                case.by_luck = case.by_luck or self.expected.is_by_luck(about, formula)
                if case.by_luck and not self._keeps_to_own(case, own):
                    return "wrong", self._ways_missing(case, formula) or say.NOT_THE_RULE
                if case.by_luck:
                    case.remarks.append(say.right_by_luck(piece, str(about)))
            return "right", ""
        if self._follows_by_formula(case, formula, own):
            return "follows", ""
        if self._from_the_page(case, formula):
            return ("follows" if self._astray else "right"), ""
        return "wrong", self._ways_missing(case, formula) or say.NOT_THE_RULE

    def _keeps_to_own(self, case: _Case, own: Sequence[Measured]) -> bool:
        """Whether a formula that is true by luck gives what follows from the writer's own numbers as well: where they
        are other numbers, his luck is no excuse."""
        if not self._astray or not case.follows:
            return True
        return any(_meets_one(m, number) for m in own if m.known for number in (*case.follows, *case.truths))

    def _from_the_page(self, case: _Case, formula: Formula) -> bool:
        """Whether a formula is about right with numbers that stand on the page before it, and are nobody else's: a
        slope rounded carelessly, under a name of its own."""
        strange = [n for n in postorder(formula) if isinstance(n, Num) and self.rounding.strange(n)]
        if not strange or not all(self._is_seen(abs(float(node.value)), 1e-12) for node in strange):
            return False
        value = self._as_written(formula)
        return value.known and any(
            abs(float(value.value) - float(truth)) <= EARLY * abs(float(truth)) for truth in case.truths
        )

    def _is_seen(self, size: float, reach: float) -> bool:
        """Whether a number stands on the page so far."""
        at = bisect_left(self.seen, size - reach)
        return at < len(self.seen) and self.seen[at] <= size + reach

    def _stranger(self, formula: Formula) -> Num | None:
        """A rounded number beside names that is none of the network's, none of the writer's, and nowhere on the page so
        far: whoever knows the result can make one up that fits (`h + (1 - h) - 0.7525`)."""
        for node in postorder(formula):
            if not isinstance(node, Num) or not self.rounding.strange(node):
                continue
            if any(not world.rounding(self.plain).strange(node) for world in self._own_worlds()):
                continue
            if not self._is_seen(abs(float(node.value)), 0.5 * 10.0 ** -(places(node) or 0) * 1.0001):
                return node
        return None

    def _ways_missing(self, case: _Case, formula: Formula) -> str:
        """Which ways from a unit to the output a formula leaves out, if it follows some."""
        about = case.draft.about
        if not isinstance(about, Derivative) or about.of == about.by:
            return ""
        seen, left = self.expected.ways(about, formula)
        if not seen or not left:
            return ""
        case.dropped = tuple((about.by, child) for child in left)
        children = [c for c in self.graph.children(about.by) if c in (*seen, *left)]
        return say.ways_missing(about.by, about.of, children, seen, left)

    def truth_at(self, formula: Formula, *, total: bool = False) -> Measured:
        """The value of a formula at the true numbers, the page's own names at what they are defined as."""
        return self._at_truth(formula, {**self.own.names, **self.own.defined}, total=total)

    def _as_written(self, formula: Formula) -> Measured:
        """The same with the page's own names at the numbers written for them."""
        return self._at_truth(formula, self.own.names)

    def _at_truth(self, formula: Formula, own_names: dict[str, Amount], *, total: bool = False) -> Measured:
        self.truth.own_names = own_names
        try:
            return self.truth.at(formula, self.rounding, total=total)
        finally:
            self.truth.own_names = {}

    def _names_are_right(self, formula: Formula) -> bool:
        """Whether the numbers of the page's own names in a formula are those of their formulas, to a digit or two."""
        own = self.own
        used = own.defined.keys() & set(names(formula))
        return bool(used) and all(
            abs(float(own.names[n] - own.defined[n])) <= 0.01 * abs(float(own.defined[n])) for n in used
        )

    def _unnamed(
        self, case: _Case, before: _Numbers | None, piece: Piece, formula: Formula, here: Sequence[Measured]
    ) -> tuple[Verdict, str]:
        """A formula in an equality about nothing the network has: it must be worth what stood before it."""
        if before is None or any(m.known and _meets(m, before.literal) for m in here):
            case.numbers = _Numbers(piece, formula, here[0], here[0])
            return "right", ""
        return "wrong", say.not_equal(before.literal.value, here[0].value)

    def _follows_by_formula(self, case: _Case, formula: Formula, own: Sequence[Measured]) -> bool:
        """Whether a formula with numbers of the writer's own in it gives what follows from them."""
        if not any(isinstance(node, Num) for node in postorder(formula)) and not self._uses_own_names(formula):
            return False
        return any(_meets_one(m, f) for m in own if m.known for f in case.follows)

    def _uses_own_names(self, formula: Formula) -> bool:
        return bool(set(self.own.names).intersection(names(formula)))

    # -- slips ---------------------------------------------------------------------------------------------

    def _slips(self, case: _Case, written: Formula) -> tuple[Slip, ...]:
        """The one number that was put in wrongly, or two given ones, if that is all that is wrong. It is looked for on
        so many lines of a page, and no more."""
        self.searches += 1
        if self.searches > SEARCHES:
            return ()
        references = [case.formula] if case.formula is not None else []
        if case.draft.about is not None:
            references += self.expected.formulas(case.draft.about)
        for world in (self.truth, *self._own_worlds()):
            for reference in references:
                slips = self.putting_in.compared(reference, written, world)
                if slips and (len(slips) == 1 or (len(slips) == 2 and all(slip.given for slip in slips))):
                    return tuple(slips)
        return ()

    # -- slips without consequence -------------------------------------------------------------------------

    def _faithful(self, case: _Case, piece: Piece, written: Formula) -> None:
        """Numbers that give the right value, although they are not what the formula before them has."""
        assert case.formula is not None
        lost = lost_power(case.formula, written)
        if lost is not None:
            base, exponent = lost
            inside = to_text(base) if base.parens else f"({to_text(base)})"
            value = self.truth.at(base).value
            power = self.truth.at(apply(POWER, base, exponent)).value
            case.remarks.append(say.exponent_lost(piece, inside, to_text(exponent), value, power))
            return
        for world in (self.truth, *self._own_worlds()):
            slips = self.putting_in.compared(case.formula, written, world)
            if slips == []:
                return
            if slips is not None and len(slips) == 1 and slips[0].given:
                case.remarks.append(say.copied_wrongly(slips[0].name, slips[0].said, slips[0].meant, piece))
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
        elif case.numbers is not None and (case.formula is None or draft.about is not None):
            value = case.numbers.literal.value if case.numbers.literal.known else None
        verdict = self._verdict(case, value, number)
        if verdict != "wrong":
            wrong = None
        if draft.kind == "given" and draft.generic and verdict == "wrong":
            verdict, wrong = self._generic_given(case, value), None
            links[:] = [Judged(link.piece, "unclear", link.why) if link.verdict == "wrong" else link for link in links]
        elsewhere = self._elsewhere(case, verdict, value)
        if elsewhere:
            verdict, wrong = "unclear", None
            links[:] = [Judged(link.piece, "unclear", elsewhere) for link in links]
        if verdict == "unclear":  # a lone number of something unknown is not right either
            links[:] = [Judged(link.piece, "unclear", link.why) for link in links]
        if draft.mislabelled:
            case.remarks.append(say.wrong_label(draft.label, str(draft.about), draft.subject or draft.pieces[0]))
        for slip in case.slips:
            if slip.given and wrong is not None:
                case.remarks.append(say.misread(slip.name, slip.said, slip.meant, wrong.piece))
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
        if elsewhere:
            return Outcome(judgement, None, None)
        claimed = self._claimed(case, value, judgement)
        self._carry_on(case, value, judgement)
        return Outcome(judgement, claimed, wrong.piece if wrong is not None else None, case.dropped)

    # -- what is not said of this network ------------------------------------------------------------------

    def _elsewhere(self, case: _Case, verdict: Verdict, value: Amount | None) -> str:
        """Why a claim that is not true is not held against the writer; "" if it is. Also keeps which given numbers are
        only supposed."""
        draft = case.draft
        false = verdict in ("wrong", "follows")
        given = draft.about.name if isinstance(draft.about, Value) and draft.kind == "given" else ""
        match draft.mood:
            case "strong condition" | "weak condition":
                known = draft.mood == "strong condition" or given in self.relied
                self.conditional = verdict != "right" and known and (bool(given) or verdict != "unclear")
                if self.conditional and given and value is not None:
                    self.supposed[given], self._supposition = value, None
                if false and self.conditional:
                    return say.SUPPOSED
            case "conditional" if false and self.conditional:
                return say.SUPPOSED
            case "supposed" if false:
                return say.SUPPOSED
            case _:
                pass
        if verdict == "right" and draft.about is not None:
            about = draft.about
            of = about.name if isinstance(about, Value) else about.child if isinstance(about, Local) else about.of
            self.relied |= {name for name in self.names.ancestors(of) if not self.graph[name].computed}
        if not false:
            return ""
        if self.steps.after(draft.about, value):
            return say.AFTER_A_STEP
        if self._of_the_supposed(case, value):
            return say.SUPPOSED
        if self.steps.new and isinstance(draft.about, Value) and draft.kind == "value":
            world = World(self.graph, self.of, givens=self.steps.new)
            if self._comes_out(case, value, world):
                return say.AFTER_A_STEP
        return say.REUSED if self._is_reused(case) else ""

    def _of_the_supposed(self, case: _Case, value: Amount | None) -> bool:
        """Whether a number comes out of the numbers that were only supposed."""
        about = case.draft.about
        if not self.supposed or about is None or value is None:
            return False
        if self._supposition is None:
            self._supposition = World(self.graph, self.of, givens=self.supposed)
        return self._comes_out(case, value, self._supposition)

    def _comes_out(self, case: _Case, value: Amount | None, world: World) -> bool:
        """Whether a number comes out of those of a world."""
        about = case.draft.about
        number = world.predicted(about) if about is not None else None
        shown, rounded = _shown(case.draft.number)
        return (
            value is not None
            and number is not None
            and number == number
            and agrees(value, number, shown, about=rounded)
        )

    def _is_reused(self, case: _Case) -> bool:
        """Whether the claim is about a name that the page has for something else as well, or uses one."""
        reused = self.claims.reused
        if not reused:
            return False
        about = case.draft.about
        if isinstance(about, Value) and about.name in reused:
            return True
        wrong = [link.piece.formula for link in case.links if link.verdict == "wrong"]
        used = {name for formula in wrong if formula is not None for name in names(formula)}
        return any(self.names.quantity(name) in reused for name in used)

    def _as_whole(self, case: _Case, number: Piece | None) -> None:
        """dh2/dw of a w that reaches h2 by another way too: which of the two is meant, the number tells."""
        draft = case.draft
        if not isinstance(draft.about, Local) or not case.two_meant or number is None or number.formula is None:
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
        if case.draft.about is None and len(told) < 2:
            return "unclear"
        if number is not None and any(link.piece is number and link.verdict == "unclear" for link in case.links):
            return "unclear"  # a number, and nothing to hold it against
        if value is not None and case.truths:
            shown, about = _shown(number)
            near = any(agrees(value, truth, shown, about=about) for truth in case.truths)
            half = 0.5 * 10.0**-shown * 1.0001 if shown is not None else 0.0
            if near and any(abs(float(value) - float(truth)) <= half or equal(value, truth) for truth in case.truths):
                return "right"
            if near:
                return "follows" if "follows" in told else "right"
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
        """w_2 = -1 beside a line whose unit has -2 as its second weight: a slip of writing, or another weight."""
        about, piece = case.draft.about, case.draft.number
        assert isinstance(about, Value)
        if piece is not None and value is not None and case.truths:
            case.remarks.append(say.copied_wrongly(about.name, value, case.truths[0], piece, case.draft.label))
        return "unclear"

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
        if draft.own_name:
            self._define(case, draft.own_name, value)
            return
        if value is None or value != value:
            return
        self._worlds = None
        if draft.about is None:
            return
        shown, about = _shown(draft.number)
        true = any(agrees(value, truth, shown, about=about) for truth in case.truths)
        early = judgement.verdict == "right"  # though not true to its last digit: from rounded numbers
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
        own.later.pop(draft.about, None)
        self.further.pop(draft.about, None)
        if shown is not None:
            off = abs(float(value) - float(case.truths[0])) * 1.0001 if early and case.truths else 0.0
            own.slack[draft.about] = max(UNITS_OF_SLACK * 10.0**-shown, off)
        elif draft.about in own.slack:
            del own.slack[draft.about]
        own.astray = own.astray or not (true or early)

    def _define(self, case: _Case, name: str, value: Amount | None) -> None:
        """What a name of the page's own is from here on: the number written for it, and what its formula is worth."""
        own = self.own
        formula = case.formula
        worth = self.truth_at(formula) if formula is not None else None
        if value is None and formula is not None:
            here = [world.at(formula, self.rounding) for world in self._own_worlds()] or [self.truth_at(formula)]
            value = here[0].value
        self._worlds = None
        own.defined.pop(name, None)
        if value is None or value != value:
            own.names.pop(name, None)
            return
        own.names[name] = value
        if worth is not None and worth.known:
            own.defined[name] = worth.value


def _in_table(draft: Draft) -> bool:
    """Whether a claim stands in a row of a table."""
    span = draft.last.span
    return span.source.line(span.line).lstrip().startswith("|")


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


def mixed_numbers(formula: Formula) -> Formula | None:
    r"""The formula with `6\frac{3}{4}` as 27/4, not as 6 times 3/4; None if there is no such number in it."""
    found: list[Formula] = []

    def combine(node: Apply, args: list[Formula]) -> Formula:
        made = _mixed(args) if node.style == "juxtaposed" and len(args) == 2 else None
        if made is None:
            return Apply(node.operation, tuple(args), node.style, node.parens, node.span, node.depth)
        found.append(made)
        return made

    made = fold(formula, lambda leaf: leaf, combine)
    return made if found else None


def _mixed(factors: Sequence[Formula]) -> Formula | None:
    """6 and 3/4, or -6 and 3/4, as one number."""
    whole, part = factors
    minus = isinstance(whole, Apply) and whole.operation.name == "neg"
    whole = whole.args[0] if isinstance(whole, Apply) and minus else whole
    if not isinstance(whole, Num) or not isinstance(part, Apply) or part.operation.name != "/" or not bare(part):
        return None
    fraction = exact_number(part)
    if fraction is None or whole.value.denominator != 1 or not 0 < fraction < 1:
        return None
    value = whole.value + fraction
    made = Num(value, f"({value})")
    return apply(NEGATE, made) if minus else made


def exact_number(quotient: Apply) -> Fraction | None:
    """3/4 of two written numbers."""
    above, below = quotient.args
    return above.value / below.value if isinstance(above, Num) and isinstance(below, Num) and below.value else None


TO_BE_TAKEN = ("derivative", "prime")


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


def _is_called(formula: Formula, names: Names) -> bool:
    """f(3.001): with nothing that it is about, as likely a value elsewhere as a product."""
    found = calls(formula, names)
    return bool(found) and found[-1][1] is formula and plain(found[-1][1].args[1])


def _near(one: Amount, other: Amount) -> bool:
    """The same number but for the digits that a difference of rounded values loses."""
    return abs(float(one) - float(other)) <= 1e-3 * abs(float(other)) + 1e-9


def _meets_one(measured: Measured, number: Amount) -> bool:
    return measured.known and _meets(measured, Measured(number, 0.0))
