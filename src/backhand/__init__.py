"""Backhand does backpropagation by hand: it solves a network with the whole working, marks somebody's own, and sets
exercises.

    import backhand
    graph = backhand.read("q3.bh")                                   or backhand.Net()
    backhand.solve(graph)                                            every value and derivative
    backhand.code(graph, to="torch")                                 both passes as a program
    backhand.compile(graph)                                          both passes as a fast function
    backhand.mark(backhand.read_answer("q3-answer.md"), graph)       each line judged, the habit named
    backhand.set(graph, n=30, seed=7)                                exercises on which mistakes give different answers

The public names are those in `__all__`; each is loaded when it is first used, so that a command
that needs few of them starts quickly.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backhand.checking.check import Check, assert_backward, check
    from backhand.coding.code import code
    from backhand.core.builder import Net, Term
    from backhand.core.graph import Graph, Quantity
    from backhand.core.paths import path_product, paths
    from backhand.core.propagate import Propagation, propagate
    from backhand.core.rules import CALCULUS, Rules
    from backhand.core.tracing import fn, trace
    from backhand.display import draw, write
    from backhand.engines import Compiled, Result, compile  # noqa: A004 - the verb
    from backhand.errors import (
        BackhandError,
        CheckError,
        LimitError,
        ReadError,
        SeveralErrors,
        UndefinedError,
        UsageError,
    )
    from backhand.marking.mark import mark
    from backhand.marking.marking import Judgement, Marking
    from backhand.marking.policy import Policy
    from backhand.marking.work import Work
    from backhand.readers import read
    from backhand.readers.answer import read_answer
    from backhand.readers.quizzes import read_exercises
    from backhand.readers.recipe import built_in, read_recipe
    from backhand.setting.check import verify
    from backhand.setting.exercise import Bank, Exercise
    from backhand.setting.recipe import Recipe
    from backhand.setting.set import set  # noqa: A004 - the verb
    from backhand.solving.batch import per_example
    from backhand.solving.second import second_derivatives
    from backhand.solving.solution import Solution
    from backhand.solving.solve import solve
    from backhand.solving.stepping import step

__version__ = "0.1.0"

__all__ = [
    "CALCULUS",
    "BackhandError",
    "Bank",
    "Check",
    "CheckError",
    "Compiled",
    "Exercise",
    "Graph",
    "Judgement",
    "LimitError",
    "Marking",
    "Net",
    "Policy",
    "Propagation",
    "Quantity",
    "ReadError",
    "Recipe",
    "Result",
    "Rules",
    "SeveralErrors",
    "Solution",
    "Term",
    "UndefinedError",
    "UsageError",
    "Work",
    "assert_backward",
    "built_in",
    "check",
    "code",
    "compile",
    "draw",
    "fn",
    "mark",
    "path_product",
    "paths",
    "per_example",
    "propagate",
    "read",
    "read_answer",
    "read_exercises",
    "read_recipe",
    "second_derivatives",
    "set",
    "solve",
    "step",
    "trace",
    "verify",
    "write",
]

_HOMES = {
    "CALCULUS": "core.rules", "Rules": "core.rules", "Graph": "core.graph", "Quantity": "core.graph",
    "Net": "core.builder", "Term": "core.builder", "Propagation": "core.propagate", "propagate": "core.propagate",
    "paths": "core.paths", "path_product": "core.paths", "read": "readers", "solve": "solving.solve",
    "compile": "engines", "Compiled": "engines", "Result": "engines",
    "code": "coding.code", "step": "solving.stepping", "second_derivatives": "solving.second",
    "per_example": "solving.batch",
    "Solution": "solving.solution", "draw": "display", "write": "display", "mark": "marking.mark",
    "Judgement": "marking.marking", "Marking": "marking.marking", "Policy": "marking.policy",
    "Work": "marking.work", "read_answer": "readers.answer", "set": "setting.set", "verify": "setting.check",
    "Bank": "setting.exercise", "Exercise": "setting.exercise", "Recipe": "setting.recipe",
    "read_recipe": "readers.recipe", "built_in": "readers.recipe", "read_exercises": "readers.quizzes",
    "check": "checking.check", "Check": "checking.check", "assert_backward": "checking.check",
    "trace": "core.tracing", "fn": "core.tracing",
}  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'backhand' has no attribute {name!r}")
    return getattr(import_module(f"backhand.{_HOMES.get(name, 'errors')}"), name)
