"""Where on a page something is written, before any of it is read.

A page of Markdown, LaTeX, plain text and code is cut into rows: lines, or several lines where a formula
runs on, because a brace is open in a display or an operator ends the line. Each row is cut into regions
of mathematics, running text and code; what is struck out is marked so; bullets, numbers of items, tags
and the signs of bold letters belong to no region. The rows of a table are cut into cells.

A delimiter without its partner opens nothing. All of it is done in one pass, whatever the page is.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from backhand.readers.aligned import cells_of, columns
from backhand.readers.tokens import ARRAY_LETTER, LONE_NUMBER, Mode

LONG = 100_000
"""Characters of one line that are read."""

JOINED = 200
"""Lines that one formula may run over."""

DISPLAYED = 1_000
"""Lines of one display."""

CELLS = 64
"""Columns of a table."""


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
    rule: bool = False
    too_long: bool = False


FENCE = re.compile(r"[ \t]*(?:>[ \t]?)*(```+|~~~+)[ \t]*([A-Za-z0-9+#-]*)")
DISPLAY = re.compile(
    r"\$\$|\\\[|\\begin\s*\{(?:align|aligned|equation|gather|gathered|eqnarray|multline|split|alignat|flalign|displaymath)"
    r"\*?\}"
)
BULLET = re.compile(
    r"[ \t]*(?:>[ \t]*)*(?:#{1,6}[ \t]+|///?!?[ \t]*)?(?:"
    r"[-*+•◦‣▪–—][ \t]+(?![=\d(])|[-*+•◦‣▪][ \t]+(?=[^=]*[=:])"
    r"|\(?\d{1,3}[.)]+[:.]?[ \t]+(?![-+*/=·×])|\(?[a-hivx]{1,4}[.)]+[ \t]+(?![-+*/=·×]))?"
)
PROMPT = re.compile(r"[ \t]*(?:>>>|\.\.\.|(?:In|Out)[ \t]*\[[ \t0-9]*\]:|\$ )[ \t]?")
CODE_LINE = re.compile(r"[ \t]*(?:(?:def|class|import|from|for|while|if|return|print|assert|with|elif|else|try)\b|@)")
PRINTED = re.compile(r"[ \t]*print\(")
RULE = re.compile(r"[ \t]*+\|?+[ \t]*+:?+-++:?+[ \t]*+(?:\|[ \t]*+:?+-++:?+[ \t]*+)*+\|?+[ \t]*+$")
STRIKES = re.compile(r"~~|</?(?:s|del|strike)>|\\(?:sout|st|xout|[xb]?cancel)\s*\{", re.IGNORECASE)
STRIKING = ("\\s", "\\x", "\\c", "\\b")
BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
FACTOR = re.compile(r"[^=≈]*+")
ANOTHER = re.compile(r"(?:\s|\\[,;:! ]|\\quad)*+[-−+]?\s*+(?:[0-9.]|\\boxed)")
RELATION_BEFORE = re.compile(r"(?:[=≈]|\\approx)(?:\s|\\[,;:! ])*+$")
"""`\\cancel` strikes out a statement, and the first of two numbers behind an =; elsewhere it shortens a fraction."""
TAG = re.compile(
    r"<(?:br|/?(?:p|div|span|b|i|em|strong|sup|sub|u|center|mark|code|pre|li|ul|ol|h[1-6]))\b[^<>\n]{0,80}>"
    r"|<!--.{0,2000}?-->|!?\[[^\[\]\n]{0,200}\]\([^()\n]{0,300}\)"
)
MARKS = re.compile(r"(?<!\\)(?:\$\$?|\\[()\[\]]|`+)")
BOLD = re.compile(
    r"\*\*(?=\S)([^*\n]{1,400}?)(?<=\S)\*\*(?![A-Za-z0-9(])"
    r"|(?<![\w)])\*\*(?=\S)((?:[^*\n]|(?<=\s)\*(?=\s)){1,400}?)(?<=\S)\*\*(?![\w(.-])"
    r"|(?<![\w*)])__(?=\S)([^_\n]{1,400}?)(?<=\S)__(?!\w)"
)
COMMENT = re.compile(r"(?<![\w&\\])#.*$|(?<=\s)//.*$")
REMARK = re.compile(r"\s\((?=[A-Za-z][\w'-]*+\s++[A-Za-z][\w'-]*+[\s)])[^()=]{0,200}\)\s*+$")
"""`dL/dp = 2.02  (derivative of the loss)`: words behind a line of code."""
SLASHED = re.compile(r"(?:^|(?<=[;{},]))\s*+//+!?(.*)$")
"""A comment as in C and Rust: a whole line, or behind the end of a statement; elsewhere // may divide."""
QUOTED = re.compile(r"[ \t]*(?:>[ \t]?)+")
TRAILING = re.compile(r"(?:[+*/=·×(,]|\\cdot|\\times|(?<=[\s)\]}\d])[-−])\s*(?:\\\\\s*)?$")
LEADING = re.compile(r"[ \t&]*(?:[+·×]|\\cdot|\\times|[-−][ \t])")
NEXT_SUMMAND = re.compile(r"(?:[ \t&]|\\q?quad(?![a-z])|\\[,;:! ]|\{\})*\+(?!\+)")
"""A + with which a line of a display begins: it goes on with the sum above, whatever stands at the end of that."""
SUMMAND_BELOW = re.compile(r"(?:[ \t]{2,}|[ \t]*\$\$?[ \t]*)\+[ \t]*[^\s+]")
"""The same outside of a display: indented, or in dollars."""
ITEM = re.compile(r"[ \t]*\+[ \t]*[^\W\d]\w*[ \t]*=")
NUMBER_AT_END = re.compile(r"(?:^|[\s=(+*/·≈-])\d[\d.,]*[ \t]*$")
PLUS_AT_END = re.compile(r"\+[ \t]*$")
ENDED = re.compile("\r\n|[\n\r\u2028\u2029\u0085]")


def rows(text: str) -> Iterator[Row]:
    """The lines of a page with their regions, joined where a formula runs on."""
    return _Rows(text).rows()


class _Rows:
    """One page on its way to rows. `bounds` are its lines; `seen` is where each closing delimiter stands next."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.bounds: list[tuple[int, int]] = []
        start = 0
        for end in ENDED.finditer(text):
            self.bounds.append((start, end.start()))
            start = end.end()
        self.bounds.append((start, len(text)))
        self.starts = [start for start, _ in self.bounds]
        self.seen: dict[str, int] = {}

    def rows(self) -> Iterator[Row]:
        text, bounds = self.text, self.bounds
        at = 0
        while at < len(bounds):
            start, end = bounds[at]
            if start == end or end - start > LONG:
                yield Row(start, end, too_long=end > start)
                at += 1
            elif fence := FENCE.match(text, start, end):
                at = yield from self._fenced(at, fence)
            elif self._opens_table(at):
                at = yield from self._table(at)
            elif (starts := self._opens_aligned(at)) is not None:
                at = yield from self._aligned(at, starts)
            elif (closing := _open_display(text, start, end)) and (last := self._closing_line(at, closing)):
                yield from self._display(at, last, closing)
                at = last + 1
            else:
                last = self._joined(at)
                yield text_row(text, start, bounds[last][1])
                at = last + 1

    # -- code between fences ---------------------------------------------------------------------------

    def _fenced(self, at: int, fence: re.Match[str]) -> Generator[Row, None, int]:
        text, bounds = self.text, self.bounds
        mark, language = fence[1], fence[2].lower()
        quoted = ">" in text[fence.start() : fence.start(1)]
        math = language in ("math", "latex", "tex")
        yield Row(*bounds[at])
        at += 1
        while at < len(bounds):
            start, end = bounds[at]
            closing = FENCE.match(text, start, end)
            if closing and closing[1].startswith(mark):
                yield Row(start, end)
                return at + 1
            last = self._joined(at)
            end = bounds[last][1]
            if quoted and (sign := QUOTED.match(text, start, end)):
                start = sign.end()
            if end - start > LONG:
                yield Row(start, end, too_long=True)
            elif math:
                yield Row(start, end, _without_struck(text, Region(start, end, "math")))
            else:
                yield _code_row(text, start, end)
            at = last + 1
        return at

    # -- displays over several lines -------------------------------------------------------------------

    def _closing_line(self, at: int, closing: str) -> int:
        """The line that closes the display opened at the end of this one; 0 if it is never closed, or far below."""
        end = self.bounds[at][1]
        found = self.seen.get(closing, 0)
        if 0 <= found < end:
            found = self.seen[closing] = self.text.find(closing, end)
        if found < 0:
            return 0
        last = bisect_right(self.starts, found) - 1
        return last if last - at <= DISPLAYED else 0

    def _display(self, at: int, last: int, closing: str) -> Iterator[Row]:
        """The rows of a display from line `at` to `last`."""
        text, bounds = self.text, self.bounds
        start, end = bounds[at]
        opening = list(DISPLAY.finditer(text, start, end))[-1]
        environment = opening[0].startswith("\\begin")
        head = _inline(text, start, opening.start()) if text[start : opening.start()].strip() else []
        finish = text.index(closing, bounds[last][0])
        tail = finish + len(closing)
        pieces = [(opening.start() if environment else opening.end(), end), *bounds[at + 1 : last]]
        pieces.append((bounds[last][0], tail if environment else finish))
        first, row_start = pieces[0][0], start
        count = 0
        for number, (_, stop) in enumerate(pieces):
            count += 1
            following = pieces[number + 1] if number + 1 < len(pieces) else None
            if following and count < JOINED and _runs_on(text[first:stop], text[following[0] : following[1]]):
                continue
            regions = _without_struck(text, Region(first, stop, "math"))
            if following is None:
                stop = bounds[last][1]
                regions += _inline(text, tail, stop) if text[tail:stop].strip() else []
            too_long = stop - row_start > LONG
            yield Row(row_start, stop, [] if too_long else head + regions, too_long=too_long)
            if following:
                first, row_start = following[0], following[0]
                head, count = [], 0

    # -- tables ----------------------------------------------------------------------------------------

    def _opens_table(self, at: int) -> bool:
        start, end = self.bounds[at]
        if at + 1 >= len(self.bounds) or self.text.find("|", start, end) < 0:
            return False
        below = self.text[slice(*self.bounds[at + 1])]
        return len(below) <= LONG and "|" in below and "-" in below and RULE.match(below) is not None

    def _table(self, at: int) -> Generator[Row, None, int]:
        text, bounds = self.text, self.bounds
        begin = at
        while at < len(bounds) and text.find("|", *bounds[at]) >= 0 and bounds[at][1] - bounds[at][0] <= LONG:
            cells = _cells(text, *bounds[at])
            yield Row(*bounds[at], cells=cells, rule=at == begin + 1, too_long=len(cells) > CELLS)
            at += 1
        return at

    def _opens_aligned(self, at: int) -> list[int] | None:
        """Where the columns begin of a table held together by blanks, if one begins here."""
        if at + 1 >= len(self.bounds) or "  " not in self.text[slice(*self.bounds[at])][:LONG]:
            return None
        return columns(self.text, self.bounds[at], self.bounds[at + 1])

    def _aligned(self, at: int, starts: list[int]) -> Generator[Row, None, int]:
        text, bounds = self.text, self.bounds
        head = cells_of(text[slice(*bounds[at])], bounds[at][0], starts)
        named = bounds[at][0] == head[0][0] or bool(starts)
        yield Row(*bounds[at], cells=head if named else [(bounds[at][0], bounds[at][0]), *head])
        begin, count = at, len(head) + (not named)
        at += 1
        while at < len(bounds):
            start, end = bounds[at]
            cells = cells_of(text[start:end], start, starts) if end - start <= LONG else []
            rule = bool(starts) and at == begin + 1
            if not rule and (not text[start:end].strip() or len(cells) != count or not _is_aligned(text, cells)):
                break
            yield Row(start, end, cells=cells, rule=rule, too_long=len(cells) > CELLS)
            at += 1
        return at

    # -- lines that run on -----------------------------------------------------------------------------

    def _joined(self, at: int) -> int:
        """The last line of those that a line outside of displays runs on over."""
        text, bounds = self.text, self.bounds
        last = at
        while last + 1 < len(bounds) and last - at < JOINED:
            start, end = bounds[last]
            following = text[slice(*bounds[last + 1])]
            if end - bounds[at][0] > LONG or not _is_equation(text[start:end]):
                break
            if SUMMAND_BELOW.match(following) and text[start:end].strip() and _is_deeper(following, text[start:end]):
                last += 1
                continue
            ends = text[max(start, end - 40) : end]
            below = _sums_below(ends, following, text[start:end])
            if not TRAILING.search(ends) or not _may_follow(following, sum_goes_on=below):
                break
            last += 1
        return last


def _is_aligned(text: str, cells: list[tuple[int, int]]) -> bool:
    """Whether nothing runs from one column into the next, as in the line behind a table."""
    return all(text[stop - 1 : stop].isspace() or stop - start < 1 for start, stop in cells[:-1]) or all(
        text[start - 1 : start].isspace() for start, _ in cells[1:]
    )


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


OPENING = re.compile(r"\\(?:begin\s*\{(?:array|cases|dcases|matrix|pmatrix|bmatrix)\}|left(?![A-Za-z]))")
CLOSING = re.compile(r"\\(?:end\s*\{(?:array|cases|dcases|matrix|pmatrix|bmatrix)\}|right(?![A-Za-z]))")


def _runs_on(so_far: str, following: str) -> bool:
    """Whether a line of a display goes on in the next one."""
    if not so_far.strip() or len(so_far) > LONG:
        return False
    if so_far.count("{") - so_far.count("\\{") > so_far.count("}") - so_far.count("\\}"):
        return True
    if "\\" in so_far and len(OPENING.findall(so_far)) > len(CLOSING.findall(so_far)):
        return True
    if NEXT_SUMMAND.match(following):
        return True
    if so_far.rstrip().endswith("\\\\") or not following.strip():
        return False
    return bool(TRAILING.search(so_far[-40:]) or LEADING.match(following))


def _is_equation(line: str) -> bool:
    return "=" in line or line.lstrip()[:1] in ("+", "(")


def _sums_below(ends: str, following: str, above: str) -> bool:
    """Whether a line ends with a + and the next one is indented below it."""
    deeper = len(following) - len(following.lstrip()) > len(above) - len(above.lstrip())
    return deeper and PLUS_AT_END.search(ends) is not None


def _is_deeper(line: str, above: str) -> bool:
    """Whether a line that begins with a + is indented more than the one above, or both are in dollars; and is no item
    of a list, `+ z = 3`, below a line that ends with its number."""
    if ITEM.match(line) and NUMBER_AT_END.search(above):
        return False
    return line.lstrip().startswith("$") or len(line) - len(line.lstrip()) > len(above) - len(above.lstrip())


def _may_follow(line: str, *, sum_goes_on: bool = False) -> bool:
    """Whether a line may go on with the one above. Indented behind a + it may look like an equation of its own."""
    line = line.lstrip()
    if not line or line.startswith(NEVER_FOLLOWS):
        return False
    found = BULLET_ITEM.match(line)
    return found is None or (sum_goes_on and not found[0][0].isdigit())


NEVER_FOLLOWS = ("#", "|", "$", "```", "~~~", "- ", "* ", "=")
BULLET_ITEM = re.compile(r"\d{1,3}[.)]\s|[^\W\d]\w*\s*=")

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
    return [(a + 1, b) for a, b in pairwise(edges)]


# -- one line: bullets, delimiters, what is struck out ---------------------------------------------------------


def _code_row(text: str, start: int, end: int) -> Row:
    begin = start
    if prompt := PROMPT.match(text, begin, end):
        begin = prompt.end()
    stop = after = end
    if "#" in text[begin:end] and (comment := COMMENT.search(text[begin:end])):
        stop, after = begin + comment.start(), begin + comment.start() + 1
    elif "//" in text[begin:end] and (comment := SLASHED.search(text[begin:end])):
        stop, after = begin + comment.start(), begin + comment.start(1)
    if ")" in text[begin:stop] and (remark := REMARK.search(text[begin:stop])):
        stop = begin + remark.start()
    if PRINTED.match(text, begin, stop) or CODE_LINE.match(text, begin, stop):
        return Row(start, end, [])
    regions = [Region(begin, stop, "code")]
    array = text[after:end].lstrip()[:1] == ARRAY_LETTER
    if stop < end and ("=" in text[after:end] or array or LONE_NUMBER.fullmatch(text, after, end)):
        regions.append(Region(after, end, "text"))
    return Row(start, end, regions)


def text_row(text: str, start: int, end: int) -> Row:
    bullet = BULLET.match(text, start, end)
    begin = bullet.end() if bullet else start
    if bullet and begin > start and (second := BULLET.match(text, begin, end)):
        begin = second.end()
    if (prompt := PROMPT.match(text, begin, end)) and prompt.end() > begin:
        return _code_row(text, start, end)
    if (
        begin < end
        and CODE_LINE.match(text, begin, end)
        and text[start:end].rstrip().endswith((":", ")"))
        and "(" in text[start:end]
        and "$" not in text[start:end]
    ):
        return Row(start, end, [])
    heading = text[start:end].lstrip().startswith("#")
    regions: list[Region] = []
    struck = False
    at = begin
    piece = text[begin:end]
    if "~" in piece or "<" in piece or any(mark in piece for mark in STRIKING):
        for first, last, out in _struck_parts(text, begin, end, outside=_inline_spans(text, begin, end)):
            if out:
                regions += [Region(r.start, r.end, r.mode, True) for r in _inline(text, first, last)]
            else:
                regions += _inline(text, first, last)
        struck = any(region.struck for region in regions)
    if not struck:
        regions = _inline(text, at, end)
    return Row(start, end, regions, heading)


def _inline_spans(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Where mathematics stands between delimiters, if a command there may strike something out."""
    if "$" not in text[start:end] and "\\(" not in text[start:end] and "\\[" not in text[start:end]:
        return []
    return [(first, last) for first, last, _, _, mode in _delimited(text, start, end) if mode == "math"]


def _struck_parts(
    text: str, start: int, end: int, outside: Sequence[tuple[int, int]] = ()
) -> Iterator[tuple[int, int, bool]]:
    """Pieces of the line and whether they are struck out. A mark without its partner strikes nothing; a command counts
    here only outside of these spans."""
    at = start
    opened: re.Match[str] | None = None
    for found in STRIKES.finditer(text, start, end):
        if found.start() < at:
            continue
        if found[0].startswith("\\") and any(first <= found.start() < last for first, last in outside):
            continue
        if found[0].startswith("\\"):
            closed = _closing_brace(text, found.end(), end)
            if opened is None and closed > 0 and _strikes(text, found, closed, start, end):
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


def _closing_brace(text: str, at: int, end: int) -> int:
    """Where the brace ends that is open here; -1 if it does not on this line."""
    depth = 1
    for found in BRACE.finditer(text, at, end):
        depth += (found[0] == "{") - (found[0] == "}")
        if depth == 0:
            return found.start()
    return -1


def _strikes(text: str, found: re.Match[str], closed: int, start: int, end: int) -> bool:
    if "cancel" not in found[0]:
        return True
    if FACTOR.match(text, found.end(), closed).end() < closed:  # type: ignore[union-attr]
        return True
    return (
        RELATION_BEFORE.search(text[max(start, found.start() - 40) : found.start()]) is not None
        and ANOTHER.match(text, closed + 1, end) is not None
    )


def _without_struck(text: str, region: Region) -> list[Region]:
    """A region of mathematics, cut where something in it is struck out."""
    if region.mode != "math" or "\\" not in text[region.start : region.end]:
        return [region]
    parts = list(_struck_parts(text, region.start, region.end))
    if len(parts) == 1:
        return [region]
    return [Region(first, last, "math", out) for first, last, out in parts if text[first:last].strip()]


def _inline(text: str, start: int, end: int) -> list[Region]:
    """Mathematics between delimiters, code between ticks, and the text around them."""
    return [part for region in _pieces(text, start, end) for part in _without_struck(text, region)]


def _pieces(text: str, start: int, end: int) -> list[Region]:
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
    """Each delimited piece: where it begins and ends, with and without its delimiters, and what it is. What has no
    closing delimiter once has none further on, so nothing is searched for twice."""
    missing: set[str] = set()
    at = start
    for found in MARKS.finditer(text, start, end):
        mark = found[0]
        if found.start() < at or mark in missing or mark in ("\\)", "\\]"):
            continue
        closing = {"\\(": "\\)", "\\[": "\\]"}.get(mark, mark)
        closed = _find_closing(text, closing, found.end(), end)
        if closed >= 0:
            at = closed + len(closing)
            inner = text[found.end() : closed]
            mode: Mode = "math" if mark[0] != "`" else "text" if "\\" in inner else "code"
            yield found.start(), at, found.end(), closed, mode
            continue
        missing.add(mark)
        rest = text[found.end() : end]
        if mark[0] == "\\" or (mark[0] == "$" and ("\\" in rest or (mark == "$$" and "=" in rest))):
            yield found.start(), end, found.end(), end, "math"
            return


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
