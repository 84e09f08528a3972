"""A network as it stands to an Exercise: questions, answers, wrong answers, what can be told apart, how hard it is.

Everything in an Exercise but its origin is worked out from the network and what is asked; so an exercise that is read
back can be made once more and compared (`check`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version
from itertools import pairwise

from backhand.core.graph import Graph
from backhand.core.paths import ways_to
from backhand.errors import UsageError
from backhand.marking.about import About, Derivative, Local, Value
from backhand.marking.credit import asked
from backhand.marking.diagnose import Collisions, Scheme, Search, claims_of, collisions
from backhand.marking.misconceptions import by_key
from backhand.marking.replay import Page, local_of, predicted
from backhand.marking.sheet import Amount, exact
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
from backhand.solving.solution import Solution
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
            difficulty=difficulty(self.solution, self.lines),
            origin=origin or Origin("network", digest(text), None, version("backhand")),
            planted=self.planted,
            aim=self.aim,
        )

    # -- worked out once --------------------------------------------------------------------------------------

    @cached_property
    def lines(self) -> list[About]:
        """The values and derivatives an answer has, in the order of the working."""
        whole = asked(self.graph, self.of)
        wanted = {"values", "derivatives", *(("weights",) if self.weights else ())}
        found = [about for about in whole if whole.groups[about] in wanted]
        if self.weights and not any(whole.groups[about] == "weights" for about in whole):
            found += [Derivative(self.of, name) for name in self.solution.wrt if self._is_weight(name)]
        mine: list[About] = [about for about in found if self._answered(about)]
        kinds = {kind for kind in self.asks if kind in ("values", "derivatives")}
        if len(kinds) == 1:
            of_kind = Value if kinds == {"values"} else Derivative
            mine = [about for about in mine if isinstance(about, of_kind)]
        return mine

    def _is_weight(self, name: str) -> bool:
        return self.graph[name].kind in ("weight", "bias")

    def _answered(self, about: About) -> bool:
        return not isinstance(about, Derivative) or about.of == self.of

    @cached_property
    def absent(self) -> tuple[str, ...]:
        return absent(self.graph, self.of, self.lines)

    @cached_property
    def seen(self) -> Foreseen:
        keys = [key for key, row in by_key().items() if row.sort == "habit" and key not in self.absent]
        return foreseen(self.graph, self.of, keys)

    @cached_property
    def collisions(self) -> Collisions:
        """Mark's own table; where numbers are rounded, what lies within their rounding counts as the same."""
        return collisions(self.graph, self.of, self.lines, digits=self.digits)

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


def difficulty(solution: Solution, lines: Sequence[About]) -> Difficulty:
    """Measures of the whole working: see `Difficulty`."""
    graph, of = solution.graph, solution.of
    ways = ways_to(graph, of)
    paths = sum(ways[i] for i, q in enumerate(graph.quantities[: len(ways)]) if q.place is not None and not q.computed)
    layers = [q.place.layer for q in graph.quantities if q.place is not None]
    first = min((q.place.layer for q in graph.quantities if q.place is not None and not q.computed), default=0)
    signs, load, largest = 0, 0, Fraction(0)
    for products in _sums_of(solution, lines):
        for left, right in products:
            signs += left < 0 or right < 0
            load += size(left) * size(right) if min(abs(left), abs(right)) not in (0, 1) else 0
        load += max((size(left * right) for left, right in products), default=0) * (len(products) - 1)
    for about in lines:
        number = solution.value(about.name) if isinstance(about, Value) else solution.derivative(str(about[1]))
        if isinstance(number, (Fraction, float)):
            largest = max(largest, abs(Fraction(number)))
    return Difficulty(paths, max(layers, default=0) - first, signs, load, largest)


def _sums_of(solution: Solution, lines: Sequence[About]) -> Iterator[list[tuple[Number, Number]]]:
    """The sums of products of the working: forward the value of each name times its slope, backward the chain rule."""
    for about in lines:
        found: list[tuple[object, object]] = []
        if isinstance(about, Value):
            for parent in solution.graph.parents(about.name):
                if solution.graph[parent].place is not None:
                    found.append((solution.value(parent), solution.propagation.local(about.name, parent)))
        elif isinstance(about, Derivative) and about.by != solution.of:
            found = [(way.upstream, way.local) for way in solution.gather_step(about.by).ways]
        yield [(a, b) for a, b in found if isinstance(a, (Fraction, float)) and isinstance(b, (Fraction, float))]


def size(number: Number) -> int:
    """Digits one writes for a number, without sign and point; of a rounded one four."""
    if isinstance(number, float):
        return 4
    return len(str(abs(number.numerator))) + (len(str(number.denominator)) if number.denominator != 1 else 0)
