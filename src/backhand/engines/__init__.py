"""Engines: a network as a function that can be called again and again, with other numbers.

    f = compile(graph)                    picks an engine by size and says which: f.engine, f.why
    found = f(A1=-1, A2=[0, 1, 2])        other numbers for what is given; arrays of a number's values make a batch
    found.values["B1"], found.derivatives["A1"]

All of them get what they compute from the table of operations. `docs/decisions/0017-engines.md` says how they differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal, TypeAlias, cast

from backhand.core.graph import Graph
from backhand.engines.compiled import Compiled, Engine, Keep, Result, Task, Told, task
from backhand.errors import UsageError

__all__ = ["ENGINES", "Compiled", "EngineName", "Keep", "Result", "compile"]

EngineName: TypeAlias = Literal["auto", "python", "numpy", "points", "tape", "jax"]

SMALL = 400
"""Quantities up to which plain Python is taken. Compiled loops are faster from 40 on, by a tenth of a microsecond a
quantity, but half a second passes until they are there: at 400, ten thousand calls."""

LOOP = 400
"""Quantities up to which a network of single numbers becomes one loop over points."""

MANY = 30_000_000
"""Points, of all calls together, from which on a loop over them is compiled: that takes 1.5 seconds, in which NumPy
computes so many, so what is lost by waiting is never more than what compiling costs."""


@dataclass(frozen=True, slots=True)
class Row:
    """An engine: the module that makes it, what it is for, the package it needs and the extra that brings it. `single`
    says that it knows float32."""

    module: str
    words: str
    package: str = ""
    extra: str = ""
    single: bool = False


ENGINES: dict[str, Row] = {
    "python": Row("plain", "networks of single numbers, small ones fastest"),
    "numpy": Row("numpy", "networks of arrays; networks of single numbers over many points", "numpy", single=True),
    "points": Row("points", "networks of single numbers over very many points", "numba", "fast"),
    "tape": Row("tape", "large networks of single numbers, of any shape", "numba", "fast"),
    "jax": Row("jax", "networks of arrays, on any devices", "jax", "jax", single=True),
}


def compile(  # noqa: A001 - the verb
    graph: Graph,
    engine: EngineName = "auto",
    of: str | None = None,
    wrt: Iterable[str] | None = None,
    keep: Keep = "all",
    *,
    threads: int = 1,
    dtype: Told = "float64",
) -> Compiled:
    """A network as a function of its given numbers.

    It returns the values of all quantities and the derivatives of one output (the graph's, or `of`) by all that it
    depends on; with `keep="asked"`, only the output and its derivatives by `wrt`, which may name elements of arrays:
    `W1[0,1]`. `dtype="float32"` halves the memory and the time of large arrays and leaves some 7 digits. What floats
    cannot hold or what has no value is infinite or nan there, and nothing is said. Raises UsageError for an engine that
    is not known, not installed or not for this network, and at the call for a class number there is not.

    >>> from backhand.readers import read
    >>> f = compile(read("x = 3; L = x^2".replace("; ", chr(10))))
    >>> f.engine, f(x=5).derivatives["x"]
    ('python', 10.0)
    """
    wanted = task(graph, of, wrt, keep, threads=threads, dtype=dtype)
    if engine == "auto":
        name, why = _picked(wanted)
        return Compiled(wanted, _made(name, wanted), why, later=None if wanted.graph.arrays else _batches(wanted))
    if engine not in ENGINES:
        raise UsageError(f"There is no engine {engine}.", cure=f"Known: auto, {', '.join(ENGINES)}.")
    return Compiled(wanted, _made(engine, wanted), "asked for")


def _picked(wanted: Task) -> tuple[str, str]:
    """Which engine, and why."""
    graph = wanted.graph
    if graph.arrays:
        return "numpy", "the network has arrays"
    count = len(graph)
    if wanted.dtype != "float64":
        return "numpy", f"single numbers in {wanted.dtype}"
    if count <= SMALL:
        return "python", f"{count} single numbers: a call into compiled code would cost more than it saves"
    if find_spec("numba") is None:
        return "python", f"{count} single numbers; with the extra `fast` installed it would be tape"
    return "tape", f"{count} single numbers, more than {SMALL}"


def _batches(wanted: Task) -> Any:
    """What takes over when a network of single numbers is called with many points: NumPy at first."""
    made: dict[str, Engine] = {}
    loop = wanted.dtype == "float64" and len(wanted.graph) <= LOOP and find_spec("numba") is not None
    seen = 0

    def engine(points: int) -> tuple[Engine, str]:
        nonlocal seen
        seen += points
        name = "points" if loop and seen >= MANY else "numpy"
        if name not in made:
            made[name] = _made(name, wanted)
        if not loop:
            return made[name], f"{points} points"
        return made[name], f"{seen} points so far, {'at least' if seen >= MANY else 'fewer than'} {MANY}"

    return engine


def _made(name: str, wanted: Task) -> Engine:
    row = ENGINES[name]
    if row.package and find_spec(row.package) is None:
        raise UsageError(
            f"The engine {name} needs {row.package}, which is not installed.",
            cure=f"Install it with: pip install 'backhand[{row.extra}]'",
        )
    if wanted.dtype != "float64" and not row.single:
        single = [other for other, each in ENGINES.items() if each.single]
        raise UsageError(f"The engine {name} computes in float64 only.", cure=f"Take {' or '.join(single)}.")
    module = import_module(f"backhand.engines.{row.module}")
    return cast("Engine", module.made(wanted))
