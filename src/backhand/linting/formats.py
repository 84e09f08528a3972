"""Findings as text, as annotations of GitHub, as JSON; and the baseline of those that are known."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from backhand.errors import ReadError
from backhand.linting.lint import Finding, Report
from backhand.readers import load

FORMATS = ("text", "github", "json")


def formatted(report: Report, format_: str) -> Iterator[str]:
    match format_:
        case "github":
            yield from map(_annotation, report.findings)
        case "json":
            yield json.dumps(as_json(report), ensure_ascii=False, indent=2) + "\n"
        case _:
            yield from map(_text, report.findings)


def _text(finding: Finding) -> str:
    where = f" ({finding.where})" if finding.where else ""
    return f"{finding.file}:{finding.line}:{finding.column}: {finding.message}{where}\n"


def _annotation(finding: Finding) -> str:
    """A workflow command: GitHub shows it beside the line."""
    told = {
        "file": finding.file,
        "line": finding.line,
        "col": finding.column,
        "endColumn": max(finding.end_column, finding.column),
        "title": f"backhand: {finding.about}" if finding.about else "backhand",
    }
    where = f" ({finding.where})" if finding.where else ""
    fields = ",".join(f"{key}={_escaped(str(value), ',:')}" for key, value in told.items())
    return f"::error {fields}::{_escaped(finding.message + where)}\n"


def _escaped(text: str, more: str = "") -> str:
    for sign in "%\r\n" + more:
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def as_json(report: Report) -> dict[str, Any]:
    return {
        "schema": 1,
        "files": report.files,
        "networks": report.networks,
        "statements": report.statements,
        "findings": [finding.to_json() for finding in report.findings],
        "known": [finding.to_json() for finding in report.known],
        "gone": [list(key) for key in report.gone],
    }


# -- the baseline -----------------------------------------------------------------------------------------------


def baseline_of(report: Report) -> str:
    """All findings, known ones too, as the text of a baseline."""
    found = sorted(finding.key for finding in (*report.findings, *report.known))
    rows = [{"file": file, "about": about, "text": text} for file, about, text in found]
    return json.dumps({"schema": 1, "findings": rows}, ensure_ascii=False, indent=2) + "\n"


def read_baseline(path: str) -> Iterable[tuple[str, str, str]]:
    """The findings of a baseline. Raises ReadError."""
    try:
        rows: Any = json.loads(load(Path(path)))["findings"]
        return [(str(row["file"]), str(row["about"]), str(row["text"])) for row in rows]
    except (ValueError, KeyError, TypeError):
        raise ReadError(f"{path} is no baseline.", cure=f"Make one with --write-baseline {path}.") from None
