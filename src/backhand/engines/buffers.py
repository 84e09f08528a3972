"""The passes of the engine `numpy`, with memory that is used again.

The printed lines make a new array for each operation, and a new large array costs more than what is put into it: its
pages are fetched one by one. So the lines are taken apart into single operations,

    h = np.maximum(x @ W + b, 0.0)    becomes    _0 = np.matmul(x, W, out=_m0)
                                                 _1 = np.add(_0, b, out=_m0)
                                                 h = np.maximum(_1, 0.0, out=_m1)

What is the same is computed once, what no given number is in is computed beforehand, and each operation that takes
`out=` writes to memory whose former contents nobody reads any more: into an operand, where each element is read before
it is written. Shapes come from one run on the first numbers; they are the same at each call.
"""

from __future__ import annotations

import ast
import math
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import Any

import numpy as np

from backhand.engines.source import Written, function_of

INFIX: dict[type[ast.AST], str] = {
    ast.Add: "np.add",
    ast.Sub: "np.subtract",
    ast.Mult: "np.multiply",
    ast.Div: "np.divide",
    ast.MatMult: "np.matmul",
    ast.Gt: "np.greater",
    ast.GtE: "np.greater_equal",
    ast.Lt: "np.less",
    ast.LtE: "np.less_equal",
    ast.Eq: "np.equal",
}
REDUCTIONS = frozenset("sum max min mean prod".split())
FRESH = frozenset("arange concatenate cumsum eye full ones outer pad stack tensordot where zeros".split())
"""Functions whose result shares no memory with an argument."""

LINE = 16
"""Numbers that fill one or two lines of the cache."""

BOUND = re.compile(r"np\.(maximum|minimum)\((\w+), (-?[\d.]+)\)")
WORTH = 1024
"""Elements from which on an array is given memory; smaller ones are made anew in less time than that takes."""


@dataclass(frozen=True, slots=True)
class Line:
    """`target = text`, which reads some names. `out` says that it takes `out=`, `each` that it goes element by element,
    and `views` that its result may share memory with what it reads."""

    target: str
    text: str
    reads: tuple[str, ...]
    out: bool = False
    each: bool = False
    views: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """Memory for arrays of one shape and type. What is in a slot of a result is handed out."""

    shape: tuple[int, ...]
    dtype: Any
    result: bool


class _Apart:
    """Takes lines apart into single operations, each on names or numbers."""

    def __init__(self, written: Written) -> None:
        self.lines: list[Line] = []
        self._made: dict[str, str] = {}
        self._taken: set[str] = set()
        self._helpers: dict[str, ast.FunctionDef] = {}
        for text in written.helpers:
            helper = ast.parse(text.strip()).body[0]
            if isinstance(helper, ast.FunctionDef) and _plain(helper):
                self._helpers[helper.name] = helper

    def line(self, text: str, names: dict[str, str]) -> None:
        """One line; `names` says what each name of it is called here."""
        statement = ast.parse(text).body[0]
        assert isinstance(statement, ast.Assign)
        assert isinstance(statement.targets[0], ast.Name)
        name = statement.targets[0].id
        names[name] = self.atom(statement.value, names, name)

    def _emit(self, text: str, reads: Sequence[str], name: str, **kind: bool) -> str:
        """The name of what a text gives: an old one, if it was computed before."""
        if text not in self._made:
            if not name or name in self._taken:
                name = f"_{len(self.lines)}"
            self._made[text] = name
            self._taken.add(name)
            self.lines.append(Line(name, text, tuple(dict.fromkeys(reads)), **kind))
        return self._made[text]

    def atom(self, node: ast.expr, names: dict[str, str], name: str = "") -> str:
        """A name or a number for a part, after lines that compute it."""
        if not _has_names(node):
            return f"({ast.unparse(node)})" if isinstance(node, (ast.BinOp, ast.UnaryOp)) else ast.unparse(node)
        match node:
            case ast.Name(id=given):
                return names.get(given, given)
            case ast.UnaryOp(op=ast.USub(), operand=part):
                return self._call("np.negative", [part], names, name)
            case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=2)):
                return self._call("np.square", [left], names, name)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in INFIX:
                return self._call(INFIX[type(op)], [left, right], names, name)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in INFIX:
                return self._call(INFIX[type(op)], [left, right], names, name)
            case ast.Call(func=ast.Name(id=helper)) if helper in self._helpers:
                return self._inlined(self._helpers[helper], node, names, name)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr=function), args=args):
                if not node.keywords and isinstance(getattr(np, function), np.ufunc):
                    return self._call(f"np.{function}", args, names, name)
                words = [*args[1:], *(word.value for word in node.keywords)]
                if function in REDUCTIONS and not any(map(_has_names, words)):
                    part = self.atom(args[0], names)
                    rest = [*map(ast.unparse, args[1:]), *(f"{w.arg}={ast.unparse(w.value)}" for w in node.keywords)]
                    return self._emit(f"np.{function}({', '.join([part, *rest])})", [part], name, out=True)
                return self._whole(node, names, name, views=function not in FRESH)
            case _:
                return self._whole(node, names, name, views=True)

    def _call(self, function: str, args: list[ast.expr], names: dict[str, str], name: str) -> str:
        parts = [self.atom(part, names) for part in args]
        text = f"{function}({', '.join(parts)})"
        return self._emit(text, parts, name, out=True, each=function != "np.matmul")

    def _whole(self, node: ast.expr, names: dict[str, str], name: str, *, views: bool) -> str:
        """A part that stays as it is printed, but for its operands, which get names."""
        lowered = _Lowered(self, names)
        text = ast.unparse(lowered.visit(node))
        return self._emit(text, lowered.reads, name, views=views)

    def _inlined(self, helper: ast.FunctionDef, call: ast.Call, names: dict[str, str], name: str) -> str:
        """The lines of a helper in place of a call."""
        words = [arg.arg for arg in helper.args.args]
        start = len(words) - len(helper.args.defaults)
        inner = {word: ast.unparse(value) for word, value in zip(words[start:], helper.args.defaults, strict=True)}
        inner |= {word: self.atom(part, names) for word, part in zip(words, call.args, strict=False)}
        inner |= {word.arg: self.atom(word.value, names) for word in call.keywords if word.arg}
        *body, last = _statements(helper)
        for part in body:
            assert isinstance(part, ast.Assign)
            assert isinstance(part.targets[0], ast.Name)
            inner[part.targets[0].id] = self.atom(_filled(part.value, inner), inner)
        assert isinstance(last, ast.Return)
        assert last.value is not None
        return self.atom(_filled(last.value, inner), inner, name)


class _Lowered(ast.NodeTransformer):
    """Arithmetic and calls within a part that stays get names; the other names become those of here."""

    def __init__(self, apart: _Apart, names: dict[str, str]) -> None:
        self.apart, self.names, self.top = apart, names, True
        self.reads: list[str] = []

    def visit(self, node: ast.AST) -> Any:
        top, self.top = self.top, False
        if isinstance(node, ast.Name):
            if node.id in self.names:
                self.reads.append(self.names[node.id])
                return ast.parse(self.names[node.id], mode="eval").body
            return node
        if not top and isinstance(node, (ast.BinOp, ast.Compare, ast.Call)) and _has_names(node):
            name = self.apart.atom(node, self.names)
            self.reads.append(name)
            return ast.parse(name, mode="eval").body
        return self.generic_visit(node)


def _plain(helper: ast.FunctionDef) -> bool:
    """Whether a helper is nothing but lines `name = expression` and a return."""
    *body, last = _statements(helper)
    simple = all(isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name) for part in body)
    return simple and isinstance(last, ast.Return)


def _statements(helper: ast.FunctionDef) -> list[ast.stmt]:
    """All but the docstring."""
    return [p for p in helper.body if not (isinstance(p, ast.Expr) and isinstance(p.value, ast.Constant))]


class _Filled(ast.NodeTransformer):
    """Numbers in place of the arguments that are numbers."""

    def __init__(self, inner: dict[str, str]) -> None:
        self.inner = inner

    def visit_Name(self, node: ast.Name) -> Any:
        text = self.inner.get(node.id)
        if text is None or (text.isidentifier() and text not in ("None", "True", "False")):
            return node
        return ast.parse(text, mode="eval").body


def _filled(node: ast.expr, inner: dict[str, str]) -> ast.expr:
    copy = ast.parse(ast.unparse(node), mode="eval").body
    return _Filled(inner).visit(copy)


def _has_names(node: ast.AST) -> bool:
    """Whether anything but a number of Python is in it."""
    return any(isinstance(part, ast.Name) for part in ast.walk(node))


def apart(written: Written) -> tuple[list[Line], dict[str, str]]:
    """The lines taken apart, and what each result is called in them."""
    lines, names = _Apart(written), {name: name for name in written.args}
    for text in written.lines:
        lines.line(text, names)
    wanted = [*written.values.values(), *written.slopes.values()]
    return lines.lines, {name: names[name] for name in wanted}


class Buffered:
    """Both passes as one function on memory that is used again. Made from numbers as it will be called with; of points
    (`fill`), it may be fewer each time."""

    def __init__(self, written: Written, numbers: Sequence[Any], dtype: Any, *, points: bool = False) -> None:
        self._written, self._points = written, points
        lines, names = apart(written)
        self._returned = list(names.values())
        self._space: dict[str, Any] = {"np": np, "math": math, "_narrow": partial(_narrow, dtype=dtype)}
        exec(compile("\n\n\n".join(written.helpers), "<helpers>", "exec"), self._space)  # noqa: S102 - our own text
        self._before: list[str] = []
        self._full: dict[str, str] = {}
        lines, found = self._tried(lines, numbers, dtype)
        self.slots: list[Slot] = []
        where = self._places(lines, found)
        self.text = self._text(lines, where)
        self._function = function_of(self.text, self._space)
        self._idle: list[Memory] = []
        self._columns = [where.get(name) for name in self._returned]

    def _tried(self, lines: list[Line], numbers: Sequence[Any], dtype: Any) -> tuple[list[Line], dict[str, Any]]:
        """One run: what each line gives, and the lines that depend on given numbers. The others stay as constants."""
        varying = set(self._written.args)
        kept: list[Line] = []
        found: dict[str, Any] = {**self._space, **dict(zip(self._written.args, numbers, strict=True))}
        for line in lines:
            value: Any = eval(line.text, found)  # noqa: S307 - our own text, names made by coding.names
            wide = getattr(value, "dtype", None) == np.float64 and dtype != np.float64
            if wide:
                value = _narrow(value, dtype)
            if varying.isdisjoint(line.reads):
                self._space[line.target] = value = _constant(value)
                self._before.append(f"# {line.target} = {line.text}")
            else:
                varying.add(line.target)
                kept.append(replace(line, text=f"_narrow({line.text})", out=False) if wide else line)
                kept[-1] = self._bounded(kept[-1], value)
            found[line.target] = value
        return kept, found

    def _bounded(self, line: Line, value: Any) -> Line:
        """The larger or smaller of each element and a number: NumPy takes a quarter of the time where the number is an
        array too."""
        bound = BOUND.fullmatch(line.text)
        if bound is None or self._points or np.size(value) < WORTH:
            return line
        text = f"np.full({value.shape}, {bound[3]}, np.{value.dtype})"
        if text not in self._full:
            self._full[text] = f"_full{len(self._full)}"
            self._space[self._full[text]] = np.full(value.shape, float(bound[3]), value.dtype)
            self._before.append(f"# {self._full[text]} = {text}")
        return replace(line, text=f"np.{bound[1]}({bound[2]}, {self._full[text]})")

    def _places(self, lines: list[Line], found: dict[str, Any]) -> dict[str, int]:
        """The slot that each line writes to. The roots of a name are the lines whose memory it may show."""
        roots: dict[str, set[str]] = {}
        last: dict[str, int] = {}
        for number, line in enumerate(lines):
            below = {root for name in line.reads for root in roots.get(name, ())}
            array = found[line.target]
            fits = line.out and isinstance(array, np.ndarray) and array.size >= WORTH
            roots[line.target] = {line.target} if fits else below if line.views else set()
            last |= dict.fromkeys(below | roots[line.target], number)
        results = {root for name in self._returned for root in roots.get(name, ())}
        ending: dict[int, set[str]] = {}
        for root in last.keys() - results:
            ending.setdefault(last[root], set()).add(root)
        where: dict[str, int] = {}
        free: list[int] = []
        for number, line in enumerate(lines):
            dying = ending.get(number, set())
            if line.target in roots[line.target]:
                itself = line.each and all(roots.get(name, set()) <= {name} for name in line.reads)
                into = [where[root] for root in sorted(dying & where.keys())] if itself else []
                array = found[line.target]
                fits = (
                    k
                    for k in (*into, *free)
                    if (self.slots[k].shape, self.slots[k].dtype) == (array.shape, array.dtype)
                )
                place = where[line.target] = self._slot(next(fits, None), array, line.target in results)
                free = [k for k in free if k != place]
            now = where.get(line.target)
            free += sorted({where[root] for root in dying if root == line.target or where[root] != now})
        return where

    def _slot(self, place: int | None, array: Any, result: bool) -> int:
        if place is None:
            self.slots.append(Slot(array.shape, array.dtype, result))
            return len(self.slots) - 1
        old = self.slots[place]
        self.slots[place] = Slot(old.shape, old.dtype, old.result or result)
        return place

    def _text(self, lines: list[Line], where: dict[str, int]) -> str:
        """The function, after what it calls; what was computed beforehand stands there as a remark."""
        body = [*self._before, f"def passes({', '.join([*self._written.args, '_memory'])}):"]
        if self.slots:
            body.append(f"    {''.join(f'_m{k}, ' for k in range(len(self.slots)))} = _memory")
        for line in lines:
            out = f", out=_m{where[line.target]})" if line.target in where else ")"
            body.append(f"    {line.target} = {line.text[:-1] + out if line.out else line.text}")
        body.append(f"    return ({''.join(f'{name}, ' for name in self._returned)})")
        helpers: list[str] = []
        for text in reversed(self._written.helpers):  # each calls those before it
            if re.search(rf"\b{_name(text)}\(", "\n".join([*body, *helpers])):
                helpers.insert(0, text)
        return "\n\n\n".join((*helpers, "\n".join(body))) + "\n"

    def __call__(self, numbers: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Values and derivatives that were asked for, in the order of `written`."""
        memory = self._memory()
        found = self._function(*numbers, memory.taken())
        handed: list[Any] = [value[...] if isinstance(value, np.ndarray) else value for value in found]
        del found
        self._idle.append(memory)
        count = len(self._written.values)
        return handed[:count], handed[count:]

    def fill(self, numbers: Sequence[Any], columns: Sequence[Any]) -> None:
        """The same, written to columns of at most as many points as the lines were tried on."""
        points = len(columns[0])
        memory = self._memory()
        room = [array[:points] for array in memory.taken()]
        for slot, column in zip(self._columns, columns, strict=True):
            if slot is not None:
                room[slot] = column
        found = self._function(*numbers, room)
        for column, value in zip(columns, found, strict=True):
            if value is not column:
                column[...] = value
        del found
        self._idle.append(memory)

    def _memory(self) -> Memory:
        """Memory that no other thread has."""
        try:
            return self._idle.pop()
        except IndexError:
            return Memory(self.slots)


def _narrow(found: Any, dtype: Any) -> Any:
    """A number or an array in another precision."""
    return np.asarray(found, dtype)[()]


def _constant(value: Any) -> Any:
    """A number as Python's, which takes the precision of what it meets; an array that nobody may write to."""
    if np.ndim(value) == 0:
        return value.item() if hasattr(value, "item") else value
    if hasattr(value, "setflags"):
        value.setflags(write=False)
    return value


def _name(helper: str) -> str:
    return helper.split("def ", 1)[1].split("(", 1)[0]


class Memory:
    """Memory of one call. What is handed out is not used again before nobody looks at it any more."""

    def __init__(self, slots: list[Slot]) -> None:
        self.slots = slots
        self._kept = [[np.empty(slot.shape, slot.dtype)] for slot in slots]

    def taken(self) -> Iterator[Any]:
        for slot, kept in zip(self.slots, self._kept, strict=True):
            place = 0 if not slot.result else next((k for k in range(len(kept)) if alone(kept, k)), None)
            if place is None:
                kept[:] = [np.empty(slot.shape, slot.dtype), kept[0]]
                place = 0
            yield kept[place]


class Room:
    """Memory for tables of results of one type: what an earlier call used, if nobody looks at its results any more."""

    def __init__(self, dtype: Any) -> None:
        self._dtype = np.dtype(dtype)
        self._kept: list[Any] = []
        self._start: list[int] = []
        self._lock = Lock()

    def table(self, rows: int, count: int) -> Any:
        """Rows of at least `count` numbers, each from the start of a line of the cache on."""
        kept, width = self._kept, (count + LINE - 1) // LINE * LINE
        size = rows * width
        with self._lock:  # so that no two threads find the same
            for place in range(len(kept)):
                if len(kept[place]) == size + LINE and alone(kept, place):
                    break
            else:
                kept[:] = [np.empty(size + LINE, self._dtype), *kept[:1]]
                offset = -kept[0].ctypes.data // self._dtype.itemsize % LINE
                self._start[:] = [offset, *self._start[:1]]
                place = 0
            return kept[place][self._start[place] : self._start[place] + size].reshape(rows, width)


def alone(arrays: list[Any], place: int) -> bool:
    """Whether nobody but this list holds an array of it."""
    return _holders(arrays, place) <= ALONE


def _holders(arrays: list[Any], place: int) -> int:
    return sys.getrefcount(arrays[place])


ALONE = _holders([np.empty(1)], 0)
"""What Python counts for an array that only a list holds: it differs between versions of Python."""
