"""What `Lifeline.poll` gives: a class for each kind of event, to be told apart by `match`."""

from typing import TypeAlias

from cr8_lifeline._native import (
    Close,
    Connected,
    Countdown,
    EarlyCopy,
    Held,
    Log,
    Lost,
    PolicySwap,
    Quit,
    Recovered,
    Save,
    ServerEvent,
    Warn,
)

AnyEvent: TypeAlias = (
    Log
    | Connected
    | Lost
    | Recovered
    | Countdown
    | Warn
    | Held
    | Save
    | EarlyCopy
    | Quit
    | Close
    | ServerEvent
    | PolicySwap
)

__all__ = [
    "AnyEvent",
    "Close",
    "Connected",
    "Countdown",
    "EarlyCopy",
    "Held",
    "Log",
    "Lost",
    "PolicySwap",
    "Quit",
    "Recovered",
    "Save",
    "ServerEvent",
    "Warn",
]
