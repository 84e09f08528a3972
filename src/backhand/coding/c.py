"""Programs in C99: one file, doubles, nothing but the standard library.

    cc net.c -lm -o net && ./net

All quantities are constants of `main`, in the order in which they are computed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from backhand.coding.expressions import Expressions, number
from backhand.coding.helpers import HELPERS, needed
from backhand.coding.lines import CodeLine
from backhand.coding.names import C_WORDS, OUR_WORDS, Names, harmless
from backhand.coding.passes import Passes
from backhand.core.graph import Graph

SHOW = """
/* Prints one quantity with as many digits as it takes to read it back. Adding 0 makes 0 of -0. */
static void show(const char *name, double value)
{
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value + 0.0);
        if (strtod(text, NULL) == value) break;
    }
    printf("%s = %s\\n", name, text);
}
"""


def program(graph: Graph, of: str, title: str) -> tuple[CodeLine, ...]:
    """The lines of the whole program."""
    return tuple(_lines(graph, of, title))


def _lines(graph: Graph, of: str, title: str) -> Iterator[CodeLine]:
    names = Names(C_WORDS | OUR_WORDS | frozenset(HELPERS["c"]), [quantity.name for quantity in graph.quantities])
    expressions = Expressions(graph, "c", names)
    passes = Passes(graph, of, names, expressions, "const double ", ";")
    forward = list(passes.forward())
    backward = list(passes.backward())
    said = harmless(of, 30)
    about = f"The network {harmless(title, 40)}" if title else "A network"
    yield from _frame(
        f"/* {about} by hand: all values, and all derivatives of {said}.",
        "   Written by Backhand. To run it: cc net.c -lm -o net && ./net */",
        "",
        "#include <math.h>",
        "#include <stdio.h>",
        "#include <stdlib.h>",
    )
    for text in (*needed("c", frozenset(expressions.used)), SHOW.strip()):
        yield from _frame("", *text.split("\n"))
    yield from _frame("", "int main(void)", "{", "    /* The numbers of the network */")
    for quantity in graph.quantities:
        if not quantity.computed:
            assert quantity.given is not None
            target = names(quantity.name)
            text = f"const double {target} = {number(quantity.given)[0]};"
            kind = quantity.kind if quantity.name == target else f"{quantity.kind} {harmless(quantity.name)}"
            yield CodeLine(quantity.name, "given", text, kind, indent=1)
    yield from _frame("", f"    /* Forward: the values, from what is given to {said} */")
    yield from _inside(forward)
    yield from _frame("", f"    /* Backward: the derivatives of {said}, from {said} back */")
    yield from _inside(backward)
    yield from _frame("", '    printf("Values\\n");')
    for position, quantity in enumerate(graph.quantities):
        if quantity.computed or not graph.child_lists[position]:  # what is not even printed draws a warning
            yield from _frame(f"    show({_label(quantity.name)}, {names(quantity.name)});")
    yield from _frame("", f'    printf("\\n%s\\n", {_label(f"Derivatives of {of}")});')
    for name in dict.fromkeys(line.about for line in backward):
        yield from _frame(f"    show({_label(f'd{of}/d{name}')}, {names.slope(of, name)});")
    yield from _frame("    return 0;", "}")


def _inside(lines: list[CodeLine]) -> Iterator[CodeLine]:
    for line in lines:
        yield CodeLine(line.about, line.pass_, line.text, line.comment, indent=1)


def _frame(*lines: str) -> Iterator[CodeLine]:
    for line in lines:
        yield CodeLine("", "frame", line)


def _label(name: str) -> str:
    """A name as a string."""
    return json.dumps(harmless(name, 70), ensure_ascii=False)
