"""Formulas in sentences: what of a line of words is mathematics, and what the words around it mean.

    so the gradient at B1 is 4        dL/dB1 = 4
    Next we get D = 4 as above        D = 4
    the weight from A1 to B1 = -2     not read: "to" says that it is not B1 which is -2

A word is a name only where no other word or operand stands beside it: `loss = 0.5`. Words beside a
formula are left away, unless they change what it says; then the formula is not read. To have another
word understood, put it into one of the lists.
"""

from __future__ import annotations

from typing import TypeAlias

from backhand.core.answers import Token
from backhand.marking.work import Relation
from backhand.readers.tokens import ARRAY_LETTER

Run: TypeAlias = list[tuple[Relation, list[Token], str]]
"""The links of one chain: the relation before, the tokens, and why they may not be read, if so."""

STOP = frozenset(
    "the an is are was were be so and we get gets got since because by of for with then thus hence therefore where which "
    "that this these those from at to in on as it its has have had now also here there into when if our my let using use "
    "used gives give given gave but only both all each just per about via not no or yes first next finally same again "
    "means implies yields obtain obtained find found compute computed have becomes equals equal".split()
)
"""Words that are never names beside something else."""

TURNS = frozenset(
    "to from at by times minus plus per over than between without not half twice double respect gradient gradients "
    "derivative derivatives slope grad adjoint error weight weights bias change sum product ratio difference wrt through "
    "into square squared root negative minus change increases decreases or of under after before new updated update "
    "rate delta partial total local never wrong".split()
)
"""Words before a formula that make it say something else."""

OF_A_UNIT = frozenset("activation output value prediction".split())
"""`H1 activation = 0.03` says what H1 is."""

VALUES = frozenset("value values output outputs result activation node unit neuron quantity input".split())
"""`value of B1`: after these, `of` is harmless."""

MODALS = frozenset("should might must would may could will".split())
VERBS = MODALS | {"is", "equals", "becomes", "are"}
SAID_AT_LENGTH = (("comes", "to"), ("comes", "out", "as"), ("comes", "out", "to", "be"), ("turns", "out", "to", "be"))
"""Verbs of several words that say what something is."""
BEFORE_A_NAME = frozenset("weight bias at".split())
"""The weight w1 is 3: right before a name alone, and with no other such word around, these turn nothing."""

CONTINUES = frozenset(
    "sent slid convolved correlated times plus minus over divided multiplied squared cubed or to per percent if unless mod choose approximately about less more".split()
)
"""Words after a formula with which it goes on."""

GRADIENT = frozenset("gradient gradients derivative derivatives slope grad adjoint sensitivity".split())
BY = frozenset("at by for wrt in on".split())
THINGS = frozenset("the a node unit neuron weight input bias variable quantity value parameter".split())
OUTPUTS = frozenset("loss cost error output objective".split())
LABELS = frozenset(
    "answer step part question problem exercise line equation eq example case layer q solution row epoch iteration "
    "note page section task path way route figure table no number".split()
)
OPERATORS = frozenset("PLUS MINUS TIMES OVER TO".split())
NAMELIKE = frozenset(["NAME", "SLOPE"])
GOES_ON = OPERATORS | {"NAME", "SLOPE", "OPEN", "LEFT", "CALL", "EQUALS"}
VALUE_START = frozenset("NUMBER MINUS PLUS VULGAR FRACTION BOX SLOPE ROOT OPEN CALL CHANGE APPLY".split())
OPERAND_END = frozenset("NUMBER NAME WORD CLOSE RIGHT SLOPE SUPERSCRIPT PRIME VULGAR ENDBAR ENDBOX".split())
OPERAND_START = frozenset("NUMBER NAME WORD OPEN LEFT SLOPE VULGAR FRACTION ROOT CALL APPLY CHANGE BY BAR BOX".split())


# -- sentences that are equations ---------------------------------------------------------------------------


def rewrite(tokens: list[Token]) -> tuple[list[Token], bool]:
    """With "the gradient at B1" as one token, "is" as = where a value follows; and whether all that follows a
    label ("gradients:") is said to be derivatives."""
    graded = _graded(tokens)
    tokens = _without_value(_labels(_without_role(tokens)))
    if any(token[0] == "WORD" and token[3].lower() in GRADIENT for token in tokens):
        tokens = _gradients(tokens)
    if any(token[0] == "WORD" and token[3].lower() in ("comes", "turns") for token in tokens):
        tokens = _shortened(tokens)
    if any(token[0] == "WORD" and token[3].lower() in VERBS for token in tokens):
        tokens = _verbs(tokens)
    return [("SEMI", *token[1:]) if _joins(token) else token for token in tokens], graded


def _without_role(tokens: list[Token]) -> list[Token]:
    """`H1 activation = 0.03` without the word."""
    return [
        token
        for at, token in enumerate(tokens)
        if not (
            token[0] == "WORD"
            and token[3].lower() in OF_A_UNIT
            and 0 < at < len(tokens) - 1
            and tokens[at - 1][0] == "NAME"
            and tokens[at + 1][0] == "EQUALS"
            and (at == 1 or tokens[at - 2][0] not in ("WORD", "NAME", "PLUS", "MINUS", "TIMES", "OVER"))
        )
    ]


IF = frozenset("if when whenever wenn falls si cuando se".split())


def without_other_cases(tokens: list[Token]) -> list[Token]:
    """Without what is said of another case: `but if z < 0, relu'(z) = 0`. With an = in the condition it is this one."""
    made: list[Token] = []
    at = 0
    while at < len(tokens):
        end = _other_case(tokens, at)
        made.append(("PROSE", tokens[at][1], tokens[end - 1][2], "") if end > at else tokens[at])
        at = max(end, at + 1)
    return made


def _other_case(tokens: list[Token], at: int) -> int:
    """Where the sentence ends that begins here with a condition; `at` if none does, as in code (`if z > w: ...`)."""
    before = tokens[at - 1][0] if at else ""
    if tokens[at][0] != "WORD" or tokens[at][3].lower() not in IF or (before in OPERAND_END and before != "WORD"):
        return at
    end, condition = at, ""
    while end < len(tokens) and tokens[end][0] not in ("DOT", "SEMI", "ROW"):
        condition = condition or (tokens[end][0] if tokens[end][0] in ("COMPARE", "EQUALS") else "")
        end += 1
    code = any(token[0] == "COLON" for token in tokens[at:end])
    return end if condition == "COMPARE" and not code else at


def _joins(token: Token) -> bool:
    return token[0] == "WORD" and token[3].lower() in (
        "and",
        "because",
        "since",
        "so",
        "then",
        "therefore",
        "hence",
        "thus",
        "where",
        "with",
        "but",
        "while",
        "when",
        "if",
        "as",
    )


def _graded(tokens: list[Token]) -> bool:
    """Whether a label at the beginning, up to its colon, speaks of derivatives and states none."""
    graded = False
    for kind, _, _, said in tokens:
        if kind == "COLON":
            return graded
        if kind in ("EQUALS", "SLOPE", "COMMA"):
            return False
        graded = graded or (kind in ("WORD", "NAME") and said.lower() in GRADIENT | {"backward"})
    return False


def _labels(tokens: list[Token]) -> list[Token]:
    """The number after "Step" belongs to the word."""
    return [
        ("SEMI", *token[1:])
        if token[0] == "NUMBER" and at and tokens[at - 1][0] == "WORD" and tokens[at - 1][3].lower() in LABELS
        else token
        for at, token in enumerate(tokens)
    ]


def _without_value(tokens: list[Token]) -> list[Token]:
    """`B1 value: 3` is B1: 3."""
    return [
        token
        for at, token in enumerate(tokens)
        if not (
            token[0] == "WORD"
            and token[3].lower() == "value"
            and at
            and tokens[at - 1][0] == "NAME"
            and _says(tokens, at + 1)
        )
    ]


def _gradients(tokens: list[Token]) -> list[Token]:
    made: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token[0] == "WORD" and token[3].lower() in GRADIENT:
            slope, after = _gradient(tokens, at, made)
            if slope is not None:
                made.append(slope)
                at = after
                continue
        made.append(token)
        at += 1
    return made


def _gradient(tokens: list[Token], at: int, made: list[Token]) -> tuple[Token | None, int]:
    """The derivative that is spoken of from here on, and where the words for it end."""
    of = by = None
    local = bool(made) and made[-1][0] == "WORD" and made[-1][3].lower() in ("local", "upstream")
    position, end = at + 1, at + 1
    while (found := _preposition(tokens, position)) is not None:
        word, position = found
        thing, position = _thing(tokens, position)
        if thing is None:
            break
        if word == "of" and of is None:
            of = thing
        elif word != "of" and by is None:
            by = thing
        else:
            break
        end = position
    if by is None and of is not None and of[0] == "NAME":
        of, by = None, of
    start = tokens[at][1]
    if by is None and of is None:
        following, after = _thing(tokens, at + 1)
        if following is not None and following[0] == "NAME" and tokens[at + 1][0] in ("NAME", "EDGE"):
            by, end = following, after
        elif made and made[-1][0] == "NAME" and _says(tokens, at + 1):
            by = made.pop()
            start = by[1]
    if by is None or by[0] != "NAME" or (local and of is None):
        return None, at
    name = of[3] if of is not None and of[0] == "NAME" else ""
    return ("SLOPE", start, max(tokens[end - 1][2], by[2]), f"{name}|{by[3]}"), end


def _preposition(tokens: list[Token], at: int) -> tuple[str, int] | None:
    words = [token[3].lower() if token[0] == "WORD" else "" for token in tokens[at : at + 3]]
    if words and (words[0] in BY or words[0] == "of"):
        return words[0], at + 1
    if words in (["with", "respect", "to"], ["with", "regard", "to"]):
        return "by", at + 3
    return None


def _thing(tokens: list[Token], at: int) -> tuple[Token | None, int]:
    """A name, perhaps with "the unit" before it; or "the loss"."""
    while at < len(tokens):
        kind, _, _, said = tokens[at]
        if (
            kind == "EDGE"
            or (kind == "WORD" and said.lower() in THINGS)
            or (kind == "NAME" and said == "a" and _word_follows(tokens, at))
        ):
            at += 1
            continue
        if kind == "WORD" and said.lower() in OUTPUTS:
            following = tokens[at + 1] if at + 1 < len(tokens) else None
            if following and following[0] == "NAME":
                return following, at + 2
            return tokens[at], at + 1
        if kind == "NAME":
            at += 1
            token = tokens[at - 1]
            return token, at + (at < len(tokens) and tokens[at][0] == "EDGE")
        break
    return None, at


def _word_follows(tokens: list[Token], at: int) -> bool:
    return at + 1 < len(tokens) and tokens[at + 1][0] == "WORD"


def _says(tokens: list[Token], at: int) -> bool:
    """Whether here it is said what something is."""
    token = tokens[at] if at < len(tokens) else None
    return token is not None and (
        token[0] in ("EQUALS", "COLON") or (token[0] == "WORD" and token[3].lower() in ("is", "equals"))
    )


def _verbs(tokens: list[Token]) -> list[Token]:
    made: list[Token] = []
    at = 0
    while at < len(tokens):
        kind, start, end, said = tokens[at]
        word = said.lower() if kind == "WORD" else ""
        modal = word in MODALS and at + 1 < len(tokens) and tokens[at + 1][3].lower() == "be"
        if word in ("is", "equals", "becomes", "are") or modal:
            after = _skip(
                tokens,
                at + 1,
                (
                    "about",
                    "approximately",
                    "roughly",
                    "nearly",
                    "then",
                    "now",
                    "just",
                    "exactly",
                    "both",
                    "all",
                    "equal",
                    "to",
                    "simply",
                    "probably",
                    "likely",
                    "perhaps",
                    "maybe",
                    "therefore",
                    "thus",
                    "also",
                    "be",
                ),
            )
            spoken = {token[3].lower() for token in tokens[at + 1 : after] if token[0] == "WORD"}
            if modal and len(made) > 1 and made[-1][0] == "COMMA" and made[-2][0] in NAMELIKE:
                made.pop()  # `the derivative of d wrt c, will be 1`
            if after < len(tokens) and (_is_value(tokens[after]) or _formula_begins(tokens, after)) and _subject(made):
                sign: Token = (
                    "EQUALS",
                    start,
                    end,
                    "≈" if spoken & {"about", "approximately", "roughly", "nearly"} else "=",
                )
                if word == "are":
                    after = _several(made, tokens, after, sign)
                else:
                    made.append(sign)
                at = after
                continue
        made.append(tokens[at])
        at += 1
    return made


def _formula_begins(tokens: list[Token], at: int) -> bool:
    """The `t - z` of "dL/dz is t - z = 2", the `X W` of "Z is X W = ...": names, and further on an =."""
    if tokens[at][0] != "NAME" or at + 1 >= len(tokens) or tokens[at + 1][0] not in GOES_ON:
        return False
    if tokens[at - 1][0] == "WORD" and not any(token[0] in NAMELIKE for token in tokens[max(0, at - 5) : at - 1]):
        return False  # "the output is a = 0.8"
    for kind, _, _, said in tokens[at + 1 :]:
        if kind == "EQUALS":
            return True
        if kind in ("DOT", "SEMI", "COMMA", "ROW") or (kind == "WORD" and said.lower() in STOP):
            return False
    return False


def _is_value(token: Token) -> bool:
    """Whether a value begins here: a number, a sign, a derivative, an array."""
    return token[0] in VALUE_START or (token[0] == "NAME" and token[3].startswith(ARRAY_LETTER))


def _shortened(tokens: list[Token]) -> list[Token]:
    """With "is" for "comes to" and its like."""
    made: list[Token] = []
    at = 0
    while at < len(tokens):
        words = tuple(token[3].lower() if token[0] == "WORD" else "" for token in tokens[at : at + 4])
        found = next((verb for verb in SAID_AT_LENGTH if words[: len(verb)] == verb), ())
        last = at + max(1, len(found))
        made.append(("WORD", tokens[at][1], tokens[last - 1][2], "is") if found else tokens[at])
        at = last
    return made


def _several(made: list[Token], tokens: list[Token], after: int, sign: Token) -> int:
    """`dy/da and dy/dz are 2`: each of them."""
    end = after + (2 if tokens[after][0] == "MINUS" else 1)
    value = tokens[after:end]
    subjects: list[Token] = []
    while made and (
        made[-1][0] in (*NAMELIKE, "EDGE", "COMMA") or (made[-1][0] == "WORD" and made[-1][3].lower() == "and")
    ):
        token = made.pop()
        if token[0] in NAMELIKE:
            subjects.append(token)
    for subject in reversed(subjects):
        made += [subject, sign, *value, ("SEMI", value[-1][2], value[-1][2], "")]
    return end


def _skip(tokens: list[Token], at: int, words: tuple[str, ...]) -> int:
    while at < len(tokens) and (
        tokens[at][0] == "EDGE" or (tokens[at][0] == "WORD" and tokens[at][3].lower() in words)
    ):
        at += 1
    return at


def _subject(made: list[Token]) -> bool:
    for token in reversed(made):
        if token[0] != "EDGE":
            return token[0] in NAMELIKE or (token[0] == "WORD" and token[3].lower() in OUTPUTS)
    return False


def names_one_thing(tokens: list[Token]) -> bool:
    """Whether these tokens are one name or derivative and nothing else, so that a colon after them may be an =."""
    kept = [token for token in tokens if token[0] not in ("EDGE", "BOX", "ENDBOX", "ARROW")]
    if len(kept) > 1 and kept[-1][0] == "SLOPE":
        return all(token[0] == "WORD" for token in kept[:-1])
    if len(kept) != 1:
        return False
    kind, _, _, said = kept[0]
    return kind in NAMELIKE or (kind == "WORD" and said.lower() not in LABELS | STOP | GRADIENT)


# -- words around formulas -------------------------------------------------------------------------------------


def is_prose(tokens: list[Token], at: int) -> bool:
    """Whether the word here is one of a sentence: a stop word, or beside another word or operand."""
    said = tokens[at][3].lower()
    if said in STOP:
        return True
    before = tokens[at - 1][0] if at else ""
    after = tokens[at + 1][0] if at + 1 < len(tokens) else ""
    return before in OPERAND_END or after in OPERAND_START or (before == "OPEN" and after == "CLOSE" and said in LABELS)


def runs(parts: list[tuple[Relation, list[Token]]], *, arrow: bool) -> list[Run]:
    """The chains in a statement, its words left away."""
    first: Relation = "=>" if arrow else ""
    if not any(token[0] == "WORD" for _, tokens in parts for token in tokens):
        return [[(first if at == 0 else relation, tokens, "") for at, (relation, tokens) in enumerate(parts)]]
    if len(parts) == 1:
        return []
    found: list[Run] = []
    current: Run = []
    for at, (relation, tokens) in enumerate(parts):
        relation = first if at == 0 else relation
        edges = _edges(tokens)
        if at == 0:
            cut = edges[-1] if edges else 0
            current.append((relation, tokens[cut:], _turned(tokens[:cut], tokens[cut:])))
        elif not edges:
            current.append((relation, tokens, ""))
        elif at == len(parts) - 1:
            current.append(_last(relation, tokens, edges[0]))
        else:
            current.append(_last(relation, tokens, edges[0]))
            found.append(current)
            current = [("", tokens[edges[-1] :], _turned(tokens[: edges[-1]], tokens[edges[-1] :]))]
    found.append(current)
    return [run for run in found if len(run) > 1 or run[0][1]]


def _edges(tokens: list[Token]) -> list[int]:
    """Where formulas end and begin among words: positions between tokens."""
    if len(tokens) < 2:
        return [1] if tokens and tokens[0][0] == "WORD" and tokens[0][3].lower() in STOP else []
    found: list[int] = []
    depth = 0
    for at, token in enumerate(tokens):
        kind = token[0]
        word = kind == "WORD" or (kind == "NAME" and token[3] in ("a", "I") and _word_follows(tokens, at))
        if word and depth == 0:
            stop = token[3].lower() in STOP or kind == "NAME"
            if at and (stop or tokens[at - 1][0] in OPERAND_END) and (not found or found[-1] != at):
                found.append(at)
            if (
                stop
                or (at + 1 < len(tokens) and tokens[at + 1][0] in OPERAND_START)
                or (at + 1 == len(tokens) and stop)
            ):
                found.append(at + 1)
        depth += (kind in ("OPEN", "LEFT", "BAR")) - (kind in ("CLOSE", "RIGHT", "ENDBAR"))
    return found


def _turned(words: list[Token], formula: list[Token]) -> str:
    """Why the words before a formula forbid to read it alone; "" if they do not."""
    if not words or (len(formula) == 1 and formula[0][0] == "SLOPE"):
        return ""
    said = [token[3].lower() for token in words if token[0] in ("WORD", "NAME")]
    if any(word in GRADIENT for word in said):
        return "A derivative is spoken of, and it is not clear of what by what."
    last = said[-1] if said else ""
    if last == "of" and len(said) > 1 and said[-2] in VALUES:
        return ""
    if last in THINGS and len(said) > 1:
        last = said[-2] if said[-2] in TURNS else last
    if last in BEFORE_A_NAME and len(formula) == 1 and formula[0][0] == "NAME" and not TURNS.intersection(said[:-1]):
        return ""
    if last in TURNS and last not in VALUES:
        return f"The word “{last}” before it may change what it says."
    if words[-1][0] not in ("WORD", "EDGE") and not (words[-1][0] == "NAME" and words[-1][3] in ("a", "I")):
        return "It is not clear where the formula begins."
    return ""


def _last(relation: Relation, tokens: list[Token], cut: int) -> tuple[Relation, list[Token], str]:
    """A link with words after it."""
    kept, rest = tokens[:cut], tokens[cut:]
    unit = [token[3].lower() for token in rest[:2]] == ["per", "unit"]  # `0.2 per unit of z`: the number stands
    if rest and rest[0][0] == "WORD" and rest[0][3].lower() in CONTINUES and not unit:
        return relation, kept, f"The word “{rest[0][3]}” goes on with it."
    if kept and any(token[0] in OPERATORS for token in rest):
        return relation, tokens, "Words and formulas in one; it is not clear where the formula ends."
    if len(kept) == 1 and kept[0][0] == "WORD":
        return relation, kept, "Words, not a formula."
    if cut == 0 or not kept:
        return relation, tokens, "Words, not a formula."
    return relation, kept, ""
