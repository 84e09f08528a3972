r"""Marking of pages about arrays: `dL/dW_1 = \delta_1 x^T = [[..]]`, `dW2 = h.T @ dz2`, elements, printed matrices.

Each link of a chain is worked out with the network's numbers and, where it is a rule, with other numbers of the same
shapes. A link is right if it is what it says it is; numbers follow if they come out of the writer's own earlier arrays
by the right rule. An array in numbers is judged element by element, because one element may be right where another is
not. Where it is the right answer transposed, with the other sign or times a number, the remark says so.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import Any, Literal, TypeAlias

import numpy as np

from backhand.checking.replay import IMPOSSIBLE, RIGHT, Trial, WayBack
from backhand.core.arithmetic import NoValue
from backhand.core.array_operations import STACK, TRANSPOSE
from backhand.core.array_passes import element_name
from backhand.core.formula import Apply, Formula, Num, Ref, Slope, apply, fold, postorder, with_args
from backhand.core.graph import Graph
from backhand.core.operations import MULTIPLY, NEGATE
from backhand.marking.about import About, Derivative, Local, Value
from backhand.marking.align import Names
from backhand.marking.array_diagnose import MOST_ELEMENTS, Heard, Rule, carried, diagnosed
from backhand.marking.array_forward import forward
from backhand.marking.array_indices import Indexed, has_indices, letters_of, worked_out_by_indices
from backhand.marking.array_shapes import ShapeClaimed, claimed
from backhand.marking.array_worlds import TRANSPOSED, TURNS, Array, Unknown, World, elsewhere, fits, here, worked_out
from backhand.marking.credit import Policy, asked, credit
from backhand.marking.diagnose import Diagnosis
from backhand.marking.marking import FirstWrong, Judged, Judgement, Kind, Marking, Method, Remark, Verdict
from backhand.marking.misconceptions import by_key
from backhand.marking.work import ArrayWritten, Chain, Line, Piece, Work
from backhand.marking.worlds import agrees
from backhand.numbers import show
from backhand.solving.solve import solve
from backhand.text import Span

ELEMENT = re.compile(r"(.+?)\[([0-9,]+)\]")
SUBSCRIPT = re.compile(r"(.+?)_\{?([0-9](?:,?[0-9])*)\}?")
MASKED = re.compile(r"([^\W\d]\w*)\[\s*([^\W\d]\w*)\s*<=?\s*0(?:\.0*)?\s*\]\s*=")
"""`dh[h <= 0] = 0` in code: what comes back stops where relu was closed."""
ONE_OVER = re.compile(
    r"1\s*/\s*[mnN]\b|\\d?frac\s*\{?1\}?\s*\{?\s*[mnN]\b|/\s*[mnN]\b|1\s*/\s*\d|\\d?frac\{?1\}?\{?\d|mean\("
)
"""A page on which the 1/m of a mean may stand with the weights."""
SIZE = re.compile(r"(.+)\u01c0(?:shape\u01c0(\d)|len)")
"""`X.shape[0]` and `len(X)`, as the reader writes them."""
EXAMPLES = frozenset(("N", "n", "m", "B", "batch_size", "num_examples", "n_samples"))
"""What people call the number of examples."""
DIGITS = re.compile(r"(?:\d+\.?\d*|(?<![\d.])\.\d+)(?:[eE][-+]?\d+)?")
PILED_UP = "Each row has the rows above it in it. Set the derivatives to zero before each output."
LAYER = re.compile(r"\^[(\[](\w+)[)\]]")
SHOWN = 64
"""Elements of an array that are judged one by one."""
CLOSE = 1e-9
LEFT_OVER = 1e-13
"""What machines leave of a 0 beside numbers of the size of 1: 1.1e-16."""
NOTHING = 1e-9
"""What is left of a 0 where numbers are rounded by a machine."""
MOST_UNITS = 5.0
"""Units of the last decimal up to which a number that was rounded on the way is right."""
SHAKES = 6
"""Times that numbers are rounded up and down by chance, to see how far off that brings what is made of them."""
FOLLOWING_UNITS = 60.0
"""Up to which it follows, where rounding makes as much of what it is made of."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name on the page means: the value of a quantity or of one of its elements (of ""), or the derivative of
    `of` by it; transposed or not."""

    name: str
    of: str = ""
    place: tuple[int, ...] = ()
    turned: bool = False


def mark_arrays(work: Work, graph: Graph, *, of: str | None, policy: Policy | None, title: str) -> Marking:
    """As `marking.mark.mark`, for a network with arrays."""
    solution = solve(graph, of=of, title=title)
    pages = work.about_arrays() if work.about_arrays is not None else work
    judge, shapes, claims = _in_its_convention(pages, solution.graph, solution.of)
    heard, values = judge.heard(claims), judge.heard_values(claims)
    ahead = forward(judge.truth, judge.others, values, judge.own_values)
    explained = {about for diagnosis in ahead for about in diagnosis.about}
    strange = sum(one.wrong and Value(one.name) not in explained for one in values.values())
    diagnoses = (
        *ahead,
        *diagnosed(judge.truth, judge.others, heard, judge.own_values, max(0, strange - 1)),
        *_not_reset(claims),
    )
    shown = replace(_as_seen(pages), decisions=work.decisions or pages.decisions)
    seen = {_place(piece): piece for line in shown.lines for chain in line.chains for piece in chain.pieces}
    for claim in claims:
        claim.links = [replace(link, piece=seen.get(_place(link.piece), link.piece)) for link in claim.links]
        if claim.number is not None:
            claim.number = seen.get(_place(claim.number), claim.number)
    judgements = [one for claim in claims for one in claim.judgements()]
    judgements += [judge.about_shape(one) for one in shapes]
    whole = [claim.whole() for claim in claims]
    order = {source.name: at for at, source in enumerate(pages.sources)}
    wrong = [
        FirstWrong(claim.first_wrong_name or claim.label, link.piece.span)
        for claim in claims
        for link in claim.links
        if link.verdict == "wrong"
    ]
    wrong += [FirstWrong(one.name, one.span) for one in shapes if not one.right]
    first = min(wrong, key=lambda one: (order.get(one.span.source.name, 0), one.span.start), default=None)
    judgements.sort(key=lambda one: (order.get(one.span.source.name, 0), one.span.start) if one.span else (0, 0))
    expected = asked(solution.graph, solution.of)
    marks = credit(whole, expected, policy)
    there = {str(claim.about) for claim in claims if claim.about is not None} | {claim.whole_name for claim in claims}
    judgements += [
        Judgement(about, "value" if isinstance(about, Value) else "total", "missing")
        for about in expected
        if str(about) not in there
    ]
    judgements = [_with_causes(judgement, diagnoses) for judgement in judgements]
    return Marking(shown, solution, tuple(judgements), first, diagnoses, marks, title)


def _in_its_convention(pages: Work, graph: Graph, of: str) -> tuple[_Judge, list[ShapeClaimed], list[_Claim]]:
    """The claims of a page, judged as its writer understands derivatives.

    That is as everywhere here, unless something is wrong so and another convention accounts for it: derivatives of a
    batch without the 1/m of the loss, which stands with the weights (dZ = A - Y, dW = 1/m dZ A^T); or derivatives by
    vectors as rows and those by matrices turned (numerator layout)."""
    plain = _judged(pages, graph, of, "plain")
    wrong = [claim for claim in plain[2] if claim.verdict == "wrong"]
    if not wrong:
        return plain
    for convention in plain[0].other_conventions(pages):
        other = _judged(pages, graph, of, convention)
        left = sum(claim.verdict == "wrong" for claim in other[2])
        if left * 2 <= len(wrong) and _speaks_for(convention, plain[2], other[2], plain[0]):
            return other
    return plain


def _judged(
    pages: Work, graph: Graph, of: str, convention: Convention
) -> tuple[_Judge, list[ShapeClaimed], list[_Claim]]:
    judge = _Judge(graph, of, pages.literals, convention)
    shapes = [*claimed(pages, judge.shape_of)]
    judge.aside = tuple(one.span for one in shapes)
    return judge, shapes, [*judge.claims(pages)]


def _speaks_for(convention: Convention, plain: list[_Claim], other: list[_Claim], judge: _Judge) -> bool:
    """Whether what distinguishes a convention is right in it wherever it shows, and goes with something else: the 1/m
    with a weight, turned derivatives by two matrices. Who goes wrong has some of it right as it is elsewhere."""
    won: list[_Claim] = []
    for before, after in zip(plain, other, strict=True):
        if after.meaning is None or before.verdict == after.verdict or not judge.is_told_by(convention, after.meaning):
            continue
        if before.verdict == "right":
            return False
        if after.verdict == "right":
            won.append(after)
    if convention == "numerator":
        enough = 0 if judge.says_numerator else 1
        return len(won) > enough and any(claim.method == "right" for claim in won)
    weights = [c for c in other if c.meaning is not None and c.meaning.of and judge.is_parameter(c.meaning)]
    return bool(won) and any(claim.verdict == "right" for claim in weights)


def _not_reset(claims: Sequence[_Claim]) -> Iterator[Diagnosis]:
    """Jacobians whose rows each have the rows above in them."""
    found = [claim for claim in claims if any(remark.key == "not-reset" for remark in claim.remarks) and claim.about]
    if found:
        row = by_key()["not-reset-between-outputs"]
        lines = tuple(claim.span.line for claim in found)
        count = f"{len(lines)} line{'' if len(lines) == 1 else 's'}"
        yield Diagnosis(
            (row.key,), (row.id,), row.title, tuple(claim.about for claim in found if claim.about), lines,
            len(found), 0, 0.0, f"{count}, 1 habit: {row.title}", PILED_UP,
        )  # fmt: skip


def _with_causes(judgement: Judgement, diagnoses: Sequence[Diagnosis]) -> Judgement:
    if judgement.verdict != "wrong" or judgement.about is None:
        return judgement
    about = _whole(judgement.about)
    causes = tuple(key for diagnosis in diagnoses if about in diagnosis.about for key in diagnosis.keys)
    return replace(judgement, causes=causes) if causes else judgement


Convention: TypeAlias = Literal["plain", "each example", "numerator"]
"""How derivatives are understood: as everywhere; of a batch without the 1/m of its mean; in numerator layout."""


@dataclass(slots=True, eq=False)
class _Claim:
    """A claim about an array, one of its elements, or a single number."""

    about: About | None
    label: str
    kind: Kind
    meaning: Meaning | None
    chains: list[Chain] = field(default_factory=list[Chain])
    links: list[Judged] = field(default_factory=list[Judged])
    remarks: list[Remark] = field(default_factory=list[Remark])
    said: Array | None = None
    number: Piece | None = None
    truth: Array | None = None
    own: Array | None = None
    rules: list[tuple[Formula, bool, str]] = field(default_factory=list[tuple[Formula, bool, str]])
    """Its formulas of names, whether they are right, and which row of mistakes a turned factor would mend."""
    elements: Array | None = None
    """For an array in numbers, whether each element is right (2), follows (1) or is wrong (0)."""

    @property
    def verdict(self) -> Verdict:
        verdicts = {link.verdict for link in self.links}
        if "wrong" in verdicts:
            return "wrong"
        if not verdicts or verdicts == {"unclear"}:
            return "unclear"
        if self.elements is not None:
            worst = int(self.elements.min())
            return ("wrong", "follows", "right")[worst]  # type: ignore[return-value]
        return "follows" if "follows" in verdicts else "right"

    @property
    def method(self) -> Method:
        rules = [link for link in self.links if link.piece is not self.number]
        if not rules or all(link.verdict == "unclear" for link in rules):
            return "none"
        return "wrong" if any(link.verdict == "wrong" for link in rules) else "right"

    @property
    def span(self) -> Span:
        return self.number.span if self.number is not None else self.links[-1].piece.span

    @property
    def whole_name(self) -> str:
        """The name of the array that an element is of."""
        return str(_whole(self.about)) if self.about is not None else ""

    @property
    def first_wrong_name(self) -> str:
        if self.about is None:
            return ""
        first = next(link for link in self.links if link.verdict == "wrong")
        if first.piece is self.number and self.elements is not None and self.elements.ndim and not self.elements.all():
            place = tuple(int(n) for n in np.argwhere(self.elements == 0)[0])
            return str(_element(self.about, place))
        return str(self.about)

    def whole(self) -> Judgement:
        """One judgement about all of it, for the points."""
        said = "" if self.said is None else "array" if self.said.ndim else _said(self.said)
        about = _whole(self.about) if self.about is not None else None
        return Judgement(about, self.kind, self.verdict, self.span, said, links=tuple(self.links), method=self.method,
                         remarks=tuple(self.remarks), chains=tuple(self.chains), label=self.label)  # fmt: skip

    def judgements(self) -> Iterator[Judgement]:
        """One for each element of an array in numbers; else one."""
        links, chains, remarks = tuple(self.links), tuple(self.chains), tuple(self.remarks)
        split = self.elements is not None and self.said is not None and self.elements.ndim > 0
        if not split or self.about is None or self.elements is None or self.elements.size > SHOWN:
            number = self.said if self.said is not None and not self.said.ndim else None
            yield Judgement(
                self.about, self.kind, self.verdict, self.span, "" if self.number is None else self.number.text,
                _number(number), _number(self.truth), _number(self.own), links, self.method, (), (), remarks, chains,
                label=self.label,
            )  # fmt: skip
            return
        assert self.said is not None
        rules = "wrong" if self.method == "wrong" else ""
        worst = int(self.elements.argmin())
        for count, place in enumerate(np.ndindex(self.elements.shape)):
            verdict: Verdict = ("wrong", "follows", "right")[int(self.elements[place])]  # type: ignore[assignment]
            if rules:
                verdict = "wrong"  # the written line decides before its numbers
            yield Judgement(
                _element(self.about, place), self.kind, verdict, self.span, show(_fraction(self.said[place])).text,
                _number(self.said[place]), _number(None if self.truth is None else self.truth[place]),
                _number(None if self.own is None else self.own[place]), links, self.method, (), (),
                remarks if count == worst else (), chains, label=self.label, whole=self.about,
            )  # fmt: skip


def _whole(about: About) -> About:
    match about:
        case Value(name):
            return Value(_base(name))
        case Derivative(of, by):
            return Derivative(of, _base(by))
        case Local(child, parent):
            return Local(_base(child), _base(parent))


def _base(name: str) -> str:
    match = ELEMENT.fullmatch(name)
    return match[1] if match else name


def _element(about: About, place: Sequence[int]) -> About:
    match about:
        case Value(name):
            return Value(element_name(name, place))
        case Derivative(of, by):
            return Derivative(of, element_name(by, place))
        case Local():
            return about


def _fraction(number: Any) -> Fraction:
    return Fraction(float(number)).limit_denominator(10**9)


def _number(value: Any) -> Fraction | float | None:
    if value is None or getattr(value, "ndim", 0):
        return None
    if not math.isfinite(value):
        return float(value)
    exact = _fraction(value)
    return exact if abs(exact - Fraction(float(value))) <= 1e-13 * max(1, abs(exact)) else float(value)


def _said(value: Array) -> str:
    return show(_fraction(value)).text


class _Judge:
    """Judges the chains of a page in their order, and keeps what the writer has."""

    def __init__(self, graph: Graph, of: str, literals: Any, convention: Convention = "plain") -> None:
        self.graph = graph
        self.convention = convention
        self.says_numerator = False
        self.of = of
        self.literals: dict[str, ArrayWritten] = dict(literals)
        self.names = Names(graph, of)
        self.truth = here(graph, of)
        self.others = [world for seed in (1, 2, 3) if (world := elsewhere(graph, of, seed)) is not None][:2]
        self.drawn: dict[int, World | None] = {}
        self.own_values: dict[str, Array] = {}
        self.own_slopes: dict[str, Array] = {}
        self.own_formulas: dict[str, Formula] = {}
        self.own_numbers: dict[str, Array] = {}
        self.usual = 0
        """The decimals that most of the page's numbers have, where that is three and more; 0 is written for less."""
        self.shaking: Any = None
        """While it is tried what rounding does: where chance comes from, for numbers that are not on the page."""
        self.letters: dict[int, str] = {}
        """The indices of what a formula is about, by the formula."""
        self.rounding: dict[tuple[str, str], float] = {}
        """Half a unit of the last decimal of own numbers that show some, by what they are of and by."""
        self.meanings: dict[str, Meaning | None] = {}
        self.first = 1
        """What the page calls the first element of an array in subscripts: W_{11}, or W_{00} as in code."""
        self.aside: tuple[Span, ...] = ()
        """Where something else than an equation stands: claims of shapes."""
        small = sum(int(np.prod(q.shape, dtype=int)) for q in graph.quantities) <= MOST_ELEMENTS
        self.way = WayBack(graph, of) if small and not graph[of].shape else None

    # -- conventions --------------------------------------------------------------------------------------------

    def other_conventions(self, pages: Work) -> Iterator[Convention]:
        """The conventions that a page may follow, by its network."""
        text = "\n".join(source.text for source in pages.sources)
        if self._examples() > 1 and ONE_OVER.search(text):
            yield "each example"
        self.says_numerator = re.search(r"(?i)numerator\W+layout|zähler-?layout", text) is not None
        if any(len(q.shape) == 1 for q in self.graph.quantities) and not self._examples():
            yield "numerator"

    def is_parameter(self, meaning: Meaning) -> bool:
        return self.graph[meaning.name].kind in ("weight", "bias")

    def is_told_by(self, convention: Convention, meaning: Meaning) -> bool:
        """Whether a derivative is another in a convention than elsewhere."""
        if meaning.of != self.of or meaning.name == self.of:
            return False
        if convention == "each example":
            return not self.is_parameter(meaning)
        return len(self.graph[meaning.name].shape) == 2 and not meaning.place

    def _scale(self, meaning: Meaning) -> float:
        """What a derivative of the page is of the one here."""
        each = self.convention == "each example" and self.is_told_by(self.convention, meaning)
        return float(self._examples()) if each else 1.0

    def _is_slope(self, node: Ref | Slope) -> bool:
        if isinstance(node, Slope):
            return True
        meaning = self.meaning(node.name)
        return meaning is not None and bool(meaning.of)

    def _indexed(self, node: Ref | Slope, world: World) -> Indexed | None:
        """A name with letters below, as an array with an axis for each; a single number has none."""
        plain = self.meaning(node.name) if isinstance(node, Ref) else self.slope_meaning(node.of, node.by)
        if plain is not None:
            value = self.value_of(plain, world)
            return Indexed("", value) if value is not None and not value.ndim else None
        found = letters_of(node.name if isinstance(node, Ref) else node.by)
        if found is None:
            return None
        whole = replace(node, name=found[0]) if isinstance(node, Ref) else replace(node, by=found[0])
        value = self.leaf(whole, world)
        return Indexed(found[1], value) if value is not None and value.ndim == len(found[1]) else None

    def _by_indices(self, formula: Formula, world: World) -> list[Array] | None:
        """What a formula with indices is worth; None if it has none."""

        def leaf(node: Ref | Slope) -> Indexed | None:
            return self._indexed(node, world)

        if not has_indices(formula, leaf):
            return None
        try:
            with np.errstate(all="ignore"):
                return [worked_out_by_indices(formula, self.letters.get(id(formula), ""), leaf)]
        except (NoValue, ValueError, ArithmeticError):
            return []

    def _worked_out(self, formula: Formula, world: World) -> list[Array]:
        """What a formula of the page is worth, in the manners of its convention."""
        made = self._by_indices(formula, world)
        if made is not None:
            return made
        if self.convention == "numerator":
            return worked_out(formula, world, self.leaf, ("numerator",), self._is_slope)
        return worked_out(formula, world, self.leaf)

    # -- names --------------------------------------------------------------------------------------------------

    def meaning(self, name: str) -> Meaning | None:
        """What a name means, or None."""
        if name not in self.meanings:
            self.meanings[name] = self._meaning(name)
        return self.meanings[name]

    def _meaning(self, name: str) -> Meaning | None:
        for spelled in dict.fromkeys((name, LAYER.sub(r"\1", name), LAYER.sub(r"_\1", name))):
            found = self._plain(spelled)
            if found is not None:
                return found
        turned = TRANSPOSED.fullmatch(name)
        if turned is not None:
            found = self.meaning(turned[1])
            return replace(found, turned=not found.turned) if found is not None else None
        return None

    def _plain(self, name: str) -> Meaning | None:
        element = ELEMENT.fullmatch(name)
        if element is not None and name not in self.graph:
            found = self.meaning(element[1])
            return self._element_of(found, [int(n) for n in element[2].split(",") if n], turned=True)
        meant = self.names.meant(name)
        if isinstance(meant, Ref):
            return Meaning(meant.name)
        if isinstance(meant, Slope):
            return Meaning(meant.by, meant.of)
        subscript = SUBSCRIPT.fullmatch(name)
        if subscript is not None:
            found = self.meaning(subscript[1])
            apart = "," in subscript[2]
            digits = subscript[2].split(",") if apart else list(subscript[2])
            return self._element_of(found, [int(n) - self.first for n in digits], turned=apart)
        return None

    def _element_of(self, whole: Meaning | None, place: Sequence[int], *, turned: bool = False) -> Meaning | None:
        """An element of an array, if it has one there. A vector may be `turned`: written as a row or as a column."""
        if whole is None:
            return None
        shape = self.graph[whole.name].shape
        if turned and len(place) == 2 and len(shape) == 1 and min(place) == 0:
            place = (max(place),)
        inside = len(place) == len(shape) > 0 and all(0 <= n < size for n, size in zip(place, shape, strict=True))
        return replace(whole, place=tuple(place)) if inside else None

    def slope_meaning(self, of: str, by: str) -> Meaning | None:
        """The derivative two written names mean."""
        above = self.meaning(of) if of else Meaning(self.of)
        below = self.meaning(by)
        if above is None or below is None or above.of or below.of or above.turned:
            return None
        return Meaning(below.name, element_name(above.name, above.place), below.place, below.turned)

    def value_of(self, meaning: Meaning, world: World) -> Array | None:
        """What it is worth in a world."""
        if not meaning.of:
            value = world.value(meaning.name)
        elif meaning.of == self.of:
            value = world.slope(meaning.name) * self._scale(meaning)
            if self.convention == "numerator" and value.ndim == 2 and not meaning.place:
                value = value.T
        else:
            found = self._jacobian(meaning, world)
            if found is None:
                return None
            value = found
        value = value[meaning.place] if meaning.place else value
        value = np.asarray(value)
        return value.T if meaning.turned else value

    def _jacobian(self, meaning: Meaning, world: World) -> Array | None:
        """dz/dx, of vectors and single numbers: a matrix; of what goes element by element the diagonal of it."""
        match = ELEMENT.fullmatch(meaning.of)
        of, place = (match[1], tuple(int(n) for n in match[2].split(","))) if match else (meaning.of, ())
        if of not in self.graph or not self.graph[of].computed:
            return None
        shape, by = self.graph[of].shape, self.graph[meaning.name].shape
        if np.prod(shape, dtype=int) * np.prod(by, dtype=int) > 4096:
            return None
        jacobian = world.jacobian(of, meaning.name)
        if place:
            return jacobian[place]
        if shape == by and shape:
            flat = jacobian.reshape(int(np.prod(shape)), -1)
            diagonal = np.diagonal(flat)
            if np.allclose(flat, np.diag(diagonal)):
                return diagonal.reshape(shape)
        return jacobian

    def leaf(self, node: Ref | Slope, world: World) -> Array | None:
        """What a name or a derivative on the page is worth."""
        if isinstance(node, Slope):
            meaning = self.slope_meaning(node.of, node.by)
            return None if meaning is None else self.value_of(meaning, world)
        turned = TRANSPOSED.fullmatch(node.name)
        base = turned[1] if turned is not None else node.name
        written = self.literals.get(base)
        if written is not None:
            value = numbers_of(written)
            if self.shaking is not None and written.decimals and written.places:
                unit = 10.0 ** -np.asarray(written.places, float).reshape(value.shape)
                value = value + 0.5 * unit * self.shaking.choice((-1.0, 1.0), value.shape)
            return value.T if turned is not None else value
        size = SIZE.fullmatch(node.name)
        if size is not None:
            shape = self.shape_of(size[1])
            axis = int(size[2] or 0)
            return np.asarray(float(shape[axis])) if shape is not None and axis < len(shape) else None
        meaning = self.meaning(node.name)
        if meaning is not None:
            return self.value_of(meaning, world)
        if node.name in EXAMPLES and node.name not in self.own_formulas and node.name not in self.own_numbers:
            count = self._examples()
            return np.asarray(float(count)) if count else None
        if base in self.own_formulas:
            values = self._worked_out(self.own_formulas[base], world)
            if values:
                return values[0].T if turned is not None else values[0]
        if base in self.own_numbers:
            return self.own_numbers[base].T if turned is not None else self.own_numbers[base]
        return None

    def _examples(self) -> int:
        """How many examples there are: the rows of inputs and targets, or their columns where biases stand upright."""
        shapes = [q.shape for q in self.graph.quantities if q.kind in ("input", "target") and len(q.shape) > 1]
        biases = [q.shape for q in self.graph.quantities if q.kind == "bias" and len(q.shape) > 1]
        axis = 1 if biases and all(shape[1] == 1 for shape in biases) else 0
        sizes = {shape[axis] for shape in shapes}
        return sizes.pop() if len(sizes) == 1 else 0

    def shape_of(self, name: str) -> tuple[int, ...] | None:
        """The shape of what a name means; None where it means nothing."""
        above, slash, below = re.sub(r"\s|∂", lambda m: "d" if m[0] == "∂" else "", name).partition("/")
        meaning = self.slope_meaning(above[1:], below[1:]) if slash else self.meaning(name)
        if meaning is None or meaning.place or meaning.of not in ("", self.of):
            return None
        shape = self.graph[meaning.name].shape
        return shape[::-1] if meaning.turned else shape

    def about_shape(self, one: ShapeClaimed) -> Judgement:
        """The judgement of a shape that is claimed."""
        above, slash, below = one.name.replace("∂", "d").partition("/")
        meaning = None
        if one.name:
            meaning = self.slope_meaning(above[1:], below[1:]) if slash else self.meaning(one.name)
        about: About | None = None
        if meaning is not None:
            about = Derivative(meaning.of, meaning.name) if meaning.of else Value(meaning.name)
        verdict: Verdict = "right" if one.right else "wrong"
        piece = Piece("=", None, one.said, one.span)
        remarks = () if one.right else (Remark("shape", one.why, one.span, "Look at this shape again."),)
        return Judgement(
            about, "formula", verdict, one.span, one.said, links=(Judged(piece, verdict, one.why),), remarks=remarks,
            label=one.name,
        )  # fmt: skip

    # -- chains -------------------------------------------------------------------------------------------------

    def _counts_from_zero(self, work: Work) -> bool:
        """Whether a subscript on the page is 0 where an element is meant."""
        names: set[str] = set()
        for line in work.lines:
            for chain in line.chains:
                for piece in chain.pieces:
                    for node in postorder(piece.formula) if piece.formula is not None else ():
                        if isinstance(node, Ref):
                            names.add(node.name)
                        elif isinstance(node, Slope):
                            names |= {node.of, node.by}
        return any(self._has_zero(name) for name in names)

    def _usual_decimals(self, work: Work) -> int:
        shown: Counter[int] = Counter(one.decimals for one in self.literals.values() if one.decimals)
        for line in work.lines:
            shown.update(piece.digits for chain in line.chains for piece in chain.pieces if piece.digits)
        most = max(shown, key=lambda digits: (shown[digits], digits), default=0)
        return most if most >= 3 else 0

    def _has_zero(self, name: str) -> bool:
        found = SUBSCRIPT.fullmatch(name)
        if found is None or "0" not in found[2] or self.meaning(name) is not None:
            return False
        whole = self.meaning(found[1])
        apart = "," in found[2]
        digits = found[2].split(",") if apart else list(found[2])
        return "0" in digits and self._element_of(whole, [int(n) for n in digits], turned=apart) is not None

    def claims(self, work: Work) -> Iterator[_Claim]:
        """All claims of a page, judged."""
        if self._counts_from_zero(work):
            self.first = 0
            self.meanings.clear()
        self.usual = self._usual_decimals(work)
        last: _Claim | None = None
        for line in work.lines:
            for chain in line.chains:
                if chain.struck or any(_overlap(chain.span, span) for span in self.aside):
                    continue
                if chain.leads_on and last is not None:
                    before = len(last.links)
                    self._judge(last, chain, chain.pieces)
                    if len(last.links) > before:
                        last.chains.append(chain)
                    continue
                claim = self._subject(chain)
                if claim is None or self._masks(claim, chain):
                    continue
                claim.chains.append(chain)
                self._judge(claim, chain, chain.pieces[1:])
                if claim.links:
                    self._still_changed(claim, chain)
                    yield claim
                    last = claim

    def _still_changed(self, claim: _Claim, chain: Chain) -> None:
        """`dscores = probs`, and below it `dscores[range(n), y] -= 1`: what it is in the end is not said here."""
        if claim.said is not None or not any(link.verdict == "wrong" for link in claim.links):
            return
        first = chain.pieces[0].formula
        if not isinstance(first, Ref) or not re.fullmatch(r"[^\W\d]\w*", first.name):
            return
        text = chain.span.source.text
        name = re.escape(first.name)
        changed = re.compile(
            rf"(?:^|;)[ \t]*{name}[ \t]*(?:\[(?![ \d,]+\][ \t]*=)[^\]\n]*\][ \t]*(?:[-+*/]?=)|[-+*/]=)(?!=)",
            re.MULTILINE,
        )
        again = re.compile(rf"^[ \t]*{name}[ \t]*=(?!=)", re.MULTILINE)
        found = changed.search(text, chain.span.end)
        other = again.search(text, chain.span.end)
        if found is not None and (other is None or found.start() < other.start()):
            why = "It is changed further down."
            claim.links = [replace(one, verdict="unclear", why=why) for one in claim.links]
            claim.rules.clear()

    def _masks(self, claim: _Claim, chain: Chain) -> bool:
        """`dh[h <= 0] = 0` goes on from the derivative by h to the one by what relu was taken of."""
        found = _mask(chain)
        meaning = claim.meaning
        if found is None or meaning is None or meaning.of != self.of or meaning.name not in self.graph:
            return False
        told = self.meaning(found[2])
        definition = self.graph[meaning.name].definition
        if not isinstance(definition, Apply) or definition.operation.name != "relu":
            # the name is that of the derivative behind relu already
            return told is not None and not told.of and told.name in (meaning.name, *self.graph.children(meaning.name))
        (inner,) = definition.args
        if not isinstance(inner, Ref) or told is None or told.name not in (inner.name, meaning.name) or told.of:
            return False
        self.meanings[found[1]] = replace(meaning, name=inner.name)
        return True

    def _subject(self, chain: Chain) -> _Claim | None:
        """What a chain is about."""
        first = chain.pieces[0].formula
        if len(chain.pieces) < 2 or not isinstance(first, (Ref, Slope)):
            return None
        meaning = self.slope_meaning(first.of, first.by) if isinstance(first, Slope) else self.meaning(first.name)
        label = chain.pieces[0].text
        if meaning is None:
            meaning = self._of_indices(first, chain)
        if meaning is None:
            if isinstance(first, Ref) and chain.pieces[1].formula is not None:
                self._own(first.name, chain.pieces[1:])
            return _Claim(None, label, "formula", None)
        truth = self.value_of(meaning, self.truth)
        name = element_name(meaning.name, meaning.place)
        about: About
        kind: Kind
        if not meaning.of:
            about, kind = Value(name), "value" if self.graph[meaning.name].computed else "given"
        elif meaning.of == self.of:
            about, kind = Derivative(meaning.of, name), "total"
        else:
            about, kind = Local(meaning.of, name), "local"
        return _Claim(about, label, kind, meaning, truth=truth)

    def _of_indices(self, first: Ref | Slope, chain: Chain) -> Meaning | None:
        """The whole array, where a chain is about all its elements: dL/dW_{ij} = ..."""
        made = self._indexed(first, self.truth)
        found = letters_of(first.name if isinstance(first, Ref) else first.by)
        if made is None or not made.letters or found is None or len(set(found[1])) < len(found[1]):
            return None
        for piece in chain.pieces[1:]:
            if piece.formula is not None:
                self.letters[id(piece.formula)] = found[1]
        return self.slope_meaning(first.of, found[0]) if isinstance(first, Slope) else self.meaning(found[0])

    def _own(self, name: str, pieces: Sequence[Piece]) -> None:
        """A name of the page's own."""
        for piece in pieces:
            formula = piece.formula
            if formula is None:
                continue
            number = self._number(piece)
            if number is not None:
                self.own_numbers[name] = number
            elif name not in self.own_formulas and not any(
                isinstance(node, Ref) and node.name == name for node in postorder(formula)
            ):
                self.own_formulas[name] = formula

    # -- links ----------------------------------------------------------------------------------------------------

    def _judge(self, claim: _Claim, chain: Chain, pieces: Sequence[Piece]) -> None:
        for piece in pieces:
            if piece.formula is None:
                claim.links.append(Judged(piece, "unclear", piece.reason))
                continue
            number = self._number(piece)
            if claim.meaning is None or claim.truth is None:
                claim.links.append(Judged(piece, "unclear", f"{claim.label} is no name of this network."))
                continue
            if number is not None:
                self._judge_number(claim, piece, number)
            else:
                self._judge_formula(claim, piece)
        self._remember(claim)

    def _number(self, piece: Piece) -> Array | None:
        """The array or number that a link is, if it is nothing but that."""
        formula, turned, sign = piece.formula, False, 1.0
        while isinstance(formula, Apply) and formula.operation.name == "neg":
            formula, sign = formula.args[0], -sign
        if isinstance(formula, Ref):
            found = TRANSPOSED.fullmatch(formula.name)
            written = self.literals.get(found[1] if found else formula.name)
            turned = found is not None
            if written is not None:
                value = sign * numbers_of(written)
                return value.T if turned else value
            return None
        if isinstance(formula, Num):
            return np.asarray(sign * float(formula.value))
        if isinstance(formula, Apply) and formula.operation.name == "/":
            above, below = formula.args
            if isinstance(above, Apply) and above.operation.name == "neg":
                above, sign = above.args[0], -sign
            if isinstance(above, Num) and isinstance(below, Num) and below.value:
                return np.asarray(sign * float(above.value / below.value))
        return None

    def _decimals(self, piece: Piece) -> int | None:
        """The decimals that a number shows; a whole number, alone or in an array, may have been rounded to one."""
        shown = self._decimals_shown(piece)
        return (shown or self.usual) if shown is not None else None

    def _decimals_shown(self, piece: Piece) -> int | None:
        for node in postorder(piece.formula) if piece.formula is not None else ():
            if isinstance(node, Ref):
                found = TRANSPOSED.fullmatch(node.name)
                written = self.literals.get(found[1] if found else node.name)
                if written is not None:
                    return written.decimals
        return piece.digits

    def _decimals_of(self, piece: Piece, shape: tuple[int, ...]) -> Array:
        """The decimals that each element shows of an array of this shape."""
        for node in postorder(piece.formula) if piece.formula is not None else ():
            written = self.literals.get(TRANSPOSED.sub(r"\1", node.name)) if isinstance(node, Ref) else None
            if written is not None and written.places:
                shown = np.asarray(written.places)
                turned = isinstance(node, Ref) and TRANSPOSED.fullmatch(node.name) is not None
                made = fits(shown.T if turned else shown, shape)
                if made is not None:
                    return np.where(made, made, self.usual)
        return np.full(shape, self._decimals(piece) or 0)

    def _judge_number(self, claim: _Claim, piece: Piece, number: Array) -> None:
        assert claim.truth is not None and claim.meaning is not None
        claim.number, claim.said = piece, number
        if claim.kind == "local" and claim.truth.ndim == 1 and number.shape == (*claim.truth.shape, *claim.truth.shape):
            claim.truth = np.diag(claim.truth)  # what goes element by element, written out
        fitted = fits(number, claim.truth.shape)
        if fitted is None:
            why = f"It is {_shape(number.shape)}, and {_name(claim)} is {_shape(claim.truth.shape)}."
            if number.T.shape == claim.truth.shape and self._agree(number.T, claim.truth, piece).all():
                why = f"This is the transpose of the right answer, which is {_shape(claim.truth.shape)}."
                self._say(claim, "transposed", why, piece)
            claim.elements = None
            claim.links.append(Judged(piece, "wrong", why))
            return
        claim.said = fitted
        right = self._agree(fitted, claim.truth, piece)
        grades = np.where(right, 2, 0)
        if not right.all():
            grades = np.maximum(grades, self._rounded_on_the_way(claim, fitted, piece))
        expected = self._expected(claim)
        claim.own = expected[0][0] if expected else None
        for own, spread in expected:
            if grades.all():
                break
            follows = self._agree(fitted, own, piece) | (np.abs(fitted - own) <= spread)
            if follows.all() or own is claim.own:
                grades = np.where((grades == 0) & follows, 1, grades)
        before = self._value_before(claim)
        for value in before:
            other = fits(value, claim.truth.shape)
            if other is not None and self._agree(fitted, other, piece).all():
                grades = np.maximum(grades, 1)
        claim.elements = np.asarray(grades)
        worst = int(grades.min())
        verdict: Verdict = ("wrong", "follows", "right")[worst]  # type: ignore[assignment]
        why = ""
        if not worst:
            why = self._explained(claim, fitted, piece) or self._which(claim, fitted, grades)
        claim.links.append(Judged(piece, verdict, why))

    def _agree(self, said: Array, truth: Array, piece: Piece) -> Array:
        """Element by element, to the digits that are shown."""
        return self._agree_to(piece, self._decimals(piece), said, truth)

    def _agree_to(self, piece: Piece, shown: int | None, said: Array, truth: Array) -> Array:
        about = piece.relation == "≈"
        said, truth = np.asarray(said, float), np.asarray(truth, float)
        gap = np.abs(said - truth)
        made = (gap <= CLOSE * np.maximum(np.abs(truth), 1e-6)) | (said == truth)
        made = made | (gap <= LEFT_OVER * max(1.0, float(np.abs(truth).max(initial=0.0))))
        made = made | ((said == 0) & (np.abs(truth) <= (0.5 * 10.0**-self.usual if self.usual else NOTHING)))
        digits = self._decimals_of(piece, said.shape)
        room = 6.0 * 10.0 ** -digits.astype(float) + 1e-6 * np.abs(truth)
        for place in np.argwhere(np.asarray(~made & (gap <= room))):
            at = tuple(int(n) for n in place)
            one, other = float(said[at]), float(truth[at])
            shown = int(digits[at]) if shown is not None else None
            exact: Any = Fraction(other).limit_denominator(10**6)
            meant: Any = exact if abs(float(exact) - other) <= 1e-13 * max(1.0, abs(other)) else other
            near = agrees(_fraction(one), meant, shown or None, about=about) or (
                shown is not None and shown > 0 and abs(one - other) <= _slack(one, shown) * 10.0**-shown
            )
            if near:
                made = np.array(made)
                made[at] = True
        return np.asarray(made)

    def _explained(self, claim: _Claim, number: Array, piece: Piece) -> str:
        """A simple reason why an array is wrong as a whole."""
        truth = claim.truth
        assert truth is not None
        if claim.kind == "local" and truth.ndim == 2 and self._agree(number, np.cumsum(truth, axis=0), piece).all():
            self._say(claim, "not-reset", PILED_UP, piece)
            return PILED_UP
        if truth.ndim == 2 and truth.shape[0] == truth.shape[1] and self._agree(number.T, truth, piece).all():
            self._say(claim, "transposed", "This is the transpose of the right answer.", piece)
            return "This is the transpose of the right answer."
        if truth.any() and self._agree(-number, truth, piece).all():
            return "All signs are the other way round."
        flat, meant = number.reshape(-1), truth.reshape(-1)
        if (meant != 0).any() and meant.size > 1:
            factor = flat[meant != 0] / meant[meant != 0]
            ratio = float(factor[0])
            if ratio and np.allclose(factor, ratio, rtol=1e-3) and np.allclose(flat[meant == 0], 0, atol=1e-9):
                return f"All of it is {show(_fraction(round(ratio, 6))).text} times the right answer."
        return ""

    def _which(self, claim: _Claim, number: Array, grades: Array) -> str:
        if not grades.ndim:
            return ""
        wrong = [tuple(int(n) for n in place) for place in np.argwhere(grades == 0)]
        if len(wrong) == grades.size:
            return "No element of it is right."
        names = ", ".join("[" + ",".join(map(str, place)) + "]" for place in wrong[:6])
        return f"Wrong at {names}{' and more' if len(wrong) > 6 else ''}."

    def _say(self, claim: _Claim, key: str, text: str, piece: Piece) -> None:
        if any(remark.key == key for remark in claim.remarks):
            return  # once a claim
        claim.remarks.append(Remark(key, text, piece.span, text))

    def _judge_formula(self, claim: _Claim, piece: Piece) -> None:
        """A link with names, or with numbers and arrays put in for them."""
        assert claim.truth is not None and claim.meaning is not None and piece.formula is not None
        if claim.kind == "local" and isinstance(piece.formula, Ref) and self._is_identity(piece.formula):
            claim.links.append(Judged(piece, "right" if np.allclose(claim.truth, 1) else "wrong"))
            return
        try:
            values = self._worked_out(piece.formula, self.truth)
        except Unknown as unknown:
            claim.links.append(Judged(piece, "unclear", f"{unknown} is no name of this network or of this page."))
            return
        if not values:
            shapes = self._shapes_in(piece.formula)
            turned = self._turned(piece.formula, claim.meaning)
            if turned and self._is_outer(piece.formula):
                claim.links.append(Judged(piece, "right"))
                self._say(claim, "outer", "Two vectors side by side are read as a column times a row here.", piece)
                return
            if turned:
                claim.rules.append((piece.formula, False, turned))
            more = " A factor has to be turned." if turned else ""
            claim.links.append(Judged(piece, "wrong", f"The shapes do not fit together{shapes}.{more}"))
            self._say(claim, "shapes", f"The shapes in this line do not fit together{shapes}.{more}", piece)
            return
        shape = claim.truth.shape
        fitted = [made for value in values if (made := fits(value, shape)) is not None]
        named = any(isinstance(node, (Ref, Slope)) and not self._is_literal(node) for node in postorder(piece.formula))
        right_here = any(_close(value, claim.truth) for value in fitted)
        if named:
            right = self._is_rule(piece.formula, claim.meaning, right_here)
            if not self._is_mixed(piece.formula):
                claim.rules.append((piece.formula, right, ""))
            if right:
                claim.links.append(Judged(piece, "right"))
                return
        elif right_here or any(
            (self._agree(value, claim.truth, piece) | self._is_rounding(piece.formula, value, claim.truth)).all()
            for value in fitted
        ):
            claim.links.append(Judged(piece, "right"))
            return
        else:
            expected = [own for own, _ in self._expected(claim)]
            before = [one for value in self._value_before(claim) if (one := fits(value, shape)) is not None]
            if any(
                np.allclose(value, meant, rtol=2e-3, atol=1e-6) for value in fitted for meant in (*expected, *before)
            ):
                claim.links.append(Judged(piece, "follows"))
                return
        claim.links.append(Judged(piece, "wrong", self._why_wrong(claim, piece, values, fitted)))

    def _is_rounding(self, formula: Formula, value: Array, truth: Array) -> Array:
        """Where numbers put in for names give the truth but for the rounding that they show."""
        spread = np.zeros(truth.shape)
        draw: Any = np.random.RandomState(5)
        for _ in range(SHAKES):
            self.shaking = draw
            made = [
                one for each in self._worked_out(formula, self.truth) if (one := fits(each, truth.shape)) is not None
            ]
            self.shaking = None
            near = [np.abs(one - value) for one in made]
            if near:
                spread = np.maximum(spread, 1.5 * min(near, key=lambda gap: float(gap.max(initial=0.0))))
        return np.asarray(np.abs(value - truth) <= np.minimum(spread, 1e-3 * np.maximum(np.abs(truth), 1e-3)))

    def _is_outer(self, formula: Formula) -> bool:
        """Two vectors of different sizes side by side: what is meant is every product of the two."""
        if not isinstance(formula, Apply) or formula.operation is not MULTIPLY or formula.style in ("*", "@", "⊙"):
            return False
        sizes: list[int] = []
        for node in formula.args:
            value = self.leaf(node, self.truth) if isinstance(node, (Ref, Slope)) else None
            if value is None or value.ndim != 1:
                return False
            sizes.append(value.size)
        return sizes[0] != sizes[1]

    def _turned(self, formula: Formula, meaning: Meaning) -> str:
        """A row of mistakes, if the formula is the rule once one of its matrices is turned."""
        leaves = [node for node in postorder(formula) if isinstance(node, (Ref, Slope)) and not self._is_literal(node)]
        found: set[str] = set()
        for at, leaf in enumerate(leaves[:12]):
            value = self.leaf(leaf, self.truth)
            if value is None or not value.ndim:
                continue
            written = leaf.name if isinstance(leaf, Ref) else leaf.by
            match = TRANSPOSED.fullmatch(written)
            name = match[1] if match else f"{written}^T"
            other = replace(leaf, name=name) if isinstance(leaf, Ref) else replace(leaf, by=name)
            count = iter(range(len(leaves)))

            def exchanged(node: Num | Ref | Slope, at: int = at, other: Formula = other, count: Any = count) -> Formula:
                if isinstance(node, Num) or self._is_literal(node):
                    return node
                return other if next(count) == at else node

            mended = fold(formula, exchanged, with_args)
            values = self._worked_out(mended, self.truth)
            shape = self.value_of(meaning, self.truth)
            right = shape is not None and any(
                _close(v, shape) for value in values if (v := fits(value, shape.shape)) is not None
            )
            if right and self._is_rule(mended, meaning, right):
                known = self.meaning(match[1] if match else written) if isinstance(leaf, Ref) else None
                weight = known is not None and not known.of and self.graph[known.name].kind == "weight"
                found.add("w-for-w-transposed" if weight else "factor-not-transposed")
        return found.pop() if len(found) == 1 else ""

    def _is_identity(self, node: Ref) -> bool:
        """`I` and `I_3`, where they are no name of the network."""
        return re.fullmatch(r"I(?:_\{?\w+\}?)?|E", node.name) is not None and self.meaning(node.name) is None

    def _is_literal(self, node: Ref | Slope) -> bool:
        if not isinstance(node, Ref):
            return False
        found = TRANSPOSED.fullmatch(node.name)
        if node.name in TURNS:
            return node.name != "T" or self.meaning("T") is None
        return (found[1] if found else node.name) in self.literals

    def _is_rule(self, formula: Formula, meaning: Meaning, right_here: bool) -> bool:
        """Whether a formula is the rule for something: with other numbers as well as here. Where numbers stand in it
        for names, only here can be looked at."""
        if self._is_mixed(formula) or not self.others or not self._known_elsewhere(formula):
            return right_here
        for world in itertools.chain(self.others, () if right_here else self._further()):
            truth = self.value_of(meaning, world)
            if truth is None:
                return right_here
            values = self._worked_out(formula, world)
            if not any(_close(made, truth) for value in values if (made := fits(value, truth.shape)) is not None):
                # a number that could be the size of something may stand for a name
                return right_here and self._has_size(formula)
        return True

    def _further(self) -> Iterator[World]:
        """More other numbers, for what is wrong here and right with the first ones. It may be right but for a corner
        here, or wrong and all gates were open there."""
        for seed in range(4, 12):
            if seed not in self.drawn:
                self.drawn[seed] = elsewhere(self.graph, self.of, seed)
            if (world := self.drawn[seed]) is not None:
                yield world

    def _has_size(self, formula: Formula) -> bool:
        return any(isinstance(node, Num) and node.value not in (1, 2, Fraction(1, 2)) for node in postorder(formula))

    def _is_mixed(self, formula: Formula) -> bool:
        """Whether numbers stand in it for names."""
        return any(
            (isinstance(node, Num) and node.value not in (1, 2, Fraction(1, 2)) and not self._a_size(node))
            or (isinstance(node, Ref) and self._is_literal(node) and node.name not in TURNS)
            for node in postorder(formula)
        )

    def _a_size(self, node: Num) -> bool:
        """3 may be how many examples there are."""
        return any(node.value in (*q.shape, math.prod(q.shape)) for q in self.graph.quantities)

    def _known_elsewhere(self, formula: Formula) -> bool:
        """Whether all names of the page's own in it have a formula, not a number alone."""
        return not any(
            isinstance(node, Ref) and node.name in self.own_numbers and node.name not in self.own_formulas
            for node in postorder(formula)
        )

    def _why_wrong(self, claim: _Claim, piece: Piece, values: Sequence[Array], fitted: Sequence[Array]) -> str:
        assert claim.truth is not None
        for value in values:
            turned = fits(value.T, claim.truth.shape)
            if claim.truth.ndim == 2 and turned is not None and _close(turned, claim.truth):
                self._say(claim, "transposed", "This is the transpose of the right answer.", piece)
                return "This is the transpose of the right answer."
        if not fitted:
            wanted = _shape(claim.truth.shape)
            return f"It is {_shape(values[0].shape)}, and {_name(claim)} is {wanted}."
        return ""

    def _shapes_in(self, formula: Formula) -> str:
        told: list[str] = []
        for node in postorder(formula):
            if isinstance(node, (Ref, Slope)):
                value = self.leaf(node, self.truth)
                if value is not None and value.ndim:
                    name = node.name if isinstance(node, Ref) else f"d{node.of}/d{node.by}"
                    if not self._is_literal(node):
                        told.append(f"{name} is {_shape(value.shape)}")
        return ": " + ", ".join(dict.fromkeys(told)) if told else ""

    def _value_before(self, claim: _Claim) -> list[Array]:
        """What the link before is worth with the writer's own numbers."""
        links = [link for link in claim.links if link.piece.formula is not None]
        if not links or links[-1].piece.formula is None:
            return []
        try:
            return self._worked_out(links[-1].piece.formula, self._own_world())
        except Unknown:
            return []

    def _own_world(self) -> World:
        return self.truth.with_own(self.own_values, self.own_slopes)

    def _expected(self, claim: _Claim) -> list[tuple[Array, Array]]:
        """What comes out of the writer's own numbers by the right rule, and how far it may be off because they are
        rounded: from those it is made of, and from those further back where some in between are not on the page."""
        meaning = claim.meaning
        if meaning is None or not (self.own_values or self.own_slopes) or meaning.of not in ("", self.of):
            return []
        found: list[tuple[Array, Array]] = []
        for made in (self._one_step, self._all_steps):
            value = made(meaning, self.own_values, self.own_slopes)
            if value is None or any(np.array_equal(value, other) for other, _ in found):
                continue
            found.append((value, self._spread(meaning, value, made)))
        return found

    def _spread(self, meaning: Meaning, value: Array, made: Any) -> Array:
        """How far off a value may be because the numbers are rounded that it is made of: the writer's own, and in one
        step those as well that are not on the page."""
        spread = np.zeros(value.shape)
        if not self.rounding:
            return spread
        draw: Any = np.random.RandomState(7)
        unsaid = 0.5 * 10.0**-self.usual if self.usual and made == self._one_step else 0.0
        everything = ((self.own_values, "", self.truth.values), (self.own_slopes, self.of, self.truth.adjoints))
        for _ in range(SHAKES):
            shaken: list[dict[str, Array]] = []
            for own, of, true in everything:
                kept = dict(own)
                if unsaid:
                    kept = {name: np.asarray(true[name], float) for name in true if self.graph[name].computed} | kept
                shaken.append(
                    {name: number + (self.rounding.get((of, name), 0.0) if name in own else unsaid)
                     * draw.choice((-1.0, 1.0), np.shape(number)) for name, number in kept.items()}
                )  # fmt: skip
            self.shaking = draw
            other = made(meaning, *shaken)
            self.shaking = None
            if other is not None:
                spread = np.maximum(spread, np.abs(other - value) * 1.5)
        return spread

    def _rounded_on_the_way(self, claim: _Claim, number: Array, piece: Piece) -> Array:
        """Where a number is off by no more than comes of rounding what it is made of to as many decimals: 2 for right,
        1 for what is off by so much that it is only said to follow."""
        meaning, shown = claim.meaning, self._decimals(piece)
        assert claim.truth is not None
        none = np.zeros(claim.truth.shape, int)
        if meaning is None or not shown or shown < 3 or meaning.of not in ("", self.of):
            return none
        unit = 10.0 ** -self._decimals_of(piece, claim.truth.shape).astype(float)
        gap = np.abs(number - claim.truth)
        if not (gap <= FOLLOWING_UNITS * unit).any():
            return none
        size = float(10.0**-shown)
        draw: Any = np.random.RandomState(11)
        spread = np.zeros(claim.truth.shape)
        made = {q.name for q in self.graph.quantities if q.computed}
        for _ in range(SHAKES):
            values, slopes = (
                {name: np.asarray(value, float) + 1.5 * size * draw.choice((-1.0, 1.0), np.shape(value))
                 for name, value in kept.items() if name in made}
                for kept in (self.truth.values, self.truth.adjoints)
            )  # fmt: skip
            value = self._one_step(meaning, values, slopes)
            if value is not None:
                spread = np.maximum(spread, np.abs(value - claim.truth) * 1.5)
        off = gap <= np.minimum(spread + 0.51 * unit, FOLLOWING_UNITS * unit)
        return np.asarray(np.where(off, np.where(gap <= MOST_UNITS * unit, 2, 1), 0))

    def _one_step(self, meaning: Meaning, values: Mapping[str, Array], slopes: Mapping[str, Array]) -> Array | None:
        world = self.truth.with_own(values, slopes)
        found = world.slope_by_rule(meaning.name) if meaning.of else world.by_rule(meaning.name)
        return self._seen(found, meaning)

    def _all_steps(self, meaning: Meaning, values: Mapping[str, Array], slopes: Mapping[str, Array]) -> Array | None:
        """With what is not on the page made of what is."""
        if self.way is None:
            return None
        own = {name: value for name, value in values.items() if meaning.of or name != meaning.name}
        world = carried(self.truth, own)
        if not meaning.of:
            found = world.by_rule(meaning.name) if world is not self.truth else None
            return self._seen(found, meaning)

        def goes_on(name: str, total: Array) -> Array | None:
            if name == meaning.name:
                return None
            said = slopes.get(name)
            if said is None and self.shaking is not None and self.usual:
                return total + 0.5 * 10.0**-self.usual * self.shaking.choice((-1.0, 1.0), np.shape(total))
            return said

        trial = Trial({}, world.passes, dict(world.adjoints))
        try:
            for name, written in self.way.replay(trial, RIGHT, {}, goes_on):
                if name == meaning.name:
                    return self._seen(written, meaning)
        except IMPOSSIBLE:
            return None
        return None

    def _seen(self, found: Array | None, meaning: Meaning) -> Array | None:
        """The element that is meant, and turned if it is."""
        if found is None:
            return None
        found = np.asarray(found[meaning.place] if meaning.place else found, float) * self._scale(meaning)
        if self.convention == "numerator" and self.is_told_by(self.convention, meaning):
            found = found.T
        return found.T if meaning.turned else found

    # -- for diagnosing ---------------------------------------------------------------------------------------------

    def heard(self, claims: Sequence[_Claim]) -> dict[str, Heard]:
        """What the page says about each derivative of the output; of each thing the last, so what was corrected is
        no mistake any more."""
        return self._heard(claims, lambda meaning: meaning.of == self.of and meaning.name != self.of)

    def heard_values(self, claims: Sequence[_Claim]) -> dict[str, Heard]:
        """The same of the values that are worked out."""
        return self._heard(claims, lambda meaning: not meaning.of and self.graph[meaning.name].computed)

    def _heard(self, claims: Sequence[_Claim], asked: Callable[[Meaning], bool]) -> dict[str, Heard]:
        found: dict[str, Heard] = {}
        for claim in claims:
            meaning = claim.meaning
            if meaning is None or not asked(meaning) or claim.about is None:
                continue
            shape = self.graph[meaning.name].shape
            known = found.get(meaning.name)
            if meaning.place:
                self._hear_element(found, claim, meaning)
                continue
            number = right = agrees = None
            scale = self._scale(meaning)
            turned = meaning.turned != (self.convention == "numerator" and self.is_told_by("numerator", meaning))
            if claim.said is not None and claim.number is not None:
                number = (claim.said.T if turned else claim.said) / scale
                if claim.elements is not None and number.shape == shape:
                    right = (claim.elements.T if turned else claim.elements) > 0
                agrees = partial(self._agree_here, claim.number, scale)
            elif known is not None and known.number is not None:
                number, right, agrees = known.number, known.right, known.agrees
            lines = [
                Rule(partial(self._worked, formula, turned, scale), right_rule, self._uses(formula), row)
                for formula, right_rule, row in claim.rules
            ]
            if number is None and not lines:
                continue
            if not lines and known is not None:
                lines = known.lines
            digits = self._decimals(claim.number) if claim.number is not None else None
            found[meaning.name] = Heard(meaning.name, number, right, agrees, digits, lines, claim.span.line)
        return found

    def _hear_element(self, found: dict[str, Heard], claim: _Claim, meaning: Meaning) -> None:
        """One element of an array of which the others may have been said before."""
        if claim.said is None or claim.said.ndim or claim.number is None or claim.elements is None:
            return
        shape = self.graph[meaning.name].shape
        known = found.get(meaning.name)
        if known is None or known.number is None or known.right is None:
            number, right = np.full(shape, math.nan), np.zeros(shape, bool)
            lines = [] if known is None else known.lines
        else:
            number, right, lines = known.number.copy(), known.right.copy(), known.lines
        scale = self._scale(meaning)
        number[meaning.place] = claim.said / scale
        right[meaning.place] = int(claim.elements) > 0
        digits = self._decimals(claim.number)
        agrees = partial(self._agree_here, claim.number, scale)
        at = known.at if known is not None else claim.span.line
        found[meaning.name] = Heard(meaning.name, number, right, agrees, digits, lines, at)

    def _agree_here(self, piece: Piece, scale: float, said: Array, truth: Array) -> Array:
        """Element by element, for derivatives as they are everywhere."""
        return self._agree_to(piece, self._decimals(piece), said * scale, truth * scale)

    def _worked(self, formula: Formula, turned: bool, scale: float, world: World) -> list[Array]:
        try:
            values = self._worked_out(formula, world)
        except Unknown:
            return []
        return [(value.T if turned else value) / scale for value in values]

    def _uses(self, formula: Formula, deep: int = 8) -> frozenset[str]:
        """The derivatives that a formula names, through names of the page's own as well."""
        found: set[str] = set()
        for node in postorder(formula):
            if isinstance(node, Slope):
                indexed = letters_of(node.by)
                meaning = self.slope_meaning(node.of, node.by)
                if meaning is None and indexed is not None:
                    meaning = self.slope_meaning(node.of, indexed[0])
            elif isinstance(node, Ref):
                indexed = letters_of(node.name)
                meaning = self.meaning(node.name)
                if meaning is None and indexed is not None:
                    meaning = self.meaning(indexed[0])
                turned = TRANSPOSED.fullmatch(node.name)
                base = turned[1] if turned is not None else node.name
                if meaning is None and base in self.own_formulas and deep:
                    found |= self._uses(self.own_formulas[base], deep - 1)
            else:
                continue
            if meaning is not None and meaning.of == self.of:
                found.add(meaning.name)
        return frozenset(found)

    def _remember(self, claim: _Claim) -> None:
        """The writer's own number, for what follows from it."""
        meaning = claim.meaning
        if meaning is None or claim.said is None or meaning.turned:
            return
        kept = self.own_values if not meaning.of else self.own_slopes if meaning.of == self.of else None
        if kept is None:
            return
        shape = self.graph[meaning.name].shape
        shown = self._decimals(claim.number) if claim.number is not None else None
        said = claim.said
        if self.convention == "numerator" and self.is_told_by(self.convention, meaning):
            said = said.T
        said = said / self._scale(meaning)
        if shown:
            self.rounding[meaning.of, meaning.name] = 0.5 * 10.0**-shown / self._scale(meaning)
            if claim.truth is not None and self.convention == "plain" and said.shape == claim.truth.shape:
                nothing = (said == 0) & (np.abs(claim.truth) <= 0.5 * 10.0**-shown)
                said = np.where(nothing, claim.truth, said)  # a logarithm of it may follow
        if not meaning.place:
            if said.shape == shape:
                kept[meaning.name] = said
            return
        known = kept.get(meaning.name)
        base = known
        if base is None:
            base = self.truth.slope(meaning.name) if meaning.of else self.truth.value(meaning.name)
        made = np.array(base, float, copy=True)
        made[meaning.place] = said
        kept[meaning.name] = made


def _mask(chain: Chain) -> re.Match[str] | None:
    return MASKED.match(chain.span.source.text, chain.span.start, chain.span.end + 20)


def _overlap(one: Span, other: Span) -> bool:
    return one.source is other.source and one.start < other.end and other.start < one.end


def _place(piece: Piece) -> tuple[str, int, int]:
    return (piece.span.source.name, piece.span.start, piece.span.end)


def _as_seen(work: Work) -> Work:
    """The pages with the arrays themselves in the formulas, in place of the names that stood for them."""

    def leaf(node: Num | Ref | Slope) -> Formula:
        if not isinstance(node, Ref):
            return node
        turned = TRANSPOSED.fullmatch(node.name)
        written = work.literals.get(turned[1] if turned else node.name)
        if written is None:
            return node
        made = _as_formula(written)
        return apply(TRANSPOSE, made, params=(("axes", None),)) if turned else made

    def combine(node: Apply, args: list[Formula]) -> Formula:
        if node.operation.name == "^" and args[1] in (Ref("T"), Ref("⊤")):
            return apply(TRANSPOSE, args[0], params=(("axes", None),), span=node.span)
        return with_args(node, args)

    def piece(one: Piece) -> Piece:
        return one if one.formula is None else replace(one, formula=fold(one.formula, leaf, combine))

    def chain(one: Chain) -> Chain:
        return replace(one, pieces=tuple(map(piece, one.pieces)))

    def line(one: Line) -> Line:
        if any(_mask(each) is not None for each in one.chains):
            return replace(one, chains=(), why="prose")  # it is carried out, and shown as it stands
        return replace(one, chains=tuple(map(chain, one.chains)))

    return replace(work, lines=tuple(map(line, work.lines)))


def _as_formula(written: ArrayWritten) -> Formula:
    """`[[1, 2], [3, 4]]`, its numbers with the digits that were written."""
    cells = [value for row in written.rows for value in row]
    texts = [text.rstrip(".") for text in DIGITS.findall(written.text)]
    if "frac" in written.text or len(texts) != len(cells):
        texts = [""] * len(cells)
    told = iter(texts)
    rows: list[Formula] = []
    for row in written.rows:
        numbers = [_numeral(value, next(told)) for value in row]
        rows.append(apply(STACK, *numbers, style="list", params=(("axis", 0),)))
    return rows[0] if written.axes == 1 else apply(STACK, *rows, style="list", params=(("axis", 0),))


def _numeral(value: Fraction, text: str) -> Formula:
    """A number as it was written, where that is more than its value."""
    exponent = text.lower().partition("e")[2]
    known = bool(text) and len(exponent) < 6 and Fraction(text) == abs(value) and text != str(abs(value))
    number = Num(abs(value), text if known else "")
    return apply(NEGATE, number) if value < 0 else number


def numbers_of(written: ArrayWritten) -> Array:
    """An array as it was written, in floats."""
    made = np.asarray([[float(n) for n in row] for row in written.rows])
    return made[0] if written.axes == 1 else made


def _slack(number: float, shown: int) -> float:
    """How many units of the last decimal a number may be off: half of one, or two where it shows four digits and more,
    as the numbers before it may have been rounded."""
    return 2.01 if shown >= 3 and abs(number) >= 10.0 ** (3 - shown) else 0.51


def _close(one: Array, other: Array) -> bool:
    return one.shape == other.shape and bool(np.allclose(one, other, rtol=1e-7, atol=1e-10))


def _shape(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape)) if len(shape) > 1 else f"a vector of {shape[0]}" if shape else "a single number"


def _name(claim: _Claim) -> str:
    return str(claim.about) if claim.about is not None else claim.label
