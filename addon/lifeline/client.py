# SPDX-License-Identifier: GPL-3.0-or-later
"""What an add-on calls: in the shape of python-socketio's `Client`, and beyond it.

docs/adopt.md compares the two, method by method.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from . import options, running, sole
from .errors import ArgumentError, NotConnectedError, NotRunningError
from .handlers import Handlers
from .options import Options

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from os import PathLike
    from typing import overload

    from cr8_lifeline import Status

    from .connection.connection import Connection, Countdown

    Handler = TypeVar("Handler", bound=Callable[..., object])

NAMESPACE: Final = "/blender"

# Of python-socketio's: the same as settings of ours, by their names; and such as have no meaning
# here, because a thread of Lifeline's own does what they are about.
_SAME: Final = {
    "reconnection_attempts": "retry_attempts",
    "reconnection_delay": "retry_delay",
    "reconnection_delay_max": "retry_delay_max",
}
_OF_THE_CLIENT: Final = {
    *("reconnection", "engineio_logger", "handle_sigint", "request_timeout"),
    *("json", "serializer", "timestamp_requests", "randomization_factor"),
}
_OF_CONNECTING: Final = {"wait", "wait_timeout", "retry", "transports"}
_OF_THE_LOGIN: Final = {"username", "token", "blend_file_path"}


class Client:
    """The connection of this Blender to its server, from `connect` to `disconnect`.

    addon: the add-on's module (`__package__` in its `__init__`), under which preferences are shown
    and found; "": there are none, the environment and the arguments alone count.
    logger: takes the log's lines; a name: the lines of that logger are written to standard output
    by Lifeline itself; None: those of a logger of its own are.
    online: True: the add-on answers for the access to the network. False: Blender's own switch
    counts (*Preferences > System > Network*), as it has to in an extension.
    tab: where the panels are, in the 3D view's sidebar.
    settings: by name (README.md); the environment comes before them, and what a person has set.
    accepted: what python-socketio's takes.

    For Blender's main thread, but for `emit`, `connected` and `status`. Raises ArgumentError.
    """

    def __init__(
        self,
        addon: str = "",
        *,
        logger: logging.Logger | str | bool | None = None,
        online: bool = False,
        tab: str = "CR8",
        settings: Mapping[str, Any] | None = None,
        **accepted: Any,
    ) -> None:
        chosen = {**(settings or {})}
        for name, value in accepted.items():
            if name in _SAME:
                # There 0 stands for no end; here a countdown begins in any case.
                chosen.update({_SAME[name]: value} if value else {})
            elif name not in _OF_THE_CLIENT:
                raise ArgumentError(f"Client takes no {name}: see docs/adopt.md")
        named = logger if logger and logger is not True else Options().logger
        self._options = Options(addon, named, online, tab, chosen)
        self._handlers = Handlers()

    # What happens

    # Python keeps each overload, and by it bpy, for good: when the extension is removed, Blender as
    # a Python module hangs at its end over that.
    if TYPE_CHECKING:

        @overload
        def on(self, event: str, handler: Handler, namespace: str | None = None) -> Handler: ...
        @overload
        def on(
            self, event: str, handler: None = None, namespace: str | None = None
        ) -> Callable[[Handler], Handler]: ...

    def on(
        self, event: str, handler: Handler | None = None, namespace: str | None = None
    ) -> Handler | Callable[[Handler], Handler]:
        """Call `handler(*args)` for each event of this name, on Blender's main thread, in order.

        A function, or a decorator. One handler for each event; "*" for all others (the event's name
        comes first). Those of the connection: `connect()`, before the events of its session;
        `connect_error({"message": …})`, for each new reason; `disconnect(reason)`, with
        `transport error`, `server disconnect` or `client disconnect`.
        `command_received` is answered as failed if its handler raises, or gives `NOT_TAKEN`.
        They stay over sessions, *Connect*, another host thread and other files.
        """
        _check(namespace)

        def register(function: Handler) -> Handler:
            self._handlers.set(event, function)
            return function

        return register if handler is None else register(handler)

    if TYPE_CHECKING:

        @overload
        def event(self, function: Handler, /) -> Handler: ...
        @overload
        def event(
            self, function: None = None, /, *, namespace: str | None = None
        ) -> Callable[[Handler], Handler]: ...

    def event(
        self, function: Handler | None = None, /, *, namespace: str | None = None
    ) -> Handler | Callable[[Handler], Handler]:
        """`on`, for the event that is called like the function; with brackets or without."""
        _check(namespace)

        def register(named: Handler) -> Handler:
            return self.on(named.__name__, named)

        return register if function is None else register(function)

    def on_cleanup(self, handler: Callable[[], object]) -> Callable[[], object]:
        """Call `handler()` right before the save of a clean-up: what must be in the file.

        On the main thread, for each attempt to save; the server is gone. A decorator, too.
        """
        self._handlers.before_save(handler)
        return handler

    # The connection

    def connect(
        self,
        url: str | None = None,
        auth: Mapping[str, Any] | Callable[[], Mapping[str, Any]] | None = None,
        **accepted: Any,
    ) -> None:
        """Show Lifeline, and keep a connection from now on, whatever happens, until `disconnect`.

        Never waits. url, auth (`username`, `token`) and headers count before anything else; what is
        not given is looked up in the environment and the preferences. Without any server: one line
        in the log, and nothing happens. If it is called again, the connection begins afresh.

        Raises ArgumentError; TakenError if another add-on's Lifeline runs in this Blender.
        """
        arguments = _arguments(url, auth, accepted)
        sole.take(self, self._options.addon or __package__)
        options.current = self._options._replace(arguments=arguments)
        try:
            running.begin(self._handlers)
        except BaseException:
            # Blender does not disable what could not be enabled.
            self.disconnect()
            raise

    def disconnect(self) -> None:
        """Say goodbye to the server, and leave nothing behind. Later calls do nothing."""
        if sole.is_taken_by(self):
            # First: a handler of the end may connect again.
            sole.give_back(self)
            running.end()

    def wait(self) -> None:
        """In background mode (`blender -b`, the bpy module), where no timer ticks: the loop.

        Ends the process with exit code 0 when Blender is to close; returns after `disconnect`.
        Raises NotRunningError with a window, where all runs by itself, or if nothing is connected;
        and KeyboardInterrupt at a second Ctrl-C.
        """
        from . import session

        session.run()

    def ready(self) -> bool:
        """Whether there is a connection to look after (True), or nothing to connect to.

        Right after `connect` all of Lifeline may not be imported yet; this waits for it.
        """
        return sole.is_taken_by(self) and running.connection() is not None

    @property
    def started(self) -> bool:
        """Everything is imported, and Lifeline shown."""
        return running.started()

    @property
    def connected(self) -> bool:
        """Whether the server has accepted this Blender."""
        live = self._connection
        return live is not None and live.status()["connected"]

    @property
    def transport(self) -> str:
        """How the server is spoken to."""
        return "websocket"

    def emit(self, event: str, data: object = None, namespace: str | None = None) -> None:
        """Send an event to the server.

        data: what `json.dumps` takes, with bytes anywhere in it; None: nothing; a tuple: several.
        From any thread; never waits. Raises NotConnectedError, then nothing was sent.
        """
        _check(namespace)
        live = self._connection
        if live is None or not live.emit(event, data):
            raise NotConnectedError(f"{event} was not sent: there is no connection to the server")

    def send(self, data: object, namespace: str | None = None) -> None:
        """`emit` an event called `message`."""
        self.emit("message", data, namespace)

    # An outage

    def status(self) -> Status | None:
        """How things stand, as of the call; None while nothing runs."""
        live = self._connection
        return None if live is None else live.status()

    @property
    def idle_reason(self) -> str:
        """Why nothing runs; "" if it does."""
        from . import session

        return session.idle_reason()

    @property
    def countdown(self) -> Countdown | None:
        """The one that runs; None: none does."""
        live = self._connection
        return None if live is None else live.countdown

    def show_countdown(self) -> None:
        """Have the countdown shown, if one runs. It is by itself, as soon as it begins."""
        self._running.start_countdown()

    def hold(self, by: str = "script") -> None:
        """Keep Blender open until `release`. by: who asks, for the journal."""
        self._running.hold(by=by)

    def extend(self, seconds: float, by: str = "script") -> None:
        """Add to the countdown."""
        self._running.extend(seconds, by=by)

    def release(self, by: str = "script") -> None:
        """End the hold; the countdown starts afresh."""
        self._running.release(by=by)

    def close_now(self, by: str = "script") -> None:
        """In an outage: save and close without waiting."""
        self._running.close_now(by=by)

    def try_now(self) -> None:
        """In an outage: one more attempt to connect, at once."""
        self._running.try_now()

    def credentials(
        self,
        *,
        token: str | None = None,
        save: str | Mapping[str, object] | None = None,
        expires_at: datetime | float | None = None,
    ) -> None:
        """Renew what the server asks for, and where the saved file goes; None: it stays.

        save: a URL, or an upload in parts (docs/uploads.md). expires_at: how long these are good
        for; a number counts seconds since 1970. Raises cr8_lifeline.SettingsError, which repeats
        nothing of them.
        """
        self._running.credentials(token=token, save=save, expires_at=expires_at)

    # What decides, and what is watched

    def swap_policy(self, policy: str | PathLike[str] | bytes) -> None:
        """Let another policy decide: its file, or its bytes. The log tells the end."""
        self._running.swap_policy(policy)

    def revert_policy(self) -> None:
        """Go back to the policy that is set, else to the built-in one. The log tells the end."""
        self._running.revert_policy()

    def settings(self) -> dict[str, Any]:
        """The settings in force, by name; secrets are left out."""
        return self._running.settings()

    def metrics(self) -> str:
        """What an administrator watches, as OpenMetrics text."""
        return self._running.metrics()

    @property
    def _connection(self) -> Connection | None:
        """Nobody waits for what is not imported yet."""
        return running.connection() if sole.is_taken_by(self) and running.started() else None

    @property
    def _running(self) -> Connection:
        """Raises NotRunningError."""
        live = self._connection
        if live is None:
            raise NotRunningError(self.idle_reason or "Nothing is connected: call connect().")
        return live


def _check(namespace: str | None) -> None:
    if namespace not in (None, NAMESPACE):
        raise ArgumentError(f"the only namespace is {NAMESPACE}, not {namespace}")


def _header(name: str, value: str) -> str:
    """Raises ArgumentError, which does not tell the value."""
    line = f"{name}: {value}"
    if any(mark in line for mark in ";\r\n"):
        raise ArgumentError(f"the header {name} has a semicolon or an end of line in it")
    return line


def _arguments(
    url: str | None,
    auth: Mapping[str, Any] | Callable[[], Mapping[str, Any]] | None,
    accepted: Mapping[str, Any],
) -> dict[str, Any]:
    """What was given to `connect`, as settings. Raises ArgumentError."""
    rest = {name: value for name, value in accepted.items() if name not in _OF_CONNECTING}
    namespaces = rest.pop("namespaces", None) or NAMESPACE
    for namespace in [namespaces] if isinstance(namespaces, str) else namespaces:
        _check(namespace)
    path = str(rest.pop("socketio_path", "")).strip("/")
    headers = rest.pop("headers", None) or {}
    if rest:
        raise ArgumentError(f"connect takes no {', '.join(rest)}: see docs/adopt.md")
    login = dict((auth() if callable(auth) else auth) or {})
    if unknown := set(login) - _OF_THE_LOGIN:
        raise ArgumentError(f"auth takes {', '.join(sorted(_OF_THE_LOGIN))}; not {unknown.pop()}")
    given = {
        "server_url": f"{url.rstrip('/')}/{path}/" if url and path else url,
        "username": login.get("username"),
        "token": login.get("token"),
        "headers": "\n".join(_header(name, value) for name, value in headers.items()),
    }
    return {name: value for name, value in given.items() if value}
