"""A network from an ordinary Python function: it is called once, with stand-ins in place of numbers.

    def loss(x, W, b, t):
        z = W @ x + b
        h = np.tanh(z)
        return ((h - t)**2).sum()

    graph = backhand.trace(loss, x=[1, 2], W=[[0.5, -1], [1.5, 0.25]], b=[0, 0], t=[1, 0])

Operators, NumPy's functions, indexing, `.T`, `.sum()` and the like make formulas. What the function binds to a local
name is a quantity of that name; everything else stays inside the formula it is used in. The names are found by looking
at the function's frame while it runs, at each operation and when it returns; nothing is parsed or compiled. Where there
is no name to be had (an operation in a comprehension), `fn.name("z", value)` gives one.

A stand-in has a shape and no value, so `if z > 0:` cannot be decided and is an error that says what to write.
"""

from __future__ import annotations

import inspect
import math
import operator
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import CodeType, FrameType
from typing import Any, TypeAlias, cast

import numpy as np

from backhand.core import arrays as ar
from backhand.core.array_operations import INDEX, ROW, ROWS, STACK, Mismatch, Shape, axes_of, node
from backhand.core.builder import exact
from backhand.core.formula import Apply, Formula, Num, Param, Ref, apply, grouped
from backhand.core.graph import Graph, Kind, Quantity
from backhand.core.notation import WORD, call, plain_name
from backhand.core.operations import ARRAY_FUNCTIONS, DIVIDE, FUNCTIONS, MULTIPLY, NEGATE, OPERATIONS, POWER
from backhand.core.shapes import Unfit, node_shape
from backhand.errors import BackhandError, UsageError

Operand: TypeAlias = Any
NEEDED_BY = {"+": (1, 2), "-": (1, 2), "*": (2, 3), "/": (2, 3), "@": (2, 3), "neg": (2,), "^": (5, 4)}
RANK = {"+": 1, "-": 1, "neg": 1, "*": 2, "/": 2, "@": 2, "^": 4}


class Traced:
    """A stand-in for a number or an array: an operation on others, or something given."""

    __slots__ = ("args", "make", "name", "order", "recorder", "shape")
    __array_priority__ = 1000.0

    def __init__(
        self, recorder: Recorder, make: Callable[[Sequence[Formula]], Formula], args: Sequence[Traced], shape: Shape
    ) -> None:
        self.recorder = recorder
        self.make = make
        self.args = tuple(args)
        self.shape = shape
        self.name = ""
        self.order = len(recorder.made)
        recorder.made.append(self)

    # -- what an array can be asked ---------------------------------------------------------------------------

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    @property
    def T(self) -> Traced:
        return self.transpose()

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a single number has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Traced]:
        return (self[k] for k in range(len(self)))

    def __repr__(self) -> str:
        return f"<{self.name or 'an unnamed array'} of shape {self.shape}, traced>"

    __hash__ = object.__hash__

    # -- operators --------------------------------------------------------------------------------------------

    def __add__(self, other: Operand) -> Traced:
        return self.recorder.apply("+", self, other)

    def __radd__(self, other: Operand) -> Traced:
        return self.recorder.apply("+", other, self)

    def __sub__(self, other: Operand) -> Traced:
        return self.recorder.apply("-", self, other)

    def __rsub__(self, other: Operand) -> Traced:
        return self.recorder.apply("-", other, self)

    def __mul__(self, other: Operand) -> Traced:
        return self.recorder.apply("*", self, other)

    def __rmul__(self, other: Operand) -> Traced:
        return self.recorder.apply("*", other, self)

    def __truediv__(self, other: Operand) -> Traced:
        return self.recorder.apply("/", self, other)

    def __rtruediv__(self, other: Operand) -> Traced:
        return self.recorder.apply("/", other, self)

    def __pow__(self, other: Operand) -> Traced:
        return self.recorder.apply("^", self, other)

    def __rpow__(self, other: Operand) -> Traced:
        return self.recorder.apply("^", other, self)

    def __matmul__(self, other: Operand) -> Traced:
        return self.recorder.matmul(self, other)

    def __rmatmul__(self, other: Operand) -> Traced:
        return self.recorder.matmul(other, self)

    def __neg__(self) -> Traced:
        return self.recorder.apply("neg", self)

    def __pos__(self) -> Traced:
        return self

    def __abs__(self) -> Traced:
        return self.recorder.apply("abs", self)

    def __gt__(self, other: Operand) -> Traced:
        return self.recorder.step(self, other)

    def __lt__(self, other: Operand) -> Traced:
        return self.recorder.step(other, self)

    def __ge__(self, other: Operand) -> Traced:
        return 1 - self.recorder.step(other, self)

    def __le__(self, other: Operand) -> Traced:
        return 1 - self.recorder.step(self, other)

    def __getitem__(self, key: Any) -> Traced:
        return self.recorder.index(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        raise UsageError(
            "A traced array cannot be changed in place.", cure="Make a new one: np.stack, np.concatenate, np.where."
        )

    # -- what it cannot do ------------------------------------------------------------------------------------

    def __bool__(self) -> bool:
        raise UsageError(
            f"{self._called} has no value while the function is traced, so `if` and `while` cannot decide by it.",
            cure="Write np.where, np.maximum, or backhand.fn.relu and step; or trace each branch by itself.",
        )

    def __float__(self) -> float:
        raise UsageError(
            f"{self._called} has no value while the function is traced, and a plain number is wanted.",
            cure="Write np.tanh or backhand.fn.tanh in place of math.tanh; do not call float(), "
            "and collect elements with np.stack.",
        )

    __int__ = __index__ = __complex__ = cast("Any", __float__)

    @property
    def _called(self) -> str:
        return self.name or "A quantity"

    # -- methods of arrays ------------------------------------------------------------------------------------

    def sum(self, axis: Any = None, *, keepdims: bool = False, **_: Any) -> Traced:
        return self.recorder.row("sum", self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, *, keepdims: bool = False, **_: Any) -> Traced:
        return self.recorder.row("mean", self, axis=axis, keepdims=keepdims)

    def var(self, axis: Any = None, *, keepdims: bool = False, **_: Any) -> Traced:
        return self.recorder.row("var", self, axis=axis, keepdims=keepdims)

    def std(self, axis: Any = None, *, keepdims: bool = False, **_: Any) -> Traced:
        return self.recorder.apply("sqrt", self.var(axis, keepdims=keepdims))

    def max(self, axis: Any = None, *, keepdims: bool = False, **_: Any) -> Traced:
        return self.recorder.row("max", self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, *, keepdims: bool = False, **_: Any) -> Traced:
        return self.recorder.row("min", self, axis=axis, keepdims=keepdims)

    def dot(self, other: Operand) -> Traced:
        return self.recorder.matmul(self, other)

    def transpose(self, *axes: Any) -> Traced:
        order = axes[0] if len(axes) == 1 else (axes or None)
        order = None if order is None else tuple(int(n) for n in order)
        return self if self.ndim < 2 and order is None else self.recorder.row("transpose", self, axes=order)

    def reshape(self, *shape: Any, **_: Any) -> Traced:
        whole = len(shape) == 1 and isinstance(shape[0], (tuple, list))
        sizes = cast("Sequence[Any]", shape[0] if whole else shape)
        return self.recorder.row("reshape", self, shape=tuple(int(n) for n in sizes))

    def ravel(self, *_: Any) -> Traced:
        return self.reshape(-1)

    flatten = ravel

    def squeeze(self, axis: Any = None) -> Traced:
        axes = [n for n, size in enumerate(self.shape) if size == 1] if axis is None else axes_of(axis, self.ndim)
        return self.reshape(tuple(size for n, size in enumerate(self.shape) if n not in axes))

    def astype(self, *_: Any, **__: Any) -> Traced:
        return self

    copy = astype

    # -- NumPy and PyTorch ------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **told: Any) -> Any:
        name = str(ufunc.__name__)
        if method == "reduce" and name in ("add", "maximum", "minimum"):
            kind = {"add": "sum", "maximum": "max", "minimum": "min"}[name]
            keep = bool(told.get("keepdims", False))
            return self.recorder.row(kind, inputs[0], axis=told.get("axis", 0), keepdims=keep)
        if method != "__call__" or told.get("out") is not None:
            raise _unknown(f"np.{name}.{method}" if method != "__call__" else f"np.{name}(..., out=)")
        return self.recorder.function(name, inputs, {})

    def __array_function__(self, function: Any, types: Any, args: Sequence[Any], told: Mapping[str, Any]) -> Any:
        return self.recorder.function(str(function.__name__), args, told)

    @classmethod
    def __torch_function__(
        cls, function: Any, types: Any, args: Sequence[Any] = (), told: Mapping[str, Any] | None = None
    ) -> Any:
        some = next(arg for arg in args if isinstance(arg, Traced))
        return some.recorder.function(str(function.__name__), args, told or {})

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise UsageError(
            f"{self._called} has no value while the function is traced, and an array of numbers is wanted.",
            cure="Use NumPy's functions on it as it is; collect elements with np.stack.",
        )


class Recorder:
    """One run of a function: all stand-ins that were made, and the frame to look for names in."""

    def __init__(self, code: CodeType | None) -> None:
        self.code = code
        self.made: list[Traced] = []
        self.given: dict[str, Quantity] = {}
        self.bound: dict[str, list[Traced]] = {}
        self.hints: dict[int, str] = {}

    # -- making -----------------------------------------------------------------------------------------------

    def input(self, name: str, value: Any, kind: Kind) -> Traced:
        """A stand-in for a given quantity."""
        quantity = _given(name, value, kind)
        self.given[name] = quantity
        made = Traced(self, lambda _: Ref(name), (), quantity.shape)
        made.name = name
        return made

    def operand(self, value: Operand) -> Traced:
        """A stand-in for whatever stands beside one."""
        if isinstance(value, Traced):
            return value
        array: Any = np.asarray(value)
        if array.dtype == object:
            if any(isinstance(one, Traced) for one in array.reshape(-1)):
                return self.function("stack", (list(value),), {})
            array = np.asarray(array, np.float64)
        if array.ndim == 0:
            number = exact(array.item() if array.dtype != bool else int(array))
            formula: Formula = Num(abs(number))
            if number.denominator != 1:
                formula = _fraction(abs(number))
            if number < 0:
                formula = apply(NEGATE, formula)
            return Traced(self, lambda _: formula, (), ())
        name = _free("c", self.given)
        return self.input(name, np.asarray(array, np.float64), "constant")

    def apply(self, name: str, *operands: Operand) -> Traced:
        """An operation of single numbers, element by element."""
        self.look()
        args = [self.operand(operand) for operand in operands]
        row = OPERATIONS[name, len(args)]
        if name == "^":
            return self._power(args)

        def make(formulas: Sequence[Formula]) -> Formula:
            needed = NEEDED_BY.get(name, (1,) * len(formulas))
            inner = [_within(formula, rank) for formula, rank in zip(formulas, needed, strict=True)]
            return apply(row, *inner, style="*" if row is MULTIPLY else "")

        return self._made(make, args, row)

    def _power(self, args: Sequence[Traced]) -> Traced:
        def make(formulas: Sequence[Formula]) -> Formula:
            return apply(POWER, _within(formulas[0], 5), _within(formulas[1], 4))

        return self._made(make, args, POWER)

    def _made(self, make: Callable[[Sequence[Formula]], Formula], args: Sequence[Traced], row: Any) -> Traced:
        probe = make([Ref(f"a{k}") for k in range(len(args))])
        assert isinstance(probe, Apply)
        try:
            shape = node_shape(probe, [arg.shape for arg in args])
        except (Unfit, Mismatch) as error:
            names = ", ".join(f"{arg.name or 'the other'} is {arg.shape}" for arg in args)
            raise UsageError(f"{row.name}: {error}.", cure=f"{names}.") from None
        return Traced(self, make, args, shape)

    def row(self, name: str, *operands: Operand, **options: Any) -> Traced:
        """An operation of the table of arrays."""
        self.look()
        args = [self.operand(operand) for operand in operands]
        told = {key: _option(value) for key, value in options.items()}

        needed = 5 if name == "transpose" else 0

        def make(formulas: Sequence[Formula]) -> Formula:
            return node(name, *(_within(formula, needed) for formula in formulas), **told)

        return self._made(make, args, ROW[name])

    def called(self, name: str, *operands: Operand, **options: Any) -> Traced:
        """A function of either table, by the name it has in the notation."""
        if options or name in ARRAY_FUNCTIONS:
            return self.row(name, *operands, **options)
        self.look()
        args = [self.operand(operand) for operand in operands]
        probe = call(name, tuple(Ref(f"a{k}") for k in range(len(args))), None)
        assert isinstance(probe, Apply)
        return self._made(lambda formulas: call(name, tuple(formulas), None), args, probe.operation)

    def matmul(self, one: Operand, other: Operand) -> Traced:
        left, right = self.operand(one), self.operand(other)
        if not left.shape or not right.shape:
            return self.apply("*", left, right)

        def make(formulas: Sequence[Formula]) -> Formula:
            return apply(ROW["@"], _within(formulas[0], 2), _within(formulas[1], 3))

        self.look()
        return self._made(make, (left, right), ROW["@"])

    def step(self, one: Operand, other: Operand) -> Traced:
        """1 where the one is larger than the other."""
        left, right = self.operand(one), self.operand(other)
        zero = right.make(()) if not right.args and not right.name else None
        difference = left if isinstance(zero, Num) and zero.value == 0 else self.apply("-", left, right)
        return self.apply("step", difference)

    def index(self, array: Traced, key: Any) -> Traced:
        """Elements and slices; rows of a table by their numbers."""
        parts: list[Any] = list(cast("tuple[Any, ...]", key)) if isinstance(key, tuple) else [key]
        if len(parts) == 1 and (isinstance(parts[0], (Traced, list)) or _is_array(parts[0])):
            return self.row("gather", array, parts[0])
        if any(isinstance(part, (Traced, list)) or _is_array(part) for part in parts):
            raise UsageError(
                "Several arrays of places in brackets are not traced.",
                cure="Multiply by a one-hot matrix and sum, or use backhand.fn.cross_entropy for the loss.",
            )
        if Ellipsis in parts:
            at = parts.index(Ellipsis)
            taken = sum(part is not None for part in parts) - 1
            parts[at : at + 1] = [slice(None)] * (array.ndim - taken)
        plain: tuple[Any, ...] = tuple(_place(part) for part in parts if part is not None)

        def make(formulas: Sequence[Formula]) -> Formula:
            return apply(INDEX, _within(formulas[0], 5), params=(("key", plain),))

        self.look()
        whole = all(part == (None, None, None) for part in plain)
        taken_out = array if whole else self._made(make, (array,), INDEX)
        if None not in parts:
            return taken_out
        sizes = list(taken_out.shape)
        shape: list[int] = []
        rest = iter(sizes)
        for part in parts:
            if part is None:
                shape.append(1)
            elif isinstance(part, slice):
                shape.append(next(rest))
        return taken_out.reshape((*shape, *rest))

    # -- functions of NumPy and PyTorch -----------------------------------------------------------------------------

    def function(self, name: str, args: Sequence[Any], told: Mapping[str, Any]) -> Any:
        """A function by the name that NumPy or PyTorch has for it."""
        if name in UFUNCS:
            return self.apply(UFUNCS[name], *args)
        if name in CURVES:
            return self.called(name, *args)
        special = getattr(_Functions, name, None)
        if special is None:
            raise _unknown(name)
        options = {key: value for key, value in told.items() if value is not None and key not in ("dtype", "out")}
        return special(self, *args, **options)

    # -- names --------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Notes which stand-ins the function has bound to names so far, and those of functions that it called."""
        frame: FrameType | None = inspect.currentframe()
        while frame is not None:
            if frame.f_globals.get("__name__") == __name__:
                frame = frame.f_back
                continue
            own = frame.f_code is self.code
            self.see(frame.f_locals, own=own)
            if own:
                return
            frame = frame.f_back

    def see(self, variables: Mapping[str, Any], *, own: bool) -> None:
        for name, value in list(variables.items()):
            if not isinstance(value, Traced) or value.recorder is not self or value.name:
                continue
            if own and _good(name):
                self.bind(name, value)
            elif _good(name):
                self.hints.setdefault(value.order, name)

    def bind(self, name: str, value: Traced) -> None:
        if not value.name:
            value.name = name
            self.bound.setdefault(name, []).append(value)

    # -- the graph ----------------------------------------------------------------------------------------------

    def graph(self, outputs: Mapping[str, Traced]) -> Graph:
        """What the outputs are made of, as a network."""
        needed = _needed(outputs.values())
        uses: dict[int, int] = {}
        for one in needed:
            for arg in one.args:
                uses[arg.order] = uses.get(arg.order, 0) + 1
        names = self._names(needed, outputs, uses)
        formulas: dict[int, Formula] = {}
        used = {one.name for one in needed if not one.args}
        quantities = [q for q in self.given.values() if q.name in used or q.kind != "constant"]
        for one in needed:
            formula = one.make([formulas[arg.order] for arg in one.args])
            name = names.get(one.order)
            if name is not None and one.args:
                quantities.append(Quantity(name, "computed", formula))
                formula = Ref(name)
            elif name is not None and name not in self.given:
                quantities.append(Quantity(name, "computed", formula))
            formulas[one.order] = formula
        return Graph.of(quantities)

    def _names(
        self, needed: Sequence[Traced], outputs: Mapping[str, Traced], uses: Mapping[int, int]
    ) -> dict[int, str]:
        """The names of quantities: those of locals, the last of several bearing the name itself; of outputs; and
        made-up ones for what is used twice and has none."""
        taken = set(self.given)
        found: dict[int, str] = {one.order: one.name for one in needed if not one.args and one.name}
        for name, values in self.bound.items():
            here = [value for value in values if value in needed]
            for number, value in enumerate(here, 1):
                last = number == len(here)
                chosen = name if last and name not in taken else _free(name, taken, number)
                taken.add(chosen)
                found[value.order] = chosen
        for wanted, value in outputs.items():
            if value.order not in found or (not value.args and value.name == ""):
                name = wanted if wanted not in taken else _free(wanted, taken)
                taken.add(name)
                found[value.order] = name
        for one in needed:
            if one.args and one.order not in found and uses.get(one.order, 0) > 1:
                hint = self.hints.get(one.order, "v")
                name = hint if hint not in taken and hint != "v" else _free(hint, taken)
                taken.add(name)
                found[one.order] = name
        return found


def trace(function: Callable[..., Any], /, *, kinds: Mapping[str, Kind] | None = None, **inputs: Any) -> Graph:
    r"""A network from an ordinary Python function, by calling it with stand-ins for the numbers.

    The keywords name what is given, their numbers (or lists, or arrays) are its values. Names such as W1, w, gamma are
    weights, b1, bias, beta biases, t, target targets, and all others inputs; `kinds` says otherwise. The value
    returned is the output: a number, or a dict or tuple of several.

    >>> import math
    >>> def neuron(x, w, b):
    ...     z = w*x + b
    ...     return fn.sigmoid(z)
    >>> print(trace(neuron, x=2, w=-0.5, b=1), end="")
    input x = 2
    weight w = -0.5
    bias b = 1
    z = w*x + b
    L = sigmoid(z)
    """
    if not callable(function):
        raise UsageError("The first thing that is handed over is no function.", cure="Write trace(f, x=2, w=3).")
    called = function if hasattr(function, "__code__") else getattr(type(function), "__call__", None)  # noqa: B004
    code = getattr(called, "__code__", None)
    recorder = Recorder(code)
    given: dict[str, Traced] = {}
    for name, value in inputs.items():
        if not re.fullmatch(WORD, name):
            raise UsageError(f"{name} cannot be the name of a quantity.", cure="Use letters, digits and _.")
        given[name] = recorder.input(name, value, (kinds or {}).get(name) or kind_of(name))
    result = _run(recorder, function, given)
    return recorder.graph(_outputs(recorder, result))


def _run(recorder: Recorder, function: Callable[..., Any], given: dict[str, Traced]) -> Any:
    """Calls the function, and looks at its frame when it returns: what is bound last has no operation behind it."""
    before = sys.getprofile()

    def returned(frame: FrameType, event: str, _: Any) -> None:
        if event == "return" and frame.f_code is recorder.code:
            recorder.see(frame.f_locals, own=True)

    sys.setprofile(returned)
    try:
        return function(**given)
    except (TypeError, ValueError) as error:
        if isinstance(error.__cause__, BackhandError):
            raise error.__cause__ from None
        raise
    finally:
        sys.setprofile(before)


def _outputs(recorder: Recorder, result: Any) -> dict[str, Traced]:
    values: list[tuple[str, Any]]
    if isinstance(result, Mapping):
        values = [(str(name), value) for name, value in cast("Mapping[Any, Any]", result).items()]
    elif isinstance(result, (tuple, list)):
        several = cast("Sequence[Any]", result)
        values = [(f"out{n}" if n else "L", value) for n, value in enumerate(several)]
    else:
        values = [("L", result)]
    found = {name: value for name, value in values if isinstance(value, Traced) and value.recorder is recorder}
    if not found:
        raise UsageError(
            f"The function returns {type(cast('object', result)).__name__}, which is not made of what it was given.",
            cure="Return a number that depends on the arguments; use no float(), .item() or math functions on the way.",
        )
    return found


def _needed(outputs: Iterable[Traced]) -> list[Traced]:
    """All that outputs are made of, in the order in which it was made."""
    seen: dict[int, Traced] = {}
    waiting = list(outputs)
    while waiting:
        one = waiting.pop()
        if one.order not in seen:
            seen[one.order] = one
            waiting += one.args
    return [seen[order] for order in sorted(seen)]


# -- given things -----------------------------------------------------------------------------------------------


def kind_of(name: str) -> Kind:
    """What a name usually means."""
    if re.fullmatch(r"(?:[wW]|weight|theta|gamma|kernel|emb)(?:[\d_].*|[a-z]?|[A-Z]\w?)|W\w*|weights?\w*", name):
        return "weight"
    if re.fullmatch(r"b(?:[\d_].*)?|bias\w*|beta\d*", name):
        return "bias"
    if re.fullmatch(r"[tT](?:[\d_].*)?|targets?|labels?|y_true|onehot|one_hot", name):
        return "target"
    return "input"


def _given(name: str, value: Any, kind: Kind) -> Quantity:
    if value is None:
        return Quantity(name, kind)
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    array: Any = np.asarray(value)
    if array.ndim == 0:
        return Quantity(name, kind, None, exact(value if not hasattr(value, "item") else value.item()))
    if array.dtype != object:
        array = np.asarray(array, np.float64)
    if not bool(np.all(np.isfinite(np.asarray(array, np.float64)))):
        raise UsageError(f"{name} has an element that is no finite number.", cure="Give finite numbers.")
    return ar.given(name, kind, None, array)


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _good(name: str) -> bool:
    return not name.startswith("_") and re.fullmatch(WORD, name) is not None and plain_name(name) == name


def _free(stem: str, taken: Iterable[str], number: int = 1) -> str:
    known = set(taken)
    spelled = f"{stem}{{}}" if len(stem) == 1 and not stem.isdigit() and stem in "cv" else f"{stem}_{{}}"
    while spelled.format(number) in known:
        number += 1
    return spelled.format(number)


# -- formulas ----------------------------------------------------------------------------------------------------


def _within(formula: Formula, needed: int) -> Formula:
    """With the parentheses that its place needs."""
    rank = RANK.get(formula.operation.name, 5) if isinstance(formula, Apply) and formula.args else 5
    if isinstance(formula, Apply) and formula.style == "list":
        rank = 5
    return formula if rank >= needed else grouped(formula)


def _fraction(number: Any) -> Formula:
    """A decimal as it is written where it ends soon, the root of a whole number as a root, else a quotient."""
    text = f"{float(number):.15g}"
    square = round(float(number) ** 2)
    if len(text) > 12 and 0 < square < 10**6 and math.sqrt(square) == float(number):
        return apply(OPERATIONS["sqrt", 1], Num(exact(square)))
    if "e" not in text and exact(float(text)) == number:
        return Num(number, text)
    return apply(DIVIDE, Num(exact(number.numerator)), Num(exact(number.denominator)))


def _place(part: Any) -> Any:
    """A place in brackets, as the table writes it."""
    if isinstance(part, slice):
        told = cast("Any", part)
        return (told.start, told.stop, told.step)
    return operator.index(part)


def _option(value: Any) -> Param:
    if isinstance(value, (list, tuple)):
        return tuple(_option(one) for one in cast("Sequence[Any]", value))
    if isinstance(value, bool) or value is None or isinstance(value, (int, str)):
        return value
    number = exact(value)
    return int(number) if number.denominator == 1 else number


def _unknown(name: str) -> UsageError:
    known = ", ".join(sorted({*UFUNCS, *CURVES, *(key for key in vars(_Functions) if not key.startswith("_"))}))
    return UsageError(f"{name} is not traced.", cure=f"Functions that are: {known}; and those of backhand.fn.")


UFUNCS = {
    "add": "+", "subtract": "-", "sub": "-", "multiply": "*", "mul": "*", "divide": "/", "true_divide": "/", "div": "/",
    "negative": "neg", "neg": "neg", "power": "^", "float_power": "^", "pow": "^", "exp": "exp", "log": "ln",
    "log2": "log2", "log10": "log10", "sqrt": "sqrt", "sin": "sin", "cos": "cos", "tan": "tan", "arcsin": "asin",
    "arccos": "acos", "arctan": "atan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "absolute": "abs", "abs": "abs",
    "fabs": "abs", "sign": "sign",
}  # fmt: skip
"""Rows of single numbers by the names that NumPy and PyTorch have for them."""

CURVES = frozenset("sigmoid relu softplus elu gelu silu erf leaky_relu".split())


class _Functions:
    """Functions of NumPy and PyTorch that are more than one row; the first argument is the recorder."""

    @staticmethod
    def maximum(r: Recorder, one: Any, other: Any) -> Traced:
        for left, right in ((one, other), (other, one)):
            if not isinstance(right, Traced) and np.ndim(right) == 0 and right == 0:
                return r.called("relu", left)
        return r.apply("max", one, other)

    @staticmethod
    def minimum(r: Recorder, one: Any, other: Any) -> Traced:
        return r.apply("min", one, other)

    @staticmethod
    def square(r: Recorder, one: Any) -> Traced:
        return r.apply("^", one, 2)

    @staticmethod
    def reciprocal(r: Recorder, one: Any) -> Traced:
        return r.apply("/", 1, one)

    @staticmethod
    def positive(r: Recorder, one: Any) -> Traced:
        return r.operand(one)

    @staticmethod
    def greater(r: Recorder, one: Any, other: Any) -> Traced:
        return r.step(one, other)

    @staticmethod
    def less(r: Recorder, one: Any, other: Any) -> Traced:
        return r.step(other, one)

    @staticmethod
    def greater_equal(r: Recorder, one: Any, other: Any) -> Traced:
        return r.apply("-", 1, r.step(other, one))

    @staticmethod
    def less_equal(r: Recorder, one: Any, other: Any) -> Traced:
        return r.apply("-", 1, r.step(one, other))

    @staticmethod
    def matmul(r: Recorder, one: Any, other: Any) -> Traced:
        return r.matmul(one, other)

    dot = mm = mv = matmul

    @staticmethod
    def outer(r: Recorder, one: Any, other: Any) -> Traced:
        return r.row("outer", one, other)

    @staticmethod
    def sum(r: Recorder, one: Any, axis: Any = None, *, keepdims: bool = False, **_: Any) -> Traced:
        return r.row("sum", one, axis=axis, keepdims=keepdims)

    @staticmethod
    def mean(r: Recorder, one: Any, axis: Any = None, *, keepdims: bool = False, **_: Any) -> Traced:
        return r.row("mean", one, axis=axis, keepdims=keepdims)

    @staticmethod
    def average(r: Recorder, one: Any, axis: Any = None) -> Traced:
        return r.row("mean", one, axis=axis)

    @staticmethod
    def var(r: Recorder, one: Any, axis: Any = None, *, keepdims: bool = False, **_: Any) -> Traced:
        return r.row("var", one, axis=axis, keepdims=keepdims)

    @staticmethod
    def std(r: Recorder, one: Any, axis: Any = None, *, keepdims: bool = False, **_: Any) -> Traced:
        return r.apply("sqrt", r.row("var", one, axis=axis, keepdims=keepdims))

    @staticmethod
    def max(r: Recorder, one: Any, axis: Any = None, *, keepdims: bool = False, **_: Any) -> Traced:
        return r.row("max", one, axis=axis, keepdims=keepdims)

    amax = max  # noqa: A003 - NumPy's own names

    @staticmethod
    def min(r: Recorder, one: Any, axis: Any = None, *, keepdims: bool = False, **_: Any) -> Traced:
        return r.row("min", one, axis=axis, keepdims=keepdims)

    amin = min  # noqa: A003

    @staticmethod
    def norm(r: Recorder, one: Any) -> Traced:
        return r.apply("sqrt", r.row("sum", r.apply("^", one, 2)))

    @staticmethod
    def transpose(r: Recorder, one: Any, axes: Any = None) -> Traced:
        return r.operand(one).transpose() if axes is None else r.operand(one).transpose(tuple(axes))

    @staticmethod
    def swapaxes(r: Recorder, one: Any, first: int, second: int) -> Traced:
        array = r.operand(one)
        order = list(range(array.ndim))
        order[first], order[second] = order[second], order[first]
        return array.transpose(tuple(order))

    @staticmethod
    def reshape(r: Recorder, one: Any, shape: Any, **_: Any) -> Traced:
        return r.operand(one).reshape(shape)

    @staticmethod
    def ravel(r: Recorder, one: Any) -> Traced:
        return r.operand(one).ravel()

    @staticmethod
    def squeeze(r: Recorder, one: Any, axis: Any = None) -> Traced:
        return r.operand(one).squeeze(axis)

    @staticmethod
    def expand_dims(r: Recorder, one: Any, axis: int) -> Traced:
        array = r.operand(one)
        sizes = list(array.shape)
        sizes.insert(axis if axis >= 0 else len(sizes) + 1 + axis, 1)
        return array.reshape(tuple(sizes))

    @staticmethod
    def flip(r: Recorder, one: Any, axis: Any = None) -> Traced:
        array = r.operand(one)
        axes = axes_of(axis, array.ndim)
        return array[tuple(slice(None, None, -1) if n in axes else slice(None) for n in range(array.ndim))]

    @staticmethod
    def concatenate(r: Recorder, arrays: Sequence[Any], axis: int = 0) -> Traced:
        return r.row("concat", *arrays, axis=axis)

    cat = concatenate

    @staticmethod
    def stack(r: Recorder, arrays: Sequence[Any], axis: int = 0) -> Traced:
        r.look()
        args = [r.operand(one) for one in arrays]
        if axis == 0 and all(not arg.shape for arg in args):

            def make(formulas: Sequence[Formula]) -> Formula:
                return apply(STACK, *formulas, style="list", params=(("axis", 0),))

            return Traced(r, make, args, (len(args),))
        return r.row("stack", *args, axis=axis)

    array = stack

    @staticmethod
    def where(r: Recorder, condition: Any, one: Any, other: Any) -> Traced:
        """The one where the condition is 1, the other elsewhere; np.where(z > 0, z, 0) is relu(z)."""
        chosen = r.operand(condition)
        inner = chosen.args[0] if len(chosen.args) == 1 else None
        if inner is one and not isinstance(other, Traced) and np.ndim(other) == 0 and other == 0:
            return r.called("relu", one)
        left = r.apply("*", chosen, one)
        return r.apply("+", left, r.apply("*", r.apply("-", 1, chosen), other))

    @staticmethod
    def clip(r: Recorder, one: Any, low: Any = None, high: Any = None, **_: Any) -> Traced:
        found = r.operand(one) if low is None else r.apply("max", one, low)
        return found if high is None else r.apply("min", found, high)

    @staticmethod
    def zeros_like(r: Recorder, one: Any, **_: Any) -> Any:
        return np.zeros(r.operand(one).shape)

    @staticmethod
    def ones_like(r: Recorder, one: Any, **_: Any) -> Any:
        return np.ones(r.operand(one).shape)

    @staticmethod
    def shape(r: Recorder, one: Any) -> Shape:
        return r.operand(one).shape

    @staticmethod
    def ndim(r: Recorder, one: Any) -> int:
        return r.operand(one).ndim

    @staticmethod
    def size(r: Recorder, one: Any, axis: int | None = None) -> int:
        array = r.operand(one)
        return array.size if axis is None else array.shape[axis]

    @staticmethod
    def copy(r: Recorder, one: Any, **_: Any) -> Traced:
        return r.operand(one)

    @staticmethod
    def softmax(r: Recorder, one: Any, dim: int = -1, **_: Any) -> Traced:
        return r.row("softmax", one, axis=dim)

    @staticmethod
    def log_softmax(r: Recorder, one: Any, dim: int = -1, **_: Any) -> Traced:
        return r.row("log_softmax", one, axis=dim)


class Fn:
    """The functions of the tables by name, `fn.softmax(z, axis=1)`: on stand-ins, and on numbers and arrays, so that a
    function that uses them runs as it is. `fn.name("z", value)` names a quantity."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in FUNCTIONS and name not in ARRAY_FUNCTIONS:
            raise AttributeError(f"no function {name}; known are {', '.join(sorted(FUNCTIONS | ARRAY_FUNCTIONS))}")

        def made(*args: Any, **options: Any) -> Any:
            args, options = _in_order(name, args, options)
            some = next((arg for arg in args if isinstance(arg, Traced)), None)
            if some is not None:
                return some.recorder.called(name, *args, **options)
            return _on_numbers(name, args, options)

        made.__name__ = name
        return made

    def __dir__(self) -> list[str]:
        return sorted({"name", *FUNCTIONS, *ARRAY_FUNCTIONS})

    def name(self, name: str, value: Any) -> Any:
        """The same value; while a function is traced it is a quantity of that name."""
        if isinstance(value, Traced):
            if not _good(name):
                raise UsageError(f"{name} cannot be the name of a quantity.", cure="Use letters, digits and _.")
            value.recorder.bind(name, value)
        return value


fn = Fn()


def _in_order(name: str, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What is given beyond the arguments of a row are its options, in their order: `fn.max_pool(x, 2)`."""
    rows = [row for row in ROWS if row.name == name]
    most = max((len(row.arguments) for row in rows), default=len(args))
    if len(args) <= most or any(row.several for row in rows) or (name, len(args)) in OPERATIONS:
        return args, options
    keys = [key for key, _ in rows[0].params]
    if len(args) - most > len(keys):
        raise UsageError(
            f"{name} takes {most + len(keys)} things at most, and here are {len(args)}.",
            cure=f"Give {', '.join(keys)} by name." if keys else "Leave the last ones out.",
        )
    return args[:most], {**dict(zip(keys, args[most:], strict=False)), **options}


def _on_numbers(name: str, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
    values: list[Any] = [np.asarray(arg, np.float64) for arg in args]
    letters = tuple(Ref(f"a{k}") for k in range(len(args)))
    if options or name in ARRAY_FUNCTIONS:
        formula: Formula = node(name, *letters, **{key: _option(value) for key, value in options.items()})
    else:
        formula = call(name, letters, None)
    assert isinstance(formula, Apply)
    return ar.apply(formula, [value if value.ndim else float(value) for value in values], exact=False)
