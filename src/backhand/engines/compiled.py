"""What all engines share: what is asked for, the numbers that are given at a call, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, partial
from numbers import Integral
from typing import Any, Literal, Protocol, TypeAlias, cast

from backhand.core.graph import Graph, a_network
from backhand.errors import UsageError
from backhand.numbers import as_float

Keep: TypeAlias = Literal["all", "asked"]
Precision: TypeAlias = Literal["float64", "float32"]
Told: TypeAlias = "Precision | type[Any]"
"""A precision as one may say it: by its word, or as NumPy's type."""


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What is to be computed: the derivatives of `of` by `wrt`, and everything on the way if it is to be kept.

    `parts` are elements of arrays that are asked for, by name, with their places; their arrays are in `wrt` then, and
    `asked` is what is returned."""

    graph: Graph
    of: str
    wrt: tuple[str, ...]
    keep: Keep
    threads: int
    dtype: Precision = "float64"
    parts: Mapping[str, tuple[str, tuple[int, ...]]] = field(default_factory=dict[str, "tuple[str, tuple[int, ...]]"])
    asked: tuple[str, ...] = ()

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each given quantity."""
        return {q.name: q.shape for q in self.graph.quantities if not q.computed}

    @property
    def values(self) -> tuple[str, ...]:
        """The names of the values that are returned."""
        return tuple(self.graph.index) if self.keep == "all" else (self.of,)


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What one call found: numbers or arrays by name."""

    of: str
    values: Mapping[str, Any]
    derivatives: Mapping[str, Any]
    engine: str
    why: str


Numbers: TypeAlias = dict[str, Any]
"""Floats or arrays by name."""


class Engine(Protocol):
    """Makes values and derivatives from the numbers that are other than the graph's own."""

    name: str

    def run(self, given: Numbers) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Values and derivatives by name."""
        ...


class Compiled:
    """A network as a function. `engine` says what computes it and `why`; `source` is its code, where there is one."""

    def __init__(
        self,
        asked: Task,
        engine: Engine,
        why: str,
        *,
        later: Callable[[int], tuple[Engine, str]] | None = None,
    ) -> None:
        self.task = asked
        self.why = why
        self._engine = engine
        self._later = later
        self._shapes = asked.shapes
        self._right: set[str] = set()
        self._number: Callable[[Any], Any] = getattr(engine, "number", None) or partial(number, dtype=asked.dtype)

    @property
    def engine(self) -> str:
        return self._engine.name

    @property
    def source(self) -> str:
        return getattr(self._engine, "source", "")

    def __call__(self, given: Mapping[str, Any] | None = None, /, **more: Any) -> Result:
        """Values and derivatives, with other numbers for some of what is given.

        Names that Python cannot spell come in a mapping: `f({"w[A1,B1]": 2})`. In a network of single numbers, an
        array stands for as many points: it and all others are of one length. In one of arrays, an array with one more
        axis in front stands for as many examples, and all results then have that axis.
        """
        number = self._number
        if given is not None and not isinstance(cast("object", given), (dict, Mapping)):
            raise UsageError("Numbers are given by their names.", cure='Write f(x=2) or f({"w[A1,B1]": 2}).')
        told = {**given, **more} if given else more
        try:
            numbers = {name: number(value) for name, value in told.items()}
        except (TypeError, ValueError):
            raise self._no_number(told) from None
        if not numbers.keys() <= self._shapes.keys():
            raise self._unknown(next(name for name in numbers if name not in self._shapes))
        engine, why = self._engine, self.why
        points = examples(self._shapes, numbers)
        if points is not None and self._later is not None:
            engine, why = self._later(points)
        elif points is not None and engine.name in ("python", "tape"):
            raise UsageError(
                f"The engine {engine.name} takes one number for each quantity, and here are arrays.",
                cure='Compile for many points: compile(graph, "numpy"), or "points".',
            )
        if self._numbered:
            self._check_places(numbers)
        values, derivatives = engine.run(numbers)
        if self.task.parts:
            derivatives = self._parts(derivatives, points)
        return Result(self.task.of, values, derivatives, engine.name, why)

    @cached_property
    def _numbered(self) -> dict[str, tuple[int, str]]:
        """The given quantities that are class or row numbers, which no engine looks at when it takes what they name."""
        if not self.task.graph.arrays:
            return {}
        from backhand.core.places import places

        return {name: told for name, told in places(self.task.graph).items() if name in self._shapes}

    def _check_places(self, numbers: Numbers) -> None:
        """Raises UsageError for a class or row number that there is not. The network's own are looked at once."""
        for name, (count, words) in self._numbered.items():
            if name in numbers:
                wrong = _no_place(numbers[name], count)
            elif name in self._right or self.task.graph[name].symbolic:
                continue
            else:
                wrong = _no_place(own(self.task.graph, name), count)
                self._right.add(name)
            if wrong is not None:
                self._right.discard(name)
                raise UsageError(
                    f"{name} has {wrong:g} among its numbers, and there are {count} {words}, counted from 0.",
                    cure=f"Give whole numbers from 0 to {count - 1}.",
                )

    def _parts(self, derivatives: Mapping[str, Any], points: int | None) -> dict[str, Any]:
        """What is asked for, with elements taken from their arrays."""
        found: dict[str, Any] = {}
        for name in self.task.asked:
            if name in self.task.parts:
                whole, place = self.task.parts[name]
                element = derivatives[whole][..., *place]
                found[name] = float(element) if points is None else element
            else:
                found[name] = derivatives[name]
        return found

    def _unknown(self, name: str) -> UsageError:
        known = ", ".join([*self._shapes][:8]) + ", ..." * (len(self._shapes) > 8)
        if name in self.task.graph:
            return UsageError(f"{name} is computed, so no number can be given for it.", cure=f"Given are: {known}.")
        return UsageError(f"There is no {name} in this network.", cure=f"Given are: {known}.")

    def _no_number(self, told: Mapping[str, Any]) -> UsageError:
        for name, value in told.items():
            try:
                self._number(value)
            except (TypeError, ValueError):
                return UsageError(
                    f"What is given for {name} is {type(value).__name__}, not real numbers of one shape.",
                    cure="Give a number or an array.",
                )
        raise AssertionError("every value was a number")

    def __repr__(self) -> str:
        return f"<Compiled: {self.task.of}, engine {self.engine} ({self.why})>"


def task(
    graph: Graph, of: str | None, wrt: Iterable[str] | None, keep: Keep, *, threads: int, dtype: Told = "float64"
) -> Task:
    """What is asked for, checked."""
    if isinstance(threads, bool) or not isinstance(cast("object", threads), Integral) or threads < 1:
        raise UsageError(f"threads={threads!r} is no number of threads.", cure="Say a whole number from 1 on.")
    precision = _precision(dtype)
    if keep not in ("all", "asked"):
        raise UsageError(f'keep="{keep}" is not known.', cure='Say keep="all" or keep="asked".')
    if a_network(graph).arrays:
        from backhand.core.array_passes import with_output

        graph, of = with_output(graph, of)
    output, _ = graph.output(of)
    if graph[output].shape:
        raise UsageError(
            f"{output} is an array, and derivatives are of a single number.",
            cure=f"Ask for one element: of='{output}[{','.join('0' * len(graph[output].shape))}]'.",
        )
    parts: dict[str, tuple[str, tuple[int, ...]]] = {}
    asked = tuple(_asked(graph, name, parts) for name in one_or_several(wrt)) if wrt is not None else ()
    everything = tuple(graph.quantities[position].name for position in graph.upstream_of(output))
    if wrt is None:
        asked = everything
    elif keep == "all":
        asked = (*everything, *(name for name in asked if name not in set(everything)))
    whole = dict.fromkeys(parts[name][0] if name in parts else name for name in asked)
    return Task(graph, output, tuple(whole) if parts else asked, keep, int(threads), precision, parts, asked)


def _asked(graph: Graph, name: str, parts: dict[str, tuple[str, tuple[int, ...]]]) -> str:
    """The name of a quantity, or of an element, which is put down in `parts`."""
    if not graph.arrays or name in graph:
        return graph[name].name
    from backhand.core.array_passes import element_name, known_element

    whole, place = known_element(graph, name)
    parts[element_name(whole, place)] = whole, place
    return element_name(whole, place)


def _precision(said: Told) -> Precision:
    """The word for a precision that is said as a word or as NumPy's type. Raises UsageError for all others."""
    word: Any = said
    if not isinstance(word, str) and word is not None:
        import numpy as np

        try:
            word = np.dtype(said).name
        except TypeError:
            word = said
    if word not in ("float64", "float32"):
        told = f'"{word}"' if isinstance(word, str) else repr(word)
        raise UsageError(f"dtype={told} is not known.", cure='Say dtype="float64" or dtype="float32".')
    return word


def one_or_several(names: Iterable[str]) -> Iterable[str]:
    """Names; a single one may stand for itself."""
    return (names,) if isinstance(names, str) else names


def own(graph: Graph, name: str) -> Any:
    """The number or array that the graph itself gives. Raises UsageError for a symbol."""
    quantity = graph[name]
    if quantity.array is not None:
        from backhand.core.arrays import as_floats

        return as_floats(quantity.array)
    if quantity.given is None:
        raise UsageError(
            f"{name} has no value.",
            quantity.span,
            cure=f"Give one when you call: f({name}=1), or write it in the network.",
        )
    return as_float(quantity.given)


NUMBER: tuple[int, ...] = ()
CODE = {"float64": "d", "float32": "f"}


def number(value: Any, dtype: Precision = "float64") -> Any:
    """A float, or an array of floats."""
    if isinstance(value, float):
        return float(value)  # NumPy's are some too, and know other operations
    kind: Any = getattr(value, "dtype", None)
    if kind is None:
        if isinstance(value, (int, Fraction)):
            return as_float(Fraction(value))
        if value is None:
            raise TypeError("None is no number")  # NumPy would make nan of it
    elif type(value).__name__ == "ndarray" and kind.char == CODE[dtype] and kind.isnative and value.shape:
        return value  # the usual case, and asking NumPy takes longer
    import numpy as np

    found = np.asarray(value, dtype)
    return found if found.ndim else float(found)


def _no_place(given: Any, count: int) -> float | None:
    """A number that is not one of 0 to `count` - 1, if there is any. Of arrays on several machines, each looks at its
    part."""
    import numpy as np

    for shard in getattr(given, "addressable_shards", None) or (given,):
        array: Any = np.asarray(getattr(shard, "data", shard) if shard is not given else given)
        wrong = ~((array >= 0) & (array < count) & (np.rint(array) == array))
        if wrong.any():
            return float(array[wrong].flat[0])
    return None


def examples(shapes: Mapping[str, tuple[int, ...]], given: Numbers) -> int | None:
    """How many points or examples are given, as one more axis in front; None where there is no such axis."""
    count: int | None = None
    for name, value in given.items():
        shape, own_shape = NUMBER if isinstance(value, float) else value.shape, shapes[name]
        if shape == own_shape or (count is not None and shape == (count, *own_shape)):
            continue
        if shape[1:] != own_shape or len(shape) == len(own_shape) or (count is not None and shape[0] != count):
            others = f", others have {count} examples" if count is not None else ""
            here = f"has {own_shape}" if own_shape else "is a number"
            raise UsageError(
                f"{name} has the shape {shape}, and in the network it {here}{others}.",
                cure="Give it in the network's shape, or as many of it, along one more axis in front.",
            )
        count = shape[0]
    return count
