"""Recipes from TOML files; every error at its place, all of a file together.

    read_recipe("course/two-ways.toml")    a file
    built_in("neuron")                     one of those that come with Backhand

The network stands in the recipe in the usual notation, with ? for what is drawn, or is made from a table [layers].
docs/recipes.md says what each key means.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from backhand.core.graph import Graph
from backhand.core.operations import FUNCTIONS
from backhand.errors import BackhandError, SeveralErrors, UsageError, raise_all
from backhand.numbers import terminating
from backhand.readers import bh, load
from backhand.setting.exercise import KINDS, Kind
from backhand.setting.recipe import CHOICES, Range, Recipe, Results, of_graph
from backhand.text import Source
from backhand.toml import File, Refused, Taking, meant, number, one_of, short, switch

CURE = 'A recipe is TOML: [exercise] on a line, and below it net = """ and a network, up to """ again.'
LARGE = 10**9
"""The largest number a recipe may name."""


def read_recipe(path_or_text: str | os.PathLike[str], *, name: str | None = None) -> Recipe:
    r"""A recipe from a file, or from the text itself (a string with a line break in it).

    Raises ReadError with place and cure, SeveralErrors for several; UsageError where there is no such file.

    >>> recipe = read_recipe("[exercise]\nnet = 'x = ?, L = x^2'\n[numbers]\ninput = { from = 2, to = 5 }")
    >>> {key: str(numbers) for key, numbers in recipe.ranges.items()}
    {'x': '2 to 5'}
    """
    if isinstance(path_or_text, str) and "\n" in path_or_text:
        return recipe_of(Source(path_or_text, name or "<recipe>"))
    path = Path(path_or_text)
    return recipe_of(Source(load(path), name or str(path)))


def built_in(name: str) -> Recipe:
    """A recipe that comes with Backhand. Raises UsageError for one that does not."""
    names = built_in_names()
    if name not in names:
        near = get_close_matches(name, names, n=1)
        cure = f"Did you mean {near[0]}?" if near else f"There are {', '.join(names)}."
        raise UsageError(f"There is no recipe {short(name)}, and no file of that name.", cure=cure)
    text = (files("backhand.setting") / "recipes" / f"{name}.toml").read_text("utf-8")
    return recipe_of(Source(text, name))


@cache
def built_in_names() -> tuple[str, ...]:
    """The recipes that come with Backhand, in the order of a course."""
    text = (files("backhand.setting") / "recipes" / "order.txt").read_text("utf-8")
    return tuple(text.split())


def recipe_of(source: Source) -> Recipe:
    """A recipe from its text."""
    file = File(source, "recipe", CURE, "Split it, or leave out what it does not need.")
    return _Reading(file).recipe()


# -- what keys may be ------------------------------------------------------------------------------------------


def _words(value: object) -> object:
    if not isinstance(value, str) or not value.strip():
        raise Refused('words in quotes: "Two ways"')
    return value.strip()


def _text(value: object) -> object:
    if not isinstance(value, str) or not value.strip():
        raise Refused('a network in the notation, between """ and """')
    return value


def _kinds(value: object) -> object:
    expected = f"a list of kinds of questions, among {', '.join(KINDS)}"
    listed = cast("list[object]", value) if isinstance(value, list) else []
    if not listed or any(kind not in KINDS for kind in listed) or len(set(map(str, listed))) < len(listed):
        raise Refused(expected)
    return tuple(cast("list[Kind]", listed))


def _whole(least: int, most: int) -> Taking:
    expected = f"a whole number from {least} to {most}"

    def taking(value: object) -> object:
        found = number(value, least, most, expected)
        if found.denominator != 1:
            raise Refused(expected)
        return int(found)

    return taking


def _positive(value: object) -> object:
    expected = "a number above 0"
    found = number(value, 0, LARGE, expected)
    if not found:
        raise Refused(expected)
    return found


def _share(value: object) -> object:
    return number(value, 0, 10, "a share from 0, all alike, to 10: 0.25 is a quarter more or less")


def _widths(value: object) -> object:
    expected = "a list of two to nine numbers of units, each from 1 to 9, inputs first: [2, 2, 1]"
    listed = cast("list[object]", value) if isinstance(value, list) else []
    if not 2 <= len(listed) <= 9 or any(isinstance(n, bool) or not isinstance(n, int) for n in listed):
        raise Refused(expected)
    widths = tuple(cast("list[int]", listed))
    if not all(1 <= width <= 9 for width in widths):
        raise Refused(expected)
    return widths


def _activations(value: object) -> object:
    expected = 'the name of an activation, "none", or a list of them, one for each layer behind the inputs'
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not listed:
        raise Refused(expected)
    names = cast("list[object]", listed)
    for name in names:
        if name != "none" and (not isinstance(name, str) or name not in FUNCTIONS):
            near = get_close_matches(str(name), sorted(FUNCTIONS), n=1)
            hint = f": {near[0]} is one" if near else ""
            raise Refused(f"{expected}; {short(name)} is no operation of the table{hint}")
    return tuple(cast("list[str]", names))


def _range(value: object) -> object:
    """`{ from, to, step, avoid }`, a list of numbers, or one number."""
    expected = "a range { from = -3, to = 3 }, perhaps with step = 0.5 and avoid = [0, 1], or a list of numbers"
    if isinstance(value, list):
        listed = [number(one, -LARGE, LARGE, expected) for one in cast("list[object]", value)]
        if not listed or len(listed) > CHOICES:
            raise Refused(f"at least one number, and at most {CHOICES}")
        return Range(tuple(dict.fromkeys(listed)))
    if not isinstance(value, dict):
        return Range((number(value, -LARGE, LARGE, expected),))
    table = cast("dict[str, object]", value)
    if not {"from", "to"} <= set(table) <= {"from", "to", "step", "avoid"}:
        raise Refused(expected)
    low, high = (number(table[key], -LARGE, LARGE, expected) for key in ("from", "to"))
    step = number(table.get("step", 1), 0, LARGE, expected)
    avoid = table.get("avoid", [0])
    if not isinstance(avoid, list):
        raise Refused(expected)
    avoided = [number(one, -LARGE, LARGE, expected) for one in cast("list[object]", avoid)]
    if low > high:
        raise Refused(f"a range that begins below its end, as {{ from = {high}, to = {low} }}")
    if not step or (high - low) / step >= CHOICES:
        raise Refused(f"a range of at most {CHOICES} numbers; step says how far they are from each other")
    found = Range.between(low, high, step, avoided)
    if not found.numbers:
        raise Refused("a range with some number in it; 0 is avoided unless avoid says otherwise: avoid = []")
    return found


EXERCISE: dict[str, Taking] = {
    "title": _words, "text": _words, "net": _text, "of": _words, "kinds": _kinds, "weights": switch,
    "digits": _whole(1, 12),
}  # fmt: skip
LAYERS: dict[str, Taking] = {
    "widths": _widths,
    "activations": _activations,
    "biases": switch,
    "loss": one_of("square", "half-square", "cross-entropy", "none"),
}
RESULTS: dict[str, Taking] = {
    "largest": _positive, "decimals": _whole(0, 12), "fractions": _whole(1, 10_000), "exact": switch,
}  # fmt: skip
DIFFICULTY: dict[str, Taking] = {"spread": _share}
TABLES = ("exercise", "layers", "numbers", "results", "difficulty")
KINDS_DRAWN = ("input", "weight", "bias", "target")


class _Reading:
    """A file on its way to a recipe."""

    def __init__(self, file: File) -> None:
        self.file = file
        self.tables = file.tables(TABLES)
        self.said = file.keys("exercise", self.tables.get("exercise", {}), EXERCISE)

    def recipe(self) -> Recipe:
        file, said = self.file, self.said
        graph = self._graph()
        results = file.keys("results", self.tables.get("results", {}), RESULTS)
        difficulty = file.keys("difficulty", self.tables.get("difficulty", {}), DIFFICULTY)
        numbers = self._numbers(graph)
        of = self._output(graph)
        raise_all(file.errors)
        assert graph is not None
        plain = of_graph(
            graph,
            of=of,
            name=file.source.name,
            text=file.source.text,
            title=cast("str", said.get("title", "")),
            kinds=cast("Sequence[Kind]", said.get("kinds", ("values", "derivatives"))),
            weights=bool(said.get("weights", False)),
            digits=cast("int", said.get("digits", 4)),
        )
        ranges = {name: self._range_of(graph, name, numbers, plain.ranges[name]) for name in plain.ranges}
        fixed = {name: one.numbers[0] for name, one in ranges.items() if len(one.numbers) == 1}
        return replace(
            plain,
            graph=with_values(graph, fixed),
            ranges={name: one for name, one in ranges.items() if len(one.numbers) > 1},
            words=cast("str", said.get("text", "")),
            results=replace(self._usual(plain.results, ranges), **cast("dict[str, Any]", results)),
            spread=cast("Fraction", difficulty.get("spread", plain.spread)),
        )

    # -- the network -------------------------------------------------------------------------------------------

    def _graph(self) -> Graph | None:
        file = self.file
        net, layers = self.said.get("net"), self.tables.get("layers")
        if net is not None and layers is not None:
            file.refuse(("layers",), "There are a net and layers, and only one can be the network.", "Leave one out.")
        elif isinstance(net, str):
            return self._parsed(net)
        elif layers is not None:
            keys = file.keys("layers", layers, LAYERS)
            if "widths" not in keys and "widths" not in layers:
                file.refuse(("layers",), "[layers] has no widths.", "Say how many units each has: widths = [2, 2, 1].")
            elif "widths" in keys:
                return self._layered(keys)
        elif "net" not in self.tables.get("exercise", {}):
            file.refuse(("exercise",), "A recipe has a network, and this one has none.", CURE)
        return None

    def _parsed(self, net: str) -> Graph | None:
        """The network, read as a text in which all but it is blank, so that its errors stand at their places."""
        file = self.file
        at = file.text.find(net)
        text = net
        if at >= 0:
            text = re.sub(r"[^\n]", " ", file.text[:at]) + net
        try:
            return bh.read(Source(text, file.source.name))
        except SeveralErrors as errors:
            file.errors += list(errors.errors)
        except BackhandError as error:
            file.errors.append(error)
        return None

    def _layered(self, keys: Mapping[str, object]) -> Graph | None:
        widths = cast("tuple[int, ...]", keys["widths"])
        given = cast("tuple[str, ...]", keys.get("activations", ("none",)))
        activations = given * (len(widths) - 1) if len(given) == 1 else given
        if len(activations) != len(widths) - 1:
            many = len(widths) - 1
            what = f"There are {len(activations)} activations for {many} layer{'' if many == 1 else 's'}."
            self.file.refuse(("layers", "activations"), what, "Name one for all, or one for each.", value=True)
            return None
        text = layered(
            widths, activations, biases=bool(keys.get("biases", False)), loss=str(keys.get("loss", "square"))
        )
        try:
            return bh.read(Source(text, self.file.source.name))
        except BackhandError as error:
            self.file.refuse(("layers", "activations"), error.what, error.cure, value=True)
            return None

    def _output(self, graph: Graph | None) -> str | None:
        of = self.said.get("of")
        if graph is None or not isinstance(of, str):
            return None
        if of not in graph or not graph[of].computed:
            self.file.refuse(
                ("exercise", "of"), f"The network computes no {short(of)}.", "Name a quantity it has.", value=True
            )
            return None
        return of

    # -- the numbers ---------------------------------------------------------------------------------------------

    def _numbers(self, graph: Graph | None) -> dict[str, Range]:
        """Ranges by kind or name."""
        table = self.tables.get("numbers", {})
        drawn = [q.name for q in graph.quantities if not q.computed and q.kind != "constant"] if graph else []
        known = dict.fromkeys((*KINDS_DRAWN, *drawn))
        found: dict[str, Range] = {}
        for key, value in table.items():
            if graph is not None and key not in known:
                what = f"{short(key)} is no kind of quantity, and no given one of this network."
                self.file.refuse(("numbers", key), what, meant(key, known, "There are"))
                continue
            try:
                found[key] = cast("Range", _range(value))
            except Refused as refused:
                said = f"The range of {short(key)} is not one."
                self.file.refuse(("numbers", key), said, f"Give it {refused}.", value=True)
        return found

    @staticmethod
    def _usual(results: Results, ranges: Mapping[str, Range]) -> Results:
        """As many decimals as a product of two numbers that are drawn has, at least."""
        places = [terminating(number) or 0 for one in ranges.values() for number in one.numbers]
        return replace(results, decimals=max(results.decimals, 2 * max(places, default=0)))

    @staticmethod
    def _range_of(graph: Graph, name: str, numbers: Mapping[str, Range], usual: Range) -> Range:
        """What is said of it by name; else its own number, if it has one; else what is said of its kind."""
        quantity = graph[name]
        if name in numbers:
            return numbers[name]
        if isinstance(quantity.given, Fraction):
            return Range((quantity.given,))
        return numbers.get(quantity.kind, usual)


def with_values(graph: Graph, values: Mapping[str, Fraction]) -> Graph:
    """The network with these numbers for given quantities."""
    return Graph(
        tuple(replace(q, given=values[q.name], definition=None) if q.name in values else q for q in graph.quantities),
        graph.asks,
        graph.notices,
    )


def layered(widths: Sequence[int], activations: Sequence[str], *, biases: bool, loss: str) -> str:
    """A network of full layers in the notation: inputs A1 A2 ..., then B1 B2 ..., every arrow with a weight.

    >>> print(layered([1, 1], ["relu"], biases=True, loss="square"))
    input A = ?
    A -> B : ?
    B : relu, bias ?
    target t = ?
    L = (B - t)^2
    """
    letters = "ABCDEFGHI"
    names = [
        [f"{letters[k]}{n}" if width > 1 else letters[k] for n in range(1, width + 1)] for k, width in enumerate(widths)
    ]
    lines = [f"input {', '.join(f'{name} = ?' for name in names[0])}"]
    for tails, heads, activation in zip(names, names[1:], activations, strict=False):
        for head in heads:
            lines += [f"{tail} -> {head} : ?" for tail in tails]
            words = [activation] * (activation != "none") + ["bias ?"] * biases
            if words:
                lines.append(f"{head} : {', '.join(words)}")
    last = names[-1]
    if loss == "none":
        return "\n".join(lines)
    targets = ["t"] if len(last) == 1 else [f"t{n}" for n in range(1, len(last) + 1)]
    lines.append(f"target {', '.join(f'{t} = ?' for t in targets)}")
    if loss == "cross-entropy":
        terms = [f"({t} ln({y}) + (1 - {t}) ln(1 - {y}))" for t, y in zip(targets, last, strict=True)]
        lines.append(f"L = -({' + '.join(terms)})" if len(terms) > 1 else f"L = -{terms[0]}")
    else:
        half = "1/2 " if loss == "half-square" else ""
        lines.append("L = " + " + ".join(f"{half}({y} - {t})^2" for t, y in zip(targets, last, strict=True)))
    return "\n".join(lines)
