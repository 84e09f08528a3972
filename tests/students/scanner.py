"""What a scanner makes of a page: dashes, l for 1, O for 0, a lost ^, spaces, lost underscores; with a record of it.

`harmless` slips change only how a thing looks; the others may change what a line says.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace

from students.hands import Page

Slip = tuple[str, Callable[[re.Match[str]], str]]

HARMLESS: dict[str, Slip] = {
    "dash": (r"-(?=\d|\()|(?<= )-(?= )", lambda found: "−"),
    "en dash": (r"(?<= )-(?= \d)|(?<=\()-(?=\d)", lambda found: "–"),
    "em dash": (r"(?<= )-(?= [\d(])", lambda found: "—"),
    "spaces": (r" (?=[=+])", lambda found: "  "),
    "spread": (r"\\frac\{\\partial (\w+)\}\{\\partial (\w)_(\d)\}",
               lambda found: f"\\frac {{ \\partial {found[1]} }} {{ \\partial {found[2]} _ {{ {found[3]} }} }}"),
    "subscript": (r"(?<![A-Za-z])([A-Zzhx])_(\d)(?!\d)", lambda found: found[1] + found[2]),
    "braces": (r"_\{(\d)\}", lambda found: "_" + found[1]),
}  # fmt: skip

HARMFUL: dict[str, Slip] = {
    "l for 1": (r"(?<=[( ])1(?=[) ]|$)", lambda found: "l"),
    "I for 1": (r"(?<=\()1(?=\))", lambda found: "I"),
    "O for 0": (r"(?<=[( ])0(?=[) .]|$)", lambda found: "O"),
    "lost ^": (r"\)\^2", lambda found: ")2"),
    "lost minus": (r"(?<=\()-(?=\d\))", lambda found: ""),
    "5 for S": (r"(?<=[( ])5(?=[) ]|$)", lambda found: "S"),
}


def scanned(page: Page, seed: object, *, harmful: bool = False, rate: float = 0.3) -> Page:
    """The page after a scanner; `changes` has line, what it says now, and what was meant."""
    draw = random.Random(f"scanner {seed}")
    slips = list(HARMLESS) if not harmful else [*HARMLESS, *HARMFUL]
    chosen = draw.sample(slips, k=min(len(slips), draw.randint(1, 3)))
    if harmful and not set(chosen) & set(HARMFUL):
        chosen[0] = draw.choice(list(HARMFUL))
    changes: list[tuple[int, str, str]] = []
    lines = page.text.split("\n")
    for number, line in enumerate(lines, 1):
        if line.startswith(("|", "```", "#")):
            continue
        for name in chosen:
            pattern, slip = {**HARMLESS, **HARMFUL}[name]

            def change(found: re.Match[str], slip: Callable[[re.Match[str]], str] = slip, at: int = number) -> str:
                if draw.random() > rate:
                    return found[0]
                said = slip(found)
                changes.append((at, said, found[0]))
                return said

            line = re.sub(pattern, change, line)
        lines[number - 1] = line
    return replace(page, text="\n".join(lines), changes=changes, what=f"{page.what}, scanned: {', '.join(chosen)}")
