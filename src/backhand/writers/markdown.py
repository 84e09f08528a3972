"""Markdown as GitHub, GitLab and their kin show it.

Equations stand in fences marked `math`, the one form in which Markdown leaves underscores,
backslashes and signs at the beginning of a line alone. Mathematics within prose stands between
dollars, written so that Markdown finds nothing to do in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from backhand.explaining.document import (
    Block,
    Code,
    Comment,
    Document,
    Equation,
    Figure,
    Fine,
    Heading,
    Inline,
    NewSheet,
    Page,
    Paragraph,
    Pen,
    Remark,
    Room,
    Statement,
    Stroke,
    Table,
    WrittenLine,
)
from backhand.explaining.mathematics import Box
from backhand.writers.line import line
from backhand.writers.plain import plain
from backhand.writers.tex import TeX

ROOM = 72
"""Digits on a line of an equation: what GitHub's column holds."""

PENS: dict[Pen, str] = {"right": "✓", "follows": "↪", "wrong": "✗", "unclear": "?", "note": "!", "": ""}
KINDS = {"notice": "Note", "check": "Check", "hint": "Next"}
SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_[]$~|"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"})
SIGNS = {"\\": r"\backslash ", "^": r"\wedge ", "~": r"\sim "}
LINE_START = re.compile(r"(\s*)([#+=-]|\d+[.)])(?=\s|$|[-=#])")


def write(document: Document, *, figure_href: str = "") -> Iterator[str]:
    """The document in pieces. `figure_href`: where a picture of the figure lies, to be shown above its words."""
    page = Blocks(figure_href)
    if document.title:
        yield f"# {page.prose((document.title,))}\n"
    for number, block in enumerate(document.unfolded()):
        yield ("\n" if number or document.title else "") + page.block(block) + "\n"


class Blocks:
    """The blocks of one document; knows the names in it, so that no two look alike."""

    def __init__(self, figure_href: str = "") -> None:
        self.tex = TeX(escape_in_math)
        self.figure_href = figure_href

    def block(self, block: Block) -> str:
        match block:
            case Heading(level, words):
                return f"{'#' * (level + 1)} {self.prose(words)}"
            case Fine(words):
                return f"<sub>{self.prose(words)}</sub>"
            case Paragraph(words):
                return _guarded(self.prose(words))
            case Room(lines):
                return "<br>" * lines
            case NewSheet(title):
                return "---" + (f"\n\n# {self.prose((title,))}" if title else "")
            case Equation():
                return f"```math\n{_aligned(self.tex.lines(block, ROOM))}\n```"
            case Table():
                return self.table(block)
            case Code():
                return fenced(block)
            case Figure(_, twin):
                picture = f"![The network; described below.]({_address(self.figure_href)})\n\n"
                words = "\n\n".join(_guarded(self.prose((each,))) for each in twin.splitlines() if each.strip())
                return (picture if self.figure_href else "") + words
            case Remark(kind, words):
                return f"> **{KINDS[kind]}.** {self.prose(words)}"
            case Page():
                return "\n".join(self.page(block))
            case _:
                assert_never(block)

    def page(self, page: Page) -> Iterator[str]:
        """Somebody's page as a list, a line an item; what stands at a side is a list in it, remarks are quoted."""
        if page.name:
            yield f"**{self.prose((page.name,))}**\n"
        if page.legend:
            yield " · ".join(f"{PENS[pen]} {words}" for pen, words in page.legend) + "\n"
        for each in page.lines:
            yield from self.written(each)

    def written(self, line: WrittenLine) -> Iterator[str]:
        front = f"- **{line.number}**{' ' + PENS[line.pen] if line.pen else ''} "
        for place, statement in enumerate(line.statements):
            text = self.statement(statement)
            if place == 0:
                yield f"{front}{text}"
            elif statement.level == 0:
                yield f"  <br>{text}"
            else:
                yield f"{'  ' * statement.level}- {text}"
        if not line.statements:
            yield front.rstrip()
        for comment in line.comments:
            yield f"\n  > {self.comment(comment)}"
        if line.comments:
            yield ""

    def comment(self, comment: Comment) -> str:
        label = f"**{self.prose((comment.label,))}.** " if comment.label else ""
        return f"{PENS[comment.pen]} {label}{self.prose(comment.words)}".lstrip()

    def statement(self, statement: Statement) -> str:
        found = ""
        for run in statement.runs():
            text = self.run(run)
            text = f"~~{text}~~" if run[0].struck else text
            text += f" {PENS[run[-1].mark]}" if run[-1].mark else ""
            found += text if run[0].close or not found else f" {text}"
        return found

    def run(self, strokes: Sequence[Stroke]) -> str:
        """Words, or a run of mathematics."""
        first = strokes[0]
        if isinstance(first.content, str):
            text = first.content.strip()
            return f"{first.relation} {_code(text) if first.raw else escape(text)}".strip()
        code = " ".join(
            f"{each.relation} {line(each.content)}" for each in strokes if not isinstance(each.content, str)
        )
        return self._checked(self.tex.run(strokes), code.strip(), in_table=False)

    def table(self, table: Table) -> str:
        rules = ["--:" if side == "r" else ":--" for side in table.align]
        rows = [self._row(table.header), f"| {' | '.join(rules)} |", *map(self._row, table.rows)]
        return "\n".join(rows)

    def _row(self, row: Iterable[Iterable[Inline]]) -> str:
        return f"| {' | '.join(self.prose(cell, in_table=True) for cell in row)} |"

    def prose(self, words: Iterable[Inline], *, in_table: bool = False) -> str:
        """Words and mathematics; a blank keeps a dollar or a backquote from touching what would change it."""
        found = ""
        for each in words:
            part = escape(each) if isinstance(each, str) else self.mathematics(each, in_table)
            before, after = found[-1:], part[:1]
            marked = "$" in (before, after) or "`" in (before, after)
            touching = marked and (before == after or before.isalnum() or after.isalnum())
            found += f" {part}" if touching else part
        return found

    def mathematics(self, box: Box, in_table: bool) -> str:
        """Mathematics within prose; as code where Markdown would change its TeX."""
        return self._checked(self.tex(box, inline=True), line(box), in_table)

    @staticmethod
    def _checked(tex: str, text: str, in_table: bool) -> str:
        tex = tex.replace("\\,", "\\thinspace ").replace("}_{", "} _ {")
        if not re.search(r"\\[^A-Za-z]|[$`*|<>&%#~]", tex):
            return f"${tex.strip()}$"
        code = _code(text)
        return code.replace("|", "\\|") if in_table else code


def _code(text: str) -> str:
    code = plain(text)
    ticks = "`" * (1 + max(map(len, re.findall("`+", code)), default=0))
    return f"{ticks} {code} {ticks}" if "`" in code else f"`{code}`"


def fenced(code: Code) -> str:
    """A program between fences that are longer than any in it."""
    text = _lines(code)
    ticks = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{ticks}{code.language}\n{text}\n{ticks}"


def _lines(code: Code) -> str:
    return "\n".join(map(plain, code.text.split("\n")))


def _aligned(lines: list[str]) -> str:
    if len(lines) == 1:
        return lines[0]
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def escape(text: str) -> str:
    r"""Words that Markdown shows as they are.

    >>> print(escape("2 * w_1"))
    2 \* w\_1
    """
    return plain(text).translate(SPECIAL)


def escape_in_math(text: str) -> str:
    r"""Words inside \text{...}; signs that MathJax or KaTeX would take for commands stand between two of them.

    >>> print(escape_in_math("50% more"))
    50}\%\text{ more
    """
    return re.sub(r"[\\{}$%#&_^~]", lambda sign: f"}}{SIGNS.get(sign[0], chr(92) + sign[0])}\\text{{", plain(text))


def _guarded(text: str) -> str:
    """A paragraph that does not begin like a list, a heading or a rule."""
    return (
        LINE_START.sub(lambda found: found[1] + re.sub(r"([#+=-]|[.)]$)", r"\\\1", found[2], count=1), text, count=1)
        if LINE_START.match(text)
        else text
    )


def _address(href: str) -> str:
    return "".join(f"%{ord(c):02X}" if c in ' ()<>"\\\n\r\t' else c for c in href)
