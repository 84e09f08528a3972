"""The verb `mark`: an answer and a network to a Marking.

    Work --claims--> what each statement is about --judge--> verdicts --diagnose--> habits --credit--> Marking

Each line is held against the truth and against the writer's own earlier numbers; the first wrong step is the first
wrong link on the page; a habit is named only where it beats chance. The same answer gives the same marking, always.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import cast

from backhand.core.answers import LOOKALIKES
from backhand.core.graph import Graph, a_network
from backhand.errors import UsageError
from backhand.marking.about import About, Derivative, Local, Value
from backhand.marking.claims import Claims
from backhand.marking.credit import Policy, asked, credit
from backhand.marking.diagnose import Claimed, Diagnosis, Scheme, Search
from backhand.marking.judge import Judge, Outcome
from backhand.marking.marking import FirstWrong, Judgement, Marking
from backhand.marking.tables import Tables
from backhand.marking.work import Work
from backhand.marking.worlds import here
from backhand.numbers import Number
from backhand.solving.solution import Solution
from backhand.solving.solve import solve


def mark(
    work: Work,
    graph: Graph,
    *,
    of: str | None = None,
    policy: Policy | None = None,
    tables: Tables | None = None,
    title: str = "",
) -> Marking:
    r"""Judge an answer to the question a network asks: all values, and the derivatives of its output (or of `of`).

    `tables` (`marking.tables.prepared`) save the search where a page has been foreseen; the marking is the same.

    Never raises for what stands in the answer; raises UndefinedError where the network itself has no value.

    >>> from backhand.readers import read
    >>> from backhand.readers.page import read_work
    >>> from backhand.text import Source
    >>> net = read("a = 3\nb = 2 a\nL = a b")
    >>> marking = mark(read_work([Source("dL/db = 3\ndL/da = dL/db * db/da = 3 * 2 = 6")]), net)
    >>> [(judgement.name, judgement.verdict) for judgement in marking.judgements if judgement.line]
    [('dL/db', 'right'), ('dL/da', 'wrong')]
    """
    if not isinstance(cast("object", work), Work):
        raise UsageError(
            f"An answer is wanted first, and this is of the type {type(cast('object', work)).__name__}.",
            cure='Read it from its file: backhand.mark(backhand.read_answer("answer.md"), graph).',
        )
    if a_network(graph).arrays:
        from backhand.marking.array_marking import mark_arrays  # late: numpy

        return mark_arrays(work, graph, of=of, policy=policy, title=title)
    solution = solve(graph, of=of, title=title)
    if any(name != name.translate(LOOKALIKES) for name in graph.index):
        meant = tuple(repair for repair in work.repairs if repair.meant != repair.said.translate(LOOKALIKES))
        work = replace(work, repairs=meant)  # these letters are the network's own
    output = solution.of
    truth = here(graph, output)
    claims = Claims(graph, output, truth)
    order = {source.name: at for at, source in enumerate(work.sources)}
    outcomes = Judge(graph, output, claims, truth).judge(claims.of_work(work), order)
    diagnoses = tuple(_diagnosed(graph, output, outcomes, tables))
    judgements = [_with_causes(outcome, diagnoses) for outcome in outcomes]
    first = _first_wrong(outcomes, order)
    expected = asked(graph, output)
    marks = credit(judgements, expected, policy)
    judgements += [_missing(about, solution) for about in _absent(expected, judgements)]
    return Marking(work, solution, tuple(judgements), first, diagnoses, marks, title)


def _diagnosed(graph: Graph, of: str, outcomes: Sequence[Outcome], tables: Tables | None) -> list[Diagnosis]:
    """The habits behind what is wrong. Each thing speaks once, with its last number: what was corrected is no habit."""
    if all(outcome.judgement.verdict != "wrong" for outcome in outcomes):
        return []
    claims: dict[About, Claimed] = {}
    for outcome in outcomes:
        new = outcome.claimed
        if new is not None:
            known = claims.get(new.about)
            worked = new.formula is not None or new.terms is not None
            if known is None or worked or known.value != new.value:
                claims[new.about] = new
    return Search(graph, of, list(claims.values()), Scheme(), tables).diagnoses()


def _with_causes(outcome: Outcome, diagnoses: Sequence[Diagnosis]) -> Judgement:
    judgement = outcome.judgement
    if judgement.verdict not in ("wrong", "follows"):
        return judgement
    causes = tuple(key for d in diagnoses if judgement.about in d.about for key in d.keys)
    return replace(judgement, causes=causes) if causes else judgement


def _first_wrong(outcomes: Sequence[Outcome], order: dict[str, int]) -> FirstWrong | None:
    """The first wrong link of the page."""
    found = [(o.wrong_link.span, o.judgement) for o in outcomes if o.wrong_link is not None]
    if not found:
        return None
    span, judgement = min(found, key=lambda one: (order.get(one[0].source.name, 0), one[0].start))
    return FirstWrong(judgement.name or judgement.label, span)


def _absent(expected: Sequence[About], judgements: Sequence[Judgement]) -> list[About]:
    """What is asked, and not on the page at all, whether that costs anything or not."""
    there = {judgement.name for judgement in judgements}
    return [about for about in expected if str(about) not in there]


def _missing(about: About, solution: Solution) -> Judgement:
    match about:
        case Value():
            return Judgement(about, "value", "missing", truth=_number(solution.value(about.name)))
        case Derivative():
            truth = solution.derivative(about.by) if about.of == solution.of else None
            return Judgement(about, "total", "missing", truth=_number(truth))
        case Local():
            return Judgement(about, "local", "missing")


def _number(value: object) -> Number | None:
    return value if isinstance(value, (Fraction, float)) else None
