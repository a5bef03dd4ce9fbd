"""The bids of an auction as strategies see them: by number, each bidder's last, and never more than is bounded."""

from __future__ import annotations

from auctionctl.bidding.tape import MAX_RECENT, BidTape, ObservedBid


def test_bidders_are_numbered_by_their_first_bid_and_their_last_bid_is_kept() -> None:
    tape = BidTape()
    for time_ns, (bidder, amount_minor) in enumerate([(b"b", 10), (b"a", 20), (b"b", 30), (b"c", 40)]):
        tape.add(bidder, amount_minor, time_ns)
    assert tape.last == [ObservedBid(0, 30, 2), ObservedBid(1, 20, 1), ObservedBid(2, 40, 3)]
    assert [bid.bidder for bid in tape.recent] == [0, 1, 0, 2]
    assert (tape.number_of(b"b"), tape.number_of(b"c"), tape.number_of(b"d")) == (0, 2, None)


def test_a_tape_of_any_length_takes_bounded_memory_and_counts_on() -> None:
    tape = BidTape()
    for amount_minor in range(10 * MAX_RECENT):
        tape.add(bytes([amount_minor % 2]), amount_minor, amount_minor)
    assert tape.count == 10 * MAX_RECENT
    assert len(tape.recent) == MAX_RECENT
    assert tape.recent[-1] == tape.last[1] == ObservedBid(1, 10 * MAX_RECENT - 1, 10 * MAX_RECENT - 1)
