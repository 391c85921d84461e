"""What grows is found, and what only goes up and down is not."""

from __future__ import annotations

import ctypes
import os
import random
from collections.abc import Callable, Iterator

import pytest
from lifeline_soak.leaks import Bounds, Growth
from lifeline_soak.memory import KIB, BlendersMemory, OwnMemory

BOUNDS = Bounds(warm_up=20, steady=512, total=1_000_000)
NOISE = 30_000
CYCLES = 100


def grown(sample: Callable[[int], float], cycles: int = CYCLES) -> list[str]:
    """What is found of samples with noise that is never below zero."""
    dice = random.Random(7)  # noqa: S311
    growth = Growth("memory", "bytes", BOUNDS)
    for number in range(cycles):
        growth.add(round(9_000_000 + sample(number) + dice.expovariate(1 / NOISE)))
    return growth.faults()


def test_noise_alone() -> None:
    for cycles in range(CYCLES):
        assert grown(lambda _: 0, cycles) == []


def test_a_leak_of_a_few_kilobytes() -> None:
    (fault,) = grown(lambda number: 4_000 * number)
    assert fault.startswith("memory: grew by ")
    assert "a cycle" in fault


def test_a_leak_in_one_of_many_cycles() -> None:
    assert grown(lambda number: 8_000 * (number // 3))


def test_a_leak_of_a_kilobyte_in_many_cycles() -> None:
    assert grown(lambda number: 1_000 * number, 1_000)


def test_one_step_is_none() -> None:
    assert grown(lambda number: 600_000 if number > 60 else 0) == []


def test_a_step_that_is_too_high() -> None:
    (fault,) = grown(lambda number: 2_000_000 if number > 60 else 0)
    assert "a cycle" not in fault


def test_the_warm_up_does_not_count() -> None:
    assert grown(lambda number: 100_000 * min(number, 20)) == []


def test_too_few_cycles_tell_nothing() -> None:
    assert grown(lambda number: 100_000 * number, 60) == []
    assert grown(lambda number: 100_000 * number, 70)


@pytest.fixture
def kept() -> Iterator[list[int]]:
    """Addresses that are freed in the end."""
    addresses: list[int] = []
    yield addresses
    free = ctypes.CDLL(None).free
    free.argtypes = [ctypes.c_void_p]
    for address in addresses:
        free(address)


def allocate(size: int) -> int:
    malloc = ctypes.CDLL(None).malloc
    malloc.argtypes, malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
    return int(malloc(size))


def sampled(deed: Callable[[], object], cycles: int = 70) -> OwnMemory:
    memory = OwnMemory()
    for _ in range(cycles):
        deed()
        memory.sample(os.getpid())
    return memory


def test_this_process_at_rest() -> None:
    assert sampled(lambda: None).faults() == []


def test_memory_that_is_not_freed(kept: list[int]) -> None:
    memory = sampled(lambda: kept.append(allocate(4 * KIB)))
    assert [fault.partition(":")[0] for fault in memory.faults()] == ["memory on the heap"]


def test_objects_that_are_not_freed() -> None:
    held: list[list[object]] = []
    memory = sampled(lambda: held.extend([object()] for _ in range(10)))
    assert "objects of Python" in [fault.partition(":")[0] for fault in memory.faults()]


def test_memory_that_the_allocator_does_not_know() -> None:
    memory = OwnMemory()
    for number in range(80):
        memory.resident.add(100_000_000 + 200_000 * number)
    assert [fault.partition(":")[0] for fault in memory.faults()] == ["resident memory"]


def test_a_blender_that_grows() -> None:
    def told(per_cycle: int) -> list[str]:
        memory = BlendersMemory()
        for number in range(12):
            memory.resident.add(300_000_000 + per_cycle * number + number % 2 * 3_000_000)
        return memory.faults()

    assert told(0) == []
    assert told(4_000_000)
