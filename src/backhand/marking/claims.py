r"""From statements to claims: what each chain is about, and which chains belong together.

    $$B_1 = w_1 x_1 + w_2 x_2$$
    $$= (-1)(-2) + (1)(1)$$              one claim about B1, with three links; its number is 3
    $$\Rightarrow B_1 = 2 + 1 = 3$$

A chain that opens with = goes on with the one before; one about the same thing joins it as long as no number has been
reached. So a claim has all the working that leads to its number. What a chain is about stands on its left: a name, a
derivative, or a formula that is some quantity's own (`z + a = 2` where s = z + a). A name that the network does not
have becomes the page's own (`tmp1 = ...`), and may be used in later lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from backhand.core.answers import DIFFERENTIATE
from backhand.core.formula import Apply, Formula, Num, Ref, Slope, apply, fold, grouped, names, postorder, to_text
from backhand.core.graph import Graph
from backhand.core.operations import ADD, MULTIPLY, NEGATE
from backhand.errors import LimitError
from backhand.marking.about import About, Derivative, Local, Value
from backhand.marking.align import (
    BIAS,
    DELTA,
    LAYERED,
    OUTPUT_WORDS,
    TAIL,
    WEIGHT,
    Context,
    Generic,
    Names,
    Unresolved,
    about_of,
    apart,
    resolve,
    with_powers,
)
from backhand.marking.marking import Kind
from backhand.marking.quotients import of_values
from backhand.marking.sheet import BENDS
from backhand.marking.work import Chain, Mood, Piece, Work
from backhand.marking.worlds import World, agrees, elsewhere, equal, numbers_in, places, significant
from backhand.text import Span

IS_THE_LOSS = (
    r"(?i:loss|cost|error|objective|fehler|kosten|verlust|损失|误差|coût|erreur|costo|pérdida)[^\n]{{0,60}}(?<!\w){}(?!\w)",
    r"(?<!\w){}[^\n=]{{0,20}}(?i:loss|cost|error)",
    r"(?:d|∂|\\partial\s*|\\mathrm\{{d\}}\s*){}\s*(?:/|\}}|_d)",
)
"""How a page says that a letter is what it makes small, or differentiates it."""


@dataclass(slots=True, eq=False)
class Draft:
    """A claim before it is judged. `about` is None for what the network has no name for; `label` is as written."""

    about: About | None
    label: str
    kind: Kind
    context: Context
    subject: Piece | None = None
    pieces: list[Piece] = field(default_factory=list[Piece])
    chains: list[Chain] = field(default_factory=list[Chain])
    note: bool = False
    generic: bool = False
    """A name such as w_1 that stands for a weight of the unit at hand."""
    own_name: str = ""
    """A name of the page's own that this claim gives."""
    mislabelled: bool = False
    """What is written on the left is not what the formula is."""
    mood: Mood = ""
    """What the words around it make of it."""

    @property
    def number(self) -> Piece | None:
        """The last link that is a bare number."""
        return next((p for p in reversed(self.pieces) if p.formula is not None and bare(p.formula)), None)

    @property
    def last(self) -> Piece:
        """Its number, or its last link."""
        last = self.number or (self.pieces[-1] if self.pieces else self.subject)
        assert last is not None
        return last

    @property
    def end(self) -> tuple[str, int]:
        """Where its number stands, or its last link."""
        return self.last.span.source.name, self.last.span.start


GREEK_LETTERS = frozenset("ΔδηεαλμτσφψωΣ∆")


def _differential(formula: Formula | None) -> bool:
    """2z dz."""
    return formula is not None and any(
        isinstance(n, Ref) and n.name[:1] in ("d", "∂") and len(n.name) > 1 for n in postorder(formula)
    )


def _difference(pieces: Sequence[Piece]) -> bool:
    """Whether they begin with `t - y`."""
    first = pieces[0].formula if pieces else None
    return (
        isinstance(first, Apply)
        and first.operation.name == "-"
        and len(first.args) == 2
        and all(isinstance(part, (Ref, Num)) for part in first.args)
    )


def bare(formula: Formula) -> bool:
    """A number by itself: 3, -3, (3), 3/4, 1.2 10^-3."""
    while isinstance(formula, Apply) and formula.operation.name == "neg":
        formula = formula.args[0]
    if isinstance(formula, Apply) and formula.operation.name == "/":
        return all(not part.parens and bare(part) and _whole(part) for part in formula.args)
    if isinstance(formula, Apply) and formula.operation.name == "*":
        power = formula.args[1]
        return (
            isinstance(formula.args[0], Num)
            and isinstance(power, Apply)
            and power.operation.name == "^"
            and isinstance(power.args[0], Num)
            and power.args[0].value == 10
        )
    return isinstance(formula, Num)


def _whole(formula: Formula) -> bool:
    """3 and -3, not 3.0: only of these a quotient is a fraction, and no division still to be done."""
    return all("." not in node.text for node in postorder(formula) if isinstance(node, Num))


def plain(formula: Formula) -> bool:
    """A formula of numbers only."""
    return not any(isinstance(node, (Ref, Slope)) for node in postorder(formula))


class Claims:
    """The claims of an answer, put together chain by chain."""

    def __init__(self, graph: Graph, of: str, truth: World) -> None:
        self.graph = graph
        self.names = Names(graph, of)
        self.of = of
        self.truth = truth
        self.own_names = self.names.own
        self._open: dict[About, Draft] = {}
        self._labels: dict[str, Draft] = {}
        self._last: dict[int, Draft] = {}
        self._made: list[Draft] = []
        self._worlds: dict[tuple[frozenset[str], int], World] = {}
        self._versions: dict[str, int] = {}
        self.reused: frozenset[str] = frozenset()
        """Quantities whose names pasted code uses for something else, too."""
        self.negative_deltas = False
        self.direction = ""
        """By what the dotted names of forward mode are differentiated."""

    def of_work(self, work: Work) -> list[Draft]:
        """The claims in the order in which they begin."""
        self._see_layers(work)
        self.reused = frozenset(filter(None, map(self.names.quantity, sorted(work.reused))))
        for line in work.lines:
            chains = [chain for chain in line.chains if not chain.struck]
            self._choose_direction(chains)
            for chain in chains:
                for part in self._parted(self._directed(chain)):
                    self._take(part, line.number)
        return [draft for draft in self._made if draft.pieces]

    def _see_layers(self, work: Work) -> None:
        """Which numbers of layers stand at one name."""
        chains = [chain for line in work.lines if "^" in line.span.text for chain in line.chains]
        formulas = [piece.formula for chain in chains for piece in chain.pieces if piece.formula is not None]
        for node in (node for formula in formulas for node in postorder(formula)):
            names = (node.name,) if isinstance(node, Ref) else (node.of, node.by) if isinstance(node, Slope) else ()
            for layered in filter(None, map(LAYERED.fullmatch, names)):
                self.names.layers.setdefault(layered[1], set()).add(layered[0])

    # -- words and names that only stand beside a formula -----------------------------------------------------

    def _parted(self, chain: Chain) -> Iterator[Chain]:
        """A chain without the words in it: `3 et B2 = 6` goes on with another statement, `-1 h2 = 2` too."""
        pieces = list(chain.pieces)
        start = 0
        for at, piece in enumerate(pieces):
            if piece.formula is None:
                continue
            follows = at + 1 < len(pieces)
            if at == start and not piece.relation:
                pieces[at] = self._subject_of_words(piece)
                continue
            cut = self._cut(pieces[start], piece, pieces[at + 1] if follows else None)
            if cut is None:
                continue
            head, tail = cut
            pieces[at] = head
            if tail is not None and follows:
                yield replace(chain, pieces=tuple(pieces[start : at + 1]), leads_on=chain.leads_on and start == 0)
                pieces[at], start = tail, at
        yield replace(chain, pieces=tuple(pieces[start:]), leads_on=chain.leads_on and start == 0)

    def _subject_of_words(self, piece: Piece) -> Piece:
        """`und dL/db` is dL/db."""
        factors = _side_by_side(piece.formula)
        if len(factors) < 2 or not all(self._strange(f) and not _greek(f) for f in factors[:-1]):
            return piece
        last = factors[-1]
        known = isinstance(last, Slope) or (isinstance(last, Ref) and self.names.meant(last.name) is not None)
        return _piece(piece, last) if known else piece

    def _cut(self, subject: Piece, piece: Piece, following: Piece | None) -> tuple[Piece, Piece | None] | None:
        """What stands before the words in a link, and what stands behind them; None if there are none."""
        assert piece.formula is not None
        above: list[Apply] = []
        last = piece.formula
        while isinstance(last, Apply) and last.operation.name in ("+", "-") and not last.parens and len(last.args) == 2:
            above.append(last)
            last = last.args[1]
        factors = _side_by_side(last)
        words = [k for k, factor in enumerate(factors) if self._word(factor)]
        if words and words[0] > 0:
            head, tail = factors[: words[0]], factors[words[-1] + 1 :]
        elif not words and not above and following is not None and self._starts_another(subject, factors, following):
            head, tail = factors[:1], factors[-1:]
        else:
            return None
        made = _again(head)
        for node in reversed(above):
            made = Apply(node.operation, (node.args[0], made), node.style, False, node.span, node.depth)
        before = _piece(piece, made, piece.formula)
        begins = _piece(piece, _again(tail)) if tail else None
        return before, replace(begins, relation="") if begins is not None else None

    def _starts_another(self, subject: Piece, factors: Sequence[Formula], following: Piece) -> bool:
        """`h1 = -1 h2 = 2`, `-0.475 y dL/dw2 = ...`: a number, and the name of another statement behind it."""
        if len(factors) < 2 or not bare(factors[0]):
            return False
        last = factors[-1]
        if not isinstance(last, (Ref, Slope)) or not isinstance(subject.formula, (Ref, Slope)):
            return False
        if len(factors) != 2 and not (len(factors) == 3 and _one_letter(factors[1])):
            return False
        one, other = self._subject_named(subject.formula), self._subject_named(last)
        right = None if one is None else self.truth.predicted(about_of(one, self.names))
        value = None if other is None else self.truth.predicted(about_of(other, self.names))
        if right is None or value is None or following.formula is None:
            return False
        number = self.truth.at(factors[0]).value
        first = _side_by_side(following.formula)[0]
        shown = [
            next((places(node) for node in postorder(f) if isinstance(node, Num)), None) for f in (factors[0], first)
        ]
        if bare(first) and agrees(number, right, shown[0]) and agrees(self.truth.at(first).value, value, shown[1]):
            return True
        resolved = self.resolved(_again(factors), Context())
        if resolved is not None and equal(self.truth.at(resolved).value, right):
            return False
        if agrees(number, right, shown[0]):
            return True
        return len(factors) == 2 and bare(following.formula) and equal(value, self.truth.at(following.formula).value)

    def _subject_named(self, formula: Ref | Slope) -> Ref | Slope | None:
        return self.names.meant(formula.name) if isinstance(formula, Ref) else self.names.slope(formula.of, formula.by)

    def _word(self, factor: Formula) -> bool:
        """A word of some language, which is no name here."""
        return isinstance(factor, Ref) and len(factor.name) > 1 and self._strange(factor) and _letters(factor.name)

    def _strange(self, factor: Formula) -> bool:
        """A name that nobody knows."""
        return (
            isinstance(factor, Ref)
            and factor.name not in self.own_names
            and self.names.meant(factor.name) is None
            and not (len(factor.name) > 1 and generic_like(factor.name))
            and apart(factor.name, self.names) is None
        )

    # -- forward mode ------------------------------------------------------------------------------------------

    def _choose_direction(self, chains: Sequence[Chain]) -> None:
        r"""`\dot x = 1` says by what the dotted ones are differentiated from here on."""
        for chain in chains:
            first, last = chain.pieces[0].formula, chain.pieces[-1].formula
            if isinstance(first, Slope) and not first.by and isinstance(last, Num) and last.value == 1:
                name = self.names.quantity(first.of)
                if name is not None and not self.graph[name].computed:
                    self.direction = name

    def _directed(self, chain: Chain) -> Chain:
        r"""The chain with `\dot u` as du/dx."""
        if not any(_dotted(piece.formula) for piece in chain.pieces) or not self.direction:
            return chain
        return replace(chain, pieces=tuple(self._directed_piece(piece) for piece in chain.pieces))

    def _directed_piece(self, piece: Piece) -> Piece:
        if piece.formula is None:
            return piece

        def leaf(node: Num | Ref | Slope) -> Formula:
            if isinstance(node, Slope) and not node.by:
                return Slope(node.of, self.direction, node.parens, node.span)
            return node

        def combine(node: Apply, args: list[Formula]) -> Formula:
            return Apply(node.operation, tuple(args), node.style, node.parens, node.span, node.depth)

        return replace(piece, formula=fold(piece.formula, leaf, combine))

    # -- one chain -----------------------------------------------------------------------------------------

    def _turned(self, chain: Chain) -> Chain:
        """`4 = dL/dB1` and `2(4 - 3) = 2 = dL/dD`, with what they are about in front."""
        pieces = chain.pieces
        first, last = pieces[0], pieces[-1]
        if chain.leads_on or len(pieces) < 2 or first.relation or not isinstance(last.formula, (Ref, Slope)):
            return chain
        if self._subject_named(last.formula) is None or any(isinstance(p.formula, (Ref, Slope)) for p in pieces[:-1]):
            return chain
        if first.formula is None or (not plain(first.formula) and self._subject(chain, Context()).about is not None):
            return chain
        turned = (replace(last, relation=""), replace(first, relation=last.relation), *pieces[1:-1])
        return replace(chain, pieces=turned)

    def _take(self, chain: Chain, line: int) -> None:
        chain = self._turned(chain)
        first = chain.pieces[0]
        before = self._last.get(chain.level)
        context = self._context(chain, line)
        if before is not None and _comments_on(chain, before):
            self._go_on(chain, before)
            return
        if chain.leads_on:
            draft = self._subject(chain, context) if first.relation == "=>" and self._names_one(first) else None
            if draft is None:
                self._go_on(chain, before)
                return
        else:
            draft = self._subject(chain, context)
        draft.mood = chain.mood
        rest = chain.pieces[1:] if draft.subject is not None else chain.pieces
        if _adds_up(chain):
            added = self._added_up(draft, chain, context)
            if added is None:
                return
            rest = added
        if draft.own_name and draft.about is None:
            self._bind(draft, rest)
        draft = self._joined(draft, rest)
        draft.pieces += rest
        draft.chains.append(chain)
        draft.note = draft.note and chain.note
        self._last[chain.level] = draft
        for level in [level for level in self._last if level > chain.level]:
            del self._last[level]

    def _added_up(self, draft: Draft, chain: Chain, context: Context) -> Sequence[Piece] | None:
        """The links of `dx += a`: the whole sum so far, which then is all that is claimed; None if it claims nothing.
        Where a condition decides whether a line is run, the sum is not known."""
        if draft.about is None and not draft.own_name:
            return None
        if isinstance(draft.about, Value) and ("#" in draft.about.name or f"{draft.about.name}#1" in self.graph):
            return chain.pieces[1:]
        same = (draft.about, draft.own_name)
        before = next((d for d in reversed(self._made) if (d.about, d.own_name) == same and d.mood != "denied"), None)
        link = chain.pieces[1]
        so_far = next((piece.formula for piece in before.pieces if piece.formula is not None), None) if before else None
        if before is not None:
            unread = next((piece for piece in before.pieces if piece.formula is None), None)
            link = replace(link, formula=None, reason=unread.reason) if unread is not None else link
            before.pieces.clear()
        if _conditional(chain, before):
            link = replace(link, formula=None, reason="Whether this line is run, and how often, is not known.")
        if before is None:
            link = replace(link, formula=None, reason="What it begins with is not on the page.")
        if link.formula is None:
            return [link]
        assert isinstance(link.formula, Apply)
        terms = _summands_of(link.formula)
        if so_far is not None:
            terms[0] = so_far
        made = _sum(terms)
        if made is None:
            return [replace(link, formula=None, reason="A sum of too many parts.")]
        rest = list(chain.pieces[2:])
        part = _sum(_summands_of(link.formula)[1:])
        if len(rest) == 1 and rest[0].formula is not None and part is not None and draft.about is not None:
            found, number = self.resolved(part, context), self.truth.at(rest[0].formula).value
            right = self.truth.predicted(draft.about)
            if (
                found is not None
                and equal(self.truth.at(found).value, number)
                and not (right is not None and equal(right, number))
            ):
                rest = []  # a comment with what is added
        return [replace(link, formula=made), *rest]

    def _go_on(self, chain: Chain, before: Draft | None) -> None:
        """A chain that opens with a relation belongs to what stands before it."""
        if before is not None and before.number is not None:
            # `since w_1 = -2: => ...`, `... where dC1/dB1 = 1` and = on the next line go on with what they are for
            before = self._under_way(chain, before) or before
        if before is None:
            before = Draft(None, "", "formula", Context(), note=chain.note)
            self._made.append(before)
        self._last[chain.level] = before
        before.pieces += chain.pieces
        before.chains.append(chain)

    def _under_way(self, chain: Chain, before: Draft) -> Draft | None:
        """The last claim of a level that has no number yet; behind another claim only the one that its line is about,
        where a new line goes on."""
        line = before.chains[-1].span.line
        if before.kind != "given" and chain.span.line == line:
            return None
        for draft in reversed(self._made[-8:]):
            if (
                draft.chains
                and draft.chains[-1].level == chain.level
                and draft.kind != "given"
                and draft.number is None
            ):
                return draft if before.kind == "given" or draft.chains[-1].span.line == line else None
        return None

    def _names_one(self, piece: Piece) -> bool:
        return isinstance(piece.formula, (Ref, Slope))

    def _corrects(self, draft: Draft, known: Draft, rest: Sequence[Piece]) -> bool:
        """Whether a formula is the rule and the one so far was not: a correction is a claim of its own."""
        assert draft.about is not None
        if not rest or rest[0].formula is None or plain(rest[0].formula):
            return False
        if not known.pieces or known.end[1] >= rest[0].span.start:
            return False
        found = [
            self.resolved(piece.formula, known.context) for piece in known.pieces[-4:] if piece.formula is not None
        ]
        if not found or any(formula is None or plain(formula) for formula in found):
            return False
        if any(formula is not None and self._identical(formula, draft.about) for formula in found):
            return False
        now = self.resolved(rest[0].formula, draft.context)
        return now is not None and self._identical(now, draft.about)

    def _joined(self, draft: Draft, rest: Sequence[Piece]) -> Draft:
        """The open claim about the same thing, if there is one; else this one, from now on open."""
        if draft.mood == "denied":
            self._made.append(draft)
            return draft
        if draft.about is not None:
            known = self._open.get(draft.about)
            if (
                known is not None
                and known.number is None
                and known.mood == draft.mood
                and not draft.generic
                and not known.mislabelled
                and not self._corrects(draft, known, rest)
            ):
                return known
            self._open[draft.about] = draft
        elif draft.label:
            known = self._labels.get(draft.label)
            if known is not None and known.number is None and known.own_name == draft.own_name:
                return known
            self._labels[draft.label] = draft
        self._made.append(draft)
        return draft

    def _context(self, chain: Chain, line: int) -> Context:
        """The unit whose working this is: that of the statement at whose side it stands, or just before it."""
        for level in (chain.level, chain.level - 1):
            before = self._last.get(level)
            if before is not None and before.context.unit and (chain.note or _ends_on(before, line)):
                return before.context
        return Context()

    # -- the page's own names ------------------------------------------------------------------------------

    def _bind(self, draft: Draft, pieces: Sequence[Piece]) -> None:
        """What a name of the page's own stands for, where its statement settles it: `u' = du/dx`, or the formula of
        just one value or derivative, or a number that only one of them has, to five digits."""
        meant: Ref | Slope | None = None
        first = pieces[0].formula if pieces else None
        if isinstance(first, (Ref, Slope)) and (found := self._subject_named(first)) is not None:
            meant = found if isinstance(found, Slope) and self.names.possible(found) else None
        for piece in pieces:
            if meant is None and piece.formula is not None:
                meant = self._only_one(piece.formula, draft.context)
        if meant is not None:
            self.names.bound[draft.own_name] = meant
            self.own_names.discard(draft.own_name)
            draft.own_name = ""
            self._is_about(draft, about_of(meant, self.names))

    def _only_one(self, formula: Formula, context: Context) -> Ref | Slope | None:
        """The only value or derivative of the network that a formula is; None if there is none, or several."""
        if not isinstance(formula, Apply) or bare(formula):
            return self._by_digits(formula) if bare(formula) else None
        resolved = self.resolved(formula, context)
        if resolved is None:
            return None
        if plain(resolved):
            return self._by_digits(resolved)
        found = [meant for meant in self._everything() if self._identical(resolved, about_of(meant, self.names))]
        return found[0] if len(found) == 1 else None

    def _by_digits(self, formula: Formula) -> Ref | Slope | None:
        number = self.truth.at(formula).value
        shown = min((places(n) or 0 for n in postorder(formula) if isinstance(n, Num) and places(n)), default=0)
        if number != number or significant(float(number), shown) < 5:
            return None
        near = 2e-5 if bare(formula) else 2e-6
        found = [
            meant for meant in self._everything()
            if (x := self.truth.predicted(about_of(meant, self.names))) is not None
            and x == x and x and abs(float(x) - float(number)) <= near * abs(float(x))
        ]  # fmt: skip
        return found[0] if len(found) == 1 else None

    def _everything(self) -> Iterator[Ref | Slope]:
        """All computed values, and all derivatives of the output but those by targets: `t - h` is how far h is off."""
        for quantity in self.graph.quantities:
            if quantity.computed:
                yield Ref(quantity.name)
        for at in self.graph.upstream_of(self.of):
            name, kind = self.graph.quantities[at].name, self.graph.quantities[at].kind
            if name != self.of and kind != "target":
                yield Slope(self.of, name)

    # -- its subject ---------------------------------------------------------------------------------------

    def _subject(self, chain: Chain, context: Context) -> Draft:
        first = chain.pieces[0]
        formula = first.formula
        made = Draft(None, first.text.strip(), "formula", context, first, note=chain.note)
        match formula:
            case None:
                made.label = ""
                made.subject = None
            case Ref():
                self._named(made, formula, context, chain.pieces[1:])
            case Slope():
                self._slope(made, formula, chain)
            case Num():
                made.label = ""
                made.subject = None
            case Apply():
                self._formula(made, formula, context)
        return made

    def _version(self, name: str, pieces: Sequence[Piece]) -> str:
        """Which version of a name that is defined anew (`c = c + 1`) a statement gives: the first from the present one
        on that has its number; without a number, the next."""
        count = sum(f"{name}#{k}" in self.graph for k in range(1, len(self.graph) + 1))
        versions = [*(f"{name}#{k}" for k in range(1, count + 1)), name]
        present = self._versions.get(name, 0)
        for at in range(max(0, present - 1), len(versions)):
            right = self.truth.predicted(Value(versions[at]))
            numbers = [p for p in pieces if p.formula is not None and bare(p.formula)]
            if (
                right is not None
                and numbers
                and agrees(self.truth.at(_number(numbers[-1])).value, right, numbers[-1].digits)
            ):
                self._versions[name] = at + 1
                return versions[at]
        at = min(present, len(versions) - 1)
        self._versions[name] = at + 1
        return versions[at]

    def _named(self, made: Draft, formula: Ref, context: Context, rest: Sequence[Piece]) -> None:
        meant = self.names.meant(formula.name) if formula.name not in self.own_names else None
        if meant is None and formula.name not in self.own_names and context.unit:
            meaning = Generic(self.names, context).meanings(formula).of(formula)
            if isinstance(meaning, Ref):
                meant, made.generic = meaning, True
        if meant is not None and self._only_a_letter(formula.name, rest, context):
            meant = None
        if isinstance(meant, Slope) and meant.of == meant.by and any(_differential(p.formula) for p in rest):
            meant = None  # dw = 2z dz
        if formula.name in ("error", "Error") and formula.name not in self.graph.index and _difference(rest):
            meant = None  # how far off it is, not the loss
        if isinstance(meant, Ref) and f"{meant.name}#1" in self.graph:
            meant = Ref(self._version(meant.name, rest))
        if isinstance(meant, Slope) and DELTA.fullmatch(formula.name):
            meant = self._before_the_bend(formula.name, meant, rest)
            if self._is_negative(meant, rest):
                meant = None
        if meant is None:
            if generic_like(formula.name):
                made.label = formula.name
            else:
                made.own_name = formula.name
                self.own_names.add(formula.name)
            return
        self._is_about(made, about_of(meant, self.names))

    def _only_a_letter(self, name: str, pieces: Sequence[Piece], context: Context) -> bool:
        """Whether E, J or C, which the network does not have, is a name of the page's own (`E = e^-z`): neither is what
        is said of it true of the output, nor does the page call it its loss, or differentiate it."""
        if len(name) != 1 or name not in OUTPUT_WORDS or self.names.quantity(name) != self.of:
            return False
        if name in self.graph.index or any(known.casefold() == name.casefold() for known in self.graph.index):
            return False
        text = pieces[0].span.source.text if pieces else ""
        if _difference(pieces):
            first = pieces[0].formula
            found = self.resolved(first, context) if first is not None else None
            return found is not None and not self._identical(
                found, Value(self.of)
            )  # E = t - y, half of whose square is L
        if any(re.search(pattern.format(name), text) for pattern in IS_THE_LOSS):
            return False
        about = Value(self.of)
        right = self.truth.predicted(about)
        for piece in pieces:
            if piece.formula is None:
                continue
            resolved = self.resolved(piece.formula, context)
            if resolved is None:
                continue
            if self._identical(resolved, about):
                return False
            value = self.truth.at(resolved).value
            if right is not None and agrees(value, right, piece.digits):
                return False
        return True

    def _before_the_bend(self, name: str, meant: Slope, pieces: Sequence[Piece]) -> Slope:
        """δ_h is the derivative by h, or by the sum before its bend, whatever its name is: what is said of it tells."""
        quantity = self.graph[meant.by]
        made = quantity.definition
        if not isinstance(made, Apply) or made.operation.name not in BENDS or not isinstance(made.args[0], Ref):
            return meant
        inner = Slope(meant.of, made.args[0].name)
        for piece in pieces:
            if piece.formula is None:
                continue
            resolved = self.resolved(piece.formula, Context("", inner.by))
            value = self.truth.at(resolved).value if resolved is not None else None
            if value is None or value != value:
                continue
            right, other = (self.truth.predicted(self.names.about(slope)) for slope in (inner, meant))
            shown = piece.digits if bare(piece.formula) else None
            if right is not None and agrees(value, right, shown) and not (other is not None and equal(value, other)):
                self.names.bound[name] = inner
                return inner
        return meant

    def _is_negative(self, meant: Slope, pieces: Sequence[Piece]) -> bool:
        """Whether δ is written as the negative of the derivative, (t - y) y (1 - y), as older books do. Then all δ of
        the page are, and names of the page's own."""
        about = self.names.about(meant)
        for piece in pieces if not self.negative_deltas else ():
            if piece.formula is None or plain(piece.formula):
                continue
            resolved = self.resolved(piece.formula, Context(_unit(about), meant.by))
            if resolved is not None and self._identical(apply(NEGATE, grouped(resolved)), about):
                self.negative_deltas = True
        return self.negative_deltas

    def _slope(self, made: Draft, formula: Slope, chain: Chain) -> None:
        meant = self.names.slope(formula.of, formula.by)
        if meant is not None and self._is_a_point(made, meant, chain):
            return
        if not all(self._is_here(name, value) for name, value in chain.pieces[0].at):
            made.label = f"d{formula.of or self.of}/d{formula.by} elsewhere"
            return
        if meant is None and formula.by:
            made.label = f"d{formula.of or self.of}/d{formula.by}"
            return
        if meant is None:
            return
        if self.names.possible(meant):
            self._is_about(made, self.names.about(meant))
            return
        backwards = meant.of in self.names.ancestors(meant.by)
        if self.graph[meant.of].computed and not backwards:
            self._is_about(made, Derivative(meant.of, meant.by))  # no way leads there: it is 0
            return
        other = self._mislabelled(formula, meant, chain)
        made.label = str(Derivative(meant.of, meant.by))
        if other is not None:
            made.mislabelled = True
            self._is_about(made, self.names.about(other))

    def _is_here(self, name: str, value: str) -> bool:
        """Whether `|_{x=1}` is where the network stands; not if x is another number there, or none of its names (the
        part of a derivative that comes from one step of time, |_{t=2})."""
        known = self.names.quantity(name)
        quantity = self.graph[known] if known is not None else None
        if quantity is None or quantity.given is None:
            return quantity is not None or name[-1:] != "t"
        try:
            return quantity.given == Fraction(value)
        except (ValueError, ZeroDivisionError):
            return True

    def _is_a_point(self, made: Draft, meant: Slope, chain: Chain) -> bool:
        """`the slope at x = 2` says where, if x is given as 2."""
        quantity = self.graph[meant.by]
        number = chain.pieces[1].formula if len(chain.pieces) == 2 else None
        if quantity.computed or number is None or not bare(number) or f"at {meant.by} =" not in chain.span.text:
            return False
        if quantity.given is None or self.truth.at(number).value != quantity.given:
            return False
        self._is_about(made, Value(meant.by))
        return True

    def _mislabelled(self, formula: Slope, meant: Slope, chain: Chain) -> Slope | None:
        """The derivative that the formula behind an impossible label is: dy/dx, where y does not depend on x, for
        df/dx; dB1/dL for dL/dB1."""
        if meant.of in self.names.ancestors(meant.by) and meant.of != meant.by:
            candidates = [Slope(meant.by, meant.of)]
        else:
            candidates = [Slope(self.of, meant.by), Slope(self.of, meant.of)]
        for candidate in candidates:
            if not self.names.possible(candidate) or candidate.of == candidate.by:
                continue
            for piece in chain.pieces[1:]:
                if piece.formula is not None and not plain(piece.formula) and self._is_this(piece.formula, candidate):
                    self.names.labels[formula.of, formula.by] = candidate
                    return candidate
        return candidates[0] if len(candidates) == 1 and self.names.possible(candidates[0]) else None

    def _is_this(self, formula: Formula, slope: Slope) -> bool:
        about = self.names.about(slope)
        for written in (formula, with_powers(formula, self.names)):
            resolved = written and self.resolved(written, Context(_unit(about), slope.by))
            if resolved is not None and self._identical(resolved, about):
                return True
        return False

    def _formula(self, made: Draft, formula: Apply, context: Context) -> None:
        """A formula on the left: a quantity's own, or a derivative still to be taken."""
        made.label = to_text(formula)
        if formula.operation is DIFFERENTIATE and isinstance(formula.args[1], Ref):
            inside = self.resolved(formula.args[0], context)
            by = self.names.quantity(formula.args[1].name)
            unit = self._defined_as(inside) if inside is not None else None
            if unit is not None and by is not None and self.names.possible(Slope(unit, by)):
                self._is_about(made, self.names.about(Slope(unit, by)))
                made.pieces.append(made.subject)  # type: ignore[arg-type]
            else:
                made.subject = None
            return
        if plain(formula):
            made.subject = None
            made.label = ""
            return
        factors = _side_by_side(formula)
        if len(factors) == 2 and isinstance(factors[0], Ref) and factors[1].parens and not plain(factors[1]):
            return  # L(w + h): the value at another point
        if of_values(formula, self.names):
            made.subject = None  # (z(2.001) - z(2))/0.001
            return
        resolved = self.resolved(formula, context)
        unit = self._defined_as(resolved) if resolved is not None else None
        bend = self._bend(resolved) if resolved is not None and unit is None else None
        if unit is None and bend is None:
            made.subject = None
            return
        self._is_about(made, self.names.about(bend) if bend is not None else Value(unit or ""))
        made.pieces.append(made.subject)  # type: ignore[arg-type]

    def _bend(self, formula: Formula) -> Slope | None:
        """`sigmoid'(z)` is dh/dz, where h is the sigmoid of z; None where it is none of the network's or of several."""
        inside = set(names(formula))
        found = [
            slope
            for quantity in self.graph.quantities
            if isinstance(made := quantity.definition, Apply)
            and made.operation.name in BENDS
            and isinstance(made.args[0], Ref)
            and inside
            and inside <= {quantity.name, made.args[0].name}
            and self._identical(formula, self.names.about(slope := Slope(quantity.name, made.args[0].name)))
        ]
        return found[0] if len(found) == 1 else None

    def _defined_as(self, formula: Formula) -> str | None:
        """The computed quantity that has this formula, if there is just one."""
        if isinstance(formula, Apply):
            alike = [q.name for q in self.graph.quantities if q.computed and self._identical(formula, Value(q.name))]
            return alike[0] if len(alike) == 1 else None
        return None

    def _is_about(self, made: Draft, about: About) -> None:
        made.about = about
        match about:
            case Value():
                made.kind = "value" if self.graph[about.name].computed else "given"
                made.context = Context(about.name) if made.kind == "value" else made.context
            case Derivative():
                made.kind = "total"
                made.context = Context(about.of if about.of != self.of else "", about.by)
                if about.of == self.of and about.by in self.graph.parents(about.of):
                    made.context = Context(about.of, about.by)
            case Local():
                made.kind = "local"
                made.context = Context(about.child, about.parent)

    # -- formulas ------------------------------------------------------------------------------------------

    def resolved(self, formula: Formula, context: Context, *, total: bool = True) -> Formula | None:
        """The formula in the network's names; None if there are others in it."""
        try:
            return resolve(formula, self.names, context, frozenset(self.own_names), total=total)
        except Unresolved:
            return None

    def _identical(self, formula: Formula, about: About) -> bool:
        """Whether a formula is the rule for something: here, and with other numbers."""
        if self.own_names.intersection(names(formula)):
            return False
        worlds = (self.truth, *self._others(formula))
        return all(_same(world.at(formula).value, world.predicted(about)) for world in worlds)

    def _others(self, formula: Formula) -> Iterator[World]:
        """Two networks with other numbers; given ones that stand in the formula as numbers stay."""
        sizes = numbers_in(formula)
        given = [q for q in self.graph.quantities if isinstance(q.given, Fraction) and not q.computed]
        keep = frozenset(q.name for q in given if isinstance(q.given, Fraction) and abs(q.given) in sizes)
        for seed in (1, 2):
            if (keep, seed) not in self._worlds:
                self._worlds[keep, seed] = elsewhere(self.graph, self.of, keep, seed)
            yield self._worlds[keep, seed]


def _same(one: float | object, other: object) -> bool:
    return other is not None and one == one and other == other and equal(one, other)  # type: ignore[arg-type]


def _side_by_side(formula: Formula | None) -> list[Formula]:
    """The factors of a product without signs between them, from left to right; of anything else the formula itself."""
    found: list[Formula] = []
    while (
        isinstance(formula, Apply) and formula.style == "juxtaposed" and not formula.parens and len(formula.args) == 2
    ):
        found.append(formula.args[1])
        formula = formula.args[0]
    if formula is not None:
        found.append(formula)
    found.reverse()
    return found


def _again(factors: Sequence[Formula]) -> Formula:
    """The factors side by side."""
    made = factors[0]
    for factor in factors[1:]:
        span = made.span.to(factor.span) if made.span and factor.span else None
        made = apply(MULTIPLY, made, factor, style="juxtaposed", span=span)
    return made


def _piece(piece: Piece, formula: Formula, whole: Formula | None = None) -> Piece:
    """A part of a link as a link of its own; its text reaches to where the part ends."""
    span = formula.span or piece.span
    if whole is not None:
        ends = [node.span.end for node in postorder(formula) if node.span is not None]
        span = Span(piece.span.source, piece.span.start, max(ends, default=piece.span.end))
    digits = piece.digits
    if bare(formula):
        digits = next((places(node) for node in postorder(formula) if isinstance(node, Num)), None)
    return replace(piece, formula=formula, span=span, text=span.text, digits=digits)


def _comments_on(chain: Chain, before: Draft) -> bool:
    """`c = a * b   # -2 * 3 = -6`: numbers in a comment behind a line without a number are its own."""
    first = chain.pieces[0].formula
    if chain.leads_on or before.number is not None or not before.pieces or first is None or not plain(first):
        return False
    last = before.pieces[-1].span
    between = last.source.text[last.end : chain.span.start]
    return last.source is chain.span.source and "#" in between and "\n" not in between


def _adds_up(chain: Chain) -> bool:
    """`dx += a`."""
    return len(chain.pieces) > 1 and chain.pieces[1].text.startswith("+=")


def _conditional(chain: Chain, before: Draft | None) -> bool:
    """Whether a line stands behind a condition, or further in than the line it goes on from."""
    margin = _margin(chain.pieces[0].span)
    if margin.strip():
        return True
    return before is not None and before.subject is not None and len(_margin(before.subject.span)) < len(margin)


def _margin(span: Span) -> str:
    """What stands on the line before, up to the last ;."""
    text = span.source.text
    return text[text.rfind("\n", 0, span.start) + 1 : span.start].rpartition(";")[2].removeprefix(" ")


def _summands_of(formula: Formula) -> list[Formula]:
    """The parts of a sum, from left to right; what is taken away has a minus."""
    found: list[Formula] = []
    while (
        isinstance(formula, Apply)
        and formula.operation.name in ("+", "-")
        and not formula.parens
        and len(formula.args) == 2
    ):
        last = formula.args[1]
        found.append(apply(NEGATE, last) if formula.operation.name == "-" else last)
        formula = formula.args[0]
    found.append(formula)
    found.reverse()
    return found


def _sum(terms: Sequence[Formula]) -> Formula | None:
    """The sum of these; None where it is too much."""
    try:
        made = terms[0]
        for term in terms[1:]:
            made = apply(ADD, made, term, span=term.span)
    except LimitError:
        return None
    return made


def _number(piece: Piece) -> Formula:
    assert piece.formula is not None
    return piece.formula


def _dotted(formula: Formula | None) -> bool:
    return formula is not None and any(isinstance(node, Slope) and not node.by for node in postorder(formula))


def _one_letter(formula: Formula) -> bool:
    return isinstance(formula, Ref) and len(formula.name) == 1


def _greek(formula: Formula) -> bool:
    """Δ of Δw is a sign, no word."""
    return isinstance(formula, Ref) and formula.name in GREEK_LETTERS


def _letters(name: str) -> bool:
    return name.replace("'", "").replace("hat", "").isalpha()


def _ends_on(draft: Draft, line: int) -> bool:
    return bool(draft.pieces) and draft.pieces[-1].span.line == line


def _unit(about: About) -> str:
    return about.child if isinstance(about, Local) else ""


def generic_like(name: str) -> bool:
    """A name that people use for weights, inputs and biases of whatever unit is at hand."""
    return any(pattern.fullmatch(name) for pattern in (WEIGHT, TAIL, BIAS))
