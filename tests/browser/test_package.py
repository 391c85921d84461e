"""The page's package as others get it: packed, installed, compiled, bundled, run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from lifeline_harness.policies import policy_file
from lifeline_harness.profile import ROOT
from playwright.sync_api import BrowserContext

from tests.browser.conftest import MakeStage

PACKAGE: dict[str, Any] = json.loads((ROOT / "browser" / "package.json").read_text("utf-8"))
# What Vite and React have a fresh app made of; the versions are those that the cache has.
TOOLS = ("@types/react", "@types/react-dom", "react", "react-dom", "typescript", "vite")
SECONDS = 300

PLAIN = """
import { Client } from "@cr8/lifeline";
const [url, token] = process.argv.slice(2);
const client = new Client({ url, token, username: "ann" });
client.status.subscribe(() => {
    if (client.status.getSnapshot().state === "connected") {
        console.log(client.status.getSnapshot().policy.name);
        process.exit(0);
    }
});
await client.connect();
"""
APP = """
import { createRoot } from "react-dom/client";
import { Client, type Status } from "@cr8/lifeline";
import { useServerCleanup } from "@cr8/lifeline/react";

const given = new URLSearchParams(location.hash.slice(1));
const client = new Client({
    token: async () => given.get("token") ?? "",
    username: "ann",
    auth: { blend_object_key: "u/1.blend" },
    askForBlender: async ({ file }: { file: string | undefined }) => console.log(file),
});
client.on("warn", ({ left }) => console.warn(left));

function View() {
    const status: Status = useServerCleanup(client);
    const name: string = status.policy?.name ?? status.policyRefused ?? "";
    return <h1>{`${status.state} by ${name}`}</h1>;
}

createRoot(document.getElementById("root")!).render(<View />);
"""
INDEX = '<!doctype html><div id="root"></div><script type="module" src="/src/main.tsx"></script>'
COMPILER = {
    "compilerOptions": {
        "target": "ES2022",
        "lib": ["ES2023", "DOM", "DOM.Iterable"],
        "module": "ESNext",
        "moduleResolution": "bundler",
        "jsx": "react-jsx",
        "strict": True,
        "noEmit": True,
        # The package's types are looked at, too.
        "skipLibCheck": False,
        "types": [],
    },
    "include": ["src"],
}


def _npm(folder: Path, *words: str) -> str:
    npm = os.environ.get("LIFELINE_NPM") or shutil.which("npm") or "npm"
    # npm finds its Node.js on the search path; what it has fetched once it keeps.
    environment = {
        **os.environ,
        "PATH": f"{Path(npm).parent}:{os.environ['PATH']}",
        "npm_config_cache": str(ROOT / "target" / "npm-cache"),
        "npm_config_prefer_offline": "true",
        "npm_config_audit": "false",
        "npm_config_fund": "false",
        "LIFELINE_POLICY": str(ROOT / "target" / "policies" / "five-minutes.wasm"),
    }
    done = subprocess.run(
        [npm, *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def _install(folder: Path, tarball: Path, tools: tuple[str, ...], scripts: dict[str, str]) -> None:
    (folder / "package.json").write_text(
        json.dumps(
            {
                "private": True,
                "type": "module",
                "scripts": scripts,
                "dependencies": {"@cr8/lifeline": f"file:{tarball}"},
                "devDependencies": {tool: PACKAGE["devDependencies"][tool] for tool in tools},
            }
        ),
        encoding="utf-8",
    )
    _npm(folder, "install")


@pytest.fixture(scope="module")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packed from a copy: whatever else is made in the checkout meanwhile is left alone."""
    folder = tmp_path_factory.mktemp("package")
    browser = folder / "browser"
    left = shutil.ignore_patterns("node_modules", "generated", "lib", "dist")
    shutil.copytree(ROOT / "browser", browser, ignore=left)
    shutil.copy(ROOT / "LICENSE", folder)
    (browser / "node_modules").symlink_to(ROOT / "browser" / "node_modules")
    _npm(browser, "pack", "--pack-destination", str(folder))
    (packed,) = folder.glob("*.tgz")
    return packed


def test_it_holds_all_that_it_needs_and_no_more(tarball: Path) -> None:
    with tarfile.open(tarball) as archive:
        names = {name.removeprefix("package/") for name in archive.getnames()}
    assert {"LICENSE", "README.md", "package.json", "lib/generated/licenses.md"} <= names
    for entry in (PACKAGE["exports"]["."], PACKAGE["exports"]["./react"]):
        assert {file.removeprefix("./") for file in entry.values()} <= names
    sources = [it for it in names if it.endswith((".ts", ".tsx")) and not it.endswith(".d.ts")]
    assert sources == []
    # What a module is made of has its types beside it.
    modules = {it.removesuffix(".js") for it in names if it.endswith(".js")}
    assert {f"{it}.d.ts" for it in modules} <= names


def test_what_people_read_of_it_is_there() -> None:
    for field in ("description", "repository", "license", "keywords", "homepage", "bugs"):
        assert PACKAGE[field], field
    assert PACKAGE["engines"] == {"node": ">=22"}
    assert "private" not in PACKAGE


@pytest.mark.parametrize("program", ["chromium"], indirect=True)
def test_plain_node_imports_it_and_connects(
    tarball: Path, tmp_path: Path, make_stage: MakeStage
) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    _install(folder, tarball, (), {"start": "node main.mjs"})
    (folder / "main.mjs").write_text(PLAIN, encoding="utf-8")
    engine = make_stage().engine
    url = f"http://127.0.0.1:{engine.port}"
    assert _npm(folder, "--silent", "start", "--", url, engine.token) == "five-minutes\n"


@pytest.fixture(scope="module")
def app(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh app of Vite and React, compiled and built: its files."""
    folder = tmp_path_factory.mktemp("app")
    _install(folder, tarball, TOOLS, {"build": "tsc && vite build"})
    (folder / "tsconfig.json").write_text(json.dumps(COMPILER), encoding="utf-8")
    (folder / "index.html").write_text(INDEX, encoding="utf-8")
    (folder / "src").mkdir()
    (folder / "src" / "main.tsx").write_text(APP, encoding="utf-8")
    said = _npm(folder, "run", "build")
    # A bundler complains of the size of the sandbox alone, which is loaded when it is needed.
    assert not re.search(r"(?i)error|unresolved|externalized|directive", said), said
    return folder / "dist"


@pytest.mark.parametrize("program", ["chromium"], indirect=True)
def test_a_fresh_app_is_built_with_it_and_runs(
    app: Path, make_stage: MakeStage, browser: BrowserContext
) -> None:
    stage = make_stage(pages=app, policy=str(policy_file("patient")))
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{stage.engine.port}/#{urlencode({'token': stage.engine.token})}")
    # In a sandbox of its own, which is part of the package.
    page.wait_for_selector("text=connected by patient")
    stage.engine.kill()
    page.wait_for_selector("text=reconnecting by patient")
