"""The verb `check`: somebody's backward function and a network to a Check.

    function --calling--> what it gives, on several sets of numbers --replay--> which quantity differs first, and why

The function is called with the network's own numbers and with random ones of the same shapes, so that equal numbers
and symmetric matrices hide nothing. Every mistake of the table is replayed through the whole way back; one is named
only if it gives all that the function gave, for all numbers. Otherwise the first difference is reported alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from backhand.checking.calling import Arrays, Backward, Caller
from backhand.checking.cases import Case
from backhand.checking.corners import settled
from backhand.checking.drawing import drawn, given_numbers
from backhand.checking.mistakes import NOT_RESET, Mistake
from backhand.checking.replay import (
    IMPOSSIBLE,
    Belief,
    Trial,
    WayBack,
    differs,
    truths,
    unfollowed,
)
from backhand.checking.search import Found, explained
from backhand.core.array_operations import shown
from backhand.core.graph import Graph, a_network
from backhand.errors import UndefinedError, UsageError

Verdict: TypeAlias = Literal["right", "wrong", "follows", "missing"]
TRIALS = 4
ROUGH = 1e-3
"""How far single precision may be off, of the largest element."""


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """One quantity. `right` was given as it should be; `wrong` differs and does not come out of what the function gave
    for later ones; `follows` differs, but is right from there on; `missing` was not given.

    `place`, `said` and `truth` are of the element that differs most; `own_numbers` says whether those are the network's
    numbers or random ones."""

    about: str
    name: str
    kind: Literal["value", "derivative"]
    verdict: Verdict
    shape: tuple[int, ...]
    said_shape: tuple[int, ...] | None = None
    place: tuple[int, ...] = ()
    said: float | None = None
    truth: float | None = None
    difference: float = 0.0
    own_numbers: bool = True

    def to_json(self) -> dict[str, Any]:
        return {
            "about": self.about,
            "kind": self.kind,
            "verdict": self.verdict,
            "shape": list(self.shape),
            "said_shape": None if self.said_shape is None else list(self.said_shape),
            "at": list(self.place),
            "said": _finite(self.said),
            "truth": _finite(self.truth),
            "difference": _finite(self.difference),
            "own_numbers": self.own_numbers,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """The mistake that gives all numbers: where, the line that is right, and the line as it was done. `could_be` are
    other mistakes that give the same numbers on this network."""

    mistake: Mistake
    where: str
    right: str
    done: str = ""
    could_be: tuple[Mistake, ...] = ()

    @property
    def key(self) -> str:
        return self.mistake.key

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.mistake.key,
            "id": self.mistake.id or None,
            "title": self.mistake.title,
            "where": self.where,
            "why": self.mistake.why,
            "remedy": self.mistake.remedy,
            "right": self.right,
            "done": self.done or None,
            "could_be": [mistake.key for mistake in self.could_be],
        }


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """A backward function, held against a network. True where nothing differs."""

    graph: Graph
    of: str
    findings: tuple[Finding, ...]
    explanations: tuple[Explanation, ...]
    calls: int
    unknown: tuple[str, ...] = ()

    @property
    def explained(self) -> Explanation | None:
        """The mistake that explains what differs first; the second of two is the next of `explanations`."""
        return self.explanations[0] if self.explanations else None

    @property
    def ok(self) -> bool:
        return all(finding.verdict in ("right", "missing") for finding in self.findings)

    def __bool__(self) -> bool:
        return self.ok

    @property
    def first(self) -> Finding | None:
        """The first that differs: of values in their order, then of derivatives in the order of the way back."""
        wrong = [finding for finding in self.findings if finding.verdict in ("wrong", "follows")]
        return next((finding for finding in wrong if finding.verdict == "wrong"), wrong[0] if wrong else None)

    def about(self, name: str) -> Finding:
        """The finding about one thing: `check.about("dL/dW1")`."""
        for finding in self.findings:
            if name in (finding.about, finding.name):
                return finding
        raise UsageError(f"Nothing is known about {name}.", cure=f"Known: {', '.join(f.about for f in self.findings)}.")

    def to_json(self) -> dict[str, Any]:
        """The whole as plain dicts and lists, for `json.dumps`."""
        first = self.first
        return {
            "schema": 1,
            "of": self.of,
            "ok": self.ok,
            "calls": self.calls,
            "first": None if first is None else first.about,
            "explained": None if self.explained is None else self.explained.to_json(),
            "also_explained": [one.to_json() for one in self.explanations[1:]],
            "findings": [finding.to_json() for finding in self.findings],
            "unknown": list(self.unknown),
        }

    def __repr__(self) -> str:
        first = self.first
        if first is None:
            return f"<Check: {sum(f.verdict == 'right' for f in self.findings)} right>"
        return f"<Check: {first.about} differs first{f', {self.explained.key}' if self.explained else ''}>"

    def __str__(self) -> str:
        from backhand.checking.words import told

        return told(self)


def check(
    my_backward: Backward,
    graph: Graph,
    *,
    of: str | None = None,
    inputs: Mapping[str, Any] | None = None,
    rtol: float = 1e-6,
    arrays: Arrays | None = None,
    returns: Sequence[str] | str | None = None,
) -> Check:
    r"""Hold a backward function against a network.

    `my_backward` takes what the network is given, as keyword arguments (NumPy arrays and floats; `arrays="torch"` or
    `"jax"` for those), and returns a mapping of names to derivatives (`W1`, `dW1`, `dL/dW1`, `grad_W1`, ...), or a
    tuple whose names are told by `returns`. `inputs` are numbers to use instead of the network's own. Values may be
    among what is returned, under the names that their quantities have.

    >>> from backhand.readers import read
    >>> net = read("input x = 2\nweight w = 3\nz = w x\na = tanh(z)\nL = (a - 1)^2")
    >>> import math
    >>> def mine(x, w):
    ...     a = math.tanh(w * x)
    ...     dz = 2 * (a - 1)
    ...     return {"dw": dz * x, "dx": dz * w}
    >>> found = check(mine, net)
    >>> found.first.about, found.explained.key
    ('dL/dw', 'activation-slope-lost')
    """
    if not callable(my_backward):
        raise UsageError("The first thing that is handed over is no function.", cure="Write check(my_backward, graph).")
    output, _ = a_network(graph).output(of)
    if graph[output].shape:
        raise UsageError(
            f"{output} is {shown(graph[output].shape)}, and derivatives are of a single number.",
            cure="Name a single number with of=, such as the loss.",
        )
    caller = Caller(my_backward, graph, output, arrays=arrays or _sort_of(inputs), returns=returns)
    way = WayBack(graph, output)
    trials, not_reset = _trials(caller, way, inputs)
    if not any(trial.said or trial.values for trial in trials):
        raise UsageError(
            "Nothing that the function gives is called as the network's quantities are: "
            f"{', '.join(caller.unknown) or 'it gives nothing'}.",
            cure=f"Derivatives are by {', '.join(way.names[1:])}; call them dX, dL/dX or X.",
        )
    if caller.rough:
        rtol = max(rtol, ROUGH)
    chosen = settled(way, trials, rtol)
    findings = _findings(way, trials, rtol, chosen)
    wrong = [finding for finding in findings if finding.verdict in ("wrong", "follows")]
    because: list[Explanation] = []
    if not_reset is not None and not_reset(rtol):
        because = [Explanation(NOT_RESET, "between calls", "", "")]
    elif any(finding.kind == "derivative" and finding.verdict == "wrong" for finding in wrong):
        because = _explained(way, trials, rtol, wrong, chosen)
    return Check(graph, output, tuple(findings), tuple(because), len(trials), tuple(caller.unknown))


def assert_backward(
    my_backward: Backward,
    graph: Graph,
    *,
    of: str | None = None,
    inputs: Mapping[str, Any] | None = None,
    rtol: float = 1e-6,
    arrays: Arrays | None = None,
    returns: Sequence[str] | str | None = None,
) -> None:
    """As `check`, and an AssertionError with the whole message where something differs: for tests."""
    __tracebackhide__ = True
    found = check(my_backward, graph, of=of, inputs=inputs, rtol=rtol, arrays=arrays, returns=returns)
    if not found.ok:
        raise AssertionError(str(found))


def _sort_of(inputs: Mapping[str, Any] | None) -> Arrays | None:
    """The library that numbers come from, if it is another than NumPy."""
    for value in (inputs or {}).values():
        home = type(value).__module__.partition(".")[0]
        if home == "torch":
            return "torch"
        if home in ("jax", "jaxlib"):
            return "jax"
    return None


# -- calls -------------------------------------------------------------------------------------------------------------


def _trials(
    caller: Caller, way: WayBack, inputs: Mapping[str, Any] | None
) -> tuple[list[Trial], Callable[[float], bool] | None]:
    """The calls: on the network's numbers, where it has some, and on random ones."""
    graph = way.graph
    own: dict[str, Any] = {**given_numbers(graph), **_told(graph, inputs)}
    vary = frozenset(caller.parameters.values())
    whole = all(quantity.computed or quantity.name in own for quantity in graph.quantities)
    trials: list[Trial] = []
    again: Trial | None = None
    if whole:
        made = truths(graph, way.of, own)
        if made is None:
            raise UndefinedError(
                f"At the numbers given, {way.of} or one of its derivatives has no finite value.", cure="Give others."
            )
        trials.append(_call(caller, own, made, own_numbers=True))
        again = _call(caller, own, made, own_numbers=True)
    if vary or not whole:
        for numbers in drawn(graph, vary):
            if len(trials) >= TRIALS:
                break
            numbers = {**numbers, **{name: own[name] for name in own if name not in vary}}
            made = truths(graph, way.of, numbers)
            if made is not None:
                trials.append(_call(caller, numbers, made, own_numbers=False))
    if not trials:
        raise UndefinedError(
            f"No numbers were found at which {way.of} has a value.", cure="Give some with inputs=, or in the network."
        )
    return trials, (None if again is None else _keeps_adding(trials, again))


def _told(graph: Graph, inputs: Mapping[str, Any] | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in (inputs or {}).items():
        if name not in graph or graph[name].computed:
            known = ", ".join(quantity.name for quantity in graph.quantities if not quantity.computed)
            raise UsageError(f"{name} is not given in this network.", cure=f"It is given {known}.")
        array = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value, np.float64)
        if array.shape != graph[name].shape:
            raise UsageError(
                f"{name} is {shown(graph[name].shape)}, and inputs has {shown(array.shape)} for it.",
                cure="Give it in the network's shape.",
            )
        found[name] = array if array.ndim else float(array)
    return found


def _call(caller: Caller, numbers: dict[str, Any], made: Any, *, own_numbers: bool) -> Trial:
    passes, truth = made
    trial = Trial(dict(numbers), passes, truth, own_numbers=own_numbers)
    found, values = caller(numbers)
    trial.said = {name: value for name, value in found.items() if name in truth and name != caller.of}
    trial.values = {name: value for name, value in values.items() if name in passes.values}
    for name in found:
        if name not in truth:
            caller.unknown[f"d{caller.of}/d{name} (it does not depend on it)"] = None
    return trial


def _keeps_adding(trials: Sequence[Trial], again: Trial) -> Callable[[float], bool]:
    """Whether each call gives the sum of all calls so far."""

    def adds(rtol: float) -> bool:
        calls = [trials[0], again, *trials[1:]]
        total: dict[str, Any] = {}
        changed = False
        for trial in calls:
            for name, said in trial.said.items():
                total[name] = total.get(name, 0) + trial.truth[name]
                if differs(said, total[name], rtol, trial.scale):
                    return False
                changed = changed or differs(said, trial.truth[name], rtol, trial.scale)
        return changed

    return adds


# -- comparing ---------------------------------------------------------------------------------------------------------


def _findings(way: WayBack, trials: Sequence[Trial], rtol: float, chosen: Belief) -> list[Finding]:
    """Values in their order, then derivatives in the order of the way back."""
    alone = unfollowed(way, trials, rtol, chosen)
    found: list[Finding] = []
    for quantity in way.graph.quantities:
        if any(quantity.name in trial.values for trial in trials):
            found.append(_compared(way, quantity.name, "value", trials, rtol, wrong="wrong"))
    for name in way.names[1:]:
        if any(name in trial.said for trial in trials):
            wrong: Verdict = "wrong" if name in alone else "follows"
            found.append(_compared(way, name, "derivative", trials, rtol, wrong=wrong))
        else:
            found.append(Finding(f"d{way.of}/d{name}", name, "derivative", "missing", way.shape(name)))
    return found


def _compared(
    way: WayBack,
    name: str,
    kind: Literal["value", "derivative"],
    trials: Sequence[Trial],
    rtol: float,
    *,
    wrong: Verdict,
) -> Finding:
    about = name if kind == "value" else f"d{way.of}/d{name}"
    shape = way.shape(name)
    for trial in trials:
        said = (trial.values if kind == "value" else trial.said).get(name)
        if said is None:
            continue
        truth = np.asarray(trial.passes.values[name] if kind == "value" else trial.truth[name], np.float64)
        if not differs(said, truth, rtol, trial.scale):
            continue
        if said.shape != truth.shape:
            return Finding(about, name, kind, wrong, shape, said.shape, own_numbers=trial.own_numbers)
        gaps = np.abs(said - truth)
        gaps = np.where(np.isnan(gaps), np.inf, gaps)
        flat = int(np.argmax(gaps))
        place = tuple(int(n) for n in np.unravel_index(flat, gaps.shape))
        return Finding(
            about, name, kind, wrong, shape, said.shape, place, float(said[place]), float(truth[place]),
            float(gaps[place]), trial.own_numbers,
        )  # fmt: skip
    return Finding(about, name, kind, "right", shape, shape)


# -- explaining --------------------------------------------------------------------------------------------------------


def _explained(
    way: WayBack, trials: Sequence[Trial], rtol: float, wrong: Sequence[Finding], chosen: Belief
) -> list[Explanation]:
    """What gives all numbers: one mistake, and which others do; or two, each with its line."""
    found = explained(way, trials, rtol, chosen)
    if not found:
        return []
    first = next(finding.name for finding in wrong if finding.kind == "derivative")
    if len(found[0]) > 1:
        return [_explanation(way, one, first) for one in found[0]]
    return [_explanation(way, found[0][0], first, [other for (other,) in found[1:]])]


def _explanation(way: WayBack, found: Found, first: str, others: Sequence[Found] = ()) -> Explanation:
    mistake, case = found.mistake, found.case
    about = case.at or first
    right, done = way.line(about), _line_under(way, about, case)
    could_be = dict.fromkeys(
        other.mistake
        for other in others
        if other.mistake is not mistake and (not done or _line_under(way, about, other.case) != done)
    )
    unreadable = "spread(" in done and "spread(" not in right  # what the replay puts together, and nobody writes
    return Explanation(mistake, case.words, right, "" if done == right or unreadable else done, tuple(could_be))


def _line_under(way: WayBack, about: str, case: Case) -> str:
    """The line for a derivative as somebody with a belief has it; "" where it is no other formula."""
    if not case.belief.changes and case.belief.sent is None:
        return ""
    try:
        return way.line(about, case.belief)
    except IMPOSSIBLE:
        return ""


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None
