"""The worked solution as a Document: given, forward, backward, weights, answer, check.

`brief` is the answer alone, `steps` the working, `full` works out each local derivative with the
name of its rule. Every line is made from a Step; what it shows is what the Step holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from backhand.core.algebra import constant
from backhand.core.evaluate import Value
from backhand.core.formula import Apply, Formula, Num, Ref, longer, postorder
from backhand.core.graph import Quantity
from backhand.core.operations import INFIX
from backhand.core.paths import Paths
from backhand.explaining import mathematics as m
from backhand.explaining import words as say
from backhand.explaining.boxes import Seen, add_box, box, multiply_box, number, put_in, value_box, written
from backhand.explaining.document import (
    About,
    Block,
    Document,
    Equation,
    Figure,
    Heading,
    Inline,
    Link,
    Paragraph,
    Remark,
    Table,
)
from backhand.explaining.stages import chain, links
from backhand.numbers import known
from backhand.solving.solution import WRITTEN, Detail, ForwardStep, GatherStep, LocalStep, Solution

FIGURE = 400
"""Quantities up to which the figure is drawn into a worked solution."""


def document(solution: Solution, *, detail: Detail = "steps", figure: bool = False) -> Document:
    """The solution as a document. `figure` puts the drawn network on top."""
    solution = solution.to_show()

    def blocks() -> Iterator[Block]:
        if figure and len(solution.graph) <= FIGURE:
            yield _figure(solution)
        yield from (_of_arrays if solution.graph.arrays else _of_numbers)(solution, detail)
        yield from _after(solution)
        if solution.code is not None:
            from backhand.explaining.code import blocks as of_code

            yield from of_code(solution, solution.code)
        yield from _remarks(solution)

    title = solution.title or f"Derivatives of {solution.of}"
    return Document(title, blocks, linked=len(solution.graph) <= FIGURE)


def _of_numbers(solution: Solution, detail: Detail) -> Iterator[Block]:
    if detail != "brief":
        yield from _given(solution)
        yield from _forward(solution, detail)
        yield from _backward(solution, detail)
    if solution.paths is not None:
        yield from _paths(solution, solution.paths)
    if solution.pairs is not None:
        yield from _pairs(solution)
    yield from _answer(solution)


def _of_arrays(solution: Solution, detail: Detail) -> Iterator[Block]:
    from backhand.explaining import arrays  # late: numpy

    if detail != "brief":
        yield from arrays.given(solution)
        yield from arrays.forward(solution, detail)
        yield from arrays.backward(solution, detail)
    if solution.pairs is not None:
        yield from arrays.pairs(solution)
    yield from arrays.answer(solution)


def _after(solution: Solution) -> Iterator[Block]:
    """What was asked for besides."""
    if solution.per_example is not None:
        from backhand.explaining.batch import blocks as of_batch

        yield from of_batch(solution, solution.per_example)
    if solution.second is not None:
        from backhand.explaining.second import blocks as of_second

        yield from of_second(solution.second)
    if solution.after_step is not None:
        from backhand.explaining.stepping import blocks

        yield from blocks(solution, solution.after_step)


def _figure(solution: Solution) -> Figure:
    from backhand.explaining.figure import draw

    return draw(solution)


# -- parts of it, for who wants one thing explained ------------------------------------------------------------


def value_working(solution: Solution, name: str) -> Iterator[Block]:
    """How one value comes about: `B1 = -2 A1 + 1 A2 = (-2)(-1) + (1)(1) = 2 + 1 = 3`."""
    if solution.graph.arrays:
        from backhand.explaining.arrays import value_line

        yield value_line(solution, solution.forward_step(solution.graph[name]))
    elif solution.graph[name].computed:
        step = solution.forward_step(solution.graph[name])
        yield _value(solution, step, every=False)
    else:
        yield Equation((Link("", equality(solution, solution.graph[name])),), about=About(name, "value"))


def derivative_working(solution: Solution, name: str, detail: Detail = "steps") -> Iterator[Block]:
    """How the derivative of the output by one quantity comes about."""
    if name == solution.of:
        yield seed(solution)
    elif solution.graph.arrays:
        from backhand.explaining.arrays import by_array, by_element

        yield from (by_array if name in solution.graph else by_element)(solution, name, detail)
    else:
        yield from _by(solution, name, detail)


def local_working(solution: Solution, child: str, parent: str) -> Iterator[Block]:
    """One local derivative, with its rules."""
    yield from _local(solution, solution.local_step(child, parent), "full", result=True)


# -- given ---------------------------------------------------------------------------------------------------


def _given(solution: Solution) -> Iterator[Block]:
    yield Heading(1, ("Given",), "given")
    groups = {"input": "Inputs", "weight": "Weights", "bias": "Biases", "target": "Targets", "constant": "Constants"}
    for kind, title in groups.items():
        quantities = [q for q in solution.graph.quantities if q.kind == kind]
        for part in _portions(quantities, 200):
            yield Paragraph((f"{title}: ", *_with_values(solution, part), "."))


def _portions(quantities: Sequence[Quantity], most: int) -> Iterator[Sequence[Quantity]]:
    for start in range(0, len(quantities), most):
        yield quantities[start : start + most]


def _with_values(solution: Solution, quantities: Sequence[Quantity]) -> tuple[Inline, ...]:
    """`A1 = -1, A2 = 1`."""
    words: list[Inline] = []
    for quantity in quantities:
        if words:
            words.append(", ")
        words.append(equality(solution, quantity))
    return tuple(words)


def equality(solution: Solution, quantity: Quantity) -> m.Box:
    """`A1 = -1`; of a formula without names its value as well."""
    if quantity.given is None:
        return m.Row((m.Symbol(quantity.name), m.Words(" (no value)")))
    seen = [Seen([m.Symbol(quantity.name)], 4)]
    if isinstance(quantity.definition, Num):
        seen.append(written(quantity.definition))
    else:
        if quantity.definition is not None and constant(quantity.definition) is None:
            seen.append(box(quantity.definition))
        seen.append(value_box(quantity.given))
    items: list[m.Box] = []
    for link in links(seen):
        if link.relation:
            items.append(m.Sign(link.relation))
        items.append(link.box)
    return m.Row(tuple(items))


# -- forward -------------------------------------------------------------------------------------------------


def _forward(solution: Solution, detail: Detail) -> Iterator[Block]:
    yield Heading(1, ("Forward: the values",), "forward")
    for step in solution.forward_steps():
        yield _value(solution, step, every=detail == "full")


def _value(solution: Solution, step: ForwardStep, *, every: bool) -> Equation:
    return Equation(
        chain(
            [m.Symbol(step.name)], step.formula, step.inputs, solution.value(step.name),
            graph=solution.graph, every=every,
        ),
        result=step.name == solution.of,
        about=About(step.name, "value"),
    )  # fmt: skip


def seed(solution: Solution) -> Equation:
    """dL/dL = 1."""
    of = solution.of
    return Equation((Link("", m.Slope(of, of)), Link("=", m.Number("1"))), about=About(of, "derivative"))


# -- backward ------------------------------------------------------------------------------------------------


def _backward(solution: Solution, detail: Detail) -> Iterator[Block]:
    of = solution.of
    yield Heading(1, ("Backward: the derivatives of ", m.Symbol(of)), "backward")
    yield Paragraph(say.seed(of))
    yield seed(solution)
    for name in solution.wrt:
        if name == of:
            continue
        yield Heading(2, (m.Slope(of, name),), f"d{of}-d{name}")
        yield from _by(solution, name, detail)


def _by(solution: Solution, name: str, detail: Detail) -> Iterator[Block]:
    """One derivative: a sentence where there are several ways, the local derivatives, the chain rule."""
    of = solution.of
    children = solution.children(name)
    if not children:
        yield Paragraph((m.Symbol(of), " does not depend on ", m.Symbol(name), "."))
        zero = (Link("", m.Slope(of, name)), Link("=", m.Number("0")))
        yield Equation(zero, result=True, about=About(name, "derivative"))
        return
    if len(children) > 1:
        yield Paragraph(say.several_ways(name, of, children))
    only = children == [of] and not solution.other_ways(name, of)
    for step in solution.local_steps(name):
        if step.total_differs:
            yield Paragraph(say.local_not_total(step.child, name))
        yield from _local(solution, step, detail, result=only)
    if not only:
        rule = _chain_rule(solution, solution.gather_step(name))
        yield Equation(rule, result=True, about=About(name, "derivative"))


def _local(solution: Solution, step: LocalStep, detail: Detail, *, result: bool) -> Iterator[Block]:
    """dC1/dB1 = w = -2, in full with the rule and the product of partials before it is tidied."""
    definition = solution.graph[step.child].definition
    assert definition is not None
    occurrences = len(step.worked.factors)
    if occurrences > 1:
        yield Paragraph(say.one_occurrence_each(step.parent, step.child, occurrences))
    slope = m.Slope(step.child, step.parent, step.total_differs)
    first: list[m.Box] = [slope]
    about = About(step.parent, "derivative") if result and step.child == solution.of else None
    if not step.written:
        yield Equation(links([Seen([slope], 4), value_box(step.result)]), say.TOO_LONG, result, about)
        return
    note = say.piecewise(
        (node.operation.name, node.style if node.operation.name not in INFIX else "")
        for node in postorder(step.worked.formula)
        if isinstance(node, Apply)
    )
    if detail == "full":
        shown = None if step.parent.startswith("w[") else solution.graph
        if not longer(definition, WRITTEN):
            first.append(m.Differentiate(step.parent, box(definition, graph=shown).box))
        first += _factors(step)
        note = (*say.by_which_rules(step.worked.rules), *(("; ", *note) if note else ()))
    yield Equation(
        chain(first, step.worked.formula, step.inputs, step.result, graph=solution.graph, every=detail == "full"),
        note,
        result,
        about,
    )


def _factors(step: LocalStep) -> list[m.Box]:
    """The partials of the operations along the way, not yet multiplied, where there is more than one."""
    factors = step.worked.factors
    if not all(factors) or (len(factors) == 1 and len(factors[0]) == 1):
        return []
    total: Seen | None = None
    for chain_of in factors:
        product: Seen | None = None
        for factor in chain_of:
            seen = box(factor)
            product = seen if product is None else multiply_box("·", product, seen, [False, False])
        assert product is not None
        total = product if total is None else add_box("+", total, product)
    return [] if total is None else [total.box]


def _chain_rule(solution: Solution, step: GatherStep) -> tuple[Link, ...]:
    """dL/dB1 = dL/dC1 dC1/dB1 + dL/dC2 dC2/dB1 = (2)(1) + (-2)(-1) = 2 + 2 = 4."""
    of, by = step.of, step.by
    rule, numbers, products = _Sum(), _Sum(), _Sum()
    symbolic = False
    for way in step.ways:
        slope = m.Slope(way.child, by, way.total_differs)
        symbolic |= not all(isinstance(v, (Fraction, float)) for v in (way.upstream, way.local))
        if way.child == of:
            rule.add(Seen([slope], 4))
            numbers.add(value_box(way.local))
        else:
            upstream = Seen([m.Slope(of, way.child)], 4)
            rule.add(multiply_box("juxtaposed", upstream, Seen([slope], 4), [False, False]))
            numbers.add(
                multiply_box(
                    "juxtaposed",
                    value_box(way.upstream),
                    value_box(way.local),
                    [put_in(way.upstream), put_in(way.local)],
                )
            )
        products.add_value(way.product)
    result = solution.derivative(by)
    seen = [Seen([m.Slope(of, by)], 4), rule.seen]
    if not all(isinstance(v, Formula) or known(v) for w in step.ways for v in (w.upstream, w.local)):
        return links(seen)
    seen.append(numbers.seen)
    if len(step.ways) > 1 and not symbolic:
        seen.append(products.seen)
    seen.append(value_box(result))
    return links(seen)


class _Sum:
    """A sum that grows by boxes or numbers."""

    def __init__(self) -> None:
        self.total: Seen | None = None

    @property
    def seen(self) -> Seen:
        assert self.total is not None
        return self.total

    def add(self, seen: Seen) -> None:
        self.total = seen if self.total is None else add_box("+", self.total, seen)

    def add_value(self, value: Value) -> None:
        if self.total is not None and isinstance(value, (Fraction, float)) and value < 0:
            self.total = add_box("-", self.total, number(-value))
        else:
            self.add(value_box(value))


# -- paths and pairs -----------------------------------------------------------------------------------------


def _paths(solution: Solution, found: Sequence[Paths]) -> Iterator[Block]:
    yield Heading(1, ("All ways to ", m.Symbol(solution.of)), "paths")
    for ways in found:
        yield Heading(2, ("From ", m.Symbol(ways.frm)), f"paths-{ways.frm}")
        yield Paragraph(say.paths_listed(ways.frm, ways.of, ways.count, len(ways.listed)))
        total = _Sum()
        for path in ways.listed:
            yield Equation(_path(path.names, path.locals, path.product), note=_along(path.names))
            total.add_value(path.product)
        if ways.complete and ways.listed:
            yield Equation(
                links([Seen([m.Slope(ways.of, ways.frm)], 4), total.seen, value_box(ways.total)]), result=True
            )


def _along(names: Sequence[str]) -> tuple[Inline, ...]:
    """A1 → B1 → C1."""
    words: list[Inline] = []
    for name in names:
        if words:
            words.append(" → ")
        words.append(m.Symbol(name))
    return tuple(words)


def _path(names: Sequence[str], locals_: Sequence[Value], product: Value) -> tuple[Link, ...]:
    """dL/dD dD/dC1 dC1/dB1 = (2)(1)(-2) = -4, from the output back; local derivatives throughout."""
    rule: Seen | None = None
    numbers: Seen | None = None
    steps = list(zip(names, names[1:], locals_, strict=False))
    for parent, child, value in reversed(steps):
        factor, seen = Seen([m.Slope(child, parent, True)], 4), value_box(value)
        rule = factor if rule is None else multiply_box("juxtaposed", rule, factor, [False, False])
        numbers = seen if numbers is None else multiply_box("juxtaposed", numbers, seen, [True, True])
    assert rule is not None and numbers is not None
    return links([rule, numbers, value_box(product)])


def _pairs(solution: Solution) -> Iterator[Block]:
    """Rows: each computed quantity; columns: what it is differentiated by."""
    assert solution.pairs is not None
    yield Heading(1, ("Every quantity by every other",), "pairs")
    yield Paragraph(("Each row holds the derivatives of one quantity by the quantities above, all ways added.",))
    graph = solution.graph
    names = [q.name for q in graph.quantities if any(row[q.name] != 0 for row in solution.pairs.values() if row)]
    for start in range(0, len(names), 8):
        part = names[start : start + 8]
        rows: list[tuple[tuple[Inline, ...], ...]] = []
        for of, row in solution.pairs.items():
            if any(row[name] != 0 for name in part):
                cells = tuple((_cell(row[name]),) for name in part)
                rows.append(((m.Symbol(of),), *cells))
        header: tuple[tuple[Inline, ...], ...] = (("of \\ by",), *((m.Symbol(name),) for name in part))
        yield Table(header, tuple(rows), "l" + "r" * len(part))


# -- answer and remarks ---------------------------------------------------------------------------------------


def _answer(solution: Solution) -> Iterator[Block]:
    """A table of all values and derivatives, values in the order of computing them."""
    yield Heading(1, ("Answer",), "answer")
    graph, of = solution.graph, solution.of
    asked = set(solution.wrt)
    shown = [q for q in graph.quantities if q.place is not None] + [q for q in graph.quantities if q.place is None]
    header: tuple[tuple[Inline, ...], ...] = (("quantity",), ("value",), ("derivative of ", m.Symbol(of)))
    for part in _portions(shown, 200):
        rows: list[tuple[tuple[Inline, ...], ...]] = []
        for quantity in part:
            derivative: tuple[Inline, ...] = ("",)
            if quantity.name in asked:
                derivative = (_cell(solution.derivative(quantity.name)),)
            rows.append(((m.Symbol(quantity.name),), (_shown(solution, quantity),), derivative))
        yield Table(header, tuple(rows), "lrr", tuple(quantity.name for quantity in part))


def _shown(solution: Solution, quantity: Quantity) -> m.Box:
    value = solution.value(quantity.name)
    if isinstance(value, Ref) and value.name == quantity.name:
        return m.Words("no value")
    return _cell(value)


def _cell(value: Value) -> m.Box:
    """A value in a table, where nothing stands before it to say that it is rounded."""
    seen = value_box(value)
    return seen.box if seen.exact or not seen.number else m.Row((m.Sign("≈"), seen.box))


def _remarks(solution: Solution) -> Iterator[Block]:
    for notice in solution.notices:
        yield Remark("notice", (notice.words,))
    if _numbers_inside(solution):
        yield Remark("hint", (say.NAME_NUMBERS,))
    for check in solution.checks:
        yield Remark("check", say.checked(check.method, check.compared, check.exact))


def _numbers_inside(solution: Solution) -> bool:
    """Whether a number stands as a factor in a formula and nothing is called a weight."""
    graph = solution.graph
    if len(graph) > FIGURE or any(q.kind == "weight" for q in graph.quantities):
        return False
    return any(
        isinstance(node, Apply) and node.operation.name == "*" and any(isinstance(arg, Num) for arg in node.args)
        for q in graph.quantities
        if q.computed and q.definition is not None
        for node in postorder(q.definition)
    )
