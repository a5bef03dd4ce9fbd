"""Whoever reads more than its share waits for it, and nobody else does."""

from __future__ import annotations

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.limits import Limits
from auctionctl.house.reads import STRANGER_READS, Reads
from auctionctl.keys.signing import SecretKey
from auctionctl.wire.session import Peer

ANN, BEN = (Peer(SecretKey(bytes([number]) * 32).identity, "name", "bidder") for number in (1, 2))
EVE = Peer(SecretKey(b"e" * 32).identity, "eve", "bidder", is_listed=False)
LIMITS = Limits(read_bytes_per_s=1_600, read_bytes_burst=16_000)
LOG = b"l" * 32


def test_what_is_too_much_is_waited_for_by_the_name_of_the_log() -> None:
    reads = Reads(LIMITS)
    reads.used(ANN, 17_600, 0)
    refusal = reads.refuse(ANN, LOG, 0)
    assert refusal is not None
    assert (refusal.code, refusal.command) == ("rate", LOG)
    assert refusal.message == "this house gives 1600 bytes a second to one identity"
    assert reads.refuse(ANN, LOG, refusal.retry_after_ns - 1) is not None
    assert reads.refuse(ANN, LOG, refusal.retry_after_ns) is None
    assert refusal.retry_after_ns == SECOND_NS + SECOND_NS // 1_600
    assert reads.refuse(BEN, LOG, 0) is None


def test_a_stranger_has_a_part_of_it_and_takes_nothing_of_others() -> None:
    reads = Reads(LIMITS)
    reads.used(EVE, LIMITS.read_bytes_burst // STRANGER_READS - 1, 0)
    assert reads.refuse(EVE, LOG, 0) is None
    reads.used(EVE, 1, 0)
    refusal = reads.refuse(EVE, LOG, 0)
    assert refusal is not None
    assert refusal.retry_after_ns == SECOND_NS * STRANGER_READS // 1_600
    assert reads.refuse(ANN, LOG, 0) is None


def test_limits_of_ones_own_hold_instead_of_those_for_all() -> None:
    reads = Reads(LIMITS)
    reads.obey(LIMITS, LIMITS.of_their_own({ANN.identity.signing: {"read_bytes_burst": 160_000}}))
    for peer in (ANN, BEN):
        reads.used(peer, 100_000, 0)
    assert reads.refuse(ANN, LOG, 0) is None
    assert reads.refuse(BEN, LOG, 0) is not None
