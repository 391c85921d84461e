"""A server, Blenders and files: what every scenario starts from."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType

from lifeline_harness import blend, processes
from lifeline_harness.blender import Blender
from lifeline_harness.display import Display
from lifeline_harness.engine import ALLOWING, Engine
from lifeline_harness.journal import Journal, check
from lifeline_harness.profile import Profile

Setting = float | str

RETRY_ATTEMPTS = 5

# The real settings, compressed: attempts after 0.2, 0.4, 0.8, 0.8 and 0.8 s, so 3 s in all.
COMPRESSED: Mapping[str, float] = MappingProxyType(
    {
        "retry_delay": 0.2,
        "retry_delay_max": 0.8,
        "retry_jitter": 0.05,
        "connect_timeout": 2,
        "cleanup_timeout": 4,
        "warn_before": 2,
        "quit_floor": 1,
    }
)

# A countdown in which a test does something, on a busy computer too.
ROOM = 10

# Exact in 32 bits, as Blender keeps it.
EDIT = (1.5, -2.25, 3.0)

# How an outage may end that ends a Blender.
ENDS = ("quit", "terminated", "ended-by-host")

CONNECT_SECONDS = 30.0
# To notice the loss, save and close.
CLOSE_SECONDS = 30.0


class Stage:
    """One server, and the Blenders and files of one scenario.

    The server runs with a ping interval and a ping time-out of 1 s each.
    """

    def __init__(
        self, profile: Profile, engine: Engine, template: Path, settings: Mapping[str, Setting]
    ) -> None:
        self.profile = profile
        self.engine = engine
        self.cleanup_timeout = float(settings["cleanup_timeout"])
        first, longest, jitter = (
            float(settings[name]) for name in ("retry_delay", "retry_delay_max", "retry_jitter")
        )
        self._longest = longest
        delays = [first * 2**made for made in range(RETRY_ATTEMPTS)]
        self._attempts: float = sum(min(delay, longest) + jitter for delay in delays)
        self.secrets = [engine.token]
        self._template = template
        self._blenders: list[Blender] = []
        self.file = self.new_file("job")
        self.journal = Journal(
            Path(str(settings["journal"]))
            if "journal" in settings
            else profile.folder / "datafiles" / "cr8_lifeline" / "journal.jsonl"
        )

    @property
    def lasting(self) -> float:
        """Seconds after which a connection has ended the outage."""
        return 3 * self._longest

    @property
    def outage(self) -> float:
        """Seconds from a loss to the countdown's end, if each attempt is refused at once."""
        return self._attempts + self.cleanup_timeout

    def new_file(self, name: str) -> Path:
        """A .blend like that of a fresh Blender, which nobody has edited."""
        return Path(shutil.copy(self._template, self.profile.folder / f"{name}.blend"))

    def launch(self, file: Path | None, username: str = "ann") -> Blender:
        """Have the server start a Blender, and wait until it is ready and connected."""
        blender = self.own(self.engine.launch(username, file))
        blender.wait_ready()
        self.wait_connected(blender, username)
        return blender

    def start(self, file: Path, environment: Mapping[str, str]) -> Blender:
        """Start a Blender ourselves, ready but perhaps not connected."""
        blender = self.own(Blender.start(self.profile, file, environment=environment))
        return blender.wait_ready()

    def own(self, blender: Blender) -> Blender:
        """It is ended with the scenario, whatever becomes of it."""
        self._blenders.append(blender)
        return blender

    def wait_connected(self, blender: Blender, username: str = "ann") -> None:
        """The server says so, and so does Blender's own status."""
        self.engine.wait_for_blender(username, CONNECT_SECONDS)
        blender.wait_alive("connected", lambda: bool(status(blender)["connected"]), CONNECT_SECONDS)

    def assert_closed(self, blender: Blender, *, safe: bool | None = True) -> None:
        """It ends with exit code 0, leaves no process, and the journal tells the truth.

        safe: what the journal is to say of the work; None: there is no journal.
        """
        assert blender.wait_exit(self.outage + CLOSE_SECONDS) == 0
        assert processes.session_members(blender.pid) == []
        if safe is not None:
            entry = self.journal.last_of(blender.pid)
            assert entry["outcome"] in ENDS, entry
            check(entry, outcome=entry["outcome"], safe=safe)

    def close(self) -> None:
        for blender in self._blenders:
            print(blender.lines.tail(100))  # pytest shows it if the test fails
            blender.close()
        for log in self.profile.logs.glob("*.log"):
            said = log.read_text(errors="replace")
            assert not any(secret in said for secret in self.secrets), f"a token is in {log.name}"


@contextmanager
def staged(
    folder: Path,
    display: Display,
    template: Path,
    engine_options: Sequence[str] = (),
    allowing: Sequence[str] = ALLOWING,
    /,
    **settings: Setting,
) -> Iterator[Stage]:
    """A scenario with these settings, otherwise compressed ones. Nothing is left running.

    engine_options: further ones of the server's command line. allowing: see `Engine`.
    """
    before = processes.descendants()
    chosen = {**COMPRESSED, **settings}
    environment = {f"CR8_{name.upper()}": str(value) for name, value in chosen.items()}
    with ExitStack() as stack:
        profile = Profile(folder, display, environment=environment)
        engine = stack.enter_context(
            Engine(
                profile,
                ping_interval=1,
                ping_timeout=1,
                options=engine_options,
                allowing=allowing,
            )
        )
        stage = Stage(profile, engine, template, chosen)
        stack.callback(stage.close)
        yield stage
    processes.assert_none_left(before)


def status(blender: Blender) -> dict[str, object]:
    """The add-on's view of the line (`cr8_lifeline.Status`)."""
    found: dict[str, object] = blender.run(
        "import cr8_router; result = cr8_router.handler().status()"
    )
    return found


def edit(blender: Blender, location: tuple[float, float, float] = EDIT) -> None:
    """Change the open file, without saving it."""
    blender.run(f"bpy.data.objects['Cube'].location = {location!r}")


def saved_location(file: Path) -> tuple[float, ...]:
    """Where the cube is in the file: EDIT if the edit was saved."""
    return tuple(blend.inspect(file)["objects"]["Cube"]["location"])
