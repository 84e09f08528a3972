"""Documents as plain HTML for the inside of somebody else's page: no style, no class, no script, mathematics as MathML.

Quiz systems clean what they are given: classes lose their meaning, styles and folding are taken out. So everything has
to make sense bare. `html` needs no more than paragraphs, headings, tables and `<math>`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from backhand.explaining.document import (
    Block,
    Code,
    Equation,
    Figure,
    Fine,
    Heading,
    Inline,
    NewSheet,
    Page,
    Paragraph,
    Remark,
    Room,
    Table,
)
from backhand.writers.mathml import MathML, escape
from backhand.writers.pieces import pieces
from backhand.writers.svg import FORBIDDEN

ROOM = 24
"""Digits of a link before it may be cut at the end of a line."""


def html(blocks: Iterable[Block]) -> str:
    """The blocks one after the other. Figures are left out: a quiz has its own place for files."""
    writer = _Bare()
    return "".join(map(writer.block, blocks))


def prose(words: Iterable[Inline]) -> str:
    """Words and mathematics on a line."""
    return _Bare().prose(words)


def xml_text(words: str) -> str:
    """Words without what XML cannot hold."""
    return FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", words)


class _Bare:
    """One document on its way; it knows its names, so that no two look alike."""

    def __init__(self) -> None:
        self.math = MathML()

    def block(self, block: Block) -> str:
        match block:
            case Heading(level, words):
                return f"<h{level + 3}>{self.prose(words)}</h{level + 3}>"
            case Paragraph(words) | Remark(_, words) | Fine(words):
                return f"<p>{self.prose(words)}</p>"
            case Equation():
                return f"<p>{self.equation(block)}</p>"
            case Table():
                return self.table(block)
            case Code():
                lines = map(escape, block.text.split("\n"))
                return "<pre><code>" + "\n".join(lines) + "</code></pre>"
            case Figure() | Page() | Room() | NewSheet():
                return ""
            case _:
                assert_never(block)

    def prose(self, words: Iterable[Inline]) -> str:
        found: list[str] = []
        for each in words:
            if isinstance(each, str):
                found.append(escape(each))
            else:
                found += map(self.math.inline, pieces(each, ROOM))
        return "".join(found)

    def equation(self, equation: Equation) -> str:
        """One `<math>` a link, so that lines can end between them."""
        found: list[str] = []
        for link in equation.links:
            for number, piece in enumerate(pieces(link.box, ROOM)):
                found.append(self.math.display("" if number else link.relation, piece))
        if equation.note:
            found.append(f"({self.prose(equation.note)})")
        return " ".join(found)

    def table(self, table: Table) -> str:
        head = "".join(f'<th scope="col">{self.prose(cell)}</th>' for cell in table.header)
        rows = "".join(f"<tr>{''.join(f'<td>{self.prose(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
        return f'<table border="1"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
