"""`steady`: attempts to connect at even steps, then a countdown, then save and quit.

A policy in plain Python, straight from `wit/policy.wit`. `cargo xtask build` makes the component
with componentize-py, which also makes the modules `wit_world` and `componentize_py_types` out of
the contract.
"""

from __future__ import annotations

from componentize_py_types import Err, Result
from wit_world import exports
from wit_world.exports.types import (
    Action,
    Action_Connect,
    Action_Quit,
    Action_Save,
    Action_Warn,
    Attempt_Due,
    Attempt_UnderWay,
    ConnectError,
    Countdown,
    Decision,
    Description,
    Loss,
    Moment,
    Outage,
    Phase,
    Phase_Connected,
    Phase_CountingDown,
    Phase_Held,
    Phase_Quitting,
    Phase_Reconnecting,
    Phase_Saving,
    Place,
    Request,
    Request_CloseNow,
    Request_Extend,
    Request_Hold,
    Request_Release,
    Saving,
    Settings,
    State,
)

VERSION = "0.1.0"

# All times are milliseconds, and fit an unsigned number of 64 bits.
LATEST = 2**64 - 1
MOST_ATTEMPTS = 2**32 - 1

# The contract's.
DEFAULTS = Settings(
    retry_attempts=5,
    retry_delay=2_000,
    retry_delay_max=10_000,
    retry_jitter=500,
    connect_timeout=10_000,
    cleanup_timeout=300_000,
    warn_before=[60_000, 10_000],
    render_wait=0,
)

# A call that comes this much later than asked for: nobody was awake.
LATE_AFTER = 1_000
# How often a countdown that waits for a render looks again.
RENDER_RECHECK = 1_000


class Policy(exports.Policy):
    """What the component exports. Each call runs in a fresh instance: arguments may be changed."""

    def describe(self) -> Description:
        about = "Attempts to reconnect at even steps, then a countdown, then save and quit."
        return Description("steady", VERSION, about, [])

    def start(self, moment: Moment) -> Decision:
        call = Call(moment)
        outage = Outage(moment.now, Loss.NEVER_CONNECTED, 0, call.connect(), 0)
        return call.decision(Phase_Reconnecting(outage), b"")

    def on_connect(self, state: State, moment: Moment) -> Decision:
        return Call(moment).decision(Phase_Connected(), state.memo)

    def on_connect_error(self, state: State, moment: Moment, why: ConnectError) -> Decision:  # noqa: ARG002
        call = Call(moment)
        phase = call.discount_sleep(state.phase)
        outage = outage_of(phase)
        # After a sleep a new attempt is due already: the failure is news of the old one.
        if outage is not None and isinstance(outage.attempt, Attempt_UnderWay):
            phase = call.attempt_failed(phase, outage)
        return call.finish(phase, state.memo)

    def on_disconnect(self, state: State, moment: Moment, why: Loss) -> Decision:
        call = Call(moment)
        phase = call.discount_sleep(state.phase)
        if isinstance(phase, Phase_Connected):
            outage = Outage(moment.now, why, 0, Attempt_Due(moment.now), 0)
            phase = call.attempt_failed(Phase_Reconnecting(outage), outage)
        return call.finish(phase, state.memo)

    def on_saved(self, state: State, moment: Moment, outcome: Result[None, str]) -> Decision:
        call = Call(moment)
        phase = call.discount_sleep(state.phase)
        if isinstance(phase, Phase_Saving):
            saving = phase.value
            if isinstance(outcome, Err) and saving.place == Place.IN_PLACE:
                phase = call.save(saving.outage, Place.RECOVERY)
            else:
                phase = call.quit(saving.outage)
        return call.finish(phase, state.memo)

    def on_request(self, state: State, moment: Moment, request: Request) -> Decision:
        call = Call(moment)
        phase = call.answer(request, call.discount_sleep(state.phase))
        return call.finish(phase, state.memo)

    def tick(self, state: State, moment: Moment) -> Decision:
        call = Call(moment)
        return call.finish(call.discount_sleep(state.phase), state.memo)


def outage_of(phase: Phase) -> Outage | None:
    """The outage within a phase; None while connected."""
    match phase:
        case Phase_Connected():
            return None
        case Phase_CountingDown(countdown):
            return countdown.outage
        case Phase_Saving(saving):
            return saving.outage
        case Phase_Reconnecting(outage) | Phase_Quitting(outage) | Phase_Held(outage):
            return outage


def after(start: int, *durations: int) -> int:
    """An instant, or a length of time, that does not leave the range."""
    return min(start + sum(durations), LATEST)


class Call:
    """One call: what it was told, and what it has asked for so far."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._settings = moment.settings or DEFAULTS
        self._actions: list[Action] = []

    # What it asks for.

    def connect(self) -> Attempt_UnderWay:
        self._actions.append(Action_Connect())
        return Attempt_UnderWay(after(self._moment.now, self._settings.connect_timeout))

    def warn(self, left: int) -> None:
        self._actions.append(Action_Warn(left))

    def save(self, outage: Outage, place: Place) -> Phase:
        self._actions.append(Action_Save(place))
        return Phase_Saving(Saving(outage, place, self._moment.now))

    def quit(self, outage: Outage) -> Phase:
        self._actions.append(Action_Quit())
        return Phase_Quitting(outage)

    # What happens.

    def discount_sleep(self, phase: Phase) -> Phase:
        """Time in which nobody was awake does not count: the deadline moves by it.

        An attempt is due at once, and has time to be answered before the deadline; but no longer
        than half of what was slept, or a process that is stopped again and again would never get
        to its end.
        """
        now, due = self._moment.now, self._moment.due
        slept = 0 if due is None else now - due
        outage = outage_of(phase)
        if slept <= LATE_AFTER or outage is None:
            return phase
        if isinstance(phase, Phase_CountingDown):
            one_attempt = after(now, min(self._settings.connect_timeout, slept // 2))
            phase.value.deadline = max(after(phase.value.deadline, slept), one_attempt)
        if isinstance(outage.attempt, Attempt_UnderWay):
            # It is begun again, not once more.
            outage.attempts = max(outage.attempts - 1, 0)
        outage.attempt = Attempt_Due(now)
        return phase

    def attempt_failed(self, phase: Phase, outage: Outage) -> Phase:
        """The next one comes a step later; after the first ones the countdown begins."""
        settings = self._settings
        delay, jitter = min(settings.retry_delay, settings.retry_delay_max), settings.retry_jitter
        if self._moment.entropy is not None:
            # From minus to plus jitter, both ends included.
            delay += (self._moment.entropy * (2 * jitter + 1) >> 64) - jitter
        # Never in the call that tells of a failure.
        outage.attempt = Attempt_Due(after(self._moment.now, max(delay, 1)))
        if isinstance(phase, Phase_Reconnecting) and self._first_ones_are_spent(outage):
            return self._count_down(outage)
        return phase

    def answer(self, request: Request, phase: Phase) -> Phase:
        """What a person asks for. While connected nothing needs it."""
        outage = outage_of(phase)
        if outage is None:
            return phase
        match request, phase:
            case Request_Hold(), _:
                return Phase_Held(outage)
            case Request_Extend(by), Phase_CountingDown(countdown):
                countdown.deadline = after(countdown.deadline, by)
                # The warnings below what is left now come again.
                countdown.warned = self._left(countdown)
            case Request_Extend(by), Phase_Reconnecting():
                outage.extended = after(outage.extended, by)
            case Request_Release(), Phase_Held():
                if self._first_ones_are_spent(outage):
                    return self._count_down(outage)
                return Phase_Reconnecting(outage)
            case Request_CloseNow(), Phase_Reconnecting() | Phase_CountingDown() | Phase_Held():
                return self.save(outage, Place.IN_PLACE)
        return phase

    def finish(self, phase: Phase, memo: bytes) -> Decision:
        """Does what is due by now: the deadline before the attempts, so that it holds."""
        if isinstance(phase, Phase_CountingDown):
            countdown = phase.value
            if self._moment.now >= self._end(countdown):
                return self.decision(self.save(countdown.outage, Place.IN_PLACE), memo)
            left = self._left(countdown)
            if any(left <= at for at in self._warnings(countdown)):
                countdown.warned = left
                self.warn(left)
        match outage_of(phase):
            case Outage(attempt=Attempt_Due(at)) as outage if at <= self._moment.now:
                outage.attempts = min(outage.attempts + 1, MOST_ATTEMPTS)
                outage.attempt = self.connect()
            case Outage(attempt=Attempt_UnderWay(until)) as outage if until <= self._moment.now:
                phase = self.attempt_failed(phase, outage)
        return self.decision(phase, memo)

    def decision(self, phase: Phase, memo: bytes) -> Decision:
        """The answer. The memo may be another policy's: it is handed on."""
        state = State(phase, self._moment.now, memo)
        return Decision(state, self._actions, self._wake_at(phase))

    # The countdown.

    def _first_ones_are_spent(self, outage: Outage) -> bool:
        return outage.attempts >= self._settings.retry_attempts

    def _count_down(self, outage: Outage) -> Phase:
        length = after(self._settings.cleanup_timeout, outage.extended)
        self.warn(length)
        return Phase_CountingDown(Countdown(outage, after(self._moment.now, length), length))

    def _left(self, countdown: Countdown) -> int:
        return max(countdown.deadline - self._moment.now, 0)

    def _warnings(self, countdown: Countdown) -> list[int]:
        """Those that are still to come."""
        return [at for at in self._settings.warn_before if at < countdown.warned]

    def _end(self, countdown: Countdown) -> int:
        """When to save: at the deadline, or later if a render may put it off."""
        scene = self._moment.scene
        rendering = scene is not None and scene.rendering
        return after(countdown.deadline, self._settings.render_wait if rendering else 0)

    def _wake_at(self, phase: Phase) -> int | None:
        outage = outage_of(phase)
        if outage is None:
            return None
        attempt = outage.attempt.value
        if not isinstance(phase, Phase_CountingDown):
            return attempt
        countdown = phase.value
        if self._moment.now >= countdown.deadline:
            return min(attempt, self._end(countdown), after(self._moment.now, RENDER_RECHECK))
        warnings = [countdown.deadline - at for at in self._warnings(countdown)]
        return min(attempt, countdown.deadline, *warnings)
