"""Pages about networks of arrays, in many hands, and what may happen to them.

    net         a network of any kind, from a seed
    page_of     somebody's working as a page, in one of STYLES; some leave lines out
    scanned     the page after a scanner
    spoiled     a working with one number changed, and which
    noise       wrong pages without a mistake behind them

A page is written from the trees and numbers of `arrays`; nothing is shared with what marks it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from students import arrays as st
from students.array_nets import KINDS
from students.arrays import Net, Tree, Working, d

Array = Any
LAYERS = ("plain", "softmax", "residual", "shared")
ALL_KINDS = (*LAYERS, *KINDS)
STYLES = ("numpy", "latex", "rows", "elements", "code", "prose")


def net(seed: object, kind: str = "") -> Net:
    """A network whose numbers are neither huge nor all zero, and without ties among what a maximum is taken of."""
    draw = random.Random(f"any net {seed}")
    kind = kind or draw.choice(ALL_KINDS)
    if kind in LAYERS:
        return st.drawn(seed, kind=kind)
    while True:
        made = KINDS[kind](draw)
        with np.errstate(all="ignore"):
            work, rough = st.student(made), st.student(made, digits=3)
        if sound(work) and sound(rough):
            return made


def sound(work: Working) -> bool:
    values = [np.asarray(value, float) for value in (*work.values.values(), *work.slopes.values())]
    if not all(np.isfinite(value).all() and np.abs(value).max() < 1e4 for value in values):
        return False
    if not 1e-3 < float(work.values["L"]) < 1e5 or not all(np.any(value) for value in work.slopes.values()):
        return False
    for tree in work.net.values.values():
        if tree[0] == "curve" and tree[1] != "relu" and np.abs(work.values[tree[2]]).max() > 4:
            return False
        if tree[0] == "softmax" and np.ptp(work.values[tree[1]], axis=-1).max() > 5:
            return False
        if tree[0] == "root" and work.values[tree[1]].min() < 0.05:
            return False
        if tree[0] == "pool" and not _clear(work.values[tree[1]]):
            return False
    return True


def _clear(image: Array) -> bool:
    """Whether each window has one largest number."""
    windows = [image[i : i + 2, j : j + 2] for i in range(len(image) - 1) for j in range(len(image) - 1)]
    return all((window == window.max()).sum() == 1 for window in windows)


def forward_mistakes(made: Net) -> list[tuple[str, dict[str, Tree]]]:
    """What may go wrong on the way forward: keys, and other trees for the values of whoever does so everywhere."""
    found: dict[str, dict[str, Tree]] = {}
    for name, tree in made.values.items():
        if tree[0] == "+" and isinstance(tree[2], str) and tree[2] in made.given:
            found.setdefault("term-dropped", {})[name] = tree[1]
        turned = _turned(made, tree)
        if turned is not None:
            found.setdefault("table-by-columns-forward", {})[name] = turned
        if tree[0] == "curve":
            found.setdefault("gate-forgotten-forward", {})[name] = tree[2]
        if tree[0] == "softmax":
            found["softmax-without-exp"] = {name: ("plain softmax", tree[1])}
            if np.ndim(st.worth(tree[1], st.student(made).values, {})) > 1:
                found["softmax-over-another-axis"] = {name: ("softmax the other way", tree[1])}
    return list(found.items())


def _turned(made: Net, tree: Tree) -> Tree | None:
    """The tree with its square weights turned; None where it has none."""
    if not isinstance(tree, tuple):
        return None
    if tree[0] == "@":
        for at in (1, 2):
            part = tree[at]
            if (
                isinstance(part, str)
                and part in made.given
                and part[0] in "WUV"
                and len(set(made.given[part].shape)) == 1
            ):
                return (*tree[:at], st.T(part), *tree[at + 1 :])
    parts = [_turned(made, part) for part in tree[1:]]
    if all(part is None for part in parts):
        return None
    return (tree[0], *(new if new is not None else old for old, new in zip(tree[1:], parts, strict=True)))


# -- writing ----------------------------------------------------------------------------------------------------------


@dataclass
class Page:
    """A page: its text, whose working it shows, and the derivatives that are left out."""

    text: str
    work: Working
    style: str
    left_out: frozenset[str] = frozenset()

    def first_wrong(self) -> str:
        """The derivative whose line is wrong first: it was made by another rule, or from one that is not shown and was."""
        bad: set[str] = set()
        for name in self.work.slopes:
            rests = {part for part in _slopes_in(self.work.trees[name]) if part in self.left_out}
            if name in self.work.mistaken or rests & bad:
                if name not in self.left_out:
                    return name
                bad.add(name)
        return ""


def _slopes_in(tree: Tree) -> set[str]:
    if not isinstance(tree, tuple):
        return set()
    if tree[0] == "d":
        return {tree[1]}
    return set().union(*(_slopes_in(part) for part in tree[1:]), set())


def page_of(
    work: Working, seed: object, *, digits: int | None, style: str = "", formulas: float = 0.6, leave: bool = True
) -> Page:
    draw = random.Random(f"hand {seed}")
    style = style or draw.choice(STYLES)
    left: frozenset[str] = frozenset()
    if leave and draw.random() < 0.25:
        inner = [name for name in work.slopes if name in work.net.values]
        left = frozenset(draw.sample(inner, min(len(inner), draw.randint(1, 2))))
    hand = _Hand(draw, style, digits, work)
    lines: list[str] = []
    for name, tree in work.net.values.items():
        lines += hand.line(name, tree if draw.random() < formulas else None, work.values[name])
    for name, value in work.slopes.items():
        if name not in left:
            lines += hand.line(d(name), work.trees[name] if draw.random() < formulas else None, value)
    return Page("\n".join(lines), work, style, left)


class _Hand:
    """One person's way to write a line."""

    def __init__(self, draw: random.Random, style: str, digits: int | None, work: Working) -> None:
        self.draw, self.style, self.digits = draw, style, digits
        self.base = {"elements": draw.choice(["rows", "latex", "numpy"]), "code": "numpy", "prose": "rows"}.get(
            style, style
        )
        self.matrix = draw.choice(["bmatrix", "pmatrix", "array"])
        self.comment = draw.choice(["# {}", "#=> {}", "print"])
        self.count = draw.choice([0, 1])
        self.work = work

    def line(self, head: Tree, tree: Tree | None, value: Array) -> list[str]:
        name = st.formula(head, self.base)
        rule = st.formula(tree, self.base) if tree is not None else ""
        if rule == name or not rule:
            rule = ""
        about = {"latex": self._latex, "numpy": self._numpy, "rows": self._rows, "code": self._code}
        if self.style == "elements" and np.ndim(value):
            return self._elements(head, name, rule, value)
        if self.style == "prose":
            return [self._prose(name, rule, value, derivative=not isinstance(head, str))]
        return about[self.style if self.style in about else self.base](name, rule, value)

    def _latex(self, name: str, rule: str, value: Array) -> list[str]:
        shown = st.bmatrix(value, self.digits)
        if self.matrix == "array":
            columns = 1 if np.ndim(value) < 2 else np.shape(value)[1]
            shown = shown.replace("\\begin{bmatrix}", rf"\left[ \begin{{array}}{{{'c' * columns}}}")
            shown = shown.replace("\\end{bmatrix}", r"\end{array} \right]")
        else:
            shown = shown.replace("bmatrix", self.matrix)
        links = [name, *([rule] if rule else []), shown]
        sign = r" \approx " if self.digits is not None and "." in shown else " = "
        return ["$$" + " = ".join(links[:-1]) + sign + links[-1] + "$$"]

    def _numpy(self, name: str, rule: str, value: Array) -> list[str]:
        lines = [f"{name} = {rule}"] if rule else []
        shown = st.printed(value, self.digits)
        return [*lines, f"{name} =", *shown.split("\n")] if "\n" in shown else [*lines, f"{name} = {shown}"]

    def _rows(self, name: str, rule: str, value: Array) -> list[str]:
        return [" = ".join([name, *([rule] if rule else []), st.listed(value, self.digits)])]

    def _code(self, name: str, rule: str, value: Array) -> list[str]:
        if not rule:
            return [f"{name} = np.array({st.listed(value, self.digits)})" if np.ndim(value) else
                    f"{name} = {st.listed(value, self.digits)}"]  # fmt: skip
        if self.comment == "print":
            return [f"{name} = {rule}", f"print({name})", *st.printed(value, self.digits).split("\n")]
        return [f"{name} = {rule}  {self.comment.format(st.listed(value, self.digits))}"]

    def _prose(self, name: str, rule: str, value: Array, *, derivative: bool) -> str:
        shown = st.listed(value, self.digits)
        if rule:
            shown = f"{rule} = {shown}"
        what = name
        if derivative and self.draw.random() < 0.5:
            by = name.partition("/d")[2]
            what = self.draw.choice(["the derivative of L with respect to {}", "the gradient of L with respect to {}",
                                     "the gradient at {}"]).format(by)  # fmt: skip
        said = self.draw.choice(
            [
                "So {} is {}.",
                "{} comes to {}.",
                "We get {} = {}.",
                "Hence {} = {}.",
                "Then {} equals {}.",
                "Now {} = {},",
            ]
        )
        text = said.format(what, shown)
        return text if text.startswith(what) and what == name else text[0].upper() + text[1:]

    def _elements(self, head: Tree, name: str, rule: str, value: Array) -> list[str]:
        lines = [f"$${name} = {rule}$$" if self.base == "latex" else f"{name} = {rule}"] if rule else []
        for place, number in np.ndenumerate(value):
            text = st.number(float(number), self.digits)
            told = ",".join(str(n + self.count) for n in place)
            if self.base == "latex":
                whole = head if isinstance(head, str) else head[1]
                layer = f"^{{({whole[1:]})}}" if whole[1:].isdigit() else ""
                plain = whole if not layer else whole[0]
                sub = told if layer or len(plain) == 1 else ""
                if not sub:
                    return [*lines, *self._latex(name, "", value)]
                if f"{plain}{sub}" in {*self.work.net.given, *self.work.net.values}:
                    return [*lines, *self._latex(name, "", value)]  # h_0 is another thing than the first of h
                one = f"{plain}{layer}_{{{sub}}}"
                one = one if isinstance(head, str) else rf"\frac{{\partial L}}{{\partial {one}}}"
                lines.append(f"$${one} = {text}$$")
            else:
                lines.append(f"{name}[{','.join(map(str, place))}] = {text}")
        return lines


# -- what happens to pages ----------------------------------------------------------------------------------------------

HARMLESS: dict[str, tuple[str, Callable[[re.Match[str]], str]]] = {
    "dash": (r"-(?=\d)", lambda found: "−"),
    "spaces": (r" (?=[=&])", lambda found: "  "),
    "tight": (r"(?<=\d), (?=[-−\d])", lambda found: ","),
    "left": (r"\\begin\{bmatrix\}", lambda found: r"\begin{bmatrix} "),
}
HARMFUL: dict[str, tuple[str, Callable[[re.Match[str]], str]]] = {
    "l for 1": (r"(?<=[\[ ])1(?=[\], ])", lambda found: "l"),
    "O for 0": (r"(?<=[\[ ])0(?=[.\], ])", lambda found: "O"),
    "lost minus": (r"(?<=[\[ ])-(?=\d)", lambda found: ""),
    "lost comma": (r"(?<=\d), (?=\d)", lambda found: " "),
    "point": (r"(?<=\d)\.(?=\d)", lambda found: ","),
    "8 for 3": (r"3(?=[\], ])", lambda found: "8"),
    "bracket": (r"\](?=\]|$)", lambda found: ")"),
}


def scanned(text: str, seed: object, *, harmful: bool) -> tuple[str, set[int]]:
    """The page after a scanner, and the lines in which it changed what they say."""
    draw = random.Random(f"scanner {seed}")
    table = {**HARMLESS, **HARMFUL} if harmful else HARMLESS
    chosen = draw.sample(list(table), draw.randint(1, 3))
    if harmful and not set(chosen) & set(HARMFUL):
        chosen[0] = draw.choice(list(HARMFUL))
    touched: set[int] = set()
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        for name in chosen:
            pattern, slip = table[name]

            def change(found: re.Match[str], slip: Any = slip, name: str = name, at: int = number) -> str:
                if draw.random() > (0.9 if name in HARMLESS else 0.1):
                    return found[0]
                if name in HARMFUL:
                    touched.add(at)
                return slip(found)

            line = re.sub(pattern, change, line)
        lines[number - 1] = line
    return "\n".join(lines), touched


def changed(value: Array, draw: random.Random, digits: int | None) -> tuple[Array, tuple[int, ...]]:
    """An array with one number off by ten or more units of its last digit."""
    made = np.array(value, float)
    place = tuple(draw.randrange(n) for n in made.shape)
    whole = abs(made[place] - round(float(made[place]))) < 1e-12
    shown = 0 if whole else (min(8, 10 - len(str(abs(int(made[place]))))) if digits is None else digits)
    unit = 10.0**-shown
    made[place] = round(made[place] + draw.choice([-1, 1]) * draw.randint(10, 60) * unit, shown)
    if shown and abs(made[place] * 10 ** (shown - 1) - round(made[place] * 10 ** (shown - 1))) < 1e-6:
        made[place] = round(made[place] + unit, shown)  # printed with all its decimals
    return made, place


def spoiled(work: Working, seed: object, digits: int | None) -> tuple[Working, str, tuple[int, ...]]:
    """The working with one number changed, of a value or of a derivative; its name, and where in the array."""
    draw = random.Random(f"spoil {seed}")
    name = draw.choice([*work.net.values, *(f"dL/d{by}" for by in work.slopes)])
    by = name.removeprefix("dL/d")
    kept = work.slopes if name != by else work.values
    made, place = changed(kept[by], draw, digits)
    values, slopes = dict(work.values), dict(work.slopes)
    (slopes if name != by else values)[by] = made
    return replace(work, values=values, slopes=slopes), name, place


def noise(seed: object, digits: int | None) -> tuple[Net, Working, str]:
    """A network, and a page about it that is wrong without a mistake: slips carried on or not, guesses, numbers in
    wrong places, a right page with other numbers or of another exercise."""
    draw = random.Random(f"noise {seed}")
    sort = draw.choice(
        ["slip", "two slips", "carried", "guessed", "other", "shuffled", "other numbers", "other exercise"]
    )
    one = net(f"noise {seed}")
    work = st.student(one, digits=digits)
    names = list(work.slopes)
    slopes = dict(work.slopes)
    if sort == "other numbers":
        kind = draw.choice(ALL_KINDS)
        one, other = (net(f"noise {seed} {n}", kind) for n in (1, 2))
        return one, st.student(other, digits=digits), sort
    if sort == "other exercise":
        one, other = (net(f"noise {seed} {n}", draw.choice(ALL_KINDS)) for n in (1, 2))
        return one, st.student(other, digits=digits), sort
    if sort == "shuffled":
        for name in draw.sample(names, max(2, len(names) // 2)):
            value = np.array(slopes[name], float)
            mixed = np.array(draw.sample(list(value.ravel()), value.size)).reshape(value.shape)
            if not np.array_equal(mixed, value.T):  # a transpose is a mistake with a name
                slopes[name] = mixed
    elif sort in ("other", "guessed"):
        pool = [float(n) for n in range(-12, 13)]
        if sort == "other":
            pool = [float(n) for other in work.slopes.values() for n in np.ravel(other)]
        for name in draw.sample(names, draw.randint(1, max(2, len(names) // 2))):
            size = int(np.prod(np.shape(slopes[name])))
            slopes[name] = np.array([draw.choice(pool) for _ in range(size)]).reshape(np.shape(slopes[name]))
    else:
        for name in draw.sample(names, 2 if sort == "two slips" else 1):
            slopes[name], _ = changed(slopes[name], draw, digits)
            if sort == "carried":
                for later in names[names.index(name) + 1 :]:
                    found = st.worth(work.trees[later], work.values, slopes)
                    slopes[later] = np.asarray(found if digits is None else np.round(found, digits))
    return one, replace(work, slopes=slopes), sort


def numbers(work: Working) -> Mapping[str, Array]:
    """What a page shows, by the names that Backhand has for it."""
    return {
        **{name: work.values[name] for name in work.net.values},
        **{f"dL/d{name}": value for name, value in work.slopes.items()},
    }
