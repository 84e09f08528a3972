"""Names that pasted code uses for something of its own, and lines that run who knows how often.

    for h in range(10):     h counts
        L += h              with which h, is not on the page
    x = np.array([1, 2])    x is not one number

A name used so may mean the network's elsewhere on the page; so what is right of it is right, and what is not is not
held against anybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_NAMES = r"[^\W\d]\w*(?:[ \t]*,[ \t]*[^\W\d]\w*){0,8}"
LOOP = re.compile(
    rf"\bfor[ \t]+({_NAMES})[ \t]+in[ \t]+"
    rf"(?:range|zip|enumerate|reversed|sorted|tqdm|np\.|[\[(]|\w+(?:\.\w+)*[ \t]*[:\])(\[])"
    rf"|\blambda[ \t]+({_NAMES})[ \t]*:"
)
PARAMETERS = re.compile(r"\bdef[ \t]+\w+\(([^()\n]{0,200})\)")
COLLECTION = re.compile(
    r"^[ \t]*(?:>>>[ \t]*)?([^\W\d]\w*)[ \t]*=[ \t]*(?:\[[ \t]*\]|[\[(](?=[^\]\n]{0,200},)|\{|[rbf]?[\"']"
    r"|(?:\w+\.)?(?:array|asarray|tensor|Tensor)\([ \t]*\[+[^\]\n]{0,200},"
    r"|(?:np|numpy|jnp|torch)\.(?:zeros|ones|linspace|arange|random|rand|randn|eye|full|empty|stack)\b"
    r"|(?:random|time|plt|pd|nn|keras|open|input|len|range|list|dict|set|symbols|sp\.symbols|sympy\.symbols)[.(])",
    re.MULTILINE,
)
STEP = re.compile(
    r"^[ \t]*(?:>>>[ \t]*)?([hdeδε]|eps|epsilon|delta|step)[ \t]*=[ \t]*"
    r"(?:1(?:\.0*)?e-0?\d+|0?\.0+1|10(?:\*\*|\^)\(?-\d+\)?)(?![\d.])",
    re.MULTILINE,
)
BODY = re.compile(
    r"[ \t]*(?:(?:async[ \t]+)?(?:def|class)[ \t]+\w+|for[ \t]+.{1,80}[ \t]in[ \t]|while[ \t]).{0,300}:[ \t]*(?:#.*)?$"
)


def reused(text: str) -> frozenset[str]:
    """The names that a page uses for something of its own."""
    return frozenset(_reused(text))


def _reused(text: str) -> Iterator[str]:
    if "for" in text or "lambda" in text:
        for found in LOOP.finditer(text):
            yield from map(str.strip, (found[1] or found[2]).split(","))
    if "def " in text:
        for found in PARAMETERS.finditer(text):
            for parameter in found[1].split(","):
                yield parameter.partition("=")[0].partition(":")[0].strip(" *\t")
    for found in COLLECTION.finditer(text):
        yield found[1]
    for found in STEP.finditer(text):
        yield found[1]


class Bodies:
    """Which lines stand in the body of a loop or a function: those further in than the line that opens it."""

    def __init__(self) -> None:
        self.margins: list[int] = []

    def holds(self, line: str) -> bool:
        """Whether this line, the next of its page, stands in a body."""
        if not line.strip():
            return False
        margin = len(line) - len(line.lstrip(" \t"))
        while self.margins and margin <= self.margins[-1]:
            self.margins.pop()
        inside = bool(self.margins)
        if (line.rstrip().endswith(":") or "#" in line) and BODY.match(line[:400]):
            self.margins.append(margin)
        return inside
