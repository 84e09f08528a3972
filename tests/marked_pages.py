"""The pages of `tests/pages` and `tests/reading`, each marked once for all tests that ask about it.

Tests that ask about one page are of one group, so that the same worker runs them and the marking is there.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

import backhand
from backhand.marking.mark import mark
from backhand.marking.marking import Marking
from backhand.readers.answer import work_of


@cache
def marked_page(net: str, page: str) -> Marking:
    return mark(work_of([("page-1.md", page.encode())]), backhand.read(net))


def together(path: Path) -> pytest.MarkDecorator:
    """The group of all tests about one file."""
    return pytest.mark.xdist_group(f"{path.parent.name}/{path.stem}")
