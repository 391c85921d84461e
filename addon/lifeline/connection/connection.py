# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's side of the connection to the server."""

from __future__ import annotations

import contextlib
import json
import math
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import bpy

from .. import configuration, output, saving
from ..commands import EVENT, Commands
from ..errors import SaveError
from ..log import about, logger
from ..recovery_store import CONNECTED, OUTAGE
from ..wording import amount, hyphenated, span, utf8
from .host_events import HANDLERS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike
    from pathlib import Path

    from cr8_lifeline import Lifeline, Status
    from cr8_lifeline.events import AnyEvent

    from ..handlers import Handlers
    from ..recovery_store import RecoveryStore

# Seconds that Blender's end waits at most for a second copy of what was saved.
_LAST_COPY = 3.0
# Seconds until closing is tried again, when Blender could not be closed.
_CLOSE_AGAIN = 1.0


class Countdown:
    """One that runs. The host keeps its time; this only tells it."""

    def __init__(self, line: Lifeline) -> None:
        self._line = line

    @property
    def remaining(self) -> float:
        """Seconds until save and close."""
        return self._line.status()["remaining"] or 0.0


class PendingSave(NamedTuple):
    """A save that the host has asked for."""

    ticket: int
    place: str
    reason: str


class Connection:
    """Owns one line, and carries out on Blender's main thread what it asks for.

    Nothing here waits for the network.
    """

    def __init__(self, line: Lifeline, store: RecoveryStore, handlers: Handlers) -> None:
        self._line = line
        self._store = store
        self.handlers = handlers
        self._commands = Commands(handlers, self.emit)
        self._told_connected = False
        self._pending_save: PendingSave | None = None
        self._cleaning_up = False
        self._copies_early = False
        self._changes = saving.ChangeWatch()
        self._ended = False
        self._closing = False
        self._close_again_at = 0.0
        self.countdown: Countdown | None = None
        self.finished = False
        """Blender was told to close."""
        self.saved_just_now = False
        """The file was saved in this outage; the host has not said yet what comes next."""
        self.talked_at = -math.inf
        """When the server, or this Blender, sent an event last, by the monotonic clock."""

    # The line

    def connect(self) -> None:
        """Start the line: attempts begin, and go on until `disconnect`. Later calls do nothing."""
        if not self._line.closed:
            self._line.connect()

    def disconnect(self) -> None:
        """Say goodbye to the server, for good."""
        self._ended = True
        self.countdown = None
        self.saved_just_now = False
        self._changes.end()
        if not self.finished:
            output.give_back()
        host_is_gone = self.host_is_gone
        if not self._line.close(closing=self.finished):
            logger.warning(
                "The connection to the server has not ended in time", extra=about("goodbye-late")
            )
        self.tell_disconnected("transport error" if host_is_gone else "client disconnect")

    def emit(self, event: str, data: object = None) -> bool:
        """Send an event. False: not connected, nothing was sent."""
        self.talked_at = time.monotonic()
        sent = self._line.emit(event, data)
        if sent:
            self._commands.sent(event, data)
        return sent

    def answer(self, ack: tuple[int, int], data: object = None) -> None:
        """Give the server the answer that it waits for.

        What cannot be sent is named in the log, and an empty answer goes in its place.
        """
        try:
            self._line.answer(ack, data)
        except Exception:
            logger.exception(
                "What a handler has returned cannot be sent", extra=about("answer-failed")
            )
            self._line.answer(ack)

    def status(self) -> Status:
        """How things stand, as of the call."""
        return self._line.status()

    def settings(self) -> dict[str, Any]:
        """The settings in force, by name; secrets are left out."""
        return self._line.settings()

    def metrics(self) -> str:
        """What an administrator watches, as OpenMetrics text."""
        return self._line.metrics()

    @property
    def host_is_gone(self) -> bool:
        """The host thread has ended, though nobody told it to."""
        return self._line.closed

    @property
    def hears_sigterm(self) -> bool:
        """A SIGTERM has the work saved, and does not end the process at once."""
        if self._line.closed:
            return False
        settings = self._line.settings()
        return bool(settings["terminate"] != "leave" and settings["terminate_timeout"] > 0)

    def hold(self, by: str = "script") -> None:
        """Keep Blender open until `release`. by: who asks, for the journal."""
        self._line.hold(by=by)

    def extend(self, seconds: float, by: str = "script") -> None:
        """Add to the countdown."""
        self._line.extend(seconds, by=by)

    def release(self, by: str = "script") -> None:
        """End the hold; the countdown starts afresh."""
        self._line.release(by=by)

    def try_now(self) -> None:
        """In an outage: one more attempt to connect, at once. The countdown does not change."""
        self._line.try_now()

    def close_now(self, by: str = "script") -> None:
        """In an outage: save and close without waiting."""
        self._line.close_now(by=by)

    def credentials(
        self,
        *,
        token: str | None = None,
        save: str | Mapping[str, object] | None = None,
        expires_at: datetime | float | None = None,
    ) -> None:
        """Renew what the server asks for, and where the saved file goes; None: it stays.

        save: a URL, or an upload in parts (docs/uploads.md). expires_at: how long these are good
        for; a number counts seconds since 1970. Raises SettingsError, which repeats nothing of
        them.
        """
        self._line.credentials(
            token=token,
            save=save if save is None or isinstance(save, str) else json.dumps(save),
            expires_at=expires_at.timestamp() if isinstance(expires_at, datetime) else expires_at,
        )

    def swap_policy(self, policy: str | PathLike[str] | bytes) -> None:
        """Let another policy decide: its file, or its bytes. The log tells the end."""
        self._line.swap_policy(policy)

    def revert_policy(self) -> None:
        """Go back to the policy that is set, else to the built-in one. The log tells the end."""
        self._line.revert_policy()

    # Events

    def poll(self) -> list[AnyEvent]:
        """Carry out what has happened since the last call, oldest first; gives what it was."""
        if self._closing:
            self._close()
        events = self._line.poll()
        for event in events:
            if self._ended:  # by the handler of the one before: whoever is told now has gone
                break
            try:
                HANDLERS[event.kind](self, event)
            except BaseException:  # the events behind it are not to be lost
                logger.exception(
                    "The event %s was not handled",
                    event.kind,
                    extra=about("event-failed", kind=event.kind),
                )
                if event.kind == "save":
                    order: Any = event
                    self._give_up(order.ticket)
        return events

    def dispatch(self, name: str, args: list[Any]) -> object:
        """Give a server event to whoever registered for it.

        Gives what its handler has returned, for a server that waits for an answer.
        """
        self.talked_at = time.monotonic()
        if name == EVENT:
            self._commands.received(args)
            return None
        return self.handlers.tell_of_server(name, *args)

    def working_on(self) -> str | None:
        """The command that has waited longest for its answer."""
        return self._commands.current()

    def tell_connected(self) -> None:
        """The add-on hears of it, before anything of the session."""
        # Of a host thread that has died, and taken the loss along.
        self.tell_disconnected("transport error")
        self._told_connected = True
        self.handlers.tell("connect")

    def tell_disconnected(self, reason: str) -> None:
        """The add-on hears of it, unless it has not heard of a connection before.

        reason: as python-socketio calls it. Nobody waits for what is not answered yet.
        """
        self._commands.drop()
        if self._told_connected:
            self._told_connected = False
            self.handlers.tell("disconnect", reason)

    # The clean-up

    def copy_early(self, *, needed: bool) -> None:
        """Have a copy of the work beside it while the server is unreachable; or none any more."""
        self._copies_early = needed
        if not needed:
            self.drop_early_copy()
        # What comes right behind, after a block, may be the save itself.
        elif self._line.status()["phase"] in ("counting-down", "held"):
            saving.early_copy.make(self._store, self._line.copied_early)

    def start_countdown(self, seconds: float | None = None, attempts: int | None = None) -> None:
        """Show the countdown that the host has started; nothing if it is shown, or none runs.

        seconds, attempts: as the `countdown` event tells them; None: as the status does.
        The event counts even when a blocked main thread hears of it after its end:
        what ended it comes right behind.
        """
        status = self._line.status()
        whole = seconds if seconds is not None else status["remaining"]
        tried = attempts if attempts is not None else status["attempt"]
        if self.countdown is not None or whole is None:
            return
        self.countdown = Countdown(self._line)
        saving.prepare()
        self._tell_countdown(status.get("refusal"), tried, whole)
        logger.info(
            "%s server cleanup timer started",
            hyphenated(whole),
            extra=about("countdown-started", seconds=whole),
        )

    def rescue(self) -> None:
        """Blender ends without the host: save the work in a recovery folder.

        Always: Blender itself does not notice what a script, or a command of the server's, changes.
        """
        logger.warning(
            "A script has ended Blender (sys.exit): its work goes into a recovery copy",
            extra=about("rescued"),
        )
        try:
            saving.save(self._store, in_place=False, cause=self._cause())
        except SaveError as error:
            logger.error("The work is not saved: %s", utf8(str(error)), extra=about("save-failed"))
            self.finished = True  # an early copy is all there is, and stays

    def _tell_countdown(self, refusal: str | None, attempts: int, seconds: float) -> None:
        if refusal is None:
            logger.warning(
                "Server unreachable after %s. Blender will save and close in %s "
                "if server does not reconnect.",
                amount(attempts, "connection attempt"),
                span(seconds),
                extra=about("unreachable", attempts=attempts, seconds=seconds),
            )
            return
        logger.warning(
            "The server refuses this Blender after %s: %s. Blender will save and close in %s if "
            "server does not let it in: are page, name, token and address right?",
            amount(attempts, "connection attempt"),
            refusal,
            span(seconds),
            extra=about("refused", attempts=attempts, seconds=seconds, refusal=refusal),
        )

    def drop_early_copy(self) -> None:
        """Nobody is to be led to the copy that was made early, if one was."""
        saving.early_copy.drop(self._store, self._line.copied_early)

    def drop_what_was_copied_before(self) -> None:
        """The server is there, and the line that had a copy made has ended."""
        if not self._copies_early:
            self.drop_early_copy()

    def cancel_cleanup(self) -> None:
        """The countdown is off, and so is a clean-up that has begun."""
        self._cleaning_up = self.saved_just_now = False
        self._pending_save = None
        self._changes.end()
        saving.unsent.drop(self._store)
        if self.countdown is not None:
            self.countdown = None
            logger.info("Server cleanup timer cancelled", extra=about("countdown-cancelled"))

    def ask_to_save(self, ticket: int, place: str, reason: str) -> None:
        """The host wants a save; `perform_cleanup` carries it out."""
        self._pending_save = PendingSave(ticket, place, reason)

    def perform_cleanup(self) -> None:
        """Carry out the save that the host has asked for, if it still stands, and answer.

        The host then asks for the quit (`close_blender`), or for a save elsewhere.
        """
        pending, self._pending_save = self._pending_save, None
        if pending is None:
            return
        if not self._line.claim(pending.ticket):
            logger.info(
                "Server cleanup withdrawn: nothing was saved", extra=about("save-withdrawn")
            )
            return
        self.countdown = None
        if not self._cleaning_up:
            self._cleaning_up = True
            why = "termination" if pending.reason == "termination" else "server cleanup"
            logger.info(
                "Performing %s: saving file and closing Blender",
                why,
                extra=about("cleanup-begun", reason=pending.reason),
            )
        self._save(pending)

    def _save(self, pending: PendingSave) -> None:
        """Save, and answer whatever comes of it: the host waits for an answer for ever."""

        def begin(path: Path) -> None:
            self._line.saving(pending.ticket, path)

        self._changes.end()
        self.saved_just_now = False
        begun = time.monotonic()
        reasons = ["the save was broken off"]
        try:
            self.handlers.tell_before_save()
            saved = saving.save(
                self._store,
                in_place=pending.place == "in-place",
                cause=self._cause(),
                begin=begin,
            )
            self._tell_saved(pending.ticket, saved)
            reasons = []
        except SaveError as error:
            reasons = [utf8(reason) for reason in error.reasons]
        except Exception as error:
            logger.exception("Blender file not saved", extra=about("save-failed"))
            reasons = [utf8(f"{type(error).__name__}: {error}")]
        finally:
            if reasons:
                self._line.save_failed(pending.ticket, reasons)
        if not reasons:
            self._changes.begin()
            self._keep_unsent(saved)
            # When the time after a SIGTERM is up, the quit would come before the file is read back.
            self.saved_just_now = pending.reason != "termination"
            took = time.monotonic() - begun
            logger.info(
                "Saved in %s", amount(took, "second"), extra=about("saved", seconds=round(took, 3))
            )

    def _give_up(self, ticket: int) -> None:
        """An order that nobody has carried out is answered, too: then the host asks again."""
        self._pending_save = None
        self._line.claim(ticket)
        self._line.save_failed(ticket, ["the order was not carried out"])

    def _keep_unsent(self, saved: saving.Saved) -> None:
        """A file that is to go to a store may be overwritten by what the store has."""
        try:
            # Nothing is ever written over a recovery copy that is worked on.
            is_copy = saved.recovery or self._store.find(saved.path) is not None
            if not is_copy and configuration.uploads():
                saving.unsent.keep(self._store, saved.path)
        except Exception:  # the work is saved
            logger.exception("There is no second copy", extra=about("unsent-failed"))

    def _cause(self) -> str:
        """Why what is saved now is saved."""
        return CONNECTED if self._line.status()["lost_for"] is None else OUTAGE

    def _tell_saved(self, ticket: int, saved: saving.Saved) -> None:
        told: dict[str, Any] = {
            "recovery": saved.recovery,
            "failures": [utf8(failure) for failure in saved.failures],
        }
        more: dict[str, Any] = {"digest": saved.digest, "render": saved.render}
        # An add-on that is updated in a running Blender still has its old native module, which
        # takes none of these.
        with contextlib.suppress(TypeError):
            self._line.saved(ticket, saved.path, **told, **more)
            return
        self._line.saved(ticket, saved.path, **told)

    def close_blender(self, ticket: int) -> None:
        """The host wants Blender to close: agree, or have it saved once more.

        What a person has changed since the save is saved first. Blender closes when the host
        says so (`close_for_good`): it writes the outage down before.
        """
        if self._changes.changed:
            # Once for each save: a host that asks again all the same is believed.
            self._changes.end()
            self._line.save_first(ticket)
        elif not self._line.claim(ticket):
            logger.info(
                "Closing Blender withdrawn: Blender stays open", extra=about("quit-withdrawn")
            )

    def close_for_good(self) -> None:
        """Close Blender: no server can come back any more."""
        self._closing = True
        self.saved_just_now = False
        self._close()

    def _close(self) -> None:
        """Close Blender; if it cannot be closed now, `poll` tries again."""
        if time.monotonic() < self._close_again_at:
            return
        self._close_again_at = time.monotonic() + _CLOSE_AGAIN
        logger.info("Closing Blender instance", extra=about("closing"))
        saving.early_copy.settle()
        saving.unsent.settle(_LAST_COPY)
        # In background mode the operator ends nothing; there the loop sees `finished` and exits.
        if not bpy.app.background:
            try:
                # Never with INVOKE_DEFAULT: over a changed file that opens a dialog, and waits.
                bpy.ops.wm.quit_blender()
            except RuntimeError as error:
                reason = " ".join(str(error).split())
                logger.error(
                    "Blender cannot be closed: %s",
                    reason,
                    extra=about("close-failed", reason=reason),
                )
                return
        self.finished = True
