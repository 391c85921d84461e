"""What ends a soak."""

from __future__ import annotations


class ViolationError(Exception):
    """Something is not as it must be; each of `faults` says what was expected and found."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults
