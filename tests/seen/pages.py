"""Where on a page the mathematics stands. Each function gives the chains of one format; nothing with a `=` or `≈`
in it is passed over: what is recognized as nothing becomes a chain too, and the judge calls it unreadable.

A row of a table says equalities too: its name = its value, and the derivative by it = the third column, where an
empty cell says that the output does not depend on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from seen.judging import DIGITS, Chain, Link
from seen.reading import GREEK, Lexicon, tex, typed

RELATION = re.compile(r"=|≈|\\approx(?![A-Za-z])")
FIGURE_DIGITS = 4
EXAMPLE = "for example weight w = 2"
"""The one equality in words: it suggests something to write, and is not about the network."""


def chain(text: str, notation: str, lexicon: Lexicon, before: Link | None = None, digits: int = DIGITS) -> Chain:
    """`a = b ≈ c` taken apart; `before` stands where a table leaves out the left side."""
    links: list[Link] = [link.strip() for link in RELATION.split(text)]
    signs = ["=" if sign == "=" else "≈" for sign in RELATION.findall(text)]
    if before is not None:
        links = [before, *(links[1:] if signs else links)]
        signs = signs or ["="]
    read = typed if notation == "typed" else tex
    return Chain(links, signs, lambda link: read(link, lexicon), digits)


def listed(text: str) -> list[str]:
    """The parts of `A1 = -1, w[A1,B1] = 2`: commas inside brackets part nothing."""
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(text):
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(letter, 0)
        if depth == 0 and text[at : at + 2] in (", ", "; ", ". "):
            parts.append(text[start:at])
            start = at + 2
    return [*parts, text[start:].rstrip(".")]


def in_words(text: str, lexicon: Lexicon) -> Iterator[Chain]:
    """The equalities of a sentence or a list."""
    digits = FIGURE_DIGITS if "Layer 0:" in text else DIGITS
    for part in listed(text.replace(EXAMPLE, "")):
        if RELATION.search(part):
            yield chain(re.split(r": | with weight ", part)[-1], "typed", lexicon.whole, digits=digits)


def of_table(header: list[str], rows: list[list[str]], notation: str, lexicon: Lexicon) -> Iterator[Chain]:
    """A table of values and derivatives, or of every quantity by every other."""
    for name, *cells in rows:
        about = named(name, notation, lexicon)
        for column, cell in zip(header[1:], cells, strict=True):
            if column == "value":
                left: Link = ("name", about)
            elif column.startswith("derivative of "):
                left = ("slope", in_header(column.removeprefix("derivative of "), lexicon), about, "d")
            else:
                left = ("slope", about, named(column, notation, lexicon), "d")
            if cell not in ("no value", r"\text{no value}"):
                way = "typed" if cell.startswith("`") else notation
                yield chain(cell.strip("`") or "0", way, lexicon, before=left)


def named(cell: str, notation: str, lexicon: Lexicon) -> str:
    """The name in a cell; Markdown writes some as code, letter by letter."""
    if notation == "typed" or cell.startswith("`"):
        return str(typed(cell.strip("`"), lexicon.whole)[1])
    return str(tex(cell, lexicon)[1])


def in_header(cell: str, lexicon: Lexicon) -> str:
    """The name in a header, as mathematics or in words."""
    inner = unwrapped(cell)
    return named(plain(cell), "typed", lexicon) if inner == cell.strip() else named(inner, "tex", lexicon)


def unwrapped(cell: str) -> str:
    """A cell that is nothing but mathematics, in one piece or several, without its signs."""
    pieces = re.sub(r"\$`?[^$]*`?\$", "", cell)
    return re.sub(r"\$`|`\$|\$", " ", cell).strip() if not pieces.strip() else cell.strip()


# -- the terminal -------------------------------------------------------------------------------------------


def text_chains(page: str, lexicon: Lexicon) -> Iterator[Chain]:
    """What a terminal shows."""
    lines = page.splitlines()
    at = 0
    while at < len(lines):
        below = lines[at + 1] if at + 1 < len(lines) else ""
        if re.fullmatch(r"=+|-+", below) and lines[at]:
            at += 2
        elif re.fullmatch(r"-+(\s{2,}-+)+", below):
            end = next((n for n in range(at, len(lines)) if not lines[n]), len(lines))
            yield from of_table(*text_table(lines[at:end]), "typed", lexicon)
            at = end
        else:
            yield from text_line(lines[at], lexicon)
            at += 1


def text_table(lines: list[str]) -> tuple[list[str], list[list[str]]]:
    """Header and rows, by the columns of the rule under the header."""
    starts = [match.start() for match in re.finditer(r"-+", lines[1])]
    spans = list(zip(starts, [*starts[1:], None], strict=True))
    header, _, *rows = [[line[a:b].strip() for a, b in spans] for line in lines]
    return header, rows


def text_line(line: str, lexicon: Lexicon) -> Iterator[Chain]:
    body = line.partition("  # ")[0]
    if not RELATION.search(body):
        return
    if re.match(r"[A-Z][a-z]+: |[→!✓] ", body):
        yield from in_words(body, lexicon)
    else:
        yield chain(body, "typed", lexicon)


# -- TeX ----------------------------------------------------------------------------------------------------


def latex_chains(page: str, lexicon: Lexicon) -> Iterator[Chain]:
    """What the LaTeX source says: displayed and inline mathematics, tables, and words."""
    body = page.partition(r"\begin{document}")[2]
    lexicon = lexicon.on(body)
    for table in re.findall(r"\\toprule(.*?)\\bottomrule", body, re.DOTALL):
        above, _, below = re.sub(r"\\end(first|last)?(head|foot)\b", "", table).partition(r"\midrule")
        header = tex_row(above.rstrip().removesuffix(r"\\"))
        rows = [tex_row(row) for row in re.split(r"\\\\\n", below) if "&" in row]
        yield from of_table(header, rows, "tex", lexicon)
    body = re.sub(r"\\toprule(.*?)\\bottomrule", "", body, flags=re.DOTALL)
    for _, display in re.findall(DISPLAY, body, re.DOTALL):
        yield from displayed(display, lexicon)
    body = re.sub(DISPLAY, "", body, flags=re.DOTALL)
    yield from inline_and_words(body, lexicon)


DISPLAY = r"\\begin\{(gather\*|align\*)\}(.*?)\\end\{\1\}"


def tex_row(row: str) -> list[str]:
    return [unwrapped(cell) for cell in re.split(r"(?<!\\)&", row)]


def displayed(display: str, lexicon: Lexicon) -> Iterator[Chain]:
    """The chains of a display, one a line; a line that begins at the mark `&` continues the one before."""
    lines: list[str] = []
    for line in re.sub(r"\\(?:begin|end)\{aligned\}", "", display).split(r"\\"):
        if lines and line.lstrip().startswith("&"):
            lines[-1] += line
        else:
            lines.append(line)
    for line in lines:
        body = line.partition(r"\qquad")[0].replace("&", " ")
        if body.strip():
            yield chain(body, "tex", lexicon)


def inline_and_words(body: str, lexicon: Lexicon) -> Iterator[Chain]:
    """`$x = 2$` in a sentence, and what equalities are in the words."""
    inline = r"\$`(.+?)`\$|(?<!\\)\$(.+?)(?<!\\)\$"
    body = body.replace(r"$\approx$", "≈")
    for match in re.finditer(inline, body):
        if RELATION.search(match[1] or match[2]):
            yield chain(match[1] or match[2], "tex", lexicon)
    words = re.sub(r"\$\\([A-Za-z]+)\$", lambda m: GREEK[m[1]], body)
    words = re.sub(inline, "", words)
    for line in words.splitlines():
        if RELATION.search(line):
            yield from in_words(plain(line), lexicon)


def plain(line: str) -> str:
    """Words of LaTeX or Markdown as a reader sees them."""
    line = re.sub(r"\{([\[\]]?)\}", r"\1", line)
    line = re.sub(r"\\begin\{quote\}|\\end\{quote\}|\\textit\{.*?\}|\\remark\{.*?\}|^> |\*\*|`", "", line)
    return re.sub(r"\\([_#&%${}\[\]*<>|^])", r"\1", line).strip("{} ")


# -- Markdown -----------------------------------------------------------------------------------------------


def markdown_chains(page: str, lexicon: Lexicon) -> Iterator[Chain]:
    """What the Markdown source says."""
    lexicon = lexicon.on(page)
    for block in re.findall(r"^```math\n(.*?)^```", page, re.DOTALL | re.MULTILINE):
        yield from displayed(block, lexicon)
    page = re.sub(r"^```math\n(.*?)^```", "", page, flags=re.DOTALL | re.MULTILINE)
    for table in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
        header, _, *rows = [
            [unwrapped(cell) for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines()
        ]
        yield from of_table(header, rows, "tex", lexicon)
    yield from inline_and_words(re.sub(r"^\|.*\n", "", page, flags=re.MULTILINE), lexicon)


CHAINS = {"text": text_chains, "latex": latex_chains, "markdown": markdown_chains}
