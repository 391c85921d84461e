"""The shapes of the dicts that the module hands out. Times are in seconds."""

from typing import Any, Literal, TypedDict


class RefusedPolicy(TypedDict):
    """A policy that was not taken."""

    at: str
    """ISO 8601, UTC."""
    origin: str
    sha256: str | None
    """None: its bytes could not be read."""
    reason: str


class PolicyStatus(TypedDict):
    """The policy that decides now."""

    name: str
    version: str
    about: str
    sha256: str
    """Of the component's bytes, lower-case hex."""
    origin: str
    """`built-in`, a path, `bytes`, or `server`."""
    failures: int
    """Calls of this policy that were dropped since it was swapped in."""
    set_aside: bool
    """After three failures: `five-minutes` decides until the next swap."""
    last_failure: str | None
    refused: RefusedPolicy | None
    """The last one that was not taken, since one was."""


class SaveStatus(TypedDict):
    """A save that runs."""

    path: str
    seconds: float
    bytes: int | None
    """Written so far; None before Blender writes."""


class LastSave(TypedDict):
    """The last save that ended well."""

    path: str
    recovery: bool
    """A copy in a recovery folder, not the file itself."""
    bytes: int | None
    sha256: str | None
    """Both once the file was read back."""


class UploadStatus(TypedDict):
    """The upload of the last save."""

    state: Literal["running", "done", "failed"]
    sent: int
    """Bytes of this attempt."""
    total: int
    attempt: int
    error: str | None


class Status(TypedDict):
    """A snapshot, as of the call. Times in seconds, from now."""

    phase: Literal[
        "idle", "connected", "reconnecting", "counting-down", "saving", "quitting", "held", "closed"
    ]
    """`idle` before `connect()`, `closed` after `close()`; the policy's phase in between."""
    connected: bool
    server: str
    """The URL without user, password and query."""
    attempt: int
    """Attempts begun in this outage."""
    attempts: int
    """Attempts before the countdown starts."""
    attempting: bool
    """An attempt to connect is under way."""
    next_attempt: float | None
    lost_for: float | None
    reason: str | None
    """Why the line is down: `never-connected`, `transport-error`, `ping-timeout`, `frozen`
    or `server-disconnect`."""
    last_error: str | None
    expires_at: str | None
    """How the last attempt failed, as a sentence."""
    refusal: str | None
    """The server is there, and has refused the last attempt: its words."""
    remaining: float | None
    """Until save and quit; while counting down only."""
    cleanup_timeout: float
    outages: int
    """Since the start, this one included."""
    recoveries: int
    """Outages that ended with the server back."""
    save: SaveStatus | None
    last_save: LastSave | None
    upload: UploadStatus | None
    journal_error: str | None
    """Why the journal was not written, the last time that it was not."""
    last_outage: dict[str, Any] | None
    """The last outage that has ended and in which anything was to be saved, else the last; of this
    process or of this user's last one: a line of the journal (docs/journal.md)."""
    policy: PolicyStatus


class SettingInfo(TypedDict):
    """One setting, for preferences and documentation."""

    name: str
    variable: str
    """The environment variable."""
    section: str
    """The title that it stands under."""
    unit: str | None
    """What a number of it stands for: `s`, `MiB`, `KiB` or `bytes`."""
    kind: Literal["seconds", "seconds-list", "count", "text", "secret", "path", "switch", "choice"]
    default: Any
    choices: list[str] | None
    """The words that a `choice` takes; None: another kind."""
    minimum: float | None
    maximum: float | None
    about: str
