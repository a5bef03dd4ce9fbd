"""What a store is filled with for the benchmark is what anybody can verify, and what a house goes on with."""

from __future__ import annotations

from pathlib import Path

import pytest

from auctionctl.auction.bid import decode_bid
from auctionctl.auction.phase import Phase
from auctionctl.auction.terms import SECOND_NS
from auctionctl.keys.allowlist import AllowList, Entry
from auctionctl.keys.signing import SecretKey
from auctionctl.net.filling import LOGS, OTHERS, Filled, fill
from auctionctl.net.stored_logs import StoredLogs
from auctionctl.replica.audit import audit
from auctionctl.replica.export import encode_export
from auctionctl.replica.registry import REGISTRY
from auctionctl.store.archive import Archive
from auctionctl.store.memory import MemoryStore
from auctionctl.tlog.entry import Kind, decode

HOUSE = SecretKey(b"h" * 32)
BIDDERS = [SecretKey(bytes([number]) * 32) for number in range(1, 5)]
ALLOWED = AllowList((n, Entry(key.identity, f"bidder{n}", "bidder")) for n, key in enumerate(BIDDERS, 1))
ENTRIES = 1_000
NOW_NS = 1_767_225_600 * SECOND_NS


@pytest.fixture(scope="module")
def full() -> tuple[MemoryStore, Filled, list[tuple[int, int]]]:
    store, told = MemoryStore(), []
    filled = fill(
        store,
        HOUSE,
        BIDDERS,
        allowed=ALLOWED,
        entries=ENTRIES,
        now_ns=NOW_NS,
        on_progress=lambda *far: told.append(far),
    )
    return store, filled, told


def test_every_log_verifies_with_its_signatures_heads_and_announcement(
    full: tuple[MemoryStore, Filled, list[tuple[int, int]]], tmp_path: Path
) -> None:
    store, _, _ = full
    stored = StoredLogs(HOUSE, store, Archive(tmp_path))
    registry = stored.registry()
    logs, quarantined = stored.auctions(registry)
    assert (len(logs), quarantined) == (LOGS, [])
    ended = 0
    for log in logs:
        found = audit(
            encode_export(store.read(log.name), log.sign_head(), registry.announcement(log.id)), HOUSE.identity
        )
        assert found.contested == ()
        assert found.auction.bid_count > 10
        assert found.auction.last_time_ns <= NOW_NS
        ended += found.is_finished
    assert ended == (OTHERS + 1) // 2


def test_it_has_so_many_entries_and_no_more_and_half_of_them_in_one_log(
    full: tuple[MemoryStore, Filled, list[tuple[int, int]]],
) -> None:
    store, filled, told = full
    sizes = [size for name, size in store.logs() if name != REGISTRY]
    assert filled.entries == ENTRIES == sum(sizes) + store.size(REGISTRY)
    assert told[-1] == (ENTRIES, ENTRIES)
    assert told == sorted(told)
    assert 0.45 < max(sizes) / ENTRIES < 0.55
    assert (filled.logs, len(sizes)) == (LOGS, LOGS)


def test_bids_name_the_head_that_they_answer(full: tuple[MemoryStore, Filled, list[tuple[int, int]]]) -> None:
    store, filled, _ = full
    entries = [decode(data) for data in store.read(f"auction/{filled.auction.hex()}")]
    for index, entry in enumerate(entries):
        if entry.kind is Kind.BID:
            assert decode_bid(entry.body).head_size == index


def test_the_next_bid_is_one_that_the_rules_accept(
    full: tuple[MemoryStore, Filled, list[tuple[int, int]]], tmp_path: Path
) -> None:
    store, filled, _ = full
    stored = StoredLogs(HOUSE, store, Archive(tmp_path))
    logs, _ = stored.auctions(stored.registry())
    (log,) = [log for log in logs if log.id == filled.auction]
    assert log.auction.phase is Phase.OPEN
    assert log.auction.decide_bid(filled.next_bid(NOW_NS), NOW_NS) is None
    assert filled.bidder.identity.signing == filled.next_bid(NOW_NS).bidder
