"""The same story with its second client: the user's page, in a browser."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from lifeline_harness.blender import Blender
from lifeline_harness.engine import Engine
from lifeline_harness.errors import StartError, WaitError
from lifeline_harness.profile import ROOT, Profile
from lifeline_harness.waiting import wait_until
from playwright.sync_api import Error, Page, sync_playwright

from lifeline_demo.outcome import Outcome
from lifeline_demo.schedule import Schedule
from lifeline_demo.screen import Screen
from lifeline_demo.story import USER, Story

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
# The page takes its time: Blender starts, and a Chromium beside it.
PAGE_SECONDS = 90.0

# Every two seconds the page gets a picture of Blender's window. It costs Blender's main thread some
# milliseconds each time, so this belongs into a demo.
VIEWPORT = """
import base64, os, cr8_router
path = os.path.join(bpy.app.tempdir, "viewport.png")

def send():
    if cr8_router.handler().status()["connected"]:
        window = bpy.context.window_manager.windows[0]
        area = window.screen.areas[0]
        with bpy.context.temp_override(window=window, screen=window.screen, area=area):
            bpy.ops.screen.screenshot(filepath=path, check_existing=False)
        with open(path, "rb") as file:
            png = base64.b64encode(file.read()).decode()
        cr8_router.handler().emit("viewport", {"png": png})
    return 2.0

bpy.app.timers.register(send, persistent=True)
"""

_VIEW = """() => {
    const { state, endsAt, blender } = lifeline.status.getSnapshot();
    const left = endsAt === undefined ? null : (endsAt - lifeline.now()) / 1000;
    const title = document.getElementById("title").textContent;
    return { state, left, blender: blender.state, title };
}"""


@dataclass
class PageOutcome(Outcome):
    """With the page's part."""

    deadlines_apart_s: float | None = None
    """Between the page's deadline and Blender's, in seconds."""
    page_ended: bool = False
    """The page has ended its session, and cleared what it kept."""
    page_relaunched: bool = False
    """It was the page that asked for Blender, and one was started."""
    pages: list[str] = field(default_factory=list)
    """Pictures of the page, one for each state."""

    def complete(self) -> bool:
        apart = self.deadlines_apart_s
        return (
            super().complete()
            and self.page_ended
            and self.page_relaunched
            and apart is not None
            and abs(apart) < 1
        )

    def as_text(self) -> list[str]:
        apart = self.deadlines_apart_s
        told = "not measured" if apart is None else f"{abs(apart) * 1000:.0f} ms apart"
        return [*super().as_text(), f"deadlines       {told}", *self.pages]


class PageStory(Story):
    """window: the browser's is shown, too."""

    outcome: PageOutcome

    def __init__(
        self,
        profile: Profile,
        schedule: Schedule,
        screen: Screen,
        outcome: PageOutcome,
        *,
        window: bool,
    ) -> None:
        super().__init__(profile, schedule, screen, outcome)
        self._window = window
        self._seen = ""

    def play(self) -> None:
        """Raises HarnessError."""
        self._make_file()
        options = ["--pages", str(PAGES)]
        with Engine(self._profile, options=options) as engine, self._chromium() as page:
            self._page = page
            self._screen.title("A server, a page in a browser, and a Blender")
            given = {"user": USER, "token": engine.token, "file": str(self._file)}
            page.goto(f"http://127.0.0.1:{engine.port}/#{urlencode(given)}")
            # Whoever is there hears of a Blender that comes.
            self._wait("connected")
            with engine.launch(USER, self._file) as blender:
                self._work(engine, blender)
                page.fill("#notes", "what the page keeps of its session")
                self._show_blender(blender)
                self._take("connected")
                self._lose(engine, blender)
            self._wait("closed")
            self.outcome.page_ended = page.input_value("#notes") == ""
            self._take("closed")
            self._look_at_file()
            self._be_brought_back(engine, blender.pid)

    @contextmanager
    def _chromium(self) -> Iterator[Page]:
        path = os.environ.get("CHROMIUM") or shutil.which("chromium")
        if path is None:
            raise StartError("no Chromium: set CHROMIUM to one")
        display = self._profile.display
        environment: dict[str, str | float | bool] = {**os.environ}
        if display is not None:
            environment["DISPLAY"] = display.name
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=path, args=FLAGS, headless=not self._window, env=environment
            )
            page = browser.new_page(viewport={"width": 900, "height": 1100})
            page.set_default_timeout(PAGE_SECONDS * 1000)
            try:
                yield page
            except Error as error:
                raise WaitError(f"the page: {error}") from error
            finally:
                browser.close()

    def _show_blender(self, blender: Blender) -> None:
        blender.run(VIEWPORT)
        self._page.wait_for_function("document.getElementById('viewport').naturalWidth > 0")

    def _view(self) -> dict[str, Any]:
        view: dict[str, Any] = self._page.evaluate(_VIEW)
        return view

    def _wait(self, state: str) -> None:
        wait_until(f"the page is {state}", lambda: self._view()["state"] == state, PAGE_SECONDS)

    def _take(self, name: str) -> None:
        path = self._profile.folder / f"page-{name}.png"
        self._page.screenshot(path=str(path), full_page=True)
        self.outcome.pages.append(str(path))
        self._screen.note(f"the page says: {self._page.inner_text('#title')}")

    def _picture(self, blender: Blender, status: dict[str, Any]) -> None:
        """Of Blender, and of the page whenever it says something else."""
        super()._picture(blender, status)
        state = str(self._view()["state"])
        both_count = state == "unreachable" and status["remaining"] is not None
        if both_count and self.outcome.deadlines_apart_s is None:
            self.outcome.deadlines_apart_s = round(self._apart(blender), 3)
        if state == self._seen:
            return
        self._seen = state
        if self._seen in ("reconnecting", "unreachable"):
            self._take(self._seen)

    def _apart(self, blender: Blender) -> float:
        """The page's deadline minus Blender's, each by this process's clock."""
        answer = blender.run(
            "import time, cr8_router\n"
            "result = [time.monotonic(), cr8_router.handler().status()['remaining']]"
        )
        theirs = answer[0] + answer[1]
        before = time.monotonic()
        left = self._view()["left"]
        ours = (before + time.monotonic()) / 2 + left
        return float(ours - theirs)

    def _be_brought_back(self, engine: Engine, old: int) -> None:
        self._screen.title("The server is back, and the page asks for Blender with the saved file")
        engine.start()
        wait_until(
            "the page relaunches Blender",
            lambda: self._view()["blender"] == "launching",
            PAGE_SECONDS,
        )
        self._take("relaunching")
        one = engine.wait_for_blender(USER, PAGE_SECONDS)
        pids = [int(it["pid"]) for it in engine.status()["launched"]]
        self.outcome.page_relaunched = len(pids) == 1
        with Blender(self._profile, pids[0], None) as blender:
            blender.wait_ready()
            same = one["blend_file_path"] == str(self._file)
            self.outcome.relaunched = blender.pid != old and same
            self._screen.note(f"Blender (process {blender.pid}) is connected")
            self.outcome.edit_survived = self._edit.is_in(blender)
            self._screen.note(f"the edit is {'' if self.outcome.edit_survived else 'NOT '}there")
            self._page.wait_for_selector("#saves li")
            self._show_blender(blender)
            self._take("back")
            self._screen.note(self._page.inner_text("#saves"))
