"""Makes `notation_tables.py`, the tables of the parser, from the grammars: `python -m backhand.core.tables`.

Building them takes 20 to 60 ms, a third of the time of a whole command; importing them takes one.
They carry the digest of the grammars they were made from, which a test compares, so they cannot fall
behind. (The tables themselves may come out in another order each time.)
"""

from __future__ import annotations

import hashlib
from typing import Any

import lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

from backhand.core.notation import HERE, OPTIONS, grammar


def digest() -> str:
    """What the grammars and the options say, in 64 digits."""
    return hashlib.sha256((grammar() + repr(sorted(OPTIONS.items()))).encode()).hexdigest()


def tables() -> str:
    """The text of `notation_tables.py`."""
    parser: Any = lark.Lark(grammar(), **OPTIONS)
    data, memo = parser.memo_serialize([TerminalDef, Rule])
    return (
        '"""Made by `python -m backhand.core.tables`; not to be edited."""\n\n'
        "from typing import Any\n\n"
        f"LARK = {lark.__version__!r}\n"
        f"DIGEST = {digest()!r}\n"
        f"TABLES: Any = {{'data': {data!r}, 'memo': {memo!r}}}\n"
    )


if __name__ == "__main__":
    (HERE / "notation_tables.py").write_text(tables(), "utf-8")
