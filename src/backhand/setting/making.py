"""A network as it stands to an Exercise: questions, answers, wrong answers, what can be told apart, how hard it is.

Everything in an Exercise but its origin is worked out from the network and what is asked; so an exercise that is read
back can be made once more and compared (`check.verify`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version
from itertools import pairwise
from typing import cast

from backhand.core.graph import Graph
from backhand.core.paths import ways_to
from backhand.errors import UsageError
from backhand.marking.about import About, Derivative, Local, Value
from backhand.marking.credit import asked
from backhand.marking.diagnose import Collisions, Scheme, Search, claims_of, collisions
from backhand.marking.misconceptions import by_key
from backhand.marking.replay import Page, local_of, predicted
from backhand.marking.sheet import Amount, Sheet, exact
from backhand.numbers import Number
from backhand.setting.exercise import (
    KINDS,
    Difficulty,
    Exercise,
    Kind,
    Origin,
    Planted,
    Question,
    Shown,
)
from backhand.setting.telling import Foreseen, Reads, absent, foreseen, telling, wrong_numbers
from backhand.solving.solution import order_of_working
from backhand.solving.solve import solve

USUAL: tuple[Kind, ...] = ("values", "derivatives")
DIGITS = 4
"""Decimals that are asked for where a number has to be rounded."""


def digest(text: str) -> str:
    """The first digits of the SHA-256 of a recipe's text."""
    return sha256(text.encode()).hexdigest()[:12]


def exercise_of(
    graph: Graph,
    *,
    of: str | None = None,
    asks: Sequence[Kind] = USUAL,
    title: str = "",
    weights: bool = False,
    digits: int = DIGITS,
    origin: Origin | None = None,
    aim: str | None = None,
    plant: str | None = None,
) -> Exercise:
    """The exercise a network poses as it stands.

    `asks` are the kinds of questions, `weights` whether derivatives by weights are asked for too, `digits` the decimals
    of rounded answers, `aim` the habit it is for, `plant` the habit in the page where a mistake is to be found (the
    likeliest that can be told, if none is named). Raises UsageError where a quantity has no value.

    >>> from backhand.readers import read
    >>> one = exercise_of(read("a = 3" + chr(10) + "b = 2 a" + chr(10) + "L = (b - 1)^2"), asks=["derivatives"])
    >>> [(str(question.about), str(question.answer)) for question in one.questions]
    [('dL/db', '10'), ('dL/da', '20')]
    """
    return Maker(
        graph, of=of, asks=tuple(asks), title=title, weights=weights, digits=digits, aim=aim, plant=plant
    ).exercise(origin)


class Maker:
    """What is worked out once for an exercise and used in several of its parts."""

    def __init__(
        self, graph: Graph, *, of: str | None, asks: tuple[Kind, ...], title: str, weights: bool, digits: int,
        aim: str | None, plant: str | None,
    ) -> None:  # fmt: skip
        symbols = [q.name for q in graph.quantities if q.symbolic]
        if symbols:
            what = f"{symbols[0]} has no value, and an exercise asks for numbers."
            raise UsageError(what, graph[symbols[0]].span, cure="Give it a number in place of ?.")
        refuse_arrays(graph)
        unknown = [ask for ask in asks if ask not in KINDS]
        if unknown or not asks:
            what = f"There is no kind of question {unknown[0]}." if unknown else "Nothing is asked."
            raise UsageError(what, cure=f"Choose among {', '.join(KINDS)}.")
        self.graph, self.asks, self.title, self.aim, self.digits = graph, asks, title, aim, digits
        self.solution = solve(graph, of=of, pairs="pairs" in asks, title=title)
        self.of = self.solution.of
        self.weights = weights
        self.wanted = plant

    def exercise(self, origin: Origin | None = None) -> Exercise:
        """The whole."""
        text = str(self.graph)
        return Exercise(
            title=self.title or f"Derivatives of {self.of}",
            graph=self.graph,
            of=self.of,
            asks=self.asks,
            questions=tuple(question for kind in self.asks for question in self.questions(kind)),
            solution=self.solution,
            collisions=self.collisions,
            absent=self.absent,
            telling=telling(self.collisions, self.absent),
            difficulty=difficulty(self.seen.truth, weights=self.weights),
            origin=origin or Origin("network", digest(text), None, version("backhand")),
            planted=self.planted,
            aim=self.aim,
        )

    # -- worked out once --------------------------------------------------------------------------------------

    @cached_property
    def lines(self) -> list[About]:
        return lines_of(self.graph, self.of, self.asks, weights=self.weights)

    @cached_property
    def absent(self) -> tuple[str, ...]:
        return absent(self.graph, self.of, self.lines)

    @cached_property
    def seen(self) -> Foreseen:
        keys = [key for key, row in by_key().items() if row.sort == "habit" and key not in self.absent]
        return foreseen(self.graph, self.of, keys, self.lines)

    @cached_property
    def collisions(self) -> Collisions:
        """Mark's own table; where numbers are rounded, what lies within their rounding counts as the same."""
        return collisions(self.graph, self.of, self.lines, digits=self.digits, pages=self.seen.pages)

    # -- questions ---------------------------------------------------------------------------------------------

    def questions(self, kind: Kind) -> Iterator[Question]:
        """The questions of one kind."""
        match kind:
            case "values":
                yield from (self.asking(kind, about) for about in self.lines if isinstance(about, Value))
            case "derivatives":
                yield from (self.asking(kind, about) for about in self.lines if isinstance(about, Derivative))
            case "pairs":
                yield from self._pairs()
            case "path":
                yield from self._path()
            case "mistake":
                planted = self.planted
                if planted is not None:
                    about = planted.lines[planted.first].about
                    answer = self.answer(about)
                    yield Question(kind, about, answer, self._digits(answer))
            case "working":
                yield from self._gaps()

    def asking(
        self, kind: Kind, about: About, *, seen: Foreseen | None = None, reads: Reads | None = None,
        answer: Number | None = None, path: tuple[str, ...] = (), line: About | None = None, place: int = 0,
    ) -> Question:  # fmt: skip
        """One question, with what habits give there."""
        answer = self.answer(about) if answer is None else answer
        digits = self._digits(answer)
        tolerance = Fraction(0) if digits is None else Fraction(1, 10**digits)
        wrong = wrong_numbers(seen or self.seen, about, answer, tolerance, reads)
        return Question(kind, about, answer, digits, wrong, path, line, place)

    def answer(self, about: About) -> Number:
        """The right number, from the solution."""
        match about:
            case Value():
                value = self.solution.value(about.name)
            case Derivative() if about.of == self.of:
                value = self.solution.derivative(about.by)
            case Derivative():
                assert self.solution.pairs is not None
                value = self.solution.pairs[about.of][about.by]
            case Local():
                value = self.solution.propagation.local(about.child, about.parent)
        assert isinstance(value, (Fraction, float))
        return value

    def _digits(self, answer: Number) -> int | None:
        return self.digits if isinstance(answer, float) else None

    def _pairs(self) -> Iterator[Question]:
        """Every computed quantity by every unit that it depends on."""
        graph = self.graph
        for quantity in graph.quantities:
            if not quantity.computed:
                continue
            seen = self.seen if quantity.name == self.of else self.seen.other(quantity.name)
            for position in graph.upstream_of(quantity.name):
                by = graph.quantities[position]
                if by.place is not None and by.name != quantity.name:
                    yield self.asking("pairs", Derivative(quantity.name, by.name), seen=seen)

    def _path(self) -> Iterator[Question]:
        """The product along one way: of the longest from the first input the one that is drawn last."""
        way = longest_way(self.graph, self.of)
        if len(way) < 3:
            return
        index = self.seen.sheet.index
        steps = [(index[child], index[parent]) for parent, child in pairwise(way)]

        def along(page: Page) -> Amount | None:
            product: Amount = 1
            for child, parent in steps:
                local = local_of(page, child, parent)
                if local is None:
                    return None
                product = product * local
            return product

        answer = along(self.seen.truth)
        assert answer is not None
        yield self.asking("path", Derivative(self.of, way[0]), reads=along, answer=exact(answer), path=way)

    def _gaps(self) -> Iterator[Question]:
        """Gaps in the lines of the chain rule: in every summand one factor, and the result."""
        for about in self.lines:
            if not isinstance(about, Derivative):
                continue
            step = self.solution.gather_step(about.by)
            if all(way.child == self.of for way in step.ways):
                continue  # the first line back has nothing to multiply
            for place, way in enumerate(step.ways):
                gap = Local(way.child, about.by) if place % 2 == 0 else Derivative(self.of, way.child)
                yield self.asking("working", gap, line=about, place=place)
            yield self.asking("working", about, line=about, place=len(step.ways))

    # -- a page with a mistake in it -----------------------------------------------------------------------------

    @cached_property
    def planted(self) -> Planted | None:
        """A page with the wanted habit in it, or with the likeliest of those that can be told."""
        if "mistake" not in self.asks:
            return None
        plain = [key for key in self.collisions.isolated if key in self.seen.pages]
        keys = [self.wanted] if self.wanted in self.seen.pages else sorted(plain, key=_likely)
        for key in keys:
            assert key is not None
            found = self._planted(key)
            if found is not None:
                return found
        return None

    def _planted(self, key: str) -> Planted | None:
        page, row = self.seen.pages[key], by_key()[key]
        claims = claims_of(page, self.lines, digits=self.digits)
        if len(claims) < len(self.lines):
            return None  # the habit gives no number somewhere: 1/0
        search = Search(self.graph, self.of, claims, Scheme())
        missed = search.null.misses
        if not missed:
            return None
        shown: list[Shown] = []
        for n, about in enumerate(self.lines):
            number = predicted(page, about)
            assert number is not None
            shown.append(Shown(about, exact(number), n not in search.untrue, n not in missed))
        first = min(missed)
        question = self.asking("mistake", self.lines[first])
        remark = next((w.remark for w in question.wrong if key in w.keys), row.remark)
        return Planted(key, row.id, row.title, remark, tuple(shown), first)


def refuse_arrays(graph: Graph) -> None:
    """Raises UsageError where a quantity is no single number."""
    arrays = [q.name for q in graph.quantities if q.shape or q.array is not None]
    if arrays:
        what = f"{arrays[0]} is an array, and exercises are set with single numbers."
        raise UsageError(what, graph[arrays[0]].span, cure="Write its elements as quantities of their own.")


def lines_of(graph: Graph, of: str, asks: Sequence[Kind], *, weights: bool) -> list[About]:
    """The values and derivatives an answer has, in the order of the working; the same for networks of one shape."""
    whole = asked(graph, of)
    found = [about for about in whole if whole.groups[about] in ("values", "derivatives")]
    if weights:
        names = order_of_working(graph, graph.upstream_of(of))
        found += [Derivative(of, name) for name in names if graph[name].kind in ("weight", "bias")]
    mine: list[About] = [about for about in found if not isinstance(about, Derivative) or about.of == of]
    kinds = {kind for kind in asks if kind in ("values", "derivatives")}
    if len(kinds) == 1:
        of_kind = Value if kinds == {"values"} else Derivative
        mine = [about for about in mine if isinstance(about, of_kind)]
    return list(dict.fromkeys(mine))


def _likely(key: str) -> tuple[float, str]:
    return by_key()[key].prior_bits, key


def longest_way(graph: Graph, of: str) -> tuple[str, ...]:
    """The longest way from the first input to the output; of several the one whose units are drawn last."""
    ways = ways_to(graph, of)
    start = next(
        (i for i, q in enumerate(graph.quantities) if q.place is not None and not q.computed and ways[i]), None
    )
    if start is None:
        return ()
    end = graph.index[of]
    length = {end: 0}
    for position in range(end - 1, start - 1, -1):
        after = [length[child] for child in graph.child_lists[position] if child in length]
        if after:
            length[position] = 1 + max(after)
    way = [start]
    while way[-1] != end:
        children = [c for c in graph.child_lists[way[-1]] if length.get(c, -1) == length[way[-1]] - 1]
        way.append(children[-1])
    return tuple(graph.quantities[position].name for position in way)


# -- how hard it is ------------------------------------------------------------------------------------------------


def difficulty(page: Page, *, weights: bool) -> Difficulty:
    """Measures of the whole working: all values, the derivatives by all units, and by weights where they are asked.

    Each product of it counts the digits of one factor times those of the other, unless a factor is 0, 1 or -1; each sum
    the digits of its largest term for every further one.
    """
    sheet = page.sheet
    if "route" not in sheet.memory:
        sheet.memory["route"] = _route(sheet)
    paths, depth = cast("tuple[int, int]", sheet.memory["route"])
    signs, load, largest = 0, 0, Fraction(0)
    for i in matter(sheet, weights=weights):
        back = [(page.back[way.child], page.slope[way.number]) for way in sheet.out[i]]
        numbers = [page.derivatives[i]]
        sums = [back] if i != sheet.end else []
        if sheet.quantities[i].computed:
            numbers.append(page.values[i])
            sums.append([(page.value[w.parent], page.slope[w.number]) for w in sheet.into[i] if sheet.units[w.parent]])
        largest = max(largest, *(Fraction(exact(abs(number))) for number in numbers))
        for products in sums:
            load += max((size(a * b) for a, b in products), default=0) * max(0, len(products) - 1)
            for a, b in products:
                signs += a < 0 or b < 0
                load += size(a) * size(b) if min(abs(a), abs(b)) not in (0, 1) else 0
    return Difficulty(paths, depth, signs, load, largest)


def matter(sheet: Sheet, *, weights: bool) -> list[int]:
    """The positions whose numbers matter: units that the output depends on, and weights where they are asked for."""
    kinds = ("weight", "bias") if weights else ()
    return [i for i in sorted(sheet.needed) if sheet.units[i] or sheet.quantities[i].kind in kinds]


def _route(sheet: Sheet) -> tuple[int, int]:
    """How many ways lead from inputs to the output, and how many steps the longest has."""
    ways = ways_to(sheet.graph, sheet.of)
    starts = [i for i in range(len(ways)) if sheet.units[i] and not sheet.quantities[i].computed and ways[i]]
    length = {sheet.end: 0}
    for i in range(sheet.end - 1, -1, -1):
        length[i] = 1 + max((length[c] for c in sheet.graph.child_lists[i] if c in length), default=-10_000)
    return sum(ways[i] for i in starts), max((length[i] for i in starts), default=0)


def size(number: Amount) -> int:
    """Digits one writes for a number, without sign and point; of a rounded one four."""
    if isinstance(number, float):
        return 4
    if isinstance(number, int):
        return len(str(abs(number)))
    return len(str(abs(number.numerator))) + len(str(number.denominator))
