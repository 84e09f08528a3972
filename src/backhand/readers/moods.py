"""What the words around a statement make of it: said, supposed, or denied.

    one might think that dL/dB1 = 2, but it is 4        supposed: it may be wrong, and nobody is to blame
    dL/dB1 is 4, instead of dL/dB1 = 2                  denied: it is no claim, right or wrong
    for x = 3 we get z = 12                             a condition, and what would be if it held

A mood lasts as long as its sentence, that of a condition to the end of the line; "but" ends both. The body of a loop or
of a function is supposed, too: with which numbers it runs is not on the page. Whether a condition holds, the judge
says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from backhand.marking.work import Chain, Mood

AROUND = re.compile(
    r"\b(?:not?|never|cannot|cant|instead|rather|unlike|anstatt|statt|nicht|kein\w*|pas|wrong\w*|false\w*|incorrect\w*|"
    r"mistaken?|mistakes|error|falsch\w*|faux|falso|if|unless|otherwise|else|suppos\w+|assum\w+|imagine|were|would|could|"
    r"might|may|think|thought|believ\w+|tempt\w+|naive\w*|first|for|when|with|at|let|say|take|falls|wenn|si|sinon|sonst|für|"
    r"pour|para|soit|sea|sei|is|does|why|gives|makes|yields|leads|nudg\w+|bump\w*|wiggl\w+|perturb\w*|könnte|wäre|check\w*|forgot"
    r")\b|n['’]t\b|[✗✘❌]",
    re.IGNORECASE,
)
"""A line without any of these needs no closer look."""

SENTENCE = re.compile(r"[.!?;](?=\s|$)|\n")
BUT = re.compile(
    r"\b(?:but|however|actually|in fact|in reality|really|yet|aber|sondern|mais|pero|so the (?:right|correct))\b",
    re.IGNORECASE,
)
_GAP = r"[\s$(:,*_“\"'>]*+"
_HELD = r"(?:thought|believed|assumed|guessed|wrote|had|got|said|put|took)"
DENIED = re.compile(
    r"(?:(?:\b(?:not|never|nicht|pas|kein\w*)|n['’]t\b)(?:\s+(?:just|only|simply|be|true|right|correct|the case"
    r"|equal to|say|write|claim))*(?:\s+that)?"
    r"|\b(?:instead of|rather than|unlike|as opposed to|anstatt|statt|au lieu de|en vez de)(?:\s+\w+){0,2}"
    r"|^\W*(?:wrong|false|incorrect|falsch|faux|falso)\s*:?"
    r"|\b(?:common|typical|easy|frequent|usual|possible|classic|tempting)\s+(?:mistake|error|slip)s?(?:\s+\w+){0,3}):?"
    + _GAP
    + "$",
    re.IGNORECASE,
)
RETRACTED = re.compile(
    r"[\s,;:$)–—-]*\(?\s*(?:(?:but\s+)?(?:which|that|this|it|das|ce qui|lo que)\s+)?"
    r"(?:(?:is|was|would be|wäre|ist|est|es|cannot be|can['’]t be)\s+(?:of course\s+|clearly\s+|simply\s+|just\s+)?)"
    r"(?:wrong|false|incorrect|nonsense|not (?:true|right|correct|the case)|falsch|faux|falso)\b"
    r"|[\s$]*\(\s*(?:wrong|false|incorrect|falsch|faux)\s*[!)]|[\s$]*[✗✘❌]",
    re.IGNORECASE,
)
SUPPOSED = re.compile(
    r"\b(?:if|unless|otherwise|suppos\w+|assum(?:e|ing)|imagine|falls|wenn|sinon|sonst|had (?:we|I|one))\b"
    r"|\b(?:one|you|someone|somebody|people|we|many|students?|they|man|on)\s+(?:\w+\s+)?(?:might|could|may|would|könnte\w*)"
    r"(?:\s+\w+)?\s+(?:think|believe|expect|assume|guess|say|conclude|meinen|denken|glauben)\b"
    r"|\b(?:könnte)\s+(?:man\s+)?(?:meinen|denken|glauben)"
    r"|\b(?:tempt\w+|naive(?:ly)?)\b"
    r"|\bI\s+(?:had\s+)?(?:first|at first|initially|originally|wrongly)\s+"
    + _HELD
    + r"|\b(?:at first|first|initially|originally),?\s+I\s+(?:had\s+)?"
    + _HELD
    + r"|\b(?:nudg\w+|bump\w*|wiggl\w+|perturb\w*)\b|[-+−]\s*0?\.0*1\b[^.=]{0,20}\b(?:gives|makes|yields|leads)\b"
    r"|\b(?:cannot|can['’]t|could\s?n['’]t|could not)\s+be\b",
    re.IGNORECASE,
)
AFTERWARDS = re.compile(
    r"[\s,;$]*\(?(?:(?:only|that is|this is)\s+)?(?:if|unless|had)\s+(?:you|one|we|I|there|it|the|only|C|w|a)\b",
    re.IGNORECASE,
)
ASKED = re.compile(r"^\W*(?:is|does|isn['’]t|would|could|why|should|how)\b", re.IGNORECASE)
CONDITION = re.compile(
    r"\b(?:(?P<strong>if|let['’]?s say|suppos(?:e|ing)|assum(?:e|ing)|imagine|falls|wenn|si|cuando"
    r"|(?:check|test|try)\w*\s+(?:\w+\s+)?(?:with|at|for))"
    r"|(?P<weak>for|when|with|at|let|say|take|für|mit|bei|pour|avec|con|para|sei|soit|sea))"
    r"(?:\s+(?:that|we|now|had|have|it|the|input|weight|value|number|instead|example|was|were))*" + _GAP + "$",
    re.IGNORECASE,
)
FOLLOWS = re.compile(
    r"\s*instead\b|[\s,:$]*(?:then\s+)?(?:we|you|one|it|this|I)\s+(?:would\s+)?(?:get|gets|have|obtain|find|gives?)\b",
    re.IGNORECASE,
)


def with_moods(text: str, start: int, end: int, chains: Sequence[Chain]) -> Sequence[Chain]:
    """The chains of a line, each with its mood."""
    if not chains or AROUND.search(text, start, end) is None:
        return chains
    return list(_moods(text, start, end, chains))


def _moods(text: str, start: int, end: int, chains: Sequence[Chain]) -> Iterator[Chain]:
    sentence = at = start
    mood: Mood = ""
    conditional = False
    for number, chain in enumerate(chains):
        first, last = chain.span.start, chain.span.end
        if first < at:  # within the one before, as its note is
            yield replace(chain, mood=mood) if mood else chain
            continue
        between = text[at:first]
        new = [found.end() for found in SENTENCE.finditer(between)]
        if new or BUT.search(between):
            sentence = at + new[-1] if new else at
            mood = mood if conditional and not BUT.search(between) else ""
            conditional = bool(mood)
        before = text[max(sentence, at) : first]
        following = chains[number + 1].span.start if number + 1 < len(chains) else end
        after = text[last : max(last, following)]
        own: Mood = ""
        if DENIED.search(before) or RETRACTED.match(after):
            own = "denied"
        elif (found := CONDITION.search(before)) and not conditional:
            strong = found["strong"] or FOLLOWS.match(after)
            own, mood, conditional = "strong condition" if strong else "weak condition", "conditional", True
        elif SUPPOSED.search(before):
            own = mood = "supposed"
        elif AFTERWARDS.match(after) or (ASKED.match(before) and after.lstrip(" $").startswith("?")):
            own = "supposed"
        yield replace(chain, mood=own or mood) if own or mood else chain
        at = last
