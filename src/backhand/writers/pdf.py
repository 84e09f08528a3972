"""PDF, through Typst: a compiler and its fonts in one wheel (extra `pdf`), no program of the system, no network.

The pages come from `writers.typst`. The same document gives the same bytes: no date stands in the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from backhand.errors import UsageError
from backhand.explaining.document import Document
from backhand.writers import typst as source

if TYPE_CHECKING:
    from types import ModuleType


def write(document: Document, **options: Any) -> Iterator[bytes]:
    """The file, in one piece. Raises UsageError where the extra is not installed."""
    yield pdf("".join(source.write(document, **options)))


def pdf(text: str) -> bytes:
    """A PDF of Typst source."""
    found = _compiler().compile(text.encode("utf-8"), format="pdf", ignore_system_fonts=True)
    assert isinstance(found, bytes)
    return found


def _compiler() -> ModuleType:
    try:
        import typst
    except ImportError:
        raise UsageError(
            "PDF needs the package typst, which is not installed.", cure="Say: pip install 'backhand[pdf]'."
        ) from None
    return typst
