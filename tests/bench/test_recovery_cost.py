"""What it costs to rebuild a log, as a ratio to work that nobody can do without, timed in the same moment.

Only ratios: how fast a machine is, and what else it does, is not tested. ``auctionctl bench --restart`` measures
the whole with real processes.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from auctionctl.auction.terms import SECOND_NS, auction_id
from auctionctl.house.recovery import rebuild
from auctionctl.keys.signing import SecretKey
from auctionctl.net.filling import plan_logs, write_log
from auctionctl.tlog.entry import decode

ENTRIES = 20_000
ROUNDS = 5
MAX_RATIO = 12.0
"""Measured: 5 to 7. With a signature an entry it would be over 50, with the head that each bid names over 20."""
MAX_BYTES = 320
"""An entry; measured: 200 to 240, by how full its tables happen to be."""

HOUSE = SecretKey(b"h" * 32)
BIDDERS = [SecretKey(bytes([number]) * 32) for number in (1, 2)]


@pytest.fixture(scope="module")
def log() -> tuple[str, list[bytes]]:
    """The name and the entries of a log in which every bid names a head."""
    plan, *_ = plan_logs(HOUSE, BIDDERS, 2 * ENTRIES, 1_767_225_600 * SECOND_NS)
    return f"auction/{auction_id(plan.terms.body).hex()}", [data for data, _ in write_log(plan)]


def seconds(work: Callable[[], Any]) -> float:
    started_s = time.process_time()
    work()
    return time.process_time() - started_s


def test_replaying_an_entry_costs_a_few_times_what_reading_it_does(
    log: tuple[str, list[bytes]], say_at_the_end: Callable[[str], None]
) -> None:
    name, entries = log
    assert len(entries) >= ENTRIES

    def bare() -> None:
        for data in entries:
            sha256(data).digest()
            decode(data)

    # Both in turns, and of each the best: what disturbs a machine disturbs them alike.
    times = [(seconds(bare), seconds(lambda: rebuild(HOUSE, name, entries))) for _ in range(ROUNDS)]
    ratio = min(rebuilt for _, rebuilt in times) / min(bare for bare, _ in times)
    say_at_the_end(f"replaying an entry: {ratio:.1f} times reading, hashing and decoding it (less than {MAX_RATIO:g})")
    assert ratio < MAX_RATIO


def test_an_entry_takes_as_much_memory_as_is_said(
    log: tuple[str, list[bytes]], say_at_the_end: Callable[[str], None]
) -> None:
    name, entries = log
    rebuild(HOUSE, name, entries[:10])
    tracemalloc.start()
    try:
        rebuilt = rebuild(HOUSE, name, entries)
        held_bytes, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert rebuilt.tree.size == len(entries)
    say_at_the_end(f"memory of a house: {held_bytes // len(entries)} bytes an entry (less than {MAX_BYTES})")
    assert held_bytes / len(entries) < MAX_BYTES
    # While it is rebuilt hardly more, or a house would need twice its memory to start.
    assert peak_bytes < held_bytes * 1.25
