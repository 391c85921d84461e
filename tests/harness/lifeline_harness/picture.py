"""What is on a screen, pixel by pixel."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from lifeline_harness.errors import HarnessError

Box = tuple[int, int, int, int]
"""Left, top, right, bottom; the latter two are outside."""


@dataclass(frozen=True)
class Picture:
    """Rows from the top, three bytes (red, green, blue) a pixel."""

    width: int
    height: int
    rows: list[bytes]

    @classmethod
    def of_window_dump(cls, xwd: bytes) -> Picture:
        """An X window dump with 32 bits a pixel, as Xvfb keeps it. Raises HarnessError."""
        header = struct.unpack_from(">20I", xwd)
        size, width, height, stride, colours = (header[at] for at in (0, 4, 5, 12, 19))
        least_significant_first, bits = header[7] == 0, header[11]
        if bits != 32 or not least_significant_first:
            raise HarnessError(f"a picture of {bits} bits a pixel is not understood")
        start = size + 12 * colours
        rows = []
        for top in range(start, start + height * stride, stride):
            row = xwd[top : top + 4 * width]
            pixels = bytearray(3 * width)
            pixels[0::3], pixels[1::3], pixels[2::3] = row[2::4], row[1::4], row[0::4]
            rows.append(bytes(pixels))
        return cls(width, height, rows)

    def png(self) -> bytes:
        """As a PNG file."""
        head = struct.pack(">2I5B", self.width, self.height, 8, 2, 0, 0, 0)
        rows = b"".join(b"\0" + row for row in self.rows)
        return (
            b"\x89PNG\r\n\x1a\n"
            + _chunk(b"IHDR", head)
            + _chunk(b"IDAT", zlib.compress(rows, 6))
            + _chunk(b"IEND", b"")
        )

    def count(self, box: Box, matches: Callable[[int, int, int], bool]) -> int:
        """How many pixels of the box match, by their red, green and blue (0 to 255)."""
        left, top, right, bottom = box
        return sum(
            matches(*row[at : at + 3])
            for row in self.rows[top:bottom]
            for at in range(3 * left, 3 * right, 3)
        )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
