"""One Chromium for all; a stage and fresh tabs for each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from lifeline_harness.display import Display
from lifeline_harness.errors import StartError
from lifeline_harness.profile import ROOT
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.blender.conftest import display, limit_time, template
from tests.blender.stage import Setting, Stage, staged
from tests.browser.tab import Tab

# pytest finds fixtures by their names here.
__all__ = ["display", "template"]

PAGES = ROOT / "browser" / "dist"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

MakeStage = Callable[..., Stage]
OpenTab = Callable[..., Tab]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    limit_time(items, Path(__file__).parent)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not (PAGES / "index.html").exists():
        raise StartError(f"no page in {PAGES}: use `cargo xtask test browser`")
    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[BrowserContext]:
    """One user's browser: its tabs share what pages keep."""
    with closing(chromium.new_context(viewport={"width": 900, "height": 900})) as context:
        context.set_default_timeout(30_000)
        yield context


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """The origin of a server of the page alone, which outlives every engine, as a CDN does."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(PAGES)))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def make_stage(
    tmp_path: Path, display: Display, template: Path, browser: BrowserContext, site: str
) -> Iterator[MakeStage]:
    """Set up a scenario, with other settings than the compressed ones if they are named.

    apart: pages come from `site`, and not from the server.
    """
    with ExitStack() as stack:

        def make(*, apart: bool = False, **settings: Setting) -> Stage:
            options = ["--allow-origin", site] if apart else ["--pages", str(PAGES)]
            made = stack.enter_context(staged(tmp_path, display, template, options, **settings))
            # Tabs that look for a server go before it.
            stack.enter_context(closing(_Tabs(browser)))
            return made

        yield make


class _Tabs:
    def __init__(self, browser: BrowserContext) -> None:
        self._browser = browser

    def close(self) -> None:
        for page in self._browser.pages:
            page.close()


@pytest.fixture
def open_tab(browser: BrowserContext) -> OpenTab:
    """Open the page that a stage's server serves, or, if it is named, another server."""

    def open_(stage: Stage, username: str = "ann", *, site: str | None = None) -> Tab:
        return Tab.open(browser, stage.engine, username, site)

    return open_
