# SPDX-License-Identifier: GPL-3.0-or-later
"""The running add-on: one line, what it needs, and what is done at each tick."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING

import bpy

from . import configuration, interrupts, log, saving
from .connection.connection import Connection
from .connection.pace import pace
from .connection.pump import Pump
from .errors import AddonError, NotRunningError
from .log import about, logger
from .offers import Offers
from .recovery import Recovery, store_for
from .scene import SceneWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cr8_lifeline import Event, Lifeline, Status
    from cr8_lifeline.events import AnyEvent

    from .handlers import Handlers

# Seconds between two looks at everything. For what the server has sent there are more: see `pace`.
_CONNECTED = 1.0
_OUTAGE = 0.25
_CLEANUP = 0.02
# Between a save and the quit that follows it nobody should get to work on, and Blender would draw
# all that the save has changed: so the quit of a file that is read back in a moment is taken in the
# same tick. That is the only wait on this thread, and no longer than a frame that takes long.
_QUIT_AT_ONCE = 0.2
_QUIT_LOOK = 0.002
# From the end of a countdown to the order to save.
_ASKED_WITHIN = 1.0

_session: Session | None = None
_handlers: Handlers | None = None
_idle_reason = ""

# A later session of this Blender must not open another file in a person's face.
_first = True

watchers: list[Callable[[Status | None, Sequence[Event]], None]] = []
"""Called with the status, and what has happened, at each look; with None when the session ends."""


class Session:
    """One line from its start to its end."""

    def __init__(self, line: Lifeline, handlers: Handlers, *, first: bool) -> None:
        store = store_for(line)
        self.connection = Connection(line, store, handlers)
        # An add-on that is updated in a running Blender still has its old native module.
        self.pump = Pump(self._step, getattr(line, "wait", None))
        self._scene = SceneWatch(line)
        self.recovery = Recovery(store, at_start=first)
        self._offers = Offers(self.connection, self.recovery)
        self._look_at = 0.0
        self._due_since: float | None = None

    def start(self) -> None:
        """Begin to tick; the first tick connects."""
        self._attach()
        self.pump.start()

    def stop(self) -> None:
        """Leave nothing behind."""
        self.pump.stop()
        self._scene.detach()
        self.recovery.stop()
        saving.renders.detach()
        saving.open_file.detach()
        self.connection.disconnect()
        for watcher in watchers:
            watcher(None, [])

    def _attach(self) -> None:
        """Listen to Blender, also after a script has cleared the lists of who does."""
        saving.open_file.attach()
        saving.renders.attach()
        self._scene.attach()

    def _step(self) -> float | None:
        if not bpy.app.background and interrupts.taken():
            logger.info(
                "Ctrl-C (SIGINT): Blender goes on, and its work stays guarded",
                extra=about("interrupted"),
            )
        try:
            self._attach()
            saving.open_file.notice()
            saving.renders.notice()
        except Exception:  # a save must not wait for it
            logger.exception("What is open cannot be told", extra=about("scene-failed"))
        # The host first: a save waits for nothing else.
        events = self.connection.poll()
        if self.connection.saved_just_now:
            events += self._wait_for_quit()
        if _session is not self:
            return None  # a server's event has ended it
        if self.connection.finished:
            return None
        if self.connection.host_is_gone:
            logger.error(
                "The host thread has ended for good: another one is started",
                extra=about("host-restarted"),
            )
            start()
            return None
        now = time.monotonic()
        # Most ticks of a session in which something happens only ask the host. What the server has
        # sent has been handled: nothing else follows from it.
        news = any(event.kind != "server" for event in events)
        if news or now >= self._look_at:
            self._look_at = now + self._look(events)
        return min(self._look_at - now, pace(now - self.connection.talked_at))

    def _wait_for_quit(self) -> list[AnyEvent]:
        """What comes behind a save: a moment later it is the quit, if the server stays away.

        Not for an upload, which takes its time.
        """
        events: list[AnyEvent] = []
        end = time.monotonic() + _QUIT_AT_ONCE
        while self.connection.saved_just_now and time.monotonic() < end:
            time.sleep(_QUIT_LOOK)
            events += self.connection.poll()
            if self.connection.status()["upload"] is not None:
                break
        self.connection.saved_just_now = False
        return events

    def _look(self, events: Sequence[Event]) -> float:
        """At everything; gives the seconds until the next time."""
        self.recovery.step()
        self._scene.report()
        # Only now, so that the server hears which file is open.
        self.connection.connect()
        status = self.connection.status()
        self._offers.look(status, events)
        for watcher in watchers:
            watcher(status, events)
        if status["phase"] in ("saving", "quitting"):
            return _CLEANUP
        if status["connected"]:
            return _CONNECTED
        # The end of a countdown does not wait for the next look.
        left = status["remaining"]
        if left is None or left > 0:
            self._due_since = None
            return _OUTAGE if left is None else max(_CLEANUP, min(_OUTAGE, left))
        # The save is asked for in a moment, unless it waits for a render.
        now = time.monotonic()
        self._due_since = self._due_since or now
        return _CLEANUP if now - self._due_since < _ASKED_WITHIN else _OUTAGE


def start() -> None:
    """Start the session afresh, if it is configured; else log one sentence, and stay idle."""
    global _idle_reason
    stop()
    if not _is_free():
        return
    try:
        _begin(_new_session())
    except AddonError as error:
        _idle_reason = str(error)
        logger.log(error.level, "%s", error, extra=about("idle", reason=str(error)))
        if _handlers is not None:
            _handlers.tell("connect_error", {"message": str(error)})


def reconnect() -> None:
    """Start the session afresh, because a person wants it so.

    Raises AddonError if it cannot: then the one that runs goes on, and its countdown, if one runs.
    """
    session = _new_session()
    stop()
    if _is_free():
        _begin(session)


def _is_free() -> bool:
    """Not if a handler of the end has connected by itself, or has ended it all."""
    return _session is None and _handlers is not None


def _new_session() -> Session:
    """With the settings as they are now. Raises AddonError."""
    if _handlers is None:
        raise NotRunningError("Nothing is connected: the add-on is not enabled.")
    _open_log_file()
    return Session(configuration.new_line(), _handlers, first=_first)


def _begin(session: Session) -> None:
    global _session, _first
    _session, _first = session, False
    session.start()


def _open_log_file() -> None:
    """Whatever becomes of it, the session starts. Raises NativeMissingError."""
    try:
        log.write_to(configuration.file_or_nothing("log_file"))
    except AddonError:
        raise
    except Exception:
        logger.exception("There is no log file", extra=about("log-file-failed"))


def stop() -> None:
    """End the session, if there is one."""
    global _session, _idle_reason
    session, _session, _idle_reason = _session, None, ""
    if session is not None:
        session.stop()


def disconnect() -> None:
    """End the session because a person wants it so."""
    global _idle_reason
    _end()
    if _is_free():
        _idle_reason = "Disconnected by hand: press Connect to start again."


def unregister() -> None:
    """End the session: a person disables the add-on, or closes Blender."""
    global _handlers
    _handlers = None  # first: a handler of the end may connect again
    _end()


def _end() -> None:
    """With what the session has guarded."""
    guarded = _session.connection if _session is not None else None
    stop()
    # When the host closes Blender, it says itself whether the work is safe.
    if guarded is not None and not guarded.finished:
        guarded.drop_early_copy()
        saving.early_copy.settle()


def rescue() -> None:
    """Blender ends, and nobody has said so: what is not saved goes into a recovery copy."""
    if _session is not None and not _session.connection.finished:
        _session.connection.rescue()


def register(handlers: Handlers) -> None:
    """Start a session whose events go there, as do those of all that follow it."""
    global _handlers
    _handlers = handlers
    start()


def connection() -> Connection | None:
    """The live one; None while idle."""
    return _session.connection if _session is not None else None


def recovery() -> Recovery | None:
    """What there is to bring back; None while idle."""
    return _session.recovery if _session is not None else None


def idle_reason() -> str:
    """Why there is no session."""
    return _idle_reason


def run() -> None:
    """The loop for background mode (`blender -b`, the bpy module), where timers never tick.

    Ends the process with exit code 0 when Blender is to close; returns when the
    add-on is unregistered meanwhile. Ctrl-C ends it like a SIGTERM: the work is saved first.
    Raises NotRunningError, and KeyboardInterrupt at a second Ctrl-C, or where no SIGTERM is heard.
    """
    if _session is None:
        raise NotRunningError(_idle_reason or "The add-on is not registered.")
    if not bpy.app.background:
        raise NotRunningError("With a window the add-on runs by itself; waiting would freeze it.")
    interrupts.register()
    interrupts.taken()
    ending = False

    def interrupted() -> None:
        # Whoever presses Ctrl-C here wants the script to end. Nothing guards the work after that,
        # so it is saved on the way out, as when the machine is taken away.
        nonlocal ending
        if ending or _session is None or not _session.connection.hears_sigterm:
            raise KeyboardInterrupt
        ending = True
        logger.info(
            "Ctrl-C (SIGINT): saving and closing; once more, and the work is not saved",
            extra=about("interrupted"),
        )
        signal.raise_signal(signal.SIGTERM)

    # A session may be followed by another one: over a change of settings, or a lost host.
    while (session := _session) is not None:
        if session.pump.run(interrupted):
            stop()
            sys.exit(0)
