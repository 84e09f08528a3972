"""Mathematics on several lines of text: what is too tall for one.

    z1 = W1 @ x + b1 = ⎡-2  1⎤ ⎡-1⎤ + ⎡0⎤ = ⎡3⎤
                       ⎣ 1  2⎦ ⎣ 1⎦   ⎣1⎦   ⎣2⎦

A Block is lines of one width and the line at which it stands beside others. What has no matrix in it
is one line, as `writers.line` writes it. In brackets, numbers stand with their points under each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from backhand.explaining.mathematics import (
    Bars,
    Box,
    Call,
    Differentiate,
    Fraction,
    Gap,
    Group,
    Indexed,
    Matrix,
    Number,
    Power,
    Prime,
    Root,
    Row,
    Shaped,
    Sign,
    Slope,
    Sum,
    Summary,
    Symbol,
    Transposed,
    Words,
)
from backhand.text import cells
from backhand.writers.line import joined, line, raised
from backhand.writers.pieces import CLOSE, OPEN, as_base, flat, in_parentheses, summand

FENCES = {"(": "⎛⎜⎝", ")": "⎞⎟⎠", "[": "⎡⎢⎣", "]": "⎤⎥⎦", "|": "│││"}
SMALL = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
NUMBER = re.compile(r"(-?\d+)(\.\d+)?")


class Block(NamedTuple):
    """Lines, all `width` cells broad; `base` is the one that stands on the line of what is beside it."""

    lines: tuple[str, ...]
    base: int
    width: int

    @property
    def below(self) -> int:
        return len(self.lines) - 1 - self.base


def is_stacked(box: Box) -> bool:
    """Whether a box is set on several lines: there is a matrix in it, or a shape under something."""
    todo = [box]
    while todo:
        box = todo.pop()
        match box:
            case Matrix() | Shaped():
                return True
            case Row(items) | Call(_, items):
                todo += items
            case Fraction(one, other) | Power(one, other):
                todo += (one, other)
            case Root(inside) | Group(inside) | Bars(inside) | Prime(inside) | Transposed(inside):
                todo.append(inside)
            case Indexed(inside) | Differentiate(_, inside) | Sum(_, _, inside):
                todo.append(inside)
            case Symbol() | Number() | Sign() | Slope() | Words() | Summary() | Gap():
                pass
    return False


def of_text(text: str) -> Block:
    return Block((text,), 0, cells(text))


def beside(blocks: Iterable[Block]) -> Block:
    """Blocks from left to right, their base lines on one line."""
    blocks = [*blocks]
    above = max((block.base for block in blocks), default=0)
    below = max((block.below for block in blocks), default=0)
    lines = [""] * (above + 1 + below)
    for block in blocks:
        start = above - block.base
        for place in range(len(lines)):
            inside = 0 <= place - start < len(block.lines)
            lines[place] += block.lines[place - start] if inside else " " * block.width
    return Block(tuple(lines), above, sum(block.width for block in blocks))


def over(blocks: Sequence[Block], base: int, *, right: bool = False) -> Block:
    """Blocks from top to bottom, each in the middle (or at the right); `base` counts in lines of the whole."""
    width = max(block.width for block in blocks)
    lines: list[str] = []
    for block in blocks:
        left = width - block.width if right else (width - block.width) // 2
        lines += [" " * left + text + " " * (width - block.width - left) for text in block.lines]
    return Block(tuple(lines), base, width)


def fence(sign: str, block: Block) -> Block:
    """A bracket as tall as a block."""
    height = len(block.lines)
    if height == 1:
        return of_text(sign)
    top, middle, bottom = FENCES[sign]
    return Block((top, *middle * (height - 2), bottom), block.base, 1)


def fenced(left: str, inside: Block, right: str) -> Block:
    return beside([fence(left, inside), inside, fence(right, inside)])


class Stacker:
    """Sets boxes; `text` is how a line of mathematics is written in the end (in ASCII, without strange signs)."""

    def __init__(self, text: Callable[[str], str]) -> None:
        self.text = text

    def __call__(self, box: Box) -> Block:
        if not is_stacked(box):
            return of_text(self.text(line(box)))
        match box:
            case Row():
                return self.row(flat(box, line=True))
            case Matrix(rows, shape):
                return self._noted(self._matrix(rows), shape)
            case Shaped(inside, shape):
                return self._noted(self(inside), shape)
            case Group(inside):
                return fenced("(", self(inside), ")")
            case Bars(inside):
                return fenced("|", self(inside), "|")
            case Root(inside):
                return beside([of_text("sqrt"), fenced("(", self(inside), ")")])
            case Call(name, arguments):
                return beside([of_text(self.text(name)), self._listed(arguments)])
            case Fraction(above, below):
                return self._fraction(above, below)
            case Power(base, exponent):
                text = line(exponent)
                above = of_text(text.translate(SMALL)) if text.isdigit() else self(exponent)
                return self._raised(self(as_base(base, line=True)), above, f"^{line(raised(exponent))}")
            case Transposed(inside):
                return self._raised(self(as_base(inside, line=True)), of_text(self.text("ᵀ")), "ᵀ")
            case Prime(inside):
                return self._raised(self(as_base(inside, line=True)), of_text("'"), "'")
            case Indexed(inside, places):
                return beside([self(as_base(inside, line=True)), of_text(self.text(f"[{places}]"))])
            case Differentiate(by, inside):
                return beside([of_text(self.text(f"d/d{by} ")), self(in_parentheses(inside))])
            case Sum(index, last, inside):
                front = line(Sum(index, last, Words("")))
                return beside([of_text(self.text(front)), self(summand(inside))])
            case Symbol() | Number() | Sign() | Slope() | Words() | Summary() | Gap():
                raise AssertionError("they are set on one line")

    def row(self, items: Sequence[Box]) -> Block:
        """Boxes that `flat` has put side by side; matrices are multiplied by standing side by side."""
        blocks: list[Block] = []
        run: list[Box] = []

        def end(place: int) -> None:
            if run:
                blocks.append(of_text(self.text(_between(run, items, place))))
                run.clear()

        set_ = {place: self(item) for place, item in enumerate(items) if is_stacked(item)}
        tall = max(set_.values(), key=lambda block: len(block.lines), default=None)
        for place, item in enumerate(items):
            if tall and item in (OPEN, CLOSE):  # one of a pair that a line end parts
                end(place)
                blocks.append(fence("(" if item == OPEN else ")", tall))
            elif place in set_:
                if run and run[-1] == Sign("@") and not isinstance(item, Shaped):
                    run[-1] = Sign(" ")
                end(place)
                if place - 1 in set_:
                    blocks.append(of_text(" "))
                blocks.append(set_[place])
            elif item == Sign("@") and place and isinstance(items[place - 1], Matrix):
                run.append(Sign(" "))
            else:
                run.append(item)
        end(len(items))
        return beside(blocks)

    def _matrix(self, rows: Sequence[Sequence[Box]]) -> Block:
        cells_ = [[self(each) for each in row] for row in rows]
        columns = [self._aligned([row[k] for row in cells_]) for k in range(len(rows[0]) if rows else 0)]
        broad = any(block.width > 2 for column in columns for block in column)
        lines: list[Block] = []
        for place in range(len(rows)):
            row: list[Block] = []
            for column in columns:
                if row:
                    row.append(of_text(" " * (1 + broad)))
                row.append(column[place])
            lines.append(beside(row))
        height = sum(len(each.lines) for each in lines)
        base = lines[0].base if len(lines) == 1 else (height - 1) // 2
        return fenced("[", over(lines, base), "]") if lines else of_text("[]")

    def _aligned(self, column: Sequence[Block]) -> list[Block]:
        """A column with its points under each other; what is no decimal number ends where their units stand."""
        parts = [_at_point(block) for block in column]
        left = max((len(before) for before, _ in parts if before), default=0)
        right = max((len(behind) for _, behind in parts), default=0)
        width = max([left + right, *(block.width for block in column)])
        found: list[Block] = []
        for block, (before, behind) in zip(column, parts, strict=True):
            if before:
                text = (before.rjust(left) + behind.ljust(right)).rjust(width)
                found.append(Block((text,), 0, width))
            else:
                free = width - block.width
                pad = max(free - right, 0) if len(block.lines) == 1 else free // 2
                lines = tuple(" " * pad + text + " " * (free - pad) for text in block.lines)
                found.append(Block(lines, block.base, width))
        return found

    def _noted(self, block: Block, shape: str) -> Block:
        return over([block, of_text(self.text(shape))], block.base) if shape else block

    def _listed(self, arguments: Sequence[Box]) -> Block:
        blocks: list[Block] = []
        for argument in arguments:
            blocks += [of_text(", ")] if blocks else []
            blocks.append(self(argument))
        return fenced("(", beside(blocks), ")")

    def _fraction(self, above: Box, below: Box) -> Block:
        upper, lower = self(above), self(below)
        bar = of_text(self.text("─" * (max(upper.width, lower.width) + 2)))
        return over([upper, bar, lower], len(upper.lines))

    def _raised(self, base: Block, exponent: Block, flat_form: str) -> Block:
        """Something at the upper right corner; on the line where all is one line high."""
        if len(base.lines) == 1 and base.base == 0:
            return beside([base, of_text(self.text(flat_form))])
        return beside([base, Block(exponent.lines, base.base, exponent.width)])


def _at_point(block: Block) -> tuple[str, str]:
    """A decimal number before and from its point on; ("", "") for anything else."""
    found = NUMBER.fullmatch(block.lines[0]) if len(block.lines) == 1 else None
    return (found[1], found[2] or "") if found else ("", "")


def _between(run: Sequence[Box], items: Sequence[Box], end: int) -> str:
    """A run of boxes that ends before a place, on one line, with the blanks that it has beside its neighbours: tall
    ones, or parentheses that stand apart."""
    begin = end - len(run)
    before, after = items[max(begin - 1, 0) : begin], items[end : end + 1]
    left = "(" if before and isinstance(before[0], Sign) else "\x00" if before else ""
    right = ")" if after and isinstance(after[0], Sign) else "\x00" if after else ""
    around = [*map(Words if left == "\x00" else Sign, left), *run, *map(Words if right == "\x00" else Sign, right)]
    return joined(around).removeprefix(left).removesuffix(right)
