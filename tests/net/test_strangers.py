"""Strangers share what their address has, and what strangers have in all; nobody who is listed counts with them."""

from __future__ import annotations

from auctionctl.auction.terms import SECOND_NS
from auctionctl.net.strangers import StrangerLimits, Strangers

ANN, EVE, MALLORY = b"a" * 32, b"e" * 32, b"m" * 32


def test_connections_are_counted_by_address_and_in_all_without_those_of_listed_keys() -> None:
    seats = [(ANN, "192.0.2.1"), (EVE, "192.0.2.1"), (EVE, "::ffff:192.0.2.1"), (MALLORY, "2001:db8::1")]
    strangers = Strangers(StrangerLimits(), lambda: seats)
    assert strangers.count("192.0.2.1", frozenset({ANN})) == (2, 3)
    assert strangers.count("192.0.2.1", frozenset()) == (3, 4)
    assert strangers.count("2001:db8::2", frozenset({ANN})) == (1, 3), "its neighbour is the same holder"
    assert strangers.count("192.0.2.9", frozenset({ANN})) == (0, 3)


def test_so_many_come_in_within_a_minute_from_one_address_and_others_do_not_notice() -> None:
    strangers = Strangers(StrangerLimits(arrivals_a_minute=4), list)
    assert [strangers.arrive("192.0.2.1", 0) > 0 for _ in range(6)] == [False] * 4 + [True] * 2
    wait_ns = strangers.arrive("192.0.2.1", 0)
    assert wait_ns == 15 * SECOND_NS
    assert strangers.arrive("192.0.2.1", wait_ns - SECOND_NS) > 0
    assert strangers.arrive("192.0.2.1", wait_ns) == 0
    assert strangers.arrive("192.0.2.2", 0) == 0
    assert strangers.greet("192.0.2.1", 0) == 0, "hellos are counted apart"
    assert [strangers.greet("192.0.2.1", 0) > 0 for _ in range(4)] == [False] * 3 + [True]
