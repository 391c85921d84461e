"""A Blender of a test's own: its folders, its command line, its environment."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lifeline_harness.display import Display
from lifeline_harness.errors import StartError

ROOT = Path(__file__).resolve().parents[3]
ADDON = ROOT / "addon" / "cr8_router"
LIBRARY = ROOT / "addon" / "lifeline"
BOOTSTRAP = Path(__file__).with_name("bootstrap.py")

# Exit code of Blender when the bootstrap fails.
SCRIPT_FAILED = 7


@dataclass(frozen=True)
class Profile:
    """What the Blenders of one test share, whoever starts them.

    folder: private; settings, temporary files, logs and control channel go there.
    display: None: no window, so in the background only.
    addon: enable cr8_router. Its native module comes from the folder named by LIFELINE_PYTHON.
    environment: further variables, like CR8_CLEANUP_TIMEOUT.
    """

    folder: Path
    display: Display | None = None
    addon: bool = True
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def control(self) -> Path:
        return self.folder / "control"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    def prepare(self) -> None:
        """Make the folders, and put the add-on where Blender looks for it."""
        addons = self.folder / "scripts" / "addons"
        for folder in (self.control, self.logs, self.home, self.temporary, addons):
            folder.mkdir(parents=True, exist_ok=True)
        link = addons / ADDON.name
        if self.addon and not link.is_symlink():
            link.symlink_to(ADDON, target_is_directory=True)


def blender_executable() -> str:
    """`$BLENDER`, or `blender` on the path. Raises StartError."""
    wanted = os.environ.get("BLENDER") or "blender"
    found = shutil.which(wanted)
    if found is None:
        raise StartError(f"no Blender: {wanted} is not an executable (set BLENDER to one)")
    return found


def blender_command(
    file: str | Path | None = None, *, background: bool = False, arguments: Sequence[str] = ()
) -> list[str]:
    """The command line of a Blender under control.

    file: the .blend to open. arguments: come last, so a `--python-expr` in them runs after the
    bootstrap; in the background, where timers never tick, that is the only way in.
    """
    return [
        blender_executable(),
        *(["--background"] if background else []),
        "--factory-startup",
        "--python-exit-code",
        str(SCRIPT_FAILED),
        *([] if file is None else [str(file)]),
        "--python",
        str(BOOTSTRAP),
        *arguments,
    ]


def blender_environment(profile: Profile) -> dict[str, str]:
    """The whole environment of a Blender of this profile, without the server's variables."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CR8_", "BLENDER_", "XDG_"))
        and name not in ("WS_URL", "DISPLAY", "WAYLAND_DISPLAY")
    }
    folder, home = profile.folder, profile.home
    ours |= {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "TMPDIR": str(profile.temporary),
        "BLENDER_USER_RESOURCES": str(folder),  # 4.2 and later
        "BLENDER_USER_CONFIG": str(folder / "config"),
        "BLENDER_USER_SCRIPTS": str(folder / "scripts"),
        "BLENDER_USER_DATAFILES": str(folder / "datafiles"),
        "BROWSER": "true",  # else a click that opens a folder starts the system's own
        "LIFELINE_CONTROL": str(profile.control),
        "LIFELINE_ADDON": ADDON.name if profile.addon else "",
    }
    if profile.display is not None:
        ours["DISPLAY"] = profile.display.name
        if profile.display.virtual:
            ours["LIBGL_ALWAYS_SOFTWARE"] = "1"
        if profile.display.shader_cache is not None:
            ours["MESA_SHADER_CACHE_DIR"] = str(profile.display.shader_cache)
        if profile.display.small:
            ours["LIFELINE_NOBODY_LOOKS"] = "1"
    return {**ours, **profile.environment}
