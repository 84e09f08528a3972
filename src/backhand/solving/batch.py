"""A batch, example by example: the derivatives that each of its rows has alone, and how they make up those of all.

    L = mean(cross_entropy(p, t))      dL/dW = (dL_1/dW + ... + dL_n/dW)/n
    L = sum(cross_entropy(p, t))       dL/dW =  dL_1/dW + ... + dL_n/dW

Example i is the network with row i alone in the arrays of the batch; L_i is its output. Whether L is the mean or the
sum of the L_i, and its derivatives with it, is not guessed from the formula: it is compared. Where neither is so (batch
normalisation makes rows depend on each other) that is said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal, TypeAlias

import numpy as np

from backhand import limits
from backhand.core import arrays as ar
from backhand.core.evaluate import Value
from backhand.core.graph import Graph
from backhand.core.operations import ADD, DIVIDE
from backhand.core.propagate import Numbers, Propagation, propagate
from backhand.core.shapes import size
from backhand.errors import BackhandError, LimitError, UsageError
from backhand.numbers import as_float

Kind: TypeAlias = Literal["mean", "sum", "only"]
"""What the output is of those of the examples; `only`: there is one example."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PerExample:
    """The outputs of the examples, and their derivatives by each of `by`; `whole` has those of the batch."""

    of: str
    batch: tuple[str, ...]
    by: tuple[str, ...]
    kind: Kind
    outputs: tuple[Value, ...]
    gradients: tuple[dict[str, Value], ...]
    whole: dict[str, Value]

    def __len__(self) -> int:
        return len(self.outputs)

    def __repr__(self) -> str:
        return f"<PerExample: {self.of} is the {self.kind} of {len(self)} by {', '.join(self.batch)}>"


def per_example(
    graph: Graph,
    *,
    of: str | None = None,
    batch: Sequence[str],
    by: Sequence[str] = (),
    numbers: Numbers = "exact",
) -> PerExample:
    """The derivatives of each example by the weights and biases, or by what `by` names.

    `batch` names the arrays whose first axis counts the examples; targets with as many rows belong to it without being
    named. Raises UsageError where the output is neither the mean nor the sum of those of the examples."""
    together = propagate(graph, of=of, numbers=numbers)
    of = together.of
    names = _batch(graph, batch)
    count = graph[names[0]].shape[0]
    chosen = tuple(graph[name].name for name in by) or tuple(
        q.name for q in graph.quantities if q.kind in ("weight", "bias") and together.needs(q.name)
    )
    _check(graph, of, names, chosen, count)
    alone = [_alone(graph, of, names, row, together.numbers) for row in range(count)]
    outputs = tuple(one.value(of) for one in alone)
    gradients = tuple({name: one.derivative(name) for name in chosen} for one in alone)
    whole = {name: together.derivative(name) for name in chosen}
    found = PerExample(of, names, chosen, "mean", outputs, gradients, whole)
    return replace(found, kind=_kind(graph, together, found))


def _batch(graph: Graph, batch: Sequence[str]) -> tuple[str, ...]:
    """The arrays of the batch, with the targets that go with them."""
    if not batch:
        raise UsageError("No array is named whose rows are the examples.", cure="Name it: --per-example X.")
    for name in batch:
        quantity = graph[name]
        if quantity.computed or not quantity.shape:
            what = "computed" if quantity.computed else "a single number"
            raise UsageError(
                f"{name} is {what}; examples are the rows of a given array.", quantity.span, cure="Name the inputs."
            )
    named = {graph[name].name for name in batch}
    count = graph[batch[0]].shape[0]
    named |= {q.name for q in graph.quantities if q.kind == "target" and q.shape[:1] == (count,)}
    found = tuple(q.name for q in graph.quantities if q.name in named)
    for name in found:
        if graph[name].shape[0] != count:
            raise UsageError(
                f"{batch[0]} has {count} rows and {name} has {graph[name].shape[0]}, so their rows are no examples.",
                graph[name].span,
                cure="Name arrays with as many rows.",
            )
    return found


def _check(graph: Graph, of: str, names: Sequence[str], by: Sequence[str], count: int) -> None:
    if not by:
        raise UsageError(f"{of} depends on nothing that is called a weight or a bias.", cure="Say by what: --wrt W.")
    for name in by:
        if graph[name].computed or name in names:
            what = "computed" if graph[name].computed else "one of the arrays of the batch"
            raise UsageError(f"{name} is {what}, and not what the examples share.", cure="Name weights and biases.")
    numbers = count * sum(size(graph[name].shape) for name in by)
    if numbers > limits.ELEMENTS:
        raise LimitError(
            f"{count} examples have {numbers} derivatives here; at most {limits.ELEMENTS} are kept.",
            cure="Ask for fewer with --wrt.",
        )


def _alone(graph: Graph, of: str, names: Sequence[str], row: int, numbers: Numbers) -> Propagation:
    """The network with one row of the batch. Shapes are settled again."""
    quantities = [
        replace(q, array=q.array[row : row + 1], definition=None, shape=(1, *q.shape[1:]))
        if q.name in names and q.array is not None
        else q
        for q in graph.quantities
    ]
    try:
        return propagate(Graph.of(quantities), of=of, numbers=numbers)
    except BackhandError as error:
        raise UsageError(
            f"With one row of {' and '.join(names)} alone the network does not work: {error.what}",
            error.span,
            cure=error.cure + _others(graph, names),
        ) from None


def _others(graph: Graph, names: Sequence[str]) -> str:
    """Arrays that may belong to the batch, too."""
    count = graph[names[0]].shape[:1]
    found = [q.name for q in graph.quantities if not q.computed and q.shape[:1] == count and q.name not in names]
    if not found:
        return ""
    return f" If the rows of {' and '.join(found[:4])} are of the examples, too, name them."


def _kind(graph: Graph, together: Propagation, found: PerExample) -> Kind:
    """Mean or sum, by comparing the output and all derivatives."""
    exact = together.passes is not None and together.passes.exact
    of, count = found.of, len(found)
    sums = [(added(found.outputs, exact=exact), together.value(of))]
    sums += [(added([g[name] for g in found.gradients], exact=exact), found.whole[name]) for name in found.by]
    is_sum = all(_alike(total, whole) for total, whole in sums)
    is_mean = all(_alike(divided(total, count, exact=exact), whole) for total, whole in sums)
    if is_sum and is_mean:
        return "only" if count == 1 else "mean"  # everything is 0, and a mean is as true
    if is_sum or is_mean:
        return "sum" if is_sum else "mean"
    raise UsageError(
        f"{of} is neither the mean nor the sum of what it is for the rows of {' and '.join(found.batch)} alone.",
        graph[of].span,
        cure="Rows must not depend on each other (batchnorm makes them), and what belongs to no row, a penalty on the "
        "weights, may only be added to a mean." + _others(graph, found.batch),
    )


def added(parts: Sequence[Any], *, exact: bool) -> Any:
    """The sum of values of one shape."""
    total = parts[0]
    for part in parts[1:]:
        total = ar.lifted(ADD, [total, part]) if exact else total + part
    return total


def divided(value: Any, count: int, *, exact: bool) -> Any:
    """A value over the number of examples."""
    return ar.lifted(DIVIDE, [value, Fraction(count)]) if exact else value / count


def _alike(one: Any, other: Any) -> bool:
    """Whether two values agree: to 1e-9 of the largest, for rounding on different ways."""
    flat: Callable[[Any], Any] = lambda value: np.array([as_float(n) for n in ar.boxed(value).reshape(-1)])  # noqa: E731
    first, second = flat(one), flat(other)
    largest = max(float(np.max(np.abs(first))), float(np.max(np.abs(second))))
    return bool(np.all(np.abs(first - second) <= 1e-9 * largest))
