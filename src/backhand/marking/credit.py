"""Points for a marked page, by a policy.

    asked(graph, of)                 what an answer is expected to contain: values and derivatives
    credit(judgements, asked)        for each of them its points, and why: method, accuracy, follow-through

Method is for the rule in the line, accuracy for the number. A number that is wrong, but follows from the writer's own
earlier ones, earns a follow-through point in place of the accuracy point. What the points are worth, and when, is the
teacher's: see `policy.toml`.

Of several claims about the same thing the last one counts, wherever the better one stands, and the Point says so. What
is struck out does not count, and what stands at the side of another statement only where nothing else is said.

What holds under every policy (and is tested): never more than full marks; a wrong claim put right never costs; a right
one taken away never pays; the order of the lines changes nothing but which repeated claim is the last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import isclose
from typing import Literal, TypeAlias

from backhand import limits
from backhand.core.answers import folded
from backhand.core.formula import Formula, Ref, Slope, postorder
from backhand.core.graph import Graph
from backhand.errors import LimitError
from backhand.marking.about import About, Derivative, Local, Value
from backhand.marking.claims import bare, plain
from backhand.marking.marking import Judged, Judgement, Method, Remark
from backhand.marking.policy import NOUGHT, Policy, Total, Worth, read_policy
from backhand.marking.worlds import shape
from backhand.numbers import Number
from backhand.solving.solution import order_of_working
from backhand.text import Span

__all__ = ["Asked", "Marks", "Point", "Policy", "asked", "credit", "read_policy"]

Sort: TypeAlias = Literal["method", "accuracy", "follow-through", "misread", "slip"]
Group: TypeAlias = Literal["values", "derivatives", "inner", "weights"]


@dataclass(frozen=True, slots=True)
class Point:
    """What one thing was worth: method or accuracy, how much of it was earned, where, and why.

    A follow-through point stands in place of an accuracy point. What a misread number or a slip costs is a Point that
    is worth nothing and earns less than nothing.
    """

    about: str
    sort: Sort
    worth: Fraction
    earned: Fraction
    why: str
    span: Span | None = None

    @property
    def line(self) -> int | None:
        return self.span.line if self.span else None


PLAIN = Total()


@dataclass(frozen=True, slots=True)
class Marks:
    """All points of a page. `absent` is what was asked, is not on the page, and does not count either."""

    points: tuple[Point, ...]
    absent: tuple[About, ...] = ()
    total: Total = PLAIN

    @property
    def points_earned(self) -> Fraction:
        """The sum of the points before scaling and rounding."""
        return max(NOUGHT, sum((point.earned for point in self.points), NOUGHT))

    @property
    def points_worth(self) -> Fraction:
        return sum((point.worth for point in self.points), NOUGHT)

    @property
    def earned(self) -> Fraction:
        """The mark: the points, scaled and rounded as the policy says."""
        worth, got = self.points_worth, self.points_earned
        if got == worth:
            return self.out_of  # whatever it is rounded to
        return min(_rounded(got * self.out_of / worth, self.total), self.out_of)

    @property
    def out_of(self) -> Fraction:
        """Full marks; 0 where nothing counts."""
        return self.points_worth if self.total.out_of is None or not self.points_worth else self.total.out_of


def _rounded(mark: Fraction, total: Total) -> Fraction:
    steps = mark / total.step
    match total.rounding:
        case "none":
            return mark
        case "down":
            return (steps.numerator // steps.denominator) * total.step
        case "up":
            return -(-steps.numerator // steps.denominator) * total.step
        case "nearest":
            return ((2 * steps + 1) // 2) * total.step


# -- what is asked ---------------------------------------------------------------------------------------------


class Asked(tuple[About, ...]):
    """What an answer is expected to contain, each thing once: values forward, derivatives backward.

    `groups` says for each thing which part of the answer it belongs to; what is not in it counts always. `same` are
    local derivatives that are the whole one, because there is no other way: who writes one has written the other.
    """

    groups: dict[About, Group]
    same: dict[About, About]


def asked(graph: Graph, of: str | None = None) -> Asked:
    """What an answer is expected to contain, from the net's `ask` lines.

    Without any: all values, and the derivatives of the output by inputs and computed quantities. Never by targets and
    constants, unless one is named: they are part of the question, and nobody is asked what if they were others. Biases
    go with the weights: a bias is the weight of an input that is always 1, and who does not ask for one does not mean
    the other. `ask derivatives of L` includes both; by default (`count.weights`) they count where they were attempted.
    So does what has no name in the net's text: z[h1], the sum inside a drawn unit, and c#1, an earlier version of c.

    >>> from backhand.readers import read
    >>> [str(about) for about in asked(read("x = 2" + chr(10) + "y = 3 x" + chr(10) + "L = (y - 1)^2"))]
    ['y', 'L', 'dL/dy', 'dL/dx']
    """
    output, _ = graph.output(of)
    found: dict[About, Group] = {}
    for about, group in _wishes(graph, output):
        if group in ("values", "derivatives") or about not in found:
            found[about] = group
    made = Asked(found)
    made.groups = found
    made.same = {Local(a.of, a.by): a for a in found if isinstance(a, Derivative) and _one_way(graph, a)}
    return made


def _wishes(graph: Graph, output: str) -> Iterator[tuple[About, Group]]:
    outputs = {ask.of for ask in graph.asks if ask.what in ("derivatives", "derivative")}
    if not graph.asks:
        yield from _values(graph)
        yield from _derivatives(graph, output, weights=False)
    elif outputs and output not in outputs:
        yield from _derivatives(graph, output, weights=True)
    for ask in graph.asks:
        match ask.what:
            case "values":
                yield from _values(graph)
            case "value":
                yield Value(ask.of), "values"
            case "derivatives" | "derivative" if output not in outputs:
                continue
            case "derivatives" if not ask.by:
                yield from _derivatives(graph, ask.of, weights=True)
            case "derivatives" | "derivative":
                for by in ask.by:
                    yield Derivative(ask.of, by), "derivatives"
            case "pairs":
                computed = [q.name for q in graph.quantities if q.computed]
                count = len(computed) * len(graph)
                if count > limits.PAIRS:
                    what = f"All pairs here are {count} derivatives; at most {limits.PAIRS} are asked."
                    raise LimitError(what, cure="Ask for the derivatives of one quantity.")
                for name in reversed(computed):
                    yield from _derivatives(graph, name, weights=True)


def _values(graph: Graph) -> Iterator[tuple[About, Group]]:
    for quantity in graph.quantities:
        if quantity.computed:
            yield Value(quantity.name), "inner" if _is_inner(graph, quantity.name) else "values"


def _derivatives(graph: Graph, of: str, *, weights: bool) -> Iterator[tuple[About, Group]]:
    """By everything the output depends on, in the order of the working."""
    for name in order_of_working(graph, graph.upstream_of(of)):
        kind = graph[name].kind
        if kind in ("weight", "bias"):
            if weights:
                yield Derivative(of, name), "weights"
        elif name != of and kind not in ("target", "constant"):
            yield Derivative(of, name), "inner" if _is_inner(graph, name) else "derivatives"


def _is_inner(graph: Graph, name: str) -> bool:
    """Whether nobody wrote this name: z[h1] of a drawn unit h1 with an activation, c#1 of a c that is defined anew."""
    return "#" in name or (name.startswith("z[") and name.endswith("]") and name[2:-1] in graph)


def _one_way(graph: Graph, about: Derivative) -> bool:
    """Whether the local derivative is the whole: the quantity stands once in the formula, and in nothing else of it."""
    index = graph.index
    parents = graph.parent_lists[index[about.of]]
    by = index[about.by]
    if parents.count(by) != 1:
        return False
    others = {parent for parent in parents if parent > by}
    return not any(by in graph.upstream_of(graph.quantities[other].name) for other in others)


# -- what was said about it ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Answer:
    """All that counts of what was said about one thing.

    `number` is the claim whose number counts, `working` the one whose method does, `leads` the one whose working leads
    to the number; None where there is none. `hazy` is a claim that could not be told, where there is no other.
    """

    about: About
    number: Judgement | None = None
    working: Judgement | None = None
    leads: Judgement | None = None
    hazy: Judgement | None = None
    repeats: str = ""

    @property
    def method(self) -> Method:
        return _method(self.working) if self.working else "none"

    @property
    def led(self) -> Method:
        return _method(self.leads) if self.leads else "none"


def _answer(about: About, claims: Sequence[Judgement]) -> _Answer:
    """The last claim, its working, and a word about the claims that say otherwise."""
    live = [claim for claim in claims if not _struck(claim)]
    clear = [claim for claim in live if claim.verdict != "unclear"]
    if not clear:
        return _Answer(about, hazy=live[-1] if live else None)
    numbers = _before_notes([claim for claim in clear if _has_number(claim)])
    number = numbers[-1] if numbers else None
    other = [claim for claim in numbers if number is not None and not _same_number(claim, number)]
    shown = _before_notes([claim for claim in clear if _method(claim) != "none"])
    # A number stands on the working before it, or on that of the same number elsewhere. Right working that led to
    # another number earns its method all the same; it supports nothing.
    own = number if number is not None and _method(number) != "none" else None
    agreeing = [claim for claim in shown if claim not in other]
    leads = own or _last(claim for claim in agreeing if _has_number(claim)) or _last(filter(_is_right, agreeing))
    working = own or _last(agreeing) or _last(filter(_is_right, shown))
    repeats = ""
    if number is not None and other:
        said = ", ".join(_said(claim) for claim in [*other, number][-4:])
        repeats = f" You gave {about} more than once: {said}; the last one counts."
    return _Answer(about, number, working, leads, repeats=repeats)


def _is_right(claim: Judgement) -> bool:
    return _method(claim) == "right"


def _last(claims: Iterable[Judgement]) -> Judgement | None:
    return next(iter(reversed(list(claims))), None)


def _struck(claim: Judgement) -> bool:
    return bool(claim.chains) and all(chain.struck for chain in claim.chains)


def _before_notes(claims: list[Judgement]) -> list[Judgement]:
    """The claims that are statements of their own; without any, those at the side of others."""
    return [claim for claim in claims if not claim.note] or claims


def _has_number(claim: Judgement) -> bool:
    """Whether the claim gives its answer: a number; where there is none, in a network of symbols, a formula without
    derivatives in it."""
    if claim.value is not None or claim.said:
        return True
    told = [link for link in claim.links if link.verdict in ("right", "follows", "wrong")]
    return claim.truth is None and any(_says_how(claim, link) and not _has_slopes(link) for link in told)


def _has_slopes(link: Judged) -> bool:
    return any(isinstance(node, Slope) for node in postorder(link.piece.formula)) if link.piece.formula else False


def _method(claim: Judgement) -> Method:
    """A claim without a number is all working. Method is not lost by a slip of arithmetic or by a number misread, and
    not earned by saying the same again: dL/dB1 = dL/dB1 = 4 = 4."""
    if claim.links and not any(_says_how(claim, link) for link in claim.links):
        return "none"
    if claim.method == "none" and not _has_number(claim):
        return "right" if claim.verdict in ("right", "follows") else "wrong"
    if claim.method == "wrong" and (_misread(claim) or _slipped(claim)):
        return "right"
    return claim.method


def _says_how(claim: Judgement, link: Judged) -> bool:
    """Whether a link is more than a number, or the name of the thing itself."""
    match link.piece.formula:
        case None:
            return False
        case Slope() as slope:
            return folded(f"d{slope.of}/d{slope.by}") not in (folded(claim.name), folded(claim.label))
        case Ref() as ref:
            return folded(ref.name) not in (folded(claim.name), folded(claim.label))
        case formula:
            return not bare(formula)


Fault: TypeAlias = Literal["misread", "number", "rule"]


def _faults(claim: Judgement) -> set[Fault]:
    """What is wrong with the wrong links: a given number read as another, a number that was not carried over from a
    link with as many summands, or the rule."""
    misread = {remark.span.start for remark in _misreadings(claim)}
    found: set[Fault] = set()
    before: Formula | None = None
    for link in claim.links:
        formula = link.piece.formula
        if link.verdict == "wrong":
            if link.piece.span.start in misread:
                found.add("misread")
            elif formula is not None and before is not None and plain(formula) and _as_many(formula, before):
                found.add("number")
            else:
                found.add("rule")
        if link.verdict != "unclear":
            before = formula if link.verdict != "wrong" or (formula is not None and plain(formula)) else None
    return found


def _as_many(formula: Formula, before: Formula) -> bool:
    """Whether no summand was left out between two links; sums of numbers may be worked out."""
    return plain(before) or len(shape(formula).summands) >= len(shape(before).summands)


def _misread(claim: Judgement) -> bool:
    """Whether nothing is wrong with a claim but a given number that was read as another."""
    faults = _faults(claim) if claim.links else {"misread"}
    return claim.verdict == "wrong" and bool(_misreadings(claim)) and faults == {"misread"}


def _slipped(claim: Judgement) -> bool:
    """Whether the rule is right and only a number was not carried over."""
    by_luck = any(remark.key == "right-by-luck" for remark in claim.remarks)
    return not by_luck and bool(faults := _faults(claim)) and "rule" not in faults


def _agrees(one: Number | None, other: Number | None) -> bool:
    return one is not None and other is not None and (one == other or isclose(one, other, rel_tol=1e-9))


def _same_number(one: Judgement, other: Judgement) -> bool:
    if one.verdict == other.verdict == "right":
        return True
    if one.value is None and other.value is None:
        return one.verdict == other.verdict
    return _agrees(one.value, other.value)


def _said(claim: Judgement) -> str:
    shown = claim.said or ("a formula" if claim.value is None else str(claim.value))
    shown = shown if len(shown) <= 30 else shown[:27] + "..."
    return f"{shown} on line {claim.line}" if claim.span else shown


# -- points ----------------------------------------------------------------------------------------------------


def credit(judgements: Sequence[Judgement], asked: Sequence[About], policy: Policy | None = None) -> Marks:
    """The points of a page. Judgements stand in the order of the page."""
    return _Page(judgements, asked, policy or Policy()).marks()


SLIPS = frozenset(["square-lost", "copied-wrongly", "label"])
"""Keys of remarks about a slip that had no consequence, where the claim is right."""


class _Page:
    """One page on its way to points."""

    def __init__(self, judgements: Sequence[Judgement], asked: Sequence[About], policy: Policy) -> None:
        self.judgements = judgements
        self.policy = policy
        self.groups: dict[About, Group] = asked.groups if isinstance(asked, Asked) else {}
        self.same: dict[About, About] = asked.same if isinstance(asked, Asked) else {}
        self.asked = dict.fromkeys(asked)

    def marks(self) -> Marks:
        points: list[Point] = []
        absent: list[About] = []
        for about in self.asked:
            answer = self.answers.get(about, _Answer(about))
            found = list(self._points(answer, self._worth(about), self._counting(about)))
            points += found
            if not found and answer == _Answer(about) and self._counting(about) == "attempted":
                absent.append(about)
        if self.policy.local.method or self.policy.local.accuracy:
            for about, answer in self.answers.items():
                if isinstance(about, Local) and about not in self.asked:
                    points += self._points(answer, self.policy.local, "attempted")
        points += self._misreadings(points)
        points += self._slips(points)
        return Marks(tuple(points), tuple(absent), self.policy.total)

    @cached_property
    def answers(self) -> dict[About, _Answer]:
        claims: dict[About, list[Judgement]] = {}
        for judgement in self.judgements:
            about = judgement.about
            if about is not None and judgement.verdict != "missing" and judgement.kind != "formula":
                claims.setdefault(self.same.get(about, about), []).append(judgement)
        return {about: _answer(about, found) for about, found in claims.items()}

    def _worth(self, about: About) -> Worth:
        return self.policy.value if isinstance(about, Value) else self.policy.derivative

    def _counting(self, about: About) -> str:
        group = self.groups.get(about)
        return "asked" if group is None else getattr(self.policy.count, group)

    def _points(self, answer: _Answer, worth: Worth, counting: str) -> Iterator[Point]:
        """Of what counts only where it was attempted, a number counts for accuracy, working for method. So nobody's
        share falls by writing something right."""
        if counting == "never":
            return
        attempted = counting == "attempted"
        if worth.method and not (attempted and answer.method == "none"):
            yield self._method_point(answer, worth.method)
        if worth.accuracy and not (attempted and answer.number is None):
            yield self._accuracy_point(answer, worth.accuracy)

    # -- method ----------------------------------------------------------------------------------------------

    def _method_point(self, answer: _Answer, worth: Fraction) -> Point:
        name = str(answer.about)
        span = (answer.working or answer.number or answer.hazy or _NOWHERE).span
        earned, why = NOUGHT, ""
        match answer.method:
            case "right" if answer.working is not None and _slipped(answer.working):
                earned, why = worth, f"The rule for {name} is right; a number in the line was not carried over."
            case "right":
                earned, why = worth, f"The working for {name} is right."
            case "wrong":
                why = f"The working for {name} has a wrong step; the rule in the line is what this point is for."
            case "none" if self._implied(answer):
                earned, why = worth, f"The working for {name} is not shown; the number implies it."
            case "none" if answer.number is not None:
                why = f"No working is shown for {name}. Write the line that gives the number."
            case "none":
                why = _not_there(answer)
        return Point(name, "method", worth, earned, why + answer.repeats, span)

    def _implied(self, answer: _Answer) -> bool:
        if self.policy.working.absent != "all" or answer.number is None:
            return False
        return answer.number.verdict == "right" or (answer.number.verdict == "follows" and self._earns(answer)[0] > 0)

    # -- accuracy and follow-through ---------------------------------------------------------------------------

    def _accuracy_point(self, answer: _Answer, worth: Fraction) -> Point:
        name, number = str(answer.about), answer.number
        if number is None:
            why = f"{name} has working but no number. Work it out." if answer.working else _not_there(answer)
            return Point(name, "accuracy", worth, NOUGHT, why, (answer.working or answer.hazy or _NOWHERE).span)
        share, why = self._earns(answer)
        sort: Sort = "follow-through" if number.verdict == "follows" or _misread(number) else "accuracy"
        return Point(name, sort, worth, share * worth, why + answer.repeats, number.span)

    def _earns(self, answer: _Answer) -> tuple[Fraction, str]:
        """The share of the point for the number, and why."""
        number, method, policy = answer.number, answer.led, self.policy
        assert number is not None
        name = f"{answer.about} = {number.said}" if 0 < len(number.said) <= 30 else str(answer.about)
        full, none = Fraction(1), NOUGHT
        lucky = _agrees(number.value, number.truth) or _agrees(number.value, number.from_own)
        wrong = number.verdict == "wrong" and not _misread(number)
        if wrong and not lucky:
            return none, f"{name} is not right" + (", though its working is." if method == "right" else ".")
        if wrong or method == "wrong":
            if policy.working.wrong == "accuracy":
                return full, f"The number in {name} agrees, though the working before it does not lead there."
            return none, f"The number in {name} agrees, but the working before it does not lead there."
        if number.verdict == "right":
            if method == "none" and policy.working.absent == "nothing":
                return none, f"{name} is right, but no working is shown."
            return full, f"{name} is right."
        sort = "value" if isinstance(answer.about, Value) else "local" if self._is_local(answer) else "derivative"
        if not getattr(policy.follow_through, sort):
            return none, f"{name} follows from your own numbers, but is not right; here only right numbers count."
        if method == "none" and (policy.follow_through.needs_working or policy.working.absent == "nothing"):
            return none, f"{name} follows from your own earlier numbers. Show the working, and it counts."
        trivial = self._trivial(answer) if sort != "value" else ""
        if trivial and policy.follow_through.trivial < 1:
            return policy.follow_through.trivial, f"{name} follows, but {trivial}: what follows is capped."
        if _misreadings(number):
            return full, f"{name} follows from the number as you read it."
        return full, f"{name} is not right, but it follows from your own earlier numbers."

    def _is_local(self, answer: _Answer) -> bool:
        return isinstance(answer.about, Local) and answer.about not in self.asked

    def _trivial(self, answer: _Answer) -> str:
        """Why a derivative that follows took no work: it became 0, or rests on an own number that became 0 or 1."""
        number = answer.number
        assert number is not None
        if number.value == 0 and number.truth not in (0, None):
            return "an earlier mistake made it 0"
        for claim in (number, answer.working):
            for link in claim.links if claim is not None else ():
                for node in postorder(link.piece.formula) if link.piece.formula is not None else ():
                    name = f"d{node.of}/d{node.by}" if isinstance(node, Slope) else getattr(node, "name", "")
                    if (
                        isinstance(node, Ref | Slope)
                        and folded(name) in self.easy
                        and folded(name) != folded(number.name)
                    ):
                        said, shown = self.easy[folded(name)]
                        return f"an earlier mistake made {said} {shown}, which leaves little to do"
        return ""

    @cached_property
    def easy(self) -> dict[str, tuple[str, str]]:
        """The writer's own numbers that became 0 or 1 and are neither."""
        found: dict[str, tuple[str, str]] = {}
        for claim in self.judgements:
            untrue = claim.verdict in ("wrong", "follows") and claim.about is not None and not _struck(claim)
            if untrue and claim.value in (0, 1) and claim.truth not in (0, 1, None):
                found[folded(claim.name)] = (claim.name, str(claim.value))
        return found

    # -- what is lost ------------------------------------------------------------------------------------------

    def _misreadings(self, points: Sequence[Point]) -> Iterator[Point]:
        """A given number read as another costs once: at the first line that it spoils, or where it is written down.
        What follows from it is not charged again, and no more is lost than follow-through points were earned."""
        left = sum((point.earned for point in points if point.sort == "follow-through"), NOUGHT)
        seen: set[str] = set()
        for claim, remark in self._misread():
            text = remark.text if remark is not None else claim.name
            lost = min(self.policy.cost.misread, left)
            if text in seen or not lost:
                continue
            seen.add(text)
            left -= lost
            why = "A given number was misread. It costs once; what follows is marked as if it had been given so."
            yield Point(claim.name, "misread", NOUGHT, -lost, why, remark.span if remark else claim.span)

    def _misread(self) -> Iterator[tuple[Judgement, Remark | None]]:
        """Claims that a misread number spoils, and given numbers that are written down as others."""
        counted = {id(answer.number) for answer in self.answers.values()}
        for claim in self.judgements:
            if claim.kind == "given" and claim.verdict == "wrong" and not _struck(claim):
                yield claim, None
            elif id(claim) in counted and _misread(claim):
                yield from ((claim, remark) for remark in _misreadings(claim))

    def _slips(self, points: Sequence[Point]) -> Iterator[Point]:
        """A slip without consequence costs what the policy says; at a thing that counts not more than it earned."""
        if not self.policy.cost.slip:
            return
        earned = _by_name(points)
        seen: set[object] = set()
        for claim in self.judgements:
            about = None if claim.about is None else str(self.same.get(claim.about, claim.about))
            for remark in claim.remarks:
                place = (about, remark.key, remark.span.source, remark.span.start)
                if remark.key not in SLIPS or place in seen or _struck(claim):
                    continue
                seen.add(place)
                lost = self.policy.cost.slip
                if about in earned:
                    lost = min(lost, max(NOUGHT, earned[about]))
                    earned[about] -= lost
                if lost:
                    yield Point(claim.name, "slip", NOUGHT, -lost, "A slip without consequence.", remark.span)


_NOWHERE = Judgement(None, "formula", "missing")


def _not_there(answer: _Answer) -> str:
    if answer.hazy is not None:
        return f"What is said about {answer.about} could not be told. Write it as {answer.about} = a number."
    if answer.number is not None or answer.working is not None:
        return f"No number is given for {answer.about}."
    return f"{answer.about} is not on the page."


def _misreadings(claim: Judgement) -> list[Remark]:
    return [remark for remark in claim.remarks if remark.key == "misread"]


def _by_name(points: Iterable[Point]) -> dict[str, Fraction]:
    found: dict[str, Fraction] = {}
    for point in points:
        found[point.about] = found.get(point.about, NOUGHT) + point.earned
    return found
