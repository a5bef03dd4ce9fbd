"""A silence is noticed after a second, by whoever has listened all the while, and from the last beat on."""

from __future__ import annotations

from auctionctl.auction.terms import SECOND_NS
from auctionctl.net.child_words import GATEWAY
from auctionctl.net.ways import BEAT_NS, HUNG_NS, SILENCE_NS, STUCK_NS, Way, Ways

TURN_NS = SECOND_NS // 10


def way(verifier: int, gateway: str = GATEWAY) -> Way:
    return Way(gateway, verifier)


def listen(ways: Ways, since_ns: int, until_ns: int) -> list[int | None]:
    """What each look says, ten times a second."""
    return [ways.look(now_ns) for now_ns in range(since_ns, until_ns, TURN_NS)]


def test_a_silence_of_all_ways_for_more_than_a_second_is_told_from_the_last_beat_on():
    ways = Ways()
    ways.beat(way(0), 0)
    ways.beat(way(1), BEAT_NS)
    said = listen(ways, BEAT_NS, 5 * SECOND_NS)
    silent = [at for at, since_ns in enumerate(said) if since_ns is not None]
    assert {since_ns for since_ns in said if since_ns is not None} == {BEAT_NS}
    assert silent == list(range(silent[0], len(said)))
    assert silent[0] * TURN_NS == SILENCE_NS + TURN_NS
    ways.beat(way(0), 5 * SECOND_NS)
    assert ways.look(5 * SECOND_NS) is None


def test_a_bid_is_as_good_as_a_beat_and_one_way_among_several_may_be_silent():
    ways = Ways()
    for each in (way(0), way(1)):
        ways.beat(each, 0)
    for now_ns in range(0, 5 * SECOND_NS, TURN_NS):
        ways.heard(way(1), now_ns)
        assert ways.look(now_ns) is None


def test_a_way_counts_from_its_first_beat_and_none_after_the_gateway_is_gone():
    ways = Ways()
    ways.heard(way(0), 0)
    assert set(listen(ways, 0, 5 * SECOND_NS)) == {None}
    ways.beat(way(0), 5 * SECOND_NS)
    ways.forget(GATEWAY)
    assert set(listen(ways, 5 * SECOND_NS, 20 * SECOND_NS)) == {None}
    assert ways.hung(20 * SECOND_NS) == []


def test_whoever_stood_still_himself_blames_nobody():
    ways = Ways()
    ways.beat(way(0), 0)
    assert ways.look(0) is None
    assert ways.look(3 * SECOND_NS) is None
    assert ways.look(3 * SECOND_NS + TURN_NS) is None, "nor in the turn after it"
    said = listen(ways, 3 * SECOND_NS + 2 * TURN_NS, 5 * SECOND_NS)
    assert said[-1] == 3 * SECOND_NS, "silence is counted from where somebody listened"


def test_a_way_that_is_silent_for_long_has_hung_whatever_the_others_bring():
    ways = Ways()
    for each in (way(0), way(1)):
        ways.beat(each, 0)
    for now_ns in range(0, HUNG_NS + 1, TURN_NS):
        ways.beat(way(1), now_ns)
        ways.look(now_ns)
    assert ways.hung(HUNG_NS) == []
    assert ways.hung(HUNG_NS + 1) == [0]


def test_one_silent_gateway_among_several_is_no_silence_and_is_stuck_after_a_while():
    ways = Ways()
    for gateway in ("gateway 0", "gateway 1"):
        for verifier in (0, 1):
            ways.beat(way(verifier, gateway), 0)
    for now_ns in range(0, STUCK_NS + 1, TURN_NS):
        ways.beat(way(0, "gateway 1"), now_ns)
        assert ways.look(now_ns) is None
    assert ways.stuck(STUCK_NS) == []
    ways.beat(way(0, "gateway 1"), STUCK_NS + TURN_NS)
    assert ways.stuck(STUCK_NS + TURN_NS) == ["gateway 0"]
    assert ways.hung(STUCK_NS + TURN_NS) == []
    ways.forget("gateway 0")
    assert ways.stuck(STUCK_NS + TURN_NS) == []


def test_where_no_gateway_is_heard_none_is_stuck_more_than_another():
    ways = Ways()
    for gateway in ("gateway 0", "gateway 1"):
        ways.beat(way(0, gateway), 0)
    listen(ways, 0, HUNG_NS + 2 * TURN_NS)
    assert ways.stuck(HUNG_NS + TURN_NS) == []
    assert ways.hung(HUNG_NS + TURN_NS) == [0]


def test_a_verifier_has_hung_when_nothing_of_any_gateway_comes_through_it():
    ways = Ways()
    for gateway in ("gateway 0", "gateway 1"):
        for verifier in (0, 1):
            ways.beat(way(verifier, gateway), 0)
    for now_ns in range(0, HUNG_NS + 2 * TURN_NS, TURN_NS):
        for gateway in ("gateway 0", "gateway 1"):
            ways.beat(way(0, gateway), now_ns)
        ways.look(now_ns)
    assert ways.hung(HUNG_NS + TURN_NS) == [1]
