"""An exercise is data: a network, what is asked about it, the right answers and the wrong ones that were foreseen.

    Bank          several exercises of one kind, made together from a recipe and a seed
      Exercise    one of them: network, questions, solution, what can be told apart on it, how hard it is
        Question  one number that is asked for, with its answer
          Wrong   a number that somebody with a habit writes there, and what to say to that person

Wrong answers are computed by replaying the table of habits (`marking.misconceptions`) on the network; none is typed in.
`making.exercise_of` makes an Exercise. Its sentences are in `explaining.exercise`, its formats in `writers`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Literal, TypeAlias

from backhand.core.graph import Graph
from backhand.marking.about import About
from backhand.marking.diagnose import Collisions
from backhand.numbers import Number
from backhand.solving.solution import Solution

Kind: TypeAlias = Literal["values", "derivatives", "pairs", "path", "mistake", "working"]
"""What a question is: a value; a derivative of the output; a derivative of any quantity by any other; the product along
one way; the right number for the first wrong line of a page; a gap in a line of the working."""

KINDS: tuple[Kind, ...] = ("values", "derivatives", "pairs", "path", "mistake", "working")


@dataclass(frozen=True, slots=True)
class Wrong:
    """A wrong number and who writes it: `keys` and `ids` are rows of the table of habits, likeliest first; with more
    than one of them this number alone does not tell which. `titles` go with the keys; `remark` is what to say."""

    number: Number
    keys: tuple[str, ...]
    ids: tuple[str, ...]
    titles: tuple[str, ...]
    remark: str

    @property
    def title(self) -> str:
        return self.titles[0] if len(self.titles) == 1 else "either " + ", or ".join(self.titles)


@dataclass(frozen=True, slots=True)
class Question:
    """One number asked for.

    `about`    what it is: a value, a derivative, a local derivative
    `answer`   the right number; exact as a Fraction, else a float to be given with `digits` decimals
    `wrong`    the numbers that habits give here, the likeliest first; each differs from the answer and from the others
               by more than twice the tolerance
    `path`     for a path: the names along it, from `about.by` to `about.of`
    `line`     for a gap: what the line of working is about in which it stands; `place` counts the gaps of that line
    """

    kind: Kind
    about: About
    answer: Number
    digits: int | None = None
    wrong: tuple[Wrong, ...] = ()
    path: tuple[str, ...] = ()
    line: About | None = None
    place: int = 0

    @property
    def exact(self) -> bool:
        return self.digits is None

    @property
    def tolerance(self) -> Fraction:
        """How far an accepted answer may be off: nothing for an exact one, else one unit of the last digit."""
        return Fraction(0) if self.digits is None else Fraction(1, 10**self.digits)

    @property
    def key(self) -> str:
        """A name that is the only one of its kind in the exercise, the same in every variant."""
        parts = [self.kind, str(self.about)]
        if self.path:
            parts.append("-".join(self.path))
        if self.line is not None:
            parts.append(f"{self.line}#{self.place}")
        return " ".join(parts)


@dataclass(frozen=True, slots=True)
class Shown:
    """A line of the worked page in which a mistake is to be found: its number as written there; `follows` says that it
    comes out of the lines before it by the right rule."""

    about: About
    number: Number
    true: bool
    follows: bool


@dataclass(frozen=True, slots=True)
class Planted:
    """A worked page with one habit in it. `first` is the position of the first line that does not follow."""

    key: str
    id: str
    title: str
    remark: str
    lines: tuple[Shown, ...]
    first: int


@dataclass(frozen=True, slots=True)
class Difficulty:
    """How much work an exercise is.

    `paths` ways from inputs to the output · `depth` of the longest · `signs` products and sums with a minus in them ·
    `load` digits multiplied and added in the whole working · `largest` number in it, without its sign
    """

    paths: int
    depth: int
    signs: int
    load: int
    largest: Fraction

    def items(self) -> Iterator[tuple[str, Number]]:
        """Name and number of each measure."""
        for field in fields(self):
            yield field.name, Fraction(getattr(self, field.name))


@dataclass(frozen=True, slots=True)
class Telling:
    """How well an exercise tells habits apart. Of the `possible` habits, which can act on a network of this shape,
    `apart` have numbers of their own here, and `named` can be named by `mark` from the numbers alone: they show in
    more than one line. `weighted` is the chance that a habit that is met is one of those with numbers of their own, by
    the bits of the table; `plain` the same if all were equally likely."""

    weighted: float
    plain: float
    apart: int
    named: int
    possible: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an exercise comes from, so that it can be made again: it stands on every sheet and in every file.

    `recipe` is the name of the recipe or network, `digest` the first digits of the SHA-256 of its text, `seed` None for
    a network taken as it stands, `version` that of Backhand, `number` counts from 1 in the bank; `student` is the name
    on a roster.
    """

    recipe: str
    digest: str
    seed: int | None
    version: str
    number: int = 1
    student: str | None = None

    def __str__(self) -> str:
        seed = "" if self.seed is None else f", seed {self.seed}"
        return f"{self.recipe} ({self.digest}){seed}, number {self.number}, Backhand {self.version}"


@dataclass(frozen=True, slots=True, eq=False)
class Exercise:
    """One exercise. `asks` are the kinds of questions in it; `absent` are habits that cannot act on a network of this
    shape at all; `collisions` say which of the others look alike here, or cannot be seen."""

    title: str
    graph: Graph
    of: str
    asks: tuple[Kind, ...]
    questions: tuple[Question, ...]
    solution: Solution
    collisions: Collisions
    absent: tuple[str, ...]
    telling: Telling
    difficulty: Difficulty
    origin: Origin
    planted: Planted | None = None
    aim: str | None = None
    """The habit this exercise is aimed at, for a retest."""
    words: str = ""
    """What the recipe says on top of the sheet."""

    @property
    def wrong_answers(self) -> dict[About, tuple[Wrong, ...]]:
        """What habits give, by what is asked."""
        return {q.about: q.wrong for q in self.questions if q.kind in ("values", "derivatives")}

    @property
    def hidden(self) -> tuple[str, ...]:
        """Habits that could act here, and whose numbers all come out right."""
        return tuple(key for key in self.collisions.hidden if key not in self.absent)

    def of_kind(self, kind: Kind) -> tuple[Question, ...]:
        """The questions of one kind."""
        return tuple(question for question in self.questions if question.kind == kind)


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """Exercises made together. `text` is the recipe, or the network, they were made from; `notes` say plainly what
    could not be had: habits that no numbers tell apart, variants that repeat numbers."""

    title: str
    exercises: tuple[Exercise, ...]
    text: str
    notes: tuple[str, ...] = ()

    @property
    def origin(self) -> Origin:
        return self.exercises[0].origin

    def of_student(self, name: str) -> Exercise | None:
        """The exercise of somebody on the roster."""
        return next((one for one in self.exercises if one.origin.student == name), None)
