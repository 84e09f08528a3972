"""One self-contained web page: no script, no request to anywhere, one font inside.

Each step can be folded (`<details>`); printed, everything is open. Long chains break before a
relation, very long links before a sign. Lines about the same quantity light up together and lead to
each other (`writers.linking`). `fragment` gives the same for a notebook's cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from itertools import groupby, zip_longest
from typing import assert_never

from backhand.explaining.document import (
    About,
    Block,
    Code,
    CodeRow,
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
from backhand.writers import svg
from backhand.writers.line import chain, line
from backhand.writers.linking import Links, both
from backhand.writers.mathml import MathML, escape, lead
from backhand.writers.pieces import Piece, breadth, pieces

ROOM = 24
"""Digits that fit on a line of a telephone; longer links are cut, so that they can break there."""

PAPER = 64
"""Digits that fit on a line of a printed page."""

POLICY = "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:"
PENS: dict[Pen, tuple[str, str]] = {
    "right": ("✓", "M2.5 8.6c1.6 1.3 2.6 2.9 3.4 4.9C7.6 8.7 10.2 5.2 14 2.2"),
    "follows": ("↪", "M3 2.5v4a3.5 3.5 0 0 0 3.5 3.5H13M9.8 6.6 13.3 10l-3.5 3.4"),
    "wrong": ("✗", "M3.2 3c3.3 2.8 6.3 6 9.6 10.2M13 2.6C9.5 6 6.3 9.5 3.3 13.5"),
    "unclear": ("?", "M5 5.2a3 3 0 1 1 4.6 2.6C8.4 8.6 8 9.3 8 10.6M8 13.6v.2"),
    "note": ("!", "M8 2.4v7.4M8 13.3v.2"),
}
"""What the pen draws, for those who copy it and for those who see it."""
CLOSING = re.compile(r"[.,;:!?)\]]+(?=\s|$)")
KINDS = {"notice": "Note", "check": "Check", "hint": "Next"}


def write(document: Document, *, font: bool = True) -> Iterator[str]:
    """The page in pieces. Without `font` the reader's own mathematics font is used, if there is one."""
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f"<title>{escape(document.title or 'Backhand')}</title>\n<style>\n"
    )
    yield from (_asset("page.css"), style(font=font))
    yield '</style>\n</head>\n<body>\n<main class="backhand">\n'
    yield from _Page().body(document)
    yield "</main>\n</body>\n</html>\n"


def fragment(document: Document, *, font: bool = True) -> str:
    """The document for a place inside another page; its style keeps to the class `backhand`."""
    return f'<div class="backhand">\n<style>\n{style(font=font)}</style>\n{"".join(_Page().body(document))}</div>\n'


@cache
def style(*, font: bool = True) -> str:
    """The style sheet of what stands inside class `backhand`, with the font in it."""
    return (_font_face() if font else "") + _asset("document.css")


def _font_face() -> str:
    from base64 import b64encode

    data = b64encode((files("backhand.writers") / "assets" / "math.woff2").read_bytes()).decode("ascii")
    return (
        '@font-face { font-family: "Backhand Math"; font-display: block;\n'
        f'  src: url("data:font/woff2;base64,{data}") format("woff2"); }}\n'
    )


def _asset(name: str) -> str:
    return (files("backhand.writers") / "assets" / name).read_text("utf-8")


class _Page:
    """The blocks of one document; knows what is open, and closes it, and what is linked with what."""

    def __init__(self) -> None:
        self.math = MathML()
        self.links = Links()
        self.styled = False
        self.in_section = False
        self.in_step = False
        self.anchors: set[str] = set()
        self.marked = False

    def body(self, document: Document) -> Iterator[str]:
        if document.title:
            yield f"<h1>{escape(document.title)}</h1>\n"
        blocks: Iterable[Block] = document.blocks()
        if document.linked:
            blocks = [*blocks]
            self.links = Links(blocks)
            yield self.linked_style()
        for block in blocks:
            yield self.block(block)
        yield self.closed(section=True)

    def block(self, block: Block) -> str:
        match block:
            case Heading(1, words, anchor):
                closed = self.closed(section=True)
                self.in_section = True
                return f"{closed}<section{self.id(anchor)}>\n<h2>{self.prose(words)}</h2>\n"
            case Heading(_, words, anchor):
                closed = self.closed(section=False)
                self.in_step = True
                return (
                    f'{closed}<details class="step" open{self.id(anchor)}>\n'
                    f"<summary><h3>{self.prose(words)}</h3></summary>\n"
                )
            case Fine(words):
                return f'<p class="fine">{self.prose(words)}</p>\n'
            case Paragraph(words):
                return f"<p>{self.prose(words)}</p>\n"
            case Room(lines):
                return f'<div class="room" style="height:{1.9 * lines:g}rem"></div>\n'
            case NewSheet(title):
                head = f"<h1>{escape(title)}</h1>\n" if title else ""
                return f'{self.closed(section=True)}<hr class="new-sheet">\n{head}'
            case Equation():
                return self.equation(block)
            case Table():
                return self.table(block)
            case Code():
                return self.code(block) + self.closed(section=True)
            case Figure():
                return self.figure(block)
            case Remark(kind, words):
                return f'<p class="remark {kind}"><strong>{KINDS[kind]}</strong> {self.prose(words)}</p>\n'
            case Page():
                return self.page(block)
            case _:
                assert_never(block)

    def closed(self, *, section: bool) -> str:
        """The end of what is open: the step, and the section as well if a new one begins."""
        step = "</details>\n" * self.in_step
        self.in_step = False
        if not section:
            return step
        end = "</section>\n" * self.in_section
        self.in_section = False
        return step + end

    def id(self, anchor: str) -> str:
        name = "-".join(anchor.split())
        if not name or name in self.anchors:
            return ""
        self.anchors.add(name)
        return f' id="{escape(name)}"'

    def prose(self, words: Iterable[Inline]) -> str:
        """Words and mathematics; a full stop or a bracket stays on the line of what it touches."""
        found = ""
        kept = ""
        for each in words:
            if isinstance(each, str):
                touching = CLOSING.match(each)
                if touching and kept.count("<math>") == 1:
                    found += f'<span class="kept">{kept}{escape(touching[0])}</span>'
                    each, kept = each[touching.end() :], ""
                found += kept + escape(each)
                kept = ""
            else:
                found += kept
                kept = self.inline(each)
        return found + kept

    def inline(self, box: Box) -> str:
        return typed(line(box)) + " ".join(map(self.math.inline, pieces(box, ROOM)))

    # -- equations ------------------------------------------------------------------------------------

    def equation(self, equation: Equation) -> str:
        """The left side, and beside it the links, which flow and wrap under the first relation."""
        links = list(equation.links)
        about, left = equation.about, ""
        if not links[0].relation:
            left = f'<span class="left">{_to(self.links.href(about, "code"), self.link(links.pop(0)))}</span>'
        last = len(links) - 1
        right = " ".join(self.link(link, equation.result and i == last) for i, link in enumerate(links))
        if equation.note:
            right += f' <span class="note">{self.prose(equation.note)}</span>'
        if right:
            right = f'<span class="right">{right}</span>'
        topic = f"{self.links.attributes(about)}{self.id(f'{about.what}-{about.name}')}" if about and self.links else ""
        return f'<div class="equation"{topic}>{typed(chain(equation))}{left}{right}</div>\n'

    def link(self, link: Link, result: bool = False) -> str:
        """A link in one piece or in several, between which the line may end."""
        cut = pieces(link.box, ROOM, whole=1.6)
        if len(cut) == 1:
            return f"<span {_fitted(cut[0])}>{self.math.display(link.relation, cut[0], result=result)}</span>"
        relations = [link.relation, *[""] * (len(cut) - 1)]
        parts = "".join(
            f"<span {_fitted(piece)}>{self.math.display(relation, piece)}</span>"
            for relation, piece in zip(relations, cut, strict=True)
        )
        return f'<span class="{"long result" if result else "long"}">{parts}</span>'

    # -- tables and figures ---------------------------------------------------------------------------

    def table(self, table: Table) -> str:
        sides = ["number" if side == "r" else "text" for side in table.align]
        head = "".join(
            f'<th scope="col" class="{side}">{self.prose(cell)}</th>'
            for side, cell in zip(sides, table.header, strict=True)
        )
        names = table.about if self.links else ()
        rows = "".join(self._row(row, sides, name) for row, name in zip_longest(table.rows, names, fillvalue=""))
        return f'<div class="scroll"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n'

    def _row(self, row: Iterable[Iterable[Inline]], sides: Iterable[str], name: str) -> str:
        cells: list[str] = []
        topic = f"{self.links.attributes(*both(name))}{self.id(f'answer-{name}')}" if name else ""
        for place, (cell, side) in enumerate(zip(row, sides, strict=True)):
            tag = 'th scope="row"' if place == 0 else "td"
            inside = self.prose(cell)
            if name and place == 0:
                value, derivative = both(name)
                inside = _to(self.links.href(value, "code") or self.links.href(derivative, "code"), inside)
            cells.append(f'<{tag} class="{side}">{inside}</{tag[:2]}>')
        return f"<tr{topic}>{''.join(cells)}</tr>\n"

    # -- programs --------------------------------------------------------------------------------------

    def code(self, code: Code) -> str:
        """The program in a box that scrolls; the lines of one statement are one link to its place in the working."""
        style = "" if self.styled else self.linked_style()
        statements = groupby(code.rows, key=lambda row: row.about)
        parts = "".join(self.code_about(about, [*rows]) for about, rows in statements)
        return f'{style}<pre class="listing"><code>{parts}</code></pre>\n'

    def linked_style(self) -> str:
        """The style sheet of programs and of what is linked."""
        self.styled = True
        return f"<style>\n{_asset('linked.css')}{''.join(self.links.rules())}</style>\n"

    def code_about(self, about: About | None, rows: Sequence[CodeRow]) -> str:
        text = "\n".join(_code_row(row) for row in rows)
        if about is None or not self.links:
            return f"{text}\n"
        inside = text.lstrip(" ")
        indent = text[: len(text) - len(inside)]
        topic = f"{self.links.attributes(about)}{self.id(f'code-{about.what}-{about.name}')}"
        href = self.links.href(about, "line", "row")
        return f"{indent}{_to(href, inside, topic) if href else f'<span{topic}>{inside}</span>'}\n"

    # -- somebody's page ------------------------------------------------------------------------------

    def page(self, page: Page) -> str:
        """The page like paper: numbers and marks in the margin, remarks in the pen's colour under the lines."""
        style = "" if self.marked else f"<style>\n{_asset('marked.css')}</style>\n"
        self.marked = True
        meanings = dict(page.legend)
        name = f'<p class="file">{escape(page.name)}</p>\n' if page.name else ""
        legend = "".join(f"<span>{pen_mark(pen)} {escape(words)}</span> " for pen, words in page.legend)
        lines = "".join(self.written(line, page.working, meanings) for line in page.lines)
        return f'{style}{name}<p class="legend">{legend}</p>\n<ol class="sheet">\n{lines}</ol>\n'

    def written(self, line: WrittenLine, working: str, meanings: dict[Pen, str]) -> str:
        main = "".join(self.statement(each) for each in line.statements if not each.level)
        side = self.side([each for each in line.statements if each.level])
        comments = "".join(self.comment(each, working) for each in line.comments)
        mark = pen_mark(line.pen, meanings.get(line.pen, "")) if line.pen else ""
        gap = " gap" if line.gap else ""
        both = f'<div class="written">{main}{side}</div>' if side else main
        return (
            f'<li class="line{gap}"{self.id(f"line-{line.number}")}><span class="number">{line.number}</span> '
            f'<span class="margin">{mark}</span>\n<div class="body">{both}\n{comments}</div></li>\n'
        )

    def side(self, statements: Sequence[Statement]) -> str:
        """What stands at the side, deeper levels inside."""
        found, depth = "", 0
        for statement in statements:
            found += '<div class="side">' * (statement.level - depth) + "</div>" * (depth - statement.level)
            depth = statement.level
            found += self.statement(statement)
        return found + "</div>" * depth

    def statement(self, statement: Statement) -> str:
        found = ""
        is_open = False
        for place, stroke in enumerate(statement.strokes):
            found += "" if stroke.close or not place or is_open else " "
            if stroke.opens and not is_open:
                wrong = any(each.pen == "wrong" for each in _until_closed(statement.strokes[place:]))
                before = f"{typed(stroke.relation)}<math>{lead(stroke.relation)}</math> " if stroke.relation else ""
                found, is_open = f'{found}{before}<span class="box{" wrong" * wrong}">', True
                stroke = replace(stroke, relation="")
            text = self.stroke(stroke)
            mark = f"&nbsp;{pen_mark(stroke.mark)}" if stroke.mark else ""
            if mark and not is_open and 'class="long' not in text and not isinstance(stroke.content, str):
                text, mark = f'<span class="kept">{text}{mark}</span>', ""
            found += text
            if stroke.closes and is_open:
                found, is_open = found + "</span>", False
            found += mark
        return f'<div class="statement">{found}{"</span>" * is_open}</div>'

    def stroke(self, stroke: Stroke) -> str:
        if isinstance(stroke.content, str):
            tag = "code" if stroke.raw else "span"
            sign = f"<span>{escape(stroke.relation)}</span> " if stroke.relation else ""
            text = f"{sign}<{tag}>{escape(stroke.content)}</{tag}>"
        else:
            text = self.link(Link(stroke.relation, stroke.content))  # type: ignore[arg-type]
            text = typed(f"{stroke.relation} {line(stroke.content)}".lstrip()) + text
        if stroke.struck:
            text = f"<s>{text}</s>"
        return f'<span class="pen-wrong">{text}</span>' if stroke.pen == "wrong" else text

    def comment(self, comment: Comment, working: str) -> str:
        label = f"<strong>{escape(comment.label)}.</strong> " if comment.label else ""
        found = f'<p class="comment {comment.pen}">{label}{self.prose(comment.words)}</p>\n'
        if comment.behind:
            inside = "".join(self.block(each) for each in comment.behind)
            title = f"{escape(working)}: {self.prose(comment.title)}"
            found += f'<details class="working">\n<summary>{title}</summary>\n{inside}</details>\n'
        return found

    def figure(self, figure: Figure) -> str:
        words = "".join(f"<p>{escape(each)}</p>\n" for each in figure.twin.splitlines() if each.strip())
        picture = svg.embed(figure.drawing, self.topic if self.links else None)
        twin = f'<details class="twin">\n<summary>The figure in words</summary>\n{words}</details>\n' if words else ""
        return f"<figure>\n{picture}</figure>\n{twin}"

    def topic(self, name: str) -> svg.Topic:
        """What a unit or an arrow of the figure is about, and where more is said about it."""
        value, derivative = both(name)
        href = self.links.href(value, "line") or self.links.href(derivative, "line", "row")
        return svg.Topic(self.links.attributes(value, derivative), href)


def _to(href: str, inside: str, topic: str = "") -> str:
    """A link that looks like what it holds; without an address only that."""
    return f'<a class="to" href="{href}"{topic}>{inside}</a>' if href else inside


def _code_row(row: CodeRow) -> str:
    """A line of a program, its comment set off. What cannot be seen is shown as a box, as everywhere."""
    return escape(row.code) + (f'<span class="comment">{escape(row.comment)}</span>' if row.comment else "")


def _fitted(piece: Piece) -> str:
    """The class of a link; one broader than a printed page says how much smaller it must be there."""
    wide = breadth(piece.row)
    return f'class="link wide" style="--fit:{max(PAPER / wide, 0.4):.2f}"' if wide > PAPER else 'class="link"'


def pen_mark(pen: Pen, meaning: str = "") -> str:
    """A mark of the pen; with its meaning where it stands alone."""
    if not pen:
        return ""
    letter, path = PENS[pen]
    label = f' role="img" aria-label="{escape(meaning)}"' if meaning else ' aria-hidden="true"'
    return (
        f'<span class="pen {pen}"{label}>{typed(letter)}'
        f'<svg viewBox="0 0 16 16" width="16" height="16"><path d="{path}"/></svg></span>'
    )


def _until_closed(strokes: Sequence[Stroke]) -> Iterator[Stroke]:
    """The strokes inside a box that opens with the first of them."""
    for stroke in strokes:
        yield stroke
        if stroke.closes:
            return


def typed(text: str) -> str:
    """Mathematics as it is typed: not seen, but it is what is copied, searched and read back. (A browser copies
    MathML letter by letter, each on a line of its own.)"""
    return f'<span class="typed" aria-hidden="true">{escape(text)}</span>'
