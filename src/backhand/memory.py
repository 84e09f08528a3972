"""The garbage collector, paused while many things are made that stay.

It goes through all there is each time a quarter has been added, and here finds nothing to collect: reading a file
of 100,000 lines, a third of the time is its own.
"""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Generator[None]:
    """As a decorator: the function runs without the collector, which is then as it was before."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
