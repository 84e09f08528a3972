"""A page as it was written, line by line, with what the marker's pen says of each stretch of it.

    $$\\Rightarrow B_1 = \\boxed{3}$$      ⇒ B1 = [3]  ✓

Mathematics that was read is typeset from its formula: the writer's order, parentheses and kind of product. What stands
between is kept as words, without what only lays out a page (dollars, array, quad). What was not read stands as it was
typed. Nothing of a line is left out, and nothing is put in.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from backhand.core.answers import folded
from backhand.core.formula import Apply, Formula, Ref, Slope, fold, postorder, with_args
from backhand.core.graph import Graph
from backhand.explaining import mathematics as m
from backhand.explaining.boxes import box
from backhand.explaining.document import Comment, Pen, Statement, Stroke, WrittenLine
from backhand.marking.marking import Marking, Verdict
from backhand.marking.work import Chain, Line, Piece

Place = tuple[str, int, int]
"""Where a link stands: source, beginning, end."""

PENS: dict[Verdict, Pen] = {
    "right": "right", "follows": "follows", "wrong": "wrong", "unclear": "unclear", "missing": "",
}  # fmt: skip
WORST: tuple[Pen, ...] = ("wrong", "follows", "right", "note", "unclear")
"""What the margin says of a line with several things on it: the first of these that is there."""


def verdicts(marking: Marking) -> dict[Place, Pen]:
    """What was found of each link. Of a link that serves two claims, the worse. The number of a wrong claim is wrong,
    also where it follows from a step before it that is; what could not be told of a claim that is clear is let be."""
    found: dict[Place, Pen] = {}
    for judgement in marking.judgements:
        for link in judgement.links:
            place, pen = _place(link.piece), PENS[link.verdict]
            if judgement.verdict == "wrong" and link.piece.span is judgement.span:
                pen = "wrong"
            elif pen == "unclear" and judgement.verdict != "unclear":
                pen = ""
            elif pen == "unclear" and judgement.remarks:
                pen = "note"
            found[place] = worst([pen, found.get(place, "")])
    return found


def worst(pens: Iterable[Pen]) -> Pen:
    """What counts most among what the pen says of several things."""
    present = set(pens)
    for pen in WORST:
        if pen in present:
            return pen
    return ""


def _place(piece: Piece) -> Place:
    return (piece.span.source.name, piece.span.start, piece.span.end)


class AsWritten:
    """Lines of one marked answer: knows its names, and what was found of each link."""

    def __init__(self, marking: Marking) -> None:
        self.of = marking.of
        self.found = verdicts(marking)
        self.names = Names(marking.solution.graph)

    def lines(self, lines: Sequence[Line], comments: Mapping[int, Sequence[Comment]]) -> Iterator[WrittenLine]:
        """The lines that are not empty. `comments` are by id of the line."""
        usual = _usual_gap(lines)
        empty = 0
        begun = False
        for line in lines:
            said = tuple(comments.get(id(line), ()))
            statements = tuple(self.statements(line))
            if not statements and not said:
                empty += 1
                continue
            pens: list[Pen] = [stroke.pen for statement in statements for stroke in statement.strokes]
            pen: Pen = "unclear" if line.why == "unread" else worst(pens)
            yield WrittenLine(line.number, statements, pen, said, begun and empty > usual)
            empty, begun = 0, True

    def statements(self, line: Line) -> Iterator[Statement]:
        """What stands on a line, from left to right."""
        if line.why == "unread":
            yield Statement((Stroke(_tight(line.span.text), raw=True),))
            return
        if not line.chains:
            for words in _lines_of_prose(line.span.text):
                yield Statement(tuple(self._prose(words)))
            return
        yield from self._marked(_Layout(self, line).statements())

    def _prose(self, words: str) -> Iterator[Stroke]:
        """Words, with the names between dollars in them set as names."""
        at = 0
        for found in BETWEEN_DOLLARS.finditer(words):
            if text := words[at : found.start()]:
                yield Stroke(text.rstrip() or " ", close=at > 0 and not text[0].isspace())
            items: list[m.Box] = []
            for name in re.split(r"\s*,\s*", found[1]):
                items += [*([m.Sign(",")] if items else []), m.Symbol(self.names(name))]
            before = words[found.start() - 1 : found.start()] if found.start() else " "
            yield Stroke(m.Row(tuple(items)), close=not before.isspace())
            at = found.end()
        if text := words[at:]:
            yield Stroke(text, close=at > 0 and not text[0].isspace())

    @staticmethod
    def _marked(statements: Sequence[tuple[Statement, list[Chain | None]]]) -> Iterator[Statement]:
        """The pen's marks. Where the whole line is alike, the margin says it."""
        alike = len({stroke.pen for each, _ in statements for stroke in each.strokes if stroke.pen}) <= 1
        for statement, chains in statements:
            if alike:
                yield statement
                continue
            last = {id(chain): place for place, chain in enumerate(chains) if chain and statement.strokes[place].pen}
            fine = {
                key: all(
                    stroke.pen in ("", "right")
                    for stroke, chain in zip(statement.strokes, chains, strict=True)
                    if id(chain) == key
                )
                for key in last
            }
            strokes: list[Stroke] = []
            for place, (stroke, chain) in enumerate(zip(statement.strokes, chains, strict=True)):
                ends = chain is not None and last.get(id(chain)) == place and fine[id(chain)]
                following = next((each.pen for each in statement.strokes[place + 1 :] if each.pen), "")
                goes_on = following == stroke.pen and last.get(id(chain)) != place
                mark: Pen = "right" if ends else ""
                if stroke.pen not in ("", "right") and not goes_on:
                    mark = stroke.pen
                strokes.append(replace(stroke, mark=mark) if mark else stroke)
            yield Statement(tuple(strokes), statement.level)

    # -- links -------------------------------------------------------------------------------------------------

    def strokes(self, piece: Piece, *, struck: bool) -> Iterator[Stroke]:
        """A link as it was written; a notation of the writer's own with what it was read as behind it."""
        pen: Pen = "" if struck else self.found.get(_place(piece), "")
        formula = piece.formula
        if formula is None or piece.meant is not None or _is_tangent(formula):
            yield Stroke(_tight(piece.text), pen=pen, raw=True, struck=struck)
        elif isinstance(formula, Slope) and _spoken(piece.text):
            yield Stroke(_tight(piece.text.replace("$", "")), pen=pen, struck=struck)
        elif isinstance(formula, Slope) and not formula.of:
            yield Stroke(_tight(piece.text), pen=pen, raw=True, struck=struck)
            if not struck:
                read = self.names.box(Slope(self.of, formula.by))
                yield Stroke(m.Row((m.Words("(read as "), read, m.Sign(")"))))
        else:
            bare = BARE_NUMBER.fullmatch(piece.text.strip())
            seen = m.Number(bare[0]) if bare else self.names.box(self._with_output(formula), piece.text)
            for name, value in piece.at:
                at = m.Row((m.Words(" at "), m.Symbol(self.names(name)), m.Sign("="), m.Words(value)))
                seen = m.Row((seen, at))
            if _has_array(formula) or _says_the_same(piece.text, " ".join(_said(seen))):
                yield Stroke(seen, pen=pen, struck=struck)
            else:
                yield Stroke(_tight(piece.text), pen=pen, raw=True, struck=struck)

    def _with_output(self, formula: Formula) -> Formula:
        """Derivatives whose output goes without saying are by the output asked about."""
        if not any(isinstance(node, Slope) and not node.of for node in postorder(formula)):
            return formula
        return fold(
            formula,
            lambda leaf: (
                Slope(self.of, leaf.by, leaf.parens, leaf.span) if isinstance(leaf, Slope) and not leaf.of else leaf
            ),
            with_args,
        )


ALIKE = {ord(character): None for character in "_{}"}


class Names:
    """Names as the network has them where they differ in spelling only: B_1 and B_{1} are B1."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.known: dict[str, str] = {}
        self.seen: dict[str, str] = {}
        for quantity in graph.quantities:
            key = folded(quantity.name)
            self.known[key] = "" if key in self.known else quantity.name

    def __call__(self, name: str) -> str:
        if name in self.graph:
            return name
        return self.known.get(folded(name)) or self.seen.setdefault(name.translate(ALIKE), name)

    def box(self, formula: Formula, text: str = "") -> m.Box:
        """The formula as it looked: with ∂ where the `text` has it, and what is raised in a name raised."""
        return _as_looked(box(self._renamed(formula)).box, "∂" in text or "\\partial" in text)

    def _renamed(self, formula: Formula) -> Formula:
        def leaf(node: Formula) -> Formula:
            match node:
                case Ref():
                    return Ref(self(node.name), node.parens, node.span)
                case Slope():
                    return Slope(self(node.of), self(node.by), node.parens, node.span)
                case _:
                    return node

        def combine(node: Apply, parts: list[Formula]) -> Formula:
            bar = node.operation.name == "/" and node.span is not None and node.span.text.startswith("\\")
            parens = node.parens and not bar
            return Apply(node.operation, tuple(parts), node.style, parens, node.span, node.depth, node.params)

        return fold(formula, leaf, combine)


def _has_array(formula: Formula) -> bool:
    """Whether an array of numbers stands in it, which may be written in many ways."""
    return any(isinstance(node, Apply) and node.style == "list" for node in postorder(formula))


def _is_tangent(formula: Formula) -> bool:
    """Whether it has a derivative by nothing: a dot above a name."""
    return any(isinstance(node, Slope) and not node.by for node in postorder(formula))


def _as_looked(seen: m.Box, is_round: bool) -> m.Box:
    """Derivatives written with ∂; w^T and z^(1), which are names, with their exponents."""

    def go(inside: m.Box) -> m.Box:
        match inside:
            case m.Slope(of, by, local):
                return m.Slope(of, by, local or is_round)
            case m.Symbol(name) if "^" in name[1:-1]:
                base, _, raised = name.partition("^")
                return m.Power(m.Symbol(base), m.Words(raised))
            case m.Row(items):
                return m.Row(tuple(map(go, items)))
            case m.Fraction(above, below):
                return m.Fraction(go(above), go(below))
            case m.Power(base, exponent):
                return m.Power(go(base), go(exponent))
            case m.Call(name, arguments):
                return m.Call(name, tuple(map(go, arguments)))
            case m.Root(within) | m.Group(within) | m.Bars(within) | m.Prime(within) | m.Transposed(within):
                return type(inside)(go(within))
            case m.Matrix(rows, shape, axes):
                return m.Matrix(tuple(tuple(map(go, row)) for row in rows), shape, axes)
            case m.Indexed(within, places):
                return m.Indexed(go(within), places)
            case m.Shaped(within, shape):
                return m.Shaped(go(within), shape)
            case m.Sum(index, last, within):
                return m.Sum(index, last, go(within))
            case _:
                return inside

    return go(seen)


# -- between the links -----------------------------------------------------------------------------------------

BREAK = "\n"
LAYOUT: tuple[tuple[str, str], ...] = (
    (r"\\(?:text|textrm|textbf|textit|mbox|mathrm|emph)\s*\{([^{}]*)\}", r" \1 "),
    (r"\\(?:begin|end)\s*\{[^{}]*\}(?:\s*\{[^{}]*\})?", BREAK),
    (r"\\left\s*\\\{|\\right\s*\.|\\right\s*\\\}|\\\\(?:\[[^\]]*\])?|\\[{}]", BREAK),
    (r"\\(?:left|right|[bB]igg?[lrm]?)\s*[.()\[\]|]?", " "),
    (r"\\(?:boxed|fbox|framebox|cancel|bcancel|xcancel|sout|st|displaystyle|textstyle|tag|label|hline)\b\*?", " "),
    (r"\\(?:qquad|quad|hspace\s*\{[^{}]*\}|vspace\s*\{[^{}]*\})|\\[,;:!> ]", " "),
    (r"\\(?:Rightarrow|implies|Longrightarrow|Leftrightarrow|iff)\b", " ⇒ "),
    (r"\\(?:rightarrow|to|longrightarrow)\b", " → "),
    (r"\\therefore\b", " ∴ "),
    (r"\\approx\b", " ≈ "),
    (r"\\(?:cdots|ldots|dots)\b", " … "),
    (r"\\cdot\b", " · "),
    (r"\\times\b", " × "),
    (r"\\[()\[\]]|\${1,2}|[{}]|~~|\*\*|`+", ""),
    (r"&", " "),
)
LAYOUTS = [(re.compile(pattern), to) for pattern, to in LAYOUT]
RELATION = re.compile(r"(?:=>|[⇒→∴]|:=|~=|[=≈≅])+\s*$")
SIGNS = {"=>": "⇒", "=": "=", "≈": "≈", "": ""}
ONLY_LAYOUT = re.compile(r"(?:\s|\\(?:begin|end)\s*\{[^{}]*\}(?:\s*\{[^{}]*\})?|\$\$|\\[\[\]]|```\s*\w*|[|:-]{3,})*")
EMPHASIS = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
BETWEEN_DOLLARS = re.compile(r"(?<!\$)\$\s*([^\W\d_]\w*(?:_\{\w+\})?(?:\s*,\s*[^\W\d_]\w*(?:_\{\w+\})?)*)\s*\$(?!\$)")
BARE_NUMBER = re.compile(r"-?\d+\.\d+")
COMMAND = re.compile(r"\\[A-Za-z]+")
DIGITS, WORD = re.compile(r"\d"), re.compile(r"[^\W\d_]{3,}")
SPOKEN = re.compile(r"[^\W\d_]{2,}\s+(?:[^\W\d_]{2,}\s+)*")


def _spoken(text: str) -> bool:
    """Whether a derivative was named in words: the gradient at B1."""
    return bool(SPOKEN.match(text)) and "\\frac" not in text


def _says_the_same(text: str, shown: str) -> bool:
    """Whether what was read shows all digits and words that were written, and no other digits. A long number, which
    would be rounded, Value(2.0, label="a") and σ'(z), read as a product, stay as they were typed."""
    bare = COMMAND.sub(" ", unicodedata.normalize("NFKC", text))
    if "".join(DIGITS.findall(bare)) != "".join(DIGITS.findall(shown)):
        return False
    words = shown.casefold()
    return all(word.casefold() in words for word in WORD.findall(bare))


def _said(seen: m.Box) -> Iterator[str]:
    """Names and numbers of a box, from left to right."""
    match seen:
        case m.Symbol(text) | m.Number(text) | m.Words(text):
            yield text
        case m.Slope(of, by):
            yield from (f"d{of}", f"d{by}")
        case m.Differentiate(by, inside):
            yield by
            yield from _said(inside)
        case m.Row(items):
            for item in items:
                yield from _said(item)
        case m.Call(name, arguments):
            yield name
            for argument in arguments:
                yield from _said(argument)
        case m.Fraction(one, other) | m.Power(one, other):
            yield from _said(one)
            yield from _said(other)
        case m.Root(inside):
            yield "sqrt"
            yield from _said(inside)
        case m.Bars(inside):
            yield "abs"
            yield from _said(inside)
        case m.Group(inside) | m.Prime(inside) | m.Transposed(inside) | m.Shaped(inside):
            yield from _said(inside)
        case m.Matrix(rows):
            for row in rows:
                for each in row:
                    yield from _said(each)
        case m.Indexed(inside, places):
            yield from _said(inside)
            yield places
        case m.Sum(index, last, inside):
            yield from (index, last)
            yield from _said(inside)
        case m.Summary(text, shape):
            yield from (text, shape)
        case m.Sign() | m.Gap():
            pass


def _tight(text: str) -> str:
    """On one line, with single blanks."""
    return " ".join(text.split())


def _lines_of_prose(text: str) -> Iterator[str]:
    if ONLY_LAYOUT.fullmatch(text):
        return
    for each in text.splitlines():
        if each.strip():
            indent = len(each) - len(each.lstrip())
            yield " " * min(indent, 8) + EMPHASIS.sub(r"\2", _tight(each))


class _Layout:
    """One line on its way to statements: a cursor over its text, from link to link."""

    def __init__(self, page: AsWritten, line: Line) -> None:
        self.page = page
        self.text = line.span.source.text
        self.start, self.end = line.span.start, line.span.end
        self.chains = line.chains
        self.made: list[tuple[int, list[Stroke], list[Chain | None]]] = []
        self.fresh = True
        self.close = False

    def statements(self) -> list[tuple[Statement, list[Chain | None]]]:
        at, level = self.start, 0
        before: Piece | None = None
        struck = False
        for chain, piece in self._links():
            gap = self.text[at : piece.span.start]
            sign = self._between(gap, piece.relation, level, chain.level, struck)
            level, struck = chain.level, chain.struck
            self._link(chain, piece, sign, opens=piece.boxed and (before is None or not before.boxed or "boxed" in gap))
            at, before = piece.span.end, piece
        self._between(self.text[at : self.end], "", level, level, struck=False)
        return [(Statement(_boxes(strokes), depth), chains) for depth, strokes, chains in self.made if strokes]

    def _links(self) -> Iterator[tuple[Chain, Piece]]:
        """The links in the order of the line; what a table says of several cells is shown once."""
        links = [(chain, piece) for chain in self.chains for piece in chain.pieces]
        at = self.start
        for chain, piece in sorted(links, key=lambda link: (link[1].span.start, -link[1].span.end)):
            if at <= piece.span.start and piece.span.end <= self.end:
                yield chain, piece
                at = max(at, piece.span.end)

    def _between(self, gap: str, relation: str, before: int, after: int, struck: bool) -> str:
        """Words between two links as strokes; returns the sign before the second link."""
        text = gap
        for pattern, to in LAYOUTS:
            text = pattern.sub(to, text)
        sign = ""
        if relation and (found := RELATION.search(text)):
            text, sign = text[: found.start()], SIGNS[relation]
        parts = text.split(BREAK)
        self.close = bool(gap)
        for place, part in enumerate(parts):
            if place:
                self.fresh = True
            if words := _tight(part):
                last = place + 1 == len(parts)
                depth = after if last or self.fresh else before
                stroke = Stroke(words, struck=struck and "~~" not in gap, close=not part[0].isspace())
                self._add(stroke, None, depth)
                self.close = not part[-1].isspace()
            elif part:
                self.close = False
        return sign

    def _link(self, chain: Chain, piece: Piece, sign: str, *, opens: bool) -> None:
        for place, stroke in enumerate(self.page.strokes(piece, struck=chain.struck)):
            first = replace(stroke, relation=sign, opens=opens, close=self.close and not sign) if place == 0 else stroke
            self._add(first, chain, chain.level)
        if piece.boxed:
            _, strokes, _ = self.made[-1]
            strokes[-1] = replace(strokes[-1], closes=True)

    def _add(self, stroke: Stroke, chain: Chain | None, level: int) -> None:
        if self.fresh or not self.made:
            self.made.append((level, [], []))
            self.fresh = False
        _, strokes, chains = self.made[-1]
        strokes.append(stroke)
        chains.append(chain)


def _boxes(strokes: Sequence[Stroke]) -> tuple[Stroke, ...]:
    """A box around several links is closed behind the last of them."""
    made: list[Stroke] = []
    for place, stroke in enumerate(strokes):
        goes_on = place + 1 < len(strokes) and strokes[place + 1].closes and not strokes[place + 1].opens
        made.append(replace(stroke, closes=False) if stroke.closes and goes_on else stroke)
    return tuple(made)


def _usual_gap(lines: Sequence[Line]) -> int:
    """How many empty lines stand between two that are not, mostly."""
    runs: Counter[int] = Counter()
    empty = 0
    for line in lines:
        if line.why == "empty":
            empty += 1
        else:
            runs[empty] += 1
            empty = 0
    return runs.most_common(1)[0][0] if runs else 0
