"""A silence is noticed after a second, by whoever has listened all the while, and from the last beat on."""

from __future__ import annotations

from auctionctl.auction.terms import SECOND_NS
from auctionctl.net.ways import BEAT_NS, HUNG_NS, SILENCE_NS, Ways

TURN_NS = SECOND_NS // 10


def listen(ways: Ways, since_ns: int, until_ns: int) -> list[int | None]:
    """What each look says, ten times a second."""
    return [ways.look(now_ns) for now_ns in range(since_ns, until_ns, TURN_NS)]


def test_a_silence_of_all_ways_for_more_than_a_second_is_told_from_the_last_beat_on():
    ways = Ways()
    ways.beat(0, 0)
    ways.beat(1, BEAT_NS)
    said = listen(ways, BEAT_NS, 5 * SECOND_NS)
    silent = [at for at, since_ns in enumerate(said) if since_ns is not None]
    assert {since_ns for since_ns in said if since_ns is not None} == {BEAT_NS}
    assert silent == list(range(silent[0], len(said)))
    assert silent[0] * TURN_NS == SILENCE_NS + TURN_NS
    ways.beat(0, 5 * SECOND_NS)
    assert ways.look(5 * SECOND_NS) is None


def test_a_bid_is_as_good_as_a_beat_and_one_way_among_several_may_be_silent():
    ways = Ways()
    for way in (0, 1):
        ways.beat(way, 0)
    for now_ns in range(0, 5 * SECOND_NS, TURN_NS):
        ways.heard(1, now_ns)
        assert ways.look(now_ns) is None


def test_a_way_counts_from_its_first_beat_and_none_after_the_gateway_is_gone():
    ways = Ways()
    ways.heard(0, 0)
    assert set(listen(ways, 0, 5 * SECOND_NS)) == {None}
    ways.beat(0, 5 * SECOND_NS)
    ways.forget()
    assert set(listen(ways, 5 * SECOND_NS, 20 * SECOND_NS)) == {None}
    assert ways.hung(20 * SECOND_NS) == []


def test_whoever_stood_still_himself_blames_nobody():
    ways = Ways()
    ways.beat(0, 0)
    assert ways.look(0) is None
    assert ways.look(3 * SECOND_NS) is None
    assert ways.look(3 * SECOND_NS + TURN_NS) is None, "nor in the turn after it"
    said = listen(ways, 3 * SECOND_NS + 2 * TURN_NS, 5 * SECOND_NS)
    assert said[-1] == 3 * SECOND_NS, "silence is counted from where somebody listened"


def test_a_way_that_is_silent_for_long_has_hung_whatever_the_others_bring():
    ways = Ways()
    for way in (0, 1):
        ways.beat(way, 0)
    for now_ns in range(0, HUNG_NS + 1, TURN_NS):
        ways.beat(1, now_ns)
        ways.look(now_ns)
    assert ways.hung(HUNG_NS) == []
    assert ways.hung(HUNG_NS + 1) == [0]
