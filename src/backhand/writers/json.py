"""A solution or a marking for programs: the JSON of the command line, a documented schema (docs/json.md), in pieces.

Numbers that are not finite, not known or in symbols are null; `exact` is null for floats. Formulas
in symbols stand under `symbolic`. Arrays are nested lists, whole however large they are; only the
steps do not say again what is long and stands above.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, assert_never, cast

from backhand.core.formula import Formula, to_text
from backhand.core.graph import Quantity
from backhand.core.paths import Paths
from backhand.numbers import Rounded, as_float, known
from backhand.solving.solution import (
    BackStep,
    CheckStep,
    ForwardStep,
    GatherStep,
    Language,
    LocalStep,
    SeedStep,
    Solution,
    Step,
)

if TYPE_CHECKING:
    from backhand.marking.diagnose import Diagnosis
    from backhand.marking.marking import Judgement, Marking
    from backhand.numbers import Number
    from backhand.solving.batch import PerExample
    from backhand.solving.stepping import Descent, DescentStep
    from backhand.text import Span

Json = object

REPEATED = 1000
"""Elements of an array that a step says again; of a larger one it gives the shape."""

AT_ONCE = 10_000
"""Elements of an array that are written at once."""


def write(solution: Solution) -> Iterator[str]:
    """The JSON text in chunks; large arrays row by row, and the steps are made one at a time."""
    solution = solution.to_show()
    rows = solution.pairs or {}
    rows = rows | {solution.of: {**rows.get(solution.of, {}), **solution.derivatives}}
    yield f'{{\n "schema": 1,\n "of": {_text(solution.of)}'
    for key, form in (("values", plain), ("exact", exact)):
        yield f',\n "{key}": '
        yield from _object(solution.values, form, 2)
    for key, form in (("derivatives", plain), ("exact_derivatives", exact)):
        begin = f',\n "{key}": {{'
        for of, row in rows.items():
            yield f"{begin}\n  {_text(of)}: "
            yield from _object(row, form, 3)
            begin = ","
        yield "\n }"
    for key, value in _rest(solution, rows).items():
        indented = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1).replace("\n", "\n ")
        yield f',\n "{key}": {indented}'
    if solution.per_example is not None:
        yield from _per_example(solution.per_example)
    if solution.second is not None:
        for key, form in (("second_derivatives", plain), ("exact_second_derivatives", exact)):
            begin = f',\n "{key}": {{{_text(solution.second.of)}: {{'
            for name, row in solution.second.rows.items():
                yield f"{begin}\n  {_text(name)}: "
                yield from _object(row, form, 3)
                begin = ","
            yield "\n }}"
    if solution.after_step is not None:
        yield from _after_step(solution.after_step)
    if solution.code is not None:
        yield f',\n "code": {json.dumps(_code(solution, solution.code), ensure_ascii=False)}'
    yield ',\n "quantities": '
    yield from _listed(_quantity(solution, quantity) for quantity in solution.graph.quantities)
    yield ',\n "steps": '
    yield from _listed(_step(step) for step in solution.steps)
    yield "\n}\n"


def _code(solution: Solution, language: Language) -> Json:
    """Both passes as a program, and its statements with what they are about."""
    from backhand.coding.code import coded

    made = coded(solution.graph, language, solution.of)
    lines = [
        {"about": line.about, "pass": line.pass_, "code": line.text, "comment": line.comment}
        for line in made.lines
        if line.about
    ]
    return {"language": language, "text": made.text, "lines": lines}


def _listed(items: Iterable[Json]) -> Iterator[str]:
    separator = "[\n  "
    for item in items:
        yield separator + json.dumps(item, ensure_ascii=False, allow_nan=False)
        separator = ",\n  "
    yield "[]" if separator.startswith("[") else "\n ]"


def _object(values: Mapping[str, Any], form: Callable[[Any], Json], depth: int) -> Iterator[str]:
    """Values by name, one a line."""
    begin = "{"
    for name, value in values.items():
        yield f"{begin}\n{' ' * depth}{_text(name)}: "
        yield from _streamed(value, form)
        begin = ","
    yield "{}" if begin == "{" else f"\n{' ' * (depth - 1)}}}"


def _streamed(value: Any, form: Callable[[Any], Json]) -> Iterator[str]:
    """A value at once, a large array part by part."""
    if not is_array(value) or value.ndim < 2 or value.size <= AT_ONCE or (form is exact and not _any_exact(value)):
        yield _text(form(value))
        return
    begin = "["
    for place in range(value.shape[0]):
        yield begin
        yield from _streamed(value[place], form)
        begin = ", "
    yield "]"


def _per_example(found: PerExample) -> Iterator[str]:
    """Outputs and derivatives of the examples of a batch."""
    told = {"batch": list(found.batch), "kind": found.kind, "values": [plain(value) for value in found.outputs]}
    begin = f',\n "per_example": {_text(told)[:-1]}, "derivatives": ['
    for gradient in found.gradients:
        yield f"{begin}\n  "
        yield from _object(gradient, plain, 3)
        begin = ","
    yield "\n ]}"


def _after_step(descent: Descent) -> Iterator[str]:
    """New weights, and the values that follow from them."""
    update = descent.update
    told = {"rate": plain(update.rate), "exact_rate": exact(update.rate), "in_place": update.in_place}
    yield f',\n "after_step": {_text({**told, "by": list(descent.by)})[:-1]},\n  "steps": '
    yield from _listed(_descent_step(step) for step in descent.steps)
    for key, form in (("values", plain), ("exact", exact)):
        yield f',\n  "{key}": '
        yield from _object(descent.values, form, 3)
    yield f',\n  "notices": {_text([notice.words for notice in descent.notices])}\n }}'


def _descent_step(step: DescentStep) -> dict[str, Json]:
    moved = {"old": "old", "derivatives": "gradient", "new": "new"}
    return {
        "before": plain(step.before),
        "after": plain(step.after),
        **{key: {move.name: plain(getattr(move, part)) for move in step.moves} for key, part in moved.items()},
    }


def _rest(solution: Solution, rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Json]:
    """What comes between the derivatives and the quantities."""
    head: dict[str, Json] = {}
    symbolic = {name: text for name, value in solution.values.items() if (text := symbols(value))}
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


def is_array(value: object) -> bool:
    """Whether it is a NumPy array with axes (without loading NumPy)."""
    return bool(getattr(value, "ndim", 0))


def _each(value: Any, form: Callable[[Any], Json]) -> Json:
    """An array as nested lists."""
    return [_each(part, form) for part in cast("list[Any]", value)] if isinstance(value, list) else form(value)


def plain(value: Any) -> Json:
    """The nearest float, an int for a whole number, null for what is no number; nested lists for an array.

    >>> plain(Fraction(3)), plain(Fraction(1, 4)), plain(float("nan"))
    (3, 0.25, None)
    """
    if is_array(value):
        if value.dtype == object or not (abs(value) < float("inf")).all():
            return _each(value.tolist(), plain)
        return (value + 0.0).tolist()
    if not isinstance(value, (Fraction, float)) or not known(value):
        return None
    if isinstance(value, Fraction) and value.denominator == 1 and abs(value) < 2**53:
        return int(value)
    number = (value.nearest() if isinstance(value, Rounded) else as_float(value)) + 0.0
    return number if known(number) else None


def exact(value: Any) -> Json:
    """`3`, `-3/20`; null for floats and symbols, and for an array that holds nothing else."""
    if is_array(value):
        return _each(value.tolist(), exact) if _any_exact(value) else None
    return str(value) if isinstance(value, Fraction) else None


def _any_exact(array: Any) -> bool:
    return array.dtype == object and any(isinstance(each, Fraction) for each in array.flat)


def symbols(value: Any) -> Json:
    """A formula in the notation; of an array the formulas in their places."""
    if is_array(value):
        found = value.dtype == object and any(isinstance(each, Formula) for each in value.flat)
        return _each(value.tolist(), symbols) if found else None
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
            inputs = {name: _in_step(value) for name, value in step.inputs.items()}
            return {"step": "forward", "of": step.name, "formula": to_text(step.formula), "inputs": inputs} | _result(
                step.result
            )
        case SeedStep():
            return {"step": "seed", "of": step.of, "by": step.of} | _result(step.result)
        case LocalStep():
            formula = to_text(step.worked.formula) if step.written else None
            return {
                "step": "local", "of": step.child, "by": step.parent, "formula": formula,
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
        case BackStep():
            several = len(step.ways) > 1
            arrived = [
                {"through": way.child, "formula": to_text(way.formula)}
                | ({"value": plain(way.value)} if several else {})
                for way in step.ways
            ]
            return {"step": "back", "of": step.of, "by": step.by, "ways": arrived} | _result(step.result)
        case CheckStep():
            return {"step": "check", "method": step.method, "compared": step.compared, "exact_agreement": step.exact}
        case _:
            assert_never(step)


def _result(value: Any) -> dict[str, Json]:
    if is_array(value) and value.size > REPEATED:
        return {"value": _in_step(value), "exact": None}
    return {"value": plain(value), "exact": exact(value)}


def _in_step(value: Any) -> Json:
    """A value that stands above already: of a large array only its shape."""
    return {"shape": list(value.shape)} if is_array(value) and value.size > REPEATED else plain(value)


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


# -- a marked page -------------------------------------------------------------------------------------------------


def write_marking(marking: Marking, *, hints: bool = False) -> Iterator[str]:
    """The JSON of a marked page; with `hints` without true values, and remarks without answers."""
    several = len(marking.work.sources) > 1
    first = marking.first_wrong
    marks = marking.marks
    yield f'{{\n "schema": 1,\n "of": {_text(marking.of)},\n "judgements": '
    yield from _listed(_judgement(judgement, several, hints) for judgement in marking.judgements)
    where = None if first is None else {**_place(first.span, several, column=False), "about": first.about}
    yield f',\n "first_wrong": {_text(where)},\n "diagnoses": '
    yield from _listed(map(_diagnosis, marking.diagnoses))
    yield f',\n "marks": {_text({"earned": plain(marks.earned), "out_of": plain(marks.out_of)})},\n "unread": '
    yield from _listed({**_place(span, several, column=False), "why": why} for span, why in marking.unread_parts)
    yield f',\n "absent": {_text([str(about) for about in marks.absent])},\n "notices": '
    yield from _listed(_notices(marking))
    yield "\n}\n"


def _text(json_value: Json) -> str:
    return json.dumps(json_value, ensure_ascii=False, allow_nan=False)


def _place(span: Span, several: bool, *, column: bool = True) -> dict[str, Json]:
    """Line and column; the file as well if there are several."""
    place: dict[str, Json] = {"line": span.line}
    if column:
        place["column"] = span.column
    return place | ({"file": span.source.name} if several else {})


def _judgement(judgement: Judgement, several: bool, hints: bool) -> dict[str, Json]:
    place = _place(judgement.span, several) if judgement.span else {"line": None, "column": None}
    remarks = [(remark, remark.hint if hints else remark.text) for remark in judgement.remarks]
    return {
        **place,
        "about": judgement.name or judgement.label or None,
        "kind": judgement.kind,
        "said": judgement.said or None,
        "value": _number(judgement.value),
        "verdict": judgement.verdict,
        "truth": None if hints else _number(judgement.truth),
        "from_own": None if hints else _number(judgement.from_own),
        "links": [
            {
                **_place(link.piece.span, several, column=False),
                "text": link.piece.text,
                "verdict": link.verdict,
                "why": None if hints else link.why or None,
            }
            for link in judgement.links
        ],
        "causes": list(judgement.causes),
        "remarks": [
            {"key": remark.key, **_place(remark.span, several, column=False), "text": text}
            for remark, text in remarks
            if text
        ],
    }


def _number(value: Number | None) -> Json:
    return None if value is None else plain(value)


def _diagnosis(diagnosis: Diagnosis) -> dict[str, Json]:
    return {
        "keys": list(diagnosis.keys),
        "ids": list(diagnosis.ids),
        "title": diagnosis.title,
        "about": [str(about) for about in diagnosis.about],
    }


def _notices(marking: Marking) -> Iterator[dict[str, Json]]:
    """How the page was read: decisions for the whole of it, and likely slips of a scanner."""
    for words in marking.work.decisions:
        yield {"line": None, "column": None, "words": words}
    for repair in marking.work.repairs:
        span = repair.span
        yield {"line": span.line, "column": span.column, "words": f"{repair.said} may mean {repair.meant}"}
