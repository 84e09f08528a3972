"""A formula as an expression of a programming language.

One fold over the formula, with the table of spellings: each part becomes a text that knows how strongly
it binds, so that parentheses stand where they are needed and nowhere else. The formula is the one that is
shown in the working; what is deep, and what is used twice once rows are written out as formulas of other
rows, gets a name of its own in front.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from backhand.coding.names import Names
from backhand.coding.spellings import ATOM, OPEN, POWER, PRODUCT, SIGN, Call, Infix, Language, Spelling, spelling
from backhand.core.adjoints import Shapes, opened
from backhand.core.array_operations import ArrayOperation, Shape
from backhand.core.formula import Apply, Formula, Num, Ref, postorder
from backhand.core.graph import Graph
from backhand.core.operations import INFIX
from backhand.core.shapes import shapes_in
from backhand.errors import UsageError
from backhand.numbers import as_float, terminating

DEEPEST = 60
"""Levels of an expression; deeper parts get a name. Compilers have limits of their own."""

WIDEST = 1_500
"""Characters of an expression; longer parts get a name."""

LONG, NAMED = 84, 40
"""Characters of a line of our own making, past which calls of so many get a name."""

SIMPLE = re.compile(r"-?[\w.]+")
CELL = re.compile(r"\{([a-zA-Z])\}")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part as text. `sign` is the sign at its root; `plain` says that no tensor is in it; `above` is the number that
    is 0 or 1 as `{above} > 0` is false or true."""

    text: str
    rank: int
    sign: str = ""
    plain: bool = False
    depth: int = 0
    above: str = ""

    @property
    def call(self) -> bool:
        """Whether it is a function of something."""
        return self.rank == ATOM and self.text.endswith(")")


@dataclass(frozen=True, slots=True)
class Expression:
    """The text of a formula, and the parts that stand in front of it, by name."""

    text: str
    parts: tuple[tuple[str, str], ...]


class Expressions:
    """Formulas of one graph in one language; collects the helpers that are called."""

    def __init__(self, graph: Graph, language: Language, names: Names) -> None:
        self.language: Language = language
        self.names = names
        self.shapes = Shapes(graph) if graph.arrays else None
        self.used: set[str] = set()

    def write(self, formula: Formula, target: str, *, join: bool) -> Expression:
        """A formula as code. With `join`, what occurs in it several times is computed once, and long calls get names;
        the formulas that somebody wrote are left as they are."""
        if self.shapes is not None:
            bare = formula
            formula, _ = opened(formula, self.shapes, self._to_open)
            join = join or formula is not bare
        if isinstance(formula, Num):
            return Expression(self._whole(self._number(formula.value, whole=False)), ())
        planned = Names(frozenset())
        tried = self._written(formula, target, join=join, most=WIDEST, names=planned)
        if join and self.shapes is not None and len(target) + len(tried.text) > LONG:
            return self._written(formula, target, join=join, most=NAMED, names=self.names)
        if tried.parts:
            return self._written(formula, target, join=join, most=WIDEST, names=self.names)
        return tried

    def _written(self, formula: Formula, target: str, *, join: bool, most: int, names: Names) -> Expression:
        """The same; calls longer than `most` get a name."""
        nodes = postorder(formula)
        sizes = [()] * len(nodes) if self.shapes is None else self._sizes(formula)
        marks, uses = _numbered(nodes)
        parts: list[tuple[str, str]] = []
        known: dict[int, Piece] = {}
        stack: list[int] = []
        shape_at: dict[int, Shape] = {}
        last = marks[-1]
        for node, mark, shape in zip(nodes, marks, sizes, strict=True):
            below: list[int] = []
            if isinstance(node, Apply) and node.args:
                below = stack[len(stack) - len(node.args) :]
                del stack[len(stack) - len(node.args) :]
            stack.append(mark)
            shape_at[mark] = shape
            if mark in known:
                continue
            piece = self._piece(node, [known[b] for b in below], [shape_at[b] for b in below], shape)
            long = piece.depth > DEEPEST or len(piece.text) > (most if piece.call else WIDEST)
            if mark != last and (long or (join and uses[mark] > 1 and _worth_a_name(node))):
                name = names.part(target)
                parts.append((name, piece.text))
                piece = Piece(name, ATOM, plain=piece.plain)
            known[mark] = piece
        return Expression(self._whole(known[last]), tuple(parts))

    def _whole(self, piece: Piece) -> str:
        """All quantities are tensors in PyTorch."""
        return f"torch.tensor({piece.text})" if self.language == "torch" and piece.plain else piece.text

    def _sizes(self, formula: Formula) -> list[Shape]:
        assert self.shapes is not None
        return shapes_in(formula, self.shapes.names, self.shapes.slope)

    def _to_open(self, part: Formula) -> bool:
        return isinstance(part, Apply) and self._spelling(part) is OPEN

    def _spelling(self, node: Apply) -> Spelling:
        return spelling(node.operation.name, len(node.args), self.language)

    # -- parts ----------------------------------------------------------------------------------------

    def _piece(self, node: Formula, args: list[Piece], shapes: list[Shape], shape: Shape) -> Piece:
        match node:
            case Num():
                return self._number(node.value, whole=self.language != "c")
            case Ref():
                return Piece(self.names(node.name), ATOM)
            case Apply():
                return self._applied(node, args, shapes, shape)
            case _:
                return Piece(self.names.slope(node.of, node.by), ATOM)

    def _number(self, value: Fraction, *, whole: bool) -> Piece:
        """An exact number: `2`, `0.15`, `1 / 3`."""
        return Piece(*number(value, whole=whole), plain=True)

    def _applied(self, node: Apply, args: list[Piece], shapes: list[Shape], shape: Shape) -> Piece:
        row = node.operation
        spelled = self._spelling(node)
        plain = self.language == "torch" and all(arg.plain for arg in args) and not isinstance(row, ArrayOperation)
        if plain:
            inner = spelling(row.name, len(args), "python")
            plain = inner is not None and not (isinstance(inner, str) and inner.startswith("!"))
            spelled = inner if plain else spelled
        if spelled is None:
            raise UsageError(
                f"There is no {row.name} in {self.language} code.", cure="Ask for another language: --to numpy."
            )
        depth = 1 + max((arg.depth for arg in args), default=0)
        if isinstance(spelled, Infix):
            made = self._infix(spelled, args)
        elif row.name == "^" and args[1].text == "2.0" and SIMPLE.fullmatch(args[0].text) and args[0].rank == ATOM:
            made = Piece(f"{args[0].text} * {args[0].text}", PRODUCT, "*")
        else:
            made = self._called(node, spelled, args, shapes, shape, plain=plain)
        return Piece(made.text, made.rank, made.sign, plain, depth, made.above)

    def _called(
        self, node: Apply, spelled: Spelling, args: list[Piece], shapes: list[Shape], shape: Shape, *, plain: bool
    ) -> Piece:
        tensors = self.language == "torch" and not plain
        if callable(spelled):
            texts = [_tensor(arg) if tensors and arg.plain else arg for arg in args]
            call = Call(
                self.language, [a.text for a in texts], [a.rank for a in texts], shapes, shape, dict(node.params)
            )
            text = spelled(call)
        else:
            assert isinstance(spelled, str)
            letters = dict(zip(node.operation.arguments, args, strict=True))
            all_plain = tensors and all(arg.plain for arg in args)

            def put(cell: re.Match[str]) -> str:
                piece = letters[cell[1].lower()]
                return (
                    _tensor(piece).text if piece.plain and tensors and (all_plain or cell[1].isupper()) else piece.text
                )

            text = CELL.sub(put, spelled)
        if "!" in text:
            self.used.update(re.findall(r"!(\w+)\(", text))
            text = text.replace("!", "")
        above = ""
        if node.operation.name == "step" and self.language in ("numpy", "torch", "jax"):
            above = args[0].text
        return Piece(text, ATOM, above=above)

    def _infix(self, infix: Infix, args: list[Piece]) -> Piece:
        if len(args) == 1:
            (inside,) = args
            text = _in(inside, inside.rank < PRODUCT or inside.sign == "@" or inside.text.startswith("-"))
            return Piece(f"-{text}", PRODUCT if inside.rank == PRODUCT and text == inside.text else SIGN, "-")
        left, right = args
        if infix.rank == POWER:
            base = _in(left, left.rank < ATOM)
            exponent = _in(right, right.rank < SIGN or right.rank == POWER)
            hug = SIMPLE.fullmatch(base) and SIMPLE.fullmatch(exponent)
            return Piece(f"{base}**{exponent}" if hug else f"{base} ** {exponent}", POWER, "**")
        if infix.sign == "*" and bool(left.above) != bool(right.above):
            left, right = (Piece(f"({p.above} > 0)", ATOM) if p.above else p for p in (left, right))
        mixed = infix.rank == PRODUCT and "@" in (infix.sign, left.sign) and left.sign not in ("", infix.sign, "-")
        one = _in(left, left.rank < infix.rank or mixed)
        flat = infix.sign == "*" == right.sign and not right.text.startswith("-")
        other = _in(right, (right.rank <= infix.rank and not flat) or right.text.startswith("-"))
        return Piece(f"{one} {infix.sign} {other}", infix.rank, infix.sign)


def _in(piece: Piece, parentheses: object) -> str:
    return f"({piece.text})" if parentheses else piece.text


def _tensor(piece: Piece) -> Piece:
    return Piece(f"torch.tensor({piece.text + '.0' if piece.text.isdigit() else piece.text})", ATOM)


def _worth_a_name(node: Formula) -> bool:
    """Whether a part that is used several times is more than one sign between names."""
    if not isinstance(node, Apply) or not node.args:
        return False
    if node.operation.name in INFIX or node.operation.name in ("transpose", "index"):
        return any(isinstance(arg, Apply) and arg.args for arg in node.args)
    return True


def _numbered(nodes: list[Formula]) -> tuple[list[int], dict[int, int]]:
    """A number for each part, the same for the same part; and by how many parts each is used."""
    numbers: dict[object, int] = {}
    uses: dict[int, int] = {}
    marks: list[int] = []
    stack: list[int] = []
    for node in nodes:
        below: tuple[int, ...] = ()
        match node:
            case Apply():
                count = len(node.args)
                if count:
                    below = tuple(stack[len(stack) - count :])
                    del stack[len(stack) - count :]
                key: object = (id(node.operation), node.params, below)
            case Num():
                key = node.value
            case Ref():
                key = node.name
            case _:
                key = (node.of, node.by)
        mark = numbers.get(key)
        if mark is None:
            mark = numbers[key] = len(numbers)
            for one in below:
                uses[one] = uses.get(one, 0) + 1
        uses.setdefault(mark, 0)
        marks.append(mark)
        stack.append(mark)
    return marks, uses


def number(value: Fraction | float, *, whole: bool = False) -> tuple[str, int]:
    """A number as all languages write it, and how strongly that binds. `whole` numbers may stand without a point.

    >>> number(Fraction(3, 20)), number(Fraction(1, 3)), number(Fraction(2), whole=True)
    (('0.15', 5), ('1.0 / 3.0', 2), ('2', 5))
    """
    if isinstance(value, Fraction):
        if whole and value.denominator == 1 and abs(value) < 10**15:
            return str(value), ATOM if value >= 0 else SIGN
        small = max(abs(value.numerator), value.denominator) < 2**53
        if terminating(value) is None and small:
            if whole:
                return f"{value.numerator} / {value.denominator}", PRODUCT
            return f"{float(value.numerator)!r} / {float(value.denominator)!r}", PRODUCT
    nearest = as_float(value)
    return repr(nearest), SIGN if nearest < 0 else ATOM
