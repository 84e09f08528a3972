"""Code as data: lines that know which quantity they are about, joined late.

A writer may set the line of a quantity beside its formula and its numbers, or join all of them to a
program (`laid_out`). Text and comment are kept apart until then; a comment stands behind its line where
there is room, in a column with its neighbours', and above it where there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

WIDTH = 100
"""Characters of a line."""

Pass: TypeAlias = Literal["given", "value", "derivative", "frame"]
"""What a line is for: a given number, a value on the way forward, a derivative on the way back, anything else."""


@dataclass(frozen=True, slots=True)
class CodeLine:
    """One statement. `about` is the quantity whose value, or by which the derivative, is computed; empty for what holds
    the program together. `text` is code; `shape` and `comment` are the mathematics: `3 x 2`, `dL/dW = outer(dL/dz, x)`.
    `indent` counts levels."""

    about: str
    pass_: Pass
    text: str
    comment: str = ""
    shape: str = ""
    indent: int = 0


class Laid(NamedTuple):
    """A line of the text, and the statement it is of: one may stand on several lines, below a comment. `comment` is
    what stands behind the code, with the blanks before it."""

    line: CodeLine
    code: str
    comment: str = ""

    @property
    def text(self) -> str:
        return self.code + self.comment


@dataclass(frozen=True, slots=True)
class Marks:
    """How a language writes a comment, and whether a long statement is broken in parentheses of its own."""

    comment: str
    parentheses: bool


SIGNS = "+-*/@<>=?: "
"""What an operand follows: a line does not end behind them."""

PYTHON_MARKS, C_MARKS = Marks("#", True), Marks("//", False)


def laid_out(lines: Sequence[CodeLine], marks: Marks) -> str:
    """The lines as text: broken where they are too long, comments in columns."""
    return "".join(f"{each.text}\n" for each in laid(lines, marks))


def laid(lines: Sequence[CodeLine], marks: Marks) -> Iterator[Laid]:
    """The same line by line, each with the statement that it belongs to."""
    start = 0
    while start < len(lines):
        end = start
        while end < len(lines) and lines[end].pass_ == lines[start].pass_ and lines[end].indent == lines[start].indent:
            end += 1
        yield from _section(lines[start:end], marks)
        start = end


def _section(lines: Sequence[CodeLine], marks: Marks) -> Iterator[Laid]:
    """Neighbours of one kind."""
    indent = " " * 4 * lines[0].indent
    if not lines[0].about:
        for line in lines:
            yield from (Laid(line, text) for text in ((indent + line.text) if line.text else "").split("\n"))
        return
    shapes = max(len(line.shape) for line in lines)
    comments = [_comment(line, shapes) for line in lines]
    room = WIDTH - len(indent) - len(marks.comment) - 3
    column = _column(lines, comments, room)
    for line, comment in zip(lines, comments, strict=True):
        if not comment:
            yield from (Laid(line, text) for text in broken(line.text, indent, marks))
        elif len(line.text) <= column and len(comment) + column <= room and "\n" not in line.text:
            yield Laid(line, indent + line.text, f"{'':<{column - len(line.text)}}  {marks.comment} {comment}")
        else:
            above = comment.strip()
            short = above if len(above) <= room + 2 else above[: room - 1] + "..."
            yield Laid(line, indent, f"{marks.comment} {short}")
            yield from (Laid(line, text) for text in broken(line.text, indent, marks))


def _comment(line: CodeLine, shapes: int) -> str:
    """Shape and mathematics, in columns of their own."""
    return f"{line.shape:<{shapes}}  {line.comment}".rstrip() if shapes else line.comment


def _column(lines: Sequence[CodeLine], comments: Sequence[str], room: int) -> int:
    """Where comments begin so that as many as possible stand behind their lines: a comment does if its code ends before
    the column and the line after it."""
    change = [0] * (WIDTH + 2)
    for line, comment in zip(lines, comments, strict=True):
        first, last = len(line.text), room - len(comment)
        if comment and first <= last and "\n" not in line.text:
            change[first] += 1
            change[last + 1] -= 1
    best = count = most = 0
    for column, step in enumerate(change):
        count += step
        if count > most:
            best, most = column, count
    return best


def broken(text: str, indent: str, marks: Marks) -> Iterator[str]:
    """A statement on as many lines as it needs."""
    if "\n" in text:
        for line in text.split("\n"):
            further = len(line) - len(line.lstrip())
            yield from filled(line.strip(), indent + " " * further)
        return
    if len(indent) + len(text) <= WIDTH:
        yield indent + text
        return
    inner = indent + "    "
    head, equals, value = text.partition(" = ")
    if not equals:
        head, value = "", text
    if head:
        yield f"{indent}{head} = (" if marks.parentheses else f"{indent}{head} ="
    for term in _terms(value):
        yield from filled(term, inner)
    if head and marks.parentheses:
        yield f"{indent})"


def _terms(text: str) -> list[str]:
    """The summands of an expression, each with its sign."""
    found: list[str] = []
    depth = start = 0
    for position, letter in enumerate(text):
        if letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif not depth and letter in "+-" and text[position - 1 : position] == " " == text[position + 1 : position + 2]:
            found.append(text[start : position - 1])
            start = position
    return [*found, text[start:]]


def filled(text: str, indent: str) -> Iterator[str]:
    """An expression on lines, as much as fits on each; what continues stands further in. A line ends where the fewest
    brackets are open, before a sign or behind a comma, unless it would be short."""
    places = tuple(_places(text))
    start = 0
    while len(indent) + len(text) - start > WIDTH:
        last = start + WIDTH - len(indent)
        near = [(rank, -place) for place, rank in places if (start + 2 * last) // 3 < place <= last]
        far = [(0, place) for place, _ in places if place > last]
        wide = near or [(rank, -place) for place, rank in places if start < place <= last] or far[:1]
        if not wide:
            break
        end = abs(min(wide)[1])
        yield indent + text[start:end]
        if not start:
            indent += "    "
        start = end + 1
    yield indent + text[start:]


def _places(text: str) -> Iterator[tuple[int, tuple[int, bool]]]:
    """The spaces at which an expression may be broken, and how badly that would tear it: the brackets that are open,
    and whether it is a factor that is cut off, not a summand or an argument."""
    depth, quote = 0, ""
    for position, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif letter == " " and position and text[position - 1] not in SIGNS:
            following = text[position + 1 : position + 2]
            yield position, (depth, following not in "+-" and text[position - 1] != ",")
