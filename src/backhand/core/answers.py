r"""Formulas as answers have them: tokens in, a Formula out. The grammar is `answer.lark` on top of `formula.lark`.

    (2)(D-3)'(D-3)        juxtaposed: 2, prime(D - 3), D - 3
    \frac{d}{dD}(D-3)^2   derivative((D - 3)^2, D)

Who writes an answer has LaTeX, plain text or code in hand; the tokens are the same (`readers.tokens`
makes them), so one grammar reads all. Lark makes the tables of the parser from it once, ahead of time
(`python -m backhand.core.answers` writes `answer.json`); here a short loop runs them, because a page
has hundreds of formulas, and a Token and a Tree for each sign would take most of the time.

Derivatives still to be taken are ordinary Apply nodes of two operations that stand in no table of
values, DIFFERENTIATE and PRIME. So everything that folds over formulas knows them; before a formula
is evaluated, `worked_out` takes the derivatives.

Names stay as written. `folded` says which spellings are the same name, `slopes_in` as which
derivatives a name may be read (dB1, dh1_dwh, L_{B_1}): who knows the network tries them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TypeAlias, TypeGuard

from backhand import limits
from backhand.core.arithmetic import NoValue
from backhand.core.formula import Apply, Formula, Num, Ref, Slope, apply, fold, grouped, names, with_args
from backhand.core.notation import SUPERSCRIPTS, VULGAR, Option, call
from backhand.core.operations import (
    ADD,
    DIVIDE,
    FUNCTIONS,
    INFIX,
    MULTIPLY,
    NEGATE,
    OPERATIONS,
    POWER,
    SUBTRACT,
    Operation,
)
from backhand.errors import BackhandError, LimitError, ReadError
from backhand.numbers import TooLong, read_number
from backhand.text import Source, Span

Token: TypeAlias = tuple[str, int, int, str]
"""Its kind (a terminal of the grammar), where it begins and ends, and what it says in normal form."""

TOKENS = 20_000
"""Tokens of one formula."""


# -- operations that are not values ------------------------------------------------------------------------


def _to_be_taken(*_: float) -> NoReturn:
    raise NoValue("a derivative that is still to be taken; see answers.worked_out")


DIFFERENTIATE = Operation(
    "derivative",
    ("u", "v"),
    "derivative(u, v)",
    ("0", "0"),
    "derivative",
    "the derivative of {u} by {v}",
    _to_be_taken,
    latex=r"\frac{{d}}{{d {v}}}\left({u}\right)",
)
"""`\\frac{d}{dD}(D-3)^2`: its arguments are the formula and a Ref, by which it is differentiated."""

PRIME = Operation(
    "prime",
    ("u",),
    "prime(u)",
    ("0",),
    "derivative",
    "the derivative of {u}",
    _to_be_taken,
    latex=r"\left({u}\right)'",
)
"""`(D-3)'`: by what, its writer leaves to the reader."""


def worked_out(formula: Formula, *, by: str = "", depends: Callable[[str, str], bool] | None = None) -> Formula:
    """The formula with all its derivatives taken. `by` is the name meant by a prime; without it, the only name
    there. `depends(name, by)` says that a name varies with `by` without being it; its own Slope then stands
    for how much. Raises ReadError where it cannot be told by what a prime differentiates.

    >>> from backhand.core.formula import Apply, Ref, to_text
    >>> from backhand.core.notation import formula
    >>> to_text(worked_out(Apply(DIFFERENTIATE, (formula("(D - 3)^2"), Ref("D")))))
    '(2 (D - 3))'
    """

    def combine(node: Apply, args: list[Formula]) -> Formula:
        if node.operation is DIFFERENTIATE and isinstance(args[1], Ref):
            return _derivative(args[0], args[1].name, depends, node.span)
        if node.operation is PRIME:
            found = names(args[0])
            if not by and len(found) > 1:
                raise ReadError("A prime by one of several names.", node.span, cure="Write d/dx with the name.")
            return _derivative(args[0], by or (found[0] if found else ""), depends, node.span)
        return with_args(node, args)

    return fold(formula, lambda leaf: leaf, combine)


def _derivative(inside: Formula, by: str, depends: Callable[[str, str], bool] | None, span: Span | None) -> Formula:
    from backhand.core import algebra
    from backhand.core.differentiate import differentiate

    if isinstance(inside, Ref) and inside.name != by:
        return Slope(inside.name, by, True, span)
    total = differentiate(inside, by).formula
    for name in names(inside):
        if name != by and depends is not None and depends(name, by):
            total = algebra.add(total, algebra.multiply(differentiate(inside, name).formula, Slope(name, by)))
    return grouped(total, span)


# -- names -------------------------------------------------------------------------------------------------

GREEK = dict(
    zip(
        "αβγδεϵζηθϑικλμνξοπρσςτυφϕχψωΓΔΘΛΞΠΣΥΦΨΩ",
        "alpha beta gamma delta epsilon epsilon zeta eta theta theta iota kappa lambda mu nu xi omicron pi rho sigma "
        "sigma tau upsilon phi phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split(),
        strict=True,
    )
)
HATS = dict(zip("âĉêĝĥîĵôŝûŵŷẑ", (f"{letter}hat" for letter in "aceghijosuwyz"), strict=True)) | {"\u0302": "hat"}
"""A hat, as one letter with its name or as a mark after it: ŷ is yhat."""

TILDES = dict(zip("ãẽĩñõũṽỹ", (f"{letter}tilde" for letter in "aeinouvy"), strict=True)) | {"\u0303": "tilde"}
CAPITALS = {letter.upper(): name[0].upper() + name[1:] for letter, name in (HATS | TILDES).items() if letter.isalpha()}
FOLDS = str.maketrans({**dict.fromkeys("_{}()[]^, \\→", ""), **GREEK, **HATS, **TILDES, **CAPITALS})


LOOKALIKES = str.maketrans("АВЕКМНОРСТХУІЅЈаеорсхуіјѕΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEKMHOPCTXYISJaeopcxyijsABEZHIKMNOPTYXo")
"""Letters of Cyrillic and Greek that look like others, and come out of keyboards and scanners in their place."""


@lru_cache(4096)
def folded(name: str) -> str:
    """What two spellings of one name have in common: letters and digits.

    >>> [folded(name) for name in ("B_1", "B_{1}", "w_{1,2}", "w[1,2]", "z^(1)", "δ_1", "ŷ_1", "c̃")]
    ['B1', 'B1', 'w12', 'w12', 'z1', 'delta1', 'yhat1', 'ctilde']
    """
    return name.translate(FOLDS)


def slopes_in(name: str) -> list[tuple[str, str]]:
    """The derivatives as which a name may be read: what is differentiated ("" the output asked about), by what.
    The likeliest first; whether its parts are names, only the network knows.

    >>> slopes_in("dB1"), slopes_in("grad_w")
    ([('', 'B1')], [('grad', 'w'), ('', 'w')])
    >>> slopes_in("dh1_dwh")
    [('h1', 'wh'), ('', 'h1_dwh')]
    """
    found: list[tuple[str, str]] = []
    plain = name.replace("{", "").replace("}", "")
    if (plain[:1] in ("d", "∂") or plain[:2] == "D_") and len(plain) > 1:
        inner = plain[1:].lstrip("_")
        for cut in re.finditer(r"_?(?:by_|wrt_)?[d∂](?=[^\W\d])", inner):
            if cut.start() and ("_" in cut.group() or inner[cut.start() - 1].isdigit()):
                found.append((inner[: cut.start()], inner[cut.end() :]))
        found.append(("", inner))
    elif "_" in plain:
        found += [(plain[: at.start()], plain[at.end() :]) for at in re.finditer("_", plain) if at.start()]
    word = re.fullmatch(r"(?:grad|gradient|delta|δ|adj|bar|g)_?(.+)|(.+?)_?(?:grad|gradient|bar|adj|_g)", plain)
    if word:
        found.append(("", word[1] or word[2]))
    return list(dict.fromkeys(pair for pair in found if pair[1]))


# -- the tables --------------------------------------------------------------------------------------------

HERE = Path(__file__).parent
TABLES = HERE / "answer.json"
"""The parser's tables, written by `python -m backhand.core.answers` and checked by a test."""


class Rule(NamedTuple):
    """A rule of the grammar as the loop needs it: what it makes, of how many parts, by which maker; `""` hands on
    its only part."""

    origin: str
    length: int
    maker: str


class Tables(NamedTuple):
    """For each state and symbol the next state, or -1 - rule to apply; where to begin and where the end is; and what
    `FormulaReader._after` has found so far."""

    states: list[dict[str, int]]
    rules: list[Rule]
    start: int
    end: int
    after: dict[tuple[int, str, str], int]


def grammar() -> str:
    """The text of the grammar; what its terminals look like is of no account here."""
    text = "".join((HERE / name).read_text("utf-8") for name in ("formula.lark", "answer.lark"))
    return text.replace("{FUNCTIONS}", "f").replace("{WORD}", "x")


def digest() -> str:
    """What the grammar says, in 64 digits."""
    return hashlib.sha256(grammar().encode()).hexdigest()


def make_tables() -> dict[str, Any]:
    """Lark's tables, as JSON has them. It refuses a grammar that can be read in two ways."""
    from lark import Lark
    from lark.parsers.lalr_analysis import Shift

    made: Any = Lark(grammar(), parser="lalr", start="formula")
    table: Any = made.parser.parser._parse_table  # noqa: SLF001 - lark has no public name for it
    rules = {id(rule): number for number, rule in enumerate(made.rules)}
    states: list[dict[str, int]] = [{} for _ in table.states]
    for number, row in table.states.items():
        for symbol, (action, argument) in row.items():
            states[number][symbol] = argument if action is Shift else -1 - rules[id(argument)]
    kept = [
        (rule.origin.name, len(rule.expansion), rule.alias or ("" if rule.options.expand1 else "several"))
        for rule in made.rules
    ]
    ends = {"start": table.start_states["formula"], "end": table.end_states["formula"]}
    return {"digest": digest(), "states": states, "rules": kept, **ends}


@lru_cache(1)
def _tables() -> Tables:
    stored = json.loads(TABLES.read_text("utf-8"))
    rules = [Rule(origin, length, maker) for origin, length, maker in stored["rules"]]
    return Tables(stored["states"], rules, stored["start"], stored["end"], {})


# -- the loop ----------------------------------------------------------------------------------------------


class FormulaReader:
    """Reads pieces of one source from their tokens."""

    def __init__(self, source: Source) -> None:
        tables = _tables()
        self.source = source
        self.states = tables.states
        self.start, self.end = tables.start, tables.end
        self.rules = [(rule.origin, rule.length, getattr(self, rule.maker or "_", None)) for rule in tables.rules]
        self.after = tables.after

    def read(self, tokens: Sequence[Token]) -> Formula:
        """The formula of these tokens, at least one. Raises ReadError or LimitError, with place and reason."""
        if len(tokens) > TOKENS:
            raise LimitError(f"A formula of {len(tokens)} signs; at most {TOKENS} are read.", self._span(tokens[0]))
        last = tokens[-1][2]
        stack: list[int] = [self.start]
        values: list[Any] = []
        states, rules, known = self.states, self.rules, self.after
        for token in (*tokens, ("$END", last, last, "")):
            kind = token[0]
            while True:
                action = states[stack[-1]].get(kind)
                if action is None:
                    raise self._refuse(tokens, token, stack)
                if action >= 0:
                    stack.append(action)
                    values.append(token)
                    break
                origin, length, maker = rules[-1 - action]
                if maker is None:
                    stack.pop()
                elif length == 1:
                    stack.pop()
                    values[-1] = maker(values[-1])
                else:
                    values[-length:] = (maker(*values[-length:]),)
                    del stack[-length:]
                below = stack[-1]
                state = known.get((below, origin, kind))
                if state is None:
                    state = known[below, origin, kind] = self._after(below, origin, kind)
                stack.append(state)
                if state == self.end and kind == "$END":
                    break
        made: Formula = values[0]
        return made

    def _after(self, below: int, origin: str, kind: str) -> int:
        """The state in which an `origin` on top of `below` leaves the parser, all rules done that only hand it on."""
        row = self.states[below]
        state = row[origin]
        while state != self.end or kind != "$END":
            action = self.states[state].get(kind, 0)
            if action >= 0 or self.rules[-1 - action][2] is not None:
                break
            state = row[self.rules[-1 - action][0]]
        return state

    def _refuse(self, tokens: Sequence[Token], token: Token, stack: list[int]) -> ReadError:
        kind, start, end, said = token
        if kind == "BAD":
            return ReadError(said, Span(self.source, start, end))
        if kind == "$END":
            opened = _unclosed(tokens)
            if opened is not None:
                return ReadError(f"This {self._written(opened)} is never closed.", self._span(opened))
            return ReadError("Something is missing at its end.", self._span(tokens[-1]))
        if kind in ("CLOSE", "RIGHT", "ENDBAR"):
            closes = any(before[0] in ("OPEN", "LEFT", "BAR") for before in tokens if before[1] < start)
            written = self._written(token)
            return ReadError(
                f"Something is missing before {written}." if closes else f"This {written} closes nothing.",
                self._span(token),
            )
        if kind == "COMMA":
            return ReadError("Several numbers in one, a vector or a pair; such are not read.", self._span(token))
        if len(stack) > 1 and token is tokens[0]:
            return ReadError(f"It cannot begin with {self._written(token)}.", self._span(token))
        return ReadError(f"{self._written(token)} cannot stand here.", self._span(token))

    def _written(self, token: Token) -> str:
        return self.source.text[token[1] : token[2]][:40] or token[3] or token[0]

    def _span(self, token: Token) -> Span:
        return Span(self.source, token[1], token[2])

    # -- what the rules make: one method a rule --------------------------------------------------------

    def number(self, token: Token) -> Formula:
        try:
            value = _number(token[3])
        except TooLong as error:
            raise LimitError(f"Here is {error}.", self._span(token)) from None
        return Num(value, token[3], False, Span(self.source, token[1], token[2]))

    def vulgar(self, token: Token) -> Formula:
        return Num(VULGAR[token[3]], f"({VULGAR[token[3]]})", False, self._span(token))

    def reference(self, token: Token) -> Formula:
        return Ref(token[3], False, Span(self.source, token[1], token[2]))

    def slope(self, token: Token) -> Formula:
        of, _, by = token[3].partition("|")
        return Slope(of, by, False, Span(self.source, token[1], token[2]))

    def group(self, opened: Token, inside: Formula, closed: Token) -> Formula:
        return grouped(inside, Span(self.source, opened[1], closed[2]))

    def braces(self, _: Token, inside: Formula, __: Token) -> Formula:
        """Braces only hold together; where plain notation would lose that, they become parentheses."""
        if isinstance(inside, Apply) and inside.operation.name in INFIX and not _lone_minus(inside):
            return grouped(inside)
        return inside

    def fraction(
        self, sign: Token, _: Token, above: Formula, __: Token, ___: Token, below: Formula, closed: Token
    ) -> Formula:
        above = grouped(above) if isinstance(above, Apply) and above.operation in (ADD, SUBTRACT) else above
        below = grouped(below) if isinstance(below, Apply) and below.operation.name in INFIX else below
        return apply(DIVIDE, above, below, parens=True, span=Span(self.source, sign[1], closed[2]))

    def root(self, sign: Token, _: Token, inside: Formula, closed: Token) -> Formula:
        return apply(OPERATIONS["sqrt", 1], inside, span=Span(self.source, sign[1], closed[2]))

    def absolute(self, opened: Token, inside: Formula, closed: Token) -> Formula:
        return apply(OPERATIONS["abs", 1], inside, span=Span(self.source, opened[1], closed[2]))

    def add(self, left: Formula, sign: Token, right: Formula) -> Formula:
        self._check_reach(left, sign)
        return apply(ADD, left, right, span=self._across(left, right))

    def subtract(self, left: Formula, sign: Token, right: Formula) -> Formula:
        self._check_reach(left, sign)
        return apply(SUBTRACT, left, right, span=self._across(left, right))

    def multiply(self, left: Formula, sign: Token, right: Formula) -> Formula:
        self._check_reach(left, sign)
        style = sign[3] if sign[3] in ("*", "@", "⊙") else "·"
        return apply(MULTIPLY, left, right, style=style, span=self._across(left, right))

    def divide(self, left: Formula, sign: Token, right: Formula) -> Formula:
        self._check_reach(left, sign)
        return apply(DIVIDE, left, right, span=self._across(left, right))

    def juxtapose(self, left: Formula, right: Formula) -> Formula:
        span = self._across(left, right)
        if isinstance(right, Num) and right.span and right.span.text in VULGAR:
            if isinstance(left, Apply) and left.operation is NEGATE and _whole(left.args[0]):
                return apply(NEGATE, self.juxtapose(left.args[0], right), span=span)
            if _whole(left):
                value = left.value + right.value  # 5½
                return Num(value, f"({value})", False, span)
        if _bare_number(right) and _ends_in_number(left):
            raise ReadError("Two numbers side by side.", span, cure="A sign between them is missing.")
        if _is_taking(left):
            return self._taken_further(left, right, span)
        if _is_bare_call(_last_factor(left)) and not _is_function(right):
            raise ReadError(f"How far does {_name(_last_factor(left))} reach?", span, cure="Parentheses would tell.")
        return apply(MULTIPLY, left, right, style="juxtaposed", span=span)

    def negate(self, sign: Token, inside: Formula) -> Formula:
        end = inside.span.end if inside.span else sign[2]
        return apply(NEGATE, inside, span=Span(self.source, sign[1], end))

    def keep(self, _: Token, inside: Formula) -> Formula:
        return inside

    def raise_to(self, base: Formula, _: Token, exponent: Formula) -> Formula:
        return apply(POWER, base, exponent, span=self._across(base, exponent))

    def raise_superscript(self, base: Formula, token: Token) -> Formula:
        exponent = self._exponent(token)
        return apply(POWER, base, exponent, span=self._across(base, exponent))

    def _exponent(self, token: Token) -> Formula:
        digits = token[3].translate(SUPERSCRIPTS)
        span = self._span(token)
        if len(digits) > limits.DIGITS:
            raise LimitError(f"A number of {len(digits)} digits; at most {limits.DIGITS} are read.", span)
        exponent: Formula = Num(Fraction(int(digits.lstrip("+-"))), digits.lstrip("+-"), False, span)
        return apply(NEGATE, exponent, span=span) if digits.startswith("-") else exponent

    def several(self, *parts: Any) -> list[Formula]:
        """Arguments between commas."""
        found: list[Formula] = []
        for part in parts:
            if isinstance(part, list):
                found += part  # pyright: ignore[reportUnknownArgumentType]
            elif not isinstance(part, tuple):
                found.append(part)
        return found

    def call(self, name: Token, _: Token, args: list[Formula], closed: Token) -> Formula:
        span = Span(self.source, name[1], closed[2])
        if name[3] in ("matmul", "dot", "multiply") and len(args) == 2:
            style = "⊙" if name[3] == "multiply" else "@"
            return apply(MULTIPLY, *args, style=style, parens=True, span=span)
        if name[3] in ("diag", "einsum"):
            return self._of_answers(name[3], args, span)
        return call(name[3], tuple(_told(arg) for arg in args if not _of_no_account(arg)), span)

    def _of_answers(self, name: str, args: list[Formula], span: Span) -> Formula:
        """What only answers have: diag(p), einsum("i,j->ij", a, b)."""
        from backhand.core import answer_arrays

        if name == "diag" and len(args) == 1:
            return answer_arrays.diagonal(args[0], span)
        if name == "einsum" and args and isinstance(told := args[0], Ref) and told.name[:1] == QUOTE:
            subscripts = told.name.strip(QUOTE).translate(UNQUOTED).replace(" ", "")
            if (made := answer_arrays.einsum(subscripts, args[1:], span)) is not None:
                return made
        raise ReadError(f"{name} is not read with what it is told here.", span)

    def call_raised(
        self, name: Token, _: Token, exponent: Formula, opened: Token, args: list[Formula], closed: Token
    ) -> Formula:
        span = Span(self.source, name[1], closed[2])
        if isinstance(exponent, Apply) and exponent.operation is NEGATE:
            raise ReadError(f"{name[3]} to the -1 may be the inverse function or 1 over it.", span)
        return apply(POWER, self.call(name, opened, args, closed), exponent, span=span)

    def call_superscript(self, name: Token, token: Token, opened: Token, args: list[Formula], closed: Token) -> Formula:
        return self.call_raised(name, token, self._exponent(token), opened, args, closed)

    def call_bare(self, name: Token, arg: Formula) -> Formula:
        end = arg.span.end if arg.span else name[2]
        made = call(name[3], (arg,), Span(self.source, name[1], end))
        assert isinstance(made, Apply)
        return Apply(made.operation, made.args, "juxtaposed", False, made.span, made.depth)

    def call_bare_raised(self, name: Token, _: Token, exponent: Formula, arg: Formula) -> Formula:
        bare = self.call_bare(name, arg)
        if isinstance(exponent, Apply) and exponent.operation is NEGATE:
            raise ReadError(f"{name[3]} to the -1 may be the inverse function or 1 over it.", bare.span)
        return apply(POWER, bare, exponent, span=bare.span)

    def call_bare_superscript(self, name: Token, token: Token, arg: Formula) -> Formula:
        return self.call_bare_raised(name, token, self._exponent(token), arg)

    def change(self, name: Token, _: Token, inside: Formula, closed: Token) -> Formula:
        """σ'(z): what the table says the derivative of σ is, at z."""
        from backhand.core import algebra
        from backhand.core.evaluate import row_formula

        row = OPERATIONS[name[3], 1]
        letters = {"u": inside, "y": apply(row, inside, span=inside.span)}
        return grouped(algebra.substitute(row_formula(row.partials[0]), letters), Span(self.source, name[1], closed[2]))

    def primed(self, opened: Token, inside: Formula, _: Token, prime: Token) -> Formula:
        return apply(PRIME, inside, span=Span(self.source, opened[1], prime[2]))

    def differentiate(self, sign: Token, inside: Formula) -> Formula:
        span = Span(self.source, sign[1], inside.span.end if inside.span else sign[2])
        by = Ref(sign[3], False, self._span(sign))
        if isinstance(inside, Ref):
            return Slope(inside.name, by.name, False, span)
        return apply(DIFFERENTIATE, inside, by, span=span)

    # -- how far an operator in front reaches ----------------------------------------------------------

    def _taken_further(self, left: Formula, right: Formula, span: Span) -> Formula:
        """`d/dx 3 x^2` differentiates all of 3 x^2; `d/dx (x)(y)` could mean either."""
        assert isinstance(left, Apply)
        inside, by = left.args
        if _closed(inside):
            raise ReadError("How far does the derivative reach?", span, cure="Parentheses would tell.")
        return apply(DIFFERENTIATE, self.juxtapose(inside, right), by, span=span)

    def _check_reach(self, left: Formula, sign: Token) -> None:
        last = left
        while isinstance(last, Apply) and last.operation in (ADD, SUBTRACT) and not last.parens:
            last = last.args[1]
        if _is_taking(last) and isinstance(last, Apply) and not _closed(last.args[0]):
            raise ReadError("How far does the derivative reach?", self._span(sign), cure="Parentheses would tell.")

    def _across(self, left: Formula, right: Formula) -> Span:
        assert left.span is not None and right.span is not None
        return Span(self.source, left.span.start, right.span.end)


@lru_cache(4096)
def _number(text: str) -> Fraction:
    return read_number(text)


QUOTE = "\u01c3"
UNQUOTED = str.maketrans("\u01c0\u01c2\u01c1", ",->")
"""Subscripts of einsum as one name, as `readers.array_text` writes them."""

OPTION_NAME = re.compile("(axis|keepdims|dim|keepdim|dtype|ddof|shape)\u01c2+")


def _told(arg: Formula) -> Formula | Option:
    """`axisǂ0`, as a reader of pages about arrays writes `axis=0`, is what a function is told."""
    match arg:
        case Ref() if (found := OPTION_NAME.match(arg.name)) is not None:
            rest = arg.name[found.end() :]
            value: Formula = Num(Fraction(int(rest))) if rest.isdigit() else Ref(rest)
        case Apply() if arg.operation.name == "-" and isinstance(arg.args[0], Ref) and isinstance(arg.args[1], Num):
            found = OPTION_NAME.fullmatch(arg.args[0].name)
            if found is None:
                return arg
            value = apply(NEGATE, arg.args[1])
        case _:
            return arg
    name = {"dim": "axis", "keepdim": "keepdims"}.get(found[1], found[1])
    assert arg.span is not None
    return Option(name, value, arg.span)


def _of_no_account(arg: Formula) -> bool:
    """`dtype=...`"""
    return isinstance(arg, Ref) and arg.name.startswith(("dtype\u01c2", "ddof\u01c2"))


def _unclosed(tokens: Sequence[Token]) -> Token | None:
    stack: list[Token] = []
    for token in tokens:
        if token[0] in ("OPEN", "LEFT", "BAR"):
            stack.append(token)
        elif token[0] in ("CLOSE", "RIGHT", "ENDBAR") and stack:
            stack.pop()
    return stack[-1] if stack else None


def _lone_minus(formula: Apply) -> bool:
    return formula.operation is NEGATE and not isinstance(formula.args[0], Apply)


def _bare_number(formula: Formula) -> bool:
    while isinstance(formula, Apply) and formula.operation is POWER and not formula.parens:
        formula = formula.args[0]
    return isinstance(formula, Num) and not formula.parens


def _whole(formula: Formula) -> TypeGuard[Num]:
    return isinstance(formula, Num) and formula.text.isdigit() and not formula.parens


def _ends_in_number(formula: Formula) -> bool:
    while isinstance(formula, Apply) and not formula.parens and formula.operation.name in ("*", "/", "neg", "^"):
        formula = formula.args[-1]
    return isinstance(formula, Num) and not formula.parens


def _last_factor(formula: Formula) -> Formula:
    while isinstance(formula, Apply) and not formula.parens and formula.operation.name in ("*", "/", "neg"):
        formula = formula.args[-1]
    return formula


def _is_bare_call(formula: Formula) -> bool:
    if not isinstance(formula, Apply):
        return False
    return formula.style == "juxtaposed" and len(formula.args) == 1 and not formula.parens


def _is_function(formula: Formula) -> bool:
    return isinstance(formula, Apply) and formula.operation.name not in INFIX


def _name(formula: Formula) -> str:
    return formula.operation.name if isinstance(formula, Apply) else ""


def _is_taking(formula: Formula) -> bool:
    return isinstance(formula, Apply) and formula.operation is DIFFERENTIATE and not formula.parens


def _closed(formula: Formula) -> bool:
    """Whether parentheses or a function show where the formula ends: (D-3), (D-3)^2, tanh(z)."""
    if formula.parens or _is_function(formula):
        return True
    return isinstance(formula, Apply) and formula.operation is POWER and _closed(formula.args[0])


__all__ = ["DIFFERENTIATE", "FUNCTIONS", "PRIME", "BackhandError", "FormulaReader", "Token", "folded", "slopes_in"]


if __name__ == "__main__":
    TABLES.write_text(json.dumps(make_tables(), separators=(",", ":")) + "\n", "utf-8")
