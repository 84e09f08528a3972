"""Reading formulas: the grammar in `formula.lark` (and `net.lark` on top of it) and what its rules make.

`formula(text)` reads one formula; readers of whole files use a `Notation`, which knows where a piece
stands in its file and which names the file defines itself (a file's own names win over functions
and constants). Every node made has its Span. What is unusual is read as what it means, and a notice
says so.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from lark import Lark, Token
from lark.exceptions import UnexpectedInput, UnexpectedToken, VisitError

from backhand import limits
from backhand.core.formula import Apply, Formula, Num, Param, Ref, Slope, Style, apply, grouped, to_text
from backhand.core.operations import (
    ADD,
    ARRAY_FUNCTIONS,
    CONSTANTS,
    DIVIDE,
    FUNCTIONS,
    MULTIPLY,
    NEGATE,
    OPERATIONS,
    POWER,
    SUBTRACT,
    arities,
)
from backhand.errors import BackhandError, LimitError, ReadError
from backhand.numbers import TooLong, read_number
from backhand.text import Source, Span

LETTER = "A-Za-z_\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02af\u0370-\u03ff\u0400-\u052f\u1e00-\u1eff"
MARKS = "\u0300-\u036f"
"""Marks that stand over or under the letter before: y and U+0302 are ŷ."""
WORD = rf"[{LETTER}](?:[{LETTER}{MARKS}0-9\u2080-\u2089](?!\{{))*(?:_\{{[^{{}}\n]{{0,40}}\}})?['\u2032]*"
MARKED = re.compile(f"[{MARKS}]")
SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉′", "0123456789'")
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
VULGAR = {
    character: Fraction(quotient)
    for character, quotient in zip(
        "¼½¾⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞", "1/4 1/2 3/4 1/3 2/3 1/5 2/5 3/5 4/5 1/6 5/6 1/8 3/8 5/8 7/8".split(), strict=True
    )
}


class Notice(NamedTuple):
    """Something that was read or computed by a convention, and where."""

    words: str
    span: Span | None = None


def plain_name(text: str) -> str:
    """A name as it is kept: no blanks in brackets, subscript digits as digits, ′ as ', and a letter with its mark
    as one letter, if there is one.

    >>> plain_name("w[A₁, B₁]")
    'w[A1,B1]'
    """
    if not text.isascii() and MARKED.search(text):
        text = unicodedata.normalize("NFC", text)
    return text.translate(SUBSCRIPTS).replace(" ", "").replace("\t", "")


HERE = Path(__file__).parent


def grammar(*, slopes: bool = True) -> str:
    """The text of both grammars."""
    text = "".join((HERE / name).read_text("utf-8") for name in ("formula.lark", "arrays.lark", "net.lark"))
    text = text.replace("{WORD}", WORD)
    return text if slopes else re.sub(r"(?m)^SLOPE\.2: .*$", "SLOPE.2: /(?!)x/", text)


OPTIONS: dict[str, Any] = {"parser": "lalr", "start": ["formula", "line"], "lexer": "basic", "maybe_placeholders": True}
"""How Lark reads the grammars."""


class Notation:
    """A reader of pieces of one source. Not for two threads at once; make one each."""

    def __init__(self, source: Source, own: frozenset[str] = frozenset()) -> None:
        self.source = source
        self.own = own
        self.offset = 0
        self.notices: list[Notice] = []
        self.stepping = False
        """Whether the piece at hand is the line of a step."""
        self.arrays = False
        """Whether anything of arrays has been read."""
        slopes = not any(name.startswith("d") and len(name) > 1 for name in own)
        self.parser: Any = _parser(slopes)

    def formula(self, start: int, end: int) -> Formula:
        """Read source[start:end] as one formula."""
        return self.read("formula", start, end)

    def read(self, rule: str, start: int, end: int) -> Any:
        """Read source[start:end] by a rule of the grammar. Raises ReadError or LimitError."""
        text = self.source.text[start:end]
        self.offset = start
        self.text = text
        self.stepping = False
        _check_size(text, self.source, start)
        _makers.current = self
        try:
            return self.parser.parse(text, start=rule)
        except VisitError as error:
            if isinstance(error.orig_exc, BackhandError):
                raise error.orig_exc from None
            raise
        except UnexpectedInput as error:
            raise self._unexpected(error) from None

    def follows(self, position: int) -> str:
        """The next character that is no blank, on the same line; empty at its end."""
        rest = self.text[position : position + 100].lstrip(" \t")
        return rest[:1]

    # -- places -----------------------------------------------------------------------------------

    def span(self, first: Token, last: Token | None = None) -> Span:
        last = last or first
        return Span(self.source, self.offset + (first.start_pos or 0), self.offset + (last.end_pos or 0))

    def _unexpected(self, error: UnexpectedInput) -> ReadError:
        """What the parser did not understand, in the reader's words."""
        text = self.text
        token: Any = getattr(error, "token", None)
        if token is not None and token.type == "$END":
            position = len(text.rstrip())
            opener = _unclosed(text)
            if opener is not None:
                sign = text[opener]
                return ReadError(
                    f"This {sign} is never closed.", self._at(opener), cure=f"Add the missing {CLOSER[sign]}."
                )
            return ReadError(
                "The line ends where something more is needed.",
                self._at(max(0, position - 1)),
                cure=_wanted(_expected(error)),
            )
        position: int = error.pos_in_stream or 0
        if token is not None:
            position = token.start_pos or 0
        return explain(text, position, self._at(position), error)

    def _at(self, position: int, length: int = 1) -> Span:
        return Span(self.source, self.offset + position, self.offset + position + length)


def explain(text: str, position: int, span: Span, error: UnexpectedInput) -> ReadError:
    """A sentence for a character or token that cannot stand where it stands."""
    character = text[position : position + 1]
    if character == "[":
        return ReadError(
            "These square brackets cannot be read here.",
            span,
            cure="They hold the names of an arrow's weight, w[A1,B1], the elements of an array, [1, 2], or the numbers "
            "of one of its elements, x[0].",
        )
    if character in (")", "]"):
        return _closing(text, position, span)
    before = _unclosed(text[:position])
    inside = text[before] if before is not None else ""
    if (mended := _array_slip(text, position, span, inside)) is not None:
        return mended
    if (comma := _decimal_comma(text, position)) is not None:
        whole, part = comma
        return ReadError(
            "A comma separates definitions.",
            span,
            cure=f"Write a decimal point: {whole}.{part} instead of {whole},{part}.",
        )
    if re.match(r"\.?[0-9.]+", text[position:]) and re.match(r"[0-9.]+\.[0-9]*\.", text[position:]):
        return ReadError("A number with two decimal points.", span, cure="Keep one of them.")
    if character.isdecimal() and not character.isascii():
        return ReadError(f"The digit {character} is not one of 0 to 9.", span, cure=f"Write {int(character)} instead.")
    if not character.isprintable():
        return ReadError(f"An invisible character U+{ord(character):04X} stands here.", span, cure="Delete it.")
    if character == "=" and text.count("=") > 1:
        return ReadError(
            "A second = in one definition.", span, cure="Put each definition on its own line, or a comma between."
        )
    if character in ("{", "\\"):
        return ReadError(
            f"{character} belongs to LaTeX; a network is written in plain notation.",
            span,
            cure="Write a/b for a fraction and sqrt(x) for a root.",
        )
    if (mended := _elsewhere(text, position, span)) is not None:
        return mended
    if isinstance(error, UnexpectedToken):
        return ReadError(
            f"{_quoted(text[position : position + _length(error)])} cannot stand here.",
            span,
            cure=_wanted(_expected(error)),
        )
    return ReadError(
        f"The character {_quoted(character)} is not part of the notation.",
        span,
        cure="Formulas are made of names, numbers, + - * / ^ ( ) and functions such as exp(x).",
    )


CLOSER = {"(": ")", "[": "]"}


def _closing(text: str, position: int, span: Span) -> ReadError:
    """For a bracket that cannot stand where it closes."""
    sign = text[position]
    other = "(" if sign == ")" else "["
    if text[:position].rstrip().endswith(other):
        return ReadError(f"Nothing stands between {other} and {sign}.", span, cure="Write what belongs there.")
    before = _unclosed(text[:position])
    if before is not None and text[before] != other:
        missing = CLOSER[text[before]]
        return ReadError(
            f"The {text[before]} before this {sign} is not closed.", span, cure=f"Add the missing {missing}."
        )
    if before is not None:
        return ReadError(f"This {sign} comes too early.", span, cure="Something is missing before it.")
    return ReadError(f"This {sign} closes nothing.", span, cure=f"Remove it, or add the {other} it belongs to.")


def _array_slip(text: str, position: int, span: Span, inside: str) -> ReadError | None:
    """Arrays as other programs write them. `inside` is the bracket around the place, if there is one."""
    character = text[position]
    array = "An array stands in square brackets, its rows as arrays: [1, 2] or [[1, 2], [3, 4]]."
    if character == "," and inside == "(" and (called := re.search(r"[^\W\d]\w*$", _before_bracket(text[:position]))):
        return _no_function(called[0], span)
    if character == "," and inside == "(":
        return ReadError("A comma in parentheses that belong to no function.", span, cure=array)
    if character == ";" and inside == "[":
        return ReadError("; does not separate the rows of an array.", span, cure=array)
    if character == "?" and inside:
        return ReadError("? stands for a whole quantity.", span, cure="Give it a name: a = ? and then [a, 2].")
    if character == "." and text[position + 1 : position + 2] in ("t", "T"):
        return ReadError("This is not read.", span, cure="The transpose is written W.T; a product has a sign, *.")
    behind = not inside and re.match(r"[0-9.]", character) and text[:position].rstrip().endswith(",")
    if behind and _decimal_comma(text, position) is None:
        return ReadError("A comma separates definitions.", span, cure=array)
    return None


def _before_bracket(text: str) -> str:
    """What stands before the last bracket that is open."""
    before = _unclosed(text)
    return text[:before] if before is not None else ""


def _no_function(name: str, span: Span) -> ReadError:
    """For a comma in parentheses behind a name that is no function's here."""
    from difflib import get_close_matches

    functions = FUNCTIONS | ARRAY_FUNCTIONS
    if name in functions:
        what = f"{name} is a quantity of this file, so {name}(...) is a product, and a comma cannot stand in it."
        return ReadError(what, span, cure=f"Call the quantity something else to use the function {name}.")
    spelled = {function.replace("_", ""): function for function in sorted(functions)}
    near = get_close_matches(name[:40].casefold().replace("_", ""), spelled, n=1, cutoff=0.75)
    cure = f"Did you mean {spelled[near[0]]}?" if near else "A product is written with *, an array in square brackets."
    return ReadError(f"There is no function {name[:40]}.", span, cure=cure)


MEANT = {
    "√": "Write sqrt(x) for a root.",
    "∑": "Write sum(x) for a sum over an array.",
    "|": "Write abs(x) for the absolute value, sum(x^2) for the square of a norm.",
    "‖": "Write sum(x^2) for the square of a norm, sqrt(sum(x^2)) for the norm.",
    "⊤": "The transpose is written W.T.",
}
"""Signs of books, and what is written for them."""


def _elsewhere(text: str, position: int, span: Span) -> ReadError | None:
    """What is right in books or in programs, and is written in another way here."""
    character = text[position]
    if character in MEANT:
        return ReadError(f"The character {_quoted(character)} is not read.", span, cure=MEANT[character])
    behind = re.match(r"\.[ \t]*([^\W\d]\w{0,40})", text[position:])
    before = re.search(r"([^\W\d]\w*|[)\]])$", text[:position])
    if not behind or not before:
        return None
    name = behind[1]
    if name in ("array", "asarray", "tensor"):
        cure = "Write the array itself, [1, 2] or [[1, 2], [3, 4]]."
    elif name in ("dot", "matmul", "mm"):
        cure = "The product of matrices is written W @ x."
    elif before[1] in (")", "]") or before[1] not in LIBRARIES:
        cure = f"Functions stand in front of what they are taken of: {name}(x)."
    else:
        cure = f"Functions stand here without their library: {name}(...)."
    return ReadError("Behind a name or a bracket, only .T is read, the transpose.", span, cure=cure)


LIBRARIES = ("np", "numpy", "torch", "jnp", "math", "tf", "F", "nn")
"""Names before a dot that are a program's libraries."""


def _decimal_comma(text: str, position: int) -> tuple[str, str] | None:
    """The digits around a comma outside brackets, if one stands at or just before the position."""
    around = re.search(r"([0-9]{1,20}),([0-9]{1,20})", text[max(0, position - 21) : position + 21])
    inside = text.count("(", 0, position) > text.count(")", 0, position)
    return (around[1], around[2]) if around and not inside else None


def _length(error: Any) -> int:
    """Of the token that could not stand there."""
    return len(str(error.token))


def _expected(error: UnexpectedInput) -> set[str]:
    """The names of the tokens that could stand there."""
    found: Any = getattr(error, "accepts", None) or getattr(error, "expected", ())
    return set(found)


def _quoted(text: str) -> str:
    return f"“{text[:40]}”" if text.isprintable() else f"U+{ord(text[0]):04X}"


READABLE = {
    "NUMBER": "a number",
    "NAME": "a name",
    "OPEN": "(",
    "CLOSE": ")",
    "EQUALS": "=",
    "ARROW": "->",
    "COLON": ":",
    "COMMA": "a comma",
    "PLUS": "+",
    "MINUS": "-",
    "TIMES": "*",
    "OVER": "/",
    "TO": "^",
    "QUESTION": "?",
    "BIAS": "bias",
}


def _wanted(expected: Any) -> str:
    """What could stand here, from the parser's table."""
    names = [words for token, words in READABLE.items() if token in expected]
    if "NUMBER" in expected:
        names = [name for name in ("a number", "a name", "(") if name in names]
    if not names:
        return "Nothing more belongs to this line."
    return "Expected " + (", ".join(names[:-1]) + " or " + names[-1] if len(names) > 1 else names[0]) + "."


# -- before the parser: sizes ---------------------------------------------------------------------------


def _check_size(text: str, source: Source, start: int) -> None:
    """Length, nesting and rows of signs, in one pass, before any tree is built."""
    if len(text) > limits.LINE:
        raise LimitError(
            f"A line of {len(text)} characters; at most {limits.LINE} are read.",
            Span(source, start, start + 1),
            cure="Split it into named parts.",
        )
    if len(text) <= limits.DEPTH:
        return
    depth = signs = 0
    for position, character in enumerate(text):
        if character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        if character in "-+−–^*":
            signs += 1
        elif not character.isspace():
            signs = 0
        if depth > limits.DEPTH or signs > limits.DEPTH:
            what = "parentheses" if depth > limits.DEPTH else "signs"
            raise LimitError(
                f"{what.capitalize()} nested {limits.DEPTH + 1} deep; at most {limits.DEPTH} are read.",
                Span(source, start + position, start + position + 1),
                cure="Give a name to a part of the formula.",
            )


def _unclosed(text: str) -> int | None:
    """Where the innermost ( or [ stands that nothing closes."""
    stack: list[int] = []
    for position, character in enumerate(text):
        if character in CLOSER:
            stack.append(position)
        elif stack and character == CLOSER[text[stack[-1]]]:
            stack.pop()
    return stack[-1] if stack else None


# -- what the rules of the grammar make ------------------------------------------------------------------


class _Makers:
    """One method a rule. Lark calls them with tokens and the formulas made below; `current` is the reader."""

    current: Notation

    def number(self, token: Token) -> Formula:
        reader = self.current
        try:
            value = read_number(token)
        except TooLong as error:
            raise LimitError(f"Here is {error}.", reader.span(token), cure="Write it shorter.") from None
        return Num(value, str(token), False, reader.span(token))

    def vulgar(self, token: Token) -> Formula:
        value = VULGAR.get(str(token))
        if value is None:
            raise ReadError(f"{token} is not read.", self.current.span(token), cure="Write it as a/b.")
        return Num(value, f"({value})", False, self.current.span(token))

    def reference(self, token: Token) -> Formula:
        reader = self.current
        name = plain_name(token)
        if name in CONSTANTS and name not in reader.own:
            return apply(OPERATIONS[name, 0], span=reader.span(token))
        return Ref(name, False, reader.span(token))

    def slope(self, token: Token) -> Formula:
        above, _, below = plain_name(token).partition("/d")
        return Slope(above[1:], below, False, self.current.span(token))

    def group(self, opened: Token, inside: Formula, closed: Token) -> Formula:
        return grouped(inside, self.current.span(opened, closed))

    def add(self, left: Formula, _: Token, right: Formula) -> Formula:
        return apply(ADD, left, right, span=_across(left, right))

    def subtract(self, left: Formula, _: Token, right: Formula) -> Formula:
        return apply(SUBTRACT, left, right, span=_across(left, right))

    def multiply(self, left: Formula, sign: Token, right: Formula) -> Formula:
        style: Style = "*" if sign == "*" else "·"
        return apply(MULTIPLY, left, right, style=style, span=_across(left, right))

    def divide(self, left: Formula, _: Token, right: Formula) -> Formula:
        return apply(DIVIDE, left, right, span=_across(left, right))

    def juxtapose(self, left: Formula, right: Formula) -> Formula:
        if _bare_number(right) and _ends_in_number(left):
            raise ReadError(
                "Two numbers side by side.",
                _across(left, right),
                cure="Write them together (1000) or with a sign between (1*000); in an array, with a comma between.",
            )
        if _is_list(right) and not (isinstance(left, Num) and not left.parens):
            raise ReadError(
                "An array behind something else, and no sign between.",
                _across(left, right),
                cure="Put a comma between the rows of an array, * in a product; "
                "an element, x[0], has no blank before it.",
            )
        made = apply(MULTIPLY, left, right, style="juxtaposed", span=_across(left, right))
        if _bare_number(right) and isinstance(left, Apply) and left.args[-1] == Ref("x") and left.style == "juxtaposed":
            words = "x is read as the quantity x, not as a sign of multiplication. Write * or · for that."
            self.current.notices.append(Notice(words, made.span))
        if isinstance(left, Apply) and left.operation is DIVIDE and not left.parens and not _plain_fraction(left):
            self.current.notices.append(
                Notice(f"{to_text(made)} is read from left to right, as ({to_text(left)}) {to_text(right)}.", made.span)
            )
        return made

    def negate(self, sign: Token, inside: Formula) -> Formula:
        span = self.current.span(sign)
        return apply(NEGATE, inside, span=span.to(inside.span) if inside.span else span)

    def keep(self, _: Token, inside: Formula) -> Formula:
        return inside

    def raise_to(self, base: Formula, _: Token, exponent: Formula) -> Formula:
        return apply(POWER, base, exponent, span=_across(base, exponent))

    def raise_superscript(self, base: Formula, token: Token) -> Formula:
        digits = str(token).translate(SUPERSCRIPTS)
        span = self.current.span(token)
        if len(digits) > limits.DIGITS:
            raise LimitError(
                f"Here is a number of {len(digits)} digits; at most {limits.DIGITS} are read.",
                span,
                cure="Write it shorter.",
            )
        exponent: Formula = Num(Fraction(int(digits.lstrip("+-"))), digits.lstrip("+-"), False, span)
        if digits.startswith("-"):
            exponent = apply(NEGATE, exponent, span=span)
        return apply(POWER, base, exponent, span=_across(base, exponent))

    def arguments(self, *args: Formula | Option) -> tuple[Formula | Option, ...]:
        return args

    def call(self, name: Token, _: Token, args: tuple[Formula | Option, ...], closed: Token) -> Formula:
        made = call(str(name), args, self.current.span(name, closed))
        if isinstance(made, Apply) and made.operation.name in ARRAY_FUNCTIONS | {"max", "min"}:
            self.current.arrays = True
        return made

    # -- arrays -------------------------------------------------------------------------------------

    def matmul(self, left: Formula, _: Token, right: Formula) -> Formula:
        from backhand.core.array_operations import MATMUL

        self.current.arrays = True
        return apply(MATMUL, left, right, span=_across(left, right))

    def transposed(self, inside: Formula, sign: Token) -> Formula:
        from backhand.core.array_operations import TRANSPOSE

        self.current.arrays = True
        span = self.current.span(sign)
        span = inside.span.to(span) if inside.span else span
        return apply(TRANSPOSE, inside, span=span, params=(("axes", None),))

    def listed(self, opened: Token, *parts: Any) -> Formula:
        from backhand.core.array_operations import STACK

        reader = self.current
        reader.arrays = True
        args = [part for part in parts[:-1] if isinstance(part, Formula)]
        span = reader.span(opened, parts[-1])
        if not args:
            raise ReadError("This array has no elements.", span, cure="Write at least one, [1].")
        return apply(STACK, *args, style="list", span=span, params=(("axis", 0),))

    def index(self, inside: Formula, opened: Token, *parts: Any) -> Formula:
        from backhand.core.array_operations import INDEX

        reader = self.current
        reader.arrays = True
        places = tuple(part for part in parts[:-1] if not isinstance(part, Token))
        span = reader.span(opened, parts[-1])
        span = inside.span.to(span) if inside.span else span
        return apply(INDEX, inside, span=span, params=(("key", places),))

    def place_at(self, bound: int) -> int:
        return bound

    def place_slice(self, *parts: Any) -> Param:
        first, _, last, *rest = parts
        step = rest[1] if len(rest) > 1 else None
        return (first, last, step)

    def bound(self, token: Token) -> int:
        if not str(token).isdecimal() or len(token) > 15:
            raise ReadError(
                f"{token} is no place in an array.", self.current.span(token), cure="Elements are counted 0, 1, 2, ..."
            )
        return int(token)

    def bound_from_end(self, _: Token, token: Token) -> int:
        return -self.bound(token)

    def keyword(self, name: Token, _: Token, value: Any) -> Option:
        value = value.value if isinstance(value, Option) else value
        return Option(str(name), value, self.current.span(name))

    def several(self, opened: Token, *parts: Any) -> Formula:
        from backhand.core.array_operations import STACK

        args = [part for part in parts if isinstance(part, Formula)]
        span = self.current.span(opened, parts[-1])
        return apply(STACK, *args, style="list", span=span, params=(("axis", 0),))

    def text(self, token: Token) -> Option:
        return Option("", str(token)[1:-1], self.current.span(token))


class Option(NamedTuple):
    """Something a function is told by name, `axis=0`, or a text, `"W.npy"`."""

    name: str
    value: Formula | str
    span: Span | None


KINDS = frozenset("input inputs weight weights bias biases target targets constant constants".split())
"""The words that set the kind of what a line defines."""


STEPPING = frozenset(["by", "for", "in"])
"""The words that say how a step is made, in its line."""


def _told_apart(token: Token) -> Token:
    """A name, or what it means where it stands: a function, a kind, `ask`, `bias`."""
    reader = _makers.current
    word, kind = str(token), "NAME"
    if word == "step" and token.start_pos == 0 and _is_letter(reader.follows(token.end_pos or 0)):
        kind, reader.stepping = "STEP", True
    elif reader.stepping and word in STEPPING:
        kind = word.upper()
    elif word in FUNCTIONS or word in ARRAY_FUNCTIONS:
        following = reader.follows(token.end_pos or 0)
        if word not in reader.own and following == "(":
            kind = "CALL"
        elif following == "=" and _inside_a_call(reader.text, token.start_pos or 0):
            kind = "KEY"
    elif reader.follows(token.end_pos or 0) == "=" and _inside_a_call(reader.text, token.start_pos or 0):
        kind = "KEY"
    elif word in KINDS:
        following = reader.follows(token.end_pos or 0)
        if token.start_pos == 0 and _is_letter(following):
            kind = "KIND"
        elif word == "bias" and ":" in reader.text[: token.start_pos]:
            kind = "BIAS"
    elif word == "ask" and token.start_pos == 0 and reader.follows(token.end_pos or 0).isalpha():
        kind = "ASK"
    return token if kind == "NAME" else Token.new_borrow_pos(kind, word, token)


def _is_letter(character: str) -> bool:
    return character.isalpha() or character == "_"


def _inside_a_call(text: str, position: int) -> bool:
    return text.count("(", 0, position) > text.count(")", 0, position)


def call(name: str, args: tuple[Formula | Option, ...], span: Span | None) -> Formula:
    """A function of either table on its arguments; max and min take any number of them, or one array."""
    plain = tuple(arg for arg in args if isinstance(arg, Formula))
    told = [arg for arg in args if isinstance(arg, Option)]
    if name in ARRAY_FUNCTIONS or (name in ("max", "min") and (told or len(plain) == 1)):
        return _array_call(name, plain, told, span)
    if told:
        raise ReadError(f"{name} is told nothing by name.", told[0].span, cure="Leave it out.")
    row = OPERATIONS.get((name, len(plain)))
    if row is None and name in ("max", "min") and len(plain) > 2:
        folded = plain[0]
        for arg in plain[1:]:
            folded = apply(OPERATIONS[name, 2], folded, arg, span=span)
        return folded
    if row is None:
        counts = " or ".join(map(str, arities(name)))
        raise ReadError(
            f"{name} takes {counts} argument{'' if counts == '1' else 's'}, and here are {len(plain)}.",
            span,
            cure=f"Write {name}({', '.join('abc'[: arities(name)[0]])}).",
        )
    return apply(row, *plain, span=span)


def _array_call(name: str, args: tuple[Formula, ...], told: list[Option], span: Span | None) -> Formula:
    from backhand.core import array_operations

    options: dict[str, Param] = {}
    texts = iter(("file", "name"))
    for option in told:
        key = option.name or next(texts, "")
        if key in options or not key:
            raise ReadError(f"{key or 'A text'} is said twice.", option.span, cure="Keep one of them.")
        if isinstance(option.value, str):
            options[key] = option.value
        elif key in ("mask", "weight", "bias", "gamma", "beta", "input", "target") and not _bare_number(option.value):
            raise ReadError(
                f"{name} takes arrays in their order, without names.",
                option.span,
                cure=f"Write {to_text(option.value)} without {key}=.",
            )
        else:
            options[key] = array_operations.option_of(option.value, name)
    return array_operations.call(name, args, options, span)


def _across(left: Formula, right: Formula) -> Span | None:
    return left.span.to(right.span) if left.span and right.span else None


def _bare_number(formula: Formula) -> bool:
    while isinstance(formula, Apply) and formula.operation is POWER and not formula.parens:
        formula = formula.args[0]
    return isinstance(formula, Num) and not formula.parens


def _is_list(formula: Formula) -> bool:
    return isinstance(formula, Apply) and formula.style == "list" and not formula.parens


def _ends_in_number(formula: Formula) -> bool:
    while isinstance(formula, Apply) and not formula.parens and formula.operation.name in ("*", "/", "neg", "^"):
        formula = formula.args[-1]
    return isinstance(formula, Num) and not formula.parens


def _plain_fraction(formula: Apply) -> bool:
    return all(isinstance(arg, Num) for arg in formula.args)


_makers = _Makers()


class _Calls:
    """Lark looks its rules up as attributes; rules of the nets are kept as plain tuples (rule, parts...)."""

    def __getattr__(self, rule: str) -> Callable[..., Any]:
        if rule.startswith("_") or rule.isupper():
            raise AttributeError(rule)
        made = getattr(_Makers, rule, None)
        if made is not None:
            bound = getattr(_makers, rule)

            def call_with(parts: list[Any]) -> Any:
                return bound(*parts)

            return call_with

        def as_tuple(parts: list[Any]) -> Any:
            return (rule, *parts)

        return as_tuple


@lru_cache(maxsize=2)
def _parser(slopes: bool) -> Lark:
    calls: dict[str, Any] = {"transformer": _Calls(), "lexer_callbacks": {"NAME": _told_apart}}
    made = _from_tables(calls) if slopes else None
    return made or Lark(grammar(slopes=slopes), **OPTIONS, **calls)


def _from_tables(calls: dict[str, Any]) -> Lark | None:
    """The parser from its tables, which takes a fifth of the time of making them; None if Lark or the
    table of operations has changed since they were made."""
    import lark

    from backhand.core import notation_tables as stored

    if lark.__version__ != stored.LARK:
        return None
    parser: Any = Lark.__new__(Lark)
    return parser._load(stored.TABLES, **calls)  # noqa: SLF001 - Lark.load reads pickles, and we load none


def formula(text: str) -> Formula:
    """Read one formula.

    >>> to_text(formula("-2A1 + w²"))
    '-2 A1 + w^2'
    """
    source = Source(text)
    if not text.strip():
        raise ReadError("There is no formula here.", Span(source, 0, 1), cure="Write one.")
    return Notation(source).formula(0, len(text))
