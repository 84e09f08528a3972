r"""From statements to claims: what each chain is about, and which chains belong together.

    $$B_1 = w_1 x_1 + w_2 x_2$$
    $$= (-1)(-2) + (1)(1)$$              one claim about B1, with three links; its number is 3
    $$\Rightarrow B_1 = 2 + 1 = 3$$

A chain that opens with = goes on with the one before; one about the same thing joins it as long as no number has been
reached. So a claim has all the working that leads to its number. What a chain is about stands on its left: a name, a
derivative, or a formula that is some quantity's own (`z + a = 2` where s = z + a). A name that the network does not have
becomes the page's own (`tmp1 = ...`), and may be used in later lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from backhand.core.answers import DIFFERENTIATE
from backhand.core.formula import Apply, Formula, Num, Ref, Slope, names, postorder, to_text
from backhand.core.graph import Graph
from backhand.marking.about import About, Derivative, Local, Value
from backhand.marking.align import (
    BIAS,
    TAIL,
    WEIGHT,
    Context,
    Generic,
    Names,
    Unresolved,
    about_of,
    resolve,
    with_powers,
)
from backhand.marking.marking import Kind
from backhand.marking.work import Chain, Piece, Work
from backhand.marking.worlds import World, elsewhere, equal


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

    @property
    def number(self) -> Piece | None:
        """The last link that is a bare number."""
        return next((p for p in reversed(self.pieces) if p.formula is not None and bare(p.formula)), None)

    @property
    def end(self) -> tuple[str, int]:
        """Where its number stands, or its last link."""
        last = self.number or (self.pieces[-1] if self.pieces else self.subject)
        assert last is not None
        return last.span.source.name, last.span.start


def bare(formula: Formula) -> bool:
    """A number by itself: 3, -3, (3), 3/4, 1.2 10^-3."""
    while isinstance(formula, Apply) and formula.operation.name == "neg":
        formula = formula.args[0]
    if isinstance(formula, Apply) and formula.operation.name == "/":
        above, below = formula.args
        return not above.parens and not below.parens and bare(above) and bare(below)
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
        self.own_names: set[str] = set()
        self._open: dict[About, Draft] = {}
        self._labels: dict[str, Draft] = {}
        self._last: dict[int, Draft] = {}
        self._made: list[Draft] = []

    def of_work(self, work: Work) -> list[Draft]:
        """The claims in the order in which they begin."""
        for line in work.lines:
            for chain in line.chains:
                if not chain.struck:
                    self._take(chain, line.number)
        return [draft for draft in self._made if draft.pieces]

    # -- one chain -----------------------------------------------------------------------------------------

    def _take(self, chain: Chain, line: int) -> None:
        first = chain.pieces[0]
        before = self._last.get(chain.level)
        context = self._context(chain, line)
        if chain.leads_on:
            draft = self._subject(chain, context) if first.relation == "=>" and self._names_one(first) else None
            if draft is None:
                self._go_on(chain, before)
                return
        else:
            draft = self._subject(chain, context)
        rest = chain.pieces[1:] if draft.subject is not None else chain.pieces
        draft = self._joined(draft)
        draft.pieces += rest
        draft.chains.append(chain)
        draft.note = draft.note and chain.note
        self._last[chain.level] = draft
        for level in [level for level in self._last if level > chain.level]:
            del self._last[level]

    def _go_on(self, chain: Chain, before: Draft | None) -> None:
        """A chain that opens with a relation belongs to what stands before it."""
        if before is not None and before.kind == "given" and before.number is not None:
            before = self._under_way(chain.level) or before  # `since w_1 = -2: => ...` goes on with what it is for
        if before is None:
            before = Draft(None, "", "formula", Context(), note=chain.note)
            self._made.append(before)
            self._last[chain.level] = before
        before.pieces += chain.pieces
        before.chains.append(chain)

    def _under_way(self, level: int) -> Draft | None:
        """The last claim of a level that has no number yet."""
        for draft in reversed(self._made[-8:]):
            if draft.chains and draft.chains[-1].level == level and draft.kind != "given" and draft.number is None:
                return draft
        return None

    def _names_one(self, piece: Piece) -> bool:
        return isinstance(piece.formula, (Ref, Slope))

    def _joined(self, draft: Draft) -> Draft:
        """The open claim about the same thing, if there is one; else this one, from now on open."""
        if draft.about is not None:
            known = self._open.get(draft.about)
            if known is not None and known.number is None and not draft.generic and not known.mislabelled:
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
                self._named(made, formula, context)
            case Slope():
                self._slope(made, formula, chain)
            case Num():
                made.label = ""
                made.subject = None
            case Apply():
                self._formula(made, formula, context)
        return made

    def _named(self, made: Draft, formula: Ref, context: Context) -> None:
        meant = self.names.meant(formula.name) if formula.name not in self.own_names else None
        if meant is None and formula.name not in self.own_names and context.unit:
            meaning = Generic(self.names, context).meanings(formula).get(formula.name)
            if isinstance(meaning, Ref):
                meant, made.generic = meaning, True
        if meant is None:
            if generic_like(formula.name):
                made.label = formula.name
            else:
                made.own_name = formula.name
                self.own_names.add(formula.name)
            return
        self._is_about(made, about_of(meant, self.names))

    def _slope(self, made: Draft, formula: Slope, chain: Chain) -> None:
        meant = self.names.slope(formula.of, formula.by)
        if meant is None and formula.by:
            made.label = f"d{formula.of or self.of}/d{formula.by}"
            return
        if meant is None:
            return
        if self.names.possible(meant):
            self._is_about(made, self.names.about(meant))
            return
        other = self._mislabelled(formula, meant, chain)
        made.label = str(Derivative(meant.of, meant.by))
        if other is not None:
            made.mislabelled = True
            self._is_about(made, self.names.about(other))

    def _mislabelled(self, formula: Slope, meant: Slope, chain: Chain) -> Slope | None:
        """The derivative that the formula behind an impossible label is: dy/dx, where y does not depend on x, for df/dx;
        dB1/dL for dL/dB1."""
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
        resolved = self.resolved(formula, context)
        unit = self._defined_as(resolved) if resolved is not None else None
        if unit is None:
            made.subject = None
            return
        self._is_about(made, Value(unit))
        made.pieces.append(made.subject)  # type: ignore[arg-type]

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
        return all(_same(world.at(formula).value, world.predicted(about)) for world in (self.truth, *self.others()))

    def others(self) -> Iterator[World]:
        """Two networks with other numbers."""
        for seed in (1, 2):
            if seed not in self._elsewhere:
                self._elsewhere[seed] = elsewhere(self.graph, self.of, frozenset(), seed)
            yield self._elsewhere[seed]

    @property
    def _elsewhere(self) -> dict[int, World]:
        if not hasattr(self, "_worlds"):
            self._worlds: dict[int, World] = {}
        return self._worlds


def _same(one: float | object, other: object) -> bool:
    return other is not None and one == one and other == other and equal(one, other)  # type: ignore[arg-type]


def _ends_on(draft: Draft, line: int) -> bool:
    return bool(draft.pieces) and draft.pieces[-1].span.line == line


def _unit(about: About) -> str:
    return about.child if isinstance(about, Local) else ""


def generic_like(name: str) -> bool:
    """A name that people use for weights, inputs and biases of whatever unit is at hand."""
    return any(pattern.fullmatch(name) for pattern in (WEIGHT, TAIL, BIAS))
