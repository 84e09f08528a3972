"""Tables: what a cell is about, by the head of its column and the name in its row.

    | node | value | dL/d· |
    |------|------:|------:|
    | B1   |     3 |     4 |        B1 = 3, dL/dB1 = 4

A column whose head speaks of derivatives (`gradient`, `dL/d·`, `adjoint`) gives chains
`dL/d(name) = cell`, one of values `name = cell`; the name stands in the first column, or in the one headed
node, quantity, variable. A cell that is an equation itself is read as it stands. A table lying on its
side has the names in its head and `value`, `gradient` in its first column.
"""

from __future__ import annotations

import re
from typing import Literal, Protocol, TypeAlias

from backhand.core.answers import Token
from backhand.core.formula import Formula, Ref, Slope
from backhand.marking.work import Chain, Line, Piece
from backhand.readers.markdown import CELLS, Region, Row, text_row
from backhand.readers.statements import Statements
from backhand.readers.tokens import plain
from backhand.text import Source, Span

Column: TypeAlias = Literal["name", "value", "slope", "formula", "other"]
SLOPE_HEAD = re.compile(
    r"gradient|derivative|\bgrad\b|adjoint|sensitivity|backward|\bbar\b|upstream|ableitung|dérivée|derivada|derivata"
    r"|梯度|导数|偏导|伴随|기울기|미분|градиент|производн",
    re.IGNORECASE,
)
VALUE_HEAD = re.compile(
    r"\bvalues?\b|\bdata\b|forward|primal|\bresult|output|activation|number|\bwert|\bvaleur|\bvalor|^数?值$|^값$|значени",
    re.IGNORECASE,
)
NAME_HEAD = re.compile(
    r"^\s*(?:node|quantity|name|variable|unit|symbol|neuron|trace|what|var|parameter|weight|input|)s?\s*$",
    re.IGNORECASE,
)
OF_HEAD = re.compile(
    r"(?:\\[dt]?frac\s*\{\s*)?(?:\\partial|∂|d)\s*([A-Za-z](?:\w|_\{\w+\})*)\s*(?:\}\s*\{|/)\s*(?:\\partial|∂|d)\s*"
    r"(?:\\cdot|·|\.|\\bullet|•|\?|_|\\square|\.\.\.|…|node|x|v|\(|\\text\{[^{}]*\}|X|q|\*)?"
)
OF_WORDS = re.compile(r"(?:gradient|derivative)s?\s+of\s+\$?([A-Za-z](?:\w|_\{\w+\})*)\$?", re.IGNORECASE)
BARE_CELL = re.compile(r"\s*\$?\s*[-+−]?\s*[0-9.,/ ()]*\$?\s*$")


class Page(Protocol):
    """What a table needs of its page."""

    source: Source
    text: str
    statements: Statements

    def number(self, offset: int) -> int: ...

    def tokens(self, regions: list[Region]) -> list[Token]: ...


class Table:
    """Rows of a table as chains, by what its head says of the columns."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.kinds: list[Column] = []
        self.ofs: list[str] = []
        self.heads: list[Formula | None] = []
        self.seen = 0

    def line(self, row: Row) -> Line:
        page = self.page
        assert row.cells is not None
        self.seen += 1
        span = Span(page.source, row.start, row.end)
        number = page.number(row.start)
        if row.too_long:
            return Line(number, span, (), "unread", f"{len(row.cells)} columns; at most {CELLS} are read.")
        if self.seen == 1:
            self._head(row.cells)
            return Line(number, span, (), "prose")
        if row.rule:
            return Line(number, span, (), "prose")
        chains = self._row(row.cells)
        why: Literal["", "prose", "struck"] = (
            "" if any(not chain.struck for chain in chains) else "struck" if chains else "prose"
        )
        return Line(number, span, tuple(chains), why)

    def _head(self, cells: list[tuple[int, int]]) -> None:
        for at, (start, end) in enumerate(cells):
            text = self.page.text[start:end].strip()
            kind, of = _column(text)
            self.heads.append(self._name(start, end))
            self.kinds.append("name" if kind == "other" and at == 0 else kind)
            self.ofs.append(of)

    def _row(self, cells: list[tuple[int, int]]) -> list[Chain]:
        names = next((at for at, kind in enumerate(self.kinds) if kind == "name"), 0)
        subject = self._name(*cells[names]) if names < len(cells) else None
        sideways = subject is None or any(head is not None for head in self.heads[1:])
        label = self.page.text[slice(*cells[0])] if cells else ""
        across, of = _column(label.strip())
        chains: list[Chain] = []
        for at, cell in enumerate(cells):
            kind = self.kinds[at] if at < len(self.kinds) else "other"
            if at == names and subject is not None and not self._is_statement(cell):
                continue
            head = self.heads[at] if at < len(self.heads) else None
            if sideways and at and across in ("slope", "value") and head is not None and isinstance(head, Ref):
                about: Formula | None = Slope(of, head.name, False, head.span) if across == "slope" else head
            elif kind == "slope" and subject is not None:
                about = _slope(self.ofs[at], subject)
            elif kind == "value":
                about = subject
            elif at < len(self.heads) and at and isinstance(self.heads[at], Slope) and kind == "other":
                about = self.heads[at]
            elif at == names + 1 and self._is_statement(cells[names]) and self._is_bare(cell):
                about = subject  # the number of the equation before it
            else:
                about = None
            chains += self._cell(cell, about, kind)
        return chains

    def _cell(self, cell: tuple[int, int], about: Formula | None, kind: Column) -> list[Chain]:
        start, end = _stripped(self.page.text, *cell)
        if start >= end:
            return []
        row = text_row(self.page.text, start, end)
        chains: list[Chain] = []
        for struck in (False, True):
            regions = [region for region in row.regions if region.struck is struck]
            if regions:
                chains += self._of_regions(regions, struck, about)
        return [chain for chain in chains if len(chain.pieces) > 1 or chain.struck]

    def _of_regions(self, regions: list[Region], struck: bool, about: Formula | None) -> list[Chain]:
        tokens = self.page.tokens(regions)
        if about is not None and tokens and not any(token[0] in ("EQUALS", "WORD") for token in tokens):
            tokens = [("EQUALS", tokens[0][1], tokens[0][1], "="), *tokens]
        chains = self.page.statements.read(tokens, struck=struck)
        if about is None or not chains:
            return chains
        first = chains[0]
        if first.leads_on or (len(first.pieces) > 1 and not isinstance(first.pieces[0].formula, Ref | Slope)):
            chains[0] = _with_subject(first, about)
        return chains

    def _is_statement(self, cell: tuple[int, int]) -> bool:
        return "=" in self.page.text[slice(*cell)]

    def _is_bare(self, cell: tuple[int, int]) -> bool:
        return BARE_CELL.match(self.page.text[slice(*cell)]) is not None

    def _name(self, start: int, end: int) -> Formula | None:
        """The name or derivative that a cell consists of, or with which its equation begins."""
        start, end = _stripped(self.page.text, start, end)
        if start >= end or end - start > 300:
            return None
        regions = text_row(self.page.text, start, end).regions
        tokens = [token for token in self.page.tokens(regions) if token[0] not in ("EDGE", "BOX", "ENDBOX")]
        if not tokens or (len(tokens) > 1 and tokens[1][0] != "EQUALS"):
            return None
        kind, first, last, said = tokens[0]
        span = Span(self.page.source, first, last)
        if kind == "SLOPE":
            of, _, by = said.partition("|")
            return Slope(of, by, False, span)
        known = kind == "NAME" or (kind == "WORD" and _column(said)[0] == "other")
        return Ref(plain(said), False, span) if known else None


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


def _column(head: str) -> tuple[Column, str]:
    """What a column holds by its head, and of what the derivatives are taken."""
    if (found := OF_HEAD.search(head)) is not None:
        rest = head[found.end() :].strip(" $})")
        return ("slope", plain(found[1])) if not rest or not rest[0].isalnum() else ("other", "")
    if (found := OF_WORDS.search(head)) is not None:
        return "slope", plain(found[1])
    if SLOPE_HEAD.search(head):
        return "slope", ""
    if NAME_HEAD.match(head):
        return "name", ""
    if VALUE_HEAD.search(head):
        return "value", ""
    return "other", ""


def _slope(of: str, subject: Formula) -> Formula:
    return Slope(of, subject.name, False, subject.span) if isinstance(subject, Ref) else subject


def _with_subject(chain: Chain, about: Formula) -> Chain:
    """The chain with what it is about put before it. The new link is a piece of the column of names."""
    assert about.span is not None
    first = chain.pieces[0]
    rest = (
        (
            Piece("=", first.formula, first.text, first.span, first.boxed, first.digits, first.reason, first.at),
            *chain.pieces[1:],
        )
        if not first.relation
        else chain.pieces
    )
    subject = Piece("", about, about.span.text, about.span)
    return Chain((subject, *rest), chain.span, False, chain.note, chain.struck, chain.level)
