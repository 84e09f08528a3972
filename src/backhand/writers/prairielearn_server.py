"""The server.py of a PrairieLearn question made by Backhand: which variant, which answers, and what a wrong one means.

Backhand copies this file into the question's folder as it stands; nothing in Backhand imports it. It needs nothing but
exercises.json beside it, which PrairieLearn does not hand to students.
"""

import json
from pathlib import Path
from typing import Any

Data = dict[str, Any]


def bank(data: Data) -> Data:
    """What stands in exercises.json: the variants, and what to say to a number that nobody foresaw."""
    folder = data.get("options", {}).get("question_path", ".")
    return json.loads(Path(folder, "exercises.json").read_text(encoding="utf-8"))


def generate(data: Data) -> None:
    """Choose the variant by PrairieLearn's seed; the same seed is the same exercise."""
    variants = bank(data)["variants"]
    number = int(data["variant_seed"]) % len(variants)
    variant = variants[number]
    params = data["params"]
    params["variant"] = number
    for name in ("figure", "alt", "task", "working"):
        params[name] = variant[name]
    params["questions"] = [
        {"name": name, "prompt": question["prompt"], "slack": slack(question)}
        for name, question in variant["questions"].items()
    ]
    for name, question in variant["questions"].items():
        data["correct_answers"][name] = float(question["answer"])


def grade(data: Data) -> None:
    """A point for each right number; a wrong one is told what to look at."""
    whole = bank(data)
    questions = whole["variants"][data["params"]["variant"]]["questions"]
    scores = data["partial_scores"]
    for name, question in questions.items():
        submitted = number_of(data["submitted_answers"].get(name))
        right = submitted is not None and is_met(question, submitted)
        scores[name] = {"score": 1.0 if right else 0.0, "weight": 1}
        if submitted is not None and not right:
            scores[name]["feedback"] = remark_on(submitted, question["wrong"], whole["otherwise"])
    data["score"] = sum(scores[name]["score"] for name in questions) / len(questions)


def remark_on(submitted: float, foreseen: list[Data], otherwise: str) -> str:
    """What to say to a wrong number: the remark on the habit that gives it, if there is one."""
    for wrong in foreseen:
        if is_met(wrong, submitted):
            return wrong["remark"]
    return otherwise


def is_met(number: Data, submitted: float) -> bool:
    """Whether a submitted number is this one."""
    return abs(submitted - float(number["answer"])) <= slack(number)


def slack(number: Data) -> float:
    """The tolerance of a number, and what floats may lose."""
    return float(number["tolerance"]) + 1e-9 * max(1.0, abs(float(number["answer"])))


def number_of(submitted: Any) -> float | None:
    """A submitted answer as a number: plain, as a text, or packed by PrairieLearn together with its type."""
    match submitted:
        case {"_value": value}:
            plain: Any = value
        case _:
            plain = submitted
    try:
        return float(plain)
    except (TypeError, ValueError):
        return None
