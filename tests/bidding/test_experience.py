"""What a bidder has lived through: words of titles, closed lots within bounds, lots that are open and to come."""

from __future__ import annotations

from auctionctl.auction.phase import Phase
from auctionctl.bidding.experience import MAX_CLOSED, MAX_WORDS, ClosedLot, Experience, title_words


def closed(price_minor: int) -> ClosedLot:
    return ClosedLot(frozenset(), "EUR", 100, None, price_minor, True, 2, price_minor, 0)


def test_the_words_of_a_title_are_compared_whatever_their_case_and_however_many() -> None:
    assert title_words("GPU-hours, 8×A100: Straße_7") == {"gpu", "hours", "8", "a100", "strasse", "7"}
    assert title_words("--- !") == frozenset()
    assert len(title_words(" ".join(str(number) for number in range(100)))) == MAX_WORDS


def test_of_closed_lots_the_last_are_kept() -> None:
    experience = Experience()
    for price_minor in range(MAX_CLOSED + 10):
        experience.add(closed(price_minor))
    assert len(experience.closed) == MAX_CLOSED
    assert experience.closed[-1].price_minor == MAX_CLOSED + 9


def test_lots_are_counted_by_the_phase_that_they_are_in() -> None:
    experience = Experience()
    for auction in (b"a", b"b", b"c"):
        experience.phase(auction, Phase.ANNOUNCED)
    experience.phase(b"a", Phase.OPEN)
    experience.phase(b"b", Phase.PAUSED)
    assert (experience.lots_open, experience.lots_to_come) == (2, 1)
    experience.phase(b"a", Phase.CLOSED)
    experience.leave(b"c")
    experience.leave(b"unknown")
    assert (experience.lots_open, experience.lots_to_come) == (1, 0)
