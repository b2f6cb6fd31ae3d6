"""What integration tests share: a real browser, and Prefect as `nightschool up` brings it up."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Browser, Error, Page, sync_playwright

from tests.integration.brought_up import Running, Up, shoot

_PATIENCE_MS = 120_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """An empty page; a picture of it is kept if its test fails."""
    found = browser.new_page(viewport={"width": 1400, "height": 1000})
    found.set_default_timeout(_PATIENCE_MS)
    found.set_default_navigation_timeout(_PATIENCE_MS)
    yield found
    if request.node.stash.get(_FAILED, False):
        with suppress(Error):  # the browser itself may be what failed
            shoot(found, f"failed-{request.node.name}")
    found.close()


_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    item.stash[_FAILED] = report.failed
    return report


@pytest.fixture(scope="session")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with Up(tmp_path_factory.mktemp("prefect")) as found:
        yield found


@pytest.fixture
def running(up: Up) -> Running:
    return up.running()
