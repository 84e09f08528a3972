"""From a Document to a format: one module a format, named as the format is called.

    write(document, **options)      the format in pieces, so that a large working streams

To add a format, write such a module and a row of WRITERS. A `match` over the blocks and one over the
boxes of mathematics, both ending in `assert_never`, make the type checker ask for whatever is missing.
Modules are loaded when they are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from types import ModuleType

    from backhand.explaining.document import Document
    from backhand.setting.exercise import Exercise


class Writer(NamedTuple):
    """Where a format's writer is, and what files of it are called. `takes`: what its `write` is given first. A `binary`
    one writes bytes."""

    module: str
    suffixes: tuple[str, ...]
    mimetype: str
    takes: Literal["document", "drawing", "solution"] = "document"
    binary: bool = False


WRITERS: dict[str, Writer] = {
    "text": Writer("backhand.writers.text", (".txt",), "text/plain"),
    "markdown": Writer("backhand.writers.markdown", (".md", ".markdown"), "text/markdown"),
    "latex": Writer("backhand.writers.latex", (".tex",), "application/x-tex"),
    "html": Writer("backhand.writers.html", (".html", ".htm"), "text/html"),
    "typst": Writer("backhand.writers.typst", (".typ",), "text/x-typst"),
    "pdf": Writer("backhand.writers.pdf", (".pdf",), "application/pdf", binary=True),
    "ipynb": Writer("backhand.writers.ipynb", (".ipynb",), "application/x-ipynb+json"),
    "svg": Writer("backhand.writers.svg", (".svg",), "image/svg+xml", takes="drawing"),
    "json": Writer("backhand.writers.json", (".json",), "application/json", takes="solution"),
}


def load(name: str) -> ModuleType:
    """The module of a format. Raises UsageError for one that is not in the table."""
    from importlib import import_module

    if name not in WRITERS:
        from backhand.errors import UsageError

        raise UsageError(f"There is no format {name}.", cure=f"Known: {', '.join(WRITERS)}.")
    return import_module(WRITERS[name].module)


def whole(document: Document, name: str, **options: Any) -> str:
    r"""A document in a format, in one string.

    >>> from backhand.explaining.document import Document, Paragraph
    >>> whole(Document("", lambda: iter([Paragraph(("Good day.",))])), "text")
    'Good day.\n'
    """
    return "".join(load(name).write(document, **options))


class Quiz(NamedTuple):
    """Where the writer of a quiz format is, `write(exercises, title=...) -> bytes`, and what its files are called."""

    module: str
    suffix: str
    mimetype: str


QUIZZES: dict[str, Quiz] = {
    "moodle": Quiz("backhand.writers.moodle", ".xml", "application/xml"),
    "qti": Quiz("backhand.writers.qti", ".zip", "application/zip"),
    "prairielearn": Quiz("backhand.writers.prairielearn", ".zip", "application/zip"),
    "csv": Quiz("backhand.writers.csv", ".csv", "text/csv"),
    "json": Quiz("backhand.writers.bank_json", ".json", "application/json"),
}
"""Formats of exercises for other programs; `readers.quizzes` reads all of them back."""


def quiz(exercises: Sequence[Exercise], name: str, *, title: str = "") -> bytes:
    """Exercises in a quiz format, as one file. Raises UsageError for a format that is not in the table."""
    from importlib import import_module

    if name not in QUIZZES:
        from backhand.errors import UsageError

        raise UsageError(f"There is no quiz format {name}.", cure=f"Known: {', '.join(QUIZZES)}.")
    made: bytes = import_module(QUIZZES[name].module).write(exercises, title=title)
    return made
