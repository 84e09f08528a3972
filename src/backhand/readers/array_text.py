r"""Arrays written on a page, found before the page is cut into tokens.

    \begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}      [[1, 2], [3, 4]]      [[1. 2.]
                                                                            [3. 4.]]     (1, -2)^T     array([1., 2.])

    (z > 0)   np.where(z > 0, 1, 0)   \mathbb{1}[z > 0]      dh[h <= 0] = 0

An array of numbers becomes one name of as many characters, so that every place on the page stays where it
is; the array itself is kept beside it. What a function is told, `axis=0`, becomes a name as well, because an =
divides statements. A condition becomes a call of one letter, which `tokens` knows. An array with formulas in it is left
as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from backhand.numbers import TooLong, read_number
from backhand.readers.dialects import in_common
from backhand.readers.dictionaries import as_equations
from backhand.readers.tokens import ARRAY_LETTER

LETTER = ARRAY_LETTER
"""The first letter of the names that arrays are given; no page has it."""

FILL = "\u0227"
"""The letter that fills them up."""

TOLD = "\u01c2"
"""Stands for the = of `axis=0`."""

GATE = "\u01c1"
"""Stands for the function that is 1 where its argument is positive."""

_INSIDE = r"((?:[^()<>=\n\[\],]|\([^()<>=\n]{0,12}\)|\[[^\[\]<>=\n]{0,12}\]){1,80}?)"
_POSITIVE = r"\s*(?:>|\\gt(?![a-z]))\s*0(?:\.0*)?\s*"
_ONE = r"(?:\\(?:mathbb|mathbf|mathbbm|boldsymbol|bm)\s*\{?\s*[1I]\s*\}?|\\mathds\{1\}|\b1|\bI|\U0001d7d9|\u1d7d9)"
SHOWN = re.compile(
    rf"(?P<print>\bprint\(\s*(?P<name>[^\W\d]\w*)\s*\)[ \t]*\n)(?=[ \t]*{LETTER})"
    rf"|(?P<asked>(?:^|(?<=\n))>{{1,3}}[ \t]+(?P<thing>[^\W\d]\w*(?:\.grad)?)[ \t]*\n)(?=[ \t]*{LETTER})"
    rf"|(?P<last>(?<=\n)[ \t]*[^\W\d]\w*)(?P<out>[ \t]*\n+[ \t]*Out[ \t]*\[\d+\]:)(?=\s*{LETTER})"
)
"""`print(dW)`, `>>> dW`, or dW at the end of a notebook's cell, and below it the array."""

TURNED = re.compile(
    r"\s*(?:\^\s*\{?\s*(?:T|\\top|⊤|\\intercal|\\mathsf\{T\}|\\mathrm\{T\})(?![A-Za-z])\s*\}?|ᵀ|\.T(?![\w.]))"
)
"""Behind an array: it is turned."""

QUOTE = "\u01c3"
SUBSCRIPTED = re.compile(r"(\beinsum\(\s*)['\"]([a-z]{1,4}(?:,[a-z]{1,4}){0,2}->[a-z]{0,4})['\"](?=\s*,)")
IN_NAMES = str.maketrans(",->", "\u01c0\u01c2\u01c1")
"""The subscripts of einsum become a name."""

BAR = "\u01c0"
SIZE = re.compile(r"\b([^\W\d]\w*)\.shape\[(\d)\]|\blen\(([^\W\d]\w*)\)")
"""`X.shape[0]`, `len(X)`: names with a bar in them."""

CONDITIONS = (
    re.compile(rf"(?:np|numpy|jnp|torch)\.where\(\s*{_INSIDE}{_POSITIVE},\s*1(?:\.0*)?\s*,\s*0(?:\.0*)?\s*\)"),
    re.compile(
        rf"{_ONE}\s*_?\s*(?:\\left\s*)?(?:\{{\s*)?(?:\\?[\[({{]\s*)?{_INSIDE}{_POSITIVE}(?:\\right\s*)?(?:\\?[\])}}])(?:\s*\}})?"
    ),
    re.compile(rf"\(\s*{_INSIDE}{_POSITIVE}\)(?:\.(?:astype|to|type)\([^()\n]{{0,30}}\)|\.(?:float|int|double)\(\))?"),
)
"""Conditions that stand for 1 and 0."""

MASKED = re.compile(r"(?<![\w.])([^\W\d]\w*)\[\s*([^\W\d]\w*)\s*<=?\s*0(?:\.0*)?\s*\]\s*=\s*0(?:\.0*)?(?![\w.])")
"""`dh[h <= 0] = 0`"""

ENVIRONMENT = re.compile(
    r"\\begin\s*\{([bpvBV]?matrix|smallmatrix|array)\*?\}(?:\s*\{[lcr|\s]*\})?(.*?)\\end\s*\{\1\*?\}", re.DOTALL
)
AROUND = re.compile(r"(?:\\left\s*[\[(]\s*)$")
AFTER = re.compile(r"\s*\\right\s*[\])]")
NUMBER = r"[-+−–]?\s?(?:\d+\.?\d*|\.\d+)(?:[eE][-+−]?\d+)?"
CELL = re.compile(rf"(?:{NUMBER})(?:\s*/\s*\d+)?")
BRACED = re.compile(r"\{\s*([^{}]*?)\s*\}$")
FRACTION = re.compile(r"([-−]?)\s*\\[dt]?frac\s*(?:\{\s*([-−]?\d+)\s*\}|(\d))\s*(?:\{\s*(\d+)\s*\}|(\d))")
PRINTED = re.compile(r"(?:(?:np|numpy|jnp|torch|tf)\.)?(?:array|tensor|asarray|matrix|Tensor|constant)\(\s*(?=\[)")
AFTER_PRINTED = re.compile(r"\s*(?:,\s*(?:dtype|requires_grad|device|grad_fn)\s*=\s*[^()\n]*(?:\([^()\n]*\))?\s*)*\)")
OPTION = re.compile(r"(?<=[,(])(\s*)(axis|keepdims|dim|keepdim|dtype|ddof|shape)(\s*=\s*)(?=[-\w(])")
TUPLE = re.compile(rf"(?<=[=≈:&])(\s*)\((\s*{NUMBER}(?:\s*,\s*{NUMBER})+\s*,?\s*)\)")

_PLAIN = r"[-+−]?+(?:\d++\.?+\d*+|\.\d++)(?:[eE][-+]?\d++)?+"
_ROW = rf"[ \t]*+{_PLAIN}(?:[ \t]++{_PLAIN})*+[ \t]*+"
MATLAB_BLOCK = re.compile(rf"(?<=\w)[ \t]*+=[ \t]*+(\n(?:[ \t]*+\n)?+(?:{_ROW}(?=\n|$)\n?)++)")
"""`dW =`, an empty line, and rows of numbers without brackets."""
R_BLOCK = re.compile(
    rf"^((?:[ \t]++(?:\[,\d++\][ \t]*+)++\n(?:\[\d++,\]{_ROW}(?=\n|$)\n?)++)|\[1\] {_ROW}(?=\n|$))", re.MULTILINE
)
LABEL = re.compile(r"^\[\d+,?\]")
HEADED = re.compile(r"[ \t]*(?:\[,\d+\][ \t]*)+")

POINT = re.compile(r"\d\.\d")
CELL_WITH_COMMA = re.compile(r"(?:&|\\\\|matrix\}|\{[lcr]+\})\s*[-−]?\d+(?:,|\{,\})\d")
_COMMA = r"\s*[-−]?\d+(?:,\d+)?\s*"
LIST_WITH_COMMAS = re.compile(rf"[\[(](?=[^\[\]()]*,\d\d){_COMMA}(?:;{_COMMA})+[\])]")
"""(0,5; -1,25): ; divides, and some number has two decimals."""
COMMAS_AS_POINTS = str.maketrans(",;", ".,")
"""On a page with decimal commas and no points, ; divides the numbers of a list: [0,50; -1,25]."""

MOST = 10_000
"""Numbers of one array on a page."""


class Literal(NamedTuple):
    """An array as it was written: its rows of numbers; how many axes it has, how many decimals, and where it stands; at
    last the decimals of each number."""

    numbers: tuple[tuple[Fraction, ...], ...]
    axes: int
    decimals: int | None
    text: str
    start: int
    end: int
    places: tuple[tuple[int, ...], ...] = ()


def places(rows: Sequence[Sequence[Fraction]], decimals: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """The decimals that each number stands for. Machines give all numbers of an array the same decimals, or the same
    digits, and leave zeros away at the end; what needs fewer zeros to be so is believed."""
    cells = [number for row in rows for number in row]
    digits = [len(str(abs(int(n * 10**shown)))) if n else 0 for n, shown in zip(cells, decimals, strict=True)]
    told = [(size, shown) for n, size, shown in zip(cells, digits, decimals, strict=True) if n and shown]
    most, longest = max(decimals, default=0), max((size for size, _ in told), default=0)
    if sum(size < longest for size, _ in told) >= sum(shown < most for _, shown in told):
        return tuple((most,) * len(row) for row in rows)
    each = iter(
        [max(0, shown + longest - size) if n else most for n, size, shown in zip(cells, digits, decimals, strict=True)]
    )
    return tuple(tuple(next(each) for _ in row) for row in rows)


def found_in(text: str, before: int = 0) -> tuple[str, dict[str, Literal]]:
    """The text with names for its arrays, as long as before, and the arrays by name. `before` counts those of the pages
    before."""
    text = in_common(text)
    literals: dict[str, Literal] = {}
    taken: list[tuple[int, int, str]] = []
    last = 0
    for literal in sorted(_all(text), key=lambda one: (one.start, -one.end)):
        if literal.start < last:
            continue
        if literal.axes == 2 and (found := TURNED.match(text, literal.end)) is not None:
            literal = literal._replace(
                numbers=tuple(zip(*literal.numbers, strict=True)),
                axes=2,
                places=tuple(zip(*literal.places, strict=True)),
                text=text[literal.start : found.end()],
                end=found.end(),
            )
        name = _name(before + len(literals), literal.end - literal.start)
        if name is None:
            continue
        literals[name] = literal
        taken.append((literal.start, literal.end, name))
        last = literal.end
    parts: list[str] = []
    at = 0
    for start, end, name in taken:
        parts += [text[at:start], name]
        at = end
    parts.append(text[at:])
    made = as_equations("".join(parts))
    if literals and ("print(" in made or "Out" in made or "> " in made):
        made = SHOWN.sub(_shown, made)
    if "einsum" in made:
        made = SUBSCRIPTED.sub(lambda m: m[1] + QUOTE + m[2].translate(IN_NAMES) + QUOTE, made)
    made = SIZE.sub(_size, made)
    made = OPTION.sub(lambda m: m[1] + m[2] + TOLD * len(m[3]), made)
    if "0" in made and (">" in made or "<" in made or "\\gt" in made):
        made = MASKED.sub(lambda m: f"{m[1]}={GATE}({m[2]})".ljust(len(m[0])), made)
        for condition in CONDITIONS:
            made = condition.sub(_gate, made)
    assert len(made) == len(text)
    return made, literals


def _shown(found: re.Match[str]) -> str:
    """`dW =` and a new line, as long as it was."""
    if found["print"]:
        return (found["name"] + "=").rjust(len(found[0]) - 1) + "\n"
    if found["asked"]:
        return (found["thing"] + "=").rjust(len(found[0]) - 1) + "\n"
    return found["last"] + "=".ljust(len(found["out"]))


def _size(found: re.Match[str]) -> str:
    made = f"{found[1]}{BAR}shape{BAR}{found[2]}" if found[1] else f"{found[3]}{BAR}len"
    return made.ljust(len(found[0]))


def _gate(found: re.Match[str]) -> str:
    """A condition as a call, as long as it was."""
    made = f"{GATE}({found[1].strip()})"
    return made.ljust(len(found[0])) if len(made) <= len(found[0]) else found[0]


def _name(number: int, room: int) -> str | None:
    """A name of letters that no page has, as long as the array is; None where there is too little room."""
    letters = ""
    rest = number
    while True:
        letters = chr(0x0228 + rest % 8) + letters
        rest //= 8
        if not rest:
            break
    name = LETTER + letters
    return name.ljust(room, FILL) if len(name) <= room else None


def _all(text: str) -> Iterator[Literal]:
    if "," in text and not POINT.search(text) and (CELL_WITH_COMMA.search(text) or LIST_WITH_COMMAS.search(text)):
        text = text.translate(COMMAS_AS_POINTS)
    if "\\begin" in text:
        for found in ENVIRONMENT.finditer(text):
            yield from _environment(text, found)
    if "[" in text:
        yield from _lists(text)
        for found in R_BLOCK.finditer(text):
            yield from _block(found[1], found)
    for found in MATLAB_BLOCK.finditer(text):
        yield from _block(found[1], found)
    if "(" in text and "," in text:
        for found in TUPLE.finditer(text):
            numbers = _row(found[2].replace(",", " "))
            if numbers is not None:
                start = found.start() + len(found[1])
                shown = places([numbers[0]], numbers[1])
                yield Literal((numbers[0],), 1, max(numbers[1]), found[0].strip(), start, found.end(), shown)


def _block(body: str, found: re.Match[str]) -> Iterator[Literal]:
    """The lines of an array as R and Matlab print it, without brackets."""
    rows: list[tuple[Fraction, ...]] = []
    decimals: list[int] = []
    lines = [LABEL.sub("", line) for line in body.split("\n") if line.strip() and not HEADED.fullmatch(line)]
    for line in lines:
        row = _row(line)
        if row is None:
            return
        rows.append(row[0])
        decimals += row[1]
    if rows and len({len(row) for row in rows}) == 1 and 1 < len(decimals) <= MOST:
        start, end = found.start(1), found.start(1) + len(body.rstrip())
        flat = body.lstrip().startswith("[1] ")
        axes = 1 if flat else 2
        yield Literal(tuple(rows), axes, max(decimals), found.string[start:end], start, end, places(rows, decimals))


def _environment(text: str, found: re.Match[str]) -> Iterator[Literal]:
    start, end = found.span()
    before, after = AROUND.search(text, 0, start), AFTER.match(text, end)
    if before and after:
        start, end = before.start(), after.end()
    rows: list[tuple[Fraction, ...]] = []
    decimals: list[int] = []
    lines = [line for line in re.split(r"\\\\(?:\[[^\]]*\])?|\\cr", found[2]) if line.strip()]
    for line in lines:
        cells = [_cell(cell) for cell in line.replace("\\hline", "").split("&")]
        if not cells or any(cell is None for cell in cells):
            return
        rows.append(tuple(cell[0] for cell in cells if cell is not None))
        decimals += [cell[1] for cell in cells if cell is not None]
    if rows and len({len(row) for row in rows}) == 1 and len(rows) * len(rows[0]) <= MOST:
        yield Literal(tuple(rows), 2, max(decimals), text[start:end], start, end, places(rows, decimals))


def _cell(text: str) -> tuple[Fraction, int] | None:
    """A number in a cell, and its decimals."""
    text = BRACED.sub(r"\1", text.strip()).replace("\\,", "").replace("{,}", ".").replace("{.}", ".")
    text = text.strip("$ ")
    fraction = FRACTION.fullmatch(text)
    if fraction:
        above, below = fraction[2] or fraction[3], fraction[4] or fraction[5]
        if not int(below):
            return None
        value = Fraction(int(above.replace("−", "-")), int(below))
        return (-value if fraction[1] else value), 0
    if CELL.fullmatch(text) is None:
        return None
    above, _, below = text.partition("/")
    try:
        value = _number(above)
        if below:
            value /= int(below)
    except (TooLong, ZeroDivisionError):
        return None
    return value, _decimals(above)


def _number(text: str) -> Fraction:
    text = text.replace("−", "-").replace("–", "-").replace(" ", "")
    value = read_number(text.lstrip("+-"))
    return -value if text.startswith("-") else value


def _decimals(text: str) -> int:
    mantissa, _, exponent = text.lower().replace("−", "-").partition("e")
    return max(0, len(mantissa.partition(".")[2].strip()) - int(exponent or 0))


def _row(text: str) -> tuple[tuple[Fraction, ...], list[int]] | None:
    """Numbers with blanks between, and their decimals; None for anything else."""
    cells = re.sub(r"([-+−–])\s+(?=[\d.])", r"\1", text).split()
    found = [_cell(cell) for cell in cells]
    if not found or any(cell is None for cell in found):
        return None
    return tuple(cell[0] for cell in found if cell is not None), [cell[1] for cell in found if cell is not None]


def _lists(text: str) -> Iterator[Literal]:
    """Brackets with numbers and nothing else in them."""
    at = 0
    while (at := text.find("[", at)) >= 0:
        end = _closing(text, at)
        if end is None or (text[end - 1] == ")" and STATED.search(text, max(0, at - 20), at) is None):
            at += 1
            continue
        made = _list(text[at + 1 : end - 1])
        before = text[at - 1 : at]
        if made is None or (before.isalnum() or before in "_)]}'"):
            at += 1
            continue
        rows, axes, decimals = made
        start = at
        if axes == 1 and len(rows[0]) == 1 and STATED.search(text, max(0, at - 20), at) is None:
            at = end  # a place, or the number of a note
            continue
        if (printed := re.search(PRINTED.pattern.replace(r"(?=\[)", "") + "$", text[max(0, at - 20) : at])) is not None:
            closed = AFTER_PRINTED.match(text, end)
            if closed is not None:
                start, end = at - len(printed[0]), closed.end()
        yield Literal(rows, axes, max(decimals), text[start:end], start, end, places(rows, decimals))
        at = end


STATED = re.compile(r"(?:[=≈]|=>|->|→|#|\b(?:array|tensor)\()\s*$")
"""Before an array of one number, or one that is closed by the wrong bracket: what says that it is a value."""
STOP = re.compile(r"[^\s\d.,;+\-−–/eE]")
"""Brackets, and what stands in no array of numbers."""


def _closing(text: str, at: int) -> int | None:
    """Behind the ] that closes, or behind the ) that a scanner made of it; None where something other than numbers and
    brackets stands between."""
    depth = 0
    for sign in STOP.finditer(text, at):
        if sign[0] == ")" and depth == 1:
            return sign.end()
        if sign[0] not in "[]":
            return None
        depth += 1 if sign[0] == "[" else -1
        if depth > 3:
            return None
        if not depth:
            return sign.end()
    return None


def _list(inside: str) -> tuple[tuple[tuple[Fraction, ...], ...], int, list[int]] | None:
    """The rows of a list, its axes, and its decimals; [1, 2] has one axis, [[1, 2]] and [1, 2; 3, 4] have two."""
    inside = inside.strip().rstrip(",")
    if "[" in inside:
        rest = re.sub(r"\[[^\[\]]*\]", "", inside)
        if rest.strip(" ,\n\t\r"):
            return None
        lines = re.findall(r"\[([^\[\]]*)\]", inside)
        axes = 2
    else:
        lines = inside.split(";")
        axes = 2 if len(lines) > 1 else 1
    rows = [_row(line.replace(",", " ")) for line in lines]
    if any(row is None for row in rows):
        return None
    found = [row for row in rows if row is not None]
    sizes = {len(row[0]) for row in found}
    if len(sizes) != 1 or len(found) * sizes.copy().pop() > MOST:
        return None
    return tuple(row[0] for row in found), axes, [shown for row in found for shown in row[1]]
