"""The verb `set`: a network or a recipe to a Bank of exercises.

    Recipe --draw--> numbers --making--> Exercise: questions, answers, wrong answers, collisions

Every number is drawn from a generator that recipe, seed and number of the exercise determine; nothing else is random.
So the first five exercises of thirty are the five of five, on any machine.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from importlib.metadata import version
from typing import cast

from backhand import limits
from backhand.core.graph import Graph, a_network
from backhand.errors import LimitError, UsageError
from backhand.marking.misconceptions import by_key
from backhand.setting.draw import Drawer
from backhand.setting.exercise import KINDS, Bank, Exercise, Kind, Origin
from backhand.setting.making import USUAL, Maker, digest
from backhand.setting.recipe import Recipe, of_graph
from backhand.setting.telling import priors

Progress = Callable[[int, int], None]
"""Told after each exercise how many of how many are made."""


def set(  # noqa: A001 - the verb
    source: Graph | Recipe,
    *,
    n: int | None = None,
    seed: int | None = None,
    of: str | None = None,
    kinds: Sequence[Kind] | None = None,
    weights: bool | None = None,
    digits: int | None = None,
    aim: str | None = None,
    roster: Iterable[str] = (),
    name: str = "",
    title: str = "",
    progress: Progress | None = None,
) -> Bank:
    r"""Exercises from a recipe, or from a network: the same shape, `n` times new numbers; as it stands, without `n`,
    `seed`, `aim` and `roster`.

    `kinds` are the kinds of questions, `weights` whether derivatives by weights are asked for, `digits` the decimals of
    rounded answers, `aim` a habit by key or id on which the exercises are to be sharp, `roster` the names of students,
    each of whom gets an exercise. Raises UsageError where no numbers do what the recipe asks.

    >>> from backhand.readers import read
    >>> net = read("x = 2\nw = 3\nL = (w x - 1)^2")
    >>> len(set(net, n=2, seed=5).exercises)
    2
    """
    students = _students(roster, n)
    if isinstance(source, Graph):
        recipe = of_graph(source, of=of, name=name or "network", title=title)
    else:
        if not isinstance(cast("object", source), Recipe):
            a_network(source)
        recipe = source if of is None else replace(source, of=source.graph[of].name)
    recipe = replace(
        recipe,
        title=title or recipe.title,
        kinds=_kinds(kinds) if kinds is not None else recipe.kinds,
        weights=recipe.weights if weights is None else weights,
        digits=recipe.digits if digits is None else digits,
    )
    wanted = None if aim is None else habit(aim)
    if isinstance(source, Graph) and n is None and seed is None and aim is None and not students:
        return _as_it_stands(recipe)
    count = len(students) if students else 1 if n is None else n
    if not 1 <= count <= limits.EXERCISES:
        raise LimitError(f"{count} exercises are asked for; from 1 to {limits.EXERCISES} are made at once.")
    return _drawn(recipe, 1 if seed is None else seed, count, aim=wanted, students=students, progress=progress)


def _as_it_stands(recipe: Recipe) -> Bank:
    text = recipe.text
    maker = _maker(recipe, recipe.graph)
    one = replace(maker.exercise(Origin(recipe.name, digest(text), None, version("backhand"))), words=recipe.words)
    return Bank(recipe.title, (one,), text, ())


def _drawn(
    recipe: Recipe, seed: int, count: int, *, aim: str | None, students: Sequence[str], progress: Progress | None
) -> Bank:
    drawer = Drawer(recipe, seed, aim)
    made: list[Exercise] = []
    for number in range(1, count + 1):
        drawn = drawer.variant(number)
        origin = Origin(
            recipe.name, recipe.digest, seed, version("backhand"), number, students[number - 1] if students else None
        )
        maker = _maker(recipe, drawer.shape.graph(drawn.numbers), aim=aim)
        maker.wanted = _plant(maker, random.Random(f"{recipe.digest} {seed} {number} plant"))
        made.append(replace(maker.exercise(origin), words=recipe.words))
        if progress is not None:
            progress(number, count)
    return Bank(recipe.title, tuple(made), recipe.text, tuple(notes(made, drawer, aim)))


def _maker(recipe: Recipe, graph: Graph, *, aim: str | None = None) -> Maker:
    return Maker(
        graph, of=recipe.of, asks=recipe.kinds, title=recipe.title, weights=recipe.weights, digits=recipe.digits,
        aim=aim, plant=None,
    )  # fmt: skip


def _plant(maker: Maker, draw: random.Random) -> str | None:
    """The habit for the page with a mistake: the one aimed at, or one that can be told, likely ones more often."""
    if "mistake" not in maker.asks:
        return None
    if maker.aim is not None:
        return maker.aim
    keys = [key for key in maker.collisions.isolated if key in maker.seen.pages]
    shares = priors(keys)
    return draw.choices(keys, [shares[key] for key in keys])[0] if keys else None


# -- what was asked for -----------------------------------------------------------------------------------------


def habit(name: str) -> str:
    """The key of a habit, from its key or id. Raises UsageError for one that is not in the table.

    >>> habit("P1")
    'one-path-straight'
    """
    rows = by_key()
    if name in rows:
        return name
    for key, row in rows.items():
        if row.id.casefold() == name.casefold():
            return key
    near = get_close_matches(name.casefold(), rows, n=1, cutoff=0.4)
    cure = f"Did you mean {near[0]}?" if near else "docs/misconceptions.md lists them."
    raise UsageError(f"No habit is called {name}.", cure=cure)


def _kinds(kinds: Sequence[Kind]) -> tuple[Kind, ...]:
    found = tuple(dict.fromkeys(kinds))
    unknown = [kind for kind in found if kind not in KINDS]
    if unknown:
        raise UsageError(f"There is no kind of question {unknown[0]}.", cure=f"Choose among {', '.join(KINDS)}.")
    return found or USUAL


def _students(roster: Iterable[str], n: int | None) -> tuple[str, ...]:
    """The names, each once. Raises UsageError for a name that stands twice, or a number that does not fit."""
    names = tuple(" ".join(name.split()) for name in roster)
    seen: dict[str, int] = {}
    for place, name in enumerate(names, 1):
        if not name:
            raise UsageError(f"Student {place} of the roster has no name.", cure="Give each line a name.")
        folded = name.casefold()
        if folded in seen:
            what = f"{name} stands twice on the roster, as student {seen[folded]} and as student {place}."
            raise UsageError(what, cure="Tell the two apart: by a second name, or a number.")
        seen[folded] = place
    if names and n is not None and n != len(names):
        raise UsageError(
            f"{n} exercises are asked for, and {len(names)} students are on the roster.", cure="Leave -n out."
        )
    return names


# -- what is said about a bank -----------------------------------------------------------------------------------


def notes(made: Sequence[Exercise], drawer: Drawer, aim: str | None) -> Iterable[str]:
    """What could not be had, in plain sentences."""
    titles = {key: row.title for key, row in by_key().items()}
    hidden = [key for key in made[0].hidden if all(key in one.hidden for one in made)]
    if hidden:
        which = "; ".join(titles[key] for key in hidden)
        yield f"No numbers that were found show these mistakes: {which}."
    together = [group for group in made[0].collisions.alike if all(group in one.collisions.alike for one in made)]
    for group in together:
        yield f"No numbers that were found tell these mistakes apart: {'; '.join(titles[key] for key in group)}."
    if aim is not None:
        for one in made:
            unclear = {*one.hidden, *(key for group in one.collisions.alike for key in group)}
            if aim in unclear:
                number = one.origin.number
                yield f'On exercise {number} the mistake it is aimed at, "{titles[aim]}", looks like others.'
    middle, spread = drawer.middle, float(drawer.recipe.spread)
    far = [str(one.origin.number) for one in made if abs(one.difficulty.load - middle) > spread * middle]
    if far:
        share = round(100 * spread)
        yield f"The working of exercise {', '.join(far)} is more than {share} of 100 longer or shorter than the middle."


def summary(bank: Bank) -> Iterator[str]:
    """What a teacher wants to know at once: how alike the exercises are, what they tell, and what could not be had."""
    ones = bank.exercises
    if len(ones) > 1:
        loads = sorted(one.difficulty.load for one in ones)
        apart = sorted(one.telling.apart for one in ones)
        likely = sum(one.telling.weighted for one in ones) / len(ones)
        work = f"from {loads[0]} to {loads[-1]} digits, {loads[len(ones) // 2]} in the middle"
        yield f"{len(ones)} exercises. The work in them is {work}."
        many = f"{apart[0]} to {apart[-1]}" if apart[0] < apart[-1] else f"{apart[0]}"
        yield (
            f"Of {ones[0].telling.possible} known mistakes that can act here, {many} have numbers of their own; "
            f"one that is made is among them in {round(100 * likely)} of 100 cases."
        )
    yield from bank.notes


__all__ = ["Bank", "Progress", "habit", "set", "summary"]
