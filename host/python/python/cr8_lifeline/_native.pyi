"""The line between a Blender and the server that owns it (built from Rust).

All times are seconds (float). No function here waits for the network or for a
policy: the work is done by one host thread, which never takes the GIL; what it
has to say is fetched with `Lifeline.poll()`.
"""

from collections.abc import Callable, Mapping
from os import PathLike
from typing import Any, Final, Literal, final

from typing_extensions import disjoint_base

from cr8_lifeline.events import AnyEvent
from cr8_lifeline.shapes import SettingInfo, Status

__all__ = [
    "Close",
    "ClosedError",
    "Connected",
    "Countdown",
    "Decision",
    "EarlyCopy",
    "Event",
    "Held",
    "Lifeline",
    "LifelineError",
    "Log",
    "Lost",
    "Policy",
    "PolicyError",
    "PolicySwap",
    "Quit",
    "Recovered",
    "Save",
    "ServerEvent",
    "SettingsError",
    "State",
    "Warn",
    "__version__",
    "_command_line",
    "_compile",
    "run_command",
    "settings_table",
    "while_main_thread_sleeps",
]

__version__: Final[str]

class LifelineError(Exception):
    """Base of every error raised here."""

class SettingsError(LifelineError):
    """A setting is missing, unknown or out of its range. Every fault is named."""

class PolicyError(LifelineError):
    """A policy cannot be used: it is neither a path nor bytes, it cannot be loaded, or a call of
    `Policy` gave no decision."""

class ClosedError(LifelineError):
    """The object was closed before."""

@disjoint_base
class Event:
    """Something that happened: one of the classes below, all in `cr8_lifeline.events`."""

    @property
    def kind(self) -> str:
        """For programs: `log`, `connected`, and so on."""

@final
class Log(Event):
    """`log`: for the log."""

    __match_args__ = ("level", "name", "message", "fields")
    @property
    def level(self) -> Literal["debug", "info", "warning", "error"]: ...
    @property
    def name(self) -> str:
        """What has happened, as a name that stays."""

    @property
    def message(self) -> str:
        """The same as a sentence."""

    @property
    def fields(self) -> dict[str, Any]:
        """The values in it, by name; lengths of time are seconds."""

@final
class Connected(Event):
    """`connected`: the server accepted the connection."""

    __match_args__ = ()

@final
class Lost(Event):
    """`lost`: the connection is lost (once per loss)."""

    __match_args__ = ("reason",)
    @property
    def reason(self) -> str: ...

@final
class Recovered(Event):
    """`recovered`: the server is back, after an outage of `seconds`."""

    __match_args__ = ("seconds",)
    @property
    def seconds(self) -> float: ...

@final
class Countdown(Event):
    """`countdown`: unreachable after so many attempts: save and quit in `seconds`."""

    __match_args__ = ("attempts", "seconds")
    @property
    def attempts(self) -> int: ...
    @property
    def seconds(self) -> float: ...

@final
class Warn(Event):
    """`warn`: a warning: save and quit in `seconds`."""

    __match_args__ = ("seconds",)
    @property
    def seconds(self) -> float: ...

@final
class Held(Event):
    """`held`: a person keeps Blender open."""

    __match_args__ = ()

@final
class Save(Event):
    """`save`: claim the ticket, save, answer."""

    __match_args__ = ("ticket", "place", "reason")
    @property
    def ticket(self) -> int: ...
    @property
    def place(self) -> Literal["in-place", "recovery"]: ...
    @property
    def reason(self) -> Literal["outage", "termination"]: ...

@final
class EarlyCopy(Event):
    """`early-copy`: copy the work as it is, and tell `copied_early`; or delete the last copy."""

    __match_args__ = ("needed",)
    @property
    def needed(self) -> bool: ...

@final
class Quit(Event):
    """`quit`: claim the ticket; `save_first` if the file has changed."""

    __match_args__ = ("ticket",)
    @property
    def ticket(self) -> int: ...

@final
class Close(Event):
    """`close`: the claimed quit is written down: close Blender now."""

    __match_args__ = ()

@final
class ServerEvent(Event):
    """`server`: the server sent an event, before it accepted the connection or after: in any case
    it comes after `connected`."""

    __match_args__ = ("name", "args", "ack")
    @property
    def name(self) -> str: ...
    @property
    def args(self) -> list[Any]:
        """Its arguments, decoded from JSON, with bytes where the server has put them."""

    @property
    def ack(self) -> tuple[int, int] | None:
        """The server waits for an answer: what `Lifeline.answer` is to be given. None: it does
        not."""

@final
class PolicySwap(Event):
    """`policy`: a swap has ended."""

    __match_args__ = ("name", "message")
    @property
    def name(self) -> str:
        """Of the policy that decides now."""

    @property
    def message(self) -> str | None:
        """Why the old one stays; None: it does not."""

@final
class Lifeline:
    """One line to one server, with its own host thread.

    settings: preferences by name (see `settings_table()`); the environment wins over them.
    policy: a component's path, which is watched, or bytes; None: what the server has sent (if it
    may), what is set (`CR8_POLICY`), or the built-in one.
    environ: what to read as the environment; None: the process's own.

    Raises SettingsError. A policy that cannot be loaded is not an error here:
    the built-in one decides, and a `policy` event says why.
    """

    def __new__(
        cls,
        settings: Mapping[str, object] | None = None,
        policy: str | PathLike[str] | bytes | None = None,
        *,
        environ: Mapping[str, str] | None = None,
    ) -> Lifeline: ...
    def connect(self) -> None:
        """Start the line. Attempts, countdown and events begin. Later calls do nothing."""

    def poll(self) -> list[AnyEvent]:
        """What happened since the last call, oldest first. Never waits."""

    def wait(self, timeout: float) -> bool:
        """Wait until there is something to poll, at most so many seconds, or the line is closed.

        True: there is something. For a thread that may wait; others run meanwhile. Raises
        LifelineError unless the timeout is 0 or more.
        """

    def claim(self, ticket: int) -> bool:
        """Ask, right before acting, whether a `save` or `quit` still stands.

        False: it was withdrawn (the server is back, a person held); do nothing.
        A ticket can be claimed once. After a claimed `quit` comes `close`, unless the server
        was quicker.
        """

    def saving(self, ticket: int, path: str | PathLike[str]) -> None:
        """The claimed `save` begins to write `path`: for the status."""

    def saved(
        self,
        ticket: int,
        path: str | PathLike[str],
        *,
        recovery: bool = False,
        failures: list[str] = ...,
        digest: tuple[int, str, float] | None = None,
        render: str | PathLike[str] | None = None,
    ) -> None:
        """Answer a claimed `save`: the file is safe at `path`.

        recovery: it is a copy in a recovery folder; failures: why what was tried before failed;
        digest: the bytes, the SHA-256 (lower-case hex) and the seconds of reading the file back
        from the disk, if that was done: else, and for an upload, the host does it; render: where
        the finished render is that the file does not hold. Raises
        ValueError for what is no digest.
        """

    def save_failed(self, ticket: int, reasons: list[str]) -> None:
        """Answer a claimed `save`: it failed; a sentence for each place that was tried."""

    def save_first(self, ticket: int) -> None:
        """In place of claiming a `quit`: the file has changed since the save.

        Another `save` follows, and then another `quit`.
        """

    def copied_early(self, path: str | PathLike[str] | None) -> None:
        """A copy was made that an `early-copy` has asked for: the journal names it.

        None: there is none any more.
        """

    def scene(self, *, modified: bool, untitled: bool, rendering: bool, path: str) -> None:
        """What is open now. Cheap.

        path: "" while untitled; it goes to the server at the next connection.
        """

    def hold(self, *, by: str = "") -> None:
        """Keep Blender open until `release()`. by: who asks, for the journal."""

    def extend(self, seconds: float, *, by: str = "") -> None:
        """Add to the countdown. Raises LifelineError unless positive and finite."""

    def release(self, *, by: str = "") -> None:
        """End the hold; the countdown starts afresh."""

    def close_now(self, *, by: str = "") -> None:
        """In an outage: save and quit without waiting. Nothing while connected."""

    def try_now(self) -> None:
        """Make an attempt to connect now, beside those of the policy; nothing while connected.

        Neither the countdown nor the policy's attempts change by it.
        """

    def emit(self, event: str, data: object = None) -> bool:
        """Send an event to the server. False: not connected, nothing was sent.

        data: what `json.dumps` takes, with bytes anywhere in it; None: nothing; a tuple: several.
        Raises LifelineError for what cannot be sent, and for a name that Socket.IO reserves
        (`connect`, `connect_error`, `disconnect`).
        """

    def answer(self, ack: tuple[int, int], data: object = None) -> None:
        """Give the server the answer that it waits for. ack: of its event; data: as of `emit`.

        Nothing happens once the connection by which it has asked is gone. Raises LifelineError for
        what cannot be sent.
        """

    def status(self) -> Status: ...
    def metrics(self) -> str:
        """What an administrator watches, as OpenMetrics 1.0 text that ends in `# EOF`.

        Also written to the file `metrics_file`, in the form that node_exporter reads.
        """

    def swap_policy(self, policy: str | PathLike[str] | bytes) -> None:
        """Load a policy beside the running one and switch to it, state carried over.

        Returns at once; a `policy` event tells the end. Raises PolicyError for another type.
        """

    def revert_policy(self) -> None:
        """Go back to the policy that is set (`CR8_POLICY`), else to the built-in one.

        What the server has sent is forgotten. Returns at once; a `policy` event tells the end.
        """

    def credentials(
        self,
        *,
        token: str | None = None,
        save: str | None = None,
        expires_at: float | None = None,
    ) -> None:
        """Renew what was set; None: it stays.

        token: what the server asks for; save: a URL, or the JSON of an upload in parts; expires_at:
        how long these are good for, in seconds since 1970. Raises SettingsError, which repeats
        nothing of them.
        """

    def settings(self) -> dict[str, Any]:
        """The settings in force, by name; secrets are left out."""

    def close(self, timeout: float = 2.0, *, closing: bool = False) -> bool:
        """Say goodbye to the server and end the host thread. True: it has ended.

        Nothing is saved and nothing quits. Later calls do nothing.
        closing: Blender closes because it was told to; if it hangs, its process is still ended
        (`quit_timeout`). Otherwise nobody is watched any more.
        """

    def _inject_fault(self) -> None:
        """For tests: the host thread panics."""

    @property
    def closed(self) -> bool: ...

@final
class State:
    """Where a policy stands: what it hands to its next call. Instants are milliseconds, as in
    `wit/policy.wit`."""

    @property
    def phase(self) -> str:
        """`connected`, `reconnecting`, `counting-down`, `saving`, `quitting` or `held`."""

    @property
    def seen(self) -> int:
        """The `now` of the call that made it."""

    @property
    def attempts(self) -> int | None:
        """Attempts to connect in this outage; None while connected."""

    @property
    def deadline(self) -> int | None:
        """When Blender is to be saved and closed; None in any phase but `counting-down`."""

    @property
    def memo(self) -> bytes:
        """The policy's own notes."""

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class Decision:
    """A policy's answer, as it is: no guard has looked at it."""

    @property
    def state(self) -> State: ...
    @property
    def actions(self) -> list[str]:
        """As the command line writes them: `connect`, `warn(60000)`, `save(in-place)`,
        `save(recovery)`, `quit`."""

    @property
    def wake_at(self) -> int | None:
        """Milliseconds: when `tick` is to be called if nothing happens before."""

@final
class Policy:
    """A policy component by itself, for tests of policies: no line, no clock, no guard.

    policy: a path or the component's bytes; None: the built-in `five-minutes`. It is compiled
    here and now (milliseconds; for a policy in Python half a minute): not for Blender's main
    thread. settings: by name, as for `Lifeline`; None: the policy's own defaults.

    Each call runs in an instance of its own, one at a time, under the bounds that hold in Blender.
    Instants and durations are milliseconds, as in `wit/policy.wit`.

    Circumstances of a call, by keyword: due: when the policy had asked to be woken; entropy: 64
    bits; cut_off: how many connections in a row did not last (a policy of version 0.1 of the
    contract is not told of them); modified, untitled, rendering: of the scene, which is not known
    if none of them is given.

    Raises PolicyError (cannot be read or loaded; a call trapped, or used up its fuel, time or
    memory), SettingsError.
    """

    def __new__(
        cls,
        policy: str | PathLike[str] | bytes | None = None,
        *,
        settings: Mapping[str, Any] | None = None,
    ) -> Policy: ...
    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def about(self) -> str: ...
    @property
    def sha256(self) -> str:
        """Of the component's bytes, lower-case hex."""

    def start(self, now: int, **circumstances: int | None) -> Decision:
        """Blender has started and nothing is connected yet."""

    def on_connect(self, state: State, now: int, **circumstances: int | None) -> Decision:
        """The server accepted the connection."""

    def on_connect_error(
        self, state: State, now: int, why: str, **circumstances: int | None
    ) -> Decision:
        """An attempt failed. why: `unreachable`, `timed-out` or `refused`."""

    def on_disconnect(
        self, state: State, now: int, why: str, **circumstances: int | None
    ) -> Decision:
        """The connection was lost. why: see `Status.reason`; `frozen` is a `ping-timeout`."""

    def on_saved(
        self, state: State, now: int, failure: str | None = None, **circumstances: int | None
    ) -> Decision:
        """The save has ended. failure: the reason; None: it is saved."""

    def on_request(
        self,
        state: State,
        now: int,
        request: str,
        duration: int = 0,
        **circumstances: int | None,
    ) -> Decision:
        """A person asks. request: `hold`, `extend` (by `duration`), `release` or `close-now`."""

    def tick(self, state: State, now: int, **circumstances: int | None) -> Decision:
        """The instant that the last decision asked for has come."""

def settings_table() -> list[SettingInfo]:
    """Every setting with its environment variable, unit, default and limits.

    Names: server_url (WS_URL), username (CR8_USERNAME), user_id, project, token (CR8_AUTH_TOKEN),
    token_file (CR8_AUTH_TOKEN_FILE), ca_file, headers, retry_attempts, retry_delay,
    retry_delay_max, retry_jitter, connect_timeout, probe_silence, probe_every, cleanup_timeout,
    warn_before, render_wait, quit_floor, outage_limit, save_url, save_target, save_target_file,
    safe, recovery_url, upload_headers, upload_timeout, early_copy, unsaved_wait, quit_timeout,
    stuck_timeout, terminate, terminate_timeout, notify_url, notify_timeout, journal, log_file,
    metrics_file, policy, policy_sha256, policy_push, policy_store, policy_cache, policy_fuel,
    policy_time, policy_memory, policy_table, policy_stack, policy_answer, policy_memo,
    policy_actions, policy_size, recovery_dir
    (each CR8_ and the name in capitals).
    """

def run_command(arguments: list[str]) -> tuple[int, str, str]:
    """The command `lifeline`: its exit code, and what it has to say (output, complaints).

    arguments: without the program's name. May take seconds, without the GIL: not for Blender's
    main thread.
    """

def _compile() -> int:
    """The child in which policies are compiled, on its stdin and stdout: no other use.

    Gives the exit code.
    """

def _command_line(arguments: list[str]) -> int:
    """For `python -m cr8_lifeline`: the command `lifeline`, on the process's stdout and stderr.

    arguments: without the program's name. Gives the exit code.
    """

def while_main_thread_sleeps(
    function: Callable[..., object], *args: object, **options: object
) -> bool:
    """Call a function if the process's main thread sleeps at this moment.

    False: it does not, or nobody can say, and nothing was called. For any other thread.

    Python's lock is held from the look at the main thread to the call: what takes that lock, the
    main thread does not begin meanwhile, nor is it in the middle of. So a function that is written
    in C, as those of `bpy.app.timers` are, meets nobody. (Only on Linux, and on processors whose
    threads see in order what others have written.)
    """
