"""The verb `lint`: a course's files to the lines in them that are false.

    files --pages--> text for people --sections--> which network it is about --mark--> judgements --> findings

Every statement is judged as an answer is (`marking`): a line is false if its number or its rule is not that of the
network. What cannot be told is left alone; what only follows from an earlier false line is not said again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backhand.core.graph import Graph
from backhand.errors import BackhandError, SeveralErrors, UsageError
from backhand.linting.pages import Page, page_of
from backhand.linting.sections import Section, sections
from backhand.marking.mark import mark
from backhand.marking.marking import Judgement, Marking
from backhand.marking.misconceptions import TABLE
from backhand.readers import contents, read_text
from backhand.readers.answer import decoded
from backhand.readers.bh import read as read_net
from backhand.readers.page import read_work

SUFFIXES = frozenset([".md", ".markdown", ".qmd", ".rmd", ".ipynb", ".py"])
"""The files of a folder that are looked at."""

IGNORED = frozenset(
    ".git .hg .svn .venv venv env node_modules .ipynb_checkpoints __pycache__ .tox .nox .mypy_cache .ruff_cache "
    ".pytest_cache site-packages".split()
)
"""Folders that are not gone into."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A false line: the file, where in it, what it is about, and what to say. `text` is the line as it stands; with
    `file` and `about` it tells findings apart from one run to the next, whatever moves the lines. `where` is the
    cell of a notebook. `kind` is false, network (it cannot be read) or unread (a notebook that is none)."""

    file: str
    line: int
    column: int
    end_column: int
    about: str
    message: str
    text: str
    where: str = ""
    kind: str = "false"

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.file, self.about, " ".join(self.text.split()))

    def to_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "end_column": self.end_column,
            "kind": self.kind,
            "about": self.about,
            "message": self.message,
            "text": self.text,
            "where": self.where or None,
        }


@dataclass(slots=True)
class Report:
    """What was found. `known` are findings that a baseline lists, `gone` what it lists and is not there any more."""

    findings: list[Finding] = field(default_factory=list[Finding])
    known: list[Finding] = field(default_factory=list[Finding])
    gone: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    files: int = 0
    networks: int = 0
    statements: int = 0

    @property
    def ok(self) -> bool:
        return not self.findings

    @property
    def summary(self) -> str:
        words = f"{_count(self.files, 'file')}, {_count(self.networks, 'network')}, "
        words += f"{_count(self.statements, 'statement')} held against them: "
        words += _count(len(self.findings), "finding") if self.findings else "nothing false"
        if self.known:
            words += f"; {len(self.known)} known"
        if self.gone:
            words += f"; {len(self.gone)} in the baseline and not there any more"
        return words + "."


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def lint(*paths: str | os.PathLike[str], baseline: Iterable[tuple[str, str, str]] = ()) -> Report:
    """All false lines of files and folders, in the order of files and lines. Nothing is executed.

    Raises UsageError where there is no such file."""
    report = Report()
    linter = _Linter(report)
    for path in files(paths):
        linter.file(path)
    report.findings.sort(key=lambda one: (one.file, one.line, one.column, one.about))
    waiting = list(baseline)
    fresh: list[Finding] = []
    for one in report.findings:
        if one.key in waiting:
            waiting.remove(one.key)
            report.known.append(one)
        else:
            fresh.append(one)
    report.findings, report.gone = fresh, waiting
    return report


def files(paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """The files meant: those named, and those of the folders named, each once, by name."""
    found: dict[str, Path] = {}
    for name in paths:
        path = Path(name)
        if not path.exists():
            raise UsageError(f"There is no file or folder {path}.", cure="Check the name.")
        for one in sorted(_inside(path)) if path.is_dir() else [path]:
            found.setdefault(one.as_posix(), one)
    return [found[name] for name in sorted(found)]


def _inside(folder: Path) -> Iterator[Path]:
    for home, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in IGNORED)
        for name in names:
            if os.path.splitext(name)[1].lower() in SUFFIXES:  # noqa: PTH122 - a name, not a path
                yield Path(home) / name


class _Linter:
    def __init__(self, report: Report) -> None:
        self.report = report
        self.nets: dict[str, Graph | BackhandError] = {}

    def file(self, path: Path) -> None:
        name = path.as_posix()
        text, _ = decoded(contents(path), name)
        self.report.files += 1
        try:
            page = page_of(name, text)
        except ValueError as error:
            self.report.findings.append(Finding(name, 1, 1, 1, "", str(error), "", kind="unread"))
            return
        for section in sections(name, page.text):
            self.section(page, path, section)

    def section(self, page: Page, path: Path, section: Section) -> None:
        try:
            graph = self.net(path, section)
            if not section.text.text.strip():
                return
            marking = mark(read_work([section.text]), graph)
        except BackhandError as error:
            self._unreadable(page, section, error)
            return
        self.report.networks += 1
        self.report.statements += sum(judgement.line is not None for judgement in marking.judgements)
        for judgement in marking.judgements:
            if judgement.verdict == "wrong":
                self.report.findings.append(_finding(page, marking, judgement))

    def net(self, path: Path, section: Section) -> Graph:
        if section.net is not None:
            return read_net(section.net)
        file = path.parent / section.path
        key = file.as_posix()
        if key not in self.nets:
            try:
                self.nets[key] = read_text(decoded(contents(file), key)[0], key, file.suffix)
            except BackhandError as error:
                self.nets[key] = error
        found = self.nets[key]
        if isinstance(found, BackhandError):
            raise found
        return found

    def _unreadable(self, page: Page, section: Section, error: BackhandError) -> None:
        """A network that is none: each of its errors at its place, if it stands on the page."""
        errors = error.errors if isinstance(error, SeveralErrors) else (error,)
        for one in errors:
            here = one.span is not None and section.net is not None and one.span.source.name == page.name
            offset = one.span.start if here and one.span is not None else section.at
            line, column = page.place(offset)
            words = one.sentence if here or one.span is None else f"{one.span}: {one.sentence}"
            text = _line_of(page, line)
            self.report.findings.append(
                Finding(page.name, line, column, column, "", words, text, page.where(offset), kind="network")
            )


def _line_of(page: Page, line: int) -> str:
    return page.raw.line(line).strip()


def _finding(page: Page, marking: Marking, judgement: Judgement) -> Finding:
    links = [link for link in judgement.links if link.verdict == "wrong"]
    span = links[0].piece.span if links else judgement.span
    assert span is not None
    line, column = page.place(span.start)
    last_line, last = page.place(max(span.start, span.end - 1))
    end = last + 1 if last_line == line else column
    about = judgement.name or judgement.label
    said = " ".join(span.text.split())
    if judgement.said and about.endswith("]"):
        said = judgement.said  # one element of an array that stands there whole
    text = " ".join(span.text.split()) if page.origins is not None else _line_of(page, line)
    return Finding(page.name, line, column, end, about, _message(judgement, about, said), text, page.where(span.start))


def _message(judgement: Judgement, about: str, said: str) -> str:
    """What is false, what is true, and which habit it is."""
    words = f"{about or 'This'}: {said} is false"
    if judgement.truth is not None:
        from backhand.numbers import show

        shown = show(judgement.truth)
        words += f"; it is {shown.text}"
    words += "."
    why = next((link.why for link in judgement.links if link.verdict == "wrong" and link.why), "")
    if why:
        words += f" {why[0].upper()}{why[1:]}{'' if why.endswith(('.', '?')) else '.'}"
    titles = [row.title for row in TABLE if row.key in judgement.causes]
    if titles:
        words += f" ({'; '.join(titles)})"
    return words
