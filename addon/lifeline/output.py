# SPDX-License-Identifier: GPL-3.0-or-later
"""Standard output and standard error, which must never hold up Blender's main thread.

Whoever should read them may not: a full pipe, a terminal stopped by Ctrl-S, a disk that hangs.
A write would wait for ever then, and with it the save. So the log's lines go through a pipe of our
own whose writing end never waits; a thread takes them on from there. What finds that pipe full is
lost, and counted.

Blender itself prints from C on the main thread ("Info: Saved ..."). For the time of an outage the
pipe is therefore put in the place of the stream itself (`take_over`). Not for longer: what a
crashing Blender prints would be lost in it, and what is written faster than it is read. Nor is the
stream itself set not to wait (O_NONBLOCK): that would hold for the server and the shell, too, whose
stream it is as well, and does not help against a disk.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import sys
import termios
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from .wording import amount

if TYPE_CHECKING:
    from collections.abc import Callable

# Bytes: of the pipe, if the system grants it (else 64 KiB), and of what is taken on at once.
_CAPACITY = 1 << 20
_CHUNK = 1 << 16


class Outlet:
    """One stream of the process, by its descriptors (those that lead to the same place).

    Raises OSError if there is no such stream, or no pipe to be had.
    """

    def __init__(self, *descriptors: int, told: Callable[[int], str]) -> None:
        """told: the line that says how many lines were lost."""
        self._descriptors = descriptors
        self._told = told
        self._target = os.dup(descriptors[0])
        try:
            self._from, self._into = os.pipe()
        except OSError:
            os.close(self._target)
            raise
        os.set_blocking(self._into, False)
        with suppress(AttributeError, OSError):  # Linux alone can do it
            fcntl.fcntl(self._into, fcntl.F_SETPIPE_SZ, _CAPACITY)
        self._thread: threading.Thread | None = None
        # Of what the pipe could not take.
        self._counting = threading.Lock()
        self._lost = 0
        self._torn = False
        # Held while something that was taken out of the pipe is not yet written.
        self._moving = threading.Lock()
        self._taken_over = self._give_back = self._closed = False

    def say(self, line: str) -> None:
        """Write one line, or several. Never waits."""
        with self._counting:
            if self._closed:
                return
            note = f"{self._told(self._lost)}\n" if self._lost else ""
            begin = "\n" if self._torn else ""
            head = f"{begin}{note}".encode()
            data = head + f"{line}\n".encode("utf-8", "backslashreplace")
            written = 0
            with suppress(OSError):
                written = os.write(self._into, data)
            if written:
                self._torn = written < len(data)
            if written >= len(head):
                self._lost = 0
            self._lost += written < len(data)
        self._see_to_thread()

    def take_over(self) -> None:
        """From now on nothing waits that this process writes to the stream. Raises OSError."""
        self._give_back = False
        if not self._taken_over:
            self._taken_over = True
            self._see_to_thread()
            for descriptor in self._descriptors:
                os.dup2(self._into, descriptor)

    def give_back(self) -> None:
        """The stream as it was: as soon as what is in the pipe is written."""
        self._give_back = True
        if self._moving.acquire(blocking=False):
            try:
                self._settle()
            finally:
                self._moving.release()

    def close(self, seconds: float) -> None:
        """Wait until all is written, but no longer than this.

        A stream that takes nothing, and is taken over, stays so: Blender goes on printing.
        """
        self._give_back = True
        end = time.monotonic() + seconds
        while not self._is_settled(end - time.monotonic()) and time.monotonic() < end:
            time.sleep(0.001)
        with self._counting:
            self._closed = True
        os.close(self._into)  # ends the thread, unless the stream is still taken over
        if self._thread is None:
            self._close_rest()

    def _is_settled(self, seconds: float) -> bool:
        if not self._moving.acquire(timeout=max(0.0, seconds)):
            return False
        try:
            return self._settle()
        finally:
            self._moving.release()

    def _settle(self) -> bool:
        """Whether the pipe is empty; then the stream is given back, if it is to be."""
        if _waiting_in(self._from):
            return False
        if self._taken_over and self._give_back:
            for descriptor in self._descriptors:
                os.dup2(self._target, descriptor)
            self._taken_over = False
        return True

    def _see_to_thread(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            return
        thread = threading.Thread(target=self._forward, name="cr8-output", daemon=True)
        try:
            thread.start()
            self._thread = thread
        except RuntimeError:  # no thread is to be had: what waits in the pipe goes out later
            pass

    def _forward(self) -> None:
        # A job in the background of a terminal that is set so (`stty tostop`) is stopped when it
        # writes, unless the thread that does has no ear for that.
        with suppress(AttributeError, OSError, ValueError):
            signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTTOU,))
        arrived = select.poll()
        arrived.register(self._from, select.POLLIN)
        while True:
            arrived.poll()
            with self._moving:
                data = os.read(self._from, _CHUNK)
                if not data:
                    break
                if not self._write(data):
                    with self._counting:
                        self._lost += data.count(b"\n")
                elif not _waiting_in(self._from):
                    self._tell_lost()
                self._settle()
        self._close_rest()

    def _close_rest(self) -> None:
        os.close(self._from)
        os.close(self._target)

    def _tell_lost(self) -> None:
        """It takes lines again; perhaps none comes that could say what was lost."""
        with self._counting:
            lost, torn = self._lost, self._torn
            self._lost, self._torn = 0, False
        if lost:
            begin = "\n" if torn else ""
            if not self._write(f"{begin}{self._told(lost)}\n".encode()):
                with self._counting:
                    self._lost += lost

    def _write(self, data: bytes) -> bool:
        """Wait for the stream as long as it takes. False: it does not take it."""
        while data:
            try:
                data = data[os.write(self._target, data) :]
            except BlockingIOError:  # somebody else has set it so
                select.select([], [self._target], [])
            except OSError:  # nobody reads it any more, or the disk is full
                return False
        return True


def _waiting_in(pipe: int) -> int:
    """Bytes."""
    answer = fcntl.ioctl(pipe, termios.FIONREAD, b"\0\0\0\0")
    return int(struct.unpack("i", answer)[0])


_STDOUT, _STDERR = 1, 2
# How long the last lines may hold up Blender's end (seconds).
_LAST_WORDS = 0.5

_outlets: dict[int, Outlet] = {}


def standard_output() -> Outlet | None:
    """None: there is none, or a script has put something of its own in its place."""
    return _outlet(_STDOUT) if _leads_to_standard_output() else None


def _leads_to_standard_output() -> bool:
    """A script may have wrapped it anew, in another encoding: it waits as the first one did."""
    if sys.stdout is None or sys.stdout is sys.__stdout__:
        return sys.stdout is not None
    try:
        return sys.stdout.fileno() == _STDOUT
    except Exception:  # it is something else
        return False


def take_over() -> None:
    """From now on nothing that this process prints waits for whoever should read it."""
    for descriptor in (_STDOUT, _STDERR):
        outlet = _outlet(descriptor)
        if outlet is not None:
            with suppress(OSError):
                outlet.take_over()
    # What Python has kept back so far. A script may have put anything in their place.
    for stream in (sys.stdout, sys.stderr):
        with suppress(BaseException):
            stream.flush()


def give_back() -> None:
    """The streams as they were."""
    for outlet in set(_outlets.values()):
        outlet.give_back()


def unregister() -> None:
    """Write what waits, for a moment at most, and give the streams back."""
    end = time.monotonic() + _LAST_WORDS
    while _outlets:
        _descriptor, outlet = _outlets.popitem()
        if outlet not in _outlets.values():
            outlet.close(max(0.0, end - time.monotonic()))


def _outlet(descriptor: int) -> Outlet | None:
    if descriptor not in _outlets:
        with suppress(OSError):
            together = os.path.sameopenfile(_STDOUT, _STDERR)
            descriptors = (_STDOUT, _STDERR) if together else (descriptor,)
            outlet = Outlet(*descriptors, told=_told)
            _outlets.update(dict.fromkeys(descriptors, outlet))
    return _outlets.get(descriptor)


def _told(lost: int) -> str:
    return f"[WARNING] The log has lost {amount(lost, 'line')}: what it goes to took no more"
