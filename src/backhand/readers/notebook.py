"""A Jupyter notebook as the page it shows: Markdown cells as they are, code cells and what they printed in fences.

Lines are counted in that page; a notebook has none of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from backhand.errors import ReadError


def page_of(text: str, name: str) -> str:
    """The page of a notebook. Raises ReadError for a file that is none.

    >>> page_of('{"cells": [{"cell_type": "markdown", "source": ["B1 = 3"]}]}', "answer.ipynb")
    'B1 = 3'
    """
    try:
        notebook: Any = json.loads(text)
    except (ValueError, RecursionError):
        notebook = None
    cells: Any = cast("dict[str, Any]", notebook).get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise ReadError(f"{name} is no notebook: there are no cells in it.", cure="Save it from Jupyter once more.")
    listed = [cast("dict[str, Any]", cell) for cell in cast("list[Any]", cells) if isinstance(cell, dict)]
    parts = [part for cell in listed for part in _parts(cell)]
    return "\n\n".join(part for part in parts if part.strip())


def _parts(cell: dict[str, Any]) -> Iterator[str]:
    source = _joined(cell.get("source"))
    if cell.get("cell_type") != "code":
        yield source
        return
    yield _fenced(source)
    outputs = cell.get("outputs")
    for output in cast("list[Any]", outputs) if isinstance(outputs, list) else []:
        if isinstance(output, dict):
            kinds = cast("dict[str, Any]", output)
            data = kinds.get("data")
            shown = cast("dict[str, Any]", data).get("text/plain") if isinstance(data, dict) else kinds.get("text")
            yield _fenced(_joined(shown))


def _joined(source: object) -> str:
    """A text, which a notebook keeps in one piece or in lines."""
    if isinstance(source, list):
        return "".join(line for line in cast("list[object]", source) if isinstance(line, str))
    return source if isinstance(source, str) else ""


def _fenced(text: str) -> str:
    return f"```\n{text}\n```" if text.strip() else ""
