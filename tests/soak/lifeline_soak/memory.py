"""How much memory there is in use."""

from __future__ import annotations

import ctypes
import gc
import sys
from dataclasses import dataclass, field

from lifeline_soak import traces
from lifeline_soak.leaks import Bounds, Growth

KIB = 1024
MIB = 1024 * KIB


class _MallocInfo(ctypes.Structure):
    """`struct mallinfo2`, see mallinfo(3)."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    ]


def _heap_in_use() -> int:
    """Bytes that this process has allocated and not freed; free ones go back to the system."""
    libc = ctypes.CDLL(None)
    libc.mallinfo2.restype = _MallocInfo
    libc.malloc_trim(ctypes.c_size_t(0))
    info = libc.mallinfo2()
    return int(info.uordblks) + int(info.hblkhd)


@dataclass
class OwnMemory:
    """Of this process: what the allocators say to the byte, and what the system says."""

    heap: Growth = field(
        default_factory=lambda: Growth("memory on the heap", "bytes", Bounds(20, KIB / 2, MIB))
    )
    blocks: Growth = field(
        default_factory=lambda: Growth("objects of Python", "blocks", Bounds(20, 4, 800))
    )
    resident: Growth = field(
        default_factory=lambda: Growth("resident memory", "bytes", Bounds(20, 24 * KIB, 12 * MIB))
    )
    mappings: Growth = field(
        default_factory=lambda: Growth("mappings of memory", "mappings", Bounds(20, 0.2, 80))
    )

    def sample(self, pid: int) -> None:
        gc.collect()
        self.heap.add(_heap_in_use())
        self.blocks.add(sys.getallocatedblocks())
        self.resident.add(traces.resident(pid))
        self.mappings.add(traces.mappings(pid))

    def faults(self) -> list[str]:
        all_of_them = (self.heap, self.blocks, self.resident, self.mappings)
        return [fault for growth in all_of_them for fault in growth.faults()]


@dataclass
class BlendersMemory:
    """Of a Blender, which only the system tells of; it takes a few cycles only."""

    resident: Growth = field(
        default_factory=lambda: Growth(
            "Blender's resident memory",
            "bytes",
            Bounds(4, MIB, 8 * MIB, stretches=3, shortest=2),
        )
    )

    def sample(self, pid: int) -> None:
        self.resident.add(traces.resident(pid))

    def faults(self) -> list[str]:
        return self.resident.faults()
