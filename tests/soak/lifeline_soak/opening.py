"""What a soak needs: a server, and a client that is connected."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lifeline_harness.blender import Blender
from lifeline_harness.display import Display
from lifeline_harness.engine import Engine
from lifeline_harness.errors import StartError
from lifeline_harness.profile import Profile

from lifeline_soak.in_blender import BlenderClient
from lifeline_soak.log import CycleLog
from lifeline_soak.plain import PlainClient
from lifeline_soak.shelf import Shelf
from lifeline_soak.site import USER, Site
from lifeline_soak.timing import BLENDER, PLAIN, Timing

if TYPE_CHECKING:
    from cr8_lifeline import Status

MakeClient = Callable[[Mapping[str, object], Path, CycleLog], PlainClient]

_FILE_SECONDS = 90.0


@contextmanager
def plain(folder: Path, make: MakeClient = PlainClient, timing: Timing = PLAIN) -> Iterator[Site]:
    """The host in this process. Raises HarnessError."""
    shelf = Shelf(folder / "policies")
    saved = folder / "saved.blend"
    saved.write_text("what stands for a saved file")
    log = CycleLog()
    with _engine(Profile(folder / "server", addon=False), timing, blenders=False) as engine:
        settings: dict[str, object] = {
            **_settings(folder, shelf, timing),
            "warn_before": [0.3, 0.1],
            "policy_push": True,
            "server_url": engine.url,
            "username": USER,
            "token": engine.token,
            # It is for whoever watches the soak.
            "terminate_timeout": 0,
        }
        client = make(settings, saved, log)
        try:
            yield connected(Site(engine, client, shelf, _journal(folder), timing, log))
        finally:
            client.close()


@contextmanager
def in_blender(folder: Path, display: Display) -> Iterator[tuple[Site, Blender, Path]]:
    """The host in a real Blender, and the file that is open there. Raises HarnessError.

    It is the server that starts this Blender, so orphans must be adopted (`processes`).
    """
    shelf = Shelf(folder / "policies")
    settings = {**_settings(folder, shelf, BLENDER), "warn_before": "2, 1", "policy_push": 1}
    environment = {f"CR8_{name.upper()}": str(value) for name, value in settings.items()}
    with ExitStack() as stack:
        profile = Profile(folder / "blender", display, environment=environment)
        file = folder / "work.blend"
        _make_file(folder / "plain", file)
        engine = stack.enter_context(_engine(profile, BLENDER, blenders=True))
        blender = stack.enter_context(engine.launch(USER, file))
        blender.wait_ready()
        client = BlenderClient(blender)
        site = Site(engine, client, shelf, _journal(folder), BLENDER, CycleLog())
        yield connected(site), blender, file


def _settings(folder: Path, shelf: Shelf, timing: Timing) -> dict[str, object]:
    return {
        **timing.settings,
        "journal": str(_journal(folder)),
        "policy": str(shelf.watched),
        "policy_store": str(folder / "store"),
        "policy_cache": str(folder / "cache"),
    }


def _journal(folder: Path) -> Path:
    return folder / "journal" / "journal.jsonl"


def _engine(profile: Profile, timing: Timing, *, blenders: bool) -> Engine:
    return Engine(
        profile,
        ping_interval=timing.ping_interval,
        ping_timeout=timing.ping_timeout,
        blenders=blenders,
    )


def _make_file(folder: Path, file: Path) -> None:
    save = f"import bpy; bpy.ops.wm.save_as_mainfile(filepath={str(file)!r})"
    options = ["--python-expr", save]
    with Blender.start(Profile(folder, addon=False), background=True, arguments=options) as blender:
        if blender.wait_exit(_FILE_SECONDS) != 0:
            raise StartError(f"no file could be made\n{blender.lines.tail()}")


def connected(site: Site) -> Site:
    """Once it is; what has happened so far belongs to no cycle. Raises WaitError."""

    def ready(status: Status) -> bool:
        # The watched file is read beside the first attempt, and may come later.
        return status["connected"] and status["policy"]["origin"] == str(site.shelf.watched)

    status = site.client.wait("the connection and the policy", ready, site.timing.patience)
    site.outages = status["outages"]
    site.journal.unlink(missing_ok=True)
    return site
