"""The verb `code`: a network as a program that computes its values and derivatives by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, cast, get_args

from backhand import limits
from backhand.coding.lines import C_MARKS, PYTHON_MARKS, CodeLine, Laid, Marks, laid, laid_out
from backhand.coding.names import harmless
from backhand.coding.spellings import Language
from backhand.core.formula import postorder
from backhand.core.graph import Graph, a_network
from backhand.errors import LimitError, UsageError

if TYPE_CHECKING:
    from backhand.core.arrays import Array


@dataclass(frozen=True, slots=True, eq=False)
class Code:
    """A program as data. `graph` is the network it is of: of single numbers, where the language has no arrays. `arrays`
    are those that are too large to be written out, to be kept in a file of the name `beside`."""

    language: Language
    graph: Graph
    of: str
    lines: tuple[CodeLine, ...]
    arrays: Mapping[str, Array] = field(default_factory=dict[str, "Array"])
    beside: str = ""

    @property
    def text(self) -> str:
        """The program."""
        return laid_out(self.lines, self._marks)

    def laid(self) -> Iterator[Laid]:
        """The program line by line, each with the statement that it belongs to."""
        return laid(self.lines, self._marks)

    @property
    def _marks(self) -> Marks:
        return C_MARKS if self.language == "c" else PYTHON_MARKS

    def about(self, name: str, *, derivative: bool = False) -> tuple[CodeLine, ...]:
        """The lines that compute a quantity, or the derivative by it."""
        pass_ = "derivative" if derivative else "value"
        return tuple(line for line in self.lines if line.about == name and line.pass_ in (pass_, "given"))


def code(graph: Graph, to: str = "numpy", of: str | None = None, *, title: str = "") -> str:
    """A network as a program in `to`: numpy, torch, jax, python or c. It computes the values, then the derivatives of
    one output (the graph's, or `of`) by everything it depends on, each in a line of its own, and prints them.

    Raises UsageError for a quantity without a value, and for arrays that are too large to be written out; LimitError
    in python and c for a network of arrays that is too large element by element.

    >>> from backhand.readers import read
    >>> print(code(read("x = 3; L = x^2".replace("; ", chr(10)))).splitlines()[12])
    def forward(x):
    """
    return coded(graph, to, of, title=title).text


def coded(graph: Graph, to: str = "numpy", of: str | None = None, *, title: str = "", beside: str = "") -> Code:
    """As `code`, line by line. With `beside`, large arrays are left to be kept in a file of that name."""
    if to not in get_args(Language):
        known = ", ".join(get_args(Language))
        raise UsageError(f"There is no code in {to}.", cure=f"Known: {known}.")
    language = cast(Language, to)
    graph, output = _single(a_network(graph), of)
    if language in ("python", "c") and graph.arrays:
        from backhand.core.elements import expanded

        graph = expanded(graph)
        _check_length(graph, language)
    for quantity in graph.quantities:
        if quantity.symbolic:
            raise UsageError(
                f"{quantity.name} has no value, and code that runs needs one.",
                quantity.span,
                cure=f"Write a number for it: {quantity.name} = 0.5.",
            )
    if language == "c":
        from backhand.coding.c import program as in_c

        return Code(language, graph, output, in_c(graph, output, title))
    from backhand.coding.python import program

    arrays: dict[str, Any] = {}
    lines = program(graph, output, language, title=title, arrays=arrays, beside=beside)
    return Code(language, graph, output, lines, arrays, beside)


def _check_length(graph: Graph, language: Language) -> None:
    """Raises LimitError for a network that would fill books when it is written element by element."""
    parts = sum(len(postorder(q.definition)) for q in graph.quantities if q.computed and q.definition is not None)
    if parts > limits.WRITTEN:
        raise LimitError(
            f"In {language}, with single numbers, the formulas here have {parts} parts; at most {limits.WRITTEN} are "
            "written out.",
            cure="Ask for numpy, which computes with arrays.",
        )


def language_of(to: str | None, output: str | None) -> str:
    """The language that is asked for, or else the one of the file's suffix. Raises UsageError where they differ."""
    suffix = PurePath(output).suffix.lower() if output else ""
    if suffix not in ("", ".c", ".py"):
        raise UsageError(f"{output} ends in {suffix}, which is no program's here.", cure="End it in .py or .c.")
    if to is None:
        return "c" if suffix == ".c" else "numpy"
    if suffix in (".c", ".py") and to in get_args(Language) and (suffix == ".c") != (to == "c"):
        wanted = ".c" if to == "c" else ".py"
        raise UsageError(f"{output} does not end in {wanted}, as files in {to} do.", cure="Name it so.")
    return to


def kept_beside(output: str) -> str:
    """The name of the file beside a program in which its large arrays are: net.code.npz beside net.py."""
    return harmless(PurePath(output).stem, 100) + ".code.npz"


def _single(graph: Graph, of: str | None) -> tuple[Graph, str]:
    """The output, which is a single number; an element `y[0]` becomes a quantity of its own."""
    if graph.arrays:
        from backhand.core.array_passes import with_output

        graph, of = with_output(graph, of)
    output, _ = graph.output(of)
    if graph[output].shape:
        from backhand.core.array_operations import shown

        element = ",".join("0" * len(graph[output].shape))
        raise UsageError(
            f"{output} is {shown(graph[output].shape)}, and derivatives are of a single number.",
            graph[output].span,
            cure=f"Ask for one element: --of '{output}[{element}]'.",
        )
    return graph, output
