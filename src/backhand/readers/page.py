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
`core.answers`. This module knows of the page around them: where mathematics is between delimiters,
fences, tables, what is struck out, how decimals are written.

In a table, a column whose head speaks of derivatives (`gradient`, `dL/d·`, `adjoint`) gives chains
`dL/d(name) = cell`, one of values `name = cell`, where the name stands in the first column of names.
A cell that is an equation itself is read as it stands. Tables lying on their side are read as well.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from backhand.core.answers import Token
from backhand.core.formula import Formula, Num, Ref, Slope
from backhand.marking.work import Chain, Line, Piece, Repair, Work
from backhand.readers.statements import Statements
from backhand.readers.tokens import Mode, Tokenizer, plain
from backhand.text import Source, Span

PAGE = 2**20
"""Characters of one source that are read."""

LONG = 100_000
"""Characters of one line that are read."""

JOINED = 200
"""Lines that one formula may run over."""

Why: TypeAlias = Literal["", "prose", "empty", "struck", "unread"]


def read_work(sources: Sequence[Source]) -> Work:
    """What somebody wrote, in one file or several. Never raises.

    >>> work = read_work([Source("so dL/dB1 = 2(1) + 2 = 4.")])
    >>> [piece.formula for piece in work.lines[0].chains[0].pieces]
    [<dL/dB1>, <2 (1) + 2>, <4>]
    """
    lines: list[Line] = []
    repairs: list[Repair] = []
    decisions: list[str] = []
    for source in sources:
        page = _Page(source)
        lines += page.lines()
        repairs += page.repairs
        decisions += [f"{source.name}: {words}" if len(sources) > 1 else words for words in page.decisions]
    return Work(tuple(sources), tuple(lines), tuple(repairs), tuple(decisions))


# -- the lines of a page -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Region:
    """A piece of a line and how it is written."""

    start: int
    end: int
    mode: Mode
    struck: bool = False


@dataclass(slots=True)
class Row:
    """A line of the page, or several read as one: where, and its regions. `cells` if it belongs to a table."""

    start: int
    end: int
    regions: list[Region] = field(default_factory=list[Region])
    heading: bool = False
    cells: list[tuple[int, int]] | None = None
    too_long: bool = False


FENCE = re.compile(r"[ \t]*(?:>[ \t]?)*(```+|~~~+)[ \t]*([A-Za-z0-9+#-]*)")
DISPLAY = re.compile(r"\$\$|\\\[|\\begin\s*\{(?:align|aligned|equation|gather|gathered|eqnarray|multline|split|alignat|flalign|displaymath)\*?\}")
BULLET = re.compile(
    r"[ \t]*(?:>[ \t]*)*(?:#{1,6}[ \t]+)?(?:[-*+•◦‣▪–—][ \t]+(?![=\d(])|[-*+•◦‣▪][ \t]+(?=[^=]*[=:])|\(?\d{1,3}[.)]+[:.]?[ \t]+(?![-+*/=·×])|\(?[a-hivx]{1,4}[.)]+[ \t]+(?![-+*/=·×]))?"
)
PROMPT = re.compile(r"[ \t]*(?:>>>|\.\.\.|(?:In|Out)[ \t]*\[[ \t0-9]*\]:|\$ )[ \t]?")
CODE_LINE = re.compile(r"[ \t]*(?:(?:def|class|import|from|for|while|if|return|print|assert|with|elif|else|try)\b|@)")
PRINTED = re.compile(r"[ \t]*print\(")
RULE = re.compile(r"[ \t]*\|?[ \t]*:?-{1,}:?[ \t]*(?:\|[ \t]*:?-{1,}:?[ \t]*)*\|?[ \t]*$")
STRIKES = re.compile(r"~~|</?(?:s|del|strike)>|\\(?:sout|st|xout)\s*\{", re.IGNORECASE)
TAG = re.compile(r"<(?:br|/?(?:p|div|span|b|i|em|strong|sup|sub|u|center|mark|code|pre|li|ul|ol|h[1-6]))\b[^<>\n]{0,80}>|<!--.{0,2000}?-->|!?\[[^\[\]\n]{0,200}\]\([^()\n]{0,300}\)")
TICKS = re.compile(r"`+")
INLINE = re.compile(r"(?<!\\)(\$\$?|\\\(|\\\)|\\\[|\\\])")
BOLD = re.compile(r"\*\*(?=\S)([^*\n]{1,400}?)(?<=\S)\*\*(?![A-Za-z0-9(])|(?<![\w*)])__(?=\S)([^_\n]{1,400}?)(?<=\S)__(?!\w)")
COMMENT = re.compile(r"(?<![\w&\\])#.*$|(?<=\s)//.*$")
TRAILING = re.compile(r"(?:[+*/=·×(,]|\\cdot|\\times|(?<=[\s)\]}\d])[-−])\s*(?:\\\\\s*)?$")
LEADING = re.compile(r"[ \t&]*(?:[+·×]|\\cdot|\\times|[-−][ \t])")
ENDED = re.compile("\r\n|[\n\r\u2028\u2029\u0085]")
POINTS = re.compile(r"[0-9]\.[0-9]")
COMMAS = re.compile(r"(?<![0-9.,{(\[])([0-9]+),([0-9]+)(?![0-9.,\]}])")


class _Page:
    """One source on its way to lines."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.repairs: list[Repair] = []
        self.decisions: list[str] = []
        self.statements = Statements(source)
        self.comma = self._decimal_comma()

    def lines(self) -> list[Line]:
        made: list[Line] = []
        table: _Table | None = None
        for row in _rows(self.text[:PAGE]):
            if row.cells is None:
                table = None
                made.append(self._line(row))
                continue
            if table is None:
                table = _Table(self)
            made.append(table.line(row))
        if len(self.text) > PAGE:
            span = Span(self.source, PAGE, len(self.text))
            reason = f"A page of {len(self.text)} characters; the first {PAGE} are read."
            made.append(Line(self.number(PAGE), span, (), "unread", reason))
        return made

    def number(self, offset: int) -> int:
        return bisect_right(self.source.line_starts, offset)

    def _line(self, row: Row) -> Line:
        span = Span(self.source, row.start, row.end)
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
        why, reason = self._why(row, tokens, chains, reasons)
        return Line(self.number(row.start), span, tuple(chains), why, reason)

    def tokens(self, regions: list[Region]) -> list[Token]:
        """The tokens of several pieces of a line; between a piece of mathematics and its neighbours is an edge."""
        tokenizer = Tokenizer(self.text, self.comma)
        for at, region in enumerate(regions):
            if at:
                tokenizer.add("EDGE", region.start, region.start)
            tokenizer.run(region.start, region.end, region.mode)
        for slip in tokenizer.proposals:
            self.repairs.append(Repair(slip.said, slip.meant, Span(self.source, slip.start, slip.end)))
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
            (whole, part)
            for whole, part in COMMAS.findall(text)
            if (whole == "0") or len(part) == 2 or len(part) > 3
        ]
        if not found:
            return False
        self.decisions.append(f"A comma between digits is read as a decimal comma, as in {found[0][0]},{found[0][1]}.")
        return True


def _between_numbers(tokens: list[Token], at: int) -> bool:
    """2 x 3 and (2) x (-3)."""
    before, after = tokens[at - 1], tokens[at + 1]
    left = before[0] == "NUMBER" or (before[0] == "CLOSE" and at > 1 and tokens[at - 2][0] == "NUMBER")
    right = after[0] == "NUMBER" or (
        after[0] == "OPEN"
        and any(tokens[at + 2 + k : at + 4 + k] and [t[0] for t in tokens[at + 2 + k : at + 4 + k]] == ["NUMBER", "CLOSE"] for k in (0, 1))
    )
    return left and right and not (before[0] == "CLOSE" and after[0] == "OPEN" and before[2] == tokens[at][1])


def _is_lone(chain: Chain) -> bool:
    """A name or number alone, as a label (b) beside a statement."""
    first = chain.pieces[0]
    return len(chain.pieces) == 1 and not (chain.leads_on or first.boxed) and isinstance(first.formula, Ref | Num)


def _says_something(chain: Chain) -> bool:
    """Within prose a lone name, number or formula says nothing."""
    return len(chain.pieces) > 1 or chain.leads_on or chain.pieces[0].boxed or isinstance(chain.pieces[0].formula, Slope)


# -- rows: fences, displays, what runs on ----------------------------------------------------------------------


def _rows(text: str) -> Iterator[Row]:
    """The lines of a page with their regions, joined where a formula runs on."""
    bounds: list[tuple[int, int]] = []
    start = 0
    for end in ENDED.finditer(text):
        bounds.append((start, end.start()))
        start = end.end()
    bounds.append((start, len(text)))
    at = 0
    while at < len(bounds):
        start, end = bounds[at]
        if end - start > LONG:
            yield Row(start, end, too_long=True)
            at += 1
            continue
        fence = FENCE.match(text, start, end)
        if start == end:
            yield Row(start, end)
            at += 1
            continue
        if fence:
            at = yield from _fenced(text, bounds, at, fence)
            continue
        if _opens_table(text, bounds, at):
            at = yield from _table_rows(text, bounds, at)
            continue
        closing = _open_display(text, start, end)
        if closing:
            at = yield from _display(text, bounds, at, closing)
            continue
        last = _joined(text, bounds, at)
        yield _text_row(text, start, bounds[last][1])
        at = last + 1


def _fenced(text: str, bounds: list[tuple[int, int]], at: int, fence: re.Match[str]) -> Iterator[Row]:
    mark, language = fence[1], fence[2].lower()
    yield Row(*bounds[at])
    mode: Mode = "math" if language in ("math", "latex", "tex") else "code"
    at += 1
    while at < len(bounds):
        start, end = bounds[at]
        closing = FENCE.match(text, start, end)
        if closing and closing[1][:3] == mark[:3] and len(closing[1]) >= len(mark):
            yield Row(start, end)
            return at + 1
        last = _joined(text, bounds, at)
        end = bounds[last][1]
        if end - start > LONG:
            yield Row(start, end, too_long=True)
        elif mode == "code":
            yield _code_row(text, start, end)
        else:
            yield Row(start, end, [Region(start, end, "math")])
        at = last + 1
    return at


def _code_row(text: str, start: int, end: int) -> Row:
    begin = start
    if prompt := PROMPT.match(text, begin, end):
        begin = prompt.end()
    stop = end
    if "#" in text[begin:end] and (comment := COMMENT.search(text[begin:end])):
        stop = begin + comment.start()
    if PRINTED.match(text, begin, stop) or CODE_LINE.match(text, begin, stop):
        return Row(start, end, [])
    regions = [Region(begin, stop, "code")]
    if stop < end and "=" in text[stop:end]:
        regions.append(Region(stop + 1, end, "text"))
    return Row(start, end, regions)


def _open_display(text: str, start: int, end: int) -> str:
    """What ends the display that this line opens and does not close; "" if there is none."""
    at = start
    while (found := DISPLAY.search(text, at, end)) is not None:
        closing = _closing(found[0])
        after = text.find(closing, found.end(), end)
        if after < 0:
            return closing
        at = after + len(closing)
    return ""


def _closing(opening: str) -> str:
    if opening.startswith("\\begin"):
        return "\\end" + opening[6:].strip()
    return "\\]" if opening == "\\[" else opening


def _display(text: str, bounds: list[tuple[int, int]], at: int, closing: str) -> Iterator[Row]:
    """The lines of a display over several lines; where the display is never closed, its first line only."""
    last = at + 1
    while last < len(bounds) and last - at < 5 * JOINED and closing not in text[bounds[last][0] : bounds[last][1]]:
        last += 1
    if last >= len(bounds) or last - at >= 5 * JOINED:
        yield _text_row(text, *bounds[at])
        return at + 1
    start, end = bounds[at]
    opening = DISPLAY.search(text, start, end)
    for found in DISPLAY.finditer(text, start, end):
        opening = found
    assert opening is not None
    head = _inline(text, start, opening.start()) if text[start : opening.start()].strip() else []
    inner = opening.start() if opening[0].startswith("\\begin") else opening.end()
    finish = text.index(closing, bounds[last][0])
    tail = finish + len(closing)
    stop = tail if closing.startswith("\\end") else finish
    pieces = [(start, inner, end)] + [(*bounds[k][:1], *bounds[k]) for k in range(at + 1, last)]
    pieces.append((bounds[last][0], bounds[last][0], stop))
    group: list[tuple[int, int, int]] = []
    for number, piece in enumerate(pieces):
        group.append(piece)
        following = pieces[number + 1] if number + 1 < len(pieces) else None
        if following is not None and len(group) < JOINED and _runs_on(text[group[0][1] : piece[2]], text[following[1] : following[2]]):
            continue
        first, final = group[0], group[-1]
        regions = [*head, Region(first[1], final[2], "math")] if first[0] == start else [Region(first[1], final[2], "math")]
        finished = following is None
        stop_at = bounds[last][1] if finished else final[2]
        if finished and text[tail:stop_at].strip():
            regions += _inline(text, tail, stop_at)
        too_long = stop_at - first[0] > LONG
        yield Row(first[0], stop_at, [] if too_long else regions, too_long=too_long)
        group = []
    return last + 1


OPENING = re.compile(r"\\(?:begin\s*\{(?:array|cases|dcases|matrix|pmatrix|bmatrix)\}|left(?![A-Za-z]))")
CLOSING = re.compile(r"\\(?:end\s*\{(?:array|cases|dcases|matrix|pmatrix|bmatrix)\}|right(?![A-Za-z]))")


def _runs_on(so_far: str, following: str) -> bool:
    """Whether a line of a display goes on in the next one."""
    if not so_far.strip():
        return False
    if so_far.count("{") - so_far.count("\\{") > so_far.count("}") - so_far.count("\\}"):
        return True
    if "\\" in so_far and len(OPENING.findall(so_far)) > len(CLOSING.findall(so_far)):
        return True
    if so_far.rstrip().endswith("\\\\") or not following.strip():
        return False
    return bool(TRAILING.search(so_far[-40:]) or LEADING.match(following))


def _joined(text: str, bounds: list[tuple[int, int]], at: int) -> int:
    """The last line of those that a line outside of displays runs on over."""
    last = at
    while last + 1 < len(bounds) and last - at < JOINED:
        start, end = bounds[last]
        if end - bounds[at][0] > LONG or not TRAILING.search(text[max(start, end - 40) : end]):
            break
        if not _is_equation(text, start, end) or not _may_follow(text, *bounds[last + 1]):
            break
        last += 1
    return last


def _is_equation(text: str, start: int, end: int) -> bool:
    return "=" in text[start:end] or text[start:end].lstrip()[:1] in ("+", "(")


def _may_follow(text: str, start: int, end: int) -> bool:
    line = text[start:end].lstrip()
    return bool(line) and not line.startswith(("#", "|", "$", "```", "~~~", "- ", "* ", "=")) and not BULLET_ITEM.match(line)


BULLET_ITEM = re.compile(r"\d{1,3}[.)]\s|[^\W\d]\w*\s*=")


# -- one line: bullets, delimiters, what is struck out ---------------------------------------------------------


def _text_row(text: str, start: int, end: int) -> Row:
    bullet = BULLET.match(text, start, end)
    begin = bullet.end() if bullet else start
    if bullet and begin > start and (second := BULLET.match(text, begin, end)):
        begin = second.end()
    if (prompt := PROMPT.match(text, begin, end)) and prompt.end() > begin:
        return _code_row(text, start, end)
    if begin < end and CODE_LINE.match(text, begin, end) and text[start:end].rstrip().endswith((":", ")")) and "(" in text[start:end] and "$" not in text[start:end]:
        return Row(start, end, [])
    heading = text[start:end].lstrip().startswith("#")
    regions: list[Region] = []
    struck = False
    at = begin
    piece = text[begin:end]
    if "~" in piece or "<" in piece or "\\s" in piece or "\\x" in piece:
        for first, last, out in _struck_parts(text, begin, end):
            if out:
                regions += [Region(r.start, r.end, r.mode, True) for r in _inline(text, first, last)]
            else:
                regions += _inline(text, first, last)
        struck = any(region.struck for region in regions)
    if not struck:
        regions = _inline(text, at, end)
    return Row(start, end, regions, heading)


def _struck_parts(text: str, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    """Pieces of the line and whether they are struck out. A mark without its partner strikes nothing."""
    at = start
    opened: re.Match[str] | None = None
    for found in STRIKES.finditer(text, start, end):
        if found.start() < at:
            continue
        if found[0].startswith("\\"):
            closed = text.find("}", found.end(), end)
            if opened is None and closed > 0:
                yield at, found.start(), False
                yield found.end(), closed, True
                at = closed + 1
        elif opened is None:
            opened = None if found[0].startswith("</") else found
        elif found[0] == "~~" or found[0].startswith("</"):
            yield at, opened.start(), False
            yield opened.end(), found.start(), True
            at, opened = found.end(), None
    yield at, end, False


def _inline(text: str, start: int, end: int) -> list[Region]:
    """Mathematics between delimiters, code between ticks, and the text around them."""
    if start >= end:
        return []
    piece = text[start:end]
    if not any(sign in piece for sign in ("$", "\\(", "\\[", "`", "**", "__", "<", "](")):
        return [Region(start, end, "text")]
    found: list[Region] = []
    at = start
    for first, last, inner_first, inner_last, mode in _delimited(text, start, end):
        if first < at:
            continue
        found += _text_regions(text, at, first)
        found.append(Region(inner_first, inner_last, mode))
        at = last
    found += _text_regions(text, at, end)
    return found


def _delimited(text: str, start: int, end: int) -> Iterator[tuple[int, int, int, int, Mode]]:
    at = start
    while at < end:
        sign = INLINE.search(text, at, end)
        tick = TICKS.search(text, at, end)
        if tick and (sign is None or tick.start() < sign.start()):
            closed = text.find(tick[0], tick.end(), end)
            if closed >= 0:
                inner = text[tick.end() : closed]
                mode: Mode = "text" if "\\" in inner else "code"
                yield tick.start(), closed + len(tick[0]), tick.end(), closed, mode
                at = closed + len(tick[0])
            else:
                at = tick.end()
            continue
        if sign is None:
            return
        closing = {"\\(": "\\)", "\\[": "\\]"}.get(sign[0], sign[0])
        closed = _find_closing(text, closing, sign.end(), end) if sign[0] not in ("\\)", "\\]") else -1
        if closed < 0:
            if sign[0] in ("\\[", "\\("):
                yield sign.start(), end, sign.end(), end, "math"
                return
            at = sign.end()
            if sign[0] in ("$", "$$"):
                yield from _lone_dollar(text, sign, end)
                return
            continue
        yield sign.start(), closed + len(closing), sign.end(), closed, "math"
        at = closed + len(closing)


def _lone_dollar(text: str, sign: re.Match[str], end: int) -> Iterator[tuple[int, int, int, int, Mode]]:
    """A $ that is never closed: `$$L = 1` whose end the scanner lost, or $5."""
    rest = text[sign.end() : end]
    if "\\" in rest or (sign[0] == "$$" and "=" in rest):
        yield sign.start(), end, sign.end(), end, "math"


def _find_closing(text: str, closing: str, at: int, end: int) -> int:
    while (found := text.find(closing, at, end)) >= 0:
        if closing[0] != "$" or text[found - 1] != "\\":
            return found
        at = found + 1
    return -1


def _text_regions(text: str, start: int, end: int) -> list[Region]:
    """Running text without tags, links and the signs of bold letters."""
    piece = text[start:end]
    if not any(sign in piece for sign in ("<", "](", "**", "__")):
        return [Region(start, end, "text")] if piece.strip() else []
    cuts = [(found.start(), found.end()) for found in TAG.finditer(piece)]
    for found in BOLD.finditer(piece):
        cuts += [(found.start(), found.start() + 2), (found.end() - 2, found.end())]
    if piece.count("**") == 1:
        at = piece.find("**")
        if not piece[:at].strip() or not piece[at + 2 :].strip():
            cuts.append((at, at + 2))
    regions: list[Region] = []
    at = 0
    for first, last in sorted(cuts):
        if first > at and piece[at:first].strip():
            regions.append(Region(start + at, start + first, "text"))
        at = max(at, last)
    if piece[at:].strip():
        regions.append(Region(start + at, end, "text"))
    return regions


# -- tables ----------------------------------------------------------------------------------------------------


def _opens_table(text: str, bounds: list[tuple[int, int]], at: int) -> bool:
    if at + 1 >= len(bounds):
        return False
    start, end = bounds[at]
    below = text[bounds[at + 1][0] : bounds[at + 1][1]]
    return "|" in text[start:end] and "|" in below and "-" in below and RULE.match(below) is not None


def _table_rows(text: str, bounds: list[tuple[int, int]], at: int) -> Iterator[Row]:
    while at < len(bounds) and "|" in text[bounds[at][0] : bounds[at][1]] and bounds[at][1] - bounds[at][0] <= LONG:
        yield Row(*bounds[at], cells=_cells(text, *bounds[at]))
        at += 1
    return at


CELL = re.compile(r"(?<!\\)\||\$[^$\n]*\$|`[^`\n]*`")


def _cells(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Where the cells of a row stand; a | within $...$ belongs to it."""
    cuts = [found.start() for found in CELL.finditer(text, start, end) if found[0] == "|"]
    line = text[start:end]
    first = start + len(line) - len(line.lstrip())
    edges = cuts if cuts and cuts[0] == first else [first - 1, *cuts]
    last = start + len(line.rstrip())
    if not cuts or cuts[-1] != last - 1:
        edges = [*edges, last]
    return [(a + 1, b) for a, b in zip(edges, edges[1:], strict=False)]


Column: TypeAlias = Literal["name", "value", "slope", "formula", "other"]
SLOPE_HEAD = re.compile(r"gradient|derivative|\bgrad\b|adjoint|sensitivity|backward|\bbar\b|upstream", re.IGNORECASE)
VALUE_HEAD = re.compile(r"\bvalues?\b|forward|primal|\bresult|output|activation|number", re.IGNORECASE)
NAME_HEAD = re.compile(r"^\s*(?:node|quantity|name|variable|unit|symbol|neuron|trace|what|var|parameter|weight|input|)s?\s*$", re.IGNORECASE)
OF_HEAD = re.compile(
    r"(?:\\[dt]?frac\s*\{\s*)?(?:\\partial|∂|d)\s*([A-Za-z](?:\w|_\{\w+\})*)\s*(?:\}\s*\{|/)\s*(?:\\partial|∂|d)\s*"
    r"(?:\\cdot|·|\.|\\bullet|•|\?|_|\\square|\.\.\.|…|node|x|v|\(|\\text\{[^{}]*\}|X|q|\*)?"
)
OF_WORDS = re.compile(r"(?:gradient|derivative)s?\s+of\s+\$?([A-Za-z](?:\w|_\{\w+\})*)\$?", re.IGNORECASE)
BARE_CELL = re.compile(r"\s*\$?\s*[-+−]?\s*[0-9.,/ ()]*\$?\s*$")


class _Table:
    """Rows of a table as chains, by what its head says of the columns."""

    def __init__(self, page: _Page) -> None:
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
        if self.seen == 1:
            self._head(row.cells)
            return Line(number, span, (), "prose")
        if self.seen == 2:
            return Line(number, span, (), "prose")
        chains = self._row(row.cells)
        why: Why = "" if any(not chain.struck for chain in chains) else "struck" if chains else "prose"
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
            else:
                about = None
            chains += self._cell(cell, about, kind)
        return chains

    def _cell(self, cell: tuple[int, int], about: Formula | None, kind: Column) -> list[Chain]:
        start, end = _stripped(self.page.text, *cell)
        if start >= end:
            return []
        row = _text_row(self.page.text, start, end)
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

    def _name(self, start: int, end: int) -> Formula | None:
        """The name or derivative that a cell consists of, or with which its equation begins."""
        start, end = _stripped(self.page.text, start, end)
        if start >= end or end - start > 300:
            return None
        regions = _text_row(self.page.text, start, end).regions
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
    rest = (Piece("=", first.formula, first.text, first.span, first.boxed, first.digits, first.reason, first.at), *chain.pieces[1:]) if not first.relation else chain.pieces
    subject = Piece("", about, about.span.text, about.span)
    return Chain((subject, *rest), chain.span, False, chain.note, chain.struck, chain.level)
