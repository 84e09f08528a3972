"""How mathematics looks, before any format: a small tree of boxes.

A Formula says what is computed; a Box says what is seen: which parentheses, where a fraction
bar, a rounded number. Writers turn boxes into text, LaTeX and MathML, each in one `match`.

    Row(items)            one after another
    Symbol(name)          a quantity's name, `B1`, `w[A1,B1]`, `out_h1`
    Number(text)          digits as they are to be read: `-2`, `0.15`, `1/3` is a Fraction box instead
    Sign(text)            an operator between two boxes: + - · * / = ≈ , and of arrays ⊙ (element by element) and
                          @ (the product of matrices, set side by side in print)
    Fraction(above, below)
    Power(base, exponent)
    Root(inside)
    Call(name, arguments) a function of the table of operations
    Group(inside)         parentheses
    Bars(inside)          absolute value
    Slope(of, by, local)  dL/dB1, or with local=True the local derivative, written with ∂; of nothing: d/dB1
    Differentiate(by, inside)   d/dB1 ( ... )
    Prime(inside)         (D - 3)', a derivative whose variable goes without saying
    Words(text)           upright words inside mathematics
    Gap(width)            an empty place to write in, so many digits wide

Of arrays:

    Matrix(rows, shape, axes)   rows of boxes in brackets; a vector is a column (or a row) with axes=1
    Transposed(inside)    W with a raised T
    Indexed(inside, places)     an element or a slice, `z[0,1:3]`; a name with brackets may also be a Symbol
    Shaped(inside, shape) something with its shape, `3×2`, under it
    Summary(text, shape)  an array too large to be shown, in words: "from -0.2 to 0.2, mean 0.0003"
    Sum(index, last, inside)    the sum over an index, from 0 to `last`; with no `last`, over all there are
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Row:
    items: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Symbol:
    name: str


@dataclass(frozen=True, slots=True)
class Number:
    """Digits with an optional leading ASCII minus and an optional exponent (`1.2e-7`); writers typeset the
    exponent as a power of ten where they can, and the minus as a minus sign."""

    text: str


@dataclass(frozen=True, slots=True)
class Sign:
    text: str


@dataclass(frozen=True, slots=True)
class Fraction:
    above: Box
    below: Box


@dataclass(frozen=True, slots=True)
class Power:
    base: Box
    exponent: Box


@dataclass(frozen=True, slots=True)
class Root:
    inside: Box


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Group:
    inside: Box


@dataclass(frozen=True, slots=True)
class Bars:
    inside: Box


@dataclass(frozen=True, slots=True)
class Slope:
    of: str
    by: str
    local: bool = False


@dataclass(frozen=True, slots=True)
class Differentiate:
    by: str
    inside: Box


@dataclass(frozen=True, slots=True)
class Prime:
    inside: Box


@dataclass(frozen=True, slots=True)
class Words:
    text: str


@dataclass(frozen=True, slots=True)
class Gap:
    width: int = 6


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows of boxes, all of one length. `axes` is how many the array has: 1 for a vector, whichever way it is drawn;
    of an array of three, the boxes are matrices. `shape` is a small note beneath, such as 3×2."""

    rows: tuple[tuple[Box, ...], ...]
    shape: str = ""
    axes: int = 2


@dataclass(frozen=True, slots=True)
class Transposed:
    inside: Box


@dataclass(frozen=True, slots=True)
class Indexed:
    inside: Box
    places: str


@dataclass(frozen=True, slots=True)
class Shaped:
    inside: Box
    shape: str


@dataclass(frozen=True, slots=True)
class Summary:
    text: str
    shape: str


@dataclass(frozen=True, slots=True)
class Sum:
    index: str
    last: str
    inside: Box


Box: TypeAlias = (
    Row
    | Symbol
    | Number
    | Sign
    | Fraction
    | Power
    | Root
    | Call
    | Group
    | Bars
    | Slope
    | Differentiate
    | Prime
    | Words
    | Gap
    | Matrix
    | Transposed
    | Indexed
    | Shaped
    | Summary
    | Sum
)
