"""A Jupyter notebook (nbformat 4): what is said in Markdown cells, and cells to write the answers in.

A program in Python is a cell that runs.
An equation that ends in a gap is a line to be completed; such lines follow each other in one cell, as `mark` reads
them. Room to write on is an empty cell. The figure is attached to its cell. The JSON is written here, one cell after
the other; nbformat is asked in the tests whether it is a notebook."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, TypeAlias

from backhand.explaining.document import Block, Code, Document, Equation, Figure, Heading, NewSheet, Room
from backhand.explaining.mathematics import Gap
from backhand.writers import markdown, svg
from backhand.writers.line import line

Cell: TypeAlias = dict[str, Any]

END = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
HINT = "Complete these lines; the working may stand above them."
ROOM = "*Working:*\n\n"


def write(document: Document) -> Iterator[str]:
    """The notebook in pieces."""
    yield '{\n "cells": ['
    for number, cell in enumerate(_cells(document)):
        cell = {"id": f"cell-{number + 1}", **cell}
        text = json.dumps(cell, ensure_ascii=False, indent=1, sort_keys=True)
        yield ("," if number else "") + "\n  "
        yield from text.replace("\n", "\n  ").splitlines(keepends=True)
    metadata = json.dumps(END, indent=1).replace("\n", "\n ")
    yield f'\n ],\n "metadata": {metadata},\n "nbformat": 4,\n "nbformat_minor": 5\n}}\n'


def _cells(document: Document) -> Iterator[Cell]:
    """Blocks up to the next heading, figure, gap or room together."""
    writer = markdown.Blocks()
    waiting: list[str] = [f"# {markdown.escape(document.title)}"] if document.title else []
    lines: list[str] = []
    for block in document.unfolded():
        gap = _gap(block)
        if lines and gap is None:
            yield from _said(waiting)
            yield _filled(lines)
            waiting, lines = [], []
        if gap is not None:
            lines.append(gap)
        elif isinstance(block, Figure):
            yield from _said(waiting)
            waiting = []
            yield _figure(block)
        elif isinstance(block, Code) and block.language == "python":
            yield from _said(waiting)
            waiting = []
            yield _program(block)
        elif isinstance(block, Room):
            yield from _said(waiting)
            waiting = []
            yield _cell(ROOM)
        else:
            if isinstance(block, Heading | NewSheet):
                yield from _said(waiting)
                waiting = []
            waiting.append(writer.block(block))
    yield from _said(waiting)
    if lines:
        yield _filled(lines)


def _gap(block: Block) -> str | None:
    """The line to be completed that an equation is: what stands before its gap."""
    if isinstance(block, Equation) and isinstance(block.links[-1].box, Gap) and len(block.links) == 2:
        return f"{line(block.links[0].box)} {block.links[1].relation} "
    return None


def _said(texts: list[str]) -> Iterator[Cell]:
    if texts:
        yield _cell("\n\n".join(texts))


def _filled(lines: list[str]) -> Cell:
    text = "\n".join(lines)
    return _cell(f"{HINT}\n\n```\n{text}\n```", tags=["answer"])


def _program(code: Code) -> Cell:
    """A program that runs where it stands."""
    source = code.text.splitlines(True)
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}


def _cell(text: str, *, tags: list[str] | None = None, attachments: Cell | None = None) -> Cell:
    cell: Cell = {"cell_type": "markdown", "metadata": {"tags": tags} if tags else {}, "source": text.splitlines(True)}
    if attachments:
        cell["attachments"] = attachments
    return cell


def _figure(figure: Figure) -> Cell:
    """The figure as an attachment; its words for who cannot see it."""
    picture = b64encode(svg.write(figure.drawing).encode("utf-8")).decode("ascii")
    words = " ".join(figure.twin.split())
    text = f"![{markdown.escape(words)}](attachment:figure.svg)"
    return _cell(text, attachments={"figure.svg": {"image/svg+xml": picture}})
