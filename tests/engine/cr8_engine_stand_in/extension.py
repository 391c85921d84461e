"""What this engine has beyond the real one. A client is told of it when it connects.

`session_created` to a browser and `blender_connected` to a Blender carry it in their data, under
`lifeline`: `{version, events}`. An engine that says nothing knows none of it.
"""

from __future__ import annotations

from typing import Any

from cr8_engine_stand_in import envelopes
from cr8_engine_stand_in.registry import Connection

VERSION = 1

# A Blender's account of a clean-up, sent until we say that we have it.
REPORT = "cleanup_report"
RECEIVED = "cleanup_report_received"
# A picture of what Blender shows: handed on, and not kept.
VIEWPORT = "viewport"
# Unsaved work that a Blender has found, and which of it a page wants opened.
OFFERS = "recovery_offers"
WANTED = "open_recovered"
SETTINGS = "lifeline_settings"
# Kept, like any other event from a Blender.
TOLD = ("cleanup_imminent", "cleanup_cancelled", "policy_update_result")
# To a Blender.
UPDATE = "policy_update"


def facts() -> dict[str, Any]:
    """What a client is told."""
    events = [REPORT, RECEIVED, VIEWPORT, OFFERS, WANTED, SETTINGS, *TOLD, UPDATE]
    return {"lifeline": {"version": VERSION, "events": events}}


def connected(one: Connection) -> dict[str, Any]:
    """`blender_connected` to a browser, with the file that the Blender has."""
    which = {"username": one.username, "blend_file_path": one.blend_file_path}
    return envelopes.system("blender_connected", "connected", "Blender is connected", which)
