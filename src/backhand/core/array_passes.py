"""Forward and backward through a network with arrays.

The way back is a formula for each occurrence of a name (`core.adjoints`), and its value is computed as
any other value is; so there is one arithmetic, and what is shown is what was done. Small networks are
worked out exactly, element by element, by the rows of single numbers; large ones in float64.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backhand import limits
from backhand.core import arrays as ar
from backhand.core.adjoints import Sent, Vjp, sent
from backhand.core.arithmetic import NoValue, TooLarge
from backhand.core.array_operations import INDEX
from backhand.core.arrays import Evaluator
from backhand.core.digits import leaf
from backhand.core.evaluate import Note
from backhand.core.formula import Apply, Ref, apply, names, postorder, to_text
from backhand.core.graph import Graph, Quantity
from backhand.core.operations import ADD
from backhand.core.shapes import shapes_in, size
from backhand.errors import LimitError, ReadError, UndefinedError, UsageError


def exactly(graph: Graph) -> bool:
    """Whether a network is small enough for exact numbers: counted in operations on single numbers."""
    shapes = {q.name: q.shape for q in graph.quantities}
    work = 0
    for quantity in graph.quantities:
        if not quantity.computed or quantity.definition is None:
            work += size(quantity.shape)
            continue
        found = shapes_in(quantity.definition, shapes)
        for node, shape in zip(postorder(quantity.definition), found, strict=True):
            if isinstance(node, Apply):
                work += size(shape) * _inner(node, shapes)
        if work > limits.EXACT_ELEMENTS:
            return False
    return work <= limits.EXACT_ELEMENTS


def _inner(node: Apply, shapes: Mapping[str, tuple[int, ...]]) -> int:
    """How many products an element of the result is made of."""
    match node.operation.name:
        case "@":
            return shapes_in(node.args[0], shapes)[-1][-1]
        case "conv1d" | "conv2d":
            kernel = shapes_in(node.args[1], shapes)[-1]
            return size(kernel if len(kernel) < 3 else kernel[1:])
        case _:
            return 1


@dataclass(slots=True, eq=False)
class Passes:
    """Values by name, and what they were computed with; makes backward passes for one output after another."""

    graph: Graph
    exact: bool
    note: Note
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    kept: dict[int, Any] = field(default_factory=dict[int, Any])
    numbers: dict[Any, int] = field(default_factory=dict[Any, int])

    def evaluator(self, adjoints: Mapping[str, Any], note: Note | None = None) -> Evaluator:
        made = Evaluator(self.values, adjoints, exact=self.exact, note=note or self.note, kept=self.kept)
        made.numbers = self.numbers
        return made

    def forward(self, about: Any, *, rounded: bool = False) -> None:
        """All values. `about` is told which quantity is at hand."""
        evaluator = self.evaluator({})
        for quantity in self.graph.quantities:
            about(quantity)
            self.values[quantity.name] = self._value(quantity, evaluator, rounded)

    def _value(self, quantity: Quantity, evaluator: Evaluator, rounded: bool) -> Any:
        if not quantity.computed:
            if quantity.array is not None:
                return ar.exact_array(quantity.array) if self.exact else ar.floats(quantity.array)
            given = Ref(quantity.name) if quantity.given is None else quantity.given
            return given if self.exact else ar.floats(given)
        assert quantity.definition is not None
        try:
            with np.errstate(divide="raise", invalid="raise", over="ignore", under="ignore"):
                value = evaluator.evaluate(quantity.definition, keep=quantity.name)
        except (NoValue, FloatingPointError) as error:
            why = "1/0, ln of 0, or an infinite element" if isinstance(error, FloatingPointError) else str(error)
            raise UndefinedError(
                f"{quantity.name} = {_short(quantity)} has no value: {why}.",
                quantity.span,
                cure="Change the numbers it is made of, or the formula.",
            ) from None
        except TooLarge as error:
            raise LimitError(
                f"{quantity.name} = {_short(quantity)} is too long a number: {error}.",
                quantity.span,
                cure="Use smaller numbers.",
            ) from None
        if not self.exact and not np.all(np.isfinite(value)):
            self.note("An element is too large for a float (beyond 1.8e308), so what follows from it is not known.")
        return np.broadcast_to(value, quantity.shape) if quantity.shape else value

    def backward(self, of: str, about: Any, vjp: Vjp | None = None) -> dict[str, Any]:
        """The derivative of `of`, a single number, by all that it depends on, each in the shape of what it is by."""
        shape = self.graph[of].shape
        if shape:
            element = "0, " * (len(shape) - 1) + "0"
            raise UsageError(
                f"{of} is {' x '.join(map(str, shape))} numbers; derivatives are of one.",
                self.graph[of].span,
                cure=f"Ask for one element, --of '{of}[{element}]', or for all with --pairs.",
            )
        adjoints: dict[str, Any] = {}
        evaluator = self.evaluator(adjoints)
        one: Any = ar.ONE if self.exact else 1.0
        adjoints[of] = one
        waiting: dict[str, list[Any]] = {}
        end = self.graph.index[of]
        for position in range(end, -1, -1):
            quantity = self.graph.quantities[position]
            about(quantity)
            if position != end:
                arrived = waiting.pop(quantity.name, None)
                if arrived is None:
                    continue
                adjoints[quantity.name] = self.gathered(quantity, arrived)
            if quantity.computed:
                found: dict[str, list[Any]] = {}
                for one_sent in sent(self.graph, quantity.name, of, vjp):
                    found.setdefault(one_sent.parent, []).append(self.worth(one_sent, evaluator))
                for name in names(quantity.definition):  # type: ignore[arg-type]
                    if name in found:
                        waiting[name] = [*found[name], *waiting.get(name, [])]
                    else:
                        waiting.setdefault(name, [])
        return adjoints

    def worth(self, what: Sent, evaluator: Evaluator) -> Any:
        """The value of what comes back along one occurrence."""
        with np.errstate(all="ignore"):
            try:
                value = evaluator.evaluate(what.formula)
            except (NoValue, TooLarge):
                self.note("It has no finite slope there, so no number is given for the derivative.")
                value = float("nan")
        shape = self.graph[what.parent].shape
        return np.broadcast_to(ar.boxed(value) if self.exact else value, shape) if shape else value

    def gathered(self, quantity: Quantity, arrived: Sequence[Any]) -> Any:
        """The sum over all ways."""
        if not arrived:
            zero: Any = ar.ZERO if self.exact else 0.0
            return (ar.EXACT if self.exact else ar.FLOATS).full(quantity.shape, zero) if quantity.shape else zero
        total = arrived[0]
        for other in arrived[1:]:
            total = ar.lifted(ADD, [total, other]) if self.exact else total + other
        return total


def _short(quantity: Quantity, most: int = 60) -> str:
    assert quantity.definition is not None
    text = to_text(quantity.definition)
    return text if len(text) <= most else text[: most - 3] + "..."


def rounded_leaves(value: Any) -> Any:
    """Fractions as floats that can tell their digits."""
    if not ar.is_array(value):
        return leaf(value)
    return np.frompyfunc(leaf, 1, 1)(value)


def elements(graph: Graph, of: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The elements of a quantity by name: `y[0,1]`."""
    for place in np.ndindex(graph[of].shape):
        yield f"{of}[{','.join(map(str, place))}]", place


ELEMENT = re.compile(r"(.+)\[([0-9, ]+)\]")


def with_output(graph: Graph, of: str | None) -> tuple[Graph, str | None]:
    """A network in which an element that is asked for, `y[0,1]`, is a quantity of its own."""
    if of is None or of in graph:
        return graph, of
    match = ELEMENT.fullmatch(of)
    if match is None or match[1] not in graph:
        return graph, of
    place = tuple(int(n) for n in match[2].split(","))
    name = f"{match[1]}[{','.join(map(str, place))}]"
    formula = apply(INDEX, Ref(match[1]), params=(("key", place),))
    try:
        return Graph.of([*graph.quantities, Quantity(name, "computed", formula)], graph.asks, graph.notices), name
    except ReadError as error:
        raise UsageError(error.what, cure=error.cure) from None
