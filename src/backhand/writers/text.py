"""Plain text: for a terminal, a letter, a file. Mathematics as in `writers.line`.

Without `width` every chain is one line, which programs like; with a width chains end a line before
a relation and go on under the first one, tables too broad become lists, and matrices stand on several
lines (`writers.stacked`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from backhand.explaining.document import (
    Block,
    Code,
    Comment,
    Document,
    Equation,
    Figure,
    Fine,
    Heading,
    Inline,
    Link,
    NewSheet,
    Page,
    Paragraph,
    Pen,
    Remark,
    Room,
    Statement,
    Stroke,
    Table,
    WrittenLine,
)
from backhand.explaining.mathematics import Box
from backhand.text import cells
from backhand.writers.line import joined, line
from backhand.writers.pieces import Part, fill, pieces
from backhand.writers.plain import plain
from backhand.writers.stacked import Block as Stack
from backhand.writers.stacked import Stacker, beside, is_stacked, of_text

MARKS = {"notice": "!", "check": "✓", "hint": "→"}
PENS: dict[Pen, str] = {"right": "✓", "follows": "↪", "wrong": "✗", "unclear": "?", "note": "!", "": " "}
ANSI = {
    "bold": "1", "dim": "2", "accent": "36",
    "right": "32", "follows": "32", "wrong": "31", "unclear": "33", "note": "36",
}  # fmt: skip
ASCII = {
    **dict.fromkeys("⎡⎢⎣", "["), **dict.fromkeys("⎤⎥⎦", "]"), **dict.fromkeys("⎛⎜⎝", "("), **dict.fromkeys("⎞⎟⎠", ")"),
    **dict.fromkeys("≈∼", "~"), **dict.fromkeys("·⋅", "*"), **dict.fromkeys("−–─", "-"), "│": "|", "└": "`", "×": "x",
    "⊙": "o", "∂": "d", "Σ": "S", "✓": "v", "✗": "x", "↪": ">", "→": ">", "⇒": ">", "′": "'", "…": ".",
    "“": '"', "”": '"', "‘": "'", "’": "'",
}  # fmt: skip
"""One letter for one, for terminals that show no others."""
INDENT = "  "
GLUE = "\x00"
"""Stands for a blank inside mathematics while prose is broken into lines."""


def write(
    document: Document, *, width: int | None = None, color: bool = False, only_ascii: bool = False
) -> Iterator[str]:
    """The document in pieces, each ending in a line end. `width` in terminal cells; `color` with ANSI codes;
    `only_ascii` for a terminal that shows no other letters."""
    page = _Page(width, color)
    shown = in_ascii if only_ascii else str
    if document.title:
        yield shown("".join(f"{text}\n" for text in page.heading(1, (document.title,), "=")))
    before: Block | None = None
    for block in document.unfolded():
        if (before is not None or document.title) and (_apart(before, block) or page.is_tall(before, block)):
            yield "\n"
        yield shown("".join(f"{text}\n" for text in page.block(block)))
        before = block


def in_ascii(text: str) -> str:
    """The text in ASCII, cell by cell, so that what stands below something stays there."""
    return text if text.isascii() else "".join(c if c.isascii() else _ascii(c) for c in text)


def _ascii(c: str) -> str:
    letter = ASCII.get(c) or unicodedata.normalize("NFKD", c)[0]
    return letter if letter.isascii() else "?" * cells(c)


def _apart(before: Block | None, block: Block) -> bool:
    """Whether an empty line stands between: before headings, prose and tables, not between the lines of a step."""
    match before:
        case None | Table() | Code() | Figure() | Page() | Room() | NewSheet():
            return True
        case Heading(level):
            return level == 1 or isinstance(block, Heading)
        case Paragraph() | Equation() | Remark() | Fine():
            return not isinstance(block, Equation | Remark)
        case _:
            assert_never(before)


class _Page:
    """How broad the page is, how far in it stands, and whether it has colours."""

    def __init__(self, width: int | None, color: bool) -> None:
        self.width = width
        self.color = color
        self.indent = ""

    @property
    def room(self) -> float:
        return max(self.width - len(self.indent), 8) if self.width else float("inf")

    def block(self, block: Block) -> Iterator[str]:
        """The lines of a block."""
        match block:
            case Heading(level, words):
                self.indent = "" if level == 1 else INDENT
                yield from self.heading(level, words, "-")
            case Paragraph(words) | Fine(words):
                yield from self.prose(words)
            case Room(lines):
                yield from [""] * lines
            case NewSheet(title):
                self.indent = ""
                yield self.style("=" * int(min(self.room, 72)), "dim")
                if title:
                    yield ""
                    yield from self.heading(1, (title,), "=")
            case Equation():
                yield from self.equation(block)
            case Table():
                yield from self.table(block)
            case Code():
                yield from (plain(line) for line in block.text.split("\n"))
            case Figure(_, twin):
                for paragraph in twin.splitlines():
                    yield from self.prose((paragraph,))
            case Remark(kind, words):
                yield from self.prose(words, self.style(MARKS[kind], "accent") + " ", INDENT)
            case Page():
                self.indent = ""
                yield from self.page(block)
            case _:
                assert_never(block)

    def is_tall(self, *blocks: Block | None) -> bool:
        """Whether one of two blocks is an equation on several lines, so that an empty line stands between."""
        return self.width is not None and any(isinstance(each, Equation) and _is_stacked(each) for each in blocks)

    def style(self, text: str, name: str) -> str:
        return f"\x1b[{ANSI[name]}m{text}\x1b[0m" if self.color and text else text

    def heading(self, level: int, words: Sequence[Inline], rule: str) -> Iterator[str]:
        lines = wrapped(inline(words), self.width or float("inf"))
        yield from (self.style(text, "bold") for text in lines)
        if level == 1:
            yield self.style(rule * max(map(cells, lines)), "dim")

    def prose(self, words: Sequence[Inline], first: str = "", rest: str = "") -> Iterator[str]:
        lines = wrapped(inline(words), self.room - len(rest))
        for place, text in enumerate(lines):
            yield f"{self.indent}{rest if place else first}{text}".rstrip()

    # -- equations ------------------------------------------------------------------------------------

    def equation(self, equation: Equation) -> Iterator[str]:
        """A chain, on one line if it fits, else broken before relations; its note behind or below it."""
        if self.width is not None and _is_stacked(equation):
            yield from self.tall(equation)
            return
        lines = self.chain(equation.links)
        last = cells(lines[-1])
        if equation.result and len(equation.links) > 1:
            lines[-1] = self.emphasized(lines[-1], plain(line(equation.links[-1].box)))
        note = inline(equation.note).replace(GLUE, " ")
        if note and last + cells(note) + 4 <= self.room:
            lines[-1] += self.style(f"  # {note}", "dim")
            note = ""
        yield from (self.indent + text for text in lines)
        for text in wrapped(note, self.room - 4) if note else ():
            yield self.indent + self.style(f"  # {text}", "dim")

    def emphasized(self, text: str, end: str) -> str:
        """The line with the answer at its end set off."""
        return text.removesuffix(end) + self.style(end, "bold") if text.endswith(end) else self.style(text, "bold")

    def chain(self, links: Sequence[Link]) -> list[str]:
        """The lines of a chain. What follows the first relation stands in a column of its own, under it,
        unless the left side is so long that the column would be narrow."""
        texts = [plain(f"{link.relation} {line(link.box)}".lstrip()) for link in links]
        whole = " ".join(texts)
        if cells(whole) <= self.room:
            return [whole]
        left = texts[0] if not links[0].relation else ""
        hang = cells(left) + 1 if left else 0
        if hang <= max(14, self.room // 3):
            lines = self.column(links[1:] if left else links, hang)
            return [f"{left} {lines[0].lstrip()}" if left else lines[0], *lines[1:]]
        return [*self.column(links[:1], 0), *self.column(links[1:], 4)]

    def column(self, links: Sequence[Link], hang: int) -> list[str]:
        """Links from a column on; a link longer than a line goes on two cells further in."""
        room = self.room - hang + 1
        rows = fill((self.parts(link, room) for link in links), room, deeper=len(INDENT))
        return [" " * (hang if begins else hang + len(INDENT)) + " ".join(row) for begins, row in rows]

    def tall(self, equation: Equation) -> Iterator[str]:
        """A chain with matrices, broken before relations, between signs where a link is longer than a line; a matrix is
        never cut."""
        set_ = Stacker(plain)
        links = [*equation.links]
        first = beside([set_(links.pop(0).box), of_text(" ")]) if not links[0].relation else of_text("")
        hang = first.width
        alone = bool(links) and hang > max(14, self.room // 3)
        if alone:
            hang = 4
        room = self.room - hang
        rows: list[list[Stack]] = [] if not alone else [[first]]
        used = room + 1.0
        last = len(links) - 1
        for place, link in enumerate(links):
            blocks = self.tall_parts(set_, link, room)
            if equation.result and place == last:
                blocks = [self.bold(block) for block in blocks]
            fits = used + sum(block.width + 1 for block in blocks) <= room + 1
            for at, block in enumerate(blocks):
                if not fits and (at == 0 or used + 1 + block.width > room):
                    indent = hang + (len(INDENT) if at else 0)
                    lead = first if not rows else of_text(" " * indent)
                    rows.append([lead])
                    used = -1.0 + (len(INDENT) if at else 0)
                else:
                    rows[-1].append(of_text(" "))
                rows[-1].append(block)
                used += block.width + 1
        if not rows:
            rows = [[first]]
        note = inline(equation.note).replace(GLUE, " ")
        if note and sum(block.width for block in rows[-1]) + cells(note) + 4 <= self.room:
            rows[-1].append(Stack((self.style(f"  # {note}", "dim"),), 0, cells(note) + 4))
            note = ""
        for place, row in enumerate(rows):
            whole = beside(row)
            if place and len(whole.lines) > 1:
                yield ""
            yield from ((self.indent + text).rstrip() for text in whole.lines)
        for text in wrapped(note, self.room - 4) if note else ():
            yield self.indent + self.style(f"  # {text}", "dim")

    def tall_parts(self, set_: Stacker, link: Link, room: float) -> list[Stack]:
        """A link whole if it fits on a line, else in pieces."""
        cut = pieces(link.box, room - 2, lambda box: set_(box).width, line=True)
        rows = [self.tall_row(set_, piece.row.items, room - 3) for piece in cut]
        leads = [link.relation, *(piece.lead for piece in cut[1:])]
        return [
            beside([of_text(f"{plain(lead)} "), row]) if lead else row for lead, row in zip(leads, rows, strict=True)
        ]

    @staticmethod
    def tall_row(set_: Stacker, items: Sequence[Box], room: float) -> Stack:
        """A piece; what is broader than a terminal, in which its lines would get mixed up, as it is typed."""
        block = set_.row(items)
        if block.width <= room:
            return block
        rows = plain(joined(items)).replace("], [", "],\n[").splitlines()
        lines = [text for row in rows for text in wrapped(row, max(room, 8))]
        width = max(map(cells, lines))
        return Stack(tuple(text + " " * (width - cells(text)) for text in lines), 0, width)

    def bold(self, block: Stack) -> Stack:
        return Stack(tuple(self.style(text, "bold") for text in block.lines), block.base, block.width)

    def parts(self, link: Link, room: float) -> list[Part]:
        """A link whole if it fits on a line, else in pieces."""
        cut = pieces(link.box, room - 5, lambda box: cells(line(box)), line=True)
        texts = [plain(f"{piece.lead} {joined(piece.row.items)}".lstrip()) for piece in cut]
        texts[0] = f"{link.relation} {texts[0]}".lstrip()
        return [(text, cells(text) + 1) for text in texts]

    # -- tables ---------------------------------------------------------------------------------------

    def table(self, table: Table) -> Iterator[str]:
        """Columns, aligned; a list of rows when they are too broad for the page."""
        header = [inline(cell).replace(GLUE, " ") for cell in table.header]
        rows = [[inline(cell).replace(GLUE, " ") for cell in row] for row in table.rows]
        widths = [max(map(cells, column)) for column in zip(header, *rows, strict=True)]
        if sum(widths) + 3 * (len(widths) - 1) > self.room:
            yield from self.listed(header, rows)
            return
        if any(header):
            yield self.style(self.row(header, widths, table.align), "bold")
            yield self.indent + self.style("   ".join("-" * width for width in widths), "dim")
        yield from (self.row(row, widths, table.align) for row in rows)

    def row(self, row: Sequence[str], widths: Sequence[int], align: str) -> str:
        padded = (
            " " * (width - cells(text)) + text if side == "r" else text + " " * (width - cells(text))
            for text, width, side in zip(row, widths, align, strict=True)
        )
        return (self.indent + "   ".join(padded)).rstrip()

    def listed(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
        for row in rows:
            for place, (name, text) in enumerate(zip(header, row, strict=True)):
                label = f"{name}: " if name and place else ""
                for at, part in enumerate(wrapped(label + text, self.room - 4)):
                    yield self.indent + (INDENT if place else "") + (INDENT if at else "") + part

    # -- somebody's page ------------------------------------------------------------------------------

    def page(self, page: Page) -> Iterator[str]:
        """The lines with their numbers, the margin, and what is said about them."""
        if page.name:
            yield from (self.style(text, "bold") for text in wrapped(plain(page.name), self.room))
        legend = [[(text := f"{PENS[pen]} {words}", cells(text) + 3)] for pen, words in page.legend]
        if legend:
            for _, row in fill(legend, self.room + 3):
                yield from (self.style(text, "dim") for text in wrapped_if_long("   ".join(row), self.room))
            yield ""
        digits = max((len(str(each.number)) for each in page.lines), default=1)
        for place, each in enumerate(page.lines):
            if place and (each.gap or page.lines[place - 1].comments):
                yield ""
            yield from self.written(each, digits)

    def written(self, line: WrittenLine, digits: int) -> Iterator[str]:
        """One line: the first of its texts beside number and margin, the others below."""
        number = self.style(str(line.number).rjust(digits), "dim")
        front = f"{number} {self.style(PENS[line.pen], line.pen) if line.pen else ' '}  "
        self.indent = " " * (digits + 4)
        texts = [text for statement in line.statements for text in self.statement(statement)]
        for place, text in enumerate(texts or [""]):
            yield (front + text if place == 0 else self.indent + text).rstrip()
        for comment in line.comments:
            yield from self.comment(comment)
        self.indent = ""

    def statement(self, statement: Statement) -> Iterator[str]:
        """A statement, broken where it must be; a deeper one stands in, behind a bar for each level."""
        bars = INDENT + self.style("│ ", "dim") * statement.level if statement.level else ""
        size = 2 + 2 * statement.level if statement.level else 0
        room = max(self.room - size, 8)
        rows = fill([[*self.strokes(statement.strokes, room - 4)]], room + 1, deeper=4)
        for place, (_, row) in enumerate(rows):
            yield bars + (INDENT * 2 if place else "") + " ".join(row)

    def strokes(self, strokes: Sequence[Stroke], room: float) -> Iterator[Part]:
        """What may stand on a line of its own, from left to right."""
        waiting: Part | None = None
        for place, stroke in enumerate(strokes):
            around = len(stroke.relation) + 1 + stroke.opens + stroke.closes + 4 * stroke.struck + 2 * bool(stroke.mark)
            texts = self.stroke(stroke, max(room - around, 4))
            texts[0] = f"{stroke.relation} {'[' if stroke.opens else ''}{texts[0]}".lstrip()
            texts[-1] += "]" if stroke.closes else ""
            if stroke.struck and not (place and strokes[place - 1].struck):
                texts[0] = f"~~{texts[0]}"
            if stroke.struck and not (place + 1 < len(strokes) and strokes[place + 1].struck):
                texts[-1] += "~~"
            look = "wrong" if stroke.pen == "wrong" else "dim" if stroke.struck else ""
            parts = [(self.style(text, look) if look else text, cells(text)) for text in texts]
            if stroke.mark:
                text, size = parts[-1]
                parts[-1] = (f"{text} {self.style(PENS[stroke.mark], stroke.mark)}", size + 2)
            if waiting is not None and stroke.close and waiting[1] + parts[0][1] <= max(room, 8):
                parts[0] = (waiting[0] + parts[0][0], waiting[1] + parts[0][1])
            elif waiting is not None:
                yield waiting[0], waiting[1] + 1
            yield from ((text, size + 1) for text, size in parts[:-1])
            waiting = parts[-1]
        if waiting is not None:
            yield waiting[0], waiting[1] + 1

    @staticmethod
    def stroke(stroke: Stroke, room: float) -> list[str]:
        """Words one by one, with the blanks before them; mathematics whole, or in pieces where it is too long."""
        if isinstance(stroke.content, str):
            text = plain(stroke.content)
            words = text.split() or [""]
            words[0] = " " * (len(text) - len(text.lstrip())) + words[0]
            return [part for word in words for part in _chopped(word, room)]
        cut = pieces(stroke.content, room, lambda box: cells(line(box)), line=True)
        texts = [plain(f"{piece.lead} {joined(piece.row.items)}".lstrip()) for piece in cut]
        return [part for text in texts for part in _chopped(text, room)]

    def comment(self, comment: Comment) -> Iterator[str]:
        """What is said under a line."""
        label = f"{comment.label}: " if comment.label else ""
        lines = wrapped(label + inline(comment.words), self.room - 2)
        for place, text in enumerate(lines):
            colored = self.style(text, comment.pen) if comment.pen else text
            if place == 0 and label and text.startswith(label.strip()) and self.color:
                head = label.strip()
                colored = self.style(head, "bold") + self.style(text.removeprefix(head), comment.pen)
            yield f"{self.indent}{self.style('└' if place == 0 else ' ', comment.pen or 'dim')} {colored}".rstrip()


def _is_stacked(equation: Equation) -> bool:
    return any(is_stacked(link.box) for link in equation.links)


def wrapped_if_long(text: str, room: float) -> list[str]:
    """The text as it is where it fits, with all its blanks."""
    return [text] if cells(text) <= room else wrapped(text, room)


def _chopped(text: str, room: float) -> list[str]:
    """Text that fits nowhere, cut where the line ends."""
    if cells(text) <= room:
        return [text]
    parts, used = [""], 0
    for letter in text:
        size = cells(letter)
        if used + size > room:
            parts.append("")
            used = 0
        parts[-1] += letter
        used += size
    return parts


# -- prose --------------------------------------------------------------------------------------------


def inline(words: Iterable[Inline]) -> str:
    """Prose as text, the blanks inside its mathematics replaced by GLUE."""
    return "".join(plain(each) if isinstance(each, str) else plain(line(each)).replace(" ", GLUE) for each in words)


def wrapped(text: str, room: float) -> list[str]:
    """Lines of at most `room` cells. Mathematics stays whole unless it is longer than a line; so do words."""
    lines: list[str] = []
    used = 0
    for word in text.split():
        for part in [word] if cells(word) <= room else (p for run in word.split(GLUE) for p in _chopped(run, room)):
            size = cells(part)
            if lines and used + 1 + size <= room:
                lines[-1] += " " + part
                used += 1 + size
            else:
                lines.append(part)
                used = size
    return [each.replace(GLUE, " ") for each in lines] or [""]
