"""How wide words will be when they are drawn, without asking a font.

A figure is laid out before anybody knows which of its fonts the reader has, so a letter counts as
wide as it is in the widest of them (FONTS: DejaVu Sans and Verdana, nearly the same; the others
are narrower). An unknown letter counts as wide as its script can make it. Words are estimated as
typed: indices, which are set smaller, only leave some air.
"""

from __future__ import annotations

import re
import unicodedata

FONTS = '"DejaVu Sans", Verdana, Arial, sans-serif'

ASCENT, DESCENT = 1.17, 0.42
"""What a line takes above and below its baseline, in units of its size, with an exponent and an index."""

_EXPONENT = re.compile(r"\de[+-]?\d")  # 1.2e-7 is set as a power of ten, which is wider

_BY_WIDTH = {
    0.24: "′", 0.28: "il'", 0.32: "·", 0.36: " fjι", 0.40: ",.t″", 0.44: "!Irℓ₀₁²³", 0.48: '"():;J[\\]|/',
    0.52: "∂°", 0.56: "?LcszεζνξΓç", 0.60: "Fkvxyγκλςυχ", 0.64: "$*0123456789EPTY_`abdeghnopqu{}βδηθμοπρστΞΣϵ√äöüéèñß",
    0.68: "αφψϕ∇∑", 0.72: "ABCKRSVXZΔΛÄ", 0.76: "HNUΠ∏Ü", 0.80: "&DGOQΘΦΨΩÖ",
    0.84: "-#+<=>^w~ω≈−×÷∞≤≥≠→⊙⊗⊕±", 0.88: "M∈", 1.00: "Wm…⋮⋯½", 1.04: "@�", 1.08: "%",
}  # fmt: skip
"""In units of the size, rounded up. A hyphen counts as the minus sign it becomes."""
_WIDTHS = {letter: width for width, letters in _BY_WIDTH.items() for letter in letters}


def width(words: str, size: float) -> float:
    """At most how wide the words are.

    >>> width("-12", 10)
    21.2
    """
    letters = sum(_WIDTHS.get(letter) or _unknown(letter) for letter in words)
    return round((letters + len(_EXPONENT.findall(words))) * size, 2)


def _unknown(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0.0
    if ord(letter) >= 0x1F000:  # emoji
        return 1.4
    return 1.1 if letter.isascii() or unicodedata.east_asian_width(letter) in "WF" else 1.05


def shortened(words: str, most: int) -> str:
    """At most that many letters, the last one "…" if some were left out; what cannot be printed becomes "�".

    >>> shortened("a_very_long_name", 8)
    'a_very_…'
    """
    if len(words) > most:
        words = words[: most - 1] + "…"
    return words if words.isascii() and words.isprintable() else _printable(words)


def _printable(words: str) -> str:
    """Direction marks and controls shown as what they are; marks heaped on a letter kept to two."""
    kept: list[str] = []
    heap = 0
    for letter in words:
        heap = heap + 1 if unicodedata.combining(letter) else 0
        if heap <= 2:
            kept.append(letter if letter.isprintable() else " " if letter.isspace() else "�")
    return "".join(kept)
