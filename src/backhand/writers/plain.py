"""Words without surprises: what steers a terminal, ends a line or hides a direction never gets out."""

from __future__ import annotations


def plain(text: str) -> str:
    r"""The text on one line; a character that cannot be seen is shown as a box.

    >>> plain("a\x1b[2Jb")
    'a�[2Jb'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text)
