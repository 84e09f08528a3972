"""Calling somebody's backward function: numbers in, derivatives out.

The function is the caller's own and is only called, never looked into. It takes what the network is given, by name,
and gives back a mapping of names to derivatives. `W1`, `dW1`, `dL/dW1`, `dL_dW1`, `grad_W1`, `W1.grad` and
`delta2` (for z2) are understood; where both `h` and `dh` are there, `h` is a value.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, cast, get_args

import numpy as np

from backhand.core.graph import Graph
from backhand.errors import UsageError

Arrays: TypeAlias = Literal["numpy", "torch", "jax"]
Backward: TypeAlias = Callable[..., Any]


class Caller:
    """A backward function, and how it wants to be called."""

    def __init__(
        self, function: Backward, graph: Graph, of: str, *, arrays: Arrays | None, returns: Sequence[str] | str | None
    ) -> None:
        self.function = function
        self.graph = graph
        self.of = of
        self.arrays: Arrays = arrays or "numpy"
        if self.arrays not in get_args(Arrays):
            raise UsageError(f'arrays="{arrays}" is not known.', cure=f"Known: {', '.join(get_args(Arrays))}.")
        self.returns = (returns,) if isinstance(returns, str) else returns
        self.names = Names(graph, of)
        self.takes = self._taken()
        self.rough = False
        """Whether it answered in single precision."""
        self.unknown: dict[str, None] = {}

    @property
    def parameters(self) -> dict[str, str]:
        """What it takes: its own name for each, and the network's."""
        return self.takes

    def _taken(self) -> dict[str, str]:
        given = [quantity.name for quantity in self.graph.quantities if not quantity.computed]
        try:
            signature = inspect.signature(self.function)
        except (TypeError, ValueError):
            return {name: name for name in given}
        takes: dict[str, str] = {}
        rest = ""
        for parameter in signature.parameters.values():
            if parameter.kind is parameter.VAR_KEYWORD:
                takes |= {name: name for name in given if name not in takes.values()}
                continue
            if parameter.kind is parameter.VAR_POSITIONAL:
                rest = parameter.name
                continue
            name = self.names.given(parameter.name)
            if name is not None:
                takes[parameter.name] = name
            elif parameter.default is parameter.empty:
                raise UsageError(
                    f"The function wants {parameter.name}, and the network is given {', '.join(given) or 'nothing'}.",
                    cure=f"Name its arguments as the network does, or give {parameter.name} a default.",
                )
        if rest and not takes:
            raise UsageError(
                f"The function takes *{rest}, and what it is given is told by names.",
                cure=f"Name its arguments: {', '.join(given)}.",
            )
        return takes

    def __call__(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Derivatives and values that it gives for these numbers, by the network's names."""
        handed = {own: self._in(given[name]) for own, name in self.takes.items() if name in given}
        positional: list[Any] = []
        try:
            for parameter in inspect.signature(self.function).parameters.values():
                if parameter.kind is parameter.POSITIONAL_ONLY and parameter.name in handed:
                    positional.append(handed.pop(parameter.name))
        except (TypeError, ValueError):
            pass
        return self._read(self.function(*positional, **handed))

    def _in(self, value: Any) -> Any:
        """A fresh copy, so that a program that works in place spoils nothing."""
        array = np.array(value, np.float64)
        match self.arrays:
            case "torch":
                import torch  # pyright: ignore[reportMissingImports]

                return cast("Any", torch).tensor(array, dtype=cast("Any", torch).float64)
            case "jax":
                import jax.numpy as jnp  # pyright: ignore[reportMissingImports]

                return cast("Any", jnp).asarray(array)
            case _:
                return array if array.ndim else float(array)

    def _out(self, value: Any, name: str) -> Any:
        for step in ("detach", "cpu"):
            if hasattr(value, step):
                value = getattr(value, step)()
        try:
            array: Any = np.asarray(value)
            kind = array.dtype.kind
            if kind == "c":
                raise TypeError
            if kind not in "fiub":
                array = np.asarray(array, np.float64)
        except (TypeError, ValueError):
            raise UsageError(
                f"What the function gives for {name} is {_sort(value)}, not real numbers of one shape.",
                cure="Return arrays or numbers.",
            ) from None
        if array.dtype.kind == "f" and array.dtype.itemsize < 8:
            self.rough = True
        return np.array(array, np.float64)

    def _read(self, result: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        values: dict[str, Any] = {}
        mapping = self._mapping(result, values)
        inner = mapping.pop("values", None)
        if isinstance(inner, Mapping):
            for key, value in cast("Mapping[str, Any]", inner).items():
                if key in self.graph:
                    values[key] = self._out(value, key)
        found: dict[str, Any] = {}
        plain: dict[str, Any] = {}
        for key, value in mapping.items():
            if value is None:
                continue
            said = self.names.said(str(key))
            if said is None:
                self.unknown[str(key)] = None
            elif said[1]:
                found[said[0]] = self._out(value, str(key))
            else:
                plain[said[0]] = self._out(value, str(key))
        for name, value in plain.items():
            if name in found or name == self.of:
                values[name] = value
            else:
                found[name] = value
        return found, values

    def _mapping(self, result: Any, values: dict[str, Any]) -> dict[str, Any]:
        if self.returns is not None:
            given: tuple[Any, ...] = (
                tuple(cast("Sequence[Any]", result)) if isinstance(result, (tuple, list)) else (result,)
            )
            if len(given) != len(self.returns):
                raise UsageError(
                    f"The function gives {len(given)} things, and returns= names {len(self.returns)}.",
                    cure="Name each of them, in their order.",
                )
            for name in self.returns:
                if self.names.said(name) is None:
                    raise UsageError(
                        f"returns= names {name}, and the network has nothing of that name.",
                        cure=f"It has {', '.join(quantity.name for quantity in self.graph.quantities)}.",
                    )
            return dict(zip(self.returns, given, strict=True))
        if hasattr(result, "_asdict"):
            return dict(result._asdict())
        if isinstance(result, Mapping):
            return dict(cast("Mapping[str, Any]", result))
        if isinstance(result, tuple) and len(cast("tuple[Any, ...]", result)) == 2:
            value, mapping = cast("tuple[Any, Any]", result)
            if isinstance(mapping, Mapping):
                if isinstance(value, Mapping):
                    for key, one in cast("Mapping[str, Any]", value).items():
                        if key in self.graph:
                            values[key] = self._out(one, key)
                else:
                    values[self.of] = self._out(value, self.of)
                return dict(cast("Mapping[str, Any]", mapping))
        raise UsageError(
            f"The function gives {type(cast('object', result)).__name__}; "
            "names are needed to tell which derivative is which.",
            cure='Return a dict such as {"dW1": ..., "db1": ...}, or say returns=("dW1", "db1").',
        )


class Names:
    """What a program calls the derivatives of a network's quantities."""

    def __init__(self, graph: Graph, of: str) -> None:
        self.graph = graph
        self.forms: dict[str, tuple[str, bool]] = {}
        for quantity in reversed(graph.quantities):
            name = quantity.name
            spelled = {name, _folded(name)}
            for one in spelled:
                for form in (
                    f"d{one}", f"d_{one}", f"grad_{one}", f"grad{one}", f"g_{one}", f"{one}_grad", f"{one}.grad",
                    f"grad[{one}]", f"∂{one}", f"d{of}/d{one}", f"d{of}_d{one}", f"d{of}d{one}", f"∂{of}/∂{one}",
                    f"dL/d{one}", f"dL_d{one}", f"dLd{one}", f"D{one}",
                ):  # fmt: skip
                    self.forms[form] = (name, True)
            if match := re.fullmatch(r"[zZ](.*)", name):
                for form in (f"delta{match[1]}", f"δ{match[1]}", f"delta_{match[1]}"):
                    self.forms.setdefault(form, (name, True))
        for quantity in graph.quantities:
            self.forms.setdefault(_folded(quantity.name), (quantity.name, False))
        for quantity in graph.quantities:
            self.forms[quantity.name] = (quantity.name, False)
        self.folded: dict[str, set[tuple[str, bool]]] = {}
        for form, meant in self.forms.items():
            self.folded.setdefault(_folded(form).casefold(), set()).add(meant)

    def said(self, key: str) -> tuple[str, bool] | None:
        """Which quantity a key is about, and whether it says that it is a derivative. None where it cannot be told."""
        if key in self.forms:
            return self.forms[key]
        near = self.folded.get(_folded(key).casefold(), set())
        return next(iter(near)) if len(near) == 1 else None

    def given(self, parameter: str) -> str | None:
        """The given quantity that a parameter of the function means."""
        if parameter in self.graph:
            return None if self.graph[parameter].computed else parameter
        folded = _folded(parameter).casefold()
        near = [q.name for q in self.graph.quantities if not q.computed and _folded(q.name).casefold() == folded]
        return near[0] if len(near) == 1 else None


def _folded(name: str) -> str:
    return re.sub(r"[\s_{}\[\](),./′']", "", name)


def _sort(value: object) -> str:
    """`list`, `complex128`: what something is that should be numbers."""
    return str(getattr(value, "dtype", type(value).__name__))
