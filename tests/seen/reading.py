"""What is written, as a tree. Two tokenizers, one for typed text and one for TeX, and one precedence climber.

    D - t      ("-", ("name", "D"), ("name", "t"))
    2(x y)^3   ("*", 2, ("^", ("*", x, y), 3))

A reader's rules, nothing more: a name is what the network calls so; products of things side by side rank with
`·` and `/`, from left to right; powers bind tighter than signs and group to the right; two operators in a row,
a bare number beside a bare number, or a number beside a numeric fraction (1 ½) say nothing certain, and are
`Unreadable`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

from seen.amounts import CONSTANTS, FUNCTIONS

Tree: TypeAlias = Any
"""("num", value, half a unit of the last digit, digits), ("name", n), ("slope", Y, X, "d" | "∂"), ("diff", X, tree),
("call", f, *trees), ("neg", tree), (operator, tree, tree)."""

SPELLINGS = {
    "log": "ln", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "σ": "sigmoid", "sgn": "sign",
    "leaky relu": "leaky_relu", "leakyrelu": "leaky_relu", "π": "pi", "heaviside": "step",
    **{name.capitalize(): name for name in FUNCTIONS},
}  # fmt: skip
GREEK = dict(
    zip(
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau "
        "upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega "
        "varepsilon vartheta varphi".split(),
        "αβγδεζηθικλμνξοπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩεθφ",
        strict=True,
    )
)
TYPED = {letter: name for name, letter in GREEK.items()}


class Unreadable(ValueError):
    """Mathematics that this reader cannot read with certainty."""


class Token(NamedTuple):
    kind: str
    tree: Tree = None


class Lexicon:
    """The names of one network, as typed and as they look in print."""

    def __init__(self, names: Iterable[str], whole: Lexicon | None = None) -> None:
        self.names = list(names)
        self.whole = whole or self
        self.read: dict[str, Tree] = {}

    @cached_property
    def looks(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in self.names:
            found.setdefault(look(name), []).append(name)
        return found

    def on(self, page: str) -> Lexicon:
        """For one page of TeX: names that stand there in typewriter, letter by letter, have no finer look."""
        exact = {verbatim(Scan(page, self, match.end()).group()) for match in TYPEWRITER.finditer(page)}
        return Lexicon([name for name in self.names if name not in exact], whole=self) if exact else self

    def exactly(self, name: str) -> str:
        if name not in self.whole.names:
            raise Unreadable(f"{name} is no name of this network")
        return name

    def named(self, seen: str) -> str | None:
        """The one name that looks so."""
        found = self.looks.get(seen, [])
        if len(found) > 1:
            raise Unreadable(f"{' and '.join(found)} look alike")
        return found[0] if found else None

    @cached_property
    def typed(self) -> re.Pattern[str]:
        """One token of typed text; names are tried before functions, long before short."""
        ordered = sorted(self.names, key=len, reverse=True)
        name = f"(?:{'|'.join(map(re.escape, ordered))}){END}" if ordered else r"(?!)"
        words = sorted({*FUNCTIONS, *CONSTANTS, *SPELLINGS}, key=len, reverse=True)
        return re.compile(
            rf"\s*(?:(?P<slope>(?P<d>[d∂])(?P<of>{name})/(?P=d)(?P<by>{name}))"
            rf"|(?P<diff>d/d(?P<over>{name}))|(?P<name>{name})"
            rf"|(?P<word>(?:{'|'.join(map(re.escape, words))}){END})"
            rf"|(?P<num>{NUMBER})|(?P<op>[-+*/^(),·×−]))"
        )


END = r"(?![\w'′\[#{])"
NUMBER = r"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
LETTER = r"[A-Za-z\u0370-\u03ff]"


def look(name: str) -> str:
    """What is left of a name in print: its letters and digits in order, its primes, its version.

    >>> look("w[A1,B1]"), look("x_{in}'"), look("c#1")
    ('wA1B1', "xin'", 'c#1')
    """
    plain, _, version = name.partition("#")
    primes = "'" * (plain.count("'") + plain.count("′"))
    return re.sub(r"\W|_", "", plain) + primes + ("#" + version if version else "")


def number(text: str) -> Token:
    """A decimal number with half a unit of its last digit, and how many digits it shows."""
    mantissa, _, exponent = text.lower().partition("e")
    places = len(mantissa.partition(".")[2])
    unit = Fraction(10) ** (int(exponent or 0) - places)
    digits = len(mantissa.replace(".", "").lstrip("0"))
    return Token("num", ("num", Fraction(int(mantissa.replace(".", ""))) * unit, unit / 2, digits))


def slope(of: str, by: str, mark: str) -> Token:
    return Token("node", ("slope", of, by, mark))


def word(text: str) -> Token:
    """A function or a constant."""
    text = " ".join(text.split())
    known = SPELLINGS.get(text, text)
    if known in CONSTANTS:
        return Token("node", ("constant", known))
    if known in FUNCTIONS:
        return Token("func", known)
    raise Unreadable(f"{text} is no name of this network and no function")


# -- typed text ---------------------------------------------------------------------------------------------


def typed(text: str, lexicon: Lexicon) -> Tree:
    """The tree of typed text, `2 A1 + sigmoid(x)^2`."""
    text = text.strip()
    if text not in lexicon.read:
        lexicon.read[text] = climbed(_typed_tokens(text, lexicon), text)
    return lexicon.read[text]


def _typed_tokens(text: str, lexicon: Lexicon) -> list[Token]:
    tokens: list[Token] = []
    position, pattern = 0, lexicon.typed
    while position < len(text):
        match = pattern.match(text, position)
        if match is None:
            raise Unreadable(f"at {text[position : position + 20]!r} in {text!r}")
        position = match.end()
        tokens.append(_typed_token(match))
    return tokens


def _typed_token(match: re.Match[str]) -> Token:
    if match["slope"]:
        return slope(match["of"], match["by"], match["d"])
    if match["diff"]:
        return Token("diff", match["over"])
    if match["name"]:
        return Token("node", ("name", match["name"]))
    if match["word"]:
        return word(match["word"])
    if match["num"]:
        return number(match["num"])
    return Token({"−": "-", "×": "·", "*": "·"}.get(match["op"], match["op"]))


# -- TeX ----------------------------------------------------------------------------------------------------

SKIPPED = re.compile(
    r"(?:\s|&|~|\u2061|\u2062|\{\}|\\(?:left|right|Bigl|Bigr|quad|qquad|thinspace|displaystyle|boxed)(?![A-Za-z])|\\[,;:!> \\])+"
)
WORD = re.compile(rf"\\(?:mathrm|text|operatorname|mathit)\{{([^{{}}]*)\}}|\\([A-Za-z]+)|({LETTER})")
PIECE = re.compile(
    rf"(?P<num>{NUMBER})|\\d?(?P<frac>frac)(?![A-Za-z])|\\(?P<sqrt>sqrt)(?![A-Za-z])|(?P<open>\\lvert)(?![A-Za-z])"
    r"|(?P<close>\\rvert)(?![A-Za-z])|(?P<raised>\^)|(?P<op>\\(?:cdot|times)(?![A-Za-z])|[-+/(),·⋅×−*])"
)
TYPEWRITER = re.compile(r"\\mathtt(?=\{)")
BRACE = re.compile(r"\\.|[{}]")
INDEX = re.compile(r"\s*_")
PRIME = re.compile(r"(?:['′]|\s*\^\s*\{(?:\\prime|['′]|\s)+\})+")
VERSION = re.compile(r"\s*\^\{\s*\(\s*(\d+)\s*\)\s*\}")
TEX_OPERATORS = {r"\cdot": "·", r"\times": "·", "⋅": "·", "×": "·", "−": "-", "*": "·"}


def tex(text: str, lexicon: Lexicon) -> Tree:
    """The tree of TeX, `\\frac{dL}{dx_{0}}`."""
    key = "$" + text
    if key not in lexicon.read:
        lexicon.read[key] = climbed(Scan(text, lexicon).tokens(), text)
    return lexicon.read[key]


class Scan:
    """One pass over TeX."""

    def __init__(self, text: str, lexicon: Lexicon, at: int = 0) -> None:
        self.text, self.lexicon, self.at = text, lexicon, at

    def tokens(self) -> list[Token]:
        found: list[Token] = []
        self.skip()
        while self.at < len(self.text):
            found += self.token()
            self.skip()
        return found

    def skip(self) -> None:
        match = SKIPPED.match(self.text, self.at)
        if match:
            self.at = match.end()

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.text, self.at)
        if match:
            self.at = match.end()
        return match

    def group(self) -> str:
        """What stands in the braces that follow, or the one character."""
        self.skip()
        start = self.at
        if self.text[start : start + 1] != "{":
            self.at += 1
            return self.text[start : self.at]
        depth = 0
        for brace in BRACE.finditer(self.text, start):
            depth += {"{": 1, "}": -1}.get(brace[0], 0)
            if depth == 0:
                self.at = brace.end()
                return self.text[start + 1 : brace.start()]
        raise Unreadable(f"a brace stays open in {self.text!r}")

    def inner(self) -> Token:
        return Token("node", tex(self.group(), self.lexicon))

    def token(self) -> list[Token]:
        match = self.take(PIECE)
        if match is None:
            return [self.inner()] if self.text[self.at] == "{" else [self.word()]
        match match.lastgroup:
            case "num":
                return [number(match[0])]
            case "frac":
                return [self.fraction(self.group(), self.group())]
            case "sqrt":
                return [Token("node", ("call", "sqrt", self.inner().tree))]
            case "open":
                return [Token("func", "abs"), Token("(")]
            case "close":
                return [Token(")")]
            case "raised":
                return [Token("^"), self.inner()]
            case _:
                return [Token(TEX_OPERATORS.get(match[0], match[0]))]

    def word(self) -> Token:
        """A name with its index, primes and version (π may be typed pi), a function, or a constant."""
        if self.take(TYPEWRITER):
            return Token("node", ("name", self.lexicon.exactly(verbatim(self.group()))))
        match = self.take(WORD)
        if match is None:
            raise Unreadable(f"at {self.text[self.at : self.at + 20]!r} in {self.text!r}")
        base = " ".join((match[1] or "").split()) or GREEK.get(match[2] or "", match[2] or "") or match[3]
        index = flat(self.group()) if self.take(INDEX) else ""
        primes = self.take(PRIME)
        plain = look(base + index) + "'" * (len(re.findall(r"['′]|\\prime", primes[0])) if primes else 0)
        start = self.at
        version = self.take(VERSION)
        if version and (name := self.lexicon.named(f"{plain}#{version[1]}")):
            return Token("node", ("name", name))
        self.at = start
        if name := self.lexicon.named(plain) or self.lexicon.named(plain.replace(base, TYPED.get(base, base))):
            return Token("node", ("name", name))
        return word(base + index)

    def fraction(self, above: str, below: str) -> Token:
        """A quotient, a derivative dY/dX, or the sign d/dX."""
        over, under = self.moved(above), self.moved(below)
        if over and under and over[0] == under[0] and under[1]:
            return slope(over[1], under[1], over[0]) if over[1] else Token("diff", under[1])
        top, bottom = tex(above, self.lexicon), tex(below, self.lexicon)
        return Token("quotient", ("/", top, bottom))

    def moved(self, text: str) -> tuple[str, str] | None:
        """`dX`: the mark, and the one name behind it, or none."""
        match = re.fullmatch(r"\s*(d|\\mathrm\{d\}|\\partial|∂)(.*)", text, re.DOTALL)
        if match is None:
            return None
        mark = "d" if "d" in match[1] and "partial" not in match[1] else "∂"
        try:
            tokens = Scan(match[2], self.lexicon).tokens()
        except Unreadable:
            return None
        if not tokens:
            return mark, ""
        tree = tokens[0].tree
        return (mark, tree[1]) if len(tokens) == 1 and tokens[0].kind == "node" and tree[0] == "name" else None


def verbatim(text: str) -> str:
    """A name in typewriter, letter by letter: `x\\_1` is x_1."""
    text = re.sub(r"\\text\{(\\?.)\}", r"\1", text)
    text = re.sub(r"\\underline\{\\([A-Za-z]+)\}", lambda m: GREEK.get(m[1], m[1]), text)
    return re.sub(r"\\([_#{}])", r"\1", text).strip()


def flat(index: str) -> str:
    """An index without its dress: `\\mathrm{in}` is in, `A_{1},B_{1}` is A1B1."""
    index = re.sub(r"\\(?:mathrm|text|operatorname)\b", "", index)
    index = re.sub(r"\\([A-Za-z]+)", lambda m: GREEK.get(m[1], m[1]), index)
    return re.sub(r"\W|_", "", index)


# -- precedence ---------------------------------------------------------------------------------------------


def climbed(tokens: list[Token], text: str) -> Tree:
    """The tree of the tokens, all of them used."""
    climber = Climber(tokens, text)
    tree = climber.sum()
    if climber.kind != "end":
        raise climber.lost()
    return tree


STARTS = frozenset(["num", "node", "quotient", "func", "(", "diff"])


class Climber:
    """Precedence climbing: sum, product, power, atom."""

    def __init__(self, tokens: list[Token], text: str) -> None:
        self.rest, self.at, self.text = [*tokens, Token("end")], 0, text

    @property
    def kind(self) -> str:
        return self.rest[self.at].kind

    def next(self) -> Token:
        self.at += 1
        return self.rest[self.at - 1]

    def lost(self) -> Unreadable:
        return Unreadable(f"token {self.at + 1} ({self.kind}) of {self.text!r}")

    def sum(self) -> Tree:
        if self.kind == "-":
            self.next()
            tree: Tree = ("neg", self.product())
        else:
            tree = self.product()
        while self.kind in ("+", "-"):
            tree = (self.next().kind, tree, self.product())
        return tree

    def product(self) -> Tree:
        before, tree = self.kind, self.power()
        while True:
            if self.kind in ("·", "/"):
                operator = {"·": "*"}.get(self.kind, self.kind)
                self.next()
                before, tree = self.kind, (operator, tree, self.power())
            elif self.kind in STARTS:
                self.beside(before)
                before, tree = self.kind, ("*", tree, self.power())
            else:
                return tree

    def beside(self, before: str) -> None:
        """Things side by side are multiplied, unless they read as one number."""
        number_follows = self.kind == "num" or (self.kind == "quotient" and _numeric(self.rest[self.at].tree))
        if before == "num" and number_follows and self.rest[self.at - 1].kind == "num":
            raise Unreadable(f"a number stands beside a number in {self.text!r}")

    def power(self) -> Tree:
        base = self.atom()
        if self.kind != "^":
            return base
        self.next()
        if self.kind == "-":
            self.next()
            return ("^", base, ("neg", self.power()))
        return ("^", base, self.power())

    def atom(self) -> Tree:
        token = self.next()
        match token.kind:
            case "num" | "node" | "quotient":
                return token.tree
            case "func":
                return ("call", token.tree, *self.arguments())
            case "(":
                tree = self.sum()
                self.close()
                return tree
            case "diff":
                return ("diff", token.tree, self.atom())
            case _:
                self.at -= 1
                raise self.lost()

    def arguments(self) -> list[Tree]:
        if self.kind != "(":
            raise self.lost()
        self.next()
        found = [self.sum()]
        while self.kind == ",":
            self.next()
            found.append(self.sum())
        self.close()
        return found

    def close(self) -> None:
        if self.kind != ")":
            raise self.lost()
        self.next()


def _numeric(tree: Tree) -> bool:
    return tree[0] == "num" or (tree[0] in "+-*/^" and _numeric(tree[1]) and _numeric(tree[2]))
