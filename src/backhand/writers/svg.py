"""A drawing as SVG, for pages, notebooks, print and those who have it read to them.

    write(drawing)                     a file of its own, dark where the reader's system is dark
    write(drawing, standalone=False)   to stand in an HTML page: no style sheet, in the page's own colour
    embed(drawing)                     the same in a box that scrolls where the page is too narrow

Nothing is said by colour alone: values stand above and upright, derivatives below, slanted and in a
frame; what is given is tinted, a target dashed. There are no scripts, no references to elsewhere and
no ids but those of title and description. All looks are attributes and the colour is `currentColor`,
so a page can restyle everything by its class (`.bh-derivative { color: ... }`), and programs that know
little of style sheets (PDF makers) draw the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple
from zlib import crc32

from backhand.core.operations import ARRAY_FUNCTIONS, ROWS
from backhand.explaining.layout import Drawing, Label, Line, Shape
from backhand.explaining.lettering import FONTS, shortened
from backhand.explaining.placing.curves import Curve, Rect
from backhand.writers.names import NAME, Names, Parts, Verbatim

STYLE = """\
.bh-figure{color:#1c1e21}.bh-derivative{color:#9a3412}.bh-dropped{color:#c92a2a}
@media (prefers-color-scheme:dark){.bh-figure{color:#e6e6e4}.bh-paper{fill:#16181b}.bh-derivative{color:#fdba74}
.bh-dropped{color:#ff8787}}
@media print{.bh-figure,.bh-derivative{color:#000}.bh-paper{fill:#fff}}"""
"""Of a file of its own. In a page the page has the say."""

LOOKS = {
    "target": 'stroke-dasharray="5 3" fill="none"',
    "computed": 'fill="none"',
    "": 'fill="currentColor" fill-opacity="0.08"',
}
"""By kind of quantity; the last for all that is given."""

SMALLEST = 11.0
TWIN = 20_000
"""Letters of the description at most; a longer one is cut, and says so."""

FUNCTIONS = ARRAY_FUNCTIONS | {row.name for row in ROWS}
"""What is no name, though it may look like one with an index: conv2d, cross_entropy."""

BELOW, ABOVE, LEVEL = "\x01", "\x02", "\x03"
"""In words that are set: an index begins, an exponent begins, back to the line. XML allows none of them."""


class Topic(NamedTuple):
    """What a unit or an arrow is about, as attributes of its element, and the address of what is said about it."""

    attributes: str = ""
    href: str = ""


def write(drawing: Drawing, *, standalone: bool = True) -> str:
    """The drawing as an `<svg>` element; `standalone` with paper and style sheet, as a file of its own."""
    return "\n".join(_Figure(drawing, standalone).lines()) + "\n"


def embed(drawing: Drawing, topic: Callable[[str], Topic] | None = None) -> str:
    """For an HTML page: as large as there is room, but never so small that it cannot be read. `topic` says what the
    unit of a quantity, or its arrow, is linked with."""
    least = round(max(0.6 * drawing.width, min(drawing.width, 320)))
    look = f'style="max-width:100%;min-width:{least}px;height:auto"'
    figure = "\n".join(_Figure(drawing, False, topic).lines()) + "\n"
    figure = figure.replace("<svg ", f"<svg {look} ", 1)
    return f'<div class="bh-scroll" style="overflow-x:auto">\n{figure}</div>\n'


class _Figure:
    """One figure on its way out: it knows its names, so that no two look alike."""

    def __init__(self, drawing: Drawing, standalone: bool, topic: Callable[[str], Topic] | None = None) -> None:
        self.drawing, self.standalone, self.topic = drawing, standalone, topic
        self.names = Names(_name)

    def lines(self) -> Iterator[str]:
        drawing = self.drawing
        names = [label for shape in drawing.shapes for label in shape.labels if label.role == "name"]
        for label in names:  # units first: they have the finest form of their name
            self.names(escaped(label.words))
        wide, high = _number(drawing.width), _number(drawing.height)
        key = f"bh-{crc32(repr((drawing.title, drawing.twin)).encode('utf-8', 'replace')):08x}"
        if self.standalone:
            yield '<?xml version="1.0" encoding="UTF-8"?>'
        role = "group" if self.topic else "img"  # what stands in an image is no link to a screen reader
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="bh-figure" width="{wide}" height="{high}" '
            f'viewBox="0 0 {wide} {high}" role="{role}" aria-labelledby="{key}-title {key}-twin" '
            f'font-family=\'{FONTS}\' text-anchor="middle" fill="none" stroke-width="1.4">'
        )
        yield f'<title id="{key}-title">{escaped(shortened(drawing.title, 200) or "A network")}</title>'
        yield f'<desc id="{key}-twin">{escaped(_bounded(drawing.twin))}</desc>'
        if self.standalone:
            yield f"<style>\n{STYLE}\n</style>"
            yield f'<rect class="bh-paper" width="{wide}" height="{high}" fill="#fff"/>'
        for line in drawing.lines:
            yield from self._line(line)
        for shape in drawing.shapes:
            yield from self._shape(shape)
        for note in drawing.notes:
            yield self._text(note)
        yield "</svg>"

    def _line(self, line: Line) -> Iterator[str]:
        (x, y), *others = line.tip
        tip = f"M{_pair(x, y)}L" + " ".join(_pair(*point) for point in others) + "Z"
        left_out = ' stroke-width="2.8" stroke-dasharray="9 4"' if line.dropped else ""
        begin, end = self._element("bh-arrow bh-dropped" if line.dropped else "bh-arrow", line.about)
        yield begin
        yield f'<path d="{_path(line.curves)}" stroke="currentColor"{left_out}/>'
        yield f'<path d="{tip}" fill="currentColor"/>'
        yield from map(self._text, line.labels)
        yield end

    def _element(self, look: str, name: str) -> tuple[str, str]:
        """The begin and end of a unit's or an arrow's element: a link, where the page says more about it."""
        topic = self.topic(name) if self.topic and name else Topic()
        if not topic.href:
            return f'<g class="{look}"{topic.attributes}>', "</g>"
        label = escaped(shortened(name, 200))
        return f'<a class="{look}" href="{topic.href}" aria-label="{label}"{topic.attributes}>', "</a>"

    def _shape(self, shape: Shape) -> Iterator[str]:
        kind = shape.kind if shape.kind.isalpha() and shape.kind.isascii() else "computed"
        begin, end = self._element(f"bh-unit bh-{kind}", "" if shape.kind == "more" else shape.name)
        yield begin
        if shape.kind != "more":
            if all(label.words != shape.name for label in shape.labels):
                yield f"<title>{escaped(shortened(shape.name, 200))}</title>"
            yield _outline(shape, LOOKS.get(shape.kind, LOOKS[""]))
        for label in shape.labels:
            if label.frame:
                frame = _rect(label.frame, 3)
                yield f'<rect class="bh-derivative" {frame} stroke="currentColor" stroke-width="0.8"/>'
            yield self._text(label)
        yield end

    def _text(self, label: Label) -> str:
        slanted = ' font-style="italic"' if label.role in {"derivative", "local"} else ""
        start = ' text-anchor="start"' if label.start else ""
        return (
            f'<text class="bh-{label.role}" x="{_number(label.x)}" y="{_number(label.y)}" '
            f'font-size="{_number(label.size)}"{slanted}{start} fill="currentColor">{self._words(label)}</text>'
        )

    def _words(self, label: Label) -> str:
        words = escaped(label.words)
        if label.role in {"note", "more"}:
            return words
        return _levels(self.names(words) if label.role == "name" else self._mathematics(words), label.size)

    def _mathematics(self, words: str) -> str:
        """Names with their indices, powers raised, minus signs as long as plus signs."""
        found: list[str] = []
        place = 0
        while place < len(words):
            if token := ENTITY.match(words, place):
                found.append(token[0])
            elif token := NUMBER.match(words, place):
                exponent = token["exponent"]
                power = f"·10{ABOVE}{minus(exponent)}{LEVEL}" if exponent else ""
                found.append(token["digits"] + power)
            elif place and (token := POWER.match(words, place)):
                found.append(f"{ABOVE}{minus(token[1])}{LEVEL}")
            elif (token := WORD.match(words, place)) and token[0] in FUNCTIONS:
                found.append(token[0])
            elif token := NAME.match(words, place):
                found.append(self.names(token[0]))
            else:
                found.append(SIGNS.get(words[place], words[place]))
            place = token.end() if token else place + 1
        return "".join(found)


# ---- words

ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ENTITY = re.compile("&[a-z]+;")
NUMBER = re.compile(r"(?P<digits>\d[\d.]*)(?:e\+?(?P<exponent>-?\d+))?")
WORD = re.compile(r"[^\W\d]\w*")
POWER = re.compile(r"\^(-?\d+)")
SIGNS = {"-": "−", "*": "·", "'": "′"}


def escaped(words: str) -> str:
    """Words as XML. What XML cannot hold becomes "�"."""
    return FORBIDDEN.sub("�", words).translate(ESCAPES)


def minus(words: str) -> str:
    return words.replace("-", "−")


def _bounded(twin: str) -> str:
    if len(twin) > TWIN:
        twin = twin[:TWIN].rsplit(" ", 1)[0] + " … (shortened)"
    return shortened(twin, len(twin))


def _name(parts: Parts | Verbatim) -> str:
    """A name with its marks for index and exponent."""
    match parts:
        case Verbatim(text):
            return text
        case Parts(letters, index, primes, element, version):
            above = f"{ABOVE}({version}){LEVEL}" if version else ""
            below = f"{BELOW}{','.join(map(_index, index))}{LEVEL}" if index else ""
            return letters + "′" * primes + below + above + (f"[{','.join(element)}]" if element else "")


def _index(index: Parts | str) -> str:
    """An index on one line: its own index would be too small to read."""
    if isinstance(index, str):
        return index
    inner = "".join(map(_index, index.index))
    return index.letters + inner + "′" * index.primes + (f"({index.version})" if index.version else "")


def _levels(words: str, size: float) -> str:
    """The marks as shifts of the baseline, each relative to the one before."""
    small = max(SMALLEST, round(0.72 * size, 1))
    shifts = {BELOW: 0.2 * size, ABOVE: -0.3 * size, LEVEL: 0.0}
    found: list[str] = []
    now = 0.0
    for mark, run in LEVELS.findall(words):
        shift = shifts.get(mark, 0.0)
        if not run:
            continue
        if shift == now == 0.0:
            found.append(run)
        else:
            font = f' font-size="{_number(small)}"' if shift else ""
            found.append(f'<tspan dy="{_number(shift - now)}"{font}>{run}</tspan>')
        now = shift
    return "".join(found)


LEVELS = re.compile("([\x01-\x03]?)([^\x01-\x03]*)")


# ---- lines


def _outline(shape: Shape, look: str) -> str:
    stroke = 'stroke="currentColor" stroke-width="1.6"'
    x, y, wide, high = shape.x, shape.y, shape.half_width, shape.half_height
    if wide == high == shape.corner:
        return f'<circle cx="{_number(x)}" cy="{_number(y)}" r="{_number(wide)}" {stroke} {look}/>'
    return f"<rect {_rect((x - wide, y - high, x + wide, y + high), shape.corner)} {stroke} {look}/>"


def _rect(rect: Rect, corner: float) -> str:
    left, top, right, bottom = rect
    return (
        f'x="{_number(left)}" y="{_number(top)}" width="{_number(right - left)}" '
        f'height="{_number(bottom - top)}" rx="{_number(corner)}"'
    )


def _path(curves: Iterable[Curve]) -> str:
    """Curves that begin where the one before ended are one stroke."""
    found: list[str] = []
    end: object = None
    for start, *others in curves:
        if start != end:
            found.append(f"M{_pair(*start)}")
        found.append(("L" if len(others) == 1 else "C") + " ".join(_pair(*point) for point in others))
        end = others[-1]
    return "".join(found)


def _pair(x: float, y: float) -> str:
    return f"{_number(x)},{_number(y)}"


def _number(x: float) -> str:
    """To a tenth, without a useless end: 12, 12.5."""
    return f"{x:.1f}".removesuffix(".0")
