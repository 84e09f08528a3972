"""Floats in bulk: each shape of formula becomes a pair of Python functions, once.

`w1 x1 + w2 x2` and `v a + u b` have one shape. Its functions read their arguments from a flat list
through the positions of the quantity's parents, so a network of a million quantities is two flat
lists, a tuple of positions a quantity, and two loops:

    forward    v[i] = f(v, places)
    backward   b(v, g, i, places)        adds g[i] x partial to g[parent] for every occurrence

The code is written from the rows of the table: the row's `real` for values, its partials as
formulas. Nothing of the person's text goes into it: numbers stand in the flat list, names are
positions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from backhand.core.evaluate import row_formula
from backhand.core.formula import Apply, Formula, Num, Ref, postorder
from backhand.core.graph import Graph
from backhand.core.notation import Notice
from backhand.core.operations import Operation
from backhand.numbers import as_float

LARGEST = 20_000
"""Operations of a formula that is made into code; a graph with a longer one goes the general way."""

INFIX = {"+": "({} + {})", "-": "({} - {})", "*": "({} * {})", "neg": "(-{})"}

Forward = Callable[[list[float], Sequence[int]], float]
Backward = Callable[[list[float], list[float], int, Sequence[int], list[int]], None]


@dataclass(slots=True)
class Program:
    """A graph as flat lists. `positions[k]` is computed by `forwards[k]` from the values at `places[k]`."""

    start: list[float]
    positions: list[int]
    places: list[tuple[int, ...]]
    forwards: list[Forward]
    backwards: list[Backward]


def propagate_floats(graph: Graph, of: str) -> tuple[list[float], list[float | None], list[Notice]] | None:
    """Values, derivatives and notices; None where the general way has to say what is wrong (1/0, overflow)."""
    program = graph.program
    if not isinstance(program, Program):
        program = graph.program = compile_graph(graph)
    if program is None:
        return None
    try:
        values = run_forward(program)
        if not math.isfinite(sum(values)):
            return None
        gradient, corners = run_backward(program, values, graph.index[of])
        if not math.isfinite(sum(gradient)):
            return None
    except (ArithmeticError, ValueError):
        return None
    count = len(graph)
    needed = bytearray(len(values))
    end = graph.index[of]
    needed[end] = 1
    for position, places in zip(reversed(program.positions), reversed(program.places), strict=True):
        if needed[position]:
            for place in places:
                needed[place] = 1
    adjoints = [g if flag else None for g, flag in zip(gradient[:count], needed, strict=False)]
    notices = [_corner(graph, position) for position in sorted(set(corners)) if needed[position]]
    return values[:count], adjoints, notices


def _corner(graph: Graph, position: int) -> Notice:
    quantity = graph.quantities[position]
    words = f"{quantity.name}: stands exactly at a corner; its slope there is taken by the operation's convention."
    return Notice(words, quantity.span)


def run_forward(program: Program) -> list[float]:
    """All values."""
    values = program.start.copy()
    for position, function, places in zip(program.positions, program.forwards, program.places, strict=True):
        values[position] = function(values, places)
    return values


def run_backward(program: Program, values: list[float], of: int) -> tuple[list[float], list[int]]:
    """The derivatives of the quantity at `of` by all others, and the positions that stood at a corner."""
    gradient = [0.0] * len(values)
    gradient[of] = 1.0
    corners: list[int] = []
    for position, function, places in zip(
        reversed(program.positions), reversed(program.backwards), reversed(program.places), strict=True
    ):
        if position <= of and gradient[position]:
            function(values, gradient, position, places, corners)
    return gradient, corners


def compile_graph(graph: Graph) -> Program | None:
    """The flat form of a graph, or None if one of its formulas is too long for code."""
    constants: dict[float, int] = {}
    shapes: dict[tuple[object, ...], tuple[Forward, Backward]] = {}
    index = graph.index
    count = len(graph)
    program = Program([0.0] * count, [], [], [], [])
    for position, quantity in enumerate(graph.quantities):
        if quantity.kind != "computed":
            given = quantity.given
            if given is None:
                return None
            program.start[position] = _nearest(given) if isinstance(given, Fraction) else given
            continue
        assert quantity.definition is not None
        shape: list[object] = []
        places: list[int] = []
        todo: list[Formula] = [quantity.definition]
        take, note, put = todo.pop, shape.append, places.append
        while todo:
            node = take()
            if isinstance(node, Ref):
                note(True)
                put(index[node.name])
            elif isinstance(node, Apply):
                note(node.operation)
                todo += node.args
            elif isinstance(node, Num):
                note(False)
                value = as_float(node.value)
                put(count + constants.setdefault(value, len(constants)))
        if len(shape) > LARGEST:
            return None
        shape.reverse()
        places.reverse()
        key = tuple(shape)
        pair = shapes.get(key)
        if pair is None:
            pair = shapes[key] = _functions(key)
        program.positions.append(position)
        program.places.append(tuple(places))
        program.forwards.append(pair[0])
        program.backwards.append(pair[1])
    program.start.extend(constants)
    return program


def _nearest(number: Fraction) -> float:
    """As `as_float`, without the detour of Fraction.__float__."""
    above, below = number.as_integer_ratio()
    try:
        return above / below
    except OverflowError:
        return as_float(number)


# -- writing the code of one shape ---------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _functions(shape: tuple[object, ...]) -> tuple[Forward, Backward]:
    writer = _Writer(shape)
    source = writer.source()
    space: dict[str, object] = dict(writer.used)
    exec(compile(source, f"<formula of {len(shape)} parts>", "exec"), space)  # noqa: S102 - our own text, no input in it
    return space["forward"], space["backward"]  # type: ignore[return-value]


def _function(head: str, lines: list[str]) -> str:
    return f"def {head}:\n" + "".join(f"    {line}\n" for line in lines)


class _Writer:
    """Source code of the two functions of a shape. Leaves are a0, a1, ...; results of operations t0, t1, ..."""

    def __init__(self, shape: tuple[object, ...]) -> None:
        self.used: dict[str, Callable[..., float]] = {}
        self.names: list[str] = []
        self.args: list[list[int]] = []
        self.varies: list[bool] = []
        self.shape = shape
        self.lines: list[str] = []
        self.leaves = 0
        stack: list[int] = []
        for position, part in enumerate(shape):
            if isinstance(part, Operation):
                count = len(part.arguments)
                args = stack[len(stack) - count :]
                del stack[len(stack) - count :]
                self.names.append(f"t{position}")
                self.args.append(args)
                self.varies.append(any(self.varies[a] for a in args))
                self.lines.append(f"t{position} = {self.value(part, [self.names[a] for a in args])}")
            else:
                self.names.append(f"a{self.leaves}")
                self.leaves += 1
                self.args.append([])
                self.varies.append(bool(part))
            stack.append(position)

    def source(self) -> str:
        slots = ", ".join(f"s{k}" for k in range(self.leaves))
        unpack = [f"{slots}, = s"] if self.leaves else []
        loads = [f"a{k} = v[s{k}]" for k in range(self.leaves)]
        backward = self.backward()
        needed = self.needed(set(re.findall(r"\b[at][0-9]+\b", " ".join(backward))))
        kept = [line for line in (*loads, *self.lines) if line.split(" ", 1)[0] in needed]
        return _function("forward(v, s)", [*unpack, *loads, *self.lines, f"return {self.names[-1]}"]) + _function(
            "backward(v, g, i, s, corners)", [*unpack, *kept, *backward]
        )

    def needed(self, wanted: set[str]) -> set[str]:
        """The names whose values the backward function reads, and those they are made of."""
        found = set(wanted)
        for position in range(len(self.shape) - 1, -1, -1):
            if self.names[position] in found:
                found.update(self.names[a] for a in self.args[position])
        return found

    def backward(self) -> list[str]:
        """d<position> is what comes back to a part; a leaf adds it to the gradient."""
        last = len(self.shape) - 1
        if not self.args[last]:
            return ["g[s0] += g[i]"] if self.varies[last] else ["pass"]
        lines = ["d = g[i]"]
        coming = {last: "d"}
        for position in range(last, -1, -1):
            part = self.shape[position]
            if not isinstance(part, Operation) or not self.varies[position]:
                continue
            names = [self.names[a] for a in self.args[position]]
            lines += [
                f"if {self.expression(kink.at, part, names, position)} == 0.0: corners.append(i)" for kink in part.kinks
            ]
            for k, arg in enumerate(self.args[position]):
                if not self.varies[arg]:
                    continue
                sign, value = self.sent(part, k, names, position, coming[position])
                if not self.args[arg]:
                    lines.append(f"g[s{self.names[arg][1:]}] {sign}= {value}")
                elif sign == "+" and value == coming[position]:
                    coming[arg] = value
                else:
                    coming[arg] = f"d{arg}"
                    lines.append(f"d{arg} = {value}" if sign == "+" else f"d{arg} = -{value}")
        return lines

    def sent(self, part: Operation, k: int, names: list[str], position: int, upstream: str) -> tuple[str, str]:
        """Sign and code of upstream x partial."""
        partial = part.partials[k]
        if partial in ("1", "-1"):
            return ("+" if partial == "1" else "-"), upstream
        return "+", f"{upstream} * {self.expression(partial, part, names, position)}"

    def expression(self, text: str, row: Operation, names: list[str], position: int) -> str:
        """A formula of the table as code, with the arguments and the result put in."""
        letters = dict(zip(row.arguments, names, strict=True)) | {"y": self.names[position]}
        done: list[str] = []
        for node in postorder(row_formula(text)):
            done.append(self.piece(node, done, letters))
        return done[-1]

    def piece(self, node: Formula, done: list[str], letters: dict[str, str]) -> str:
        match node:
            case Ref():
                return letters[node.name]
            case Num():
                return repr(float(node.value))
            case Apply():
                count = len(node.args)
                args = done[len(done) - count :] if count else []
                if count:
                    del done[len(done) - count :]
                return self.value(node.operation, args)
            case _:
                raise AssertionError(node)

    def value(self, row: Operation, args: list[str]) -> str:
        if row.name in INFIX:
            return INFIX[row.name].format(*args)
        if row.name == "^" and args[1] in ("2.0", "1.0"):
            return f"({args[0]} * {args[0]})" if args[1] == "2.0" else args[0]
        name = {"^": "f_power", "/": "f_divide"}.get(row.name, f"f_{row.name}")
        self.used[name] = _fastest(row)
        return f"{name}({', '.join(args)})"


def _fastest(row: Operation) -> Callable[..., float]:
    """The function of the math module where it is the row's; its errors send the whole graph the general way."""
    plain: Callable[..., float] | None = getattr(math, row.name, None)
    return row.real if plain is None or len(row.arguments) != 1 else plain
