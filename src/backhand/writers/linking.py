"""What is about the same quantity, linked in a page: scalar, matrix and code lines, the answer, units of the figure.

    <div data-derivative="B1" id="derivative-B1">     a line that is about dL/dB1
    <a data-derivative="B1" href="#derivative-B1">    one of the program, which goes there

What is pointed at, or reached by the keyboard, lights up all that is about the same: a rule of the style sheet for each
quantity (`:has`), no script. An element `W1[0,1]` lights up with its array, but not with its neighbours. A browser that
does not know `:has` leaves the rules out; the links go everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias
from urllib.parse import quote

from backhand.explaining.document import About, Block, Code, Equation, Figure, Table
from backhand.writers.mathml import escape

Where: TypeAlias = Literal["line", "code", "row"]
"""Lines of the working, lines of the program, rows of the answer."""

LIT = 400
"""Things with a rule at most. At every move of the pointer a browser asks for each of them where in the page it is, so
that time grows with their number times the length of the page; at 180 of them, on a page of arrays, it is 50 ms on one
slow core. In a longer document there are only the links."""

ELEMENT = re.compile(r"(.+)\[\d+(?:,\d+)*\]")
CSS = str.maketrans({"\\": "\\\\", '"': '\\"', "<": "\\3c "})
"""In a string of a style sheet that stands in a page."""


class Links:
    """Where a document is about what. Empty for one whose lines are not to be linked: then nothing is."""

    def __init__(self, blocks: Iterable[Block] = ()) -> None:
        self.found: dict[Where, dict[About, str]] = {"line": {}, "code": {}, "row": {}}
        self.count: dict[About, int] = {}
        self.parts: dict[About, list[About]] = {}
        for block in blocks:
            for where, about in _abouts(block):
                self._add(where, about)

    def __bool__(self) -> bool:
        return bool(self.count)

    def _add(self, where: Where | None, about: About) -> None:
        self.count[about] = self.count.get(about, 0) + 1
        if self.count[about] == 1 and (whole := whole_of(about)) is not None:
            self.parts.setdefault(whole, []).append(about)
        if where is not None:
            self.found[where].setdefault(about, anchor(where, about))

    def attributes(self, *abouts: About) -> str:
        """What an element of the page is about."""
        return "".join(f' data-{what}="{escape(name)}"' for name, what in abouts)

    def href(self, about: About | None, *where: Where) -> str:
        """The address of the first place that is about a thing, else its array or its first element; or nothing."""
        if about is None:
            return ""
        near = (about, *filter(None, [whole_of(about)]), *self.parts.get(about, [])[:1])
        for each in near:
            for place in where:
                if (found := self.found[place].get(each)) is not None:
                    return f"#{escape(quote(found, safe=SAFE))}"
        return ""

    def rules(self) -> Iterator[str]:
        """The style sheet: of each thing that stands in several places, what lights up with it."""
        found = [(about, others) for about in self.count if (others := [*self._others(about)])]
        if 0 < len(found) <= LIT:
            selectors = (
                f".backhand:has({_selector(about)}:is(:hover, :focus-within)) {each}"
                for about, others in found
                for each in dict.fromkeys((_selector(about), *others))
            )
            yield ",\n".join(selectors) + " { --lit: var(--glow); --edge: var(--accent); --stroke: 3.6px; }\n"

    def _others(self, about: About) -> Iterator[str]:
        """Selectors of what lights up beside the place that is pointed at."""
        if self.count[about] > 1:
            yield _selector(about)
        if (whole := whole_of(about)) in self.count:
            assert whole is not None
            yield _selector(whole)
        if about in self.parts:
            yield _selector(about._replace(name=about.name + "["), "^=")


SAFE = "[],'(){}!*"
"""Letters of names that an address may have as they are."""


def whole_of(about: About) -> About | None:
    """The array that an element belongs to: W1 of W1[0,1]."""
    found = ELEMENT.fullmatch(about.name)
    return about._replace(name=found[1]) if found else None


def both(name: str) -> tuple[About, About]:
    """The value of a quantity, and the derivative by it: of a unit of the figure, a row of the answer."""
    return About(name, "value"), About(name, "derivative")


def anchor(where: Where, about: About) -> str:
    """The id of a place."""
    front = {"line": about.what, "code": f"code-{about.what}", "row": "answer"}[where]
    return f"{front}-{about.name}"


def _abouts(block: Block) -> Iterator[tuple[Where | None, About]]:
    match block:
        case Equation(about=About() as about):
            yield "line", about
        case Table(about=names):
            for name in names:
                for about in both(name):
                    yield "row", about
        case Code(rows=rows):
            before: About | None = None
            for row in rows:
                if row.about is not None and row.about != before:
                    yield "code", row.about
                before = row.about
        case Figure(drawing, _):
            drawn = {shape.name for shape in drawing.shapes} | {each.about for each in drawing.lines if each.about}
            for name in sorted(drawn):
                for about in both(name):
                    yield None, about
        case _:
            pass


def _selector(about: About, how: str = "=") -> str:
    return f'[data-{about.what}{how}"{about.name.translate(CSS)}"]'
