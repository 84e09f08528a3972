r"""Mathematics as TeX: `B1` is `B_{1}`, dL/dB1 is `\frac{dL}{dB_{1}}`.

Only commands that pdflatex with amsmath, MathJax and KaTeX all know, and that GitHub lets through
(it refuses `\operatorname`). Parentheses grow only around what is tall, so that the source can be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import assert_never

from backhand.core.operations import ROWS
from backhand.explaining.document import Equation, Inline, Link, Stroke
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
    Part,
    as_base,
    behind_points,
    breadth,
    fill,
    flat,
    in_parentheses,
    is_fraction,
    is_prefix,
    is_tall,
    pieces,
    summand,
)

SIGNS = {
    "·": r" \cdot ",
    "*": r" \cdot ",
    "/": "/",
    "": "",
    " ": r"\,",
    ",": ", ",
    "(": "(",
    ")": ")",
    "⎛": r"\Bigl(",
    "⎠": r"\Bigr)",
    "⊙": r" \odot ",
    "@": r"\,",
}
RELATIONS = {
    "≈": r"\approx",
    "≠": r"\neq",
    "≤": r"\leq",
    "≥": r"\geq",
    "→": r"\to",
    "⇒": r"\Rightarrow",
    "×": r"\times",
    "−": "-",
}
COMMANDS = {row.name: row.latex for row in ROWS if row.latex}
"""The command of each operation whose row has one."""
LETTERS = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi",
    "ρ": "rho", "σ": "sigma", "ς": "varsigma", "τ": "tau", "υ": "upsilon", "φ": "varphi", "χ": "chi",
    "ψ": "psi", "ω": "omega", "ϑ": "vartheta", "ϕ": "phi", "ϵ": "epsilon", "Γ": "Gamma", "Δ": "Delta",
    "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Υ": "Upsilon", "Φ": "Phi",
    "Ψ": "Psi", "Ω": "Omega", "∂": "partial", "∇": "nabla",
}  # fmt: skip
"""Greek letters as TeX commands; those that look Latin (omicron, capital Alpha) have none."""


PAPER = 70
"""Digits of a matrix that fit on a line of a printed page."""

PLACES = re.compile(r"[A-Za-z0-9,:+\- ]*")
NUMBERS = re.compile(r"(?<![\w.])(-?\d+(?:\.\d+)?(?:e-?\d+)?)(?![\w.])")
"""Numbers among words; at odd places when the words are split by it."""

ALIGN = "\x00"
"""Where a line is aligned, until it is known whether there are several."""


class TeX:
    """How one document sets its mathematics: its names, and how its kind of TeX takes words."""

    def __init__(self, escape: Callable[[str], str], fitted: Callable[[str], str] | None = None) -> None:
        """`escape` is for words, `fitted` makes a matrix as broad as the page if it is broader."""
        self.escape = escape
        self.fitted = fitted
        self.names = Names(self._name)

    # -- boxes ----------------------------------------------------------------------------------------

    def __call__(self, box: Box, *, inline: bool = False) -> str:
        """The box as TeX. `inline`: within prose, where a derivative is written with a slash."""
        match box:
            case Row():
                return self._row(flat(box), inline)
            case Symbol(name):
                return self.names(name)
            case Number(text):
                return number(text)
            case Sign(text):
                return sign(text, prefix=True)
            case Fraction(above, below):
                gap = r"\;" if is_fraction(above) or is_fraction(below) else ""
                return rf"\frac{{{gap}{self(above, inline=inline)}{gap}}}{{{self(below, inline=inline)}}}"
            case Power(base, exponent):
                return f"{self(as_base(base), inline=inline)}^{{{self(exponent, inline=inline)}}}"
            case Root(inside):
                return rf"\sqrt{{{self(inside, inline=inline)}}}"
            case Call(name, arguments):
                inside = ", ".join(self(each, inline=inline) for each in arguments)
                return self.function(name) + fenced("(", inside, ")", is_tall(box))
            case Group(inside):
                return fenced("(", self(inside, inline=inline), ")", is_tall(inside))
            case Bars(inside):
                return fenced(r"\lvert", self(inside, inline=inline), r"\rvert", is_tall(inside))
            case Slope(of, by, local):
                return self._slope(of, by, r"\partial " if local else "d", inline)
            case Differentiate(by, inside):
                front = f"d/{self._d('d', by)}" if inline else rf"\frac{{d}}{{{self._d('d', by)}}}"
                return front + self(in_parentheses(inside), inline=inline)
            case Prime(inside):
                return f"{self(as_base(inside), inline=inline)}'"
            case Words(text):
                return self.words(text)
            case Gap(width):
                return rf"\underline{{\hspace{{{width / 2:g}em}}}}"
            case Matrix(rows, shape):
                lines = r" \\ ".join(
                    " & ".join(
                        self(each, inline=True) + (rf"\phantom{{{lack}}}" if lack else "") for each, lack in cells
                    )
                    for cells in map(zip, rows, behind_points(rows))
                )
                columns = "r" * max(map(len, rows), default=1)
                made = self._under(rf"\left[\begin{{array}}{{{columns}}} {lines} \end{{array}}\right]", shape)
                return self.fitted(made) if self.fitted and breadth(box) > PAPER else made
            case Transposed(inside):
                return rf"{self(as_base(inside), inline=inline)}^{{\mathsf{{T}}}}"
            case Indexed(inside, places):
                return f"{self(as_base(inside), inline=inline)}[{self._places(places)}]"
            case Shaped(inside, shape):
                return self._under(self(inside, inline=inline), shape)
            case Summary(text, shape):
                return rf"[\,{', '.join(part for part in (self._shape(shape), self._described(text)) if part)}\,]"
            case Sum(index, last, inside):
                limits = (
                    f"_{{{self._places(index)} = 0}}^{{{self._places(last)}}}"
                    if last
                    else f"_{{{self._places(index)}}}"
                )
                return rf"\sum{limits} {self(summand(inside), inline=inline)}"
            case _:
                assert_never(box)

    def _under(self, text: str, shape: str) -> str:
        return rf"\underset{{{self._shape(shape)}}}{{{text}}}" if shape else text

    def _shape(self, shape: str) -> str:
        """A shape, 3×2."""
        sizes = shape.split("×")
        return r" \times ".join(sizes) if all(size.isdigit() for size in sizes) else self.words(shape) if shape else ""

    def _places(self, places: str) -> str:
        """What stands in brackets, 0,1:3: a colon is no relation there."""
        if PLACES.fullmatch(places):
            return places.replace(" ", "").replace(":", "{:}")
        return self.words(places)

    def _described(self, text: str) -> str:
        """Words with numbers among them."""
        cut = NUMBERS.split(text)
        return "".join(number(part) if at % 2 else self.words(part) for at, part in enumerate(cut) if part)

    def _row(self, items: Sequence[Box], inline: bool) -> str:
        found: list[str] = []
        for place, item in enumerate(items):
            if isinstance(item, Sign):
                found.append(sign(item.text, prefix=is_prefix(items, place)))
            else:
                touching = place > 0 and not isinstance(items[place - 1], Sign)
                found.append(" " * touching + self(item, inline=inline))
        return "".join(found)

    def _slope(self, of: str, by: str, d: str, inline: bool) -> str:
        above, below = self._d(d, of).rstrip(), self._d(d, by)
        return f"{above}/{below}" if inline else rf"\frac{{{above}}}{{{below}}}"

    def _d(self, d: str, name: str) -> str:
        """A differential; a name of several letters stands off from its d."""
        text = self.names(name) if name else ""
        return rf"{d.rstrip()}\,{text}" if text.startswith(r"\math") else f"{d}{text}"

    def function(self, name: str) -> str:
        """The name of a function, upright."""
        return COMMANDS.get(name) or self.upright(name.replace("_", " "))

    def words(self, text: str) -> str:
        """Upright words inside mathematics."""
        return rf"\text{{{self.escape(text)}}}".replace(r"\text{}", "")

    def prose(self, words: Iterable[Inline]) -> str:
        """Prose inside mathematics, for a note beside an equation."""
        return "".join(self.words(each) if isinstance(each, str) else self(each, inline=True) for each in words if each)

    # -- names ----------------------------------------------------------------------------------------

    def _name(self, parts: Parts | Verbatim) -> str:
        match parts:
            case Verbatim(text):
                return self._verbatim(text)
            case Parts(letters, index, primes, element, version):
                below = f"_{{{','.join(map(self._index, index))}}}" if index else ""
                above = f"^{{({version})}}" if version else ""
                behind = f"[{','.join(map(self._flat_index, element))}]" if element else ""
                return self._letters(letters) + below + "'" * primes + above + behind
            case _:
                assert_never(parts)

    def _index(self, index: Parts | str) -> str:
        return self._name(index) if isinstance(index, Parts) else self._flat_index(index)

    def _flat_index(self, text: str) -> str:
        return "".join(run if run.isdigit() and run.isascii() else self._letters(run) for run in runs(text))

    def _letters(self, letters: str) -> str:
        if letters in LETTERS:
            return f"\\{LETTERS[letters]}"
        if len(letters) == 1 and letters.isascii() and letters.isalpha():
            return letters
        return self.upright(letters)

    def upright(self, text: str) -> str:
        """Letters, upright."""
        if text.isascii() and text.isalpha():
            return rf"\mathrm{{{text}}}"
        return self.words(text)

    def _verbatim(self, text: str) -> str:
        """Letter by letter, in typewriter."""
        found: list[str] = []
        for run in runs(text):
            if (run.isascii() and run.isalnum()) or run in "[],.'":
                found.append(run)
            elif run in "_#":
                found.append(f"\\{run}")
            elif run in LETTERS:  # apart from the letter itself, which the fine form has
                found.append(rf"\underline{{\{LETTERS[run]}}}")
            else:
                found.append(self.words(run))
        return rf"\mathtt{{{''.join(found)}}}"

    def run(self, strokes: Iterable[Stroke], red: str = "") -> str:
        """Strokes of mathematics that follow one another on somebody's page. `red` is a command that colours."""
        found = ""
        is_open = False
        for stroke in strokes:
            assert not isinstance(stroke.content, str)
            tex = self._row(flat(stroke.content), inline=False)
            if stroke.pen == "wrong" and red:
                tex = f"{red}{{{tex}}}"
            found += sign(stroke.relation, prefix=False) if stroke.relation else " " if found else ""
            found += r"\boxed{" if stroke.opens and not is_open else ""
            is_open |= stroke.opens
            found += tex + ("}" if stroke.closes and is_open else "")
            is_open &= not stroke.closes
        return (found + "}" * is_open).strip()

    # -- equations ------------------------------------------------------------------------------------

    def lines(self, equation: Equation, room: float) -> list[str]:
        """The lines of a chain, of about `room` digits. If there are several, each has the & at which it is aligned:
        before the relations, unless the left side is so long that it takes a line of its own."""
        lines = [*self._lines(equation, room)]
        return [text.replace(ALIGN, "&" if len(lines) > 1 else "") for text in lines]

    def _lines(self, equation: Equation, room: float) -> Iterator[str]:
        links = list(equation.links)
        left, indent, used = "", "", 0.0
        if not links[0].relation:
            first = links.pop(0)
            left, used = f"{self(first.box)} ", breadth(first.box)
            if not links or used > room / 2:
                parts = [self._parts(first, room, boxed=False)]
                yield from (f"{ALIGN}{self._line(*row)}" for row in fill(parts, room, deeper=2))
                left, indent, used = "", "\\quad ", 2.0
        last = len(links) - 1
        parts = [self._parts(link, room - used, equation.result and i == last) for i, link in enumerate(links)]
        if equation.note:
            parts.append(self._note(equation.note, room - used))
        for row in fill(parts, room - used, deeper=2):
            yield f"{left}{ALIGN}{indent}{self._line(*row)}"
            left = ""

    def _parts(self, link: Link, room: float, boxed: bool) -> list[Part]:
        """A link whole if it fits on a line, else in pieces."""
        relation = sign(link.relation, prefix=False).lstrip() if link.relation else ""
        cut = pieces(link.box, room - 3)
        if len(cut) == 1:
            box = self._row(cut[0].row.items, inline=False)
            text = rf"\boxed{{{box}}}" if boxed else box
            return [(relation + text, breadth(cut[0].row) + 3)]
        leads = [sign(piece.lead, prefix=False) if piece.lead else "\\," for piece in cut]
        leads[0] = relation
        rows = [piece.row for piece in cut]
        return [
            (lead + self._row(row.items, inline=False), breadth(row) + 2.5)
            for lead, row in zip(leads, rows, strict=True)
        ]

    def _note(self, words: Sequence[Inline], room: float) -> list[Part]:
        """A note behind a chain, cut between words only where it is longer than a line."""
        length = sum(map(_length, words))
        if length + 4 <= room:
            return [(f"\\qquad {self.prose(words)}", length + 4)]
        cut: list[Inline] = []
        for each in words:
            cut += re.findall(r"\S.{0,24}(?:\s+|$)|\S+\s*|\s+", each) if isinstance(each, str) else [each]
        return [(("" if place else "\\qquad ") + self.prose([each]), _length(each)) for place, each in enumerate(cut)]

    def _line(self, begins: bool, parts: Sequence[str]) -> str:
        text = " ".join(part.strip() for part in parts)
        return text if begins else rf"\quad {{}} {text}"


def sign(text: str, *, prefix: bool) -> str:
    """A sign, with the blanks that make the source readable."""
    text = RELATIONS.get(text, text)
    if text in SIGNS:
        return SIGNS[text]
    return text if prefix and text in {"+", "-"} else f" {text} "


def number(text: str) -> str:
    r"""Digits, an exponent as a power of ten.

    >>> print(number("1.2e-7"))
    1.2 \cdot 10^{-7}
    """
    if text.lstrip("-") in {"inf", "∞"}:
        return text.replace("inf", "\\infty").replace("∞", "\\infty")
    if not text.isascii() or text.lstrip("-").isalpha():
        return rf"\mathrm{{{text}}}"
    digits, _, exponent = text.partition("e")
    return rf"{digits} \cdot 10^{{{exponent.lstrip('+')}}}" if exponent else digits


def fenced(left: str, inside: str, right: str, tall: bool) -> str:
    """Something in parentheses or bars, which grow if it is tall."""
    if tall:
        return rf"\left{left} {inside} \right{right}"
    return f"{left}{inside}{right}" if left == "(" else f"{left} {inside} {right}"


def _length(words: Inline) -> float:
    return 0.9 * len(words) if isinstance(words, str) else breadth(words)
