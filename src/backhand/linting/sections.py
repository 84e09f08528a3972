"""Which network each piece of a page is about.

    ```bh                         a network in the notation, written out on the page
    A1 -> B1 : -2
    ```
    backhand: nets/q3.bh          or named: in the front matter, in <!-- -->, in a comment of code
    backhand: off                 what follows is about none

From there on, until the next one or the end of the page, every statement is held against that network. Blocks of
program code on the page (```python) are left out; blocks without a language, of text and of LaTeX are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from backhand.text import LINE_END, Source

FENCE = re.compile(r"[ \t>]*(`{3,}|~{3,})[ \t]*\{?\.?([\w+-]*)")
NAMED = re.compile(r"[ \t>]*(?:<!--[ \t]*)?backhand:[ \t]*(\"[^\"\n]+\"|'[^'\n]+'|\S+?)[ \t]*(?:-->)?[ \t]*$")
FRONT = re.compile(r"\ufeff?[ \t]*---[ \t]*$")
NETS = frozenset(["bh", "backhand"])
READ = frozenset(["", "text", "txt", "plain", "math", "latex", "tex", "md", "markdown", "working"])


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """Text about one network, in its place. `net` is the network as it is written on the page, or `path` names its
    file; `at` is where that is said."""

    text: Source
    at: int
    net: Source | None = None
    path: str = ""


def sections(name: str, text: str) -> Iterator[Section]:
    """The pieces of a page that are about a network, from the first; without text where nothing is said about it."""
    lines = _lines(text)
    current: Section | None = None
    kept: list[tuple[int, int]] = []
    number = 0
    if lines and FRONT.match(text[slice(*lines[0])]):
        closing = next((n for n in range(1, len(lines)) if FRONT.match(text[slice(*lines[n])])), 0)
        for start, end in lines[1:closing]:
            if named := NAMED.match(text[start:end]):
                current = Section(Source(""), start, path=named[1].strip("\"'"))
        number = closing + 1 if closing else 0
    while number < len(lines):
        start, end = lines[number]
        line = text[start:end]
        if named := NAMED.match(line):
            if current:
                yield _with_text(current, name, text, kept)
            path = named[1].strip("\"'")
            kept = []
            current = None if path == "off" else Section(Source(""), start, path=path)
            number += 1
        elif fence := FENCE.match(line):
            last = _closing(text, lines, number, fence[1])
            language = fence[2].lower()
            if language in NETS:
                if current:
                    yield _with_text(current, name, text, kept)
                inside = lines[number + 1 : last]
                net = Source(_only(text, inside, quoted=line[: fence.start(1)].count(">")), name)
                current, kept = Section(Source(""), start, net), []
            elif language in READ and current:
                kept += lines[number : last + 1]
            number = last + 1
        else:
            if current and line.strip():
                kept.append((start, end))
            number += 1
    if current:
        yield _with_text(current, name, text, kept)


def _with_text(section: Section, name: str, text: str, kept: list[tuple[int, int]]) -> Section:
    return Section(Source(_only(text, kept), name), section.at, section.net, section.path)


def _only(text: str, lines: list[tuple[int, int]], *, quoted: int = 0) -> str:
    """The text with only these lines, everything else blank, so that places stay."""
    made: list[str] = []
    at = 0
    for start, end in lines:
        made.append(_blank(text[at:start]))
        line = text[start:end]
        for _ in range(quoted):
            line = re.sub(r"^([ \t]*)>", r"\1 ", line)
        made.append(line)
        at = end
    return "".join(made)


def _blank(text: str) -> str:
    return re.sub(r"[^\r\n\u2028\u2029\u0085]", " ", text)


def _lines(text: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    start = 0
    for end in LINE_END.finditer(text):
        found.append((start, end.start()))
        start = end.end()
    if start < len(text):
        found.append((start, len(text)))
    return found


def _closing(text: str, lines: list[tuple[int, int]], opening: int, mark: str) -> int:
    """The line that closes a block; the last one of the page where none does."""
    for number in range(opening + 1, len(lines)):
        line = text[slice(*lines[number])]
        fence = FENCE.match(line)
        if fence and fence[1].startswith(mark) and not fence[2]:
            return number
    return len(lines) - 1
