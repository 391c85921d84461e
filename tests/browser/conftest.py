"""A Chromium or a Firefox, a stage and fresh tabs for each test."""

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
from lifeline_harness.engine import ALLOWING
from lifeline_harness.errors import StartError
from lifeline_harness.profile import ROOT
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

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

# A token for each connection, and nothing of Lifeline's own.
REAL = ("--launch-mode", "remote")

MakeStage = Callable[..., Stage]
OpenTab = Callable[..., Tab]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    limit_time(items, Path(__file__).parent)


def _chromium(playwright: Playwright) -> Browser:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    return playwright.chromium.launch(executable_path=path, args=FLAGS)


def _firefox(playwright: Playwright) -> Browser:
    path = os.environ.get("FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")
    if path is None:
        raise StartError("no Firefox: install Debian's firefox-esr, or name one in FIREFOX")
    # Not playwright's own build of it, but everybody's, by WebDriver BiDi.
    return playwright.firefox.launch(executable_path=path, channel="moz-firefox")


LAUNCHERS = {"chromium": _chromium, "firefox": _firefox}


@pytest.fixture(params=LAUNCHERS)
def program(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Each test runs in both, unless it names one.

    A fresh one each time: as long as playwright is there, its event loop runs in this thread, and
    other tests on this worker have loops of their own.
    """
    if not (PAGES / "index.html").exists():
        raise StartError(f"no page in {PAGES}: use `cargo xtask test browser`")
    with (
        sync_playwright() as playwright,
        closing(LAUNCHERS[request.param](playwright)) as browser,
    ):
        yield browser


@pytest.fixture
def browser(program: Browser) -> Iterator[BrowserContext]:
    """One user's browser: its tabs share what pages keep."""
    with closing(program.new_context(viewport={"width": 900, "height": 900})) as context:
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

    pages: what the server serves. apart: pages come from `site`, and not from the server. plain:
    the server is as the real one, and allows no more.
    """
    with ExitStack() as stack:

        def make(
            *, pages: Path = PAGES, apart: bool = False, plain: bool = False, **settings: Setting
        ) -> Stage:
            options = ["--allow-origin", site] if apart else ["--pages", str(pages)]
            allowing = REAL if plain else ALLOWING
            made = stack.enter_context(
                staged(tmp_path, display, template, options, allowing, **settings)
            )
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
    """Open a stage's page, with more in its fragment if that is named; see `Tab.open`."""

    def open_(stage: Stage, username: str = "ann", **more: str) -> Tab:
        given = {"user": username, "file": str(stage.file)}
        return Tab.open(browser, stage.engine, given | more)

    return open_
