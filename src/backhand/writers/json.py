"""A solution for programs: the JSON of the command line, one documented schema (docs/json.md), in pieces.

Numbers that are not finite, not known or in symbols are null; `exact` is null for floats. Formulas
in symbols stand under `symbolic`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import assert_never

from backhand.core.evaluate import Value
from backhand.core.formula import Formula, to_text
from backhand.core.graph import Quantity
from backhand.core.paths import Paths
from backhand.numbers import as_float, known
from backhand.solving.solution import (
    CheckStep,
    ForwardStep,
    GatherStep,
    LocalStep,
    SeedStep,
    Solution,
    Step,
)

Json = object


def write(solution: Solution) -> Iterator[str]:
    """The JSON text in chunks; the steps are made one at a time."""
    head = _head(solution)
    yield json.dumps(head, ensure_ascii=False, allow_nan=False, indent=1)[:-2]
    yield ',\n "quantities": '
    yield from _listed(_quantity(solution, quantity) for quantity in solution.graph.quantities)
    yield ',\n "steps": '
    yield from _listed(_step(step) for step in solution.steps)
    yield "\n}\n"


def _listed(items: Iterable[Json]) -> Iterator[str]:
    separator = "[\n  "
    for item in items:
        yield separator + json.dumps(item, ensure_ascii=False, allow_nan=False)
        separator = ",\n  "
    yield "[]" if separator.startswith("[") else "\n ]"


def _head(solution: Solution) -> dict[str, Json]:
    values = solution.values
    rows = solution.pairs or {}
    rows = rows | {solution.of: {**rows.get(solution.of, {}), **solution.derivatives}}
    head: dict[str, Json] = {
        "schema": 1,
        "of": solution.of,
        "values": {name: plain(value) for name, value in values.items()},
        "exact": {name: exact(value) for name, value in values.items()},
        "derivatives": {of: {by: plain(d) for by, d in row.items()} for of, row in rows.items()},
        "exact_derivatives": {of: {by: exact(d) for by, d in row.items()} for of, row in rows.items()},
    }
    symbolic = {name: text for name, value in values.items() if (text := symbols(value))}
    derivatives = {of: {by: t for by, d in row.items() if (t := symbols(d))} for of, row in rows.items()}
    if symbolic or any(derivatives.values()):
        head["symbolic"] = {"values": symbolic, "derivatives": derivatives}
    if solution.paths is not None:
        head["paths"] = [_paths(found) for found in solution.paths]
    head["notices"] = [_notice(notice.words, notice.span) for notice in solution.notices]
    return head


def _notice(words: str, span: object) -> dict[str, Json]:
    from backhand.text import Span

    place = (span.line, span.column) if isinstance(span, Span) else (None, None)
    return {"line": place[0], "column": place[1], "words": words}


def plain(value: Value) -> int | float | None:
    """The nearest float, an int for a whole number, null for what is no number.

    >>> plain(Fraction(3)), plain(Fraction(1, 4)), plain(float("nan"))
    (3, 0.25, None)
    """
    if not isinstance(value, (Fraction, float)) or not known(value):
        return None
    if isinstance(value, Fraction) and value.denominator == 1 and abs(value) < 2**53:
        return int(value)
    number = as_float(value) + 0.0
    return number if known(number) else None


def exact(value: Value) -> str | None:
    """`3`, `-3/20`; null for floats and symbols."""
    return str(value) if isinstance(value, Fraction) else None


def symbols(value: Value) -> str | None:
    return to_text(value) if isinstance(value, Formula) else None


def _quantity(solution: Solution, quantity: Quantity) -> dict[str, Json]:
    span = quantity.span
    return {
        "name": quantity.name,
        "kind": quantity.kind,
        "formula": to_text(quantity.definition) if quantity.computed and quantity.definition else None,
        "shape": list(quantity.shape),
        "parents": list(solution.graph.parents(quantity.name)),
        "layer": quantity.place.layer if quantity.place else None,
        "row": quantity.place.row if quantity.place else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
    }


def _step(step: Step) -> dict[str, Json]:
    match step:
        case ForwardStep():
            inputs = {name: plain(value) for name, value in step.inputs.items()}
            return {"step": "forward", "of": step.name, "formula": to_text(step.formula), "inputs": inputs} | _result(
                step.result
            )
        case SeedStep():
            return {"step": "seed", "of": step.of, "by": step.of} | _result(step.result)
        case LocalStep():
            return {
                "step": "local", "of": step.child, "by": step.parent, "formula": to_text(step.worked.formula),
                "rules": list(step.worked.rules), "total_differs": step.total_differs,
            } | _result(step.result)  # fmt: skip
        case GatherStep():
            ways = [
                {
                    "through": w.child,
                    "upstream": plain(w.upstream),
                    "local": plain(w.local),
                    "product": plain(w.product),
                }
                for w in step.ways
            ]
            return {"step": "gather", "of": step.of, "by": step.by, "ways": ways} | _result(step.result)
        case CheckStep():
            return {"step": "check", "method": step.method, "compared": step.compared, "exact_agreement": step.exact}
        case _:
            assert_never(step)


def _result(value: Value) -> dict[str, Json]:
    return {"value": plain(value), "exact": exact(value)}


def _paths(found: Paths) -> dict[str, Json]:
    return {
        "from": found.frm,
        "to": found.of,
        "count": found.count,
        "complete": found.complete,
        "sum": plain(found.total),
        "paths": [
            {"through": list(path.names), "locals": [plain(x) for x in path.locals], "product": plain(path.product)}
            for path in found.listed
        ],
    }
