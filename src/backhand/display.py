"""From results to files and notebooks: which format, which writer, and writing without half-written files."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from backhand import limits
from backhand.core.graph import Graph
from backhand.errors import UsageError
from backhand.solving.solution import Detail, Solution
from backhand.writers import WRITERS, load

if TYPE_CHECKING:
    from backhand.explaining.document import Document
    from backhand.marking.marking import Marking

T = TypeVar("T")

Result: TypeAlias = "Solution | Marking"
"""What the verbs give. Solution is loaded already; a Marking is what is none."""

DRAWN = frozenset(["html", "latex", "typst", "pdf", "ipynb"])
"""Documents with the figure in them; the others have it in words or not at all."""


def format_of(path: str | os.PathLike[str]) -> str:
    """The format that a file's suffix stands for. Raises UsageError for one that stands for none."""
    suffixes = {suffix: name for name, writer in WRITERS.items() for suffix in writer.suffixes}
    suffix = Path(path).suffix.lower()
    if suffix not in suffixes:
        raise UsageError(
            f"{path} ends in {suffix or 'no suffix'}, which says no format.",
            cure=f"End it in {', '.join(suffixes)}, or say --format.",
        )
    return suffixes[suffix]


def formatted(
    what: Result, format: str, *, detail: Detail = "steps", hints: bool = False, **options: Any  # noqa: A002 - the word users type
) -> Iterator[str]:  # fmt: skip
    """A solution or a marked page in a format of text, in chunks. `detail` is for solutions; `hints` leaves the answers
    out of a marked page."""
    found: Iterator[str] = pieces(what, format, detail=detail, hints=hints, **options)  # type: ignore[assignment]
    return found


def pieces(
    what: Result, format: str, *, detail: Detail = "steps", hints: bool = False, **options: Any  # noqa: A002 - as above
) -> Iterator[str] | Iterator[bytes]:  # fmt: skip
    """The same in any format; one that is no text comes as bytes."""
    module = load(format)
    match WRITERS[format].takes:
        case "solution" if isinstance(what, Solution):
            return iter(module.write(what))
        case "solution":
            return iter(module.write_marking(what, hints=hints))
        case "drawing":
            return iter([svg(what, hints=hints)])
        case "document":
            made = document(what, detail=detail, hints=hints, figure=format in DRAWN)
            return _deep(iter(module.write(made, **options)))


def document(what: Result, *, detail: Detail = "steps", hints: bool = False, figure: bool = False) -> Document:
    """What is said about a solution or a marked page."""
    if isinstance(what, Solution):
        from backhand.explaining.solution import document as of_solution

        return of_solution(what, detail=detail, figure=figure)
    from backhand.explaining.marking import document as of_marking

    return of_marking(what, hints=hints, figure=figure)


def _deep(chunks: Iterator[T]) -> Iterator[T]:
    """Writers recurse on the levels of a formula and of its derivatives: give them room."""
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(max(usual, 100 * limits.DEPTH))
    try:
        yield from chunks
    finally:
        sys.setrecursionlimit(usual)


def svg(what: Result | Graph, *, hints: bool = False) -> str:
    """The figure as SVG: with values and derivatives for a solution, as in a question for a network; for a marked page
    with the ways that were left out, unless only hints are asked for."""
    from backhand.explaining.figure import scene
    from backhand.explaining.layout import lay_out

    if isinstance(what, Graph):
        picture = scene(what)
    elif isinstance(what, Solution):
        picture = scene(what.graph, what.to_show())
    elif hints:
        picture = scene(what.solution.graph)
    else:
        from backhand.explaining.marking import left_out

        picture = scene(what.solution.graph, what.solution, left_out(what))
    text: str = load("svg").write(lay_out(picture))
    return text


def write(what: Result | Graph, path: str | os.PathLike[str], *, detail: Detail = "steps", hints: bool = False) -> None:
    """Write a solution or a marked page to a file in the format of its suffix, or a network as `.bh` or `.svg`.

    The file appears whole or not at all.
    """
    if isinstance(what, Graph):
        text = svg(what) if Path(path).suffix.lower() == ".svg" else str(what)
        save([text], path)
    else:
        save(pieces(what, format_of(path), detail=detail, hints=hints), path)


def draw(what: Result | Graph, path: str | os.PathLike[str] | None = None) -> str:
    """The figure as SVG text, also written to a file if one is named."""
    text = svg(what)
    if path is not None:
        save([text], path)
    return text


def save_arrays(arrays: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Arrays in an .npz file that appears whole or not at all. Raises UsageError where it cannot be written."""
    import io

    import numpy as np

    made = io.BytesIO()
    np.savez(made, **arrays)
    target = Path(path)
    temporary = target.with_name(f".{target.name}.part")
    try:
        temporary.write_bytes(made.getvalue())
        temporary.replace(target)
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror or error}.") from None


def save(chunks: Iterable[str] | Iterable[bytes], path: str | os.PathLike[str]) -> None:
    """Write chunks to a file that appears whole or not at all. Raises UsageError where it cannot be written."""
    import contextlib
    import tempfile

    target = Path(path)
    if target.exists() and not target.is_file():
        _save_to_device(chunks, target)
        return
    temporary = ""
    try:
        with tempfile.NamedTemporaryFile(
            "wb", dir=target.parent, prefix=f".{target.name[:100]}.", delete=False
        ) as file:
            temporary = file.name
            file.writelines(map(encoded, chunks))
        _like_a_new_file(Path(temporary), target)
        Path(temporary).replace(target)
        temporary = ""
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror or error}.") from None
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()


def encoded(chunk: str | bytes) -> bytes:
    """Text as UTF-8."""
    return chunk.encode("utf-8") if isinstance(chunk, str) else chunk


def _save_to_device(chunks: Iterable[str] | Iterable[bytes], target: Path) -> None:
    """Into what is no ordinary file, /dev/stdout or a pipe, there is no whole or nothing."""
    try:
        with target.open("wb") as file:
            file.writelines(map(encoded, chunks))
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror or error}.") from None


def _like_a_new_file(temporary: Path, target: Path) -> None:
    """The permissions an ordinarily made file has; temporary files are made for their owner alone."""
    if target.exists():
        temporary.chmod(target.stat().st_mode & 0o777)
        return
    mask = os.umask(0)
    os.umask(mask)
    temporary.chmod(0o666 & ~mask)


def bundle(what: Result) -> dict[str, str]:
    """What a notebook shows for a solution or a marked page: a page with the figure, Markdown, and text."""
    return {
        "text/plain": "".join(formatted(what, "text")),
        "text/markdown": "".join(formatted(what, "markdown")),
        "text/html": load("html").fragment(document(what, figure=True)),
    }
