"""The table of operations on arrays: vectors, matrices, tensors.

    @ | u, v | ... | of a matrix by a matrix: g @ v.T, u.T @ g

A row of `core.operations` works on arrays element by element, with broadcasting; nothing is said
about that here. A row here says what shape comes out (`shape`), and how a derivative g by its result
becomes one by each argument (`vjp`, formulas in u, v, w, y and g). Rows are of three sorts:

    formula      `value` is a formula of other rows: softmax, cross_entropy, batchnorm. If it has no `vjp` of its
                 own, derivatives go through that formula; if it has one, a test holds both together.
    linear       in each argument by itself: sums, products of matrices, convolutions, and everything that only
                 moves elements about (reshape, transpose, slices). `compute` says what it does.
    the rest     the largest and smallest elements, and what has no slope (one_hot).

`value` and `vjp` may depend on shapes and options; then they are functions of a Site that give the
formula. Shapes are settled before anything is computed (`core.shapes`), and a row that cannot take
the shapes it is given says so by a Mismatch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn, TypeAlias, cast

from backhand.core.formula import Apply, Formula, Num, Param, Params, Ref, apply, unlimited
from backhand.core.operations import ARRAY_FUNCTIONS, Operation
from backhand.errors import ReadError

if TYPE_CHECKING:
    from backhand.text import Span

Shape: TypeAlias = "tuple[int, ...]"


class Mismatch(Exception):
    """Shapes that do not fit; `str()` says why, in words that go on from the operation's."""


class Site(NamedTuple):
    """Where a row is used: the shapes of its arguments and of its result, and what it is told."""

    shapes: tuple[Shape, ...]
    shape: Shape
    options: dict[str, Any]

    def __getitem__(self, option: str) -> Any:  # type: ignore[override]
        return self.options[option]


Text: TypeAlias = "str | Formula"
Sort: TypeAlias = Literal["formula", "linear", "largest", "flat"]


def _no_real(*_: float) -> NoReturn:
    raise AssertionError("a row of arrays has no function for single numbers")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ArrayOperation(Operation):
    """A row. On top of an Operation:

    `params`    what it may be told, with what goes without saying: axis=None
    `shape`     shapes of the arguments and options to the shape of the result; raises Mismatch
    `sort`      see the module; `several` says that it takes any number of arguments
    `formula`   of the sort "formula": its value, or a function of a Site that gives it
    `compute`   of the others: (arithmetic, arrays, options) to an array (`core.arrays` has the arithmetic)
    `vjp`       one formula an argument, or a function of a Site that gives them; "0" where there is no slope
    """

    params: tuple[tuple[str, Param], ...] = ()
    shape: Callable[[Sequence[Shape], dict[str, Any]], Shape] = _no_real  # type: ignore[assignment]
    sort: Sort = "linear"
    several: bool = False
    formula: str | Callable[[Site], str] = ""
    compute: Callable[..., Any] = _no_real
    vjp: tuple[Text, ...] | Callable[[Site], tuple[Text, ...]] = ()

    def __repr__(self) -> str:
        return f"<array operation {self.name}>"


def _row(name: str, arguments: str, shape: Any, words: str, *, rule: str = "", **more: Any) -> ArrayOperation:
    letters = tuple(arguments.split())
    return ArrayOperation(
        name, letters, more.pop("value", "") or name, (), rule or f"derivative of {name}", words, _no_real,
        shape=shape, **more,
    )  # fmt: skip


def node(name: str, *args: Formula, **options: Param) -> Apply:
    """An operation of this table on formulas; options that are not named are as usual."""
    row = ROW[name]
    params = tuple((key, options.get(key, usual)) for key, usual in row.params)
    return unlimited(row, *args, params=params)


G, U, V, W, Y = (Ref(letter) for letter in "guvwy")


# -- shapes ---------------------------------------------------------------------------------------------------


def shown(shape: Shape) -> str:
    """A shape as it is spoken of: 3 x 2, a vector of 3, a single number.

    >>> shown((3, 2)), shown((3,)), shown(())
    ('3 x 2', 'a vector of 3', 'a single number')
    """
    if not shape:
        return "a single number"
    return f"a vector of {shape[0]}" if len(shape) == 1 else " x ".join(map(str, shape))


def counted(number: int, what: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{number} {what}{'s' * (number != 1)}"


def broadcast(shapes: Sequence[Shape]) -> Shape:
    """The shape in which arrays meet element by element: axes are compared from the last; 1 goes with anything.

    >>> broadcast([(3, 1), (4,)])
    (3, 4)
    """
    rank = max((len(shape) for shape in shapes), default=0)
    found: list[int] = []
    for axis in range(1, rank + 1):
        sizes = {shape[-axis] for shape in shapes if len(shape) >= axis} - {1}
        if len(sizes) > 1:
            one, other = sorted(sizes)
            places = "the last axis" if axis == 1 else f"the {_ordinal(axis)} axis from the end"
            raise Mismatch(f"{' and '.join(map(shown, shapes))} differ in {places}, {one} and {other}")
        found.append(sizes.pop() if sizes else 1)
    return tuple(found[::-1])


def stretches(one: Shape, other: Shape) -> bool:
    """Whether an array of the one shape can be stretched to the other."""
    return len(one) <= len(other) and all(a in (1, b) for a, b in zip(one[::-1], other[::-1], strict=False))


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")


def _several(value: Any) -> tuple[Any, ...]:
    """An option that is one number or several."""
    return cast("tuple[Any, ...]", value) if isinstance(value, tuple) else (value,)


def axes_of(axis: Any, rank: int) -> tuple[int, ...]:
    """The axes an option names, counted from the first; None is all of them."""
    if axis is None:
        return tuple(range(rank))
    found: list[int] = []
    for one in _several(axis):
        if isinstance(one, bool) or not isinstance(one, int):
            raise Mismatch(f"an axis is a whole number, and this is {_told(cast('Param', one))}")
        if not -rank <= one < rank:
            raise Mismatch(f"there is no axis {one} in an array of {rank} ax{'is' if rank == 1 else 'es'}")
        found.append(one % rank)
    if len(set(found)) < len(found):
        raise Mismatch("an axis is named twice")
    return tuple(found)


def without(shape: Shape, axes: Sequence[int], keepdims: bool = False) -> Shape:
    """The shape after these axes are summed away."""
    if keepdims:
        return tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    return tuple(size for axis, size in enumerate(shape) if axis not in axes)


def _reduced(shapes: Sequence[Shape], options: dict[str, Any]) -> Shape:
    (shape,) = shapes
    return without(shape, axes_of(options["axis"], len(shape)), bool(options["keepdims"]))


def _alike(shapes: Sequence[Shape], options: dict[str, Any]) -> Shape:
    """One array to one of the same shape, along an axis that it must have."""
    if options.get("axis") is not None:
        if not shapes[0]:
            raise Mismatch("it works along an axis, and a single number has none")
        axes_of(options["axis"], len(shapes[0]))
    return shapes[0]


def count(shape: Shape, axes: Sequence[int]) -> int:
    """How many elements are put together along these axes."""
    found = 1
    for axis in axes:
        found *= shape[axis]
    return found


# -- products of matrices -----------------------------------------------------------------------------------------


def _matmul_shape(shapes: Sequence[Shape], _: dict[str, Any]) -> Shape:
    one, other = shapes
    if not one or not other:
        raise Mismatch("@ multiplies vectors and matrices, and one side is a single number; write * for that")
    inner, outer = one[-1], other[max(-2, -len(other))]
    if inner != outer:
        left = counted(inner, "column" if len(one) > 1 else "element")
        right = counted(outer, "row" if len(other) > 1 else "element")
        raise Mismatch(f"{shown(one)} and {shown(other)}: the left side has {left}, the right side {right}")
    batch = broadcast([one[:-2], other[:-2]])
    return (*batch, *one[-2:-1], *(other[-1:] if len(other) > 1 else ()))


def _matmul_vjp(site: Site) -> tuple[Text, ...]:
    """By rank. Factors that were stretched over a batch are summed back by who asks (`core.adjoints`)."""
    one, other = site.shapes
    match len(one), len(other):
        case 1, 1:
            return "g*v", "g*u"
        case 2, 1:
            return "outer(g, v)", "u.T @ g"
        case 1, 2:
            return "g @ v.T", "outer(u, g)"
        case _, 1:
            column = f"reshape(g, shape={_told((*site.shape, 1))})"
            return f"{column}*v", f"sum({column}*u, axis={_told(tuple(range(len(one) - 1)))})"
        case 1, _:
            line = f"reshape(g, shape={_told((*site.shape[:-1], 1, site.shape[-1]))})"
            others = tuple(axis for axis in range(len(other)) if axis != len(other) - 2)
            return f"sum(v*{line}, axis={_told(others)})", f"reshape(u, shape=({one[0]}, 1))*{line}"
        case _:
            return f"g @ {_swapped('v', len(other))}", f"{_swapped('u', len(one))} @ g"


def _swapped(letter: str, rank: int) -> str:
    """The last two axes exchanged."""
    if rank == 2:
        return f"{letter}.T"
    return f"transpose({letter}, axes={_told((*range(rank - 2), rank - 1, rank - 2))})"


def _told(value: Param) -> str:
    from backhand.core.formula import param_text

    return param_text(value)


def _vectors(shapes: Sequence[Shape], _: dict[str, Any]) -> Shape:
    if [len(shape) for shape in shapes] != [1, 1]:
        raise Mismatch(f"it takes two vectors, and here are {shown(shapes[0])} and {shown(shapes[1])}")
    return (shapes[0][0], shapes[1][0])


def _dot_shape(shapes: Sequence[Shape], options: dict[str, Any]) -> Shape:
    one, other = _vectors(shapes, options)
    if one != other:
        raise Mismatch(f"the vectors have {one} and {other} elements")
    return ()


# -- moving elements about -----------------------------------------------------------------------------------------


def _transposed(shapes: Sequence[Shape], options: dict[str, Any]) -> Shape:
    (shape,) = shapes
    axes = options["axes"]
    if axes is None:
        return shape[::-1]
    if sorted(axes_of(axes, len(shape))) != list(range(len(shape))):
        raise Mismatch(f"it needs each of the {len(shape)} axes once, and is told {_told(axes)}")
    return tuple(shape[axis] for axis in axes_of(axes, len(shape)))


def _transposed_back(site: Site) -> tuple[Text, ...]:
    axes = site["axes"]
    if axes is None:
        return ("g.T",)
    order = axes_of(axes, len(axes))
    return (f"transpose(g, axes={_told(tuple(order.index(axis) for axis in range(len(order))))})",)


def _sizes(value: Any) -> Shape:
    """A shape as it is written: 3, or (2, 3)."""
    sizes = _several(value)
    if not all(isinstance(size, int) and not isinstance(size, bool) for size in sizes):
        raise Mismatch(f"a shape is made of whole numbers, and this is {_told(value)}")
    return sizes


def _reshaped(shapes: Sequence[Shape], options: dict[str, Any]) -> Shape:
    sizes = _sizes(options["shape"])
    whole = count(shapes[0], range(len(shapes[0])))
    known = 1
    for size in sizes:
        known *= size if size != -1 else 1
    if sizes.count(-1) == 1 and known > 0 and whole % known == 0:
        sizes = tuple(whole // known if size == -1 else size for size in sizes)
        known = whole
    if known != whole or min(sizes, default=1) < 1:
        raise Mismatch(
            f"{shown(shapes[0])} has {whole} elements, which do not fill the shape {_told(options['shape'])}"
        )
    return sizes


def _given_shape(_: Sequence[Shape], options: dict[str, Any]) -> Shape:
    sizes = _sizes(options["shape"])
    if min(sizes, default=1) < 1:
        raise Mismatch(f"every size of a shape is at least 1, and this is {_told(options['shape'])}")
    return sizes


def _spread_shape(shapes: Sequence[Shape], options: dict[str, Any]) -> Shape:
    shape = _given_shape(shapes, options)
    expected = without(shape, axes_of(options["axis"], len(shape)), bool(options["keepdims"]))
    if not stretches(shapes[0], expected):
        raise Mismatch(f"{shown(shapes[0])} cannot be spread to {shown(shape)}")
    return shape


def taken(shape: Shape, key: Any) -> Shape:
    """The shape of x[key]."""
    found: list[int] = []
    if len(key) > len(shape):
        axes = f"{len(shape)} ax{'is' if len(shape) == 1 else 'es'}"
        raise Mismatch(f"{counted(len(key), 'place')} in brackets, and {shown(shape)} has {axes}")
    for axis, part in enumerate(key):
        if isinstance(part, tuple):
            start, stop, step = cast("tuple[Any, Any, Any]", part)
            if step == 0:
                raise Mismatch("a slice with the step 0 takes nothing")
            size = len(range(*slice(start, stop, step).indices(shape[axis])))
            if not size:
                raise Mismatch("the slice is empty")
            found.append(size)
        elif not -shape[axis] <= part < shape[axis]:
            last = shape[axis] - 1
            raise Mismatch(f"there is no element {part} along axis {axis}, where they are counted from 0 to {last}")
    return (*found, *shape[len(key) :])


def _index_shape(shapes: Sequence[Shape], options: dict[str, Any]) -> Shape:
    return taken(shapes[0], options["key"])


def _place_shape(shapes: Sequence[Shape], options: dict[str, Any]) -> Shape:
    shape = _given_shape(shapes, options)
    if not stretches(shapes[0], taken(shape, options["key"])):
        raise Mismatch(f"{shown(shapes[0])} does not fill the places")
    return shape


def _concat_shape(shapes: Sequence[Shape], options: dict[str, Any]) -> Shape:
    first = shapes[0]
    if any(len(shape) != len(first) or not shape for shape in shapes):
        raise Mismatch(f"arrays put one behind the other have as many axes, and here are {_and(shapes)}")
    (axis,) = axes_of(options["axis"], len(first))
    for shape in shapes:
        if [*shape[:axis], *shape[axis + 1 :]] != [*first[:axis], *first[axis + 1 :]]:
            raise Mismatch(f"{_and([first, shape])} differ besides axis {axis}")
    return (*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])


def _and(shapes: Sequence[Shape]) -> str:
    return " and ".join(map(shown, dict.fromkeys(shapes)))


def _concat_vjp(site: Site) -> tuple[Text, ...]:
    (axis,) = axes_of(site["axis"], len(site.shape))
    found: list[Text] = []
    start = 0
    for shape in site.shapes:
        places = [":"] * axis + [f"{start}:{start + shape[axis]}"]
        found.append(f"g[{', '.join(places)}]")
        start += shape[axis]
    return tuple(found)


def _stack_shape(shapes: Sequence[Shape], options: dict[str, Any]) -> Shape:
    if not shapes:
        raise Mismatch("an array has at least one element")
    if len(set(shapes)) > 1:
        raise Mismatch(f"the rows of an array are alike, and here are {_and(shapes)}")
    (axis,) = axes_of(options["axis"], len(shapes[0]) + 1)
    return (*shapes[0][:axis], len(shapes), *shapes[0][axis:])


def _stack_vjp(site: Site) -> tuple[Text, ...]:
    (axis,) = axes_of(site["axis"], len(site.shape))
    return tuple(f"g[{', '.join([':'] * axis + [str(k)])}]" for k in range(len(site.shapes)))


def _gather_shape(shapes: Sequence[Shape], _: dict[str, Any]) -> Shape:
    table, places = shapes
    if not table:
        raise Mismatch("rows are taken from an array, and this is a single number")
    return (*places, *table[1:])


def _scatter_shape(shapes: Sequence[Shape], options: dict[str, Any]) -> Shape:
    return _given_shape(shapes, options)


def _one_hot_shape(shapes: Sequence[Shape], options: dict[str, Any]) -> Shape:
    size = options["size"]
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise Mismatch(f"the number of classes is a whole number, and this is {_told(size)}")
    return (*shapes[0], size)


# -- windows and convolutions -----------------------------------------------------------------------------------------


def pairs(value: Any, axes: int, least: int = 0) -> tuple[int, ...]:
    """An option for each axis of a window: 2 stands for (2, 2)."""
    found = _several(value) * (1 if isinstance(value, tuple) else axes)
    if len(found) != axes or not all(isinstance(n, int) and not isinstance(n, bool) and n >= least for n in found):
        told = _told(cast("Param", value))
        several = f", or {axes} of them" if axes > 1 else ""
        raise Mismatch(f"sizes and the like are whole numbers of at least {least}{several}, and this is {told}")
    return found


def windows(shape: Shape, size: Shape, options: dict[str, Any]) -> Shape:
    """How many windows fit along each of the last axes."""
    axes = len(size)
    if len(shape) < axes:
        raise Mismatch(f"a window of {shown(size)} needs {axes} axes, and here is {shown(shape)}")
    stride, padding = pairs(options["stride"], axes, 1), pairs(options["padding"], axes)
    dilation = pairs(options["dilation"], axes, 1)
    found: list[int] = []
    for whole, part, step, edge, gap in zip(shape[-axes:], size, stride, padding, dilation, strict=True):
        room = whole + 2 * edge - (part - 1) * gap - 1
        if room < 0:
            raise Mismatch(f"the window of {shown(size)} is larger than {shown(shape[-axes:])}")
        found.append(room // step + 1)
    return tuple(found)


def _unfold_shape(shapes: Sequence[Shape], options: dict[str, Any]) -> Shape:
    size = _sizes(options["size"])
    if len(size) > 2:
        raise Mismatch(f"windows have one or two axes, and {_told(options['size'])} has {len(size)}")
    return (*shapes[0][: -len(size)], *windows(shapes[0], size, options), count(size, range(len(size))))


def _conv_axes(kernel: Shape, axes: int) -> bool:
    """Whether there are channels."""
    if len(kernel) == axes:
        return False
    if len(kernel) != axes + 2:
        letters = "x ".join(["h ", "w "][-axes:]).strip()
        raise Mismatch(f"a kernel is {letters}, or channels out x channels in x {letters}; this is {shown(kernel)}")
    return True


def _conv_shape(axes: int) -> Callable[[Sequence[Shape], dict[str, Any]], Shape]:
    def shape(shapes: Sequence[Shape], options: dict[str, Any]) -> Shape:
        image, kernel = shapes
        if not _conv_axes(kernel, axes):
            return (*image[: len(image) - axes], *windows(image, kernel, options))
        if len(image) < axes + 1 or image[-axes - 1] != kernel[1]:
            raise Mismatch(
                f"{shown(image)} and {shown(kernel)}: the kernel takes {kernel[1]} channels, "
                f"the image has {image[-axes - 1] if len(image) > axes else 'none'}"
            )
        return (*image[: len(image) - axes - 1], kernel[0], *windows(image, kernel[2:], options))

    return shape


def _conv_vjp(site: Site) -> tuple[Text, ...]:
    told = {key: site[key] for key in ("stride", "padding", "dilation")}
    return (
        node("conv_back_image", G, V, shape=site.shapes[0], **told),
        node("conv_back_kernel", G, U, shape=site.shapes[1], **told),
    )


def _conv_image_vjp(site: Site) -> tuple[Text, ...]:
    told = {key: site[key] for key in ("stride", "padding", "dilation")}
    axes = _spatial(site.shapes[1])
    return (
        node(f"conv{axes}d", G, V, **told),
        node("conv_back_kernel", U, G, shape=site.shapes[1], **told),
    )


def _conv_kernel_vjp(site: Site) -> tuple[Text, ...]:
    told = {key: site[key] for key in ("stride", "padding", "dilation")}
    axes = _spatial(site.shape)
    return (
        node(f"conv{axes}d", V, G, **told),
        node("conv_back_image", U, G, shape=site.shapes[1], **told),
    )


def _spatial(kernel: Shape) -> int:
    """1 or 2, by the rank of a kernel: (k), (o, c, k); (h, w), (o, c, h, w)."""
    return 1 if len(kernel) in (1, 3) else 2


# -- rows that are formulas -------------------------------------------------------------------------------------------


def _counted(site: Site) -> int:
    return count(site.shapes[0], axes_of(site["axis"], len(site.shapes[0])))


def _told_axis(site: Site, *, keep: bool = False) -> str:
    parts = [f"axis={_told(site['axis'])}"]
    if keep or site.options.get("keepdims"):
        parts.append("keepdims=true")
    return ", ".join(parts)


def _wide(shape: Shape, axis: str = "axis=none") -> str:
    """What comes back to a sum, for each of the summands."""
    return f"spread(g, shape={_told(shape)}, {axis})" if shape else "g"


def _mean(site: Site) -> str:
    return f"sum(u, {_told_axis(site)})/{_counted(site)}"


def _mean_vjp(site: Site) -> tuple[Text, ...]:
    return (f"{_wide(site.shapes[0], _told_axis(site))}/{_counted(site)}",)


def _var(site: Site) -> str:
    return f"mean((u - mean(u, {_told_axis(site, keep=True)}))^2, {_told_axis(site)})"


def _softmax(site: Site) -> str:
    axis = _told_axis(site, keep=True)
    return f"exp(u - max(u, {axis}))/sum(exp(u - max(u, {axis})), {axis})"


def _softmax_vjp(site: Site) -> tuple[Text, ...]:
    return (f"y*(g - sum(g*y, {_told_axis(site, keep=True)}))",)


def _masked_softmax(site: Site) -> str:
    axis = _told_axis(site, keep=True)
    return f"exp(u - max(u, {axis}))*v/sum(exp(u - max(u, {axis}))*v, {axis})"


def _masked_softmax_vjp(site: Site) -> tuple[Text, ...]:
    axis = _told_axis(site, keep=True)
    centred = f"(g - sum(g*y, {axis}))"
    large = f"exp(u - max(u, {axis}))"
    return f"y*{centred}", f"{large}/sum({large}*v, {axis})*{centred}"


def _log_softmax(site: Site) -> str:
    axis = _told_axis(site, keep=True)
    return f"u - max(u, {axis}) - ln(sum(exp(u - max(u, {axis})), {axis}))"


def _log_softmax_vjp(site: Site) -> tuple[Text, ...]:
    axis = _told_axis(site, keep=True)
    return (f"g - softmax(u, axis={_told(site['axis'])})*sum(g, {axis})",)


def _classes(shapes: Sequence[Shape], _: dict[str, Any]) -> Shape:
    """Class probabilities along the last axis; targets of the same shape, or the numbers of the classes."""
    given, target = shapes
    if not given:
        raise Mismatch("it goes over the classes along the last axis, and here is a single number")
    if target not in (given, given[:-1]):
        raise Mismatch(
            f"{shown(given)} needs targets of the same shape, or one class number for each row: "
            f"{shown(given[:-1])}; here is {shown(target)}"
        )
    return given[:-1]


def _target(site: Site) -> str:
    given, target = site.shapes
    return "v" if given == target else f"one_hot(v, size={given[-1]})"


def _cross_entropy(site: Site) -> str:
    return f"-sum({_target(site)}*ln(u), axis=-1)"


def _cross_entropy_logits(site: Site) -> str:
    return f"-sum({_target(site)}*log_softmax(u), axis=-1)"


def _cross_entropy_logits_vjp(site: Site) -> tuple[Text, ...]:
    wide = _wide(site.shapes[0], "axis=-1")
    if site.shapes[0] != site.shapes[1]:
        return f"{wide}*(softmax(u) - one_hot(v, size={site.shapes[0][-1]}))", "0"
    return f"{wide}*(softmax(u)*sum(v, axis=-1, keepdims=true) - v)", f"-{wide}*log_softmax(u)"


def _paired(shapes: Sequence[Shape], _: dict[str, Any]) -> Shape:
    broadcast(shapes)
    return ()


def _huber(site: Site) -> str:
    """Half the square up to delta, a straight line beyond."""
    small = f"min(abs(u - v), {_told(site['delta'])})"
    return f"mean({small}*(abs(u - v) - {small}/2))"


def _huber_vjp(site: Site) -> tuple[Text, ...]:
    shape = broadcast(site.shapes)
    most = _told(site["delta"])
    wide = f"{_wide(shape)}/{count(shape, range(len(shape)))}"
    within = f"max(min(u - v, {most}), -{most})"
    return f"{wide}*{within}", f"-{wide}*{within}"


def _kl_shape(shapes: Sequence[Shape], options: dict[str, Any]) -> Shape:
    shape = broadcast(shapes)
    if not shape:
        raise Mismatch("it goes over the classes along the last axis, and here are single numbers")
    return shape[:-1]


def _pooled(shapes: Sequence[Shape], options: dict[str, Any]) -> Shape:
    size = _pool_size(shapes[0], options)
    return (*shapes[0][: -len(size)], *windows(shapes[0], size, options | _pool_options(options, size)))


def _pool_size(shape: Shape, options: dict[str, Any]) -> Shape:
    size = options["size"]
    return _sizes(size) if isinstance(size, tuple) else pairs(size, min(2, len(shape)), 1)


def _pool_options(options: dict[str, Any], size: Shape) -> dict[str, Any]:
    stride = options["stride"]
    return {"stride": size if stride is None else stride, "padding": options.get("padding", 0), "dilation": 1}


def _pool(reduce: str) -> Callable[[Site], str]:
    def formula(site: Site) -> str:
        size = _pool_size(site.shapes[0], site.options)
        told = _pool_options(site.options, size)
        inside = f"unfold(u, size={_told(size)}, stride={_told(told['stride'])}, padding={_told(told['padding'])})"
        return f"{reduce}({inside}, axis=-1)"

    return formula


def _normalised(axes: Callable[[Shape], tuple[int, ...]], channel: int) -> tuple[Any, Any, Any]:
    """Shape, formula and vjp of a normalisation over some axes, with a scale and a shift for each place elsewhere."""

    def laid(letter: str, shape: Shape, own: Shape) -> str:
        """The scale or shift, of its own shape, in the shape it meets the array in."""
        if channel == 1 and len(shape) > 2 and own:
            sizes = tuple(size if axis == 1 else 1 for axis, size in enumerate(shape))[1:]
            return f"reshape({letter}, shape={_told(sizes)})"
        return letter

    def result(shapes: Sequence[Shape], _: dict[str, Any]) -> Shape:
        shape = shapes[0]
        if not axes(shape):
            raise Mismatch(f"{shown(shape)} has no axis to take the mean over")
        wanted = (shape[channel],)
        for name, other in zip(("scale", "shift"), shapes[1:], strict=False):
            if other not in (wanted, ()):
                raise Mismatch(f"the {name} of {shown(shape)} is {shown(wanted)}, and here is {shown(other)}")
        return shape

    def parts(site: Site) -> tuple[str, str, str]:
        told = f"axis={_told(axes(site.shapes[0]))}, keepdims=true"
        eps = site["eps"]
        root = f"sqrt(var(u, {told}){f' + {_told(eps)}' if eps else ''})"
        return told, root, f"(u - mean(u, {told}))/{root}"

    def formula(site: Site) -> str:
        _, _, hat = parts(site)
        scale, shift = (laid(k, site.shapes[0], own) for k, own in zip("vw", site.shapes[1:], strict=True))
        return f"{scale}*({hat}) + {shift}"

    def vjp(site: Site) -> tuple[Text, ...]:
        told, root, hat = parts(site)
        sent = f"g*{laid('v', *site.shapes[:2])}"
        back = f"({sent} - mean({sent}, {told}) - {hat}*mean({sent}*({hat}), {told}))/{root}"
        if channel == 1 and len(site.shapes[0]) > 2:
            others = _told(axes(site.shapes[0]))
            narrow = ["" if not shape else f", axis={others}" for shape in site.shapes[1:]]
            return back, f"sum(g*({hat}){narrow[0]})", f"sum(g{narrow[1]})"
        return back, f"g*({hat})", "g"

    return result, formula, vjp


def _over_batch(shape: Shape) -> tuple[int, ...]:
    """All axes but the second: a batch of vectors, or of images with channels."""
    return (0, *range(2, len(shape))) if len(shape) > 1 else ()


def _over_last(shape: Shape) -> tuple[int, ...]:
    return (len(shape) - 1,) if shape else ()


BATCHNORM, LAYERNORM = _normalised(_over_batch, 1), _normalised(_over_last, -1)


def _rms_shape(shapes: Sequence[Shape], options: dict[str, Any]) -> Shape:
    return LAYERNORM[0](shapes, options)


def _rms(site: Site) -> str:
    eps = f" + {_told(site['eps'])}" if site["eps"] else ""
    return f"v*u/sqrt(mean(u^2, axis=-1, keepdims=true){eps})"


def _linear_shape(shapes: Sequence[Shape], options: dict[str, Any]) -> Shape:
    x, weights, bias = shapes
    if len(weights) != 2:
        raise Mismatch(f"the weights are a matrix, outputs x inputs, and here is {shown(weights)}")
    if not x or x[-1] != weights[1]:
        raise Mismatch(
            f"{shown(x)} and {shown(weights)}: the weights are outputs x inputs, so the input needs "
            f"{counted(weights[1], 'column')}"
        )
    if bias not in ((weights[0],), ()):
        raise Mismatch(f"{weights[0]} outputs need a bias of as many, and here is {shown(bias)}")
    return (*x[:-1], weights[0])


def _attention_shape(shapes: Sequence[Shape], _: dict[str, Any]) -> Shape:
    q, k, v = shapes[:3]
    if min(map(len, (q, k, v))) < 2:
        raise Mismatch("queries, keys and values are matrices, a row for each place")
    if q[-1] != k[-1]:
        raise Mismatch(f"queries and keys are as long, and here are {q[-1]} and {k[-1]}")
    if k[-2] != v[-2]:
        raise Mismatch(f"there are as many keys as values, and here are {k[-2]} and {v[-2]}")
    if len(shapes) > 3:
        broadcast([(*q[:-1], k[-2]), shapes[3]])
    return (*broadcast([q[:-2], k[:-2], v[:-2]]), q[-2], v[-1])


def _attention(site: Site) -> str:
    q, k = site.shapes[:2]
    scores = f"u @ {_swapped('v', len(k))}/sqrt({q[-1]})"
    return f"softmax({scores}) @ w" if len(site.shapes) == 3 else f"masked_softmax({scores}, m) @ w"


def _masked_shape(shapes: Sequence[Shape], options: dict[str, Any]) -> Shape:
    if not stretches(shapes[1], shapes[0]):
        raise Mismatch(f"a mask has the shape of what it masks, {shown(shapes[0])}, and this is {shown(shapes[1])}")
    return _alike(shapes, options)


def _elementwise(shapes: Sequence[Shape], _: dict[str, Any]) -> Shape:
    return broadcast(shapes)


def _sum_vjp(site: Site) -> tuple[Text, ...]:
    return (_wide(site.shapes[0], _told_axis(site)),)


def _spread_vjp(site: Site) -> tuple[Text, ...]:
    return (f"sum(g, {_told_axis(site)})",)


def _most_vjp(where: str) -> Callable[[Site], tuple[Text, ...]]:
    def vjp(site: Site) -> tuple[Text, ...]:
        wide = _wide(site.shapes[0], _told_axis(site))
        return (f"{wide}*{where}(u, axis={_told(site['axis'])})",)

    return vjp


def _reshape_vjp(site: Site) -> tuple[Text, ...]:
    return (node("reshape", G, shape=site.shapes[0]),)


def _index_vjp(site: Site) -> tuple[Text, ...]:
    return (node("place", G, key=site["key"], shape=site.shapes[0]),)


def _place_vjp(site: Site) -> tuple[Text, ...]:
    return (node("index", G, key=site["key"]),)


def _gather_vjp(site: Site) -> tuple[Text, ...]:
    return (node("scatter", G, V, shape=site.shapes[0]), "0")


def _loaded_shape(_: Sequence[Shape], options: dict[str, Any]) -> Shape:
    return tuple(options["held"].array.shape)


def _window(site: Site) -> dict[str, Param]:
    return {key: site[key] for key in ("size", "stride", "padding", "dilation")}


def _unfold_vjp(site: Site) -> tuple[Text, ...]:
    return (node("fold", G, shape=site.shapes[0], **_window(site)),)


def _fold_vjp(site: Site) -> tuple[Text, ...]:
    return (node("unfold", G, **_window(site)),)


def _dropout(site: Site) -> str:
    return "u*v" if site["keep"] == 1 else f"u*v/({_told(site['keep'])})"


# -- the rows ---------------------------------------------------------------------------------------------------------

REDUCE: tuple[tuple[str, Param], ...] = (("axis", None), ("keepdims", False))
ALONG: tuple[tuple[str, Param], ...] = (("axis", -1),)
WINDOW: tuple[tuple[str, Param], ...] = (("stride", 1), ("padding", 0), ("dilation", 1))


def _arrays() -> Any:
    from backhand.core import arrays  # late: numpy

    return arrays


def _by(name: str) -> Callable[..., Any]:
    """The function of `core.arrays`, found when it is called."""

    def compute(*given: Any) -> Any:
        return getattr(_arrays(), name)(*given)

    return compute


# fmt: off
ROWS: tuple[ArrayOperation, ...] = (
    # -- sums ----------------------------------------------------------------------------------------
    _row("sum", "u", _reduced, "the sum of the elements of {u}", params=REDUCE, compute=_by("summed"), vjp=_sum_vjp),
    _row("spread", "u", _spread_shape, "{u} repeated", params=(("shape", ()), *REDUCE), compute=_by("spread"),
         vjp=_spread_vjp),
    _row("mean", "u", _reduced, "the mean of the elements of {u}", params=REDUCE, sort="formula", formula=_mean,
         vjp=_mean_vjp),
    _row("var", "u", _reduced, "the variance of the elements of {u}", params=REDUCE, sort="formula", formula=_var),
    _row("max", "u", _reduced, "the largest element of {u}", params=REDUCE, sort="largest",
         compute=_by("largest_value"), vjp=_most_vjp("largest")),
    _row("min", "u", _reduced, "the smallest element of {u}", params=REDUCE, sort="largest",
         compute=_by("smallest_value"), vjp=_most_vjp("smallest")),
    _row("largest", "u", _alike, "1 where {u} is largest", params=(("axis", None),), sort="flat",
         compute=_by("where_largest"), vjp=("0",)),
    _row("smallest", "u", _alike, "1 where {u} is smallest", params=(("axis", None),), sort="flat",
         compute=_by("where_smallest"), vjp=("0",)),
    # -- products ------------------------------------------------------------------------------------
    _row("@", "u v", _matmul_shape, "{u} times {v}", rule="product of matrices", compute=_by("matmul"),
         vjp=_matmul_vjp),
    _row("outer", "u v", _vectors, "the outer product of {u} and {v}", compute=_by("outer"), vjp=("g @ v", "u @ g")),
    _row("dot", "u v", _dot_shape, "the scalar product of {u} and {v}", sort="formula", formula="sum(u*v)",
         vjp=("g*v", "g*u")),
    # -- moving elements -------------------------------------------------------------------------------
    _row("transpose", "u", _transposed, "{u} transposed", params=(("axes", None),), compute=_by("transposed"),
         vjp=_transposed_back),
    _row("reshape", "u", _reshaped, "{u} in another shape", params=(("shape", ()),), compute=_by("reshaped"),
         vjp=_reshape_vjp),
    _row("index", "u", _index_shape, "some elements of {u}", params=(("key", ()),), compute=_by("taken_from"),
         vjp=_index_vjp),
    _row("place", "u", _place_shape, "{u} put in its places, 0 elsewhere", params=(("key", ()), ("shape", ())),
         compute=_by("placed"), vjp=_place_vjp),
    _row("concat", "u", _concat_shape, "one behind the other", params=(("axis", 0),), several=True,
         compute=_by("concatenated"), vjp=_concat_vjp),
    _row("stack", "u", _stack_shape, "one above the other", params=(("axis", 0),), several=True,
         compute=_by("stacked"), vjp=_stack_vjp),
    _row("gather", "u v", _gather_shape, "the rows {v} of {u}", compute=_by("gathered"), vjp=_gather_vjp),
    _row("scatter", "u v", _scatter_shape, "{u} added up in the rows {v}", params=(("shape", ()),),
         compute=_by("scattered"), vjp=("gather(g, v)", "0")),
    _row("one_hot", "u", _one_hot_shape, "1 at the place {u}", params=(("size", None),), sort="flat",
         compute=_by("one_hot"), vjp=("0",)),
    _row("zeros", "", _given_shape, "zeros", params=(("shape", ()),), sort="flat", compute=_by("zeros")),
    _row("random", "", _given_shape, "made-up numbers", params=(("shape", ()), ("seed", 0), ("scale", 1)), sort="flat",
         compute=_by("made_up")),
    _row("ones", "", _given_shape, "ones", params=(("shape", ()),), sort="flat", compute=_by("ones")),
    _row("load", "", _loaded_shape, "an array from a file", params=(("file", ""), ("name", ""), ("held", None)),
         sort="flat", compute=_by("loaded")),
    # -- windows and convolutions ------------------------------------------------------------------------
    _row("unfold", "u", _unfold_shape, "the windows of {u}", params=(("size", 1), *WINDOW), compute=_by("unfolded"),
         vjp=_unfold_vjp),
    _row("fold", "u", _given_shape, "the windows {u} laid back", params=(("shape", ()), ("size", 1), *WINDOW),
         compute=_by("folded"), vjp=_fold_vjp),
    _row("conv1d", "u v", _conv_shape(1), "{v} slid over {u}", params=WINDOW, compute=_by("convolved"), vjp=_conv_vjp),
    _row("conv2d", "u v", _conv_shape(2), "{v} slid over {u}", params=WINDOW, compute=_by("convolved"), vjp=_conv_vjp),
    _row("conv_back_image", "u v", _given_shape, "{u} sent back through the kernel {v}",
         params=(("shape", ()), *WINDOW), compute=_by("convolved_back_image"), vjp=_conv_image_vjp),
    _row("conv_back_kernel", "u v", _given_shape, "{u} slid over the image {v}", params=(("shape", ()), *WINDOW),
         compute=_by("convolved_back_kernel"), vjp=_conv_kernel_vjp),
    _row("max_pool", "u", _pooled, "the largest of each window of {u}", params=(("size", 2), ("stride", None)),
         sort="formula", formula=_pool("max")),
    _row("avg_pool", "u", _pooled, "the mean of each window of {u}",
         params=(("size", 2), ("stride", None), ("padding", 0)), sort="formula", formula=_pool("mean")),
    # -- classes and losses -------------------------------------------------------------------------------
    _row("softmax", "u", _alike, "softmax of {u}", params=ALONG, sort="formula", formula=_softmax, vjp=_softmax_vjp),
    _row("log_softmax", "u", _alike, "the logarithm of softmax of {u}", params=ALONG, sort="formula",
         formula=_log_softmax, vjp=_log_softmax_vjp),
    _row("masked_softmax", "u v", _masked_shape, "softmax of {u} where {v} is 1", params=ALONG, sort="formula",
         formula=_masked_softmax, vjp=_masked_softmax_vjp),
    _row("cross_entropy", "u v", _classes, "the cross-entropy of {v} and the probabilities {u}", sort="formula",
         formula=_cross_entropy),
    _row("cross_entropy_logits", "u v", _classes, "the cross-entropy of {v} and softmax of {u}", sort="formula",
         formula=_cross_entropy_logits, vjp=_cross_entropy_logits_vjp),
    _row("binary_cross_entropy", "u v", _elementwise, "the binary cross-entropy of {v} and the probability {u}",
         sort="formula", formula="-(v*ln(u) + (1 - v)*ln(1 - u))",
         vjp=("g*(u - v)/(u*(1 - u))", "g*(ln(1 - u) - ln(u))")),
    _row("binary_cross_entropy_logits", "u v", _elementwise, "the binary cross-entropy of {v} and sigmoid of {u}",
         sort="formula", formula="softplus(u) - v*u", vjp=("g*(sigmoid(u) - v)", "-g*u")),
    _row("mse", "u v", _paired, "the mean squared difference of {u} and {v}", sort="formula",
         formula="mean((u - v)^2)"),
    _row("half_sse", "u v", _paired, "half the sum of the squared differences of {u} and {v}", sort="formula",
         formula="sum((u - v)^2)/2"),
    _row("mae", "u v", _paired, "the mean absolute difference of {u} and {v}", sort="formula",
         formula="mean(abs(u - v))"),
    _row("huber", "u v", _paired, "the mean Huber loss of {u} and {v}", params=(("delta", 1),), sort="formula",
         formula=_huber, vjp=_huber_vjp),
    _row("kl", "u v", _kl_shape, "the divergence of {u} from {v}", sort="formula",
         formula="sum(u*(ln(u) - ln(v)), axis=-1)"),
    # -- layers ---------------------------------------------------------------------------------------------
    _row("linear", "u v w", _linear_shape, "a linear layer of {u}", sort="formula", formula="u @ v.T + w"),
    _row("dropout", "u v", _elementwise, "{u} where {v} is 1", params=(("keep", 1),), sort="formula", formula=_dropout),
    _row("batchnorm", "u v w", BATCHNORM[0], "{u} normalised over the batch", params=(("eps", 0),), sort="formula",
         formula=BATCHNORM[1], vjp=BATCHNORM[2]),
    _row("layernorm", "u v w", LAYERNORM[0], "{u} normalised along the last axis", params=(("eps", 0),),
         sort="formula", formula=LAYERNORM[1], vjp=LAYERNORM[2]),
    _row("rmsnorm", "u v", _rms_shape, "{u} over its root mean square", params=(("eps", 0),), sort="formula",
         formula=_rms),
    _row("attention", "u v w", _attention_shape, "attention of {u} to {v}", sort="formula", formula=_attention),
    _row("attention", "u v w m", _attention_shape, "attention of {u} to {v} where {m} is 1", sort="formula",
         formula=_attention),
)
# fmt: on

ROW: dict[str, ArrayOperation] = {row.name: row for row in reversed(ROWS)}
"""Rows by name; of two with one name the first."""

MATMUL, INDEX, STACK, TRANSPOSE, SPREAD, SUM = (ROW[n] for n in ("@", "index", "stack", "transpose", "spread", "sum"))


# -- calls ------------------------------------------------------------------------------------------------------------


def call(name: str, args: Sequence[Formula], options: dict[str, Param], span: Span | None) -> Formula:
    """A function of this table on what stands in its parentheses. Numbers behind the arrays are options in their order:
    `reshape(x, 2, 3)`, `sum(x, 0)`. Raises ReadError."""
    rows = [row for row in ROWS if row.name == name]
    row = next((r for r in rows if len(r.arguments) == len(args)), rows[0])
    wanted = len(args) if row.several else len(row.arguments)
    arrays, numbers = args[:wanted], [option_of(arg, name) for arg in args[wanted:]]
    told: dict[str, Param] = dict(options)
    if numbers:
        free = [key for key, _ in row.params if key not in told]
        if free and free[0] in ("shape", "axes"):
            told[free[0]] = tuple(numbers) if len(numbers) > 1 else numbers[0]
            numbers = []
        told |= dict(zip(free, numbers, strict=False))
        if len(numbers) > len(free):
            arrays = args
    if len(arrays) != wanted or (row.several and not args):
        counts = " or ".join(str(len(r.arguments)) for r in rows)
        raise ReadError(
            f"{name} takes {counts} array{'' if counts == '1' else 's'}, and here are {len(args)}.",
            span,
            cure=_example(row),
        )
    usual = dict(row.params)
    for key in told:
        if key not in usual or key == "held":
            known = ", ".join(k for k in usual if k != "held")
            raise ReadError(
                f"{name} is not told {key}.", span, cure=f"It may be told {known}." if known else "It is told nothing."
            )
    for key, value in told.items():
        if isinstance(usual[key], bool) and not isinstance(value, bool):
            raise ReadError(f"{key} is true or false, and this is {_told(value)}.", span, cure=f"Write {key}=true.")
    for key in ("shape", "file", "size"):
        if key in usual and usual[key] in ((), "", None) and key not in told:
            raise ReadError(f"{name} needs a {key}.", span, cure=_example(row))
    params: Params = tuple((key, told.get(key, value)) for key, value in row.params)
    return apply(row, *arrays, span=span, params=params)


def _example(row: ArrayOperation) -> str:
    inner = ", ".join([*"abcd"[: len(row.arguments)], *(["..."] if row.several else [])])
    extra = {"shape": "(2, 3)", "file": '"W.npy"', "size": "3"}
    told = [f"{key}={extra[key]}" for key, _ in row.params if key in extra]
    if row.name == "load":
        return 'Write load("W.npy").'
    return f"Write {row.name}({', '.join([inner, *told] if inner else told)})."


def option_of(formula: Formula, name: str) -> Param:
    """What an option says: a number, true, false, none, or several numbers."""
    match formula:
        case Num():
            return int(formula.value) if formula.value.denominator == 1 else formula.value
        case Ref("true" | "True" | "false" | "False"):
            return formula.name.casefold() == "true"
        case Ref("none" | "None"):
            return None
        case Apply() if formula.operation.name == "neg" and isinstance(formula.args[0], Num):
            inside = option_of(formula.args[0], name)
            assert isinstance(inside, (int, Fraction))
            return -inside
        case Apply() if formula.operation is STACK and formula.style == "list":
            return tuple(option_of(arg, name) for arg in formula.args)
        case _:
            raise ReadError(
                f"{name} is told numbers, true or false here, written out.",
                formula.span,
                cure="Write axis=0, keepdims=true, or a shape such as (2, 3).",
            )


assert {row.name for row in ROWS} >= ARRAY_FUNCTIONS
