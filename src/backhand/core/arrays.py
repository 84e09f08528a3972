"""Arithmetic with arrays: what the rows of `core.array_operations` do with numbers.

An array of exact numbers is a NumPy array of objects: fractions, rounded numbers that can tell their
digits (`core.digits`), symbols. Each element goes through the same rows and the same rules as a single
number, so nothing is lost by being in an array. An array of floats is a NumPy array of float64, and
goes through NumPy's functions. Whoever starts decides which; the two are never mixed.

An array of one element with no axes is a plain number again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from backhand.core import array_operations as ao
from backhand.core import evaluate as ev
from backhand.core.arithmetic import NoValue, TooLarge
from backhand.core.array_operations import ArrayOperation, Shape
from backhand.core.evaluate import Note, Value
from backhand.core.formula import Apply, Formula, Num, Ref, Slope, postorder
from backhand.core.operations import ADD, MULTIPLY, Operation
from backhand.core.shapes import site
from backhand.errors import LimitError, UndefinedError
from backhand.numbers import as_float, show
from backhand.text import Span

if TYPE_CHECKING:
    from backhand.core.graph import Kind, Quantity

Array: TypeAlias = "np.ndarray[Any, Any]"
Options: TypeAlias = "dict[str, Any]"

ZERO, ONE = Fraction(0), Fraction(1)


def is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def shape_of(value: Value | Array) -> Shape:
    """() for a number."""
    return value.shape if isinstance(value, np.ndarray) else ()


def boxed(value: Value | Array) -> Array:
    """A value as an array of objects."""
    if isinstance(value, np.ndarray):
        return value
    made = np.empty((), object)
    made[()] = value
    return made


def unboxed(array: Any) -> Any:
    """A plain number if there are no axes."""
    if is_array(array) and array.ndim == 0:
        return array.item() if array.dtype != object else array[()]
    return float(array) if type(array) is np.float64 else array


def floats(value: Value | Array) -> Any:
    """A value as floats."""
    if isinstance(value, np.ndarray):
        return as_floats(value)
    if isinstance(value, Formula):
        raise NoValue("it has no value, and floats are wanted")
    return as_float(value)


_to_floats: Any = np.frompyfunc(as_float, 1, 1)


def as_floats(array: Any) -> Array:
    """An array of any numbers as floats."""
    return np.asarray(_to_floats(array) if array.dtype == object else array, np.float64)


# -- evaluating ---------------------------------------------------------------------------------------------------


Key: TypeAlias = "tuple[Any, ...] | str"


class Evaluator:
    """Evaluates formulas of arrays, and keeps what parts of the network's own formulas are worth, so that the way back
    does not compute them again.

    `values` and `adjoints` look up names and derivatives; `exact` says which arithmetic. With `slopes` what is
    evaluated are slopes, and an element that has no value is nan; `lost` counts those."""

    def __init__(
        self,
        values: Mapping[str, Any],
        adjoints: Mapping[str, Any],
        *,
        exact: bool,
        note: Note,
        kept: dict[int, Any] | None = None,
        slopes: bool = False,
    ) -> None:
        self.values = values
        self.adjoints = adjoints
        self.exact = exact
        self.note = note
        self.slopes = slopes
        self.lost = 0
        self.passing: dict[int, Any] | None = None
        """What parts of the formulas at hand are worth, while one quantity sends back."""
        self.numbers: dict[Any, int] = {}
        self.kept: dict[int, Any] = {} if kept is None else kept

    def number(self, node: Formula, args: Sequence[int]) -> int:
        """A number for what the part is, the same wherever it stands."""
        match node:
            case Apply():
                key: Any = (id(node.operation), node.params, *args)
            case Ref():
                key = node.name
            case Slope():
                key = ("slope", node.of, node.by)
            case Num():
                key = node.value
        return self.numbers.setdefault(key, len(self.numbers))

    def evaluate(self, formula: Formula, *, keep: str = "") -> Any:
        """The value of a formula. With `keep`, those of its parts are kept, and the whole under that name, too."""
        worth: list[Any] = []
        marks: list[int] = []
        mark = -1
        for node in postorder(formula):
            if isinstance(node, Apply):
                count = len(node.args)
                args, below = worth[len(worth) - count :] if count else [], marks[len(marks) - count :] if count else []
                if count:
                    del worth[len(worth) - count :], marks[len(marks) - count :]
                mark = self.number(node, below)
                value = self.kept.get(mark)
                if value is None and self.passing is not None:
                    value = self.passing.get(mark)
                if value is None:
                    value = self.apply(node, args)
                    if keep:
                        self.kept[mark] = value
                    elif self.passing is not None:
                        self.passing[mark] = value
            elif isinstance(node, Ref):
                mark, value = self.number(node, ()), self.values[node.name]
            elif isinstance(node, Num):
                mark = self.number(node, ())
                value = node.value if self.exact else as_float(node.value)
            else:
                mark, value = self.number(node, ()), self.adjoints[node.by]
            worth.append(value)
            marks.append(mark)
        return worth[0]

    def apply(self, node: Apply, args: Sequence[Any]) -> Any:
        """One operation on values."""
        return apply(node, args, exact=self.exact, note=self.note, lost=self._lose if self.slopes else None)

    def _lose(self) -> float:
        self.lost += 1
        return math.nan


def apply(
    node: Apply,
    args: Sequence[Any],
    *,
    exact: bool,
    note: Note = ev.quiet,
    lost: Callable[[], float] | None = None,
) -> Any:
    """One operation, of either table, on numbers and arrays. An element without a value is what `lost` gives; NoValue
    without it."""
    row = node.operation
    if isinstance(row, ArrayOperation):
        options = dict(node.params)
        if row.sort == "formula":
            shapes = [shape_of(arg) for arg in args]
            formula = value_formula(node, shapes)
            letters = dict(zip(row.arguments, args, strict=True))
            inner = Evaluator(letters, {}, exact=exact, note=note, slopes=lost is not None)
            return inner.evaluate(formula)
        arithmetic = EXACT if exact else FLOATS
        result = row.compute(arithmetic, args, options)
        return unboxed(result)
    return lifted(row, args, note, lost) if exact else lifted_floats(row, args, lost)


def value_formula(node: Apply, shapes: Sequence[Shape]) -> Formula:
    """The formula of a row of the sort "formula", in its letters, at these shapes."""
    row = node.operation
    assert isinstance(row, ArrayOperation)
    text = row.formula
    if callable(text):
        shape = row.shape(shapes, dict(node.params))
        text = text(site(node, shapes, shape))
    return ev.row_formula(text)


def constant(formula: Formula, name: str, span: Span | None) -> Any:
    """The value of a formula without names: an array as it is written or loaded, or a number made of one. Exact where
    it is small."""
    from backhand.core.array_passes import work
    from backhand.core.graph import Quantity
    from backhand.core.shapes import settle

    settle([Quantity(name, "computed", formula, span=span)])
    try:
        whole = Evaluator({}, {}, exact=work(formula, {}).small, note=ev.quiet).evaluate(formula)
    except NoValue as error:
        raise UndefinedError(f"{name} has no value: {error}.", span, cure="Change the numbers it is made of.") from None
    except TooLarge as error:
        raise LimitError(f"{name} is too long a number: {error}.", span, cure="Use smaller numbers.") from None
    finite = np.all(np.isfinite(floats(whole)))
    if not finite:
        raise UndefinedError(f"{name} has an element that is no finite number.", span, cure="Give finite numbers.")
    return whole


def given(name: str, kind: Kind, definition: Formula | None, value: Any, span: Span | None = None) -> Quantity:
    """A given quantity: an array, or a single number."""
    from backhand.core.graph import Quantity

    if is_array(value):
        return Quantity(name, kind, definition, None, value.shape, span=span, array=value)
    return Quantity(name, kind, definition, value, span=span)


# -- element by element ---------------------------------------------------------------------------------------------


def lifted(row: Operation, args: Sequence[Any], note: Note = ev.quiet, lost: Callable[[], float] | None = None) -> Any:
    """A row of single numbers on each element, exactly."""
    if not any(isinstance(arg, np.ndarray) for arg in args):
        try:
            return ev.apply_operation(row, list(args), note)
        except (NoValue, TooLarge):
            if lost is None:
                raise
            return lost()
    arrays = np.broadcast_arrays(*[boxed(arg) for arg in args])
    made = np.empty(arrays[0].shape, object)
    flat = made.reshape(-1)
    heard: dict[str, int] = {}

    def hear(words: str) -> None:
        heard[words] = heard.get(words, 0) + 1

    for position, elements in enumerate(zip(*(array.reshape(-1) for array in arrays), strict=True)):
        try:
            flat[position] = ev.apply_operation(row, list(elements), hear)
        except NoValue as error:
            if lost is None:
                raise NoValue(f"{error}, at the element {_place(position, made.shape)}") from None
            flat[position] = lost()
        except TooLarge:
            if lost is None:
                raise
            flat[position] = lost()
    _pass_on(heard, note)
    return made


def _pass_on(heard: dict[str, int], note: Note) -> None:
    """What was said about elements; of many different things the first, and how many."""
    for words in heard if len(heard) < 3 else [next(iter(heard))]:
        note(words)
    if len(heard) > 2:
        note(f"The like of it happens at {sum(heard.values()) - 1} other elements.")


def _place(position: int, shape: Shape) -> str:
    return "[" + ", ".join(str(int(n)) for n in np.unravel_index(position, shape)) + "]"


def _sigmoid(u: Any) -> Any:
    small = np.exp(-np.abs(u))
    return np.where(u >= 0, 1.0, small) / (1.0 + small)


def _relu(u: Any) -> Any:
    return np.maximum(u, 0.0)


def _softplus(u: Any) -> Any:
    return np.logaddexp(0.0, u)


def _elu(u: Any) -> Any:
    below: Any = np.expm1(np.minimum(u, 0.0))
    above: Any = np.maximum(u, 0.0)
    return above + below


def _gelu(u: Any) -> Any:
    found: Any = u * _erfc_of(u * -math.sqrt(0.5)).astype(np.float64) / 2
    return found


def _silu(u: Any) -> Any:
    found: Any = u * _sigmoid(u)
    return found


def _step(u: Any) -> Any:
    found = np.greater(u, 0.0).astype(np.float64)
    if math.isfinite(np.sum(u)):  # 50 times as fast as np.heaviside
        return found
    return np.where(np.isnan(u), math.nan, found)


def _erf(u: Any) -> Any:
    return _erf_of(u).astype(np.float64)


_erf_of: Any = np.frompyfunc(math.erf, 1, 1)
_erfc_of: Any = np.frompyfunc(math.erfc, 1, 1)

NUMPY: dict[str, Callable[..., Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "neg": np.negative, "^": np.power,
    "exp": np.exp, "ln": np.log, "log2": np.log2, "log10": np.log10, "sqrt": np.sqrt,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "erf": _erf,
    "sigmoid": _sigmoid, "relu": _relu, "softplus": _softplus, "gelu": _gelu, "silu": _silu,
    "abs": np.abs, "max": np.maximum, "min": np.minimum, "sign": np.sign, "step": _step,
}  # fmt: skip
"""NumPy's functions for rows; a row without one goes through its own formula."""


def lifted_floats(row: Operation, args: Sequence[Any], lost: Callable[[], float] | None = None) -> Any:
    """A row of single numbers on each element, in floats."""
    if not any(isinstance(arg, np.ndarray) for arg in args):
        try:
            return row.real(*args)
        except OverflowError:
            return math.inf
        except NoValue:
            if lost is None:
                raise
            return lost()
    function = _elu if row.name == "elu" and len(args) == 1 else NUMPY.get(row.name)
    if function is not None:
        return function(*args)
    letters = dict(zip(row.arguments, args, strict=True))
    return Evaluator(letters, {}, exact=False, note=ev.quiet).evaluate(ev.row_formula(row.value))


# -- the two arithmetics ----------------------------------------------------------------------------------------------


class Exact:
    """With arrays of objects."""

    zero: Any = ZERO
    one: Any = ONE

    def array(self, value: Any) -> Array:
        return boxed(value)

    def full(self, shape: Shape, value: Any) -> Array:
        made = np.empty(shape, object)
        made[...] = value
        return made

    def multiply(self, one: Any, other: Any) -> Any:
        return boxed(lifted(MULTIPLY, [one, other]))

    def add_up(self, array: Array, axes: tuple[int, ...]) -> Array:
        """The sums along axes; one after the other, from the first."""
        moved = np.moveaxis(array, axes, range(len(axes)))
        rest = moved.shape[len(axes) :]
        lines = moved.reshape(-1, *rest)
        total = lines[0] if rest else boxed(lines[0])
        for line in lines[1:]:
            total = boxed(lifted(ADD, [total, line]))
        return total

    def matmul(self, one: Array, other: Array) -> Array:
        """Sums of products, from the first."""
        left = one[..., :, np.newaxis] if other.ndim > 1 and one.ndim > 1 else one
        if one.ndim == 1 and other.ndim == 1:
            return self.add_up(self.multiply(one, other), (0,))
        if other.ndim == 1:
            return self.add_up(self.multiply(one, other), (one.ndim - 1,))
        if one.ndim == 1:
            return self.add_up(self.multiply(one[:, np.newaxis], other), (other.ndim - 2,))
        products = self.multiply(left, other[..., np.newaxis, :, :])
        return self.add_up(products, (products.ndim - 2,))

    def add_at(self, shape: Shape, places: Any, values: Array) -> Array:
        """Zeros with values added at places of the flat array."""
        made = self.full((int(np.prod(shape)),), ZERO)
        for place, value in zip(places.reshape(-1), values.reshape(-1), strict=True):
            if place >= 0:
                made[place] = ev.apply_operation(ADD, [_number(made[place]), _number(value)])
        return made.reshape(shape)

    def larger(self, array: Array, axes: tuple[int, ...], sign: int) -> Array:
        """The largest (or smallest) along axes, kept as axes of size 1."""
        moved = np.moveaxis(array, axes, range(len(axes)))
        rest = moved.shape[len(axes) :]
        lines = moved.reshape(-1, *rest)
        best = boxed(lines[0]).copy()
        for line in map(boxed, lines[1:]):
            for place in np.ndindex(rest):
                if sign * _compared(line[place]) > sign * _compared(best[place]):
                    best[place] = line[place]
        return np.expand_dims(best, tuple(axes))

    def alike(self, array: Array, other: Array) -> Array:
        """1 where they are equal."""
        one, two = np.broadcast_arrays(array, other)
        made = np.empty(one.shape, object)
        for place in np.ndindex(one.shape):
            made[place] = ONE if _compared(one[place]) == _compared(two[place]) else ZERO
        return made

    def divide(self, one: Array, other: Array) -> Array:
        from backhand.core.operations import DIVIDE

        return boxed(lifted(DIVIDE, [one, other]))


def _number(element: Any) -> Value:
    """An element of an array of objects."""
    return element


def _compared(value: Any) -> Any:
    if isinstance(value, Formula):
        raise NoValue("the largest of symbols without values is not known")
    return value


class Floats:
    """With arrays of float64."""

    zero: Any = 0.0
    one: Any = 1.0

    def array(self, value: Any) -> Array:
        return np.asarray(value, np.float64)

    def full(self, shape: Shape, value: Any) -> Array:
        return np.full(shape, value, np.float64)

    def multiply(self, one: Any, other: Any) -> Any:
        return np.multiply(one, other)

    def add_up(self, array: Array, axes: tuple[int, ...]) -> Array:
        return np.asarray(np.sum(array, axis=axes))

    def matmul(self, one: Array, other: Array) -> Array:
        return np.matmul(one, other)

    def add_at(self, shape: Shape, places: Any, values: Array) -> Array:
        kept = places.reshape(-1) >= 0
        total = int(np.prod(shape))
        return np.bincount(places.reshape(-1)[kept], values.reshape(-1)[kept], total).reshape(shape)

    def larger(self, array: Array, axes: tuple[int, ...], sign: int) -> Array:
        return np.asarray((np.max if sign > 0 else np.min)(array, axis=axes, keepdims=True))

    def alike(self, array: Array, other: Array) -> Array:
        return np.equal(array, other).astype(np.float64)

    def divide(self, one: Array, other: Array) -> Array:
        return np.divide(one, other)


EXACT, FLOATS = Exact(), Floats()
Arithmetic: TypeAlias = "Exact | Floats"


# -- the rows: sums, products ------------------------------------------------------------------------------------------


def _axes(axis: Any, rank: int) -> tuple[int, ...]:
    return ao.axes_of(axis, rank)


def summed(ar: Arithmetic, args: Sequence[Any], options: Options) -> Any:
    (value,) = args
    array = ar.array(value)
    axes = _axes(options["axis"], array.ndim)
    if not axes:
        return array
    total = ar.add_up(array, axes)
    return np.expand_dims(total, axes) if options["keepdims"] else total


def spread(ar: Arithmetic, args: Sequence[Any], options: Options) -> Any:
    """G along the axes that were summed away."""
    shape = _as_shape(options["shape"])
    array = ar.array(args[0])
    axes = _axes(options["axis"], len(shape))
    if array.ndim and not options["keepdims"]:
        array = np.expand_dims(array, axes)
    return np.broadcast_to(array, shape)


def largest_value(ar: Arithmetic, args: Sequence[Any], options: Options) -> Any:
    return _most(ar, args, options, 1)


def smallest_value(ar: Arithmetic, args: Sequence[Any], options: Options) -> Any:
    return _most(ar, args, options, -1)


def _most(ar: Arithmetic, args: Sequence[Any], options: Options, sign: int) -> Any:
    array = ar.array(args[0])
    axes = _axes(options["axis"], array.ndim)
    if not axes:
        return array
    found = ar.larger(array, axes, sign)
    return found if options["keepdims"] else found.reshape(ao.without(array.shape, axes))


def where_largest(ar: Arithmetic, args: Sequence[Any], options: Options) -> Any:
    return _where(ar, args, options, 1)


def where_smallest(ar: Arithmetic, args: Sequence[Any], options: Options) -> Any:
    return _where(ar, args, options, -1)


def _where(ar: Arithmetic, args: Sequence[Any], options: Options, sign: int) -> Any:
    """1 at the largest element; at equal ones they share it."""
    array = ar.array(args[0])
    axes = _axes(options["axis"], array.ndim)
    if not axes:
        return ar.full(array.shape, ar.one)
    found = ar.alike(array, ar.larger(array, axes, sign))
    shares = np.expand_dims(ar.add_up(found, axes), axes)
    return ar.divide(found, shares)


def matmul(ar: Arithmetic, args: Sequence[Any], _: Options) -> Any:
    return ar.matmul(ar.array(args[0]), ar.array(args[1]))


def outer(ar: Arithmetic, args: Sequence[Any], _: Options) -> Any:
    one, other = args
    return ar.multiply(one[:, np.newaxis], other[np.newaxis, :])


# -- moving elements ---------------------------------------------------------------------------------------------------


def transposed(ar: Arithmetic, args: Sequence[Any], options: Options) -> Any:
    axes = options["axes"]
    array = ar.array(args[0])
    return np.transpose(array, None if axes is None else normalize_axis_tuple(axes, array.ndim))


def reshaped(ar: Arithmetic, args: Sequence[Any], options: Options) -> Any:
    array = ar.array(args[0])
    return array.reshape(options["shape"])


def key_of(key: Any) -> Any:
    """Places in brackets, as NumPy takes them."""
    return tuple(slice(*cast("tuple[Any, ...]", part)) if isinstance(part, tuple) else part for part in key)


def taken_from(ar: Arithmetic, args: Sequence[Any], options: Options) -> Any:
    found: Any = ar.array(args[0])[key_of(options["key"])]
    return found if is_array(found) else ar.array(found)


def placed(ar: Arithmetic, args: Sequence[Any], options: Options) -> Any:
    made = ar.full(_as_shape(options["shape"]), ar.zero)
    made[key_of(options["key"])] = args[0]
    return made


def _as_shape(shape: Any) -> Shape:
    return cast("Shape", shape) if isinstance(shape, tuple) else (shape,)


def concatenated(ar: Arithmetic, args: Sequence[Any], options: Options) -> Any:
    return np.concatenate([ar.array(arg) for arg in args], axis=options["axis"])


def stacked(ar: Arithmetic, args: Sequence[Any], options: Options) -> Any:
    return np.stack([ar.array(arg) for arg in args], axis=options["axis"])


def whole_numbers(value: Any, most: int) -> Any:
    """Class numbers or row numbers: whole, from 0 to `most` - 1."""
    array: Any = np.asarray(floats(value))
    numbers = np.rint(array)
    wrong = (numbers != array) | (numbers < 0) | (numbers >= most)
    if np.any(wrong):
        found = show(Fraction(float(array[wrong].reshape(-1)[0])).limit_denominator(10**6)).text
        raise NoValue(f"{found} is no place among {most}, which are counted from 0 to {most - 1}")
    return numbers.astype(np.intp)


def gathered(ar: Arithmetic, args: Sequence[Any], _: Options) -> Any:
    table = ar.array(args[0])
    found: Any = table[whole_numbers(args[1], table.shape[0])]
    return found if is_array(found) else ar.array(found)


def scattered(ar: Arithmetic, args: Sequence[Any], options: Options) -> Any:
    shape = _as_shape(options["shape"])
    rows = whole_numbers(args[1], shape[0])
    width = int(np.prod(shape[1:]))
    places = rows[..., np.newaxis] * width + np.arange(width)
    return ar.add_at(shape, places, ar.array(args[0]).reshape(-1))


def one_hot(ar: Arithmetic, args: Sequence[Any], options: Options) -> Any:
    numbers = whole_numbers(args[0], options["size"])
    made = ar.full((*numbers.shape, options["size"]), ar.zero)
    np.put_along_axis(made, numbers[..., np.newaxis], ar.one, axis=-1)
    return made


def zeros(ar: Arithmetic, _: Sequence[Any], options: Options) -> Any:
    return ar.full(_as_shape(options["shape"]), ar.zero)


def ones(ar: Arithmetic, _: Sequence[Any], options: Options) -> Any:
    return ar.full(_as_shape(options["shape"]), ar.one)


def made_up(ar: Arithmetic, _: Sequence[Any], options: Options) -> Any:
    """Numbers of three decimals between -scale and scale, each as likely; of a seed the same on any machine (the
    generator is one that NumPy keeps as it is)."""
    seed = options["seed"]
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise NoValue("the seed of made-up numbers is a whole number from 0 to 4294967295")
    draw: Any = np.random.RandomState(seed)
    thousandths = draw.randint(-1000, 1001, _as_shape(options["shape"]))
    if isinstance(ar, Floats):
        return thousandths * (float(options["scale"]) / 1000)
    return _thousandth(thousandths, Fraction(options["scale"]))


_thousandth: Any = np.frompyfunc(lambda number, scale: Fraction(int(number), 1000) * scale, 2, 1)


def loaded(ar: Arithmetic, _: Sequence[Any], options: Options) -> Any:
    array = options["held"].array
    return exact_array(array) if isinstance(ar, Exact) else np.asarray(array, np.float64)


def exact_array(array: Any) -> Array:
    """An array of numbers as fractions; a float by its shortest decimal, so 0.1 is 1/10."""
    return _to_fractions(array) if array.dtype != object else array


_to_fractions: Any = np.frompyfunc(lambda number: Fraction(str(number)), 1, 1)


# -- windows -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def places_of_windows(shape: Shape, size: Shape, stride: Shape, padding: Shape, dilation: Shape) -> Any:
    """For each window and each place in it, the position in the flat image; -1 in the padding.

    The image has the shape `shape`, the result (windows, places)."""
    axes = len(size)
    along: list[Any] = []
    for whole, part, step, edge, gap in zip(shape, size, stride, padding, dilation, strict=True):
        count = (whole + 2 * edge - (part - 1) * gap - 1) // step + 1
        found = np.arange(count)[:, np.newaxis] * step + np.arange(part) * gap - edge
        along.append(np.where((found >= 0) & (found < whole), found, -1))
    if axes == 1:
        return along[0]
    rows, columns = along
    inside = (rows[:, np.newaxis, :, np.newaxis] >= 0) & (columns[np.newaxis, :, np.newaxis, :] >= 0)
    places = rows[:, np.newaxis, :, np.newaxis] * shape[1] + columns[np.newaxis, :, np.newaxis, :]
    return np.where(inside, places, -1).reshape(rows.shape[0] * columns.shape[0], -1)


def _window_places(shape: Shape, size: Shape, options: Options) -> Any:
    axes = len(size)
    if axes > 2:
        raise NoValue("windows have one or two axes")
    return places_of_windows(
        tuple(shape[-axes:]),
        size,
        ao.pairs(options["stride"], axes, 1),
        ao.pairs(options["padding"], axes),
        ao.pairs(options["dilation"], axes, 1),
    )


def _patches(ar: Arithmetic, array: Array, axes: int, places: Any) -> Array:
    """(..., windows, places in a window), 0 in the padding."""
    flat = array.reshape(*array.shape[: array.ndim - axes], -1)
    edge = ar.full((*flat.shape[:-1], 1), ar.zero)
    return np.concatenate([flat, edge], axis=-1)[..., places]


def _laid_back(ar: Arithmetic, patches: Array, shape: Shape, axes: int, places: Any) -> Array:
    """The transpose of `_patches`: each place gets the sum of what lies over it."""
    front = int(np.prod(shape[: len(shape) - axes]))
    each = int(np.prod(shape[len(shape) - axes :]))
    shifts = np.arange(front).reshape(-1, 1, 1) * each
    where = np.where(places >= 0, places + shifts, -1)
    return ar.add_at(shape, where, patches.reshape(-1))


def unfolded(ar: Arithmetic, args: Sequence[Any], options: Options) -> Any:
    size = _as_shape(options["size"])
    array = ar.array(args[0])
    places = _window_places(array.shape, size, options)
    count = ao.windows(array.shape, size, options)
    patches = _patches(ar, array, len(size), places)
    return patches.reshape(*array.shape[: array.ndim - len(size)], *count, places.shape[1])


def folded(ar: Arithmetic, args: Sequence[Any], options: Options) -> Any:
    size, shape = _as_shape(options["size"]), _as_shape(options["shape"])
    places = _window_places(shape, size, options)
    return _laid_back(ar, ar.array(args[0]), shape, len(size), places)


def _spatial(kernel: Shape) -> tuple[int, bool]:
    """How many axes a kernel slides along, and whether it has channels."""
    return (1 if len(kernel) in (1, 3) else 2), len(kernel) > 2


def convolved(ar: Arithmetic, args: Sequence[Any], options: Options) -> Any:
    """y[o, p] = sum over channels c and places k of the kernel: w[o, c, k] x[c, p + k], as frameworks define it (no
    kernel is turned round)."""
    image, kernel = ar.array(args[0]), ar.array(args[1])
    axes, channels = _spatial(kernel.shape)
    size = kernel.shape[-axes:]
    places = _window_places(image.shape, size, options)
    count = ao.windows(image.shape, size, options)
    patches = _patches(ar, image, axes, places)
    if not channels:
        found = ar.matmul(patches, kernel.reshape(-1))
        return found.reshape(*image.shape[: image.ndim - axes], *count)
    batch = image.shape[: image.ndim - axes - 1]
    rows = np.moveaxis(patches, -3, -2).reshape(*batch, places.shape[0], -1)
    found = ar.matmul(rows, kernel.reshape(kernel.shape[0], -1).T)
    return np.moveaxis(found, -1, -2).reshape(*batch, kernel.shape[0], *count)


def convolved_back_image(ar: Arithmetic, args: Sequence[Any], options: Options) -> Any:
    """What comes back to the image: each output sends its g through the kernel to the places it saw."""
    g, kernel = ar.array(args[0]), ar.array(args[1])
    shape = _as_shape(options["shape"])
    axes, channels = _spatial(kernel.shape)
    places = _window_places(shape, kernel.shape[-axes:], options)
    if not channels:
        sent = ar.multiply(g.reshape(*g.shape[: g.ndim - axes], -1)[..., np.newaxis], kernel.reshape(-1))
        return _laid_back(ar, sent, shape, axes, places)
    batch = shape[: len(shape) - axes - 1]
    columns = np.moveaxis(g.reshape(*batch, kernel.shape[0], -1), -1, -2)
    sent = ar.matmul(columns, kernel.reshape(kernel.shape[0], -1))
    sent = np.moveaxis(sent.reshape(*batch, places.shape[0], kernel.shape[1], -1), -2, -3)
    return _laid_back(ar, sent, shape, axes, places)


def convolved_back_kernel(ar: Arithmetic, args: Sequence[Any], options: Options) -> Any:
    """What comes back to the kernel: the sum over all windows of g times what the window shows."""
    g, image = ar.array(args[0]), ar.array(args[1])
    shape = _as_shape(options["shape"])
    axes, channels = _spatial(shape)
    places = _window_places(image.shape, shape[-axes:], options)
    patches = _patches(ar, image, axes, places)
    if not channels:
        found = ar.matmul(g.reshape(-1), patches.reshape(-1, patches.shape[-1]))
        return found.reshape(shape)
    count = places.shape[0]
    rows = np.moveaxis(patches, -3, -2).reshape(-1, shape[1] * places.shape[1])
    columns = np.moveaxis(g.reshape(-1, shape[0], count), 1, 0).reshape(shape[0], -1)
    return ar.matmul(columns, rows).reshape(shape)
