"""Every sentence Backhand says about somebody's page, in one place.

To the writer: what the line has, what is missing, the next thing to do. A remark that the marker has made is said as it
is; the sentences here are for what has none. Those that give an answer away have a twin that does not, for `--hints`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import lru_cache

from backhand.core.graph import Graph
from backhand.explaining.boxes import value_box
from backhand.explaining.document import Inline, Pen
from backhand.explaining.mathematics import Box, Row, Sign, Slope, Symbol
from backhand.explaining.mathematics import Number as MathNumber
from backhand.explaining.words import Words, listed, ways
from backhand.marking.about import About, Derivative, Local, Value
from backhand.numbers import Number, show

LEGEND: dict[Pen, str] = {
    "right": "right",
    "follows": "right from your own numbers above",
    "wrong": "not right yet",
    "unclear": "could not be told",
    "note": "something to see",
}
FIRST = "First wrong step"
WORKING = "The right working"


# -- small things ----------------------------------------------------------------------------------------------


def thing(about: About) -> Box:
    """`B1`, `dL/dB1`, `∂C1/∂B1` as mathematics."""
    match about:
        case Value(name):
            return Symbol(name)
        case Derivative(of, by):
            return Slope(of, by)
        case Local(child, parent):
            return Slope(child, parent, True)


def named(about: str, graph: Graph) -> Words:
    """`loss`, `dL/dB1` of the table of points, where nothing is an English word."""
    if about in graph:
        return (Symbol(about),)
    return with_names(about, graph)


def points(number: Fraction) -> str:
    """`12`, `12.5`, `37/3`."""
    return show(number).text


def joined(parts: Sequence[Words], last: str = " and ") -> Words:
    """`a, b and c`."""
    words: list[Inline] = []
    for place, part in enumerate(parts):
        if place:
            words.append(last if place == len(parts) - 1 else ", ")
        words += part
    return tuple(words)


def lines(numbers: Sequence[int]) -> str:
    """`line 69`, `lines 69, 73 and 77`."""
    if len(numbers) == 1:
        return f"line {numbers[0]}"
    return f"lines {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


def with_names(text: str, graph: Graph) -> Words:
    """A sentence with the names of the network and their derivatives as mathematics."""
    pattern = _names(tuple(q.name for q in graph.quantities[:1000]))
    words: list[Inline] = []
    at = 0
    for found in pattern.finditer(text):
        if found.start() > at:
            words.append(text[at : found.start()])
        if found["number"]:
            words.append(MathNumber(found["number"].replace("−", "-")))
        elif found["of"]:
            words.append(Slope(found["of"], found["by"], found["d"] == "∂"))
        else:
            words.append(Symbol(found["name"]))
        at = found.end()
    if at < len(text):
        words.append(text[at:])
    return tuple(words)


@lru_cache(maxsize=8)
def _names(names: tuple[str, ...]) -> re.Pattern[str]:
    """Names and derivatives in a sentence, names with an index that the writer made, and numbers with a minus. A name
    that is an English word is left alone."""
    ordered = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    clear = [name for name in names if not (name.isalpha() and name.islower() and len(name) > 1) and name not in "aAI"]
    apart = "|".join(re.escape(name) for name in sorted(clear, key=len, reverse=True)) or "(?!)"
    return re.compile(
        rf"(?<![\w.])(?:(?P<d>[d∂])(?P<of>{ordered})/(?P=d)(?P<by>{ordered})|(?P<name>{apart}|[^\W\d_]+_\w+))(?![\w'\[])"
        r"|(?<![\w.)\]])(?P<number>[-−]\d+(?:\.\d+)?)(?!\w|\.\d|[/^])"
    )


def equals(about: About, number: Number) -> Box:
    """`dL/dB1 = 4`."""
    seen = value_box(number)
    return Row((thing(about), Sign("=" if seen.exact else "≈"), seen.box))


def _value(number: Number) -> Box:
    seen = value_box(number)
    return seen.box if seen.exact else Row((Sign("≈"), seen.box))


# -- the summary -----------------------------------------------------------------------------------------------


def counted(right: int, follows: int, wrong: int, noted: int, unclear: int) -> str:
    """How many statements of the page are what."""
    total = right + follows + wrong + noted + unclear
    if not total:
        return "No statement on this page could be matched to the network."
    if right == total:
        return (
            f"All {total} statements on the page are right." if total > 1 else "The one statement on the page is right."
        )
    parts: list[str] = []
    if right:
        parts.append(f"{right} {'is' if right == 1 else 'are'} right")
    if follows:
        parts.append(f"{follows} {'is' if follows == 1 else 'are'} right from what stands above")
    if wrong:
        parts.append(f"{wrong} {'is' if wrong == 1 else 'are'} not right yet")
    if noted:
        parts.append(f"{noted} {'has' if noted == 1 else 'have'} only a remark")
    if unclear:
        parts.append(f"{unclear} could not be told")
    text = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
    return f"Of {total} statement{'' if total == 1 else 's'} on the page, {text}."


def nothing_wrong(unclear: int) -> str:
    return "Nothing on this page is wrong." if not unclear else "Nothing that could be judged is wrong."


def first_wrong(line: int, file: str) -> str:
    return f"The first wrong step is on line {line}{f' of {file}' if file else ''}: "


def absent(abouts: Sequence[About], *, counts: bool) -> Words:
    """What was asked and is not on the page: said once, and no mistake."""
    values = [about.name for about in abouts if isinstance(about, Value)]
    by_output: dict[str, list[str]] = {}
    for about in abouts:
        if isinstance(about, Derivative):
            by_output.setdefault(about.of, []).append(about.by)
    parts: list[Words] = []
    if values:
        parts.append((f"the value{'' if len(values) == 1 else 's'} of ", *_some(values)))
    for of, names in by_output.items():
        parts.append((f"the derivative{'' if len(names) == 1 else 's'} of ", Symbol(of), " by ", *_some(names)))
    for about in abouts:
        if isinstance(about, Local):
            parts.append((thing(about),))
    if counts:
        return ("Not on the page yet: ", *joined(parts, ", and "), ".")
    return ("Asked for and not on the page: ", *joined(parts, ", and "), ". That is no mistake, and it costs nothing.")


def _some(names: Sequence[str], most: int = 24) -> Words:
    if len(names) <= most:
        return listed(names)
    return (*listed(names[:most])[:-2], ", ", Symbol(names[most - 1]), f" and {len(names) - most} more")


def habit(evidence: str, numbers: Sequence[int]) -> str:
    """What explains several lines at once."""
    where = f" ({lines(numbers)})" if numbers else ""
    return f"{evidence[:1].upper()}{evidence[1:]}{where}."


def scanned(numbers: Sequence[int]) -> str:
    """Likely slips of a scanner, in the summary."""
    text = lines(numbers)
    verb = "has" if len(numbers) == 1 else "have"
    return f"{text[:1].upper()}{text[1:]} {verb} signs that a scanner may have mistaken; see the remarks there."


def repaired(said: str, meant: str) -> str:
    return f"This is read as it stands: {said}. If {meant} was meant, write it so."


# -- remarks ---------------------------------------------------------------------------------------------------


def again(line: int, through: Words) -> Words:
    """A line with the habit of an earlier one."""
    if through:
        return ("As on line ", str(line), ": what comes back ", *through, " is left out.")
    return (f"The same as on line {line}.",)


def left_out(by: str, of: str, count: int, through: Words) -> Words:
    """A whole derivative with some of its ways."""
    if count < 2:
        return ("What comes back ", *through, " is left out here. Add it.")
    return (
        Symbol(by), " reaches ", Symbol(of), f" by {ways(count)}. What comes back ", *through,
        " is left out here. Add it.",
    )  # fmt: skip


def along(dropped: Iterable[tuple[str, str]], by: str) -> Words:
    """`through C2`; from further on `from B1 through C2`."""
    parts: list[Words] = []
    for parent, child in dropped:
        if parent == by:
            parts.append(("through ", Symbol(child)))
        else:
            parts.append(("from ", Symbol(parent), " through ", Symbol(child)))
    return joined(parts)


def differs(about: About) -> Words:
    """Where nothing is known but that a number is not right."""
    return (thing(about), " comes out differently.")


def advice(about: About, *, direct: bool = False) -> Words:
    """The next thing to do where a number is not right. `direct`: there is one way only, through the formula itself."""
    match about:
        case Derivative(of, by) if direct:
            return advice(Local(of, by))
        case Value():
            return ("Put the numbers into its formula once more.",)
        case Local(child, parent):
            return (
                "Take the formula of ", Symbol(child), ", let only ", Symbol(parent),
                " move, and see what multiplies it.",
            )  # fmt: skip
        case Derivative(_, by):
            return ("Follow every arrow out of ", Symbol(by), ", multiply along it, and add.")


def wrong_step() -> Words:
    return ("The two sides of this step are not the same.",)


def own_number(about: About, number: Number) -> Words:
    """What follows from the writer's own earlier numbers."""
    return ("From your own numbers above, ", thing(about), " would be ", _value(number), ".")


def follows(about: About | None, truth: Number | None, *, again: bool) -> Words:
    """A line that is right from what stands above; short where it was said before, and empty where nothing is new."""
    start = "" if again else "This follows from your own numbers above."
    if about is None or truth is None:
        return (start,) if start else ()
    return (f"{start} With the right ones, ".lstrip(), equals(about, truth), ".")


def unclear(why: str) -> str:
    return f"This could not be told{': ' + why if why else ''}".rstrip(".") + "."


def unread(reason: str) -> str:
    return f"This could not be read. {reason}".strip()


def perhaps(title: str) -> str:
    return f"It is the number that comes out when {title}; see whether that is what happened."
