"""Mathematics as MathML Core, which browsers draw and screen readers speak without any script.

    dL/dB1    <mfrac><mrow><mi>d</mi><mi>L</mi></mrow><mrow><mi>d</mi><msub><mi>B</mi><mn>1</mn></msub></mrow></mfrac>

A browser breaks no line inside a formula, so a long chain is several formulas side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

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
from backhand.writers.names import Names, Parts, Verbatim, runs
from backhand.writers.pieces import (
    MINUS,
    TIMES,
    Piece,
    as_base,
    behind_points,
    flat,
    in_parentheses,
    is_fraction,
    is_prefix,
    is_tall,
    summand,
)
from backhand.writers.plain import plain

NBSP = "\u00a0"
INVISIBLE, APPLIED = "\u2062", "\u2061"
"""The product sign that is not seen, and the sign between a function and its argument."""

SIGNS = {
    "": f"<mo>{INVISIBLE}</mo>",
    " ": f'<mo rspace=".17em">{INVISIBLE}</mo>',
    "·": '<mo lspace=".14em" rspace=".14em">·</mo>',
    "*": '<mo lspace=".14em" rspace=".14em">·</mo>',
    "⊙": '<mo lspace=".2em" rspace=".2em">⊙</mo>',
    "@": f'<mo rspace=".17em">{INVISIBLE}</mo>',
    "/": '<mo lspace="0" rspace="0">/</mo>',
    ",": "<mo>,</mo>",
    "(": '<mo form="prefix" stretchy="false">(</mo>',
    ")": '<mo form="postfix" stretchy="false">)</mo>',
    "⎛": '<mo form="prefix" minsize="2.6em">(</mo>',
    "⎠": '<mo form="postfix" minsize="2.6em">)</mo>',
}
GAP = '<mspace width=".12em"></mspace>'
ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


class MathML:
    """How one document sets its mathematics: its names, no two alike."""

    def __init__(self) -> None:
        self.names = Names(self._name)

    def inline(self, piece: Piece) -> str:
        """A formula, or a part of a long one, within prose."""
        return f"<math>{self._piece(piece, slash=True)}</math>"

    def display(self, relation: str, piece: Piece, *, result: bool = False) -> str:
        """A formula, or a part of one, standing free: fractions in full size. A `result` is marked by its class."""
        front = lead(relation)
        body = self._piece(piece, slash=False)
        if result:
            body = f'<mrow class="result">{body}</mrow>'
        return f'<math displaystyle="true">{front}{body}</math>'

    def _piece(self, piece: Piece, slash: bool) -> str:
        return lead(piece.lead) + self._items(piece.row.items, slash)

    # -- boxes ----------------------------------------------------------------------------------------

    def __call__(self, box: Box, *, slash: bool = False) -> str:
        """The box as one element. `slash`: derivatives as dL/dB1 on one line."""
        match box:
            case Row():
                items = flat(box)
                return self(items[0], slash=slash) if len(items) == 1 else f"<mrow>{self._items(items, slash)}</mrow>"
            case Symbol(name):
                return self.names(name)
            case Number(text):
                return number(text)
            case Sign(text):
                return sign(text, prefix=True)
            case Fraction(above, below):
                gap = GAP if is_fraction(above) or is_fraction(below) else ""
                upper, lower = self(above, slash=slash), self(below, slash=slash)
                return f"<mfrac>{f'<mrow>{gap}{upper}{gap}</mrow>' if gap else upper}{lower}</mfrac>"
            case Power(base, exponent):
                return f"<msup>{self(as_base(base), slash=slash)}{self(exponent, slash=slash)}</msup>"
            case Root(inside):
                return f"<msqrt>{self(inside, slash=slash)}</msqrt>"
            case Call(name, arguments):
                inside = "<mo>,</mo>".join(self(each, slash=slash) for each in arguments)
                group = fenced("(", inside, ")", is_tall(box))
                return f"<mrow>{function(name)}<mo>{APPLIED}</mo>{group}</mrow>"
            case Group(inside):
                return fenced("(", self._items(flat(inside), slash), ")", is_tall(inside))
            case Bars(inside):
                return fenced("|", self._items(flat(inside), slash), "|", is_tall(inside))
            case Slope(of, by, local):
                d = "∂" if local else "d"
                return over(self._d(d, of), self._d(d, by), slash)
            case Differentiate(by, inside):
                front = over("<mi>d</mi>", self._d("d", by), slash)
                return f"<mrow>{front}{SIGNS['']}{self(in_parentheses(inside), slash=slash)}</mrow>"
            case Prime(inside):
                return f"<msup>{self(as_base(inside), slash=slash)}<mo>′</mo></msup>"
            case Words(text):
                return words(text)
            case Gap(width):
                return f'<mspace class="gap" width="{width / 2:g}em" height=".8em" depth=".2em"></mspace>'
            case Matrix(rows, shape):
                lines = "".join(
                    f"<mtr>{''.join(map(self._cell, row, behind))}</mtr>"
                    for row, behind in zip(rows, behind_points(rows), strict=True)
                )
                return under(fenced("[", f"<mtable>{lines}</mtable>", "]", tall=True), shape)
            case Transposed(inside):
                return f'<msup>{self(as_base(inside), slash=slash)}<mi mathvariant="normal">T</mi></msup>'
            case Indexed(inside, places):
                base = self(as_base(inside), slash=slash)
                return f"<mrow>{base}{fenced('[', flat_index(places), ']')}</mrow>"
            case Shaped(inside, shape):
                return under(self(inside, slash=slash), shape)
            case Summary(text, shape):
                parts = [part for part in (shape, text) if part]
                return fenced("[", words(MINUS.sub("−", ", ".join(parts))), "]")
            case Sum(index, last, inside):
                below = f"<mrow>{flat_index(index)}<mo>=</mo><mn>0</mn></mrow>" if last else flat_index(index)
                big = (
                    f"<munderover><mo>∑</mo>{below}{flat_index(last)}</munderover>"
                    if last
                    else f"<munder><mo>∑</mo>{below}</munder>"
                )
                return f"<mrow>{big}{self(summand(inside), slash=slash)}</mrow>"
            case _:
                assert_never(box)

    def _cell(self, box: Box, behind: str) -> str:
        """An element of a matrix, and the digits it lacks, unseen."""
        unseen = f"<mphantom><mn>{behind}</mn></mphantom>" if behind else ""
        return f"<mtd>{self(box, slash=True)}{unseen}</mtd>"

    def _items(self, items: Sequence[Box], slash: bool) -> str:
        found: list[str] = []
        for place, item in enumerate(items):
            if isinstance(item, Sign):
                found.append(sign(item.text, prefix=is_prefix(items, place)))
            else:
                found.append(self(item, slash=slash))
        return "".join(found)

    def _d(self, d: str, name: str) -> str:
        """A differential; a name of several letters stands off from its d."""
        if not name:
            return f"<mi>{d}</mi>"
        text = self.names(name)
        letters = text.partition("<mi>")[2].partition("<")[0]
        return f"<mrow><mi>{d}</mi>{GAP if len(letters) != 1 else ''}{text}</mrow>"

    # -- names ----------------------------------------------------------------------------------------

    def _name(self, parts: Parts | Verbatim) -> str:
        match parts:
            case Verbatim(text):
                return f'<mtext class="verbatim">{escape(text)}</mtext>'
            case Parts(letters, index, primes, element, version):
                base, below = f"<mi>{escape(letters)}</mi>", self._list(map(self._index, index))
                above = "′" * primes
                raised = f"<mo>{above}</mo>" if above else ""
                if version:
                    number_above = fenced("(", f"<mn>{version}</mn>", ")")
                    raised = f"<mrow>{raised}{number_above}</mrow>" if raised else number_above
                text = _scripts(base, below, raised)
                if not element:
                    return text
                inside = self._list(map(flat_index, element))
                return f"<mrow>{text}{fenced('[', inside, ']')}</mrow>"
            case _:
                assert_never(parts)

    def _index(self, index: Parts | str) -> str:
        return self._name(index) if isinstance(index, Parts) else flat_index(index)

    @staticmethod
    def _list(items: Iterable[str]) -> str:
        found = [*items]
        return found[0] if len(found) == 1 else f"<mrow>{'<mo>,</mo>'.join(found)}</mrow>" if found else ""


def sign(text: str, *, prefix: bool) -> str:
    """A sign between two boxes, or in front of one."""
    if text in SIGNS:
        return SIGNS[text]
    text = "−" if text == "-" else escape(text)
    return f'<mo form="{"prefix" if prefix and text in "+−" else "infix"}">{text}</mo>'


def lead(text: str) -> str:
    """A sign at the beginning of a formula that goes on from another one; a blank stands before it."""
    if text in TIMES:
        dot = "⊙" if text == "⊙" else "·"
        return f'<mo form="infix" lspace="0" rspace=".28em">{dot}</mo>' if text.strip(" @") else ""
    return sign(text, prefix=False).replace("<mo ", '<mo lspace="0" ')


def number(text: str) -> str:
    """Digits, the minus as a sign, an exponent as a power of ten.

    >>> number("-2")
    '<mrow><mo form="prefix">−</mo><mn>2</mn></mrow>'
    """
    minus = sign("-", prefix=True) if text.startswith("-") else ""
    digits, _, exponent = text.removeprefix("-").partition("e") if text[-1:].isdigit() else (text.lstrip("-"), "", "")
    body = f"<mn>{escape(digits)}</mn>"
    if exponent:
        body += f"{SIGNS['·']}<msup><mn>10</mn>{number(exponent.lstrip('+'))}</msup>"
    return f"<mrow>{minus}{body}</mrow>" if minus or exponent else body


def function(name: str) -> str:
    """The name of a function, upright; digits at its end are its base."""
    letters = name.rstrip("0123456789")
    below = name[len(letters) :]
    upright = ' mathvariant="normal"' if len(letters) == 1 else ""
    text = f"<mi{upright}>{escape(letters).replace('_', NBSP)}</mi>"
    return f"<msub>{text}<mn>{below}</mn></msub>" if below else text


def words(text: str) -> str:
    """Upright words; blanks at the ends would be dropped, so they are made to stay."""
    core = text.strip(" ")
    left, right = text[: len(text) - len(text.lstrip(" "))], text[len(text.rstrip(" ")) :] if core else ""
    return f"<mtext>{NBSP * len(left)}{escape(core)}{NBSP * len(right)}</mtext>"


def over(above: str, below: str, slash: bool) -> str:
    """A fraction, or both sides of a slash."""
    return f"<mrow>{above}{SIGNS['/']}{below}</mrow>" if slash else f"<mfrac>{above}{below}</mfrac>"


def fenced(left: str, inside: str, right: str, tall: bool = False) -> str:
    """Something in parentheses or bars, which grow if it is tall."""
    fixed = "" if tall else ' stretchy="false"'
    return f'<mrow><mo form="prefix"{fixed}>{left}</mo>{inside}<mo form="postfix"{fixed}>{right}</mo></mrow>'


def under(element: str, shape: str) -> str:
    """Something with its shape under it."""
    return f'<munder>{element}<mtext class="shape">{escape(shape)}</mtext></munder>' if shape else element


def flat_index(text: str) -> str:
    """An index on one line: `h1` is h and 1, `0,1:3` has its signs."""
    found = "".join(map(_index_part, runs(text)))
    return _one(found)


def _index_part(run: str) -> str:
    if run.isdigit():
        return f"<mn>{run}</mn>"
    if run in {",", ":", "+", "-"}:
        return f'<mo lspace="0" rspace=".1em">{"−" if run == "-" else run}</mo>'
    return f"<mi>{escape(run)}</mi>"


def _one(elements: str) -> str:
    return elements if elements.count("<m") == 1 else f"<mrow>{elements}</mrow>"


def _scripts(base: str, below: str, above: str) -> str:
    if below and above:
        return f"<msubsup>{base}{below}{above}</msubsup>"
    if below:
        return f"<msub>{base}{below}</msub>"
    return f"<msup>{base}{above}</msup>" if above else base


def escape(text: str) -> str:
    """Text as HTML shows it; control characters, which HTML forbids, as a box."""
    return plain(text).translate(ESCAPES)
