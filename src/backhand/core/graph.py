"""A network: named quantities, each given a value or defined by a formula of others.

    Graph(quantities, asks)      quantities in topological order: parents before children

Weights, biases and targets are quantities too, so the derivative by each of them can be asked for.
A drawn unit has the arrows' products as its formula. With an activation it is two quantities, the
sum `z[B1]` and the unit B1.

`graph[name]` is a quantity; `children(name)` and `parents(name)` are its neighbours. A Graph prints
as text in the notation, which reads back as an equal Graph.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, TypeVar

from backhand import limits
from backhand.core.formula import Apply, Formula, Ref, names, postorder, references, respelled, same, to_text
from backhand.core.operations import Operation
from backhand.errors import BackhandError, ReadError, UsageError, raise_all

if TYPE_CHECKING:
    from backhand.core.arrays import Array
    from backhand.core.notation import Notice
    from backhand.numbers import Number
    from backhand.text import Span

Kind: TypeAlias = Literal["input", "weight", "bias", "target", "constant", "computed"]
V = TypeVar("V")
PARAMETERS = frozenset(["weight", "bias", "constant", "target"])


class Place(NamedTuple):
    """Where a unit stands in the drawing: `layer` by the longest way from the inputs, `row` by first appearance."""

    layer: int
    row: int


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Quantity:
    """One named quantity.

    `definition` is the formula of a computed quantity; for a given one what was written as its value
    (`1/2`), or None for a symbol without a value. `given` is that value; `array` is, where it is an array. `shape` is
    () for a single number. `place` is None for weights, biases, targets and constants: they stand on arrows.
    `version` counts the earlier versions of a name that was redefined from itself.
    """

    name: str
    kind: Kind = "computed"
    definition: Formula | None = None
    given: Number | None = None
    shape: tuple[int, ...] = ()
    place: Place | None = None
    span: Span | None = None
    array: Array | None = None

    @property
    def computed(self) -> bool:
        return self.kind == "computed"

    @property
    def symbolic(self) -> bool:
        """Given, but without a value."""
        return self.kind != "computed" and self.given is None and self.array is None

    def __repr__(self) -> str:
        value = "?" if self.definition is None else to_text(self.definition)
        return f"<{self.kind} {self.name} = {value}>"


class Ask(NamedTuple):
    """What an answer is expected to contain: `values`, `derivatives` of one quantity (by all, or `by` some),
    `pairs` (of everything by everything), a single `value` or a single `derivative`."""

    what: Literal["values", "derivatives", "pairs", "value", "derivative"]
    of: str = ""
    by: tuple[str, ...] = ()

    def __str__(self) -> str:
        match self.what:
            case "values" | "pairs":
                return self.what
            case "value":
                return self.of
            case "derivative":
                return f"d{self.of}/d{self.by[0]}"
            case "derivatives":
                return f"derivatives of {self.of}" + (f" by {' '.join(self.by)}" if self.by else "")


class Update(NamedTuple):
    """A step of gradient descent that is asked for: `step lr = 0.5 by w1 w2 for 3 steps in place`.

    `by` names what is changed; empty for all weights and biases. `in_place` says that a weight is replaced as soon as
    its derivative is known, so that the new one is used on the rest of the way back."""

    rate: Number
    name: str = "lr"
    by: tuple[str, ...] = ()
    steps: int = 1
    in_place: bool = False

    def __str__(self) -> str:
        from backhand.core.printing import value_text

        words = [f"step {self.name} = {value_text(self.rate)}"]
        words += [f"by {' '.join(self.by)}"] if self.by else []
        words += [f"for {self.steps} steps"] if self.steps > 1 else []
        return " ".join([*words, "in place"] if self.in_place else words)


class Graph:
    """Quantities in topological order, as few lookups as propagation needs, and what was asked.

    Make one with `backhand.read`, with the builder `backhand.Net`, or with `Graph.of(quantities)`,
    which sorts, checks and places them. Raises ReadError for names defined nowhere, and for cycles.
    """

    def __init__(
        self,
        quantities: tuple[Quantity, ...],
        asks: tuple[Ask, ...] = (),
        notices: tuple[Notice, ...] = (),
        update: Update | None = None,
    ) -> None:
        self.quantities = quantities
        self.asks = asks
        self.notices = notices
        self.update = update
        self.program: object = None
        """The flat form that `core.kernels` makes of the graph when floats first go through it."""

    @cached_property
    def arrays(self) -> bool:
        """Whether there are arrays in it, or operations on arrays."""
        return _arrays(self.quantities)

    @staticmethod
    def of(
        quantities: Iterable[Quantity],
        asks: Iterable[Ask] = (),
        notices: Iterable[Notice] = (),
        update: Update | None = None,
    ) -> Graph:
        """A graph of quantities in any order."""
        ordered = _topological(list(quantities))
        arrays = _arrays(ordered)
        if arrays:
            from backhand.core.shapes import settle

            ordered = settle(ordered)
        graph = Graph(tuple(_placed(ordered)), tuple(asks), tuple(notices), update)
        graph.__dict__["arrays"] = arrays
        if graph.taken:
            graph.quantities = tuple(
                replace(q, definition=graph.spelled(q.definition)) if q.definition else q for q in graph.quantities
            )
        return graph

    # -- looking up ---------------------------------------------------------------------------------

    @cached_property
    def index(self) -> dict[str, int]:
        """Position of each name."""
        return {quantity.name: position for position, quantity in enumerate(self.quantities)}

    @cached_property
    def taken(self) -> frozenset[str]:
        """The names of functions and constants that quantities have here."""
        from backhand.core.operations import CONSTANTS, FUNCTIONS

        return frozenset(name for name in FUNCTIONS | CONSTANTS if name in self.index)

    def spelled(self, value: V) -> V | Formula:
        """A value or formula of this network in which no function is called as a quantity is."""
        return respelled(value, self.index) if self.taken and isinstance(value, Formula) else value

    def __getitem__(self, name: str) -> Quantity:
        try:
            return self.quantities[self.index[name]]
        except KeyError:
            composed = unicodedata.normalize("NFC", name)
            if composed in self.index:
                return self.quantities[self.index[composed]]
            raise unknown(name, self.index) from None

    def __contains__(self, name: object) -> bool:
        return name in self.index

    def __len__(self) -> int:
        return len(self.quantities)

    @cached_property
    def parent_lists(self) -> list[tuple[int, ...]]:
        """For each quantity the positions of its parents, one for every occurrence in its formula."""
        index = self.index
        return [
            tuple([index[ref.name] for ref in references(q.definition)])
            if q.kind == "computed" and q.definition is not None
            else ()
            for q in self.quantities
        ]

    @cached_property
    def child_lists(self) -> list[list[int]]:
        """For each quantity the positions of those whose formula uses it, each once, in order."""
        children: list[list[int]] = [[] for _ in self.quantities]
        for position, parents in enumerate(self.parent_lists):
            for parent in parents:
                if not children[parent] or children[parent][-1] != position:
                    children[parent].append(position)
        return children

    @cached_property
    def levels(self) -> list[int]:
        """For each quantity the length of the longest way to it."""
        levels: list[int] = []
        for parents in self.parent_lists:
            levels.append(1 + max([levels[parent] for parent in parents], default=-1))
        return levels

    def parents(self, name: str) -> tuple[str, ...]:
        """The quantities in a quantity's own formula, each once."""
        quantity = self[name]
        return names(quantity.definition) if quantity.computed and quantity.definition else ()

    def children(self, name: str) -> tuple[str, ...]:
        """The quantities whose formulas use this one."""
        return tuple(self.quantities[child].name for child in self.child_lists[self.index[self[name].name]])

    # -- what is asked ------------------------------------------------------------------------------

    def output(self, of: str | None = None) -> tuple[str, Notice | None]:
        """The quantity whose derivatives are asked for: `of`, else L, else the one computed quantity that
        nothing uses, else the last one, with a notice that says so."""
        if of is not None:
            return self[of].name, None
        asked = [ask.of for ask in self.asks if ask.what in ("derivatives", "derivative")]
        if asked:
            return self[asked[0]].name, None
        if "L" in self and self["L"].computed:
            return "L", None
        ends = [q.name for i, q in enumerate(self.quantities) if q.computed and not self.child_lists[i]]
        if len(ends) == 1:
            return ends[0], None
        if not ends:
            raise UsageError(
                "This network computes nothing: every quantity is given.",
                self.quantities[0].span,
                cure="Add a definition, for example L = (a - t)^2.",
            )
        from backhand.core.notation import Notice

        last = self.last_defined(ends)
        words = f"{', '.join(ends[:6])} are used by nothing, and none is called L: {last} is taken as the output."
        return last, Notice(f"{words} Choose another with --of.")

    def last_defined(self, candidates: Sequence[str]) -> str:
        """The candidate that was written last."""

        def place(name: str) -> tuple[int, int]:
            span = self[name].span
            return (span.start if span else -1, self.index[name])

        return max(candidates, key=place)

    def upstream_of(self, name: str) -> list[int]:
        """Positions of everything the quantity depends on, itself included, in topological order."""
        needed = bytearray(len(self.quantities))
        needed[self.index[self[name].name]] = 1
        for position in range(self.index[name], -1, -1):
            if needed[position]:
                for parent in self.parent_lists[position]:
                    needed[parent] = 1
        return [position for position, flag in enumerate(needed) if flag]

    # -- text ---------------------------------------------------------------------------------------

    def __str__(self) -> str:
        from backhand.core.printing import to_notation

        return to_notation(self)

    def __repr__(self) -> str:
        computed = sum(q.computed for q in self.quantities)
        return f"<Graph: {len(self) - computed} given, {computed} computed quantities>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Graph):
            return NotImplemented
        return (self.asks, self.update) == (other.asks, other.update) and {
            q.name: _content(q) for q in self.quantities
        } == {q.name: _content(q) for q in other.quantities}

    def __hash__(self) -> int:
        return hash(tuple(sorted(q.name for q in self.quantities)))


def makes_arrays(formula: Formula) -> bool:
    """Whether an operation on arrays stands in a formula."""
    return any(type(node) is Apply and type(node.operation) is not Operation for node in postorder(formula))


def _arrays(quantities: Iterable[Quantity]) -> bool:
    return any(q.shape or (q.computed and q.definition is not None and makes_arrays(q.definition)) for q in quantities)


class _Content(NamedTuple):
    kind: str
    definition: Formula | None
    given: object
    array: object
    shape: tuple[int, ...]
    place: Place | None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Content)
            and (self.kind, self.shape, self.place) == (other.kind, other.shape, other.place)
            and self.given == other.given
            and _equal(self.array, other.array)
            and same(self.definition, other.definition)
        )

    __hash__ = None  # type: ignore[assignment]


def _equal(one: object, other: object) -> bool:
    """Whether two arrays are equal; None is only None."""
    if one is None or other is None:
        return one is other
    import numpy as np

    return np.array_equal(one, other)  # type: ignore[arg-type]


def _content(quantity: Quantity) -> _Content:
    definition = quantity.definition if quantity.computed else None
    return _Content(quantity.kind, definition, quantity.given, quantity.array, quantity.shape, quantity.place)


# -- order ------------------------------------------------------------------------------------------------


def _topological(quantities: list[Quantity]) -> list[Quantity]:
    """Parents before children, otherwise as written. Depth-first, without recursion."""
    index = {quantity.name: position for position, quantity in enumerate(quantities)}
    nowhere: list[tuple[Quantity, Ref]] = []
    parents: list[list[int]] = []
    for quantity in quantities:
        found: list[int] = []
        if quantity.kind == "computed" and quantity.definition is not None:
            for ref in references(quantity.definition):
                position = index.get(ref.name)
                if position is None:
                    nowhere.append((quantity, ref))
                else:
                    found.append(position)
        parents.append(found)
    repeated = _repeated(quantities) if len(index) < len(quantities) else []
    raise_all([*repeated, *undefined(nowhere, index)])
    state = bytearray(len(quantities))  # 0 new, 1 begun, 2 done
    order: list[Quantity] = []
    for first in range(len(quantities)):
        if state[first]:
            continue
        path = [first]
        ways = [iter(parents[first])]
        state[first] = 1
        while path:
            for parent in ways[-1]:
                if state[parent] == 1:
                    raise _cycle([quantities[p] for p in path[path.index(parent) :]])
                if state[parent] == 0:
                    state[parent] = 1
                    path.append(parent)
                    ways.append(iter(parents[parent]))
                    break
            else:
                done = path.pop()
                ways.pop()
                state[done] = 2
                order.append(quantities[done])
    return order


def _repeated(quantities: list[Quantity]) -> list[BackhandError]:
    """An error for each name that two quantities have."""
    first: dict[str, Quantity] = {}
    errors: list[BackhandError] = []
    for quantity in quantities:
        earlier = first.setdefault(quantity.name, quantity)
        if earlier is not quantity:
            one, other = sorted((earlier, quantity), key=lambda q: q.span.start if q.span else -1)
            where = f"; line {one.span.line} already defines it" if one.span else ""
            what = f"{quantity.name} is defined a second time{where}."
            errors.append(ReadError(what, other.span, cure="Choose another name."))
    return errors


def _cycle(around: list[Quantity]) -> ReadError:
    """The cycle as arrows of use: each name needs the next."""
    named = [q.name for q in around]
    if len(named) > 12:
        named = [*named[:6], "...", *named[-5:]]
    if len(around) == 1:
        what = f"{named[0]} is defined by itself, and has no earlier value."
    else:
        what = f"{', '.join(named)} need each other in a circle: {' -> '.join([*named, named[0]])}."
    return ReadError(what, around[0].span, cure="Give one of them a value, or take it out of the other's formula.")


# -- names that are defined nowhere ------------------------------------------------------------------------


def undefined(uses: list[tuple[Quantity, Ref]], known: Iterable[str]) -> list[BackhandError]:
    """An error for each use of a name that is defined nowhere; the earliest, as guessing what was meant takes time."""
    known = list(known) if uses else []
    uses = sorted(uses, key=lambda use: use[1].span.start if use[1].span else -1)
    return [
        _as_a_transpose(quantity, ref) or unknown(ref.name, known, ref.span, user=quantity.name)
        for quantity, ref in uses[: limits.ERRORS]
    ]


def _as_a_transpose(quantity: Quantity, ref: Ref) -> ReadError | None:
    """For W^T, as it stands in books."""
    if ref.name not in ("T", "top") or quantity.definition is None:
        return None
    for node in postorder(quantity.definition):
        if isinstance(node, Apply) and node.operation.name == "^" and node.args[1] is ref:
            base = to_text(node.args[0])
            return ReadError(f"^{ref.name} is a power here.", ref.span, cure=f"The transpose is written {base}.T.")
    return None


def unknown(name: str, known: Iterable[str], span: Span | None = None, user: str = "") -> ReadError | UsageError:
    """An error for a name that is defined nowhere, with the likeliest cure."""
    known = list(known)
    guess = _guess(name, known)
    name = name if len(name) <= 60 else name[:57] + "..."
    what = f"{user} uses {name}, which is defined nowhere." if user else f"There is no quantity {name or '“”'}."
    shown = ", ".join(known[:8]) + (", ..." if len(known) > 8 else "")
    cure = guess or (f"Known: {shown}." if known else "")
    return (ReadError if span or user else UsageError)(what, span, cure=cure)


LOOKALIKES = str.maketrans("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαονυρАВЕКМНОРСТХаеорсух", "ABEZHIKMNOPTYXaovupABEKMHOPCTXaeopcyx")


def _guess(name: str, known: list[str]) -> str:
    """What was probably meant: a look-alike, two names run together, a function without parentheses, a near miss."""
    from difflib import get_close_matches

    from backhand.core.operations import FUNCTIONS

    if not name or len(name) > 200:
        return ""
    folded = _fold(name)
    alike = [other for other in known if _fold(other) == folded]
    if alike:
        if name.translate(LOOKALIKES) != name:
            return f"It looks like {alike[0]} but is written with letters of another alphabet. Write {alike[0]}."
        return f"Did you mean {alike[0]}?"
    base, bracket, inside = name.partition("[")
    if bracket and base in known:
        if (inside := inside.removesuffix("]")) in known:
            return f"Elements are taken by numbers, {base}[0], and by a list of numbers as gather({base}, {inside})."
        if not re.search(r"[^\W\d]", inside):
            return f"An element of an array is named by one number for each axis, counted from 0; see what {base} is."
        return f"Elements are taken by numbers, {base}[0]; {name}, with a name in brackets, is another quantity's name."
    base, line, inside = name.rpartition("_")
    if line and base in known and inside.isdecimal():
        return f"An element of {base} is written {base}[{inside}], counted from 0; {name} is a name of its own."
    if re.search(r"_\{\w+[-+]\w+\}$", name):
        return "An index is not computed. Write each step out: h_1 = tanh(w h_0), h_2 = tanh(w h_1)."
    if name in FUNCTIONS:
        return f"{name} is a function. Write what it is taken of in parentheses: {name}(x)."
    if name.casefold() in ("nan", "inf", "infinity"):
        return "A quantity has a finite number as its value." + " In a mask, -1e9 does as well." * (name != "nan")
    parts = _split(name, set(known) | FUNCTIONS)
    if parts:
        return f"Did you mean {' '.join(parts)}?"
    functions = sorted(FUNCTIONS) if len(name) > 2 else []
    near = get_close_matches(name, [*known, *functions], n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]}?"
    shown = ", ".join(known[:8]) + (", ..." if len(known) > 8 else "")
    return f"Known: {shown}. Define {name}, for example {name} = 2, or correct the name." if known else ""


def _fold(name: str) -> str:
    """A name without what is easily confused: _, braces, case, alphabets, l and 1, O and 0."""
    plain = name.translate(LOOKALIKES).replace("_", "").replace("{", "").replace("}", "")
    return plain.casefold().replace("l", "1").replace("o", "0")


def _split(name: str, known: set[str]) -> list[str] | None:
    """The name as known names run together: w1x1 is w1 x1."""
    if len(name) > 40:
        return None
    best: list[list[str] | None] = [[], *[None] * len(name)]
    for end in range(1, len(name) + 1):
        for start in range(end):
            head = best[start]
            if head is not None and name[start:end] in known and best[end] is None:
                best[end] = [*head, name[start:end]]
    found = best[len(name)]
    return found if found and len(found) > 1 else None


# -- places -------------------------------------------------------------------------------------------------


def _placed(quantities: list[Quantity]) -> Iterable[Quantity]:
    """The quantities with their places. Weights, biases, targets and constants have none."""
    layers: dict[str, int] = {}
    rows: dict[int, int] = {}
    for quantity in quantities:
        if quantity.kind in PARAMETERS or quantity.place is not None:
            if quantity.place is not None:
                layers[quantity.name] = quantity.place.layer
            yield quantity
            continue
        layer = 0
        if quantity.kind == "computed" and quantity.definition is not None:
            layer = 1 + max((layers.get(n, -1) for n in names(quantity.definition)), default=-1)
            layer = max(layer, 1)
        layers[quantity.name] = layer
        row = rows.get(layer, 0)
        rows[layer] = row + 1
        yield replace(quantity, place=Place(layer, row))


def a_network(given: object) -> Graph:
    """What a verb is given, if it is a network. Raises UsageError that says how one is made of it."""
    if isinstance(given, Graph):
        return given
    own = getattr(given, "graph", None)
    if isinstance(given, (str, PurePath)):
        cure = "Read it first: backhand.read(...)."
    elif callable(own):
        cure = "Write .graph() behind it."
    elif isinstance(own, Graph):
        cure = "Write .graph behind it."
    elif callable(given):
        cure = "Make a network of the function: backhand.trace(f, x=...)."
    else:
        cure = "backhand.read, backhand.trace and backhand.Net make networks."
    raise UsageError(f"A network is wanted here, and this is of the type {type(given).__name__}.", cure=cure)
