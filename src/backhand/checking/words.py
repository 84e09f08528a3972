"""What a Check says, for somebody who wants to mend the code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backhand.core.array_operations import shown

if TYPE_CHECKING:
    from backhand.checking.check import Check, Explanation, Finding


def told(check: Check) -> str:
    """The whole message: the first that differs, the mistake and the right line, and what else there is to know."""
    first = check.first
    right = [finding.about for finding in check.findings if finding.verdict == "right"]
    unknown = [f"Not in the network: {', '.join(check.unknown)}."] * bool(check.unknown)
    if first is None:
        return "\n".join([f"Right: {', '.join(right)}, in {check.calls} calls with different numbers.", *unknown])
    lines = [f"{first.about} is wrong; it is the first that differs on the way back from {check.of}."]
    if first.kind == "value":
        lines = [f"The value of {first.about} is wrong, so it differs before the way back begins."]
    if first.verdict == "follows":
        lines = [f"{first.about} differs."]
    lines += ["", *_numbers(first)]
    found = check.explained
    for at, one in enumerate(check.explanations):
        lines += _explained(one, "and then" if at else "mistake")
    if found is None and first.kind == "derivative":
        lines += _field("right", _line(check, first))
        lines += _field("mistake", "none of those that are known gives all the numbers")
    lines.append("")
    for words, verdict in (
        (
            ("Of these mistakes" if len(check.explanations) > 1 else "Of the same mistake") if found else "Also wrong",
            "wrong",
        ),
        ("Right from there on", "follows"),
    ):
        names = [f.about for f in check.findings if f.verdict == verdict and f is not first]
        if names:
            lines.append(f"{words}: {', '.join(names)}.")
    if right:
        lines.append(f"Right: {', '.join(right)}.")
    return "\n".join([*lines, *unknown]).rstrip()


def _explained(found: Explanation, head: str) -> list[str]:
    """The mistake, where it was made, the line that is right and the line as it was done."""
    where = f" ({found.where})" if found.where else ""
    lines = _field(head, f"{found.mistake.title}{where}. {found.mistake.why}")
    if found.right:
        lines += _field("right", found.right)
    if found.done:
        lines += _field("yours", found.done)
    lines += _field("to do", found.mistake.remedy)
    if found.could_be:
        lines += _field("or", "; ".join(mistake.title for mistake in found.could_be[:3]) + ": the same numbers here")
    return lines


def _numbers(first: Finding) -> list[str]:
    shape = shown(first.shape)
    if first.said_shape is not None and first.said_shape != first.shape and first.said is None:
        return _field("shape", f"{shown(first.said_shape)}, and {first.name} is {shape}")
    lines = _field("shape", f"{shape}, as it should be") if first.shape else []
    if first.said is None or first.truth is None:
        return lines
    where = f"most at [{', '.join(map(str, first.place))}]: " if first.place else ""
    numbers = "" if first.own_numbers else ", with random numbers (with the network's own it is hidden)"
    return [*lines, *_field("differs", f"{where}{first.said + 0.0:.6g} in place of {first.truth + 0.0:.6g}{numbers}")]


def _line(check: Check, first: Finding) -> str:
    from backhand.checking.replay import WayBack

    return WayBack(check.graph, check.of).line(first.name)


def _field(name: str, text: str) -> list[str]:
    return [f"  {name:<8} {text}"]
