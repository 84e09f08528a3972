"""Both passes of a network as the text of one Python function, from the lines that `backhand code` prints.

    def passes(x, w):
        z = w * x
        ...
        return (z, ...), (dL_dz, ...)

Lines that nothing asked for depends on are left out. Nothing of the person's text is in it: `coding.names` makes every
name, and given numbers are arguments.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backhand.coding.expressions import Expressions
from backhand.coding.helpers import HELPERS, needed
from backhand.coding.names import OUR_WORDS, PYTHON_WORDS, Names
from backhand.coding.passes import Passes
from backhand.coding.spellings import Language
from backhand.engines.compiled import Task

WORD = re.compile(r"[A-Za-z]\w*")
OWN_WORDS = frozenset("passes points njit numba carray address starts_at stream eight eight_points".split())


@dataclass(frozen=True, slots=True)
class Written:
    """A function as text, in parts. `given` are the quantities it takes, `args` what they are called in it; `values`
    and `slopes` are what it returns, by quantity."""

    helpers: tuple[str, ...]
    lines: tuple[str, ...]
    given: tuple[str, ...]
    args: tuple[str, ...]
    values: dict[str, str]
    slopes: dict[str, str]

    @property
    def text(self) -> str:
        returned = f"    return ({_listed(self.values.values())}), ({_listed(self.slopes.values())})"
        head = f"def passes({', '.join(self.args)}):"
        return (
            "\n\n\n".join((*self.helpers, "\n".join((head, *(f"    {line}" for line in self.lines), returned)))) + "\n"
        )


def _listed(names: Any) -> str:
    return "".join(f"{name}, " for name in names)


def written(task: Task, language: Language) -> Written:
    """The passes of a task in a language of arrays, or in plain Python for networks of single numbers."""
    graph = task.graph
    words = PYTHON_WORDS | OUR_WORDS | OWN_WORDS | frozenset(HELPERS[language])
    names = Names(words, [quantity.name for quantity in graph.quantities])
    expressions = Expressions(graph, language, names)
    passes = Passes(graph, task.of, names, expressions)
    lines = [*passes.forward(), *passes.backward()]
    slopes = {line.about: names.slope(task.of, line.about) for line in lines if line.pass_ == "derivative"}  # noqa: S105
    wanted_values = {name: names(name) for name in task.values if graph[name].computed or name == task.of}
    wanted_slopes = {name: slopes[name] for name in task.wrt if name in slopes}
    kept = _used([line.text for line in lines], {*wanted_values.values(), *wanted_slopes.values()})
    used = {word for line in kept for word in WORD.findall(line)} | set(wanted_values.values())
    given = [q.name for q in graph.quantities if not q.computed and names(q.name) in used]
    helpers = needed(language, frozenset(expressions.used))
    return Written(tuple(helpers), tuple(kept), tuple(given), tuple(map(names, given)), wanted_values, wanted_slopes)


def _used(lines: Sequence[str], wanted: set[str]) -> list[str]:
    """The lines that what is wanted depends on."""
    found: list[str] = []
    read = set(wanted)
    for line in reversed(lines):
        target, _, rest = line.partition(" = ")
        if target in read:
            found.append(line)
            read.update(WORD.findall(rest))
    return found[::-1]


def function_of(text: str, space: dict[str, Any], name: str = "passes") -> Any:
    """The function that a text defines. The text is our own: no character of a network is in it."""
    space = {"math": math, **space}
    exec(compile(text, "<passes of a network>", "exec"), space)  # noqa: S102 - our own text, names made by coding.names
    return space[name]
