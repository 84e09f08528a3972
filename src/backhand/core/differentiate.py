"""The local derivative of a formula by a name in it, as a formula.

    d/dD (D - t)^2 = 2 (D - t)        d/dz sigmoid(z) = h (1 - h), where h is the quantity so defined

The rows' partials are put together along the way from the root of the formula to each occurrence
of the name, and tidied only as `core.algebra` does. `y` in a row is the operation's result: at the
root that is the quantity itself, so its own name is written.
"""

from __future__ import annotations

from dataclasses import dataclass

from backhand.core import algebra
from backhand.core.evaluate import row_formula
from backhand.core.formula import Apply, Formula, Ref, postorder


@dataclass(frozen=True, slots=True, eq=False)
class Worked:
    """A local derivative worked out: the product of partials for each occurrence, before and after tidying,
    and the names of the rules used, outermost first."""

    factors: tuple[tuple[Formula, ...], ...]
    formula: Formula
    rules: tuple[str, ...]


def differentiate(definition: Formula, by: str, result: str = "") -> Worked:
    """The derivative of `definition` by the name `by`, other names held fixed. `result` names the value itself.

    >>> from backhand.core.formula import to_text
    >>> from backhand.core.notation import formula
    >>> to_text(differentiate(formula("(D - t)^2"), "D").formula)
    '2 (D - t)'
    """
    factors: list[tuple[Formula, ...]] = []
    rules: dict[str, None] = {}
    for way in _ways(definition, by):
        chain: list[Formula] = []
        for depth, (node, position) in enumerate(way):
            own = Ref(result) if depth == 0 and result and not _infix(node) else node
            chain.append(_partial(node, position, own))
            rules.setdefault(_rule(node, position, by))
        factors.append(tuple(chain))
    total: Formula = algebra.ZERO
    for partials in factors:
        product: Formula = algebra.ONE
        for factor in partials:
            product = algebra.multiply(product, factor)
        total = algebra.add(total, product)
    return Worked(tuple(factors), total, tuple(rules))


def _infix(node: Apply) -> bool:
    return node.operation.name in ("+", "-", "*", "/", "^", "neg")


def _ways(definition: Formula, by: str) -> list[list[tuple[Apply, int]]]:
    """For each occurrence of the name, the operations from the root to it with the argument taken."""
    found: list[list[tuple[Apply, int]]] = []
    above, places = _seen_above(definition)
    for at in places.get(by, ()):
        way: list[tuple[Apply, int]] = []
        while at in above:
            parent, k, at = above[at]
            way.append((parent, k))
        found.append(way[::-1])
    return found


Above = tuple[dict[int, tuple[Apply, int, int]], dict[str, list[int]]]
"""For each part the operation above it and which argument it is; and where each name occurs."""

_last: dict[int, tuple[Formula, Above]] = {}
"""The last few formulas, by identity: one is differentiated by each of its names in turn."""


def _seen_above(definition: Formula) -> Above:
    known = _last.get(id(definition))
    if known is not None and known[0] is definition:
        return known[1]
    found = _above(definition)
    if len(_last) >= 64:
        del _last[next(iter(_last))]
    _last[id(definition)] = (definition, found)
    return found


def _above(definition: Formula) -> Above:
    nodes = postorder(definition)
    above: dict[int, tuple[Apply, int, int]] = {}
    places: dict[str, list[int]] = {}
    stack: list[int] = []
    for position, node in enumerate(nodes):
        if isinstance(node, Apply):
            count = len(node.args)
            for k, arg in enumerate(stack[len(stack) - count :] if count else []):
                above[arg] = (node, k, position)
            if count:
                del stack[len(stack) - count :]
        elif isinstance(node, Ref):
            places.setdefault(node.name, []).append(position)
        stack.append(position)
    for position in sorted(above, reverse=True):
        parent, k, at = above[position]
        if at in above and parent.operation.partials[k] == "1" == above[at][0].operation.partials[above[at][1]]:
            above[position] = above[at]  # a term of a long sum: one step with the slope 1, not one for every sign
    return above, places


def _partial(node: Apply, position: int, own: Formula) -> Formula:
    """The row's partial with the node's own arguments put in."""
    row = node.operation
    if row.partials[position] == "1":
        return algebra.ONE
    letters: dict[str, Formula] = dict(zip(row.arguments, node.args, strict=True))
    letters["y"] = own
    partial = row_formula(row.partials[position])
    return letters[partial.name] if isinstance(partial, Ref) else algebra.substitute(partial, letters)


def _rule(node: Apply, position: int, by: str) -> str:
    """The rule's name; a product with a factor that does not vary is a constant factor, and so on."""
    row = node.operation
    if row.name == "*":
        other = node.args[1 - position]
        if not any(isinstance(n, Ref) and n.name == by for n in postorder(other)):
            return "constant factor"
    if row.name == "/" and position == 0:
        return "constant factor"
    if row.name == "^" and position == 1:
        return "exponential rule"
    return row.rule
