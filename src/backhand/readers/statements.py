r"""From the tokens of a line to its statements: chains of formulas, with every link kept.

    \Rightarrow \frac{\partial L}{\partial D} = (2)(4) - 6 = \boxed{2} \quad \left\{ \begin{array}{l} D=4 ...

Three steps. `_segments` cuts the line where statements end (`;`, `\quad`, `\\`, an arrow, words, the
end of a sentence) and lifts out what stands at the side, in a brace or in parentheses. `_chain` cuts
a statement at its relations. `_piece` hands each link to the grammar; one that cannot be read says
why, and the others stand.

Words around a formula are left away (`spoken` knows which of them may not be).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from backhand.core.answers import FormulaReader, Token
from backhand.core.formula import Apply, Formula, Num, Ref
from backhand.errors import BackhandError
from backhand.marking.work import Chain, Piece, Relation
from backhand.readers import spoken
from backhand.readers.tokens import ARRAY_LETTER
from backhand.text import Source, Span

OPENS = frozenset(["OPEN", "LEFT", "BAR"])
CLOSES = frozenset(["CLOSE", "RIGHT", "ENDBAR"])
OPERAND_END = frozenset("NUMBER NAME WORD CLOSE RIGHT SLOPE SUPERSCRIPT PRIME VULGAR ENDBAR ENDBOX".split())
OPERAND_START = frozenset("NUMBER NAME WORD OPEN LEFT SLOPE VULGAR FRACTION ROOT CALL APPLY CHANGE BY BAR BOX".split())
DROPPED = frozenset(["BOX", "ENDBOX", "EDGE"])
OPERATORS = frozenset("PLUS MINUS TIMES OVER TO EQUALS".split())
BREAKS = frozenset("SEMI ROW DOT PROSE NOTE".split())
NAMELIKE = frozenset(["NAME", "SLOPE"])
NAMES = frozenset(["NAME", "CALL", "APPLY", "SLOPE"])
ROLES = frozenset("input weight bias target label output prediction activation loss cost error".split())
SAID_SIGNS = {"times": ("TIMES", "·"), "plus": ("PLUS", "+"), "minus": ("MINUS", "-")}


@dataclass(slots=True)
class Segment:
    """The tokens of one statement. `after_comma` says that only a comma divides it from the one before."""

    level: int
    note: bool
    tokens: list[Token] = field(default_factory=list[Token])
    after_comma: bool = False


class Statements:
    """Reads the statements of the lines of one source."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.reader = FormulaReader(source)
        self.reasons: list[str] = []
        self.graded = False

    def read(self, tokens: list[Token], *, struck: bool = False) -> list[Chain]:
        """The chains in these tokens, in their order; `reasons` then says what else was there and not read."""
        self.reasons = []
        self.graded = False
        kinds = {token[0] for token in tokens}
        if "ARROW" in kinds:
            tokens = _ways(tokens)
        if "WORD" in kinds and "COMPARE" in kinds:
            tokens = spoken.without_other_cases(tokens)
        if "WORD" in kinds:
            tokens = _in_signs(tokens)
            tokens, self.graded = spoken.rewrite(tokens)
        chains: list[Chain] = []
        for segment in _pairs(self._segments(tokens)):
            for chain in self._chains(segment, struck):
                chains.append(chain)
        chains.sort(key=lambda chain: chain.span.start)
        return chains

    # -- where statements end ----------------------------------------------------------------------------

    def _segments(self, tokens: list[Token]) -> list[Segment]:  # noqa: PLR0915 - one story, a case a kind of token
        partner, asides = _parentheses(tokens)
        done: list[Segment] = []
        stack: list[tuple[Segment, int, int]] = []
        current, depth = Segment(0, False), 0
        environments: list[str] = []

        def flush(*, comma: bool = False) -> None:
            nonlocal current
            if current.tokens:
                done.append(current)
            current = Segment(current.level, current.note, after_comma=comma and bool(current.tokens))

        def go_in(closing: int) -> None:
            nonlocal current, depth
            stack.append((current, closing, depth))
            current, depth = Segment(current.level + 1, True), 0

        def come_out() -> None:
            nonlocal current, depth
            flush()
            current, _, depth = stack.pop()

        for position, token in enumerate(tokens):
            kind = token[0]
            if stack and position == stack[-1][1]:
                come_out()
            elif position in asides:
                go_in(partner[position])
            elif kind == "BEGIN":
                environments.append(token[3])
                if token[3] == "note":
                    go_in(-1)
            elif kind == "END":
                if environments and environments.pop() == "note" and stack and stack[-1][1] == -1:
                    come_out()
                else:
                    flush()
            elif depth and kind not in ("ROW", "PROSE", "ARROW"):
                depth += (kind in OPENS and position in partner) - (kind in CLOSES and position in partner)
                if kind not in ("EDGE", "AMP"):
                    current.tokens.append(token)
            elif current.tokens and self._is_layout(token) and _sum_goes_on(tokens, position):
                continue
            elif kind in BREAKS:
                depth = 0
                if kind != "NOTE":
                    flush()
            elif kind == "ARROW":
                depth = 0
                flush()
                current.tokens.append(token)
            elif kind == "COMMA":
                flush(comma=True)
            elif kind in ("EDGE", "AMP"):
                if _divides(tokens, position):
                    flush()
            elif kind == "COLON":
                if not self._colon(current, tokens, position):
                    flush()
            else:
                depth += kind in OPENS and position in partner
                current.tokens.append(token)
        while stack:
            come_out()
        flush()
        return done

    def _is_layout(self, token: Token) -> bool:
        """The end of a line in a display, or a gap in one."""
        return token[0] == "ROW" or (token[0] == "SEMI" and self.source.text.startswith("\\q", token[1]))

    def _colon(self, current: Segment, tokens: list[Token], position: int) -> bool:
        """`dL/dB1: 4` says that it is 4; other colons only lead on to what follows."""
        follows = _next(tokens, position)
        number = follows is not None and (
            follows[0] in ("NUMBER", "MINUS", "VULGAR", "OPEN") or follows[3].startswith(ARRAY_LETTER)
        )
        counted = [token[3] for token in tokens[position : position + 4] if token[0] == "WORD"][:1] == ["of"]
        if number and not counted and spoken.names_one_thing(current.tokens):
            _, start, end, _ = tokens[position]
            current.tokens.append(("EQUALS", start, end, "="))
            return True
        return False

    # -- one statement -------------------------------------------------------------------------------------

    def _chains(self, segment: Segment, struck: bool) -> list[Chain]:
        tokens = _without_label(segment.tokens)
        arrow = bool(tokens) and tokens[0][0] == "ARROW"
        parts = _parts(tokens[1:] if arrow else tokens)
        if arrow and tokens[0][3] == "->" and len(parts) > 1 and any(t[0] in NAMES for t in parts[0][1]):
            arrow = False  # `x -> relu(w x) = h -> ...`: what leads on is a way, each with its own equation
        found: list[Chain] = []
        for run in spoken.runs(parts, arrow=arrow):
            chain = self._chain(run, segment, struck)
            if chain is not None:
                found.append(chain)
        return found

    def _chain(self, run: spoken.Run, segment: Segment, struck: bool) -> Chain | None:
        pieces: list[Piece] = []
        leads_on = False
        boxes = _boxes(segment.tokens)
        for position, (relation, tokens, reason) in enumerate(run):
            kept = [token for token in tokens if token[0] not in DROPPED] if boxes or position == 0 else tokens
            if not kept and position == 0:
                continue
            if not pieces and relation:
                leads_on = True
            if kept:
                pieces.append(self._piece(relation, kept, boxes, reason, alone=len(run) == 1))
            elif relation and pieces:
                self.reasons.append("Nothing stands after the =.")
        if not pieces:
            return None
        if self.graded:
            pieces = _as_slopes(pieces)
        if not any(piece.formula for piece in pieces):
            self.reasons += [piece.reason for piece in pieces[:1]]
            if len(pieces) == 1:
                return None
        span = pieces[0].span.to(pieces[-1].span)
        return Chain(tuple(pieces), span, leads_on, segment.note, struck, segment.level)

    def _piece(
        self, relation: Relation, tokens: list[Token], boxes: list[tuple[int, int]], reason: str, *, alone: bool
    ) -> Piece:
        kinds = {token[0] for token in tokens}
        points = [token for token in tokens if token[0] == "AT"] if "AT" in kinds else []
        plain = [token for token in tokens if token[0] != "AT"] if points else tokens
        if "WORD" in kinds:
            plain = [("NAME", *token[1:]) if token[0] == "WORD" else token for token in plain]
        first, last = tokens[0], tokens[-1]
        span = Span(self.source, first[1], max(last[2], first[1]))
        formula: Formula | None = None
        if not reason and plain:
            try:
                formula = self.reader.read(plain if relation else _subject(plain, alone))
            except BackhandError as error:
                reason = error.what
            except ArithmeticError as error:  # ln'(0), whose derivative is put in at once
                reason = f"It has no value: {error}."
        elif not plain:
            reason = "A point, and nothing that is taken there."
        boxed = bool(boxes) and any(start <= span.start and span.end <= end for start, end in boxes)
        at = tuple(pair for point in points for pair in _point(point[3]))
        return Piece(relation, formula, span.text, span, boxed, decimals(formula), reason, at)


# -- parts of it -----------------------------------------------------------------------------------------------


def _parentheses(tokens: list[Token]) -> tuple[dict[int, int], set[int]]:
    """Which parentheses belong together; and those with a statement or words in them, which are asides."""
    partner: dict[int, int] = {}
    asides: set[int] = set()
    stack: list[tuple[int, bool]] = []
    for position, token in enumerate(tokens):
        kind = token[0]
        if kind in OPENS:
            stack.append((position, False))
        elif kind in CLOSES and stack:
            opened, aside = stack.pop()
            partner[opened], partner[position] = position, opened
            if aside and tokens[opened][0] == "OPEN" and not (opened and tokens[opened - 1][0] in ("CALL", "CHANGE")):
                asides.add(opened)
        elif (stack and kind in ("EQUALS", "ARROW", "PROSE", "SEMI", "COMPARE")) or (
            stack and kind == "WORD" and spoken.is_prose(tokens, position)
        ):
            stack[-1] = (stack[-1][0], True)
    return partner, asides


def _in_signs(tokens: list[Token]) -> list[Token]:
    """`2 times 12 plus 4` in signs."""
    made = list(tokens)
    for at in range(1, len(tokens) - 1):
        kind, start, end, said = tokens[at]
        if kind == "WORD" and said in SAID_SIGNS and {tokens[at - 1][0], tokens[at + 1][0]} == {"NUMBER"}:
            sign, shown = SAID_SIGNS[said]
            made[at] = (sign, start, end, shown)
    return made


def _next(tokens: Sequence[Token], position: int) -> Token | None:
    """The token after this one, edges apart."""
    for at in range(position + 1, min(position + 8, len(tokens))):
        if tokens[at][0] not in ("EDGE", "AMP"):
            return tokens[at]
    return None


def _sum_goes_on(tokens: Sequence[Token], position: int) -> bool:
    """Whether the next line of a display begins with a +, or with a - behind its &."""
    following = [token[0] for token in tokens[position + 1 : position + 4]]
    plain = [kind for kind in following if kind not in ("EDGE", "AMP", "SEMI")]
    return plain[:1] == ["PLUS"] or following[:2] == ["AMP", "MINUS"]


def _divides(tokens: list[Token], position: int) -> bool:
    """Whether a & or the edge of mathematics ends a statement: only between two operands."""
    before = position - 1
    while before >= 0 and tokens[before][0] in ("EDGE", "AMP") and position - before < 8:
        before -= 1
    after = _next(tokens, position)
    if before < 0 or after is None or "WORD" in (tokens[before][0], after[0]):
        return False
    if tokens[before][0] == after[0] == "SLOPE" and tokens[before][3].split("|")[1] == after[3].split("|")[0]:
        return False  # `$\\frac{dw}{dz}$ $\\frac{dz}{dx}$`: one after the other, as the chain rule has them
    return tokens[before][0] in OPERAND_END and after[0] in OPERAND_START


def _parts(tokens: list[Token]) -> list[tuple[Relation, list[Token]]]:
    """The links between relations; the first has none, and may be empty."""
    parts: list[tuple[Relation, list[Token]]] = [("", [])]
    depth = 0
    for token in tokens:
        kind = token[0]
        if kind == "EQUALS" and depth <= 0:
            depth = 0
            if len(parts) > 1 and not parts[-1][1]:
                parts[-1] = ("≈" if "≈" in (token[3], parts[-1][0]) else "=", [])
            else:
                parts.append(("≈" if token[3] == "≈" else "=", []))
            continue
        if token[3] == "+=" and len(parts) == 1 and [t[0] in NAMELIKE for t in parts[0][1]] == [True]:
            (_, _, _, name), at = parts[0][1][0], token[1]
            parts.append(("=", [(parts[0][1][0][0], at, at, name), ("PLUS", at, at + 2, "+")]))
            continue  # `dx += a` is dx = dx + a
        if kind == "COMPARE" and not token[3] and depth <= 0 and len(parts) > 1 and parts[-1][1]:
            break  # `z = 1.1 > 0`: that it is more says nothing new
        depth += (kind in ("OPEN", "LEFT", "BAR")) - (kind in ("CLOSE", "RIGHT", "ENDBAR"))
        parts[-1][1].append(token)
    if depth > 0 and any(token[0] == "EQUALS" for _, part in parts for token in part):
        return _flat_parts(tokens)
    return parts


def _flat_parts(tokens: list[Token]) -> list[tuple[Relation, list[Token]]]:
    """As `_parts`, where a parenthesis is never closed: every relation counts."""
    parts: list[tuple[Relation, list[Token]]] = [("", [])]
    for token in tokens:
        if token[0] == "EQUALS":
            parts.append(("≈" if token[3] == "≈" else "=", []))
        else:
            parts[-1][1].append(token)
    return parts


def _pairs(segments: list[Segment]) -> list[Segment]:
    """`a, b = 1, 2` says a = 1 and b = 2."""
    segments = [part for segment in segments for part in _vectors(segment)]
    found: list[Segment] = []
    at = 0
    while at < len(segments):
        group = [segments[at]]
        while at + len(group) < len(segments) and segments[at + len(group)].after_comma:
            group.append(segments[at + len(group)])
        found += _unzipped(group) if len(group) > 2 else group
        at += len(group)
    return _with_further_numbers(found)


def _with_further_numbers(segments: list[Segment]) -> list[Segment]:
    """`B1 = 4, 2` gives two numbers for one thing: which of them counts is not for us to choose."""
    found: list[Segment] = []
    for segment in segments:
        kinds = [token[0] for token in segment.tokens]
        before = found[-1] if found else None
        lone = segment.after_comma and kinds in (["NUMBER"], ["MINUS", "NUMBER"], ["PLUS", "NUMBER"])
        if lone and before is not None and before.level == segment.level and _ends_in_a_number(before.tokens):
            start, end = segment.tokens[0][1], segment.tokens[-1][2]
            before.tokens.append(("BAD", start, end, "Two numbers for one thing."))
            continue
        found.append(segment)
    return found


def _vectors(segment: Segment) -> list[Segment]:
    """`(a, b) = (1, 2)` says so, too."""
    tokens = segment.tokens
    if len(tokens) < 11 or tokens[0][0] != "OPEN" or tokens[-1][0] != "CLOSE":
        return [segment]
    parts = _parts(tokens)
    if len(parts) != 2 or any(part[0][0] != "OPEN" or part[-1][0] != "CLOSE" for _, part in parts if part):
        return [segment]
    left, right = (_between_commas(part[1:-1]) for _, part in parts)
    if len(left) != len(right) or any(len(name) != 1 for name in left) or not all(right):
        return [segment]
    sign = next(token for token in tokens if token[0] == "EQUALS")
    return [
        Segment(segment.level, segment.note, [*name, sign, *value]) for name, value in zip(left, right, strict=True)
    ]


def _between_commas(tokens: list[Token]) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token[0] in OPENS) - (token[0] in CLOSES)
        if token[0] == "COMMA" and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _ends_in_a_number(tokens: list[Token]) -> bool:
    """Whether a statement has an = and a number at its end, or another that was put to it before."""
    kinds = [token[0] for token in tokens]
    return "EQUALS" in kinds and (kinds[-1] in ("NUMBER", "BAD") or kinds[-1] in CLOSES)


def _unzipped(group: list[Segment]) -> list[Segment]:
    middle = [k for k, segment in enumerate(group) if any(token[0] == "EQUALS" for token in segment.tokens)]
    if len(middle) != 1 or middle[0] == 0 or 2 * middle[0] + 1 != len(group):
        return group
    m = middle[0]
    parts = _parts(group[m].tokens)
    if len(parts) != 2 or any(len(segment.tokens) != 1 for segment in group[:m]):
        return group
    lefts = [*(segment.tokens for segment in group[:m]), parts[0][1]]
    rights = [parts[1][1], *(segment.tokens for segment in group[m + 1 :])]
    sign: Token = next(token for token in group[m].tokens if token[0] == "EQUALS")
    return [
        Segment(group[0].level, group[0].note, [*left, sign, *right]) for left, right in zip(lefts, rights, strict=True)
    ]


def _without_label(tokens: list[Token]) -> list[Token]:
    """Without the (b) that numbers a line, before or after it."""
    if len(tokens) > 4 and _is_label(tokens[:3]) and tokens[3][0] in ("NAME", "SLOPE", "ARROW", "EQUALS", "WORD"):
        tokens = tokens[3:]
    if len(tokens) > 4 and _is_label(tokens[-3:]) and tokens[-4][0] == "NUMBER" and tokens[-4][2] < tokens[-3][1]:
        tokens = tokens[:-3]
    return tokens


def _is_label(tokens: list[Token]) -> bool:
    (opened, _, _, sign), (kind, _, _, said), (closed, *_) = tokens
    return opened == "OPEN" and sign == "(" and closed == "CLOSE" and kind == "NAME" and said in "abcdefghi"


def _boxes(tokens: list[Token]) -> list[tuple[int, int]]:
    if not any(token[0] == "BOX" for token in tokens):
        return []
    found: list[tuple[int, int]] = []
    for token in tokens:
        if token[0] == "BOX":
            found.append((token[1], 1 << 60))
        elif token[0] == "ENDBOX" and found:
            found[-1] = (found[-1][0], token[2])
    return found


def _subject(tokens: list[Token], alone: bool) -> list[Token]:
    """What a statement is about. `w5+ = ...`: the + belongs to the name of the new weight. `L(D) = ...`: L, which
    depends on D; but L(4) may be a product."""
    if not alone and [token[0] for token in tokens] == ["SLOPE", "OPEN", "NUMBER", "CLOSE"]:
        return [("BAD", tokens[0][1], tokens[-1][2], "A derivative at a number, or a product: it cannot be told.")]
    if alone or tokens[0][0] not in ("NAME", "WORD"):
        return tokens
    name = tokens[0]
    if len(tokens) == 2 and tokens[1][0] == "PLUS":
        return [("NAME", name[1], tokens[1][2], name[3] + "+")]
    kinds = [token[0] for token in tokens[1:]]
    if len(kinds) < 3 or kinds[0] != "OPEN" or kinds[-1] != "CLOSE" or len(kinds) > 12:
        return tokens
    if len(kinds) == 3 and name[3].lower() in ROLES and tokens[1][1] > name[2]:
        return tokens[2:3]  # `Input (x) = 2`
    if all(kind == "NAME" for kind in kinds[1:-1:2]) and all(kind in ("COMMA", "SEMI") for kind in kinds[2:-1:2]):
        return [("NAME", name[1], tokens[-1][2], name[3])]
    if len(kinds) == 3 and kinds[1] == "NUMBER":
        return [("BAD", name[1], tokens[-1][2], "A value at a number, or a product: it cannot be told.")]
    return tokens


def _ways(tokens: list[Token]) -> list[Token]:
    """`B1 -> C1 -> D` is a way through the network and says nothing, nor does `from 1.26 -> 1.05`; `A1 -> B1 : -2`
    is a weight."""
    made: list[Token] = []
    at = 0
    while at < len(tokens):
        if changed := _changes(tokens, at):
            made.append(("PROSE", tokens[at][1], tokens[changed - 1][2], ""))
            at = changed
            continue
        end = at
        while _steps(tokens, end):
            end += 2
        if (
            end == at
            or (at and tokens[at - 1][0] in OPERATORS)
            or (end + 1 < len(tokens) and tokens[end + 1][0] in OPERATORS)
        ):
            made.append(tokens[at])
            at += 1
            continue
        start, stop = tokens[at][1], tokens[end][2]
        weight = end == at + 2 and end + 1 < len(tokens) and tokens[end + 1][0] == "COLON"
        name = f"w[{tokens[at][3]},{tokens[end][3]}]"
        made.append(("NAME", start, stop, name) if weight else ("PROSE", start, stop, ""))
        at = end + 1
    return made


def _changes(tokens: list[Token], at: int) -> int:
    """Where `w -> -0.86` or `1.26 -> 1.05` ends, which tells of a change; 0 if there is none here."""
    before = tokens[at - 1][0] if at else ""
    if tokens[at][0] not in ("NAME", "NUMBER") or before in OPERATORS or before in CLOSES or before in OPENS:
        return 0
    if at + 2 >= len(tokens) or tokens[at + 1][0] != "ARROW" or tokens[at + 1][3] != "->":
        return 0
    end = at + 2 + (tokens[at + 2][0] == "MINUS")
    if end >= len(tokens) or tokens[end][0] != "NUMBER":
        return 0
    after = tokens[end + 1][0] if end + 1 < len(tokens) else ""
    return 0 if after in OPERATORS or after in OPERAND_START else end + 1


def _steps(tokens: list[Token], at: int) -> bool:
    kinds = [token[0] for token in tokens[at : at + 3]]
    return kinds == ["NAME", "ARROW", "NAME"] and tokens[at + 1][3] == "->"


POINT = re.compile(r"\s*([^=,;]+?)\s*=\s*([^=,;]*[^=,;\s])")


def _point(text: str) -> list[tuple[str, str]]:
    from backhand.readers.tokens import plain

    return [(plain(found[1].strip("{} ")), found[2].strip("{} ").replace("−", "-")) for found in POINT.finditer(text)]


def _as_slopes(pieces: list[Piece]) -> list[Piece]:
    """`gradients: a: 1.0` gives no value but a derivative."""
    from backhand.core.formula import Slope

    first = pieces[0]
    if len(pieces) == 2 and isinstance(first.formula, Ref) and pieces[1].digits is not None:
        formula = Slope("", first.formula.name, False, first.formula.span)
        return [Piece(first.relation, formula, first.text, first.span, first.boxed), *pieces[1:]]
    return pieces


def decimals(formula: Formula | None) -> int | None:
    """How many decimals a bare number shows: 2 for 0.40, -1.25 and 4.00, 6 for 1.77e-4 and 1.77·10^-4; else None.

    >>> from backhand.core.notation import formula
    >>> decimals(formula("-0.40")), decimals(formula("1.77e-4")), decimals(formula("2*3"))
    (2, 6, None)
    """
    while isinstance(formula, Apply) and formula.operation.name == "neg":
        formula = formula.args[0]
    if isinstance(formula, Num):
        mantissa, _, exponent = formula.text.lower().partition("e")
        if "/" in mantissa:
            return None
        return max(0, len(mantissa.partition(".")[2]) - int(exponent or 0))
    if isinstance(formula, Apply) and formula.operation.name == "*" and isinstance(formula.args[1], Apply):
        power, first = formula.args[1], decimals(formula.args[0])
        exponent = whole(power.args[1]) if power.operation.name == "^" else None
        if first is not None and exponent is not None and isinstance(base := power.args[0], Num) and base.value == 10:
            return max(0, first - exponent)
    return None


def whole(formula: Formula) -> int | None:
    """A whole number written out, with or without a minus."""
    if isinstance(formula, Apply) and formula.operation.name == "neg":
        inside = whole(formula.args[0])
        return -inside if inside is not None else None
    return int(formula.value) if isinstance(formula, Num) and formula.value.denominator == 1 else None
