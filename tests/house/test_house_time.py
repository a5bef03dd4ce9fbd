"""Openings, closes, departures and gaps: what time brings about, and that nobody pays for the house's own silence."""

from __future__ import annotations

from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest

from auctionctl.auction.events import Gap, decode_event
from auctionctl.auction.phase import EndReason, Phase
from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.gaps import RECONNECT_GRACE_NS
from auctionctl.house.house import STALL_NS
from auctionctl.house.presence import PRESENCE_GRACE_NS
from auctionctl.replica.audit import audit
from auctionctl.wire.messages import Subscribe

MS_NS = SECOND_NS // 1_000


def gaps(stage: Any, auction: bytes) -> list[tuple[int, int, str]]:
    """(since, until, cause) of every gap in the log, relative to the start of the stage."""
    found = []
    for entry in stage.entries(auction):
        if entry.kind == "gap":
            event = decode_event("gap", entry.body)
            assert isinstance(event, Gap)
            found.append((event.since_ns, event.until_ns, event.cause.value))
    return found


def audited(stage: Any, auction: bytes) -> Any:
    """The log, checked by anybody."""
    return audit(stage.export(auction), stage.key.identity)


# From announcement to close


def test_an_auction_opens_with_enough_bidders_in_the_same_batch(stage: Any) -> None:
    auction = stage.announce(min_bidders=3)
    for session, name in enumerate(("ann", "ben", "cleo"), 1):
        stage.enter(session, name)
    stage.handle(stage.join(1, auction), stage.join(2, auction))
    stage.after(SECOND_NS)
    assert stage.kinds(auction) == ["terms", "joined", "joined"]
    stage.handle(stage.join(3, auction))
    assert stage.kinds(auction)[-2:] == ["joined", "opened"]
    state = stage.log(auction).auction
    assert (state.phase, state.opened_at_ns, state.end_ns) == (
        Phase.OPEN,
        stage.now_ns,
        stage.now_ns + 20 * SECOND_NS,
    )
    assert stage.house.get_timer() == state.end_ns


def test_an_auction_without_enough_bidders_is_cancelled_at_its_start_deadline(stage: Any) -> None:
    auction = stage.announce()
    stage.enter(1, "ann")
    stage.handle(stage.join(1, auction))
    deadline_ns = stage.log(auction).auction.start_deadline_ns
    assert stage.house.get_timer() == deadline_ns == stage.now_ns + 30 * SECOND_NS
    stage.until(deadline_ns - 1)
    assert stage.kinds(auction) == ["terms", "joined"]
    stage.until(deadline_ns)
    assert stage.kinds(auction)[-1] == "cancelled"
    assert stage.log(auction).auction.end_reason is EndReason.CANCELLED
    assert (stage.house.live_count, stage.house.get_timer()) == (0, None)
    audited(stage, auction)


def test_each_auction_closes_at_its_own_end(stage: Any) -> None:
    first = stage.opened(duration_ns=10 * SECOND_NS)
    second = stage.opened(duration_ns=5 * SECOND_NS)
    stage.handle(stage.bid(1, first, 1_000))
    stage.after(5 * SECOND_NS)
    assert (stage.kinds(first)[-1], stage.kinds(second)[-1]) == ("bid", "closed")
    stage.after(5 * SECOND_NS)
    assert stage.kinds(first)[-1] == "closed"
    assert [audited(stage, auction).auction.end_reason for auction in (first, second)] == ["completed", "no_bids"]


def test_a_late_bid_moves_the_houses_own_deadline(stage: Any) -> None:
    auction = stage.opened(soft_close_window_ns=4 * SECOND_NS, max_extension_ns=6 * SECOND_NS)
    end_ns = stage.log(auction).auction.end_ns
    stage.until(end_ns - SECOND_NS)
    stage.handle(stage.bid(1, auction, 1_000))
    assert stage.house.get_timer() == stage.log(auction).auction.end_ns == end_ns + 3 * SECOND_NS
    stage.until(end_ns + 2 * SECOND_NS)
    stage.handle(stage.bid(2, auction, 2_000))
    stage.until(end_ns + 5 * SECOND_NS)
    stage.handle(stage.bid(1, auction, 3_000))
    assert stage.house.get_timer() == end_ns + 6 * SECOND_NS
    stage.until(end_ns + 6 * SECOND_NS)
    assert stage.kinds(auction)[-1] == "closed"
    assert audited(stage, auction).auction.extensions == 2


@pytest.mark.parametrize(("price_minor", "reason"), [(4_999, "reserve_not_met"), (5_000, "completed")])
def test_the_close_opens_the_reserve_and_keeps_to_it(stage: Any, price_minor: int, reason: str) -> None:
    auction = stage.opened(reserve_minor=5_000)
    stage.handle(stage.bid(1, auction, price_minor))
    stage.after(20 * SECOND_NS)
    closed = audited(stage, auction).auction.outcome
    assert (closed.end_reason, closed.reserve.minor) == (reason, 5_000)
    assert (closed.winner is None) == (reason != "completed")


def test_time_never_goes_back(stage: Any) -> None:
    auction = stage.opened()
    then_ns = stage.now_ns
    stage.now_ns -= 3 * SECOND_NS
    stage.handle(stage.bid(1, auction, 1_000, not_after_ns=then_ns))
    other = stage.announce()
    assert stage.entries(auction)[-1].time_ns == then_ns
    assert stage.entries(other)[0].time_ns == then_ns


# Presence


def test_a_bidder_out_of_sight_has_left_after_the_grace_everywhere_it_was(stage: Any, staging: ModuleType) -> None:
    there, open_too, elsewhere = stage.announce(min_bidders=3), stage.opened(), stage.announce()
    stage.handle(stage.join(1, there))
    stage.house.session_ended(1, stage.now_ns)
    assert stage.house.get_timer() == stage.now_ns + PRESENCE_GRACE_NS
    stage.after(PRESENCE_GRACE_NS - 1)
    assert "left" not in stage.kinds(there) + stage.kinds(open_too)
    stage.after(1)
    assert (stage.kinds(there)[-1], stage.kinds(open_too)[-1], stage.kinds(elsewhere)) == ("left", "left", ["terms"])
    ann = staging.key_of("ann").identity.signing
    assert ann not in stage.log(there).auction.present
    stage.enter(1, "ann")
    assert staging.codes(stage.handle(stage.bid(1, open_too, 1_000)), 1) == ["not_joined"]
    stage.handle(stage.join(1, open_too), stage.bid(1, open_too, 1_000))
    assert stage.kinds(open_too)[-2:] == ["joined", "bid"]
    audited(stage, open_too)


def test_a_bidder_who_comes_back_in_time_or_has_another_session_never_left(stage: Any) -> None:
    auction = stage.opened()
    stage.enter(3, "ben")
    stage.house.session_ended(1, stage.now_ns)
    stage.house.session_ended(2, stage.now_ns)
    stage.after(PRESENCE_GRACE_NS // 2)
    stage.enter(4, "ann")
    stage.after(PRESENCE_GRACE_NS)
    assert "left" not in stage.kinds(auction)


def test_whoever_left_does_not_count_towards_an_opening(stage: Any) -> None:
    auction = stage.announce()
    stage.enter(1, "ann")
    stage.enter(2, "ben")
    stage.handle(stage.join(1, auction))
    stage.house.session_ended(1, stage.now_ns)
    stage.after(PRESENCE_GRACE_NS)
    stage.handle(stage.join(2, auction))
    assert stage.kinds(auction) == ["terms", "joined", "left", "joined"]


def test_a_departure_from_an_ended_auction_is_nobodys_business(stage: Any) -> None:
    auction = stage.opened()
    stage.after(20 * SECOND_NS)
    stage.house.session_ended(1, stage.now_ns)
    stage.after(PRESENCE_GRACE_NS)
    assert stage.kinds(auction)[-1] == "closed"


# Gaps


def test_a_restart_moves_every_running_deadline_by_exactly_the_downtime_and_the_grace(stage: Any) -> None:
    running, waiting, ended = stage.opened(), stage.announce(), stage.opened(duration_ns=2 * SECOND_NS)
    stage.after(3 * SECOND_NS)
    stage.handle(stage.bid(1, running, 1_000))
    stage.store.alive(stage.now_ns)
    alive_ns = stage.now_ns
    before = {a: stage.log(a).auction.get_timer() for a in (running, waiting)}
    stage.restart(7 * SECOND_NS)
    expected = (alive_ns, alive_ns + 7 * SECOND_NS + RECONNECT_GRACE_NS, "restart")
    for auction in (running, waiting):
        assert gaps(stage, auction) == [expected]
        assert stage.log(auction).auction.get_timer() == before[auction] + 8 * SECOND_NS
    assert stage.kinds(ended)[-1] == "closed"
    assert stage.house.get_timer() == stage.now_ns + PRESENCE_GRACE_NS
    assert stage.house.live_count == 2
    audited(stage, running)


def test_a_deadline_that_had_passed_before_the_house_died_is_not_moved(stage: Any) -> None:
    auction = stage.opened()
    stage.handle(stage.bid(1, auction, 1_000))
    end_ns = stage.log(auction).auction.end_ns
    stage.store.alive(end_ns)
    stage.restart(60 * SECOND_NS)
    stage.handle()
    assert stage.kinds(auction)[-2:] == ["bid", "closed"]
    audited(stage, auction)


def test_bidders_who_do_not_come_back_after_a_restart_have_left(stage: Any) -> None:
    auction = stage.opened()
    stage.restart(SECOND_NS)
    stage.enter(1, "ann")
    stage.after(PRESENCE_GRACE_NS)
    assert stage.kinds(auction)[4:] == ["gap", "left"]


def test_a_house_restarted_again_and_again_counts_no_instant_twice(stage: Any) -> None:
    auction = stage.opened()
    end_ns, start_ns = stage.log(auction).auction.end_ns, stage.now_ns
    for _ in range(4):
        stage.restart(300 * MS_NS)
        assert stage.store.last_alive_ns() == stage.now_ns
    pieces = gaps(stage, auction)
    assert pieces[0][0] == start_ns
    assert all(first[1] == second[0] for first, second in pairwise(pieces))
    assert pieces[-1][1] == stage.now_ns + RECONNECT_GRACE_NS
    assert stage.log(auction).auction.end_ns == end_ns + 4 * 300 * MS_NS + RECONNECT_GRACE_NS
    audited(stage, auction)


def test_a_first_start_has_no_gap(stage: Any) -> None:
    stage.do(stage.house.adopt(stage.house.registry, [], None, stage.now_ns))
    auction = stage.announce()
    stage.after(2 * SECOND_NS)
    assert gaps(stage, auction) == []


def test_logs_without_a_last_sign_of_life_get_the_grace_alone(stage: Any, staging: ModuleType) -> None:
    auction = stage.opened()
    fresh = staging.House(stage.key, stage.limits, staging.EVERYBODY, stage.now_ns)
    log = stage.rebuild(stage.log(auction))
    stage.house = fresh
    stage.do(fresh.adopt(stage.rebuild_registry(), [log], None, stage.now_ns + 5))
    assert gaps(stage, auction) == [(stage.now_ns + 5, stage.now_ns + 5 + RECONNECT_GRACE_NS, "restart")]


def test_while_there_is_no_gateway_deadlines_stand_still_and_nobody_is_to_blame(stage: Any) -> None:
    auction, waiting, ended = stage.opened(), stage.announce(), stage.opened(duration_ns=SECOND_NS)
    stage.after(SECOND_NS)
    end_ns, lost_ns = stage.log(auction).auction.end_ns, stage.now_ns
    stage.house.gateway_lost(stage.now_ns)
    stage.house.gateway_lost(stage.now_ns + 5)
    assert (stage.house.get_timer(), stage.house.presence.peers) == (None, {})
    stage.after(60 * SECOND_NS)
    assert stage.kinds(auction)[-1] == "opened"
    assert stage.kinds(waiting) == ["terms"]
    stage.do(stage.house.gateway_back(stage.now_ns))
    expected = (lost_ns, stage.now_ns + RECONNECT_GRACE_NS, "gateway_lost")
    assert gaps(stage, auction) == gaps(stage, waiting) == [expected]
    assert gaps(stage, ended) == []
    assert stage.log(auction).auction.end_ns == end_ns + 61 * SECOND_NS
    stage.after(PRESENCE_GRACE_NS - 1)
    assert "left" not in stage.kinds(auction)
    stage.enter(1, "ann")
    stage.after(1)
    assert stage.kinds(auction)[-2:] == ["gap", "left"]
    audited(stage, auction)


def test_a_gateway_that_comes_and_goes_within_the_grace_does_not_stop_the_house(stage: Any) -> None:
    auction = stage.opened()
    end_ns, start_ns = stage.log(auction).auction.end_ns, stage.now_ns
    for _ in range(5):
        stage.house.gateway_lost(stage.now_ns)
        stage.now_ns += 100 * MS_NS
        stage.do(stage.house.gateway_back(stage.now_ns))
        stage.now_ns += 100 * MS_NS
        stage.handle()
    last_ns = stage.now_ns - 100 * MS_NS
    assert stage.log(auction).auction.end_ns == end_ns + (last_ns - start_ns) + RECONNECT_GRACE_NS
    audited(stage, auction)


def test_while_a_gateway_is_silent_deadlines_stand_still_and_its_sessions_stay(stage: Any) -> None:
    auction = stage.opened()
    peers, heard_ns = dict(stage.house.presence.peers), stage.now_ns
    end_ns = stage.log(auction).auction.end_ns
    stage.after(2 * SECOND_NS)
    stage.house.gateway_silent(heard_ns)
    stage.house.gateway_silent(heard_ns + 1)
    assert stage.house.get_timer() is None
    assert stage.house.alive_ns(stage.now_ns) == heard_ns, "a restart would begin its gap there"
    stage.after(3_600 * SECOND_NS)
    assert stage.kinds(auction)[-1] == "opened"
    stage.do(stage.house.gateway_back(stage.now_ns))
    assert gaps(stage, auction) == [(heard_ns, stage.now_ns + RECONNECT_GRACE_NS, "gateway_lost")]
    assert stage.log(auction).auction.end_ns == end_ns + stage.now_ns + RECONNECT_GRACE_NS - heard_ns
    assert stage.house.presence.peers == peers
    stage.after(PRESENCE_GRACE_NS + 1)
    assert "left" not in stage.kinds(auction)
    audited(stage, auction)


def test_a_gateway_that_dies_in_its_silence_was_lost_from_the_silence_on(stage: Any) -> None:
    auction, heard_ns = stage.opened(), stage.now_ns
    stage.after(2 * SECOND_NS)
    stage.house.gateway_silent(heard_ns)
    stage.house.gateway_lost(stage.now_ns)
    stage.do(stage.house.gateway_back(stage.now_ns))
    assert gaps(stage, auction) == [(heard_ns, stage.now_ns + RECONNECT_GRACE_NS, "gateway_lost")]


def test_a_gateway_that_was_not_lost_comes_back_to_nothing(stage: Any) -> None:
    auction = stage.opened()
    stage.now_ns += SECOND_NS
    assert stage.do(stage.house.gateway_back(stage.now_ns)) == []
    assert gaps(stage, auction) == []


def test_followers_are_gone_with_their_gateway(stage: Any, staging: ModuleType) -> None:
    auction = stage.opened()
    stage.handle(stage.ask(1, Subscribe((auction,))))
    stage.house.gateway_lost(stage.now_ns)
    assert staging.published(stage.do(stage.house.gateway_back(stage.now_ns + SECOND_NS))) == []


@pytest.mark.parametrize(("silence_ns", "is_stall"), [(STALL_NS, False), (STALL_NS + 1, True), (9 * SECOND_NS, True)])
def test_a_silence_of_the_house_beyond_a_second_is_a_gap(stage: Any, silence_ns: int, is_stall: bool) -> None:
    auction = stage.opened()
    end_ns, last_ns = stage.log(auction).auction.end_ns, stage.now_ns
    stage.now_ns += silence_ns
    stage.handle(stage.bid(1, auction, 1_000))
    assert gaps(stage, auction) == ([(last_ns, stage.now_ns, "stalled")] if is_stall else [])
    assert stage.log(auction).auction.end_ns == end_ns + (silence_ns if is_stall else 0)
    assert stage.kinds(auction)[-1] == "bid"


@pytest.mark.parametrize("first", ["session_ended", "announce", "gateway_back", "gateway_lost", "set_allowed"])
def test_a_stall_is_a_gap_whatever_is_heard_first_after_it(stage: Any, staging: ModuleType, first: str) -> None:
    auction = stage.opened()
    end_ns = stage.log(auction).auction.end_ns
    stage.after(19 * SECOND_NS)
    stage.now_ns += 5 * SECOND_NS
    grace_ns = 0
    if first == "session_ended":
        stage.house.session_ended(1, stage.now_ns)
    elif first == "announce":
        stage.announce()
    elif first == "gateway_back":
        stage.do(stage.house.gateway_back(stage.now_ns))
    elif first == "set_allowed":
        stage.do(stage.house.set_allowed(staging.allowed_with(ann="bidder"), stage.now_ns))
    else:
        stage.house.gateway_lost(stage.now_ns)
        stage.do(stage.house.gateway_back(stage.now_ns))
        grace_ns = RECONNECT_GRACE_NS
    stage.handle()
    assert stage.log(auction).auction.end_ns == end_ns + 5 * SECOND_NS + grace_ns
    assert len(gaps(stage, auction)) == 1
    audited(stage, auction)


def test_an_auction_announced_after_a_stall_has_no_part_in_it(stage: Any) -> None:
    stage.opened()
    stage.now_ns += 5 * SECOND_NS
    auction = stage.announce()
    stage.after(2 * SECOND_NS)
    assert gaps(stage, auction) == []
