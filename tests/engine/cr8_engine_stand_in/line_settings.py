"""What the started Blenders go by. Their variables are ours; a user's browsers go by the same."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The settings that a policy and a session's end depend on; see the README.
NUMBERS = (
    "retry_attempts",
    "retry_delay",
    "retry_delay_max",
    "retry_jitter",
    "connect_timeout",
    "cleanup_timeout",
    "render_wait",
    "quit_floor",
)
POLICY_PATH = "/policy.wasm"


@dataclass(frozen=True)
class LineSettings:
    """Settings in seconds, and the policy's file, as the environment has them."""

    values: Mapping[str, Any]
    policy: Path | None

    @classmethod
    def of_environment(cls) -> LineSettings:
        """Blender complains of a value that is none; here it is left out."""
        given = {name: os.environ.get(f"CR8_{name.upper()}", "") for name in NUMBERS}
        values: dict[str, Any] = {
            name: value for name, text in given.items() if (value := _number(text)) is not None
        }
        warnings = [_number(text) for text in os.environ.get("CR8_WARN_BEFORE", "").split(",")]
        if warnings and None not in warnings:
            values["warn_before"] = warnings
        policy = os.environ.get("CR8_POLICY")
        return cls(values, Path(policy) if policy else None)

    def facts(self) -> dict[str, Any]:
        """`lifeline_settings`, as a browser is told."""
        bytes_ = self.policy_bytes()
        if bytes_ is None:
            return dict(self.values)
        digest = hashlib.sha256(bytes_).hexdigest()
        # The digest in it: another policy has another address, whatever a browser keeps.
        url = f"{POLICY_PATH}?{digest[:12]}"
        return {**self.values, "policy_url": url, "policy_sha256": digest}

    def policy_bytes(self) -> bytes | None:
        """The policy's file as it is now; None: the built-in policy decides."""
        try:
            return None if self.policy is None else self.policy.read_bytes()
        except OSError:
            return None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
