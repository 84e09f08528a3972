"""Answers as dictionaries of Python and objects of JSON, made into equations before a page is cut into lines.

    grads = {"W1": [[1, 2], [3, 4]], "b1": [0, 1]}        dW1 = [[1, 2], [3, 4]]; db1 = [0, 1]
    {"z": [1, 2], "gradients": {"W": [[1, 2]]}}           z = [1, 2]; dW = [[1, 2]]

Every sign is put in place of another one, so that all that follows stays where it is. A name before the brace that
speaks of derivatives makes its keys derivatives, unless they are written as such.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from backhand.readers.tokens import ARRAY_LETTER

KEY = re.compile(rf"""(['"])((?:[d∂]\w{{1,30}}/)?[^\W\d]\w{{0,30}})\1(\s*):(?=\s*(?:{ARRAY_LETTER}|[-+−]?[\d.]|\{{))""")
BEFORE = re.compile(r"""(?:(?:['"]([^\W\d]\w{0,30})['"]|\b([^\W\d]\w{0,30}))\s*[=:]\s*)?$""")
DERIVATIVES = re.compile(r"grad(?:s|ient|ients)?|d|derivatives?|adjoints?|backward|deltas?", re.IGNORECASE)
MOST = 400
"""Keys, and dictionaries, that are looked at on a page."""
LONGEST = 20_000
"""Characters of one dictionary."""


class Brace(NamedTuple):
    """A dictionary: where the name before it begins, where it opens and ends, and whether its keys are derivatives."""

    begin: int
    start: int
    end: int
    graded: bool


def as_equations(text: str) -> str:
    """The text with its dictionaries written as equations, as long as before."""
    keys = [*islice(KEY.finditer(text), MOST)] if "{" in text else []
    if not keys:
        return text
    signs = list(text)
    for brace in _braces(text, [key.start() for key in keys]):
        signs[brace.begin : brace.start + 1] = _blank(text[brace.begin : brace.start + 1])
        signs[brace.end] = " "
        depth, at = 0, brace.start + 1
        told = {key.start(): key for key in keys if brace.start < key.start() < brace.end}
        while at < brace.end:
            sign = text[at]
            depth += (sign in "([{") - (sign in ")]}")
            if sign == "," and not depth:
                signs[at] = ";"
            elif (key := told.get(at)) is not None and not depth:
                written = key[2].startswith(("d", "∂", "grad"))
                made = ("d" if brace.graded and not written else " ") + key[2] + " " + key[3] + "="
                signs[key.start() : key.end()] = made
            at += 1
    return "".join(signs)


def _braces(text: str, keys: Sequence[int]) -> Iterator[Brace]:
    """The braces in which a key stands, from the outside in."""
    opened: list[int] = []
    found: list[Brace] = []
    for at in re.finditer(r"[{}]", text):
        if at[0] == "{":
            opened.append(at.start())
        elif opened:
            start, end = opened.pop(), at.start()
            first = bisect_right(keys, start)
            if first < len(keys) and keys[first] < end and end - start <= LONGEST:
                before = BEFORE.search(text, max(0, start - 80), start)
                assert before is not None
                name = before[1] or before[2] or ""
                found.append(Brace(before.start(), start, end, DERIVATIVES.fullmatch(name) is not None))
        if len(found) >= MOST:
            break
    yield from sorted(found, key=lambda brace: brace.start)


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)
