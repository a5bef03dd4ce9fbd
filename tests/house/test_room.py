"""While the disk is full nothing is attempted but now and then, nobody is blamed, and no deadline comes nearer."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from auctionctl.auction.events import Gap, GapCause, decode_event
from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.effects import Commit
from auctionctl.house.gaps import Outage
from auctionctl.house.room import FIRST_PAUSE_NS, LONGEST_PAUSE_NS, STALL_NS, Room

HOUR_NS = 3_600 * SECOND_NS


def test_the_second_attempt_comes_at_once_and_each_later_one_after_twice_the_pause_up_to_the_longest():
    room, now_ns = Room(), 0
    pauses = []
    for _ in range(6):
        room.lacked(now_ns)
        retry_ns = room.not_before(now_ns)
        pauses.append(retry_ns - now_ns)
        assert room.is_awaited(now_ns) is (retry_ns > now_ns)
        assert not room.is_awaited(retry_ns)
        now_ns = retry_ns
    assert pauses[:4] == [0, FIRST_PAUSE_NS, 2 * FIRST_PAUSE_NS, 4 * FIRST_PAUSE_NS]
    assert pauses[4:] == [LONGEST_PAUSE_NS] * 2


def test_the_time_without_room_is_one_outage_from_the_first_lack_on():
    room, second_ns = Room(), SECOND_NS
    assert (room.say(7, None), room.before_lack(7), room.not_before(7)) == ([], 7, 7)
    room.lacked(10)
    assert room.say(10 + STALL_NS, None) == [], "no longer than a stall may be"
    room.lacked(2 * second_ns)
    assert room.before_lack(3 * second_ns) == 10
    assert room.say(3 * second_ns, None) == [Outage(10, 3 * second_ns, GapCause.STALLED)]
    assert room.before_lack(3 * second_ns) == 3 * second_ns, "the batch says it"
    room.lacked(3 * second_ns)
    assert room.before_lack(4 * second_ns) == 10
    room.found()
    now_ns = 5 * second_ns
    assert (room.say(now_ns, None), room.before_lack(now_ns), room.is_awaited(now_ns)) == ([], now_ns, False)


def attempts(stage: Any) -> int:
    return sum(isinstance(effect, Commit) for effect in stage.effects)


def test_an_auction_whose_end_passes_while_there_is_no_room_goes_on_when_there_is(
    stage: Any, staging: ModuleType
) -> None:
    auction = stage.opened(duration_ns=20 * SECOND_NS)
    stage.after(15 * SECOND_NS)
    end_ns, full_ns = stage.log(auction).auction.end_ns, stage.now_ns
    stage.is_full = True
    stage.effects.clear()
    for _ in range(20):
        stage.after(SECOND_NS)
        replies = staging.replies(stage.handle(stage.bid(1, auction, 1_000)), 1)
        assert [reply.code for reply in replies] == ["store_full"], "and never that it is over"
    assert stage.now_ns > end_ns
    assert 0 < attempts(stage) <= 10
    assert stage.house.alive_ns(stage.now_ns) <= full_ns + SECOND_NS, "a restart would begin its gap there"
    stage.is_full = False
    stage.after(LONGEST_PAUSE_NS)
    entries = stage.entries(auction)
    (gap,) = [decode_event("gap", entry.body) for entry in entries if entry.kind == "gap"]
    assert isinstance(gap, Gap)
    assert full_ns <= gap.since_ns <= full_ns + SECOND_NS
    assert stage.log(auction).auction.end_ns == end_ns + gap.until_ns - gap.since_ns
    stage.handle(stage.bid(1, auction, 1_000))
    assert stage.kinds(auction)[-1] == "bid"


def test_what_was_written_before_is_acknowledged_again_while_there_is_no_room(stage: Any, staging: ModuleType) -> None:
    auction = stage.opened(duration_ns=HOUR_NS)
    written, other = stage.bid(1, auction, 1_000), stage.bid(2, auction, 2_000)
    stage.handle(written)
    stage.is_full = True
    for _ in range(2):
        stage.handle(other)
    (reply,) = staging.replies(stage.handle(written, other), 1)
    assert [item.command for item in reply.logs[0].receipts] == [staging.command_of(written)]


def test_a_seller_s_terms_are_refused_at_once_while_there_is_no_room(stage: Any, staging: ModuleType) -> None:
    auction = stage.opened(duration_ns=HOUR_NS)
    stage.enter(5, "sue", "seller")
    stage.is_full = True
    for _ in range(2):
        stage.handle(stage.bid(1, auction, 1_000))
    before = attempts(stage)
    (reply,) = staging.replies(stage.handle(stage.offer(5, stage.terms("sue", listing="lot-a"))), 5)
    assert (reply.code, attempts(stage)) == ("store_full", before)


def test_time_without_room_that_began_without_a_gateway_is_entered_from_the_loss_of_that_on():
    room, second_ns = Room(), SECOND_NS
    room.lacked(2 * second_ns)
    room.lacked(4 * second_ns)
    assert room.say(5 * second_ns, second_ns) == [Outage(second_ns, 5 * second_ns, GapCause.STALLED)]
    assert room.say(5 * second_ns, 3 * second_ns) == [Outage(2 * second_ns, 5 * second_ns, GapCause.STALLED)]
