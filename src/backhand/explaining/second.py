"""Second derivatives as a part of a worked solution: a table, rows by the first quantity, columns by the second."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from backhand.core.evaluate import Value
from backhand.explaining import mathematics as m
from backhand.explaining import words as say
from backhand.explaining.boxes import value_box
from backhand.explaining.document import Block, Heading, Inline, Paragraph, Remark, Table

if TYPE_CHECKING:
    from backhand.solving.second import Second

SHOWN = 24
"""Rows of the table; of a larger one only its size is said."""

COLUMNS = 5
"""Columns of one table."""


def blocks(second: Second) -> Iterator[Block]:
    """The table in pieces that fit a page, and what was noticed."""
    yield Heading(1, ("Second derivatives of ", m.Symbol(second.of)), "second")
    count = len(second.by)
    if count > SHOWN:
        yield Paragraph(say.second_too_many(count))
    else:
        yield Paragraph(say.second(second.of, second.by[0], second.by[-1]))
        for start in range(0, count, COLUMNS):
            part = second.by[start : start + COLUMNS]
            header: tuple[tuple[Inline, ...], ...] = (("by \\ by",), *((m.Symbol(name),) for name in part))
            rows = tuple(
                ((m.Symbol(name),), *((_cell(second.rows[name][other]),) for other in part)) for name in second.by
            )
            yield Table(header, rows, "l" + "r" * len(part))
    for notice in second.notices:
        yield Remark("notice", (notice.words,))
    if second.symmetric and count > 1:
        yield Remark("check", say.SYMMETRIC)


def _cell(value: Value) -> m.Box:
    seen = value_box(value)
    return seen.box if seen.exact or not seen.number else m.Row((m.Sign("≈"), seen.box))
