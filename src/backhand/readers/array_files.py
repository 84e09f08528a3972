"""Arrays in files beside a network: `.npy`, `.npz`, `.csv`, `.safetensors`.

    W1 = load("net.npz", "W1")        x = load("x.csv")

A file is named by its place beside or below the network's own file; no other is opened. What a file
says about its size is checked before anything of that size is made, and nothing in a file is run:
arrays of objects (pickles) are refused.
"""

from __future__ import annotations

from typing import Any

from backhand.core.formula import Apply, Formula, Held, Num, Ref, Slope, fold, with_args
from backhand.errors import ReadError
from backhand.text import Source, Span


def loaded(formula: Formula, source: Source) -> Formula:
    """The formula with the arrays that it loads."""

    def combine(node: Apply, args: list[Formula]) -> Formula:
        if node.operation.name != "load":
            return node if all(a is b for a, b in zip(args, node.args, strict=True)) else with_args(node, args)
        options = dict(node.params)
        held = Held(array_of(str(options["file"]), str(options["name"]), source, node.span))
        params = tuple((key, held if key == "held" else value) for key, value in node.params)
        return Apply(node.operation, (), node.style, node.parens, node.span, node.depth, params)

    def leaf(node: Num | Ref | Slope) -> Formula:
        return node

    return fold(formula, leaf, combine)


def array_of(file: str, name: str, source: Source, span: Span | None) -> Any:
    """The array of a file. Raises ReadError or LimitError at the place where it is named."""
    raise ReadError("Arrays in files are not read yet.", span)
