"""A real Blender with a window, and a server beside it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lifeline_harness.blender import Blender
from lifeline_harness.display import Display
from lifeline_harness.engine import Engine
from lifeline_harness.profile import ADDON, Profile

from lifeline_bench.site import Site

_READY_SECONDS = 90.0


@dataclass
class Stage:
    """Blenders are started on it one after the other, each with a user of its own.

    In a Blender nothing is enabled, but the add-on can be: `addon_utils.enable("cr8_router")`.
    """

    site: Site
    profile: Profile
    engine: Engine
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def start(
        self, file: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> tuple[str, Blender]:
        """Start one, with a file or as Blender starts; its user's name, and itself."""
        user = f"user-{next(self._numbers)}"
        line = {**self.engine.line(user), **(environment or {})}
        return user, Blender.start(self.profile, file, environment=line).wait_ready(_READY_SECONDS)


@contextmanager
def stage(
    site: Site, *, ping_interval: float = 90.0, ping_timeout: float = 120.0
) -> Iterator[Stage]:
    """The server's pings are the real engine's unless named otherwise, in seconds."""
    folder = site.scratch / "stage"
    folder.mkdir(exist_ok=True)
    with Display.start(folder / "display") as display:
        profile = Profile(folder / "blender", display=display, addon=False)
        profile.prepare()
        link = profile.folder / "scripts" / "addons" / ADDON.name
        if not link.is_symlink():
            link.symlink_to(ADDON, target_is_directory=True)
        engine = Engine(
            profile, ping_interval=ping_interval, ping_timeout=ping_timeout, blenders=False
        )
        with engine:
            yield Stage(site, profile, engine)
