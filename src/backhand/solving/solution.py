"""A solution is data: the steps that lead to it, each with a result computed from the results it uses.

    ForwardStep(B1)          B1 = -2 A1 + 1 A2, with A1 = -1 and A2 = 1: 3
    SeedStep(L)              dL/dL = 1
    LocalStep(C1, B1)        dC1/dB1 = 1
    GatherStep(L, B1)        dL/dB1 = (2)(1) + (-2)(-1) = 4
    BackStep(L, W1)          dL/dW1 = dL/dz1 x^T, of arrays
    CheckStep                a second method agrees

Steps are made when they are looked at; a network of a million quantities has millions, and none
is kept. Writers and sentences come later (`explaining`); nothing here is a string to print.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from backhand.core import evaluate as ev
from backhand.core.evaluate import Value
from backhand.core.formula import Formula, longer, names
from backhand.core.graph import PARAMETERS, Graph, Quantity
from backhand.core.notation import Notice
from backhand.core.operations import ADD, MULTIPLY
from backhand.core.propagate import Propagation, propagate
from backhand.core.rules import CALCULUS, Contribution, Rules
from backhand.errors import CheckError
from backhand.numbers import as_float

if TYPE_CHECKING:
    from backhand.core.array_passes import Way as ArrayWay
    from backhand.core.differentiate import Worked
    from backhand.core.paths import Paths
    from backhand.solving.batch import PerExample
    from backhand.solving.second import Second
    from backhand.solving.stepping import Descent

Detail: TypeAlias = Literal["brief", "steps", "full"]

Language: TypeAlias = Literal["numpy", "torch", "jax", "python", "c"]
"""Languages in which both passes can be written beside the working (`coding`)."""

WRITTEN = 100
"""Operations of a local derivative that is written out beside its value, and of a formula that is repeated for each
of its local derivatives: of n terms n^2 would be written."""


@dataclass(frozen=True, slots=True, eq=False)
class ForwardStep:
    """A value from the formula of a quantity and the values of the names in it."""

    name: str
    formula: Formula
    inputs: dict[str, Value]
    exact: bool | None = None
    """Of a network of arrays: whether they are exact."""

    @property
    def result(self) -> Value:
        if self.exact is None:
            return ev.evaluate(self.formula, self.inputs)
        from backhand.core.arrays import Evaluator

        return Evaluator(self.inputs, {}, exact=self.exact, note=ev.quiet).evaluate(self.formula)


@dataclass(frozen=True, slots=True, eq=False)
class SeedStep:
    """The derivative of the output by itself."""

    of: str

    @property
    def result(self) -> Value:
        return Fraction(1)


@dataclass(frozen=True, slots=True, eq=False)
class LocalStep:
    """The derivative of a quantity's own formula by one name in it, all others held fixed.

    `total_differs` says that the parent reaches the child by other ways too, so that this is not the
    derivative of the child by the parent."""

    child: str
    parent: str
    worked: Worked
    values: Mapping[str, Value]
    result: Value
    total_differs: bool

    @property
    def written(self) -> bool:
        """Whether the formula is short enough to be written out."""
        return not longer(self.worked.formula, WRITTEN)

    @property
    def inputs(self) -> dict[str, Value]:
        """The values of the names in the formula."""
        return {name: self.values[name] for name in names(self.worked.formula)}


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """One summand of the chain rule: through `child`, `upstream` times `local`."""

    child: str
    upstream: Value
    local: Value
    total_differs: bool

    @property
    def product(self) -> Value:
        return ev.apply_operation(MULTIPLY, [self.upstream, self.local])


@dataclass(frozen=True, slots=True, eq=False)
class GatherStep:
    """The derivative of the output by a quantity: the sum over all ways out of it."""

    of: str
    by: str
    ways: tuple[Way, ...]

    @property
    def result(self) -> Value:
        total: Value = Fraction(0)
        for way in self.ways:
            total = ev.apply_operation(ADD, [total, way.product])
        return total


@dataclass(frozen=True, slots=True, eq=False)
class BackStep:
    """The derivative of the output by a quantity in a network of arrays: what comes back along all ways, each a formula
    of the derivatives that are known, added up."""

    of: str
    by: str
    ways: tuple[ArrayWay, ...]
    exact: bool

    @property
    def result(self) -> Value:
        from backhand.core import arrays as ar

        total: Any = self.ways[0].value
        for way in self.ways[1:]:
            total = ar.lifted(ADD, [total, way.value]) if self.exact else total + way.value
        return total


@dataclass(frozen=True, slots=True, eq=False)
class CheckStep:
    """A second method and what it compared. `exact` says the numbers were equal, not only close."""

    method: str
    compared: int
    exact: bool


Step: TypeAlias = ForwardStep | SeedStep | LocalStep | GatherStep | BackStep | CheckStep


class Layout(NamedTuple):
    """How arrays are laid out on paper: vectors as columns or rows (empty: as the network multiplies them), derivatives
    in the shape of what they are by (denominator layout) or transposed (numerator layout)."""

    vectors: Literal["", "column", "row"] = ""
    derivatives: Literal["denominator", "numerator"] = "denominator"


@dataclass(slots=True, eq=False, repr=False)
class Solution:
    """Values, derivatives of `of` by each of `wrt`, and how they come about."""

    graph: Graph
    propagation: Propagation
    of: str
    wrt: tuple[str, ...]
    checks: tuple[CheckStep, ...] = ()
    pairs: dict[str, dict[str, Value]] | None = None
    paths: tuple[Paths, ...] | None = None
    title: str = ""
    after_step: Descent | None = None
    second: Second | None = None
    per_example: PerExample | None = None
    layout: Layout = Layout()  # noqa: RUF009 - a tuple
    code: Language | None = None
    """In which language both passes are shown as code besides."""
    _elements: Solution | None = None
    _others: dict[tuple[str, str], bool] = field(default_factory=dict[tuple[str, str], bool])

    @property
    def notices(self) -> tuple[Notice, ...]:
        """Everything that was read or computed by a convention."""
        if not self.graph.arrays:
            return (*self.graph.notices, *self.propagation.notices)
        from backhand.core.shapes import surprises

        return (*self.graph.notices, *surprises(self.graph), *self.propagation.notices)

    def value(self, name: str) -> Value:
        """The value of a quantity: a Fraction, a float, or a formula in the symbols without a value."""
        return self.propagation.value(name)

    def derivative(self, by: str) -> Value:
        """The derivative of the output by a quantity."""
        return self.propagation.derivative(by)

    @property
    def values(self) -> dict[str, Value]:
        """All values by name."""
        return dict(self.propagation.by_name)

    @property
    def derivatives(self) -> dict[str, Value]:
        """The derivatives of the output by name, in the order in which they are found."""
        return {name: self.derivative(name) for name in self.wrt}

    def to_show(self) -> Solution:
        """The same with digits that are true when they are shown: where plain floats were asked for, all numbers are
        worked out once more as floats that can tell theirs."""
        if self.propagation.numbers != "float" or self.graph.arrays:
            return self
        from backhand.solving.solve import solve

        return solve(
            self.graph, of=self.of, wrt=self.wrt, pairs=self.pairs is not None, paths=self.paths is not None,
            numbers="rounded", title=self.title, step=self.after_step.update if self.after_step else None,
            second=self.second is not None, code=self.code,
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"<Solution: derivatives of {self.of} by {len(self.wrt)} quantities>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from importlib import import_module

        bundle: dict[str, str] = import_module("backhand.display").bundle(self)
        return bundle

    # -- steps --------------------------------------------------------------------------------------

    @property
    def steps(self) -> Iterator[Step]:
        """All steps in the order of the working, made one at a time."""
        yield from self.forward_steps()
        yield SeedStep(self.of)
        for name in self.wrt:
            if name != self.of and name in self.graph:
                if self.graph.arrays:
                    step = self.back_step(name)
                    if step.ways:
                        yield step
                else:
                    yield from self.local_steps(name)
                    yield self.gather_step(name)
        yield from self.checks

    def forward_steps(self) -> Iterator[ForwardStep]:
        """One for each computed quantity."""
        for quantity in self.graph.quantities:
            if quantity.computed:
                yield self.forward_step(quantity)

    def forward_step(self, quantity: Quantity) -> ForwardStep:
        assert quantity.definition is not None
        passes = self.propagation.passes
        exact = None if passes is None else passes.exact
        return ForwardStep(quantity.name, quantity.definition, self.inputs(quantity), exact)

    def back_step(self, by: str) -> BackStep:
        """The derivative by a quantity in a network of arrays."""
        passes = self.propagation.passes
        assert passes is not None
        adjoints = {
            q.name: adjoint
            for q, adjoint in zip(self.graph.quantities, self.propagation.adjoints, strict=True)
            if adjoint is not None
        }
        return BackStep(self.of, by, tuple(passes.ways(by, self.of, adjoints)), passes.exact)

    @property
    def by_elements(self) -> Solution:
        """The same network with each element of an array a quantity of its own. Raises LimitError for a large one."""
        if self._elements is None:
            from backhand.core.elements import expanded

            graph = expanded(self.graph)
            propagation = propagate(graph, self._of_elements(), of=self.of)
            self._elements = Solution(graph, propagation, self.of, ())
        return self._elements

    def _of_elements(self) -> Rules:
        """The rules of calculus, with the numbers that are known: an element is as exact as its array. What the ways of
        an element add up to has to be what the array has there."""

        def forward(quantity: Quantity, values: Mapping[str, Value], note: ev.Note) -> Value:
            return self.value(quantity.name)

        def gather(graph: Graph, quantity: Quantity, contributions: Sequence[Contribution]) -> Value:
            known, total = self.derivative(quantity.name), CALCULUS.gather(graph, quantity, contributions)
            if isinstance(known, (Fraction, float)) and isinstance(total, (Fraction, float)):
                size = max(
                    [abs(as_float(c.product)) for c in contributions if isinstance(c.product, (Fraction, float))]
                )
                if abs(as_float(known) - as_float(total)) > 1e-9 * size:
                    raise CheckError(
                        f"The derivative by {quantity.name} disagrees with that of its array.",
                        cure="This is a mistake in Backhand; please report it with the network.",
                    )
            return known

        return replace(CALCULUS, name="elements", forward=forward, gather=gather)

    def inputs(self, quantity: Quantity) -> dict[str, Value]:
        """The values of the names in a quantity's formula."""
        return {name: self.value(name) for name in self.graph.parents(quantity.name)}

    def children(self, parent: str) -> list[str]:
        """The quantities that use `parent` and on which the output depends, in order."""
        return [child for child in self.graph.children(parent) if self.propagation.needs(child)]

    def local_steps(self, parent: str) -> Iterator[LocalStep]:
        """The local derivatives by one quantity, one for each quantity that uses it."""
        for child in self.children(parent):
            yield self.local_step(child, parent)

    def local_step(self, child: str, parent: str) -> LocalStep:
        from backhand.core.differentiate import differentiate

        quantity = self.graph[child]
        assert quantity.definition is not None
        worked = differentiate(quantity.definition, parent, child)
        if self.graph.taken:
            factors = tuple(tuple(map(self.graph.spelled, way)) for way in worked.factors)
            worked = replace(worked, factors=factors, formula=self.graph.spelled(worked.formula))
        result = self.propagation.local(child, parent)
        return LocalStep(child, parent, worked, self.propagation.by_name, result, self.other_ways(parent, child))

    def gather_step(self, by: str) -> GatherStep:
        """The chain rule for one quantity."""
        ways = [
            Way(child, self.derivative(child), self.propagation.local(child, by), self.other_ways(by, child))
            for child in self.children(by)
        ]
        return GatherStep(self.of, by, tuple(ways))

    def other_ways(self, parent: str, child: str) -> bool:
        """Whether `parent` reaches `child` through another quantity as well as directly."""
        key = (parent, child)
        if key not in self._others:
            self._others[key] = _other_ways(self.graph, parent, child)
        return self._others[key]


def _other_ways(graph: Graph, parent: str, child: str) -> bool:
    """A search from the parent's other children, bounded by the child's position in topological order."""
    start, end = graph.index[parent], graph.index[child]
    levels = graph.levels
    if levels[end] == levels[start] + 1 or len(graph.child_lists[start]) == 1:
        return False
    todo = [c for c in graph.child_lists[start] if c < end]
    seen = set(todo)
    while todo:
        position = todo.pop()
        for following in graph.child_lists[position]:
            if following == end:
                return True
            if following < end and levels[following] < levels[end] and following not in seen:
                seen.add(following)
                todo.append(following)
    return False


def order_of_working(graph: Graph, needed: list[int]) -> list[str]:
    """Quantities in the order in which a person finds their derivatives: from the output's layer back, each layer
    from the top; then weights and biases in the order of the drawing; then targets and constants."""
    quantities = [graph.quantities[position] for position in needed]
    units = [q for q in quantities if q.place is not None]
    units.sort(key=lambda q: (-q.place.layer, q.place.row) if q.place else (0, 0))
    parameters = [q for q in quantities if q.kind in ("weight", "bias")]
    others = [q for q in quantities if q.kind in PARAMETERS and q.kind not in ("weight", "bias")]
    return [q.name for q in (*units, *parameters, *others)]
