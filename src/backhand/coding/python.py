"""Programs in Python: with NumPy, PyTorch, JAX, or the standard library alone.

given numbers; helpers; forward(...); backward(...); main() that prints; for PyTorch and JAX a
check() that holds the derivatives against the library's own
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from backhand.coding.expressions import Expressions
from backhand.coding.given import Given
from backhand.coding.helpers import HELPERS, needed
from backhand.coding.lines import WIDTH, CodeLine
from backhand.coding.names import OUR_WORDS, PYTHON_WORDS, Names, harmless
from backhand.coding.passes import Passes
from backhand.coding.spellings import Language
from backhand.core.formula import names as names_in
from backhand.core.graph import Graph

WORD = re.compile(r"\w+")
IMPORTS = {"numpy": "import numpy as np", "torch": "import torch", "jax": "import jax\nimport jax.numpy as jnp"}
SETTINGS = {
    "torch": "torch.set_default_dtype(torch.float64)",
    "jax": 'jax.config.update("jax_enable_x64", True)',
}
SHOW: dict[str, str] = {}
SHOW["numpy"] = '''
def show(name, value):
    """Prints one quantity; a matrix begins on a line of its own. Adding 0 makes 0 of -0."""
    gap = "\\n" if np.ndim(value) > 1 else " "
    print(f"{name} ={gap}{value + 0.0}")
'''
SHOW["python"] = '''
def show(name, value):
    """Prints one quantity. Adding 0 makes 0 of -0."""
    print(f"{name} = {value + 0.0}")
'''
SHOW["jax"] = SHOW["numpy"].replace("np.", "jnp.")
SHOW["torch"] = '''
def show(name, value):
    """Prints one quantity; a matrix begins on a line of its own. Adding 0 makes 0 of -0."""
    gap = "\\n" if value.ndim > 1 else " "
    print(f"{name} ={gap}{(value + 0.0).numpy()}")
'''


def program(
    graph: Graph, of: str, language: Language, *, title: str, arrays: dict[str, Any], beside: str
) -> tuple[CodeLine, ...]:
    """The lines of the whole program; large arrays are put in `arrays`, to be kept in the file `beside`."""
    return tuple(_Program(graph, of, language, title=title, arrays=arrays, beside=beside).lines())


class _Program:
    def __init__(
        self, graph: Graph, of: str, language: Language, *, title: str, arrays: dict[str, Any], beside: str
    ) -> None:
        self.graph, self.of, self.language, self.title = graph, of, language, title
        words = PYTHON_WORDS | OUR_WORDS | frozenset(HELPERS[language])
        self.names = Names(words, [quantity.name for quantity in graph.quantities])
        self.expressions = Expressions(graph, language, self.names)
        self.given = Given(self.expressions, arrays, beside)

    def lines(self) -> Iterator[CodeLine]:
        """All lines, once they are known: what is imported follows from what is used."""
        graph = self.graph
        given = [
            CodeLine(q.name, "given", f"{target} = {self.given.written(q, target)}", self._kind(q.name, target), shape)
            for q in graph.quantities
            if not q.computed
            for target, shape in [(self.names(q.name), str(q.shape) if graph.arrays else "")]
        ]
        passes = Passes(graph, self.of, self.names, self.expressions)
        forward = list(passes.forward())
        backward = list(passes.backward())
        helpers = needed(self.language, frozenset(self.expressions.used))
        whole = "\n".join([*(line.text for line in (*given, *forward, *backward)), *helpers])
        yield from self._head(numbers=bool(re.search(r"\bmath\.", whole)), numpy=bool(re.search(r"\bnp\.", whole)))
        yield from _frame("", "# The numbers of the network" if given else "")
        yield from given
        for text in helpers:
            yield from _frame("", "", *text.split("\n"))
        used = {name for q in graph.quantities if q.computed and q.definition for name in names_in(q.definition)}
        inputs = [self.names(q.name) for q in graph.quantities if not q.computed and q.name in used]
        values = [self.names(q.name) for q in graph.quantities if q.computed]
        yield from self._function("forward", inputs, forward, values, f"The values, from what is given to {self._of}.")
        read = {word for line in backward for word in WORD.findall(line.text.partition(" = ")[2])}
        known = [self.names(q.name) for q in graph.quantities]
        known = [name for name in known if name in read]
        slopes = {line.about: self.names.slope(self.of, line.about) for line in backward}
        back = list(slopes.values())
        says = f"The derivatives of {self._of}, from {self._of} back."
        yield from self._function("backward", known, backward, back, says)
        yield from _frame("", "", *SHOW[self.language].strip().split("\n"))
        check = self._check(inputs, slopes) if self.language in ("torch", "jax") and inputs else []
        yield from _frame(*check)
        yield from self._main(inputs, values, known, slopes, bool(check))

    @property
    def _of(self) -> str:
        return harmless(self.of, 30).replace('"', "'")

    def _kind(self, name: str, target: str) -> str:
        kind = self.graph[name].kind
        return kind if name == target else f"{kind} {harmless(name)}"

    def _head(self, *, numbers: bool, numpy: bool) -> Iterator[CodeLine]:
        title = harmless(self.title, 40).replace('"', "'")
        about = f"The network {title}" if title else "A network"
        yield from _frame(
            f'"""{about} by hand: all values, and all derivatives of {self._of}.',
            "",
            "forward() computes the values, backward() the derivatives, each in a line of its own.",
            *(
                [f"At the end {'PyTorch' if self.language == 'torch' else 'JAX'} finds the derivatives by itself."]
                if self.language in ("torch", "jax")
                else []
            ),
            "Written by Backhand.",
            '"""',
        )
        standard = ["import math"] if numbers else []
        if self.given.loads or self.given.files:
            standard.append("from pathlib import Path")
        imports = IMPORTS.get(self.language, "")
        files = self.given.loads or self.given.files
        more = ["import numpy as np"] if (files or numpy) and self.language in ("torch", "jax") else []
        if standard:
            yield from _frame("", *standard)
        if imports:
            libraries = imports.split("\n")
            # torch comes behind numpy in the alphabet, jax before it
            yield from _frame("", *([*more, *libraries] if self.language == "torch" else [*libraries, *more]))
        if self.language in SETTINGS:
            yield from _frame("", SETTINGS[self.language])
        if self.given.loads:
            yield from _frame("", f"ARRAYS = np.load(Path(__file__).with_name({json.dumps(self.given.beside)}))")

    def _function(
        self, name: str, args: list[str], body: Iterable[CodeLine], results: list[str], says: str
    ) -> Iterator[CodeLine]:
        yield from _frame("", "", *_call(f"def {name}(", args, "):"), f'    """{says}"""')
        for line in body:
            yield CodeLine(line.about, line.pass_, line.text, line.comment, line.shape, 1)
        yield from _frame(*_returned(results))

    def _check(self, inputs: list[str], slopes: dict[str, str]) -> list[str]:
        """A function that compares with what the library finds by itself."""
        computed = [q.name for q in self.graph.quantities if q.computed]
        if self.of not in computed or all(self.names(name) not in inputs for name in slopes):
            return []
        loss = f"forward(*given)[{computed.index(self.of)}]" if len(computed) > 1 else "forward(*given)"
        if self.language == "torch":
            found = [
                "    given = [each.clone().requires_grad_() for each in given]",
                f"    loss = {loss}",
                "    loss.backward()",
                "    theirs = [torch.zeros_like(g) if g.grad is None else g.grad for g in given]",
            ]
            what, largest = "PyTorch finds with .backward()", "torch.max(torch.abs(theirs[place] - by_hand)).item()"
        else:
            found = [
                "    everything = tuple(range(len(given)))",
                f"    theirs = jax.grad(lambda *given: {loss}, argnums=everything)(*given)",
            ]
            what, largest = "JAX finds with jax.grad", "jnp.max(jnp.abs(theirs[place] - by_hand))"
        return [
            "",
            "",
            "def check(given, derivatives):",
            f'    """Holds the derivatives by hand against those that {what}."""',
            *found,
            "    for name, place, by_hand in derivatives:",
            f"        difference = {largest}",
            '        print(f"{name}: the two differ by {difference:.1e}")',
        ]

    def _main(
        self, inputs: list[str], values: list[str], known: list[str], slopes: dict[str, str], check: bool
    ) -> Iterator[CodeLine]:
        computed = [q.name for q in self.graph.quantities if q.computed]
        yield from _frame("", "", "def main():", '    """Both passes, and what they give."""')
        if values:
            yield from _frame(*_assigned(values, "forward", inputs))
        yield from _frame(*_assigned(list(slopes.values()), "backward", known))
        if values:
            yield from _frame("", '    print("Values")')
        for name, target in zip(computed, values, strict=True):
            yield from _frame(f"    show({_label(name)}, {target})")
        yield from _frame(
            "", f'    print("\\nDerivatives of {self._of.replace(chr(123), "(").replace(chr(125), ")")}")'
        )
        for name, slope in slopes.items():
            yield from _frame(f"    show({_label(f'd{self.of}/d{name}')}, {slope})")
        if check:
            library = "PyTorch" if self.language == "torch" else "JAX"
            yield from _frame("", f'    print("\\nThe same by {library}")')
            rows = [
                f"        ({_label(f'd{self.of}/d{name}')}, {inputs.index(self.names(name))}, {slope}),"
                for name, slope in slopes.items()
                if self.names(name) in inputs
            ]
            yield from _frame(*_call("    given = [", inputs, "]"))
            yield from _frame("    derivatives = [", *rows, "    ]", "    check(given, derivatives)")
        yield from _frame("", "", 'if __name__ == "__main__":', "    main()")


def _frame(*lines: str) -> Iterator[CodeLine]:
    for line in lines:
        yield CodeLine("", "frame", line)


def _label(name: str) -> str:
    """A name as a string."""
    return json.dumps(harmless(name, 70), ensure_ascii=False)


def _call(head: str, args: list[str], end: str) -> list[str]:
    """Names in parentheses, on one line or on as many as they need."""
    whole = f"{head}{', '.join(args)}{end}"
    if len(whole) <= WIDTH:
        return [whole]
    indent = " " * (len(head) - len(head.lstrip()) + 4)
    return [head, *_listed(args, indent), f"{indent[4:]}{end}"]


def _listed(names: list[str], indent: str) -> list[str]:
    """Names on lines of equal indentation."""
    lines: list[str] = []
    line = indent
    for name in names:
        if len(line) + len(name) + 1 > WIDTH:
            lines.append(line.rstrip())
            line = indent
        line += f"{name}, "
    return [*lines, line.rstrip()]


def _returned(names: list[str]) -> list[str]:
    if not names:
        return ["    return ()"]
    whole = f"    return {', '.join(names)}"
    return [whole] if len(whole) <= WIDTH else ["    return (", *_listed(names, " " * 8), "    )"]


def _assigned(names: list[str], function: str, args: list[str]) -> list[str]:
    """`a, b = forward(x, y)`."""
    whole = f"    {', '.join(names)} = {function}({', '.join(args)})"
    if len(whole) <= WIDTH:
        return [whole]
    targets = [f"    {', '.join(names)} = {function}("]
    if len(targets[0]) > WIDTH:
        targets = ["    (", *_listed(names, " " * 8), f"    ) = {function}("]
    return [*targets, *_listed(args, " " * 8), "    )"] if args else [targets[0][:-1] + f"{function}()"]
