"""Every sentence Backhand says about a solution, in one place.

A sentence is a tuple of words and mathematics. To a student: what there is, what it means, what to
do next. The field's terms (DESIGN.md section 4 in plain words): "the derivative of L by B1", "what
comes back through C1", "add over all ways from B1 to L".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from backhand.core.formula import Apply, Formula, to_text
from backhand.explaining.document import Inline
from backhand.explaining.mathematics import Box, Slope, Symbol

COUNT = ("no way", "one way", "two ways", "three ways", "four ways", "five ways", "six ways", "seven ways",
         "eight ways", "nine ways", "ten ways")  # fmt: skip

Words = tuple[Inline, ...]


def ways(count: int) -> str:
    """`two ways`, `12 ways`."""
    return COUNT[count] if count < len(COUNT) else f"{count} ways"


def listed(names: Sequence[str]) -> Words:
    """`B1, B2 and B3` as symbols."""
    words: list[Inline] = []
    for number, name in enumerate(names):
        if number:
            words.append(" and " if number == len(names) - 1 else ", ")
        words.append(Symbol(name))
    return tuple(words)


def several_ways(name: str, of: str, children: Sequence[str]) -> Words:
    """Said where a quantity is used by more than one other."""
    if of in children:
        others = [child for child in children if child != of]
        through = ("directly, in the formula of ", Symbol(of), ", and through ", *listed(others))
    else:
        through = ("through ", *listed(children))
    return (
        Symbol(name), " reaches ", Symbol(of), f" by {ways(len(children))}: ", *through,
        ". What comes back along each of them is added.",
    )  # fmt: skip


def one_occurrence_each(name: str, child: str, count: int) -> Words:
    """Said where a name stands several times in one formula."""
    return (
        Symbol(name), f" stands {count} times in the formula of ", Symbol(child),
        "; its local derivative adds up all of them.",
    )  # fmt: skip


def local_not_total(child: str, parent: str) -> Words:
    """Said where the local derivative is not the whole derivative."""
    return (
        Slope(child, parent, True), " is the local derivative: only the ", Symbol(parent),
        " written in the formula of ",
        Symbol(child), " moves, everything else in that formula is held fixed. It is not the derivative ",
        Slope(child, parent), ", because ", Symbol(parent), " reaches ", Symbol(child), " by another way, too.",
    )  # fmt: skip


def seed(of: str) -> Words:
    return ("Start at the output: when ", Symbol(of), " moves by 1, it moves by 1.")


PIECEWISE = {
    "step": "{} is 1 above 0, and 0 elsewhere",
    "sign": "{} is 1 above 0, -1 below, and 0 at 0",
}
SPELLED = "{} is the function {}, whose name is a quantity's here"


def piecewise(functions: Iterable[tuple[str, str]]) -> Words:
    """What functions with pieces are, and those with a name that is not their usual one; said beside the line that
    uses them. Each is given by its usual name and as it is spelled, if that is another."""
    told = (
        (PIECEWISE.get(name) or SPELLED).format(spelled or name, name)
        for name, spelled in functions
        if name in PIECEWISE or spelled
    )
    said = "; ".join(dict.fromkeys(told))
    return (said,) if said else ()


def by_which_rules(rules: Sequence[str]) -> Words:
    """`power rule, then difference rule`."""
    return (", then ".join(rules),)


def checked(method: str, compared: int, exact: bool) -> Words:
    """What the second method found."""
    how = {
        "dual numbers": "Dual numbers, which carry the derivatives forward instead of backward,",
        "difference of values": "Moving the given numbers a little both ways and comparing the outputs",
        "numbers in place of the symbols": "Propagating numbers in place of the symbols",
    }[method]
    derivatives = "the one derivative" if compared == 1 else f"all {compared} derivatives"
    by = " by a given quantity" if compared == 1 else " by given quantities"
    if method == "numbers in place of the symbols":
        by = ""
    verb = "give" if method == "dual numbers" else "gives"
    agree = "exactly" if exact else "to all digits that can be compared"
    return (f"{how} {verb} {derivatives}{by} the same, {agree}.",)


def paths_listed(frm: str, of: str, count: int, shown: int) -> Words:
    """Above the list of paths."""
    lead = (f"{ways(count).capitalize()} lead{'s' if count == 1 else ''} from ", Symbol(frm), " to ", Symbol(of))
    if shown == count:
        return (*lead, ". The product along each, and their sum:")
    return (*lead, f". They are not all listed; the {shown} with the largest products are:")


def layout(columns: bool, *, numerator: bool) -> Words:
    """Which way vectors stand, and which shape a derivative has."""
    vectors = "Vectors are columns" if columns else "Vectors are rows"
    if numerator:
        return (f"{vectors}; a derivative by an array is shown transposed (numerator layout).",)
    return (f"{vectors}; a derivative by an array has the shape of that array (denominator layout).",)


def element_of_large(name: str, whole: str) -> Words:
    """Said where an element is asked for and the network is too large to be written out by elements."""
    return (
        Symbol(name),
        " is one element of ",
        Symbol(whole),
        "; this network is too large to write out each element.",
    )


def softmax_and_cross_entropy() -> Words:
    return ("Softmax followed by the cross-entropy with targets that add up to 1: both steps together are short.",)


WINDOWS = {
    "conv_back_image": "Each output sends what comes back to it through the kernel to the places that it saw.",
    "conv_back_kernel": (
        "Each element of the kernel met every window: what comes back to a window times what stood there, added up."
    ),
    "fold": "Each place of a window gets its part of what comes back to the window; windows that overlap add up.",
}


def through_windows(formula: Formula) -> str:
    """How derivatives go back through windows, where the formula does that; else empty."""
    return WINDOWS.get(formula.operation.name, "") if isinstance(formula, Apply) else ""


def jacobians() -> Words:
    return (
        "Each row holds the derivatives of one element by the elements of what stands directly in its formula,",
        " all ways added. Derivatives with more than two axes are not written out; the JSON has them.",
    )


PRODUCTS: dict[tuple[tuple[int, ...], int], tuple[str, str, str]] = {
    ((2, 1), 0): ("[i]", "[j,k]", "{}[k] where i = j, and 0 elsewhere"),
    ((2, 1), 1): ("[i]", "[k]", "{}[i,k]"),
    ((2, 2), 0): ("[i,j]", "[m,k]", "{}[k,j] where i = m, and 0 elsewhere"),
    ((2, 2), 1): ("[i,j]", "[k,m]", "{}[i,k] where j = m, and 0 elsewhere"),
    ((1, 2), 0): ("[j]", "[k]", "{}[k,j]"),
    ((1, 2), 1): ("[j]", "[k,m]", "{}[k] where j = m, and 0 elsewhere"),
}
"""Of a product of matrices, by the ranks of its factors and which of them is meant: the element of the product, that of
the factor, and the derivative of the one by the other, made of the other factor."""


def index_form(node: Apply, position: int, child: str, ranks: tuple[int, ...], rank: int) -> Words:
    """What the derivative of an array by an array is, element by element; empty where it is not told."""
    y, inside = Symbol(child), Symbol(to_text(node.args[position]))
    match node.operation.name:
        case "@" if (ranks, position) in PRODUCTS:
            of, by, local = PRODUCTS[ranks, position]
            local = local.format(to_text(node.args[1 - position]))
            return ("In elements: the derivative of ", y, f"{of} by ", inside, f"{by} is {local}.")
        case "softmax" if ranks == (1,):
            return ("In elements: the derivative of ", y, "[i] by ", inside, "[j] is ", y, "[i] (1 - ", y,
                    "[j]) where i = j, and -", y, "[i] ", y, "[j] elsewhere.")  # fmt: skip
        case _ if node.operation.partials and len(ranks) == 1 and rank:
            return ("Element by element: each element of ", y, " depends on its own element of ", inside,
                    " only, so the derivative of one by the other is a diagonal.")  # fmt: skip
        case _:
            return ()


def step(of: str, name: str, rate: Box, *, many: bool) -> Words:
    """Above the new weights."""
    lead = ("Each step" if many else "One step") + " of gradient descent with the rate "
    return (
        lead, Symbol(name), " = ", rate, ": what is changed moves against the derivative of ", Symbol(of),
        " by it, new = old - ", Symbol(name), " × derivative.",
    )  # fmt: skip


def stays(names: Sequence[str]) -> Words:
    """Said of weights and biases that a step leaves alone."""
    return (*listed(names), " stays as it is." if len(names) == 1 else " stay as they are.")


IN_PLACE: Words = (
    (
        "Here each weight is replaced as soon as its derivative is known, so what goes further back through it is "
        "multiplied by the new weight; all values are still the old ones. What comes back then is not quite the "
        "derivative any more: for that, everything is taken at the old weights."
    ),
)


def step_result(of: str, before: Words, after: Words, change: Literal["falls", "rises", "stays"], steps: int) -> Words:
    """What became of the output."""
    verb = {"falls": " falls from ", "rises": " rises from ", "stays": " does not change: from "}[change]
    when = "after the step" if steps == 1 else f"after {steps} steps"
    return (Symbol(of), verb, *before, " to ", *after, f" {when}.")


def second(of: str, one: str, other: str) -> Words:
    """Above the table of second derivatives."""
    if one == other:
        return ("The derivative by ", Symbol(one), " of ", Slope(of, one), ".")
    return (
        "Each row is differentiated by what stands at its left, then by what stands above: in the row of ",
        Symbol(one), " and the column of ", Symbol(other), " is the derivative by ", Symbol(other), " of ",
        Slope(of, one), ".",
    )  # fmt: skip


def second_too_many(count: int) -> Words:
    return (f"They are a table of {count} rows and {count} columns, too large to show; the JSON has all of it.",)


SYMMETRIC: Words = ("Both orders of differentiating give the same: the table is symmetric.",)


def batch(of: str, names: Sequence[str], count: int, kind: Literal["mean", "sum", "only"]) -> Words:
    """Whether the output is a mean or a sum over the examples, and what follows for derivatives."""
    rows = ("The rows of ", *listed(names), f" are {count} examples. ")
    if kind == "only":
        return ("The one row of ", *listed(names), " is the only example.")
    if kind == "mean":
        so = f"so each derivative is the mean of those of the examples: their sum, divided by {count}."
        return (*rows, Symbol(of), f" is the mean over them, {so}")
    so = "so each derivative is the sum of those of the examples, and not divided by their number."
    return (*rows, Symbol(of), f" is the sum over them, {so}")


def factor_in_each(of: str) -> Words:
    """Said where 1/n is written before a sum over n examples."""
    return ("The factor that is written in the formula of ", Symbol(of), " is in each of them.")


def more_examples(count: int) -> Words:
    return (f"And {count} more, which are in the JSON.",)


def large_examples(of: str, name: str) -> Words:
    return (Slope(of, name), " of each example is too large to show; the JSON has all of them.")


LIBRARIES = {"numpy": "NumPy", "torch": "PyTorch", "jax": "JAX", "python": "plain Python", "c": "C"}


def both_passes(language: str) -> str:
    """The headline of a program."""
    return f"Both passes in {LIBRARIES[language]}"


TOO_LONG: Words = ("its formula is too long to write out",)

NAME_NUMBERS = (
    "Numbers written inside a formula are constants. To get derivatives by them, give them names, "
    "for example weight w = 2."
)
