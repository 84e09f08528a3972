"""Tables whose columns are held together by blanks, as terminals and plain text have them.

    quantity      value   derivative of L          name   value   grad
    --------   --------   ---------------          w7     0.5     -0.02
    z1              0.5          ≈ 0.0038

With a line of dashes the columns are where the dashes are. Without one, two blanks and more divide cells, and the head
has to say what its columns hold.
"""

from __future__ import annotations

import re

RULED = re.compile(r"[ \t]*(?:-{2,}|─{2,}|═{2,}|={2,})(?:[ \t]{1,8}(?:-{2,}|─{2,}|═{2,}|={2,}))+[ \t]*$")
DASHES = re.compile(r"[-─═=]+")
GAP = re.compile(r"[ \t]{2,}|\t")
HEAD = re.compile(
    r"(?:gradient|grad|derivative|adjoint)s?(?: (?:of|by) \w+)?|d\w+/d[·.?_x]?|∂\w+/∂[·.?_x]?", re.IGNORECASE
)
FIRST = re.compile(r"node|quantity|name|variable|unit|symbol|param(?:eter)?|weight", re.IGNORECASE)
VALUE = re.compile(r"values?|forward|data|activation", re.IGNORECASE)
WORDS = re.compile(r"[^\W\d]")

Cells = list[tuple[int, int]]


def columns(text: str, head: tuple[int, int], below: tuple[int, int]) -> list[int] | None:
    """Where the columns begin of a table with this head, counted from the beginning of a line, if the line below it is
    one of dashes; empty where blanks divide them; None where no table begins."""
    line, rule = text[slice(*head)], text[slice(*below)]
    if len(line) > 2000 or len(rule) > 2000:
        return None
    if RULED.match(rule):
        starts = [found.start() for found in DASHES.finditer(rule)]
        told = [line[start:stop].strip() for start, stop in zip(starts, [*starts[1:], len(line)], strict=True)]
        return starts if all(told[1:]) and all(WORDS.search(one) for one in told[1:]) else None
    names = [line[slice(*cell)] for cell in cells_of(line, 0, [])]
    if len(names) < 2 - line.startswith("  ") or not any(HEAD.fullmatch(name) for name in names):
        return None
    plain = FIRST.fullmatch(names[0]) or (
        line.startswith("  ") and (HEAD.fullmatch(names[0]) or VALUE.fullmatch(names[0]))
    )
    return [] if plain and len(cells_of(rule, 0, [])) == len(names) + (not FIRST.fullmatch(names[0])) else None


def cells_of(line: str, offset: int, starts: list[int]) -> Cells:
    """Where the cells of a line stand."""
    if starts:
        stops = [*starts[1:], len(line)]
        found = [(start, max(start, min(stop, len(line)))) for start, stop in zip(starts, stops, strict=True)]
    else:
        end = len(line.rstrip())
        begin = len(line) - len(line.lstrip())
        cuts = [gap.span() for gap in GAP.finditer(line, begin, end)]
        edges = [begin, *(edge for cut in cuts for edge in cut), end]
        found = list(zip(edges[::2], edges[1::2], strict=True)) if end > begin else []
    return [(offset + start, offset + stop) for start, stop in found]
