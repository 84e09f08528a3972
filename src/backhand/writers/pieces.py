"""What all writers agree on about mathematics: parentheses, products, and where a line may end.

A Box says what is seen, but three things depend on the neighbours and are settled here, once:

    a + Number(-2)            a + (-2)          two signs never meet
    Power(Row(a, +, b), 2)    (a + b)^2         what a bar or its size would have shown
    Row(2, Sign(""), 3)       2·3               two factors that would run into each other

`flat` gives a row with all of that done; `pieces` cuts a long one where a line may end: before a
plus or minus, in front of a factor, inside a long pair of parentheses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias, assert_never

from backhand.explaining.mathematics import (
    Bars,
    Box,
    Call,
    Differentiate,
    Fraction,
    Gap,
    Group,
    Indexed,
    Matrix,
    Number,
    Power,
    Prime,
    Root,
    Row,
    Shaped,
    Sign,
    Slope,
    Sum,
    Summary,
    Symbol,
    Transposed,
    Words,
)

THIN, NOTHING, DOT = Sign(" "), Sign(""), Sign("·")
"""What may stand between two factors; THIN is a blank in a line of text and a thin space in print."""

OPERATORS = frozenset(["+", "-", "·", "*", "/", "", " ", "⊙", "@"])
TIMES = frozenset(["·", "*", "", " ", "⊙", "@"])
OPEN, CLOSE, COMMA = Sign("("), Sign(")"), Sign(",")
"""Parentheses apart, where a line may end between them; otherwise they are a Group."""

TALL_OPEN, TALL_CLOSE = Sign("⎛"), Sign("⎠")
"""The same where something tall stands between them, in print."""


MINUS = re.compile(r"(?<![\w.])-(?=\d)|(?<=\de)-(?=\d)")
"""A hyphen among words that is a minus sign."""

GUARDED = frozenset([Number, Fraction, Slope, Differentiate, Sum])
"""What neighbours may force into parentheses."""


class Piece(NamedTuple):
    """Boxes that stay on one line, as `flat` left them, and the sign before them ("" at the beginning and before a
    factor)."""

    lead: str
    row: Row


# -- rows ---------------------------------------------------------------------------------------------


def flat(box: Box, *, line: bool = False) -> list[Box]:
    """The boxes of a row from left to right; a product sign left open is settled. `line`: for one line
    of text, where fractions are written with a slash.

    >>> flat(Row((Number("2"), Sign(""), Number("3"))))
    [Number(text='2'), Sign(text='·'), Number(text='3')]
    """
    if not isinstance(box, Row):
        return [box]
    items = _opened(box)
    items = [_guarded(items, i, line) if type(item) in GUARDED else item for i, item in enumerate(items)]
    if not line:  # in print, matrices are multiplied by standing side by side
        items = [THIN if isinstance(item, Sign) and item.text == "@" else item for item in items]
    return [_joint(items, i) if isinstance(item, Sign) and not item.text else item for i, item in enumerate(items)]


def _opened(row: Row) -> list[Box]:
    """Rows inside rows opened (without recursion: a long sum may be nested as deep as it is long)."""
    found: list[Box] = []
    todo: list[Box] = [row]
    while todo:
        item = todo.pop()
        if not isinstance(item, Row):
            found.append(item)
        elif found and _sign_at(found, len(found) - 1) in OPERATORS and _first_is_signed(item):
            found.append(Group(item))
        else:
            todo.extend(reversed(item.items))
    return found


def _first_is_signed(box: Box) -> bool:
    while isinstance(box, Row):
        if not box.items:
            return False
        box = box.items[0]
    return isinstance(box, Sign) and box.text in {"+", "-"}


def is_prefix(items: Sequence[Box], place: int) -> bool:
    """Whether the sign at this place belongs to what follows, as in -x, and not between two boxes."""
    if place == 0:
        return True
    before = items[place - 1]
    return isinstance(before, Sign) and before not in (CLOSE, TALL_CLOSE)


def _guarded(items: Sequence[Box], place: int, line: bool) -> Box:
    """The box, in parentheses if its neighbours would change how it reads."""
    item = items[place]
    match item:
        case Number(text):
            before = _sign_at(items, place - 1)
            signed = text.startswith("-") and before in OPERATORS
            guard = signed or (before == "/" and "e" in text and not line)
        case Fraction(above, _) if line:
            before, after = _sign_at(items, place - 1), _sign_at(items, place + 1)
            signed = starts_signed(above) and before in OPERATORS
            guard = signed or before in {"", "/"} or after in {"", "/"}
        case Slope() | Differentiate() if line:
            guard = "/" in {_sign_at(items, place - 1), _sign_at(items, place + 1)}
        case Sum():
            guard = place + 1 < len(items) and _sign_at(items, place + 1) in TIMES | {"/"}
        case _:
            guard = False
    return Group(item) if guard else item


def _sign_at(items: Sequence[Box], place: int) -> str | None:
    """The sign at a place, None where there is another box or none."""
    item = items[place] if 0 <= place < len(items) else None
    return item.text if isinstance(item, Sign) else None


def starts_signed(box: Box) -> bool:
    """Whether the box begins with a minus (or plus) sign."""
    return _first_is_signed(box) or (isinstance(box, Number) and box.text.startswith("-"))


def _joint(items: Sequence[Box], place: int) -> Sign:
    """What stands for a product sign left open: `2 a`, `(2)(3)`, but `a·(b + c)`, which is no call, and `2·3`."""
    if place == 0 or place + 1 == len(items):
        return NOTHING
    left, right = items[place - 1], _beginning(items[place + 1])
    if isinstance(left, Sign) or isinstance(right, Sign):
        return NOTHING
    if isinstance(right, Number) or (isinstance(left, Number) and isinstance(right, Fraction)):
        return DOT
    if not isinstance(right, Group) or isinstance(left, Matrix | Summary):
        return THIN
    if isinstance(left, Prime):
        left = left.inside
    return DOT if isinstance(left, Symbol | Slope | Power | Words | Transposed | Indexed | Shaped) else NOTHING


def _beginning(box: Box) -> Box:
    while isinstance(box, Power | Prime):
        box = as_base(box.base if isinstance(box, Power) else box.inside)
    return box


def as_base(base: Box, *, line: bool = False) -> Box:
    """What stands under an exponent, in parentheses unless it is one thing."""
    match base:
        case Symbol(name):
            return base if line or (not name.endswith(("'", "′")) and "#" not in name) else Group(base)
        case Number(text):
            return Group(base) if text.startswith("-") or "e" in text else base
        case (
            Group() | Call() | Bars() | Root() | Words() | Sign() | Gap() | Matrix() | Indexed() | Shaped() | Summary()
        ):
            return base
        case Row(items):
            return as_base(items[0], line=line) if len(items) == 1 else Group(base)
        case Fraction() | Power() | Prime() | Slope() | Differentiate() | Transposed() | Sum():
            return Group(base)
        case _:
            assert_never(base)


def summand(inside: Box) -> Box:
    """What stands behind a sum over an index: a sum needs parentheses there."""
    items = flat(inside)
    loose = (isinstance(each, Sign) and each.text in {"+", "-"} for each in items)
    return Group(inside) if any(loose) else inside


def in_parentheses(box: Box) -> Group:
    """The box in one pair of parentheses, its own if it has one."""
    while isinstance(box, Row) and len(box.items) == 1:
        box = box.items[0]
    return box if isinstance(box, Group) else Group(box)


# -- sizes --------------------------------------------------------------------------------------------


def breadth(box: Box) -> float:
    """How broad a box is in print, roughly, in digits. Writers that do not know the page guess by it."""
    match box:
        case Row(items):
            return sum(map(breadth, items))
        case Symbol(name):
            return 0.6 + 0.7 * len(name)
        case Number(text):
            return len(text) + (2 if "e" in text else 0)
        case Words(text):
            return 0.9 * len(text)
        case Sign(text):
            return {"": 0, " ": 0.4, "·": 1, "*": 1, "/": 1, "(": 0.8, ")": 0.8, "⎛": 1, "⎠": 1, ",": 1}.get(text, 2.4)
        case Fraction(above, below):
            return max(breadth(above), breadth(below)) + 0.5
        case Power(base, exponent):
            return breadth(base) + 0.7 * breadth(exponent)
        case Root(inside):
            return breadth(inside) + 2
        case Call(name, arguments):
            return len(name) + 1.6 + sum(breadth(each) + 1 for each in arguments)
        case Group(inside) | Bars(inside):
            return breadth(inside) + 1.6
        case Slope(of, by):
            return max(len(of), len(by)) * 0.7 + 2
        case Differentiate(by, inside):
            return len(by) * 0.7 + 4 + breadth(inside)
        case Prime(inside) | Transposed(inside):
            return breadth(inside) + 0.6
        case Matrix(rows):
            columns = (max(map(breadth, column)) + 1 for column in zip(*rows, strict=True))
            return sum(columns) + 1
        case Indexed(inside, places):
            return breadth(inside) + 0.6 * len(places) + 1.2
        case Shaped(inside, shape):
            return max(breadth(inside), 0.7 * len(shape))
        case Summary(text, shape):
            return 0.9 * (len(text) + len(shape)) + 3
        case Sum(index, last, inside):
            return breadth(summand(inside)) + 0.7 * max(len(index) + 2, len(last)) + 1
        case Gap(width):
            return width
        case _:
            assert_never(box)


def is_tall(box: Box) -> bool:
    """Whether it stands higher than a line, so that parentheses around it must grow."""
    match box:
        case Fraction() | Slope() | Differentiate() | Shaped() | Sum():
            return True
        case Row(items) | Call(_, items):
            return any(map(is_tall, items))
        case Matrix(rows):
            return len(rows) != 1 or any(map(is_tall, rows[0]))
        case Power(base, exponent):
            return is_tall(base) or is_tall(exponent)
        case Root(inside) | Group(inside) | Bars(inside) | Prime(inside) | Transposed(inside) | Indexed(inside):
            return is_tall(inside)
        case Symbol() | Number() | Sign() | Words() | Gap() | Summary():
            return False
        case _:
            assert_never(box)


def holds_matrix(box: Box) -> bool:
    """Whether there is a matrix of several rows in it."""
    match box:
        case Matrix(rows):
            return len(rows) > 1 or any(holds_matrix(each) for row in rows for each in row)
        case Row(items) | Call(_, items):
            return any(map(holds_matrix, items))
        case Fraction(one, other) | Power(one, other):
            return holds_matrix(one) or holds_matrix(other)
        case Root(inside) | Group(inside) | Bars(inside) | Prime(inside) | Transposed(inside) | Shaped(inside):
            return holds_matrix(inside)
        case Indexed(inside) | Differentiate(_, inside) | Sum(_, _, inside):
            return holds_matrix(inside)
        case Symbol() | Number() | Sign() | Slope() | Words() | Summary() | Gap():
            return False
        case _:
            assert_never(box)


def behind_points(rows: Sequence[Sequence[Box]]) -> list[list[str]]:
    """For each number of a matrix the digits that it lacks behind its point, so that points stand under each other
    in columns that are flush right.

    >>> behind_points(((Number("0.25"),), (Number("-1"),)))
    [[''], ['.00']]
    """
    places = [[_behind_point(box) for box in row] for row in rows]
    most = [max(column) for column in zip(*places, strict=True)]
    return [
        [
            "" if own in (-1, whole) else "." * (own == 0) + "0" * (whole - own)
            for own, whole in zip(row, most, strict=True)
        ]
        for row in places
    ]


def _behind_point(box: Box) -> int:
    """Digits behind the point of a number, -1 for anything else."""
    return len(box.text.partition(".")[2]) if isinstance(box, Number) and "e" not in box.text else -1


def is_fraction(box: Box) -> bool:
    """Whether it is a fraction and nothing else, so that a bar above or below it must be broader than its own."""
    while isinstance(box, Row) and len(box.items) == 1:
        box = box.items[0]
    return isinstance(box, Fraction | Slope)


# -- where a line may end -----------------------------------------------------------------------------


def pieces(
    box: Box, room: float, measure: Callable[[Box], float] = breadth, *, line: bool = False, whole: float = 1.0
) -> list[Piece]:
    """One piece if it is at most `room` broad; otherwise cut before each plus and minus that stands free or
    in parentheses too long to stay whole, then in front of factors, and at last behind commas. A Slope of nothing is
    the d/dx before parentheses. Parentheses around a matrix stay whole up to `whole` lines: where one can scroll they
    are better not parted."""
    items = flat(box, line=line)
    uncut = Piece("", Row(tuple(items)))
    if measure(uncut.row) <= room:
        return [uncut]

    def unfolded(items: Iterable[Box]) -> Iterator[Box]:
        for item in items:
            if measure(item) <= (room * whole if whole > 1 and holds_matrix(item) else room):
                yield item
                continue
            tall = not line and is_tall(item)
            begin, end = (TALL_OPEN, TALL_CLOSE) if tall else (OPEN, CLOSE)
            match item:
                case Group(inside):
                    yield from (begin, *unfolded(flat(inside, line=line)), end)
                case Summary(text, shape):
                    yield from _in_words(text, shape, line)
                case Differentiate(by, inside):
                    yield from (Slope("", by), THIN, *unfolded([in_parentheses(inside)]))
                case Call(name, arguments):
                    yield from (Words(name if line else name.replace("_", " ")), begin)
                    for place, argument in enumerate(arguments):
                        yield from (*((COMMA,) if place else ()), *unfolded(flat(argument, line=line)))
                    yield end
                case _:
                    yield item

    found: list[Piece] = []
    for piece in _cut([*unfolded(items)], frozenset(["+", "-"])):
        if measure(piece.row) <= room:
            found.append(piece)
        else:
            first, *others = _cut(piece.row.items, TIMES)
            factors = [Piece(piece.lead, first.row), *(Piece(factor.lead.strip(), factor.row) for factor in others)]
            for factor in factors:
                found += [factor] if measure(factor.row) <= room else _cut_in_call(factor)
    return found


def _cut_in_call(piece: Piece) -> Iterator[Piece]:
    """Cut behind commas, and behind parentheses that open before a matrix."""
    lead, run = piece.lead, list[Box]()
    items = piece.row.items
    for place, item in enumerate(items):
        run.append(item)
        opens = item in (OPEN, TALL_OPEN) and place + 1 < len(items) and isinstance(items[place + 1], Matrix)
        if (item == COMMA or opens) and place + 1 < len(items):
            yield Piece(lead, Row(tuple(run)))
            lead, run = "", []
    yield Piece(lead, Row(tuple(run)))


def _in_words(text: str, shape: str, line: bool) -> Iterator[Box]:
    """What is said of a large array, in parts."""
    parts = [part for part in (shape, *text.split(", ")) if part]
    for place, part in enumerate(parts):
        end = "]" if place + 1 == len(parts) else ","
        whole = f"{'' if place else '['}{part}{end}"
        yield from (*((THIN,) if place else ()), Words(whole if line else MINUS.sub("−", whole)))


def _cut(items: Sequence[Box], signs: frozenset[str]) -> Iterator[Piece]:
    """Cut before each of the signs where it stands between two boxes."""
    lead, run = "", list[Box]()
    for place, item in enumerate(items):
        if run and isinstance(item, Sign) and item.text in signs and not is_prefix(items, place):
            yield Piece(lead, Row(tuple(run)))
            lead, run = item.text, []
        else:
            run.append(item)
    yield Piece(lead, Row(tuple(run)))


Part: TypeAlias = tuple[str, float]
"""A piece as a writer has set it, and how broad that is, the blank before it included."""


def fill(links: Iterable[Sequence[Part]], room: float, *, deeper: float = 0.0) -> list[tuple[bool, list[str]]]:
    """Lines of at most `room`. A line ends before a link where it can, before another piece where it must. Each
    line says whether it begins with a link; one that does not stands `deeper` in.

    >>> fill([[("= 2 + 2", 8)], [("= 4", 4)]], 10)
    [(True, ['= 2 + 2']), (True, ['= 4'])]
    """
    lines: list[tuple[bool, list[str]]] = []
    used = room
    for parts in links:
        fits = used + sum(size for _, size in parts) <= room
        for place, (text, size) in enumerate(parts):
            if not lines or (not fits and (place == 0 or used + size > room)):
                lines.append((place == 0, []))
                used = 0.0 if place == 0 else deeper
            lines[-1][1].append(text)
            used += size
    return lines
