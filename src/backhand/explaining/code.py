"""Both passes as code, beside the working: a program whose lines know which quantity they are about."""

from __future__ import annotations

from collections.abc import Iterator

from backhand.coding.code import coded
from backhand.coding.lines import CodeLine
from backhand.explaining import words as say
from backhand.explaining.document import About, Block, Code, CodeRow, Heading
from backhand.solving.solution import Language, Solution


def blocks(solution: Solution, language: Language) -> Iterator[Block]:
    """A heading, and the program that `backhand code` writes."""
    made = coded(solution.graph, language, solution.of)
    yield Heading(1, (say.both_passes(language),), "code")
    rows = tuple(CodeRow(each.code, each.comment, _about(each.line)) for each in made.laid())
    yield Code("c" if language == "c" else "python", rows)


def _about(line: CodeLine) -> About | None:
    """A given number is a value; what holds the program together is about nothing."""
    if not line.about:
        return None
    back = line.pass_ == "derivative"  # noqa: S105 - no password
    return About(line.about, "derivative" if back else "value")
