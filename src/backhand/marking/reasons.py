"""What is said about a link or a claim, each sentence in one place.

To a student: what the line has, what is missing, the next thing to do. A `hint` says the same without the answer in it.
"""

from __future__ import annotations

from collections.abc import Sequence

from backhand.marking.marking import Remark
from backhand.marking.sheet import Amount, exact
from backhand.marking.work import Piece
from backhand.numbers import show

COUNT = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
NO_VALUE = "It has no value that can be worked out."
NO_NUMBER = "There is no number for it to compare with: the slope has no finite value here."
IN_SYMBOLS = "It depends on quantities without a value, so there is no number to compare it with."
AFTER_A_STEP = "It was said before with another number, and a step was made since; so it may be about the new numbers."
DENIED = "The words around it say that it is not so."
SUPPOSED = (
    "It stands under a condition, or in lines that are run with other numbers; so it is not held against the page."
)
REUSED = "The page has this name for something of its own, too; so it may be about that."
FROM_NOWHERE = "Where {} comes from is not on the page."
ELSEWHERE = "A value at another point, or a product: it cannot be told."
ARROW = "The derivative of what stands before the arrow, not what it is equal to."
QUOTIENT = "A difference quotient; of what by what is not clear here."
NOT_THE_RULE = "This is not the rule for it."
NOT_RIGHT = "It is not the right number, and it does not follow from the lines before."


def number(amount: Amount) -> str:
    """A number as one writes it."""
    return show(exact(amount)).text


def listed(names: Sequence[str]) -> str:
    """B1, B2 and B3."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def not_equal(before: Amount, here: Amount) -> str:
    return f"{number(before)} stands before it, and this is {number(here)}."


def not_the_result(before: Amount, said: Amount) -> str:
    return f"Before it stands {number(before)}, not {number(said)}."


def put_in_wrongly(name: str, said: Amount, meant: Amount, *, given: bool) -> str:
    return f"{number(said)} stands here for {name}, which is {'given as' if given else 'worth'} {number(meant)}."


def not_what_the_formula_gives(piece: Piece) -> str:
    return f"{piece.text.strip()} is not what the formula before it gives."


def ways_missing(by: str, of: str, children: Sequence[str], seen: Sequence[str], left: Sequence[str]) -> str:
    ways = COUNT.get(len(children), str(len(children)))
    return (
        f"{by} reaches {of} by {ways} ways, through {listed(children)}. This line has what comes back through "
        f"{listed(seen)}. Add what comes back through {listed(left)}."
    )


# -- remarks -------------------------------------------------------------------------------------------------


def right_by_luck(piece: Piece, name: str) -> Remark:
    text = (
        f"The number comes out right here, but {piece.text.strip()} is not the rule for {name}: with other numbers it "
        "would not. Compare it with the formula of the exercise."
    )
    return Remark("right-by-luck", text, piece.span, text)


def exponent_lost(piece: Piece, inside: str, exponent: str, base: Amount, power: Amount) -> Remark:
    text = (
        f"The exponent is lost in writing: {inside}^{exponent} is meant. It changes nothing here, because "
        f"{number(base)}^{exponent} = {number(power)}."
    )
    hint = "The exponent of the line before is lost in writing. Here it happens to change nothing."
    return Remark("square-lost", text, piece.span, hint)


def copied_wrongly(name: str, said: Amount, meant: Amount, piece: Piece, label: str = "") -> Remark:
    """A given number copied wrongly, which changes nothing."""
    written = f"{label} (the number {name})" if label and label != name else name
    text = f"{written} is copied as {number(said)}; it is {number(meant)}. It has no consequence here."
    return Remark("copied-wrongly", text, piece.span, f"Compare {label or name} with the exercise.")


def misread(name: str, said: Amount, meant: Amount, piece: Piece) -> Remark:
    text = f"{number(said)} is written for {name}, which is {number(meant)}."
    return Remark("misread", text, piece.span, f"Compare the number written for {name} with the exercise.")


def wrong_label(label: str, name: str, piece: Piece) -> Remark:
    text = f"What stands here is {name}; the line calls it {label}. Write {name}."
    return Remark("label", text, piece.span, text)


def scanned(meant: str, piece: Piece) -> Remark:
    text = f"This is read as {meant}; it stands there as {piece.text.strip()}. Please compare the page."
    return Remark("scan", text, piece.span, text)
