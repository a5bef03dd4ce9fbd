"""A house says on the second how long the logs of open auctions are, to whoever follows, and never contradicts it."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest

from auctionctl.auction.phase import Phase
from auctionctl.auction.rules import Disconnection, PauseRules
from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.clock_heads import CLOCK_HEADS_A_TURN, FULL_PAUSE_S, LAST_MINUTE_NS, SLOW_S, ClockHeads
from auctionctl.house.effects import Append, Commit, Effect, Publish
from auctionctl.house.limits import Limits
from auctionctl.house.presence import PRESENCE_GRACE_NS
from auctionctl.house.room import LONGEST_PAUSE_NS
from auctionctl.replica.clock_heads import KeptHead as Kept
from auctionctl.replica.clock_heads import contradiction
from auctionctl.replica.registry import REGISTRY_ID
from auctionctl.tlog.checkpoint import origin_of
from auctionctl.tlog.cosignature import TimedCheckpoint, open_timed
from auctionctl.tlog.merkle import Tree, leaf_hash
from auctionctl.wire.messages import ClockHead, Entries, Read, Subscribe, decode_reply

MS_NS = SECOND_NS // 1_000


def opened(stage: Any, message: ClockHead) -> TimedCheckpoint:
    origin = origin_of(stage.key.identity.text, f"auction/{message.auction.hex()}")
    return open_timed(message.note, origin, stage.key.identity.text, stage.key.identity.signing)


def messages(effects: list[Effect]) -> list[ClockHead]:
    replies = [decode_reply(effect.message.body) for effect in effects if isinstance(effect, Publish)]
    return [reply for reply in replies if isinstance(reply, ClockHead)]


def heads(stage: Any, effects: list[Effect] | None = None) -> list[TimedCheckpoint]:
    """The clock heads among these effects, or among all so far."""
    return [opened(stage, message) for message in messages(stage.effects if effects is None else effects)]


def followed(stage: Any, **changes: Any) -> bytes:
    """An open auction that dora, in session 9, follows."""
    auction: bytes = stage.opened(**changes)
    if 9 not in stage.house.presence.peers:
        stage.enter(9, "dora")
    stage.handle(stage.ask(9, Subscribe((auction,))))
    stage.effects.clear()
    return auction


# When


def test_in_the_last_minute_the_head_is_stamped_every_second_on_the_second(stage: Any) -> None:
    auction = followed(stage)
    start_s, end_ns = stage.now_ns // SECOND_NS, stage.log(auction).auction.end_ns
    for number in range(20):
        stage.handle(stage.bid(1 + number % 2, auction, 1_000 + 100 * number))
        size = stage.store.size(stage.log(auction).name)
        stage.until((start_s + number + 1) * SECOND_NS)
        if stage.now_ns < end_ns:
            last = heads(stage)[-1]
            assert (last.time_s, last.checkpoint.size) == (start_s + number + 1, size)
            assert last.checkpoint.root == stage.log(auction).tree.root()
    assert [head.time_s - start_s for head in heads(stage)] == list(range(1, 21))


def test_before_the_last_minute_the_head_is_stamped_every_ten_seconds(stage: Any) -> None:
    auction = followed(stage, duration_ns=200 * SECOND_NS)
    end_ns = stage.log(auction).auction.end_ns
    seconds = range(stage.now_ns // SECOND_NS + 1, -(-(end_ns - LAST_MINUTE_NS) // SECOND_NS))
    stage.until(end_ns - 1)
    times = [head.time_s * SECOND_NS for head in heads(stage)]
    slow = [time for time in times if end_ns - time > LAST_MINUTE_NS]
    # Which second of ten it is depends on the auction's name, so that not all have theirs at once.
    assert len(slow) == len([second for second in seconds if (second + auction[0]) % SLOW_S == 0])
    assert len(slow) in (13, 14)
    assert {later - earlier for earlier, later in pairwise(slow)} == {SLOW_S * SECOND_NS}
    fast = [time for time in times if time not in slow]
    assert fast == [end_ns - left_s * SECOND_NS for left_s in range(60, 0, -1)]


def test_while_an_auction_stands_still_its_end_is_not_near(stage: Any) -> None:
    auction = followed(stage, duration_ns=30 * SECOND_NS, pauses=PauseRules(Disconnection.PAUSE))
    stage.house.session_ended(1, stage.now_ns)
    stage.after(PRESENCE_GRACE_NS)
    assert stage.log(auction).auction.phase is Phase.PAUSED
    stage.effects.clear()
    stage.after(30 * SECOND_NS)
    assert [len(heads(stage)), stage.log(auction).auction.phase] == [3, Phase.PAUSED]


def test_auctions_far_from_their_ends_take_turns(staging: Any) -> None:
    stage = staging.Stage(Limits(max_concurrent_auctions=100, max_auctions_a_seller=100, max_openings_an_hour=100))
    auctions = [followed(stage, duration_ns=300 * SECOND_NS) for _ in range(30)]
    stage.after(SLOW_S * SECOND_NS)
    found = messages(stage.effects)
    assert sorted(message.auction for message in found) == sorted(auctions)
    by_second = [opened(stage, message).time_s for message in found]
    assert max(by_second.count(second) for second in by_second) <= 9


def test_a_house_that_looked_late_stamps_what_fell_due_meanwhile_once(stage: Any) -> None:
    auction = followed(stage, duration_ns=300 * SECOND_NS)
    stage.now_ns += 25 * SECOND_NS
    effects = stage.handle()
    assert [message.auction for message in messages(effects)] == [auction]
    assert [head.time_s for head in heads(stage, effects)] == [stage.now_ns // SECOND_NS]


def test_the_house_asks_to_be_woken_on_the_second(stage: Any) -> None:
    followed(stage)
    assert stage.house.get_timer() == (stage.now_ns // SECOND_NS + 1) * SECOND_NS
    stage.after(SECOND_NS // 3)
    stage.handle()
    assert stage.house.get_timer() == (stage.now_ns // SECOND_NS + 1) * SECOND_NS


def test_the_close_comes_with_a_stamp_behind_it(stage: Any) -> None:
    auction = followed(stage, duration_ns=20 * SECOND_NS + 300 * MS_NS)
    stage.until(stage.log(auction).auction.end_ns - 1)
    stage.effects.clear()
    stage.now_ns += 1
    replies = [decode_reply(effect.message.body) for effect in stage.handle() if isinstance(effect, Publish)]
    assert [type(reply) for reply in replies] == [Entries, ClockHead]
    (head,) = heads(stage)
    assert stage.kinds(auction)[-1] == "closed"
    assert head.checkpoint.size == len(stage.data(auction))
    assert not head.proves_ahead(head.checkpoint.size - 1, stage.entries(auction)[-1].time_ns)
    stage.effects.clear()
    stage.after(30 * SECOND_NS)
    assert heads(stage) == []


# Nothing for nobody


def test_with_nobody_following_nothing_is_signed_or_made_durable(stage: Any) -> None:
    stage.opened()
    stage.enter(9, "dora")
    stage.handle(stage.ask(9, Subscribe((REGISTRY_ID,))))
    stage.effects.clear()
    stage.after(19 * SECOND_NS)
    assert stage.effects == []


def test_whoever_follows_what_has_ended_wakes_nobody(stage: Any) -> None:
    auction = followed(stage)
    stage.after(21 * SECOND_NS)
    stage.handle(stage.ask(9, Subscribe((auction,))))
    stage.after(SECOND_NS)
    assert stage.house.get_timer() is None


def test_an_auction_that_has_not_opened_is_not_stamped_and_from_then_on_is(stage: Any) -> None:
    auction = stage.announce()
    for session, name in ((1, "ann"), (2, "ben")):
        stage.enter(session, name)
    stage.handle(stage.ask(1, Subscribe((auction,))))
    stage.after(5 * SECOND_NS)
    assert heads(stage) == []
    stage.handle(stage.join(1, auction), stage.join(2, auction))
    assert stage.log(auction).auction.phase is Phase.OPEN
    stage.after(3 * SECOND_NS)
    assert len(heads(stage)) == 3


@pytest.mark.parametrize("leaves", ["session", "gateway"])
def test_when_the_last_follower_has_gone_so_has_the_work(stage: Any, leaves: str) -> None:
    followed(stage)
    stage.after(2 * SECOND_NS)
    assert len(heads(stage)) == 2
    if leaves == "session":
        stage.house.session_ended(9, stage.now_ns)
    else:
        stage.house.gateway_lost(stage.now_ns)
        stage.do(stage.house.gateway_back(stage.now_ns))
    stage.handle()
    stage.effects.clear()
    stage.after(3 * SECOND_NS)
    assert heads(stage) == []
    assert not any(isinstance(effect, Commit) for effect in stage.effects)


# How much


def test_one_turn_signs_so_many_and_the_next_one_goes_on(staging: Any) -> None:
    stage = staging.Stage(Limits(max_concurrent_auctions=100, max_auctions_a_seller=100, max_openings_an_hour=100))
    auctions = [followed(stage) for _ in range(CLOCK_HEADS_A_TURN + 8)]
    stage.now_ns = (stage.now_ns // SECOND_NS + 1) * SECOND_NS
    first = stage.handle()
    assert [type(effect) for effect in first] == [Commit] + [Publish] * CLOCK_HEADS_A_TURN
    assert stage.house.get_timer() == stage.now_ns
    second = stage.handle()
    assert [type(effect) for effect in second] == [Publish] * 8
    assert [message.auction for message in messages(first + second)] == auctions
    assert {head.time_s for head in heads(stage, first + second)} == {stage.now_ns // SECOND_NS}
    assert stage.house.get_timer() == stage.now_ns + SECOND_NS
    assert stage.handle() == []


def test_what_is_left_over_for_a_second_waits_before_what_falls_due_then(staging: Any) -> None:
    stage = staging.Stage(Limits(max_concurrent_auctions=100, max_auctions_a_seller=100, max_openings_an_hour=100))
    auctions = [followed(stage) for _ in range(CLOCK_HEADS_A_TURN + 8)]
    waiting_s = dict.fromkeys(auctions, 0)
    for _ in range(10):
        stage.now_ns = (stage.now_ns // SECOND_NS + 1) * SECOND_NS
        said = {message.auction for message in messages(stage.handle())}
        assert len(said) == CLOCK_HEADS_A_TURN
        waiting_s = {auction: 0 if auction in said else seconds + 1 for auction, seconds in waiting_s.items()}
        assert max(waiting_s.values()) == 1


# Durable before it is said


def test_a_stamp_is_never_later_than_the_time_that_the_store_has(stage: Any) -> None:
    auction = followed(stage)
    stage.is_held = True
    stage.now_ns = (stage.now_ns // SECOND_NS + 1) * SECOND_NS
    assert stage.handle() == [Commit(())]
    assert stage.store.last_alive_ns() < stage.now_ns
    assert [head.time_s for head in heads(stage, stage.settle())] == [stage.now_ns // SECOND_NS]
    assert stage.store.last_alive_ns() == stage.now_ns
    # A bid's own commit serves as well.
    stage.now_ns = (stage.now_ns // SECOND_NS + 1) * SECOND_NS
    effects = stage.handle(stage.bid(1, auction, 1_000))
    (commit,) = [effect for effect in effects if isinstance(effect, Commit)]
    assert [type(append) for append in commit.appends] == [Append]
    assert [head.checkpoint.size for head in heads(stage, effects)] == [5]


def killed_and_back(stage: Any, back_ns: int) -> tuple[TimedCheckpoint, int]:
    """Stamped on the second, killed at once, started again on a clock ``back_ns`` behind: the stamp, the next date."""
    auction = followed(stage)
    stage.now_ns += SECOND_NS
    (head,) = heads(stage, stage.handle())
    stage.restart(-back_ns)
    for session, name in ((1, "ann"), (2, "ben")):
        stage.enter(session, name)
    stage.handle(stage.bid(1, auction, 1_000, not_after_ns=stage.now_ns + 9 * SECOND_NS))
    entries = stage.entries(auction)
    assert [entry.kind.value for entry in entries[4:]] == ["gap", "bid"]
    return head, entries[head.checkpoint.size].time_ns


@pytest.mark.parametrize("back_ns", [0, 1, SECOND_NS, 4 * SECOND_NS])
def test_a_house_killed_after_a_stamp_does_not_contradict_it_with_a_clock_gone_back(stage: Any, back_ns: int) -> None:
    head, time_ns = killed_and_back(stage, back_ns)
    assert not head.proves_back_dated(head.checkpoint.size, time_ns)


def test_without_that_commit_it_would(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def stamp_at_once(self: ClockHeads) -> bool:
        self._durable_ns = self._second * SECOND_NS
        return False

    monkeypatch.setattr(ClockHeads, "needs_commit", property(stamp_at_once))
    head, time_ns = killed_and_back(stage, 4 * SECOND_NS)
    assert head.proves_back_dated(head.checkpoint.size, time_ns)


def test_a_house_killed_between_commit_and_stamp_has_said_nothing(stage: Any) -> None:
    auction = followed(stage)
    stage.is_held = True
    stage.now_ns += SECOND_NS
    assert stage.handle() == [Commit(())]
    stage.is_held = False
    stage.restart(0)
    assert heads(stage) == []
    assert stage.entries(auction)[-1].kind == "gap"


def test_a_full_store_stamps_nothing_is_left_alone_for_a_while_and_answers_meanwhile(stage: Any) -> None:
    auction = followed(stage, duration_ns=60 * SECOND_NS)
    stage.is_full = True
    stage.after(SECOND_NS)
    tries = [effect for effect in stage.effects if isinstance(effect, Commit)]
    assert (len(tries), heads(stage)) == (1, [])
    assert stage.house.get_timer() > stage.now_ns
    stage.after((FULL_PAUSE_S - 1) * SECOND_NS)
    tries = [effect for effect in stage.effects if isinstance(effect, Commit)]
    assert len(tries) <= 5, "of the gap that is due, and ever less often"
    assert len(stage.handle(stage.ask(9, Read(auction, 0)))) == 1
    stage.is_full = False
    stage.after(LONGEST_PAUSE_NS + FULL_PAUSE_S * SECOND_NS)
    stage.effects.clear()
    stage.after(3 * SECOND_NS)
    assert len(heads(stage)) == 3


def test_a_close_that_was_not_written_is_stamped_when_it_is(stage: Any) -> None:
    auction = followed(stage)
    stage.until(stage.log(auction).auction.end_ns - 1)
    stage.is_full = True
    stage.effects.clear()
    stage.after(1)
    assert heads(stage) == []
    stage.is_full = False
    stage.handle()
    (head,) = heads(stage)
    assert (stage.kinds(auction)[-1], head.checkpoint.size) == ("closed", len(stage.data(auction)))


def test_a_silent_gateway_gets_no_stamps_until_it_is_heard_again(stage: Any) -> None:
    """The store's sign of life stands still meanwhile, and a stamp must not be later than that."""
    auction = followed(stage, duration_ns=3_600 * SECOND_NS)
    stage.after(20 * SECOND_NS)
    stage.effects.clear()
    stage.house.gateway_silent(stage.now_ns)
    stage.after(60 * SECOND_NS)
    assert heads(stage) == []
    stage.do(stage.house.gateway_back(stage.now_ns))
    stage.after(20 * SECOND_NS)
    assert heads(stage)
    assert stage.kinds(auction)[-1] == "gap"


# Whatever happens


@pytest.mark.parametrize("seed", range(40))
def test_no_honest_house_is_ever_proved_wrong(staging: Any, seed: int) -> None:
    dice = random.Random(seed)
    stage = staging.Stage()
    auction, price = followed(stage, duration_ns=50 * SECOND_NS), 1_000
    for _ in range(60):
        stage.after(dice.choice([1, 40 * MS_NS, 333 * MS_NS, SECOND_NS, 3 * SECOND_NS]))
        match dice.randrange(8):
            case 0:
                stage.restart(dice.choice([-4, -1, 0, 1, 6]) * SECOND_NS + dice.randrange(SECOND_NS))
            case 1:
                stage.house.gateway_lost(stage.now_ns)
                stage.after(dice.randrange(3 * SECOND_NS))
                stage.do(stage.house.gateway_back(stage.now_ns))
            case 2:
                stage.is_full = dice.random() < 0.1
            case 3:
                stage.now_ns += dice.choice([-2, 2]) * SECOND_NS
            case _:
                if 1 in stage.house.presence.peers:
                    price += 100
                    not_after_ns = stage.house.alive_ns(stage.now_ns) + SECOND_NS
                    stage.handle(stage.bid(dice.choice([1, 2]), auction, price, not_after_ns=not_after_ns))
        if 9 not in stage.house.presence.peers:
            for session, name in ((1, "ann"), (2, "ben"), (9, "dora")):
                stage.enter(session, name)
            stage.handle(stage.ask(9, Subscribe((auction,))))
    said = heads(stage)
    assert len(said) > 5
    tree, times = Tree(), [entry.time_ns for entry in stage.entries(auction)]
    for data in stage.data(auction):
        tree.append(leaf_hash(data))
    for head in said:
        assert contradiction(Kept(b"", head), tree, tree.size, times.__getitem__) is None
