"""What every test may ask for: hypothesis profiles and a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# `ci` draws the same examples every time, so a failure is never a matter of luck; `nightly` goes looking.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("nightly", max_examples=2_000, deadline=None)
settings.load_profile("ci")

# programs that run until they are stopped (`make nightly` starts them); a course to be read, not run
collect_ignore = ["fuzz", "lint"]

# Alone on a closed network, as root, and without asking its makers for anything.
CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever drives a browser is marked so, and all of it runs in one worker."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group("browser"))


def find_chromium() -> str | None:
    """The browser that is installed; the Makefile looks for the same names."""
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


@pytest.fixture(scope="module")  # not longer: while playwright runs, no other test could use asyncio
def chromium() -> Iterator[Browser]:
    """A running chromium. Without one installed the test is skipped, in CI it fails."""
    executable = find_chromium()
    if executable is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no chromium found; `make test` installs one")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A fresh page that can reach this machine only, so that nothing we ship leans on another one."""
    context = chromium.new_context()
    context.route(
        lambda url: not url.startswith(("http://127.0.0.1", "http://localhost", "file:", "data:", "blob:")),
        lambda route: route.abort(),
    )
    yield context.new_page()
    context.close()
