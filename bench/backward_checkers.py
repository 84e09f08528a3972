# Planted bugs in hand-written backward code, shown to backhand.check, torch.autograd.gradcheck and jax's check_grads.
#
#   python bench/backward_checkers.py            the table, as in docs/check.md
#   python bench/backward_checkers.py --summary  only the counts
#   python bench/backward_checkers.py --fourth   the fourth lot, which was written before the table was looked at; so
#                                                were --sixth, --seventh, --eighth, which are shown without a flag, too
#
# The programs are those of tests/backward_code*.py: the forward half is right, one thing on the way back is not.

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import jax
import torch
from backward_code import PROGRAMS, Program
from backward_code_eighth import PROGRAMS as EIGHTH
from backward_code_eighth import accepted as accepted_eighth
from backward_code_fourth import KEYS, Written
from backward_code_fourth import PROGRAMS as FOURTH
from backward_code_more import MORE
from backward_code_seventh import PROGRAMS as SEVENTH
from backward_code_seventh import RETURNS
from backward_code_seventh import accepted as accepted_seventh
from backward_code_sixth import PROGRAMS as SIXTH
from backward_code_sixth import accepted as accepted_sixth
from backward_code_third import THIRD
from jax.test_util import check_grads

import backhand
from backhand.checking.drawing import given_numbers

jax.config.update("jax_enable_x64", True)
warnings.filterwarnings("ignore")


class Text:
    """A program that is text, as those of the first lots are: bugs with the keys that are right for them."""

    def __init__(self, written: Written, bugs: Mapping[str, str | tuple[str, ...]]) -> None:
        self.written = written
        self.name = written.name
        self.bugs = bugs
        self.planted = {bug.name: bug for bug in written.bugs}

    def graph(self):
        return backhand.trace(self.written.loss, **self.written.inputs)

    def function(self, bug: str = ""):
        backward = self.written.backward(*([self.planted[bug]] if bug else []))

        def function(**given):
            numbers = {name: np.asarray(value, float) for name, value in given.items()}
            handed = {
                name: torch.tensor(value) if self.written.arrays == "torch" else value
                for name, value in numbers.items()
            }
            found = backward(**handed)
            found = dict(zip(RETURNS[self.name], found, strict=True)) if self.name in RETURNS else found
            return float(self.written.loss(**numbers)), {name: np.asarray(value) for name, value in found.items()}

        return function


def derivatives(program: Program | Text, function, given):
    """What a program gives, by the name of the quantity."""
    loss, grads = function(**given)
    return float(loss), {
        key[1:]: np.asarray(value, float) for key, value in grads.items() if key[1:] in given and value is not None
    }


def by_torch(program: Program | Text, bug: str) -> str:
    """What torch.autograd.gradcheck says: "" where it is content, else the first line of its message."""
    graph = program.graph()
    given = {name: np.asarray(value, float) for name, value in given_numbers(graph).items()}
    function = program.function(bug)
    by = list(derivatives(program, program.function(), given)[1])

    class Mine(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *values):
            now = {**given, **{name: value.detach().numpy().copy() for name, value in zip(by, values, strict=True)}}
            ctx.now = now
            return torch.tensor(derivatives(program, program.function(), now)[0], dtype=torch.float64)

        @staticmethod
        def backward(ctx, upstream):
            _, grads = derivatives(program, function, ctx.now)
            return tuple(
                upstream * (torch.tensor(grads[name]) if name in grads else torch.zeros(given[name].shape))
                for name in by
            )

    tensors = [torch.tensor(given[name], dtype=torch.float64, requires_grad=True) for name in by]
    try:
        torch.autograd.gradcheck(Mine.apply, tensors)
    except Exception as error:  # noqa: BLE001 - whatever it says is what we want to know
        return str(error).strip().splitlines()[0]
    return ""


def by_jax(program: Program | Text, bug: str) -> str:
    """The same of jax.test_util.check_grads."""
    graph = program.graph()
    given = {name: np.asarray(value, float) for name, value in given_numbers(graph).items()}
    function = program.function(bug)
    by = list(derivatives(program, program.function(), given)[1])

    def now(values):
        return {**given, **{name: np.array(value) for name, value in zip(by, values, strict=True)}}

    def forward(*values):
        return np.float64(derivatives(program, program.function(), now(values))[0])

    @jax.custom_vjp
    def mine(*values):
        return jax.pure_callback(forward, jax.ShapeDtypeStruct((), np.float64), *values)

    def fwd(*values):
        return mine(*values), values

    def bwd(values, upstream):
        shapes = tuple(jax.ShapeDtypeStruct(value.shape, np.float64) for value in values)

        def callback(*inner):
            grads = derivatives(program, function, now(inner))[1]
            return tuple(grads.get(name, np.zeros(given[name].shape)) for name in by)

        found = jax.pure_callback(callback, shapes, *values)
        return tuple(upstream * one for one in found)

    mine.defvjp(fwd, bwd)
    try:
        check_grads(mine, tuple(given[name] for name in by), order=1, modes=["rev"])
    except Exception as error:  # noqa: BLE001
        lines = [line for line in str(error).strip().splitlines() if line.strip()]
        return lines[0] if lines else type(error).__name__
    return ""


def main(summary: bool, programs: list[Program | Text]) -> int:
    counts = {"bugs": 0, "named": 0, "wrongly": 0, "silent": 0, "torch": 0, "jax": 0}
    seconds = 0.0
    if not summary:
        print("| Program | Planted | `backhand.check` | gradcheck | check_grads |")
        print("|---|---|---|---|---|")
    for program in programs:
        graph = program.graph()
        assert backhand.check(program.function(), graph).ok
        assert by_torch(program, "") == "", program.name
        assert by_jax(program, "") == "", program.name
        for bug, key in program.bugs.items():
            start = time.perf_counter()
            found = backhand.check(program.function(bug), graph)
            seconds += time.perf_counter() - start
            torch_says, jax_says = by_torch(program, bug), by_jax(program, bug)
            named = found.explained.key if found.explained else ""
            right = named in ((key,) if isinstance(key, str) else key)
            counts["bugs"] += 1
            counts["named"] += right
            counts["wrongly"] += bool(named) and not right
            counts["silent"] += not named
            counts["torch"] += bool(torch_says)
            counts["jax"] += bool(jax_says)
            if not summary:
                title = found.explained.mistake.title if found.explained else "no name"
                first = found.first.about if found.first else "-"
                words = f"{first}: {title}" if right else f"**{first}: {title}**"
                print(f"| {program.name} | {bug} | {words} | {said(torch_says)} | {said(jax_says)} |")
    print()
    print(
        f"{counts['bugs']} bugs: named right {counts['named']}, named wrongly {counts['wrongly']}, no name "
        f"{counts['silent']}; gradcheck says that something differs {counts['torch']} times, check_grads {counts['jax']} "
        f"times. A call of check takes {1000 * seconds / counts['bugs']:.0f} ms."
    )
    return counts["wrongly"]


def said(message: str) -> str:
    if not message:
        return "content"
    if any(word in message for word in ("shape", "size", "Incompatible", "custom_vjp", "broadcast", "CpuCallback")):
        return "wrong shape"
    if "reentrant" in message.lower():
        return "not reentrant"
    return "differs"


def chosen(flags: Sequence[str]) -> list[Program | Text]:
    """The programs of the lots that are asked for; without a flag all but the fourth, which takes minutes."""
    fresh = {
        "--fourth": [Text(one, KEYS[one.name]) for one in FOURTH],
        "--sixth": [Text(one, {bug.name: accepted_sixth(one, bug) for bug in one.bugs}) for one in SIXTH],
        "--seventh": [Text(one, {bug.name: accepted_seventh(one, bug) for bug in one.bugs}) for one in SEVENTH],
        "--eighth": [Text(one, {bug.name: accepted_eighth(one, bug) for bug in one.bugs}) for one in EIGHTH],
    }
    asked = [program for flag, lot in fresh.items() if flag in flags for program in lot]
    return asked or [*(PROGRAMS | MORE | THIRD).values(), *fresh["--sixth"], *fresh["--seventh"], *fresh["--eighth"]]


if __name__ == "__main__":
    sys.exit(main("--summary" in sys.argv, chosen(sys.argv)))
