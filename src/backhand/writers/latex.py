r"""A LaTeX document that pdflatex compiles with what every TeX distribution has (amsmath, booktabs, graphicx)."""

from __future__ import annotations

import re
import unicodedata
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
    Table,
    WrittenLine,
)
from backhand.writers.plain import plain
from backhand.writers.tex import LETTERS, RELATIONS, TeX

ROOM = 64
"""Digits on a line of an equation at 11 points."""

WORDS = 45
"""Letters of a cell in the last column that is set as a paragraph."""

LONG = 25
"""Rows of a table, or lines of equations, that may stay together on a page."""

PREAMBLE = r"""\documentclass[11pt,a4paper,fleqn]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}
\usepackage[margin=2.6cm]{geometry}
\usepackage{amsmath,amssymb,booktabs,longtable,textcomp,color,graphicx}
\setlength{\mathindent}{1.5em}
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.6em}
\setlength{\fboxsep}{2.5pt}
\setlength{\jot}{7pt}
\AtBeginDocument{\setlength{\abovedisplayskip}{5pt plus 2pt}\setlength{\belowdisplayskip}{8pt plus 3pt}}
\allowdisplaybreaks
\newcommand{\remark}[2]{\par\medskip\noindent\begin{tabular}{@{}p{3.2em}@{}p{\dimexpr\linewidth-3.2em}@{}}%
  \textit{#1}&#2\end{tabular}\par}
\definecolor{pen}{rgb}{0.75,0.1,0.1}
\definecolor{tick}{rgb}{0.1,0.5,0.2}
\newcommand{\written}[3]{\par\noindent\begin{tabular}{@{}p{2em}@{}p{1.8em}@{}p{\dimexpr\linewidth-3.8em}@{}}%
  \footnotesize #1&#2&\lineskiplimit2pt\lineskip5pt#3\end{tabular}\par}
\newcommand{\codeline}[1]{\noindent\mbox{}#1\par}
\begin{document}
"""

PENS: dict[Pen, str] = {
    "right": r"\textcolor{tick}{$\checkmark$}", "follows": r"\textcolor{tick}{$\hookrightarrow$}",
    "wrong": r"\textcolor{pen}{$\times$}", "unclear": r"\textcolor{pen}{?}", "note": r"\textcolor{pen}{!}", "": "",
}  # fmt: skip
KINDS = {"notice": "Note", "check": "Check", "hint": "Next"}
SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%",
    "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}",
    "[": "{[}", "]": "{]}", "*": "{*}", "’": "'", "‘": "`", "“": "``", "”": "''", "–": "--", "—": "---",
    "…": r"\dots{}", "′": "${}'$",
    "·": r"$\cdot$", "×": r"$\times$", "≈": r"$\approx$", "√": r"$\surd$", "∞": r"$\infty$",
    "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ø": r"\o{}",
    "Ø": r"\O{}", "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}", "°": r"\textdegree{}", "€": r"\texteuro{}",
}  # fmt: skip
VERBATIM = {" ": "~", "-": "{-}", ",": "{,}", ">": "{>}", "'": r"\textquotesingle{}"}
"""Beside `SPECIAL`, in lines of code."""
ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u", "\u0307": ".",
    "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0327": "c", "\u0328": "k",
}  # fmt: skip


def write(document: Document) -> Iterator[str]:
    r"""The document in pieces, from \documentclass to \end{document}."""
    page = _Page()
    yield PREAMBLE
    if document.title:
        yield headline(document.title)
    display: list[Equation] = []
    for block in document.unfolded():
        if isinstance(block, Equation) and len(display) < LONG:
            display.append(block)
            continue
        if display:
            yield page.display(display)
            display = []
        if isinstance(block, Equation):
            display.append(block)
        else:
            yield f"\n{page.block(block)}\n"
    if display:
        yield page.display(display)
    yield "\n\\end{document}\n"


def verbatim(text: str) -> str:
    r"""A line of a program: blanks stay, and of two signs none is made one, as TeX would of `--`.

    >>> print(verbatim("a -= b  # it's"))
    a~{-}=~b~~\#~it\textquotesingle{}s
    """
    return "".join(VERBATIM.get(letter) or escape(letter) for letter in plain(text))


def headline(title: str) -> str:
    return f"\\begin{{center}}\\Large\\bfseries {escape(title)}\\end{{center}}\n"


class _Page:
    def __init__(self) -> None:
        self.tex = TeX(escape, lambda matrix: rf"\resizebox{{0.8\linewidth}}{{!}}{{$\displaystyle {matrix}$}}")

    def block(self, block: Block) -> str:
        match block:
            case Heading(1, words):
                return rf"\section*{{\boldmath {self.prose(words)}}}"
            case Heading(_, words):
                return rf"\subsection*{{\boldmath {self.prose(words)}}}"
            case Fine(words):
                return rf"{{\footnotesize {self.prose(words)}\par}}"
            case Paragraph(words):
                return self.prose(words)
            case Room(lines):
                return "\n\n".join([r"\vspace{1.2em}\hrule height 0.2pt"] * lines)
            case NewSheet(title):
                return "\\newpage\n" + (headline(title) if title else "")
            case Equation():
                return self.display([block])
            case Table():
                return self.table(block)
            case Code():
                lines = "\n".join(rf"\codeline{{{verbatim(line)}}}" for line in block.text.split("\n"))
                return f"{{\\setlength{{\\parskip}}{{0pt}}\\ttfamily\\scriptsize\n{lines}\n}}"
            case Figure(_, twin):
                lines = [escape(each) for each in twin.splitlines() if each.strip()]
                return "\\begin{quote}\\textit{The network.} " + "\n\n".join(lines) + "\\end{quote}"
            case Remark(kind, words):
                return rf"\remark{{{KINDS[kind]}}}{{{self.prose(words)}}}"
            case Page():
                return "\n".join(self.page(block))
            case _:
                assert_never(block)

    def prose(self, words: Iterable[Inline]) -> str:
        return "".join(escape(each) if isinstance(each, str) else f"${self.tex(each, inline=True)}$" for each in words)

    # -- somebody's page ------------------------------------------------------------------------------

    def page(self, page: Page) -> Iterator[str]:
        if page.name:
            yield rf"\textbf{{{escape(page.name)}}}" + "\n"
        if page.legend:
            yield r"{\small " + r"\quad ".join(f"{PENS[pen]} {escape(words)}" for pen, words in page.legend) + "}\n"
        for line in page.lines:
            yield ("\\medskip\n" if line.gap else "") + self.written(line)

    def written(self, line: WrittenLine) -> str:
        texts = [self.statement(each) for each in line.statements] + [self.comment(each) for each in line.comments]
        body = "\\newline\n  ".join(texts)
        return rf"\written{{{line.number}}}{{{PENS[line.pen]}}}{{{body}}}"

    def comment(self, comment: Comment) -> str:
        label = rf"\textbf{{{escape(comment.label)}.}} " if comment.label else ""
        color = "pen" if comment.pen == "wrong" else "tick"
        return rf"{{\small\color{{{color}}}{label}\itshape {self.prose(comment.words)}}}"

    def statement(self, statement: Statement) -> str:
        """Strokes from left to right; TeX breaks a formula where it must."""
        found = rf"\hspace*{{{1.5 * statement.level}em}}" if statement.level else ""
        for place, run in enumerate(statement.runs()):
            first, last = run[0], run[-1]
            if isinstance(first.content, str):
                text = escape(first.content.strip())
                text = rf"\texttt{{{text}}}" if first.raw else text
                text = f"{escape(first.relation)} {text}".strip()
            else:
                text = rf"$\displaystyle {self.tex.run(run, chr(92) + 'textcolor{pen}')}$"
            text = rf"{{\color[gray]{{0.6}}{text}}}" if first.struck else text
            mark = f"~{PENS[last.mark]}" if last.mark else ""
            found += ("" if first.close or place == 0 else " ") + text + mark
        return found

    def table(self, table: Table) -> str:
        """A table; a long one may go over the end of a page."""
        header = " & ".join(map(self.prose, table.header))
        rows = [" & ".join(map(self.prose, row)) for row in table.rows]
        head = f"\\toprule\n{header} \\\\\n\\midrule"
        end = "\\endhead\n" if len(rows) > LONG else ""
        lines = "".join(f"{row} \\\\\n" for row in rows)
        kind = "longtable" if len(rows) > LONG else "tabular"
        align = table.align
        if any(len(row[-1]) == 1 and isinstance(row[-1][0], str) and len(row[-1][0]) > WORDS for row in table.rows):
            align = align[:-1] + r"p{0.62\linewidth}"
        body = f"\\begin{{{kind}}}{{{align}}}\n{head}\n{end}{lines}\\bottomrule\n\\end{{{kind}}}"
        return body if len(rows) > LONG else f"\\begin{{center}}\n{body}\n\\end{{center}}"

    def display(self, equations: Iterable[Equation]) -> str:
        """Equations that follow one another. One with more lines than fit on a page may go over its end."""
        found: list[str] = []
        rows: list[str] = []
        for lines in (self.tex.lines(each, ROOM) for each in equations):
            if len(lines) > LONG:
                found += [_environment("gather*", rows), _environment("align*", lines)]
                rows = []
            elif len(lines) == 1:
                rows += lines
            else:
                rows.append(_environment("aligned", lines))
        return "".join(f"{each}\n" for each in [*found, _environment("gather*", rows)] if each)


def _environment(name: str, rows: Sequence[str]) -> str:
    body = " \\\\\n".join(rows)
    return f"\\begin{{{name}}}\n{body}\n\\end{{{name}}}" if rows else ""


CHARACTER = re.compile(f"[A-Za-z][{''.join(ACCENTS)}]|.", re.DOTALL)
"""A character, or a letter and the mark over it."""


def escape(text: str) -> str:
    r"""Words as LaTeX shows them; a character that pdflatex does not know is written as its code point.

    >>> print(escape("50% of {α}"))
    50\% of \{$\alpha$\}
    """
    if text.isascii() and text.replace(" ", "").isalnum():
        return text
    text = plain(text)
    return "".join(_character(found[0], text[found.end() : found.end() + 1]) for found in CHARACTER.finditer(text))


def _character(c: str, following: str) -> str:
    if c in SPECIAL:
        return SPECIAL[c]
    if c in "-,'" and c == following:
        return c + "{}"
    if len(c) == 1 and " " <= c <= "~":
        return c
    if c in LETTERS:
        return f"$\\{LETTERS[c]}$"
    if c in RELATIONS:
        return f"${RELATIONS[c]}$"
    letter, *marks = unicodedata.normalize("NFD", c)
    if len(marks) == 1 and letter.isascii() and marks[0] in ACCENTS:
        return rf"\{ACCENTS[marks[0]]}{{{letter}}}"
    if "\u00a1" <= c <= "\u00ff":
        return c
    return rf"\texttt{{U+{ord(c):04X}}}"
