"""Reading a network in Backhand's own notation (`.bh` files).

    input  A1 = -1, A2 = 1         # kinds
    A1 -> B1 : -2                  # an arrow and its weight, w[A1,B1]
    L = (D - t)^2                  # a definition
    ask values, derivatives of L

A file is read statement by statement (a line, or several while a bracket is open), so that all its
errors are reported together. Then the statements are put together: arrows become the sums of
their units, redefinitions become versions, names are checked against what the file defines.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from lark import Token

from backhand import limits
from backhand.core.evaluate import evaluate_constant
from backhand.core.formula import Formula, Ref, apply, names, references, rename
from backhand.core.graph import Ask, Graph, Kind, Quantity, Update, makes_arrays, undefined, unknown
from backhand.core.notation import WORD, Notation, call, plain_name
from backhand.core.operations import ADD, ARRAY_FUNCTIONS, CONSTANTS, FUNCTIONS, MULTIPLY
from backhand.errors import BackhandError, LimitError, ReadError, raise_all
from backhand.memory import uncollected
from backhand.text import Source, Span

KINDS: dict[str, Kind] = {
    "input": "input", "inputs": "input", "weight": "weight", "weights": "weight", "bias": "bias",
    "biases": "bias", "target": "target", "targets": "target", "constant": "constant", "constants": "constant",
}  # fmt: skip

STARTS = re.compile(r"\s*(?:[A-Za-z]+[ \t]+)?[^\W\d]\w*(?:\[[^\]\n]*\])?\s*(?:=|-+>|→|:)")
"""How a statement begins; it ends a bracket left open on the line before."""

NAMES = re.compile(WORD + r"(?:\[[^\]\n]*\])?")
"""Every name in a line that could not be read: it may define any of them."""

COMMENT = re.compile(r"#(?!\d)|(?<![\w'\]}])#")


@uncollected()
def read(source: Source) -> Graph:
    """The network of a text. Raises ReadError, LimitError, UndefinedError, or SeveralErrors for many."""
    if len(source.text) > limits.BYTES:
        raise LimitError(
            f"{source.name} has {len(source.text)} characters; at most {limits.BYTES} are read.",
            cure="Split the network, or build it from Python.",
        )
    _check_characters(source)
    found = _read(source, frozenset())
    own = frozenset(
        found.names() & (FUNCTIONS | ARRAY_FUNCTIONS | CONSTANTS | {n for n in found.names() if n.startswith("d")})
    )
    if own:
        found = _read(source, own)
    return found.graph()


def _read(source: Source, own: frozenset[str]) -> _Statements:
    found = _Statements(Notation(source, own))
    for start, end in statements(source):
        try:
            found.add(found.notation.read("line", start, end))
        except BackhandError as error:
            found.errors.append(error)
            if len(found.errors) >= limits.ERRORS:
                found.broken |= set(NAMES.findall(source.text[start:]))
                break
            found.broken |= set(NAMES.findall(source.text[start:end]))
    return found


# -- statements ---------------------------------------------------------------------------------------------


def statements(source: Source) -> Iterator[tuple[int, int]]:
    """Where each statement begins and ends, without comments and blank lines."""
    text = source.text
    starts = [*source.line_starts, len(text) + 1]
    opened: int | None = None
    depth = 0
    for start, following in pairwise(starts):
        stop = _without_comment(text, start, min(following, len(text)))
        line = text[start:stop]
        if not line.strip():
            continue
        if opened is not None and STARTS.match(line):
            yield opened, _end(text, opened, start)
            opened, depth = None, 0
        depth += line.count("(") + line.count("[") - line.count(")") - line.count("]")
        if depth > 0:
            opened = start if opened is None else opened
            continue
        begin = start if opened is None else opened
        opened, depth = None, 0
        yield begin + len(text[begin:stop]) - len(text[begin:stop].lstrip()), _end(text, begin, stop)
    if opened is not None:
        yield opened, _end(text, opened, len(text))


def _end(text: str, start: int, stop: int) -> int:
    return start + len(text[start:stop].rstrip())


def _without_comment(text: str, start: int, stop: int) -> int:
    if text.find("#", start, stop) < 0:
        return stop
    found = COMMENT.search(text, start, stop)
    return found.start() if found else stop


def _check_characters(source: Source) -> None:
    """No invisible characters: they make two names look alike, and text run the other way."""
    if source.text.isascii() and "\0" not in source.text:
        return
    found = re.search("[\0-\x08\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]", source.text)
    if found:
        span = Span(source, found.start(), found.end())
        raise ReadError(f"An invisible character U+{ord(found.group()):04X} stands here.", span, cure="Delete it.")


# -- what the statements say ---------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class _Definition:
    name: str
    kind: Kind | None
    formula: Formula | None
    span: Span


@dataclass(slots=True, eq=False)
class _Arrow:
    tail: Ref
    weight: Ref
    span: Span


@dataclass(slots=True, eq=False)
class _Unit:
    span: Span
    activation: str = ""
    activation_span: Span | None = None
    parameters: tuple[Formula, ...] = ()
    bias: Ref | None = None
    bias_span: Span | None = None
    arrows: list[_Arrow] = field(default_factory=list[_Arrow])


class _Statements:
    """What has been read so far; `graph()` puts it together."""

    def __init__(self, notation: Notation) -> None:
        self.notation = notation
        self.errors: list[BackhandError] = []
        self.elements = 0
        self.broken: set[str] = set()
        self.definitions: list[_Definition] = []
        self.units: dict[str, _Unit] = {}
        self.order: dict[str, None] = {}
        self.asks: list[Ask] = []
        self.ask_spans: list[Span] = []
        self.update: Update | None = None
        self.update_span: Span | None = None

    def names(self) -> set[str]:
        return {*self.order}

    def add(self, made: Any) -> None:
        match made:
            case ("definitions", *items):
                self._define_all(None, items)
            case ("kind_line", Token() as word, *items):
                self._define_all(KINDS[word.strip()], items)
            case ("arrow", Token() as tail, Token(), Token() as head, weight):
                self._arrow(tail, head, weight)
            case ("unit", *items):
                self._unit(items)
            case ("ask", Token(), *wishes):
                for wish in self._joined(wishes):
                    self._wish(wish)
            case ("update", Token() as word, Token() as name, Token(), formula, how):
                self._step(word, name, formula, how)
            case _:
                raise AssertionError(made)

    # -- definitions ------------------------------------------------------------------------------------

    def _define_all(self, kind: Kind | None, items: list[Any]) -> None:
        for rule, name, *rest in items:
            formula = rest[1] if rule == "definition" else ("question",)
            self._define(name, kind, None if isinstance(formula, tuple) else formula)

    def _define(self, token: Token, kind: Kind | None, formula: Formula | None) -> str:
        name = plain_name(token)
        if name.casefold() in ("nan", "inf", "infinity"):
            raise ReadError(
                f"{name} is no name for a quantity.", self.notation.span(token), cure="Choose another name."
            )
        self.order.setdefault(name)
        self.definitions.append(_Definition(name, kind, formula, self.notation.span(token)))
        return name

    # -- arrows and units --------------------------------------------------------------------------------

    def _arrow(self, tail: Token, head: Token, weight: Any) -> None:
        span = self.notation.span(tail, head)
        tail_name, head_name = plain_name(tail), plain_name(head)
        if weight is None:
            raise ReadError(
                f"The arrow {tail_name} -> {head_name} has no weight.",
                span,
                cure=f"Write it behind a colon, {tail_name} -> {head_name} : 1, or ? if it has no value.",
            )
        own = f"w[{tail_name},{head_name}]"
        weight_span = span
        match weight:
            case ("named_weight", Token() as name, Token(), value):
                own, weight_span = plain_name(name), self.notation.span(name)
                self._define(name, "weight", None if isinstance(value, tuple) else value)
            case Ref():
                own, weight_span = weight.name, weight.span or span
            case _:
                formula: Formula | None = None if isinstance(weight, tuple) else weight
                self.order.setdefault(own)
                self.definitions.append(_Definition(own, "weight", formula, span))
        self.order.setdefault(head_name)
        tail_ref = Ref(tail_name, False, self.notation.span(tail))
        unit = self.units.setdefault(head_name, _Unit(self.notation.span(head)))
        unit.arrows.append(_Arrow(tail_ref, Ref(own, False, weight_span), span))

    def _unit(self, items: list[Any]) -> None:
        colon = next(i for i, item in enumerate(items) if not isinstance(item, Token))
        heads = items[:colon]
        for head in heads:
            name = plain_name(head)
            self.order.setdefault(name)
            unit = self.units.setdefault(name, _Unit(self.notation.span(head)))
            for part in items[colon:]:
                self._part(unit, name, part)

    def _part(self, unit: _Unit, name: str, part: Any) -> None:
        match part:
            case ("activation", Token() as word):
                self._activation(unit, word, ())
            case ("activation_with", Token() as word, Token(), args, Token()):
                self._activation(unit, word, args)
            case ("named_bias" | "bias", Token() as word, *_) if unit.bias is not None and unit.bias_span is not None:
                earlier = unit.bias_span.line
                raise ReadError(
                    f"{name} has a bias already, in line {earlier}.",
                    self.notation.span(word),
                    cure="Keep one of the two.",
                )
            case ("named_bias", Token() as word, Token() as token, Token(), value):
                unit.bias_span = self.notation.span(word)
                defined = self._define(token, "bias", None if isinstance(value, tuple) else value)
                unit.bias = Ref(defined, False, self.notation.span(token))
            case ("bias", Token() as word, *rest):
                unit.bias_span = self.notation.span(word)
                value = rest[-1]
                if isinstance(value, Ref):
                    unit.bias = value
                    return
                own = f"b[{name}]"
                self.order.setdefault(own)
                formula = None if isinstance(value, tuple) else value
                self.definitions.append(_Definition(own, "bias", formula, self.notation.span(word)))
                unit.bias = Ref(own, False, self.notation.span(word))
            case _:
                raise AssertionError(part)

    def _activation(self, unit: _Unit, word: Token, parameters: tuple[Formula, ...]) -> None:
        span = self.notation.span(word)
        if str(word) not in FUNCTIONS:
            from difflib import get_close_matches

            near = get_close_matches(str(word), sorted(FUNCTIONS), n=1)
            raise ReadError(
                f"{word} is no activation.",
                span,
                cure=f"Did you mean {near[0]}?" if near else "Known are sigmoid, tanh, relu and every other function.",
            )
        if unit.activation:
            raise ReadError(
                f"This unit already has the activation {unit.activation}.", span, cure="Keep one of the two."
            )
        unit.activation, unit.activation_span, unit.parameters = str(word), span, parameters

    # -- what is asked ------------------------------------------------------------------------------------

    def _joined(self, wishes: list[Any]) -> list[list[Token]]:
        """Commas separate wishes, and also the names behind `by`."""
        joined: list[list[Token]] = []
        for wish in wishes:
            words: list[Token] = list(wish[1:])
            alone = len(words) == 1 and str(words[0]) not in ("values", "pairs")
            if joined and alone and any(str(w) == "by" for w in joined[-1]) and words[0].type == "NAME":
                joined[-1].extend(words)
            else:
                joined.append(words)
        return joined

    def _wish(self, words: list[Token]) -> None:
        plain = [plain_name(word) for word in words]
        span = self.notation.span(words[0], words[-1])
        match plain:
            case ["values"]:
                ask = Ask("values")
            case ["pairs"] | ["all", "pairs"]:
                ask = Ask("pairs")
            case ["derivatives", "of", of]:
                ask = Ask("derivatives", of)
            case ["derivatives", "of", of, "by", *by] if by:
                ask = Ask("derivatives", of, tuple(name for name in by if name != "and"))
            case [single] if words[0].type == "SLOPE":
                of, _, wrt = single.partition("/d")
                ask = Ask("derivative", of[1:], (wrt,))
            case [single]:
                ask = Ask("value", single)
            case _:
                raise ReadError(
                    f"“ask {' '.join(plain)}” is not understood.",
                    span,
                    cure="Ask for values, derivatives of L, derivatives of L by w1, dL/dw1, pairs, or a name.",
                )
        self.asks.append(ask)
        self.ask_spans.append(span)

    # -- a step of gradient descent --------------------------------------------------------------------------

    def _step(self, word: Token, name: Token, formula: Formula, how: Any) -> None:
        """`step lr = 0.5 by w1 w2 for 3 steps in place`."""
        span = self.notation.span(word, name)
        if self.update_span is not None:
            raise ReadError(
                f"A second step; line {self.update_span.line} already says one.", span, cure="Keep one of them."
            )
        if next(references(formula), None) is not None or makes_arrays(formula):
            raise ReadError(
                f"The rate {name} is a number, and here is a formula.",
                formula.span or span,
                cure=f"Write {name} = 0.5.",
            )
        rate = evaluate_constant(formula, plain_name(name), formula.span or span)
        made = Update(rate, plain_name(name))
        words: list[Token] = [] if how is None else [w for w in how[1:] if str(w) != ","]
        while words:
            first = words.pop(0)
            rest = 0
            while rest < len(words) and words[rest].type not in ("BY", "FOR", "IN"):
                rest += 1
            told, words = words[:rest], words[rest:]
            match first.type, [str(w) for w in told]:
                case "BY", [_, *_] if not made.by and all(w.type == "NAME" for w in told):
                    made = made._replace(by=tuple(dict.fromkeys(map(plain_name, told))))
                case "FOR", [count, "step" | "steps" | "times"] if made.steps == 1 and count.isdecimal():
                    made = made._replace(steps=self._count(told[0]))
                case "IN", ["place"] if not made.in_place:
                    made = made._replace(in_place=True)
                case _:
                    raise ReadError(
                        f"“{' '.join(map(str, [first, *told]))}” is not understood.",
                        self.notation.span(first, told[-1] if told else first),
                        cure="Write step lr = 0.5, and behind it by w1 w2, for 3 steps, or in place.",
                    )
        self.update, self.update_span = made, span

    def _count(self, token: Token) -> int:
        if len(token) > 9 or not 1 <= int(token) <= limits.STEPS:
            raise LimitError(
                f"{token} steps; 1 to {limits.STEPS} are made.", self.notation.span(token), cure="Ask for so many."
            )
        return int(token)

    def _check_step(self, graph: Graph) -> None:
        """Its names are quantities with values of their own."""
        assert self.update is not None and self.update_span is not None
        if self.update.name in graph:
            what = f"{self.update.name} is the rate of the step, and also a quantity of the network."
            self.errors.append(ReadError(what, self.update_span, cure="Leave its definition out, or rename one."))
        for name in self.update.by:
            if name not in graph:
                self.errors.append(unknown(name, graph.index, self.update_span, user="This line"))
            elif graph[name].computed:
                what = f"{name} is computed, and a step changes what is given."
                self.errors.append(ReadError(what, self.update_span, cure="Name weights and biases."))

    # -- putting together ----------------------------------------------------------------------------------

    def graph(self) -> Graph:
        versions = self._versions()
        quantities = [*self._quantities(versions)]
        if self.errors:
            self._undefined(quantities)
        raise_all(self.errors)
        if not quantities:
            source = self.notation.source
            raise ReadError(
                f"{source.name} holds no network: nothing is defined.", cure="Write, for example, x = 2 and y = x^2."
            )
        graph = Graph.of(quantities, self.asks, self.notation.notices, self.update)
        if self.update is not None:
            self._check_step(graph)
        for ask, span in zip(self.asks, self.ask_spans, strict=True):
            for name in (ask.of, *ask.by):
                if name and name not in graph:
                    self.errors.append(unknown(name, graph.index, span, user="This line"))
        raise_all(self.errors)
        return graph

    def _undefined(self, quantities: list[Quantity]) -> None:
        """The undefined names of a file that has other errors, too; what a broken line might define is let pass."""
        known = {*self.order, *self.broken, *(quantity.name for quantity in quantities)}
        uses = [(q, ref) for q in quantities if q.definition for ref in references(q.definition)]
        self.errors += undefined([(q, ref) for q, ref in uses if ref.name not in known], self.order)

    def _versions(self) -> dict[str, list[_Definition]]:
        """The definitions of each name; more than one only where each later one uses the name itself."""
        found: dict[str, list[_Definition]] = defaultdict(list)
        for definition in self.definitions:
            earlier = found[definition.name]
            if earlier and not _uses_itself(definition):
                what = f"{definition.name} is defined a second time; line {earlier[0].span.line} already defines it."
                self.errors.append(ReadError(what, definition.span, cure=_second_cure(definition)))
                continue
            earlier.append(definition)
        for name, unit in self.units.items():
            if unit.arrows and name in found:
                self.errors.append(
                    ReadError(
                        f"{name} has an equation (line {found[name][0].span.line}) and also arrows into it.",
                        unit.arrows[0].span,
                        cure="Keep the equation or the arrows.",
                    )
                )
            elif not unit.arrows:
                self.errors.append(
                    ReadError(
                        f"No arrow leads into {name}, so it has nothing to take a bias or an activation of.",
                        unit.span,
                        cure=f"Draw one, A1 -> {name} : 2, or write {name} as an equation.",
                    )
                )
        return found

    def _quantities(self, versions: dict[str, list[_Definition]]) -> Iterator[Quantity]:
        renamed = {name: found for name, found in versions.items() if len(found) > 1}
        for name in self.order:
            if name in self.units:
                yield from self._drawn(name, self.units[name])
                continue
            found = versions.get(name, [])
            for number, definition in enumerate(found, start=1):
                own = name if number == len(found) else f"{name}#{number}"
                quantity = self._defined(own, definition, renamed)
                if quantity is not None:
                    yield quantity

    def _defined(self, name: str, definition: _Definition, renamed: dict[str, list[_Definition]]) -> Quantity | None:
        formula, kind = definition.formula, definition.kind
        if formula is not None and self.notation.arrays:
            try:
                from backhand.readers.array_files import loaded  # late: numpy

                formula = loaded(formula, self.notation.source)
            except BackhandError as error:
                self.errors.append(error)
                return None
        if formula is None:
            return Quantity(name, kind or "input", None, None, span=definition.span)
        if renamed:
            formula = rename(formula, lambda ref: _version(ref.name, definition, renamed))
        if next(references(formula), None) is not None:
            if kind is not None and kind != "constant":
                self.errors.append(
                    ReadError(
                        f"{name} is called {'an' if kind == 'input' else 'a'} {kind}, "
                        f"but its value is computed from {names(formula)[0]}.",
                        definition.span,
                        cure=f"Leave the word {kind} out, or write a number.",
                    )
                )
                return None
            return Quantity(name, "computed", formula, span=definition.span)
        try:
            if self.notation.arrays and makes_arrays(formula):
                from backhand.core.arrays import constant, given
                from backhand.core.shapes import size, too_much

                if self.elements > limits.TOGETHER:
                    return None  # which is said already
                value = constant(formula, name, definition.span)
                made = given(name, kind or "input", formula, value, definition.span)
                self.elements += size(made.shape)
                if self.elements > limits.TOGETHER:
                    raise too_much(made)
                return made
            value = evaluate_constant(formula, name, definition.span)
        except BackhandError as error:
            self.errors.append(error)
            return None
        return Quantity(name, kind or "input", formula, value, span=definition.span)

    def _drawn(self, name: str, unit: _Unit) -> Iterator[Quantity]:
        """A drawn unit: the sum over its arrows and its bias, and the activation of that."""
        if not unit.arrows:
            return
        total: Formula | None = None
        for arrow in unit.arrows:
            product = apply(MULTIPLY, arrow.weight, arrow.tail, style="arrow", span=arrow.span)
            total = product if total is None else apply(ADD, total, product, span=unit.span)
        assert total is not None
        if unit.bias is not None:
            total = apply(ADD, total, unit.bias, span=unit.span)
        if not unit.activation:
            yield Quantity(name, "computed", total, span=unit.span)
            return
        inner = f"z[{name}]"
        yield Quantity(inner, "computed", total, span=unit.activation_span)
        try:
            made = call(unit.activation, (Ref(inner, span=unit.span), *unit.parameters), unit.span)
        except ReadError as error:
            self.errors.append(ReadError(error.what, unit.activation_span, cure=error.cure))
            return
        yield Quantity(name, "computed", made, span=unit.span)


def _uses_itself(definition: _Definition) -> bool:
    return definition.formula is not None and any(ref.name == definition.name for ref in references(definition.formula))


def _second_cure(definition: _Definition) -> str:
    if definition.kind == "weight":
        return f"To use one weight on two arrows, write : {definition.name} on the second without a value."
    return f"Choose another name, or let the new one use the old: {definition.name} = {definition.name} + 1."


def _version(name: str, user: _Definition, renamed: dict[str, list[_Definition]]) -> str:
    """Which version of a redefined name a formula means: the one before its own, the one that stands
    when its line comes between two, else the last."""
    found = renamed.get(name)
    if found is None:
        return name
    if name == user.name:
        number = found.index(user)
        return f"{name}#{number}" if number else name
    before = sum(1 for definition in found if definition.span.start < user.span.start)
    return name if before in (0, len(found)) else f"{name}#{before}"
