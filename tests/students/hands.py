"""How a page is written: five styles, and within each the hundred small ways in which no two people write alike.

    latex     $$\\Rightarrow \\frac{\\partial L}{\\partial B_1} = (2)(1) + (-2)(-1) = \\boxed{4}$$
    ascii     dL/dB1 = dL/dC1 * dC1/dB1 + dL/dC2 * dC2/dB1 = 2*1 + (-2)*(-1) = 4
    unicode   - ∂L/∂B₁ = 2·1 + (−2)·(−1) = 4
    table     | B1 | 3 | 2*1 + (-2)*(-1) = 4 |
    code      dB1 = dC1*1 + dC2*(-1)  # = 4

`write` makes a Page: its text, and for every link and every number where it stands and whether it is right.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Literal

from students import trees
from students.nets import Net
from students.people import About, Form, Person, Status, Step
from students.trees import Leaf, Number, Op, Path, Tree, num, worth

Style = Literal["latex", "ascii", "unicode", "table", "code"]
STYLES: tuple[Style, ...] = ("latex", "ascii", "unicode", "table", "code")
Medium = Literal["latex", "ascii", "unicode", "code"]
Part = Literal["named", "numeric", "worked", "result", "given"]


@dataclass
class Placed:
    """A link where it stands: the step it belongs to (None: a given number), what it is, and the line."""

    step: Step | None
    part: Part
    tree: Tree
    status: Status
    line: int = 0
    exact: bool = True
    about: str = ""
    before: int | None = None


@dataclass
class Written:
    """A number on the page: where, in which link, at which leaf of its tree, and as what."""

    start: int
    end: int
    link: int
    path: Path
    number: Number
    text: str


@dataclass
class Page:
    """A page and all that is known of it."""

    text: str
    net: Net
    person: Person
    style: Style
    links: list[Placed]
    numbers: list[Written]
    what: str
    changes: list[tuple[int, str, str]] = field(default_factory=list)

    def line_of(self, offset: int) -> int:
        return self.text.count("\n", 0, offset) + 1

    def first_wrong(self) -> tuple[set[int], bool]:
        """The lines where the first wrong step may be seen, and whether seeing none is right as well."""
        found: set[int] = set()
        for link in sorted((one for one in self.links if one.line > 0), key=lambda one: one.line):
            if link.status == "doubtful":
                found.add(link.line)
            elif link.status == "bad":
                return found | {link.line}, False
        return found, True


# -- manners ------------------------------------------------------------------------------------------------------------


@dataclass
class Manner:
    """What is decided once for a page."""

    medium: Medium
    product: str
    slope_product: str
    weights: str
    underscore: bool
    partial: str
    digits: int
    fractions: bool
    approx: str
    folded_minus: bool
    swapped: bool
    language: str
    ones_dropped: bool
    side: str
    tight: bool
    box: float
    show: tuple[str, ...]
    bullets: tuple[str, ...]


LATEX_PRODUCTS = ["parens", "parens", " \\cdot ", " \\times ", "\\cdot "]
ASCII_PRODUCTS = ["*", " * ", "parens", "*"]
UNICODE_PRODUCTS = ["·", " · ", " × ", "parens", "·"]


def manner(draw: random.Random, medium: Medium, net: Net) -> Manner:
    products = {"latex": LATEX_PRODUCTS, "ascii": ASCII_PRODUCTS, "unicode": UNICODE_PRODUCTS, "code": ["*", " * "]}
    product = draw.choice(products[medium])
    symbol = {"latex": " \\cdot ", "ascii": " * ", "unicode": " · ", "code": product}[medium]
    named = any(not w.startswith("w[") for w in net.arrow.values()) or not net.arrow
    weights = draw.choice(["full"] if named else ["generic", "generic x", "full", "numbers", "digits"])
    show = draw.choice(
        [("named", "numeric", "result"), ("named", "numeric", "result"), ("numeric", "result"), ("named", "result"),
         ("named", "numeric", "worked", "result"), ("numeric", "worked", "result"), ("mixed",), ("mixed",)]
    )  # fmt: skip
    return Manner(
        medium=medium,
        product=product,
        slope_product=draw.choice([symbol, symbol, product if product != "parens" else symbol]),
        weights="full" if medium == "code" else weights,
        underscore=draw.random() < 0.5,
        partial=draw.choice(["partial", "partial", "d"]),
        digits=draw.choice([2, 3, 4, 4]),
        fractions=draw.random() < 0.5,
        approx=draw.choice(["value", "all", "value", "never"]),
        folded_minus=draw.random() < 0.5,
        swapped=draw.random() < 0.2,
        language=draw.choice(["en", "en", "en", "de", "es", "fr"]),
        ones_dropped=draw.random() < 0.3,
        side=draw.choice(["", "", "brace", "lines", "where"]),
        tight=draw.random() < 0.3,
        box=draw.choice([0.0, 0.0, 0.3, 1.0]),
        show=show,
        bullets=draw.choice([("- ",), ("- ",), ("* ",), ("• ",), ("",), ("- ", "")]) if medium == "unicode" else ("",),
    )


# -- formulas as text -----------------------------------------------------------------------------------------------------

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
SUPERSCRIPTS = {2: "²", 3: "³"}
OPEN, MIDDLE, CLOSE = "\x01", "\x02", "\x03"
LEVELS = {"+": 0, "neg": 0, "*": 1, "/": 1, "^": 3}


class Pen:
    """Formulas in one manner. Numbers come out between marks, so that it is known where they stand."""

    def __init__(self, manner: Manner, net: Net) -> None:
        self.manner, self.net = manner, net
        self.medium = manner.medium
        self.words: dict[str, str] = {}
        self.link = -1
        self.marked: list[tuple[int, Path, Number]] = []
        self.rounded = False

    # -- names ---------------------------------------------------------------------------------------------------

    def name(self, name: str) -> str:
        if name in self.words:
            return self.words[name]
        pair = re.fullmatch(r"(\w)\[(\w+)(?:,(\w+))?\]", name)
        if pair:
            return self.bracketed(*pair.groups())
        match self.medium:
            case "latex":
                return latex_name(name)
            case "code":
                return name
            case "unicode" if self.manner.underscore and re.fullmatch(r"[A-Za-z]\d+", name):
                return name[0] + name[1:].translate(SUBSCRIPTS)
            case "ascii" if self.manner.underscore and re.fullmatch(r"[A-Za-z]\d+", name):
                return f"{name[0]}_{name[1:]}"
        return name

    def bracketed(self, letter: str, one: str, other: str | None) -> str:
        """w[A1,B1], z[B1]."""
        match self.medium:
            case "latex":
                inner = latex_name(one) + ("" if other is None else latex_name(other))
                return f"{letter}_{{{inner}}}"
            case "code":
                return f"{letter}_{one}{other or ''}" if other or self.manner.underscore else f"{letter}{one}"
        if self.manner.underscore:
            return f"{letter}_{one}{other or ''}"
        return f"{letter}[{one}{',' + other if other else ''}]"

    def slope(self, of: str, by: str) -> str:
        of_, by_ = self.name(of), self.name(by)
        match self.medium:
            case "latex" if self.manner.partial == "d":
                return f"\\frac{{d{of_}}}{{d{by_}}}"
            case "latex":
                return f"\\frac{{\\partial {of_}}}{{\\partial {by_}}}"
            case "unicode":
                d = "∂" if self.manner.partial == "partial" else "d"
                return f"{d}{of_}/{d}{by_}"
            case "code":
                return f"d{by_}" if of == self.net.output and not self.manner.underscore else f"d{of_}_d{by_}"
        return f"d{of_}/d{by_}"

    # -- numbers -------------------------------------------------------------------------------------------------

    def number(self, number: Number, path: Path) -> str:
        text, exact = self.digits(number)
        self.rounded = self.rounded or not exact
        self.marked.append((self.link, path, number))
        return f"{OPEN}{len(self.marked) - 1}{MIDDLE}{text}{CLOSE}"

    def digits(self, number: Number) -> tuple[str, bool]:
        """A number as written, and whether exactly."""
        manner = self.manner
        if isinstance(number, Fraction):
            if number.denominator == 1:
                return self.signed(str(number)), True
            finite = short_decimal(number)
            if finite is not None and (not manner.fractions or number.denominator in (10, 100)) and len(finite) < 8:
                return self.signed(finite), True
            if manner.fractions and number.denominator < 100 and self.medium != "code":
                above, below = str(abs(number.numerator)), str(number.denominator)
                sign = "-" if number < 0 else ""
                form = f"\\frac{{{above}}}{{{below}}}" if self.medium == "latex" else f"{above}/{below}"
                return self.signed(sign + form), True
        decimals = manner.digits
        size = abs(float(number))
        while size and size < 10.0 ** -(decimals - 2) and decimals < 9:
            decimals += 1
        exactly = (
            Decimal(number.numerator) / Decimal(number.denominator) if isinstance(number, Fraction) else Decimal(number)
        )
        text = str(exactly.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN))
        if set(text) <= set("-0."):
            text = text.lstrip("-")
        return self.signed(text), False

    def signed(self, text: str) -> str:
        return text.replace("-", "−") if self.medium == "unicode" else text

    # -- formulas ------------------------------------------------------------------------------------------------

    def formula(self, tree: Tree, link: int, *, numeric: bool) -> str:
        self.link, self.rounded = link, False
        return self.put(tree, numeric, 0, ())

    def put(self, tree: Tree, numeric: bool, level: int, path: Path) -> str:
        if isinstance(tree, Leaf):
            return self.leaf(tree, numeric, level, path)
        args = tree.args
        match tree.sign:
            case "+" | "neg":
                text = self.total(tree, numeric, path)
                return f"({text})" if level > 0 else text
            case "*":
                text = self.product(args, numeric, path)
                return f"({text})" if level > 1 else text
            case "/":
                return self.quotient(args, numeric, level, path)
            case "^":
                return self.raised(args, numeric, path)
            case "derivative" | "prime":
                inside = self.put(args[0], numeric, 1, (*path, 0))
                by = args[1]
                assert isinstance(by, Leaf)
                if tree.sign == "prime":
                    return f"{inside}'"
                return self.operator(by.of) + (inside if inside[0] in "(\\" else f" {inside}")
        return self.called(tree, numeric, path)

    def operator(self, by: str) -> str:
        if self.medium == "latex":
            d = "d" if self.manner.partial == "d" else "\\partial "
            return f"\\frac{{{d.strip()}}}{{{d}{self.name(by)}}} "
        d = "∂" if self.medium == "unicode" and self.manner.partial == "partial" else "d"
        return f"{d}/{d}{self.name(by)} "

    def leaf(self, leaf: Leaf, numeric: bool, level: int, path: Path) -> str:
        if numeric or leaf.bare or leaf.kind == "number":
            text = self.number(leaf.number, path)
            bare = unmarked(text)
            wrap = level >= 2 and (bare[0] in "-−" or ("/" in bare and level >= 2) or bare.startswith("\\frac"))
            return f"({text})" if wrap else text
        if leaf.kind == "value":
            return self.name(leaf.of)
        return self.slope(leaf.of, leaf.by)

    def total(self, tree: Op, numeric: bool, path: Path) -> str:
        parts: list[str] = []
        args = tree.args if tree.sign == "+" else (tree,)
        for n, arg in enumerate(args):
            at = (*path, n) if tree.sign == "+" else path
            if isinstance(arg, Op) and arg.sign == "neg":
                inner = self.put(arg.args[0], numeric, 1, (*at, 0))
                if unmarked(inner)[0] in "-−":
                    inner = f"({inner})"
                parts.append(("-" if n == 0 else " - ") + inner)
                continue
            text = self.put(arg, numeric, 1 if isinstance(arg, Op) and arg.sign == "+" else 0, at)
            negative = unmarked(text)[0] in "-−"
            if n == 0:
                parts.append(text)
            elif not negative:
                parts.append(" + " + text)
            elif self.manner.folded_minus and text[0] == OPEN:
                parts.append(
                    " " + text.replace(MIDDLE + unmarked(text)[0], MIDDLE + "\x04" + unmarked(text)[0] + " ", 1)
                )
            else:
                parts.append(f" + ({text})" if not isinstance(arg, Op) else " + " + wrapped_first(text))
        joined = "".join(parts)
        if self.medium == "unicode":
            joined = joined.replace(" - ", " − ")
            joined = "−" + joined[1:] if joined.startswith("-") else joined
        return (
            joined.replace(" + ", "+").replace(" - ", "-")
            if self.manner.tight and self.medium in ("ascii", "code")
            else joined
        )

    def product(self, args: tuple[Tree, ...], numeric: bool, path: Path) -> str:
        kept = list(enumerate(args))
        if (
            self.manner.swapped
            and len(kept) == 2
            and all(isinstance(arg, Leaf) and arg.kind != "number" for arg in args)
        ):
            kept.reverse()
        texts: list[str] = []
        numbers = [self.is_number(arg, numeric) for _, arg in kept]
        parens = self.manner.product == "parens" and sum(numbers) > 1
        for n, (k, arg) in enumerate(kept):
            text = self.put(arg, numeric, 2 if n or parens else 1, (*path, k))
            if parens and numbers[n] and not text.startswith("("):
                text = f"({text})"
            texts.append(text)
        return self.joined(texts, [arg for _, arg in kept], numbers, parens=parens)

    def joined(self, texts: list[str], args: list[Tree], numbers: list[bool], *, parens: bool) -> str:
        whole = texts[0]
        for n in range(1, len(texts)):
            left, right = unmarked(texts[n - 1]), unmarked(texts[n])
            slopes = any(
                isinstance(a, Leaf) and a.kind != "value" and not num_ for a, num_ in zip(args, numbers, strict=True)
            )
            if self.medium == "code":
                sign = self.manner.product
            elif (parens and left.endswith(")") and right.startswith("(")) or (
                right.startswith("(") and numbers[n - 1] and not numbers[n] and not left.endswith(")")
            ):
                sign = ""
            elif slopes or (self.manner.product == "parens" and any(numbers)):
                sign = self.manner.slope_product
            elif self.manner.product == "parens" or (self.medium == "latex" and not any(numbers)):
                sign = " "
            else:
                sign = self.manner.product
            whole += sign + texts[n]
        return whole

    def is_number(self, arg: Tree, numeric: bool) -> bool:
        return isinstance(arg, Leaf) and (numeric or arg.bare or arg.kind == "number")

    def quotient(self, args: tuple[Tree, ...], numeric: bool, level: int, path: Path) -> str:
        above, below = args
        if self.medium == "latex":
            top = self.put(above, numeric, 0, (*path, 0))
            return f"\\frac{{{top}}}{{{self.put(below, numeric, 0, (*path, 1))}}}"
        text = f"{self.put(above, numeric, 1, (*path, 0))}/{self.put(below, numeric, 2, (*path, 1))}"
        return f"({text})" if level > 1 else text

    def raised(self, args: tuple[Tree, ...], numeric: bool, path: Path) -> str:
        base = self.put(args[0], numeric, 3, (*path, 0))
        if isinstance(args[0], Op) and not base.startswith("("):
            base = f"({base})"
        exponent = args[1]
        assert isinstance(exponent, Leaf)
        whole = exponent.number if isinstance(exponent.number, Fraction) and exponent.number.denominator == 1 else None
        if self.medium == "unicode" and whole in SUPERSCRIPTS:
            return base + SUPERSCRIPTS[int(whole)]
        text = unmarked(str(whole if whole is not None else float(exponent.number)))
        if self.medium == "code":
            return f"{base}**{text}"
        if self.medium == "latex":
            return f"{base}^{text}" if len(text) == 1 else f"{base}^{{{text}}}"
        return f"{base}^{text}"

    def called(self, tree: Op, numeric: bool, path: Path) -> str:
        inside = ", ".join(self.put(arg, numeric, 0, (*path, n)) for n, arg in enumerate(tree.args))
        function = {
            "latex": {"sigmoid": "\\sigma", "tanh": "\\tanh", "relu": "\\text{ReLU}", "max": "\\max", "min": "\\min",
                      "exp": "\\exp", "ln": "\\ln", "sin": "\\sin", "cos": "\\cos"},
            "unicode": {"sigmoid": "σ"},
        }.get(self.medium, {}).get(tree.sign, tree.sign)  # fmt: skip
        if tree.sign == "sqrt" and self.medium == "latex":
            return f"\\sqrt{{{inside}}}"
        return f"{function}({inside})"


def latex_name(name: str) -> str:
    found = re.fullmatch(r"([A-Za-z]+?)_?(\d+)", name)
    if found and len(found[1]) == 1:
        return f"{found[1]}_{found[2]}" if len(found[2]) == 1 else f"{found[1]}_{{{found[2]}}}"
    if "_" in name:
        base, _, rest = name.partition("_")
        return f"{base}_{{{rest}}}"
    return name if len(name) == 1 else f"\\mathrm{{{name}}}" if name.isalpha() else name


def short_decimal(number: Fraction) -> str | None:
    below = number.denominator
    for prime in (2, 5):
        while below % prime == 0:
            below //= prime
    if below != 1:
        return None
    text = f"{Decimal(number.numerator) / Decimal(number.denominator):f}"
    return text if len(text.partition(".")[2]) <= 4 else None


MARKS = re.compile(f"{OPEN}\\d+{MIDDLE}|{CLOSE}")


def unmarked(text: str) -> str:
    return MARKS.sub("", text).replace("\x04", "")


def wrapped_first(text: str) -> str:
    """-2*3 as (-2)*3."""
    end = text.index(CLOSE) + 1
    return f"({text[:end]}){text[end:]}"


# -- what a line says -----------------------------------------------------------------------------------------------------

PROSE = {
    "en": {"forward": ["Forward pass", "Part 1", "1) forward", "Answer 1 :", "First I work out the values."],
           "back": ["Backward pass", "Part 2", "Now the derivatives", "Answer 2 :", "Going back with the chain rule."],
           "so": ["so", "thus", "therefore", "we get", "hence"], "given": "given", "where": "where",
           "end": ["Done.", "I checked the signs.", "That is all I have."]},
    "de": {"forward": ["Vorwärts", "Teil 1", "Zuerst die Werte."], "back": ["Rückwärts", "Teil 2", "Jetzt die Ableitungen."],
           "so": ["also", "somit", "daraus folgt", "dann"], "given": "gegeben", "where": "mit",
           "end": ["Fertig.", "Die Vorzeichen habe ich geprüft."]},
    "es": {"forward": ["Hacia adelante", "Parte 1", "Primero los valores."], "back": ["Hacia atrás", "Parte 2",
           "Ahora las derivadas."], "so": ["entonces", "por tanto", "luego"], "given": "datos", "where": "donde",
           "end": ["Listo.", "Eso es todo."]},
    "fr": {"forward": ["Vers l'avant", "Partie 1", "D'abord les valeurs."], "back": ["Vers l'arrière", "Partie 2",
           "Maintenant les dérivées."], "so": ["donc", "alors", "ainsi"], "given": "données", "where": "où",
           "end": ["Voilà.", "C'est tout."]},
}  # fmt: skip


@dataclass
class Chunk:
    """A link as text, and its number in the page's list of links (-1: nothing is claimed with it)."""

    text: str
    link: int
    rounded: bool = False


@dataclass
class Sentence:
    """lhs = link = link ..., with local derivatives at its side."""

    left: str
    chunks: list[Chunk]
    sides: list[Sentence] = field(default_factory=list)
    is_slope: bool = False


class Hand:
    """One person writing one page."""

    def __init__(
        self,
        person: Person,
        style: Style,
        seed: object,
        *,
        weights: bool | None = None,
        given: bool | None = None,
        order: object = None,
        without: frozenset[About] = frozenset(),
        form: Form | None = None,
        runs_on: bool = False,
        fixed: dict[str, object] | None = None,
    ) -> None:
        self.draw = random.Random(f"hand {seed}")
        self.person, self.net, self.style = person, person.net, style
        medium: Medium = self.draw.choice(["ascii", "unicode"]) if style == "table" else style
        self.manner = replace(manner(self.draw, medium, person.net), **(fixed or {}))
        self.pen = Pen(self.manner, person.net)
        self.with_weights = self.draw.random() < 0.5 if weights is None else weights
        self.with_given = self.draw.random() < 0.25 if given is None else given
        self.order, self.without, self.one_form, self.runs_on = order, without, form, runs_on
        self.places = {step.about: n for n, step in enumerate(person.steps)}
        self.links: list[Placed] = []
        self.lines: list[str] = []
        self.words = PROSE[self.manner.language]
        self.seed = seed

    # -- the page --------------------------------------------------------------------------------------------------

    def page(self) -> Page:
        steps = [step for step in self.person.steps if step.about not in self.without]
        forward = [step for step in steps if step.about[0] == "value"]
        back = [step for step in steps if step.about[0] == "slope"]
        weights = set(self.net.weights)
        units = [step for step in back if step.about[2] not in weights]
        others = [step for step in back if step.about[2] in weights] if self.with_weights else []
        forward, units, others = (self.shuffled(steps) for steps in (forward, units, others))
        match self.style:
            case "table":
                self.table(forward, units, others)
            case "code":
                self.code(forward, units, others)
            case _:
                self.sheet(forward, units, others)
        return self.finished()

    def shuffled(self, steps: list[Step]) -> list[Step]:
        """Lines that do not depend on each other may change places."""
        draw = random.Random(f"order {self.seed if self.order is None else self.order}")
        if draw.random() < 0.5:
            return steps
        found: list[Step] = []
        left = list(steps)
        names = {step.about: step for step in steps}
        while left:
            ready = [
                s
                for s in left
                if not any(names.get(key) in left for key in needs(s) if key != s.about and key in names)
            ]
            following = draw.choice(ready[:2] or left[:1])
            left.remove(following)
            found.append(following)
        return found

    def at(self, step: Step) -> random.Random:
        """What is decided about a line hangs on the line alone, wherever it stands."""
        self.draw = random.Random(f"line {self.seed} {self.places[step.about]}")
        return self.draw

    def finished(self) -> Page:
        text = "\n".join(self.lines) + "\n"
        plain: list[str] = []
        numbers: list[Written] = []
        at = 0
        open_: tuple[int, int] | None = None
        for part in re.split(f"({OPEN}\\d+{MIDDLE}|{CLOSE}|\x04)", text):
            if part.startswith(OPEN):
                open_ = (int(part[1:-1]), at)
            elif part == CLOSE:
                assert open_ is not None
                link, path, number = self.pen.marked[open_[0]]
                numbers.append(Written(open_[1], at, link, path, number, "".join(plain)[open_[1] : at]))
                open_ = None
            elif part != "\x04":
                plain.append(part)
                at += len(part)
        numbers = [n for n in numbers if n.link >= 0]
        what = f"{self.style} page, seed {self.seed!r}, habit {self.person.habit or 'none'} {self.person.place or ''}"
        return Page("".join(plain), self.net, self.person, self.style, self.links, numbers, what)

    def say(self, text: str, chunks: Iterable[Chunk] = ()) -> None:
        """A line; the links on it stand there."""
        self.lines.append(text)
        for chunk in chunks:
            if chunk.link >= 0:
                self.links[chunk.link].line = len(self.lines)

    def blank(self) -> None:
        if self.lines and self.lines[-1] and self.draw.random() < 0.6:
            self.lines.append("")

    def heading(self, key: str) -> None:
        if self.draw.random() < 0.8:
            words = self.draw.choice(self.words[key])
            mark = self.draw.choice(["", "", "## ", "**"]) if self.style in ("latex", "unicode", "table") else ""
            self.blank()
            self.say(f"**{words}**" if mark == "**" else mark + words)
            self.blank()

    # -- sentences ---------------------------------------------------------------------------------------------------

    def add(self, step: Step | None, part: Part, tree: Tree, status: Status, about: str = "") -> int:
        self.links.append(Placed(step, part, tree, status, about=about or (step.name if step else "")))
        return len(self.links) - 1

    def shown(self, step: Step) -> tuple[str, ...]:
        if self.manner.show != ("mixed",):
            return self.manner.show
        return self.draw.choice(
            [
                ("named", "numeric", "result"),
                ("numeric", "result"),
                ("named", "result"),
                ("result",),
                ("numeric", "worked", "result"),
            ]
        )

    def sentence(self, step: Step, *, shown: tuple[str, ...] | None = None, aside: bool = False) -> Sentence:
        shown = shown or self.shown(step)
        chunks: list[Chunk] = []
        form = self.form(step)
        before: list[str] = []
        if form is not None:
            named, numeric = step.forms[form]
            self.pen.words = self.weight_words(step)
            tree = self.dressed(step, named.tree)
            if "named" in shown and not isinstance_number(tree):
                for extra in self.loss_extras(step) if not aside else []:
                    chunks.append(self.chunk(step, "named", extra, "good", numeric=False))
                chunks.append(self.chunk(step, "named", tree, named.status, numeric=False))
                before.append(unmarked(chunks[-1].text))
            self.pen.words = {}
            if "numeric" in shown:
                chunks.append(self.chunk(step, "numeric", numeric.tree, numeric.status, numeric=True))
            worked = worked_out(numeric.tree)
            if "worked" in shown and worked is not None and self.person.habit not in ("S7", "T1"):
                chunks.append(self.chunk(step, "worked", worked, numeric.status, numeric=True))
        chunks.append(self.chunk(step, "result", num(step.value), step.status, numeric=True))
        chunks = self.without_repeats(chunks)
        left = self.left(step)
        sides = [self.sentence(a, shown=self.aside_parts(a), aside=True) for a in self.sides(step)] if not aside else []
        return Sentence(left, chunks, sides, step.about[0] != "value")

    def aside_parts(self, step: Step) -> tuple[str, ...]:
        return self.draw.choice([("result",), ("named", "result")])

    def left(self, step: Step) -> str:
        if step.about[0] == "value":
            return self.pen.name(step.about[1])
        return self.pen.slope(step.about[1], step.about[2])

    def chunk(self, step: Step | None, part: Part, tree: Tree, status: Status, *, numeric: bool) -> Chunk:
        link = self.add(step, part, tree, status)
        text = self.pen.formula(tree, link, numeric=numeric)
        self.links[link].exact = not self.pen.rounded
        if part == "named" and status == "good" and step is not None and self.misread_number(tree):
            self.links[link].status = status = step.forms[next(iter(step.forms))][1].status
        if status == "bad" and step is not None and self.comes_out_alike(step, worth(tree)):
            self.links[link].status = "doubtful"
        return Chunk(text, link, self.pen.rounded)

    def misread_number(self, tree: Tree) -> bool:
        """Whether a given number that stands among the names is another than it is."""
        given = self.net.given
        return any(leaf.bare and leaf.of in given and leaf.number != given[leaf.of] for leaf in trees.leaves(tree))

    def comes_out_alike(self, step: Step, number: Number) -> bool:
        """Whether in the digits that are written a wrong number cannot be told from a right one."""
        digits, exact = self.pen.digits(step.value)
        if exact:
            return False
        unit = 10.0 ** -len(digits.partition(".")[2])
        return any(abs(float(number) - float(right)) < 3 * unit for right in (step.follows, step.truth))

    def without_repeats(self, chunks: list[Chunk]) -> list[Chunk]:
        """Of links with the same text only the last is written."""
        kept: list[Chunk] = []
        for chunk in chunks:
            bare = unmarked(chunk.text).strip("()")
            if kept and unmarked(kept[-1].text).strip("()") == bare:
                self.forget(kept.pop())
            kept.append(chunk)
        return kept

    def forget(self, chunk: Chunk) -> None:
        self.links[chunk.link].line = -1

    def form(self, step: Step) -> Form | None:
        if not step.forms:
            return None
        if step.about[0] != "slope":
            return next(iter(step.forms))
        wish: list[Form] = {"latex": ["local", "local", "path", "bare"], "code": ["bare", "weight"]}.get(
            self.manner.medium, ["local", "bare", "path", "weight"]
        )
        if self.one_form in step.forms:
            return self.one_form
        forms = [f for f in wish if f in step.forms and (f != "weight" or self.manner.weights == "full")]
        if step.about[2] in self.net.weights:
            forms = [f for f in forms if f != "bare"] or ["weight"]
        return self.draw.choice(forms)

    def dressed(self, step: Step, tree: Tree) -> Tree:
        """The formula of a value with weights as this hand writes them; without factors 1, if it leaves them away."""
        if step.about[0] == "value" and step.about[1] != self.net.output and self.manner.weights == "numbers":
            tree = weights_as_numbers(tree, self.net)
        return without_ones(tree) if self.manner.ones_dropped else tree

    def weight_words(self, step: Step) -> dict[str, str]:
        """w_1 x_1, w_1 A_1 or w_{11} A_1 for the weights into one unit."""
        if step.about[0] != "value" or self.manner.weights not in ("generic", "generic x", "digits"):
            return {}
        named = next(iter(step.forms.values()))[0].tree
        words: dict[str, str] = {}
        heads = next((units for units in self.net.layers if step.about[1] in units), [])
        for n, term in enumerate(named.args if isinstance(named, Op) and named.sign == "+" else (named,)):
            if not (isinstance(term, Op) and term.sign == "*" and len(term.args) == 2):
                continue
            weight, tail = term.args
            if not (isinstance(weight, Leaf) and isinstance(tail, Leaf) and weight.of.startswith("w[")):
                continue
            row = heads.index(step.about[1]) + 1 if step.about[1] in heads else 1
            index = f"{row}{n + 1}" if self.manner.weights == "digits" else f"{n + 1}"
            words[weight.of] = self.indexed("w", index)
            if self.manner.weights == "generic x":
                words[tail.of] = self.indexed("x", f"{n + 1}")
        return words

    def indexed(self, letter: str, index: str) -> str:
        if self.manner.medium == "latex":
            return f"{letter}_{index}" if len(index) == 1 else f"{letter}_{{{index}}}"
        if self.manner.medium == "unicode" and self.manner.underscore:
            return letter + index.translate(SUBSCRIPTS)
        return f"{letter}{'_' if self.manner.underscore else ''}{index}"

    def loss_extras(self, step: Step) -> list[Tree]:
        """d/dD (D - 3)^2 = 2 (D - 3)' (D - 3): what one writes on the way to the slope of the loss."""
        net = self.net
        if step.about[0] != "slope" or self.manner.medium == "code" or self.draw.random() < 0.6:
            return []
        square = net.equations[net.output]
        if not (isinstance(square, Op) and square.sign == "^") or net.output not in net.children(step.about[2]):
            return []
        inside = self.person.mine(square.args[0])
        if not (
            isinstance(inside, Op) and inside.sign == "+" and all(isinstance(part, Leaf | Op) for part in inside.args)
        ):
            return []
        if trees.derivative(inside, step.about[2]) != num(1) or "t" not in net.given:
            return []
        inside = bare_target(inside)
        by = self.person.leaf(step.about[2])
        extras: list[Tree] = [Op("derivative", (trees.power(inside, 2), by))]
        if self.person.habit == "" and self.draw.random() < 0.4:
            extras.append(trees.times(num(2), Op("prime", (inside, by)), inside))
        return extras

    def sides(self, step: Step) -> list[Step]:
        if step.about[0] != "slope" or not step.asides or self.manner.side == "" or step.about[2] in self.net.weights:
            return []
        return step.asides if self.draw.random() < 0.5 else []

    def relation(self, chunk: Chunk) -> str:
        about = self.manner.approx
        lone = self.links[chunk.link].part == "result" if chunk.link >= 0 else True
        return "≈" if chunk.rounded and (about == "all" or (about == "value" and lone)) else "="

    # -- sheets of formulas --------------------------------------------------------------------------------------------

    def sheet(self, forward: list[Step], units: list[Step], others: list[Step]) -> None:
        self.heading("forward")
        self.given_lines()
        for step in forward:
            self.formula_lines(step)
        self.heading("back")
        for step in [*units, *others]:
            self.formula_lines(step)
        if self.draw.random() < 0.3:
            self.blank()
            self.say(self.draw.choice(self.words["end"]))

    def given_lines(self) -> None:
        """The given numbers copied out."""
        if not self.with_given:
            return
        names = [n for n in self.net.given if self.net.kinds[n] in ("input", "target")]
        if not any(w.startswith("w[") for w in self.net.arrow.values()) and not self.net.coefficients:
            names = list(self.net.given)
        parts: list[str] = []
        chunks: list[Chunk] = []
        for name in names:
            number = self.person.values[name]
            status: Status = "good" if number == self.net.given[name] else "bad"
            link = self.add(None, "given", self.person.leaf(name), status, name)
            text = self.pen.formula(num(number), link, numeric=True)
            if self.pen.rounded:
                self.links[link].line = -1
                continue
            chunks.append(Chunk(text, link))
            parts.append(f"{self.pen.name(name)} = {text}")
        if not parts:
            return
        match self.manner.medium:
            case "latex":
                self.say(f"{self.words['given']}: " + ", ".join(f"${part}$" for part in parts), chunks)
            case "code":
                for part, chunk in zip(parts, chunks, strict=True):
                    self.say(part, [chunk])
            case _:
                self.say(f"{self.words['given']}: " + ", ".join(parts), chunks)
        self.blank()

    def formula_lines(self, step: Step) -> None:
        self.at(step)
        sentence = self.sentence(step)
        if self.style == "latex":
            self.latex_lines(sentence)
        else:
            self.text_lines(sentence)

    def chain(self, sentence: Sentence) -> str:
        signs = {"≈": "\\approx" if self.manner.medium == "latex" else "≈" if self.manner.medium == "unicode" else "~="}
        whole = sentence.left
        for chunk in sentence.chunks:
            relation = self.relation(chunk)
            whole += f" {signs.get(relation, relation)} {chunk.text}"
        return whole

    def latex_lines(self, sentence: Sentence) -> None:
        draw = self.draw
        if sentence.chunks and draw.random() < self.manner.box:
            sentence.chunks[-1].text = f"\\boxed{{{sentence.chunks[-1].text}}}"
        layout = draw.choice(["spread", "one", "one", "aligned", "inline"])
        side = self.manner.side if sentence.sides else ""
        if side == "where" and not self.runs_on:  # or else the chain goes on in the next line, behind the note
            layout = draw.choice(["one", "inline"])
        if side == "lines":
            for note in sentence.sides:
                self.say(f"$${self.chain(note)}$$", note.chunks)
                self.blank()
        after = ""
        extra: list[Chunk] = []
        if side == "brace":
            inner = " \\\\ ".join(self.chain(note) for note in sentence.sides)
            after = f" \\quad \\left\\{{ \\begin{{array}}{{l}} {inner} \\end{{array}} \\right."
            extra = [chunk for note in sentence.sides for chunk in note.chunks]
        elif side == "where":
            after = (
                " \\quad \\text{" + self.words["where"] + " } " + ", ".join(self.chain(note) for note in sentence.sides)
            )
            extra = [chunk for note in sentence.sides for chunk in note.chunks]
        arrow = "\\Rightarrow " if draw.random() < 0.3 else ""
        if layout == "inline":
            so = f"{draw.choice(self.words['so'])} " if draw.random() < 0.4 else ""
            bullet = draw.choice(["", "- ", ""])
            self.say(f"{bullet}{so}${self.chain(sentence)}{after}$", [*sentence.chunks, *extra])
            self.blank()
            return
        if layout == "one" or len(sentence.chunks) < 2:
            self.say(f"$${arrow}{self.chain(sentence)}{after}$$", [*sentence.chunks, *extra])
        elif layout == "aligned":
            self.say("$$\\begin{aligned}")
            for n, chunk in enumerate(sentence.chunks):
                relation = "\\approx" if self.relation(chunk) == "≈" else "="
                end = " \\\\" if n + 1 < len(sentence.chunks) else ""
                note = after if n == 0 else ""
                self.say(
                    f"{sentence.left + ' ' if n == 0 else ''}&{relation} {chunk.text}{note}{end}",
                    [chunk, *(extra if n == 0 else [])],
                )
            self.say("\\end{aligned}$$")
        else:
            first, *rest = sentence.chunks
            relation = "\\approx" if self.relation(first) == "≈" else "="
            self.say(f"$${arrow}{sentence.left} {relation} {first.text}{after}$$", [first, *extra])
            for n, chunk in enumerate(rest):
                relation = "\\approx" if self.relation(chunk) == "≈" else "="
                last = n + 1 == len(rest)
                self.blank()
                lead = f"\\Rightarrow {sentence.left} " if last and draw.random() < 0.6 else ""
                self.say(f"$${lead}{relation} {chunk.text}$$", [chunk])
        self.blank()

    def text_lines(self, sentence: Sentence) -> None:
        draw = self.draw
        bullet = draw.choice(self.manner.bullets) if self.style == "unicode" else ""
        side = self.manner.side if sentence.sides else ""
        if side == "lines":
            for note in sentence.sides:
                self.say(bullet + self.chain(note), note.chunks)
        after, extra = "", list[Chunk]()
        if side in ("where", "brace"):
            notes = ", ".join(self.chain(note) for note in sentence.sides)
            after = f"  ({notes})" if side == "brace" else f" {self.words['where']} {notes}"
            extra = [chunk for note in sentence.sides for chunk in note.chunks]
        so = f"{draw.choice(self.words['so'])} " if draw.random() < 0.15 else ""
        if len(sentence.chunks) > 1 and draw.random() < 0.25 and not after:
            first, *rest = sentence.chunks
            sign = {"≈": "≈" if self.style == "unicode" else "~="}
            self.say(f"{bullet}{sentence.left} {sign.get(self.relation(first), '=')} {first.text}", [first])
            indent = " " * (len(bullet) + len(unmarked(sentence.left)))
            for chunk in rest:
                self.say(f"{indent} {sign.get(self.relation(chunk), '=')} {chunk.text}", [chunk])
        else:
            self.say(f"{bullet}{so}{self.chain(sentence)}{after}", [*sentence.chunks, *extra])
        if draw.random() < 0.1:
            self.blank()

    # -- tables ----------------------------------------------------------------------------------------------------------

    def table(self, forward: list[Step], units: list[Step], others: list[Step]) -> None:
        draw, output = self.draw, self.net.output
        self.heading("forward")
        self.given_lines()
        slopes = {step.about[2]: step for step in [*units, *others]}
        values = {step.about[1]: step for step in forward}
        names = [n for n in self.net.given if n in slopes and n not in self.net.weights]
        names += [n for n in self.net.given if n in self.net.weights and n in slopes]
        names += list(values)
        if draw.random() < 0.4:
            names.reverse()
        head = draw.choice(["trace", "node", "quantity", ""])
        derivative = draw.choice(["derivative", "dL/d·".replace("L", output), "gradient", "adjoint", f"∂{output}/∂·"])
        self.say(f"| {head} | {draw.choice(['value', 'value', 'forward'])} | {derivative} |")
        self.say(draw.choice(["|---|---|---|", "|---|---:|---:|", "|:--|--:|--:|"]))
        with_formula = draw.random() < 0.4
        in_cell = draw.random() < 0.5
        for name in names:
            chunks: list[Chunk] = []
            cells = [self.pen.name(name), "", ""]
            if name in values:
                step = values[name]
                self.at(step)
                sentence = self.sentence(step, shown=("named", "result") if with_formula else ("result",))
                *before, result = sentence.chunks
                for chunk in before:
                    cells[0] += f" = {chunk.text}"
                cells[1] = result.text
                chunks += sentence.chunks
            else:
                link = self.add(
                    None,
                    "given",
                    self.person.leaf(name),
                    "good" if self.person.values[name] == self.net.given[name] else "bad",
                    name,
                )
                cells[1] = self.pen.formula(num(self.person.values[name]), link, numeric=True)
                chunks.append(Chunk(cells[1], link))
            if name in slopes:
                self.at(slopes[name])
                sentence = self.sentence(slopes[name], shown=("numeric", "result") if in_cell else ("result",))
                sentence.sides = []
                cells[2] = (
                    self.chain(Sentence("", sentence.chunks))
                    .removeprefix(" = ")
                    .removeprefix(" ~= ")
                    .removeprefix(" ≈ ")
                )
                chunks += sentence.chunks
            elif name == output:
                link = self.add(None, "given", num(1), "good", f"d{output}/d{output}")
                cells[2] = self.pen.formula(num(1), link, numeric=True)
                chunks.append(Chunk(cells[2], link))
            self.say("| " + " | ".join(cells) + " |", chunks)
        self.lines.append("")
        if not in_cell:
            self.heading("back")
            for step in [*units, *others]:
                if self.at(step).random() < 0.8:
                    self.text_lines(self.sentence(step))

    # -- code --------------------------------------------------------------------------------------------------------------

    def code(self, forward: list[Step], units: list[Step], others: list[Step]) -> None:
        draw = self.draw
        fenced = draw.random() < 0.5
        prompt = ">>> " if draw.random() < 0.2 else ""
        if fenced:
            self.say(draw.choice(self.words["forward"]))
            self.say("```python")
        self.with_given = self.with_given or draw.random() < 0.5
        self.given_lines()
        comments = ["  # = {}", "  # = {}", "  # {}", "print", "" if self.person.truth is None else "  # {}"]
        comment = draw.choice(comments)  # whose numbers are wrong shows them, or else nobody could follow
        printed: list[tuple[str, Step]] = []
        if draw.random() < 0.5:
            self.say("# " + draw.choice(self.words["forward"]))
        for n, step in enumerate([*forward, *units, *others]):
            if n == len(forward):
                self.say("")
                self.say("# " + draw.choice(self.words["back"]))
            draw = self.at(step)
            named = draw.random() < 0.7 or (comment == "print" and self.person.truth is not None)
            sentence = self.sentence(step, shown=("named" if named else "numeric", "result"))
            *before, result = sentence.chunks
            if not before:
                self.say(f"{prompt}{sentence.left} = {result.text}", [result])
                continue
            first = before[-1]
            line = f"{prompt}{sentence.left} = {first.text}"
            if comment == "  # = {}":
                self.say(line + comment.format(result.text), [first, result])
            elif comment == "print" and draw.random() < 0.8:
                self.say(line, [first])
                printed.append((sentence.left, step))
                self.forget(result)
            else:
                form = "  # {}" if comment == "print" or first.rounded else comment
                self.say(line + form.format(result.text), [first, result] if form else [first])
                if not form:
                    self.forget(result)
        if fenced:
            self.say("```")
        if printed:
            self.say("")
            sign = draw.choice([" = ", ": "])
            for left, step in printed:
                chunk = self.chunk(step, "result", num(step.value), step.status, numeric=True)
                self.say(f"{left}{sign}{chunk.text}", [chunk])


def write(person: Person, style: Style, seed: object, **options: object) -> Page:
    """A page by one of the hands."""
    return Hand(person, style, seed, **options).page()  # type: ignore[arg-type]


# -- parts of formulas ------------------------------------------------------------------------------------------------------


def needs(step: Step) -> Iterator[tuple[str, ...]]:
    """The lines a line is worked out from."""
    trees_ = [link.tree for links in step.forms.values() for link in links] or [step.right]
    for tree in trees_:
        for leaf in trees.leaves(tree):
            if leaf.kind == "value":
                yield ("value", leaf.of)
            elif leaf.kind == "slope":
                yield ("slope", leaf.of, leaf.by)


def isinstance_number(tree: Tree) -> bool:
    return isinstance(tree, Leaf) and (tree.kind == "number" or tree.bare)


def worked_out(tree: Tree) -> Tree | None:
    """(2)(1) + (-2)(-1) as 2 + 2."""
    if isinstance(tree, Op) and tree.sign == "+" and any(isinstance(arg, Op) for arg in tree.args):
        return Op("+", tuple(num(worth(arg)) for arg in tree.args))
    return None


def weights_as_numbers(tree: Tree, net: Net) -> Tree:
    if isinstance(tree, Leaf):
        return replace(tree, bare=True) if net.kinds.get(tree.of) == "weight" else tree
    return Op(tree.sign, tuple(weights_as_numbers(arg, net) for arg in tree.args))


def bare_target(tree: Tree) -> Tree:
    if isinstance(tree, Leaf):
        return replace(tree, bare=True) if tree.of == "t" else tree
    return Op(tree.sign, tuple(bare_target(arg) for arg in tree.args))


def without_ones(tree: Tree) -> Tree:
    """Products with a written factor 1 without it."""
    if isinstance(tree, Leaf):
        return tree
    args = tuple(without_ones(arg) for arg in tree.args)
    if tree.sign == "*":
        kept = [a for a in args if not (isinstance_number(a) and isinstance(a, Leaf) and a.number == 1)]
        return trees.times(*kept) if kept else num(1)
    return Op(tree.sign, args)
