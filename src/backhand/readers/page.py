r"""Reading a student's answer: Markdown, LaTeX, plain text, code, in one page or several, to a Work.

    $$\Rightarrow \frac{\partial L}{\partial D} = (2)(4) - 6 = \boxed{2}$$
    so the gradient at B1 is 4.
    | C1 | 1 | 2 |                   in a table with the head  | node | value | dL/d· |

Nothing on a page raises. A line says what it holds: statements, prose, nothing, something struck out,
or mathematics that could not be read and why. Names stay as written; which quantities they are is
for `marking.align` to find out.

A line of the Work is a line of the file, or several where a formula runs on: while a brace is open
between `$$`, and after an operator. Each line goes through three small machines: `tokens` (one pass
over the characters), `statements` (where a statement ends, what are its links), and the parser of
`core.answers`. Before them `markdown` finds where on a page is what, and `table` says what a cell is about.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Literal, TypeAlias

from backhand.core.answers import FormulaReader, Token
from backhand.core.formula import Num, Ref, Slope
from backhand.errors import BackhandError
from backhand.marking.work import ArrayWritten, Chain, Line, Piece, Repair, Work
from backhand.readers.array_text import found_in
from backhand.readers.markdown import ENDED, LONG, Region, Row, rows
from backhand.readers.moods import with_moods
from backhand.readers.reuse import Bodies, reused
from backhand.readers.statements import Statements
from backhand.readers.table import Table
from backhand.readers.tokens import ARRAY_LETTER, LONE_NUMBER, Mode, Tokenizer, prepared
from backhand.text import Source, Span

PAGE = 2**20
"""Characters of one source that are read."""

LINES = 20_000
"""Lines of one source that are read."""

SIGNS = 120_000
"""Words, numbers and signs of one source that are read."""

LINKS = 4_000
"""Formulas of one source that are read."""

ROW = 1_000
"""Formulas of one line that are read."""

Why: TypeAlias = Literal["", "prose", "empty", "struck", "unread"]


def read_work(sources: Sequence[Source], *, arrays: bool = False) -> Work:
    """What somebody wrote, in one file or several; with `arrays` as a page about arrays. Never raises.

    >>> work = read_work([Source("so dL/dB1 = 2(1) + 2 = 4.")])
    >>> [piece.formula for piece in work.lines[0].chains[0].pieces]
    [<dL/dB1>, <2 (1) + 2>, <4>]
    """
    lines: list[Line] = []
    repairs: list[Repair] = []
    decisions: list[str] = []
    literals: dict[str, ArrayWritten] = {}
    names: set[str] = set()
    for source in sources:
        page = _Page(source, arrays, len(literals))
        lines += page.lines()
        literals |= page.literals
        repairs += page.repairs
        names |= reused(page.text[:PAGE])
        decisions += [f"{source.name}: {words}" if len(sources) > 1 else words for words in page.decisions]
    again = None if arrays else partial(read_work, sources, arrays=True)
    return Work(tuple(sources), tuple(lines), tuple(repairs), tuple(decisions), literals, again, frozenset(names))


# -- the lines of a page -----------------------------------------------------------------------------------

COMMENT_MARKS = re.compile(r"/\*+|\*+/")
POINTS = re.compile(r"[0-9]\.[0-9]")
COMMAS = re.compile(r"(?<![0-9.,{(\[])([0-9]+),([0-9]+)(?![0-9.,\]}])")


class _Page:
    """One source on its way to lines."""

    def __init__(self, source: Source, arrays: bool = False, before: int = 0) -> None:
        self.source = source
        self.text = " " + source.text[1:] if source.text.startswith("\ufeff") else source.text
        if "/*" in self.text and "*/" in self.text:
            self.text = COMMENT_MARKS.sub(lambda found: " " * len(found[0]), self.text)
        self.arrays = arrays
        self.literals: dict[str, ArrayWritten] = {}
        if arrays:
            self.text, found = found_in(self.text[:PAGE], before)
            self.literals = {
                name: ArrayWritten(one.numbers, one.axes, one.decimals, one.text, one.places)
                for name, one in found.items()
            }
        self.prepared = prepared(self.text[:PAGE])
        self.repairs: list[Repair] = []
        self.decisions: list[str] = []
        self.statements = Statements(source)
        self.bodies = Bodies()
        self.comma = self._decimal_comma()
        self.signs = 0

    def lines(self) -> list[Line]:
        """The lines, as many as are read. What is left of a page that is too large is one more, not read."""
        made: list[Line] = []
        table: Table | None = None
        end, most = self._end()
        links = 0
        for row in rows(self.text[:end]):
            links += sum(len(chain.pieces) for chain in made[-1].chains) if made else 0
            if self.signs > SIGNS or links > LINKS:
                end, most = row.start, f"{LINKS} formulas" if links > LINKS else f"{SIGNS} words and signs"
                break
            if row.cells is None:
                table = None
                made.append(self._line(row))
                continue
            if table is None:
                table = Table(self)
            made.append(table.line(row))
        if end < len(self.text):
            span = Span(self.source, end, len(self.text))
            reason = (
                f"The page goes on from here, but only its first {most} are read. Give the rest as a page of its own."
            )
            made.append(Line(self.number(end), span, (), "unread", reason))
        return made

    def _end(self) -> tuple[int, str]:
        """Up to where the page is read, and what it has so many of."""
        for count, found in enumerate(ENDED.finditer(self.text, 0, PAGE), 1):
            if count == LINES:
                return found.end(), f"{LINES} lines"
        return min(PAGE, len(self.text)), f"{PAGE} characters"

    def number(self, offset: int) -> int:
        return bisect_right(self.source.line_starts, offset)

    def _line(self, row: Row) -> Line:
        span = Span(self.source, row.start, row.end)
        if self.text.startswith("! ", row.start):
            return Line(self.number(row.start), span, (), "prose")  # a note, as Backhand prints them
        inside = self.bodies.holds(self.text[row.start : min(row.end, row.start + LONG)])
        if not row.regions and not row.too_long:
            blank = not self.text[row.start : row.end].strip()
            return Line(self.number(row.start), span, (), "empty" if blank else "prose")
        if row.too_long:
            reason = f"A line of {row.end - row.start} characters; at most {LONG} are read."
            return Line(self.number(row.start), span, (), "unread", reason)
        tokens = self.tokens([region for region in row.regions if not region.struck])
        chains = self.statements.read(tokens)
        reasons = self.statements.reasons
        struck: list[Chain] = []
        for region in row.regions:
            if region.struck:
                struck += self.statements.read(self.tokens([region]), struck=True)
        if not all(region.mode == "math" for region in row.regions if not region.struck):
            chains = [chain for chain in chains if _says_something(chain)]
        elif len(chains) > 1:
            chains = [chain for chain in chains if not _is_lone(chain)]
        chains = sorted(chains + struck, key=lambda chain: chain.span.start)
        if inside:
            chains = [replace(chain, mood="supposed") for chain in chains]
        else:
            chains = list(with_moods(self.text, row.start, row.end, chains))
        if (count := sum(len(chain.pieces) for chain in chains)) > ROW:
            return Line(
                self.number(row.start), span, (), "unread", f"A line of {count} formulas; at most {ROW} are read."
            )
        if self.repairs and self.repairs[-1].span.start >= row.start:
            chains = [self._repaired(chain, row) for chain in chains]
        why, reason = self._why(row, tokens, chains, reasons)
        return Line(self.number(row.start), span, tuple(chains), why, reason)

    def _repaired(self, chain: Chain, row: Row) -> Chain:
        """The chain with each link's formula as it would be without the scanner's likely slips in it."""
        return replace(chain, pieces=tuple(self._as_meant(piece, row) for piece in chain.pieces))

    def _as_meant(self, piece: Piece, row: Row) -> Piece:
        start, end = piece.span.start, piece.span.end
        slips = [r for r in self.repairs if start <= r.span.start and r.span.end <= end]
        if not slips:
            return piece
        text, at = "", start
        for slip in sorted(slips, key=lambda slip: slip.span.start):
            if slip.span.start >= at:
                text += self.text[at : slip.span.start] + slip.meant
                at = slip.span.end
        text += self.text[at:end]
        modes: list[Mode] = [r.mode for r in row.regions if r.start <= start < r.end]
        tokenizer = Tokenizer(prepared(text), self.comma)
        tokenizer.run(0, len(text), modes[0] if modes else "text")
        tokens = [("NAME", *t[1:]) if t[0] == "WORD" else t for t in tokenizer.tokens if t[0] != "EDGE"]
        try:
            meant = FormulaReader(Source(text, self.source.name)).read(tokens)
        except (BackhandError, ArithmeticError):
            return piece  # repaired or not, it cannot be read; why, the piece says
        return replace(piece, meant=meant)

    def tokens(self, regions: list[Region]) -> list[Token]:
        """The tokens of several pieces of a line; between a piece of mathematics and its neighbours is an edge."""
        tokenizer = Tokenizer(self.prepared, self.comma, arrays=self.arrays)
        for at, region in enumerate(regions):
            if at:
                comment = regions[at - 1].mode == "code" and region.mode == "text"
                kind = _before_comment(self.text[region.start : region.end]) if comment else "EDGE"
                tokenizer.add(kind, region.start, region.start, "=" if kind == "EQUALS" else "")
            tokenizer.run(region.start, region.end, region.mode)
        for slip in tokenizer.proposals:
            self.repairs.append(Repair(slip.said, slip.meant, Span(self.source, slip.start, slip.end)))
        self.signs += len(tokenizer.tokens)
        written = self.text[regions[0].start : regions[-1].end] if regions else ""
        return self._suspicious(tokenizer.tokens) if ")2" in written or "x" in written else tokenizer.tokens

    def _suspicious(self, tokens: list[Token]) -> list[Token]:
        """`(4-3)2` has likely lost its ^, `2 x 3` means a product."""
        for at in range(1, len(tokens)):
            kind, start, end, said = tokens[at]
            before = tokens[at - 1]
            if kind == "NUMBER" and before[0] == "CLOSE" and before[2] == start and said == "2":
                self.repairs.append(Repair(")" + said, ")^" + said, Span(self.source, before[1], end)))
            elif said == "x" and kind == "NAME" and at + 1 < len(tokens) and _between_numbers(tokens, at):
                tokens[at] = ("TIMES", start, end, "×")
                words = "x between numbers is read as ×."
                if words not in self.decisions:
                    self.decisions.append(words)
        return tokens

    def _why(self, row: Row, tokens: list[Token], chains: list[Chain], reasons: list[str]) -> tuple[Why, str]:
        if any(not chain.struck for chain in chains):
            return "", ""
        if chains:
            return "struck", ""
        if not self.text[row.start : row.end].strip():
            return "empty", ""
        equations = any(token[0] == "EQUALS" for token in tokens) and any(
            token[0] in ("NUMBER", "PLUS", "TIMES", "SLOPE", "TO", "FRACTION") for token in tokens
        )
        between = bool(row.regions) and all(region.mode == "math" for region in row.regions)
        strange = next((token for token in tokens if token[0] == "BAD" and self.text[token[1]] == "\\"), None)
        if strange is not None:
            return "unread", strange[3]
        if reasons and (equations or between) and any(token[0] not in ("PROSE", "WORD", "SEMI") for token in tokens):
            return "unread", reasons[0] or "It could not be read."
        return "prose", ""

    def _decimal_comma(self) -> bool:
        """A page with 0,40 and without 0.40 writes decimals with a comma."""
        text = self.text[:PAGE]
        if "," not in text or POINTS.search(text):
            return False
        found = [
            (whole, part) for whole, part in COMMAS.findall(text) if (whole == "0") or len(part) == 2 or len(part) > 3
        ]
        if not found:
            return False
        self.decisions.append(f"A comma between digits is read as a decimal comma, as in {found[0][0]},{found[0][1]}.")
        return True


def _before_comment(words: str) -> str:
    """What divides code from a comment behind it: nothing before `# = 3`, an = before `# 3`, else it is another
    statement."""
    if words.lstrip().startswith("="):
        return "EDGE"
    array = words.strip()[:1] == ARRAY_LETTER and " " not in words.strip()
    return "EQUALS" if array or LONE_NUMBER.fullmatch(words) else "SEMI"


def _between_numbers(tokens: list[Token], at: int) -> bool:
    """2 x 3 and (2) x (-3)."""
    before, after = tokens[at - 1], tokens[at + 1]
    left = before[0] == "NUMBER" or (before[0] == "CLOSE" and at > 1 and tokens[at - 2][0] == "NUMBER")
    right = after[0] == "NUMBER" or (
        after[0] == "OPEN"
        and any(
            tokens[at + 2 + k : at + 4 + k] and [t[0] for t in tokens[at + 2 + k : at + 4 + k]] == ["NUMBER", "CLOSE"]
            for k in (0, 1)
        )
    )
    return left and right and not (before[0] == "CLOSE" and after[0] == "OPEN" and before[2] == tokens[at][1])


def _is_lone(chain: Chain) -> bool:
    """A name or number alone, as a label (b) beside a statement."""
    first = chain.pieces[0]
    return len(chain.pieces) == 1 and not (chain.leads_on or first.boxed) and isinstance(first.formula, Ref | Num)


def _says_something(chain: Chain) -> bool:
    """Within prose a lone name, number or formula says nothing."""
    return chain.leads_on or len(chain.pieces) > 1 or any(p.boxed or isinstance(p.formula, Slope) for p in chain.pieces)
