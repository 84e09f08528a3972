"""How derivatives travel: six rules, and `CALCULUS`, the right set of them.

    forward   the value of a quantity from the values in its formula
    seed      what the output starts with: dL/dL = 1
    local     the partial derivative of an elementary operation by one of its arguments
    send      what goes back along one occurrence: upstream x local
    gather    what a quantity makes of all that comes back to it: the sum over all ways
    report    what is written down as the derivative

To model a wrong belief, replace one rule: `replace(CALCULUS, gather=only_the_first)`. Everything
downstream of the belief then comes out as that person would get it.

The parts of a network that rules see are a Contribution: the occurrence of a parent in a child's
formula, with what came from above, the local derivative, and their product.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from backhand.core import evaluate as ev
from backhand.core.arithmetic import NoValue, TooLarge
from backhand.core.evaluate import Note, Value
from backhand.core.formula import Apply, Formula, Num, Ref, postorder
from backhand.core.graph import Graph, Quantity
from backhand.core.operations import ADD, MULTIPLY, Operation

ONE, ZERO = Fraction(1), Fraction(0)
NAN = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Contribution:
    """What one occurrence of `parent` in the formula of `child` sends back: `product` = `upstream` x `local`."""

    child: str
    parent: str
    occurrence: int
    upstream: Value
    local: Value
    product: Value


Forward: TypeAlias = Callable[[Quantity, Mapping[str, Value], Note], Value]
Seed: TypeAlias = Callable[[Graph, str], Value]
Local: TypeAlias = Callable[[Operation, int, Sequence[Value], Value, Note], Value]
Send: TypeAlias = Callable[[Value, Value], Value]
Gather: TypeAlias = Callable[[Graph, Quantity, Sequence[Contribution]], Value]
Report: TypeAlias = Callable[[Quantity, Value, Value], Value]


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """One way to propagate; `dataclasses.replace` makes another."""

    name: str
    forward: Forward
    seed: Seed
    local: Local
    send: Send
    gather: Gather
    report: Report


# -- the right rules --------------------------------------------------------------------------------------


def forward(quantity: Quantity, values: Mapping[str, Value], note: Note) -> Value:
    """The value of the quantity's formula."""
    assert quantity.definition is not None
    return ev.evaluate_quantity(quantity.name, quantity.definition, values, quantity.span, note)


def seed(graph: Graph, of: str) -> Value:
    """dL/dL = 1."""
    return ONE


def local(operation: Operation, position: int, args: Sequence[Value], y: Value, note: Note) -> Value:
    """The row's partial derivative at these arguments; at a kink by the row's convention, with a note.

    Where the slope is infinite or not defined the result is nan, with a note.
    """
    values = dict(zip(operation.arguments, args, strict=True))
    values["y"] = y
    for kink in operation.kinks:
        if ev.evaluate(ev.row_formula(kink.at), values) == 0:
            note(f"{_shown(operation, args)} stands at a corner of {operation.name}: {kink.convention}.")
    try:
        return ev.evaluate(ev.row_formula(operation.partials[position]), values, quiet_powers(note))
    except (NoValue, TooLarge):
        note(f"{_shown(operation, args)} has no finite slope there, so no number is given for the derivative.")
        return NAN


def quiet_powers(note: Note) -> Note:
    """Inside a partial, u^0 at u = 0 is the rule's own business (the slope of x^1) and no news."""
    return lambda words: None if words.startswith("0^0") else note(words)


def _shown(operation: Operation, args: Sequence[Value]) -> str:
    """The operation with its numbers, in words of the notation: relu(0), max(2, 2), 0^0."""
    from backhand.numbers import show

    texts = [show(a).text if isinstance(a, (Fraction, float)) else "?" for a in args]
    if operation.name in ("+", "-", "*", "/", "^"):
        return operation.name.join(f"({t})" if t.startswith("-") else t for t in texts)
    return f"{operation.name}({', '.join(texts)})"


def send(upstream: Value, slope: Value) -> Value:
    """Chain rule: upstream x local."""
    if upstream is ONE:
        return slope
    return ev.apply_operation(MULTIPLY, [upstream, slope])


def gather(graph: Graph, quantity: Quantity, contributions: Sequence[Contribution]) -> Value:
    """Add over all ways."""
    if not contributions:
        return ZERO
    total = contributions[0].product
    for contribution in contributions[1:]:
        total = ev.apply_operation(ADD, [total, contribution.product])
    return total


def report(quantity: Quantity, value: Value, adjoint: Value) -> Value:
    """The derivative as it is."""
    return adjoint


CALCULUS = Rules("calculus", forward, seed, local, send, gather, report)
"""The rules of calculus."""


# -- inside one formula -------------------------------------------------------------------------------------


def slopes(
    formula: Formula,
    values: Mapping[str, Value],
    rules: Rules,
    note: Note,
    result: Value | None = None,
    *,
    replaced: Mapping[str, Value] | None = None,
) -> list[tuple[str, Value]]:
    """The derivative of a formula by each occurrence of a name in it, from left to right.

    Backwards through the elementary operations of the formula, with the rules `local` and `send`;
    values inside it are exact, float or symbolic as they come. `result` is the value of the whole, if it is known:
    a rounded number that remembers what it was made of is then kept once. `replaced` has names whose value has been
    changed since: the way back meets the new one where the name itself stands, all else is as it was.
    """
    nodes = postorder(formula)
    worth: list[Value] = []
    inputs: list[list[int]] = []
    stack: list[int] = []
    varies: list[bool] = []
    for position, node in enumerate(nodes):
        match node:
            case Apply():
                count = len(node.args)
                args = stack[len(stack) - count :]
                del stack[len(stack) - count :]
                worth.append(ev.apply_operation(node.operation, [worth[a] for a in args]))
                varies.append(any(varies[a] for a in args))
                inputs.append(args)
            case Ref():
                worth.append(values[node.name])
                varies.append(True)
                inputs.append([])
            case Num():
                worth.append(node.value)
                varies.append(False)
                inputs.append([])
            case _:
                raise AssertionError(node)
        stack.append(position)
    if isinstance(result, float):
        worth[-1] = result
    for position, node in enumerate(nodes if replaced else ()):
        if isinstance(node, Ref) and replaced and node.name in replaced:
            worth[position] = replaced[node.name]
    coming: list[Value] = [ZERO] * len(nodes)
    coming[-1] = ONE
    for position in range(len(nodes) - 1, -1, -1):
        node = nodes[position]
        if not isinstance(node, Apply) or not varies[position]:
            continue
        args = [worth[a] for a in inputs[position]]
        for k, arg in enumerate(inputs[position]):
            if varies[arg]:
                slope = rules.local(node.operation, k, args, worth[position], note)
                coming[arg] = rules.send(coming[position], slope)
    return [(node.name, coming[p]) for p, node in enumerate(nodes) if isinstance(node, Ref)]
