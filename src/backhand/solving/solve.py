"""The verb `solve`: a network to its Solution.

Values forward, derivatives backward, and a second method (`cross_check`) that has to agree before
anything is handed out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import get_args

from backhand.core.graph import Graph, Update, a_network
from backhand.core.propagate import Numbers, Propagation, propagate
from backhand.errors import UsageError
from backhand.solving.cross_check import cross_check
from backhand.solving.solution import Language, Layout, Solution, order_of_working


def solve(
    graph: Graph,
    *,
    of: str | None = None,
    wrt: Sequence[str] | None = None,
    pairs: bool = False,
    paths: bool = False,
    numbers: Numbers = "exact",
    title: str = "",
    layout: Layout | None = None,
    step: Update | None = None,
    second: bool = False,
    batch: Sequence[str] = (),
    code: Language | None = None,
) -> Solution:
    """Every value, and the derivatives of one output by everything it depends on (or by `wrt`).

    `pairs` adds the derivative of every computed quantity by every quantity, `paths` all ways from
    each input to the output. `numbers="float"` gives up exactness for speed on large networks. `layout` says how arrays
    are shown. `step` asks for a step of gradient descent besides, as a line of the network does, `second` for the
    second derivatives, `batch` for the derivatives of each example of a batch, whose rows these arrays have, `code` for
    both passes as a program in that language.
    `of` and `wrt` may name elements of arrays: `W1[0,1]`.
    Raises UndefinedError where a value does not exist, UsageError for an unknown name.

    >>> from backhand.readers import read
    >>> solve(read("a = 3" + chr(10) + "L = (a - 1)^2")).derivative("a")
    Fraction(4, 1)
    """
    if code is not None and code not in get_args(Language):
        raise UsageError(f"There is no code in {code}.", cure=f"Known: {', '.join(get_args(Language))}.")
    wrt = (wrt,) if isinstance(wrt, str) else wrt
    propagation = propagate(a_network(graph), of=of, numbers=numbers)
    graph = propagation.graph
    needed = [position for position, adjoint in enumerate(propagation.adjoints) if adjoint is not None]
    names = [by_name(propagation, name) for name in wrt] if wrt else asked(graph, propagation, needed)
    solution = Solution(graph, propagation, propagation.of, tuple(names), cross_check(propagation), title=title)
    solution.layout = layout or solution.layout
    solution.code = code
    if (update := step or graph.update) is not None:
        from backhand.solving.stepping import descend

        solution.after_step = descend(graph, update, of=propagation.of, numbers=numbers)
    if batch:
        from backhand.solving.batch import per_example

        chosen = [name for name in names if name in graph and not graph[name].computed] if wrt else ()
        solution.per_example = per_example(graph, of=propagation.of, batch=batch, by=chosen, numbers=numbers)
    if second:
        from backhand.solving.second import second_derivatives

        by = [name for name in names if name not in graph or not graph[name].computed] if wrt else ()
        solution.second = second_derivatives(graph, of=propagation.of, by=by, numbers=numbers)
    if pairs or any(ask.what == "pairs" for ask in graph.asks):
        from backhand.solving.pairs import all_pairs

        solution.pairs = all_pairs(propagation)
    if paths and graph.arrays:
        raise UsageError(
            "The ways through a network of arrays are those of its elements.",
            cure="Leave --paths out, or write the network with single numbers.",
        )
    if paths:
        solution.paths = tuple(all_paths(propagation, names))
    return solution


def by_name(propagation: Propagation, name: str) -> str:
    """The name of a quantity, or of an element `W1[0,1]`. Raises UsageError for another."""
    if propagation.passes is not None and name not in propagation.graph:
        propagation.derivative(name)
        return name.replace(" ", "")
    return propagation.graph[name].name


def asked(graph: Graph, propagation: Propagation, needed: list[int]) -> list[str]:
    """By what to differentiate: everything the output depends on, in the order of the working."""
    return order_of_working(graph, needed)


def all_paths(propagation: Propagation, names: Iterable[str]):  # type: ignore[no-untyped-def]
    """The ways from each unit among `names` to the output."""
    from backhand.core.paths import paths, ways_to

    ways = ways_to(propagation.graph, propagation.of)
    for name in names:
        if name != propagation.of and propagation.graph[name].place is not None:
            yield paths(propagation, name, propagation.of, ways=ways)
