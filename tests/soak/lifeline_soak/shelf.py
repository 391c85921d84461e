"""The policies of a soak, and the ways in which one gets to the line."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from lifeline_harness.hostile import hostile
from lifeline_harness.policies import policy_file

from lifeline_soak.plan import BROKEN, HOSTILE, Swap

# A custom section: the same policy with another digest.
_MARK = b"\0\x05\x04soak"

# Where a component is cut off: never at its end, and not twice at the same byte in a row.
_CUT_FROM, _CUT_SPAN = 1_000, 20_000


def digest(component: bytes) -> str:
    return hashlib.sha256(component).hexdigest()


def component(swap: Swap, number: int) -> bytes:
    """What is swapped in, in the cycle of this number. Raises StartError if it was not built."""
    if swap.policy.startswith(HOSTILE):
        return hostile(swap.policy.removeprefix(HOSTILE))
    if swap.policy == BROKEN:
        return policy_file("five-minutes").read_bytes()[: _CUT_FROM + number % _CUT_SPAN]
    return policy_file(swap.policy).read_bytes() + _MARK


def pushed(component: bytes, number: int) -> dict[str, str]:
    """The data of a `policy_update`."""
    return {
        "id": f"soak-{number}",
        "sha256": digest(component),
        "wasm": base64.b64encode(component).decode(),
    }


class Shelf:
    """The files of policies, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.usual = policy_file("five-minutes").read_bytes()
        self.watched = folder / "policy.wasm"
        """What CR8_POLICY names."""
        self.watched.write_bytes(self.usual)
        self._other = folder / "other.wasm"

    def put(self, content: bytes) -> Path:
        """A file that nobody watches."""
        self._other.write_bytes(content)
        return self._other

    def replace_watched(self, content: bytes) -> None:
        """As an editor does: a new file, renamed into place."""
        draft = self.watched.with_suffix(".new")
        draft.write_bytes(content)
        draft.replace(self.watched)
