"""Makes `notation.json`, the tables of the parser, from the grammars: `python -m backhand.core.tables`.

Building them takes 20 to 40 ms, a quarter of the time of a whole command; loading takes few.
They carry the digest of the grammars they were made from, which a test compares, so they cannot fall
behind. (The tables themselves may come out in another order each time.)
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

from backhand.core.notation import OPTIONS, TABLES, grammar
from backhand.core.operations import FUNCTIONS


def digest() -> str:
    """What the grammars and the options say, in 64 digits."""
    return hashlib.sha256((grammar() + repr(sorted(OPTIONS.items()))).encode()).hexdigest()


def tables() -> str:
    """The text of `notation.json`."""
    parser: Any = lark.Lark(grammar(), **OPTIONS)
    data, memo = parser.memo_serialize([TerminalDef, Rule])
    made: dict[str, object] = {
        "lark": lark.__version__,
        "digest": digest(),
        "functions": sorted(FUNCTIONS),
        "tables": {"data": data, "memo": memo},
    }
    return json.dumps(made, ensure_ascii=True, sort_keys=False, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    TABLES.write_text(tables(), "utf-8")
