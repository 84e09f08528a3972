r"""Typst source, from which `typst` makes a page like a textbook's; `writers.pdf` compiles it.

    #chain($(d L)/(d B_1)$, $= (2)(1) + (-2)(-1)$, $= 4$)

Prose is put in strings (#"...";), and signs of mathematics by their names (paren.l), so that nothing in a text can be
taken for a command. Everything is in the one file: figures as SVG, fonts are those of the compiler.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from backhand.explaining.document import (
    Block,
    Code,
    Comment,
    Document,
    Equation,
    Figure,
    Fine,
    Heading,
    Inline,
    Link,
    NewSheet,
    Page,
    Paragraph,
    Pen,
    Remark,
    Room,
    Statement,
    Table,
    WrittenLine,
)
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
from backhand.writers import svg
from backhand.writers.names import Names, Parts, Verbatim, runs
from backhand.writers.pieces import as_base, flat, in_parentheses, is_fraction, is_prefix, is_tall, pieces, summand
from backhand.writers.plain import plain

ROOM = 62
"""Digits of a link that stay on a line."""

PREAMBLE = r"""#set document(title: TITLE, date: none)
#set page(paper: "a4", margin: (x: 2.3cm, top: 2.2cm, bottom: 2.1cm),
  footer: context align(center, text(8.5pt, fill: luma(90))[#counter(page).display()]))
#set text(font: "New Computer Modern", size: 10.5pt, lang: "en")
#set par(leading: 0.62em, spacing: 0.85em, justify: false)
#show math.equation: set text(font: "New Computer Modern Math")
#let heads(level, above, below, size) = it => block(above: above, below: below, sticky: true,
  text(size, weight: 700, it.body))
#show heading.where(level: 1): heads(1, 1.5em, 0.75em, 12.5pt)
#show heading.where(level: 2): heads(2, 1.15em, 0.6em, 10.5pt)
#let headline(body) = block(width: 100%, below: 1.3em, {
  text(17pt, weight: 700, body)
  v(-0.55em)
  line(length: 100%, stroke: 0.7pt)
})
#let chain(left, ..links, note: none) = block(above: 0.6em, below: 0.6em, inset: (left: 1.2em), breakable: false, {
  set text(top-edge: "bounds", bottom-edge: "bounds")
  let flow = links.pos().map(link => box(link)).join([ #h(0.1em) ])
  let beside = if note == none { [] } else { h(1fr) + box(text(9pt, style: "italic", fill: luma(70), note)) }
  layout(size => {
    let hang = measure(left).width + 0.35em
    if hang.to-absolute() > 0.4 * size.width { hang = 2em }
    par(leading: 0.55em, hanging-indent: hang, box(left) + h(0.35em) + flow + beside)
  })
})
#let result(body) = box(stroke: 0.5pt, inset: (x: 3pt, y: 1pt), outset: (y: 2.5pt), radius: 1.5pt, body)
#let gap(width) = box(width: width * 0.55em, height: 0.9em, baseline: 0.2em, stroke: (bottom: 0.6pt))
#let room(lines) = block(width: 100%, above: 1em, below: 1em, {
  for _ in range(lines) { v(0.82cm, weak: false); line(length: 100%, stroke: (thickness: 0.35pt, paint: luma(170))) }
})
#let remark(kind, body) = block(above: 1em, below: 1em, inset: (left: 0.8em, y: 0.2em),
  stroke: (left: 1.5pt + luma(150)), [*#kind.* #body])
#let fine(body) = block(above: 1.6em, text(8pt, fill: luma(80), body))
#let sheet(columns, align, head, rows) = block(above: 1em, below: 1em, breakable: rows.len() > 24, {
  let empty = rows.any(row => row.any(cell => cell == []))
  let wide = if columns.len() > 4 { 1fr } else { 8em }
  table(columns: if empty { columns.map(side => if side { wide } else { auto }) } else { columns.map(_ => auto) },
    align: align, stroke: none,
    inset: (x: 0.8em, y: if empty { 0.62em } else { 0.36em }),
    table.hline(stroke: 0.8pt), table.header(..head.map(cell => strong(cell))), table.hline(stroke: 0.5pt),
    ..if empty { (table.vline(x: 1, stroke: 0.35pt + luma(150)),) } else { () },
    ..rows.map(row => row + if empty { (table.hline(stroke: 0.35pt + luma(150)),) } else { () }).flatten(),
    table.hline(stroke: 0.8pt))
})
#let program(language, lines) = block(above: 1em, below: 1em, width: 100%, inset: (left: 0.8em, y: 0.2em),
  stroke: (left: 1.5pt + luma(150)), text(9.4pt, raw(lines.join("\n"), lang: language, block: true)))
#let written(number, mark, body) = block(above: 0.7em, below: 0.7em,
  grid(columns: (1.8em, 1.4em, 1fr), text(8pt, fill: luma(110), number), mark, body))
"""

PENS: dict[Pen, str] = {"right": "✓", "follows": "↪", "wrong": "✗", "unclear": "?", "note": "!", "": ""}
KINDS = {"notice": "Note", "check": "Check", "hint": "Next"}
SIGNS = {
    "": "", " ": "thin ", "·": "dot.op ", "*": "dot.op ", "/": "slash ", ",": "comma ", "(": "paren.l ",
    ")": "paren.r ", "=": "= ", "≈": "approx ", "-": "- ", "+": "+ ",
}  # fmt: skip


def write(document: Document) -> Iterator[str]:
    """The source in pieces."""
    page = _Page()
    yield PREAMBLE.replace("TITLE", string(document.title), 1)
    if document.title:
        yield f"#headline[{prose_string(document.title)}]\n"
    for block in document.unfolded():
        yield page.block(block) + "\n"


def string(text: str) -> str:
    r"""A string of Typst's.

    >>> print(string('a "b" \\ c'))
    "a \"b\" \\ c"
    """
    escaped = plain(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def prose_string(text: str) -> str:
    """Words as they stand, whatever signs are in them."""
    return f"#{string(text)};" if text else ""


class _Page:
    def __init__(self) -> None:
        self.names = Names(self._name)

    def block(self, block: Block) -> str:
        match block:
            case Heading(level, words):
                return f"#heading(level: {level})[{self.prose(words)}]"
            case Fine(words):
                return f"#fine[{self.prose(words)}]"
            case Paragraph(words):
                return f"#par[{self.prose(words)}]"
            case Equation():
                return self.equation(block)
            case Table():
                return self.table(block)
            case Code(language):
                lines = ", ".join(map(string, block.text.split("\n")))
                return f'#program("{language}", ({lines},))'
            case Figure(drawing, _):
                source = svg.write(drawing, standalone=False).replace("currentColor", "#000")
                width = f"{0.75 * drawing.width:.1f}pt"
                picture = f'image(bytes({string(source)}), format: "svg", width: calc.min({width}, size.width))'
                return f"#block(above: 1em, below: 1.2em, width: 100%, align(center, layout(size => {picture})))"
            case Remark(kind, words):
                return f"#remark[{KINDS[kind]}][{self.prose(words)}]"
            case Page():
                return "\n".join(self.page(block))
            case Room(lines):
                return f"#room({lines})"
            case NewSheet(title):
                head = f"\n#headline[{prose_string(title)}]" if title else ""
                return f"#pagebreak(weak: true)\n#counter(page).update(1){head}"
            case _:
                assert_never(block)

    def prose(self, words: Iterable[Inline]) -> str:
        return "".join(
            prose_string(each) if isinstance(each, str) else f"${self.math(each, inline=True)}$" for each in words
        )

    def equation(self, equation: Equation) -> str:
        links = list(equation.links)
        left = self.math(links.pop(0).box) if not links[0].relation else ""
        last = len(links) - 1
        parts: list[str] = []
        for place, link in enumerate(links):
            parts += self.link(link, result=equation.result and place == last)
        note = f", note: [{self.prose(equation.note)}]" if equation.note else ""
        return f"#chain({', '.join(f'$display({part})$' for part in [left, *parts])}{note})"

    def link(self, link: Link, *, result: bool) -> Iterator[str]:
        """A link in one piece, or in several between which the line may end."""
        relation = SIGNS.get(link.relation, "")
        cut = pieces(link.box, ROOM)
        if len(cut) == 1:
            body = self.items(cut[0].row.items, inline=False)
            yield relation + (f"#result[$display({body})$]" if result else body)
            return
        for place, piece in enumerate(cut):
            lead = sign(piece.lead, prefix=False) if place else relation
            yield lead + self.items(piece.row.items, inline=False)

    def table(self, table: Table) -> str:
        sides = ", ".join("right" if side == "r" else "left" for side in table.align)
        columns = ", ".join("true" if side == "r" else "false" for side in table.align)
        head = ", ".join(f"[{self.prose(cell)}]" for cell in table.header)
        rows = ", ".join(f"({', '.join(f'[{self.prose(cell)}]' for cell in row)},)" for row in table.rows)
        return f"#sheet(({columns},), ({sides},), ({head},), ({rows}{',' if rows else ''}))"

    # -- somebody's page ------------------------------------------------------------------------------

    def page(self, page: Page) -> Iterator[str]:
        if page.name:
            yield f"#par(strong[{prose_string(page.name)}])"
        if page.legend:
            words = " #h(1em) ".join(f"{PENS[pen]} {prose_string(words)}" for pen, words in page.legend)
            yield f"#par(text(9pt)[{words}])"
        for line in page.lines:
            yield self.written(line)

    def written(self, line: WrittenLine) -> str:
        texts = [self.statement(each) for each in line.statements] + [self.comment(each) for each in line.comments]
        return f"#written[{line.number}][{PENS[line.pen]}][{' #linebreak() '.join(texts)}]"

    def comment(self, comment: Comment) -> str:
        label = f"*{prose_string(comment.label + '.')}* " if comment.label else ""
        return f'#text(9.5pt, style: "italic")[{PENS[comment.pen]} {label}{self.prose(comment.words)}]'

    def statement(self, statement: Statement) -> str:
        found = f"#h({1.5 * statement.level:g}em)" if statement.level else ""
        for place, stroke in enumerate(statement.strokes):
            if isinstance(stroke.content, str):
                text = prose_string(f"{stroke.relation} {stroke.content}".strip())
                text = f"#raw({string(stroke.content)});" if stroke.raw and not stroke.relation else text
            else:
                text = f"${sign(stroke.relation, prefix=False)}{self.math(stroke.content)}$"
            text = f"#strike[{text}]" if stroke.struck else text
            mark = f" {PENS[stroke.mark]}" if stroke.mark else ""
            found += ("" if stroke.close or not place else " ") + text + mark
        return found

    # -- mathematics ------------------------------------------------------------------------------------

    def math(self, box: Box, *, inline: bool = False) -> str:
        """A box as Typst's mathematics. `inline`: within prose, where a derivative is written with a slash."""
        match box:
            case Row():
                return self.items(flat(box), inline=inline)
            case Symbol(name):
                return self.names(name)
            case Number(text):
                return number(text)
            case Sign(text):
                return sign(text, prefix=True)
            case Fraction(above, below):
                gap = "thin " if is_fraction(above) or is_fraction(below) else ""
                return f"frac({gap}{self.math(above, inline=inline)}{gap}, {self.math(below, inline=inline)}) "
            case Power(base, exponent):
                return f"attach({self.math(as_base(base), inline=inline)}, t: {self.math(exponent, inline=inline)}) "
            case Root(inside):
                return f"sqrt({self.math(inside, inline=inline)}) "
            case Call(name, arguments):
                inside = "comma ".join(self.math(each, inline=inline) for each in arguments)
                return f"op({string(name.replace('_', ' '))}) {fenced('paren', inside, is_tall(box))}"
            case Group(inside):
                return fenced("paren", self.math(inside, inline=inline), is_tall(inside))
            case Bars(inside):
                return f"abs({self.math(inside, inline=inline)}) "
            case Slope(of, by, local):
                d = "partial " if local else "d "
                return over(d + self.name_behind(of), d + self.name_behind(by), inline)
            case Differentiate(by, inside):
                front = over("d ", "d " + self.name_behind(by), inline)
                return front + self.math(in_parentheses(inside), inline=inline)
            case Prime(inside):
                return f"attach({self.math(as_base(inside), inline=inline)}, t: prime) "
            case Words(text):
                return f"{string(text)} " if text else ""
            case Gap(width):
                return f"#gap({width}) "
            case Matrix(rows, shape):
                lines = "; ".join(", ".join(self.math(each, inline=True) for each in row) for row in rows)
                return under(f'mat(delim: "[", align: #right, {lines}) ', shape)
            case Transposed(inside):
                return f"attach({self.math(as_base(inside), inline=inline)}, t: upright(T)) "
            case Indexed(inside, places):
                base = self.math(as_base(inside), inline=inline)
                return f"{base}bracket.l {string(places)} bracket.r "
            case Shaped(inside, shape):
                return under(self.math(inside, inline=inline), shape)
            case Summary(text, shape):
                return f"bracket.l {string(', '.join(part for part in (shape, text) if part))} bracket.r "
            case Sum(index, last, inside):
                below = f"{string(index)} = 0" if last else string(index)
                above = f", t: {string(last)}" if last else ""
                return f"attach(sum, b: {below}{above}) {self.math(summand(inside), inline=inline)}"
            case _:
                assert_never(box)

    def items(self, items: Sequence[Box], *, inline: bool) -> str:
        found: list[str] = []
        for place, item in enumerate(items):
            if isinstance(item, Sign):
                found.append(sign(item.text, prefix=is_prefix(items, place)))
            else:
                found.append(self.math(item, inline=inline))
        return "".join(found)

    def name_behind(self, name: str) -> str:
        """A name behind a d; one of several letters stands off from it."""
        text = self.names(name) if name else ""
        return f"thin {text}" if text.startswith(('"', 'attach("')) else text

    def _name(self, parts: Parts | Verbatim) -> str:
        match parts:
            case Verbatim(text):
                return f"mono({string(text)}) "
            case Parts(letters, index, primes, element, version):
                above = "prime " * primes + (f"paren.l {version} paren.r " if version else "")
                below = "comma ".join(self._index(each) for each in index)
                scripts = (f", b: {below}" if below else "") + (f", t: {above}" if above else "")
                base = letter(letters)
                text = f"attach({base}{scripts}) " if scripts else base
                inside = "comma ".join(flat_index(each) for each in element)
                return f"{text}bracket.l {inside}bracket.r " if element else text
            case _:
                assert_never(parts)

    def _index(self, index: Parts | str) -> str:
        return self._name(index) if isinstance(index, Parts) else flat_index(index)


def letter(text: str) -> str:
    """A letter in italics; several upright."""
    return f"{text} " if len(text) == 1 and text.isalpha() else f"{string(text)} "


def flat_index(text: str) -> str:
    """An index on one line: `h1` is h and 1."""
    return "".join(run + " " if run.isdigit() and run.isascii() else letter(run) for run in runs(text))


def sign(text: str, *, prefix: bool) -> str:
    """A sign; a minus that belongs to what follows stands close to it."""
    if text in ("-", "+") and prefix:
        return f'class("unary", {"minus" if text == "-" else "plus"}) '
    return SIGNS[text] if text in SIGNS else f"{string(text)} " if text else ""


def number(text: str) -> str:
    """Digits, an exponent as a power of ten.

    >>> number("-1.2e-7")
    'class("unary", minus) 1.2 dot.op attach(10, t: class("unary", minus) 7 ) '
    """
    minus = sign("-", prefix=True) if text.startswith("-") else ""
    digits, _, exponent = text.removeprefix("-").partition("e") if text[-1:].isdigit() else (text.lstrip("-"), "", "")
    body = f"{digits} " if digits.replace(".", "", 1).isdigit() and digits.isascii() else f"{string(digits)} "
    power = f"dot.op attach(10, t: {number(exponent.lstrip('+'))}) " if exponent else ""
    return minus + body + power


def under(text: str, shape: str) -> str:
    """Something with its shape under it."""
    return f"attach(limits({text}), b: {string(shape)}) " if shape else text


def over(above: str, below: str, inline: bool) -> str:
    """A fraction, or both sides of a slash."""
    return f"{above}slash {below}" if inline else f"frac({above}, {below}) "


def fenced(kind: str, inside: str, tall: bool) -> str:
    """Something in parentheses, which grow if it is tall."""
    body = f"{kind}.l {inside}{kind}.r "
    return f"lr({body}) " if tall else body
