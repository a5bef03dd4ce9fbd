"""A house whose log is not what it signed before is caught at the next visit, told so, and an honest one never is."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import HistoryChangedError
from auctionctl.house.effects import Fetch
from auctionctl.replica.follower import Advanced, Follower
from auctionctl.replica.registry import REGISTRY, REGISTRY_ID
from auctionctl.replica.replica import Head
from auctionctl.tlog.checkpoint import open_checkpoint
from auctionctl.wire.messages import Bye, Read, Remind, decode_request


def roll_back(stage: Any, name: str, count: int) -> None:
    """The last ``count`` entries of a log were never written, as after the restore of an older copy."""
    del stage.store._entries[name][-count:]
    stage.restart(SECOND_NS // 10)


def head_of(replica: Any) -> Head:
    return Head(replica.head.size, replica.head.root, replica.head_note)


def with_bids(stage: Any, count: int) -> bytes:
    """An auction with so many bids, which entries 4 and above are."""
    auction = stage.opened()
    for number in range(count):
        stage.handle(stage.bid(1 + number % 2, auction, 1_000 + 100 * number))
    return bytes(auction)


def follow(line: Any, auction: bytes) -> Any:
    line.follower.follow({auction}, line.stage.now_ns)
    return line.connect()


def remember(line: Any, *heads: tuple[bytes, Head]) -> None:
    """The follower of another visit, which knows these heads."""
    known = dict(heads)
    line.follower = Follower(
        line.key, line.stage.key.identity, "observer", lambda log: [known[log]] if log in known else []
    )


def goodbye(line: Any) -> list[Any]:
    line.follower.take_outgoing()
    line.follower.say_bye()
    return [decode_request(message.body) for message in line.follower.take_outgoing()]


def caught(line: Any, action: Any) -> HistoryChangedError:
    with pytest.raises(HistoryChangedError) as told:
        action()
    error = told.value
    assert goodbye(line) == [Remind(error.log, error.before), Bye()]
    return error


def sizes(line: Any, error: HistoryChangedError) -> tuple[int, int]:
    origin, house = line.follower.replica(error.log).origin, line.stage.key.identity.signing
    before, now = (open_checkpoint(note, origin, house) for note in (error.before, error.now))
    return before.size, now.size


def test_a_house_that_lost_entries_is_caught_when_it_answers_after_a_reconnection(line: Any) -> None:
    auction = with_bids(line.stage, 4)
    follow(line, auction)
    assert line.agrees(auction)
    line.follower.disconnected()
    roll_back(line.stage, line.stage.log(auction).name, 3)
    error = caught(line, line.connect)
    assert sizes(line, error) == (8, 6)
    # Its restart left a gap in the log, where it had signed for a bid.
    assert str(error) == "log: history: the house signed another root for 6 entries"


def test_a_house_that_went_on_from_an_older_copy_is_caught_at_its_first_other_entry(line: Any) -> None:
    auction = with_bids(line.stage, 4)
    follow(line, auction)
    line.follower.disconnected()
    stage = line.stage
    roll_back(stage, stage.log(auction).name, 1)
    stage.enter(2, "ben")
    stage.handle(stage.bid(2, auction, 5_000))
    assert stage.kinds(auction)[7:] == ["gap", "bid"]
    error = caught(line, line.connect)
    assert sizes(line, error) == (8, 9)
    assert error.entries == tuple(stage.data(auction)[8:])


@pytest.mark.parametrize("lost", [2, 5])
def test_another_visit_that_knows_the_head_catches_it_at_the_first_slice(line: Any, lost: int) -> None:
    auction = with_bids(line.stage, 6)
    follow(line, auction)
    known = head_of(line.follower.replicas[auction])
    roll_back(line.stage, line.stage.log(auction).name, lost)
    remember(line, (auction, known))
    error = caught(line, lambda: follow(line, auction))
    assert sizes(line, error) == (10, 10 - lost + 1)
    assert line.follower.replicas[auction].size == 4


def test_a_copy_that_is_still_coming_in_is_behind_and_no_proof_of_anything(line: Any) -> None:
    auction = with_bids(line.stage, 6)
    follow(line, auction)
    known = head_of(line.follower.replicas[auction])
    remember(line, (auction, known))
    line.lose("entries")
    follow(line, auction)
    replica = line.follower.replicas[auction]
    assert (replica.size, replica.is_behind, replica.signed_size) == (0, True, 10)
    line.lose()
    line.run_for(3 * SECOND_NS)
    assert [notice.is_current for notice in line.told(Advanced)][-3:] == [False, False, True]
    assert line.agrees(auction)
    assert goodbye(line) == [Bye()]


def test_a_registry_that_was_rolled_back_is_caught_too(line: Any) -> None:
    line.stage.opened()
    line.stage.opened()
    line.follower.follow_registry(line.stage.now_ns)
    line.connect()
    known = head_of(line.follower.registry)
    line.follower.disconnected()
    del line.stage.store._entries[REGISTRY][-1:]
    line.stage.restart(SECOND_NS // 10)
    error = caught(line, line.connect)
    assert (error.log, error.before) == (REGISTRY_ID, known.note)
    remember(line, (REGISTRY_ID, known))
    line.follower.follow_registry(line.stage.now_ns)
    assert caught(line, line.connect).before == known.note


def test_a_late_answer_to_what_was_asked_over_the_same_connection_accuses_nobody(line: Any) -> None:
    stage = line.stage
    auction = with_bids(stage, 2)
    line.perform, perform = lambda effect: None if isinstance(effect, Fetch) else perform(effect), line.perform
    follow(line, auction)
    (late,) = [effect for effect in stage.effects if isinstance(effect, Fetch)]
    line.perform = perform
    line.follower.ask_for_heads([auction], stage.now_ns)
    line.pump()
    stage.handle(stage.bid(1, auction, 9_000))
    line.pump()
    line.greet()
    assert (line.follower.is_welcome, line.follower.replicas[auction].head.size) == (True, 7)
    line.perform(late)
    assert line.agrees(auction)
    line.follower.disconnected()
    line.connect()
    with pytest.raises(HistoryChangedError):
        # Over another connection, nothing that was asked before is answered.
        line.perform(late._replace(session=line.session))
    assert line.said(Read)
