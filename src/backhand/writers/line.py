"""Mathematics on one line of text, as it is typed, so that Backhand reads it back.

    dL/dB1 = dL/dC1 dC1/dB1 + dL/dC2 dC2/dB1 = (2)(1) + (-2)(-1) = 2 + 2 = 4

Parentheses stand where a fraction bar, the size of an exponent or the length of a root said the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from backhand.explaining.document import Equation, Inline
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
from backhand.writers.pieces import as_base, flat, in_parentheses, is_prefix, summand

CLOSE_UP = frozenset(["·", "*", "/", "(", ")", "", " "])
"""Signs without blanks around them."""


def line(box: Box) -> str:
    """The box on one line.

    >>> line(Fraction(Row((Symbol("a"), Sign("+"), Symbol("b"))), Number("2")))
    '(a + b)/2'
    """
    match box:
        case Number() | Sign() | Words():
            return box.text
        case Symbol():
            return box.name
        case Row():
            return joined(flat(box, line=True))
        case Fraction(above, below):
            return f"{line(_above(above))}/{line(_below(below))}"
        case Power(base, Sign("+")):  # the new value of a quantity
            return f"{line(base)}+"
        case Power(base, exponent):
            return f"{line(as_base(base, line=True))}^{line(raised(exponent))}"
        case Root(inside):
            return f"sqrt({line(inside)})"
        case Bars(inside):
            return f"abs({line(inside)})"
        case Call(name, arguments):
            return f"{name}({', '.join(map(line, arguments))})"
        case Group(inside):
            return f"({line(inside)})"
        case Slope(of, by, local):
            d = "∂" if local else "d"
            return f"{d}{of}/{d}{by}"
        case Differentiate(by, inside):
            return f"d/d{by} {line(in_parentheses(inside))}"
        case Prime(inside):
            return f"{line(as_base(inside, line=True))}'"
        case Gap(width):
            return "_" * width
        case Matrix(rows, _, axes):
            return listed(rows, axes)
        case Transposed(inside):
            return f"{line(as_base(inside, line=True))}ᵀ"
        case Indexed(inside, places):
            return f"{line(as_base(inside, line=True))}[{places}]"
        case Shaped(inside, shape):
            return f"{line(inside)} ({shape})"
        case Summary(text, shape):
            return f"[{', '.join(part for part in (shape, text) if part)}]"
        case Sum(index, last, inside):
            over = f"{index}=0..{last}" if last else index
            return f"Σ({over}) {line(summand(inside))}"
        case _:
            assert_never(box)


def listed(rows: Sequence[Sequence[Box]], axes: int) -> str:
    """An array as nested lists.

    >>> listed(((Number("1"),), (Number("2"),)), 1)
    '[1, 2]'
    """
    if axes == 1:
        return f"[{', '.join(line(box) for row in rows for box in row)}]"
    if axes > 2 and all(isinstance(box, Matrix) for row in rows for box in row):
        return f"[{', '.join(line(box) for row in rows for box in row)}]"
    inside = ", ".join(f"[{', '.join(map(line, row))}]" for row in rows)
    return "[" * (axes - 1) + inside + "]" * (axes - 1)


def chain(equation: Equation) -> str:
    """A whole chain on one line, without its note."""
    return " ".join(f"{link.relation} {line(link.box)}".lstrip() for link in equation.links)


def words(inlines: Iterable[Inline]) -> str:
    """Prose with its mathematics, on one line."""
    return "".join(each if isinstance(each, str) else line(each) for each in inlines)


def joined(items: Sequence[Box]) -> str:
    """Boxes that `flat` has put side by side."""
    found: list[str] = []
    for place, item in enumerate(items):
        if not isinstance(item, Sign):
            text = line(item)
            touching = place > 0 and not isinstance(items[place - 1], Sign)
            found.append(f" {text}" if touching and " " not in (found[-1][-1:], text[:1]) else text)
        elif item.text == ",":
            found.append(", ")
        elif item.text in CLOSE_UP or (item.text in {"+", "-"} and is_prefix(items, place)):
            found.append(item.text)
        else:
            found.append(f" {item.text} ")
    return "".join(found)


def _above(box: Box) -> Box:
    """A numerator: a sum, a fraction or a derivative needs parentheses, a product does not."""
    items = flat(box, line=True)
    if len(items) == 1:
        return Group(box) if isinstance(items[0], Fraction | Slope | Differentiate) else box
    loose = (isinstance(each, Sign) and each.text not in CLOSE_UP for each in items[1:])
    return Group(box) if any(loose) or any(isinstance(each, Differentiate | Slope) for each in items[-1:]) else box


def _below(box: Box) -> Box:
    """A denominator: anything but one thing needs parentheses."""
    items = flat(box, line=True)
    if len(items) != 1:
        return Group(box)
    (item,) = items
    if isinstance(item, Fraction | Slope | Differentiate):
        return Group(item)
    return Group(item) if isinstance(item, Number) and item.text.startswith("-") else item


def raised(box: Box) -> Box:
    """An exponent: a name, a number without sign, or something in parentheses."""
    items = flat(box, line=True)
    if len(items) == 1 and isinstance(items[0], Symbol | Group | Words):
        return items[0]
    if len(items) == 1 and isinstance(items[0], Number) and not items[0].text.startswith("-"):
        return items[0]
    return Group(box)
