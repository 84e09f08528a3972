"""Recipes: a network, which numbers may be drawn for it, how large the results may be, and what is asked.

People write them as TOML files (`readers.recipe`, every key in docs/recipes.md); `setting/recipes` has ten. A network
by itself is a recipe too: `of_graph` keeps its shape and draws numbers of the kind it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from backhand.core.formula import Apply, Num, postorder
from backhand.core.graph import Graph
from backhand.errors import UsageError
from backhand.marking.replay import RIGHT, run
from backhand.marking.sheet import exact, sheet_of
from backhand.numbers import terminating
from backhand.setting.exercise import Kind
from backhand.setting.making import DIGITS, USUAL, digest, refuse_arrays

RATIONAL = frozenset("+ - * / neg ^ relu leaky_relu abs max min step".split())
"""Operations that take fractions to fractions."""

CHOICES = 2_001
"""Numbers of one range."""


@dataclass(frozen=True, slots=True)
class Range:
    """The numbers one quantity is drawn from, each equally likely."""

    numbers: tuple[Fraction, ...]

    @staticmethod
    def between(low: Fraction, high: Fraction, step: Fraction, avoid: Sequence[Fraction | int] = (0,)) -> Range:
        """All multiples of a step from low to high, without those to be avoided.

        >>> [str(number) for number in Range.between(Fraction(-1), Fraction(1), Fraction(1, 2)).numbers]
        ['-1', '-1/2', '1/2', '1']
        """
        first, last = -(-low // step), high // step
        return Range(tuple(k * step for k in range(int(first), int(last) + 1) if k * step not in avoid))

    def __str__(self) -> str:
        first, last = self.numbers[0], self.numbers[-1]
        return f"{first} to {last}" if len(self.numbers) > 1 else str(first)


@dataclass(frozen=True, slots=True)
class Results:
    """How friendly results must be.

    `largest` of all numbers of the working, without sign · `decimals` an exact one may have · `fractions`: the largest
    denominator of one that never ends · `exact`: whether nothing may be rounded
    """

    largest: Fraction
    decimals: int
    fractions: int
    exact: bool


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """`ranges` by the names of the quantities that are drawn; the others keep the numbers they have in `graph`.
    `spread` is how far the work in a variant may be from that in the middle one, as a share of it."""

    name: str
    text: str
    title: str
    graph: Graph
    of: str
    kinds: tuple[Kind, ...]
    ranges: Mapping[str, Range]
    results: Results
    words: str = ""
    weights: bool = False
    digits: int = DIGITS
    spread: Fraction = Fraction(1, 4)

    @property
    def digest(self) -> str:
        return digest(self.text)


def of_graph(
    graph: Graph,
    *,
    of: str | None = None,
    name: str = "network",
    text: str | None = None,
    title: str = "",
    kinds: Sequence[Kind] = USUAL,
    weights: bool = False,
    digits: int = DIGITS,
) -> Recipe:
    """The recipe that a network is by itself: the same shape, new numbers of the kind it has."""
    refuse_arrays(graph)
    output = graph.output(of)[0]
    ranges = {q.name: usual(graph, q.kind) for q in graph.quantities if not q.computed and q.kind != "constant"}
    needed = set(graph.upstream_of(output))
    ranges = {one: ranges[one] for one in ranges if graph.index[one] in needed and not _starts_at_nought(graph, one)}
    return Recipe(
        name=name,
        text=str(graph) if text is None else text,
        title=title or f"Derivatives of {output}",
        graph=graph,
        of=output,
        kinds=tuple(kinds),
        ranges=ranges,
        results=usual_results(graph, output),
        weights=weights,
        digits=digits,
    )


def _starts_at_nought(graph: Graph, name: str) -> bool:
    """An input that is 0, such as the first state of a recurrent unit, stays 0."""
    return graph[name].kind == "input" and graph[name].given == 0


def usual(graph: Graph, kind: str) -> Range:
    """What a kind of quantity is drawn from, if nobody says: whole numbers from -3 to 3, targets from -9 to 9; or,
    where the network has other numbers of this kind, as large and with as many decimals as those, negative if some
    are."""
    known = [Fraction(q.given) for q in graph.quantities if q.kind == kind and q.given is not None]
    places = max((terminating(number) or 0 for number in known), default=0)
    step = Fraction(1, 10**places)
    most = max((abs(number) for number in known), default=Fraction(0))
    if places == 0:
        most = max(most, Fraction(9 if kind == "target" else 3))
        return Range.between(-most, most, step)
    most = max(most, 5 * step)
    low = -most if any(number < 0 for number in known) else step
    while (most - low) / step > CHOICES // 10:
        step *= 10
    return Range.between(low, most, step)


def usual_results(graph: Graph, of: str) -> Results:
    """What results may be, if nobody says: at most two digits, or as large as those of the network itself; exact, with
    as many decimals as there, where its operations allow it."""
    rational = all(
        node.operation.name in RATIONAL and (node.operation.name != "^" or isinstance(node.args[1], Num))
        for q in graph.quantities
        if q.computed and q.definition is not None
        for node in postorder(q.definition)
        if isinstance(node, Apply)
    )
    if any(q.symbolic for q in graph.quantities):
        return Results(Fraction(99), 0 if rational else DIGITS, 1, rational)
    page = run(sheet_of(graph, of), RIGHT)
    units = [number for i, number in page.derivatives.items() if page.sheet.units[i]]
    found = [Fraction(exact(n)) for n in (*page.values, *units) if n == n and abs(n) != float("inf")]
    ends = [terminating(number) for number in found] if rational else []
    most = max((abs(number) for number in found), default=Fraction(1))
    largest = Fraction(99) if most <= 99 else Fraction(10 ** len(str(int(most))) - 1)
    decimals = max((places for places in ends if places is not None), default=0) if rational else DIGITS
    never = [number.denominator for number, places in zip(found, ends, strict=False) if places is None]
    return Results(largest, decimals, max(never, default=1), rational)


def drawable(ranges: Mapping[str, Range]) -> None:
    """Raises UsageError where nothing can be drawn."""
    if not any(len(one.numbers) > 1 for one in ranges.values()):
        raise UsageError(
            "No number of this network can vary, so there is only one exercise.",
            cure="Give some inputs, weights or targets a range, or leave -n out.",
        )
