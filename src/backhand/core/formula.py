"""A formula, as somebody wrote it: Num | Ref | Apply (| Slope in answers).

    B1 = -2 A1 + 1 A2      Apply(+, Apply(*, Num -2, Ref A1), Apply(*, Num 1, Ref A2))

The tree keeps the order, the parentheses and the kind of product the person chose, because a
worked solution repeats them; each node knows its Span. Nothing is simplified on reading.

A formula may be a sum of a hundred thousand terms, and its tree is as deep. So nothing here
recurses: `postorder` lists the nodes, arguments first, and `fold` runs any computation over that
list. Values, derivatives, code and typesetting are all folds.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from backhand import limits
from backhand.errors import LimitError

if TYPE_CHECKING:
    from backhand.core.operations import Operation
    from backhand.text import Span

T = TypeVar("T")

Style: TypeAlias = str
"""How a product was written: "*", "·", "juxtaposed", or "arrow" for the weight of a drawn arrow times the value of its
tail. How a function is spelled, where a quantity has its usual name. "list" for [a, b]. Otherwise empty."""

Params: TypeAlias = "tuple[tuple[str, Param], ...]"
"""What an operation on arrays is told besides its arguments, as (name, value): ("axis", 0). All of the row's, in its
order."""

Param: TypeAlias = "int | bool | str | Fraction | tuple[Param, ...] | Held | None"


class Held:
    """An array that was read from a file, inside a formula."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held)

    def __hash__(self) -> int:
        return 0


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Num:
    """A number, exact. `text` is how it was written, where that is more than its value (`0.50`)."""

    value: Fraction
    text: str = ""
    parens: bool = False
    span: Span | None = None

    depth = 0

    def __repr__(self) -> str:
        return f"<{to_text(self)}>"

    def __eq__(self, other: object) -> bool:
        return same(self, other)

    def __hash__(self) -> int:
        return hash(self.value)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Ref:
    """One occurrence of a quantity's name."""

    name: str
    parens: bool = False
    span: Span | None = None

    depth = 0

    def __repr__(self) -> str:
        return f"<{to_text(self)}>"

    def __eq__(self, other: object) -> bool:
        return same(self, other)

    def __hash__(self) -> int:
        return hash(self.name)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Slope:
    """`dL/dX`, read as one thing: the derivative of one quantity by another. Answers have it, nets do not."""

    of: str
    by: str
    parens: bool = False
    span: Span | None = None

    depth = 0

    def __repr__(self) -> str:
        return f"<{to_text(self)}>"

    def __eq__(self, other: object) -> bool:
        return same(self, other)

    def __hash__(self) -> int:
        return hash((self.of, self.by))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Apply:
    """An operation of the table on its arguments. Make it with `apply`, which keeps the depth within limits."""

    operation: Operation
    args: tuple[Formula, ...]
    style: Style = ""
    parens: bool = False
    span: Span | None = None
    depth: int = field(default=0)
    params: Params = ()

    def __repr__(self) -> str:
        return f"<{to_text(self)}>"

    def __eq__(self, other: object) -> bool:
        return same(self, other)

    def __hash__(self) -> int:
        return hash(tuple(_key(node) for node in postorder(self)))


Formula: TypeAlias = Num | Ref | Slope | Apply

CHAINS = frozenset(["+", "-", "*", "/", "@"])


def apply(
    operation: Operation,
    *args: Formula,
    style: Style = "",
    parens: bool = False,
    span: Span | None = None,
    params: Params = (),
) -> Apply:
    """An Apply node. A chain `a + b - c` or `a * b / c` is one level however long it is.

    Raises LimitError when the levels pass `limits.DEPTH`.
    """
    made = unlimited(operation, *args, style=style, parens=parens, span=span, params=params)
    if made.depth > limits.DEPTH:
        raise LimitError(
            f"A formula {made.depth} levels deep; at most {limits.DEPTH} are read.",
            span,
            cure="Give a name to a part of it.",
        )
    return made


def unlimited(
    operation: Operation,
    *args: Formula,
    style: Style = "",
    parens: bool = False,
    span: Span | None = None,
    params: Params = (),
) -> Apply:
    """As `apply`, for formulas that Backhand makes itself of formulas that were read."""
    depth = 0
    for position, arg in enumerate(args):
        chained = (
            position == 0
            and type(arg) is Apply
            and not arg.parens
            and operation.name in CHAINS
            and arg.operation.name in CHAINS
        )
        depth = max(depth, arg.depth if chained else arg.depth + 1)
    return Apply(operation, args, style, parens, span, depth, params)


def with_args(node: Apply, args: Iterable[Formula]) -> Apply:
    """The same operation, written alike, on other arguments."""
    return Apply(node.operation, tuple(args), node.style, node.parens, node.span, node.depth, node.params)


def grouped(formula: Formula, span: Span | None = None) -> Formula:
    """The formula in parentheses, as written."""
    match formula:
        case Num():
            return Num(formula.value, formula.text, True, span or formula.span)
        case Ref():
            return Ref(formula.name, True, span or formula.span)
        case Slope():
            return Slope(formula.of, formula.by, True, span or formula.span)
        case Apply():
            return Apply(
                formula.operation,
                formula.args,
                formula.style,
                True,
                span or formula.span,
                formula.depth,
                formula.params,
            )


def postorder(formula: Formula) -> list[Formula]:
    """All nodes, each after its arguments, arguments from left to right."""
    found: list[Formula] = []
    todo: list[Formula] = [formula]
    while todo:
        node = todo.pop()
        found.append(node)
        if type(node) is Apply:
            todo.extend(node.args)
    found.reverse()
    return found


def fold(
    formula: Formula,
    leaf: Callable[[Num | Ref | Slope], T],
    combine: Callable[[Apply, list[T]], T],
) -> T:
    """A value for the whole from the values of its parts, without recursion.

    >>> from backhand.core.notation import formula
    >>> fold(formula("a + 2 b"), lambda leaf: 1, lambda node, parts: sum(parts))
    3
    """
    done: list[T] = []
    if not isinstance(formula, Apply):
        return leaf(formula)
    for node in postorder(formula):
        if isinstance(node, Apply):
            count = len(node.args)
            parts = done[len(done) - count :]
            del done[len(done) - count :]
            done.append(combine(node, parts))
        else:
            done.append(leaf(node))
    return done[0]


def references(formula: Formula) -> Iterator[Ref]:
    """Every occurrence of a name, from left to right. The n-th one is occurrence n, counted from 0."""
    return (node for node in postorder(formula) if type(node) is Ref)


def names(formula: Formula) -> tuple[str, ...]:
    """The names in a formula, each once, in order of first appearance."""
    return tuple(dict.fromkeys(ref.name for ref in references(formula)))


def size(formula: Formula) -> int:
    """How many operations a formula has."""
    return sum(type(node) is Apply for node in postorder(formula))


def longer(formula: Formula, most: int) -> bool:
    """Whether it has more operations than so many; without counting all of them."""
    count, todo = 0, [formula]
    while todo and count <= most:
        node = todo.pop()
        if type(node) is Apply:
            count += 1
            todo += node.args
    return count > most


def same(one: object, other: object) -> bool:
    """Whether two formulas were written alike: names, numbers, order, parentheses. Places do not count."""
    if one is other:
        return True
    if not isinstance(one, Formula) or not isinstance(other, Formula):
        return False
    mine, theirs = postorder(one), postorder(other)
    return len(mine) == len(theirs) and all(_key(a) == _key(b) for a, b in zip(mine, theirs, strict=True))


def _key(node: Formula) -> tuple[object, ...]:
    match node:
        case Num():
            return (node.value, node.parens)
        case Ref():
            return (node.name, node.parens)
        case Slope():
            return (node.of, node.by, node.parens)
        case Apply():
            return (node.operation.name, len(node.args), node.style, node.parens, node.params)


def rename(formula: Formula, new: Callable[[Ref], str]) -> Formula:
    """The same formula with other names."""

    def leaf(node: Num | Ref | Slope) -> Formula:
        return Ref(new(node), node.parens, node.span) if isinstance(node, Ref) else node

    def combine(node: Apply, args: list[Formula]) -> Formula:
        return with_args(node, args)

    return fold(formula, leaf, combine)


def respelled(formula: Formula, taken: Container[str]) -> Formula:
    """The same formula, where functions have names that no quantity has, `heaviside(x)` if `step` is taken; a
    constant whose name is taken is written as what it is, `acos(-1)`."""
    from backhand.core.evaluate import row_formula
    from backhand.core.operations import spelling

    def is_taken(node: Formula) -> bool:
        return isinstance(node, Apply) and node.style in ("", "juxtaposed") and node.operation.name in taken

    def combine(node: Apply, args: list[Formula]) -> Formula:
        if not is_taken(node):
            return with_args(node, args)
        if not args:
            return respelled(row_formula(node.operation.value), taken)
        other = spelling(node.operation, taken)
        return Apply(node.operation, tuple(args), other, node.parens, node.span, node.depth, node.params)

    return fold(formula, lambda leaf: leaf, combine) if any(map(is_taken, postorder(formula))) else formula


def to_text(formula: Formula) -> str:
    """The formula in the notation, which reads back equal."""
    parts: list[str] = []
    todo: list[Formula | str] = [formula]
    while todo:
        node = todo.pop()
        if isinstance(node, str):
            parts.append(node)
            continue
        if node.parens:
            parts.append("(")
            todo.append(")")
        match node:
            case Num():
                parts.append(node.text or number_text(node.value))
            case Ref():
                parts.append(node.name)
            case Slope():
                parts.append(f"d{node.of}/d{node.by}")
            case Apply():
                todo.extend(reversed(_pieces(node)))
    return "".join(parts)


def number_text(value: Fraction) -> str:
    """An exact number in the notation. Fractions are written as a quotient in parentheses."""
    if value.denominator == 1:
        return str(value.numerator)
    from backhand.numbers import exact_digits

    return exact_digits(value, 40) or f"({value})"


def _pieces(node: Apply) -> list[Formula | str]:
    name, args = node.operation.name, node.args
    match name:
        case "+" | "-" if len(args) == 2:
            return [args[0], f" {name} ", args[1]]
        case "neg":
            return ["-", args[0]]
        case "*":
            between = {"juxtaposed": " ", "arrow": " ", "·": "·"}.get(node.style, "*")
            return [args[0], between, args[1]]
        case "/":
            return [args[0], "/", args[1]]
        case "@":
            return [args[0], " @ ", args[1]]
        case "^":
            return [args[0], "^", args[1]]
        case "index":
            return [args[0], f"[{places_text(dict(node.params)['key'])}]"]
        case "transpose" if not node.style and dict(node.params)["axes"] is None:
            return [args[0], ".T"]
        case "load":
            options = dict(node.params)
            return _listed("load(", (), [param_text(options[key]) for key in ("file", "name") if options[key]], ")")
        case "stack" if node.style == "list":
            return _listed("[", args, [], "]")
        case _ if node.params:
            return _listed(f"{node.style or name}(", args, options_text(node), ")")
        case _ if not args:
            return [name]
        case _:
            name = name if node.style in ("", "juxtaposed") else node.style
            return _listed(f"{name}(", args, [], ")")


def _listed(begin: str, args: Iterable[Formula], options: Iterable[str], end: str) -> list[Formula | str]:
    inner: list[Formula | str] = []
    for part in (*args, *options):
        inner += [", ", part] if inner else [part]
    return [begin, *inner, end]


def options_text(node: Apply) -> list[str]:
    """What an operation on arrays is told, `axis=0`, where it is not what goes without saying."""
    usual: dict[str, Param] = dict(getattr(node.operation, "params", ()))
    return [
        f"{name}={param_text(value)}"
        for name, value in node.params
        if value != usual.get(name) and not isinstance(value, Held)
    ]


def param_text(value: Param) -> str:
    """One such value: `0`, `true`, `(2, 3)`."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case tuple():
            return f"({', '.join(map(param_text, value))}{',' if len(value) == 1 else ''})"
        case None:
            return "none"
        case Fraction():
            return number_text(value)
        case _:
            return str(value)


def places_text(key: Param) -> str:
    """The inside of the brackets of an element or a slice: `0, 1:3`."""
    assert isinstance(key, tuple)
    texts: list[str] = []
    for part in key:
        if isinstance(part, tuple):
            start, stop, step = ("" if p is None else str(p) for p in part)
            texts.append(f"{start}:{stop}" + (f":{step}" if step else ""))
        else:
            texts.append(str(part))
    return ", ".join(texts)
