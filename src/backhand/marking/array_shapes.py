r"""Shapes that a page claims.

    dW1.shape = (3, 2)      shape of dW1: (3, 2)      dL/dW1 is 3×2      W_1 \in \mathbb{R}^{3 \times 2}
    (3×2)(2×1) = (3×1)      shapes that are multiplied, about nothing named

They are looked for in the text, since nothing in them is a number of the network.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

from backhand.marking.work import Work
from backhand.text import Source, Span

Shape = tuple[int, ...]

_NAME = r"(?P<name>(?:d|∂)?[^\W\d_]\w*(?:\s*/\s*(?:d|∂)[^\W\d_]\w*)?(?:_\{\w+\})?)"
_BY = r"\s*(?:×|x|\\times|by)\s*"
_SIZES = rf"(?P<sizes>\(\s*\d+\s*(?:,\s*\d+\s*)*,?\s*\)|\[\s*\d+(?:\s*,\s*\d+)*\s*\]|\(?\d+(?:{_BY}\d+)+\)?)"
_RELATION = r"\s*(?:==?|:|is|→|->|\))?\s*(?:#|->|is)?\s*"
CLAIMED = (
    re.compile(rf"{_NAME}\.(?:shape|size\(\))\)?\s*(?:==?|:|is|→|->|#)\s*(?:torch\.Size\()?{_SIZES}"),
    re.compile(rf"(?i:shape)\s+of\s+{_NAME}{_RELATION}{_SIZES}"),
    re.compile(rf"(?<![\w/]){_NAME}\s+(?:is|has\s+shape|has\s+the\s+shape|must\s+be|should\s+be)\s+(?:an?\s+)?{_SIZES}(?!\s*[=+*/.\d])"),
    re.compile(rf"(?<![\w/]){_NAME}\s*(?:∈|\\in)\s*(?:ℝ|R|\\mathbb\s*\{{?R\}}?|\\R)\s*\^\s*\{{?\s*(?P<sizes>\d+(?:{_BY}\d+)*)\s*\}}?"),
)  # fmt: skip
_PART = rf"\(\s*\d+{_BY}\d+\s*\)"
PRODUCT = re.compile(rf"(?P<parts>{_PART}(?:\s*(?:·|@|\*|\\cdot)?\s*{_PART})+)\s*(?:=|→|->|\\to)\s*(?P<whole>{_PART})")
NUMBER = re.compile(r"\d{1,6}")
MOST = 2000
"""Claims of shapes that are looked at on a page."""


class ShapeClaimed(NamedTuple):
    """`name` as written, empty for a product of shapes; what is claimed, whether it is true, and where it stands."""

    name: str
    said: str
    right: bool
    why: str
    span: Span


def claimed(work: Work, shape_of: Callable[[str], Shape | None]) -> Iterator[ShapeClaimed]:
    """The shapes claimed on the pages; `shape_of` knows those of the names that mean something."""
    count = 0
    for source in work.sources:
        if not re.search(r"shape|size|×|\\times|\bby\b|\d\s*x\s*\d|∈|\\in", source.text):
            continue
        for line in work.lines:
            if (
                line.span.source is not source
                or line.why in ("struck", "empty")
                or line.span.end - line.span.start > 2000
            ):
                continue
            for one in _of_line(source, line.span, shape_of):
                count += 1
                if count > MOST:
                    return
                yield one


def _of_line(source: Source, span: Span, shape_of: Callable[[str], Shape | None]) -> Iterator[ShapeClaimed]:
    text = source.text
    taken: list[tuple[int, int]] = []
    for pattern in CLAIMED:
        for found in pattern.finditer(text, span.start, span.end):
            if any(start < found.end() and found.start() < end for start, end in taken):
                continue
            truth = shape_of(found["name"])
            if not truth:
                continue
            taken.append(found.span())
            said = tuple(int(number) for number in NUMBER.findall(found["sizes"]))
            right = said == truth or _alike(said, truth)
            is_ = "×".join(map(str, truth)) if len(truth) > 1 else f"a vector of {max(truth)}"
            why = "" if right else f"{found['name']} is {is_}."
            yield ShapeClaimed(found["name"], found["sizes"], right, why, Span(source, *found.span()))
    for found in PRODUCT.finditer(text, span.start, span.end):
        parts = [_two(part) for part in re.findall(_PART, found["parts"])]
        fits = all(one[1] == other[0] for one, other in pairwise(parts))
        right = fits and _two(found["whole"]) == (parts[0][0], parts[-1][1])
        why = "" if right else "The inner sizes have to be the same, and the outer ones are left."
        yield ShapeClaimed("", found["whole"], right, why, Span(source, *found.span()))


def _two(text: str) -> tuple[int, int]:
    """The sizes of `(3×2)`."""
    above, below = NUMBER.findall(text)
    return int(above), int(below)


def _alike(one: Shape, other: Shape) -> bool:
    """A vector may be said to be a column or a row."""
    return len(one) == 2 and sorted(one) == sorted((1, *other)) and len(other) == 1
