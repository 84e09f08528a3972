"""One self-contained web page: no script, no request to anywhere, one font inside.

Each step can be folded (`<details>`); printed, everything is open. Long chains break before a
relation, very long links before a sign. `fragment` gives the same for a notebook's cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import assert_never

from backhand.explaining.document import (
    Block,
    Document,
    Equation,
    Figure,
    Heading,
    Inline,
    Link,
    Paragraph,
    Remark,
    Table,
)
from backhand.explaining.mathematics import Box
from backhand.writers.line import chain, line
from backhand.writers.mathml import MathML, escape
from backhand.writers.pieces import pieces

ROOM = 24
"""Digits that fit on a line of a telephone; longer links are cut, so that they can break there."""

POLICY = "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:"
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
    """The blocks of one document; knows what is open, and closes it."""

    def __init__(self) -> None:
        self.math = MathML()
        self.in_section = False
        self.in_step = False
        self.anchors: set[str] = set()

    def body(self, document: Document) -> Iterator[str]:
        if document.title:
            yield f"<h1>{escape(document.title)}</h1>\n"
        for block in document.blocks():
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
            case Paragraph(words):
                return f"<p>{self.prose(words)}</p>\n"
            case Equation():
                return self.equation(block)
            case Table():
                return self.table(block)
            case Figure():
                return self.figure(block)
            case Remark(kind, words):
                return f'<p class="remark {kind}"><strong>{KINDS[kind]}</strong> {self.prose(words)}</p>\n'
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
        return "".join(escape(each) if isinstance(each, str) else self.inline(each) for each in words)

    def inline(self, box: Box) -> str:
        return typed(line(box)) + " ".join(map(self.math.inline, pieces(box, ROOM)))

    # -- equations ------------------------------------------------------------------------------------

    def equation(self, equation: Equation) -> str:
        """The left side, and beside it the links, which flow and wrap under the first relation."""
        links = list(equation.links)
        left = "" if links[0].relation else f'<span class="left">{self.link(links.pop(0))}</span>'
        last = len(links) - 1
        right = " ".join(self.link(link, equation.result and i == last) for i, link in enumerate(links))
        if equation.note:
            right += f' <span class="note">{self.prose(equation.note)}</span>'
        if right:
            right = f'<span class="right">{right}</span>'
        return f'<div class="equation">{typed(chain(equation))}{left}{right}</div>\n'

    def link(self, link: Link, result: bool = False) -> str:
        """A link in one piece or in several, between which the line may end."""
        cut = pieces(link.box, ROOM)
        if len(cut) == 1:
            return f'<span class="link">{self.math.display(link.relation, cut[0], result=result)}</span>'
        relations = [link.relation, *[""] * (len(cut) - 1)]
        parts = "".join(
            f'<span class="link">{self.math.display(relation, piece)}</span>'
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
        rows = "".join(f"<tr>{self._row(row, sides)}</tr>\n" for row in table.rows)
        return f'<div class="scroll"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n'

    def _row(self, row: Iterable[Iterable[Inline]], sides: Iterable[str]) -> str:
        cells: list[str] = []
        for place, (cell, side) in enumerate(zip(row, sides, strict=True)):
            tag = 'th scope="row"' if place == 0 else "td"
            cells.append(f'<{tag} class="{side}">{self.prose(cell)}</{tag[:2]}>')
        return "".join(cells)

    def figure(self, figure: Figure) -> str:
        from backhand.writers import svg

        words = "".join(f"<p>{escape(each)}</p>\n" for each in figure.twin.splitlines() if each.strip())
        picture = svg.embed(figure.drawing)
        twin = f'<details class="twin">\n<summary>The figure in words</summary>\n{words}</details>\n' if words else ""
        return f"<figure>\n{picture}</figure>\n{twin}"


def typed(text: str) -> str:
    """Mathematics as it is typed: not seen, but it is what is copied, searched and read back. (A browser copies
    MathML letter by letter, each on a line of its own.)"""
    return f'<span class="typed" aria-hidden="true">{escape(text)}</span>'
