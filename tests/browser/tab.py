"""A tab with the demo page."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from lifeline_harness.engine import Engine
from lifeline_harness.profile import ROOT
from lifeline_harness.waiting import wait_until
from playwright.sync_api import BrowserContext, Page

WAIT_SECONDS = 30.0
# Asking costs a few milliseconds of both processes.
STEP = 0.05
NOTES = "the page's own notes"
AXE = ROOT / "browser" / "node_modules" / "axe-core" / "axe.min.js"

# What is left of the countdown, in seconds; null: there is none.
_LEFT = """() => {
    const { endsAt } = lifeline.status.getSnapshot();
    return endsAt === undefined ? null : (endsAt - lifeline.now()) / 1000;
}"""


class Tab:
    """See `browser/demo`."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @classmethod
    def open(cls, browser: BrowserContext, engine: Engine, given: Mapping[str, str]) -> Tab:
        """Not waited for: see `wait`.

        given: what the page takes from its fragment, which goes to no server; site: the origin that
        it is from, if that is not the engine's.
        """
        own = f"http://127.0.0.1:{engine.port}"
        site = given.get("site")
        fragment = {"token": engine.token, **given} | ({"server": own} if site else {})
        tab = cls(browser.new_page())
        tab.page.goto(f"{site or own}/#{urlencode(fragment)}")
        return tab

    def status(self) -> dict[str, Any]:
        """Without instants, which are no plain numbers."""
        found: dict[str, Any] = self.page.evaluate(
            """() => {
                const status = lifeline.status.getSnapshot();
                return { ...status, blender: { ...status.blender, since: 0 } };
            }"""
        )
        return found

    def state(self) -> str:
        return str(self.status()["state"])

    def wait(self, state: str, timeout: float = WAIT_SECONDS) -> None:
        """Until it is in this state."""
        wait_until(f"the page is {state}", lambda: self.state() == state, timeout, step=STEP)

    def wait_blender(self, state: str, timeout: float = WAIT_SECONDS) -> None:
        """Until its Blender is, as far as it knows."""
        wait_until(
            f"the page's Blender is {state}",
            lambda: self.status()["blender"]["state"] == state,
            timeout,
            step=STEP,
        )

    def deadline(self) -> float:
        """The countdown's, in seconds of the monotonic clock."""
        before = time.monotonic()
        left = self.page.evaluate(_LEFT)
        after = time.monotonic()
        assert left is not None, f"no countdown runs: {self.status()}"
        return (before + after) / 2 + float(left)

    def violations(self) -> list[str]:
        """What axe-core finds wrong for people who cannot see, or use no pointer."""
        self.page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
        found: list[str] = self.page.evaluate(
            """async () => {
                const { violations } = await axe.run();
                return violations.map((it) => `${it.id}: ${it.nodes.map((node) => node.html)}`);
            }"""
        )
        return found

    def focused(self) -> str:
        """The id of what has the focus; "": nothing has."""
        return str(self.page.evaluate("document.activeElement.id"))

    def title(self) -> str:
        return self.page.inner_text("#title")

    def text(self) -> str:
        """All that can be read."""
        return self.page.inner_text("main")

    def write_notes(self) -> None:
        self.page.fill("#notes", NOTES)

    def notes(self) -> str:
        return self.page.input_value("#notes")

    def press(self, button: str) -> None:
        """By the keyboard."""
        self.page.focus(f"#{button}")
        self.page.keyboard.press("Enter")

    def picture(self, name: str) -> None:
        """Kept if `$LIFELINE_PICTURES` names a folder."""
        if folder := os.environ.get("LIFELINE_PICTURES"):
            self.page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
