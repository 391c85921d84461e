"""What was measured."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass
class Outcome:
    """All of it measured; what was never reached stays False or None."""

    saved: bool = False
    """The file, opened by another Blender, holds the edit."""
    exit_code: int | None = None
    """Of the Blender that lost its server."""
    edit_survived: bool = False
    """The relaunched Blender has the edit."""
    relaunched: bool = False
    """Another Blender, started by the restarted server, is connected with the file open."""
    lost_to_quit_s: float | None = None
    """From the server's death to Blender's end, in seconds."""
    policy: str | None = None
    """The name of the policy that decided."""
    set_aside: bool = False
    """It has failed, and five-minutes decided in its place."""
    screenshot: str | None = None
    """The picture of Blender's window in the countdown."""

    def complete(self) -> bool:
        """Everything was reached, and is as it should be."""
        return (
            self.saved
            and self.exit_code == 0
            and self.edit_survived
            and self.relaunched
            and not self.set_aside
            and None not in (self.lost_to_quit_s, self.policy, self.screenshot)
        )

    def as_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    def as_text(self) -> list[str]:
        """A short summary."""

        def told(holds: bool, text: str) -> str:
            return text if holds else f"NOT {text}"

        seconds = "not measured" if self.lost_to_quit_s is None else f"{self.lost_to_quit_s:.1f} s"
        return [
            f"lost to closed  {seconds}, exit code {self.exit_code}",
            f"the edit        {told(self.saved, 'saved')}, "
            f"{told(self.edit_survived, 'there after the relaunch')}",
            f"Blender         {told(self.relaunched, 'relaunched by the restarted server')}",
            f"policy          {self.policy}{self.set_aside * ', set aside: five-minutes decided'}",
            f"screenshot      {self.screenshot}",
        ]
