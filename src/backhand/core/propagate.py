"""Forward once, backward once: all values, and the derivative of one output by everything.

    propagation = propagate(graph)            of the graph's output, with CALCULUS
    propagation.value("B1"), propagation.derivative("B1"), propagation.contributions("B1")

The backward pass visits quantities in reverse topological order: each gathers what its children
sent, then sends to its parents what it gathered times the local derivative. With `numbers="float"`
and the right rules the passes run as generated code over flat lists (`core.kernels`); otherwise one
readable loop serves exact numbers, floats, symbols and any set of rules. Contributions are views:
made when looked at, kept by nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from backhand import limits
from backhand.core import evaluate as ev
from backhand.core.digits import leaf
from backhand.core.evaluate import Value
from backhand.core.formula import Formula, Ref, Slope, longer
from backhand.core.graph import Graph, Quantity
from backhand.core.notation import Notice
from backhand.core.operations import ADD
from backhand.core.rules import CALCULUS, ZERO, Contribution, Rules, slopes
from backhand.errors import UndefinedError
from backhand.memory import uncollected

if TYPE_CHECKING:
    from backhand.core.array_passes import Passes

Numbers: TypeAlias = Literal["exact", "float", "rounded"]
"""Fractions as long as they last; plain floats, which are fast; floats that can tell their true digits."""


@dataclass(slots=True, eq=False, repr=False)
class Propagation:
    """Values and adjoints of a graph under a set of rules, by position in `graph.quantities`.

    `adjoints[i]` is the derivative of `of` by quantity i; None where `of` does not depend on it.
    """

    graph: Graph
    rules: Rules
    of: str
    values: Sequence[Value]
    adjoints: Sequence[Value | None]
    notices: tuple[Notice, ...] = ()
    numbers: Numbers = "exact"
    passes: Passes | None = None
    """What went through a network of arrays."""
    _locals: dict[str, dict[str, Value]] = field(default_factory=dict[str, "dict[str, Value]"])
    _views: dict[str, tuple[Contribution, ...]] = field(default_factory=dict[str, "tuple[Contribution, ...]"])

    def value(self, name: str) -> Value:
        """The value of a quantity; of an element of an array by `W1[0,1]`."""
        if self.passes is not None and name not in self.graph:
            return self._element(name, self.value)
        return self.values[self.graph.index[self.graph[name].name]]

    def derivative(self, by: str) -> Value:
        """The derivative of the output by a quantity: 0 for what it does not depend on."""
        if self.passes is not None and by not in self.graph:
            return self._element(by, self.derivative)
        position = self.graph.index[self.graph[by].name]
        adjoint = self.adjoints[position]
        if adjoint is None:
            return ZERO if self.passes is None else self.passes.gathered(self.graph.quantities[position], ())
        return self.rules.report(self.graph.quantities[position], self.values[position], adjoint)

    def _element(self, name: str, looked_up: Callable[[str], Any]) -> Value:
        """The element of an array by its name. Raises ReadError or UsageError for a name that is none."""
        from backhand.core.array_passes import known_element

        whole, place = known_element(self.graph, name)
        found: Value = looked_up(whole)[place] if place else looked_up(whole)
        return found

    def needs(self, name: str) -> bool:
        """Whether the output depends on a quantity."""
        return self.adjoints[self.graph.index[name]] is not None

    @property
    def by_name(self) -> Mapping[str, Value]:
        """Values by name."""
        return ByName(self.graph, self.values)

    def contributions(self, parent: str) -> tuple[Contribution, ...]:
        """What each occurrence of a quantity sends back to it, in the order of its children."""
        found: list[Contribution] = []
        for child in self.graph.children(parent):
            if self.needs(child):
                found += [c for c in self.sent(child) if c.parent == parent]
        return tuple(found)

    def sent(self, child: str) -> tuple[Contribution, ...]:
        """What a quantity sends to each occurrence in its formula, from left to right."""
        if child in self._views:
            return self._views[child]
        position = self.graph.index[child]
        upstream = self.adjoints[position]
        assert upstream is not None
        made = tuple(
            _sent(self.graph, self.graph.quantities[position], self.by_name, upstream, rules=self.rules, note=ev.quiet)
        )
        if len(self._views) > 64:
            self._views.clear()
        self._views[child] = made
        return made

    def local(self, child: str, parent: str) -> Value:
        """The local derivative of a quantity by one in its own formula: all occurrences, others held fixed."""
        known = self._locals.get(child)
        if known is None:
            known = {}
            for name, slope in spelled_slopes(self.graph, self.graph[child], self.by_name, self.rules, ev.quiet):
                known[name] = ev.apply_operation(ADD, [known[name], slope]) if name in known else slope
            if len(self._locals) >= 4096:
                self._locals.clear()
            self._locals[child] = known
        return known.get(parent, ZERO)


class ByName(Mapping[str, Value]):
    """A list of values, looked up by the names of a graph."""

    __slots__ = ("_index", "_values", "_graph")

    def __init__(self, graph: Graph, values: Sequence[Value]) -> None:
        self._graph = graph
        self._index = graph.index
        self._values = values

    def __getitem__(self, name: str) -> Value:
        return self._values[self._index[name]]

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self._index)

    def __len__(self) -> int:
        return len(self._index)


@uncollected()
def propagate(
    graph: Graph, rules: Rules = CALCULUS, *, of: str | None = None, numbers: Numbers = "exact"
) -> Propagation:
    """All values and the derivatives of one output (the graph's, or `of`) by all it depends on.

    Raises UndefinedError where a value does not exist.

    >>> from backhand.readers.bh import read
    >>> from backhand.text import Source
    >>> found = propagate(read(Source("a = 3; b".replace("; b", "") + chr(10) + "b = a + a" + chr(10) + "L = b^2")))
    >>> found.derivative("a")
    Fraction(24, 1)
    """
    if graph.arrays:
        return _with_arrays(graph, of, numbers)
    output, notice = graph.output(of)
    if numbers == "float" and rules is CALCULUS:
        from backhand.core.kernels import propagate_floats

        fast = propagate_floats(graph, output)
        if fast is not None:
            values, adjoints, notices = fast
            return Propagation(graph, rules, output, values, adjoints, (*_listed(notice), *notices), numbers)
    notes = _Notes(graph)
    values = forward(graph, rules, notes, numbers)
    adjoints = backward(graph, values, output, rules, notes)
    return Propagation(graph, rules, output, values, adjoints, (*_listed(notice), *notes.notices), numbers)


def _with_arrays(graph: Graph, of: str | None, numbers: Numbers) -> Propagation:
    """Through a network of arrays."""
    from backhand.core.array_passes import Passes, with_output, work_of

    graph, of = with_output(graph, of)
    output, notice = graph.output(of)
    notes = _Notes(graph)
    work = work_of(graph)
    small = work.small
    symbols = [q for q in graph.quantities if q.symbolic]
    if symbols and not small:
        raise UndefinedError(
            f"{symbols[0].name} has no value, and a network of this size is worked out in floats.",
            symbols[0].span,
            cure=f"Write {symbols[0].name} = 1, or any other number.",
        )
    exact = small and (numbers != "float" or bool(symbols))
    if numbers == "exact" and not exact:
        notice_of_size = Notice(
            f"Here are more than {work.most} operations on single numbers, so all are floats of 16 digits."
        )
        notes.found["", ""] = notice_of_size
    passes = Passes(graph, exact, notes)

    def about(quantity: Quantity) -> None:
        notes.about = quantity

    passes.forward(about)
    adjoints = passes.backward(output, about)
    values = [passes.values[q.name] for q in graph.quantities]
    found = [adjoints.get(q.name) for q in graph.quantities]
    kept: Numbers = "exact" if exact else "float"
    return Propagation(graph, CALCULUS, output, values, found, (*_listed(notice), *notes.notices), kept, passes)


def _listed(notice: Notice | None) -> tuple[Notice, ...]:
    return () if notice is None else (notice,)


def forward(graph: Graph, rules: Rules, notes: _Notes, numbers: Numbers = "exact") -> list[Value]:
    """The value of every quantity, in order."""
    values: list[Value] = []
    known = ByName(graph, values)
    for quantity in graph.quantities:
        notes.about = quantity
        if not quantity.computed:
            value: Value = Ref(quantity.name) if quantity.given is None else quantity.given
        else:
            value = graph.spelled(rules.forward(quantity, known, notes))
        if numbers != "exact" and isinstance(value, Fraction):
            value = ev.as_float(value) if numbers == "float" else leaf(value)
        if isinstance(value, Formula) and longer(value, limits.SYMBOLIC):
            notes(f"The formula of {quantity.name} in symbols is too long to write out; its name stands for it.")
            value = Ref(quantity.name)
        values.append(value)
    return values


def backward(graph: Graph, values: Sequence[Value], of: str, rules: Rules, notes: _Notes) -> list[Value | None]:
    """The derivative of `of` by every quantity it depends on, in order; None for the others."""
    known = ByName(graph, values)
    adjoints: list[Value | None] = [None] * len(graph)
    waiting: dict[int, list[list[Contribution]]] = {}
    end = graph.index[of]
    for position in range(end, -1, -1):
        quantity = graph.quantities[position]
        notes.about = quantity
        if position == end:
            adjoint = rules.seed(graph, of)
        elif position in waiting:
            arrived = [c for group in reversed(waiting.pop(position)) for c in group]
            adjoint = rules.gather(graph, quantity, arrived)
            _watch_cancelling(adjoint, arrived, notes)
        else:
            continue
        if isinstance(adjoint, Formula) and longer(adjoint, limits.SYMBOLIC):
            adjoint = Slope(of, quantity.name)
        adjoints[position] = adjoint = graph.spelled(adjoint)
        if quantity.computed:
            for parent, group in _grouped(_sent(graph, quantity, known, adjoint, rules=rules, note=notes)):
                waiting.setdefault(graph.index[parent], []).append(group)
    return adjoints


def _sent(
    graph: Graph, quantity: Quantity, known: Mapping[str, Value], upstream: Value, *, rules: Rules, note: ev.Note
) -> list[Contribution]:
    """What a quantity sends back to each occurrence in its formula."""
    counts: dict[str, int] = {}
    found: list[Contribution] = []
    for parent, slope in spelled_slopes(graph, quantity, known, rules, note):
        occurrence = counts.get(parent, 0)
        counts[parent] = occurrence + 1
        found.append(Contribution(quantity.name, parent, occurrence, upstream, slope, rules.send(upstream, slope)))
    return found


def spelled_slopes(
    graph: Graph, quantity: Quantity, known: Mapping[str, Value], rules: Rules, note: ev.Note
) -> list[tuple[str, Value]]:
    """The derivative of a quantity's formula by each occurrence of a name in it."""
    assert quantity.definition is not None
    found = slopes(quantity.definition, known, rules, note, known[quantity.name] if rules is CALCULUS else None)
    return [(name, graph.spelled(slope)) for name, slope in found] if graph.taken else found


def _watch_cancelling(adjoint: Value, arrived: Sequence[Contribution], notes: _Notes) -> None:
    """Rounded ways that nearly cancel leave floats few true digits."""
    if isinstance(adjoint, float):
        largest = max((abs(c.product) for c in arrived if isinstance(c.product, float)), default=0.0)
        if abs(adjoint) < 1e-8 * largest:
            notes(_CANCEL[type(adjoint) is float, bool(adjoint)])


_CANCEL = {
    (True, True): "Its ways to the output nearly cancel, so most digits of the derivative by it are lost to rounding.",
    (True, False): "Its ways to the output cancel as far as floats can tell; the derivative by it may not be 0.",
    (
        False,
        True,
    ): "Its ways to the output nearly cancel: a calculator of 16 digits loses most digits of the derivative.",
    (
        False,
        False,
    ): "Its ways to the output cannot be told from cancelling in 400 digits; the derivative is taken as 0.",
}
"""By whether the derivative is a plain float, and whether something is left."""


def _grouped(sent: list[Contribution]) -> list[tuple[str, list[Contribution]]]:
    groups: dict[str, list[Contribution]] = {}
    for contribution in sent:
        groups.setdefault(contribution.parent, []).append(contribution)
    return list(groups.items())


class _Notes:
    """Collects notices, each once a quantity, with the quantity's name and place."""

    def __init__(self, graph: Graph) -> None:
        self.found: dict[tuple[str, str], Notice] = {}
        self.about: Quantity | None = None

    def __call__(self, words: str) -> None:
        about = self.about
        assert about is not None
        self.found.setdefault((about.name, words), Notice(f"{about.name}: {words}", about.span))

    @property
    def notices(self) -> tuple[Notice, ...]:
        return tuple(self.found.values())


def tangents(
    graph: Graph, values: Sequence[Value], directions: Mapping[str, Value], rules: Rules = CALCULUS
) -> list[Value]:
    """Forward mode: how fast each quantity changes when the given ones change at the rates `directions`.

    Dual numbers: every elementary operation carries (value, tangent), with
    tangent = sum over arguments of partial x tangent of the argument. A computed quantity with a
    direction changes at that rate by itself, on top of what its formula gives.
    """
    from backhand.core.dual import dual

    known = ByName(graph, values)
    found: list[Value] = []
    rates = ByName(graph, found)
    for quantity in graph.quantities:
        rate = directions.get(quantity.name, ZERO)
        if quantity.computed:
            assert quantity.definition is not None
            rate = ev.apply_operation(ADD, [rate, dual(quantity.definition, known, rates, rules)])
        found.append(rate)
    return found


def derivatives_of(propagation: Propagation, of: str) -> list[Value | None]:
    """The derivatives of another output, with the values already known: one more backward pass."""
    return backward(propagation.graph, propagation.values, of, propagation.rules, _Notes(propagation.graph))
