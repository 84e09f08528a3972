"""Networks from Python, in a notebook or a program.

    net = Net()
    net.input(A1=-1, A2=1)
    net.target(t=3)
    net.arrow("A1", "B1", -2)
    net.arrow("A2", "B1", 1)
    net["L"] = (net["B1"] - net["t"]) ** 2
    graph = net.graph()

A formula is made of `net["B1"]`, numbers, the operators + - * / ** and the functions of the table
(`net.fn.sigmoid(net["z"])`), or is a text in the notation (`net["L"] = "(B1 - t)^2"`). Numbers are
exact: ints and Fractions as they are, floats by their shortest decimal, so 0.1 is 1/10. Numpy scalars
are read like floats.

Values may be arrays, as nested lists or NumPy's, and formulas have what arrays have:

    net.weight(W1=[[1, 2], [3, 4]]).input(x=numpy.array([0.5, 1]))
    net["z"] = net["W1"] @ net["x"]
    net["L"] = net.fn.sum(net["z"][0:1] * net["W1"].T, axis=0)[1]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any, SupportsFloat, SupportsIndex, TypeAlias

from backhand.core.formula import Apply, Formula, Num, Param, Ref, Style, apply, grouped, names
from backhand.core.graph import Graph, Kind, Quantity, makes_arrays
from backhand.core.operations import (
    ADD,
    ARRAY_FUNCTIONS,
    DIVIDE,
    FUNCTIONS,
    MULTIPLY,
    NEGATE,
    OPERATIONS,
    POWER,
    SUBTRACT,
)
from backhand.errors import UsageError

Operand: TypeAlias = "Term | int | float | Fraction | SupportsFloat | Sequence[Any]"
"""What stands in a formula: formulas, numbers, and lists of them."""

Given: TypeAlias = "int | float | Fraction | str | SupportsFloat | Sequence[Any] | None"
"""A value: a number, nested lists of numbers, an array of NumPy's, a text in the notation; None for a symbol."""

Place: TypeAlias = "SupportsIndex | slice"

WRITTEN = 1_000
"""Elements of an array that may be written into a formula."""


class Term:
    """A formula in the making; operators make larger ones. It has no value until the net is solved."""

    __slots__ = ("formula",)
    __array_ufunc__ = None
    """So that NumPy leaves `array @ term` to the term."""

    def __init__(self, formula: Formula) -> None:
        self.formula = formula

    def __repr__(self) -> str:
        from backhand.core.formula import to_text

        return f"<{to_text(self.formula)}>"

    def __add__(self, other: Operand) -> Term:
        return Term(apply(ADD, _inside(self, 1), _inside(other, 2)))

    def __radd__(self, other: Operand) -> Term:
        return Term(apply(ADD, _inside(other, 1), _inside(self, 2)))

    def __sub__(self, other: Operand) -> Term:
        return Term(apply(SUBTRACT, _inside(self, 1), _inside(other, 2)))

    def __rsub__(self, other: Operand) -> Term:
        return Term(apply(SUBTRACT, _inside(other, 1), _inside(self, 2)))

    def __mul__(self, other: Operand) -> Term:
        return Term(_times(self, other))

    def __rmul__(self, other: Operand) -> Term:
        return Term(_times(other, self))

    def __truediv__(self, other: Operand) -> Term:
        return Term(apply(DIVIDE, _inside(self, 2), _inside(other, 3)))

    def __rtruediv__(self, other: Operand) -> Term:
        return Term(apply(DIVIDE, _inside(other, 2), _inside(self, 3)))

    def __matmul__(self, other: Operand) -> Term:
        return Term(_matrix_product(self, other))

    def __rmatmul__(self, other: Operand) -> Term:
        return Term(_matrix_product(other, self))

    @property
    def T(self) -> Term:
        """The array with its axes in the other order."""
        from backhand.core.array_operations import TRANSPOSE

        return Term(apply(TRANSPOSE, _inside(self, 5), params=(("axes", None),)))

    def __getitem__(self, places: Place | tuple[Place, ...]) -> Term:
        """An element or a part: `x[0]`, `x[1:3]`, `x[:, -1]`."""
        from backhand.core.array_operations import INDEX

        key = tuple(map(_place, places if isinstance(places, tuple) else (places,)))
        return Term(apply(INDEX, _inside(self, 5), params=(("key", key),)))

    def __iter__(self) -> Iterator[Term]:
        raise UsageError(f"{self!r} has no length yet, so it cannot be gone through.", cure="Use its elements, x[0].")

    def __pow__(self, other: Operand) -> Term:
        return Term(apply(POWER, _inside(self, 5), _inside(other, 4)))

    def __rpow__(self, other: Operand) -> Term:
        return Term(apply(POWER, _inside(other, 5), _inside(self, 4)))

    def __neg__(self) -> Term:
        return Term(apply(NEGATE, _inside(self, 2)))

    def __pos__(self) -> Term:
        return self

    def __abs__(self) -> Term:
        return Term(apply(OPERATIONS["abs", 1], self.formula))

    def __bool__(self) -> bool:
        raise UsageError(
            f"{self!r} has no value yet, so it cannot be compared or tested.",
            cure="Build the network without `if`; use max, abs, relu or step in the formula.",
        )


RANK = {"+": 1, "-": 1, "*": 2, "/": 2, "@": 2, "neg": 2, "^": 4}


def _inside(operand: Operand, needed: int) -> Formula:
    """The operand's formula with parentheses where it binds more loosely than its place needs."""
    formula = operand.formula if isinstance(operand, Term) else _number(operand)
    negative = isinstance(formula, Num) and formula.value < 0
    fraction = isinstance(formula, Num) and not formula.text and formula.value.denominator != 1
    rank = RANK.get(formula.operation.name, 5) if isinstance(formula, Apply) else 5
    if negative and isinstance(formula, Num):
        formula, rank = apply(NEGATE, Num(-formula.value)), 2
    if fraction and needed > 1:
        return grouped(formula)
    return formula if rank >= needed else grouped(formula)


def _times(left: Operand, right: Operand) -> Formula:
    style: Style = "*"
    return apply(MULTIPLY, _inside(left, 2), _inside(right, 3), style=style)


def _matrix_product(left: Operand, right: Operand) -> Formula:
    from backhand.core.array_operations import MATMUL

    return apply(MATMUL, _inside(left, 2), _inside(right, 3))


def _place(place: Place) -> Param:
    """One of the places in brackets."""
    if isinstance(place, slice):
        return tuple(None if bound is None else _whole(bound) for bound in (place.start, place.stop, place.step))
    return _whole(place)


def _whole(value: Any) -> int:
    from operator import index

    try:
        return index(value)
    except TypeError:
        raise UsageError(
            f"{value!r} is no place in an array.", cure="Use whole numbers and slices, x[0] or x[1:3, -1]."
        ) from None


def exact(value: int | float | Fraction | SupportsFloat) -> Fraction:
    """The exact number meant: a float by its shortest decimal. Raises UsageError for nan and infinities, and for what
    is no number.

    >>> exact(0.15)
    Fraction(3, 20)
    """
    if isinstance(value, (int, Fraction)):
        return Fraction(value)
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise UsageError(f"{value!r} is no number.", cure="Give numbers, or arrays of numbers.") from None
    if getattr(value, "dtype", None) is not None and getattr(value, "itemsize", 8) < 8:
        number = float(str(value))  # NumPy prints the shortest decimal of its own type
    if not math.isfinite(number):
        raise UsageError(
            f"{number} cannot be the value of a quantity.", cure="Give a finite number, or None for a symbol."
        )
    return Fraction(repr(number))


def _number(value: Operand) -> Formula:
    """A number, or a list of numbers and formulas, as it stands in a formula."""
    if not _has_axes(value):
        return Num(exact(value))  # type: ignore[arg-type]
    if not isinstance(value, (list, tuple)):
        from backhand.core.array_values import as_given

        array = as_given(value, exact)
        if array.size > WRITTEN:
            raise UsageError(
                f"An array of {array.size} elements is too long to stand in a formula.",
                cure="Give it a name, net.constant(W=array), and use net['W'].",
            )
        value = array.tolist()
    return _list(value)  # type: ignore[arg-type]


def _list(value: Sequence[Any]) -> Formula:
    from backhand.core.array_operations import STACK

    if not value:
        raise UsageError("An array in a formula has no elements.", cure="Give at least one.")
    return apply(STACK, *(_inside(part, 1) for part in value), style="list", params=(("axis", 0),))


def _has_axes(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return True
    return not isinstance(value, Term) and hasattr(value, "__array__") and getattr(value, "ndim", 0) > 0


class _Functions:
    """The functions of the tables by name: `fn.tanh(x)`, `fn.max(a, b)`, `fn.sum(x, axis=0)`."""

    def __getattr__(self, name: str) -> Callable[..., Term]:
        known = FUNCTIONS | ARRAY_FUNCTIONS - {"load"}
        if name not in known:
            raise AttributeError(f"no function {name}; known are {', '.join(sorted(known))}")

        def made(*args: Operand, **options: Any) -> Term:
            from backhand.core.notation import Option, call

            if len(args) == 1 and name in ("concat", "stack") and isinstance(args[0], (list, tuple)):
                args = tuple(args[0])
            told = (Option(key, _option(value), None) for key, value in options.items())
            return Term(call(name, (*(_inside(arg, 1) for arg in args), *told), None))

        return made


def _option(value: Any) -> Formula | str:
    """What a function is told by name, as the notation says it."""
    if value is None or isinstance(value, bool):
        return Ref("none" if value is None else "true" if value else "false")
    return value if isinstance(value, str) else _inside(value, 1)


def _read(text: str) -> Formula:
    """A formula from a text, which has no folder with files beside it."""
    from backhand.core.formula import postorder
    from backhand.core.notation import formula

    found = formula(text)
    if any(isinstance(node, Apply) and node.operation.name == "load" for node in postorder(found)):
        raise UsageError(
            "Files are loaded by networks in files.", cure="Read the array yourself: net.weight(W=numpy.load('W.npy'))."
        )
    return found


class Net:
    """Collects quantities; `graph()` makes the Graph. Every method returns something to go on with."""

    fn = _Functions()

    def __init__(self) -> None:
        self._quantities: dict[str, Quantity] = {}
        self._arrows: dict[str, list[tuple[str, str]]] = {}
        self._units: dict[str, tuple[str, str]] = {}

    # -- given quantities ---------------------------------------------------------------------------

    def input(self, **values: Given) -> Net:
        """Inputs and their values; None for a symbol without one."""
        return self._give("input", values)

    def weight(self, **values: Given) -> Net:
        """Weights and their values."""
        return self._give("weight", values)

    def bias(self, **values: Given) -> Net:
        """Biases and their values."""
        return self._give("bias", values)

    def target(self, **values: Given) -> Net:
        """Targets and their values."""
        return self._give("target", values)

    def constant(self, **values: Given) -> Net:
        """Constants and their values."""
        return self._give("constant", values)

    def give(self, name: str, value: Given, kind: Kind = "input") -> Term:
        """One given quantity whose name need not be a Python name."""
        self._check(name)
        if value is None:
            self._quantities[name] = Quantity(name, kind)
        elif isinstance(value, str):
            from backhand.core.evaluate import evaluate_constant

            definition = _read(value)
            if makes_arrays(definition):
                from backhand.core.arrays import constant, given

                self._quantities[name] = given(name, kind, definition, constant(definition, name, None))
            else:
                self._quantities[name] = Quantity(name, kind, definition, evaluate_constant(definition, name, None))
        elif _has_axes(value):
            from backhand.core.array_values import as_given
            from backhand.core.arrays import given

            self._quantities[name] = given(name, kind, None, as_given(value, exact, name))
        else:
            self._quantities[name] = Quantity(name, kind, None, exact(value))  # type: ignore[arg-type]
        return Term(Ref(name))

    def _give(self, kind: Kind, values: dict[str, Given]) -> Net:
        for name, value in values.items():
            self.give(name, value, kind)
        return self

    # -- drawn units ----------------------------------------------------------------------------------

    def arrow(self, tail: str, head: str, weight: Given = None, *, name: str = "") -> Net:
        """An arrow and its weight. `name` names the weight; a name given already shares that weight."""
        own = name or f"w[{tail},{head}]"
        if own not in self._quantities:
            self.give(own, weight, "weight")
        elif weight is not None:
            raise UsageError(f"The weight {own} has a value already.", cure="Leave the weight out to share it.")
        self._arrows.setdefault(head, []).append((own, tail))
        return self

    def unit(self, name: str, activation: str = "", *, bias: Given = None) -> Net:
        """The activation and bias of a unit that arrows lead into."""
        own = ""
        if bias is not None:
            own = f"b[{name}]"
            self.give(own, bias, "bias")
        self._units[name] = (activation, own)
        return self

    # -- formulas -------------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> Term:
        """The quantity of this name, to be used in a formula; it may be defined later."""
        return Term(Ref(name))

    def __setitem__(self, name: str, value: Term | Given) -> None:
        """Define a quantity by a formula, or give it a number or an array as an input."""
        self.let(name, value)

    def let(self, name: str, value: Term | Given) -> Term:
        """As `net[name] = value`, and the quantity to go on with."""
        if isinstance(value, str):
            value = Term(_read(value))
        if isinstance(value, (list, tuple)) and names(made := _list(value)):
            value = Term(made)
        if not isinstance(value, Term):
            return self.give(name, value)
        self._check(name)
        self._quantities[name] = Quantity(name, "computed", value.formula)
        return Term(Ref(name))

    def _check(self, name: str) -> None:
        if name in self._quantities or name in self._arrows:
            raise UsageError(f"{name} is defined already.", cure="Choose another name.")

    # -- the graph ------------------------------------------------------------------------------------

    def graph(self) -> Graph:
        """The network, checked and in order. Raises ReadError for undefined names and cycles."""
        return Graph.of([*self._quantities.values(), *self._drawn()])

    def _drawn(self) -> list[Quantity]:
        made: list[Quantity] = []
        for head, arrows in self._arrows.items():
            activation, bias = self._units.get(head, ("", ""))
            total: Formula | None = None
            for weight, tail in arrows:
                product = apply(MULTIPLY, Ref(weight), Ref(tail), style="arrow")
                total = product if total is None else apply(ADD, total, product)
            assert total is not None
            if bias:
                total = apply(ADD, total, Ref(bias))
            if activation:
                from backhand.core.notation import call

                made.append(Quantity(f"z[{head}]", "computed", total))
                total = call(activation, (Ref(f"z[{head}]"),), None)
            made.append(Quantity(head, "computed", total))
        return made
