"""Another policy in a page: it decides, and it reaches nothing and holds nobody up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from lifeline_harness.hostile import hostile
from lifeline_harness.policies import policy_file
from lifeline_harness.waiting import wait_until
from playwright.sync_api import BrowserContext, Route

from tests.browser.conftest import MakeStage, OpenTab
from tests.browser.tab import Tab

# In the place of what runs in the sandbox: whatever a component's module could be made to do. What
# it finds it tells as the reason why it cannot be taken.
INTRUDER = """
const tried = {
    window: () => window, document: () => document, parent: () => parent.location.href,
    localStorage: () => localStorage, sessionStorage: () => sessionStorage,
    cookies: () => cookieStore,
    origin: () => { if (origin === "null") throw new Error("none"); },
    fetch: () => fetch("TARGET/fetch"), opaque: () => fetch("TARGET/opaque", { mode: "no-cors" }),
    request: () => new Promise((resolve, reject) => {
        const asked = new XMLHttpRequest();
        asked.open("GET", "TARGET/request");
        Object.assign(asked, { onload: resolve, onerror: () => reject(new Error("no")) }).send();
    }),
    script: () => import("TARGET/script.js"), scripts: () => importScripts("TARGET/scripts.js"),
    socket: () => new Promise((resolve, reject) => {
        Object.assign(new WebSocket("SOCKET/socket"), { onopen: resolve, onerror: reject });
    }),
    events: () => new Promise((resolve, reject) => {
        Object.assign(new EventSource("TARGET/events"), { onopen: resolve, onerror: reject });
    }),
    database: () => new Promise((resolve, reject) => {
        Object.assign(indexedDB.open("stolen"), { onsuccess: resolve, onerror: reject });
    }),
    caches: () => caches.keys(), files: () => navigator.storage.getDirectory(),
    locks: () => navigator.locks.query(),
};
addEventListener("message", async ({ ports: [port] }) => {
    const found = [];
    for (const [what, how] of Object.entries(tried)) {
        try { await how(); found.push(what); } catch {}
    }
    port.postMessage({ error: `reached ${JSON.stringify(found)}` });
});
"""


def _policy(tab: Tab) -> dict[str, object]:
    policy = tab.status()["policy"]
    assert isinstance(policy, dict)
    return policy


def _hostile(folder: Path, mode: str) -> str:
    file = folder / f"{mode}.wasm"
    file.write_bytes(hostile(mode))
    return str(file)


def test_one_that_never_answers_holds_nobody_up(
    make_stage: MakeStage, open_tab: OpenTab, tmp_path: Path
) -> None:
    stage = make_stage(policy=_hostile(tmp_path, "endless-loop"), cleanup_timeout=6)
    tab = open_tab(stage)
    tab.wait("connected")
    tab.page.wait_for_function("lifeline.status.getSnapshot().policy?.origin !== 'built-in'")
    tab.page.evaluate(
        """() => {
            window.turns = 0;
            setInterval(() => (window.turns += 1), 20);
        }"""
    )
    stage.engine.kill()
    wait_until("it is rejected", lambda: _policy(tab)["lastFailure"] is not None, 30)
    assert "took longer than 2 s" in str(_policy(tab)["lastFailure"])
    # While it looped, and had all of its time, the page went on.
    assert tab.page.evaluate("window.turns") > 10
    tab.wait("unreachable")
    tab.wait("closed")
    assert tab.page.locator("iframe").count() == 0


class _Listener(ThreadingHTTPServer):
    """Who wants to hear what a policy tells: answers everybody, and keeps what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Welcome)
        self.asked: list[str] = []


class _Welcome(BaseHTTPRequestHandler):
    server: _Listener

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Type", "text/javascript")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[_Listener]:
    with _Listener() as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_what_runs_in_its_place_reaches_nothing(
    make_stage: MakeStage, open_tab: OpenTab, browser: BrowserContext, listener: _Listener
) -> None:
    stage = make_stage(policy=str(policy_file("patient")))
    target = f"http://127.0.0.1:{listener.server_port}"
    source = INTRUDER.replace("TARGET", target).replace("SOCKET", target.replace("http", "ws"))

    def in_its_place(route: Route) -> None:
        module = f"export const SOURCE = {json.dumps(source)};"
        route.fulfill(body=module, content_type="text/javascript")

    # Before the page has it: a module is loaded once.
    browser.route("**/assets/sandbox_source*.js", in_its_place)
    tab = open_tab(stage)
    tab.page.wait_for_function("lifeline.status.getSnapshot().policyRefused !== undefined")
    assert tab.status()["policyRefused"] == f"reached {json.dumps([])}"
    assert listener.asked == []
    assert _policy(tab)["origin"] == "built-in"
