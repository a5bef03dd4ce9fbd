"""What the store in memory adds to the contract, which tests/conformance/test_log_store.py holds it to."""

from __future__ import annotations

from auctionctl.store.log_store import Append
from auctionctl.store.memory import MemoryStore


def test_two_stores_share_nothing() -> None:
    one, other = MemoryStore(), MemoryStore()
    one.append([Append("registry", 0, (b"x",))], 1)
    one.claim("registry", "one")
    assert other.logs() == []
    assert other.last_alive_ns() is None
    assert other.claim("registry", "one") == 1
